-- Links in mails, sign-ins that wait for a code, and recovery codes. They belong to a person, not to a tenant: kpi_app has no right on the tables and
-- goes through the functions below.

create table account_tokens (
    -- SHA-256; the token itself is in the mail or in the cookie only.
    token_hash bytea primary key,
    purpose    text not null check (purpose in ('verify', 'reset', 'challenge')),
    user_id    uuid not null references users (id) on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz
);
create index account_tokens_user on account_tokens (user_id);

create table recovery_codes (
    user_id    uuid not null references users (id) on delete cascade,
    -- Argon2id in the PHC format. The codes of one person share a salt, so that one derivation finds a code among them.
    code_hash  text not null,
    created_at timestamptz not null,
    used_at    timestamptz,
    primary key (user_id, code_hash)
);

-- Lists of members show names, addresses and second factors.
create function bump_tenants_of(p_user uuid) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ update tenants t set data_version = t.data_version + 1 from memberships m where m.user_id = p_user and t.id = m.tenant_id $$;

create function add_account_token(p_hash bytea, p_purpose text, p_user uuid, p_now timestamptz, p_expires timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    delete from account_tokens t where t.user_id = p_user and t.expires_at < p_now - interval '1 day';
    insert into account_tokens (token_hash, purpose, user_id, created_at, expires_at) values (p_hash, p_purpose, p_user, p_now, p_expires)
$$;

-- Whose a token is; no row when it was used, has expired or the person is deactivated.
create function find_account_token(p_hash bytea, p_purpose text, p_now timestamptz)
returns table (user_id uuid, email text, email_key text, display_name text, password_hash text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select u.id, u.email, u.email_key, u.display_name, u.password_hash
    from account_tokens t join users u on u.id = t.user_id and u.disabled_at is null
    where t.token_hash = p_hash and t.purpose = p_purpose and t.used_at is null and t.expires_at > p_now
$$;

-- All that signing in and changing an account needs to know of it. recovery_sample: one of the hashes, for their salt.
create function find_account(p_user uuid)
returns table (email text, email_key text, display_name text, password_hash text, disabled boolean, email_verified boolean,
               totp_secret bytea, totp_enabled_at timestamptz, recovery_codes_left integer, recovery_sample text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select u.email, u.email_key, u.display_name, u.password_hash, u.disabled_at is not null, u.email_verified_at is not null, u.totp_secret, u.totp_enabled_at,
           (select count(*)::int from recovery_codes c where c.user_id = u.id and c.used_at is null),
           (select min(c.code_hash) from recovery_codes c where c.user_id = u.id)
    from users u where u.id = p_user
$$;

-- ok; gone: used, expired or unknown; taken: another account proved the address first.
create function verify_email(p_hash bytea, p_now timestamptz) returns text
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_user uuid;
begin
    update account_tokens t set used_at = p_now
    where t.token_hash = p_hash and t.purpose = 'verify' and t.used_at is null and t.expires_at > p_now
    returning t.user_id into v_user;
    if not found then return 'gone'; end if;
    update users u set email_verified_at = p_now where u.id = v_user and u.email_verified_at is null;
    perform bump_tenants_of(v_user);
    return 'ok';
exception when unique_violation then
    -- What the block did is undone, so the token stays unused; it can never be used for more than this answer.
    return 'taken';
end $$;

-- Sets a new password and voids what the old one could still do: links to reset it, sign-ins that wait for a code.
create function set_password(p_user uuid, p_password_hash text, p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    update users u set password_hash = p_password_hash, password_changed_at = p_now where u.id = p_user;
    update account_tokens t set used_at = p_now where t.user_id = p_user and t.purpose in ('reset', 'challenge') and t.used_at is null
$$;

-- Uses a link to set a new password and ends every session of the person. Null: it was used, has expired or is unknown.
create function reset_password(p_hash bytea, p_password_hash text, p_now timestamptz) returns uuid
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_user uuid;
begin
    update account_tokens t set used_at = p_now
    where t.token_hash = p_hash and t.purpose = 'reset' and t.used_at is null and t.expires_at > p_now
    returning t.user_id into v_user;
    if not found then return null; end if;
    perform set_password(v_user, p_password_hash, p_now);
    perform end_sessions(v_user, null, null, 'password reset', p_now);
    return v_user;
end $$;

-- Changes the password if it still is the one that was checked, and ends every session of the person but one.
create function change_password(p_user uuid, p_old_hash text, p_password_hash text, p_session uuid, p_now timestamptz) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
    perform 1 from users u where u.id = p_user and u.password_hash = p_old_hash for update;
    if not found then return false; end if;
    perform set_password(p_user, p_password_hash, p_now);
    perform end_sessions(p_user, null, p_session, 'password changed', p_now);
    return true;
end $$;

-- The same password with today's parameters. Conditional: the password may have been changed in the meantime.
create function rehash_password(p_user uuid, p_old_hash text, p_new_hash text) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ update users u set password_hash = p_new_hash where u.id = p_user and u.password_hash = p_old_hash $$;

create function set_display_name(p_user uuid, p_name text) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    update users u set display_name = p_name where u.id = p_user;
    select bump_tenants_of(p_user)
$$;

-- Keeps a secret that is not in force yet. False: one is in force already.
create function prepare_totp(p_user uuid, p_secret bytea) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
    update users u set totp_secret = p_secret, totp_last_step = null where u.id = p_user and u.totp_enabled_at is null;
    return found;
end $$;

create function replace_recovery_codes(p_user uuid, p_codes text[], p_now timestamptz) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
    perform 1 from users u where u.id = p_user and u.totp_enabled_at is not null for update;
    if not found then return false; end if;
    delete from recovery_codes c where c.user_id = p_user;
    insert into recovery_codes (user_id, code_hash, created_at) select p_user, code, p_now from unnest(p_codes) code;
    return true;
end $$;

-- Puts the prepared secret in force, if it still is the one that the code was of.
create function enable_totp(p_user uuid, p_secret bytea, p_step bigint, p_codes text[], p_now timestamptz) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
    update users u set totp_enabled_at = p_now, totp_last_step = p_step
    where u.id = p_user and u.totp_enabled_at is null and u.totp_secret = p_secret;
    if not found then return false; end if;
    perform replace_recovery_codes(p_user, p_codes, p_now);
    perform bump_tenants_of(p_user);
    return true;
end $$;

create function disable_totp(p_user uuid) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
    update users u set totp_enabled_at = null, totp_secret = null, totp_last_step = null where u.id = p_user and u.totp_enabled_at is not null;
    if not found then return false; end if;
    delete from recovery_codes c where c.user_id = p_user;
    perform bump_tenants_of(p_user);
    return true;
end $$;

-- Takes a code once: a time step that is later than the last one taken, or a recovery code that is unused. The other of the two is null.
create function take_second_factor(p_user uuid, p_step bigint, p_recovery text, p_now timestamptz) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
    if p_step is not null then
        update users u set totp_last_step = p_step
        where u.id = p_user and u.totp_enabled_at is not null and (u.totp_last_step is null or u.totp_last_step < p_step);
    else
        update recovery_codes c set used_at = p_now where c.user_id = p_user and c.code_hash = p_recovery and c.used_at is null;
    end if;
    return found;
end $$;

-- Ends the wait for a code. gone: the sign-in was finished already, took too long, or the password was changed; nothing is used up then.
create function finish_challenge(p_hash bytea, p_user uuid, p_step bigint, p_recovery text, p_now timestamptz) returns text
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
    perform 1 from account_tokens t
    where t.token_hash = p_hash and t.purpose = 'challenge' and t.user_id = p_user and t.used_at is null and t.expires_at > p_now
    for update;
    if not found then return 'gone'; end if;
    if not take_second_factor(p_user, p_step, p_recovery, p_now) then return 'wrong'; end if;
    update account_tokens t set used_at = p_now where t.token_hash = p_hash;
    return 'ok';
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
