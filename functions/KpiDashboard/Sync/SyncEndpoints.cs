using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace KpiDashboard.Sync;

/// <summary>Start a sync, follow it, and see what was connected.</summary>
public sealed class SyncEndpoints
{
    private readonly RefreshRequests _refresh;
    private readonly TenantReads _reads;
    private readonly RateLimits _limits;
    private readonly IConnector[] _connectors;
    private readonly TimeProvider _time;

    internal SyncEndpoints(RefreshRequests refresh, TenantReads reads, RateLimits limits, IEnumerable<IConnector> connectors, TimeProvider time) =>
        (_refresh, _reads, _limits, _connectors, _time) = (refresh, reads, limits, [.. connectors.OrderBy(connector => connector.Key, StringComparer.Ordinal)], time);

    /// <summary><c>POST sync/refresh</c>: the button.</summary>
    public Task<IResult> RefreshAsync(HttpRequest request, CancellationToken cancellationToken) => StartAsync(request, "manual", cancellationToken);

    /// <summary><c>POST webhooks/refresh</c>: the same for machines; <c>Idempotency-Key</c> or <c>webhook-id</c> is honoured for 24 hours.</summary>
    public Task<IResult> WebhookAsync(HttpRequest request, CancellationToken cancellationToken) => StartAsync(request, "webhook", cancellationToken);

    /// <summary><c>GET sync/runs</c>: newest first, by <c>integrationId</c> and <c>status</c>.</summary>
    public Task<IResult> RunsAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerAsync(request, RunJson.Default.RunsResponse, async (tx, _) =>
        {
            var query = new QueryReader(request);
            var integration = query.Id("integrationId");
            var status = query.Choice("status", "", "queued", "running", "waiting", "succeeded", "failed", "dead");
            var limit = query.Number("limit", 50, 1, 200);
            var after = ReadCursor(query);
            query.ThrowIfInvalid();
            var runs = await tx.QueryAsync<RunResponse>(
                RunResponse.Select +
                """
                where r.tenant_id = @tenant
                  and (@integration::uuid is null or r.integration_id = @integration)
                  and (@status = '' or r.status = @status)
                  and (@at::timestamptz is null or (r.queued_at, r.id) < (@at, @id))
                order by r.queued_at desc, r.id desc
                limit @limit + 1
                """,
                new { integration, status, limit, at = after?.At, id = after?.Id });
            var page = runs.Take(limit).ToList();
            return new RunsResponse(page, runs.Count > limit ? WriteCursor(page[^1]) : null);
        }, cancellationToken);

    /// <summary><c>GET sync/runs/{id}</c>: how far it is, what it asked for and which ended days it changed.</summary>
    public Task<IResult> RunAsync(HttpRequest request, string id, CancellationToken cancellationToken) =>
        _reads.AnswerAsync(request, RunJson.Default.RunResponse, async (tx, _) =>
        {
            var found = Guid.TryParseExact(id, "D", out var run)
                ? await tx.QuerySingleOrDefaultAsync<RunResponse>(RunResponse.Select + "where r.tenant_id = @tenant and r.id = @run", new { run })
                : null;
            return (found ?? throw ApiProblem.NotFound("There is no such run.")) with
            {
                Requests = await tx.QueryAsync<RunRequest>(
                    """
                    select operation, fetched_at as FetchedAt, rows, sampled, thresholded
                    from sync_requests where tenant_id = @tenant and run_id = @run order by id limit @most
                    """, new { run, most = RunResponse.MaxParts }),
                Restatements = found.Restated == 0 ? [] : await tx.QueryAsync<RunRestatement>(
                    """
                    select kpi, day, old_value as OldValue, new_value as NewValue
                    from kpi_restatements where tenant_id = @tenant and run_id = @run order by day desc, kpi limit @most
                    """, new { run, most = RunResponse.MaxParts }),
            };
        }, cancellationToken);

