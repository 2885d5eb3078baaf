using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Security;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Identity;

/// <summary>Sign in through Google, Microsoft Entra or any OpenID Connect issuer.</summary>
public sealed partial class OidcEndpoints
{
    /// <summary>What <c>start</c> must find again in <c>callback</c>; SameSite=Lax, because the browser comes back from another site.</summary>
    internal const string StateCookie = "kpi_oidc";

    /// <summary>A proved address without an account, until the person registered or ten minutes are over.</summary>
    internal const string SignUpCookie = "kpi_signup";

    internal static readonly TimeSpan CookieLifetime = TimeSpan.FromMinutes(10);

    private readonly IOptionsMonitor<OidcOptions> _options;
    private readonly OidcClient _client;
    private readonly Database _database;
    private readonly Sessions _sessions;
    private readonly Accounts _accounts;
    private readonly RateLimits _limits;
    private readonly ClientAddress _address;
    private readonly AccountChanges _changes;
    private readonly SecretSealer _sealer;
    private readonly WebAddress _web;
    private readonly TimeProvider _time;
    private readonly ILogger<OidcEndpoints> _logger;

    internal OidcEndpoints(
        IOptionsMonitor<OidcOptions> options, OidcClient client, Database database, Sessions sessions, Accounts accounts, RateLimits limits, ClientAddress address,
        AccountChanges changes, SecretSealer sealer, WebAddress web, TimeProvider time, ILogger<OidcEndpoints> logger) =>
        (_options, _client, _database, _sessions, _accounts, _limits, _address, _changes, _sealer, _web, _time, _logger) =
        (options, client, database, sessions, accounts, limits, address, changes, sealer, web, time, logger);

    /// <summary><c>GET auth/providers</c>.</summary>
    public Task<IResult> ProvidersAsync(HttpRequest request, CancellationToken cancellationToken) => Task.FromResult<IResult>(new JsonAnswer<ProvidersResponse>(
        new ProvidersResponse([.. _options.CurrentValue.Values.OrderBy(provider => provider.Name, StringComparer.Ordinal).Select(provider => new ProviderEntry(provider.Key, provider.Name))]),
        OidcJson.Default.ProvidersResponse));

    /// <summary><c>GET auth/oidc/{provider}/start</c>: 302 to the provider.</summary>
    public async Task<IResult> StartAsync(HttpRequest request, string provider, CancellationToken cancellationToken)
    {
        var chosen = Find(provider);
        var returnTo = ReturnTo(request);
        var pending = new OidcState(chosen.Key, Fresh(), Fresh(), Fresh(), returnTo, Expiry());
        string address;
        try
        {
            address = await _client.AuthorizationAddressAsync(chosen, Redirect(chosen), pending.State, pending.Nonce, pending.Verifier, cancellationToken);
        }
        catch (OidcException error)
        {
            LogEnded(error.InnerException, chosen.Key, error.Problem, error.Message);
            // A person who pressed the button gets the page and not JSON.
            if (request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)) return ToPage(request, $"sign-in?problem={error.Problem}");
            throw ApiProblem.Unavailable($"{chosen.Name} does not answer. Try again in a moment, or sign in another way.", 30);
        }

