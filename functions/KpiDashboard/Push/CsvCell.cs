using System.Text;
using System.Text.RegularExpressions;

namespace KpiDashboard.Push;

/// <summary>A cell as programs write it: what of it is the number or the day, and what stands around that.</summary>
/// <param name="Number">The number alone, with an ordinary minus.</param>
/// <param name="Mark">A sign of a currency, a currency's code or <c>%</c> beside the number; null for none.</param>
internal readonly partial record struct CsvCell(string Number, string? Mark)
{
    // Minus, hyphens, dashes as spreadsheets and typographers have them.
    private const string Minuses = "\u2212\u2010\u2011\u2012\u2013\uFE63\uFF0D";

    /// <summary>
    /// Takes a cell apart: <c>(123.45)</c> and <c>−100,00</c> are negative, <c>$2,450.00</c> and <c>12,50 EUR</c> have a sign. What is no number stays as it is and is
    /// refused as none.
    /// </summary>
    public static CsvCell Of(string text)
    {
        var plain = text.Trim();
        if (plain.Length is 0 or > 60) return new CsvCell(plain, null);
        plain = string.Concat(plain.Select(c => Minuses.Contains(c, StringComparison.Ordinal) ? '-' : c));
        var negative = plain[0] == '(' && plain[^1] == ')';
        if (negative) plain = plain[1..^1].Trim();
        var (sign, rest) = Sign(plain);
        var core = Core().Match(rest);
        if (!core.Success) return new CsvCell(plain, null);
        var (before, number, after) = (core.Groups["before"].Value.Trim(), core.Groups["number"].Value.Trim(), core.Groups["after"].Value.Trim());
        // A minus on both sides of a currency's sign, or brackets and a minus, is a riddle: left as it was.
        var (inner, bare) = Sign(number);
        if ((before.Length > 0 && after.Length > 0) || (sign.Length > 0 && inner.Length > 0) || (negative && (sign.Length > 0 || inner.Length > 0)))
            return new CsvCell(text.Trim(), null);
        // "1.250,-" is a price without cents, and its mark stays: it tells how the file writes numbers. Some ledgers write the minus behind.
        if (after.StartsWith('-') && bare.Length > 1 && bare[^1] is ',' or '.') after = after.TrimStart('-').Trim();
        else if (after == "-" && sign.Length == 0 && inner.Length == 0 && !negative) (negative, after) = (true, "");
        return new CsvCell((negative ? "-" : sign + inner) + bare, before.Length > 0 ? before : after.Length > 0 ? after : null);

        static (string Sign, string Bare) Sign(string text) => text.Length > 0 && text[0] is '-' or '+' ? (text[..1], text[1..].TrimStart()) : ("", text);
    }

    /// <summary>The day of a cell without a midnight behind it, or why it is none.</summary>
    public static (string Day, string? Problem) DayOf(string text)
    {
        if (text.Length > 60 || Timed().Match(text) is not { Success: true } match) return (text, null);
        if (match.Groups["zone"].Success)
            return (text, $"'{CustomReadings.Short(text)}' has a time zone in it ('{match.Groups["zone"].Value}'): give the day of your business alone, like 2026-12-31.");
        var (hour, half) = (int.Parse(match.Groups["hour"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture), match.Groups["half"].Value.ToUpperInvariant());
        var isMidnight = match.Groups["minute"].Value == "00" && match.Groups["second"].Value is "" or "00" && match.Groups["fraction"].Value.All(c => c == '0')
            && (half switch { "AM" => hour == 12, "PM" => false, _ => hour == 0 });
        return isMidnight
            ? (match.Groups["day"].Value, null)
            : (text, $"'{CustomReadings.Short(text)}' has a time of day in it ('{match.Groups["time"].Value}'): a value is that of a whole day, like 2026-12-31.");
    }

    /// <summary>A name as it is compared: composed, so that <c>ü</c> of two code points is <c>ü</c>, and without blanks around it.</summary>
    public static string Name(string text)
    {
        try
        {
            return text.Trim().Normalize(NormalizationForm.FormC);
        }
        catch (ArgumentException)
        {
            // Not normalizable: compared as it is.
            return text.Trim();
        }
    }

    [GeneratedRegex(@"^(?<before>[^0-9.,+-]*)(?<number>[+-]?\s*[0-9.,](.*[0-9.,])?)(?<after>[^0-9.,]*)\z", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Core();

    [GeneratedRegex(
        @"^(?<day>\S+)[T ]+(?<time>(?<hour>[0-9]{1,2}):(?<minute>[0-9]{2})(:(?<second>[0-9]{2})([.,](?<fraction>[0-9]{1,9}))?)?( ?(?<half>[AaPp][Mm]))?) ?(?<zone>Z|z|UTC|GMT|[+-][0-9]{2}:?([0-9]{2})?)?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Timed();
}
