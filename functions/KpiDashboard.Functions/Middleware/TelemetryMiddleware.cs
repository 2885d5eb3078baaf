using System.Diagnostics;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace KpiDashboard.Functions.Middleware;

/// <summary>Measures requests until their answer is sent, and tells the invocation's span which route it was, whose, and how it ended.</summary>
internal sealed class TelemetryMiddleware(Instruments instruments, TriggerAssembly triggers, TimeProvider time) : IFunctionsWorkerMiddleware
{
    private readonly Dictionary<string, string> _routes = OpenApiDocument.Operations(triggers.Assembly)
        .ToDictionary(operation => $"{operation.Method.DeclaringType!.FullName}.{operation.Method.Name}", operation => operation.Route, StringComparer.Ordinal);

    /// <inheritdoc />
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext() ?? throw new InvalidOperationException("Middleware must be added after ConfigureFunctionsWebApplication().");
        var started = time.GetTimestamp();
        var route = _routes.GetValueOrDefault(context.FunctionDefinition.EntryPoint, "(none)");
        var span = Activity.Current;
        http.Response.OnCompleted(() =>
        {
            instruments.Answered(route, http.Response.StatusCode, time.GetElapsedTime(started));
            return Task.CompletedTask;
        });
        try
        {
            await next(context);
        }
        finally
        {
            if (span is not null)
            {
                span.SetTag("http.request.method", http.Request.Method);
                span.SetTag("http.route", route);
                // The worker's span is an inner one, of which Application Insights shows no http.route.
                span.SetTag("kpi.route", route);
                if (http.Features.Get<Caller>() is { } caller) span.SetCustomProperty(SpanGuard.Tenant, caller.TenantId);
                // A problem is written by now; what an endpoint returned is not, and only that may still fail.
                if (http.Response.StatusCode >= StatusCodes.Status500InternalServerError)
                {
                    span.SetTag("http.response.status_code", http.Response.StatusCode);
                    span.SetStatus(ActivityStatusCode.Error, "The request failed.");
                }
            }
        }
    }
}
