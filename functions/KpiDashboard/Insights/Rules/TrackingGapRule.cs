using KpiDashboard.Kpis;
using KpiDashboard.Sources;

namespace KpiDashboard.Insights.Rules;

/// <summary>Complete days of the period without any visit, or without data, where the weeks before always had some: a tracking code that is gone looks like that.</summary>
internal sealed class TrackingGapRule : IInsightRule
{
    private const decimal Usual = 20;

    /// <summary>What ended longer ago is no trouble any more: it explains the numbers of the period, and nobody has to run.</summary>
    private const int StillNews = 7;

    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        var sessions = KpiCatalogue.Part("web.sessions");
        var sources = facts.Sources.Where(candidate => candidate.Connector == sessions.Source).OrderBy(candidate => candidate.Number).ToList();
        foreach (var source in sources)
        {
            var subject = source == sources[0] ? sessions.Key : $"{sessions.Key} {source.Id:D}";
            if (FindOf(facts, source, sessions, subject) is { } found) yield return found;
        }
    }

    private static Insight? FindOf(BusinessFacts facts, SourceState source, KpiDefinition sessions, string subject)
    {
        if (source.CompleteThrough is not { } complete) return null;
        decimal? On(DateOnly day) => facts.Table.ValueOf(sessions.Key, source.Number, day);
        var before = Enumerable.Range(1, 28).Select(day => facts.Period.From.AddDays(-day)).Where(day => day >= facts.Table.From).Select(On).OfType<decimal>().ToList();
        if (before.Count < 7 || HealthScore.Median(before) is var usual && usual < Usual) return null;
        var empty = Enumerable.Range(0, facts.Days).Select(facts.Period.From.AddDays).Where(day => day <= complete && day >= source.ReadFrom && On(day) is null or 0).ToList();
        if (empty.Count == 0) return null;
        var proof = new Proof();
        var over = complete.DayNumber - empty[^1].DayNumber >= StillNews;
        var days = proof.Number("Days without visits", empty.Count, sessions.Key, empty[0], empty[^1]);
        return new Insight(
            "tracking_gap", subject, over ? InsightSeverity.Attention : InsightSeverity.Trouble,
            $"{source.DisplayName} has no visits on {days} of {proof.Number("Days", facts.Days)} days, the first {proof.Day("First day without visits", empty[0])}; "
            + $"{proof.Number("Median of the days before", HealthScore.Median(before), sessions.Key)} a day are usual. "
            + "What is not measured is missing, not zero."
            + (over ? $" The last such day was {proof.Day("Last day without visits", empty[^1])}."
                : " Check that the tracking code is on the site."),
            proof, $"/metrics/{sessions.Key}", $"since {empty[0]:yyyy-MM-dd}", empty.Count)
        { Kpis = [sessions.Key] };
    }
}
