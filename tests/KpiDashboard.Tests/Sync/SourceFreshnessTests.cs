using System.Globalization;
using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Sources;
using Xunit;

namespace KpiDashboard.Tests.Sync;

/// <summary>What is news of a source, whoever asks.</summary>
public sealed class SourceFreshnessTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 9, 0, 0, TimeSpan.Zero);

    /// <summary>Read at four in the morning of every day; every one of the last 91 days has visits.</summary>
    private static SourceState Analytics(DateOnly? through, string zone = "UTC") => new(
        Guid.NewGuid(), "google-analytics", "Google Analytics", "active", null, "daily", Now.AddHours(-5), through, through, null,
            new DateOnly(2025, 10, 28), 0, null,
        Now.AddHours(19), false, null, Now, Zone: zone, DaysKnown: through is null ? null : 91, KnownFrom: through?.AddDays(-90),
            ConnectedAt: Now.AddDays(-300),
        BackfilledAt: Now.AddDays(-299));

    private static DateOnly Day(string day) => DateOnly.Parse(day, CultureInfo.InvariantCulture);

    [Theory]
    // Google may take two days: what is empty for no longer is no news.
    [InlineData("2026-11-28", null)]
    [InlineData("2026-11-27", null)]
    [InlineData("2026-11-26", null)]
    [InlineData("2026-11-25", "2026-11-26")]
    [InlineData("2026-11-22", "2026-11-23")]
    [InlineData("2026-09-01", "2026-09-02")]
    public void A_source_that_is_read_on_time_and_has_no_days_since_is_silent_from_the_third_empty_day_on(string through, string? since)
    {
        var freshness = Analytics(Day(through)).ToFreshness();
        Assert.Equal(SourceStatus.Ok, freshness.Status);
        Assert.Equal(since is not null, freshness.Silent);
        Assert.Equal(since is null ? null : Day(since), freshness.MissingSince);
        Assert.Equal(since is null ? TenantHealth.Ok : TenantHealth.Attention, freshness.Health);
        Assert.Equal(since is null, freshness.Message is null);
    }

    [Theory]
    // Read at 04:00 UTC of the 29th: in Los Angeles that is the evening of the 28th, on Kiritimati the evening of the 29th.
    [InlineData("America/Los_Angeles", "2026-11-25")]
    [InlineData("UTC", "2026-11-26")]
    [InlineData("Pacific/Kiritimati", "2026-11-26")]
    [InlineData("Etc/GMT-14", "2026-11-26")]
    [InlineData("Pacific/Pago_Pago", "2026-11-25")]
    [InlineData("No/Such_Zone", "2026-11-26")]
    public void Days_are_days_of_the_source(string zone, string due)
    {
        Assert.Equal(Day(due), Analytics(Day("2026-11-10"), zone).ToFreshness().DueThrough);
        Assert.False(Analytics(Day(due), zone).IsSilent);
        Assert.True(Analytics(Day(due).AddDays(-1), zone).IsSilent);
    }

    [Theory]
    // Days with visits among the last 91, and how many empty ones in a row are news.
    [InlineData(91, 1)]
    [InlineData(90, 1)]
    [InlineData(85, 2)]
    // Closed at weekends: two empty days come every week.
    [InlineData(65, 4)]
    [InlineData(45, 7)]
    [InlineData(1, 28)]
    public void What_is_often_empty_may_be_empty_for_longer(int known, int news)
    {
        var due = Day("2026-11-26");
        SourceState Quiet(int lacks) => Analytics(due.AddDays(-lacks)) with { DaysKnown = known, KnownFrom = due.AddDays(-lacks - 90) };
        Assert.False(Quiet(news - 1).IsSilent);
        Assert.True(Quiet(news).IsSilent);
    }

    [Theory]
    // Today is the 29th: of yesterday a number may still come.
    [InlineData(91, "2026-11-27", null)]
    [InlineData(91, "2026-11-26", "2026-11-27")]
    [InlineData(91, "2026-11-21", "2026-11-22")]
    // Sent on working days only, until Friday the 27th and until Friday the 20th.
    [InlineData(65, "2026-11-27", null)]
    [InlineData(65, "2026-11-20", "2026-11-21")]
    // Once a week: a week and more is no news, a month is.
    [InlineData(13, "2026-11-15", null)]
    [InlineData(13, "2026-10-25", "2026-10-26")]
    // Sent on six days ever: no rhythm.
    [InlineData(6, "2026-06-01", null)]
    public void A_number_that_is_sent_falls_silent_by_the_same_judgement(int known, string last, string? since)
    {
        var found = SourceFreshness.OfSent(known, Day(last).AddDays(-90), Day(last), Day("2026-11-29"));
        Assert.Equal(since is null ? null : (Day(since), Day("2026-11-27")), found);
    }

    [Property]
    public bool A_silence_that_goes_on_never_stops_being_one(PositiveInt known, PositiveInt empty)
    {
        var source = Analytics(Day("2026-11-26").AddDays(-(empty.Get % 200))) is var found
            ? found with { DaysKnown = 1 + (known.Get % 91), KnownFrom = found.CompleteThrough!.Value.AddDays(-90) }
            : throw new InvalidOperationException();
        var later = source with { Now = Now.AddDays(1), FetchedAt = source.FetchedAt!.Value.AddDays(1) };
        return !source.IsSilent || (later.IsSilent && SourceFreshness.Of(later).MissingSince == SourceFreshness.Of(source).MissingSince);
    }

    [Fact]
    public void A_source_that_never_delivered_is_news_once_all_of_its_past_was_asked_for()
    {
        var never = Analytics(null).ToFreshness();
        Assert.True(never.Silent);
        Assert.Equal("Google Analytics is read on time, but never had a day with data.", never.Message);
        Assert.Equal((null, null), (never.MissingSince, never.DueThrough));
        Assert.Equal((TenantHealth.Attention, never.Message), SourceState.HealthOf([never]));
        Assert.False((Analytics(null) with { BackfilledAt = null }).IsSilent);
        // Nothing of it is known, which is another sentence.
        Assert.Equal((SourceStatus.NeverSynced, false), (Analytics(null) with { FetchedAt = null }).ToFreshness() is var unread
            ? (unread.Status, unread.Silent) : default);
    }

    [Theory]
    [InlineData("reconnect_needed", 0, 5, "ReconnectNeeded")]
    [InlineData("active", 4, 5, "Failing")]
    [InlineData("active", 0, 80, "Late")]
    [InlineData("paused", 0, 80, "Paused")]
    public void What_has_another_reason_is_called_by_that_and_lacks_the_same_days(string state, int failures, int hours, string status)
    {
        var freshness = (Analytics(Day("2026-11-22")) with
        {
            State = state,
            ConsecutiveFailures = failures,
            FetchedAt = Now
            .AddHours(-hours)
        }).ToFreshness();
        Assert.Equal((status, false), (freshness.Status.ToString(), freshness.Silent));
        Assert.Equal(Day("2026-11-23"), freshness.MissingSince);
        Assert.NotNull(freshness.Message);
    }

    [Fact]
    public void That_a_read_goes_on_does_not_make_a_silence_well()
    {
        var freshness = (Analytics(Day("2026-11-22")) with { Live = true }).ToFreshness();
        Assert.Equal((SourceStatus.Syncing, true, TenantHealth.Attention), (freshness.Status, freshness.Silent, freshness.Health));
    }

    [Fact]
    public void What_is_only_pushed_to_lacks_days_once_it_is_late_by_its_own_rhythm()
    {
        var pushed = Analytics(Day("2026-11-22")) with
        {
            Connector = "n8n",
            DisplayName = "n8n",
            Schedule = "push",
            FetchedAt = Now
            .AddDays(-6),
            UsualGapMinutes = 60
        };
        var freshness = pushed.ToFreshness();
        Assert.Equal((SourceStatus.Late, false), (freshness.Status, freshness.Silent));
        Assert.Equal((Day("2026-11-23"), Day("2026-11-28")), (freshness.MissingSince, freshness.DueThrough));
        // A week is its rhythm, or it may be silent for good.
        Assert.Null((pushed with { UsualGapMinutes = 7 * 24 * 60 }).ToFreshness().MissingSince);
        Assert.Null((pushed with { PushRhythm = "never" }).ToFreshness().MissingSince);
        // Nothing ever came: it has no days that could be missing, and its status says so.
        Assert.Equal(SourceStatus.NeverSynced, (pushed with { FetchedAt = null, CompleteThrough = null }).ToFreshness().Status);
    }

    [Fact]
    public void N8n_knows_a_day_when_it_is_over()
    {
        var n8n = Analytics(Day("2026-11-28")) with { Connector = "n8n", DisplayName = "n8n" };
        Assert.False(n8n.IsSilent);
        Assert.False((n8n with { CompleteThrough = Day("2026-11-27") }).IsSilent);
        Assert.True((n8n with { CompleteThrough = Day("2026-11-26") }).IsSilent);
        // Of what no rule is known nothing is claimed, nor of what nobody waits for.
        Assert.Null((n8n with { Connector = "push", CompleteThrough = Day("2026-11-01") }).ToFreshness().MissingSince);
        Assert.Null((n8n with { State = "disconnected", CompleteThrough = Day("2026-11-01") }).ToFreshness().MissingSince);
    }
}
