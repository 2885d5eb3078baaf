using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Memory;

namespace KpiDashboard.Identity;

/// <summary>
/// Finds out who calls and whether he may. The token comes as <c>Authorization: Bearer …</c> or as <c>X-Kpi-Token: …</c> (Static Web Apps overwrites the
/// former); both mean the same. <c>kpi_…</c> is a token of a tenant, anything else an access token. Where a route allows it, a Standard Webhooks signature
/// by the token's signing secret stands in for the token, which is then named by its id. A person's session, role and membership are read anew
/// for each request: who is removed or signed out is out at once, not when a token runs out.
/// </summary>
public sealed class Authenticator : IDisposable
{
    /// <summary>Begins every API or webhook token.</summary>
    internal const string TokenPrefix = "kpi_";

    private readonly AccessTokens _accessTokens;
    private readonly Database _database;
    private readonly RateLimits _limits;
    private readonly SecretSealer _sealer;
    private readonly ClientAddress _address;
    private readonly ITokenRefusals _refusals;
    private readonly TenantOpenings _openings;
    private readonly TimeProvider _time;

    // Of tokens by their hash: whose they are, which never changes. Whether they are good is asked each time.
    private readonly MemoryCache _seen = new(new MemoryCacheOptions { SizeLimit = 10_000 });

    internal Authenticator(
        AccessTokens accessTokens, Database database, RateLimits limits, SecretSealer sealer, ClientAddress address, ITokenRefusals refusals,
        TenantOpenings openings, TimeProvider time) =>
        (_accessTokens, _database, _limits, _sealer, _address, _refusals, _openings, _time)
            = (accessTokens, database, limits, sealer, address, refusals, openings, time);

    /// <inheritdoc />
    public void Dispose() => _seen.Dispose();

    /// <summary>Admits the request, leaving its <c>Caller</c> among the request's features, or raises 401, 403 or 429.</summary>
    public async Task AdmitAsync(HttpContext context, RequiresAttribute required, CancellationToken cancellationToken)
    {
        var permission = required.Permission;
        if (permission is Permission.Anonymous) return;
        // Opened by the host's function key alone, and then this is not called.
        if (permission is Permission.Operate) throw ApiProblem.Forbidden("Nobody may call this.");
        var token = Token(context.Request);
        if (token is null && required.Signature && StandardWebhooks.IsSigned(context.Request))
        {
            context.Features.Set(await SignedAsync(context, required, cancellationToken));
            return;
        }

        if (token is not { Length: > 0 and <= 4096 })
            throw ApiProblem.Unauthorized("Send a token in 'Authorization: Bearer …' or 'X-Kpi-Token'.");
        context.Features.Set(token.StartsWith(TokenPrefix, StringComparison.Ordinal)
            ? await MachineAsync(context, token, required, cancellationToken)
            : await PersonAsync(context, token, required, cancellationToken));
    }

    /// <summary>Who calls a route that anybody may call, if a valid access token of a person came along; else null.</summary>
    internal async Task<Caller?> FindPersonAsync(HttpRequest request, CancellationToken cancellationToken) =>
        Token(request) is { Length: > 0 and <= 4096 } token && !token.StartsWith(TokenPrefix, StringComparison.Ordinal)
            ? (await StateAsync(token, cancellationToken))?.Caller
            : null;

    /// <summary>Who began something a while ago that ends in a request without a token, if that session may still do it; else null.</summary>
    internal async Task<Caller?> FindStillAllowedAsync(Guid session, Guid user, Guid tenant, Permission permission, CancellationToken cancellationToken) =>
        await StateAsync(session, user, tenant, opens: false, cancellationToken) is var (caller, state, _)
        && (!state.second_factor_required || state.factor_at is not null) && Permissions.RoleMay(caller.Role, permission)
        && (state.delete_after is null || Permissions.WhileDeleting(permission))
            ? caller
            : null;

