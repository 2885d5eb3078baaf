-- Values by source, a month of days a row.
--
-- A value's key is (tenant, source, kpi, day). A source is an integration, or what is pushed and imported; each has a number of its business,
-- and so has each KPI. A row holds a month of one KPI of one source: its days as an array, and for each day which write last changed it. What
-- a write was (which run, when) is told once, and not with every value.
-- All of it is done business by business, so that memory is bounded by the largest of them, in one transaction: a kill leaves what was before.

-- 0 is what is pushed and imported. A number is never given twice.
alter table tenants add column last_source smallint not null default 0 check (last_source >= 0);

alter table integrations
    add column source smallint check (source > 0),
    -- First day of which it ever had a value: before it, nothing is missed of it.
    add column first_day date;
-- The trigger of 0023 asks about zones, which do not change here.
alter table integrations disable trigger user;
update integrations i set source = n.number
from (select tenant_id, id, row_number() over (partition by tenant_id order by created_at, connector, id) as number from integrations) n
where i.tenant_id = n.tenant_id and i.id = n.id;
update integrations i set first_day = v.day
from (select tenant_id, integration_id, min(day) as day from kpi_values where integration_id is not null group by 1, 2) v
where i.tenant_id = v.tenant_id and i.id = v.integration_id;
alter table integrations enable trigger user;
alter table tenants disable trigger user;
update tenants t set last_source = i.last from (select tenant_id, max(source) as last from integrations group by 1) i where t.id = i.tenant_id;
alter table tenants enable trigger user;
alter table integrations alter column source set not null;
alter table integrations add constraint integrations_source unique (tenant_id, source);
-- Several of one connector, now that none overwrites what another one wrote.
alter table integrations drop constraint integrations_tenant_id_connector_key;

-- Whoever adds an integration need not know of numbers.
create function number_source() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    if new.source is null then
        update tenants set last_source = last_source + 1 where id = new.tenant_id returning last_source into new.source;
    end if;
    return new;
end $$;
create trigger integrations_source before insert on integrations for each row execute function number_source();

create table kpi_keys (
    tenant_id uuid not null references tenants (id) on delete cascade,
    number    smallint not null check (number > 0),
    key       text not null check (length(key) between 1 and 80),
    primary key (tenant_id, number),
    unique (tenant_id, key)
);
call protect_tenant_table('kpi_keys');
grant select, insert, delete on kpi_keys to kpi_app;

-- One row each time that something was written and changed something: the run or the import that brought it (null: pushed), and when.
create table kpi_writes (
    tenant_id uuid not null references tenants (id) on delete cascade,
    number    integer not null check (number > 0),
    run_id    uuid,
    at        timestamptz not null,
    primary key (tenant_id, number)
) partition by hash (tenant_id);

create table kpi_months (
    tenant_id    uuid not null references tenants (id) on delete cascade,
    month        date not null check (extract(day from month) = 1),
    source       smallint not null check (source >= 0),
    kpi          smallint not null,
    -- 31 places; null: no value of that day.
    days         numeric[] not null check (cardinality(days) = 31),
    -- Bit n - 1: the day n had ended when it was last read; growing further before that is no restatement.
    ended        integer not null,
    -- Numbers of kpi_writes: which first told of the day, and which last changed it.
    first_writes integer[] not null check (cardinality(first_writes) = 31),
    last_writes  integer[] not null check (cardinality(last_writes) = 31),
    -- Month before source and KPI: what a page asks for, a range of days of most KPIs, lies side by side.
    primary key (tenant_id, month, source, kpi),
    foreign key (tenant_id, kpi) references kpi_keys (tenant_id, number) on delete cascade
) partition by hash (tenant_id);

