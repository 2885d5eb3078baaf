using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Security;

namespace KpiDashboard.Automation;

/// <summary>
/// Keeps what is known of runs and workflows beside what is counted: whether one sleeps, what mended a failure, why it failed, how
/// workflows are sorted.
/// </summary>
internal static class RunDetails
{
    /// <summary>Longest message that is kept.</summary>
    public const int MaxMessage = 500;

    private const int MaxNode = 200;

    /// <summary>
    /// Writes them for executions that are written already. A failure is mended by the run that n8n names, or by one that says itself
    /// that it did the work again and
    /// succeeded, however long ago the failure was read.
    /// </summary>
    public static async Task WriteAsync(TenantTransaction tx, Guid integrationId, IReadOnlyCollection<ExecutionReading> executions)
    {
        if (executions.Count == 0) return;
        await tx.ExecuteAsync(
            """
            update executions e
            set waiting = i.waiting and e.status = 'unfinished', wait_until = coalesce(i.until, e.wait_until), retried_by = coalesce(i.retried, e.retried_by)
            from unnest(@ids, @waiting, @until, @retried) as i (id, waiting, until, retried)
            where e.tenant_id = @tenant and e.integration_id = @integrationId and e.execution_id = i.id
              and (e.waiting, e.wait_until, e.retried_by)
                  is distinct from (i.waiting and e.status = 'unfinished', coalesce(i.until, e.wait_until), coalesce(i.retried, e.retried_by))
            """,
            new
            {
                integrationId,
                ids = executions.Select(execution => execution.ExecutionId).ToArray(),
                waiting = executions.Select(execution => execution.IsWaiting).ToArray(),
                until = executions.Select(execution => execution.WaitUntil?.UtcDateTime).ToArray(),
                retried = executions.Select(execution => execution.RetriedBy).ToArray(),
            });
        var retries = executions.Where(execution => execution is { Status: ExecutionStatus.Succeeded, RetryOf: not null }).ToList();
        if (retries.Count == 0) return;
        await tx.ExecuteAsync(
            """
            update executions e set retried_by = i.id
            from unnest(@ids, @failed) as i (id, failed)
            where e.tenant_id = @tenant and e.integration_id = @integrationId and e.execution_id = i.failed and e.status = 'failed' and e.retried_by is null
            """,
            new { integrationId, ids = retries.Select(retry => retry.ExecutionId).ToArray(), failed = retries.Select(retry => retry.RetryOf!).ToArray() });
    }

    /// <summary>
    /// Writes them for executions that were pushed and are written already; of several events of one, the last. Returns how many became
    /// others.
    /// </summary>
    public static Task<int> WritePushedAsync(
        TenantTransaction tx, Guid integrationId, IEnumerable<(string Execution, bool IsWaiting, string? Node)> events)
    {
        var last = new Dictionary<string, (string Execution, bool IsWaiting, string? Node)>(StringComparer.Ordinal);
        foreach (var item in events) last[item.Execution] = item;
        return last.Count == 0 ? Task.FromResult(0) : tx.ExecuteAsync(
            """
            update executions e
            set waiting = i.waiting and e.status = 'unfinished', error_node = case when e.status = 'failed' then coalesce(i.node, e.error_node) end
            from unnest(@ids, @waiting, @nodes) as i (id, waiting, node)
            where e.tenant_id = @tenant and e.integration_id = @integrationId and e.execution_id = i.id
              and (e.waiting, e.error_node) is distinct from (i.waiting and e.status = 'unfinished', case when e.status = 'failed' then coalesce(i.node, e.error_node) end)
            """,
            new
            {
                integrationId,
                ids = last.Keys.ToArray(),
                waiting = last.Values.Select(item => item.IsWaiting).ToArray(),
                nodes = last.Values.Select(item => Text(item.Node, text => KeptText.Cut(SecretMask.Clean(text, MaxNode), MaxNode))).ToArray(),
            });
    }

