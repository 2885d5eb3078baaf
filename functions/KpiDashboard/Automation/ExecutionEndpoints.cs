using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace KpiDashboard.Automation;

/// <summary>Single runs: what failed and why, what goes on now, what a workflow did.</summary>
public sealed class ExecutionEndpoints
{
    /// <summary>Runs of a file; more than an owner reads, and as many as are kept of a busy year.</summary>
    private const int MaxExported = 200_000;

    private const int ExportPage = 2_000;

    internal static readonly string[] Statuses = ["running", "waiting", "succeeded", "failed", "canceled", "lost"];
    internal static readonly string[] Kinds = ["production", "manual", "error_handler", "sub_workflow"];

    private readonly TenantReads _reads;
    private readonly Database _database;
    private readonly Dictionary<string, IRunsConnector> _connectors;
    private readonly TimeProvider _time;

    internal ExecutionEndpoints(TenantReads reads, Database database, IEnumerable<IConnector> connectors, TimeProvider time)
    {
        (_reads, _database, _time) = (reads, database, time);
        _connectors = connectors.OfType<IRunsConnector>().ToDictionary(connector => connector.Key, StringComparer.Ordinal);
    }

    /// <summary>
    /// <c>GET automation/executions</c>: runs, newest first, those under way included; by workflow, state, kind, days and sources.
    /// </summary>
    public Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerAsync(request, ExecutionJson.Default.ExecutionsResponse, async (tx, tenant) =>
        {
            var query = new QueryReader(request);
            var filter = ExecutionFilter.Read(query);
            var limit = query.Number("limit", 50, 1, 200);
            var after = ReadCursor(query);
            filter = filter with { Sources = await SourcesAsync(query, tx, tenant) };
            query.ThrowIfInvalid();
            var rows = await PageAsync(tx, tenant, filter, after, limit + 1);
            return new ExecutionsResponse([.. rows.Take(limit).Select(Entry)], rows.Count > limit ? WriteCursor(rows[limit - 1]) : null, tenant.TimeZone);
        }, cancellationToken);

    /// <summary><c>GET automation/executions/{id}</c>: one run, by the id that its source gave it.</summary>
    public Task<IResult> GetAsync(HttpRequest request, string id, CancellationToken cancellationToken) =>
        _reads.AnswerAsync(request, ExecutionJson.Default.ExecutionEntry, async (tx, tenant) =>
        {
            var query = new QueryReader(request);
            var integration = query.Id("integrationId");
            query.ThrowIfInvalid();
            // An id of another kind than sources give is nobody's.
            var rows = id.Length > 100 ? [] : await PageAsync(tx, tenant, new ExecutionFilter { Id = id, Integration = integration }, null, 1);
            return rows.Count == 0 ? throw ApiProblem.NotFound("There is no such run; single runs are kept for 90 days.") : Entry(rows[0]);
        }, cancellationToken);

