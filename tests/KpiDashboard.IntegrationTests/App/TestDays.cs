using System.Reflection;
using KpiDashboard.IntegrationTests.App;
using Xunit.v3;

[assembly: AwayFromMidnight]

namespace KpiDashboard.IntegrationTests.App;

/// <summary>
/// The days of tests that meet the real clock, as the whole app does: what they expect is computed from it, by the zone of the business that they ask about.
/// A literal date stands only in tests whose clock is fixed.
/// </summary>
internal static class TestDays
{
    /// <summary>Today in a zone.</summary>
    public static DateOnly Today(string zone) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(TimeProvider.System.GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById(zone)).DateTime);

    /// <summary>The last day that is over in a zone.</summary>
    public static DateOnly Yesterday(string zone) => Today(zone).AddDays(-1);
}

/// <summary>
/// Somewhere midnight passes at every half hour. A test that would begin in the seconds before one begins after it: what it expected of a business's today would be
/// another day's by the time it asks. What happens over midnight is tested with clocks that are fixed.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class AwayFromMidnightAttribute : BeforeAfterTestAttribute
{
    private static readonly TimeSpan HalfHour = TimeSpan.FromMinutes(30), Margin = TimeSpan.FromSeconds(6);

    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        // Looked at again: a clock may have been set meanwhile.
        while (Left() is var left && left < Margin)
            Thread.Sleep(left + TimeSpan.FromMilliseconds(20));
    }

    private static TimeSpan Left() => HalfHour - TimeSpan.FromTicks(TimeProvider.System.GetUtcNow().Ticks % HalfHour.Ticks);
}
