using KpiDashboard.Api;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Businesses;

internal static class BusinessesServices
{
    /// <summary>Registers what looks at a business as a whole.</summary>
    public static IServiceCollection AddBusinesses(this IServiceCollection services)
    {
        services.AddEndpoint<TenantEndpoints>();
        services.AddApiPart(TenantJson.Default);
        return services;
    }
}
