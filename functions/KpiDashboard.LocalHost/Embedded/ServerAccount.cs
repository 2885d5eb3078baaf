using System.Diagnostics;
using System.Globalization;
using KpiDashboard.LocalHost.Startup;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>How the Postgres programs are run, which refuse to run as root and as a user without an account.</summary>
internal enum ServerAccountKind
{
    /// <summary>As ourselves.</summary>
    Ourselves,

    /// <summary>As ourselves, but in a user namespace in which we look like an ordinary user: files stay ours, and no folder need be opened to others.</summary>
    UserNamespace,

    /// <summary>As another user, because root may not make namespaces here (most containers), or because the data is that user's.</summary>
    OtherUser,
}

/// <summary>Who runs the Postgres programs.</summary>
/// <param name="Kind">How.</param>
/// <param name="User">User id, as the programs see it.</param>
/// <param name="Group">Group id, as the programs see it.</param>
internal sealed record ServerAccount(ServerAccountKind Kind, uint User = 0, uint Group = 0)
{
    /// <summary>What the options of a child process need.</summary>
    public (uint User, uint Group)? RunAs => Kind == ServerAccountKind.OtherUser ? (User, Group) : null;

    /// <summary>The command line that runs a program under this account.</summary>
    public (string File, IReadOnlyList<string> Arguments) Command(string file, IReadOnlyList<string> arguments) =>
        Kind == ServerAccountKind.UserNamespace ? ("unshare", [.. Unshare(User, Group), file, .. arguments]) : (file, arguments);

    /// <summary>Finds a way to run Postgres.</summary>
    /// <param name="cluster">The data, which may exist already and then decides who runs it.</param>
    /// <param name="wanted">Overrides the choice, in tests.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="StartupException">There is none; says what to do.</exception>
    public static async Task<ServerAccount> ChooseAsync(string cluster, ServerAccountKind? wanted, CancellationToken cancellationToken)
    {
        var root = Environment.IsPrivilegedProcess;
        if (!OperatingSystem.IsLinux())
            return root
                ? throw new StartupException(
                    "Postgres refuses to run with an administrator's rights: start this as an ordinary user, from a terminal that is not elevated."
                )
                : new(ServerAccountKind.Ourselves);

        if (root && wanted != ServerAccountKind.UserNamespace && await OwnerAsync(cluster, cancellationToken) is { User: not 0 } owner)
            return new(ServerAccountKind.OtherUser, owner.User, owner.Group);

        var accounts = Accounts();
        if (!root && wanted is null && await HasAccountAsync(cancellationToken))
            return new(ServerAccountKind.Ourselves);
        var ordinary =
            accounts.FirstOrDefault(a => a.Name == "postgres")
            ?? accounts.FirstOrDefault(a => a.Name == "nobody")
            ?? accounts.FirstOrDefault(a => a.User != 0);
        if (ordinary is null)
            throw new StartupException(
                "Postgres refuses to run as root and there is no other account in /etc/passwd: add one (useradd -r postgres), "
                    + "or name a server in the setting ConnectionStrings__Postgres."
            );
        if (
            wanted is null or ServerAccountKind.UserNamespace
            && await SucceedsAsync("unshare", [.. Unshare(ordinary.User, ordinary.Group), "true"], cancellationToken)
        )
            return new(ServerAccountKind.UserNamespace, ordinary.User, ordinary.Group);
        if (root)
            return new(ServerAccountKind.OtherUser, ordinary.User, ordinary.Group);
        throw new StartupException(
            $"Postgres needs an account for its user, and this one has none in /etc/passwd: run as a user that has one, "
                + "or name a server in the setting ConnectionStrings__Postgres."
        );
    }

    /// <summary>User and group that a file belongs to; null when it does not exist.</summary>
    public static async Task<(uint User, uint Group)?> OwnerAsync(string path, CancellationToken cancellationToken)
    {
        var (exitCode, output) = await RunAsync("stat", ["-c", "%u %g", path], cancellationToken);
        var parts = output.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return exitCode == 0 && parts.Length == 2
            ? (uint.Parse(parts[0], CultureInfo.InvariantCulture), uint.Parse(parts[1], CultureInfo.InvariantCulture))
            : null;
    }

    /// <summary>Runs a small program to its end.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string file,
        IReadOnlyList<string> arguments,
        CancellationToken cancellationToken
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
            )!;
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output + await errors);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (127, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (124, $"{file} did not end within 30 s.");
        }
    }

    private static string[] Unshare(uint user, uint group) =>
        [
            "--user",
            string.Create(CultureInfo.InvariantCulture, $"--map-user={user}"),
            string.Create(CultureInfo.InvariantCulture, $"--map-group={group}"),
            "--",
        ];

    // The user may come from a directory service, so /etc/passwd is not asked.
    private static Task<bool> HasAccountAsync(CancellationToken cancellationToken) => SucceedsAsync("id", ["-un"], cancellationToken);

    private static async Task<bool> SucceedsAsync(string file, IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        (await RunAsync(file, arguments, cancellationToken)).ExitCode == 0;

    private static List<Account> Accounts()
    {
        try
        {
            return
            [
                .. File.ReadLines("/etc/passwd")
                    .Select(line => line.Split(':'))
                    .Where(f => f.Length >= 4)
                    .Select(f => (f[0], User: uint.TryParse(f[2], out var u) ? u : 0, Group: uint.TryParse(f[3], out var g) ? g : 0))
                    .Where(a => a.User != 0)
                    .Select(a => new Account(a.Item1, a.User, a.Group)),
            ];
        }
        catch (IOException)
        {
            return [];
        }
    }

    private sealed record Account(string Name, uint User, uint Group);
}
