-- What a source is judged by that is read on time and has no newer days: on how many of the 91 days up to its last one it had any, and since when.
-- Only asked where its last day is not what it should be, which is seldom; then some 91 rows of the primary key.
create function known_days(p_tenant uuid, p_kpi text, p_through date, p_now timestamptz) returns table (known integer, since date)
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$
    select count(*)::integer, min(v.day)
    from kpi_values v
    where isfinite(p_through) and p_through < (p_now at time zone 'utc')::date - 1
      and v.tenant_id = p_tenant and v.kpi = p_kpi and v.day > p_through - 91 and v.day <= p_through
$$;

-- As list_sources_for of 0032, with what its freshness is judged by.
create function list_sources_judged(p_user uuid, p_now timestamptz, p_connectors text[], p_pulses text[])
returns table (tenant_id uuid, name text, role text, is_demo boolean, delete_after timestamptz, id uuid, connector text, display_name text, state text,
               status_message text, schedule text, fetched_at timestamptz, complete_through date, final_through date, measurable_from date, read_from date,
               consecutive_failures integer, last_error text, next_due_at timestamptz, live boolean, currency text, push_rhythm text, late_after_hours integer,
               usual_gap_minutes integer, zone text, days_known integer, known_from date, connected_at timestamptz, backfilled_at timestamptz,
               time_zone text, tenant_currency text, hourly_labour_cost numeric, automation_cost_per_month numeric)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id, t.name, m.role, t.is_demo, readable(t.delete_after), i.id, i.connector, i.display_name, i.status, i.status_message,
           case when i.settings ->> 'pushOnly' = 'true' then 'push' else i.schedule end, readable(i.fetched_at), readable(i.complete_through),
           readable(i.final_through), readable(i.measurable_from), readable(i.read_from), i.consecutive_failures, i.last_error, readable(i.next_due_at),
           exists (select 1 from sync_runs r where r.tenant_id = i.tenant_id and r.integration_id = i.id and r.status in ('queued', 'running', 'waiting')),
           i.currency, i.push_rhythm, i.late_after_hours, i.usual_gap_minutes, safe_zone(coalesce(i.time_zone, t.time_zone)), k.known, k.since,
           readable(i.created_at), readable(i.backfilled_at), safe_zone(t.time_zone), t.currency, t.hourly_labour_cost, t.automation_cost_per_month
    from memberships m
    join tenants t on t.id = m.tenant_id
    left join integrations i on i.tenant_id = t.id
    left join unnest(p_connectors, p_pulses) as p (connector, kpi) on p.connector = i.connector
    left join lateral (
        select d.known, d.since from known_days(i.tenant_id, p.kpi, i.complete_through, p_now) d
        where i.complete_through < (p_now at time zone 'utc')::date - 1
    ) k on true
    where m.user_id = p_user and m.deactivated_at is null
    order by t.name, t.id, i.connector
$$;

-- Daily values of some KPIs of a person's businesses, each over days of its own. Businesses that the person is no member of have none.
create function list_values_of(p_user uuid, p_tenants uuid[], p_from date[], p_to date[], p_kpis text[])
returns table (tenant_id uuid, kpi text, day date, value numeric)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select v.tenant_id, v.kpi, v.day, v.value
    from unnest(p_tenants, p_from, p_to) as w (tenant_id, first, last)
    join memberships m on m.user_id = p_user and m.tenant_id = w.tenant_id and m.deactivated_at is null
    cross join unnest(p_kpis) as q (kpi)
    join kpi_values v on v.tenant_id = w.tenant_id and v.kpi = q.kpi and v.day between w.first and least(w.last, w.first + 100)
$$;

-- For operators: what may be silent. The judgement is the application's, and these are what it is made from.
create function ops_maybe_silent(p_now timestamptz, p_connectors text[], p_pulses text[], p_limit integer)
returns table (id uuid, connector text, state text, schedule text, fetched_at timestamptz, complete_through date, consecutive_failures integer,
               zone text, days_known integer, known_from date, backfilled_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select i.id, i.connector, i.status, i.schedule, readable(i.fetched_at), readable(i.complete_through), i.consecutive_failures,
           safe_zone(coalesce(i.time_zone, t.time_zone)), k.known, k.since, readable(i.backfilled_at)
    from integrations i
    join tenants t on t.id = i.tenant_id
    join unnest(p_connectors, p_pulses) as p (connector, kpi) on p.connector = i.connector
    cross join lateral known_days(i.tenant_id, p.kpi, i.complete_through, p_now) k
    where integration_state(i.status, i.consecutive_failures, i.next_due_at, p_now) = 'active' and i.fetched_at is not null and i.settings ->> 'pushOnly' is distinct from 'true'
      and coalesce(i.complete_through < (p_now at time zone 'utc')::date - 1, i.backfilled_at is not null)
    order by i.id
    limit p_limit
$$;

-- As ops_integrations of 0023; those that the application found silent are called so.
create function ops_integrations_judged(p_now timestamptz, p_state text, p_connector text, p_after uuid, p_limit integer, p_silent uuid[])
returns table (tenant_id uuid, integration_id uuid, connector text, state text, schedule text, next_due_at timestamptz, fetched_at timestamptz,
               complete_through date, failures integer, last_run uuid, last_status text, last_queued_at timestamptz, traceparent text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select i.tenant_id, i.id, i.connector, s.state, i.schedule, readable(i.next_due_at), readable(i.fetched_at), readable(i.complete_through), i.consecutive_failures,
           r.id, r.status, readable(r.queued_at), left(r.traceparent, 200)
    from integrations i
    cross join lateral (select integration_state(i.status, i.consecutive_failures, i.next_due_at, p_now) as plain) g
    cross join lateral (select case when g.plain = 'active' and i.id = any (p_silent) then 'silent' else g.plain end as state) s
    left join lateral (
        select n.id, n.status, n.queued_at, n.traceparent from sync_runs n
        where n.tenant_id = i.tenant_id and n.integration_id = i.id order by n.queued_at desc limit 1) r on true
    where (p_after is null or i.id > p_after) and (p_connector is null or i.connector = p_connector) and (p_state is null or s.state = p_state)
    order by i.id
    limit p_limit
$$;

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public'
          and p.proname in ('known_days', 'list_sources_judged', 'list_values_of', 'ops_maybe_silent', 'ops_integrations_judged')
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
