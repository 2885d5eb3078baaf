using System.Text.Json.Serialization;

namespace KpiDashboard.Sync;

/// <summary>
/// The message on <c>sync-&lt;connector&gt;</c>: ids only, never credentials, below 2 KB. Delivered at least once and in any order; <paramref name="Step"/>
/// tells a duplicate from the message that a run waits for.
/// </summary>
/// <param name="V">Version of this contract; 1.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="IntegrationId">The integration to read.</param>
/// <param name="RunId">The run that this message moves on.</param>
/// <param name="Step">How many steps the run had finished when the message was written.</param>
/// <param name="Traceparent">W3C trace context of whoever started the run; null if there is none.</param>
public sealed record SyncMessage(int V, Guid TenantId, Guid IntegrationId, Guid RunId, int Step, string? Traceparent)
{
    /// <summary>The version that this build writes and reads.</summary>
    public const int CurrentVersion = 1;
}

/// <summary>The message on <c>sync-claim</c>: claim and enqueue what is due of one shard. A lost one heals itself at the next tick, a repeated one finds nothing.</summary>
/// <param name="V">Version of this contract; 1.</param>
/// <param name="Shard">Which part, from 0.</param>
/// <param name="Shards">Of how many, by hash of the tenant.</param>
/// <param name="Traceparent">W3C trace context of the timer.</param>
/// <param name="Tick">True: do all that a tick of the timer does, in its place; a build that does not know the word claims the shard.</param>
public sealed record ClaimMessage(int V, int Shard, int Shards, string? Traceparent, bool Tick = false);

// Case-insensitive as the queue trigger's own binding is: what it could run, the poison function must be able to read.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, PropertyNameCaseInsensitive = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SyncMessage))]
[JsonSerializable(typeof(ClaimMessage))]
internal sealed partial class SyncJson : JsonSerializerContext;
