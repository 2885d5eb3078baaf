using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Annotations;
using KpiDashboard.Insights;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>What stands out, and what people noted.</summary>
public sealed class InsightsApi(InsightEndpoints insights, AnnotationEndpoints annotations)
{
    /// <summary>How the business does.</summary>
    [Function("InsightsBusiness"), Requires(Permission.Read)]
    [Operation("Health score, insights and daily brief", Response = typeof(BusinessInsightsResponse), Query = "range from to compare sources")]
    public Task<IResult> GetBusinessInsights(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "insights/business")] HttpRequest request, CancellationToken cancellationToken) =>
        insights.BusinessAsync(request, cancellationToken);

    /// <summary>Dismiss an insight.</summary>
    [Function("InsightDismiss"), Requires(Permission.ManageNumbers)]
    [Operation("Dismiss an insight until it says something else", Response = typeof(InsightEntry), Query = "range from to compare sources")]
    public Task<IResult> DismissInsight(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "insights/{id}/dismiss")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        insights.DismissAsync(request, id, cancellationToken);

    /// <summary>Show an insight again.</summary>
    [Function("InsightUndismiss"), Requires(Permission.ManageNumbers)]
    [Operation("Show a dismissed insight again", Status = 204)]
    public Task<IResult> UndismissInsight(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "insights/{id}/dismiss")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        insights.UndismissAsync(request, id, cancellationToken);

    /// <summary>Snooze an insight.</summary>
    [Function("InsightSnooze"), Requires(Permission.ManageNumbers)]
    [Operation("Put an insight aside until a day, or until it says something else", Body = typeof(SnoozeInsightRequest), Response = typeof(InsightEntry), Query = "range from to compare sources")]
    public Task<IResult> SnoozeInsight(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "insights/{id}/snooze")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        insights.SnoozeAsync(request, id, cancellationToken);

    /// <summary>Wake an insight.</summary>
    [Function("InsightUnsnooze"), Requires(Permission.ManageNumbers)]
    [Operation("Show a snoozed insight again", Status = 204)]
    public Task<IResult> UnsnoozeInsight(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "insights/{id}/snooze")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        insights.UnsnoozeAsync(request, id, cancellationToken);

    /// <summary>Annotations.</summary>
    [Function("Annotations"), Requires(Permission.Read)]
    [Operation("What people noted about days, and what the system can tell of them", Response = typeof(AnnotationsResponse), Query = "range from to sources")]
    public Task<IResult> ListAnnotations(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "annotations")] HttpRequest request, CancellationToken cancellationToken) =>
        annotations.ListAsync(request, cancellationToken);

    /// <summary>Write a note.</summary>
    [Function("AnnotationCreate"), Requires(Permission.ManageNumbers)]
    [Operation("Write a note on a day or on days", Status = 201, Body = typeof(CreateAnnotationRequest), Response = typeof(AnnotationEntry))]
    public Task<IResult> CreateAnnotation(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "annotations")] HttpRequest request, CancellationToken cancellationToken) =>
        annotations.CreateAsync(request, cancellationToken);

    /// <summary>Change a note.</summary>
    [Function("AnnotationUpdate"), Requires(Permission.ManageNumbers)]
    [Operation("Change a note", Body = typeof(UpdateAnnotationRequest), Response = typeof(AnnotationEntry))]
    public Task<IResult> UpdateAnnotation(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "annotations/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        annotations.UpdateAsync(request, id, cancellationToken);

    /// <summary>Delete a note.</summary>
    [Function("AnnotationDelete"), Requires(Permission.ManageNumbers)]
    [Operation("Delete a note", Status = 204)]
    public Task<IResult> DeleteAnnotation(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "annotations/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        annotations.DeleteAsync(request, id, cancellationToken);
}
