
namespace KpiDashboard.Insights.Rules;

/// <summary>Clearly more or fewer visits while the share of them that converts stayed what it was.</summary>
internal sealed class TrafficChangeRule : IInsightRule
{
    private const decimal Much = 0.10m, Held = 0.05m;

    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        if (facts.Change("web.sessions") is not { } visits || Math.Abs(visits.Change) < Much || !BusinessFacts.BeyondNoise(visits.Now, visits.Before)) yield break;
        if (facts.Change("web.conversion_rate") is not { } conversion || Math.Abs(conversion.Change) > Held) yield break;
        var (proof, period) = (new Proof(), facts.Period);
        var shown = proof.Values(visits.Kpi, null,
            (period.From, period.To, visits.Now, null), (period.CompareFrom!.Value, period.CompareTo!.Value, visits.Before, "Sessions before"));
        yield return new Insight(
            "traffic_change", visits.Kpi.Key, visits.Change < 0 ? InsightSeverity.Attention : InsightSeverity.Good,
            $"Sessions are {proof.Percent("Change", visits.Change, visits.Kpi.Key, period.From, period.To)} {(visits.Change < 0 ? "below" : "above")} {facts.Than(proof)} "
            + $"({shown[0]} against {shown[1]}), "
            + $"while conversion held at {proof.Value(conversion.Kpi, period.From, period.To, conversion.Now, null)}.",
            proof, $"/metrics/{visits.Kpi.Key}", visits.Change < 0 ? "down" : "up", visits.Change)
        { Kpis = ["web.sessions", "web.conversion_rate"] };
    }
}
