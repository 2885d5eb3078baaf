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
        select w.integration_id as IntegrationId, w.workflow_id as Id, w.name, min(d.day) as Since, max(d.day) as Last, sum(d.failed)::int as Failed
        from workflows w
        cross join lateral (
            select max(s.day) as day from automation_daily s
            where s.tenant_id = @tenant and s.integration_id = w.integration_id and s.workflow_id = w.workflow_id and s.succeeded > 0 and s.day <= @to
        ) worked
        join automation_daily d on d.tenant_id = @tenant and d.integration_id = w.integration_id and d.workflow_id = w.workflow_id
             and d.failed > 0 and d.day <= @to and d.day > coalesce(worked.day, '-infinity')
        where w.tenant_id = @tenant and w.gone_at is null and not w.unmeasured && daterange(@from, @to, '[]')
          and (@only::uuid[] is null or w.integration_id = any (@only))
        group by w.integration_id, w.workflow_id, w.name
        having max(d.day) >= @from and sum(d.failed) >= 2
        order by sum(d.failed) desc, w.name
        limit 500
        """,
        new { from, to, only });
}
