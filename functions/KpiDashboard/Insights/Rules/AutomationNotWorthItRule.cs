using KpiDashboard.Kpis;


namespace KpiDashboard.Insights.Rules;

/// <summary>The automations cost more than they saved.</summary>
internal sealed class AutomationNotWorthItRule : IInsightRule
{
    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        var roi = facts.Now("automation.roi");
        var saved = facts.Now("automation.value_saved");
        // A month's cost is spread by days: a week or more says something, a day does not.
        if (roi is not { Value: < 0, Status: not ValueStatus.Partial } || saved.Value is not { } value || facts.Days < 7) yield break;
        var cost = Enumerable.Range(0, facts.Days).Select(facts.Period.From.AddDays).Where(day => facts.Table.StatusOf(KpiCatalogue.Part("automation.time_saved"), day) != DayStatus.Missing).Sum(facts.Tenant.Economics.DailyCost);
        var (proof, period) = (new Proof(), facts.Period);
        var shown = proof.Moneys(facts.Tenant.Currency, ("Value saved", value, period.From, period.To), ("Cost", cost, period.From, period.To));
        yield return new Insight(
            "automation_not_worth_it", "all", InsightSeverity.Attention,
            $"The automations saved work worth {shown[0]} and cost {shown[1]} over the same days: {proof.Money("Short of the cost", cost - value, facts.Tenant.Currency, period.From, period.To)} short.",
            proof, "/automation", "negative", cost - value)
        { Kpis = ["automation.roi", "automation.value_saved"], Money = cost - value, Currency = facts.Tenant.Currency };
    }
}
