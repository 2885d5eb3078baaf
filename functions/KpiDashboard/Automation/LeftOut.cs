using System.Globalization;
using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Data;

namespace KpiDashboard.Automation;

/// <summary>Why the runs of a workflow cannot be known in full.</summary>
[JsonConverter(typeof(SnakeCaseEnum<LeftOutReason>))]
internal enum LeftOutReason
{
    /// <summary>Its successes are not kept at the source, so that only failures can be read.</summary>
    SuccessesNotKept,

    /// <summary>The key does not show it any more, or it was deleted.</summary>
    NotShown,
}

/// <summary>A workflow that is left out of the totals of some days, because its runs on them cannot be known in full.</summary>
/// <param name="Id">Its id at the source.</param>
/// <param name="Name">Its name.</param>
/// <param name="Reason">Why.</param>
/// <param name="Days">On how many days of the period.</param>
/// <param name="Failed">Failures that are known on these days; they are left out, too.</param>
internal sealed record LeftOutWorkflow(string Id, string Name, LeftOutReason Reason, int Days, int Failed);

/// <summary>What the totals of a period leave out, and on which days.</summary>
internal sealed class LeftOut
{
    private readonly Dictionary<(Guid Integration, string Id), HashSet<DateOnly>> _days;

    private LeftOut(IReadOnlyList<LeftOutWorkflow> workflows, Dictionary<(Guid, string), HashSet<DateOnly>> days) => (Workflows, _days) = (workflows, days);

    /// <summary>Those that are left out, by name.</summary>
    public IReadOnlyList<LeftOutWorkflow> Workflows { get; }

    /// <summary>Whether nothing is missing of a workflow on any of some days.</summary>
    public bool IsKnown(Guid integration, string workflow, DateOnly first, DateOnly last)
    {
        if (!_days.TryGetValue((integration, workflow), out var days)) return true;
        for (var day = first; day <= last; day = day.AddDays(1))
        {
            if (days.Contains(day)) return false;
        }

        return true;
    }

    /// <summary>Reads them. Days before a workflow was known, and after it was switched off or deleted, are none of them.</summary>
    public static async Task<LeftOut> LoadAsync(TenantTransaction tx, DateOnly from, DateOnly to, Guid[]? only = null)
    {
        var rows = await tx.QueryAsync<Row>(
            """
            select w.integration_id as IntegrationId, w.workflow_id as Id, w.name, w.hidden_at is not null as Hidden,
                   array_to_string(array(select g.day::date from generate_series(@from::timestamp, @to::timestamp, interval '1 day') g (day) where w.unmeasured @> g.day::date), ',') as Days,
                   (select coalesce(sum(d.failed), 0)::int from automation_daily d
                    where d.tenant_id = @tenant and d.integration_id = w.integration_id and d.workflow_id = w.workflow_id and d.day between @from and @to and d.executions is null) as Failed
            from workflows w
            where w.tenant_id = @tenant and w.unmeasured && daterange(@from, @to, '[]') and (@only::uuid[] is null or w.integration_id = any (@only))
            order by w.name, w.integration_id, w.workflow_id
            limit 500
            """,
            new { from, to, only });
        var days = new Dictionary<(Guid, string), HashSet<DateOnly>>();
        foreach (var row in rows) days[(row.IntegrationId, row.Id)] = [.. row.Days.Split(',').Select(day => DateOnly.Parse(day, CultureInfo.InvariantCulture))];
        return new LeftOut(
            [.. rows.Select(row => new LeftOutWorkflow(
                row.Id, row.Name, row.Hidden ? LeftOutReason.NotShown : LeftOutReason.SuccessesNotKept, days[(row.IntegrationId, row.Id)].Count, row.Failed))], days);
    }

    private sealed record Row(Guid IntegrationId, string Id, string Name, bool Hidden, string Days, int Failed);
}

