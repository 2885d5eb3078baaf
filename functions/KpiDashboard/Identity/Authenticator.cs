using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Identity;

/// <summary>
/// Finds out who calls and whether he may. The token comes as <c>Authorization: Bearer …</c> or as <c>X-Kpi-Token: …</c> (Static Web Apps overwrites the
/// former); both mean the same. <c>kpi_…</c> is a token of a tenant, anything else an access token.
/// </summary>
public sealed class Authenticator
{
    /// <summary>Begins every API or webhook token.</summary>
    internal const string TokenPrefix = "kpi_";

    private readonly AccessTokens _accessTokens;
    private readonly Database _database;
    private readonly TimeProvider _time;

    internal Authenticator(AccessTokens accessTokens, Database database, TimeProvider time) => (_accessTokens, _database, _time) = (accessTokens, database, time);

    /// <summary>Admits the request, leaving its <c>Caller</c> among the request's features, or raises 401 or 403.</summary>
    public async Task AdmitAsync(HttpContext context, Permission permission, CancellationToken cancellationToken)
    {
        if (permission == Permission.Anonymous) return;
        if (Token(context.Request) is not { Length: > 0 and <= 4096 } token)
            throw ApiProblem.Unauthorized("Send a token in 'Authorization: Bearer …' or 'X-Kpi-Token'.");

        var (caller, may) = token.StartsWith(TokenPrefix, StringComparison.Ordinal)
            ? await MachineAsync(token, permission, cancellationToken)
            : await PersonAsync(token, permission);
        if (caller is null) throw ApiProblem.Unauthorized("The token is not valid or has expired. Sign in again, or make a new one.");
        if (!may) throw ApiProblem.Forbidden(caller.UserId is null ? "The token's scopes do not allow this." : $"The role {caller.Role} may not do this.");
        context.Features.Set(caller);
    }

    private async Task<(Caller? Caller, bool May)> PersonAsync(string token, Permission permission)
    {
        var caller = await _accessTokens.ReadAsync(token);
        return (caller, caller is not null && Permissions.RoleMay(caller.Role, permission));
    }

    private async Task<(Caller? Caller, bool May)> MachineAsync(string token, Permission permission, CancellationToken cancellationToken)
    {
        var found = await _database.QueryAsync<(Guid TenantId, Guid Id, string[] Scopes, bool Usable)>(
            "select tenant_id, id, scopes, usable from find_api_token(@hash, @now)",
            new { hash = TokenHash.Of(token), now = _time.GetUtcNow() }, cancellationToken);
        return found is [{ Usable: true } row] ? (new Caller(row.TenantId, null, row.Id, "machine"), Permissions.ScopesMay(row.Scopes, permission)) : (null, false);
    }

    private static string? Token(HttpRequest request)
    {
        if (request.Headers["X-Kpi-Token"].ToString() is { Length: > 0 } own) return own.Trim();
        var authorization = request.Headers.Authorization.ToString();
        return authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? authorization[7..].Trim() : null;
    }
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
