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
    /// <param name="Changed">How many values became others, those included that went.</param>
    /// <param name="Restated">How many of them were of a day that had ended when it was read before, or went.</param>
    /// <param name="Gone">How many went.</param>
    public readonly record struct Outcome(int Readings, int Changed, int Restated, int Gone);

    /// <summary>
    /// Held by everything that changes values of a business, as its data version is, which every such transaction moves. What is written
    /// comes in arrays: a plan for arrays of unknown length, which a prepared statement may end with, takes them for short, and is slow.
    /// </summary>
    internal const string Lock =
        "select 1 from tenants where id = @tenant and set_config('plan_cache_mode', 'force_custom_plan', true) is not null for no key update;";

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

    /// <summary>
    /// Arms of a statement that write what was read: readings @kpis, @days, @values, at most one per KPI and day, of which those before
    /// @today have ended; and the days @withdrawn, of which the source told these readings and nothing else, so that every other value of
    /// them goes. By the run @runId at @now. They need <c>source (number)</c>, and leave <c>changes (…, key, day, was)</c> and
    /// <c>gone</c>. Whoever writes holds the business's row since an earlier statement: this one then sees all that was written before
    /// it.
    /// </summary>
    internal const string Arms =
        $"""
        known as (select k.number, k.key from kpi_keys k where k.tenant_id = @tenant),
        named as (
            insert into kpi_keys (tenant_id, number, key)
            select @tenant, coalesce((select max(k.number) from known k), 0) + row_number() over (order by n.key), n.key
            from (select distinct u.key from unnest(@kpis) as u (key)) n
            where not exists (select 1 from known k where k.key = n.key)
            returning number, key
        ),
        keys as (select number, key from known union all select number, key from named),
        input as (
            select k.number as kpi, k.key, i.day, i.day - (p.place - 1) as month, p.place, i.value, i.day < @today as ended
            from unnest(@kpis, @days, @values) as i (kpi, day, value)
            cross join lateral (select extract(day from i.day)::integer as place offset 0) p
            join keys k on k.key = i.kpi
        ),
        before as (
            select i.kpi, i.key, i.day, i.month, i.place, i.value, i.ended, m.days[i.place] as was,
                   coalesce(m.ended, 0) & (1 << (i.place - 1)) <> 0 as had_ended
            from input i
            cross join source s
            left join kpi_months m on m.tenant_id = @tenant and m.month = i.month and m.source = s.number and m.kpi = i.kpi
        ),
        gone as (
            select m.month, m.kpi, k.key, d.day, extract(day from d.day)::integer as place, m.days[extract(day from d.day)::integer] as was,
                   m.ended & (1 << (extract(day from d.day)::integer - 1)) <> 0 as had_ended
            from unnest(@withdrawn) as d (day)
            cross join source s
            join kpi_months m on m.tenant_id = @tenant and m.month = date_trunc('month', d.day)::date and m.source = s.number
            join known k on k.number = m.kpi
            where m.days[extract(day from d.day)::integer] is not null
              and not exists (select 1 from input i where i.kpi = m.kpi and i.day = d.day)
        ),
        changes as (
            select b.month, b.kpi, b.place, b.value, b.had_ended or b.ended as ended, b.key, b.day, b.was, b.had_ended
            from before b
            where b.was is null or b.was <> b.value or (b.ended and not b.had_ended)
            union all
            select g.month, g.kpi, g.place, null, false, g.key, g.day, g.was, g.had_ended from gone g
        ),
        {Put},
        restated as (
            insert into kpi_restatements (tenant_id, source, kpi, day, old_value, new_value, run_id, at)
            select @tenant, s.number, c.key, c.day, c.was, c.value, @runId, @now
            from changes c cross join source s
            where c.had_ended and c.was is not null and c.was is distinct from c.value
        )
        """;

    /// <summary>Columns that tell what <see cref="Arms"/> did, in the order of <see cref="Outcome"/> without its first.</summary>
    internal const string Counts =
        """
        (select count(*) from changes c where c.was is distinct from c.value)::int as changed,
        (select count(*) from changes c where c.value is null or c.had_ended and c.was <> c.value)::int as restated,
        (select count(*) from gone)::int as gone
        """;

    /// <summary>Writes readings of one run, one import or one push.</summary>
    /// <param name="tx">The tenant's transaction.</param>
    /// <param name="readings">At most one per KPI and day.</param>
    /// <param name="integrationId">Where they come from; null for what was pushed or imported.</param>
    /// <param name="runId">The run that read them, or the import that brought them; null for what was pushed.</param>
    /// <param name="today">The date in the provider's zone: that day is not over yet.</param>
    /// <param name="now">The instant of writing.</param>
    /// <param name="withdrawn">
    /// Days of which the source tells these readings and nothing else: what else is known of them goes; of ended days it stays readable
    /// among the restatements.
    /// </param>
    public static async Task<Outcome> WriteAsync(
        TenantTransaction tx, IReadOnlyCollection<(string Kpi, DateOnly Day, decimal Value)> readings, Guid? integrationId, Guid? runId,
            DateOnly today, DateTimeOffset now,
        IReadOnlySet<DateOnly>? withdrawn = null)
    {
        if (readings.Count == 0 && withdrawn is not { Count: > 0 }) return default;
        var parameters = new SqlParameters(Parameters(readings, withdrawn));
        parameters.Add(new
        {
            first = readings.Count == 0 ? (DateOnly?)null : readings.Min(reading => reading.Day),
            integrationId,
            runId,
            today,
            now
        });
        // Statements of their own: the second sees what the first made it wait for.
        using var results = await tx.QueryMultipleAsync(
            $"""
            {Lock}
            with source as ({Source}),
            dated as (
                update integrations set first_day = @first
                where tenant_id = @tenant and id = @integrationId and (first_day is null or first_day > @first)
            ),
            {Arms}
            select {Counts};
            """,
            parameters);
        await results.ReadAsync<int>();
        var (changed, restated, gone) = await results.ReadSingleAsync<(int, int, int)>();
        if (gone > 0 && integrationId is { } integration) await DropEmptyAsync(tx, integration, withdrawn!.Min(), withdrawn!.Max());
        return new Outcome(readings.Count, changed, restated, gone);
    }

    /// <summary>The parameters of <see cref="Arms"/> that tell what was read.</summary>
    internal static object Parameters(IReadOnlyCollection<(string Kpi, DateOnly Day, decimal Value)> readings,
        IReadOnlySet<DateOnly>? withdrawn) => new
        {
            kpis = readings.Select(reading => reading.Kpi).ToArray(),
            days = readings.Select(reading => reading.Day).ToArray(),
            values = readings.Select(reading => reading.Value).ToArray(),
            withdrawn = withdrawn?.ToArray() ?? [],
        };

    /// <summary>Removes months of a source in which no day has a value any more.</summary>
    internal static Task<int> DropEmptyAsync(TenantTransaction tx, Guid integrationId, DateOnly from, DateOnly to) => tx.ExecuteAsync(
        $"""
        delete from kpi_months m using ({Source}) s
        where m.tenant_id = @tenant and m.source = s.number and m.month between @first and @to and array_remove(m.days, null) = '{EmptyArray}'
        """,
        new { integrationId, first = KpiValues.FirstOfMonth(from), to });

    private const string EmptyArray = "{}";
}
