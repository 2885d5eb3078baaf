using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KpiDashboard.LocalHost.Startup;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>The web page's sources, and the page built from them.</summary>
/// <param name="folder">The folder with <c>package.json</c>.</param>
/// <param name="lockFile">Held while something is written there, so that two copies do not build at the same time.</param>
/// <param name="searchPath">Where to look for Node; null for <c>PATH</c>.</param>
/// <param name="time">Clock.</param>
/// <remarks>
/// What was built from what is remembered in <c>node_modules/.kpi</c>: next to what it is about, so that the memory goes when that goes. Hashes of
/// contents, not times: a checkout or a copy gives new times to old files.
/// </remarks>
internal sealed class WebPage(string folder, string lockFile, string? searchPath, TimeProvider time)
{
    private const int LinesShown = 12;
    private static readonly TimeSpan ToolLimit = TimeSpan.FromMinutes(10);
    private static readonly HashSet<string> NotSources = ["node_modules", "dist", "coverage", "test-results", "playwright-report", ".vite"];

    /// <summary>Where the built page is.</summary>
    public string Root { get; } = Path.Combine(folder, "dist");

    private string Modules => Path.Combine(folder, "node_modules");

    private string ModulesStamp => Path.Combine(Modules, ".kpi", "lock.hash");

    private string BuildStamp => Path.Combine(Modules, ".kpi", "build.hash");

    /// <summary>Whether there is a page to build at all.</summary>
    public bool Exists => File.Exists(Path.Combine(folder, "package.json"));

    /// <summary>Whether what is in <see cref="Root"/> was built from the sources as they are now.</summary>
    public bool IsUpToDate() => PackagesAreUpToDate() && Read(BuildStamp) is { } built && built == BuildHash(SourcesHash());