    private async Task<Caller> PersonAsync(HttpContext context, string token, RequiresAttribute required, CancellationToken cancellationToken)
    {
        if (await _accessTokens.ReadAsync(token) is not { } identity
            || await StateAsync(identity.SessionId, identity.UserId, identity.TenantId, required.Reads(context.Request.Method), cancellationToken)
                is not var (caller, state, opening)) throw NotValid();
        if (opening is not null) context.Features.Set(opening);
        ThrowIfOtherBusiness(context.Request, required, caller.TenantId, state.business, isSession: true);
        if (state.second_factor_required && state.factor_at is null && required.Permission != Permission.SignedIn) throw ApiProblem.SecondFactorRequired(state.second_factor);
        if (!Permissions.RoleMay(caller.Role, required.Permission)) throw ApiProblem.Forbidden($"The role {caller.Role} may not do this.");
        ThrowIfDeleting(required, state.delete_after);
        var admission = new Admission(required, _time.GetUtcNow(), state.authenticated_at, state.second_factor, state.factor_at);
        admission.Demand(required.Power);
        context.Features.Set(admission);
        return caller;
    }

    /// <summary>
    /// The one place where it is seen to that a page's call lands in the business that the page shows. A header that names another business is refused on every
    /// route, reads too; a session that would change something must name one, unless the route is about the person. A token belongs to one business and need not.
    /// </summary>
    private static void ThrowIfOtherBusiness(HttpRequest request, RequiresAttribute required, Guid tenant, string business, bool isSession)
    {
        if (required.AnyBusiness) return;
        var named = request.Headers[ApiProblem.BusinessHeader];
        if (named.Count == 0)
        {
            var reads = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
            if (isSession && !reads && !required.Person) throw ApiProblem.BusinessNotNamed();
            return;
        }

        if (named is not [{ } text] || !Guid.TryParseExact(text.Trim(), "D", out var shown))
            throw ApiProblem.Invalid(ApiProblem.BusinessHeader, $"'{ApiProblem.BusinessHeader}' must be the id of one business.");
        if (shown != tenant) throw ApiProblem.OtherBusiness(business);
    }

    private async Task<(Caller Caller, SessionState State, TenantOpening? Opening)?> StateAsync(string token, CancellationToken cancellationToken) =>
        await _accessTokens.ReadAsync(token) is { } identity
            ? await StateAsync(identity.SessionId, identity.UserId, identity.TenantId, opens: false, cancellationToken) : null;

    /// <summary>
    /// One round trip: whether the session is one, and in the same one, where <paramref name="opens"/>, what a read of the tenant begins with.
    /// The tenant is set by the row that lets the session in, so that without it row-level security shows nothing of the tenant.
    /// </summary>
    private async Task<(Caller Caller, SessionState State, TenantOpening? Opening)?> StateAsync(
        Guid session, Guid user, Guid tenant, bool opens, CancellationToken cancellationToken)
    {
        var batch = new SqlBatch();
        var admitted = batch.Add(
            "select a.*, set_config('app.tenant_id', @text, true) = @text as opened from admit_session(@session, @user, @asked, @now) a",
            new { session, user, asked = tenant, now = _time.GetUtcNow(), text = tenant.ToString() }, SqlBatch.RowsAsync<SessionState>);
        var opening = opens ? _openings.JoinAsync(batch, tenant) : Task.FromResult<TenantOpening?>(null);
        await _database.RunAsync(batch, cancellationToken);
        return await admitted is [var state]
            ? (new Caller(tenant, user, session, null, state.role, state.email, state.email_verified), state, await opening)
            : null;
    }

