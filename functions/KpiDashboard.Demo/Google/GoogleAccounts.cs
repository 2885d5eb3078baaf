using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace KpiDashboard.Demo.Google;

/// <summary>
/// The accounts of a <see cref="GoogleSimulator"/>: who may read which property, the page that asks for the consent, codes with PKCE, refresh tokens, service accounts, and
/// taking all of it back.
/// </summary>
internal sealed class GoogleAccounts(GoogleSimulatorOptions options, TimeProvider time)
{
    internal const string ReadScope = "https://www.googleapis.com/auth/analytics.readonly";

    private static readonly TimeSpan CodeLifetime = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, bool>> readers = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, bool> services = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, RSA> keys = new();
    private readonly ConcurrentDictionary<string, Code> codes = new();
    private readonly ConcurrentDictionary<string, Grant> grants = new();
    private int issued;

    /// <summary>The next code that is exchanged brings no refresh token, as it was before <c>prompt=consent</c>.</summary>
    public bool WithholdRefreshToken { get; set; }

    /// <summary>Refresh tokens that are good, for whoever looks for them where they must not be.</summary>
    public IReadOnlyCollection<string> RefreshTokens => [.. grants.Where(grant => grant.Value.Valid).Select(grant => grant.Key)];

    /// <summary>An account that a person can choose on the page; with no property it is one without Analytics.</summary>
    public void Add(string email, params string[] propertyIds)
    {
        var own = readers.GetOrAdd(email, static _ => new());
        foreach (var id in propertyIds) own[id] = true;
    }

    /// <summary>Takes a property from an account.</summary>
    public void Unshare(string email, string propertyId) => readers.GetOrAdd(email, static _ => new()).TryRemove(propertyId, out _);

