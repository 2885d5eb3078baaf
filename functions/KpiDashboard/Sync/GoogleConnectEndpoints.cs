using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Connectors;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Sync;

/// <summary>Letting us in at Google: by signing in there, or by the key of a service account.</summary>
public sealed class GoogleConnectEndpoints
{
#pragma warning disable CA1822 // Filled in by the next commit of this branch.
    internal GoogleConnectEndpoints() { }

    /// <summary><c>GET integrations/google-analytics/authorize</c>.</summary>
    public Task<IResult> AuthorizeAsync(HttpRequest request, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("Under way.", 60);

    /// <summary><c>GET integrations/google-analytics/callback</c>.</summary>
    public Task<IResult> CallbackAsync(HttpRequest request, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("Under way.", 60);

    /// <summary><c>POST integrations/google-analytics/service-account</c>.</summary>
    public Task<IResult> ServiceAccountAsync(HttpRequest request, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("Under way.", 60);

    /// <summary><c>GET integrations/google-analytics/properties</c>.</summary>
    public Task<IResult> PropertiesAsync(HttpRequest request, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("Under way.", 60);
}

/// <summary>Where the browser is to go: Google's page that asks for the consent.</summary>
internal sealed record GoogleAuthorizeResponse(string Url);

/// <summary>The text of a service account's JSON key file, at most 16 kB; sealed at once, and never given back.</summary>
internal sealed record ServiceAccountRequest(string Key);

/// <summary>A grant, to choose one of its properties within an hour, and the account that it is of.</summary>
internal sealed record GoogleGrantResponse(Guid Grant, string Email);

/// <summary>What the account of a grant may read. None: it has no Google Analytics 4 property.</summary>
internal sealed record GooglePropertiesResponse(string? Email, GrantKind Kind, IReadOnlyList<GooglePropertyEntry> Properties);

/// <summary>A property, and the Analytics account that it is in.</summary>
internal sealed record GooglePropertyEntry(string Id, string Name, string Account);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(GoogleAuthorizeResponse))]
[JsonSerializable(typeof(ServiceAccountRequest))]
[JsonSerializable(typeof(GoogleGrantResponse))]
[JsonSerializable(typeof(GooglePropertiesResponse))]
internal sealed partial class GoogleConnectJson : JsonSerializerContext;
