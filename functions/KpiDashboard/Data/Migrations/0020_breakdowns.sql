-- By what a day's numbers divide: one row a day and dimension that was read, and one a value of that dimension.
create table breakdown_days (
    tenant_id      uuid not null references tenants (id) on delete cascade,
    dimension      text not null check (length(dimension) between 1 and 40),
    day            date not null,
    -- True: all there was is listed, so a value that is not listed was 0. False: such a value is unknown.
    is_whole       boolean not null,
    -- The source may have left out rows of few people.
    withheld       boolean not null,
    -- Values of the day have changed since, and how they divide could not be read with them: not shown until it is read again.
    is_stale       boolean not null default false,
    integration_id uuid not null,
    run_id         uuid not null,
    changed_at     timestamptz not null,
    primary key (tenant_id, dimension, day)
);
call protect_tenant_table('breakdown_days');
grant select, insert, update, delete on breakdown_days to kpi_app;

create table breakdown_values (
    tenant_id uuid not null,
    dimension text not null,
    day       date not null,
    member    text not null check (length(member) between 1 and 200),
    -- Stored KPIs that add up, by key: {"web.sessions": 12}.
    parts     jsonb not null,
    primary key (tenant_id, dimension, day, member),
    foreign key (tenant_id, dimension, day) references breakdown_days (tenant_id, dimension, day) on delete cascade
);
call protect_tenant_table('breakdown_values');
grant select, insert, update, delete on breakdown_values to kpi_app;
