-- As in 0002, but it waits for nobody. It takes the rows of many runs of many businesses, in no order: one that waited for a step at work, while it held
-- the run of another step of the same business, waited in a circle. A row that is held is worked on: its message came, and the mark has nothing to say.
create or replace function mark_enqueued(p_runs uuid[], p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    update sync_runs r set enqueued_at = p_now
    from (select s.tenant_id, s.id from sync_runs s where s.id = any (p_runs) for update skip locked) f
    where r.tenant_id = f.tenant_id and r.id = f.id
$$;
