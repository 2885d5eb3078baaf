using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Functions.Middleware;

/// <summary>
/// Ends an HTTP invocation quietly when the host cancelled it before it could begin or while it ended: its client went away, which is no
/// fault of ours. Stands before everything, because the worker itself waits for the request in a middleware of its own, and logs an error
/// for whatever comes out. Where the host's cancellation is lost, as it can be, the worker waits for a request that never comes.
/// </summary>
internal sealed partial class AbortMiddleware(ILogger<AbortMiddleware> logger) : IFunctionsWorkerMiddleware
{
    /// <inheritdoc />
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Exception error) when (context.CancellationToken.IsCancellationRequested && Abort.IsEnd(error))
        {
            // Nobody reads an answer.
        }
        catch (TimeoutException) when (context.GetHttpContext() is null)
        {
            // No request came: whoever made it is gone, or the host could not pass it on and says so itself.
            LogNoRequest(context.FunctionDefinition.Name, context.InvocationId);
        }
    }

    [LoggerMessage(2002, LogLevel.Information, "{Function} ({Invocation}) was called, but its request never came")]
    private partial void LogNoRequest(string function, string invocation);
}

/// <summary>
/// The same on the side of the worker's web server, where a request and its invocation meet: of one whose invocation was cancelled a moment
/// before, the worker knows nothing any more, and throws what the server logs as a fault.
/// </summary>
internal sealed class AbortFilter : IStartupFilter
{
    /// <inheritdoc />
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(async (http, run) =>
        {
            try
            {
                await run(http);
            }
            catch (Exception error) when (error is InvalidOperationException or OperationCanceledException or TimeoutException)
            {
                // Nobody reads an answer.
                if (!await Abort.IsGoneAsync(http)) throw;
            }
        });
        next(app);
    };
}

/// <summary>What an exception says about a request that was given up.</summary>
internal static class Abort
{
    /// <summary>
    /// The host cancels an invocation before the worker's web server learns that the client is gone; this is how long that may take.
    /// </summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(2);

    /// <summary>Whether the client is gone, or turns out to be within that time.</summary>
    public static async Task<bool> IsGoneAsync(HttpContext http)
    {
        await Task.Delay(s_limit, TimeProvider.System, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return http.RequestAborted.IsCancellationRequested;
    }

    /// <summary>Whether it is how work ends that was cancelled, or that lost its connection to the client.</summary>
    public static bool IsEnd(Exception error)
    {
        for (var one = error; one is not null; one = one.InnerException)
            if (one is OperationCanceledException or IOException) return true;
        return false;
    }

    /// <summary>Whether it says that the client's connection broke, which is seen before anything is cancelled.</summary>
    public static bool IsLostConnection(Exception error)
    {
        for (var one = error; one is not null; one = one.InnerException)
        {
            if (one is BadHttpRequestException bad) return bad.Message.StartsWith("Unexpected end of request", StringComparison.Ordinal);
            if (one is IOException) return true;
        }

        return false;
    }
}
