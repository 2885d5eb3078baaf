
namespace KpiDashboard.Insights.Rules;

/// <summary>Values of the period that the source changed within the last week, after their day had ended; the largest by share is told.</summary>
internal sealed class RestatedRule : IInsightRule
{
    private const decimal Worth = 0.02m;

    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        var large = facts.Restated.Where(change => Share(change) >= Worth).OrderByDescending(Share).ThenBy(change => change.Day).ToList();
        if (large.Count == 0) yield break;
        var (first, proof) = (large[0], new Proof());
        var kpi = facts.Catalogue.Find(first.Kpi)!;
        var currency = facts.CurrencyOf(kpi);
        var shown = proof.Values(kpi, currency,
            [(first.Day, first.Day, first.Old, "Before"),
            .. first.New is { } after ? [(first.Day, first.Day, after, "After")] : Array.Empty<(DateOnly, DateOnly, decimal, string?)>()]);
        var text = first.New is not null
            ? $"{kpi.Name} of {proof.Day("Day", first.Day)} changed from {shown[0]} to {shown[1]} after the day had ended"
            : $"{kpi.Name} of {proof.Day("Day", first.Day)}, {shown[0]}, was withdrawn by the source";
        yield return new Insight(
            "restated", "all", InsightSeverity.Info, large.Count == 1 ? text + "." : $"{text}; {proof.Number("Other values", large.Count - 1)} other values of the period changed, too.",
            proof, $"/metrics/{kpi.Key}", $"{first.Kpi} {first.Day:yyyy-MM-dd}", Share(first))
        { Kpis = [.. large.Select(change => change.Kpi).Distinct(StringComparer.Ordinal)] };
    }

    private static decimal Share(RestatedFacts change) => change.New is { } now ? change.Old == 0 ? now == 0 ? 0 : 1 : Math.Abs(now - change.Old) / Math.Abs(change.Old) : 1;
}
