using System.Globalization;
using System.Text.Json;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.N8n;
using Xunit;

namespace KpiDashboard.Tests.Connectors.N8n;

public sealed class N8nRecordingsTests
{
    private const string Settings = """{"baseUrl":"https://n8n.example.com/"}""";
    private const string Credentials = """{"apiKey":"secret-key"}""";
    private const string EmptyPage = """{"data":[],"nextCursor":null}""";
    private static readonly DateOnly Day = new(2026, 11, 22);

    /// <summary>Answers the four kinds of requests of a first message; what is not given is empty.</summary>
    private static ConnectorHarness Harness(
        Func<string, string>? executions = null, string running = EmptyPage, string waiting = EmptyPage, string workflows = EmptyPage, Func<string, HttpResponseMessage>? single = null) =>
        ConnectorHarness.N8n((path, _) =>
            path.StartsWith("/api/v1/workflows?", StringComparison.Ordinal) ? StubHandler.Json(workflows)
            : path.StartsWith("/api/v1/executions/", StringComparison.Ordinal) ? single!(path)
            : path.Contains("status=running", StringComparison.Ordinal) ? StubHandler.Json(running)
            : path.Contains("status=waiting", StringComparison.Ordinal) ? StubHandler.Json(waiting)
            : StubHandler.Json(executions?.Invoke(path) ?? EmptyPage));

    private static string File(string name) => Recorded.Read($"N8n/{name}");

    [Fact]
    public async Task Two_recorded_pages_are_followed_by_their_cursor()
    {
        using var harness = Harness(path => File(path.Contains("cursor=eyJsYXN0SWQiOiIzIiwibGltaXQiOjJ9", StringComparison.Ordinal) ? "executions-page2.json" : "executions-page1.json"));

        var outcome = Assert.IsType<FetchSucceeded>(await harness.FetchAsync(Day, Day.AddDays(1), Settings, Credentials));

        Assert.Null(outcome.Checkpoint);
        Assert.Equal(["4", "3", "2", "1"], harness.Sink.Executions.Select(e => e.ExecutionId));
        Assert.Equal(
            new ExecutionReading("4", "Y7zIqmuNMA16iM1N", ExecutionStatus.Failed, ExecutionKind.Production,
                new DateTimeOffset(2026, 11, 22, 16, 17, 43, 236, TimeSpan.Zero), new DateTimeOffset(2026, 11, 22, 16, 17, 43, 362, TimeSpan.Zero)),
            harness.Sink.Executions[0]);
        Assert.Equal(3, harness.Sink.Executions.Count(e => e.Status == ExecutionStatus.Succeeded));
        Assert.Equal(Day, outcome.CompleteThrough);
        Assert.Equal(Day, outcome.FinalThrough);

        // The very first run of this n8n is listed: nothing was pruned.
        Assert.Null(outcome.MeasurableFrom);
        Assert.DoesNotContain("secret-key", string.Join('\n', harness.Sink.Requests), StringComparison.Ordinal);
        Assert.Contains("GET /api/v1/executions", harness.Sink.Requests.Select(r => r.Operation));
    }

    [Fact]
    public async Task Workflows_are_read_with_name_state_and_unset_time_saved()
    {
        using var harness = Harness(workflows: File("workflows.json"));

        await harness.FetchAsync(Day, Day, Settings, Credentials);

        Assert.Equal(
            [
                new WorkflowReading("VhV5B9bNnAQm6VMW", "KPI error hook", true, null) { ChangedAt = DateTimeOffset.Parse("2026-11-22T16:18:43.118Z", CultureInfo.InvariantCulture) },
                new WorkflowReading("Y7zIqmuNMA16iM1N", "KPI probe workflow", true, null) { ChangedAt = DateTimeOffset.Parse("2026-11-22T16:18:43.517Z", CultureInfo.InvariantCulture) },
                new WorkflowReading("zuIa3f9u4rbrLrFZ", "KPI wait", true, null) { ChangedAt = DateTimeOffset.Parse("2026-11-22T16:19:23.366Z", CultureInfo.InvariantCulture) },
            ],
            harness.Sink.Workflows);
    }

