using System.Text.Json;
using System.Text.Json.Serialization;

namespace KpiDashboard.Connectors.N8n;

// What n8n answers, as far as it is used. Versions differ: unknown fields are ignored, ids come as text or number, all may be missing.

internal sealed record N8nWorkflowPage(IReadOnlyList<N8nWorkflow>? Data, string? NextCursor);

internal sealed record N8nWorkflow
{
    public JsonElement? Id { get; init; }
    public string? Name { get; init; }
    public bool? Active { get; init; }
    public bool? IsArchived { get; init; }
    public string? UpdatedAt { get; init; }

    /// <summary>Read field by field: people put odd things there.</summary>
    public JsonElement? Settings { get; init; }

    /// <summary>Objects with a <c>name</c>.</summary>
    public JsonElement? Tags { get; init; }

    /// <summary>Who may use it: <c>role</c>, <c>projectId</c>, in newer versions <c>project</c> with a <c>name</c>.</summary>
    public JsonElement? Shared { get; init; }
}

internal sealed record N8nExecutionPage(IReadOnlyList<N8nExecution>? Data, string? NextCursor);

internal sealed record N8nExecution
{
    public JsonElement? Id { get; init; }
    public string? Mode { get; init; }
    public string? Status { get; init; }

    /// <summary>What versions before <c>status</c> had: true for a success.</summary>
    public bool? Finished { get; init; }

    public string? StartedAt { get; init; }
    public string? StoppedAt { get; init; }

    /// <summary>Of a waiting one, whose <see cref="StoppedAt"/> is when it fell asleep.</summary>
    public string? WaitTill { get; init; }

    public JsonElement? WorkflowId { get; init; }

    /// <summary>Of a retry: the run that it does again.</summary>
    public JsonElement? RetryOf { get; init; }

    /// <summary>Of a failure: the retry that succeeded.</summary>
    public JsonElement? RetrySuccessId { get; init; }
}

/// <summary>How many runs there were, kept or not, as n8n counts itself.</summary>
internal sealed record N8nInsights(N8nInsight? Total, N8nInsight? Failed);

internal sealed record N8nInsight(double? Value);

internal sealed record N8nErrorBody(string? Message);

/// <summary>What <c>/healthz</c> says beside the API.</summary>
internal sealed record N8nHealth(string? Status);

/// <summary>Where the reading of a slice goes on. Ours, but stored: unreadable means to begin again.</summary>
/// <param name="Cursor">n8n's cursor of the next page.</param>
/// <param name="Covered">What the list has shown so far.</param>
/// <param name="OldestUnfinished">Earliest start of an unfinished execution seen so far.</param>
/// <param name="ReadThrough">Up to when an earlier run had read everything; the steps of this one move that.</param>
/// <param name="Listed">Whether all workflows could be listed: else nobody knows whether a run that is not found belongs to one that is not shown.</param>
internal sealed record N8nCheckpoint(string Cursor, CoverageState? Covered, DateTimeOffset? OldestUnfinished, DateOnly? ReadThrough, bool Listed = false);

/// <summary>The query of a request, for provenance.</summary>
internal sealed record N8nQuery(int? Limit, string? Status, string? Cursor);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    PropertyNameCaseInsensitive = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 128)]
[JsonSerializable(typeof(N8nWorkflowPage))]
[JsonSerializable(typeof(N8nExecutionPage))]
[JsonSerializable(typeof(N8nExecution))]
[JsonSerializable(typeof(N8nInsights))]
[JsonSerializable(typeof(N8nErrorBody))]
[JsonSerializable(typeof(N8nHealth))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(N8nCheckpoint))]
[JsonSerializable(typeof(N8nQuery))]
internal sealed partial class N8nJson : JsonSerializerContext;
