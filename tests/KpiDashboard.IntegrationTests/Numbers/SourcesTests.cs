using System.Text.Json.Nodes;
using KpiDashboard.Api;
using KpiDashboard.IntegrationTests.Access;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Numbers;

/// <summary>Every read of numbers takes <c>sources=</c>, the same way.</summary>
[Collection(SecondAppCollection.Name)]
public sealed class SourcesTests(AppFixture app)
{
    /// <summary>What a route needs besides, and nothing else would be refused.</summary>
    private static readonly Dictionary<string, string> Needs = new(StringComparer.Ordinal)
    {
        ["metrics/history"] = "kpis=web.sessions&range=last_28_days",
        ["metrics/provenance"] = $"kpi=web.sessions&date={AccessWorld.Yesterday:yyyy-MM-dd}",
        ["metrics/{key}/breakdown"] = "dimension=channel&range=last_28_days",
    };

    /// <summary>Reads of numbers, as the document of the API has them.</summary>
    private static readonly string[] Reads =
    [
        .. OpenApiDocument.Operations(typeof(Functions.App).Assembly)
            .Where(one => one.Verbs.Contains("get") && one.Operation.Query.Split(' ').Contains("sources"))
            .Select(one => one.Route).Order(StringComparer.Ordinal),
    ];

    public static TheoryData<string> Routes => new(Reads);

