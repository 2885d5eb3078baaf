using System.Diagnostics;
using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>Runs functions through the middleware, each in a scope, an activity and a log scope of its own, and knows what is running.</summary>
internal sealed partial class FunctionInvoker : IDisposable
{
    public const string ActivitySourceName = "KpiDashboard.LocalHost";

    private static readonly ActivitySource s_source = new(ActivitySourceName);

    private readonly IServiceScopeFactory _scopes;
    private readonly FunctionExecutionDelegate _pipeline;
    private readonly TimeSpan? _timeout;
    private readonly ILogger<FunctionInvoker> _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private TaskCompletionSource? _idle;
    private int _running;

    public FunctionInvoker(
        IServiceScopeFactory scopes, Func<FunctionExecutionDelegate, FunctionExecutionDelegate> buildPipeline, TimeSpan? timeout, ILogger<FunctionInvoker> logger)
    {
        _scopes = scopes;
        _pipeline = buildPipeline(ExecuteAsync);
        _timeout = timeout;
        _logger = logger;
    }

    /// <summary>
    /// Runs the function once. <paramref name="prepare"/> fills in what the trigger brings, with the invocation's own services at hand;
    /// <paramref name="complete"/> runs before those are disposed.
    /// </summary>
    /// <exception cref="Exception">What the function or the middleware threw; it has been logged.</exception>
    public async Task InvokeAsync(
        LocalFunction function,
        ActivityKind kind,
        Action<LocalFunctionContext> prepare,
        Action<LocalFunctionContext>? complete,
        CancellationToken cancellationToken)
    {
        Enter();
        try
        {
            using CancellationTokenSource timeout = new();
            if (_timeout is { } limit)
                timeout.CancelAfter(limit);
            using CancellationTokenSource linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token, timeout.Token);
            await using LocalFunctionContext context = new(function, new FunctionBindings(), _scopes, linked.Token);

            // Middleware and functions may rely on a trace context whether or not somebody listens.
            using Activity activity = s_source.StartActivity($"function {function.Name}", kind) ?? new Activity($"function {function.Name}").Start();
            activity.SetTag("faas.name", function.Name);
            activity.SetTag("faas.invocation_id", context.InvocationId);
            context.Trace = new LocalTraceContext(activity.Id ?? "", activity.TraceStateString ?? "");

            using IDisposable? scope = _logger.BeginScope(new Dictionary<string, object> { ["FunctionName"] = function.Name, ["InvocationId"] = context.InvocationId });
            try
            {
                prepare(context);
                await _pipeline(context);
                if (timeout.IsCancellationRequested)
                    throw new TimeoutException($"Function {function.Name} ran longer than the functionTimeout of {_timeout}.");
            }
            catch (Exception e)
            {
                activity.SetStatus(ActivityStatusCode.Error, e.Message);
                if (cancellationToken.IsCancellationRequested && e is OperationCanceledException)
                    LogCanceled(function.Name, context.InvocationId);
                else
                    LogFailed(e, function.Name, context.InvocationId);
                throw;
            }
            finally
            {
                complete?.Invoke(context);
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

    private static async Task ExecuteAsync(FunctionContext context)
    {
        LocalFunctionContext local = (LocalFunctionContext)context;
        // In this order, as the worker's generated executor: a message that cannot be read does not even create the class.
        object?[] arguments = InputBinder.Bind(local);
        MethodInfo method = local.Function.Method;
        object? instance = method.IsStatic ? null : ActivatorUtilities.CreateInstance(context.InstanceServices, method.DeclaringType!);
        object? returned = method.Invoke(instance, BindingFlags.DoNotWrapExceptions, binder: null, arguments, culture: null);
        object? result = await ResultOf(returned, method.ReturnType);
        if (method.ReturnType != typeof(void) && method.ReturnType != typeof(Task) && method.ReturnType != typeof(ValueTask))
            local.Bindings.InvocationResult = result;
    }

    private static async ValueTask<object?> ResultOf(object? returned, Type type)
    {
        switch (returned)
        {
            case ValueTask plain:
                await plain;
                return null;
            case not null when type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueTask<>):
                Task asTask = (Task)type.GetMethod(nameof(ValueTask<>.AsTask))!.Invoke(returned, null)!;
                await asTask;
                return ValueOf(asTask);
            case Task task:
                await task;
                return type == typeof(Task) ? null : ValueOf(task);
            default:
                return returned;
        }
    }

    private static object? ValueOf(Task task) => task.GetType().GetProperty(nameof(Task<>.Result))!.GetValue(task);

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

    [LoggerMessage(1, LogLevel.Error, "Function {Function} ({InvocationId}) failed.")]
    private partial void LogFailed(Exception exception, string function, string invocationId);

    [LoggerMessage(2, LogLevel.Debug, "Function {Function} ({InvocationId}) was cancelled.")]
    private partial void LogCanceled(string function, string invocationId);
}
