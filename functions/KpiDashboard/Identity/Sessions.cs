using System.Globalization;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Tenancy;
using KpiDashboard.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Identity;

/// <summary>Opens, continues and describes sessions: an access token in the answer, a refresh token in a cookie.</summary>
internal sealed class Sessions(
    Database database, AccessTokens tokens, AuditLog audit, ClientAddress address, KnownBrowsers browsers, SecretSealer sealer, IOptionsMonitor<AuthOptions> options, TimeProvider time)
{
    /// <summary>Cookie with the refresh token; HttpOnly, on <c>/api/auth</c> only.</summary>
    public const string Cookie = "kpi_refresh";

    /// <summary>Cookie of a sign-in that waits for the code of the second factor.</summary>
    public const string ChallengeCookie = "kpi_challenge";

    /// <summary>How long a sign-in waits for its code.</summary>
    public static readonly TimeSpan ChallengeLifetime = TimeSpan.FromMinutes(5);

    private const string ChallengePurpose = "challenge";

    /// <summary>How long a browser stays signed in without being used.</summary>
    public static readonly TimeSpan RefreshLifetime = TimeSpan.FromDays(30);

    /// <summary>
    /// Goes on with a sign-in whose first factor was right: opens a session, or, where the account has a second factor, leaves a challenge cookie and returns
    /// null: the page then asks for the code (<c>POST auth/second-factor</c>).
    /// </summary>
    public async Task<SessionResponse?> BeginAsync(HttpRequest request, Guid user, Guid? tenant, string method, CancellationToken cancellationToken)
    {
        var account = await Account.FindAsync(database, user, cancellationToken);
        if (account is not { disabled: false, totp_enabled_at: not null }) return await OpenAsync(request, user, tenant, method, cancellationToken);
        var now = time.GetUtcNow();
        var token = await AccountTokens.AddAsync(database, "challenge", user, now, now + ChallengeLifetime, cancellationToken);
        var text = string.Join('\n', token, user.ToString("N"), tenant?.ToString("N"), method, now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        request.HttpContext.Response.Cookies.Append(
            ChallengeCookie, WebEncoders.Base64UrlEncode(sealer.Seal(text, ChallengePurpose)), ChallengeOptions(request, now + ChallengeLifetime));
        return null;
    }

    /// <summary>The sign-in that this browser has a code to enter for; null when there is none or it took too long.</summary>
    public Challenge? FindChallenge(HttpRequest request) =>
        SealedCookie.Read(request, ChallengeCookie, sealer, ChallengePurpose)?.Split('\n') is [var token, var user, var tenant, var method, var at]
        && DateTimeOffset.FromUnixTimeSeconds(long.Parse(at, CultureInfo.InvariantCulture)) + ChallengeLifetime > time.GetUtcNow()
            ? new Challenge(token, Guid.ParseExact(user, "N"), tenant.Length > 0 ? Guid.ParseExact(tenant, "N") : null, method)
            : null;

    /// <summary>Takes the cookie of a sign-in that waits for its code back.</summary>
    public void ExpireChallenge(HttpRequest request) =>
        request.HttpContext.Response.Cookies.Append(ChallengeCookie, "", ChallengeOptions(request, DateTimeOffset.UnixEpoch));

    /// <summary>Has wrong attempts of this browser to sign in to an account counted apart from those of strangers.</summary>
    public void RememberBrowser(HttpRequest request, Guid user) =>
        browsers.Remember(request, user, CookieOptions(request, time.GetUtcNow() + KnownBrowsers.Lifetime));

    /// <summary>Opens a session for a person who proved who it is, by all that its account and the tenant ask for.</summary>
    /// <param name="request">The request that it is opened for.</param>
    /// <param name="user">The person.</param>
    /// <param name="tenant">The tenant to open it in; null for the person's first.</param>
    /// <param name="method">How the person proved it: <c>password</c>, <c>reset</c>, <c>register</c>, <c>invitation</c>, <c>oidc:&lt;provider&gt;</c>.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="ApiProblem">401: the account is gone or deactivated; 403: it belongs to no business.</exception>
    public async Task<SessionResponse> OpenAsync(HttpRequest request, Guid user, Guid? tenant, string method, CancellationToken cancellationToken)
    {
        var described = await DescribeAsync(user, tenant, strict: false, cancellationToken);
        RememberBrowser(request, user);
        var now = time.GetUtcNow();
        var session = Guid.CreateVersion7(now);
        await database.ExecuteAsync(
            "select open_session(@session, @user, @method, @now, @expires, @from, @agent)",
            new { session, user, method, now, expires = now + RefreshLifetime, from = address.Of(request), agent = AuditLog.UserAgent(request) }, cancellationToken);
        await database.InTenantAsync(described.Tenant.Id, tx => audit.WriteAsync(
            tx, request, user, described.User.Email, new AuditEvent(AuditActions.SignedIn, After: new() { ["method"] = method })), cancellationToken);
        return await IssueAsync(request, described, session, cancellationToken);
    }

    /// <summary>Goes on with a session: fresh tokens for it, in the same or another tenant.</summary>
    /// <param name="request">The request.</param>
    /// <param name="user">The person.</param>
    /// <param name="tenant">The tenant.</param>
    /// <param name="session">The session.</param>
    /// <param name="strict">404 when the person is no member of the tenant; else its first tenant is taken instead.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task<SessionResponse> ContinueAsync(HttpRequest request, Guid user, Guid? tenant, Guid session, bool strict, CancellationToken cancellationToken)
    {
        var described = await DescribeAsync(user, tenant, strict, cancellationToken);
        var now = time.GetUtcNow();
        await database.ExecuteAsync(
            "select touch_session(@session, @now, @expires, @from, @agent)",
            new { session, now, expires = now + RefreshLifetime, from = address.Of(request), agent = AuditLog.UserAgent(request) }, cancellationToken);
        return await IssueAsync(request, described, session, cancellationToken);
    }

    /// <summary>The answer that hands a session to the page.</summary>
    public static IResult Answer(HttpRequest request, SessionResponse session, int status = StatusCodes.Status200OK)
    {
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<SessionResponse>(session, SessionJson.Default.SessionResponse, status);
    }

    /// <summary>Who a person is, and where.</summary>
    /// <exception cref="ApiProblem">401: gone or deactivated; 403: no business; 404: <paramref name="strict"/> and no member there.</exception>
    public async Task<MeResponse> DescribeAsync(Guid userId, Guid? tenantId, bool strict, CancellationToken cancellationToken)
    {
        var user = (await database.QueryAsync<UserRow>("select * from describe_user(@userId)", new { userId }, cancellationToken)).SingleOrDefault();
        if (user is null || user.disabled) throw ApiProblem.Unauthorized("This account no longer exists or is deactivated.");
        var tenants = await database.QueryAsync<MembershipRow>("select * from list_tenants_of(@userId)", new { userId }, cancellationToken);
        var current = tenants.FirstOrDefault(row => row.tenant_id == tenantId);
        if (current is null && strict) throw ApiProblem.NotFound("You are no member of that business.");
        current ??= tenants.Count > 0 ? tenants[0] : throw ApiProblem.Forbidden("You are no member of any business. Ask for an invitation.");
        return new MeResponse(
            new SessionUser(user.id, user.email, user.display_name, user.email_verified, user.has_password, user.second_factor),
            new SessionTenant(
                current.tenant_id, current.name, current.role, TimeZoneNames.Of(current.time_zone).Id, current.currency, current.locale, current.week_start, current.is_demo,
                [.. Permissions.Of(current.role).Select(Permissions.Word)], current.require_second_factor && !user.second_factor, current.delete_after),
            [.. tenants.Select(row => new SessionTenantEntry(row.tenant_id, row.name, row.role))]);
    }

    /// <summary>Takes the cookie back.</summary>
    public void Expire(HttpRequest request) =>
        request.HttpContext.Response.Cookies.Append(Cookie, "", CookieOptions(request, DateTimeOffset.UnixEpoch));

    /// <summary>How our cookies are set: HttpOnly, Secure, for <c>/api/auth</c> only.</summary>
    /// <param name="request">The request.</param>
    /// <param name="expires">When it ends.</param>
    /// <param name="sameSite">Less strict than the setting, where the browser comes back from another site; null for the setting.</param>
    public CookieOptions CookieOptions(HttpRequest request, DateTimeOffset expires, SameSiteMode? sameSite = null)
    {
        var mode = sameSite ?? Enum.Parse<SameSiteMode>(options.CurrentValue.CookieSameSite);
        // Behind the platform's proxy the request itself is plain HTTP; only a browser on this very machine may go without Secure.
        var isLocal = request.Host.Host is "localhost" or "127.0.0.1" && !request.IsHttps && !request.Headers.ContainsKey("X-Forwarded-Proto");
        var cookie = new CookieOptions { HttpOnly = true, Secure = !isLocal, SameSite = mode, Path = "/api/auth", Expires = expires, IsEssential = true };
        if (mode == SameSiteMode.None) cookie.Extensions.Add("Partitioned");
        return cookie;
    }

    // After the way back from a provider, which is another site, the browser holds Strict cookies back for one request.
    private CookieOptions ChallengeOptions(HttpRequest request, DateTimeOffset expires) =>
        CookieOptions(request, expires, options.CurrentValue.CookieSameSite == nameof(SameSiteMode.None) ? null : SameSiteMode.Lax);

    private async Task<SessionResponse> IssueAsync(HttpRequest request, MeResponse described, Guid session, CancellationToken cancellationToken)
    {
        var refresh = TokenHash.Fresh("");
        var now = time.GetUtcNow();
        await database.ExecuteAsync(
            "select issue_refresh_token(@hash, @session, @user, @tenant, @now, @expires)",
            new { hash = TokenHash.Of(refresh), session, user = described.User.Id, tenant = described.Tenant.Id, now, expires = now + RefreshLifetime }, cancellationToken);
        request.HttpContext.Response.Cookies.Append(Cookie, refresh, CookieOptions(request, now + RefreshLifetime));
        return new SessionResponse(
            tokens.Issue(described.User.Id, described.Tenant.Id, session), (int)AccessTokens.Lifetime.TotalSeconds, described.User, described.Tenant, described.Tenants);
    }

#pragma warning disable IDE1006 // Dapper maps these to the columns of the functions by name.
    private sealed record UserRow(Guid id, string email, string display_name, bool disabled, bool email_verified, bool has_password, bool second_factor);

    private sealed record MembershipRow(
        Guid tenant_id, string name, string role, string time_zone, string currency, string locale, short week_start, bool is_demo, bool require_second_factor,
        DateTimeOffset? delete_after);
#pragma warning restore IDE1006
}

/// <summary>A sign-in whose first factor was right.</summary>
/// <param name="Token">Names it, once.</param>
/// <param name="User">Who signs in.</param>
/// <param name="Tenant">Where; null for the person's first.</param>
/// <param name="Method">How the first factor was proved.</param>
internal sealed record Challenge(string Token, Guid User, Guid? Tenant, string Method);
