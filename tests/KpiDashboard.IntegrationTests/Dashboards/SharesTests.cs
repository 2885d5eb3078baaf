using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using KpiDashboard.Access;
using KpiDashboard.IntegrationTests.Access;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Tenancy;
using Xunit;

namespace KpiDashboard.IntegrationTests.Dashboards;

/// <summary>What a read-only link shows, to whom, and for how long.</summary>
[Collection(AppCollection.Name)]
public sealed class SharesTests(AppFixture app)
{
    private const string View = "api/shared/dashboard?range=last_28_days";

    private static readonly object[] Tiles = [new { id = "a", kind = "kpi", width = 3, height = 1, kpi = "web.sessions" }, new { id = "b", kind = "freshness", width = 4, height = 2 }];

    [Fact]
    public async Task A_link_shows_the_numbers_of_its_dashboard_and_nothing_else_of_the_business()
    {
        await using var world = new AccessWorld(app);
        var (tenant, _, _, secret) = await SharedAsync(world, Tiles);
        using var viewer = Viewer(secret);
        var shown = await viewer.GetJsonAsync(View);
        Assert.Equal(["web.sessions"], shown["summary"]!["kpis"]!.AsArray().Select(kpi => kpi!["key"]!.GetValue<string>()));
        Assert.Equal(7m * 28, shown["summary"]!["kpis"]![0]!["value"]!.GetValue<decimal>());
        Assert.Equal(["n8n"], shown["summary"]!["freshness"]!.AsArray().Select(source => source!["displayName"]!.GetValue<string>()));
        Assert.Null(shown["automation"]);
        // The business is named, as on its own wall; nothing else that bears its marker is.
        var text = shown.ToJsonString();
        Assert.Equal("Business " + tenant.Marker, shown["business"]!.GetValue<string>());
        Assert.Single(text.Split(tenant.Marker).Skip(1));
        foreach (var id in tenant.Traces.Skip(1)) Assert.DoesNotContain(id, text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Workflows_are_shown_only_where_their_tile_is()
    {
        await using var world = new AccessWorld(app);
        var (tenant, _, _, secret) = await SharedAsync(world, [new { id = "a", kind = "automation", width = 12, height = 3 }]);
        using var viewer = Viewer(secret);
        var shown = await viewer.GetJsonAsync(View);
        Assert.Empty(shown["summary"]!["kpis"]!.AsArray());
        Assert.Equal("Workflow " + tenant.Marker, shown["automation"]!["workflows"]![0]!["name"]!.GetValue<string>());
        Assert.Equal("n8n", shown["automation"]!["freshness"]![0]!["displayName"]!.GetValue<string>());
        Assert.Equal(Guid.Empty, shown["automation"]!["freshness"]![0]!["integrationId"]!.GetValue<Guid>());
    }

    [Fact]
    public async Task What_an_hour_and_the_automations_cost_and_what_a_workflow_is_called_by_stays_with_the_business()
    {
        await using var world = new AccessWorld(app);
        var (tenant, _, _, secret) = await SharedAsync(world, [new { id = "a", kind = "automation", width = 12, height = 3 }]);
        await world.ExecuteAsync("update tenants set hourly_labour_cost = 37.25, automation_cost_per_month = 61.5, data_version = data_version + 1 where id = @Id", new { tenant.Id });
        await world.ExecuteAsync("update workflows set tags = '{\"Tag of ours\"}', project_id = 'pr0ject', project = 'Project of ours' where tenant_id = @Id", new { tenant.Id });
        using var viewer = Viewer(secret);
        var shown = (await viewer.GetJsonAsync(View))["automation"]!;
        var text = shown.ToJsonString();
        Assert.Null(shown["hourlyLabourCost"]);
        Assert.Null(shown["automationCostPerMonth"]);
        foreach (var field in new[] { "cost", "valueSaved", "roi", "paybackDays", "lostValue" }) Assert.Null(shown["totals"]![field]);
        Assert.All(shown["workflows"]!.AsArray(), workflow => Assert.Null(workflow!["valueSaved"]));
        Assert.All(shown["daily"]!.AsArray(), day => Assert.Null(day!["valueSaved"]));
        Assert.Equal("1", shown["workflows"]![0]!["id"]!.GetValue<string>());
        foreach (var id in await world.QueryAsync<string>("select workflow_id from workflows where tenant_id = @Id", new { tenant.Id })) Assert.DoesNotContain($"\"{id}\"", text, StringComparison.Ordinal);
        foreach (var own in new[] { "of ours", "pr0ject", tenant.Integration.ToString() }) Assert.DoesNotContain(own, text, StringComparison.Ordinal);
        Assert.DoesNotContain("37.25", text, StringComparison.Ordinal);
        Assert.DoesNotContain("61.5", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_not_make_links_adds_nothing_to_what_a_link_shows_and_may_take_away_from_it()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("s" + Guid.NewGuid().ToString("N")[..10]);
        using var owner = Owner(tenant);
        var dashboard = (await owner.SendJsonAsync(HttpMethod.Post, "api/dashboards", new { name = "Board", tiles = Tiles, shared = true }))["id"]!.GetValue<string>();
        var link = (await owner.SendJsonAsync(HttpMethod.Post, $"api/dashboards/{dashboard}/shares", new { label = "Hall", days = 7 }))["id"]!.GetValue<string>();
        using var member = app.Anonymous();
        member.DefaultRequestHeaders.Add("X-Kpi-Token", (await world.PersonAsync(tenant.Id, "member")).Token);
        var path = $"api/dashboards/{dashboard}";
        object[] more = [.. Tiles, new { id = "c", kind = "automation", width = 12, height = 3 }], other = [new { id = "a", kind = "kpi", width = 3, height = 1, kpi = "automation.failed" }],
            note = [.. Tiles, new { id = "n", kind = "note", width = 4, height = 1, text = "Call +49 …" }], less = [Tiles[0]], moved = [new { id = "z", kind = "kpi", width = 6, height = 1, kpi = "web.sessions" }];
        foreach (var tiles in new[] { more, other, note })
            Assert.Contains("by a link", await member.RefusedAsync(403, HttpMethod.Patch, path, new { version = 1, tiles }), StringComparison.Ordinal);
        await member.RefusedAsync(403, HttpMethod.Patch, path, new { version = 1, name = "Ours" });
        await member.SendJsonAsync(HttpMethod.Patch, path, new { version = 1, tiles = less });
        await member.SendJsonAsync(HttpMethod.Patch, path, new { version = 2, tiles = moved });
        await owner.SendJsonAsync(HttpMethod.Patch, path, new { version = 3, tiles = more });
        // Once nobody sees it from outside any more it is the members' again.
        await owner.DoneAsync(HttpMethod.Delete, $"{path}/shares/{link}");
        await member.SendJsonAsync(HttpMethod.Patch, path, new { version = 4, tiles = note });
    }

    [Fact]
    public async Task The_secret_opens_no_other_route_as_no_kind_of_token()
    {
        await using var world = new AccessWorld(app);
        var (_, dashboard, _, secret) = await SharedAsync(world, Tiles);
        var opened = new List<string>();
        var asked = 0;
        foreach (var route in AppRoute.All.Where(route => route.Required.Permission != Permission.Anonymous))
        {
            foreach (var header in new[] { "X-Kpi-Share", "X-Kpi-Token", "Authorization" })
            {
                using var request = new HttpRequestMessage(new HttpMethod(route.Verb), "api/" + route.Path.Replace("{id}", dashboard, StringComparison.Ordinal));
                request.Headers.Add(header, header == "Authorization" ? "Bearer " + secret : secret);
                using var client = app.Anonymous();
                using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
                asked++;
                if ((int)response.StatusCode != 401) opened.Add($"{route} by {header}: {(int)response.StatusCode}");
            }
        }

        Assert.True(asked > 150, $"Only {asked} requests were made.");
        Assert.Empty(opened);
    }

    [Theory]
    [InlineData("&kpis=shop.revenue", "kpis")]
    [InlineData("&from=2026-01-01&to=2026-02-01", "from")]
    [InlineData("&dashboard=1", "dashboard")]
    public async Task A_link_cannot_be_asked_for_more_than_a_preset(string more, string field)
    {
        await using var world = new AccessWorld(app);
        var (_, _, _, secret) = await SharedAsync(world, Tiles);
        using var viewer = Viewer(secret);
        var (status, body) = await viewer.AskAsync(HttpMethod.Get, View + more);
        Assert.Equal((400, true), (status, body!["errors"]!.AsObject().ContainsKey(field)));
    }

    [Fact]
    public async Task A_link_that_was_taken_back_ran_out_or_never_was_gets_one_and_the_same_sentence()
    {
        await using var world = new AccessWorld(app);
        var (tenant, dashboard, share, secret) = await SharedAsync(world, Tiles);
        using var owner = Owner(tenant);
        using var viewer = Viewer(secret);
        var sentences = new List<string>();
        async Task GoneAsync(HttpClient client) => sentences.Add(await client.RefusedAsync(404, HttpMethod.Get, View));

        await world.ExecuteAsync("update dashboard_shares set expires_at = now() where id = @share", new { share = Guid.Parse(share) });
        await GoneAsync(viewer);
        Assert.Empty((await owner.GetJsonAsync($"api/dashboards/{dashboard}/shares"))["shares"]!.AsArray());
        await world.ExecuteAsync("update dashboard_shares set expires_at = now() + interval '1 day' where id = @share", new { share = Guid.Parse(share) });
        await viewer.GetJsonAsync(View);

        await world.ExecuteAsync("update tenants set delete_after = now() + interval '1 day' where id = @Id", new { tenant.Id });
        await GoneAsync(viewer);
        await world.ExecuteAsync("update tenants set delete_after = null where id = @Id", new { tenant.Id });
        await viewer.GetJsonAsync(View);

        await owner.DoneAsync(HttpMethod.Delete, $"api/dashboards/{dashboard}/shares/{share}");
        await GoneAsync(viewer);
        await owner.RefusedAsync(404, HttpMethod.Delete, $"api/dashboards/{dashboard}/shares/{share}");
        using var nobody = app.Anonymous();
        await GoneAsync(nobody);
        using var guess = Viewer("kps_" + new string('A', 43));
        await GoneAsync(guess);
        Assert.Equal(["This link has run out or was taken back. Ask whoever gave it to you for a new one."], sentences.Distinct());
    }

    [Fact]
    public async Task Deleting_the_dashboard_closes_its_links()
    {
        await using var world = new AccessWorld(app);
        var (tenant, dashboard, _, secret) = await SharedAsync(world, Tiles);
        using var owner = Owner(tenant);
        using var viewer = Viewer(secret);
        await owner.DoneAsync(HttpMethod.Delete, $"api/dashboards/{dashboard}");
        await viewer.RefusedAsync(404, HttpMethod.Get, View);
    }

    [Fact]
    public async Task Only_a_hash_of_the_secret_is_kept_and_the_audit_log_tells_of_the_link_and_once_a_day_of_its_use()
    {
        await using var world = new AccessWorld(app);
        var (tenant, dashboard, share, secret) = await SharedAsync(world, Tiles);
        using var owner = Owner(tenant);
        using var viewer = Viewer(secret);
        for (var i = 0; i < 3; i++)
        {
            await viewer.GetJsonAsync(View);
            await world.ExecuteAsync("update dashboard_shares set last_used_at = greatest(last_used_at - interval '2 minutes', date_trunc('day', last_used_at)) where id = @id", new { id = Guid.Parse(share) });
        }

        await owner.DoneAsync(HttpMethod.Delete, $"api/dashboards/{dashboard}/shares/{share}");
        Assert.Equal(
            ["dashboard.link_made", "dashboard.link_used", "dashboard.link_revoked"],
            await world.QueryAsync<string>("select action from audit_log where tenant_id = @Id and action like 'dashboard.link%' order by at", new { tenant.Id }));
        var kept = await world.QueryAsync<string>("select s::text || coalesce((select string_agg(a::text, '') from audit_log a where a.tenant_id = s.tenant_id), '') from dashboard_shares s where s.id = @id", new { id = Guid.Parse(share) });
        Assert.DoesNotContain(secret, kept.Single(), StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret))), kept.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_did_not_change_is_304_and_what_did_is_sent()
    {
        await using var world = new AccessWorld(app);
        var (tenant, dashboard, _, secret) = await SharedAsync(world, Tiles);
        using var owner = Owner(tenant);
        using var viewer = Viewer(secret);
        using var first = await viewer.GetAsync(View, TestContext.Current.CancellationToken);
        Assert.Contains("X-Kpi-Share", first.Headers.Vary);
        viewer.DefaultRequestHeaders.IfNoneMatch.Add(first.Headers.ETag!);
        using var same = await viewer.GetAsync(View, TestContext.Current.CancellationToken);
        Assert.Equal(304, (int)same.StatusCode);
        await owner.SendJsonAsync(HttpMethod.Patch, $"api/dashboards/{dashboard}", new { version = 1, name = "Renamed" });
        Assert.Equal("Renamed", (await viewer.GetJsonAsync(View))["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_link_that_is_used_too_often_waits()
    {
        await using var world = new AccessWorld(app);
        var (_, _, share, secret) = await SharedAsync(world, Tiles);
        using var viewer = Viewer(secret);
        await viewer.GetJsonAsync(View);
        // As after 300 requests at once: the allowance is whole again in five minutes only.
        var key = SHA256.HashData(Encoding.UTF8.GetBytes($"Share\n{Guid.Parse(share):N}"));
        await world.ExecuteAsync("update rate_limits set whole_at = now() + interval '5 minutes' where key = @key", new { key });
        Assert.Contains("Too many", await viewer.RefusedAsync(429, HttpMethod.Get, View), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"label":"","days":7}""", "label")]
    [InlineData("""{"label":"Hall","days":0}""", "days")]
    [InlineData("""{"label":"Hall","days":366}""", "days")]
    public async Task A_link_without_a_name_or_an_end_is_not_made(string body, string field)
    {
        await using var world = new AccessWorld(app);
        var (tenant, dashboard, _, _) = await SharedAsync(world, Tiles);
        var before = await world.FingerprintAsync(tenant.Id);
        var (status, answer) = await world.SendAsync("POST", $"dashboards/{dashboard}/shares", tenant.OwnerToken, body);
        Assert.Equal((400, true), (status, JsonNode.Parse(answer)!["errors"]!.AsObject().ContainsKey(field)));
        Assert.Equal(before, await world.FingerprintAsync(tenant.Id));
    }

    [Fact]
    public async Task The_21st_link_to_a_dashboard_is_one_too_many()
    {
        await using var world = new AccessWorld(app);
        var (tenant, dashboard, _, _) = await SharedAsync(world, Tiles);
        using var owner = Owner(tenant);
        for (var i = 1; i < 20; i++) await owner.SendJsonAsync(HttpMethod.Post, $"api/dashboards/{dashboard}/shares", new { label = $"L{i}", days = 1 });
        Assert.Contains("take one back", await owner.RefusedAsync(409, HttpMethod.Post, $"api/dashboards/{dashboard}/shares", new { label = "L20", days = 1 }), StringComparison.Ordinal);
    }

    /// <summary>A business with a dashboard and a link to it.</summary>
    private async Task<(AccessTenant Tenant, string Dashboard, string Share, string Secret)> SharedAsync(AccessWorld world, object[] tiles)
    {
        var tenant = await world.TenantAsync("s" + Guid.NewGuid().ToString("N")[..10]);
        using var owner = Owner(tenant);
        var dashboard = (await owner.SendJsonAsync(HttpMethod.Post, "api/dashboards", new { name = "Board", tiles }))["id"]!.GetValue<string>();
        var link = await owner.SendJsonAsync(HttpMethod.Post, $"api/dashboards/{dashboard}/shares", new { label = "Hall", days = 7 });
        var secret = link["secret"]!.GetValue<string>();
        Assert.Equal($"/shared#{secret}", link["path"]!.GetValue<string>());
        return (tenant, dashboard, link["id"]!.GetValue<string>(), secret);
    }

    private HttpClient Owner(AccessTenant tenant)
    {
        var client = app.Anonymous();
        client.DefaultRequestHeaders.Add("X-Kpi-Token", tenant.OwnerToken);
        return client;
    }

    private HttpClient Viewer(string secret)
    {
        var client = app.Anonymous();
        client.DefaultRequestHeaders.Add("X-Kpi-Share", secret);
        return client;
    }
}
