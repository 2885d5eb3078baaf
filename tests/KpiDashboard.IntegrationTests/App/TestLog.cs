using KpiDashboard.LocalHost.Runtime;

namespace KpiDashboard.IntegrationTests.App;

/// <summary>
/// What the apps of a test run log: into a file, not between what the tests say. A runner prints all that a module said when one of its tests fails,
/// and the sentence that matters would stand below a page that does not.
/// </summary>
internal static class TestLog
{
    private static readonly Lock s_gate = new();
    private static readonly Lazy<StreamWriter> s_file = new(Open);

    public static void Write(string line)
    {
        lock (s_gate) s_file.Value.WriteLine(line);
    }

    private static StreamWriter Open()
    {
        var root = LocalHostOptions.FindRepositoryRoot(AppContext.BaseDirectory) ?? Path.GetTempPath();
        var folder = Directory.CreateDirectory(Path.Combine(root, "artifacts", "test-logs"));
        // Of each module the last ten; runs side by side have one each.
        var module = AppDomain.CurrentDomain.FriendlyName;
        foreach (var old in folder.GetFiles(module + "-*.log").OrderByDescending(file => file.LastWriteTimeUtc).Skip(9)) old.Delete();
        var path = Path.Combine(folder.FullName, $"{module}-{Environment.ProcessId}.log");
        Console.Error.WriteLine($"What the apps log stands in {path}");
        return new StreamWriter(path, append: false) { AutoFlush = true };
    }
}
