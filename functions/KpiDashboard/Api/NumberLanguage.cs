using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace KpiDashboard.Api;

/// <summary>
/// How numbers are written in the sentences of an answer: as the reader's own language writes them (RFC 9110, Accept-Language), because a page writes its own so,
/// and "24,671" beside "58.271" would be read as 24.671. Words stay English, and so do the digits: of a language of another script only the region is kept, as the
/// page does (static-web/src/lib/locale.ts). Who names no language gets English.
/// </summary>
internal static class NumberLanguage
{
    /// <summary>Longest tag that is looked at (RFC 5646 needs 35).</summary>
    private const int Longest = 35;

    private static readonly AsyncLocal<CultureInfo?> s_current = new();

    /// <summary>The one of the answer that is being made.</summary>
    public static CultureInfo Current => s_current.Value ?? CultureInfo.InvariantCulture;

    /// <summary>Writes what follows in this asynchronous call for the reader of a request; its name, for a tag of the answer.</summary>
    /// <param name="acceptLanguage">The header.</param>
    public static string WriteFor(StringValues acceptLanguage)
    {
        var culture = Of(acceptLanguage);
        s_current.Value = culture;
        return culture.Name;
    }

    /// <summary>Of the language that is named first, as a browser's own is; English for none, or for what is no language.</summary>
    internal static CultureInfo Of(StringValues acceptLanguage)
    {
        var first = (acceptLanguage.Count > 0 ? acceptLanguage[0] : null) ?? "";
        var tag = first.AsSpan(0, first.AsSpan().IndexOfAny(',', ';') is var end and >= 0 ? end : first.Length).Trim();
        if (tag.Length is 0 or > Longest) return CultureInfo.InvariantCulture;
        foreach (var letter in tag)
        {
            if (!char.IsAsciiLetterOrDigit(letter) && letter != '-') return CultureInfo.InvariantCulture;
        }

        return Known(tag.ToString()) is not { } culture ? CultureInfo.InvariantCulture
            : IsLatin(culture) ? culture
            : Region(culture) is { } region && Known($"en-{region}") is { } english ? english
            : CultureInfo.InvariantCulture;
    }

    private static CultureInfo? Known(string tag)
    {
        try
        {
            // Without what a tag may ask for besides ("de-u-nu-arab").
            var extension = tag.IndexOf("-u-", StringComparison.OrdinalIgnoreCase);
            return CultureInfo.GetCultureInfo(extension < 0 ? tag : tag[..extension], predefinedOnly: true);
        }
        catch (CultureNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Whether it is written with Latin letters: its own name is.</summary>
    private static bool IsLatin(CultureInfo culture)
    {
        foreach (var letter in culture.NativeName)
        {
            // Latin with its extensions, and the additional ones that Vietnamese needs.
            if (letter == '(') break;
            if (char.IsLetter(letter) && letter is not (< '\u0250' or (>= '\u1E00' and <= '\u1EFF'))) return false;
        }

        return true;
    }

    private static string? Region(CultureInfo culture)
    {
        try
        {
            return new RegionInfo(culture.IsNeutralCulture ? CultureInfo.CreateSpecificCulture(culture.Name).Name : culture.Name)
                .TwoLetterISORegionName;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
