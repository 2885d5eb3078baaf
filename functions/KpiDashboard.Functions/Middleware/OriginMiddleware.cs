using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace KpiDashboard.Functions.Middleware;

/// <summary>
/// Refuses what somebody else's page makes a browser send to <c>api/auth</c>, the only path that cookies go to: all of it that changes something, so that a
/// new route needs no thought.
/// </summary>
internal sealed class OriginMiddleware(RequestOrigins origins) : IFunctionsWorkerMiddleware
{
    /// <inheritdoc />
    public Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext() ?? throw new InvalidOperationException("Middleware must be added after ConfigureFunctionsWebApplication().");
        var changes = !HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method);
        if (changes && http.Request.Path.StartsWithSegments("/api/auth", StringComparison.OrdinalIgnoreCase) && origins.IsForeign(http.Request))
            throw ApiProblem.Forbidden("This was sent by a page of another site.");
        return next(context);
    }
}
