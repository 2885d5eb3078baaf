using KpiDashboard.Demo.N8n;
using Xunit;

namespace KpiDashboard.IntegrationTests.Connectors;

/// <summary>The order in which a real n8n was seen to run nodes; what is pushed from them comes in that order.</summary>
public sealed class N8nFlowTests
{
    /// <summary>Where "Started" stands beside the first step, whether that fails, how many items the last step gives, and what runs.</summary>
    [Theory]
    [InlineData(-100, false, 1, "Trigger,Started,Work,Last,Finished")]
    [InlineData(100, false, 1, "Trigger,Work,Last,Finished,Started")]
    [InlineData(-100, true, 1, "Trigger,Started,Work")]
    [InlineData(100, true, 1, "Trigger,Work")]
    [InlineData(100, false, 0, "Trigger,Work,Last,Started")]
    public void The_upper_branch_runs_to_its_end_first_and_nothing_below_a_failure_runs(double started, bool fails, int items, string expected)
    {
        var run = N8nFlow.Run("Trigger",
        [
            new FlowNode("Trigger", 0, ["Work", "Started"]), new FlowNode("Started", started, []), new FlowNode("Work", 0, ["Last"], fails), new FlowNode("Last", 0, ["Finished"], Items: items),
            new FlowNode("Finished", 0, []),
        ]);

        Assert.Equal(expected.Split(','), run.Ran);
        Assert.Equal(fails ? "Work" : null, run.FailedAt);
    }
}
