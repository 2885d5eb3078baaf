using System.Diagnostics;
using KpiDashboard.LocalHost.Worker;
using KpiDashboard.LocalHost.Worker.Messages;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>Has the worker run functions, each in an activity of its own, and knows what is running.</summary>
internal sealed partial class FunctionInvoker(RunningWorker worker, TimeSpan? timeout, ILogger<FunctionInvoker> logger) : IDisposable
{
    // Not one of the product's: where both are in one process, its exporter must not tell the host's spans as its own.
    private static readonly ActivitySource s_source = new("LocalFunctionsHost");

    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private TaskCompletionSource? _idle;
    private int _running;

    /// <summary>
    /// Runs the function once. <paramref name="prepare"/> fills in what the trigger brings; <paramref name="beside"/>, if given, begins
    /// before the worker is told and must end as well: when it fails, the worker's answer is not waited for.
    /// </summary>
    /// <exception cref="FunctionFailedException">The function failed; it has been logged.</exception>
    public async Task InvokeAsync(
        LocalFunction function,
        ActivityKind kind,
        Action<InvocationRequest> prepare,
        CancellationToken cancellationToken,
        Func<WorkerSession, InvocationRequest, Task>? beside = null)
    {
        Enter();
        string id = Guid.NewGuid().ToString();
        try
        {
            using CancellationTokenSource late = new();
            if (timeout is { } limit)
                late.CancelAfter(limit);
            using CancellationTokenSource linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token,
                late.Token);

            // The worker may rely on a trace context whether or not somebody listens.
            using Activity activity = s_source.StartActivity($"function {function.Name}", kind) ?? new Activity($"function {function.Name}").Start();
            activity.SetTag("faas.name", function.Name);
            activity.SetTag("faas.invocation_id", id);
            InvocationRequest request = new()
            {
                InvocationId = id,
                FunctionId = function.Id,
                TraceContext = new RpcTraceContext { TraceParent = activity.Id ?? "", TraceState = activity.TraceStateString ?? "" },
            };
            try
            {
                prepare(request);
                WorkerSession session = await worker.CurrentAsync(linked.Token);
                await RunAsync(session, request, beside, linked.Token);
                if (late.IsCancellationRequested)
                    throw new TimeoutException($"Function {function.Name} ran longer than the functionTimeout of {timeout}.");
            }
            catch (Exception e)
            {
                activity.SetStatus(ActivityStatusCode.Error, e.Message);
                // What ends because the host told it to is no fault of the function's, however it ends.
                if (cancellationToken.IsCancellationRequested || _stopping.IsCancellationRequested || e is RefusedRequestException)
                    LogCanceled(function.Name, id, e.Message);
                else
                    LogFailed(function.Name, id, late.IsCancellationRequested ? $"It ran longer than the functionTimeout of {timeout}."
                        : e.Message);
                throw;
            }
        }
        finally
        {
            Exit();
        }
    }

    /// <summary>Completes when nothing runs.</summary>
    public Task WhenIdleAsync()
    {
        lock (_gate)
        {
            if (_running == 0)
                return Task.CompletedTask;
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _idle.Task;
        }
    }

    /// <summary>Cancels the tokens of everything that runs or will run.</summary>
    public Task CancelAllAsync() => _stopping.CancelAsync();

    public void Dispose() => _stopping.Dispose();

    private static readonly TimeSpan s_cancelPause = TimeSpan.FromSeconds(1);

    private static async Task RunAsync(
        WorkerSession session, InvocationRequest request, Func<WorkerSession, InvocationRequest, Task>? beside,
            CancellationToken cancellationToken)
    {
        // As the Functions host: the worker hears nothing of what nobody waits for any more.
        cancellationToken.ThrowIfCancellationRequested();
        Task other = beside?.Invoke(session, request) ?? Task.CompletedTask;
        Task<InvocationResponse> running = session.Connection.InvokeAsync(request);
        using (cancellationToken.Register(() => _ = CancelAsync(session, request.InvocationId, running)))
        {
            if (await Task.WhenAny(other, running) == other && !other.IsCompletedSuccessfully)
            {
                _ = CancelAsync(session, request.InvocationId, running);
                // Nobody may ever look at how it ended.
                _ = running.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted,
                    TaskScheduler.Default);
                await other;
            }

            InvocationResponse response;
            try
            {
                response = await running;
            }
            catch
            {
                await other.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw;
            }

            await other;
            if (response.Result is not { Status: StatusResult.Types.Status.Success })
                throw new FunctionFailedException(response.Result?.Exception);
        }
    }

    /// <summary>
    /// Cancels a run, and again as long as it goes on, a few times: the worker handles messages side by side, and a cancellation that
    /// overtakes its invocation is lost there.
    /// </summary>
    private static async Task CancelAsync(WorkerSession session, string id, Task running)
    {
        for (int i = 0; i < 5 && !running.IsCompleted; i++)
        {
            session.Connection.Cancel(id);
            await Task.WhenAny(running, Task.Delay(s_cancelPause));
        }
    }

    private void Enter()
    {
        lock (_gate)
            _running++;
    }

    private void Exit()
    {
        TaskCompletionSource? idle = null;
        lock (_gate)
        {
            if (--_running == 0)
                (idle, _idle) = (_idle, null);
        }

        idle?.TrySetResult();
    }

    [LoggerMessage(1, LogLevel.Error, "Function {Function} ({InvocationId}) failed. {Reason}")]
    private partial void LogFailed(string function, string invocationId, string reason);

    [LoggerMessage(2, LogLevel.Debug, "Function {Function} ({InvocationId}) was cancelled. {Reason}")]
    private partial void LogCanceled(string function, string invocationId, string reason);
}

/// <summary>What the worker said of a function that failed.</summary>
internal sealed class FunctionFailedException(RpcException? said)
    : Exception(said is null ? "The worker gave no reason." : $"{said.Type} {said.Message}{Environment.NewLine}{said.StackTrace}".Trim());

/// <summary>A request that cannot be passed on, for a reason of its sender's.</summary>
internal sealed class RefusedRequestException(string message, Exception? inner = null) : Exception(message, inner);
