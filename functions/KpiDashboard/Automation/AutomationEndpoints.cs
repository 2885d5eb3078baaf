using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Automation;

/// <summary>Are the automations working, and are they worth it?</summary>
public sealed class AutomationEndpoints
{
    private readonly TenantReads _reads;
    private readonly Database _database;
    private readonly TimeProvider _time;

    internal AutomationEndpoints(TenantReads reads, Database database, TimeProvider time) => (_reads, _database, _time) = (reads, database, time);

    internal static readonly KpiDefinition[] Kpis = [.. KpiCatalogue.Of(KpiTopic.Automations)];

    private static readonly KpiDefinition[] Compared =
    [
        .. new[] { "executions", "failed", "success_rate", "avg_duration", "time_saved", "value_saved", "roi" }.Select(key => Kpi($"automation.{key}")),
    ];

    /// <summary><c>GET automation/performance</c>. Totals and days come from the KPI engine, so that they agree with every other page.</summary>
    public Task<IResult> PerformanceAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerKeptAsync(request, AutomationJson.Default.PerformanceResponse, Performance(request), cancellationToken);

    /// <summary><c>GET automation/export/workflows</c>: the table of workflows as a file, as the page computes it.</summary>
    public async Task<IResult> ExportAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request);
        var format = query.Choice("format", "csv", "json");
        query.ThrowIfInvalid();
        var answer = await _database.InTenantAsync(request.Caller().TenantId, async tx =>
            await Performance(request)(tx, await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.")), cancellationToken);
        var name = string.Create(CultureInfo.InvariantCulture, $"workflows-{answer.From:yyyy-MM-dd}-{answer.To:yyyy-MM-dd}");
        return AutomationFiles.Answer(
            name, "workflows", format, ExecutionJson.Default.ExportedWorkflow, _ => answer.Workflows.Select(flow => ExportedWorkflow.Of(answer, flow)).ToAsyncEnumerable());
    }

    /// <summary>How the answer to a request is made; admitting the request is the caller's.</summary>
    /// <param name="request">The request.</param>
    /// <param name="asked">The days, where another answer beside this one has settled them; else as the request says.</param>
    /// <param name="kept">What it is narrowed to, whatever the request says; null for what the request says.</param>
    internal Func<TenantTransaction, TenantProfile, Task<PerformanceResponse>> Performance(
        HttpRequest request, Period? asked = null, IReadOnlyCollection<string>? kept = null) =>
        async (tx, tenant) =>
        {
            var query = new QueryReader(request);
            var every = await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow());
            var all = kept is null ? SourceSelection.Read(query, every) : SourceSelection.Kept(every, kept);
            var sources = all.Where(source => KpiCatalogue.Reports(source.Connector, KpiTopic.Automations)).ToList();
            // The days of the overview, so that the two pages tell of one number: not a day more because n8n knows a day sooner than
            // others.
            var period = asked ?? Period.Read(query, tenant.Today(_time), SourceState.PeriodThrough(all));
            var clocks = all.ClocksOf(KpiTopic.Automations);
            var (reading, readingBefore, omitted, facts, flows) = (
                KpiTable.LoadAsync(tx, Kpis, period.From, period.To, clocks, tenant.Economics),
                period is { CompareFrom: { } from, CompareTo: { } to } ? KpiTable.LoadAsync(tx, Kpis, from, to, clocks, tenant.Economics) : null,
                LeftOut.LoadAsync(tx, period.From, period.To, all.Integrations),
                RunFacts.LoadAsync(tx, period.From, period.To, tenant.TimeZone, _time.GetUtcNow(), all.Integrations),
                WorkflowRows.LoadAsync(tx, period, all.Integrations));
            var (now, before) = (await reading, readingBefore is null ? null : await readingBefore);
            var (executions, leftOut, runs) = (now.Evaluate(Kpi("automation.executions"), period.From, period.To), await omitted, await facts);
            var workflows = Workflows(await flows, period, now, before, tenant.Economics, leftOut, runs);
            return new PerformanceResponse(
                period.Range, period.From, period.To, period.CompareFrom, period.CompareTo, period.Compare, tenant.TimeZone, tenant.Currency, tenant.IsDemo,
                sources.Count > 0, executions.Status, sources.FirstOrDefault()?.MeasurableFrom, tenant.HourlyLabourCost, tenant.AutomationCostPerMonth,
                Totals(now, Lost(workflows, workflow => workflow.LostMinutes), tenant.Economics) with { MedianDurationMs = runs.Median },
                before is null ? null : Totals(before, Lost(workflows, workflow => workflow.Previous?.LostMinutes), tenant.Economics),
                [.. Compared.Select(kpi => Change(kpi, now, before))], workflows, TrendStep(period),
                [.. now.Dates.Select(day => new PerformanceDay(
                    day, now.On(Kpi("automation.executions"), day), now.On(Kpi("automation.succeeded"), day), now.On(Kpi("automation.failed"), day),
                    now.On(Kpi("automation.time_saved"), day), now.On(Kpi("automation.value_saved"), day), now.StatusOf(Kpi("automation.executions"), day)))],
                [.. sources.Where(source => source.IsConnected).Select(source => source.ToFreshness())], period.CompareNote,
                leftOut.Workflows, runs.Canceled, runs.Running, runs.Waiting);
        };

    private static PerformanceChange Change(KpiDefinition kpi, KpiTable now, KpiTable? before)
    {
        var compared = Comparison.Of(kpi, TableDays.All(now), before is null ? null : TableDays.All(before));
        return new PerformanceChange(
            kpi.Key, kpi.Unit, kpi.Direction, compared.Now.Value, compared.Before?.Value, compared.Change, compared.Withheld, compared.Alike, compared.ByChance);
    }

    private static PerformanceTotals Totals(KpiTable table, decimal? lostMinutes, TenantEconomics economics)
    {
        decimal? Value(string key) => table.Evaluate(Kpi(key), table.From, table.To).Value;
        var (saved, cost) = (table.Evaluate(Kpi("automation.value_saved"), table.From, table.To), Cost(table));
        return new PerformanceTotals(
            Value("automation.executions"), Value("automation.succeeded"), Value("automation.failed"), Value("automation.success_rate"),
            Value("automation.avg_duration"), Value("automation.time_saved"), saved.Value, cost, Value("automation.roi"),
            // At the mean day of the period, of which cost and value have the same days.
            cost > 0 && saved.Value > 0 ? Rounded(saved.KnownDays * cost / saved.Value) : null,
            lostMinutes, Worth(lostMinutes, economics));
    }

    /// <summary>Over the same days as value and ROI, so that the three agree; while nobody says what a success saves, over the days with executions.</summary>
    private static decimal? Cost(KpiTable table) => table.AutomationCost(Kpi("automation.time_saved")) ?? table.AutomationCost(Kpi("automation.executions"));

    private static decimal? Worth(decimal? minutes, TenantEconomics economics) => Rounded(minutes / 60 * economics.HourlyLabourCost);

    /// <summary>Of the workflows of which somebody said what a success saves; null if of none.</summary>
    private static decimal? Lost(IReadOnlyList<WorkflowPerformance> workflows, Func<WorkflowPerformance, decimal?> minutes)
    {
        var known = workflows.Select(minutes).OfType<decimal>().ToList();
        return known.Count == 0 ? null : known.Sum();
    }

    /// <summary>Days of one point of a trend: more points than this cannot be told apart in a row of a table.</summary>
    private static int TrendStep(Period period) => period.Days > 92 ? 7 : 1;

    private static IReadOnlyList<WorkflowPerformance> Workflows(
        WorkflowRows read, Period period, KpiTable table, KpiTable? before, TenantEconomics economics, LeftOut leftOut, RunFacts runs)
    {
        var (rows, points, step, steps, first) = (read.Rows, read.Points, read.Step, read.Steps, read.First);
        // The failures of a day are told whenever its list was read to the end.
        var known = Enumerable.Range(0, steps).Select(index => Enumerable.Range(0, step).All(day =>
            table.StatusOf(Kpi("automation.failed"), first.AddDays((index * step) + day)) != DayStatus.Missing)).ToList();
        var anyKnown = Enumerable.Range(0, period.To.DayNumber - period.From.DayNumber + 1)
            .Any(day => table.StatusOf(Kpi("automation.failed"), period.From.AddDays(day)) != DayStatus.Missing);
        // Days of the period before of which nothing is known would make every comparison look like growth.
        var comparable = before is not null && before.Evaluate(Kpi("automation.failed"), before.From, before.To) is var failures && failures.KnownDays == failures.Days;
        var earlier = comparable ? read.Earlier : null;
        return [.. rows.Select(row =>
        {
            var trend = points[(row.IntegrationId, row.Id)].ToDictionary(point => point.Step);
            // Without a run on any day: 0, unless some of its days cannot be known, or none of all days is.
            var silent = anyKnown && leftOut.IsKnown(row.IntegrationId, row.Id, period.From, period.To) ? 0 : (int?)null;
            var silentBefore = earlier?.IsKnown(row.IntegrationId, row.Id, period.CompareFrom!.Value, period.CompareTo!.Value) == true ? 0 : (int?)null;
            var finished = row.Succeeded is { } worked ? worked + row.FailedKnown : (int?)null;
            var lost = row.LostMinutes ?? (anyKnown ? 0 * row.MinutesPerSuccess : null);
            return new WorkflowPerformance(
                row.Id, row.Name, row.Active, row.MinutesPerSuccess, row.Executions ?? silent, row.Succeeded ?? silent, anyKnown || row.Failed > 0 ? row.Failed : null,
                Rounded(KpiInputs.Divide(row.Succeeded, finished)), Rounded(KpiInputs.Divide(row.FinishedMs, row.Timed)),
                row.MinutesSaved, Worth(row.MinutesSaved, economics), lost, Worth(lost, economics),
                comparable
                    ? new WorkflowBefore(
                        row.ExecutionsBefore ?? silentBefore, row.SucceededBefore ?? silentBefore, row.FailedBefore, row.MinutesSavedBefore, Worth(row.MinutesSavedBefore, economics),
                        row.LostMinutesBefore ?? 0 * row.MinutesPerSuccess)
                    : null,
                [.. Enumerable.Range(0, steps).Select(index =>
                    known[index] && leftOut.IsKnown(row.IntegrationId, row.Id, first.AddDays(index * step), first.AddDays((index * step) + step - 1))
                        ? trend.GetValueOrDefault(index)?.Executions ?? 0 : (int?)null)],
                [.. Enumerable.Range(0, steps).Select(index => known[index] ? trend.GetValueOrDefault(index)?.Failed ?? 0 : (int?)null)],
                row.Canceled, runs.Medians.TryGetValue((row.IntegrationId, row.Id), out var median) ? median : null, row.Gone, row.Shown)
            {
                IntegrationId = row.IntegrationId,
                Tags = row.Tags.Split('\u001f', StringSplitOptions.RemoveEmptyEntries),
                ProjectId = row.ProjectId,
                Project = row.Project,
                DurationTrend =
                [
                    .. Enumerable.Range(0, steps).Select(index =>
                        leftOut.IsKnown(row.IntegrationId, row.Id, first.AddDays(index * step), first.AddDays((index * step) + step - 1))
                            ? trend.GetValueOrDefault(index)?.DurationMs : null),
                ],
            };
        })];
    }

    private static decimal? Rounded(decimal? value) => value is null ? null : decimal.Round(value.Value, 8);

    private static KpiDefinition Kpi(string key) => KpiCatalogue.Find(key) ?? throw new ArgumentOutOfRangeException(nameof(key), key, null);

    /// <summary>What is read of workflows beside the totals.</summary>
    /// <param name="Rows">One a workflow.</param>
    /// <param name="Points">Their trends.</param>
    /// <param name="Earlier">What the period to compare with leaves out; null where there is none.</param>
    /// <param name="Step">Days of a step of a trend.</param>
    /// <param name="Steps">How many.</param>
    /// <param name="First">First day of the first.</param>
    private sealed record WorkflowRows(
        IReadOnlyList<WorkflowRow> Rows, ILookup<(Guid IntegrationId, string Id), TrendRow> Points, LeftOut? Earlier, int Step, int Steps, DateOnly First)
    {
        public static async Task<WorkflowRows> LoadAsync(TenantTransaction tx, Period period, Guid[]? only)
        {
            // Steps are counted back from the last day; days before the first whole step are left out.
            var step = TrendStep(period);
            var steps = period.Days / step;
            var first = period.To.AddDays(1 - (steps * step));
            var reading = tx.QueryAsync<WorkflowRow>(
                """
                select w.integration_id as IntegrationId, w.workflow_id as Id, w.name, w.active, w.gone_at is not null as Gone, w.hidden_at is null and w.gone_at is null as Shown,
                       coalesce(w.minutes_saved, w.provider_minutes_saved) as MinutesPerSuccess, array_to_string(w.tags, chr(31)) as Tags, w.project_id as ProjectId, w.project,
                       n.executions, n.succeeded, n.failed, n.failed_known as FailedKnown, n.canceled, n.finished_ms as FinishedMs, n.timed, n.minutes_saved as MinutesSaved,
                       n.lost as LostMinutes,
                       b.executions as ExecutionsBefore, b.succeeded as SucceededBefore, b.failed as FailedBefore, b.minutes_saved as MinutesSavedBefore, b.lost as LostMinutesBefore
                from workflows w
                cross join lateral (
                    -- Null: on no day is it known.
                    select sum(d.executions)::int as executions, sum(d.succeeded)::int as succeeded, coalesce(sum(d.failed), 0)::int as failed,
                           -- A rate divides by what is known on the same days: of days without successes only the failures are.
                           coalesce(sum(d.failed) filter (where d.succeeded is not null), 0)::int as failed_known, coalesce(sum(d.canceled), 0)::int as canceled,
                           coalesce(sum(d.finished_ms), 0)::bigint as finished_ms, coalesce(sum(d.timed), 0)::int as timed, sum(d.minutes_saved) as minutes_saved,
                           sum(d.failed * d.price) as lost
                    from automation_daily d
                    where d.tenant_id = @tenant and d.integration_id = w.integration_id and d.workflow_id = w.workflow_id and d.day between @from and @to
                ) n
                cross join lateral (
                    select sum(d.executions)::int as executions, sum(d.succeeded)::int as succeeded, coalesce(sum(d.failed), 0)::int as failed,
                           sum(d.minutes_saved) as minutes_saved, sum(d.failed * d.price) as lost
                    from automation_daily d
                    where d.tenant_id = @tenant and d.integration_id = w.integration_id and d.workflow_id = w.workflow_id and d.day between @compareFrom and @compareTo
                ) b
                where w.tenant_id = @tenant and (@only::uuid[] is null or w.integration_id = any (@only))
                order by n.minutes_saved desc nulls last, n.executions desc nulls last, w.name, w.integration_id, w.workflow_id
                limit 500
                """,
                new { from = period.From, to = period.To, compareFrom = period.CompareFrom, compareTo = period.CompareTo, only });
            var trends = tx.QueryAsync<TrendRow>(
                """
                select d.integration_id as IntegrationId, d.workflow_id as Id, (d.day - @first) / @step as Step,
                       sum(d.executions)::int as Executions, sum(d.failed)::int as Failed,
                       -- Over the whole step, not a mean of means.
                       round(sum(d.finished_ms)::numeric / nullif(sum(d.timed), 0), 0) as DurationMs
                from automation_daily d
                where d.tenant_id = @tenant and d.day between @first and @to and (@only::uuid[] is null or d.integration_id = any (@only))
                group by 1, 2, 3
                """,
                new { first, step, to = period.To, only });
            var earlier = period is { CompareFrom: { } compareFrom, CompareTo: { } compareTo } ? LeftOut.LoadAsync(tx, compareFrom, compareTo, only) : null;
            return new WorkflowRows(
                await reading, (await trends).ToLookup(row => (row.IntegrationId, row.Id)), earlier is null ? null : await earlier, step, steps, first);
        }
    }

    private sealed record WorkflowRow(
        Guid IntegrationId, string Id, string Name, bool Active, bool Gone, bool Shown, decimal? MinutesPerSuccess, string Tags, string? ProjectId, string? Project,
        int? Executions, int? Succeeded, int Failed, int FailedKnown,
        int Canceled, long FinishedMs, int Timed, decimal? MinutesSaved, decimal? LostMinutes, int? ExecutionsBefore, int? SucceededBefore, int FailedBefore,
        decimal? MinutesSavedBefore, decimal? LostMinutesBefore);

    private sealed record TrendRow(Guid IntegrationId, string Id, int Step, int? Executions, int Failed, decimal? DurationMs);
}

