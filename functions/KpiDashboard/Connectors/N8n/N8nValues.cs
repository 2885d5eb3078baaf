using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace KpiDashboard.Connectors.N8n;

/// <summary>How n8n writes ids, times, states and modes, over its versions. Pure.</summary>
internal static partial class N8nValues
{
    /// <summary>An id as text, whether it came as text or as number; null if it is neither or absurdly long.</summary>
    internal static string? Id(JsonElement? json) => json switch
    {
        { ValueKind: JsonValueKind.String } text when text.GetString() is { Length: > 0 and <= 100 } value => value,
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out var value) => value.ToString(CultureInfo.InvariantCulture),
        _ => null,
    };

    /// <summary>
    /// An ISO 8601 instant with a day and a time (<c>2026-11-21T08:30:00Z</c>, also with a blank for the T, a fraction, an offset like <c>+01:00</c>); without an offset it
    /// is UTC. Null for anything else: what .NET would guess (<c>11/12/2026 08:00</c>, <c>12:30</c> today) may be another day.
    /// </summary>
    internal static DateTimeOffset? Instant(string? text)
    {
        if (text is null || text.Length > 40 || Iso().Match(text.Trim()) is not { Success: true } match) return null;
        var fraction = match.Groups["fraction"].Value;
        var offset = match.Groups["offset"].Value is var written && written is "" or "Z" or "z" ? "+00:00"
            : written.Length == 3 ? written + ":00"
            : written.Contains(':', StringComparison.Ordinal) ? written
            : written.Insert(3, ":");
        var plain = $"{match.Groups["day"].Value} {match.Groups["time"].Value}:{(match.Groups["second"].Success ? match.Groups["second"].Value : "00")}."
            + $"{(fraction.Length > 7 ? fraction[..7] : fraction).PadRight(7, '0')}{offset}";
        return DateTimeOffset.TryParseExact(plain, "yyyy-MM-dd HH:mm:ss.fffffffzzz", CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var instant) ? instant : null;
    }

    /// <summary>
    /// n8n's status. Decided by the status alone: a waiting execution has a <c>stoppedAt</c> too. An unknown word is not the end of an execution.
    /// Versions from before 2023 have no status, but <c>finished</c> and <c>stoppedAt</c>.
    /// </summary>
    internal static ExecutionStatus Status(string? status, bool? finished, bool stopped) => status switch
    {
        "success" => ExecutionStatus.Succeeded,
        "error" or "crashed" => ExecutionStatus.Failed,
        "canceled" => ExecutionStatus.Canceled,
        null or "" when finished == true => ExecutionStatus.Succeeded,
        null or "" when finished == false && stopped => ExecutionStatus.Failed,
        _ => ExecutionStatus.Unfinished,
    };

    /// <summary>
    /// n8n's <c>WorkflowExecuteMode</c>: cli, error, integrated, internal, manual, retry, trigger, webhook, evaluation, chat. n8n's own insights leave out manual,
    /// integrated and internal. An evaluation is a test run on sample data that a person starts, so it counts as manual here. A retry is real work; what new versions add is
    /// taken for real work too. What a workflow itself can tell is <c>$execution.mode</c>, which knows but <c>test</c> (a person tries it)
    /// and <c>production</c>.
    /// </summary>
    internal static ExecutionKind Kind(string? mode) => mode switch
    {
        "manual" or "test" or "evaluation" => ExecutionKind.Manual,
        "error" => ExecutionKind.ErrorHandler,
        "integrated" or "internal" => ExecutionKind.SubWorkflow,
        _ => ExecutionKind.Production,
    };

    /// <summary>
    /// Minutes that one success saves: <c>settings.timeSavedPerExecution</c>; null if not set, not a number, negative or above a week, and when
    /// <c>timeSavedMode</c> is <c>dynamic</c> (then the nodes say it run by run, and the public API does not).
    /// </summary>
    internal static decimal? TimeSavedMinutes(JsonElement? settings)
    {
        if (settings is not { ValueKind: JsonValueKind.Object } all)
            return null;
        if (all.TryGetProperty("timeSavedMode", out var mode) && mode.ValueKind == JsonValueKind.String && mode.ValueEquals("dynamic"))
            return null;
        if (!all.TryGetProperty("timeSavedPerExecution", out var saved))
            return null;
        decimal minutes;
        var known = saved.ValueKind switch
        {
            JsonValueKind.Number => saved.TryGetDecimal(out minutes),
            JsonValueKind.String => decimal.TryParse(saved.GetString(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out minutes),
            _ => (minutes = 0) != 0,
        };
        return known && minutes is >= 0 and <= 7 * 24 * 60 ? minutes : null;
    }

    /// <summary>Whether a workflow keeps its successful executions: all but those set to <c>saveDataSuccessExecution: none</c>. What the instance's default is, the API does not say.</summary>
    internal static bool KeepsSuccesses(JsonElement? settings) =>
        !(settings is { ValueKind: JsonValueKind.Object } all && all.TryGetProperty("saveDataSuccessExecution", out var save)
            && save.ValueKind == JsonValueKind.String && save.ValueEquals("none"));

    /// <summary>Whether a workflow says so itself; else what the instance does by default counts.</summary>
    internal static bool SaysWhetherSuccessesAreKept(JsonElement? settings) =>
        settings is { ValueKind: JsonValueKind.Object } all && all.TryGetProperty("saveDataSuccessExecution", out var save)
            && save.ValueKind == JsonValueKind.String && (save.ValueEquals("all") || save.ValueEquals("none"));

    /// <summary>Whether n8n's own insights count an execution that ended so: they leave out what somebody tried, called workflows, and what was cancelled or crashed.</summary>
    internal static bool IsCounted(string? mode, string? status) => mode is not ("manual" or "integrated" or "internal") && status is ("success" or "error" or "crashed");

    [GeneratedRegex(
        @"^(?<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?<time>[0-9]{2}:[0-9]{2})(:(?<second>[0-9]{2})([.,](?<fraction>[0-9]{1,9}))?)?(?<offset>[Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Iso();

    /// <summary>n8n was first published in June 2019.</summary>
    private static readonly DateTimeOffset Earliest = new(2019, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Clocks differ by this much at most before one of them is simply wrong.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromDays(1);

    /// <summary>An instant at which something can have happened in an n8n; a clock that stands in 1970 or in 9999 tells nothing.</summary>
    internal static DateTimeOffset? Plausible(DateTimeOffset? instant, DateTimeOffset now) => instant >= Earliest && instant <= now + Ahead ? instant : null;

    /// <summary>When an execution started; null if that says nothing.</summary>
    internal static DateTimeOffset? Start(N8nExecution? execution, DateTimeOffset now) => Plausible(Instant(execution?.StartedAt), now);

    /// <summary>A finished execution, as it tells where the list is whole; null if it is not finished (then pruning passes it by) or its start says nothing.</summary>
    internal static ListedRun? Listed(N8nExecution? execution, DateTimeOffset now)
    {
        if (Start(execution, now) is not { } start || Status(execution!.Status, execution.Finished, Instant(execution.StoppedAt) is not null) == ExecutionStatus.Unfinished)
            return null;
        var number = long.TryParse(Id(execution.Id), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : (long?)null;
        return new ListedRun(start, Plausible(Instant(execution.StoppedAt), now) is { } stop && stop > start ? stop : start, number);
    }

    /// <summary>
    /// The reading of an execution; null if it has no id or workflow, or has not started yet (it turns up again once it has). One whose start is no instant that can be, but
    /// whose end is, counts on the day it ended, without a duration.
    /// </summary>
    internal static ExecutionReading? Reading(N8nExecution? execution, DateTimeOffset now)
    {
        if (execution is null || Id(execution.Id) is not { } id || Id(execution.WorkflowId) is not { } workflow || Instant(execution.StartedAt) is null)
            return null;
        var stopped = Plausible(Instant(execution.StoppedAt), now);
        var status = Status(execution.Status, execution.Finished, Instant(execution.StoppedAt) is not null);
        if (Start(execution, now) is not { } started)
            return status != ExecutionStatus.Unfinished && stopped is { } end ? new ExecutionReading(id, workflow, status, Kind(execution.Mode), end, null) : null;

        // A clock that was set back in between: an end before the start is no duration.
        var reading = new ExecutionReading(
            id, workflow, status, Kind(execution.Mode), started, status == ExecutionStatus.Unfinished || stopped < started ? null : stopped);
        // While it waits, n8n tells since when and until when; once it has ended, nobody does.
        return execution.Status == "waiting" && stopped >= started ? reading with { AsleepAt = stopped, WakesAt = Instant(execution.WaitTill) } : reading;
    }
}
