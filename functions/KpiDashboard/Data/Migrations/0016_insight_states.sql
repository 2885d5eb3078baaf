-- Insights that somebody put aside. An insight itself is computed whenever it is asked for; here is only what it said when it was put aside, so that it comes
-- back once that is no longer what it says.
create table insight_states (
    tenant_id  uuid not null references tenants (id) on delete cascade,
    insight_id uuid not null,
    state      text not null check (state in ('dismissed', 'snoozed')),
    -- Snoozed: the first day on which it shows again.
    until      date,
    -- What it said: its kind (up, down, since a day) and how large.
    says       text not null check (length(says) <= 100),
    magnitude  numeric not null,
    text       text not null check (length(text) <= 1000),
    set_at     timestamptz not null,
    primary key (tenant_id, insight_id),
    check ((state = 'snoozed') = (until is not null))
);
call protect_tenant_table('insight_states');
grant select, insert, update, delete on insight_states to kpi_app;
