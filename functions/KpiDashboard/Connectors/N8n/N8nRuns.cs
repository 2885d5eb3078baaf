using System.Net;
using System.Text.Json;
using KpiDashboard.Api;
using KpiDashboard.Security;

namespace KpiDashboard.Connectors.N8n;

/// <summary>
/// Single runs of an n8n: what is told of them beside how they ended, where they are shown, and a look at those of this moment.
/// </summary>
internal static class N8nRuns
{
    /// <summary>Runs that a look asks for at a time.</summary>
    internal const int PageSize = 100;

    /// <summary>Pages of a look: a person waits for it.</summary>
    internal const int MaxPages = 4;

    /// <summary>Runs that were going on and turn up in no list: so many are asked for by themselves.</summary>
    internal const int MaxLookups = 5;

    /// <summary>Most tags of a workflow that are kept.</summary>
    internal const int MaxTags = 20;

    /// <summary>n8n writes this year for "until somebody answers".</summary>
    private const int Forever = 3000;

    /// <summary>An execution with what else n8n says of it.</summary>
    public static ExecutionReading Told(N8nExecution raw, ExecutionReading execution)
    {
        var waiting = execution.Status == ExecutionStatus.Unfinished && raw.Status == "waiting";
        return execution with
        {
            IsWaiting = waiting,
            WaitUntil = waiting && N8nValues.Instant(raw.WaitTill) is { } until && until.Year < Forever ? until : null,
            RetriedBy = execution.Status == ExecutionStatus.Failed ? N8nValues.Id(raw.RetrySuccessId) : null,
            RetryOf = N8nValues.Id(raw.RetryOf),
        };
    }

    /// <summary>Tags, and the project that owns a workflow. People put odd things there: what cannot be read was not said.</summary>
    public static WorkflowLabels Labels(string id, N8nWorkflow workflow)
    {
        var tags = new List<string>();
        foreach (var tag in Items(workflow.Tags))
        {
            if (Text(tag, "name", 60) is { } name && !tags.Contains(name, StringComparer.Ordinal) && tags.Count < MaxTags) tags.Add(name);
        }

        var owner = Items(workflow.Shared).FirstOrDefault(share => Text(share, "role", 60) == "workflow:owner");
        if (owner.ValueKind != JsonValueKind.Object) owner = Items(workflow.Shared).FirstOrDefault(share => share.ValueKind == JsonValueKind.Object);
        return new WorkflowLabels(
            id, tags, Text(owner, "projectId", 100),
            owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty("project", out var project) ? Text(project, "name", 200) : null);
    }

    /// <summary><c>{n8n}/workflow/{id}/executions/{id}</c>, as n8n's own editor names it.</summary>
    public static Uri? Address(string? baseUrl, string workflow, string execution)
    {
        if (N8nClient.ApiAddress(baseUrl) is not { } api) return null;
        var root = api.AbsoluteUri[..^"/api/v1".Length];
        return new Uri($"{root}/workflow/{Uri.EscapeDataString(workflow)}/executions/{Uri.EscapeDataString(execution)}");
    }

    /// <summary>What goes on now, what began since, and how those ended that were going on.</summary>
    public static async Task<LookOutcome> LookAsync(
        N8nClient client, DateTimeOffset since, IReadOnlyList<string> open, TimeProvider time, IFetchSink sink, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, ExecutionReading>(StringComparer.Ordinal);
        var (passed, whole) = (0, false);

        // First what goes on, then the list: what ends in between is found finished in the list, and the later reading wins.
        foreach (var status in (string[])["running", "waiting"])
        {
            var going = await client.GetAsync($"executions?limit={PageSize}&includeData=false&status={status}", N8nJson.Default.N8nExecutionPage, cancellationToken);
            // Older versions do not know the word.
            if (going.Status == HttpStatusCode.BadRequest) continue;
            if (going.Failure is { } failure) return new(failure, false);
            foreach (var execution in going.Value!.Data ?? []) Take(execution);
        }

        string? cursor = null;
        for (var page = 0; page < MaxPages && !whole; page++)
        {
            var more = cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}";
            var list = await client.GetAsync($"executions?limit={PageSize}&includeData=false{more}", N8nJson.Default.N8nExecutionPage, cancellationToken);
            if (list.Failure is { } failure) return new(failure, false);
            var data = list.Value!.Data ?? [];
            foreach (var execution in data)
            {
                if (Take(execution) is { } start) passed = start < since ? passed + 1 : 0;
                // A single old one may be odd; see N8nCoverage.
                if (passed == N8nCoverage.Certain) whole = true;
            }

            var next = list.Value.NextCursor;
            whole |= string.IsNullOrEmpty(next) || data.Count == 0;
            if (next == cursor) break;
            cursor = next;
        }

        var asked = 0;
        foreach (var id in open)
        {
            if (found.ContainsKey(id) || asked++ == MaxLookups) continue;
            var one = await client.GetAsync($"executions/{Uri.EscapeDataString(id)}?includeData=false", N8nJson.Default.N8nExecution, cancellationToken);
            if (one.Failure is null) Take(one.Value);
            // How one ended that is gone by now is for the next sync to say.
            else if (one.Status != HttpStatusCode.NotFound) return new(one.Failure, false);
        }

        foreach (var execution in found.Values) sink.Add(execution);
        return new(null, whole);

        DateTimeOffset? Take(N8nExecution? raw)
        {
            if (N8nValues.Reading(raw, time.GetUtcNow()) is not { } execution) return null;
            found[execution.ExecutionId] = Told(raw!, execution);
            return execution.StartedAt;
        }
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement? json) => json is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : default;

    private static string? Text(JsonElement json, string name, int most) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
        && KeptText.Cut(PlainText.Clean(new string([.. value.GetString()!.Where(c => !char.IsControl(c))])), most).Trim() is { Length: > 0 } text ? text : null;
}
