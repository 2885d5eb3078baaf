using System.Diagnostics;
using System.Globalization;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.IntegrationTests.Identity;
using Xunit;

namespace KpiDashboard.IntegrationTests.App;

/// <summary>What it costs a test class to have the whole app to itself, its database and queues being there: host, worker and functions.</summary>
[Trait("Clock", "none")]
public sealed class AppStartTests(PostgresFixture postgres, ITestOutputHelper output)
{
    [Fact]
    public async Task An_app_for_a_test_class_starts_within_a_second_and_a_half()
    {
        await using AccountsApp app = new(postgres);
        await app.InitializeAsync();
        List<double> seconds = [];
        // The best of some: other tests run beside it.
        for (var i = 0; i < 10 && seconds.DefaultIfEmpty(double.MaxValue).Min() > 1.5; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await app.StartAsync($"again{i}");
            seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        var all = string.Join(", ", seconds.Select(one => one.ToString("0.00", CultureInfo.InvariantCulture)));
        output.WriteLine($"Seconds: {all}");
        Assert.True(seconds.Min() <= 1.5, $"Starts took {all} s.");
    }
}
