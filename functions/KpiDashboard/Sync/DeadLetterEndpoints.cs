using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Sync;

/// <summary>What was given up, across tenants, and how to try it again; for operators.</summary>
public sealed partial class DeadLetterEndpoints
{
    /// <summary>Most ids of one request.</summary>
    internal const int MaxIds = 200;

    private readonly Database _database;
    private readonly SyncScheduler _scheduler;
    private readonly ISyncQueues _queues;
    private readonly TimeProvider _time;
    private readonly ILogger<DeadLetterEndpoints> _logger;

    internal DeadLetterEndpoints(Database database, SyncScheduler scheduler, ISyncQueues queues, TimeProvider time, ILogger<DeadLetterEndpoints> logger) =>
        (_database, _scheduler, _queues, _time, _logger) = (database, scheduler, queues, time, logger);

    /// <summary><c>GET ops/dead-letters</c>: newest first.</summary>
    public async Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request);
        var limit = query.Number("limit", 50, 1, 200);
        var after = ReadCursor(query);
        query.ThrowIfInvalid();
        var found = await _database.QueryAsync<DeadLetterEntry>(
            """
            select kind, key as Id, at, queue, reason, body, tenant_id as TenantId, integration_id as IntegrationId, connector, trigger, traceparent
            from list_dead_letters(@at, @key, @limit + 1)
            """,
            new { at = after?.At, key = after?.Key, limit }, cancellationToken);
        var page = found.Take(limit).ToList();
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<DeadLettersResponse>(
            new DeadLettersResponse(page, found.Count > limit ? WriteCursor(page[^1]) : null), DeadLetterJson.Default.DeadLettersResponse);
    }

    /// <summary><c>POST ops/requeue</c>: each id is answered with what became of it.</summary>
    public async Task<IResult> RequeueAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        // Without 'optional' an empty body is a problem, never null.
        var body = (await JsonBody.ReadAsync(request, DeadLetterJson.Default.RequeueRequest, cancellationToken))!;
        var (runs, messages) = (body.RunIds ?? [], body.DeadLetterIds ?? []);
        if (runs.Count + messages.Count is 0 or > MaxIds)
            throw ApiProblem.Invalid(runs.Count > 0 ? "runIds" : "deadLetterIds", $"'runIds' and 'deadLetterIds' must name 1 to {MaxIds} entries together.");

        var outcomes = new List<RequeueOutcome>();
        foreach (var run in runs.Distinct())
            outcomes.Add(new RequeueOutcome(run.ToString("D"), await RequeueRunAsync(run, cancellationToken)));
        foreach (var id in messages.Distinct())
            outcomes.Add(new RequeueOutcome(id.ToString(System.Globalization.CultureInfo.InvariantCulture), await RequeueMessageAsync(id, cancellationToken)));
        return new JsonAnswer<RequeueResponse>(new RequeueResponse(outcomes), DeadLetterJson.Default.RequeueResponse);
    }

    /// <summary>Tries a dead run again; answers what became of it.</summary>
    internal async Task<string> RequeueRunAsync(Guid run, CancellationToken cancellationToken)
    {
        var (outcome, tenant, integration, connector, step, traceparent) = (await _database.QueryAsync<(string, Guid?, Guid?, string?, int?, string?)>(
            "select outcome, tenant_id, integration_id, connector, step, traceparent from requeue_dead_run(@run, @now)", new { run, now = _time.GetUtcNow() }, cancellationToken))[0];
        if (outcome != "requeued") return outcome;
        LogRequeued(run, tenant!.Value);
        // Committed: should this fail, the sweeper sends it.
        await _scheduler.EnqueueAsync([new DueRun(run, tenant.Value, integration!.Value, connector!, step!.Value, traceparent)], cancellationToken);
        return outcome;
    }

    /// <summary>Sends a kept message again; answers what became of it.</summary>
    internal async Task<string> RequeueMessageAsync(long id, CancellationToken cancellationToken)
    {
        if (await _database.QueryAsync<(string Queue, string Body)>("select queue, body from read_dead_letter(@id)", new { id }, cancellationToken) is not [var (queue, body)]) return "unknown";
        const string suffix = "-poison";
        // First sent, then noted: between the two it could be sent twice, which every handler bears, but not be lost.
        await _queues.SendTextAsync(queue.EndsWith(suffix, StringComparison.Ordinal) ? queue[..^suffix.Length] : queue, body, cancellationToken);
        await _database.ExecuteAsync("select note_requeued(@id, @now)", new { id, now = _time.GetUtcNow() }, cancellationToken);
        LogSentAgain(id, queue);
        return "requeued";
    }

    private static (DateTime At, string Key)? ReadCursor(QueryReader query)
    {
        if (query.Text("cursor") is not { } text) return null;
        try
        {
            var bytes = WebEncoders.Base64UrlDecode(text);
            if (bytes.Length is > 8 and <= 64 && Encoding.UTF8.GetString(bytes.AsSpan(8)) is var key && key.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
                return (new DateTime(BitConverter.ToInt64(bytes), DateTimeKind.Utc), key);
        }
        catch (Exception error) when (error is FormatException or ArgumentException) { }

        query.Error("cursor", "'cursor' must be the nextCursor of an earlier answer.");
        return null;
    }

    private static string WriteCursor(DeadLetterEntry entry) => WebEncoders.Base64UrlEncode([.. BitConverter.GetBytes(entry.At.UtcTicks), .. Encoding.UTF8.GetBytes(entry.Id)]);

    [LoggerMessage(1203, LogLevel.Warning, "An operator requeued run {Run} of tenant {Tenant}")]
    private partial void LogRequeued(Guid run, Guid tenant);

    [LoggerMessage(1204, LogLevel.Warning, "An operator sent dead letter {Id} of {Queue} again")]
    private partial void LogSentAgain(long id, string queue);
}

/// <summary>A page of dead letters; <c>nextCursor</c> is null at the end.</summary>
internal sealed record DeadLettersResponse(IReadOnlyList<DeadLetterEntry> DeadLetters, string? NextCursor);

/// <summary>Something that was given up: a <c>run</c> that is dead, or a <c>message</c> that no function could read, with its <c>body</c>.</summary>
internal sealed record DeadLetterEntry(
    [property: AllowedValues("run", "message")] string Kind, string Id, DateTimeOffset At, string Queue, string? Reason, string? Body, Guid? TenantId, Guid? IntegrationId,
    string? Connector, string? Trigger, string? Traceparent);

/// <summary>What to try again: ids of entries of kind <c>run</c> and of kind <c>message</c>.</summary>
internal sealed record RequeueRequest(IReadOnlyList<Guid>? RunIds = null, IReadOnlyList<long>? DeadLetterIds = null);

/// <summary>What became of each id.</summary>
internal sealed record RequeueResponse(IReadOnlyList<RequeueOutcome> Outcomes);

/// <summary>
/// <c>requeued</c>; <c>superseded</c>: another run of the integration is live and reads what this one would; <c>inactive</c>: the integration is paused or must be connected
/// again; <c>not_dead</c>; <c>unknown</c>.
/// </summary>
internal sealed record RequeueOutcome(string Id, [property: AllowedValues("requeued", "superseded", "inactive", "not_dead", "unknown")] string Outcome);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(DeadLettersResponse))]
[JsonSerializable(typeof(RequeueRequest))]
[JsonSerializable(typeof(RequeueResponse))]
internal sealed partial class DeadLetterJson : JsonSerializerContext;
