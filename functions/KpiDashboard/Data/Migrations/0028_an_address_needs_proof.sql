-- Whatever is matched by an address asks whether the account proved it; and nothing changes an entry of an audit log but the wish of the person it names.

-- Members with whether the address was proved: an unproved one is what somebody typed.
drop function list_members();
create function list_members()
returns table (id uuid, email text, display_name text, role text, active boolean, disabled boolean, second_factor boolean, joined_at timestamptz,
               last_seen_at timestamptz, email_verified boolean)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select u.id, u.email, u.display_name, m.role, m.deactivated_at is null, u.disabled_at is not null, u.totp_enabled_at is not null, m.created_at,
           (select max(s.last_seen_at) from sessions s where s.user_id = u.id), u.email_verified_at is not null
    from memberships m join users u on u.id = m.user_id
    where m.tenant_id = current_tenant_id()
    order by m.created_at, u.id
$$;

-- Whether an address is a member's of the transaction's tenant: of one that proved it. Whoever only typed it keeps nobody from being invited.
create or replace function find_member_by_email(p_email_key text)
returns table (id uuid, active boolean)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select u.id, m.deactivated_at is null from memberships m join users u on u.id = m.user_id
    where m.tenant_id = current_tenant_id() and u.email_key = p_email_key and u.email_verified_at is not null
    order by m.deactivated_at is null desc
    limit 1
$$;

