using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.Extensions.DependencyInjection;

[assembly: Grant(Permission.ManageNumbers, "Set goals, define calculated KPIs, write annotations, put insights aside", From = "member")]

namespace KpiDashboard.Kpis;

internal static class KpisServices
{
    /// <summary>Registers what a business's own numbers add to every read, and the words that choose days and numbers.</summary>
    public static IServiceCollection AddKpis(this IServiceCollection services)
    {
        services.AddSingleton<ITenantPart, TenantCatalogue.Part>();
        services.AddTables(
            OwnedTable.OfTenant("kpi_values"),
            OwnedTable.NotExported("kpi_months", "How numbers lie; they are in kpi_values, a day a row."),
            OwnedTable.NotExported("kpi_keys", "Short numbers for the keys of KPIs, which kpi_values has."),
            OwnedTable.NotExported("kpi_writes", "Which write a number came with; kpi_values has its run and its times."),
            OwnedTable.OfTenant("kpi_restatements"));
        services.AddApiPart(new Dictionary<string, ApiParameter>
        {
            ["range"] = ApiParameter.Choice(
                "A preset that ends at the last complete day, or today so far, or with the day that 'to' names; instead of 'from' and 'to'.",
                [.. Period.Presets]),
            ["compare"] = ApiParameter.Choice("What to compare with.", "previous_period", "previous_year", "none"),
            ["dimension"] = ApiParameter.Choice("By what it divides.", [.. Breakdowns.Names]),
        });
        return services;
    }
}
