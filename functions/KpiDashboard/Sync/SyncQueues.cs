using System.Text.Json;
using KpiDashboard.Data;

namespace KpiDashboard.Sync;

/// <summary>Where sync messages go; a seam for tests of the engine without a queue.</summary>
internal interface ISyncQueues
{
    /// <summary>Puts a message on the queue of a connector, visible after <paramref name="delay"/>.</summary>
    Task SendAsync(string connector, SyncMessage message, TimeSpan delay, CancellationToken cancellationToken);
}

/// <summary>Storage queues <c>sync-&lt;connector&gt;</c>.</summary>
internal sealed class SyncQueues(StorageQueues queues) : ISyncQueues
{
    /// <summary>Name of the queue of a connector.</summary>
    public static string NameOf(string connector) => "sync-" + connector;

    /// <inheritdoc />
    public Task SendAsync(string connector, SyncMessage message, TimeSpan delay, CancellationToken cancellationToken) =>
        queues.SendAsync(NameOf(connector), JsonSerializer.Serialize(message, SyncJson.Default.SyncMessage), delay, cancellationToken);
}
