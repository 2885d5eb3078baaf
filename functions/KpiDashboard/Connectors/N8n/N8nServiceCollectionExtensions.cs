using KpiDashboard.Security;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Connectors.N8n;

/// <summary>Registers the n8n connector.</summary>
internal static class N8nServiceCollectionExtensions
{
    /// <summary>Largest answer that is read. Workflows come with all their nodes: a hundred large ones are a few megabytes.</summary>
    internal const int MaxAnswerBytes = 32 * 1024 * 1024;

    /// <summary>
    /// Adds <see cref="N8nConnector"/> as an <see cref="IConnector"/>. Needs a <see cref="TimeProvider"/>; registers the system's if there is none. The HTTP
    /// client goes where <see cref="OutboundGuard"/> lets it, and follows no redirect: that would carry the API key elsewhere.
    /// </summary>
    internal static IServiceCollection AddN8nConnector(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.Configure<N8nOptions>(configuration.GetSection(N8nOptions.Section));
        services
            .AddOutboundGuard(configuration)
            .AddHttpClient(N8nClient.HttpClientName)
            .ConfigureHttpClient((provider, client) =>
            {
                client.Timeout = TimeSpan.FromSeconds(Math.Clamp(provider.GetRequiredService<IOptionsMonitor<N8nOptions>>().CurrentValue.TimeoutSeconds, 1, 300));
                client.MaxResponseContentBufferSize = MaxAnswerBytes;
            })
            .GuardOutbound();
        services.AddSingleton<IConnector, N8nConnector>();
        return services;
    }
}
