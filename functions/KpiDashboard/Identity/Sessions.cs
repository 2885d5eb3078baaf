using System.Globalization;
using KpiDashboard.Access;
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
        if (account is not { disabled: false, totp_enabled_at: not null }) return await OpenAsync(request, user, tenant, method, null, cancellationToken);
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
    /// <param name="factor">What it gave of a second factor: <c>otp</c>, <c>recovery</c>, or null for nothing. The session records it.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="ApiProblem">401: the account is gone or deactivated; 403: it belongs to no business.</exception>
    public async Task<SessionResponse> OpenAsync(HttpRequest request, Guid user, Guid? tenant, string method, string? factor, CancellationToken cancellationToken)
    {
        var described = await DescribeAsync(user, tenant, factor is not null, strict: false, cancellationToken);
        RememberBrowser(request, user);
        var now = time.GetUtcNow();
        var session = Guid.CreateVersion7(now);
        var expires = now + (Longest < RefreshLifetime ? Longest : RefreshLifetime);
        await database.ExecuteAsync(
            "select open_session(@session, @user, @method, @factor, @now, @expires, @from, @agent)",
            new { session, user, method, factor, now, expires, from = address.Of(request), agent = AuditLog.UserAgent(request) }, cancellationToken);
        var entry = new AuditEvent(AuditActions.SignedIn, After: new() { ["method"] = method });
        await database.InTenantAsync(
            described.Tenant.Id,
            tx => described is { User.EmailVerified: false, Tenant.Role: not "owner" }
                ? audit.WriteUnconfirmedAsync(tx, request, user, entry)
                : audit.WriteAsync(tx, request, user, described.User.Email, entry),
            cancellationToken);
        return await ContinueAsync(request, described, session, withRefresh: true, move: true, cancellationToken);
    }

    /// <summary>
    /// <c>POST auth/refresh</c>: uses the refresh token of the request's cookie up, for which there are fresh tokens of the same session.
    /// </summary>
    /// <exception cref="ApiProblem">401: nobody is signed in here (any more).</exception>
    public async Task<SessionResponse> RefreshAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var used = await TakeAsync(request, null, cancellationToken) ?? throw ApiProblem.Unauthorized("Nobody is signed in here.");
        if (used is not { outcome: "ok", user_id: { } user, family_id: { } session })
        {
            Expire(request);
            if (used is { outcome: "reused", user_id: { } victim })
                await audit.WriteForPersonAsync(request, victim, AuditActions.TokenReused, null, null, cancellationToken);
            throw ApiProblem.Unauthorized(used.outcome switch
            {
                "reused" => "This sign-in was used twice, so it was ended everywhere to be safe. Sign in again.",
                "old" => $"You signed in here {Longest.Days} days ago, which is as long as a sign-in lasts. Sign in again.",
                _ => "The sign-in has ended. Sign in again.",
            });
        }

        var described = await DescribeAsync(user, used.tenant, await ProvedFactorAsync(session, user, cancellationToken), strict: false, cancellationToken);
        return await ContinueAsync(request, described, session, withRefresh: true, move: false, cancellationToken);
    }

    /// <summary>
    /// Takes the caller's session to another business of the same person. Its refresh token, if the cookie came along and is of this session, is used up for the
    /// next one; without it none is made: an access token alone never becomes a sign-in of weeks. What browsers hold of the session goes on in that business too.
    /// </summary>
    /// <exception cref="ApiProblem">404: the person is no member there; 401: the session has ended.</exception>
    public async Task<SessionResponse> MoveAsync(HttpRequest request, Guid user, Guid tenant, Guid session, CancellationToken cancellationToken)
    {
        var described = await DescribeAsync(user, tenant, await ProvedFactorAsync(session, user, cancellationToken), strict: true, cancellationToken);
        var used = await TakeAsync(request, session, cancellationToken);
        if (used is { outcome: "reused" }) await audit.WriteForPersonAsync(request, user, AuditActions.TokenReused, null, null, cancellationToken);
        return await ContinueAsync(request, described, session, withRefresh: used is { outcome: "ok" }, move: true, cancellationToken);
    }

    /// <summary>Whether a session gave a code of the second factor that the account has now.</summary>
    public async Task<bool> ProvedFactorAsync(Guid session, Guid user, CancellationToken cancellationToken) =>
        (await database.QueryAsync<DateTimeOffset?>("select factor_proved_at(@session, @user)", new { session, user }, cancellationToken)) is [not null];

    /// <summary>The answer that hands a session to the page.</summary>
    public static IResult Answer(HttpRequest request, SessionResponse session, int status = StatusCodes.Status200OK)
    {
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<SessionResponse>(session, SessionJson.Default.SessionResponse, status);
    }

    /// <summary>Who a person is, and where.</summary>
    /// <exception cref="ApiProblem">401: gone or deactivated; 403: no business; 404: <paramref name="strict"/> and no member there.</exception>
    public async Task<MeResponse> DescribeAsync(Guid userId, Guid? tenantId, bool provedFactor, bool strict, CancellationToken cancellationToken)
    {
        var user = (await database.QueryAsync<UserRow>("select * from describe_user(@userId)", new { userId }, cancellationToken)).SingleOrDefault();
        if (user is null || user.disabled) throw ApiProblem.Unauthorized("This account no longer exists or is deactivated.");
        var tenants = await database.QueryAsync<MembershipRow>("select * from list_tenants_of(@userId)", new { userId }, cancellationToken);
        var current = tenants.FirstOrDefault(row => row.tenant_id == tenantId);
        if (current is null && strict) throw ApiProblem.NotFound("You are no member of that business.");
        current ??= tenants.Count > 0 ? tenants[0] : throw ApiProblem.Forbidden("You are no member of any business. Ask for an invitation.");
        return new MeResponse(
            new SessionUser(user.id, user.email, user.display_name, user.email_verified, user.has_password, user.second_factor, user.second_factor && provedFactor),
            new SessionTenant(
                current.tenant_id, current.name, current.role, TimeZoneNames.Of(current.time_zone).Id, current.currency, current.locale, current.week_start, current.is_demo,
                [.. Permissions.Of(current.role).Select(Permissions.Word)], current.require_second_factor && !(user.second_factor && provedFactor), current.delete_after),
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

    /// <summary>How long a sign-in lasts at most, however much it is used.</summary>
    private TimeSpan Longest => TimeSpan.FromDays(options.CurrentValue.SessionMaxDays);

    private async Task<RefreshRow?> TakeAsync(HttpRequest request, Guid? session, CancellationToken cancellationToken) =>
        request.Cookies[Cookie] is { Length: > 0 and <= 200 } token
            ? (await database.QueryAsync<RefreshRow>(
                "select * from take_refresh_token(@hash, @session, @now, @grace, @longest)",
                new { hash = TokenHash.Of(token), session, now = time.GetUtcNow(), grace = SessionEndpoints.ReuseGrace, longest = Longest }, cancellationToken)).Single()
            : null;

    private async Task<SessionResponse> ContinueAsync(
        HttpRequest request, MeResponse described, Guid session, bool withRefresh, bool move, CancellationToken cancellationToken)
    {
        var refresh = withRefresh ? TokenHash.Fresh("") : null;
        var now = time.GetUtcNow();
        var ends = (await database.QueryAsync<DateTimeOffset?>(
            "select continue_session(@session, @user, @hash, @tenant, @move, @now, @idle, @longest, @from, @agent)",
            new
            {
                session,
                user = described.User.Id,
                hash = refresh is null ? null : TokenHash.Of(refresh),
                tenant = described.Tenant.Id,
                move,
                now,
                idle = RefreshLifetime,
                longest = Longest,
                from = address.Of(request),
                agent = AuditLog.UserAgent(request),
            }, cancellationToken)).Single();
        if (ends is not { } until)
        {
            // Signed out, here or everywhere, at this very moment.
            Expire(request);
            throw ApiProblem.Unauthorized("The sign-in has ended. Sign in again.");
        }

        if (refresh is not null) request.HttpContext.Response.Cookies.Append(Cookie, refresh, CookieOptions(request, until));
        return new SessionResponse(
            tokens.Issue(described.User.Id, described.Tenant.Id, session), (int)AccessTokens.Lifetime.TotalSeconds, described.User, described.Tenant, described.Tenants);
    }

#pragma warning disable IDE1006 // Dapper maps these to the columns of the functions by name.
    private sealed record RefreshRow(string outcome, Guid? family_id, Guid? user_id, Guid? tenant);

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
