-- What accounts, sessions, the audit log and the limits on abuse share. Slices add their own tables after this.

-- An address belongs to whoever proved it: accounts that have not proved theirs yet stand in nobody's way, so that registering tells nobody who is known
-- and nobody can take an address by being first.
alter table users
    add column email_verified_at   timestamptz,
    add column password_changed_at timestamptz,
    -- Sealed by the application, like provider credentials.
    add column totp_secret         bytea,
    add column totp_enabled_at     timestamptz,
    -- Time step of the last code that was taken: a code works once.
    add column totp_last_step      bigint;
-- Before this migration no account was made by registering.
update users set email_verified_at = created_at;
alter table users drop constraint users_email_key_key;
create unique index users_verified_email on users (email_key) where email_verified_at is not null;
create index users_email on users (email_key);

alter table memberships add column deactivated_at timestamptz;
grant insert, update, delete on memberships to kpi_app;

alter table tenants
    add column require_second_factor boolean not null default false,
    add column deletion_requested_at timestamptz,
    -- From then on the tenant may be deleted for good; null while nobody asked for it.
    add column delete_after          timestamptz;
grant insert on tenants to kpi_app;

-- Who did what, append-only: kpi_app has neither update nor delete.
create table audit_log (
    tenant_id    uuid not null references tenants (id) on delete cascade,
    -- No running number: its gaps would tell how much goes on in other tenants.
    id           uuid not null default gen_random_uuid(),
    at           timestamptz not null,
    actor_kind   text not null check (actor_kind in ('person', 'token', 'system')),
    actor_id     uuid,
    -- As the actor was called then; only erasing the person changes it.
    actor_name   text not null check (length(actor_name) <= 400),
    action       text not null check (action ~ '^[a-z_]+\.[a-z_]+$'),
    subject_kind text,
    subject_id   text check (length(subject_id) <= 200),
    subject_name text check (length(subject_name) <= 400),
    -- Only what changed; never a secret.
    before       jsonb,
    after        jsonb,
    address      text check (length(address) <= 64),
    user_agent   text check (length(user_agent) <= 400),
    primary key (tenant_id, id)
);
create index audit_log_recent on audit_log (tenant_id, at desc, id desc);
create index audit_log_actor on audit_log (actor_id);
call protect_tenant_table('audit_log');
grant select, insert on audit_log to kpi_app;

