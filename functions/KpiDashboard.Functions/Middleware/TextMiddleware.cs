using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Net.Http.Headers;

namespace KpiDashboard.Functions.Middleware;

/// <summary>
/// Refuses a request whose address or headers hold text that cannot be kept, before anything reads them: whoever adds a route need not think of it. What a browser
/// calls itself is nobody's input: there it is replaced. Bodies are looked at where they are read (<c>JsonBody</c>).
/// </summary>
internal sealed class TextMiddleware : IFunctionsWorkerMiddleware
{
    /// <inheritdoc />
    public Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext() ?? throw new InvalidOperationException("Middleware must be added after ConfigureFunctionsWebApplication().");
        Check(http.Request);
        return next(context);
    }

    /// <summary>Raises a sentence for each parameter and header that holds such text.</summary>
    internal static void Check(HttpRequest request)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var (name, values) in request.Query) Look("The parameter", name, values);
        foreach (var (name, value) in request.RouteValues) Look("The part of the address", name, value as string);
        if (!KeptText.IsKept(request.Path.Value)) errors["path"] = [$"The address {KeptText.Why}"];
        foreach (var (name, values) in request.Headers.ToList())
        {
            if (name.Equals(HeaderNames.UserAgent, StringComparison.OrdinalIgnoreCase)) request.Headers.UserAgent = KeptText.Clean(values.ToString());
            else Look("The header", name, values);
        }

        if (errors.Count > 0) throw ApiProblem.Invalid(errors);

        void Look(string what, string name, Microsoft.Extensions.Primitives.StringValues values)
        {
            if (KeptText.IsKept(name) && values.All(value => KeptText.IsKept(value))) return;
            var clean = KeptText.Clean(name);
            errors[clean] = [$"{what} '{(clean.Length <= 40 ? clean : clean[..40] + "…")}' {KeptText.Why}"];
        }
    }
}