        Keep(request, StateCookie, pending, OidcJson.Default.OidcState, SameSiteMode.Lax);
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return TypedResults.Redirect(address);
    }

    /// <summary><c>GET auth/oidc/{provider}/callback</c>: 302 to the page, signed in, or with the problem in the query.</summary>
    public async Task<IResult> CallbackAsync(HttpRequest request, string provider, CancellationToken cancellationToken)
    {
        var chosen = Find(provider);
        var pending = Read(request, StateCookie, OidcJson.Default.OidcState);
        Remove(request, StateCookie, SameSiteMode.Lax);
        try
        {
            return ToPage(request, await FinishAsync(request, chosen, pending, cancellationToken));
        }
        catch (OidcException error)
        {
            LogEnded(error.InnerException, chosen.Key, error.Problem, error.Message);
            return ToPage(request, $"sign-in?problem={error.Problem}");
        }
    }

    /// <summary><c>GET auth/oidc/pending</c>: the proved address that waits for a business.</summary>
    public Task<IResult> PendingAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var (pending, provider) = SignUp(request);
        return Task.FromResult<IResult>(new JsonAnswer<OidcPendingResponse>(
            new OidcPendingResponse(provider.Key, provider.Name, pending.Email, pending.Name), OidcJson.Default.OidcPendingResponse));
    }

    /// <summary><c>POST auth/oidc/register</c>: makes the account of that address, without a password, and its business.</summary>
    public async Task<IResult> RegisterAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, OidcJson.Default.OidcRegisterRequest, cancellationToken))!;
        var (pending, provider) = SignUp(request);
        var business = new NewBusiness(body.BusinessName, body.TimeZone, body.Currency);
        var name = string.IsNullOrWhiteSpace(body.DisplayName) ? pending.Name : body.DisplayName;
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        await _accounts.CheckAsync(errors, business, cancellationToken);
        TenantRules.Name(errors, "displayName", name);
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
        await AccountEndpoints.TakeRegistrationAsync(_limits, _address, request, pending.Email, cancellationToken);
        if (await FindLinkedAsync(pending.Issuer, pending.Subject, null, cancellationToken) is not null)
            throw ApiProblem.Conflict("This sign-in has an account already. Sign in with it.");

        var user = new NewUser(Guid.CreateVersion7(_time.GetUtcNow()), pending.Email, name, PasswordHash: null, Verified: true);
        var tenant = await _accounts.CreateBusinessAsync(request, business, user.Id, user.Email, user, cancellationToken);
        // Should this fail, the next sign-in links: the address is proved, on both sides.
        await LinkAsync(request, provider, user.Id, pending.Issuer, pending.Subject, pending.Email, cancellationToken);
        var session = await _sessions.OpenAsync(request, user.Id, tenant, Method(provider), null, cancellationToken);
        Remove(request, SignUpCookie, null);
        return Sessions.Answer(request, session, StatusCodes.Status201Created);
    }

    /// <summary>Where to go after the sign-in: a path of our own page, or the sentence why it is none.</summary>
    /// <remarks>Browsers read <c>//x</c> and <c>/\x</c> as another host and drop tabs and line ends; all else that begins with one slash stays on the page.</remarks>
    internal static bool IsLocalPath(string path) =>
        path.Length is > 0 and <= 2000 && path[0] == '/' && !path.StartsWith("//", StringComparison.Ordinal) && path.All(c => c is > ' ' and <= '~' and not '\\');

    private static string ReturnTo(HttpRequest request)
    {
        var values = request.Query["returnTo"];
        if (values.Count == 0 || string.IsNullOrEmpty(values.ToString())) return "/";
        if (values is [{ } path] && IsLocalPath(path)) return path;
        throw ApiProblem.Invalid("returnTo", "'returnTo' must be one path of this page, like /overview.");
    }

    /// <summary>The rest of a sign-in that came back; returns the path of the page to go to.</summary>
    private async Task<string> FinishAsync(HttpRequest request, OidcProvider provider, OidcState? pending, CancellationToken cancellationToken)
    {
        if (pending is null || pending.Provider != provider.Key) throw new OidcException(OidcProblems.Expired, "no sign-in was begun here");
        if (request.Query["state"] is not [{ } state] || !CryptographicOperations.FixedTimeEquals(System.Text.Encoding.UTF8.GetBytes(state), System.Text.Encoding.UTF8.GetBytes(pending.State)))
            throw new OidcException(OidcProblems.Expired, "the state is not that of the sign-in that was begun here");
        // RFC 9207: an answer that names its issuer must name the one that was asked.
        if (request.Query["iss"] is { Count: > 0 } issuer && (issuer is not [{ } one] || (!provider.IsEveryDirectory && one != provider.Issuer)))
            throw new OidcException(OidcProblems.Provider, "the answer names another issuer");
        if (request.Query["error"] is { Count: > 0 } error)
            throw error == "access_denied" ? new OidcException(OidcProblems.Cancelled, "the person did not go on") : new OidcException(OidcProblems.Provider, "it answered with an error");
        if (request.Query["code"] is not [{ Length: > 0 and <= 8192 } code]) throw new OidcException(OidcProblems.Provider, "it sent no code");

        var identity = await _client.ExchangeAsync(provider, code, Redirect(provider), pending.Nonce, pending.Verifier, cancellationToken);
        var email = Email(identity);
        var linked = await FindLinkedAsync(identity.Issuer, identity.Subject, email, cancellationToken);
        if (linked is null)
        {
            if (email is null || !identity.EmailVerified) throw new OidcException(OidcProblems.Unverified, "it does not vouch for the address");
            var known = (await _database.QueryAsync<UserRow>(
                "select id, disabled from find_user_by_email(@key)", new { key = SessionEndpoints.EmailKey(email) }, cancellationToken)).SingleOrDefault();
            if (known is null)
            {
                Keep(request, SignUpCookie, new OidcSignUp(provider.Key, identity.Issuer, identity.Subject, email, DisplayName(identity, email), Expiry()), OidcJson.Default.OidcSignUp, null);
                return $"register?provider={provider.Key}";
            }

            linked = new LinkedRow(
                known.disabled ? known.id : await LinkAsync(request, provider, known.id, identity.Issuer, identity.Subject, email, cancellationToken), known.disabled);
            if (!linked.disabled) await _changes.MailAsync(linked.user_id, AuditActions.SignInLinked, cancellationToken);
        }

        if (linked.disabled) throw new OidcException(OidcProblems.Deactivated, "the account is deactivated");
        try
        {
            return await _sessions.BeginAsync(request, linked.user_id, null, Method(provider), cancellationToken) is null
                ? "sign-in/code" + (pending.ReturnTo == "/" ? "" : $"?returnTo={Uri.EscapeDataString(pending.ReturnTo)}")
                : pending.ReturnTo;
        }
        catch (ApiProblem problem) when (problem.Status is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden)
        {
            throw new OidcException(problem.Status == StatusCodes.Status401Unauthorized ? OidcProblems.Deactivated : OidcProblems.NoAccount, "the account may not sign in", problem);
        }
    }

    private async Task<LinkedRow?> FindLinkedAsync(string issuer, string subject, string? email, CancellationToken cancellationToken) =>
        (await _database.QueryAsync<LinkedRow>(
            "select * from use_identity(@issuer, @subject, @email, @now)", new { issuer, subject, email, now = _time.GetUtcNow() }, cancellationToken)).SingleOrDefault();

    private async Task<Guid> LinkAsync(HttpRequest request, OidcProvider provider, Guid user, string issuer, string subject, string email, CancellationToken cancellationToken)
    {
        var owner = await _database.QueryAsync<Guid>(
            "select user_id from link_identity(@user, @issuer, @subject, @email, @action, @after::jsonb, @from, @agent, @now)",
            new
            {
                user,
                issuer,
                subject,
                email,
                action = AuditActions.SignInLinked,
                after = new JsonObject { ["provider"] = provider.Key, ["issuer"] = issuer }.ToJsonString(),
                from = _address.Of(request),
                agent = AuditLog.UserAgent(request),
                now = _time.GetUtcNow(),
            }, cancellationToken);
        return owner is [var id] ? id : throw new OidcException(OidcProblems.Deactivated, "the account went away meanwhile");
    }

    private OidcProvider Find(string key) =>
        _options.CurrentValue.TryGetValue(key, out var provider) ? provider : throw ApiProblem.NotFound("There is no such sign-in provider.");

    private (OidcSignUp Pending, OidcProvider Provider) SignUp(HttpRequest request) =>
        Read(request, SignUpCookie, OidcJson.Default.OidcSignUp) is { } pending && _options.CurrentValue.TryGetValue(pending.Provider, out var provider)
            ? (pending, provider)
            : throw ApiProblem.NotFound("No registration waits here. Begin again with the provider's button.");

    /// <summary>Never from the Host header: the code goes where this says.</summary>
    private string Redirect(OidcProvider provider) => _web.Of($"api/auth/oidc/{provider.Key}/callback").AbsoluteUri;

    private RedirectHttpResult ToPage(HttpRequest request, string path)
    {
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return TypedResults.Redirect(_web.Of(path).AbsoluteUri);
    }

    private static string Method(OidcProvider provider) => $"oidc:{provider.Key}";

    /// <summary>256 random bits, as RFC 7636 wants a verifier too.</summary>
    private static string Fresh() => WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(32));

    private long Expiry() => (_time.GetUtcNow() + CookieLifetime).ToUnixTimeSeconds();

    private static string? Email(OidcIdentity identity)
    {
        var errors = new Dictionary<string, string[]>();
        Accounts.CheckEmail(errors, "email", identity.Email);
        return errors.Count == 0 ? identity.Email!.Trim() : null;
    }

    private static string DisplayName(OidcIdentity identity, string email)
    {
        var errors = new Dictionary<string, string[]>();
        TenantRules.Name(errors, "name", identity.Name);
        return errors.Count == 0 ? identity.Name!.Trim() : email[..email.IndexOf('@', StringComparison.Ordinal)];
    }

    private void Keep<T>(HttpRequest request, string cookie, T value, JsonTypeInfo<T> type, SameSiteMode? sameSite) => request.HttpContext.Response.Cookies.Append(
        cookie, WebEncoders.Base64UrlEncode(_sealer.Seal(JsonSerializer.Serialize(value, type), cookie)), _sessions.CookieOptions(request, _time.GetUtcNow() + CookieLifetime, sameSite));

    private void Remove(HttpRequest request, string cookie, SameSiteMode? sameSite) =>
        request.HttpContext.Response.Cookies.Append(cookie, "", _sessions.CookieOptions(request, DateTimeOffset.UnixEpoch, sameSite));

    private T? Read<T>(HttpRequest request, string cookie, JsonTypeInfo<T> type)
        where T : class, IExpiring
    {
        if (request.Cookies[cookie] is not { Length: > 0 and <= 8192 } text) return null;
        try
        {
            var value = JsonSerializer.Deserialize(_sealer.Open(WebEncoders.Base64UrlDecode(text), cookie), type);
            return value is not null && value.Expires > _time.GetUtcNow().ToUnixTimeSeconds() ? value : null;
        }
        catch (Exception error) when (error is FormatException or CryptographicException or JsonException)
        {
            // Whoever changes a cookie has none.
            return null;
        }
    }

    [LoggerMessage(3301, LogLevel.Warning, "Sign-in through {Provider} ended with {Problem}: {Reason}")]
    private partial void LogEnded(Exception? error, string provider, string problem, string reason);

