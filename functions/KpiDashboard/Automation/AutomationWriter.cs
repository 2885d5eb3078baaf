using KpiDashboard.Connectors;
using KpiDashboard.Data;

namespace KpiDashboard.Automation;

/// <summary>Writes workflows and executions, and adds executions up to days.</summary>
internal static class AutomationWriter
{
    /// <summary>Writes workflows as the provider describes them now; what was set here (minutes saved) stays.</summary>
    public static Task WriteWorkflowsAsync(TenantTransaction tx, Guid integrationId, IReadOnlyCollection<WorkflowReading> workflows, DateTimeOffset now) =>
        workflows.Count == 0 ? Task.CompletedTask : tx.ExecuteAsync(
            """
            insert into workflows as w (tenant_id, integration_id, workflow_id, name, active, keeps_successes, provider_minutes_saved, updated_at)
            select @tenant, @integrationId, i.id, i.name, i.active, i.keeps, i.minutes, @now
            from unnest(@ids, @names, @active, @keeps, @minutes) as i (id, name, active, keeps, minutes)
            order by i.id
            on conflict (tenant_id, integration_id, workflow_id) do update
            set name = excluded.name, active = excluded.active, keeps_successes = excluded.keeps_successes,
                provider_minutes_saved = excluded.provider_minutes_saved, updated_at = excluded.updated_at
            where (w.name, w.active, w.keeps_successes, w.provider_minutes_saved)
                  is distinct from (excluded.name, excluded.active, excluded.keeps_successes, excluded.provider_minutes_saved)
            """,
            new
            {
                integrationId,
                now,
                ids = workflows.Select(workflow => workflow.WorkflowId).ToArray(),
                names = workflows.Select(workflow => workflow.Name).ToArray(),
                active = workflows.Select(workflow => workflow.Active).ToArray(),
                keeps = workflows.Select(workflow => workflow.KeepsSuccesses).ToArray(),
                minutes = workflows.Select(workflow => workflow.TimeSavedMinutes).ToArray(),
            });

    /// <summary>
    /// The start of the first execution of those workflows that are described for the first time now: their list could not be read when their executions were. Null if
    /// there is none. To be asked before they are written.
    /// </summary>
    public static async Task<DateTimeOffset?> UndescribedSinceAsync(TenantTransaction tx, Guid integrationId, IReadOnlyCollection<WorkflowReading> workflows) =>
        workflows.Count == 0 ? null : await tx.QuerySingleOrDefaultAsync<DateTimeOffset?>(
            """
            select min(e.started_at)
            from unnest(@ids) as i (id)
            join executions e on e.tenant_id = @tenant and e.integration_id = @integrationId and e.workflow_id = i.id
            where not exists (select 1 from workflows w where w.tenant_id = @tenant and w.integration_id = @integrationId and w.workflow_id = i.id)
            """,
            new { integrationId, ids = workflows.Select(workflow => workflow.WorkflowId).ToArray() });

    /// <summary>Writes executions; one that is known to have ended is never set back to unfinished.</summary>
    public static Task WriteExecutionsAsync(TenantTransaction tx, Guid integrationId, IReadOnlyCollection<ExecutionReading> executions) =>
        executions.Count == 0 ? Task.CompletedTask : tx.ExecuteAsync(
            """
            insert into executions as e (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at, stopped_at)
            select @tenant, @integrationId, i.id, i.workflow, i.status, i.kind, i.started, i.stopped
            from unnest(@ids, @workflows, @statuses, @kinds, @started, @stopped) as i (id, workflow, status, kind, started, stopped)
            order by i.id
            on conflict (tenant_id, integration_id, execution_id) do update
            set workflow_id = excluded.workflow_id, status = excluded.status, kind = excluded.kind, started_at = excluded.started_at, stopped_at = excluded.stopped_at
            where (e.status = 'unfinished' or excluded.status <> 'unfinished')
              and (e.workflow_id, e.status, e.kind, e.started_at, e.stopped_at)
                  is distinct from (excluded.workflow_id, excluded.status, excluded.kind, excluded.started_at, excluded.stopped_at)
            """,
            new
            {
                integrationId,
                ids = executions.Select(execution => execution.ExecutionId).ToArray(),
                workflows = executions.Select(execution => execution.WorkflowId).ToArray(),
                statuses = executions.Select(execution => Word(execution.Status)).ToArray(),
                kinds = executions.Select(execution => Word(execution.Kind)).ToArray(),
                started = executions.Select(execution => execution.StartedAt.UtcDateTime).ToArray(),
                stopped = executions.Select(execution => execution.StoppedAt?.UtcDateTime).ToArray(),
            });

