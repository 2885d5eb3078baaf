using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.GoogleAnalytics;
using KpiDashboard.Data;
using KpiDashboard.Identity;
using KpiDashboard.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Sync;

/// <summary>
/// Letting us in at Google, by signing in there or by the key of a service account. What comes of either is a grant, which is sealed, belongs to the person who got it and ends
/// after an hour; <c>POST integrations</c> connects a property with it.
/// </summary>
public sealed partial class GoogleConnectEndpoints
{
    /// <summary>What <c>authorize</c> must find again in <c>callback</c>; SameSite=Lax, because the browser comes back from another site.</summary>
    internal const string StateCookie = "kpi_google";

    private const string Cancelled = "cancelled", Expired = "expired", Scopes = "scopes", Access = "access", Property = "property", Google = "google";

    private readonly GoogleSignIn _google;
    private readonly GoogleGrants _grants;
    private readonly IntegrationEndpoints _integrations;
    private readonly Authenticator _authenticator;
    private readonly Sessions _sessions;
    private readonly Database _database;
    private readonly RateLimits _limits;
    private readonly SecretSealer _sealer;
    private readonly WebAddress _web;
    private readonly TimeProvider _time;
    private readonly ILogger<GoogleConnectEndpoints> _logger;

    internal GoogleConnectEndpoints(
        GoogleSignIn google, GoogleGrants grants, IntegrationEndpoints integrations, Authenticator authenticator, Sessions sessions, Database database, RateLimits limits,
        SecretSealer sealer, WebAddress web, TimeProvider time, ILogger<GoogleConnectEndpoints> logger) =>
        (_google, _grants, _integrations, _authenticator, _sessions, _database, _limits, _sealer, _web, _time, _logger) =
        (google, grants, integrations, authenticator, sessions, database, limits, sealer, web, time, logger);

