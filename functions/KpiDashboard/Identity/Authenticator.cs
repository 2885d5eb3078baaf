using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Security;
using KpiDashboard.Webhooks;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Identity;

/// <summary>
/// Finds out who calls and whether he may. The token comes as <c>Authorization: Bearer …</c> or as <c>X-Kpi-Token: …</c> (Static Web Apps overwrites the
/// former); both mean the same. <c>kpi_…</c> is a token of a tenant, anything else an access token. Where a route allows it, a Standard Webhooks signature
/// by the token's signing secret stands in for the token, which is then named by its id. A person's session, role and membership are read anew
/// for each request: who is removed or signed out is out at once, not when a token runs out.
/// </summary>
public sealed class Authenticator
{
    /// <summary>Begins every API or webhook token.</summary>
    internal const string TokenPrefix = "kpi_";

    /// <summary>
    /// Says which business the sender means, by its id: the page sends it with every call. A session may be switched in another tab of the same browser, and what
    /// one page shows must never be written into what another one chose.
    /// </summary>
    internal const string BusinessHeader = "X-Kpi-Tenant";

    /// <summary>How long after a sign-in what is dangerous needs no new proof.</summary>
    internal static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(15);

    private readonly AccessTokens _accessTokens;
    private readonly Database _database;
    private readonly RateLimits _limits;
    private readonly SecretSealer _sealer;
    private readonly TimeProvider _time;

    internal Authenticator(AccessTokens accessTokens, Database database, RateLimits limits, SecretSealer sealer, TimeProvider time) =>
        (_accessTokens, _database, _limits, _sealer, _time) = (accessTokens, database, limits, sealer, time);

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
        await StateAsync(session, user, tenant, cancellationToken) is var (caller, state)
        && (!state.second_factor_required || state.factor_at is not null) && Permissions.RoleMay(caller.Role, permission)
        && (state.delete_after is null || Permissions.WhileDeleting(permission))
            ? caller
            : null;

    private async Task<Caller> PersonAsync(HttpContext context, string token, RequiresAttribute required, CancellationToken cancellationToken)
    {
        if (await StateAsync(token, cancellationToken) is not var (caller, state)) throw NotValid();
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
        var named = request.Headers[BusinessHeader];
        if (named.Count == 0)
        {
            var reads = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
            if (isSession && !reads && !required.Person) throw ApiProblem.BusinessNotNamed();
            return;
        }

        if (named is not [{ } text] || !Guid.TryParseExact(text.Trim(), "D", out var shown))
            throw ApiProblem.Invalid(BusinessHeader, $"'{BusinessHeader}' must be the id of one business.");
        if (shown != tenant) throw ApiProblem.OtherBusiness(business);
    }

    private async Task<(Caller Caller, SessionState State)?> StateAsync(string token, CancellationToken cancellationToken)
    {
        return await _accessTokens.ReadAsync(token) is { } identity ? await StateAsync(identity.SessionId, identity.UserId, identity.TenantId, cancellationToken) : null;
    }

    private async Task<(Caller Caller, SessionState State)?> StateAsync(Guid session, Guid user, Guid tenant, CancellationToken cancellationToken)
    {
        var found = await _database.QueryAsync<SessionState>(
            "select * from admit_session(@SessionId, @UserId, @TenantId, @now)",
            new { SessionId = session, UserId = user, TenantId = tenant, now = _time.GetUtcNow() }, cancellationToken);
        return found is [var state]
            ? (new Caller(tenant, user, session, null, state.role, state.email, state.email_verified), state)
            : null;
    }

    private async Task<Caller> MachineAsync(HttpContext context, string token, RequiresAttribute required, CancellationToken cancellationToken)
    {
        var found = await _database.QueryAsync<(Guid TenantId, Guid Id, string Name, string[] Scopes, bool Usable, DateTimeOffset? DeleteAfter)>(
            "select tenant_id, id, name, scopes, usable, delete_after from admit_api_token(@hash, @now)", new { hash = TokenHash.Of(token), now = _time.GetUtcNow() }, cancellationToken);
        if (found is not [{ Usable: true } state]) throw NotValid();
        await _limits.TakeAsync(Bucket.Token, state.Id.ToString("N"), cancellationToken);
        ThrowIfOtherBusiness(context.Request, required, state.TenantId, "the business that the token belongs to", isSession: false);
        if (required.Fresh || !Permissions.ScopesMay(state.Scopes, required.Permission)) throw ApiProblem.Forbidden("The token's scopes do not allow this.");
        ThrowIfDeleting(required, state.DeleteAfter);
        return new Caller(state.TenantId, null, null, state.Id, "machine", state.Name);
    }

    private async Task<Caller> SignedAsync(HttpContext context, RequiresAttribute required, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var message = StandardWebhooks.Read(context.Request, now);
        var found = await _database.QueryAsync<(Guid TenantId, Guid Id, string Name, string[] Scopes, bool Usable, DateTimeOffset? DeleteAfter, byte[] Secret)>(
            "select tenant_id, id, name, scopes, usable, delete_after, signing_secret from find_signing_token(@id, @now)", new { id = message.TokenId, now }, cancellationToken);
        var body = await JsonBody.ReadBytesAsync(context.Request, required.Body > 0 ? required.Body : JsonBody.DefaultLimit, cancellationToken);
        // An unknown token costs the same work and gets the same answer as a wrong signature.
        var secret = found is [{ Usable: true, Secret.Length: > 0 } usable] ? _sealer.Open(usable.Secret, TokenEndpoints.SigningPurpose(usable.Id)) : null;
        if (!message.IsSignedBy(secret ?? StandardWebhooks.NobodysSecret, body) || secret is null)
            throw ApiProblem.Unauthorized("The signature does not fit. Sign '<webhook-id>.<webhook-timestamp>.<body>' with the token's signing secret, and name the token by '?token=<its id>' or 'X-Kpi-Token-Id'.");

        var state = found[0];
        await _limits.TakeAsync(Bucket.Token, state.Id.ToString("N"), cancellationToken);
        ThrowIfOtherBusiness(context.Request, required, state.TenantId, "the business that the token belongs to", isSession: false);
        if (required.Fresh || !Permissions.ScopesMay(state.Scopes, required.Permission)) throw ApiProblem.Forbidden("The token's scopes do not allow this.");
        ThrowIfDeleting(required, state.DeleteAfter);
        await _database.InTenantAsync(state.TenantId, tx => tx.ExecuteAsync(
            "update api_tokens set last_used_at = @now where tenant_id = @tenant and id = @id and (last_used_at is null or last_used_at < @minute)",
            new { id = state.Id, now, minute = now.AddMinutes(-1) }), cancellationToken);
        context.Request.Body = new MemoryStream(body, writable: false);
        context.Features.Set(message);
        return new Caller(state.TenantId, null, null, state.Id, "machine", state.Name);
    }

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
        bool second_factor_required, DateTimeOffset? delete_after);
#pragma warning restore IDE1006
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
