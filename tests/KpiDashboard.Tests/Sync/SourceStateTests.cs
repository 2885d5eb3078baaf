using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using Xunit;

namespace KpiDashboard.Tests.Sync;

public sealed class SourceStateTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private static readonly SourceState Healthy = new(
        Guid.NewGuid(), "n8n", "n8n", "active", null, "daily", Now.AddHours(-8), new DateOnly(2026, 11, 20), new DateOnly(2026, 11, 18), null, new DateOnly(2025, 10, 21),
        0, null, Now.AddHours(16), false, null, Now);

    [Fact]
    public void A_source_that_was_read_on_time_has_nothing_to_say()
    {
        var freshness = Healthy.ToFreshness();
        Assert.Equal((SourceStatus.Ok, null), (freshness.Status, freshness.Message));
        Assert.Equal((Healthy.FetchedAt, Healthy.CompleteThrough, Healthy.FinalThrough), (freshness.FetchedAt, freshness.CompleteThrough, freshness.FinalThrough));
    }

    [Theory]
    [InlineData("daily", 30)]
    [InlineData("hourly", 3)]
    [InlineData("quarter_hourly", 3)]
    public void A_source_is_late_when_it_was_not_read_for_longer_than_its_schedule_and_some_slack(string schedule, int hours)
    {
        Assert.Equal(SourceStatus.Ok, (Healthy with { Schedule = schedule, FetchedAt = Now.AddHours(-hours) }).ToFreshness().Status);
        Assert.Equal(SourceStatus.Late, (Healthy with { Schedule = schedule, FetchedAt = Now.AddHours(-hours).AddSeconds(-1) }).ToFreshness().Status);
    }

    [Fact]
    public void A_run_that_waits_says_why_and_its_numbers_are_called_as_old_as_they_are()
    {
        const string Why = "Google Analytics does not answer at the moment; we try again at 14:05.";
        var waiting = Healthy with { Live = true, WaitsFor = Why };
        Assert.Equal((SourceStatus.Syncing, Why), (waiting.ToFreshness().Status, waiting.ToFreshness().Message));
        var late = (waiting with { FetchedAt = Now.AddHours(-31) }).ToFreshness();
        Assert.Equal((SourceStatus.Late, Why), (late.Status, late.Message));
        Assert.Equal((SourceStatus.Failing, Why), ((waiting with { ConsecutiveFailures = 1 }).ToFreshness() is var failing ? (failing.Status, failing.Message) : default));
        Assert.Equal(SourceStatus.Paused, (waiting with { State = "paused" }).ToFreshness().Status);
        // Others, whose runs do not wait, are not concerned.
        Assert.Null(Healthy.ToFreshness().Message);
    }

    [Fact]
    public void What_only_a_person_can_mend_is_said_before_anything_else()
    {
        var troubled = Healthy with { FetchedAt = null, ConsecutiveFailures = 3, Live = true };
        Assert.Equal(SourceStatus.Syncing, troubled.ToFreshness().Status);
        Assert.Equal(SourceStatus.Failing, (troubled with { Live = false }).ToFreshness().Status);
        Assert.Equal(SourceStatus.ReconnectNeeded, (troubled with { State = "reconnect_needed" }).ToFreshness().Status);
        Assert.Equal(SourceStatus.Paused, (troubled with { State = "paused" }).ToFreshness().Status);
        Assert.Equal(SourceStatus.NeverSynced, (Healthy with { FetchedAt = null }).ToFreshness().Status);
    }

    [Fact]
    public void The_owner_reads_what_is_wrong_in_his_words()
    {
        Assert.Equal("n8n could not be read the last time: It did not answer. It is tried again by itself.",
            (Healthy with { ConsecutiveFailures = 1, LastError = "It did not answer." }).ToFreshness().Message);
        Assert.Equal("n8n could not be read the last 4 times: It did not answer. It is tried again by itself.",
            (Healthy with { ConsecutiveFailures = 4, LastError = "It did not answer." }).ToFreshness().Message);
        Assert.Equal("n8n no longer lets us in. Numbers since then are missing, not zero. Connect it again.", (Healthy with { State = "reconnect_needed" }).ToFreshness().Message);
        Assert.Equal("The key was revoked.", (Healthy with { State = "reconnect_needed", StatusMessage = "The key was revoked." }).ToFreshness().Message);
    }

    [Fact]
    public void Sources_are_complete_together_up_to_the_day_of_the_slowest_that_ever_delivered()
    {
        Assert.Null(SourceState.CommonCompleteThrough([]));
        Assert.Null(SourceState.CommonCompleteThrough([Healthy with { CompleteThrough = null }]));
        Assert.Equal(new DateOnly(2026, 11, 17), SourceState.CommonCompleteThrough(
            [Healthy, Healthy with { CompleteThrough = new DateOnly(2026, 11, 17) }, Healthy with { CompleteThrough = null }]));
    }

    [Fact]
    public void A_period_does_not_end_where_an_outage_begins()
    {
        var analytics = Healthy with
        {
            Connector = "google-analytics",
            DisplayName = "Google Analytics",
            CompleteThrough = new DateOnly(2026, 11, 19)
        };
        // Its usual wait: the period waits with it.
        Assert.Equal(new DateOnly(2026, 11, 19), SourceState.PeriodThrough([Healthy, analytics]));
        var silent = analytics with { CompleteThrough = new DateOnly(2026, 11, 14) };
        Assert.Equal(new DateOnly(2026, 11, 18), SourceState.PeriodThrough([Healthy, silent]));
        Assert.Equal(new DateOnly(2026, 11, 18), SourceState.PeriodThrough([silent]));
        Assert.Equal(new DateOnly(2026, 11, 14), SourceState.CommonCompleteThrough([Healthy, silent]));
        // Neither does it where a sign-in was lost, or somebody paused.
        Assert.Equal(new DateOnly(2026, 11, 18), SourceState.PeriodThrough([Healthy, silent with { State = "reconnect_needed" }]));
        Assert.Equal(new DateOnly(2026, 11, 18), SourceState.PeriodThrough([Healthy, silent with { State = "paused" }]));
        // What never delivered says nothing of days, and what was disconnected is waited for by nobody.
        Assert.Equal(Healthy.CompleteThrough, SourceState.PeriodThrough([Healthy, silent with { CompleteThrough = null },
            silent with { State = "disconnected" }]));
        Assert.Null(SourceState.PeriodThrough([]));
    }

    [Fact]
    public void The_engine_gets_the_clocks_of_each_source_under_its_connector()
    {
        var clocks = SourceState.Clocks([Healthy, Healthy with { Connector = "google-analytics", CompleteThrough = null, FinalThrough = null }]);
        Assert.Equal(new SourceClock(new DateOnly(2026, 11, 20), new DateOnly(2026, 11, 18)), clocks["n8n"]);
        Assert.Equal(default, clocks["google-analytics"]);
    }

    [Fact]
    public void A_business_does_as_its_worst_source_and_says_what_that_one_says()
    {
        var failing = (Healthy with { ConsecutiveFailures = 1, LastError = "It did not answer." }).ToFreshness();
        var lost = (Healthy with { State = "reconnect_needed", StatusMessage = "The key was revoked." }).ToFreshness();
        Assert.Equal((TenantHealth.Ok, null), SourceState.HealthOf([Healthy.ToFreshness(), (Healthy with { Live = true }).ToFreshness()]));
        Assert.Equal((TenantHealth.Attention, failing.Message), SourceState.HealthOf([Healthy.ToFreshness(), failing]));
        Assert.Equal((TenantHealth.Trouble, "The key was revoked."), SourceState.HealthOf([failing, lost, Healthy.ToFreshness()]));
        Assert.Equal(TenantHealth.Empty, SourceState.HealthOf([]).Health);
        Assert.Equal(TenantHealth.Attention, SourceState.HealthOf([(Healthy with { State = "paused" }).ToFreshness()]).Health);
    }

    [Fact]
    public void What_is_said_of_a_silent_source_and_of_its_business_is_one_judgement()
    {
        var silent = (Healthy with { CompleteThrough = new DateOnly(2026, 11, 10) }).ToFreshness();
        Assert.True(silent.Silent);
        Assert.Equal((TenantHealth.Attention, "n8n is read on time, but has no data since 11 Nov 2026."), SourceState.HealthOf([Healthy.ToFreshness(), silent]));
        Assert.Equal(TenantHealth.Attention, silent.Health);
        Assert.False(Healthy.ToFreshness().Silent);
        // What asks for more than a look is said first, and a silence that has another reason is that reason.
        var lost = (Healthy with { State = "reconnect_needed", StatusMessage = "The key was revoked.", CompleteThrough = new DateOnly(2026, 11, 10) }).ToFreshness();
        Assert.False(lost.Silent);
        Assert.Equal((TenantHealth.Trouble, "The key was revoked."), SourceState.HealthOf([silent, lost]));
    }
}
