using System.Globalization;
using Azure;
using Azure.Core;
using Azure.Storage.Queues;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>How to start a storage emulator.</summary>
internal sealed record EmbeddedAzuriteOptions
{
    /// <summary>Where its data and log are kept; made if it does not exist.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Keeps blobs and messages in memory only, for tests.</summary>
    public bool InMemory { get; init; }

    /// <summary>The port for blobs on 127.0.0.1; 0 picks a free one.</summary>
    public int BlobPort { get; init; }

    /// <summary>The port for queues on 127.0.0.1; 0 picks a free one.</summary>
    public int QueuePort { get; init; }

    /// <summary>The cache of npm packages; null for the usual one.</summary>
    public string? CacheDirectory { get; init; }

    /// <summary>Where to look for Node; null for <c>PATH</c>.</summary>
    public string? SearchPath { get; init; }

    /// <summary>Told what takes long.</summary>
    public Action<string>? Progress { get; init; }

    /// <summary>Clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Log.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;
}

/// <summary>An Azurite of our own, for queues and blobs, that ends with us.</summary>
/// <remarks>It writes what it holds to disk every few seconds and when it is stopped: a crash loses the last seconds, which Azure would not.</remarks>
internal sealed partial class EmbeddedAzurite : IAsyncDisposable
{
    // The account and key that every storage emulator has; they open nothing else.
    private const string Account = "devstoreaccount1";
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan PreviousLimit = TimeSpan.FromSeconds(20);

    private readonly EmbeddedAzuriteOptions _options;
    private readonly DirectoryLock _lock;
    private readonly CappedLog _log;
    private NodeTools _node = null!;
    private string _program = "";
    private ChildProcess? _server;
    private TaskCompletionSource _closed = new();

    private EmbeddedAzurite(EmbeddedAzuriteOptions options, DirectoryLock held)
    {
        _options = options;
        _lock = held;
        _log = new CappedLog(LogFile);
    }

    /// <summary>The port for blobs on 127.0.0.1. It stays the same over <see cref="RestartAsync"/>.</summary>
    public int BlobPort { get; private set; }

    /// <summary>The port for queues on 127.0.0.1. It stays the same over <see cref="RestartAsync"/>.</summary>
    public int QueuePort { get; private set; }

    /// <summary>The emulator's version.</summary>
    public static string Version => NpmPackage.Azurite.Version;

