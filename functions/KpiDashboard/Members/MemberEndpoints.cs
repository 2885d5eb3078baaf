using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Identity;
using KpiDashboard.Mail;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Members;

/// <summary>Who belongs to a business: invite, change roles, deactivate, remove.</summary>
public sealed class MemberEndpoints
{
    /// <summary>How long the link of an invitation works.</summary>
    internal static readonly TimeSpan InvitationLifetime = TimeSpan.FromDays(7);

    private const string NoInvitation = "This invitation does not exist, was used or taken back, or has run out. Ask for a new one.";

    private readonly Database _database;
    private readonly AuditLog _audit;
    private readonly MailOutbox _mail;
    private readonly RateLimits _limits;
    private readonly Sessions _sessions;
    private readonly Accounts _accounts;
    private readonly Authenticator _authenticator;
    private readonly SignInGuard _guard;
    private readonly PasswordHasher _hasher;
    private readonly PasswordRules _rules;
    private readonly TimeProvider _time;

    internal MemberEndpoints(
        Database database, AuditLog audit, MailOutbox mail, RateLimits limits, Sessions sessions, Accounts accounts, Authenticator authenticator, SignInGuard guard,
        PasswordHasher hasher, PasswordRules rules, TimeProvider time)
    {
        (_database, _audit, _mail, _limits, _sessions, _accounts) = (database, audit, mail, limits, sessions, accounts);
        (_authenticator, _guard, _hasher, _rules, _time) = (authenticator, guard, hasher, rules, time);
    }

