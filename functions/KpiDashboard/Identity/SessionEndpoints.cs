using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Identity;

/// <summary>Sign in, stay signed in, switch tenant, sign out here or everywhere.</summary>
public sealed class SessionEndpoints
{
    /// <summary>Two tabs may refresh with the same token at the same moment; later, a second use means that somebody copied it.</summary>
    internal static readonly TimeSpan ReuseGrace = TimeSpan.FromSeconds(10);

    /// <summary>
    /// One sentence for every address, known or not, confirmed or not: whoever registered and has not confirmed the address reads what to do, and nobody else
    /// learns anything.
    /// </summary>
    internal const string NotRight = "The e-mail address or the password is not right, or the address has not been confirmed yet. "
        + "If you registered and never opened the link in our mail, have it sent again.";

    private readonly Database _database;
    private readonly Sessions _sessions;
    private readonly SignInGuard _guard;
    private readonly PasswordHasher _hasher;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal SessionEndpoints(Database database, Sessions sessions, SignInGuard guard, PasswordHasher hasher, AuditLog audit, TimeProvider time) =>
        (_database, _sessions, _guard, _hasher, _audit, _time) = (database, sessions, guard, hasher, audit, time);

    /// <summary><c>POST auth/login</c>.</summary>
    public async Task<IResult> LoginAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, SessionJson.Default.LoginRequest, cancellationToken))!;
        if (string.IsNullOrWhiteSpace(body.Email)) throw ApiProblem.Invalid("email", "'email' is empty.");
        // Postgres takes no NUL in a text, and U+FFFE cannot be normalised.
        if (body.Email.Trim().Any(c => char.IsControl(c) || c == '\uFFFE')) throw ApiProblem.Invalid("email", "'email' has characters that no address has.");
        if (body.Password is not { Length: > 0 and <= Passwords.MaxLength }) throw ApiProblem.Invalid("password", $"'password' must have 1 to {Passwords.MaxLength} characters.");

        // Nothing below may differ between an address that is known and one that is not, until the password is right.
        var key = EmailKey(body.Email);
        var user = (await _database.QueryAsync<UserRow>("select * from find_user_by_email(@key)", new { key }, cancellationToken)).SingleOrDefault();
        var permit = await _guard.EnterAsync(request, key, user?.id, body.Password, cancellationToken);
        var fits = _hasher.Verify(body.Password, user?.password_hash, out var outdated);
        if (!fits || user is null || user.disabled) throw ApiProblem.Unauthorized(NotRight);
        await _guard.ReturnAsync(permit, cancellationToken);
        if (outdated)
        {
            await _database.ExecuteAsync(
                "select rehash_password(@id, @password_hash, @hash)", new { user.id, user.password_hash, hash = _hasher.Hash(body.Password) }, cancellationToken);
        }

        return Sessions.Answer(request, await _sessions.BeginAsync(request, user.id, null, "password", cancellationToken) ?? throw ApiProblem.SecondFactorCode());
    }

    /// <summary><c>POST auth/refresh</c>: a new access token for the refresh cookie, which is replaced.</summary>
    public async Task<IResult> RefreshAsync(HttpRequest request, CancellationToken cancellationToken) =>
        Sessions.Answer(request, await _sessions.RefreshAsync(request, cancellationToken));

    /// <summary><c>POST auth/switch</c>: the session goes on in another tenant of the same person.</summary>
    public async Task<IResult> SwitchAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, SessionJson.Default.SwitchRequest, cancellationToken))!;
        var caller = request.Caller();
        return Sessions.Answer(request, await _sessions.MoveAsync(request, caller.Person, body.TenantId, caller.SessionId!.Value, cancellationToken));
    }

    /// <summary><c>POST auth/logout</c>.</summary>
    public async Task<IResult> LogoutAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.Cookies[Sessions.Cookie] is { Length: > 0 and <= 200 } token)
            await _database.ExecuteAsync("select end_session_of_token(@hash, 'signed out', @now)", new { hash = TokenHash.Of(token), now = _time.GetUtcNow() }, cancellationToken);
        _sessions.Expire(request);
        return TypedResults.NoContent();
    }

    /// <summary><c>POST auth/logout-everywhere</c>: every session of the person ends, this one too.</summary>
    public async Task<IResult> LogoutEverywhereAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var person = request.Caller().Person;
        await EndAsync(person, null, null, "signed out everywhere", cancellationToken);
        await _audit.WriteForPersonAsync(request, person, AuditActions.SignedOutEverywhere, null, null, cancellationToken);
        _sessions.Expire(request);
        return TypedResults.NoContent();
    }

    /// <summary><c>GET auth/sessions</c>: where the person is signed in.</summary>
    public async Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var rows = await _database.QueryAsync<SessionRow>("select * from list_sessions(@user, @now)", new { user = caller.Person, now = _time.GetUtcNow() }, cancellationToken);
        return new JsonAnswer<SessionsResponse>(
            new SessionsResponse([.. rows.Select(row => new SessionEntry(row.id, row.id == caller.SessionId, row.method, row.created_at, row.last_seen_at, row.address, row.user_agent))]),
            SessionJson.Default.SessionsResponse);
    }

    /// <summary><c>DELETE auth/sessions/{id}</c>: signs that browser out.</summary>
    public async Task<IResult> EndAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        if (!Guid.TryParseExact(id, "D", out var session) || await EndAsync(caller.Person, session, null, "ended from another session", cancellationToken) == 0)
            throw ApiProblem.NotFound("There is no such session.");
        await _audit.WriteForPersonAsync(request, caller.Person, AuditActions.SignedOut, null, null, cancellationToken);
        if (session == caller.SessionId) _sessions.Expire(request);
        return TypedResults.NoContent();
    }

    /// <summary><c>GET auth/me</c>: who is signed in; no new token.</summary>
    public async Task<IResult> MeAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        return new JsonAnswer<MeResponse>(await _sessions.DescribeAsync(
            caller.Person, caller.TenantId, await _sessions.ProvedFactorAsync(caller.SessionId!.Value, caller.Person, cancellationToken), strict: true, cancellationToken),
            SessionJson.Default.MeResponse);
    }

    /// <summary>What an address is looked up by: as mail systems treat it in practice, upper and lower case are the same.</summary>
    internal static string EmailKey(string email) => email.Trim().Normalize().ToUpperInvariant();

    private async Task<int> EndAsync(Guid user, Guid? session, Guid? except, string reason, CancellationToken cancellationToken) =>
        (await _database.QueryAsync<int>("select end_sessions(@user, @session, @except, @reason, @now)", new { user, session, except, reason, now = _time.GetUtcNow() }, cancellationToken)).Single();

