using System.Globalization;
using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Goals;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;
using Xunit;

namespace KpiDashboard.Tests.Goals;

/// <summary>Periods, pace and verdicts of goals.</summary>
public sealed class GoalTests
{
    private static readonly DateOnly First = new(2026, 11, 1);

    private static TenantProfile Tenant(short weekStart = 1, short fiscal = 1) => new(Guid.NewGuid(), "T", "Europe/Berlin", "EUR", "en-GB", weekStart, null, null, 1, false, fiscal);

    private static Goal Make(GoalRhythm rhythm, decimal target, string kpi = "web.sessions", DateOnly? starts = null, DateOnly? ends = null) =>
        new(Guid.NewGuid(), kpi, null, rhythm, starts ?? First, ends, [starts ?? First], [target], default);

    /// <summary>A month of a KPI at the same value a day, with gaps, complete through a day.</summary>
    private static GoalStanding Stand(Goal goal, decimal daily, int known, DateOnly today, params int[] gaps)
    {
        var kpi = KpiCatalogue.Part(goal.Kpi);
        var complete = First.AddDays(known - 1);
        var table = new KpiTable(
            First, today > complete ? today : complete, Enumerable.Range(0, known).Except(gaps).SelectMany(day => kpi.Parts.Select(part => (part, First.AddDays(day), daily))),
            new Dictionary<string, SourceClock> { ["google-analytics"] = new(complete, complete), ["n8n"] = new(complete, complete) }, new TenantEconomics(null, null));
        return goal.Stand(kpi, table, goal.PeriodOf(First, Tenant()), today, null);
    }

    [Theory]
    [InlineData("Week", "2026-11-18", 1, 1, "2026-11-16", "2026-11-22")]
    [InlineData("Week", "2026-11-18", 0, 1, "2026-11-15", "2026-11-21")]
    [InlineData("Week", "2027-01-01", 1, 1, "2026-12-28", "2027-01-03")]
    [InlineData("Month", "2028-02-29", 1, 1, "2028-02-01", "2028-02-29")]
    [InlineData("Quarter", "2026-11-18", 1, 1, "2026-10-01", "2026-12-31")]
    [InlineData("Quarter", "2026-11-18", 1, 3, "2026-09-01", "2026-11-30")]
    [InlineData("Quarter", "2027-01-31", 1, 12, "2026-12-01", "2027-02-28")]
    [InlineData("Year", "2026-11-18", 1, 1, "2026-01-01", "2026-12-31")]
    [InlineData("Year", "2026-03-31", 1, 4, "2025-04-01", "2026-03-31")]
    [InlineData("Year", "2026-04-01", 1, 4, "2026-04-01", "2027-03-31")]
    public void A_period_is_of_the_tenants_week_month_and_fiscal_year(string rhythm, string day, short weekStart, short fiscal, string from, string to)
    {
        var period = Make(Enum.Parse<GoalRhythm>(rhythm), 1).PeriodOf(DateOnly.Parse(day, CultureInfo.InvariantCulture), Tenant(weekStart, fiscal));
        Assert.Equal((from, to), ($"{period.From:O}", $"{period.To:O}"));
    }

    [Property(MaxTest = 500)]
    public void Every_day_is_in_exactly_one_period_and_periods_follow_each_other(DoNotSize<uint> number, byte rhythm, byte weekStart, byte fiscal)
    {
        var (goal, tenant) = (Make((GoalRhythm)(rhythm % 4), 1), Tenant((short)(weekStart % 7), (short)((fiscal % 12) + 1)));
        var day = new DateOnly(2020, 1, 1).AddDays((int)(number.Item % 7300));
        var (from, to) = goal.PeriodOf(day, tenant);
        Assert.True(from <= day && day <= to);
        Assert.Equal((from, to), goal.PeriodOf(from, tenant));
        Assert.Equal((from, to), goal.PeriodOf(to, tenant));
        Assert.Equal(to.AddDays(1), goal.PeriodOf(to.AddDays(1), tenant).From);
    }

    [Fact]
    public void The_pace_of_a_sum_is_its_value_by_the_share_of_complete_days()
    {
        // 10 days at 104 of 3,000 in 30 days: 3,120.
        var standing = Stand(Make(GoalRhythm.Month, 3000), 104, 10, First.AddDays(10));
        Assert.Equal((1040m, 3120m, 1.04m, GoalState.OnTrack, 10, 30), (standing.Value, standing.Projected, standing.Pace, standing.State, standing.KnownDays, standing.Days));
        Assert.Equal("1,040 of 3,000 after 10 days of 30: on track for 104%.", standing.Text);
    }

