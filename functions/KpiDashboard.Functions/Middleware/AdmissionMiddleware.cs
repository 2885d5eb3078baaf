using System.Collections.Concurrent;
using System.Reflection;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Identity;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace KpiDashboard.Functions.Middleware;

/// <summary>
/// Lets a request through to its route only if the caller may do what the route's <see cref="RequiresAttribute"/> says, and has not used up what that costs; without one, nobody may.
/// </summary>
internal sealed class AdmissionMiddleware(Authenticator authenticator, CostGuard costs) : IFunctionsWorkerMiddleware
{
    private readonly ConcurrentDictionary<string, (RequiresAttribute? Required, bool ByKey)> _requirements = new(StringComparer.Ordinal);

    /// <inheritdoc />
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext() ?? throw new InvalidOperationException("Middleware must be added after ConfigureFunctionsWebApplication().");
        // The body of an answer depends on the token: no cache on the way may give it to another.
        http.Response.Headers.Vary = "X-Kpi-Token, Authorization";
        var (required, byKey) = _requirements.GetOrAdd(context.FunctionDefinition.EntryPoint, Find);
        if (required is null) throw ApiProblem.Forbidden("Nobody may call this.");
        CostGuard.ThrowIfTooLarge(http.Request, required);
        // The host has checked the function key before it called us: there is nothing left to check, and nothing else that would open such a route.
        if (!(required.Permission == Permission.Operate && byKey)) await authenticator.AdmitAsync(http, required, http.RequestAborted);
        var caller = http.Features.Get<Caller>();
        using var place = await costs.EnterAsync(context.FunctionDefinition.Name, required, http.Request.Method, caller, http.RequestAborted);
        http.Request.Body = costs.Metered(http.Request.Body, required, caller);
        await next(context);
    }

    private static (RequiresAttribute? Required, bool ByKey) Find(string entryPoint)
    {
        var dot = entryPoint.LastIndexOf('.');
        var method = typeof(AdmissionMiddleware).Assembly.GetType(entryPoint[..dot])?.GetMethod(entryPoint[(dot + 1)..]);
        var level = method?.GetParameters().Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>()).OfType<HttpTriggerAttribute>().SingleOrDefault()?.AuthLevel;
        return (method?.GetCustomAttribute<RequiresAttribute>(), level is AuthorizationLevel.Function or AuthorizationLevel.Admin);
    }
}
