-- Dashboards that people put together, and the read-only links to them.
create table dashboards (
    tenant_id  uuid not null references tenants (id) on delete cascade,
    id         uuid not null,
    -- Whoever made it; null once that person left. A private one goes with its owner, a shared one is the business's and stays.
    owner_id   uuid references users (id) on delete set null,
    shared     boolean not null default false,
    name       text not null check (length(name) between 1 and 60),
    -- An array of tiles in reading order, as Dashboards/DashboardLayout.cs admits them.
    tiles      jsonb not null check (jsonb_typeof(tiles) = 'array'),
    -- Grows with each change, so that two people who edit at once do not overwrite each other unseen.
    version    integer not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, owner_id) references memberships (tenant_id, user_id) on delete set null (owner_id)
);
create index dashboards_owner on dashboards (owner_id);
create index dashboards_of on dashboards (tenant_id, owner_id);
call protect_tenant_table('dashboards');
grant select, insert, update, delete on dashboards to kpi_app;

create function drop_orphaned_dashboard() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    delete from dashboards d where d.tenant_id = new.tenant_id and d.id = new.id;
    return null;
end $$;
create trigger dashboards_orphaned after update of owner_id on dashboards
    for each row when (new.owner_id is null and not new.shared) execute function drop_orphaned_dashboard();
