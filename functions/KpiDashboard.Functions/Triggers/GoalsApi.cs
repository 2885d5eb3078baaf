using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Formulas;
using KpiDashboard.Goals;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>What a business wants of its numbers, and KPIs that it computes from others.</summary>
public sealed class GoalsApi(GoalEndpoints goals, CalculatedKpiEndpoints calculated)
{
    /// <summary>The goals.</summary>
    [Function("Goals"), Requires(Permission.Read)]
    [Operation("Goals: how each stands, its pace, and how it went", Response = typeof(GoalsResponse), Query = "sources")]
    public Task<IResult> ListGoals(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "goals")] HttpRequest request, CancellationToken cancellationToken) =>
        goals.ListAsync(request, cancellationToken);

    /// <summary>Set a goal.</summary>
    [Function("GoalCreate"), Requires(Permission.ManageNumbers)]
    [Operation("Set a goal", Status = 201, Body = typeof(CreateGoalRequest), Response = typeof(GoalEntry))]
    public Task<IResult> CreateGoal(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "goals")] HttpRequest request, CancellationToken cancellationToken) =>
        goals.CreateAsync(request, cancellationToken);

    /// <summary>Change a goal.</summary>
    [Function("GoalUpdate"), Requires(Permission.ManageNumbers)]
    [Operation("Change a goal; periods that are over stay judged by the target that they had", Body = typeof(UpdateGoalRequest), Response = typeof(GoalEntry))]
    public Task<IResult> UpdateGoal(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "goals/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        goals.UpdateAsync(request, id, cancellationToken);

    /// <summary>Delete a goal.</summary>
    [Function("GoalDelete"), Requires(Permission.ManageNumbers)]
    [Operation("Delete a goal", Status = 204)]
    public Task<IResult> DeleteGoal(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "goals/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        goals.DeleteAsync(request, id, cancellationToken);

    /// <summary>Calculated KPIs.</summary>
    [Function("CalculatedKpis"), Requires(Permission.Read)]
    [Operation("KPIs that the business computes from others", Response = typeof(CalculatedKpisResponse))]
    public Task<IResult> ListCalculatedKpis(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "kpis/calculated")] HttpRequest request, CancellationToken cancellationToken) =>
        calculated.ListAsync(request, cancellationToken);

    /// <summary>Define a calculated KPI.</summary>
    [Function("CalculatedKpiCreate"), Requires(Permission.ManageNumbers)]
    [Operation("Define a KPI by a formula", Status = 201, Body = typeof(CreateCalculatedKpiRequest), Response = typeof(CalculatedKpiEntry))]
    public Task<IResult> CreateCalculatedKpi(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "kpis/calculated")] HttpRequest request, CancellationToken cancellationToken) =>
        calculated.CreateAsync(request, cancellationToken);

    /// <summary>Try a formula.</summary>
    [Function("CalculatedKpiPreview"), Requires(Permission.Read)]
    [Operation("What a formula gives over the last 28 days; nothing is kept", Body = typeof(PreviewCalculatedKpiRequest), Response = typeof(CalculatedPreviewResponse), Query = "sources")]
    public Task<IResult> PreviewCalculatedKpi(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "kpis/calculated/preview")] HttpRequest request, CancellationToken cancellationToken) =>
        calculated.PreviewAsync(request, cancellationToken);

    /// <summary>Change a calculated KPI.</summary>
    [Function("CalculatedKpiUpdate"), Requires(Permission.ManageNumbers)]
    [Operation("Change a calculated KPI; its key stays", Body = typeof(UpdateCalculatedKpiRequest), Response = typeof(CalculatedKpiEntry))]
    public Task<IResult> UpdateCalculatedKpi(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "kpis/calculated/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        calculated.UpdateAsync(request, id, cancellationToken);

    /// <summary>Delete a calculated KPI.</summary>
    [Function("CalculatedKpiDelete"), Requires(Permission.ManageNumbers)]
    [Operation("Delete a calculated KPI that nothing else uses", Status = 204)]
    public Task<IResult> DeleteCalculatedKpi(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "kpis/calculated/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        calculated.DeleteAsync(request, id, cancellationToken);
}
