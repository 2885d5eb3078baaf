-- Sign-ins at identity providers that belong to an account. No tenant's, so kpi_app reaches it through the functions only.
create table user_identities (
    -- As the token says it, not as it was configured: Entra has one issuer for each directory.
    issuer       text not null check (length(issuer) <= 500),
    subject      text not null check (length(subject) <= 255),
    user_id      uuid not null references users (id) on delete cascade,
    -- What the provider called the address when it was last used; for the person to see, never to find an account by.
    email        text not null check (length(email) <= 254),
    created_at   timestamptz not null,
    last_used_at timestamptz not null,
    primary key (issuer, subject)
);
create index user_identities_user on user_identities (user_id);

-- Whose sign-in this is; notes that it was used.
create function use_identity(p_issuer text, p_subject text, p_email text, p_now timestamptz) returns table (user_id uuid, disabled boolean)
language sql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
    update user_identities i set last_used_at = p_now, email = coalesce(p_email, i.email)
    from users u
    where i.issuer = p_issuer and i.subject = p_subject and u.id = i.user_id
    returning u.id, u.disabled_at is not null
$$;

-- Links a sign-in to an account whose address was proved, with its audit entry. Returns whose it is: another's if it was linked already. No row: the account
-- is gone, deactivated, or has not proved its address (any more).
create function link_identity(
    p_user uuid, p_issuer text, p_subject text, p_email text, p_action text, p_after jsonb, p_address text, p_agent text, p_now timestamptz) returns table (user_id uuid)
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
    insert into user_identities (issuer, subject, user_id, email, created_at, last_used_at)
    select p_issuer, p_subject, u.id, p_email, p_now, p_now from users u
    where u.id = p_user and u.email_verified_at is not null and u.disabled_at is null
    on conflict (issuer, subject) do nothing;
    if found then
        perform audit_person(p_user, p_action, null, p_after, p_address, p_agent, p_now);
    end if;
    return query select i.user_id from user_identities i where i.issuer = p_issuer and i.subject = p_subject;
end $$;

do $$
declare f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.prosecdef
    loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to kpi_app', f);
    end loop;
end $$;