create sequence kpi_restatements_number;
alter table kpi_restatements rename to old_kpi_restatements;
alter index kpi_restatements_pkey rename to old_kpi_restatements_pkey;
alter index kpi_restatements_day rename to old_kpi_restatements_day;
alter index kpi_restatements_run rename to old_kpi_restatements_run;
create table kpi_restatements (
    tenant_id uuid not null references tenants (id) on delete cascade,
    -- Not "generated always as identity": of a partitioned table only Postgres 17 knows that.
    id        bigint not null default nextval('kpi_restatements_number'),
    source    smallint not null default 0,
    kpi       text not null,
    day       date not null,
    old_value numeric not null,
    -- Null: the source has none any more.
    new_value numeric,
    run_id    uuid,
    at        timestamptz not null,
    primary key (tenant_id, id)
) partition by hash (tenant_id);
create index kpi_restatements_day on kpi_restatements (tenant_id, kpi, day);
create index kpi_restatements_run on kpi_restatements (tenant_id, run_id);
alter sequence kpi_restatements_number owned by kpi_restatements.id;

alter table breakdown_days rename to old_breakdown_days;
alter table breakdown_values rename to old_breakdown_values;
alter index breakdown_days_pkey rename to old_breakdown_days_pkey;
alter index breakdown_values_pkey rename to old_breakdown_values_pkey;
create table breakdown_days (
    tenant_id  uuid not null references tenants (id) on delete cascade,
    source     smallint not null check (source >= 0),
    dimension  text not null check (length(dimension) between 1 and 40),
    day        date not null,
    -- True: all there was is listed, so a value that is not listed was 0. False: such a value is unknown.
    is_whole   boolean not null,
    -- The source may have left out rows of few people.
    withheld   boolean not null,
    -- Values of the day have changed since, and how they divide could not be read with them: not shown until it is read again.
    is_stale   boolean not null default false,
    run_id     uuid not null,
    changed_at timestamptz not null,
    primary key (tenant_id, source, dimension, day)
) partition by hash (tenant_id);
create table breakdown_values (
    tenant_id uuid not null,
    source    smallint not null,
    dimension text not null,
    day       date not null,
    member    text not null check (length(member) between 1 and 200),
    -- Stored KPIs that add up, by key: {"web.sessions": 12}.
    parts     jsonb not null,
    primary key (tenant_id, source, dimension, day, member),
    foreign key (tenant_id, source, dimension, day) references breakdown_days (tenant_id, source, dimension, day) on delete cascade
) partition by hash (tenant_id);

-- What grows with businesses times days lies in eight parts by the hash of the business. Nobody is granted a part: the way in is the whole.
do $$
declare
    v_table text;
begin
    foreach v_table in array array['kpi_writes', 'kpi_months', 'kpi_restatements', 'breakdown_days', 'breakdown_values'] loop
        for v_part in 0..7 loop
            execute format('create table %I partition of %I for values with (modulus 8, remainder %s)', v_table || '_' || v_part, v_table, v_part);
            execute format('call protect_tenant_table(%L)', v_table || '_' || v_part);
        end loop;
    end loop;
    -- A month's row is written again each day: room beside it keeps the new one on its page and the index as it is.
    for v_part in 0..7 loop
        execute format('alter table %I set (fillfactor = 90)', 'kpi_months_' || v_part);
    end loop;
end $$;
call protect_tenant_table('kpi_writes');
call protect_tenant_table('kpi_months');
call protect_tenant_table('kpi_restatements');
call protect_tenant_table('breakdown_days');
call protect_tenant_table('breakdown_values');
grant select, insert, delete on kpi_writes to kpi_app;
grant select, insert, update, delete on kpi_months to kpi_app;
grant select, insert, delete on kpi_restatements to kpi_app;
grant usage on sequence kpi_restatements_number to kpi_app;
grant select, insert, update, delete on breakdown_days to kpi_app;
grant select, insert, update, delete on breakdown_values to kpi_app;

