using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CsvHelper;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Mail;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace KpiDashboard.Privacy;

/// <summary>
/// Writes everything of a business into a zip: each table as JSON and as CSV, read row by row at one moment. A lease makes one writer of however many messages
/// there are; whoever lost it can write nothing more, and the next one starts over.
/// </summary>
public sealed partial class TenantExporter
{
    /// <summary>The queue.</summary>
    internal const string Queue = "tenant-export";

    /// <summary>What an owner is told when it did not work.</summary>
    internal const string FailedSentence = "The export could not be finished because of a fault on our side. Start it again.";

    /// <summary>Tries after which an export is given up; a message has five, and the sweeper may send more.</summary>
    internal const int MaxAttempts = 8;

    /// <summary>How many finished exports a business keeps.</summary>
    internal const int Kept = 3;

    /// <summary>How long a lease lasts without renewal: after a killed process the next one can start over after this.</summary>
    internal static readonly TimeSpan LeaseFor = TimeSpan.FromMinutes(3);

    /// <summary>How long an export can be downloaded.</summary>
    internal static readonly TimeSpan KeepFor = TimeSpan.FromDays(7);

    private static readonly TimeSpan NeverEnqueuedAfter = TimeSpan.FromMinutes(1), SilentAfter = TimeSpan.FromMinutes(5), NoteLimit = TimeSpan.FromSeconds(10);
    private static readonly ActivitySource Activities = new("KpiDashboard.Privacy");
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private const int SweepBatch = 100;
    private const int RowsBetweenRenewals = 2000;

    private readonly Database _database;
    private readonly StorageQueues _queues;
    private readonly MailOutbox _mails;
    private readonly TimeProvider _time;
    private readonly ILogger<TenantExporter> _logger;

    internal TenantExporter(Database database, StorageQueues queues, MailOutbox mails, TimeProvider time, ILogger<TenantExporter> logger) =>
        (_database, _queues, _mails, _time, _logger) = (database, queues, mails, time, logger);

    /// <summary>Handles one message of <c>tenant-export</c>.</summary>
    /// <exception cref="Exception">A fault: the queue delivers the message again, and after five times to the poison queue.</exception>
    public async Task RunAsync(TenantExportMessage message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (message.V != TenantExportMessage.CurrentVersion) throw new InvalidOperationException($"An export message of version {message.V} is unknown to this build.");
        using var activity = Activities.StartActivity("export tenant", ActivityKind.Consumer, message.Traceparent);
        activity?.SetTag("kpi.export", message.ExportId);

        var lease = Guid.NewGuid();
        if (!await BeginAsync(message, lease, cancellationToken)) return;
        try
        {
            var bytes = await WriteAsync(message, lease, cancellationToken);
            if (await FinishAsync(message, lease, bytes, cancellationToken) is { } mail) await _mails.DispatchAsync(mail, cancellationToken);
            LogWritten(message.ExportId, bytes);
        }
        catch (LeaseLostException)
        {
            LogLeaseLost(message.ExportId);
        }
        catch (Exception)
        {
            await ReleaseAsync(message, lease);
            throw;
        }
    }

    /// <summary>Handles one message of <c>tenant-export-poison</c>: the export failed and says so; what names none is kept for inspection.</summary>
    public async Task PoisonAsync(string body, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(body);
        var now = _time.GetUtcNow();
        var reason = "It names no export.";
        try
        {
            if (JsonSerializer.Deserialize(body, TenantExportJson.Default.TenantExportMessage) is { } message)
            {
                await _database.InTenantAsync(message.TenantId, tx => FailAsync(tx, message.ExportId, now), cancellationToken);
                LogFailed(message.ExportId);
                return;
            }
        }
        catch (JsonException error)
        {
            reason = error.Message;
        }

        await _database.ExecuteAsync(
            "insert into dead_letters (queue, body, reason, received_at) values (@queue, @body, @reason, @now)",
            new { queue = $"{Queue}-poison", body = KeptText.Cut(KeptText.Clean(body), 65536), reason, now }, cancellationToken);
        LogKept();
    }

