using KpiDashboard.Kpis.Usual;

namespace KpiDashboard.Benchmarks.Usual;

/// <summary>A forecast as it is measured.</summary>
/// <param name="Days">The 28 days after the last known.</param>
/// <param name="Low80">Lower ends of the days' 80 % intervals.</param>
/// <param name="High80">Upper ends.</param>
/// <param name="Sums">Intervals of sums from the first day on: last day of the stretch counted from 1, lower and upper end at 80 %, and at
/// 95 %.</param>
public sealed record MeasuredForecast(double[] Days, double[] Low80, double[] High80, IReadOnlyList<MeasuredSum> Sums);

/// <summary>Interval of a sum from the first day on.</summary>
/// <param name="Name">Of the stretch.</param>
/// <param name="Days">Its days.</param>
/// <param name="Low80">Lower end at 80 %.</param>
/// <param name="High80">Upper end at 80 %.</param>
/// <param name="Low95">Lower end at 95 %.</param>
/// <param name="High95">Upper end at 95 %.</param>
public sealed record MeasuredSum(string Name, int Days, double Low80, double High80, double Low95, double High95);

/// <summary>What a method of forecasting reached on a series.</summary>
/// <param name="Origins">Days that it forecast from.</param>
/// <param name="AgainstNaive">Mean absolute error of days 1 to 28 ahead, as a share of that of seasonal naive on the same days.</param>
/// <param name="Mase">Mean absolute scaled error as Hyndman and Koehler (2006) define it: scaled by seasonal naive's error a week ahead in
/// the days before.</param>
/// <param name="SumAgainstNaive">Mean absolute error of the sum of 28 days, as a share of that of seasonal naive.</param>
/// <param name="DayCoverage80">Share of days within their 80 % interval.</param>
/// <param name="SumCoverage">By stretch: share within the 80 % and the 95 % interval.</param>
public sealed record ForecastFigures(
    int Origins, double AgainstNaive, double Mase, double SumAgainstNaive, double DayCoverage80,
    IReadOnlyDictionary<string, (double At80, double At95, int Count)> SumCoverage);

/// <summary>
/// How forecasts are measured, the same for every method: from every ninth day, learning from the days before alone, 28 days ahead.
/// </summary>
public static class ForecastProtocol
{
    /// <summary>Days ahead.</summary>
    public const int Ahead = 28;

    /// <summary>The first day that is forecast from: eight weeks.</summary>
    public const int FirstOrigin = 56;

    /// <summary>Days from one origin to the next: every weekday in turn.</summary>
    public const int Step = 9;

    /// <summary>Most days that any method learns from.</summary>
    public const int Window = 760;

    /// <summary>Measures a method; null where it never had a forecast.</summary>
    public static ForecastFigures? Measure(
        MeasuredSeries series, Func<MeasuredSeries, int, MeasuredForecast?> method, int step = Step, int first = FirstOrigin)
    {
        var values = series.Values;
        var (origins, own, naive, scaled, ownSum, naiveSum, days, within) = (0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0);
        var sums = new SortedDictionary<string, (int In80, int In95, int All)>(StringComparer.Ordinal);
        for (var known = first; known + Ahead <= values.Length; known += step)
        {
            if (method(series, known) is not { } made) continue;
            origins++;
            var from = Math.Max(7, known - Window);
            var scale = Enumerable.Range(from, known - from).Average(at => Math.Abs(values[at] - values[at - 7]));
            var (each, total, naiveTotal) = (0.0, 0.0, 0.0);
            for (var lead = 0; lead < Ahead; lead++)
            {
                var actual = values[known + lead];
                var before = values[known - 7 + lead % 7];
                each += Math.Abs(actual - made.Days[lead]);
                naive += Math.Abs(actual - before);
                (total, naiveTotal) = (total + actual - made.Days[lead], naiveTotal + actual - before);
                if (made.Low80.Length == 0) continue;
                days++;
                if (actual >= made.Low80[lead] && actual <= made.High80[lead]) within++;
            }

            (own, ownSum, naiveSum) = (own + each, ownSum + Math.Abs(total), naiveSum + Math.Abs(naiveTotal));
            scaled += scale > 0 ? each / Ahead / scale : 0;
            foreach (var sum in made.Sums)
            {
                if (known + sum.Days > values.Length) continue;
                var actual = values.AsSpan(known, sum.Days).ToArray().Sum();
                var (in80, in95, all) = sums.GetValueOrDefault(sum.Name);
                if (actual >= sum.Low80 && actual <= sum.High80) in80++;
                if (actual >= sum.Low95 && actual <= sum.High95) in95++;
                sums[sum.Name] = (in80, in95, all + 1);
            }
        }

        return origins == 0 ? null : new ForecastFigures(
            origins, own / naive, scaled / origins, ownSum / naiveSum, days == 0 ? double.NaN : (double)within / days,
            sums.ToDictionary(
                sum => sum.Key, sum => ((double)sum.Value.In80 / sum.Value.All, (double)sum.Value.In95 / sum.Value.All, sum.Value.All),
                StringComparer.Ordinal));
    }
}

/// <summary>The methods that need nothing but C#.</summary>
internal static class ForecastMethods
{
    /// <summary>The product's.</summary>
    public static MeasuredForecast? Ours(MeasuredSeries series, int known)
    {
        var from = Math.Max(0, known - ForecastProtocol.Window);
        var last = series.First.AddDays(known - 1);
        var days = DaySeries.Of(
            (SeriesNature)series.Nature,
            Enumerable.Range(from, known - from).Select(at => (series.First.AddDays(at), (decimal?)(decimal)series.Values[at])));
        var today = last.AddDays(1);
        (string Name, DateOnly End)[] ends =
        [
            ("28 days", last.AddDays(28)), ("week", ForecastPeriods.WeekEnd(today, DayOfWeek.Monday)),
            ("month", ForecastPeriods.MonthEnd(today)), ("quarter", ForecastPeriods.QuarterEnd(today)),
        ];
        var forecast = Forecaster.Make(days, last, ends.Max(end => end.End));
        if (forecast.Reason == NoForecastReason.TooFarAhead)
        {
            ends = [.. ends.Where(end => end.Name != "quarter")];
            forecast = Forecaster.Make(days, last, ends.Max(end => end.End));
        }

        if (forecast.Reason != NoForecastReason.None) return null;
        return new MeasuredForecast(
            [.. forecast.Points.Take(28).Select(point => (double)point.Value)],
            [.. forecast.Points.Take(28).Select(point => (double)point.Low80)],
            [.. forecast.Points.Take(28).Select(point => (double)point.High80)],
            [.. ends.Select(end => SumOf(end.Name, forecast.Over(today, end.End)))]);
    }

    private static MeasuredSum SumOf(string name, PeriodForecast sum) => new(
        name, sum.To.DayNumber - sum.From.DayNumber + 1, (double)sum.Low80, (double)sum.High80, (double)sum.Low95, (double)sum.High95);
}
