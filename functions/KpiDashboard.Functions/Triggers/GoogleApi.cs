using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>Let us in at Google, to connect a property there.</summary>
public sealed class GoogleApi(GoogleConnectEndpoints google)
{
    /// <summary>Where to go to sign in at Google.</summary>
    [Function("GoogleAuthorize"), Requires(Permission.ManageIntegrations, Power = Power.ConnectSource)]
    [Operation("Where to go to sign in at Google; with an integration, to connect it again", Response = typeof(GoogleAuthorizeResponse), Query = "integrationId")]
    public Task<IResult> AuthorizeGoogle(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "integrations/google-analytics/authorize")] HttpRequest request, CancellationToken cancellationToken) =>
        google.AuthorizeAsync(request, cancellationToken);

    /// <summary>Come back from Google.</summary>
    [Function("GoogleCallback"), Requires(Permission.Anonymous)]
    [Operation("Come back from Google: to integrations?google=<grant>, ?reconnected=<integration> or ?problem=<cancelled, expired, scopes, access, property, google>", Status = 302)]
    public Task<IResult> FinishGoogle(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "integrations/google-analytics/callback")] HttpRequest request, CancellationToken cancellationToken) =>
        google.CallbackAsync(request, cancellationToken);

    /// <summary>The key of a service account.</summary>
    [Function("GoogleServiceAccount"), Requires(Permission.ManageIntegrations, Power = Power.ConnectSource)]
    [Operation("Try the key of a service account, the second way to let us in", Status = 201, Body = typeof(ServiceAccountRequest), Response = typeof(GoogleGrantResponse))]
    public Task<IResult> GiveServiceAccount(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "integrations/google-analytics/service-account")] HttpRequest request, CancellationToken cancellationToken) =>
        google.ServiceAccountAsync(request, cancellationToken);

    /// <summary>Properties to choose from.</summary>
    [Function("GoogleProperties"), Requires(Permission.ManageIntegrations)]
    [Operation("Properties that a grant can read, to choose one", Response = typeof(GooglePropertiesResponse), Query = "grant")]
    public Task<IResult> ListProperties(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "integrations/google-analytics/properties")] HttpRequest request, CancellationToken cancellationToken) =>
        google.PropertiesAsync(request, cancellationToken);
}
