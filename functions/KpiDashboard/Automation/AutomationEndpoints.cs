using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Sync;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Automation;

/// <summary>Are the automations working, and are they worth it?</summary>
public sealed class AutomationEndpoints
{
    private readonly TenantReads _reads;
    private readonly TimeProvider _time;

    internal AutomationEndpoints(TenantReads reads, TimeProvider time) => (_reads, _time) = (reads, time);

    internal static readonly KpiDefinition[] Kpis = [.. KpiCatalogue.All.Where(kpi => kpi.Source == "n8n")];

    /// <summary><c>GET automation/performance</c>. Totals and days come from the KPI engine, so that they agree with every other page.</summary>
    public Task<IResult> PerformanceAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerAsync(request, AutomationJson.Default.PerformanceResponse, Performance(request), cancellationToken);

    /// <summary>How the answer to a request is made; admitting the request is the caller's.</summary>
    internal Func<TenantTransaction, TenantProfile, Task<PerformanceResponse>> Performance(HttpRequest request) =>
        async (tx, tenant) =>
        {
            var all = await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow());
            var sources = all.Where(source => source.Connector == "n8n").ToList();
            var period = Period.Read(new QueryReader(request), tenant.Today(_time), SourceState.CommonCompleteThrough(sources));
            var clocks = SourceState.Clocks(sources);
            var now = await KpiTable.LoadAsync(tx, Kpis, period.From, period.To, clocks, tenant.Economics);
            var before = period is { CompareFrom: { } from, CompareTo: { } to } ? await KpiTable.LoadAsync(tx, Kpis, from, to, clocks, tenant.Economics) : null;
            var executions = now.Evaluate(Kpi("automation.executions"), period.From, period.To);
            return new PerformanceResponse(
                period.Range, period.From, period.To, period.CompareFrom, period.CompareTo, period.Compare, tenant.TimeZone, tenant.Currency, tenant.IsDemo,
                sources.Count > 0, executions.Status, sources.FirstOrDefault()?.MeasurableFrom, tenant.HourlyLabourCost, tenant.AutomationCostPerMonth,
                Totals(now), before is null ? null : Totals(before),
                await WorkflowsAsync(tx, period, tenant.Economics),
                [.. now.Dates.Select(day => new PerformanceDay(
                    day, now.On(Kpi("automation.executions"), day), now.On(Kpi("automation.succeeded"), day), now.On(Kpi("automation.failed"), day),
                    now.On(Kpi("automation.time_saved"), day), now.On(Kpi("automation.value_saved"), day), now.StatusOf(Kpi("automation.executions"), day)))],
                [.. sources.Where(source => source.IsConnected).Select(source => source.ToFreshness())]);
        };

    private static PerformanceTotals Totals(KpiTable table)
    {
        decimal? Value(string key) => table.Evaluate(Kpi(key), table.From, table.To).Value;
        var value = Value("automation.value_saved");
        return new PerformanceTotals(
            Value("automation.executions"), Value("automation.succeeded"), Value("automation.failed"), Value("automation.success_rate"),
            Value("automation.avg_duration"), Value("automation.time_saved"), value, Cost(table), Value("automation.roi"));
    }

    /// <summary>Over the same days as value and ROI, so that the three agree; while nobody says what a success saves, over the days with executions.</summary>
    private static decimal? Cost(KpiTable table) => table.AutomationCost(Kpi("automation.time_saved")) ?? table.AutomationCost(Kpi("automation.executions"));

    private static async Task<IReadOnlyList<WorkflowPerformance>> WorkflowsAsync(TenantTransaction tx, Period period, TenantEconomics economics)
    {
        var rows = await tx.QueryAsync<WorkflowRow>(
            """
            select w.workflow_id as Id, w.name, w.active, coalesce(w.minutes_saved, w.provider_minutes_saved) as MinutesPerSuccess,
                   case when w.keeps_successes then coalesce(sum(d.executions), 0)::int end as Executions,
                   case when w.keeps_successes then coalesce(sum(d.succeeded), 0)::int end as Succeeded, coalesce(sum(d.failed), 0)::int as Failed,
                   case when w.keeps_successes then coalesce(sum(d.finished_ms), 0)::bigint end as FinishedMs, sum(d.minutes_saved) as MinutesSaved
            from workflows w
            left join automation_daily d on d.tenant_id = @tenant and d.integration_id = w.integration_id and d.workflow_id = w.workflow_id
                 and d.day between @from and @to
            where w.tenant_id = @tenant
            group by w.integration_id, w.workflow_id, w.name, w.active, w.keeps_successes, w.minutes_saved, w.provider_minutes_saved
            order by sum(d.minutes_saved) desc nulls last, sum(d.executions) desc nulls last, w.name
            limit 500
            """,
            new { from = period.From, to = period.To });
        return [.. rows.Select(row =>
        {
            var finished = row.Succeeded + row.Failed;
            return new WorkflowPerformance(
                row.Id, row.Name, row.Active, row.MinutesPerSuccess, row.Executions, row.Succeeded, row.Failed,
                Rounded(KpiInputs.Divide(row.Succeeded, finished)), Rounded(KpiInputs.Divide(row.FinishedMs, finished)),
                row.MinutesSaved, Rounded(row.MinutesSaved / 60 * economics.HourlyLabourCost));
        })];
    }

    private static decimal? Rounded(decimal? value) => value is null ? null : decimal.Round(value.Value, 8);

    private static KpiDefinition Kpi(string key) => KpiCatalogue.Find(key) ?? throw new ArgumentOutOfRangeException(nameof(key), key, null);

    private sealed record WorkflowRow(
        string Id, string Name, bool Active, decimal? MinutesPerSuccess, int? Executions, int? Succeeded, int Failed, long? FinishedMs, decimal? MinutesSaved);
}

