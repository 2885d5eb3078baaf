using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Operations;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>Health and the description of the API; open.</summary>
public sealed class HealthApi(HealthEndpoints health, OpenApiEndpoint openApi)
{
    /// <summary>The process answers.</summary>
    [Function("HealthLive"), Requires(Permission.Anonymous), Operation("The process answers", Response = typeof(HealthResponse))]
    public static IResult GetLive([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "health/live")] HttpRequest request) => HealthEndpoints.Live();

    /// <summary>Requests can be served.</summary>
    [Function("HealthReady"), Requires(Permission.Anonymous), Operation("Requests can be served; 503 with the reason otherwise", Response = typeof(HealthResponse))]
    public Task<IResult> GetReady([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "health/ready")] HttpRequest request, CancellationToken cancellationToken) =>
        health.ReadyAsync(request, cancellationToken);

    /// <summary>The OpenAPI document.</summary>
    [Function("OpenApi"), Requires(Permission.Anonymous), Operation("This document")]
    public IResult GetOpenApi([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "openapi.json")] HttpRequest request) => openApi.Get();
}
