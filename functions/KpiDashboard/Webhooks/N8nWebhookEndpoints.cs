using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Automation;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.N8n;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Push;
using KpiDashboard.Sync;
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
    private readonly PushLog _log;
    private readonly TimeProvider _time;

    internal N8nWebhookEndpoints(Database database, PushLog log, TimeProvider time) => (_database, _log, _time) = (database, log, time);

    /// <summary>
    /// Takes one event or an array. A request of which nothing could be taken is answered 422, so that n8n shows the step that sent it as
    /// failed; one that brought something is answered 200 and names what was not taken.
    /// </summary>
    public async Task<IResult> ReceiveAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var (caller, sender) = (request.Caller(), _log.SenderOf(request));
        N8nWebhookResponse answer;
        try
        {
            answer = await TakeAsync(request, caller, sender, cancellationToken);
        }
        catch (ApiProblem problem) when (problem.Status != StatusCodes.Status404NotFound)
        {
            await _log.WriteRefusedAsync(caller.TenantId, sender, problem.Message, cancellationToken);
            throw;
        }

        return answer is { Accepted: 0, Unchanged: 0, Rejected.Count: > 0 }
            ? new ProblemAnswer<N8nRefusedResponse>(
                N8nRefusedResponse.Of(answer, Activity.Current?.TraceId.ToHexString() ?? request.HttpContext.TraceIdentifier),
                N8nWebhookJson.Default.N8nRefusedResponse, StatusCodes.Status422UnprocessableEntity)
            : new JsonAnswer<N8nWebhookResponse>(answer, N8nWebhookJson.Default.N8nWebhookResponse);
    }

    private async Task<N8nWebhookResponse> TakeAsync(HttpRequest request, Caller caller, PushSender sender, CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadBytesAsync(request, Limit, cancellationToken);
        using var document = JsonBody.ParseParts(request, body);
        var root = document.RootElement;
        if (root.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array)) throw ApiProblem.BadBody("The body must be one event or an array of events.");
        if (root.ValueKind == JsonValueKind.Array && root.GetArrayLength() > MaxEvents)
            throw ApiProblem.BadBody($"A request may bring at most {MaxEvents:N0} events; send the rest in another one.");
        var now = _time.GetUtcNow();
        var rejected = new List<Rejection>();
        var events = new List<(int Index, N8nEvent Event)>();
        var index = 0;
        foreach (var item in root.ValueKind == JsonValueKind.Array ? root.EnumerateArray() : Enumerable.Repeat(root, 1))
        {
            var (read, reason) = N8nEvents.Read(item, now - MaxAge, now + MaxAhead);
            if (reason is null) events.Add((index, read!));
            else rejected.Add(Rejection.Of(index, reason, N8nEvents.Ids(item)));
            index++;
        }

        var key = IdempotencyKeys.Of(request, "n8n");
        var query = new QueryReader(request);
        var source = query.Id("source");
        query.ThrowIfInvalid();
        return await _database.InTenantAsync(caller.TenantId, tx =>
            IdempotencyKeys.OnceAsync(tx, key, body, now, N8nWebhookJson.Default.N8nWebhookResponse, () => WriteAsync(tx, sender, events, rejected, source, now)), cancellationToken);
    }

    private static async Task<N8nWebhookResponse> WriteAsync(
        TenantTransaction tx, PushSender sender, List<(int Index, N8nEvent Event)> events, List<Rejection> rejected, Guid? source,
        DateTimeOffset now)
    {
        var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
        var integration = await FindAsync(tx, tenant, source);
        if (integration?.Status == "paused") throw ApiProblem.Conflict("n8n is paused here. Resume it, or stop the workflow that sends this.");
        // What says an instant is taken, known or not. The source is there, and locked, before it is asked what is known of it: two first pushes at
        // once must not both think that there is nothing.
        if (integration is null && events.Exists(item => item.Event is { StartedAt: not null } or { StoppedAt: not null }))
            integration = await BeginAsync(tx, tenant, source, now);
        var known = integration is null ? [] : await KnownAsync(tx, integration.Id, events);
        var waiting = integration is null ? [] : await WaitingAsync(tx, integration.Id, events);
        var changed = new Dictionary<string, PushedRun>(StringComparer.Ordinal);
        var days = new List<DateTimeOffset>();
        var taken = new List<PushLogEntry>();
        var (accepted, unchanged) = (0, 0);
        foreach (var (index, item) in events)
        {
            var before = known.GetValueOrDefault(item.ExecutionId);
            if (before is null && (item.StartedAt ?? item.StoppedAt) is null)
            {
                rejected.Add(new Rejection(
                    index, "Nothing says when it was: send 'startedAt', 'completedAt' or 'timestamp'.", item.ExecutionId, item.WorkflowId));
                continue;
            }

            if (before is not null && before.Workflow != item.WorkflowId)
            {
                rejected.Add(new Rejection(
                    index, $"Execution '{item.ExecutionId}' belongs to another workflow, '{KeptText.Cut(before.Workflow, 100)}': a number counts once in an n8n.",
                    item.ExecutionId, item.WorkflowId));
                continue;
            }

            var after = PushedRun.After(before, item);
            // Whether it waits is kept beside it.
            var sleeps = item.Status == ExecutionStatus.Unfinished && after.Status == AutomationWriter.Word(ExecutionStatus.Unfinished)
                && before is not null && waiting.GetValueOrDefault(item.ExecutionId) != item.IsWaiting;
            taken.Add(new PushLogEntry(
                index, after == before && !sleeps ? PushOutcome.Unchanged : PushOutcome.Accepted, item.ExecutionId, item.WorkflowId,
                AutomationWriter.Word(item.Status), null));
            if (after == before && sleeps)
            {
                accepted++;
                waiting[item.ExecutionId] = item.IsWaiting;
                continue;
            }

            if (after == before)
            {
                unchanged++;
                continue;
            }

            accepted++;
            known[item.ExecutionId] = changed[item.ExecutionId] = after;
            waiting[item.ExecutionId] = item.IsWaiting;
            // A start that moves back over midnight takes the run out of one day and into another.
            days.AddRange(before is null ? [after.Started] : [before.Started, after.Started]);
        }

        rejected.Sort((one, other) => one.Index.CompareTo(other.Index));
        await PushLog.WriteAsync(
            tx, sender, [.. taken, .. rejected.Select(item => new PushLogEntry(item.Index, PushOutcome.Rejected, item.ExecutionId, item.WorkflowId, null, item.Reason))], now);
        // Of a request that brought nothing, nothing is written: no source that nobody has, no sign of life.
        if (integration is null || accepted + unchanged == 0) return Answer(0, 0, rejected);

        if (integration.Status == "disconnected") integration = await BeginAsync(tx, tenant, source, now);
        var taking = events.Where(item => known.GetValueOrDefault(item.Event.ExecutionId)?.Workflow == item.Event.WorkflowId).Select(item => item.Event);
        var named = await WriteWorkflowsAsync(tx, integration.Id, taking, now);
        await WriteExecutionsAsync(tx, integration.Id, changed.Values);
        named += await RunDetails.WritePushedAsync(tx, integration.Id, taking.Select(item => (item.ExecutionId, item.IsWaiting, item.Node)));
        await RollUpAsync(tx, integration, days, tenant.Zone, now);
        await PushRhythm.LearnAsync(tx, integration.Id, now);
        if (changed.Count > 0 || named > 0) await TenantProfile.BumpVersionAsync(tx);
        return Answer(accepted, unchanged, rejected);
    }

    /// <summary>
    /// The source that takes it, if there is one: the one that is named, else the only one that is connected, else the only one that is only pushed
    /// to; of those that were disconnected the newest. A sync that writes holds this row, too: whichever comes second adds up what both wrote.
    /// </summary>
    private static async Task<Integration?> FindAsync(TenantTransaction tx, TenantProfile tenant, Guid? wanted)
    {
        var rows = await tx.QueryAsync<Integration>(
            """
            select id, status, coalesce(settings ->> 'pushOnly' = 'true', false) as PushOnly, read_from as ReadFrom, safe_zone(coalesce(time_zone, @zone)) as Zone,
                   display_name as Name
            from integrations where tenant_id = @tenant and connector = 'n8n' order by source for update
            """, new { zone = tenant.TimeZone });
        if (wanted is { } id)
            return rows.FirstOrDefault(row => row.Id == id) ?? throw ApiProblem.Invalid("source", $"'source' names {id:D}, which is no n8n of this business.");
        var connected = rows.Where(row => row.Status != "disconnected").ToList();
        if (connected.Count == 0) return rows is [.., var last] ? last : null;
        if (connected.Count == 1) return connected[0];
        return connected.Where(row => row.PushOnly).ToList() is [var pushed]
            ? pushed
            : throw ApiProblem.Invalid("source", $"'source' is missing: this business has {connected.Count} n8n. Add ?source= with the id of one of them: "
                + string.Join(", ", connected.Take(5).Select(row => $"{row.Id:D} ({row.Name})")) + ".");
    }

    /// <summary>A source that is only ever pushed to, where there is none, or the one before was disconnected.</summary>
    private static async Task<Integration> BeginAsync(TenantTransaction tx, TenantProfile tenant, Guid? wanted, DateTimeOffset now)
    {
        // Two first pushes at once: the second finds what the first made. Not the row of the business, which comes after those of its sources.
        await tx.ExecuteAsync(IntegrationEndpoints.OneMoreAtATime);
        if (await FindAsync(tx, tenant, wanted) is { } found)
        {
            await tx.ExecuteAsync(
                "update integrations set status = 'active', settings = '{\"pushOnly\": true}' where tenant_id = @tenant and id = @Id and status = 'disconnected'",
                new { found.Id });
        }
        else
        {
            await tx.ExecuteAsync(
                """
                insert into integrations (tenant_id, id, connector, display_name, settings, created_at)
                values (@tenant, @id, 'n8n', 'n8n', '{"pushOnly": true}', @now)
                """, new { id = Guid.CreateVersion7(now), now });
        }

        return (await FindAsync(tx, tenant, wanted))!;
    }

    private static async Task<Dictionary<string, PushedRun>> KnownAsync(TenantTransaction tx, Guid integration, List<(int Index, N8nEvent Event)> events) =>
        (await tx.QueryAsync<PushedRun>(
            """
            select execution_id as Id, workflow_id as Workflow, status, kind, started_at as Started, stopped_at as Stopped, told_start as ToldStart, told_end as ToldEnd,
                   error_message as Error
            from executions where tenant_id = @tenant and integration_id = @integration and execution_id = any (@ids)
            """, new { integration, ids = events.Select(item => item.Event.ExecutionId).Distinct().ToArray() })).ToDictionary(row => row.Id, StringComparer.Ordinal);

    private static async Task<Dictionary<string, bool>> WaitingAsync(TenantTransaction tx, Guid integration, List<(int Index, N8nEvent Event)> events)
    {
        var ids = events.Where(item => item.Event.Status == ExecutionStatus.Unfinished).Select(item => item.Event.ExecutionId).Distinct().ToArray();
        return ids.Length == 0 ? [] : (await tx.QueryAsync<(string Id, bool Waiting)>(
            "select execution_id, waiting from executions where tenant_id = @tenant and integration_id = @integration and execution_id = any (@ids)",
            new { integration, ids })).ToDictionary(row => row.Id, row => row.Waiting, StringComparer.Ordinal);
    }

    private static N8nWebhookResponse Answer(int accepted, int unchanged, List<Rejection> rejected) => new(
        accepted, unchanged, [.. rejected.Take(MostRejected).Select(item => new RejectedItem(item.Index, item.Reason))],
        rejected.Count > MostRejected ? rejected.Count : null);

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

    private static Task WriteExecutionsAsync(
        TenantTransaction tx, Guid integration, Dictionary<string, PushedRun>.ValueCollection rows) => rows.Count == 0 ? Task.CompletedTask : tx.ExecuteAsync(
        """
        insert into executions
            (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at, stopped_at, told_start, told_end, error_message)
        select @tenant, @integration, i.*
        from unnest(@ids, @workflows, @statuses, @kinds, @started, @stopped, @toldStarts, @toldEnds, @errors) as i
        on conflict (tenant_id, integration_id, execution_id) do update
        set status = excluded.status, kind = excluded.kind, started_at = excluded.started_at, stopped_at = excluded.stopped_at,
            told_start = excluded.told_start, told_end = excluded.told_end, error_message = excluded.error_message
        """, new
        {
            integration,
            ids = rows.Select(row => row.Id).ToArray(),
            workflows = rows.Select(row => row.Workflow).ToArray(),
            statuses = rows.Select(row => row.Status).ToArray(),
            kinds = rows.Select(row => row.Kind).ToArray(),
            started = rows.Select(row => row.Started.UtcDateTime).ToArray(),
            stopped = rows.Select(row => row.Stopped?.UtcDateTime).ToArray(),
            toldStarts = rows.Select(row => row.ToldStart?.UtcDateTime).ToArray(),
            toldEnds = rows.Select(row => row.ToldEnd?.UtcDateTime).ToArray(),
            errors = rows.Select(row => row.Error).ToArray(),
        });

    private static async Task RollUpAsync(TenantTransaction tx, Integration integration, IReadOnlyCollection<DateTimeOffset> changed, TimeZoneInfo tenantZone, DateTimeOffset now)
    {
        var zone = TimeZoneNames.Of(integration.Zone);
        var today = LocalDay.Of(now, zone);
        // A day that we also pull counts once it was read: before that, what was pushed is a part, and a part must not pass for the whole.
        var days = changed.Select(instant => LocalDay.Of(instant, zone)).Distinct()
            .Where(day => integration.PushOnly || day >= integration.ReadFrom).Order().ToList();
        var readings = new List<(string, DateOnly, decimal)>();
        readings.AddRange(await AutomationWriter.RollUpAsync(tx, integration.Id, zone.Id, [.. days.Select(day => (day, day))]));
        await KpiWriter.WriteAsync(tx, readings, integration.Id, null, today, now, readings.Select(reading => reading.Item2).ToHashSet());
        if (!integration.PushOnly) return;

        var (complete, final) = await AutomationWriter.PushedThroughAsync(tx, integration.Id, zone.Id, today);
        await tx.ExecuteAsync(
            """
            update integrations
            set fetched_at = @now, complete_through = greatest(complete_through, @complete), final_through = final_within(@final, greatest(complete_through, @complete)), read_from = least(read_from, @from), read_to = greatest(read_to, @today)
            where tenant_id = @tenant and id = @integration
            """, new { integration = integration.Id, now, complete, final, from = days.Count > 0 ? days[0] : (DateOnly?)null, today });
    }

    /// <summary>An event that was not taken, and which execution it was about if it said so.</summary>
    private sealed record Rejection(int Index, string Reason, string? ExecutionId, string? WorkflowId)
    {
        public static Rejection Of(int index, string reason, (string? Execution, string? Workflow) ids) => new(index, reason, ids.Execution, ids.Workflow);
    }

    private sealed record Integration(Guid Id, string Status, bool PushOnly, DateOnly? ReadFrom, string Zone, string Name);
}

