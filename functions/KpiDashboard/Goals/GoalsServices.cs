using KpiDashboard.Access;
using KpiDashboard.Api;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Goals;

internal static class GoalsServices
{
    /// <summary>Registers goals.</summary>
    public static IServiceCollection AddGoals(this IServiceCollection services)
    {
        services.AddSingleton<ITenantPart, Goal.Part>();
        services.AddEndpoint<GoalEndpoints>();
        services.AddApiPart(GoalJson.Default);
        return services;
    }
}
