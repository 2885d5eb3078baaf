using System.Net;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json;
using KpiDashboard.Functions.Middleware;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.Tests.Shared;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace KpiDashboard.IntegrationTests.App;

/// <summary>Headers of page and API, and what another site's page may do: nothing.</summary>
[Trait("Clock", "none")]
public sealed class HeadersTests
{
    private const string Page = "https://kpi.test", Listed = "https://app.example", Evil = "https://evil.example";

    private static readonly string Public = Path.Combine(LocalHostOptions.FindRepositoryRoot(AppContext.BaseDirectory)!, "static-web", "public");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/api/health/live", 200)]
    [InlineData("GET", "/api/openapi.json", 200)]
    [InlineData("GET", "/api/kpis", 401)]
    [InlineData("GET", "/api/health/ready", 503)]
    [InlineData("POST", "/api/auth/login", 400)]
    [InlineData("GET", "/api/auth/oidc/none/start", 404)]
    public async Task Every_answer_of_the_API_forbids_to_show_frame_sniff_or_keep_it_problems_too(string method, string path, int status)
    {
        await using var app = await RunningApp.StartAsync();

        using var response = await app.SendAsync(method, path, host: "kpi.test");

        Assert.Equal(status, (int)response.StatusCode);
        var page = PageHeaders();
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", One(response, "Content-Security-Policy"));
        Assert.Equal("no-referrer", One(response, "Referrer-Policy"));
        foreach (var name in new[] { "X-Content-Type-Options", "Permissions-Policy", "Cross-Origin-Resource-Policy", "Strict-Transport-Security" })
            Assert.Equal(page[name], One(response, name));
        Assert.NotEmpty(One(response, "Cache-Control"));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task An_answer_without_a_word_on_caching_is_not_kept_and_this_machine_is_not_bound_to_https()
    {
        await using var app = await RunningApp.StartAsync();

        using var live = await app.SendAsync("GET", "/api/auth/providers");

        Assert.Equal("no-store", One(live, "Cache-Control"));
        Assert.False(live.Headers.Contains("Strict-Transport-Security"));
    }

    [Fact]
    public async Task The_page_carries_its_headers_and_runs_nothing_that_is_not_its_own_file()
    {
        await using var app = await RunningApp.StartAsync($"Web:Root={Public}");

        using var response = await app.SendAsync("GET", "/icon.svg");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var expected = PageHeaders();
        Assert.All(expected, header => Assert.Equal(header.Value, One(response, header.Key)));
        Assert.Equal(ResponseHeadersMiddleware.StrictTransportSecurity, expected["Strict-Transport-Security"]);
        Assert.Equal(ResponseHeadersMiddleware.PermissionsPolicy, expected["Permissions-Policy"]);
        // Tokens travel in fragments, which no referrer has; paths must not leave either.
        Assert.Contains(expected["Referrer-Policy"], (string[])["no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"]);
        var policy = expected["Content-Security-Policy"].Split(';', StringSplitOptions.TrimEntries);
        Assert.Contains("default-src 'none'", policy);
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.Contains("base-uri 'none'", policy);
        Assert.All(policy, directive => Assert.DoesNotMatch(@"unsafe-|\*|data:|blob:|https?:", directive));
    }

    [Theory]
    [InlineData("/api/health/live")]
    [InlineData("/api/kpis")]
    [InlineData("/api/auth/refresh")]
    [InlineData("/api/nowhere")]
    [InlineData("/icon.svg")]
    public async Task Without_a_setting_no_other_origin_may_read_anything(string path)
    {
        await using var app = await RunningApp.StartAsync($"Web:Root={Public}");
        foreach (var origin in new[] { Evil, "null" })
        {
            foreach (var method in new[] { "GET", "POST" })
            {
                using var asked = await app.SendAsync(method, path, origin);
                AssertClosed(asked);
                using var preflight = await app.SendAsync("OPTIONS", path, origin, preflightFor: method);
                AssertClosed(preflight);
            }
        }
    }

    [Fact]
    public async Task With_the_setting_the_listed_origins_and_only_they_may_with_cookies()
    {
        await using var app = await RunningApp.StartAsync($"Web:Root={Public}", $"Http:AllowedOrigins=https://other.example, {Listed}");

        using (var preflight = await app.SendAsync("OPTIONS", "/api/auth/refresh", Listed, preflightFor: "POST"))
        {
            Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
            Assert.Equal((Listed, "true", "POST"), (One(preflight, "Access-Control-Allow-Origin"), One(preflight, "Access-Control-Allow-Credentials"), One(preflight, "Access-Control-Allow-Methods")));
            Assert.Contains("x-kpi-token", One(preflight, "Access-Control-Allow-Headers"), StringComparison.OrdinalIgnoreCase);
            Assert.Contains("Origin", preflight.Headers.Vary);
        }

        using (var problem = await app.SendAsync("GET", "/api/kpis", Listed))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, problem.StatusCode);
            Assert.Equal((Listed, "true"), (One(problem, "Access-Control-Allow-Origin"), One(problem, "Access-Control-Allow-Credentials")));
            Assert.Contains("Origin", problem.Headers.Vary);
        }

