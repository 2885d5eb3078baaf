using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace KpiDashboard.Functions.Middleware;

/// <summary>
/// Headers that every answer of the API carries, problems too: nothing in it is to be shown, framed, sniffed or kept. The page has its own in
/// <c>staticwebapp.config.json</c>.
/// </summary>
internal sealed class ResponseHeadersMiddleware : IFunctionsWorkerMiddleware
{
    /// <summary>As the page sends it; a test compares them.</summary>
    internal const string StrictTransportSecurity = "max-age=63072000; includeSubDomains",
        PermissionsPolicy = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()";

    /// <inheritdoc />
    public Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext() ?? throw new InvalidOperationException("Middleware must be added after ConfigureFunctionsWebApplication().");
        // At the last moment: a problem clears what was set before.
        http.Response.OnStarting(Set, http);
        return next(context);
    }

    private static Task Set(object state)
    {
        var http = (HttpContext)state;
        var headers = http.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Permissions-Policy"] = PermissionsPolicy;
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (http.Request.Host.Host is not ("localhost" or "127.0.0.1" or "[::1]")) headers.StrictTransportSecurity = StrictTransportSecurity;
        if (headers.ContentSecurityPolicy.Count == 0) headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        if (headers.CacheControl.Count == 0) headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }
}
