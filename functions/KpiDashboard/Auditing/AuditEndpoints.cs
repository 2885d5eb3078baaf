using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using CsvHelper;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Auditing;

/// <summary>The audit log of a business: filter, page, export.</summary>
public sealed class AuditEndpoints
{
    /// <summary>Most entries of one export.</summary>
    internal const int ExportLimit = 100_000;

    private const int ExportPage = 1000;


    private readonly Database _database;
    private readonly TenantReads _reads;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal AuditEndpoints(Database database, TenantReads reads, AuditLog audit, TimeProvider time) => (_database, _reads, _audit, _time) = (database, reads, audit, time);

    /// <summary><c>GET audit</c>: newest first.</summary>
    public Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request);
        var filter = Filter(query);
        var limit = query.Number("limit", 50, 1, 200);
        var cursor = Cursor.Parse(query);
        query.ThrowIfInvalid();
        // Not by data version: an entry changes no number, and erasing a person changes entries.
        return _reads.AnswerByContentAsync(request, AuditJson.Default.AuditResponse, async (tx, tenant) =>
        {
            var rows = await ReadAsync(tx, tenant, filter, cursor, limit + 1);
            var page = rows.Take(limit).ToList();
            return new AuditResponse(
                [.. page.Select(Entry)],
                rows.Count > limit ? new Cursor(page[^1].at, page[^1].id).ToString() : null,
                [.. AuditActions.Words.Select(action => new AuditActionEntry(action.Key, action.Value))]);
        }, cancellationToken);
    }

    /// <summary><c>GET audit/export</c>: the newest <see cref="ExportLimit"/> entries that fit, as a file.</summary>
    public async Task<IResult> ExportAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request);
        var filter = Filter(query);
        var format = query.Choice("format", "csv", "json");
        query.ThrowIfInvalid();
        var caller = request.Caller();
        var tenant = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var profile = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.AuditExported, After: new JsonObject
            {
                ["format"] = format,
                ["from"] = filter.From?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                ["to"] = filter.To?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                ["actor"] = filter.Actor,
                ["action"] = filter.Action,
            }));
            return profile;
        }, cancellationToken);
        var name = $"audit-log-{LocalDay.Of(_time.GetUtcNow(), tenant.Zone).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}.{format}";
        return format == "csv"
            ? new StreamedAnswer("text/csv; charset=utf-8", name, null, (output, token) => WriteCsvAsync(output, PagesAsync(tenant, filter, token), token))
            : new StreamedAnswer("application/json; charset=utf-8", name, null, (output, token) => WriteJsonAsync(output, PagesAsync(tenant, filter, token), token));
    }

    /// <summary>What changed, field by field: of both sides, each once.</summary>
    internal static IReadOnlyList<AuditChange> Changes(string? before, string? after)
    {
        var (old, now) = (Fields(before), Fields(after));
        return [.. old.Keys.Concat(now.Keys).Distinct(StringComparer.Ordinal).Select(field => new AuditChange(field, old.GetValueOrDefault(field), now.GetValueOrDefault(field)))];

        static string? Text(JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => value.GetString(),
            _ => value.GetRawText(),
        };

        static Dictionary<string, string?> Fields(string? json)
        {
            if (json is null) return [];
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind != JsonValueKind.Object
                ? []
                : document.RootElement.EnumerateObject().ToDictionary(
                    field => field.Name, field => Text(field.Value), StringComparer.Ordinal);
        }
    }

    private static AuditFilter Filter(QueryReader query)
    {
        var (from, to, actor, action) = (query.Date("from"), query.Date("to"), query.Text("actor")?.Trim(), query.Text("action"));
        if (from > to) query.Error("to", "'to' lies before 'from'.");
        // Postgres takes no NUL in a text.
        if (actor?.Any(char.IsControl) == true) query.Error("actor", "'actor' has characters that no name has.");
        if (action is not null && !AuditActions.Words.ContainsKey(action)) query.Error("action", $"'action' must be one of {string.Join(", ", AuditActions.Words.Keys)}.");
        return new AuditFilter(from, to, string.IsNullOrEmpty(actor) ? null : actor, action);
    }

    private static Task<IReadOnlyList<AuditRow>> ReadAsync(TenantTransaction tx, TenantProfile tenant, AuditFilter filter, Cursor? cursor, int limit) => tx.QueryAsync<AuditRow>(
        """
        select id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, subject_name, before::text, after::text, address, user_agent
        from audit_log
        where tenant_id = @tenant
          and (@from::date is null or at >= (select start_of_day(@from::date, @zone)))
          and (@to::date is null or at < (select start_of_day(@to::date + 1, @zone)))
          and (@actor::text is null or actor_id = @actorId::uuid or strpos(lower(actor_name), lower(@actor)) > 0)
          and (@action::text is null or action = @action)
          and (@at::timestamptz is null or (at, id) < (@at::timestamptz, @id))
        order by at desc, id desc
        limit @limit
        """,
        new
        {
            from = filter.From,
            to = filter.To,
            zone = tenant.TimeZone,
            actor = filter.Actor,
            actorId = Guid.TryParseExact(filter.Actor, "D", out var id) ? id : (Guid?)null,
            action = filter.Action,
            at = cursor?.At,
            id = cursor?.Id ?? Guid.Empty,
            limit,
        });

    private static AuditEntry Entry(AuditRow row) => new(
        row.id, row.at, row.actor_kind, row.actor_id, row.actor_name, row.action, AuditActions.Words.GetValueOrDefault(row.action, row.action), row.subject_kind, row.subject_id,
        row.subject_name, Changes(row.before, row.after), row.address, row.user_agent);

    private static async Task WriteCsvAsync(Stream output, IAsyncEnumerable<AuditEntry> entries, CancellationToken cancellationToken)
    {
        await using var csv = CsvWriter.Create(output, RowFiles.Csv, leaveOpen: true);
        await csv.WriteRecordAsync(["at", "actor_kind", "actor", "action", "words", "subject_kind", "subject", "subject_id", "changes", "address", "user_agent", "id"], cancellationToken);
        await foreach (var entry in entries)
        {
            await csv.WriteRecordAsync(
                [
                    entry.At.UtcDateTime.ToString("O", CultureInfo.InvariantCulture), entry.ActorKind, entry.ActorName, entry.Action, entry.Words, entry.SubjectKind, entry.SubjectName,
                    entry.SubjectId, string.Join("; ", entry.Changes.Select(change => $"{change.Field}: {change.Before ?? "–"} → {change.After ?? "–"}")), entry.Address, entry.UserAgent,
                    entry.Id.ToString(),
                ], cancellationToken);
        }

        await csv.FlushAsync(cancellationToken);
    }

    private static async Task WriteJsonAsync(Stream output, IAsyncEnumerable<AuditEntry> entries, CancellationToken cancellationToken)
    {
        var separator = "["u8.ToArray();
        await foreach (var entry in entries)
        {
            await output.WriteAsync(separator, cancellationToken);
            await output.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(entry, AuditJson.Default.AuditEntry), cancellationToken);
            separator = ",\n"u8.ToArray();
        }

        await output.WriteAsync(separator[0] == (byte)'[' ? "[]"u8.ToArray() : "]"u8.ToArray(), cancellationToken);
    }

    /// <summary>Page by page, each in a transaction of its own: a slow reader holds no connection.</summary>
    private async IAsyncEnumerable<AuditEntry> PagesAsync(TenantProfile tenant, AuditFilter filter, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Cursor? cursor = null;
        for (var left = ExportLimit; left > 0;)
        {
            var most = Math.Min(left, ExportPage);
            var rows = await _database.InTenantAsync(tenant.Id, tx => ReadAsync(tx, tenant, filter, cursor, most), cancellationToken);
            foreach (var row in rows) yield return Entry(row);
            if (rows.Count < most) yield break;
            left -= rows.Count;
            cursor = new Cursor(rows[^1].at, rows[^1].id);
        }
    }

    private sealed record AuditFilter(DateOnly? From, DateOnly? To, string? Actor, string? Action);

    /// <summary>The last entry of a page; the next page begins after it.</summary>
    private sealed record Cursor(DateTimeOffset At, Guid Id)
    {
        public static Cursor? Parse(QueryReader query)
        {
            if (query.Text("cursor") is not { } text) return null;
            var parts = text.Split('-');
            if (parts.Length == 2 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds)
                && Guid.TryParseExact(parts[1], "N", out var id) && microseconds <= (DateTimeOffset.MaxValue.Ticks - DateTimeOffset.UnixEpoch.Ticks) / 10)
                return new Cursor(DateTimeOffset.UnixEpoch.AddTicks(microseconds * 10), id);
            query.Error("cursor", "'cursor' must be the nextCursor of the page before.");
            return null;
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(At - DateTimeOffset.UnixEpoch).Ticks / 10}-{Id:N}");
    }

