using KpiDashboard.Data;

namespace KpiDashboard.Kpis;

/// <summary>
/// Writes readings: the same reading twice changes nothing, a changed one is a restatement and is recorded. A row is a month of a KPI of a source, so
/// that whoever writes holds the row of the business first: two at once would each put back what the other changed.
/// </summary>
internal static class KpiWriter
{
    /// <summary>What a write did.</summary>
    /// <param name="Readings">How many readings came.</param>
    /// <param name="Changed">How many were new or different.</param>
    /// <param name="Restated">How many changed a day that had ended when it was read before.</param>
    public readonly record struct Outcome(int Readings, int Changed, int Restated);

    /// <summary>Held by everything that changes values of a business, as its data version is, which every such transaction moves.</summary>
    internal const string Lock = "select 1 from tenants where id = @tenant for no key update;";

    /// <summary>The number of the integration @integrationId, or of what is pushed.</summary>
    internal const string Source =
        "select coalesce((select i.source from integrations i where i.tenant_id = @tenant and i.id = @integrationId), 0::smallint) as number";

    /// <summary>
    /// Puts <c>changes (month, kpi, place, value, ended)</c>, a value of null being none, into the months of <c>source (number)</c>, as one write of
    /// the run @runId at @now; months without a value are left as empty rows, which <see cref="DropEmptyAsync"/> removes.
    /// </summary>
    internal const string Put =
        """
        noted as (
            insert into kpi_writes (tenant_id, number, run_id, at)
            select @tenant, coalesce((select max(w.number) from kpi_writes w where w.tenant_id = @tenant), 0) + 1, @runId, @now
            where exists (select 1 from changes)
            returning number
        ),
        touched as (select distinct month, kpi from changes),
        merged as (
            select t.month, t.kpi, array_agg(case when c.place is null then m.days[p.place] else c.value end order by p.place) as days,
                   coalesce(bit_or(1 << (p.place - 1)) filter (where coalesce(c.ended, m.ended & (1 << (p.place - 1)) <> 0)), 0) as ended,
                   array_agg(case when c.place is null then m.first_writes[p.place]
                                  when c.value is not null then coalesce(m.first_writes[p.place], w.number) end order by p.place) as first_writes,
                   array_agg(case when c.place is null then m.last_writes[p.place] when c.value is not null then w.number end order by p.place) as last_writes
            from touched t
            cross join source s
            cross join noted w
            cross join generate_series(1, 31) as p (place)
            left join kpi_months m on m.tenant_id = @tenant and m.month = t.month and m.source = s.number and m.kpi = t.kpi
            left join changes c on c.month = t.month and c.kpi = t.kpi and c.place = p.place
            group by t.month, t.kpi
        ),
        written as (
            insert into kpi_months (tenant_id, month, source, kpi, days, ended, first_writes, last_writes)
            select @tenant, g.month, s.number, g.kpi, g.days, g.ended, g.first_writes, g.last_writes
            from merged g cross join source s
            order by g.month, s.number, g.kpi
            on conflict (tenant_id, month, source, kpi) do update
            set days = excluded.days, ended = excluded.ended, first_writes = excluded.first_writes, last_writes = excluded.last_writes
        )
        """;

