using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Mail;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Identity;

/// <summary>Register, confirm the address, set or change a password, one's own data.</summary>
public sealed class AccountEndpoints
{
    private readonly Database _database;
    private readonly Accounts _accounts;
    private readonly Sessions _sessions;
    private readonly Authenticator _authenticator;
    private readonly PasswordHasher _hasher;
    private readonly PasswordRules _rules;
    private readonly SignInGuard _guard;
    private readonly SecondFactors _factors;
    private readonly RateLimits _limits;
    private readonly ClientAddress _address;
    private readonly MailOutbox _outbox;
    private readonly AuditLog _audit;
    private readonly AccountChanges _changes;
    private readonly TimeProvider _time;

    internal AccountEndpoints(
        Database database, Accounts accounts, Sessions sessions, Authenticator authenticator, PasswordHasher hasher, PasswordRules rules, SignInGuard guard,
        SecondFactors factors, RateLimits limits, ClientAddress address, MailOutbox outbox, AuditLog audit, AccountChanges changes, TimeProvider time)
    {
        (_database, _accounts, _sessions, _authenticator, _hasher, _rules, _guard) = (database, accounts, sessions, authenticator, hasher, rules, guard);
        (_factors, _limits, _address, _outbox, _audit, _changes, _time) = (factors, limits, address, outbox, audit, changes, time);
    }

