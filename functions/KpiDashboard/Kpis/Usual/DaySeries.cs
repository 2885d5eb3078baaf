namespace KpiDashboard.Kpis.Usual;

/// <summary>What kind of number the days hold: it decides how their noise grows with their size.</summary>
internal enum SeriesNature
{
    /// <summary>Whole things counted a day: noise of at least counting (Poisson), never below zero.</summary>
    Count,

    /// <summary>Money and other amounts that add up: noise in proportion, whatever the unit; zero and refunds are values.</summary>
    Amount,

    /// <summary>Rates, averages and scores: noise in proportion; days do not add up.</summary>
    Rate,
}

/// <summary>
/// One number by day as it is known at one moment: what the model of the usual and the forecasts learn from. Days without a value, days
/// that are not complete, and special days (public holidays, days that a person annotated) are told apart; none of them is ever learned
/// from.
/// </summary>
internal sealed class DaySeries
{
    /// <summary>Older days than this many before the last are not looked at: 25 months are kept, and a month more never hurts.</summary>
    public const int MaxDays = 800;

    private readonly double[] _values;
    private readonly DayKind[] _kinds;

    private DaySeries(SeriesNature nature, DateOnly first, double[] values, DayKind[] kinds)
    {
        Nature = nature;
        First = first;
        _values = values;
        _kinds = kinds;
    }

    private enum DayKind : byte
    {
        Missing,
        Partial,
        Special,
        Learned,
    }

    /// <summary>What kind of number it is.</summary>
    public SeriesNature Nature { get; }

    /// <summary>The first day.</summary>
    public DateOnly First { get; }

    /// <summary>Days from the first to the last, gaps included; 0 where nothing is known.</summary>
    public int Count => _values.Length;

    /// <summary>The last day; the day before the first where nothing is known.</summary>
    public DateOnly Last => First.AddDays(Count - 1);

    /// <summary>Makes a series of what is known, in any order.</summary>
    /// <param name="nature">What kind of number it is.</param>
    /// <param name="values">Value by day; null or no entry where none is known. A day comes once.</param>
    /// <param name="partial">Days that are not complete: nothing is said of them and nothing learned from them.</param>
    /// <param name="special">Public holidays and annotated days: not learned from and not judged.</param>
    /// <exception cref="ArgumentException">A day comes twice.</exception>
    public static DaySeries Of(
        SeriesNature nature, IEnumerable<(DateOnly Day, decimal? Value)> values, IReadOnlySet<DateOnly>? partial = null,
        IReadOnlySet<DateOnly>? special = null)
    {
        var known = values.Where(item => item.Value is not null).ToList();
        if (known.Count == 0) return new DaySeries(nature, DateOnly.MinValue.AddDays(1), [], []);
        var last = known.Max(item => item.Day);
        var first = known.Min(item => item.Day);
        if (last.DayNumber - first.DayNumber >= MaxDays) first = last.AddDays(1 - MaxDays);
        var days = new double[last.DayNumber - first.DayNumber + 1];
        var kinds = new DayKind[days.Length];
        foreach (var (day, value) in known)
        {
            var at = day.DayNumber - first.DayNumber;
            if (at < 0) continue;
            if (kinds[at] != DayKind.Missing) throw new ArgumentException($"The day {day:yyyy-MM-dd} comes twice.", nameof(values));
            days[at] = (double)value!.Value;
            kinds[at] = partial?.Contains(day) == true ? DayKind.Partial
                : special?.Contains(day) == true ? DayKind.Special : DayKind.Learned;
        }

        return new DaySeries(nature, first, days, kinds);
    }

    /// <summary>What a KPI's days hold.</summary>
    public static SeriesNature NatureOf(KpiDefinition kpi) => (kpi.Unit, kpi.Aggregation) switch
    {
        (_, KpiAggregation.Ratio) => SeriesNature.Rate,
        (KpiUnit.Count, _) => SeriesNature.Count,
        (KpiUnit.Currency, _) => SeriesNature.Amount,
        (_, KpiAggregation.Sum) => SeriesNature.Amount,
        _ => SeriesNature.Rate,
    };

    /// <summary>The value of a day, known or not complete; NaN where there is none.</summary>
    internal double ValueAt(int index) =>
        (uint)index < (uint)_values.Length && _kinds[index] != DayKind.Missing ? _values[index] : double.NaN;

    /// <summary>Whether the day may be learned from: complete, with a value, and not special.</summary>
    internal bool IsLearned(int index) => (uint)index < (uint)_kinds.Length && _kinds[index] == DayKind.Learned;

    /// <summary>Whether the day is complete and has a value, special or not: it counts in a sum.</summary>
    internal bool IsComplete(int index) => (uint)index < (uint)_kinds.Length && _kinds[index] is DayKind.Learned or DayKind.Special;

    /// <summary>Whether the day has a value that is not complete yet.</summary>
    internal bool IsPartial(int index) => (uint)index < (uint)_kinds.Length && _kinds[index] == DayKind.Partial;

    /// <summary>Whether the day is complete and special.</summary>
    internal bool IsSpecial(int index) => (uint)index < (uint)_kinds.Length && _kinds[index] == DayKind.Special;

    /// <summary>Where a day lies; out of range where it is before the first or after the last.</summary>
    internal int IndexOf(DateOnly day) => day.DayNumber - First.DayNumber;

    /// <summary>0 for Monday to 6 for Sunday; a day of the calendar has no zone and no hour.</summary>
    internal int WeekdayAt(int index) => (First.DayNumber + index) % 7;
}
