
namespace KpiDashboard.Insights.Rules;

/// <summary>Active workflows that run without anybody having said what a success saves: their worth is not counted.</summary>
internal sealed class MinutesMissingRule : IInsightRule
{
    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        var silent = facts.Workflows.Where(workflow => workflow is { Active: true, MinutesPerSuccess: null, Runs: > 0 }).OrderByDescending(workflow => workflow.Runs).ToList();
        if (silent.Count == 0) yield break;
        var (proof, period) = (new Proof(), facts.Period);
        var runs = proof.Times("Runs", silent.Sum(workflow => workflow.Runs), "automation.executions", period.From, period.To);
        yield return new Insight(
            "minutes_missing", "all", InsightSeverity.Info,
            silent.Count == 1
                ? $"“{silent[0].Name}” ran {runs} and has no minutes saved set: its runs count as saving nothing. Set the minutes that one success saves."
                : $"{proof.Number("Workflows without minutes saved", silent.Count)} workflows, “{silent[0].Name}” first of all, ran {runs} and have no minutes saved set: their runs count as saving nothing. Set the minutes that one success saves.",
            proof, "/automation", "missing", silent.Count)
        { Kpis = ["automation.time_saved"] };
    }
}
