using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Goals;
using KpiDashboard.Insights;
using KpiDashboard.Kpis;
using KpiDashboard.Security;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Metrics;

/// <summary>The numbers: catalogue, overview, history.</summary>
public sealed class MetricsEndpoints
{
    private readonly TenantReads _reads;
    private readonly InsightEndpoints _insights;
    private readonly TimeProvider _time;

    internal MetricsEndpoints(TenantReads reads, InsightEndpoints insights, TimeProvider time) => (_reads, _insights, _time) = (reads, insights, time);

    /// <summary><c>GET kpis</c>: the catalogue.</summary>
    public Task<IResult> CatalogueAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerKeptAsync(request, MetricsJson.Default.IReadOnlyListKpiEntry, async (tx, tenant) =>
        {
            var query = new QueryReader(request);
            var sources = SourceSelection.Read(query, await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow()));
            query.ThrowIfInvalid();
            return Entries(await TenantCatalogue.LoadAsync(tx), sources, tenant);
        }, cancellationToken);

    /// <summary><c>GET metrics/summary</c>: everything the overview needs; <c>with=insights</c> adds what <c>GET insights/business</c> answers for the same period.</summary>
    public Task<IResult> SummaryAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerKeptAsync(request, MetricsJson.Default.SummaryResponse, async (tx, tenant) =>
        {
            var query = new QueryReader(request);
            var more = query.Choice("with", "numbers", "insights") == "insights";
            query.ThrowIfInvalid();
            var (summary, insights) = (Summary(request)(tx, tenant), more ? _insights.Business(request)(tx, tenant) : null);
            return insights is null ? await summary : await summary with { Insights = await insights };
        }, cancellationToken);

    /// <summary>How the summary that a request asks for is made; admitting the request is the caller's.</summary>
    /// <param name="request">The request.</param>
    /// <param name="kept">What it is narrowed to, whatever the request says; null for what the request says.</param>
    /// <param name="asked">The days, where another answer beside this one has settled them; else as the request says.</param>
    internal Func<TenantTransaction, TenantProfile, Task<SummaryResponse>> Summary(
        HttpRequest request, IReadOnlyCollection<string>? kept = null, Period? asked = null) =>
        async (tx, tenant) =>
        {
            var today = tenant.Today(_time);
            var query = new QueryReader(request);
            var every = await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow());
            var sources = kept is null ? SourceSelection.Read(query, every) : SourceSelection.Kept(every, kept);
            var period = asked ?? Period.Read(query, today, SourceState.PeriodThrough(sources));
            var clocks = sources.Clocks;
            var catalogue = await TenantCatalogue.LoadAsync(tx);
            // The health of the business has its own place (GET insights/business), and would read 14 weeks more.
            var shown = catalogue.Visible.Where(kpi => kpi.Key != HealthScore.Key).ToList();
            var (reading, readingBefore, lastOnes, aims) = (
                KpiTable.LoadAsync(tx, shown, period.From, period.To, clocks, tenant.Economics),
                period is { CompareFrom: { } from, CompareTo: { } to }
                    ? KpiTable.LoadAsync(tx, shown, from, to, clocks, tenant.Economics)
                    : null,
                LastDaysAsync(tx, catalogue, clocks),
                GoalEndpoints.SummaryAsync(tx, catalogue, tenant, sources, today));
            var (now, before, lastDays, goals) = (
                await reading, readingBefore is null ? null : await readingBefore, await lastOnes, await aims);
            return new SummaryResponse(
                period.Range, period.From, period.To, period.CompareFrom, period.CompareTo, period.Compare, today, tenant.TimeZone, tenant.Currency,
                tenant.IsDemo, [.. now.Dates],
                [.. shown.Where(kpi => kpi.Parts.All(lastDays.ContainsKey) && IsAsked(kpi, tenant)).Select(kpi => Tile(kpi, now, before, lastDays, SourceCurrencies.Of(kpi, sources, tenant, now), goals.GetValueOrDefault(kpi.Key), sources))],
                [.. sources.Where(source => source.IsConnected).Select(source => source.ToFreshness())], CompareNote: period.CompareNote,
                    Headline: tenant.Headline?.Split(',') ?? []);
        };

    /// <summary><c>GET metrics/history</c>: KPIs over time by day, week or month.</summary>
    public Task<IResult> HistoryAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerKeptAsync(request, MetricsJson.Default.HistoryResponse, async (tx, tenant) =>
        {
            var query = new QueryReader(request);
            var sources = SourceSelection.Read(query, await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow()));
            var grain = query.Choice("grain", "day", "week", "month");
            var kpis = ReadKpis(query, await TenantCatalogue.LoadAsync(tx));
            var period = Period.Read(query, tenant.Today(_time), SourceState.PeriodThrough(sources));
            var table = await TableAsync(tx, kpis, ReadMember(query, kpis), period, sources.Clocks, tenant.Economics);
            return new HistoryResponse(period.From, period.To, grain, tenant.TimeZone, tenant.Currency,
                [.. kpis.Select(kpi => new HistorySeries(
                    kpi.Key, [.. Points(kpi, table, grain, (DayOfWeek)tenant.WeekStart)], SourceCurrencies.Of(kpi, sources, tenant, table)))]);
        }, cancellationToken);

    /// <summary>Reads <c>dimension</c> and <c>member</c>, which go together and with one KPI that is divided; null where neither is given.</summary>
    internal static (BreakdownDimension Dimension, string Member)? ReadMember(QueryReader query, IReadOnlyList<KpiDefinition> kpis)
    {
        var (dimension, member) = (query.Text("dimension"), query.Text("member"));
        if (dimension is null && member is null) return null;
        if (dimension is null) query.Error("dimension", "'dimension' is missing: it goes with 'member'.");
        if (member is null) query.Error("member", "'member' is missing: name one value of the dimension, as GET /api/metrics/{key}/breakdown does.");
        if (kpis.Count != 1) query.Error("kpis", "'kpis' must name one KPI when 'member' is given.");
        else if (Breakdowns.Of(kpis[0]).Count == 0) query.Error("kpis", BreakdownEndpoints.NotDivided(kpis[0]));
        var read = BreakdownEndpoints.ReadDimension(query);
        query.ThrowIfInvalid();
        return (read, member!);
    }

    /// <summary>The days of the KPIs, or those of one value of a dimension.</summary>
    internal static Task<KpiTable> TableAsync(
        TenantTransaction tx, IReadOnlyList<KpiDefinition> kpis, (BreakdownDimension Dimension, string Member)? only, Period period,
        SourceClocks clocks, TenantEconomics economics) =>
        only is (var dimension, var member)
            ? BreakdownEndpoints.TableAsync(tx, kpis[0], dimension, member, period.From, period.To, clocks, economics)
            : KpiTable.LoadAsync(tx, kpis, period.From, period.To, clocks, economics);

    /// <summary>The periods of a grain within a range, each with the days of it that are in the range; a period cut by the range is not whole.</summary>
    internal static IEnumerable<(DateOnly Start, DateOnly From, DateOnly To, bool Whole)> Buckets(DateOnly from, DateOnly to, string grain, DayOfWeek weekStart)
    {
        for (var day = from; day <= to;)
        {
            var start = grain switch
            {
                "week" => day.AddDays(-(((int)day.DayOfWeek - (int)weekStart + 7) % 7)),
                "month" => new DateOnly(day.Year, day.Month, 1),
                _ => day,
            };
            var end = grain switch { "week" => start.AddDays(6), "month" => start.AddMonths(1).AddDays(-1), _ => day };
            var last = end < to ? end : to;
            yield return (start, day, last, day == start && last == end);
            day = last.AddDays(1);
        }
    }

    /// <summary>A KPI over time; a period that the range cuts is partial.</summary>
    internal static IEnumerable<HistoryPoint> Points(KpiDefinition kpi, KpiTable table, string grain, DayOfWeek weekStart) =>
        Buckets(table.From, table.To, grain, weekStart).Select(bucket =>
        {
            var value = table.Evaluate(kpi, bucket.From, bucket.To);
            // What one source has of a day is no total of it; longer ones say that they are not whole.
            if (grain == "day" && table.IsTorn(kpi, bucket.From, bucket.To))
                return new HistoryPoint(bucket.Start, null, value.Status);
            var status = value.Status != ValueStatus.NotMeasurable && !bucket.Whole ? ValueStatus.Partial : value.Status;
            return new HistoryPoint(bucket.Start, value.Value, status);
        });

    private static SummaryKpi Tile(KpiDefinition kpi, KpiTable now, KpiTable? before, IReadOnlyDictionary<string, DateOnly> lastDays, string? currency, SummaryGoal? goal,
        IReadOnlyCollection<SourceState> sources)
    {
        var compared = Comparison.Of(kpi, TableDays.All(now), before is null ? null : TableDays.All(before));
        var value = compared.Now;
        var lastDay = kpi.Parts.Min(part => lastDays[part]);
        var onlyOf = value.Value is not null && now.OnlyOf(kpi, now.From, now.To) is { } number
            ? sources.FirstOrDefault(source => source.Number == number)?.DisplayName
            : null;
        return new SummaryKpi(
            kpi.Key, SummaryKpi.NameOf(kpi.Name, onlyOf), kpi.Description, kpi.Unit, kpi.Direction, kpi.Aggregation, value.Value, compared.Before?.Value, compared.Change,
            compared.Withheld, value.Status, Reason(kpi, value), lastDay < now.To ? lastDay : null, kpi.Source,
            now.Daily(kpi), before is null ? [] : before.Daily(kpi), now.Statuses(kpi), currency, goal, Breakdowns.Of(kpi),
            compared.Alike, compared.ByChance, onlyOf);
    }

    /// <summary>Why a value is partial or not measurable; null when it is neither.</summary>
    internal static string? Reason(KpiDefinition kpi, KpiValue value) => value switch
    {
        { Status: ValueStatus.NotMeasurable, KnownDays: 0 } => "No data in this period.",
        { Status: ValueStatus.NotMeasurable, Why: { } why } => $"Cannot be computed: {char.ToLowerInvariant(why[0])}{why[1..]}",
        { Status: ValueStatus.NotMeasurable } => $"Cannot be computed: {kpi.Formula} has nothing to divide by.",
        { Status: ValueStatus.Partial, Why: { } torn } when value.KnownDays == value.Days => torn,
        { Status: ValueStatus.Partial } when value.KnownDays < value.Days => $"{value.Days - value.KnownDays} of {value.Days} days have no data.",
        { Status: ValueStatus.Partial } => "The last days are not complete yet.",
        _ => null,
    };

    // Money KPIs need a setting: without it there is nothing to show, which the settings page says; a card with a dash every morning helps nobody.
    private static bool IsAsked(KpiDefinition kpi, TenantProfile tenant) => kpi.Key switch
    {
        "automation.value_saved" => tenant.HourlyLabourCost is not null,
        "automation.roi" => tenant is { HourlyLabourCost: not null, AutomationCostPerMonth: > 0 },
        _ => true,
    };

    private static async Task<IReadOnlyDictionary<string, DateOnly>> LastDaysAsync(TenantTransaction tx, TenantCatalogue catalogue, SourceClocks clocks)
    {
        var keys = catalogue.All.Where(kpi => kpi.Compute is null).Select(kpi => kpi.Key).ToArray();
        // The last month of each KPI, found from the end of the index; grouping would read every row of the tenant.
        var rows = await tx.QueryAsync<(string Kpi, DateOnly Day)>(
            """
            select k.key, max(m.month + d.last - 1)
            from kpi_keys k
            cross join lateral (
                select n.month from kpi_months n
                where n.tenant_id = @tenant and n.kpi = k.number and (@sources::smallint[] is null or n.source = any (@sources))
                order by n.month desc limit 1
            ) l
            join kpi_months m on m.tenant_id = @tenant and m.month = l.month and m.kpi = k.number
                             and (@sources::smallint[] is null or m.source = any (@sources))
            cross join lateral (select max(u.place)::integer as last from unnest(m.days) with ordinality as u (value, place) where u.value is not null) d
            where k.tenant_id = @tenant and k.key = any (@keys)
            group by k.key
            """, new { keys, sources = clocks.Only?.ToArray() });
        return rows.ToDictionary(row => row.Kpi, row => row.Day, StringComparer.Ordinal);
    }

    /// <summary>Reads <c>kpis</c>; with a fallback it may be left out.</summary>
    internal static IReadOnlyList<KpiDefinition> ReadKpis(QueryReader query, TenantCatalogue catalogue, IReadOnlyList<KpiDefinition>? fallback = null)
    {
        if (fallback is not null && query.Text("kpis", maxLength: 1000) is null) return fallback;
        var keys = query.Text("kpis", maxLength: 1000)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        if (keys.Length is 0 or > 20) query.Error("kpis", "'kpis' must name 1 to 20 KPIs, separated by commas; GET /api/kpis lists them.");
        var found = keys.Distinct(StringComparer.Ordinal).Select(key => (key, kpi: catalogue.Find(key))).ToList();
        if (found.FirstOrDefault(item => item.kpi is null).key is { } unknown)
            query.Error("kpis", $"There is no KPI '{(unknown.Length <= 40 ? unknown : unknown[..40] + "…")}'; GET /api/kpis lists them.");
        query.ThrowIfInvalid();
        return [.. found.Select(item => item.kpi!)];
    }

    private static IReadOnlyList<KpiEntry> Entries(TenantCatalogue catalogue, IReadOnlyList<SourceState> sources, TenantProfile tenant) =>
    [
        .. catalogue.Visible.Select(kpi => new KpiEntry(
            kpi.Key, kpi.Name, kpi.Description, kpi.Unit, kpi.Direction, kpi.Aggregation, kpi.Formula, kpi.Source, Breakdowns.Of(kpi), SourceCurrencies.Of(kpi, sources, tenant))),
    ];
}

