using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Tenancy;

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

/// <summary>How far a source is complete and final, and the currency of its money; null where it is the business's own, or not known.</summary>
internal readonly record struct SourceClock(DateOnly? CompleteThrough, DateOnly? FinalThrough, string? Currency = null)
{
    /// <summary>Last day that will not change any more. What is not complete cannot be final: never after <see cref="CompleteThrough"/>.</summary>
    public DateOnly? FinalThrough { get; } = CompleteThrough is { } complete && FinalThrough > complete ? complete : CompleteThrough is null ? null : FinalThrough;
}

/// <summary>
/// Daily values of stored KPIs over a range of days, by source, and the arithmetic on them. Every number of the product comes out of
/// <see cref="Evaluate"/>: parts are summed first, over days and over sources, and formulas applied to the sums, so that a week is never the mean
/// of its days' ratios, nor two shops the mean of both. What does not add up over sources (people, who may be in both) is not added, and says so.
/// </summary>
internal sealed class KpiTable
{
    /// <summary>Of fewer days a comparison says nothing.</summary>
    private const int FewestAlike = 4;

    private readonly Dictionary<string, List<KpiSeries>> _series = new(StringComparer.Ordinal);
    private readonly Dictionary<KpiDefinition, Plan> _plans = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KpiDefinition, Plan> _wholePlans = new(ReferenceEqualityComparer.Instance);
    private readonly SourceClocks _clocks;
    private readonly TenantEconomics _economics;

    // Whether the sources have more than one currency among them: otherwise no number can mix any.
    private readonly bool _mayMix;

    /// <summary>Makes the table of a range; <paramref name="values"/> outside it are refused.</summary>
    public KpiTable(
        DateOnly from, DateOnly to, IEnumerable<(short Source, string Kpi, DateOnly Day, decimal Value)> values, SourceClocks clocks,
        TenantEconomics economics)
    {
        From = from;
        To = to;
        _clocks = clocks;
        _economics = economics;
        _mayMix = clocks.All.Select(source => source.Clock.Currency ?? economics.Currency).Append(economics.Currency).OfType<string>()
            .Distinct(StringComparer.Ordinal).Skip(1).Any();
        foreach (var (source, kpi, day, value) in values) Series(source, kpi).Set(Index(day), value);
    }

    /// <summary>The same of values that no source claims: each belongs to the first source of its connector.</summary>
    public KpiTable(
        DateOnly from, DateOnly to, IEnumerable<(string Kpi, DateOnly Day, decimal Value)> values, SourceClocks clocks, TenantEconomics economics)
        : this(from, to, values.Select(value => (TableSource.Nobody, value.Kpi, value.Day, value.Value)), clocks, economics)
    {
    }

    /// <summary>The same of stored months, whose days outside the range are left out.</summary>
    public KpiTable(DateOnly from, DateOnly to, IEnumerable<StoredMonth> months, SourceClocks clocks, TenantEconomics economics)
        : this(from, to, Array.Empty<(short, string, DateOnly, decimal)>(), clocks, economics)
    {
        foreach (var month in months)
        {
            // The place of the month's first day in the range; days before the range are at negative ones.
            var first = month.Month.DayNumber - from.DayNumber;
            var last = Math.Min(month.Days.Length, Days - first);
            KpiSeries? series = null;
            for (var place = Math.Max(0, -first); place < last; place++)
            {
                if (month.Days[place] is { } value) (series ??= Series(month.Source, month.Kpi)).Set(first + place, value);
            }
        }
    }

    /// <summary>First day.</summary>
    public DateOnly From { get; }

    /// <summary>Last day.</summary>
    public DateOnly To { get; }

    private int Days => To.DayNumber - From.DayNumber + 1;

    /// <summary>The days of the range in order.</summary>
    public IEnumerable<DateOnly> Dates => Enumerable.Range(0, Days).Select(From.AddDays);

    /// <summary>How far one day of a KPI can be trusted: as far as the least of the sources that it rests on.</summary>
    public DayStatus StatusOf(KpiDefinition kpi, DateOnly day)
    {
        // Its parts that go their own way included.
        var plan = PlanOf(kpi, whole: true);
        var index = Index(day);
        return !AddsUp(kpi) && plan.Sources(index, index) > 1 ? DayStatus.Missing : plan.Status[index];
    }

    /// <summary>Whether the sources of a KPI are complete for a day, whether or not there is data.</summary>
    public bool IsComplete(KpiDefinition kpi, DateOnly day) =>
        kpi.Sources.All(connector => _clocks.Of(connector).All(source => day <= source.Clock.CompleteThrough || day > source.LastDay));

