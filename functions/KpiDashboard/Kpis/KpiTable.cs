using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Insights;

namespace KpiDashboard.Kpis;

/// <summary>How far a value can be trusted.</summary>
[JsonConverter(typeof(SnakeCaseEnum<ValueStatus>))]
internal enum ValueStatus
{
    /// <summary>Will not change any more by the source's own rules.</summary>
    Final,

    /// <summary>Complete, but the source may still restate it.</summary>
    Provisional,

    /// <summary>Days of the period are unfinished or missing: comparing would mislead.</summary>
    Partial,

    /// <summary>Nothing is known; null, never 0.</summary>
    NotMeasurable,
}

/// <summary>How far one day can be trusted; as <see cref="ValueStatus"/>, but a day without data is missing.</summary>
[JsonConverter(typeof(SnakeCaseEnum<DayStatus>))]
internal enum DayStatus
{
    /// <summary>Will not change any more.</summary>
    Final,

    /// <summary>May still be restated.</summary>
    Provisional,

    /// <summary>The day, or the source's processing of it, is not over.</summary>
    Partial,

    /// <summary>No data: a gap, not 0.</summary>
    Missing,
}

/// <summary>A KPI over a period.</summary>
/// <param name="Value">Null when nothing is known or the formula has no answer.</param>
/// <param name="Status">How far it can be trusted.</param>
/// <param name="KnownDays">Days on which all parts are known.</param>
/// <param name="Days">Days of the period.</param>
/// <param name="Why">Why it cannot be computed although days are known, in a sentence, where it is not for want of something to divide by.</param>
internal readonly record struct KpiValue(decimal? Value, ValueStatus Status, int KnownDays, int Days, string? Why = null)
{
    /// <summary>Values are the same whatever is said beside them.</summary>
    public bool Equals(KpiValue other) => (Value, Status, KnownDays, Days) == (other.Value, other.Status, other.KnownDays, other.Days);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Value, Status, KnownDays, Days);
}

/// <summary>A period beside the one before it, by the days that both have.</summary>
/// <param name="Days">How many days of each.</param>
/// <param name="Value">Over those days of the period.</param>
/// <param name="Previous">Over those of the period before.</param>
/// <param name="Change">A fraction of <c>previous</c>.</param>
internal sealed record AlikeChange(int Days, decimal Value, decimal Previous, decimal Change);

/// <summary>How far a source is complete and final, and the currency of its money; null where it is the business's own, or not known.</summary>
internal readonly record struct SourceClock(DateOnly? CompleteThrough, DateOnly? FinalThrough, string? Currency = null)
{
    /// <summary>Last day that will not change any more. What is not complete cannot be final: never after <see cref="CompleteThrough"/>.</summary>
    public DateOnly? FinalThrough { get; } = CompleteThrough is { } complete && FinalThrough > complete ? complete : CompleteThrough is null ? null : FinalThrough;
}

/// <summary>
/// Daily values of stored KPIs over a range of days, and the arithmetic on them. Every number of the product comes out of <see cref="Evaluate"/>:
/// parts are summed first and formulas applied to the sums, so that a week is never the mean of its days' ratios.
/// </summary>
internal sealed class KpiTable
{
    private readonly Dictionary<string, decimal?[]> _parts;
    private readonly IReadOnlyDictionary<string, SourceClock> _clocks;
    private readonly TenantEconomics _economics;

    /// <summary>Makes the table of a range; <paramref name="values"/> outside it are refused.</summary>
    public KpiTable(
        DateOnly from, DateOnly to, IEnumerable<(string Kpi, DateOnly Day, decimal Value)> values,
        IReadOnlyDictionary<string, SourceClock> clocks, TenantEconomics economics)
    {
        From = from;
        To = to;
        _clocks = clocks;
        _economics = economics;
        _parts = new Dictionary<string, decimal?[]>(StringComparer.Ordinal);
        foreach (var (kpi, day, value) in values)
        {
            if (!_parts.TryGetValue(kpi, out var days)) _parts[kpi] = days = new decimal?[Days];
            days[Index(day)] = value;
        }
    }

    /// <summary>First day.</summary>
    public DateOnly From { get; }

    /// <summary>Last day.</summary>
    public DateOnly To { get; }

    private int Days => To.DayNumber - From.DayNumber + 1;

    /// <summary>The days of the range in order.</summary>
    public IEnumerable<DateOnly> Dates => Enumerable.Range(0, Days).Select(From.AddDays);

    /// <summary>How far one day of a KPI can be trusted.</summary>
    public DayStatus StatusOf(KpiDefinition kpi, DateOnly day)
    {
        return StatusOf(kpi.Parts, kpi.Sources, Index(day));
    }