    /// <summary>A new service account; returns the text of its key file.</summary>
    /// <param name="email">Its address.</param>
    /// <param name="tokenUri">What the file says of where to ask; an honest file names Google's.</param>
    /// <param name="propertyIds">What it may read.</param>
    public string AddServiceAccount(string email, string tokenUri, params string[] propertyIds)
    {
        Add(email, propertyIds);
        services[email] = true;
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));
        var rsa = keys[$"{email} {id}"] = RSA.Create(2048);
        return JsonSerializer.Serialize(new Dictionary<string, string>
        {
            ["type"] = "service_account",
            ["project_id"] = "demo",
            ["private_key_id"] = id,
            ["private_key"] = rsa.ExportPkcs8PrivateKeyPem(),
            ["client_email"] = email,
            ["token_uri"] = tokenUri,
        });
    }

    /// <summary>Deletes the keys of a service account.</summary>
    public void DeleteKeys(string email)
    {
        foreach (var key in keys.Keys.Where(key => key.StartsWith(email + " ", StringComparison.Ordinal))) keys.TryRemove(key, out _);
    }

    /// <summary>Whether an account may read a property.</summary>
    public bool MayRead(string email, string propertyId) => readers.TryGetValue(email, out var own) && own.ContainsKey(propertyId);

    /// <summary>What an account may read, in a fixed order.</summary>
    public IReadOnlyList<string> Properties(string email) => readers.TryGetValue(email, out var own) ? [.. own.Keys.Order(StringComparer.Ordinal)] : [];

    /// <summary>A refresh token that was given out before the simulator started.</summary>
    public void AddRefreshToken(string token, string email) => grants[token] = new Grant(email, ReadScope, true);

    /// <summary>Makes a refresh token worthless, or good again.</summary>
    public void SetValid(string token, bool valid)
    {
        if (grants.TryGetValue(token, out var grant)) grants[token] = grant with { Valid = valid };
    }

    /// <summary>Takes back all that an account ever allowed, as Google does; returns the account, or null if the token is not known.</summary>
    public string? RevokeAll(string token)
    {
        if (!grants.TryGetValue(token, out var known) || !known.Valid) return null;
        foreach (var (other, grant) in grants.Where(grant => grant.Value.Email == known.Email)) grants[other] = grant with { Valid = false };
        return known.Email;
    }

    /// <summary>The page that asks for the consent.</summary>
    public async Task AskAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (Wrong(query) is { } wrong)
        {
            await PageAsync(context, 400, $"<h1>Access blocked</h1><p>Error 400: {WebUtility.HtmlEncode(wrong)}</p>");
            return;
        }

        var hidden = string.Concat(query.Select(field => $"<input type=hidden name=\"{WebUtility.HtmlEncode(field.Key)}\" value=\"{WebUtility.HtmlEncode(field.Value)}\">"));
        var hint = query["login_hint"].ToString();
        var people = readers.Keys.Where(email => !services.ContainsKey(email)).Order(StringComparer.Ordinal).ToList();
        var chosen = people.Contains(hint) ? hint : people.FirstOrDefault();
        var choices = string.Concat(people.Select(email =>
            $"<label><input type=radio name=account value=\"{WebUtility.HtmlEncode(email)}\"{(email == chosen ? " checked" : "")}> {WebUtility.HtmlEncode(email)}</label>"));
        var scopes = string.Concat(query["scope"].ToString().Split(' ').Where(scope => scope.StartsWith("https://", StringComparison.Ordinal)).Select(scope =>
            $"<label><input type=checkbox name=granted value=\"{WebUtility.HtmlEncode(scope)}\" checked> See and download your Google Analytics data</label>"));
        await PageAsync(context, 200,
            $"<h1>Simulated Google</h1><p>This page belongs to the demo. The dashboard wants to read Google Analytics.</p><form method=post action=/o/oauth2/v2/auth>{hidden}"
            + $"<fieldset><legend>Account</legend>{choices}</fieldset><fieldset><legend>Allow</legend>{scopes}</fieldset>"
            + "<p><button name=answer value=allow>Allow</button> <button name=answer value=deny>Cancel</button></p></form>");
    }

    /// <summary>What the person answered: back to the application.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        if (Wrong(form) is { } wrong)
        {
            await PageAsync(context, 400, $"<h1>Access blocked</h1><p>Error 400: {WebUtility.HtmlEncode(wrong)}</p>");
            return;
        }

        var back = new Dictionary<string, string?> { ["state"] = form["state"] };
        var email = form["account"].ToString();
        if (form["answer"] != "allow" || !readers.ContainsKey(email))
        {
            back["error"] = "access_denied";
        }
        else
        {
            var asked = form["scope"].ToString().Split(' ');
            var scope = string.Join(' ', asked.Where(one => !one.StartsWith("https://", StringComparison.Ordinal)).Concat(form["granted"].Where(one => asked.Contains(one))));
            var code = "4/0A" + WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(24));
            codes[code] = new Code(
                email, scope, form["redirect_uri"].ToString(), form["code_challenge"].ToString(), form["access_type"] == "offline" && form["prompt"] == "consent", time.GetUtcNow() + CodeLifetime);
            (back["code"], back["scope"]) = (code, scope);
        }

        context.Response.Redirect(QueryHelpers.AddQueryString(form["redirect_uri"].ToString(), back));
    }

    /// <summary>What a token request is answered: the account, its scopes, and with a code a refresh token; or the error.</summary>
    public (Issued? Issued, string? Error, string? Description) Exchange(IFormCollection form, string tokenUrl)
    {
        var type = form["grant_type"].ToString();
        if (type == "urn:ietf:params:oauth:grant-type:jwt-bearer") return Assertion(form["assertion"].ToString(), tokenUrl);
        if (form["client_id"] != options.ClientId) return (null, "invalid_client", "The OAuth client was not found.");
        if (form["client_secret"] != options.ClientSecret) return (null, "invalid_client", "Unauthorized");
        if (type == "refresh_token")
        {
            var known = grants.TryGetValue(form["refresh_token"].ToString(), out var grant);
            return known && grant!.Valid ? (new Issued(grant.Email, grant.Scope, null, null), null, null) : (null, "invalid_grant", known ? "Token has been expired or revoked." : "Bad Request");
        }

        if (type != "authorization_code") return (null, "unsupported_grant_type", "Invalid grant_type: " + type);
        // Once, whatever comes of it.
        if (!codes.TryRemove(form["code"].ToString(), out var code) || time.GetUtcNow() >= code.Expires) return (null, "invalid_grant", "Malformed auth code.");
        if (code.Redirect != form["redirect_uri"]) return (null, "redirect_uri_mismatch", "Bad Request");
        if (WebEncoders.Base64UrlEncode(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))) != code.Challenge) return (null, "invalid_grant", "Invalid code verifier.");
        string? refresh = null;
        if (code.Offline && !WithholdRefreshToken)
        {
            refresh = $"1//simulated-{Interlocked.Increment(ref issued)}-{WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(24))}";
            grants[refresh] = new Grant(code.Email, code.Scope, true);
        }

        var scopes = code.Scope.Split(' ');
        var claims = new Dictionary<string, string> { ["iss"] = "https://accounts.google.com", ["aud"] = options.ClientId, ["sub"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(code.Email)))[..21] };
        if (scopes.Contains("email")) claims["email"] = code.Email;
        var token = !scopes.Contains("openid") ? null
            : $"{WebEncoders.Base64UrlEncode("""{"alg":"RS256"}"""u8.ToArray())}.{WebEncoders.Base64UrlEncode(JsonSerializer.SerializeToUtf8Bytes(claims))}.c2ltdWxhdGVk";
        return (new Issued(code.Email, code.Scope, refresh, token), null, null);
    }

    /// <summary>RFC 7523 as Google takes it: RS256 by a key of the account, for the token endpoint, for at most an hour.</summary>
    private (Issued? Issued, string? Error, string? Description) Assertion(string assertion, string tokenUrl)
    {
        try
        {
            if (assertion.Split('.') is not [var header, var payload, var signature]) return (null, "invalid_grant", "Invalid JWT.");
            using var head = JsonDocument.Parse(WebEncoders.Base64UrlDecode(header));
            using var claims = JsonDocument.Parse(WebEncoders.Base64UrlDecode(payload));
            var email = claims.RootElement.GetProperty("iss").GetString()!;
            if (!services.ContainsKey(email)) return (null, "invalid_grant", "Invalid grant: account not found");
            var id = head.RootElement.TryGetProperty("kid", out var kid) ? kid.GetString() : "";
            if (head.RootElement.GetProperty("alg").GetString() != "RS256" || !keys.TryGetValue($"{email} {id}", out var rsa)
                || !rsa.VerifyData(Encoding.ASCII.GetBytes($"{header}.{payload}"), WebEncoders.Base64UrlDecode(signature), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
                return (null, "invalid_grant", "Invalid JWT Signature.");
            var now = time.GetUtcNow().ToUnixTimeSeconds();
            var (from, to) = (claims.RootElement.GetProperty("iat").GetInt64(), claims.RootElement.GetProperty("exp").GetInt64());
            if (to <= now || to - from > 3600 || from > now + 60) return (null, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.");
            if (claims.RootElement.GetProperty("aud").GetString() != tokenUrl) return (null, "invalid_grant", "Invalid JWT: Failed audience check.");
            return (new Issued(email, claims.RootElement.GetProperty("scope").GetString()!, null, null), null, null);
        }
        catch (Exception error) when (error is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            return (null, "invalid_grant", "Invalid JWT.");
        }
    }

    private string? Wrong(IEnumerable<KeyValuePair<string, Microsoft.Extensions.Primitives.StringValues>> fields)
    {
        var given = fields.ToDictionary(field => field.Key, field => field.Value.ToString(), StringComparer.Ordinal);
        string Of(string name) => given.GetValueOrDefault(name, "");
        return Of("client_id") != options.ClientId ? "invalid_client"
            : Of("response_type") != "code" ? "unsupported_response_type"
            : !Uri.TryCreate(Of("redirect_uri"), UriKind.Absolute, out var back) || !back.IsLoopback ? "redirect_uri_mismatch"
            : Of("scope").Length == 0 || Of("state").Length == 0 ? "invalid_request"
            : Of("code_challenge_method") != "S256" || Of("code_challenge").Length != 43 ? "invalid_request (code_challenge)"
            : null;
    }

    private static async Task PageAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync(
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>Simulated Google</title>"
            + "<style>body{font:16px system-ui;max-width:30rem;margin:3rem auto;padding:0 1rem}label{display:block;padding:.4rem 0}fieldset{margin:1rem 0}button{font:inherit;padding:.6rem 1.2rem}</style>"
            + body, context.RequestAborted);
    }

    /// <summary>What is given out.</summary>
    internal sealed record Issued(string Email, string Scope, string? RefreshToken, string? IdToken);

    private sealed record Code(string Email, string Scope, string Redirect, string Challenge, bool Offline, DateTimeOffset Expires);

    private sealed record Grant(string Email, string Scope, bool Valid);
}
