-- Circuit breaker per provider, sharded claiming, doubted days, dead letters for operators.

-- One row per provider that lately failed, shared by all instances. Not a tenant's: kpi_app reaches it through the functions below only.
create table provider_circuits (
    key             text primary key check (length(key) between 1 and 600),
    -- Failures in a row, and which integrations had them; a success sets both back.
    failures        integer not null default 0,
    integrations    uuid[] not null default '{}',
    last_failure_at timestamptz not null,
    -- Null while it is closed.
    opened_at       timestamptz,
    -- How often in a row it was found still down.
    opens           integer not null default 0,
    retry_at        timestamptz,
    -- Who is trying now, and until when that keeps others from trying.
    probe_run       uuid,
    probe_until     timestamptz
);

-- Whether a run may call the provider now; if not, when to ask again. Past retry_at one run alone is let through: the update decides which.
create function admit_to_provider(p_key text, p_run uuid, p_now timestamptz, p_probe interval)
returns table (admitted boolean, retry_at timestamptz)
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    c provider_circuits;
begin
    select * into c from provider_circuits p where p.key = p_key;
    if not found or c.opened_at is null then
        return query select true, null::timestamptz;
        return;
    end if;
    update provider_circuits p set probe_run = p_run, probe_until = p_now + p_probe
    where p.key = p_key and p.opened_at is not null and p.retry_at <= p_now and (p.probe_until is null or p.probe_until <= p_now);
    if found then
        return query select true, null::timestamptz;
        return;
    end if;
    select * into c from provider_circuits p where p.key = p_key;
    return query select not found or c.opened_at is null, greatest(c.retry_at, c.probe_until);
end $$;

-- The provider answered as it should. Writes only where there is something to set back: the usual case takes no lock.
create function provider_answered(p_key text) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ delete from provider_circuits where key = p_key $$;

-- The provider did not answer. Opens the circuit after p_failures in a row of p_distinct integrations, each within p_window of the one before; a probe that
-- fails doubles the wait, from p_wait up to p_longest. Answers when to ask again, or null while the circuit is closed.
create function provider_failed(
    p_key text, p_integration uuid, p_run uuid, p_now timestamptz, p_window interval, p_failures integer, p_distinct integer, p_wait interval, p_longest interval)
returns timestamptz
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    c provider_circuits;
begin
    insert into provider_circuits (key, last_failure_at) values (p_key, p_now) on conflict (key) do nothing;
    select * into c from provider_circuits p where p.key = p_key for update;
    if not found then
        -- A success removed it in this moment: the provider is up.
        return null;
    end if;
    if c.opened_at is not null then
        if c.probe_run = p_run then
            c.opens := c.opens + 1;
            c.retry_at := p_now + least(p_longest, p_wait * power(2, least(c.opens, 12) - 1));
            c.probe_run := null;
            c.probe_until := null;
        end if;
    else
        if c.last_failure_at < p_now - p_window then
            c.failures := 0;
            c.integrations := '{}';
        end if;
        c.failures := c.failures + 1;
        if not p_integration = any (c.integrations) and cardinality(c.integrations) < p_distinct then
            c.integrations := c.integrations || p_integration;
        end if;
        if c.failures >= p_failures and cardinality(c.integrations) >= p_distinct then
            c.opened_at := p_now;
            c.opens := 1;
            c.retry_at := p_now + p_wait;
        end if;
    end if;
    update provider_circuits p
    set failures = c.failures, integrations = c.integrations, last_failure_at = greatest(p.last_failure_at, p_now), opened_at = c.opened_at, opens = c.opens,
        retry_at = c.retry_at, probe_run = c.probe_run, probe_until = c.probe_until
    where p.key = p_key;
    return c.retry_at;
end $$;

-- A probe that told neither: the next run may try.
create function release_probe(p_key text, p_run uuid) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ update provider_circuits set probe_run = null, probe_until = null where key = p_key and probe_run = p_run $$;

