using System.Diagnostics;
using KpiDashboard.Data;
using KpiDashboard.Sync;
using KpiDashboard.Telemetry;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Operations;

/// <summary>
/// The timer's heartbeat. Timers of the platform have been seen to stay dead after a deployment; whatever else the app is called for then asks for a tick in
/// the timer's place, one for all instances together.
/// </summary>
public sealed partial class TimerWatch
{
    /// <summary>How often the timer comes.</summary>
    internal static readonly TimeSpan Tick = TimeSpan.FromMinutes(5);

    /// <summary>Three ticks were missed.</summary>
    internal static readonly TimeSpan Overdue = 3 * Tick;

    /// <summary>An instance looks this often at most.</summary>
    internal static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    /// <summary>A look takes this long at most: an answer may be waiting for it.</summary>
    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(3);

    private readonly Database _database;
    private readonly ISyncQueues _queues;
    private readonly QueueSampler _sampler;
    private readonly Instruments _instruments;
    private readonly TimeProvider _time;
    private readonly ILogger<TimerWatch> _logger;
    private long _nextLook = long.MinValue;

    internal TimerWatch(Database database, ISyncQueues queues, QueueSampler sampler, Instruments instruments, TimeProvider time, ILogger<TimerWatch> logger) =>
        (_database, _queues, _sampler, _instruments, _time, _logger) = (database, queues, sampler, instruments, time, logger);

    /// <summary>The timer has done its work: notes it, and samples what it alone samples.</summary>
    public async Task BeatAsync(CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        await _database.ExecuteAsync("select beat_timer(@now)", new { now }, cancellationToken);
        _instruments.LookedAtTimer(now);
        try
        {
            await _sampler.SampleAsync(cancellationToken);
        }
#pragma warning disable CA1031 // Whatever it is: the syncs went out, and running the tick again would mend nothing.
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNotSampled(error);
        }
    }

    /// <summary>
    /// Something else happened: if the last look is long enough ago, looks whether the timer is overdue, and enqueues a tick if nobody else has. Never fails.
    /// </summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var next = Interlocked.Read(ref _nextLook);
        if (now.UtcTicks < next || Interlocked.CompareExchange(ref _nextLook, (now + Pause).UtcTicks, next) != next) return;
        using var limit = new CancellationTokenSource(LookLimit, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            if (await _database.QueryAsync<(DateTimeOffset BeatAt, bool CatchUp)>(
                "select beat_at, catch_up from look_at_timer(@now, @overdue, @again)", new { now, overdue = Overdue, again = Tick }, linked.Token) is not [var (beatAt, catchUp)]) return;
            _instruments.LookedAtTimer(beatAt);
            if (!catchUp) return;
            LogOverdue(beatAt);
            await _queues.SendClaimAsync(new ClaimMessage(SyncMessage.CurrentVersion, 0, 1, Activity.Current?.Id, Tick: true), linked.Token);
        }
#pragma warning disable CA1031 // Whatever it is: it has nothing to do with what the app was called for, and the next look comes in a minute.
        catch (Exception error)
#pragma warning restore CA1031
        {
            if (!cancellationToken.IsCancellationRequested) LogNotLooked(error);
        }
    }

    [LoggerMessage(5001, LogLevel.Error, "The timer did its work at {BeatAt} for the last time; a tick is enqueued in its place")]
    private partial void LogOverdue(DateTimeOffset beatAt);

    [LoggerMessage(5002, LogLevel.Warning, "Nobody could tell whether the timer is overdue")]
    private partial void LogNotLooked(Exception error);

    [LoggerMessage(5003, LogLevel.Warning, "The queues could not be looked at")]
    private partial void LogNotSampled(Exception error);
}
