using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Security;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Automation;

/// <summary>Writes workflows and executions, and adds executions up to days.</summary>
internal static class AutomationWriter
{
    /// <summary>
    /// Writes workflows as the provider describes them now; what was set here (minutes saved) stays. What a complete list lacks is gone, unless the key may just not show it.
    /// </summary>
    /// <param name="tx">The tenant's transaction; the integration is locked.</param>
    /// <param name="integrationId">Whose.</param>
    /// <param name="workflows">Those that were listed.</param>
    /// <param name="isComplete">These are all that the key shows.</param>
    /// <param name="from">First day whose runs are listed in full now.</param>
    /// <param name="zone">Whose days.</param>
    /// <param name="now">The instant of writing.</param>
    /// <returns>A sentence about those that are not shown any more; null if there are none.</returns>
    public static async Task<string?> WriteWorkflowsAsync(
        TenantTransaction tx, Guid integrationId, IReadOnlyCollection<WorkflowReading> workflows, bool isComplete, DateOnly from,
        TimeZoneInfo zone, DateTimeOffset now)
    {
        if (workflows.Count == 0 && !isComplete) return null;
        var source = await tx.QuerySingleAsync<Listing>(
            "select workflows_listed_at as At, key_changed_at as KeyChangedAt from integrations where tenant_id = @tenant and id = @integrationId", new { integrationId });
        var today = LocalDay.Of(now, zone);
        // What a list does not tell happened since the one before.
        var since = source.At is { } listed ? LocalDay.Of(listed, zone) : (DateOnly?)null;
        var ids = workflows.Select(workflow => workflow.WorkflowId).ToArray();
        var before = isComplete ? await tx.QueryAsync<Known>(
            """
            select workflow_id as Id, hidden_at is not null as Hidden from workflows
            where tenant_id = @tenant and integration_id = @integrationId and described_at is not null and gone_at is null
            """, new { integrationId }) : [];
        await tx.ExecuteAsync(
            """
            insert into workflows as w (tenant_id, integration_id, workflow_id, name, active, keeps_successes, provider_minutes_saved, described_at, unmeasured, updated_at)
            select @tenant, @integrationId, i.id, i.name, i.active, i.keeps, i.minutes, @now,
                   case when i.active and not i.keeps then datemultirange(daterange(@since::date, null)) else '{}' end, @now
            from unnest(@ids, @names, @active, @keeps, @minutes) as i (id, name, active, keeps, minutes)
            order by i.id
            on conflict (tenant_id, integration_id, workflow_id) do update
            set name = excluded.name, active = excluded.active, keeps_successes = excluded.keeps_successes,
                provider_minutes_saved = excluded.provider_minutes_saved, updated_at = excluded.updated_at,
                described_at = coalesce(w.described_at, excluded.described_at), gone_at = null, hidden_at = null,
                unmeasured = case
                    -- It was not shown, and now is: what it did meanwhile is listed as far back as is read now.
                    when w.hidden_at is not null and upper_inf(w.unmeasured) and (excluded.keeps_successes or not excluded.active)
                    then w.unmeasured - datemultirange(daterange(@from::date, null))
                    when excluded.active and not excluded.keeps_successes then
                        -- What was pushed until now is known; of what was listed, all that ran before the list that last told of it as kept.
                        case when upper_inf(w.unmeasured) then w.unmeasured
                             else w.unmeasured + datemultirange(daterange(case when w.described_at is null then @today::date else coalesce(@since::date, @today::date) end, null)) end
                    -- Nobody knows when on this day that changed.
                    when upper_inf(w.unmeasured) then w.unmeasured - datemultirange(daterange(@today::date + 1, null))
                    else w.unmeasured end
            where (w.name, w.active, w.keeps_successes, w.provider_minutes_saved)
                  is distinct from (excluded.name, excluded.active, excluded.keeps_successes, excluded.provider_minutes_saved)
               or w.described_at is null or w.gone_at is not null or w.hidden_at is not null
            """,
            new
            {
                integrationId,
                now,
                today,
                since,
                from,
                ids,
                names = workflows.Select(workflow => workflow.Name).ToArray(),
                active = workflows.Select(workflow => workflow.Active).ToArray(),
                keeps = workflows.Select(workflow => workflow.KeepsSuccesses).ToArray(),
                minutes = workflows.Select(workflow => workflow.TimeSavedMinutes).ToArray(),
            });
        var inFull = workflows.Where(workflow => workflow is { KeepsSuccesses: true, ListedInFullFrom: not null }).ToList();
        if (inFull.Count > 0)
        {
            await tx.ExecuteAsync(
                """
                update workflows w set unmeasured = w.unmeasured - datemultirange(daterange(i.day, null)), updated_at = @now
                from unnest(@ids, @days) as i (id, day)
                where w.tenant_id = @tenant and w.integration_id = @integrationId and w.workflow_id = i.id and w.unmeasured && daterange(i.day, null)
                """,
                new { integrationId, now, ids = inFull.Select(one => one.WorkflowId).ToArray(), days = inFull.Select(one => one.ListedInFullFrom!.Value).ToArray() });
        }

        await PriceAsync(tx, integrationId, [.. workflows.Select(workflow => (workflow.WorkflowId, DayOfChange(workflow, since, today, zone)))], now);
        return isComplete ? await MissAsync(tx, integrationId, before, [.. ids], source.At is null || source.KeyChangedAt >= source.At, since ?? today, today, now) : null;
    }