    [Fact]
    public async Task A_running_execution_comes_from_its_own_list_and_is_unfinished()
    {
        using var harness = Harness(_ => File("executions-page2.json"), running: File("executions-running.json"));

        var outcome = Assert.IsType<FetchSucceeded>(await harness.FetchAsync(Day, Day, Settings, Credentials));

        var running = Assert.Single(harness.Sink.Executions, e => e.ExecutionId == "280");
        Assert.Equal((ExecutionStatus.Unfinished, null), (running.Status, running.StoppedAt));
        Assert.Equal(Day, outcome.CompleteThrough);
        Assert.Equal(Day.AddDays(-1), outcome.FinalThrough);
    }

    [Fact]
    public async Task A_waiting_execution_is_unfinished_although_it_has_a_stoppedAt()
    {
        using var harness = Harness(waiting: File("executions-waiting.json"));

        await harness.FetchAsync(Day, Day, Settings, Credentials);

        var waiting = Assert.Single(harness.Sink.Executions);
        Assert.Equal((ExecutionStatus.Unfinished, null), (waiting.Status, waiting.StoppedAt));
    }

    [Fact]
    public async Task The_run_of_an_error_workflow_is_told_from_production()
    {
        using var harness = Harness(path => path.Contains("cursor", StringComparison.Ordinal) ? EmptyPage : File("executions-with-error-mode.json"));

        await harness.FetchAsync(Day, Day, Settings, Credentials);

        Assert.Equal([ExecutionKind.ErrorHandler, ExecutionKind.Production, ExecutionKind.Production], harness.Sink.Executions.Select(e => e.Kind));
    }

    [Fact]
    public async Task Version_2_8_4_is_read_the_same()
    {
        using var harness = Harness(_ => File("executions-2.8.4.json"));

        await harness.FetchAsync(Day, Day, Settings, Credentials);

        Assert.Equal([("2", ExecutionStatus.Failed), ("1", ExecutionStatus.Succeeded)], harness.Sink.Executions.Select(e => (e.ExecutionId, e.Status)));
    }

    [Fact]
    public async Task Ids_as_numbers_are_the_same_ids()
    {
        using var harness = Harness(_ => File("executions-page2.json").Replace("\"id\":\"2\"", "\"id\":2", StringComparison.Ordinal)
            .Replace("\"id\":\"1\"", "\"id\":1", StringComparison.Ordinal).Replace("\"workflowId\":\"Y7zIqmuNMA16iM1N\"", "\"workflowId\":17", StringComparison.Ordinal));

        await harness.FetchAsync(Day, Day, Settings, Credentials);

        Assert.Equal([("2", "17"), ("1", "17")], harness.Sink.Executions.Select(e => (e.ExecutionId, e.WorkflowId)));
    }

    [Fact]
    public async Task A_refused_status_filter_is_forgiven()
    {
        using var harness = ConnectorHarness.N8n((path, _) =>
            path.Contains("status=", StringComparison.Ordinal) ? StubHandler.Json(File("err-status.txt")[..^4], 400)
            : StubHandler.Json(path.Contains("/executions", StringComparison.Ordinal) ? File("executions-page2.json") : File("workflows.json")));

        Assert.IsType<FetchSucceeded>(await harness.FetchAsync(Day, Day, Settings, Credentials));
        Assert.Equal(2, harness.Sink.Executions.Count);
    }

    [Theory]
    [InlineData("err-bad-key.txt", 401, nameof(AuthorizationLost))]
    [InlineData("err-no-key.txt", 401, nameof(AuthorizationLost))]
    [InlineData("err-404.txt", 404, nameof(RequestRefused))]
    public async Task Each_recorded_error_becomes_its_outcome(string file, int status, string expected)
    {
        using var harness = ConnectorHarness.N8n((_, _) => StubHandler.Json(File(file)[..^4], status));

        Assert.Equal(expected, (await harness.FetchAsync(Day, Day, Settings, Credentials)).GetType().Name);
    }

