namespace KpiDashboard.Demo.Datasets;

/// <summary>
/// Real days of another time, moved by whole weeks so that weekdays stay, to where the last of them falls on yesterday or up to six days after it: what would lie in
/// the future has not come yet, so that the property's last day with data is yesterday, on every day. How far is fixed when the set is made: a running demo must not
/// change its past at midnight. One that runs on past the last row goes on with the days of one round before.
/// </summary>
internal abstract class ReplayedSite : IGa4Dataset
{
    private readonly IReadOnlyList<(DateOnly Day, decimal[] Values)> rows;
    private readonly TimeZoneInfo zone;
    private readonly int round;
    private readonly int shift;

    /// <param name="rows">Consecutive days.</param>
    /// <param name="timeZone">IANA name of the property's time zone.</param>
    /// <param name="anchor">The moment that "yesterday" is counted from.</param>
    /// <param name="round">Days, whole weeks and no more than there are rows, after which a demo that runs on begins again.</param>
    protected ReplayedSite(IReadOnlyList<(DateOnly Day, decimal[] Values)> rows, string timeZone, DateTimeOffset anchor, int round)
    {
        this.rows = rows;
        this.round = round % 7 == 0 && round > 0 && round <= rows.Count ? round : throw new ArgumentOutOfRangeException(nameof(round));
        TimeZone = timeZone;
        zone = TimeZoneInfo.FindSystemTimeZoneById(timeZone);
        Last = Yesterday(anchor);
        shift = (int)Math.Ceiling((Last.DayNumber - rows[^1].Day.DayNumber) / 7.0) * 7;
    }

    public abstract string PropertyId { get; }
    public string TimeZone { get; }
    public abstract string Currency { get; }
    public int UserThreshold => 0;

    /// <summary>The first row's own date.</summary>
    protected DateOnly FirstRow => rows[0].Day;

    /// <summary>First day with data.</summary>
    public DateOnly First => rows[0].Day.AddDays(shift);

    /// <summary>The day of the last row, which may be still to come; what lies after it is the round before, once more.</summary>
    public DateOnly LastRow => rows[^1].Day.AddDays(shift);

    /// <summary>Last day with data at the anchor: its yesterday.</summary>
    public DateOnly Last { get; }

    public Ga4Day? Day(DateOnly day, DateTimeOffset now) =>
        Row(day) is { } index && day <= Yesterday(now) ? Figures(index, rows[index].Values) : null;

    /// <summary>Nothing real is known of how its days divide, unless the set says otherwise; nothing is made up.</summary>
    public IReadOnlyList<Ga4Share> Shares(string dimension, DateOnly day) =>
        (Row(day) is { } index ? SharesOf(dimension, rows[index].Day) : null) ?? Ga4Share.Unknown;

    /// <summary>The place of the row that a day shows, come or not; null before the first.</summary>
    protected int? Row(DateOnly day)
    {
        var index = day.DayNumber - First.DayNumber;
        if (index < 0)
            return null;
        var beyond = index - (rows.Count - 1);
        return beyond <= 0 ? index : index - (beyond + round - 1) / round * round;
    }

    private DateOnly Yesterday(DateTimeOffset moment) => Zoned.Day(moment, zone).AddDays(-1);

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