    /// <summary>Enqueues again the exports whose message got lost; for the timer.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var lost = await _database.QueryAsync<(Guid Tenant, Guid Id, string? Traceparent)>(
            "select tenant_id, id, traceparent from sweep_tenant_exports(@now, @never, @silent, @limit)",
            new { now = _time.GetUtcNow(), never = NeverEnqueuedAfter, silent = SilentAfter, limit = SweepBatch }, cancellationToken);
        // What cannot be sent now is swept again: the others do not wait for it.
        List<Exception> failures = [];
        foreach (var (tenant, id, traceparent) in lost)
        {
            try
            {
                await SendAsync(new TenantExportMessage(TenantExportMessage.CurrentVersion, tenant, id, traceparent), cancellationToken);
            }
#pragma warning disable CA1031 // It is thrown in the end.
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                failures.Add(error);
            }
        }

        if (lost.Count > 0) LogSwept(lost.Count);
        if (failures.Count > 0) throw new AggregateException("Not every export could be enqueued again.", failures);
    }

    /// <summary>Sends an export that is committed on its way. Best effort: what fails is left to the sweeper.</summary>
    internal async Task DispatchAsync(TenantExportMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(message, cancellationToken);
            await _database.InTenantAsync(message.TenantId, tx => tx.ExecuteAsync(
                "update tenant_exports set enqueued_at = @now where tenant_id = @tenant and id = @ExportId", new { message.ExportId, now = _time.GetUtcNow() }), cancellationToken);
        }
