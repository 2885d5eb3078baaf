using System.Globalization;
using System.Text.Json;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.N8n;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.N8n;
using KpiDashboard.Demo.Simulation;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KpiDashboard.IntegrationTests.Connectors;

public sealed class N8nAgainstSimulatorTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Thirteen_months_by_cursor_and_checkpoint_equal_the_truth()
    {
        await using var fixture = await Fixture.StartAsync();
        var window = fixture.Last(396);

        var (sink, last, messages) = await fixture.ReadAllAsync(window);

        var truth = fixture.Truth(window);
        Assert.InRange(truth.Count, 15_000, 40_000);
        Assert.InRange(messages, 4, 9);
        AssertSame(truth, sink, fixture.Time.GetUtcNow());
        Assert.Equal(fixture.Today.AddDays(-1), last.CompleteThrough);
        Assert.Equal(8, sink.Workflows.Count);
        Assert.Equal(2, sink.Workflows["mS1OrderSync0001"].TimeSavedMinutes);
        Assert.False(sink.Workflows["mS7OldImport0007"].Active);
        Assert.Null(sink.Workflows["mS6ErrorMail0006"].TimeSavedMinutes);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(7, 2)]
    [InlineData(250, 20)]
    public async Task Any_page_size_and_message_size_give_the_same_week(int pageSize, int pagesPerFetch)
    {
        await using var fixture = await Fixture.StartAsync(new() { ["N8n:PageSize"] = $"{pageSize}", ["N8n:MaxPagesPerFetch"] = $"{pagesPerFetch}" });
        var window = fixture.Last(4);

        var (sink, _, messages) = await fixture.ReadAllAsync(window);

        AssertSame(fixture.Truth(window), sink, fixture.Time.GetUtcNow());
        Assert.Equal(pageSize == 250, messages == 1);
    }

    [Fact]
    public async Task Executions_that_come_twice_count_once()
    {
        await using var fixture = await Fixture.StartAsync(new() { ["N8n:PageSize"] = "50" });
        var window = fixture.Last(7);
        // Of the plain list, its first page: after workflows, running and waiting ones.
        fixture.N8n.Faults.Schedule = (_, number) => number == 4 ? new Fault.DuplicatedPage() : null;

        var (sink, _, _) = await fixture.ReadAllAsync(window);

        AssertSame(fixture.Truth(window), sink, fixture.Time.GetUtcNow());
    }

    [Fact]
    public async Task Old_versions_with_numeric_ids_and_fewer_filters_are_read_the_same()
    {
        await using var fixture = await Fixture.StartAsync(change: options => options with { OldVersion = true });
        var window = fixture.Last(7);

        var (sink, _, _) = await fixture.ReadAllAsync(window);

        // Running ones are in no list there; they come once they have finished.
        var truth = fixture.Truth(window).Where(e => e.StatusAt(fixture.Time.GetUtcNow()) != "running").ToList();
        AssertSame(truth, sink, fixture.Time.GetUtcNow());
        Assert.Equal(8, sink.Workflows.Count);
    }

    [Fact]
    public async Task A_day_has_40_to_70_production_runs_and_the_incident_fails_six_times()
    {
        await using var fixture = await Fixture.StartAsync();
        var window = fixture.Last(92);
        var (sink, _, _) = await fixture.ReadAllAsync(window);
        var zone = fixture.Zone;

        var daily = sink.Executions.Values.Where(e => e.Kind == ExecutionKind.Production)
            .GroupBy(e => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(e.StartedAt, zone).DateTime))
            .Where(day => day.Key < fixture.Today).Select(day => day.Count()).ToList();
        Assert.InRange(daily.Average(), 40, 70);
        Assert.All(daily, count => Assert.InRange(count, 25, 80));

        var production = sink.Executions.Values.Where(e => e.Kind == ExecutionKind.Production).ToList();
        var failed = production.Count(e => e.Status == ExecutionStatus.Failed);
        Assert.InRange((double)failed / production.Count, 0.01, 0.03);

        var incident = production.Where(e => e.WorkflowId == "mS1OrderSync0001" && e.Status == ExecutionStatus.Failed
            && DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(e.StartedAt, zone).DateTime) >= fixture.Today.AddDays(-2));
        Assert.Equal(6, incident.Count());

        foreach (var kind in Enum.GetValues<ExecutionKind>())
            Assert.Contains(sink.Executions.Values, e => e.Kind == kind);
    }

    [Fact]
    public async Task Waiting_and_running_executions_are_unfinished_and_hold_back_finality()
    {
        await using var fixture = await Fixture.StartAsync();
        var started = fixture.Time.GetUtcNow();
        var id = fixture.N8n.Start("merch-shop", "mS1OrderSync0001", TimeSpan.FromDays(4));
        fixture.Time.Advance(TimeSpan.FromDays(3));

        var (sink, outcome, _) = await fixture.ReadAllAsync(fixture.Last(7));

        var reading = sink.Executions[Text(id)];
        Assert.Equal((ExecutionStatus.Unfinished, null), (reading.Status, reading.StoppedAt));
        Assert.Equal(fixture.Day(started).AddDays(-1), outcome.FinalThrough);
        Assert.Equal(fixture.Today.AddDays(-1), outcome.CompleteThrough);
    }

    [Fact]
    public async Task What_the_first_message_saw_running_holds_back_finality_in_the_last_one()
    {
        await using var fixture = await Fixture.StartAsync(new() { ["N8n:PageSize"] = "20", ["N8n:MaxPagesPerFetch"] = "3" });
        var started = fixture.Time.GetUtcNow();
        fixture.N8n.Start("merch-shop", "mS1OrderSync0001", TimeSpan.FromDays(9));
        fixture.Time.Advance(TimeSpan.FromDays(3));

        var (_, outcome, messages) = await fixture.ReadAllAsync(fixture.Last(7));

        Assert.InRange(messages, 2, 20);
        Assert.Equal(fixture.Day(started).AddDays(-1), outcome.FinalThrough);
    }

    [Fact]
    public async Task An_execution_seen_running_is_found_finished_later_even_outside_the_window()
    {
        await using var fixture = await Fixture.StartAsync();
        var id = fixture.N8n.Start("merch-shop", "mS1OrderSync0001", TimeSpan.FromDays(5), outcome: "error");
        var (first, _, _) = await fixture.ReadAllAsync(fixture.Last(3));
        var unfinished = first.Executions.Values.Where(e => e.Status == ExecutionStatus.Unfinished).Select(e => e.ExecutionId).ToList();
        Assert.Contains(Text(id), unfinished);

        fixture.Time.Advance(TimeSpan.FromDays(10));
        var (second, outcome, _) = await fixture.ReadAllAsync(fixture.Last(3), unfinished);

        var reading = second.Executions[Text(id)];
        Assert.Equal(ExecutionStatus.Failed, reading.Status);
        Assert.Equal(TimeSpan.FromDays(5), reading.StoppedAt - reading.StartedAt);
        Assert.Equal(unfinished.Order(), second.Executions.Values.Where(e => unfinished.Contains(e.ExecutionId)).Select(e => e.ExecutionId).Order());
        Assert.Empty(outcome.LostExecutions);
        Assert.Equal(fixture.Today.AddDays(-1), outcome.FinalThrough);
    }

    [Fact]
    public async Task A_tracked_execution_that_was_deleted_is_named_as_lost()
    {
        await using var fixture = await Fixture.StartAsync();
        var id = fixture.N8n.Start("merch-shop", "mS1OrderSync0001", TimeSpan.FromHours(2));
        fixture.N8n.Delete("merch-shop", id);

        var (sink, outcome, _) = await fixture.ReadAllAsync(fixture.Last(3), [Text(id)]);

        Assert.Equal([Text(id)], outcome.LostExecutions);
        Assert.DoesNotContain(Text(id), sink.Executions.Keys);
    }

    [Fact]
    public async Task Pruned_history_is_not_measurable_and_what_is_left_equals_the_truth()
    {
        await using var fixture = await Fixture.StartAsync();
        var cut = fixture.Time.GetUtcNow().AddDays(-14);
        fixture.N8n.Prune("merch-shop", cut);
        Assert.Contains(fixture.N8n.Executions("merch-shop"), e => e.WaitTill is not null);
        var window = fixture.Last(60);

        var (sink, outcome, _) = await fixture.ReadAllAsync(window);

        Assert.Equal(fixture.FirstWholeDay(cut), outcome.MeasurableFrom);
        AssertSame(fixture.Truth(window), sink, fixture.Time.GetUtcNow());

        // A window that lies within what is kept is measurable throughout.
        var (_, recent, _) = await fixture.ReadAllAsync(fixture.Last(5));
        Assert.Null(recent.MeasurableFrom);
    }

    /// <summary>A run that took five days and one that waited for three weeks outlive the day on which they began, and annotated ones all of it.</summary>
    [Theory]
    [InlineData(4, 5, 0, 0)]
    [InlineData(14, 21, 0, 0)]
    [InlineData(14, 21, 40, 0)]
    [InlineData(14, 21, 40, 10)]
    [InlineData(14, 0, 0, 7)]
    public async Task Pruning_goes_by_the_end_so_that_what_outlives_its_day_does_not_make_it_whole(int prunedDays, int longDays, int waiting, int keptEvery)
    {
        await using var fixture = await Fixture.StartAsync();
        for (var i = 0; i < waiting; i++)
        {
            // One every twelve hours that waits for ten days.
            fixture.N8n.Start("merch-shop", "mS5ReturnsIn0005", TimeSpan.FromSeconds(3), waitTill: fixture.Time.GetUtcNow().AddDays(10));
            fixture.Time.Advance(TimeSpan.FromHours(12));
        }

        if (longDays > 0)
        {
            fixture.N8n.Start("merch-shop", "mS1OrderSync0001", TimeSpan.FromDays(longDays));
            fixture.Time.Advance(TimeSpan.FromDays(longDays) + TimeSpan.FromHours(2));
        }

        var cut = fixture.Time.GetUtcNow().AddDays(-prunedDays);
        var before = fixture.N8n.Executions("merch-shop").Where(e => e.EndsAt < cut).ToList();
        for (var i = 0; keptEvery > 0 && i < before.Count; i += keptEvery)
            fixture.N8n.Keep("merch-shop", before[^(i + 1)].Id);
        fixture.N8n.Prune("merch-shop", cut);
        var left = fixture.N8n.Executions("merch-shop").Select(e => e.Id).ToHashSet();
        var lastGone = before.Where(e => !left.Contains(e.Id)).Max(e => e.StartedAt);

        var (_, outcome, _) = await fixture.ReadAllAsync(fixture.Last(396));

        Assert.Equal(fixture.Day(lastGone).AddDays(1), outcome.MeasurableFrom);
        Assert.Equal(fixture.FirstWholeDay(cut), outcome.MeasurableFrom);
    }

    [Fact]
    public async Task Of_an_n8n_whose_first_run_is_listed_the_first_day_counts_and_of_one_that_was_pruned_it_does_not()
    {
        await using var fixture = await Fixture.StartAsync();
        var first = fixture.Today.AddDays(-9);
        var dataset = new N8nDataset(7, "America/Los_Angeles", first, [new() { Id = "w", Name = "W", Runs = _ => 40 }], firstId: 1);
        fixture.N8n.Add(new N8nInstance("young", "n8n_demo_merch_shop", dataset));

        var whole = Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(fixture.Last(396), new RecordingSink(), path: "young"));
        Assert.Equal(first, whole.MeasurableFrom);

        // Pruned, and execution 1 annotated: it proves nothing any more.
        fixture.N8n.Keep("young", 1);
        fixture.N8n.Prune("young", fixture.Time.GetUtcNow().AddDays(-5));
        var pruned = Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(fixture.Last(396), new RecordingSink(), path: "young"));
        Assert.Equal(fixture.Today.AddDays(-4), pruned.MeasurableFrom);
    }

    [Fact]
    public async Task What_is_waiting_tells_since_when_and_until_when()
    {
        await using var fixture = await Fixture.StartAsync();
        var wakes = fixture.Time.GetUtcNow().AddHours(24);
        var id = fixture.N8n.Start("merch-shop", "mS5ReturnsIn0005", TimeSpan.FromSeconds(3), waitTill: wakes);
        fixture.Time.Advance(TimeSpan.FromHours(1));

        var (sink, _, _) = await fixture.ReadAllAsync(fixture.Last(3));

        var reading = sink.Executions[Text(id)];
        Assert.Equal((ExecutionStatus.Unfinished, reading.StartedAt.AddMilliseconds(16)), (reading.Status, reading.AsleepAt!.Value));
        Assert.Equal(wakes.ToUnixTimeMilliseconds(), reading.WakesAt!.Value.ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task A_run_that_is_not_found_is_lost_only_if_the_list_of_workflows_could_be_read()
    {
        await using var fixture = await Fixture.StartAsync();
        var id = fixture.N8n.Start("merch-shop", "mS1OrderSync0001", TimeSpan.FromHours(2));
        fixture.N8n.Delete("merch-shop", id);
        fixture.N8n.Faults.Next("merch-shop", N8nFaults.Internal);

        var (_, outcome, _) = await fixture.ReadAllAsync(fixture.Last(3), [Text(id)]);

        Assert.Empty(outcome.LostExecutions);
        Assert.Null(outcome.FinalThrough);
        Assert.False(outcome.ListsAllWorkflows);
        (_, outcome, _) = await fixture.ReadAllAsync(fixture.Last(3), [Text(id)]);
        Assert.Equal([Text(id)], outcome.LostExecutions);
        Assert.True(outcome.ListsAllWorkflows);
    }

    [Fact]
    public async Task A_switched_off_API_and_a_wrong_key_are_both_named_since_n8n_answers_both_alike()
    {
        await using var fixture = await Fixture.StartAsync();
        fixture.N8n.SwitchApi("merch-shop", on: false);
        var off = Assert.IsType<AuthorizationLost>(await fixture.FetchAsync(fixture.Last(3), new RecordingSink()));
        fixture.N8n.SwitchApi("merch-shop", on: true);
        fixture.N8n.SetApiKey("merch-shop", "another");
        var wrong = Assert.IsType<AuthorizationLost>(await fixture.FetchAsync(fixture.Last(3), new RecordingSink()));

        Assert.Equal(off, wrong);
        Assert.Contains("key", off.Reason, StringComparison.Ordinal);
        Assert.Contains("N8N_PUBLIC_API_DISABLED", off.Reason, StringComparison.Ordinal);
        var problem = await fixture.Connector.TestAsync(fixture.Request(fixture.Last(2)), Ct);
        Assert.Equal((off.Reason, ConnectionProblem.Key), (problem!.Sentence, problem.Field));
    }

    [Fact]
    public async Task That_fewer_runs_are_listed_than_happened_shows_in_the_insights_of_n8n_alone()
    {
        await using var fixture = await Fixture.StartAsync();
        var (fine, before, _) = await fixture.ReadAllAsync(fixture.Last(7));
        Assert.Null(before.Shortfall);
        Assert.All(fine.Workflows.Values, workflow => Assert.True(workflow.KeepsSuccesses));

        // Switched off for the whole instance; one workflow says itself that it keeps them.
        fixture.N8n.KeepSuccessesByDefault("merch-shop", keep: false);
        fixture.N8n.Change("merch-shop", "mS2CartMail00002", workflow => workflow with { KeepsSuccesses = true });
        fixture.Time.Advance(TimeSpan.FromDays(8));
        var (sink, outcome, _) = await fixture.ReadAllAsync(fixture.Last(7));

        Assert.Contains("EXECUTIONS_DATA_SAVE_ON_SUCCESS", outcome.Shortfall, StringComparison.Ordinal);
        Assert.Matches("counted [0-9]{3} runs and lists [0-9]{2,3}:", outcome.Shortfall);
        Assert.True(sink.Workflows["mS2CartMail00002"].KeepsSuccesses);
        Assert.False(sink.Workflows["mS1OrderSync0001"].KeepsSuccesses);
        // Switched off, it runs no more, kept or not.
        Assert.True(sink.Workflows["mS7OldImport0007"].KeepsSuccesses);

        // A key without the scope, and an n8n without insights, are told nothing, and everything else goes on.
        fixture.N8n.SetScopes("merch-shop", "workflow:list", "execution:list", "execution:read");
        var (without, told, _) = await fixture.ReadAllAsync(fixture.Last(7));
        Assert.Null(told.Shortfall);
        Assert.Equal(sink.Executions.Keys.Order(), without.Executions.Keys.Order());
        Assert.True(without.Workflows["mS1OrderSync0001"].KeepsSuccesses);
    }

    [Fact]
    public async Task A_workflow_that_throws_its_successes_away_or_is_deleted_leaves_the_list_as_it_does_in_n8n()
    {
        await using var fixture = await Fixture.StartAsync();
        fixture.N8n.Change("merch-shop", "mS1OrderSync0001", workflow => workflow with { KeepsSuccesses = false, TimeSavedMinutes = 9 });
        var changed = fixture.Time.GetUtcNow();
        fixture.Time.Advance(TimeSpan.FromDays(2));
        fixture.N8n.DeleteWorkflow("merch-shop", "mS4DailyReport04");

        var (sink, outcome, _) = await fixture.ReadAllAsync(fixture.Last(7));

        Assert.True(outcome.ListsAllWorkflows);
        Assert.False(sink.Workflows["mS1OrderSync0001"].KeepsSuccesses);
        Assert.Equal((9, changed.ToUnixTimeMilliseconds()), (sink.Workflows["mS1OrderSync0001"].TimeSavedMinutes!.Value, sink.Workflows["mS1OrderSync0001"].ChangedAt!.Value.ToUnixTimeMilliseconds()));
        Assert.DoesNotContain("mS4DailyReport04", sink.Workflows.Keys);
        Assert.DoesNotContain(sink.Executions.Values, e => e.WorkflowId == "mS4DailyReport04");
        Assert.DoesNotContain(sink.Executions.Values, e => e.WorkflowId == "mS1OrderSync0001" && e.Status == ExecutionStatus.Succeeded && e.StoppedAt > changed);
        Assert.Contains(sink.Executions.Values, e => e.WorkflowId == "mS1OrderSync0001" && e.Status == ExecutionStatus.Succeeded);
        AssertSame(fixture.Truth(fixture.Last(7)), sink, fixture.Time.GetUtcNow());
    }

    [Fact]
    public async Task A_members_key_shows_its_own_workflows_and_their_runs_alone()
    {
        await using var fixture = await Fixture.StartAsync();
        fixture.N8n.AddMemberKey("merch-shop", "n8n_demo_merch_shop_member", "mS4DailyReport04");
        var full = (await fixture.ReadAllAsync(fixture.Last(7))).Sink;
        fixture.N8n.SetApiKey("merch-shop", "another");
        fixture.N8n.AddMemberKey("merch-shop", "n8n_demo_merch_shop", "mS4DailyReport04");

        var (sink, _, _) = await fixture.ReadAllAsync(fixture.Last(7));

        Assert.Equal(["mS4DailyReport04"], sink.Workflows.Keys);
        Assert.Equal(full.Executions.Values.Where(e => e.WorkflowId == "mS4DailyReport04").Select(e => e.ExecutionId).Order(), sink.Executions.Keys.Order());
        Assert.Equal(["mS4DailyReport04"], await fixture.Connector.ShownWorkflowsAsync(fixture.Request(fixture.Last(2)), Ct));
    }

    /// <summary>How many executions of the last four days there are (0: all that there were), and from how many days ago one is kept.</summary>
    [Theory]
    [InlineData(20, 100)]
    [InlineData(20, 10)]
    [InlineData(20, 30, 61, 100, 390)]
    [InlineData(0, 100)]
    [InlineData(0, 12, 40, 41, 200)]
    public async Task What_is_kept_from_long_ago_among_pruned_executions_makes_no_zeros_of_the_days_in_between(int left, params int[] keptDaysAgo)
    {
        await using var fixture = await Fixture.StartAsync();
        var cut = fixture.Time.GetUtcNow().AddDays(-4);
        var all = fixture.N8n.Executions("merch-shop");
        foreach (var days in keptDaysAgo)
            fixture.N8n.Keep("merch-shop", all.First(e => fixture.Day(e.StartedAt) == fixture.Today.AddDays(-days)).Id);
        fixture.N8n.Prune("merch-shop", cut);
        var body = fixture.N8n.Executions("merch-shop").Where(e => e.StartedAt >= cut && e.EndsAt <= fixture.Time.GetUtcNow()).ToList();
        if (left > 0)
        {
            // As many as are to be left, evenly strewn, the oldest among them.
            var stay = Enumerable.Range(0, left).Select(i => body[i * body.Count / left].Id).ToHashSet();
            foreach (var gone in body.Where(e => !stay.Contains(e.Id)))
                fixture.N8n.Delete("merch-shop", gone.Id);
            // Beside them what still waits or runs.
            Assert.Equal(left + keptDaysAgo.Length, fixture.N8n.Executions("merch-shop").Count(e => e.EndsAt <= fixture.Time.GetUtcNow()));
        }

        var window = fixture.Last(396);
        var (sink, outcome, _) = await fixture.ReadAllAsync(window);

        Assert.Equal(fixture.Day(body[0].StartedAt).AddDays(1), outcome.MeasurableFrom);
        Assert.Equal(fixture.Today.AddDays(-1), outcome.CompleteThrough);
        AssertSame(fixture.Truth(window), sink, fixture.Time.GetUtcNow());
    }

    /// <summary>Where in the list, newest first, the one stands whose clock was wrong: pages have 50, messages 3 pages; −1 is the very end.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    [InlineData(49)]
    [InlineData(50)]
    [InlineData(149)]
    [InlineData(150)]
    [InlineData(-1)]
    public async Task A_clock_that_stood_elsewhere_neither_extends_what_is_measurable_nor_hides_what_is_listed_behind_it(int position)
    {
        await using var fixture = await Fixture.StartAsync(new() { ["N8n:PageSize"] = "50", ["N8n:MaxPagesPerFetch"] = "3" });
        var now = fixture.Time.GetUtcNow();
        foreach (var waiting in fixture.N8n.Executions("merch-shop").Where(e => e.WaitTill is not null))
            fixture.N8n.Delete("merch-shop", waiting.Id);
        fixture.N8n.Prune("merch-shop", now.AddDays(-8));
        var real = fixture.N8n.Executions("merch-shop");
        var list = real.Where(e => e.StatusAt(now) != "running").Reverse().ToList();
        Assert.InRange(list.Count, 300, 2000);
        var odd = position < 0 ? list[^1] : list[position];
        var first = real.First(e => e.Id != odd.Id).StartedAt;
        var (epoch, later) = (DateTimeOffset.UnixEpoch, now.AddYears(12));

        // A clock of 1970 or of years to come tells nothing; one of 2020 or of 200 days ago might be right, if the list did not say otherwise.
        foreach (var (clock, endsRight) in new[] { (epoch, false), (epoch, true), (epoch.AddYears(50), false), (now.AddDays(-200), false), (later, false) })
        {
            fixture.N8n.SetClock("merch-shop", odd.Id, clock, endsRight);
            foreach (var window in new[] { fixture.Last(396), fixture.Last(5) })
            {
                var (sink, outcome, _) = await fixture.ReadAllAsync(window);

                Assert.Equal(window.Days > 8 ? fixture.Day(first).AddDays(1) : null, outcome.MeasurableFrom);
                Assert.Equal(fixture.Today.AddDays(-1), outcome.CompleteThrough);
                // It ended, and that is known: it counts on that day, and took nobody knows how long.
                if (endsRight && sink.Executions.Remove(Text(odd.Id), out var reading))
                    Assert.Equal((odd.EndsAt, null), (reading.StartedAt, reading.StoppedAt));
                AssertSame(fixture.Truth(window), sink, now);
            }
        }
    }

    [Fact]
    public async Task An_n8n_that_keeps_nothing_calls_no_day_complete()
    {
        await using var fixture = await Fixture.StartAsync();
        fixture.N8n.Prune("merch-shop", fixture.Time.GetUtcNow().AddDays(1));
        // What waits or runs is never pruned; here there is none.
        foreach (var open in fixture.N8n.Executions("merch-shop"))
            fixture.N8n.Delete("merch-shop", open.Id);

        var (sink, outcome, _) = await fixture.ReadAllAsync(fixture.Last(30));

        Assert.Empty(sink.Executions);
        Assert.Null(outcome.CompleteThrough);
        Assert.Null(outcome.FinalThrough);
    }

    [Fact]
    public async Task Executions_outside_the_window_are_not_handed_on()
    {
        await using var fixture = await Fixture.StartAsync();
        var window = new DayWindow(fixture.Today.AddDays(-20), fixture.Today.AddDays(-10));

        var (sink, outcome, _) = await fixture.ReadAllAsync(window);

        Assert.All(sink.Executions.Values.Where(e => e.Status != ExecutionStatus.Unfinished), e => Assert.InRange(fixture.Day(e.StartedAt), window.From, window.To));
        Assert.Equal(window.To, outcome.CompleteThrough);
    }

    [Fact]
    public async Task What_starts_between_two_messages_of_a_slice_neither_doubles_nor_drops_anything()
    {
        await using var fixture = await Fixture.StartAsync(new() { ["N8n:PageSize"] = "20", ["N8n:MaxPagesPerFetch"] = "2" });
        var window = fixture.Last(10);
        var before = fixture.Truth(window);
        var sink = new RecordingSink();
        string? checkpoint = null;
        do
        {
            var outcome = Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(window, sink, checkpoint));
            checkpoint = outcome.Checkpoint;
            fixture.Time.Advance(TimeSpan.FromMinutes(10));
        }
        while (checkpoint is not null);

        Assert.Superset(before.Select(e => Text(e.Id)).ToHashSet(), sink.Executions.Keys.ToHashSet());
    }

    [Fact]
    public async Task A_checkpoint_whose_cursor_is_no_longer_good_begins_again()
    {
        await using var fixture = await Fixture.StartAsync();
        var window = fixture.Last(5);
        var sink = new RecordingSink();

        Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(window, sink, """{"cursor":"not base64"}"""));
        Assert.Equal(fixture.Truth(window).Count(e => e.StatusAt(fixture.Time.GetUtcNow()) != "running"), sink.Executions.Count);

        sink = new RecordingSink();
        Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(window, sink, "no json at all"));
        AssertSame(fixture.Truth(window), sink, fixture.Time.GetUtcNow());
    }

    public static TheoryData<string, string, string> Faulty() => new()
    {
        { nameof(N8nFaults.Unauthorized), nameof(AuthorizationLost), "key" },
        { nameof(N8nFaults.Forbidden), nameof(AuthorizationLost), "scope" },
        { nameof(N8nFaults.NotFound), nameof(RequestRefused), "public API" },
        { nameof(N8nFaults.LoginPage), nameof(RequestRefused), "login page" },
        { nameof(N8nFaults.TooManyRequests), nameof(RateLimited), "slow down" },
        { nameof(N8nFaults.Internal), nameof(ProviderDown), "500" },
        { nameof(N8nFaults.BadGateway), nameof(ProviderDown), "502" },
        { nameof(Fault.Reset), nameof(ProviderDown), "broke off" },
        { nameof(Fault.Truncated), nameof(ProviderDown), "breaks off" },
        { nameof(Fault.BrokenOff), nameof(ProviderDown), "broke off" },
        { nameof(Fault.EmptyBody), nameof(ProviderDown), "cannot be read" },
        { nameof(Fault.Oversized), nameof(ProviderDown), "too large" },
        { nameof(Fault.Delay), nameof(ProviderDown), "in time" },
    };

    [Theory]
    [MemberData(nameof(Faulty))]
    public async Task A_misbehaving_n8n_is_an_outcome_and_nothing_is_handed_on(string name, string expected, string says)
    {
        var fault = name switch
        {
            nameof(N8nFaults.Unauthorized) => N8nFaults.Unauthorized,
            nameof(N8nFaults.Forbidden) => N8nFaults.Forbidden,
            nameof(N8nFaults.NotFound) => N8nFaults.NotFound,
            nameof(N8nFaults.LoginPage) => N8nFaults.LoginPage,
            nameof(N8nFaults.TooManyRequests) => N8nFaults.TooManyRequests,
            nameof(N8nFaults.Internal) => N8nFaults.Internal,
            nameof(N8nFaults.BadGateway) => N8nFaults.BadGateway,
            nameof(Fault.Reset) => new Fault.Reset(),
            nameof(Fault.Truncated) => new Fault.Truncated(),
            nameof(Fault.BrokenOff) => new Fault.BrokenOff(),
            nameof(Fault.EmptyBody) => new Fault.EmptyBody(),
            nameof(Fault.Oversized) => new Fault.Oversized(40 * 1024 * 1024),
            _ => new Fault.Delay(TimeSpan.FromSeconds(10)),
        };

        // At the first page of executions, which alone must be read, and at the second: three lists beside it (workflows, running, waiting) go well before.
        foreach (var good in new[] { 3, 4 })
        {
            await using var fixture = await Fixture.StartAsync(
                new() { ["N8n:PageSize"] = "50", ["N8n:TimeoutSeconds"] = name == nameof(Fault.Delay) ? "3" : "20" });
            fixture.N8n.Faults.Next("merch-shop", new Fault.Delay(TimeSpan.Zero), good);
            fixture.N8n.Faults.Next("merch-shop", fault);
            var sink = new RecordingSink();

            var outcome = await fixture.FetchAsync(fixture.Last(7), sink);

            Assert.Equal(expected, outcome.GetType().Name);
            Assert.Contains(says, $"{outcome}", StringComparison.Ordinal);
            if (outcome is RateLimited limited)
                Assert.Equal(Fixture.Anchor.AddSeconds(20), limited.Until);
            Assert.Empty(sink.Executions);
            Assert.Empty(sink.Workflows);
            Assert.Equal(good + 1, fixture.N8n.Faults.Count("merch-shop"));
        }
    }

    [Fact]
    public async Task A_wrong_key_or_an_unknown_path_is_said_in_so_many_words()
    {
        await using var fixture = await Fixture.StartAsync();
        fixture.N8n.SetApiKey("merch-shop", "another");

        Assert.IsType<AuthorizationLost>(await fixture.FetchAsync(fixture.Last(3), new RecordingSink()));
        Assert.IsType<RequestRefused>(await fixture.FetchAsync(fixture.Last(3), new RecordingSink(), path: "nobody-here"));
    }

    [Fact]
    public async Task The_callers_cancellation_is_thrown()
    {
        await using var fixture = await Fixture.StartAsync();
        fixture.N8n.Faults.Next("merch-shop", new Fault.Delay(TimeSpan.FromSeconds(20)));
        using var soon = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        soon.CancelAfter(TimeSpan.FromMilliseconds(300));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            fixture.Connector.FetchAsync(fixture.Request(fixture.Last(3)), new RecordingSink(), soon.Token));
    }

    [Fact]
    public async Task Nordlichts_invoices_have_failed_on_every_run_for_three_days()
    {
        await using var fixture = await Fixture.StartAsync();
        var executions = fixture.N8n.Executions("nordlicht-studio").Where(e => e.WorkflowId == "nL2Invoices00002" && e.Mode == "trigger").ToList();
        var berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        var since = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(Fixture.Anchor, berlin).DateTime).AddDays(-3);

        var recent = executions.Where(e => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(e.StartedAt, berlin).DateTime) >= since).ToList();
        Assert.NotEmpty(recent);
        Assert.All(recent, e => Assert.Equal("error", e.Outcome));
        Assert.InRange(executions.Except(recent).Count(e => e.Outcome == "error"), 1, executions.Count / 50);
    }

    private static string Text(long id) => id.ToString(CultureInfo.InvariantCulture);

    private static void AssertSame(IReadOnlyCollection<SimulatedExecution> truth, RecordingSink sink, DateTimeOffset now)
    {
        Assert.Equal(truth.Select(e => Text(e.Id)).Order(StringComparer.Ordinal), sink.Executions.Keys.Order(StringComparer.Ordinal));
        foreach (var execution in truth)
        {
            var reading = sink.Executions[Text(execution.Id)];
            var (status, ended) = execution.StatusAt(now) switch
            {
                "success" => (ExecutionStatus.Succeeded, true),
                "error" => (ExecutionStatus.Failed, true),
                _ => (ExecutionStatus.Unfinished, false),
            };
            var kind = execution.Mode switch
            {
                "manual" => ExecutionKind.Manual,
                "error" => ExecutionKind.ErrorHandler,
                "integrated" => ExecutionKind.SubWorkflow,
                _ => ExecutionKind.Production,
            };
            var expected = new ExecutionReading(Text(execution.Id), execution.WorkflowId, status, kind, execution.StartedAt, ended ? execution.EndsAt : null);
            if (execution.StatusAt(now) == "waiting")
            {
                expected = expected with
                {
                    IsWaiting = true,
                    WaitUntil = execution.WaitTill,
                    WakesAt = execution.WaitTill,
                    // The simulator lets it fall asleep so soon.
                    AsleepAt = execution.StartedAt.AddMilliseconds(16),
                };
            }

            Assert.Equal(expected, reading);
        }
    }

    /// <summary>The real connector, registered as in the app, against Merch Shop's simulated n8n, under one clock.</summary>
    private sealed class Fixture : IAsyncDisposable
    {
        private readonly ServiceProvider services;

        private Fixture(FakeTimeProvider time, N8nSimulator n8n, ServiceProvider services)
        {
            Time = time;
            N8n = n8n;
            this.services = services;
            Connector = services.GetRequiredService<IConnector>();
        }

        public static DateTimeOffset Anchor { get; } = new(2026, 11, 19, 20, 30, 0, 250, TimeSpan.Zero);

        public FakeTimeProvider Time { get; }
        public N8nSimulator N8n { get; }
        public IConnector Connector { get; }
        public TimeZoneInfo Zone { get; } = TimeZoneInfo.FindSystemTimeZoneById("America/Los_Angeles");
        public DateOnly Today => Day(Time.GetUtcNow());

        public static async Task<Fixture> StartAsync(Dictionary<string, string?>? settings = null, Func<N8nSimulatorOptions, N8nSimulatorOptions>? change = null)
        {
            var time = new FakeTimeProvider(Anchor);
            var options = DemoWorld.N8n(Anchor);
            var n8n = await N8nSimulator.StartAsync(change?.Invoke(options) ?? options, time, Ct);
            var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings ?? []).Build();
            configuration["Outbound:AllowedHosts"] = n8n.BaseAddress.Authority;
            return new Fixture(
                time, n8n, new ServiceCollection().AddSingleton<TimeProvider>(time).AddN8nConnector(configuration).BuildServiceProvider());
        }

        public DateOnly Day(DateTimeOffset instant) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, Zone).DateTime);

        public DayWindow Last(int days) => new(Today.AddDays(1 - days), Today);

        public List<SimulatedExecution> Truth(DayWindow window) =>
            [.. N8n.Executions("merch-shop").Where(e => Day(e.StartedAt) >= window.From && Day(e.StartedAt) <= window.To)];

        /// <summary>The day after the least end of what is left of a pruning: of the day itself a part may be gone.</summary>
        public DateOnly FirstWholeDay(DateTimeOffset cut) =>
            Day(N8n.Executions("merch-shop").Where(e => e.EndsAt >= cut && e.EndsAt <= Time.GetUtcNow() && e.WaitTill is null).Min(e => e.EndsAt)).AddDays(1);

        public FetchRequest Request(DayWindow window, string? checkpoint = null, IReadOnlyList<string>? unfinished = null, string path = "merch-shop") => new()
        {
            IntegrationId = Guid.NewGuid(),
            Window = window,
            TimeZone = Zone,
            Settings = JsonSerializer.SerializeToElement(new { baseUrl = N8n.BaseUrl(path) }),
            Credentials = JsonSerializer.SerializeToElement(new { apiKey = "n8n_demo_merch_shop" }),
            Checkpoint = checkpoint,
            UnfinishedExecutions = unfinished ?? [],
        };

        public Task<FetchOutcome> FetchAsync(
            DayWindow window, RecordingSink sink, string? checkpoint = null, IReadOnlyList<string>? unfinished = null, string path = "merch-shop") =>
            Connector.FetchAsync(Request(window, checkpoint, unfinished, path), sink, Ct);

        public async Task<(RecordingSink Sink, FetchSucceeded Last, int Messages)> ReadAllAsync(DayWindow window, IReadOnlyList<string>? unfinished = null)
        {
            var sink = new RecordingSink();
            string? checkpoint = null;
            for (var messages = 1; ; messages++)
            {
                Assert.InRange(messages, 1, 500);
                var outcome = Assert.IsType<FetchSucceeded>(await FetchAsync(window, sink, checkpoint, unfinished));
                if (outcome.Checkpoint is null)
                    return (sink, outcome, messages);
                checkpoint = outcome.Checkpoint;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await services.DisposeAsync();
            await N8n.DisposeAsync();
        }
    }
}
