using KpiDashboard.Api;

namespace KpiDashboard.Insights.Rules;

/// <summary>The message that most failed runs share: one thing to mend.</summary>
internal sealed class SharedFailureRule : IInsightRule
{
    // Twice is chance, and what less than half of them say is not what they share.
    private const int Least = 3;
    private const double Share = 0.5;

    private const int MaxQuoted = 160;

    /// <inheritdoc />
    public IEnumerable<Insight> Find(BusinessFacts facts)
    {
        if (facts.SharedMessage is not { } shared || shared.Runs < Least || shared.Runs <= Share * shared.Failed) yield break;
        var (proof, period) = (new Proof(), facts.Period);
        var runs = proof.Number("Failed runs that say this", shared.Runs, "automation.failed", period.From, period.To);
        var failed = proof.Number("Failed runs", shared.Failed, "automation.failed", period.From, period.To);
        var all = shared.Runs == shared.Failed ? $"All {failed} failed runs" : $"{runs} of {failed} failed runs";
        var where = shared.Workflows == 1 ? $"in “{Quoted(shared.Workflow)}”" : $"in {proof.Number("Workflows", shared.Workflows)} workflows";
        var words = shared.Workflows == 1 && shared.Runs == shared.Failed ? $"{all} are {where} and say the same" : $"{all} say the same, {(shared.Workflows == 1 ? "all " : "")}{where}";
        yield return new Insight(
            "failures_shared", "all", InsightSeverity.Attention, $"{words}: “{Quoted(shared.Message)}”.", proof, "/automation", Says(shared.Message), shared.Runs)
        { Kpis = ["automation.failed"] };
    }

    // What stands in quotes must not end them.
    private static string Quoted(string text)
    {
        var plain = text.Replace('“', '‘').Replace('”', '’').TrimEnd('.', ' ');
        return plain.Length <= MaxQuoted ? plain : KeptText.Cut(plain, MaxQuoted).TrimEnd() + "…";
    }

    private static string Says(string message) => KeptText.Cut(new string([.. message.Where(char.IsLetter)]), 60);
}