/// <summary>
/// One execution. Instead of these names n8n's own may be used: <c>startTime</c>, <c>endTime</c>, <c>duration</c>, <c>eventType</c>, <c>timestamp</c>, in any case.
/// </summary>
/// <param name="WorkflowId">Text or number.</param>
/// <param name="ExecutionId">Text or number.</param>
/// <param name="Status"><c>success</c>, <c>failed</c>, <c>error</c>, <c>crashed</c>, <c>canceled</c>, <c>running</c> or <c>waiting</c>.</param>
/// <param name="ExecutionTime">Milliseconds.</param>
/// <param name="Timestamp">When it was, where neither start nor end is known.</param>
/// <param name="ErrorNode">The step in which a failure happened; <c>lastNodeExecuted</c> counts as well.</param>
internal sealed record N8nEventRequest(
    string WorkflowId, string ExecutionId, string Status, string? WorkflowName = null, DateTimeOffset? StartedAt = null, DateTimeOffset? CompletedAt = null,
    decimal? ExecutionTime = null, string? ErrorMessage = null, string? Mode = null, DateTimeOffset? Timestamp = null, string? ErrorNode = null,
    string? LastNodeExecuted = null);

/// <summary>
/// What became of the events; the three add up to how many came. Of more than 1,000 rejected the first are named, and <c>rejectedCount</c> says how many there are.
/// </summary>
internal sealed record N8nWebhookResponse(int Accepted, int Unchanged, IReadOnlyList<RejectedItem> Rejected,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? RejectedCount = null);

