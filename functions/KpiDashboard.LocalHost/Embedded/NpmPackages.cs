using System.Runtime.InteropServices;
using System.Text.Json;
using KpiDashboard.LocalHost.Startup;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>An npm package at one exact version.</summary>
/// <param name="Name">Its name, scope included.</param>
/// <param name="Version">Its version.</param>
/// <param name="Needs">Files, relative to the package, without which it is of no use; they are looked at on every start.</param>
internal sealed record NpmPackage(string Name, string Version, IReadOnlyList<string> Needs)
{
    /// <summary>Azurite, the storage emulator.</summary>
    public static readonly NpmPackage Azurite = new("azurite", "3.37.0", ["dist/src/azurite.js", "package.json"]);

    /// <summary>An SMTP server, for catching mail.</summary>
    public static readonly NpmPackage SmtpServer = new("smtp-server", "3.21.6", ["dist/cjs/smtp-server.js", "package.json"]);

    /// <summary>The Postgres server for this machine.</summary>
    /// <exception cref="StartupException">There is none for it.</exception>
    public static NpmPackage Postgres() => PostgresOf("18.4.0-beta.17");

    /// <summary>The oldest Postgres that the product supports, for this machine; the tests run the product on it.</summary>
    /// <exception cref="StartupException">There is none for it.</exception>
    public static NpmPackage OldestPostgres() => PostgresOf("15.18.0-beta.17");

    private static NpmPackage PostgresOf(string version)
    {
        var platform = (Platform(), RuntimeInformation.OSArchitecture) switch
        {
            ("linux", Architecture.X64) => "linux-x64",
            ("linux", Architecture.Arm64) => "linux-arm64",
            ("darwin", Architecture.Arm64) => "darwin-arm64",
            ("darwin", Architecture.X64) => "darwin-x64",
            // Windows on ARM runs x64 programs.
            ("windows", Architecture.X64 or Architecture.Arm64) => "windows-x64",
            _ => throw new StartupException(
                $"There is no embedded Postgres for {RuntimeInformation.OSDescription} on {RuntimeInformation.OSArchitecture}: "
                    + "install PostgreSQL 15 or newer and name it in the setting ConnectionStrings__Postgres."
            ),
        };
        var suffix = OperatingSystem.IsWindows() ? ".exe" : "";
        return new(
            "@embedded-postgres/" + platform,
            version,
            [$"native/bin/postgres{suffix}", $"native/bin/initdb{suffix}", "package.json"]
        );
    }

    /// <summary>The name of its folder in the cache.</summary>
    public string FolderName => $"{Name.Replace('/', '+')}@{Version}";

    private static string Platform() =>
        OperatingSystem.IsLinux() ? "linux"
        : OperatingSystem.IsMacOS() ? "darwin"
        : OperatingSystem.IsWindows() ? "windows"
        : "";
}

/// <summary>Npm packages in a cache that all copies on this machine share: fetched once, then only looked at.</summary>
/// <remarks>
/// A package is installed beside its place and moved there in one step, so that whatever is in its place is complete. A lock file keeps two copies
/// from fetching at the same time; it is a convenience, not what makes it safe.
/// </remarks>
internal sealed class NpmPackages
{
    private const string StampName = ".installed.json";
    private static readonly TimeSpan InstallLimit = TimeSpan.FromMinutes(10);

    private readonly NodeTools _node;
    private readonly Action<string> _progress;
    private readonly TimeProvider _time;
    private readonly IReadOnlyList<string> _roots;

