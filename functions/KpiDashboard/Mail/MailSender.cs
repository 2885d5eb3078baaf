using System.Diagnostics;
using System.Text.Json;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Mail;

/// <summary>
/// Sends entries of the outbox. A lease makes one sender of however many messages there are for an entry; a mail server that is away is waited for with growing
/// delays, by a new message each time, so that it never uses up a message's five tries.
/// </summary>
/// <remarks>
/// A mail is sent twice only if this process dies between the server's "250" and the note of it: nothing can make those two one. Its Message-ID is the same then.
/// </remarks>
public sealed partial class MailSender
{
    /// <summary>Attempts after which a mail is given up: the growing delays, then hourly, three days in all.</summary>
    internal const int MaxAttempts = 76;

    /// <summary>How long an entry is one sender's: longer than composing and sending may take.</summary>
    internal static readonly TimeSpan LeaseFor = TimeSpan.FromMinutes(3);

    private static readonly ActivitySource Activities = new("KpiDashboard.Mail");
    private static readonly TimeSpan ComposeLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan NoteLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Hourly = TimeSpan.FromHours(1);
    private static readonly TimeSpan[] Delays = [TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10)];

    private readonly Database _database;
    private readonly SecretSealer _sealer;
    private readonly MailOutbox _outbox;
    private readonly SmtpTransport _transport;
    private readonly Dictionary<string, IMailKind> _kinds;
    private readonly TimeProvider _time;
    private readonly ILogger<MailSender> _logger;
    private int _toldUnconfigured;

    internal MailSender(
        Database database, SecretSealer sealer, MailOutbox outbox, SmtpTransport transport, IEnumerable<IMailKind> kinds, TimeProvider time, ILogger<MailSender> logger)
    {
        (_database, _sealer, _outbox, _transport, _time, _logger) = (database, sealer, outbox, transport, time, logger);
        _kinds = kinds.ToDictionary(kind => kind.Name, StringComparer.Ordinal);
    }

    /// <summary>Handles one message of the queue <c>mail</c>. Throws only for what another try of the same message may cure: the database is away.</summary>
    public async Task SendAsync(MailMessageRef message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        using var activity = Activities.StartActivity("send mail", ActivityKind.Consumer, message.Traceparent);
        activity?.SetTag("kpi.mail", message.Id);
        if (message.V != MailMessageRef.CurrentVersion) throw new InvalidOperationException($"A mail message of version {message.V} is unknown to this build.");

        var now = _time.GetUtcNow();
        var lease = Guid.NewGuid();
        var claimed = await _database.QueryAsync<ClaimedMail>(
            "select kind, composed, payload, attempts, created_at as CreatedAt from claim_mail(@id, @lease, @now, @until)",
            new { id = message.Id, lease, now, until = now + LeaseFor }, cancellationToken);
        if (claimed is not [var entry]) return;

        Verdict verdict;
        try
        {
            verdict = await AttemptAsync(message.Id, lease, entry, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // This instance stops. The message comes again, to another one that must not find the lease of a dead one.
            await RetryAsync(message.Id, lease, entry.Attempts, "Interrupted.", _time.GetUtcNow());
            throw;
        }

        activity?.SetTag("kpi.outcome", verdict.Status ?? "later");
        if (verdict.Status is { } status)
        {
            var noted = await NoteAsync(
                "select finish_mail(@id, @lease, @status, @attempts, @reason, @now)",
                new { id = message.Id, lease, status, attempts = verdict.Attempts, reason = verdict.Reason, now = _time.GetUtcNow() });
            if (!noted) LogLeaseLost(message.Id);
            else if (status == "failed") LogFailed(message.Id, entry.Kind, verdict.Attempts, verdict.Reason);
            else LogFinished(message.Id, entry.Kind, status, verdict.Attempts);
            return;
        }

        if (await RetryAsync(message.Id, lease, verdict.Attempts, verdict.Reason, _time.GetUtcNow() + verdict.Delay))
            await _outbox.DispatchAsync(message.Id, verdict.Delay, cancellationToken);
        else
            LogLeaseLost(message.Id);
    }

    /// <summary>Handles one message of <c>mail-poison</c>. The entry is what counts and is still in the outbox; what names none is kept for inspection.</summary>
    public async Task PoisonAsync(string body, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(body);
        string reason;
        try
        {
            if (JsonSerializer.Deserialize(body, MailJson.Default.MailMessageRef) is { V: MailMessageRef.CurrentVersion } message && message.Id != Guid.Empty)
            {
                LogPoison(message.Id);
                return;
            }

            reason = "It is not a mail message of a known version.";
        }
        catch (JsonException error)
        {
            reason = error.Message;
        }

        await _database.ExecuteAsync(
            "insert into dead_letters (queue, body, reason, received_at) values (@queue, @body, @reason, @now)",
            new { queue = $"{MailOutbox.Queue}-poison", body = KeptText.Cut(KeptText.Clean(body), 65536), reason, now = _time.GetUtcNow() }, cancellationToken);
        LogKept();
    }

    /// <summary>Enqueues again what lost its message; for the timer.</summary>
    public Task SweepAsync(CancellationToken cancellationToken) => _outbox.SweepAsync(cancellationToken);

    /// <summary>How long to wait after an attempt that failed.</summary>
    /// <param name="attempts">Attempts so far, 1 or more.</param>
    internal static TimeSpan DelayAfter(int attempts) => attempts <= Delays.Length ? Delays[Math.Max(attempts, 1) - 1] : Hourly;

    private async Task<Verdict> AttemptAsync(Guid id, Guid lease, ClaimedMail entry, CancellationToken cancellationToken)
    {
        if (!_transport.IsConfigured)
        {
            // Not an attempt: an installation without a mail server may get one next month.
            if (Interlocked.Exchange(ref _toldUnconfigured, 1) == 0) LogUnconfigured();
            return new Verdict(null, entry.Attempts, "No mail server is configured (Mail:Host).", Hourly);
        }

        var attempts = entry.Attempts + 1;
        StoredMail? mail;
        try
        {
            mail = await ComposedAsync(id, lease, entry, cancellationToken);
        }
#pragma warning disable CA1031 // Any fault of a kind is waited out like a server that is away, so that a fix finds the mail still there.
        catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNotComposed(id, entry.Kind, error.GetType().Name);
            return Later(attempts, error is ApiProblem { Status: StatusCodes.Status503ServiceUnavailable } ? error.Message : $"The mail could not be written ({error.GetType().Name}).");
        }

        if (mail is null) return new Verdict("dropped", entry.Attempts, null, default);

        var delivery = await _transport.DeliverAsync(id, entry.CreatedAt, mail, cancellationToken);
        if (delivery.Outcome == DeliveryOutcome.Later) LogLater(id, attempts, delivery.Reason);
        return delivery.Outcome switch
        {
            DeliveryOutcome.Sent => new Verdict("sent", attempts, null, default),
            DeliveryOutcome.Refused => new Verdict("failed", attempts, delivery.Reason, default),
            DeliveryOutcome.Later => Later(attempts, delivery.Reason!),
        };
    }

    private async Task<StoredMail?> ComposedAsync(Guid id, Guid lease, ClaimedMail entry, CancellationToken cancellationToken)
    {
        var text = _sealer.Open(entry.Payload, MailOutbox.PurposeOf(id));
        if (entry.Composed) return JsonSerializer.Deserialize(text, MailJson.Default.StoredMail);

        if (!_kinds.TryGetValue(entry.Kind, out var kind)) throw new UnknownKindException();
        using var limit = new CancellationTokenSource(ComposeLimit, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        if (await kind.ComposeAsync(text, linked.Token) is not { } composed) return null;

        var mail = new StoredMail(composed.To, composed.ToName, composed.Subject, MailRenderer.Text(composed.Body), MailRenderer.Html(composed.Subject, composed.Body));
        var kept = await _database.QueryAsync<bool>(
            "select keep_composed_mail(@id, @lease, @payload)",
            new { id, lease, payload = _sealer.Seal(JsonSerializer.Serialize(mail, MailJson.Default.StoredMail), MailOutbox.PurposeOf(id)) }, linked.Token);
        return kept is [true] ? mail : throw new LeaseLostException();
    }

    private static Verdict Later(int attempts, string reason) =>
        attempts >= MaxAttempts ? new Verdict("failed", attempts, reason, default) : new Verdict(null, attempts, reason, DelayAfter(attempts));

    private Task<bool> RetryAsync(Guid id, Guid lease, int attempts, string? reason, DateTimeOffset next) =>
        NoteAsync("select retry_mail(@id, @lease, @attempts, @reason, @next)", new { id, lease, attempts, reason, next });

    /// <summary>Notes an outcome, whether this instance is stopping or not: what happened has happened.</summary>
    private async Task<bool> NoteAsync(string sql, object parameters)
    {
        using var limit = new CancellationTokenSource(NoteLimit, _time);
        return await _database.QueryAsync<bool>(sql, parameters, limit.Token) is [true];
    }

    /// <summary>Status to end with, or null to try again after the delay.</summary>
    private sealed record Verdict(string? Status, int Attempts, string? Reason, TimeSpan Delay);

    private sealed record ClaimedMail(string Kind, bool Composed, byte[] Payload, int Attempts, DateTimeOffset CreatedAt);

    private sealed class UnknownKindException : Exception;

    private sealed class LeaseLostException : Exception;

    [LoggerMessage(3010, LogLevel.Information, "Mail {Mail} ({Kind}) is {Status} after {Attempts} attempts")]
    private partial void LogFinished(Guid mail, string kind, string status, int attempts);

    [LoggerMessage(3011, LogLevel.Error, "Mail {Mail} ({Kind}) failed after {Attempts} attempts: {Reason}")]
    private partial void LogFailed(Guid mail, string kind, int attempts, string? reason);

    [LoggerMessage(3012, LogLevel.Warning, "Mail {Mail} is tried again later, {Attempts} attempts so far: {Reason}")]
    private partial void LogLater(Guid mail, int attempts, string? reason);

    [LoggerMessage(3013, LogLevel.Warning, "Mail {Mail} ({Kind}) could not be written: {Error}")]
    private partial void LogNotComposed(Guid mail, string kind, string error);

    [LoggerMessage(3014, LogLevel.Warning, "No mail server is configured (Mail:Host); mails wait in the outbox until one is")]
    private partial void LogUnconfigured();

    [LoggerMessage(3015, LogLevel.Warning, "Mail {Mail} took longer than its lease; somebody else has it now")]
    private partial void LogLeaseLost(Guid mail);

    [LoggerMessage(3016, LogLevel.Error, "The message of mail {Mail} came to poison; the mail itself waits in the outbox, and the sweeper enqueues it again")]
    private partial void LogPoison(Guid mail);

    [LoggerMessage(3017, LogLevel.Error, "A message on mail-poison names no mail; it is kept in dead_letters")]
    private partial void LogKept();
}
