using KpiDashboard.Mail;
using KpiDashboard.Privacy;
using KpiDashboard.Push;
using KpiDashboard.Sync;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>One queue and its poison queue for each connector, one for mail, one for exports, one for imports: queues scale apart, and one provider's trouble stays its own.</summary>
public sealed class Queues(SyncScheduler scheduler, SyncRunner runner, DeadLetters deadLetters, MailSender mail, TenantExporter exports, Importer importer)
{
    /// <summary>Claims and enqueues a shard of what is due.</summary>
    [Function("ClaimSyncs")]
    public Task ClaimSyncs([QueueTrigger("sync-claim")] ClaimMessage message, CancellationToken cancellationToken) => scheduler.ClaimAsync(message, cancellationToken);

    /// <summary>A claim that five tries did not get through: the next tick claims anew, the message is kept for inspection.</summary>
    [Function("PoisonClaims")]
    public Task PoisonClaims([QueueTrigger("sync-claim-poison")] string body, CancellationToken cancellationToken) =>
        deadLetters.HandleAsync("sync-claim-poison", body, cancellationToken);

    /// <summary>Reads Google Analytics.</summary>
    [Function("SyncGoogleAnalytics")]
    public Task SyncGoogleAnalytics([QueueTrigger("sync-google-analytics")] SyncMessage message, CancellationToken cancellationToken) =>
        runner.RunAsync(message, cancellationToken);

    /// <summary>Reads n8n.</summary>
    [Function("SyncN8n")]
    public Task SyncN8n([QueueTrigger("sync-n8n")] SyncMessage message, CancellationToken cancellationToken) =>
        runner.RunAsync(message, cancellationToken);

    /// <summary>A Google Analytics message that five tries did not get through.</summary>
    [Function("PoisonGoogleAnalytics")]
    public Task PoisonGoogleAnalytics([QueueTrigger("sync-google-analytics-poison")] string body, CancellationToken cancellationToken) =>
        deadLetters.HandleAsync("sync-google-analytics-poison", body, cancellationToken);

    /// <summary>An n8n message that five tries did not get through.</summary>
    [Function("PoisonN8n")]
    public Task PoisonN8n([QueueTrigger("sync-n8n-poison")] string body, CancellationToken cancellationToken) =>
        deadLetters.HandleAsync("sync-n8n-poison", body, cancellationToken);

    /// <summary>Sends a mail of the outbox.</summary>
    [Function("SendMail")]
    public Task SendMail([QueueTrigger("mail")] MailMessageRef message, CancellationToken cancellationToken) => mail.SendAsync(message, cancellationToken);

    /// <summary>A mail message that five tries did not get through.</summary>
    [Function("PoisonMail")]
    public Task PoisonMail([QueueTrigger("mail-poison")] string body, CancellationToken cancellationToken) => mail.PoisonAsync(body, cancellationToken);

    /// <summary>Writes an export of everything of a tenant.</summary>
    [Function("TenantExport")]
    public Task ExportTenant([QueueTrigger("tenant-export")] TenantExportMessage message, CancellationToken cancellationToken) => exports.RunAsync(message, cancellationToken);

    /// <summary>An export message that five tries did not get through.</summary>
    [Function("PoisonTenantExport")]
    public Task PoisonTenantExport([QueueTrigger("tenant-export-poison")] string body, CancellationToken cancellationToken) => exports.PoisonAsync(body, cancellationToken);

    /// <summary>Works a CSV import off.</summary>
    [Function("ImportCsv")]
    public Task ImportCsv([QueueTrigger("import")] ImportMessage message, CancellationToken cancellationToken) => importer.RunAsync(message, cancellationToken);

    /// <summary>An import message that five tries did not get through.</summary>
    [Function("PoisonImport")]
    public Task PoisonImport([QueueTrigger("import-poison")] string body, CancellationToken cancellationToken) => importer.PoisonAsync(body, cancellationToken);
}
