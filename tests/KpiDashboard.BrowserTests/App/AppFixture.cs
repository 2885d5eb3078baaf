using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Google;
using KpiDashboard.Demo.N8n;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Playwright;
using Xunit;

[assembly: AssemblyFixture(typeof(BrowserFixture))]
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.Collections)]

namespace KpiDashboard.BrowserTests.App;

/// <summary>One Chromium for all tests of a run; each has a profile of its own in it.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    private IPlaywright? _playwright;

    internal IBrowser Browser { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        try
        {
            _playwright = await Playwright.CreateAsync();
            Browser = await Chromium.LaunchAsync(
                _playwright, (name, path) => Taken.Say("Browser", name, path), TestContext.Current.CancellationToken);
        }
        catch
        {
            // xunit disposes only of what was initialised.
            await DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Browser is not null) await Browser.CloseAsync();
        _playwright?.Dispose();
    }
}

/// <summary>
/// The tests of one half, one after the other against one app; those of the other half run beside them against theirs. A browser test waits
/// more than it computes, and one app for all would have one test change what another looks at. Tests that put another file into
/// <c>static-web/dist</c>, which both apps serve, belong into this half.
/// </summary>
[CollectionDefinition]
public sealed class FirstApp : ICollectionFixture<AppFixture>;

/// <summary>The other half.</summary>
[CollectionDefinition]
public sealed class SecondApp : ICollectionFixture<AppFixture>;

/// <summary>
/// What the start command starts, in this process: embedded Postgres and Azurite, the simulated providers, the function app, the demo tenants really synced,
/// and the web page built from its sources.
/// </summary>
public sealed class AppFixture(BrowserFixture chromium) : IAsyncLifetime
{
    /// <summary>Only matters when something is broken: a first start fetches packages and builds the page.</summary>
    private static readonly TimeSpan s_startLimit = TimeSpan.FromMinutes(15);

    /// <summary>
    /// The demo's data end today, so what it shows differs from day to day, and a test that hopes for a day's figures fails on another. <c>KPI_TEST_DAYS_AHEAD=3</c>
    /// runs the suite as of a day to come, and finds it before that day does. The browser's clock stays as it is.
    /// </summary>
    private static readonly int DaysAhead = int.Parse(Environment.GetEnvironmentVariable("KPI_TEST_DAYS_AHEAD") ?? "0", CultureInfo.InvariantCulture);

    private readonly string _data = Path.Combine(Path.GetTempPath(), "kpi-test-" + Guid.NewGuid().ToString("N"));
    private readonly LastWords _console = new();
    private DemoStage? _demo;
    private IHost? _host;

    internal Uri Address { get; private set; } = null!;

    internal IBrowser Browser => chromium.Browser;

    internal GoogleSimulator Google => _demo!.Google!;

    internal N8nSimulator N8n => _demo!.N8n!;

    /// <summary>The database as its owner, for what no request can make so.</summary>
    internal string OwnerConnectionString =>
        _host!.Services.GetRequiredService<Microsoft.Extensions.Configuration.IConfiguration>()[DatabaseStage.OwnerKey]!;

    /// <summary>Where the page's sources are.</summary>
    internal string RepositoryRoot { get; private set; } = "";

    /// <summary>Where pictures go; not under version control.</summary>
    internal string Screenshots { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        try
        {
            await StartAppAsync(TestContext.Current.CancellationToken);
        }
        catch
        {
            // xunit disposes only of what was initialised.
            await DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.StopAsync(CancellationToken.None);
            if (_host is IAsyncDisposable disposable) await disposable.DisposeAsync();
            else _host.Dispose();
            _host = null;
        }

        if (Directory.Exists(_data)) Directory.Delete(_data, recursive: true);
    }

    /// <summary>A new profile of the browser, as of someone who has never been here.</summary>
    internal Task<Visit> VisitAsync(Screen screen, bool serviceWorker = false) => Visit.StartAsync(this, screen, serviceWorker);

    /// <summary>The API as the page uses it, signed in to a demo tenant.</summary>
    internal async Task<Api> ApiAsync(string tenant)
    {
        var http = new HttpClient(new HttpClientHandler { UseCookies = false }) { BaseAddress = Address };
        foreach (var (path, body) in new (string, object)[]
        {
            ("api/auth/login", new { email = DemoSeeder.OwnerEmail, password = DemoSeeder.Password }),
            ("api/auth/switch", new { tenantId = DemoSeeder.TenantId(tenant) }),
        })
        {
            using var response = await http.PostAsJsonAsync(path, body, TestContext.Current.CancellationToken);
            response.EnsureSuccessStatusCode();
            var session = await response.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken);
            http.DefaultRequestHeaders.Remove("X-Kpi-Token");
            http.DefaultRequestHeaders.Add("X-Kpi-Token", session!["accessToken"]!.GetValue<string>());
            http.DefaultRequestHeaders.Remove("X-Kpi-Tenant");
            http.DefaultRequestHeaders.Add("X-Kpi-Tenant", session["tenant"]!["id"]!.GetValue<string>());
        }

