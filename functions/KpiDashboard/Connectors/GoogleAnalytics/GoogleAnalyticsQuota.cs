using System.Text.Json;

namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>Notices that a property's allowance runs low. Pure.</summary>
internal static class GoogleAnalyticsQuota
{
    // Allowances of a standard property (connectors.md). Those of Analytics 360 are ten times as large, so the warning then comes late rather than wrongly.
    // Concurrent requests are left out: what is free at this instant says nothing about the next.
    private static readonly (string Name, int Limit, string What)[] Allowances =
    [
        ("tokensPerDay", 200_000, "daily"),
        ("tokensPerHour", 40_000, "hourly"),
        ("tokensPerProjectPerHour", 14_000, "hourly"),
        ("potentiallyThresholdedRequestsPerHour", 120, "hourly"),
        ("serverErrorsPerProjectPerHour", 10, "hourly"),
    ];

    /// <summary>The longest-lasting allowance that has a tenth or less left; null if all have more or none is told.</summary>
    internal static SlowDown? Check(JsonElement? quota, DateTimeOffset now)
    {
        foreach (var (_, what, limit, remaining) in Read(quota))
        {
            if (remaining * 10L <= limit)
            {
                return new SlowDown(
                    what == "daily" ? GoogleErrors.NextPacificMidnight(now) : now.AddHours(1),
                    $"The {what} allowance of Google Analytics for this property is nearly used up.");
            }
        }

        return null;
    }

    /// <summary>Of each allowance that is told, the part that is left, 0 to 1.</summary>
    internal static IReadOnlyDictionary<string, double> Remaining(JsonElement? quota) =>
        Read(quota).ToDictionary(allowance => allowance.Name, allowance => Math.Clamp(allowance.Remaining / (double)allowance.Limit, 0, 1), StringComparer.Ordinal);

    private static IEnumerable<(string Name, string What, int Limit, int Remaining)> Read(JsonElement? quota)
    {
        if (quota is not { ValueKind: JsonValueKind.Object } all)
            yield break;
        foreach (var (name, limit, what) in Allowances)
        {
            if (!all.TryGetProperty(name, out var allowance) || allowance.ValueKind != JsonValueKind.Object)
                continue;

            // proto3 JSON leaves a zero out: no "remaining" means that nothing remains.
            var remaining = 0;
            if (allowance.TryGetProperty("remaining", out var left) && !(left.ValueKind == JsonValueKind.Number && left.TryGetInt32(out remaining)))
                continue;
            yield return (name, what, limit, remaining);
        }
    }
}
