using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Security;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Identity;

/// <summary>API and webhook tokens of a tenant: shown once, kept as a hash.</summary>
public sealed class TokenEndpoints
{
    private readonly Database _database;
    private readonly SecretSealer _sealer;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal TokenEndpoints(Database database, SecretSealer sealer, AuditLog audit, TimeProvider time) =>
        (_database, _sealer, _audit, _time) = (database, sealer, audit, time);

    /// <summary>What a signing secret is sealed for.</summary>
    internal static string SigningPurpose(Guid token) => $"token:{token:D}";

    /// <summary>
    /// <c>GET tokens</c>: without the tokens themselves, which nobody has. A token is the business's: it stays when whoever made it is removed, and the list
    /// (like the audit log) goes on to say who that was. One that ran out stays too, as expired, until somebody revokes it.
    /// </summary>
    public async Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var rows = await _database.InTenantAsync(request.Caller().TenantId, tx => tx.QueryAsync<TokenRow>(
            """
            select t.id, t.name, array_to_string(t.scopes, ' ') as Scopes, t.created_at as CreatedAt, t.expires_at as ExpiresAt, t.last_used_at as LastUsedAt,
                   m.display_name as CreatedBy, case when t.expires_at <= @now then 'expired' else 'active' end as State,
                   array_to_string(t.allowed_networks, ' ') as Networks
            from api_tokens t
            left join list_token_makers() m on m.token_id = t.id
            where t.tenant_id = @tenant and t.revoked_at is null
            order by t.created_at desc
            limit 200
            """,
            new { now = _time.GetUtcNow() }), cancellationToken);
        return TenantReads.Answer(request, new TokensResponse([.. rows.Select(row => new TokenEntry(
            row.Id, row.Name, row.Scopes.Split(' '), row.CreatedAt, row.ExpiresAt, row.LastUsedAt, row.CreatedBy, row.State,
            Networks(row.Networks)))]), TokenJson.Default.TokensResponse);
    }

    /// <summary><c>POST tokens</c>.</summary>
    public async Task<IResult> CreateAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, TokenJson.Default.CreateTokenRequest, cancellationToken))!;
        var now = _time.GetUtcNow();
        var errors = new Dictionary<string, string[]>();
        var name = body.Name.Trim();
        if (PlainText.Fault("name", name, 100) is { } fault) errors["name"] = [fault];
        if (body.Scopes.Count == 0 || body.Scopes.Any(scope => scope is null || !Permissions.Scopes.Contains(scope)))
            errors["scopes"] = [$"'scopes' must name at least one of {string.Join(", ", Permissions.Scopes)}."];
        if (body.ExpiresAt <= now) errors["expiresAt"] = ["'expiresAt' must be in the future."];
        else if (body.ExpiresAt > now.AddYears(10)) errors["expiresAt"] = ["'expiresAt' must lie within the next 10 years; leave it out for a token that does not expire."];
        var (networks, wrong) = AddressList.Read(body.AllowedAddresses ?? [], "allowedAddresses");
        if (wrong is not null) errors["allowedAddresses"] = [wrong];
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);

        var (id, token, secret) = (Guid.CreateVersion7(now), TokenHash.Fresh(Authenticator.TokenPrefix), StandardWebhooks.FreshSecret());
        await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var count = await tx.QuerySingleAsync<int>("select count(*)::int from api_tokens where tenant_id = @tenant and revoked_at is null");
            if (count >= 200) throw ApiProblem.Conflict("There are 200 tokens already; revoke one first.");
            await tx.ExecuteAsync(
                """
                insert into api_tokens (tenant_id, id, name, token_hash, signing_secret, scopes, created_by, created_at, expires_at, allowed_networks)
                values (@tenant, @id, @name, @hash, @sealedSecret, @scopes, @user, @now, @expires, @networks::cidr[])
                """,
                new
                {
                    id,
                    name = body.Name.Trim(),
                    hash = TokenHash.Of(token),
                    sealedSecret = _sealer.Seal(secret, SigningPurpose(id)),
                    scopes = body.Scopes.Distinct(StringComparer.Ordinal).ToArray(),
                    user = caller.UserId,
                    now,
                    expires = body.ExpiresAt,
                    networks = networks.ToArray(),
                });
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.TokenCreated, "token", id.ToString(), body.Name.Trim(), After: new JsonObject
            {
                ["scopes"] = string.Join(' ', body.Scopes.Distinct(StringComparer.Ordinal)),
                ["expiresAt"] = body.ExpiresAt?.ToString("O", CultureInfo.InvariantCulture),
                ["allowedAddresses"] = networks.Count > 0 ? string.Join(' ', networks) : null,
            }));
            await Tenancy.TenantProfile.BumpVersionAsync(tx);
        }, cancellationToken);
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<CreateTokenResponse>(new CreateTokenResponse(id, token, secret), TokenJson.Default.CreateTokenResponse, StatusCodes.Status201Created);
    }

    /// <summary><c>PATCH tokens/{id}</c>: from where it may be used; from the next request on.</summary>
    public async Task<IResult> UpdateAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, TokenJson.Default.UpdateTokenRequest, cancellationToken))!;
        var (networks, wrong) = AddressList.Read(body.AllowedAddresses, "allowedAddresses");
        if (wrong is not null) throw ApiProblem.Invalid("allowedAddresses", wrong);
        _ = Guid.TryParseExact(id, "D", out var token);
        await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var before = await tx.QuerySingleOrDefaultAsync<NetworksRow>(
                "select name, array_to_string(allowed_networks, ' ') as Networks from api_tokens where tenant_id = @tenant and id = @token and revoked_at is null for update",
                new { token }) ?? throw ApiProblem.NotFound("There is no such token.");
            await tx.ExecuteAsync(
                "update api_tokens set allowed_networks = @networks::cidr[] where tenant_id = @tenant and id = @token", new { token, networks = networks.ToArray() });
            var after = string.Join(' ', networks);
            if (after == before.Networks) return;
            await _audit.WriteAsync(tx, request, new AuditEvent(
                AuditActions.TokenChanged, "token", token.ToString(), before.Name,
                new JsonObject { ["allowedAddresses"] = before.Networks.Length > 0 ? before.Networks : null },
                new JsonObject { ["allowedAddresses"] = after.Length > 0 ? after : null }));
            await Tenancy.TenantProfile.BumpVersionAsync(tx);
        }, cancellationToken);
        return new JsonAnswer<UpdateTokenResponse>(new UpdateTokenResponse(token, networks), TokenJson.Default.UpdateTokenResponse);
    }

    private static string[] Networks(string stored) => stored.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary><c>DELETE tokens/{id}</c>: it is refused from now on.</summary>
    public async Task<IResult> RevokeAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var revoked = Guid.TryParseExact(id, "D", out var token) && await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var name = await tx.QuerySingleOrDefaultAsync<string>(
                "update api_tokens set revoked_at = @now where tenant_id = @tenant and id = @token and revoked_at is null returning name", new { token, now = _time.GetUtcNow() });
            if (name is null) return false;
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.TokenRevoked, "token", token.ToString(), name));
            await Tenancy.TenantProfile.BumpVersionAsync(tx);
            return true;
        }, cancellationToken);
        return revoked ? TypedResults.NoContent() : throw ApiProblem.NotFound("There is no such token.");
    }

    // Dapper knows no record with an array in its constructor; a scope has no blank in it.
    private sealed record TokenRow(
        Guid Id, string Name, string Scopes, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt, string? CreatedBy, string State, string Networks);

    private sealed record NetworksRow(string Name, string Networks);
}

