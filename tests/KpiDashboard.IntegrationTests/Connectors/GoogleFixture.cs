using System.Text.Json;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.GoogleAnalytics;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Google;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KpiDashboard.IntegrationTests.Connectors;

/// <summary>The real connector, registered as in the app, against the simulator over real HTTP, under one clock.</summary>
internal sealed class GoogleFixture : IAsyncDisposable
{
    private readonly ServiceProvider services;

    private GoogleFixture(FakeTimeProvider time, GoogleSimulator google, ServiceProvider services)
    {
        Time = time;
        Google = google;
        this.services = services;
        Connector = services.GetRequiredService<IConnector>();
    }

    public FakeTimeProvider Time { get; }
    public GoogleSimulator Google { get; }
    public IConnector Connector { get; }

    public static DemoTenant Merch => DemoWorld.Tenants[0];
    public static DemoTenant Lectures => DemoWorld.Tenants[1];
    public static DemoTenant Nordlicht => DemoWorld.Tenants[2];
    public static DemoTenant Kiwi => DemoWorld.Tenants[3];

    /// <summary>A Thursday afternoon in Europe.</summary>
    public static DateTimeOffset Anchor { get; } = new(2026, 11, 19, 15, 30, 0, TimeSpan.Zero);

    public static async Task<GoogleFixture> StartAsync(
        Func<GoogleSimulatorOptions, GoogleSimulatorOptions>? change = null, Dictionary<string, string?>? settings = null)
    {
        var time = new FakeTimeProvider(Anchor);
        var options = DemoWorld.Google(Anchor);
        var google = await GoogleSimulator.StartAsync(change?.Invoke(options) ?? options, time, TestContext.Current.CancellationToken);

        // The addresses arrive after the services are registered, as LocalHost does it.
        var configuration = new ConfigurationBuilder().AddInMemoryCollection().Build();
        var services = new ServiceCollection()
            .AddSingleton<TimeProvider>(time)
            .AddGoogleAnalyticsConnector(configuration)
            .BuildServiceProvider();
        foreach (var (key, value) in google.Configuration())
            configuration[key] = value;
        foreach (var (key, value) in settings ?? [])
            configuration[key] = value;
        return new GoogleFixture(time, google, services);
    }

    public Guid Integration { get; } = Guid.NewGuid();

    public FetchRequest Request(DemoTenant tenant, DayWindow window, string? settings = null) => new()
    {
        IntegrationId = Integration,
        Window = window,
        TimeZone = TimeZoneInfo.FindSystemTimeZoneById(tenant.TimeZone),
        Settings = JsonSerializer.SerializeToElement(JsonSerializer.Deserialize<JsonElement>(settings ?? $$"""{"propertyId":"{{tenant.Ga4PropertyId}}"}""")),
        Credentials = JsonSerializer.SerializeToElement(new { refreshToken = tenant.GoogleRefreshToken }),
    };

    public DateOnly Today(DemoTenant tenant) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(Time.GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById(tenant.TimeZone)).DateTime);

    /// <summary>The last days up to today.</summary>
    public DayWindow Last(DemoTenant tenant, int days) => new(Today(tenant).AddDays(1 - days), Today(tenant));

    public Task<FetchOutcome> FetchAsync(DemoTenant tenant, DayWindow window, RecordingSink sink, string? settings = null) =>
        Connector.FetchAsync(Request(tenant, window, settings), sink, TestContext.Current.CancellationToken);

    /// <summary>A window in slices, as the engine does it; every slice must succeed.</summary>
    public async Task<RecordingSink> BackfillAsync(DemoTenant tenant, DayWindow window)
    {
        var sink = new RecordingSink();
        foreach (var slice in Connector.Slice(window))
            Assert.IsType<FetchSucceeded>(await FetchAsync(tenant, slice, sink));
        Assert.Equal(0, sink.Repeated);
        return sink;
    }

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        await Google.DisposeAsync();
    }
}