    [Fact]
    public void Today_is_not_half_counted_and_days_that_are_not_complete_are_not_either()
    {
        // Complete through the 10th, today is the 13th.
        var standing = Stand(Make(GoalRhythm.Month, 3000), 100, 10, First.AddDays(12));
        Assert.Equal((First.AddDays(9), 1000m, 1m), (standing.Through, standing.Value, standing.Pace));
    }

    [Fact]
    public void A_ratio_is_its_own_pace()
    {
        var standing = Stand(Make(GoalRhythm.Month, 0.5m, "web.engagement_rate"), 7, 10, First.AddDays(10));
        Assert.Equal((1m, 1m, 2m, GoalState.OnTrack), (standing.Value, standing.Projected, standing.Pace, standing.State));
    }

    [Fact]
    public void Where_less_is_better_staying_below_is_on_track_and_what_is_passed_is_missed()
    {
        Assert.Equal(GoalState.OnTrack, Stand(Make(GoalRhythm.Month, 60, "automation.failed"), 1, 10, First.AddDays(10)).State);
        Assert.Equal(GoalState.OffTrack, Stand(Make(GoalRhythm.Month, 20, "automation.failed"), 1, 10, First.AddDays(10)).State);
        Assert.Equal(GoalState.Missed, Stand(Make(GoalRhythm.Month, 9, "automation.failed"), 1, 10, First.AddDays(10)).State);
        Assert.Equal(GoalState.Met, Stand(Make(GoalRhythm.Month, 30, "automation.failed"), 1, 30, First.AddDays(30)).State);
        Assert.Equal(GoalState.Missed, Stand(Make(GoalRhythm.Month, 29, "automation.failed"), 1, 30, First.AddDays(30)).State);
    }

    [Fact]
    public void A_goal_that_is_missed_by_little_does_not_look_met()
    {
        var kpi = KpiCatalogue.Part("web.engagement_rate");
        var values = Enumerable.Range(0, 30).SelectMany(day => new[] { ("web.engaged_sessions", First.AddDays(day), 9985m), ("web.sessions", First.AddDays(day), 10_000m) });
        var table = new KpiTable(First, First.AddDays(30), values, new Dictionary<string, SourceClock> { ["google-analytics"] = new(First.AddDays(30), First.AddDays(30)) }, new TenantEconomics(null, null));
        var goal = Make(GoalRhythm.Month, 0.999m, kpi.Key);
        var right = Enumerable.Range(0, 30).SelectMany(day => new[] { ("web.engaged_sessions", First.AddDays(day), 9990m), ("web.sessions", First.AddDays(day), 10_000m) });
        var reached = new KpiTable(
            First, First.AddDays(30), right, new Dictionary<string, SourceClock> { ["google-analytics"] = new(First.AddDays(30), First.AddDays(30)) }, new TenantEconomics(null, null));
        Assert.Equal("99.9% of 99.9%: met.", goal.Stand(kpi, reached, goal.PeriodOf(First, Tenant()), First.AddDays(30), null).Text);
        Assert.Equal("99.85% of 99.9%: missed.", goal.Stand(kpi, table, goal.PeriodOf(First, Tenant()), First.AddDays(30), null).Text);
        // And while it goes on.
        Assert.Equal("99.85% of 99.9% after 10 days of 30: off track.", goal.Stand(kpi, table, goal.PeriodOf(First, Tenant()), First.AddDays(10), null).Text);
    }

