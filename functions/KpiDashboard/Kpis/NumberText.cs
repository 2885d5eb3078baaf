using System.Globalization;
using KpiDashboard.Api;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Kpis;

/// <summary>
/// Numbers as a sentence has them, as its reader writes them (<see cref="NumberLanguage"/>): few digits, but where numbers stand beside each other the digits that tell them apart. "100% of 100%: missed" is what
/// rounding each by itself makes of 99.85 % and 99.9 %.
/// </summary>
internal static class NumberText
{
    // More decimals than values are kept with.
    private const int MostDecimals = 10;

    // Narrow symbols of CLDR, as the page's tiles have them. Others go by their code.
    private static readonly Dictionary<string, string> Symbols = new(StringComparer.Ordinal)
    {
        ["USD"] = "$",
        ["CAD"] = "$",
        ["AUD"] = "$",
        ["NZD"] = "$",
        ["SGD"] = "$",
        ["HKD"] = "$",
        ["MXN"] = "$",
        ["EUR"] = "€",
        ["GBP"] = "£",
        ["JPY"] = "¥",
        ["CNY"] = "¥",
        ["INR"] = "₹",
    };

    /// <summary>A number by itself: whole from 100 on, money below that with its currency's own decimals, a rate whole from 10 % on.</summary>
    public static string Shown(KpiUnit unit, decimal value, string? currency) => Write(unit, value, currency, null);

    /// <summary>
    /// Numbers of one unit that are compared: as each would be by itself, with as many more decimals as it takes that no two different ones look alike. What cannot be
    /// told apart in <see cref="MostDecimals"/> decimals is the same.
    /// </summary>
    public static IReadOnlyList<string> Apart(KpiUnit unit, string? currency, params IReadOnlyList<decimal> values) => Apart(unit, currency, _ => true, values);

    /// <summary>The same with up to two decimals where something else takes them: what is reckoned from them.</summary>
    public static IReadOnlyList<string> Apart(KpiUnit unit, string? currency, Func<IReadOnlyList<string>, bool> enough, IReadOnlyList<decimal> values)
    {
        int? decimals = null;
        for (; ; )
        {
            List<string> shown = [.. values.Select(value => Write(unit, value, currency, decimals))];
            if ((shown.Distinct(StringComparer.Ordinal).Count() >= values.Distinct().Count() && (enough(shown) || decimals >= 2)) || decimals >= MostDecimals) return shown;
            decimals = decimals is { } before ? before + 1 : unit == KpiUnit.Currency ? Currencies.Decimals(currency) : 1;
        }
    }

    /// <summary>The number that a text shows, and its decimals: what its reader has to reckon with. A percentage is read as it stands: 12.5 of "12.5%".</summary>
    public static (decimal Value, int Decimals) Read(string shown)
    {
        var point = NumberLanguage.Current.NumberFormat.NumberDecimalSeparator[0];
        var (value, decimals, negative, behind) = (0m, 0, false, false);
        for (var place = 0; place < shown.Length; place++)
        {
            if (char.IsAsciiDigit(shown[place]))
            {
                value = (value * 10) + (shown[place] - '0');
                if (behind) decimals++;
            }
            else if (shown[place] == point && place + 1 < shown.Length && char.IsAsciiDigit(shown[place + 1]) && place > 0 && char.IsAsciiDigit(shown[place - 1])) behind = true;
            else if (shown[place] is '−' or '-') negative = true;
        }

        for (var place = 0; place < decimals; place++) value /= 10;
        return (negative ? -value : value, decimals);
    }

    /// <summary>"about ", where a reader who reckons with the other numbers of the sentence comes to another result than it shows.</summary>
    /// <param name="shown">The result as it is shown.</param>
    /// <param name="reckoned">What the numbers that are shown give.</param>
    public static string About(string shown, decimal reckoned)
    {
        var (value, decimals) = Read(shown);
        return decimal.Round(reckoned, decimals, MidpointRounding.AwayFromZero) == value ? "" : "about ";
    }

