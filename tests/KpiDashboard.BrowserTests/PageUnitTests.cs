using System.Diagnostics;
using KpiDashboard.BrowserTests.App;
using Xunit;

namespace KpiDashboard.BrowserTests;

/// <summary>The page's own unit tests (Vitest), so that one command runs all tests.</summary>
/// <param name="app">Has the page's packages installed by the time it is there.</param>
[Collection<SecondApp>]
public sealed class PageUnitTests(AppFixture app)
{
    [Fact]
    public async Task The_pages_own_unit_tests_pass()
    {
        var start = new ProcessStartInfo("node", ["node_modules/vitest/vitest.mjs", "run", "--reporter=dot"])
        {
            WorkingDirectory = Path.Combine(app.RepositoryRoot, "static-web"),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["CI"] = "true";
        using var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            Assert.True(process.ExitCode == 0, await output + await error);
            Assert.Matches(@"Tests\s+.*\d+ passed", await output);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