#pragma warning disable IDE1006 // Dapper maps these to the columns of the functions by name.
    private sealed record UserRow(Guid id, string email, string display_name, string? password_hash, bool disabled);

    private sealed record SessionRow(Guid id, string method, DateTimeOffset created_at, DateTimeOffset last_seen_at, string? address, string? user_agent);
#pragma warning restore IDE1006
}

/// <summary>Sign in.</summary>
internal sealed record LoginRequest(string Email, string Password);

/// <summary>Switch to another tenant.</summary>
internal sealed record SwitchRequest(Guid TenantId);

/// <summary>A session: an access token, the seconds that it lives, and who is signed in where.</summary>
internal sealed record SessionResponse(string AccessToken, int ExpiresIn, SessionUser User, SessionTenant Tenant, IReadOnlyList<SessionTenantEntry> Tenants);

/// <summary>Who is signed in where.</summary>
internal sealed record MeResponse(SessionUser User, SessionTenant Tenant, IReadOnlyList<SessionTenantEntry> Tenants);

/// <summary>
/// The person. <c>emailVerified</c>: the address was proved; until then some things wait. <c>secondFactor</c>: one is set up; <c>secondFactorProved</c>: and this
/// session gave a code of it.
/// </summary>
internal sealed record SessionUser(Guid Id, string Email, string DisplayName, bool EmailVerified, bool HasPassword, bool SecondFactor, bool SecondFactorProved);

/// <summary>
/// The tenant that the session acts in, and what the person may do there. <c>secondFactorMissing</c>: the tenant asks for one that this
/// session has not given (set up or not: <c>user.secondFactor</c>), and nothing else is allowed before. <c>deleteAfter</c>: it is to be deleted then, and can only be read.
/// </summary>
internal sealed record SessionTenant(
    Guid Id, string Name, [property: AllowedValues("owner", "admin", "member", "viewer")] string Role, string TimeZone, string Currency, string Locale, int WeekStart, bool IsDemo,
    IReadOnlyList<string> Permissions, bool SecondFactorMissing, DateTimeOffset? DeleteAfter);

/// <summary>A tenant to switch to.</summary>
internal sealed record SessionTenantEntry(Guid Id, string Name, [property: AllowedValues("owner", "admin", "member", "viewer")] string Role);

/// <summary>Where a person is signed in.</summary>
internal sealed record SessionsResponse(IReadOnlyList<SessionEntry> Sessions);

/// <summary>A browser that is signed in; <c>current</c> is the one that asks.</summary>
internal sealed record SessionEntry(Guid Id, bool Current, string Method, DateTimeOffset CreatedAt, DateTimeOffset LastSeenAt, string? Address, string? UserAgent);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(LoginRequest))]
[JsonSerializable(typeof(SwitchRequest))]
[JsonSerializable(typeof(SessionResponse))]
[JsonSerializable(typeof(MeResponse))]
[JsonSerializable(typeof(SessionsResponse))]
internal sealed partial class SessionJson : JsonSerializerContext;
