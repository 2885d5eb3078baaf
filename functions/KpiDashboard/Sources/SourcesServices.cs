using KpiDashboard.Access;
using KpiDashboard.Api;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Sources;

internal static class SourcesServices
{
    /// <summary>Registers what is known of the sources of a business.</summary>
    public static IServiceCollection AddSources(this IServiceCollection services)
    {
        services.AddSingleton<ITenantPart, SourceState.Part>();
        services.AddApiPart(new Dictionary<string, ApiParameter>
        {
            ["sources"] = ApiParameter.Text(
                "Only of these: ids of integrations, and push for what is pushed and imported, separated by commas; GET sources lists them. "
                + "All when left out."),
        });
        return services;
    }
}
