using KpiDashboard.Connectors.GoogleAnalytics;
using KpiDashboard.Kpis;
using static KpiDashboard.Kpis.KpiInputs;

[assembly: BringsKpis<WebKpis>(KpiTopic.Visitors)]

namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>What happens on the web site, from Google Analytics 4. Metric meanings: https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema</summary>
internal sealed class WebKpis : IKpiList
{
    private const string Source = "google-analytics";

    /// <inheritdoc />
    public IReadOnlyList<KpiDefinition> All { get; } =
    [
        Stored("web.sessions", "Sessions", "Visits to the site; one person may come several times.", KpiUnit.Count, KpiAggregation.Sum) with { IsDivided = true, IsPulse = true },
        Stored("web.active_users", "Active users a day", "Different people who used the site on a day. The same person on two days counts on both, so a range shows the daily mean.", KpiUnit.Count, KpiAggregation.DailyMean),
        Stored("web.total_users", "Visitors a day", "Different people who reached the site on a day, active or not. A range shows the daily mean.", KpiUnit.Count, KpiAggregation.DailyMean),
        Stored("web.new_users", "New visitors", "People seen for the first time.", KpiUnit.Count, KpiAggregation.Sum),
        Stored("web.active_users_7d", "Users in 7 days", "Different people who used the site in the 7 days up to the last day of the range.", KpiUnit.Count, KpiAggregation.Last),
        Stored("web.active_users_28d", "Users in 28 days", "Different people who used the site in the 28 days up to the last day of the range.", KpiUnit.Count, KpiAggregation.Last),
        Stored("web.page_views", "Page views", "Pages and screens looked at.", KpiUnit.Count, KpiAggregation.Sum) with
        {
            IsClustered = true,
        },
        Stored("web.engaged_sessions", "Engaged sessions", "Visits that lasted 10 seconds or more, or had a key event, or two page views.", KpiUnit.Count, KpiAggregation.Sum) with { IsDivided = true },
        Stored("web.key_events", "Key events", "Actions that you marked as important in Google Analytics.", KpiUnit.Count, KpiAggregation.Sum) with { IsDivided = true },
        Stored("web.session_seconds", "Time on site", "Seconds of all sessions.", KpiUnit.Seconds, KpiAggregation.Sum) with { Hidden = true },
        Stored("web.key_event_sessions", "Sessions with a key event", "Sessions in which at least one key event happened.", KpiUnit.Count, KpiAggregation.Sum) with { Hidden = true, IsDivided = true },
        Derived("web.engagement_rate", "Engagement rate", "Share of visits that were engaged.", KpiUnit.Ratio, KpiDirection.Up,
            "engaged sessions ÷ sessions", ["web.engaged_sessions", "web.sessions"], i => Divide(i["web.engaged_sessions"], i["web.sessions"])),
        Derived("web.bounce_rate", "Bounce rate", "Share of visits that were not engaged.", KpiUnit.Ratio, KpiDirection.Down,
            "1 − engaged sessions ÷ sessions", ["web.engaged_sessions", "web.sessions"], i => 1 - Divide(i["web.engaged_sessions"], i["web.sessions"])),
        Derived("web.avg_session_duration", "Visit duration", "How long a visit lasts on average.", KpiUnit.Seconds, KpiDirection.Up,
            "seconds of all sessions ÷ sessions", ["web.session_seconds", "web.sessions"], i => Divide(i["web.session_seconds"], i["web.sessions"])),
        Derived("web.pages_per_session", "Pages per visit", "How many pages a visit sees on average.", KpiUnit.Number, KpiDirection.Up,
            "page views ÷ sessions", ["web.page_views", "web.sessions"], i => Divide(i["web.page_views"], i["web.sessions"])),
        Derived("web.conversion_rate", "Visits with a key event",
            "Share of visits with what you marked as important in Google Analytics. Orders per visit are another number.", KpiUnit.Ratio, KpiDirection.Up,
            "sessions with a key event ÷ sessions", ["web.key_event_sessions", "web.sessions"], i => Divide(i["web.key_event_sessions"], i["web.sessions"])),
    ];

    private static KpiDefinition Stored(string key, string name, string description, KpiUnit unit, KpiAggregation aggregation) => new()
    {
        Key = key,
        Name = name,
        Description = description,
        Unit = unit,
        Direction = KpiDirection.Up,
        Aggregation = aggregation,
        Source = Source,
    };

    private static KpiDefinition Derived(
        string key, string name, string description, KpiUnit unit, KpiDirection direction, string formula, string[] parts, Func<KpiInputs, decimal?> compute) => new()
        {
            Key = key,
            Name = name,
            Description = description,
            Unit = unit,
            Direction = direction,
            Aggregation = KpiAggregation.Ratio,
            Source = Source,
            Formula = formula,
            Parts = parts,
            Compute = compute,
        };
}
