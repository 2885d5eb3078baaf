using KpiDashboard.Access;
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
    /// <summary>How long what nobody needs any more is kept: sessions that ended, messages that nobody understood.</summary>
    private static readonly TimeSpan KeepSessions = TimeSpan.FromDays(30), KeepDeadLetters = TimeSpan.FromDays(90), KeepIdempotencyKeys = TimeSpan.FromHours(24);

    /// <summary>Registers data protection and the housekeeping, which other slices add their <see cref="IHousekeeping"/> to.</summary>
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
        services.AddPurge("sessions", (database, now, token) => database.ExecuteAsync("select purge_sessions(@before)", new { before = now - KeepSessions }, token));
        services.AddPurge("idempotency keys", (database, now, token) => database.ExecuteAsync("select purge_idempotency_keys(@before)", new { before = now - KeepIdempotencyKeys }, token));
        services.AddPurge("dead letters", (database, now, token) => database.ExecuteAsync("select purge_dead_letters(@before)", new { before = now - KeepDeadLetters }, token));
        services.AddSingleton<IHousekeeping>(provider => new HousekeepingStep("rate limits", provider.GetRequiredService<RateLimits>().PurgeAsync));
        services.AddSingleton<IHousekeeping>(provider => new HousekeepingStep("mails", token => provider.GetRequiredService<MailOutbox>().PurgeAsync(
            provider.GetRequiredService<TimeProvider>().GetUtcNow() - MailOutbox.KeepFinished, token)));
        return services;
    }

    /// <summary>Adds a step that forgets what is old.</summary>
    public static IServiceCollection AddPurge(this IServiceCollection services, string name, Func<Database, DateTimeOffset, CancellationToken, Task> purge) =>
        services.AddSingleton<IHousekeeping>(provider => new HousekeepingStep(
            name, token => purge(provider.GetRequiredService<Database>(), provider.GetRequiredService<TimeProvider>().GetUtcNow(), token)));
}
