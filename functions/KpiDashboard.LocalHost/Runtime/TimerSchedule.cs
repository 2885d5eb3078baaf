using System.Globalization;
using NCrontab;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>When a timer fires: an NCRONTAB expression in UTC, or a constant interval.</summary>
internal sealed class TimerSchedule
{
    private readonly CrontabSchedule? _cron;
    private readonly TimeSpan _interval;

    private TimerSchedule(CrontabSchedule cron) => _cron = cron;

    private TimerSchedule(TimeSpan interval) => _interval = interval;

    /// <summary>Six fields with seconds, five without, or a time span; null for anything else.</summary>
    public static TimerSchedule? TryParse(string expression)
    {
        bool hasSeconds = expression.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length == 6;
        if (CrontabSchedule.TryParse(expression, new CrontabSchedule.ParseOptions { IncludingSeconds = hasSeconds }) is { } cron)
            return new TimerSchedule(cron);
        return TimeSpan.TryParse(expression, CultureInfo.InvariantCulture, out TimeSpan interval) && interval > TimeSpan.Zero ? new TimerSchedule(interval) : null;
    }

    /// <summary>The first occurrence strictly after a moment in UTC.</summary>
    public DateTime Next(DateTime utc) =>
        _cron is null ? utc + _interval : DateTime.SpecifyKind(_cron.GetNextOccurrence(utc), DateTimeKind.Utc);

    /// <summary>Whether two of the next occurrences are less than a minute apart; the real host does not monitor such schedules.</summary>
    public bool IsFasterThanAMinute(DateTime utcNow)
    {
        DateTime previous = Next(utcNow);
        for (int i = 0; i < 5; i++)
        {
            DateTime next = Next(previous);
            if (next - previous < TimeSpan.FromMinutes(1))
                return true;
            previous = next;
        }

        return false;
    }
}
