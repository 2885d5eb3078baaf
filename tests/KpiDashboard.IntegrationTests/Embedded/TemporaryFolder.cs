namespace KpiDashboard.IntegrationTests.Embedded;

/// <summary>A folder of its own for a test, gone afterwards.</summary>
public sealed class TemporaryFolder : IDisposable
{
    private const string Prefix = "kpi-test-";

    public TemporaryFolder()
    {
        FullPath = Path.Combine(Path.GetTempPath(), Prefix + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(FullPath);
    }

    public string FullPath { get; }

    /// <summary>A folder inside it, which is not made.</summary>
    public string this[string name] => Path.Combine(FullPath, name);

    /// <summary>
    /// Removes what test runs that were killed have left: a day is longer than any run takes. What time it is, a folder made now tells: our clock may be
    /// moved (scripts/any-day), the file system's is not, and folders of other runs that are at work would look old.
    /// </summary>
    public static void Sweep()
    {
        using var now = new TemporaryFolder();
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), Prefix + "*"))
            if (Directory.GetCreationTimeUtc(now.FullPath) - Directory.GetCreationTimeUtc(folder) > TimeSpan.FromDays(1))
                Delete(folder);
    }

    public void Dispose() => Delete(FullPath);

    private static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another run's, or something in it is still being written: the next sweep gets it.
        }
    }
}
