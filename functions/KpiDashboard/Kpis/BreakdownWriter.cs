using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Connectors;
using KpiDashboard.Data;

namespace KpiDashboard.Kpis;

/// <summary>Writes how days divide. A later answer replaces all of a day and dimension; the same answer again changes nothing.</summary>
internal static class BreakdownWriter
{
    /// <summary>Writes what one step of a run read, in the transaction of its values.</summary>
    /// <param name="tx">The tenant's transaction.</param>
    /// <param name="breakdowns">At most one per day and dimension.</param>
    /// <param name="integrationId">Where they come from.</param>
    /// <param name="runId">The run that read them.</param>
    /// <param name="now">The instant of writing.</param>
    /// <returns>How many values were new, different or gone.</returns>
    public static async Task<int> WriteAsync(TenantTransaction tx, IReadOnlyCollection<BreakdownReading> breakdowns, Guid integrationId, Guid runId, DateTimeOffset now)
    {
        if (breakdowns.Count == 0) return 0;
        var days = breakdowns.Select(one => (Dimension: Breakdowns.NameOf(one.Dimension), one.Day, one.IsWhole, one.Withheld)).ToList();
        var dimensions = days.Select(day => day.Dimension).ToArray();
        var dates = days.Select(day => day.Day).ToArray();
        await tx.ExecuteAsync(
            """
            insert into breakdown_days as d (tenant_id, source, dimension, day, is_whole, withheld, run_id, changed_at)
            select @tenant, n.source, i.dimension, i.day, i.is_whole, i.withheld, @runId, @now
            from integrations n
            cross join unnest(@dimensions, @dates, @whole, @withheld) as i (dimension, day, is_whole, withheld)
            where n.tenant_id = @tenant and n.id = @integrationId
            order by i.dimension, i.day
            on conflict (tenant_id, source, dimension, day) do update
            set is_whole = excluded.is_whole, withheld = excluded.withheld, is_stale = false, run_id = excluded.run_id, changed_at = excluded.changed_at
            where d.is_stale or (d.is_whole, d.withheld) is distinct from (excluded.is_whole, excluded.withheld)
            """,
            new { dimensions, dates, whole = days.Select(day => day.IsWhole).ToArray(), withheld = days.Select(day => day.Withheld).ToArray(), integrationId, runId, now });
        var rows = breakdowns.SelectMany(one => one.Members.Select(member => (Dimension: Breakdowns.NameOf(one.Dimension), one.Day, Member: member.Key, Parts: member.Value))).ToList();
        return await tx.QuerySingleAsync<int>(
            """
            with source as (select n.source as number from integrations n where n.tenant_id = @tenant and n.id = @integrationId),
            read as (select * from unnest(@dimensions, @dates) as r (dimension, day)),
            input as (select * from unnest(@rowDimensions, @rowDates, @members, @parts) as i (dimension, day, member, parts)),
            gone as (
                delete from breakdown_values v using read r, source s
                where v.tenant_id = @tenant and v.source = s.number and v.dimension = r.dimension and v.day = r.day
                  and not exists (select 1 from input i where i.dimension = v.dimension and i.day = v.day and i.member = v.member)
                returning v.dimension, v.day
            ),
            written as (
                insert into breakdown_values as v (tenant_id, source, dimension, day, member, parts)
                select @tenant, s.number, i.dimension, i.day, i.member, i.parts::jsonb from input i cross join source s
                order by i.dimension, i.day, i.member
                on conflict (tenant_id, source, dimension, day, member) do update set parts = excluded.parts
                where v.parts <> excluded.parts
                returning v.dimension, v.day
            ),
            moved as (select dimension, day from gone union all select dimension, day from written),
            noted as (
                update breakdown_days d set run_id = @runId, changed_at = @now
                from (select distinct dimension, day from moved) m, source s
                where d.tenant_id = @tenant and d.source = s.number and d.dimension = m.dimension and d.day = m.day
            )
            select count(*)::int from moved
            """,
            new
            {
                dimensions,
                dates,
                rowDimensions = rows.Select(row => row.Dimension).ToArray(),
                rowDates = rows.Select(row => row.Day).ToArray(),
                members = rows.Select(row => row.Member).ToArray(),
                parts = rows.Select(row => JsonSerializer.Serialize(row.Parts, BreakdownPartsJson.Default.IReadOnlyDictionaryStringDecimal)).ToArray(),
                integrationId,
                runId,
                now,
            });
    }

