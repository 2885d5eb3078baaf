-- What an agency has to know of a business is not only what cannot be read, but what does not work there any more. Its failing workflows are
-- worked out with the score and kept beside it: how many there are, the one that fails most, and since when.
alter table tenants
    add column failing_workflows smallint not null default 0 check (failing_workflows >= 0),
    add column failing_workflow text check (length(failing_workflow) between 1 and 1000),
    add column failing_since date,
    add constraint tenants_failing check ((failing_workflows > 0) = (failing_workflow is not null and failing_since is not null));
-- The trigger of 0023 asks about zones, which do not change here. All are due again: nothing is known of them yet.
alter table tenants disable trigger user;
update tenants set health_version = null;
alter table tenants enable trigger user;

-- As in 0035, with what fails.
drop function list_scores_of(uuid);
create function list_scores_of(p_user uuid)
returns table (tenant_id uuid, score smallint, day date, at timestamptz, current boolean, failing smallint, failing_name text, failing_since date)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
set jit = off
as $$
    select t.id, t.health_score, readable(t.health_day), readable(t.health_at), t.health_version = t.data_version,
           t.failing_workflows, t.failing_workflow, readable(t.failing_since)
    from memberships m
    join tenants t on t.id = m.tenant_id
    where m.user_id = p_user and m.deactivated_at is null and t.health_at is not null
$$;
revoke all on function list_scores_of(uuid) from public;
grant execute on function list_scores_of(uuid) to kpi_app;
