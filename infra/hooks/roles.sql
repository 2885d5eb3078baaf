-- Roles of the database in Azure, as one of its Entra administrators on the database `postgres`. Run before each deployment; changes nothing that is right already.
-- $1 is the object id of the identity that the app runs as, $2 that of the Entra group that is on call; empty: nobody but the administrators.
select set_config('kpi.app', $1, false), set_config('kpi.on_call', $2, false);

-- Owns the tables. Nobody signs in as it: migrations do `set role`. The administrators' group hands it on and takes it back, never one of them: what somebody
-- granted himself nobody else can revoke, and the next one to deploy could not grant at all.
do $$
begin
    if not exists (select from pg_roles where rolname = 'kpi_owner') then
        create role kpi_owner nologin nosuperuser nobypassrls nocreatedb nocreaterole noreplication;
        grant kpi_owner to azure_pg_admin with admin true, inherit false, set false;
    end if;
end
$$;
grant kpi_owner to current_user granted by azure_pg_admin;

-- The app. Its name is ours, the identity behind it Azure's; never an administrator, or row-level security would not bind it.
select pgaadauth_create_principal_with_oid('kpi_app', current_setting('kpi.app'), 'service', false, false)
where not exists (select from pg_roles where rolname = 'kpi_app');

-- Who is on call: the group signs in as kpi_oncall, reads nothing, and becomes kpi_owner only by saying so (`set role`).
select pgaadauth_create_principal_with_oid('kpi_oncall', current_setting('kpi.on_call'), 'group', false, false)
where current_setting('kpi.on_call') <> '' and not exists (select from pg_roles where rolname = 'kpi_oncall');

do $$
begin
    if not exists (select from pg_roles where rolname = 'kpi_oncall') then
        return;
    end if;
    if current_setting('kpi.on_call') = '' then
        revoke kpi_owner from kpi_oncall granted by azure_pg_admin;
    else
        grant kpi_owner to kpi_oncall with inherit false, set true granted by azure_pg_admin;
    end if;
end
$$;
