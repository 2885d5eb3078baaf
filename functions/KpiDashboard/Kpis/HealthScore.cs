namespace KpiDashboard.Kpis;

/// <summary>
/// The health of a business from 0 to 100: its last seven days against its own 13 weeks before. A part that cannot be measured is left out and the others weigh
/// more; when no part of the business can be measured there is no score.
/// </summary>
internal static class HealthScore
{
    /// <summary>Key of the KPI.</summary>
    public const string Key = "business.health_score";

    /// <summary>Source of the KPI, as far as all connected sources are.</summary>
    public const string Source = "business";

    /// <summary>Days before the first scored one that a score looks at: its own week and the 13 before.</summary>
    public const int Reach = (7 * Weeks) + 6;

    /// <summary>Weeks that a week is compared with.</summary>
    public const int Weeks = 13;

    /// <summary>With fewer whole weeks there is no median to speak of.</summary>
    private const int FewestWeeks = 4;

    /// <summary>The catalogue's entry. It is worked out for each day and then treated like a stored one.</summary>
    public static KpiDefinition Kpi { get; } = new()
    {
        Key = Key,
        Name = "Business health",
        Description = "How the last 7 days compare with the 13 weeks before them, from 0 to 100.",
        Unit = KpiUnit.Score,
        Direction = KpiDirection.Up,
        Aggregation = KpiAggregation.Last,
        Source = Source,
        Formula = "weighted mean of the points of revenue, visits, conversion, automations and data",
    };

    private static readonly Part[] Compared =
    [
        new("revenue", "Revenue", KpiCatalogue.Part("shop.revenue"), 0.30m, Tolerance: null, KpiCatalogue.Part("shop.transactions"),
            "orders"),
        new("visits", "Visits", KpiCatalogue.Part("web.sessions"), 0.20m, Tolerance: null, KpiCatalogue.Part("web.sessions"), "visits"),
        new("conversion", "Conversion", KpiCatalogue.Part("web.conversion_rate"), 0.15m, Tolerance: null,
            KpiCatalogue.Part("web.sessions"), "visits with a key event"),
        // Half of a success rate of 98 % would be a disaster long past.
        new("automations", "Automations", KpiCatalogue.Part("automation.success_rate"), 0.20m, Tolerance: 0.20m,
            KpiCatalogue.Part("automation.executions"), "runs"),
    ];

    /// <summary>By these it is seen whether there is data.</summary>
    private static readonly KpiDefinition[] Pulses = [.. KpiCatalogue.Pulses.Values];

    private const decimal DataWeight = 0.15m;

    /// <summary>What a score needs to be loaded.</summary>
    public static IReadOnlyList<KpiDefinition> Needs { get; } =
        [.. Compared.Select(part => part.Kpi), .. Compared.Select(part => part.Counted), .. Pulses];

    /// <summary>The score of each of some days, null where there is none; the table reaches <see cref="Reach"/> days further back.</summary>
    public static IEnumerable<(DateOnly Day, decimal Score)> Daily(KpiTable table, DateOnly from, DateOnly to)
    {
        var weeks = new WeekCache(table);
        for (var day = from; day <= to; day = day.AddDays(1))
        {
            if (Total(Points(weeks, day)) is { } score) yield return (day, score);
        }
    }

    /// <summary>The median of some values; there is at least one.</summary>
    public static decimal Median(IEnumerable<decimal> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }

    /// <summary>The score of some parts; null when none of the business could be measured.</summary>
    public static decimal? Total(IReadOnlyList<Scored> parts)
    {
        var measured = parts.Where(part => part.Points is not null).ToList();
        // That data is there is no health by itself.
        return measured.Any(part => part.Part is not null)
            ? decimal.Round(measured.Sum(part => part.Weight * part.Points!.Value) / measured.Sum(part => part.Weight), 0, MidpointRounding.AwayFromZero)
            : null;
    }

    /// <summary>The parts of the score as of some days; the table reaches <see cref="Reach"/> days further back than the first.</summary>
    public static IReadOnlyList<IReadOnlyList<Scored>> Points(KpiTable table, params ReadOnlySpan<DateOnly> days)
    {
        var weeks = new WeekCache(table);
        var scored = new List<IReadOnlyList<Scored>>();
        foreach (var day in days) scored.Add(Points(weeks, day));
        return scored;
    }

    private static List<Scored> Points(WeekCache weeks, DateOnly day)
    {
        var scored = Compared.Select(part => Score(weeks, part, day)).ToList();
        var (known, expected) = (0, 0);
        foreach (var pulse in Pulses)
        {
            if (Enumerable.Range(0, Weeks + 1).All(week => weeks.Of(pulse, day.AddDays(-7 * week)).KnownDays == 0)) continue;
            known += weeks.Of(pulse, day).KnownDays;
            expected += 7;
        }

        scored.Add(new Scored(null, "data", "Data", DataWeight, expected == 0 ? null : Whole(100m * known / expected), null, null, 0, known, expected));
        return scored;
    }

