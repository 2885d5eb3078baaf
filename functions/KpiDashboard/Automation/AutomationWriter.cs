using KpiDashboard.Api;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Automation;

/// <summary>Writes workflows and executions, and adds executions up to days.</summary>
internal static class AutomationWriter
{
    /// <summary>What one step of a run read of workflows and their runs.</summary>
    /// <param name="Workflows">Those that were listed.</param>
    /// <param name="Labels">How they are sorted at the source.</param>
    /// <param name="IsComplete">These are all that the key shows.</param>
    /// <param name="Executions">Runs.</param>
    /// <param name="Lost">Runs that the source no longer knows.</param>
    internal sealed record Read(
        IReadOnlyCollection<WorkflowReading> Workflows, IReadOnlyCollection<WorkflowLabels> Labels, bool IsComplete,
            IReadOnlyCollection<ExecutionReading> Executions,
        IReadOnlyList<string> Lost);

    /// <summary>What the integration knew before.</summary>
    /// <param name="ListedAt">When its workflows were listed last.</param>
    /// <param name="KeyChangedAt">When its key was changed last.</param>
    /// <param name="HasValues">There are values of it.</param>
    internal sealed record Before(DateTimeOffset? ListedAt, DateTimeOffset? KeyChangedAt, bool HasValues);

