using Azure.Monitor.OpenTelemetry.Exporter;
using KpiDashboard.Data;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace KpiDashboard.Telemetry;

internal static class TelemetryServices
{
    /// <summary>What code measures with, whether or not it is exported.</summary>
    public static IServiceCollection AddInstruments(this IServiceCollection services)
    {
        services.AddOptions<TelemetryOptions>().BindConfiguration(TelemetryOptions.Section)
            .Validate(TelemetryOptions.RatioIsValid, "Telemetry:ReadSamplingRatio must be from 0 to 1.")
            .Validate(TelemetryOptions.KeyIsValid, "Telemetry:TenantKey must be 32 bytes or more in base64.").ValidateOnStart();
        services.TryAddSingleton<Instruments>();
        services.TryAddSingleton<TenantHash>();
        return services;
    }

    /// <summary>Exports traces, metrics and logs to wherever the settings say; null, and nothing is listened to, if they say nowhere.</summary>
    public static IOpenTelemetryBuilder? AddExport(this IServiceCollection services, IConfiguration configuration)
    {
        var insights = configuration[TelemetryOptions.ConnectionStringKey];
        var toInsights = !string.IsNullOrWhiteSpace(insights);
        var toCollector = !string.IsNullOrWhiteSpace(configuration[TelemetryOptions.OtlpEndpointKey]);
        if (!toInsights && !toCollector) return null;

        services.TryAddSingleton<SpanGuard>();
        services.TryAddSingleton<LogGuard>();
        // Provider rules beat the general ones: what a terminal shows and what is kept are two things.
        services.AddLogging(logging => logging
            .AddFilter<OpenTelemetryLoggerProvider>(null, LogLevel.Warning)
            .AddFilter<OpenTelemetryLoggerProvider>("KpiDashboard", LogLevel.Information));
        services.Configure<OpenTelemetryLoggerOptions>(logging => logging.IncludeFormattedMessage = true);
        return services.AddOpenTelemetry()
            .WithTracing(traces =>
            {
                traces.AddSource("KpiDashboard.*", "System.Net.Http", "Npgsql");
                traces.AddProcessor(provider => provider.GetRequiredService<SpanGuard>());
                if (toInsights) traces.AddAzureMonitorTraceExporter(Insights);
                if (toCollector) traces.AddOtlpExporter();
                // Last: the Azure exporter sets a sampler of its own, of five traces a second.
                traces.SetSampler<KpiSampler>();
            })
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(Instruments.MeterName);
                if (toInsights) metrics.AddAzureMonitorMetricExporter(Insights);
                if (toCollector) metrics.AddOtlpExporter();
            })
            .WithLogging(logs =>
            {
                logs.AddProcessor(provider => provider.GetRequiredService<LogGuard>());
                if (toInsights) logs.AddAzureMonitorLogExporter(Insights);
                if (toCollector) logs.AddOtlpExporter();
            });

        void Insights(AzureMonitorExporterOptions options)
        {
            options.ConnectionString = insights;
            options.SamplingRatio = 1;
            options.TracesPerSecond = null;
            // A failed request is told by its log entries whether or not its trace is exported.
            options.EnableTraceBasedLogsSampler = false;
            // Durations and counts are our own metrics, of everything and not of samples; processor and memory are the platform's.
            options.EnableStandardMetrics = false;
            options.EnablePerformanceCounters = false;
            options.EnableLiveMetrics = false;
            options.Credential = AzureIdentity.OfAuthenticationString(configuration[TelemetryOptions.AuthenticationStringKey]);
        }
    }
}
