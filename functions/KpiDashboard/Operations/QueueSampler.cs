using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Telemetry;

namespace KpiDashboard.Operations;

/// <summary>
/// Looks at the queues and for businesses that something is wrong with, for gauges and for operators. Called by the timer, so that one instance looks and not all. Ages come from Postgres where messages may be put off, and from
/// the queue itself elsewhere.
/// </summary>
internal sealed class QueueSampler(
    Database database, StorageQueues queues, IEnumerable<IConnector> connectors, IEnumerable<WatchedQueues> watched, Instruments instruments,
    TimeProvider time)
{
    private readonly string[] _keys = [.. connectors.Select(connector => connector.Key)];
    private readonly WatchedQueue[] _watched = [.. watched.SelectMany(slice => slice.Queues).OrderByDescending(queue => queue.IsInDatabase)];

    /// <summary>One look.</summary>
    public async Task SampleAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await database.ExecuteAsync("select inspect_tenants(@now, @keys)", new { now, keys = _keys }, cancellationToken);
        instruments.Inspected((await database.QueryAsync<long>("select count_faulty_tenants()", new { }, cancellationToken))[0]);
        var due = (await database.QueryAsync<(string Queue, DateTimeOffset Since)>("select queue, since from oldest_due_work(@now)", new { now }, cancellationToken))
            .ToDictionary(work => work.Queue, work => work.Since, StringComparer.Ordinal);
        var dead = (await database.QueryAsync<long>("select count_dead_letters()", new { }, cancellationToken))[0];
        var states = new List<QueueSample>();
        foreach (var (queue, isInDatabase) in _watched)
        {
            var (length, first) = await queues.StateAsync(queue, cancellationToken);
            var since = isInDatabase ? (due.TryGetValue(queue, out var at) ? at : null) : first;
            states.Add(new QueueSample(queue, length, since < now ? now - since.Value : TimeSpan.Zero));
        }

        instruments.Sampled(states, dead);
    }
}
