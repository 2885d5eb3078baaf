using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Automation;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.N8n;
using KpiDashboard.Data;
using KpiDashboard.Identity;
using KpiDashboard.Kpis;
using KpiDashboard.Security;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Webhooks;

/// <summary>
/// <c>POST webhooks/n8n</c>: executions as an n8n tells of them. One execution is one row, whether it was pushed, pulled or both, in whatever order: an end is never
/// undone. A business whose n8n we cannot reach gets an integration that is only ever pushed to.
/// </summary>
public sealed class N8nWebhookEndpoints
{
    /// <summary>Largest body, in bytes.</summary>
    public const int Limit = 1024 * 1024;

    /// <summary>Most events of one request.</summary>
    internal const int MaxEvents = 5_000;

    /// <summary>How many refusals are told one by one.</summary>
    internal const int MostRejected = 1_000;

    /// <summary>Older executions are refused: single executions are kept for 90 days, and a day whose others are gone must not be added up anew.</summary>
    internal static readonly TimeSpan MaxAge = TimeSpan.FromDays(60);

    private static readonly TimeSpan MaxAhead = TimeSpan.FromHours(1);

    private readonly Database _database;
    private readonly TimeProvider _time;

    internal N8nWebhookEndpoints(Database database, TimeProvider time) => (_database, _time) = (database, time);

