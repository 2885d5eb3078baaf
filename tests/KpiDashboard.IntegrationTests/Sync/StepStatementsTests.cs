using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using KpiDashboard.Connectors;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Kpis;
using KpiDashboard.Sync;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

/// <summary>
/// What a step costs the database, counted through Npgsql's own spans: every statement that is sent from the moment a message comes to
/// the moment it is done, the mark on the next message included. Not counted are begin and commit, of which Npgsql has no spans, and the
/// setting that names the business; there are two of each, one for what begins the step and one for what ends it, and nothing is open
/// while the provider is asked.
/// </summary>
public sealed partial class StepStatementsTests(PostgresFixture postgres)
{
    /// <summary>Claim, load, values, restatements, progress and run record together.</summary>
    private const int Most = 6;

    private static readonly DateOnly s_today = new(2026, 11, 22);

    [Fact]
    public async Task A_finished_step_of_a_site_is_at_most_6_statements_first_days_divisions_and_restatements_included()
    {
        await using var engine = await Engine.StartAsync(postgres);
        engine.Other.Dimensions = Breakdowns.Dimensions;
        engine.Other.SliceDays = 92;
        var more = 0;
        engine.Other.Fetch = (request, sink, _) =>
        {
            for (var day = request.Window.From; day <= request.Window.To; day = day.AddDays(1))
            {
                foreach (var kpi in (string[])["web.sessions", "web.engaged_sessions", "web.page_views", "web.total_users",
                    "web.new_users", "shop.revenue", "shop.transactions"])
                    sink.Add(new KpiReading(kpi, day, 100 + day.Day + more));
                foreach (var dimension in Breakdowns.Dimensions)
                    sink.Add(new BreakdownReading(dimension, day, Members(60 + day.Day + more, 40), true, false));
            }

            for (var i = 0; i < 3; i++)
                sink.Add(new RequestRecord
                {
                    Operation = "POST report",
                    Request = "{}",
                    ResponseMetadata = "{}",
                    FetchedAt = engine.Time.GetUtcNow(),
                    Rows = 92,
                    Sampled = false,
                    Thresholded = false
                });
            return Task.FromResult<FetchOutcome>(new FetchSucceeded
            {
                TimeZone = "Europe/Berlin",
                Currency = "EUR",
                CompleteThrough = s_today.AddDays(-1),
                FinalThrough = s_today.AddDays(-3),
                EmptyDays = [s_today.AddYears(-3)],
            });
        };
        var (tenant, _) = await engine.AddTenantAsync("google-analytics");
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        var first = await CountAsync(engine);
        Assert.Equal(5, first.Count);
        var days = s_today.DayNumber - SyncWindow.BackfillFrom(s_today).DayNumber + 1;
        Assert.Equal([days * 7], await engine.QueryAsync<int>(tenant, "select count(*)::int from kpi_values where tenant_id = @tenant"));
        Assert.Equal(
            [days * Breakdowns.Dimensions.Count * 2], await engine.QueryAsync<int>(tenant,
                "select count(*)::int from breakdown_values where tenant_id = @tenant"));

        // A day later, and three days are told differently.
        more = 1;
        engine.Time.Advance(TimeSpan.FromDays(1));
        var daily = await RefreshAsync(engine, tenant);
        Assert.True(Assert.Single(await engine.QueryAsync<int>(tenant,
            "select count(*)::int from kpi_restatements where tenant_id = @tenant")) > 0);
        Say("site, first sync", first);
        Say("site, daily", daily);
        Assert.All([.. first, .. daily], step => Assert.True(step.Statements <= Most, step.ToString()));
    }

    [Fact]
    public async Task A_finished_step_of_an_automation_is_at_most_6_statements_workflows_prices_runs_and_retries_included()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var round = 0;
        engine.Connector.SliceDays = 500;
        engine.Connector.Fetch = (request, sink, _) =>
        {
            foreach (var workflow in (string[])["a", "b", "c"])
            {
                sink.Add(new WorkflowReading(workflow,
                    $"Workflow {workflow}", true, workflow == "c" ? null : 3)
                { ListedInFullFrom = request.Window.From });
                sink.Add(new WorkflowLabels(workflow, ["sales", "daily"], "p", "Project"));
            }

            // Those of a day that was added up before as well: what goes on long ends late.
            foreach (var number in Enumerable.Range(0, 1500))
            {
                var start = engine.Time.GetUtcNow().AddMinutes(-37 * number);
                sink.Add(new ExecutionReading($"{number + round * 10_000}", number % 2 == 0 ? "a" : "b", number % 7 == 0 ? ExecutionStatus.Failed : ExecutionStatus.Succeeded,
                    ExecutionKind.Production, start, start.AddSeconds(4))
                {
                    RetryOf = number % 7 == 1
                        ? $"{number - 1 + round * 10_000}" : null
                });
            }

            return Task.FromResult<FetchOutcome>(new FetchSucceeded
            {
                CompleteThrough = s_today.AddDays(-1),
                FinalThrough = s_today.AddDays(-3),
                MeasurableFrom = s_today.AddDays(-45),
                ListsAllWorkflows = true,
            });
        };
        var (tenant, _) = await engine.AddTenantAsync();
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        var first = await CountAsync(engine);
        Assert.Equal([1500], await engine.QueryAsync<int>(tenant, "select count(*)::int from executions where tenant_id = @tenant"));
        Assert.Equal([215], await engine.QueryAsync<int>(tenant,
            "select count(*)::int from executions where tenant_id = @tenant and retried_by is not null"));
        Assert.Equal([2], await engine.QueryAsync<int>(tenant, "select count(*)::int from workflow_prices where tenant_id = @tenant"));
        Assert.Equal([1500], await engine.QueryAsync<int>(tenant,
            "select sum(executions)::int from automation_daily where tenant_id = @tenant"));

