using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Identity;
using KpiDashboard.Security;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Webhooks;

/// <summary>What became of a pushed event.</summary>
[JsonConverter(typeof(SnakeCaseEnum<PushOutcome>))]
internal enum PushOutcome
{
    /// <summary>It told something new.</summary>
    Accepted,

    /// <summary>It told what was known.</summary>
    Unchanged,

    /// <summary>It was not taken; the reason says why.</summary>
    Rejected,
}

/// <summary>Who sent, from where.</summary>
internal sealed record PushSender(Guid? TokenId, string TokenName, string? Address);

/// <summary>One event of a request and what became of it; position -1 is the request as a whole.</summary>
internal sealed record PushLogEntry(int Position, PushOutcome Outcome, string? ExecutionId, string? WorkflowId, string? State, string? Reason);

/// <summary>
/// The log of what is pushed, for the business that it is pushed to: what came, when, with which token, and why it was not taken. Never
/// what stood in it: people send whole orders along by mistake.
/// </summary>
internal sealed class PushLog(Database database, ClientAddress address, TimeProvider time) : ITokenRefusals
{
    /// <summary>Of a larger request, as many of those taken and as many of those rejected are told one by one; the rest together.</summary>
    internal const int MostOfEach = 100;

    /// <summary>How long it is kept.</summary>
    internal static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>Rows that one transaction forgets at most, and transactions of one round.</summary>
    private const int Batch = 5_000, MostBatches = 200;

    /// <summary>Who makes a request, as the log names it.</summary>
    public PushSender SenderOf(HttpRequest request)
    {
        var caller = request.Caller();
        return Sender(caller.TokenId, caller.Name, address.NetworkText(request) ?? address.Of(request));
    }

    /// <summary>Notes the events of a request, in the transaction that wrote them.</summary>
    public static Task WriteAsync(TenantTransaction tx, PushSender sender, IReadOnlyCollection<PushLogEntry> entries, DateTimeOffset now)
    {
        var rows = Rows(entries);
        return rows.Count == 0 ? Task.CompletedTask : tx.ExecuteAsync(
            """
            insert into push_log
                (tenant_id, request_id, position, at, token_id, token_name, address, outcome, execution_id, workflow_id, state, reason, events)
            select @tenant, @request, i.position, @now, @token, @name, @from, i.outcome, i.execution, i.workflow, i.state, i.reason, i.events
            from unnest(@positions, @outcomes, @executions, @workflows, @states, @reasons, @counts)
                as i (position, outcome, execution, workflow, state, reason, events)
            """,
            new
            {
                request = Guid.CreateVersion7(now),
                now,
                token = sender.TokenId,
                name = sender.TokenName,
                from = sender.Address,
                positions = rows.Select(row => row.Entry.Position).ToArray(),
                outcomes = rows.Select(row => Word(row.Entry.Outcome)).ToArray(),
                executions = rows.Select(row => row.Entry.ExecutionId).ToArray(),
                workflows = rows.Select(row => row.Entry.WorkflowId).ToArray(),
                states = rows.Select(row => row.Entry.State).ToArray(),
                // A reason quotes a word of what came at times; what looks like a secret is none to keep.
                reasons = rows.Select(row => row.Entry.Reason is { } reason ? SecretMask.Clean(reason, 500) : null).ToArray(),
                counts = rows.Select(row => row.Events).ToArray(),
            });
    }

    /// <summary>
    /// Notes a request that was refused as a whole. In a transaction of its own, since that of the request is undone; the same again within
    /// a minute is not told again, so that a sender that tries on and on fills no log.
    /// </summary>
    public Task WriteRefusedAsync(Guid tenant, PushSender sender, string reason, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return database.InTenantAsync(tenant, tx => tx.ExecuteAsync(
            """
            insert into push_log (tenant_id, request_id, position, at, token_id, token_name, address, outcome, reason, events)
            select @tenant, @request, -1, @now, @token, @name, @from, 'rejected', @reason, 0
            where not exists (
                select 1 from push_log
                where tenant_id = @tenant and outcome = 'rejected' and request_id >= @since and position = -1 and reason = @reason
                  and token_id is not distinct from @token and address is not distinct from @from)
            """,
            new
            {
                request = Guid.CreateVersion7(now),
                since = First(now.AddMinutes(-1)),
                now,
                token = sender.TokenId,
                name = sender.TokenName,
                from = sender.Address,
                reason = SecretMask.Clean(reason, 500),
            }), cancellationToken);
    }

    /// <inheritdoc />
    public Task NoteAsync(HttpRequest request, Guid tenant, Guid token, string name, string reason, CancellationToken cancellationToken) =>
        WriteRefusedAsync(tenant, Sender(token, name, address.NetworkText(request) ?? address.Of(request)), reason, cancellationToken);

    /// <summary>Forgets what is old.</summary>
    public static async Task PurgeAsync(Database database, DateTimeOffset now, CancellationToken cancellationToken)
    {
        for (var round = 0; round < MostBatches; round++)
        {
            var gone = (await database.QueryAsync<int>("select purge_push_log(@before, @Batch)", new { before = now - Kept, Batch }, cancellationToken))[0];
            if (gone < Batch) return;
        }
    }