        return new Api(http);
    }

    /// <summary>The function key of this copy, as an operator finds it.</summary>
    internal string FunctionKey => (string)JsonNode.Parse(File.ReadAllText(Path.Combine(_data, "keys.json")))!["Default"]!;

    /// <summary>Puts a message onto a poison queue, and waits until it is kept as given up, which a part of it tells.</summary>
    internal async Task GiveUpAsync(string queue, string text, string part)
    {
        var settings = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_data, "connections.json")))!;
        var client = new Azure.Storage.Queues.QueueClient(
            (string)settings["AzureWebJobsStorage"]!, queue, new() { MessageEncoding = Azure.Storage.Queues.QueueMessageEncoding.Base64 });
        // The host's listeners wait for a queue; they make none.
        await client.CreateIfNotExistsAsync();
        await client.SendMessageAsync(text);
        using var http = new HttpClient { BaseAddress = Address };
        http.DefaultRequestHeaders.Add("x-functions-key", FunctionKey);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (!(await http.GetStringAsync("api/ops/dead-letters", limit.Token)).Contains(part, StringComparison.Ordinal)) await Task.Delay(200, limit.Token);
    }

    private async Task StartAppAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_data);
        var builder = LocalApp.CreateBuilder(["--port", "0", "--data", _data, "--no-settings"]);
        builder.Console = _console;
        RepositoryRoot = builder.Options.RepositoryRoot;
        if (DaysAhead != 0)
        {
            var time = new ShiftedTime(TimeSpan.FromDays(DaysAhead));
            builder.Services.AddSingleton<TimeProvider>(time);
            builder.Stages[builder.Stages.IndexOf(builder.Stages.OfType<DemoStage>().Single())] = new DemoStage(time);
        }

        _demo = builder.Stages.OfType<DemoStage>().Single();
        _host = builder.Build();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_startLimit);
        try
        {
            await _host.StartAsync(limit.Token);
            var host = (LocalFunctionsHost)_host;
            Address = host.Address!;
            // What goes wrong after the app answers, such as a page that cannot be built, is thrown here and not waited out.
            await host.AfterAppStarted.WaitAsync(limit.Token);
            using var http = new HttpClient { BaseAddress = Address };
            while (!(await http.GetAsync("api/health/ready", limit.Token)).IsSuccessStatusCode)
                await Task.Delay(200, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The app was not ready within {s_startLimit.TotalMinutes:0} minutes. Its last words: {_console}");
        }

        Screenshots = Directory.CreateDirectory(Path.Combine(RepositoryRoot, "artifacts", "screenshots")).FullName;
    }

    private sealed class ShiftedTime(TimeSpan ahead) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + ahead;
    }

    /// <summary>Says nothing, but remembers for when the start fails.</summary>
    private sealed class LastWords : IStartupConsole
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, string> _lines = [];

        public void Done(string stage, string text) => Remember(stage, text);

        public void Progress(string stage, string text) => Remember(stage, text);

        public void Ready(string text) => Remember("Ready", text);

        public void Log(string line) => TestLog.Write(line);

        public override string ToString()
        {
            lock (_gate) return string.Join("; ", _lines.Select(line => $"{line.Key}: {line.Value}"));
        }

        private void Remember(string stage, string text)
        {
            lock (_gate) _lines[stage] = text;
        }
    }
}

/// <summary>Reads what the page should show.</summary>
internal sealed class Api(HttpClient http) : IDisposable
{
    public Task<JsonNode> GetAsync(string path) => SendAsync(HttpMethod.Get, path, HttpStatusCode.OK);

    /// <summary>Sends a request that must be answered with a status; with a token, as a machine that has no other.</summary>
    public async Task<JsonNode> SendAsync(HttpMethod method, string path, HttpStatusCode expected, object? body = null, string? token = null)
    {
        using var machine = token is null ? null : new HttpClient { BaseAddress = http.BaseAddress };
        using var request = new HttpRequestMessage(method, $"api/{path}") { Content = body is null ? null : JsonContent.Create(body) };
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await (machine ?? http).SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == expected, $"{method} {path} answered {(int)response.StatusCode}: {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    public Task<JsonNode> SummaryAsync(string range = "last_28_days") => GetAsync($"metrics/summary?range={range}&compare=previous_period");

    /// <summary>Starts a refresh, waits until its runs are over and returns how they ended.</summary>
    public async Task<IReadOnlyList<string>> RefreshAsync(string path = "sync/refresh", string? token = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        var ends = new List<string>();
        foreach (var run in (await SendAsync(HttpMethod.Post, path, HttpStatusCode.Accepted, token: token))["runs"]!.AsArray())
        {
            string status;
            while ((status = (await GetAsync($"sync/runs/{run!["id"]}"))["status"]!.GetValue<string>()) is "queued" or "running" or "waiting")
                await Task.Delay(200, limit.Token);
            ends.Add(status);
        }

        return ends;
    }

    public void Dispose() => http.Dispose();
}