    /// <summary>
    /// One round trip for a token that this instance has seen before: whose it is does not change, so that its limit and its business can be
    /// asked about together with whether it is still good.
    /// </summary>
    private async Task<Caller> MachineAsync(HttpContext context, string token, RequiresAttribute required, CancellationToken cancellationToken)
    {
        var hash = TokenHash.Of(token);
        var known = _seen.TryGetValue(Convert.ToHexString(hash), out (Guid Tenant, Guid Token) seen);
        var batch = new SqlBatch();
        var admitted = batch.Add(
            """
            select a.tenant_id, a.id, a.name, array_to_string(a.scopes, ' ') as scopes, a.usable, a.delete_after, a.admitted,
                   set_config('app.tenant_id', a.tenant_id::text, true) = a.tenant_id::text as opened
            from admit_token(@hash, @now, @address::inet) a
            """,
            new { hash, now = _time.GetUtcNow(), address = _address.NetworkText(context.Request) }, SqlBatch.RowsAsync<TokenState>);
        var waiting = known ? _limits.TryTakeAsync(batch, Bucket.Token, seen.Token.ToString("N")) : null;
        var opening = known && required.Reads(context.Request.Method) ? _openings.JoinAsync(batch, seen.Tenant) : null;
        await _database.RunAsync(batch, cancellationToken);
        if (await admitted is not [var state]) throw NotValid();
        if (!known) _seen.Set(Convert.ToHexString(hash), (state.tenant_id, state.id), new MemoryCacheEntryOptions { Size = 1, SlidingExpiration = TimeSpan.FromHours(1) });
        var caller = await AdmitAsync(context, state, required, NotValid, waiting is null ? null : await waiting, cancellationToken);
        if (opening is not null && await opening is { } opened && opened.Profile.Id == caller.TenantId) context.Features.Set(opened);
        return caller;
    }

    private async Task<Caller> SignedAsync(HttpContext context, RequiresAttribute required, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var message = StandardWebhooks.Read(context.Request, now);
        var found = await _database.QueryAsync<SignerState>(
            """
            select tenant_id, id, name, array_to_string(scopes, ' ') as scopes, usable, delete_after, signing_secret, admitted
            from find_signer(@id, @now, @address::inet)
            """,
            new { id = message.TokenId, now, address = _address.NetworkText(context.Request) }, cancellationToken);
        var body = await JsonBody.ReadBytesAsync(context.Request, required.Body > 0 ? required.Body : JsonBody.DefaultLimit, cancellationToken);
        // An unknown token costs the same work and gets the same answer as a wrong signature.
        var secret = found is [{ signing_secret.Length: > 0 } usable] ? _sealer.Open(usable.signing_secret, TokenEndpoints.SigningPurpose(usable.id)) : null;
        if (!message.IsSignedBy(secret ?? StandardWebhooks.NobodysSecret, body) || secret is null || found is not [var state]) throw WrongSignature();

        // Nobody is told by the answer whether the secret is that of a token that was good once.
        var caller = await AdmitAsync(context, state.Token, required, WrongSignature, null, cancellationToken);
        await _database.InTenantAsync(state.tenant_id, tx => tx.ExecuteAsync(
            "update api_tokens set last_used_at = @now where tenant_id = @tenant and id = @id and (last_used_at is null or last_used_at < @minute)",
            new { state.id, now, minute = now.AddMinutes(-1) }), cancellationToken);
        context.Request.Body = new MemoryStream(body, writable: false);
        context.Features.Set(message);
        return caller;
    }

