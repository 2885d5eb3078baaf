using System.Reflection;
using KpiDashboard.Access;
using KpiDashboard.Annotations;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Automation;
using KpiDashboard.Businesses;
using KpiDashboard.Connectors.GoogleAnalytics;
using KpiDashboard.Connectors.N8n;
using KpiDashboard.Dashboards;
using KpiDashboard.Data;
using KpiDashboard.Formulas;
using KpiDashboard.Goals;
using KpiDashboard.Identity;
using KpiDashboard.Insights;
using KpiDashboard.Kpis;
using KpiDashboard.Mail;
using KpiDashboard.Members;
using KpiDashboard.Metrics;
using KpiDashboard.Operations;
using KpiDashboard.Privacy;
using KpiDashboard.Push;
using KpiDashboard.Security;
using KpiDashboard.Sources;
using KpiDashboard.Sync;
using KpiDashboard.Telemetry;
using KpiDashboard.Tenancy;
using KpiDashboard.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;

namespace KpiDashboard;

/// <summary>The product's services.</summary>
public static class KpiDashboardServices
{
    /// <summary>Registers everything that the triggers call. Does no I/O: connections are opened when they are first used.</summary>
    /// <param name="services">The app's services.</param>
    /// <param name="configuration">The app's settings; read when needed, because the embedded services know their ports only after they started.</param>
    /// <param name="triggers">The assembly with the trigger methods, which the OpenAPI document is made from.</param>
    public static IServiceCollection AddKpiDashboard(this IServiceCollection services, IConfiguration configuration, Assembly triggers)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(new TriggerAssembly(triggers));
        services.AddInstruments();
        services.AddDatabase();
        // Only for JsonAnswer, which chooses what may be compressed; there is no middleware.
        services.AddResponseCompression(compression => compression.EnableForHttps = true);

        services.AddOptions<SecretOptions>().BindConfiguration("Secrets")
            .Validate(SecretOptions.IsValid, "Secrets:CurrentKey must name one of Secrets:Keys, and each of those must be 32 bytes in base64.").ValidateOnStart();
        services.AddSingleton<SecretSealer>();
        services.AddSingleton<SecretRotation>();
        services.AddOptions<AuthOptions>().BindConfiguration("Auth")
            .Validate(AuthOptions.IsValid, "Auth:CurrentKey must name one of Auth:SigningKeys, and each of those must be 32 bytes or more in base64.")
            .Validate(AuthOptions.PasswordsAreValid, "Auth:PasswordMemoryKib must be 19456 to 1048576, Auth:PasswordPasses 2 to 20, Auth:PasswordLanes 1 to 16 and Auth:PasswordMinLength 8 to 64.")
            .Validate(AuthOptions.SessionsAreValid, "Auth:SessionMaxDays must be 1 to 90.").ValidateOnStart();
        services.AddOptions<LimitOptions>().BindConfiguration("Limits")
            .Validate(LimitOptions.IsValid, "Each of Limits:<name> needs Permits from 1 to 1000000 and a Period of at most 7 days.").ValidateOnStart();
        services.AddOptions<HttpOptions>().BindConfiguration("Http")
            .Validate(HttpOptions.IsValid, "Http:AllowedOrigins must be origins like https://kpi.example.com, separated by blanks, without paths or wildcards.").ValidateOnStart();
        services.AddSingleton<RequestOrigins>();
        services.AddSingleton<RateLimits>();
        services.AddSingleton<CostGuard>();
        services.AddSingleton<ClientAddress>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<PasswordHasher>();
        services.AddSingleton<PasswordRules>();
        services.AddSingleton<KnownBrowsers>();
        services.AddSingleton<SignInGuard>();
        services.AddSingleton<SecondFactors>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<TimeZoneNames>();
        services.AddSingleton<Accounts>();
        services.AddEndpoint<Authenticator>();
        services.AddEndpoint<SessionEndpoints>();
        services.AddEndpoint<TokenEndpoints>();
        services.AddEndpoint<AccountEndpoints>();
        services.AddEndpoint<SecondFactorEndpoints>();
        services.AddOidc();
        services.AddEndpoint<OidcEndpoints>();
        services.AddEndpoint<TenantEndpoints>();
        services.AddEndpoint<DemoEndpoints>();
        services.AddEndpoint<MemberEndpoints>();
        services.AddEndpoint<AuditEndpoints>();
        services.AddPrivacy();

        services.AddMail();
        services.AddSingleton<IMailKind, InvitationMail>();
        services.AddSingleton<IMailKind, OwnershipTransferredMail>();
        services.AddSingleton<IMailKind, VerifyEmailMail>();
        services.AddSingleton<IMailKind, VerifyAgainMail>();
        services.AddSingleton<IMailKind, ResetPasswordMail>();
        foreach (var (kind, subject, sentence) in AccountChanges.Mails.Values.Distinct())
            services.AddSingleton<IMailKind>(provider => new AccountNoticeMail(provider.GetRequiredService<Database>(), provider.GetRequiredService<WebAddress>(), kind, subject, sentence));
        services.AddSingleton<AccountChanges>();

