using KpiDashboard.Automation;
using KpiDashboard.Data;
using KpiDashboard.Goals;
using KpiDashboard.Kpis;
using KpiDashboard.Security;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Insights;

/// <summary>A workflow in the period.</summary>
internal sealed record WorkflowFacts(string Id, string Name, bool Active, decimal? MinutesPerSuccess, int Runs, int Failed);

/// <summary>Values of a KPI and day that the source changed lately.</summary>
internal sealed record RestatedFacts(string Kpi, DateOnly Day, decimal Old, decimal? New, DateTimeOffset At);

/// <summary>What came with the answers of a source, of which <c>Source</c> is the number, that the numbers of the period are from.</summary>
internal sealed record RequestFlags(string Connector, short Source, int Requests, int Sampled, int Thresholded);

/// <summary>A number of the business's own that is sent day by day: how many of its days came as they ended, since when, and its last
/// one.</summary>
internal sealed record SentFacts(string Kpi, int Known, DateOnly Since, DateOnly Last);

/// <summary>Everything that rules look at, read once.</summary>
internal sealed record BusinessFacts(
    TenantProfile Tenant, DateOnly Today, Period Period, KpiTable Table, TenantCatalogue Catalogue, IReadOnlyList<SourceState> Sources, IReadOnlyList<WorkflowFacts> Workflows,
    IReadOnlyList<WorkflowFailures> Failing, IReadOnlyList<RestatedFacts> Restated, IReadOnlyList<RequestFlags> Flags, IReadOnlyList<GoalEntry> Goals)
{
    /// <summary>What failed runs of the period have in common; null where none says why it failed.</summary>
    public SharedMessage? SharedMessage { get; init; }

    /// <summary>Numbers of the business's own that are sent to us.</summary>
    public IReadOnlyList<SentFacts> Sent { get; init; } = [];

    /// <summary>Weeks that an anomaly is compared with: the same weekday of each.</summary>
    public const int Weeks = 13;

    /// <summary>Days of the period.</summary>
    public int Days => Period.Days;

    /// <summary>A product's KPI over the period.</summary>
    public KpiValue Now(string key) => Table.Evaluate(KpiCatalogue.Part(key), Period.From, Period.To);

    /// <summary>The same over the period to compare with.</summary>
    public KpiValue? Before(string key) => Period is { CompareFrom: { } from, CompareTo: { } to } ? Table.Evaluate(KpiCatalogue.Part(key), from, to) : null;

    /// <summary>A KPI against the period before, as its tile tells it.</summary>
    public Comparison Compared(KpiDefinition kpi) => Comparison.Of(
        kpi, new TableDays(Table, Period.From, Period.To),
        Period is { CompareFrom: { } from, CompareTo: { } to } ? new TableDays(Table, from, to) : null);

    /// <summary>The change of a KPI, null where telling it would mislead.</summary>
    public (KpiDefinition Kpi, decimal Now, decimal Before, decimal Change)? Change(string key)
    {
        var kpi = KpiCatalogue.Part(key);
        var compared = Compared(kpi);
        return compared.Change is { } change ? (kpi, compared.Now.Value!.Value, compared.Before!.Value.Value!.Value, change) : null;
    }

    /// <summary>Currency of a KPI.</summary>
    public string? CurrencyOf(KpiDefinition kpi) => SourceCurrencies.Of(kpi, Sources, Tenant, Table);

    /// <summary>A change that is more than counting noise: of counts, more than two standard deviations of the difference of two Poisson counts.</summary>
    public static bool BeyondNoise(decimal now, decimal before) => Chance.BeyondCounting(now, before);

    /// <summary>What the period is compared with, in words.</summary>
    public string Than(Proof proof) =>
        Period.Compare == "previous_year"
            ? (Days, Period.ComparesWeekdays) switch
            {
                (1, true) => "the same weekday last year",
                (_, true) => "the same weekdays last year",
                (1, false) => "the same day last year",
                _ => "the same days last year",
            } + (Period.CompareDays > Days ? " (a day more, because of the leap day)" : Period.CompareDays < Days ? " (a day less, because of the leap day)" : "")
        : Days == 1 ? "the day before" : $"the {proof.Number("Days", Days)} days before";

    /// <summary>Reads them.</summary>
    public static async Task<BusinessFacts> LoadAsync(TenantTransaction tx, TenantProfile tenant, Period period, SourceSelection sources, TenantCatalogue catalogue, DateOnly today, DateTimeOffset now)
    {
        var first = period.To.AddDays(-HealthScore.Reach - 7);
        if (period.From.AddDays(-7 * Weeks) is var band && period.To.DayNumber - period.From.DayNumber < 92 && band < first) first = band;
        if (period.From < first) first = period.From;
        if (period.CompareFrom < first) first = period.CompareFrom.Value;
        var table = KpiTable.LoadAsync(tx, KpiCatalogue.All, first, period.To, sources.Clocks, tenant.Economics);
        var range = new { from = period.From, to = period.To, recent = now.AddDays(-7), only = sources.Integrations };
        var workflows = tx.QueryAsync<WorkflowFacts>(
            """
            select w.workflow_id as Id, w.name, w.active, coalesce(w.minutes_saved, w.provider_minutes_saved) as MinutesPerSuccess,
                   coalesce(sum(d.executions), 0)::int as Runs, coalesce(sum(d.failed), 0)::int as Failed
            from workflows w
            left join automation_daily d on d.tenant_id = @tenant and d.integration_id = w.integration_id and d.workflow_id = w.workflow_id and d.day between @from and @to
            where w.tenant_id = @tenant and (@only::uuid[] is null or w.integration_id = any (@only))
            group by w.tenant_id, w.integration_id, w.workflow_id
            order by w.name, w.workflow_id
            limit 500
            """, range);
        var restated = tx.QueryAsync<RestatedFacts>(
            """
            select kpi, day, old_value as Old, new_value as New, at from kpi_restatements
            where tenant_id = @tenant and day between @from and @to and at >= @recent and kpi = any (@shown)
              and (@sources::smallint[] is null or source = any (@sources))
            order by at desc, id desc limit 500
            """,
            new { range.from, range.to, range.recent, sources = sources.Numbers, shown = catalogue.Visible.Select(kpi => kpi.Key).ToArray() });
        var flags = tx.QueryAsync<RequestFlags>(
            """
            select i.connector, v.source, count(*)::int as Requests, (count(*) filter (where q.sampled))::int as Sampled,
                   (count(*) filter (where q.thresholded))::int as Thresholded
            from (
                -- Most days came with few writes: each is looked up once.
                select distinct w.run_id, d.source
                from (
                    select distinct m.source, u.number
                    from kpi_keys k
                    join kpi_months m on m.tenant_id = @tenant and m.kpi = k.number
                                     and m.month between date_trunc('month', @from::date)::date and @to
                    cross join lateral unnest(m.last_writes) with ordinality as u (number, place)
                    where k.tenant_id = @tenant and k.key = any (@pulses) and m.month + (u.place - 1)::integer between @from and @to
                      and (@sources::smallint[] is null or m.source = any (@sources))) d
                join kpi_writes w on w.tenant_id = @tenant and w.number = d.number) v
            join sync_requests q on q.tenant_id = @tenant and q.run_id = v.run_id
            join integrations i on i.tenant_id = @tenant and i.source = v.source
            group by i.connector, v.source order by i.connector, v.source
            """,
            new { range.from, range.to, sources = sources.Numbers, pulses = SourceState.Pulses.Values.Select(kpi => kpi.Key).ToArray() });
        // An import of a file is news, too, but no rhythm; nor is what was sent of days long past.
        var sent = catalogue.Own.Count == 0 || !sources.Pushed ? Task.FromResult<IReadOnlyList<SentFacts>>([]) : tx.QueryAsync<SentFacts>(
            """
            select v.kpi, count(*)::int as Known, min(v.day) as Since, l.last
            from (select n.kpi, max(n.day) as last from kpi_values n where n.tenant_id = @tenant and n.kpi = any (@own) and n.day <= @today group by n.kpi) l
            join kpi_values v on v.tenant_id = @tenant and v.kpi = l.kpi and v.day > l.last - 91 and v.day <= l.last
            where v.run_id is null and (v.first_seen_at at time zone 'utc')::date <= v.day + 3
            group by v.kpi, l.last
            order by v.kpi
            """,
            new { own = catalogue.Own.Select(kpi => kpi.Key).ToArray(), today });
        var failing = WorkflowFailures.LoadAsync(tx, period.To.AddDays(-6), period.To, sources.Integrations);
        var (goals, shared) = (
            GoalsAsync(), SharedMessage.LoadAsync(tx, tenant, period.From, period.To, sources.Integrations));
        return new BusinessFacts(
            tenant, today, period, await table, catalogue, sources,
            [.. (await workflows).Select(flow => flow with { Name = PlainText.Isolated(flow.Name) })],
            [.. (await failing).Select(flow => flow with { Name = PlainText.Isolated(flow.Name) })], await restated, await flags, await goals)
        {
            Sent = await sent,
            SharedMessage = await shared,
        };

        async Task<IReadOnlyList<GoalEntry>> GoalsAsync() =>
            await GoalEndpoints.EntriesAsync(tx, await Goal.LoadAsync(tx), catalogue, tenant, sources, today);
    }
}
