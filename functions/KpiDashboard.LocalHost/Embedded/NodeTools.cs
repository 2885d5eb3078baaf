using System.Diagnostics;
using System.Globalization;
using KpiDashboard.LocalHost.Startup;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>Where Node.js and npm are on this machine.</summary>
/// <param name="Node">Full path of the <c>node</c> program.</param>
/// <param name="Version">Its version, for example <c>20.20.2</c>.</param>
/// <param name="SearchPath">The folders that were searched, as in <c>PATH</c>.</param>
internal sealed record NodeTools(string Node, Version Version, string SearchPath)
{
    private const int OldestMajor = 20;
    private const string HowToGetIt =
        "install Node.js 20 or newer (from https://nodejs.org or with your system's package manager), open a new terminal and start again.";

    /// <summary>Finds Node on the search path and checks that it is new enough.</summary>
    /// <param name="searchPath">Folders to search, as in <c>PATH</c>; null for the process's own <c>PATH</c>.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="StartupException">It is missing, does not run or is too old.</exception>
    public static async Task<NodeTools> FindAsync(string? searchPath, CancellationToken cancellationToken)
    {
        searchPath ??= Environment.GetEnvironmentVariable("PATH") ?? "";
        var node =
            Find(searchPath, OperatingSystem.IsWindows() ? "node.exe" : "node")
            ?? throw new StartupException("Node.js was not found on the PATH: " + HowToGetIt);
        var text = await VersionOfAsync(node, cancellationToken);
        if (!Version.TryParse(text.TrimStart('v').Split('-')[0], out var version))
            throw new StartupException($"Node.js at {node} does not run (it answered '{text}' to --version): " + HowToGetIt);
        if (version.Major < OldestMajor)
            throw new StartupException($"Node.js {version} at {node} is too old: " + HowToGetIt);
        return new NodeTools(node, version, searchPath);
    }

    /// <summary>The program and the leading arguments that run npm.</summary>
    /// <exception cref="StartupException">npm is not there.</exception>
    public (string File, string[] Arguments) Npm()
    {
        if (!OperatingSystem.IsWindows())
            return Find(SearchPath, "npm") is { } npm ? (npm, []) : throw Missing();
        // npm.cmd cannot be started without a shell, and a shell would need its own quoting: run what it runs.
        var folders = new[] { Path.GetDirectoryName(Node), Path.GetDirectoryName(Find(SearchPath, "npm.cmd")) };
        var script = folders
            .Where(f => f is not null)
            .Select(f => Path.Combine(f!, "node_modules", "npm", "bin", "npm-cli.js"))
            .FirstOrDefault(File.Exists);
        return script is null ? throw Missing() : (Node, [script]);

        static StartupException Missing() => new("npm, which comes with Node.js, was not found on the PATH: " + HowToGetIt);
    }

    private static string? Find(string searchPath, string name) =>
        searchPath
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(IsExecutable);

    private static bool IsExecutable(string path) =>
        File.Exists(path)
        && (
            OperatingSystem.IsWindows()
            || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0
        );

    private static async Task<string> VersionOfAsync(string node, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        var start = new ProcessStartInfo(node, "--version") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("NODE_OPTIONS");
        try
        {
            using var process = Process.Start(start)!;
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return output.Trim();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return e.Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return string.Create(CultureInfo.InvariantCulture, $"nothing within 20 s");
        }
    }
}
