using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.Extensions.DependencyInjection;

[assembly: Grant(Permission.KeepDashboards, "Make, change and delete dashboards of one's own", From = "viewer")]
[assembly: Grant(Permission.ShareDashboards, "Share dashboards with the business, and change those that it shares", From = "member")]
[assembly: Grant(Permission.ManageShares, "Make, list and take back read-only links to dashboards", From = "admin")]

namespace KpiDashboard.Dashboards;

internal static class DashboardsServices
{
    /// <summary>Registers dashboards and their read-only links.</summary>
    public static IServiceCollection AddDashboards(this IServiceCollection services)
    {
        services.AddEndpoint<DashboardEndpoints>();
        services.AddEndpoint<ShareEndpoints>();
        services.AddTables(
            OwnedTable.OfTenant("dashboards"),
            OwnedTable.OfTenant("dashboard_shares")
                .Without("token_hash", "The hash of a read-only link to a dashboard."));
        services.AddApiPart(DashboardJson.Default);
        return services;
    }
}