    /// <summary>
    /// Writes workflows as the provider describes them now, and runs; what was set here (minutes saved) stays. What a complete list lacks
    /// is gone, unless the key may just not show it. A run that is known to have ended is never set back to unfinished.
    /// </summary>
    /// <param name="tx">The tenant's transaction; the integration is locked since an earlier statement.</param>
    /// <param name="integrationId">Whose.</param>
    /// <param name="read">What was read.</param>
    /// <param name="known">What was known before.</param>
    /// <param name="from">First day whose runs are listed in full now.</param>
    /// <param name="zone">Whose days.</param>
    /// <param name="now">The instant of writing.</param>
    /// <returns>
    /// A sentence about workflows that are not shown any more, null if there are none; and the start of the first run of those workflows
    /// that are described for the first time now: their list could not be read when their runs were, or they were pushed.
    /// </returns>
    public static async Task<(string? Fewer, DateTimeOffset? UndescribedSince)> WriteAsync(
        TenantTransaction tx, Guid integrationId, Read read, Before known, DateOnly from, TimeZoneInfo zone, DateTimeOffset now)
    {
        if (read.Workflows.Count == 0 && !read.IsComplete && read.Executions.Count == 0) return default;
        var today = LocalDay.Of(now, zone);
        // What a list does not tell happened since the one before.
        var since = known.ListedAt is { } listed ? LocalDay.Of(listed, zone) : (DateOnly?)null;
        var labels = read.Labels.ToDictionary(one => one.WorkflowId, StringComparer.Ordinal);
        var parameters = new SqlParameters(Parameters(read.Executions));
        parameters.Add(new
        {
            integrationId,
            now,
            today,
            since,
            from,
            complete = read.IsComplete,
            workflowIds = read.Workflows.Select(workflow => workflow.WorkflowId).ToArray(),
            names = read.Workflows.Select(workflow => workflow.Name).ToArray(),
            active = read.Workflows.Select(workflow => workflow.Active).ToArray(),
            keeps = read.Workflows.Select(workflow => workflow.KeepsSuccesses).ToArray(),
            minutes = read.Workflows.Select(workflow => workflow.TimeSavedMinutes).ToArray(),
            inFull = read.Workflows.Select(workflow => workflow.KeepsSuccesses ? workflow.ListedInFullFrom : null).ToArray(),
            changeDays = read.Workflows.Select(workflow => DayOfChange(workflow, since, today, zone)).ToArray(),
            // Lists of different lengths are no array of arrays.
            tags = read.Workflows.Select(workflow => labels.TryGetValue(workflow.WorkflowId, out var one) ? RunDetails.TagsText(one)
                : null).ToArray(),
            projectIds = read.Workflows.Select(workflow => labels.GetValueOrDefault(workflow.WorkflowId)?.ProjectId).ToArray(),
            projects = read.Workflows.Select(workflow => labels.GetValueOrDefault(workflow.WorkflowId)?.Project).ToArray(),
        });
        var written = await tx.QuerySingleAsync<Written>(
            $"""
            with listed as (
                update integrations set workflows_listed_at = @now where @complete and tenant_id = @tenant and id = @integrationId
            ),
            input as (
                select i.id, i.name, i.active, i.keeps, i.minutes::numeric(10, 2) as minutes, i.in_full, i.changed, k.minutes_saved,
                       case when i.tags is null then coalesce(k.tags, '{Nothing}')
                            else array(select json_array_elements_text(i.tags::json)) end as tags,
                       case when i.tags is null then k.project_id else i.project_id end as project_id,
                       case when i.tags is null then k.project else i.project end as project
                from unnest(@workflowIds, @names, @active, @keeps, @minutes, @inFull, @changeDays, @tags, @projectIds, @projects)
                     as i (id, name, active, keeps, minutes, in_full, changed, tags, project_id, project)
                left join workflows k on k.tenant_id = @tenant and k.integration_id = @integrationId and k.workflow_id = i.id
            ),
            described as (
                insert into workflows as w (tenant_id, integration_id, workflow_id, name, active, keeps_successes, provider_minutes_saved,
                                            described_at, unmeasured, tags, project_id, project, updated_at)
                select @tenant, @integrationId, i.id, i.name, i.active, i.keeps, i.minutes, @now,
                       case when i.active and not i.keeps then datemultirange(daterange(@since::date, null)) else '{Nothing}' end,
                       i.tags, i.project_id, i.project, @now
                from input i
                order by i.id
                on conflict (tenant_id, integration_id, workflow_id) do update
                set name = excluded.name, active = excluded.active, keeps_successes = excluded.keeps_successes,
                    provider_minutes_saved = excluded.provider_minutes_saved, updated_at = excluded.updated_at,
                    described_at = coalesce(w.described_at, excluded.described_at), gone_at = null, hidden_at = null,
                    tags = excluded.tags, project_id = excluded.project_id, project = excluded.project,
                    unmeasured = case
                        -- It was not shown, and now is: what it did meanwhile is listed as far back as is read now.
                        when w.hidden_at is not null and upper_inf(w.unmeasured) and (excluded.keeps_successes or not excluded.active)
                        then w.unmeasured - datemultirange(daterange(@from::date, null))
                        when excluded.active and not excluded.keeps_successes then
                            -- What was pushed until now is known; of what was listed, all that ran before the list that last told of it
                            -- as kept.
                            case when upper_inf(w.unmeasured) then w.unmeasured
                                 else w.unmeasured + datemultirange(daterange(case when w.described_at is null then @today::date else
                                     coalesce(@since::date, @today::date) end, null)) end
                        -- Nobody knows when on this day that changed.
                        when upper_inf(w.unmeasured) then w.unmeasured - datemultirange(daterange(@today::date + 1, null))
                        else w.unmeasured end
                        - coalesce(
                            (select datemultirange(daterange(i.in_full, null)) from input i
                             where i.id = excluded.workflow_id and i.in_full is not null), '{Nothing}')
                where (w.name, w.active, w.keeps_successes, w.provider_minutes_saved, w.tags, w.project_id, w.project)
                      is distinct from (excluded.name, excluded.active, excluded.keeps_successes, excluded.provider_minutes_saved,
                                        excluded.tags, excluded.project_id, excluded.project)
                   or w.described_at is null or w.gone_at is not null or w.hidden_at is not null
                   or exists (
                       select 1 from input i
                       where i.id = excluded.workflow_id and i.in_full is not null and w.unmeasured && daterange(i.in_full, null))
            ),
            priced as (
                insert into workflow_prices (tenant_id, integration_id, workflow_id, from_day, minutes)
                select @tenant, @integrationId, c.id,
                       case when l.from_day is null then '-infinity' else greatest(c.changed, l.from_day) end, e.minutes
                from input c
                cross join lateral (select coalesce(c.minutes_saved, c.minutes) as minutes) e
                {LastPrice}
                where e.minutes is distinct from l.minutes
                on conflict (tenant_id, integration_id, workflow_id, from_day) do update set minutes = excluded.minutes
                returning 1
            ),
            {Runs}
            -- As all was before: a statement sees nothing of what it writes.
            select (select count(*) from priced)::int as Priced,
                   (select json_agg(w.workflow_id)::text from workflows w
                    where @complete and w.tenant_id = @tenant and w.integration_id = @integrationId and w.described_at is not null and
                        w.gone_at is null
                      and w.hidden_at is null) as Shown,
                   (select json_agg(w.workflow_id)::text from workflows w
                    where @complete and w.tenant_id = @tenant and w.integration_id = @integrationId and w.described_at is not null and
                        w.gone_at is null
                      and w.hidden_at is not null) as Hidden,
                   (select min(e.started_at)
                    from executions e
                    where e.tenant_id = @tenant and e.integration_id = @integrationId and e.workflow_id in (
                        select i.id from unnest(@workflowIds) as i (id)
                        -- Known from pushes alone is not described.
                        where not exists (
                            select 1 from workflows w
                            where w.tenant_id = @tenant and w.integration_id = @integrationId and w.workflow_id = i.id and w.described_at
                                is not null))) as UndescribedSince
            """,
            parameters);
        // Of a source without values nothing was ever counted that could be priced anew.
        if (written.Priced > 0 && known.HasValues) await RepriceAsync(tx, integrationId, now);
        var fewer = read.IsComplete
            ? await MissAsync(
                tx, integrationId, written, [.. read.Workflows.Select(workflow => workflow.WorkflowId)], known.ListedAt is null
                    || known.KeyChangedAt >= known.ListedAt,
                since ?? today, today, now)
            : null;
        await LoseAsync(tx, integrationId, read.Lost);
        return (fewer, written.UndescribedSince);
    }

