using KpiDashboard.Connectors;

namespace KpiDashboard.Sync;

/// <summary>Which days a run reads.</summary>
internal static class SyncWindow
{
    /// <summary>
    /// First sync: so many months, for the comparison with the year before, and <see cref="DeepDays"/> more: 28 days that end up to a week ago have their
    /// counterpart 52 weeks earlier, which 13 months alone can miss by a few days.
    /// </summary>
    public const int BackfillMonths = 13;

    /// <summary>First day of a first sync.</summary>
    public static DateOnly BackfillFrom(DateOnly today) => today.AddMonths(-BackfillMonths).AddDays(-DeepDays);

    /// <summary>Every run reads this many days before today again, because providers restate them.</summary>
    public const int RecentDays = 3;

    /// <summary>Once a week this many, because some restate later.</summary>
    public const int DeepDays = 14;

    /// <summary>Plans a window that leaves no gap to what was read before.</summary>
    /// <param name="readTo">Last day that was read; null before the first sync.</param>
    /// <param name="backfilledAt">When the first sync came to its end; null while it did not: it is done again, which changes nothing that stands.</param>
    /// <param name="deepReadAt">When <see cref="DeepDays"/> were last read.</param>
    /// <param name="today">The date in the provider's time zone.</param>
    /// <param name="now">The instant.</param>
    public static DayWindow Plan(DateOnly? readTo, DateTimeOffset? backfilledAt, DateTimeOffset? deepReadAt, DateOnly today, DateTimeOffset now)
    {
        if (readTo is null || backfilledAt is null) return new DayWindow(BackfillFrom(today), today);
        var days = deepReadAt is null || now - deepReadAt >= TimeSpan.FromDays(7) ? DeepDays : RecentDays;
        var from = today.AddDays(-days);
        // After downtime: from the recent days before the last one read, as those were still open then.
        var gap = readTo.Value.AddDays(-RecentDays);
        return new DayWindow(gap < from ? gap : from, today);
    }
}
