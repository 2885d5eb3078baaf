using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Functions.Middleware;

/// <summary>Turns what a route raises into problem+json; without it the worker answers 500 with an empty body.</summary>
internal sealed partial class ProblemMiddleware(ILogger<ProblemMiddleware> logger) : IFunctionsWorkerMiddleware
{
    /// <inheritdoc />
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext() ?? throw new InvalidOperationException("Middleware must be added after ConfigureFunctionsWebApplication().");
        try
        {
            await next(context);
        }
        catch (Exception error)
        {
            await AnswerAsync(error);
            return;
        }

        // The worker writes the answer only after all middleware: what fails there would end as an answer without a body, even as 200.
        var invocation = context.GetInvocationResult();
        if (invocation.Value is IResult result) invocation.Value = new GuardedResult(result, AnswerAsync, context.CancellationToken);

        async Task AnswerAsync(Exception error)
        {
            var cancelled = http.RequestAborted.IsCancellationRequested || context.CancellationToken.IsCancellationRequested;
            if (Abort.IsEnd(error) && (cancelled || Abort.IsLostConnection(error)))
            {
                if (await Abort.IsGoneAsync(http))
                {
                    // Nobody reads an answer; the number is for our own metrics.
                    if (!http.Response.HasStarted) http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
                    return;
                }

                if (cancelled)
                {
                    await ApiProblem.Unavailable("This took too long, or the service is about to stop. Try again in a few seconds.", 5)
                        .WriteAsync(http.Response, http.RequestAborted);
                    return;
                }
            }

            switch (error)
            {
                case ApiProblem problem:
                    await problem.WriteAsync(http.Response, http.RequestAborted);
                    break;
                case BadHttpRequestException bad:
                    await ApiProblem.BadBody(bad.Message).WriteAsync(http.Response, http.RequestAborted);
                    break;
                case var _ when ApiProblem.OfText(error) is { } unkept:
                    await unkept.WriteAsync(http.Response, http.RequestAborted);
                    break;
                default:
                    LogFault(error, context.FunctionDefinition.Name);
                    await (ApiProblem.OfOutage(error) ?? ApiProblem.Fault()).WriteAsync(http.Response, http.RequestAborted);
                    break;
            }
        }
    }

    [LoggerMessage(2001, LogLevel.Error, "{Function} failed")]
    private partial void LogFault(Exception error, string function);

    /// <summary>An answer whose failing is answered too, as long as nothing of it is on its way.</summary>
    internal sealed class GuardedResult(IResult result, Func<Exception, Task> answer, CancellationToken invocation) : IResult
    {
        /// <inheritdoc />
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            try
            {
                await result.ExecuteAsync(httpContext);
            }
            catch (Exception error) when (!httpContext.Response.HasStarted)
            {
                await answer(error);
            }
            catch (Exception error) when (Abort.IsEnd(error) && (invocation.IsCancellationRequested
                || httpContext.RequestAborted.IsCancellationRequested))
            {
                // The client went away in the middle of its answer.
            }
        }
    }
}
