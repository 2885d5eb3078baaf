-- Every key of a table of businesses holds the business, so that its rows can lie on any server (Citus: distributed by it) without a change here.
-- What has to be found without knowing the business (a token by its hash, a run by its id) is found by an index; that it is there once is sure
-- without a constraint, because it is random: 122 bits of an id, 256 of a hash.
alter table integrations drop constraint integrations_id_key;
create index integrations_id on integrations (id);
alter table sync_runs drop constraint sync_runs_id_key;
create index sync_runs_id on sync_runs (id);
alter table api_tokens drop constraint api_tokens_token_hash_key;
create index api_tokens_hash on api_tokens (token_hash);
drop index api_tokens_id;
create index api_tokens_id on api_tokens (id);
alter table google_grants drop constraint google_grants_id_key;
create index google_grants_id on google_grants (id);
alter table invitations drop constraint invitations_token_hash_key;
create index invitations_hash on invitations (token_hash);
alter table dashboard_shares drop constraint dashboard_shares_token_hash_key;
create index dashboard_shares_hash on dashboard_shares (token_hash);

-- What a goal, and a link to a dashboard, is narrowed to: ids of integrations, or "push". Null: all sources.
alter table goals add column sources text[] check (cardinality(sources) between 1 and 50);
alter table dashboard_shares add column sources text[] check (cardinality(sources) between 1 and 50);