    /// <summary>A change counts from the day on which it was made; where nobody says, from the day on which it was seen.</summary>
    private static DateOnly DayOfChange(WorkflowReading workflow, DateOnly? since, DateOnly today, TimeZoneInfo zone) =>
        workflow.ChangedAt is { } changed && LocalDay.Of(changed, zone) is var day && day >= since && day < today ? day : today;

    /// <summary>
    /// What was listed before and is not any more. A source shows a key what that key may see, and tells nothing of the rest: so what a new key lacks, or an old one of a
    /// sudden of most, is not taken for deleted. Its history stays and its days from now on are not known.
    /// </summary>
    private static async Task<string?> MissAsync(
        TenantTransaction tx, Guid integrationId, IReadOnlyList<Known> before, HashSet<string> shown, bool keyIsNew, DateOnly since, DateOnly today, DateTimeOffset now)
    {
        var known = before.Where(workflow => !workflow.Hidden).ToList();
        var missing = known.Where(workflow => !shown.Contains(workflow.Id)).Select(workflow => workflow.Id).ToList();
        var hides = keyIsNew || missing.Count * 2 > known.Count;
        // A key that shows again most of what it did not: the rest is not there.
        var hidden = before.Where(workflow => workflow.Hidden).ToList();
        var still = hidden.Where(workflow => !shown.Contains(workflow.Id)).Select(workflow => workflow.Id).ToList();
        var gone = (hides ? [] : missing).Concat(still.Count * 2 < hidden.Count ? still : []).ToArray();
        await tx.ExecuteAsync(
            """
            update workflows set hidden_at = @now, updated_at = @now,
                   unmeasured = case when upper_inf(unmeasured) then unmeasured else unmeasured + datemultirange(daterange(@since::date, null)) end
            where tenant_id = @tenant and integration_id = @integrationId and workflow_id = any (@hidden);
            update workflows set gone_at = @now, hidden_at = null, active = false, updated_at = @now,
                   unmeasured = case when upper_inf(unmeasured) then unmeasured - datemultirange(daterange(@today::date + 1, null)) else unmeasured end
            where tenant_id = @tenant and integration_id = @integrationId and workflow_id = any (@gone);
            update integrations set workflows_listed_at = @now where tenant_id = @tenant and id = @integrationId;
            """,
            new { integrationId, now, since, today, hidden = hides ? missing.ToArray() : [], gone });
        var lacking = await tx.QueryAsync<string>(
            """
            select name from workflows where tenant_id = @tenant and integration_id = @integrationId and hidden_at is not null and gone_at is null
            order by active desc, name, workflow_id
            """, new { integrationId });
        return lacking.Count == 0 ? null : FewerShown(shown.Count, lacking);
    }

