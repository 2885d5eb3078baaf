-- Roles kpi_owner (owns everything, runs migrations) and kpi_app (the application; no BYPASSRLS) exist before this runs: see Data/DatabaseBootstrap.cs.
-- Every tenant table calls protect_tenant_table in the migration that creates it.

-- The tenant that the transaction acts for; null when none is set, and then no policy matches: fail closed.
create function current_tenant_id() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('app.tenant_id', true), '')::uuid $$;

-- Enables and forces row-level security on a table, for the application by tenant and for kpi_owner by an explicit policy: FORCE binds the owner too,
-- and the few SECURITY DEFINER functions below, which are the only cross-tenant code, run as the owner.
-- The scalar sub-select makes the tenant an init plan, evaluated once a statement and usable with an index.
create procedure protect_tenant_table(p_table regclass, p_key text default 'tenant_id')
language plpgsql
as $$
begin
    execute format('alter table %s enable row level security', p_table);
    execute format('alter table %s force row level security', p_table);
    execute format(
        'create policy tenant_isolation on %s to kpi_app using (%I = (select current_tenant_id())) with check (%I = (select current_tenant_id()))',
        p_table, p_key, p_key);
    execute format('create policy owner_access on %s to kpi_owner using (true) with check (true)', p_table);
end $$;

create table tenants (
    id                        uuid primary key,
    name                      text not null check (length(name) between 1 and 200),
    time_zone                 text not null,
    currency                  text not null check (currency ~ '^[A-Z]{3}$'),
    locale                    text not null default 'en-GB',
    week_start                smallint not null default 1 check (week_start between 0 and 6),
    fiscal_year_start_month   smallint not null default 1 check (fiscal_year_start_month between 1 and 12),
    hourly_labour_cost        numeric(12, 2) check (hourly_labour_cost >= 0),
    automation_cost_per_month numeric(12, 2) check (automation_cost_per_month >= 0),
    -- Grows with every change that a reader could see; the ETag of every read is made from it.
    data_version              bigint not null default 0,
    is_demo                   boolean not null default false,
    created_at                timestamptz not null default now()
);
comment on column tenants.week_start is '0 = Sunday … 6 = Saturday, as .NET''s DayOfWeek';
call protect_tenant_table('tenants', 'id');
grant select, update on tenants to kpi_app;

-- Users are not a tenant's: one person may belong to several. kpi_app has no right on the table at all; it goes through the functions of 0002.
create table users (
    id            uuid primary key,
    email         text not null check (length(email) between 3 and 320),
    email_key     text not null unique,
    display_name  text not null check (length(display_name) between 1 and 200),
    password_hash text,
    disabled_at   timestamptz,
    created_at    timestamptz not null default now()
);

create table memberships (
    tenant_id  uuid not null references tenants (id) on delete cascade,
    user_id    uuid not null references users (id) on delete cascade,
    role       text not null check (role in ('owner', 'admin', 'member', 'viewer')),
    created_at timestamptz not null default now(),
    primary key (tenant_id, user_id)
);
create index memberships_user on memberships (user_id);
call protect_tenant_table('memberships');
grant select on memberships to kpi_app;

create table integrations (
    tenant_id            uuid not null references tenants (id) on delete cascade,
    id                   uuid not null unique,
    connector            text not null,
    display_name         text not null,
    settings             jsonb not null default '{}',
    -- Sealed by the application before it gets here (AES-256-GCM; the first bytes name the key).
    credentials          bytea,
    status               text not null default 'active' check (status in ('active', 'paused', 'reconnect_needed')),
    status_message       text,
    schedule             text not null default 'daily' check (schedule in ('daily', 'hourly', 'quarter_hourly')),
    sync_hour            smallint not null default 4 check (sync_hour between 0 and 23),
    next_due_at          timestamptz,
    -- The provider's own, once it told; days of its values are days in this zone.
    time_zone            text,
    currency             text,
    -- Three clocks: when we fetched, how far the source is complete, up to when it will not change any more.
    fetched_at           timestamptz,
    complete_through     date,
    final_through        date,
    measurable_from      date,
    -- What has been read: a gap-free range of days.
    read_from            date,
    read_to              date,
    deep_read_at         timestamptz,
    -- When the first 13 months were read to their end; null while that is still to do.
    backfilled_at        timestamptz,
    consecutive_failures integer not null default 0,
    last_error           text,
    lease_token          uuid,
    lease_until          timestamptz,
    created_at           timestamptz not null default now(),
    primary key (tenant_id, id),
    -- A KPI value's key is (tenant, kpi, day): two integrations of one connector would overwrite each other.
    unique (tenant_id, connector)
);
create index integrations_due on integrations (next_due_at) where status = 'active';
call protect_tenant_table('integrations');
grant select, insert, update, delete on integrations to kpi_app;

create table sync_runs (
    tenant_id       uuid not null,
    id              uuid not null unique,
    integration_id  uuid not null,
    connector       text not null,
    trigger         text not null check (trigger in ('schedule', 'manual', 'webhook', 'connect')),
    status          text not null default 'queued' check (status in ('queued', 'running', 'waiting', 'succeeded', 'failed', 'dead')),
    window_from     date,
    window_to       date,
    -- Which message is awaited next; an older one is a duplicate.
    step            integer not null default 0,
    slices_total    integer not null default 0,
    slices_done     integer not null default 0,
    checkpoint      text,
    attempts        integer not null default 0,
    waits           integer not null default 0,
    readings        integer not null default 0,
    changed         integer not null default 0,
    restated        integer not null default 0,
    message         text,
    traceparent     text,
    queued_at       timestamptz not null,
    enqueued_at     timestamptz,
    started_at      timestamptz,
    updated_at      timestamptz not null,
    next_attempt_at timestamptz,
    finished_at     timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);
