using KpiDashboard.LocalHost.Runtime;

namespace KpiDashboard.Tests;

/// <summary>The repository that these tests were built from.</summary>
internal static class Repository
{
    /// <summary>Its root: the folder with the solution, upwards from the tests.</summary>
    public static string Root { get; } =
        LocalHostOptions.FindRepositoryRoot(AppContext.BaseDirectory) ?? throw new InvalidOperationException($"KpiDashboard.sln is in no folder above {AppContext.BaseDirectory}.");

    /// <summary>C# sources of a project, generated ones apart.</summary>
    public static IEnumerable<string> Sources(string project) =>
        Directory.EnumerateFiles(Path.Combine(Root, "functions", project), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"));
}
