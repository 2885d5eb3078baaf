using System.Globalization;
using System.Text.Json.Nodes;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.N8n;
using KpiDashboard.Demo.Simulation;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Push;
using KpiDashboard.Sync;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

/// <summary>
/// Single runs of a pulled n8n: why they failed, what goes on now, what mended a failure. Through the whole app and a simulated n8n of
/// the test's own.
/// </summary>
[Collection(AppCollection.Name)]
public sealed class RunsTests(AppFixture app)
{
    private const string Key = "n8n_api_secret_0123456789";
    private const string Flow = "rUnOrders0000001";

    private static string Long => string.Concat(Enumerable.Repeat("Ördersync🚀", 12)) + "12345678";

    [Fact]
    public async Task Failures_tell_their_message_and_node_and_what_mended_them_and_nothing_else_of_their_data_is_kept()
    {
        await using var rig = await Rig.StartAsync(app);
        var other = rig.Start("success");
        var failed = rig.Start("error", failure: ("Ask the shop", "Request to https://u:hunter2@shop.example failed, token=abcdef0123456789 \ud83d was refused"));
        var mended = rig.Start("crashed", failure: ("Böök", "Out of memory"));
        await rig.ConnectAsync();

        var failures = await rig.RunsAsync("status=failed&kind=production", list => list.All(run => run["error"]!["state"]!.GetValue<string>() == "told") && list.Count == 2);
        Assert.Equal([$"{mended}", $"{failed}"], failures.Select(run => run["id"]!.GetValue<string>()));
        Assert.Equal(("Böök", "Out of memory"), (failures[0]["error"]!["node"]!.GetValue<string>(), failures[0]["error"]!["message"]!.GetValue<string>()));
        var message = failures[1]["error"]!["message"]!.GetValue<string>();
        Assert.StartsWith("Request to https://•••@shop.example failed, token=•••", message, StringComparison.Ordinal);
        Assert.EndsWith("was refused", message, StringComparison.Ordinal);
        Assert.Equal($"{app.Demo.N8n!.BaseUrl(rig.Name)}/workflow/{Flow}/executions/{failed}", failures[1]["url"]!.GetValue<string>());
        Assert.Equal("Orders", failures[1]["workflow"]!.GetValue<string>());
        Assert.All(failures, run => Assert.Null(run["fixedBy"]));
        // Only failures were asked for with their data, each once, and of that nothing else is anywhere.
        Assert.Equal(2, rig.Asked);
        Assert.Empty(await rig.TablesWithAsync("anna@customer.example"));
        Assert.Empty(await rig.TablesWithAsync("not this one"));

        // A retry mends a failure once it succeeded, and the page need not wait for the schedule.
        var retry = app.Demo.N8n!.Retry(rig.Name, mended, TimeSpan.FromMilliseconds(200));
        await Task.Delay(300, TestContext.Current.CancellationToken);
        await rig.LookAsync();
        var one = await rig.GetAsync($"automation/executions/{mended}");
        Assert.Equal($"{retry}", one["fixedBy"]!.GetValue<string>());
        Assert.Equal(2, rig.Asked);
        Assert.Null((await rig.GetAsync($"automation/executions/{other}"))["error"]);
        Assert.Equal(404, (await rig.World.GetAsync("automation/executions/999999999", rig.Tenant.Owner)).Status);
    }

