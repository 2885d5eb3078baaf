using KpiDashboard.Kpis;


namespace KpiDashboard.Insights.Rules;

/// <summary>Fewer orders per visit than before, beyond noise; what that was worth at today's visits and average order. Without a shop, fewer visits with a key event.</summary>
internal sealed class ConversionDropRule : IInsightRule
{
    private const decimal Much = 0.15m, FewestVisits = 200;

    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        if (facts.Change("web.sessions") is not { } visits || visits.Now < FewestVisits || visits.Before < FewestVisits) yield break;
        var (proof, period) = (new Proof(), facts.Period);
        if (facts.Change("shop.transactions") is { Before: > 0 } orders)
        {
            var (now, before) = (orders.Now / visits.Now, orders.Before / visits.Before);
            var change = (now - before) / before;
            // As many as the visits of now would have brought at the rate of before.
            if (change > -Much || !BusinessFacts.BeyondNoise(orders.Now, before * visits.Now)) yield break;
            var missing = (before - now) * visits.Now;
            var (average, currency) = (facts.Now("shop.average_order_value").Value, facts.CurrencyOf(KpiCatalogue.Part("shop.revenue")));
            var rates = proof.Percents(("Orders per visit", now, period.From, period.To), ("Orders per visit before", before, period.CompareFrom, period.CompareTo));
            yield return new Insight(
                "conversion_drop", "shop.transactions", InsightSeverity.Attention,
                $"{rates[0]} of visits ended in an order, against {rates[1]} in {facts.Than(proof)}."
                + (average is { } order ? $" At the rate of before, the visits would have brought {proof.Number("Orders not made", decimal.Round(missing))} more orders; at {proof.Value(KpiCatalogue.Part("shop.average_order_value"), period.From, period.To, order, currency)} each that is {proof.Money("Not sold", missing * order, currency)}." : ""),
                proof, "/metrics/web.conversion_rate", "down", change)
            { Kpis = ["shop.transactions", "web.sessions"], Money = missing * average, Currency = average is null ? null : currency };
            yield break;
        }

        if (facts.Change("web.conversion_rate") is not { } rate || rate.Change > -Much || !BusinessFacts.BeyondNoise(rate.Now * visits.Now, rate.Before * visits.Now)) yield break;
        var shown = proof.Values(rate.Kpi, null,
            (period.From, period.To, rate.Now, null), (period.CompareFrom!.Value, period.CompareTo!.Value, rate.Before, "Conversion before"));
        yield return new Insight(
            "conversion_drop", "web.conversion_rate", InsightSeverity.Attention,
            $"{shown[0]} of visits had a key event, against {shown[1]} in {facts.Than(proof)}.",
            proof, "/metrics/web.conversion_rate", "down", rate.Change)
        { Kpis = ["web.conversion_rate", "web.sessions"] };
    }
}
