using KpiDashboard.Insights.Rules;

namespace KpiDashboard.Insights;

/// <summary>All rules.</summary>
internal static class InsightRules
{
    /// <summary>In the order in which equals are told.</summary>
    public static IReadOnlyList<IInsightRule> All { get; } =
    [
        new SourceSilentRule(), new OwnNumberSilentRule(), new TrackingGapRule(), new WorkflowFailingRule(),
        new RevenueChangeRule(), new ConversionDropRule(), new TrafficChangeRule(), new WorkflowFailureCostRule(),
        new SharedFailureRule(), new AutomationNotWorthItRule(), new GoalRule(), new AnomalyRule(), new RestatedRule(),
        new ThresholdedRule(), new MinutesMissingRule(),
    ];

    /// <summary>
    /// What all rules find: first what is missing, because the rest rests on it, then what is broken, then by money at stake, then by
    /// severity.
    /// </summary>
    public static IReadOnlyList<Insight> Find(BusinessFacts facts) =>
    [
        .. All.SelectMany(rule => rule.Find(facts))
            .OrderByDescending(insight => insight.ComesFirst)
            .ThenByDescending(insight => insight.Severity == InsightSeverity.Trouble)
            .ThenByDescending(insight => insight.Money ?? -1)
            .ThenByDescending(insight => insight.Severity),
    ];
}
