-- Letting us in at Google, and sealing everything anew with another key.

-- What Google gave for a sign-in, or the key of a service account, until a property is chosen; an hour at most.
create table google_grants (
    tenant_id   uuid not null references tenants (id) on delete cascade,
    id          uuid not null unique,
    user_id     uuid not null references users (id) on delete cascade,
    kind        text not null check (kind in ('oauth', 'service_account')),
    account     text check (length(account) <= 320),
    -- Sealed by the application before it gets here.
    credentials bytea not null,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    primary key (tenant_id, id)
);
create index google_grants_user on google_grants (user_id);
create index google_grants_expired on google_grants (expires_at);
call protect_tenant_table('google_grants');
grant select, insert, update, delete on google_grants to kpi_app;

create function purge_google_grants(p_now timestamptz) returns integer
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$ with gone as (delete from google_grants where expires_at <= p_now returning 1) select count(*)::integer from gone $$;

-- Google ends everything that an account ever allowed us when one of its tokens is revoked, whichever business it was for.
create function google_account_in_use(p_account text, p_except uuid, p_now timestamptz) returns boolean
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select exists (select 1 from integrations i
                   where i.connector = 'google-analytics' and i.status <> 'disconnected' and i.id <> p_except
                     and i.settings ->> 'grant' is distinct from 'service_account' and lower(coalesce(i.settings ->> 'account', p_account)) = lower(p_account))
        or exists (select 1 from google_grants g where g.kind = 'oauth' and g.expires_at > p_now and lower(coalesce(g.account, p_account)) = lower(p_account))
$$;

-- Columns that hold what the application sealed; it knows for each what it was sealed for. p_header begins each value that is sealed with the current key.
create function list_sealed(p_column text, p_header bytea, p_after uuid, p_limit integer) returns table (id uuid, value bytea)
language plpgsql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
    case p_column
        when 'integrations.credentials' then return query
            select i.id, i.credentials from integrations i
            where i.id > p_after and octet_length(i.credentials) > 0 and substring(i.credentials from 1 for octet_length(p_header)) <> p_header order by i.id limit p_limit;
        when 'google_grants.credentials' then return query
            select g.id, g.credentials from google_grants g
            where g.id > p_after and octet_length(g.credentials) > 0 and substring(g.credentials from 1 for octet_length(p_header)) <> p_header order by g.id limit p_limit;
        when 'api_tokens.signing_secret' then return query
            select t.id, t.signing_secret from api_tokens t
            where t.id > p_after and octet_length(t.signing_secret) > 0 and substring(t.signing_secret from 1 for octet_length(p_header)) <> p_header order by t.id limit p_limit;
        when 'users.totp_secret' then return query
            select u.id, u.totp_secret from users u
            where u.id > p_after and octet_length(u.totp_secret) > 0 and substring(u.totp_secret from 1 for octet_length(p_header)) <> p_header order by u.id limit p_limit;
        when 'mail_outbox.payload' then return query
            select m.id, m.payload from mail_outbox m
            where m.id > p_after and octet_length(m.payload) > 0 and substring(m.payload from 1 for octet_length(p_header)) <> p_header order by m.id limit p_limit;
        else raise exception 'No sealed column %', p_column using errcode = 'invalid_parameter_value';
    end case;
end $$;

-- Puts new values in the place of old ones; what changed meanwhile stays. How many were replaced.
create function replace_sealed(p_column text, p_ids uuid[], p_old bytea[], p_new bytea[]) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_count integer;
begin
    case p_column
        when 'integrations.credentials' then
            update integrations t set credentials = n.new from unnest(p_ids, p_old, p_new) n (id, old, new) where t.id = n.id and t.credentials = n.old;
        when 'google_grants.credentials' then
            update google_grants t set credentials = n.new from unnest(p_ids, p_old, p_new) n (id, old, new) where t.id = n.id and t.credentials = n.old;
        when 'api_tokens.signing_secret' then
            update api_tokens t set signing_secret = n.new from unnest(p_ids, p_old, p_new) n (id, old, new) where t.id = n.id and t.signing_secret = n.old;
        when 'users.totp_secret' then
            update users t set totp_secret = n.new from unnest(p_ids, p_old, p_new) n (id, old, new) where t.id = n.id and t.totp_secret = n.old;
        when 'mail_outbox.payload' then
            update mail_outbox t set payload = n.new from unnest(p_ids, p_old, p_new) n (id, old, new) where t.id = n.id and t.payload = n.old;
        else raise exception 'No sealed column %', p_column using errcode = 'invalid_parameter_value';
    end case;
    get diagnostics v_count = row_count;
    return v_count;
end $$;

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.proname in ('purge_google_grants', 'google_account_in_use', 'list_sealed', 'replace_sealed')
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