    /// <summary>Looks for packages in one folder.</summary>
    /// <param name="node">Node and npm.</param>
    /// <param name="cacheDirectory">The cache; null for <c>KPI_NPM_CACHE</c> or, without that, a folder among the user's local application data.</param>
    /// <param name="fallbackDirectory">Used where the cache cannot be written, in a read-only home for example.</param>
    /// <param name="progress">Told what takes long.</param>
    /// <param name="time">Clock.</param>
    public NpmPackages(NodeTools node, string? cacheDirectory, string fallbackDirectory, Action<string>? progress, TimeProvider time)
    {
        _node = node;
        _progress = progress ?? (_ => { });
        _time = time;
        var usual = cacheDirectory ?? DefaultDirectory();
        _roots = usual is null ? [Path.GetFullPath(fallbackDirectory)] : [Path.GetFullPath(usual), Path.GetFullPath(fallbackDirectory)];
    }

    /// <summary>How often npm was run.</summary>
    public int Installs { get; private set; }

    /// <summary>The cache that is used when nothing else is said; null where the user has no home.</summary>
    public static string? DefaultDirectory()
    {
        if (Environment.GetEnvironmentVariable("KPI_NPM_CACHE") is { Length: > 0 } set)
            return set;
        var local = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return local.Length == 0 ? null : Path.Combine(local, "kpi-dashboard", "npm");
    }

    /// <summary>The folder of a package, which is fetched if it is not there.</summary>
    /// <exception cref="StartupException">It cannot be fetched.</exception>
    public async Task<string> EnsureAsync(NpmPackage package, CancellationToken cancellationToken)
    {
        // First whatever is complete: a cache that somebody else filled may be read-only.
        foreach (var root in _roots)
            if (Find(root, package) is { } found)
                return found;
        return await InstallAsync(package, WritableRoot(package), replaceDamaged: false, cancellationToken);
    }

    /// <summary>Compares every file of a package with what was installed and fetches the package again if something is amiss.</summary>
    /// <returns>True when it was fetched again.</returns>
    /// <remarks>Too slow for every start; meant for when the package's program did not start.</remarks>
    public async Task<bool> RepairAsync(NpmPackage package, CancellationToken cancellationToken)
    {
        foreach (var root in _roots)
        {
            var entry = Path.Combine(root, package.FolderName);
            if (!Directory.Exists(entry))
                continue;
            if (ReadStamp(entry) is { } stamp && Contents(entry) == (stamp.Files, stamp.Bytes))
                return false;
            await InstallAsync(package, WritableRoot(package), replaceDamaged: true, cancellationToken);
            return true;
        }
        return false;
    }

    private static string? Find(string root, NpmPackage package)
    {
        var entry = Path.Combine(root, package.FolderName);
        if (ReadStamp(entry) is not { } stamp)
            return null;
        var folder = PackageFolder(entry, package);
        foreach (var (name, length) in stamp.Needs)
            if (new FileInfo(Path.Combine(folder, name)) is not { Exists: true } file || file.Length != length)
                return null;
        return LinkLibraries(folder) ? folder : null;
    }

    private static string PackageFolder(string entry, NpmPackage package) =>
        Path.Combine([entry, "node_modules", .. package.Name.Split('/')]);

    private string WritableRoot(NpmPackage package)
    {
        var why = "";
        foreach (var root in _roots)
        {
            try
            {
                Directory.CreateDirectory(root);
                var probe = Path.Combine(root, Path.GetRandomFileName());
                File.WriteAllBytes(probe, []);
                File.Delete(probe);
                return root;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                why = e.Message;
            }
        }
        throw new StartupException($"There is no place to keep {package.Name}: {why} Name a folder that can be written in KPI_NPM_CACHE.");
    }

