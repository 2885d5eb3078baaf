-- Whoever left a business sees what he began there as his, and no longer what stands in it: others may have written that since. As in 0028 otherwise: what is kept by
-- address is of the person only where it proved the address.
create or replace function export_person(p_user uuid, p_limit integer) returns table (part text, item text)
language plpgsql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_email text;
    v record;
begin
    select u.email into v_email from users u where u.id = p_user and u.email_verified_at is not null;
    return query
        select 'account'::text, (to_jsonb(u) - withheld_columns('users'))::text from users u where u.id = p_user;
    return query
        select 'businesses'::text, jsonb_build_object('id', t.id, 'name', t.name, 'role', m.role, 'joined_at', m.created_at, 'deactivated_at', m.deactivated_at)::text
        from memberships m join tenants t on t.id = m.tenant_id where m.user_id = p_user order by m.created_at;
    for v in
        select c.oid::regclass as source, c.relname::text as name, a.attname::text as field, a.atttypid = 'text'::regtype as by_email,
               exists (select 1 from pg_attribute x where x.attrelid = c.oid and x.attname = 'tenant_id' and not x.attisdropped) as of_business
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname not in ('users', 'memberships', 'audit_log')
          and (exists (select 1 from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and k.confrelid = 'users'::regclass and k.conkey = array[a.attnum])
               or (v_email is not null and a.attname = 'email' and a.atttypid = 'text'::regtype
                   and not exists (select 1 from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and k.confrelid = 'users'::regclass and k.confdeltype = 'c')))
        order by c.relname, a.attnum
    loop
        return query execute format(
            'select %L::text, (case when %L or exists (select 1 from memberships m where m.user_id = $1 and m.deactivated_at is null and m.tenant_id = %s)'
            || ' then to_jsonb(x) - withheld_columns(%L)'
            || ' else jsonb_strip_nulls(jsonb_build_object(''tenant_id'', to_jsonb(x) -> ''tenant_id'', ''id'', to_jsonb(x) -> ''id'', ''created_at'', to_jsonb(x) -> ''created_at'', %L, to_jsonb(x) -> %L))'
            || ' end)::text from %s x where %s limit $3',
            v.name, not v.of_business or v.by_email, case when v.of_business then 'x.tenant_id' else 'null::uuid' end, v.name, v.field, v.field, v.source,
            case when v.by_email then format('lower(x.%I) = lower($2)', v.field) else format('x.%I = $1', v.field) end)
            using p_user, v_email, p_limit;
    end loop;
    -- From where somebody else acted is that person's, not this one's.
    return query
        select 'audit_log'::text, (case when a.actor_id = p_user then to_jsonb(a) else to_jsonb(a) - array['actor_id', 'actor_name', 'address', 'user_agent'] end)::text
        from audit_log a
        where a.actor_id = p_user or (a.subject_kind = 'person' and a.subject_id = p_user::text)
        order by a.at desc
        limit p_limit;
end $$;