        services.AddGoogleAnalyticsConnector(configuration);
        services.AddN8nConnector(configuration);
        services.TryAddSingleton<StorageQueues>();
        services.TryAddSingleton<ISyncQueues, SyncQueues>();
        services.AddSingleton<ProviderCircuits>();
        services.AddEndpoint<SyncScheduler>();
        services.AddSingleton<QueueSampler>();
        services.AddEndpoint<TimerWatch>();
        services.AddEndpoint<SyncRunner>();
        services.AddEndpoint<DeadLetters>();
        services.AddEndpoint<DeadLetterEndpoints>();
        services.AddSingleton<RefreshRequests>();
        services.AddEndpoint<SyncEndpoints>();
        services.AddEndpoint<IntegrationEndpoints>();
        services.AddSingleton<GoogleGrants>();
        services.AddPurge("grants of Google", (database, now, token) => database.ExecuteAsync("select purge_google_grants(@now)", new { now }, token));
        services.AddEndpoint<GoogleConnectEndpoints>();

        services.AddEndpoint<CustomKpiEndpoints>();
        services.AddEndpoint<PushEndpoints>();
        services.AddEndpoint<ImportEndpoints>();
        services.AddEndpoint<Importer>();
        services.AddSingleton<PushLog>();
        services.AddSingleton<ITokenRefusals>(provider => provider.GetRequiredService<PushLog>());
        services.AddPurge("pushed events", PushLog.PurgeAsync);
        services.AddEndpoint<PushLogEndpoints>();
        services.AddEndpoint<N8nWebhookEndpoints>();

        services.AddSingleton<ITenantPart, SourceState.Part>();
        services.AddSingleton<ITenantPart, TenantCatalogue.Part>();
        services.AddSingleton<ITenantPart, Goal.Part>();
        services.AddSingleton<TenantOpenings>();
        services.AddOptions<AnswerOptions>().BindConfiguration("Answers")
            .Validate(options => options.KeptMegabytes is >= 0 and <= 4096, "Answers:KeptMegabytes must be 0 to 4096.").ValidateOnStart();
        services.AddSingleton<KeptAnswers>();
        services.AddSingleton<TenantReads>();
        services.AddEndpoint<MetricsEndpoints>();
        services.AddEndpoint<BreakdownEndpoints>();
        services.AddEndpoint<AutomationEndpoints>();
        services.AddEndpoint<ExecutionEndpoints>();
        services.AddEndpoint<LookEndpoints>();
        services.AddEndpoint<DashboardEndpoints>();
        services.AddEndpoint<ShareEndpoints>();
        services.AddEndpoint<ProvenanceEndpoints>();
        services.AddEndpoint<ValueExportEndpoints>();
        services.AddEndpoint<GoalEndpoints>();
        services.AddEndpoint<CalculatedKpiEndpoints>();
        services.AddSingleton<HealthScores>();
        services.AddSingleton<ITickStep>(provider => provider.GetRequiredService<HealthScores>());
        services.AddEndpoint<InsightEndpoints>();
        services.AddEndpoint<AnnotationEndpoints>();
        services.AddEndpoint<HealthEndpoints>();
        services.AddEndpoint<OpsEndpoints>();
        services.AddOptions<RetentionOptions>().BindConfiguration("Retention")
            .Validate(RetentionOptions.IsValid, "Retention:ExecutionDays and Retention:RunDays must be 31 to 3650, Retention:ValueMonths 14 to 240 and Retention:AuditYears 1 to 50.").ValidateOnStart();
        services.AddSingleton<Retention>();
        services.AddSingleton<IHousekeeping>(provider => provider.GetRequiredService<Retention>());
        services.AddEndpoint<OpenApiEndpoint>();
        return services;
    }

    /// <summary>
    /// Keeps ASP.NET Core's data protection, which MVC brings along and nothing here uses, from making keys at start and leaving them in a file, unsealed, in the home of
    /// whoever runs this. What is secret here is sealed by <see cref="SecretSealer"/>.
    /// </summary>
    public static IServiceCollection WithoutStoredKeys(this IServiceCollection services)
    {
        var ring = typeof(EphemeralDataProtectionProvider).Assembly;
        foreach (var starter in services.Where(service => service.ServiceType == typeof(IHostedService) && service.ImplementationType?.Assembly == ring).ToList())
            services.Remove(starter);
        return services.Replace(ServiceDescriptor.Singleton<IDataProtectionProvider, EphemeralDataProtectionProvider>());
    }

    /// <summary>
    /// Sends traces, metrics and logs to Application Insights, to an OTLP collector, or both, as the settings say. Does no I/O. Null if they name neither: then
    /// nothing is listened to and nothing is sent.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="configuration">The app's settings; which of the two is used is read now, all else when needed.</param>
    /// <returns>For what else belongs to it, above all the runtime's own spans.</returns>
    public static IOpenTelemetryBuilder? AddKpiTelemetry(this IServiceCollection services, IConfiguration configuration) => services.AddExport(configuration);
}
