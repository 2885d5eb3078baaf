using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using Azure;
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
    private readonly TenantFaults _faults;
    private readonly TimeProvider _time;
    private readonly ILogger<SyncScheduler> _logger;
    private readonly ITickStep[] _steps;

    internal SyncScheduler(
        Database database, ISyncQueues queues, TenantFaults faults, IEnumerable<ITickStep> steps, TimeProvider time, ILogger<SyncScheduler> logger) =>
        (_database, _queues, _faults, _steps, _time, _logger) = (database, queues, faults, [.. steps], time, logger);

    /// <summary>What operators see of a run that no queue takes.</summary>
    internal const string EnqueueStep = "enqueue";

    /// <summary>How many integrations one statement claims.</summary>
    internal const int BatchSize = 500;

    /// <summary>How many batches one message claims; what is left is due at the next tick, or claimed by another instance.</summary>
    internal const int MaxBatches = 40;

    /// <summary>Into how many parts a tick with more than one batch is cut, so that several instances share it: a timer runs on one alone.</summary>
    internal const int Shards = 8;

    /// <summary>A run without a message for this long was cut off between commit and enqueue.</summary>
    internal static readonly TimeSpan NeverEnqueuedAfter = TimeSpan.FromMinutes(2);

    /// <summary>No step takes this long: a live run that nobody touched since lost its message.</summary>
    internal static readonly TimeSpan SilentAfter = TimeSpan.FromMinutes(15);

    /// <summary>One tick: the first batch at once, the rest by the shards' messages, whatever got lost, and what other slices
    /// do at every tick.</summary>
    public async Task TickAsync(CancellationToken cancellationToken)
    {
        // Each whatever became of the other: a claim that cannot be made must not keep what was claimed before from being found again.
        List<Exception> failures = [];
        var claimed = await TryAsync(() => ClaimFirstAsync(cancellationToken));
        var swept = await TryAsync(() => SweepAsync(cancellationToken));
        // Long after the last failure a row says nothing any more.
        await TryAsync(() => _database.ExecuteAsync("select purge_provider_circuits(@before)", new { before = _time.GetUtcNow() - TimeSpan.FromDays(1) }, cancellationToken));
        foreach (var step in _steps)
        {
            await TryAsync(async () =>
            {
                await step.RunAsync(cancellationToken);
                return 0;
            });
        }

        if (claimed > 0 || swept > 0) LogTick(claimed, swept);
        if (failures.Count == 1) ExceptionDispatchInfo.Throw(failures[0]);
        if (failures.Count > 1) throw new AggregateException("The tick could not be done in full.", failures);

        async Task<int> TryAsync(Func<Task<int>> part)
        {
            try
            {
                return await part();
            }
#pragma warning disable CA1031 // It is thrown in the end.
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                failures.Add(error);
                return 0;
            }
        }
    }

    private async Task<int> ClaimFirstAsync(CancellationToken cancellationToken)
    {
        var claimed = await ClaimBatchAsync(0, 1, cancellationToken);
        if (claimed == BatchSize)
        {
            for (var shard = 0; shard < Shards; shard++)
                await _queues.SendClaimAsync(new ClaimMessage(SyncMessage.CurrentVersion, shard, Shards, Activity.Current?.Id), cancellationToken);
        }

        return claimed;
    }

    private async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var lost = await _database.QueryAsync<LostRun>(
            "select run_id as RunId, tenant_id as TenantId, integration_id as IntegrationId, connector, step, traceparent, next_attempt_at as NextAttemptAt from sweep_lost_runs(@now, @never, @silent, @limit)",
            new { now, never = NeverEnqueuedAfter, silent = SilentAfter, limit = BatchSize }, cancellationToken);
        await EnqueueAsync(
            [.. lost.Select(run => (new DueRun(run.RunId, run.TenantId, run.IntegrationId, run.Connector, run.Step, run.Traceparent), run.NextAttemptAt is { } at && at > now ? at - now : TimeSpan.Zero))],
            cancellationToken);
        return lost.Count;
    }

    /// <summary>One message of <c>sync-claim</c>: claims a shard until nothing of it is due.</summary>
    public async Task ClaimAsync(ClaimMessage message, CancellationToken cancellationToken)
    {
        if (message.V != SyncMessage.CurrentVersion) throw new InvalidOperationException($"A claim message of version {message.V} is not known to this build.");
        if (message.Shards is < 1 or > 1024 || message.Shard < 0 || message.Shard >= message.Shards) throw new InvalidOperationException($"There is no shard {message.Shard} of {message.Shards}.");
        using var activity = SyncRunner.Begin("sync claim", message.Traceparent);
        if (message.Tick)
        {
            await TickAsync(cancellationToken);
            return;
        }

        var claimed = 0;
        for (var batch = 0; batch < MaxBatches; batch++)
        {
            var count = await ClaimBatchAsync(message.Shard, message.Shards, cancellationToken);
            claimed += count;
            if (count < BatchSize) break;
        }

        if (claimed > 0) LogClaimed(claimed, message.Shard, message.Shards);
    }

    private async Task<int> ClaimBatchAsync(int shard, int shards, CancellationToken cancellationToken)
    {
        var due = await _database.QueryAsync<DueRun>(
            """
            select run_id as RunId, tenant_id as TenantId, integration_id as IntegrationId, connector, 0 as step, @traceparent::text as traceparent
            from claim_due_integrations(@now, @limit, @traceparent, @shard, @shards)
            """,
            new { now = _time.GetUtcNow(), limit = BatchSize, traceparent = Activity.Current?.Id, shard, shards }, cancellationToken);
        await EnqueueAsync(due, cancellationToken);
        return due.Count;
    }

    /// <summary>
    /// Enqueues runs that are committed, and notes that it did; what fails stays for the sweeper. A run that no queue takes, whatever is in its row, is noted with its
    /// business, and the others go out; a storage account that is away fails everybody's, and that is thrown once all were tried.
    /// </summary>
    internal Task EnqueueAsync(IReadOnlyList<DueRun> runs, CancellationToken cancellationToken) => EnqueueAsync([.. runs.Select(run => (run, TimeSpan.Zero))], cancellationToken);

    private async Task EnqueueAsync(IReadOnlyList<(DueRun Run, TimeSpan Delay)> runs, CancellationToken cancellationToken)
    {
        if (runs.Count == 0) return;
        var (sent, away) = (new ConcurrentBag<DueRun>(), new ConcurrentBag<Exception>());
        await Parallel.ForEachAsync(runs, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellationToken }, async (due, token) =>
        {
            var (run, delay) = due;
            try
            {
                await _queues.SendAsync(
                    run.Connector, new SyncMessage(SyncMessage.CurrentVersion, run.TenantId, run.IntegrationId, run.RunId, run.Step, run.Traceparent), delay, token);
                sent.Add(run);
            }
            catch (Exception error) when (IsRefusal(error) && !token.IsCancellationRequested)
            {
                await _faults.NoteAsync(run.TenantId, EnqueueStep, run.IntegrationId, error, token);
            }
#pragma warning disable CA1031 // It is thrown once the others are sent.
            catch (Exception error) when (!token.IsCancellationRequested)
#pragma warning restore CA1031
            {
                away.Add(error);
            }
        });
        if (!sent.IsEmpty)
        {
            await _database.ExecuteAsync("select mark_enqueued(@runs, @now)", new { runs = sent.Select(run => run.RunId).ToArray(), now = _time.GetUtcNow() }, cancellationToken);
            await _faults.SettleAsync(EnqueueStep, [.. sent.Select(run => (run.TenantId, (Guid?)run.IntegrationId))], cancellationToken);
        }

        if (away.TryTake(out var first)) ExceptionDispatchInfo.Throw(first);
    }

    /// <summary>What lies in the message or in the name of its queue, and not in the storage account: that answered, and would answer the same the next time.</summary>
    private static bool IsRefusal(Exception error) => error switch
    {
        RequestFailedException refused => refused.Status is 400 or 404 or 413,
        ArgumentException or FormatException or JsonException or NotSupportedException or KeyNotFoundException => true,
        _ => false,
    };

    [LoggerMessage(1001, LogLevel.Information, "Enqueued {Claimed} due integrations and {Swept} runs whose message was lost")]
    private partial void LogTick(int claimed, int swept);

    [LoggerMessage(1002, LogLevel.Information, "Enqueued {Claimed} due integrations of shard {Shard} of {Shards}")]
    private partial void LogClaimed(int claimed, int shard, int shards);

    private sealed record LostRun(Guid RunId, Guid TenantId, Guid IntegrationId, string Connector, int Step, string? Traceparent, DateTimeOffset? NextAttemptAt);
}

/// <summary>A run to enqueue.</summary>
internal sealed record DueRun(Guid RunId, Guid TenantId, Guid IntegrationId, string Connector, int Step, string? Traceparent);
