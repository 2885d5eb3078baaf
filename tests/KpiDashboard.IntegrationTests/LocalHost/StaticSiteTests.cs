using System.Net;
using KpiDashboard.LocalHost.Startup;
using Xunit;

namespace KpiDashboard.IntegrationTests.LocalHost;

public sealed class StaticSiteTests : IDisposable
{
    private const string Script = "console.log('a script long enough to be worth compressing, compressing, compressing, compressing, compressing, compressing');";

    private readonly TempFolder _data = new();
    private readonly TempFolder _web = new();

    public StaticSiteTests()
    {
        Write("index.html", "<!doctype html><title>page</title>");
        Write("404.html", "<!doctype html><title>not here</title>");
        Write("robots.txt", "User-agent: *");
        Write("docs/index.html", "docs");
        Write("assets/app-Ab3_x9Zq.js", Script);
        Write("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
        Write(".secret", "no");
        Write("staticwebapp.config.json", """
            {
              // As deployed.
              "globalHeaders": { "Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff", "X-Robots": "all" },
              "navigationFallback": { "rewrite": "/index.html", "exclude": ["/assets/*", "*.{png,ico}"] },
              "mimeTypes": { ".webmanifest": "application/manifest+json" },
              "routes": [
                { "route": "/assets/*", "headers": { "Cache-Control": "public, max-age=31536000, immutable", "X-Robots": "" } },
                { "route": "/old", "redirect": "/new", "statusCode": 301 },
                { "route": "/hidden/*", "statusCode": 404 },
                { "route": "/alias", "rewrite": "/robots.txt" }
              ],
              "responseOverrides": { "404": { "rewrite": "/404.html" } },
            }
            """);
    }

    public void Dispose()
    {
        _data.Dispose();
        _web.Dispose();
    }

    [Theory]
    [InlineData("/", 200, "text/html; charset=utf-8", "page")]
    [InlineData("/overview/42?x=1", 200, "text/html; charset=utf-8", "page")]
    [InlineData("/robots.txt", 200, "text/plain; charset=utf-8", "User-agent")]
    [InlineData("/docs", 200, "text/html; charset=utf-8", "docs")]
    [InlineData("/alias", 200, "text/plain; charset=utf-8", "User-agent")]
    [InlineData("/logo.svg", 200, "image/svg+xml", "svg")]
    [InlineData("/assets/gone-00000000.js", 404, "text/html; charset=utf-8", "not here")]
    [InlineData("/missing.png", 404, "text/html; charset=utf-8", "not here")]
    [InlineData("/hidden/x", 404, "text/html; charset=utf-8", "not here")]
    public async Task An_address_gives_its_file_or_the_page_or_the_404_page(string path, int status, string type, string body)
    {
        await using TestApp app = await StartAsync();

        HttpResponseMessage response = await app.Client.GetAsync(new Uri(path, UriKind.Relative), TestApp.Ct);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType?.ToString());
        Assert.Contains(body, await response.Content.ReadAsStringAsync(TestApp.Ct), StringComparison.Ordinal);
        Assert.Equal("default-src 'self'", response.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Theory]
    [InlineData("/api/nowhere")]
    [InlineData("/admin/nowhere")]
    public async Task What_belongs_to_the_functions_never_becomes_the_page(string path)
    {
        await using TestApp app = await StartAsync();

        HttpResponseMessage response = await app.Client.GetAsync(new Uri(path, UriKind.Relative), TestApp.Ct);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(TestApp.Ct));
    }

    [Theory]
    [InlineData("/staticwebapp.config.json")]
    [InlineData("/.secret")]
    [InlineData("/..%2f..%2fetc/passwd")]
    [InlineData("/%2e%2e/%2e%2e/etc/passwd")]
    public async Task What_is_not_for_the_public_is_not_served(string path)
    {
        await using TestApp app = await StartAsync();

        string body = await (await app.Client.GetAsync(new Uri(path, UriKind.Relative), TestApp.Ct)).Content.ReadAsStringAsync(TestApp.Ct);

        Assert.True(body.Contains("<title>page</title>", StringComparison.Ordinal) || body.Length == 0, body);
    }

    [Fact]
    public async Task Hashed_assets_are_immutable_and_a_route_may_take_a_header_away()
    {
        await using TestApp app = await StartAsync();

        HttpResponseMessage asset = await app.Client.GetAsync(new Uri("/assets/app-Ab3_x9Zq.js", UriKind.Relative), TestApp.Ct);
        HttpResponseMessage page = await app.Client.GetAsync(new Uri("/", UriKind.Relative), TestApp.Ct);

        Assert.Equal("public, max-age=31536000, immutable", asset.Headers.CacheControl?.ToString());
        Assert.False(asset.Headers.Contains("X-Robots"));
        Assert.Equal(["all"], page.Headers.GetValues("X-Robots"));
        Assert.Equal("public, must-revalidate, max-age=30", page.Headers.CacheControl?.ToString());
    }

