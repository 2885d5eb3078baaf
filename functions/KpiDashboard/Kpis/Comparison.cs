namespace KpiDashboard.Kpis;

/// <summary>A period beside the one before it, by the days that both have.</summary>
/// <param name="Days">How many days of each.</param>
/// <param name="Value">Over those days of the period.</param>
/// <param name="Previous">Over those of the period before.</param>
/// <param name="Change">A fraction of <c>previous</c>.</param>
/// <param name="ByChance">Chance alone does as much: it is no trouble, and no success.</param>
internal sealed record AlikeChange(int Days, decimal Value, decimal Previous, decimal Change, bool ByChance);

/// <summary>Days of a table.</summary>
internal readonly record struct TableDays(KpiTable Table, DateOnly From, DateOnly To)
{
    /// <summary>All of them.</summary>
    public static TableDays All(KpiTable table) => new(table, table.From, table.To);
}

/// <summary>
/// A KPI against another period: the one judgement that every page, list and sentence tells. Over the whole of both where nothing of them is missing,
/// else over the days that both have, else not at all; and whether it is more than chance.
/// </summary>
/// <param name="Now">The period.</param>
/// <param name="Before">The one to compare with; null for none.</param>
/// <param name="Change">A fraction of the earlier value; null where it is withheld.</param>
/// <param name="Withheld">Why there is none; null where there is, and where nothing is compared.</param>
/// <param name="Alike">Where it is withheld for days that are missing, the change over the days that both have; null where those are too few.</param>
internal sealed record Comparison(KpiValue Now, KpiValue? Before, decimal? Change, string? Withheld, AlikeChange? Alike)
{
    // Days are looked at only where somebody wants to know.
    private Func<bool> Judge { get; init; } = () => false;

    /// <summary>Chance alone makes a <see cref="Change"/> as large; false where there is none.</summary>
    public bool ByChance => Judge();

    /// <summary>Compares.</summary>
    public static Comparison Of(KpiDefinition kpi, TableDays days, TableDays? other)
    {
        var now = days.Table.Evaluate(kpi, days.From, days.To);
        if (other is not { } earlier) return new Comparison(now, null, null, null, null);
        var before = earlier.Table.Evaluate(kpi, earlier.From, earlier.To);
        var (change, withheld) = KpiChange.Of(now, before);
        if (change is not null)
        {
            return new Comparison(now, before, change, null, null)
            {
                Judge = () => Chance.Makes(kpi, now.Value!.Value, before.Value!.Value, () => Apart(kpi, days, earlier)),
            };
        }

        var alike = withheld is "partial" or "previous_partial"
            ? days.Table.Alike(kpi, days.From, days.To, earlier.Table, earlier.From, earlier.To)
            : null;
        return new Comparison(now, before, null, withheld, alike);
    }

    /// <summary>Day by day, what the period has more than the other one on the day in its place.</summary>
    private static IEnumerable<decimal> Apart(KpiDefinition kpi, TableDays days, TableDays other)
    {
        var (values, earlier) = (days.Table.Daily(kpi), other.Table.Daily(kpi));
        var (first, firstBefore) = (days.From.DayNumber - days.Table.From.DayNumber, other.From.DayNumber - other.Table.From.DayNumber);
        var length = Math.Min(days.To.DayNumber - days.From.DayNumber, other.To.DayNumber - other.From.DayNumber) + 1;
        for (var place = 0; place < length; place++)
        {
            if (values[first + place] is { } value && earlier[firstBefore + place] is { } then) yield return value - then;
        }
    }
}

/// <summary>Whether chance alone makes a change.</summary>
internal static class Chance
{
    /// <summary>What fewer pairs of days say of their spread is worth nothing.</summary>
    private const int FewestDays = 4;

    /// <summary>
    /// Of counts: no more than two standard deviations of the difference of two Poisson counts, 2·√(a + b). Of money, rates and times: the days do not
    /// differ from those of the other period, day by day so that weekdays cancel out, by more than their own spread explains (Student's t, 5 %). Counts
    /// that come several at a time, as the pages of a visit do, spread more than counting says: they have to pass both. What is no sum or mean of its
    /// days carries no such rule; of what has too few of them nobody knows the spread.
    /// </summary>
    /// <param name="kpi">What is compared.</param>
    /// <param name="now">The period.</param>
    /// <param name="before">The other one.</param>
    /// <param name="apart">By how much each day differs from the one that it is compared with; null where no days are known.</param>
    public static bool Makes(KpiDefinition kpi, decimal now, decimal before, Func<IEnumerable<decimal>>? apart)
    {
        if (kpi.Unit == KpiUnit.Count)
        {
            if (!BeyondCounting(now, before)) return true;
            if (!kpi.IsClustered) return false;
        }

        if (kpi.Aggregation is not (KpiAggregation.Sum or KpiAggregation.Ratio or KpiAggregation.DailyMean)) return false;
        // Of what days are not at hand, or are too few, nobody knows, and what nobody knows has no side.
        if (apart is null) return true;
        List<double> days = [.. apart().Select(day => (double)day)];
        var n = days.Count;
        if (n < FewestDays) return true;
        var mean = days.Average();
        var spread = days.Sum(day => (day - mean) * (day - mean)) / (n - 1);
        // The 97.5 % point of Student's t, to within 4 % from three degrees of freedom on.
        var t = 1.96 + (2.37 / (n - 1)) + (2.8 / ((n - 1) * (n - 1.0)));
        return Math.Abs(mean) <= t * Math.Sqrt(spread / n);
    }

    /// <summary>More than two standard deviations of the difference of two Poisson counts.</summary>
    public static bool BeyondCounting(decimal now, decimal before) =>
        (double)Math.Abs(now - before) > 2 * Math.Sqrt((double)Math.Abs(now + before));
}
