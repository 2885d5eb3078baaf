using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Connectors;
using KpiDashboard.Sync;
using Xunit;

namespace KpiDashboard.Tests.Sync;

public sealed class SyncWindowTests
{
    [Property]
    public void The_first_sync_reaches_the_same_28_days_of_last_year_even_if_they_end_a_week_ago(int offset, int age)
    {
        var today = new DateOnly(2024, 1, 1).AddDays((offset & int.MaxValue) % 2000);
        var to = today.AddDays(-1 - ((age & int.MaxValue) % (KpiDashboard.Kpis.Period.MaxAnchorAge + 1)));
        var (from, _) = KpiDashboard.Kpis.Period.Other("last_28_days", to.AddDays(-27), to, "previous_year");
        Assert.True(SyncWindow.Plan(null, null, null, today, DateTimeOffset.UnixEpoch).From <= from);
    }

    private static readonly DateOnly Today = new(2026, 11, 21);
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 5, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("2026-11-21", "2025-10-07")]
    [InlineData("2028-03-31", "2027-02-14")]
    [InlineData("2029-03-31", "2028-02-15")]
    public void The_first_sync_reads_13_months_and_two_weeks(string today, string from)
    {
        var day = DateOnly.ParseExact(today, "yyyy-MM-dd", null);
        Assert.Equal(new DayWindow(DateOnly.ParseExact(from, "yyyy-MM-dd", null), day), SyncWindow.Plan(null, null, null, day, Now));
    }

    [Fact]
    public void A_first_sync_that_did_not_come_to_its_end_is_done_again_from_the_start() =>
        Assert.Equal(new DayWindow(Today.AddMonths(-13).AddDays(-14), Today), SyncWindow.Plan(Today.AddDays(-1), null, Now.AddHours(-1), Today, Now));

    [Fact]
    public void A_daily_sync_reads_the_last_three_days_again_and_today()
    {
        // Read yesterday, when yesterday was today: three days before that were still open.
        var window = SyncWindow.Plan(Today.AddDays(-1), Now.AddDays(-40), Now.AddDays(-2), Today, Now);
        Assert.Equal(new DayWindow(Today.AddDays(-4), Today), window);
        Assert.Equal(new DayWindow(Today.AddDays(-3), Today), SyncWindow.Plan(Today, Now.AddDays(-40), Now.AddDays(-2), Today, Now));
    }

    [Fact]
    public void Once_a_week_it_reads_fourteen_days_again()
    {
        var deep = new DayWindow(Today.AddDays(-14), Today);
        Assert.Equal(deep, SyncWindow.Plan(Today, Now.AddDays(-40), Now.AddDays(-7), Today, Now));
        Assert.Equal(deep, SyncWindow.Plan(Today, Now.AddDays(-40), null, Today, Now));
        Assert.NotEqual(deep, SyncWindow.Plan(Today, Now.AddDays(-40), Now.AddDays(-7).AddSeconds(1), Today, Now));
    }

    [Fact]
    public void After_ninety_days_of_downtime_it_reads_from_three_days_before_the_last_day_read() =>
        Assert.Equal(new DayWindow(Today.AddDays(-93), Today), SyncWindow.Plan(Today.AddDays(-90), Now.AddDays(-400), Now.AddDays(-90), Today, Now));

    [Property(MaxTest = 1000)]
    public void No_window_leaves_a_gap_to_what_was_read_and_each_ends_today(DoNotSize<uint> readAgo, int ahead, bool never, bool backfilled, DoNotSize<uint> deepAgo, bool deepNever)
    {
        // A clock set back may make the last day read lie after today.
        DateOnly? readTo = never ? null : Today.AddDays(Math.Abs(ahead % 3) - (int)(readAgo.Item % 1000));
        DateTimeOffset? backfilledAt = backfilled ? Now.AddDays(-500) : null;
        DateTimeOffset? deepReadAt = deepNever ? null : Now.AddMinutes(-(int)(deepAgo.Item % 30_000));

        var window = SyncWindow.Plan(readTo, backfilledAt, deepReadAt, Today, Now);

        Assert.Equal(Today, window.To);
        Assert.True(window.From <= Today.AddDays(-3));
        if (never || !backfilled) Assert.Equal(Today.AddMonths(-13).AddDays(-14), window.From);
        else
        {
            Assert.True(window.From <= readTo!.Value.AddDays(1), "A day between what was read and the window is left out.");
            Assert.True(window.From <= readTo.Value.AddDays(-3), "Days that were open when they were read are not read again.");
            if (deepReadAt is null || Now - deepReadAt >= TimeSpan.FromDays(7)) Assert.True(window.From <= Today.AddDays(-14));
            // And nothing more than it must.
            Assert.True(window.From >= Today.AddDays(-14) || window.From == readTo.Value.AddDays(-3));
        }
    }
}