    /// <summary>As it is stored.</summary>
    internal static string Word(PushOutcome outcome) => outcome switch
    {
        PushOutcome.Accepted => "accepted",
        PushOutcome.Unchanged => "unchanged",
        PushOutcome.Rejected => "rejected",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, null),
    };

    private static PushSender Sender(Guid? token, string name, string? from) => new(token, KeptText.Cut(name, 200), from);

    /// <summary>The rows of a request: each event by itself, as far as that helps anybody.</summary>
    private static List<(PushLogEntry Entry, int Events)> Rows(IReadOnlyCollection<PushLogEntry> entries)
    {
        var rows = new List<(PushLogEntry, int)>();
        foreach (var group in entries.GroupBy(entry => entry.Outcome))
        {
            var all = group.OrderBy(entry => entry.Position).ToList();
            var single = all.Count > MostOfEach ? MostOfEach - 1 : all.Count;
            rows.AddRange(all.Take(single).Select(entry => (entry, 1)));
            if (all.Count == single) continue;
            var rest = all.Skip(single).ToList();
            var reason = group.Key == PushOutcome.Rejected ? $"The rest of this request; the first of them: {rest[0].Reason}" : null;
            rows.Add((new PushLogEntry(rest[0].Position, group.Key, null, null, null, reason), rest.Count));
        }

        return rows;
    }

    /// <summary>The least request id of an instant: a UUID of version 7 begins with the milliseconds.</summary>
    private static Guid First(DateTimeOffset at)
    {
        var bytes = Guid.CreateVersion7(at).ToByteArray(bigEndian: true);
        bytes.AsSpan(6).Clear();
        return new Guid(bytes, bigEndian: true);
    }
}

/// <summary><c>GET push/log</c>.</summary>
public sealed class PushLogEndpoints
{
    private readonly TenantReads _reads;

    internal PushLogEndpoints(TenantReads reads) => _reads = reads;

    /// <summary>What was pushed of late and what became of it, newest first.</summary>
    public Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request);
        var outcome = query.Choice("outcome", "all", "accepted", "unchanged", "rejected");
        var limit = query.Number("limit", 50, 1, 200);
        var cursor = Cursor.Parse(query);
        query.ThrowIfInvalid();
        return _reads.AnswerByContentAsync(request, PushLogJson.Default.PushLogResponse, async (tx, _) =>
        {
            var rows = await tx.QueryAsync<Row>(
                """
                select l.request_id as RequestId, l.position, l.at, l.token_id as TokenId, l.token_name as TokenName, l.address, l.outcome,
                       l.execution_id as ExecutionId, l.workflow_id as WorkflowId,
                       (select w.name from workflows w join integrations i on i.tenant_id = w.tenant_id and i.id = w.integration_id
                        where w.tenant_id = @tenant and w.workflow_id = l.workflow_id and i.connector = 'n8n') as WorkflowName,
                       l.state, l.reason, l.events
                from push_log l
                where l.tenant_id = @tenant and (@outcome::text is null or l.outcome = @outcome)
                  and (@request::uuid is null or l.request_id < @request or (l.request_id = @request and l.position > @position))
                order by l.request_id desc, l.position
                limit @limit
                """,
                new { outcome = outcome == "all" ? null : outcome, request = cursor?.Request, position = cursor?.Position ?? 0, limit = limit + 1 });
            var page = rows.Take(limit).ToList();
            return new PushLogResponse(
                [.. page.Select(row => row.ToResponse())],
                rows.Count > limit ? new Cursor(page[^1].RequestId, page[^1].Position).ToString() : null);
        }, cancellationToken);
    }

    private sealed record Row(
        Guid RequestId, int Position, DateTimeOffset At, Guid? TokenId, string TokenName, string? Address, string Outcome, string? ExecutionId, string? WorkflowId,
        string? WorkflowName, string? State, string? Reason, int Events)
    {
        public PushLogItem ToResponse() => new(
            $"{RequestId:N}.{Position.ToString(CultureInfo.InvariantCulture)}", At, TokenId, TokenName, Address, Outcome, ExecutionId, WorkflowId, WorkflowName, State, Reason, Events);
    }

    /// <summary>The last row of a page; the next page begins after it.</summary>
    private sealed record Cursor(Guid Request, int Position)
    {
        public static Cursor? Parse(QueryReader query)
        {
            if (query.Text("cursor") is not { } text) return null;
            if (text.Split('.') is [var id, var place] && Guid.TryParseExact(id, "N", out var request)
                && int.TryParse(place, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var position))
                return new Cursor(request, position);
            query.Error("cursor", "'cursor' must be the nextCursor of the page before.");
            return null;
        }

        public override string ToString() => $"{Request:N}.{Position.ToString(CultureInfo.InvariantCulture)}";
    }
}

/// <summary>A page of the log of what was pushed, newest first; <c>nextCursor</c> is null at the end.</summary>
internal sealed record PushLogResponse(IReadOnlyList<PushLogItem> Entries, string? NextCursor);

/// <summary>
/// A pushed event and what became of it; of what stood in it only the ids and the <c>state</c> that it told of. <c>reason</c>: why it was
/// rejected. Without ids: a request that was refused as a whole (<c>events</c> 0), or the rest of a large one, <c>events</c> together.
/// </summary>
internal sealed record PushLogItem(
    string Id, DateTimeOffset At, Guid? TokenId, string Token, string? Address, [property: AllowedValues("accepted", "unchanged", "rejected")] string Outcome,
    string? ExecutionId, string? WorkflowId, string? WorkflowName, string? State, string? Reason, int Events);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(PushLogResponse))]
internal sealed partial class PushLogJson : JsonSerializerContext;
