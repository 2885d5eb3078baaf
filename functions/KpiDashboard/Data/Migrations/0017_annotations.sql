-- What people noted about days. What the system can tell of days (gaps, failing workflows, restated values) is read from where it stands.
create table annotations (
    tenant_id  uuid not null references tenants (id) on delete cascade,
    id         uuid not null,
    from_day   date not null,
    to_day     date not null check (to_day >= from_day),
    text       text not null check (length(text) between 1 and 280),
    created_by uuid references users (id) on delete set null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id)
);
create index annotations_days on annotations (tenant_id, from_day);
create index annotations_author on annotations (created_by);
call protect_tenant_table('annotations');
grant select, insert, update, delete on annotations to kpi_app;
