using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Webhooks;

internal static class WebhooksServices
{
    /// <summary>Registers what automation tools report, and the log of what came.</summary>
    public static IServiceCollection AddWebhooks(this IServiceCollection services)
    {
        services.AddSingleton<PushLog>();
        services.AddSingleton<ITokenRefusals>(provider => provider.GetRequiredService<PushLog>());
        services.AddPurge("pushed events", PushLog.PurgeAsync);
        services.AddEndpoint<PushLogEndpoints>();
        services.AddEndpoint<N8nWebhookEndpoints>();
        services.AddApiPart(
            new Dictionary<string, ApiParameter>
            {
                ["source"] = ApiParameter.Text(
                    "The n8n that these runs are of, by the id of its integration; needed where a business has several."),
                ["outcome"] = ApiParameter.Choice("What became of the event.", "all", "accepted", "unchanged", "rejected"),
            },
            N8nWebhookJson.Default, PushLogJson.Default);
        return services;
    }
}
