using KpiDashboard.Connectors.GoogleAnalytics;
using KpiDashboard.Kpis;
using static KpiDashboard.Kpis.KpiInputs;

[assembly: BringsKpis<ShopKpis>(KpiTopic.Money)]

namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>What the shop sells, from Google Analytics 4 e-commerce events.</summary>
internal sealed class ShopKpis : IKpiList
{
    private const string Source = "google-analytics";

    /// <inheritdoc />
    public IReadOnlyList<KpiDefinition> All { get; } =
    [
        new()
        {
            Key = "shop.revenue", Name = "Revenue", Description = "Purchases, subscriptions and advertising as Google Analytics saw them; your books may differ.",
            Unit = KpiUnit.Currency, Direction = KpiDirection.Up, Aggregation = KpiAggregation.Sum, Source = Source, IsDivided = true,
        },
        new()
        {
            Key = "shop.transactions", Name = "Orders", Description = "Completed purchases.",
            Unit = KpiUnit.Count, Direction = KpiDirection.Up, Aggregation = KpiAggregation.Sum, Source = Source, IsDivided = true,
        },
        new()
        {
            Key = "shop.average_order_value", Name = "Average order", Description = "What one order brings on average.",
            Unit = KpiUnit.Currency, Direction = KpiDirection.Up, Aggregation = KpiAggregation.Ratio, Source = Source,
            Formula = "revenue ÷ orders", Parts = ["shop.revenue", "shop.transactions"], Compute = i => Divide(i["shop.revenue"], i["shop.transactions"]),
        },
        new()
        {
            Key = "shop.revenue_per_session", Name = "Revenue per visit", Description = "What one visit brings on average.",
            Unit = KpiUnit.Currency, Direction = KpiDirection.Up, Aggregation = KpiAggregation.Ratio, Source = Source,
            Formula = "revenue ÷ sessions", Parts = ["shop.revenue", "web.sessions"], Compute = i => Divide(i["shop.revenue"], i["web.sessions"]),
        },
    ];
}
