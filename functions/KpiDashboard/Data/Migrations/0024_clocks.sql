-- What is not complete cannot be final, whoever writes it. least() alone would forget a null: nothing complete, nothing final.
create function final_within(p_final date, p_complete date) returns date
language sql immutable parallel safe
as $$ select case when p_complete is not null then least(p_final, p_complete) end where p_final is not null $$;

update integrations set final_through = case when complete_through is not null then least(final_through, complete_through) end
where final_through is not null and (complete_through is null or final_through > complete_through);
alter table integrations add constraint integrations_final_within_complete
    check (final_through is null or (complete_through is not null and final_through <= complete_through));

-- Ends that lie in the future were let in: such a run took nobody knows how long. The days that they made centuries of are added up without them.
create temporary table beyond on commit drop as
select distinct e.tenant_id, e.integration_id, e.workflow_id, z.zone, (e.started_at at time zone z.zone)::date as day
from executions e
join integrations i on i.tenant_id = e.tenant_id and i.id = e.integration_id
join tenants t on t.id = e.tenant_id
cross join lateral (select safe_zone(coalesce(i.time_zone, t.time_zone)) as zone) z
where e.stopped_at > now() + interval '1 day' and e.started_at between timestamptz '2000-01-01Z' and now() + interval '1 day';
update executions set stopped_at = null where stopped_at > now() + interval '1 day';
update automation_daily d
set finished_ms = (
    select coalesce(sum(extract(epoch from e.stopped_at - e.started_at) * 1000), 0)::bigint from executions e
    where e.tenant_id = d.tenant_id and e.integration_id = d.integration_id and e.workflow_id = d.workflow_id and e.kind = 'production'
      and e.status in ('succeeded', 'failed') and (e.started_at at time zone b.zone)::date = d.day)
from beyond b
where d.tenant_id = b.tenant_id and d.integration_id = b.integration_id and d.workflow_id = b.workflow_id and d.day = b.day and d.finished_ms is not null;
update kpi_values v
set value = (select coalesce(sum(d.finished_ms), 0) from automation_daily d where d.tenant_id = v.tenant_id and d.integration_id = v.integration_id and d.day = v.day)
from beyond b
where v.tenant_id = b.tenant_id and v.integration_id = b.integration_id and v.day = b.day and v.kpi = 'automation.finished_ms';

-- How many of the finished runs of a day have a duration: a mean of durations divides by these, not by all. Null where finished_ms is.
alter table automation_daily add column timed integer check (timed >= 0);
with untimed as (
    select e.tenant_id, e.integration_id, (e.started_at at time zone safe_zone(coalesce(i.time_zone, t.time_zone)))::date as day, e.workflow_id, count(*)::int as runs
    from executions e
    join integrations i on i.tenant_id = e.tenant_id and i.id = e.integration_id
    join tenants t on t.id = e.tenant_id
    where e.kind = 'production' and e.status in ('succeeded', 'failed') and e.stopped_at is null
    group by 1, 2, 3, 4
)
update automation_daily d
set timed = greatest(d.succeeded + d.failed - coalesce(
    (select u.runs from untimed u where u.tenant_id = d.tenant_id and u.integration_id = d.integration_id and u.day = d.day and u.workflow_id = d.workflow_id), 0), 0)
where d.finished_ms is not null and d.succeeded is not null;

insert into kpi_values (tenant_id, kpi, day, value, day_ended, integration_id, run_id, first_seen_at, changed_at)
select v.tenant_id, 'automation.timed', v.day, coalesce(d.timed, 0), v.day_ended, v.integration_id, v.run_id, v.first_seen_at, v.changed_at
from kpi_values v
left join lateral (
    select sum(a.timed) as timed from automation_daily a where a.tenant_id = v.tenant_id and a.integration_id = v.integration_id and a.day = v.day
) d on true
where v.kpi = 'automation.finished_ms'
on conflict (tenant_id, kpi, day) do nothing;
