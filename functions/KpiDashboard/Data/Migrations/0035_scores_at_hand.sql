-- The health of a business needs fourteen weeks of its days, which is too much to read for a list of hundreds. It is kept here with the day
-- that it is as of, the version of the data that it was worked out from, and when. The timer works it out again after every change.
alter table tenants
    add column health_score smallint check (health_score between 0 and 100),
    add column health_day date,
    add column health_version bigint,
    add column health_at timestamptz;

-- Scores of a person's businesses, as they were last worked out; current where the business has not changed since.
create function list_scores_of(p_user uuid)
returns table (tenant_id uuid, score smallint, day date, at timestamptz, current boolean)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
set jit = off
as $$
    select t.id, t.health_score, readable(t.health_day), readable(t.health_at), t.health_version = t.data_version
    from memberships m
    join tenants t on t.id = m.tenant_id
    where m.user_id = p_user and m.deactivated_at is null and t.health_at is not null
$$;

-- Businesses whose score is to be worked out again: those that changed since, and those for which it is old, because days pass and sources
-- fall silent without any change. Longest ago first.
create function scores_due(p_now timestamptz, p_old timestamptz, p_limit integer) returns setof uuid
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id
    from tenants t
    where (t.health_version is distinct from t.data_version or t.health_at is null or t.health_at < p_old or t.health_at > p_now)
      and t.delete_after is null
      and exists (select 1 from integrations i where i.tenant_id = t.id)
    order by t.health_at nulls first, t.id
    limit p_limit
$$;

-- As in 0033, for a list of hundreds: most have the same few zones, and each zone is asked about once, because whether a server knows it is
-- seen by trying; days are counted only where the last one is not what it should be; and nothing is joined that the planner could take for
-- small and go through anew for each business.
create or replace function list_sources_judged(p_user uuid, p_now timestamptz, p_connectors text[], p_pulses text[])
returns table (tenant_id uuid, name text, role text, is_demo boolean, delete_after timestamptz, id uuid, connector text, display_name text, state text,
               status_message text, schedule text, fetched_at timestamptz, complete_through date, final_through date, measurable_from date, read_from date,
               consecutive_failures integer, last_error text, next_due_at timestamptz, live boolean, currency text, push_rhythm text, late_after_hours integer,
               usual_gap_minutes integer, zone text, days_known integer, known_from date, connected_at timestamptz, backfilled_at timestamptz,
               time_zone text, tenant_currency text, hourly_labour_cost numeric, automation_cost_per_month numeric)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
set jit = off
as $$
    with listed as materialized (
        select t.id as tenant, t.name, m.role, t.is_demo, t.delete_after, t.time_zone as tenant_zone, t.currency as tenant_currency,
               t.hourly_labour_cost, t.automation_cost_per_month, i.id, i.connector, i.display_name, i.status, i.status_message, i.settings,
               i.schedule, i.fetched_at, i.complete_through, i.final_through, i.measurable_from, i.read_from, i.consecutive_failures, i.last_error,
               i.next_due_at, i.currency, i.push_rhythm, i.late_after_hours, i.usual_gap_minutes, i.created_at, i.backfilled_at,
               coalesce(i.time_zone, t.time_zone) as zone, p_pulses[array_position(p_connectors, i.connector)] as pulse
        from memberships m
        join tenants t on t.id = m.tenant_id
        left join integrations i on i.tenant_id = t.id
        where m.user_id = p_user and m.deactivated_at is null
    ),
    zones as materialized (
        select z.named, safe_zone(z.named) as known
        from (select l.tenant_zone as named from listed l union select l.zone from listed l) z
    )
    select l.tenant, l.name, l.role, l.is_demo, readable(l.delete_after), l.id, l.connector, l.display_name, l.status, l.status_message,
           case when l.settings ->> 'pushOnly' = 'true' then 'push' else l.schedule end, readable(l.fetched_at), readable(l.complete_through),
           readable(l.final_through), readable(l.measurable_from), readable(l.read_from), l.consecutive_failures, l.last_error, readable(l.next_due_at),
           exists (select 1 from sync_runs r where r.tenant_id = l.tenant and r.integration_id = l.id and r.status in ('queued', 'running', 'waiting')),
           l.currency, l.push_rhythm, l.late_after_hours, l.usual_gap_minutes, s.known, k.known, k.since,
           readable(l.created_at), readable(l.backfilled_at), z.known, l.tenant_currency, l.hourly_labour_cost, l.automation_cost_per_month
    from listed l
    join zones z on z.named = l.tenant_zone
    join zones s on s.named = l.zone
    left join lateral (
        select d.known, d.since
        from (select l.tenant, l.pulse, l.complete_through as through
              where l.complete_through < (p_now at time zone 'utc')::date - 1 offset 0) late
        cross join lateral known_days(late.tenant, late.pulse, late.through, p_now) d
    ) k on true
    order by l.name, l.tenant, l.connector
$$;

-- As in 0033; each business is one look at memberships and one at the index for each KPI, whatever the planner thinks of the arrays.
create or replace function list_values_of(p_user uuid, p_tenants uuid[], p_from date[], p_to date[], p_kpis text[])
returns table (tenant_id uuid, kpi text, day date, value numeric)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
set jit = off
as $$
    select w.tenant_id, q.kpi, v.day, v.value
    from unnest(p_tenants, p_from, p_to) as w (tenant_id, first, last)
    cross join unnest(p_kpis) as q (kpi)
    cross join lateral (
        select n.day, n.value
        from kpi_values n
        where n.tenant_id = w.tenant_id and n.kpi = q.kpi and n.day between w.first and least(w.last, w.first + 100)
        offset 0
    ) v
    where (select true from memberships m where m.user_id = p_user and m.tenant_id = w.tenant_id and m.deactivated_at is null)
$$;

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.proname in ('list_scores_of', 'scores_due')
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
