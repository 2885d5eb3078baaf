using System.Globalization;
using System.Text.Json;
using KpiDashboard.Api;
using KpiDashboard.Security;

namespace KpiDashboard.Connectors.N8n;

/// <summary>An execution as an n8n told of it.</summary>
/// <param name="ExecutionId">n8n's id.</param>
/// <param name="WorkflowId">n8n's id.</param>
/// <param name="WorkflowName">As it is called now; null if that was not said.</param>
/// <param name="Status">What became of it.</param>
/// <param name="Kind">Null if the mode was not said.</param>
/// <param name="StartedAt">Null if that was not said and cannot be told from the rest.</param>
/// <param name="StoppedAt">Null while unfinished, or if that was not said.</param>
/// <param name="Duration">As n8n measured it; null if that was not said.</param>
/// <param name="At">When the event was sent; null if that was not said.</param>
/// <param name="Error">What n8n said went wrong, as it came: not masked yet.</param>
internal sealed record N8nEvent(
    string ExecutionId, string WorkflowId, string? WorkflowName, ExecutionStatus Status, ExecutionKind? Kind, DateTimeOffset? StartedAt, DateTimeOffset? StoppedAt,
    TimeSpan? Duration, DateTimeOffset? At, string? Error)
{
    /// <summary>It is under way and sleeps.</summary>
    public bool IsWaiting { get; init; }

    /// <summary>Where it failed; null if that was not said.</summary>
    public string? Node { get; init; }
}

/// <summary>
/// Reads pushed executions in both shapes that are about: <c>workflowId, executionId, status, startedAt, completedAt, executionTime, errorMessage,
/// errorNode</c> (or <c>lastNodeExecuted</c>), and n8n's own names (<c>startTime, endTime, duration, eventType</c>, capitalised <c>ExecutionID, Status, Timestamp</c>). Names count in any case; others are ignored.
/// </summary>
internal static class N8nEvents
{
    /// <summary>Reads one event; exactly one of both is null.</summary>
    /// <param name="json">The event.</param>
    /// <param name="earliest">No instant in it may be before this: older days are added up already.</param>
    /// <param name="latest">Nor after this: nothing has happened yet.</param>
    public static (N8nEvent? Event, string? Reason) Read(JsonElement json, DateTimeOffset earliest, DateTimeOffset latest)
    {
        if (json.ValueKind != JsonValueKind.Object) return (null, "It is not a JSON object.");
        var fields = new Dictionary<string, JsonElement>(StringComparer.OrdinalIgnoreCase);
        foreach (var property in json.EnumerateObject()) fields[property.Name] = property.Value;
        JsonElement? Field(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
            {
                if (fields.TryGetValue(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined)) return value;
            }

            return null;
        }

        if (N8nValues.Id(Field("executionId", "execution_id")) is not { } execution) return (null, "'executionId' is missing, or is neither a text of up to 100 characters nor a whole number.");
        if (N8nValues.Id(Field("workflowId", "workflow_id")) is not { } workflow) return (null, "'workflowId' is missing, or is neither a text of up to 100 characters nor a whole number.");
        // Half an id is another's: what was no text when it came must not be taken for one.
        if (execution.Contains(KeptText.Replacement, StringComparison.Ordinal)) return (null, $"'executionId' {KeptText.Why}");
        if (workflow.Contains(KeptText.Replacement, StringComparison.Ordinal)) return (null, $"'workflowId' {KeptText.Why}");
        if (Text(Field("status", "eventType")) is not { } word) return (null, "'status' is missing: success, failed, error, crashed, canceled, running or waiting.");
        if (Status(word) is not { } status) return (null, "'status' must be success, failed, error, crashed, canceled, running or waiting.");

        foreach (var (name, value) in new[] { ("startedAt", Field("startedAt", "startTime")), ("completedAt", Field("completedAt", "stoppedAt", "endTime")), ("timestamp", Field("timestamp")) })
        {
            if (value is null) continue;
            if (Instant(value) is not { } instant) return (null, $"'{name}' must be an instant like 2026-11-21T08:30:00Z, or milliseconds since 1970.");
            if (Doubt(name, instant, earliest, latest) is { } doubt) return (null, doubt);
        }

        TimeSpan? duration = null;
        if (Field("executionTime", "duration") is { } took)
        {
            if (Number(took) is not { } milliseconds || milliseconds is < 0 or > 366L * 24 * 3600 * 1000) return (null, "'executionTime' must be milliseconds, from 0 to those of a year.");
            duration = TimeSpan.FromMilliseconds((double)milliseconds);
        }

        var (started, stopped, at) = (Instant(Field("startedAt", "startTime")), Instant(Field("completedAt", "stoppedAt", "endTime")), Instant(Field("timestamp")));
        var ended = status != ExecutionStatus.Unfinished;
        if (ended) stopped ??= started is not null && duration is not null ? started + duration : at;
        else stopped = null;
        started ??= !ended ? at : stopped is not null && duration is not null ? stopped - duration : null;
        // A clock that was set back in between: an end before the start is no duration.
        if (stopped < started) stopped = started + duration;
        // What was worked out from 'executionTime' is checked like what was sent.
        if (started < earliest || stopped > latest)
            return (null, $"'executionTime' is longer than the time {(stopped > latest ? "since it started" : "for which single runs are kept")}; check it, it is in milliseconds.");

        var mode = Text(Field("mode")) ?? (Field("metadata") is { ValueKind: JsonValueKind.Object } more && more.TryGetProperty("mode", out var inner) ? Text(inner) : null);
        var error = Field("errorMessage", "error") switch
        {
            { ValueKind: JsonValueKind.Object } problem when problem.TryGetProperty("message", out var message) => Text(message),
            { } plain => Text(plain),
            null => null,
        };
        return (new N8nEvent(
            execution, workflow, Name(Text(Field("workflowName", "workflow_name"))), status, mode is null ? null : N8nValues.Kind(mode), started, stopped, duration, at,
            status == ExecutionStatus.Failed ? error : null)
        {
            IsWaiting = status == ExecutionStatus.Unfinished && word[(word.LastIndexOf('.') + 1)..].Trim().Equals("waiting", StringComparison.OrdinalIgnoreCase),
            Node = status == ExecutionStatus.Failed ? Name(NodeOf(Field("error")) ?? Text(Field("errorNode", "lastNodeExecuted"))) : null,
        }, null);
    }

