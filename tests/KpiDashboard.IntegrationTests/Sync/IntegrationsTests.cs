using System.Text;
using System.Text.Json.Nodes;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.N8n;
using KpiDashboard.Demo.Simulation;
using KpiDashboard.IntegrationTests.Access;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

/// <summary>Connecting an n8n and what can be done with it then, through the whole app and a simulated n8n of the test's own.</summary>
[Collection(SecondAppCollection.Name)]
public sealed class IntegrationsTests(AppFixture app)
{
    private const string Key = "n8n_api_secret_0123456789";

    [Fact]
    public async Task Connecting_n8n_tries_the_key_seals_it_and_reads_at_once()
    {
        await using var world = new AccessWorld(app);
        var (tenant, name) = await NewAsync(world);
        var made = await SendAsync(world, tenant, "POST", "integrations", Connect(name, extra: ""","displayName":" Our n8n ","schedule":"hourly","syncHour":6"""), 201);
        Assert.Equal(("n8n", "Our n8n", "hourly", 6), (made["connector"]!.GetValue<string>(), made["displayName"]!.GetValue<string>(), made["schedule"]!.GetValue<string>(), made["syncHour"]!.GetValue<int>()));
        Assert.Equal(app.Demo.N8n!.BaseUrl(name).ToString(), made["address"]!.GetValue<string>());
        var run = await EndOfRunAsync(world, tenant);
        Assert.Equal(("connect", "succeeded"), (run["trigger"]!.GetValue<string>(), run["status"]!.GetValue<string>()));
        Assert.NotEmpty(await world.QueryAsync<int>("select 1 from kpi_values where tenant_id = @Id and kpi = 'automation.executions' and value > 0", tenant));

        // Sealed where it is kept, and nowhere else at all.
        var kept = Assert.Single(await world.QueryAsync<byte[]>("select credentials from integrations where tenant_id = @Id", tenant));
        Assert.DoesNotContain(Key, Encoding.UTF8.GetString(kept), StringComparison.Ordinal);
        Assert.Empty(await TablesWithAsync(world, tenant, Key));
        foreach (var path in new[] { "integrations", $"integrations/{made["id"]}", "sync/runs", "audit" })
            Assert.DoesNotContain(Key, (await world.SendAsync("GET", path, tenant.OwnerToken)).Body, StringComparison.Ordinal);
        Assert.Equal(["integration.connected"], await ActionsAsync(world, tenant));

        var (status, body) = await world.SendAsync("POST", "integrations", tenant.OwnerToken, Connect(name));
        Assert.True(status == 409 && body.Contains("connected already", StringComparison.Ordinal), $"{status} {body}");
    }

