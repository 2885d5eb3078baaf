using System.Globalization;
using System.Text.Json;
using KpiDashboard.Automation;
using KpiDashboard.Connectors;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Push;

/// <summary>Executions that n8n pushes, at the whole app with the real database.</summary>
[Collection(AppCollection.Name)]
public sealed class N8nWebhookTests(AppFixture app)
{
    private static readonly DateTimeOffset Yesterday = new(DateTimeOffset.UtcNow.AddDays(-1).Date.AddHours(12), TimeSpan.Zero);

    private static string Event(string id, string status, DateTimeOffset? started = null, int milliseconds = 4000, string workflow = "w1", string? error = null) => JsonSerializer.Serialize(new
    {
        workflowId = workflow,
        workflowName = "Workflow " + workflow,
        executionId = id,
        status,
        startedAt = started ?? Yesterday,
        completedAt = status == "running" ? (DateTimeOffset?)null : (started ?? Yesterday).AddMilliseconds(milliseconds),
        executionTime = milliseconds,
        errorMessage = error,
        metadata = new { ignored = true },
    });

    [Theory]
    [InlineData("executionId", @"\u0000", false)]
    [InlineData("executionId", @"\ud83d", false)]
    [InlineData("workflowId", @"\ude00", false)]
    [InlineData("status", @"\u0000", false)]
    [InlineData("startedAt", @"\u0000", false)]
    [InlineData("errorMessage", @"\ud83d", true)]
    [InlineData("errorMessage", @"\u0000", true)]
    [InlineData("workflowName", @"\udfff\ud800", true)]
    [InlineData("metadata", @"\u0000", true)]
    [InlineData("mode", @"\ud83d", true)]
    [InlineData("other\\u0000", @"\ud83d", true)]
    public async Task Text_that_is_none_costs_at_most_its_own_event(string field, string unit, bool taken)
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        var fields = new Dictionary<string, string> { ["executionId"] = "2", ["workflowId"] = "w", ["status"] = "failed", ["startedAt"] = Yesterday.ToString("O", CultureInfo.InvariantCulture), ["executionTime"] = "5" };
        fields[field] = fields.GetValueOrDefault(field) + unit;
        var odd = $"{{{string.Join(',', fields.Select(item => $"\"{item.Key}\":\"{item.Value}\""))}}}";
        var (status, body) = await world.PostAsync("webhooks/n8n", token, $"[{Event("1", "success")},{odd},{Event("3", "success")}]");
        Assert.Equal((200, taken ? 3 : 2), (status, body!["accepted"]!.GetValue<int>()));
        Assert.Equal(taken ? [] : [1], body["rejected"]!.AsArray().Select(item => item!["index"]!.GetValue<int>()));
        Assert.Equal(taken ? ["1", "2", "3"] : ["1", "3"], await world.Access.QueryAsync<string>("select execution_id from executions where tenant_id = @Id order by 1", tenant));
    }

    [Theory]
    [InlineData(349_000, 400)]
    [InlineData(5_001, 400)]
    [InlineData(5_000, 422)]
    public async Task Many_empty_events_cost_the_sender_more_than_us(int events, int expected)
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        var (status, body) = await world.PostAsync("webhooks/n8n", token, $"[{string.Join(',', Enumerable.Repeat("{}", events))}]");
        var text = body!.ToJsonString();
        Assert.Equal(expected, status);
        Assert.InRange(text.Length, 1, 200_000);
        if (expected == 400)
        {
            Assert.Contains("5,000 events", text, StringComparison.Ordinal);
            return;
        }

        Assert.Equal((1_000, 5_000), (body["rejected"]!.AsArray().Count, body["rejectedCount"]!.GetValue<int>()));
    }

    [Fact]
    public async Task Pushed_executions_become_rows_workflows_and_the_days_numbers_at_once()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (id, token, secret) = await world.TokenAsync(tenant, "n8n");
        var (status, body) = await world.PostAsync("webhooks/n8n", token, $"[{Event("1", "success")},{Event("2", "failed", error: "Request to https://u:hunter2@shop.example failed, token=abcdef")},{Event("3", "success", workflow: "w2")}]");
        Assert.Equal((200, """{"accepted":3,"unchanged":0,"rejected":[]}"""), (status, body!.ToJsonString()));
        var (_, second) = await world.SignedAsync("webhooks/n8n", id, secret, Event("4", "success"));
        Assert.Equal("""{"accepted":1,"unchanged":0,"rejected":[]}""", second!.ToJsonString());

        Assert.Equal(
            [("1", "w1", "succeeded"), ("2", "w1", "failed"), ("3", "w2", "succeeded"), ("4", "w1", "succeeded")],
            await world.Access.QueryAsync<(string, string, string)>("select execution_id, workflow_id, status from executions where tenant_id = @Id order by 1", tenant));
        Assert.Equal(["Workflow w1", "Workflow w2"], await world.Access.QueryAsync<string>("select name from workflows where tenant_id = @Id order by 1", tenant));
        var error = await world.OneAsync<string>("select error_message from executions where tenant_id = @Id and execution_id = '2'", tenant);
        Assert.DoesNotContain("hunter2", error, StringComparison.Ordinal);
        Assert.DoesNotContain("abcdef", error, StringComparison.Ordinal);
        Assert.StartsWith("Request to https://", error, StringComparison.Ordinal);

        var day = Yesterday.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var (_, history) = await world.GetAsync($"metrics/history?kpis=automation.executions,automation.failed,automation.avg_duration&from={day}&to={day}", tenant.Owner);
        Assert.Equal(["4", "1", "4000"], history!["series"]!.AsArray().Select(series => series!["points"]![0]!["value"]!.ToJsonString()));
        // A source that only pushes is no part of what we read: no refresh starts a run for it, and it is not late.
        var (_, refresh) = await world.PostAsync("sync/refresh", tenant.Owner, "{}");
        Assert.Empty(refresh!["runs"]!.AsArray());
        var (_, integrations) = await world.GetAsync("integrations", tenant.Owner);
        Assert.Equal(("ok", "push"), (integrations!["integrations"]![0]!["status"]!.GetValue<string>(), integrations["integrations"]![0]!["schedule"]!.GetValue<string>()));
    }

    [Fact]
    public async Task The_same_again_changes_nothing_and_an_end_is_never_undone()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        foreach (var (sent, expected, state) in new[]
        {
            (Event("1", "running"), """{"accepted":1,"unchanged":0,"rejected":[]}""", "unfinished"),
            (Event("1", "running"), """{"accepted":0,"unchanged":1,"rejected":[]}""", "unfinished"),
            (Event("1", "success"), """{"accepted":1,"unchanged":0,"rejected":[]}""", "succeeded"),
            (Event("1", "success"), """{"accepted":0,"unchanged":1,"rejected":[]}""", "succeeded"),
            (Event("1", "running"), """{"accepted":0,"unchanged":1,"rejected":[]}""", "succeeded"),
            ($"[{Event("2", "success")},{Event("2", "running")},{Event("2", "success")}]", """{"accepted":1,"unchanged":2,"rejected":[]}""", "succeeded"),
        })
        {
            Assert.Equal(expected, (await world.PostAsync("webhooks/n8n", token, sent)).Body!.ToJsonString());
            Assert.Equal(state, await world.OneAsync<string>("select status from executions where tenant_id = @Id order by execution_id desc limit 1", tenant));
        }

        // The end alone is enough where the start is known.
        await world.PostAsync("webhooks/n8n", token, Event("3", "running"));
        Assert.Equal(1, (await world.PostAsync("webhooks/n8n", token, """{"workflowId":"w1","ExecutionID":3,"Status":"Success","Duration":2500}""")).Body!["accepted"]!.GetValue<int>());
        Assert.Equal(2500, await world.OneAsync<int>("select (extract(epoch from stopped_at - started_at) * 1000)::int from executions where tenant_id = @Id and execution_id = '3'", tenant));
    }

    [Fact]
    public async Task Pushed_and_pulled_one_execution_is_one_row_and_counted_once()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var integration = Guid.NewGuid();
        var today = DateOnly.FromDateTime(Yesterday.UtcDateTime).AddDays(1);
        await world.Access.ExecuteAsync(
            "insert into integrations (tenant_id, id, connector, display_name, read_from, read_to) values (@Id, @integration, 'n8n', 'n8n', @from, @today)", new { tenant.Id, integration, from = today.AddDays(-5), today });
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        await app.Database.InTenantAsync(tenant.Id, tx => AutomationWriter.WriteExecutionsAsync(tx, integration,
        [
            new ExecutionReading("7", "w1", ExecutionStatus.Succeeded, ExecutionKind.Production, Yesterday, Yesterday.AddSeconds(4)),
            new ExecutionReading("8", "w1", ExecutionStatus.Succeeded, ExecutionKind.Manual, Yesterday, Yesterday.AddSeconds(4)),
        ]), TestContext.Current.CancellationToken);
        var (_, body) = await world.PostAsync("webhooks/n8n", token, $"[{Event("7", "success")},{Event("8", "success")},{Event("9", "success")},{Event("10", "success", Yesterday.AddDays(-20))}]");
        Assert.Equal((2, 2), (body!["accepted"]!.GetValue<int>(), body["unchanged"]!.GetValue<int>()));
        Assert.Equal(4, await world.OneAsync<int>("select count(*)::int from executions where tenant_id = @Id", tenant));
        // Execution 8 was a person trying; 10 lies on a day that was not read yet, and a part must not pass for the whole.
        Assert.Equal(
            [(today.AddDays(-1), 2m)], await world.Access.QueryAsync<(DateOnly, decimal)>("select day, value from kpi_values where tenant_id = @Id and kpi = 'automation.executions'", tenant));

        // Pulled afterwards with what n8n itself says: still one row.
        await app.Database.InTenantAsync(tenant.Id, tx => AutomationWriter.WriteExecutionsAsync(tx, integration,
            [new ExecutionReading("9", "w1", ExecutionStatus.Failed, ExecutionKind.Production, Yesterday.AddMilliseconds(3), Yesterday.AddSeconds(9))]), TestContext.Current.CancellationToken);
        Assert.Equal((4, "failed"), await world.OneAsync<(int, string)>("select count(*)::int, max(status) filter (where execution_id = '9') from executions where tenant_id = @Id", tenant));
    }

    [Fact]
    public async Task A_bad_event_is_named_and_the_good_ones_are_kept()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        var (status, body) = await world.PostAsync("webhooks/n8n", token,
            $"[5,{Event("1", "success")},{Event("2", "exploded")},{Event("3", "success", DateTimeOffset.UtcNow.AddDays(2))},{Event("4", "success", DateTimeOffset.UtcNow.AddDays(-61))},{{\"workflowId\":1,\"executionId\":5,\"status\":\"success\"}},{Event("6", "success")}]");
        Assert.Equal((200, 2), (status, body!["accepted"]!.GetValue<int>()));
        Assert.Equal([0, 2, 3, 4, 5], body["rejected"]!.AsArray().Select(item => item!["index"]!.GetValue<int>()));
        Assert.All(body["rejected"]!.AsArray(), item => Assert.NotEmpty(item!["reason"]!.GetValue<string>()));
        Assert.Equal(["1", "6"], await world.Access.QueryAsync<string>("select execution_id from executions where tenant_id = @Id order by 1", tenant));

        foreach (var (json, expected) in new[] { ("", 400), ("5", 400), ("\"x\"", 400), ("{", 400), ("[" + new string(' ', 1024 * 1024) + "]", 413) })
            Assert.Equal(expected, (await world.PostAsync("webhooks/n8n", token, json)).Status);
        Assert.Equal("""{"accepted":0,"unchanged":0,"rejected":[]}""", (await world.PostAsync("webhooks/n8n", token, "[]")).Body!.ToJsonString());
    }

    [Fact]
    public async Task Of_an_event_with_one_instant_the_day_counts_and_the_duration_does_not()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync("UTC");
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        var at = Yesterday.ToString("O", CultureInfo.InvariantCulture);
        var (_, body) = await world.PostAsync("webhooks/n8n", token,
            $$"""[{{Event("1", "success")}},{"WorkflowID":"w1","ExecutionID":2,"Status":"Success","Timestamp":"{{at}}"},{"WorkflowID":"w1","ExecutionID":3,"Status":"Failed","completedAt":"{{at}}"},{"WorkflowID":"w1","ExecutionID":4,"Status":"Success"}]""");
        Assert.Equal((3, "[3]"), (body!["accepted"]!.GetValue<int>(), new System.Text.Json.Nodes.JsonArray([.. body["rejected"]!.AsArray().Select(item => item!["index"]!.DeepClone())]).ToJsonString()));

        var day = Yesterday.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var (_, history) = await world.GetAsync($"metrics/history?kpis=automation.executions,automation.failed,automation.avg_duration&from={day}&to={day}", tenant.Owner);
        Assert.Equal(["3", "1", "4000"], history!["series"]!.AsArray().Select(series => series!["points"]![0]!["value"]!.ToJsonString()));
        var (_, performance) = await world.GetAsync($"automation/performance?from={day}&to={day}", tenant.Owner);
        Assert.Equal((4000m, 4000m), (performance!["totals"]!["averageDurationMs"]!.GetValue<decimal>(), performance["workflows"]![0]!["averageDurationMs"]!.GetValue<decimal>()));
    }

    [Theory]
    [InlineData("completedAt", "9999-12-31T23:59:59Z")]
    [InlineData("completedAt", "1970-01-01T00:00:00Z")]
    [InlineData("startedAt", "9999-12-31T23:59:59Z")]
    public async Task An_instant_that_cannot_be_is_named_and_nothing_of_its_event_is_written(string field, string instant)
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        var item = System.Text.Json.Nodes.JsonNode.Parse(Event("1", "success"))!.AsObject();
        item.Remove("executionTime");
        item[field] = instant;
        var (_, body) = await world.PostAsync("webhooks/n8n", token, item.ToJsonString());
        Assert.Equal(0, body!["accepted"]!.GetValue<int>());
        Assert.Contains($"'{field}'", body["rejected"]![0]!["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(0, await world.OneAsync<int>("select count(*)::int from executions where tenant_id = @Id", tenant));
    }

    [Fact]
    public async Task What_was_only_pushed_moves_with_the_zone_and_is_counted_once()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync("Europe/Berlin");
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        // Half an hour after midnight in Berlin, the day before in Los Angeles: whatever the season.
        var late = new DateTimeOffset(Yesterday.AddDays(-2).Date.AddHours(23).AddMinutes(30), TimeSpan.Zero);
        await world.PostAsync("webhooks/n8n", token, Event("1", "success", late));
        var settings = (await world.GetAsync("tenant", tenant.Owner)).Body!;
        settings["timeZone"] = "America/Los_Angeles";
        var (status, _) = await world.SendAsync(HttpMethod.Put, "tenant", tenant.Owner, new StringContent(settings.ToJsonString(), System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(200, status);
        await world.PostAsync("webhooks/n8n", token, Event("2", "success", late.AddMinutes(5)));

        Assert.Equal(
            [(DateOnly.FromDateTime(late.UtcDateTime), 2m)],
            await world.Access.QueryAsync<(DateOnly, decimal)>("select day, value from kpi_values where tenant_id = @Id and kpi = 'automation.executions' and value <> 0", tenant));
        Assert.Equal(2, await world.OneAsync<int>("select sum(executions)::int from automation_daily where tenant_id = @Id", tenant));
    }

    /// <summary>Of the days between two pushes nobody knows anything, in any zone, however often that is changed.</summary>
    [Fact]
    public async Task A_zone_that_is_changed_makes_no_zeros_of_silent_days_and_there_and_back_is_where_it_was()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync("Europe/Berlin");
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        var noon = new DateTimeOffset(Yesterday.Date.AddHours(12), TimeSpan.Zero);
        foreach (var (id, ago) in new[] { ("1", 10), ("2", 5) })
            Assert.Equal(200, (await world.PostAsync("webhooks/n8n", token, Event(id, "success", noon.AddDays(-ago)))).Status);
        const string Known = """
            select day::text || ' ' || kpi || ' ' || trim_scale(value)::text from kpi_values where tenant_id = @Id
            union all select complete_through::text || ' ' || final_through::text from integrations where tenant_id = @Id order by 1
            """;
        var before = await world.Access.QueryAsync<string>(Known, tenant);
        var settings = (await world.GetAsync("tenant", tenant.Owner)).Body!;
        foreach (var zone in new[] { "America/Los_Angeles", "Asia/Tokyo", "Pacific/Kiritimati", "Europe/Paris", "Europe/Berlin" })
        {
            settings["timeZone"] = zone;
            var (status, _) = await world.SendAsync(
                HttpMethod.Put, "tenant", tenant.Owner, new StringContent(settings.ToJsonString(), System.Text.Encoding.UTF8, "application/json"));
            Assert.Equal(200, status);
            Assert.Equal(2, await world.OneAsync<int>("select count(*)::int from kpi_values where tenant_id = @Id and kpi = 'automation.executions'", tenant));
        }

        Assert.Equal(before, await world.Access.QueryAsync<string>(Known, tenant));
    }

    [Fact]
    public async Task A_run_that_falls_asleep_is_news_and_a_number_belongs_to_one_workflow()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        async Task<(int, int, string?)> SendAsync(string id, string status, string workflow = "w1")
        {
            var (_, body) = await world.PostAsync("webhooks/n8n", token, Event(id, status, workflow: workflow));
            return (body!["accepted"]!.GetValue<int>(), body["unchanged"]!.GetValue<int>(), body["rejected"]!.AsArray().FirstOrDefault()?["reason"]?.GetValue<string>());
        }

        Assert.Equal((1, 0, null), await SendAsync("7", "running"));
        Assert.Equal((1, 0, null), await SendAsync("7", "waiting"));
        Assert.Equal((0, 1, null), await SendAsync("7", "waiting"));
        Assert.Equal((1, 0, null), await SendAsync("7", "running"));
        Assert.Equal((1, 0, null), await SendAsync("7", "success"));
        var (accepted, unchanged, reason) = await SendAsync("7", "failed", "w2");
        Assert.Equal((0, 0), (accepted, unchanged));
        Assert.Contains("belongs to another workflow, 'w1'", reason, StringComparison.Ordinal);
        Assert.Equal("succeeded", await world.OneAsync<string>("select status from executions where tenant_id = @Id", tenant));
        Assert.Equal(1, await world.OneAsync<int>("select count(*)::int from workflows where tenant_id = @Id", tenant));
    }

    [Fact]
    public async Task Two_tenants_with_the_same_ids_do_not_meet_and_a_paused_one_is_left_alone()
    {
        await using var world = new PushWorld(app);
        var (one, two) = (await world.TenantAsync(), await world.TenantAsync());
        var (first, second) = (await world.TokenAsync(one, "n8n"), await world.TokenAsync(two, "n8n"));
        await world.PostAsync("webhooks/n8n", first.Token, Event("1", "success"), ("webhook-id", "same"));
        await world.PostAsync("webhooks/n8n", second.Token, Event("1", "failed"), ("webhook-id", "same"));
        Assert.Equal("succeeded", await world.OneAsync<string>("select status from executions where tenant_id = @Id", one));
        Assert.Equal("failed", await world.OneAsync<string>("select status from executions where tenant_id = @Id", two));
        await world.Access.ExecuteAsync("update integrations set status = 'paused' where tenant_id = @Id", one);
        Assert.Equal(409, (await world.PostAsync("webhooks/n8n", first.Token, Event("2", "success"))).Status);
        Assert.Equal(1, await world.OneAsync<int>("select count(*)::int from executions where tenant_id = @Id", one));
    }

    [Fact]
    public async Task A_hundred_pushes_at_once_lose_nothing()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        await Parallel.ForEachAsync(Enumerable.Range(0, 100), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = TestContext.Current.CancellationToken }, async (index, _) =>
            Assert.Equal(200, (await world.PostAsync("webhooks/n8n", token, Event((index / 2).ToString(CultureInfo.InvariantCulture), index % 2 == 0 ? "running" : "success"))).Status));
        Assert.Equal((50, 50), await world.OneAsync<(int, int)>("select count(*)::int, (count(*) filter (where status = 'succeeded'))::int from executions where tenant_id = @Id", tenant));
        Assert.Equal(50, await world.OneAsync<decimal>("select value from kpi_values where tenant_id = @Id and kpi = 'automation.succeeded'", tenant));
    }
}
