using KpiDashboard.Kpis;

namespace KpiDashboard.Insights;

/// <summary>The <see cref="HealthScore"/> in words: each part with its arithmetic, and what moved it.</summary>
internal static class HealthReport
{
    /// <summary>Least share that is more than "0.0%" once written.</summary>
    private const decimal Seen = 0.0005m;

    /// <summary>The score as of a day with the arithmetic of each part; the table reaches <see cref="HealthScore.Reach"/> + 7 days further back.</summary>
    /// <param name="table">Daily values.</param>
    /// <param name="day">Last of the seven days.</param>
    /// <param name="currencyOf">Currency of a money KPI.</param>
    public static HealthScoreEntry AsOf(KpiTable table, DateOnly day, Func<KpiDefinition, string?> currencyOf)
    {
        var weeks = HealthScore.Points(table, day, day.AddDays(-7));
        var (now, before) = (weeks[0], weeks[1]);
        var (score, previous) = (HealthScore.Total(now), HealthScore.Total(before));
        var sameParts = now.Select(part => part.Points is null).SequenceEqual(before.Select(part => part.Points is null));
        var weight = score is null ? 0 : now.Where(part => part.Points is not null).Sum(part => part.Weight);
        var left = now.Where(part => part.Points is null).Select(part => part.Name.ToLowerInvariant()).ToList();
        string[] without = score is null ? [] : [.. now.Where(part => part.LacksDays).Select(part => part.Name.ToLowerInvariant())];
        var why = score is null ? "There is no score: neither sales, visits, conversion nor automations can be compared with the weeks before."
            : left.Count == 0 ? "The mean of the parts by their weights."
            : "The mean of the parts by their weights; left out, because it cannot be measured: "
                + $"{string.Join(", ", left)}. The others weigh more for it.";
        var change = score is not null && previous is not null && sameParts ? score - previous : null;
        return new HealthScoreEntry(
            score, day, why, previous, change,
            // Nobody knows whether it is good while what matters most is not known.
            score is null || without.Length > 0 ? null : WordOf(score.Value),
            change is { } points ? Moved(now, before, points) : null,
            [.. now.Select(part => Describe(part, WeightOf(part), day, currencyOf))],
            without);

        decimal WeightOf(HealthScore.Scored part) => score is null || part.Points is null ? 0 : decimal.Round(part.Weight / weight, 4);
    }

    /// <summary>What a score is called.</summary>
    internal static string WordOf(decimal score) => score switch { >= 80 => "good", >= 60 => "fair", >= 40 => "weak", _ => "poor" };

    /// <summary>The part that moved the score most in the direction in which it went; null where it did not.</summary>
    private static HealthMove? Moved(IReadOnlyList<HealthScore.Scored> now, IReadOnlyList<HealthScore.Scored> before, decimal change)
    {
        if (change == 0) return null;
        var weight = now.Where(part => part.Points is not null).Sum(part => part.Weight);
        var (part, points) = now.Zip(before)
            .Where(pair => pair.First.Points is not null && pair.Second.Points is not null)
            .Select(pair => (pair.First, Points: (pair.First.Points!.Value - pair.Second.Points!.Value) * pair.First.Weight / weight))
            .MaxBy(pair => pair.Points * Math.Sign(change));
        return points * Math.Sign(change) <= 0 ? null : new HealthMove(part.Key, part.Name, HealthScore.Whole(points));
    }

    private static HealthPartEntry Describe(HealthScore.Scored scored, decimal weight, DateOnly day, Func<KpiDefinition, string?> currencyOf)
    {
        var proof = new Proof();
        var why = scored switch
        {
            { Part: { } part } => Compare(proof, scored, part, day, currencyOf(part.Kpi)),
            { Points: { } points } => $"{proof.Number("Days read", scored.Known)} of {proof.Number("Days to be read", scored.Expected)} days "
                + $"of the connected sources have data: {proof.Number("Points", points)} points.",
            _ => "Left out: nothing was read from any source.",
        };
        string[] kpis = scored.Part is { } compared ? [compared.Kpi.Key] : [.. KpiCatalogue.Pulses.Values.Select(kpi => kpi.Key)];
        return new HealthPartEntry(scored.Key, scored.Name, scored.Points, weight, why, kpis, proof.Evidence);
    }