    private const string Nothing = "{}";

    /// <summary>A change counts from the day on which it was made; where nobody says, from the day on which it was seen.</summary>
    private static DateOnly DayOfChange(WorkflowReading workflow, DateOnly? since, DateOnly today, TimeZoneInfo zone) =>
        workflow.ChangedAt is { } changed && LocalDay.Of(changed, zone) is var day && day >= since && day < today ? day : today;

    /// <summary>
    /// What was listed before and is not any more. A source shows a key what that key may see, and tells nothing of the rest: so what a new key lacks, or an old one of a
    /// sudden of most, is not taken for deleted. Its history stays and its days from now on are not known.
    /// </summary>
    private static async Task<string?> MissAsync(
        TenantTransaction tx, Guid integrationId, Written before, HashSet<string> shown, bool keyIsNew, DateOnly since, DateOnly today,
            DateTimeOffset now)
    {
        var known = RunDetails.TextsOf(before.Shown);
        var missing = known.Where(workflow => !shown.Contains(workflow)).ToList();
        var hides = keyIsNew || missing.Count * 2 > known.Length;
        // A key that shows again most of what it did not: the rest is not there.
        var hidden = RunDetails.TextsOf(before.Hidden);
        var still = hidden.Where(workflow => !shown.Contains(workflow)).ToList();
        if (missing.Count == 0 && still.Count == 0) return null;
        var gone = (hides ? [] : missing).Concat(still.Count * 2 < hidden.Length ? still : []).ToArray();
        await tx.ExecuteAsync(
            """
            update workflows set hidden_at = @now, updated_at = @now,
                   unmeasured = case when upper_inf(unmeasured) then unmeasured else unmeasured + datemultirange(daterange(@since::date, null)) end
            where tenant_id = @tenant and integration_id = @integrationId and workflow_id = any (@hidden);
            update workflows set gone_at = @now, hidden_at = null, active = false, updated_at = @now,
                   unmeasured = case when upper_inf(unmeasured) then unmeasured - datemultirange(daterange(@today::date + 1, null)) else unmeasured end
            where tenant_id = @tenant and integration_id = @integrationId and workflow_id = any (@gone);
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

    /// <summary>What was kept last of what a success of the workflow c.id saves.</summary>
    private const string LastPrice =
        """
        left join lateral (
            select p.minutes, p.from_day from workflow_prices p
            where p.tenant_id = @tenant and p.integration_id = @integrationId and p.workflow_id = c.id order by p.from_day desc limit 1
        ) l on true
        """;

    /// <summary>
    /// Keeps what a success saves from now on, where that is not what was kept. Where nothing was ever said it counts for all the days before, too: it is no change of
    /// anything. The days are counted anew then.
    /// </summary>
    private static async Task PriceAsync(TenantTransaction tx, Guid integrationId, IReadOnlyCollection<(string Workflow, DateOnly Day)> changes, DateTimeOffset now)
    {
        if (changes.Count == 0) return;
        var changed = await tx.ExecuteAsync(
            $"""
            insert into workflow_prices (tenant_id, integration_id, workflow_id, from_day, minutes)
            select @tenant, @integrationId, w.workflow_id, case when l.from_day is null then '-infinity' else greatest(c.day, l.from_day) end, e.minutes
            from unnest(@ids, @days) as c (id, day)
            join workflows w on w.tenant_id = @tenant and w.integration_id = @integrationId and w.workflow_id = c.id
            cross join lateral (select coalesce(w.minutes_saved, w.provider_minutes_saved) as minutes) e
            {LastPrice}
            where e.minutes is distinct from l.minutes
            on conflict (tenant_id, integration_id, workflow_id, from_day) do update set minutes = excluded.minutes
            """,
            new { integrationId, ids = changes.Select(change => change.Workflow).ToArray(), days = changes.Select(change => (DateOnly?)change.Day).ToArray() });
        if (changed > 0) await RepriceAsync(tx, integrationId, now);
    }

    /// <summary>The newest telling of a run counts, but for one that would set a known end back.</summary>
    private const string Newer = "(e.status = 'unfinished' or excluded.status <> 'unfinished')";

    /// <summary>What mended a failure stays; but the source's own word for it counts more than what a run says of itself.</summary>
    private const string Mended =
        "case when e.retried_by is not null and excluded.retried_by = any (@mends) then e.retried_by else coalesce(excluded.retried_by, e.retried_by) end";

    /// <summary>
    /// Arms that write runs, and what is known of them beside what is counted: whether one sleeps, and what mended a failure. It is
    /// mended by the run that the source names, or by one that says itself that it did the work again and succeeded, however long ago the
    /// failure was read.
    /// </summary>
    private const string Runs =
        $"""
        told as (
            insert into executions as e (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at, stopped_at,
                                         asleep_at, wakes_at, waiting, wait_until, retried_by)
            select @tenant, @integrationId, i.id, i.workflow, i.status, i.kind, i.started, i.stopped, i.asleep, i.wakes, i.waiting, i.until,
                   coalesce(i.retried, i.mended)
            from unnest(@ids, @workflows, @statuses, @kinds, @started, @stopped, @asleep, @wakes, @waiting, @until, @retried, @mended)
                 as i (id, workflow, status, kind, started, stopped, asleep, wakes, waiting, until, retried, mended)
            order by i.id
            on conflict (tenant_id, integration_id, execution_id) do update
            set workflow_id = case when {Newer} then excluded.workflow_id else e.workflow_id end,
                status = case when {Newer} then excluded.status else e.status end,
                kind = case when {Newer} then excluded.kind else e.kind end,
                started_at = case when {Newer} then excluded.started_at else e.started_at end,
                stopped_at = case when {Newer} then excluded.stopped_at else e.stopped_at end,
                -- Only while it waits does n8n tell of it: what was seen then stays known.
                asleep_at = case when {Newer} and excluded.asleep_at is not null then excluded.asleep_at else e.asleep_at end,
                wakes_at = case when {Newer} and excluded.asleep_at is not null then excluded.wakes_at else e.wakes_at end,
                waiting = excluded.waiting and {Newer}, wait_until = coalesce(excluded.wait_until, e.wait_until), retried_by = {Mended}
            where {Newer}
                  and ((e.workflow_id, e.status, e.kind, e.started_at, e.stopped_at)
                      is distinct from (excluded.workflow_id, excluded.status, excluded.kind, excluded.started_at, excluded.stopped_at)
                      or excluded.asleep_at is not null
                         and (e.asleep_at, e.wakes_at) is distinct from (excluded.asleep_at, excluded.wakes_at))
               or (e.waiting, e.wait_until, e.retried_by)
                  is distinct from (excluded.waiting and {Newer}, coalesce(excluded.wait_until, e.wait_until), {Mended})
        ),
        mended as (
            update executions e set retried_by = r.id
            from unnest(@laterIds, @earlierIds) as r (id, failed)
            where e.tenant_id = @tenant and e.integration_id = @integrationId and e.execution_id = r.failed and e.status = 'failed' and
                e.retried_by is null
        )
        """;

    /// <summary>The parameters of <see cref="Runs"/>.</summary>
    private static object Parameters(IReadOnlyCollection<ExecutionReading> executions)
    {
        var ids = executions.Select(execution => execution.ExecutionId).ToArray();
        var mends = executions.Where(execution => execution is { Status: ExecutionStatus.Succeeded, RetryOf: not null })
            .GroupBy(execution => execution.RetryOf!, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Select(execution => execution.ExecutionId).Min(StringComparer.Ordinal)!,
                StringComparer.Ordinal);
        var among = ids.ToHashSet(StringComparer.Ordinal);
        var earlier = mends.Where(mend => !among.Contains(mend.Key)).ToList();
        return new
        {
            ids,
            workflows = executions.Select(execution => execution.WorkflowId).ToArray(),
            statuses = executions.Select(execution => Word(execution.Status)).ToArray(),
            kinds = executions.Select(execution => Word(execution.Kind)).ToArray(),
            started = executions.Select(execution => execution.StartedAt.UtcDateTime).ToArray(),
            stopped = executions.Select(execution => execution.StoppedAt?.UtcDateTime).ToArray(),
            asleep = executions.Select(execution => execution.AsleepAt?.UtcDateTime).ToArray(),
            wakes = executions.Select(execution => execution.AsleepAt is null ? null : execution.WakesAt?.UtcDateTime).ToArray(),
            waiting = executions.Select(execution => execution is { IsWaiting: true, Status: ExecutionStatus.Unfinished }).ToArray(),
            until = executions.Select(execution => execution.WaitUntil?.UtcDateTime).ToArray(),
            retried = executions.Select(execution => execution.RetriedBy).ToArray(),
            mended = executions.Select(execution => execution.Status == ExecutionStatus.Failed
                ? mends.GetValueOrDefault(execution.ExecutionId) : null).ToArray(),
            mends = mends.Values.ToArray(),
            laterIds = earlier.Select(mend => mend.Value).ToArray(),
            earlierIds = earlier.Select(mend => mend.Key).ToArray(),
        };
    }

    /// <summary>Writes runs; one that is known to have ended is never set back to unfinished.</summary>
    public static Task WriteExecutionsAsync(TenantTransaction tx, Guid integrationId, IReadOnlyCollection<ExecutionReading> executions)
    {
        if (executions.Count == 0) return Task.CompletedTask;
        var parameters = new SqlParameters(Parameters(executions));
        parameters.Add(new { integrationId });
        return tx.ExecuteAsync($"with {Runs} select", parameters);
    }

    /// <summary>Stops waiting for executions that the source no longer knows. Those of a workflow that it does not show us may well be there.</summary>
    public static Task LoseAsync(TenantTransaction tx, Guid integrationId, IReadOnlyList<string> executions) =>
        executions.Count == 0 ? Task.CompletedTask : tx.ExecuteAsync(
            $"""
            update executions e set status = 'lost'
            where tenant_id = @tenant and integration_id = @integrationId and execution_id = any (@ids) and status = 'unfinished'
            {NotHidden}
            """,
            new { integrationId, ids = executions.ToArray() });

    /// <summary>Executions whose end is not known yet, newest first.</summary>
    public static async Task<IReadOnlyList<string>> UnfinishedAsync(TenantTransaction tx, Guid integrationId) =>
        RunDetails.TextsOf(await tx.QuerySingleAsync<string?>($"select {Unfinished}", new { integrationId }));

    /// <summary>A column that names executions of @integrationId whose end is not known yet, newest first, as a JSON array; null: there are
    /// none.</summary>
    internal const string Unfinished =
        $"""
        (select json_agg(u.execution_id order by u.started_at desc)::text
         from (
            select execution_id, started_at from executions e
            where tenant_id = @tenant and integration_id = @integrationId and status = 'unfinished'
            {NotHidden}
            order by started_at desc
            limit 200) u)
        """;

    /// <summary>How such a run ends nobody will tell, and it counts in no total.</summary>
    private const string NotHidden =
        """
          and not exists (
              select 1 from workflows w
              where w.tenant_id = @tenant and w.integration_id = @integrationId and w.workflow_id = e.workflow_id and w.hidden_at is not null)
        """;

    /// <summary>First day in @timeZone on which an execution is unfinished, of the workflows that are shown to us; null if none
    /// is.</summary>
    internal const string FirstUnfinishedDay =
        $"""
        (select min((started_at at time zone @timeZone)::date) from executions e
         where tenant_id = @tenant and integration_id = @integrationId and status = 'unfinished'
         {NotHidden})
        """;

    /// <summary>
    /// How far days are known of a source that only pushes, by when something came last: it tells as things end, so yesterday is complete once
    /// something came today, and the day before is final but for what still runs.
    /// </summary>
    /// <param name="tx">The tenant's transaction.</param>
    /// <param name="integrationId">Whose.</param>
    /// <param name="timeZone">Whose days.</param>
    /// <param name="day">The day on which something came last.</param>
    public static async Task<(DateOnly Complete, DateOnly Final)> PushedThroughAsync(TenantTransaction tx, Guid integrationId, string timeZone, DateOnly day) =>
        (day.AddDays(-1), await tx.QuerySingleAsync<DateOnly?>($"select {FirstUnfinishedDay}", new { integrationId, timeZone }) is { } open && open.AddDays(-1) < day.AddDays(-2)
            ? open.AddDays(-1)
            : day.AddDays(-2));

    /// <summary>
    /// Adds executions up again for a range of tenant-local days, per workflow, and returns the days' KPI readings. Runs are those that finished. A day without any is a real 0
    /// here: the whole list of that day was read. A workflow whose runs cannot be known in full on a day (its successes are thrown away, the key does not show it) is left out of
    /// that day's totals, its failures with it: a rate of both would be wrong. Where nothing but such workflows is there, failures alone are reported: 0 runs would be a lie.
    /// Minutes saved are those of the day's own price, and are not reported while no workflow says what a success saves. Days whose executions were removed for their age keep
    /// the totals that they have.
    /// </summary>
    public static Task<IReadOnlyList<(string Kpi, DateOnly Day, decimal Value)>> RollUpAsync(
        TenantTransaction tx, Guid integrationId, string timeZone, DateOnly from, DateOnly to) =>
        RollUpAsync(tx, integrationId, timeZone, [(from, to)]);

    /// <inheritdoc cref="RollUpAsync(TenantTransaction, Guid, string, DateOnly, DateOnly)"/>
    /// <param name="tx">The tenant's transaction.</param>
    /// <param name="integrationId">Whose.</param>
    /// <param name="timeZone">Whose days.</param>
    /// <param name="ranges">The days, no two ranges with one in common; one that ends before it begins has none.</param>
    public static async Task<IReadOnlyList<(string Kpi, DateOnly Day, decimal Value)>> RollUpAsync(
        TenantTransaction tx, Guid integrationId, string timeZone, IReadOnlyCollection<(DateOnly First, DateOnly Last)> ranges)
    {
        if (!ranges.Any(range => range.First <= range.Last)) return [];
        var days = await tx.QueryAsync<DayTotals>(
            """
            with ranges as materialized (
                select r.first, r.last, start_of_day(r.first, @timeZone) as starts, start_of_day(r.last + 1, @timeZone) as ends
                from (
                    select greatest(
                               u.first,
                               (select i.executions_kept_from from integrations i where i.tenant_id = @tenant and i.id = @integrationId)) as first,
                           u.last
                    from unnest(@firsts, @lasts) as u (first, last)
                ) r
                where r.first <= r.last
            ),
            days as (
                select g.day::date as day
                from ranges r
                cross join lateral generate_series(r.first::timestamp, r.last::timestamp, interval '1 day') as g (day)
            ),
            counted as materialized (
                select (e.started_at at time zone @timeZone)::date as day, e.workflow_id,
                       (count(*) filter (where e.status = 'succeeded'))::int as succeeded,
                       (count(*) filter (where e.status = 'failed'))::int as failed,
                       (count(*) filter (where e.status = 'canceled'))::int as canceled,
                       coalesce(sum(extract(epoch from t.took) * 1000) filter (where e.status in ('succeeded', 'failed')), 0)::bigint as finished_ms,
                       (count(*) filter (where e.status in ('succeeded', 'failed') and t.took is not null))::int as timed
                from ranges r
                join executions e on e.tenant_id = @tenant and e.integration_id = @integrationId and e.kind = 'production'
                                 and e.started_at >= r.starts and e.started_at < r.ends
                cross join lateral (select time_at_work(e.started_at, e.stopped_at, e.asleep_at, e.wakes_at) as took) t
                group by 1, 2
            ),
            shown as materialized (
                select w.workflow_id, w.unmeasured, w.active and w.hidden_at is null as works
                from workflows w where w.tenant_id = @tenant and w.integration_id = @integrationId
            ),
            prices as materialized (
                select p.minutes, daterange(p.from_day, lead(p.from_day) over (partition by p.workflow_id order by p.from_day)) as days
                from workflow_prices p where p.tenant_id = @tenant and p.integration_id = @integrationId
            ),
            daily as materialized (
                select c.day, c.workflow_id, case when k.known then c.succeeded + c.failed end as executions,
                       case when k.known then c.succeeded end as succeeded, c.failed, c.canceled,
                       case when k.known then c.finished_ms end as finished_ms, case when k.known then c.timed end as timed, k.price,
                       (case when k.known then c.succeeded * k.price end)::numeric(14, 2) as minutes_saved
                from counted c
                left join shown w on w.workflow_id = c.workflow_id
                cross join lateral (
                    select not coalesce(w.unmeasured @> c.day, false) as known,
                           workflow_price(@tenant, @integrationId, c.workflow_id, c.day) as price
                ) k
            ),
            removed as (
                delete from automation_daily d using ranges r
                where d.tenant_id = @tenant and d.integration_id = @integrationId and d.day between r.first and r.last
                  and not exists (select 1 from counted c where c.day = d.day and c.workflow_id = d.workflow_id)
            ),
            written as (
                insert into automation_daily as d
                    (tenant_id, integration_id, day, workflow_id, executions, succeeded, failed, canceled, finished_ms, timed, price,
                        minutes_saved)
                select @tenant, @integrationId, a.day, a.workflow_id, a.executions, a.succeeded, a.failed, a.canceled, a.finished_ms,
                    a.timed, a.price, a.minutes_saved
                from daily a
                order by a.day, a.workflow_id
                on conflict (tenant_id, integration_id, day, workflow_id) do update
                set executions = excluded.executions, succeeded = excluded.succeeded, failed = excluded.failed,
                    canceled = excluded.canceled, finished_ms = excluded.finished_ms, timed = excluded.timed, price = excluded.price,
                    minutes_saved = excluded.minutes_saved
                where (d.executions, d.succeeded, d.failed, d.canceled, d.finished_ms, d.timed, d.price, d.minutes_saved)
                      is distinct from (excluded.executions, excluded.succeeded, excluded.failed, excluded.canceled,
                                        excluded.finished_ms, excluded.timed, excluded.price, excluded.minutes_saved)
            )
            select g.day, coalesce(sum(d.executions), 0)::int as executions, coalesce(sum(d.succeeded), 0)::int as succeeded,
                   coalesce(sum(d.failed), 0)::int as failed, coalesce(sum(d.failed) filter (where d.executions is not null), 0)::int as failedknown,
                   coalesce(sum(d.finished_ms), 0)::bigint as finishedms, coalesce(sum(d.timed), 0)::int as timed,
                   coalesce(sum(d.minutes_saved), 0)::numeric as minutessaved,
                   exists (select 1 from prices p where p.minutes is not null and p.days @> g.day) as saves,
                   coalesce(bool_or(d.executions is not null), false)
                       or not exists (select 1 from shown w where w.unmeasured @> g.day)
                       or exists (select 1 from shown w where w.works and not w.unmeasured @> g.day) as measured
            from days g
            left join daily d on d.day = g.day
            group by g.day
            order by g.day
            """,
            new
            {
                integrationId,
                timeZone,
                firsts = ranges.Select(range => range.First).ToArray(),
                lasts = ranges.Select(range => range.Last).ToArray(),
            });
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
        // A price is no restatement: what was kept stays the word of the run that counted the day.
        using var results = await tx.QueryMultipleAsync(
            $"""
            {KpiWriter.Lock}
            insert into kpi_keys (tenant_id, number, key)
            select @tenant, coalesce((select max(k.number) from kpi_keys k where k.tenant_id = @tenant), 0) + 1, @saved
            where not exists (select 1 from kpi_keys k where k.tenant_id = @tenant and k.key = @saved);
            with source as ({KpiWriter.Source}),
            keys as (
                select max(number) filter (where key = 'automation.succeeded') as counted, max(number) filter (where key = @saved) as saved
                from kpi_keys where tenant_id = @tenant
            ),
            days as (
                select m.month, u.place::integer as place, m.month + (u.place - 1)::integer as day, m.ended & (1 << (u.place - 1)::integer) <> 0 as ended
                from kpi_months m
                cross join source s
                cross join keys k
                cross join lateral unnest(m.days) with ordinality as u (value, place)
                where m.tenant_id = @tenant and m.source = s.number and m.kpi = k.counted and u.value is not null
            ),
            priced as (
                select d.month, d.place, d.ended, case when p.saves then coalesce(p.minutes, 0) end as value, o.days[d.place] as was
                from days d
                cross join source s
                cross join keys k
                cross join lateral (
                    select exists (
                               select 1 from workflows w where w.tenant_id = @tenant and w.integration_id = @integrationId
                               and workflow_price(@tenant, @integrationId, w.workflow_id, d.day) is not null) as saves,
                           (select sum(a.minutes_saved) from automation_daily a
                            where a.tenant_id = @tenant and a.integration_id = @integrationId and a.day = d.day) as minutes
                ) p
                left join kpi_months o on o.tenant_id = @tenant and o.month = d.month and o.source = s.number and o.kpi = k.saved
            ),
            changes as (
                select p.month, k.saved as kpi, p.place, p.value, p.value is not null and p.ended as ended
                from priced p cross join keys k
                where p.was is distinct from p.value and (p.was is null or p.value is null or p.was <> p.value)
            ),
            {KpiWriter.Put}
            select count(*)::int from changes;
            """,
            new { integrationId, now, saved = "automation.time_saved", runId = await LastRunAsync(tx, integrationId) });
        await results.ReadAsync<int>();
        if (await results.ReadSingleAsync<int>() > 0) await KpiWriter.DropEmptyAsync(tx, integrationId, Period.Earliest, DateOnly.MaxValue.AddYears(-1));
    }

    /// <summary>The run that its newest days came from; null where they were pushed.</summary>
    private static Task<Guid?> LastRunAsync(TenantTransaction tx, Guid integrationId) => tx.QuerySingleOrDefaultAsync<Guid?>(
        """
        select w.run_id
        from integrations i
        join kpi_keys k on k.tenant_id = @tenant and k.key = 'automation.succeeded'
        join kpi_months m on m.tenant_id = @tenant and m.source = i.source and m.kpi = k.number
        join kpi_writes w on w.tenant_id = @tenant and w.number = (select max(u) from unnest(m.last_writes) as u)
        where i.tenant_id = @tenant and i.id = @integrationId
        order by m.month desc
        limit 1
        """, new { integrationId });

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

    private sealed record Written(int Priced, string? Shown, string? Hidden, DateTimeOffset? UndescribedSince);
}
