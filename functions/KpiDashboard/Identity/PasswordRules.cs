using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Identity;

/// <summary>
/// What a new password must be: NIST SP 800-63B revision 4 section 3.1.1.2 and OWASP ASVS 5 section 6.2. Long enough, and nothing that is tried first; which
/// characters it is made of is nobody's business.
/// </summary>
internal sealed class PasswordRules(IOptionsMonitor<AuthOptions> options)
{
    private const string Advice = "Choose another, for example several words that do not belong together.";

    // As many characters of its own must a password have besides what anybody knows about the account.
    private const int LeastOfItsOwn = 5;

    // Words of the account shorter than this are in too many passwords by chance.
    private const int ShortestWord = 4;

    private const int MostStripped = 6;

    private static readonly string[] KeyboardRows = ["qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm", "azertyuiop", "1234567890"];

    private static readonly Lazy<FrozenSet<string>> Common = new(ReadCommon);

    /// <summary>Adds a sentence when a new password is too short, too long, common, or made of what anybody knows about the account.</summary>
    /// <param name="errors">Sentences by field.</param>
    /// <param name="field">The field.</param>
    /// <param name="password">The password.</param>
    /// <param name="known">Address, names and other words that go with the account.</param>
    public void Check(IDictionary<string, string[]> errors, string field, string? password, params IEnumerable<string?> known)
    {
        if (Find(field, password, options.CurrentValue.PasswordMinLength, known) is { } sentence) errors[field] = [sentence];
    }

    /// <summary>What is wrong with a password, in a sentence; null for nothing.</summary>
    internal static string? Find(string field, string? password, int minLength, IEnumerable<string?> known)
    {
        var text = Passwords.Normalized(password ?? "");
        // A character is a code point (NIST), not what it takes to store it; the upper limit is on the work, and so on what is stored.
        if (text.EnumerateRunes().Count() < minLength || password!.Length > Passwords.MaxLength)
            return string.Create(CultureInfo.InvariantCulture, $"'{field}' must have {minLength} to {Passwords.MaxLength} characters; 15 or more are recommended.");
        var lower = text.ToLowerInvariant();
        if (IsPattern(lower)) return $"'{field}' only repeats characters or follows their order. {Advice}";
        if (IsCommon(lower)) return $"'{field}' is among the passwords that attackers try first. {Advice}";
        if (IsKnown(lower, known)) return $"'{field}' is little more than your name, your address, the name of the business or of this product. {Advice}";
        return null;
    }

    private static bool IsCommon(string lower)
    {
        if (Common.Value.Contains(lower)) return true;
        // "password2026!" is the password with what rules of composition made people append.
        var end = lower.Length;
        while (end > 0 && lower.Length - end < MostStripped && !char.IsLetter(lower[end - 1]))
        {
            if (Common.Value.Contains(lower[..--end])) return true;
        }

        return false;
    }

    /// <summary>Nothing but runs of three or more characters that are the same, follow each other, or stand side by side on a keyboard; or a short unit over and over.</summary>
    private static bool IsPattern(string lower)
    {
        for (var unit = 1; unit <= Math.Min(4, lower.Length / 2); unit++)
        {
            if (Enumerable.Range(unit, lower.Length - unit).All(i => lower[i] == lower[i - unit])) return true;
        }

        for (var start = 0; start < lower.Length;)
        {
            var length = RunAt(lower, start);
            if (length < 3) return false;
            start += length;
        }

        return true;
    }

    private static int RunAt(string text, int start)
    {
        var longest = 1;
        foreach (var step in (int[])[-1, 0, 1])
        {
            var end = start + 1;
            while (end < text.Length && text[end] - text[end - 1] == step) end++;
            longest = Math.Max(longest, end - start);
        }

        foreach (var row in KeyboardRows)
        {
            foreach (var step in (int[])[-1, 1])
            {
                var (end, at) = (start + 1, row.IndexOf(text[start]));
                while (at >= 0 && end < text.Length && at + step >= 0 && at + step < row.Length && row[at + step] == text[end]) (end, at) = (end + 1, at + step);
                longest = Math.Max(longest, end - start);
            }
        }

        return longest;
    }

    private static bool IsKnown(string lower, IEnumerable<string?> known)
    {
        var rest = Plain(lower);
        var words = known.Append("KPI Dashboard").OfType<string>()
            .Select(text => Passwords.Normalized(text).ToLowerInvariant())
            .SelectMany(text => text.Split('@').Append(text).SelectMany(part => part.Split((char[])[' ', '.', '-', '_', '+', '@', '\'', ','], StringSplitOptions.RemoveEmptyEntries).Append(part)))
            .Select(Plain)
            .Where(word => word.Length > 1)
            .Distinct(StringComparer.Ordinal)
            .OrderByDescending(word => word.Length);
        var found = false;
        foreach (var word in words)
        {
            // Longest first: a short one counts only beside a longer one.
            if (word.Length < ShortestWord && !found) break;
            var without = rest.Replace(word, "", StringComparison.Ordinal);
            found |= without.Length < rest.Length;
            rest = without;
        }

        return found && rest.Length < LeastOfItsOwn;
    }

    private static string Plain(string text) => string.Concat(text.Where(char.IsLetterOrDigit));

    private static FrozenSet<string> ReadCommon()
    {
        using var stream = typeof(PasswordRules).Assembly.GetManifestResourceStream("KpiDashboard.Identity.common-passwords.txt")
            ?? throw new InvalidOperationException("The list of common passwords is not in the assembly.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var found = new HashSet<string>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0 && line != "#" && !line.StartsWith("# ", StringComparison.Ordinal)) found.Add(line);
        }

        return found.ToFrozenSet(StringComparer.Ordinal);
    }
}