    [Theory]
    [InlineData(200, "text/html", "<!DOCTYPE html>", nameof(RequestRefused))]
    [InlineData(200, "text/plain", "  <html>", nameof(RequestRefused))]
    [InlineData(401, "text/html", "<html>", nameof(RequestRefused))]
    [InlineData(302, "text/html", "", nameof(RequestRefused))]
    [InlineData(400, "application/json", """{"message":"no"}""", nameof(RequestRefused))]
    [InlineData(418, "application/json", "{}", nameof(ProviderDown))]
    [InlineData(503, "text/html", "<html>", nameof(ProviderDown))]
    [InlineData(429, "text/html", "<html>", nameof(RateLimited))]
    [InlineData(200, "application/json", "{", nameof(ProviderDown))]
    [InlineData(200, "application/json", "null", nameof(ProviderDown))]
    [InlineData(200, "application/json", "{}", nameof(RequestRefused))]
    [InlineData(200, "application/json", """{"data":5}""", nameof(ProviderDown))]
    [InlineData(200, "application/json", "[]", nameof(ProviderDown))]
    public async Task Whatever_else_answers_becomes_an_outcome(int status, string type, string body, string expected)
    {
        using var harness = ConnectorHarness.N8n((_, _) => StubHandler.Json(body, status, type));

        Assert.Equal(expected, (await harness.FetchAsync(Day, Day, Settings, Credentials)).GetType().Name);
        Assert.Empty(harness.Sink.Workflows);
    }

    [Fact]
    public async Task Rows_that_make_no_sense_are_passed_over()
    {
        using var harness = Harness(_ => """
            {"data":[null,{},{"id":{},"workflowId":"w","startedAt":"2026-11-22T10:00:00Z","status":"success"},
            {"id":"7","workflowId":null,"startedAt":"2026-11-22T10:00:00Z","status":"success"},
            {"id":"8","workflowId":"w","startedAt":null,"status":"new"},
            {"id":"9","workflowId":"w","startedAt":"yesterday","status":"success"},
            {"id":"10","workflowId":"w","startedAt":"2026-11-22T10:00:00Z","stoppedAt":"2026-11-22T09:59:59Z","status":"success","mode":"trigger"}],"nextCursor":null}
            """, workflows: """{"data":[null,{},{"id":3,"name":"","settings":"none"},{"id":"w","name":"W","active":true,"isArchived":true,"settings":{"timeSavedPerExecution":2.5}}]}""");

        Assert.IsType<FetchSucceeded>(await harness.FetchAsync(Day, Day, Settings, Credentials));

        var reading = Assert.Single(harness.Sink.Executions);
        Assert.Equal(("10", ExecutionStatus.Succeeded, null), (reading.ExecutionId, reading.Status, reading.StoppedAt));
        Assert.Equal([new WorkflowReading("3", "3", false, null), new WorkflowReading("w", "W", false, 2.5m)], harness.Sink.Workflows);
    }

    [Fact]
    public async Task A_cursor_that_repeats_is_given_up()
    {
        var calls = 0;
        using var harness = Harness(_ =>
        {
            calls++;
            return File("executions-page1.json");
        });

        Assert.IsType<ProviderDown>(await harness.FetchAsync(Day, Day, Settings, Credentials));
        Assert.Equal(2, calls);
    }

