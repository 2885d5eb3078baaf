using System.Diagnostics;
using KpiDashboard.Connectors;
using KpiDashboard.Telemetry;

namespace KpiDashboard.Sync;

/// <summary>Fetches in metrics and traces.</summary>
internal static class FetchOutcomes
{
    /// <summary>What a fetch ended as; null is a fault of ours.</summary>
    public static string NameOf(FetchOutcome? outcome) => outcome switch
    {
        null => "fault",
        FetchSucceeded => "succeeded",
        RateLimited => "rate_limited",
        QuotaExhausted => "quota",
        ProviderDown => "provider_down",
        AuthorizationLost => "authorization_lost",
        RequestRefused => "refused",
        _ => throw new UnreachableException($"{outcome.GetType().Name} has no name."),
    };

    private static readonly Dictionary<string, double> None = [];

    /// <summary>A connector came back.</summary>
    public static void Answered(this Instruments instruments, string connector, FetchOutcome? outcome, TimeSpan duration) =>
        instruments.ProviderAnswered(connector, NameOf(outcome), outcome is FetchSucceeded { Quotas: { } quotas } ? quotas : None, duration);
}
