namespace KpiDashboard.Sync;

/// <summary>When to try again, in one place.</summary>
internal static class RetryPolicy
{
    /// <summary>Failed attempts after which a run is given up; the next scheduled run starts afresh.</summary>
    public const int MaxAttempts = 5;

    /// <summary>A run that waited this often for quotas is given up; a day of hourly waits, and then some.</summary>
    public const int MaxWaits = 60;

    /// <summary>How long after an answer that left days out which had values the source is asked again.</summary>
    public static readonly TimeSpan DoubtTime = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Exponential backoff with full jitter over the upper half: 1, 2, 4, 8 … minutes, at most an hour, each between 50 and 100 %.
    /// </summary>
    /// <param name="attempt">1 for the first failure.</param>
    /// <param name="jitter">From 0 to 1.</param>
    public static TimeSpan Backoff(int attempt, double jitter)
    {
        var minutes = Math.Min(60, Math.Pow(2, Math.Clamp(attempt, 1, 10) - 1));
        return TimeSpan.FromMinutes(minutes * (0.5 + (0.5 * Math.Clamp(jitter, 0, 1))));
    }

    /// <summary>A jitter from 0 to 1 that is the same for the same run and attempt, so that a test, or a reader of the log, can recompute it.</summary>
    public static double Jitter(Guid run, int attempt) => ((ulong)BitConverter.ToInt64(run.ToByteArray(), 8) ^ ((ulong)attempt * 0x9E3779B97F4A7C15)) % 1000 / 999.0;
}
