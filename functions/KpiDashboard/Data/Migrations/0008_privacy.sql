-- Data protection: exports of a whole tenant, deleting one for good, one person's data out and gone.

-- An export of everything that a tenant has. In Postgres and not in a blob: row-level security guards it, and deleting the tenant deletes it.
create table tenant_exports (
    tenant_id    uuid not null references tenants (id) on delete cascade,
    id           uuid not null,
    status       text not null default 'queued' check (status in ('queued', 'running', 'succeeded', 'failed')),
    requested_by uuid references users (id) on delete set null,
    -- Tables written, of how many.
    done         integer not null default 0,
    total        integer not null default 0,
    bytes        bigint,
    message      text check (length(message) <= 500),
    attempts     integer not null default 0,
    lease_token  uuid,
    lease_until  timestamptz,
    traceparent  text,
    created_at   timestamptz not null,
    enqueued_at  timestamptz,
    started_at   timestamptz,
    updated_at   timestamptz not null,
    finished_at  timestamptz,
    expires_at   timestamptz,
    primary key (tenant_id, id),
    check ((finished_at is null) = (status in ('queued', 'running'))),
    check ((finished_at is null) = (expires_at is null)),
    check ((lease_token is null) = (lease_until is null))
);
-- One live export per tenant.
create unique index tenant_exports_live on tenant_exports (tenant_id) where status in ('queued', 'running');
create index tenant_exports_stale on tenant_exports (updated_at) where status in ('queued', 'running');
create index tenant_exports_expired on tenant_exports (expires_at) where expires_at is not null;
create index tenant_exports_requester on tenant_exports (requested_by);
call protect_tenant_table('tenant_exports');
grant select, insert, update, delete on tenant_exports to kpi_app;

-- The zip of an export, cut into pieces.
create table tenant_export_parts (
    tenant_id uuid not null,
    export_id uuid not null,
    part      integer not null check (part >= 0),
    content   bytea not null check (octet_length(content) <= 1048576),
    primary key (tenant_id, export_id, part),
    foreign key (tenant_id, export_id) references tenant_exports (tenant_id, id) on delete cascade
);
-- It is compressed already.
alter table tenant_export_parts alter column content set storage external;
call protect_tenant_table('tenant_export_parts');
grant select, insert, delete on tenant_export_parts to kpi_app;

-- Live exports whose message got lost: never enqueued, or touched by nobody for a while. Touches them, so that the next sweep leaves them alone.
create function sweep_tenant_exports(p_now timestamptz, p_never_enqueued_after interval, p_silent_after interval, p_limit integer)
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
    returning e.tenant_id, e.id, e.traceparent
$$;

create function purge_tenant_exports(p_now timestamptz) returns integer
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ with gone as (delete from tenant_exports where expires_at <= p_now returning 1) select count(*)::int from gone $$;

