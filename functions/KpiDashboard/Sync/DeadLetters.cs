using System.Text.Json;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Telemetry;
using KpiDashboard.Tenancy;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Sync;

/// <summary>Takes what landed on a poison queue: the run is dead and says so, an undecodable message is kept for inspection. Nothing is dropped.</summary>
public sealed partial class DeadLetters
{
    private readonly Database _database;
    private readonly Instruments _instruments;
    private readonly TimeProvider _time;
    private readonly ILogger<DeadLetters> _logger;

    internal DeadLetters(Database database, Instruments instruments, TimeProvider time, ILogger<DeadLetters> logger) =>
        (_database, _instruments, _time, _logger) = (database, instruments, time, logger);

    /// <summary>Handles one message of <c>&lt;queue&gt;-poison</c>.</summary>
    public async Task HandleAsync(string queue, string body, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var (message, reason) = Decode(body);
        var died = false;
        var found = message is not null && await _database.InTenantAsync(message.TenantId, async tx =>
        {
            var ended = await SyncRunner.EndRunAsync(tx, message.RunId, "dead", "The sync broke five times because of a fault on our side. We are told of it.", now);
            died = ended > 0;
            if (died)
            {
                await tx.ExecuteAsync(
                    """
                    update integrations
                    set consecutive_failures = consecutive_failures + 1, last_error = 'A fault on our side broke the sync.', lease_token = null, lease_until = null
                    where tenant_id = @tenant and id = @integration
                    """,
                    new { integration = message.IntegrationId });
                await TenantProfile.BumpVersionAsync(tx);
            }

            return await tx.QuerySingleAsync<bool>("select exists (select 1 from sync_runs where tenant_id = @tenant and id = @run)", new { run = message.RunId });
        }, cancellationToken);
        var connector = ConnectorOf(queue);
        if (found)
        {
            if (died)
            {
                _instruments.RunEnded(connector, "dead");
                _instruments.GaveUp(connector);
            }

            LogDead(queue, message!.RunId);
            return;
        }

        await _database.ExecuteAsync(
            "insert into dead_letters (queue, body, reason, received_at) values (@queue, @body, @reason, @now)",
            new { queue, body = KeptText.Cut(KeptText.Clean(body), 65536), reason = reason ?? "The run it names does not exist.", now }, cancellationToken);
        _instruments.GaveUp(connector);
        LogKept(queue);
    }

    /// <summary><c>sync-n8n-poison</c> → <c>n8n</c>.</summary>
    private static string ConnectorOf(string queue)
    {
        const string prefix = "sync-", suffix = "-poison";
        var end = queue.EndsWith(suffix, StringComparison.Ordinal) ? queue.Length - suffix.Length : queue.Length;
        return queue.StartsWith(prefix, StringComparison.Ordinal) ? queue[prefix.Length..end] : queue[..end];
    }

    private static (SyncMessage? Message, string? Reason) Decode(string body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, SyncJson.Default.SyncMessage) is { } message ? (message, null) : (null, "The message is null.");
        }
        catch (JsonException error)
        {
            return (null, error.Message);
        }
    }

    [LoggerMessage(1201, LogLevel.Error, "Run {Run} is dead: its message came to {Queue}")]
    private partial void LogDead(string queue, Guid run);

    [LoggerMessage(1202, LogLevel.Error, "A message on {Queue} names no run; it is kept in dead_letters")]
    private partial void LogKept(string queue);
}
