using KpiDashboard.Mail;
using KpiDashboard.Operations;
using KpiDashboard.Privacy;
using KpiDashboard.Push;
using KpiDashboard.Sync;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>What happens by the clock. Cron is UTC.</summary>
public sealed class Timers(SyncScheduler scheduler, TimerWatch watch, MailSender mail, TenantExporter exports, Housekeeping housekeeping, Importer importer)
{
    /// <summary>Every 5 minutes: enqueue what is due, sweep what got lost. A missed tick heals itself at the next.</summary>
    [Function("ScheduleSyncs")]
    public async Task ScheduleSyncs([TimerTrigger("0 */5 * * * *")] TimerInfo timer, CancellationToken cancellationToken)
    {
        await scheduler.TickAsync(cancellationToken);
        await watch.BeatAsync(cancellationToken);
    }

    /// <summary>Every 5 minutes: enqueue again the mails whose message got lost. A function of its own, so that neither sweep can stop the other.</summary>
    [Function("SweepMail")]
    public Task SweepMail([TimerTrigger("30 */5 * * * *")] TimerInfo timer, CancellationToken cancellationToken) => mail.SweepAsync(cancellationToken);

    /// <summary>Every 5 minutes: enqueue again the exports whose message got lost.</summary>
    [Function("SweepExports")]
    public Task SweepExports([TimerTrigger("45 */5 * * * *")] TimerInfo timer, CancellationToken cancellationToken) => exports.SweepAsync(cancellationToken);

    /// <summary>Every hour: delete the tenants whose time has come, forget what is old.</summary>
    [Function("Housekeeping")]
    public Task KeepHouse([TimerTrigger("15 7 * * * *")] TimerInfo timer, CancellationToken cancellationToken) => housekeeping.RunAsync(cancellationToken);

    /// <summary>Every 5 minutes: enqueue again the imports whose message got lost, and forget old imports and idempotency keys.</summary>
    [Function("SweepImports")]
    public Task SweepImports([TimerTrigger("45 */5 * * * *")] TimerInfo timer, CancellationToken cancellationToken) => importer.SweepAsync(cancellationToken);
}
