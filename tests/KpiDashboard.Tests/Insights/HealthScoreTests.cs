using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Insights;
using KpiDashboard.Kpis;
using KpiDashboard.Sync;
using KpiDashboard.Tests.Kpis;
using Xunit;

namespace KpiDashboard.Tests.Insights;

/// <summary>The health score: relative to the business's own weeks, honest about what it cannot measure.</summary>
public sealed class HealthScoreTests
{
    private static readonly DateOnly Last = Business.Last;

    private static HealthScoreEntry Of(Business business, DateOnly? day = null) => HealthScore.AsOf(business.Table(), day ?? Last, _ => "EUR");

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
        Assert.All(daily, day => Assert.Equal(HealthScore.AsOf(table, day.Key, _ => null).Score, day.Value));
        Assert.True(daily[Last] < daily[Last.AddDays(-7)]);
    }

    [Property(Arbitrary = [typeof(Sheets)], MaxTest = 100)]
    public void A_score_is_a_whole_number_from_0_to_100_or_none_whatever_the_data(Sheet sheet)
    {
        // The sheet's days at the end of a table that reaches as far back as a score does.
        var values = sheet.Values.SelectMany(series => Enumerable.Range(0, sheet.Days).Where(day => series.Value[day] is not null).Select(day => (series.Key, sheet.From.AddDays(day), series.Value[day]!.Value)));
        var table = new KpiTable(sheet.To.AddDays(-HealthScore.Reach - 7), sheet.To, values.Where(value => value.Item2 >= sheet.To.AddDays(-HealthScore.Reach - 7)), SourceState.Clocks([]), new TenantEconomics(null, null));
        var health = HealthScore.AsOf(table, sheet.To, _ => "EUR");
        Assert.True(health.Score is null or (>= 0 and <= 100) && health.Score == (health.Score is { } score ? decimal.Truncate(score) : null));
        Assert.All(health.Parts, part => InsightTests.AssertProved(part.Why, part.Evidence));
        if (health.Score is not null) Assert.InRange(health.Parts.Sum(part => part.Weight), 0.999m, 1.001m);
    }
}
