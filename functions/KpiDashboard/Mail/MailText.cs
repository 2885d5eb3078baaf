using KpiDashboard.Security;
using System.Text.RegularExpressions;

namespace KpiDashboard.Mail;

/// <summary>Words of others in a mail of ours: names of businesses and people that whoever sends the mail typed, and whoever gets it did not.</summary>
internal static partial class MailText
{
    private const int Most = 80;

    /// <summary>
    /// A name as it may stand in a subject, a header or a sentence: one line of at most 80 characters, nothing that cannot be seen or that turns the text around, and nothing
    /// that a mail program makes a link of, which the reader would take for ours: addresses lose what makes them addresses and still read the same.
    /// </summary>
    public static string Outside(string? name)
    {
        var line = string.Join(' ', PlainText.Clean(string.Concat((name ?? "").Select(sign => char.IsControl(sign) ? ' ' : sign)))
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        // A dot that looks the same; in "Dr. Who" it stays, since nothing follows it.
        line = InnerDot().Replace(line.Replace("://", ": ", StringComparison.Ordinal).Replace("@", "(at)", StringComparison.Ordinal), "\u2024");
        if (line.Length <= Most) return line;
        var end = char.IsHighSurrogate(line[Most - 2]) ? Most - 2 : Most - 1;
        return line[..end] + "…";
    }

    [GeneratedRegex(@"(?<=\S)[.\u3002\uFF0E\uFF61](?=[\p{L}\p{N}])", RegexOptions.CultureInvariant)]
    private static partial Regex InnerDot();
}
