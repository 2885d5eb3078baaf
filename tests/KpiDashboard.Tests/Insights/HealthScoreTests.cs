using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Insights;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using KpiDashboard.Tests.Kpis;
using Xunit;

namespace KpiDashboard.Tests.Insights;

/// <summary>The health score: relative to the business's own weeks, honest about what it cannot measure.</summary>
public sealed class HealthScoreTests
{
    private static readonly DateOnly Last = Business.Last;

    private static HealthScoreEntry Of(Business business, DateOnly? day = null) => HealthReport.AsOf(business.Table(), day ?? Last, _ => "EUR");

    [Fact]
    public void A_week_like_the_others_has_all_points_whatever_the_size_of_the_business()
    {
        Assert.Equal(100m, Of(new Business()).Score);
        Assert.Equal(100m, Of(new Business(20)).Score);
    }

    [Fact]
    public void Each_part_tells_its_arithmetic_and_the_score_is_their_mean_by_weight()
    {
        // Revenue at 75 % of its median: halfway between half and the median.
        var health = Of(new Business().LastWeek(0.75m, "shop.revenue"));
        var revenue = health.Parts.Single(part => part.Key == "revenue");
        Assert.Equal((50m, 0.30m), (revenue.Score, revenue.Weight));
        Assert.Equal("Revenue in the last 7 days: €9,000. Median of the 13 weeks before: €12,000. The median or more gives 100 points, half of it gives none, so this gives 50.", revenue.Why);
        Assert.Equal((85m, 100m, -15m), (health.Score, health.Previous, health.Change));
        Assert.Equal(1m, health.Parts.Sum(part => part.Weight));
    }

    [Theory]
    // A shop of 108 visits and three sales a week: one or two of them more or less are chance, none at all is a little more.
    [InlineData("web.key_event_sessions", "conversion", 3, 2, 100)]
    [InlineData("web.key_event_sessions", "conversion", 3, 4, 100)]
    [InlineData("web.key_event_sessions", "conversion", 3, 1, 100)]
    [InlineData("web.key_event_sessions", "conversion", 3, 0, 66)]
    // Of three hundred the same share is none.
    [InlineData("web.key_event_sessions", "conversion", 300, 200, 33)]
    [InlineData("web.key_event_sessions", "conversion", 300, 100, 0)]
    public void One_conversion_more_or_less_moves_the_score_by_what_the_counts_can_carry(string kpi, string key, int usual, int now,
        int points)
    {
        var business = Small(usual).LastWeek(0, kpi).Set(kpi, Last, now);
        var health = Of(business);
        var part = health.Parts.Single(candidate => candidate.Key == key);
        Assert.InRange(part.Score!.Value, points - 3, points + 3);
        if (usual == 3) Assert.InRange(health.Change!.Value, -12, 3);
        InsightTests.AssertProved(part.Why, part.Evidence);
        Assert.Equal(now < 3, part.Why.Contains("Only about 3 visits with a key event are to be expected in such a week",
            StringComparison.Ordinal));
    }

    [Fact]
    public void No_single_event_makes_a_leap_and_more_is_never_worse()
    {
        foreach (var usual in new[] { 2, 3, 5, 8, 20, 60, 200 })
        {
            var points = Enumerable.Range(0, usual + 2)
                .Select(now => Of(Small(usual).LastWeek(0, "web.key_event_sessions").Set("web.key_event_sessions", Last, now)).Score!.Value)
                    .ToList();
            foreach (var (less, more) in points.Zip(points.Skip(1)))
            {
                Assert.True(more >= less, $"usually {usual}: {string.Join(' ', points)}");
                Assert.True(more - less <= 15, $"usually {usual}: {string.Join(' ', points)}");
            }
        }
    }

    [Fact]
    public void One_failed_run_of_three_is_no_disaster_and_a_hundred_of_three_hundred_are()
    {
        static decimal Automations(int runs, int failed)
        {
            var business = new Business();
            foreach (var kpi in new[] { "automation.executions", "automation.succeeded", "automation.failed" }) business.Change(kpi, Last
                .AddDays(-140), Last, 0);
            for (var week = 0; week < 20; week++)
            {
                business.Set("automation.executions", Last.AddDays(-7 * week), runs).Set("automation.succeeded", Last.AddDays(-7 * week),
                    week == 0 ? runs - failed : runs)
                    .Set("automation.failed", Last.AddDays(-7 * week), week == 0 ? failed : 0);
            }

            return Of(business).Parts.Single(part => part.Key == "automations").Score!.Value;
        }

        Assert.InRange(Automations(3, 1), 70, 100);
        Assert.Equal(0, Automations(300, 100));
        Assert.Equal(100, Automations(300, 0));
    }

    [Fact]
    public void The_score_has_a_word_and_tells_which_part_moved_it()
    {
        var health = Of(new Business().LastWeek(0.6m, "shop.revenue").LastWeek(0.9m, "web.sessions"));
        Assert.Equal(("fair", "revenue"), (health.Word, health.Moved!.Key));
        Assert.True(health.Moved.Points < 0 && health.Moved.Points >= health.Change);
        Assert.Equal(("good", null), (Of(new Business()).Word, Of(new Business()).Moved));
        Assert.Equal(["good", "good", "fair", "fair", "weak", "weak", "poor", "poor"], new[] { 100m, 80, 79, 60, 59, 40, 39,
            0 }.Select(HealthReport.WordOf));
    }