    private DayStatus StatusOf(IReadOnlyList<string> parts, IReadOnlyList<string> sources, int index)
    {
        if (!IsKnown(parts, index)) return DayStatus.Missing;
        var (day, worst) = (From.AddDays(index), DayStatus.Final);
        foreach (var source in sources)
        {
            _clocks.TryGetValue(source, out var clock);
            var status = day <= clock.FinalThrough ? DayStatus.Final : day <= clock.CompleteThrough ? DayStatus.Provisional : DayStatus.Partial;
            if (status > worst) worst = status;
        }

        return worst;
    }

    /// <summary>Whether the sources of a KPI are complete for a day, whether or not there is data.</summary>
    public bool IsComplete(KpiDefinition kpi, DateOnly day) => kpi.Sources.All(source => _clocks.TryGetValue(source, out var clock) && day <= clock.CompleteThrough);

    /// <summary>A KPI on one day.</summary>
    public decimal? On(KpiDefinition kpi, DateOnly day) => Evaluate(kpi, day, day).Value;

    /// <summary>A KPI over a part of the range, both ends included.</summary>
    public KpiValue Evaluate(KpiDefinition kpi, DateOnly from, DateOnly to)
    {
        try
        {
            return Compute(kpi, from, to);
        }
        catch (OverflowException)
        {
            var known = Enumerable.Range(Index(from), Index(to) - Index(from) + 1).Count(index => IsKnown(kpi.Parts, index));
            return new KpiValue(null, ValueStatus.NotMeasurable, Math.Max(1, known), Index(to) - Index(from) + 1, "The result has more digits than can be computed with.");
        }
    }

    /// <summary>
    /// Two periods of which days are missing, compared by the days that both have: the same weekdays of as many weeks before. Null where
    /// they are too few to speak for the period (fewer than half of it, or than four), where none is missing, or the KPI is no sum of its
    /// days or rate of such sums.
    /// </summary>
    public AlikeChange? Alike(KpiDefinition kpi, KpiTable before)
    {
        if (kpi.Aggregation is not (KpiAggregation.Sum or KpiAggregation.Ratio or KpiAggregation.DailyMean)
            || kpi.OwnWay.Count > 0) return null;
        var shift = (((int)From.DayOfWeek - (int)before.From.DayOfWeek) + 7) % 7;
        bool Whole(KpiTable table, int index) => table.StatusOf(kpi.Added, kpi.Sources, index) is DayStatus.Final or DayStatus.Provisional;
        var pairs = Enumerable.Range(0, Days)
            .Where(index => index + shift < before.Days && Whole(this, index) && Whole(before, index + shift))
            .ToList();
        if (pairs.Count == Days || pairs.Count < FewestAlike || 2 * pairs.Count < Days) return null;
        var now = Compute(kpi, From, To, [.. pairs]);
        var then = before.Compute(kpi, before.From, before.To, [.. pairs.Select(index => index + shift)]);
        return now.Value is { } value && then.Value is { } previous && previous != 0
            ? new AlikeChange(pairs.Count, value, previous, decimal.Round((value - previous) / Math.Abs(previous), 6))
            : null;
    }

    /// <summary>Of fewer days a comparison says nothing.</summary>
    private const int FewestAlike = 4;

    private KpiValue Compute(KpiDefinition kpi, DateOnly from, DateOnly to, HashSet<int>? only = null)
    {
        int first = Index(from), last = Index(to);
        if (kpi.Aggregation == KpiAggregation.Last)
        {
            if (kpi.IsSparse)
            {
                while (last > first && !IsKnown(kpi.Parts, last)) last--;
            }

            first = last;
        }

        var sums = kpi.Parts.ToDictionary(part => part, _ => 0m, StringComparer.Ordinal);
        var cost = 0m;
        var known = 0;
        var worst = DayStatus.Final;
        decimal? extreme = null;
        for (var index = first; index <= last; index++)
        {
            // A formula of nothing but parts that go their own way has no days of its own.
            if (kpi.Added.Count == 0) break;
            if (only?.Contains(index) == false) continue;
            var status = StatusOf(kpi.Added, kpi.Sources, index);
            if (status > worst) worst = status;
            if (status == DayStatus.Missing) continue;
            known++;
            cost += _economics.DailyCost(From.AddDays(index));
            foreach (var part in kpi.Added) sums[part] += _parts[part][index]!.Value;
            if (kpi.Aggregation is KpiAggregation.Max or KpiAggregation.Min)
            {
                var value = _parts[kpi.Key][index]!.Value;
                if (extreme is null || (kpi.Aggregation == KpiAggregation.Max ? value > extreme : value < extreme)) extreme = value;
            }
        }

        var days = last - first + 1;
        foreach (var part in kpi.OwnWay)
        {
            var value = Evaluate(part, from, to);
            if (value.Value is not { } own) return new KpiValue(null, ValueStatus.NotMeasurable, kpi.Added.Count == 0 ? 0 : known, days, value.Why);
            sums[part.Key] = own;
            if (kpi.Added.Count == 0) known = Math.Max(known, value.KnownDays);
            // Both lists go from final to worst in the same order.
            if ((DayStatus)value.Status > worst) worst = (DayStatus)value.Status;
        }

        if (known == 0) return new KpiValue(null, ValueStatus.NotMeasurable, 0, days);
        if (kpi.Mixed(CurrencyOf) is { Count: > 1 } currencies)
            return new KpiValue(null, ValueStatus.NotMeasurable, known, days, $"It would mix money in {string.Join(" and ", currencies)}, and nothing is converted.");
        var result = kpi.Compute is { } compute ? compute(new KpiInputs(sums, _economics, cost))
            : kpi.Aggregation == KpiAggregation.DailyMean ? sums[kpi.Key] / known
            : extreme ?? sums[kpi.Key];
        return result is null
            ? new KpiValue(null, ValueStatus.NotMeasurable, known, days, kpi.Lacks(_economics))
            : new KpiValue(decimal.Round(result.Value, 8), worst switch
            {
                DayStatus.Final => ValueStatus.Final,
                DayStatus.Provisional => ValueStatus.Provisional,
                DayStatus.Partial or DayStatus.Missing => ValueStatus.Partial,
                _ => throw new ArgumentOutOfRangeException(nameof(kpi), worst, null),
            }, known, days);
    }

