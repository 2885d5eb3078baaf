using KpiDashboard.Api;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Automation;

internal static class AutomationServices
{
    /// <summary>Registers runs of automations.</summary>
    public static IServiceCollection AddAutomation(this IServiceCollection services)
    {
        services.AddEndpoint<AutomationEndpoints>();
        services.AddEndpoint<ExecutionEndpoints>();
        services.AddApiPart(
            new Dictionary<string, ApiParameter>
            {
                ["status.run"] = ApiParameter.Text(
                    $"Only runs in these states, separated by commas: {string.Join(", ", ExecutionEndpoints.Statuses)}."),
                ["kind"] = ApiParameter.Text(
                    $"Only runs of these kinds, separated by commas: {string.Join(", ", ExecutionEndpoints.Kinds)}."),
                ["workflow"] = ApiParameter.Text("Only runs of this workflow, by its id at the source."),
            },
            AutomationJson.Default, ExecutionJson.Default);
        return services;
    }
}