/// <summary>
/// An entry of the catalogue. <c>dimensions</c>: by what <c>GET metrics/{key}/breakdown</c> can divide it. <c>currency</c>: what its money is in, the source's own where it
/// told one; null for what is no money. A target is in the same.
/// </summary>
internal sealed record KpiEntry(
    string Key, string Name, string Description, KpiUnit Unit, KpiDirection Direction, KpiAggregation Aggregation, string? Formula, string Source,
    IReadOnlyList<BreakdownDimension> Dimensions, string? Currency);

/// <summary>Everything the overview needs.</summary>
/// <param name="CompareNote">A sentence where one of the two periods is longer, because one has a 29 February in it; null where both have as many days.</param>
/// <param name="Headline">Keys that the business put on top, in their order; empty for the product's choice.</param>
/// <param name="Insights">The score, the morning's sentences and what stands out; null unless asked for.</param>
internal sealed record SummaryResponse(
    string Range, DateOnly From, DateOnly To, DateOnly? CompareFrom, DateOnly? CompareTo,
    [property: AllowedValues("previous_period", "previous_year", "none")] string Compare, DateOnly Today, string TimeZone, string Currency,
    bool IsDemo, IReadOnlyList<DateOnly> Dates, IReadOnlyList<SummaryKpi> Kpis, IReadOnlyList<Freshness> Freshness, BusinessInsightsResponse? Insights = null,
    string? CompareNote = null, IReadOnlyList<string>? Headline = null);

