using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KpiDashboard.LocalHost.Startup;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>
/// Puts programs and data where another user can reach them, for root in a container that forbids user namespaces. Usually nothing need be moved;
/// a cache or a data directory below <c>/root</c> must be.
/// </summary>
internal static class SharedPlaces
{
    private const string OriginName = "origin";

    /// <summary>Programs and data directory as the other user can use them.</summary>
    /// <exception cref="StartupException">There is no such place.</exception>
    public static async Task<(string Programs, string Home)> ReachableAsync(
        NodeTools node,
        ServerAccount account,
        string programs,
        string home,
        string shared,
        CancellationToken cancellationToken
    )
    {
        try
        {
            if (!await CanReachAsync(node, account, Path.Combine(programs, "bin", "postgres"), mustRead: true, cancellationToken))
                programs = CopyPrograms(programs, shared);
            if (!await CanReachAsync(node, account, home, mustRead: false, cancellationToken))
                home = await MoveHomeAsync(home, shared, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"Postgres refuses to run as root, and user {account.User} cannot reach its files ({e.Message}): name folders that all users can enter with --data DIR and KPI_NPM_CACHE.",
                e
            );
        }
        foreach (var (path, mustRead) in new[] { (Path.Combine(programs, "bin", "postgres"), true), (home, false) })
            if (!await CanReachAsync(node, account, path, mustRead, cancellationToken))
                throw new StartupException(
                    $"Postgres refuses to run as root, and user {account.User} cannot reach {path}: name folders that all users can enter with --data DIR and KPI_NPM_CACHE."
                );
        return (programs, home);
    }

    /// <summary>Makes a folder and all in it another user's.</summary>
    /// <exception cref="StartupException">That is not allowed.</exception>
    public static async Task GiveAsync(string folder, (uint User, uint Group) user, CancellationToken cancellationToken)
    {
        var owner = string.Create(CultureInfo.InvariantCulture, $"{user.User}:{user.Group}");
        var (exitCode, output) = await ServerAccount.RunAsync("chown", ["-R", owner, folder], cancellationToken);
        if (exitCode != 0)
            throw new StartupException(
                $"Postgres refuses to run as root, and {folder} could not be given to user {user.User}: {output.Trim()}"
            );
    }

    // Asks the system itself, as that user: mode bits alone do not tell about access lists and mounts. The data folder he only passes through.
    private static async Task<bool> CanReachAsync(
        NodeTools node, ServerAccount account, string path, bool mustRead, CancellationToken cancellationToken
    )
    {
        const string Script =
            "const [g,u,p,m]=process.argv.slice(1);process.setgroups([]);process.setgid(+g);process.setuid(+u);require('fs').accessSync(p,+m)";
        var (exitCode, _) = await ServerAccount.RunAsync(
            node.Node,
            ["--eval", Script, "--", Text(account.Group), Text(account.User), path, mustRead ? "5" : "1"],
            cancellationToken
        );
        return exitCode == 0;

        static string Text(uint id) => id.ToString(CultureInfo.InvariantCulture);
    }

    private static string CopyPrograms(string programs, string shared)
    {
        var place = Path.Combine(shared, "postgres-programs-" + Digest(programs));
        var finished = Path.Combine(place, "bin", "postgres");
        if (File.Exists(finished) && new FileInfo(finished).Length == new FileInfo(Path.Combine(programs, "bin", "postgres")).Length)
            return place;
        MakeOpen(shared);
        var building = place + ".new-" + Guid.NewGuid().ToString("N");
        Copy(new DirectoryInfo(programs), building);
        if (Directory.Exists(place))
            Directory.Delete(place, recursive: true);
        Directory.Move(building, place);
        return place;
    }

    /// <summary>Gives a data directory that cannot be reached a twin that can. The twin is found again by a name kept in the data directory, so that it goes when that goes.</summary>
    private static async Task<string> MoveHomeAsync(string home, string shared, CancellationToken cancellationToken)
    {
        MakeOpen(shared);
        var nameFile = Path.Combine(home, "moved-to");
        var name = File.Exists(nameFile) ? (await File.ReadAllTextAsync(nameFile, cancellationToken)).Trim() : "";
        foreach (var twin in Directory.EnumerateDirectories(shared, "postgres-data-*"))
        {
            var origin = Path.Combine(twin, OriginName);
            if (
                Path.GetFileName(twin) != name
                && File.Exists(origin)
                && (await File.ReadAllTextAsync(origin, cancellationToken)).Trim() == home
            )
                Directory.Delete(twin, recursive: true);
        }
        if (name.Length == 0)
        {
            name = "postgres-data-" + Guid.NewGuid().ToString("N");
            await File.WriteAllTextAsync(nameFile, name, cancellationToken);
        }
        var place = Path.Combine(shared, name);
        MakeOpen(place);
        await File.WriteAllTextAsync(Path.Combine(place, OriginName), home, cancellationToken);
        return place;
    }

    private static void MakeOpen(string folder)
    {
        Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(
                folder,
                UnixFileMode.UserRead
                    | UnixFileMode.UserWrite
                    | UnixFileMode.UserExecute
                    | UnixFileMode.GroupRead
                    | UnixFileMode.GroupExecute
                    | UnixFileMode.OtherRead
                    | UnixFileMode.OtherExecute
            );
    }

    private static void Copy(DirectoryInfo from, string to)
    {
        MakeOpen(to);
        foreach (var entry in from.EnumerateFileSystemInfos())
        {
            var target = Path.Combine(to, entry.Name);
            if (entry.LinkTarget is { } link)
                File.CreateSymbolicLink(target, link);
            else if (entry is DirectoryInfo folder)
                Copy(folder, target);
            else
                File.Copy(entry.FullName, target);
        }
    }

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
}
