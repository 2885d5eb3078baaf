using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using KpiDashboard.IntegrationTests.Embedded;
using Xunit;

namespace KpiDashboard.IntegrationTests.StartCommand;

/// <summary>The start command as a program of its own, the one that <c>dotnet run</c> would run.</summary>
internal sealed class StartedApp : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();
    private readonly TaskCompletionSource<string> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<(int Id, string Started)> _descendants = [];

    private StartedApp(Process process) => _process = process;

    /// <summary>The program: copies of the local host and of the app stand beside the tests, put there by the project references.</summary>
    private static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "KpiDashboard.LocalHost.dll");

    /// <summary>A shell that runs the tests in the background has them, and all they start, ignore Ctrl-C; this takes that back.</summary>
    private static string[] WithCtrlC => OperatingSystem.IsLinux() ? ["env", "--default-signal=INT,HUP"] : [];

    public int Id => _process.Id;

    /// <summary>What it said so far.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>What it said on standard error so far.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
                return _errors.ToString();
        }
    }

    /// <summary>Starts it on a free port and without the web page.</summary>
    /// <param name="data">Its data folder.</param>
    /// <param name="arguments">More of its command line.</param>
    public static StartedApp Start(string data, params string[] arguments) =>
        StartWith(WithCtrlC, ["--port", "0", "--data", data, "--no-settings", "--set", "Web:Skip=true", .. arguments]);

    /// <summary>Starts it with this command line alone.</summary>
    /// <param name="prefix">A program and its arguments that run the command line that follows.</param>
    /// <param name="arguments">The command line.</param>
    public static StartedApp StartWith(IReadOnlyList<string> prefix, IReadOnlyList<string> arguments)
    {
        string[] command = [.. prefix, ServerOwner.Dotnet, "exec", Program, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        // What the machine or another test run sets is not what is tested.
        foreach (var name in (string[])["KPI_PORT", "KPI_DATA", "ConnectionStrings__Postgres", "AzureWebJobsStorage", "DOTNET_STARTUP_HOOKS"])
            start.Environment.Remove(name);
        var app = new StartedApp(Process.Start(start)!);
        app._process.OutputDataReceived += (_, line) => app.OnOutput(line.Data);
        app._process.ErrorDataReceived += (_, line) => Append(app._errors, line.Data);
        app._process.BeginOutputReadLine();
        app._process.BeginErrorReadLine();
        return app;
    }

    /// <summary>Waits for the line that begins with Ready.</summary>
    public Task<string> ReadyAsync() => AnswerAsync(_ready.Task);

    /// <summary>Waits until it listens, which is before it is ready.</summary>
    public Task<Uri> ListensAsync() => AnswerAsync(_address.Task);

    /// <summary>Waits until it said something.</summary>
    public async Task SaysAsync(string text)
    {
        var started = Stopwatch.GetTimestamp();
        while (!Output.Contains(text, StringComparison.Ordinal))
        {
            Assert.True(!_process.HasExited && Stopwatch.GetElapsedTime(started) < Limit, $"It never said '{text}':\n{Output}{Errors}");
            await Task.Delay(20, Cancelled);
        }
    }

    /// <summary>Waits until it ended by itself.</summary>
    public async Task<int> ExitedAsync()
    {
        // Also waits for the last lines.
        await _process.WaitForExitAsync(Cancelled).WaitAsync(Limit, Cancelled);
        return _process.ExitCode;
    }

    /// <summary>The processes below it, now; later looks add to earlier ones.</summary>
    public IReadOnlyCollection<(int Id, string Started)> Descendants()
    {
        var all = ProcessTable.Read();
        var below = new HashSet<int> { Id };
        // Parents may have higher numbers than their children: until nothing is added any more.
        while (all.Where(p => below.Contains(p.Parent) && below.Add(p.Id)).ToList() is { Count: > 0 } added)
            _descendants.UnionWith(added.Select(p => (p.Id, p.Started)));
        return _descendants;
    }

    /// <summary>Waits until none of its descendants is left.</summary>
    public Task NothingIsLeftAsync() =>
        Processes.UntilAsync(() => Left().Count == 0, "something that it had started lives on", Cancelled);

    /// <summary>Sends a signal to it alone.</summary>
    public static async Task SignalAsync(int id, string signal)
    {
        var (exitCode, output) = await Processes.RunAsync(Cancelled, "kill", $"-{signal}", id.ToString(CultureInfo.InvariantCulture));
        Assert.True(exitCode == 0, output);
    }

    /// <summary>Sends a signal to it alone.</summary>
    public Task SignalAsync(string signal) => SignalAsync(Id, signal);

    /// <summary>The status code that it answers a path with.</summary>
    public async Task<HttpStatusCode> StatusAsync(string path)
    {
        using var client = new HttpClient { BaseAddress = await ListensAsync() };
        using var response = await client.GetAsync(path, Cancelled);
        return response.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Descendants();
            // Its servers end because it does, but a failing test should not wait for that.
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }
        foreach (var (id, _) in Left())
        {
            try
            {
                using var process = Process.GetProcessById(id);
                process.Kill();
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                // It ended meanwhile.
            }
        }
        _process.Dispose();
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private List<(int Id, string Started)> Left()
    {
        var running = ProcessTable.Read().Select(p => (p.Id, p.Started)).ToHashSet();
        return [.. _descendants.Where(running.Contains)];
    }

    private async Task<T> AnswerAsync<T>(Task<T> answer)
    {
        var exited = _process.WaitForExitAsync(Cancelled);
        await Task.WhenAny(answer, exited).WaitAsync(Limit, Cancelled);
        Assert.True(answer.IsCompletedSuccessfully, $"It ended instead:\n{Output}{Errors}");
        return await answer;
    }

    private void OnOutput(string? line)
    {
        Append(_output, line);
        const string Functions = "Functions ";
        const string On = " on ";
        if (line is not null && line.StartsWith("Ready ", StringComparison.Ordinal))
            _ready.TrySetResult(line);
        else if (line is not null && line.StartsWith(Functions, StringComparison.Ordinal))
            _address.TrySetResult(new Uri(line[(line.IndexOf(On, StringComparison.Ordinal) + On.Length)..].Split(' ')[0]));
    }

    private static void Append(StringBuilder to, string? line)
    {
        if (line is null)
            return;
        lock (to)
            to.AppendLine(line);
    }
}

/// <summary>All processes of a Linux machine, without those that are dead and only not yet waited for.</summary>
internal static class ProcessTable
{
    public static IReadOnlyList<(int Id, int Parent, string Started)> Read()
    {
        var found = new List<(int, int, string)>();
        foreach (var entry in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(entry), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                continue;
            try
            {
                // State, parent, …; the 20th of these fields is the time of its start, which tells it from a later one of the same number.
                var stat = File.ReadAllText(Path.Combine(entry, "stat"));
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                if (fields[0] is not ("Z" or "X"))
                    found.Add((id, int.Parse(fields[1], CultureInfo.InvariantCulture), fields[19]));
            }
            catch (IOException)
            {
                // Ended while we looked.
            }
        }
        return found;
    }
}
