using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>Integrations and their syncs.</summary>
public sealed class SyncApi(SyncEndpoints sync)
{
    /// <summary>The refresh button.</summary>
    [Function("SyncRefresh"), Requires(Permission.Refresh)]
    [Operation("Start a sync of all or some connectors", Status = 202, Body = typeof(RefreshRequest), BodyOptional = true, Response = typeof(RefreshResponse))]
    public Task<IResult> StartRefresh([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "sync/refresh")] HttpRequest request, CancellationToken cancellationToken) =>
        sync.RefreshAsync(request, cancellationToken);

    /// <summary>The refresh button for machines.</summary>
    [Function("WebhookRefresh"), Requires(Permission.Refresh, Signature = true)]
    [Operation("Start a sync, for machines", Status = 202, Body = typeof(RefreshRequest), BodyOptional = true, Response = typeof(RefreshResponse), Query = "token")]
    public Task<IResult> StartRefreshByWebhook(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "webhooks/refresh")] HttpRequest request, CancellationToken cancellationToken) =>
        sync.WebhookAsync(request, cancellationToken);

    /// <summary>Runs, newest first.</summary>
    [Function("SyncRuns"), Requires(Permission.Read)]
    [Operation("Sync runs, newest first", Response = typeof(RunsResponse), Query = "integrationId status limit cursor")]
    public Task<IResult> ListRuns([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "sync/runs")] HttpRequest request, CancellationToken cancellationToken) =>
        sync.RunsAsync(request, cancellationToken);

    /// <summary>One run.</summary>
    [Function("SyncRun"), Requires(Permission.Read)]
    [Operation("One sync run and how far it is", Response = typeof(RunResponse))]
    public Task<IResult> GetRun(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "sync/runs/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        sync.RunAsync(request, id, cancellationToken);

    /// <summary>Integrations.</summary>
    [Function("Integrations"), Requires(Permission.Read)]
    [Operation("Integrations with their three clocks", Response = typeof(IntegrationsResponse))]
    public Task<IResult> ListIntegrations([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "integrations")] HttpRequest request, CancellationToken cancellationToken) =>
        sync.IntegrationsAsync(request, cancellationToken);

    /// <summary>Sources.</summary>
    [Function("Sources"), Requires(Permission.Read)]
    [Operation("What numbers come from: integrations, and what is pushed and imported", Response = typeof(SourcesResponse))]
    public Task<IResult> ListSources([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "sources")] HttpRequest request, CancellationToken cancellationToken) =>
        sync.SourcesAsync(request, cancellationToken);

    /// <summary>One integration.</summary>
    [Function("Integration"), Requires(Permission.Read)]
    [Operation("One integration", Response = typeof(IntegrationResponse))]
    public Task<IResult> GetIntegration(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "integrations/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        sync.IntegrationAsync(request, id, cancellationToken);
}