    private async Task<string> InstallAsync(NpmPackage package, string root, bool replaceDamaged, CancellationToken cancellationToken)
    {
        DirectoryLock held;
        try
        {
            held = await DirectoryLock.TakeAsync(
                Path.Combine(root, package.FolderName + ".lock"),
                InstallLimit,
                () => _progress($"waiting for another copy that downloads {package.Name}"),
                _time,
                cancellationToken
            );
        }
        catch (TimeoutException e)
        {
            throw new StartupException($"{package.Name} could not be installed: {e.Message} End that process and start again.", e);
        }
        using (held)
        {
            if (!replaceDamaged && Find(root, package) is { } found)
                return found;

            var place = Path.Combine(root, package.FolderName);
            var building = Path.Combine(root, $".new-{package.FolderName}-{Guid.NewGuid():N}");
            // With the lock held nobody else builds this one: what lies about was left by a copy that was killed.
            foreach (var left in Directory.EnumerateDirectories(root, $".*-{package.FolderName}-*"))
                Discard(left);
            Directory.CreateDirectory(building);
            try
            {
                await NpmInstallAsync(package, building, cancellationToken);
                var folder = PackageFolder(building, package);
                if (package.Needs.FirstOrDefault(name => !File.Exists(Path.Combine(folder, name))) is { } missing)
                    throw new StartupException(
                        $"npm installed {package.Name} {package.Version} without {missing}: start again, or report it."
                    );
                if (!LinkLibraries(folder))
                    throw new StartupException(
                        $"The library links of {package.Name} could not be created in {root}: name another folder in KPI_NPM_CACHE."
                    );
                WriteStamp(building, folder, package);
                if (Directory.Exists(place))
                {
                    var old = Path.Combine(root, $".old-{package.FolderName}-{Guid.NewGuid():N}");
                    Directory.Move(place, old);
                    Directory.Move(building, place);
                    Discard(old);
                }
                else
                    Directory.Move(building, place);
            }
            finally
            {
                Discard(building);
            }
            return PackageFolder(place, package);
        }
    }

    private async Task NpmInstallAsync(NpmPackage package, string folder, CancellationToken cancellationToken)
    {
        _progress($"downloading {package.Name} {package.Version} (once per machine)");
        Installs++;
        // Without a package.json of its own npm would install into whichever parent folder has one.
        await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), """{"private":true}""", cancellationToken);
        var (file, leading) = _node.Npm();
        var options = new ChildProcessOptions
        {
            Node = _node,
            FileName = file,
            Arguments =
            [
                .. leading,
                "install",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--omit=dev",
                "--no-update-notifier",
                "--fetch-retries=2",
                "--fetch-retry-mintimeout=1000",
                "--fetch-retry-maxtimeout=10000",
                $"{package.Name}@{package.Version}",
            ],
            WorkingDirectory = folder,
            SignalGroup = true,
        };
        int exitCode;
        IReadOnlyList<string> lines;
        try
        {
            (exitCode, lines) = await ChildProcess.RunAsync(options, InstallLimit, _time, cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new StartupException(
                $"{package.Name} {package.Version} could not be downloaded within {InstallLimit.TotalMinutes:0} minutes: check the network and start again.",
                e
            );
        }
        if (exitCode != 0)
            throw new StartupException(NpmFailure.Sentence(package, lines));
    }

    /// <summary>Recreates the library links that a package lists in <c>native/pg-symlinks.json</c> and that its install script, which we do not run, would make.</summary>
    /// <returns>False when one is missing and cannot be made.</returns>
    private static bool LinkLibraries(string packageFolder)
    {
        var list = Path.Combine(packageFolder, "native", "pg-symlinks.json");
        if (OperatingSystem.IsWindows() || !File.Exists(list))
            return true;
        try
        {
            using var links = JsonDocument.Parse(File.ReadAllBytes(list));
            foreach (var link in links.RootElement.EnumerateArray())
            {
                var source = Path.Combine(packageFolder, link.GetProperty("source").GetString()!);
                var target = Path.Combine(packageFolder, link.GetProperty("target").GetString()!);
                if (File.Exists(target))
                    continue;
                // A link whose end is missing is a link all the same.
                File.Delete(target);
                // Relative, so that the package can be moved.
                File.CreateSymbolicLink(target, Path.GetRelativePath(Path.GetDirectoryName(target)!, source));
                if (!File.Exists(target))
                    return false;
            }
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException)
        {
            // Two copies may make the same link at the same moment: then it is there now.
            return e is IOException && AllLinked(packageFolder, list);
        }
    }

    private static bool AllLinked(string packageFolder, string list)
    {
        using var links = JsonDocument.Parse(File.ReadAllBytes(list));
        return links.RootElement.EnumerateArray().All(l => File.Exists(Path.Combine(packageFolder, l.GetProperty("target").GetString()!)));
    }

    private static void WriteStamp(string entry, string packageFolder, NpmPackage package)
    {
        var (files, bytes) = Contents(entry);
        using var stream = File.Create(Path.Combine(entry, StampName));
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteNumber("files", files);
        json.WriteNumber("bytes", bytes);
        json.WriteStartObject("needs");
        foreach (var name in package.Needs)
            json.WriteNumber(name, new FileInfo(Path.Combine(packageFolder, name)).Length);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static Stamp? ReadStamp(string entry)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(entry, StampName)));
            var root = json.RootElement;
            return new Stamp(
                root.GetProperty("files").GetInt32(),
                root.GetProperty("bytes").GetInt64(),
                root.GetProperty("needs").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetInt64())
            );
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    private static (int Files, long Bytes) Contents(string entry)
    {
        var files = 0;
        var bytes = 0L;
        foreach (var file in new DirectoryInfo(entry).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            if (file.Name == StampName)
                continue;
            files++;
            if (file.LinkTarget is null)
                bytes += file.Length;
        }
        return (files, bytes);
    }

    private static void Discard(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // In use, on Windows; the next install sweeps it up.
        }
    }

    private sealed record Stamp(int Files, long Bytes, IReadOnlyDictionary<string, long> Needs);
}

