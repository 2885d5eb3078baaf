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

-- As in 0033. Of a list of hundreds most have the same few zones, and each is asked about once: whether a server knows a zone is seen by
-- trying it, which is by far the dearest part.
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
    with mine as materialized (
        select t.id, t.name, m.role, t.is_demo, t.delete_after, t.time_zone, t.currency, t.hourly_labour_cost, t.automation_cost_per_month
        from memberships m
        join tenants t on t.id = m.tenant_id
        where m.user_id = p_user and m.deactivated_at is null
    ),
    rows as materialized (
        select t.id as tenant, i.*
        from mine t
        left join integrations i on i.tenant_id = t.id
    ),
    zones as materialized (
        select z.named, safe_zone(z.named) as known
        from (select m.time_zone as named from mine m union select r.time_zone from rows r where r.time_zone is not null) z
    )
    select t.id, t.name, t.role, t.is_demo, readable(t.delete_after), i.id, i.connector, i.display_name, i.status, i.status_message,
           case when i.settings ->> 'pushOnly' = 'true' then 'push' else i.schedule end, readable(i.fetched_at), readable(i.complete_through),
           readable(i.final_through), readable(i.measurable_from), readable(i.read_from), i.consecutive_failures, i.last_error, readable(i.next_due_at),
           exists (select 1 from sync_runs r where r.tenant_id = i.tenant_id and r.integration_id = i.id and r.status in ('queued', 'running', 'waiting')),
           i.currency, i.push_rhythm, i.late_after_hours, i.usual_gap_minutes, s.known, k.known, k.since,
           readable(i.created_at), readable(i.backfilled_at), z.known, t.currency, t.hourly_labour_cost, t.automation_cost_per_month
    from mine t
    join rows i on i.tenant = t.id
    join zones z on z.named = t.time_zone
    join zones s on s.named = coalesce(i.time_zone, t.time_zone)
    left join unnest(p_connectors, p_pulses) as p (connector, kpi) on p.connector = i.connector
    left join lateral (
        select d.known, d.since from known_days(i.tenant_id, p.kpi, i.complete_through, p_now) d
        where i.complete_through < (p_now at time zone 'utc')::date - 1
    ) k on true
    order by t.name, t.id, i.connector
$$;

alter function list_values_of(uuid, uuid[], date[], date[], text[]) set jit = off;

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
