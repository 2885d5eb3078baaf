using KpiDashboard.Security;
using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.Extensions.Options;
using MimeKit;

namespace KpiDashboard.Mail;

/// <summary>What became of one attempt.</summary>
internal enum DeliveryOutcome
{
    /// <summary>The server took it.</summary>
    Sent,

    /// <summary>Not now: worth another attempt.</summary>
    Later,

    /// <summary>Never: the server refuses this recipient or this mail.</summary>
    Refused,
}

/// <summary>What became of one attempt, and why in our own words: a server's words name the recipient.</summary>
internal sealed record Delivery(DeliveryOutcome Outcome, string? Reason);

/// <summary>Hands a mail to the configured server, once.</summary>
internal sealed partial class SmtpTransport(IOptionsMonitor<MailOptions> options, TimeProvider time)
{
    /// <summary>Longest that one attempt takes; well below the lease of an entry.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FarewellLimit = TimeSpan.FromSeconds(2);

    /// <summary>Whether there is a server.</summary>
    public bool IsConfigured => options.CurrentValue.IsConfigured;

    /// <summary>One attempt. Expected failures are values; only cancellation throws.</summary>
    /// <param name="id">The entry of the outbox; makes the Message-ID, the same at every attempt, so that a receiver who gets a mail twice can tell.</param>
    /// <param name="written">When the mail was asked for.</param>
    /// <param name="mail">The mail.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Delivery> DeliverAsync(Guid id, DateTimeOffset written, StoredMail mail, CancellationToken cancellationToken)
    {
        var settings = options.CurrentValue;
        if (!MailOptionsValidator.IsAddress(mail.To)) return new Delivery(DeliveryOutcome.Refused, "The address of the recipient is not one that mail can be sent to.");
        using var message = Message(settings, id, written, mail);
        using var limit = new CancellationTokenSource(Limit, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var client = new SmtpClient { Timeout = (int)CommandLimit.TotalMilliseconds, LocalDomain = "kpi-dashboard" };
        try
        {
            await client.ConnectAsync(settings.Host, settings.PortNumber!.Value, SocketOptionsOf(settings), linked.Token);
            if (settings.UserName.Length > 0)
            {
                if (!client.IsSecure && !settings.IsLoopback) return Later("The connection is not encrypted, so the password was not sent.");
                await client.AuthenticateAsync(settings.UserName, settings.Password, linked.Token);
            }

            await client.SendAsync(message, linked.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Later("The mail server did not answer in time.");
        }
        catch (SmtpCommandException error)
        {
            return Judge(error);
        }
        catch (AuthenticationException)
        {
            return Later("The mail server refused the user name or the password.");
        }
        catch (SslHandshakeException)
        {
            return Later("The connection to the mail server could not be encrypted: its certificate or its protocol was not accepted.");
        }
        catch (NotSupportedException)
        {
            return Later("The mail server lacks what is needed: STARTTLS, a way to sign in, or international addresses.");
        }
        catch (Exception error) when (error is SocketException or IOException or TimeoutException or ProtocolException)
        {
            return Later($"The mail server could not be reached, or broke off ({error.GetType().Name}).");
        }

        await SayGoodbyeAsync(client);
        return new Delivery(DeliveryOutcome.Sent, null);
    }

    /// <summary>The message. What it looks like depends on the entry alone, not on the attempt.</summary>
    internal static MimeMessage Message(MailOptions settings, Guid id, DateTimeOffset written, StoredMail mail)
    {
        var from = new MailboxAddress(settings.FromName, settings.From);
        var message = new MimeMessage
        {
            MessageId = $"{id:N}@{from.Domain}",
            Date = written,
            Subject = OneLine(mail.Subject),
            Body = new MultipartAlternative(
                new TextPart("plain") { Text = mail.Text, ContentTransferEncoding = ContentEncoding.QuotedPrintable },
                new TextPart("html") { Text = mail.Html, ContentTransferEncoding = ContentEncoding.QuotedPrintable }),
        };
        message.From.Add(from);
        message.To.Add(new MailboxAddress(OneLine(mail.ToName), mail.To));
        // Nobody's holiday notice need answer this.
        message.Headers.Add("Auto-Submitted", "auto-generated");
        message.Headers.Add("X-Auto-Response-Suppress", "All");
        return message;
    }

    /// <summary>
    /// Only a refusal of this recipient or of this mail is final. 5xx to anything else (the greeting, our sender, a sign-in that is wanted first) is about how
    /// we are set up: the mail waits until somebody puts that right.
    /// </summary>
    internal static Delivery Judge(SmtpCommandException error)
    {
        var code = (int)error.StatusCode;
        var detail = EnhancedCode().Match(error.Message) is { Success: true } match ? $"{code.ToString(CultureInfo.InvariantCulture)}, {match.Value}" : code.ToString(CultureInfo.InvariantCulture);
        if (code >= 500 && code is not (530 or 534 or 535 or 538) && error.ErrorCode == SmtpErrorCode.RecipientNotAccepted)
            return new Delivery(DeliveryOutcome.Refused, $"The mail server refused the recipient ({detail}).");
        if (code >= 500 && code is not (530 or 534 or 535 or 538) && error.ErrorCode == SmtpErrorCode.MessageNotAccepted)
            return new Delivery(DeliveryOutcome.Refused, $"The mail server refused the mail ({detail}).");
        return Later($"The mail server did not take it ({detail}).");
    }

    private static SecureSocketOptions SocketOptionsOf(MailOptions settings) => settings.SecurityMode switch
    {
        MailSecurity.Tls => SecureSocketOptions.SslOnConnect,
        MailSecurity.StartTls => SecureSocketOptions.StartTls,
        MailSecurity.None => SecureSocketOptions.None,
        MailSecurity.Auto or null => settings.PortNumber == 465 ? SecureSocketOptions.SslOnConnect
            : settings.IsLoopback ? SecureSocketOptions.StartTlsWhenAvailable
            : SecureSocketOptions.StartTls,
    };

    private static Delivery Later(string reason) => new(DeliveryOutcome.Later, reason);

    private static string OneLine(string text) => PlainText.Clean(string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c))).Trim();

    private async Task SayGoodbyeAsync(SmtpClient client)
    {
        try
        {
            using var limit = new CancellationTokenSource(FarewellLimit, time);
            await client.DisconnectAsync(quit: true, limit.Token);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or SocketException or ProtocolException or CommandException)
        {
            // It has the mail; how the connection ends changes nothing.
        }
    }

    [GeneratedRegex(@"^[245]\.\d{1,3}\.\d{1,3}\b")]
    private static partial Regex EnhancedCode();
}