-- Everything of one business.
create procedure move_values(p_tenant uuid)
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    insert into kpi_keys (tenant_id, number, key)
    select p_tenant, row_number() over (order by k.key), k.key
    from (select kpi as key from kpi_values where tenant_id = p_tenant
          union select kpi from old_kpi_restatements where tenant_id = p_tenant) k;

    -- A value whose first telling was changed since says only when that was: the write of that moment, if another value still has it.
    insert into kpi_writes (tenant_id, number, run_id, at)
    select p_tenant, row_number() over (order by w.at, w.run_id), w.run_id, w.at
    from (select run_id, changed_at as at from kpi_values where tenant_id = p_tenant
          union
          select null, v.first_seen_at from kpi_values v
          where v.tenant_id = p_tenant
            and not exists (select 1 from kpi_values o where o.tenant_id = p_tenant and o.changed_at = v.first_seen_at)) w;

    with firsts as materialized (
        select at, min(number) as number from kpi_writes where tenant_id = p_tenant group by at
    ),
    cells as materialized (
        select date_trunc('month', v.day)::date as month, coalesce(i.source, 0::smallint) as source, k.number as kpi,
               extract(day from v.day)::integer as place, v.value, v.day_ended, f.number as first_write, l.number as last_write
        from kpi_values v
        join kpi_keys k on k.tenant_id = p_tenant and k.key = v.kpi
        join firsts f on f.at = v.first_seen_at
        join kpi_writes l on l.tenant_id = p_tenant and l.at = v.changed_at and l.run_id is not distinct from v.run_id
        left join integrations i on i.tenant_id = p_tenant and i.id = v.integration_id
        where v.tenant_id = p_tenant
    )
    insert into kpi_months (tenant_id, month, source, kpi, days, ended, first_writes, last_writes)
    select p_tenant, g.month, g.source, g.kpi, array_agg(c.value order by n.place),
           coalesce(bit_or(1 << (n.place - 1)) filter (where c.day_ended), 0),
           array_agg(c.first_write order by n.place), array_agg(c.last_write order by n.place)
    from (select distinct month, source, kpi from cells) g
    cross join generate_series(1, 31) as n (place)
    left join cells c on c.month = g.month and c.source = g.source and c.kpi = g.kpi and c.place = n.place
    group by g.month, g.source, g.kpi
    order by g.month, g.source, g.kpi;

    insert into kpi_restatements (tenant_id, id, source, kpi, day, old_value, new_value, run_id, at)
    select p_tenant, r.id, coalesce(
               (select i.source from sync_runs s join integrations i on i.tenant_id = p_tenant and i.id = s.integration_id
                where s.tenant_id = p_tenant and s.id = r.run_id),
               (select max(m.source) from kpi_months m join kpi_keys k on k.tenant_id = p_tenant and k.number = m.kpi
                where m.tenant_id = p_tenant and k.key = r.kpi),
               0::smallint),
           r.kpi, r.day, r.old_value, r.new_value, r.run_id, r.at
    from old_kpi_restatements r where r.tenant_id = p_tenant
    order by r.id;

    insert into breakdown_days (tenant_id, source, dimension, day, is_whole, withheld, is_stale, run_id, changed_at)
    select p_tenant, coalesce(i.source, 0::smallint), d.dimension, d.day, d.is_whole, d.withheld, d.is_stale, d.run_id, d.changed_at
    from old_breakdown_days d left join integrations i on i.tenant_id = p_tenant and i.id = d.integration_id
    where d.tenant_id = p_tenant
    order by 2, 3, 4;
    insert into breakdown_values (tenant_id, source, dimension, day, member, parts)
    select p_tenant, d.source, v.dimension, v.day, v.member, v.parts
    from old_breakdown_values v
    join breakdown_days d on d.tenant_id = p_tenant and d.dimension = v.dimension and d.day = v.day
    where v.tenant_id = p_tenant
    order by 2, 3, 4, 5;
end $$;
do $$
declare
    v_tenant uuid;