    /// <summary>What to say when a key shows fewer workflows than are known.</summary>
    private static string FewerShown(int shown, IReadOnlyList<string> lacking) =>
        $"Your n8n shows this key {shown} of {shown + lacking.Count} workflows. Not shown, and left out of the totals since then: {Names(lacking)}. "
        + "They may be deleted, or the key may not see them: a key of an owner or admin of your n8n sees all.";

    /// <summary>The first three names, and how many more.</summary>
    internal static string Names(IReadOnlyList<string> names)
    {
        var first = string.Join(", ", names.Take(3).Select(name => $"\"{(name.Length <= 60 ? name : KeptText.Cut(name, 60) + "…")}\""));
        return names.Count <= 3 ? first : $"{first} and {names.Count - 3} more";
    }

    /// <summary>
    /// Keeps what a success saves from now on, where that is not what was kept. Where nothing was ever said it counts for all the days before, too: it is no change of
    /// anything. The days are counted anew then.
    /// </summary>
    private static async Task PriceAsync(TenantTransaction tx, Guid integrationId, IReadOnlyCollection<(string Workflow, DateOnly Day)> changes, DateTimeOffset now)
    {
        if (changes.Count == 0) return;
        var changed = await tx.ExecuteAsync(
            """
            insert into workflow_prices (tenant_id, integration_id, workflow_id, from_day, minutes)
            select @tenant, @integrationId, w.workflow_id, case when l.from_day is null then '-infinity' else greatest(c.day, l.from_day) end, e.minutes
            from unnest(@ids, @days) as c (id, day)
            join workflows w on w.tenant_id = @tenant and w.integration_id = @integrationId and w.workflow_id = c.id
            cross join lateral (select coalesce(w.minutes_saved, w.provider_minutes_saved) as minutes) e
            left join lateral (
                select p.minutes, p.from_day from workflow_prices p
                where p.tenant_id = @tenant and p.integration_id = @integrationId and p.workflow_id = w.workflow_id order by p.from_day desc limit 1
            ) l on true
            where e.minutes is distinct from l.minutes
            on conflict (tenant_id, integration_id, workflow_id, from_day) do update set minutes = excluded.minutes
            """,
            new { integrationId, ids = changes.Select(change => change.Workflow).ToArray(), days = changes.Select(change => (DateOnly?)change.Day).ToArray() });
        if (changed > 0) await RepriceAsync(tx, integrationId, now);
    }

    /// <summary>
    /// The start of the first execution of those workflows that are described for the first time now: their list could not be read when their executions were, or they were
    /// pushed. Null if there is none. To be asked before they are written.
    /// </summary>
    public static async Task<DateTimeOffset?> UndescribedSinceAsync(TenantTransaction tx, Guid integrationId, IReadOnlyCollection<WorkflowReading> workflows) =>
        workflows.Count == 0 ? null : await tx.QuerySingleOrDefaultAsync<DateTimeOffset?>(
            """
            select min(e.started_at)
            from unnest(@ids) as i (id)
            join executions e on e.tenant_id = @tenant and e.integration_id = @integrationId and e.workflow_id = i.id
            -- Known from pushes alone is not described.
            where not exists (
                select 1 from workflows w where w.tenant_id = @tenant and w.integration_id = @integrationId and w.workflow_id = i.id and w.described_at is not null)
            """,
            new { integrationId, ids = workflows.Select(workflow => workflow.WorkflowId).ToArray() });

