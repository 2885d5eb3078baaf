using System.Text.Json.Nodes;
using KpiDashboard.IntegrationTests.Access;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Tenancy;
using Xunit;

namespace KpiDashboard.IntegrationTests.Dashboards;

/// <summary>Dashboards of one's own and of the business, through the whole app.</summary>
[Collection(AppCollection.Name)]
public sealed class DashboardsTests(AppFixture app)
{
    private static readonly object[] Tiles = [new { id = "a", kind = "kpi", width = 3, height = 1, kpi = "web.sessions" }, new { id = "b", kind = "note", width = 4, height = 2, text = "Hello" }];

    [Fact]
    public async Task A_template_becomes_a_dashboard_of_ones_own_that_nobody_else_sees()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("a" + Guid.NewGuid().ToString("N")[..8]);
        using var owner = Client(tenant.OwnerToken);
        using var viewer = Client((await world.PersonAsync(tenant.Id, "viewer")).Token);
        using var machine = Client(await world.MachineAsync(tenant.Id, "read"));
        var listed = await viewer.GetJsonAsync("api/dashboards");
        Assert.Equal(["morning", "automation", "wall"], Keys(listed["templates"]!).Where(key => key is not ("website" or "shop")));
        Assert.True(listed["templates"]![0]!["suggested"]!.GetValue<bool>());

        var made = await viewer.SendJsonAsync(HttpMethod.Post, "api/dashboards", new { name = " Mine ", template = "morning" });
        var id = made["id"]!.GetValue<string>();
        Assert.Equal(("Mine", 1, true, true, false), (Text(made, "name"), made["version"]!.GetValue<int>(), Flag(made, "isMine"), Flag(made, "mayEdit"), Flag(made, "shared")));
        Assert.Equal(listed["templates"]![0]!["tiles"]!.ToJsonString(), made["tiles"]!.ToJsonString());
        Assert.Contains("Mine", Names(await viewer.GetJsonAsync("api/dashboards")));
        foreach (var other in new[] { owner, machine })
        {
            Assert.DoesNotContain("Mine", Names(await other.GetJsonAsync("api/dashboards")));
            await other.RefusedAsync(404, HttpMethod.Get, $"api/dashboards/{id}");
        }

