-- A source that was disconnected: no credentials, never read, but the days that were measured, and what they are made of, stay. Connecting again goes on with
-- the same row. A release that does not know the word treats it as not active.
alter table integrations drop constraint integrations_status_check;
alter table integrations add constraint integrations_status_check check (status in ('active', 'paused', 'reconnect_needed', 'disconnected'));
alter table integrations add constraint integrations_disconnected_check check (status <> 'disconnected' or (credentials is null and next_due_at is null));
