using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Operations;

/// <summary>How long what is kept; section <c>Retention</c>.</summary>
internal sealed class RetentionOptions
{
    /// <summary>Days that executions are kept one by one; then their totals per workflow and day remain.</summary>
    public int ExecutionDays { get; set; } = 90;

    /// <summary>Months that KPI values and daily totals are kept: two years to compare, and the month that goes on.</summary>
    public int ValueMonths { get; set; } = 25;

    /// <summary>Years that the audit log is kept. The database itself refuses less than one.</summary>
    public int AuditYears { get; set; } = 7;

    /// <summary>
    /// Days that ended syncs and their requests are kept; those that a kept number came from stay with it. The database itself refuses less than 30.
    /// </summary>
    public int RunDays { get; set; } = 90;

    internal static bool IsValid(RetentionOptions options) =>
        options is { ExecutionDays: >= 31 and <= 3650, ValueMonths: >= 14 and <= 240, AuditYears: >= 1 and <= 50, RunDays: >= 31 and <= 3650 };
}

/// <summary>
/// Removes what is past its time: in small transactions, so many of them per run, and whatever is left at the next. Being killed at any point leaves answers
/// as they were: a day's totals stand before the first of its executions goes, and are never added up again after that.
/// </summary>
internal sealed partial class Retention(Database database, TenantFaults faults, IOptions<RetentionOptions> options, TimeProvider time, ILogger<Retention> logger) : IHousekeeping
{
    /// <summary>Rows that one transaction removes at most.</summary>
    internal const int Batch = 2_000;

    /// <summary>Syncs that one transaction removes at most; each takes dozens of requests with it.</summary>
    internal const int RunBatch = 200;

    /// <summary>Tenants or integrations that one run looks at, at most.</summary>
    internal const int MaxPlaces = 500;

    /// <summary>Rows that one run removes at most, of each kind; tests set less.</summary>
    internal int MaxRows { get; init; } = 200_000;

    /// <summary>Tables of daily numbers, with what a row is known by beside its tenant. Values of a breakdown go before the day that they belong to.</summary>
    private static readonly (string Table, string Key)[] Dated =
    [
        ("kpi_restatements", "id"), ("automation_daily", "integration_id, day, workflow_id"),
        ("breakdown_values", "source, dimension, day, member"), ("breakdown_days", "source, dimension, day"),
    ];

    /// <inheritdoc />
    public string Name => "retention";

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        List<Exception> failures = [];
        var executions = await TryAsync(CompactExecutionsAsync);
        var values = await TryAsync(RemoveValuesAsync);
        var runs = await TryAsync(RemoveRunsAsync);
        var entries = await TryAsync(RemoveAuditEntriesAsync);
        if (executions + values + runs + entries > 0) LogRemoved(executions, values, runs, entries);
        if (failures.Count > 0) throw new AggregateException("Not everything that is past its time could be removed.", failures);