#pragma warning disable CA1031 // Whatever it is, the row is there and the sweeper enqueues it.
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNotEnqueued(error, message.ExportId);
        }
    }

    private Task SendAsync(TenantExportMessage message, CancellationToken cancellationToken) =>
        _queues.SendAsync(Queue, JsonSerializer.Serialize(message, TenantExportJson.Default.TenantExportMessage), TimeSpan.Zero, cancellationToken);

    /// <summary>Takes the lease and forgets what an earlier try wrote. False: there is nothing to do for this message.</summary>
    private Task<bool> BeginAsync(TenantExportMessage message, Guid lease, CancellationToken cancellationToken) =>
        _database.InTenantAsync(message.TenantId, async tx =>
        {
            var now = _time.GetUtcNow();
            var attempts = await tx.QuerySingleOrDefaultAsync<int?>(
                """
                update tenant_exports
                set status = 'running', lease_token = @lease, lease_until = @until, attempts = attempts + 1, started_at = coalesce(started_at, @now), updated_at = @now, done = 0
                where tenant_id = @tenant and id = @ExportId and status in ('queued', 'running') and (lease_until is null or lease_until <= @now)
                returning attempts
                """,
                new { lease, until = now + LeaseFor, now, message.ExportId });
            if (attempts is null)
            {
                LogNothingToDo(message.ExportId);
                return false;
            }

            await tx.ExecuteAsync("delete from tenant_export_parts where tenant_id = @tenant and export_id = @ExportId", new { message.ExportId });
            if (attempts <= MaxAttempts) return true;
            await FailAsync(tx, message.ExportId, now);
            LogFailed(message.ExportId);
            return false;
        }, cancellationToken);

    private async Task<long> WriteAsync(TenantExportMessage message, Guid lease, CancellationToken cancellationToken)
    {
        var renewed = _time.GetTimestamp();
        await using var output = new PartStream(KeepAsync);
        await _database.InSnapshotAsync(message.TenantId, async connection =>
        {
            var tables = await ExportCatalogue.LoadAsync(connection, cancellationToken);
            await ProgressAsync(0, tables.Count);
            var counts = new List<long>();
            await using (var zip = await ZipArchive.CreateAsync(output, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, cancellationToken))
            {
                foreach (var table in tables)
                {
                    counts.Add(await WriteJsonAsync(zip, connection, table, message.TenantId, RenewAsync, cancellationToken));
                    await WriteCsvAsync(zip, connection, table, message.TenantId, RenewAsync, cancellationToken);
                    await ProgressAsync(counts.Count, tables.Count);
                }

                await WriteManifestAsync(zip, connection, message.TenantId, tables, counts, cancellationToken);
            }
        }, cancellationToken);
        await output.CompleteAsync(cancellationToken);
        return output.Length;

        // Each in a transaction of its own: progress is to be seen at once, and whoever lost the lease writes nothing.
        Task KeepAsync(int part, byte[] content, CancellationToken token) => HeldAsync(
            """
            with held as (
                update tenant_exports set lease_until = @until, updated_at = @now
                where tenant_id = @tenant and id = @ExportId and lease_token = @lease and status = 'running' returning id)
            insert into tenant_export_parts (tenant_id, export_id, part, content) select @tenant, id, @part, @content from held
            """,
            new { message.ExportId, lease, part, content, now = _time.GetUtcNow(), until = _time.GetUtcNow() + LeaseFor }, token);

        Task ProgressAsync(int done, int total) => HeldAsync(
            """
            update tenant_exports set done = @done, total = @total, lease_until = @until, updated_at = @now
            where tenant_id = @tenant and id = @ExportId and lease_token = @lease and status = 'running'
            """,
            new { message.ExportId, lease, done, total, now = _time.GetUtcNow(), until = _time.GetUtcNow() + LeaseFor }, cancellationToken);

        Task RenewAsync() => _time.GetElapsedTime(renewed) < LeaseFor / 4 ? Task.CompletedTask : HeldAsync(
            """
            update tenant_exports set lease_until = @until, updated_at = @now
            where tenant_id = @tenant and id = @ExportId and lease_token = @lease and status = 'running'
            """,
            new { message.ExportId, lease, now = _time.GetUtcNow(), until = _time.GetUtcNow() + LeaseFor }, cancellationToken);

        async Task HeldAsync(string sql, object parameters, CancellationToken token)
        {
            if (await _database.InTenantAsync(message.TenantId, tx => tx.ExecuteAsync(sql, parameters), token) == 0) throw new LeaseLostException();
            renewed = _time.GetTimestamp();
        }
    }

    private static async Task<long> WriteJsonAsync(
        ZipArchive zip, NpgsqlConnection connection, ExportTable table, Guid tenant, Func<Task> renew, CancellationToken cancellationToken)
    {
        await using var stream = await zip.CreateEntry($"{table.Name}.json").OpenAsync(cancellationToken);
        await using var writer = new StreamWriter(stream, Utf8, bufferSize: 32 * 1024);
        await using var reader = await ReadAsync(connection, table.JsonSql, tenant, cancellationToken);
        var rows = 0L;
        while (await reader.ReadAsync(cancellationToken))
        {
            await writer.WriteAsync(rows == 0 ? "[\n" : ",\n");
            await writer.WriteAsync(reader.GetString(0));
            if (++rows % RowsBetweenRenewals == 0) await renew();
        }

        await writer.WriteAsync(rows == 0 ? "[]\n" : "\n]\n");
        return rows;
    }

    private static async Task WriteCsvAsync(ZipArchive zip, NpgsqlConnection connection, ExportTable table, Guid tenant, Func<Task> renew, CancellationToken cancellationToken)
    {
        await using var stream = await zip.CreateEntry($"{table.Name}.csv").OpenAsync(cancellationToken);
        await using var csv = CsvWriter.Create(stream, RowFiles.Csv, leaveOpen: true);
        await csv.WriteRecordAsync([.. table.Columns.Select(column => column.Name)], cancellationToken);
        await using var reader = await ReadAsync(connection, table.CsvSql, tenant, cancellationToken);
        var rows = 0L;
        while (await reader.ReadAsync(cancellationToken))
        {
            for (var index = 0; index < table.Columns.Count; index++)
            {
                var text = reader.IsDBNull(index) ? null : reader.GetString(index);
                if (text is not null && table.Columns[index].IsNumber && decimal.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var number))
                    csv.WriteField(number);
                else
                    csv.WriteField(text);
            }

            await csv.EndRecordAsync(cancellationToken);
            if (++rows % RowsBetweenRenewals == 0) await renew();
        }

        await csv.FlushAsync(cancellationToken);
    }

    private async Task WriteManifestAsync(
        ZipArchive zip, NpgsqlConnection connection, Guid tenant, IReadOnlyList<ExportTable> tables, List<long> counts, CancellationToken cancellationToken)
    {
        string name, version;
        await using (var reader = await ReadAsync(connection, "select name, (select max(scriptname) from schema_versions) from tenants where id = $1", tenant, cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken)) throw new LeaseLostException();
            (name, version) = (reader.GetString(0), reader.GetString(1));
        }

        var now = _time.GetUtcNow();
        await using (var stream = await zip.CreateEntry("manifest.json").OpenAsync(cancellationToken))
        {
            using var buffer = new MemoryStream();
            using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            {
                json.WriteStartObject();
                json.WriteNumber("format", 1);
                json.WriteString("exportedAt", now);
                json.WriteString("schemaVersion", version);
                json.WriteStartObject("tenant");
                json.WriteString("id", tenant);
                json.WriteString("name", name);
                json.WriteEndObject();
                json.WriteStartArray("tables");
                foreach (var (table, rows) in tables.Zip(counts))
                {
                    json.WriteStartObject();
                    json.WriteString("name", table.Name);
                    json.WriteNumber("rows", rows);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteStartArray("leftOut");
                foreach (var (what, why) in Missing(tables))
                {
                    json.WriteStartObject();
                    json.WriteString("what", what);
                    json.WriteString("why", why);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            await stream.WriteAsync(buffer.ToArray(), cancellationToken);
        }

        await using (var stream = await zip.CreateEntry("README.txt").OpenAsync(cancellationToken))
        {
            var text = new StringBuilder()
                .AppendLine(System.Globalization.CultureInfo.InvariantCulture, $"Everything that KPI Dashboard keeps of {name}, as it was at one moment: {now:yyyy-MM-dd HH:mm} UTC.")
                .AppendLine()
                .AppendLine("Each table is here twice: <table>.json holds every value exactly; <table>.csv opens in a spreadsheet (UTF-8). In CSV a missing and an empty text look the same,")
                .AppendLine("and a text that a spreadsheet could take for a formula has a ' in front. Times are UTC. manifest.json says how many rows each table has.")
                .AppendLine()
                .AppendLine("Left out:");
            foreach (var (what, why) in Missing(tables)) text.AppendLine(System.Globalization.CultureInfo.InvariantCulture, $"- {what}: {why}");
            await stream.WriteAsync(Utf8.GetBytes(text.ToString()), cancellationToken);
        }

        static IEnumerable<(string What, string Why)> Missing(IReadOnlyList<ExportTable> tables) =>
            tables.SelectMany(table => table.Withheld.Select(column => $"{table.Name}.{column}"))
                .Select(column => (column, ExportCatalogue.Withheld.GetValueOrDefault(column, "Binary, or something that lets somebody in.")))
                .Concat(ExportCatalogue.LeftOut.Select(table => (table.Key, table.Value)))
                .Concat([("passwords, second factors, sessions", "They belong to persons. Each person can export what is kept about it under Profile; secrets are never exported.")]);
    }

    private static async Task<NpgsqlDataReader> ReadAsync(NpgsqlConnection connection, string sql, Guid tenant, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = tenant } } };
        return await command.ExecuteReaderAsync(cancellationToken);
    }

    /// <summary>Ends the export; returns the mail to dispatch, if somebody is to be told.</summary>
    private Task<Guid?> FinishAsync(TenantExportMessage message, Guid lease, long bytes, CancellationToken cancellationToken) =>
        _database.InTenantAsync(message.TenantId, async tx =>
        {
            var now = _time.GetUtcNow();
            var ended = await tx.QueryAsync<Guid?>(
                """
                update tenant_exports
                set status = 'succeeded', bytes = @bytes, done = total, finished_at = @now, updated_at = @now, expires_at = @expires, lease_token = null, lease_until = null
                where tenant_id = @tenant and id = @ExportId and lease_token = @lease and status = 'running'
                returning requested_by
                """,
                new { message.ExportId, lease, bytes, now, expires = now + KeepFor });
            if (ended is not [var requester]) throw new LeaseLostException();
            await tx.ExecuteAsync(
                """
                delete from tenant_exports where tenant_id = @tenant and status = 'succeeded' and id not in (
                    select id from tenant_exports where tenant_id = @tenant and status = 'succeeded' order by finished_at desc, id desc limit @Kept)
                """,
                new { Kept });
            return requester is { } user
                ? await _mails.AddAsync(tx, ExportReadyMail.Kind, new PrivacyMailData(message.TenantId, user, message.ExportId).ToJson())
                : (Guid?)null;
        }, cancellationToken);

    private static async Task FailAsync(TenantTransaction tx, Guid export, DateTimeOffset now)
    {
        var failed = await tx.ExecuteAsync(
            """
            update tenant_exports
            set status = 'failed', message = @sentence, finished_at = @now, updated_at = @now, expires_at = @expires, lease_token = null, lease_until = null
            where tenant_id = @tenant and id = @export and status in ('queued', 'running')
            """,
            new { export, sentence = FailedSentence, now, expires = now + KeepFor });
        if (failed > 0) await tx.ExecuteAsync("delete from tenant_export_parts where tenant_id = @tenant and export_id = @export", new { export });
    }

    /// <summary>Gives the lease back after a fault, so that the queue's next try need not wait for it to run out.</summary>
    private async Task ReleaseAsync(TenantExportMessage message, Guid lease)
    {
        using var limit = new CancellationTokenSource(NoteLimit, _time);
        try
        {
            await _database.InTenantAsync(message.TenantId, tx => tx.ExecuteAsync(
                """
                update tenant_exports set status = 'queued', lease_token = null, lease_until = null, updated_at = @now
                where tenant_id = @tenant and id = @ExportId and lease_token = @lease and status = 'running'
                """,
                new { message.ExportId, lease, now = _time.GetUtcNow() }), limit.Token);
        }
        catch (Exception error) when (error is NpgsqlException or OperationCanceledException or TimeoutException)
        {
            LogReleaseFailed(error, message.ExportId);
        }
    }

    private sealed class LeaseLostException : Exception;

    [LoggerMessage(4021, LogLevel.Information, "Export {Export} is written: {Bytes} bytes")]
    private partial void LogWritten(Guid export, long bytes);

    [LoggerMessage(4022, LogLevel.Warning, "Export {Export} is somebody else's now, or gone; what was written is dropped")]
    private partial void LogLeaseLost(Guid export);

    [LoggerMessage(4023, LogLevel.Error, "Export {Export} failed")]
    private partial void LogFailed(Guid export);

    [LoggerMessage(4024, LogLevel.Error, "A message on tenant-export-poison names no export; it is kept in dead_letters")]
    private partial void LogKept();

    [LoggerMessage(4025, LogLevel.Information, "Enqueued {Count} exports whose message was lost")]
    private partial void LogSwept(int count);

    [LoggerMessage(4026, LogLevel.Warning, "Export {Export} could not be enqueued; the sweeper will")]
    private partial void LogNotEnqueued(Exception error, Guid export);

    [LoggerMessage(4027, LogLevel.Debug, "Export {Export} is finished, gone, or worked on elsewhere; its message is dropped")]
    private partial void LogNothingToDo(Guid export);

    [LoggerMessage(4028, LogLevel.Warning, "The lease of export {Export} could not be given back; it runs out by itself")]
    private partial void LogReleaseFailed(Exception error, Guid export);
}