    /// <summary>Fetches the packages and builds the page, as far as either is stale.</summary>
    /// <returns>Whether anything was done.</returns>
    /// <exception cref="StartupException">A tool failed; ends with its last lines.</exception>
    public async Task<bool> BuildAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(lockFile)!);
            using var held = await DirectoryLock.TakeAsync(
                lockFile,
                ToolLimit,
                () => progress("waiting for another copy that builds it"),
                time,
                cancellationToken
            );
            if (IsUpToDate())
                return false;
            var node = await NodeTools.FindAsync(searchPath, cancellationToken);
            if (!PackagesAreUpToDate())
            {
                var locked = PackageLockHash();
                await FetchPackagesAsync(node, progress, cancellationToken);
                Write(ModulesStamp, locked);
            }
            progress("building");
            // Before the build: what is changed while it runs is built the next time.
            var sources = SourcesHash();
            var (exitCode, lines) = await RunNpmAsync(node, ["run", "build"], cancellationToken);
            if (exitCode != 0)
                throw Failure("be built", lines);
            if (!File.Exists(Path.Combine(Root, "index.html")))
                throw new StartupException($"The web page could not be built: npm run build left no index.html in {Root}.");
            Write(BuildStamp, BuildHash(sources));
            return true;
        }
        catch (TimeoutException e)
        {
            throw new StartupException($"The web page could not be built: {e.Message} End what builds it, or start with --no-web.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The web page could not be built: {e.Message} Start with --no-web to do without it.", e);
        }
    }

    private async Task FetchPackagesAsync(NodeTools node, Action<string> progress, CancellationToken cancellationToken)
    {
        string[] flags = ["--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"];
        progress("fetching its packages (npm ci)");
        var (exitCode, lines) = await RunNpmAsync(node, ["ci", .. flags], cancellationToken);
        // A lock file written against a partial mirror lacks optional packages for other systems, and npm ci then refuses it everywhere.
        // npm install takes the locked versions all the same; --no-save leaves the lock file as it is.
        if (exitCode != 0 && lines.Any(l => l.Contains("code EUSAGE", StringComparison.Ordinal)))
        {
            progress("fetching its packages (npm install, because package-lock.json is not complete)");
            (exitCode, lines) = await RunNpmAsync(node, ["install", "--no-save", .. flags], cancellationToken);
        }
        if (exitCode != 0)
            throw Failure("get its packages", lines);
    }

    private Task<(int ExitCode, IReadOnlyList<string> LastLines)> RunNpmAsync(
        NodeTools node,
        string[] arguments,
        CancellationToken cancellationToken
    )
    {
        var (file, leading) = node.Npm();
        return ChildProcess.RunAsync(
            new ChildProcessOptions
            {
                Node = node,
                FileName = file,
                Arguments = [.. leading, .. arguments],
                WorkingDirectory = folder,
                // The lines are shown in a sentence, not on a terminal of the tool's own.
                Environment = new Dictionary<string, string?>
                {
                    ["NO_COLOR"] = "1",
                    ["FORCE_COLOR"] = null,
                    ["NODE_ENV"] = null,
                },
                SignalGroup = true,
            },
            ToolLimit,
            time,
            cancellationToken
        );
    }

    private static StartupException Failure(string what, IReadOnlyList<string> lines)
    {
        var last = lines
            .TakeWhile(l => !l.StartsWith("npm error Usage", StringComparison.Ordinal))
            .Where(l => l.Trim() is not ("" or "npm error") && !l.Contains("complete log of this run", StringComparison.Ordinal))
            .TakeLast(LinesShown);
        return new StartupException(
            $"The web page could not {what}; start with --no-web to do without it. The last lines were:\n  {string.Join("\n  ", last)}"
        );
    }

    private bool PackagesAreUpToDate() => (Read(ModulesStamp) is { } fetched && fetched == PackageLockHash()) || NpmFetchedThem();

    /// <summary>
    /// Somebody ran npm here: what it put into node_modules stands in a lock file of its own there. All that the page needs is there, as it is locked.
    /// </summary>
    private bool NpmFetchedThem()
    {
        if (Read(Path.Combine(Modules, ".package-lock.json")) is not { } installed || Read(Path.Combine(folder, "package-lock.json")) is not { } locked)
            return false;
        try
        {
            var there = JsonNode.Parse(installed)?["packages"]?.AsObject();
            var wanted = JsonNode.Parse(locked)?["packages"]?.AsObject();
            return there is not null && wanted is { Count: > 1 } && wanted.All(package =>
                package.Key.Length == 0
                || (there[package.Key] is { } one
                    // A linked package has neither.
                    ? Text(one, "version") == Text(package.Value, "version") && Text(one, "integrity") == Text(package.Value, "integrity")
                    // Made for another system, for example.
                    : package.Value?["optional"] is JsonValue optional && optional.TryGetValue<bool>(out var isOptional) && isOptional));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }

        static string? Text(JsonNode? package, string name) => package?[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
    }

    private string PackageLockHash()
    {
        var packageLock = Path.Combine(folder, "package-lock.json");
        return File.Exists(packageLock)
            ? Hash(File.ReadAllBytes(packageLock))
            : throw new StartupException($"{packageLock} is missing: run npm install in {folder} and commit the file that it writes.");
    }

    /// <summary>The sources together with what was made of them: a page that somebody built in between from other sources is stale too.</summary>
    private string BuildHash(string sources)
    {
        var index = Path.Combine(Root, "index.html");
        return File.Exists(index) ? sources + " " + Hash(File.ReadAllBytes(index)) : "";
    }

    private string SourcesHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in Sources(new DirectoryInfo(folder)).OrderBy(f => f.FullName, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetRelativePath(folder, file.FullName)));
            hash.AppendData(SHA256.HashData(File.ReadAllBytes(file.FullName)));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static IEnumerable<FileInfo> Sources(DirectoryInfo from) =>
        from.EnumerateFiles()
            .Concat(from.EnumerateDirectories().Where(d => !NotSources.Contains(d.Name)).SelectMany(Sources))
            .Where(f => f.Exists && f.Extension != ".log");

    private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static string? Read(string stamp)
    {
        try
        {
            return File.ReadAllText(stamp);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static void Write(string stamp, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(stamp)!);
        File.WriteAllText(stamp, text);
    }
}