#pragma warning disable IDE1006 // Dapper maps these to the columns by name.
    private sealed record AuditRow(
        Guid id, DateTimeOffset at, string actor_kind, Guid? actor_id, string actor_name, string action, string? subject_kind, string? subject_id, string? subject_name,
        string? before, string? after, string? address, string? user_agent);
#pragma warning restore IDE1006
}

/// <summary>A page of the audit log, newest first; <c>nextCursor</c> is null at the end.</summary>
internal sealed record AuditResponse(IReadOnlyList<AuditEntry> Entries, string? NextCursor, IReadOnlyList<AuditActionEntry> Actions);

/// <summary>An action that can be filtered by, and what it means.</summary>
internal sealed record AuditActionEntry(string Key, string Words);

/// <summary>Who did what, when, from where; <c>changes</c> holds what changed, field by field.</summary>
internal sealed record AuditEntry(
    Guid Id, DateTimeOffset At, string ActorKind, Guid? ActorId, string ActorName, string Action, string Words, string? SubjectKind, string? SubjectId, string? SubjectName,
    IReadOnlyList<AuditChange> Changes, string? Address, string? UserAgent);

/// <summary>A field before and after, as text; null where there was none.</summary>
internal sealed record AuditChange(string Field, string? Before, string? After);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(AuditResponse))]
internal sealed partial class AuditJson : JsonSerializerContext;
