using KpiDashboard.Access;
using KpiDashboard.Automation;
using KpiDashboard.Security;
using System.Globalization;
using System.Text.Json.Nodes;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;
using static System.FormattableString;

namespace KpiDashboard.Annotations;

/// <summary>What people noted about days, and what the system can tell of them.</summary>
public sealed class AnnotationEndpoints
{
    /// <summary>Longest note, in characters.</summary>
    private const int MaxText = 280;

    /// <summary>Most notes a tenant may have.</summary>
    private const int MaxNotes = 2000;

    private readonly Database _database;
    private readonly TenantReads _reads;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal AnnotationEndpoints(Database database, TenantReads reads, AuditLog audit, TimeProvider time) => (_database, _reads, _audit, _time) = (database, reads, audit, time);

    /// <summary><c>GET annotations</c>.</summary>
    public Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerAsync(request, AnnotationJson.Default.AnnotationsResponse, async (tx, tenant) =>
        {
            var query = new QueryReader(request);
            var sources = SourceSelection.Read(query, await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow()));
            var period = Period.Read(query, tenant.Today(_time), SourceState.PeriodThrough(sources));
            var range = new { from = period.From, to = period.To };
            var (reading, gaps, failures, restated) = (
                tx.QueryAsync<Note>(Select + "and a.from_day <= @to and a.to_day >= @from order by a.from_day, a.id limit 500", range),
                GapsAsync(tx, period, sources, tenant), WorkflowFailures.LoadAsync(tx, period.From, period.To, sources.Integrations),
                RestatedAsync(tx, period, sources.Numbers));
            var notes = await reading;
            return new AnnotationsResponse(period.From, period.To,
            [
                .. notes.Select(note => note.ToEntry())
                    .Concat(await gaps)
                    .Concat((await failures).Take(500).Select(failing => new AnnotationEntry(
                        null, AnnotationKind.WorkflowFailing, failing.Since > period.From ? failing.Since : period.From, failing.Last,
                        Invariant($"“{failing.Name}” has not worked since {failing.Since:d MMM yyyy}: it failed {(failing.Failed == 1 ? "once" : $"{failing.Failed} times")}."), ["automation.failed"], null, null)))
                    .Concat(await restated)
                    .OrderBy(entry => entry.From).ThenBy(entry => entry.Kind),
            ]);
        }, cancellationToken);

    /// <summary><c>POST annotations</c>.</summary>
    public async Task<IResult> CreateAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, AnnotationJson.Default.CreateAnnotationRequest, cancellationToken))!;
        var (id, now) = (Guid.CreateVersion7(_time.GetUtcNow()), _time.GetUtcNow());
        return new JsonAnswer<AnnotationEntry>(await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var (text, from, to) = (body.Text.Trim(), body.From, body.To ?? body.From);
            await CheckAsync(tx, text, from, to);
            if (await tx.QuerySingleAsync<int>("select count(*)::int from annotations where tenant_id = @tenant") >= MaxNotes) throw ApiProblem.Conflict($"There are {MaxNotes} notes already; delete some first.");
            await tx.ExecuteAsync(
                """
                insert into annotations (tenant_id, id, from_day, to_day, text, created_by, created_at, updated_at) values (@tenant, @id, @from, @to, @text, @user, @now, @now)
                """,
                new { id, from, to, text, user = caller.UserId, now });
            return await NoteAsync(tx, request, AuditActions.AnnotationCreated, id, null);
        }, cancellationToken), AnnotationJson.Default.AnnotationEntry, StatusCodes.Status201Created);
    }

    /// <summary><c>PATCH annotations/{id}</c>.</summary>
    public async Task<IResult> UpdateAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, AnnotationJson.Default.UpdateAnnotationRequest, cancellationToken))!;
        return new JsonAnswer<AnnotationEntry>(await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            var before = await FindAsync(tx, id);
            var (text, from, to) = (body.Text?.Trim() ?? before.Text, body.From ?? before.FromDay, body.To ?? before.ToDay);
            await CheckAsync(tx, text, from, to);
            await tx.ExecuteAsync(
                "update annotations set text = @text, from_day = @from, to_day = @to, updated_at = @now where tenant_id = @tenant and id = @Id",
                new { before.Id, text, from, to, now = _time.GetUtcNow() });
            return await NoteAsync(tx, request, AuditActions.AnnotationChanged, before.Id, before);
        }, cancellationToken), AnnotationJson.Default.AnnotationEntry);
    }

    /// <summary><c>DELETE annotations/{id}</c>.</summary>
    public async Task<IResult> DeleteAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            var before = await FindAsync(tx, id);
            await tx.ExecuteAsync("delete from annotations where tenant_id = @tenant and id = @Id", new { before.Id });
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.AnnotationDeleted, "annotation", before.Id.ToString(), before.Short, Before: before.ToAudit()));
            await TenantProfile.BumpVersionAsync(tx);
        }, cancellationToken);
        return TypedResults.NoContent();
    }

    private async Task<AnnotationEntry> NoteAsync(TenantTransaction tx, HttpRequest request, string action, Guid id, Note? before)
    {
        var after = await FindAsync(tx, id.ToString("D"));
        await _audit.WriteAsync(tx, request, new AuditEvent(action, "annotation", id.ToString(), after.Short, before?.ToAudit(), after.ToAudit()));
        await TenantProfile.BumpVersionAsync(tx);
        return after.ToEntry();
    }

    private async Task CheckAsync(TenantTransaction tx, string text, DateOnly from, DateOnly to)
    {
        var today = (await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.")).Today(_time);
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (text.Length is 0 or > MaxText || text.Any(sign => char.IsControl(sign) && sign != '\n')) errors["text"] = [$"'text' must have 1 to {MaxText} characters, none of them a control character but a new line."];
        else if (PlainText.Fault("text", text, MaxText, lines: true) is { } fault) errors["text"] = [fault];
        if (from < Period.Earliest || from > today.AddYears(1)) errors["from"] = [Invariant($"'from' must lie between {Period.Earliest:yyyy-MM-dd} and a year from today.")];
        else if (to < from) errors["to"] = ["'to' lies before 'from'."];
        else if (to.DayNumber - from.DayNumber >= Period.MaxDays) errors["to"] = [$"A note may span at most {Period.MaxDays} days."];
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
    }

    /// <summary>Days without data between days with data, of the KPI of each source that every day that was read has.</summary>
    private static async Task<IEnumerable<AnnotationEntry>> GapsAsync(TenantTransaction tx, Period period, SourceSelection sources, TenantProfile tenant)
    {
        var gaps = new List<AnnotationEntry>();
        var table = await KpiTable.LoadAsync(tx, SourceState.Pulses.Values, period.From, period.To, sources.Clocks, tenant.Economics);
        foreach (var source in sources.Where(source => SourceState.Pulses.ContainsKey(source.Connector)))
        {
            foreach (var (from, to) in source.Gaps(table))
            {
                gaps.Add(new AnnotationEntry(
                    null, AnnotationKind.Gap, from, to, from == to ? $"No data from {source.DisplayName} on this day." : $"No data from {source.DisplayName} on these days.",
                    [.. KpiCatalogue.Visible.Where(kpi => kpi.Source == source.Connector).Select(kpi => kpi.Key)], null, null));
            }
        }

        return gaps;
    }

    private static async Task<IEnumerable<AnnotationEntry>> RestatedAsync(TenantTransaction tx, Period period, short[]? sources)
    {
        var rows = await tx.QueryAsync<Restated>(
            """
            select day, array_agg(distinct kpi order by kpi) as Kpis, max(at) as At from kpi_restatements
            where tenant_id = @tenant and day between @from and @to and (@sources::smallint[] is null or source = any (@sources))
            group by day order by day limit 500
            """,
            new { from = period.From, to = period.To, sources });
        return rows.Select(row =>
        {
            // Hidden parts have no name that a person knows.
            var kpis = row.Kpis.Where(key => KpiCatalogue.Find(key) is not null || !KpiCatalogue.IsStored(key)).ToList();
            var names = kpis.Select(key => KpiCatalogue.Find(key)?.Name ?? key).ToList();
            return new AnnotationEntry(
                null, AnnotationKind.Restated, row.Day, row.Day,
                names.Count == 0 ? "The source changed values of this day later." : string.Create(CultureInfo.InvariantCulture, $"The source changed values of this day later: {string.Join(", ", names.Take(3))}{(names.Count > 3 ? $" and {names.Count - 3} more" : "")}."),
                kpis, null, row.At);
        });
    }

    private static async Task<Note> FindAsync(TenantTransaction tx, string id) =>
        Guid.TryParseExact(id, "D", out var note) && await tx.QuerySingleOrDefaultAsync<Note>(Select + "and a.id = @note", new { note }) is { } found ? found : throw ApiProblem.NotFound("There is no such note.");

    private const string Select =
        """
        select a.id, a.from_day as FromDay, a.to_day as ToDay, a.text, m.display_name as Author, a.created_at as CreatedAt
        from annotations a left join list_members() m on m.id = a.created_by
        where a.tenant_id = @tenant

        """;

    private sealed record Note(Guid Id, DateOnly FromDay, DateOnly ToDay, string Text, string? Author, DateTimeOffset CreatedAt)
    {
        public string Short => Text.Length <= 60 ? Text : Text[..60] + "…";

        public AnnotationEntry ToEntry() => new(Id, AnnotationKind.Note, FromDay, ToDay, Text, [], Author, CreatedAt);

        public JsonObject ToAudit() => new() { ["text"] = Text, ["from"] = Invariant($"{FromDay:yyyy-MM-dd}"), ["to"] = Invariant($"{ToDay:yyyy-MM-dd}") };
    }

    // Members and no constructor: Dapper finds none that takes arrays.
    private sealed record Restated
    {
        public required DateOnly Day { get; init; }
        public required string[] Kpis { get; init; }
        public required DateTimeOffset At { get; init; }
    }
}