/// <summary>How the automations did in a period.</summary>
/// <param name="Connected">Whether an automation source is connected at all.</param>
/// <param name="Status">How far the totals can be trusted.</param>
/// <param name="MeasurableFrom">First day that the source still knew when it was first read; null if it told no limit.</param>
/// <param name="CompareNote">A sentence where one of the two periods is longer; null where both have as many days.</param>
/// <param name="TrendStepDays">Days of each point of a workflow's trend; the last point ends with the period.</param>
/// <param name="LeftOut">Workflows that the totals leave out on some days of the period, because their runs cannot be known in full.</param>
/// <param name="Canceled">Runs of the period that somebody stopped; they are none of the runs, which finished well or badly.</param>
/// <param name="Running">Runs that are going on now.</param>
/// <param name="Waiting">Runs that wait now.</param>
internal sealed record PerformanceResponse(
    string Range, DateOnly From, DateOnly To, DateOnly? CompareFrom, DateOnly? CompareTo,
    [property: AllowedValues("previous_period", "previous_year", "none")] string Compare, string TimeZone, string Currency, bool IsDemo,
    bool Connected, ValueStatus Status, DateOnly? MeasurableFrom, decimal? HourlyLabourCost, decimal? AutomationCostPerMonth, PerformanceTotals Totals,
    PerformanceTotals? Previous, IReadOnlyList<PerformanceChange> Changes, IReadOnlyList<WorkflowPerformance> Workflows, int TrendStepDays, IReadOnlyList<PerformanceDay> Daily, IReadOnlyList<Freshness> Freshness,
    string? CompareNote, IReadOnlyList<LeftOutWorkflow> LeftOut, int Canceled, int Running, int Waiting);

