using KpiDashboard.Kpis.Catalogue;

namespace KpiDashboard.Kpis;

/// <summary>Every KPI the product knows. The page, the API and the engine read it from here alone.</summary>
internal static class KpiCatalogue
{
    /// <summary>All entries in the order of a dashboard: money first, then visitors, then automations.</summary>
    public static IReadOnlyList<KpiDefinition> All { get; } = [.. ShopKpis.All, .. WebKpis.All, .. AutomationKpis.All];

    /// <summary>Entries that a person sees.</summary>
    public static IReadOnlyList<KpiDefinition> Visible { get; } = [.. All.Where(kpi => !kpi.Hidden)];

    /// <summary>By connector, the KPI that every day has that was read at all: where it is missing, the day is.</summary>
    public static IReadOnlyDictionary<string, KpiDefinition> Pulses { get; } =
        All.Where(kpi => kpi.IsPulse).ToDictionary(kpi => kpi.Source, StringComparer.Ordinal);

    private static readonly Dictionary<string, KpiDefinition> ByKey = All.ToDictionary(kpi => kpi.Key, StringComparer.Ordinal);

    /// <summary>Whether values of this key are stored, that is, whether a connector may report it.</summary>
    public static bool IsStored(string key) => ByKey.TryGetValue(key, out var kpi) && kpi.Compute is null;

    /// <summary>The entry of a stored part, hidden or not.</summary>
    public static KpiDefinition Part(string key) => ByKey[key];

    /// <summary>The visible entry of a key, or null.</summary>
    public static KpiDefinition? Find(string key) => ByKey.TryGetValue(key, out var kpi) && !kpi.Hidden ? kpi : null;
}
