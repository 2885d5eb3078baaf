using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using KpiDashboard.Demo.Seeding;
using Xunit;

namespace KpiDashboard.IntegrationTests.App;

[Collection(AppCollection.Name)]
public sealed class BadInputTests(AppFixture app)
{
    [Theory]
    [InlineData("api/metrics/history?kpis=web.nonsense&range=last_7_days", "kpis", "web.nonsense")]
    [InlineData("api/metrics/history?range=last_7_days", "kpis", "1 to 20")]
    [InlineData("api/metrics/history?kpis=web.sessions&range=last_7_days&grain=decade", "grain", "decade")]
    [InlineData("api/metrics/summary?from=2026-11-20&to=2026-11-10", "from", "after")]
    [InlineData("api/metrics/summary?from=2016-11-20&to=2026-11-10", "from", "800 days")]
    [InlineData("api/metrics/summary?from=20.11.2026&to=2026-11-21", "from", "20.11.2026")]
    [InlineData("api/metrics/summary?from=2026-02-30&to=2026-03-01", "from", "2026-02-30")]
    [InlineData("api/metrics/summary?from=2026-11-10", "to", "missing")]
    [InlineData("api/metrics/summary?from=2999-01-01&to=2999-01-02", "to", "future")]
    [InlineData("api/metrics/summary?range=forever", "range", "forever")]
    [InlineData("api/metrics/summary?range=last_7_days&range=last_day", "range", "more than once")]
    [InlineData("api/automation/performance?compare=maybe", "compare", "maybe")]
    [InlineData("api/sync/runs?limit=100000", "limit", "200")]
    [InlineData("api/sync/runs?cursor=nonsense", "cursor", "nextCursor")]
    [InlineData("api/sync/runs?integrationId=7", "integrationId", "id")]
    public async Task A_wrong_query_is_400_with_a_sentence_for_the_field(string path, string field, string mentions)
    {
        using var client = await app.SignInAsync();
        using var response = await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        var problem = await ProblemAsync(response, 400);
        Assert.Contains(mentions, problem["errors"]![field]![0]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "not valid JSON")]
    [InlineData("", "empty")]
    [InlineData("[]", "")]
    [InlineData("""{"email":"a@b.example"}""", "password")]
    [InlineData("""{"email":5,"password":"x"}""", "email")]
    [InlineData("""{"email":"a@b.example","password":"x","admin":true}""", "admin")]
    public async Task A_wrong_body_is_400_with_a_sentence(string body, string mentions)
    {
        using var client = app.Anonymous();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri("api/auth/login", UriKind.Relative), content, TestContext.Current.CancellationToken);
        var problem = await ProblemAsync(response, 400);
        Assert.Contains(mentions, problem["detail"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_413()
    {
        using var client = app.Anonymous();
        using var content = new ByteArrayContent(new byte[100_000]) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var response = await client.PostAsync(new Uri("api/auth/login", UriKind.Relative), content, TestContext.Current.CancellationToken);
        await ProblemAsync(response, 413);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer ")]
    [InlineData("Bearer nonsense")]
    [InlineData("Bearer kpi_nonsense")]
    [InlineData("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.")]
    public async Task A_missing_or_wrong_token_is_401(string? authorization)
    {
        using var client = app.Anonymous();
        if (authorization is not null) client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);
        foreach (var (method, path) in new[] { ("GET", "api/metrics/summary"), ("POST", "api/webhooks/refresh"), ("GET", "api/kpis") })
        {
            using var response = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), TestContext.Current.CancellationToken);
            await ProblemAsync(response, 401);
        }
    }

    [Fact]
    public async Task A_tampered_token_is_401()
    {
        using var client = await app.SignInAsync();
        var token = client.DefaultRequestHeaders.GetValues("X-Kpi-Token").Single();
        client.DefaultRequestHeaders.Remove("X-Kpi-Token");
        var parts = token.Split('.');
        var payload = Encoding.UTF8.GetString(Microsoft.AspNetCore.WebUtilities.WebEncoders.Base64UrlDecode(parts[1]));
        Assert.Contains(DemoSeeder.TenantId("Merch Shop").ToString(), payload, StringComparison.Ordinal);
        var changed = Microsoft.AspNetCore.WebUtilities.WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes(payload.Replace(DemoSeeder.TenantId("Merch Shop").ToString(), DemoSeeder.TenantId("Kiwi Plumbing").ToString(), StringComparison.Ordinal)));
        client.DefaultRequestHeaders.Add("X-Kpi-Token", $"{parts[0]}.{changed}.{parts[2]}");
        using var response = await client.GetAsync(new Uri("api/auth/me", UriKind.Relative), TestContext.Current.CancellationToken);
        await ProblemAsync(response, 401);
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_address_get_the_same_answer()
    {
        using var client = app.Anonymous();
        var answers = new List<string>();
        foreach (var email in new[] { "owner@demo.example", "nobody@demo.example" })
        {
            using var content = new StringContent($$"""{"email":"{{email}}","password":"wrong"}""", Encoding.UTF8, "application/json");
            using var response = await client.PostAsync(new Uri("api/auth/login", UriKind.Relative), content, TestContext.Current.CancellationToken);
            answers.Add((await ProblemAsync(response, 401))["detail"]!.GetValue<string>());
        }

        Assert.Equal(answers[0], answers[1]);
    }

    [Fact]
    public async Task Another_tenants_run_and_integration_are_not_found()
    {
        using var merch = await app.SignInAsync();
        using var kiwi = await app.SignInAsync("Kiwi Plumbing");
        var run = (await merch.GetJsonAsync("api/sync/runs"))["runs"]![0]!["id"]!.ToString();
        var integration = (await merch.GetJsonAsync("api/integrations"))["integrations"]![0]!["id"]!.ToString();
        foreach (var path in new[] { $"api/sync/runs/{run}", $"api/integrations/{integration}", "api/sync/runs/1" })
        {
            using var response = await kiwi.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            await ProblemAsync(response, 404);
        }

        Assert.Empty((await kiwi.GetJsonAsync($"api/sync/runs?integrationId={integration}"))["runs"]!.AsArray());
    }

    [Fact]
    public async Task An_unknown_connector_is_400_and_starts_nothing()
    {
        using var client = await app.SignInAsync("Open Lectures");
        var before = (await client.GetJsonAsync("api/sync/runs"))["runs"]!.AsArray().Count;
        using var content = new StringContent("""{"connectors":["google-analytics","fax"]}""", Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri("api/sync/refresh", UriKind.Relative), content, TestContext.Current.CancellationToken);
        Assert.Contains("fax", (await ProblemAsync(response, 400))["errors"]!["connectors"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(before, (await client.GetJsonAsync("api/sync/runs"))["runs"]!.AsArray().Count);
    }

    private static async Task<JsonNode> ProblemAsync(HttpResponseMessage response, int status)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(status == (int)response.StatusCode, $"{(int)response.StatusCode} instead of {status}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonNode.Parse(text)!;
        foreach (var member in new[] { "type", "title", "detail", "traceId" }) Assert.NotEmpty(problem[member]!.GetValue<string>());
        Assert.Equal(status, problem["status"]!.GetValue<int>());
        return problem;
    }
}