/// <summary>
/// Nothing of a request could be taken: a problem as any other, and the answer beside it. <c>errors</c> names the first events by their
/// place.
/// </summary>
internal sealed record N8nRefusedResponse(
    string Type, string Title, int Status, string Detail, string TraceId, IReadOnlyDictionary<string, string[]> Errors, int Accepted, int Unchanged,
    IReadOnlyList<RejectedItem> Rejected, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? RejectedCount)
{
    private const int MostErrors = 20;

    internal static N8nRefusedResponse Of(N8nWebhookResponse answer, string trace)
    {
        var count = answer.RejectedCount ?? answer.Rejected.Count;
        var others = count > 1 ? $" None of the {count} events could be taken." : "";
        return new(
            "https://kpi-dashboard.example/problems/nothing-taken", "Nothing of this was taken", StatusCodes.Status422UnprocessableEntity, answer.Rejected[0].Reason + others,
            trace, answer.Rejected.Take(MostErrors).ToDictionary(
                item => FormattableString.Invariant($"[{item.Index}]"), item => (string[])[item.Reason], StringComparer.Ordinal),
            answer.Accepted, answer.Unchanged, answer.Rejected, answer.RejectedCount);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(N8nEventRequest))]
[JsonSerializable(typeof(N8nWebhookResponse))]
[JsonSerializable(typeof(N8nRefusedResponse))]
[JsonSerializable(typeof(JsonDocument))]
internal sealed partial class N8nWebhookJson : JsonSerializerContext;