    /// <summary><c>POST auth/register</c>: an account of its own for whoever asks, whether the address is known or not; nobody else's is looked at.</summary>
    public async Task<IResult> RegisterAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, AccountJson.Default.RegisterRequest, cancellationToken))!;
        var errors = new Dictionary<string, string[]>();
        var business = new NewBusiness(body.BusinessName, body.TimeZone, body.Currency);
        Accounts.CheckEmail(errors, "email", body.Email);
        TenantRules.Name(errors, "displayName", body.DisplayName);
        await _accounts.CheckAsync(errors, business, cancellationToken);
        _rules.Check(errors, "password", body.Password, body.Email, body.DisplayName, body.BusinessName);
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
        await TakeRegistrationAsync(_limits, _address, request, body.Email, cancellationToken);

        var now = _time.GetUtcNow();
        var user = new NewUser(Guid.CreateVersion7(now), body.Email.Trim(), body.DisplayName.Trim(), _hasher.Hash(body.Password), Verified: false);
        // Nobody fills another's mailbox by registering; who is let down by that can have the mail sent again.
        var mayMail = await _limits.TryTakeAsync(Bucket.MailRecipient, MailSubject(VerifyEmailMail.Kind, user.Email), cancellationToken) <= TimeSpan.Zero;
        Guid? mail = null;
        var tenant = await _accounts.CreateBusinessAsync(request, business, user.Id, user.Email, user, async tx =>
        {
            if (mayMail) mail = await _outbox.AddAsync(tx, VerifyEmailMail.Kind, new PersonMailData(user.Id, now).ToJson());
        }, cancellationToken);
        if (mail is { } id) await _outbox.DispatchAsync(id, cancellationToken);
        return Sessions.Answer(request, await _sessions.OpenAsync(request, user.Id, tenant, "register", null, cancellationToken), StatusCodes.Status201Created);
    }

    /// <summary>
    /// <c>POST auth/verify-email</c>. The link alone is not enough: somebody else may have registered with this address and wait for its owner to prove it.
    /// </summary>
    public async Task<IResult> VerifyEmailAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, AccountJson.Default.VerifyEmailRequest, cancellationToken))!;
        const string Advice = "Have another one sent from the sign-in page, or register again.";
        if (await FindTokenAsync(body.Token, "verify", cancellationToken) is not { } token) throw LinkIsOver(Advice);
        // The link proves the mailbox. Several accounts may wait for its address: session or password say whose it is, and that is all it confirms.
        var user = (await _authenticator.FindPersonAsync(request, cancellationToken))?.UserId is { } person
            && (person == token.user_id || (await UnprovedAccount.FindAsync(_database, token.email_key, cancellationToken)).Any(waiting => waiting.id == person))
                ? person
                : await FindByPasswordAsync(request, token, body.Password, cancellationToken);
        var outcome = (await _database.QueryAsync<string>(
            "select verify_email_of(@hash, @user, @now)", new { hash = TokenHash.Of(body.Token), user, now = _time.GetUtcNow() }, cancellationToken)).Single();
        if (outcome == "taken") throw ApiProblem.Conflict("Another account has proved this address in the meantime. Sign in to that one.");
        if (outcome != "ok") throw LinkIsOver(Advice);
        await _audit.WriteForPersonAsync(request, user, AuditActions.EmailVerified, null, null, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary><c>POST auth/verify-email/resend</c>.</summary>
    public async Task<IResult> ResendVerificationAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        if (caller.EmailVerified) throw ApiProblem.Conflict("Your address is confirmed already.");
        await _limits.TakeByAddressAsync(Bucket.MailAddress, _address.KnownKey(request), cancellationToken);
        await _limits.TakeAsync(Bucket.MailRecipient, MailSubject(VerifyEmailMail.Kind, caller.Name), cancellationToken);
        await _outbox.AddAsync(VerifyEmailMail.Kind, new PersonMailData(caller.Person, _time.GetUtcNow()).ToJson(), null, cancellationToken);
        return TypedResults.StatusCode(StatusCodes.Status202Accepted);
    }

    /// <summary>
    /// <c>POST auth/verify-email/request</c>: the link once more, by the address alone, for whoever lost the browser that registered. The same answer and the same
    /// work for every address; what is the matter with it is found out when the mail is written.
    /// </summary>
    public Task<IResult> RequestVerificationAsync(HttpRequest request, CancellationToken cancellationToken) =>
        MailByAddressAsync(request, VerifyAgainMail.Kind, cancellationToken);

    /// <summary><c>POST auth/forgot-password</c>: the same answer and the same work for every address; who it belongs to is found out when the mail is written.</summary>
    public Task<IResult> ForgotPasswordAsync(HttpRequest request, CancellationToken cancellationToken) =>
        MailByAddressAsync(request, ResetPasswordMail.Kind, cancellationToken);

    private async Task<IResult> MailByAddressAsync(HttpRequest request, string kind, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, AccountJson.Default.ForgotPasswordRequest, cancellationToken))!;
        var errors = new Dictionary<string, string[]>();
        Accounts.CheckEmail(errors, "email", body.Email);
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
        await _limits.TakeByAddressAsync(Bucket.MailAddress, _address.KnownKey(request), cancellationToken);
        // Whoever used up what a mailbox may get has put as many working links into it: its owner is not locked out, and nobody learns anything.
        if (await _limits.TryTakeAsync(Bucket.MailRecipient, MailSubject(kind, body.Email), cancellationToken) <= TimeSpan.Zero)
            await _outbox.AddAsync(kind, new ResetMailData(body.Email.Trim()).ToJson(), null, cancellationToken);
        return TypedResults.StatusCode(StatusCodes.Status202Accepted);
    }

    /// <summary><c>POST auth/reset-password</c>: the mailbox replaces the password, not the second factor.</summary>
    public async Task<IResult> ResetPasswordAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, AccountJson.Default.ResetPasswordRequest, cancellationToken))!;
        if (await FindTokenAsync(body.Token, "reset", cancellationToken) is not { } token) throw LinkIsOver("Ask for another one.");
        // Before the link is used up: a password that is refused must not cost another mail.
        await ThrowUnlessAllowedAsync("password", body.Password, token.user_id, token.email, token.display_name, cancellationToken);
        var now = _time.GetUtcNow();
        var user = (await _database.QueryAsync<Guid?>(
            "select reset_password(@hash, @password, @now)", new { hash = TokenHash.Of(body.Token), password = _hasher.Hash(body.Password), now }, cancellationToken)).Single()
            ?? throw LinkIsOver("Ask for another one.");
        await _changes.TellAsync(request, user, AuditActions.PasswordReset, cancellationToken);
        _sessions.RememberBrowser(request, user);
        return Sessions.Answer(request, await _sessions.BeginAsync(request, user, null, "reset", cancellationToken) ?? throw ApiProblem.SecondFactorCode());
    }

    /// <summary><c>POST auth/change-password</c>: ends every other session.</summary>
    public async Task<IResult> ChangePasswordAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, AccountJson.Default.ChangePasswordRequest, cancellationToken))!;
        var account = await AccountAsync(caller.Person, cancellationToken);
        if (account.password_hash is not { } old) throw ApiProblem.Conflict("Your account has no password yet: you sign in through a provider. Sign out and use 'Forgot password' to set one.");
        await ThrowUnlessAllowedAsync("newPassword", body.NewPassword, caller.Person, account.email, account.display_name, cancellationToken);
        await ThrowUnlessPasswordFitsAsync(
            request, caller.Person, account.email_key, old, body.CurrentPassword, "currentPassword", () => ApiProblem.Invalid("currentPassword", "'currentPassword' is not right."), cancellationToken);
        var now = _time.GetUtcNow();
        var changed = (await _database.QueryAsync<bool>(
            "select change_password(@user, @old, @hash, @session, @now)",
            new { user = caller.Person, old, hash = _hasher.Hash(body.NewPassword), session = caller.SessionId, now }, cancellationToken)).Single();
        if (!changed) throw ApiProblem.Conflict("The password was changed elsewhere in the meantime.");
        await _changes.TellAsync(request, caller.Person, AuditActions.PasswordChanged, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>
    /// <c>POST auth/confirm</c>: by the password, by a code of the second factor, or by both; the session records which. Where a code is asked for
    /// (<c>confirm-identity</c> with <c>errors.code</c>), the password alone will not do.
    /// </summary>
    public async Task<IResult> ConfirmAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, AccountJson.Default.ConfirmRequest, cancellationToken))!;
        var account = await AccountAsync(caller.Person, cancellationToken);
        var proofs = new List<string>();
        var byCode = account.totp_enabled_at is not null && !string.IsNullOrEmpty(body.Code);
        if (account.password_hash is { } hash && (!byCode || body.Password is not null))
        {
            await ThrowUnlessPasswordFitsAsync(
                request, caller.Person, account.email_key, hash, body.Password, "password", () => ApiProblem.Invalid("password", "'password' is not right."), cancellationToken);
            proofs.Add("password");
        }

        if (byCode || (account.password_hash is null && account.totp_enabled_at is not null))
        {
            var recovery = await _factors.CheckAsync(caller.Person, account, body.Code, (step, code) => _factors.TakeAsync(caller.Person, step, code, cancellationToken), cancellationToken);
            if (recovery) await _changes.TellAsync(request, caller.Person, AuditActions.RecoveryCodeUsed, cancellationToken);
            proofs.Add(recovery ? "recovery" : "otp");
        }

        if (proofs.Count == 0) throw ApiProblem.Conflict("Your account has neither a password nor a second factor. Sign in again through your provider.");
        await _database.ExecuteAsync(
            "select prove_session(@session, @user, @proofs, @now)",
            new { session = caller.SessionId, user = caller.Person, proofs = proofs.ToArray(), now = _time.GetUtcNow() }, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary><c>PATCH auth/me</c>.</summary>
    public async Task<IResult> UpdateAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var person = request.Caller().Person;
        var body = (await JsonBody.ReadAsync(request, AccountJson.Default.UpdateMeRequest, cancellationToken))!;
        var errors = new Dictionary<string, string[]>();
        TenantRules.Name(errors, "displayName", body.DisplayName);
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
        await _database.ExecuteAsync("select set_display_name(@person, @name)", new { person, name = body.DisplayName.Trim() }, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>
    /// What mails to one mailbox are counted by: each kind apart, so that nobody keeps a reset away by registering with the address or inviting it; whoever asks, and from
    /// whatever business.
    /// </summary>
    internal static string MailSubject(string kind, string email) => $"{kind} {Mailbox.Of(email)}";

    /// <summary>What a registration takes, by whatever way it comes.</summary>
    internal static async Task TakeRegistrationAsync(RateLimits limits, ClientAddress address, HttpRequest request, string email, CancellationToken cancellationToken)
    {
        await limits.TakeByAddressAsync(Bucket.RegisterAddress, address.KnownKey(request), cancellationToken);
        await limits.TakeAsync(Bucket.RegisterMailbox, Mailbox.Of(email), cancellationToken);
        await limits.TakeAsync(Bucket.Register, "", cancellationToken);
    }

    private static ApiProblem LinkIsOver(string advice) => ApiProblem.Invalid("token", $"This link was used already, is too old, or is not complete. {advice}");

    private async Task<TokenRow?> FindTokenAsync(string token, string purpose, CancellationToken cancellationToken) =>
        token is { Length: > 0 and <= 200 }
            ? (await _database.QueryAsync<TokenRow>(
                "select * from find_account_token(@hash, @purpose, @now)", new { hash = TokenHash.Of(token), purpose, now = _time.GetUtcNow() }, cancellationToken)).SingleOrDefault()
            : null;

    /// <summary>Which of the accounts that wait for the address of a link has the password.</summary>
    private async Task<Guid> FindByPasswordAsync(HttpRequest request, TokenRow token, string? password, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(password)) throw ApiProblem.PasswordNeeded("Enter the password that you registered with.");
        if (password.Length > Passwords.MaxLength) throw ApiProblem.Invalid("password", $"'password' must have 1 to {Passwords.MaxLength} characters.");
        var permit = await _guard.EnterAsync(request, token.email_key, token.user_id, password, cancellationToken);
        var waiting = await UnprovedAccount.FindAsync(_database, token.email_key, cancellationToken);
        foreach (var (id, hash) in waiting.Where(other => other.id != token.user_id).Select(other => (other.id, other.password_hash)).Prepend((token.user_id, token.password_hash)))
        {
            if (hash is null || !_hasher.Verify(password, hash, out _)) continue;
            await _guard.ReturnAsync(permit, cancellationToken);
            return id;
        }

        throw ApiProblem.PasswordNeeded("The password is not the one that you registered with. If you did not register, do nothing.");
    }

    private async Task ThrowUnlessPasswordFitsAsync(
        HttpRequest request, Guid user, string emailKey, string? hash, string? password, string field, Func<ApiProblem> wrong, CancellationToken cancellationToken)
    {
        if (password is not { Length: > 0 and <= Passwords.MaxLength }) throw ApiProblem.Invalid(field, $"'{field}' must have 1 to {Passwords.MaxLength} characters.");
        var permit = await _guard.EnterAsync(request, emailKey, user, password, cancellationToken);
        if (!_hasher.Verify(password, hash, out _)) throw wrong();
        await _guard.ReturnAsync(permit, cancellationToken);
    }

    private async Task ThrowUnlessAllowedAsync(string field, string password, Guid user, string email, string name, CancellationToken cancellationToken)
    {
        var businesses = await _database.QueryAsync<string>("select name from list_tenants_of(@user)", new { user }, cancellationToken);
        var errors = new Dictionary<string, string[]>();
        _rules.Check(errors, field, password, [email, name, .. businesses]);
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
    }

    private async Task<Account> AccountAsync(Guid person, CancellationToken cancellationToken) =>
        await Account.FindAsync(_database, person, cancellationToken) ?? throw ApiProblem.Unauthorized("This account no longer exists.");

#pragma warning disable IDE1006 // Dapper maps these to the columns of the function by name.
    private sealed record TokenRow(Guid user_id, string email, string email_key, string display_name, string? password_hash);
#pragma warning restore IDE1006
}

