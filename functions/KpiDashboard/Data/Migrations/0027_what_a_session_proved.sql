-- A session records what it proved, its refresh tokens are one line that ends with it, and it has an absolute end.

alter table sessions
    -- When each was last proved in this session; null: never. A mail is the link of an invitation or of a reset.
    add column password_at timestamptz,
    add column provider_at timestamptz,
    add column mail_at     timestamptz,
    add column otp_at      timestamptz,
    add column recovery_at timestamptz;

-- What the sessions that are there proved follows from how they were opened. A code was asked for wherever the factor was on by then; where it was turned on
-- later, nothing tells in which session, so each is asked for a code once.
update sessions s
set password_at = case when s.method in ('password', 'register', 'invitation', 'reset') then s.created_at end,
    provider_at = case when s.method like 'oidc:%' then s.created_at end,
    mail_at = case when s.method in ('invitation', 'reset') then s.created_at end,
    otp_at = case when u.totp_enabled_at <= s.created_at then s.created_at end,
    expires_at = least(s.expires_at, s.created_at + interval '90 days')
from users u
where u.id = s.user_id;

-- p_factor: otp or recovery where a code of the second factor was given, else null.
create function open_session(
    p_id uuid, p_user uuid, p_method text, p_factor text, p_now timestamptz, p_expires timestamptz, p_address text, p_agent text) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    insert into sessions (id, user_id, method, created_at, authenticated_at, last_seen_at, expires_at, address, user_agent,
                          password_at, provider_at, mail_at, otp_at, recovery_at)
    values (p_id, p_user, p_method, p_now, p_now, p_now, p_expires, p_address, p_agent,
            case when p_method in ('password', 'register', 'invitation', 'reset') then p_now end,
            case when p_method like 'oidc:%' then p_now end,
            case when p_method in ('invitation', 'reset') then p_now end,
            case when p_factor = 'otp' then p_now end,
            case when p_factor = 'recovery' then p_now end)
$$;

