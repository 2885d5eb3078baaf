using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using CsvHelper;
using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Automation;

/// <summary>
/// Writes runs and workflows as files, row by row: in JSON as the API tells them, in CSV with a column for each property, by its name.
/// </summary>
internal static class AutomationFiles
{
    /// <summary>The file.</summary>
    /// <param name="fileName">Of the file, without its end.</param>
    /// <param name="list">Of the list in JSON.</param>
    /// <param name="format"><c>csv</c> or <c>json</c>.</param>
    /// <param name="type">How a row is written; its properties are texts, numbers, truths, instants and days.</param>
    /// <param name="rows">Read as they are written.</param>
    public static IResult Answer<T>(string fileName, string list, string format, JsonTypeInfo<T> type, Func<CancellationToken, IAsyncEnumerable<T>> rows) =>
        format == "csv"
            ? new StreamedAnswer("text/csv; charset=utf-8", $"{fileName}.csv", null, (output, token) => CsvAsync(output, type, rows(token), token))
            : new StreamedAnswer("application/json; charset=utf-8", $"{fileName}.json", null,
                (output, token) => RowFiles.WriteJsonAsync(output, list, type, rows(token), null, token));

    private static async Task CsvAsync<T>(Stream output, JsonTypeInfo<T> type, IAsyncEnumerable<T> rows, CancellationToken cancellationToken)
    {
        await using var csv = CsvWriter.Create(output, RowFiles.Csv, leaveOpen: true);
        await csv.WriteRecordAsync([.. type.Properties.Select(property => property.Name)], cancellationToken);
        await foreach (var row in rows)
        {
            foreach (var property in type.Properties)
            {
                // A number is no formula, even if it begins with a minus.
                if (property.Get!(row!) is decimal number) csv.WriteField(number);
                else csv.WriteField(Text(property.Get(row!)));
            }

            await csv.EndRecordAsync(cancellationToken);
        }

        await csv.FlushAsync(cancellationToken);
    }

    private static string? Text(object? value) => value switch
    {
        null => null,
        string text => text,
        bool truth => truth ? "true" : "false",
        DateTimeOffset instant => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        DateOnly day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new ArgumentOutOfRangeException(nameof(value), value.GetType().Name, null),
    };
}

/// <summary>Runs as a file.</summary>
internal sealed record RunsFile(IReadOnlyList<ExportedRun> Runs);

/// <summary>A run as a row of a file; see <see cref="ExecutionEntry"/>.</summary>
internal sealed record ExportedRun(
    DateTimeOffset StartedAt, DateTimeOffset? StoppedAt, long? DurationMs, string Workflow, string WorkflowId, string ExecutionId, string Status, string Kind,
    DateTimeOffset? WaitUntil, string? Node, string? Message, string? FixedBy, string? Url)
{
    /// <summary>The row of a run.</summary>
    public static ExportedRun Of(ExecutionEntry run) => new(
        run.StartedAt, run.StoppedAt, run.DurationMs, run.Workflow, run.WorkflowId, run.Id, run.Status, run.Kind, run.WaitUntil, run.Error?.Node, run.Error?.Message, run.FixedBy, run.Url);
}

/// <summary>The table of workflows as a file.</summary>
internal sealed record WorkflowsFile(IReadOnlyList<ExportedWorkflow> Workflows);

/// <summary>A workflow in a period as a row of a file; see <see cref="WorkflowPerformance"/>. Tags are separated by commas.</summary>
internal sealed record ExportedWorkflow(
    string Workflow, string WorkflowId, bool Active, string Tags, string? Project, DateOnly From, DateOnly To, int? Executions, int? Succeeded, int? Failed, int Canceled,
    decimal? SuccessRate, decimal? AverageDurationMs, decimal? MedianDurationMs, decimal? TimeSavedPerExecution, decimal? TimeSavedMinutes, decimal? ValueSaved, decimal? LostMinutes, decimal? LostValue, string Currency,
    bool Gone, bool Shown)
{
    /// <summary>The row of a workflow.</summary>
    public static ExportedWorkflow Of(PerformanceResponse period, WorkflowPerformance flow) => new(
        flow.Name, flow.Id, flow.Active, string.Join(", ", flow.Tags), flow.Project ?? flow.ProjectId, period.From, period.To, flow.Executions, flow.Succeeded, flow.Failed, flow.Canceled,
        flow.SuccessRate, flow.AverageDurationMs, flow.MedianDurationMs, flow.TimeSavedPerExecution, flow.TimeSavedMinutes, flow.ValueSaved, flow.LostMinutes, flow.LostValue, period.Currency,
        flow.Gone, flow.Shown);
}
