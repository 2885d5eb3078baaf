using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Identity;
using KpiDashboard.Mail;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Privacy;

/// <summary>Data protection: everything out, everything gone; for a business and for a person.</summary>
public sealed class PrivacyEndpoints
{
    private const string EntrySql =
        """
        select e.id, e.status, e.done, e.total, e.bytes, p.email as RequestedBy, e.created_at as CreatedAt, e.finished_at as FinishedAt, e.expires_at as ExpiresAt, e.message
        from tenant_exports e left join tenant_people() p on p.id = e.requested_by
        where e.tenant_id = @tenant and (e.expires_at is null or e.expires_at > @now)
        """;

    private readonly Database _database;
    private readonly TenantReads _reads;
    private readonly TenantExporter _exporter;
    private readonly PersonalData _persons;
    private readonly Sessions _sessions;
    private readonly RateLimits _limits;
    private readonly MailOutbox _mails;
    private readonly AuditLog _audit;
    private readonly IOptionsMonitor<PrivacyOptions> _options;
    private readonly TimeProvider _time;

    internal PrivacyEndpoints(
        Database database, TenantReads reads, TenantExporter exporter, PersonalData persons, Sessions sessions, RateLimits limits, MailOutbox mails, AuditLog audit,
        IOptionsMonitor<PrivacyOptions> options, TimeProvider time)
    {
        (_database, _reads, _exporter, _persons, _sessions, _limits, _mails, _audit) = (database, reads, exporter, persons, sessions, limits, mails, audit);
        (_options, _time) = (options, time);
    }

    /// <summary><c>POST tenant/exports</c>: a new export, or the live one where there is one.</summary>
    public async Task<IResult> StartExportAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var now = _time.GetUtcNow();
        if (await LiveAsync(caller.TenantId, now, cancellationToken) is { } live) return Accepted(live);
        await _limits.TakeAsync(Bucket.TenantExport, caller.TenantId.ToString("N"), cancellationToken);