begin
    for v_tenant in select id from tenants order by id loop
        call move_values(v_tenant);
    end loop;
    perform setval('kpi_restatements_number', greatest((select max(id) from old_kpi_restatements), 1), exists (select 1 from old_kpi_restatements));
    -- Nothing may be lost on the way.
    if (select count(*) from kpi_values) <> (select coalesce(sum(cardinality(array_remove(days, null))), 0) from kpi_months)
       or (select count(*) from old_kpi_restatements) <> (select count(*) from kpi_restatements)
       or (select count(*) from old_breakdown_values) <> (select count(*) from breakdown_values) then
        raise exception 'Not every value came over.';
    end if;
end $$;
drop procedure move_values(uuid);

drop table kpi_values, old_kpi_restatements, old_breakdown_values, old_breakdown_days;

-- The days as rows, for people, exports and what asks seldom. What asks often reads kpi_months. As who asks, so that row-level security holds.
create view kpi_values with (security_invoker = true) as
select m.tenant_id, m.source, k.key as kpi, (m.month + (d.place - 1)::integer) as day, d.value,
       m.ended & (1 << (d.place - 1)::integer) <> 0 as day_ended, i.id as integration_id, l.run_id, f.at as first_seen_at, l.at as changed_at, m.month
from kpi_months m
join kpi_keys k on k.tenant_id = m.tenant_id and k.number = m.kpi
cross join lateral unnest(m.days) with ordinality as d (value, place)
left join kpi_writes l on l.tenant_id = m.tenant_id and l.number = m.last_writes[d.place]
left join kpi_writes f on f.tenant_id = m.tenant_id and f.number = m.first_writes[d.place]
left join integrations i on i.tenant_id = m.tenant_id and i.source = m.source
where d.value is not null;

-- Single values may be set, changed and taken away through the view: by operators, and in tests. Nothing is told of it as a restatement.
create function write_kpi_value() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_month  date;
    v_place  integer;
    v_source smallint;
    v_kpi    smallint;
    v_first  integer;
    v_last   integer;
begin
    if tg_op in ('DELETE', 'UPDATE') then
        v_month := date_trunc('month', old.day)::date;
        v_place := extract(day from old.day)::integer;
        update kpi_months m
        set days[v_place] = null, first_writes[v_place] = null, last_writes[v_place] = null, ended = m.ended & ~(1 << (v_place - 1))
        from kpi_keys k
        where m.tenant_id = old.tenant_id and m.month = v_month and m.source = old.source and k.tenant_id = old.tenant_id and k.key = old.kpi
          and m.kpi = k.number;
        delete from kpi_months m using kpi_keys k
        where m.tenant_id = old.tenant_id and m.month = v_month and m.source = old.source and k.tenant_id = old.tenant_id and k.key = old.kpi
          and m.kpi = k.number and array_remove(m.days, null) = '{}';
        if tg_op = 'DELETE' then return old; end if;
    end if;
    v_month := date_trunc('month', new.day)::date;
    v_place := extract(day from new.day)::integer;
    v_source := coalesce(
        new.source, (select i.source from integrations i where i.tenant_id = new.tenant_id and i.id = new.integration_id),
        case when new.kpi not like 'custom.%' then (select min(i.source) from integrations i where i.tenant_id = new.tenant_id) end, 0::smallint);
    select number into v_kpi from kpi_keys where tenant_id = new.tenant_id and key = new.kpi;
    if v_kpi is null then
        insert into kpi_keys (tenant_id, number, key)
        select new.tenant_id, coalesce(max(number), 0) + 1, new.kpi from kpi_keys where tenant_id = new.tenant_id
        returning number into v_kpi;
    end if;
    -- Values that are set together are one write.
    select number into v_last from kpi_writes
    where tenant_id = new.tenant_id and at = new.changed_at and run_id is not distinct from new.run_id order by number desc limit 1;
    if v_last is null then
        insert into kpi_writes (tenant_id, number, run_id, at)
        select new.tenant_id, coalesce(max(number), 0) + 1, new.run_id, new.changed_at from kpi_writes where tenant_id = new.tenant_id
        returning number into v_last;
    end if;
    v_first := v_last;
    if new.first_seen_at is distinct from new.changed_at then
        select number into v_first from kpi_writes where tenant_id = new.tenant_id and at = new.first_seen_at order by number limit 1;
        if v_first is null then
            insert into kpi_writes (tenant_id, number, run_id, at)
            select new.tenant_id, max(number) + 1, null, new.first_seen_at from kpi_writes where tenant_id = new.tenant_id
            returning number into v_first;
        end if;
    end if;
    insert into kpi_months as m (tenant_id, month, source, kpi, days, ended, first_writes, last_writes)
    select new.tenant_id, v_month, v_source, v_kpi, array_agg(case when n = v_place then new.value end order by n),
           case when new.day_ended then 1 << (v_place - 1) else 0 end,
           array_agg(case when n = v_place then v_first end order by n), array_agg(case when n = v_place then v_last end order by n)
    from generate_series(1, 31) n
    on conflict (tenant_id, month, source, kpi) do update
    set days[v_place] = new.value, first_writes[v_place] = v_first, last_writes[v_place] = v_last,
        ended = case when new.day_ended then m.ended | (1 << (v_place - 1)) else m.ended & ~(1 << (v_place - 1)) end;
    return new;
