-- The first instant of a local day. Where clocks go back over midnight (Azores, Havana) the day's first hour comes twice, and a plain cast takes the second:
-- what ran in the first would belong to no day. Where daylight saving skips midnight (Santiago, Beirut) the day begins when the clock comes back.
create function start_of_day(p_day date, p_zone text) returns timestamptz
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$
    -- No zone goes back by more than two hours.
    select coalesce(min(c.at) filter (where (c.at at time zone p_zone)::date = p_day), p_day::timestamp at time zone p_zone)
    from unnest(array[interval '2 hours', interval '1 hour', interval '30 minutes', interval '0']) as b (by)
    cross join lateral (select (p_day::timestamp at time zone p_zone) - b.by as at) c
$$;

create or replace function first_whole_day(p_day date, p_from text, p_to text) returns date
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$
    select case when start_of_day(d.day, p_to) < s.start then d.day + 1 else d.day end
    from (select start_of_day(p_day, p_from) as start) s
    cross join lateral (select (s.start at time zone p_to)::date as day) d
$$;

create or replace function last_whole_day(p_day date, p_from text, p_to text) returns date
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$ select (start_of_day(p_day + 1, p_from) at time zone p_to)::date - 1 $$;

create or replace function list_old_executions(p_now timestamptz, p_days integer, p_limit integer)
returns table (tenant_id uuid, integration_id uuid, keep_from date, starts timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select i.tenant_id, i.id, k.day, k.starts
    from integrations i
    join tenants t on t.id = i.tenant_id
    cross join lateral (select coalesce(i.time_zone, t.time_zone) as zone) z
    cross join lateral (select (p_now at time zone z.zone)::date - p_days as day) d
    cross join lateral (select d.day, start_of_day(d.day, z.zone) as starts) k
    where exists (select 1 from executions e where e.tenant_id = i.tenant_id and e.integration_id = i.id and e.started_at < k.starts)
    order by i.tenant_id, i.id
    limit p_limit
$$;
