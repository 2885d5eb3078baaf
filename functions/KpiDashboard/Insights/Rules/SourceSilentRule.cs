using KpiDashboard.Kpis;
using KpiDashboard.Sources;

namespace KpiDashboard.Insights.Rules;

/// <summary>
/// A source that is not read, or is read and has no newer days: it must be connected again, fails, is late or silent, or never delivered.
/// </summary>
internal sealed class SourceSilentRule : IInsightRule
{
    /// <summary>Name of the rule.</summary>
    internal const string Name = "source_silent";

    /// <summary>What was connected a moment ago has a right to be empty.</summary>
    private static readonly TimeSpan New = TimeSpan.FromDays(1);

    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        foreach (var source in facts.Sources.Where(source => source.IsConnected))
        {
            var state = source.ToFreshness();
            var proof = new Proof();
            var (severity, words) = state switch
            {
                { Silent: true } => (InsightSeverity.Trouble, Silent(source, state, proof)),
                { Status: SourceStatus.ReconnectNeeded } => (InsightSeverity.Trouble,
                    $"{source.DisplayName} no longer lets us in: connect it again."),
                { Status: SourceStatus.Failing } => (InsightSeverity.Trouble,
                    $"{source.DisplayName} could not be read lately; it is tried again by itself."),
                { Status: SourceStatus.Late } => (InsightSeverity.Attention, source.LateWords),
                { Status: SourceStatus.NeverSynced } when source.ConnectedAt is { } at && source.Now - at > New =>
                    (InsightSeverity.Attention, Nothing(source, DateOnly.FromDateTime(at.UtcDateTime), proof)),
                _ => (InsightSeverity.Info, null),
            };
            if (words is null) continue;
            var through = state.Silent || state.Status == SourceStatus.NeverSynced ? ""
                : source.CompleteThrough is { } day
                    ? $" Its numbers are complete through {proof.Day("Complete through", day)}; later ones are missing, not zero."
                : " There are no numbers of it yet.";
            yield return new Insight(
                Name, SubjectOf(source, facts), severity, words + through, proof, "/integrations",
                state.Silent ? "Silent" : state.Status.ToString(),
                // A silence that goes on is news again when it is a quarter longer; the others are what they are.
                state is { Silent: true, DueThrough: { } due, MissingSince: { } since } ? due.DayNumber - since.DayNumber + 1 : 1)
            {
                Kpis = [.. KpiCatalogue.Visible.Where(kpi => kpi.Source == source.Connector).Select(kpi => kpi.Key)],
                ComesFirst = true,
            };
        }
    }

    /// <summary>What an insight about a source is known by: its connector, and of further ones of that its id.</summary>
    internal static string SubjectOf(SourceState source, BusinessFacts facts) =>
        facts.Sources.Where(other => other.Connector == source.Connector).MinBy(other => other.Number)?.Id == source.Id
            ? source.Connector
            : $"{source.Connector} {source.Id:D}";

    private static string Nothing(SourceState source, DateOnly since, Proof proof) =>
        $"{source.DisplayName} was connected on {proof.Day("Connected", since)} and nothing came of it yet.";

    private static string Silent(SourceState source, Freshness state, Proof proof)
    {
        var check = SourceFreshness.Rhythms[source.Connector].Check;
        if (state is not { MissingSince: { } since, DueThrough: { } due })
            return $"{source.DisplayName} is read on time, but never had a day with data. {check}";
        var days = due.DayNumber - since.DayNumber + 1;
        // As far as it should be there by now: yesterday's may still come.
        var missing = days == 1 ? "that day is missing, not zero"
            : $"{proof.Number("Days without data", days, null, since, due)} days up to {proof.Day("Last day without data", due)} are missing, not zero";
        var first = proof.Day("First day without data", since);
        return $"{source.DisplayName} has no data since {first}, although it is read on time: {missing}. {check}";
    }
}