    /// <summary>
    /// Admits whoever holds a token, or its signing secret. What is refused here is told to the business: its machine was meant, and nobody
    /// reads what a machine is answered.
    /// </summary>
    private async Task<Caller> AdmitAsync(
        HttpContext context, TokenState token, RequiresAttribute required, Func<ApiProblem> notUsable, TimeSpan? wait, CancellationToken cancellationToken)
    {
        RateLimits.ThrowIfWaiting(wait ?? await _limits.TryTakeAsync(Bucket.Token, token.id.ToString("N"), cancellationToken));
        try
        {
            if (!token.usable) throw notUsable();
            if (!token.admitted)
            {
                throw ApiProblem.Forbidden(_address.NetworkText(context.Request) is { } from
                    ? $"The token may not be used from {from}. An owner or admin can change from where it may be."
                    : "The token may only be used from certain addresses, and the one of this request is not known. "
                        + "Call the API under its own address, not the page's.");
            }

            ThrowIfOtherBusiness(context.Request, required, token.tenant_id, "the business that the token belongs to", isSession: false);
            if (required.Fresh || !Permissions.ScopesMay(token.scopes.Split(' '), required.Permission))
                throw ApiProblem.Forbidden("The token's scopes do not allow this.");
            ThrowIfDeleting(required, token.delete_after);
        }
        catch (ApiProblem problem) when (required.Permission is Permission.PushExecutions)
        {
            var reason = token.usable ? problem.Message : "The token was revoked or has expired.";
            await _refusals.NoteAsync(context.Request, token.tenant_id, token.id, token.name, reason, cancellationToken);
            throw;
        }

        return new Caller(token.tenant_id, null, null, token.id, "machine", token.name);
    }

    private static ApiProblem WrongSignature() => ApiProblem.Unauthorized(
        "The signature does not fit. Sign '<webhook-id>.<webhook-timestamp>.<body>' with the token's signing secret, and name the token by '?token=<its id>' or 'X-Kpi-Token-Id'.");

    private static ApiProblem NotValid() => ApiProblem.Unauthorized("The token is not valid or has expired. Sign in again, or make a new one.");

    private static void ThrowIfDeleting(RequiresAttribute required, DateTimeOffset? deleteAfter)
    {
        if (deleteAfter is { } at && !Permissions.WhileDeleting(required.Permission))
            throw ApiProblem.Conflict($"This business is to be deleted after {at:yyyy-MM-dd HH:mm} UTC and can only be read. An owner can undo that.");
    }

    private static string? Token(HttpRequest request)
    {
        if (request.Headers["X-Kpi-Token"].ToString() is { Length: > 0 } own) return own.Trim();
        var authorization = request.Headers.Authorization.ToString();
        return authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? authorization[7..].Trim() : null;
    }

#pragma warning disable IDE1006 // Dapper maps these to the columns of the functions by name.
    private sealed record SessionState(
        string email, string role, string business, DateTimeOffset authenticated_at, DateTimeOffset? factor_at, bool email_verified, bool second_factor,
        bool second_factor_required, DateTimeOffset? delete_after, bool opened);

    // Dapper knows no record with an array in its constructor; a scope has no blank in it.
    private sealed record TokenState(
        Guid tenant_id, Guid id, string name, string scopes, bool usable, DateTimeOffset? delete_after, bool admitted, bool opened);

    private sealed record SignerState(
        Guid tenant_id, Guid id, string name, string scopes, bool usable, DateTimeOffset? delete_after, byte[] signing_secret, bool admitted)
    {
        public TokenState Token => new(tenant_id, id, name, scopes, usable, delete_after, admitted, opened: false);
    }
#pragma warning restore IDE1006
}

/// <summary>
/// Is told of requests of a token, or signed with its secret, that were not let in. Who made them cannot be told apart from whoever stole
/// the token, so what is done with it must cost little.
/// </summary>
internal interface ITokenRefusals
{
    /// <summary>Notes one.</summary>
    Task NoteAsync(HttpRequest request, Guid tenant, Guid token, string name, string reason, CancellationToken cancellationToken);
}

/// <summary>Random secrets are kept as SHA-256: with 256 bits of entropy there is nothing to guess, so nothing slow is needed.</summary>
internal static class TokenHash
{
    /// <summary>The hash of a token.</summary>
    public static byte[] Of(string token) => System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(token));

    /// <summary>A fresh token of 256 bits.</summary>
    public static string Fresh(string prefix) =>
        prefix + Microsoft.AspNetCore.WebUtilities.WebEncoders.Base64UrlEncode(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
}