    /// <summary><c>GET integrations/google-analytics/authorize</c>: where to go; the browser that asked must be the one that comes back.</summary>
    public async Task<IResult> AuthorizeAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var query = new QueryReader(request);
        var integration = query.Id("integrationId");
        query.ThrowIfInvalid();
        if (!_google.IsConfigured)
            throw ApiProblem.Conflict("Signing in at Google is not set up on this installation (GoogleAnalytics:ClientId and ClientSecret). Ask whoever runs it, or use the key of a service account.");
        var account = integration is { } known ? await _integrations.AccountOfAsync(caller.TenantId, known, cancellationToken) : null;
        await _limits.TakeAsync(Bucket.Connect, caller.TenantId.ToString("N"), cancellationToken);
        var expires = _time.GetUtcNow() + OidcEndpoints.CookieLifetime;
        var pending = new GooglePending(Fresh(), Fresh(), caller.TenantId, caller.Person, caller.SessionId!.Value, integration, expires.ToUnixTimeSeconds());
        request.HttpContext.Response.Cookies.Append(
            StateCookie, WebEncoders.Base64UrlEncode(_sealer.Seal(JsonSerializer.Serialize(pending, GoogleConnectJson.Default.GooglePending), StateCookie)), Cookie(request, expires));
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<GoogleAuthorizeResponse>(
            new GoogleAuthorizeResponse(_google.AuthorizeUrl(Redirect(), pending.State, pending.Verifier, account)), GoogleConnectJson.Default.GoogleAuthorizeResponse);
    }

    /// <summary><c>GET integrations/google-analytics/callback</c>: 302 to the page, with a grant, with what was connected again, or with one word about what went wrong.</summary>
    public async Task<IResult> CallbackAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var pending = Read(request);
        request.HttpContext.Response.Cookies.Append(StateCookie, "", Cookie(request, DateTimeOffset.UnixEpoch));
        try
        {
            return ToPage(request, await FinishAsync(request, pending, cancellationToken));
        }
        catch (ApiProblem problem) when (problem.Status is StatusCodes.Status404NotFound or StatusCodes.Status409Conflict)
        {
            // Disconnected or changed while the person was at Google.
            LogEnded(Property, problem.Message);
            return ToPage(request, Problem(Property));
        }
    }

    /// <summary><c>POST integrations/google-analytics/service-account</c>: tries the key before it is kept.</summary>
    public async Task<IResult> ServiceAccountAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, GoogleConnectJson.Default.ServiceAccountRequest, cancellationToken))!;
        if (ServiceAccountKey.Parse(body.Key, out var sentence) is not { } key) throw ApiProblem.Invalid("key", sentence!);
        await _limits.TakeAsync(Bucket.Connect, caller.TenantId.ToString("N"), cancellationToken);
        var (id, credentials) = (Guid.NewGuid(), new GoogleCredentials(ServiceAccount: key));
        switch (await _google.TryAsync(id, credentials, cancellationToken))
        {
            case null: break;
            case AuthorizationLost lost: throw ApiProblem.Invalid("key", lost.Reason);
            case var failure: throw Failed(failure);
        }

        await KeepAsync(id, caller, new GoogleGrant(GrantKind.ServiceAccount, key.ClientEmail, credentials.ToJson()), cancellationToken);
        return new JsonAnswer<GoogleGrantResponse>(new GoogleGrantResponse(id, key.ClientEmail), GoogleConnectJson.Default.GoogleGrantResponse, StatusCodes.Status201Created);
    }

    /// <summary><c>GET integrations/google-analytics/properties</c>.</summary>
    public async Task<IResult> PropertiesAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var query = new QueryReader(request);
        var id = query.Id("grant");
        if (id is null) query.Error("grant", "'grant' must be what a sign-in at Google or the key of a service account gave.");
        query.ThrowIfInvalid();
        var grant = await _database.InTenantAsync(caller.TenantId, tx => _grants.FindAsync(tx, id!.Value, caller.Person), cancellationToken)
            ?? throw ApiProblem.NotFound("There is no such sign-in at Google, or it is older than an hour. Begin again.");
        await _limits.TakeAsync(Bucket.Connect, caller.TenantId.ToString("N"), cancellationToken);
        var credentials = GoogleCredentials.Read(grant.Credentials) ?? throw new InvalidOperationException("A grant was kept that lets nobody in.");
        var found = await _google.PropertiesAsync(id!.Value, credentials, cancellationToken);
        if (found.Failure is not null) throw Failed(found.Failure);
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<GooglePropertiesResponse>(
            new GooglePropertiesResponse(grant.Account, grant.Kind, [.. found.Properties.Select(property => new GooglePropertyEntry(property.Id, property.Name, property.Account))]),
            GoogleConnectJson.Default.GooglePropertiesResponse);
    }

    private async Task<string> FinishAsync(HttpRequest request, GooglePending? pending, CancellationToken cancellationToken)
    {
        string Ended(string problem, string reason)
        {
            LogEnded(problem, reason);
            return Problem(problem);
        }

        if (pending is null) return Ended(Expired, "no sign-in was begun here");
        if (request.Query["state"] is not [{ } state] || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(state), Encoding.UTF8.GetBytes(pending.State)))
            return Ended(Expired, "the state is not that of the sign-in that was begun here");
        if (request.Query["error"] is { Count: > 0 } error) return error == "access_denied" ? Ended(Cancelled, "the person did not go on") : Ended(Google, "it answered with an error");
        if (request.Query["code"] is not [{ Length: > 0 and <= 2048 } code]) return Ended(Google, "it sent no code");
        // Ten minutes are long enough to be demoted, removed or signed out.
        if (await _authenticator.FindStillAllowedAsync(pending.Session, pending.User, pending.Tenant, Permission.ManageIntegrations, cancellationToken) is not { } caller)
            return Ended(Access, "who began it may not connect any more");
        request.HttpContext.Features.Set(caller);

        if (!_google.IsConfigured) return Ended(Google, "it is not set up any more");
        var signedIn = await _google.ExchangeAsync(code, Redirect(), pending.Verifier, cancellationToken);
        if (signedIn.Failure is not null) return Ended(signedIn.Failure is AuthorizationLost { OfScopes: true } ? Scopes : Google, $"the code came to {signedIn.Failure.GetType().Name}");
        var grant = new GoogleGrant(GrantKind.Oauth, signedIn.Email, signedIn.Credentials!.ToJson());
        if (pending.Integration is { } integration)
        {
            return await _integrations.ReconnectAsync(request, caller, integration, grant, cancellationToken) is { } problem
                ? Ended(problem.Field == ConnectionProblem.Property ? Property : Google, "it does not reach the property")
                : $"integrations?reconnected={integration:D}";
        }

        var id = Guid.NewGuid();
        await KeepAsync(id, caller, grant, cancellationToken);
        return $"integrations?google={id:D}";
    }

    private Task KeepAsync(Guid id, Caller caller, GoogleGrant grant, CancellationToken cancellationToken) =>
        _database.InTenantAsync(caller.TenantId, tx => _grants.KeepAsync(tx, id, caller.Person, grant), cancellationToken);

    private static ApiProblem Failed(FetchOutcome failure) => failure switch
    {
        AuthorizationLost lost => ApiProblem.Conflict(lost.Reason),
        RequestRefused refused => ApiProblem.Conflict(refused.Reason),
        RateLimited limited => ApiProblem.Unavailable($"{limited.Reason} Try again in a few minutes.", 60),
        QuotaExhausted quota => ApiProblem.Unavailable($"{quota.Reason} Try again later.", 600),
        ProviderDown down => ApiProblem.Unavailable($"{down.Reason} Try again in a moment.", 30),
        _ => throw new InvalidOperationException($"{failure.GetType().Name} is no failure."),
    };

    /// <summary>Never from the Host header: the code goes where this says.</summary>
    private string Redirect() => _web.Of("api/integrations/google-analytics/callback").AbsoluteUri;

    private RedirectHttpResult ToPage(HttpRequest request, string path)
    {
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return TypedResults.Redirect(_web.Of(path).AbsoluteUri);
    }

    private static string Problem(string problem) => $"integrations?problem={problem}";

    private CookieOptions Cookie(HttpRequest request, DateTimeOffset expires)
    {
        var options = _sessions.CookieOptions(request, expires, SameSiteMode.Lax);
        options.Path = "/api/integrations/google-analytics";
        return options;
    }

    private GooglePending? Read(HttpRequest request)
    {
        if (SealedCookie.Read(request, StateCookie, _sealer, StateCookie) is not { } text) return null;
        try
        {
            return JsonSerializer.Deserialize(text, GoogleConnectJson.Default.GooglePending) is { } pending && pending.Expires > _time.GetUtcNow().ToUnixTimeSeconds() ? pending : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>256 random bits, as RFC 7636 wants a verifier.</summary>
    private static string Fresh() => WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(32));

    [LoggerMessage(3602, LogLevel.Warning, "Connecting Google ended with {Problem}: {Reason}")]
    private partial void LogEnded(string problem, string reason);
}

