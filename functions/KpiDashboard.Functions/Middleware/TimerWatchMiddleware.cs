using KpiDashboard.Operations;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace KpiDashboard.Functions.Middleware;

/// <summary>Looks after the timer on the occasion of everything else, once a minute at most, beside the work itself.</summary>
internal sealed class TimerWatchMiddleware(TimerWatch watch) : IFunctionsWorkerMiddleware
{
    /// <inheritdoc />
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var look = watch.LookAsync(context.CancellationToken);
        try
        {
            await next(context);
        }
        finally
        {
            // Not left behind: an instance may be frozen once it has answered. It never fails and takes seconds at most.
            await look;
        }
    }
}