/// <summary>What is told of runs beside the daily totals: from single runs, as far as these are kept.</summary>
internal sealed record RunFacts(int Canceled, int Running, int Waiting, IReadOnlyDictionary<(Guid Integration, string Id), decimal> Medians, decimal? Median)
{
    /// <summary>Reads them for some days.</summary>
    /// <param name="tx">The tenant's transaction.</param>
    /// <param name="from">First day.</param>
    /// <param name="to">Last day.</param>
    /// <param name="tenantZone">Whose days, where a source has none of its own.</param>
    /// <param name="now">What waits and what runs is told as of then.</param>
    public static async Task<RunFacts> LoadAsync(TenantTransaction tx, DateOnly from, DateOnly to, string tenantZone, DateTimeOffset now, Guid[]? only = null)
    {
        var counting = tx.QuerySingleAsync<(int, int, int)>(
            """
            select (select coalesce(sum(d.canceled), 0)::int from automation_daily d where d.tenant_id = @tenant and d.day between @from and @to
                    and (@only::uuid[] is null or d.integration_id = any (@only))),
                   (count(*) filter (where not s.sleeps))::int, (count(*) filter (where s.sleeps))::int
            from executions e
            cross join lateral (select e.asleep_at is not null and coalesce(e.wakes_at > @now, true) as sleeps) s
            where e.tenant_id = @tenant and e.status = 'unfinished' and e.kind = 'production' and (@only::uuid[] is null or e.integration_id = any (@only))
              and not exists (select 1 from workflows w where w.tenant_id = @tenant and w.integration_id = e.integration_id and w.workflow_id = e.workflow_id and w.hidden_at is not null)
            """,
            new { from, to, now, only });
        // Half of the runs took so long or less. Of days whose single runs are gone for their age nobody knows.
        var reading = tx.QueryAsync<MedianRow>(
            """
            -- Each zone's days are looked up once: unless materialized, the functions are called for every run there is.
            with sources as materialized (
                select i.id, z.name as zone, start_of_day(@from, z.name) as since, start_of_day(@to + 1, z.name) as before,
                       case when i.measurable_from > @from then start_of_day(i.measurable_from, z.name) end as measurable
                from integrations i cross join lateral (select safe_zone(coalesce(i.time_zone, @tenantZone)) as name) z
                where i.tenant_id = @tenant and (@only::uuid[] is null or i.id = any (@only)))
            select e.integration_id as IntegrationId, e.workflow_id as Id,
                   percentile_cont(0.5) within group (order by extract(epoch from t.took) * 1000)::numeric as Milliseconds
            from sources i
            join executions e on e.tenant_id = @tenant and e.integration_id = i.id
                 and e.started_at >= greatest(i.since, i.measurable) and e.started_at < i.before
            cross join lateral (select time_at_work(e.started_at, e.stopped_at, e.asleep_at, e.wakes_at) as took) t
            left join workflows w on w.tenant_id = @tenant and w.integration_id = e.integration_id and w.workflow_id = e.workflow_id
            where e.kind = 'production' and e.status in ('succeeded', 'failed') and t.took is not null
              and not coalesce(w.unmeasured @> (e.started_at at time zone i.zone)::date, false)
              and not exists (select 1 from integrations k where k.tenant_id = @tenant and k.executions_kept_from > @from
                  and (@only::uuid[] is null or k.id = any (@only)))
            group by grouping sets ((), (e.integration_id, e.workflow_id))
            """,
            new { from, to, tenantZone, only });
        var ((canceled, running, waiting), medians) = (await counting, await reading);
        return new RunFacts(
            canceled, running, waiting,
            medians.Where(row => row.Id is not null && row.Milliseconds is not null).ToDictionary(row => (row.IntegrationId!.Value, row.Id!), row => Rounded(row.Milliseconds!.Value)),
            medians.FirstOrDefault(row => row.Id is null)?.Milliseconds is { } all ? Rounded(all) : null);
    }

    private static decimal Rounded(decimal milliseconds) => decimal.Round(milliseconds, 3);

    private sealed record MedianRow(Guid? IntegrationId, string? Id, decimal? Milliseconds);
}
