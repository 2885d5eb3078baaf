
namespace KpiDashboard.Insights.Rules;

/// <summary>The hours that failed runs would have saved, and what they are worth.</summary>
internal sealed class WorkflowFailureCostRule : IInsightRule
{
    private const decimal Worth = 30, Share = 0.05m;

    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        var failed = facts.Workflows.Where(workflow => workflow is { Failed: > 0, MinutesPerSuccess: > 0 }).ToList();
        var minutes = failed.Sum(workflow => workflow.Failed * workflow.MinutesPerSuccess!.Value);
        // A failure or two among hundreds is no news.
        if (minutes < Worth || failed.Sum(workflow => workflow.Failed) < Share * failed.Sum(workflow => workflow.Runs)) yield break;
        var (proof, period) = (new Proof(), facts.Period);
        var cost = minutes / 60 * facts.Tenant.HourlyLabourCost;
        yield return new Insight(
            "workflow_failure_cost", "all", InsightSeverity.Attention,
            $"{proof.Number("Failed runs", failed.Sum(workflow => workflow.Failed), "automation.failed", period.From, period.To)} failed runs would have saved {proof.Number("Hours not saved", minutes / 60, null, period.From, period.To)} hours"
            + (cost is { } money ? $", worth {proof.Money("Value not saved", money, facts.Tenant.Currency, period.From, period.To)} at your hourly labour cost." : "."),
            proof, "/automation", "cost", minutes)
        { Kpis = ["automation.failed"], Money = cost, Currency = cost is null ? null : facts.Tenant.Currency };
    }
}