-- Accounts that registered with an address which nobody has proved, the newest first: what a mail to that address may be about.
create function find_unproved_accounts(p_email_key text, p_limit integer)
returns table (id uuid, email text, password_hash text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select u.id, u.email, u.password_hash from users u
    where u.email_key = p_email_key and u.email_verified_at is null and u.disabled_at is null
      and not exists (select 1 from users o where o.email_key = p_email_key and o.email_verified_at is not null)
    order by u.created_at desc, u.id desc
    limit p_limit
$$;

-- Proves the address of an account by a link to it that went to whichever account of that address the mail was written for: the link proves the mailbox,
-- which account is meant has been proved apart (session or password). As verify_email of 0005 else.
create function verify_email_of(p_hash bytea, p_user uuid, p_now timestamptz) returns text
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
    update account_tokens t set used_at = p_now
    from users o, users u
    where t.token_hash = p_hash and t.purpose = 'verify' and t.used_at is null and t.expires_at > p_now
      and o.id = t.user_id and u.id = p_user and u.email_key = o.email_key and u.disabled_at is null;
    if not found then return 'gone'; end if;
    update users u set email_verified_at = p_now where u.id = p_user and u.email_verified_at is null;
    perform bump_tenants_of(p_user);
    return 'ok';
exception when unique_violation then
    -- What the block did is undone, so the token stays unused; it can never be used for more than this answer.
    return 'taken';
end $$;

-- Something that concerns a person's account. In a business that is not its own, an account that proved no address is not called by one.
create or replace function audit_person(p_user uuid, p_action text, p_before jsonb, p_after jsonb, p_address text, p_agent text, p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    insert into audit_log (tenant_id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, subject_name, before, after, address, user_agent)
    select m.tenant_id, p_now, 'person', u.id, n.name, p_action, 'person', u.id::text, n.name, p_before, p_after, p_address, p_agent
    from users u
    join memberships m on m.user_id = u.id and m.deactivated_at is null
    cross join lateral (select case when u.email_verified_at is null and m.role <> 'owner' then 'unconfirmed account' else u.email end as name) n
    where u.id = p_user
$$;

-- An entry of an audit log stays as it was written, whoever asks: kpi_app has no right to change one, and for the functions of kpi_owner this says what may be:
-- a person that proved its address is erased at its own wish (what names it, nothing else), entries end of age, or the business goes with all it has.
create function keep_audit_log() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_allowed text := coalesce(current_setting('kpi.audit', true), '');
begin
    if tg_op = 'UPDATE' then
        if v_allowed = 'erase'
            and (new.tenant_id, new.id, new.at, new.actor_kind, new.actor_id, new.action, new.subject_kind, new.subject_id)
                is not distinct from (old.tenant_id, old.id, old.at, old.actor_kind, old.actor_id, old.action, old.subject_kind, old.subject_id) then
            return new;
        end if;
    elsif tg_op = 'DELETE' then
        if v_allowed in ('purge', 'delete ' || old.tenant_id) or not exists (select 1 from tenants t where t.id = old.tenant_id) then return old; end if;
    end if;
    raise exception 'An entry of an audit log is neither changed nor removed.' using errcode = 'insufficient_privilege';
end $$;
revoke all on function keep_audit_log() from public;
create trigger keep_audit_log before update or delete on audit_log for each row execute function keep_audit_log();
create trigger keep_audit_log_whole before truncate on audit_log for each statement execute function keep_audit_log();

create or replace function purge_audit_log(p_before timestamptz, p_limit integer) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_count integer;
begin
    if p_before is null or p_before > now() - interval '1 year' then
        raise exception 'Audit entries are kept for a year at least.' using errcode = 'check_violation';
    end if;
    perform set_config('kpi.audit', 'purge', true);
    with old as (
        select o.tenant_id, o.id from tenants t
        cross join lateral (select a.tenant_id, a.id from audit_log a where a.tenant_id = t.id and a.at < p_before order by a.at limit p_limit) o
        limit p_limit
    ),
    gone as (delete from audit_log a using old o where a.tenant_id = o.tenant_id and a.id = o.id returning 1)
    select count(*)::int into v_count from gone;
    perform set_config('kpi.audit', '', true);
    return v_count;
end $$;

-- Takes an account away. Only one that proved its address has anything done by that address (entries that name it, invitations to it): another's is not its to
-- touch. p_own_wish: the person asked for it; else its last business went, which is no act of the businesses that it was in before, and their logs stay.
create or replace function forget_user(p_user uuid, p_own_wish boolean) returns void
language plpgsql volatile
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_email text;
    v_name text;
    v_table regclass;
begin
    select u.email, u.display_name into v_email, v_name from users u where u.id = p_user and u.email_verified_at is not null and p_own_wish for update;
    if found then
        perform set_config('kpi.audit', 'erase', true);
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
        perform set_config('kpi.audit', '', true);

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
    end if;

    delete from users where id = p_user;
end $$;
revoke all on function forget_user(uuid, boolean) from public;

create or replace function erase_person(p_user uuid, p_mails uuid[], p_now timestamptz) returns setof text
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
    perform forget_user(p_user, true);
    perform drop_mail(p_mails, p_now);
    insert into audit_log (tenant_id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, subject_name)
    select t, p_now, 'person', p_user, 'erased person', 'account.erased', 'person', p_user::text, 'erased person' from unnest(v_tenants) t;
    update tenants set data_version = data_version + 1 where id = any (v_tenants);
end $$;

create or replace function delete_tenant(p_tenant uuid, p_now timestamptz) returns boolean
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

    perform set_config('kpi.audit', 'delete ' || p_tenant, true);
    -- Foreign keys would take most of it along; a table of tomorrow without one must not be forgotten.
    for v_table in
        select c.oid::regclass from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    loop
        execute format('delete from %s where tenant_id = $1', v_table) using p_tenant;
    end loop;
    perform set_config('kpi.audit', '', true);
    delete from mail_outbox where tenant = p_tenant;
    delete from dead_letters where strpos(lower(body), p_tenant::text) > 0;
    update refresh_tokens set tenant = null where tenant = p_tenant;
    delete from tenants where id = p_tenant;

    -- An account without a business can sign in nowhere: it is not kept. Locked, so that nobody makes it a member elsewhere meanwhile.
    foreach v_person in array coalesce(v_people, '{}') loop
        perform 1 from users u where u.id = v_person for update;
        if not exists (select 1 from memberships m where m.user_id = v_person) then perform forget_user(v_person, false); end if;
    end loop;
    return true;
end $$;
drop function forget_user(uuid);

-- As in 0008; what is kept by address is of the person only where it proved the address.
create or replace function export_person(p_user uuid, p_limit integer) returns table (part text, item text)
language plpgsql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_email text;
    v record;
begin
    select u.email into v_email from users u where u.id = p_user and u.email_verified_at is not null;
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
               or (v_email is not null and a.attname = 'email' and a.atttypid = 'text'::regtype
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

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.proname in ('list_members', 'find_unproved_accounts', 'verify_email_of')
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
