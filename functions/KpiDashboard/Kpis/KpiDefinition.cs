using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Kpis;

/// <summary>What a value is measured in; the page formats by it.</summary>
[JsonConverter(typeof(SnakeCaseEnum<KpiUnit>))]
internal enum KpiUnit
{
    /// <summary>A whole number of things.</summary>
    Count,

    /// <summary>Money: in its source's currency where that told one, else in the tenant's. Nothing is converted.</summary>
    Currency,

    /// <summary>A fraction; 0.016 is shown as 1.6 %.</summary>
    Ratio,

    /// <summary>A multiple or an average per something, for example pages per session.</summary>
    Number,

    /// <summary>Seconds.</summary>
    Seconds,

    /// <summary>Milliseconds.</summary>
    Milliseconds,

    /// <summary>Minutes.</summary>
    Minutes,

    /// <summary>Points from 0 to 100.</summary>
    Score,
}

/// <summary>Whether more is better.</summary>
[JsonConverter(typeof(SnakeCaseEnum<KpiDirection>))]
internal enum KpiDirection
{
    /// <summary>More is better.</summary>
    Up,

    /// <summary>Less is better.</summary>
    Down,

    /// <summary>Neither.</summary>
    Neutral,
}

/// <summary>How days become a range.</summary>
[JsonConverter(typeof(SnakeCaseEnum<KpiAggregation>))]
internal enum KpiAggregation
{
    /// <summary>Days add up.</summary>
    Sum,

    /// <summary>Days do not add up (unique users): the mean of the days, and said so.</summary>
    DailyMean,

    /// <summary>The value of the last day of the range (rolling windows such as 28-day users).</summary>
    Last,

    /// <summary>Recomputed from the sums of its parts; never averaged.</summary>
    Ratio,

    /// <summary>The greatest of the days.</summary>
    Max,

    /// <summary>The least of the days.</summary>
    Min,
}

/// <summary>
/// One entry of the catalogue. A stored KPI has no <see cref="Compute"/> and is its own only part; a derived one is computed from the sums of its
/// parts over the days on which all of them are known.
/// </summary>
internal sealed record KpiDefinition
{
    /// <summary>Stable key, for example <c>web.sessions</c>.</summary>
    public required string Key { get; init; }

    /// <summary>Short name for a card.</summary>
    public required string Name { get; init; }

    /// <summary>One plain sentence: what it means.</summary>
    public required string Description { get; init; }

    /// <summary>What it is measured in.</summary>
    public required KpiUnit Unit { get; init; }

    /// <summary>Whether more is better.</summary>
    public required KpiDirection Direction { get; init; }

    /// <summary>How days become a range.</summary>
    public required KpiAggregation Aggregation { get; init; }

    /// <summary>Key of the connector that the parts come from.</summary>
    public required string Source { get; init; }

    /// <summary>Keys of all connectors that the parts come from: a value is as complete and as final as the least of them.</summary>
    public IReadOnlyList<string> Sources { get => field.Count == 0 ? [Source] : field; init; } = [];

    /// <summary>Every day that was read at all has it: by it is seen whether there is a day of its connector.</summary>
    public bool IsPulse { get; init; }

    /// <summary>Formula in words, for derived KPIs.</summary>
    public string? Formula { get; init; }

    /// <summary>Stored KPIs that it is made of; its own key for a stored one.</summary>
    public IReadOnlyList<string> Parts { get => field.Count == 0 ? [Key] : field; init; } = [];

    /// <summary>Of a calculated KPI, those parts that do not add up over days: each comes into the formula aggregated its own way, from its own days.</summary>
    public IReadOnlyList<KpiDefinition> OwnWay { get; init; } = [];

    /// <summary>Parts that add up: days on which one of them is unknown count for none.</summary>
    public IReadOnlyList<string> Added => OwnWay.Count == 0 ? Parts : field ??= [.. Parts.Except(OwnWay.Select(part => part.Key), StringComparer.Ordinal)];

    /// <summary>From part sums to value; null when the formula has no answer (no sessions, no cost set).</summary>
    public Func<KpiInputs, decimal?>? Compute { get; init; }

    /// <summary>The KPIs that the formula of a calculated one names.</summary>
    public IReadOnlyList<KpiDefinition> Uses { get; init; } = [];

    /// <summary>What a tenant has not set and the formula needs, in a sentence; null where nothing is missing.</summary>
    public Func<TenantEconomics, string?> Lacks { get; init; } = _ => null;

