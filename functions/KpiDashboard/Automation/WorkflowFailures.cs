using KpiDashboard.Data;

namespace KpiDashboard.Automation;

/// <summary>A workflow that failed and has not worked since.</summary>
/// <param name="Since">First day after its last success on which it failed.</param>
/// <param name="Last">Last day on which it failed.</param>
/// <param name="Failed">Failures from <c>Since</c> to <c>Last</c>.</param>
internal sealed record WorkflowFailures(Guid IntegrationId, string Id, string Name, DateOnly Since, DateOnly Last, int Failed)
{
    /// <summary>
    /// Workflows that failed within a range of days, and since then until its end had no success; the most failures first. A workflow whose successes cannot be known is
    /// not told of: it may have worked; nor is one that is gone.
    /// </summary>
    public static Task<IReadOnlyList<WorkflowFailures>> LoadAsync(TenantTransaction tx, DateOnly from, DateOnly to, Guid[]? only) => tx.QueryAsync<WorkflowFailures>(
        """
        with days as (
            select d.integration_id, d.workflow_id, d.day, d.failed,
                   max(d.day) filter (where d.succeeded > 0) over (partition by d.integration_id, d.workflow_id) as worked
            from automation_daily d
            where d.tenant_id = @tenant and d.day between @from and @to and (@only::uuid[] is null or d.integration_id = any (@only))
        ), near as (
            select integration_id, workflow_id, worked, min(day) as since, max(day) as last, sum(failed) as failed
            from days
            where failed > 0 and (worked is null or day > worked)
            group by integration_id, workflow_id, worked
        ), before as (
            -- Only if one never worked within these days, and once for all: a look for each workflow would read each day of its source.
            select d.integration_id, d.workflow_id, d.day, d.failed,
                   max(d.day) filter (where d.succeeded > 0) over (partition by d.integration_id, d.workflow_id) as worked
            from automation_daily d
            where d.tenant_id = @tenant and d.day < @from and (@only::uuid[] is null or d.integration_id = any (@only))
              and (select count(*) > 0 from near where worked is null)
        ), far as (
            select integration_id, workflow_id, min(day) as since, sum(failed) as failed
            from before
            where failed > 0 and (worked is null or day > worked)
            group by integration_id, workflow_id
        )
        select w.integration_id as IntegrationId, w.workflow_id as Id, w.name, coalesce(f.since, n.since) as Since, n.last as Last,
               (n.failed + coalesce(f.failed, 0))::int as Failed
        from near n
        join workflows w on w.tenant_id = @tenant and w.integration_id = n.integration_id and w.workflow_id = n.workflow_id
        left join far f on n.worked is null and f.integration_id = n.integration_id and f.workflow_id = n.workflow_id
        where w.gone_at is null and not w.unmeasured && daterange(@from, @to, '[]') and n.failed + coalesce(f.failed, 0) >= 2
        order by n.failed + coalesce(f.failed, 0) desc, w.name
        limit 500
        """,
        new { from, to, only });
}
