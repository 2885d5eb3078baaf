using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Benchmarks.Usual;
using KpiDashboard.Kpis.Usual;
using Xunit;

namespace KpiDashboard.Tests.Kpis.Usual;

/// <summary>What must hold of the band of the usual, whatever the numbers.</summary>
public sealed class UsualBandTests
{
    private static readonly DateOnly First = new(2025, 1, 6);

    /// <summary>Days with a weekday shape and noise, from a seed.</summary>
    private static (DateOnly Day, decimal? Value)[] Days(int count, ulong seed = 1, decimal size = 1000)
    {
        var random = new SplitMix(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
            (First.AddDays(i), (decimal?)Math.Round(size * (i % 7 >= 5 ? 0.6m : 1) * (decimal)(0.85 + 0.3 * random.NextUnit()), 2)))];
    }

    private static DaySeries SeriesOf(MeasuredSeries series) =>
        DaySeries.Of((SeriesNature)series.Nature, series.Values.Select((value, i) => (series.First.AddDays(i), (decimal?)(decimal)value)));

    private static UsualDay Judge(IEnumerable<(DateOnly, decimal?)> days, int day, SeriesNature nature = SeriesNature.Amount) =>
        UsualBand.On(DaySeries.Of(nature, days), First.AddDays(day));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(34)]
    public void Before_five_weeks_nothing_is_said_and_it_says_so(int known)
    {
        var said = Judge([.. Days(known), (First.AddDays(known), 0m)], known);
        Assert.Equal((UsualVerdict.NotJudged, NotJudgedReason.TooLittleHistory), (said.Verdict, said.Reason));
        Assert.Null(said.Expected);
    }

    [Fact]
    public void From_five_weeks_on_a_drop_to_zero_a_halving_and_a_doubling_are_found()
    {
        var known = Days(35);
        var usual = known[^7].Value;
        Assert.Equal(UsualVerdict.Below, Judge([.. known, (First.AddDays(35), 0m)], 35).Verdict);
        Assert.Equal(UsualVerdict.Below, Judge([.. known, (First.AddDays(35), usual / 2)], 35).Verdict);
        Assert.Equal(UsualVerdict.Above, Judge([.. known, (First.AddDays(35), usual * 2)], 35).Verdict);
        Assert.Equal(UsualVerdict.Usual, Judge([.. known, (First.AddDays(35), usual)], 35).Verdict);
    }

    [Property(MaxTest = 200)]
    public void Of_a_partial_day_nothing_is_said_and_nothing_learned(byte at, byte share)
    {
        var days = Days(120);
        var partial = 40 + at % 60;
        var cut = days.ToArray();
        cut[partial].Value *= share / 255m;
        var series = DaySeries.Of(SeriesNature.Amount, cut, partial: new HashSet<DateOnly> { cut[partial].Day });
        var said = UsualBand.On(series, cut[partial].Day);
        Assert.Equal((UsualVerdict.NotJudged, NotJudgedReason.Partial), (said.Verdict, said.Reason));
        var without = UsualBand.On(DaySeries.Of(SeriesNature.Amount, [.. days[..partial], .. days[(partial + 1)..]]), First.AddDays(119));
        Assert.Equal(without, UsualBand.On(series, First.AddDays(119)));
    }

    [Fact]
    public void A_special_day_has_a_band_and_no_verdict_and_is_not_learned()
    {
        var days = Days(120);
        days[100].Value = 0;
        var special = DaySeries.Of(SeriesNature.Amount, days, special: new HashSet<DateOnly> { days[100].Day });
        var said = UsualBand.On(special, days[100].Day);
        Assert.Equal((UsualVerdict.NotJudged, NotJudgedReason.SpecialDay), (said.Verdict, said.Reason));
        Assert.NotNull(said.Low);
        var gap = DaySeries.Of(SeriesNature.Amount, days.Where((_, i) => i != 100));
        Assert.Equal(UsualBand.On(gap, days[110].Day), UsualBand.On(special, days[110].Day));
    }

    [Fact]
    public void A_day_without_a_value_is_not_judged_and_one_to_come_has_a_band()
    {
        var said = UsualBand.On(DaySeries.Of(SeriesNature.Amount, Days(120)), First.AddDays(120));
        Assert.Equal((UsualVerdict.NotJudged, NotJudgedReason.NoValue), (said.Verdict, said.Reason));
        Assert.True(said.Low < said.Expected && said.Expected < said.High);
    }

    [Fact]
    public void A_weekday_that_was_never_open_is_not_judged()
    {
        var open = Days(120).Where((_, i) => i % 7 != 6).ToList();
        var said = Judge([.. open, (First.AddDays(125), 500m)], 125);
        Assert.Equal((UsualVerdict.NotJudged, NotJudgedReason.TooFewOfWeekday), (said.Verdict, said.Reason));
    }

    [Property(MaxTest = 100)]
    public void What_comes_later_changes_nothing(DoNotSize<ulong> seed, byte day)
    {
        var (days, judged) = (Days(200, seed.Item), 60 + day % 100);
        Assert.Equal(Judge(days[..(judged + 1)], judged), Judge(days, judged));
    }

    [Property(MaxTest = 100)]
    public void Days_may_come_in_any_order(DoNotSize<ulong> seed)
    {
        var random = new SplitMix(seed.Item);
        var shuffled = Days(120).Select(day => (day, Key: random.Next())).OrderBy(item => item.Key).Select(item => item.day);
        Assert.Equal(Judge(Days(120), 119), Judge(shuffled, 119));
    }

    [Property(MaxTest = 100)]
    public void In_another_currency_it_is_the_same_band(DoNotSize<ulong> seed, byte power)
    {
        var rate = (decimal)Math.Pow(10, power % 9 - 4) * 1.37m;
        var days = Days(150, seed.Item);
        var other = days.Select(day => (day.Day, day.Value * rate));
        var (own, changed) = (Judge(days, 149), Judge(other, 149));
        Assert.Equal(own.Verdict, changed.Verdict);
        Near(own.Expected!.Value * (double)rate, changed.Expected!.Value);
        Near(own.Low!.Value * (double)rate, changed.Low!.Value);
        Near(own.High!.Value * (double)rate, changed.High!.Value);
    }

    [Property(MaxTest = 300)]
    public void Whatever_the_numbers_a_band_is_of_numbers_and_in_order(decimal[] values, byte nature)
    {
        var days = Enumerable.Range(0, 200).Select(i => (First.AddDays(i), (decimal?)(values.Length == 0 ? 0 : values[i % values.Length])));
        foreach (var said in UsualBand.Over(DaySeries.Of((SeriesNature)(nature % 3), days), First, First.AddDays(210)))
        {
            if (said.Expected is null) continue;
            Assert.True(double.IsFinite(said.Expected.Value) && double.IsFinite(said.Low!.Value) && double.IsFinite(said.High!.Value));
            Assert.True(said.Low <= said.Expected && said.Expected <= said.High, $"{said}");
        }
    }

    [Theory]
    [InlineData("Count", 0)]
    [InlineData("Count", 1)]
    [InlineData("Count", 100)]
    [InlineData("Amount", 0)]
    [InlineData("Amount", 0.01)]
    [InlineData("Amount", 7e27)]
    [InlineData("Amount", -50)]
    [InlineData("Rate", 0.02)]
    public void A_constant_series_is_usual_and_stays_so(string nature, double value)
    {
        var days = Enumerable.Range(0, 120).Select(i => (First.AddDays(i), (decimal?)(decimal)value));
        var said = UsualBand.Over(DaySeries.Of(Enum.Parse<SeriesNature>(nature), days), First.AddDays(35), First.AddDays(119));
        Assert.All(said, day => Assert.Equal(UsualVerdict.Usual, day.Verdict));
        Assert.All(said, day => Near(value, day.Expected!.Value, 1e-9 + Math.Abs(value) * 1e-6));
    }

    [Theory]
    [InlineData(24, 12, "Below")]
    [InlineData(24, 48, "Above")]
    [InlineData(24, 23, "Usual")]
    [InlineData(1, 0, "Below")]
    [InlineData(0, 1, "Usual")]
    [InlineData(0, 40, "Above")]
    public void A_job_that_runs_as_often_every_day_is_judged_by_its_steadiness(int every, int now, string verdict)
    {
        var days = Enumerable.Range(0, 100).Select(i => (First.AddDays(i), (decimal?)every));
        Assert.Equal(verdict, $"{Judge([.. days, (First.AddDays(100), now)], 100, SeriesNature.Count).Verdict}");
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10)]
    public void Few_a_day_do_not_cry_wolf_from_the_first_verdict_on(double mean)
    {
        var (judged, alarms) = (0, 0);
        for (var seed = 0UL; seed < 30; seed++)
        {
            var series = MeasuredData.Small(mean, 120, seed * 977);
            var days = SeriesOf(series);
            foreach (var said in UsualBand.Over(days, series.First.AddDays(35), series.First.AddDays(119)))
            {
                judged++;
                if (said.Verdict is UsualVerdict.Below or UsualVerdict.Above) alarms++;
            }
        }

        Assert.Equal(30 * 85, judged);
        Assert.True(alarms * 120 < judged, $"{alarms} alarms in {judged} days of {mean} a day.");
    }

    [Fact]
    public void Zeros_in_a_row_of_what_is_few_a_day_are_found_in_the_end()
    {
        var series = MeasuredData.Small(2, 200);
        for (var day = 150; day < 200; day++) series.Values[day] = 0;
        var days = SeriesOf(series);
        var said = UsualBand.Over(days, series.First.AddDays(150), series.First.AddDays(165));
        Assert.Equal(UsualVerdict.Usual, said[0].Verdict);
        var found = said.First(day => day.Verdict == UsualVerdict.Below);
        Assert.InRange(found.ZerosInARow, 3, 8);
    }

    [Fact]
    public void An_outlier_does_not_make_the_days_after_it_unusual()
    {
        foreach (var outlier in new[] { 0m, 20_000m })
        {
            var days = Days(150);
            days[120].Value = outlier;
            var after = UsualBand.Over(DaySeries.Of(SeriesNature.Amount, days), First.AddDays(121), First.AddDays(149));
            Assert.All(after, day => Assert.Equal(UsualVerdict.Usual, day.Verdict));
        }
    }

    [Fact]
    public void A_steady_growth_is_usual()
    {
        var days = Days(300).Select((day, i) => (day.Day, day.Value * (decimal)Math.Pow(1.01, i)));
        var said = UsualBand.Over(DaySeries.Of(SeriesNature.Amount, days), First.AddDays(60), First.AddDays(299));
        Assert.InRange(said.Count(day => day.Verdict != UsualVerdict.Usual), 0, 4);
    }

    [Fact]
    public void A_chart_shows_the_band_that_an_alert_judged_by()
    {
        var series = DaySeries.Of(SeriesNature.Amount, Days(450));
        var chart = UsualBand.Over(series, First.AddDays(380), First.AddDays(449));
        Assert.All(chart, day => Assert.Equal(UsualBand.On(series, day.Day), day));
    }

    [Fact]
    public void A_gap_of_weeks_is_no_fault_of_the_days_after_it()
    {
        var days = Days(200).Where((_, i) => i is < 100 or > 130);
        var after = UsualBand.Over(DaySeries.Of(SeriesNature.Amount, days), First.AddDays(131), First.AddDays(160));
        Assert.All(after, day => Assert.Equal(UsualVerdict.Usual, day.Verdict));
    }

    [Fact]
    public void A_day_that_comes_twice_is_refused() =>
        Assert.Throws<ArgumentException>(() => DaySeries.Of(SeriesNature.Count, [(First, 1m), (First, 2m)]));

    [Fact]
    public void Today_is_learned_from_thirteen_months_at_most()
    {
        var days = Days(700);
        var odd = days.Select((day, i) => i < 250 ? (day.Day, day.Value * 50) : day);
        Assert.Equal(Judge(days, 699), Judge(odd, 699));
    }

    private static void Near(double expected, double actual, double? within = null) =>
        Assert.InRange(actual - expected, -(within ?? Math.Abs(expected) * 1e-8 + 1e-12), within ?? Math.Abs(expected) * 1e-8 + 1e-12);
}
