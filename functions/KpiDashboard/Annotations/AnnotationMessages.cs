using System.Text.Json.Serialization;
using KpiDashboard.Api;

namespace KpiDashboard.Annotations;

/// <summary>Where an annotation comes from.</summary>
[JsonConverter(typeof(SnakeCaseEnum<AnnotationKind>))]
internal enum AnnotationKind
{
    /// <summary>A person wrote it.</summary>
    Note,

    /// <summary>Days of a source without data.</summary>
    Gap,

    /// <summary>Days on which every run of a workflow failed.</summary>
    WorkflowFailing,

    /// <summary>Values of a day that the source changed later.</summary>
    Restated,
}

/// <summary>Write a note on a day, or on days from <c>from</c> to <c>to</c>.</summary>
internal sealed record CreateAnnotationRequest(string Text, DateOnly From, DateOnly? To = null);

/// <summary>Change a note; what is left out stays.</summary>
internal sealed record UpdateAnnotationRequest(string? Text = null, DateOnly? From = null, DateOnly? To = null);

/// <summary>What is noted about days of a range, by first day; 500 at most of each kind.</summary>
internal sealed record AnnotationsResponse(DateOnly From, DateOnly To, IReadOnlyList<AnnotationEntry> Annotations);

/// <summary>A note.</summary>
/// <param name="Id">Of what a person wrote; null for what the system found, which nobody can change.</param>
/// <param name="Kpis">The KPIs that it is about; empty for all.</param>
/// <param name="Author">Who wrote it; null if that person left or the system did.</param>
internal sealed record AnnotationEntry(
    Guid? Id, AnnotationKind Kind, DateOnly From, DateOnly To, string Text, IReadOnlyList<string> Kpis, string? Author, DateTimeOffset? CreatedAt);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(AnnotationsResponse))]
[JsonSerializable(typeof(AnnotationEntry))]
[JsonSerializable(typeof(CreateAnnotationRequest))]
[JsonSerializable(typeof(UpdateAnnotationRequest))]
internal sealed partial class AnnotationJson : JsonSerializerContext;