    /// <summary><c>GET integrations</c>.</summary>
    public Task<IResult> IntegrationsAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerAsync(request, RunJson.Default.IntegrationsResponse, async (tx, tenant) =>
            new IntegrationsResponse(
                [.. (await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow())).Where(source => source.IsConnected).Select(IntegrationResponse.Of)],
                [.. _connectors.Select(connector => new ConnectableEntry(
                    connector.Key, connector.DisplayName, connector is IKeyConnector, connector is IGrantConnector { CanSignIn: true }, connector is IGrantConnector))]), cancellationToken);

    /// <summary><c>GET sources</c>: what <c>sources=</c> can name.</summary>
    public Task<IResult> SourcesAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerAsync(request, RunJson.Default.SourcesResponse, async (tx, tenant) =>
            new SourcesResponse(await SourceEntry.LoadAsync(tx, await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow()), await TenantCatalogue.LoadAsync(tx))),
            cancellationToken);

    /// <summary><c>GET integrations/{id}</c>.</summary>
    public Task<IResult> IntegrationAsync(HttpRequest request, string id, CancellationToken cancellationToken) =>
        _reads.AnswerAsync(request, RunJson.Default.IntegrationResponse, async (tx, tenant) =>
            (await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow())).FirstOrDefault(source => source.IsConnected && source.Id.ToString("D") == id) is { } source
                ? IntegrationResponse.Of(source)
                : throw ApiProblem.NotFound("There is no such integration."), cancellationToken);

    /// <summary><c>GET integrations/{id}/workflows</c>.</summary>
    public Task<IResult> WorkflowsAsync(HttpRequest request, string id, CancellationToken cancellationToken) =>
        _reads.AnswerAsync(request, IntegrationJson.Default.WorkflowsResponse, async (tx, _) =>
        {
            if (!Guid.TryParseExact(id, "D", out var integration)
                || !await tx.QuerySingleAsync<bool>("select exists (select 1 from integrations where tenant_id = @tenant and id = @integration and status <> 'disconnected')", new { integration }))
                throw ApiProblem.NotFound("There is no such integration.");
            return new WorkflowsResponse(await tx.QueryAsync<WorkflowEntry>(WorkflowEntry.Select + "order by name, workflow_id", new { integration }));
        }, cancellationToken);

    private async Task<IResult> StartAsync(HttpRequest request, string trigger, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = await JsonBody.ReadAsync(request, RunJson.Default.RefreshRequest, cancellationToken, optional: true);
        if (body?.Connectors is { Count: 0 or > 50 }) throw ApiProblem.Invalid("connectors", "'connectors' must name 1 to 50 connectors, or be left out for all.");
        var runs = await _refresh.StartAsync(
            caller.TenantId, body?.Connectors, trigger, IdempotencyKeys.Of(request, trigger), cancellationToken,
            () => _limits.TakeAsync(Bucket.Refresh, caller.TenantId.ToString("N"), cancellationToken));
        return new JsonAnswer<RefreshResponse>(new RefreshResponse(runs), RunJson.Default.RefreshResponse, StatusCodes.Status202Accepted);
    }

    private static (DateTime At, Guid Id)? ReadCursor(QueryReader query)
    {
        if (query.Text("cursor") is not { } text) return null;
        try
        {
            var bytes = WebEncoders.Base64UrlDecode(text);
            if (bytes.Length == 24) return (new DateTime(BitConverter.ToInt64(bytes), DateTimeKind.Utc), new Guid(bytes.AsSpan(8)));
        }
        catch (Exception error) when (error is FormatException or ArgumentException) { }

        query.Error("cursor", "'cursor' must be the nextCursor of an earlier answer.");
        return null;
    }

    private static string WriteCursor(RunResponse run) =>
        WebEncoders.Base64UrlEncode([.. BitConverter.GetBytes(run.QueuedAt.UtcTicks), .. run.Id.ToByteArray()]);
}

/// <summary>What numbers of the business come from.</summary>
internal sealed record SourcesResponse(IReadOnlyList<SourceEntry> Sources);

