-- Syncs, and with them what they asked their provider for, go after a while (Retention:RunDays). Those that a number or a restatement which is still kept came
-- from stay as long as it does: its provenance names them.

-- UTC day before which this tenant's ended syncs were looked through; null while they never were.
alter table tenants add column runs_kept_from date;

-- "Which ended days did this sync change?" read all restatements of the tenant without it.
create index kpi_restatements_run on kpi_restatements (tenant_id, run_id);

-- Tenants whose syncs were last looked through for an earlier first day than this one.
create function list_old_runs(p_keep_from date, p_limit integer) returns table (tenant_id uuid)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select t.id from tenants t
    where t.runs_kept_from is null or t.runs_kept_from < p_keep_from
    order by t.runs_kept_from nulls first, t.id
    limit p_limit
$$;

-- Removes the ended syncs of the tenant of this transaction that ended before an instant, p_limit at most, with their requests. kpi_app cannot delete a sync
-- otherwise, and the age is checked here, by the server's clock. The newest of each integration stays: it says how the integration is.
create function purge_sync_runs(p_before timestamptz, p_limit integer) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_tenant constant uuid := current_tenant_id();
    v_count  integer;
begin
    if p_before is null or p_before > now() - interval '30 days' then
        raise exception 'Syncs are kept for 30 days at least.' using errcode = 'check_violation';
    end if;
    with old as (
        select r.id from sync_runs r
        where r.tenant_id = v_tenant and r.status in ('succeeded', 'failed', 'dead') and r.finished_at < p_before
          -- One pass over the tenant's values costs less than an index on the largest table there is.
          and r.id not in (select v.run_id from kpi_values v where v.tenant_id = v_tenant and v.run_id is not null)
          and not exists (select 1 from kpi_restatements k where k.tenant_id = v_tenant and k.run_id = r.id)
          and exists (select 1 from sync_runs n where n.tenant_id = v_tenant and n.integration_id = r.integration_id and n.queued_at > r.queued_at)
        order by r.finished_at
        limit p_limit
        for update skip locked
    ),
    gone as (delete from sync_runs r using old o where r.tenant_id = v_tenant and r.id = o.id returning 1)
    select count(*)::int into v_count from gone;
    return v_count;
end $$;

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.proname in ('list_old_runs', 'purge_sync_runs')
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
