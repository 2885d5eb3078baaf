using KpiDashboard.Data;
using KpiDashboard.Kpis;

namespace KpiDashboard.Automation;

/// <summary>
/// Moves what is counted by the tenant's own days to another time zone: executions are instants, and only adding them up made days of them. A provider that
/// has a zone of its own (a GA4 property) goes on counting by its own days, which do not move.
/// </summary>
internal static class ZoneMove
{
    /// <summary>
    /// Adds every stored execution up again by the days of the new zone, moves the three clocks and what was read, and re-plans daily syncs and runs under way,
    /// all in the caller's transaction, which holds the tenant's integrations and then the tenant locked.
    /// </summary>
    /// <remarks>
    /// These values are no restatements: nobody corrected what happened on a day, the day became another 24 hours. Old values go and new ones come without
    /// an entry in <c>kpi_restatements</c>, and earlier entries of the moved KPIs go too, because "Tuesday 412 → 431" tells of a Tuesday that is no more. That
    /// days moved, and when, and by whom, is in the audit log. Time saved is worked out with the price of each new day.
    /// </remarks>
    public static async Task ApplyAsync(TenantTransaction tx, string from, string to, DateTimeOffset now)
    {
        // The stored zone may be one that this server does not know: its days were those of UTC then.
        from = await tx.QuerySingleAsync<string>("select safe_zone(@from)", new { from });
        // A step that is under way counts by the old days: without its lease its result is dropped whole. Its run starts over with a window of new days, sent
        // again by the sweeper; else the hours between the old and the new midnight could fall between two slices.
        await tx.ExecuteAsync(
            "update integrations set lease_token = null, lease_until = null where tenant_id = @tenant and time_zone is null and lease_token is not null");
        await tx.ExecuteAsync(
            """
            update sync_runs r
            set window_from = null, window_to = null, slices_total = 0, slices_done = 0, checkpoint = null, step = step + 1, enqueued_at = null, updated_at = @now
            from integrations i
            where r.tenant_id = @tenant and i.tenant_id = @tenant and i.id = r.integration_id and i.time_zone is null and r.status in ('running', 'waiting')
            """,
            new { now });
        // Never later than planned: what was due soon stays due, or the numbers would be late because of a setting.
        await tx.ExecuteAsync(
            """
            update integrations set next_due_at = least(next_due_at, next_due_at(schedule, sync_hour, @to, id, @now))
            where tenant_id = @tenant and schedule = 'daily' and next_due_at > @now
            """,
            new { to, now });
        var moved = await tx.QueryAsync<Moved>(
            """
            update integrations i
            set complete_through = last_whole_day(complete_through, @from, @to), final_through = last_whole_day(final_through, @from, @to),
                measurable_from = first_whole_day(measurable_from, @from, @to),
                -- What is only pushed was never read: it begins with the first run that came, whatever part of a day that was.
                read_from = case when i.settings ->> 'pushOnly' = 'true'
                    then coalesce((select min((e.started_at at time zone @to)::date) from executions e
                                   where e.tenant_id = i.tenant_id and e.integration_id = i.id), first_whole_day(read_from, @from, @to))
                    else first_whole_day(read_from, @from, @to) end,
                -- Days whose executions are gone cannot be counted anew: they stay days of the old zone.
                executions_kept_from = first_whole_day(executions_kept_from, @from, @to),
                -- The day of the last read was going on: its beginning is surely read.
                read_to = (start_of_day(read_to, @from) at time zone @to)::date
            where tenant_id = @tenant and time_zone is null and read_from is not null
            returning i.id, greatest(i.read_from, i.executions_kept_from, i.measurable_from) as ReadFrom, i.settings ->> 'pushOnly' = 'true' is true as PushOnly,
                      coalesce(i.executions_kept_from, '-infinity') as KeptFrom, (i.fetched_at at time zone @to)::date as Today,
                      (select r.id from sync_runs r where r.tenant_id = i.tenant_id and r.integration_id = i.id order by r.finished_at desc nulls last limit 1) as Run,
                      exists (select 1 from workflows w where w.tenant_id = i.tenant_id and w.integration_id = i.id)
                          or exists (select 1 from executions e where e.tenant_id = i.tenant_id and e.integration_id = i.id) as Counts
            """,
            new { from, to });
        foreach (var integration in moved)
        {
            // Nothing is known after the last fetch: a zero there would be a lie. Not every integration has a run: what is pushed comes without.
            if (integration is not { Counts: true, Today: { } today }) continue;
            await tx.ExecuteAsync("delete from automation_daily where tenant_id = @tenant and integration_id = @Id and day >= @KeptFrom", new { integration.Id, integration.KeptFrom });
            await tx.ExecuteAsync(
                """
                select 1 from tenants where id = @tenant for no key update;
                delete from kpi_restatements r using integrations i
                where r.tenant_id = @tenant and i.tenant_id = @tenant and i.id = @Id and r.source = i.source and r.kpi = any (@kpis) and r.day >= @KeptFrom;
                delete from kpi_values v using integrations i
                where v.tenant_id = @tenant and i.tenant_id = @tenant and i.id = @Id and v.source = i.source and v.kpi = any (@kpis) and v.day >= @KeptFrom;
                """,
                new { integration.Id, integration.KeptFrom, kpis = AutomationEndpoints.Kpis.Where(kpi => kpi.Compute is null).Select(kpi => kpi.Key).ToArray() });
            var readings = integration.PushOnly
                ? await PushedAsync(tx, integration, to, today)
                : await AutomationWriter.RollUpAsync(tx, integration.Id, to, integration.ReadFrom, today);
            await KpiWriter.WriteAsync(tx, readings, integration.Id, integration.Run, today, now);
        }
    }

    /// <summary>
    /// What is only pushed has values of days on which something came: of the others nobody knows. And how far it is complete is told by when
    /// something came last, as each push tells it: moved day by day, it would lose one on the way there and one on the way back.
    /// </summary>
    private static async Task<IReadOnlyList<(string Kpi, DateOnly Day, decimal Value)>> PushedAsync(TenantTransaction tx, Moved integration, string to, DateOnly today)
    {
        var days = await tx.QueryAsync<DateOnly>(
            """
            select distinct (started_at at time zone @to)::date from executions
            where tenant_id = @tenant and integration_id = @Id and started_at >= (select start_of_day(@ReadFrom, @to)) order by 1
            """, new { integration.Id, integration.ReadFrom, to });
        var readings = new List<(string, DateOnly, decimal)>();
        readings.AddRange(await AutomationWriter.RollUpAsync(tx, integration.Id, to, [.. days.Select(day => (day, day))]));
        var (complete, final) = await AutomationWriter.PushedThroughAsync(tx, integration.Id, to, today);
        await tx.ExecuteAsync(
            "update integrations set complete_through = @complete, final_through = final_within(@final, @complete) where tenant_id = @tenant and id = @Id",
            new { integration.Id, complete, final });
        return readings;
    }

    /// <summary>Locks what <see cref="ApplyAsync"/> changes, in the order in which a finished sync step does.</summary>
    public static Task LockAsync(TenantTransaction tx) =>
        tx.QueryAsync<Guid>("select id from integrations where tenant_id = @tenant order by id for update");

    private sealed record Moved(Guid Id, DateOnly ReadFrom, bool PushOnly, DateOnly KeptFrom, DateOnly? Today, Guid? Run, bool Counts);
}
