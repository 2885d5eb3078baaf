using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Push;
using KpiDashboard.Webhooks;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>What others bring: readings of custom KPIs, CSV files, executions of n8n.</summary>
public sealed class PushApi(CustomKpiEndpoints kpis, PushEndpoints push, ImportEndpoints imports, N8nWebhookEndpoints n8n, PushLogEndpoints log)
{
    /// <summary>The business's own KPIs.</summary>
    [Function("CustomKpis"), Requires(Permission.ManageSettings)]
    [Operation("The business's own KPIs", Response = typeof(CustomKpisResponse))]
    public Task<IResult> ListCustomKpis([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "kpis/custom")] HttpRequest request, CancellationToken cancellationToken) =>
        kpis.ListAsync(request, cancellationToken);

    /// <summary>Define a KPI.</summary>
    [Function("CustomKpiCreate"), Requires(Permission.ManageSettings)]
    [Operation("Define a KPI", Status = 201, Body = typeof(CreateKpiRequest), Response = typeof(CustomKpiEntry))]
    public Task<IResult> CreateCustomKpi([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "kpis/custom")] HttpRequest request, CancellationToken cancellationToken) =>
        kpis.CreateAsync(request, cancellationToken);

    /// <summary>Change a KPI.</summary>
    [Function("CustomKpiUpdate"), Requires(Permission.ManageSettings)]
    [Operation("Change a KPI; its key stays", Body = typeof(UpdateKpiRequest), Response = typeof(CustomKpiEntry))]
    public Task<IResult> UpdateCustomKpi(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "kpis/custom/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        kpis.UpdateAsync(request, id, cancellationToken);

    /// <summary>Delete a KPI.</summary>
    [Function("CustomKpiDelete"), Requires(Permission.ManageSettings)]
    [Operation("Delete a KPI with all its readings", Status = 204)]
    public Task<IResult> DeleteCustomKpi(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "kpis/custom/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        kpis.DeleteAsync(request, id, cancellationToken);

    /// <summary>Push readings.</summary>
    [Function("Push"), Requires(Permission.Push, Body = PushEndpoints.Limit)]
    [Operation("Push readings of custom KPIs", Body = typeof(PushRequest), Response = typeof(PushResponse))]
    public Task<IResult> PushReadings([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "push")] HttpRequest request, CancellationToken cancellationToken) =>
        push.PushAsync(request, cancellationToken);

    /// <summary>Import a CSV file.</summary>
    [Function("Import"), Requires(Permission.Push, Cost = Cost.Heavy, Body = ImportEndpoints.MaxBytes)]
    [Operation("Look at a CSV file (200), or import it in the background (202)", BodyMedia = "text/csv", Response = typeof(ImportResponse), Query = "mode name delimiter decimal dates")]
    public Task<IResult> ImportFile([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "import")] HttpRequest request, CancellationToken cancellationToken) =>
        imports.ImportAsync(request, cancellationToken);

    /// <summary>The last imports.</summary>
    [Function("Imports"), Requires(Permission.Push)]
    [Operation("The last imports, newest first", Response = typeof(ImportsResponse))]
    public Task<IResult> ListImports([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "imports")] HttpRequest request, CancellationToken cancellationToken) =>
        imports.ListAsync(request, cancellationToken);

    /// <summary>An import and how far it is.</summary>
    [Function("ImportGet"), Requires(Permission.Push)]
    [Operation("An import and how far it is", Response = typeof(ImportResponse))]
    public Task<IResult> GetImport(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "imports/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        imports.GetAsync(request, id, cancellationToken);

    /// <summary>Executions of n8n.</summary>
    [Function("WebhookN8n"), Requires(Permission.PushExecutions, Signature = true, Body = N8nWebhookEndpoints.Limit)]
    [Operation("Executions of n8n as they happen: one event or an array", Body = typeof(N8nEventRequest), Response = typeof(N8nWebhookResponse), Query = "token source")]
    public Task<IResult> ReceiveN8n([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "webhooks/n8n")] HttpRequest request, CancellationToken cancellationToken) =>
        n8n.ReceiveAsync(request, cancellationToken);

    /// <summary>What was pushed of late.</summary>
    [Function("PushLog"), Requires(Permission.ManageTokens)]
    [Operation("Pushed events of late and what became of each, newest first", Response = typeof(PushLogResponse), Query = "outcome limit cursor")]
    public Task<IResult> ListPushLog([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "push/log")] HttpRequest request, CancellationToken cancellationToken) =>
        log.ListAsync(request, cancellationToken);
}