create function purge_provider_circuits(p_before timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ delete from provider_circuits where last_failure_at < p_before and (retry_at is null or retry_at < p_before) $$;

-- Claiming one shard of the due integrations, so that several instances help; otherwise as in 0003, which stays for the release before this one.
create function claim_due_integrations(p_now timestamptz, p_limit integer, p_traceparent text, p_shard integer, p_shards integer)
returns table (run_id uuid, tenant_id uuid, integration_id uuid, connector text)
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with due as (
        select i.tenant_id, i.id, i.connector, i.schedule, i.sync_hour, t.time_zone
        from integrations i
        join tenants t on t.id = i.tenant_id
        where i.status = 'active' and i.next_due_at <= p_now and t.delete_after is null
          and mod(abs(hashtext(i.tenant_id::text)::bigint), p_shards) = p_shard
          and not exists (
              select 1 from sync_runs r
              where r.tenant_id = i.tenant_id and r.integration_id = i.id and r.status in ('queued', 'running', 'waiting'))
        order by i.next_due_at
        limit p_limit
        for update of i skip locked
    ),
    moved as (
        update integrations i
        set next_due_at = next_due_at(d.schedule, d.sync_hour, d.time_zone, d.id, p_now)
        from due d
        where i.tenant_id = d.tenant_id and i.id = d.id
        returning i.tenant_id, i.id, i.connector
    )
    insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, traceparent, queued_at, updated_at)
    select m.tenant_id, gen_random_uuid(), m.id, m.connector, 'schedule', 'queued', p_traceparent, p_now, p_now
    from moved m
    on conflict do nothing
    returning sync_runs.id, sync_runs.tenant_id, sync_runs.integration_id, sync_runs.connector
$$;

-- As in 0002, and tells when the run is awaited: a message that comes before that would do nothing.
create function sweep_lost_runs(p_now timestamptz, p_never_enqueued_after interval, p_silent_after interval, p_limit integer)
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
    returning r.id, r.tenant_id, r.integration_id, r.connector, r.step, r.traceparent, r.next_attempt_at
$$;

-- Days that had values and came back empty, asked again before that is believed.
alter table sync_runs add column doubted_days date[] not null default '{}';
-- Null: the source withdrew the value.
alter table kpi_restatements alter column new_value drop not null;

-- Dead letters, for operators.
alter table dead_letters add column requeued_at timestamptz;
create index dead_letters_recent on dead_letters (received_at desc, id desc) where requeued_at is null;
create index sync_runs_dead on sync_runs (finished_at desc, id desc) where status = 'dead';

-- Dead runs of all tenants and kept messages, newest first. Key of an entry: the run's id, or the number of the message.
create function list_dead_letters(p_before_at timestamptz, p_before_key text, p_limit integer)
returns table (kind text, key text, at timestamptz, queue text, reason text, body text, tenant_id uuid, integration_id uuid, connector text, trigger text, traceparent text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select * from (
        (select 'run', r.id::text, r.finished_at, 'sync-' || r.connector, r.message, null::text, r.tenant_id, r.integration_id, r.connector, r.trigger, r.traceparent
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

-- Brings a dead run back as the next step of itself. outcome: requeued; superseded: another run of the integration is live and reads what this one would;
-- inactive: the integration is paused or must be connected again, or the tenant is being deleted; not_dead; unknown.
create function requeue_dead_run(p_run uuid, p_now timestamptz)
returns table (outcome text, tenant_id uuid, integration_id uuid, connector text, step integer, traceparent text)
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    r sync_runs;
    v_status text;
begin
    select * into r from sync_runs s where s.id = p_run for update;
    if not found then
        return query select 'unknown', null::uuid, null::uuid, null::text, null::integer, null::text;
        return;
    end if;
    select case when t.delete_after is null then i.status else 'deleting' end into v_status from integrations i join tenants t on t.id = i.tenant_id where i.tenant_id = r.tenant_id and i.id = r.integration_id;
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
        update tenants t set data_version = t.data_version + 1 where t.id = r.tenant_id;
        return query select 'requeued', r.tenant_id, r.integration_id, r.connector, r.step + 1, r.traceparent;
    end if;
end $$;

create function read_dead_letter(p_id bigint)
returns table (queue text, body text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$ select d.queue, d.body from dead_letters d where d.id = p_id and d.requeued_at is null $$;

create function note_requeued(p_id bigint, p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ update dead_letters set requeued_at = p_now where id = p_id $$;

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.prosecdef
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
