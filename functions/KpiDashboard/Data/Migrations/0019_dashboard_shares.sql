-- Read-only links to one dashboard, for people without an account and for screens on a wall. The secret is in the link only.
create table dashboard_shares (
    tenant_id    uuid not null references tenants (id) on delete cascade,
    id           uuid not null,
    dashboard_id uuid not null,
    label        text not null check (length(label) between 1 and 60),
    token_hash   bytea not null unique,
    created_by   uuid references users (id) on delete set null,
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, dashboard_id) references dashboards (tenant_id, id) on delete cascade
);
create index dashboard_shares_dashboard on dashboard_shares (tenant_id, dashboard_id);
create index dashboard_shares_maker on dashboard_shares (created_by);
call protect_tenant_table('dashboard_shares');
grant select, insert, update, delete on dashboard_shares to kpi_app;

-- What a link leads to, before any tenant is known; no row for one that is unknown, taken back or run out, or whose business is to be deleted.
create function find_dashboard_share(p_hash bytea, p_now timestamptz)
returns table (tenant_id uuid, id uuid, dashboard_id uuid, version integer, expires_at timestamptz, last_used_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select s.tenant_id, s.id, s.dashboard_id, d.version, s.expires_at, s.last_used_at
    from dashboard_shares s
    join dashboards d on d.tenant_id = s.tenant_id and d.id = s.dashboard_id
    join tenants t on t.id = s.tenant_id and t.delete_after is null
    where s.token_hash = p_hash and s.revoked_at is null and s.expires_at > p_now
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