/// <summary>How the automations did in a period.</summary>
/// <param name="Connected">Whether an automation source is connected at all.</param>
/// <param name="Status">How far the totals can be trusted.</param>
/// <param name="MeasurableFrom">First day that the source still knew when it was first read; null if it told no limit.</param>
internal sealed record PerformanceResponse(
    string Range, DateOnly From, DateOnly To, DateOnly? CompareFrom, DateOnly? CompareTo,
    [property: AllowedValues("previous_period", "previous_year", "none")] string Compare, string TimeZone, string Currency, bool IsDemo,
    bool Connected, ValueStatus Status, DateOnly? MeasurableFrom, decimal? HourlyLabourCost, decimal? AutomationCostPerMonth, PerformanceTotals Totals,
    PerformanceTotals? Previous, IReadOnlyList<WorkflowPerformance> Workflows, IReadOnlyList<PerformanceDay> Daily, IReadOnlyList<Freshness> Freshness);

/// <summary>Totals; null where not measurable or where a setting (labour cost, automation cost) is missing.</summary>
internal sealed record PerformanceTotals(
    decimal? Executions, decimal? Succeeded, decimal? Failed, decimal? SuccessRate, decimal? AverageDurationMs, decimal? TimeSavedMinutes, decimal? ValueSaved,
    decimal? Cost, decimal? Roi);

/// <summary>One workflow in the period; executions and successes are null while the source throws its successes away.</summary>
/// <param name="TimeSavedPerExecution">Minutes that one success saves; null if nobody said.</param>
internal sealed record WorkflowPerformance(
    string Id, string Name, bool Active, decimal? TimeSavedPerExecution, int? Executions, int? Succeeded, int Failed, decimal? SuccessRate,
    decimal? AverageDurationMs, decimal? TimeSavedMinutes, decimal? ValueSaved);

/// <summary>One day; null where nothing is known.</summary>
internal sealed record PerformanceDay(
    DateOnly Date, decimal? Executions, decimal? Succeeded, decimal? Failed, decimal? TimeSavedMinutes, decimal? ValueSaved, DayStatus Status);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PerformanceResponse))]
internal sealed partial class AutomationJson : JsonSerializerContext;
