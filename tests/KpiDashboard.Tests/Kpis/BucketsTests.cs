using System.Runtime.CompilerServices;
using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Kpis;
using KpiDashboard.Metrics;
using KpiDashboard.Tenancy;
using Xunit;

namespace KpiDashboard.Tests.Kpis;

public sealed class BucketsTests
{
    [Property(MaxTest = 500)]
    public void Buckets_hold_each_day_of_the_range_exactly_once_in_order(DoNotSize<uint> start, DoNotSize<uint> length, DayOfWeek weekStart)
    {
        var (from, to) = Range(start, length);
        foreach (var grain in new[] { "day", "week", "month" })
        {
            var days = MetricsEndpoints.Buckets(from, to, grain, weekStart)
                .SelectMany(bucket => Enumerable.Range(0, bucket.To.DayNumber - bucket.From.DayNumber + 1).Select(bucket.From.AddDays));
            Assert.Equal(Enumerable.Range(0, to.DayNumber - from.DayNumber + 1).Select(from.AddDays), days);
        }
    }

    [Property(MaxTest = 500)]
    public void A_week_begins_on_the_tenants_weekday_and_is_whole_only_with_seven_days(DoNotSize<uint> start, DoNotSize<uint> length, DayOfWeek weekStart)
    {
        var (from, to) = Range(start, length);
        foreach (var (first, cutFrom, cutTo, whole) in MetricsEndpoints.Buckets(from, to, "week", weekStart))
        {
            Assert.Equal(weekStart, first.DayOfWeek);
            Assert.InRange(cutFrom.DayNumber - first.DayNumber, 0, 6);
            Assert.InRange(cutTo.DayNumber - first.DayNumber, 0, 6);
            Assert.Equal(cutTo.DayNumber - cutFrom.DayNumber == 6, whole);
        }
    }

    [Property(MaxTest = 500)]
    public void A_month_begins_on_its_first_and_is_whole_only_from_the_first_to_the_last(DoNotSize<uint> start, DoNotSize<uint> length)
    {
        var (from, to) = Range(start, length);
        foreach (var (first, cutFrom, cutTo, whole) in MetricsEndpoints.Buckets(from, to, "month", DayOfWeek.Monday))
        {
            Assert.Equal((1, cutFrom.Year, cutFrom.Month), (first.Day, first.Year, first.Month));
            Assert.Equal((first.Year, first.Month), (cutTo.Year, cutTo.Month));
            Assert.Equal(cutFrom.Day == 1 && cutTo.AddDays(1).Day == 1, whole);
        }
    }

    [Fact]
    public void A_week_over_new_year_is_one_week_and_february_of_a_leap_year_has_29_days()
    {
        var week = Assert.Single(MetricsEndpoints.Buckets(new DateOnly(2027, 12, 27), new DateOnly(2028, 1, 2), "week", DayOfWeek.Monday));
        Assert.Equal((new DateOnly(2027, 12, 27), true), (week.Start, week.Whole));
        var month = Assert.Single(MetricsEndpoints.Buckets(new DateOnly(2028, 2, 1), new DateOnly(2028, 2, 29), "month", DayOfWeek.Monday));
        Assert.True(month.Whole);
        Assert.False(Assert.Single(MetricsEndpoints.Buckets(new DateOnly(2028, 2, 1), new DateOnly(2028, 2, 28), "month", DayOfWeek.Monday)).Whole);
    }

    [Fact]
    public void A_week_that_the_range_cuts_is_shown_as_partial_under_its_own_first_day()
    {
        // Wednesday to the Tuesday after next, all days final: only the week in the middle is a week.
        var from = new DateOnly(2026, 11, 4);
        var to = new DateOnly(2026, 11, 17);
        var table = new KpiTable(
            from, to, Enumerable.Range(0, 14).Select(day => ("web.sessions", from.AddDays(day), (decimal)(day + 1))),
            new Dictionary<string, SourceClock> { ["google-analytics"] = new(to, to) }, new TenantEconomics(null, null));

        var points = Points(null, KpiCatalogue.Find("web.sessions")!, table, "week", DayOfWeek.Monday).ToList();

        Assert.Equal(
            [
                new HistoryPoint(new DateOnly(2026, 11, 2), 1 + 2 + 3 + 4 + 5, ValueStatus.Partial),
                new HistoryPoint(new DateOnly(2026, 11, 9), 6 + 7 + 8 + 9 + 10 + 11 + 12, ValueStatus.Final),
                new HistoryPoint(new DateOnly(2026, 11, 16), 13 + 14, ValueStatus.Partial),
            ],
            points);
    }

    [Fact]
    public void A_month_without_data_is_a_point_of_null_and_not_left_out()
    {
        var from = new DateOnly(2026, 9, 1);
        var to = new DateOnly(2026, 11, 30);
        var table = new KpiTable(
            from, to, [("web.sessions", from, 3m), ("web.sessions", to, 4m)],
            new Dictionary<string, SourceClock> { ["google-analytics"] = new(to, to) }, new TenantEconomics(null, null));

        var points = Points(null, KpiCatalogue.Find("web.sessions")!, table, "month", DayOfWeek.Monday).ToList();

        Assert.Equal([3, null, 4], points.Select(point => point.Value));
        Assert.Equal([ValueStatus.Partial, ValueStatus.NotMeasurable, ValueStatus.Partial], points.Select(point => point.Status));
    }

    // 1999 to 2039, up to 800 days.
    private static (DateOnly From, DateOnly To) Range(DoNotSize<uint> start, DoNotSize<uint> length)
    {
        var from = new DateOnly(1999, 1, 1).AddDays((int)(start.Item % 14_600));
        return (from, from.AddDays((int)(length.Item % Period.MaxDays)));
    }

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "Points")]
    private static extern IEnumerable<HistoryPoint> Points(MetricsEndpoints? of, KpiDefinition kpi, KpiTable table, string grain, DayOfWeek weekStart);
}
