-- Mails on their way out. Belongs to no tenant in the sense of row-level security: a mail may be for somebody who has no tenant yet. kpi_app has no right
-- on the table and reaches single entries through the functions below.
create table mail_outbox (
    id              uuid primary key,
    tenant          uuid references tenants (id) on delete cascade,
    kind            text not null check (length(kind) between 1 and 60),
    -- Sealed by the application: what the mail is made from, then the mail itself. Both hold addresses and links that let people in.
    payload         bytea,
    composed        boolean not null default false,
    status          text not null default 'queued' check (status in ('queued', 'sending', 'sent', 'dropped', 'failed')),
    attempts        integer not null default 0,
    next_attempt_at timestamptz not null,
    enqueued_at     timestamptz,
    lease_token     uuid,
    lease_until     timestamptz,
    last_error      text check (length(last_error) <= 500),
    created_at      timestamptz not null,
    finished_at     timestamptz,
    check ((finished_at is null) = (status in ('queued', 'sending'))),
    check ((finished_at is null) = (payload is not null)),
    check ((status = 'sending') = (lease_token is not null)),
    check ((lease_token is null) = (lease_until is null))
);
comment on column mail_outbox.last_error is 'For operators. Never an address, a link or what a mail server said';
create index mail_outbox_open on mail_outbox (next_attempt_at) where finished_at is null;
create index mail_outbox_finished on mail_outbox (finished_at) where finished_at is not null;
create index mail_outbox_tenant on mail_outbox (tenant);

create function add_mail(p_id uuid, p_tenant uuid, p_kind text, p_payload bytea, p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    insert into mail_outbox (id, tenant, kind, payload, next_attempt_at, created_at) values (p_id, p_tenant, p_kind, p_payload, p_now, p_now)
$$;

-- Marks entries as handed to the queue.
create function mark_mail_enqueued(p_ids uuid[], p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ update mail_outbox set enqueued_at = p_now where id = any (p_ids) and finished_at is null $$;

-- Takes one entry for sending. No row: it is finished, unknown, somebody else's at the moment, or not due; its message is then of no use.
-- Five seconds early are due: clocks of instances differ a little, and the queue counts in whole seconds.
create function claim_mail(p_id uuid, p_lease uuid, p_now timestamptz, p_lease_until timestamptz)
returns table (kind text, composed boolean, payload bytea, attempts integer, created_at timestamptz)
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    update mail_outbox m
    set status = 'sending', lease_token = p_lease, lease_until = p_lease_until
    where m.id = p_id and m.finished_at is null and m.next_attempt_at <= p_now + interval '5 seconds'
      and (m.lease_until is null or m.lease_until <= p_now)
    returning m.kind, m.composed, m.payload, m.attempts, m.created_at
$$;

-- Keeps the mail that was made, so that every later attempt sends the same. False: the lease is lost.
create function keep_composed_mail(p_id uuid, p_lease uuid, p_payload bytea) returns boolean
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with kept as (update mail_outbox set payload = p_payload, composed = true where id = p_id and lease_token = p_lease returning 1)
    select exists (select 1 from kept)
$$;

-- Puts an entry back for another attempt. False: the lease is lost.
create function retry_mail(p_id uuid, p_lease uuid, p_attempts integer, p_error text, p_next timestamptz) returns boolean
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with moved as (
        update mail_outbox
        set status = 'queued', lease_token = null, lease_until = null, attempts = p_attempts, last_error = p_error, next_attempt_at = p_next, enqueued_at = null
        where id = p_id and lease_token = p_lease
        returning 1
    )
    select exists (select 1 from moved)
$$;

-- Ends an entry and forgets what was in it. False: the lease is lost.
create function finish_mail(p_id uuid, p_lease uuid, p_status text, p_attempts integer, p_error text, p_now timestamptz) returns boolean
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with ended as (
        update mail_outbox
        set status = p_status, payload = null, lease_token = null, lease_until = null, attempts = p_attempts, last_error = p_error, finished_at = p_now
        where id = p_id and lease_token = p_lease
        returning 1
    )
    select exists (select 1 from ended)
$$;

-- Entries whose message got lost: never enqueued, or due and touched by nobody for a while. Touches them so that the next sweep leaves them alone;
-- one message too many is harmless, the lease sees to it.
create function sweep_mail(p_now timestamptz, p_never_enqueued_after interval, p_silent_after interval, p_limit integer) returns setof uuid
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with lost as (
        select m.id
        from mail_outbox m
        where m.finished_at is null and m.next_attempt_at <= p_now and (m.lease_until is null or m.lease_until <= p_now)
          and ((m.enqueued_at is null and m.next_attempt_at <= p_now - p_never_enqueued_after)
            or greatest(m.enqueued_at, m.next_attempt_at, m.lease_until) <= p_now - p_silent_after)
        order by m.next_attempt_at
        limit p_limit
        for update skip locked
    )
    update mail_outbox m set enqueued_at = p_now from lost where m.id = lost.id returning m.id
$$;

-- Forgets finished entries.
create function purge_mail(p_before timestamptz) returns integer
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    with gone as (delete from mail_outbox where finished_at < p_before returning 1)
    select count(*)::integer from gone
$$;

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.proname in
            ('add_mail', 'mark_mail_enqueued', 'claim_mail', 'keep_composed_mail', 'retry_mail', 'finish_mail', 'sweep_mail', 'purge_mail')
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