-- One live run per integration.
create unique index sync_runs_live on sync_runs (tenant_id, integration_id) where status in ('queued', 'running', 'waiting');
create index sync_runs_stale on sync_runs (updated_at) where status in ('queued', 'running', 'waiting');
create index sync_runs_recent on sync_runs (tenant_id, queued_at desc, id);
call protect_tenant_table('sync_runs');
grant select, insert, update on sync_runs to kpi_app;

-- Lineage: what was asked of the provider and what came with the answer. Never a credential.
create table sync_requests (
    tenant_id   uuid not null,
    id          bigint generated always as identity,
    run_id      uuid not null,
    operation   text not null,
    request     jsonb,
    metadata    jsonb,
    fetched_at  timestamptz not null,
    rows        integer not null,
    sampled     boolean not null,
    thresholded boolean not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, run_id) references sync_runs (tenant_id, id) on delete cascade
);
create index sync_requests_run on sync_requests (tenant_id, run_id);
call protect_tenant_table('sync_requests');
grant select, insert on sync_requests to kpi_app;

create table kpi_values (
    tenant_id      uuid not null references tenants (id) on delete cascade,
    kpi            text not null,
    day            date not null,
    value          numeric not null,
    -- False while the day was still going on when it was read: growing further is then no restatement.
    day_ended      boolean not null,
    integration_id uuid,
    run_id         uuid,
    first_seen_at  timestamptz not null,
    changed_at     timestamptz not null,
    primary key (tenant_id, kpi, day)
);
call protect_tenant_table('kpi_values');
grant select, insert, update, delete on kpi_values to kpi_app;

create table kpi_restatements (
    tenant_id uuid not null references tenants (id) on delete cascade,
    id        bigint generated always as identity,
    kpi       text not null,
    day       date not null,
    old_value numeric not null,
    new_value numeric not null,
    run_id    uuid,
    at        timestamptz not null,
    primary key (tenant_id, id)
);
create index kpi_restatements_day on kpi_restatements (tenant_id, kpi, day);
call protect_tenant_table('kpi_restatements');
grant select, insert, delete on kpi_restatements to kpi_app;

create table workflows (
    tenant_id              uuid not null,
    integration_id         uuid not null,
    workflow_id            text not null,
    name                   text not null,
    active                 boolean not null,
    -- False: the source throws successes away, so how many there were is not measurable.
    keeps_successes        boolean not null default true,
    -- Minutes that one success saves: what the provider says, and what was set here, which wins.
    provider_minutes_saved numeric(10, 2),
    minutes_saved          numeric(10, 2),
    updated_at             timestamptz not null,
    primary key (tenant_id, integration_id, workflow_id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);
call protect_tenant_table('workflows');
grant select, insert, update, delete on workflows to kpi_app;

create table executions (
    tenant_id      uuid not null,
    integration_id uuid not null,
    execution_id   text not null,
    workflow_id    text not null,
    -- lost: the source no longer knows how it ended; neither a success nor a failure.
    status         text not null check (status in ('unfinished', 'succeeded', 'failed', 'canceled', 'lost')),
    kind           text not null check (kind in ('production', 'manual', 'error_handler', 'sub_workflow')),
    started_at     timestamptz not null,
    stopped_at     timestamptz,
    primary key (tenant_id, integration_id, execution_id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);
create index executions_started on executions (tenant_id, integration_id, started_at);
create index executions_unfinished on executions (tenant_id, integration_id) where status = 'unfinished';
call protect_tenant_table('executions');
grant select, insert, update, delete on executions to kpi_app;

-- Executions of a workflow added up per tenant-local day; what the automation page reads, and what stays when executions are pruned.
create table automation_daily (
    tenant_id      uuid not null,
    integration_id uuid not null,
    day            date not null,
    workflow_id    text not null,
    -- Null with the next two where the source throws successes away.
    executions     integer,
    succeeded      integer,
    failed         integer not null,
    finished_ms    bigint,
    -- Null: nobody said what one success of this workflow saves.
    minutes_saved  numeric(14, 2),
    primary key (tenant_id, integration_id, day, workflow_id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);
call protect_tenant_table('automation_daily');
grant select, insert, update, delete on automation_daily to kpi_app;

create table api_tokens (
    tenant_id    uuid not null references tenants (id) on delete cascade,
    id           uuid not null,
    name         text not null check (length(name) between 1 and 100),
    token_hash   bytea not null unique,
    -- Sealed like credentials: a signature can only be checked with the secret itself.
    signing_secret bytea not null,
    scopes       text[] not null,
    created_by   uuid references users (id) on delete set null,
    created_at   timestamptz not null,
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    primary key (tenant_id, id)
);
call protect_tenant_table('api_tokens');
grant select, insert, update on api_tokens to kpi_app;

-- A key that a machine sent with a request, and the runs that it was answered with; honoured for 24 hours.
create table idempotency_keys (
    tenant_id  uuid not null references tenants (id) on delete cascade,
    key        text not null check (length(key) between 1 and 200),
    run_ids    uuid[] not null,
    created_at timestamptz not null,
    primary key (tenant_id, key)
);
call protect_tenant_table('idempotency_keys');
grant select, insert, update, delete on idempotency_keys to kpi_app;

-- Messages that no function could make sense of, kept for inspection. Not a tenant's: nothing in them can be trusted to name one.
create table dead_letters (
    id          bigint generated always as identity primary key,
    queue       text not null,
    body        text not null,
    reason      text not null,
    received_at timestamptz not null
);
grant insert on dead_letters to kpi_app;
