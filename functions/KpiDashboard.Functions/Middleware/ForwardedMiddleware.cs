using System.Text.Json;
using KpiDashboard.Access;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace KpiDashboard.Functions.Middleware;

/// <summary>
/// Finds <c>X-Forwarded-For</c> as it came to the host. The host's forwarder overwrites the header of the request itself with the host's
/// own peer; what it was before stands in the data of the trigger.
/// </summary>
internal sealed class ForwardedMiddleware : IFunctionsWorkerMiddleware
{
    private const string Header = "X-Forwarded-For";

    /// <inheritdoc />
    public Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext() ?? throw new InvalidOperationException(
            "Middleware must be added after ConfigureFunctionsWebApplication().");
        if (context.BindingContext.BindingData.TryGetValue("Headers", out var headers) && headers is string json && Read(json) is { } chain)
            http.Features.Set(new ForwardedChain(chain));
        return next(context);
    }

    private static string? Read(string json)
    {
        if (!json.Contains(Header, StringComparison.OrdinalIgnoreCase)) return null;
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind != JsonValueKind.Object ? null : document.RootElement.EnumerateObject()
                .Where(header => header.Name.Equals(Header, StringComparison.OrdinalIgnoreCase)
                    && header.Value.ValueKind == JsonValueKind.String)
                .Select(header => header.Value.GetString()).FirstOrDefault();
        }
        catch (JsonException)
        {
            // Another host, another form: then nothing is known.
            return null;
        }
    }
}
