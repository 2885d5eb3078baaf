using KpiDashboard.Api;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace KpiDashboard.Sync;

internal static class SyncServices
{
    /// <summary>How long messages that nobody understood are kept.</summary>
    private static readonly TimeSpan KeepDeadLetters = TimeSpan.FromDays(90);

    /// <summary>Registers the engine that reads sources, and connecting them. Slices add their <see cref="ITickStep"/>s themselves.</summary>
    public static IServiceCollection AddSync(this IServiceCollection services)
    {
        services.TryAddSingleton<ISyncQueues, SyncQueues>();
        services.AddSingleton(provider => new WatchedQueues(
        [
            .. provider.GetServices<IConnector>().Select(connector => new WatchedQueue(SyncQueues.NameOf(connector.Key), IsInDatabase: true)),
            new WatchedQueue(SyncQueues.Claims, IsInDatabase: false),
        ]));
        services.AddSingleton<ProviderCircuits>();
        services.AddEndpoint<SyncScheduler>();
        services.AddEndpoint<SyncRunner>();
        services.AddEndpoint<DeadLetters>();
        services.AddEndpoint<DeadLetterEndpoints>();
        services.AddSingleton<RefreshRequests>();
        services.AddEndpoint<SyncEndpoints>();
        services.AddEndpoint<IntegrationEndpoints>();
        services.AddSingleton<GoogleGrants>();
        services.AddEndpoint<GoogleConnectEndpoints>();
        services.AddEndpoint<LookEndpoints>();
        services.AddSingleton(new SealedColumn("google_grants.credentials", GoogleGrants.Purpose));
        services.AddSingleton(new SealedColumn("integrations.credentials", SyncRunner.CredentialPurpose));
        services.AddPurge("grants of Google", (database, now, token) =>
            database.ExecuteAsync("select purge_google_grants(@now)", new { now }, token));
        services.AddPurge("dead letters", (database, now, token) =>
            database.ExecuteAsync("select purge_dead_letters(@before)", new { before = now - KeepDeadLetters }, token));
        services.AddApiPart(
            new Dictionary<string, ApiParameter>
            {
                ["integrationId"] = ApiParameter.Text("This integration only; all, or a new one, without it.", "uuid"),
                ["grant"] = ApiParameter.Text(
                    "The grant that a sign-in at Google or a service account's key gave; good for an hour, for the person who got it.", "uuid"),
                ["status"] = ApiParameter.Choice(
                    "Only runs in this state.", "queued", "running", "waiting", "succeeded", "failed", "dead"),
                ["numbers"] = ApiParameter.Choice("What becomes of what was measured.", "keep", "delete"),
            },
            LookJson.Default, RunJson.Default, IntegrationJson.Default, GoogleConnectJson.Default, DeadLetterJson.Default);
        return services;
    }
}
