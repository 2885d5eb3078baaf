using System.Diagnostics;
using System.Globalization;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>Looks whether a server that an earlier copy of us started still runs.</summary>
internal static class RunningProcesses
{
    /// <summary>The ids of processes that run a program in a folder.</summary>
    /// <param name="directory">The folder that they work in.</param>
    /// <param name="program">A word that their command line holds.</param>
    /// <param name="pidFile">A file whose first line is the id of the main one; used where the system does not tell who works in a folder.</param>
    public static IReadOnlyList<int> In(string directory, string program, string pidFile)
    {
        if (!OperatingSystem.IsLinux())
            return FromFile(program, pidFile);
        var real = new DirectoryInfo(directory).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? directory;
        var found = new List<int>();
        foreach (var entry in Directory.EnumerateDirectories("/proc"))
        {
            if (
                !int.TryParse(Path.GetFileName(entry), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                || id == Environment.ProcessId
            )
                continue;
            try
            {
                var where = new FileInfo(Path.Combine(entry, "cwd")).LinkTarget;
                if (
                    (where == real || where == directory)
                    && File.ReadAllText(Path.Combine(entry, "cmdline")).Contains(program, StringComparison.Ordinal)
                )
                    found.Add(id);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Ended while we looked, or somebody else's, who cannot have our folder open.
            }
        }
        return found;
    }

    private static IReadOnlyList<int> FromFile(string program, string pidFile)
    {
        try
        {
            var id = int.Parse(File.ReadLines(pidFile).First(), CultureInfo.InvariantCulture);
            using var process = Process.GetProcessById(id);
            return process.ProcessName.Contains(program, StringComparison.OrdinalIgnoreCase) ? [id] : [];
        }
        catch (Exception e)
            when (e is IOException or ArgumentException or FormatException or InvalidOperationException or OverflowException)
        {
            return [];
        }
    }
}