    /// <summary>
    /// Which execution and which workflow an event is about that was not taken, as far as it says so in a way that can be kept.
    /// </summary>
    public static (string? Execution, string? Workflow) Ids(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object) return (null, null);
        string? execution = null, workflow = null;
        foreach (var property in json.EnumerateObject())
        {
            if (IsOneOf(property.Name, "executionId", "execution_id")) execution ??= Kept(property.Value);
            else if (IsOneOf(property.Name, "workflowId", "workflow_id")) workflow ??= Kept(property.Value);
        }

        return (execution, workflow);

        static bool IsOneOf(string name, string one, string other) =>
            name.Equals(one, StringComparison.OrdinalIgnoreCase) || name.Equals(other, StringComparison.OrdinalIgnoreCase);
        static string? Kept(JsonElement value) =>
            N8nValues.Id(value) is { } id && !id.Contains(KeptText.Replacement, StringComparison.Ordinal) ? id : null;
    }

    private static string? Doubt(string name, DateTimeOffset instant, DateTimeOffset earliest, DateTimeOffset latest) =>
        instant > latest ? $"'{name}' lies in the future; check the clock of your n8n."
        : instant < earliest ? $"'{name}': it started more than {Math.Round((latest - earliest).TotalDays)} days ago; older days are added up already."
        : null;

    /// <summary>A state in any of the words that are about; event names such as <c>n8n.workflow.failed</c> end in one.</summary>
    private static ExecutionStatus? Status(string word) => word[(word.LastIndexOf('.') + 1)..].Trim().ToUpperInvariant() switch
    {
        "SUCCESS" or "SUCCEEDED" => ExecutionStatus.Succeeded,
        "FAILED" or "ERROR" or "CRASHED" => ExecutionStatus.Failed,
        "CANCELED" or "CANCELLED" => ExecutionStatus.Canceled,
        "NEW" or "RUNNING" or "STARTED" or "WAITING" or "UNKNOWN" => ExecutionStatus.Unfinished,
        _ => null,
    };

    /// <summary>n8n's error trigger tells the error as an object, of which the node is one, too.</summary>
    private static string? NodeOf(JsonElement? error) =>
        error is { ValueKind: JsonValueKind.Object } all && all.TryGetProperty("node", out var node)
            ? Text(node.ValueKind == JsonValueKind.Object && node.TryGetProperty("name", out var name) ? name : node)
            : null;

    private static string? Text(JsonElement? json) => json is { ValueKind: JsonValueKind.String } text && text.GetString() is { Length: > 0 } value ? value : null;

    private static string? Name(string? name) =>
        name is not null && KeptText.Cut(PlainText.Clean(new string([.. name.Where(c => !char.IsControl(c))])), 200).Trim() is { Length: > 0 } clean ? clean : null;

    private static decimal? Number(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Number when json.TryGetDecimal(out var number) => number,
        JsonValueKind.String when decimal.TryParse(json.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => null,
    };

    private static DateTimeOffset? Instant(JsonElement? json) => json switch
    {
        { ValueKind: JsonValueKind.String } text => N8nValues.Instant(text.GetString()),
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out var milliseconds) && milliseconds is > 0 and < 253_402_300_800_000 => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds),
        _ => null,
    };
}