-- Something that concerns a person's account, and so every tenant that the person may enter.
create function audit_person(p_user uuid, p_action text, p_before jsonb, p_after jsonb, p_address text, p_agent text, p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    insert into audit_log (tenant_id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, subject_name, before, after, address, user_agent)
    select m.tenant_id, p_now, 'person', u.id, u.email, p_action, 'person', u.id::text, u.email, p_before, p_after, p_address, p_agent
    from users u join memberships m on m.user_id = u.id and m.deactivated_at is null
    where u.id = p_user
$$;

-- A sign-in: what lives on through all refreshes. Its id is the family of its refresh tokens.
create table sessions (
    id               uuid primary key,
    user_id          uuid not null references users (id) on delete cascade,
    -- password, reset, invitation, register, or oidc:<provider>.
    method           text not null check (length(method) <= 60),
    created_at       timestamptz not null,
    -- When the person last proved who it is; what is dangerous asks for it again after a while.
    authenticated_at timestamptz not null,
    last_seen_at     timestamptz not null,
    expires_at       timestamptz not null,
    address          text,
    user_agent       text,
    ended_at         timestamptz,
    ended_reason     text
);
create index sessions_user on sessions (user_id);
insert into sessions (id, user_id, method, created_at, authenticated_at, last_seen_at, expires_at, ended_at)
select family_id, (array_agg(user_id))[1], 'password', min(created_at), min(created_at), max(created_at), max(expires_at), max(revoked_at)
from refresh_tokens group by family_id;

-- A deleted tenant signs nobody out who has others.
alter table refresh_tokens drop constraint refresh_tokens_tenant_fkey,
    add constraint refresh_tokens_tenant_fkey foreign key (tenant) references tenants (id) on delete set null;

create function open_session(p_id uuid, p_user uuid, p_method text, p_now timestamptz, p_expires timestamptz, p_address text, p_agent text) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    insert into sessions (id, user_id, method, created_at, authenticated_at, last_seen_at, expires_at, address, user_agent)
    values (p_id, p_user, p_method, p_now, p_now, p_now, p_expires, p_address, p_agent)
$$;

-- Notes that a session was used, and from where; lengthens it.
create function touch_session(p_id uuid, p_now timestamptz, p_expires timestamptz, p_address text, p_agent text) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ update sessions set last_seen_at = p_now, expires_at = p_expires, address = p_address, user_agent = p_agent where id = p_id and ended_at is null $$;

-- The person proved again who it is.
create function confirm_session(p_id uuid, p_user uuid, p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ update sessions set authenticated_at = p_now where id = p_id and user_id = p_user and ended_at is null $$;

create function list_sessions(p_user uuid, p_now timestamptz)
returns table (id uuid, method text, created_at timestamptz, last_seen_at timestamptz, address text, user_agent text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select s.id, s.method, s.created_at, s.last_seen_at, s.address, s.user_agent from sessions s
    where s.user_id = p_user and s.ended_at is null and s.expires_at > p_now
    order by s.last_seen_at desc limit 200
$$;

-- Ends one session of a person, or with p_id null all of them but p_except. Returns how many.
create function end_sessions(p_user uuid, p_id uuid, p_except uuid, p_reason text, p_now timestamptz) returns integer
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with ended as (
        update sessions s set ended_at = p_now, ended_reason = p_reason
        where s.user_id = p_user and s.ended_at is null and (p_id is null or s.id = p_id) and s.id is distinct from p_except
        returning s.id
    ),
    revoked as (update refresh_tokens r set revoked_at = p_now from ended e where r.family_id = e.id and r.revoked_at is null)
    select count(*)::int from ended
$$;

-- Ends the session that a refresh token belongs to: signing out needs no access token.
create function end_session_of_token(p_hash bytea, p_reason text, p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with family as (select family_id from refresh_tokens where token_hash = p_hash),
    ended as (update sessions s set ended_at = p_now, ended_reason = p_reason from family f where s.id = f.family_id and s.ended_at is null)
    update refresh_tokens r set revoked_at = p_now from family f where r.family_id = f.family_id and r.revoked_at is null
$$;

-- As in 0002; a stolen token ends the session too, and so its access tokens at once.
create or replace function use_refresh_token(p_hash bytea, p_now timestamptz, p_grace interval)
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
        update sessions s set ended_at = p_now, ended_reason = 'reused' where s.id = t.family_id and s.ended_at is null;
        return query select 'reused', t.family_id, t.user_id, t.tenant;
    else
        update refresh_tokens r set used_at = coalesce(r.used_at, p_now) where r.token_hash = p_hash;
        return query select 'ok', t.family_id, t.user_id, t.tenant;
    end if;
end $$;

-- What a person may be at this moment in a tenant: no row when the session ended, the person is deactivated or is no member (any more).
create function check_session(p_session uuid, p_user uuid, p_tenant uuid, p_now timestamptz)
returns table (email text, role text, authenticated_at timestamptz, email_verified boolean, second_factor boolean, second_factor_required boolean, delete_after timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select u.email, m.role, s.authenticated_at, u.email_verified_at is not null, u.totp_enabled_at is not null, t.require_second_factor, t.delete_after
    from sessions s
    join users u on u.id = s.user_id and u.disabled_at is null
    join memberships m on m.user_id = u.id and m.tenant_id = p_tenant and m.deactivated_at is null
    join tenants t on t.id = m.tenant_id
    where s.id = p_session and s.user_id = p_user and s.ended_at is null and s.expires_at > p_now
$$;

-- Only an address that was proved signs in.
create or replace function find_user_by_email(p_email_key text)
returns table (id uuid, email text, display_name text, password_hash text, disabled boolean)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select u.id, u.email, u.display_name, u.password_hash, u.disabled_at is not null from users u
    where u.email_key = p_email_key and u.email_verified_at is not null
$$;

create or replace function list_memberships(p_user uuid)
returns table (tenant_id uuid, name text, role text, time_zone text, currency text, locale text, week_start smallint, is_demo boolean)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id, t.name, m.role, t.time_zone, t.currency, t.locale, t.week_start, t.is_demo
    from memberships m join tenants t on t.id = m.tenant_id
    where m.user_id = p_user and m.deactivated_at is null
    order by m.created_at, t.name
    limit 1000
$$;

create function create_user(p_id uuid, p_email text, p_email_key text, p_display_name text, p_password_hash text, p_verified boolean, p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    insert into users (id, email, email_key, display_name, password_hash, email_verified_at, created_at)
    values (p_id, p_email, p_email_key, p_display_name, p_password_hash, case when p_verified then p_now end, p_now)
$$;

-- The person and the tenants that it may enter, as a session tells them.
create function describe_user(p_id uuid)
returns table (id uuid, email text, display_name text, disabled boolean, email_verified boolean, has_password boolean, second_factor boolean)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select u.id, u.email, u.display_name, u.disabled_at is not null, u.email_verified_at is not null, u.password_hash is not null, u.totp_enabled_at is not null
    from users u where u.id = p_id
$$;

create function list_tenants_of(p_user uuid)
returns table (tenant_id uuid, name text, role text, time_zone text, currency text, locale text, week_start smallint, is_demo boolean,
               require_second_factor boolean, delete_after timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id, t.name, m.role, t.time_zone, t.currency, t.locale, t.week_start, t.is_demo, t.require_second_factor, t.delete_after
    from memberships m join tenants t on t.id = m.tenant_id
    where m.user_id = p_user and m.deactivated_at is null
    order by m.created_at, t.name
    limit 1000
$$;

-- As find_api_token of 0002, with the token's name and the tenant's state.
create function admit_api_token(p_hash bytea, p_now timestamptz)
returns table (tenant_id uuid, id uuid, name text, scopes text[], usable boolean, delete_after timestamptz)
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with found as (
        select t.tenant_id, t.id, t.name, t.scopes, t.revoked_at is null and (t.expires_at is null or t.expires_at > p_now) as usable, n.delete_after
        from api_tokens t join tenants n on n.id = t.tenant_id where t.token_hash = p_hash
    ),
    touched as (
        update api_tokens t set last_used_at = p_now
        from found f
        where t.tenant_id = f.tenant_id and t.id = f.id and f.usable and (t.last_used_at is null or t.last_used_at < p_now - interval '1 minute')
    )
    select * from found
$$;

-- A tenant that is to be deleted is not synced any more.
create or replace function claim_due_integrations(p_now timestamptz, p_limit integer, p_traceparent text)
returns table (run_id uuid, tenant_id uuid, integration_id uuid, connector text)
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with due as (
        select i.tenant_id, i.id, i.connector, i.schedule, i.sync_hour, t.time_zone
        from integrations i
        join tenants t on t.id = i.tenant_id
        where i.status = 'active' and i.next_due_at <= p_now and t.delete_after is null
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

-- Limits that hold across instances: the generic cell rate algorithm (ITU-T I.371), one row per key with the instant at which its allowance is whole
-- again. Keys are hashes; no address is kept.
create table rate_limits (
    key      bytea primary key,
    whole_at timestamptz not null
);
create index rate_limits_whole on rate_limits (whole_at);

-- Takes one of p_permits per p_period. Returns 0 when it was taken, else the seconds to wait until one is there.
create function take_permit(p_key bytea, p_permits integer, p_period interval, p_now timestamptz) returns double precision
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_step interval := p_period / p_permits;
    v_whole timestamptz;
begin
    insert into rate_limits as r (key, whole_at) values (p_key, p_now + v_step)
    on conflict (key) do update set whole_at = greatest(r.whole_at, p_now) + v_step
    -- The division above rounds to microseconds.
    where greatest(r.whole_at, p_now) + v_step <= p_now + p_period + interval '1 millisecond';
    if found then return 0; end if;
    select r.whole_at into v_whole from rate_limits r where r.key = p_key;
    return greatest(extract(epoch from v_whole + v_step - p_now - p_period)::double precision, 0.001);
end $$;

-- Gives a permit back: what was limited turned out well.
create function return_permit(p_key bytea, p_permits integer, p_period interval) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ update rate_limits set whole_at = whole_at - p_period / p_permits where key = p_key $$;

create function purge_rate_limits(p_now timestamptz) returns integer
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ with gone as (delete from rate_limits where whole_at < p_now returning 1) select count(*)::int from gone $$;

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
