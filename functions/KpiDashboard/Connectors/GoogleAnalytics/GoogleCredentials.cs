using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>What lets us in, as it is stored (sealed): a refresh token, or the key of a service account.</summary>
internal sealed record GoogleCredentials(string? RefreshToken = null, ServiceAccountKey? ServiceAccount = null)
{
    /// <summary>What was stored; null if it is neither.</summary>
    public static GoogleCredentials? Read(JsonElement stored)
    {
        if (stored.ValueKind != JsonValueKind.Object) return null;
        try
        {
            return stored.Deserialize(GoogleAnalyticsJson.Default.GoogleCredentials) is { } read && (read.RefreshToken is { Length: > 0 } || read.ServiceAccount is { ClientEmail.Length: > 0, PrivateKey.Length: > 0 })
                ? read
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>As it is stored.</summary>
    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, GoogleAnalyticsJson.Default.GoogleCredentials);

    /// <summary>Says nothing, so that no log can.</summary>
    public override string ToString() => nameof(GoogleCredentials);
}

/// <summary>The key of a Google Cloud service account: its address, the RSA key as PEM, and the key's id.</summary>
internal sealed record ServiceAccountKey(string ClientEmail, string PrivateKey, string? PrivateKeyId)
{
    /// <summary>Longest key file; real ones have 2.4 kB.</summary>
    public const int MaxLength = 16 * 1024;

    private const string WhereFrom = "In Google Cloud, open the service account, then Keys, Add key, JSON, and take the whole text of that file.";

    /// <summary>Reads a key file. <paramref name="problem"/>: a sentence about what is wrong; null exactly when nothing is.</summary>
    /// <remarks>Nothing else in the file counts: whom to ask for a token (<c>token_uri</c>) is for the installation to say, not for the file.</remarks>
    public static ServiceAccountKey? Parse(string text, out string? problem)
    {
        problem = text.Length > MaxLength ? $"'key' may have at most {MaxLength / 1024} kB; a key file is much smaller." : null;
        if (problem is not null) return null;
        KeyFile? file;
        try
        {
            file = JsonSerializer.Deserialize(text, GoogleAnalyticsJson.Default.KeyFile);
        }
        catch (JsonException)
        {
            problem = $"'key' is not the text of a key file: it is no JSON. {WhereFrom}";
            return null;
        }

        problem = file switch
        {
            not { Type: "service_account" } => $"'key' is not the key file of a service account. {WhereFrom}",
            not { ClientEmail.Length: > 3 and <= 320 } => $"'key' names no service account (client_email). {WhereFrom}",
            _ when !file.ClientEmail.Contains('@', StringComparison.Ordinal) || file.ClientEmail.Any(c => c is <= ' ' or > '~') => $"'key' names no service account (client_email). {WhereFrom}",
            not { PrivateKey.Length: > 0 } => $"'key' holds no private key. {WhereFrom}",
            { PrivateKeyId.Length: > 200 } => $"'key' has an id of its key that is too long. {WhereFrom}",
            _ => null,
        };
        if (problem is not null) return null;
        var key = new ServiceAccountKey(file!.ClientEmail!, file.PrivateKey!, file.PrivateKeyId);
        try
        {
            using var rsa = key.Open();
            // Google makes 2048 bits; far longer ones would only cost us time.
            if (rsa.KeySize is >= 2048 and <= 4096) return key;
            problem = $"The private key in 'key' has {rsa.KeySize} bits; it must have 2048 to 4096.";
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            problem = $"The private key in 'key' is damaged. {WhereFrom}";
        }

        return null;
    }

    /// <summary>A signed assertion for an access token (RFC 7523), good for ten minutes.</summary>
    /// <exception cref="CryptographicException">The stored key cannot be read.</exception>
    public string Assertion(string audience, string scope, DateTimeOffset now)
    {
        using var rsa = Open();
        var key = new RsaSecurityKey(rsa) { KeyId = PrivateKeyId, CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false } };
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = ClientEmail,
            Audience = audience,
            IssuedAt = now.UtcDateTime,
            Expires = now.AddMinutes(10).UtcDateTime,
            Claims = new Dictionary<string, object> { ["scope"] = scope },
            SigningCredentials = new SigningCredentials(key, SecurityAlgorithms.RsaSha256),
        });
    }

    /// <summary>Says nothing, so that no log can.</summary>
    public override string ToString() => nameof(ServiceAccountKey);

    private RSA Open()
    {
        var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(PrivateKey);
            return rsa;
        }
        catch
        {
            rsa.Dispose();
            throw;
        }
    }
}
