using KpiDashboard.LocalHost.Runtime;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Microsoft.Azure.Functions.Worker.OpenTelemetry;

/// <summary>The runtime's part of telemetry.</summary>
public static class ConfigureFunctionsOpenTelemetry
{
    /// <summary>Adds the spans of invocations, and what the app is called. There is no host here that would tell of them as well.</summary>
    /// <param name="builder">The app's telemetry.</param>
    public static IOpenTelemetryBuilder UseFunctionsWorkerDefaults(this IOpenTelemetryBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder
            // The worker takes WEBSITE_SITE_NAME, which there is none of here. OTEL_SERVICE_NAME, read later, wins.
            .ConfigureResource(resource => resource.AddService("kpi-dashboard", autoGenerateServiceInstanceId: false).AddEnvironmentVariableDetector())
            .WithTracing(traces => traces.AddSource(FunctionInvoker.ActivitySourceName));
    }
}
