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

        // Runs are those that finished, well or badly; what was cancelled is told apart.
        Assert.Equal([3m, 2m, 1m, 3000m, 6m], await DayAsync(engine, tenant, "2026-11-20"));
        Assert.Equal([1], await engine.QueryAsync<int>(tenant, "select canceled from automation_daily where tenant_id = @tenant and day = '2026-11-20'"));
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
        Assert.Equal([0m, 0m, 0m, 0m, 0m], await DayAsync(engine, tenant, "2026-09-21"));
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
            tx, [Kpis.KpiCatalogue.Find("automation.avg_duration")!], day, day, new Dictionary<string, Kpis.SourceClock>(), new KpiDashboard.Tenancy.TenantEconomics(null, null)))
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

    private static readonly WorkflowReading W = new("w", "W", true, 3), X = new("x", "X", true, null);

    [Fact]
    public async Task What_throws_successes_away_is_left_out_of_the_totals_and_the_others_are_counted_on()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        // Kept until the list of the 22nd: 2 and 1 of one workflow, 3 of the other.
        ExecutionReading[] kept =
        [
            Execution("1", ExecutionStatus.Succeeded), Execution("2", ExecutionStatus.Succeeded), Execution("3", ExecutionStatus.Failed),
            Of("x", Execution("4", ExecutionStatus.Succeeded)), Of("x", Execution("5", ExecutionStatus.Succeeded)), Of("x", Execution("6", ExecutionStatus.Failed)),
            Execution("7", ExecutionStatus.Succeeded, at: Noon.AddDays(2).AddHours(-1)), Of("x", Execution("8", ExecutionStatus.Succeeded, at: Noon.AddDays(2).AddHours(-1))),
        ];
        await RunAsync(engine, tenant, [W, X], All, kept);
        Assert.Equal([6m, 4m, 2m, 6000m, 6m], await DayAsync(engine, tenant, "2026-11-20"));
        Assert.Equal([2m, 2m, 0m, 2000m, 3m], await DayAsync(engine, tenant, "2026-11-22"));

        // Switched to throwing them away: from this day on only its failures can be read.
        engine.Time.Advance(TimeSpan.FromHours(2));
        await RunAsync(engine, tenant, [W, X with { KeepsSuccesses = false }], All,
            [.. kept, Execution("9", ExecutionStatus.Succeeded, at: Noon.AddDays(2)), Of("x", Execution("10", ExecutionStatus.Failed, at: Noon.AddDays(2)))]);

        // Its history stays, and the totals go on without it, failures and all: no day mixes both.
        Assert.Equal([6m, 4m, 2m, 6000m, 6m], await DayAsync(engine, tenant, "2026-11-20"));
        Assert.Equal([2m, 2m, 0m, 2000m, 6m], await DayAsync(engine, tenant, "2026-11-22"));
        Assert.Equal([("w", 2, 0), ("x", null, 1)], await engine.QueryAsync<(string, int?, int)>(tenant, "select workflow_id, executions, failed from automation_daily where tenant_id = @tenant and day = '2026-11-22' order by 1"));
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select count(*)::int from kpi_restatements where tenant_id = @tenant"));

        // Kept again: known in full from the next day on.
        engine.Time.Advance(TimeSpan.FromDays(1));
        await RunAsync(engine, tenant, [W, X], All);
        engine.Time.Advance(TimeSpan.FromDays(1));
        await RunAsync(engine, tenant, [W, X], All, Of("x", Execution("11", ExecutionStatus.Succeeded, at: Noon.AddDays(3))), Of("x", Execution("12", ExecutionStatus.Succeeded, at: Noon.AddDays(4))));
        Assert.Equal([0m, 0m, 0m, 0m, 0m], await DayAsync(engine, tenant, "2026-11-23"));
        Assert.Equal([1m, 1m, 0m, 1000m, 0m], await DayAsync(engine, tenant, "2026-11-24"));
        Assert.Equal(["{[2026-11-22,2026-11-24)}"], await engine.QueryAsync<string>(tenant, "select unmeasured::text from workflows where tenant_id = @tenant and workflow_id = 'x'"));
        var leftOut = await engine.Database.InTenantAsync(tenant, tx => Automation.LeftOut.LoadAsync(tx, new DateOnly(2026, 11, 1), new DateOnly(2026, 11, 24)), TestContext.Current.CancellationToken);
        Assert.Equal([new Automation.LeftOutWorkflow("x", "X", Automation.LeftOutReason.SuccessesNotKept, 2, 1)], leftOut.Workflows);
    }

    [Fact]
    public async Task What_was_counted_of_a_day_that_cannot_be_known_any_more_is_withdrawn()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await RunAsync(engine, tenant, [W], All, Execution("1", ExecutionStatus.Succeeded, at: Noon.AddDays(2).AddHours(-1)), Execution("2", ExecutionStatus.Succeeded));
        Assert.Equal([1m, 1m, 0m, 1000m, 3m], await DayAsync(engine, tenant, "2026-11-22"));
        await RunAsync(engine, tenant, [W with { KeepsSuccesses = false }], All, Execution("3", ExecutionStatus.Failed, at: Noon.AddDays(2)));
        Assert.Equal([null, null, 1m, null, null], await DayAsync(engine, tenant, "2026-11-22"));
        Assert.Equal([1m, 1m, 0m, 1000m, 3m], await DayAsync(engine, tenant, "2026-11-20"));
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select count(*)::int from kpi_restatements where tenant_id = @tenant"));
        Assert.Empty(await engine.QueryAsync<string>(tenant, "select kpi from kpi_values where tenant_id = @tenant and day = '2026-11-22' and kpi <> 'automation.failed'"));
    }

    [Fact]
    public async Task A_deleted_workflow_is_gone_keeps_its_history_and_holds_nothing_back()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        var y = X with { WorkflowId = "y", Name = "Y" };
        await RunAsync(engine, tenant, [W, X with { KeepsSuccesses = false }, y], All, Execution("1", ExecutionStatus.Succeeded), Of("y", Execution("2", ExecutionStatus.Succeeded)), Of("y", Execution("3", ExecutionStatus.Failed)));
        Assert.Equal([3m, 2m, 1m, 3000m, 3m], await DayAsync(engine, tenant, "2026-11-20"));

        engine.Time.Advance(TimeSpan.FromDays(1));
        // A list that was not read to its end says nothing of what is missing.
        await RunAsync(engine, tenant, [W], All with { ListsAllWorkflows = false });
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select count(*)::int from workflows where tenant_id = @tenant and gone_at is not null"));
        await RunAsync(engine, tenant, [W, y], All, Execution("4", ExecutionStatus.Succeeded, at: Noon.AddDays(3).AddHours(-1)));
        Assert.Equal([("w", false), ("x", true), ("y", false)], await WorkflowsAsync(engine, tenant, "gone_at is not null"));
        await RunAsync(engine, tenant, [W], All);
        Assert.Equal([("w", false), ("x", true), ("y", true)], await WorkflowsAsync(engine, tenant, "gone_at is not null"));

        Assert.Equal([3m, 2m, 1m, 3000m, 3m], await DayAsync(engine, tenant, "2026-11-20"));
        Assert.Equal([1m, 1m, 0m, 1000m, 3m], await DayAsync(engine, tenant, "2026-11-23"));
        engine.Time.Advance(TimeSpan.FromDays(2));
        await RunAsync(engine, tenant, [W], All);
        var later = await engine.Database.InTenantAsync(tenant, tx => Automation.LeftOut.LoadAsync(tx, new DateOnly(2026, 11, 24), new DateOnly(2026, 11, 25)), TestContext.Current.CancellationToken);
        Assert.Empty(later.Workflows);

        // It is there again: a workflow like any other.
        await RunAsync(engine, tenant, [W, y], All);
        Assert.Equal([("w", false), ("x", true), ("y", false)], await WorkflowsAsync(engine, tenant, "gone_at is not null"));
    }

    [Fact]
    public async Task A_changed_price_counts_from_its_day_on_whatever_is_read_again_and_for_the_past_if_the_owner_wants_so()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, integration) = await engine.AddTenantAsync();
        ExecutionReading[] runs = [Execution("1", ExecutionStatus.Succeeded, at: Noon.AddDays(-60)), Execution("2", ExecutionStatus.Succeeded), Execution("3", ExecutionStatus.Succeeded, at: Noon.AddDays(2).AddHours(-1))];
        await RunAsync(engine, tenant, [W with { TimeSavedMinutes = 5 }], All, runs);
        engine.Time.Advance(TimeSpan.FromDays(2));
        // Said to have been changed on the 23rd; read on the 24th.
        var next = Execution("4", ExecutionStatus.Succeeded, at: Noon.AddDays(3));
        await RunAsync(engine, tenant, [W with { TimeSavedMinutes = 10, ChangedAt = Noon.AddDays(3) }], All, [.. runs, next, Execution("5", ExecutionStatus.Succeeded, at: Noon.AddDays(4).AddHours(-1))]);
        await SavedAsync(5, 5, 5, 10, 10);

        // Read once more, thirteen months of it, nothing moves; nor with another zone.
        await RunAsync(engine, tenant, [W with { TimeSavedMinutes = 10, ChangedAt = Noon.AddDays(3) }], All, runs);
        await SavedAsync(5, 5, 5, 10, 10);
        await engine.Database.InTenantAsync(tenant, tx => Automation.ZoneMove.ApplyAsync(tx, "Europe/Berlin", "Europe/London", engine.Time.GetUtcNow()), TestContext.Current.CancellationToken);
        await engine.ExecuteAsOwnerAsync("update tenants set time_zone = 'Europe/London' where id = @tenant", new { tenant });
        await SavedAsync(5, 5, 5, 10, 10);

        await SetAsync(20, alsoPast: false);
        await SavedAsync(5, 5, 5, 10, 20);
        await SetAsync(7, alsoPast: true);
        await SavedAsync(7, 7, 7, 7, 7);
        await RunAsync(engine, tenant, [W with { TimeSavedMinutes = 11 }], All, runs);
        await SavedAsync(7, 7, 7, 7, 7);
        // What n8n says counts again, from today on; nobody says anything any more, from today on.
        await SetAsync(null, alsoPast: false);
        await SavedAsync(7, 7, 7, 7, 11);
        await RunAsync(engine, tenant, [W with { TimeSavedMinutes = null }], All, runs);
        await SavedAsync(7, 7, 7, 7, null);
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select count(*)::int from kpi_restatements where tenant_id = @tenant and kpi = 'automation.time_saved' and new_value is not null"));

        Task SetAsync(decimal? minutes, bool alsoPast) => engine.Database.InTenantAsync(
            tenant, tx => Automation.AutomationWriter.SetMinutesSavedAsync(tx, integration, "w", minutes, alsoPast, new DateOnly(2026, 11, 24), engine.Time.GetUtcNow()), TestContext.Current.CancellationToken);

        async Task SavedAsync(params decimal?[] expected)
        {
            string[] days = ["2026-09-21", "2026-11-20", "2026-11-22", "2026-11-23", "2026-11-24"];
            var have = new List<decimal?>();
            foreach (var day in days) have.Add((await DayAsync(engine, tenant, day))[4]);
            Assert.Equal(expected, have);
        }
    }

    [Fact]
    public async Task The_first_price_of_a_workflow_counts_for_all_its_days_and_so_does_one_that_describes_what_was_pushed()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, integration) = await engine.AddTenantAsync();
        // As pushes leave it: a name, runs, days.
        await engine.ExecuteAsOwnerAsync(
            """
            insert into workflows (tenant_id, integration_id, workflow_id, name, active, updated_at) values (@tenant, @integration, 'w', 'Pushed', true, now());
            insert into executions (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at, stopped_at)
            values (@tenant, @integration, '1', 'w', 'succeeded', 'production', @at, @at + interval '1 second');
            update integrations set read_from = '2026-09-01', read_to = '2026-11-21', backfilled_at = now(), deep_read_at = @now where id = @integration;
            """, new { tenant, integration, at = Noon.AddDays(-60), now = engine.Time.GetUtcNow() });
        await engine.Database.InTenantAsync(tenant, async tx => await Kpis.KpiWriter.WriteAsync(
            tx, await Automation.AutomationWriter.RollUpAsync(tx, integration, "Europe/Berlin", new DateOnly(2026, 9, 1), new DateOnly(2026, 11, 21)), integration, null, new DateOnly(2026, 11, 22),
            engine.Time.GetUtcNow()), TestContext.Current.CancellationToken);
        Assert.Equal([1m, 1m, 0m, 1000m, null], await DayAsync(engine, tenant, "2026-09-21"));

        await RunAsync(engine, tenant, [W], All, Execution("2", ExecutionStatus.Succeeded));
        Assert.Equal([1m, 1m, 0m, 1000m, 3m], await DayAsync(engine, tenant, "2026-09-21"));
        Assert.Equal([1m, 1m, 0m, 1000m, 3m], await DayAsync(engine, tenant, "2026-11-20"));

        // One that turns out to throw away what it did not push keeps what was pushed.
        await engine.ExecuteAsOwnerAsync("insert into workflows (tenant_id, integration_id, workflow_id, name, active, updated_at) values (@tenant, @integration, 'x', 'Pushed, too', true, now())", new { tenant, integration });
        await RunAsync(engine, tenant, [W, X with { KeepsSuccesses = false }], All, Of("x", Execution("3", ExecutionStatus.Succeeded)));
        Assert.Equal([2m, 2m, 0m, 2000m, 3m], await DayAsync(engine, tenant, "2026-11-20"));
    }

    [Fact]
    public async Task A_key_that_sees_less_takes_nothing_away_and_nothing_that_it_does_not_show_is_taken_for_gone_or_lost()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, integration) = await engine.AddTenantAsync();
        WorkflowReading[] all = [W, X, .. Enumerable.Range(3, 32).Select(n => new WorkflowReading($"v{n}", $"V{n:00}", true, null))];
        await RunAsync(engine, tenant, all, All, Execution("1", ExecutionStatus.Succeeded), Of("x", Execution("2", ExecutionStatus.Succeeded)),
            Of("x", Execution("3", ExecutionStatus.Unfinished)), Execution("4", ExecutionStatus.Unfinished, at: Noon.AddDays(1)));
        Assert.Equal([2m, 2m, 0m, 2000m, 3m], await DayAsync(engine, tenant, "2026-11-20"));

        // A member's key: one of 34, and both waiting runs are not found; that of the workflow that is shown is.
        engine.Time.Advance(TimeSpan.FromDays(1));
        await engine.ExecuteAsOwnerAsync("update integrations set key_changed_at = @now where id = @integration", new { now = engine.Time.GetUtcNow(), integration });
        await RunAsync(engine, tenant, [W], All with { LostExecutions = ["3", "4"] }, Execution("5", ExecutionStatus.Succeeded, at: Noon.AddDays(3).AddHours(-1)));
        Assert.Equal([("3", "unfinished"), ("4", "lost")], await engine.QueryAsync<(string, string)>(tenant, "select execution_id, status from executions where tenant_id = @tenant and execution_id in ('3', '4') order by 1"));
        Assert.Equal([33L], await engine.QueryAsync<long>(tenant, "select count(*) from workflows where tenant_id = @tenant and hidden_at is not null and gone_at is null"));
        var (status, message, _, _) = await engine.LastRunAsync(tenant);
        Assert.Equal("succeeded", status);
        Assert.Contains("shows this key 1 of 34 workflows", message, StringComparison.Ordinal);
        Assert.Contains("\"V03\", \"V04\", \"V05\" and 30 more", message, StringComparison.Ordinal);
        Assert.Equal([2m, 2m, 0m, 2000m, 3m], await DayAsync(engine, tenant, "2026-11-20"));
        Assert.Equal([1m, 1m, 0m, 1000m, 3m], await DayAsync(engine, tenant, "2026-11-23"));
        // Nobody waits for what nobody shows: the days become final.
        Assert.Equal([new DateOnly(2026, 11, 21)], await engine.QueryAsync<DateOnly>(tenant, "select final_through from integrations where tenant_id = @tenant"));
        var leftOut = await engine.Database.InTenantAsync(tenant, tx => Automation.LeftOut.LoadAsync(tx, new DateOnly(2026, 11, 23), new DateOnly(2026, 11, 23)), TestContext.Current.CancellationToken);
        Assert.Equal((33, true), (leftOut.Workflows.Count, leftOut.Workflows.All(workflow => workflow.Reason == Automation.LeftOutReason.NotShown)));

        // The full key again, two days later: what it shows is counted on, and the one that it does not show either was deleted.
        engine.Time.Advance(TimeSpan.FromDays(2));
        await engine.ExecuteAsOwnerAsync("update integrations set key_changed_at = @now where id = @integration", new { now = engine.Time.GetUtcNow(), integration });
        await RunAsync(
            engine, tenant, all[..^1], All, Of("x", Execution("3", ExecutionStatus.Succeeded)), Of("x", Execution("6", ExecutionStatus.Succeeded, at: Noon.AddDays(4))),
            Of("x", Execution("8", ExecutionStatus.Succeeded, at: Noon.AddDays(3))));
        // What ran while it was not shown is listed again, and counts; nothing of it is left out.
        Assert.Equal([2m, 2m, 0m, 2000m, 3m], await DayAsync(engine, tenant, "2026-11-23"));
        var shown = await engine.Database.InTenantAsync(
            tenant, tx => Automation.LeftOut.LoadAsync(tx, new DateOnly(2026, 11, 23), new DateOnly(2026, 11, 25)), TestContext.Current.CancellationToken);
        Assert.Equal(["V34"], shown.Workflows.Select(workflow => workflow.Name));
        Assert.Equal([("v34", true)], (await WorkflowsAsync(engine, tenant, "gone_at is not null")).Where(workflow => workflow.Item2));
        Assert.Equal([0L], await engine.QueryAsync<long>(tenant, "select count(*) from workflows where tenant_id = @tenant and hidden_at is not null"));
        Assert.Equal([3m, 3m, 0m, 3000m, 3m], await DayAsync(engine, tenant, "2026-11-20"));
        Assert.Null((await engine.LastRunAsync(tenant)).Message);
        engine.Time.Advance(TimeSpan.FromDays(1));
        await RunAsync(engine, tenant, all[..^1], All, Of("x", Execution("7", ExecutionStatus.Succeeded, at: Noon.AddDays(6).AddHours(-1))));
        Assert.Equal([1m, 1m, 0m, 1000m, 0m], await DayAsync(engine, tenant, "2026-11-26"));
    }

    [Theory]
    [InlineData(34, 33, true)]
    [InlineData(34, 17, true)]
    [InlineData(34, 16, false)]
    [InlineData(34, 0, false)]
    [InlineData(2, 1, true)]
    [InlineData(1, 0, false)]
    public async Task Most_of_a_sudden_not_shown_to_the_same_key_is_not_taken_for_deleted(int before, int after, bool gone)
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        WorkflowReading[] all = [.. Enumerable.Range(0, before).Select(n => new WorkflowReading($"v{n}", $"V{n:00}", true, null))];
        await RunAsync(engine, tenant, all, All, Of("v0", Execution("1", ExecutionStatus.Succeeded)));
        engine.Time.Advance(TimeSpan.FromHours(1));
        await RunAsync(engine, tenant, all[..after], All);
        Assert.Equal(
            [(gone ? before - after : 0, gone ? 0 : before - after)],
            await engine.QueryAsync<(int, int)>(tenant, "select (count(*) filter (where gone_at is not null))::int, (count(*) filter (where hidden_at is not null))::int from workflows where tenant_id = @tenant"));
        Assert.Equal(gone, (await engine.LastRunAsync(tenant)).Message is null);
        Assert.Equal(1m, (await DayAsync(engine, tenant, "2026-11-20"))[0]);
    }

    /// <summary>A new key reads fourteen days again, of which the source never told more than three.</summary>
    [Fact]
    public async Task What_was_not_known_at_first_does_not_become_zero_by_reading_it_again()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, integration) = await engine.AddTenantAsync();
        var first = new DateOnly(2026, 11, 18);
        await RunAsync(engine, tenant, [W], All with { MeasurableFrom = first }, Execution("1", ExecutionStatus.Succeeded));
        Assert.Equal([first], await engine.QueryAsync<DateOnly>(tenant, "select min(day) from kpi_values where tenant_id = @tenant"));
        await engine.ExecuteAsOwnerAsync("update integrations set key_changed_at = now(), deep_read_at = null where id = @integration", new { integration });
        await RunAsync(engine, tenant, [W], All, Execution("1", ExecutionStatus.Succeeded));
        Assert.Equal([first], await engine.QueryAsync<DateOnly>(tenant, "select min(day) from kpi_values where tenant_id = @tenant"));
        Assert.Equal([first], await engine.QueryAsync<DateOnly>(tenant, "select measurable_from from integrations where tenant_id = @tenant"));
    }

    /// <summary>How long it waited by what was seen, when it ended, and what is known of how long it took.</summary>
    [Theory]
    [InlineData(24, 24, 3000)]
    [InlineData(24, 2, null)]
    [InlineData(null, 24, null)]
    public async Task What_a_run_waited_is_no_part_of_how_long_it_took(int? wakesAfter, int endsAfter, int? expected)
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        var asleep = Noon.AddSeconds(1);
        await RunAsync(engine, tenant, [W], All, Execution("1", ExecutionStatus.Unfinished) with { AsleepAt = asleep, WakesAt = wakesAfter is { } hours ? asleep.AddHours(hours) : null },
            Execution("2", ExecutionStatus.Succeeded));
        Assert.Equal([1m, 1m, 0m, 1000m, 3m], await DayAsync(engine, tenant, "2026-11-20"));
        await RunAsync(engine, tenant, [W], All, Execution("1", ExecutionStatus.Succeeded) with { StoppedAt = asleep.AddHours(endsAfter).AddSeconds(2) });
        Assert.Equal([2m, 2m, 0m, 1000m + (expected ?? 0), 6m], await DayAsync(engine, tenant, "2026-11-20"));
        Assert.Equal([expected is null ? 1m : 2m], await engine.QueryAsync<decimal>(tenant, "select value from kpi_values where tenant_id = @tenant and day = '2026-11-20' and kpi = 'automation.timed'"));
        var day = new DateOnly(2026, 11, 20);
        var facts = await engine.Database.InTenantAsync(tenant, tx => Automation.RunFacts.LoadAsync(tx, day, day, "Europe/Berlin", engine.Time.GetUtcNow()), TestContext.Current.CancellationToken);
        Assert.Equal(expected is { } took ? (1000m + took) / 2 : 1000m, facts.Median);
    }

    [Fact]
    public async Task A_wait_that_nobody_saw_moves_the_mean_and_not_the_median_and_what_goes_on_is_told_apart()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await RunAsync(engine, tenant, [W, X], All,
            [.. Enumerable.Range(0, 8).Select(n => Execution($"{n}", ExecutionStatus.Succeeded)), Execution("8", ExecutionStatus.Succeeded) with { StoppedAt = Noon.AddDays(1) },
                Execution("9", ExecutionStatus.Canceled), Execution("10", ExecutionStatus.Unfinished), Execution("11", ExecutionStatus.Unfinished) with { AsleepAt = Noon, WakesAt = Noon.AddDays(9) },
                Execution("12", ExecutionStatus.Unfinished) with { AsleepAt = Noon }, Execution("13", ExecutionStatus.Unfinished) with { AsleepAt = Noon, WakesAt = Noon.AddDays(1) }]);
        var day = new DateOnly(2026, 11, 20);
        var facts = await engine.Database.InTenantAsync(tenant, tx => Automation.RunFacts.LoadAsync(tx, day, day, "Europe/Berlin", engine.Time.GetUtcNow()), TestContext.Current.CancellationToken);
        Assert.Equal((1, 2, 2, 1000m), (facts.Canceled, facts.Running, facts.Waiting, facts.Median));
        Assert.Equal([9m, 9m, 0m, 8000m + 86_400_000m, 27m], await DayAsync(engine, tenant, "2026-11-20"));
    }

    private static readonly FetchSucceeded All = new() { CompleteThrough = new DateOnly(2026, 11, 21), FinalThrough = new DateOnly(2026, 11, 21), ListsAllWorkflows = true };

    private static ExecutionReading Of(string workflow, ExecutionReading execution) => execution with { WorkflowId = workflow };

    private static Task<IReadOnlyList<(string, bool)>> WorkflowsAsync(Engine engine, Guid tenant, string what) =>
        engine.QueryAsync<(string, bool)>(tenant, $"select workflow_id, {what} from workflows where tenant_id = @tenant order by 1");

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
