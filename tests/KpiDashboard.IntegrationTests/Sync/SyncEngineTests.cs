using KpiDashboard.Connectors;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Sync;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

public sealed class SyncEngineTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_due_integration_is_read_13_months_and_two_weeks_back_slice_by_slice_newest_first_and_is_due_again_tomorrow()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        var windows = new List<DayWindow>();
        var read = engine.Connector.Fetch;
        engine.Connector.Fetch = (request, sink, token) => { windows.Add(request.Window); return read(request, sink, token); };

        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();

        var today = new DateOnly(2026, 11, 22);
        Assert.Equal(today, windows[0].To);
        var first = today.AddMonths(-13).AddDays(-14);
        Assert.Equal(first, windows[^1].From);
        for (var i = 1; i < windows.Count; i++) Assert.Equal(windows[i - 1].From.AddDays(-1), windows[i].To);
        var days = today.DayNumber - first.DayNumber + 1;
        Assert.Equal([(days, days * 10m)], await engine.QueryAsync<(int, decimal)>(tenant, "select count(*)::int, sum(value) from kpi_values where tenant_id = @tenant"));
        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
        var due = (await engine.QueryAsync<DateTimeOffset>(tenant, "select next_due_at from integrations where tenant_id = @tenant"))[0];
        Assert.InRange(due, DateTimeOffset.Parse("2026-11-23T03:00Z", null), DateTimeOffset.Parse("2026-11-23T03:30Z", null));

        // Nothing is due now, and a tick enqueues nothing.
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, engine.Queue.Count);
    }

    [Fact]
    public async Task The_same_message_twice_in_a_row_or_at_once_leaves_one_set_of_rows()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        Assert.True(engine.Queue.TryTake(out var message));

        // At once, eight times: each waits until all have begun.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => engine.Runner.RunAsync(message, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken)));
        Assert.Equal(1, engine.Connector.Fetches);
        Assert.Equal(1, engine.Queue.Count);
        await engine.DrainAsync();
        var before = await engine.QueryAsync<(string, DateOnly, decimal, DateTimeOffset)>(tenant, "select kpi, day, value, changed_at from kpi_values where tenant_id = @tenant order by 1, 2");
        var fetches = engine.Connector.Fetches;

        // Every message of the run once more, in reverse order.
        engine.Time.Advance(TimeSpan.FromMinutes(1));
        foreach (var (sent, _) in engine.Queue.Sent.Reverse()) engine.Queue.Put(sent);
        await engine.DrainAsync();

        Assert.Equal(fetches, engine.Connector.Fetches);
        Assert.Equal(before, await engine.QueryAsync<(string, DateOnly, decimal, DateTimeOffset)>(tenant, "select kpi, day, value, changed_at from kpi_values where tenant_id = @tenant order by 1, 2"));
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select count(*)::int from kpi_restatements where tenant_id = @tenant"));
    }

    [Fact]
    public async Task Reading_the_same_values_again_changes_nothing_and_a_changed_one_is_a_restatement_unless_its_day_was_still_going_on()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        var value = 10m;
        engine.Connector.Fetch = (request, sink, _) =>
        {
            foreach (var day in new[] { request.Window.To.AddDays(-1), request.Window.To }) sink.Add(new KpiReading("web.sessions", day, value));
            return Task.FromResult<FetchOutcome>(new FetchSucceeded());
        };
        await RunAsync();
        await RunAsync();
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select changed from sync_runs where tenant_id = @tenant order by queued_at desc limit 1"));

        value = 12;
        await RunAsync();

        Assert.Equal([(new DateOnly(2026, 11, 21), 10m, 12m)], await engine.QueryAsync<(DateOnly, decimal, decimal)>(tenant, "select day, old_value, new_value from kpi_restatements where tenant_id = @tenant"));
        Assert.Equal([12m, 12m], await engine.QueryAsync<decimal>(tenant, "select value from kpi_values where tenant_id = @tenant and day >= '2026-11-21'"));

        async Task RunAsync()
        {
            engine.Time.Advance(TimeSpan.FromMinutes(1));
            await engine.Refresh.StartAsync(tenant, null, "manual", null, TestContext.Current.CancellationToken);
            await engine.DrainAsync();
        }
    }

    [Fact]
    public async Task A_run_whose_message_was_never_sent_is_swept_and_finishes_once()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        engine.Queue.Down = true;
        await Assert.ThrowsAsync<IOException>(() => engine.Scheduler.TickAsync(TestContext.Current.CancellationToken));
        Assert.Equal("queued", (await engine.LastRunAsync(tenant)).Status);

        engine.Queue.Down = false;
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, engine.Queue.Count);
        engine.Time.Advance(SyncScheduler.NeverEnqueuedAfter + TimeSpan.FromSeconds(1));
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, engine.Queue.Count);
        await engine.DrainAsync();

        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
        Assert.Equal([1], await engine.QueryAsync<int>(tenant, "select count(*)::int from sync_runs where tenant_id = @tenant"));
    }

    [Fact]
    public async Task A_worker_that_died_in_the_middle_is_replaced_after_its_lease_and_its_late_result_is_dropped()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        Assert.True(engine.Queue.TryTake(out var message));

        var (entered, proceed) = (new TaskCompletionSource(), new TaskCompletionSource());
        var read = engine.Connector.Fetch;
        engine.Connector.Fetch = async (request, sink, _) =>
        {
            sink.Add(new KpiReading("web.sessions", request.Window.To, 999));
            entered.SetResult();
            await proceed.Task;
            return new FetchSucceeded();
        };
        var stuck = Task.Run(() => engine.Runner.RunAsync(message, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        await entered.Task;

        // As if the process had stopped renewing: another one took the lease over after it had run out.
        await engine.ExecuteAsOwnerAsync("update integrations set lease_until = @past", new { past = engine.Time.GetUtcNow() - TimeSpan.FromSeconds(1) });
        engine.Connector.Fetch = read;
        await engine.Runner.RunAsync(message, TestContext.Current.CancellationToken);
        proceed.SetResult();
        await stuck;
        await engine.DrainAsync();

        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
        Assert.Equal([10m], await engine.QueryAsync<decimal>(tenant, "select distinct value from kpi_values where tenant_id = @tenant"));
    }

    [Fact]
    public async Task A_wait_is_enqueued_with_its_delay_counts_as_no_failure_and_an_early_duplicate_asks_nothing()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        var read = engine.Connector.Fetch;
        var until = engine.Time.GetUtcNow() + TimeSpan.FromMinutes(30);
        engine.Connector.Fetch = (_, _, _) => Task.FromResult<FetchOutcome>(new QuotaExhausted(until, "The hourly allowance is used up."));
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();

        var (delayed, delay) = engine.Queue.Sent.Last();
        Assert.Equal(TimeSpan.FromMinutes(30), delay);
        Assert.Equal(("waiting", "The hourly allowance is used up.", 0, 1), await engine.LastRunAsync(tenant));
        await engine.Runner.RunAsync(delayed, TestContext.Current.CancellationToken);
        Assert.Equal(1, engine.Connector.Fetches);

        engine.Time.Advance(TimeSpan.FromMinutes(30));
        engine.Connector.Fetch = read;
        engine.Queue.Put(delayed);
        await engine.DrainAsync();
        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select consecutive_failures from integrations where tenant_id = @tenant"));
    }

    [Fact]
    public async Task When_an_allowance_runs_low_the_newest_slice_is_written_and_the_rest_of_the_backfill_waits()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        var until = engine.Time.GetUtcNow() + TimeSpan.FromMinutes(20);
        engine.Connector.Fetch = (request, sink, _) =>
        {
            sink.Add(new KpiReading("web.sessions", request.Window.To, 10));
            return Task.FromResult<FetchOutcome>(new FetchSucceeded { SlowDown = engine.Time.GetUtcNow() < until ? new SlowDown(until, "The allowance is nearly used up.") : null });
        };
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();
        Assert.Equal(1, engine.Connector.Fetches);
        Assert.Equal(("waiting", "The allowance is nearly used up.", 0, 0), await engine.LastRunAsync(tenant));
        Assert.Equal([10m], await engine.QueryAsync<decimal>(tenant, "select value from kpi_values where tenant_id = @tenant and day = '2026-11-22'"));
        Assert.Equal(TimeSpan.FromMinutes(20), engine.Queue.Sent.Last().Delay);

        engine.Time.Advance(TimeSpan.FromMinutes(20));
        engine.Queue.Put(engine.Queue.Sent.Last().Message);
        await engine.DrainAsync();
        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
    }

    [Fact]
    public async Task A_provider_that_stays_down_is_tried_five_times_with_growing_delays_and_then_the_run_failed()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        engine.Connector.Fetch = (_, _, _) => Task.FromResult<FetchOutcome>(new ProviderDown("It answers 503."));
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();
        while ((await engine.LastRunAsync(tenant)).Status == "waiting")
        {
            var (message, delay) = engine.Queue.Sent.Last();
            engine.Time.Advance(delay);
            engine.Queue.Put(message);
            await engine.DrainAsync();
        }

        Assert.Equal(RetryPolicy.MaxAttempts, engine.Connector.Fetches);
        Assert.Equal(("failed", "It answers 503."), ((await engine.LastRunAsync(tenant)) is var run ? (run.Status, run.Message) : default));
        var delays = engine.Queue.Sent.Skip(1).Select(sent => sent.Delay).ToList();
        Assert.Equal(delays.Order(), delays);
        Assert.Equal([(1, "It answers 503.")], await engine.QueryAsync<(int, string)>(tenant, "select consecutive_failures, last_error from integrations where tenant_id = @tenant"));
    }

    [Fact]
    public async Task A_fault_is_thrown_to_the_queue_five_times_and_then_the_run_is_dead_and_says_so()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        engine.Connector.Fetch = (_, _, _) => throw new InvalidOperationException("a bug");
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();

        Assert.Equal(5, engine.Connector.Fetches);
        var run = await engine.LastRunAsync(tenant);
        Assert.Equal("dead", run.Status);
        Assert.DoesNotContain("a bug", run.Message, StringComparison.Ordinal);
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select count(*)::int from kpi_values where tenant_id = @tenant"));

        // The next day's run is not hindered by the dead one.
        engine.Time.Advance(TimeSpan.FromDays(1));
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, engine.Queue.Count);
    }

    [Theory]
    [InlineData("{not json")]
    [InlineData("null")]
    [InlineData("""{"v":1,"tenantId":"7c9e6679-7425-40de-944b-e07fc1f90ae7","integrationId":"7c9e6679-7425-40de-944b-e07fc1f90ae7","runId":"7c9e6679-7425-40de-944b-e07fc1f90ae7","step":0}""")]
    public async Task A_poison_message_that_names_no_run_is_kept(string body)
    {
        await using var engine = await Engine.StartAsync(postgres);
        await engine.DeadLetters.HandleAsync("sync-n8n-poison", body, TestContext.Current.CancellationToken);
        await engine.ExecuteAsOwnerAsync("do $$ begin assert (select count(*) from dead_letters) = 1; end $$");
    }

    [Fact]
    public async Task Lost_credentials_stop_the_integration_until_it_is_connected_again()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        engine.Connector.Fetch = (_, _, _) => Task.FromResult<FetchOutcome>(new AuthorizationLost("The sign-in expired."));
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();
        Assert.Equal([("reconnect_needed", "The sign-in expired.")], await engine.QueryAsync<(string, string)>(tenant, "select status, status_message from integrations where tenant_id = @tenant"));

        engine.Time.Advance(TimeSpan.FromDays(3));
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, engine.Queue.Count);
    }

    [Fact]
    public async Task Two_hosts_claim_1000_due_integrations_without_loss_or_double()
    {
        await using var engine = await Engine.StartAsync(postgres);
        await engine.ExecuteAsOwnerAsync(
            """
            insert into tenants (id, name, time_zone, currency) select gen_random_uuid(), 'T' || n, 'Pacific/Auckland', 'NZD' from generate_series(1, 1000) n;
            insert into integrations (tenant_id, id, connector, display_name, next_due_at) select id, gen_random_uuid(), 'n8n', 'n8n', @now from tenants;
            """, new { now = engine.Time.GetUtcNow() });
        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => engine.Scheduler.TickAsync(TestContext.Current.CancellationToken)));
        await Task.WhenAll(engine.DrainClaimsAsync(), engine.DrainClaimsAsync());
        Assert.Equal(1000, engine.Queue.Sent.Count);
        Assert.Equal(1000, engine.Queue.Sent.Select(sent => sent.Message.IntegrationId).Distinct().Count());
    }

    [Fact]
    public async Task A_refresh_during_a_run_answers_with_that_run()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        var first = await engine.Refresh.StartAsync(tenant, null, "manual", null, TestContext.Current.CancellationToken);
        var second = await engine.Refresh.StartAsync(tenant, ["n8n"], "webhook", null, TestContext.Current.CancellationToken);
        Assert.Equal(first, second);
        Assert.Equal(1, engine.Queue.Count);
    }

    [Fact]
    public async Task After_downtime_the_window_leaves_no_gap()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();
        engine.Time.Advance(TimeSpan.FromDays(40));
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();
        var today = new DateOnly(2026, 11, 22).AddDays(40);
        Assert.Equal([(0, today)], await engine.QueryAsync<(int, DateOnly)>(tenant,
            "select (max(day) - min(day) + 1 - count(*))::int, max(day) from kpi_values where tenant_id = @tenant"));
    }
}
