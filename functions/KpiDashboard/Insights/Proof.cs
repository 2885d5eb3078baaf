using System.Globalization;
using KpiDashboard.Kpis;

namespace KpiDashboard.Insights;

/// <summary>
/// Writes the numbers of a sentence and keeps each as evidence, so that no number stands in a sentence that its answer does not also hold. Numbers are written as the
/// reader's language has them; the evidence has them exactly.
/// </summary>
internal sealed class Proof
{
    private readonly List<Evidence> _evidence = [];

    /// <summary>What the sentences so far rest on.</summary>
    public IReadOnlyList<Evidence> Evidence => _evidence;

    /// <summary>A value of a KPI over a range.</summary>
    public string Value(KpiDefinition kpi, DateOnly from, DateOnly to, decimal value, string? currency, string? label = null) =>
        Add(label ?? kpi.Name, kpi.Key, from, to, value, NumberText.Shown(kpi.Unit, value, currency));

    /// <summary>An amount of money.</summary>
    public string Money(string label, decimal value, string? currency, DateOnly? from = null, DateOnly? to = null) => Add(label, null, from, to, value, NumberText.Shown(KpiUnit.Currency, value, currency));

    /// <summary>A fraction as a percentage without its sign, which the words tell.</summary>
    public string Percent(string label, decimal fraction, string? kpi = null, DateOnly? from = null, DateOnly? to = null) => Add(label, kpi, from, to, fraction, NumberText.Shown(KpiUnit.Ratio, Math.Abs(fraction), null));

    /// <summary>A number of things.</summary>
    public string Number(string label, decimal value, string? kpi = null, DateOnly? from = null, DateOnly? to = null) => Add(label, kpi, from, to, value, NumberText.Shown(KpiUnit.Number, value, null));

    /// <summary>How often something happened.</summary>
    public string Times(string label, decimal value, string? kpi = null, DateOnly? from = null, DateOnly? to = null)
    {
        var shown = Number(label, value, kpi, from, to);
        return value == 1 ? "once" : $"{shown} times";
    }

    /// <summary>A day.</summary>
    public string Day(string label, DateOnly day) => Add(label, null, day, day, null, day.ToString("d MMM yyyy", CultureInfo.InvariantCulture));

    /// <summary>Values of one KPI that a sentence compares: with the digits that tell them apart.</summary>
    public IReadOnlyList<string> Values(
        KpiDefinition kpi, string? currency, params ReadOnlySpan<(DateOnly From, DateOnly To, decimal Value, string? Label)> values)
    {
        var shown = NumberText.Apart(kpi.Unit, currency, [.. values.ToArray().Select(value => value.Value)]);
        for (var index = 0; index < values.Length; index++)
        {
            var (from, to, value, label) = values[index];
            Add(label ?? kpi.Name, kpi.Key, from, to, value, shown[index]);
        }

        return shown;
    }

    /// <summary>Fractions that a sentence compares.</summary>
    public IReadOnlyList<string> Percents(params ReadOnlySpan<(string Label, decimal Fraction, DateOnly? From, DateOnly? To)> fractions)
    {
        var shown = NumberText.Apart(KpiUnit.Ratio, null, [.. fractions.ToArray().Select(item => Math.Abs(item.Fraction))]);
        for (var index = 0; index < fractions.Length; index++)
        {
            var (label, fraction, from, to) = fractions[index];
            Add(label, null, from, to, fraction, shown[index]);
        }

        return shown;
    }

    /// <summary>Amounts that a sentence compares.</summary>
    public IReadOnlyList<string> Moneys(string? currency, params ReadOnlySpan<(string Label, decimal Value, DateOnly? From, DateOnly? To)> values)
    {
        var shown = NumberText.Apart(KpiUnit.Currency, currency, [.. values.ToArray().Select(value => value.Value)]);
        for (var index = 0; index < values.Length; index++)
        {
            var (label, value, from, to) = values[index];
            Add(label, null, from, to, value, shown[index]);
        }

        return shown;
    }

    private string Add(string label, string? kpi, DateOnly? from, DateOnly? to, decimal? value, string shown)
    {
        var evidence = new Evidence(label, kpi, from, to, value, shown);
        if (!_evidence.Contains(evidence)) _evidence.Add(evidence);
        return shown;
    }
}