    [Fact]
    public async Task After_twenty_pages_the_rest_is_left_to_the_next_message()
    {
        var calls = 0;
        using var harness = Harness(_ => File("executions-page1.json").Replace("eyJsYXN0SWQiOiIzIiwibGltaXQiOjJ9", $"c{calls++}", StringComparison.Ordinal));

        var outcome = Assert.IsType<FetchSucceeded>(await harness.FetchAsync(Day, Day, Settings, Credentials));

        Assert.Equal(20, calls);
        Assert.NotNull(outcome.Checkpoint);
        Assert.Equal((null, null, null), (outcome.CompleteThrough, outcome.FinalThrough, outcome.MeasurableFrom));

        await harness.FetchAsync(Day, Day, Settings, Credentials, checkpoint: outcome.Checkpoint);
        Assert.Contains(harness.Network.Asked, asked => asked.Url.EndsWith("&cursor=c19", StringComparison.Ordinal));
        Assert.Single(harness.Network.Asked, asked => asked.Url.Contains("/workflows", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_oldest_execution_of_earlier_messages_counts_when_the_last_page_is_empty()
    {
        var calls = 0;
        using var harness = Harness(_ => calls < 20 ? File("executions-page1.json").Replace("eyJsYXN0SWQiOiIzIiwibGltaXQiOjJ9", $"c{calls++}", StringComparison.Ordinal) : EmptyPage);
        var first = Assert.IsType<FetchSucceeded>(await harness.FetchAsync(Day.AddDays(-30), Day, Settings, Credentials));

        var last = Assert.IsType<FetchSucceeded>(await harness.FetchAsync(Day.AddDays(-30), Day, Settings, Credentials, checkpoint: first.Checkpoint));

        Assert.Null(last.Checkpoint);
        Assert.Equal(Day.AddDays(1), last.MeasurableFrom);
        Assert.Equal(Day, last.CompleteThrough);
    }

    [Fact]
    public async Task Tracked_executions_are_asked_for_fifty_at_a_time_and_then_nothing_is_called_final()
    {
        using var harness = Harness(_ => File("executions-page2.json"), single: path => path.Contains("/executions/id7?", StringComparison.Ordinal)
            ? StubHandler.Json("""{"message":"Not Found"}""", 404)
            : StubHandler.Json($$"""{"id":"{{path.Split('/')[^1].Split('?')[0]}}","workflowId":"w","status":"success","mode":"webhook","startedAt":"2026-10-01T10:00:00Z","stoppedAt":"2026-10-01T10:00:01Z"}"""));

        var outcome = Assert.IsType<FetchSucceeded>(await harness.FetchAsync(
            Day, Day, Settings, Credentials, unfinished: [.. Enumerable.Range(0, 60).Select(i => $"id{i}"), "1", "2"]));

        Assert.Equal(50, harness.Network.Asked.Count(asked => asked.Url.Contains("/executions/", StringComparison.Ordinal)));
        Assert.Equal(["id7"], outcome.LostExecutions);
        Assert.Null(outcome.FinalThrough);
        Assert.Equal(51, harness.Sink.Executions.Count);
    }

    /// <summary>What an optional look-up may answer in place of what was asked for.</summary>
    public static TheoryData<int, string, string> Nonsense => new()
    {
        { 500, "application/json", """{"message":"boom"}""" },
        { 503, "application/json", "" },
        { 400, "application/json", """{"message":"no"}""" },
        { 302, "application/json", "" },
        { 200, "application/json", "{" },
        { 200, "text/html", "<html>" },
        { 418, "text/plain", "" },
    };

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task A_single_run_that_cannot_be_looked_up_keeps_nothing_back_and_is_asked_for_again(int status, string type, string body)
    {
        using var harness = Harness(_ => File("executions-page2.json"), single: path => path.Contains("/executions/odd?", StringComparison.Ordinal)
            ? StubHandler.Json(body, status, type)
            : StubHandler.Json("""{"id":"fine","workflowId":"w","status":"success","mode":"webhook","startedAt":"2026-10-01T10:00:00Z","stoppedAt":"2026-10-01T10:00:01Z"}"""));

        var outcome = Assert.IsType<FetchSucceeded>(await harness.FetchAsync(Day, Day, Settings, Credentials, unfinished: ["odd", "fine"]));

        Assert.Contains(harness.Sink.Executions, execution => execution.ExecutionId == "1");
        Assert.Contains(harness.Sink.Executions, execution => execution.ExecutionId == "fine");
        // It is neither lost nor over, nothing from its day on is final, and the run says so.
        Assert.Empty(outcome.LostExecutions);
        Assert.Null(outcome.FinalThrough);
        Assert.Contains("a run that was going on", outcome.Shortfall, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task A_list_of_workflows_that_cannot_be_read_keeps_no_executions_back(int status, string type, string body)
    {
        using var harness = ConnectorHarness.N8n((path, _) =>
            path.StartsWith("/api/v1/workflows?", StringComparison.Ordinal) ? StubHandler.Json(body, status, type)
            : StubHandler.Json(path.Contains("status=", StringComparison.Ordinal) ? EmptyPage : File("executions-page2.json")));

        var outcome = Assert.IsType<FetchSucceeded>(await harness.FetchAsync(Day, Day, Settings, Credentials));

        Assert.NotEmpty(harness.Sink.Executions);
        Assert.Contains("list of workflows", outcome.Shortfall, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task An_n8n_whose_lists_answer_is_connected_whatever_a_single_run_answers(int status, string type, string body)
    {
        using var harness = Harness(_ => File("executions-page2.json"), single: _ => StubHandler.Json(body, status, type));
        Assert.Null(await harness.Connector.TestAsync(Request(), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_permission_that_is_missing_is_told_while_it_can_be_given()
    {
        using var harness = Harness(_ => File("executions-page2.json"), single: _ => StubHandler.Json("""{"message":"Forbidden"}""", 403));
        Assert.Equal(ConnectionProblem.Key, (await harness.Connector.TestAsync(Request(), TestContext.Current.CancellationToken))!.Field);
    }

    [Fact]
    public async Task What_a_provider_writes_that_is_no_text_is_read_with_a_replacement()
    {
        using var harness = Harness(
            _ => """{"data":[{"id":"1\u0000","workflowId":"w\ud83d","status":"success","mode":"webhook","startedAt":"2026-11-22T10:00:00Z","stoppedAt":"2026-11-22T10:00:01Z"}],"nextCursor":null}""",
            workflows: """{"data":[{"id":"w","name":"Na\udc00me\u0000","active":true}],"nextCursor":null}""");
        Assert.IsType<FetchSucceeded>(await harness.FetchAsync(Day, Day, Settings, Credentials));
        Assert.Equal(("1\ufffd", "w\ufffd"), harness.Sink.Executions.Select(execution => (execution.ExecutionId, execution.WorkflowId)).Single());
        Assert.Equal("Na\ufffdme\ufffd", harness.Sink.Workflows.Single().Name);
    }

    private static FetchRequest Request() => new()
    {
        IntegrationId = Guid.NewGuid(),
        Window = new DayWindow(Day, Day),
        TimeZone = TimeZoneInfo.Utc,
        Settings = JsonSerializer.Deserialize<JsonElement>(Settings),
        Credentials = JsonSerializer.Deserialize<JsonElement>(Credentials),
    };

    [Theory]
    [InlineData("https://n8n.example.com", "https://n8n.example.com/api/v1")]
    [InlineData("https://n8n.example.com/", "https://n8n.example.com/api/v1")]
    [InlineData(" http://10.0.0.5:5678/n8n/ ", "http://10.0.0.5:5678/n8n/api/v1")]
    [InlineData("https://n8n.example.com/api/v1/", "https://n8n.example.com/api/v1")]
    [InlineData("ftp://n8n.example.com", null)]
    [InlineData("n8n.example.com", null)]
    [InlineData("/n8n", null)]
    [InlineData("file:///etc/passwd", null)]
    [InlineData("https://user:pass@n8n.example.com", null)]
    [InlineData("https://n8n.example.com/?x=1", null)]
    [InlineData("https://n8n.example.com/#x", null)]
    [InlineData("https://n8n.example.com/home/workflows", "https://n8n.example.com/api/v1")]
    [InlineData("https://n8n.example.com/home/workflows?projectId=Ab1&sort=lastUpdated:desc#top", "https://n8n.example.com/api/v1")]
    [InlineData("https://n8n.example.com/workflow/Y7zIqmuNMA16iM1N/executions/4", "https://n8n.example.com/api/v1")]
    [InlineData("https://n8n.example.com/projects/WBUmAgP0cMN5Puuq/workflows", "https://n8n.example.com/api/v1")]
    [InlineData("https://n8n.example.com/signin?redirect=%252F", "https://n8n.example.com/api/v1")]
    [InlineData("https://example.com/n8n/settings/api", "https://example.com/n8n/api/v1")]
    [InlineData("https://example.com/tools/n8n/Home/Executions/", "https://example.com/tools/n8n/api/v1")]
    [InlineData("https://example.com/n8n/api/v1/docs/?x=1#/Workflow", "https://example.com/n8n/api/v1")]
    [InlineData("https://n8n.example.com/api/v1/workflows", "https://n8n.example.com/api/v1")]
    [InlineData("https://example.com/mine?x=1", null)]
    [InlineData("https://example.com/mine#x", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void The_address_of_the_API_follows_from_what_was_entered(string? entered, string? expected) =>
        Assert.Equal(expected, N8nClient.ApiAddress(entered)?.AbsoluteUri);

    [Theory]
    [InlineData("""{}""", Credentials, nameof(RequestRefused))]
    [InlineData("""{"baseUrl":5}""", Credentials, nameof(RequestRefused))]
    [InlineData("""null""", Credentials, nameof(RequestRefused))]
    [InlineData(Settings, """{}""", nameof(AuthorizationLost))]
    [InlineData(Settings, """{"apiKey":"  "}""", nameof(AuthorizationLost))]
    [InlineData(Settings, """{"apiKey":"a\nX-Evil: 1"}""", nameof(AuthorizationLost))]
    public async Task Unusable_settings_are_said_without_a_request(string settings, string credentials, string expected)
    {
        using var harness = ConnectorHarness.N8n((_, _) => throw new InvalidOperationException());

        Assert.Equal(expected, (await harness.FetchAsync(Day, Day, settings, credentials)).GetType().Name);
        Assert.Empty(harness.Network.Asked);
    }

    [Theory]
    [InlineData("success", nameof(ExecutionStatus.Succeeded))]
    [InlineData("error", nameof(ExecutionStatus.Failed))]
    [InlineData("crashed", nameof(ExecutionStatus.Failed))]
    [InlineData("canceled", nameof(ExecutionStatus.Canceled))]
    [InlineData("new", nameof(ExecutionStatus.Unfinished))]
    [InlineData("running", nameof(ExecutionStatus.Unfinished))]
    [InlineData("waiting", nameof(ExecutionStatus.Unfinished))]
    [InlineData("unknown", nameof(ExecutionStatus.Unfinished))]
    [InlineData("a word of the future", nameof(ExecutionStatus.Unfinished))]
    public void The_status_alone_decides(string status, string expected)
    {
        foreach (var finished in new bool?[] { true, false, null })
            Assert.Equal(expected, N8nValues.Status(status, finished, stopped: true).ToString());
    }

    [Theory]
    [InlineData("""{"timeSavedPerExecution":5}""", "5")]
    [InlineData("""{"timeSavedPerExecution":"7.5"}""", "7.5")]
    [InlineData("""{"timeSavedPerExecution":0}""", "0")]
    [InlineData("""{"timeSavedPerExecution":-1}""", null)]
    [InlineData("""{"timeSavedPerExecution":1e9}""", null)]
    [InlineData("""{"timeSavedPerExecution":null}""", null)]
    [InlineData("""{"timeSavedPerExecution":5,"timeSavedMode":"dynamic"}""", null)]
    [InlineData("""{"timeSavedPerExecution":5,"timeSavedMode":"fixed"}""", "5")]
    [InlineData("""{}""", null)]
    [InlineData("""5""", null)]
    public void Fixed_time_saved_is_read_in_minutes(string settings, string? expected) =>
        Assert.Equal(expected, N8nValues.TimeSavedMinutes(JsonSerializer.Deserialize<JsonElement>(settings))?.ToString(System.Globalization.CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("""{"saveDataSuccessExecution":"none"}""", false)]
    [InlineData("""{"saveDataSuccessExecution":"all"}""", true)]
    [InlineData("""{"saveDataSuccessExecution":"DEFAULT"}""", true)]
    [InlineData("""{}""", true)]
    public async Task A_workflow_that_throws_its_successes_away_is_marked(string settings, bool keeps)
    {
        using var harness = Harness(workflows: $$"""{"data":[{"id":"w","name":"W","active":true,"settings":{{settings}}}],"nextCursor":null}""");

        await harness.FetchAsync(Day, Day, Settings, Credentials);

        Assert.Equal(keeps, Assert.Single(harness.Sink.Workflows).KeepsSuccesses);
    }

    [Theory]
    [InlineData("webhook", nameof(ExecutionKind.Production))]
    [InlineData("trigger", nameof(ExecutionKind.Production))]
    [InlineData("retry", nameof(ExecutionKind.Production))]
    [InlineData("cli", nameof(ExecutionKind.Production))]
    [InlineData("chat", nameof(ExecutionKind.Production))]
    [InlineData("new one", nameof(ExecutionKind.Production))]
    [InlineData(null, nameof(ExecutionKind.Production))]
    [InlineData("manual", nameof(ExecutionKind.Manual))]
    [InlineData("evaluation", nameof(ExecutionKind.Manual))]
    [InlineData("error", nameof(ExecutionKind.ErrorHandler))]
    [InlineData("integrated", nameof(ExecutionKind.SubWorkflow))]
    [InlineData("internal", nameof(ExecutionKind.SubWorkflow))]
    public void The_mode_says_why_it_ran(string? mode, string expected) => Assert.Equal(expected, N8nValues.Kind(mode).ToString());
}