    /// <summary><c>GET members</c>.</summary>
    public async Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken) =>
        TenantReads.Answer(request, await _database.InTenantAsync(request.Caller().TenantId, async tx => new MembersResponse(
            [.. (await Membership.ListAsync(tx)).Select(member => member.ToEntry())],
            await tx.QueryAsync<InvitationEntry>(
                "select id, email, role, invited_by as InvitedBy, created_at as CreatedAt, expires_at as ExpiresAt from list_invitations()")), cancellationToken),
            MemberJson.Default.MembersResponse);

    /// <summary><c>PATCH members/{id}</c>. A member that is deactivated cannot enter this business from its next request on; its account, and its other businesses, stay.</summary>
    public async Task<IResult> UpdateAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, MemberJson.Default.UpdateMemberRequest, cancellationToken))!;
        if (body is { Role: null, Active: null }) throw ApiProblem.Invalid("role", "Give 'role' or 'active': there is nothing to change.");
        CheckRole(body.Role);
        var changed = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var (own, members) = await Membership.LockAsync(tx, caller, Permission.ManageMembers);
            var member = Find(members, id);
            var (role, active) = (body.Role ?? member.Role, body.Active ?? member.Active);
            if (role == member.Role && active == member.Active) return member;
            if (member.Id == own.Id)
                throw ApiProblem.Conflict("Nobody changes his own role or access. Leave the business, hand it over, or ask another owner.");
            ThrowUnlessMay(own, member.Role);
            ThrowUnlessMay(own, role);
            if (body.Role is not null && role != member.Role && role != "viewer") Membership.ThrowUnlessProved(member);
            var after = member with { Role = role, Active = active };
            if (role == "owner" && (member.Role != "owner" || (active && !member.Active))) request.Demand(Power.MakeOwner);
            if (member.Role == "owner" && (role != "owner" || (member.Active && !active))) request.Demand(Power.UnmakeOwner);
            if (!after.IsActiveOwner) Membership.ThrowIfLastOwner(member, members);

            var now = _time.GetUtcNow();
            await tx.ExecuteAsync(
                """
                update memberships set role = @role, deactivated_at = case when @active then null else coalesce(deactivated_at, @now) end
                where tenant_id = @tenant and user_id = @user
                """,
                new { role, active, now, user = member.Id });
            if (role != member.Role)
            {
                await _audit.WriteAsync(tx, request, Event(
                    AuditActions.MemberRoleChanged, member, new JsonObject { ["role"] = member.Role }, new JsonObject { ["role"] = role }));
            }

            if (active != member.Active) await _audit.WriteAsync(tx, request, Event(active ? AuditActions.MemberReactivated : AuditActions.MemberDeactivated, member));
            await Membership.RevokeInvitationsOfAsync(tx, _audit, request, member.Id, active ? role : null, now);
            await TenantProfile.BumpVersionAsync(tx);
            return after;
        }, cancellationToken);
        return new JsonAnswer<MemberEntry>(changed.ToEntry(), MemberJson.Default.MemberEntry);
    }

    /// <summary><c>DELETE members/{id}</c>. Tokens that the person made are the business's and stay.</summary>
    public async Task<IResult> RemoveAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var (own, members) = await Membership.LockAsync(tx, caller, Permission.ManageMembers);
            var member = Find(members, id);
            if (member.Id == own.Id) throw ApiProblem.Conflict("Nobody removes himself. Leave the business instead.");
            ThrowUnlessMay(own, member.Role);
            if (member.Role == "owner") request.Demand(Power.UnmakeOwner);
            Membership.ThrowIfLastOwner(member, members);
            await tx.ExecuteAsync("delete from memberships where tenant_id = @tenant and user_id = @user", new { user = member.Id });
            await _audit.WriteAsync(tx, request, Event(AuditActions.MemberRemoved, member, new JsonObject { ["role"] = member.Role }));
            await Membership.RevokeInvitationsOfAsync(tx, _audit, request, member.Id, null, _time.GetUtcNow());
            await TenantProfile.BumpVersionAsync(tx);
        }, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary><c>POST members/invitations</c>. Says nothing about whether the address has an account: the answer is the same.</summary>
    public async Task<IResult> InviteAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, MemberJson.Default.InviteRequest, cancellationToken))!;
        var errors = new Dictionary<string, string[]>();
        Accounts.CheckEmail(errors, "email", body.Email);
        if (!Permissions.Roles.Contains(body.Role)) errors["role"] = [RoleSentence];
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
        ThrowUnlessVerified(caller);
        await _limits.TakeAsync(Bucket.Invitation, caller.TenantId.ToString("N"), cancellationToken);

        var (email, key) = (body.Email.Trim(), SessionEndpoints.EmailKey(body.Email));
        var (entry, mail) = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var (own, _) = await Membership.LockAsync(tx, caller, Permission.ManageMembers);
            ThrowUnlessMay(own, body.Role);
            if (body.Role == "owner") request.Demand(Power.MakeOwner);
            if (await tx.QuerySingleOrDefaultAsync<MemberRow>("select id, active from find_member_by_email(@key)", new { key }) is { } member)
            {
                throw ApiProblem.Conflict(member.active
                    ? $"{email} is a member already."
                    : $"{email} is a member that was deactivated. Reactivate the member instead.");
            }

            await _limits.TakeAsync(tx, Bucket.MailRecipient, AccountEndpoints.MailSubject(InvitationMail.Kind, email));
            var now = _time.GetUtcNow();
            // One that ran out stands in nobody's way.
            await tx.ExecuteAsync(
                """
                update invitations set revoked_at = @now
                where tenant_id = @tenant and email_key = @key and accepted_at is null and revoked_at is null and expires_at <= @now
                """,
                new { key, now });
            var (id, token, expires) = (Guid.CreateVersion7(now), TokenHash.Fresh(""), now + InvitationLifetime);
            var inserted = await tx.ExecuteAsync(
                """
                insert into invitations (tenant_id, id, email, email_key, role, token_hash, invited_by, created_at, expires_at)
                values (@tenant, @id, @email, @key, @role, @hash, @inviter, @now, @expires)
                on conflict (tenant_id, email_key) where accepted_at is null and revoked_at is null do nothing
                """,
                new { id, email, key, role = body.Role, hash = TokenHash.Of(token), inviter = own.Id, now, expires });
            if (inserted == 0) throw ApiProblem.Conflict($"{email} is invited already. Send that invitation again, or take it back first.");
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.MemberInvited, "invitation", id.ToString(), email, After: new JsonObject { ["role"] = body.Role }));
            return (new InvitationEntry(id, email, body.Role, own.DisplayName, now, expires), await MailAsync(tx, email, body.Role, own, token, expires));
        }, cancellationToken);
        await _mail.DispatchAsync(mail, cancellationToken);
        return new JsonAnswer<InvitationEntry>(entry, MemberJson.Default.InvitationEntry, StatusCodes.Status201Created);
    }

    /// <summary><c>DELETE members/invitations/{id}</c>: its link leads nowhere from now on.</summary>
    public async Task<IResult> RevokeInvitationAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var (own, _) = await Membership.LockAsync(tx, caller, Permission.ManageMembers);
            var open = await OpenInvitationAsync(tx, id);
            ThrowUnlessMay(own, open.role);
            await tx.ExecuteAsync("update invitations set revoked_at = @now where tenant_id = @tenant and id = @id", new { open.id, now = _time.GetUtcNow() });
            await _audit.WriteAsync(tx, request, new AuditEvent(
                AuditActions.InvitationRevoked, "invitation", open.id.ToString(), open.email, Before: new JsonObject { ["role"] = open.role }));
        }, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary><c>POST members/invitations/{id}/resend</c>: a new link for seven days; the old one is dead.</summary>
    public async Task<IResult> ResendInvitationAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        ThrowUnlessVerified(caller);
        await _limits.TakeAsync(Bucket.Invitation, caller.TenantId.ToString("N"), cancellationToken);
        var (entry, mail) = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var (own, _) = await Membership.LockAsync(tx, caller, Permission.ManageMembers);
            var open = await OpenInvitationAsync(tx, id);
            ThrowUnlessMay(own, open.role);
            if (open.role == "owner") request.Demand(Power.MakeOwner);
            await _limits.TakeAsync(tx, Bucket.MailRecipient, AccountEndpoints.MailSubject(InvitationMail.Kind, open.email));
            var now = _time.GetUtcNow();
            var (token, expires) = (TokenHash.Fresh(""), now + InvitationLifetime);
            await tx.ExecuteAsync(
                "update invitations set token_hash = @hash, expires_at = @expires, invited_by = @inviter where tenant_id = @tenant and id = @id",
                new { open.id, hash = TokenHash.Of(token), expires, inviter = own.Id });
            await _audit.WriteAsync(tx, request, new AuditEvent(
                AuditActions.MemberInvited, "invitation", open.id.ToString(), open.email, After: new JsonObject { ["role"] = open.role, ["again"] = true }));
            return (new InvitationEntry(open.id, open.email, open.role, own.DisplayName, open.created_at, expires), await MailAsync(tx, open.email, open.role, own, token, expires));
        }, cancellationToken);
        await _mail.DispatchAsync(mail, cancellationToken);
        return new JsonAnswer<InvitationEntry>(entry, MemberJson.Default.InvitationEntry);
    }

    /// <summary><c>POST auth/invitation</c>: what a link is to. One that was used, taken back or ran out is answered like one that never was.</summary>
    public async Task<IResult> InvitationAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, MemberJson.Default.InvitationRequest, cancellationToken))!;
        var invitation = await FindAsync(body.Token, cancellationToken);
        var account = await FindAccountAsync(invitation.email_key, cancellationToken);
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<InvitationResponse>(
            new InvitationResponse(invitation.business, invitation.email, invitation.role, invitation.invited_by, account is not null, invitation.expires_at),
            MemberJson.Default.InvitationResponse);
    }

    /// <summary>
    /// <c>POST auth/accept-invitation</c>. Who is signed in joins as that; an account that is not signed in needs its password; without an account, a name and
    /// a password make one, whose address the link has proved.
    /// </summary>
    public async Task<IResult> AcceptAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, MemberJson.Default.AcceptInvitationRequest, cancellationToken))!;
        var invitation = await FindAsync(body.Token, cancellationToken);
        var account = await FindAccountAsync(invitation.email_key, cancellationToken);
        if (await _authenticator.FindPersonAsync(request, cancellationToken) is { UserId: { } person, SessionId: { } session } caller)
        {
            if (account?.id != person)
            {
                throw ApiProblem.Conflict(SessionEndpoints.EmailKey(caller.Name) == invitation.email_key
                    ? "Confirm your e-mail address first, with the link that was sent when you registered."
                    : $"This invitation is for {invitation.email}, and you are signed in as {caller.Name}. Sign out, and open the link again.");
            }

            await JoinAsync(request, invitation, person, account.email, null, cancellationToken);
            return Sessions.Answer(request, await _sessions.MoveAsync(request, person, invitation.tenant_id, session, cancellationToken));
        }

        if (account is not null)
        {
            await CheckPasswordAsync(request, account, invitation.email_key, body.Password, cancellationToken);
            // Link and password were right: the person joins even if the code of its second factor is still to come, or the link would be asked for again.
            await JoinAsync(request, invitation, account.id, account.email, null, cancellationToken);
            return Sessions.Answer(
                request, await _sessions.BeginAsync(request, account.id, invitation.tenant_id, "invitation", cancellationToken) ?? throw ApiProblem.SecondFactorCode());
        }

        var errors = new Dictionary<string, string[]>();
        TenantRules.Name(errors, "displayName", body.DisplayName);
        _rules.Check(errors, "password", body.Password, invitation.email, body.DisplayName, invitation.business);
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
        var user = new NewUser(Guid.CreateVersion7(_time.GetUtcNow()), invitation.email, body.DisplayName!, _hasher.Hash(body.Password!), Verified: true);
        await JoinAsync(request, invitation, user.Id, user.Email, user, cancellationToken);
        return Sessions.Answer(
            request, await _sessions.BeginAsync(request, user.Id, invitation.tenant_id, "invitation", cancellationToken) ?? throw ApiProblem.SecondFactorCode());
    }

    /// <summary>Uses the invitation up and makes the membership (and the account) in one transaction; of two at once, one finds it used.</summary>
    private Task JoinAsync(HttpRequest request, InvitationRow invitation, Guid user, string email, NewUser? account, CancellationToken cancellationToken) =>
        _database.InTenantAsync(invitation.tenant_id, async tx =>
        {
            var now = _time.GetUtcNow();
            await tx.QuerySingleOrDefaultAsync<Guid>("select id from tenants where id = @tenant for update");
            var used = await tx.ExecuteAsync(
                """
                update invitations set accepted_at = @now
                where tenant_id = @tenant and id = @id and token_hash = @hash and accepted_at is null and revoked_at is null and expires_at > @now
                """,
                new { invitation.id, hash = invitation.Hash, now });
            if (used == 0) throw ApiProblem.NotFound(NoInvitation);
            if (account is not null) await _accounts.InsertUserAsync(tx, account);
            var joined = await tx.ExecuteAsync(
                """
                insert into memberships (tenant_id, user_id, role, created_at) values (@tenant, @user, @role, @now)
                on conflict (tenant_id, user_id) do nothing
                """,
                new { user, invitation.role, now });
            if (joined == 0)
            {
                var active = await tx.QuerySingleAsync<bool>("select deactivated_at is null from memberships where tenant_id = @tenant and user_id = @user", new { user });
                throw ApiProblem.Conflict(active ? "You are a member of this business already." : "Your access to this business was deactivated. Ask one of its owners.");
            }

            await _audit.WriteAsync(tx, request, user, email, new AuditEvent(
                AuditActions.MemberJoined, "person", user.ToString(), email, After: new JsonObject { ["role"] = invitation.role, ["account"] = account is null ? "known" : "new" }));
            await TenantProfile.BumpVersionAsync(tx);
        }, cancellationToken);

    private async Task CheckPasswordAsync(HttpRequest request, AccountRow account, string emailKey, string? password, CancellationToken cancellationToken)
    {
        if (password is not { Length: > 0 and <= Passwords.MaxLength })
            throw ApiProblem.Invalid("password", $"'password' must be the password of your account: 1 to {Passwords.MaxLength} characters. Or sign in first.");
        var permit = await _guard.EnterAsync(request, emailKey, account.id, password, cancellationToken);
        if (!_hasher.Verify(password, account.password_hash, out _) || account.disabled) throw ApiProblem.Unauthorized("The password is not right.");
        await _guard.ReturnAsync(permit, cancellationToken);
    }

    private async Task<InvitationRow> FindAsync(string token, CancellationToken cancellationToken)
    {
        if (token.Length is 0 or > 200) throw ApiProblem.NotFound(NoInvitation);
        var hash = TokenHash.Of(token);
        var found = await _database.QueryAsync<InvitationRow>("select * from find_invitation(@hash, @now)", new { hash, now = _time.GetUtcNow() }, cancellationToken);
        return found is [var invitation] ? invitation with { Hash = hash } : throw ApiProblem.NotFound(NoInvitation);
    }

    private async Task<AccountRow?> FindAccountAsync(string emailKey, CancellationToken cancellationToken) =>
        (await _database.QueryAsync<AccountRow>("select id, email, password_hash, disabled from find_user_by_email(@emailKey)", new { emailKey }, cancellationToken)).SingleOrDefault();

    private async Task<Guid> MailAsync(TenantTransaction tx, string email, string role, Member inviter, string token, DateTimeOffset expires)
    {
        var business = await tx.QuerySingleAsync<string>("select name from tenants where id = @tenant");
        return await _mail.AddAsync(tx, InvitationMail.Kind, JsonSerializer.Serialize(
            new InvitationMailData(email, business, role, inviter.DisplayName, token, expires), TenancyMailJson.Default.InvitationMailData));
    }

    private static async Task<OpenRow> OpenInvitationAsync(TenantTransaction tx, string id) =>
        (Guid.TryParseExact(id, "D", out var invitation)
            ? await tx.QuerySingleOrDefaultAsync<OpenRow>(
                """
                select id, email, role, created_at from invitations
                where tenant_id = @tenant and id = @invitation and accepted_at is null and revoked_at is null
                """,
                new { invitation })
            : null) ?? throw ApiProblem.NotFound("There is no such open invitation.");

    private static Member Find(IEnumerable<Member> members, string id) =>
        members.FirstOrDefault(member => member.Id.ToString("D") == id) ?? throw ApiProblem.NotFound("There is no such member.");

    private static AuditEvent Event(string action, Member member, JsonObject? before = null, JsonObject? after = null) =>
        new(action, "person", member.Id.ToString(), member.Email, before, after);

    private static string RoleSentence => $"'role' must be one of {string.Join(", ", Permissions.Roles)}.";

    private static void CheckRole(string? role)
    {
        if (role is not null && !Permissions.Roles.Contains(role)) throw ApiProblem.Invalid("role", RoleSentence);
    }

    private static void ThrowUnlessMay(Member caller, string role)
    {
        if (role == "owner" && caller.Role != "owner") throw ApiProblem.Forbidden("Only an owner may make, change or remove an owner.");
    }

    private static void ThrowUnlessVerified(Caller caller)
    {
        if (!caller.EmailVerified) throw ApiProblem.Forbidden("Confirm your own e-mail address first; then you can invite others.");
    }