    [Fact]
    public async Task A_run_shows_with_the_next_look_while_it_runs_and_ends_with_one_and_the_day_counts_it()
    {
        await using var rig = await Rig.StartAsync(app);
        await rig.ConnectAsync();
        await rig.LookAsync();
        Assert.Empty(await rig.RunsAsync("status=running,waiting"));

        var run = rig.Start("success", TimeSpan.FromSeconds(3));
        var sleeping = app.Demo.N8n!.Start(rig.Name, Flow, TimeSpan.FromSeconds(1), waitTill: DateTimeOffset.UtcNow.AddDays(1));
        await rig.LookAsync();
        var open = await rig.RunsAsync("status=running,waiting");
        Assert.Equal([($"{sleeping}", "waiting"), ($"{run}", "running")], open.Select(item => (item["id"]!.GetValue<string>(), item["status"]!.GetValue<string>())));
        Assert.NotNull(open[0]["waitUntil"]);
        Assert.True(Instant(open[0]["stuckAfter"]) > Instant(open[0]["waitUntil"]));
        // It takes a second or two as a rule: a quarter of an hour is long.
        Assert.Equal(Instant(open[1]["startedAt"]).AddMinutes(15), Instant(open[1]["stuckAfter"]));

        await Task.Delay(TimeSpan.FromSeconds(3.2), TestContext.Current.CancellationToken);
        await rig.LookAsync();
        Assert.Equal([$"{sleeping}"], (await rig.RunsAsync("status=running,waiting")).Select(item => item["id"]!.GetValue<string>()));
        Assert.Equal("succeeded", (await rig.GetAsync($"automation/executions/{run}"))["status"]!.GetValue<string>());
        var today = await rig.GetAsync("automation/performance?range=today");
        Assert.Equal((today["from"]!.GetValue<string>(), "partial"), (today["to"]!.GetValue<string>(), today["status"]!.GetValue<string>()));
        Assert.Equal(1, today["totals"]!["succeeded"]!.GetValue<int>());
    }

