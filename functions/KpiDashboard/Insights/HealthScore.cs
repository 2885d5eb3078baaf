using KpiDashboard.Kpis;
using KpiDashboard.Sync;

namespace KpiDashboard.Insights;

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
    private const int Weeks = 13;

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

    private static readonly KpiDefinition[] Pulses = [.. SourceState.Pulses.Values];

    private const decimal DataWeight = 0.15m;

    /// <summary>Least share that is more than "0.0%" once written.</summary>
    private const decimal Seen = 0.0005m;

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

    /// <summary>The score as of a day with the arithmetic of each part; the table reaches <see cref="Reach"/> + 7 days further back.</summary>
    /// <param name="table">Daily values.</param>
    /// <param name="day">Last of the seven days.</param>
    /// <param name="currencyOf">Currency of a money KPI.</param>
    public static HealthScoreEntry AsOf(KpiTable table, DateOnly day, Func<KpiDefinition, string?> currencyOf)
    {
        var weeks = new WeekCache(table);
        var (now, before) = (Points(weeks, day), Points(weeks, day.AddDays(-7)));
        var (score, previous) = (Total(now), Total(before));
        var sameParts = now.Select(part => part.Points is null).SequenceEqual(before.Select(part => part.Points is null));
        var weight = score is null ? 0 : now.Where(part => part.Points is not null).Sum(part => part.Weight);
        var left = now.Where(part => part.Points is null).Select(part => part.Name.ToLowerInvariant()).ToList();
        string[] without = score is null ? [] : [.. now.Where(part => part.LacksDays).Select(part => part.Name.ToLowerInvariant())];
        return new HealthScoreEntry(
            score, day,
            score is null ? "There is no score: neither sales, visits, conversion nor automations can be compared with the weeks before."
                : left.Count == 0 ? "The mean of the parts by their weights."
                : $"The mean of the parts by their weights; left out, because it cannot be measured: {string.Join(", ", left)}. The others weigh more for it.",
            previous, score is not null && previous is not null && sameParts ? score - previous : null,
            // Nobody knows whether it is good while what matters most is not known.
            score is null || without.Length > 0 ? null : WordOf(score.Value),
            score is not null && previous is not null && sameParts ? Moved(now, before, score.Value - previous.Value) : null,
            [.. now.Select(part => part.Describe(score is null || part.Points is null ? 0 : decimal.Round(part.Weight / weight, 4), day, currencyOf))],
            without);
    }

    /// <summary>What a score is called.</summary>
    internal static string WordOf(decimal score) => score switch { >= 80 => "good", >= 60 => "fair", >= 40 => "weak", _ => "poor" };

    /// <summary>The part that moved the score most in the direction in which it went; null where it did not.</summary>
    private static HealthMove? Moved(IReadOnlyList<Scored> now, IReadOnlyList<Scored> before, decimal change)
    {
        if (change == 0) return null;
        var weight = now.Where(part => part.Points is not null).Sum(part => part.Weight);
        var (part, points) = now.Zip(before)
            .Where(pair => pair.First.Points is not null && pair.Second.Points is not null)
            .Select(pair => (pair.First, Points: (pair.First.Points!.Value - pair.Second.Points!.Value) * pair.First.Weight / weight))
            .MaxBy(pair => pair.Points * Math.Sign(change));
        return points * Math.Sign(change) <= 0 ? null : new HealthMove(part.Key, part.Name, Whole(points));
    }

    /// <summary>The median of some values; there is at least one.</summary>
    public static decimal Median(IEnumerable<decimal> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }

    private static decimal? Total(IReadOnlyList<Scored> parts)
    {
        var measured = parts.Where(part => part.Points is not null).ToList();
        // That data is there is no health by itself.
        return measured.Any(part => part.Part is not null)
            ? decimal.Round(measured.Sum(part => part.Weight * part.Points!.Value) / measured.Sum(part => part.Weight), 0, MidpointRounding.AwayFromZero)
            : null;
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

    private static decimal Whole(decimal points) => decimal.Round(points, 0, MidpointRounding.AwayFromZero);

    /// <summary>
    /// A KPI of seven days against the median of the weeks before. Full points at the median or better; none at half of it, or at the
    /// median less the tolerance.
    /// <c>Counted</c> are the things whose number says how much chance is in it, <c>Things</c> what they are called.
    /// </summary>
    private sealed record Part(string Key, string Name, KpiDefinition Kpi, decimal Weight, decimal? Tolerance, KpiDefinition Counted,
        string Things);

    private sealed record Scored(Part? Part, string Key, string Name, decimal Weight, decimal? Points, decimal? Value, decimal? Median, int Weeks, int Known, int Expected)
    {
        /// <summary>What part of a drop counts.</summary>
        public decimal Counted { get; init; } = 1;

        /// <summary>Measured as a rule, and not on each of the seven days.</summary>
        public bool LacksDays => Part is not null && Known < 7 && Median is not null;

        /// <summary>How many things carry the number.</summary>
        public decimal? Carried { get; init; }

        public HealthPartEntry Describe(decimal weight, DateOnly day, Func<KpiDefinition, string?> currencyOf)
        {
            var proof = new Proof();
            var why = Part is { } part ? Compare(proof, part, day, currencyOf(part.Kpi))
                : Points is null ? "Left out: nothing was read from any source."
                : $"{proof.Number("Days read", Known)} of {proof.Number("Days to be read", Expected)} days of the connected sources have data: {proof.Number("Points", Points.Value)} points.";
            return new HealthPartEntry(Key, Name, Points, weight, why, Part is null ? [.. Pulses.Select(kpi => kpi.Key)] : [Part.Kpi.Key], proof.Evidence);
        }

        private string Compare(Proof proof, Part part, DateOnly day, string? currency)
        {
            var from = day.AddDays(-6);
            if (Value is null && Known == 0) return $"Left out: {part.Kpi.Name} is not measured.";
            if (Known < 7) return $"Left out: {proof.Number("Days without data", 7 - Known, part.Kpi.Key, from, day)} of the last {proof.Number("Days", 7)} days have no data.";
            if (Value is null) return $"Left out: {part.Kpi.Name} cannot be computed from the last {proof.Number("Days", 7)} days.";
            if (Median is null)
                return $"Left out: only {proof.Number("Whole weeks with data", Weeks)} of the {proof.Number("Weeks before", HealthScore.Weeks)} weeks before have data on every day.";
            if (Points is null) return $"Left out: the median of the {proof.Number("Weeks before", HealthScore.Weeks)} weeks before is {proof.Number("Median", 0)}.";
            // Whoever reckons with what is printed comes to the points that are printed.
            var shown = proof.Values(part.Kpi, currency, told => Reckoned(part, told) == Points,
                (from, day, Value.Value, null), (from.AddDays(-7 * HealthScore.Weeks), from.AddDays(-1), Median.Value, "Median of the weeks before"));
            var (value, median) = (shown[0], shown[1]);
            var rule = part.Tolerance is { } tolerance
                ? $"the median or better gives {proof.Number("Full points", 100)} points, {proof.Number("Percentage points below", tolerance * 100)} percentage points less gives none"
                : $"the median or more gives {proof.Number("Full points", 100)} points, half of it gives none";
            var weeks = Weeks == HealthScore.Weeks ? $"{proof.Number("Weeks before", Weeks)} weeks"
                : $"{proof.Number("Whole weeks with data", Weeks)} weeks out of {proof.Number("Weeks before", HealthScore.Weeks)}";
            var days = proof.Number("Days", 7);
            var points = proof.Number("Points", Points.Value);
            return $"{part.Kpi.Name} in the last {days} days: {value}. Median of the {weeks} before{(Weeks == HealthScore.Weeks ? "" : " that have data every day")}: {median}. "
                + $"{Chance(proof, part)}{char.ToUpperInvariant(rule[0])}{rule[1..]}, so this gives {(Reckoned(part, shown) == Points ? "" : "about ")}{points}.";
        }

        /// <summary>The points that the printed numbers give.</summary>
        private decimal Reckoned(Part part, IReadOnlyList<string> shown)
        {
            var (value, median) = (NumberText.Read(shown[0]).Value, NumberText.Read(shown[1]).Value);
            var counted = Counted >= 1 ? 1 : Counted < HealthScore.Seen ? 0 : NumberText.Read(NumberText.Shown(KpiUnit.Ratio, Counted, null)).Value / 100;
            // Percentages are read as they stand.
            var drop = part.Tolerance is { } tolerance ? (median - value) / 100 / tolerance : median == 0 ? 0 : (1 - (value / median)) / 0.5m;
            return Whole(100 * Math.Clamp(1 - (drop * counted), 0, 1));
        }

        private string Chance(Proof proof, Part part)
        {
            if (Counted >= 1 || Carried is not { } carried) return "";
            var expected = proof.Number("Expected " + part.Things, decimal.Round(carried));
            return $"Only about {expected} {part.Things} are to be expected in such a week, which chance alone moves, so "
                + (Counted >= HealthScore.Seen ? $"{proof.Share("Share of the drop that counts", Counted)} of the drop counts. " : "the drop does not count. ");
        }
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
