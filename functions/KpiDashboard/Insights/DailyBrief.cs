using KpiDashboard.Insights.Rules;
using KpiDashboard.Kpis;

namespace KpiDashboard.Insights;

/// <summary>The morning's sentences: what matters most among the insights, and what could not be checked. Silent when nothing matters.</summary>
internal static class DailyBrief
{
    private const int Most = 5;

    /// <summary>Writes at most five sentences; the last of them, where needed, says what could not be checked.</summary>
    /// <param name="facts">What the insights were found in.</param>
    /// <param name="insights">Those that are shown, in their order.</param>
    /// <param name="id">Id of an insight.</param>
    public static IReadOnlyList<BriefSentence> Write(BusinessFacts facts, IReadOnlyList<Insight> insights, Func<Insight, Guid> id)
    {
        var open = Unchecked(facts, insights);
        BriefSentence[] found =
        [
            .. insights.Where(insight => insight.Severity != InsightSeverity.Info).Take(open is null ? Most : Most - 1)
                .Select(insight => new BriefSentence(insight.Text, insight.Severity, id(insight), insight.Path, insight.Kpis, insight.Proof.Evidence)),
        ];
        // What could not be checked is no headline, but it must stand below the quiet one, or that would be an all-clear.
        if (found.Length == 0 && open is not null) found = [new BriefSentence("Nothing stands out in what could be checked.", InsightSeverity.Info, null, "/insights", [], [])];
        return [.. found, .. open is null ? (BriefSentence[])[] : [open]];
    }

    private static BriefSentence? Unchecked(BusinessFacts facts, IReadOnlyList<Insight> told)
    {
        var proof = new Proof();
        var reasons = new List<string>();
        if (facts.Sources.All(source => !source.IsConnected)) reasons.Add("nothing is connected");
        foreach (var source in facts.Sources.Where(source => source.IsConnected && (source.CompleteThrough is null || source.CompleteThrough < facts.Period.To)))
        {
            // Its own sentence stands on top.
            if (told.Any(insight => insight.Rule == SourceSilentRule.Name && insight.Subject == SourceSilentRule.SubjectOf(source, facts))) continue;
            reasons.Add(source.CompleteThrough is { } day
                ? $"{source.DisplayName} is complete only through {proof.Day("Complete through", day)}"
                : $"{source.DisplayName} was not read yet");
        }

        // As the tiles say it: nothing at all before is another reason than days of it that are missing.
        var (nothing, gaps, apart) = (new List<string>(), new List<string>(), new List<string>());
        string[] compared = ["shop.revenue", "web.sessions", "automation.executions"];
        foreach (var kpi in compared.Select(KpiCatalogue.Part))
        {
            if (!facts.Sources.Any(source => source.IsConnected && source.Connector == kpi.Source && source.CompleteThrough >= facts.Period.To)) continue;
            var (now, before) = (facts.Now(kpi.Key), facts.Before(kpi.Key));
            if (now.KnownDays == 0) continue;
            var missing = now.KnownDays < now.Days
                ? $"{kpi.Name} has no data on {proof.Number("Days without data", now.Days - now.KnownDays, kpi.Key, facts.Period.From, facts.Period.To)} of {proof.Number("Days", facts.Days)} days"
                : null;
            // Its tile compares the days that both periods have.
            if (facts.Alike(kpi) is { } alike)
            {
                apart.Add((missing ?? $"{kpi.Name} had days without data before")
                    + $", and is compared on the {proof.Number("Days that both periods have", alike.Days, kpi.Key, facts.Period.From, facts.Period.To)} days that both periods have");
            }
            else if (missing is not null) reasons.Add(missing);
            else if (before is { KnownDays: 0 }) nothing.Add(kpi.Name);
            else if (before is { } earlier && earlier.KnownDays < earlier.Days) gaps.Add(kpi.Name);
        }

        if (nothing.Count > 0) reasons.Add($"{Listed(nothing)} cannot be compared, because there is nothing earlier");
        if (gaps.Count > 0) reasons.Add($"{Listed(gaps)} cannot be compared, because the time before has days without data");

        string[] open =
        [
            .. reasons.Count == 0 ? (string[])[] : [$"We cannot tell yet: {string.Join("; ", reasons.Take(4))}."],
            .. apart.Count == 0 ? (string[])[] : [$"{string.Join("; ", apart)}."],
        ];
        return open.Length == 0 ? null : new BriefSentence(string.Join(" ", open), InsightSeverity.Info, null, "/integrations", [], proof.Evidence);
    }

    private static string Listed(List<string> names) =>
        names is [.. var some, var last] && some.Count > 0 ? $"{string.Join(", ", some)} and {last}" : names[0];
}