    /// <summary>Writes executions; one that is known to have ended is never set back to unfinished.</summary>
    public static Task WriteExecutionsAsync(TenantTransaction tx, Guid integrationId, IReadOnlyCollection<ExecutionReading> executions) =>
        executions.Count == 0 ? Task.CompletedTask : tx.ExecuteAsync(
            """
            insert into executions as e (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at, stopped_at, asleep_at, wakes_at)
            select @tenant, @integrationId, i.id, i.workflow, i.status, i.kind, i.started, i.stopped, i.asleep, i.wakes
            from unnest(@ids, @workflows, @statuses, @kinds, @started, @stopped, @asleep, @wakes) as i (id, workflow, status, kind, started, stopped, asleep, wakes)
            order by i.id
            on conflict (tenant_id, integration_id, execution_id) do update
            set workflow_id = excluded.workflow_id, status = excluded.status, kind = excluded.kind, started_at = excluded.started_at, stopped_at = excluded.stopped_at,
                -- Only while it waits does n8n tell of it: what was seen then stays known.
                asleep_at = coalesce(excluded.asleep_at, e.asleep_at), wakes_at = case when excluded.asleep_at is null then e.wakes_at else excluded.wakes_at end
            where (e.status = 'unfinished' or excluded.status <> 'unfinished')
              and ((e.workflow_id, e.status, e.kind, e.started_at, e.stopped_at)
                  is distinct from (excluded.workflow_id, excluded.status, excluded.kind, excluded.started_at, excluded.stopped_at)
                  or excluded.asleep_at is not null and (e.asleep_at, e.wakes_at) is distinct from (excluded.asleep_at, excluded.wakes_at))
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
                asleep = executions.Select(execution => execution.AsleepAt?.UtcDateTime).ToArray(),
                wakes = executions.Select(execution => execution.AsleepAt is null ? null : execution.WakesAt?.UtcDateTime).ToArray(),
            });

    /// <summary>Stops waiting for executions that the source no longer knows. Those of a workflow that it does not show us may well be there.</summary>
    public static Task LoseAsync(TenantTransaction tx, Guid integrationId, IReadOnlyList<string> executions) =>
        executions.Count == 0 ? Task.CompletedTask : tx.ExecuteAsync(
            """
            update executions e set status = 'lost'
            where tenant_id = @tenant and integration_id = @integrationId and execution_id = any (@ids) and status = 'unfinished'
            """ + NotHidden,
            new { integrationId, ids = executions.ToArray() });

    /// <summary>Executions whose end is not known yet, newest first.</summary>
    public static Task<IReadOnlyList<string>> UnfinishedAsync(TenantTransaction tx, Guid integrationId) => tx.QueryAsync<string>(
        """
        select execution_id from executions e
        where tenant_id = @tenant and integration_id = @integrationId and status = 'unfinished'
        """ + NotHidden +
        """

        order by started_at desc
        limit 200
        """,
        new { integrationId });

    /// <summary>How such a run ends nobody will tell, and it counts in no total.</summary>
    private const string NotHidden =
        """

          and not exists (
              select 1 from workflows w
              where w.tenant_id = @tenant and w.integration_id = @integrationId and w.workflow_id = e.workflow_id and w.hidden_at is not null)
        """;

    /// <summary>First local day on which an execution is unfinished, of the workflows that are shown to us; null if none is.</summary>
    public static Task<DateOnly?> FirstUnfinishedDayAsync(TenantTransaction tx, Guid integrationId, string timeZone) => tx.QuerySingleAsync<DateOnly?>(
        """
        select min((started_at at time zone @timeZone)::date) from executions e
        where tenant_id = @tenant and integration_id = @integrationId and status = 'unfinished'
        """ + NotHidden,
        new { integrationId, timeZone });

    /// <summary>
    /// How far days are known of a source that only pushes, by when something came last: it tells as things end, so yesterday is complete once
    /// something came today, and the day before is final but for what still runs.
    /// </summary>
    /// <param name="tx">The tenant's transaction.</param>
    /// <param name="integrationId">Whose.</param>
    /// <param name="timeZone">Whose days.</param>
    /// <param name="day">The day on which something came last.</param>
    public static async Task<(DateOnly Complete, DateOnly Final)> PushedThroughAsync(TenantTransaction tx, Guid integrationId, string timeZone, DateOnly day) =>
        (day.AddDays(-1), await FirstUnfinishedDayAsync(tx, integrationId, timeZone) is { } open && open.AddDays(-1) < day.AddDays(-2) ? open.AddDays(-1) : day.AddDays(-2));

    /// <summary>
    /// Adds executions up again for a range of tenant-local days, per workflow, and returns the days' KPI readings. Runs are those that finished. A day without any is a real 0
    /// here: the whole list of that day was read. A workflow whose runs cannot be known in full on a day (its successes are thrown away, the key does not show it) is left out of
    /// that day's totals, its failures with it: a rate of both would be wrong. Where nothing but such workflows is there, failures alone are reported: 0 runs would be a lie.
    /// Minutes saved are those of the day's own price, and are not reported while no workflow says what a success saves. Days whose executions were removed for their age keep
    /// the totals that they have.
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
                       (count(*) filter (where e.status = 'succeeded'))::int as succeeded,
                       (count(*) filter (where e.status = 'failed'))::int as failed,
                       (count(*) filter (where e.status = 'canceled'))::int as canceled,
                       coalesce(sum(extract(epoch from t.took) * 1000) filter (where e.status in ('succeeded', 'failed')), 0)::bigint as finished_ms,
                       (count(*) filter (where e.status in ('succeeded', 'failed') and t.took is not null))::int as timed
                from executions e
                cross join lateral (select time_at_work(e.started_at, e.stopped_at, e.asleep_at, e.wakes_at) as took) t
                where e.tenant_id = @tenant and e.integration_id = @integrationId and e.kind = 'production'
                  and e.started_at >= (select start_of_day(@from, @timeZone)) and e.started_at < (select start_of_day(@to + 1, @timeZone))
                group by 1, 2
            ),
            removed as (
                delete from automation_daily d
                where d.tenant_id = @tenant and d.integration_id = @integrationId and d.day between @from and @to
                  and not exists (select 1 from counted c where c.day = d.day and c.workflow_id = d.workflow_id)
            )
            insert into automation_daily (tenant_id, integration_id, day, workflow_id, executions, succeeded, failed, canceled, finished_ms, timed, price, minutes_saved)
            select @tenant, @integrationId, c.day, c.workflow_id, case when known then c.succeeded + c.failed end, case when known then c.succeeded end, c.failed, c.canceled,
                   case when known then c.finished_ms end, case when known then c.timed end,
                   k.price, case when known then c.succeeded * k.price end
            from counted c
            left join workflows w on w.tenant_id = @tenant and w.integration_id = @integrationId and w.workflow_id = c.workflow_id
            cross join lateral (
                select not coalesce(w.unmeasured @> c.day, false) as known, workflow_price(@tenant, @integrationId, c.workflow_id, c.day) as price
            ) k
            on conflict (tenant_id, integration_id, day, workflow_id) do update
            set executions = excluded.executions, succeeded = excluded.succeeded, failed = excluded.failed, canceled = excluded.canceled, finished_ms = excluded.finished_ms,
                timed = excluded.timed, price = excluded.price, minutes_saved = excluded.minutes_saved
            """,
            new { integrationId, timeZone, from, to });