    /// <summary>A business of visits alone, 36 for each sale, all on one day of the week.</summary>
    private static Business Small(int sales)
    {
        var business = new Business();
        foreach (var kpi in Sheet.Stored.Where(kpi => !kpi.StartsWith("web.", StringComparison.Ordinal))) business.Change(kpi, Last
            .AddDays(-140), Last, null);
        business.Change("web.sessions", Last.AddDays(-140), Last, 0).Change("web.key_event_sessions", Last.AddDays(-140), Last, 0);
        for (var week = 0; week < 20; week++) business.Set("web.sessions", Last.AddDays(-7 * week), 36 * sales)
            .Set("web.key_event_sessions", Last.AddDays(-7 * week), sales);
        return business;
    }

    [Fact]
    public void What_cannot_be_measured_is_left_out_the_others_weigh_more_and_it_is_said()
    {
        var health = Of(new Business().Change("shop.revenue", Last.AddDays(-140), Last, null));
        var revenue = health.Parts.Single(part => part.Key == "revenue");
        Assert.Equal((null, 0m), (revenue.Score, revenue.Weight));
        Assert.StartsWith("Left out", revenue.Why, StringComparison.Ordinal);
        Assert.Contains("left out, because it cannot be measured: revenue", health.Why, StringComparison.Ordinal);
        Assert.Equal(100m, health.Score);
        Assert.InRange(health.Parts.Sum(part => part.Weight), 0.999m, 1.001m);
    }

    [Fact]
    public void Nothing_measured_is_no_score_and_not_fifty()
    {
        var business = new Business();
        foreach (var kpi in Sheet.Stored) business.Change(kpi, Last.AddDays(-140), Last, null);
        var health = Of(business);
        Assert.Equal((null, null, null), (health.Score, health.Previous, health.Change));
        Assert.StartsWith("There is no score", health.Why, StringComparison.Ordinal);
        Assert.All(health.Parts, part => Assert.Null(part.Score));
    }

    [Fact]
    public void That_data_is_there_is_no_health_by_itself()
    {
        // Three weeks of data: too few to compare with, although every day is there.
        var business = new Business();
        foreach (var kpi in Sheet.Stored) business.Change(kpi, Last.AddDays(-140), Last.AddDays(-21), null);
        Assert.Equal(100m, Of(business).Parts.Single(part => part.Key == "data").Score);
        Assert.Null(Of(business).Score);
    }

    [Fact]
    public void A_missing_day_is_no_fall_of_revenue_but_lowers_the_points_of_data()
    {
        var health = Of(new Business().Change("web.sessions", Last, Last, null).Change("shop.revenue", Last, Last, null));
        Assert.Null(health.Parts.Single(part => part.Key == "revenue").Score);
        Assert.Equal(93m, health.Parts.Single(part => part.Key == "data").Score);
        // Other parts than the week before: no "up" or "down".
        Assert.Null(health.Change);
    }

    [Fact]
    public void The_KPI_is_the_same_score_as_of_each_day()
    {
        var table = new Business().LastWeek(0.6m, "shop.revenue", "web.sessions").Table();
        var daily = HealthScore.Daily(table, Last.AddDays(-10), Last).ToDictionary(day => day.Day, day => day.Score);
        Assert.Equal(11, daily.Count);
        Assert.All(daily, day => Assert.Equal(HealthReport.AsOf(table, day.Key, _ => null).Score, day.Value));
        Assert.True(daily[Last] < daily[Last.AddDays(-7)]);
    }

    [Property(Arbitrary = [typeof(Sheets)], MaxTest = 100)]
    public void A_score_is_a_whole_number_from_0_to_100_or_none_whatever_the_data(Sheet sheet)
    {
        // The sheet's days at the end of a table that reaches as far back as a score does.
        var values = sheet.Values.SelectMany(series => Enumerable.Range(0, sheet.Days).Where(day => series.Value[day] is not null).Select(day => (series.Key, sheet.From.AddDays(day), series.Value[day]!.Value)));
        var table = new KpiTable(sheet.To.AddDays(-HealthScore.Reach - 7), sheet.To, values.Where(value => value.Item2 >= sheet.To.AddDays(-HealthScore.Reach - 7)), SourceState.Clocks([]), new TenantEconomics(null, null));
        var health = HealthReport.AsOf(table, sheet.To, _ => "EUR");
        Assert.True(health.Score is null or (>= 0 and <= 100) && health.Score == (health.Score is { } score ? decimal.Truncate(score) : null));
        Assert.All(health.Parts, part => InsightTests.AssertProved(part.Why, part.Evidence));
        if (health.Score is not null) Assert.InRange(health.Parts.Sum(part => part.Weight), 0.999m, 1.001m);
    }
}