    /// <summary>Takes one event or an array.</summary>
    public async Task<IResult> ReceiveAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = await JsonBody.ReadBytesAsync(request, Limit, cancellationToken);
        using var document = JsonBody.ParseParts(request, body);
        var root = document.RootElement;
        if (root.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array)) throw ApiProblem.BadBody("The body must be one event or an array of events.");
        if (root.ValueKind == JsonValueKind.Array && root.GetArrayLength() > MaxEvents)
            throw ApiProblem.BadBody($"A request may bring at most {MaxEvents:N0} events; send the rest in another one.");
        var now = _time.GetUtcNow();
        var rejected = new List<RejectedItem>();
        var events = new List<(int Index, N8nEvent Event)>();
        var index = 0;
        foreach (var item in root.ValueKind == JsonValueKind.Array ? root.EnumerateArray() : Enumerable.Repeat(root, 1))
        {
            var (read, reason) = N8nEvents.Read(item, now - MaxAge, now + MaxAhead);
            if (reason is null) events.Add((index, read!));
            else rejected.Add(new RejectedItem(index, reason));
            index++;
        }

        var key = IdempotencyKeys.Of(request, "n8n");
        var answer = await _database.InTenantAsync(caller.TenantId, tx =>
            IdempotencyKeys.OnceAsync(tx, key, body, now, N8nWebhookJson.Default.N8nWebhookResponse, () => WriteAsync(tx, events, rejected, now)), cancellationToken);
        return new JsonAnswer<N8nWebhookResponse>(answer, N8nWebhookJson.Default.N8nWebhookResponse);
    }

    private static async Task<N8nWebhookResponse> WriteAsync(TenantTransaction tx, List<(int Index, N8nEvent Event)> events, List<RejectedItem> rejected, DateTimeOffset now)
    {
        if (events.Count == 0) return Answer(0, 0, rejected);
        var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
        await tx.ExecuteAsync(
            """
            insert into integrations as i (tenant_id, id, connector, display_name, settings, created_at)
            values (@tenant, @id, 'n8n', 'n8n', '{"pushOnly": true}', @now)
            on conflict (tenant_id, connector) do update set status = 'active', settings = excluded.settings where i.status = 'disconnected'
            """, new { id = Guid.CreateVersion7(now), now });
        // A sync that writes holds this row, too: whichever comes second adds up what both wrote.
        var integration = await tx.QuerySingleAsync<Integration>(
            """
            select id, status, coalesce(settings ->> 'pushOnly' = 'true', false) as PushOnly, read_from as ReadFrom, safe_zone(coalesce(time_zone, @zone)) as Zone
            from integrations where tenant_id = @tenant and connector = 'n8n' for update
            """, new { zone = tenant.TimeZone });
        if (integration.Status == "paused") throw ApiProblem.Conflict("n8n is paused here. Resume it, or stop the workflow that sends this.");

        var known = (await tx.QueryAsync<Execution>(
            """
            select execution_id as Id, workflow_id as Workflow, status, kind, started_at as Started, stopped_at as Stopped, error_message as Error
            from executions where tenant_id = @tenant and integration_id = @integration and execution_id = any (@ids)
            """, new { integration = integration.Id, ids = events.Select(item => item.Event.ExecutionId).Distinct().ToArray() })).ToDictionary(row => row.Id, StringComparer.Ordinal);
        var changed = new Dictionary<string, Execution>(StringComparer.Ordinal);
        var (accepted, unchanged) = (0, 0);
        foreach (var (index, item) in events)
        {
            var before = known.GetValueOrDefault(item.ExecutionId);
            if (before is null && (item.StartedAt ?? item.StoppedAt) is null)
            {
                rejected.Add(new RejectedItem(index, "Nothing says when it was: send 'startedAt', 'completedAt' or 'timestamp'."));
                continue;
            }

            var after = Merge(before, item);
            if (after == before) unchanged++;
            else
            {
                accepted++;
                known[item.ExecutionId] = changed[item.ExecutionId] = after;
            }
        }

        rejected.Sort((one, other) => one.Index.CompareTo(other.Index));
        var named = await WriteWorkflowsAsync(tx, integration.Id, events.Where(item => known.ContainsKey(item.Event.ExecutionId)).Select(item => item.Event), now);
        await WriteExecutionsAsync(tx, integration.Id, changed.Values);
        named += await RunDetails.WritePushedAsync(tx, integration.Id, events.Select(item => (item.Event.ExecutionId, item.Event.IsWaiting, item.Event.Node)));
        await RollUpAsync(tx, integration, changed.Values, tenant.Zone, now);
        if (changed.Count > 0 || named > 0) await TenantProfile.BumpVersionAsync(tx);
        return Answer(accepted, unchanged, rejected);
    }

    private static N8nWebhookResponse Answer(int accepted, int unchanged, List<RejectedItem> rejected) =>
        rejected.Count > MostRejected ? new(accepted, unchanged, rejected[..MostRejected], rejected.Count) : new(accepted, unchanged, rejected);

    /// <summary>What is known after an event. A finished execution stays as it is: what n8n itself lists is asked for by the next sync and corrects it.</summary>
    private static Execution Merge(Execution? before, N8nEvent item)
    {
        var error = item.Error is { } text ? SecretMask.Clean(text, 500) : null;
        var status = AutomationWriter.Word(item.Status);
        if (before is null)
        {
            // An end alone: the day is known, how long it took is not.
            var (started, ended) = item.StartedAt is { } start ? (start, item.StoppedAt) : (item.StoppedAt!.Value, null);
            return new Execution(item.ExecutionId, item.WorkflowId, status, AutomationWriter.Word(item.Kind ?? ExecutionKind.Production), started, ended, error);
        }

        if (before.Status is "unfinished" or "lost" && item.Status != ExecutionStatus.Unfinished)
        {
            var stopped = item.StoppedAt ?? (item.Duration is { } took ? before.Started + took : null);
            return before with
            {
                Status = status,
                Kind = item.Kind is { } kind ? AutomationWriter.Word(kind) : before.Kind,
                Stopped = stopped < before.Started ? null : stopped,
                Error = error,
            };
        }

        return before.Error is null && error is not null && before.Status == status ? before with { Error = error } : before;
    }

    private static async Task<int> WriteWorkflowsAsync(TenantTransaction tx, Guid integration, IEnumerable<N8nEvent> events, DateTimeOffset now)
    {
        var names = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        foreach (var item in events) names[item.WorkflowId] = item.WorkflowName ?? names.GetValueOrDefault(item.WorkflowId);
        return names.Count == 0 ? 0 : await tx.ExecuteAsync(
            """
            insert into workflows as w (tenant_id, integration_id, workflow_id, name, active, updated_at)
            select @tenant, @integration, i.id, coalesce(i.name, i.id), true, @now from unnest(@ids, @names) as i (id, name)
            on conflict (tenant_id, integration_id, workflow_id) do update set name = excluded.name, updated_at = excluded.updated_at
            where w.name <> excluded.name and excluded.name <> excluded.workflow_id
            """, new { integration, now, ids = names.Keys.ToArray(), names = names.Values.ToArray() });
    }

    private static Task WriteExecutionsAsync(TenantTransaction tx, Guid integration, IReadOnlyCollection<Execution> rows) => rows.Count == 0 ? Task.CompletedTask : tx.ExecuteAsync(
        """
        insert into executions (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at, stopped_at, error_message)
        select @tenant, @integration, i.* from unnest(@ids, @workflows, @statuses, @kinds, @started, @stopped, @errors) as i
        on conflict (tenant_id, integration_id, execution_id) do update
        set status = excluded.status, kind = excluded.kind, stopped_at = excluded.stopped_at, error_message = excluded.error_message
        """, new
        {
            integration,
            ids = rows.Select(row => row.Id).ToArray(),
            workflows = rows.Select(row => row.Workflow).ToArray(),
            statuses = rows.Select(row => row.Status).ToArray(),
            kinds = rows.Select(row => row.Kind).ToArray(),
            started = rows.Select(row => row.Started.UtcDateTime).ToArray(),
            stopped = rows.Select(row => row.Stopped?.UtcDateTime).ToArray(),
            errors = rows.Select(row => row.Error).ToArray(),
        });

    private static async Task RollUpAsync(TenantTransaction tx, Integration integration, IReadOnlyCollection<Execution> changed, TimeZoneInfo tenantZone, DateTimeOffset now)
    {
        var zone = TimeZoneNames.Of(integration.Zone);
        var today = LocalDay.Of(now, zone);
        // A day that we also pull counts once it was read: before that, what was pushed is a part, and a part must not pass for the whole.
        var days = changed.Select(row => LocalDay.Of(row.Started, zone)).Distinct()
            .Where(day => integration.PushOnly || day >= integration.ReadFrom).Order().ToList();
        var readings = new List<(string, DateOnly, decimal)>();
        foreach (var day in days) readings.AddRange(await AutomationWriter.RollUpAsync(tx, integration.Id, zone.Id, day, day));
        await KpiWriter.WriteAsync(tx, readings, integration.Id, null, today, now);
        await KpiWriter.WithdrawAsync(tx, readings.Select(reading => reading.Item2).ToHashSet(), readings.Select(reading => (reading.Item1, reading.Item2)), integration.Id, null, now);
        if (!integration.PushOnly) return;

        // Who pushes tells as things end: yesterday is complete once something came today, and final but for what still runs.
        var final = await AutomationWriter.FirstUnfinishedDayAsync(tx, integration.Id, zone.Id) is { } open && open.AddDays(-1) < today.AddDays(-2) ? open.AddDays(-1) : today.AddDays(-2);
        await tx.ExecuteAsync(
            """
            update integrations
            set fetched_at = @now, complete_through = greatest(complete_through, @complete), final_through = final_within(@final, greatest(complete_through, @complete)), read_from = least(read_from, @from), read_to = greatest(read_to, @today)
            where tenant_id = @tenant and id = @integration
            """, new { integration = integration.Id, now, complete = today.AddDays(-1), final, from = days.Count > 0 ? days[0] : (DateOnly?)null, today });
    }

    private sealed record Integration(Guid Id, string Status, bool PushOnly, DateOnly? ReadFrom, string Zone);

    private sealed record Execution(string Id, string Workflow, string Status, string Kind, DateTimeOffset Started, DateTimeOffset? Stopped, string? Error);
}

