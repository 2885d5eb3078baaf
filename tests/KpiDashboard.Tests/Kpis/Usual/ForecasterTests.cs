using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Benchmarks.Usual;
using KpiDashboard.Kpis.Usual;
using Xunit;

namespace KpiDashboard.Tests.Kpis.Usual;

/// <summary>What must hold of forecasts, whatever the numbers.</summary>
public sealed class ForecasterTests
{
    private static readonly DateOnly First = new(2025, 1, 6);

    private static (DateOnly Day, decimal? Value)[] Days(int count, ulong seed = 1, double mean = 200)
    {
        var random = new SplitMix(seed);
        double Draw(int day) => Math.Floor(mean * (day % 7 >= 5 ? 0.6 : 1) * (0.7 + 0.6 * random.NextUnit()));
        return [.. Enumerable.Range(0, count).Select(i => (First.AddDays(i), (decimal?)(decimal)Draw(i)))];
    }

    private static Forecast Make(IEnumerable<(DateOnly, decimal?)> days, int known, int ahead, SeriesNature nature = SeriesNature.Count) =>
        Forecaster.Make(DaySeries.Of(nature, days), First.AddDays(known - 1), First.AddDays(known - 1 + ahead));

    [Fact]
    public void Why_there_is_none_has_a_name()
    {
        Assert.Equal(NoForecastReason.NotMeasurable, Make([], 100, 28).Reason);
        Assert.Equal(NoForecastReason.TooLittleHistory, Make(Days(55), 55, 7).Reason);
        Assert.Equal(NoForecastReason.None, Make(Days(56), 56, 28).Reason);
        Assert.Equal(NoForecastReason.TooFarAhead, Make(Days(56), 56, 92).Reason);
        Assert.Equal(NoForecastReason.RatioWithoutParts, Make(Days(200), 200, 28, SeriesNature.Rate).Reason);
        Assert.Equal(NoForecastReason.NoRecentDays, Make(Days(200), 230, 28).Reason);
        Assert.Equal(NoForecastReason.TooLittleHistory, Make(Days(200).Where((_, i) => i % 6 == 0), 199, 28).Reason);
        Assert.Throws<InvalidOperationException>(() => Make([], 100, 28).Over(First, First));
    }

    [Property(MaxTest = 60)]
    public void Sums_of_forecasts_are_forecasts_of_sums_to_the_last_digit(DoNotSize<ulong> seed, byte length, byte split)
    {
        var (ahead, known) = (20 + length % 72, 200);
        var forecast = Make(Days(known, seed.Item), known, ahead, SeriesNature.Amount);
        var (start, end) = (First.AddDays(known), First.AddDays(known + ahead - 1));
        var cut = start.AddDays(split % (ahead - 1));
        Assert.Equal(forecast.Points.Sum(point => point.Value), forecast.Over(start, end).Value);
        Assert.Equal(forecast.Over(start, end).Value, forecast.Over(start, cut).Value + forecast.Over(cut.AddDays(1), end).Value);
        // However far it was asked for, a day's forecast is the same.
        var shorter = Make(Days(known, seed.Item), known, 20, SeriesNature.Amount);
        Assert.Equal(forecast.Points.Take(20).Select(point => point.Value), shorter.Points.Select(point => point.Value));
    }

    [Fact]
    public void Days_of_a_period_that_are_over_count_as_they_were()
    {
        var days = Days(200);
        var forecast = Make(days, 200, 28);
        var period = forecast.Over(First.AddDays(190), First.AddDays(209));
        var known = days[190..200].Sum(day => day.Value!.Value);
        Assert.Equal((known, 0), (period.Known, period.MissingDays));
        Assert.Equal(known + forecast.Points.Take(10).Sum(point => point.Value), period.Value);
        InOrder(known, period.Low95, period.Low80, period.High80, period.High95);
        Assert.Equal(1, period.ChanceOfAtLeast(known));
        Assert.Equal(1, Make(days.Where((_, i) => i != 195), 200, 28).Over(First.AddDays(190), First.AddDays(209)).MissingDays);
    }

