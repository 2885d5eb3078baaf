using KpiDashboard.Connectors;
using KpiDashboard.Kpis;

namespace KpiDashboard.IntegrationTests.Connectors;

/// <summary>Keeps what a connector hands on; the latest state of an execution wins, as in the engine.</summary>
internal sealed class RecordingSink : IFetchSink
{
    public Dictionary<(string Kpi, DateOnly Day), decimal> Readings { get; } = [];
    public Dictionary<string, WorkflowReading> Workflows { get; } = [];
    public Dictionary<string, ExecutionReading> Executions { get; } = [];
    public List<RequestRecord> Requests { get; } = [];

    /// <summary>Readings that came more than once: a connector reports each day once.</summary>
    public int Repeated { get; private set; }

    public void Add(KpiReading reading)
    {
        if (!Readings.TryAdd((reading.Kpi, reading.Day), reading.Value))
            Repeated++;
    }

    /// <summary>How days divide; a later reading of a day and dimension replaces an earlier one.</summary>
    public Dictionary<(BreakdownDimension Dimension, DateOnly Day), BreakdownReading> Breakdowns { get; } = [];

    public void Add(BreakdownReading breakdown) => Breakdowns[(breakdown.Dimension, breakdown.Day)] = breakdown;

    public void Add(WorkflowReading workflow) => Workflows[workflow.WorkflowId] = workflow;

    public void Add(ExecutionReading execution) => Executions[execution.ExecutionId] = execution;

    public void Add(RequestRecord request) => Requests.Add(request);

    public decimal Sum(string kpi) => Readings.Where(reading => reading.Key.Kpi == kpi).Sum(reading => reading.Value);

    public int Days(string kpi) => Readings.Keys.Count(key => key.Kpi == kpi);

    public decimal? this[string kpi, DateOnly day] => Readings.TryGetValue((kpi, day), out var value) ? value : null;
}
