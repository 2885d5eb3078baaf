using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Operations;

internal static class OperationsServices
{
    /// <summary>Registers what operators look at, and what keeps the installation small.</summary>
    public static IServiceCollection AddOperations(this IServiceCollection services)
    {
        services.AddSingleton<QueueSampler>();
        services.AddEndpoint<TimerWatch>();
        services.AddEndpoint<HealthEndpoints>();
        services.AddEndpoint<OpsEndpoints>();
        services.AddOptions<RetentionOptions>().BindConfiguration("Retention")
            .Validate(RetentionOptions.IsValid, "Retention:ExecutionDays and Retention:RunDays must be 31 to 3650, Retention:ValueMonths 14 to 240 and Retention:AuditYears 1 to 50.").ValidateOnStart();
        services.AddSingleton<Retention>();
        services.AddSingleton<IHousekeeping>(provider => provider.GetRequiredService<Retention>());
        services.AddApiPart(
            new Dictionary<string, ApiParameter>
            {
                ["state"] = ApiParameter.Text(
                    "Only those in this state: active, failing, overdue, paused, reconnect_needed or disconnected."),
                ["connector"] = ApiParameter.Text("Only those of this connector, for example n8n."),
            },
            OpsJson.Default, HealthJson.Default);
        return services;
    }
}
