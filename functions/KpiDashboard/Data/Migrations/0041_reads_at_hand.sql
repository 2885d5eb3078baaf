-- What a read asks of a source beside its own row. Each request opens its business and asks for the sources only when the data version has
-- moved, but Postgres prepares to run all of a statement, also what its condition then leaves out: every part of every divided table was
-- locked and opened each time. A function in plpgsql is opened when it is called.

-- Whether a source is being read, or waits to be, and the words for what it waits for.
create function live_run(p_tenant uuid, p_integration uuid)
returns table (live boolean, waits_for text)
language plpgsql stable parallel safe
as $$
begin
    return query
    select count(*) > 0, max(r.message) filter (where r.status = 'waiting')
    from sync_runs r
    where r.tenant_id = p_tenant and r.integration_id = p_integration and r.status in ('queued', 'running', 'waiting');
end
$$;

revoke all on function live_run(uuid, uuid) from public;
grant execute on function live_run(uuid, uuid) to kpi_app;
