using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Push;
using Xunit;

namespace KpiDashboard.IntegrationTests.Numbers;

/// <summary>Goals, calculated KPIs, insights, notes, provenance and export, at the whole app.</summary>
[Collection(AppCollection.Name)]
public sealed class NumbersApiTests(AppFixture app)
{
    private static readonly DateOnly Today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(DateTimeOffset.UtcNow, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")).DateTime);

    private static string Day(int daysAgo) => Today.AddDays(-daysAgo).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Task<(int Status, JsonNode? Body)> PatchAsync(PushWorld world, PushTenant tenant, string path, object body) => world.SendAsync(HttpMethod.Patch, path, tenant.Owner, JsonContent.Create(body));

    private static async Task<JsonNode> MadeAsync(PushWorld world, PushTenant tenant, string path, object body)
    {
        var (status, made) = await world.SendAsync(HttpMethod.Post, path, tenant.Owner, JsonContent.Create(body));
        Assert.True(status == 201, $"{path}: {status} {made?.ToJsonString()}");
        return made!;
    }

    /// <summary>A business that pushed 20 days of orders at 10 a day and of spending at 4.</summary>
    private static async Task<PushTenant> PushedAsync(PushWorld world)
    {
        var tenant = await world.TenantAsync();
        await world.KpiAsync(tenant, "custom.orders");
        await world.KpiAsync(tenant, "custom.spend");
        var readings = Enumerable.Range(1, 20).SelectMany(day => new[] { new { kpi = "custom.orders", date = Day(day), value = 10 }, new { kpi = "custom.spend", date = Day(day), value = 4 } });
        Assert.Equal(200, (await world.SendAsync(HttpMethod.Post, "push", tenant.Owner, JsonContent.Create(new { readings }))).Status);
        return tenant;
    }

    [Fact]
    public async Task A_calculated_KPI_is_previewed_made_shown_everywhere_changed_and_deleted()
    {
        await using var world = new PushWorld(app);
        var tenant = await PushedAsync(world);
        var (_, preview) = await world.SendAsync(HttpMethod.Post, "kpis/calculated/preview", tenant.Owner, JsonContent.Create(new { formula = "custom.orders / custom.spend", unit = "number" }));
        Assert.Equal((2.5m, 28, "ratio"), (preview!["value"]!.GetValue<decimal>(), preview["points"]!.AsArray().Count, preview["aggregation"]!.GetValue<string>()));

        var made = await MadeAsync(world, tenant, "kpis/calculated", new { key = "calc.left", name = "Left", formula = "custom.orders - custom.spend", unit = "count", direction = "up" });
        Assert.Equal(("sum", "custom.orders custom.spend"), (made["aggregation"]!.GetValue<string>(), string.Join(' ', made["uses"]!.AsArray().Select(use => use!.GetValue<string>()))));
        var (_, catalogue) = await world.GetAsync("kpis", tenant.Owner);
        Assert.Contains(catalogue!.AsArray(), kpi => kpi!["key"]!.GetValue<string>() == "calc.left");
        var (_, summary) = await world.GetAsync($"metrics/summary?from={Day(10)}&to={Day(1)}", tenant.Owner);
        Assert.Equal(60m, summary!["kpis"]!.AsArray().Single(kpi => kpi!["key"]!.GetValue<string>() == "calc.left")!["value"]!.GetValue<decimal>());
        var (_, history) = await world.GetAsync($"metrics/history?kpis=calc.left,business.health_score&from={Day(10)}&to={Day(1)}", tenant.Owner);
        Assert.All(history!["series"]![0]!["points"]!.AsArray(), point => Assert.Equal(6m, point!["value"]!.GetValue<decimal>()));
        Assert.All(history["series"]![1]!["points"]!.AsArray(), point => Assert.Null(point!["value"]));

        var id = made["id"]!.GetValue<string>();
        await MadeAsync(world, tenant, "kpis/calculated", new { key = "calc.twice", name = "Twice", formula = "2 * calc.left", unit = "count", direction = "up" });
        Assert.Contains("leads back", (await PatchAsync(world, tenant, $"kpis/calculated/{id}", new { formula = "calc.twice + 1" })).Body!["errors"]!["formula"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(200, (await PatchAsync(world, tenant, $"kpis/calculated/{id}", new { formula = "custom.orders - 2 * custom.spend" })).Status);
        (_, summary) = await world.GetAsync($"metrics/summary?from={Day(10)}&to={Day(1)}", tenant.Owner);
        Assert.Equal(40m, summary!["kpis"]!.AsArray().Single(kpi => kpi!["key"]!.GetValue<string>() == "calc.twice")!["value"]!.GetValue<decimal>());
        Assert.Equal(409, (await world.SendAsync(HttpMethod.Delete, $"kpis/calculated/{id}", tenant.Owner)).Status);
        foreach (var (formula, part) in new[] { ("custom.nothing", "no KPI"), ("custom.orders +", "too early"), ("custom.orders; 1", "character") })
        {
            var (status, body) = await world.SendAsync(HttpMethod.Post, "kpis/calculated", tenant.Owner, JsonContent.Create(new { key = "calc.bad", name = "Bad", formula, unit = "count", direction = "up" }));
            Assert.Equal(400, status);
            Assert.Contains(part, body!["errors"]!["formula"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_goal_has_a_pace_shows_in_the_summary_and_keeps_its_history_when_the_target_changes()
    {
        await using var world = new PushWorld(app);
        var tenant = await PushedAsync(world);
        var made = await MadeAsync(world, tenant, "goals", new { kpi = "custom.orders", target = 140, rhythm = "dated", startsOn = Day(10), endsOn = Day(-3), name = "Fortnight" });
        // 10 complete days at 10 of 14: heading for 140.
        Assert.Equal((100m, 140m, 1m, "on_track"), (made["now"]!["value"]!.GetValue<decimal>(), made["now"]!["projected"]!.GetValue<decimal>(), made["now"]!["pace"]!.GetValue<decimal>(), made["now"]!["state"]!.GetValue<string>()));
        var (_, summary) = await world.GetAsync($"metrics/summary?from={Day(7)}&to={Day(1)}", tenant.Owner);
        Assert.Equal("on_track", summary!["kpis"]!.AsArray().Single(kpi => kpi!["key"]!.GetValue<string>() == "custom.orders")!["goal"]!["state"]!.GetValue<string>());
        var id = made["id"]!.GetValue<string>();
        Assert.Equal("off_track", (await PatchAsync(world, tenant, $"goals/{id}", new { target = 200 })).Body!["now"]!["state"]!.GetValue<string>());

        var weekly = await MadeAsync(world, tenant, "goals", new { kpi = "custom.orders", target = 70, rhythm = "week", startsOn = Day(20) });
        var before = weekly["history"]!.AsArray().Select(past => $"{past!["from"]} {past["target"]} {past["state"]}").ToList();
        Assert.NotEmpty(before);
        Assert.Contains(before, past => past.EndsWith("70 met", StringComparison.Ordinal));
        var (_, changed) = await PatchAsync(world, tenant, $"goals/{weekly["id"]}", new { target = 700 });
        Assert.Equal(before, changed!["history"]!.AsArray().Select(past => $"{past!["from"]} {past["target"]} {past["state"]}"));
        Assert.Equal(700m, changed["now"]!["target"]!.GetValue<decimal>());

        var (_, insights) = await world.GetAsync($"insights/business?from={Day(7)}&to={Day(1)}", tenant.Owner);
        Assert.Contains(insights!["insights"]!.AsArray(), insight => insight!["rule"]!.GetValue<string>() == "goal");
        Assert.Equal(204, (await world.SendAsync(HttpMethod.Delete, $"goals/{id}", tenant.Owner)).Status);
        Assert.Single((await world.GetAsync("goals", tenant.Owner)).Body!["goals"]!.AsArray());
        foreach (var (body, field) in new (object, string)[]
        {
            (new { kpi = "custom.nothing", target = 1, rhythm = "week" }, "kpi"), (new { kpi = "custom.orders", target = 1, rhythm = "dated" }, "endsOn"),
            (new { kpi = "custom.orders", target = 1, rhythm = "week", endsOn = Day(0) }, "endsOn"), (new { kpi = "custom.orders", target = 1e20, rhythm = "week" }, "target"),
        })
        {
            var (status, problem) = await world.SendAsync(HttpMethod.Post, "goals", tenant.Owner, JsonContent.Create(body));
            Assert.Equal((400, field), (status, problem!["errors"]!.AsObject().Single().Key));
        }
    }

    [Fact]
    public async Task Notes_are_written_changed_listed_with_what_the_system_knows_and_deleted()
    {
        await using var world = new PushWorld(app);
        var tenant = await PushedAsync(world);
        Assert.Equal(200, (await world.SendAsync(HttpMethod.Post, "push", tenant.Owner, JsonContent.Create(new { readings = new[] { new { kpi = "custom.orders", date = Day(5), value = 12 } } }))).Status);
        var made = await MadeAsync(world, tenant, "annotations", new { text = "Summer sale", from = Day(3), to = Day(2) });
        var list = (await world.GetAsync($"annotations?from={Day(10)}&to={Day(1)}", tenant.Owner)).Body!["annotations"]!.AsArray();
        Assert.Equal(["restated", "note"], list.Select(entry => entry!["kind"]!.GetValue<string>()));
        Assert.Equal((Day(5), "custom.orders"), (list[0]!["from"]!.GetValue<string>(), list[0]!["kpis"]![0]!.GetValue<string>()));
        Assert.NotNull(list[1]!["author"]);
        Assert.Empty((await world.GetAsync($"annotations?from={Day(1)}&to={Day(1)}", tenant.Owner)).Body!["annotations"]!.AsArray());
        Assert.Equal("Winter sale", (await PatchAsync(world, tenant, $"annotations/{made["id"]}", new { text = "Winter sale" })).Body!["text"]!.GetValue<string>());
        Assert.Equal(400, (await PatchAsync(world, tenant, $"annotations/{made["id"]}", new { to = Day(9) })).Status);
        Assert.Equal(400, (await world.SendAsync(HttpMethod.Post, "annotations", tenant.Owner, JsonContent.Create(new { text = new string('x', 281), from = Day(3) }))).Status);
        Assert.Equal(204, (await world.SendAsync(HttpMethod.Delete, $"annotations/{made["id"]}", tenant.Owner)).Status);
        Assert.Equal(3, await world.OneAsync<int>("select count(*)::int from audit_log where tenant_id = @Id and action like 'annotation.%'", tenant));
    }

    [Fact]
    public async Task A_pushed_number_and_a_computed_one_tell_where_they_come_from()
    {
        await using var world = new PushWorld(app);
        var tenant = await PushedAsync(world);
        Assert.Equal(200, (await world.SendAsync(HttpMethod.Post, "push", tenant.Owner, JsonContent.Create(new { readings = new[] { new { kpi = "custom.orders", date = Day(5), value = 12 } } }))).Status);
        await MadeAsync(world, tenant, "kpis/calculated", new { key = "calc.rate", name = "Rate", formula = "custom.orders / custom.spend", unit = "number", direction = "up" });
        var (_, origin) = await world.GetAsync($"metrics/provenance?kpi=calc.rate&date={Day(5)}", tenant.Owner);
        Assert.Equal((3m, "custom.orders / custom.spend"), (origin!["value"]!.GetValue<decimal>(), origin["formula"]!.GetValue<string>()));
        var orders = origin["parts"]!.AsArray().Single(part => part!["kpi"]!.GetValue<string>() == "custom.orders")!;
        Assert.Equal((12m, "push", "final"), (orders["value"]!.GetValue<decimal>(), orders["broughtBy"]!.GetValue<string>(), orders["status"]!.GetValue<string>()));
        Assert.Equal((10m, 12m), (orders["restatements"]![0]!["oldValue"]!.GetValue<decimal>(), orders["restatements"]![0]!["newValue"]!.GetValue<decimal>()));
        Assert.Equal(400, (await world.GetAsync("metrics/provenance?kpi=custom.orders", tenant.Owner)).Status);
        Assert.Equal(400, (await world.GetAsync($"metrics/provenance?kpi=web.nothing&date={Day(1)}", tenant.Owner)).Status);
    }

    [Fact]
    public async Task A_synced_number_names_its_property_its_run_and_its_requests()
    {
        using var client = await app.SignInAsync("Nordlicht Studio");
        var summary = await client.GetJsonAsync("api/metrics/summary?range=last_7_days");
        var origin = await client.GetJsonAsync($"api/metrics/provenance?kpi=web.engagement_rate&date={summary["to"]}");
        Assert.Equal("engaged sessions ÷ sessions", origin["formula"]!.GetValue<string>());
        Assert.Equal(2, origin["parts"]!.AsArray().Count);
        Assert.All(origin["parts"]!.AsArray(), part =>
        {
            Assert.Equal(("google-analytics", "sync"), (part!["connector"]!.GetValue<string>(), part["broughtBy"]!.GetValue<string>()));
            Assert.Matches("^[0-9]+$", part["instance"]!.GetValue<string>());
            Assert.NotEmpty(part["requests"]!.AsArray());
            Assert.Contains("batchRunReports", part["requests"]![0]!["operation"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.DoesNotContain("token", part.ToJsonString(), StringComparison.OrdinalIgnoreCase);
        });
    }

    [Fact]
    public async Task An_export_has_the_numbers_of_the_history_and_no_name_in_it_becomes_a_formula()
    {
        await using var world = new PushWorld(app);
        var tenant = await PushedAsync(world);
        await MadeAsync(world, tenant, "kpis/calculated", new { key = "calc.evil", name = "=cmd|' /C calc'!A0", formula = "custom.spend - custom.orders", unit = "count", direction = "up" });
        using var client = app.Anonymous();
        client.DefaultRequestHeaders.Add("X-Kpi-Token", tenant.Owner);
        var csv = await client.GetStringAsync(new Uri($"api/export?kpis=calc.evil,custom.orders&from={Day(3)}&to={Day(1)}", UriKind.Relative), Cancel);
        var lines = csv.TrimStart('\uFEFF').Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("date,kpi,name,value,unit,currency,status", lines[0]);
        Assert.Equal(7, lines.Length);
        Assert.Contains(",-6,count,,final", lines[1], StringComparison.Ordinal);
        Assert.DoesNotContain(",=cmd", csv, StringComparison.Ordinal);
        Assert.DoesNotContain(",\"=cmd", csv, StringComparison.Ordinal);
        var json = JsonNode.Parse(await client.GetStringAsync(new Uri($"api/export?format=json&from={Day(20)}&to={Day(1)}&grain=week", UriKind.Relative), Cancel))!;
        var rows = json["rows"]!.AsArray().Where(row => row!["kpi"]!.GetValue<string>() == "custom.orders").ToList();
        Assert.Equal(200m, rows.Sum(row => row!["value"]?.GetValue<decimal>() ?? 0));
        Assert.Equal(400, (int)(await client.GetAsync(new Uri("api/export?format=xls", UriKind.Relative), Cancel)).StatusCode);
        Assert.Equal(400, (int)(await client.GetAsync(new Uri("api/export?kpis=web.nothing", UriKind.Relative), Cancel)).StatusCode);
    }

    [Theory]
    [InlineData("Merch Shop")]
    [InlineData("Open Lectures")]
    [InlineData("Nordlicht Studio")]
    [InlineData("Kiwi Plumbing")]
    public async Task Every_demo_tenant_has_an_answer_with_five_sentences_at_most_and_a_304(string tenant)
    {
        using var client = await app.SignInAsync(tenant);
        using var first = await client.GetAsync(new Uri("api/insights/business", UriKind.Relative), Cancel);
        Assert.Equal(200, (int)first.StatusCode);
        var answer = JsonNode.Parse(await first.Content.ReadAsStringAsync(Cancel))!;
        TestContext.Current.TestOutputHelper!.WriteLine(answer["healthScore"]!["score"] + " " + answer["healthScore"]!["why"]);
        foreach (var part in answer["healthScore"]!["parts"]!.AsArray()) TestContext.Current.TestOutputHelper.WriteLine($"  {part!["score"]} × {part["weight"]}: {part["why"]}");
        foreach (var insight in answer["insights"]!.AsArray()) TestContext.Current.TestOutputHelper.WriteLine($"{insight!["severity"]} {insight["moneyAtStake"]}: {insight["text"]}");
        foreach (var sentence in answer["brief"]!.AsArray()) TestContext.Current.TestOutputHelper.WriteLine("brief: " + sentence!["text"]);
        Assert.True(answer["brief"]!.AsArray().Count <= 5);
        using var again = new HttpRequestMessage(HttpMethod.Get, "api/insights/business");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        Assert.Equal(304, (int)(await client.SendAsync(again, Cancel)).StatusCode);
    }

    [Fact]
    public async Task An_insight_is_dismissed_snoozed_and_brought_back()
    {
        await using var world = new PushWorld(app);
        var tenant = await PushedAsync(world);
        await MadeAsync(world, tenant, "goals", new { kpi = "custom.orders", target = 100_000, rhythm = "dated", startsOn = Day(10), endsOn = Day(-3) });
        var query = $"?from={Day(7)}&to={Day(1)}";
        async Task<(int Open, int Aside)> CountAsync() => (await world.GetAsync("insights/business" + query, tenant.Owner)).Body is { } body ? (body["insights"]!.AsArray().Count, body["setAside"]!.AsArray().Count) : default;
        var id = (await world.GetAsync("insights/business" + query, tenant.Owner)).Body!["insights"]!.AsArray().Single()!["id"]!.GetValue<string>();
        Assert.Equal("dismissed", (await world.PostAsync($"insights/{id}/dismiss{query}", tenant.Owner, "{}")).Body!["state"]!.GetValue<string>());
        Assert.Equal((0, 1), await CountAsync());
        Assert.Equal(404, (await world.SendAsync(HttpMethod.Delete, $"insights/{id}/snooze", tenant.Owner)).Status);
        Assert.Equal(204, (await world.SendAsync(HttpMethod.Delete, $"insights/{id}/dismiss", tenant.Owner)).Status);
        Assert.Equal((1, 0), await CountAsync());
        Assert.Equal(400, (await world.PostAsync($"insights/{id}/snooze{query}", tenant.Owner, $$"""{"until":"{{Day(0)}}"}""")).Status);
        Assert.Equal(Day(-5), (await world.PostAsync($"insights/{id}/snooze{query}", tenant.Owner, $$"""{"until":"{{Day(-5)}}"}""")).Body!["until"]!.GetValue<string>());
        Assert.Equal((0, 1), await CountAsync());
        // It says something else: pushed so much that the goal is met.
        Assert.Equal(200, (await world.SendAsync(HttpMethod.Post, "push", tenant.Owner, JsonContent.Create(new { readings = new[] { new { kpi = "custom.orders", date = Day(2), value = 200_000 } } }))).Status);
        Assert.Equal(1, (await world.GetAsync("insights/business" + query, tenant.Owner)).Body!["insights"]!.AsArray().Count(insight => insight!["id"]!.GetValue<string>() == id));
    }
}