    /// <summary>Writes how the owner of workflows sorts them, for workflows that are written already.</summary>
    public static Task WriteAsync(TenantTransaction tx, Guid integrationId, IReadOnlyCollection<WorkflowLabels> workflows) =>
        workflows.Count == 0 ? Task.CompletedTask : tx.ExecuteAsync(
            """
            update workflows w set tags = i.tags, project_id = i.project_id, project = i.project
            from (select id, array(select json_array_elements_text(t::json)) as tags, project_id, project from unnest(@ids, @tags, @projectIds, @projects) as u (id, t, project_id, project)) i
            where w.tenant_id = @tenant and w.integration_id = @integrationId and w.workflow_id = i.id
              and (w.tags, w.project_id, w.project) is distinct from (i.tags, i.project_id, i.project)
            """,
            new
            {
                integrationId,
                ids = workflows.Select(workflow => workflow.WorkflowId).ToArray(),
                // Lists of different lengths are no array of arrays.
                tags = workflows.Select(workflow => System.Text.Json.JsonSerializer.Serialize([.. workflow.Tags], RunJsonTexts.Default.StringArray)).ToArray(),
                projectIds = workflows.Select(workflow => workflow.ProjectId).ToArray(),
                projects = workflows.Select(workflow => workflow.Project).ToArray(),
            });

    /// <summary>
    /// The newest failures of which nobody said why, and for which the source may be asked; those that were asked for in vain come
    /// last.
    /// </summary>
    public static Task<IReadOnlyList<string>> UntoldAsync(TenantTransaction tx, Guid integrationId, int most) => tx.QueryAsync<string>(
        """
        select e.execution_id
        from executions e
        join integrations i on i.tenant_id = e.tenant_id and i.id = e.integration_id
        where e.tenant_id = @tenant and e.integration_id = @integrationId and e.status = 'failed' and e.error_message is null and e.error_asked_at is null
          and i.reads_messages and i.status = 'active' and coalesce(i.settings ->> 'pushOnly', 'false') <> 'true'
        -- Who tries something by hand sees it fail.
        order by e.error_tries, e.kind = 'manual', e.started_at desc, e.execution_id desc
        limit @most
        """,
        new { integrationId, most });

    /// <summary>
    /// Keeps why runs failed, masked, and nothing where their connection no longer wants that. Returns how many say something now.
    /// </summary>
    public static async Task<int> TellAsync(TenantTransaction tx, Guid integrationId, IReadOnlyList<(string Execution, FailureAnswer Answer)> answers, int mostTries, DateTimeOffset now)
    {
        if (answers.Count == 0) return 0;
        return await tx.ExecuteAsync(
            """
            update executions e
            set error_message = i.message, error_node = i.node, error_tries = e.error_tries + 1,
                error_asked_at = case when i.answered or e.error_tries + 1 >= @mostTries then @now end
            from unnest(@ids, @messages, @nodes, @answered) as i (id, message, node, answered)
            where e.tenant_id = @tenant and e.integration_id = @integrationId and e.execution_id = i.id and e.status = 'failed' and e.error_message is null
              and exists (select 1 from integrations c where c.tenant_id = @tenant and c.id = @integrationId and c.reads_messages)
            """,
            new
            {
                integrationId,
                mostTries,
                now,
                ids = answers.Select(answer => answer.Execution).ToArray(),
                messages = answers.Select(answer => Text(answer.Answer.Message, text => SecretMask.Clean(text, MaxMessage))).ToArray(),
                nodes = answers.Select(answer => Text(answer.Answer.Node, text => KeptText.Cut(PlainText.Clean(SecretMask.Clean(text, MaxNode)), MaxNode).Trim())).ToArray(),
                answered = answers.Select(answer => answer.Answer.Failure is null).ToArray(),
            });
    }

    /// <summary>
    /// Whether a connection may be asked why runs failed; what it was asked for goes where it may no longer. The caller holds it
    /// locked.
    /// </summary>
    public static Task AllowAsync(TenantTransaction tx, Guid integrationId, bool allowed) => tx.ExecuteAsync(
        """
        update integrations set reads_messages = @allowed where tenant_id = @tenant and id = @integrationId;
        update executions set error_message = null, error_node = null, error_asked_at = null, error_tries = 0
        where not @allowed and tenant_id = @tenant and integration_id = @integrationId and (error_asked_at is not null or error_tries > 0);
        """,
        new { integrationId, allowed });

    private static string? Text(string? text, Func<string, string> clean) => text is not null && clean(text) is { Length: > 0 } kept ? kept : null;
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string[]))]
internal sealed partial class RunJsonTexts : System.Text.Json.Serialization.JsonSerializerContext;
