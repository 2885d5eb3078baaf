using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Api;

/// <summary>What a slice adds to the description of the API; each registers its own, in its own folder.</summary>
/// <param name="Json">JSON contexts whose types the slice speaks.</param>
/// <param name="Parameters">
/// Query parameters that are the slice's, by name. What stands behind a dot tells those of the same name apart.
/// </param>
internal sealed record ApiPart(IReadOnlyList<JsonSerializerContext> Json, IReadOnlyDictionary<string, ApiParameter> Parameters);

/// <summary>A query parameter.</summary>
/// <param name="Description">What it is, in a sentence.</param>
/// <param name="Schema">Its JSON schema.</param>
internal sealed record ApiParameter(string Description, JsonObject Schema)
{
    /// <summary>A text, of a format or of any.</summary>
    public static ApiParameter Text(string description, string? format = null) => new(description, JsonSchema.Text(format));

    /// <summary>One of some words.</summary>
    public static ApiParameter Choice(string description, params string[] words) => new(description, JsonSchema.Choice(words));

    /// <summary>A whole number.</summary>
    public static ApiParameter Number(string description, int least, int most) =>
        new(description, new JsonObject { ["type"] = "integer", ["minimum"] = least, ["maximum"] = most });
}

/// <summary>Pieces of JSON schemas.</summary>
internal static class JsonSchema
{
    public static JsonObject Text(string? format = null) =>
        format is null ? new JsonObject { ["type"] = "string" } : new JsonObject { ["type"] = "string", ["format"] = format };

    public static JsonObject Choice(params string[] words) =>
        new() { ["type"] = "string", ["enum"] = new JsonArray([.. words.Select(word => (JsonNode)word)]) };
}

internal static class ApiParts
{
    /// <summary>Adds a slice's JSON to the description of the API.</summary>
    public static IServiceCollection AddApiPart(this IServiceCollection services, params JsonSerializerContext[] json) =>
        services.AddApiPart(new Dictionary<string, ApiParameter>(), json);

    /// <summary>Adds a slice's JSON and its query parameters.</summary>
    public static IServiceCollection AddApiPart(
        this IServiceCollection services, IReadOnlyDictionary<string, ApiParameter> parameters, params JsonSerializerContext[] json) =>
        services.AddSingleton(new ApiPart(json, parameters));
}
