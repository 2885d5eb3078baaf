using KpiDashboard.Data;

namespace KpiDashboard.Webhooks;

/// <summary>
/// How often a source that is only pushed to usually tells of something, so that its silence can be told from a quiet night. Learned from
/// its own runs of four weeks, unless a person says how long it may be silent.
/// </summary>
internal static class PushRhythm
{
    private static readonly TimeSpan Looked = TimeSpan.FromDays(28), Again = TimeSpan.FromHours(1);

    /// <summary>
    /// Looks at the runs again, once an hour at most. The usual gap is the longest between two hours with runs; of two weeks and more the
    /// second longest, because one outage is not usual and a weekend comes more than once. Before a weekend can have been seen, one is
    /// reckoned with.
    /// </summary>
    public static Task LearnAsync(TenantTransaction tx, Guid integration, DateTimeOffset now) => tx.ExecuteAsync(
        """
        with due as (
            select 1 from integrations
            where tenant_id = @tenant and id = @integration and settings ->> 'pushOnly' = 'true'
              and (rhythm_learned_at is null or rhythm_learned_at <= @again or rhythm_learned_at > @now)
        ),
        hours as (
            select distinct date_trunc('hour', e.started_at, 'UTC') as hour from executions e
            where exists (select 1 from due) and e.tenant_id = @tenant and e.integration_id = @integration and e.started_at > @from and e.started_at <= @now
        ),
        gaps as (select h.hour - lag(h.hour) over (order by h.hour) as gap from hours h),
        ranked as (select g.gap, row_number() over (order by g.gap desc) as place from gaps g where g.gap is not null),
        seen as (select count(*) as hours, @now - min(h.hour) as span from hours h)
        update integrations i
        set rhythm_learned_at = @now,
            usual_gap_minutes = (extract(epoch from case
                when s.hours < 5 then null
                when s.span < interval '8 days' then greatest((select r.gap from ranked r where r.place = 1), interval '64 hours')
                when s.span < interval '15 days' then (select r.gap from ranked r where r.place = 1)
                else (select r.gap from ranked r where r.place = 2)
            end) / 60)::integer
        from seen s
        where i.tenant_id = @tenant and i.id = @integration and exists (select 1 from due)
        """,
        new { integration, now, again = now - Again, from = now - Looked });
}
