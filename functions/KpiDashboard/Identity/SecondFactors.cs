using System.Security.Cryptography;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Security;
using OtpNet;

namespace KpiDashboard.Identity;

/// <summary>Codes of the second factor: TOTP (RFC 6238, SHA-1, 6 digits, 30 seconds) and recovery codes. Each works once.</summary>
internal sealed class SecondFactors(Database database, SecretSealer sealer, PasswordHasher hasher, RateLimits limits, TimeProvider time)
{
    /// <summary>How many recovery codes there are.</summary>
    public const int RecoveryCodes = 10;

    // Base32 of Crockford: no letters that look like digits. 12 of them are 60 bits.
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int RecoveryLength = 12;
    private const int SecretBytes = 20;

    /// <summary>What a secret is sealed for.</summary>
    internal static string Purpose(Guid user) => $"totp:{user:D}";

    /// <summary>A fresh secret in base32, and sealed.</summary>
    public (string Secret, byte[] Sealed) NewSecret(Guid user)
    {
        var secret = Base32Encoding.ToString(RandomNumberGenerator.GetBytes(SecretBytes)).TrimEnd('=');
        return (secret, sealer.Seal(secret, Purpose(user)));
    }

    /// <summary>Fresh recovery codes, and their hashes.</summary>
    public (IReadOnlyList<string> Codes, string[] Hashes) NewRecoveryCodes()
    {
        var codes = Enumerable.Range(0, RecoveryCodes).Select(_ => RandomNumberGenerator.GetString(Alphabet, RecoveryLength)).ToList();
        return ([.. codes.Select(code => $"{code[..4]}-{code[4..8]}-{code[8..]}")], hasher.HashTogether(codes));
    }

    /// <summary>The time step that a code of a sealed secret belongs to: this one, the one before or the one after; null for none.</summary>
    public long? FindStep(Guid user, byte[] sealedSecret, string code) =>
        FindStep(Base32Encoding.ToBytes(sealer.Open(sealedSecret, Purpose(user))), code, time.GetUtcNow());

    /// <summary>The time step that a code belongs to: the current one, the one before or the one after; null for none.</summary>
    internal static long? FindStep(byte[] secret, string code, DateTimeOffset now) =>
        new Totp(secret).VerifyTotp(now.UtcDateTime, code, out var step, new VerificationWindow(previous: 1, future: 1)) ? step : null;

    /// <summary>
    /// Checks a code and uses it up.
    /// </summary>
    /// <param name="user">Whose it is.</param>
    /// <param name="account">The account as it was read.</param>
    /// <param name="code">As typed: six digits, or a recovery code.</param>
    /// <param name="take">Uses it up: a time step, or the hash of a recovery code. False: it was used before.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Whether it was a recovery code.</returns>
    /// <exception cref="ApiProblem">400: wrong; 429: too many wrong ones.</exception>
    public async Task<bool> CheckAsync(Guid user, Account account, string? code, Func<long?, string?, Task<bool>> take, CancellationToken cancellationToken)
    {
        var text = string.Concat((code ?? "").Where(c => !char.IsWhiteSpace(c) && c != '-')).ToLowerInvariant();
        if (code is { Length: > 100 } || text.Length == 0) throw ApiProblem.Invalid("code", "'code' must be the six digits that your authenticator app shows, or a recovery code.");
        await limits.TakeAsync(Bucket.SecondFactor, user.ToString("N"), cancellationToken);
        var recovery = text.Length != 6;
        var taken = recovery
            ? text.Length == RecoveryLength && account.recovery_sample is { } sample && await take(null, hasher.HashLike(text, sample))
            : account is { totp_enabled_at: not null, totp_secret: { } secret } && FindStep(user, secret, text) is { } step && await take(step, null);
        if (!taken) throw Wrong();
        await limits.ReturnAsync(Bucket.SecondFactor, user.ToString("N"), cancellationToken);
        return recovery;
    }

    /// <summary>Uses a code up outside of a sign-in.</summary>
    public async Task<bool> TakeAsync(Guid user, long? step, string? recovery, CancellationToken cancellationToken) =>
        (await database.QueryAsync<bool>("select take_second_factor(@user, @step, @recovery, @now)", new { user, step, recovery, now = time.GetUtcNow() }, cancellationToken)).Single();

    /// <summary>The code is wrong or was used.</summary>
    public static ApiProblem Wrong() => ApiProblem.Invalid("code", "'code' is not right, or was used already. Wait for the next one.");
}
