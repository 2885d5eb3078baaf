using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;
using static System.FormattableString;

namespace KpiDashboard.Metrics;

/// <summary>How a number divides: by channel, device, country, landing page.</summary>
public sealed class BreakdownEndpoints
{
    /// <summary>Most values that one answer lists.</summary>
    internal const int MostMembers = 50;

    private readonly TenantReads _reads;
    private readonly TimeProvider _time;

    internal BreakdownEndpoints(TenantReads reads, TimeProvider time) => (_reads, _time) = (reads, time);

    /// <summary><c>GET metrics/{key}/breakdown</c>.</summary>
    public Task<IResult> BreakdownAsync(HttpRequest request, string key, CancellationToken cancellationToken) =>
        _reads.AnswerKeptAsync(request, BreakdownJson.Default.BreakdownResponse, async (tx, tenant) =>
        {
            var kpi = (await TenantCatalogue.LoadAsync(tx)).Find(key) ?? throw ApiProblem.NotFound("There is no such KPI; GET /api/kpis lists them.");
            if (Breakdowns.Of(kpi).Count == 0) throw ApiProblem.Invalid("key", NotDivided(kpi));
            var query = new QueryReader(request);
            var sources = SourceSelection.Read(query, await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow()));
            var dimension = ReadDimension(query);
            var limit = query.Number("top", 10, 1, MostMembers);
            var period = Period.Read(query, tenant.Today(_time), SourceState.PeriodThrough(sources));
            var reader = new Reader(tx, kpi, Breakdowns.NameOf(dimension), sources.Clocks, tenant.Economics);
            var (days, daysBefore, members, first, money) = (
                reader.DaysAsync(period.From, period.To),
                period is { CompareFrom: { } from, CompareTo: { } to } ? reader.DaysAsync(from, to) : null,
                reader.MembersAsync(period, limit), reader.SinceAsync(), CurrencyAsync(tx, kpi, period, sources, tenant));
            var (now, before, rows) = (await days, daysBefore is null ? null : await daysBefore, await members);
            // Of a period of which no day is divided, there is nothing to name.
            if (now.Covered.Count == 0) rows = [];
            IReadOnlyList<string> names = [.. rows.OrderBy(row => row.Place).Select(row => row.Member).Distinct(StringComparer.Ordinal)];
            var listed = rows.Count == 0 ? 0 : rows[0].Listed;
            var nowSums = reader.Sum(now, rows.Where(row => row.IsNow));
            // A value that is not told apart from the rest any more has no number to show.
            if (now.PartlyListed > 0) names = [.. nowSums.Members.Keys];
            var beforeSums = before is null ? null : reader.Sum(before, rows.Where(row => !row.IsNow && names.Contains(row.Member, StringComparer.Ordinal)));
            var breakdown = new Breakdown(kpi, names, nowSums, beforeSums, tenant.Economics);
            var (change, withheld) = KpiChange.Of(nowSums.Total, beforeSums?.Total);
            var (since, currency) = (await first, await money);
            return new BreakdownResponse(
                kpi.Key, kpi.Name, kpi.Unit, kpi.Direction, kpi.Aggregation, dimension, period.Range, period.From, period.To, period.CompareFrom, period.CompareTo, period.Compare,
                tenant.TimeZone, currency,
                nowSums.Total.Value, beforeSums?.Total.Value, change, beforeSums is null ? null : withheld, nowSums.Total.Status, Reason(nowSums.Total, now.Measured - now.Covered.Count, since, period), Breakdown.WeightOf(kpi),
                [.. breakdown.Members.Select(member => Member(kpi, member))],
                breakdown.Rest is null ? null : Rest(kpi, breakdown.Rest, Math.Max(0, listed - names.Count)),
                breakdown.RestOverlaps ? "The values add up to more than the whole, because a visit can count under several of them." : null,
                limit, Breakdowns.MostPerDay, since, now.Measured - now.Covered.Count, now.Withheld,
                [.. sources.Where(source => source.IsConnected && kpi.Sources.Contains(source.Connector, StringComparer.Ordinal)).Select(source => source.ToFreshness())],
                period.CompareNote);
        }, cancellationToken);

    /// <summary>Reads <c>dimension</c>; the first when it is left out.</summary>
    internal static BreakdownDimension ReadDimension(QueryReader query) =>
        Breakdowns.Dimensions.Single(dimension => Breakdowns.NameOf(dimension) == query.Choice("dimension", [.. Breakdowns.Names]));

    /// <summary>Why a KPI has no breakdown.</summary>
    internal static string NotDivided(KpiDefinition kpi) =>
        $"'{kpi.Key}' is not known by channel, device, country or landing page; {string.Join(", ", KpiCatalogue.Visible.Where(other => Breakdowns.Of(other).Count > 0).Select(other => other.Key))} are.";

    /// <summary>
    /// The days of one value of a dimension, as a table that is evaluated like any other. A day on which it is not listed is 0 if all of that day is listed, else unknown.
    /// </summary>
    internal static async Task<KpiTable> TableAsync(
        TenantTransaction tx, KpiDefinition kpi, BreakdownDimension dimension, string member, DateOnly from, DateOnly to,
        SourceClocks clocks, TenantEconomics economics)
    {
        var rows = await tx.QueryAsync<(short Source, string Kpi, DateOnly Day, decimal? Value)>(
            $"""
            select t.source, t.kpi, t.day, coalesce((v.parts ->> t.kpi)::numeric, case when d.is_whole and v.member is null then 0 end)
            from ({Values}) t
            join breakdown_days d on d.tenant_id = @tenant and d.source = t.source and d.dimension = @dimension and d.day = t.day and not d.is_stale
            left join breakdown_values v
                on v.tenant_id = @tenant and v.source = t.source and v.dimension = @dimension and v.day = t.day and v.member = @member
            """,
            new { dimension = Breakdowns.NameOf(dimension), member, parts = kpi.Parts.ToArray(), from, to, sources = clocks.Only?.ToArray() });
        var known = rows.Where(row => row.Value is not null).Select(row => (row.Source, row.Kpi, row.Day, row.Value!.Value));
        return new KpiTable(from, to, known, clocks, economics);
    }

    /// <summary>Of several currencies, that of the sources that have a part in the number.</summary>
    private static async Task<string?> CurrencyAsync(TenantTransaction tx, KpiDefinition kpi, Period period, SourceSelection sources, TenantProfile tenant) =>
        SourceCurrencies.Of(kpi, sources, tenant)
        ?? (kpi.Unit != KpiUnit.Currency ? null
            : SourceCurrencies.Of(kpi, sources, tenant, await KpiTable.LoadAsync(tx, [kpi], period.From, period.To, sources.Clocks, tenant.Economics)));

    /// <summary>Values of @parts over @from … @to of @sources, as rows.</summary>
    private const string Values =
        """
        select m.source, k.key as kpi, (m.month + (u.place - 1)::integer) as day, u.value
        from kpi_keys k
        join kpi_months m on m.tenant_id = @tenant and m.month between date_trunc('month', @from::date)::date and @to and m.kpi = k.number
        cross join lateral unnest(m.days) with ordinality as u (value, place)
        where k.tenant_id = @tenant and k.key = any (@parts) and u.value is not null and m.month + (u.place - 1)::integer between @from and @to
          and (@sources::smallint[] is null or m.source = any (@sources))
        """;

    private static string? Reason(KpiValue total, int undivided, DateOnly? since, Period period) => total switch
    {
        { Status: ValueStatus.NotMeasurable, KnownDays: 0 } when since is null => "No breakdown has been read yet.",
        { Status: ValueStatus.NotMeasurable, KnownDays: 0 } when since > period.To => Invariant($"Breakdowns begin on {since:yyyy-MM-dd}."),
        { Status: ValueStatus.NotMeasurable, KnownDays: 0 } => "No breakdown is known for this period.",
        { Status: ValueStatus.NotMeasurable } => "There is nothing to divide by.",
        { Status: ValueStatus.Partial } when total.KnownDays < total.Days && since > period.From =>
            Invariant($"Breakdowns begin on {since:yyyy-MM-dd}; these are {total.KnownDays} of {total.Days} days."),
        { Status: ValueStatus.Partial } when undivided > 0 => $"{undivided} of {total.Days} days have no breakdown yet; these are the others.",
        { Status: ValueStatus.Partial } when total.KnownDays < total.Days => $"{total.Days - total.KnownDays} of {total.Days} days have no data.",
        { Status: ValueStatus.Partial } => "The last days are not complete yet.",
        _ => null,
    };

    private static BreakdownMember Member(KpiDefinition kpi, MemberShare member)
    {
        var (change, withheld) = KpiChange.Of(member.Value, member.Previous);
        return new BreakdownMember(
            member.Name, member.Value.Value, member.Previous?.Value, change, member.Previous is null ? null : withheld, member.Share, member.Value.Status,
            ByChance(kpi, member, change));
    }

    private static BreakdownRest Rest(KpiDefinition kpi, MemberShare rest, int others)
    {
        var (change, withheld) = KpiChange.Of(rest.Value, rest.Previous);
        return new BreakdownRest(
            rest.Value.Value, rest.Previous?.Value, change, rest.Previous is null ? null : withheld, rest.Share, rest.Value.Status, others,
            ByChance(kpi, rest, change));
    }

    // The days of a value are added up where they lie: of money and rates nothing is known of their spread.
    private static bool ByChance(KpiDefinition kpi, MemberShare member, decimal? change) =>
        change is not null && Chance.Makes(kpi, member.Value.Value!.Value, member.Previous!.Value.Value!.Value, null);

    /// <summary>Sums of one part of one value of the dimension, in the period or the one before it.</summary>
    private sealed record MemberRow(bool IsNow, string Member, string Kpi, decimal? Sum, int KnownPartly, int UnknownWholly, int Listed, int Place);

    /// <summary>Days of a period that are divided.</summary>
    private sealed record DividedDays(KpiTable Table, int Measured, IReadOnlyList<DateOnly> Covered, int PartlyListed, bool Withheld, IReadOnlyDictionary<string, decimal> Sums);

    /// <summary>What one answer reads, within one transaction.</summary>
    private sealed class Reader(TenantTransaction tx, KpiDefinition kpi, string dimension, SourceClocks clocks, TenantEconomics economics)
    {
        private readonly string[] _parts = [.. kpi.Parts];
        private readonly short[]? _sources = clocks.Only?.ToArray();

        /// <summary>
        /// Days that count: of each source that has the number on that day all parts are known, and how they divide. Of a day that one source divides
        /// and another one does not, only a part would be told.
        /// </summary>
        public async Task<DividedDays> DaysAsync(DateOnly from, DateOnly to)
        {
            var (reading, dividing) = (
                tx.QueryAsync<(short Source, string Kpi, DateOnly Day, decimal Value)>(Values, new { parts = _parts, from, to, sources = _sources }),
                tx.QueryAsync<(short Source, DateOnly Day, bool IsWhole, bool Withheld)>(
                """
                select source, day, is_whole, withheld from breakdown_days
                where tenant_id = @tenant and dimension = @dimension and day between @from and @to and not is_stale
                  and (@sources::smallint[] is null or source = any (@sources))
                """,
                new { dimension, from, to, sources = _sources }));
            var (values, divided) = (await reading, (await dividing).ToDictionary(day => (day.Source, day.Day)));
            var measured = values.GroupBy(value => (value.Source, value.Day)).Where(day => day.Count() == _parts.Length).Select(day => day.Key).ToList();
            var days = measured.ToLookup(day => day.Day, day => day.Source);
            var covered = days.Where(day => day.All(source => divided.ContainsKey((source, day.Key)))).Select(day => day.Key).ToHashSet();
            var told = measured.Where(day => covered.Contains(day.Day)).ToHashSet();
            var counted = values.Where(value => told.Contains((value.Source, value.Day))).ToList();
            return new DividedDays(
                new KpiTable(from, to, counted, clocks, economics), days.Count, [.. covered.Order()], told.Count(day => !divided[day].IsWhole),
                told.Any(day => divided[day].Withheld),
                _parts.ToDictionary(part => part, part => counted.Where(value => value.Kpi == part).Sum(value => value.Value), StringComparer.Ordinal));
        }

        /// <summary>
        /// The values that stand for most, in one period or the other (what ceased counts, too), with their sums over the days that count
        /// (<see cref="DaysAsync"/>), and how many values there are.
        /// </summary>
        public Task<IReadOnlyList<MemberRow>> MembersAsync(Period period, int limit) => tx.QueryAsync<MemberRow>(
            """
            with known as (
                select p.now, m.source, (m.month + (u.place - 1)::integer) as day
                from (values (true, @from::date, @to::date), (false, @compareFrom::date, @compareTo::date)) p (now, first, last)
                join kpi_keys k on k.tenant_id = @tenant and k.key = any (@parts)
                join kpi_months m on m.tenant_id = @tenant and m.kpi = k.number and m.month between date_trunc('month', p.first)::date and p.last
                                 and (@sources::smallint[] is null or m.source = any (@sources))
                cross join lateral unnest(m.days) with ordinality as u (value, place)
                where u.value is not null and m.month + (u.place - 1)::integer between p.first and p.last
            ),
            measured as (select now, source, day from known group by now, source, day having count(*) = cardinality(@parts)),
            -- Every join is by the whole key down to the day: whatever the statistics say, none of its plans reads all days for each day.
            divided as (
                select m.now, m.source, m.day, d.is_whole, bool_and(d.day is not null) over (partition by m.now, m.day) as counts
                from measured m
                left join breakdown_days d on d.tenant_id = @tenant and d.source = m.source and d.dimension = @dimension and d.day = m.day and not d.is_stale
            ),
            sums as (
                select d.now, v.member, k.kpi, sum((v.parts ->> k.kpi)::numeric) as sum,
                       (count(v.parts ->> k.kpi) filter (where not d.is_whole))::int as known_partly,
                       (count(*) filter (where d.is_whole and (v.parts ->> k.kpi) is null))::int as unknown_wholly
                from divided d
                join breakdown_values v on v.tenant_id = @tenant and v.source = d.source and v.dimension = @dimension and v.day = d.day
                cross join unnest(@parts) k (kpi)
                where d.counts
                group by d.now, v.member, k.kpi
            ),
            weighed as (select s.*, max(sum) filter (where kpi = @weight) over (partition by member) as weight from sums s),
            placed as (select w.*, (dense_rank() over (order by weight desc nulls last, member))::int as place from weighed w),
            counted as (select p.*, max(place) over () as listed from placed p)
            select now as IsNow, member, kpi, sum as Sum, known_partly as KnownPartly, unknown_wholly as UnknownWholly, listed, place
            from counted where place <= @limit
            """,
            new
            {
                parts = _parts,
                dimension,
                weight = Breakdown.WeightOf(kpi),
                from = period.From,
                to = period.To,
                compareFrom = period.CompareFrom,
                compareTo = period.CompareTo,
                limit,
                sources = _sources,
            });

        /// <summary>Sums of some values over the days that count.</summary>
        public DividedPeriod Sum(DividedDays days, IEnumerable<MemberRow> rows) => new(
            days.Table.Evaluate(kpi, days.Table.From, days.Table.To), days.Sums,
            rows.GroupBy(row => row.Member, StringComparer.Ordinal).ToDictionary(
                member => member.Key,
                member => new MemberSums(
                    member.ToDictionary(row => row.Kpi, row => row.Sum ?? 0, StringComparer.Ordinal), member.Max(row => days.PartlyListed - row.KnownPartly + row.UnknownWholly)),
                StringComparer.Ordinal),
            days.PartlyListed);

        /// <summary>First day with a breakdown; null before any was read.</summary>
        public Task<DateOnly?> SinceAsync() =>
            tx.QuerySingleAsync<DateOnly?>(
                """
                select min(day) from breakdown_days
                where tenant_id = @tenant and dimension = @dimension and (@sources::smallint[] is null or source = any (@sources))
                """, new { dimension, sources = _sources });
    }
}