    /// <summary>
    /// The currencies of its money. A share, a count or a score has none, whatever it was made of; "money an hour" still has one.
    /// </summary>
    /// <param name="currencyOf">Currencies of the money of a connector's sources; none where it is not known.</param>
    public IReadOnlyList<string> Currencies(Func<string, IReadOnlyList<string>> currencyOf)
    {
        if (Unit is not (KpiUnit.Currency or KpiUnit.Number)) return [];
        if (Uses.Count == 0) return Unit == KpiUnit.Currency ? currencyOf(Source) : [];
        return [.. Uses.SelectMany(use => use.Currencies(currencyOf)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>The currencies that its formula, or one that this rests on, puts together; more than one cannot be, and none or one is no matter.</summary>
    /// <param name="currencyOf">As for <see cref="Currencies"/>.</param>
    public IReadOnlyList<string> Mixed(Func<string, IReadOnlyList<string>> currencyOf)
    {
        // Two shops in two currencies.
        if (Uses.Count == 0) return Currencies(currencyOf) is { Count: > 1 } several ? [.. several.Order(StringComparer.Ordinal)] : [];
        var own = Uses.SelectMany(use => use.Currencies(currencyOf)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return own.Count > 1 ? own : Uses.Select(use => use.Mixed(currencyOf)).FirstOrDefault(mixed => mixed.Count > 1) ?? [];
    }

    /// <summary>A part that other KPIs are computed from, not shown itself.</summary>
    public bool Hidden { get; init; }

    /// <summary>A stored KPI that its connector also reads by channel, device, country and landing page.</summary>
    public bool IsDivided { get; init; }

    /// <summary>A count of what comes several at a time, as the pages of a visit do: it spreads more than one of what comes singly.</summary>
    public bool IsClustered { get; init; }

    /// <summary>Readings come when they come (a bank balance on Fridays): the last value of a range is its latest reading, on whichever day that is.</summary>
    public bool IsSparse { get; init; }
}

/// <summary>What a derived KPI may use.</summary>
/// <param name="sumOf">The sum of a part.</param>
/// <param name="economics">The tenant's settings.</param>
/// <param name="periodCost">What the automations cost over the same days; asked for only by a formula that has to do with it.</param>
internal sealed class KpiInputs(Func<string, decimal> sumOf, TenantEconomics economics, Func<decimal> periodCost)
{
    private Dictionary<string, decimal?>? _known;

    /// <summary>The same of sums by key.</summary>
    public KpiInputs(IReadOnlyDictionary<string, decimal> sums, TenantEconomics economics, decimal periodCost)
        : this(part => sums[part], economics, () => periodCost)
    {
    }

    /// <summary>The same of sums beside the keys of their parts.</summary>
    public KpiInputs(IReadOnlyList<string> parts, decimal[] sums, TenantEconomics economics, Func<decimal> periodCost)
        : this(part => sums[PlaceOf(parts, part)], economics, periodCost)
    {
    }

    /// <summary>Sum of a part over the days on which all parts are known.</summary>
    /// <exception cref="KeyNotFoundException">It is none of the parts.</exception>
    public decimal this[string part] => sumOf(part);

    /// <summary>The value of a KPI whose parts are all among these, worked out once.</summary>
    public decimal? Once(KpiDefinition kpi)
    {
        if (kpi.Compute is not { } compute) return this[kpi.Key];
        _known ??= new(StringComparer.Ordinal);
        if (!_known.TryGetValue(kpi.Key, out var value)) _known[kpi.Key] = value = compute(this);
        return value;
    }

    /// <summary>The sums have changed: what was worked out of them before does not hold.</summary>
    public void Forget() => _known?.Clear();

    /// <summary>What an hour of work costs the tenant; null if not set.</summary>
    public decimal? HourlyLabourCost => economics.HourlyLabourCost;

    /// <summary>What the automations cost over the same days, pro rata by day; null if not set.</summary>
    public decimal? AutomationCost => economics.AutomationCostPerMonth is null ? null : periodCost();

    // A formula has a handful of parts: looking through them is quicker than a dictionary is made.
    private static int PlaceOf(IReadOnlyList<string> parts, string part)
    {
        for (var place = 0; place < parts.Count; place++)
        {
            if (string.Equals(parts[place], part, StringComparison.Ordinal)) return place;
        }

        throw new KeyNotFoundException($"'{part}' is no part of this KPI.");
    }

    /// <summary>A division that has no answer for a divisor of zero.</summary>
    public static decimal? Divide(decimal? dividend, decimal? divisor) => divisor is null or 0 ? null : dividend / divisor;
}
