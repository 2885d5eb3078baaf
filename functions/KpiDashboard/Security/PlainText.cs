using System.Globalization;
using System.Text;

namespace KpiDashboard.Security;

/// <summary>
/// Text that a person reads as it is: names of businesses, people, sources, dashboards, tokens, workflows. A character that cannot be seen, or that turns the text around it,
/// makes one name look like another.
/// </summary>
internal static class PlainText
{
    private const int JoinerOff = 0x200C, JoinerOn = 0x200D;

    // Letters and marks to Unicode, nothing to the eye.
    private static readonly HashSet<int> s_blank = [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0];

    /// <summary>Why a name cannot be taken, as a sentence that names the field; null if it can.</summary>
    /// <param name="field">Name of the field.</param>
    /// <param name="text">What was given.</param>
    /// <param name="most">Most characters.</param>
    /// <param name="lines">Whether line ends are allowed.</param>
    public static string? Fault(string field, string? text, int most, bool lines = false)
    {
        var trimmed = text?.Trim() ?? "";
        if (trimmed.Length == 0 || trimmed.Length > most || trimmed.Any(sign => char.IsControl(sign) && !(lines && sign == '\n')))
            return string.Create(CultureInfo.InvariantCulture, $"'{field}' must have 1 to {most} characters, none of them a control character.");
        return FirstHidden(trimmed) is { } hidden
            ? string.Create(CultureInfo.InvariantCulture, $"'{field}' has a character that cannot be seen or turns the text around (U+{hidden:X4}). Type it anew instead of pasting it.")
            : null;
    }

    /// <summary>
    /// A name as it stands in an English sentence: one with letters that are written from right to left stands apart from the words around
    /// it (first strong isolate), or they and their numbers would be read in another order.
    /// </summary>
    public static string Isolated(string name) => name.EnumerateRunes().Any(rune => IsRightToLeft(rune.Value)) ? $"\u2068{name}\u2069"
        : name;

    // Hebrew to Arabic extended, their presentation forms, and the scripts beyond the first plane that Unicode keeps for such.
    private static bool IsRightToLeft(int rune) =>
        rune is (>= 0x0590 and <= 0x08FF) or (>= 0xFB1D and <= 0xFDFF) or (>= 0xFE70 and <= 0xFEFC)
            or (>= 0x10800 and <= 0x10FFF) or (>= 0x1E800 and <= 0x1EFFF);

    /// <summary>The text without what cannot be seen, for names that come from elsewhere and are not refused for it.</summary>
    public static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        var before = -1;
        for (var at = 0; at < text.Length;)
        {
            var status = Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out var used);
            var next = status == System.Buffers.OperationStatus.Done ? Following(text, at + used) : -1;
            if (status == System.Buffers.OperationStatus.Done && !IsHidden(rune.Value, before, next)) clean.Append(text, at, used);
            else if (status == System.Buffers.OperationStatus.Done && Rune.GetUnicodeCategory(rune) is UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator) clean.Append(' ');
            before = rune.Value;
            at += used;
        }

        return clean.ToString();
    }

    private static int? FirstHidden(string text)
    {
        var before = -1;
        for (var at = 0; at < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out var used) != System.Buffers.OperationStatus.Done) return text[at];
            if (IsHidden(rune.Value, before, Following(text, at + used))) return rune.Value;
            before = rune.Value;
            at += used;
        }

        return null;
    }

    private static int Following(string text, int at) =>
        at < text.Length && Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out _) == System.Buffers.OperationStatus.Done ? rune.Value : -1;

    private static bool IsHidden(int value, int before, int after)
    {
        // They join letters of some scripts, and people of an emoji; between letters of ours they do nothing but hide.
        if (value is JoinerOff or JoinerOn) return before <= 0x2FF || after <= 0x2FF || before is JoinerOff or JoinerOn;
        // An emoji's own colour.
        if (value is >= 0xFE00 and <= 0xFE0F) return before <= 0x7F && before is not ('#' or '*' or (>= '0' and <= '9'));
        // 0xFFFE and 0xFFFF of each plane are no characters and cannot be normalised.
        if (s_blank.Contains(value) || (value & 0xFFFE) == 0xFFFE) return true;
        return Rune.GetUnicodeCategory(new Rune(value)) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            || value is >= 0xE0100 and <= 0xE01EF;
    }
}
