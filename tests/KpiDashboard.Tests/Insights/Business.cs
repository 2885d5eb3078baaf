using KpiDashboard.Automation;
using KpiDashboard.Goals;
using KpiDashboard.Insights;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Tests.Insights;

/// <summary>A business with the same numbers every week, in which a test changes what it is about.</summary>
internal sealed class Business
{
    public static readonly DateOnly Last = new(2026, 11, 22);

    private readonly Dictionary<(string Kpi, DateOnly Day), decimal> _values = [];

    public Business(decimal scale = 1)
    {
        for (var day = Last.AddDays(-140); day <= Last; day = day.AddDays(1))
        {
            // Weekends are quiet.
            var shape = day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 0.5m : 1m;
            foreach (var (kpi, value) in new (string, decimal)[]
            {
                ("shop.revenue", 2000), ("shop.transactions", 40), ("web.sessions", 1000), ("web.key_event_sessions", 60), ("web.key_events", 80), ("automation.executions", 100),
                ("automation.succeeded", 98), ("automation.failed", 2), ("automation.time_saved", 300),
            }) _values[(kpi, day)] = decimal.Round(value * shape * scale);
        }
    }

    public List<SourceState> Sources { get; } = [Source("google-analytics", "Google Analytics"), Source("n8n", "n8n")];

    public TenantProfile Tenant { get; set; } = new(Guid.NewGuid(), "T", "Europe/Berlin", "EUR", "en-GB", 1, 40, 300, 1, false, 1);

    public List<WorkflowFacts> Workflows { get; } = [new("a", "Order sync", true, 5, 700, 14)];

    public List<WorkflowFailures> Failing { get; } = [];

    public List<RestatedFacts> Restated { get; } = [];

    public List<RequestFlags> Flags { get; } = [];

    public List<GoalEntry> Goals { get; } = [];

    public SharedMessage? SharedMessage { get; set; }

    public static SourceState Source(string connector, string name, string state = "active", int failures = 0, DateOnly? complete = null) => new(
        Guid.NewGuid(), connector, name, state, null, "daily", new DateTimeOffset(2026, 11, 23, 5, 0, 0, TimeSpan.Zero), complete ?? Last, complete ?? Last, null, Last.AddDays(-400), failures,
        failures == 0 ? null : "It did not answer.", null, false, null, new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));

    /// <summary>Multiplies a KPI on some days; null removes them.</summary>
    public Business Change(string kpi, DateOnly from, DateOnly to, decimal? factor)
    {
        for (var day = from; day <= to; day = day.AddDays(1))
        {
            if (factor is { } times && _values.TryGetValue((kpi, day), out var value)) _values[(kpi, day)] = decimal.Round(value * times);
            else _values.Remove((kpi, day));
        }

        return this;
    }

    /// <summary>Sets a KPI on a day.</summary>
    public Business Set(string kpi, DateOnly day, decimal value)
    {
        _values[(kpi, day)] = value;
        return this;
    }

    public Business LastWeek(decimal factor, params string[] kpis)
    {
        foreach (var kpi in kpis) Change(kpi, Last.AddDays(-6), Last, factor);
        return this;
    }

    public KpiTable Table() => new(Last.AddDays(-140), Last, _values.Select(item => (item.Key.Kpi, item.Key.Day, item.Value)), SourceState.Clocks(Sources), Tenant.Economics);

    /// <summary>Its days of a period.</summary>
    public KpiTable Table(DateOnly from, DateOnly to) =>
        new(from, to, _values.Where(item => item.Key.Day >= from && item.Key.Day <= to).Select(item => (item.Key.Kpi, item.Key.Day,
            item.Value)), SourceState.Clocks(Sources), Tenant.Economics);

    public BusinessFacts Facts(int days = 7, string compare = "previous_period")
    {
        var from = Last.AddDays(1 - days);
        var (otherFrom, otherTo) = Period.Other("custom", from, Last, compare);
        return new BusinessFacts(
            Tenant, Last.AddDays(1), new Period("custom", from, Last, compare, otherFrom, otherTo), Table(), new TenantCatalogue([]), Sources, Workflows, Failing, Restated, Flags, Goals)
        {
            SharedMessage = SharedMessage,
        };
    }

    public IReadOnlyList<Insight> Insights(int days = 7) => InsightRules.Find(Facts(days));
}
