namespace KpiDashboard.Tests;

/// <summary>The repository that these tests were built from.</summary>
internal static class Repository
{
    /// <summary>Its root: the folder with the solution, upwards from the tests.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>C# sources of a project, generated ones apart.</summary>
    public static IEnumerable<string> Sources(string project) =>
        Directory.EnumerateFiles(Path.Combine(Root, "functions", project), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KpiDashboard.sln"))) return folder.FullName;
        }

        throw new InvalidOperationException($"KpiDashboard.sln is in no folder above {AppContext.BaseDirectory}.");
    }
}
