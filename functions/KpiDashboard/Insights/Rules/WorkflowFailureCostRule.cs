using KpiDashboard.Kpis;

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
        var runs = proof.Number("Failed runs", failed.Sum(workflow => workflow.Failed), "automation.failed", period.From, period.To);
        var hours = proof.Number("Hours not saved", minutes / 60, null, period.From, period.To);
        var worth = ".";
        if (cost is { } money && facts.Tenant.HourlyLabourCost is { } hourly)
        {
            var (shown, rate) = (
                proof.Money("Value not saved", money, facts.Tenant.Currency, period.From, period.To),
                proof.Money("Hourly labour cost", hourly, facts.Tenant.Currency));
            var about = NumberText.About(shown, NumberText.Read(hours).Value * NumberText.Read(rate).Value);
            worth = $", worth {about}{shown} at your labour cost of {rate} an hour.";
        }

        yield return new Insight(
            "workflow_failure_cost", "all", InsightSeverity.Attention, $"{runs} failed runs would have saved {hours} hours{worth}",
            proof, "/automation", "cost", minutes)
        { Kpis = ["automation.failed"], Money = cost, Currency = cost is null ? null : facts.Tenant.Currency };
    }
}
