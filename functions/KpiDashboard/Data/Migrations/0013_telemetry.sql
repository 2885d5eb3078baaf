-- When the timer last did its work, and when somebody else last asked for it in the timer's place. One row.
create table timer_heartbeat (
    only_row     boolean primary key default true check (only_row),
    beat_at      timestamptz not null,
    caught_up_at timestamptz
);
insert into timer_heartbeat (beat_at) values (now());

create function beat_timer(p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ update timer_heartbeat set beat_at = p_now $$;

-- When the timer last did its work. catch_up: it is overdue, and the caller is the one that has to enqueue a tick in its place; of many who ask at once only
-- one is told so, and nobody again within p_again. Takes a lock only while the timer is overdue.
create function look_at_timer(p_now timestamptz, p_overdue interval, p_again interval)
returns table (beat_at timestamptz, catch_up boolean)
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_mine boolean;
begin
    return query select h.beat_at, false from timer_heartbeat h where h.beat_at >= p_now - p_overdue;
    if found then return; end if;
    update timer_heartbeat h set caught_up_at = p_now
    where h.beat_at < p_now - p_overdue and (h.caught_up_at is null or h.caught_up_at <= p_now - p_again);
    v_mine := found;
    return query select h.beat_at, v_mine from timer_heartbeat h;
end $$;

-- Since when the oldest piece of work that is due waits for somebody to take it, for queues whose messages may be put off: a put-off message's own
-- age says nothing. No row for a queue in which nothing that is due waits.
create function oldest_due_work(p_now timestamptz)
returns table (queue text, since timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select 'sync-' || w.connector, min(w.since)
    from (select r.connector, greatest(coalesce(r.enqueued_at, r.updated_at), r.next_attempt_at) as since
          from sync_runs r
          join integrations i on i.tenant_id = r.tenant_id and i.id = r.integration_id
          where r.status in ('queued', 'running', 'waiting') and (i.lease_until is null or i.lease_until < p_now)) w
    where w.since <= p_now
    group by w.connector
    union all
    select 'mail', min(m.next_attempt_at)
    from mail_outbox m
    where m.finished_at is null and m.next_attempt_at <= p_now and (m.lease_until is null or m.lease_until < p_now)
    having count(*) > 0
$$;

-- What ops/dead-letters lists, counted.
create function count_dead_letters() returns bigint
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$ select (select count(*) from sync_runs where status = 'dead') + (select count(*) from dead_letters where requeued_at is null) $$;

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
