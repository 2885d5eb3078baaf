using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KpiDashboard.Api;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace KpiDashboard.Identity;

/// <summary>Who a provider says that somebody is.</summary>
/// <param name="Issuer">Issuer, as in the token.</param>
/// <param name="Subject">The person's id there; for ever the same.</param>
/// <param name="Email">Address; null if the provider told none.</param>
/// <param name="EmailVerified">The provider vouches for the address.</param>
/// <param name="Name">Name; null if the provider told none.</param>
internal sealed record OidcIdentity(string Issuer, string Subject, string? Email, bool EmailVerified, string? Name);

/// <summary>The authorization code flow with PKCE (RFC 6749, RFC 7636, OpenID Connect Core).</summary>
internal sealed class OidcClient(IHttpClientFactory clients, OidcDiscovery discovery, TimeProvider time)
{
    /// <summary>Name of the HTTP client: short timeouts, no redirects, no cookies, answers of at most 1 MB.</summary>
    public const string HttpClientName = "oidc";

    /// <summary>Where to send the browser.</summary>
    /// <exception cref="OidcException">The provider does not answer.</exception>
    public async Task<string> AuthorizationAddressAsync(OidcProvider provider, string redirect, string state, string nonce, string verifier, CancellationToken cancellationToken)
    {
        var configuration = await discovery.GetAsync(provider, anew: false, cancellationToken);
        return QueryHelpers.AddQueryString(configuration.AuthorizationEndpoint, new Dictionary<string, string?>
        {
            ["response_type"] = "code",
            ["client_id"] = provider.ClientId,
            ["redirect_uri"] = redirect,
            ["scope"] = provider.Scopes,
            ["state"] = state,
            ["nonce"] = nonce,
            ["code_challenge"] = WebEncoders.Base64UrlEncode(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))),
            ["code_challenge_method"] = "S256",
        });
    }

    /// <summary>Exchanges the code and checks what comes for it.</summary>
    /// <exception cref="OidcException">Something is not as it must be.</exception>
    public async Task<OidcIdentity> ExchangeAsync(OidcProvider provider, string code, string redirect, string nonce, string verifier, CancellationToken cancellationToken)
    {
        var configuration = await discovery.GetAsync(provider, anew: false, cancellationToken);
        using var answer = await TokensAsync(provider, configuration, code, redirect, verifier, cancellationToken);
        if (OidcTokens.Text(answer.RootElement, "id_token") is not { } text) throw new OidcException(OidcProblems.Provider, "it sent no id_token");
        var accessToken = OidcTokens.Text(answer.RootElement, "access_token");

        var token = OidcTokens.Parse(text);
        if (OidcTokens.HasUnknownKey(token, configuration)) configuration = await discovery.GetAsync(provider, anew: true, cancellationToken);
        await OidcTokens.CheckAsync(provider, configuration, token, nonce, accessToken, time.GetUtcNow());

        var claims = OidcTokens.Claims(token);
        if (OidcTokens.Text(claims, "email") is not null || accessToken is null || string.IsNullOrEmpty(configuration.UserInfoEndpoint))
            return Identity(provider, token.Issuer, token.Subject, claims);
        using var info = await UserInfoAsync(provider, configuration, accessToken, cancellationToken);
        // Core 5.3.2: without this another person's answer could be put in.
        if (OidcTokens.Text(info.RootElement, "sub") != token.Subject) throw new OidcException(OidcProblems.Provider, "its userinfo is about somebody else");
        return Identity(provider, token.Issuer, token.Subject, info.RootElement);
    }

    private static OidcIdentity Identity(OidcProvider provider, string issuer, string subject, JsonElement claims) =>
        new(issuer, subject, OidcTokens.Text(claims, "email"), OidcTokens.IsEmailVerified(provider, claims), OidcTokens.Text(claims, "name"));

    private Task<JsonDocument> TokensAsync(OidcProvider provider, OpenIdConnectConfiguration configuration, string code, string redirect, string verifier, CancellationToken cancellationToken)
    {
        var form = new Dictionary<string, string> { ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = redirect, ["code_verifier"] = verifier };
        var request = new HttpRequestMessage(HttpMethod.Post, configuration.TokenEndpoint);
        // client_secret_basic is what a provider takes that does not say what it takes (Discovery 3).
        if (configuration.TokenEndpointAuthMethodsSupported is { Count: > 0 } methods && !methods.Contains("client_secret_basic"))
        {
            form["client_id"] = provider.ClientId;
            form["client_secret"] = provider.ClientSecret;
        }
        else
        {
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{WebUtility.UrlEncode(provider.ClientId)}:{WebUtility.UrlEncode(provider.ClientSecret)}")));
        }

        request.Content = new FormUrlEncodedContent(form);
        return SendAsync(request, "token endpoint", cancellationToken);
    }

    private Task<JsonDocument> UserInfoAsync(OidcProvider provider, OpenIdConnectConfiguration configuration, string accessToken, CancellationToken cancellationToken)
    {
        if (!provider.Allows(configuration.UserInfoEndpoint)) throw new OidcException(OidcProblems.Provider, "its userinfo address is not https");
        var request = new HttpRequestMessage(HttpMethod.Get, configuration.UserInfoEndpoint);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return SendAsync(request, "userinfo endpoint", cancellationToken);
    }

    private async Task<JsonDocument> SendAsync(HttpRequestMessage request, string what, CancellationToken cancellationToken)
    {
        try
        {
            using var owned = request;
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            using var client = clients.CreateClient(HttpClientName);
            using var response = await client.SendAsync(request, cancellationToken);
            var answer = JsonDocument.Parse(KeptText.CleanJson(await response.Content.ReadAsByteArrayAsync(cancellationToken)));
            if (response.IsSuccessStatusCode && answer.RootElement.ValueKind == JsonValueKind.Object) return answer;
            using (answer)
            {
                // A code that was used or is too old: signing in anew helps, and nothing else is wrong.
                var stale = OidcTokens.Text(answer.RootElement, "error") == "invalid_grant";
                throw new OidcException(stale ? OidcProblems.Expired : OidcProblems.Provider, $"its {what} answered {(int)response.StatusCode}{(stale ? " (invalid_grant)" : "")}");
            }
        }
        catch (Exception error) when (error is HttpRequestException or JsonException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new OidcException(OidcProblems.Provider, $"its {what} cannot be used", error);
        }
    }
}
