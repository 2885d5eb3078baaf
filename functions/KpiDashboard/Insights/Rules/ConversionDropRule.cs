using KpiDashboard.Kpis;


namespace KpiDashboard.Insights.Rules;

/// <summary>Fewer orders per visit than before, beyond noise; what that was worth at today's visits and the average order of before, as <see cref="RevenueChangeRule"/> has it. Without a shop, fewer visits with a key event.</summary>
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
            var missing = RevenueChangeRule.OrdersAtRateOfBefore(visits.Now, visits.Before, orders.Before) - orders.Now;
            var (average, currency) = (facts.Before("shop.average_order_value")?.Value, facts.CurrencyOf(KpiCatalogue.Part("shop.revenue")));
            decimal? worth = average is not null && facts.Before("shop.revenue")?.Value is { } revenue ? RevenueChangeRule.Worth(missing, revenue, orders.Before) : null;
            var rates = proof.Percents(("Orders per visit", now, period.From, period.To), ("Orders per visit before", before, period.CompareFrom, period.CompareTo));
            var text = $"{rates[0]} of visits ended in an order, against {rates[1]} in {facts.Than(proof)}.";
            if (average is { } order && worth is { } money)
            {
                var orderKpi = KpiCatalogue.Part("shop.average_order_value");
                var more = proof.Number("Orders not made", decimal.Round(missing));
                var shownOrder = proof.Value(orderKpi, period.CompareFrom!.Value, period.CompareTo!.Value, order, currency, "Average order before");
                var notSold = proof.Money("Not sold", money, currency);
                var about = NumberText.About(notSold, NumberText.Read(more).Value * NumberText.Read(shownOrder).Value);
                text += $" At the rate of before, the visits would have brought about {more} more orders; at {shownOrder} each, the average order of before, "
                    + $"that is {about}{notSold}.";
            }

            yield return new Insight(
                "conversion_drop", "shop.transactions", InsightSeverity.Attention, text,
                proof, "/metrics/web.conversion_rate", "down", change)
            { Kpis = ["shop.transactions", "web.sessions"], Money = worth, Currency = worth is null ? null : currency };
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
