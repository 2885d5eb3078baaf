using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Mail;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Identity;

/// <summary>
/// Asks to confirm an address. Whether it has an account already is found out only here, where nobody watches: registering answers the same for every address.
/// </summary>
internal sealed class VerifyEmailMail(Database database, WebAddress web, TimeProvider time) : IMailKind
{
    /// <summary>Name of this kind; data: <see cref="PersonMailData"/>.</summary>
    public const string Kind = "verify-email";

    /// <summary>
    /// How long the link works: as long as the session that registering opened. It confirms nothing without that session or the password, so a long life is
    /// no danger; and an account that is not confirmed cannot sign in anew.
    /// </summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    /// <inheritdoc/>
    public string Name => Kind;

    /// <inheritdoc/>
    public async Task<ComposedMail?> ComposeAsync(string data, CancellationToken cancellationToken)
    {
        var person = JsonSerializer.Deserialize(data, AccountMailJson.Default.PersonMailData)!.UserId;
        if (await Account.FindAsync(database, person, cancellationToken) is not { disabled: false, email_verified: false } account) return null;
        var others = await database.QueryAsync<Guid>("select id from find_user_by_email(@key)", new { key = account.email_key }, cancellationToken);
        if (others.Count > 0)
        {
            return new ComposedMail(account.email, "", "You have an account already", new MailBody(
                null,
                ["Somebody, probably you, registered with this address. It has an account already, so nothing was changed.",
                 "Sign in to that account; you can create another business there. If you forgot the password, you can set a new one on the sign-in page."],
                new MailAction("Sign in", web.Of("sign-in")),
                "If you did not register, ignore this mail. Nobody can use your address without this mailbox."));
        }

        return await LinkAsync(
            database, web, time, person, account.email,
            "Somebody, probably you, registered with this address. Confirm that it is yours. You may be asked for the password that you registered with.", cancellationToken);
    }

    /// <summary>The mail with the link that proves a mailbox.</summary>
    internal static async Task<ComposedMail> LinkAsync(
        Database database, WebAddress web, TimeProvider time, Guid account, string email, string sentence, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var token = await AccountTokens.AddAsync(database, "verify", account, now, now + Lifetime, cancellationToken);
        return new ComposedMail(email, "", "Confirm your e-mail address", new MailBody(
            // Not the name that was typed: whoever registers with another's address would write part of this mail.
            "Welcome,", [sentence],
            new MailAction("Confirm this address", web.Of($"verify-email#token={token}")),
            "The link works for 30 days. If you did not register, ignore this mail: without it the address is not used."));
    }
}

/// <summary>
/// The link to confirm an address once more, asked for by the address alone: whoever lost the browser that registered has no other way. It says only to the
/// mailbox what is the matter with it. Several accounts may wait for one address: the link proves the mailbox, the password then says which of them is meant.
/// </summary>
internal sealed class VerifyAgainMail(Database database, WebAddress web, TimeProvider time) : IMailKind
{
    /// <summary>Name of this kind; data: <see cref="ResetMailData"/>.</summary>
    public const string Kind = "verify-email-again";

    /// <inheritdoc/>
    public string Name => Kind;

    /// <inheritdoc/>
    public async Task<ComposedMail?> ComposeAsync(string data, CancellationToken cancellationToken)
    {
        var email = JsonSerializer.Deserialize(data, AccountMailJson.Default.ResetMailData)!.Email;
        if (await UnprovedAccount.FindAsync(database, SessionEndpoints.EmailKey(email), cancellationToken) is not [var waiting, ..]) return null;
        return await VerifyEmailMail.LinkAsync(
            database, web, time, waiting.id, waiting.email,
            "Somebody, probably you, asked for this link again. Open it and enter the password that you registered with; then you can sign in.", cancellationToken);
    }
}

/// <summary>A link to set a new password. Who asked does not learn whether the address is known: that is found out only here.</summary>
internal sealed class ResetPasswordMail(Database database, WebAddress web, TimeProvider time) : IMailKind
{
    /// <summary>Name of this kind; data: <see cref="ResetMailData"/>.</summary>
    public const string Kind = "reset-password";

    /// <summary>How long the link works.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public string Name => Kind;