    /// <summary>A KPI on one day; null too where a source of it has no data of that day, though another has: a part is not the whole.</summary>
    public decimal? On(KpiDefinition kpi, DateOnly day) =>
        IsTorn(kpi, day, day) ? null : Evaluate(kpi, day, day).Value;

    /// <summary>Whether days are among these of which one source has data and another, which should, has none.</summary>
    public bool IsTorn(KpiDefinition kpi, DateOnly from, DateOnly to) => PlanOf(kpi, whole: true).Torn.AsSpan(Index(from)..(Index(to) + 1)).Contains(true);

    /// <summary>
    /// Number of the source whose value it is, of a KPI that is not added over sources where several could have one; null where it is that of all.
    /// </summary>
    public short? OnlyOf(KpiDefinition kpi, DateOnly from, DateOnly to)
    {
        if (AddsUp(kpi)) return null;
        var several = PlanOf(kpi).Groups.Where(group => group.Members.Length > 1 && group.Parts.Length > 0).ToList();
        var having = several.SelectMany(group => group.Members).Where(member => member.IsKnownWithin(Index(from), Index(to)))
            .Select(member => member.Source.Number).Distinct().ToList();
        return having is [var one] ? one : null;
    }

    /// <summary>A KPI on each day of the range, as <see cref="On"/> has it.</summary>
    public decimal?[] Daily(KpiDefinition kpi)
    {
        var values = new decimal?[Days];
        if (_mayMix || kpi.OwnWay.Count > 0)
        {
            for (var index = 0; index < values.Length; index++) values[index] = On(kpi, From.AddDays(index));
            return values;
        }

        var plan = PlanOf(kpi);
        if (plan.Parts.Count == 0) return values;
        // One of each for all days: most of the time that a page takes goes by here.
        var (sums, day, addsUp) = (new decimal[plan.Parts.Count], 0, AddsUp(kpi));
        var inputs = kpi.Compute is null ? null : new KpiInputs(plan.Parts, sums, _economics, () => _economics.DailyCost(From.AddDays(day)));
        for (; day < values.Length; day++)
        {
            if (plan.Status[day] == DayStatus.Missing || plan.Torn[day] || (!addsUp && plan.Sources(day, day) > 1)) continue;
            try
            {
                Array.Clear(sums);
                plan.AddTo(sums, day, day);
                inputs?.Forget();
                var value = inputs is null ? sums[0] : kpi.Compute!(inputs);
                values[day] = value is { } known ? decimal.Round(known, 8) : null;
            }
            catch (OverflowException)
            {
                // More digits than can be computed with: no value, as over a period.
            }
        }

        return values;
    }

    /// <summary>How far each day of a KPI can be trusted, as <see cref="StatusOf(KpiDefinition, DateOnly)"/> has it.</summary>
    public DayStatus[] Statuses(KpiDefinition kpi)
    {
        var plan = PlanOf(kpi, whole: true);
        if (AddsUp(kpi) || !plan.Groups.Any(group => group.Members.Length > 1)) return plan.Status;
        return [.. Dates.Select(day => StatusOf(kpi, day))];
    }

    /// <summary>A KPI over a part of the range, both ends included.</summary>
    public KpiValue Evaluate(KpiDefinition kpi, DateOnly from, DateOnly to)
    {
        try
        {
            return Compute(kpi, from, to);
        }
        catch (OverflowException)
        {
            var known = Known(PlanOf(kpi, whole: true), Index(from), Index(to));
            return new KpiValue(null, ValueStatus.NotMeasurable, Math.Max(1, known), Index(to) - Index(from) + 1, "The result has more digits than can be computed with.");
        }
    }

