-- The only code that crosses tenants. SECURITY DEFINER with a pinned search_path, executable by kpi_app alone, each as narrow as its use.

-- Next instant at which an integration is due. Daily: the next tenant-local p_hour plus a jitter that spreads tenants over 30 minutes and is stable
-- per integration; Postgres resolves a local time that daylight saving skips or repeats.
create function next_due_at(p_schedule text, p_hour smallint, p_time_zone text, p_integration uuid, p_now timestamptz) returns timestamptz
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$
    with jitter as (select make_interval(secs => mod(abs(hashtext(p_integration::text)::bigint), case p_schedule when 'daily' then 1800 when 'hourly' then 300 else 60 end)::int) as j),
    today as (select ((p_now at time zone p_time_zone)::date + make_interval(hours => p_hour)) at time zone p_time_zone + j as due from jitter),
    tomorrow as (select ((p_now at time zone p_time_zone)::date + 1 + make_interval(hours => p_hour)) at time zone p_time_zone + j as due from jitter)
    select case p_schedule
        when 'daily' then (select case when today.due > p_now then today.due else tomorrow.due end from today, tomorrow)
        when 'hourly' then date_bin('1 hour', p_now, timestamptz '2000-01-01Z') + interval '1 hour' + (select j from jitter)
        else date_bin('15 minutes', p_now, timestamptz '2000-01-01Z') + interval '15 minutes' + (select j from jitter)
    end
$$;

-- Claims due integrations: writes a queued run for each and moves next_due_at, all in the caller's transaction. Locked rows are left to the instance
-- that holds them; an integration with a live run stays due and is claimed when that run is over.
create function claim_due_integrations(p_now timestamptz, p_limit integer, p_traceparent text)
returns table (run_id uuid, tenant_id uuid, integration_id uuid, connector text)
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with due as (
        select i.tenant_id, i.id, i.connector, i.schedule, i.sync_hour, t.time_zone
        from integrations i
        join tenants t on t.id = i.tenant_id
        where i.status = 'active' and i.next_due_at <= p_now
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

-- Runs whose message got lost: never enqueued (the process died between commit and enqueue), or nobody has touched them for longer than any step
-- may take. Touches them so that the next sweep leaves them alone. Enqueuing one too many is harmless: the lease and the step number see to it.
create function sweep_stale_runs(p_now timestamptz, p_never_enqueued_after interval, p_silent_after interval, p_limit integer)
returns table (run_id uuid, tenant_id uuid, integration_id uuid, connector text, step integer, traceparent text)
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
    returning r.id, r.tenant_id, r.integration_id, r.connector, r.step, r.traceparent
$$;

-- Marks runs as handed to the queue.
create function mark_enqueued(p_runs uuid[], p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ update sync_runs set enqueued_at = p_now where id = any (p_runs) $$;

-- Sign-in: who is behind an e-mail address, before any tenant is known.
create function find_user_by_email(p_email_key text)
returns table (id uuid, email text, display_name text, password_hash text, disabled boolean)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$ select u.id, u.email, u.display_name, u.password_hash, u.disabled_at is not null from users u where u.email_key = p_email_key $$;

create function find_user(p_id uuid)
returns table (id uuid, email text, display_name text, disabled boolean)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$ select u.id, u.email, u.display_name, u.disabled_at is not null from users u where u.id = p_id $$;

create function list_memberships(p_user uuid)
returns table (tenant_id uuid, name text, role text, time_zone text, currency text, locale text, week_start smallint, is_demo boolean)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id, t.name, m.role, t.time_zone, t.currency, t.locale, t.week_start, t.is_demo
    from memberships m join tenants t on t.id = m.tenant_id
    where m.user_id = p_user
    order by m.created_at, t.name
    limit 1000
$$;

create function update_password_hash(p_user uuid, p_hash text) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ update users set password_hash = p_hash where id = p_user $$;

-- Machines: which tenant a token belongs to. Touches last_used_at at most once a minute.
create function find_api_token(p_hash bytea, p_now timestamptz)
returns table (tenant_id uuid, id uuid, scopes text[], usable boolean)
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with found as (
        select t.tenant_id, t.id, t.scopes, t.revoked_at is null and (t.expires_at is null or t.expires_at > p_now) as usable
        from api_tokens t where t.token_hash = p_hash
    ),
    touched as (
        update api_tokens t set last_used_at = p_now
        from found f
        where t.tenant_id = f.tenant_id and t.id = f.id and f.usable and (t.last_used_at is null or t.last_used_at < p_now - interval '1 minute')
    )
    select * from found
$$;

-- Refresh tokens belong to a person, not to a tenant; kpi_app reaches them through these functions only.
create table refresh_tokens (
    token_hash bytea primary key,
    family_id  uuid not null,
    user_id    uuid not null references users (id) on delete cascade,
    tenant     uuid references tenants (id) on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz,
    revoked_at timestamptz
);
create index refresh_tokens_family on refresh_tokens (family_id);
create index refresh_tokens_user on refresh_tokens (user_id);

create function issue_refresh_token(p_hash bytea, p_family uuid, p_user uuid, p_tenant uuid, p_now timestamptz, p_expires timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    insert into refresh_tokens (token_hash, family_id, user_id, tenant, created_at, expires_at)
    values (p_hash, p_family, p_user, p_tenant, p_now, p_expires)
$$;

-- Uses a refresh token once. outcome: ok, unknown, expired, revoked, or reused, which ends the whole family: somebody holds a copy.
-- A second use within p_grace is answered "ok" too: two tabs of one browser may refresh at the same moment.
create function use_refresh_token(p_hash bytea, p_now timestamptz, p_grace interval)
returns table (outcome text, family_id uuid, user_id uuid, tenant uuid)
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    t refresh_tokens;
begin
    select * into t from refresh_tokens r where r.token_hash = p_hash for update;
    if not found then
        return query select 'unknown', null::uuid, null::uuid, null::uuid;
    elsif t.revoked_at is not null then
        return query select 'revoked', t.family_id, t.user_id, t.tenant;
    elsif t.expires_at <= p_now then
        return query select 'expired', t.family_id, t.user_id, t.tenant;
    elsif t.used_at is not null and t.used_at < p_now - p_grace then
        update refresh_tokens r set revoked_at = p_now where r.family_id = t.family_id and r.revoked_at is null;
        return query select 'reused', t.family_id, t.user_id, t.tenant;
    else
        update refresh_tokens r set used_at = coalesce(r.used_at, p_now) where r.token_hash = p_hash;
        return query select 'ok', t.family_id, t.user_id, t.tenant;
    end if;
end $$;

create function revoke_refresh_family(p_hash bytea, p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    update refresh_tokens set revoked_at = p_now
    where revoked_at is null and family_id = (select family_id from refresh_tokens where token_hash = p_hash)
$$;

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