end $$;
create trigger kpi_values_write instead of insert or update or delete on kpi_values for each row execute function write_kpi_value();
grant select, insert, update, delete on kpi_values to kpi_app;

-- As in 0022. What a write still stands for is what some value names.
create or replace function purge_sync_runs(p_before timestamptz, p_limit integer) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_tenant constant uuid := current_tenant_id();
    v_count  integer;
begin
    if p_before is null or p_before > now() - interval '30 days' then
        raise exception 'Syncs are kept for 30 days at least.' using errcode = 'check_violation';
    end if;
    with old as (
        select r.id from sync_runs r
        where r.tenant_id = v_tenant and r.status in ('succeeded', 'failed', 'dead') and r.finished_at < p_before
          -- One pass over the months of the business costs less than an index.
          and r.id not in (
              select w.run_id from kpi_writes w
              where w.tenant_id = v_tenant and w.run_id is not null
                and w.number in (select unnest(m.last_writes) from kpi_months m where m.tenant_id = v_tenant))
          and not exists (select 1 from kpi_restatements k where k.tenant_id = v_tenant and k.run_id = r.id)
          and exists (select 1 from sync_runs n where n.tenant_id = v_tenant and n.integration_id = r.integration_id and n.queued_at > r.queued_at)
        order by r.finished_at
        limit p_limit
        for update skip locked
    ),
    gone as (delete from sync_runs r using old o where r.tenant_id = v_tenant and r.id = o.id returning 1)
    select count(*)::int into v_count from gone;
    return v_count;
end $$;

-- As in 0033, of one source: some four rows of the primary key.
drop function ops_maybe_silent(timestamptz, text[], text[], integer);
drop function list_sources_judged(uuid, timestamptz, text[], text[]);
drop function known_days(uuid, text, date, timestamptz);
create function known_days(p_tenant uuid, p_source smallint, p_kpi text, p_through date, p_now timestamptz)
returns table (known integer, since date)
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$
    select count(*)::integer, min(d.day)
    from kpi_keys k
    join kpi_months m on m.tenant_id = p_tenant and m.source = p_source and m.kpi = k.number
                     and m.month between date_trunc('month', p_through - 90)::date and p_through
    cross join lateral (
        select m.month + (u.place - 1)::integer as day from unnest(m.days) with ordinality as u (value, place) where u.value is not null
    ) d
    where isfinite(p_through) and p_through < (p_now at time zone 'utc')::date - 1
      and k.tenant_id = p_tenant and k.key = p_kpi and d.day > p_through - 91 and d.day <= p_through
$$;