    /// <inheritdoc/>
    public async Task<ComposedMail?> ComposeAsync(string data, CancellationToken cancellationToken)
    {
        var email = JsonSerializer.Deserialize(data, AccountMailJson.Default.ResetMailData)!.Email;
        var found = await database.QueryAsync<UserRow>(
            "select id, email, display_name, disabled from find_user_by_email(@key)", new { key = SessionEndpoints.EmailKey(email) }, cancellationToken);
        if (found.Count == 0 && await UnprovedAccount.FindAsync(database, SessionEndpoints.EmailKey(email), cancellationToken) is [var waiting, ..])
        {
            // A new password would make the mailbox the owner of whatever somebody else prepared under its address: proving it takes the account's own password.
            return await VerifyEmailMail.LinkAsync(
                database, web, time, waiting.id, waiting.email,
                "Somebody, probably you, asked for a new password. This address has to be confirmed first: open the link and enter the password that you registered with. "
                + "If you no longer know it, register again with this address.", cancellationToken);
        }

        if (found is not [{ disabled: false } user]) return null;
        var now = time.GetUtcNow();
        var token = await AccountTokens.AddAsync(database, "reset", user.id, now, now + Lifetime, cancellationToken);
        // To the address of the account: what was typed may only look the same.
        return new ComposedMail(user.email, MailText.Outside(user.display_name), "Set a new password", new MailBody(
            $"Hello {MailText.Outside(user.display_name)},",
            ["Somebody, probably you, asked to set a new password for your account. Every browser is signed out when you do."],
            new MailAction("Set a new password", web.Of($"reset-password#token={token}")),
            "The link works once and for one hour. If you did not ask for it, ignore this mail: your password stays as it is."));
    }

#pragma warning disable IDE1006 // Dapper maps these to the columns of the function by name.
    private sealed record UserRow(Guid id, string email, string display_name, bool disabled);
#pragma warning restore IDE1006
}

/// <summary>
/// What happened to how an account is entered: an entry in the audit log of every business that the person may enter, and a mail to the person, in case it was
/// somebody else. One table says which change has which mail; a test compares it with the audit log's actions.
/// </summary>
internal sealed class AccountChanges(AuditLog audit, MailOutbox outbox, TimeProvider time)
{
    /// <summary>The mail of each change: its name in the outbox, its subject, and a sentence with the instant in it.</summary>
    public static IReadOnlyDictionary<string, (string Kind, string Subject, string Sentence)> Mails { get; } =
        new Dictionary<string, (string Kind, string Subject, string Sentence)>(StringComparer.Ordinal)
        {
            [AuditActions.PasswordChanged] = (
                "password-changed", "Your password was changed", "The password of your account was changed {0}, and every other browser was signed out."),
            [AuditActions.PasswordReset] = (
                "password-changed", "Your password was changed", "The password of your account was changed {0}, and every other browser was signed out."),
            [AuditActions.SecondFactorEnabled] = (
                "second-factor-enabled", "A second factor protects your account",
                "A second factor was turned on for your account {0}. Signing in now also asks for a code."),
            [AuditActions.SecondFactorDisabled] = (
                "second-factor-disabled", "Your second factor was turned off",
                "The second factor of your account was turned off {0}. Signing in no longer asks for a code."),
            [AuditActions.RecoveryCodesMade] = (
                "recovery-codes-made", "You have new recovery codes", "New recovery codes were made for your account {0}. The old ones no longer work."),
            [AuditActions.RecoveryCodeUsed] = (
                "recovery-code-used", "A recovery code was used", "One of the recovery codes of your account was used {0}. It does not work a second time."),
            [AuditActions.SignInLinked] = (
                "sign-in-linked", "Another way to sign in to your account", "A sign-in provider was linked to your account {0}. Signing in there opens your account from now on."),
        };

    /// <summary>Notes a change and has the mail sent.</summary>
    public async Task TellAsync(HttpRequest request, Guid user, string action, CancellationToken cancellationToken)
    {
        await audit.WriteForPersonAsync(request, user, action, null, null, cancellationToken);
        await MailAsync(user, action, cancellationToken);
    }

    /// <summary>Has the mail of a change sent that was noted where it was made.</summary>
    public Task MailAsync(Guid user, string action, CancellationToken cancellationToken) =>
        outbox.AddAsync(Mails[action].Kind, new PersonMailData(user, time.GetUtcNow()).ToJson(), null, cancellationToken);
}

