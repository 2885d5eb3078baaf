
namespace KpiDashboard.Insights.Rules;

/// <summary>A workflow that fails and has not worked since.</summary>
internal sealed class WorkflowFailingRule : IInsightRule
{
    private const int Most = 5;

    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        foreach (var failing in facts.Failing.Take(Most))
        {
            var proof = new Proof();
            yield return new Insight(
                "workflow_failing", $"{failing.IntegrationId:N} {failing.Id}", InsightSeverity.Trouble,
                $"“{failing.Name}” has not worked since {proof.Day("Failing since", failing.Since)}: it failed {proof.Times("Failures", failing.Failed, "automation.failed", failing.Since, failing.Last)} by {proof.Day("Counted to", facts.Period.To)}.",
                proof, "/automation", $"since {failing.Since:yyyy-MM-dd}", failing.Failed)
            { Kpis = ["automation.failed"] };
        }
    }
}
