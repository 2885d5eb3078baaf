using System.Globalization;
using System.Net.Http.Json;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Push;

/// <summary>Custom KPIs and their readings, at the whole app.</summary>
[Collection(AppCollection.Name)]
public sealed class PushTests(AppFixture app)
{
    private static readonly DateOnly Today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(DateTimeOffset.UtcNow, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")).DateTime);

    private static string Day(int daysAgo) => Today.AddDays(-daysAgo).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Readings(params (string Kpi, int DaysAgo, decimal Value)[] readings) =>
        $$"""{"readings":[{{string.Join(',', readings.Select(item => string.Create(CultureInfo.InvariantCulture, $$"""{"kpi":"{{item.Kpi}}","date":"{{Day(item.DaysAgo)}}","value":{{item.Value}}}""")))}}]}""";

    [Fact]
    public async Task A_pushed_KPI_appears_wherever_a_KPI_does_with_its_days_and_gaps()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "push", "read");
        await world.KpiAsync(tenant, "custom.orders");
        await world.KpiAsync(tenant, "custom.peak", "max");
        await world.KpiAsync(tenant, "custom.low", "min");
        await world.KpiAsync(tenant, "custom.balance", "last");
        await world.KpiAsync(tenant, "custom.mood", "daily_mean");
        var keys = new[] { "orders", "peak", "low", "balance", "mood" };
        var (status, body) = await world.PostAsync("push", token, Readings([.. keys.SelectMany(key => new[] { ($"custom.{key}", 5, 10m), ($"custom.{key}", 4, 30m), ($"custom.{key}", 2, 5m) })]));
        Assert.Equal((200, """{"accepted":15,"unchanged":0,"restated":0,"rejected":[]}"""), (status, body!.ToJsonString()));

