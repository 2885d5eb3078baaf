using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Dashboards;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>Dashboards and the links to them.</summary>
public sealed class DashboardsApi(DashboardEndpoints dashboards, ShareEndpoints shares)
{
    /// <summary>The dashboards.</summary>
    [Function("Dashboards"), Requires(Permission.Read)]
    [Operation("The dashboards that the caller may see, and the templates", Response = typeof(DashboardsResponse))]
    public Task<IResult> ListDashboards([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "dashboards")] HttpRequest request, CancellationToken cancellationToken) =>
        dashboards.ListAsync(request, cancellationToken);

    /// <summary>Make a dashboard.</summary>
    [Function("DashboardCreate"), Requires(Permission.KeepDashboards)]
    [Operation("Make a dashboard, from a template or from tiles", Status = 201, Body = typeof(CreateDashboardRequest), Response = typeof(DashboardResponse))]
    public Task<IResult> CreateDashboard([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "dashboards")] HttpRequest request, CancellationToken cancellationToken) =>
        dashboards.CreateAsync(request, cancellationToken);

    /// <summary>A dashboard.</summary>
    [Function("DashboardGet"), Requires(Permission.Read)]
    [Operation("A dashboard with its tiles", Response = typeof(DashboardResponse))]
    public Task<IResult> GetDashboard(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "dashboards/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        dashboards.GetAsync(request, id, cancellationToken);

    /// <summary>Change a dashboard.</summary>
    [Function("DashboardUpdate"), Requires(Permission.KeepDashboards)]
    [Operation("Change a dashboard; 409 if somebody changed it meanwhile", Body = typeof(UpdateDashboardRequest), Response = typeof(DashboardResponse))]
    public Task<IResult> UpdateDashboard(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "dashboards/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        dashboards.UpdateAsync(request, id, cancellationToken);

    /// <summary>Delete a dashboard.</summary>
    [Function("DashboardDelete"), Requires(Permission.KeepDashboards)]
    [Operation("Delete a dashboard and the links to it", Status = 204)]
    public Task<IResult> DeleteDashboard(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "dashboards/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        dashboards.DeleteAsync(request, id, cancellationToken);

    /// <summary>The links to a dashboard.</summary>
    [Function("DashboardShares"), Requires(Permission.ManageShares)]
    [Operation("The read-only links to a dashboard that work", Response = typeof(SharesResponse))]
    public Task<IResult> ListShares(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "dashboards/{id}/shares")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        shares.ListAsync(request, id, cancellationToken);

    /// <summary>Make a link.</summary>
    [Function("DashboardShareCreate"), Requires(Permission.ManageShares)]
    [Operation("Make a read-only link to a dashboard", Status = 201, Body = typeof(CreateShareRequest), Response = typeof(CreateShareResponse))]
    public Task<IResult> CreateShare(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "dashboards/{id}/shares")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        shares.CreateAsync(request, id, cancellationToken);

    /// <summary>Take a link back.</summary>
    [Function("DashboardShareRevoke"), Requires(Permission.ManageShares)]
    [Operation("Take a link back", Status = 204)]
    public Task<IResult> RevokeShare(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "dashboards/{id}/shares/{shareId}")] HttpRequest request, string id, string shareId, CancellationToken cancellationToken) =>
        shares.RevokeAsync(request, id, shareId, cancellationToken);

    /// <summary>What a link shows.</summary>
    [Function("SharedDashboard"), Requires(Permission.Anonymous)]
    [Operation("The dashboard of a link, with its numbers; the secret of the link in X-Kpi-Share", Response = typeof(SharedDashboardResponse), Query = "range compare")]
    public Task<IResult> ViewShared([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "shared/dashboard")] HttpRequest request, CancellationToken cancellationToken) =>
        shares.ViewAsync(request, cancellationToken);
}
