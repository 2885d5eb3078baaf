using KpiDashboard.Kpis;


namespace KpiDashboard.Insights.Rules;

/// <summary>
/// Complete days of the period that lie outside the band of their weekday: the median of that weekday in the 13 weeks before, plus or minus 4 times the median distance
/// from it, scaled by 1.4826 as for a normal distribution, and never narrower than counting noise or a tenth.
/// </summary>
internal sealed class AnomalyRule : IInsightRule
{
    private const int FewestWeeks = 8, Most = 3;
    private const decimal Scale = 1.4826m, Width = 4;
    private static readonly string[] Watched = ["shop.revenue", "shop.transactions", "web.sessions", "web.key_events", "automation.executions"];

    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        var found = new List<(KpiDefinition Kpi, DateOnly Day, decimal Value, decimal Median, decimal Low, decimal High, int Weeks)>();
        foreach (var kpi in Watched.Select(KpiCatalogue.Part))
        {
            // Of a long period, the last week: what was odd in spring is no news.
            for (var day = facts.Days > 7 ? facts.Period.To.AddDays(-6) : facts.Period.From; day <= facts.Period.To; day = day.AddDays(1))
            {
                if (facts.Table.StatusOf(kpi, day) is DayStatus.Missing or DayStatus.Partial || facts.Table.On(kpi, day) is not { } value) continue;
                if (Band(facts.Table, kpi, day) is { } band && (value < band.Low || value > band.High)) found.Add((kpi, day, value, band.Median, band.Low, band.High, band.Weeks));
            }
        }

        foreach (var odd in found.OrderByDescending(item => Math.Abs(item.Value - item.Median) / Math.Max(item.Median, 1)).Take(Most))
        {
            var (proof, currency, above) = (new Proof(), facts.CurrencyOf(odd.Kpi), odd.Value > odd.High);
            var (first, last) = (odd.Day.AddDays(-91), odd.Day.AddDays(-7));
            var shown = proof.Values(odd.Kpi, currency,
                (odd.Day, odd.Day, odd.Value, null), (first, last, odd.Median, "Median of this weekday"),
                (first, last, Math.Max(0, odd.Low), "Lower end of the band"), (first, last, odd.High, "Upper end of the band"));
            yield return new Insight(
                "anomaly", odd.Kpi.Key, above == (odd.Kpi.Direction != KpiDirection.Down) ? InsightSeverity.Info : InsightSeverity.Attention,
                $"{odd.Kpi.Name} on {proof.Day("Day", odd.Day)} was {shown[0]}, {(above ? "above" : "below")} what this weekday had in {proof.Number("Weeks", odd.Weeks)} weeks before: "
                + $"{shown[1]} is usual, {shown[2]} to {shown[3]} not unusual.",
                proof, $"/metrics/{odd.Kpi.Key}", $"{odd.Day:yyyy-MM-dd} {(above ? "above" : "below")}", odd.Value)
            { Kpis = [odd.Kpi.Key], Money = odd.Kpi.Unit == KpiUnit.Currency ? Math.Abs(odd.Value - odd.Median) : null, Currency = currency };
        }
    }

    /// <summary>What is not unusual for a day; null with too few weeks before it.</summary>
    internal static (decimal Median, decimal Low, decimal High, int Weeks)? Band(KpiTable table, KpiDefinition kpi, DateOnly day)
    {
        var before = Enumerable.Range(1, BusinessFacts.Weeks).Select(week => day.AddDays(-7 * week)).Where(past => past >= table.From).Select(past => table.On(kpi, past)).OfType<decimal>().ToList();
        if (before.Count < FewestWeeks) return null;
        var median = HealthScore.Median(before);
        var spread = Width * Scale * HealthScore.Median(before.Select(value => Math.Abs(value - median)));
        var noise = kpi.Unit == KpiUnit.Count ? 3 * (decimal)Math.Sqrt((double)Math.Max(median, 1)) : 0;
        var width = Math.Max(spread, Math.Max(noise, median / 10));
        return (median, median - width, median + width, before.Count);
    }
}
