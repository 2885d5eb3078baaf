using System.Diagnostics;
using System.Text.Json;
using KpiDashboard.Data;
using KpiDashboard.Security;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Mail;

/// <summary>
/// Where mails are handed in. An entry is written first and its queue message sent after: whatever gets lost in between, the sweeper finds. What an entry
/// holds is sealed, because it names people and holds links that let them in.
/// </summary>
internal sealed partial class MailOutbox(Database database, SecretSealer sealer, StorageQueues queues, TimeProvider time, ILogger<MailOutbox> logger)
{
    /// <summary>The queue.</summary>
    public const string Queue = "mail";

    /// <summary>Longest that handing in waits for the queue; the caller has somebody waiting too.</summary>
    private static readonly TimeSpan DispatchLimit = TimeSpan.FromSeconds(5);

    /// <summary>An entry without a message for this long was cut off between commit and enqueue.</summary>
    internal static readonly TimeSpan NeverEnqueuedAfter = TimeSpan.FromMinutes(1);

    /// <summary>An entry that is due and that nobody has touched for this long lost its message.</summary>
    internal static readonly TimeSpan SilentAfter = TimeSpan.FromMinutes(5);

    /// <summary>How long a finished entry can still be looked up.</summary>
    public static readonly TimeSpan KeepFinished = TimeSpan.FromDays(30);

    private const int SweepBatch = 200;
    private const int SweepBatches = 20;

    /// <summary>Writes an entry and sends it on its way.</summary>
    /// <param name="kind">Name of an <see cref="IMailKind"/>.</param>
    /// <param name="data">JSON that this kind composes from; sealed at rest.</param>
    /// <param name="tenantId">The tenant that it goes with, if there is one.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The entry's id.</returns>
    public async Task<Guid> AddAsync(string kind, string data, Guid? tenantId, CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        await database.ExecuteAsync(
            "select add_mail(@id, @tenantId, @kind, @payload, @now)",
            new { id, tenantId, kind, payload = sealer.Seal(data, PurposeOf(id)), now = time.GetUtcNow() }, cancellationToken);
        await DispatchAsync(id, cancellationToken);
        return id;
    }

    /// <summary>Writes an entry within the caller's transaction: there is a mail if and only if that commits. Call <see cref="DispatchAsync(Guid, CancellationToken)"/> after it did.</summary>
    /// <inheritdoc cref="AddAsync(string, string, Guid?, CancellationToken)"/>
    public async Task<Guid> AddAsync(TenantTransaction tx, string kind, string data)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        await tx.ExecuteAsync(
            "select add_mail(@id, @tenant, @kind, @payload, @now)", new { id, kind, payload = sealer.Seal(data, PurposeOf(id)), now = time.GetUtcNow() });
        return id;
    }

    /// <summary>Enqueues an entry that is committed. Best effort: what fails is left to the sweeper, and never fails the caller.</summary>
    public Task DispatchAsync(Guid id, CancellationToken cancellationToken) => DispatchAsync(id, TimeSpan.Zero, cancellationToken);

    /// <summary>The same with a delay, for the next attempt.</summary>
    internal async Task DispatchAsync(Guid id, TimeSpan delay, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(DispatchLimit);
        try
        {
            await SendAsync(id, delay, limit.Token);
            await database.ExecuteAsync("select mark_mail_enqueued(@ids, @now)", new { ids = new[] { id }, now = time.GetUtcNow() }, limit.Token);
        }
#pragma warning disable CA1031 // Whatever it is, the entry is safe and the sweeper enqueues it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogNotEnqueued(id, error.GetType().Name);
        }
    }

    /// <summary>Enqueues again what lost its message; called by a timer.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var swept = 0;
        for (var batch = 0; batch < SweepBatches; batch++)
        {
            var lost = await database.QueryAsync<Guid>(
                "select sweep_mail(@now, @never, @silent, @limit)",
                new { now = time.GetUtcNow(), never = NeverEnqueuedAfter, silent = SilentAfter, limit = SweepBatch }, cancellationToken);
            await Parallel.ForEachAsync(
                lost, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellationToken },
                async (id, token) => await SendAsync(id, TimeSpan.Zero, token));
            swept += lost.Count;
            if (lost.Count < SweepBatch) break;
        }

        if (swept > 0) LogSwept(swept);
    }

    /// <summary>Forgets entries that finished before an instant; <see cref="KeepFinished"/> ago, usually.</summary>
    /// <returns>How many.</returns>
    public async Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        (await database.QueryAsync<int>("select purge_mail(@before)", new { before }, cancellationToken))[0];

    /// <summary>What an entry's payload is sealed for.</summary>
    internal static string PurposeOf(Guid id) => $"mail:{id}";

    private Task SendAsync(Guid id, TimeSpan delay, CancellationToken cancellationToken) => queues.SendAsync(
        Queue, JsonSerializer.Serialize(new MailMessageRef(MailMessageRef.CurrentVersion, id, Activity.Current?.Id), MailJson.Default.MailMessageRef), delay, cancellationToken);

    [LoggerMessage(3001, LogLevel.Warning, "Mail {Mail} could not be enqueued ({Error}); the sweeper will")]
    private partial void LogNotEnqueued(Guid mail, string error);

    [LoggerMessage(3002, LogLevel.Information, "Enqueued {Count} mails whose message was lost")]
    private partial void LogSwept(int count);
}
