using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Automation;
using KpiDashboard.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>The numbers.</summary>
public sealed class MetricsApi(MetricsEndpoints metrics, BreakdownEndpoints breakdowns, AutomationEndpoints automation, ProvenanceEndpoints provenance, ValueExportEndpoints export)
{
    /// <summary>The KPI catalogue.</summary>
    [Function("Kpis"), Requires(Permission.Read), Operation("The KPI catalogue", Response = typeof(IReadOnlyList<KpiEntry>), Query = "sources")]
    public Task<IResult> ListKpis([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "kpis")] HttpRequest request, CancellationToken cancellationToken) =>
        metrics.CatalogueAsync(request, cancellationToken);

    /// <summary>The overview.</summary>
    [Function("MetricsSummary"), Requires(Permission.Read)]
    [Operation("Everything the overview needs in one request", Response = typeof(SummaryResponse), Query = "range from to compare with sources")]
    public Task<IResult> GetSummary([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "metrics/summary")] HttpRequest request, CancellationToken cancellationToken) =>
        metrics.SummaryAsync(request, cancellationToken);

    /// <summary>KPIs over time.</summary>
    [Function("MetricsHistory"), Requires(Permission.Read)]
    [Operation("KPIs over time; a period without data is null", Response = typeof(HistoryResponse), Query = "kpis range from to grain dimension member sources")]
    public Task<IResult> GetHistory([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "metrics/history")] HttpRequest request, CancellationToken cancellationToken) =>
        metrics.HistoryAsync(request, cancellationToken);

    /// <summary>How a KPI divides.</summary>
    [Function("MetricsBreakdown"), Requires(Permission.Read)]
    [Operation("How a KPI divides by channel, device, country or landing page", Response = typeof(BreakdownResponse), Query = "dimension range from to compare top sources")]
    public Task<IResult> GetBreakdown(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "metrics/{key}/breakdown")] HttpRequest request, string key, CancellationToken cancellationToken) =>
        breakdowns.BreakdownAsync(request, key, cancellationToken);

    /// <summary>The automations.</summary>
    [Function("AutomationPerformance"), Requires(Permission.Read)]
    [Operation("How the automations did and what they are worth", Response = typeof(PerformanceResponse), Query = "range from to compare sources")]
    public Task<IResult> GetPerformance(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "automation/performance")] HttpRequest request, CancellationToken cancellationToken) =>
        automation.PerformanceAsync(request, cancellationToken);

    /// <summary>Where a number comes from.</summary>
    [Function("MetricsProvenance"), Requires(Permission.Read)]
    [Operation("Where one number comes from: formula, parts, runs, requests, restatements", Response = typeof(ProvenanceResponse), Query = "kpi date sources")]
    public Task<IResult> GetProvenance(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "metrics/provenance")] HttpRequest request, CancellationToken cancellationToken) =>
        provenance.ProvenanceAsync(request, cancellationToken);

    /// <summary>Values as a file.</summary>
    [Function("ValueExport"), Requires(Permission.Read, Cost = Cost.Heavy)]
    [Operation("Values as CSV or JSON; all KPIs unless some are named", Response = typeof(ValueExport), Query = "format kpis range from to grain dimension member sources")]
    public Task<IResult> ExportValues([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "export")] HttpRequest request, CancellationToken cancellationToken) =>
        export.ExportAsync(request, cancellationToken);
}
