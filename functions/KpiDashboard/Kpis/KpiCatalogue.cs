namespace KpiDashboard.Kpis;

/// <summary>
/// Every KPI the product knows: what <see cref="BringsKpisAttribute{T}"/> registers. The page, the API and the engine read it from here
/// alone.
/// </summary>
internal static class KpiCatalogue
{
    /// <summary>Who brings KPIs.</summary>
    internal static IReadOnlyList<IKpisBrought> Brought =>
        [.. typeof(KpiCatalogue).Assembly.GetCustomAttributes(inherit: false).OfType<IKpisBrought>()];

    /// <summary>All entries in the order of a dashboard: by topic, money first.</summary>
    public static IReadOnlyList<KpiDefinition> All { get; } = InOrder(Brought);

    /// <summary>Entries that a person sees.</summary>
    public static IReadOnlyList<KpiDefinition> Visible { get; } = [.. All.Where(kpi => !kpi.Hidden)];

    /// <summary>By connector, the KPI that every day has that was read at all: where it is missing, the day is.</summary>
    public static IReadOnlyDictionary<string, KpiDefinition> Pulses { get; } =
        All.Where(kpi => kpi.IsPulse).ToDictionary(kpi => kpi.Source, StringComparer.Ordinal);

    private static readonly Dictionary<string, KpiDefinition> ByKey = All.ToDictionary(kpi => kpi.Key, StringComparer.Ordinal);

    private static readonly ILookup<KpiTopic, KpiDefinition> ByTopic =
        Brought.SelectMany(list => InOrder([list]).Select(kpi => (list.Topic, Kpi: kpi))).ToLookup(one => one.Topic, one => one.Kpi);

    /// <summary>What is about a topic, hidden parts included.</summary>
    public static IEnumerable<KpiDefinition> Of(KpiTopic topic) => ByTopic[topic];

    /// <summary>Whether a connector reports what is about a topic.</summary>
    public static bool Reports(string connector, KpiTopic topic) => ByTopic[topic].Any(kpi => kpi.Source == connector);

    /// <summary>Whether values of this key are stored, that is, whether a connector may report it.</summary>
    public static bool IsStored(string key) => ByKey.TryGetValue(key, out var kpi) && kpi.Compute is null;

    /// <summary>The entry of a stored part, hidden or not.</summary>
    public static KpiDefinition Part(string key) => ByKey[key];

    /// <summary>The visible entry of a key, or null.</summary>
    public static KpiDefinition? Find(string key) => ByKey.TryGetValue(key, out var kpi) && !kpi.Hidden ? kpi : null;

    /// <summary>What is brought, by topic; within one by the name of who brings it, so that the compiler's order is no matter.</summary>
    internal static IReadOnlyList<KpiDefinition> InOrder(IEnumerable<IKpisBrought> brought) =>
        [.. brought.OrderBy(list => list.Topic).ThenBy(list => list.List.FullName, StringComparer.Ordinal).SelectMany(list => list.Kpis())];
}