    private static Scored Score(WeekCache weeks, Part part, DateOnly day)
    {
        var now = weeks.Of(part.Kpi, day);
        var before = Enumerable.Range(1, Weeks).Select(week => weeks.Of(part.Kpi, day.AddDays(-7 * week))).Where(week => week.Value is not null && week.KnownDays == 7).Select(week => week.Value!.Value).ToList();
        decimal? median = before.Count >= FewestWeeks ? Median(before) : null;
        var (points, share, expected) = now.Value is { } value && now.KnownDays == 7 && median is { } usual
            ? PointsOf(weeks, part, day, value, usual)
            : (null, 1, null);
        return new Scored(part, part.Key, part.Name, part.Weight, points, now.Value, median, before.Count, now.KnownDays, 7)
        {
            Counted = share,
            Carried = expected,
        };
    }

    /// <summary>
    /// Points of a value beside what is usual. A drop counts by how much it is more than chance: of few orders, visits or runs one more or
    /// less is a large share and means nothing. Up to one standard deviation of what the counts can carry it does not count, from three on
    /// it counts in full, and between them in proportion, so that no single order makes a leap.
    /// </summary>
    private static (decimal? Points, decimal Share, decimal? Expected) PointsOf(WeekCache weeks, Part part, DateOnly day, decimal value,
        decimal usual)
    {
        if (part.Tolerance is null && usual <= 0) return (null, 1, null);
        var drop = part.Tolerance is null ? 1 - (value / usual) : usual - value;
        var count = weeks.Of(part.Counted, day).Value;
        // Of a rate, what this week's visits would have brought; of a sum, what a week usually brings.
        var expected = part switch
        {
            { Tolerance: not null } => count,
            { Kpi.Aggregation: KpiAggregation.Ratio } => count * usual,
            _ when part.Kpi.Key == part.Counted.Key => usual,
            _ => UsualCount(weeks, part, day),
        };
        var share = drop > 0 && expected is { } many ? Beyond(drop, part.Tolerance is null ? Spread(many) : Spread(usual, many)) : 1;
        return (Whole(100 * Math.Clamp(1 - (drop * share / (part.Tolerance ?? 0.5m)), 0, 1)), share, expected);
    }

    private static decimal? UsualCount(WeekCache weeks, Part part, DateOnly day)
    {
        var counts = Enumerable.Range(1, Weeks)
            .Select(week => weeks.Of(part.Counted, day.AddDays(-7 * week)))
            .Where(week => week is { Value: not null, KnownDays: 7 })
            .ToList();
        return counts.Count >= FewestWeeks ? Median(counts.Select(week => week.Value!.Value)) : null;
    }

    /// <summary>
    /// Variance of a count, as a share of it: that of Poisson, and as much again twice over for what is usual being known from as few.
    /// </summary>
    private static decimal Spread(decimal many) => (1 + (2 / Math.Max(1, many))) / Math.Max(1, many);

    /// <summary>
    /// Variance of a share among so many; two of each kind are added, because a handful without a failure is no proof of none (Agresti and
    /// Coull).
    /// </summary>
    private static decimal Spread(decimal usual, decimal many)
    {
        var share = ((usual * many) + 2) / (many + 4);
        return share * (1 - share) / Math.Max(1, many);
    }

    private static decimal Beyond(decimal drop, decimal variance)
    {
        var deviation = Math.Sqrt((double)Math.Max(0, variance));
        return deviation <= 0 ? 1 : (decimal)Math.Clamp((((double)drop / deviation) - 1) / 2, 0, 1);
    }

    /// <summary>Points are told without decimals.</summary>
    public static decimal Whole(decimal points) => decimal.Round(points, 0, MidpointRounding.AwayFromZero);

    /// <summary>
    /// A KPI of seven days against the median of the weeks before. Full points at the median or better; none at half of it, or at the
    /// median less the tolerance.
    /// <c>Counted</c> are the things whose number says how much chance is in it, <c>Things</c> what they are called.
    /// </summary>
    internal sealed record Part(string Key, string Name, KpiDefinition Kpi, decimal Weight, decimal? Tolerance, KpiDefinition Counted,
        string Things);

    /// <summary>A part as of a day; without <c>Part</c>, that of data.</summary>
    internal sealed record Scored(Part? Part, string Key, string Name, decimal Weight, decimal? Points, decimal? Value, decimal? Median, int Weeks, int Known, int Expected)
    {
        /// <summary>What part of a drop counts.</summary>
        public decimal Counted { get; init; } = 1;

        /// <summary>Measured as a rule, and not on each of the seven days.</summary>
        public bool LacksDays => Part is not null && Known < 7 && Median is not null;

        /// <summary>How many things carry the number.</summary>
        public decimal? Carried { get; init; }
    }

    /// <summary>KPIs over seven days by their last day: the weeks of one day are the weeks before of others.</summary>
    private sealed class WeekCache(KpiTable table)
    {
        private readonly Dictionary<(string Kpi, DateOnly Day), KpiValue> _values = [];

        public KpiValue Of(KpiDefinition kpi, DateOnly day)
        {
            if (!_values.TryGetValue((kpi.Key, day), out var value)) _values[(kpi.Key, day)] = value = table.Evaluate(kpi, day.AddDays(-6), day);
            return value;
        }
    }
}