        round = 1;
        engine.Time.Advance(TimeSpan.FromDays(1));
        var daily = await RefreshAsync(engine, tenant);
        Say("automation, first sync", first);
        Say("automation, daily", daily);
        Assert.All([.. first, .. daily], step => Assert.True(step.Statements <= Most, step.ToString()));
    }

    [Fact]
    public async Task Marking_what_was_enqueued_waits_for_no_step_at_work()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var places = new List<(Guid Tenant, Guid Integration)>();
        for (var i = 0; i < 3; i++) places.Add(await engine.AddTenantAsync());
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        var runs = await engine.QueryAsOwnerAsync<(Guid Tenant, Guid Id)>("select tenant_id, id from sync_runs");
        await engine.ExecuteAsOwnerAsync("update sync_runs set enqueued_at = null");

        // A step holds the run of the first; it may itself be waiting for whoever holds a row of the others.
        await engine.Database.InTenantAsync(runs[0].Tenant, async tx =>
        {
            await tx.ExecuteAsync("select 1 from sync_runs where tenant_id = @tenant and id = @id for update", new { runs[0].Id });
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            await engine.Database.ExecuteAsync(
                "select mark_enqueued(@ids, @now)", new { ids = runs.Select(run => run.Id).ToArray(), now = engine.Time.GetUtcNow() },
                    limit.Token);
        }, TestContext.Current.CancellationToken);
        Assert.Equal([runs[0].Id], await engine.QueryAsOwnerAsync<Guid>("select id from sync_runs where enqueued_at is null"));
    }

    [Fact]
    public async Task A_provider_that_answered_is_known_to_be_up_although_what_it_told_one_business_could_not_be_written()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.ExecuteAsOwnerAsync("insert into provider_circuits (key, failures, last_failure_at) values ('n8n', 2, @now)",
            new { now = engine.Time.GetUtcNow() });
        await engine.ExecuteAsOwnerAsync($"alter table kpi_months add constraint refused check (tenant_id <> '{tenant}')");
        Assert.True(engine.Queue.TryTake(out var message));
        await Assert.ThrowsAsync<PostgresException>(() => engine.Runner.RunAsync(message, TestContext.Current.CancellationToken));
        Assert.Equal([0], await engine.QueryAsOwnerAsync<int>("select count(*)::int from provider_circuits"));
        // Nothing of the step is there, its run included.
        Assert.Equal([("running", 0)], await engine.QueryAsync<(string, int)>(tenant,
            "select status, step from sync_runs where tenant_id = @tenant"));

        await engine.ExecuteAsOwnerAsync("alter table kpi_months drop constraint refused");
        engine.Time.Advance(SyncRunner.LeaseTime + TimeSpan.FromSeconds(1));
        engine.Queue.Put(message);
        await engine.DrainAsync();
        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
    }

    private static Dictionary<string, IReadOnlyDictionary<string, decimal>> Members(decimal first, decimal second) => new()
    {
        ["Direct"] = new Dictionary<string, decimal> { ["web.sessions"] = first },
        ["Organic Search"] = new Dictionary<string, decimal> { ["web.sessions"] = second },
    };

    private static async Task<List<Cost>> RefreshAsync(Engine engine, Guid tenant)
    {
        await engine.Refresh.StartAsync(tenant, null, "manual", null, TestContext.Current.CancellationToken);
        return await CountAsync(engine);
    }

    private static void Say(string name, List<Cost> steps) =>
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {string.Join("; ", steps.Select(step => step.Short))}");

    /// <summary>Runs what is queued, each message in a trace of its own.</summary>
    private static async Task<List<Cost>> CountAsync(Engine engine)
    {
        var steps = new List<Cost>();
        while (engine.Queue.TryTake(out var message))
        {
            var trace = ActivityTraceId.CreateRandom();
            var commands = new ConcurrentQueue<(string Text, TimeSpan Time)>();
            using var listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "Npgsql",
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span =>
                {
                    if (span.TraceId == trace && span.GetTagItem("db.query.text") is string text) commands.Enqueue((text, span.Duration));
                },
            };
            ActivitySource.AddActivityListener(listener);
            await engine.Runner.RunAsync(message with { Traceparent = $"00-{trace}-{ActivitySpanId.CreateRandom()}-01" }, TestContext.Current.CancellationToken);
            steps.Add(new Cost([.. commands]));
        }

        Assert.NotEmpty(steps);
        return steps;
    }

    /// <summary>What was sent: a command is a round trip.</summary>
    private sealed partial record Cost(IReadOnlyList<(string Text, TimeSpan Time)> Commands)
    {
        [GeneratedRegex("--[^\n]*")]
        private static partial Regex Comments();

        private IEnumerable<string> Sent => Commands.SelectMany(command => Comments().Replace(command.Text, "").Split(';',
            StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

        public int Statements => Sent.Count(statement => !statement.StartsWith("select set_config('app.tenant_id'",
            StringComparison.Ordinal));

        public string Short => $"{Statements} statements in {Commands.Count} commands and {Sent.Count() - Statements} transactions of {string.Join(" + ", Commands.Select(command => command.Time.TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture)))} ms";

        public override string ToString() =>
            $"{Short}: {string.Join(" | ", Sent.Select(statement => string.Join(' ', statement[..Math.Min(statement.Length, 90)].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))))}";
    }
}
