using KpiDashboard.Api;
using KpiDashboard.Sync;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Insights;

internal static class InsightsServices
{
    /// <summary>Registers what the numbers say, and the scores that lists of businesses show.</summary>
    public static IServiceCollection AddInsights(this IServiceCollection services)
    {
        services.AddSingleton<HealthScores>();
        services.AddSingleton<ITickStep>(provider => provider.GetRequiredService<HealthScores>());
        services.AddEndpoint<InsightEndpoints>();
        services.AddApiPart(InsightJson.Default);
        return services;
    }
}
