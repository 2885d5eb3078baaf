using KpiDashboard.Api;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Security;

internal static class SecurityServices
{
    /// <summary>Registers how secrets are sealed. Slices add their <see cref="SealedColumn"/>s themselves.</summary>
    public static IServiceCollection AddSecurity(this IServiceCollection services)
    {
        services.AddOptions<SecretOptions>().BindConfiguration("Secrets")
            .Validate(SecretOptions.IsValid, "Secrets:CurrentKey must name one of Secrets:Keys, and each of those must be 32 bytes in base64.").ValidateOnStart();
        services.AddSingleton<SecretSealer>();
        services.AddSingleton<SecretRotation>();
        services.AddSingleton<IReadinessCheck>(provider => new SettingCheck(
            () => provider.GetRequiredService<IOptionsMonitor<SecretOptions>>().CurrentValue.CurrentKey.Length > 0,
            "No key to seal secrets with is configured (Secrets:CurrentKey and Secrets:Keys)."));
        return services;
    }
}