    [Fact]
    public async Task Many_who_watch_ask_the_source_once_and_a_source_that_fails_is_left_alone()
    {
        await using var rig = await Rig.StartAsync(app);
        await rig.ConnectAsync();
        var before = rig.Requests;
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => rig.World.PostAsync("automation/look", rig.Tenant.Owner, "")));
        // What runs, what waits, the list.
        Assert.Equal(3, rig.Requests - before);
        await rig.World.PostAsync("automation/look", rig.Tenant.Owner, "");
        Assert.Equal(3, rig.Requests - before);

        await rig.AgainAsync();
        app.Demo.N8n!.Faults.Next(rig.Name, new Fault.Answer(500, ""));
        Assert.Equal(200, (await rig.World.PostAsync("automation/look", rig.Tenant.Owner, "")).Status);
        Assert.Equal(4, rig.Requests - before);
        // Not a failure of the schedule's, and not asked again in a quarter of a minute.
        Assert.Equal(0, await rig.World.OneAsync<int>("select consecutive_failures from integrations where tenant_id = @Id", rig.Tenant));
        Assert.True(await rig.World.OneAsync<DateTimeOffset>("select looked_at from integrations where tenant_id = @Id", rig.Tenant) > DateTimeOffset.UtcNow + LookEndpoints.AfterFailure - LookEndpoints.Every - TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Messages_are_not_asked_for_where_the_connection_forbids_it_and_what_was_read_goes()
    {
        await using var rig = await Rig.StartAsync(app);
        rig.Start("error", failure: ("A", "first"));
        var id = await rig.ConnectAsync();
        Assert.True((await rig.GetAsync($"integrations/{id}"))["readMessages"]!.GetValue<bool>());
        await rig.RunsAsync("status=failed&kind=production", list => list is [var run] && run["error"]!["message"]?.GetValue<string>() == "first");

        var (status, changed) = await rig.World.SendAsync(HttpMethod.Patch, $"integrations/{id}", rig.Tenant.Owner, new StringContent("""{"readMessages":false}""", null, "application/json"));
        Assert.Equal((200, false), (status, changed!["readMessages"]!.GetValue<bool>()));
        Assert.Empty(await rig.TablesWithAsync("first"));
        var asked = rig.Asked;
        rig.Start("error", failure: ("A", "second"));
        await rig.LookAsync();
        var off = await rig.RunsAsync("status=failed&kind=production");
        Assert.Equal(["off", "off"], off.Select(run => run["error"]!["state"]!.GetValue<string>()));
        Assert.Equal(asked, rig.Asked);

        await rig.World.SendAsync(HttpMethod.Patch, $"integrations/{id}", rig.Tenant.Owner, new StringContent("""{"readMessages":true}""", null, "application/json"));
        await rig.LookAsync();
        Assert.Equal(["second", "first"], (await rig.RunsAsync("status=failed&kind=production")).Select(run => run["error"]!["message"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_run_that_cannot_be_told_of_is_asked_for_three_times_and_keeps_no_other_back()
    {
        await using var rig = await Rig.StartAsync(app);
        await rig.ConnectAsync();
        rig.Start("error", failure: ("A", "never told"));
        rig.BreaksDetails = true;
        for (var n = 0; n < 5; n++) await rig.LookAsync();
        rig.BreaksDetails = false;
        Assert.Equal((0, 3), (rig.Asked, rig.Broken));
        Assert.Equal("unknown", Assert.Single(await rig.RunsAsync("status=failed&kind=production"))["error"]!["state"]!.GetValue<string>());
        rig.Start("error", failure: ("A", "told"));
        await rig.LookAsync();
        Assert.Equal("told", (await rig.RunsAsync("status=failed&kind=production"))[0]["error"]!["message"]!.GetValue<string>());
    }

    [Fact]
    public async Task Workflows_have_tags_project_and_the_trend_of_their_duration_and_go_into_files()
    {
        await using var rig = await Rig.StartAsync(app);
        rig.Start("error", failure: ("=A", "=1+1"));
        await rig.ConnectAsync();
        var flows = (await rig.GetAsync("automation/performance?range=last_7_days"))["workflows"]!.AsArray();
        var named = flows.Single(flow => flow!["id"]!.GetValue<string>() == "rUnLong000000002")!;
        Assert.Equal(Long, named["name"]!.GetValue<string>());
        Assert.Equal(["b", "a"], named["tags"]!.AsArray().Select(tag => tag!.GetValue<string>()));
        Assert.Equal(("pR0ject1", "Sales"), (named["projectId"]!.GetValue<string>(), named["project"]!.GetValue<string>()));
        var orders = flows.Single(flow => flow!["id"]!.GetValue<string>() == Flow)!;
        Assert.Equal(7, orders["durationTrend"]!.AsArray().Count);
        Assert.All(orders["durationTrend"]!.AsArray(), step => Assert.InRange(step!.GetValue<decimal>(), 900, 2100));

        var csv = await rig.FileAsync("automation/export/workflows?format=csv&range=last_7_days");
        Assert.Contains(Long, csv, StringComparison.Ordinal);
        Assert.Equal(flows.Count + 1, csv.Trim().Split('\n').Length);
        var json = JsonNode.Parse(await rig.FileAsync("automation/export/workflows?format=json&range=last_7_days"))!["workflows"]!.AsArray();
        Assert.Equal(orders["executions"]!.GetValue<int>(), json.Single(flow => flow!["workflowId"]!.GetValue<string>() == Flow)!["executions"]!.GetValue<int>());

        await rig.RunsAsync("status=failed&kind=production", list => list.Count > 0 && list[0]["error"]!["state"]!.GetValue<string>() == "told");
        var runs = await rig.FileAsync("automation/export/executions?format=csv&status=failed");
        // What begins like a formula is none.
        Assert.Contains("'=1+1", runs, StringComparison.Ordinal);
        var all = JsonNode.Parse(await rig.FileAsync($"automation/export/executions?format=json&workflow={Flow}"))!["runs"]!.AsArray();
        Assert.Equal(await rig.World.OneAsync<int>("select count(*)::int from executions where tenant_id = @Id and workflow_id = @Flow", new { rig.Tenant.Id, Flow }), all.Count);
    }

    [Fact]
    public async Task Pushed_runs_tell_that_they_run_or_wait_where_they_failed_and_since_when()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        var start = DateTimeOffset.UtcNow.AddMinutes(-90);
        string Event(string id, string status, string more = "") => $$"""{"workflowId":"w","workflowName":"W","executionId":"{{id}}","status":"{{status}}","startedAt":"{{start:O}}"{{more}}}""";
        async Task<JsonNode> RunAsync(string id) => (await world.GetAsync($"automation/executions/{id}", tenant.Owner)).Body!;

        await world.PostAsync("webhooks/n8n", token, $"[{Event("1", "running")},{Event("2", "waiting")},{Event("3", "failed", ""","errorMessage":"no","lastNodeExecuted":"Book it" """)}]");
        var list = (await world.GetAsync("automation/executions?status=running,waiting", tenant.Owner)).Body!["executions"]!.AsArray();
        Assert.Equal([("2", "waiting"), ("1", "running")], list.Select(run => (run!["id"]!.GetValue<string>(), run["status"]!.GetValue<string>())));
        // Nothing is known of how long it takes; what waits for an answer is not stuck. Where its n8n is, nobody knows.
        Assert.Equal(Instant((await RunAsync("1"))["startedAt"]).AddHours(2), Instant((await RunAsync("1"))["stuckAfter"]));
        Assert.Null((await RunAsync("2"))["stuckAfter"]);
        Assert.Null((await RunAsync("2"))["url"]);
        var error = (await RunAsync("3"))["error"]!;
        Assert.Equal(("no", "Book it", "told"), (error["message"]!.GetValue<string>(), error["node"]!.GetValue<string>(), error["state"]!.GetValue<string>()));

        await world.PostAsync("webhooks/n8n", token, $"[{Event("1", "waiting")},{Event("2", "error", ""","error":{"message":"late","node":{"name":"Ask"}}""")}]");
        Assert.Equal("waiting", (await RunAsync("1"))["status"]!.GetValue<string>());
        Assert.Equal(("failed", "Ask"), ((await RunAsync("2"))["status"]!.GetValue<string>(), (await RunAsync("2"))["error"]!["node"]!.GetValue<string>()));
        await world.PostAsync("webhooks/n8n", token, Event("1", "success"));
        Assert.Equal("succeeded", (await RunAsync("1"))["status"]!.GetValue<string>());
        Assert.Equal(404, (await world.GetAsync("automation/executions/1", (await world.TenantAsync()).Owner)).Status);

        // Pages are told apart by their cursor, to the last of equals.
        await world.PostAsync("webhooks/n8n", token, $"[{string.Join(',', Enumerable.Range(10, 30).Select(id => Event($"{id}", "success")))}]");
        var ids = new List<string>();
        string? cursor = null;
        do
        {
            var (_, page) = await world.GetAsync($"automation/executions?limit=7{(cursor is null ? "" : $"&cursor={cursor}")}", tenant.Owner);
            ids.AddRange(page!["executions"]!.AsArray().Select(run => run!["id"]!.GetValue<string>()));
            cursor = page["nextCursor"]?.GetValue<string>();
        }
        while (cursor is not null);
        Assert.Equal((33, 33), (ids.Count, ids.Distinct().Count()));
    }

    [Theory]
    [InlineData("status=broken", "status")]
    [InlineData("status=failed,nothing", "status")]
    [InlineData("kind=cron", "kind")]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("cursor=x", "cursor")]
    [InlineData("cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", null)]
    [InlineData("cursor=____________________________________________", "cursor")]
    [InlineData("from=2026-02-02&to=2026-02-01", "from")]
    [InlineData("to=9999-12-31", "to")]
    [InlineData("from=1999-12-31", "from")]
    [InlineData("integrationId=1", "integrationId")]
    [InlineData("workflow=a&workflow=b", "workflow")]
    public async Task What_is_asked_wrongly_is_said_at_its_field(string query, string? field)
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        foreach (var path in new[] { "automation/executions", "automation/export/executions" })
        {
            if (path.Contains("export", StringComparison.Ordinal) && query.Split('=')[0] is "limit" or "cursor") continue;
            var (status, body) = await world.GetAsync($"{path}?{query}", tenant.Owner);
            Assert.True(status == (field is null ? 200 : 400), $"{status} {body}");
            if (field is not null) Assert.EndsWith(".", body!["errors"]![field]![0]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    private static DateTimeOffset Instant(JsonNode? node) => DateTimeOffset.Parse(node!.GetValue<string>(), CultureInfo.InvariantCulture);

    /// <summary>A business and an n8n of its own, in which two workflows ran on each of the last days.</summary>
    private sealed class Rig(AppFixture app, PushWorld world, PushTenant tenant, string name) : IAsyncDisposable
    {
        private int _broken;

        public PushWorld World => world;

        public PushTenant Tenant => tenant;

        public string Name => name;

        /// <summary>Single runs with their data cannot be had.</summary>
        public bool BreaksDetails { get; set; }

        public int Broken => _broken;

        private N8nSimulator N8n => app.Demo.N8n!;

        public int Requests => N8n.Faults.Count(name);

        public int Asked => N8n.WithData(name);

        public static async Task<Rig> StartAsync(AppFixture app)
        {
            var world = new PushWorld(app);
            var tenant = await world.TenantAsync("UTC");
            var name = "r" + Guid.NewGuid().ToString("N")[..8];
            var rig = new Rig(app, world, tenant, name);
            var today = DateOnly.FromDateTime(DateTime.UtcNow);
            app.Demo.N8n!.Add(new N8nInstance(name, Key, new N8nDataset(7, "UTC", today.AddDays(-20),
            [
                new() { Id = Flow, Name = "Orders", Runs = day => day < today ? 6 : 0, Seconds = (1, 2), TimeSavedMinutes = 2 },
                new() { Id = "rUnLong000000002", Name = Long, Tags = ["b", "a", "a"], Project = ("pR0ject1", "Sales"), Runs = day => day < today ? 1 : 0 },
            ])
            { IsTried = false }));
            app.Demo.N8n.Refuses = (instance, path) =>
            {
                if (instance != name || !rig.BreaksDetails || !path.Contains("includeData=true", StringComparison.Ordinal)) return false;
                Interlocked.Increment(ref rig._broken);
                return true;
            };
            return rig;
        }

        public long Start(string outcome, TimeSpan? duration = null, (string, string)? failure = null) =>
            N8n.Start(name, Flow, duration ?? TimeSpan.FromMilliseconds(20), outcome, failure: failure);

        public async Task<string> ConnectAsync()
        {
            var (status, made) = await world.PostAsync("integrations", tenant.Owner, $$"""{"connector":"n8n","settings":{"baseUrl":"{{N8n.BaseUrl(name)}}"},"credentials":{"apiKey":"{{Key}}"} }""");
            Assert.True(status == 201, made?.ToJsonString());
            await Eventually.TrueAsync(
                async () => (await GetAsync("sync/runs?limit=1"))["runs"]![0]!["status"]!.GetValue<string>() == "succeeded", TimeSpan.FromMinutes(2), "the first sync ends");
            return made!["id"]!.GetValue<string>();
        }

        /// <summary>A look, as if the last one were a while ago.</summary>
        public async Task LookAsync()
        {
            // What was started to end at once has ended.
            await Task.Delay(60, TestContext.Current.CancellationToken);
            await AgainAsync();
            var (status, body) = await world.PostAsync("automation/look", tenant.Owner, "");
            Assert.True(status == 200 && body!["sources"]![0]!["asOf"] is not null, body?.ToJsonString());
        }

        public Task AgainAsync() => world.Access.ExecuteAsync("update integrations set looked_at = null where tenant_id = @Id", tenant);

        public async Task<JsonNode> GetAsync(string path)
        {
            var (status, body) = await world.GetAsync(path, tenant.Owner);
            Assert.True(status == 200, $"{path}: {status} {body}");
            return body!;
        }

        public async Task<IReadOnlyList<JsonNode>> RunsAsync(string query, Func<IReadOnlyList<JsonNode>, bool>? until = null)
        {
            IReadOnlyList<JsonNode> runs = [];
            await Eventually.TrueAsync(async () =>
            {
                runs = [.. (await GetAsync($"automation/executions?{query}"))["executions"]!.AsArray().Select(run => run!)];
                return until?.Invoke(runs) ?? true;
            }, TimeSpan.FromSeconds(30), "the runs are as they should be");
            return runs;
        }

        public async Task<string> FileAsync(string path)
        {
            using var http = app.Anonymous();
            http.DefaultRequestHeaders.Add("X-Kpi-Token", tenant.Owner);
            using var response = await http.GetAsync("api/" + path, TestContext.Current.CancellationToken);
            Assert.True(response.IsSuccessStatusCode && response.Content.Headers.ContentDisposition?.DispositionType == "attachment", $"{response.StatusCode}");
            return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }

        public async Task<IReadOnlyList<string>> TablesWithAsync(string text)
        {
            var found = new List<string>();
            foreach (var table in await world.Access.QueryAsync<string>(
                "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')"))
            {
                if (await world.OneAsync<bool>($"select exists (select 1 from {table} t where tenant_id = @Id and position(@text in t::text) > 0)", new { tenant.Id, text })) found.Add(table);
            }

            return found;
        }

        public async ValueTask DisposeAsync()
        {
            N8n.Refuses = null;
            await world.DisposeAsync();
        }
    }
}