-- As in 0035, with the number of the source and its first day.
create function list_sources_judged(p_user uuid, p_now timestamptz, p_connectors text[], p_pulses text[])
returns table (tenant_id uuid, name text, role text, is_demo boolean, delete_after timestamptz, id uuid, connector text, display_name text, state text,
               status_message text, schedule text, fetched_at timestamptz, complete_through date, final_through date, measurable_from date, read_from date,
               consecutive_failures integer, last_error text, next_due_at timestamptz, live boolean, currency text, push_rhythm text, late_after_hours integer,
               usual_gap_minutes integer, zone text, days_known integer, known_from date, connected_at timestamptz, backfilled_at timestamptz,
               time_zone text, tenant_currency text, hourly_labour_cost numeric, automation_cost_per_month numeric, source smallint, first_day date)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
set jit = off
as $$
    with listed as materialized (
        select t.id as tenant, t.name, m.role, t.is_demo, t.delete_after, t.time_zone as tenant_zone, t.currency as tenant_currency,
               t.hourly_labour_cost, t.automation_cost_per_month, i.id, i.connector, i.display_name, i.status, i.status_message, i.settings,
               i.schedule, i.fetched_at, i.complete_through, i.final_through, i.measurable_from, i.read_from, i.consecutive_failures, i.last_error,
               i.next_due_at, i.currency, i.push_rhythm, i.late_after_hours, i.usual_gap_minutes, i.created_at, i.backfilled_at,
               coalesce(i.time_zone, t.time_zone) as zone, p_pulses[array_position(p_connectors, i.connector)] as pulse, i.source, i.first_day
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
           readable(l.created_at), readable(l.backfilled_at), z.known, l.tenant_currency, l.hourly_labour_cost, l.automation_cost_per_month,
           l.source, readable(l.first_day)
    from listed l
    join zones z on z.named = l.tenant_zone
    join zones s on s.named = l.zone
    left join lateral (
        select d.known, d.since
        from (select l.tenant, l.source, l.pulse, l.complete_through as through
              where l.complete_through < (p_now at time zone 'utc')::date - 1 offset 0) late
        cross join lateral known_days(late.tenant, late.source, late.pulse, late.through, p_now) d
    ) k on true
    order by l.name, l.tenant, l.connector, l.source
$$;

-- As in 0035: one look at memberships and some four rows of the index for each business.
drop function list_values_of(uuid, uuid[], date[], date[], text[]);
create function list_values_of(p_user uuid, p_tenants uuid[], p_from date[], p_to date[], p_kpis text[])
returns table (tenant_id uuid, source smallint, kpi text, day date, value numeric)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
set jit = off
as $$
    select w.tenant_id, v.source, v.key, v.day, v.value
    from unnest(p_tenants, p_from, p_to) as w (tenant_id, first, last)
    cross join lateral (
        select m.source, k.key, m.month + (d.place - 1)::integer as day, d.value
        from kpi_keys k
        join kpi_months m on m.tenant_id = w.tenant_id and m.kpi = k.number
                         and m.month between date_trunc('month', w.first)::date and least(w.last, w.first + 100)
        cross join lateral unnest(m.days) with ordinality as d (value, place)
        where k.tenant_id = w.tenant_id and k.key = any (p_kpis) and d.value is not null
        offset 0
    ) v
    where (select true from memberships m where m.user_id = p_user and m.tenant_id = w.tenant_id and m.deactivated_at is null)
      and v.day between w.first and least(w.last, w.first + 100)
$$;

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
    cross join lateral known_days(i.tenant_id, i.source, p.kpi, i.complete_through, p_now) k
    where integration_state(i.status, i.consecutive_failures, i.next_due_at, p_now) = 'active' and i.fetched_at is not null
      and i.settings ->> 'pushOnly' is distinct from 'true'
      and coalesce(i.complete_through < (p_now at time zone 'utc')::date - 1, i.backfilled_at is not null)
    order by i.id
    limit p_limit
$$;

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.proname in ('known_days', 'list_sources_judged', 'list_values_of', 'ops_maybe_silent')
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
