using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Push;

/// <summary>The message on <c>import</c>: ids only.</summary>
/// <param name="V">Version of this contract; 1.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="ImportId">The import to work off.</param>
/// <param name="Traceparent">W3C trace context of the request that brought the file; null if there is none.</param>
public sealed record ImportMessage(int V, Guid TenantId, Guid ImportId, string? Traceparent)
{
    /// <summary>The version that this build writes and reads.</summary>
    public const int CurrentVersion = 1;
}

/// <summary>
/// Works imports off. A lease makes one worker of however many messages; the values and the word that the import succeeded are written in one transaction, so
/// that a file is in as a whole or not at all, whenever a worker dies. Progress is noted outside of it.
/// </summary>
public sealed partial class Importer
{
    /// <summary>Name of the queue.</summary>
    internal const string Queue = "import";

    /// <summary>How many values one statement writes.</summary>
    internal const int BatchSize = 5_000;

    /// <summary>How long a lease lasts without renewal.</summary>
    internal static readonly TimeSpan LeaseTime = TimeSpan.FromMinutes(2);

    /// <summary>An open import that nobody touched for this long lost its message.</summary>
    internal static readonly TimeSpan SilentAfter = TimeSpan.FromMinutes(5);

    /// <summary>Finished imports are listed for this long.</summary>
    internal static readonly TimeSpan KeptFor = TimeSpan.FromDays(90);

    private static readonly ActivitySource Activities = new("KpiDashboard.Push");

    private readonly Database _database;
    private readonly StorageQueues _queues;
    private readonly TimeProvider _time;
    private readonly ILogger<Importer> _logger;

    internal Importer(Database database, StorageQueues queues, TimeProvider time, ILogger<Importer> logger) => (_database, _queues, _time, _logger) = (database, queues, time, logger);

    /// <summary>Puts an import on the queue.</summary>
    internal Task EnqueueAsync(Guid tenant, Guid import, TimeSpan delay, CancellationToken cancellationToken, string? traceparent = null) => _queues.SendAsync(
        Queue, JsonSerializer.Serialize(new ImportMessage(ImportMessage.CurrentVersion, tenant, import, traceparent ?? Activity.Current?.Id), ImportQueueJson.Default.ImportMessage), delay, cancellationToken);

    /// <summary>Handles one message of <c>import</c>.</summary>
    /// <exception cref="Exception">A fault of ours: the queue delivers the message again, and after five times to the poison queue.</exception>
    public async Task RunAsync(ImportMessage message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (message.V != ImportMessage.CurrentVersion) throw new InvalidOperationException($"An import message of version {message.V} is not known to this build.");
        using var activity = Activities.StartActivity("import", ActivityKind.Consumer, message.Traceparent);
        activity?.SetTag("kpi.import", message.ImportId);

        var lease = Guid.NewGuid();
        var (file, leasedUntil) = await BeginAsync(message, lease, cancellationToken);
        if (leasedUntil is { } until)
        {
            // Somebody is at it. Should he have died, this message finds the import free once his lease is over.
            await EnqueueAsync(message.TenantId, message.ImportId, until - _time.GetUtcNow() + TimeSpan.FromSeconds(1), cancellationToken, message.Traceparent);
            return;
        }

        if (file is null) return;
        try
        {
            await WriteAsync(message, lease, file, cancellationToken);
        }
        catch (Exception error)
        {
            if (error is LeaseLostException)
            {
                LogLeaseLost(message.ImportId);
                return;
            }

            await ReleaseAsync(message, lease);
            throw;
        }
    }

    /// <summary>Handles one message of <c>import-poison</c>: the import failed and says so; what names none is kept for inspection.</summary>
    public async Task PoisonAsync(string body, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(body);
        var reason = "The import it names does not exist.";
        try
        {
            if (JsonSerializer.Deserialize(body, ImportQueueJson.Default.ImportMessage) is { } message && await _database.InTenantAsync(message.TenantId, async tx =>
            {
                await FailAsync(tx, message.ImportId, null, "The import broke five times because of a fault on our side. Nothing of the file was written; please import it again.", [], 0);
                return await tx.QuerySingleAsync<bool>("select exists (select 1 from imports where tenant_id = @tenant and id = @import)", new { import = message.ImportId });
            }, cancellationToken))
            {
                LogPoison(message.ImportId);
                return;
            }
        }
        catch (JsonException error)
        {
            reason = error.Message;
        }

        await _database.ExecuteAsync(
            "insert into dead_letters (queue, body, reason, received_at) values (@queue, @body, @reason, @now)",
            new { queue = $"{Queue}-poison", body = KeptText.Cut(KeptText.Clean(body), 65536), reason, now = _time.GetUtcNow() }, cancellationToken);
        LogKept();
    }