        var (_, catalogue) = await world.GetAsync("kpis", token);
        Assert.Equal("push", catalogue!.AsArray().Single(kpi => kpi!["key"]!.GetValue<string>() == "custom.orders")!["source"]!.GetValue<string>());
        var (_, history) = await world.GetAsync($"metrics/history?kpis=custom.orders&from={Day(5)}&to={Day(1)}", token);
        Assert.Equal(["10", "30", "null", "5", "null"], history!["series"]![0]!["points"]!.AsArray().Select(point => point!["value"]?.ToJsonString() ?? "null"));
        Assert.Equal(["final", "final", "not_measurable", "final", "not_measurable"], history["series"]![0]!["points"]!.AsArray().Select(point => point!["status"]!.GetValue<string>()));
        var (_, summary) = await world.GetAsync($"metrics/summary?from={Day(5)}&to={Day(1)}", token);
        var tiles = summary!["kpis"]!.AsArray().ToDictionary(tile => tile!["key"]!.GetValue<string>(), tile => (Value: tile!["value"]!.GetValue<decimal>(), Status: tile["status"]!.GetValue<string>()));
        Assert.Equal([(45m, "partial"), (30m, "partial"), (5m, "partial"), (5m, "final"), (15m, "partial")], keys.Select(key => tiles["custom." + key]));
    }

    [Fact]
    public async Task The_same_again_is_unchanged_and_another_value_of_an_ended_day_is_a_restatement()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "push");
        await world.KpiAsync(tenant, "custom.orders");
        var sent = Readings(("custom.orders", 0, 1), ("custom.orders", 1, 2), ("custom.orders", 2, 3));
        Assert.Equal("""{"accepted":3,"unchanged":0,"restated":0,"rejected":[]}""", (await world.PostAsync("push", token, sent)).Body!.ToJsonString());
        Assert.Equal("""{"accepted":0,"unchanged":3,"restated":0,"rejected":[]}""", (await world.PostAsync("push", token, sent)).Body!.ToJsonString());
        Assert.Equal("""{"accepted":2,"unchanged":1,"restated":1,"rejected":[]}""", (await world.PostAsync("push", token, Readings(("custom.orders", 0, 9), ("custom.orders", 1, 9), ("custom.orders", 2, 3)))).Body!.ToJsonString());
        Assert.Equal([(2m, 9m)], await world.Access.QueryAsync<(decimal, decimal)>("select old_value, new_value from kpi_restatements where tenant_id = @Id", tenant));
    }

    [Theory]
    [InlineData("9e28", "1,000,000,000,000,000")]
    [InlineData("1e400", "1,000,000,000,000,000")]
    [InlineData("-9e28", "1,000,000,000,000,000")]
    [InlineData("\"5\"", "without quotes")]
    [InlineData("true", "must be a number")]
    [InlineData("[5]", "must be a number")]
    [InlineData("null", "missing")]
    [InlineData("5,\"extra\":1", "'extra'")]
    [InlineData("5,\"kpi\":7", "'kpi' must be a text")]
    [InlineData("5,\"date\":20261120", "'date' must be a text")]
    [InlineData("5,\"kpi\":\"custom.orders\\u0000\"", "no text can hold")]
    [InlineData("5,\"kpi\":\"custom.orders\\ud83d\"", "no text can hold")]
    [InlineData("5,\"x\\ud83d\":1", "is not a field")]
    public async Task One_reading_that_is_none_costs_no_other(string value, string words)
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "push");
        await world.KpiAsync(tenant, "custom.orders");
        var (status, body) = await world.PostAsync("push", token,
            $$"""{"readings":[{"kpi":"custom.orders","date":"{{Day(1)}}","value":1},{"kpi":"custom.orders","date":"{{Day(2)}}","value":{{value}}},{"kpi":"custom.orders","date":"{{Day(3)}}","value":3}]}""");
        Assert.Equal((200, 2), (status, body!["accepted"]!.GetValue<int>()));
        var rejected = Assert.Single(body["rejected"]!.AsArray())!;
        Assert.Equal(1, rejected["index"]!.GetValue<int>());
        Assert.Contains(words, rejected["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal([3m, 1m], await world.Access.QueryAsync<decimal>("select value from kpi_values where tenant_id = @Id order by day", tenant));
    }

    [Fact]
    public async Task What_we_export_can_be_imported_again_and_changes_nothing()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "push", "read");
        await world.KpiAsync(tenant, "custom.orders");
        await world.KpiAsync(tenant, "custom.balance", "last");
        var random = new Random(11);
        await world.PostAsync("push", token, Readings([.. Enumerable.Range(1, 60).Where(_ => random.Next(3) > 0).SelectMany(day => new[]
        {
            ("custom.orders", day, (decimal)random.Next(-1000, 100_000)), ("custom.balance", day, decimal.Round((decimal)(random.NextDouble() * 1e9) - 5e8m, random.Next(9))),
        })]));
        var before = await world.Access.QueryAsync<string>("select kpi || ' ' || day || ' ' || value from kpi_values where tenant_id = @Id order by 1", tenant);
        using var client = new HttpClient { BaseAddress = app.Address };
        client.DefaultRequestHeaders.Add("X-Kpi-Token", tenant.Owner);
        var csv = await client.GetStringAsync(new Uri($"api/export?format=csv&kpis=custom.orders,custom.balance&from={Day(61)}&to={Day(1)}", UriKind.Relative), TestContext.Current.CancellationToken);
        var (status, preview) = await world.FileAsync(tenant, "mode=preview", csv);
        Assert.Equal((200, 0, before.Count), (status, preview!["errorCount"]!.GetValue<int>(), preview["readings"]!.GetValue<int>()));
        Assert.Empty(preview["questions"]!.AsArray());
        var (accepted, import) = await world.FileAsync(tenant, "mode=commit", csv);
        Assert.Equal(202, accepted);
        var done = await world.ImportedAsync(tenant, import!);
        Assert.Equal(("succeeded", 0, before.Count), (done["status"]!.GetValue<string>(), done["accepted"]!.GetValue<int>(), done["unchanged"]!.GetValue<int>()));
        Assert.Equal(before, await world.Access.QueryAsync<string>("select kpi || ' ' || day || ' ' || value from kpi_values where tenant_id = @Id order by 1", tenant));
        // Of months, and of everything, it says what is in the way and writes nothing.
        var months = await client.GetStringAsync(new Uri($"api/export?format=csv&grain=month&kpis=custom.orders&from={Day(61)}&to={Day(1)}", UriKind.Relative), TestContext.Current.CancellationToken);
        var (refused, why) = await world.FileAsync(tenant, "mode=preview", months);
        Assert.Equal(400, refused);
        Assert.Contains("month", why!["detail"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_bad_reading_is_named_by_its_place_and_the_good_ones_are_written()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "push");
        await world.KpiAsync(tenant, "custom.orders");
        var (status, body) = await world.PostAsync("push", token,
            $$"""
            {"readings":[{"kpi":"custom.orders","date":"{{Day(1)}}","value":1},{"kpi":"web.sessions","date":"{{Day(1)}}","value":1},{"kpi":"custom.other","date":"{{Day(1)}}","value":1},
            {"kpi":"custom.orders","date":"{{Day(-2)}}","value":1},{"kpi":"custom.orders","date":"2020-01-01","value":1},{"kpi":"custom.orders","date":"21.11.2026","value":1},
            {"kpi":"custom.orders","date":"{{Day(1)}}","value":2},{"kpi":"custom.orders","date":"{{Day(2)}}"},null,{"kpi":"custom.orders","date":"{{Day(3)}}","value":9e15},
            {"kpi":null,"date":"{{Day(3)}}","value":1},{"kpi":"custom.orders","date":"{{Day(-1)}}","value":0.1000000000000000055}]}
            """);
        Assert.Equal((200, 2), (status, body!["accepted"]!.GetValue<int>()));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], body["rejected"]!.AsArray().Select(item => item!["index"]!.GetValue<int>()));
        Assert.Contains("connector", body["rejected"]![0]!["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains("Reading 0", body["rejected"]![5]!["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal([0.1m, 1m], await world.Access.QueryAsync<decimal>("select value from kpi_values where tenant_id = @Id order by value", tenant));

        foreach (var bad in new[] { """{"readings":[]}""", """{"reading":[]}""", "{}", "[]", """{"readings":null}""", """{"readings":5}""" })
            Assert.Equal((bad, 400), (bad, (await world.PostAsync("push", token, bad)).Status));
        Assert.Equal(400, (await world.PostAsync("push", token, $$"""{"readings":[{{string.Join(',', Enumerable.Repeat("null", 10_001))}}]}""")).Status);
    }

    [Fact]
    public async Task An_idempotency_key_gets_the_first_answer_again_and_no_other_body()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "push");
        await world.KpiAsync(tenant, "custom.orders");
        var sent = Readings(("custom.orders", 1, 2));
        for (var round = 0; round < 3; round++)
            Assert.Equal("""{"accepted":1,"unchanged":0,"restated":0,"rejected":[]}""", (await world.PostAsync("push", token, sent, ("Idempotency-Key", "k"))).Body!.ToJsonString());
        Assert.Equal(409, (await world.PostAsync("push", token, Readings(("custom.orders", 1, 3)), ("Idempotency-Key", "k"))).Status);
        Assert.Equal(2m, await world.OneAsync<decimal>("select value from kpi_values where tenant_id = @Id", tenant));
        // A request that failed is not remembered.
        Assert.Equal(400, (await world.PostAsync("push", token, "{}", ("Idempotency-Key", "l"))).Status);
        Assert.Equal(200, (await world.PostAsync("push", token, sent, ("Idempotency-Key", "l"))).Status);
        // After a day the key is new.
        await world.Access.ExecuteAsync("update idempotency_keys set created_at = now() - interval '25 hours' where tenant_id = @Id", tenant);
        Assert.Equal(1, (await world.PostAsync("push", token, Readings(("custom.orders", 1, 3)), ("Idempotency-Key", "k"))).Body!["restated"]!.GetValue<int>());
    }

    [Fact]
    public async Task Ten_thousand_readings_go_in_one_request_and_two_tenants_with_the_same_keys_stay_apart()
    {
        await using var world = new PushWorld(app);
        var (one, two) = (await world.TenantAsync(), await world.TenantAsync());
        foreach (var tenant in new[] { one, two })
        {
            for (var kpi = 0; kpi < 20; kpi++) await world.KpiAsync(tenant, $"custom.k{kpi}");
        }

        var (_, token, _) = await world.TokenAsync(one, "push");
        var sent = Readings([.. Enumerable.Range(0, 10_000).Select(index => ($"custom.k{index % 20}", index / 20, (decimal)index))]);
        Assert.Equal("""{"accepted":10000,"unchanged":0,"restated":0,"rejected":[]}""", (await world.PostAsync("push", token, sent)).Body!.ToJsonString());
        Assert.Equal(10_000, await world.OneAsync<int>("select count(*)::int from kpi_values where tenant_id = @Id", one));
        Assert.Equal(0, await world.OneAsync<int>("select count(*)::int from kpi_values where tenant_id = @Id", two));
        Assert.Equal(1, (await world.PostAsync("push", two.Owner, Readings(("custom.k1", 1, 5)))).Body!["accepted"]!.GetValue<int>());
        Assert.Equal(5m, await world.OneAsync<decimal>("select value from kpi_values where tenant_id = @Id", two));
    }

    [Fact]
    public async Task A_KPI_is_changed_but_for_its_key_and_deleted_with_its_readings_and_both_are_in_the_audit_log()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        await world.KpiAsync(tenant, "custom.orders");
        await world.KpiAsync(tenant, "custom.kept");
        await world.PostAsync("push", tenant.Owner, Readings(("custom.orders", 1, 2), ("custom.kept", 1, 2)));
        var (_, list) = await world.GetAsync("kpis/custom", tenant.Owner);
        var orders = list!["kpis"]!.AsArray().Single(kpi => kpi!["key"]!.GetValue<string>() == "custom.orders")!;
        Assert.Equal(Day(1), orders["lastDay"]!.GetValue<string>());
        var path = $"kpis/custom/{orders["id"]}";
        var (status, changed) = await world.SendAsync(HttpMethod.Patch, path, tenant.Owner, JsonContent.Create(new { name = "Orders shipped", aggregation = "max" }));
        Assert.Equal((200, "Orders shipped", "max", "count"), (status, changed!["name"]!.GetValue<string>(), changed["aggregation"]!.GetValue<string>(), changed["unit"]!.GetValue<string>()));
        Assert.Equal(400, (await world.SendAsync(HttpMethod.Patch, path, tenant.Owner, JsonContent.Create(new { key = "custom.x" }))).Status);
        Assert.Equal(400, (await world.SendAsync(HttpMethod.Patch, path, tenant.Owner, JsonContent.Create(new { aggregation = "ratio" }))).Status);
        Assert.Equal(204, (await world.SendAsync(HttpMethod.Delete, path, tenant.Owner)).Status);
        Assert.Equal(404, (await world.SendAsync(HttpMethod.Delete, path, tenant.Owner)).Status);
        Assert.Equal(["custom.kept"], await world.Access.QueryAsync<string>("select kpi from kpi_values where tenant_id = @Id", tenant));
        Assert.Equal(["kpi.created", "kpi.created", "kpi.changed", "kpi.deleted"], await world.Access.QueryAsync<string>("select action from audit_log where tenant_id = @Id and action like 'kpi.%' order by at", tenant));
        foreach (var bad in new object[]
        {
            new { key = "orders", name = "n", unit = "count", direction = "up", aggregation = "sum" }, new { key = "custom.Orders", name = "n", unit = "count", direction = "up", aggregation = "sum" },
            new { key = "custom.a__b", name = "n", unit = "count", direction = "up", aggregation = "sum" }, new { key = "custom.a", name = " ", unit = "count", direction = "up", aggregation = "sum" },
            new { key = "custom.a", name = "n", unit = "apples", direction = "up", aggregation = "sum" }, new { key = "custom.a", name = "n", unit = "count", direction = "up", aggregation = "ratio" },
        })
            Assert.Equal(400, (await world.SendAsync(HttpMethod.Post, "kpis/custom", tenant.Owner, JsonContent.Create(bad))).Status);
        Assert.Equal(409, (await world.SendAsync(HttpMethod.Post, "kpis/custom", tenant.Owner, JsonContent.Create(new { key = "custom.kept", name = "n", unit = "count", direction = "up", aggregation = "sum" }))).Status);
    }

    [Fact]
    public async Task A_token_without_the_scope_and_a_viewer_are_refused()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        await world.KpiAsync(tenant, "custom.orders");
        var sent = Readings(("custom.orders", 1, 2));
        foreach (var scope in new[] { "read", "refresh", "n8n" }) Assert.Equal(403, (await world.PostAsync("push", (await world.TokenAsync(tenant, scope)).Token, sent)).Status);
        Assert.Equal(403, (await world.PostAsync("push", (await world.Access.PersonAsync(tenant.Id, "viewer")).Token, sent)).Status);
        Assert.Equal(200, (await world.PostAsync("push", (await world.Access.PersonAsync(tenant.Id, "member")).Token, sent)).Status);
        Assert.Equal(403, (await world.PostAsync("webhooks/n8n", (await world.TokenAsync(tenant, "push")).Token, "[]")).Status);
        Assert.Equal(403, (await world.PostAsync("webhooks/n8n", tenant.Owner, "[]")).Status);
    }
}