#pragma warning disable IDE1006 // Dapper maps these to the columns of the functions by name.
    private sealed record UserRow(Guid id, bool disabled);

    private sealed record LinkedRow(Guid user_id, bool disabled);
#pragma warning restore IDE1006
}

/// <summary>Something in a cookie that ends by itself, whatever the browser does.</summary>
internal interface IExpiring
{
    /// <summary>Seconds since 1970 in UTC.</summary>
    long Expires { get; }
}

/// <summary>A sign-in that was begun.</summary>
internal sealed record OidcState(string Provider, string State, string Nonce, string Verifier, string ReturnTo, long Expires) : IExpiring;

/// <summary>Somebody whom a provider vouches for and who has no account yet.</summary>
internal sealed record OidcSignUp(string Provider, string Issuer, string Subject, string Email, string Name, long Expires) : IExpiring;

/// <summary>Ways to sign in besides a password.</summary>
internal sealed record ProvidersResponse(IReadOnlyList<ProviderEntry> Providers);

/// <summary>An identity provider: its key in the routes, and its name on the button.</summary>
internal sealed record ProviderEntry(string Key, string Name);

/// <summary>A proved address that has no account yet, for the page that registers it.</summary>
internal sealed record OidcPendingResponse(string Provider, string ProviderName, string Email, string DisplayName);

/// <summary>Register a business with the address that the provider proved; <c>displayName</c> is the provider's when it is left out.</summary>
internal sealed record OidcRegisterRequest(string BusinessName, string? DisplayName = null, string? TimeZone = null, string? Currency = null);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ProvidersResponse))]
[JsonSerializable(typeof(OidcPendingResponse))]
[JsonSerializable(typeof(OidcRegisterRequest))]
[JsonSerializable(typeof(OidcState))]
[JsonSerializable(typeof(OidcSignUp))]
internal sealed partial class OidcJson : JsonSerializerContext;
