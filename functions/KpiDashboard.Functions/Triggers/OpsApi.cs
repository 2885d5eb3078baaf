using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Operations;
using KpiDashboard.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>For whoever operates the installation, across tenants. By function key, which the host checks before any of this runs.</summary>
public sealed class OpsApi(OpsEndpoints ops, DeadLetterEndpoints deadLetters)
{
    /// <summary>Everything at a glance.</summary>
    [Function("OpsOverview"), Requires(Permission.Operate)]
    [Operation("State of the installation: counts of tenants, integrations and runs, what waits, what was given up, queues, the last backup", Response = typeof(OverviewResponse))]
    public Task<IResult> Overview([HttpTrigger(AuthorizationLevel.Function, "get", Route = "ops/overview")] HttpRequest request, CancellationToken cancellationToken) =>
        ops.OverviewAsync(request, cancellationToken);

    /// <summary>Integrations of all tenants.</summary>
    [Function("OpsIntegrations"), Requires(Permission.Operate)]
    [Operation("Integrations of all tenants by state and connector, without personal data", Response = typeof(OpsIntegrationsResponse), Query = "state connector limit cursor")]
    public Task<IResult> Integrations([HttpTrigger(AuthorizationLevel.Function, "get", Route = "ops/integrations")] HttpRequest request, CancellationToken cancellationToken) =>
        ops.IntegrationsAsync(request, cancellationToken);

    /// <summary>What is wrong with single businesses.</summary>
    [Function("OpsFaults"), Requires(Permission.Operate)]
    [Operation("What went wrong with single businesses while the others were served, newest first", Response = typeof(OpsFaultsResponse), Query = "limit")]
    public Task<IResult> Faults([HttpTrigger(AuthorizationLevel.Function, "get", Route = "ops/faults")] HttpRequest request, CancellationToken cancellationToken) =>
        ops.FaultsAsync(request, cancellationToken);

    /// <summary>Seen.</summary>
    [Function("OpsClearFaults"), Requires(Permission.Operate)]
    [Operation("Clear what was noted of a business; what is still so comes back", Body = typeof(ClearFaultsRequest), Response = typeof(ClearFaultsResponse))]
    public Task<IResult> ClearFaults([HttpTrigger(AuthorizationLevel.Function, "post", Route = "ops/faults/clear")] HttpRequest request, CancellationToken cancellationToken) =>
        ops.ClearFaultsAsync(request, cancellationToken);

    /// <summary>What runs here.</summary>
    [Function("OpsHost"), Requires(Permission.Operate)]
    [Operation("This instance: version, runtime, which settings are there, migrations", Response = typeof(OpsHostResponse))]
    public Task<IResult> Host([HttpTrigger(AuthorizationLevel.Function, "get", Route = "ops/host")] HttpRequest request, CancellationToken cancellationToken) =>
        ops.HostAsync(request, cancellationToken);

    /// <summary>What was given up.</summary>
    [Function("OpsDeadLetters"), Requires(Permission.Operate)]
    [Operation("Dead runs of all tenants and messages that no function could read, newest first", Response = typeof(DeadLettersResponse), Query = "limit cursor")]
    public Task<IResult> ListDeadLetters([HttpTrigger(AuthorizationLevel.Function, "get", Route = "ops/dead-letters")] HttpRequest request, CancellationToken cancellationToken) =>
        deadLetters.ListAsync(request, cancellationToken);

    /// <summary>Try again.</summary>
    [Function("OpsRequeue"), Requires(Permission.Operate)]
    [Operation("Try dead runs and kept messages again", Body = typeof(RequeueRequest), Response = typeof(RequeueResponse))]
    public Task<IResult> RequeueDeadLetters([HttpTrigger(AuthorizationLevel.Function, "post", Route = "ops/requeue")] HttpRequest request, CancellationToken cancellationToken) =>
        deadLetters.RequeueAsync(request, cancellationToken);
}
