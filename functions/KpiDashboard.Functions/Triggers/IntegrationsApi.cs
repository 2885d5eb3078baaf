using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>Connect, change and disconnect sources.</summary>
public sealed class IntegrationsApi(IntegrationEndpoints integrations, SyncEndpoints sync)
{
    /// <summary>Connect a source.</summary>
    [Function("IntegrationConnect"), Requires(Permission.ManageIntegrations, Power = Power.ConnectSource)]
    [Operation("Try a connection, keep it and start its first sync", Status = 201, Body = typeof(ConnectRequest), Response = typeof(IntegrationResponse))]
    public Task<IResult> ConnectIntegration([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "integrations")] HttpRequest request, CancellationToken cancellationToken) =>
        integrations.ConnectAsync(request, cancellationToken);

    /// <summary>Change a connection.</summary>
    [Function("IntegrationUpdate"), Requires(Permission.ManageIntegrations, Powers = [Power.ConnectSource])]
    [Operation("Change name, schedule or key", Body = typeof(UpdateIntegrationRequest), Response = typeof(IntegrationResponse))]
    public Task<IResult> UpdateIntegration(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "integrations/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        integrations.UpdateAsync(request, id, cancellationToken);

    /// <summary>Disconnect a source.</summary>
    [Function("IntegrationDisconnect"), Requires(Permission.ManageIntegrations, Power = Power.DisconnectSource)]
    [Operation("Disconnect: credentials go at once, numbers stay unless told otherwise", Status = 204, Query = "numbers")]
    public Task<IResult> DisconnectIntegration(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "integrations/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        integrations.DisconnectAsync(request, id, cancellationToken);

    /// <summary>Test a connection.</summary>
    [Function("IntegrationTest"), Requires(Permission.ManageIntegrations)]
    [Operation("Whether a connection works, and what is wrong", Response = typeof(ConnectionTestResponse))]
    public Task<IResult> TestIntegration(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "integrations/{id}/test")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        integrations.TestAsync(request, id, cancellationToken);

    /// <summary>Read a source now.</summary>
    [Function("IntegrationSync"), Requires(Permission.Refresh)]
    [Operation("Read one source now", Status = 202, Response = typeof(RunEntry))]
    public Task<IResult> SyncIntegration(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "integrations/{id}/sync")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        integrations.SyncAsync(request, id, cancellationToken);

    /// <summary>Pause a source.</summary>
    [Function("IntegrationPause"), Requires(Permission.ManageIntegrations)]
    [Operation("Read a source no more until it is resumed", Response = typeof(IntegrationResponse))]
    public Task<IResult> PauseIntegration(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "integrations/{id}/pause")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        integrations.PauseAsync(request, id, cancellationToken);

    /// <summary>Resume a source.</summary>
    [Function("IntegrationResume"), Requires(Permission.ManageIntegrations)]
    [Operation("Read a paused source again, beginning now", Response = typeof(IntegrationResponse))]
    public Task<IResult> ResumeIntegration(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "integrations/{id}/resume")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        integrations.ResumeAsync(request, id, cancellationToken);

    /// <summary>Workflows of a source.</summary>
    [Function("IntegrationWorkflows"), Requires(Permission.Read)]
    [Operation("Workflows of a source and the minutes that each success saves", Response = typeof(WorkflowsResponse))]
    public Task<IResult> ListWorkflows(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "integrations/{id}/workflows")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        sync.WorkflowsAsync(request, id, cancellationToken);

    /// <summary>Set minutes saved.</summary>
    [Function("IntegrationWorkflowUpdate"), Requires(Permission.ManageIntegrations)]
    [Operation("Set the minutes that one success of a workflow saves", Body = typeof(UpdateWorkflowRequest), Response = typeof(WorkflowEntry))]
    public Task<IResult> UpdateWorkflow(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "integrations/{id}/workflows/{workflowId}")] HttpRequest request, string id, string workflowId,
        CancellationToken cancellationToken) => integrations.UpdateWorkflowAsync(request, id, workflowId, cancellationToken);
}
