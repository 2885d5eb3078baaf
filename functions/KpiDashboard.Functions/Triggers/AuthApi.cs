using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>Sessions and tokens.</summary>
public sealed class AuthApi(SessionEndpoints sessions, TokenEndpoints tokens)
{
    /// <summary>Sign in.</summary>
    [Function("AuthLogin"), Requires(Permission.Anonymous)]
    [Operation("Sign in with e-mail address and password", Body = typeof(LoginRequest), Response = typeof(SessionResponse))]
    public Task<IResult> Login([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/login")] HttpRequest request, CancellationToken cancellationToken) =>
        sessions.LoginAsync(request, cancellationToken);

    /// <summary>Renew the access token by the refresh cookie.</summary>
    [Function("AuthRefresh"), Requires(Permission.Anonymous)]
    [Operation("A new access token for the refresh cookie", Response = typeof(SessionResponse))]
    public Task<IResult> RefreshSession([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/refresh")] HttpRequest request, CancellationToken cancellationToken) =>
        sessions.RefreshAsync(request, cancellationToken);

    /// <summary>Sign out.</summary>
    [Function("AuthLogout"), Requires(Permission.Anonymous), Operation("Sign out here", Status = 204)]
    public Task<IResult> Logout([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/logout")] HttpRequest request, CancellationToken cancellationToken) =>
        sessions.LogoutAsync(request, cancellationToken);

    /// <summary>Who is signed in.</summary>
    [Function("AuthMe"), Requires(Permission.SignedIn, Person = true), Operation("Who is signed in", Response = typeof(MeResponse))]
    public Task<IResult> GetMe([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "auth/me")] HttpRequest request, CancellationToken cancellationToken) =>
        sessions.MeAsync(request, cancellationToken);

    /// <summary>Sign out everywhere.</summary>
    [Function("AuthLogoutEverywhere"), Requires(Permission.SignedIn, Person = true, AnyBusiness = true), Operation("Sign out everywhere", Status = 204)]
    public Task<IResult> LogoutEverywhere([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/logout-everywhere")] HttpRequest request, CancellationToken cancellationToken) =>
        sessions.LogoutEverywhereAsync(request, cancellationToken);

    /// <summary>Where I am signed in.</summary>
    [Function("AuthSessions"), Requires(Permission.SignedIn, Person = true), Operation("Where I am signed in", Response = typeof(SessionsResponse))]
    public Task<IResult> ListSessions([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "auth/sessions")] HttpRequest request, CancellationToken cancellationToken) =>
        sessions.ListAsync(request, cancellationToken);

    /// <summary>End one of my sessions.</summary>
    [Function("AuthSessionEnd"), Requires(Permission.SignedIn, Person = true), Operation("End one of my sessions", Status = 204)]
    public Task<IResult> EndSession(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "auth/sessions/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        sessions.EndAsync(request, id, cancellationToken);

    /// <summary>Another tenant of mine.</summary>
    [Function("AuthSwitch"), Requires(Permission.SignedIn, Person = true, AnyBusiness = true)]
    [Operation("A session for another tenant of mine", Body = typeof(SwitchRequest), Response = typeof(SessionResponse))]
    public Task<IResult> SwitchTenant([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/switch")] HttpRequest request, CancellationToken cancellationToken) =>
        sessions.SwitchAsync(request, cancellationToken);

    /// <summary>API and webhook tokens.</summary>
    [Function("Tokens"), Requires(Permission.ManageTokens), Operation("API and webhook tokens", Response = typeof(TokensResponse))]
    public Task<IResult> ListTokens([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "tokens")] HttpRequest request, CancellationToken cancellationToken) =>
        tokens.ListAsync(request, cancellationToken);

    /// <summary>A new token.</summary>
    [Function("TokenCreate"), Requires(Permission.ManageTokens, Power = Power.MakeToken)]
    [Operation("Make a token; it is shown once", Status = 201, Body = typeof(CreateTokenRequest), Response = typeof(CreateTokenResponse))]
    public Task<IResult> CreateToken([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "tokens")] HttpRequest request, CancellationToken cancellationToken) =>
        tokens.CreateAsync(request, cancellationToken);

    /// <summary>Change from where a token may be used.</summary>
    [Function("TokenUpdate"), Requires(Permission.ManageTokens, Power = Power.MakeToken)]
    [Operation("Change from where a token may be used", Body = typeof(UpdateTokenRequest), Response = typeof(UpdateTokenResponse))]
    public Task<IResult> UpdateToken(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "tokens/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        tokens.UpdateAsync(request, id, cancellationToken);

    /// <summary>Revoke a token.</summary>
    [Function("TokenRevoke"), Requires(Permission.ManageTokens), Operation("Revoke a token", Status = 204)]
    public Task<IResult> RevokeToken(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "tokens/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        tokens.RevokeAsync(request, id, cancellationToken);
}
