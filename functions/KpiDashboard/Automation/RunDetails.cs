using KpiDashboard.Api;
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

    /// <summary>The tags of a workflow as JSON: lists of different lengths are no array of arrays.</summary>
    internal static string TagsText(WorkflowLabels workflow) => System.Text.Json.JsonSerializer.Serialize([.. workflow.Tags],
        RunJsonTexts.Default.StringArray);

    /// <summary>The texts of a JSON array; null: none.</summary>
    internal static string[] TextsOf(string? json) => json is null ? [] : System.Text.Json.JsonSerializer.Deserialize(json,
        RunJsonTexts.Default.StringArray)!;

    /// <summary>
    /// The newest failures of which nobody said why, and for which the source may be asked; those that were asked for in vain come
    /// last.
    /// </summary>
    public static Task<IReadOnlyList<string>> UntoldAsync(TenantTransaction tx, Guid integrationId, int most) => tx.QueryAsync<string>(
        $"""
        select e.execution_id
        {Untold}
        -- Who tries something by hand sees it fail.
        order by e.error_tries, e.kind = 'manual', e.started_at desc, e.execution_id desc
        limit @most
        """,
        new { integrationId, most });

    /// <summary>From where <see cref="UntoldAsync"/> takes them, of @integrationId.</summary>
    internal const string Untold =
        """
        from executions e
        join integrations i on i.tenant_id = e.tenant_id and i.id = e.integration_id
        where e.tenant_id = @tenant and e.integration_id = @integrationId and e.status = 'failed' and e.error_message is null and
            e.error_asked_at is null
          and i.reads_messages and i.status = 'active' and coalesce(i.settings ->> 'pushOnly', 'false') <> 'true'
        """;

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
