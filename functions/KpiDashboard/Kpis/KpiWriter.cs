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
}
