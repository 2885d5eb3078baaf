using System.Security.Cryptography;
using System.Text;
using KpiDashboard.Api;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Security;

/// <summary>Keys that seal secrets at rest; section <c>Secrets</c>.</summary>
internal sealed class SecretOptions
{
    /// <summary>Id of the key that new secrets are sealed with; must be one of <see cref="Keys"/>.</summary>
    public string CurrentKey { get; set; } = "";

    /// <summary>Key id (1–32 letters, digits or dashes) to 32 bytes in base64. Old keys stay until everything is sealed anew.</summary>
    public Dictionary<string, string> Keys { get; set; } = [];

    /// <summary>No key at all is valid: the app starts, says in <c>health/ready</c> what is missing, and refuses what needs a key.</summary>
    internal static bool IsValid(SecretOptions options) =>
        options is { Keys.Count: 0, CurrentKey: "" }
        || (options.Keys.ContainsKey(options.CurrentKey)
            && options.Keys.All(key => key.Key.Length is > 0 and <= 32
                && key.Key.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
                && Convert.TryFromBase64String(key.Value, new byte[64], out var length) && length == 32));
}

/// <summary>
/// Seals secrets (provider credentials, signing secrets) with AES-256-GCM before they reach the database. Layout: one byte length of the key id, key id,
/// 12 bytes nonce, 16 bytes tag, ciphertext. The purpose is authenticated too, so that a sealed value cannot be moved to another row.
/// </summary>
internal sealed class SecretSealer(IOptionsMonitor<SecretOptions> options)
{
    /// <summary>Id of the key that new secrets are sealed with.</summary>
    /// <exception cref="ApiProblem">503: none is configured.</exception>
    public string CurrentKey => options.CurrentValue.CurrentKey is { Length: > 0 } id
        ? id
        : throw ApiProblem.Unavailable("No key to seal secrets with is configured (Secrets:CurrentKey and Secrets:Keys).", 60);

    /// <summary>What each value begins with that is sealed with the current key.</summary>
    public byte[] CurrentHeader() => Header(CurrentKey);

    /// <summary>Seals a text for a purpose, for example <c>integration:&lt;id&gt;</c>.</summary>
    public byte[] Seal(string text, string purpose)
    {
        var id = CurrentKey;
        var start = Header(id);
        var plain = Encoding.UTF8.GetBytes(text);
        var header = start.Length;
        var result = new byte[header + 12 + 16 + plain.Length];
        start.CopyTo(result, 0);
        RandomNumberGenerator.Fill(result.AsSpan(header, 12));
        using var aes = new AesGcm(Key(id), 16);
        aes.Encrypt(result.AsSpan(header, 12), plain, result.AsSpan(header + 28), result.AsSpan(header + 12, 16), Encoding.UTF8.GetBytes(purpose));
        return result;
    }

    /// <summary>Opens what <see cref="Seal"/> made for the same purpose.</summary>
    /// <exception cref="CryptographicException">The value was changed, was sealed for another purpose, or its key is not configured.</exception>
    public string Open(ReadOnlySpan<byte> value, string purpose)
    {
        if (value.Length < 1 || value.Length < 1 + value[0] + 28) throw new CryptographicException("The sealed value is too short.");
        var header = 1 + value[0];
        var plain = new byte[value.Length - header - 28];
        using var aes = new AesGcm(Key(Encoding.ASCII.GetString(value[1..header])), 16);
        aes.Decrypt(value.Slice(header, 12), value[(header + 28)..], value.Slice(header + 12, 16), plain, Encoding.UTF8.GetBytes(purpose));
        return Encoding.UTF8.GetString(plain);
    }

    private static byte[] Header(string id) => [(byte)id.Length, .. Encoding.ASCII.GetBytes(id)];

    private byte[] Key(string id) => options.CurrentValue.Keys.TryGetValue(id, out var key)
        ? Convert.FromBase64String(key)
        : throw new CryptographicException($"The key '{id}' is not configured (Secrets:Keys).");
}