    [Fact]
    public void What_may_be_given_back_is_not_met_for_good_and_what_fell_back_says_so()
    {
        var orders = new KpiDefinition
        {
            Key = "custom.orders",
            Name = "Orders",
            Description = "",
            Unit = KpiUnit.Count,
            Direction = KpiDirection.Up,
            Aggregation = KpiAggregation.Sum,
            Source = TenantCatalogue.PushSource,
            IsSparse = true,
        };
        var goal = Make(GoalRhythm.Month, 100, orders.Key);
        GoalStanding At(int days, params decimal[] values) => goal.Stand(
            orders, new KpiTable(First, First.AddDays(days), values.Select((value, day) => (orders.Key, First.AddDays(day), value)),
                new Dictionary<string, SourceClock> { [TenantCatalogue.PushSource] = new(DateOnly.MaxValue, DateOnly.MaxValue) }, new TenantEconomics(null, null)),
            goal.PeriodOf(First, Tenant()), First.AddDays(days), null);
        var reached = At(6, 20, 20, 20, 20, 20, 5);
        Assert.Equal((GoalState.OnTrack, "105 of 100 after 6 days of 30: reached so far."), (reached.State, reached.Text));
        var fell = At(7, 20, 20, 20, 20, 20, 5, -90);
        Assert.Equal(GoalState.OffTrack, fell.State);
        Assert.EndsWith("It was reached before, and fell back.", fell.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_provisional_count_that_is_reached_is_not_settled_and_a_final_one_is()
    {
        var (goal, kpi) = (Make(GoalRhythm.Month, 500), KpiCatalogue.Part("web.sessions"));
        var values = Enumerable.Range(0, 10).Select(day => ("web.sessions", First.AddDays(day), 100m)).ToList();
        GoalState With(DateOnly final) => goal.Stand(
            kpi, new KpiTable(First, First.AddDays(10), values, new Dictionary<string, SourceClock> { ["google-analytics"] = new(First.AddDays(9), final) }, new TenantEconomics(null, null)),
            goal.PeriodOf(First, Tenant()), First.AddDays(10), null).State;
        Assert.Equal((GoalState.OnTrack, GoalState.Met), (With(First.AddDays(5)), With(First.AddDays(9))));
    }

    [Theory]
    [InlineData(4, "too_few_days")]
    [InlineData(5, null)]
    public void With_too_few_days_no_pace_is_told(int known, string? reason)
    {
        var standing = Stand(Make(GoalRhythm.Month, 3000), 100, known, First.AddDays(known));
        Assert.Equal((reason, reason is null), (standing.PaceWithheld, standing.Pace is not null));
        if (reason is not null) Assert.Equal(GoalState.Unknown, standing.State);
    }

    [Fact]
    public void Gaps_are_not_zeros_and_many_of_them_leave_the_goal_open()
    {
        var some = Stand(Make(GoalRhythm.Month, 3000), 100, 20, First.AddDays(20), 3, 4);
        Assert.Equal((1800m, 3000m, 1m), (some.Value, some.Projected, some.Pace));
        var many = Stand(Make(GoalRhythm.Month, 3000), 100, 20, First.AddDays(20), 3, 4, 5, 6, 7);
        Assert.Equal(("missing_days", GoalState.Unknown), (many.PaceWithheld, many.State));
        var over = Stand(Make(GoalRhythm.Month, 3000), 100, 30, First.AddDays(31), 3);
        Assert.Equal(("missing_days", GoalState.Unknown), (over.PaceWithheld, over.State));
    }

    [Fact]
    public void What_is_not_measured_or_lies_ahead_has_no_verdict()
    {
        Assert.Equal(("not_measurable", GoalState.Unknown), (Stand(Make(GoalRhythm.Month, 3000), 100, 0, First) is var none ? (none.PaceWithheld, none.State) : default));
        var ahead = Stand(Make(GoalRhythm.Dated, 3000, starts: First, ends: First.AddDays(9)), 100, 5, First.AddDays(-3));
        Assert.Equal(("not_started", GoalState.NotStarted), (ahead.PaceWithheld, ahead.State));
        var zero = Stand(Make(GoalRhythm.Month, 0), 100, 10, First.AddDays(10));
        Assert.Null(zero.Pace);
    }

    [Fact]
    public void A_period_that_is_over_is_judged_by_the_target_that_it_had()
    {
        var goal = Make(GoalRhythm.Month, 100) with { TargetFrom = [First, First.AddMonths(1), First.AddMonths(2)], Targets = [100, 200, 300] };
        Assert.Equal([100, 200, 300, 300], new[] { 0, 1, 2, 3 }.Select(month => goal.TargetIn(First.AddMonths(month + 1).AddDays(-1))));
        var periods = goal.Periods(First.AddMonths(2).AddDays(3), Tenant());
        Assert.Equal([First.AddMonths(2), First.AddMonths(1), First], periods.Select(period => period.From));
        Assert.Equal(Goal.MaxHistory + 1, goal.Periods(First.AddYears(3), Tenant()).Count);
    }

    [Property(MaxTest = 200)]
    public void A_pace_times_the_target_is_the_projection(byte daily, byte known, ushort target)
    {
        var standing = Stand(Make(GoalRhythm.Month, target + 1), daily, (known % 25) + 5, First.AddDays((known % 25) + 5));
        if (standing.Pace is null) return;
        Assert.Equal((double)standing.Projected!.Value, (double)(standing.Pace.Value * (target + 1)), 0.1);
    }
}