#pragma warning disable IDE1006 // Dapper maps these to the columns of the functions by name.
    private sealed record MemberRow(Guid id, bool active);

    private sealed record OpenRow(Guid id, string email, string role, DateTimeOffset created_at);

    private sealed record AccountRow(Guid id, string email, string? password_hash, bool disabled);

    private sealed record InvitationRow(
        Guid tenant_id, Guid id, string business, string email, string email_key, string role, string? invited_by, DateTimeOffset expires_at)
    {
        public byte[] Hash { get; init; } = [];
    }
#pragma warning restore IDE1006
}

/// <summary>Members and open invitations.</summary>
internal sealed record MembersResponse(IReadOnlyList<MemberEntry> Members, IReadOnlyList<InvitationEntry> Invitations);

/// <summary>
/// A member; <c>active</c> false: deactivated here. <c>lastSeenAt</c>: last use of any session. <c>emailVerified</c> false: the address was never proved, and may be
/// anybody's.
/// </summary>
internal sealed record MemberEntry(
    Guid Id, string Email, string DisplayName, [property: AllowedValues("owner", "admin", "member", "viewer")] string Role, bool Active, bool SecondFactor, DateTimeOffset JoinedAt, DateTimeOffset? LastSeenAt,
    bool EmailVerified);

/// <summary>An invitation that was not accepted yet.</summary>
internal sealed record InvitationEntry(
    Guid Id, string Email, [property: AllowedValues("owner", "admin", "member", "viewer")] string Role, string? InvitedBy, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt);