    /// <summary>Marks how days divide whose values the run has just changed without it; for after both were written.</summary>
    /// <param name="tx">The tenant's transaction.</param>
    /// <param name="breakdowns">What came with the values.</param>
    /// <param name="window">The days that were read.</param>
    /// <param name="integrationId">Whose.</param>
    /// <param name="runId">The run.</param>
    /// <param name="now">The instant of writing.</param>
    public static Task MarkStaleAsync(TenantTransaction tx, IReadOnlyCollection<BreakdownReading> breakdowns, DayWindow window, Guid integrationId, Guid runId, DateTimeOffset now) =>
        tx.ExecuteAsync(
            """
            update breakdown_days d set is_stale = true
            from integrations n
            where n.tenant_id = @tenant and n.id = @integrationId and d.tenant_id = @tenant and d.source = n.source and d.dimension = any (@names)
              and d.day between @from and @to and not d.is_stale
              and exists (
                  select 1
                  from kpi_writes w
                  join kpi_months m on m.tenant_id = @tenant and m.month = date_trunc('month', d.day)::date and m.source = d.source
                                   and m.last_writes[extract(day from d.day)::integer] = w.number
                  join kpi_keys k on k.tenant_id = @tenant and k.number = m.kpi and k.key = any (@divided)
                  where w.tenant_id = @tenant and w.run_id = @runId and w.at = @now)
              and not exists (select 1 from unnest(@dimensions, @dates) as r (dimension, day) where r.dimension = d.dimension and r.day = d.day)
            """,
            new
            {
                integrationId,
                names = Breakdowns.Names.ToArray(),
                from = window.From,
                to = window.To,
                divided = KpiCatalogue.All.Where(kpi => kpi.IsDivided).Select(kpi => kpi.Key).ToArray(),
                dimensions = breakdowns.Select(one => Breakdowns.NameOf(one.Dimension)).ToArray(),
                dates = breakdowns.Select(one => one.Day).ToArray(),
                runId,
                now,
            });

    /// <summary>Removes how days divide that, as the source said twice, have no values any more.</summary>
    public static Task WithdrawAsync(TenantTransaction tx, IReadOnlyCollection<DateOnly> days, Guid integrationId) => days.Count == 0
        ? Task.CompletedTask
        : tx.ExecuteAsync(
            """
            delete from breakdown_days d using integrations n
            where n.tenant_id = @tenant and n.id = @integrationId and d.tenant_id = @tenant and d.source = n.source and d.day = any (@days)
            """, new { integrationId, days = days.ToArray() });

    /// <summary>The newest days that have a value but lack one of the dimensions, ascending, within <see cref="FetchRequest.MaxUndividedDays"/>.</summary>
    public static async Task<IReadOnlyList<DateOnly>> UndividedAsync(
        TenantTransaction tx, Guid integrationId, string pulse, IReadOnlyList<BreakdownDimension> dimensions, DateOnly from, DateOnly to)
    {
        var days = await tx.QueryAsync<DateOnly>(
            """
            select v.day
            from (
                select m.source, m.month + (u.place - 1)::integer as day
                from integrations n
                join kpi_keys k on k.tenant_id = @tenant and k.key = @pulse
                join kpi_months m on m.tenant_id = @tenant and m.source = n.source and m.kpi = k.number
                                 and m.month between date_trunc('month', @from::date)::date and @to
                cross join lateral unnest(m.days) with ordinality as u (value, place)
                where n.tenant_id = @tenant and n.id = @integrationId and u.value is not null) v
            left join breakdown_days d
                on d.tenant_id = @tenant and d.source = v.source and d.dimension = any (@names) and d.day = v.day and not d.is_stale
            where v.day between @from and @to
            group by v.day
            having count(d.day) < @count
            order by v.day desc
            limit @most
            """,
            new { integrationId, pulse, names = dimensions.Select(Breakdowns.NameOf).ToArray(), count = dimensions.Count, from, to, most = FetchRequest.MaxUndividedDays });
        return [.. days.Where(day => day > days[0].AddDays(-FetchRequest.MaxUndividedDays)).Order()];
    }
}

[JsonSerializable(typeof(IReadOnlyDictionary<string, decimal>))]
internal sealed partial class BreakdownPartsJson : JsonSerializerContext;
