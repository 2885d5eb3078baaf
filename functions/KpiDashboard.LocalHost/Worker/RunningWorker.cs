using System.Diagnostics;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.LocalHost.Worker.Messages;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Worker;

/// <summary>A worker that has told its functions and loaded them.</summary>
/// <param name="Connection">The conversation with it.</param>
/// <param name="HttpUri">Where it takes the requests of HTTP functions; null without HTTP integration.</param>
internal sealed record WorkerSession(WorkerConnection Connection, Uri? HttpUri);

/// <summary>
/// Keeps the worker running: starts it, asks it for its functions, loads them, and starts it again when it crashed, as the Functions host
/// does. A fourth crash within five minutes is too much, and the host ends.
/// </summary>
internal sealed partial class RunningWorker(IWorkerProcess process, Action<string> giveUp, TimeProvider time, ILoggerFactory loggers)
    : IAsyncDisposable
{
    /// <summary>Before the categories of the worker, so that its lines and the host's own can be told apart.</summary>
    public const string CategoryPrefix = "Worker.";

    private const int CrashesAllowed = 3;
    private static readonly TimeSpan s_crashWindow = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_endLimit = TimeSpan.FromSeconds(10);

    private readonly ILogger<RunningWorker> _logger = loggers.CreateLogger<RunningWorker>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Queue<long> _crashes = new();
    private volatile TaskCompletionSource<WorkerSession> _session = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WorkerServer? _server;
    private Task _watch = Task.CompletedTask;

    /// <summary>What the worker says it has; known after the start.</summary>
    public IReadOnlyList<RpcFunctionMetadata> Functions { get; private set; } = [];

    /// <summary>Starts the worker.</summary>
    /// <exception cref="StartupException">It did not start, with the reason it gave.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _server = await WorkerServer.StartAsync(Log, cancellationToken);
        WorkerSession session = await StartOnceAsync(cancellationToken);
        _session.SetResult(session);
        _watch = Task.Run(() => WatchAsync(session), CancellationToken.None);
    }

    /// <summary>The worker; while it is being started again, waits for that.</summary>
    public Task<WorkerSession> CurrentAsync(CancellationToken cancellationToken) => _session.Task.WaitAsync(cancellationToken);

    /// <summary>Ends the worker; harmless when it never started.</summary>
    public async Task StopAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync();
        if (_session.Task is { IsCompletedSuccessfully: true } session)
        {
            session.Result.Connection.Send(new StreamingMessage
            {
                WorkerTerminate = new WorkerTerminate { GracePeriod = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(s_endLimit) },
            });
            if (process.CanRestart)
                await ((Task)process.Ended).WaitAsync(s_endLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await process.StopAsync();
            session.Result.Connection.End();
        }
        else
        {
            await process.StopAsync();
        }

        await _watch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_server is not null)
            await _server.DisposeAsync();
        _server = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await process.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task<WorkerSession> StartOnceAsync(CancellationToken cancellationToken)
    {
        string id = Guid.NewGuid().ToString();
        Task<WorkerConnection> connecting = _server!.ExpectAsync(id);
        await process.StartAsync(_server.Address, id, cancellationToken);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_startLimit);
        try
        {
            if (await Task.WhenAny(connecting, process.Ended).WaitAsync(limit.Token) != connecting)
                throw new StartupException(await process.Ended);
            WorkerConnection connection = await connecting;
            StreamingMessage begun = await connection.AskAsync(
                new StreamingMessage
                {
                    WorkerInitRequest = new WorkerInitRequest
                    {
                        HostVersion = "4.1041.100",
                        WorkerDirectory = process.AppDirectory,
                        FunctionAppDirectory = process.AppDirectory,
                        Capabilities = { ["V2Compatable"] = "true", ["HandlesInvocationCancelMessage"] = "true" },
                    },
                },
                limit.Token);
            Require(begun.WorkerInitResponse.Result, "The worker could not be set up");
            FunctionsMetadataRequest which = new() { FunctionAppDirectory = process.AppDirectory };
            StreamingMessage told = await connection.AskAsync(new StreamingMessage { FunctionsMetadataRequest = which }, limit.Token);
            Require(told.FunctionMetadataResponse.Result, "The worker could not tell its functions");
            Functions = [.. told.FunctionMetadataResponse.FunctionMetadataResults];
            StreamingMessage[] loaded = await Task.WhenAll(Functions.Select(function => connection.AskAsync(
                new StreamingMessage
                {
                    FunctionLoadRequest = new FunctionLoadRequest
                    {
                        FunctionId = function.FunctionId,
                        Metadata = function
                    }
                }, limit.Token)));
            for (int i = 0; i < loaded.Length; i++)
                Require(loaded[i].FunctionLoadResponse.Result, $"Function {Functions[i].Name} could not be loaded");
            return new WorkerSession(
                connection, begun.WorkerInitResponse.Capabilities.TryGetValue("HttpUri", out string? address) ? new Uri(address) : null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StartupException($"The worker did not answer within {s_startLimit.TotalSeconds:0} s.");
        }
        catch (WorkerGoneException) when (process.CanRestart)
        {
            throw new StartupException(await process.Ended.WaitAsync(s_endLimit, CancellationToken.None));
        }
    }

    private static void Require(StatusResult? result, string otherwise)
    {
        if (result is not { Status: StatusResult.Types.Status.Success })
            throw new StartupException($"{otherwise}: {result?.Exception?.Message}");
    }

    /// <summary>Waits for the worker's end; if nobody asked for it, it is started again.</summary>
    private async Task WatchAsync(WorkerSession session)
    {
        while (true)
        {
            await ((Task)Task.WhenAny(session.Connection.Closed, process.Ended)).WaitAsync(_stopping.Token).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
            if (_stopping.IsCancellationRequested || !process.CanRestart)
                return;
            TaskCompletionSource<WorkerSession> next = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _session = next;
            long started = Stopwatch.GetTimestamp();
            try
            {
                session.Connection.End();
                // One that lost its connection without ending is of no use either.
                await process.StopAsync();
                LogCrashed(await process.Ended);
                _crashes.Enqueue(time.GetTimestamp());
                while (_crashes.TryPeek(out long first) && time.GetElapsedTime(first) > s_crashWindow)
                    _crashes.Dequeue();
                if (_crashes.Count > CrashesAllowed)
                    throw new StartupException(
                        $"The worker ended {_crashes.Count} times within {s_crashWindow.TotalMinutes:0} minutes, "
                        + $"last so: {await process.Ended}");
                session = await StartOnceAsync(_stopping.Token);
                next.SetResult(session);
                LogBack(Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
            catch (Exception e)
            {
                next.TrySetException(e);
                _ = next.Task.Exception;
                if (!_stopping.IsCancellationRequested)
                    giveUp(e.Message);
                return;
            }
        }
    }

    private void Log(RpcLog entry)
    {
        ILogger logger = loggers.CreateLogger(CategoryPrefix + entry.Category);
        LogLevel level = (LogLevel)(int)entry.Level;
        if (!logger.IsEnabled(level))
            return;
        string text = entry.Exception is { } exception
            ? string.Join(Environment.NewLine, entry.Message, $"{exception.Type} {exception.Message}", exception.StackTrace).TrimEnd()
            : entry.Message;
        logger.Log(level, new EventId(0, entry.EventId), text, null, static (said, _) => said);
    }

    [LoggerMessage(70, LogLevel.Error, "The worker ended unasked and is started again. {How}")]
    private partial void LogCrashed(string how);

    [LoggerMessage(71, LogLevel.Warning, "The worker runs again after {Seconds:0.0} s.")]
    private partial void LogBack(double seconds);
}
