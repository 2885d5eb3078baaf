namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>
/// The second and third clock of GA4. Google: daily processing takes about 12 hours after the end of a day, and values may still change for 24–48 hours
/// after it. Days are days of the property. Pure.
/// </summary>
internal static class GoogleAnalyticsFreshness
{
    /// <summary>Last day that ended at least <paramref name="ago"/> before <paramref name="now"/>.</summary>
    internal static DateOnly LastDayEnded(TimeSpan ago, DateTimeOffset now, TimeZoneInfo zone) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now - ago, zone).DateTime).AddDays(-1);

    /// <summary>
    /// Last day of the window that Google is done with collecting: by the clock the last day whose end is 12 hours ago, but if the window's last days came back
    /// without a row, no later than the last day with one, because an empty day may be a late one. Null if nothing came at all. Never later than the window: nothing
    /// was asked about later days.
    /// </summary>
    internal static DateOnly? CompleteThrough(DayWindow window, DateOnly? lastDayWithRows, DateTimeOffset now, TimeZoneInfo zone)
    {
        if (lastDayWithRows is not { } last)
            return null;
        var byClock = Earlier(LastDayEnded(TimeSpan.FromHours(12), now, zone), window.To);
        return Earlier(byClock, last);
    }

    /// <summary>Last day of the window that Google will not change any more: its end is 48 hours ago. That is today − 3, daylight saving aside.</summary>
    internal static DateOnly FinalThrough(DayWindow window, DateTimeOffset now, TimeZoneInfo zone) =>
        Earlier(LastDayEnded(TimeSpan.FromHours(48), now, zone), window.To);

    private static DateOnly Earlier(DateOnly a, DateOnly b) => a < b ? a : b;
}