/// <summary>Totals; null where not measurable or where a setting (labour cost, automation cost) is missing.</summary>
/// <param name="PaybackDays">Mean days until the value saved covers the cost of the whole period; more than the period has days if it does not. Null without cost or value.</param>
/// <param name="LostMinutes">Minutes that the failed runs would have saved, of workflows of which somebody said what a success saves; null if of none.</param>
/// <param name="LostValue">These minutes at the labour cost.</param>
/// <param name="MedianDurationMs">Half of the runs took so long or less: what some long waits do to the mean does not move it. Null where single runs of the period are gone.</param>
internal sealed record PerformanceTotals(
    decimal? Executions, decimal? Succeeded, decimal? Failed, decimal? SuccessRate, decimal? AverageDurationMs, decimal? TimeSavedMinutes, decimal? ValueSaved,
    decimal? Cost, decimal? Roi, decimal? PaybackDays, decimal? LostMinutes, decimal? LostValue, decimal? MedianDurationMs = null);

/// <summary>
/// A total against the period before; <c>change</c> is a fraction, null where it is withheld. <c>alike</c> and <c>byChance</c>: as in
/// <c>GET metrics/summary</c>.
/// </summary>
internal sealed record PerformanceChange(
    string Key, KpiUnit Unit, KpiDirection Direction, decimal? Value, decimal? Previous, decimal? Change,
    [property: AllowedValues("not_measurable", "partial", "no_previous", "previous_partial", "zero_previous")] string? ChangeWithheld,
    AlikeChange? Alike, bool ByChance);