    private static string Compare(Proof proof, HealthScore.Scored scored, HealthScore.Part part, DateOnly day, string? currency)
    {
        var (from, name) = (day.AddDays(-6), part.Kpi.Name);
        if (scored is { Value: null, Known: 0 }) return $"Left out: {name} is not measured.";
        if (scored.Known < 7)
        {
            var lacking = proof.Number("Days without data", 7 - scored.Known, part.Kpi.Key, from, day);
            return $"Left out: {lacking} of the last {proof.Number("Days", 7)} days have no data.";
        }

        if (scored.Value is not { } now) return $"Left out: {name} cannot be computed from the last {proof.Number("Days", 7)} days.";
        if (scored.Median is not { } usual)
        {
            return $"Left out: only {proof.Number("Whole weeks with data", scored.Weeks)} of the "
                + $"{proof.Number("Weeks before", HealthScore.Weeks)} weeks before have data on every day.";
        }

        if (scored.Points is not { } gained)
            return $"Left out: the median of the {proof.Number("Weeks before", HealthScore.Weeks)} weeks before is {proof.Number("Median", 0)}.";
        // Whoever reckons with what is printed comes to the points that are printed.
        var shown = proof.Values(part.Kpi, currency, told => Reckoned(scored, part, told) == gained,
            (from, day, now, null), (from.AddDays(-7 * HealthScore.Weeks), from.AddDays(-1), usual, "Median of the weeks before"));
        var (value, median) = (shown[0], shown[1]);
        var rule = part.Tolerance is { } tolerance
            ? $"The median or better gives {proof.Number("Full points", 100)} points, "
                + $"{proof.Number("Percentage points below", tolerance * 100)} percentage points less gives none"
            : $"The median or more gives {proof.Number("Full points", 100)} points, half of it gives none";
        var every = scored.Weeks == HealthScore.Weeks;
        var weeks = every ? $"{proof.Number("Weeks before", scored.Weeks)} weeks"
            : $"{proof.Number("Whole weeks with data", scored.Weeks)} weeks out of {proof.Number("Weeks before", HealthScore.Weeks)}";
        var days = proof.Number("Days", 7);
        var points = proof.Number("Points", gained);
        var before = every ? "before" : "before that have data every day";
        return $"{name} in the last {days} days: {value}. Median of the {weeks} {before}: {median}. "
            + $"{Chance(proof, scored, part)}{rule}, so this gives {(Reckoned(scored, part, shown) == gained ? "" : "about ")}{points}.";
    }

    /// <summary>The points that the printed numbers give.</summary>
    private static decimal Reckoned(HealthScore.Scored scored, HealthScore.Part part, IReadOnlyList<string> shown)
    {
        var (value, median) = (NumberText.Read(shown[0]).Value, NumberText.Read(shown[1]).Value);
        var counted = scored.Counted >= 1 ? 1
            : scored.Counted < Seen ? 0
            : NumberText.Read(NumberText.Shown(KpiUnit.Ratio, scored.Counted, null)).Value / 100;
        // Percentages are read as they stand.
        var drop = part.Tolerance is { } tolerance ? (median - value) / 100 / tolerance
            : median == 0 ? 0
            : (1 - (value / median)) / 0.5m;
        return HealthScore.Whole(100 * Math.Clamp(1 - (drop * counted), 0, 1));
    }

    private static string Chance(Proof proof, HealthScore.Scored scored, HealthScore.Part part)
    {
        if (scored.Counted >= 1 || scored.Carried is not { } carried) return "";
        var expected = proof.Number("Expected " + part.Things, decimal.Round(carried));
        var counts = scored.Counted >= Seen
            ? $"{proof.Share("Share of the drop that counts", scored.Counted)} of the drop counts. "
            : "the drop does not count. ";
        return $"Only about {expected} {part.Things} are to be expected in such a week, which chance alone moves, so {counts}";
    }
}
