namespace KpiDashboard.Demo.Datasets;

/// <summary>
/// Real days of another time, moved by whole weeks so that weekdays stay and the last one falls on yesterday or up to six days before. How far is fixed when the set is
/// made: a running demo must not change its past at midnight.
/// </summary>
internal abstract class ReplayedSite : IGa4Dataset
{
    private readonly IReadOnlyList<(DateOnly Day, decimal[] Values)> rows;
    private readonly int shift;

    /// <param name="rows">Consecutive days.</param>
    /// <param name="timeZone">IANA name of the property's time zone.</param>
    /// <param name="anchor">The moment that "yesterday" is counted from.</param>
    protected ReplayedSite(IReadOnlyList<(DateOnly Day, decimal[] Values)> rows, string timeZone, DateTimeOffset anchor)
    {
        this.rows = rows;
        TimeZone = timeZone;
        var yesterday = Zoned.Day(anchor, TimeZoneInfo.FindSystemTimeZoneById(timeZone)).AddDays(-1);
        shift = (int)Math.Floor((yesterday.DayNumber - rows[^1].Day.DayNumber) / 7.0) * 7;
    }

    public abstract string PropertyId { get; }
    public string TimeZone { get; }
    public abstract string Currency { get; }
    public int UserThreshold => 0;

    /// <summary>The first row's own date.</summary>
    protected DateOnly FirstRow => rows[0].Day;

    /// <summary>First day with data.</summary>
    public DateOnly First => rows[0].Day.AddDays(shift);

    /// <summary>Last day with data.</summary>
    public DateOnly Last => rows[^1].Day.AddDays(shift);

    public Ga4Day? Day(DateOnly day, DateTimeOffset now)
    {
        var index = day.DayNumber - First.DayNumber;
        return index >= 0 && index < rows.Count ? Figures(index, rows[index].Values) : null;
    }

    /// <summary>Nothing real is known of how its days divide, unless the set says otherwise; nothing is made up.</summary>
    public IReadOnlyList<Ga4Share> Shares(string dimension, DateOnly day)
    {
        var index = day.DayNumber - First.DayNumber;
        return (index >= 0 && index < rows.Count ? SharesOf(dimension, rows[index].Day) : null) ?? Ga4Share.Unknown;
    }

    /// <summary>What is known of a row's day, named by its own date; null for nothing.</summary>
    protected virtual IReadOnlyList<Ga4Share>? SharesOf(string dimension, DateOnly row) => null;

    /// <summary>The columns of the row, by place.</summary>
    protected decimal[] Values(int index) => rows[index].Values;

    /// <summary>The day's figures. Noise goes by the row, not by the date, so that a shift changes nothing but the dates.</summary>
    protected abstract Ga4Day Figures(int index, decimal[] values);
}

/// <summary>Days and instants.</summary>
internal static class Zoned
{
    /// <summary>The local day of an instant.</summary>
    public static DateOnly Day(DateTimeOffset instant, TimeZoneInfo zone) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, zone).DateTime);

    /// <summary>A local time as an instant; a time that daylight saving skips is taken an hour later.</summary>
    public static DateTimeOffset At(DateOnly day, TimeSpan time, TimeZoneInfo zone)
    {
        var local = day.ToDateTime(TimeOnly.MinValue) + time;
        if (zone.IsInvalidTime(local))
            local = local.AddHours(1);
        return new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
    }
}