/// <summary>
/// Make a token. <c>allowedAddresses</c>: from where it may be used, addresses and networks such as <c>203.0.113.0/24</c>; from anywhere
/// where that is left out or empty.
/// </summary>
internal sealed record CreateTokenRequest(
    string Name, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt = null, IReadOnlyList<string>? AllowedAddresses = null);

/// <summary>Change from where a token may be used; empty: from anywhere.</summary>
internal sealed record UpdateTokenRequest(IReadOnlyList<string> AllowedAddresses);

/// <summary>From where a token may be used now, as networks.</summary>
internal sealed record UpdateTokenResponse(Guid Id, IReadOnlyList<string> AllowedAddresses);

/// <summary>A fresh token and its signing secret; neither is ever shown again.</summary>
internal sealed record CreateTokenResponse(Guid Id, string Token, string SigningSecret);

/// <summary>The tenant's tokens.</summary>
internal sealed record TokensResponse(IReadOnlyList<TokenEntry> Tokens);

/// <summary>
/// A token in the list. <c>createdBy</c>: name of whoever made it, a member or not any more; null when that account was erased.
/// <c>allowedAddresses</c>: the networks that it may be used from; empty for anywhere.
/// </summary>
internal sealed record TokenEntry(
    Guid Id, string Name, string[] Scopes, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt, string? CreatedBy,
    [property: AllowedValues("active", "expired")] string State, string[] AllowedAddresses);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(CreateTokenRequest))]
[JsonSerializable(typeof(CreateTokenResponse))]
[JsonSerializable(typeof(UpdateTokenRequest))]
[JsonSerializable(typeof(UpdateTokenResponse))]
[JsonSerializable(typeof(TokensResponse))]
internal sealed partial class TokenJson : JsonSerializerContext;
