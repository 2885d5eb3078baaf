using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using KpiDashboard.LocalHost.Startup;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>What to run.</summary>
internal sealed record ChildProcessOptions
{
    /// <summary>Node, which runs the supervisor.</summary>
    public required NodeTools Node { get; init; }

    /// <summary>The program: a full path, or a name to look up on the search path.</summary>
    public required string FileName { get; init; }

    /// <summary>Its arguments. Never a secret: other users can read them.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>The folder that it starts in.</summary>
    public required string WorkingDirectory { get; init; }

    /// <summary>Environment variables to set, or to remove (null), on top of ours.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>The signal that asks it to end.</summary>
    public string StopSignal { get; init; } = "SIGTERM";

    /// <summary>Whether that signal goes to everything it started as well.</summary>
    public bool SignalGroup { get; init; }

    /// <summary>What asks it to end where there are no signals (Windows): program and arguments.</summary>
    public IReadOnlyList<string>? StopCommand { get; init; }

    /// <summary>How long it may take to end before it is killed.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>User and group to run as; null for our own. Only root can ask for it.</summary>
    public (uint User, uint Group)? RunAs { get; init; }

    /// <summary>Where its output goes, besides the last lines that are kept for error sentences.</summary>
    public CappedLog? Log { get; init; }

    /// <summary>Told about every line of output.</summary>
    public Action<string>? Line { get; init; }
}

