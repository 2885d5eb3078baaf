using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Kpis;

namespace KpiDashboard.Sync;

/// <summary>Writes how days divide. A later answer replaces all of a day and dimension; the same answer again changes nothing.</summary>
internal static class BreakdownWriter
{
    /// <summary>
    /// Arms, beside <see cref="KpiWriter.Arms"/>, of the statement that writes what one step of a run read: how days divide, and a mark
    /// on those between @windowFrom and @windowTo whose values change here without it.
    /// </summary>
    internal const string Arms =
        """
        divisions as (select * from unnest(@dimensions, @dates, @whole, @withheld) as r (dimension, day, is_whole, withheld)),
        members as (select * from unnest(@rowDimensions, @rowDates, @members, @parts) as i (dimension, day, member, parts)),
        left_out as (
            delete from breakdown_values v using divisions r, source s
            where v.tenant_id = @tenant and v.source = s.number and v.dimension = r.dimension and v.day = r.day
              and not exists (select 1 from members i where i.dimension = v.dimension and i.day = v.day and i.member = v.member)
            returning v.dimension, v.day
        ),
        divided as (
            insert into breakdown_values as v (tenant_id, source, dimension, day, member, parts)
            select @tenant, s.number, i.dimension, i.day, i.member, i.parts::jsonb from members i cross join source s
            order by i.dimension, i.day, i.member
            on conflict (tenant_id, source, dimension, day, member) do update set parts = excluded.parts
            where v.parts <> excluded.parts
            returning v.dimension, v.day
        ),
        moved as (select dimension, day from left_out union select dimension, day from divided),
        division_days as (
            insert into breakdown_days as d (tenant_id, source, dimension, day, is_whole, withheld, run_id, changed_at)
            select @tenant, s.number, r.dimension, r.day, r.is_whole, r.withheld, @runId, @now
            from divisions r cross join source s
            order by r.dimension, r.day
            on conflict (tenant_id, source, dimension, day) do update
            set is_whole = excluded.is_whole, withheld = excluded.withheld, is_stale = false, run_id = excluded.run_id, changed_at = excluded.changed_at
            where d.is_stale or (d.is_whole, d.withheld) is distinct from (excluded.is_whole, excluded.withheld)
               or exists (select 1 from moved m where m.dimension = excluded.dimension and m.day = excluded.day)
        ),
        stale as (
            update breakdown_days d set is_stale = true
            from source s
            where d.tenant_id = @tenant and d.source = s.number and d.dimension = any (@names) and d.day between @windowFrom and @windowTo
              and not d.is_stale
              and exists (select 1 from changes c where c.day = d.day and c.value is not null and c.key = any (@dividedKpis))
              and not exists (select 1 from divisions r where r.dimension = d.dimension and r.day = d.day)
        )
        """;

    /// <summary>The parameters of <see cref="Arms"/>.</summary>
    /// <param name="breakdowns">At most one per day and dimension.</param>
    /// <param name="window">The days that were read.</param>
    internal static object Parameters(IReadOnlyCollection<BreakdownReading> breakdowns, DayWindow window)
    {
        var rows = breakdowns.SelectMany(one => one.Members.Select(member => (Dimension: Breakdowns.NameOf(one.Dimension), one.Day, Member: member.Key, Parts: member.Value))).ToList();
        return new
        {
            dimensions = breakdowns.Select(one => Breakdowns.NameOf(one.Dimension)).ToArray(),
            dates = breakdowns.Select(one => one.Day).ToArray(),
            whole = breakdowns.Select(one => one.IsWhole).ToArray(),
            withheld = breakdowns.Select(one => one.Withheld).ToArray(),
            rowDimensions = rows.Select(row => row.Dimension).ToArray(),
            rowDates = rows.Select(row => row.Day).ToArray(),
            members = rows.Select(row => row.Member).ToArray(),
            parts = rows.Select(row => JsonSerializer.Serialize(row.Parts,
                BreakdownPartsJson.Default.IReadOnlyDictionaryStringDecimal)).ToArray(),
            names = Breakdowns.Names.ToArray(),
            dividedKpis = s_divided,
            windowFrom = window.From,
            windowTo = window.To,
        };
    }

    private static readonly string[] s_divided = [.. KpiCatalogue.All.Where(kpi => kpi.IsDivided).Select(kpi => kpi.Key)];

    /// <summary>Removes how days divide that, as the source said twice, have no values any more.</summary>
    public static Task WithdrawAsync(TenantTransaction tx, IReadOnlyCollection<DateOnly> days, Guid integrationId) => days.Count == 0
        ? Task.CompletedTask
        : tx.ExecuteAsync(
            """
            delete from breakdown_days d using integrations n
            where n.tenant_id = @tenant and n.id = @integrationId and d.tenant_id = @tenant and d.source = n.source and d.day = any (@days)
            """, new { integrationId, days = days.ToArray() });

    /// <summary>
    /// A column that names, as a text with commas, the newest days that have a value of @pulse but lack one of the divisions @names or
    /// have it stale, between @undividedFrom and @undividedTo; <see cref="Undivided"/> reads it.
    /// </summary>
    internal const string UndividedDays =
        """
        (select string_agg(u.day::text, ',')
        from (
            -- Counted and not joined: a join of days with days is slow as soon as the planner takes the one or the other for few.
            select v.day
            from (
                select m.month + (u.place - 1)::integer as day, 0 as divided
                from integrations n
                join kpi_keys k on k.tenant_id = @tenant and k.key = @pulse
                join kpi_months m on m.tenant_id = @tenant and m.source = n.source and m.kpi = k.number
                                 and m.month between date_trunc('month', @undividedFrom::date)::date and @undividedTo
                cross join lateral unnest(m.days) with ordinality as u (value, place)
                where n.tenant_id = @tenant and n.id = @integrationId and u.value is not null
                union all
                select d.day, 1
                from integrations n
                join breakdown_days d on d.tenant_id = @tenant and d.source = n.source and d.dimension = any (@names) and not d.is_stale
                                     and d.day between @undividedFrom and @undividedTo
                where n.tenant_id = @tenant and n.id = @integrationId) v
            where v.day between @undividedFrom and @undividedTo
            group by v.day
            having min(v.divided) = 0 and sum(v.divided) < cardinality(@names)
            order by v.day desc
            limit @mostUndivided) u)
        """;

    /// <summary>The parameters of <see cref="UndividedDays"/>.</summary>
    internal static object Parameters(string pulse, IReadOnlyList<BreakdownDimension> dimensions, DateOnly from, DateOnly to) => new
    {
        pulse,
        names = dimensions.Select(Breakdowns.NameOf).ToArray(),
        undividedFrom = from,
        undividedTo = to,
        mostUndivided = FetchRequest.MaxUndividedDays,
    };

    /// <summary>What <see cref="UndividedDays"/> found, ascending, within <see cref="FetchRequest.MaxUndividedDays"/>.</summary>
    internal static IReadOnlyList<DateOnly> Undivided(string? found)
    {
        var days = KpiValues.DaysOf(found).Order().ToList();
        return days.Count == 0 ? [] : [.. days.Where(day => day > days[^1].AddDays(-FetchRequest.MaxUndividedDays))];
    }
}

[JsonSerializable(typeof(IReadOnlyDictionary<string, decimal>))]
internal sealed partial class BreakdownPartsJson : JsonSerializerContext;