    [Property(MaxTest = 60)]
    public void The_chance_of_a_target_falls_as_it_grows_and_agrees_with_the_interval(DoNotSize<ulong> seed)
    {
        var period = Make(Days(300, seed.Item), 300, 31, SeriesNature.Amount).Over(First.AddDays(300), First.AddDays(330));
        Assert.Equal(0.9, period.ChanceOfAtLeast(period.Low80), 3);
        Assert.Equal(0.1, period.ChanceOfAtLeast(period.High80), 3);
        Assert.Equal(0.975, period.ChanceOfAtLeast(period.Low95), 3);
        Assert.Equal(1, period.ChanceOfAtLeast(period.Value) + period.ChanceOfAtMost(period.Value), 6);
        var chances = Enumerable.Range(0, 30).Select(step => period.ChanceOfAtLeast(period.Value * step / 15)).ToList();
        Assert.Equal(chances.OrderDescending(), chances);
        Assert.All(chances, chance => Assert.InRange(chance, 0, 1));
        Assert.Equal(1, chances[0]);
    }

    [Property(MaxTest = 200)]
    public void Whatever_the_numbers_forecasts_are_numbers_in_order_and_counts_are_never_below_zero(decimal[] values, byte nature)
    {
        var days = Enumerable.Range(0, 120).Select(i => (First.AddDays(i), (decimal?)(values.Length == 0 ? 0 : values[i % values.Length])));
        var isCount = nature % 2 == 0;
        if (isCount) days = days.Select(day => (day.Item1, (decimal?)Math.Abs(day.Item2!.Value)));
        var forecast = Make(days, 120, 40, (SeriesNature)(nature % 2));
        Assert.Equal(NoForecastReason.None, forecast.Reason);
        Assert.All(forecast.Points, point => InOrder(point.Low95, point.Low80, point.High80, point.High95));
        var period = forecast.Over(First.AddDays(110), First.AddDays(150));
        InOrder(period.Low95, period.Low80, period.High80, period.High95);
        if (isCount) Assert.All(forecast.Points, point => Assert.True(point.Value >= 0 && point.Low95 >= 0));
    }

