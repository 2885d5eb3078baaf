using KpiDashboard.Tenancy;

namespace KpiDashboard.Kpis;

/// <summary>Sums of one value of a dimension over the days of a period that are divided.</summary>
/// <param name="Sums">By stored KPI.</param>
/// <param name="UnknownDays">Days on which it is not listed although not all is: what it had then is among the rest.</param>
internal sealed record MemberSums(IReadOnlyDictionary<string, decimal> Sums, int UnknownDays);

/// <summary>One period of a KPI and how it divides.</summary>
/// <param name="Total">The KPI over the days that are divided; partial where days of the period are not.</param>
/// <param name="Sums">What it is computed from, over the same days.</param>
/// <param name="Members">Values of the dimension that are listed.</param>
/// <param name="PartlyListedDays">Days on which not all is listed.</param>
internal sealed record DividedPeriod(KpiValue Total, IReadOnlyDictionary<string, decimal> Sums, IReadOnlyDictionary<string, MemberSums> Members, int PartlyListedDays);

/// <summary>A value of a dimension and what it is of the whole.</summary>
internal sealed record MemberShare(string Name, KpiValue Value, KpiValue? Previous, decimal? Share);

/// <summary>
/// The arithmetic of breakdowns. Every value is computed from sums, never from rates; "everything else" is the whole less what is listed, for each part apart, and is not told
/// where that does not come out. Pure.
/// </summary>
internal sealed class Breakdown
{
    /// <summary>
    /// Google counts in estimates, for the whole and for its rows apart: rows that exceed the whole by no more than this part of it are the whole. Beyond it something counts
    /// under several values.
    /// </summary>
    public const decimal Tolerance = 0.01m;

    private readonly KpiDefinition _kpi;
    private readonly TenantEconomics _economics;

    /// <summary>Computes a breakdown.</summary>
    /// <param name="kpi">A KPI all of whose parts are divided.</param>
    /// <param name="names">Values of the dimension to list.</param>
    /// <param name="now">The period.</param>
    /// <param name="before">The one to compare with; null for none.</param>
    /// <param name="economics">Settings of the business.</param>
    public Breakdown(KpiDefinition kpi, IReadOnlyCollection<string> names, DividedPeriod now, DividedPeriod? before, TenantEconomics economics)
    {
        (_kpi, _economics) = (kpi, economics);
        var weight = WeightOf(kpi);
        var whole = now.Sums.GetValueOrDefault(weight);
        Members =
        [
            .. names
                .Select(name => new MemberShare(name, ValueOf(name, now), before is null ? null : ValueOf(name, before), ShareOf(SumsOf(name, now)?.Sums.GetValueOrDefault(weight), whole)))
                .OrderByDescending(member => SumsOf(member.Name, now)?.Sums.GetValueOrDefault(weight)).ThenByDescending(member => member.Previous?.Value).ThenBy(member => member.Name, StringComparer.Ordinal),
        ];
        var (rest, overlaps) = RestOf(names, now);
        RestOverlaps = overlaps;
        if (rest is null) return;
        // What is not listed is known exactly only as far as what is listed is.
        var status = Members.Any(member => member.Value.Status == ValueStatus.Partial) ? ValueStatus.Partial : now.Total.Status;
        KpiValue? previous = null;
        if (before is not null)
        {
            var (other, overlapped) = RestOf(names, before);
            if (!overlapped) previous = Evaluate(other ?? Zero, before.Total, before.Total.Status);
        }

        Rest = new MemberShare("", Evaluate(rest, now.Total, status), previous, ShareOf(rest[weight], whole));
    }

    /// <summary>What is listed, greatest first.</summary>
    public IReadOnlyList<MemberShare> Members { get; }

    /// <summary>Everything else; null where nothing else is, or it cannot be told.</summary>
    public MemberShare? Rest { get; }

    /// <summary>What is listed adds up to more than the whole: a visit counts under several values.</summary>
    public bool RestOverlaps { get; }

    private Dictionary<string, decimal> Zero => _kpi.Parts.ToDictionary(part => part, _ => 0m, StringComparer.Ordinal);

    /// <summary>
    /// The stored KPI whose parts make the shares: its own for one that adds up. A rate has no shares; its values are shown by how many visits, else by how much of what it
    /// is divided by, they stand for, so that a value of three visits does not lead the list.
    /// </summary>
    public static string WeightOf(KpiDefinition kpi) =>
        kpi.Compute is null ? kpi.Key : kpi.Parts.Contains("web.sessions", StringComparer.Ordinal) ? "web.sessions" : kpi.Parts[^1];

    private static MemberSums? SumsOf(string name, DividedPeriod period) =>
        period.Members.GetValueOrDefault(name) ?? (period.PartlyListedDays > 0 ? null : new MemberSums(new Dictionary<string, decimal>(), 0));

    private KpiValue ValueOf(string name, DividedPeriod period)
    {
        var (total, sums) = (period.Total, SumsOf(name, period));
        // Without a whole there are no parts; and of what is listed on no day, while not all is listed, nothing is known.
        if (total.KnownDays == 0 || sums is null) return new KpiValue(null, ValueStatus.NotMeasurable, 0, total.Days);
        return Evaluate(sums.Sums, total, sums.UnknownDays > 0 ? ValueStatus.Partial : total.Status);
    }

    private KpiValue Evaluate(IReadOnlyDictionary<string, decimal> sums, KpiValue total, ValueStatus status)
    {
        if (total.KnownDays == 0) return new KpiValue(null, ValueStatus.NotMeasurable, 0, total.Days);
        var all = _kpi.Parts.ToDictionary(part => part, part => sums.GetValueOrDefault(part), StringComparer.Ordinal);
        var value = _kpi.Compute is { } compute ? compute(new KpiInputs(all, _economics, 0)) : all[_kpi.Key];
        return value is null
            ? new KpiValue(null, ValueStatus.NotMeasurable, total.KnownDays, total.Days)
            : new KpiValue(decimal.Round(value.Value, 8), status == ValueStatus.NotMeasurable ? ValueStatus.Partial : status, total.KnownDays, total.Days);
    }

    private (IReadOnlyDictionary<string, decimal>? Left, bool Overlaps) RestOf(IReadOnlyCollection<string> names, DividedPeriod period)
    {
        if (period.Total.KnownDays == 0) return (null, false);
        var rest = Zero;
        foreach (var part in _kpi.Parts)
        {
            var whole = period.Sums.GetValueOrDefault(part);
            rest[part] = whole - names.Sum(name => period.Members.GetValueOrDefault(name)?.Sums.GetValueOrDefault(part) ?? 0);
            if (rest[part] >= 0) continue;
            if (-rest[part] > Math.Abs(whole) * Tolerance) return (null, true);
            rest[part] = 0;
        }

        return (rest.Values.All(value => value == 0) ? null : rest, false);
    }

    private static decimal? ShareOf(decimal? part, decimal whole) => part is null || whole <= 0 ? null : decimal.Round(Math.Clamp(part.Value / whole, 0, 1), 6);
}
