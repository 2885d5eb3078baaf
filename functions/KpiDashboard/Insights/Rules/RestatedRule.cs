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
        var old = proof.Value(kpi, first.Day, first.Day, first.Old, currency, "Before");
        var text = first.New is { } now
            ? $"{kpi.Name} of {proof.Day("Day", first.Day)} changed from {old} to {proof.Value(kpi, first.Day, first.Day, now, currency, "After")} after the day had ended"
            : $"{kpi.Name} of {proof.Day("Day", first.Day)}, {old}, was withdrawn by the source";
        yield return new Insight(
            "restated", "all", InsightSeverity.Info, large.Count == 1 ? text + "." : $"{text}; {proof.Number("Other values", large.Count - 1)} other values of the period changed, too.",
            proof, $"/metrics/{kpi.Key}", $"{first.Kpi} {first.Day:yyyy-MM-dd}", Share(first))
        { Kpis = [.. large.Select(change => change.Kpi).Distinct(StringComparer.Ordinal)] };
    }

    private static decimal Share(RestatedFacts change) => change.New is { } now ? change.Old == 0 ? now == 0 ? 0 : 1 : Math.Abs(now - change.Old) / Math.Abs(change.Old) : 1;
}
