-- One business never stops the others: what a row of one of them holds cannot fail a statement over all of them. Zones that this server does not know are reckoned
-- as UTC and told of, instants and days that no client can read are cut to what it can, and what fails for one business is noted for operators.

-- Whether this server can reckon in a zone. Never fails, whatever it is given. Only names of the IANA database: Postgres would take "<-03>3", "UTC+25" and "PST" too,
-- which .NET and browsers do not know, and posix/ and right/ are copies of the database that some servers lack.
create function knows_zone(p_zone text) returns boolean
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
begin
    if p_zone is null or length(p_zone) > 64 then return false; end if;
    if p_zone ~ '^[A-Z][A-Za-z_-]*(/[A-Z][A-Za-z_-]*){1,2}$' or p_zone ~ '^Etc/GMT[+-]?[0-9]{1,2}$'
       -- Of the names of one word those that mean the same to everybody: CET and EST are abbreviations to Postgres, without daylight saving.
       or p_zone in (
           'UTC', 'UCT', 'Universal', 'Zulu', 'GMT', 'GMT0', 'Greenwich', 'EST5EDT', 'CST6CDT', 'MST7MDT', 'PST8PDT', 'Cuba', 'Egypt', 'Eire', 'GB', 'GB-Eire', 'Hongkong', 'Iceland',
           'Iran', 'Israel', 'Jamaica', 'Japan', 'Kwajalein', 'Libya', 'NZ', 'NZ-CHAT', 'Navajo', 'PRC', 'Poland', 'Portugal', 'ROC', 'ROK', 'Singapore', 'Turkey', 'W-SU') then
        perform timestamptz 'epoch' at time zone p_zone;
        return true;
    end if;
    return false;
exception when others then
    return false;
end $$;

-- The zone itself where this server knows it, else UTC: for every statement that reckons for more than one business, and for days of a stored zone.
create function safe_zone(p_zone text) returns text
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$ select case when knows_zone(p_zone) then p_zone else 'UTC' end $$;

-- Instants and days that every client can read: Postgres goes from 4713 BC to beyond 200000 and to infinity, .NET from 1 to 9999.
create function readable(p_at timestamptz) returns timestamptz
language sql immutable parallel safe
as $$ select case when p_at is null then null else least(greatest(p_at, timestamptz '0002-01-01 00:00:00Z'), timestamptz '9998-12-31 00:00:00Z') end $$;

create function readable(p_day date) returns date
language sql immutable parallel safe
as $$ select case when p_day is null then null else least(greatest(p_day, date '0002-01-01'), date '9998-12-31') end $$;

-- What goes wrong with one business while the others are served, for operators. subject: the integration or run that it is about, or nothing.
create table tenant_faults (
    tenant_id uuid not null references tenants (id) on delete cascade,
    step      text not null check (length(step) between 1 and 60),
    subject   text not null default '' check (length(subject) <= 60),
    -- In words, without anything that the business wrote but the name of a zone.
    reason    text not null check (length(reason) between 1 and 500),
    first_at  timestamptz not null,
    last_at   timestamptz not null,
    times     integer not null default 1 check (times > 0),
    primary key (tenant_id, step, subject)
);
create index tenant_faults_recent on tenant_faults (last_at desc);
-- Reached through the functions below only.
call protect_tenant_table('tenant_faults');

