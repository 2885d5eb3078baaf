using System.Text.Json;
using KpiDashboard.Data;

namespace KpiDashboard.Sync;

/// <summary>Where sync messages go; a seam for tests of the engine without a queue.</summary>
internal interface ISyncQueues
{
    /// <summary>Puts a message on the queue of a connector, visible after <paramref name="delay"/>.</summary>
    Task SendAsync(string connector, SyncMessage message, TimeSpan delay, CancellationToken cancellationToken);

    /// <summary>Puts a message on the queue <c>sync-claim</c>.</summary>
    Task SendClaimAsync(ClaimMessage message, CancellationToken cancellationToken);

    /// <summary>Puts a kept message back on a queue as it was.</summary>
    Task SendTextAsync(string queue, string body, CancellationToken cancellationToken);
}

/// <summary>Storage queues <c>sync-&lt;connector&gt;</c>.</summary>
internal sealed class SyncQueues(StorageQueues queues) : ISyncQueues
{
    /// <summary>Name of the queue of claims.</summary>
    public const string Claims = "sync-claim";

    /// <summary>Name of the queue of a connector.</summary>
    public static string NameOf(string connector) => "sync-" + connector;

    /// <inheritdoc />
    public Task SendAsync(string connector, SyncMessage message, TimeSpan delay, CancellationToken cancellationToken) =>
        queues.SendAsync(NameOf(connector), JsonSerializer.Serialize(message, SyncJson.Default.SyncMessage), delay, cancellationToken);

    /// <inheritdoc />
    public Task SendClaimAsync(ClaimMessage message, CancellationToken cancellationToken) =>
        queues.SendAsync(Claims, JsonSerializer.Serialize(message, SyncJson.Default.ClaimMessage), TimeSpan.Zero, cancellationToken);

    /// <inheritdoc />
    public Task SendTextAsync(string queue, string body, CancellationToken cancellationToken) => queues.SendAsync(queue, body, TimeSpan.Zero, cancellationToken);
}