        await owner.RefusedAsync(404, HttpMethod.Patch, $"api/dashboards/{id}", new { version = 1, name = "Yours" });
        await owner.RefusedAsync(404, HttpMethod.Delete, $"api/dashboards/{id}");
        // What a person keeps for itself is nobody's business, the audit log's neither.
        Assert.Empty(await world.QueryAsync<string>("select action from audit_log where tenant_id = @Id and action like 'dashboard.%'", new { tenant.Id }));
        await viewer.DoneAsync(HttpMethod.Delete, $"api/dashboards/{id}");
        await viewer.RefusedAsync(404, HttpMethod.Get, $"api/dashboards/{id}");
    }

    [Fact]
    public async Task Members_share_and_change_what_is_shared_and_a_viewer_only_looks()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("b" + Guid.NewGuid().ToString("N")[..8]);
        using var member = Client((await world.PersonAsync(tenant.Id, "member")).Token);
        using var other = Client((await world.PersonAsync(tenant.Id, "member")).Token);
        using var viewer = Client((await world.PersonAsync(tenant.Id, "viewer")).Token);
        Assert.Contains("may not share", await viewer.RefusedAsync(403, HttpMethod.Post, "api/dashboards", new { name = "Ours", tiles = Tiles, shared = true }), StringComparison.Ordinal);

        var id = Text(await member.SendJsonAsync(HttpMethod.Post, "api/dashboards", new { name = "Ours", tiles = Tiles, shared = true }), "id");
        var seen = await viewer.GetJsonAsync($"api/dashboards/{id}");
        Assert.Equal((false, false, true), (Flag(seen, "mayEdit"), Flag(seen, "isMine"), Flag(seen, "shared")));
        Assert.Contains("Copy it", await viewer.RefusedAsync(403, HttpMethod.Patch, $"api/dashboards/{id}", new { version = 1, name = "No" }), StringComparison.Ordinal);
        await viewer.RefusedAsync(403, HttpMethod.Delete, $"api/dashboards/{id}");

        Assert.Equal(2, (await other.SendJsonAsync(HttpMethod.Patch, $"api/dashboards/{id}", new { version = 1, name = "Everybody's" }))["version"]!.GetValue<int>());
        Assert.Contains("made a dashboard", await other.RefusedAsync(403, HttpMethod.Patch, $"api/dashboards/{id}", new { version = 2, shared = false }), StringComparison.Ordinal);
        await member.SendJsonAsync(HttpMethod.Patch, $"api/dashboards/{id}", new { version = 2, shared = false });
        await other.RefusedAsync(404, HttpMethod.Get, $"api/dashboards/{id}");
        Assert.Equal(
            ["dashboard.created", "dashboard.changed", "dashboard.changed"],
            await world.QueryAsync<string>("select action from audit_log where tenant_id = @Id and action like 'dashboard.%' order by at", new { tenant.Id }));
    }

    [Fact]
    public async Task Who_read_an_older_version_changes_nothing_and_of_ten_at_once_one_wins()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("c" + Guid.NewGuid().ToString("N")[..8]);
        using var owner = Client(tenant.OwnerToken);
        var id = Text(await owner.SendJsonAsync(HttpMethod.Post, "api/dashboards", new { name = "D", tiles = Tiles }), "id");
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => owner.AskAsync(HttpMethod.Patch, $"api/dashboards/{id}", new { version = 1, name = $"D{i}" })));
        Assert.Equal(1, answers.Count(answer => answer.Status == 200));
        Assert.All(answers.Where(answer => answer.Status != 200), answer => Assert.Equal((409, true), (answer.Status, Text(answer.Body!, "detail").Contains("changed by somebody else", StringComparison.Ordinal))));
        var now = await owner.GetJsonAsync($"api/dashboards/{id}");
        Assert.Equal(2, now["version"]!.GetValue<int>());
        Assert.Equal(Text(answers.Single(answer => answer.Status == 200).Body!, "name"), Text(now, "name"));
    }

    [Theory]
    [InlineData("""{"name":"","tiles":[]}""", "name")]
    [InlineData("""{"name":"D"}""", "template")]
    [InlineData("""{"name":"D","template":"morning","tiles":[]}""", "template")]
    [InlineData("""{"name":"D","template":"nothing"}""", "template")]
    [InlineData("""{"name":"D","tiles":[{"id":"a","kind":"kpi","width":3,"height":1,"kpi":"web.nothing"}]}""", "tiles[0].kpi")]
    [InlineData("""{"name":"D","tiles":[{"id":"a","kind":"clock","width":3,"height":1}]}""", "tiles[0].kind")]
    [InlineData("""{"name":"D","tiles":[{"id":"a","kind":"note","width":3,"height":1,"text":"x","colour":"red"}]}""", "tiles[0].colour")]
    [InlineData("""{"name":"D","tiles":[null]}""", "tiles[0]")]
    public async Task What_cannot_be_a_dashboard_is_refused_with_the_field_and_leaves_nothing(string body, string field)
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("d" + Guid.NewGuid().ToString("N")[..8]);
        var before = await world.FingerprintAsync(tenant.Id);
        var (status, answer) = await world.SendAsync("POST", "dashboards", tenant.OwnerToken, body);
        Assert.Equal((400, true), (status, JsonNode.Parse(answer)!["errors"]!.AsObject().ContainsKey(field)));
        Assert.Equal(before, await world.FingerprintAsync(tenant.Id));
    }

    [Fact]
    public async Task When_a_member_leaves_its_private_dashboards_go_and_the_shared_ones_stay()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("e" + Guid.NewGuid().ToString("N")[..8]);
        var member = await world.PersonAsync(tenant.Id, "member");
        using var owner = Client(tenant.OwnerToken);
        using var client = Client(member.Token);
        await client.SendJsonAsync(HttpMethod.Post, "api/dashboards", new { name = "Private", tiles = Tiles });
        await client.SendJsonAsync(HttpMethod.Post, "api/dashboards", new { name = "Shared", tiles = Tiles, shared = true });
        await owner.DoneAsync(HttpMethod.Delete, $"api/members/{member.Id}");
        var left = await world.QueryAsync<(string Name, Guid? Owner)>("select name, owner_id from dashboards where tenant_id = @Id and name in ('Private', 'Shared')", new { tenant.Id });
        Assert.Equal([("Shared", null)], left);
    }

    [Fact]
    public async Task Reads_answer_304_to_whoever_has_the_same_already()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("f" + Guid.NewGuid().ToString("N")[..8]);
        using var owner = Client(tenant.OwnerToken);
        var id = Text(await owner.SendJsonAsync(HttpMethod.Post, "api/dashboards", new { name = "D", tiles = Tiles }), "id");
        foreach (var path in new[] { "api/dashboards", $"api/dashboards/{id}" })
        {
            using var first = await owner.GetAsync(path, TestContext.Current.CancellationToken);
            using var again = new HttpRequestMessage(HttpMethod.Get, path);
            again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
            using var second = await owner.SendAsync(again, TestContext.Current.CancellationToken);
            Assert.Equal((200, 304), ((int)first.StatusCode, (int)second.StatusCode));
        }
    }

    private HttpClient Client(string token)
    {
        var client = app.Anonymous();
        client.DefaultRequestHeaders.Add("X-Kpi-Token", token);
        return client;
    }

    private static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();

    private static bool Flag(JsonNode node, string name) => node[name]!.GetValue<bool>();

    private static IEnumerable<string> Names(JsonNode list) => list["dashboards"]!.AsArray().Select(item => Text(item!, "name"));

    private static IEnumerable<string> Keys(JsonNode templates) => templates.AsArray().Select(item => Text(item!, "key"));
}