    /// <summary>Stops waiting for executions that the source no longer knows.</summary>
    public static Task LoseAsync(TenantTransaction tx, Guid integrationId, IReadOnlyList<string> executions) =>
        executions.Count == 0 ? Task.CompletedTask : tx.ExecuteAsync(
            """
            update executions set status = 'lost'
            where tenant_id = @tenant and integration_id = @integrationId and execution_id = any (@ids) and status = 'unfinished'
            """,
            new { integrationId, ids = executions.ToArray() });

    /// <summary>Executions whose end is not known yet, newest first.</summary>
    public static Task<IReadOnlyList<string>> UnfinishedAsync(TenantTransaction tx, Guid integrationId) => tx.QueryAsync<string>(
        """
        select execution_id from executions
        where tenant_id = @tenant and integration_id = @integrationId and status = 'unfinished'
        order by started_at desc
        limit 200
        """,
        new { integrationId });

    /// <summary>First local day on which an execution is unfinished; null if none is.</summary>
    public static Task<DateOnly?> FirstUnfinishedDayAsync(TenantTransaction tx, Guid integrationId, string timeZone) => tx.QuerySingleAsync<DateOnly?>(
        """
        select min((started_at at time zone @timeZone)::date) from executions
        where tenant_id = @tenant and integration_id = @integrationId and status = 'unfinished'
        """,
        new { integrationId, timeZone });

    /// <summary>
    /// Adds executions up again for a range of tenant-local days, per workflow, and returns the days' KPI readings. A day without executions is a real 0 here:
    /// the whole list of that day was read. Minutes saved are not reported while no workflow says what a success saves, and failures alone are reported while
    /// an active workflow throws its successes away: a total without them would be wrong, and 0 a lie. Days whose executions were removed for their age keep the
    /// totals that they have.
    /// </summary>
    public static async Task<IReadOnlyList<(string Kpi, DateOnly Day, decimal Value)>> RollUpAsync(
        TenantTransaction tx, Guid integrationId, string timeZone, DateOnly from, DateOnly to)
    {
        var kept = await tx.QuerySingleOrDefaultAsync<DateOnly?>("select executions_kept_from from integrations where tenant_id = @tenant and id = @integrationId", new { integrationId });
        if (kept > from) from = kept.Value;
        if (from > to) return [];
        await tx.ExecuteAsync(
            """
            with counted as (
                select (e.started_at at time zone @timeZone)::date as day, e.workflow_id,
                       count(*)::int as executions,
                       (count(*) filter (where e.status = 'succeeded'))::int as succeeded,
                       (count(*) filter (where e.status = 'failed'))::int as failed,
                       coalesce(sum(extract(epoch from e.stopped_at - e.started_at) * 1000) filter (where e.status in ('succeeded', 'failed')), 0)::bigint as finished_ms,
                       (count(*) filter (where e.status in ('succeeded', 'failed') and e.stopped_at is not null))::int as timed
                from executions e
                where e.tenant_id = @tenant and e.integration_id = @integrationId and e.kind = 'production'
                  and e.started_at >= start_of_day(@from, @timeZone) and e.started_at < start_of_day(@to + 1, @timeZone)
                group by 1, 2
            ),
            removed as (
                delete from automation_daily d
                where d.tenant_id = @tenant and d.integration_id = @integrationId and d.day between @from and @to
                  and not exists (select 1 from counted c where c.day = d.day and c.workflow_id = d.workflow_id)
            )
            insert into automation_daily (tenant_id, integration_id, day, workflow_id, executions, succeeded, failed, finished_ms, timed, minutes_saved)
            select @tenant, @integrationId, c.day, c.workflow_id, case when known then c.executions end, case when known then c.succeeded end, c.failed,
                   case when known then c.finished_ms end, case when known then c.timed end, case when known then c.succeeded * coalesce(w.minutes_saved, w.provider_minutes_saved) end
            from counted c
            left join workflows w on w.tenant_id = @tenant and w.integration_id = @integrationId and w.workflow_id = c.workflow_id
            cross join lateral (select coalesce(w.keeps_successes, true) as known) k
            on conflict (tenant_id, integration_id, day, workflow_id) do update
            set executions = excluded.executions, succeeded = excluded.succeeded, failed = excluded.failed, finished_ms = excluded.finished_ms,
                timed = excluded.timed, minutes_saved = excluded.minutes_saved
            """,
            new { integrationId, timeZone, from, to });

        var days = await tx.QueryAsync<DayTotals>(
            """
            select g.day::date as day, coalesce(sum(d.executions), 0)::int as executions, coalesce(sum(d.succeeded), 0)::int as succeeded,
                   coalesce(sum(d.failed), 0)::int as failed, coalesce(sum(d.finished_ms), 0)::bigint as finishedms, coalesce(sum(d.timed), 0)::int as timed,
                   coalesce(sum(d.minutes_saved), 0)::numeric as minutessaved,
                   exists (select 1 from workflows w where w.tenant_id = @tenant and w.integration_id = @integrationId
                           and coalesce(w.minutes_saved, w.provider_minutes_saved) is not null) as saves,
                   not exists (select 1 from workflows w where w.tenant_id = @tenant and w.integration_id = @integrationId
                               and w.active and not w.keeps_successes) as complete
            from generate_series(@from::timestamp, @to::timestamp, interval '1 day') as g (day)
            left join automation_daily d on d.tenant_id = @tenant and d.integration_id = @integrationId and d.day = g.day::date
            group by g.day
            order by g.day
            """,
            new { integrationId, from, to });
        var readings = new List<(string, DateOnly, decimal)>(days.Count * 5);
        foreach (var day in days)
        {
            readings.Add(("automation.failed", day.Day, day.Failed));
            if (!day.Complete) continue;
            readings.Add(("automation.executions", day.Day, day.Executions));
            readings.Add(("automation.succeeded", day.Day, day.Succeeded));
            readings.Add(("automation.finished_ms", day.Day, day.FinishedMs));
            readings.Add(("automation.timed", day.Day, day.Timed));
            if (day.Saves) readings.Add(("automation.time_saved", day.Day, day.MinutesSaved));
        }

        return readings;
    }