/// <summary>
/// One tile: a value, what it is compared with, how far it can be trusted, and its days. <c>currency</c>: of a money KPI, the source's own where it told one
/// (nothing is converted), else the business's; null for what is no money. <c>dimensions</c>: by what <c>GET metrics/{key}/breakdown</c>
/// can divide it. <c>alike</c>: where
/// <c>change</c> is withheld because days are missing, the change over the weekdays that both periods have; null where those are too few.
/// <c>byChance</c>: chance alone makes a change as large, so that it is neither trouble nor success. <c>onlyOf</c>: the source whose number it is, of
/// what is not added over sources, where another could have one and has none; its <c>name</c> says so too.
/// </summary>
internal sealed record SummaryKpi(
    string Key, string Name, string Description, KpiUnit Unit, KpiDirection Direction, KpiAggregation Aggregation, decimal? Value, decimal? Previous,
    decimal? Change,
    [property: AllowedValues("not_measurable", "partial", "no_previous", "previous_partial", "zero_previous")] string? ChangeWithheld, ValueStatus Status, string? StatusReason, DateOnly? NoDataSince, string Source,
    IReadOnlyList<decimal?> Sparkline, IReadOnlyList<decimal?> Comparison, IReadOnlyList<DayStatus> DayStatus, string? Currency, SummaryGoal? Goal,
    IReadOnlyList<BreakdownDimension> Dimensions, AlikeChange? Alike, bool ByChance, string? OnlyOf)
{
    /// <summary>What a number is called that is one source's alone.</summary>
    public static string NameOf(string name, string? onlyOf) => onlyOf is null ? name : $"{name} · {PlainText.Isolated(onlyOf)}";
}

/// <summary>KPIs over time.</summary>
internal sealed record HistoryResponse(DateOnly From, DateOnly To, [property: AllowedValues("day", "week", "month")] string Grain, string TimeZone, string Currency, IReadOnlyList<HistorySeries> Series);

/// <summary>One KPI over time; <c>currency</c> as in the summary.</summary>
internal sealed record HistorySeries(string Key, IReadOnlyList<HistoryPoint> Points, string? Currency);

/// <summary>One day, week (named by its first day) or month (by its first); a period without data is null.</summary>
internal sealed record HistoryPoint(DateOnly Date, decimal? Value, ValueStatus Status);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<KpiEntry>))]
[JsonSerializable(typeof(SummaryResponse))]
[JsonSerializable(typeof(HistoryResponse))]
internal sealed partial class MetricsJson : JsonSerializerContext;
