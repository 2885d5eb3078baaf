using System.Globalization;
using KpiDashboard.Kpis;

namespace KpiDashboard.Insights;

/// <summary>
/// Writes the numbers of a sentence and keeps each as evidence, so that no number stands in a sentence that its answer does not also hold. Numbers are written for
/// English; the evidence has them exactly.
/// </summary>
internal sealed class Proof
{
    // Narrow symbols of CLDR, as the page's tiles have them; a business has one currency, so that a dollar is its own. Others go by their code.
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

    private readonly List<Evidence> _evidence = [];

    /// <summary>What the sentences so far rest on.</summary>
    public IReadOnlyList<Evidence> Evidence => _evidence;

    /// <summary>A value of a KPI over a range.</summary>
    public string Value(KpiDefinition kpi, DateOnly from, DateOnly to, decimal value, string? currency, string? label = null) =>
        Add(label ?? kpi.Name, kpi.Key, from, to, value, Shown(kpi.Unit, value, currency));

    /// <summary>An amount of money.</summary>
    public string Money(string label, decimal value, string? currency, DateOnly? from = null, DateOnly? to = null) => Add(label, null, from, to, value, Shown(KpiUnit.Currency, value, currency));

    /// <summary>A fraction as a percentage without its sign, which the words tell.</summary>
    public string Percent(string label, decimal fraction, string? kpi = null, DateOnly? from = null, DateOnly? to = null) => Add(label, kpi, from, to, fraction, Percentage(Math.Abs(fraction)));

    /// <summary>A number of things.</summary>
    public string Number(string label, decimal value, string? kpi = null, DateOnly? from = null, DateOnly? to = null) => Add(label, kpi, from, to, value, Shown(KpiUnit.Number, value, null));

    /// <summary>How often something happened.</summary>
    public string Times(string label, decimal value, string? kpi = null, DateOnly? from = null, DateOnly? to = null)
    {
        var shown = Number(label, value, kpi, from, to);
        return value == 1 ? "once" : $"{shown} times";
    }

    /// <summary>A day.</summary>
    public string Day(string label, DateOnly day) => Add(label, null, day, day, null, day.ToString("d MMM yyyy", CultureInfo.InvariantCulture));

    /// <summary>A value as a sentence has it: at most four significant figures of a rate, whole money from 100 on.</summary>
    public static string Shown(KpiUnit unit, decimal value, string? currency)
    {
        var (sign, size) = (value < 0 ? "−" : "", Math.Abs(value));
        return unit switch
        {
            KpiUnit.Currency => $"{sign}{(currency is null ? "" : Symbols.GetValueOrDefault(currency, currency + " "))}{size.ToString(size >= 100 ? "#,0" : "#,0.00", CultureInfo.InvariantCulture)}",
            KpiUnit.Ratio => sign + Percentage(size),
            KpiUnit.Seconds => $"{sign}{Plain(size)} s",
            KpiUnit.Milliseconds => $"{sign}{Plain(size)} ms",
            KpiUnit.Minutes => $"{sign}{Plain(size)} min",
            KpiUnit.Count or KpiUnit.Number or KpiUnit.Score => sign + Plain(size),
            _ => throw new ArgumentOutOfRangeException(nameof(unit), unit, null),
        };
    }

    private string Add(string label, string? kpi, DateOnly? from, DateOnly? to, decimal? value, string shown)
    {
        var evidence = new Evidence(label, kpi, from, to, value, shown);
        if (!_evidence.Contains(evidence)) _evidence.Add(evidence);
        return shown;
    }

    private static string Percentage(decimal size) => $"{(size * 100).ToString(size >= 0.1m ? "#,0" : "0.0", CultureInfo.InvariantCulture)}%";

    private static string Plain(decimal size) => size.ToString(size >= 100 ? "#,0" : size == decimal.Truncate(size) ? "0" : "0.##", CultureInfo.InvariantCulture);
}
