using KpiDashboard.Kpis.Usual;

namespace KpiDashboard.Benchmarks.Usual;

/// <summary>A daily series that methods are measured on.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Nature">What kind of number it is.</param>
/// <param name="First">The first day.</param>
/// <param name="Values">A value for each day from the first on.</param>
public sealed record MeasuredSeries(string Name, MeasuredNature Nature, DateOnly First, double[] Values);

/// <summary>The natures by names that a test project outside of the product can use.</summary>
public enum MeasuredNature
{
    /// <summary>Counts.</summary>
    Count,

    /// <summary>Amounts.</summary>
    Amount,

    /// <summary>Rates.</summary>
    Rate,
}

/// <summary>What a method says of a day: below -1, usual 0, above 1, null for nothing.</summary>
/// <param name="series">The series; its values may hold a planted fault.</param>
/// <param name="values">The values by day; those after <paramref name="day"/> must not be looked at.</param>
/// <param name="day">The index of the day.</param>
public delegate int? BandMethod(MeasuredSeries series, ReadOnlySpan<double> values, int day);

/// <summary>What a method reached on a series.</summary>
/// <param name="Judged">Untouched days of which it said something.</param>
/// <param name="FalseAlarms">Of those, days that it called unusual.</param>
/// <param name="Zero">Share of drops to zero that it found.</param>
/// <param name="Half">Share of halvings over three days found on at least one of them.</param>
/// <param name="Twice">Share of doublings found.</param>
/// <param name="Echoes">Of the seven days after a drop to zero, the share that it called unusual and had not without the drop.</param>
public sealed record BandFigures(int Judged, int FalseAlarms, double Zero, double Half, double Twice, double Echoes)
{
    /// <summary>One false alarm in so many days.</summary>
    public double DaysPerAlarm => FalseAlarms == 0 ? double.PositiveInfinity : (double)Judged / FalseAlarms;
}

/// <summary>
/// How bands are measured, the same for every method: day by day, learning from the days before alone; false alarms are counted on the
/// untouched series; faults are planted one at a time on days drawn with a fixed seed. peer.py draws the same days.
/// </summary>
public static class BandProtocol
{
    /// <summary>Faults of each kind and series.</summary>
    public const int Faults = 300;

    /// <summary>Eight weeks, so that today's rule can say something, too.</summary>
    public const int FirstFault = 63;

    private const ulong Seed = 20261130;

    /// <summary>Measures a method on a series.</summary>
    /// <param name="series">The series.</param>
    /// <param name="method">The method.</param>
    /// <param name="faults">Faults of each kind.</param>
    /// <param name="from">First day that is judged for false alarms.</param>
    public static BandFigures Measure(MeasuredSeries series, BandMethod method, int faults = Faults, int from = 0)
    {
        var (judged, alarms) = (0, 0);
        var untouched = new int?[series.Values.Length];
        for (var day = from; day < series.Values.Length; day++)
        {
            untouched[day] = method(series, series.Values, day);
            if (untouched[day] is not { } said) continue;
            judged++;
            if (said != 0) alarms++;
        }

        var random = new SplitMix(Seed);
        var (zero, half, twice, echoes, echoDays) = (0, 0, 0, 0, 0);
        for (var i = 0; i < faults; i++)
        {
            var day = FirstFault + (int)(random.Next() % (ulong)(series.Values.Length - FirstFault - 7));
            var values = (double[])series.Values.Clone();
            values[day] = 0;
            if (method(series, values, day) == -1) zero++;
            for (var after = day + 1; after <= day + 7 && i % 5 == 0; after++)
            {
                echoDays++;
                if (method(series, values, after) is not (null or 0) && untouched[after] is null or 0) echoes++;
            }

            values[day] = series.Values[day] * 2;
            if (method(series, values, day) == 1) twice++;

            for (var fallen = day; fallen < day + 3; fallen++) values[fallen] = HalfOf(series, fallen);
            if (Enumerable.Range(day, 3).Any(fallen => method(series, values, fallen) == -1)) half++;
        }

        return new BandFigures(
            judged, alarms, (double)zero / faults, (double)half / faults, (double)twice / faults, (double)echoes / Math.Max(1, echoDays));
    }

    private static double HalfOf(MeasuredSeries series, int day) =>
        series.Nature == MeasuredNature.Count ? Math.Floor(series.Values[day] / 2) : series.Values[day] / 2;
}

/// <summary>SplitMix64 (Steele, Lea, Flood 2014): the same numbers in C# and in Python, on any machine.</summary>
public sealed class SplitMix(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        var mixed = _state += 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>The next number from 0 to below 1.</summary>
    public double NextUnit() => (Next() >> 11) * (1.0 / (1UL << 53));
}

/// <summary>The methods that need nothing but C#.</summary>
internal static class BandMethods
{
    /// <summary>The product's.</summary>
    public static int? Ours(MeasuredSeries series, ReadOnlySpan<double> values, int day)
    {
        var from = Math.Max(0, day - 420);
        var days = new List<(DateOnly, decimal?)>(day - from + 1);
        for (var at = from; at <= day; at++) days.Add((series.First.AddDays(at), (decimal)values[at]));
        return UsualBand.On(DaySeries.Of((SeriesNature)series.Nature, days), series.First.AddDays(day)).Verdict switch
        {
            UsualVerdict.Below => -1,
            UsualVerdict.Above => 1,
            UsualVerdict.Usual => 0,
            _ => null,
        };
    }

    /// <summary>
    /// What AnomalyRule of the insights does: the median of the same weekday in 13 weeks before, plus or minus 4 scaled MAD.
    /// </summary>
    public static int? TodaysRule(MeasuredSeries series, ReadOnlySpan<double> values, int day)
    {
        var before = new List<double>(13);
        for (var week = 1; week <= 13 && day - 7 * week >= 0; week++) before.Add(values[day - 7 * week]);
        if (before.Count < 8) return null;
        var median = Median(before);
        var spread = 4 * 1.4826 * Median([.. before.Select(value => Math.Abs(value - median))]);
        var noise = series.Nature == MeasuredNature.Count ? 3 * Math.Sqrt(Math.Max(median, 1)) : 0;
        var width = Math.Max(spread, Math.Max(noise, median / 10));
        return values[day] < median - width ? -1 : values[day] > median + width ? 1 : 0;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        var middle = values.Count / 2;
        return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}