        foreach (var origin in new[] { Evil, "null", "http://app.example", "https://app.example.evil.example", "https://app.example:8443", "HTTPS://APP.EXAMPLE" })
        {
            using var asked = await app.SendAsync("GET", "/api/health/live", origin);
            AssertClosed(asked);
            Assert.Contains("Origin", asked.Headers.Vary);
            using var preflight = await app.SendAsync("OPTIONS", "/api/auth/refresh", origin, preflightFor: "POST");
            AssertClosed(preflight);
        }

        using var page = await app.SendAsync("GET", "/icon.svg", Listed);
        AssertClosed(page);
    }

    [Theory]
    [InlineData("*")]
    [InlineData("https://*.example")]
    [InlineData("null")]
    [InlineData("http://app.example")]
    [InlineData("https://app.example/")]
    [InlineData("https://app.example/path")]
    [InlineData("https://me@app.example")]
    [InlineData("app.example")]
    [InlineData("https://app.example; https://other.example")]
    public async Task Origins_that_are_none_stop_the_start_with_a_sentence(string origins)
    {
        var error = await Assert.ThrowsAsync<StartupException>(() => RunningApp.StartAsync($"Http:AllowedOrigins={origins}"));

        Assert.Contains("Http:AllowedOrigins", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/auth/refresh")]
    [InlineData("/api/auth/logout")]
    [InlineData("/api/auth/second-factor")]
    [InlineData("/api/auth/oidc/register")]
    [InlineData("/api/auth/switch")]
    [InlineData("/api/auth/login")]
    [InlineData("/API/Auth/Refresh")]
    public async Task A_page_of_another_site_cannot_use_the_cookies_of_ours(string path)
    {
        await using var app = await RunningApp.StartAsync($"Web:BaseUrl={Page}/", $"Http:AllowedOrigins={Listed}");
        (string? Origin, string? Site)[] foreign =
            [(Evil, null), (Evil, "cross-site"), (Evil, "same-site"), ("null", null), ("null", "cross-site"), (null, "cross-site"), (null, "same-site"), ("http://kpi.test", null), (Page + ".evil.example", null)];
        foreach (var (origin, site) in foreign)
        {
            using var response = await app.SendAsync("POST", path, origin, site, cookie: "kpi_refresh=x");
            Assert.True(response.StatusCode == HttpStatusCode.Forbidden, $"{origin} {site}: {(int)response.StatusCode}");
            Assert.Contains("another site", await response.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
            Assert.False(response.Headers.Contains("Set-Cookie"));
        }

        (string? Origin, string? Site)[] own =
            [(null, null), (Page, null), (Page, "same-origin"), (app.Address.GetLeftPart(UriPartial.Authority), null), (Listed, "cross-site"), (Listed, null), (null, "same-origin"), ("https://behind.a.proxy", "same-origin")];
        foreach (var (origin, site) in own)
        {
            // Without a cookie: what matters is only that it was not refused for where it came from.
            using var response = await app.SendAsync("POST", path, origin, site);
            Assert.True(response.StatusCode != HttpStatusCode.Forbidden, $"{origin} {site}: {(int)response.StatusCode}");
        }
    }

    [Fact]
    public async Task Reading_and_following_a_link_from_another_site_is_not_refused()
    {
        await using var app = await RunningApp.StartAsync($"Web:BaseUrl={Page}");

        using var response = await app.SendAsync("GET", "/api/auth/providers", Evil, "cross-site");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private static void AssertClosed(HttpResponseMessage response) =>
        Assert.DoesNotContain(response.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));

    private static string One(HttpResponseMessage response, string name) => string.Join(",", response.Headers.GetValues(name));

    private static Dictionary<string, string> PageHeaders()
    {
        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(Public, "staticwebapp.config.json")));
        return config.RootElement.GetProperty("globalHeaders").EnumerateObject().ToDictionary(header => header.Name, header => header.Value.GetString()!, StringComparer.Ordinal);
    }

    /// <summary>The app without a database: what is looked at here comes before it.</summary>
    private sealed class RunningApp : IAsyncDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly HttpClient _http = new(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false });
        private IHost? _host;

        public Uri Address { get; private set; } = null!;

        public static async Task<RunningApp> StartAsync(params string[] settings)
        {
            var app = new RunningApp();
            try
            {
                var data = app._folder["data"];
                Directory.CreateDirectory(data);
                // Whatever is not asked over HTTP needs a database or a queue.
                var idle = from type in typeof(Functions.App).Assembly.GetTypes()
                           from method in type.GetMethods()
                           where method.GetParameters().All(parameter => !parameter.IsDefined(typeof(HttpTriggerAttribute), false))
                           let function = method.GetCustomAttribute<FunctionAttribute>()
                           where function is not null
                           select function.Name;
                var builder = LocalApp.CreateBuilder(
                [
                    "--port", "0", "--data", data, "--no-settings",
                    .. idle.Select(name => $"AzureWebJobs.{name}.Disabled=true").Concat(settings).SelectMany(setting => new[] { "--set", setting }),
                ]);
                builder.Console = new LocalHost.SilentConsole();
                builder.Stages.Clear();
                app._host = builder.Build();
                await app._host.StartAsync(Ct);
                app.Address = ((LocalFunctionsHost)app._host).Address!;
                return app;
            }
            catch
            {
                await app.DisposeAsync();
                throw;
            }
        }

        public async Task<HttpResponseMessage> SendAsync(
            string method, string path, string? origin = null, string? site = null, string? host = null, string? cookie = null, string? preflightFor = null)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Address, path));
            if (method == "POST") request.Content = JsonContent.Create(new { });
            if (origin is not null) request.Headers.Add("Origin", origin);
            if (site is not null) request.Headers.Add("Sec-Fetch-Site", site);
            if (cookie is not null) request.Headers.Add("Cookie", cookie);
            if (host is not null) request.Headers.Host = host;
            if (preflightFor is not null)
            {
                request.Headers.Add("Access-Control-Request-Method", preflightFor);
                request.Headers.Add("Access-Control-Request-Headers", "x-kpi-token");
            }

            return await _http.SendAsync(request, Ct);
        }

        public async ValueTask DisposeAsync()
        {
            if (_host is not null)
            {
                await _host.StopAsync(CancellationToken.None);
                if (_host is IAsyncDisposable disposable) await disposable.DisposeAsync();
                else _host.Dispose();
            }

            _http.Dispose();
            _folder.Dispose();
        }
    }
}