    public static TheoryData<string, string, string> Wrong => new()
    {
        { "key", "credentials.apiKey", "does not accept the API key" },
        { "workflow:list", "credentials.apiKey", "lacks the scope workflow:list" },
        { "execution:list", "credentials.apiKey", "lacks the scope execution:list" },
        { "execution:read", "credentials.apiKey", "lacks the scope execution:read" },
        { "no API", "settings.baseUrl", "An n8n answers at this address, but not its public API" },
        { "nobody", "settings.baseUrl", "There is no n8n public API at this address" },
        { "web page", "settings.baseUrl", "A web page answers at your n8n address" },
        { "other JSON", "settings.baseUrl", "it is not n8n's public API" },
        { "redirect", "settings.baseUrl", "sends us on to another one" },
        { "broken", "settings.baseUrl", "Your n8n failed (status 500)" },
        { "unknown name", "settings.baseUrl", "cannot be found" },
        { "loopback", "settings.baseUrl", "not an address on the internet" },
        { "metadata", "settings.baseUrl", "not an address on the internet" },
        { "http", "settings.baseUrl", "must begin with https://" },
        { "port", "settings.baseUrl", "Port 6379 cannot be used" },
        { "no address", "settings.baseUrl", "must be the web address of your n8n" },
        { "no key", "credentials.apiKey", "must be an API key" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task What_is_wrong_is_said_at_the_field_to_look_at_and_nothing_is_kept(string what, string field, string sentence)
    {
        await using var world = new AccessWorld(app);
        var (tenant, name) = await NewAsync(world);
        Fault fine = new Fault.Delay(TimeSpan.Zero), forbidden = new Fault.Answer(403, """{"message":"Forbidden"}""");
        Fault[] faults = what switch
        {
            "workflow:list" => [forbidden],
            "execution:list" => [fine, forbidden],
            "execution:read" => [fine, fine, forbidden],
            "no API" => [new Fault.Answer(404, """{"message":"not found"}""")],
            "web page" => [new Fault.Answer(200, "<html>Sign in</html>", "text/html")],
            "other JSON" => [new Fault.Answer(200, """{"hello":"world"}""")],
            "redirect" => [new Fault.Answer(302, "")],
            "broken" => [new Fault.Answer(500, "")],
            _ => [],
        };
        foreach (var fault in faults) app.Demo.N8n!.Faults.Next(name, fault);
        var body = what switch
        {
            "key" => Connect(name, key: "wrong"),
            "nobody" => Connect("nobody-" + name),
            "unknown name" => Connect(address: "https://n8n.invalid"),
            "loopback" => Connect(address: "https://127.0.0.1"),
            "metadata" => Connect(address: "https://169.254.169.254/latest"),
            "http" => Connect(address: "http://n8n.example.com"),
            "port" => Connect(address: "https://n8n.example.com:6379"),
            "no address" => """{"connector":"n8n","credentials":{"apiKey":"k"}}""",
            "no key" => Connect(name, key: " "),
            _ => Connect(name),
        };
        var problem = await SendAsync(world, tenant, "POST", "integrations", body, 400);
        Assert.Contains(sentence, problem["errors"]![field]![0]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Empty(await world.QueryAsync<Guid>("select id from integrations where tenant_id = @Id union all select id from sync_runs where tenant_id = @Id", tenant));
        Assert.Empty(await ActionsAsync(world, tenant));
    }

    /// <summary>As JSON has them, so that halves of a character come along.</summary>
    private static readonly string[] OddAddresses =
    [
        "http://\u2100localhost:36693", "https://\u2100localhost", "https://n8n\u2100.example.invalid", "https://a\u2044b.invalid", "https://ex\u00ADample.invalid\u2100", "https://\u217A.invalid\u2101",
        "https://\uff20.invalid", "https://a\uff0fb.invalid", "https://a\uff03b.invalid", "https://a\uff1fb.invalid", "https://xn--.invalid", "https://xn--zzzzzzzzzz--.invalid", "https://-a.invalid", "https://a..invalid",
        "https://.invalid", "https://...", "https://[::1", "https://[::1%25eth0]", "https://[fe80::1%eth0]/", "https://[v1.x]/", "https://[]/", "https://a b.invalid", "https://a\\tb.invalid", "https://a\\u0000b.invalid",
        "https://\\ud800.invalid", "https://\\udc00\\ud800", "https://x:99999/", "https://x:-1/", "https://:443/", "https://", "https:///", "http:a", "https:\\\\a.invalid", "https://user:word@a.invalid", "https://@a.invalid",
        "https://a.invalid:80:80", "javascript:alert(1)", "file:///etc/passwd", "//a.invalid", "a.invalid", "", " ", "https://%00.invalid", "https://%6c%6fcalhost%2f", "https://a%2einvalid%40b.invalid",
        "https://a.invalid?x=1", "https://a.invalid#x", "https://2130706433", "https://0x7f.1", "https://[::ffff:127.0.0.1]", "https://[64:ff9b::7f00:1]", "https://127.0.0.1.", "https://localhost.",
        "https://" + new string('a', 64) + ".invalid", "https://" + string.Join('.', Enumerable.Repeat("abcdefgh", 40)), "https://a.invalid/" + new string('x', 3000), "https://a.invalid/\u202E",
    ];

    [Fact]
    public async Task An_odd_address_is_refused_with_a_sentence_at_its_field_and_never_a_fault_of_ours()
    {
        await using var world = new AccessWorld(app);
        var (tenant, _) = await NewAsync(world);
        var wrong = new List<string>();
        foreach (var address in OddAddresses)
        {
            var (status, text) = await world.SendAsync("POST", "integrations", tenant.OwnerToken, Connect(address: address));
            var sentences = status == 400 ? JsonNode.Parse(text)!["errors"]?["settings.baseUrl"]?.AsArray() : null;
            if (sentences is not [{ } sentence, ..] || !sentence.GetValue<string>().EndsWith('.') || sentence.GetValue<string>().Length < 20) wrong.Add($"{address}: {status} {text}");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Empty(await world.QueryAsync<Guid>("select id from integrations where tenant_id = @Id union all select id from sync_runs where tenant_id = @Id", tenant));
    }

    [Theory]
    [InlineData("""{"connector":"google-analytics"}""", "grant")]
    [InlineData("""{"connector":"google-analytics","grant":"0190b2c4-0000-7000-8000-000000000000","propertyId":"p1"}""", "propertyId")]
    [InlineData("""{"connector":"google-analytics","grant":"0190b2c4-0000-7000-8000-000000000000","propertyId":"1"}""", "grant")]
    [InlineData("""{"connector":"google-analytics","grant":"0190b2c4-0000-7000-8000-000000000000","propertyId":"1","credentials":{"apiKey":"k"}}""", "credentials")]
    [InlineData("""{"connector":"n8n","settings":{"baseUrl":"https://n8n.example.com"},"credentials":{"apiKey":"k"},"grant":"0190b2c4-0000-7000-8000-000000000000"}""", "grant")]
    [InlineData("""{"connector":"nothing"}""", "connector")]
    [InlineData("""{"connector":"n8n","settings":{"baseUrl":"https://n8n.example.com"},"credentials":{"apiKey":"k"},"syncHour":24}""", "syncHour")]
    [InlineData("""{"connector":"n8n","settings":{"baseUrl":"https://n8n.example.com"},"credentials":{"apiKey":"k"},"displayName":" "}""", "displayName")]
    [InlineData("""{"connector":"n8n","settings":{"baseUrl":"https://n8n.example.com"},"credentials":{"apiKey":"k"},"schedule":"weekly"}""", "schedule")]
    [InlineData("""{"connector":"n8n","settings":{"url":"https://n8n.example.com"}}""", "settings.url")]
    public async Task Bad_input_is_named(string body, string field)
    {
        await using var world = new AccessWorld(app);
        var (tenant, _) = await NewAsync(world);
        Assert.NotNull((await SendAsync(world, tenant, "POST", "integrations", body, 400))["errors"]![field]);
    }

    [Fact]
    public async Task An_n8n_that_only_pushed_becomes_the_real_one_and_one_execution_stays_one_row()
    {
        await using var world = new AccessWorld(app);
        var (tenant, name) = await NewAsync(world);
        var known = app.Demo.N8n!.Executions(name).Last(execution => execution.Outcome == "success" && execution.EndsAt < DateTimeOffset.UtcNow);
        var machine = await world.MachineAsync(tenant.Id, "n8n");
        var (status, text) = await world.SendAsync("POST", "webhooks/n8n", machine,
            $$"""{"workflowId":"{{known.WorkflowId}}","executionId":"{{known.Id}}","status":"success","startedAt":"{{known.StartedAt:O}}","completedAt":"{{known.EndsAt:O}}"}""");
        Assert.True(status == 200, text);
        var pushed = Assert.Single(await world.QueryAsync<Guid>("select id from integrations where tenant_id = @Id", tenant));
        Assert.Equal(409, (await world.SendAsync("POST", $"integrations/{pushed}/sync", tenant.OwnerToken)).Status);
        Assert.Equal(409, (await world.SendAsync("POST", $"integrations/{pushed}/test", tenant.OwnerToken)).Status);

        var made = await SendAsync(world, tenant, "POST", "integrations", Connect(name), 201);
        Assert.Equal((pushed.ToString(), "daily"), (made["id"]!.GetValue<string>(), made["schedule"]!.GetValue<string>()));
        Assert.Equal("succeeded", (await EndOfRunAsync(world, tenant))["status"]!.GetValue<string>());
        Assert.Equal([1L], await world.QueryAsync<long>("select count(*) from executions where tenant_id = @Id and execution_id = @Execution", new { tenant.Id, Execution = known.Id.ToString(System.Globalization.CultureInfo.InvariantCulture) }));
    }

    [Fact]
    public async Task A_key_that_was_revoked_is_replaced_and_reading_goes_on()
    {
        await using var world = new AccessWorld(app);
        var (tenant, name) = await NewAsync(world);
        var id = (await SendAsync(world, tenant, "POST", "integrations", Connect(name), 201))["id"]!.GetValue<string>();
        await EndOfRunAsync(world, tenant);
        Assert.True((await SendAsync(world, tenant, "POST", $"integrations/{id}/test", null, 200))["works"]!.GetValue<bool>());

        app.Demo.N8n!.SetApiKey(name, "fresh-key");
        var test = await SendAsync(world, tenant, "POST", $"integrations/{id}/test", null, 200);
        Assert.Equal((false, "credentials.apiKey"), (test["works"]!.GetValue<bool>(), test["field"]!.GetValue<string>()));
        await SendAsync(world, tenant, "POST", $"integrations/{id}/sync", null, 202);
        Assert.Equal("failed", (await EndOfRunAsync(world, tenant))["status"]!.GetValue<string>());
        Assert.Equal("reconnect_needed", (await ReadAsync(world, tenant, id))["status"]!.GetValue<string>());
        Assert.Equal(409, (await world.SendAsync("POST", $"integrations/{id}/sync", tenant.OwnerToken)).Status);
        Assert.Equal(409, (await world.SendAsync("POST", $"integrations/{id}/pause", tenant.OwnerToken)).Status);

        var problem = await SendAsync(world, tenant, "PATCH", $"integrations/{id}", """{"credentials":{"apiKey":"still-wrong"}}""", 400);
        Assert.NotNull(problem["errors"]!["credentials.apiKey"]);
        Assert.Equal("reconnect_needed", (await ReadAsync(world, tenant, id))["status"]!.GetValue<string>());

        await SendAsync(world, tenant, "PATCH", $"integrations/{id}", """{"credentials":{"apiKey":"fresh-key"},"displayName":"New name","schedule":"quarter_hourly"}""", 200);
        Assert.Equal("succeeded", (await EndOfRunAsync(world, tenant))["status"]!.GetValue<string>());
        var after = await ReadAsync(world, tenant, id);
        Assert.Equal(("ok", "New name", "quarter_hourly"), (after["status"]!.GetValue<string>(), after["displayName"]!.GetValue<string>(), after["schedule"]!.GetValue<string>()));
        Assert.Empty(await TablesWithAsync(world, tenant, "fresh-key"));
        Assert.Equal(["integration.connected", "integration.changed", "integration.reconnected"], await ActionsAsync(world, tenant));
    }

    [Fact]
    public async Task What_is_paused_is_not_read_and_resuming_reads_at_once()
    {
        await using var world = new AccessWorld(app);
        var (tenant, name) = await NewAsync(world);
        var id = (await SendAsync(world, tenant, "POST", "integrations", Connect(name), 201))["id"]!.GetValue<string>();
        await EndOfRunAsync(world, tenant);
        for (var twice = 0; twice < 2; twice++)
            Assert.Equal("paused", (await SendAsync(world, tenant, "POST", $"integrations/{id}/pause", null, 200))["status"]!.GetValue<string>());
        Assert.Equal(409, (await world.SendAsync("POST", $"integrations/{id}/sync", tenant.OwnerToken)).Status);
        await SendAsync(world, tenant, "POST", $"integrations/{id}/resume", null, 200);
        var run = await EndOfRunAsync(world, tenant);
        Assert.Equal(("manual", "succeeded"), (run["trigger"]!.GetValue<string>(), run["status"]!.GetValue<string>()));
        Assert.Equal(["integration.connected", "integration.paused", "integration.resumed"], await ActionsAsync(world, tenant));
    }

    [Fact]
    public async Task Disconnecting_forgets_the_key_at_once_and_keeps_the_numbers_unless_told_otherwise()
    {
        await using var world = new AccessWorld(app);
        var (tenant, name) = await NewAsync(world);
        var id = (await SendAsync(world, tenant, "POST", "integrations", Connect(name), 201))["id"]!.GetValue<string>();
        await EndOfRunAsync(world, tenant);
        const string count = "select count(*) from kpi_values where tenant_id = @Id";
        var numbers = (await world.QueryAsync<long>(count, tenant)).Single();
        Assert.True(numbers > 100, $"{numbers}");
        var before = JsonNode.Parse((await world.SendAsync("GET", "metrics/summary?range=last_7_days", tenant.OwnerToken)).Body)!["kpis"]!.ToJsonString();

        Assert.Equal(204, (await world.SendAsync("DELETE", $"integrations/{id}", tenant.OwnerToken)).Status);
        Assert.Equal([(byte[]?)null], await world.QueryAsync<byte[]?>("select credentials from integrations where tenant_id = @Id", tenant));
        Assert.Equal(numbers, (await world.QueryAsync<long>(count, tenant)).Single());
        var summary = JsonNode.Parse((await world.SendAsync("GET", "metrics/summary?range=last_7_days", tenant.OwnerToken)).Body)!;
        Assert.Equal(before, summary["kpis"]!.ToJsonString());
        Assert.Empty(summary["freshness"]!.AsArray());
        Assert.Empty(JsonNode.Parse((await world.SendAsync("GET", "integrations", tenant.OwnerToken)).Body)!["integrations"]!.AsArray());
        foreach (var (verb, path) in new[] { ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/sync"), ("POST", "/test"), ("POST", "/pause"), ("POST", "/resume"), ("GET", "/workflows") })
            Assert.Equal((path, 404), (path, (await world.SendAsync(verb, $"integrations/{id}{path}", tenant.OwnerToken)).Status));

        Assert.Equal(id, (await SendAsync(world, tenant, "POST", "integrations", Connect(name), 201))["id"]!.GetValue<string>());
        Assert.Equal("succeeded", (await EndOfRunAsync(world, tenant))["status"]!.GetValue<string>());
        Assert.Equal(numbers, (await world.QueryAsync<long>(count, tenant)).Single());

        Assert.Equal(400, (await world.SendAsync("DELETE", $"integrations/{id}?numbers=maybe", tenant.OwnerToken)).Status);
        Assert.Equal(204, (await world.SendAsync("DELETE", $"integrations/{id}?numbers=delete", tenant.OwnerToken)).Status);
        Assert.Equal([0L], await world.QueryAsync<long>(count, tenant));
        Assert.Equal([0L], await world.QueryAsync<long>("select (select count(*) from integrations where tenant_id = @Id) + (select count(*) from executions where tenant_id = @Id) + (select count(*) from sync_runs where tenant_id = @Id)", tenant));
        Assert.Equal(["integration.connected", "integration.disconnected", "integration.connected", "integration.disconnected"], await ActionsAsync(world, tenant));
    }

    [Fact]
    public async Task Minutes_that_a_workflow_saves_change_the_numbers_at_once_and_back_again()
    {
        await using var world = new AccessWorld(app);
        var (tenant, name) = await NewAsync(world);
        var id = (await SendAsync(world, tenant, "POST", "integrations", Connect(name), 201))["id"]!.GetValue<string>();
        await EndOfRunAsync(world, tenant);
        var workflows = JsonNode.Parse((await world.SendAsync("GET", $"integrations/{id}/workflows", tenant.OwnerToken)).Body)!["workflows"]!.AsArray();
        var successes = (await world.QueryAsync<(string Workflow, long Count)>("select workflow_id, sum(succeeded) from automation_daily where tenant_id = @Id group by 1 order by 2 desc", tenant))[0];
        var workflow = workflows.Single(entry => entry!["id"]!.GetValue<string>() == successes.Workflow)!;
        var provider = workflow["providerMinutesSaved"]?.GetValue<decimal>() ?? 0;
        Assert.Null(workflow["minutesSaved"]);
        var before = await SavedAsync();

        var path = $"integrations/{id}/workflows/{successes.Workflow}";
        await SendAsync(world, tenant, "PATCH", path, $$"""{"minutesSaved":{{(provider + 7.5m).ToString(System.Globalization.CultureInfo.InvariantCulture)}},"applyToPast":true}""", 200);
        Assert.Equal(before + (7.5m * successes.Count), await SavedAsync());
        Assert.Empty(await world.QueryAsync<long>("select id from kpi_restatements where tenant_id = @Id", tenant));

        // The next sync says the same.
        await SendAsync(world, tenant, "POST", $"integrations/{id}/sync", null, 202);
        await EndOfRunAsync(world, tenant);
        var now = (await world.QueryAsync<long>("select sum(succeeded) from automation_daily where tenant_id = @Id and workflow_id = @Workflow", new { tenant.Id, successes.Workflow })).Single();
        Assert.True(await SavedAsync() >= before + (7.5m * successes.Count), "A sync must not undo what a person set.");

        // Without more, a change counts from today on: the days before keep the price that they had.
        const string past = "select coalesce(sum(minutes_saved), 0) from automation_daily where tenant_id = @Id and day < (select max(day) from automation_daily where tenant_id = @Id)";
        var earlier = (await world.QueryAsync<decimal>(past, tenant)).Single();
        await SendAsync(world, tenant, "PATCH", path, """{"minutesSaved":9000}""", 200);
        Assert.Equal(earlier, (await world.QueryAsync<decimal>(past, tenant)).Single());
        await SavedAsync();

        await SendAsync(world, tenant, "PATCH", path, """{"minutesSaved":null,"applyToPast":true}""", 200);
        Assert.Equal([(decimal?)provider * now], await world.QueryAsync<decimal?>("select coalesce(sum(minutes_saved), 0) from automation_daily where tenant_id = @Id and workflow_id = @Workflow", new { tenant.Id, successes.Workflow }));
        foreach (var bad in new[] { """{"minutesSaved":-1}""", """{"minutesSaved":10001}""", """{"minutesSaved":1.234}""", "{}", """{"minutesSaved":"7"}""" })
            Assert.Equal((bad, 400), (bad, (await world.SendAsync("PATCH", path, tenant.OwnerToken, bad)).Status));
        Assert.Equal(404, (await world.SendAsync("PATCH", $"integrations/{id}/workflows/nothing", tenant.OwnerToken, """{"minutesSaved":1}""")).Status);
        Assert.Equal(["integration.connected", .. Enumerable.Repeat("workflow.minutes_saved_changed", 3)], await ActionsAsync(world, tenant));

        // Through the numbers that the page shows, and the days that they are made of: both must say the same.
        async Task<decimal> SavedAsync()
        {
            var days = (await world.QueryAsync<decimal>("select coalesce(sum(minutes_saved), 0) from automation_daily where tenant_id = @Id", tenant)).Single();
            Assert.Equal(days, (await world.QueryAsync<decimal>("select coalesce(sum(value), 0) from kpi_values where tenant_id = @Id and kpi = 'automation.time_saved'", tenant)).Single());
            return days;
        }
    }

    [Theory]
    [InlineData("/home/workflows")]
    [InlineData("/home/workflows?projectId=Ab1#top")]
    [InlineData("/workflow/Y7zIqmuNMA16iM1N/executions/4")]
    [InlineData("/api/v1/docs/")]
    public async Task An_address_that_was_copied_from_the_browser_connects(string page)
    {
        await using var world = new AccessWorld(app);
        var (tenant, name) = await NewAsync(world);
        var made = await SendAsync(world, tenant, "POST", "integrations", Connect(address: app.Demo.N8n!.BaseUrl(name) + page), 201);
        Assert.Equal(app.Demo.N8n!.BaseUrl(name).ToString(), made["address"]!.GetValue<string>());
        Assert.Equal("succeeded", (await EndOfRunAsync(world, tenant))["status"]!.GetValue<string>());
    }

    /// <summary>What was taken from a key that n8n showed once, and can be given back to it.</summary>
    [Theory]
    [InlineData("scope", "lacks")]
    [InlineData("API", "N8N_PUBLIC_API_DISABLED")]
    public async Task What_was_mended_in_n8n_is_found_by_a_test_and_read_on_without_a_new_key(string what, string sentence)
    {
        await using var world = new AccessWorld(app);
        var (tenant, name) = await NewAsync(world);
        var id = (await SendAsync(world, tenant, "POST", "integrations", Connect(name), 201))["id"]!.GetValue<string>();
        await EndOfRunAsync(world, tenant);
        Break(true);
        await SendAsync(world, tenant, "POST", $"integrations/{id}/sync", null, 202);
        Assert.Equal("failed", (await EndOfRunAsync(world, tenant))["status"]!.GetValue<string>());
        Assert.Equal("reconnect_needed", (await ReadAsync(world, tenant, id))["status"]!.GetValue<string>());

        // Not mended yet: nothing changes.
        var not = await SendAsync(world, tenant, "POST", $"integrations/{id}/test", null, 200);
        Assert.False(not["works"]!.GetValue<bool>());
        Assert.Contains(sentence, not["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("reconnect_needed", (await ReadAsync(world, tenant, id))["status"]!.GetValue<string>());

        Break(false);
        var works = await SendAsync(world, tenant, "POST", $"integrations/{id}/test", null, 200);
        Assert.True(works["works"]!.GetValue<bool>());
        Assert.Contains("lets us read again", works["message"]!.GetValue<string>(), StringComparison.Ordinal);
        var run = await EndOfRunAsync(world, tenant);
        Assert.Equal(("connect", "succeeded"), (run["trigger"]!.GetValue<string>(), run["status"]!.GetValue<string>()));
        Assert.Equal("ok", (await ReadAsync(world, tenant, id))["status"]!.GetValue<string>());
        Assert.Equal(["integration.connected", "integration.reconnected"], await ActionsAsync(world, tenant));

        void Break(bool broken)
        {
            if (what == "API") app.Demo.N8n!.SwitchApi(name, on: !broken);
            else app.Demo.N8n!.SetScopes(name, broken ? ["workflow:list", "execution:read"] : []);
        }
    }

    [Fact]
    public async Task A_key_that_shows_fewer_workflows_is_told_before_it_is_kept_and_takes_no_number_away()
    {
        await using var world = new AccessWorld(app);
        var (tenant, name) = await NewAsync(world);
        var id = (await SendAsync(world, tenant, "POST", "integrations", Connect(name), 201))["id"]!.GetValue<string>();
        await EndOfRunAsync(world, tenant);
        const string values = "select kpi || ' ' || day || ' ' || value from kpi_values where tenant_id = @Id and day < (select max(day) from kpi_values where tenant_id = @Id) order by 1";
        var before = await world.QueryAsync<string>(values, tenant);
        var known = (await world.QueryAsync<int>("select count(*)::int from workflows where tenant_id = @Id", tenant)).Single();
        app.Demo.N8n!.AddMemberKey(name, "member_key", "nL1Enquiries0001");

        var path = $"integrations/{id}";
        var refused = await SendAsync(world, tenant, "PATCH", path, """{"credentials":{"apiKey":"member_key"}}""", 400);
        Assert.Contains($"shows 1 of the {known} workflows", refused["errors"]!["credentials.apiKey"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains("'acceptFewer'", refused["errors"]!["acceptFewer"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(["integration.connected"], await ActionsAsync(world, tenant));

        await SendAsync(world, tenant, "PATCH", path, """{"credentials":{"apiKey":"member_key"},"acceptFewer":true}""", 200);
        var run = await EndOfRunAsync(world, tenant);
        Assert.Equal("succeeded", run["status"]!.GetValue<string>());
        Assert.Contains($"shows this key 1 of {known} workflows", run["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(before, await world.QueryAsync<string>(values, tenant));
        Assert.Empty(await world.QueryAsync<string>("select workflow_id from workflows where tenant_id = @Id and gone_at is not null", tenant));
        Assert.Empty(await world.QueryAsync<string>("select execution_id from executions where tenant_id = @Id and status = 'lost'", tenant));
        var performance = JsonNode.Parse((await world.SendAsync("GET", "automation/performance?range=last_7_days", tenant.OwnerToken)).Body)!;
        var entries = JsonNode.Parse((await world.SendAsync("GET", $"integrations/{id}/workflows", tenant.OwnerToken)).Body)!["workflows"]!.AsArray();
        Assert.Equal(known - 1, entries.Count(entry => !entry!["shown"]!.GetValue<bool>()));
        Assert.All(entries, entry => Assert.False(entry!["gone"]!.GetValue<bool>()));
        Assert.NotNull(performance["leftOut"]);

        // The first key again: it shows all, and nobody has to be asked.
        await SendAsync(world, tenant, "PATCH", path, $$"""{"credentials":{"apiKey":"{{Key}}"} }""", 200);
        Assert.Null((await EndOfRunAsync(world, tenant))["message"]?.GetValue<string>());
        Assert.Empty(await world.QueryAsync<string>("select workflow_id from workflows where tenant_id = @Id and hidden_at is not null", tenant));
    }

    [Fact]
    public async Task A_second_n8n_of_a_business_is_a_source_of_its_own_that_is_named_read_narrowed_to_and_taken_away_by_itself()
    {
        await using var world = new AccessWorld(app);
        var (tenant, name) = await NewAsync(world);
        var other = name + "w";
        app.Demo.N8n!.Add(new N8nInstance(other, Key, DemoWorld.N8n(DateTimeOffset.UtcNow).Instances[0].Dataset));
        var first = (await SendAsync(world, tenant, "POST", "integrations", Connect(name), 201))["id"]!.GetValue<string>();
        await EndOfRunAsync(world, tenant);
        var made = await SendAsync(world, tenant, "POST", "integrations", Connect(other), 201);
        var second = made["id"]!.GetValue<string>();
        Assert.NotEqual(first, second);
        // Nobody named it: by its address it can be told apart.
        Assert.NotEqual("n8n", made["displayName"]!.GetValue<string>());
        Assert.StartsWith("n8n ", made["displayName"]!.GetValue<string>(), StringComparison.Ordinal);
        await EndOfRunAsync(world, tenant);
        var again = await SendAsync(world, tenant, "POST", "integrations", Connect(other), 409);
        Assert.Contains("connected already as", again["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        await SendAsync(world, tenant, "PATCH", $"integrations/{second}", """{"displayName":"Warehouse"}""", 200);

        var sources = (await SendAsync(world, tenant, "GET", "sources", null, 200))["sources"]!.AsArray();
        Assert.Equal([(first, "n8n"), (second, "Warehouse")], sources.Select(source => (source!["id"]!.GetValue<string>(), source["name"]!.GetValue<string>())));
        Assert.All(sources, source => Assert.Contains("automation.executions", source!["kpis"]!.AsArray().Select(key => key!.GetValue<string>())));

        // What the two tell apart is together what all tell, and the table of workflows is narrowed with it.
        var (both, one, two) = (await ReadAsync(""), await ReadAsync($"&sources={first}"), await ReadAsync($"&sources={second}"));
        decimal Of(JsonNode answer, string total) => answer["totals"]![total]!.GetValue<decimal>();
        foreach (var total in new[] { "executions", "succeeded", "failed" })
        {
            Assert.True(Of(one, total) > 0 && Of(two, total) > 0, total);
            Assert.Equal(Of(both, total), Of(one, total) + Of(two, total));
        }

        Assert.Equal(Of(both, "succeeded") / (Of(both, "succeeded") + Of(both, "failed")), Of(both, "successRate"), 6);
        Assert.Equal(both["workflows"]!.AsArray().Count, one["workflows"]!.AsArray().Count + two["workflows"]!.AsArray().Count);
        Assert.All(two["workflows"]!.AsArray(), flow => Assert.Equal(second, flow!["integrationId"]!.GetValue<string>()));
        Assert.Equal([first], one["freshness"]!.AsArray().Select(source => source!["integrationId"]!.GetValue<string>()));

        // One goes with its numbers; not a digit of the other moves.
        const string rows = "select kpi || ' ' || day || ' ' || value || ' ' || coalesce(run_id::text, '') from kpi_values v where tenant_id = @Id and integration_id = @kept order by 1";
        var before = await world.QueryAsync<string>(rows, new { tenant.Id, kept = Guid.Parse(first) });
        var (status, body) = await world.SendAsync("DELETE", $"integrations/{second}?numbers=delete", tenant.OwnerToken);
        Assert.True(status == 204, body);
        Assert.NotEmpty(before);
        Assert.Equal(before, await world.QueryAsync<string>(rows, new { tenant.Id, kept = Guid.Parse(first) }));
        Assert.Equal(before.Count, (await world.QueryAsync<int>("select count(*)::int from kpi_values where tenant_id = @Id", tenant)).Single());
        Assert.Equal(Of(one, "executions"), Of(await ReadAsync(""), "executions"));

        async Task<JsonNode> ReadAsync(string query) => await SendAsync(world, tenant, "GET", $"automation/performance?range=last_7_days&compare=none{query}", null, 200);
    }

    [Fact]
    public async Task Pushes_of_a_business_with_two_n8n_must_say_which_one_they_are_of()
    {
        await using var world = new AccessWorld(app);
        var (tenant, name) = await NewAsync(world);
        var other = name + "w";
        app.Demo.N8n!.Add(new N8nInstance(other, Key, DemoWorld.N8n(DateTimeOffset.UtcNow).Instances[0].Dataset));
        var first = (await SendAsync(world, tenant, "POST", "integrations", Connect(name), 201))["id"]!.GetValue<string>();
        await EndOfRunAsync(world, tenant);
        var second = (await SendAsync(world, tenant, "POST", "integrations", Connect(other), 201))["id"]!.GetValue<string>();
        await EndOfRunAsync(world, tenant);
        var token = (await SendAsync(world, tenant, "POST", "tokens", """{"name":"n8n","scopes":["n8n"]}""", 201))["token"]!.GetValue<string>();
        var run = $$"""{"workflowId":"w-new","executionId":"900001","status":"success","startedAt":"{{DateTimeOffset.UtcNow.AddMinutes(-3):O}}","completedAt":"{{DateTimeOffset.UtcNow.AddMinutes(-2):O}}"}""";

        var (status, body) = await world.SendAsync("POST", "webhooks/n8n", token, run);
        Assert.True(status == 400, $"{status} {body}");
        Assert.Contains(second, JsonNode.Parse(body)!["errors"]!["source"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        (status, body) = await world.SendAsync("POST", $"webhooks/n8n?source={Guid.NewGuid()}", token, run);
        Assert.True(status == 400 && body.Contains("no n8n of this business", StringComparison.Ordinal), $"{status} {body}");
        (status, body) = await world.SendAsync("POST", $"webhooks/n8n?source={second}", token, run);
        Assert.True(status == 200, $"{status} {body}");
        Assert.Equal(
            [Guid.Parse(second)], await world.QueryAsync<Guid>("select integration_id from executions where tenant_id = @Id and execution_id = '900001'", tenant));
        Assert.NotEqual(first, second);
    }

    /// <summary>A business without sources and a simulated n8n of its own.</summary>
    private async Task<(AccessTenant Tenant, string Name)> NewAsync(AccessWorld world)
    {
        var marker = "c" + Guid.NewGuid().ToString("N")[..8];
        var tenant = await world.TenantAsync(marker);
        await world.ExecuteAsync(
            "delete from integrations where tenant_id = @Id; delete from kpi_values where tenant_id = @Id; delete from kpi_restatements where tenant_id = @Id; set local kpi.audit = 'purge'; delete from audit_log where tenant_id = @Id; set local kpi.audit = ''", tenant);
        app.Demo.N8n!.Add(new N8nInstance(marker, Key, DemoWorld.N8n(DateTimeOffset.UtcNow).Instances[1].Dataset));
        return (tenant, marker);
    }

    private string Connect(string? name = null, string key = Key, string? address = null, string extra = "") =>
        $$"""{"connector":"n8n","settings":{"baseUrl":"{{address ?? app.Demo.N8n!.BaseUrl(name!).ToString()}}"},"credentials":{"apiKey":"{{key}}"}{{extra}}}""";

    private static async Task<JsonNode> SendAsync(AccessWorld world, AccessTenant tenant, string verb, string path, string? body, int expected)
    {
        var (status, text) = await world.SendAsync(verb, path, tenant.OwnerToken, body);
        Assert.True(status == expected, $"{verb} {path}: {status} {text}");
        return JsonNode.Parse(text)!;
    }

    private static Task<JsonNode> ReadAsync(AccessWorld world, AccessTenant tenant, string id) => SendAsync(world, tenant, "GET", $"integrations/{id}", null, 200);

    private static async Task<JsonNode> EndOfRunAsync(AccessWorld world, AccessTenant tenant)
    {
        JsonNode? run = null;
        await Eventually.TrueAsync(async () =>
        {
            run = (await SendAsync(world, tenant, "GET", "sync/runs?limit=1", null, 200))["runs"]![0];
            return run?["status"]!.GetValue<string>() is "succeeded" or "failed" or "dead";
        }, TimeSpan.FromMinutes(1), "the run ends");
        return run!;
    }

    private static Task<IReadOnlyList<string>> ActionsAsync(AccessWorld world, AccessTenant tenant) =>
        world.QueryAsync<string>("select action from audit_log where tenant_id = @Id and action not like 'session.%' order by at, id", tenant);

    /// <summary>Tables of the tenant in which a text stands somewhere.</summary>
    private static async Task<IReadOnlyList<string>> TablesWithAsync(AccessWorld world, AccessTenant tenant, string text)
    {
        var found = new List<string>();
        foreach (var table in await world.QueryAsync<string>(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')"))
        {
            if ((await world.QueryAsync<bool>($"select exists (select 1 from {table} t where tenant_id = @Id and position(@text in t::text) > 0)", new { tenant.Id, text })).Single()) found.Add(table);
        }

        return found;
    }
}
