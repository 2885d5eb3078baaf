using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Mail;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Privacy;

/// <summary>Section <c>Privacy</c>.</summary>
internal sealed class PrivacyOptions
{
    /// <summary>Days between the wish to delete a business and its end; within them an owner can undo it.</summary>
    public int GraceDays { get; set; } = 14;

    internal static bool IsValid(PrivacyOptions options) => options.GraceDays is >= 1 and <= 90;
}

internal static class PrivacyServices
{
    /// <summary>Registers data protection, and the housekeeping: slices add their <see cref="IHousekeeping"/> steps themselves.</summary>
    public static IServiceCollection AddPrivacy(this IServiceCollection services)
    {
        services.AddOptions<PrivacyOptions>().BindConfiguration("Privacy")
            .Validate(PrivacyOptions.IsValid, "Privacy:GraceDays must be a whole number from 1 to 90.").ValidateOnStart();
        services.AddSingleton<TenantDeletion>();
        services.AddSingleton<PersonalData>();
        services.AddEndpoint<TenantExporter>();
        services.AddEndpoint<PrivacyEndpoints>();
        services.AddSingleton<IMailKind, ExportReadyMail>();
        services.AddSingleton<IMailKind, DeletionRequestedMail>();

        services.AddEndpoint<Housekeeping>();
        services.AddSingleton<IHousekeeping>(provider => provider.GetRequiredService<TenantDeletion>());
        services.AddPurge("exports", (database, now, token) => database.ExecuteAsync("select purge_tenant_exports(@now)", new { now }, token));
        services.AddSingleton(new WatchedQueues(new WatchedQueue(TenantExporter.Queue, IsInDatabase: false)));
        services.AddApiPart(PrivacyJson.Default);
        return services;
    }
}