/// <summary>Reads npm's complaints.</summary>
internal static class NpmFailure
{
    private static readonly string[] Unreachable =
    [
        "ENOTFOUND",
        "EAI_AGAIN",
        "ECONNREFUSED",
        "ECONNRESET",
        "ETIMEDOUT",
        "EHOSTUNREACH",
        "ENETUNREACH",
        "ERR_SOCKET_TIMEOUT",
        "FETCH_ERROR",
        "SELF_SIGNED_CERT",
        "UNABLE_TO_",
        "CERT_",
    ];

    /// <summary>One sentence about an install that failed.</summary>
    public static string Sentence(NpmPackage package, IReadOnlyList<string> lines)
    {
        var errors = lines
            .Select(l => l.Trim())
            .Where(l => l.StartsWith("npm error", StringComparison.Ordinal) || l.StartsWith("npm ERR!", StringComparison.Ordinal))
            .Select(l => l[(l.StartsWith("npm ERR!", StringComparison.Ordinal) ? 8 : 9)..].Trim())
            .Where(l =>
                l.Length > 0
                && !l.Contains("complete log of this run", StringComparison.Ordinal)
                && !l.EndsWith("-debug-0.log", StringComparison.Ordinal)
            )
            .ToList();
        var last =
            errors.LastOrDefault(l => l.Contains("reason:", StringComparison.Ordinal))
            ?? errors.LastOrDefault(l =>
                l.StartsWith("404 Not Found", StringComparison.Ordinal) || l.StartsWith("notarget No matching", StringComparison.Ordinal)
            )
            ?? errors.LastOrDefault()
            ?? lines.LastOrDefault(l => l.Trim().Length > 0)?.Trim()
            ?? "it said nothing";
        var text = string.Join('\n', errors);
        var what =
            Unreachable.Any(code => text.Contains(code, StringComparison.Ordinal))
                ? "the npm registry could not be reached; check the network (and npm's registry and proxy settings) and start again."
            : text.Contains("ENOSPC", StringComparison.Ordinal) ? "the disk is full."
            : text.Contains("E404", StringComparison.Ordinal) || text.Contains("ETARGET", StringComparison.Ordinal)
                ? "the npm registry that is set up does not have it."
            : "npm failed.";
        return $"{package.Name} {package.Version} could not be downloaded: {what} npm said: {last}";
    }
}
