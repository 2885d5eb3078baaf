-- KPIs that a business defines itself and whose readings it pushes or imports.
create table custom_kpis (
    tenant_id   uuid not null references tenants (id) on delete cascade,
    id          uuid not null,
    key         text not null check (key ~ '^custom\.[a-z0-9](_?[a-z0-9])*$' and length(key) <= 60),
    name        text not null check (length(name) between 1 and 60),
    description text not null check (length(description) <= 300),
    unit        text not null check (unit in ('count', 'currency', 'ratio', 'number', 'seconds', 'milliseconds', 'minutes', 'score')),
    direction   text not null check (direction in ('up', 'down', 'neutral')),
    aggregation text not null check (aggregation in ('sum', 'daily_mean', 'last', 'max', 'min')),
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, key)
);
call protect_tenant_table('custom_kpis');
grant select, insert, update, delete on custom_kpis to kpi_app;

-- An imported file and how far it is. All or nothing: its readings are written in the transaction that makes it 'succeeded'.
create table imports (
    tenant_id     uuid not null references tenants (id) on delete cascade,
    id            uuid not null,
    file_name     text not null check (length(file_name) <= 200),
    status        text not null default 'queued' check (status in ('queued', 'running', 'succeeded', 'failed')),
    -- How the file is to be read, as it was settled when it came.
    delimiter     text not null check (delimiter in ('comma', 'semicolon', 'tab')),
    decimal_mark  text not null check (decimal_mark in ('point', 'comma')),
    dates         text not null check (dates in ('iso', 'dmy', 'mdy')),
    bytes         integer not null,
    rows          integer not null,
    readings      integer,
    readings_done integer not null default 0,
    accepted      integer,
    unchanged     integer,
    restated      integer,
    message       text,
    errors        jsonb not null default '[]',
    error_count   integer not null default 0,
    attempts      integer not null default 0,
    lease_token   uuid,
    lease_until   timestamptz,
    traceparent   text,
    created_by    uuid references users (id) on delete set null,
    token_id      uuid,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    finished_at   timestamptz,
    primary key (tenant_id, id),
    check ((finished_at is null) = (status in ('queued', 'running')))
);
create index imports_open on imports (updated_at) where finished_at is null;
create index imports_finished on imports (finished_at) where finished_at is not null;
call protect_tenant_table('imports');
grant select, insert, update on imports to kpi_app;

-- The file itself until its import ended.
create table import_chunks (
    tenant_id uuid not null,
    import_id uuid not null,
    position  integer not null,
    data      bytea not null,
    primary key (tenant_id, import_id, position),
    foreign key (tenant_id, import_id) references imports (tenant_id, id) on delete cascade
);
call protect_tenant_table('import_chunks');
grant select, insert, delete on import_chunks to kpi_app;

-- What a request with a key was answered, so that the same request again gets the same answer; a key with another body is refused.
alter table idempotency_keys add column answer text, add column body_hash bytea;
create index idempotency_keys_age on idempotency_keys (created_at);

-- Why a pushed execution failed, with whatever looks like a secret masked by the application.
alter table executions add column if not exists error_message text check (length(error_message) <= 500);

-- A signed request names its token by id.
create unique index api_tokens_id on api_tokens (id);

create function find_signing_token(p_id uuid, p_now timestamptz)
returns table (tenant_id uuid, id uuid, name text, scopes text[], usable boolean, delete_after timestamptz, signing_secret bytea)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.tenant_id, t.id, t.name, t.scopes, t.revoked_at is null and (t.expires_at is null or t.expires_at > p_now), n.delete_after, t.signing_secret
    from api_tokens t join tenants n on n.id = t.tenant_id where t.id = p_id
$$;

-- Imports whose message got lost, or whose worker died; touched, so that the next sweep leaves them alone. One message too many is harmless.
create function sweep_imports(p_now timestamptz, p_silent_after interval, p_limit integer)
returns table (tenant_id uuid, id uuid, traceparent text)
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with lost as (
        select i.tenant_id, i.id from imports i
        where i.finished_at is null and i.updated_at <= p_now - p_silent_after and (i.lease_until is null or i.lease_until <= p_now)
        order by i.updated_at
        limit p_limit
        for update skip locked
    )
    update imports i set updated_at = p_now from lost l where i.tenant_id = l.tenant_id and i.id = l.id
    returning i.tenant_id, i.id, i.traceparent
$$;

-- Forgets keys and finished imports.
create function purge_push(p_keys_before timestamptz, p_imports_before timestamptz) returns integer
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with keys as (delete from idempotency_keys where created_at < p_keys_before returning 1),
    files as (delete from imports where finished_at < p_imports_before returning 1)
    select ((select count(*) from keys) + (select count(*) from files))::integer
$$;

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.proname in ('find_signing_token', 'sweep_imports', 'purge_push')
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
