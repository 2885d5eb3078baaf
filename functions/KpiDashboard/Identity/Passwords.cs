using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Konscious.Security.Cryptography;

namespace KpiDashboard.Identity;

/// <summary>
/// Argon2id hashes in the PHC string format, <c>$argon2id$v=19$m=19456,t=2,p=1$salt$hash</c>. Parameters: OWASP Password Storage Cheat Sheet (19 MiB,
/// 2 passes, 1 lane); they stand in each hash, so that old hashes still verify when they are raised.
/// </summary>
internal static class Passwords
{
    private const int MemoryKib = 19456, Passes = 2, Lanes = 1, SaltBytes = 16, HashBytes = 32;

    /// <summary>Longest password taken; longer ones are a way to burn our processor.</summary>
    public const int MaxLength = 256;

    // What an unknown address is checked against, so that it takes as long as a known one.
    private static readonly Lazy<string> Decoy = new(() => Hash("no account has this password"));

    /// <summary>Hashes a password with a fresh salt.</summary>
    public static string Hash(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var hash = Derive(password, salt, MemoryKib, Passes, Lanes, HashBytes);
        return $"$argon2id$v=19$m={MemoryKib},t={Passes},p={Lanes}${Unpadded(salt)}${Unpadded(hash)}";
    }

    /// <summary>Whether a password fits a hash; a null hash (no such user, no password set) takes as long and never fits.</summary>
    /// <param name="password">The password as typed.</param>
    /// <param name="hash">The stored hash.</param>
    /// <param name="outdated">The hash fits but was made with other parameters than today's: hash the password again.</param>
    public static bool Verify(string password, string? hash, out bool outdated)
    {
        var parts = (hash ?? Decoy.Value).Split('$');
        outdated = false;
        if (parts is not ["", "argon2id", "v=19", var parameters, var saltText, var hashText]) return false;
        var values = parameters.Split(',').Select(part => int.Parse(part.AsSpan(2), CultureInfo.InvariantCulture)).ToArray();
        var expected = Padded(hashText);
        var fits = CryptographicOperations.FixedTimeEquals(Derive(password, Padded(saltText), values[0], values[1], values[2], expected.Length), expected);
        outdated = fits && hash is not null && values is not [MemoryKib, Passes, Lanes];
        return fits && hash is not null;
    }

    private static byte[] Derive(string password, byte[] salt, int memoryKib, int passes, int lanes, int length)
    {
        // Keyboards differ in whether an accent is a character of its own (NIST SP 800-63B asks for this). U+FFFE is no character and cannot be normalised.
        var normalized = password.Contains('\uFFFE') ? password : password.Normalize();
        using var argon = new Argon2id(Encoding.UTF8.GetBytes(normalized)) { Salt = salt, MemorySize = memoryKib, Iterations = passes, DegreeOfParallelism = lanes };
        return argon.GetBytes(length);
    }

    private static string Unpadded(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    private static byte[] Padded(string text) => Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));
}

/// <summary>What a new password must be (NIST SP 800-63B, ASVS 6.2).</summary>
internal static class PasswordRules
{
    /// <summary>Adds a sentence when a new password is too short, too long, common, or made of what anybody knows about the account.</summary>
    /// <param name="errors">Sentences by field.</param>
    /// <param name="field">The field.</param>
    /// <param name="password">The password.</param>
    /// <param name="known">Address, names and other words that go with the account.</param>
    public static void Check(IDictionary<string, string[]> errors, string field, string? password, params IEnumerable<string?> known)
    {
        if (password is not { Length: >= 8 and <= Passwords.MaxLength }) errors[field] = [$"'{field}' must have 8 to {Passwords.MaxLength} characters."];
    }
}
