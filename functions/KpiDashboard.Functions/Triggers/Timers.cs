using KpiDashboard.Sync;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>What happens by the clock. Cron is UTC.</summary>
public sealed class Timers(SyncScheduler scheduler)
{
    /// <summary>Every 5 minutes: enqueue what is due, sweep what got lost. A missed tick heals itself at the next.</summary>
    [Function("ScheduleSyncs")]
    public Task ScheduleSyncs([TimerTrigger("0 */5 * * * *")] TimerInfo timer, CancellationToken cancellationToken) => scheduler.TickAsync(cancellationToken);
}
