using KpiDashboard.Api;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Formulas;

internal static class FormulasServices
{
    /// <summary>Registers KPIs that a business computes from others.</summary>
    public static IServiceCollection AddFormulas(this IServiceCollection services)
    {
        services.AddEndpoint<CalculatedKpiEndpoints>();
        services.AddApiPart(CalculatedKpiJson.Default);
        return services;
    }
}
