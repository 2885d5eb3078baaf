namespace KpiDashboard.Kpis.Usual;

/// <summary>What is said of a day.</summary>
internal enum UsualVerdict
{
    /// <summary>Nothing is said; <see cref="UsualDay.Reason"/> tells why. It never counts as "all well".</summary>
    NotJudged,

    /// <summary>The day lies within its band.</summary>
    Usual,

    /// <summary>The day lies below its band, or is one of more zeros in a row than chance explains.</summary>
    Below,

    /// <summary>The day lies above its band.</summary>
    Above,
}

/// <summary>Why nothing is said of a day.</summary>
internal enum NotJudgedReason
{
    /// <summary>Something is said.</summary>
    None,

    /// <summary>The day has no value.</summary>
    NoValue,

    /// <summary>The day is not complete.</summary>
    Partial,

    /// <summary>Fewer than five weeks are known before it.</summary>
    TooLittleHistory,

    /// <summary>Fewer than three days of this weekday are known before it.</summary>
    TooFewOfWeekday,

    /// <summary>A public holiday or an annotated day: what is usual does not hold for it.</summary>
    SpecialDay,
}

/// <summary>What is usual for a day, from what was known the day before, and what is said of it.</summary>
/// <param name="Day">The day.</param>
/// <param name="Value">Its value; null where there is none.</param>
/// <param name="Expected">The middle of the usual; null where too little is known.</param>
/// <param name="Low">Lower end of the band, itself usual.</param>
/// <param name="High">Upper end of the band, itself usual.</param>
/// <param name="Verdict">What is said.</param>
/// <param name="Reason">Why nothing is said.</param>
/// <param name="LearnedDays">Days that were learned from.</param>
/// <param name="ZerosInARow">Zeros in a row up to this day where they, and not the band, are what is unusual; else 0.</param>
internal sealed record UsualDay(
    DateOnly Day, double? Value, double? Expected, double? Low, double? High, UsualVerdict Verdict, NotJudgedReason Reason, int LearnedDays,
    int ZerosInARow = 0);
