-- Roles of the database in Azure, as its Entra administrator on the database `postgres`. Run before each deployment; changes nothing that is right already.
-- $1 is the object id of the identity that the app runs as.

-- Owns the tables. Nobody signs in as it: migrations do `set role`.
do $$
begin
    if not exists (select from pg_roles where rolname = 'kpi_owner') then
        create role kpi_owner nologin nosuperuser nobypassrls nocreatedb nocreaterole noreplication;
    end if;
end
$$;
grant kpi_owner to current_user;

-- The app. Its name is ours, the identity behind it Azure's; never an administrator, or row-level security would not bind it.
select pgaadauth_create_principal_with_oid('kpi_app', $1, 'service', false, false)
where not exists (select from pg_roles where rolname = 'kpi_app');
