-- What a business wants of a KPI. Recurring goals have no end; a dated one runs from starts_on to ends_on.
create table goals (
    tenant_id   uuid not null references tenants (id) on delete cascade,
    id          uuid not null,
    kpi         text not null check (length(kpi) between 1 and 60),
    name        text check (length(name) between 1 and 60),
    period      text not null check (period in ('week', 'month', 'quarter', 'year', 'dated')),
    starts_on   date not null,
    ends_on     date,
    -- Every target with the day from which it counts, so that a period that is over stays judged by what was wanted then. The first counts from starts_on.
    target_from date[] not null,
    targets     numeric[] not null,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    primary key (tenant_id, id),
    check ((period = 'dated') = (ends_on is not null)),
    check (ends_on >= starts_on),
    check (cardinality(targets) between 1 and 100 and cardinality(targets) = cardinality(target_from) and target_from[1] = starts_on)
);
call protect_tenant_table('goals');
grant select, insert, update, delete on goals to kpi_app;

-- KPIs that a business computes from others. Only the formula is stored: values follow from those of its parts whenever they are asked for.
create table calculated_kpis (
    tenant_id   uuid not null references tenants (id) on delete cascade,
    id          uuid not null,
    key         text not null check (key ~ '^calc\.[a-z0-9](_?[a-z0-9])*$' and length(key) <= 60),
    name        text not null check (length(name) between 1 and 60),
    description text not null check (length(description) <= 300),
    unit        text not null check (unit in ('count', 'currency', 'ratio', 'number', 'seconds', 'milliseconds', 'minutes', 'score')),
    direction   text not null check (direction in ('up', 'down', 'neutral')),
    formula     text not null check (length(formula) between 1 and 500),
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, key)
);
call protect_tenant_table('calculated_kpis');
grant select, insert, update, delete on calculated_kpis to kpi_app;
