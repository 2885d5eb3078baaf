using KpiDashboard.Data;

namespace KpiDashboard.Kpis;

/// <summary>Writes readings: the same reading twice changes nothing, a changed one is a restatement and is recorded.</summary>
internal static class KpiWriter
{
    /// <summary>What a write did.</summary>
    /// <param name="Readings">How many readings came.</param>
    /// <param name="Changed">How many were new or different.</param>
    /// <param name="Restated">How many changed a day that had ended when it was read before.</param>
    public readonly record struct Outcome(int Readings, int Changed, int Restated);

    /// <summary>Writes readings of one run, one import or one push.</summary>
    /// <param name="tx">The tenant's transaction.</param>
    /// <param name="readings">At most one per KPI and day.</param>
    /// <param name="integrationId">Where they come from; null for what was pushed or imported.</param>
    /// <param name="runId">The run that read them, or the import that brought them; null for what was pushed.</param>
    /// <param name="today">The date in the provider's zone: that day is not over yet.</param>
    /// <param name="now">The instant of writing.</param>
    public static async Task<Outcome> WriteAsync(
        TenantTransaction tx, IReadOnlyCollection<(string Kpi, DateOnly Day, decimal Value)> readings, Guid? integrationId, Guid? runId, DateOnly today, DateTimeOffset now)
    {
        if (readings.Count == 0) return default;
        var (changed, restated) = await tx.QuerySingleAsync<(int Changed, int Restated)>(
            """
            with input as (
                select i.kpi, i.day, i.value, i.day < @today as day_ended from unnest(@kpis, @days, @values) as i (kpi, day, value)
            ),
            before as (
                select v.kpi, v.day, v.value, v.day_ended
                from input join kpi_values v on v.tenant_id = @tenant and v.kpi = input.kpi and v.day = input.day
            ),
            written as (
                insert into kpi_values as v (tenant_id, kpi, day, value, day_ended, integration_id, run_id, first_seen_at, changed_at)
                select @tenant, kpi, day, value, day_ended, @integrationId, @runId, @now, @now from input
                order by kpi, day
                on conflict (tenant_id, kpi, day) do update
                set value = excluded.value, day_ended = v.day_ended or excluded.day_ended, integration_id = excluded.integration_id,
                    run_id = excluded.run_id, changed_at = excluded.changed_at
                where v.value <> excluded.value or (excluded.day_ended and not v.day_ended)
                returning v.kpi, v.day, v.value
            ),
            restated as (
                insert into kpi_restatements (tenant_id, kpi, day, old_value, new_value, run_id, at)
                select @tenant, w.kpi, w.day, b.value, w.value, @runId, @now
                from written w join before b using (kpi, day)
                where b.day_ended and b.value <> w.value
                returning 1
            )
            select (select count(*) from written w left join before b using (kpi, day) where b.value is distinct from w.value)::int,
                   (select count(*) from restated)::int
            """,
            new
            {
                kpis = readings.Select(reading => reading.Kpi).ToArray(),
                days = readings.Select(reading => reading.Day).ToArray(),
                values = readings.Select(reading => reading.Value).ToArray(),
                integrationId,
                runId,
                today,
                now,
            });
        return new Outcome(readings.Count, changed, restated);
    }

    /// <summary>
    /// Removes values of days of which the source tells them no more; those of ended days stay readable among the restatements.
    /// </summary>
    /// <param name="tx">The tenant's transaction.</param>
    /// <param name="days">The days.</param>
    /// <param name="kept">What the source does still report.</param>
    /// <param name="integrationId">Whose values.</param>
    /// <param name="runId">The run that found out; null for a push.</param>
    /// <param name="now">The instant of writing.</param>
    /// <returns>How many values went.</returns>
    public static Task<int> WithdrawAsync(
        TenantTransaction tx, IReadOnlyCollection<DateOnly> days, IEnumerable<(string Kpi, DateOnly Day)> kept, Guid integrationId, Guid? runId, DateTimeOffset now)
    {
        if (days.Count == 0) return Task.FromResult(0);
        var stay = kept.Where(reading => days.Contains(reading.Day)).ToList();
        return tx.QuerySingleAsync<int>(
            """
            with gone as (
                delete from kpi_values v
                where v.tenant_id = @tenant and v.integration_id = @integrationId and v.day = any (@days)
                  and not exists (select 1 from unnest(@kpis, @stayDays) as r (kpi, day) where r.kpi = v.kpi and r.day = v.day)
                returning v.kpi, v.day, v.value, v.day_ended
            ),
            told as (
                insert into kpi_restatements (tenant_id, kpi, day, old_value, new_value, run_id, at)
                select @tenant, kpi, day, value, null, @runId, @now from gone where day_ended
            )
            select count(*)::int from gone
            """,
            new { integrationId, days = days.ToArray(), kpis = stay.Select(reading => reading.Kpi).ToArray(), stayDays = stay.Select(reading => reading.Day).ToArray(), runId, now });
    }
}
