using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.LocalHost.Embedded;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Xunit;

namespace KpiDashboard.IntegrationTests.Telemetry;

/// <summary>The whole app with telemetry to a fake of both kinds of receiver, with no API read sampled, and with a storage emulator of its own.</summary>
public sealed class TelemetryFixture(PostgresFixture postgres, AzuriteFixture azurite) : AppFixture(postgres, azurite)
{
    private readonly TemporaryFolder _own = new();
    private FakeIngestion _insights = null!, _collector = null!;
    private EmbeddedAzurite _storage = null!;

    internal static readonly byte[] TenantKey = [.. Enumerable.Range(0, 32).Select(number => (byte)number)];

    internal FakeIngestion Insights => _insights;

    internal FakeIngestion Collector => _collector;

    protected override async Task<IReadOnlyDictionary<string, string>> SettingsAsync()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        // The exporter would report on itself to its makers, who cannot be reached from here.
        Environment.SetEnvironmentVariable("APPLICATIONINSIGHTS_STATSBEAT_DISABLED", "true");
        (_insights, _collector) = (await FakeIngestion.StartAsync(cancellationToken), await FakeIngestion.StartAsync(cancellationToken));
        _storage = await EmbeddedAzurite.StartAsync(new EmbeddedAzuriteOptions { DataDirectory = _own["azurite"], InMemory = true }, cancellationToken);
        return new Dictionary<string, string>
        {
            ["AzureWebJobsStorage"] = _storage.ConnectionString,
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
        await _storage.DisposeAsync();
        await _insights.DisposeAsync();
        await _collector.DisposeAsync();
        _own.Dispose();
    }
}
