using System.Net;
using System.Text.Json.Nodes;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.Telemetry;
using Xunit;

namespace KpiDashboard.IntegrationTests.Operations;

/// <summary>What operators see, of the whole app with its demo tenants.</summary>
[Collection(SecondAppCollection.Name)]
public sealed class OpsTests(AppFixture app)
{
    /// <summary>Other tests of the collection may have added some.</summary>
    private static int DemoIntegrations { get; } = DemoWorld.Tenants.Sum(tenant => tenant.N8nInstance is null ? 1 : 2);

    [Fact]
    public async Task The_overview_counts_what_there_is_and_sees_the_queues()
    {
        var overview = await GetAsync("api/ops/overview");
        Assert.Equal(4, (int)overview["tenants"]!["demo"]!);
        Assert.True(overview["integrations"]!.AsArray().Sum(entry => (long)entry!["count"]!) >= DemoIntegrations);
        Assert.Contains(overview["runs"]!.AsArray(), entry => (string)entry!["status"]! == "succeeded" && (long)entry["count"]! > 0);
        Assert.Contains(overview["queues"]!.AsArray(), queue => (string)queue!["name"]! == "sync-n8n");
        Assert.Null(overview["queuesProblem"]);
        Assert.NotNull(overview["live"]!["waiting"]);
        Assert.NotNull(overview["mails"]!["waiting"]);
        Assert.True(DateTimeOffset.UtcNow - (DateTimeOffset)overview["timerAt"]! < TimeSpan.FromMinutes(15));
    }

    [Fact]
    public async Task What_is_wrong_with_one_business_is_listed_counted_and_cleared()
    {
        var tenant = (Guid)(await AllAsync(""))[0]["tenantId"]!;
        var step = $"step {Guid.NewGuid():N}";
        await app.Database.ExecuteAsync(
            "select note_tenant_fault(@tenant, @step, null, 'It went wrong.', now())", new { tenant, step }, TestContext.Current.CancellationToken);
        var fault = (await GetAsync("api/ops/faults?limit=200"))["faults"]!.AsArray().Single(entry => (string)entry!["step"]! == step)!;
        Assert.Equal(
            (tenant, "It went wrong.", 1, null), ((Guid)fault["tenantId"]!, (string)fault["reason"]!, (int)fault["times"]!, (string?)fault["subject"]));
        Assert.True((long)(await GetAsync("api/ops/overview"))["faults"]!["tenants"]! >= 1);

        using var client = Client();
        var cleared = await client.SendJsonAsync(HttpMethod.Post, "api/ops/faults/clear", new JsonObject { ["tenantId"] = tenant, ["step"] = step });
        Assert.Equal(1, (int)cleared["cleared"]!);
        Assert.DoesNotContain((await GetAsync("api/ops/faults?limit=200"))["faults"]!.AsArray(), entry => (string)entry!["step"]! == step);
        using var refused = await client.PostAsync(
            new Uri("api/ops/faults/clear", UriKind.Relative), new StringContent($$"""{"tenantId":"{{tenant}}","step":""}"""), TestContext.Current.CancellationToken);
        Assert.True((int)refused.StatusCode is 400 or 415);
    }

    [Fact]
    public async Task Integrations_come_page_by_page_by_state_and_connector_and_name_nobody()
    {
        var all = await AllAsync("");
        Assert.True(all.Count >= DemoIntegrations);
        Assert.Equal(all.Count, all.Select(entry => (string)entry["integrationId"]!).Distinct().Count());
        // Small pages come in the same order, one after the other.
        var first = await GetAsync("api/ops/integrations?limit=3");
        var second = await GetAsync($"api/ops/integrations?limit=3&cursor={(string)first["nextCursor"]!}");
        Assert.Equal(
            all.Take(6).Select(entry => (string)entry["integrationId"]!),
            new[] { first, second }.SelectMany(page => page["integrations"]!.AsArray()).Select(entry => (string)entry!["integrationId"]!));
        Assert.All(all, entry => Assert.Equal(TenantHash.Of((Guid)entry["tenantId"]!, Convert.FromBase64String(AppFixture.TenantHashKey)), (string)entry["tenantHash"]!));
        Assert.DoesNotContain("Merch", new JsonArray([.. all.Select(entry => entry.DeepClone())]).ToJsonString(), StringComparison.Ordinal);
        foreach (var (field, value) in new[] { ("connector", "n8n"), ("state", "active"), ("state", "disconnected") })
        {
            Assert.Equal(
                all.Where(entry => (string)entry[field]! == value).Select(entry => (string)entry["integrationId"]!),
                (await AllAsync($"&{field}={value}")).Select(entry => (string)entry["integrationId"]!));
        }
    }

    [Theory]
    [InlineData("state=asleep", "state")]
    [InlineData("connector=fax", "connector")]
    [InlineData("cursor=x", "cursor")]
    [InlineData("limit=0", "limit")]
    public async Task Bad_input_is_named(string query, string field)
    {
        using var client = Client();
        using var answer = await client.GetAsync(new Uri("api/ops/integrations?" + query, UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.NotNull(JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["errors"]![field]);
    }

    [Fact]
    public async Task The_host_tells_which_settings_are_there_and_no_value_of_any()
    {
        var host = await GetAsync("api/ops/host");
        var settings = host["settings"]!.AsArray().ToDictionary(entry => (string)entry!["name"]!, entry => (bool)entry!["isSet"]!);
        Assert.True(settings["ConnectionStrings:Postgres"] && settings["AzureWebJobsStorage"] && settings["Secrets:CurrentKey"]);
        Assert.False(settings["Mail:Host"] && settings["APPLICATIONINSIGHTS_CONNECTION_STRING"]);
        Assert.Equal(0, (int)host["missingMigrations"]!);
        Assert.Contains(host["migrations"]!.AsArray(), entry => (string)entry!["name"]! == "0014_operations");
        Assert.Contains(".NET 10", (string)host["runtime"]!, StringComparison.Ordinal);
        Assert.DoesNotContain("Password", host.ToJsonString(), StringComparison.OrdinalIgnoreCase);
    }

    private async Task<List<JsonNode>> AllAsync(string filter)
    {
        var all = new List<JsonNode>();
        for (var (cursor, pages) = ("", 0); pages < 50; pages++)
        {
            var page = await GetAsync($"api/ops/integrations?limit=200{filter}{(cursor.Length > 0 ? $"&cursor={cursor}" : "")}");
            all.AddRange(page["integrations"]!.AsArray().Select(entry => entry!));
            if ((string?)page["nextCursor"] is not { } next) return all;
            cursor = next;
        }

        throw new InvalidOperationException("The pages do not end.");
    }

    private HttpClient Client()
    {
        var client = app.Anonymous();
        client.DefaultRequestHeaders.Add("x-functions-key", AppFixture.MasterKey);
        return client;
    }

    private async Task<JsonNode> GetAsync(string path)
    {
        using var client = Client();
        return await client.GetJsonAsync(path);
    }
}
