using KpiDashboard.Api;
using static System.FormattableString;

namespace KpiDashboard.Kpis;

/// <summary>A range of whole days that was asked for, and what it is compared with.</summary>
/// <param name="Range">The preset that was asked for, or <c>custom</c>.</param>
/// <param name="From">First day.</param>
/// <param name="To">Last day.</param>
/// <param name="Compare"><c>previous_period</c>, <c>previous_year</c> or <c>none</c>.</param>
/// <param name="CompareFrom">First day of the other period; null for none.</param>
/// <param name="CompareTo">Last day of the other period; null for none.</param>
internal sealed record Period(string Range, DateOnly From, DateOnly To, string Compare, DateOnly? CompareFrom, DateOnly? CompareTo)
{
    /// <summary>Days of the other period, both ends included; null for none. It differs from <see cref="Days"/> where a 29 February lies in one of both.</summary>
    public int? CompareDays => CompareTo?.DayNumber - CompareFrom?.DayNumber + 1;

    /// <summary>What a person must know of the comparison: that one of the two periods is longer; null where there is nothing.</summary>
    public string? CompareNote => CompareDays is not { } other || other == Days ? null : NoteOf(Days, other);

    /// <summary>Days of the period, both ends included.</summary>
    public int Days => To.DayNumber - From.DayNumber + 1;

    /// <summary>Longest range: 25 months are kept, and a month more never hurts.</summary>
    public const int MaxDays = 800;

    /// <summary>Nothing was measured before; and the days to compare with must exist, too.</summary>
    public static readonly DateOnly Earliest = new(2000, 1, 1);

    /// <summary>Presets end at the last complete day, unless that is more than this many days ago: then they end yesterday and show the gap.</summary>
    public const int MaxAnchorAge = 7;

    /// <summary>Last day of a preset.</summary>
    public static DateOnly Anchor(DateOnly today, DateOnly? completeThrough)
    {
        var yesterday = today.AddDays(-1);
        return completeThrough is { } complete && complete <= yesterday && yesterday.DayNumber - complete.DayNumber <= MaxAnchorAge ? complete : yesterday;
    }

    /// <summary>Presets by name.</summary>
    public static IReadOnlyList<string> Presets { get; } = ["last_7_days", "last_day", "last_28_days", "last_90_days", "last_12_months", "today"];

    /// <summary>
    /// Reads <c>range</c> or <c>from</c> and <c>to</c>, and <c>compare</c>, from a query; with <c>range</c> and <c>to</c> the preset ends with that
    /// day, so that what is read apart has the same days and is compared with the same.
    /// </summary>
    /// <param name="query">The query; collects sentences for what is wrong.</param>
    /// <param name="today">The tenant's date.</param>
    /// <param name="completeThrough">Last day for which the tenant's sources are complete; null if none is.</param>
    public static Period Read(QueryReader query, DateOnly today, DateOnly? completeThrough)
    {
        var (from, to) = (query.Date("from"), query.Date("to"));
        var compare = query.Choice("compare", "previous_period", "previous_year", "none");
        var range = "custom";
        var (hasFrom, hasTo) = (query.Text("from") is not null, query.Text("to") is not null);
        if (!hasFrom && (!hasTo || query.Text("range") is not null))
        {
            range = query.Choice("range", [.. Presets]);
            if (hasTo) CheckEnd(query, range, to, today);
            // Today is what it is, however little of it is known; the others end where things are known, or where another answer ended.
            to ??= range == "today" ? today : Anchor(today, completeThrough);
            from = range switch
            {
                "today" => to,
                "last_day" => to,
                "last_28_days" => to.Value.AddDays(-27),
                "last_90_days" => to.Value.AddDays(-89),
                "last_12_months" => to.Value.AddYears(-1).AddDays(1),
                _ => to.Value.AddDays(-6),
            };
        }
        else
        {
            if (query.Text("range") is not null) query.Error("range", "Give either 'range' or 'from' and 'to', not both.");
            if (query.Text("from") is null) query.Error("from", "'from' is missing: give both 'from' and 'to'.");
            if (query.Text("to") is null) query.Error("to", "'to' is missing: give both 'from' and 'to'.");
            if (from > to) query.Error("from", Invariant($"'from' ({from:yyyy-MM-dd}) is after 'to' ({to:yyyy-MM-dd})."));
            else if (from < Earliest) query.Error("from", Invariant($"'from' must be {Earliest:yyyy-MM-dd} or later."));
            else if (to?.DayNumber - from?.DayNumber >= MaxDays) query.Error("from", $"The range may have at most {MaxDays} days.");
            // A property may be a day ahead of its tenant.
            else if (to > today.AddDays(1)) query.Error("to", Invariant($"'to' ({to:yyyy-MM-dd}) is in the future."));
        }

        query.ThrowIfInvalid();
        var (compareFrom, compareTo) = Other(range, from!.Value, to!.Value, compare);
        return new Period(range, from.Value, to.Value, compare, compareFrom, compareTo);
    }

