using System.Globalization;
using System.Text.Json;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Push;

/// <summary>
/// Runs as n8n tells of them: ends before starts, failures without a start, tests, sub-workflows; and what a request is answered of which
/// nothing can be taken.
/// </summary>
[Collection(AppCollection.Name)]
public sealed class PushedRunsTests(AppFixture app)
{
    private static readonly DateTimeOffset Noon = new(DateTimeOffset.UtcNow.AddDays(-1).Date.AddHours(12), TimeSpan.Zero);

    private static string At(DateTimeOffset instant) => instant.ToString("O", CultureInfo.InvariantCulture);

    private static string Event(string id, string status, DateTimeOffset at, string? mode = null, string? error = null) => JsonSerializer.Serialize(
        status == "running"
            ? (object)new { workflowId = "w1", workflowName = "Orders", executionId = id, mode, status, startedAt = At(at) }
            : new { workflowId = "w1", workflowName = "Orders", executionId = id, mode, status, completedAt = At(at), errorMessage = error });

    [Fact]
    public async Task An_end_without_a_start_counts_on_its_day_and_a_late_start_only_moves_it_back()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync("UTC");
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        var midnight = new DateTimeOffset(Noon.Date, TimeSpan.Zero);
        // Ends just after midnight, and nothing is known of its start.
        Assert.Equal(1, (await world.PostAsync("webhooks/n8n", token, Event("1", "success", midnight.AddSeconds(10)))).Body!["accepted"]!.GetValue<int>());
        Assert.Equal((midnight.AddSeconds(10), null), await RowAsync());
        Assert.Equal([(0, 1)], await DaysAsync());

        // "Started" stands in the branch below and says so later than the end: it moves nothing.
        Assert.Equal((200, 1), await UnchangedOrAcceptedAsync(Event("1", "running", midnight.AddSeconds(11)), "accepted"));
        Assert.Equal((midnight.AddSeconds(10), null), await RowAsync());
        // The real start comes late: the run moves to the day before, the end stays what it was, and the same again changes nothing.
        Assert.Equal((200, 1), await UnchangedOrAcceptedAsync(Event("1", "running", midnight.AddSeconds(-20)), "accepted"));
        Assert.Equal((midnight.AddSeconds(-20), (DateTimeOffset?)midnight.AddSeconds(10)), await RowAsync());
        Assert.Equal([(-1, 1), (0, 0)], await DaysAsync());
        Assert.Equal((200, 1), await UnchangedOrAcceptedAsync(Event("1", "running", midnight.AddSeconds(-20)), "unchanged"));
        Assert.Equal((200, 1), await UnchangedOrAcceptedAsync(Event("1", "running", midnight.AddSeconds(-5)), "unchanged"));
        Assert.Equal("succeeded", await world.OneAsync<string>("select status from executions where tenant_id = @Id", tenant));

        async Task<(DateTimeOffset, DateTimeOffset?)> RowAsync() =>
            await world.OneAsync<(DateTimeOffset, DateTimeOffset?)>("select started_at, stopped_at from executions where tenant_id = @Id", tenant);

        async Task<(int, int)[]> DaysAsync() => [.. await world.Access.QueryAsync<(int, int)>(
            "select day - @day::date, value::int from kpi_values where tenant_id = @Id and kpi = 'automation.executions' order by day", new { tenant.Id, day = DateOnly.FromDateTime(midnight.UtcDateTime) })];

