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
        with near as (
            -- Of most workflows these days tell all: they worked, and failed only before that.
            select d.integration_id, d.workflow_id, max(d.day) filter (where d.succeeded > 0) as worked
            from automation_daily d
            where d.tenant_id = @tenant and d.day between @from and @to and (@only::uuid[] is null or d.integration_id = any (@only))
            group by d.integration_id, d.workflow_id
            having max(d.day) filter (where d.failed > 0) > coalesce(max(d.day) filter (where d.succeeded > 0), '-infinity')
        ), far as (
            select d.integration_id, d.workflow_id, max(d.day) as worked
            from near n
            join automation_daily d on d.tenant_id = @tenant and d.integration_id = n.integration_id and d.workflow_id = n.workflow_id
            where n.worked is null and d.day < @from and d.succeeded > 0
            group by d.integration_id, d.workflow_id
        )
        select w.integration_id as IntegrationId, w.workflow_id as Id, w.name, min(d.day) as Since, max(d.day) as Last, sum(d.failed)::int as Failed
        from near n
        left join far f on f.integration_id = n.integration_id and f.workflow_id = n.workflow_id
        join workflows w on w.tenant_id = @tenant and w.integration_id = n.integration_id and w.workflow_id = n.workflow_id
        join automation_daily d on d.tenant_id = @tenant and d.integration_id = n.integration_id and d.workflow_id = n.workflow_id
             and d.failed > 0 and d.day <= @to and d.day > coalesce(n.worked, f.worked, '-infinity')
        where w.gone_at is null and not w.unmeasured && daterange(@from, @to, '[]')
        group by w.integration_id, w.workflow_id, w.name
        having sum(d.failed) >= 2
        order by sum(d.failed) desc, w.name
        limit 500
        """,
        new { from, to, only });
}
