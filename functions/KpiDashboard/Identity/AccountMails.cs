using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Mail;

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

        var now = time.GetUtcNow();
        var token = await AccountTokens.AddAsync(database, "verify", person, now, now + Lifetime, cancellationToken);
        return new ComposedMail(account.email, "", "Confirm your e-mail address", new MailBody(
            // Not the name that was typed: whoever registers with another's address would write part of this mail.
            "Welcome,",
            ["Somebody, probably you, registered with this address. Confirm that it is yours. You may be asked for the password that you registered with."],
            new MailAction("Confirm this address", web.Of($"verify-email#token={token}")),
            "The link works for 30 days. If you did not register, ignore this mail: without it the address is not used."));
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

/// <summary>Tells that a password was changed, in case it was somebody else.</summary>
internal sealed class PasswordChangedMail(Database database, WebAddress web) : IMailKind
{
    /// <summary>Name of this kind; data: <see cref="PersonMailData"/>.</summary>
    public const string Kind = "password-changed";

    /// <inheritdoc/>
    public string Name => Kind;

    /// <inheritdoc/>
    public Task<ComposedMail?> ComposeAsync(string data, CancellationToken cancellationToken) => AccountNotice.ComposeAsync(
        database, web, data, "Your password was changed", "The password of your account was changed {0}, and every other browser was signed out.", cancellationToken);
}

/// <summary>Tells that a second factor was turned on, in case it was somebody else.</summary>
internal sealed class SecondFactorEnabledMail(Database database, WebAddress web) : IMailKind
{
    /// <summary>Name of this kind; data: <see cref="PersonMailData"/>.</summary>
    public const string Kind = "second-factor-enabled";

    /// <inheritdoc/>
    public string Name => Kind;

    /// <inheritdoc/>
    public Task<ComposedMail?> ComposeAsync(string data, CancellationToken cancellationToken) => AccountNotice.ComposeAsync(
        database, web, data, "A second factor protects your account", "A second factor was turned on for your account {0}. Signing in now also asks for a code.", cancellationToken);
}

internal static class AccountNotice
{
    /// <summary>A mail that tells what happened to an account; only to an address that was proved.</summary>
    public static async Task<ComposedMail?> ComposeAsync(Database database, WebAddress web, string data, string subject, string sentence, CancellationToken cancellationToken)
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
