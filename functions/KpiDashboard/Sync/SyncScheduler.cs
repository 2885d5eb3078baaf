using System.Diagnostics;
using KpiDashboard.Data;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Sync;

/// <summary>
/// What the timer does: claims due integrations, enqueues their runs, and sweeps runs whose message was lost. Holds nothing in memory, so a missed tick
/// heals itself and several instances share the work.
/// </summary>
public sealed partial class SyncScheduler
{
    private readonly Database _database;
    private readonly ISyncQueues _queues;
    private readonly TimeProvider _time;
    private readonly ILogger<SyncScheduler> _logger;

    internal SyncScheduler(Database database, ISyncQueues queues, TimeProvider time, ILogger<SyncScheduler> logger) =>
        (_database, _queues, _time, _logger) = (database, queues, time, logger);

    /// <summary>How many integrations one statement claims.</summary>
    internal const int BatchSize = 500;

    /// <summary>How many batches one tick does; what is left is due at the next tick, or claimed by another instance.</summary>
    internal const int MaxBatches = 40;

    /// <summary>A run without a message for this long was cut off between commit and enqueue.</summary>
    internal static readonly TimeSpan NeverEnqueuedAfter = TimeSpan.FromMinutes(2);

    /// <summary>No step takes this long: a live run that nobody touched since lost its message.</summary>
    internal static readonly TimeSpan SilentAfter = TimeSpan.FromMinutes(15);

    /// <summary>One tick.</summary>
    public async Task TickAsync(CancellationToken cancellationToken)
    {
        var claimed = 0;
        for (var batch = 0; batch < MaxBatches; batch++)
        {
            var due = await _database.QueryAsync<DueRun>(
                "select run_id as RunId, tenant_id as TenantId, integration_id as IntegrationId, connector, 0 as step, @traceparent::text as traceparent from claim_due_integrations(@now, @limit, @traceparent)",
                new { now = _time.GetUtcNow(), limit = BatchSize, traceparent = Activity.Current?.Id }, cancellationToken);
            await EnqueueAsync(due, cancellationToken);
            claimed += due.Count;
            if (due.Count < BatchSize) break;
        }

        var lost = await _database.QueryAsync<DueRun>(
            "select run_id as RunId, tenant_id as TenantId, integration_id as IntegrationId, connector, step, traceparent from sweep_stale_runs(@now, @never, @silent, @limit)",
            new { now = _time.GetUtcNow(), never = NeverEnqueuedAfter, silent = SilentAfter, limit = BatchSize }, cancellationToken);
        await EnqueueAsync(lost, cancellationToken);
        if (claimed > 0 || lost.Count > 0) LogTick(claimed, lost.Count);
    }

    /// <summary>Enqueues runs that are committed, and notes that it did; what fails stays for the sweeper.</summary>
    internal async Task EnqueueAsync(IReadOnlyList<DueRun> runs, CancellationToken cancellationToken)
    {
        if (runs.Count == 0) return;
        await Parallel.ForEachAsync(runs, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellationToken }, async (run, token) =>
            await _queues.SendAsync(
                run.Connector, new SyncMessage(SyncMessage.CurrentVersion, run.TenantId, run.IntegrationId, run.RunId, run.Step, run.Traceparent), TimeSpan.Zero, token));
        await _database.ExecuteAsync("select mark_enqueued(@runs, @now)", new { runs = runs.Select(run => run.RunId).ToArray(), now = _time.GetUtcNow() }, cancellationToken);
    }

    [LoggerMessage(1001, LogLevel.Information, "Enqueued {Claimed} due integrations and {Swept} runs whose message was lost")]
    private partial void LogTick(int claimed, int swept);
}

/// <summary>A run to enqueue.</summary>
internal sealed record DueRun(Guid RunId, Guid TenantId, Guid IntegrationId, string Connector, int Step, string? Traceparent);
