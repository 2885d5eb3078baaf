using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using KpiDashboard.Demo.Datasets;
using Microsoft.AspNetCore.WebUtilities;
using Xunit;

namespace KpiDashboard.BrowserTests.App;

/// <summary>A business with two Google Analytics properties and two n8n, all really read from the simulators; made once for the tests of a class.</summary>
public sealed class TwoOfAKind(AppFixture app) : IAsyncLifetime
{
    /// <summary>What its sources are called, in the order in which they were connected.</summary>
    internal const string North = "North shop", South = "South shop", Office = "Office n8n", Warehouse = "Warehouse n8n";

    private const string Agency = "agency@demo.example", Scope = "https://www.googleapis.com/auth/analytics.readonly";

    private readonly string _email = MailBox.FreshAddress();
    private HttpClient _http = null!;

    /// <summary>The API as its owner uses it.</summary>
    internal Api Api { get; private set; } = null!;

    /// <summary>Ids by name.</summary>
    internal IReadOnlyDictionary<string, string> Ids { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _http = await app.RegisterAsync(_email);
        Api = new Api(_http);
        await ConfirmAsync(app, Api, _email);
        var (merch, studio, plumbing) = (DemoWorld.Tenants[0], DemoWorld.Tenants[2], DemoWorld.Tenants[3]);
        Ids = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [North] = await GoogleAsync(North, studio),
            [South] = await GoogleAsync(South, plumbing),
            [Office] = await N8nAsync(Office, merch),
            [Warehouse] = await N8nAsync(Warehouse, studio),
        };
        await ReadAsync();
    }

    public ValueTask DisposeAsync()
    {
        Api?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Opens the link of the mail: until then an address signs nobody in.</summary>
    internal static async Task ConfirmAsync(AppFixture app, Api api, string email) => await api.SendAsync(
        HttpMethod.Post, "auth/verify-email", HttpStatusCode.NoContent, new { token = (await app.LinkAsync(email, "verify-email")).Split("#token=")[1] });

    /// <summary>Its owner, at a page.</summary>
    internal async Task<Visit> VisitAsync(Screen screen, string path)
    {
        var visit = await app.VisitAsync(screen);
        var answer = await visit.Context.APIRequest.PostAsync("/api/auth/login", new() { DataObject = new { email = _email, password = MailBox.Password } });
        Assert.True(answer.Ok, await answer.TextAsync());
        await visit.Page.GotoAsync(path);
        return visit;
    }

    private async Task<string> N8nAsync(string name, DemoTenant of) => (await Api.SendAsync(HttpMethod.Post, "integrations", HttpStatusCode.Created, new
    {
        connector = "n8n",
        displayName = name,
        settings = new { baseUrl = app.N8n.BaseUrl(of.N8nInstance!).ToString() },
        credentials = new { apiKey = of.N8nApiKey },
    }))["id"]!.GetValue<string>();

    /// <summary>To the sign-in at Google and back, as a browser goes.</summary>
    private async Task<string> GoogleAsync(string name, DemoTenant of)
    {
        var stop = TestContext.Current.CancellationToken;
        using var browser = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = app.Address };
        using var ask = new HttpRequestMessage(HttpMethod.Get, "api/integrations/google-analytics/authorize");
        foreach (var header in _http.DefaultRequestHeaders) ask.Headers.Add(header.Key, header.Value);
        using var asked = await browser.SendAsync(ask, stop);
        var url = new Uri((await asked.Content.ReadFromJsonAsync<JsonNode>(stop))!["url"]!.GetValue<string>());
        var form = QueryHelpers.ParseQuery(url.Query).Select(field => KeyValuePair.Create(field.Key, field.Value.ToString())).ToList();
        form.AddRange([new("account", Agency), new("answer", "allow"), new("granted", Scope)]);
        using var content = new FormUrlEncodedContent(form);
        using var allowed = await browser.PostAsync(new Uri(url.GetLeftPart(UriPartial.Path)), content, stop);
        using var back = new HttpRequestMessage(HttpMethod.Get, allowed.Headers.Location!.PathAndQuery);
        back.Headers.Add("Cookie", asked.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        using var there = await browser.SendAsync(back, stop);
        var grant = QueryHelpers.ParseQuery(new Uri(app.Address, there.Headers.Location!).Query)["google"].ToString();
        return (await Api.SendAsync(
            HttpMethod.Post, "integrations", HttpStatusCode.Created, new { connector = "google-analytics", displayName = name, grant, propertyId = of.Ga4PropertyId }))["id"]!.GetValue<string>();
    }

    /// <summary>Waits until every day of every source was read: numbers that still come could not be compared.</summary>
    private async Task ReadAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        while (true)
        {
            var runs = (await Api.GetAsync("sync/runs?limit=200"))["runs"]!.AsArray();
            var known = (await Api.GetAsync("sources"))["sources"]!.AsArray().Count(source => source!["kpis"]!.AsArray().Count > 0);
            if (known == Ids.Count && runs.Count > 0 && runs.All(run => run!["status"]!.GetValue<string>() == "succeeded")) return;
            Assert.DoesNotContain(runs, run => run!["status"]!.GetValue<string>() is "failed" or "dead");
            await Task.Delay(300, limit.Token);
        }
    }
}
