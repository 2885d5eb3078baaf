using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Security;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Push;

/// <summary>CSV import: first a look at what would happen, then all of it or nothing, in the background.</summary>
public sealed class ImportEndpoints
{
    /// <summary>Largest file, in bytes.</summary>
    public const int MaxBytes = 10 * 1024 * 1024;

    private const int ChunkBytes = 512 * 1024;
    private const int MaxOpen = 5;
    private const int MaxPreviewValues = 400;
    private const int MaxName = 200;

    private readonly Database _database;
    private readonly Importer _importer;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal ImportEndpoints(Database database, Importer importer, AuditLog audit, TimeProvider time) => (_database, _importer, _audit, _time) = (database, importer, audit, time);

    /// <summary><c>POST import</c>: the body is the file.</summary>
    public async Task<IResult> ImportAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var query = new QueryReader(request);
        var mode = query.Choice("mode", "preview", "commit");
        var name = query.Text("name", MaxName) ?? "import.csv";
        if (PlainText.Fault("name", name, MaxName) is { } fault) query.Error("name", fault);
        name = name.Trim();
        var options = new CsvOptions(
            query.Choice("delimiter", "auto", "comma", "semicolon", "tab"), query.Choice("decimal", "auto", "point", "comma"), query.Choice("dates", "auto", "dmy", "mdy"));
        query.ThrowIfInvalid();
        if (request.ContentType is { } type && (type.Contains("json", StringComparison.OrdinalIgnoreCase) || type.Contains("multipart", StringComparison.OrdinalIgnoreCase)))
            throw ApiProblem.BadBody("The body must be the CSV file itself, with Content-Type: text/csv.");
        var bytes = await JsonBody.ReadBytesAsync(request, MaxBytes, cancellationToken);
        if (bytes.Length == 0) throw ApiProblem.BadBody("The file is empty.");
        var (file, problem) = CsvFile.Open(bytes, options);
        if (file is null) throw ApiProblem.BadBody(problem!);
        return mode == "preview"
            ? await PreviewAsync(caller, name, file, bytes.Length, cancellationToken)
            : await CommitAsync(request, name, file, bytes, cancellationToken);
    }

    /// <summary><c>GET imports</c>: the last 50, newest first.</summary>
    public Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _database.InTenantAsync<IResult>(request.Caller().TenantId, async tx =>
        {
            var rows = await tx.QueryAsync<Row>(Row.Select + "where i.tenant_id = @tenant order by i.created_at desc, i.id desc limit 50");
            return Answer(request, new ImportsResponse([.. rows.Select(row => row.ToResponse())]), PushJson.Default.ImportsResponse, rows.Sum(row => row.UpdatedAt.UtcTicks), rows.Count);
        }, cancellationToken);

    /// <summary><c>GET imports/{id}</c>: how far one is.</summary>
    public Task<IResult> GetAsync(HttpRequest request, string id, CancellationToken cancellationToken) =>
        _database.InTenantAsync<IResult>(request.Caller().TenantId, async tx =>
        {
            var row = (Guid.TryParseExact(id, "D", out var import) ? await FindAsync(tx, import) : null) ?? throw ApiProblem.NotFound("There is no such import.");
            return Answer(request, row.ToResponse(), PushJson.Default.ImportResponse, row.UpdatedAt.UtcTicks, 1);
        }, cancellationToken);

    /// <summary>Progress is no change of the tenant's numbers: the tag is made of the imports themselves, so that watching one makes no page read everything anew.</summary>
    private static IResult Answer<T>(HttpRequest request, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, long stamp, int count)
    {
        var tag = $"\"{stamp:x}-{count:x}-{typeof(ImportEndpoints).Module.ModuleVersionId:N}\"";
        request.HttpContext.Response.Headers.ETag = tag;
        request.HttpContext.Response.Headers.CacheControl = "private, no-cache";
        return request.Headers.IfNoneMatch.Any(header => header?.Contains(tag, StringComparison.Ordinal) == true)
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : new JsonAnswer<T>(value, type);
    }

    private Task<IResult> PreviewAsync(Caller caller, string name, CsvFile file, int bytes, CancellationToken cancellationToken) =>
        _database.InTenantAsync<IResult>(caller.TenantId, async tx =>
        {
            var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
            var empty = new ImportResponse(null, "preview", name, bytes, file.Format, file.Questions, file.Rows, null, 0, null, null, null, null, [], 0, [], null, null);
            if (file.Questions.Count > 0) return new JsonAnswer<ImportResponse>(empty, PushJson.Default.ImportResponse);
            var content = file.Read(new CustomReadings(await TenantCatalogue.LoadAsync(tx), tenant.Today(_time), tenant.Currency));
            var lines = content.FirstLines.ToHashSet();
            var shown = content.Readings.TakeWhile(reading => reading.Line <= content.FirstLines[^1]).Where(reading => lines.Contains(reading.Line)).Take(MaxPreviewValues).ToList();
            var stored = (await tx.QueryAsync<(string Kpi, DateOnly Day, decimal Value)>(
                """
                select i.kpi, i.day, m.days[extract(day from i.day)::integer]
                from unnest(@kpis, @days) as i (kpi, day)
                join kpi_keys k on k.tenant_id = @tenant and k.key = i.kpi
                join kpi_months m on m.tenant_id = @tenant and m.month = date_trunc('month', i.day)::date and m.source = 0 and m.kpi = k.number
                where m.days[extract(day from i.day)::integer] is not null
                """, new { kpis = shown.Select(reading => reading.Kpi).ToArray(), days = shown.Select(reading => reading.Day).ToArray() }))
                .ToDictionary(row => (row.Kpi, row.Day), row => row.Value);
            return new JsonAnswer<ImportResponse>(
                empty with
                {
                    Readings = content.Readings.Count,
                    Errors = content.Errors,
                    ErrorCount = content.ErrorCount,
                    Preview = [.. shown.Select(reading => stored.TryGetValue((reading.Kpi, reading.Day), out var before)
                        ? new ImportPreview(reading.Line, reading.Kpi, reading.Day, reading.Value, before == reading.Value ? "unchanged" : "changed", before)
                        : new ImportPreview(reading.Line, reading.Kpi, reading.Day, reading.Value, "new", null))],
                }, PushJson.Default.ImportResponse);
        }, cancellationToken);

    private async Task<IResult> CommitAsync(HttpRequest request, string name, CsvFile file, byte[] bytes, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        if (file.Questions.Count > 0) throw ApiProblem.Invalid(file.Questions.ToDictionary(question => question.Option, question => new[] { question.Sentence }));
        var (key, now) = (IdempotencyKeys.Of(request, "import"), _time.GetUtcNow());
        var id = Guid.CreateVersion7(now);
        var answer = await _database.InTenantAsync(caller.TenantId, tx => IdempotencyKeys.OnceAsync(tx, key, bytes, now, PushJson.Default.ImportResponse, async () =>
        {
            await CustomReadings.LockAsync(tx);
            if (await tx.QuerySingleAsync<int>("select count(*)::int from imports where tenant_id = @tenant and finished_at is null") >= MaxOpen)
                throw ApiProblem.Conflict($"{MaxOpen} imports are going on already; wait until one has finished.");
            await tx.ExecuteAsync(
                """
                insert into imports (tenant_id, id, file_name, delimiter, decimal_mark, dates, bytes, rows, traceparent, created_by, token_id, created_at, updated_at)
                values (@tenant, @id, @name, @Delimiter, @Decimal, @Dates, @bytes, @rows, @traceparent, @user, @token, @now, @now)
                """,
                new
                {
                    id,
                    name,
                    file.Format.Delimiter,
                    file.Format.Decimal,
                    file.Format.Dates,
                    bytes = bytes.Length,
                    rows = file.Rows,
                    traceparent = Activity.Current?.Id,
                    user = caller.UserId,
                    token = caller.TokenId,
                    now,
                });
            for (var (at, position) = (0, 0); at < bytes.Length; at += ChunkBytes, position++)
            {
                await tx.ExecuteAsync(
                    "insert into import_chunks (tenant_id, import_id, position, data) values (@tenant, @id, @position, @data)",
                    new { id, position, data = bytes.AsSpan(at, Math.Min(ChunkBytes, bytes.Length - at)).ToArray() });
            }

            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.ImportStarted, "import", id.ToString(), name, After: new JsonObject { ["rows"] = file.Rows, ["bytes"] = bytes.Length }));
            return (await FindAsync(tx, id))!.ToResponse();
        }), cancellationToken);

        // After the commit: an import without a message is found by the sweeper, a message without an import would be lost work.
        if (answer.Id == id) await _importer.EnqueueAsync(caller.TenantId, id, TimeSpan.Zero, cancellationToken);
        return new JsonAnswer<ImportResponse>(answer, PushJson.Default.ImportResponse, StatusCodes.Status202Accepted);
    }

    private static Task<Row?> FindAsync(TenantTransaction tx, Guid id) => tx.QuerySingleOrDefaultAsync<Row>(Row.Select + "where i.tenant_id = @tenant and i.id = @id", new { id });

    private sealed record Row(
        Guid Id, string Status, string FileName, int Bytes, int Rows, int? Readings, int ReadingsDone, int? Accepted, int? Unchanged, int? Restated, string? Message,
        string Errors, int ErrorCount, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? FinishedAt)
    {
        public const string Select =
            """
            select i.id, i.status, i.file_name as FileName, i.bytes, i.rows, i.readings, i.readings_done as ReadingsDone, i.accepted, i.unchanged, i.restated, i.message,
                   i.errors::text as Errors, i.error_count as ErrorCount, i.created_at as CreatedAt, i.updated_at as UpdatedAt, i.finished_at as FinishedAt
            from imports i

            """;

        public ImportResponse ToResponse() => new(
            Id, Status, FileName, Bytes, null, [], Rows, Readings, ReadingsDone, Accepted, Unchanged, Restated, Message,
            JsonSerializer.Deserialize(Errors, PushJson.Default.IReadOnlyListImportError)!, ErrorCount, [], CreatedAt, FinishedAt);
    }
}

