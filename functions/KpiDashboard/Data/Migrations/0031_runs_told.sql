-- Why a run failed, what goes on now, and what mended a failure.
alter table executions
    -- Sleeps until wait_until, or until somebody answers (null); the instant stays when it goes on, which is when it began to work again.
    add column waiting boolean not null default false,
    add column wait_until timestamptz,
    -- The run that did the same again and succeeded.
    add column retried_by text check (length(retried_by) <= 100),
    -- Where it failed; with error_message all that is kept of what went through it.
    add column error_node text check (length(error_node) <= 200),
    -- When the source was asked why it failed and need not be asked again; null: not yet, or it told by itself.
    add column error_asked_at timestamptz,
    -- Questions that nobody answered.
    add column error_tries smallint not null default 0;

-- The newest runs of a business, and of one workflow; those that failed, which are few.
create index executions_recent on executions (tenant_id, started_at desc, execution_id desc);
create index executions_of_workflow on executions (tenant_id, workflow_id, started_at desc, execution_id desc);
create index executions_failed on executions (tenant_id, started_at desc, execution_id desc) where status = 'failed';

alter table integrations
    -- Whether the source may be asked why a run failed.
    add column reads_messages boolean not null default true,
    -- When it was last asked what goes on, and up to when that knows of every run.
    add column looked_at timestamptz,
    add column looked_through timestamptz;

alter table workflows
    add column tags text[] not null default '{}',
    -- Of the source, as it names it; several only where the source divides its workflows.
    add column project_id text check (length(project_id) <= 100),
    add column project text check (length(project) <= 200);