    [Fact]
    public void All_reads_of_numbers_are_among_them() => Assert.Equal(
        [
            "annotations", "automation/executions", "automation/export/executions", "automation/export/workflows", "automation/performance", "export", "goals", "insights/business", "kpis", "metrics/history", "metrics/provenance",
            "metrics/summary", "metrics/{key}/breakdown",
        ],
        Reads);

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Ids_that_are_none_or_anothers_are_named_and_none_of_the_answer_is_given(string route)
    {
        await using var world = new AccessWorld(app);
        var marker = "sr" + Guid.NewGuid().ToString("N")[..8];
        var (tenant, foreign) = (await world.TenantAsync(marker), await world.TenantAsync(marker + "x"));
        var path = $"{route.Replace("{key}", "web.sessions", StringComparison.Ordinal)}?{(Needs.TryGetValue(route, out var more) ? more + "&" : "")}sources=";
        var (status, body) = await world.SendAsync("GET", path + tenant.Integration, tenant.OwnerToken);
        Assert.True(status == 200, $"{path}: {status} {body}");
        foreach (var (wrong, named) in new[]
        {
            ("nonsense", "'nonsense'"), (foreign.Integration.ToString(), $"'{foreign.Integration}'"), ($"{tenant.Integration},{foreign.Integration},push", $"'{foreign.Integration}'"),
            (",", "1 to 50"), ("a,b", "'a', 'b'"),
        })
        {
            (status, body) = await world.SendAsync("GET", path + wrong, tenant.OwnerToken);
            Assert.True(status == 400, $"{path}{wrong}: {status} {body}");
            Assert.Contains(named, JsonNode.Parse(body)!["errors"]!["sources"]![0]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.DoesNotContain(foreign.Marker, body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_is_pushed_is_a_source_beside_the_others()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("sp" + Guid.NewGuid().ToString("N")[..8]);
        Assert.Equal(201, (await world.SendAsync(
            "POST", "kpis/custom", tenant.OwnerToken, """{"key":"custom.calls","name":"Calls","description":"","unit":"count","direction":"up","aggregation":"sum"}""")).Status);
        var token = JsonNode.Parse((await world.SendAsync("POST", "tokens", tenant.OwnerToken, """{"name":"p","scopes":["push"]}""")).Body)!["token"]!.GetValue<string>();
        var (status, body) = await world.SendAsync("POST", "push", token, $$"""{"readings":[{"kpi":"custom.calls","date":"{{AccessWorld.Yesterday:yyyy-MM-dd}}","value":7}]}""");
        Assert.True(status == 200, body);

        var sources = await ReadAsync("sources");
        Assert.Equal(["custom.calls"], sources["sources"]!.AsArray().Single(source => source!["id"]!.GetValue<string>() == "push")!["kpis"]!.AsArray().Select(key => key!.GetValue<string>()));
        var keys = (await ReadAsync("metrics/summary?range=last_7_days&sources=push"))["kpis"]!.AsArray().Select(kpi => kpi!["key"]!.GetValue<string>());
        Assert.Equal(["custom.calls"], keys);
        Assert.DoesNotContain("custom.calls", (await ReadAsync($"metrics/summary?range=last_7_days&sources={tenant.Integration}"))["kpis"]!.AsArray().Select(kpi => kpi!["key"]!.GetValue<string>()));

        async Task<JsonNode> ReadAsync(string path)
        {
            var (code, text) = await world.SendAsync("GET", path, tenant.OwnerToken);
            Assert.True(code == 200, $"{path}: {code} {text}");
            return JsonNode.Parse(text)!;
        }
    }

    [Fact]
    public async Task A_goal_of_one_source_stands_by_that_source_alone_and_shows_on_a_page_that_is_narrowed_to_it()
    {
        await using var world = new AccessWorld(app);
        var marker = "sg" + Guid.NewGuid().ToString("N")[..8];
        var (tenant, foreign) = (await world.TenantAsync(marker), await world.TenantAsync(marker + "x"));
        // A second n8n, with a tenth of the runs of the first.
        var other = Guid.NewGuid();
        await world.ExecuteAsync(
            """
            insert into integrations (tenant_id, id, connector, display_name, status, fetched_at, complete_through, final_through, read_from, first_day, created_at)
            values (@Id, @other, 'n8n', 'Other', 'paused', now(), @yesterday, @yesterday, @yesterday - 49, @yesterday - 49, now());
            insert into kpi_values (tenant_id, source, kpi, day, value, day_ended, first_seen_at, changed_at)
            select @Id, i.source, 'automation.executions', d::date, 1, true, now(), now()
            from integrations i, generate_series(@yesterday::timestamp - interval '49 days', @yesterday, interval '1 day') d where i.tenant_id = @Id and i.id = @other
            """, new { tenant.Id, other, yesterday = AccessWorld.Yesterday });
        string Goal(string sources) => $$"""
            {"kpi":"automation.executions","target":100,"rhythm":"dated","startsOn":"{{AccessWorld.Yesterday.AddDays(-9):yyyy-MM-dd}}","endsOn":"{{AccessWorld.Yesterday.AddDays(30):yyyy-MM-dd}}"{{sources}}}
            """;
        var (status, body) = await world.SendAsync("POST", "goals", tenant.OwnerToken, Goal($$""","sources":["{{foreign.Integration}}"]"""));
        Assert.True(status == 400 && JsonNode.Parse(body)!["errors"]!["sources"]![0]!.GetValue<string>().Contains(foreign.Integration.ToString(), StringComparison.Ordinal), $"{status} {body}");
        (status, body) = await world.SendAsync("POST", "goals", tenant.OwnerToken, Goal($$""","sources":["{{other}}"]"""));
        Assert.True(status == 201, $"{status} {body}");
        Assert.Equal(10, JsonNode.Parse(body)!["now"]!["value"]!.GetValue<decimal>());
        Assert.Equal([other.ToString()], JsonNode.Parse(body)!["sources"]!.AsArray().Select(id => id!.GetValue<string>()));
        (status, body) = await world.SendAsync("POST", "goals", tenant.OwnerToken, Goal(""));
        Assert.True(status == 201, $"{status} {body}");
        Assert.Equal(80, JsonNode.Parse(body)!["now"]!["value"]!.GetValue<decimal>());

        Assert.Equal(80, await OnTileAsync(""));
        Assert.Equal(10, await OnTileAsync($"&sources={other}"));
        Assert.Null(await OnTileAsync($"&sources={tenant.Integration}"));

        async Task<decimal?> OnTileAsync(string query)
        {
            var (code, text) = await world.SendAsync("GET", $"metrics/summary?range=last_7_days{query}", tenant.OwnerToken);
            Assert.True(code == 200, $"{code} {text}");
            var tile = JsonNode.Parse(text)!["kpis"]!.AsArray().Single(kpi => kpi!["key"]!.GetValue<string>() == "automation.executions")!;
            return tile["goal"]?["value"]?.GetValue<decimal>();
        }
    }

    [Fact]
    public async Task Days_that_one_of_two_sites_lacks_have_no_total_and_people_of_one_are_told_as_that_ones()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("sd" + Guid.NewGuid().ToString("N")[..8]);
        // Of the second, two days are missing: one of the period and one of the time before. Only the first tells people.
        await world.ExecuteAsync(
            """
            delete from kpi_values where tenant_id = @Id and kpi = 'web.sessions';
            insert into integrations (tenant_id, id, connector, display_name, fetched_at, complete_through, final_through, read_from, first_day, created_at, next_due_at)
            select @Id, gen_random_uuid(), 'google-analytics', name, now(), @yesterday, @yesterday, @yesterday - 49, @yesterday - 49, now(), now() + interval '1 day'
            from unnest(array['Quay branch', 'Hill branch']) name;
            insert into kpi_values (tenant_id, source, kpi, day, value, day_ended, first_seen_at, changed_at)
            select @Id, i.source, k.kpi, d::date, k.value, true, now(), now()
            from integrations i, generate_series(@yesterday::timestamp - interval '49 days', @yesterday, interval '1 day') d,
                 (values ('Quay branch', 'web.active_users_28d', 70), ('Quay branch', 'web.sessions', 50), ('Hill branch', 'web.sessions', 30)) k (name, kpi, value)
            where i.tenant_id = @Id and i.display_name = k.name and not (k.name = 'Hill branch' and d::date in (@yesterday - 2, @yesterday - 9));
            update tenants set data_version = data_version + 1 where id = @Id;
            """, new { tenant.Id, yesterday = AccessWorld.Yesterday });
        var summary = await ReadAsync("metrics/summary?range=last_7_days");
        var (sessions, people) = (Kpi(summary, "web.sessions"), Kpi(summary, "web.active_users_28d"));
        Assert.Equal("[80,80,80,80,null,80,80]", Days(sessions["sparkline"]!));
        Assert.Equal("[80,80,80,80,null,80,80]", Days(sessions["comparison"]!));
        Assert.Equal(("partial", "On 1 of 7 days a source has no data."), (sessions["status"]!.GetValue<string>(), sessions["statusReason"]!.GetValue<string>()));
        Assert.Equal(6, sessions["alike"]!["days"]!.GetValue<int>());
        var history = await ReadAsync("metrics/history?kpis=web.sessions&range=last_7_days");
        Assert.Equal("[80,80,80,80,null,80,80]", Days(new JsonArray([.. history["series"]![0]!["points"]!.AsArray().Select(point => point!["value"]?.DeepClone())])));
        var file = await TextAsync("export?format=csv&kpis=web.sessions&range=last_7_days");
        Assert.Matches($@"{AccessWorld.Yesterday.AddDays(-2):yyyy-MM-dd},web\.sessions,Sessions,,count,,partial", file);

        Assert.Equal(("Quay branch", 70m), (people["onlyOf"]!.GetValue<string>(), people["value"]!.GetValue<decimal>()));
        Assert.EndsWith(" · Quay branch", people["name"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Null(sessions["onlyOf"]);
        // Whoever has a link is told that it is one's, and not whose.
        var (status, body) = await world.SendAsync(
            "POST", "dashboards", tenant.OwnerToken, """{"name":"Hall","tiles":[{"id":"a","kind":"kpi","width":3,"height":1,"kpi":"web.active_users_28d"}]}""");
        Assert.True(status == 201, $"{status} {body}");
        (status, body) = await world.SendAsync("POST", $"dashboards/{JsonNode.Parse(body)!["id"]}/shares", tenant.OwnerToken, """{"label":"Hall","days":7}""");
        Assert.True(status == 201, $"{status} {body}");
        using var viewer = app.Anonymous();
        viewer.DefaultRequestHeaders.Add("X-Kpi-Share", JsonNode.Parse(body)!["secret"]!.GetValue<string>());
        var seen = await viewer.GetStringAsync("api/shared/dashboard?range=last_7_days", TestContext.Current.CancellationToken);
        Assert.DoesNotContain("Quay branch", seen, StringComparison.Ordinal);
        Assert.EndsWith(" · one source", Kpi(JsonNode.Parse(seen)!["summary"]!, "web.active_users_28d")["name"]!.GetValue<string>(), StringComparison.Ordinal);

        static JsonNode Kpi(JsonNode summary, string key) => summary["kpis"]!.AsArray().Single(one => one!["key"]!.GetValue<string>() == key)!;

        static string Days(JsonNode values) => "[" + string.Join(',', values.AsArray().Select(value => value is null ? "null" : $"{value.GetValue<decimal>():0.##}")) + "]";

        async Task<JsonNode> ReadAsync(string path) => JsonNode.Parse(await TextAsync(path))!;

        async Task<string> TextAsync(string path)
        {
            var (code, text) = await world.SendAsync("GET", path, tenant.OwnerToken);
            Assert.True(code == 200, $"{path}: {code} {text}");
            return text;
        }
    }

    [Fact]
    public async Task Money_is_told_in_the_currency_of_the_shop_that_earned_it_whatever_a_site_without_one_counts_in()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("sc" + Guid.NewGuid().ToString("N")[..8]);
        var (shop, site) = (Guid.NewGuid(), Guid.NewGuid());
        await world.ExecuteAsync(
            """
            insert into integrations (tenant_id, id, connector, display_name, status, currency, fetched_at, complete_through, final_through, read_from, first_day, created_at)
            select @Id, g.id, 'google-analytics', g.name, 'paused', g.currency, now(), @yesterday, @yesterday, @yesterday - 49, @yesterday - 49, now()
            from (values (@shop, 'Shop', 'SEK'), (@site, 'Site', 'NZD')) g (id, name, currency);
            insert into kpi_values (tenant_id, source, kpi, day, value, day_ended, first_seen_at, changed_at)
            select @Id, i.source, k.kpi, d::date, k.value, true, now(), now()
            from integrations i, generate_series(@yesterday::timestamp - interval '49 days', @yesterday, interval '1 day') d,
                 (values ('Shop', 'shop.revenue', 100), ('Shop', 'shop.transactions', 4), ('Shop', 'web.sessions', 50), ('Site', 'web.sessions', 30)) k (name, kpi, value)
            where i.tenant_id = @Id and i.display_name = k.name
            """, new { tenant.Id, shop, site, yesterday = AccessWorld.Yesterday });
        await CurrencyAsync("", "SEK");
        await CurrencyAsync($"&sources={shop}", "SEK");
        // Of two shops that both earned, nothing is added up, and there is no currency to tell it in.
        await world.ExecuteAsync(
            """
            insert into kpi_values (tenant_id, source, kpi, day, value, day_ended, first_seen_at, changed_at)
            select @Id, i.source, 'shop.revenue', @yesterday, 7, true, now(), now() from integrations i where i.tenant_id = @Id and i.id = @site;
            update tenants set data_version = data_version + 1 where id = @Id;
            """, new { tenant.Id, site, yesterday = AccessWorld.Yesterday });
        await CurrencyAsync("", null);
        await CurrencyAsync($"&sources={site}", "NZD");

        async Task CurrencyAsync(string query, string? expected)
        {
            var kpis = (await ReadAsync($"metrics/summary?range=last_7_days{query}"))["kpis"]!.AsArray();
            foreach (var key in expected == "NZD" ? (string[])["shop.revenue"] : ["shop.revenue", "shop.average_order_value", "shop.revenue_per_session"])
            {
                var kpi = kpis.Single(one => one!["key"]!.GetValue<string>() == key)!;
                // What only one of them has all parts of is still that one's.
                var told = expected ?? (key == "shop.average_order_value" ? "SEK" : null);
                Assert.Equal((key, told), (key, kpi["currency"]?.GetValue<string>()));
                Assert.Equal(told is null, kpi["value"] is null);
            }

            foreach (var path in new[] { $"metrics/history?kpis=shop.revenue&range=last_7_days{query}", $"export?format=json&kpis=shop.revenue&range=last_7_days{query}" })
                Assert.Contains($"\"currency\":{(expected is null ? "null" : $"\"{expected}\"")}", await TextAsync(path), StringComparison.Ordinal);
        }

        async Task<JsonNode> ReadAsync(string path) => JsonNode.Parse(await TextAsync(path))!;

        async Task<string> TextAsync(string path)
        {
            var (code, text) = await world.SendAsync("GET", path, tenant.OwnerToken);
            Assert.True(code == 200, $"{path}: {code} {text}");
            return text;
        }
    }

    [Fact]
    public async Task Runs_are_those_of_the_sources_that_are_asked_for_as_a_list_and_as_a_file()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("sx" + Guid.NewGuid().ToString("N")[..8]);
        var other = Guid.NewGuid();
        await world.ExecuteAsync(
            """
            insert into integrations (tenant_id, id, connector, display_name, status, created_at) values (@Id, @other, 'n8n', 'Other', 'paused', now());
            delete from executions where tenant_id = @Id;
            insert into executions (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at, stopped_at)
            select @Id, i.id, 'of ' || i.source || ' no ' || n, 'w', 'succeeded', 'production', now() - n * interval '1 minute', now()
            from integrations i, generate_series(1, 3) n where i.tenant_id = @Id and (i.source = 1 or n < 3)
            """, new { tenant.Id, other });
        foreach (var (query, count) in new[] { ("", 5), ($"&sources={tenant.Integration}", 3), ($"&sources={other}", 2), ($"&sources={other},{tenant.Integration}", 5), ("&sources=push", 0) })
        {
            var list = (await ReadAsync($"automation/executions?limit=100{query}"))["executions"]!.AsArray();
            Assert.Equal((query, count), (query, list.Count));
            var file = (await ReadAsync($"automation/export/executions?format=json{query}"))["runs"]!.AsArray();
            Assert.Equal((query, count), (query, file.Count));
        }

        async Task<JsonNode> ReadAsync(string path)
        {
            var (code, text) = await world.SendAsync("GET", path, tenant.OwnerToken);
            Assert.True(code == 200, $"{path}: {code} {text}");
            return JsonNode.Parse(text)!;
        }
    }

    [Fact]
    public async Task A_tile_that_is_narrowed_is_kept_shown_by_a_link_under_its_name_and_shows_nothing_once_its_source_is_gone()
    {
        await using var world = new AccessWorld(app);
        var marker = "st" + Guid.NewGuid().ToString("N")[..8];
        var (tenant, foreign) = (await world.TenantAsync(marker), await world.TenantAsync(marker + "x"));
        var other = Guid.NewGuid();
        await world.ExecuteAsync(
            """
            insert into integrations (tenant_id, id, connector, display_name, status, fetched_at, complete_through, final_through, read_from, first_day, created_at)
            values (@Id, @other, 'n8n', 'Warehouse', 'paused', now(), @yesterday, @yesterday, @yesterday - 49, @yesterday - 49, now());
            insert into kpi_values (tenant_id, source, kpi, day, value, day_ended, first_seen_at, changed_at)
            select @Id, i.source, 'automation.executions', d::date, 1, true, now(), now()
            from integrations i, generate_series(@yesterday::timestamp - interval '49 days', @yesterday, interval '1 day') d where i.tenant_id = @Id and i.id = @other
            """, new { tenant.Id, other, yesterday = AccessWorld.Yesterday });
        string Board(string sources) => $$"""
            {"name":"Hall","tiles":[{"id":"a","kind":"kpi","width":3,"height":1,"kpi":"automation.executions","sources":{{sources}}},
                                    {"id":"b","kind":"kpi","width":3,"height":1,"kpi":"automation.executions"}]}
            """;
        foreach (var (wrong, named) in new[] { ($"[\"{foreign.Integration}\"]", $"'{foreign.Integration}'"), ("[null]", "null"), ("[]", "1 to 50"), ("[\"x\"]", "'x'") })
        {
            var refused = await world.SendAsync("POST", "dashboards", tenant.OwnerToken, Board(wrong));
            Assert.True(refused.Status == 400, $"{wrong}: {refused.Status} {refused.Body}");
            Assert.Contains(named, JsonNode.Parse(refused.Body)!["errors"]!["tiles[0].sources"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        }

        var board = await SendAsync("POST", "dashboards", Board($"[\"{other}\",\"{other}\"]"), 201);
        Assert.Equal([other.ToString()], board["tiles"]![0]!["sources"]!.AsArray().Select(one => one!.GetValue<string>()));
        var shares = $"dashboards/{board["id"]}/shares";
        var all = await LinkAsync("""{"label":"All","days":7}""");
        var first = await LinkAsync($$"""{"label":"First","days":7,"sources":["{{tenant.Integration}}"]}""");
        Assert.Equal(
            [null, tenant.Integration.ToString()],
            (await SendAsync("GET", shares, null, 200))["shares"]!.AsArray().OrderBy(one => one!["label"]!.GetValue<string>(), StringComparer.Ordinal)
                .Select(one => one!["sources"]?[0]?.GetValue<string>()));

        var seen = await ViewAsync(all);
        Assert.Equal((7m, 56m), (Value(seen["parts"]![0]!["summary"]!), Value(seen["summary"]!)));
        Assert.Equal(("1", "1", "Warehouse"), (Text(seen["tiles"]![0]!["sources"]![0]), Text(seen["parts"]![0]!["sources"]![0]), Text(seen["sources"]![0]!["name"])));
        Assert.Null(seen["numbersOf"]);
        Assert.DoesNotContain(other.ToString(), seen.ToJsonString(), StringComparison.OrdinalIgnoreCase);
        // A link of another source shows nothing of this one, not even what it is called.
        var narrowed = await ViewAsync(first);
        Assert.Equal((0, 0, 49m), (narrowed["parts"]!.AsArray().Count, narrowed["sources"]!.AsArray().Count, Value(narrowed["summary"]!)));
        Assert.DoesNotContain("Warehouse", narrowed.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("1", Text(narrowed["tiles"]![0]!["sources"]![0]));
        Assert.Single(narrowed["numbersOf"]!.AsArray());

        // Gone: the board may still be changed, and nobody else's numbers are in the tile.
        await world.SendAsync("DELETE", $"integrations/{other}?numbers=delete", tenant.OwnerToken);
        var after = await ViewAsync(all);
        Assert.Equal((0, 0, 49m), (after["parts"]!.AsArray().Count, after["sources"]!.AsArray().Count, Value(after["summary"]!)));
        var kept = await SendAsync(
            "PATCH", $"dashboards/{board["id"]}", Board($"[\"{other}\"]").Replace("{\"name\":\"Hall\"", "{\"version\":1,\"name\":\"Hall, too\"", StringComparison.Ordinal), 200);
        Assert.Equal(other.ToString(), Text(kept["tiles"]![0]!["sources"]![0]));
        Assert.Equal(400, (await world.SendAsync("POST", "dashboards", tenant.OwnerToken, Board($"[\"{other}\"]"))).Status);

        static string? Text(JsonNode? node) => node?.GetValue<string>();
        static decimal? Value(JsonNode summary) => summary["kpis"]!.AsArray().Single()!["value"]!.GetValue<decimal>();

        async Task<JsonNode> SendAsync(string verb, string path, string? json, int expected)
        {
            var (code, text) = await world.SendAsync(verb, path, tenant.OwnerToken, json);
            Assert.True(code == expected, $"{verb} {path}: {code} {text}");
            return JsonNode.Parse(text)!;
        }

        async Task<string> LinkAsync(string json) => (await SendAsync("POST", shares, json, 201))["secret"]!.GetValue<string>();

        async Task<JsonNode> ViewAsync(string secret)
        {
            using var viewer = app.Anonymous();
            viewer.DefaultRequestHeaders.Add("X-Kpi-Share", secret);
            return JsonNode.Parse(await viewer.GetStringAsync("api/shared/dashboard?range=last_7_days", TestContext.Current.CancellationToken))!;
        }
    }

    [Fact]
    public async Task A_source_gets_no_name_that_another_has_already()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("sn" + Guid.NewGuid().ToString("N")[..8]);
        var other = Guid.NewGuid();
        await world.ExecuteAsync(
            "insert into integrations (tenant_id, id, connector, display_name, status, created_at) values (@Id, @other, 'n8n', 'Warehouse', 'paused', now())", new { tenant.Id, other });
        foreach (var name in new[] { "Warehouse", "warehouse", " Warehouse " })
        {
            var (code, text) = await world.SendAsync("PATCH", $"integrations/{tenant.Integration}", tenant.OwnerToken, $$"""{"displayName":"{{name}}"}""");
            Assert.True(code == 400, $"{code} {text}");
            Assert.Contains("another source is called so already", JsonNode.Parse(text)!["errors"]!["displayName"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        }

        Assert.Equal(200, (await world.SendAsync("PATCH", $"integrations/{other}", tenant.OwnerToken, """{"displayName":"Warehouse"}""")).Status);
        Assert.Equal(200, (await world.SendAsync("PATCH", $"integrations/{tenant.Integration}", tenant.OwnerToken, """{"displayName":"Office"}""")).Status);
    }

    [Fact]
    public async Task A_link_of_one_source_shows_the_numbers_of_that_source_alone()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("sl" + Guid.NewGuid().ToString("N")[..8]);
        var (status, body) = await world.SendAsync(
            "POST", "dashboards", tenant.OwnerToken, """{"name":"Hall","tiles":[{"id":"a","kind":"kpi","width":3,"height":1,"kpi":"automation.executions"}]}""");
        Assert.True(status == 201, $"{status} {body}");
        var shares = $"dashboards/{JsonNode.Parse(body)!["id"]}/shares";
        (status, body) = await world.SendAsync("POST", shares, tenant.OwnerToken, """{"label":"Hall","days":7,"sources":["nonsense"]}""");
        Assert.True(status == 400, $"{status} {body}");
        Assert.Contains("'nonsense'", JsonNode.Parse(body)!["errors"]!["sources"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal((1, 0), (await KpisAsync("""{"label":"All","days":7}"""), await KpisAsync("""{"label":"Pushed","days":7,"sources":["push"]}""")));
        Assert.Equal(1, await KpisAsync($$"""{"label":"One","days":7,"sources":["{{tenant.Integration}}"]}"""));

        async Task<int> KpisAsync(string share)
        {
            var (code, text) = await world.SendAsync("POST", shares, tenant.OwnerToken, share);
            Assert.True(code == 201, $"{code} {text}");
            using var viewer = app.Anonymous();
            viewer.DefaultRequestHeaders.Add("X-Kpi-Share", JsonNode.Parse(text)!["secret"]!.GetValue<string>());
            var seen = JsonNode.Parse(await viewer.GetStringAsync("api/shared/dashboard?range=last_7_days", TestContext.Current.CancellationToken))!;
            return seen["summary"]!["kpis"]!.AsArray().Count;
        }
    }
}