    /// <summary><c>GET automation/export/executions</c>: the same runs as a file, up to 200,000.</summary>
    public async Task<IResult> ExportAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request);
        var format = query.Choice("format", "csv", "json");
        var filter = ExecutionFilter.Read(query);
        query.ThrowIfInvalid();
        var (tenant, sources) = await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
            return (tenant, await SourcesAsync(query, tx, tenant));
        }, cancellationToken);
        query.ThrowIfInvalid();
        filter = filter with { Sources = sources };
        return AutomationFiles.Answer("runs", "runs", format, ExecutionJson.Default.ExportedRun, token => RowsAsync(tenant, filter, token));
    }

    /// <summary>The integrations that the runs are narrowed to; null for all. What is pushed has no runs.</summary>
    private async Task<Guid[]?> SourcesAsync(QueryReader query, TenantTransaction tx, TenantProfile tenant) =>
        SourceSelection.Read(query, await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow())).Integrations;

    private async IAsyncEnumerable<ExportedRun> RowsAsync(
        TenantProfile tenant, ExecutionFilter filter, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ExecutionCursor? after = null;
        for (var told = 0; told < MaxExported;)
        {
            // A page at a time, so that no connection is held while somebody's line is slow.
            var rows = await _database.InTenantAsync(tenant.Id, tx => PageAsync(tx, tenant, filter, after, ExportPage), cancellationToken);
            foreach (var row in rows) yield return ExportedRun.Of(Entry(row));
            if (rows.Count < ExportPage) yield break;
            told += rows.Count;
            after = rows[^1].Cursor;
        }
    }

    private static Task<IReadOnlyList<Row>> PageAsync(TenantTransaction tx, TenantProfile tenant, ExecutionFilter filter, ExecutionCursor? after, int limit) => tx.QueryAsync<Row>(
        $"""
        select e.execution_id as Id, e.integration_id as IntegrationId, i.connector, i.settings ->> 'baseUrl' as Address, e.workflow_id as WorkflowId,
               coalesce(w.name, e.workflow_id) as Workflow, e.status, e.waiting, e.kind, e.started_at as StartedAt, e.stopped_at as StoppedAt, e.wait_until as WaitUntil,
               (extract(epoch from time_at_work(e.started_at, e.stopped_at, e.asleep_at, e.wakes_at)) * 1000)::float8 as Worked,
               e.error_message as Message, e.error_node as Node, e.retried_by as RetriedBy, e.error_asked_at is not null as Asked,
               i.reads_messages and i.status = 'active' and coalesce(i.settings ->> 'pushOnly', 'false') <> 'true' as WillAsk, i.reads_messages as ReadsMessages,
               case when e.status <> 'unfinished' then null
                    -- Asleep: an hour after it should have woken up. Whoever waits for an answer may wait.
                    when e.waiting then e.wait_until + interval '1 hour'
                    -- At work: three times what runs of this workflow take at most, as a rule; two hours where that is not known.
                    else greatest(e.started_at, e.wait_until) + case when u.runs >= 5 then greatest(3 * u.usual, interval '15 minutes') else interval '2 hours' end
               end as StuckAfter
        from executions e
        join integrations i on i.tenant_id = e.tenant_id and i.id = e.integration_id
        left join workflows w on w.tenant_id = e.tenant_id and w.integration_id = e.integration_id and w.workflow_id = e.workflow_id
        left join lateral (
            select count(*) as runs, percentile_cont(0.95) within group (order by p.took) as usual
            from (select p.stopped_at - p.started_at as took
                  from executions p
                  where p.tenant_id = @tenant and p.workflow_id = e.workflow_id and p.integration_id = e.integration_id
                    and p.status in ('succeeded', 'failed') and p.stopped_at is not null and p.wait_until is null
                  order by p.started_at desc limit 100) p
        ) u on e.status = 'unfinished' and not e.waiting
        where e.tenant_id = @tenant
          {filter.Where}
          {(after is null ? "" : "and (e.started_at, e.execution_id, e.integration_id) < (@at, @afterId, @afterIntegration)")}
        order by e.started_at desc, e.execution_id desc, e.integration_id desc
        limit @limit
        """,
        new
        {
            limit,
            id = filter.Id,
            integration = filter.Integration,
            sources = filter.Sources,
            workflow = filter.Workflow,
            statuses = filter.Statuses,
            kinds = filter.Kinds,
            from = filter.From,
            to = filter.To,
            zone = tenant.TimeZone,
            at = after?.At,
            afterId = after?.Id,
            afterIntegration = after?.Integration,
        });

    private ExecutionEntry Entry(Row row)
    {
        var status = row.Status != "unfinished" ? row.Status : row.Waiting ? "waiting" : "running";
        return new ExecutionEntry(
            row.Id, row.IntegrationId, row.WorkflowId, row.Workflow, status, row.Kind, row.StartedAt, row.StoppedAt,
            row.Worked is { } took ? (long)Math.Round(took) : null, status == "waiting" ? row.WaitUntil : null, row.StuckAfter,
            status == "failed" ? new ExecutionError(row.Message, row.Node, StateOf(row)) : null, row.RetriedBy,
            _connectors.GetValueOrDefault(row.Connector)?.RunAddress(row.Address, row.WorkflowId, row.Id)?.AbsoluteUri);
    }

    private static string StateOf(Row row) =>
        row.Message is not null ? "told" : row.Asked ? "unknown" : row.WillAsk ? "coming" : row.ReadsMessages ? "unknown" : "off";

    private static ExecutionCursor? ReadCursor(QueryReader query)
    {
        if (query.Text("cursor", 600) is not { } text) return null;
        try
        {
            var bytes = WebEncoders.Base64UrlDecode(text);
            if (bytes.Length is > 24 and <= 24 + 400 && BitConverter.ToInt64(bytes) is var ticks && ticks >= 0 && ticks <= DateTime.MaxValue.Ticks)
                return new ExecutionCursor(new DateTime(ticks, DateTimeKind.Utc), Encoding.UTF8.GetString(bytes, 24, bytes.Length - 24).Replace('\0', ' '), new Guid(bytes.AsSpan(8, 16)));
        }
        catch (Exception error) when (error is FormatException or ArgumentException) { }

        query.Error("cursor", "'cursor' must be the nextCursor of an earlier answer.");
        return null;
    }

    private static string WriteCursor(Row row) =>
        WebEncoders.Base64UrlEncode([.. BitConverter.GetBytes(row.StartedAt.UtcTicks), .. row.IntegrationId.ToByteArray(), .. Encoding.UTF8.GetBytes(row.Id)]);

    private sealed record Row(
        string Id, Guid IntegrationId, string Connector, string? Address, string WorkflowId, string Workflow, string Status, bool Waiting, string Kind, DateTimeOffset StartedAt,
        DateTimeOffset? StoppedAt, DateTimeOffset? WaitUntil, double? Worked, string? Message, string? Node, string? RetriedBy, bool Asked, bool WillAsk, bool ReadsMessages, DateTimeOffset? StuckAfter)
    {
        public ExecutionCursor Cursor => new(StartedAt.UtcDateTime, Id, IntegrationId);
    }

    private sealed record ExecutionCursor(DateTime At, string Id, Guid Integration);
}