        var id = Guid.CreateVersion7(now);
        var traceparent = Activity.Current?.Id;
        var fresh = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var added = await tx.ExecuteAsync(
                """
                insert into tenant_exports (tenant_id, id, requested_by, traceparent, created_at, updated_at) values (@tenant, @id, @user, @traceparent, @now, @now)
                on conflict (tenant_id) where status in ('queued', 'running') do nothing
                """,
                new { id, user = caller.Person, traceparent, now });
            if (added > 0) await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.ExportRequested, "export", id.ToString()));
            return added > 0;
        }, cancellationToken);
        if (fresh) await _exporter.DispatchAsync(new TenantExportMessage(TenantExportMessage.CurrentVersion, caller.TenantId, id, traceparent), cancellationToken);
        return Accepted(
            (fresh ? await FindAsync(caller.TenantId, id, now, cancellationToken) : await LiveAsync(caller.TenantId, now, cancellationToken))
                ?? throw ApiProblem.Conflict("Another export ended at this very moment. Try again."));
    }

    /// <summary><c>GET tenant/exports</c>.</summary>
    public Task<IResult> ListExportsAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerByContentAsync(request, PrivacyJson.Default.ExportsResponse, async (tx, _) => new ExportsResponse(
            await tx.QueryAsync<ExportEntry>($"{EntrySql} order by e.created_at desc limit 50", new { now = _time.GetUtcNow() })), cancellationToken);

    /// <summary><c>GET tenant/exports/{id}</c>.</summary>
    public Task<IResult> ExportAsync(HttpRequest request, string id, CancellationToken cancellationToken) =>
        _reads.AnswerByContentAsync(request, PrivacyJson.Default.ExportEntry, async (tx, _) =>
            await tx.QuerySingleOrDefaultAsync<ExportEntry>($"{EntrySql} and e.id = @export", new { export = IdOf(id), now = _time.GetUtcNow() }) ?? throw NoExport(), cancellationToken);

    /// <summary><c>GET tenant/exports/{id}/download</c>: the zip.</summary>
    public async Task<IResult> DownloadAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var now = _time.GetUtcNow();
        var export = IdOf(id);
        var (entry, name) = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var found = await tx.QuerySingleOrDefaultAsync<ExportEntry>($"{EntrySql} and e.id = @export", new { export, now }) ?? throw NoExport();
            if (found.Status != "succeeded")
                throw ApiProblem.Conflict(found.Status == "failed" ? TenantExporter.FailedSentence : "The export is not ready yet.");
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.ExportDownloaded, "export", export.ToString()));
            return (found, await tx.QuerySingleAsync<string>("select name from tenants where id = @tenant"));
        }, cancellationToken);
        return new StreamedAnswer(
            "application/zip", $"{Slug(name)}-{entry.CreatedAt.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}.zip", entry.Bytes, async (output, token) =>
            {
                var left = entry.Bytes!.Value;
                for (var part = 0; left > 0; part++)
                {
                    var content = await _database.InTenantAsync(caller.TenantId, tx => tx.QuerySingleOrDefaultAsync<byte[]>(
                        "select content from tenant_export_parts where tenant_id = @tenant and export_id = @export and part = @part", new { export, part }), token)
                        ?? throw new InvalidOperationException("The export went while it was downloaded.");
                    await output.WriteAsync(content, token);
                    left -= content.Length;
                }
            });
    }

    /// <summary><c>POST tenant/deletion</c>.</summary>
    public async Task<IResult> RequestDeletionAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, PrivacyJson.Default.DeleteTenantRequest, cancellationToken))!;
        var caller = request.Caller();
        var now = _time.GetUtcNow();
        var (at, mails) = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var (name, pending) = await tx.QuerySingleAsync<(string Name, DateTimeOffset? DeleteAfter)>("select name, delete_after from tenants where id = @tenant for update");
            if (!string.Equals(body.Name, name, StringComparison.Ordinal)) throw ApiProblem.Invalid("name", "'name' must be the name of the business, exactly as it is written.");
            if (pending is { } already) return (already, new List<Guid>());

            var after = now + TimeSpan.FromDays(_options.CurrentValue.GraceDays);
            await tx.ExecuteAsync("update tenants set deletion_requested_at = @now, delete_after = @after where id = @tenant", new { now, after });
            await _audit.WriteAsync(tx, request, new AuditEvent(
                AuditActions.DeletionRequested, "tenant", caller.TenantId.ToString(), name, After: new JsonObject { ["deleteAfter"] = after.ToString("O", CultureInfo.InvariantCulture) }));
            await TenantProfile.BumpVersionAsync(tx);
            var outgoing = new List<Guid>();
            foreach (var owner in await tx.QueryAsync<Guid>("select user_id from memberships where tenant_id = @tenant and role = 'owner' and deactivated_at is null"))
                outgoing.Add(await _mails.AddAsync(tx, DeletionRequestedMail.Kind, new PrivacyMailData(caller.TenantId, owner).ToJson()));
            return (after, outgoing);
        }, cancellationToken);
        foreach (var mail in mails) await _mails.DispatchAsync(mail, cancellationToken);
        return new JsonAnswer<DeleteTenantResponse>(new DeleteTenantResponse(at), PrivacyJson.Default.DeleteTenantResponse, StatusCodes.Status202Accepted);
    }

    /// <summary><c>DELETE tenant/deletion</c>: it stays.</summary>
    public async Task<IResult> CancelDeletionAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var (name, pending) = await tx.QuerySingleAsync<(string Name, DateTimeOffset? DeleteAfter)>("select name, delete_after from tenants where id = @tenant for update");
            if (pending is not { } after) return;
            await tx.ExecuteAsync("update tenants set deletion_requested_at = null, delete_after = null where id = @tenant");
            await _audit.WriteAsync(tx, request, new AuditEvent(
                AuditActions.DeletionCancelled, "tenant", caller.TenantId.ToString(), name, Before: new JsonObject { ["deleteAfter"] = after.ToString("O", CultureInfo.InvariantCulture) }));
            await TenantProfile.BumpVersionAsync(tx);
        }, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary><c>GET auth/me/export</c>.</summary>
    public Task<IResult> ExportMeAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        _ = caller.Person;
        return Task.FromResult<IResult>(new StreamedAnswer(
            "application/json; charset=utf-8", $"my-data-{_time.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}.json", null,
            (output, token) => _persons.WriteAsync(caller, output, token)));
    }

    /// <summary><c>DELETE auth/me</c>.</summary>
    public async Task<IResult> EraseMeAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        await _persons.EraseAsync(caller, cancellationToken);
        _sessions.Expire(request);
        return TypedResults.NoContent();
    }

    private static JsonAnswer<ExportEntry> Accepted(ExportEntry entry) => new(entry, PrivacyJson.Default.ExportEntry, StatusCodes.Status202Accepted);

    private static ApiProblem NoExport() => ApiProblem.NotFound("There is no such export, or it is older than seven days.");

    /// <summary>What is no id finds nothing, like an id that nobody has.</summary>
    private static Guid IdOf(string id) => Guid.TryParseExact(id, "D", out var export) ? export : Guid.Empty;

    private static string Slug(string name)
    {
        var slug = string.Join('-', new string([.. name.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : ' ')]).Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return slug.Length > 0 ? slug : "export";
    }

    private Task<ExportEntry?> LiveAsync(Guid tenant, DateTimeOffset now, CancellationToken cancellationToken) => _database.InTenantAsync(
        tenant, tx => tx.QuerySingleOrDefaultAsync<ExportEntry>($"{EntrySql} and e.status in ('queued', 'running')", new { now }), cancellationToken);

    private Task<ExportEntry?> FindAsync(Guid tenant, Guid export, DateTimeOffset now, CancellationToken cancellationToken) => _database.InTenantAsync(
        tenant, tx => tx.QuerySingleOrDefaultAsync<ExportEntry>($"{EntrySql} and e.id = @export", new { now, export }), cancellationToken);
}

/// <summary>The exports of the business, newest first.</summary>
internal sealed record ExportsResponse(IReadOnlyList<ExportEntry> Exports);

/// <summary>An export of everything: <c>done</c> of <c>total</c> tables are written. It can be downloaded until <c>expiresAt</c>.</summary>
internal sealed record ExportEntry(
    Guid Id, [property: System.ComponentModel.DataAnnotations.AllowedValues("queued", "running", "succeeded", "failed")] string Status, int Done, int Total, long? Bytes,
    string? RequestedBy, DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt, DateTimeOffset? ExpiresAt, string? Message);

/// <summary>Delete the business; its name, typed, so that it is not done by mistake.</summary>
internal sealed record DeleteTenantRequest(string Name);

/// <summary>When the business will be gone for good; until then an owner can undo it.</summary>
internal sealed record DeleteTenantResponse(DateTimeOffset DeleteAfter);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ExportsResponse))]
[JsonSerializable(typeof(ExportEntry))]
[JsonSerializable(typeof(DeleteTenantRequest))]
[JsonSerializable(typeof(DeleteTenantResponse))]
internal sealed partial class PrivacyJson : JsonSerializerContext;
