using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Tenancy;

internal static class TenancyServices
{
    /// <summary>Registers what is known of a business and its clock.</summary>
    public static IServiceCollection AddTenancy(this IServiceCollection services)
    {
        services.AddSingleton<TimeZoneNames>();
        return services;
    }
}
