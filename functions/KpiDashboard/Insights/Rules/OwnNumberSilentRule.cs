using KpiDashboard.Security;
using KpiDashboard.Sources;

namespace KpiDashboard.Insights.Rules;

/// <summary>A number of the business's own that is sent to us and stopped coming, by the judgement that sources are judged by.</summary>
internal sealed class OwnNumberSilentRule : IInsightRule
{
    /// <summary>Name of the rule.</summary>
    internal const string Name = "own_number_silent";

    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        foreach (var sent in facts.Sent)
        {
            if (facts.Catalogue.Find(sent.Kpi) is not { } kpi) continue;
            if (SourceFreshness.OfSent(sent.Known, sent.Since, sent.Last, facts.Today)
                is not { MissingSince: var since, DueThrough: var due }) continue;
            var proof = new Proof();
            var days = due.DayNumber - since.DayNumber + 1;
            var missing = days == 1 ? "that day is missing, not zero"
                : $"{proof.Number("Days without data", days, sent.Kpi, since, due)} days are missing, not zero";
            yield return new Insight(
                Name, sent.Kpi, InsightSeverity.Trouble,
                $"{PlainText.Isolated(kpi.Name)} has had no value since {proof.Day("First day without data", since)}, "
                    + $"longer than is usual for it: {missing}. "
                    + "Check that what sends it still runs.",
                proof, $"/metrics/{sent.Kpi}", "Silent", days)
            {
                Kpis = [sent.Kpi],
                ComesFirst = true,
            };
        }
    }
}
