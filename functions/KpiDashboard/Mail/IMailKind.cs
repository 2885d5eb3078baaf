namespace KpiDashboard.Mail;

/// <summary>One kind of mail. Each slice registers its own: <c>services.AddSingleton&lt;IMailKind, ResetPasswordMail&gt;()</c>.</summary>
internal interface IMailKind
{
    /// <summary>Stable name, for example <c>reset-password</c>; entries of the outbox refer to it. 1 to 60 characters.</summary>
    string Name { get; }

    /// <summary>
    /// Makes the mail from the JSON that was given to <see cref="MailOutbox"/>. Called until it returns once; what it returned is kept, so that every
    /// attempt to send is of the same mail. A fault is tried again later, like a mail server that is away.
    /// </summary>
    /// <returns>The mail; null if there is nothing to send, for example because nobody has that address.</returns>
    Task<ComposedMail?> ComposeAsync(string data, CancellationToken cancellationToken);
}

/// <summary>A mail to one person.</summary>
/// <param name="To">Their address.</param>
/// <param name="ToName">Their name; may be empty.</param>
/// <param name="Subject">One line.</param>
/// <param name="Body">What it says.</param>
internal sealed record ComposedMail(string To, string ToName, string Subject, MailBody Body);

/// <summary>What a mail says. Plain text throughout: <see cref="MailRenderer"/> makes both forms of it and encodes.</summary>
/// <param name="Greeting">For example <c>Hello Ada,</c>; null for none.</param>
/// <param name="Paragraphs">What comes before the action; one paragraph each.</param>
/// <param name="Action">The one thing to do; null for none.</param>
/// <param name="Footnote">Small print below, for example what to do if this was not asked for; null for none.</param>
internal sealed record MailBody(string? Greeting, IReadOnlyList<string> Paragraphs, MailAction? Action = null, string? Footnote = null);

/// <summary>The one thing that a mail asks to do.</summary>
/// <param name="Text">Words on the button, for example <c>Confirm this address</c>.</param>
/// <param name="Link">Where it leads; from <see cref="Api.WebAddress"/>.</param>
internal sealed record MailAction(string Text, Uri Link);
