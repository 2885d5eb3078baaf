using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Xunit;

namespace KpiDashboard.IntegrationTests.Telemetry;

/// <summary>The whole app with telemetry to a fake of both kinds of receiver, and with no API read sampled.</summary>
public sealed class TelemetryFixture(PostgresFixture postgres) : AppFixture(postgres)
{
    private FakeIngestion _insights = null!, _collector = null!;

    internal static readonly byte[] TenantKey = [.. Enumerable.Range(0, 32).Select(number => (byte)number)];

    internal FakeIngestion Insights => _insights;

    internal FakeIngestion Collector => _collector;

    protected override async Task<IReadOnlyDictionary<string, string>> SettingsAsync()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        // The exporter would report on itself to its makers, who cannot be reached from here.
        Environment.SetEnvironmentVariable("APPLICATIONINSIGHTS_STATSBEAT_DISABLED", "true");
        (_insights, _collector) = (await FakeIngestion.StartAsync(cancellationToken), await FakeIngestion.StartAsync(cancellationToken));
        return new Dictionary<string, string>
        {
            ["APPLICATIONINSIGHTS_CONNECTION_STRING"] = $"InstrumentationKey={Guid.NewGuid()};IngestionEndpoint={_insights.Address}",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _collector.Address.ToString(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["Telemetry:ReadSamplingRatio"] = "0",
            ["Telemetry:TenantKey"] = Convert.ToBase64String(TenantKey),
        };
    }

    /// <summary>Sends what was gathered.</summary>
    internal void Flush()
    {
        Assert.True(Services.GetRequiredService<TracerProvider>().ForceFlush(30_000));
        Assert.True(Services.GetRequiredService<MeterProvider>().ForceFlush(30_000));
        Assert.True(Services.GetRequiredService<LoggerProvider>().ForceFlush(30_000));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _insights.DisposeAsync();
        await _collector.DisposeAsync();
    }
}