/// <summary>How a KPI divides over a period.</summary>
/// <param name="Value">Over the days that are divided: what the values below are parts of.</param>
/// <param name="StatusReason">Why it is partial or not measurable.</param>
/// <param name="ShareOf">Key of what <c>share</c> is a part of: the KPI itself, or of a rate the visits or orders behind it.</param>
/// <param name="Members">Values of the dimension, greatest share first. <c>(not set)</c> and <c>(data not available)</c> are the source's own.</param>
/// <param name="Rest">Everything else: the whole less the members. Null where nothing else is, or it cannot be told.</param>
/// <param name="RestWithheld">Why it cannot be told.</param>
/// <param name="Limit">Most members that were asked for.</param>
/// <param name="PerDay">Most values that are kept of a day; the others are part of the rest.</param>
/// <param name="Since">First day with a breakdown by this dimension.</param>
/// <param name="DaysWithout">Days of the period that have a value but no breakdown (yet).</param>
/// <param name="RowsWithheld">The source may have left out rows of few people; they are part of the rest.</param>
internal sealed record BreakdownResponse(
    string Kpi, string Name, KpiUnit Unit, KpiDirection Direction, KpiAggregation Aggregation, BreakdownDimension Dimension, string Range, DateOnly From, DateOnly To,
    DateOnly? CompareFrom, DateOnly? CompareTo, [property: AllowedValues("previous_period", "previous_year", "none")] string Compare, string TimeZone, string? Currency,
    decimal? Value, decimal? Previous, decimal? Change,
    [property: AllowedValues("not_measurable", "partial", "no_previous", "previous_partial", "zero_previous")] string? ChangeWithheld, ValueStatus Status, string? StatusReason, string ShareOf,
    IReadOnlyList<BreakdownMember> Members, BreakdownRest? Rest, string? RestWithheld, int Limit, int PerDay, DateOnly? Since, int DaysWithout, bool RowsWithheld, IReadOnlyList<Freshness> Freshness,
    string? CompareNote);

/// <summary>A value of the dimension.</summary>
/// <param name="Value">Null where nothing is known. Partial: at least this; on some days it is not told apart from the rest.</param>
/// <param name="Share">Part of the whole, 0 to 1; see <c>shareOf</c>.</param>
internal sealed record BreakdownMember(
    string Name, decimal? Value, decimal? Previous, decimal? Change,
    [property: AllowedValues("not_measurable", "partial", "no_previous", "previous_partial", "zero_previous")] string? ChangeWithheld, decimal? Share, ValueStatus Status,
    bool ByChance);

/// <summary>Everything that is not listed.</summary>
/// <param name="Members">How many values are known to be in it; there may be more.</param>
internal sealed record BreakdownRest(
    decimal? Value, decimal? Previous, decimal? Change,
    [property: AllowedValues("not_measurable", "partial", "no_previous", "previous_partial", "zero_previous")] string? ChangeWithheld, decimal? Share, ValueStatus Status, int Members,
    bool ByChance);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BreakdownResponse))]
internal sealed partial class BreakdownJson : JsonSerializerContext;
