using KpiDashboard.Kpis;
using KpiDashboard.Sync;

namespace KpiDashboard.Insights.Rules;

/// <summary>A source that is not read: it must be connected again, fails, or is late.</summary>
internal sealed class SourceSilentRule : IInsightRule
{
    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        foreach (var source in facts.Sources.Where(source => source.IsConnected))
        {
            var state = source.ToFreshness();
            if (state.Status is not (SourceStatus.ReconnectNeeded or SourceStatus.Failing or SourceStatus.Late)) continue;
            var proof = new Proof();
            var words = state.Status switch
            {
                SourceStatus.ReconnectNeeded => $"{source.DisplayName} no longer lets us in: connect it again.",
                SourceStatus.Failing => $"{source.DisplayName} could not be read lately; it is tried again by itself.",
                _ => source.LateWords,
            };
            var through = source.CompleteThrough is { } day ? $" Its numbers are complete through {proof.Day("Complete through", day)}; later ones are missing, not zero." : " There are no numbers of it yet.";
            yield return new Insight(
                "source_silent", source.Connector, state.Status == SourceStatus.Late ? InsightSeverity.Attention : InsightSeverity.Trouble, words + through, proof, "/integrations",
                state.Status.ToString(), 1)
            { Kpis = [.. KpiCatalogue.Visible.Where(kpi => kpi.Source == source.Connector).Select(kpi => kpi.Key)] };
        }
    }
}
