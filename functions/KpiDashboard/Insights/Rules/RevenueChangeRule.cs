
namespace KpiDashboard.Insights.Rules;

/// <summary>
/// Revenue against the period before, and how much of the difference comes with each factor of revenue = sessions × orders per session × average order. The logarithms
/// of the factors add up, so that shares of them add up to the difference; what is behind a factor nobody here knows.
/// </summary>
internal sealed class RevenueChangeRule : IInsightRule
{
    private const decimal Worth = 0.05m, Much = 0.10m;
    private static readonly string[] FactorKeys = ["shop.revenue", "web.sessions", "shop.transactions"];

    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        if (facts.Change("shop.revenue") is not { } revenue || Math.Abs(revenue.Change) < Worth) yield break;
        if (facts.Change("shop.transactions") is { } orders && !BusinessFacts.BeyondNoise(orders.Now, orders.Before) && Math.Abs(revenue.Change) < Much * 2) yield break;
        var (proof, currency) = (new Proof(), facts.CurrencyOf(revenue.Kpi));
        var (period, gap) = (facts.Period, revenue.Now - revenue.Before);
        var shown = proof.Values(revenue.Kpi, currency,
            (period.From, period.To, revenue.Now, null), (period.CompareFrom!.Value, period.CompareTo!.Value, revenue.Before, "Revenue before"));
        var text = $"Revenue is {proof.Percent("Change", revenue.Change, revenue.Kpi.Key, period.From, period.To)} {(gap < 0 ? "below" : "above")} {facts.Than(proof)}: "
            + $"{shown[0]} against {shown[1]}.";
        if (Factors(facts, revenue.Now, revenue.Before) is { } factors)
        {
            // What goes the other way is told apart, without signs: "−$3,208 comes with fewer visits" is read as its opposite. What is next to nothing is evidence, not news.
            var difference = proof.Money("Difference", Math.Abs(gap), currency);
            var told = factors.Select(factor => (factor.Words, factor.Share, Shown: proof.Money(factor.Name, factor.Share, currency, period.From, period.To).TrimStart('−')))
                .Where(factor => Math.Abs(factor.Share) >= Math.Abs(gap) / 200).ToLookup(factor => factor.Share > 0 == gap > 0);
            text += $" Of the {(gap < 0 ? "drop" : "rise")} of {difference}, {Listed(told[true].Select(factor => $"{factor.Shown} comes with {factor.Words}"))}"
                + (told[false].Any() ? $"; {Listed(told[false].Select(factor => $"{factor.Words} {(gap < 0 ? "made up for" : "took back")} {factor.Shown}"))}." : ".");
        }

        yield return new Insight(
            "revenue_change", revenue.Kpi.Key, gap < 0 ? Math.Abs(revenue.Change) >= Much ? InsightSeverity.Attention : InsightSeverity.Info : InsightSeverity.Good, text, proof,
            $"/metrics/{revenue.Kpi.Key}", gap < 0 ? "down" : "up", revenue.Change)
        { Kpis = ["shop.revenue", "web.sessions", "shop.transactions", "shop.average_order_value"], Money = Math.Abs(gap), Currency = currency };
    }

    private static string Listed(IEnumerable<string> parts) => parts.ToList() is [.. { Count: > 0 } head, var last] ? $"{string.Join(", ", head)} and {last}" : parts.Single();

    /// <summary>Signed shares of the difference by factor; null where a factor is zero or not known on both sides.</summary>
    internal static IReadOnlyList<(string Name, string Words, decimal Share)>? Factors(BusinessFacts facts, decimal now, decimal before)
    {
        if (facts.Change("web.sessions") is not { Now: > 0, Before: > 0 } visits || facts.Change("shop.transactions") is not { Now: > 0, Before: > 0 } orders || now <= 0 || before <= 0 || now == before) return null;
        // Days without one of the three would make their product another number than the revenue.
        if (FactorKeys.Any(key => facts.Now(key).KnownDays < facts.Days)) return null;
        var whole = Math.Log((double)(now / before));
        decimal Share(decimal factor) => decimal.Round((now - before) * (decimal)(Math.Log((double)factor) / whole), 2);
        var (perVisit, perOrder) = (orders.Now / visits.Now / (orders.Before / visits.Before), now / orders.Now / (before / orders.Before));
        return
        [
            ("Visits", visits.Change < 0 ? "fewer visits" : "more visits", Share(visits.Now / visits.Before)),
            ("Orders per visit", perVisit < 1 ? "fewer orders per visit" : "more orders per visit", Share(perVisit)),
            ("Average order", perOrder < 1 ? "a smaller average order" : "a larger average order", Share(perOrder)),
        ];
    }
}
