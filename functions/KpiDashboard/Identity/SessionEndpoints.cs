using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Identity;

/// <summary>Sign in, stay signed in, switch tenant, sign out.</summary>
public sealed class SessionEndpoints
{
    /// <summary>Cookie with the refresh token; HttpOnly, on <c>/api/auth</c> only.</summary>
    internal const string Cookie = "kpi_refresh";

    /// <summary>How long a browser stays signed in without being used.</summary>
    internal static readonly TimeSpan RefreshLifetime = TimeSpan.FromDays(30);

    /// <summary>Two tabs may refresh with the same token at the same moment; later, a second use means that somebody copied it.</summary>
    internal static readonly TimeSpan ReuseGrace = TimeSpan.FromSeconds(10);

    private readonly Database _database;
    private readonly AccessTokens _tokens;
    private readonly IOptionsMonitor<AuthOptions> _options;
    private readonly TimeProvider _time;

    internal SessionEndpoints(Database database, AccessTokens tokens, IOptionsMonitor<AuthOptions> options, TimeProvider time) =>
        (_database, _tokens, _options, _time) = (database, tokens, options, time);

    /// <summary><c>POST auth/login</c>.</summary>
    public async Task<IResult> LoginAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, SessionJson.Default.LoginRequest, cancellationToken))!;
        if (string.IsNullOrWhiteSpace(body.Email)) throw ApiProblem.Invalid("email", "'email' is empty.");
        // Postgres takes no NUL in a text, and U+FFFE cannot be normalised.
        if (body.Email.Trim().Any(c => char.IsControl(c) || c == '\uFFFE')) throw ApiProblem.Invalid("email", "'email' has characters that no address has.");
        if (body.Password is not { Length: > 0 and <= Passwords.MaxLength }) throw ApiProblem.Invalid("password", $"'password' must have 1 to {Passwords.MaxLength} characters.");

        var user = (await _database.QueryAsync<UserRow>("select * from find_user_by_email(@key)", new { key = EmailKey(body.Email) }, cancellationToken)).SingleOrDefault();
        var fits = Passwords.Verify(body.Password, user?.password_hash, out var outdated);
        if (!fits || user is null || user.disabled) throw ApiProblem.Unauthorized("The e-mail address or the password is not right.");
        if (outdated)
            await _database.ExecuteAsync("select update_password_hash(@id, @hash)", new { user.id, hash = Passwords.Hash(body.Password) }, cancellationToken);
        return await OpenAsync(request, user.id, null, Guid.CreateVersion7(_time.GetUtcNow()), cancellationToken);
    }

    /// <summary><c>POST auth/refresh</c>: a new access token for the refresh cookie, which is replaced.</summary>
    public async Task<IResult> RefreshAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.Cookies[Cookie] is not { Length: > 0 and <= 200 } token) throw ApiProblem.Unauthorized("Nobody is signed in here.");
        var used = (await _database.QueryAsync<RefreshRow>(
            "select * from use_refresh_token(@hash, @now, @grace)",
            new { hash = TokenHash.Of(token), now = _time.GetUtcNow(), grace = ReuseGrace }, cancellationToken)).Single();
        if (used is not { outcome: "ok", user_id: { } user, family_id: { } family })
        {
            Expire(request);
            throw ApiProblem.Unauthorized(used.outcome == "reused"
                ? "This sign-in was used twice, so it was ended everywhere to be safe. Sign in again."
                : "The sign-in has ended. Sign in again.");
        }

        return await OpenAsync(request, user, used.tenant, family, cancellationToken);
    }

    /// <summary><c>POST auth/switch</c>: a session for another tenant of the same person.</summary>
    public async Task<IResult> SwitchAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, SessionJson.Default.SwitchRequest, cancellationToken))!;
        var user = request.Caller().UserId ?? throw ApiProblem.Forbidden("A token belongs to one business and cannot switch.");
        var family = Guid.CreateVersion7(_time.GetUtcNow());
        if (request.Cookies[Cookie] is { Length: > 0 and <= 200 } token)
        {
            // The old cookie belongs to the old tenant; its successor continues the family, so that sign-out still ends all of it.
            var used = (await _database.QueryAsync<RefreshRow>(
                "select * from use_refresh_token(@hash, @now, @grace)",
                new { hash = TokenHash.Of(token), now = _time.GetUtcNow(), grace = ReuseGrace }, cancellationToken)).Single();
            if (used is { outcome: "ok", family_id: { } known } && used.user_id == user) family = known;
        }

        return await OpenAsync(request, user, body.TenantId, family, cancellationToken, strict: true);
    }

    /// <summary><c>POST auth/logout</c>.</summary>
    public async Task<IResult> LogoutAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.Cookies[Cookie] is { Length: > 0 and <= 200 } token)
            await _database.ExecuteAsync("select revoke_refresh_family(@hash, @now)", new { hash = TokenHash.Of(token), now = _time.GetUtcNow() }, cancellationToken);
        Expire(request);
        return TypedResults.NoContent();
    }

    /// <summary><c>GET auth/me</c>: who is signed in; no new token.</summary>
    public async Task<IResult> MeAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var user = caller.UserId ?? throw ApiProblem.Forbidden("A token is nobody's session.");
        var session = await DescribeAsync(user, caller.TenantId, strict: true, cancellationToken);
        return new JsonAnswer<MeResponse>(session, SessionJson.Default.MeResponse);
    }

    /// <summary>What an address is looked up by: as mail systems treat it in practice, upper and lower case are the same.</summary>
    internal static string EmailKey(string email) => email.Trim().Normalize().ToUpperInvariant();

    private async Task<IResult> OpenAsync(HttpRequest request, Guid user, Guid? tenant, Guid family, CancellationToken cancellationToken, bool strict = false)
    {
        var session = await DescribeAsync(user, tenant, strict, cancellationToken);
        var refresh = TokenHash.Fresh("");
        var now = _time.GetUtcNow();
        await _database.ExecuteAsync(
            "select issue_refresh_token(@hash, @family, @user, @tenant, @now, @expires)",
            new { hash = TokenHash.Of(refresh), family, user, tenant = session.Tenant.Id, now, expires = now + RefreshLifetime }, cancellationToken);
        request.HttpContext.Response.Cookies.Append(Cookie, refresh, CookieOptions(request, now + RefreshLifetime));
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<SessionResponse>(
            new SessionResponse(
                _tokens.Issue(user, session.Tenant.Id, session.Tenant.Role), (int)AccessTokens.Lifetime.TotalSeconds, session.User, session.Tenant, session.Tenants),
            SessionJson.Default.SessionResponse);
    }

    private async Task<MeResponse> DescribeAsync(Guid userId, Guid? tenantId, bool strict, CancellationToken cancellationToken)
    {
        var user = (await _database.QueryAsync<UserRow>("select id, email, display_name, null::text as password_hash, disabled from find_user(@userId)", new { userId }, cancellationToken)).SingleOrDefault();
        if (user is null || user.disabled) throw ApiProblem.Unauthorized("This account no longer exists or is deactivated.");
        var tenants = await _database.QueryAsync<MembershipRow>("select * from list_memberships(@userId)", new { userId }, cancellationToken);
        var current = tenants.FirstOrDefault(row => row.tenant_id == tenantId);
        if (current is null && strict) throw ApiProblem.NotFound("You are no member of that business.");
        current ??= tenants.Count > 0 ? tenants[0] : throw ApiProblem.Forbidden("You are no member of any business.");
        return new MeResponse(
            new SessionUser(user.id, user.email, user.display_name),
            new SessionTenant(current.tenant_id, current.name, current.role, current.time_zone, current.currency, current.locale, current.week_start, current.is_demo),
            [.. tenants.Select(row => new SessionTenantEntry(row.tenant_id, row.name, row.role))]);
    }

    private void Expire(HttpRequest request) =>
        request.HttpContext.Response.Cookies.Append(Cookie, "", CookieOptions(request, DateTimeOffset.UnixEpoch));

    private CookieOptions CookieOptions(HttpRequest request, DateTimeOffset expires)
    {
        var sameSite = Enum.Parse<SameSiteMode>(_options.CurrentValue.CookieSameSite);
        // Behind the platform's proxy the request itself is plain HTTP; only a browser on this very machine may go without Secure.
        var isLocal = request.Host.Host is "localhost" or "127.0.0.1" && !request.IsHttps && !request.Headers.ContainsKey("X-Forwarded-Proto");
        var cookie = new CookieOptions { HttpOnly = true, Secure = !isLocal, SameSite = sameSite, Path = "/api/auth", Expires = expires, IsEssential = true };
        if (sameSite == SameSiteMode.None) cookie.Extensions.Add("Partitioned");
        return cookie;
    }

#pragma warning disable IDE1006 // Dapper maps these to the columns of the functions by name.
    private sealed record UserRow(Guid id, string email, string display_name, string? password_hash, bool disabled);

    private sealed record RefreshRow(string outcome, Guid? family_id, Guid? user_id, Guid? tenant);

    private sealed record MembershipRow(Guid tenant_id, string name, string role, string time_zone, string currency, string locale, short week_start, bool is_demo);
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

/// <summary>The person.</summary>
internal sealed record SessionUser(Guid Id, string Email, string DisplayName);

/// <summary>The tenant that the session acts in.</summary>
internal sealed record SessionTenant(
    Guid Id, string Name, [property: AllowedValues("owner", "admin", "member", "viewer")] string Role, string TimeZone, string Currency, string Locale, int WeekStart, bool IsDemo);

/// <summary>A tenant to switch to.</summary>
internal sealed record SessionTenantEntry(Guid Id, string Name, [property: AllowedValues("owner", "admin", "member", "viewer")] string Role);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(LoginRequest))]
[JsonSerializable(typeof(SwitchRequest))]
[JsonSerializable(typeof(SessionResponse))]
[JsonSerializable(typeof(MeResponse))]
internal sealed partial class SessionJson : JsonSerializerContext;
