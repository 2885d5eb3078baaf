using System.Collections.Concurrent;
using System.Reflection;
using KpiDashboard.Api;
using KpiDashboard.Identity;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace KpiDashboard.Functions.Middleware;

/// <summary>Lets a request through to its route only if the caller may do what the route's <see cref="RequiresAttribute"/> says; without one, nobody may.</summary>
internal sealed class AdmissionMiddleware(Authenticator authenticator) : IFunctionsWorkerMiddleware
{
    private readonly ConcurrentDictionary<string, RequiresAttribute?> _requirements = new(StringComparer.Ordinal);

    /// <inheritdoc />
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext() ?? throw new InvalidOperationException("Middleware must be added after ConfigureFunctionsWebApplication().");
        // The body of an answer depends on the token: no cache on the way may give it to another.
        http.Response.Headers.Vary = "X-Kpi-Token, Authorization";
        var required = _requirements.GetOrAdd(context.FunctionDefinition.EntryPoint, Find)
            ?? throw ApiProblem.Forbidden("Nobody may call this.");
        await authenticator.AdmitAsync(http, required, http.RequestAborted);
        await next(context);
    }

    private static RequiresAttribute? Find(string entryPoint)
    {
        var dot = entryPoint.LastIndexOf('.');
        return typeof(AdmissionMiddleware).Assembly.GetType(entryPoint[..dot])?.GetMethod(entryPoint[(dot + 1)..])?.GetCustomAttribute<RequiresAttribute>();
    }
}
