using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>Registers the Google Analytics 4 connector.</summary>
internal static class GoogleAnalyticsServiceCollectionExtensions
{
    /// <summary>Largest answer that is read. A batch of three reports over 92 days is about 60 kB; 16 MB is a fault, not an answer.</summary>
    internal const int MaxAnswerBytes = 16 * 1024 * 1024;

    /// <summary>
    /// Adds <see cref="GoogleAnalyticsConnector"/> as an <see cref="IConnector"/>. Needs a <see cref="TimeProvider"/>; registers the system's if there is none.
    /// Nothing is validated here: an installation without Google Analytics starts all the same.
    /// </summary>
    internal static IServiceCollection AddGoogleAnalyticsConnector(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.Configure<GoogleAnalyticsOptions>(configuration.GetSection(GoogleAnalyticsOptions.Section));
        services
            .AddHttpClient(GoogleAnalyticsClient.HttpClientName)
            .ConfigureHttpClient((provider, client) =>
            {
                client.Timeout = TimeSpan.FromSeconds(Math.Clamp(provider.GetRequiredService<IOptionsMonitor<GoogleAnalyticsOptions>>().CurrentValue.TimeoutSeconds, 1, 300));
                client.MaxResponseContentBufferSize = MaxAnswerBytes;
            })
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                // A redirect would carry the bearer token elsewhere, and Google's APIs do not redirect.
                AllowAutoRedirect = false,
                ConnectTimeout = TimeSpan.FromSeconds(10),
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            });
        services.TryAddSingleton<GoogleAccessTokens>();
        services.TryAddSingleton<GoogleAnalyticsClient>();
        services.TryAddSingleton<GoogleSignIn>();
        services.AddSingleton<IConnector, GoogleAnalyticsConnector>();
        return services;
    }
}
