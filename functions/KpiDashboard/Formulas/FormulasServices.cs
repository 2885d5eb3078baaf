using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Formulas;

internal static class FormulasServices
{
    /// <summary>Registers KPIs that a business computes from others.</summary>
    public static IServiceCollection AddFormulas(this IServiceCollection services)
    {
        services.AddEndpoint<CalculatedKpiEndpoints>();
        services.AddTables(OwnedTable.OfTenant("calculated_kpis"));
        services.AddApiPart(CalculatedKpiJson.Default);
        return services;
    }
}