-- The person proved something again in this session.
create function prove_session(p_id uuid, p_user uuid, p_proofs text[], p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    update sessions s
    set authenticated_at = p_now,
        password_at = case when 'password' = any (p_proofs) then p_now else s.password_at end,
        otp_at = case when 'otp' = any (p_proofs) then p_now else s.otp_at end,
        recovery_at = case when 'recovery' = any (p_proofs) then p_now else s.recovery_at end
    where s.id = p_id and s.user_id = p_user and s.ended_at is null
$$;

-- When a session last gave a code of the factor that is on now; null: never. A factor that was turned on since, in whatever session, is another one.
create function factor_proved_at(p_session uuid, p_user uuid) returns timestamptz
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select case when greatest(s.otp_at, s.recovery_at) >= u.totp_enabled_at then greatest(s.otp_at, s.recovery_at) end
    from sessions s join users u on u.id = s.user_id
    where s.id = p_session and s.user_id = p_user
$$;

-- As check_session of 0003, with what the session proved; second_factor: the account has one.
create function admit_session(p_session uuid, p_user uuid, p_tenant uuid, p_now timestamptz)
returns table (email text, role text, business text, authenticated_at timestamptz, factor_at timestamptz, email_verified boolean, second_factor boolean,
               second_factor_required boolean, delete_after timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select u.email, m.role, t.name, s.authenticated_at,
           case when greatest(s.otp_at, s.recovery_at) >= u.totp_enabled_at then greatest(s.otp_at, s.recovery_at) end,
           u.email_verified_at is not null, u.totp_enabled_at is not null, t.require_second_factor, t.delete_after
    from sessions s
    join users u on u.id = s.user_id and u.disabled_at is null
    join memberships m on m.user_id = u.id and m.tenant_id = p_tenant and m.deactivated_at is null
    join tenants t on t.id = m.tenant_id
    where s.id = p_session and s.user_id = p_user and s.ended_at is null and s.expires_at > p_now
$$;

-- Uses a refresh token, with the session's row locked first: whoever signs out everywhere at the same moment has gone first or comes next, and after that no
-- token of the session is good for anything, whenever it was made. outcome: ok, unknown, other (not of p_session), expired, revoked, old (the session is as
-- old as any may become) or reused, which ends the session: somebody holds a copy. A second use within p_grace is ok: two tabs of one browser.
create function take_refresh_token(p_hash bytea, p_session uuid, p_now timestamptz, p_grace interval, p_max interval)
returns table (outcome text, family_id uuid, user_id uuid, tenant uuid)
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    t refresh_tokens;
    s sessions;
begin
    select * into t from refresh_tokens r where r.token_hash = p_hash;
    if not found then
        return query select 'unknown', null::uuid, null::uuid, null::uuid;
        return;
    end if;
    if t.family_id is distinct from coalesce(p_session, t.family_id) then
        return query select 'other', null::uuid, null::uuid, null::uuid;
        return;
    end if;
    select * into s from sessions x where x.id = t.family_id for update;
    if s.id is null or s.ended_at is not null then
        return query select 'revoked', t.family_id, t.user_id, t.tenant;
        return;
    end if;
    -- Anew: it may have been used while the session was waited for.
    select * into t from refresh_tokens r where r.token_hash = p_hash for update;
    if not found or t.revoked_at is not null then
        return query select 'revoked', s.id, s.user_id, t.tenant;
    elsif s.created_at + p_max <= p_now then
        update sessions x set ended_at = p_now, ended_reason = 'old' where x.id = s.id;
        return query select 'old', t.family_id, t.user_id, t.tenant;
    elsif t.expires_at <= p_now or s.expires_at <= p_now then
        return query select 'expired', t.family_id, t.user_id, t.tenant;
    elsif t.used_at is not null and t.used_at < p_now - p_grace then
        update refresh_tokens r set revoked_at = p_now where r.family_id = t.family_id and r.revoked_at is null;
        update sessions x set ended_at = p_now, ended_reason = 'reused' where x.id = t.family_id;
        return query select 'reused', t.family_id, t.user_id, t.tenant;
    else
        update refresh_tokens r set used_at = coalesce(r.used_at, p_now) where r.token_hash = p_hash;
        return query select 'ok', t.family_id, t.user_id, t.tenant;
    end if;
end $$;

-- Goes on with a session that lives: lengthens it, never beyond p_max from its beginning, and gives the successor of a refresh token that was just used
-- (p_hash; null: none was, so none is made). p_move: every token of the session goes on in p_tenant, so that a session is in one business; else p_hash is
-- for the one that it is in. Returns when the session ends; null: it has ended.
create function continue_session(
    p_id uuid, p_user uuid, p_hash bytea, p_tenant uuid, p_move boolean, p_now timestamptz, p_idle interval, p_max interval, p_address text, p_agent text)
returns timestamptz
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    s sessions;
    v_expires timestamptz;
    v_tenant uuid := p_tenant;
begin
    select * into s from sessions x where x.id = p_id and x.user_id = p_user for update;
    if not found or s.ended_at is not null or s.expires_at <= p_now or s.created_at + p_max <= p_now then return null; end if;
    v_expires := least(p_now + p_idle, s.created_at + p_max);
    update sessions x set last_seen_at = p_now, expires_at = v_expires, address = p_address, user_agent = p_agent where x.id = p_id;
    if p_move then
        update refresh_tokens r set tenant = p_tenant where r.family_id = p_id and r.revoked_at is null and r.tenant is distinct from p_tenant;
    else
        -- Another tab may have switched since this one was asked.
        select coalesce(r.tenant, p_tenant) into v_tenant from refresh_tokens r
        where r.family_id = p_id and r.revoked_at is null order by r.created_at desc, r.used_at nulls first limit 1;
    end if;
    if p_hash is not null then
        insert into refresh_tokens (token_hash, family_id, user_id, tenant, created_at, expires_at)
        values (p_hash, p_id, p_user, coalesce(v_tenant, p_tenant), p_now, v_expires);
    end if;
    return v_expires;
end $$;

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.proname in (
            'open_session', 'prove_session', 'factor_proved_at', 'admit_session', 'take_refresh_token', 'continue_session')
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
