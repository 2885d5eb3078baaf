-- Members, invitations, a person's businesses with their health, and what a change of the time zone moves.

create table invitations (
    tenant_id   uuid not null references tenants (id) on delete cascade,
    id          uuid not null,
    email       text not null check (length(email) between 3 and 254),
    email_key   text not null,
    role        text not null check (role in ('owner', 'admin', 'member', 'viewer')),
    token_hash  bytea not null unique,
    invited_by  uuid references users (id) on delete set null,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    accepted_at timestamptz,
    revoked_at  timestamptz,
    primary key (tenant_id, id),
    check (accepted_at is null or revoked_at is null)
);
-- One open per address.
create unique index invitations_open on invitations (tenant_id, email_key) where accepted_at is null and revoked_at is null;
create index invitations_inviter on invitations (invited_by);
call protect_tenant_table('invitations');
grant select, insert, update, delete on invitations to kpi_app;

-- The members of the transaction's tenant: kpi_app has no right on users.
create function list_members()
returns table (id uuid, email text, display_name text, role text, active boolean, disabled boolean, second_factor boolean, joined_at timestamptz, last_seen_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select u.id, u.email, u.display_name, m.role, m.deactivated_at is null, u.disabled_at is not null, u.totp_enabled_at is not null, m.created_at,
           (select max(s.last_seen_at) from sessions s where s.user_id = u.id)
    from memberships m join users u on u.id = m.user_id
    where m.tenant_id = current_tenant_id()
    order by m.created_at, u.id
$$;

-- Whether an address is a member's of the transaction's tenant; the account may not have proved it yet.
create function find_member_by_email(p_email_key text)
returns table (id uuid, active boolean)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select u.id, m.deactivated_at is null from memberships m join users u on u.id = m.user_id
    where m.tenant_id = current_tenant_id() and u.email_key = p_email_key
    order by m.deactivated_at is null desc
    limit 1
$$;

-- Open invitations of the transaction's tenant, those that ran out too: they can be sent again.
create function list_invitations()
returns table (id uuid, email text, role text, invited_by text, created_at timestamptz, expires_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select i.id, i.email, i.role, u.display_name, i.created_at, i.expires_at
    from invitations i left join users u on u.id = i.invited_by
    where i.tenant_id = current_tenant_id() and i.accepted_at is null and i.revoked_at is null
    order by i.created_at desc, i.id
$$;

-- What a link leads to, before any tenant is known; no row for one that is unknown, used, taken back or run out.
create function find_invitation(p_hash bytea, p_now timestamptz)
returns table (tenant_id uuid, id uuid, business text, email text, email_key text, role text, invited_by text, expires_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select i.tenant_id, i.id, t.name, i.email, i.email_key, i.role, u.display_name, i.expires_at
    from invitations i
    join tenants t on t.id = i.tenant_id and t.delete_after is null
    left join users u on u.id = i.invited_by
    where i.token_hash = p_hash and i.accepted_at is null and i.revoked_at is null and i.expires_at > p_now
$$;

-- Who made the tokens of the transaction's tenant; they stay when their maker leaves.
create function list_token_makers()
returns table (token_id uuid, display_name text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select k.id, u.display_name from api_tokens k join users u on u.id = k.created_by where k.tenant_id = current_tenant_id() and k.revoked_at is null
$$;

-- Every business that a person may enter with the state of its sources, one row a source (one without where there is none).
create function list_sources_of(p_user uuid, p_now timestamptz)
returns table (tenant_id uuid, name text, role text, is_demo boolean, delete_after timestamptz, id uuid, connector text, display_name text, state text,
               status_message text, schedule text, fetched_at timestamptz, complete_through date, final_through date, measurable_from date, read_from date,
               consecutive_failures integer, last_error text, next_due_at timestamptz, live boolean, currency text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id, t.name, m.role, t.is_demo, t.delete_after, i.id, i.connector, i.display_name, i.status, i.status_message, i.schedule, i.fetched_at,
           i.complete_through, i.final_through, i.measurable_from, i.read_from, i.consecutive_failures, i.last_error, i.next_due_at,
           exists (select 1 from sync_runs r where r.tenant_id = i.tenant_id and r.integration_id = i.id and r.status in ('queued', 'running', 'waiting')), i.currency
    from memberships m
    join tenants t on t.id = m.tenant_id
    left join integrations i on i.tenant_id = t.id
    where m.user_id = p_user and m.deactivated_at is null
    order by t.name, t.id, i.connector
$$;

-- A day in one zone is no day in another: the first day in p_to that began no earlier than p_day did in p_from …
create function first_whole_day(p_day date, p_from text, p_to text) returns date
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$
    select case when (d.day::timestamp at time zone p_to) < s.start then d.day + 1 else d.day end
    from (select p_day::timestamp at time zone p_from as start) s
    cross join lateral (select (s.start at time zone p_to)::date as day) d
$$;

-- … and the last one in p_to that ended no later than p_day did in p_from.
create function last_whole_day(p_day date, p_from text, p_to text) returns date
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$ select (((p_day + 1)::timestamp at time zone p_from) at time zone p_to)::date - 1 $$;

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
