using System.Security.Claims;
using KpiDashboard.Api;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace KpiDashboard.Identity;

/// <summary>Sign-in settings; section <c>Auth</c>.</summary>
internal sealed class AuthOptions
{
    /// <summary>Key id to a secret of at least 32 bytes in base64; access tokens are HMAC-SHA256. Old keys stay for as long as tokens live.</summary>
    public Dictionary<string, string> SigningKeys { get; set; } = [];

    /// <summary>Id of the key that new tokens are signed with.</summary>
    public string CurrentKey { get; set; } = "";

    /// <summary><c>Lax</c>, <c>Strict</c> or <c>None</c> (separate origins, then partitioned) for the refresh cookie.</summary>
    public string CookieSameSite { get; set; } = "Strict";

    /// <summary>The most that <see cref="SessionMaxDays"/> may be.</summary>
    internal const int MostSessionDays = 90;

    /// <summary>Days after which a sign-in ends, however much it is used; 1 to 90.</summary>
    public int SessionMaxDays { get; set; } = MostSessionDays;

    /// <summary>Memory of a password hash in KiB; raising it renews each hash when its owner signs in.</summary>
    public int PasswordMemoryKib { get; set; } = PasswordCost.Default.MemoryKib;

    /// <summary>Passes of a password hash over that memory.</summary>
    public int PasswordPasses { get; set; } = PasswordCost.Default.Passes;

    /// <summary>Lanes of a password hash.</summary>
    public int PasswordLanes { get; set; } = PasswordCost.Default.Lanes;

    /// <summary>Least characters of a new password.</summary>
    public int PasswordMinLength { get; set; } = 8;

    /// <summary>What a fresh password hash costs.</summary>
    internal PasswordCost PasswordCost => new(PasswordMemoryKib, PasswordPasses, PasswordLanes);

    /// <summary>Never below OWASP's least for Argon2id, nor so high that one sign-in exhausts an instance.</summary>
    internal static bool PasswordsAreValid(AuthOptions options) =>
        options.PasswordMemoryKib >= PasswordCost.Default.MemoryKib && options.PasswordMemoryKib <= 1024 * 1024
        && options.PasswordPasses >= PasswordCost.Default.Passes && options.PasswordPasses <= 20
        && options.PasswordLanes is >= 1 and <= 16
        && options.PasswordMinLength is >= 8 and <= 64;

    /// <summary>No key at all is valid: the app starts, says in <c>health/ready</c> what is missing, and signs nobody in.</summary>
    internal static bool IsValid(AuthOptions options) =>
        (options is { SigningKeys.Count: 0, CurrentKey: "" }
            || (options.SigningKeys.ContainsKey(options.CurrentKey)
                && options.SigningKeys.Values.All(key => Convert.TryFromBase64String(key, new byte[256], out var length) && length >= 32)))
        && options.CookieSameSite is "Strict" or "Lax" or "None";

    /// <summary>Whether sign-ins end in time.</summary>
    internal static bool SessionsAreValid(AuthOptions options) => options.SessionMaxDays is >= 1 and <= MostSessionDays;
}

/// <summary>Signs and checks access tokens: JWT, 15 minutes, one person, session and tenant each. The role is not in it: it is read anew for each request.</summary>
internal sealed class AccessTokens(IOptionsMonitor<AuthOptions> options, TimeProvider time)
{
    /// <summary>How long a token lives.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    private const string Issuer = "kpi-dashboard";
    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, SetDefaultTimesOnTokenCreation = false };

    /// <summary>A token for a person in a tenant.</summary>
    public string Issue(Guid userId, Guid tenantId, Guid sessionId)
    {
        if (options.CurrentValue.CurrentKey.Length == 0)
            throw ApiProblem.Unavailable("No key to sign access tokens with is configured (Auth:CurrentKey and Auth:SigningKeys).", 60);
        var now = time.GetUtcNow().UtcDateTime;
        return _handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = Issuer,
            IssuedAt = now,
            NotBefore = now,
            Expires = now + Lifetime,
            Subject = new ClaimsIdentity([new Claim("sub", userId.ToString()), new Claim("tid", tenantId.ToString()), new Claim("sid", sessionId.ToString())]),
            SigningCredentials = new SigningCredentials(Key(options.CurrentValue.CurrentKey), SecurityAlgorithms.HmacSha256),
        });
    }

    /// <summary>Who a token speaks for; null when it is not one of ours, was tampered with, or has expired.</summary>
    public async Task<AccessTokenIdentity?> ReadAsync(string token)
    {
        var result = await _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = Issuer,
            ValidAudience = Issuer,
            ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
            IssuerSigningKeyResolver = (_, _, kid, _) => options.CurrentValue.SigningKeys.ContainsKey(kid ?? "") ? [Key(kid!)] : [],
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            LifetimeValidator = (notBefore, expires, _, _) => time.GetUtcNow().UtcDateTime is var now && notBefore <= now.AddMinutes(1) && now < expires,
        });
        return result.IsValid
            && result.Claims.TryGetValue("sub", out var sub) && Guid.TryParse(sub as string, out var user)
            && result.Claims.TryGetValue("tid", out var tid) && Guid.TryParse(tid as string, out var tenant)
            && result.Claims.TryGetValue("sid", out var sid) && Guid.TryParse(sid as string, out var session)
                ? new AccessTokenIdentity(user, tenant, session)
                : null;
    }

    private SymmetricSecurityKey Key(string id) => new(Convert.FromBase64String(options.CurrentValue.SigningKeys[id])) { KeyId = id };
}

/// <summary>Who an access token was issued to; whether that still holds is another question.</summary>
internal sealed record AccessTokenIdentity(Guid UserId, Guid TenantId, Guid SessionId);
