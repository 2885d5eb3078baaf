-- What was pushed of an execution, beside what is known of it: start and end are put together from these in whatever order they arrive.
-- Null where nothing was pushed.
alter table executions add column told_start timestamptz, add column told_end timestamptz;

-- Where a token may be used from; empty: from anywhere.
alter table api_tokens add column allowed_networks cidr[] not null default '{}' check (cardinality(allowed_networks) <= 50);

-- The rhythm of a source that is only pushed to: how long it may be silent before somebody should look. Learned from its own runs unless a
-- person said it.
alter table integrations
    add column push_rhythm text not null default 'learned' check (push_rhythm in ('learned', 'fixed', 'never')),
    add column late_after_hours integer check (late_after_hours between 1 and 2160),
    add column usual_gap_minutes integer check (usual_gap_minutes between 0 and 60 * 24 * 60),
    add column rhythm_learned_at timestamptz,
    add check (push_rhythm <> 'fixed' or late_after_hours is not null);

-- What became of each pushed event, for the business that it came to. Never what stood in it: its ids, its state, and why it was not taken.
-- Without a token or a person as a foreign key: a token's name is as it was called then.
create table push_log (
    tenant_id    uuid not null references tenants (id) on delete cascade,
    -- One for all events of a request, in order of time.
    request_id   uuid not null,
    -- Its place in the request, from 0; -1: the request as a whole.
    position     integer not null,
    at           timestamptz not null,
    token_id     uuid,
    token_name   text not null check (length(token_name) <= 200),
    address      text check (length(address) <= 64),
    outcome      text not null check (outcome in ('accepted', 'unchanged', 'rejected')),
    execution_id text check (length(execution_id) <= 100),
    workflow_id  text check (length(workflow_id) <= 100),
    state        text check (length(state) <= 20),
    reason       text check (length(reason) <= 500),
    -- How many events the row stands for: of large requests most are told together.
    events       integer not null default 1 check (events >= 0),
    primary key (tenant_id, request_id, position),
    check ((outcome = 'rejected') = (reason is not null))
);
create index push_log_outcomes on push_log (tenant_id, outcome, request_id, position);
create index push_log_age on push_log (at);
call protect_tenant_table('push_log');
grant select, insert on push_log to kpi_app;

-- As admit_api_token of 0003, and from where. A request from elsewhere leaves no trace of use.
create function admit_token(p_hash bytea, p_now timestamptz, p_address inet)
returns table (tenant_id uuid, id uuid, name text, scopes text[], usable boolean, delete_after timestamptz, admitted boolean)
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with found as (
        select t.tenant_id, t.id, t.name, t.scopes, t.revoked_at is null and (t.expires_at is null or t.expires_at > p_now) as usable, n.delete_after,
               cardinality(t.allowed_networks) = 0 or coalesce(p_address <<= any (t.allowed_networks), false) as admitted
        from api_tokens t join tenants n on n.id = t.tenant_id where t.token_hash = p_hash
    ),
    touched as (
        update api_tokens t set last_used_at = p_now
        from found f
        where t.tenant_id = f.tenant_id and t.id = f.id and f.usable and f.admitted and (t.last_used_at is null or t.last_used_at < p_now - interval '1 minute')
    )
    select * from found
$$;

-- As find_signing_token of 0010, and from where.
create function find_signer(p_id uuid, p_now timestamptz, p_address inet)
returns table (tenant_id uuid, id uuid, name text, scopes text[], usable boolean, delete_after timestamptz, signing_secret bytea, admitted boolean)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.tenant_id, t.id, t.name, t.scopes, t.revoked_at is null and (t.expires_at is null or t.expires_at > p_now), n.delete_after, t.signing_secret,
           cardinality(t.allowed_networks) = 0 or coalesce(p_address <<= any (t.allowed_networks), false)
    from api_tokens t join tenants n on n.id = t.tenant_id where t.id = p_id
$$;

-- As list_sources_of of 0023, with what a source that is only pushed to is judged by: nobody reads it, so that the schedule of its row says
-- nothing.
create function list_sources_for(p_user uuid, p_now timestamptz)
returns table (tenant_id uuid, name text, role text, is_demo boolean, delete_after timestamptz, id uuid, connector text, display_name text, state text,
               status_message text, schedule text, fetched_at timestamptz, complete_through date, final_through date, measurable_from date, read_from date,
               consecutive_failures integer, last_error text, next_due_at timestamptz, live boolean, currency text, push_rhythm text, late_after_hours integer,
               usual_gap_minutes integer)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select s.tenant_id, s.name, s.role, s.is_demo, s.delete_after, s.id, s.connector, s.display_name, s.state, s.status_message,
           case when i.settings ->> 'pushOnly' = 'true' then 'push' else s.schedule end, s.fetched_at, s.complete_through, s.final_through, s.measurable_from,
           s.read_from, s.consecutive_failures, s.last_error, s.next_due_at, s.live, s.currency, i.push_rhythm, i.late_after_hours, i.usual_gap_minutes
    from list_sources_of(p_user, p_now) s
    left join integrations i on i.tenant_id = s.tenant_id and i.id = s.id
    order by s.name, s.tenant_id, s.connector
$$;

-- Forgets what is old, a batch at a time; how many rows.
create function purge_push_log(p_before timestamptz, p_limit integer) returns integer
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with old as (
        select l.tenant_id, l.request_id, l.position from push_log l where l.at < p_before order by l.at limit p_limit
    ),
    gone as (
        delete from push_log l using old o where l.tenant_id = o.tenant_id and l.request_id = o.request_id and l.position = o.position returning 1
    )
    select count(*)::integer from gone
$$;

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.proname in ('admit_token', 'find_signer', 'list_sources_for', 'purge_push_log')
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
