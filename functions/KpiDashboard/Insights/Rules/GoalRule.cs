using KpiDashboard.Kpis;
using KpiDashboard.Goals;

namespace KpiDashboard.Insights.Rules;

/// <summary>Goals that are off track, missed or met.</summary>
internal sealed class GoalRule : IInsightRule
{
    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        foreach (var goal in facts.Goals.Where(goal => (goal.Now.State is GoalState.OffTrack or GoalState.Missed or GoalState.Met || IsReached(facts, goal)) && goal.Now.Value is not null))
        {
            var (now, proof) = (goal.Now, new Proof());
            var kpi = facts.Catalogue.Find(goal.Kpi)!;
            // The three are compared, and a goal that is missed by little must not look met.
            var projects = now.State == GoalState.OffTrack;
            var shown = proof.Values(kpi, goal.Currency,
                [(now.From, now.Through!.Value, now.Value!.Value, null), (now.From, now.To, now.Target, "Target"),
                .. projects ? [(now.From, now.To, now.Projected!.Value, "Projected")] : Array.Empty<(DateOnly, DateOnly, decimal, string?)>()]);
            var (value, target) = (shown[0], shown[1]);
            var known = $"after {proof.Number("Complete days", now.KnownDays)} of {proof.Number("Days of the period", now.Days)} days";
            var text = now.State switch
            {
                GoalState.OnTrack => $"The goal for {goal.KpiName} is reached so far: {value} of {target} {known}.",
                GoalState.Met => $"The goal for {goal.KpiName} is met: {value} of {target} {known}.",
                GoalState.Missed => $"The goal for {goal.KpiName} is missed: {value} of {target} {known}.",
                _ => $"The goal for {goal.KpiName} is off track: {value} of {target} {known}; going on like this it ends at {shown[^1]}.",
            };
            decimal? money = kpi.Unit == KpiUnit.Currency && kpi.Aggregation == KpiAggregation.Sum && now.State is not (GoalState.Met or GoalState.OnTrack) && now.Projected is { } projected ? Math.Abs(now.Target - projected) : null;
            yield return new Insight(
                "goal", goal.Id.ToString("N"), now.State is GoalState.Met or GoalState.OnTrack ? InsightSeverity.Good : InsightSeverity.Attention, text, proof, "/goals", $"{now.State} {now.From:yyyy-MM-dd}", now.Pace ?? 1)
            { Kpis = [goal.Kpi], Money = money, Currency = money is null ? null : goal.Currency };
        }
    }

    /// <summary>There already, of what may be given back or corrected: good news, and not said to be for good.</summary>
    private static bool IsReached(BusinessFacts facts, GoalEntry goal) =>
        goal.Now.State == GoalState.OnTrack && goal.Direction != KpiDirection.Down && goal.Now.Value >= goal.Now.Target
        && facts.Catalogue.Find(goal.Kpi)?.Aggregation == KpiAggregation.Sum;
}
