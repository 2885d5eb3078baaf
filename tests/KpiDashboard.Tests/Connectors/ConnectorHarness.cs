using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.GoogleAnalytics;
using KpiDashboard.Connectors.N8n;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KpiDashboard.Tests.Connectors;

/// <summary>Files recorded from real providers, beside these tests.</summary>
internal static class Recorded
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "KpiDashboard.Tests", "Connectors");

    /// <param name="file">For example <c>N8n/workflows.json</c>.</param>
    public static string Read(string file)
    {
        var parts = file.Split('/');
        return File.ReadAllText(Path.Combine(Folder, parts[0], "Recorded", parts[1]));
    }
}

/// <summary>Keeps what a connector hands on.</summary>
internal sealed class CollectingSink : IFetchSink
{
    public List<KpiReading> Readings { get; } = [];
    public List<WorkflowReading> Workflows { get; } = [];
    public List<ExecutionReading> Executions { get; } = [];
    public List<RequestRecord> Requests { get; } = [];

    public void Add(KpiReading reading) => Readings.Add(reading);

    public List<BreakdownReading> Breakdowns { get; } = [];

    public void Add(BreakdownReading breakdown) => Breakdowns.Add(breakdown);

    public void Add(WorkflowReading workflow) => Workflows.Add(workflow);

    public void Add(ExecutionReading execution) => Executions.Add(execution);

    public void Add(RequestRecord request) => Requests.Add(request);

    public decimal? this[string kpi, string day] =>
        Readings.Where(r => r.Kpi == kpi && r.Day == DateOnly.ParseExact(day, "yyyy-MM-dd")).Select(r => (decimal?)r.Value).SingleOrDefault();
}

/// <summary>Answers instead of a network. Paths it has no answer for are a fault of the test.</summary>
internal sealed class StubHandler(Func<string, string, HttpResponseMessage> answer) : HttpMessageHandler
{
    public ConcurrentQueue<(string Url, string Body)> Asked { get; } = new();

    public static HttpResponseMessage Json(string body, int status = 200, string type = "application/json") =>
        new((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, type) };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        Asked.Enqueue((request.RequestUri!.ToString(), body));
        return answer(request.RequestUri.PathAndQuery, body);
    }
}

/// <summary>A connector, registered as in the app, behind a stubbed network.</summary>
internal sealed class ConnectorHarness : IDisposable
{
    private readonly ServiceProvider services;

    private ConnectorHarness(Action<IServiceCollection, IConfiguration> add, string client, StubHandler network, DateTimeOffset now)
    {
        Network = network;
        Time = new FakeTimeProvider(now);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            new Dictionary<string, string?> { ["GoogleAnalytics:ClientId"] = "id", ["GoogleAnalytics:ClientSecret"] = "secret" }).Build();
        var collection = new ServiceCollection().AddSingleton<TimeProvider>(Time);
        add(collection, configuration);
        collection.AddHttpClient(client).ConfigurePrimaryHttpMessageHandler(() => network);
        services = collection.BuildServiceProvider();
        Connector = services.GetRequiredService<IConnector>();
    }

    public StubHandler Network { get; }
    public FakeTimeProvider Time { get; }
    public IConnector Connector { get; }
    public CollectingSink Sink { get; } = new();

    public static ConnectorHarness Google(
        Func<string, string, HttpResponseMessage> answer, DateTimeOffset? now = null, string token = """{"access_token":"a","expires_in":3599,"token_type":"Bearer"}""") =>
        new((services, configuration) => services.AddGoogleAnalyticsConnector(configuration), GoogleAnalyticsClient.HttpClientName,
            new StubHandler((path, body) => path == "/token" ? StubHandler.Json(token) : answer(path, body)),
            now ?? new DateTimeOffset(2022, 8, 10, 12, 0, 0, TimeSpan.Zero));

    public static ConnectorHarness N8n(Func<string, string, HttpResponseMessage> answer, DateTimeOffset? now = null) =>
        new((services, configuration) => services.AddN8nConnector(configuration), N8nClient.HttpClientName, new StubHandler(answer),
            now ?? new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero));

    public Task<FetchOutcome> FetchAsync(
        DateOnly from, DateOnly to, string settings, string credentials, string zone = "UTC", IReadOnlyList<string>? unfinished = null, string? checkpoint = null) =>
        Connector.FetchAsync(
            new FetchRequest
            {
                IntegrationId = Guid.NewGuid(),
                Window = new DayWindow(from, to),
                TimeZone = TimeZoneInfo.FindSystemTimeZoneById(zone),
                Settings = JsonSerializer.Deserialize<JsonElement>(settings),
                Credentials = JsonSerializer.Deserialize<JsonElement>(credentials),
                UnfinishedExecutions = unfinished ?? [],
                Checkpoint = checkpoint,
            },
            Sink, TestContext.Current.CancellationToken);

    public void Dispose() => services.Dispose();
}