/// <summary>A mail that tells what happened to an account; only to an address that was proved.</summary>
/// <param name="database">Knows the account.</param>
/// <param name="web">Where links lead.</param>
/// <param name="kind">Its name in the outbox; data: <see cref="PersonMailData"/>.</param>
/// <param name="subject">Its subject.</param>
/// <param name="sentence">What happened, with the instant as <c>{0}</c>.</param>
internal sealed class AccountNoticeMail(Database database, WebAddress web, string kind, string subject, string sentence) : IMailKind
{
    /// <inheritdoc/>
    public string Name => kind;

    /// <inheritdoc/>
    public async Task<ComposedMail?> ComposeAsync(string data, CancellationToken cancellationToken)
    {
        var given = JsonSerializer.Deserialize(data, AccountMailJson.Default.PersonMailData)!;
        if (await Account.FindAsync(database, given.UserId, cancellationToken) is not { email_verified: true, disabled: false } account) return null;
        var at = string.Create(CultureInfo.InvariantCulture, $"on {given.At:d MMMM yyyy} at {given.At.UtcDateTime:HH:mm} UTC");
        return new ComposedMail(account.email, MailText.Outside(account.display_name), subject, new MailBody(
            $"Hello {MailText.Outside(account.display_name)},", [string.Format(CultureInfo.InvariantCulture, sentence, at), "If that was you, there is nothing to do."],
            new MailAction("That was not me", web.Of("forgot-password")),
            "If it was not you, set a new password at once: that signs everybody else out."));
    }
}

/// <summary>Single-use secrets that mails and cookies carry; kept as a hash.</summary>
internal static class AccountTokens
{
    /// <summary>Makes one.</summary>
    public static async Task<string> AddAsync(Database database, string purpose, Guid user, DateTimeOffset now, DateTimeOffset expires, CancellationToken cancellationToken)
    {
        var token = TokenHash.Fresh("");
        await database.ExecuteAsync("select add_account_token(@hash, @purpose, @user, @now, @expires)", new { hash = TokenHash.Of(token), purpose, user, now, expires }, cancellationToken);
        return token;
    }
}

/// <summary>Which account a mail is about, and when what it tells of happened.</summary>
internal sealed record PersonMailData(Guid UserId, DateTimeOffset At)
{
    /// <summary>As the outbox takes it.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, AccountMailJson.Default.PersonMailData);
}

/// <summary>The address that a new password was asked for.</summary>
internal sealed record ResetMailData(string Email)
{
    /// <summary>As the outbox takes it.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, AccountMailJson.Default.ResetMailData);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PersonMailData))]
[JsonSerializable(typeof(ResetMailData))]
internal sealed partial class AccountMailJson : JsonSerializerContext;

#pragma warning disable IDE1006 // Dapper maps these to the columns of the function by name.
/// <summary>An account that waits for its address to be proved, where nobody has proved it.</summary>
internal sealed record UnprovedAccount(Guid id, string email, string? password_hash)
{
    /// <summary>
    /// How many accounts of one address are looked at, the newest first. Somebody who registers again and again with another's address keeps nobody out:
    /// registering anew makes the newest, and opens a session that needs no mail.
    /// </summary>
    public const int Most = 5;

    /// <summary>The accounts that wait for an address; none where somebody has proved it.</summary>
    public static Task<IReadOnlyList<UnprovedAccount>> FindAsync(Database database, string emailKey, CancellationToken cancellationToken) =>
        database.QueryAsync<UnprovedAccount>("select * from find_unproved_accounts(@emailKey, @most)", new { emailKey, most = Most }, cancellationToken);
}

/// <summary>All that signing in and changing an account needs to know of it.</summary>
internal sealed record Account(
    string email, string email_key, string display_name, string? password_hash, bool disabled, bool email_verified,
    byte[]? totp_secret, DateTimeOffset? totp_enabled_at, int recovery_codes_left, string? recovery_sample)
{
    /// <summary>The account of an id; null when it is gone.</summary>
    public static async Task<Account?> FindAsync(Database database, Guid user, CancellationToken cancellationToken) =>
        (await database.QueryAsync<Account>("select * from find_account(@user)", new { user }, cancellationToken)).SingleOrDefault();
}
#pragma warning restore IDE1006
