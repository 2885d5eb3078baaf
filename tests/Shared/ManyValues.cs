namespace KpiDashboard.Tests.Shared;

/// <summary>Puts values of many businesses there at once: through the view, which takes a value at a time, hundreds of thousands would take minutes.</summary>
internal static class ManyValues
{
    /// <summary>A statement that stores what a query gives.</summary>
    /// <param name="select"><c>tenant_id, source, kpi, day, value</c> of businesses that have no value yet.</param>
    public static string Insert(string select) =>
        $"""
        with given as materialized (select g.* from ({select}) as g (tenant_id, source, kpi, day, value)),
        keys as (
            insert into kpi_keys (tenant_id, number, key)
            select k.tenant_id, row_number() over (partition by k.tenant_id order by k.kpi), k.kpi from (select distinct tenant_id, kpi from given) k
            returning tenant_id, number, key
        ),
        writes as (insert into kpi_writes (tenant_id, number, at) select distinct tenant_id, 1, now() from given),
        cells as materialized (
            select g.tenant_id, date_trunc('month', g.day)::date as month, g.source::smallint as source, k.number as kpi, extract(day from g.day)::integer as place, g.value
            from given g join keys k on k.tenant_id = g.tenant_id and k.key = g.kpi
        )
        insert into kpi_months (tenant_id, month, source, kpi, days, ended, first_writes, last_writes)
        select r.tenant_id, r.month, r.source, r.kpi, array_agg(c.value order by p.place),
               coalesce(bit_or(1 << (p.place - 1)) filter (where c.place is not null), 0),
               array_agg(case when c.place is not null then 1 end order by p.place), array_agg(case when c.place is not null then 1 end order by p.place)
        from (select distinct tenant_id, month, source, kpi from cells) r
        cross join generate_series(1, 31) as p (place)
        left join cells c on c.tenant_id = r.tenant_id and c.month = r.month and c.source = r.source and c.kpi = r.kpi and c.place = p.place
        group by r.tenant_id, r.month, r.source, r.kpi
        order by r.tenant_id, r.month, r.source, r.kpi;
        """;
}