        // What is wrong with one of them has nothing to do with the others.
        async Task<int> TryAsync(Func<CancellationToken, Task<int>> remove)
        {
            try
            {
                return await remove(cancellationToken);
            }
#pragma warning disable CA1031 // It is thrown in the end.
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                failures.Add(error);
                return 0;
            }
        }
    }

    /// <summary>Removes executions of days that stay as totals. Returns how many.</summary>
    internal async Task<int> CompactExecutionsAsync(CancellationToken cancellationToken)
    {
        var old = await database.QueryAsync<OldExecutions>(
            "select tenant_id as TenantId, integration_id as IntegrationId, keep_from as KeepFrom, starts from list_old_executions(@now, @days, @limit)",
            new { now = time.GetUtcNow(), days = options.Value.ExecutionDays, limit = MaxPlaces }, cancellationToken);
        var removed = 0;
        await faults.ForEachAsync("retention of executions", old, place => (place.TenantId, place.IntegrationId), async place =>
        {
            for (var count = Batch; count == Batch && removed < MaxRows;)
            {
                count = await database.InTenantAsync(place.TenantId, async tx =>
                {
                    // The row that every writer of executions holds while it adds them up: nobody counts a day again while it goes.
                    if (await tx.QuerySingleOrDefaultAsync<Guid?>(
                            "select id from integrations where tenant_id = @tenant and id = @IntegrationId for update skip locked", new { place.IntegrationId }) is null)
                        return 0;
                    await tx.ExecuteAsync(
                        """
                        update integrations set executions_kept_from = @KeepFrom
                        where tenant_id = @tenant and id = @IntegrationId and (executions_kept_from is null or executions_kept_from < @KeepFrom)
                        """,
                        new { place.IntegrationId, place.KeepFrom });
                    return await tx.ExecuteAsync(
                        """
                        delete from executions
                        where tenant_id = @tenant and integration_id = @IntegrationId and execution_id in (
                            select e.execution_id from executions e
                            where e.tenant_id = @tenant and e.integration_id = @IntegrationId and e.started_at < @Starts
                            order by e.started_at limit @Batch)
                        """,
                        new { place.IntegrationId, place.Starts, Batch });
                }, cancellationToken);
                removed += count;
            }

            return removed < MaxRows;
        }, cancellationToken);
        return removed;
    }

    /// <summary>Removes KPI values, what is told of their restatements, how they divide, and daily totals. Returns how many rows.</summary>
    internal async Task<int> RemoveValuesAsync(CancellationToken cancellationToken)
    {
        var old = await database.QueryAsync<OldValues>(
            "select tenant_id as TenantId, keep_from as KeepFrom from list_old_values(@now, @months, @limit)",
            new { now = time.GetUtcNow(), months = options.Value.ValueMonths, limit = MaxPlaces }, cancellationToken);
        var removed = 0;
        await faults.ForEachAsync("retention of values", old, place => (place.TenantId, null), async place =>
        {
            var done = false;
            while (!done && removed < MaxRows)
            {
                var count = await database.InTenantAsync(place.TenantId, async tx =>
                {
                    // What was read reaches no further back than what is kept of it.
                    await tx.ExecuteAsync("update integrations set read_from = @KeepFrom where tenant_id = @tenant and read_from < @KeepFrom", new { place.KeepFrom });
                    var gone = await RemoveMonthsAsync(tx, place.KeepFrom);
                    foreach (var (table, key) in Dated)
                    {
                        gone += await tx.ExecuteAsync(
                            $"""
                            delete from {table} where tenant_id = @tenant and ({key}) in (
                                select {key} from {table} where tenant_id = @tenant and day < @KeepFrom limit @Batch)
                            """,
                            new { place.KeepFrom, Batch });
                    }

                    if (gone > 0) await TenantProfile.BumpVersionAsync(tx);
                    else await tx.ExecuteAsync("update tenants set values_kept_from = @KeepFrom where id = @tenant", new { place.KeepFrom });
                    return gone;
                }, cancellationToken);
                removed += count;
                done = count == 0;
            }

            return removed < MaxRows;
        }, cancellationToken);
        return removed;
    }

    /// <summary>Removes months before a day, and the days before it of its own month. Returns how many rows that touched.</summary>
    private static async Task<int> RemoveMonthsAsync(TenantTransaction tx, DateOnly keepFrom)
    {
        await tx.ExecuteAsync(KpiWriter.Lock);
        var gone = await tx.ExecuteAsync(
            """
            delete from kpi_months where tenant_id = @tenant and (month, source, kpi) in (
                select month, source, kpi from kpi_months where tenant_id = @tenant and month < date_trunc('month', @keepFrom::date)::date limit @Batch)
            """,
            new { keepFrom, Batch });
        if (gone == Batch) return gone;
        // All of the month that is cut in one statement: no business has so many KPIs that it were long.
        gone += await tx.ExecuteAsync(
            """
            with cut as (
                select m.source, m.kpi, array_agg(case when p.place >= @first then m.days[p.place] end order by p.place) as days,
                       array_agg(case when p.place >= @first then m.first_writes[p.place] end order by p.place) as firsts,
                       array_agg(case when p.place >= @first then m.last_writes[p.place] end order by p.place) as lasts
                from kpi_months m cross join generate_series(1, 31) as p (place)
                where m.tenant_id = @tenant and m.month = date_trunc('month', @keepFrom::date)::date and array_remove(m.days[1:@first - 1], null) <> '{}'
                group by m.source, m.kpi
            )
            update kpi_months m
            set days = c.days, first_writes = c.firsts, last_writes = c.lasts, ended = m.ended & ~((1 << (@first - 1)) - 1)
            from cut c
            where m.tenant_id = @tenant and m.month = date_trunc('month', @keepFrom::date)::date and m.source = c.source and m.kpi = c.kpi
            """,
            new { keepFrom, first = keepFrom.Day });
        await tx.ExecuteAsync(
            "delete from kpi_months where tenant_id = @tenant and month = date_trunc('month', @keepFrom::date)::date and array_remove(days, null) = '{}'",
            new { keepFrom });
        // What no value names any more; they are numbered as time goes on.
        await tx.ExecuteAsync(
            """
            delete from kpi_writes w
            where w.tenant_id = @tenant
              and w.number < (select min(u.number) from kpi_months m cross join lateral unnest(m.first_writes || m.last_writes) as u (number)
                              where m.tenant_id = @tenant)
            """);
        return gone;
    }

    /// <summary>Removes ended syncs with their requests, after the values that may name them. Returns how many syncs.</summary>
    internal async Task<int> RemoveRunsAsync(CancellationToken cancellationToken)
    {
        var keepFrom = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime).AddDays(-options.Value.RunDays);
        var before = keepFrom.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
        var removed = 0;
        var old = await database.QueryAsync<Guid>("select tenant_id from list_old_runs(@keepFrom, @limit)", new { keepFrom, limit = MaxPlaces }, cancellationToken);
        await faults.ForEachAsync("retention of syncs", old, tenant => (tenant, null), async tenant =>
        {
            var count = RunBatch;
            while (count == RunBatch && removed < MaxRows)
            {
                count = await database.InTenantAsync(tenant, async tx =>
                {
                    var gone = await tx.QuerySingleAsync<int>("select purge_sync_runs(@before, @RunBatch)", new { before, RunBatch });
                    if (gone < RunBatch) await tx.ExecuteAsync("update tenants set runs_kept_from = @keepFrom where id = @tenant", new { keepFrom });
                    if (gone > 0) await TenantProfile.BumpVersionAsync(tx);
                    return gone;
                }, cancellationToken);
                removed += count;
            }

            return removed < MaxRows;
        }, cancellationToken);
        return removed;
    }

    /// <summary>Removes audit entries. Returns how many.</summary>
    internal async Task<int> RemoveAuditEntriesAsync(CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow().AddYears(-options.Value.AuditYears);
        var removed = 0;
        for (var count = Batch; count == Batch && removed < MaxRows; removed += count)
            count = (await database.QueryAsync<int>("select purge_audit_log(@before, @Batch)", new { before, Batch }, cancellationToken))[0];
        return removed;
    }

    [LoggerMessage(4101, LogLevel.Information, "Retention removed {Executions} executions, {Values} rows of values, {Runs} syncs and {Entries} audit entries")]
    private partial void LogRemoved(int executions, int values, int runs, int entries);

    private sealed record OldExecutions(Guid TenantId, Guid IntegrationId, DateOnly KeepFrom, DateTime Starts);

    private sealed record OldValues(Guid TenantId, DateOnly KeepFrom);
}