    /// <summary>
    /// Two periods of which days are missing, compared by the days that both have: the same weekdays of as many weeks before. Null where
    /// they are too few to speak for the period (fewer than half of it, or than four), where none is missing, or the KPI is no sum of its
    /// days or rate of such sums. Asked by <see cref="Comparison"/>, which knows when it is told.
    /// </summary>
    public AlikeChange? Alike(KpiDefinition kpi, DateOnly from, DateOnly to, KpiTable before, DateOnly beforeFrom, DateOnly beforeTo)
    {
        if (kpi.Aggregation is not (KpiAggregation.Sum or KpiAggregation.Ratio or KpiAggregation.DailyMean)
            || kpi.OwnWay.Count > 0) return null;
        var (first, days) = (Index(from), to.DayNumber - from.DayNumber + 1);
        var (firstBefore, daysBefore) = (before.Index(beforeFrom), beforeTo.DayNumber - beforeFrom.DayNumber + 1);
        var shift = (((int)from.DayOfWeek - (int)beforeFrom.DayOfWeek) + 7) % 7;
        bool Whole(KpiTable table, int index) => table.PlanOf(kpi).Status[index] is DayStatus.Final or DayStatus.Provisional;
        var pairs = Enumerable.Range(0, days)
            .Where(index => index + shift < daysBefore && Whole(this, first + index) && Whole(before, firstBefore + index + shift))
            .ToList();
        // Days that have no partner because of their weekday are not missing.
        var whole = Enumerable.Range(0, days).All(index => Whole(this, first + index))
            && Enumerable.Range(0, daysBefore).All(index => Whole(before, firstBefore + index));
        if (whole || pairs.Count == days || pairs.Count < FewestAlike || 2 * pairs.Count < days) return null;
        var now = Compute(kpi, from, to, [.. pairs.Select(index => first + index)]);
        var then = before.Compute(kpi, beforeFrom, beforeTo, [.. pairs.Select(index => firstBefore + index + shift)]);
        if (now.Value is not { } value || then.Value is not { } previous || previous == 0) return null;
        var chance = Chance.Makes(kpi, value, previous, () =>
        {
            var (own, others) = (Daily(kpi), before.Daily(kpi));
            return pairs.Select(index => own[first + index] - others[firstBefore + index + shift]).OfType<decimal>();
        });
        return new AlikeChange(pairs.Count, value, previous, decimal.Round((value - previous) / Math.Abs(previous), 6), chance);
    }

    /// <summary>What the automations cost over the days on which a KPI is known; null if no cost is set or nothing is known.</summary>
    public decimal? AutomationCost(KpiDefinition kpi)
    {
        var known = Dates.Where(day => StatusOf(kpi, day) != DayStatus.Missing).ToList();
        return known.Count == 0 || _economics.AutomationCostPerMonth is null ? null : decimal.Round(known.Sum(_economics.DailyCost), 8);
    }

    /// <summary>Numbers of the sources that have a value of a stored KPI in the range.</summary>
    public IReadOnlyCollection<short> SourcesOf(string part) =>
        _series.TryGetValue(part, out var series) ? [.. series.Select(one => one.Source).Order()] : [];

    /// <summary>Numbers of the sources that have a part in a number on some day of the table: whose money it is.</summary>
    public IReadOnlySet<short> Having(KpiDefinition kpi) => PlanOf(kpi).Groups.SelectMany(group => group.Members)
        .Where(member => member.Series.Length > 0 && member.IsKnownWithin(0, Index(To))).Select(member => member.Source.Number).ToHashSet();

    /// <summary>What one source told of a stored KPI on a day; null where it told nothing.</summary>
    public decimal? ValueOf(string part, short source, DateOnly day)
    {
        if (!_series.TryGetValue(part, out var series)) return null;
        decimal? nobodys = null;
        foreach (var one in series)
        {
            if (one.Source == source && one[Index(day)] is { } value) return value;
            if (one.Source == TableSource.Nobody) nobodys = one[Index(day)];
        }

        return nobodys;
    }

