using KpiDashboard.Api;
using KpiDashboard.Identity;
using KpiDashboard.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>For whoever operates the installation, across tenants. By function key, which the host checks before any of this runs.</summary>
public sealed class OpsApi(DeadLetterEndpoints deadLetters)
{
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
