-- The rest of what grows with businesses times days lies in eight parts by the hash of the business, too (0036 says why, and did it for values):
-- vacuum, and an index that no longer fits into memory, are those of a part. Keys, references, checks, policies and grants stay what they were.
-- What is moved is moved in one statement a table; on a large installation that takes minutes, during which nothing else can run.

-- Of a partitioned table only Postgres 17 knows "generated always as identity".
alter table sync_requests alter column id drop identity;
create sequence sync_requests_number;
select setval('sync_requests_number', (select coalesce(max(id), 0) + 1 from sync_requests), false);
alter table sync_requests alter column id set default nextval('sync_requests_number');
alter sequence sync_requests_number owned by sync_requests.id;
grant usage on sequence sync_requests_number to kpi_app;

create procedure move_into_parts(p_table text)
language plpgsql
set search_path = public, pg_temp
as $$
declare
    v_old text := 'old_' || p_table;
    v_indexes text[];
    v_keys text[];
    v_into text[];
    v_default record;
    v_one record;
    v_sql text;
begin
    -- Its indexes and keys as they are written, and what refers to it.
    select array_agg(pg_get_indexdef(i.indexrelid)) into v_indexes
    from pg_index i where i.indrelid = p_table::regclass and not exists (select 1 from pg_constraint c where c.conindid = i.indexrelid and c.conrelid = i.indrelid);
    select array_agg(format('alter table %I add constraint %I %s', p_table, conname, pg_get_constraintdef(oid)) order by contype desc) into v_keys
    from pg_constraint where conrelid = p_table::regclass and contype in ('p', 'u', 'f') and conparentid = 0;
    select array_agg(format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))) into v_into
    from pg_constraint where confrelid = p_table::regclass and contype = 'f' and conparentid = 0;
    for v_one in select conrelid::regclass as holder, conname from pg_constraint where confrelid = p_table::regclass and contype = 'f' and conparentid = 0 loop
        execute format('alter table %s drop constraint %I', v_one.holder, v_one.conname);
    end loop;
    for v_one in select conname from pg_constraint where conrelid = p_table::regclass and contype in ('p', 'u', 'f') and conparentid = 0 loop
        execute format('alter table %I drop constraint %I', p_table, v_one.conname);
    end loop;
    for v_one in select indexrelid::regclass as name from pg_index where indrelid = p_table::regclass loop
        execute format('drop index %s', v_one.name);
    end loop;

    execute format('alter table %I rename to %I', p_table, v_old);
    execute format('create table %I (like %I including defaults including constraints including generated including storage including comments) partition by hash (tenant_id)',
        p_table, v_old);
    for v_part in 0..7 loop
        execute format('create table %I partition of %I for values with (modulus 8, remainder %s)', p_table || '_' || v_part, p_table, v_part);
        execute format('call protect_tenant_table(%L)', p_table || '_' || v_part);
    end loop;
    execute format('call protect_tenant_table(%L)', p_table);
    -- Who may do what.
    for v_one in
        select a.grantee::regrole as who, string_agg(a.privilege_type, ', ') as what
        from pg_class c, aclexplode(c.relacl) a where c.oid = v_old::regclass and a.grantee <> c.relowner and a.grantee <> 0 group by 1
    loop
        execute format('grant %s on %I to %s', v_one.what, p_table, v_one.who);
    end loop;
    -- A sequence belongs to a column; it must not go with the old one.
    for v_default in
        select s.oid::regclass as name, a.attname from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
        join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid where d.refobjid = v_old::regclass and d.deptype = 'a'
    loop
        execute format('alter sequence %s owned by %I.%I', v_default.name, p_table, v_default.attname);
    end loop;

    execute format('insert into %I select * from %I', p_table, v_old);
    execute format('drop table %I', v_old);
    foreach v_sql in array v_keys || coalesce(v_indexes, '{}') || coalesce(v_into, '{}') loop
        execute v_sql;
    end loop;
end $$;

call move_into_parts('executions');
call move_into_parts('automation_daily');
call move_into_parts('push_log');
call move_into_parts('sync_runs');
call move_into_parts('sync_requests');
drop procedure move_into_parts;

-- As in 0039: a part refers to its own part, which holds the same businesses.
do $$
declare
    v_name text;
begin
    for v_name in
        select conname from pg_constraint where conrelid = 'sync_requests'::regclass and confrelid = 'sync_runs'::regclass and contype = 'f' and conparentid = 0
    loop
        execute format('alter table sync_requests drop constraint %I', v_name);
    end loop;
    for v_part in 0..7 loop
        execute format(
            'alter table %I add foreign key (tenant_id, run_id) references %I (tenant_id, id) on delete cascade',
            'sync_requests_' || v_part, 'sync_runs_' || v_part);
    end loop;
end $$;
