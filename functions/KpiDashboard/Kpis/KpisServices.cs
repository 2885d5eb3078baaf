using KpiDashboard.Access;
using KpiDashboard.Api;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Kpis;

internal static class KpisServices
{
    /// <summary>Registers what a business's own numbers add to every read, and the words that choose days and numbers.</summary>
    public static IServiceCollection AddKpis(this IServiceCollection services)
    {
        services.AddSingleton<ITenantPart, TenantCatalogue.Part>();
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