    /// <summary>A fraction as a whole percentage.</summary>
    public static string PercentWhole(decimal fraction) =>
        Percent((fraction * 100).ToString("0", NumberLanguage.Current.NumberFormat), NumberLanguage.Current.NumberFormat);

    /// <summary>A fraction as a percentage, with the digits that tell it from another.</summary>
    public static string PercentApart(decimal fraction, decimal other) => Apart(KpiUnit.Ratio, null, fraction, other)[0];

    /// <param name="decimals">At most so many; null for what suits the number alone. Of money these are all written, of anything else those that count.</param>
    private static string Write(KpiUnit unit, decimal value, string? currency, int? decimals)
    {
        var (negative, size) = (value < 0, Math.Abs(value));
        var numbers = NumberLanguage.Current.NumberFormat;
        var text = unit switch
        {
            KpiUnit.Currency => size.ToString(Money(size, Currencies.Decimals(currency), decimals), numbers),
            KpiUnit.Ratio => Percentage(size, decimals, numbers),
            _ => Plain(size, decimals, numbers),
        };
        // "−0" is no number that anybody knows.
        var sign = negative && text.AsSpan().IndexOfAnyInRange('1', '9') >= 0 ? "−" : "";
        return sign + unit switch
        {
            KpiUnit.Currency => currency is null ? text : WithSymbol(text, currency, numbers),
            KpiUnit.Ratio or KpiUnit.Count or KpiUnit.Number or KpiUnit.Score => text,
            KpiUnit.Seconds => $"{text} s",
            KpiUnit.Milliseconds => $"{text} ms",
            KpiUnit.Minutes => $"{text} min",
            _ => throw new ArgumentOutOfRangeException(nameof(unit), unit, null),
        };
    }

    private static string Money(decimal size, int own, int? decimals) => Format((decimals ?? (size >= 100 ? 0 : own)) is var wanted && wanted > own ? own : wanted, wanted);

    /// <summary>A format of so many decimals that are always written, and so many that may be.</summary>
    private static string Format(int always, int most) =>
        most == 0 ? "#,0" : $"#,0.{new string('0', Math.Min(always, most))}{new string('#', Math.Max(0, most - always))}";

    /// <summary>Before the amount, or behind it with a space that does not break.</summary>
    private static string WithSymbol(string text, string currency, NumberFormatInfo numbers)
    {
        var known = Symbols.TryGetValue(currency, out var symbol);
        symbol ??= currency;
        return numbers.CurrencyPositivePattern switch
        {
            1 or 3 => $"{text}\u00a0{symbol}",
            2 => $"{symbol}\u00a0{text}",
            _ => known ? symbol + text : $"{symbol} {text}",
        };
    }

    private static string Percentage(decimal size, int? decimals, NumberFormatInfo numbers)
    {
        // The product of a very great number does not fit; nobody reads its digits.
        var percent = size > decimal.MaxValue / 100 ? decimal.MaxValue : size * 100;
        var text = percent.ToString(decimals is { } most ? Format(0, most) : size >= 0.1m ? "#,0" : "0.0", numbers);
        return Percent(text, numbers);
    }

    /// <summary>
    /// With its sign where the language has it. The invariant culture, which is English for us, would have a space before it, which English has not.
    /// </summary>
    private static string Percent(string text, NumberFormatInfo numbers) => numbers.PercentPositivePattern switch
    {
        _ when ReferenceEquals(numbers, CultureInfo.InvariantCulture.NumberFormat) => text + "%",
        0 => text + "\u00a0%",
        2 => "%" + text,
        3 => "%\u00a0" + text,
        _ => text + "%",
    };

    private static string Plain(decimal size, int? decimals, NumberFormatInfo numbers) =>
        decimals is { } most ? size.ToString(Format(0, Math.Max(most, size >= 100 ? 0 : 2)), numbers)
        : size.ToString(size >= 100 ? "#,0" : size == decimal.Truncate(size) ? "0" : "0.##", numbers);
}
