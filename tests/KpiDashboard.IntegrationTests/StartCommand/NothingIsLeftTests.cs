using KpiDashboard.IntegrationTests.Embedded;
using Xunit;

namespace KpiDashboard.IntegrationTests.StartCommand;

/// <summary>However the start command ends, what it has started ends too. Watched from outside, by process id.</summary>
[Trait("Clock", "none")]
public sealed class NothingIsLeftTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static bool OnLinux => OperatingSystem.IsLinux();

    public void Dispose() => _folder.Dispose();

    [Theory(SkipUnless = nameof(OnLinux), Skip = "Signals and /proc.")]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task A_signal_ends_it_with_exit_code_0_and_leaves_no_process(string signal)
    {
        await using var app = StartedApp.Start(_folder["data"], "--no-demo");
        await app.ReadyAsync();
        // At least Postgres, Azurite and their supervisors.
        Assert.True(app.Descendants().Count >= 4);

        await app.SignalAsync(signal);

        Assert.True(await app.ExitedAsync() == 0, app.Output + app.Errors);
        await app.NothingIsLeftAsync();
        Assert.Equal("", app.Errors);
    }

    [Theory(SkipUnless = nameof(OnLinux), Skip = "Signals and /proc.")]
    [InlineData("Postgres          starting", 130)]
    [InlineData("Azurite           starting", 130)]
    [InlineData("Syncing ", 0)]
    public async Task Ctrl_C_in_the_middle_of_the_start_leaves_no_process_and_the_next_start_works(string moment, int exitCode)
    {
        await using (var app = StartedApp.Start(_folder["data"]))
        {
            await app.SaysAsync(moment);
            app.Descendants();

            await app.SignalAsync("INT");

            Assert.True(await app.ExitedAsync() == exitCode, app.Output + app.Errors);
            await app.NothingIsLeftAsync();
            Assert.Equal("", app.Errors);
        }

        await using var next = StartedApp.Start(_folder["data"], "--no-demo");
        await next.ReadyAsync();
    }

    [Fact(SkipUnless = nameof(OnLinux), Skip = "Signals and /proc.")]
    public async Task Kill_9_leaves_no_process_and_the_next_start_works_at_once()
    {
        await using (var app = StartedApp.Start(_folder["data"], "--no-demo"))
        {
            await app.ReadyAsync();
            Assert.True(app.Descendants().Count >= 4);

            await app.SignalAsync("KILL");
            await app.ExitedAsync();

            await using var next = StartedApp.Start(_folder["data"], "--no-demo");
            await next.ReadyAsync();
            await app.NothingIsLeftAsync();
        }
    }

    [Fact(SkipUnless = nameof(OnLinux), Skip = "Signals and /proc.")]
    public async Task Kill_9_of_the_dotnet_program_that_started_it_ends_it_too()
    {
        // A program called dotnet that starts it and waits, as dotnet run is: a shell under that name.
        var starter = _folder["dotnet"];
        File.Copy("/bin/sh", starter);
        await using var app = StartedApp.StartWith(
            [starter, "-c", "\"$@\"; exit $?", "sh"],
            ["--port", "0", "--data", _folder["data"], "--no-settings", "--no-web", "--no-demo"]);
        await app.ReadyAsync();
        Assert.True(app.Descendants().Count >= 5);

        await app.SignalAsync("KILL");

        await app.NothingIsLeftAsync();
        // In order, not because its output was gone.
        await Processes.UntilAsync(() => app.Output.Contains("Stopped", StringComparison.Ordinal), "it did not stop in order", TestContext.Current.CancellationToken);
    }
}
