using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Automation;
using KpiDashboard.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>Single runs of automations.</summary>
public sealed class AutomationApi(ExecutionEndpoints executions, AutomationEndpoints automation, LookEndpoints looks)
{
    /// <summary>Runs, newest first.</summary>
    [Function("AutomationExecutions"), Requires(Permission.Read)]
    [Operation("Runs, newest first, those under way included",
        Response = typeof(ExecutionsResponse), Query = "workflow status.run kind integrationId from to sources limit cursor")]
    public Task<IResult> ListExecutions(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "automation/executions")] HttpRequest request, CancellationToken cancellationToken) =>
        executions.ListAsync(request, cancellationToken);

    /// <summary>A run.</summary>
    [Function("AutomationExecution"), Requires(Permission.Read)]
    [Operation("One run, by the id that its source gave it", Response = typeof(ExecutionEntry), Query = "integrationId")]
    public Task<IResult> GetExecution(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "automation/executions/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        executions.GetAsync(request, id, cancellationToken);

    /// <summary>Runs as a file.</summary>
    [Function("AutomationExecutionsExport"), Requires(Permission.Read, Cost = Cost.Heavy)]
    [Operation("Runs as CSV or JSON", Response = typeof(RunsFile), Query = "format workflow status.run kind integrationId from to sources")]
    public Task<IResult> ExportExecutions(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "automation/export/executions")] HttpRequest request, CancellationToken cancellationToken) =>
        executions.ExportAsync(request, cancellationToken);

    /// <summary>Workflows as a file.</summary>
    [Function("AutomationWorkflowsExport"), Requires(Permission.Read, Cost = Cost.Heavy)]
    [Operation("The table of workflows as CSV or JSON", Response = typeof(WorkflowsFile), Query = "format range from to compare sources")]
    public Task<IResult> ExportWorkflows(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "automation/export/workflows")] HttpRequest request, CancellationToken cancellationToken) =>
        automation.ExportAsync(request, cancellationToken);

    /// <summary>Look at what runs now.</summary>
    [Function("AutomationLook"), Requires(Permission.Read)]
    [Operation("Ask the sources what runs now, unless that was done a moment ago", Response = typeof(LookResponse))]
    public Task<IResult> Look([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "automation/look")] HttpRequest request, CancellationToken cancellationToken) =>
        looks.LookAsync(request, cancellationToken);
}
