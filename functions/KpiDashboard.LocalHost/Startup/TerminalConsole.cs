using System.Diagnostics;

namespace KpiDashboard.LocalHost.Startup;

/// <summary>
/// The start-up's own lines: aligned, one per finished step. On a terminal what goes on is shown in place; into a file or a pipe it goes
/// as plain lines, and not too many of them. Log lines go through here as well, so that the two never mix within a line.
/// </summary>
internal sealed class TerminalConsole : IStartupConsole
{
    private const int NameWidth = 17;
    private static readonly TimeSpan s_plainInterval = TimeSpan.FromSeconds(5);

    private readonly TextWriter _out;
    private readonly TextWriter _error;
    private readonly bool _isTerminal;
    private readonly Func<int> _width;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _lastPlain = [];
    private bool _progressShown;
    private string _shown = "";

    public TerminalConsole()
        : this(Console.Out, Console.Error, !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb", WindowWidth, TimeProvider.System) { }

    internal TerminalConsole(TextWriter output, TextWriter error, bool isTerminal, Func<int> width, TimeProvider time)
    {
        _out = output;
        _error = error;
        _isTerminal = isTerminal;
        _width = width;
        _time = time;
    }

    /// <inheritdoc/>
    public void Done(string stage, string text)
    {
        lock (_gate)
        {
            EraseProgress();
            _lastPlain.Remove(stage);
            _out.WriteLine(Line(stage, text));
            _out.Flush();
        }
    }

    /// <inheritdoc/>
    public void Progress(string stage, string text)
    {
        lock (_gate)
        {
            string line = Line(stage, text);
            if (_isTerminal)
            {
                if (_progressShown && _shown == line)
                    return;
                // Whatever stands there, a typed ^C for example, would push the line out of its column.
                _progressShown = true;
                EraseProgress();
                int width = Math.Max(20, _width()) - 1;
                // A line that wrapped could not be erased.
                _out.Write(line.Length > width ? line[..(width - 1)] + "…" : line);
                (_progressShown, _shown) = (true, line);
            }
            else
            {
                if (_lastPlain.TryGetValue(stage, out long last) && _time.GetElapsedTime(last) < s_plainInterval)
                    return;
                _lastPlain[stage] = _time.GetTimestamp();
                _out.WriteLine(line);
            }

            _out.Flush();
        }
    }

    /// <inheritdoc/>
    public void Ready(string text)
    {
        Debug.Assert(text.StartsWith("Ready ", StringComparison.Ordinal), "Whoever waits for the start looks for this word.");
        lock (_gate)
        {
            EraseProgress();
            if (_isTerminal)
                _out.WriteLine();
            _out.WriteLine(text);
            _out.Flush();
        }
    }

    /// <inheritdoc/>
    public void Log(string line) => Error(line);

    /// <summary>A line that is not part of the start-up: a log entry, or why it cannot go on.</summary>
    public void Error(string text)
    {
        lock (_gate)
        {
            EraseProgress();
            _error.WriteLine(text);
            _error.Flush();
        }
    }

    private static string Line(string stage, string text) => $"{stage.PadRight(NameWidth)} {text}".TrimEnd();

    private static int WindowWidth()
    {
        try
        {
            return Console.WindowWidth is > 0 and var width ? width : 80;
        }
        catch (IOException)
        {
            return 80;
        }
    }

    private void EraseProgress()
    {
        if (!_progressShown)
            return;
        _out.Write("\r\u001b[2K");
        _out.Flush();
        _progressShown = false;
    }
}