/// <summary>Which runs.</summary>
internal sealed record ExecutionFilter
{
    public string? Id { get; init; }
    public Guid? Integration { get; init; }
    public Guid[]? Sources { get; init; }
    public string? Workflow { get; init; }
    public string[] Statuses { get; init; } = [];
    public string[] Kinds { get; init; } = [];
    public DateOnly? From { get; init; }
    public DateOnly? To { get; init; }

    /// <summary>Reads <c>workflow</c>, <c>status</c>, <c>kind</c>, <c>integrationId</c>, <c>from</c> and <c>to</c>.</summary>
    public static ExecutionFilter Read(QueryReader query)
    {
        var (from, to) = (query.Date("from"), query.Date("to"));
        if (from > to) query.Error("from", string.Create(CultureInfo.InvariantCulture, $"'from' ({from:yyyy-MM-dd}) is after 'to' ({to:yyyy-MM-dd})."));
        foreach (var (name, day) in new[] { ("from", from), ("to", to) })
        {
            if (day < Period.Earliest || day > new DateOnly(9998, 12, 31)) query.Error(name, $"'{name}' must be 2000-01-01 to 9998-12-31.");
        }

        return new ExecutionFilter
        {
            Workflow = query.Text("workflow", 100),
            Integration = query.Id("integrationId"),
            Statuses = Words(query, "status", ExecutionEndpoints.Statuses),
            Kinds = Words(query, "kind", ExecutionEndpoints.Kinds),
            From = from,
            To = to,
        };
    }