/// <summary>A preview, or an import and how far it is.</summary>
/// <param name="Id">Null for a preview.</param>
/// <param name="Format">How the file is read; null for an import.</param>
/// <param name="Questions">What must be settled before the file can be read; only in a preview, a commit is refused.</param>
/// <param name="Rows">Rows of the file.</param>
/// <param name="Readings">Values of the file; null until it was read.</param>
/// <param name="ReadingsDone">How many of them were worked off.</param>
/// <param name="Accepted">Values that were new or different; null until it succeeded.</param>
/// <param name="Unchanged">Values that stood already.</param>
/// <param name="Restated">Of the accepted, those that changed a day that had ended.</param>
/// <param name="Message">Why it failed.</param>
/// <param name="Errors">The first 100 lines that are wrong; with one of them nothing is written.</param>
/// <param name="Preview">The values of the first 20 rows and what would become of them; only in a preview.</param>
internal sealed record ImportResponse(
    Guid? Id, [property: AllowedValues("preview", "queued", "running", "succeeded", "failed")] string Status, string FileName, int Bytes, CsvFormat? Format,
    IReadOnlyList<CsvQuestion> Questions, int Rows, int? Readings, int ReadingsDone, int? Accepted, int? Unchanged, int? Restated, string? Message,
    IReadOnlyList<ImportError> Errors, int ErrorCount, IReadOnlyList<ImportPreview> Preview, DateTimeOffset? CreatedAt, DateTimeOffset? FinishedAt);

/// <summary>A value of a file and what would become of it.</summary>
/// <param name="Stored">What stands now; null for nothing.</param>
internal sealed record ImportPreview(int Line, string Kpi, DateOnly Date, decimal Value, [property: AllowedValues("new", "changed", "unchanged")] string Effect, decimal? Stored);

/// <summary>The last imports.</summary>
internal sealed record ImportsResponse(IReadOnlyList<ImportResponse> Imports);
