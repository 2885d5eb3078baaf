-- What is known of a workflow, day by day: when it was described, whether it is still there, on which days its runs cannot be known in full, and what a success saves.
alter table workflows
    -- When a list of the source last told of it for the first time; null while it is known from its runs or from pushes alone.
    add column described_at timestamptz,
    -- A complete list has it no more: deleted there. What it did stays.
    add column gone_at timestamptz,
    -- The key shows it no more; whether it still runs nobody can tell.
    add column hidden_at timestamptz,
    -- Days on which its runs cannot be known in full: its successes were thrown away, or the key did not show it. Without an end: until further notice.
    add column unmeasured datemultirange not null default '{}';

update workflows w set described_at = w.updated_at
from integrations i
where i.tenant_id = w.tenant_id and i.id = w.integration_id and i.settings ->> 'pushOnly' is distinct from 'true';
-- Since when they are thrown away was not kept; days that were counted in full say so themselves.
update workflows w
set unmeasured = datemultirange(daterange((
    select max(d.day) + 1 from automation_daily d
    where d.tenant_id = w.tenant_id and d.integration_id = w.integration_id and d.workflow_id = w.workflow_id and d.executions is not null), null))
where w.active and not w.keeps_successes;

alter table integrations
    -- When the source last listed all its workflows, and when the key was last changed: what a new key does not show need not be gone.
    add column workflows_listed_at timestamptz,
    add column key_changed_at timestamptz;
update integrations set workflows_listed_at = fetched_at where connector = 'n8n' and settings ->> 'pushOnly' is distinct from 'true';

-- What a success of a workflow saves, from a day on until the next entry; minutes null: from then on nobody says. The first entry counts for all the days before, too.
create table workflow_prices (
    tenant_id      uuid not null,
    integration_id uuid not null,
    workflow_id    text not null,
    from_day       date not null,
    minutes        numeric(10, 2),
    primary key (tenant_id, integration_id, workflow_id, from_day),
    foreign key (tenant_id, integration_id, workflow_id) references workflows (tenant_id, integration_id, workflow_id) on delete cascade
);
call protect_tenant_table('workflow_prices');
grant select, insert, update, delete on workflow_prices to kpi_app;

-- Days were counted at what was said last; that is the price of the past as far as anybody knows.
insert into workflow_prices (tenant_id, integration_id, workflow_id, from_day, minutes)
select tenant_id, integration_id, workflow_id, '-infinity', coalesce(minutes_saved, provider_minutes_saved)
from workflows where coalesce(minutes_saved, provider_minutes_saved) is not null;

-- What a success of a workflow saved on a day; null where nobody said.
create function workflow_price(p_tenant uuid, p_integration uuid, p_workflow text, p_day date) returns numeric
language sql stable parallel safe
as $$
    select p.minutes from workflow_prices p
    where p.tenant_id = p_tenant and p.integration_id = p_integration and p.workflow_id = p_workflow and p.from_day <= p_day
    order by p.from_day desc limit 1
$$;

alter table executions
    -- When it was seen waiting: when it fell asleep, and when it was to go on (null: not said).
    add column asleep_at timestamptz,
    add column wakes_at timestamptz;

-- How long a run took without what it is known to have waited; null where nobody tells: without an end, or called awake before its time.
create function time_at_work(p_started timestamptz, p_stopped timestamptz, p_asleep timestamptz, p_wakes timestamptz) returns interval
language sql immutable parallel safe
as $$
    select case
        when p_stopped < p_started then null
        when p_asleep is null or p_asleep >= p_stopped then p_stopped - p_started
        when p_wakes <= p_stopped and p_wakes >= p_asleep then greatest((p_stopped - p_started) - (p_wakes - p_asleep), interval '0')
    end
$$;

-- Runs are those that finished, well or badly; what was cancelled is told beside them, and what still runs or waits is none yet.
alter table automation_daily
    add column canceled integer not null default 0 check (canceled >= 0),
    -- What a success of the workflow saved on this day; null: nobody said.
    add column price numeric(10, 2);
update automation_daily d set price = p.minutes
from workflow_prices p
where p.tenant_id = d.tenant_id and p.integration_id = d.integration_id and p.workflow_id = d.workflow_id;
update automation_daily d
set canceled = coalesce(n.canceled, 0), executions = d.succeeded + d.failed
from automation_daily a
left join lateral (
    select count(*)::int as canceled
    from executions e
    join integrations i on i.tenant_id = e.tenant_id and i.id = e.integration_id
    join tenants t on t.id = e.tenant_id
    where e.tenant_id = a.tenant_id and e.integration_id = a.integration_id and e.workflow_id = a.workflow_id and e.kind = 'production' and e.status = 'canceled'
      and e.started_at >= start_of_day(a.day, safe_zone(coalesce(i.time_zone, t.time_zone))) and e.started_at < start_of_day(a.day + 1, safe_zone(coalesce(i.time_zone, t.time_zone)))
) n on a.executions is distinct from a.succeeded + a.failed
where d.tenant_id = a.tenant_id and d.integration_id = a.integration_id and d.day = a.day and d.workflow_id = a.workflow_id and d.executions is distinct from d.succeeded + d.failed;
update kpi_values v
set value = s.value + f.value
from kpi_values s
join kpi_values f on f.tenant_id = s.tenant_id and f.day = s.day and f.kpi = 'automation.failed'
where v.kpi = 'automation.executions' and s.kpi = 'automation.succeeded' and s.tenant_id = v.tenant_id and s.day = v.day and v.value <> s.value + f.value;
