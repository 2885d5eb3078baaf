-- Retention, what operators see across tenants, and what is known of backups.

-- First tenant-local day whose executions are still kept one by one; null while none were removed. Days before it are never added up again: their totals
-- in automation_daily are all there is.
alter table integrations add column executions_kept_from date;
-- KPI values of earlier days were removed; null while none were.
alter table tenants add column values_kept_from date;

-- Integrations that hold executions of days before their last p_days, with the day to keep from and the instant it begins.
create function list_old_executions(p_now timestamptz, p_days integer, p_limit integer)
returns table (tenant_id uuid, integration_id uuid, keep_from date, starts timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select i.tenant_id, i.id, k.day, k.starts
    from integrations i
    join tenants t on t.id = i.tenant_id
    cross join lateral (select coalesce(i.time_zone, t.time_zone) as zone) z
    cross join lateral (select (p_now at time zone z.zone)::date - p_days as day) d
    cross join lateral (select d.day, d.day::timestamp at time zone z.zone as starts) k
    where exists (select 1 from executions e where e.tenant_id = i.tenant_id and e.integration_id = i.id and e.started_at < k.starts)
    order by i.tenant_id, i.id
    limit p_limit
$$;

-- Tenants whose KPI values were last looked through for an earlier first day than the present one.
create function list_old_values(p_now timestamptz, p_months integer, p_limit integer)
returns table (tenant_id uuid, keep_from date)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id, k.day
    from tenants t
    cross join lateral (select ((p_now at time zone t.time_zone)::date - make_interval(months => p_months))::date as day) k
    where t.values_kept_from is null or t.values_kept_from < k.day
    order by t.values_kept_from nulls first, t.id
    limit p_limit
$$;

-- Removes audit entries before an instant, p_limit at most; the only way to remove one while its tenant exists. The age is checked here, by the server's
-- clock: no setting and no fault of the application can remove what is younger than a year.
create function purge_audit_log(p_before timestamptz, p_limit integer) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_count integer;
begin
    if p_before is null or p_before > now() - interval '1 year' then
        raise exception 'Audit entries are kept for a year at least.' using errcode = 'check_violation';
    end if;
    with old as (
        select o.tenant_id, o.id from tenants t
        cross join lateral (select a.tenant_id, a.id from audit_log a where a.tenant_id = t.id and a.at < p_before order by a.at limit p_limit) o
        limit p_limit
    ),
    gone as (delete from audit_log a using old o where a.tenant_id = o.tenant_id and a.id = o.id returning 1)
    select count(*)::int into v_count from gone;
    return v_count;
end $$;

-- Backups that were made, as the command that makes them notes it; not a tenant's.
create table backups (
    id             uuid primary key,
    taken_at       timestamptz not null,
    finished_at    timestamptz not null,
    bytes          bigint not null check (bytes > 0),
    rows           bigint not null check (rows >= 0),
    schema_version text not null,
    -- Where it lies: a file name or container/name, never an address with a signature.
    target         text not null check (length(target) <= 500),
    verified_at    timestamptz
);
create index backups_taken on backups (taken_at desc);

-- As in 0009, and the tenant's audit log says that support did it: in the same transaction.
create or replace function requeue_dead_run(p_run uuid, p_now timestamptz)
returns table (outcome text, tenant_id uuid, integration_id uuid, connector text, step integer, traceparent text)
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    r sync_runs;
    v_status text;
    v_name text;
begin
    select * into r from sync_runs s where s.id = p_run for update;
    if not found then
        return query select 'unknown', null::uuid, null::uuid, null::text, null::integer, null::text;
        return;
    end if;
    select case when t.delete_after is null then i.status else 'deleting' end, i.display_name into v_status, v_name
    from integrations i join tenants t on t.id = i.tenant_id where i.tenant_id = r.tenant_id and i.id = r.integration_id;
    if r.status <> 'dead' then
        return query select 'not_dead', r.tenant_id, r.integration_id, r.connector, r.step, r.traceparent;
    elsif v_status <> 'active' then
        return query select 'inactive', r.tenant_id, r.integration_id, r.connector, r.step, r.traceparent;
    else
        begin
            update sync_runs s
            set status = 'queued', step = s.step + 1, attempts = 0, waits = 0, message = null, finished_at = null, next_attempt_at = null, enqueued_at = null,
                updated_at = p_now
            where s.tenant_id = r.tenant_id and s.id = r.id;
        exception when unique_violation then
            return query select 'superseded', r.tenant_id, r.integration_id, r.connector, r.step, r.traceparent;
            return;
        end;
        insert into audit_log (tenant_id, at, actor_kind, actor_name, action, subject_kind, subject_id, subject_name, after)
        values (r.tenant_id, p_now, 'system', 'KPI Dashboard support', 'run.requeued', 'integration', r.integration_id::text, left(v_name, 400), jsonb_build_object('run', r.id));
        update tenants t set data_version = t.data_version + 1 where t.id = r.tenant_id;
        return query select 'requeued', r.tenant_id, r.integration_id, r.connector, r.step + 1, r.traceparent;
    end if;
end $$;

-- What is shown of an integration: its own word, or that it lately failed, or is due and nobody came.
create function integration_state(p_status text, p_failures integer, p_next_due timestamptz, p_now timestamptz) returns text
language sql immutable
set search_path = pg_catalog, public, pg_temp
as $$
    select case when p_status <> 'active' then p_status
                when p_failures > 0 then 'failing'
                when p_next_due < p_now - interval '15 minutes' then 'overdue'
                else 'active' end
$$;

create index sync_runs_queued on sync_runs (queued_at desc);

-- Everything at one glance, as JSON. Counts only: no name, no address, no value.
create function ops_overview(p_now timestamptz) returns jsonb
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
        'integrations', coalesce((select jsonb_agg(jsonb_build_object('connector', connector, 'state', state, 'count', count) order by connector, state) from states), '[]'),
        'runs', coalesce((select jsonb_agg(jsonb_build_object('connector', connector, 'status', status, 'count', count) order by connector, status) from runs), '[]'),
        'live', (select jsonb_build_object(
            'queued', count(*) filter (where status = 'queued'), 'running', count(*) filter (where status = 'running'), 'waiting', count(*) filter (where status = 'waiting'),
            'oldestAt', min(queued_at)) from sync_runs where status in ('queued', 'running', 'waiting')),
        'deadLetters', jsonb_build_object(
            'runs', (select count(*) from sync_runs where status = 'dead'), 'messages', (select count(*) from dead_letters where requeued_at is null),
            'newestAt', greatest((select max(finished_at) from sync_runs where status = 'dead'), (select max(received_at) from dead_letters where requeued_at is null))),
        'circuits', coalesce((select jsonb_agg(o.c order by o.opened_at desc) from (
            select jsonb_build_object('provider', key, 'failures', failures, 'integrations', cardinality(integrations), 'openedAt', opened_at, 'retryAt', retry_at) as c, opened_at
            from provider_circuits where opened_at is not null order by opened_at desc limit 50) o (c, opened_at)), '[]'),
        'oldestDueAt', (select min(next_due_at) from integrations where status = 'active' and next_due_at <= p_now),
        'timerAt', (select beat_at from timer_heartbeat),
        'mails', (select jsonb_build_object('waiting', count(*), 'oldestAt', min(created_at)) from mail_outbox where finished_at is null),
        'lastBackup', (select jsonb_build_object(
            'id', id, 'takenAt', taken_at, 'bytes', bytes, 'rows', rows, 'schemaVersion', schema_version, 'target', target, 'verifiedAt', verified_at)
            from backups order by taken_at desc limit 1))