        async Task<(int, int)> UnchangedOrAcceptedAsync(string json, string which)
        {
            var (status, body) = await world.PostAsync("webhooks/n8n", token, json);
            return (status, body![which]!.GetValue<int>());
        }
    }

    [Fact]
    public async Task A_failure_that_the_error_workflow_tells_counts_though_the_upper_branch_had_reported_success()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync("UTC");
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        await world.PostAsync("webhooks/n8n", token, Event("1", "success", Noon));
        await world.PostAsync("webhooks/n8n", token, Event("1", "error", Noon.AddSeconds(3), "webhook", "The shop said 500, token=abcdef123"));
        await world.PostAsync("webhooks/n8n", token, Event("2", "error", Noon.AddSeconds(5), "trigger", "It broke"));
        Assert.Equal(
            [("1", "failed", "The shop said 500, token=•••"), ("2", "failed", "It broke")],
            await world.Access.QueryAsync<(string, string, string)>("select execution_id, status, error_message from executions where tenant_id = @Id order by 1", tenant));
        var day = Noon.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var (_, history) = await world.GetAsync($"metrics/history?kpis=automation.executions,automation.failed,automation.succeeded&from={day}&to={day}", tenant.Owner);
        Assert.Equal(["2", "2", "0"], history!["series"]!.AsArray().Select(series => series!["points"]![0]!["value"]!.ToJsonString()));
    }

    [Fact]
    public async Task Tests_and_sub_workflows_are_known_without_a_pull_and_are_not_counted()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync("UTC");
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        await world.PostAsync(
            "webhooks/n8n", token,
            $"[{Event("1", "success", Noon, "production")},{Event("2", "success", Noon, "test")},{Event("3", "success", Noon, "integrated")},{Event("4", "success", Noon)},{Event("4", "running", Noon.AddSeconds(-1), "integrated")}]");
        Assert.Equal(
            ["production", "manual", "sub_workflow", "sub_workflow"],
            await world.Access.QueryAsync<string>("select kind from executions where tenant_id = @Id order by execution_id", tenant));
        Assert.Equal(1, await world.OneAsync<decimal>("select value from kpi_values where tenant_id = @Id and kpi = 'automation.succeeded'", tenant));
    }

    [Theory]
    [InlineData("{}", 1)]
    [InlineData("[{},{},5]", 3)]
    [InlineData("""{"workflowId":"w1","executionId":"1","status":"exploded"}""", 1)]
    [InlineData("""{"workflowId":"w1","executionId":"1","status":"success"}""", 1)]
    [InlineData("""[{"workflowId":"w1","executionId":"1","status":"success"},{"workflowId":"w1"}]""", 2)]
    public async Task A_request_of_which_nothing_can_be_taken_is_answered_422_and_leaves_nothing(string json, int rejected)
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        foreach (var _ in new int[2])
        {
            var (status, body) = await world.PostAsync("webhooks/n8n", token, json, ("Idempotency-Key", "the same"));
            Assert.Equal((422, 422, 0, 0, rejected), (
                status, body!["status"]!.GetValue<int>(), body["accepted"]!.GetValue<int>(), body["unchanged"]!.GetValue<int>(), body["rejected"]!.AsArray().Count));
            Assert.Equal("https://kpi-dashboard.example/problems/nothing-taken", body["type"]!.GetValue<string>());
            Assert.StartsWith(body["rejected"]![0]!["reason"]!.GetValue<string>(), body["detail"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.Equal(body["rejected"]![0]!["reason"]!.GetValue<string>(), body["errors"]!["[0]"]![0]!.GetValue<string>());
            Assert.NotEmpty(body["traceId"]!.GetValue<string>());
        }

        Assert.Equal((0, 0), await world.OneAsync<(int, int)>(
            "select (select count(*)::int from integrations where tenant_id = @Id), (select count(*)::int from executions where tenant_id = @Id)", tenant));
    }

    [Fact]
    public async Task What_brings_something_is_answered_200_and_an_empty_request_too()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        Assert.Equal(200, (await world.PostAsync("webhooks/n8n", token, "[]")).Status);
        Assert.Equal(200, (await world.PostAsync("webhooks/n8n", token, $"[{{}},{Event("1", "success", Noon)}]")).Status);
        // Known already, and the other one is bad: that it is known is something.
        Assert.Equal(200, (await world.PostAsync("webhooks/n8n", token, $"[{{}},{Event("1", "success", Noon)}]")).Status);
    }
}
