using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;

namespace KpiDashboard.Dashboards;

/// <summary>
/// Dashboards to begin with. A template holds only what the business measures: a tile of a KPI without a reading would stand there empty every morning.
/// </summary>
internal static class DashboardTemplates
{
    private static readonly Plan[] Plans =
    [
        new("morning", "Morning check", "Sales, visits and automations on one screen, for the first coffee.",
            ["shop.revenue", "web.sessions", "web.conversion_rate", "automation.time_saved"], ["shop.revenue", "web.sessions"], Automation: true),
        new("shop", "Shop", "What is sold, how much an order brings, and what a visit is worth.",
            ["shop.revenue", "shop.transactions", "shop.average_order_value", "shop.revenue_per_session"], ["shop.revenue", "shop.transactions"], Needs: "shop."),
        new("website", "Website", "Who comes, whether they stay, and whether they do what you hoped.",
            ["web.sessions", "web.active_users", "web.engagement_rate", "web.conversion_rate"], ["web.sessions", "web.engagement_rate"], Needs: "web."),
        new("automation", "Automation", "Hours saved, what they are worth, and which workflow failed.",
            ["automation.time_saved", "automation.success_rate", "automation.executions", "automation.failed"], ["automation.time_saved"], Automation: true, Needs: "automation."),
        new("wall", "Wall screen", "Six large numbers that can be read from across the room.",
            ["shop.revenue", "web.sessions", "web.conversion_rate", "shop.transactions", "automation.time_saved", "automation.success_rate"], [], NumberWidth: 4, NumberHeight: 2, Freshness: false),
    ];

    /// <summary>The templates for a business: those that have something to show first; the first of these is what is suggested.</summary>
    public static IReadOnlyList<DashboardTemplate> For(IReadOnlySet<string> measured, TenantCatalogue catalogue, IReadOnlyCollection<SourceState> sources)
    {
        var own = catalogue.Own.Where(kpi => measured.Contains(kpi.Key)).Select(kpi => kpi.Key).Take(12).ToList();
        var plans = own.Count == 0 ? Plans
            : [.. Plans, new Plan("own", "Your own numbers", "The KPIs that you defined and push or import yourself.", own, [.. own.Take(2)])];
        var automates = sources.Any(source => source.IsConnected && KpiCatalogue.Reports(source.Connector, KpiTopic.Automations));
        var ready = plans.Where(plan => plan.Numbers.Any(measured.Contains) && (plan.Needs is not { } prefix || measured.Any(key => key.StartsWith(prefix, StringComparison.Ordinal)))).ToList();
        return [.. ready.Select((plan, index) => new DashboardTemplate(plan.Key, plan.Name, plan.Description, index == 0, Tiles(plan, measured, automates)))];
    }

    /// <summary>Keys of the KPIs that have a reading.</summary>
    public static async Task<IReadOnlySet<string>> MeasuredAsync(TenantTransaction tx, TenantCatalogue catalogue)
    {
        var keys = catalogue.All.SelectMany(kpi => kpi.Parts).Distinct(StringComparer.Ordinal).ToArray();
        // One index probe a key; grouping would read every row of the tenant.
        var known = (await tx.QueryAsync<string>(
            """
            select k.key from kpi_keys k
            where k.tenant_id = @tenant and k.key = any (@keys) and exists (select 1 from kpi_months m where m.tenant_id = @tenant and m.kpi = k.number)
            """, new { keys })).ToHashSet(StringComparer.Ordinal);
        return catalogue.Visible.Where(kpi => kpi.Parts.All(known.Contains)).Select(kpi => kpi.Key).ToHashSet(StringComparer.Ordinal);
    }

    private static List<DashboardTile> Tiles(Plan plan, IReadOnlySet<string> measured, bool automates)
    {
        var tiles = new List<DashboardTile>();
        void Add(DashboardTileKind kind, int width, int height, string? kpi = null) => tiles.Add(new DashboardTile($"t{tiles.Count + 1}", kind, width, height, kpi));
        foreach (var kpi in plan.Numbers.Where(measured.Contains)) Add(DashboardTileKind.Kpi, plan.NumberWidth, plan.NumberHeight, kpi);
        var charts = plan.Charts.Where(measured.Contains).ToList();
        foreach (var kpi in charts) Add(DashboardTileKind.Chart, charts.Count == 1 ? 12 : 6, 3, kpi);
        if (plan.Automation && automates) Add(DashboardTileKind.Automation, plan.Freshness ? 8 : 12, 3);
        if (plan.Freshness) Add(DashboardTileKind.Freshness, plan.Automation && automates ? 4 : 12, plan.Automation && automates ? 3 : 2);
        return tiles;
    }

    private sealed record Plan(
        string Key, string Name, string Description, IReadOnlyList<string> Numbers, IReadOnlyList<string> Charts, bool Automation = false, string? Needs = null,
        int NumberWidth = 3, int NumberHeight = 1, bool Freshness = true);
}
