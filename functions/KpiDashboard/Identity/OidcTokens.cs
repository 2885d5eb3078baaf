using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KpiDashboard.Api;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace KpiDashboard.Identity;

/// <summary>Checks an id_token as OpenID Connect Core 3.1.3.7 and 3.1.3.8 ask.</summary>
internal static class OidcTokens
{
    /// <summary>Issuer in the discovery document that all directories of Entra share; the braces stand for the directory's id.</summary>
    internal const string EveryDirectory = "https://login.microsoftonline.com/{tenantid}/v2.0";

    // Public-key signatures only: with HS256 whoever knows the client secret signs, and "none" signs nothing.
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(2), OldestIssue = TimeSpan.FromMinutes(10);

    private static readonly JsonWebTokenHandler Handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = 64 * 1024 };

    /// <summary>The token, if it is one that could be checked at all.</summary>
    public static JsonWebToken Parse(string token)
    {
        try
        {
            return new JsonWebToken(token);
        }
        // Half a character in a claim: the library's reader says that with an InvalidOperationException.
        catch (Exception error) when (error is ArgumentException or SecurityTokenException or InvalidOperationException or JsonException or FormatException)
        {
            throw Refused("is no token", error);
        }
    }

    /// <summary>Whether the key that signed the token is not among the provider's.</summary>
    public static bool HasUnknownKey(JsonWebToken token, OpenIdConnectConfiguration configuration) =>
        !string.IsNullOrEmpty(token.Kid) && configuration.SigningKeys.All(key => !string.Equals(key.KeyId, token.Kid, StringComparison.Ordinal));

    /// <summary>Raises unless the token was issued by the provider, for us, now, in answer to our question.</summary>
    /// <exception cref="OidcException">It was not.</exception>
    public static async Task CheckAsync(
        OidcProvider provider, OpenIdConnectConfiguration configuration, JsonWebToken token, string nonce, string? accessToken, DateTimeOffset now)
    {
        var result = await Handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = Algorithms,
            IssuerSigningKeys = configuration.SigningKeys,
            TryAllIssuerSigningKeys = string.IsNullOrEmpty(token.Kid),
            RequireSignedTokens = true,
            ValidAudience = provider.ClientId,
            IssuerValidator = (issuer, _, _) => issuer == Issuer(provider, token) ? issuer : throw new SecurityTokenInvalidIssuerException("The issuer is another."),
            LifetimeValidator = (from, to, _, _) => to is { } end && end > (now - Skew).UtcDateTime && (from is not { } start || start < (now + Skew).UtcDateTime),
        });
        if (!result.IsValid) throw Refused("is not valid", result.Exception);
        if (!IsKeyOf(configuration, token)) throw Refused("is signed with the key of another directory");

        var claims = Claims(token);
        var azp = Text(claims, "azp");
        if (azp is null ? token.Audiences.Count() > 1 : azp != provider.ClientId) throw Refused("is for another client");
        if (token.IssuedAt == DateTime.MinValue || token.IssuedAt > (now + Skew).UtcDateTime || token.IssuedAt < (now - OldestIssue - Skew).UtcDateTime)
            throw Refused("was not issued just now");
        if (!Same(Text(claims, "nonce"), nonce)) throw Refused("answers another question (nonce)");
        if (Text(claims, "at_hash") is { } hash && (accessToken is null || !Same(hash, Hash(token.Alg, accessToken)))) throw Refused("came with another access token (at_hash)");
        if (token.Subject is not { Length: > 0 and <= 255 } || token.Subject.Any(char.IsControl)) throw Refused("names nobody");
    }

    /// <summary>What the token's payload says.</summary>
    public static JsonElement Claims(JsonWebToken token) => JsonDocument.Parse(KeptText.CleanJson(Base64UrlEncoder.DecodeBytes(token.EncodedPayload))).RootElement;

    /// <summary>A claim that is a text and not empty.</summary>
    public static string? Text(JsonElement claims, string name) =>
        claims.ValueKind == JsonValueKind.Object && claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    /// <summary>
    /// Whether the provider vouches for the address. Some send the truth as a text. Entra has no <c>email_verified</c>; its <c>xms_edov</c> (the owner of the
    /// domain proved it) is there where the app registration asks for it, and without it an address means nothing.
    /// </summary>
    public static bool IsEmailVerified(OidcProvider provider, JsonElement claims) =>
        claims.TryGetProperty(provider.IsEntra ? "xms_edov" : "email_verified", out var value)
        && (value.ValueKind == JsonValueKind.True
            || (value.ValueKind == JsonValueKind.String && (value.ValueEquals("true") || (provider.IsEntra && value.ValueEquals("1"))))
            || (provider.IsEntra && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number == 1));

    /// <summary>The issuer that a token must have; null if it can have none.</summary>
    public static string? Issuer(OidcProvider provider, JsonWebToken token) =>
        !provider.IsEveryDirectory ? provider.Issuer
        : token.TryGetPayloadValue<string>("tid", out var directory) && Guid.TryParseExact(directory, "D", out _) ? EveryDirectory.Replace("{tenantid}", directory, StringComparison.Ordinal)
        : null;

    /// <summary>Entra says of some keys whose they are; others sign for all.</summary>
    private static bool IsKeyOf(OpenIdConnectConfiguration configuration, JsonWebToken token) =>
        configuration.JsonWebKeySet?.Keys.FirstOrDefault(key => key.KeyId == token.Kid) is not { } key
        || !key.AdditionalData.TryGetValue("issuer", out var owner) || owner?.ToString() is not { Length: > 0 } issuer
        || issuer.Replace("{tenantid}", token.TryGetPayloadValue<string>("tid", out var directory) ? directory : "", StringComparison.Ordinal) == token.Issuer;

    private static string Hash(string algorithm, string accessToken)
    {
        var bytes = Encoding.ASCII.GetBytes(accessToken);
        var hash = algorithm[^3..] switch { "384" => SHA384.HashData(bytes), "512" => SHA512.HashData(bytes), _ => SHA256.HashData(bytes) };
        return Base64UrlEncoder.Encode(hash[..(hash.Length / 2)]);
    }

    private static bool Same(string? one, string other) =>
        one is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), Encoding.UTF8.GetBytes(other));

    private static OidcException Refused(string why, Exception? inner = null) => new(OidcProblems.Provider, $"its id_token {why}", inner);
}
