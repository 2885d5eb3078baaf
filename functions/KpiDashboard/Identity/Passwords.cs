using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Konscious.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Identity;

/// <summary>What a password hash costs: KiB of memory, passes over them, lanes.</summary>
internal sealed record PasswordCost(int MemoryKib, int Passes, int Lanes)
{
    /// <summary>OWASP Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane.</summary>
    public static PasswordCost Default { get; } = new(19456, 2, 1);
}

/// <summary>
/// Argon2id hashes in the PHC string format, <c>$argon2id$v=19$m=19456,t=2,p=1$salt$hash</c>. The cost stands in each hash, so that old hashes still verify
/// when it is raised.
/// </summary>
internal static class Passwords
{
    private const int SaltBytes = 16, HashBytes = 32;

    /// <summary>Longest password taken; longer ones are a way to burn our processor.</summary>
    public const int MaxLength = 256;

    /// <summary>Hashes a password with a fresh salt.</summary>
    public static string Hash(string password, PasswordCost? cost = null) => Hash(password, FreshSalt(), cost ?? PasswordCost.Default);

    /// <summary>A salt for <see cref="Hash(string, byte[], PasswordCost)"/>.</summary>
    public static byte[] FreshSalt() => RandomNumberGenerator.GetBytes(SaltBytes);

    /// <summary>Hashes a password with a salt that several share, so that one derivation can find the one among them that fits.</summary>
    public static string Hash(string password, byte[] salt, PasswordCost cost) => Text(salt, cost, Derive(password, salt, cost, HashBytes));

    /// <summary>Hashes a password with the salt and the cost of a hash.</summary>
    /// <exception cref="FormatException">That is no hash of ours.</exception>
    public static string HashLike(string password, string hash)
    {
        if (Read(hash) is not var (cost, salt, expected)) throw new FormatException("The hash is not Argon2id in the PHC format.");
        return Text(salt, cost, Derive(password, salt, cost, expected.Length));
    }

    /// <summary>Whether a password fits a hash; a null hash (no such user, no password set) takes as long and never fits.</summary>
    /// <param name="password">The password as typed.</param>
    /// <param name="hash">The stored hash.</param>
    /// <param name="outdated">The hash fits but was made with other parameters than today's: hash the password again.</param>
    /// <param name="cost">Today's parameters.</param>
    public static bool Verify(string password, string? hash, out bool outdated, PasswordCost? cost = null)
    {
        cost ??= PasswordCost.Default;
        outdated = false;
        // What an unknown address is checked against, so that it takes as long as a known one: any salt and any result will do.
        var read = hash is null ? (cost, FreshSalt(), RandomNumberGenerator.GetBytes(HashBytes)) : Read(hash);
        if (read is not var (itsCost, salt, expected)) return false;
        var fits = CryptographicOperations.FixedTimeEquals(Derive(password, salt, itsCost, expected.Length), expected) && hash is not null;
        outdated = fits && itsCost != cost;
        return fits;
    }

    private static (PasswordCost Cost, byte[] Salt, byte[] Hash)? Read(string hash)
    {
        if (hash.Split('$') is not ["", "argon2id", "v=19", var parameters, var salt, var derived]) return null;
        var values = parameters.Split(',').Select(part => int.Parse(part.AsSpan(2), CultureInfo.InvariantCulture)).ToArray();
        return (new PasswordCost(values[0], values[1], values[2]), Padded(salt), Padded(derived));
    }

    private static string Text(byte[] salt, PasswordCost cost, byte[] hash) =>
        $"$argon2id$v=19$m={cost.MemoryKib},t={cost.Passes},p={cost.Lanes}${Unpadded(salt)}${Unpadded(hash)}";

    private static byte[] Derive(string password, byte[] salt, PasswordCost cost, int length)
    {
        using var argon = new Argon2id(Encoding.UTF8.GetBytes(Normalized(password))) { Salt = salt, MemorySize = cost.MemoryKib, Iterations = cost.Passes, DegreeOfParallelism = cost.Lanes };
        return argon.GetBytes(length);
    }

    /// <summary>Keyboards differ in whether an accent is a character of its own (NIST SP 800-63B asks for this). U+FFFE is no character and cannot be normalised.</summary>
    internal static string Normalized(string password) => password.Contains('\uFFFE') ? password : password.Normalize();

    private static string Unpadded(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    private static byte[] Padded(string text) => Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));
}

/// <summary>Hashes at the cost that the settings ask for.</summary>
internal sealed class PasswordHasher(IOptionsMonitor<AuthOptions> options)
{
    private long _derived;

    /// <summary>How many hashes were derived so far: the work that tells a known address from an unknown one if it is not the same for both.</summary>
    public long Derived => Interlocked.Read(ref _derived);

    /// <summary>Hashes a password with a fresh salt.</summary>
    public string Hash(string password)
    {
        Interlocked.Increment(ref _derived);
        return Passwords.Hash(password, options.CurrentValue.PasswordCost);
    }

    /// <summary>Hashes several with one salt.</summary>
    public string[] HashTogether(IReadOnlyList<string> passwords)
    {
        Interlocked.Add(ref _derived, passwords.Count);
        var (salt, cost) = (Passwords.FreshSalt(), options.CurrentValue.PasswordCost);
        return [.. passwords.Select(password => Passwords.Hash(password, salt, cost))];
    }

    /// <summary>Hashes with the salt and the cost of another hash.</summary>
    public string HashLike(string password, string hash)
    {
        Interlocked.Increment(ref _derived);
        return Passwords.HashLike(password, hash);
    }

    /// <inheritdoc cref="Passwords.Verify"/>
    public bool Verify(string password, string? hash, out bool outdated)
    {
        Interlocked.Increment(ref _derived);
        return Passwords.Verify(password, hash, out outdated, options.CurrentValue.PasswordCost);
    }
}