    [Property(MaxTest = 60)]
    public void In_another_currency_it_is_the_same_forecast(DoNotSize<ulong> seed, byte power)
    {
        var rate = (decimal)Math.Pow(10, power % 5);
        var days = Days(250, seed.Item);
        var own = Make(days, 250, 28, SeriesNature.Amount);
        var other = Make(days.Select(day => (day.Day, day.Value * rate)), 250, 28, SeriesNature.Amount);
        Assert.Equal(own.Method, other.Method);
        foreach (var (one, two) in own.Points.Zip(other.Points))
        {
            Assert.InRange(two.Value - one.Value * rate, -0.0002m * rate, 0.0002m * rate);
            Assert.InRange(two.Low80 - one.Low80 * rate, -0.0002m * rate, 0.0002m * rate);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(1000000)]
    public void A_constant_series_goes_on_as_it_was_and_is_certain_of_it(int value)
    {
        var forecast = Make(Enumerable.Range(0, 100).Select(i => (First.AddDays(i), (decimal?)value)), 100, 28);
        Assert.All(forecast.Points, point => Assert.Equal(new ForecastPoint(point.Day, value, value, value, value, value), point));
        var sum = forecast.Over(First.AddDays(100), First.AddDays(127));
        Assert.Equal((28m * value, 28m * value, 28m * value), (sum.Value, sum.Low95, sum.High95));
        Assert.Equal((1, 0), (sum.ChanceOfAtLeast(28m * value), sum.ChanceOfAtLeast(28m * value + 1)));
    }

    [Fact]
    public void What_is_not_complete_or_comes_later_or_in_another_order_changes_nothing()
    {
        var days = Days(220);
        var plain = Make(days[..200], 200, 28);
        Assert.Equal(plain.Points, Make(days, 200, 28).Points);
        Assert.Equal(plain.Points, Make(days[..200].Reverse(), 200, 28).Points);
        Assert.Equal(plain.Points, Make(days[..200], 200, 28).Points);
        var partial = DaySeries.Of(SeriesNature.Count, days, partial: days[200..].Select(day => day.Day).ToHashSet());
        Assert.Equal(plain.Points, Forecaster.Make(partial, First.AddDays(199), First.AddDays(227)).Points);
    }

    [Fact]
    public void Weekdays_and_growth_go_on()
    {
        static decimal On(int day) => (1000 + 5 * day) * (day % 7 >= 5 ? 0.5m : 1);
        var days = Enumerable.Range(0, 200).Select(i => (First.AddDays(i), (decimal?)On(i))).ToList();
        var forecast = Make(days, 200, 14, SeriesNature.Amount);
        Assert.All(forecast.Points, (point, i) => Assert.InRange(point.Value / On(200 + i), 0.93m, 1.05m));
    }

    [Fact]
    public void Of_what_does_not_add_up_a_period_is_the_mean_of_its_days()
    {
        var days = Days(200);
        var forecast = Forecaster.Make(DaySeries.Of(SeriesNature.Count, days), First.AddDays(199), First.AddDays(220), ForecastSpan.Mean);
        var period = forecast.Over(First.AddDays(195), First.AddDays(204));
        Assert.Equal((days[195..200].Sum(day => day.Value!.Value) + forecast.Points.Take(5).Sum(point => point.Value)) / 10, period.Value);
        InOrder(period.Low95, period.Low80, period.Value, period.High80, period.High95);
        Assert.Equal(0.9, period.ChanceOfAtLeast(period.Low80), 2);
    }

    [Theory]
    [InlineData("40000000000000000000000000", "None")]
    [InlineData("7000000000000000000000000000", "NotMeasurable")]
    [InlineData("0.0001", "None")]
    public void Numbers_of_any_size_have_a_forecast_of_that_size_or_none(string size, string reason)
    {
        var value = decimal.Parse(size, System.Globalization.CultureInfo.InvariantCulture);
        var days = Enumerable.Range(0, 100).Select(i => (First.AddDays(i), (decimal?)(value / (1 + i % 3))));
        var forecast = Make(days, 100, 92, SeriesNature.Amount);
        Assert.Equal(reason, $"{forecast.Reason}");
        if (forecast.Reason != NoForecastReason.None) return;
        Assert.All(forecast.Points, point => Assert.InRange(point.Value, value * 0.3m, value * 1.1m));
        var sum = forecast.Over(First.AddDays(10), First.AddDays(191));
        Assert.True(sum.Low95 <= sum.High95 && sum.Value > 0);
    }

    [Fact]
    public void A_business_that_measures_nothing_on_sundays_has_forecasts_without_sundays()
    {
        var forecast = Make(Days(204).Where((_, i) => i % 7 != 6), 204, 28);
        Assert.Equal(NoForecastReason.None, forecast.Reason);
        Assert.All(forecast.Points, point => Assert.Equal(point.Day.DayOfWeek == DayOfWeek.Sunday, point.Value == 0));
        Assert.True(forecast.Error.Backtests > 20);
    }

    [Fact]
    public void A_gap_in_the_past_leaves_forecasts_with_their_intervals()
    {
        var (whole, gap) = (Make(Days(300), 300, 28), Make(Days(300).Where((_, i) => i is < 150 or > 160), 300, 28));
        Assert.Equal(NoForecastReason.None, gap.Reason);
        Assert.All(whole.Points.Zip(gap.Points), pair => Assert.InRange(pair.Second.Value / pair.First.Value, 0.9m, 1.1m));
    }

    [Theory]
    [InlineData("2026-11-30", 1, "2026-12-06", "2026-11-30", "2026-12-31")]
    [InlineData("2026-11-29", 1, "2026-11-29", "2026-11-30", "2026-12-31")]
    [InlineData("2028-02-29", 0, "2028-03-04", "2028-02-29", "2028-03-31")]
    [InlineData("2026-12-31", 6, "2027-01-01", "2026-12-31", "2026-12-31")]
    public void Periods_end_where_the_calendar_says(string day, int weekStart, string week, string month, string quarter)
    {
        var date = DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(week, $"{ForecastPeriods.WeekEnd(date, (DayOfWeek)weekStart):yyyy-MM-dd}");
        Assert.Equal(month, $"{ForecastPeriods.MonthEnd(date):yyyy-MM-dd}");
        Assert.Equal(quarter, $"{ForecastPeriods.QuarterEnd(date):yyyy-MM-dd}");
    }

    [Property(MaxTest = 40)]
    public void A_ratio_is_the_forecast_above_the_line_by_the_one_below_it(DoNotSize<ulong> seed) => IsTheRatio(seed.Item);

    /// <summary>Two errors of the past are nearly the same there.</summary>
    [Fact]
    public void A_ratio_whose_errors_lie_close_together_is_one_too() => IsTheRatio(5685260202493298744UL);

    private static void IsTheRatio(ulong seed)
    {
        var (visits, orders) = (Days(250, seed, 2000), Days(250, seed + 1, 60));
        var (below, above) = (Make(visits, 250, 31), Make(orders, 250, 31));
        var (from, to) = (First.AddDays(240), First.AddDays(280));
        var ratio = new RatioForecast(above, below).Over(from, to)!;
        Assert.Equal(above.Over(from, to).Value / below.Over(from, to).Value, ratio.Value);
        InOrder(ratio.Low95, ratio.Low80, ratio.Value, ratio.High80, ratio.High95);
        // The end of the sum above is rounded to four decimals: where two errors of the past are nearly the same, that alone moves the chance.
        var half = 0.00006m / below.Over(from, to).Value;
        Assert.InRange(0.9, ratio.ChanceOfAtLeast(ratio.Low80 + half) - 1e-6, ratio.ChanceOfAtLeast(ratio.Low80 - half) + 1e-6);
        Assert.InRange(ratio.High80 - ratio.Low80, 0.0001m, ratio.Value);
    }

    [Fact]
    public void A_ratio_without_one_of_its_parts_has_the_reason_of_that_part_and_without_anything_below_it_there_is_none()
    {
        var (enough, few) = (Make(Days(200), 200, 14), Make(Days(40), 40, 14));
        Assert.Equal(NoForecastReason.TooLittleHistory, new RatioForecast(enough, few).Reason);
        Assert.Throws<InvalidOperationException>(() => new RatioForecast(few, enough).Over(First, First));
        Assert.Throws<ArgumentException>(() => new RatioForecast(enough, Make(Days(200), 200, 15)));
        var nothing = Make(Enumerable.Range(0, 200).Select(i => (First.AddDays(i), (decimal?)0)), 200, 14);
        Assert.Null(new RatioForecast(enough, nothing).Over(First.AddDays(200), First.AddDays(210)));
    }

    [Fact]
    public void Intervals_of_a_real_ratio_hold_what_they_say()
    {
        var website = MeasuredData.Read(Path.Combine(Repository.Root, "functions/KpiDashboard.Demo/Data", MeasuredData.Website));
        var (above, below) = (website.Single(one => one.Name == "returning_visits"), website.Single(one => one.Name == "unique_visits"));
        var (inside, all) = (0, 0);
        for (var known = 120; known + 28 <= above.Values.Length; known += 27)
        {
            var start = Math.Max(0, known - 500);
            var period = new RatioForecast(Of(above), Of(below)).Over(above.First.AddDays(known), above.First.AddDays(known + 27))!;
            var actual = (decimal)above.Values.Skip(known).Take(28).Sum() / (decimal)below.Values.Skip(known).Take(28).Sum();
            all++;
            if (actual >= period.Low80 && actual <= period.High80) inside++;

            Forecast Of(MeasuredSeries series) => Forecaster.Make(
                DaySeries.Of(SeriesNature.Count, Enumerable.Range(start, known - start).Select(at => (series.First.AddDays(at), (decimal?)(decimal)series.Values[at]))),
                series.First.AddDays(known - 1), series.First.AddDays(known + 27));
        }

        Assert.InRange((double)inside / all, 0.72, 0.9);
    }

    private static void InOrder(params decimal[] ends) => Assert.Equal(ends.Order(), ends);

    [Fact]
    public void A_fiscal_quarter_ends_with_the_business()
    {
        Assert.Equal(new DateOnly(2027, 2, 28), ForecastPeriods.QuarterEnd(new DateOnly(2027, 1, 31), 12));
        Assert.Equal(new DateOnly(2026, 11, 30), ForecastPeriods.QuarterEnd(new DateOnly(2026, 11, 18), 3));
    }
}
