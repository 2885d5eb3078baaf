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
    public static IReadOnlyList<string> Presets { get; } = ["last_7_days", "last_day", "last_28_days", "last_90_days", "last_12_months"];

    /// <summary>Reads <c>range</c> or <c>from</c> and <c>to</c>, and <c>compare</c>, from a query.</summary>
    /// <param name="query">The query; collects sentences for what is wrong.</param>
    /// <param name="today">The tenant's date.</param>
    /// <param name="completeThrough">Last day for which the tenant's sources are complete; null if none is.</param>
    public static Period Read(QueryReader query, DateOnly today, DateOnly? completeThrough)
    {
        var (from, to) = (query.Date("from"), query.Date("to"));
        var compare = query.Choice("compare", "previous_period", "previous_year", "none");
        var range = "custom";
        if (from is null && to is null && query.Text("from") is null && query.Text("to") is null)
        {
            range = query.Choice("range", [.. Presets]);
            to = Anchor(today, completeThrough);
            from = range switch
            {
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
        var (compareFrom, compareTo) = Other(from!.Value, to!.Value, compare);
        return new Period(range, from.Value, to.Value, compare, compareFrom, compareTo);
    }

    /// <summary>
    /// The period to compare with. The previous one has as many days and ends the day before. The same period last year keeps the weekdays when it is made
    /// of whole weeks (52 weeks before), because a week with another weekend is another week; otherwise it keeps the dates.
    /// </summary>
    public static (DateOnly? From, DateOnly? To) Other(DateOnly from, DateOnly to, string compare)
    {
        var days = to.DayNumber - from.DayNumber + 1;
        return compare switch
        {
            "previous_period" => (from.AddDays(-days), from.AddDays(-1)),
            "previous_year" when days % 7 == 0 => (from.AddDays(-364), to.AddDays(-364)),
            "previous_year" => (from.AddYears(-1), to.AddYears(-1)),
            _ => (null, null),
        };
    }
}