create function note_tenant_fault(p_tenant uuid, p_step text, p_subject text, p_reason text, p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    insert into tenant_faults as f (tenant_id, step, subject, reason, first_at, last_at)
    select t.id, left(p_step, 60), left(coalesce(p_subject, ''), 60), left(coalesce(nullif(p_reason, ''), 'Unknown.'), 500), p_now, p_now from tenants t where t.id = p_tenant
    on conflict (tenant_id, step, subject) do update
    set reason = excluded.reason, last_at = greatest(f.last_at, excluded.last_at), times = least(f.times, 2147483646) + 1
$$;

-- A step went well for these businesses: what was noted of it is over. Takes no lock where nothing was.
create function settle_tenant_faults(p_step text, p_tenants uuid[], p_subjects text[]) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    delete from tenant_faults f using unnest(p_tenants, p_subjects) as o (tenant, subject)
    where f.tenant_id = o.tenant and f.step = p_step and f.subject = coalesce(o.subject, '')
$$;

-- An operator has seen it. It comes back if it happens again. Returns how many were cleared.
create function clear_tenant_faults(p_tenant uuid, p_step text) returns integer
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with gone as (delete from tenant_faults where tenant_id = p_tenant and (p_step is null or step = p_step) returning 1)
    select count(*)::int from gone
$$;

create function list_tenant_faults(p_limit integer)
returns table (tenant_id uuid, step text, subject text, reason text, first_at timestamptz, last_at timestamptz, times integer)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select f.tenant_id, f.step, f.subject, f.reason, readable(f.first_at), readable(f.last_at), f.times
    from tenant_faults f order by f.last_at desc, f.tenant_id, f.step, f.subject limit p_limit
$$;

create function count_faulty_tenants() returns bigint
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$ select count(distinct tenant_id) from tenant_faults $$;

-- Looks through what schedules and reckons for rows that no door lets in (written by hand, restored elsewhere, a zone that a new server lacks): each business that has one is
-- served as well as it can be, and noted until it is mended. Nothing here fails on any row. p_connectors: those of the build that asks.
create function inspect_tenants(p_now timestamptz, p_connectors text[]) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_count integer;
begin
    with zones as (
        -- As few names as there are, not as many as there are businesses.
        select z.name, knows_zone(z.name) as known
        from (select t.time_zone as name from tenants t union select i.time_zone from integrations i where i.time_zone is not null) z
    ),
    found as (
        select t.id as tenant_id, 'zone' as step, '' as subject,
               format('This database does not know its time zone "%s"; its days are those of UTC until another is chosen in its settings.', left(t.time_zone, 64)) as reason
        from tenants t join zones z on z.name = t.time_zone and not z.known
        union all
        select i.tenant_id, 'zone', i.id::text,
               format('This database does not know the time zone "%s" of one of its sources; the days of that source are those of UTC.', left(i.time_zone, 64))
        from integrations i join zones z on z.name = i.time_zone and not z.known
        union all
        select i.tenant_id, 'row', i.id::text,
               case when i.connector <> all (p_connectors) then format('Its source is of the kind "%s", which this version does not have.', left(i.connector, 60))
                    when jsonb_typeof(i.settings) <> 'object' then 'The settings of one of its sources are no JSON object.'
                    when octet_length(i.settings::text) > 65536 then 'The settings of one of its sources are larger than 64 KB.'
                    else 'An instant or a day of one of its sources is out of reach.' end
        from integrations i
        where i.connector <> all (p_connectors) or jsonb_typeof(i.settings) <> 'object' or octet_length(i.settings::text) > 65536
           or greatest(i.next_due_at, i.lease_until) > p_now + interval '400 days' or i.next_due_at < timestamptz '2000-01-01Z'
           or i.fetched_at > p_now + interval '400 days' or i.fetched_at < timestamptz '2000-01-01Z'
           or greatest(i.complete_through, i.final_through, i.measurable_from, i.read_from, i.read_to) > readable(p_now)::date + 400
           or least(i.complete_through, i.final_through, i.measurable_from, i.read_from, i.read_to) < date '1990-01-01'
        union all
        select r.tenant_id, 'run', r.integration_id::text, 'A sync of it waits for an instant that is out of reach.'
        from sync_runs r
        where r.status in ('queued', 'running', 'waiting')
          and (greatest(r.updated_at, r.next_attempt_at, r.enqueued_at, r.queued_at) > p_now + interval '400 days' or r.queued_at < timestamptz '2000-01-01Z')
    ),
    distinctly as (select distinct on (tenant_id, step, subject) * from found order by tenant_id, step, subject, reason),
    over as (
        delete from tenant_faults f
        where f.step in ('zone', 'row', 'run')
          and not exists (select 1 from distinctly d where d.tenant_id = f.tenant_id and d.step = f.step and d.subject = f.subject)
    ),
    noted as (
        insert into tenant_faults as f (tenant_id, step, subject, reason, first_at, last_at)
        select d.tenant_id, d.step, d.subject, d.reason, p_now, p_now from distinctly d
        on conflict (tenant_id, step, subject) do update set reason = excluded.reason, last_at = greatest(f.last_at, excluded.last_at)
        returning 1
    )
    select count(*)::int into v_count from noted;
    return v_count;
end $$;

-- As in 0002, and a zone that this server does not know counts as UTC: the claim of all businesses goes through here.
create or replace function next_due_at(p_schedule text, p_hour smallint, p_time_zone text, p_integration uuid, p_now timestamptz) returns timestamptz
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$
    with jitter as (select make_interval(secs => mod(abs(hashtext(p_integration::text)::bigint), case p_schedule when 'daily' then 1800 when 'hourly' then 300 else 60 end)::int) as j),
    place as (select safe_zone(p_time_zone) as zone, make_interval(hours => least(greatest(coalesce(p_hour, 0), 0), 23)) as hour where p_schedule = 'daily'),
    today as (select ((p_now at time zone zone)::date + hour) at time zone zone + j as due from jitter, place),
    tomorrow as (select ((p_now at time zone zone)::date + 1 + hour) at time zone zone + j as due from jitter, place)
    select case p_schedule
        when 'daily' then (select case when today.due > p_now then today.due else tomorrow.due end from today, tomorrow)
        when 'hourly' then date_bin('1 hour', p_now, timestamptz '2000-01-01Z') + interval '1 hour' + (select j from jitter)
        else date_bin('15 minutes', p_now, timestamptz '2000-01-01Z') + interval '15 minutes' + (select j from jitter)
    end
$$;

-- As in 0009; when a run is awaited is told so that the caller can read it.
create or replace function sweep_lost_runs(p_now timestamptz, p_never_enqueued_after interval, p_silent_after interval, p_limit integer)
returns table (run_id uuid, tenant_id uuid, integration_id uuid, connector text, step integer, traceparent text, next_attempt_at timestamptz)
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with stale as (
        select r.tenant_id, r.id
        from sync_runs r
        join integrations i on i.tenant_id = r.tenant_id and i.id = r.integration_id
        where r.status in ('queued', 'running', 'waiting')
          and (i.lease_until is null or i.lease_until < p_now)
          and ((r.enqueued_at is null and r.updated_at < p_now - p_never_enqueued_after)
            or (greatest(r.updated_at, r.next_attempt_at) < p_now - p_silent_after))
        order by r.updated_at
        limit p_limit
        for update of r skip locked
    )
    update sync_runs r
    set updated_at = p_now
    from stale s
    where r.tenant_id = s.tenant_id and r.id = s.id
    returning r.id, r.tenant_id, r.integration_id, r.connector, r.step, left(r.traceparent, 200), readable(r.next_attempt_at)
$$;

-- As in 0021 and 0014: a zone that this server does not know counts as UTC, and businesses that failed lately come last, so that they take nobody's place.
create or replace function list_old_executions(p_now timestamptz, p_days integer, p_limit integer)
returns table (tenant_id uuid, integration_id uuid, keep_from date, starts timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select i.tenant_id, i.id, k.day, k.starts
    from integrations i
    join tenants t on t.id = i.tenant_id
    left join tenant_faults f on f.tenant_id = i.tenant_id and f.step = 'retention of executions' and f.subject = i.id::text
    cross join lateral (select safe_zone(coalesce(i.time_zone, t.time_zone)) as zone) z
    cross join lateral (select (p_now at time zone z.zone)::date - p_days as day) d
    cross join lateral (select d.day, start_of_day(d.day, z.zone) as starts) k
    where exists (select 1 from executions e where e.tenant_id = i.tenant_id and e.integration_id = i.id and e.started_at < k.starts)
    order by f.last_at nulls first, i.tenant_id, i.id
    limit p_limit
$$;

create or replace function list_old_values(p_now timestamptz, p_months integer, p_limit integer)
returns table (tenant_id uuid, keep_from date)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id, k.day
    from tenants t
    left join tenant_faults f on f.tenant_id = t.id and f.step = 'retention of values' and f.subject = ''
    cross join lateral (select ((p_now at time zone safe_zone(t.time_zone))::date - make_interval(months => p_months))::date as day) k
    where t.values_kept_from is null or t.values_kept_from < k.day
    order by f.last_at nulls first, t.values_kept_from nulls first, t.id
    limit p_limit
$$;

create or replace function list_old_runs(p_keep_from date, p_limit integer) returns table (tenant_id uuid)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id from tenants t
    left join tenant_faults f on f.tenant_id = t.id and f.step = 'retention of syncs' and f.subject = ''
    where t.runs_kept_from is null or t.runs_kept_from < p_keep_from
    order by f.last_at nulls first, t.runs_kept_from nulls first, t.id
    limit p_limit
$$;

create or replace function list_due_deletions(p_now timestamptz, p_limit integer) returns setof uuid
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id from tenants t
    left join tenant_faults f on f.tenant_id = t.id and f.step = 'deletion' and f.subject = ''
    where t.delete_after <= p_now
    order by f.last_at nulls first, t.delete_after
    limit p_limit
$$;

-- As in 0008 and 0010: what travels in a message is short.
create or replace function sweep_tenant_exports(p_now timestamptz, p_never_enqueued_after interval, p_silent_after interval, p_limit integer)
returns table (tenant_id uuid, id uuid, traceparent text)
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with lost as (
        select e.tenant_id, e.id from tenant_exports e
        where e.status in ('queued', 'running') and (e.lease_until is null or e.lease_until <= p_now)
          and ((e.enqueued_at is null and e.updated_at <= p_now - p_never_enqueued_after) or e.updated_at <= p_now - p_silent_after)
        order by e.updated_at
        limit p_limit
        for update skip locked
    )
    update tenant_exports e set updated_at = p_now, enqueued_at = p_now
    from lost l where e.tenant_id = l.tenant_id and e.id = l.id
    returning e.tenant_id, e.id, left(e.traceparent, 200)
$$;

create or replace function sweep_imports(p_now timestamptz, p_silent_after interval, p_limit integer)
returns table (tenant_id uuid, id uuid, traceparent text)
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with lost as (
        select i.tenant_id, i.id from imports i
        where i.finished_at is null and i.updated_at <= p_now - p_silent_after and (i.lease_until is null or i.lease_until <= p_now)
        order by i.updated_at
        limit p_limit
        for update skip locked
    )
    update imports i set updated_at = p_now from lost l where i.tenant_id = l.tenant_id and i.id = l.id
    returning i.tenant_id, i.id, left(i.traceparent, 200)
$$;

-- As in 0013, 0009, 0014 and 0007: one row whose instant no client can read would have hidden all others.
create or replace function oldest_due_work(p_now timestamptz)
returns table (queue text, since timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select 'sync-' || w.connector, readable(min(w.since))
    from (select r.connector, greatest(coalesce(r.enqueued_at, r.updated_at), r.next_attempt_at) as since
          from sync_runs r
          join integrations i on i.tenant_id = r.tenant_id and i.id = r.integration_id
          where r.status in ('queued', 'running', 'waiting') and (i.lease_until is null or i.lease_until < p_now)) w
    where w.since <= p_now
    group by w.connector
    union all
    select 'mail', readable(min(m.next_attempt_at))
    from mail_outbox m
    where m.finished_at is null and m.next_attempt_at <= p_now and (m.lease_until is null or m.lease_until < p_now)
    having count(*) > 0
$$;

create or replace function list_dead_letters(p_before_at timestamptz, p_before_key text, p_limit integer)
returns table (kind text, key text, at timestamptz, queue text, reason text, body text, tenant_id uuid, integration_id uuid, connector text, trigger text, traceparent text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select e.kind, e.key, readable(e.at), e.queue, e.reason, e.body, e.tenant_id, e.integration_id, e.connector, e.trigger, e.traceparent from (
        (select 'run', r.id::text, r.finished_at, 'sync-' || r.connector, r.message, null::text, r.tenant_id, r.integration_id, r.connector, r.trigger, left(r.traceparent, 200)
         from sync_runs r
         where r.status = 'dead' and (p_before_at is null or (r.finished_at, r.id::text collate "C") < (p_before_at, p_before_key collate "C"))
         order by r.finished_at desc, r.id::text collate "C" desc limit p_limit)
        union all
        (select 'message', d.id::text, d.received_at, d.queue, d.reason, d.body, null, null, null, null, null
         from dead_letters d
         where d.requeued_at is null and (p_before_at is null or (d.received_at, d.id::text collate "C") < (p_before_at, p_before_key collate "C"))
         order by d.received_at desc, d.id::text collate "C" desc limit p_limit)
    ) as e (kind, key, at, queue, reason, body, tenant_id, integration_id, connector, trigger, traceparent)
    order by e.at desc, e.key collate "C" desc
    limit p_limit
$$;

create or replace function ops_overview(p_now timestamptz) returns jsonb
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with runs as (
        select r.connector, r.status, count(*) as count from sync_runs r where r.queued_at > p_now - interval '24 hours' group by 1, 2
    ),
    states as (
        select i.connector, integration_state(i.status, i.consecutive_failures, i.next_due_at, p_now) as state, count(*) as count from integrations i group by 1, 2
    )
    select jsonb_build_object(
        'tenants', (select jsonb_build_object(
            'total', count(*), 'demo', count(*) filter (where is_demo), 'deleting', count(*) filter (where delete_after is not null)) from tenants),
        'faults', (select jsonb_build_object('tenants', count(distinct tenant_id), 'newestAt', readable(max(last_at))) from tenant_faults),
        'integrations', coalesce((select jsonb_agg(jsonb_build_object('connector', connector, 'state', state, 'count', count) order by connector, state) from states), '[]'),
        'runs', coalesce((select jsonb_agg(jsonb_build_object('connector', connector, 'status', status, 'count', count) order by connector, status) from runs), '[]'),
        'live', (select jsonb_build_object(
            'queued', count(*) filter (where status = 'queued'), 'running', count(*) filter (where status = 'running'), 'waiting', count(*) filter (where status = 'waiting'),
            'oldestAt', readable(min(queued_at))) from sync_runs where status in ('queued', 'running', 'waiting')),
        'deadLetters', jsonb_build_object(
            'runs', (select count(*) from sync_runs where status = 'dead'), 'messages', (select count(*) from dead_letters where requeued_at is null),
            'newestAt', readable(greatest((select max(finished_at) from sync_runs where status = 'dead'), (select max(received_at) from dead_letters where requeued_at is null)))),
        'circuits', coalesce((select jsonb_agg(o.c order by o.opened_at desc) from (
            select jsonb_build_object('provider', key, 'failures', failures, 'integrations', cardinality(integrations), 'openedAt', readable(opened_at), 'retryAt', readable(retry_at)) as c, opened_at
            from provider_circuits where opened_at is not null order by opened_at desc limit 50) o (c, opened_at)), '[]'),
        'oldestDueAt', (select readable(min(next_due_at)) from integrations where status = 'active' and next_due_at <= p_now),
        'timerAt', (select readable(beat_at) from timer_heartbeat),
        'mails', (select jsonb_build_object('waiting', count(*), 'oldestAt', readable(min(created_at))) from mail_outbox where finished_at is null),
        'lastBackup', (select jsonb_build_object(
            'id', id, 'takenAt', readable(taken_at), 'bytes', bytes, 'rows', rows, 'schemaVersion', schema_version, 'target', target, 'verifiedAt', readable(verified_at))
            from backups order by taken_at desc limit 1))
$$;

create or replace function ops_integrations(p_now timestamptz, p_state text, p_connector text, p_after uuid, p_limit integer)
returns table (tenant_id uuid, integration_id uuid, connector text, state text, schedule text, next_due_at timestamptz, fetched_at timestamptz,
               complete_through date, failures integer, last_run uuid, last_status text, last_queued_at timestamptz, traceparent text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select i.tenant_id, i.id, i.connector, s.state, i.schedule, readable(i.next_due_at), readable(i.fetched_at), readable(i.complete_through), i.consecutive_failures,
           r.id, r.status, readable(r.queued_at), left(r.traceparent, 200)
    from integrations i
    cross join lateral (select integration_state(i.status, i.consecutive_failures, i.next_due_at, p_now) as state) s
    left join lateral (
        select n.id, n.status, n.queued_at, n.traceparent from sync_runs n
        where n.tenant_id = i.tenant_id and n.integration_id = i.id order by n.queued_at desc limit 1) r on true
    where (p_after is null or i.id > p_after) and (p_connector is null or i.connector = p_connector) and (p_state is null or s.state = p_state)
    order by i.id
    limit p_limit
$$;

create or replace function ops_tenants(p_now timestamptz, p_limit integer)
returns table (tenant_id uuid, name text, is_demo boolean, created_at timestamptz, delete_after timestamptz, members bigint, integrations bigint, troubled bigint, fetched_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id, t.name, t.is_demo, readable(t.created_at), readable(t.delete_after),
           (select count(*) from memberships m where m.tenant_id = t.id and m.deactivated_at is null), i.integrations, i.troubled, readable(i.fetched_at)
    from tenants t
    cross join lateral (
        select count(*) as integrations, max(n.fetched_at) as fetched_at,
               count(*) filter (where integration_state(n.status, n.consecutive_failures, n.next_due_at, p_now) in ('failing', 'overdue', 'reconnect_needed')) as troubled
        from integrations n where n.tenant_id = t.id) i
    order by i.troubled desc, t.created_at, t.id
    limit p_limit
$$;

create or replace function ops_runs(p_status text, p_connector text, p_limit integer)
returns table (run_id uuid, tenant_id uuid, integration_id uuid, connector text, trigger text, status text, queued_at timestamptz, finished_at timestamptz, readings integer,
               attempts integer, message text, traceparent text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select r.id, r.tenant_id, r.integration_id, r.connector, r.trigger, r.status, readable(r.queued_at), readable(r.finished_at), r.readings, r.attempts, r.message,
           left(r.traceparent, 200)
    from sync_runs r
    where (p_status is null or r.status = p_status) and (p_connector is null or r.connector = p_connector)
    order by r.queued_at desc, r.id
    limit p_limit
$$;

create or replace function list_sources_of(p_user uuid, p_now timestamptz)
returns table (tenant_id uuid, name text, role text, is_demo boolean, delete_after timestamptz, id uuid, connector text, display_name text, state text,
               status_message text, schedule text, fetched_at timestamptz, complete_through date, final_through date, measurable_from date, read_from date,
               consecutive_failures integer, last_error text, next_due_at timestamptz, live boolean, currency text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id, t.name, m.role, t.is_demo, readable(t.delete_after), i.id, i.connector, i.display_name, i.status, i.status_message, i.schedule, readable(i.fetched_at),
           readable(i.complete_through), readable(i.final_through), readable(i.measurable_from), readable(i.read_from), i.consecutive_failures, i.last_error,
           readable(i.next_due_at),
           exists (select 1 from sync_runs r where r.tenant_id = i.tenant_id and r.integration_id = i.id and r.status in ('queued', 'running', 'waiting')), i.currency
    from memberships m
    join tenants t on t.id = m.tenant_id
    left join integrations i on i.tenant_id = t.id
    where m.user_id = p_user and m.deactivated_at is null
    order by t.name, t.id, i.connector
$$;

create or replace function list_tenants_of(p_user uuid)
returns table (tenant_id uuid, name text, role text, time_zone text, currency text, locale text, week_start smallint, is_demo boolean,
               require_second_factor boolean, delete_after timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id, t.name, m.role, safe_zone(t.time_zone), t.currency, t.locale, t.week_start, t.is_demo, t.require_second_factor, readable(t.delete_after)
    from memberships m join tenants t on t.id = m.tenant_id
    where m.user_id = p_user and m.deactivated_at is null
    order by m.created_at, t.name
    limit 1000
$$;

-- Counters that statements of several businesses raise must not overflow for one of them.
update tenants set data_version = 0 where data_version < 0 or data_version >= 4611686018427387904;
alter table tenants add constraint tenants_data_version check (data_version >= 0 and data_version < 4611686018427387904);

-- Zones that are stored already: the same zone under its own name where there is one (posix/Europe/Berlin, europe/berlin, blanks around it), else UTC, and operators are told.
-- Either way the business's audit log says what was changed.
create procedure mend_zones()
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    r record;
    v_zone text;
begin
    for r in
        with bad as (
            select z.name from (select time_zone as name from tenants union select time_zone from integrations where time_zone is not null) z where not knows_zone(z.name)
        )
        select t.id as tenant_id, null::uuid as integration_id, t.name as called, t.time_zone as zone from tenants t join bad b on b.name = t.time_zone
        union all
        select i.tenant_id, i.id, i.display_name, i.time_zone from integrations i join bad b on b.name = i.time_zone
    loop
        select n.name into v_zone from pg_timezone_names n
        where lower(n.name) = lower(regexp_replace(btrim(r.zone, E' \t\r\n'), '^(posix|right)/', '', 'i')) and knows_zone(n.name) limit 1;
        if v_zone is null then
            v_zone := 'UTC';
            perform note_tenant_fault(
                r.tenant_id, 'mended zone', coalesce(r.integration_id::text, ''),
                format('Its time zone "%s" is known to no database of zones; its days are those of UTC since the update. It can choose another in its settings.', left(r.zone, 64)), now());
        end if;
        if r.integration_id is null then update tenants set time_zone = v_zone where id = r.tenant_id;
        else update integrations set time_zone = v_zone where tenant_id = r.tenant_id and id = r.integration_id; end if;
        update tenants set data_version = data_version + 1 where id = r.tenant_id;
        insert into audit_log (tenant_id, at, actor_kind, actor_name, action, subject_kind, subject_id, subject_name, before, after)
        values (r.tenant_id, now(), 'system', 'KPI Dashboard support', case when r.integration_id is null then 'tenant.settings_changed' else 'integration.changed' end,
                case when r.integration_id is null then 'tenant' else 'integration' end, coalesce(r.integration_id, r.tenant_id)::text, left(r.called, 400),
                jsonb_build_object('timeZone', left(r.zone, 200)), jsonb_build_object('timeZone', v_zone));
    end loop;
end $$;
revoke all on procedure mend_zones() from public;
call mend_zones();

-- The last line of defence behind the application's own check. A restore puts it aside: a zone that this server lacks must not fail it, and inspect_tenants tells of it.
create function require_zone() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    if new.time_zone is not null and not knows_zone(new.time_zone) then
        raise exception 'This database does not know the time zone "%".', left(new.time_zone, 64) using errcode = 'check_violation', constraint = 'time_zone_known', column = 'time_zone';
    end if;
    return new;
end $$;
create trigger tenants_zone before insert or update of time_zone on tenants for each row execute function require_zone();
create trigger integrations_zone before insert or update of time_zone on integrations for each row execute function require_zone();

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.proname in (
            'note_tenant_fault', 'settle_tenant_faults', 'clear_tenant_faults', 'list_tenant_faults', 'count_faulty_tenants', 'inspect_tenants')
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
