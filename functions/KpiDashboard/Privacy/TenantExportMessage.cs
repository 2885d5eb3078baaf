using System.Text.Json.Serialization;

namespace KpiDashboard.Privacy;

/// <summary>The message on the queue <c>tenant-export</c>: ids only. Delivered at least once; a second one finds nothing to do.</summary>
/// <param name="V">Version of this contract; 1.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="ExportId">The export to write.</param>
/// <param name="Traceparent">W3C trace context of whoever asked for it; null if there is none.</param>
public sealed record TenantExportMessage(int V, Guid TenantId, Guid ExportId, string? Traceparent)
{
    /// <summary>The version that this build writes and reads.</summary>
    public const int CurrentVersion = 1;
}

// Case-insensitive as the queue trigger's own binding is: what it could run, the poison function must be able to read.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, PropertyNameCaseInsensitive = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TenantExportMessage))]
internal sealed partial class TenantExportJson : JsonSerializerContext;