/// <summary>Register a business: makes the tenant, its owner, and a session.</summary>
internal sealed record RegisterRequest(string Email, string Password, string DisplayName, string BusinessName, string? TimeZone = null, string? Currency = null);

/// <summary>Confirm an address by the link in the mail: as the person that registered, signed in or with the password, so that nobody confirms another's account.</summary>
internal sealed record VerifyEmailRequest(string Token, string? Password = null);

/// <summary>Ask for a mail to an address: with a link to set a new password, or to confirm the address.</summary>
internal sealed record ForgotPasswordRequest(string Email);

/// <summary>Set a new password by the link in the mail.</summary>
internal sealed record ResetPasswordRequest(string Token, string Password);

/// <summary>Change the password.</summary>
internal sealed record ChangePasswordRequest(string CurrentPassword, string NewPassword);

/// <summary>Prove again who one is: by the password, by a code of the second factor where one is set up, or by both.</summary>
internal sealed record ConfirmRequest(string? Password = null, string? Code = null);

/// <summary>What a person may change about itself.</summary>
internal sealed record UpdateMeRequest(string DisplayName);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(RegisterRequest))]
[JsonSerializable(typeof(VerifyEmailRequest))]
[JsonSerializable(typeof(ForgotPasswordRequest))]
[JsonSerializable(typeof(ResetPasswordRequest))]
[JsonSerializable(typeof(ChangePasswordRequest))]
[JsonSerializable(typeof(ConfirmRequest))]
[JsonSerializable(typeof(UpdateMeRequest))]
internal sealed partial class AccountJson : JsonSerializerContext;
