using KpiDashboard.Connectors;
using KpiDashboard.IntegrationTests.Embedded;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

public sealed class AutomationRollUpTests(PostgresFixture postgres)
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Production_runs_count_by_local_day_of_start_and_other_kinds_do_not()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await RunAsync(engine, tenant, [new("w", "W", true, 3)],
            Execution("1", ExecutionStatus.Succeeded), Execution("2", ExecutionStatus.Succeeded), Execution("3", ExecutionStatus.Failed),
            Execution("4", ExecutionStatus.Canceled), Execution("5", ExecutionStatus.Unfinished), Execution("6", ExecutionStatus.Succeeded, ExecutionKind.Manual),
            Execution("7", ExecutionStatus.Succeeded, ExecutionKind.ErrorHandler), Execution("8", ExecutionStatus.Succeeded, ExecutionKind.SubWorkflow),
            // 23:30 UTC is the next day in Berlin.
            Execution("9", ExecutionStatus.Succeeded, at: new DateTimeOffset(2026, 11, 20, 23, 30, 0, TimeSpan.Zero)));

        Assert.Equal([5m, 2m, 1m, 3000m, 6m], await DayAsync(engine, tenant, "2026-11-20"));
        Assert.Equal([1m, 1m, 0m, 1000m, 3m], await DayAsync(engine, tenant, "2026-11-21"));
        // Its list was read to the end: nothing ran, and that is a real zero.
        Assert.Equal([0m, 0m, 0m, 0m, 0m], await DayAsync(engine, tenant, "2026-11-19"));
    }

    [Fact]
    public async Task A_run_that_ends_later_moves_its_own_day_and_an_end_is_never_undone()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await RunAsync(engine, tenant, [new("w", "W", true, 3)], Execution("1", ExecutionStatus.Unfinished, at: Noon.AddDays(-60)));
        Assert.Equal([1m, 0m, 0m, 0m, 0m], await DayAsync(engine, tenant, "2026-09-21"));
        Assert.Equal([new DateOnly(2026, 9, 20)], await engine.QueryAsync<DateOnly>(tenant, "select final_through from integrations where tenant_id = @tenant"));

        await RunAsync(engine, tenant, [new("w", "W", true, 3)], Execution("1", ExecutionStatus.Succeeded, at: Noon.AddDays(-60)));
        Assert.Equal([1m, 1m, 0m, 1000m, 3m], await DayAsync(engine, tenant, "2026-09-21"));

        await RunAsync(engine, tenant, [new("w", "W", true, 3)], Execution("1", ExecutionStatus.Unfinished, at: Noon.AddDays(-60)));
        Assert.Equal([1m, 1m, 0m, 1000m, 3m], await DayAsync(engine, tenant, "2026-09-21"));
    }

    [Fact]
    public async Task Days_that_were_added_up_before_their_workflow_was_described_count_what_it_saves_once_it_is()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        // The list of workflows could not be read, that of executions could: from before the days that are read again.
        await RunAsync(engine, tenant, [], Execution("1", ExecutionStatus.Succeeded, at: Noon.AddDays(-60)), Execution("2", ExecutionStatus.Succeeded, at: Noon.AddDays(-40)));
        Assert.Equal([1m, 1m, 0m, 1000m, null], await DayAsync(engine, tenant, "2026-09-21"));

        await RunAsync(engine, tenant, [new("w", "W", true, 3)], Execution("3", ExecutionStatus.Succeeded));
        Assert.Equal([1m, 1m, 0m, 1000m, 3m], await DayAsync(engine, tenant, "2026-09-21"));
        Assert.Equal([1m, 1m, 0m, 1000m, 3m], await DayAsync(engine, tenant, "2026-10-11"));
        Assert.Equal([1m, 1m, 0m, 1000m, 3m], await DayAsync(engine, tenant, "2026-11-20"));
    }

    [Fact]
    public async Task A_mean_duration_divides_by_the_runs_whose_duration_is_known()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, integration) = await engine.AddTenantAsync();
        await RunAsync(engine, tenant, [new("w", "W", true, 3)],
            Execution("1", ExecutionStatus.Succeeded) with { StoppedAt = Noon.AddSeconds(4) }, Execution("2", ExecutionStatus.Succeeded) with { StoppedAt = null },
            Execution("3", ExecutionStatus.Failed) with { StoppedAt = null });

        Assert.Equal([2m, 1m, 4000m], (await DayAsync(engine, tenant, "2026-11-20")).Skip(1).Take(3));
        Assert.Equal([1m], await engine.QueryAsync<decimal>(tenant, "select value from kpi_values where tenant_id = @tenant and day = '2026-11-20' and kpi = 'automation.timed'"));
        Assert.Equal([(4000L, 1)], await engine.QueryAsync<(long, int)>(tenant, "select finished_ms, timed from automation_daily where tenant_id = @tenant"));
        var day = new DateOnly(2026, 11, 20);
        var mean = await engine.Database.InTenantAsync(tenant, async tx => (await Kpis.KpiTable.LoadAsync(
            tx, [Kpis.KpiCatalogue.Find("automation.avg_duration")!], day, day, new Dictionary<string, Kpis.SourceClock>(), new Kpis.TenantEconomics(null, null)))
            .On(Kpis.KpiCatalogue.Find("automation.avg_duration")!, day), TestContext.Current.CancellationToken);
        Assert.Equal(4000m, mean);
    }

    [Theory]
    [InlineData(null, "2026-11-20", "2026-11-21", "2026-11-20")]
    [InlineData("2026-11-21", null, "2026-11-20", "2026-11-20")]
    [InlineData(null, null, "2026-11-21", null)]
    [InlineData("2026-11-18", "2026-11-16", "2026-11-21", "2026-11-18")]
    public async Task What_is_not_complete_is_not_final_whatever_a_refresh_finds(string? complete, string? before, string final, string? expected)
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, integration) = await engine.AddTenantAsync();
        static DateOnly? Day(string? text) => text is null ? null : DateOnly.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
        // What an earlier sync left; with null a first one that found no rows.
        await engine.ExecuteAsOwnerAsync("update integrations set complete_through = @before where id = @integration", new { before = Day(before), integration });
        engine.Connector.Fetch = (_, _, _) => Task.FromResult<FetchOutcome>(new FetchSucceeded { CompleteThrough = Day(complete), FinalThrough = Day(final) });
        await engine.Refresh.StartAsync(tenant, null, "manual", null, TestContext.Current.CancellationToken);
        await engine.DrainAsync();

        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
        Assert.Equal([Day(expected)], await engine.QueryAsync<DateOnly?>(tenant, "select final_through from integrations where tenant_id = @tenant"));
        // And no other way of writing gets round it.
        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => engine.ExecuteAsOwnerAsync(
            "update integrations set complete_through = '2026-11-01', final_through = '2026-11-02' where id = @integration", new { integration }));
        Assert.Equal("integrations_final_within_complete", refused.ConstraintName);
    }

    [Fact]
    public async Task Successes_that_the_source_throws_away_are_not_measurable_and_never_zero()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await RunAsync(engine, tenant, [new("w", "W", true, 3) { KeepsSuccesses = false }], Execution("1", ExecutionStatus.Failed));
        Assert.Equal([null, null, 1m, null, null], await DayAsync(engine, tenant, "2026-11-20"));
    }

    [Fact]
    public async Task Time_saved_is_unknown_while_no_workflow_says_what_a_success_saves()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await RunAsync(engine, tenant, [new("w", "W", true, null)], Execution("1", ExecutionStatus.Succeeded));
        Assert.Equal([1m, 1m, 0m, 1000m, null], await DayAsync(engine, tenant, "2026-11-20"));
    }

    [Fact]
    public async Task Days_before_what_the_source_still_knows_have_no_values()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await RunAsync(engine, tenant, [new("w", "W", true, 3)], new FetchSucceeded { MeasurableFrom = new DateOnly(2026, 11, 20) }, Execution("1", ExecutionStatus.Succeeded));
        Assert.Equal([new DateOnly(2026, 11, 20)], await engine.QueryAsync<DateOnly>(tenant, "select min(day) from kpi_values where tenant_id = @tenant"));
    }

    [Fact]
    public async Task An_execution_that_the_source_lost_is_no_longer_waited_for()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await RunAsync(engine, tenant, [new("w", "W", true, 3)], Execution("1", ExecutionStatus.Unfinished));
        await RunAsync(engine, tenant, [new("w", "W", true, 3)], new FetchSucceeded { LostExecutions = ["1"], CompleteThrough = new DateOnly(2026, 11, 21), FinalThrough = new DateOnly(2026, 11, 21) });
        Assert.Equal(["lost"], await engine.QueryAsync<string>(tenant, "select status from executions where tenant_id = @tenant"));
        Assert.Equal([new DateOnly(2026, 11, 21)], await engine.QueryAsync<DateOnly>(tenant, "select final_through from integrations where tenant_id = @tenant"));
    }

    private static Task RunAsync(Engine engine, Guid tenant, WorkflowReading[] workflows, params ExecutionReading[] executions) =>
        RunAsync(engine, tenant, workflows, new FetchSucceeded { CompleteThrough = new DateOnly(2026, 11, 21), FinalThrough = new DateOnly(2026, 11, 21) }, executions);

    private static async Task RunAsync(Engine engine, Guid tenant, WorkflowReading[] workflows, FetchSucceeded outcome, params ExecutionReading[] executions)
    {
        engine.Connector.SliceDays = 1000;
        engine.Connector.Fetch = (_, sink, _) =>
        {
            foreach (var workflow in workflows) sink.Add(workflow);
            foreach (var execution in executions) sink.Add(execution);
            return Task.FromResult<FetchOutcome>(outcome);
        };
        engine.Time.Advance(TimeSpan.FromSeconds(1));
        await engine.Refresh.StartAsync(tenant, null, "manual", null, TestContext.Current.CancellationToken);
        await engine.DrainAsync();
        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
    }

    private static ExecutionReading Execution(string id, ExecutionStatus status, ExecutionKind kind = ExecutionKind.Production, DateTimeOffset? at = null)
    {
        var started = at ?? Noon;
        return new ExecutionReading(id, "w", status, kind, started, status == ExecutionStatus.Unfinished ? null : started.AddSeconds(1));
    }

    /// <summary>Executions, succeeded, failed, milliseconds, minutes saved of a day; null where there is no value.</summary>
    private static Task<IReadOnlyList<decimal?>> DayAsync(Engine engine, Guid tenant, string day) => engine.QueryAsync<decimal?>(tenant,
        $"""
        select (select value from kpi_values where tenant_id = @tenant and day = '{day}' and kpi = k)
        from unnest(array['automation.executions', 'automation.succeeded', 'automation.failed', 'automation.finished_ms', 'automation.time_saved']) with ordinality as u (k, n)
        order by n
        """);
}