/// <summary>
/// A program that ends when we end, whatever ends us.
/// </summary>
/// <remarks>
/// Between us and the program stands a small supervisor, a Node script that reads its standard input, a pipe from us. The system closes that pipe
/// when we die, <c>kill -9</c> included, and the supervisor then asks the program to end and kills it if it does not. This works on every system
/// that has Node. Where <c>setpriv</c> can do it, the program also gets a parent-death signal in case that the supervisor itself is killed; we cannot
/// ask for that signal ourselves because Linux ties it to the *thread* that started the program, and threads of the pool come and go.
/// The program gets a session of its own, so that Ctrl-C in the terminal reaches only us and things end in order.
/// </remarks>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const string PidMark = "kpi-child-process ";
    private const int LinesKept = 200;

    // Standard input: "kill" kills, anything else and the end of the stream asks to stop.
    private const string Supervisor = """
        const { spawn, spawnSync } = require('node:child_process');
        const fs = require('node:fs');
        const o = JSON.parse(process.argv[1]);
        const windows = process.platform === 'win32';
        let file = o.file, args = o.args;
        if (process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true'], { stdio: 'ignore' }).status === 0) {
          args = ['--pdeathsig', o.signal.slice(3), '--', file, ...args];
          file = 'setpriv';
        }
        const child = spawn(file, args, {
          stdio: ['ignore', 'inherit', 'inherit'], detached: !windows, windowsHide: true, uid: o.uid, gid: o.gid,
        });
        const signal = (pid, name) => { try { process.kill(pid, name); } catch { } };
        const kill = () => windows
          ? spawn('taskkill', ['/PID', String(child.pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true })
          : signal(-child.pid, 'SIGKILL');
        let stopping = false;
        const stop = () => {
          if (stopping || !child.pid) return;
          stopping = true;
          setTimeout(kill, o.stopMs);
          if (!windows) signal(o.group ? -child.pid : child.pid, o.signal);
          else if (o.stopCommand) spawn(o.stopCommand[0], o.stopCommand.slice(1), { stdio: 'ignore', windowsHide: true }).on('error', kill);
          else kill();
        };
        child.on('error', e => { fs.writeSync(2, `${o.file} could not be started: ${e.message}\n`); process.exit(127); });
        child.on('exit', (code, name) => {
          if (!windows) signal(-child.pid, 'SIGKILL');
          process.exit(code ?? 128 + (require('node:os').constants.signals[name] ?? 0));
        });
        if (child.pid) fs.writeSync(1, `kpi-child-process ${child.pid}\n`);
        for (const name of ['SIGINT', 'SIGHUP', 'SIGQUIT']) process.on(name, () => { });
        process.on('SIGTERM', stop);
        process.stdin.on('data', text => String(text).includes('kill') ? kill() : stop());
        for (const name of ['end', 'close', 'error']) process.stdin.on(name, stop);
        """;

    private readonly Process _supervisor;
    private readonly ChildProcessOptions _options;
    private readonly Queue<string> _lines = new();
    private readonly TaskCompletionSource<int> _id = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChildProcess(Process supervisor, ChildProcessOptions options)
    {
        _supervisor = supervisor;
        _options = options;
        Exited = WatchAsync();
    }

    /// <summary>Ends with the program's exit code (128 + signal where it was killed, 127 where it could not be started).</summary>
    public Task<int> Exited { get; }

    /// <summary>The program's process id, once it runs; faulted when it could not be started.</summary>
    public Task<int> Id => _id.Task;

    /// <summary>The supervisor's process id.</summary>
    public int SupervisorId => _supervisor.Id;

    /// <summary>The last lines that the program wrote, oldest first.</summary>
    public IReadOnlyList<string> LastLines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    /// <summary>Starts a program.</summary>
    /// <exception cref="StartupException">Node could not be started.</exception>
    public static ChildProcess Start(ChildProcessOptions options)
    {
        var start = new ProcessStartInfo(options.Node.Node)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            CreateNoWindow = true,
            WorkingDirectory = options.WorkingDirectory,
        };
        start.ArgumentList.Add("--eval");
        start.ArgumentList.Add(Supervisor);
        start.ArgumentList.Add("--");
        start.ArgumentList.Add(SupervisorOptions(options));
        start.Environment["PATH"] = options.Node.SearchPath;
        foreach (var (name, value) in options.Environment)
            if (value is null)
                start.Environment.Remove(name);
            else
                start.Environment[name] = value;
        try
        {
            return new ChildProcess(Process.Start(start)!, options);
        }
        catch (Win32Exception e)
        {
            throw new StartupException($"{options.Node.Node} could not be started: {e.Message}", e);
        }
    }

    /// <summary>Runs a program to its end.</summary>
    /// <returns>Its exit code and the last lines that it wrote.</returns>
    /// <exception cref="TimeoutException">It took longer than the limit, and was ended.</exception>
    public static async Task<(int ExitCode, IReadOnlyList<string> LastLines)> RunAsync(
        ChildProcessOptions options,
        TimeSpan limit,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        await using var child = Start(options);
        var exitCode = await child.Exited.WaitAsync(limit, time, cancellationToken);
        return (exitCode, child.LastLines);
    }

    /// <summary>Asks the program to end, and kills it (and all it started) when it does not within its limit.</summary>
    public Task StopAsync() => EndAsync("stop");

    /// <summary>Kills the program and all it started, at once.</summary>
    public Task KillAsync() => EndAsync("kill");

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _supervisor.Dispose();
    }

    private static string SupervisorOptions(ChildProcessOptions options)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("file", options.FileName);
            WriteList("args", options.Arguments);
            json.WriteString("signal", options.StopSignal);
            json.WriteBoolean("group", options.SignalGroup);
            json.WriteNumber("stopMs", (long)options.StopTimeout.TotalMilliseconds);
            if (options.StopCommand is { } command)
                WriteList("stopCommand", command);
            if (options.RunAs is var (user, group))
            {
                json.WriteNumber("uid", user);
                json.WriteNumber("gid", group);
            }
            json.WriteEndObject();

            void WriteList(string name, IReadOnlyList<string> values)
            {
                json.WriteStartArray(name);
                foreach (var value in values)
                    json.WriteStringValue(value);
                json.WriteEndArray();
            }
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    private async Task EndAsync(string how)
    {
        try
        {
            await _supervisor.StandardInput.WriteLineAsync(how);
            // The pipe stays open: being asked to stop may be followed by being killed.
            await _supervisor.StandardInput.FlushAsync();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // It is gone already, or was told before.
        }
        try
        {
            await Exited.WaitAsync(_options.StopTimeout + TimeSpan.FromSeconds(5));
        }
        catch (TimeoutException)
        {
            // The supervisor itself hangs: end it and all below it, by id.
            _supervisor.Kill(entireProcessTree: true);
            await Exited.WaitAsync(TimeSpan.FromSeconds(10));
        }
    }

    private async Task<int> WatchAsync()
    {
        var output = ReadAsync(_supervisor.StandardOutput);
        var errors = ReadAsync(_supervisor.StandardError);
        await _supervisor.WaitForExitAsync(CancellationToken.None);
        var exitCode = _supervisor.ExitCode;
        try
        {
            // Something that it started may live on for a moment and hold the pipes; its last words are not worth a longer wait.
            await Task.WhenAll(output, errors).WaitAsync(TimeSpan.FromSeconds(2));
        }
        catch (TimeoutException) { }
        _id.TrySetException(
            new StartupException(
                LastLines is [.., var last]
                    ? last
                    : string.Create(CultureInfo.InvariantCulture, $"{_options.FileName} ended with code {exitCode}.")
            )
        );
        // Nobody may ever look at it.
        _ = _id.Task.Exception;
        return exitCode;
    }

    private async Task ReadAsync(StreamReader reader)
    {
        try
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.StartsWith(PidMark, StringComparison.Ordinal))
                {
                    _id.TrySetResult(int.Parse(line.AsSpan(PidMark.Length), CultureInfo.InvariantCulture));
                    continue;
                }
                lock (_lines)
                {
                    _lines.Enqueue(line);
                    if (_lines.Count > LinesKept)
                        _lines.Dequeue();
                }
                _options.Log?.Write(line);
                _options.Line?.Invoke(line);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The pipe went with the process.
        }
    }
}