    private KpiValue Compute(KpiDefinition kpi, DateOnly from, DateOnly to, HashSet<int>? only = null)
    {
        int first = Index(from), last = Index(to);
        var plan = PlanOf(kpi);
        if (kpi.Aggregation == KpiAggregation.Last)
        {
            if (kpi.IsSparse)
            {
                while (last > first && plan.Status[last] == DayStatus.Missing) last--;
            }

            first = last;
        }

        var days = last - first + 1;
        if (!AddsUp(kpi) && plan.Sources(first, last) is var several and > 1)
            return new KpiValue(null, ValueStatus.NotMeasurable, days, days, NotAdded(kpi, several));
        var sums = new decimal[plan.Parts.Count + kpi.OwnWay.Count];
        var known = 0;
        var worst = DayStatus.Final;
        decimal? extreme = null;
        // A formula of nothing but parts that go their own way has no days of its own.
        if (plan.Parts.Count > 0)
        {
            for (var index = first; index <= last; index++)
            {
                if (only?.Contains(index) == false) continue;
                var status = plan.Status[index];
                if (status > worst) worst = status;
                if (status == DayStatus.Missing) continue;
                known++;
                if (only is not null) plan.AddTo(sums, index, index);
                if (kpi.Aggregation is KpiAggregation.Max or KpiAggregation.Min)
                {
                    var value = plan.First(index);
                    if (extreme is null || (kpi.Aggregation == KpiAggregation.Max ? value > extreme : value < extreme)) extreme = value;
                }
            }

            if (only is null) plan.AddTo(sums, first, last);
        }

        for (var place = 0; place < kpi.OwnWay.Count; place++)
        {
            var value = Evaluate(kpi.OwnWay[place], from, to);
            if (value.Value is not { } own) return new KpiValue(null, ValueStatus.NotMeasurable, kpi.Added.Count == 0 ? 0 : known, days, value.Why);
            sums[plan.Parts.Count + place] = own;
            if (kpi.Added.Count == 0) known = Math.Max(known, value.KnownDays);
            // Both lists go from final to worst in the same order.
            if ((DayStatus)value.Status > worst) worst = (DayStatus)value.Status;
        }

        if (known == 0) return new KpiValue(null, ValueStatus.NotMeasurable, 0, days);
        if (_mayMix && kpi.Mixed(connector => CurrenciesOf(connector, plan, first, last)) is { Count: > 1 } currencies)
            return new KpiValue(null, ValueStatus.NotMeasurable, known, days, $"It would mix money in {string.Join(" and ", currencies)}, and nothing is converted.");
        var result = kpi.Compute is { } compute ? compute(new KpiInputs(
                kpi.OwnWay.Count == 0 ? plan.Parts : [.. plan.Parts, .. kpi.OwnWay.Select(part => part.Key)], sums, _economics,
                () => CostOf(plan, first, last, only)))
            : kpi.Aggregation == KpiAggregation.DailyMean ? sums[0] / known
            : extreme ?? sums[0];
        return result is null
            ? new KpiValue(null, ValueStatus.NotMeasurable, known, days, kpi.Lacks(_economics))
            : new KpiValue(decimal.Round(result.Value, 8), worst switch
            {
                DayStatus.Final => ValueStatus.Final,
                DayStatus.Provisional => ValueStatus.Provisional,
                DayStatus.Partial or DayStatus.Missing => ValueStatus.Partial,
                _ => throw new ArgumentOutOfRangeException(nameof(kpi), worst, null),
            }, known, days, plan.TornWords(first, last, days));
    }

    /// <summary>What the automations cost over the days on which a KPI is known.</summary>
    private decimal CostOf(Plan plan, int first, int last, HashSet<int>? only)
    {
        var cost = 0m;
        for (var index = first; index <= last; index++)
        {
            if (only?.Contains(index) == false || plan.Status[index] == DayStatus.Missing) continue;
            cost += _economics.DailyCost(From.AddDays(index));
        }

        return cost;
    }

    private static int Known(Plan plan, int first, int last)
    {
        var known = 0;
        for (var index = first; index <= last; index++)
        {
            if (plan.Status[index] != DayStatus.Missing) known++;
        }

        return known;
    }

    /// <summary>Whether the same of two sources adds up: counts and money, and rates of such, do; people and states do not.</summary>
    private static bool AddsUp(KpiDefinition kpi) => kpi.Aggregation is KpiAggregation.Sum or KpiAggregation.Ratio;

    private static string NotAdded(KpiDefinition kpi, int sources) => kpi.Aggregation is KpiAggregation.DailyMean or KpiAggregation.Last
        ? $"{kpi.Name} of {sources} sources cannot be added up: who or what is in several of them would be counted several times. Choose one source."
        : $"{kpi.Name} of {sources} sources cannot be put together. Choose one source.";

    /// <summary>Currencies of the sources that have a part in a number; of all where none has.</summary>
    private List<string> CurrenciesOf(string connector, Plan plan, int first, int last)
    {
        var members = plan.Groups.SelectMany(group => group.Members).Where(member => member.Source.Connector == connector).ToList();
        var having = members.Where(member => member.Series.Length > 0 && member.IsKnownWithin(first, last)).ToList();
        var sources = having.Count > 0 ? having.Select(member => member.Source) : _clocks.Of(connector);
        return [.. sources.Select(source => source.Clock.Currency ?? _economics.Currency).OfType<string>().Distinct(StringComparer.Ordinal)];
    }

    private KpiSeries Series(short source, string kpi)
    {
        if (!_series.TryGetValue(kpi, out var all)) _series[kpi] = all = [];
        foreach (var known in all)
        {
            if (known.Source == source) return known;
        }

        var series = new KpiSeries(source, Days);
        all.Add(series);
        // Whatever was planned did not know of it.
        _plans.Clear();
        _wholePlans.Clear();
        return series;
    }

