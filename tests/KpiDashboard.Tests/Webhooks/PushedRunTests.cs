using System.Globalization;
using FsCheck.Xunit;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.N8n;
using KpiDashboard.Webhooks;
using Xunit;

namespace KpiDashboard.Tests.Webhooks;

/// <summary>What is known of a run from what its workflow told of it, in the order in which n8n runs things and in any other.</summary>
public sealed class PushedRunTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void An_end_without_a_start_is_a_run_of_its_instant_whose_duration_is_not_known()
    {
        var run = After(End("success", 7));
        Assert.Equal(("succeeded", Noon.AddSeconds(7), null), (run.Status, run.Started, run.Stopped));
    }

    [Theory]
    // The step "Started" stands below and runs last: no start at all, so that nothing is known but the end.
    [InlineData("end:7 start:8", "succeeded 7 -")]
    [InlineData("start:8 end:7", "succeeded 7 -")]
    // It was only late in coming.
    [InlineData("end:7 start:3", "succeeded 3 7")]
    [InlineData("start:3 end:7", "succeeded 3 7")]
    [InlineData("end:7 start:7", "succeeded 7 7")]
    // A start moves back, and never forward.
    [InlineData("start:3 start:2", "unfinished 2 -")]
    [InlineData("start:2 start:3", "unfinished 2 -")]
    [InlineData("start:3 end:7 start:1", "succeeded 1 7")]
    [InlineData("start:3 end:7 start:5", "succeeded 3 7")]
    [InlineData("end:7 start:5 start:9 start:4", "succeeded 4 7")]
    // The upper branch reports success, then something below fails and the error workflow says so; it ended when it was first told, or before.
    [InlineData("start:1 end:7 fail:9", "failed 1 7")]
    [InlineData("end:7 fail:9", "failed 7 -")]
    [InlineData("fail:9 end:7", "failed 7 -")]
    [InlineData("fail:9 end:7 start:1", "failed 1 7")]
    [InlineData("start:1 fail:9 end:12", "failed 1 9")]
    // On failure "Started" never came, the central error workflow alone tells.
    [InlineData("fail:9", "failed 9 -")]
    [InlineData("end:7 cancel:8", "canceled 7 -")]
    [InlineData("cancel:8 fail:9", "failed 8 -")]
    // The same again, later by the time it was sent: an end stays.
    [InlineData("start:1 end:7 end:8", "succeeded 1 7")]
    [InlineData("end:7 start:1 end:7", "succeeded 1 7")]
    public void A_run_is_put_together_from_what_is_told_of_it(string events, string expected)
    {
        var run = After([.. events.Split(' ').Select(Event)]);
        string Second(DateTimeOffset? at) => at is { } known ? (known - Noon).TotalSeconds.ToString(CultureInfo.InvariantCulture) : "-";
        Assert.Equal(expected, $"{run.Status} {Second(run.Started)} {Second(run.Stopped)}");
    }

    [Property(MaxTest = 500)]
    public void The_same_is_known_in_whatever_order_it_arrives(byte[] starts, bool succeeds, bool fails, bool isCanceled, int seed)
    {
        var told = starts.Take(4).Select(second => $"start:{second % 30}").ToList();
        if (succeeds) told.Add("end:12");
        if (isCanceled) told.Add("cancel:14");
        if (fails) told.Add("fail:15");
        if (told.Count == 0) return;
        var mixed = told.ToArray();
        new Random(seed).Shuffle(mixed);
        Assert.Equal(After([.. told.Select(Event)]), After([.. mixed.Select(Event)]));
    }

    [Theory]
    [InlineData("test", null, "manual")]
    [InlineData("production", "test", "manual")]
    [InlineData("test", "production", "manual")]
    [InlineData("production", "integrated", "sub_workflow")]
    [InlineData("integrated", "production", "sub_workflow")]
    [InlineData(null, "integrated", "sub_workflow")]
    [InlineData("webhook", null, "production")]
    [InlineData(null, null, "production")]
    public void A_test_is_manual_and_a_sub_workflow_is_known_whichever_step_says_so(string? first, string? second, string kind) =>
        Assert.Equal(kind, After(Event("start:1", first), Event("end:2", second)).Kind);

    [Fact]
    public void Of_what_n8n_listed_a_push_changes_nothing_but_that_it_ended()
    {
        var running = new PushedRun("1", "w", "unfinished", "production", Noon.AddSeconds(2), null, null, null, null);
        var ended = PushedRun.After(running, Event("end:9"));
        Assert.Equal(("succeeded", Noon.AddSeconds(2), (DateTimeOffset?)Noon.AddSeconds(9)), (ended.Status, ended.Started, ended.Stopped));
        Assert.Equal(running, PushedRun.After(running, Event("start:1")));

        var listed = new PushedRun("1", "w", "succeeded", "production", Noon.AddSeconds(2), Noon.AddSeconds(8), null, null, null);
        foreach (var item in new[] { "start:1", "end:9", "fail:9", "cancel:9" }) Assert.Equal(listed, PushedRun.After(listed, Event(item)));
        // Told first, listed afterwards: n8n's own instants stand, and with them its word.
        var told = After(Event("start:1"), Event("end:9")) with { Started = Noon, Stopped = Noon.AddSeconds(8) };
        foreach (var item in new[] { "start:-1", "end:20", "fail:20" }) Assert.Equal(told, PushedRun.After(told, Event(item)));
    }

    [Fact]
    public void What_comes_again_is_the_same_however_finely_its_clock_is_written()
    {
        var item = Event("start:1") with { StartedAt = Noon.AddTicks(1_234_567) };
        // As the database gives it back: to the microsecond.
        var kept = After(item) with { Started = Noon.AddTicks(1_234_560), ToldStart = Noon.AddTicks(1_234_560) };
        Assert.Equal(kept, PushedRun.After(kept, item));
    }

    private static PushedRun After(params N8nEvent[] items) => items.Aggregate((PushedRun?)null, PushedRun.After)!;

    private static N8nEvent End(string status, int second) => Event($"{(status == "success" ? "end" : "fail")}:{second}");

    private static N8nEvent Event(string told) => Event(told, null);

    private static N8nEvent Event(string told, string? mode)
    {
        var at = Noon.AddSeconds(int.Parse(told.Split(':')[1], CultureInfo.InvariantCulture));
        var status = told.Split(':')[0] switch
        {
            "start" => ExecutionStatus.Unfinished,
            "end" => ExecutionStatus.Succeeded,
            "cancel" => ExecutionStatus.Canceled,
            _ => ExecutionStatus.Failed,
        };
        return new N8nEvent(
            "1", "w", null, status, mode is null ? null : N8nValues.Kind(mode), status == ExecutionStatus.Unfinished ? at : null,
            status == ExecutionStatus.Unfinished ? null : at, null, null, null);
    }
}