    /// <summary>
    /// Only conditions that were asked for: each has an index that way, and none has to do with a parameter that says nothing.
    /// </summary>
    public string Where
    {
        get
        {
            var where = new StringBuilder();
            if (Id is not null) where.Append("and e.execution_id = @id ");
            if (Integration is not null) where.Append("and e.integration_id = @integration ");
            if (Sources is not null) where.Append("and e.integration_id = any (@sources) ");
            if (Workflow is not null) where.Append("and e.workflow_id = @workflow ");
            if (Statuses is ["failed"]) where.Append("and e.status = 'failed' ");
            else if (Statuses.Length > 0 && Statuses.All(status => status is "running" or "waiting"))
                where.Append("and e.status = 'unfinished' and case when e.waiting then 'waiting' else 'running' end = any (@statuses) ");
            else if (Statuses.Length > 0)
                where.Append("and case when e.status <> 'unfinished' then e.status when e.waiting then 'waiting' else 'running' end = any (@statuses) ");
            if (Kinds.Length > 0) where.Append("and e.kind = any (@kinds) ");
            if (From is not null) where.Append("and e.started_at >= (select start_of_day(@from, @zone)) ");
            if (To is not null) where.Append("and e.started_at < (select start_of_day(@to + 1, @zone)) ");
            return where.ToString();
        }
    }

    private static string[] Words(QueryReader query, string name, string[] known)
    {
        var words = (query.Text(name) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct(StringComparer.Ordinal).ToArray();
        if (words.FirstOrDefault(word => !known.Contains(word, StringComparer.Ordinal)) is { } unknown)
            query.Error(name, $"'{name}' may name {string.Join(", ", known)}, separated by commas; '{(unknown.Length <= 40 ? unknown : unknown[..40] + "…")}' is none.");
        return words;
    }
}

/// <summary>A page of runs, newest first; <c>nextCursor</c> is null at the end.</summary>
/// <param name="Executions">The runs.</param>
/// <param name="NextCursor">Asks for the next page.</param>
/// <param name="TimeZone">Whose days <c>from</c> and <c>to</c> are.</param>
internal sealed record ExecutionsResponse(IReadOnlyList<ExecutionEntry> Executions, string? NextCursor, string TimeZone);

/// <summary>One run of a workflow.</summary>
/// <param name="Id">As its source calls it.</param>
/// <param name="IntegrationId">The source.</param>
/// <param name="WorkflowId">As the source calls it.</param>
/// <param name="Workflow">Name of the workflow.</param>
/// <param name="Status"><c>lost</c>: the source no longer knows how it ended.</param>
/// <param name="Kind">Why it ran; only <c>production</c> counts in the numbers.</param>
/// <param name="StartedAt">When it started.</param>
/// <param name="StoppedAt">When it ended; null while it has not, or if that was not said.</param>
/// <param name="DurationMs">How long it was at work: from start to end without what it is known to have waited, as the mean counts it. Null where
/// that is not known.</param>
/// <param name="WaitUntil">When a waiting one goes on by itself; null if it waits for an answer.</param>
/// <param name="StuckAfter">A run that is still under way after this hangs, as far as one can tell; null where nothing can be told.</param>
/// <param name="Error">Why it failed; null if it did not.</param>
/// <param name="FixedBy">The run that did the same again and succeeded.</param>
/// <param name="Url">Where the source shows it; null where that is not known.</param>
internal sealed record ExecutionEntry(
    string Id, Guid IntegrationId, string WorkflowId, string Workflow,
    [property: AllowedValues("running", "waiting", "succeeded", "failed", "canceled", "lost")] string Status,
    [property: AllowedValues("production", "manual", "error_handler", "sub_workflow")] string Kind, DateTimeOffset StartedAt, DateTimeOffset? StoppedAt, long? DurationMs,
    DateTimeOffset? WaitUntil, DateTimeOffset? StuckAfter, ExecutionError? Error, string? FixedBy, string? Url);

/// <summary>Why a run failed, with whatever looks like a secret masked.</summary>
/// <param name="Message">What the source said; null while it said nothing.</param>
/// <param name="Node">Where in the workflow; null if that was not said.</param>
/// <param name="State"><c>coming</c>: it will be asked for; <c>unknown</c>: nobody says; <c>off</c>: the connection does not ask.</param>
internal sealed record ExecutionError(string? Message, string? Node, [property: AllowedValues("told", "coming", "unknown", "off")] string State);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ExecutionsResponse))]
[JsonSerializable(typeof(ExecutionEntry))]
[JsonSerializable(typeof(RunsFile))]
[JsonSerializable(typeof(WorkflowsFile))]
internal sealed partial class ExecutionJson : JsonSerializerContext;
