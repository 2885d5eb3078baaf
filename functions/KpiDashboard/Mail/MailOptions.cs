using System.Globalization;
using System.Net;
using Microsoft.Extensions.Options;
using MimeKit;

namespace KpiDashboard.Mail;

/// <summary>The mail server; section <c>Mail</c>. Without a host nothing is sent and nothing is lost: mails stay in the outbox until there is one.</summary>
internal sealed class MailOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Mail";

    /// <summary>Name or address of the SMTP server; empty for none.</summary>
    public string Host { get; set; } = "";

    /// <summary>Its port; empty for 465 with <c>Tls</c> and 587 otherwise.</summary>
    public string Port { get; set; } = "";

    /// <summary>
    /// <c>Tls</c> from the first byte, <c>StartTls</c> or nothing, <c>None</c>, or <c>Auto</c>: TLS on port 465 and STARTTLS elsewhere, which only a server on
    /// this machine need not offer.
    /// </summary>
    public string Security { get; set; } = nameof(MailSecurity.Auto);

    /// <summary>User to sign in as; empty for a server that wants none.</summary>
    public string UserName { get; set; } = "";

    /// <summary>Password of that user.</summary>
    public string Password { get; set; } = "";

    /// <summary>Address that mails come from; required with a host.</summary>
    public string From { get; set; } = "";

    /// <summary>Name that mails come from.</summary>
    public string FromName { get; set; } = "KPI Dashboard";

    /// <summary>Whether mails can be sent at all.</summary>
    public bool IsConfigured => !string.IsNullOrWhiteSpace(Host);

    /// <summary>Whether the server is on this machine, where nobody listens in.</summary>
    public bool IsLoopback => string.Equals(Host, "localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    /// <summary><see cref="Security"/>, understood; null if it is no such word.</summary>
    public MailSecurity? SecurityMode => Enum.TryParse<MailSecurity>(Security, ignoreCase: true, out var mode) && Enum.IsDefined(mode) && !char.IsAsciiDigit(Security.Trim()[0]) ? mode : null;

    /// <summary><see cref="Port"/>, understood; null if it is no port.</summary>
    public int? PortNumber => Port.Length == 0
        ? SecurityMode == MailSecurity.Tls ? 465 : 587
        : int.TryParse(Port, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535 ? port : null;
}

/// <summary>How the connection to the mail server is protected; see <see cref="MailOptions.Security"/>.</summary>
internal enum MailSecurity
{
    Auto,
    None,
    StartTls,
    Tls,
}

/// <summary>A value that is set must be right, whether it is needed or not; values that are missing matter only with a host.</summary>
internal sealed class MailOptionsValidator : IValidateOptions<MailOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, MailOptions options)
    {
        var wrong = new List<string>();
        if (options.IsConfigured && Uri.CheckHostName(options.Host) == UriHostNameType.Unknown)
            wrong.Add("Mail:Host must be the name or the address of the mail server alone, without a scheme or a port.");
        if (options.PortNumber is null) wrong.Add("Mail:Port must be a number from 1 to 65535.");
        if (options.SecurityMode is null) wrong.Add("Mail:Security must be Auto, Tls, StartTls or None.");
        if (options.From.Length > 0 ? !IsAddress(options.From) : options.IsConfigured)
            wrong.Add("Mail:From must be the e-mail address that mails come from, for example kpi@example.com.");
        if (options.FromName.Length > 100 || options.FromName.Any(char.IsControl)) wrong.Add("Mail:FromName must be one line of at most 100 characters.");
        if (options.UserName.Length == 0 != (options.Password.Length == 0)) wrong.Add("Mail:UserName and Mail:Password belong together: set both or neither.");
        if (options is { IsConfigured: true, UserName.Length: > 0, SecurityMode: MailSecurity.None, IsLoopback: false })
            wrong.Add("Mail:Password would go out readable: Mail:Security may be None with a password for a server on this machine only.");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }

    /// <summary>Whether a text is one plain address with a domain.</summary>
    internal static bool IsAddress(string text) =>
        text.Length is > 2 and <= 254 && !text.Any(char.IsControl)
        && MailboxAddress.TryParse(text, out var mailbox) && mailbox.Address == text && mailbox.Domain.Length > 0 && mailbox.LocalPart.Length > 0;
}
