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
