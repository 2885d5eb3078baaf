using KpiDashboard.LocalHost.Startup;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KpiDashboard.Tests.LocalHost;

public sealed class TerminalConsoleTests : IDisposable
{
    private const string Erase = "\r\u001b[2K";

    private readonly StringWriter _out = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };
    private readonly FakeTimeProvider _time = new();

    public void Dispose()
    {
        _out.Dispose();
        _error.Dispose();
    }

    [Fact]
    public void On_a_terminal_progress_is_shown_in_place_and_cut_to_the_width()
    {
        TerminalConsole console = Console(isTerminal: true);

        console.Progress("Postgres", "1 of 2");
        console.Progress("Postgres", new string('x', 100));
        console.Done("Postgres", "ready");
        console.Ready("Ready http://localhost:7071");

        Assert.Equal(
            $"{Erase}Postgres          1 of 2{Erase}Postgres          {new string('x', 20)}…{Erase}Postgres          ready\n\nReady http://localhost:7071\n", _out.ToString());
    }

    [Fact]
    public void Into_a_file_progress_goes_as_plain_lines_at_most_every_five_seconds_and_without_control_characters()
    {
        TerminalConsole console = Console(isTerminal: false);

        for (int i = 0; i < 12; i++)
        {
            console.Progress("Azurite", $"{i} s");
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        console.Done("Azurite", "ready");
        console.Ready("Ready http://localhost:7071");

        Assert.Equal("Azurite           0 s\nAzurite           5 s\nAzurite           10 s\nAzurite           ready\nReady http://localhost:7071\n", _out.ToString());
    }

    [Fact]
    public void A_log_line_first_takes_the_progress_away()
    {
        TerminalConsole console = Console(isTerminal: true);

        console.Progress("Web", "building");
        console.Error("12:00:00 warn  Vite: slow");

        Assert.Equal($"{Erase}Web               building{Erase}", _out.ToString());
        Assert.Equal("12:00:00 warn  Vite: slow\n", _error.ToString());
    }

    private TerminalConsole Console(bool isTerminal) => new(_out, _error, isTerminal, () => 40, _time);
}