/// <summary>One workflow in the period; executions and successes are those of the days on which they are known, null where they are on none.</summary>
/// <param name="TimeSavedPerExecution">Minutes that one success saves; null if nobody said.</param>
/// <param name="LostMinutes">Minutes that its failed runs would have saved; null if nobody said what a success saves.</param>
/// <param name="LostValue">These minutes at the labour cost.</param>
/// <param name="Previous">The same in the period before; null where days of that are not known.</param>
/// <param name="Trend">Runs by steps of the period; null where they are not known.</param>
/// <param name="FailedTrend">Failed runs by the same steps.</param>
/// <param name="Canceled">Runs that somebody stopped.</param>
/// <param name="MedianDurationMs">Half of its runs took so long or less; null where single runs of the period are gone.</param>
/// <param name="Gone">It was deleted at the source; what it did stays.</param>
/// <param name="Shown">False: gone, or not shown to the key any more.</param>
internal sealed record WorkflowPerformance(
    string Id, string Name, bool Active, decimal? TimeSavedPerExecution, int? Executions, int? Succeeded, int? Failed, decimal? SuccessRate,
    decimal? AverageDurationMs, decimal? TimeSavedMinutes, decimal? ValueSaved, decimal? LostMinutes, decimal? LostValue, WorkflowBefore? Previous,
    IReadOnlyList<int?> Trend, IReadOnlyList<int?> FailedTrend, int Canceled, decimal? MedianDurationMs, bool Gone, bool Shown)
{
    /// <summary>The source that it belongs to.</summary>
    public required Guid IntegrationId { get; init; }

    /// <summary>Tags that it has at its source.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>The part of the source that it belongs to; null if that was not said.</summary>
    public required string? ProjectId { get; init; }

    /// <summary>What that part is called; null if that was not said.</summary>
    public required string? Project { get; init; }

    /// <summary>Mean duration of finished runs by the steps of the trend, in milliseconds; null where none is known.</summary>
    public required IReadOnlyList<decimal?> DurationTrend { get; init; }
}

/// <summary>A workflow in the period before.</summary>
internal sealed record WorkflowBefore(
    int? Executions, int? Succeeded, int Failed, decimal? TimeSavedMinutes, decimal? ValueSaved, decimal? LostMinutes);

/// <summary>One day; null where nothing is known.</summary>
internal sealed record PerformanceDay(
    DateOnly Date, decimal? Executions, decimal? Succeeded, decimal? Failed, decimal? TimeSavedMinutes, decimal? ValueSaved, DayStatus Status);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PerformanceResponse))]
internal sealed partial class AutomationJson : JsonSerializerContext;