        var days = await tx.QueryAsync<DayTotals>(
            """
            select g.day::date as day, coalesce(sum(d.executions), 0)::int as executions, coalesce(sum(d.succeeded), 0)::int as succeeded,
                   coalesce(sum(d.failed), 0)::int as failed, coalesce(sum(d.failed) filter (where d.executions is not null), 0)::int as failedknown,
                   coalesce(sum(d.finished_ms), 0)::bigint as finishedms, coalesce(sum(d.timed), 0)::int as timed,
                   coalesce(sum(d.minutes_saved), 0)::numeric as minutessaved,
                   exists (select 1 from workflows w where w.tenant_id = @tenant and w.integration_id = @integrationId
                           and workflow_price(@tenant, @integrationId, w.workflow_id, g.day::date) is not null) as saves,
                   coalesce(bool_or(d.executions is not null), false)
                       or not exists (select 1 from workflows w where w.tenant_id = @tenant and w.integration_id = @integrationId and w.unmeasured @> g.day::date)
                       or exists (select 1 from workflows w where w.tenant_id = @tenant and w.integration_id = @integrationId
                                  and w.active and w.hidden_at is null and not w.unmeasured @> g.day::date) as measured
            from generate_series(@from::timestamp, @to::timestamp, interval '1 day') as g (day)
            left join automation_daily d on d.tenant_id = @tenant and d.integration_id = @integrationId and d.day = g.day::date
            group by g.day
            order by g.day
            """,
            new { integrationId, from, to });
        var readings = new List<(string, DateOnly, decimal)>(days.Count * 6);
        foreach (var day in days)
        {
            readings.Add(("automation.failed", day.Day, day.Measured ? day.FailedKnown : day.Failed));
            if (!day.Measured) continue;
            readings.Add(("automation.executions", day.Day, day.Executions));
            readings.Add(("automation.succeeded", day.Day, day.Succeeded));
            readings.Add(("automation.finished_ms", day.Day, day.FinishedMs));
            readings.Add(("automation.timed", day.Day, day.Timed));
            if (day.Saves) readings.Add(("automation.time_saved", day.Day, day.MinutesSaved));
        }

