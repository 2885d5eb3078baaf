using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Auditing;

/// <summary>The audit log of a business: filter, page, export.</summary>
public sealed class AuditEndpoints
{
    internal AuditEndpoints() { }

    /// <summary><c>GET audit</c>.</summary>
    public Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>GET audit/export</c>.</summary>
    public Task<IResult> ExportAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>A page of the audit log, newest first; <c>nextCursor</c> is null at the end.</summary>
internal sealed record AuditResponse(IReadOnlyList<AuditEntry> Entries, string? NextCursor, IReadOnlyList<AuditActionEntry> Actions);

/// <summary>An action that can be filtered by, and what it means.</summary>
internal sealed record AuditActionEntry(string Key, string Words);

/// <summary>Who did what, when, from where; <c>changes</c> holds what changed, field by field.</summary>
internal sealed record AuditEntry(
    long Id, DateTimeOffset At, string ActorKind, Guid? ActorId, string ActorName, string Action, string Words, string? SubjectKind, string? SubjectId, string? SubjectName,
    IReadOnlyList<AuditChange> Changes, string? Address, string? UserAgent);

/// <summary>A field before and after, as text; null where there was none.</summary>
internal sealed record AuditChange(string Field, string? Before, string? After);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(AuditResponse))]
internal sealed partial class AuditJson : JsonSerializerContext;