    /// <summary>What <c>AzureWebJobsStorage</c> wants.</summary>
    public string ConnectionString =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint=http://127.0.0.1:{BlobPort}/{Account};QueueEndpoint=http://127.0.0.1:{QueuePort}/{Account};"
        );

    /// <summary>The emulator's process id, or null while it is stopped.</summary>
    public int? ProcessId => _server is { Exited.IsCompleted: false, Id.IsCompletedSuccessfully: true } server ? server.Id.Result : null;

    private string LogFile => Path.Combine(_options.DataDirectory, "azurite.log");

    private string Content => Path.Combine(_options.DataDirectory, "content");

    private string PidFile => Path.Combine(_options.DataDirectory, "azurite.pid");

    /// <summary>Starts the emulator and waits until it answers.</summary>
    /// <exception cref="StartupException">It cannot start; says why.</exception>
    public static async Task<EmbeddedAzurite> StartAsync(EmbeddedAzuriteOptions options, CancellationToken cancellationToken)
    {
        options = options with { DataDirectory = Path.GetFullPath(options.DataDirectory) };
        var azurite = new EmbeddedAzurite(options, Hold(options.DataDirectory));
        try
        {
            await azurite.PrepareAndStartAsync(cancellationToken);
            return azurite;
        }
        catch
        {
            await azurite.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the emulator: cleanly, or as if it had been killed.</summary>
    public async Task StopAsync(bool crash = false)
    {
        if (_server is not { } server)
            return;
        _server = null;
        if (crash)
            await server.KillAsync();
        else
        {
            // When its services are closed everything is saved. It stays nevertheless until its clients have closed their halves of idle connections,
            // and ours do that in their own time.
            var stopping = server.StopAsync();
            if (await Task.WhenAny(stopping, _closed.Task) != stopping)
                await server.KillAsync();
            await stopping;
        }
        await server.DisposeAsync();
    }

    /// <summary>Starts the emulator again, after <see cref="StopAsync"/>, on the same ports.</summary>
    /// <exception cref="StartupException">It cannot start; says why.</exception>
    public async Task StartAgainAsync(CancellationToken cancellationToken)
    {
        if (_server is null)
            await PortTakenException.RetryAsync(
                () => LaunchOnPortsAsync(BlobPort, QueuePort, cancellationToken),
                _options.Time,
                cancellationToken
            );
    }

    /// <summary>Stops and starts the emulator; ports stay, and so does what it holds unless that is in memory only.</summary>
    /// <exception cref="StartupException">It cannot start; says why.</exception>
    public async Task RestartAsync(CancellationToken cancellationToken, bool crash = false)
    {
        await StopAsync(crash);
        await StartAgainAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await StopAsync();
            LogStopped(_options.Logger, BlobPort, QueuePort);
        }
        _log.Dispose();
        _lock.Dispose();
    }

    private static DirectoryLock Hold(string directory)
    {
        try
        {
            PrivateFiles.MakeFolder(directory);
            return DirectoryLock.TryTake(Path.Combine(directory, "lock"), ownersAlone: true)
                ?? throw new StartupException(
                    $"The storage data in {directory} is in use by another copy that is running: stop that one, or give this one a data directory of its own (--data DIR)."
                );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"The data directory {directory} cannot be used: {e.Message} Was it made by another user? Remove it, or name another one (--data DIR).",
                e
            );
        }
    }

    private async Task PrepareAndStartAsync(CancellationToken cancellationToken)
    {
        _node = await NodeTools.FindAsync(_options.SearchPath, cancellationToken);
        var packages = new NpmPackages(
            _node,
            _options.CacheDirectory,
            Path.Combine(_options.DataDirectory, "npm"),
            _options.Progress,
            _options.Time
        );
        _program = await ProgramAsync();
        PrivateFiles.MakeFolder(Content);
        await EndOfPreviousAsync(cancellationToken);
        try
        {
            await LaunchAsync();
        }
        catch (StartupException)
        {
            // A file of the package may be damaged. Only now is it worth the time to look at all of them.
            if (!await packages.RepairAsync(NpmPackage.Azurite, cancellationToken))
                throw;
            _program = await ProgramAsync();
            await LaunchAsync();
        }

        async Task<string> ProgramAsync() =>
            Path.Combine(await packages.EnsureAsync(NpmPackage.Azurite, cancellationToken), "dist", "src", "azurite.js");

        Task LaunchAsync() =>
            PortTakenException.RetryAsync(
                () =>
                {
                    var free = FreePort.Next(2);
                    return LaunchOnPortsAsync(
                        _options.BlobPort == 0 ? free[0] : _options.BlobPort,
                        _options.QueuePort == 0 ? free[1] : _options.QueuePort,
                        cancellationToken
                    );
                },
                _options.Time,
                cancellationToken
            );
    }

    /// <summary>Waits for the emulator of a copy that was killed a moment ago: it may still be writing.</summary>
    private async Task EndOfPreviousAsync(CancellationToken cancellationToken)
    {
        var started = _options.Time.GetTimestamp();
        while (RunningProcesses.In(Content, "azurite", PidFile) is [var first, ..])
        {
            if (_options.Time.GetElapsedTime(started) > PreviousLimit)
                throw new StartupException(
                    $"The storage data in {Content} is still in use by process {first}, which a copy that was killed has left behind: end that process (kill {first}) and start again."
                );
            _options.Progress?.Invoke("waiting for the previous emulator to end");
            await Task.Delay(TimeSpan.FromMilliseconds(100), _options.Time, cancellationToken);
        }
        File.Delete(PidFile);
    }

    private async Task LaunchOnPortsAsync(int blobPort, int queuePort, CancellationToken cancellationToken)
    {
        var started = _options.Time.GetTimestamp();
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var closed = _closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var open = 3;
        List<string> arguments =
        [
            PrivateFiles.NodeArgument,
            _program,
            .. _options.InMemory ? ["--inMemoryPersistence"] : (string[])["--location", Content],
            "--blobHost",
            "127.0.0.1",
            "--blobPort",
            blobPort.ToString(CultureInfo.InvariantCulture),
            "--queueHost",
            "127.0.0.1",
            "--queuePort",
            queuePort.ToString(CultureInfo.InvariantCulture),
            // Tables are not used, but cannot be left out.
            "--tableHost",
            "127.0.0.1",
            "--tablePort",
            "0",
            "--silent",
            "--loose",
            "--disableTelemetry",
            // The client library speaks a newer version of the protocol than the emulator knows.
            "--skipApiVersionCheck",
        ];
        var server = ChildProcess.Start(
            new ChildProcessOptions
            {
                Node = _node,
                FileName = _node.Node,
                Arguments = arguments,
                WorkingDirectory = Content,
                Environment = new Dictionary<string, string?>
                {
                    ["NODE_OPTIONS"] = null,
                    ["AZURITE_ACCOUNTS"] = null,
                    ["AZURITE_DB"] = null,
                },
                StopTimeout = TimeSpan.FromSeconds(10),
                Log = _log,
                Line = line =>
                {
                    // The last of the three to come up.
                    if (line.StartsWith("Azurite Table service is successfully listening", StringComparison.Ordinal))
                        listening.TrySetResult();
                    else if (line.EndsWith("service successfully closed", StringComparison.Ordinal) && Interlocked.Decrement(ref open) == 0)
                        closed.TrySetResult();
                },
            }
        );
        try
        {
            BlobPort = blobPort;
            QueuePort = queuePort;
            await ReadyAsync(server, listening.Task, cancellationToken);
            PrivateFiles.WriteText(PidFile, (await server.Id).ToString(CultureInfo.InvariantCulture));
            _server = server;
            LogStarted(_options.Logger, Version, blobPort, queuePort, _options.Time.GetElapsedTime(started).TotalMilliseconds);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private async Task ReadyAsync(ChildProcess server, Task listening, CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAny(listening, server.Exited).WaitAsync(StartLimit, _options.Time, cancellationToken);
            if (!listening.IsCompleted)
            {
                var lines = server.LastLines;
                if (lines.Any(l => l.Contains("EADDRINUSE", StringComparison.Ordinal)))
                    throw new PortTakenException(
                        $"Port {BlobPort} or {QueuePort} on 127.0.0.1, which the storage emulator was to use, is taken by another program: stop that program or choose another port."
                    );
                var last =
                    lines.LastOrDefault(l => l.Contains("rror", StringComparison.Ordinal))
                    ?? (lines is [.., var any] ? any : "it said nothing.");
                throw new StartupException($"The storage emulator did not start: {last.Trim()} Its log is {LogFile}.");
            }
            var options = new QueueClientOptions();
            options.Retry.MaxRetries = 5;
            options.Retry.Mode = RetryMode.Fixed;
            options.Retry.Delay = TimeSpan.FromMilliseconds(100);
            options.Retry.NetworkTimeout = TimeSpan.FromSeconds(10);
            await new QueueServiceClient(ConnectionString, options).GetPropertiesAsync(cancellationToken);
            if (!await FreePort.IsListeningAsync(BlobPort, cancellationToken))
                throw new StartupException(
                    $"The storage emulator does not answer on its port for blobs, {BlobPort}. Its log is {LogFile}."
                );
        }
        catch (TimeoutException e)
        {
            throw new StartupException(
                $"The storage emulator was not ready within {StartLimit.TotalMinutes:0} minutes. Its log is {LogFile}.",
                e
            );
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new StartupException(
                $"The storage emulator does not answer as it should: {e.Message.Split('\n')[0].Trim()} Its log is {LogFile}.",
                e
            );
        }
    }

    [LoggerMessage(
        7111,
        LogLevel.Information,
        "Azurite {Version} answers on ports {BlobPort} (blobs) and {QueuePort} (queues) ({Milliseconds:0} ms)"
    )]
    private static partial void LogStarted(ILogger logger, string version, int blobPort, int queuePort, double milliseconds);

    [LoggerMessage(7112, LogLevel.Information, "Azurite on ports {BlobPort} and {QueuePort} stopped")]
    private static partial void LogStopped(ILogger logger, int blobPort, int queuePort);
}