    /// <summary>What the automations cost over the days on which a KPI is known; null if no cost is set or nothing is known.</summary>
    public decimal? AutomationCost(KpiDefinition kpi)
    {
        var known = Dates.Where(day => StatusOf(kpi, day) != DayStatus.Missing).ToList();
        return known.Count == 0 || _economics.AutomationCostPerMonth is null ? null : decimal.Round(known.Sum(_economics.DailyCost), 8);
    }

    private string? CurrencyOf(string source) => (_clocks.TryGetValue(source, out var clock) ? clock.Currency : null) ?? _economics.Currency;

    private bool IsKnown(IReadOnlyList<string> parts, int index)
    {
        foreach (var part in parts)
        {
            if (!_parts.TryGetValue(part, out var days) || days[index] is null) return false;
        }

        return true;
    }

    private int Index(DateOnly day) => day >= From && day <= To
        ? day.DayNumber - From.DayNumber
        : throw new ArgumentOutOfRangeException(nameof(day), day, $"Not within {From:yyyy-MM-dd} … {To:yyyy-MM-dd}.");

    /// <summary>Reads the parts of some KPIs over a range.</summary>
    public static async Task<KpiTable> LoadAsync(
        TenantTransaction tx, IEnumerable<KpiDefinition> kpis, DateOnly from, DateOnly to,
        IReadOnlyDictionary<string, SourceClock> clocks, TenantEconomics economics)
    {
        var parts = kpis.SelectMany(kpi => kpi.Parts).Distinct(StringComparer.Ordinal).ToArray();
        var rows = await tx.QueryAsync<(string Kpi, DateOnly Day, decimal Value)>(
            """
            select kpi, day, value from kpi_values
            where tenant_id = @tenant and kpi = any (@parts) and day between @from and @to
            """,
            new { parts, from, to });
        if (!parts.Contains(HealthScore.Key, StringComparer.Ordinal)) return new KpiTable(from, to, rows, clocks, economics);
        // The health of a day is worked out from the weeks before it, by the same code whenever it is asked for.
        var behind = await LoadAsync(tx, HealthScore.Needs, from.AddDays(-HealthScore.Reach), to, clocks, economics);
        return new KpiTable(from, to, [.. rows, .. HealthScore.Daily(behind, from, to).Select(day => (HealthScore.Key, day.Day, day.Score))], clocks, economics);
    }
}

/// <summary>Compares a period with another, honestly: no percentage where it would mislead.</summary>
internal static class KpiChange
{
    /// <summary>The change as a fraction of the earlier value, or why there is none.</summary>
    /// <returns>Exactly one of both is null.</returns>
    public static (decimal? Change, string? Withheld) Of(KpiValue now, KpiValue? before)
    {
        if (now.Value is null) return (null, "not_measurable");
        if (now.Status == ValueStatus.Partial) return (null, "partial");
        if (before is not { Value: { } earlier }) return (null, "no_previous");
        if (before.Value.Status == ValueStatus.Partial) return (null, "previous_partial");
        if (earlier == 0) return (null, "zero_previous");
        try
        {
            return (decimal.Round((now.Value.Value - earlier) / Math.Abs(earlier), 6), null);
        }
        catch (OverflowException)
        {
            // Next to nothing before: a percentage with 28 digits says no more than one of zero.
            return (null, "zero_previous");
        }
    }
}
