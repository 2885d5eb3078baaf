using KpiDashboard.LocalHost.Embedded;
using Xunit;

namespace KpiDashboard.IntegrationTests.Embedded;

/// <summary>A cache of a test's own, filled from the machine's without the network.</summary>
internal static class CacheCopy
{
    /// <summary>Copies packages, which the machine's cache gets first if it lacks them.</summary>
    public static async Task<string> MakeAsync(string cache, CancellationToken cancellationToken, params NpmPackage[] packages)
    {
        Directory.CreateDirectory(cache);
        foreach (var package in packages)
        {
            var (exitCode, output) = await Processes.RunAsync(
                cancellationToken,
                "cp",
                "-a",
                await EntryAsync(package, cancellationToken),
                cache
            );
            Assert.True(exitCode == 0, output);
        }
        return cache;
    }

    /// <summary>Where the machine's cache has a package.</summary>
    public static async Task<string> EntryAsync(NpmPackage package, CancellationToken cancellationToken)
    {
        var node = await NodeTools.FindAsync(null, cancellationToken);
        var fallback = Path.Combine(Path.GetTempPath(), "kpi-npm");
        var folder = await new NpmPackages(node, null, fallback, null, TimeProvider.System).EnsureAsync(package, cancellationToken);
        return folder[..(folder.IndexOf(package.FolderName, StringComparison.Ordinal) + package.FolderName.Length)];
    }
}
