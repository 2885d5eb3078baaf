using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Api;

/// <summary><c>GET openapi.json</c>.</summary>
public sealed class OpenApiEndpoint
{
    private readonly Lazy<string> _document;

    internal OpenApiEndpoint(TriggerAssembly triggers, IEnumerable<ApiPart> parts) =>
        _document = new Lazy<string>(() => Text(triggers.Assembly, parts));

    /// <summary>The document.</summary>
    public IResult Get() => TypedResults.Text(_document.Value, "application/json");

    /// <summary>The document as text, as it is served and as it is kept beside the page's sources.</summary>
    internal static string Text(Assembly triggers, IEnumerable<ApiPart> parts) =>
        OpenApiDocument.Create(triggers, parts).ToJsonString(Indented) + "\n";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}

/// <summary>Where the trigger methods are.</summary>
internal sealed record TriggerAssembly(Assembly Assembly);
