using KpiDashboard.Api;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Metrics;

internal static class MetricsServices
{
    /// <summary>Registers how numbers are asked for.</summary>
    public static IServiceCollection AddKpiMetrics(this IServiceCollection services)
    {
        services.AddEndpoint<MetricsEndpoints>();
        services.AddEndpoint<BreakdownEndpoints>();
        services.AddEndpoint<ProvenanceEndpoints>();
        services.AddEndpoint<ValueExportEndpoints>();
        services.AddApiPart(
            new Dictionary<string, ApiParameter>
            {
                ["with"] = ApiParameter.Choice("What else to answer.", "numbers", "insights"),
                ["kpis"] = ApiParameter.Text("1 to 20 KPI keys, separated by commas."),
                ["kpi"] = ApiParameter.Text("A KPI key."),
                ["date"] = ApiParameter.Text("The day.", "date"),
                ["grain"] = ApiParameter.Choice("Day, week (from the tenant's first weekday) or month.", "day", "week", "month"),
                ["member"] = ApiParameter.Text("One value of the dimension, for example Organic Search; with one KPI only."),
                ["top"] = ApiParameter.Number(
                    "Most values to list, 10 if left out; the others are the rest.", 1, BreakdownEndpoints.MostMembers),
            },
            MetricsJson.Default, BreakdownJson.Default, ProvenanceJson.Default);
        return services;
    }
}