-- The people of the transaction's tenant, without what lets them in: kpi_app has no right on users.
create function tenant_people()
returns table (id uuid, email text, display_name text, email_verified_at timestamptz, second_factor_since timestamptz, created_at timestamptz,
               role text, joined_at timestamptz, deactivated_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select u.id, u.email, u.display_name, u.email_verified_at, u.totp_enabled_at, u.created_at, m.role, m.created_at, m.deactivated_at
    from memberships m join users u on u.id = m.user_id
    where m.tenant_id = current_tenant_id()
    order by u.id
$$;

-- Old rows of what belongs to no tenant, or to all of them; the timer's.
create function purge_sessions(p_before timestamptz) returns integer
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with tokens as (delete from refresh_tokens where least(expires_at, revoked_at) < p_before returning 1),
    gone as (delete from sessions where least(expires_at, ended_at) < p_before returning 1)
    select (select count(*) from tokens)::int + (select count(*) from gone)::int
$$;

create function purge_idempotency_keys(p_before timestamptz) returns integer
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ with gone as (delete from idempotency_keys where created_at < p_before returning 1) select count(*)::int from gone $$;

create function purge_dead_letters(p_before timestamptz) returns integer
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ with gone as (delete from dead_letters where received_at < p_before returning 1) select count(*)::int from gone $$;

-- Audit entries about a person are found by what they name.
create index audit_log_subject on audit_log (subject_id) where subject_kind = 'person';
create index audit_log_subject_name on audit_log (lower(subject_name)) where subject_name is not null;

-- Takes a person's name and address out of a value that was noted before or after a change.
create function without_person(p_value jsonb, p_email text, p_name text) returns jsonb
language sql immutable
set search_path = pg_catalog, public, pg_temp
as $$
    select replace(
        regexp_replace(
            p_value::text,
            -- The address as a whole: "ann@x.co" is in "joann@x.co" and in "ann@x.com".
            '(?<![[:alnum:]._%+-])' || regexp_replace(p_email, '([^[:alnum:]@])', '\\\1', 'g') || '(?![[:alnum:]-]|[.][[:alnum:]])',
            'erased person', 'gi'),
        to_jsonb(p_name)::text, '"erased person"')::jsonb
$$;
revoke all on function without_person(jsonb, text, text) from public;

-- Erases an account: what it did stays in the audit log, without saying who it was. Called by the two functions below only, so not for kpi_app.
create function forget_user(p_user uuid) returns void
language plpgsql volatile
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_email text;
    v_name text;
    v_table regclass;
begin
    select u.email, u.display_name into v_email, v_name from users u where u.id = p_user for update;
    if not found then return; end if;

    -- Values are searched in the businesses that ever dealt with the person, not in everybody's.
    with touched as (
        select m.tenant_id from memberships m where m.user_id = p_user
        union select a.tenant_id from audit_log a where a.actor_id = p_user
        union select a.tenant_id from audit_log a where a.subject_kind = 'person' and a.subject_id = p_user::text
        union select a.tenant_id from audit_log a where lower(a.subject_name) = lower(v_email)
    )
    update audit_log a
    set actor_name = case when a.actor_id = p_user or lower(a.actor_name) = lower(v_email) then 'erased person' else a.actor_name end,
        subject_name = case when (a.subject_kind = 'person' and a.subject_id = p_user::text) or lower(a.subject_name) = lower(v_email) then 'erased person' else a.subject_name end,
        address = case when a.actor_id = p_user then null else a.address end,
        user_agent = case when a.actor_id = p_user then null else a.user_agent end,
        before = without_person(a.before, v_email, v_name),
        after = without_person(a.after, v_email, v_name)
    from touched t
    where a.tenant_id = t.tenant_id
      and (a.actor_id = p_user or (a.subject_kind = 'person' and a.subject_id = p_user::text) or lower(a.actor_name) = lower(v_email) or lower(a.subject_name) = lower(v_email)
           or strpos(lower(a.before::text), lower(v_email)) > 0 or strpos(lower(a.after::text), lower(v_email)) > 0);

    -- Whatever else is kept by address: invitations. Read from the catalogue, so that a table of tomorrow is not forgotten.
    for v_table in
        select c.oid::regclass from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'email' and not a.attisdropped
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.oid <> 'users'::regclass and a.atttypid = 'text'::regtype
          -- What points to the account goes with it.
          and not exists (
              select 1 from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and k.confrelid = 'users'::regclass and k.confdeltype = 'c')
    loop
        execute format('delete from %s where lower(email) = lower($1)', v_table) using v_email;
    end loop;

    delete from users where id = p_user;
end $$;
revoke all on function forget_user(uuid) from public;

-- Erases a person at its own wish, with the mails that wait for it. Returns the businesses that stand in the way, because nobody else could own them; none: it is done.
create function erase_person(p_user uuid, p_mails uuid[], p_now timestamptz) returns setof text
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_tenants uuid[];
begin
    -- Two last owners who leave at the same moment must not leave a business to nobody.
    perform 1 from memberships m
    where m.role = 'owner' and m.tenant_id in (select o.tenant_id from memberships o where o.user_id = p_user)
    order by m.tenant_id, m.user_id
    for update;
    return query
        select t.name from memberships m join tenants t on t.id = m.tenant_id
        where m.user_id = p_user and m.role = 'owner' and m.deactivated_at is null
          and not exists (
              select 1 from memberships o join users u on u.id = o.user_id and u.disabled_at is null
              where o.tenant_id = m.tenant_id and o.user_id <> p_user and o.role = 'owner' and o.deactivated_at is null)
        order by t.name;
    if found then return; end if;

    select array_agg(m.tenant_id) into v_tenants from memberships m where m.user_id = p_user;
    perform forget_user(p_user);
    perform drop_mail(p_mails, p_now);
    insert into audit_log (tenant_id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, subject_name)
    select t, p_now, 'person', p_user, 'erased person', 'account.erased', 'person', p_user::text, 'erased person' from unnest(v_tenants) t;
    update tenants set data_version = data_version + 1 where id = any (v_tenants);
end $$;

-- Everything that is kept about a person, table by table; never a secret. Tables are read from the catalogue: each that points to users, or keeps an address.
create function export_person(p_user uuid, p_limit integer) returns table (part text, item text)
language plpgsql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_email text;
    v record;
begin
    select u.email into v_email from users u where u.id = p_user;
    return query
        select 'account'::text, (to_jsonb(u) - withheld_columns('users'))::text from users u where u.id = p_user;
    return query
        select 'businesses'::text, jsonb_build_object('id', t.id, 'name', t.name, 'role', m.role, 'joined_at', m.created_at, 'deactivated_at', m.deactivated_at)::text
        from memberships m join tenants t on t.id = m.tenant_id where m.user_id = p_user order by m.created_at;
    for v in
        select c.oid::regclass as source, c.relname::text as name, a.attname::text as field, a.atttypid = 'text'::regtype as by_email
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname not in ('users', 'memberships', 'audit_log')
          and (exists (select 1 from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and k.confrelid = 'users'::regclass and k.conkey = array[a.attnum])
               or (a.attname = 'email' and a.atttypid = 'text'::regtype
                   and not exists (select 1 from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and k.confrelid = 'users'::regclass and k.confdeltype = 'c')))
        order by c.relname, a.attnum
    loop
        return query execute format(
            'select %L::text, (to_jsonb(x) - withheld_columns(%L))::text from %s x where %s limit $3',
            v.name, v.name, v.source, case when v.by_email then format('lower(x.%I) = lower($2)', v.field) else format('x.%I = $1', v.field) end)
            using p_user, v_email, p_limit;
    end loop;
    -- From where somebody else acted is that person's, not this one's.
    return query
        select 'audit_log'::text, (case when a.actor_id = p_user then to_jsonb(a) else to_jsonb(a) - array['actor_id', 'actor_name', 'address', 'user_agent'] end)::text
        from audit_log a
        where a.actor_id = p_user or (a.subject_kind = 'person' and a.subject_id = p_user::text)
        order by a.at desc
        limit p_limit;
end $$;

-- Columns that never leave: what is binary here is sealed or a hash, and these words name what lets somebody in.
create function withheld_columns(p_table text) returns text[]
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$
    select coalesce(array_agg(a.attname::text), '{}') from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'public'::regnamespace and c.relname = p_table and a.attnum > 0 and not a.attisdropped
      and (a.atttypid = 'bytea'::regtype or a.attname ~ '(^|_)(hash|secret|token|password|credentials|payload)$')
$$;
revoke all on function withheld_columns(text) from public;
grant execute on function withheld_columns(text) to kpi_app;

-- Open mails, so that the application, which alone can open them, finds those to a person that is erased.
create function list_open_mail(p_after uuid, p_limit integer) returns table (id uuid, composed boolean, payload bytea)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$ select m.id, m.composed, m.payload from mail_outbox m where m.finished_at is null and m.id > p_after order by m.id limit p_limit $$;

create function drop_mail(p_ids uuid[], p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    update mail_outbox set status = 'dropped', payload = null, lease_token = null, lease_until = null, finished_at = p_now
    where id = any (p_ids) and finished_at is null
$$;

create function list_due_deletions(p_now timestamptz, p_limit integer) returns setof uuid
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$ select t.id from tenants t where t.delete_after <= p_now order by t.delete_after limit p_limit $$;

-- Deletes a tenant whose time has come, and all there is of it. False: it is gone already, or somebody changed his mind.
create function delete_tenant(p_tenant uuid, p_now timestamptz) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_people uuid[];
    v_person uuid;
    v_table regclass;
begin
    -- In the order in which a sync takes them. With the tenant's own row locked no row that refers to it can come.
    perform 1 from sync_runs r where r.tenant_id = p_tenant order by r.id for update;
    perform 1 from integrations i where i.tenant_id = p_tenant order by i.id for update;
    perform 1 from tenants t where t.id = p_tenant and t.delete_after <= p_now for update;
    if not found then return false; end if;
    select array_agg(m.user_id order by m.user_id) into v_people from memberships m where m.tenant_id = p_tenant;

    -- Foreign keys would take most of it along; a table of tomorrow without one must not be forgotten.
    for v_table in
        select c.oid::regclass from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    loop
        execute format('delete from %s where tenant_id = $1', v_table) using p_tenant;
    end loop;
    delete from mail_outbox where tenant = p_tenant;
    delete from dead_letters where strpos(lower(body), p_tenant::text) > 0;
    update refresh_tokens set tenant = null where tenant = p_tenant;
    delete from tenants where id = p_tenant;

    -- An account without a business can sign in nowhere: it is not kept. Locked, so that nobody makes it a member elsewhere meanwhile.
    foreach v_person in array coalesce(v_people, '{}') loop
        perform 1 from users u where u.id = v_person for update;
        if not exists (select 1 from memberships m where m.user_id = v_person) then perform forget_user(v_person); end if;
    end loop;
    return true;
end $$;

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