        return readings;
    }

    /// <summary>
    /// Sets what one success of a workflow saves, null for what the source says. It counts from today on, and for the past only as far as nothing was said of that, or if the
    /// owner wants so. The caller holds the integration locked.
    /// </summary>
    /// <remarks>
    /// Values that change here are no restatements: nothing that happened is told differently, a price was put on it anew. Who did that, and when, is in the audit log.
    /// </remarks>
    public static async Task SetMinutesSavedAsync(
        TenantTransaction tx, Guid integrationId, string workflow, decimal? minutes, bool alsoPast, DateOnly today, DateTimeOffset now)
    {
        await tx.ExecuteAsync(
            """
            update workflows set minutes_saved = @minutes, updated_at = @now where tenant_id = @tenant and integration_id = @integrationId and workflow_id = @workflow;
            delete from workflow_prices where @alsoPast and tenant_id = @tenant and integration_id = @integrationId and workflow_id = @workflow;
            """,
            new { integrationId, workflow, minutes, alsoPast, now });
        await PriceAsync(tx, integrationId, [(workflow, today)], now);
        // Without an entry there is nothing that changed, and yet less is known of the past.
        if (alsoPast) await RepriceAsync(tx, integrationId, now);
    }

    /// <summary>Counts what successes saved anew, each day at its own price: also those days whose executions are long gone.</summary>
    private static async Task RepriceAsync(TenantTransaction tx, Guid integrationId, DateTimeOffset now)
    {
        await tx.ExecuteAsync(
            """
            update automation_daily d
            set price = p.price, minutes_saved = d.succeeded * p.price
            from (
                select a.day, a.workflow_id, workflow_price(@tenant, @integrationId, a.workflow_id, a.day) as price
                from automation_daily a where a.tenant_id = @tenant and a.integration_id = @integrationId
            ) p
            where d.tenant_id = @tenant and d.integration_id = @integrationId and d.day = p.day and d.workflow_id = p.workflow_id
              and (d.price, d.minutes_saved) is distinct from (p.price, d.succeeded * p.price)
            """,
            new { integrationId });
        // The days that have a total at all are those that were counted in full; without a workflow that saves anything nothing is measured, which is not 0.
        await tx.ExecuteAsync(
            """
            with days as (
                select t.day, t.day_ended, t.run_id,
                       exists (select 1 from workflows w where w.tenant_id = @tenant and w.integration_id = @integrationId
                               and workflow_price(@tenant, @integrationId, w.workflow_id, t.day) is not null) as saves,
                       (select sum(a.minutes_saved) from automation_daily a where a.tenant_id = @tenant and a.integration_id = @integrationId and a.day = t.day) as minutes
                from kpi_values t
                where t.tenant_id = @tenant and t.integration_id = @integrationId and t.kpi = 'automation.succeeded'
            ),
            gone as (
                delete from kpi_values v using days d
                where not d.saves and v.tenant_id = @tenant and v.integration_id = @integrationId and v.kpi = 'automation.time_saved' and v.day = d.day
            )
            insert into kpi_values as v (tenant_id, kpi, day, value, day_ended, integration_id, run_id, first_seen_at, changed_at)
            select @tenant, 'automation.time_saved', d.day, coalesce(d.minutes, 0), d.day_ended, @integrationId, d.run_id, @now, @now
            from days d
            where d.saves
            order by d.day
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

    private sealed record DayTotals(
        DateOnly Day, int Executions, int Succeeded, int Failed, int FailedKnown, long FinishedMs, int Timed, decimal MinutesSaved, bool Saves, bool Measured);

    private sealed record Listing(DateTimeOffset? At, DateTimeOffset? KeyChangedAt);

    private sealed record Known(string Id, bool Hidden);
}
