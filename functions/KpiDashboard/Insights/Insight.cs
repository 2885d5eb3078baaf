using System.Security.Cryptography;
using System.Text;

namespace KpiDashboard.Insights;

/// <summary>Something that a rule found.</summary>
/// <param name="Rule">Name of the rule.</param>
/// <param name="Subject">What it is about, for example a workflow or a KPI: with the rule it makes the id.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Text">One or two sentences.</param>
/// <param name="Proof">The numbers in them.</param>
/// <param name="Path">The page to look at.</param>
/// <param name="Says">Its kind and direction: when that changes, it is something new.</param>
/// <param name="Magnitude">How large it is: when that changes by more than a quarter, it is something new.</param>
internal sealed record Insight(string Rule, string Subject, InsightSeverity Severity, string Text, Proof Proof, string Path, string Says, decimal Magnitude)
{
    /// <summary>KPIs that it is about.</summary>
    public IReadOnlyList<string> Kpis { get; init; } = [];

    /// <summary>Money over the period; null where that cannot be computed.</summary>
    public decimal? Money { get; init; }

    /// <summary>Told before anything else: what other numbers rest on is missing.</summary>
    public bool ComesFirst { get; init; }

    /// <summary>What the money is in.</summary>
    public string? Currency { get; init; }

    /// <summary>The same for a tenant, rule and subject from day to day.</summary>
    public Guid IdFor(Guid tenant) => new(SHA256.HashData(Encoding.UTF8.GetBytes($"{tenant:N}\n{Rule}\n{Subject}")).AsSpan(0, 16));
}

/// <summary>Finds one kind of insight. A rule is one file; it tells what it can prove and never a cause.</summary>
internal interface IInsightRule
{
    /// <summary>What it finds.</summary>
    IEnumerable<Insight> Find(BusinessFacts facts);
}
