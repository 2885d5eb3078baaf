using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Identity;

/// <summary>Sign in through Google, Microsoft Entra or any OpenID Connect issuer.</summary>
public sealed class OidcEndpoints
{
    internal OidcEndpoints() { }

    /// <summary><c>GET auth/providers</c>.</summary>
    public Task<IResult> ProvidersAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>GET auth/oidc/{provider}/start</c>.</summary>
    public Task<IResult> StartAsync(HttpRequest request, string provider, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>GET auth/oidc/{provider}/callback</c>.</summary>
    public Task<IResult> CallbackAsync(HttpRequest request, string provider, CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>Ways to sign in besides a password.</summary>
internal sealed record ProvidersResponse(IReadOnlyList<ProviderEntry> Providers);

/// <summary>An identity provider: its key in the routes, and its name on the button.</summary>
internal sealed record ProviderEntry(string Key, string Name);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ProvidersResponse))]
internal sealed partial class OidcJson : JsonSerializerContext;
