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
    public static Task<SharedMessage?> LoadAsync(TenantTransaction tx, TenantProfile tenant, DateOnly from, DateOnly to, Guid[]? only) => tx.QuerySingleOrDefaultAsync<SharedMessage>(
        """
        with told as (
            select e.integration_id, e.workflow_id, e.error_message, count(*) as runs, max(e.started_at) as last
            from executions e
            where e.tenant_id = @tenant and e.status = 'failed' and e.kind = 'production'
              and e.started_at >= (select start_of_day(@from, @zone)) and e.started_at < (select start_of_day(@to + 1, @zone))
              and (@only::uuid[] is null or e.integration_id = any (@only))
            group by e.integration_id, e.workflow_id, e.error_message
        )
        select (array_agg(t.error_message order by t.last desc))[1] as Message, sum(t.runs)::int as Runs,
               (select sum(runs)::int from told where error_message is not null) as Told, (select sum(runs)::int from told) as Failed,
               count(distinct (t.integration_id, t.workflow_id))::int as Workflows, coalesce(min(w.name), min(t.workflow_id)) as Workflow
        from told t
        left join workflows w on w.tenant_id = @tenant and w.integration_id = t.integration_id and w.workflow_id = t.workflow_id
        where t.error_message is not null
        -- Ids and amounts differ from run to run and mean nothing here.
        group by translate(lower(t.error_message), '0123456789', '')
        order by sum(t.runs) desc, max(t.last) desc
        limit 1
        """,
        new { from, to, zone = tenant.TimeZone, only });
}