    private Plan PlanOf(KpiDefinition kpi, bool whole = false)
    {
        whole &= kpi.OwnWay.Count > 0;
        var plans = whole ? _wholePlans : _plans;
        if (!plans.TryGetValue(kpi, out var plan)) plans[kpi] = plan = MakePlan(kpi, whole ? kpi.Parts : kpi.Added);
        return plan;
    }

    private Plan MakePlan(KpiDefinition kpi, IReadOnlyList<string> parts)
    {
        var connectors = parts.Select(part => ConnectorOf(part, kpi)).ToList();
        return new Plan(parts, [.. kpi.Sources.Union(connectors, StringComparer.Ordinal).Select(connector =>
        {
            var own = Enumerable.Range(0, parts.Count).Where(index => connectors[index] == connector).ToArray();
            var sources = _clocks.Of(connector);
            var numbers = sources.Select(source => source.Number).ToArray();
            return new Group(own, [.. sources.Select((source, place) => new Member(
                source,
                [.. own.Select(index => SeriesOf(parts[index], source.Number, place == 0 ? numbers : null))],
                source.Pulse is { } pulse ? SeriesOf(pulse, source.Number, null) : null))]);
        })], From, Days);
    }

    /// <summary>The days of a source; the first of a connector has what none of them claims, too.</summary>
    private KpiSeries? SeriesOf(string part, short source, short[]? claimed)
    {
        if (!_series.TryGetValue(part, out var series)) return null;
        KpiSeries? found = null;
        foreach (var one in series)
        {
            if (one.Source != source && claimed?.Contains(one.Source) != false) continue;
            found = found is null ? one : found.Or(one);
        }

        return found;
    }

    private static string ConnectorOf(string part, KpiDefinition kpi) =>
        kpi.Sources.Count == 1 ? kpi.Sources[0]
        : KpiCatalogue.IsStored(part) ? KpiCatalogue.Part(part).Source
        : part == HealthScore.Key ? HealthScore.Source
        : kpi.Sources.Contains(TenantCatalogue.PushSource, StringComparer.Ordinal) ? TenantCatalogue.PushSource : kpi.Sources[0];

    private int Index(DateOnly day) => day >= From && day <= To
        ? day.DayNumber - From.DayNumber
        : throw new ArgumentOutOfRangeException(nameof(day), day, $"Not within {From:yyyy-MM-dd} … {To:yyyy-MM-dd}.");

    /// <summary>Reads the parts of some KPIs over a range.</summary>
    public static async Task<KpiTable> LoadAsync(
        TenantTransaction tx, IEnumerable<KpiDefinition> kpis, DateOnly from, DateOnly to, SourceClocks clocks, TenantEconomics economics)
    {
        var parts = kpis.SelectMany(kpi => kpi.Parts).Union(clocks.Pulses, StringComparer.Ordinal).ToArray();
        var months = KpiValues.LoadAsync(tx, parts, from, to, clocks.Only);
        // The health of a day is worked out from the weeks before it, by the same code whenever it is asked for.
        var weeks = parts.Contains(HealthScore.Key, StringComparer.Ordinal)
            ? LoadAsync(tx, HealthScore.Needs, from.AddDays(-HealthScore.Reach), to, clocks, economics)
            : null;
        var table = new KpiTable(from, to, await months, clocks, economics);
        if (weeks is null) return table;
        var behind = await weeks;
        foreach (var (day, score) in HealthScore.Daily(behind, from, to)) table.Series(TableSource.Nobody, HealthScore.Key).Set(table.Index(day), score);
        return table;
    }

    /// <summary>
    /// Where the parts of a KPI lie, found once: by connector, and of each its sources; and how far each day can be trusted.
    /// </summary>
    private sealed class Plan
    {
        public Plan(IReadOnlyList<string> parts, Group[] groups, DateOnly from, int days)
        {
            (Parts, Groups, Status, Torn, _from) = (parts, groups, new DayStatus[days], new bool[days], from);
            foreach (var group in groups) Judge(group, from);
        }

        private readonly DateOnly _from;

        public IReadOnlyList<string> Parts { get; }

        public Group[] Groups { get; }

        /// <summary>By day.</summary>
        public DayStatus[] Status { get; }

        /// <summary>By day: one source has data of it, and another, which should, has none.</summary>
        public bool[] Torn { get; }

