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
        catch (ApiProblem problem)
        {
            await problem.WriteAsync(http.Response, http.RequestAborted);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller went away; nobody reads an answer.
        }
        catch (BadHttpRequestException error)
        {
            await ApiProblem.BadBody(error.Message).WriteAsync(http.Response, http.RequestAborted);
        }
        catch (Exception error) when (ApiProblem.OfOutage(error) is { } outage)
        {
            LogFault(error, context.FunctionDefinition.Name);
            await outage.WriteAsync(http.Response, http.RequestAborted);
        }
        catch (Exception error)
        {
            LogFault(error, context.FunctionDefinition.Name);
            await ApiProblem.Fault().WriteAsync(http.Response, http.RequestAborted);
        }
    }

    [LoggerMessage(2001, LogLevel.Error, "{Function} failed")]
    private partial void LogFault(Exception error, string function);
}