    [Fact]
    public async Task An_unchanged_file_is_304_and_a_changed_one_is_not()
    {
        await using TestApp app = await StartAsync();
        HttpResponseMessage first = await app.Client.GetAsync(new Uri("/", UriKind.Relative), TestApp.Ct);

        Assert.Equal(HttpStatusCode.NotModified, (await GetAsync()).StatusCode);
        Write("index.html", "<!doctype html><title>another page</title>");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync()).StatusCode);

        async Task<HttpResponseMessage> GetAsync()
        {
            using HttpRequestMessage request = new(HttpMethod.Get, "/");
            request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
            return await app.Client.SendAsync(request, TestApp.Ct);
        }
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    public async Task Text_is_compressed_for_who_accepts_it(string encoding)
    {
        await using TestApp app = await StartAsync();
        using HttpRequestMessage request = new(HttpMethod.Get, "/assets/app-Ab3_x9Zq.js");
        request.Headers.Add("Accept-Encoding", encoding);

        HttpResponseMessage response = await app.Client.SendAsync(request, TestApp.Ct);

        Assert.Equal([encoding], response.Content.Headers.ContentEncoding);
        Assert.Equal(["Accept-Encoding"], response.Headers.Vary);
        Assert.True((await response.Content.ReadAsByteArrayAsync(TestApp.Ct)).Length < Script.Length);
    }

    [Fact]
    public async Task Redirects_HEAD_and_other_methods()
    {
        await using TestApp app = await StartAsync();

        HttpResponseMessage redirect = await app.Client.GetAsync(new Uri("/old", UriKind.Relative), TestApp.Ct);
        Assert.Equal((HttpStatusCode.MovedPermanently, "/new"), (redirect.StatusCode, redirect.Headers.Location?.ToString()));
        using HttpRequestMessage head = new(HttpMethod.Head, "/robots.txt");
        HttpResponseMessage headers = await app.Client.SendAsync(head, TestApp.Ct);
        Assert.Equal((HttpStatusCode.OK, 13L), (headers.StatusCode, headers.Content.Headers.ContentLength));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await app.Client.PostAsync(new Uri("/", UriKind.Relative), null, TestApp.Ct)).StatusCode);
    }

    [Fact]
    public async Task Without_rules_every_address_that_is_no_file_is_the_page()
    {
        File.Delete(Path.Combine(_web.Path, "staticwebapp.config.json"));
        await using TestApp app = await StartAsync();

        Assert.Contains("page", await app.Client.GetStringAsync(new Uri("/some/where", UriKind.Relative), TestApp.Ct), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await app.Client.GetAsync(new Uri("/some/where.js", UriKind.Relative), TestApp.Ct)).StatusCode);
        HttpResponseMessage asset = await app.Client.GetAsync(new Uri("/assets/app-Ab3_x9Zq.js", UriKind.Relative), TestApp.Ct);
        Assert.Equal("public, max-age=31536000, immutable", asset.Headers.CacheControl?.ToString());
    }

    [Fact]
    public async Task A_functions_response_carries_no_header_of_the_page()
    {
        await using TestApp app = await StartAsync();

        HttpResponseMessage response = await app.Client.GetAsync(new Uri("/api/things/special", UriKind.Relative), TestApp.Ct);

        Assert.Equal("special", await response.Content.ReadAsStringAsync(TestApp.Ct));
        Assert.False(response.Headers.Contains("Content-Security-Policy"));
    }

    [Fact]
    public async Task A_folder_that_is_not_there_or_rules_that_are_no_JSON_stop_the_start_with_a_sentence()
    {
        Write("staticwebapp.config.json", "{");
        StartupException rules = await Assert.ThrowsAsync<StartupException>(StartAsync);
        Assert.StartsWith(Path.Combine(_web.Path, "staticwebapp.config.json"), rules.Message, StringComparison.Ordinal);

        StartupException folder = await Assert.ThrowsAsync<StartupException>(
            () => TestApp.StartAsync(_data.Path, [typeof(RouteFunctions)], null, "--set", "Web:Root=/no/such/folder"));
        Assert.Contains("/no/such/folder", folder.Message, StringComparison.Ordinal);
    }

    private Task<TestApp> StartAsync() => TestApp.StartAsync(_data.Path, [typeof(RouteFunctions)], null, "--set", $"Web:Root={_web.Path}");

    private void Write(string path, string content)
    {
        string file = Path.Combine(_web.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
    }
}