/// <summary>
/// One of them. <c>id</c>: what <c>sources=</c> names it by, the id of an integration or <c>push</c>. <c>kpis</c>: those that it can answer alone.
/// <c>connected</c> false: it was disconnected, and what it told stays.
/// </summary>
internal sealed record SourceEntry(
    string Id, string Connector, string Name, bool Connected, DateOnly? FirstDay, DateOnly? CompleteThrough, DateOnly? FinalThrough, IReadOnlyList<string> Kpis)
{
    /// <summary>What is called so that no owner gave a name to.</summary>
    public const string PushName = "Pushed and imported";

    /// <summary>The sources of a business that ever had a number or are connected, in the order in which they came.</summary>
    public static async Task<IReadOnlyList<SourceEntry>> LoadAsync(TenantTransaction tx, IReadOnlyList<SourceState> sources, TenantCatalogue catalogue)
    {
        // The index has it all; a business has some thousand rows there.
        var known = (await tx.QueryAsync<(short Source, string Kpi)>(
            """
            select s.source, k.key
            from (select distinct m.source, m.kpi from kpi_months m where m.tenant_id = @tenant) s
            join kpi_keys k on k.tenant_id = @tenant and k.number = s.kpi
            """)).ToLookup(row => row.Source, row => row.Kpi);
        var pushed = known[SourceState.Pushed].ToHashSet(StringComparer.Ordinal);
        return
        [
            .. sources.Where(source => source.IsConnected || known[source.Number].Any()).OrderBy(source => source.Number).Select(source => new SourceEntry(
                source.Id.ToString("D"), source.Connector, source.DisplayName, source.IsConnected, source.FirstDay, source.CompleteThrough, source.FinalThrough,
                Answers(known[source.Number].ToHashSet(StringComparer.Ordinal)))),
            .. pushed.Count == 0 ? (SourceEntry[])[] : [new SourceEntry(
                TenantCatalogue.PushSource, TenantCatalogue.PushSource, PushName, true, null, null, null, Answers(pushed))],
        ];

        IReadOnlyList<string> Answers(HashSet<string> parts) => [.. catalogue.Visible.Where(kpi => kpi.Parts.All(parts.Contains)).Select(kpi => kpi.Key)];
    }
}

/// <summary>Which connectors to refresh; all when left out.</summary>
internal sealed record RefreshRequest(IReadOnlyList<string>? Connectors = null);

/// <summary>The runs that a refresh started or found going on.</summary>
internal sealed record RefreshResponse(IReadOnlyList<RunEntry> Runs);

/// <summary>A page of runs; <c>nextCursor</c> is null at the end.</summary>
internal sealed record RunsResponse(IReadOnlyList<RunResponse> Runs, string? NextCursor);

/// <summary>A run and how far it is. <c>readings</c>, <c>changed</c> and <c>restated</c> count KPI values read, new or different, and different on a day that had ended.</summary>
internal sealed record RunResponse(
    Guid Id, Guid IntegrationId, string Connector, string DisplayName,
    [property: AllowedValues("schedule", "manual", "webhook", "connect")] string Trigger,
    [property: AllowedValues("queued", "running", "waiting", "succeeded", "failed", "dead")] string Status, DateOnly? WindowFrom, DateOnly? WindowTo, int SlicesDone,
    int SlicesTotal, int Attempts, int Readings, int Changed, int Restated, DateTimeOffset QueuedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt,
    DateTimeOffset? NextAttemptAt, string? Message)
{
    /// <summary>Most requests, and most restatements, that are told of one run.</summary>
    internal const int MaxParts = 100;

    /// <summary>The first 100 things that were asked of the source, in order; null in a list of runs.</summary>
    public IReadOnlyList<RunRequest>? Requests { get; init; }

    /// <summary>The newest 100 values of ended days that became others; null in a list of runs.</summary>
    public IReadOnlyList<RunRestatement>? Restatements { get; init; }

    internal const string Select =
        """
        select r.id, r.integration_id as IntegrationId, r.connector, i.display_name as DisplayName, r.trigger, r.status, r.window_from as WindowFrom,
               r.window_to as WindowTo, r.slices_done as SlicesDone, r.slices_total as SlicesTotal, r.attempts, r.readings, r.changed, r.restated,
               r.queued_at as QueuedAt, r.started_at as StartedAt, r.finished_at as FinishedAt, r.next_attempt_at as NextAttemptAt, r.message
        from sync_runs r
        join integrations i on i.tenant_id = r.tenant_id and i.id = r.integration_id

        """;
}

