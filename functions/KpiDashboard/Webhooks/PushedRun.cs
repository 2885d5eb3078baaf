using KpiDashboard.Automation;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.N8n;
using KpiDashboard.Security;

namespace KpiDashboard.Webhooks;

/// <summary>
/// An execution, and what was pushed of it. n8n tells in an order of its own: of parallel branches the upper one runs first, so that an end
/// may come before its start, and no start comes at all where something fails before. What is told of start, end and mode is therefore put
/// together so that the same comes out in whatever order it arrives. What n8n itself lists is more than what is told: once an execution was
/// read there, its start and its end stay.
/// </summary>
/// <param name="Id">n8n's id.</param>
/// <param name="Workflow">n8n's id.</param>
/// <param name="Status">As it is stored.</param>
/// <param name="Kind">As it is stored.</param>
/// <param name="Started">When it started; of an end alone, when it ended.</param>
/// <param name="Stopped">When it ended; null while that, or the start, is not known.</param>
/// <param name="ToldStart">The earliest start that was pushed.</param>
/// <param name="ToldEnd">The earliest end that was pushed.</param>
/// <param name="Error">What went wrong, masked.</param>
internal sealed record PushedRun(
    string Id, string Workflow, string Status, string Kind, DateTimeOffset Started, DateTimeOffset? Stopped, DateTimeOffset? ToldStart, DateTimeOffset? ToldEnd,
    string? Error)
{
    /// <summary>
    /// Ends, each put right by those after it: an error workflow tells of a run whose upper branch had reported its success already, and
    /// not the other way round.
    /// </summary>
    private static readonly string[] Ends =
        [AutomationWriter.Word(ExecutionStatus.Succeeded), AutomationWriter.Word(ExecutionStatus.Canceled), AutomationWriter.Word(ExecutionStatus.Failed)];

    /// <summary>Kinds, from what is taken for granted to what only somebody who knows says.</summary>
    private static readonly string[] Kinds =
    [
        AutomationWriter.Word(ExecutionKind.Production), AutomationWriter.Word(ExecutionKind.Manual), AutomationWriter.Word(ExecutionKind.ErrorHandler),
        AutomationWriter.Word(ExecutionKind.SubWorkflow),
    ];

    private bool IsOver => Array.IndexOf(Ends, Status) >= 0;

    /// <summary>It stands otherwise than it was told, or was never told of: n8n's own list was read.</summary>
    private bool WasRead => (ToldStart is null && ToldEnd is null) || (Started, Stopped) != Times(ToldStart, ToldEnd);

    /// <summary>What is known after an event.</summary>
    /// <param name="before">What was known; null for nothing, and then the event must say an instant.</param>
    /// <param name="item">What came.</param>
    public static PushedRun After(PushedRun? before, N8nEvent item)
    {
        // As finely as it is kept: else what comes again would seem to be a little earlier.
        item = item with { StartedAt = Kept(item.StartedAt), StoppedAt = Kept(item.StoppedAt) };
        var kind = AutomationWriter.Word(item.Kind ?? ExecutionKind.Production);
        var error = item.Error is { } text ? SecretMask.Clean(text, 500) : null;
        if (before is null)
        {
            var (start, end) = Times(item.StartedAt, item.StoppedAt);
            return new PushedRun(item.ExecutionId, item.WorkflowId, AutomationWriter.Word(item.Status), kind, start, end, item.StartedAt, item.StoppedAt, error);
        }

        var run = Rank(Kinds, kind) > Rank(Kinds, before.Kind) ? before with { Kind = kind } : before;
        return run.WasRead ? run.Completed(item, error) : run.Told(item, error);
    }

    /// <summary>
    /// An execution that n8n listed: a push tells how it ended before n8n is asked again, and what went wrong; nothing else.
    /// </summary>
    private PushedRun Completed(N8nEvent item, string? error)
    {
        var status = AutomationWriter.Word(item.Status);
        if (IsOver || item.Status == ExecutionStatus.Unfinished) return status == Status ? this with { Error = Error ?? error } : this;
        var stopped = item.StoppedAt ?? Started + item.Duration;
        return this with { Status = status, Stopped = stopped < Started ? null : stopped, Error = error };
    }

    private PushedRun Told(N8nEvent item, string? error)
    {
        // A start only ever moves back: whoever tells of it later than it was stands further down.
        var start = item.StartedAt < ToldStart || ToldStart is null ? item.StartedAt ?? ToldStart : ToldStart;
        var run = this with { ToldStart = start };
        if (item.Status != ExecutionStatus.Unfinished)
        {
            var status = AutomationWriter.Word(item.Status);
            var end = item.StoppedAt ?? start + item.Duration;
            // Whoever tells of the same end later knows better how, not when: an error workflow begins after what it tells of.
            var first = end < ToldEnd || ToldEnd is null ? end ?? ToldEnd : ToldEnd;
            run = !IsOver || Rank(Ends, status) > Rank(Ends, Status) ? run with { Status = status, ToldEnd = first, Error = error }
                : run with { ToldEnd = first, Error = status == Status ? Error ?? error : Error };
        }

        var (started, stopped) = Times(run.ToldStart, run.ToldEnd);
        return run with { Started = started, Stopped = stopped };
    }

    /// <summary>
    /// Of an end alone the day is known, and how long it took is not. So it is where the start that was told lies behind the end: a step
    /// that stands in the lowest branch comes last, whatever it is called.
    /// </summary>
    private static (DateTimeOffset Started, DateTimeOffset? Stopped) Times(DateTimeOffset? start, DateTimeOffset? end) =>
        end is null ? (start!.Value, null)
        : start is { } known && known <= end ? (known, end)
        : (end.Value, null);

    private static DateTimeOffset? Kept(DateTimeOffset? instant) => instant is { } exact ? exact.AddTicks(-(exact.Ticks % TimeSpan.TicksPerMicrosecond)) : null;

    private static int Rank(string[] order, string word) => Array.IndexOf(order, word);
}
