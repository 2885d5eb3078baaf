using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.Extensions.DependencyInjection;

[assembly: Grant(Permission.Read, "See numbers, integrations, runs and settings", From = "viewer", Scope = "read", WhileDeleting = true)]

namespace KpiDashboard.Access;

internal static class AccessServices
{
    /// <summary>
    /// Registers who is let in, to what, and how often, and how a business is read. Slices add their <see cref="ITenantPart"/>s themselves.
    /// </summary>
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddOptions<LimitOptions>().BindConfiguration("Limits")
            .Validate(LimitOptions.IsValid, "Each of Limits:<name> needs Permits from 1 to 1000000 and a Period of at most 7 days.")
            .ValidateOnStart();
        services.AddSingleton<RateLimits>();
        services.AddSingleton<CostGuard>();
        services.AddSingleton<ClientAddress>();
        services.AddSingleton<TenantOpenings>();
        services.AddSingleton<TenantReads>();
        services.AddPurge("idempotency keys", (database, now, token) =>
            database.ExecuteAsync("select purge_idempotency_keys(@before)", new { before = now - IdempotencyKeys.Remembered }, token));
        services.AddHousekeeping("rate limits", (provider, token) => provider.GetRequiredService<RateLimits>().PurgeAsync(token));
        services.AddTables(
            OwnedTable.OfTenant("idempotency_keys")
                .Without("body_hash", "The hash of a request, to tell it from another."),
            OwnedTable.OfNoTenant("rate_limits", "Counters under hashed names."));
        services.AddApiPart(new Dictionary<string, ApiParameter>
        {
            ["token"] = ApiParameter.Text(
                "Id of the token whose signing secret signed the request; or X-Kpi-Token-Id. Not needed with a token itself.", "uuid"),
        });
        return services;
    }
}
