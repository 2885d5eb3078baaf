using System.Globalization;
using System.Text.Json;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>How to start a mail catcher.</summary>
internal sealed record EmbeddedMailCatcherOptions
{
    /// <summary>Where mails are kept, one <c>.eml</c> file each, and the log; made if it does not exist.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The port on 127.0.0.1; 0 picks a free one.</summary>
    public int Port { get; init; }

    /// <summary>How many mails are kept; the oldest go.</summary>
    public int MostMails { get; init; } = 500;

    /// <summary>How large a mail may be.</summary>
    public int MailLimitBytes { get; init; } = 10 * 1024 * 1024;

    /// <summary>Recipients to refuse, with the SMTP code to do it with; for tests.</summary>
    public IReadOnlyDictionary<string, int> Refused { get; init; } = new Dictionary<string, int>();

    /// <summary>The cache of npm packages; null for the usual one.</summary>
    public string? CacheDirectory { get; init; }

    /// <summary>Told what takes long.</summary>
    public Action<string>? Progress { get; init; }

    /// <summary>Clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Log.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;
}

/// <summary>A real SMTP server of our own that keeps what it is sent and passes nothing on; it ends with us.</summary>
internal sealed partial class EmbeddedMailCatcher : IAsyncDisposable
{
    private const string Listening = "listening ";
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(1);

    private readonly EmbeddedMailCatcherOptions _options;
    private readonly CappedLog _log;
    private NodeTools _node = null!;
    private string _program = "";
    private ChildProcess? _server;

    private EmbeddedMailCatcher(EmbeddedMailCatcherOptions options)
    {
        _options = options;
        _log = new CappedLog(LogFile);
    }

    /// <summary>The port on 127.0.0.1. It stays the same over <see cref="StartAgainAsync"/>.</summary>
    public int Port { get; private set; }

    /// <summary>The server's process id, or null while it is stopped.</summary>
    public int? ProcessId => _server is { Exited.IsCompleted: false, Id.IsCompletedSuccessfully: true } server ? server.Id.Result : null;

    private string LogFile => Path.Combine(_options.DataDirectory, "mail-catcher.log");

    /// <summary>Starts the server and waits until it listens.</summary>
    /// <exception cref="StartupException">It cannot start; says why.</exception>
    public static async Task<EmbeddedMailCatcher> StartAsync(EmbeddedMailCatcherOptions options, CancellationToken cancellationToken)
    {
        options = options with { DataDirectory = Path.GetFullPath(options.DataDirectory) };
        var catcher = new EmbeddedMailCatcher(options);
        try
        {
            PrivateFiles.MakeFolder(options.DataDirectory);
            catcher._node = await NodeTools.FindAsync(searchPath: null, cancellationToken);
            var packages = new NpmPackages(
                catcher._node, options.CacheDirectory, Path.Combine(options.DataDirectory, "npm"), options.Progress, options.Time);
            catcher._program = await packages.EnsureAsync(NpmPackage.SmtpServer, cancellationToken);
            await catcher.LaunchAsync(options.Port, cancellationToken);
            return catcher;
        }
        catch (Exception e)
        {
            await catcher.DisposeAsync();
            if (e is IOException or UnauthorizedAccessException)
                throw new StartupException($"The mail catcher cannot use {options.DataDirectory}: {e.Message}", e);
            throw;
        }
    }

    /// <summary>The mails that were caught, oldest first: full paths of <c>.eml</c> files.</summary>
    public IReadOnlyList<string> Mails() => [.. Directory.EnumerateFiles(_options.DataDirectory, "*.eml").Order(StringComparer.Ordinal)];

    /// <summary>Stops the server: cleanly, or as if it had been killed.</summary>
    public async Task StopAsync(bool crash = false)
    {
        if (_server is not { } server)
            return;
        _server = null;
        await (crash ? server.KillAsync() : server.StopAsync());
        await server.DisposeAsync();
    }

    /// <summary>Starts the server again, after <see cref="StopAsync"/>, on the same port.</summary>
    /// <exception cref="StartupException">It cannot start; says why.</exception>
    public async Task StartAgainAsync(CancellationToken cancellationToken)
    {
        if (_server is null)
            await PortTakenException.RetryAsync(() => LaunchAsync(Port, cancellationToken), _options.Time, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _log.Dispose();
    }

    private static string Script()
    {
        using var reader = new StreamReader(
            typeof(EmbeddedMailCatcher).Assembly.GetManifestResourceStream("KpiDashboard.LocalHost.Embedded.mail-catcher.cjs")!);
        return reader.ReadToEnd();
    }

    private static string RefusedJson(IReadOnlyDictionary<string, int> refused)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (address, code) in refused)
                json.WriteNumber(address, code);
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    private async Task LaunchAsync(int port, CancellationToken cancellationToken)
    {
        var started = _options.Time.GetTimestamp();
        var listening = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = ChildProcess.Start(
            new ChildProcessOptions
            {
                Node = _node,
                FileName = _node.Node,
                Arguments =
                [
                    PrivateFiles.NodeArgument,
                    "--eval",
                    Script(),
                    "--",
                    _program,
                    _options.DataDirectory,
                    port.ToString(CultureInfo.InvariantCulture),
                    _options.MostMails.ToString(CultureInfo.InvariantCulture),
                    _options.MailLimitBytes.ToString(CultureInfo.InvariantCulture),
                    RefusedJson(_options.Refused),
                ],
                WorkingDirectory = _options.DataDirectory,
                Environment = new Dictionary<string, string?> { ["NODE_OPTIONS"] = null },
                StopTimeout = TimeSpan.FromSeconds(3),
                Log = _log,
                Line = line =>
                {
                    if (
                        line.StartsWith(Listening, StringComparison.Ordinal)
                        && int.TryParse(line.AsSpan(Listening.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var taken)
                    )
                        listening.TrySetResult(taken);
                },
            }
        );
        try
        {
            await Task.WhenAny(listening.Task, server.Exited).WaitAsync(StartLimit, _options.Time, cancellationToken);
            if (!listening.Task.IsCompleted)
            {
                var said = server.LastLines.LastOrDefault(line => line.Trim().Length > 0)?.Trim() ?? "it said nothing.";
                throw server.LastLines.Any(line => line.Contains("EADDRINUSE", StringComparison.Ordinal))
                    ? new PortTakenException($"Port {port} on 127.0.0.1, which the mail catcher was to use, is taken by another program.")
                    : new StartupException($"The mail catcher did not start: {said}");
            }
            Port = await listening.Task;
            _server = server;
            LogStarted(_options.Logger, Port, _options.Time.GetElapsedTime(started).TotalMilliseconds);
        }
        catch (Exception e)
        {
            await server.DisposeAsync();
            if (e is TimeoutException)
                throw new StartupException($"The mail catcher did not start within {StartLimit.TotalMinutes:0} minute. Its log is {LogFile}.", e);
            throw;
        }
    }

    [LoggerMessage(7121, LogLevel.Information, "The mail catcher listens on port {Port} ({Milliseconds:0} ms)")]
    private static partial void LogStarted(ILogger logger, int port, double milliseconds);
}