    /// <summary>
    /// Sets what one success of a workflow saves, null for what the source says, and counts every day again that its executions were added up for: also those whose
    /// executions are long gone. The caller holds the integration locked.
    /// </summary>
    /// <remarks>
    /// Values that change here are no restatements: nothing that happened is told differently, a price was put on it anew. Who did that, and when, is in the audit log.
    /// </remarks>
    public static async Task SetMinutesSavedAsync(TenantTransaction tx, Guid integrationId, string workflow, decimal? minutes, DateTimeOffset now)
    {
        await tx.ExecuteAsync(
            """
            update workflows set minutes_saved = @minutes, updated_at = @now where tenant_id = @tenant and integration_id = @integrationId and workflow_id = @workflow;
            update automation_daily d
            set minutes_saved = d.succeeded * coalesce(w.minutes_saved, w.provider_minutes_saved)
            from workflows w
            where d.tenant_id = @tenant and d.integration_id = @integrationId and d.workflow_id = @workflow
              and w.tenant_id = @tenant and w.integration_id = @integrationId and w.workflow_id = @workflow;
            """,
            new { integrationId, workflow, minutes, now });
        // The days that have a total at all are those that were counted in full; without a workflow that saves anything nothing is measured, which is not 0.
        await tx.ExecuteAsync(
            """
            with saves as (
                select exists (select 1 from workflows w where w.tenant_id = @tenant and w.integration_id = @integrationId
                               and coalesce(w.minutes_saved, w.provider_minutes_saved) is not null) as any
            ),
            gone as (
                delete from kpi_values v using saves s
                where not s.any and v.tenant_id = @tenant and v.integration_id = @integrationId and v.kpi = 'automation.time_saved'
            )
            insert into kpi_values as v (tenant_id, kpi, day, value, day_ended, integration_id, run_id, first_seen_at, changed_at)
            select @tenant, 'automation.time_saved', t.day, coalesce(d.minutes, 0), t.day_ended, @integrationId, t.run_id, @now, @now
            from kpi_values t
            cross join saves s
            left join lateral (
                select sum(a.minutes_saved) as minutes from automation_daily a where a.tenant_id = @tenant and a.integration_id = @integrationId and a.day = t.day
            ) d on true
            where s.any and t.tenant_id = @tenant and t.integration_id = @integrationId and t.kpi = 'automation.succeeded'
            order by t.day
            on conflict (tenant_id, kpi, day) do update set value = excluded.value, changed_at = excluded.changed_at
            where v.value <> excluded.value
            """,
            new { integrationId, now });
    }

    /// <summary>As it is stored.</summary>
    internal static string Word(ExecutionStatus status) => status switch
    {
        ExecutionStatus.Unfinished => "unfinished",
        ExecutionStatus.Succeeded => "succeeded",
        ExecutionStatus.Failed => "failed",
        ExecutionStatus.Canceled => "canceled",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, null),
    };

    /// <summary>As it is stored.</summary>
    internal static string Word(ExecutionKind kind) => kind switch
    {
        ExecutionKind.Production => "production",
        ExecutionKind.Manual => "manual",
        ExecutionKind.ErrorHandler => "error_handler",
        ExecutionKind.SubWorkflow => "sub_workflow",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    private sealed record DayTotals(DateOnly Day, int Executions, int Succeeded, int Failed, long FinishedMs, int Timed, decimal MinutesSaved, bool Saves, bool Complete);
}