/// <summary>What was asked of a source. <c>rows</c>: rows of its answer. <c>sampled</c>, <c>thresholded</c>: the source says that it estimated, or left small numbers out.</summary>
internal sealed record RunRequest(string Operation, DateTimeOffset FetchedAt, int Rows, bool Sampled, bool Thresholded);

/// <summary>A value of a day that had ended, before and after the source changed it; <c>newValue</c> null: the source takes it back.</summary>
internal sealed record RunRestatement(string Kpi, DateOnly Day, decimal OldValue, decimal? NewValue);

/// <summary>The tenant's integrations, and what can be connected on this installation.</summary>
internal sealed record IntegrationsResponse(IReadOnlyList<IntegrationResponse> Integrations, IReadOnlyList<ConnectableEntry> Connectable);

/// <summary>
/// A connector and how it can be connected here: by address and key, by signing in at the provider (false too while whoever runs this installation has not set that up),
/// by the key of a service account.
/// </summary>
internal sealed record ConnectableEntry(string Connector, string Name, bool ApiKey, bool SignIn, bool ServiceAccount);

/// <summary>
/// An integration: three clocks, state, schedule (<c>push</c>: only pushed to), hour of a daily sync in the business's time zone, address if it has one. Of Google: the property,
/// the account that lets us in (its address), and by which way. <c>reconnect_needed</c> says why in <c>message</c>. <c>silent</c>: read on time, without
/// newer days than its usual wait. <c>readMessages</c>: whether it is asked why single runs failed; null where it cannot be. Of a source that is only pushed to:
/// <c>rhythm</c>, and <c>lateAfterHours</c>, for how long it may be silent.
/// </summary>
internal sealed record IntegrationResponse(
    Guid Id, string Connector, string DisplayName, SourceStatus Status, string? Message, string Schedule, DateTimeOffset? NextDueAt, DateTimeOffset? FetchedAt,
    DateOnly? CompleteThrough, DateOnly? FinalThrough, DateOnly? ReadFrom, DateOnly? MeasurableFrom, int? SyncHour, string? Address,
    string? PropertyId = null, string? PropertyName = null, string? Account = null, GrantKind? Grant = null, bool Silent = false, bool? ReadMessages = null,
    PushRhythmKind? Rhythm = null, int? LateAfterHours = null)
{
    internal static IntegrationResponse Of(SourceState source)
    {
        var freshness = source.ToFreshness();
        return new(source.Id, source.Connector, source.DisplayName, freshness.Status, freshness.Message, source.Schedule, source.NextDueAt, source.FetchedAt,
            source.CompleteThrough, source.FinalThrough, source.ReadFrom, source.MeasurableFrom, source.SyncHour, source.Address,
            source.PropertyId, source.PropertyName, source.Account, source.Grant switch { "oauth" => GrantKind.Oauth, "service_account" => GrantKind.ServiceAccount, _ => null },
            freshness.Silent, source is { Connector: "n8n", Schedule: not "push" } ? source.ReadsMessages : null,
            source.IsPushed ? source.PushRhythm switch { "fixed" => PushRhythmKind.Fixed, "never" => PushRhythmKind.Never, _ => PushRhythmKind.Learned } : null,
            (int?)source.SilentFor?.TotalHours);
    }
}

/// <summary>By what a source that is only pushed to is late.</summary>
[JsonConverter(typeof(SnakeCaseEnum<PushRhythmKind>))]
internal enum PushRhythmKind
{
    /// <summary>By how long it is usually silent, as its own runs tell.</summary>
    Learned,

    /// <summary>By hours that a person chose.</summary>
    Fixed,

    /// <summary>It may be silent for good.</summary>
    Never,
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(RefreshRequest))]
[JsonSerializable(typeof(RefreshResponse))]
[JsonSerializable(typeof(RunsResponse))]
[JsonSerializable(typeof(RunResponse))]
[JsonSerializable(typeof(IntegrationsResponse))]
[JsonSerializable(typeof(SourcesResponse))]
[JsonSerializable(typeof(RunEntry))]
internal sealed partial class RunJson : JsonSerializerContext;