/// <summary>Invite somebody by e-mail.</summary>
internal sealed record InviteRequest(string Email, string Role);

/// <summary>Change a member; what is left out stays.</summary>
internal sealed record UpdateMemberRequest(string? Role = null, bool? Active = null);

/// <summary>The secret of an invitation's link.</summary>
internal sealed record InvitationRequest(string Token);

/// <summary>What an invitation is to, and whether the address has an account already.</summary>
internal sealed record InvitationResponse(
    string BusinessName, string Email, [property: AllowedValues("owner", "admin", "member", "viewer")] string Role, string? InvitedBy, bool HasAccount, DateTimeOffset ExpiresAt);

/// <summary>
/// Accept an invitation: with an account, signed in as it or with its password (and code); without one, with a name and a password for the new account.
/// </summary>
internal sealed record AcceptInvitationRequest(string Token, string? Password = null, string? DisplayName = null);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(MembersResponse))]
[JsonSerializable(typeof(InviteRequest))]
[JsonSerializable(typeof(InvitationEntry))]
[JsonSerializable(typeof(UpdateMemberRequest))]
[JsonSerializable(typeof(MemberEntry))]
[JsonSerializable(typeof(InvitationRequest))]
[JsonSerializable(typeof(InvitationResponse))]
[JsonSerializable(typeof(AcceptInvitationRequest))]
internal sealed partial class MemberJson : JsonSerializerContext;
