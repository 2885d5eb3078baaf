using static KpiDashboard.Kpis.KpiInputs;

namespace KpiDashboard.Kpis.Catalogue;

/// <summary>What the automations do and what they are worth, from n8n. Error-workflow, manual and sub-workflow runs are not counted here.</summary>
internal static class AutomationKpis
{
    private const string Source = "n8n";

    public static IReadOnlyList<KpiDefinition> All { get; } =
    [
        Sum("automation.executions", "Automation runs", "Production runs that finished, well or badly, by the day they started. Cancelled, running and waiting ones are told apart.", KpiUnit.Count, KpiDirection.Neutral),
        Sum("automation.succeeded", "Runs that worked", "Runs that finished well.", KpiUnit.Count, KpiDirection.Up),
        Sum("automation.failed", "Runs that failed", "Runs that ended in an error or crashed.", KpiUnit.Count, KpiDirection.Down) with { IsPulse = true },
        Sum("automation.time_saved", "Time saved", "Minutes that one success of a workflow saves, times its successes. Failures save nothing.", KpiUnit.Minutes, KpiDirection.Up),
        Sum("automation.finished_ms", "Run time", "Milliseconds of all finished runs, without what they are known to have waited.", KpiUnit.Milliseconds, KpiDirection.Neutral) with { Hidden = true },
        Sum("automation.timed", "Timed runs", "Finished runs of which is known how long they took.", KpiUnit.Count, KpiDirection.Neutral) with { Hidden = true },
        new()
        {
            Key = "automation.success_rate", Name = "Success rate", Description = "Share of finished runs that worked.",
            Unit = KpiUnit.Ratio, Direction = KpiDirection.Up, Aggregation = KpiAggregation.Ratio, Source = Source,
            Formula = "worked ÷ (worked + failed)", Parts = ["automation.succeeded", "automation.failed"],
            Compute = i => Divide(i["automation.succeeded"], i["automation.succeeded"] + i["automation.failed"]),
        },
        new()
        {
            Key = "automation.avg_duration", Name = "Run duration", Description = "How long a finished run works on average, without what it is known to have waited. Runs of which nobody told how long they took are left out.",
            Unit = KpiUnit.Milliseconds, Direction = KpiDirection.Down, Aggregation = KpiAggregation.Ratio, Source = Source,
            Formula = "milliseconds of finished runs ÷ finished runs with a duration", Parts = ["automation.finished_ms", "automation.timed"],
            Compute = i => Divide(i["automation.finished_ms"], i["automation.timed"]),
        },
        new()
        {
            Key = "automation.value_saved", Name = "Value saved", Description = "Hours saved at your hourly labour cost.",
            Unit = KpiUnit.Currency, Direction = KpiDirection.Up, Aggregation = KpiAggregation.Sum, Source = Source,
            Formula = "minutes saved ÷ 60 × hourly labour cost", Parts = ["automation.time_saved"],
            Compute = i => i["automation.time_saved"] / 60 * i.HourlyLabourCost,
            Lacks = economics => economics.HourlyLabourCost is null ? "The cost of an hour of work is not set." : null,
        },
        new()
        {
            Key = "automation.roi", Name = "Return on automation cost",
                Description = "What the automations bring beyond their cost, per unit of cost. 2 means: the cost came back three times.",
            Unit = KpiUnit.Ratio, Direction = KpiDirection.Up, Aggregation = KpiAggregation.Ratio, Source = Source,
            Formula = "(value saved − automation cost) ÷ automation cost", Parts = ["automation.time_saved"],
            Compute = i => Divide((i["automation.time_saved"] / 60 * i.HourlyLabourCost) - i.AutomationCost, i.AutomationCost),
            Lacks = economics => economics.HourlyLabourCost is null ? "The cost of an hour of work is not set."
                : economics.AutomationCostPerMonth is null ? "What the automations cost a month is not set." : null,
        },
    ];

    private static KpiDefinition Sum(string key, string name, string description, KpiUnit unit, KpiDirection direction) => new()
    {
        Key = key,
        Name = name,
        Description = description,
        Unit = unit,
        Direction = direction,
        Aggregation = KpiAggregation.Sum,
        Source = Source,
    };
}