    /// <summary>A preset that ends with a day that is given must have all of its days, and those of a year before.</summary>
    private static void CheckEnd(QueryReader query, string range, DateOnly? to, DateOnly today)
    {
        if (to is not { } end) return;
        if (end > today.AddDays(1)) query.Error("to", Invariant($"'to' ({end:yyyy-MM-dd}) is in the future."));
        else if (end < Earliest.AddYears(1)) query.Error("to", Invariant($"'to' must be {Earliest.AddYears(1):yyyy-MM-dd} or later."));
        else if (range == "today" && end != today) query.Error("to", Invariant($"'to' must be left out, or be {today:yyyy-MM-dd}, where 'range' is today."));
    }

    /// <summary>Presets that are made of whole weeks on any day: their year before keeps the weekdays.</summary>
    private static bool KeepsWeekdays(string range) => range is "today" or "last_day" or "last_7_days" or "last_28_days";

    /// <summary>
    /// The period to compare with; <c>docs/numbers.md</c> says what a person means. The previous one has as many days and ends the day before. Last year is, of a preset of up
    /// to four weeks, the same weekdays 52 weeks before, because a week with another weekend is another week; of anything else the same dates, and where the range
    /// is made of whole months, whole months: 1–28 February against 1–29 February of a leap year. 29 February itself is compared with the 28th. No range is guessed to be meant otherwise from its length.
    /// </summary>
    /// <param name="range">The preset, or <c>custom</c>.</param>
    /// <param name="from">First day.</param>
    /// <param name="to">Last day.</param>
    /// <param name="compare">With what.</param>
    public static (DateOnly? From, DateOnly? To) Other(string range, DateOnly from, DateOnly to, string compare)
    {
        var days = to.DayNumber - from.DayNumber + 1;
        return compare switch
        {
            "previous_period" => (from.AddDays(-days), from.AddDays(-1)),
            "previous_year" when KeepsWeekdays(range) => (from.AddDays(-364), to.AddDays(-364)),
            "previous_year" => (from.AddYears(-1), LastOfYearBefore(from, to)),
            _ => (null, null),
        };
    }

    // Whole months are compared with whole months: the 28th that ends a February, with the 29th where that ended it.
    private static DateOnly LastOfYearBefore(DateOnly from, DateOnly to) =>
        from.Day == 1 && to is { Month: 2, Day: 28 } && to.AddDays(1).Day == 1 && DateTime.IsLeapYear(to.Year - 1)
            ? new DateOnly(to.Year - 1, 2, 29)
            : to.AddYears(-1);

    /// <summary>Whether the period to compare with has the same weekdays and not the same dates.</summary>
    public bool ComparesWeekdays => Compare == "previous_year" && KeepsWeekdays(Range);

    private static string NoteOf(int days, int other) =>
        days > other
            ? $"This period has 29 February in it and is {Count(days)} long; a year before it is {Count(other)}."
            : $"A year before, the period has 29 February in it and is {Count(other)} long; this one is {Count(days)}.";

    private static string Count(int days) => days == 1 ? "1 day" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{days} days");
}
