using System.Diagnostics;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace KpiDashboard.Functions.Middleware;

/// <summary>
/// Gives each invocation the trace that the host sent with it. The worker itself does so only where somebody exports traces; the trace
/// that a problem names, and the one that a message carries on, are needed without.
/// </summary>
internal sealed class TraceMiddleware : IFunctionsWorkerMiddleware
{
    /// <inheritdoc />
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (Activity.Current is not null)
        {
            await next(context);
            return;
        }

        using Activity activity = new($"function {context.FunctionDefinition.Name}");
        if (ActivityContext.TryParse(context.TraceContext.TraceParent, context.TraceContext.TraceState, out var host))
        {
            activity.SetParentId(host.TraceId, host.SpanId, host.TraceFlags);
            activity.TraceStateString = host.TraceState;
        }

        activity.SetIdFormat(ActivityIdFormat.W3C).Start();
        await next(context);
    }
}
