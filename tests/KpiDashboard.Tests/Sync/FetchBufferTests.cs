using KpiDashboard.Connectors;
using KpiDashboard.Kpis;
using KpiDashboard.Sync;
using Xunit;

namespace KpiDashboard.Tests.Sync;

public sealed class FetchBufferTests
{
    private static readonly DateOnly Day = new(2026, 11, 20);
    private static readonly DateTimeOffset Start = new(2026, 11, 20, 8, 0, 0, TimeSpan.Zero);

    private static ExecutionReading Execution(ExecutionStatus status, string id = "1", DateTimeOffset? stopped = null) => new(id, "w", status, ExecutionKind.Production, Start, stopped);

    [Theory]
    [InlineData("web.visits")]
    [InlineData("web.Sessions")]
    [InlineData("web.engagement_rate")]
    [InlineData("automation.roi")]
    [InlineData("")]
    public void A_key_that_is_no_stored_KPI_is_refused_and_named(string key)
    {
        var buffer = new FetchBuffer();
        var fault = Assert.Throws<InvalidOperationException>(() => buffer.Add(new KpiReading(key, Day, 1)));
        Assert.Contains($"'{key}'", fault.Message, StringComparison.Ordinal);
        Assert.Empty(buffer.Readings);
    }

    [Fact]
    public void Every_stored_KPI_is_taken_hidden_ones_too()
    {
        var buffer = new FetchBuffer();
        foreach (var key in KpiCatalogue.All.Where(kpi => kpi.Compute is null).Select(kpi => kpi.Key)) buffer.Add(new KpiReading(key, Day, 1));
        Assert.Equal(KpiCatalogue.All.Count(kpi => kpi.Compute is null), buffer.Readings.Count);
    }

    [Fact]
    public void A_row_that_the_provider_repeats_counts_once_with_its_last_value()
    {
        var buffer = new FetchBuffer();
        buffer.Add(new KpiReading("web.sessions", Day, 10));
        buffer.Add(new KpiReading("web.sessions", Day.AddDays(1), 5));
        buffer.Add(new KpiReading("web.sessions", Day, 12));
        Assert.Equal(2, buffer.Readings.Count);
        Assert.Equal(12, buffer.Readings[("web.sessions", Day)]);
    }

    [Fact]
    public void A_workflow_that_is_listed_twice_is_kept_as_described_last()
    {
        var buffer = new FetchBuffer();
        buffer.Add(new WorkflowReading("w", "Old", true, null));
        buffer.Add(new WorkflowReading("w", "New", false, 3));
        Assert.Equal(new WorkflowReading("w", "New", false, 3), Assert.Single(buffer.Workflows));
    }

    [Theory]
    [InlineData("Succeeded")]
    [InlineData("Failed")]
    [InlineData("Canceled")]
    public void An_end_is_never_undone_in_whatever_order_the_states_come(string end)
    {
        var ended = Execution(Enum.Parse<ExecutionStatus>(end), stopped: Start.AddSeconds(3));
        var running = Execution(ExecutionStatus.Unfinished);
        foreach (var order in new[] { new[] { running, ended }, [ended, running], [running, ended, running], [ended, running, ended] })
        {
            var buffer = new FetchBuffer();
            foreach (var reading in order) buffer.Add(reading);
            Assert.Equal(ended, Assert.Single(buffer.Executions));
        }
    }

    [Fact]
    public void Of_two_ends_the_later_told_wins()
    {
        var buffer = new FetchBuffer();
        buffer.Add(Execution(ExecutionStatus.Failed, stopped: Start.AddSeconds(1)));
        buffer.Add(Execution(ExecutionStatus.Succeeded, stopped: Start.AddSeconds(9)));
        Assert.Equal(ExecutionStatus.Succeeded, Assert.Single(buffer.Executions).Status);
    }

    [Fact]
    public void More_than_200_000_items_of_any_kinds_are_refused()
    {
        var buffer = new FetchBuffer();
        for (var i = 0; i < FetchBuffer.MaxItems - 2; i++) buffer.Add(Execution(ExecutionStatus.Succeeded, $"{i}"));
        buffer.Add(new WorkflowReading("w", "W", true, null));
        buffer.Add(new KpiReading("web.sessions", Day, 1));
        // What is known already takes no room.
        buffer.Add(new KpiReading("web.sessions", Day, 2));
        buffer.Add(Execution(ExecutionStatus.Succeeded, "0"));

        var fault = Assert.Throws<InvalidOperationException>(() => buffer.Add(new RequestRecord { Operation = "GET /", FetchedAt = Start, Rows = 0 }));
        Assert.Contains("200000", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Requests_are_kept_in_the_order_they_were_made()
    {
        var buffer = new FetchBuffer();
        foreach (var number in Enumerable.Range(1, 3)) buffer.Add(new RequestRecord { Operation = $"GET /{number}", FetchedAt = Start, Rows = number });
        Assert.Equal(["GET /1", "GET /2", "GET /3"], buffer.Requests.Select(request => request.Operation));
    }
}