/// <summary>
/// One execution. Instead of these names n8n's own may be used: <c>startTime</c>, <c>endTime</c>, <c>duration</c>, <c>eventType</c>, <c>timestamp</c>, in any case.
/// </summary>
/// <param name="WorkflowId">Text or number.</param>
/// <param name="ExecutionId">Text or number.</param>
/// <param name="Status"><c>success</c>, <c>failed</c>, <c>error</c>, <c>crashed</c>, <c>canceled</c>, <c>running</c> or <c>waiting</c>.</param>
/// <param name="ExecutionTime">Milliseconds.</param>
internal sealed record N8nEventRequest(
    string WorkflowId, string ExecutionId, string Status, string? WorkflowName = null, DateTimeOffset? StartedAt = null, DateTimeOffset? CompletedAt = null,
    decimal? ExecutionTime = null, string? ErrorMessage = null, string? Mode = null);

/// <summary>
/// What became of the events; the three add up to how many came. Of more than 1,000 rejected the first are named, and <c>rejectedCount</c> says how many there are.
/// </summary>
internal sealed record N8nWebhookResponse(int Accepted, int Unchanged, IReadOnlyList<RejectedItem> Rejected,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? RejectedCount = null);

/// <summary>What was not taken of a request, by its place in it, counted from 0.</summary>
internal sealed record RejectedItem(int Index, string Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(N8nEventRequest))]
[JsonSerializable(typeof(N8nWebhookResponse))]
[JsonSerializable(typeof(JsonDocument))]
internal sealed partial class N8nWebhookJson : JsonSerializerContext;