    /// <summary>Writes readings of one run, one import or one push.</summary>
    /// <param name="tx">The tenant's transaction.</param>
    /// <param name="readings">At most one per KPI and day.</param>
    /// <param name="integrationId">Where they come from; null for what was pushed or imported.</param>
    /// <param name="runId">The run that read them, or the import that brought them; null for what was pushed.</param>
    /// <param name="today">The date in the provider's zone: that day is not over yet.</param>
    /// <param name="now">The instant of writing.</param>
    public static async Task<Outcome> WriteAsync(
        TenantTransaction tx, IReadOnlyCollection<(string Kpi, DateOnly Day, decimal Value)> readings, Guid? integrationId, Guid? runId, DateOnly today, DateTimeOffset now)
    {
        if (readings.Count == 0) return default;
        // Statements of their own: each sees what was committed before it, and the last one what the first made it wait for.
        using var results = await tx.QueryMultipleAsync(
            $"""
            {Lock}
            insert into kpi_keys (tenant_id, number, key)
            select @tenant, coalesce((select max(k.number) from kpi_keys k where k.tenant_id = @tenant), 0) + row_number() over (order by n.key), n.key
            from (select distinct u.key from unnest(@kpis) as u (key)) n
            where not exists (select 1 from kpi_keys k where k.tenant_id = @tenant and k.key = n.key);
            update integrations set first_day = @first
            where tenant_id = @tenant and id = @integrationId and (first_day is null or first_day > @first);
            with source as ({Source}),
            input as (
                select k.number as kpi, k.key, i.day, date_trunc('month', i.day)::date as month, extract(day from i.day)::integer as place, i.value,
                       i.day < @today as ended
                from unnest(@kpis, @days, @values) as i (kpi, day, value)
                join kpi_keys k on k.tenant_id = @tenant and k.key = i.kpi
            ),
            before as (
                select i.kpi, i.key, i.day, i.month, i.place, i.value, i.ended, m.days[i.place] as was,
                       coalesce(m.ended, 0) & (1 << (i.place - 1)) <> 0 as had_ended
                from input i
                cross join source s
                left join kpi_months m on m.tenant_id = @tenant and m.month = i.month and m.source = s.number and m.kpi = i.kpi
            ),
            changes as (
                select b.month, b.kpi, b.place, b.value, b.had_ended or b.ended as ended, b.key, b.day, b.was, b.had_ended
                from before b
                where b.was is null or b.was <> b.value or (b.ended and not b.had_ended)
            ),
            {Put},
            restated as (
                insert into kpi_restatements (tenant_id, source, kpi, day, old_value, new_value, run_id, at)
                select @tenant, s.number, c.key, c.day, c.was, c.value, @runId, @now
                from changes c cross join source s
                where c.had_ended and c.was is not null and c.was <> c.value
                returning 1
            )
            select (select count(*) from changes c where c.was is distinct from c.value)::int, (select count(*) from restated)::int;
            """,
            new
            {
                kpis = readings.Select(reading => reading.Kpi).ToArray(),
                days = readings.Select(reading => reading.Day).ToArray(),
                values = readings.Select(reading => reading.Value).ToArray(),
                first = readings.Min(reading => reading.Day),
                integrationId,
                runId,
                today,
                now,
            });
        await results.ReadAsync<int>();
        var (changed, restated) = await results.ReadSingleAsync<(int Changed, int Restated)>();
        return new Outcome(readings.Count, changed, restated);
    }

    /// <summary>
    /// Removes values of days of which the source tells them no more; those of ended days stay readable among the restatements.
    /// </summary>
    /// <param name="tx">The tenant's transaction.</param>
    /// <param name="days">The days.</param>
    /// <param name="kept">What the source does still report.</param>
    /// <param name="integrationId">Whose values.</param>
    /// <param name="runId">The run that found out; null for a push.</param>
    /// <param name="now">The instant of writing.</param>
    /// <returns>How many values went.</returns>
    public static async Task<int> WithdrawAsync(
        TenantTransaction tx, IReadOnlyCollection<DateOnly> days, IEnumerable<(string Kpi, DateOnly Day)> kept, Guid integrationId, Guid? runId, DateTimeOffset now)
    {
        if (days.Count == 0) return 0;
        var stay = kept.Where(reading => days.Contains(reading.Day)).ToList();
        using var results = await tx.QueryMultipleAsync(
            $"""
            {Lock}
            with source as ({Source}),
            gone as (
                select m.month, m.kpi, k.key, d.day, extract(day from d.day)::integer as place, m.days[extract(day from d.day)::integer] as was,
                       m.ended & (1 << (extract(day from d.day)::integer - 1)) <> 0 as had_ended
                from unnest(@days) as d (day)
                cross join source s
                join kpi_months m on m.tenant_id = @tenant and m.month = date_trunc('month', d.day)::date and m.source = s.number
                join kpi_keys k on k.tenant_id = @tenant and k.number = m.kpi
                where m.days[extract(day from d.day)::integer] is not null
                  and not exists (select 1 from unnest(@kpis, @stayDays) as r (kpi, day) where r.kpi = k.key and r.day = d.day)
            ),
            changes as (select g.month, g.kpi, g.place, null::numeric as value, false as ended from gone g),
            {Put},
            told as (
                insert into kpi_restatements (tenant_id, source, kpi, day, old_value, new_value, run_id, at)
                select @tenant, s.number, g.key, g.day, g.was, null, @runId, @now
                from gone g cross join source s
                where g.had_ended
            )
            select count(*)::int from gone;
            """,
            new { integrationId, days = days.Distinct().ToArray(), kpis = stay.Select(reading => reading.Kpi).ToArray(), stayDays = stay.Select(reading => reading.Day).ToArray(), runId, now });
        await results.ReadAsync<int>();
        var gone = await results.ReadSingleAsync<int>();
        if (gone > 0) await DropEmptyAsync(tx, integrationId, days.Min(), days.Max());
        return gone;
    }

    /// <summary>Removes months of a source in which no day has a value any more.</summary>
    internal static Task<int> DropEmptyAsync(TenantTransaction tx, Guid integrationId, DateOnly from, DateOnly to) => tx.ExecuteAsync(
        $"""
        delete from kpi_months m using ({Source}) s
        where m.tenant_id = @tenant and m.source = s.number and m.month between @first and @to and array_remove(m.days, null) = '{EmptyArray}'
        """,
        new { integrationId, first = KpiValues.FirstOfMonth(from), to });

    private const string EmptyArray = "{}";
}
