using KpiDashboard.Benchmarks.Usual;
using Xunit;

namespace KpiDashboard.Tests.Kpis.Usual;

/// <summary>What the benchmark 'usual' reached on real days, held on a part of it: fixed days, fixed seed, no clock.</summary>
public sealed class MeasuredUsualTests
{
    private static readonly IReadOnlyList<MeasuredSeries> Website =
        MeasuredData.Read(Path.Combine(Repository.Root, "functions/KpiDashboard.Demo/Data", MeasuredData.Website));

    public static TheoryData<string> Series => [.. Website.Select(series => series.Name)];

    [Theory]
    [MemberData(nameof(Series))]
    public void The_band_cries_wolf_on_1_day_in_60_at_most_and_finds_every_drop_to_zero_and_19_of_20_halvings_and_doublings(string name)
    {
        var figures = BandProtocol.Measure(Website.Single(series => series.Name == name), BandMethods.Ours, faults: 80);
        Assert.Equal(2132, figures.Judged);
        Assert.True(figures.DaysPerAlarm >= 60, $"{figures}");
        Assert.Equal(1, figures.Zero);
        Assert.True(figures is { Half: >= 0.95, Twice: >= 0.95 }, $"{figures}");
        Assert.True(figures.Echoes < 0.03, $"{figures}");
    }

    [Fact]
    public void Forecasts_are_better_than_seasonal_naive_by_a_tenth_and_their_intervals_hold_what_they_say()
    {
        var all = Website.Select(series => ForecastProtocol.Measure(series, ForecastMethods.Ours, step: 18)!).ToList();
        var errors = all.Select(figures => figures.AgainstNaive).Order().ToList();
        Assert.True((errors[1] + errors[2]) / 2 < 0.9, string.Join(", ", errors));
        Assert.All(all, figures => Assert.InRange(figures.DayCoverage80, 0.75, 0.85));
        Assert.InRange(all.Average(figures => figures.SumCoverage["28 days"].At80), 0.75, 0.85);
        Assert.InRange(all.Average(figures => figures.SumCoverage["month"].At80), 0.74, 0.86);
    }

    [Fact]
    public void Todays_rule_is_measured_by_the_same_protocol_and_does_worse()
    {
        var figures = BandProtocol.Measure(Website[0], BandMethods.TodaysRule, faults: 80);
        Assert.InRange(figures.DaysPerAlarm, 8, 14);
        Assert.True(figures is { Zero: < 0.95, Half: < 0.7, Twice: < 0.85 }, $"{figures}");
    }

    [Fact]
    public void The_seed_draws_the_same_days_here_as_in_peer_py()
    {
        var random = new SplitMix(20261130);
        Assert.Equal(14665655757252019486UL, random.Next());
    }
}