    /// <summary>For the timer: enqueues again what lost its message, and forgets old imports and idempotency keys.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var lost = await _database.QueryAsync<(Guid Tenant, Guid Id, string? Traceparent)>(
            "select tenant_id, id, traceparent from sweep_imports(@now, @silent, 200)", new { now, silent = SilentAfter }, cancellationToken);
        // What cannot be sent now is swept again: the others do not wait for it.
        List<Exception> failures = [];
        foreach (var (tenant, id, traceparent) in lost)
        {
            try
            {
                await EnqueueAsync(tenant, id, TimeSpan.Zero, cancellationToken, traceparent);
                LogSwept(id);
            }
#pragma warning disable CA1031 // It is thrown in the end.
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                failures.Add(error);
            }
        }

        await _database.ExecuteAsync("select purge_push(@keys, @imports)", new { keys = now - IdempotencyKeys.Remembered, imports = now - KeptFor }, cancellationToken);
        if (failures.Count > 0) throw new AggregateException("Not every import could be enqueued again.", failures);
    }

    private Task<(Opened? File, DateTimeOffset? LeasedUntil)> BeginAsync(ImportMessage message, Guid lease, CancellationToken cancellationToken) =>
        _database.InTenantAsync<(Opened?, DateTimeOffset?)>(message.TenantId, async tx =>
        {
            var now = _time.GetUtcNow();
            var row = await tx.QuerySingleOrDefaultAsync<Row>(
                """
                select status, lease_until as LeaseUntil, delimiter, decimal_mark as Decimal, dates from imports
                where tenant_id = @tenant and id = @import for update
                """, new { import = message.ImportId });
            if (row is not { Status: "queued" or "running" }) return (null, null);
            if (row.LeaseUntil > now) return (null, row.LeaseUntil);
            await tx.ExecuteAsync(
                """
                update imports set status = 'running', attempts = attempts + 1, lease_token = @lease, lease_until = @until, readings_done = 0, updated_at = @now
                where tenant_id = @tenant and id = @import
                """, new { import = message.ImportId, lease, until = now + LeaseTime, now });
            var chunks = await tx.QueryAsync<byte[]>("select data from import_chunks where tenant_id = @tenant and import_id = @import order by position", new { import = message.ImportId });
            return (new Opened([.. chunks.SelectMany(chunk => chunk)], new CsvOptions(row.Delimiter, row.Decimal, row.Dates == "iso" ? "auto" : row.Dates)), null);
        }, cancellationToken);

    private Task WriteAsync(ImportMessage message, Guid lease, Opened opened, CancellationToken cancellationToken) => _database.InTenantAsync(message.TenantId, async tx =>
    {
        await CustomReadings.LockAsync(tx);
        var tenant = await TenantProfile.LoadAsync(tx) ?? throw new InvalidOperationException("The tenant of an import is gone.");
        var (file, problem) = CsvFile.Open(opened.Bytes, opened.Options);
        if (file is null)
        {
            await FailAsync(tx, message.ImportId, lease, problem!, [], 0);
            return;
        }

        var content = file.Read(new CustomReadings(await TenantCatalogue.LoadAsync(tx), tenant.Today(_time), tenant.Currency));
        if (content.ErrorCount > 0)
        {
            await FailAsync(
                tx, message.ImportId, lease, $"{(content.ErrorCount == 1 ? "One line is" : $"{content.ErrorCount:N0} lines are")} wrong, so nothing of the file was written. Mend them and import it again.",
                content.Errors, content.ErrorCount);
            return;
        }

        // In the order of the key: whoever else writes these days takes the rows in the same order.
        var readings = content.Readings.OrderBy(reading => reading.Kpi, StringComparer.Ordinal).ThenBy(reading => reading.Day).Select(reading => (reading.Kpi, reading.Day, reading.Value)).ToList();
        await ProgressAsync(message, lease, readings.Count, 0, cancellationToken);
        var (changed, restated, done) = (0, 0, 0);
        foreach (var batch in readings.Chunk(BatchSize))
        {
            var written = await KpiWriter.WriteAsync(tx, batch, null, message.ImportId, tenant.Today(_time), _time.GetUtcNow());
            (changed, restated, done) = (changed + written.Changed, restated + written.Restated, done + batch.Length);
            await ProgressAsync(message, lease, readings.Count, done, cancellationToken);
        }

        var held = await tx.ExecuteAsync(
            """
            update imports
            set status = 'succeeded', accepted = @changed, unchanged = @unchanged, restated = @restated, lease_token = null, lease_until = null, updated_at = @now, finished_at = @now
            where tenant_id = @tenant and id = @import and lease_token = @lease
            """, new { import = message.ImportId, lease, changed, restated, unchanged = readings.Count - changed, now = _time.GetUtcNow() });
        if (held == 0) throw new LeaseLostException();
        await tx.ExecuteAsync("delete from import_chunks where tenant_id = @tenant and import_id = @import", new { import = message.ImportId });
        if (changed > 0) await TenantProfile.BumpVersionAsync(tx);
        LogSucceeded(message.ImportId, readings.Count, changed, restated);
    }, cancellationToken);

    /// <summary>Notes progress and renews the lease, seen by everybody at once.</summary>
    private async Task ProgressAsync(ImportMessage message, Guid lease, int readings, int done, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var held = await _database.InTenantAsync(message.TenantId, tx => tx.ExecuteAsync(
            """
            update imports set readings = @readings, readings_done = @done, lease_until = @until, updated_at = @now
            where tenant_id = @tenant and id = @import and lease_token = @lease
            """, new { import = message.ImportId, lease, readings, done, until = now + LeaseTime, now }), cancellationToken);
        if (held == 0) throw new LeaseLostException();
    }

    private async Task FailAsync(TenantTransaction tx, Guid import, Guid? lease, string reason, IReadOnlyList<ImportError> errors, int count)
    {
        var held = await tx.ExecuteAsync(
            """
            update imports
            set status = 'failed', message = @reason, errors = @errors::jsonb, error_count = @count, lease_token = null, lease_until = null, updated_at = @now, finished_at = @now
            where tenant_id = @tenant and id = @import and finished_at is null and (@lease::uuid is null or lease_token = @lease)
            """, new { import, lease, reason, errors = JsonSerializer.Serialize(errors, PushJson.Default.IReadOnlyListImportError), count, now = _time.GetUtcNow() });
        if (held == 0 && lease is not null) throw new LeaseLostException();
        if (held > 0) await tx.ExecuteAsync("delete from import_chunks where tenant_id = @tenant and import_id = @import", new { import });
    }

    /// <summary>Gives the lease back after a fault, so that the queue's next try need not wait for it to run out.</summary>
    private async Task ReleaseAsync(ImportMessage message, Guid lease)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), _time);
        try
        {
            await _database.InTenantAsync(message.TenantId, tx => tx.ExecuteAsync(
                "update imports set lease_token = null, lease_until = null, readings_done = 0, updated_at = @now where tenant_id = @tenant and id = @import and lease_token = @lease",
                new { import = message.ImportId, lease, now = _time.GetUtcNow() }), limit.Token);
        }
        catch (Exception error) when (error is Npgsql.NpgsqlException or OperationCanceledException or TimeoutException)
        {
            LogReleaseFailed(error, message.ImportId);
        }
    }

    private sealed record Row(string Status, DateTimeOffset? LeaseUntil, string Delimiter, string Decimal, string Dates);

    private sealed record Opened(byte[] Bytes, CsvOptions Options);

    private sealed class LeaseLostException : Exception;

    [LoggerMessage(5001, LogLevel.Information, "Import {Import} succeeded: {Readings} values, {Changed} changed, {Restated} restated")]
    private partial void LogSucceeded(Guid import, int readings, int changed, int restated);

    [LoggerMessage(5002, LogLevel.Warning, "The lease of import {Import} was lost; what was written is undone")]
    private partial void LogLeaseLost(Guid import);

    [LoggerMessage(5003, LogLevel.Warning, "The lease of import {Import} could not be given back; it runs out by itself")]
    private partial void LogReleaseFailed(Exception error, Guid import);

    [LoggerMessage(5004, LogLevel.Error, "Import {Import} failed: its message came to poison")]
    private partial void LogPoison(Guid import);

    [LoggerMessage(5005, LogLevel.Error, "A message on import-poison names no import; it is kept in dead_letters")]
    private partial void LogKept();

    [LoggerMessage(5006, LogLevel.Warning, "Import {Import} had no message any more; it is enqueued again")]
    private partial void LogSwept(Guid import);
}

// Case-insensitive as the queue trigger's own binding is: what it could run, the poison function must be able to read.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, PropertyNameCaseInsensitive = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImportMessage))]
internal sealed partial class ImportQueueJson : JsonSerializerContext;