/// <summary>A sign-in at Google that was begun: by whom, where, and which connection it is to renew.</summary>
internal sealed record GooglePending(string State, string Verifier, Guid Tenant, Guid User, Guid Session, Guid? Integration, long Expires);

/// <summary>Where the browser is to go: Google's page that asks for the consent.</summary>
internal sealed record GoogleAuthorizeResponse(string Url);

/// <summary>The text of a service account's JSON key file, at most 16 kB; sealed at once, and never given back.</summary>
internal sealed record ServiceAccountRequest(string Key);

/// <summary>A grant, to choose one of its properties within an hour, and the account that it is of.</summary>
internal sealed record GoogleGrantResponse(Guid Grant, string Email);

/// <summary>What the account of a grant may read. None: it has no Google Analytics 4 property.</summary>
internal sealed record GooglePropertiesResponse(string? Email, GrantKind Kind, IReadOnlyList<GooglePropertyEntry> Properties);

/// <summary>A property, and the Analytics account that it is in.</summary>
internal sealed record GooglePropertyEntry(string Id, string Name, string Account);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(GooglePending))]
[JsonSerializable(typeof(GoogleAuthorizeResponse))]
[JsonSerializable(typeof(ServiceAccountRequest))]
[JsonSerializable(typeof(GoogleGrantResponse))]
[JsonSerializable(typeof(GooglePropertiesResponse))]
internal sealed partial class GoogleConnectJson : JsonSerializerContext;
