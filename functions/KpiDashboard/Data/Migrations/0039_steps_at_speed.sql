-- As in 0002, but it waits for nobody. It takes the rows of many runs of many businesses, in no order: one that waited for a step at
-- work, while it held the run of another step of the same business, waited in a circle. A row that is held is worked on: its message
-- came, and the mark has nothing to say.
create or replace function mark_enqueued(p_runs uuid[], p_now timestamptz) returns void
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    update sync_runs r set enqueued_at = p_now
    from (select s.tenant_id, s.id from sync_runs s where s.id = any (p_runs) for update skip locked) f
    where r.tenant_id = f.tenant_id and r.id = f.id
$$;

-- Each part of the values refers to its own part of the days, which holds the same businesses: looking for a row by way of the whole
-- table took half of the time that writing a quarter of divided days took.
do $$
declare
    v_name text;
begin
    for v_name in
        select conname from pg_constraint where conrelid = 'breakdown_values'::regclass and confrelid = 'breakdown_days'::regclass and
            contype = 'f' and conparentid = 0
    loop
        execute format('alter table breakdown_values drop constraint %I', v_name);
    end loop;
    for v_part in 0..7 loop
        execute format(

                'alter table %I add foreign key (tenant_id, source, dimension, day) references %I (tenant_id, source, dimension, day) on delete cascade',
            'breakdown_values_' || v_part, 'breakdown_days_' || v_part);
    end loop;
end $$;
