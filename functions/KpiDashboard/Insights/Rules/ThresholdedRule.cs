using KpiDashboard.Kpis;


namespace KpiDashboard.Insights.Rules;

/// <summary>The source estimated from a sample or held rows of few people back: the numbers are lower or rougher than what happened.</summary>
internal sealed class ThresholdedRule : IInsightRule
{
    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        foreach (var flag in facts.Flags.Where(flag => flag.Sampled + flag.Thresholded > 0))
        {
            var proof = new Proof();
            // Of two properties it is the one whose answers these are.
            var source = facts.Sources.FirstOrDefault(source => source.Connector == flag.Connector && source.Number == flag.Source);
            var (name, subject) = source is null ? (flag.Connector, flag.Connector) : (source.DisplayName, SourceSilentRule.SubjectOf(source, facts));
            var requests = proof.Number("Answers", flag.Requests);
            var words = new List<string>();
            if (flag.Thresholded > 0) words.Add($"held back rows of few people in {proof.Number("Thresholded", flag.Thresholded)} of {requests} answers, so that sums may be too low");
            if (flag.Sampled > 0) words.Add($"estimated from a sample in {proof.Number("Sampled", flag.Sampled)} of {requests} answers");
            yield return new Insight(
                "thresholded", subject, InsightSeverity.Info, $"{name} {string.Join(", and ", words)}.", proof, "/integrations",
                flag.Sampled > 0 ? "sampled" : "thresholded", 1)
            { Kpis = [.. KpiCatalogue.Visible.Where(kpi => kpi.Source == flag.Connector).Select(kpi => kpi.Key)] };
        }
    }
}
