using KpiDashboard.Api;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Dashboards;

internal static class DashboardsServices
{
    /// <summary>Registers dashboards and their read-only links.</summary>
    public static IServiceCollection AddDashboards(this IServiceCollection services)
    {
        services.AddEndpoint<DashboardEndpoints>();
        services.AddEndpoint<ShareEndpoints>();
        services.AddApiPart(DashboardJson.Default);
        return services;
    }
}