        /// <summary>That days are torn, in a sentence; null where none is.</summary>
        public string? TornWords(int first, int last, int days)
        {
            var torn = Torn.AsSpan(first..(last + 1)).Count(true);
            return torn == 0 ? null : days == 1 ? "A source has no data of that day." : $"On {torn} of {days} days a source has no data.";
        }

        /// <summary>
        /// How many sources have a value on these days; and those that have one on others and still go on, since theirs is missing then, not nothing.
        /// </summary>
        public int Sources(int first, int last)
        {
            var most = 0;
            foreach (var group in Groups)
            {
                if (group.Members.Length < 2 || group.Parts.Length == 0) continue;
                var count = 0;
                foreach (var member in group.Members)
                {
                    if (member.IsKnownWithin(first, last)) count++;
                    else if (member.GoesOn(_from.AddDays(first), _from.AddDays(last)) && member.IsKnownWithin(0, Status.Length - 1)) count++;
                }

                most = Math.Max(most, count);
            }

            return most;
        }

        /// <summary>Adds those of a range's days on which all groups have something, of all sources, to the sums of the parts.</summary>
        public void AddTo(decimal[] sums, int first, int last)
        {
            // With one group a day is missing where no member knows it: each member's own days are all that there is.
            var all = Groups.Length == 1;
            foreach (var group in Groups)
            {
                if (group.Parts.Length == 0) continue;
                foreach (var member in group.Members)
                {
                    if (all && member.Series is [{ } only])
                    {
                        sums[group.Parts[0]] += only.Sum(first, last);
                        continue;
                    }

                    for (var index = first; index <= last; index++)
                    {
                        if (Status[index] == DayStatus.Missing || !member.IsKnown(index)) continue;
                        for (var part = 0; part < group.Parts.Length; part++) sums[group.Parts[part]] += member.Series[part]!.Value(index);
                    }
                }
            }
        }

        /// <summary>The value of the only part, of the only source that has one on that day.</summary>
        public decimal First(int index)
        {
            foreach (var group in Groups)
            {
                foreach (var member in group.Members)
                {
                    if (group.Parts.Length > 0 && member.IsKnown(index)) return member.Series[0]!.Value(index);
                }
            }

            throw new InvalidOperationException("No source has a value on that day.");
        }

        private void Judge(Group group, DateOnly from)
        {
            for (var index = 0; index < Status.Length; index++)
            {
                if (Status[index] == DayStatus.Missing) continue;
                var (day, worst, any, missed) = (from.AddDays(index), Status[index], group.Parts.Length == 0, false);
                foreach (var member in group.Members)
                {
                    if (!member.IsKnown(index))
                    {
                        // Read on that day and without this number: it has none. Not read, though there is more of it: a part of the whole is missing.
                        if (group.Members.Length > 1 && member.IsMissed(day, index))
                        {
                            if (worst < DayStatus.Partial) worst = DayStatus.Partial;
                            missed = true;
                        }

                        continue;
                    }

                    any = true;
                    var clock = member.Source.Clock;
                    var status = day <= clock.FinalThrough ? DayStatus.Final : day <= clock.CompleteThrough ? DayStatus.Provisional : DayStatus.Partial;
                    if (status > worst) worst = status;
                }

                Status[index] = any ? worst : DayStatus.Missing;
                Torn[index] |= missed;
                if (!any) Torn[index] = false;
            }
        }
    }

    /// <summary>What comes from the sources of one connector: places of its parts among those of the plan, and the sources.</summary>
    private sealed record Group(int[] Parts, Member[] Members);

    /// <summary>One source: its days of each part, and of its pulse.</summary>
    private sealed record Member(TableSource Source, KpiSeries?[] Series, KpiSeries? Pulse)
    {
        /// <summary>All parts, or the day is none: a rate of two shops is not of one's orders and the other's visits.</summary>
        public bool IsKnown(int index)
        {
            foreach (var series in Series)
            {
                if (series is null || !series.IsKnown(index)) return false;
            }

            return true;
        }

        public bool IsKnownWithin(int first, int last)
        {
            for (var index = first; index <= last; index++)
            {
                if (IsKnown(index)) return true;
            }

            return false;
        }

        /// <summary>Whether some of these days are expected of it.</summary>
        public bool GoesOn(DateOnly from, DateOnly to) => to >= Source.FirstDay && !(from > Source.LastDay);

        public bool IsMissed(DateOnly day, int index) => day >= Source.FirstDay && !(day > Source.LastDay) && Pulse?.IsKnown(index) != true;
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