$$;

create function ops_integrations(p_now timestamptz, p_state text, p_connector text, p_after uuid, p_limit integer)
returns table (tenant_id uuid, integration_id uuid, connector text, state text, schedule text, next_due_at timestamptz, fetched_at timestamptz,
               complete_through date, failures integer, last_run uuid, last_status text, last_queued_at timestamptz, traceparent text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select i.tenant_id, i.id, i.connector, s.state, i.schedule, i.next_due_at, i.fetched_at, i.complete_through, i.consecutive_failures,
           r.id, r.status, r.queued_at, r.traceparent
    from integrations i
    cross join lateral (select integration_state(i.status, i.consecutive_failures, i.next_due_at, p_now) as state) s
    left join lateral (
        select n.id, n.status, n.queued_at, n.traceparent from sync_runs n
        where n.tenant_id = i.tenant_id and n.integration_id = i.id order by n.queued_at desc limit 1) r on true
    where (p_after is null or i.id > p_after) and (p_connector is null or i.connector = p_connector) and (p_state is null or s.state = p_state)
    order by i.id
    limit p_limit
$$;

-- For the command line: businesses, the ones with trouble first.
create function ops_tenants(p_now timestamptz, p_limit integer)
returns table (tenant_id uuid, name text, is_demo boolean, created_at timestamptz, delete_after timestamptz, members bigint, integrations bigint, troubled bigint, fetched_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id, t.name, t.is_demo, t.created_at, t.delete_after,
           (select count(*) from memberships m where m.tenant_id = t.id and m.deactivated_at is null), i.integrations, i.troubled, i.fetched_at
    from tenants t
    cross join lateral (
        select count(*) as integrations, max(n.fetched_at) as fetched_at,
               count(*) filter (where integration_state(n.status, n.consecutive_failures, n.next_due_at, p_now) in ('failing', 'overdue', 'reconnect_needed')) as troubled
        from integrations n where n.tenant_id = t.id) i
    order by i.troubled desc, t.created_at, t.id
    limit p_limit
$$;

-- For the command line: runs, newest first.
create function ops_runs(p_status text, p_connector text, p_limit integer)
returns table (run_id uuid, tenant_id uuid, integration_id uuid, connector text, trigger text, status text, queued_at timestamptz, finished_at timestamptz, readings integer,
               attempts integer, message text, traceparent text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select r.id, r.tenant_id, r.integration_id, r.connector, r.trigger, r.status, r.queued_at, r.finished_at, r.readings, r.attempts, r.message, r.traceparent
    from sync_runs r
    where (p_status is null or r.status = p_status) and (p_connector is null or r.connector = p_connector)
    order by r.queued_at desc, r.id
    limit p_limit
$$;

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.proname in (
            'list_old_executions', 'list_old_values', 'purge_audit_log', 'requeue_dead_run', 'ops_overview', 'ops_integrations', 'ops_tenants', 'ops_runs')
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
