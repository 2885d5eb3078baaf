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
        // From the ground up (docs/architecture.md, "Floors"). Beside this list nothing names slices: what a lower floor needs of a higher
        // one, the higher one registers.
        services.AddApi();
        services.AddDatabase();
        services.AddSecurity();
        services.AddInstruments();
        services.AddTenancy();
        services.AddAccess();
        services.AddAuditing();
        services.AddMail();
        services.AddIdentity();
        services.AddMembers();
        services.AddKpis();
        services.AddGoogleAnalyticsConnector(configuration);
        services.AddN8nConnector(configuration);
        services.AddSources();
        services.AddAutomation();
        services.AddSync();
        services.AddPush();
        services.AddGoals();
        services.AddAnnotations();
        services.AddInsights();
        services.AddKpiMetrics();
        services.AddFormulas();
        services.AddDashboards();
        services.AddBusinesses();
        services.AddWebhooks();
        services.AddPrivacy();
        services.AddOperations();
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
