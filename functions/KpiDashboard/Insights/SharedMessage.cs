using KpiDashboard.Data;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Insights;

/// <summary>What failed runs of a period have in common.</summary>
/// <param name="Message">As the newest of them said it, masked.</param>
/// <param name="Runs">Failed runs that say this, whatever numbers stand in it.</param>
/// <param name="Told">Failed runs that say anything.</param>
/// <param name="Failed">Failed runs.</param>
/// <param name="Workflows">Workflows that say this.</param>
/// <param name="Workflow">One of them.</param>
internal sealed record SharedMessage(string Message, int Runs, int Told, int Failed, int Workflows, string Workflow)
{
    /// <summary>The message that most failed runs of real work share; null where none of them says why.</summary>
    public static Task<SharedMessage?> LoadAsync(TenantTransaction tx, TenantProfile tenant, DateOnly from, DateOnly to) => tx.QuerySingleOrDefaultAsync<SharedMessage>(
        """
        with failed as (
            select e.integration_id, e.workflow_id, e.started_at, e.error_message,
                   -- Ids and amounts differ from run to run and mean nothing here.
                   regexp_replace(lower(e.error_message), '[0-9]+', '#', 'g') as alike
            from executions e
            where e.tenant_id = @tenant and e.status = 'failed' and e.kind = 'production'
              and e.started_at >= (select start_of_day(@from, @zone)) and e.started_at < (select start_of_day(@to + 1, @zone))
        )
        select (array_agg(f.error_message order by f.started_at desc))[1] as Message, count(*)::int as Runs,
               (select count(*)::int from failed where error_message is not null) as Told, (select count(*)::int from failed) as Failed,
               count(distinct (f.integration_id, f.workflow_id))::int as Workflows, coalesce(min(w.name), min(f.workflow_id)) as Workflow
        from failed f
        left join workflows w on w.tenant_id = @tenant and w.integration_id = f.integration_id and w.workflow_id = f.workflow_id
        where f.alike is not null
        group by f.alike
        order by count(*) desc, max(f.started_at) desc
        limit 1
        """,
        new { from, to, zone = tenant.TimeZone });
}
