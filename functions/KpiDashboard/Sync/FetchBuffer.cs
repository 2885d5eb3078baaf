using KpiDashboard.Connectors;
using KpiDashboard.Kpis;

namespace KpiDashboard.Sync;

/// <summary>Holds what a connector read until the fetch succeeded; a failed fetch is dropped whole.</summary>
internal sealed class FetchBuffer : IFetchSink
{
    /// <summary>More than any slice of a well-behaved provider gives: 800 days × 20 KPIs, 20 pages of 250 executions.</summary>
    public const int MaxItems = 200_000;

    private readonly Dictionary<(string Kpi, DateOnly Day), decimal> _readings = [];
    private readonly Dictionary<string, WorkflowReading> _workflows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WorkflowLabels> _labels = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ExecutionReading> _executions = new(StringComparer.Ordinal);
    private readonly List<RequestRecord> _requests = [];
    private readonly Dictionary<(BreakdownDimension Dimension, DateOnly Day), BreakdownReading> _breakdowns = [];
    private int _members;

    /// <summary>Readings; a duplicate within one fetch is the provider repeating a row, and the last one counts.</summary>
    public IReadOnlyDictionary<(string Kpi, DateOnly Day), decimal> Readings => _readings;

    /// <summary>How days divide.</summary>
    public IReadOnlyCollection<BreakdownReading> Breakdowns => _breakdowns.Values;

    /// <summary>Workflows.</summary>
    public IReadOnlyCollection<WorkflowReading> Workflows => _workflows.Values;

    /// <summary>How workflows are sorted.</summary>
    public IReadOnlyCollection<WorkflowLabels> Labels => _labels.Values;

    /// <summary>Executions.</summary>
    public IReadOnlyCollection<ExecutionReading> Executions => _executions.Values;

    /// <summary>Lineage.</summary>
    public IReadOnlyList<RequestRecord> Requests => _requests;

    /// <inheritdoc />
    public void Add(KpiReading reading)
    {
        if (!KpiCatalogue.IsStored(reading.Kpi)) throw new InvalidOperationException($"A connector reported '{reading.Kpi}', which is no stored KPI of the catalogue.");
        _readings[(reading.Kpi, reading.Day)] = reading.Value;
        Guard();
    }

    /// <inheritdoc />
    public void Add(BreakdownReading breakdown)
    {
        if (breakdown.Members.Values.SelectMany(parts => parts.Keys).FirstOrDefault(kpi => !KpiCatalogue.IsStored(kpi) || !KpiCatalogue.Part(kpi).IsDivided) is { } unknown)
            throw new InvalidOperationException($"A connector divided '{unknown}', which is no KPI that can be.");
        _breakdowns[(breakdown.Dimension, breakdown.Day)] = breakdown;
        _members += breakdown.Members.Count;
        Guard();
    }

    /// <inheritdoc />
    public void Add(WorkflowReading workflow)
    {
        _workflows[workflow.WorkflowId] = workflow;
        Guard();
    }

    /// <inheritdoc />
    public void Add(WorkflowLabels labels)
    {
        _labels[labels.WorkflowId] = labels;
        Guard();
    }

    /// <inheritdoc />
    public void Add(ExecutionReading execution)
    {
        // One listing may show an execution running and a later request show its end: an end is never undone.
        if (_executions.TryGetValue(execution.ExecutionId, out var known) && known.Status != ExecutionStatus.Unfinished && execution.Status == ExecutionStatus.Unfinished) return;
        _executions[execution.ExecutionId] = execution;
        Guard();
    }

    /// <inheritdoc />
    public void Add(RequestRecord request)
    {
        _requests.Add(request);
        Guard();
    }

    private void Guard()
    {
        if (_readings.Count + _workflows.Count + _labels.Count + _executions.Count + _requests.Count + _members > MaxItems)
            throw new InvalidOperationException($"One slice gave more than {MaxItems} items; the connector must cut smaller slices.");
    }
}
