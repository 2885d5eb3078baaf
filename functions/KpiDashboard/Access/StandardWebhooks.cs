using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Access;

/// <summary>
/// Signatures by <see href="https://www.standardwebhooks.com">Standard Webhooks</see>: HMAC-SHA256 over <c>id.timestamp.body</c> in base64, keyed with what
/// stands in base64 after <c>whsec_</c>.
/// </summary>
internal static class StandardWebhooks
{
    /// <summary>How far a sender's clock may be off, either way; a captured request is good for no longer.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>Begins a signing secret.</summary>
    public const string SecretPrefix = "whsec_";

    /// <summary>Longest <c>webhook-id</c>.</summary>
    public const int MaxIdLength = 128;

    private const int MaxSignatures = 16;

    /// <summary>A secret for a sender that is not known; it signs nothing.</summary>
    public static string NobodysSecret { get; } = FreshSecret();

    /// <summary>A fresh secret: 32 random bytes in standard base64, which the reference libraries decode.</summary>
    public static string FreshSecret() => SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>Whether a request means to be admitted by its signature.</summary>
    public static bool IsSigned(HttpRequest request) => request.Headers.ContainsKey("webhook-signature");

    /// <summary>Reads the headers; what is wrong with them is told, because none of it is secret.</summary>
    /// <exception cref="ApiProblem">401: a header is missing or malformed, or the message is too old.</exception>
    public static SignedMessage Read(HttpRequest request, DateTimeOffset now)
    {
        var named = request.Headers["X-Kpi-Token-Id"].ToString() is { Length: > 0 } header ? header : request.Query["token"].ToString();
        if (!Guid.TryParseExact(named.Trim(), "D", out var token))
            throw ApiProblem.Unauthorized("Name the token whose secret signed the request: '?token=<its id>' or the header 'X-Kpi-Token-Id'.");
        var id = request.Headers["webhook-id"].ToString();
        if (id.Length is 0 or > MaxIdLength || id.Any(c => c is <= ' ' or > '~')) throw ApiProblem.Unauthorized($"'webhook-id' must have 1 to {MaxIdLength} visible ASCII characters.");
        var timestamp = request.Headers["webhook-timestamp"].ToString();
        if (timestamp.Length is 0 or > 12 || !long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            throw ApiProblem.Unauthorized("'webhook-timestamp' must be the time of sending in whole seconds since 1970.");
        if ((now - DateTimeOffset.FromUnixTimeSeconds(Math.Min(seconds, 253_402_300_799))).Duration() > Tolerance)
            throw ApiProblem.Unauthorized("'webhook-timestamp' is more than 5 minutes from now. Check the sender's clock, and sign anew when sending again.");
        var signatures = request.Headers["webhook-signature"].ToString().Split(' ', MaxSignatures + 1, StringSplitOptions.RemoveEmptyEntries);
        return new SignedMessage(token, id, timestamp, [.. signatures.Take(MaxSignatures)]);
    }

    /// <summary>The signature of a message, as it stands in the header.</summary>
    public static string Sign(string secret, string id, string timestamp, ReadOnlySpan<byte> body) => "v1," + Convert.ToBase64String(Hash(secret, id, timestamp, body));

    internal static byte[] Hash(string secret, string id, string timestamp, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Key(secret));
        hmac.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        hmac.AppendData(body);
        return hmac.GetHashAndReset();
    }

    /// <summary>The bytes of a secret. Tokens made by early builds have base64url without padding.</summary>
    internal static byte[] Key(string secret)
    {
        var text = (secret.StartsWith(SecretPrefix, StringComparison.Ordinal) ? secret[SecretPrefix.Length..] : secret).Replace('-', '+').Replace('_', '/');
        return Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));
    }
}

/// <summary>A signed request: who it says it is from, and what was signed besides the body.</summary>
internal sealed record SignedMessage(Guid TokenId, string Id, string Timestamp, IReadOnlyList<string> Signatures)
{
    /// <summary>Whether one of the signatures is by this secret, over this body. Every one is compared in constant time; versions other than v1 do not count.</summary>
    public bool IsSignedBy(string secret, ReadOnlySpan<byte> body)
    {
        var expected = StandardWebhooks.Hash(secret, Id, Timestamp, body);
        var fits = false;
        Span<byte> given = stackalloc byte[64];
        foreach (var signature in Signatures)
        {
            if (!signature.StartsWith("v1,", StringComparison.Ordinal) || !Convert.TryFromBase64Chars(signature.AsSpan(3), given, out var length)) continue;
            fits |= CryptographicOperations.FixedTimeEquals(expected, given[..length]);
        }

        return fits;
    }
}
