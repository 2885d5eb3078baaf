using System.Globalization;
using System.Security.Cryptography;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>How to start a Postgres server.</summary>
internal sealed record EmbeddedPostgresOptions
{
    /// <summary>Where its data, password and log are kept; made if it does not exist.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The port on 127.0.0.1; 0 picks a free one.</summary>
    public int Port { get; init; }

    /// <summary>
    /// Faster, and forgets what it was told when the machine crashes. A crash of the server alone still loses no commit, because
    /// <c>synchronous_commit</c> stays on: tests that kill the server must see what a real one would have kept.
    /// </summary>
    public bool ForTests { get; init; }

    /// <summary>More server settings, by name.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>The cache of npm packages; null for the usual one.</summary>
    public string? CacheDirectory { get; init; }

    /// <summary>Where to look for Node; null for <c>PATH</c>.</summary>
    public string? SearchPath { get; init; }

    /// <summary>How to run it; null finds out.</summary>
    public ServerAccountKind? Account { get; init; }

    /// <summary>Where data and programs go when they must be run as another user who cannot enter the usual folders.</summary>
    public string SharedDirectory { get; init; } = "/var/lib/kpi-dashboard";

    /// <summary>Told what takes long.</summary>
    public Action<string>? Progress { get; init; }

    /// <summary>Clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Log.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;
}

/// <summary>A Postgres server of our own, from the npm package, that ends with us.</summary>
internal sealed partial class EmbeddedPostgres : IAsyncDisposable
{
    private const string Superuser = "postgres";
    private const string PasswordFile = "kpi-superuser-password";
    private const int MajorVersion = 18;
    private static readonly TimeSpan InitLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan PreviousLimit = TimeSpan.FromSeconds(20);

    private readonly EmbeddedPostgresOptions _options;
    private readonly DirectoryLock _lock;
    private readonly CappedLog _log;
    private NodeTools _node = null!;
    private ServerAccount _account = null!;
    private string _programs = "";
    private string _home = "";
    private string _password = "";
    private ChildProcess? _server;
    private bool _attempted;

    private EmbeddedPostgres(EmbeddedPostgresOptions options, DirectoryLock held)
    {
        _options = options;
        _lock = held;
        _log = new CappedLog(Path.Combine(options.DataDirectory, "server.log"));
    }

    /// <summary>The port on 127.0.0.1. It stays the same over <see cref="RestartAsync"/>.</summary>
    public int Port { get; private set; }

    /// <summary>The server's version, for example <c>18.4</c>.</summary>
    public string Version { get; private set; } = "";

    /// <summary>How it was run.</summary>
    public ServerAccountKind Account => _account.Kind;

    /// <summary>Whether this start made the data directory.</summary>
    public bool IsNew { get; private set; }

    /// <summary>Connects the superuser to the database <c>postgres</c>. Holds the password.</summary>
    public string AdminConnectionString =>
        new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = Port,
            Database = "postgres",
            Username = Superuser,
            Password = _password,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;

    /// <summary>The server's process id, or null while it is stopped.</summary>
    public int? ProcessId => _server is { Exited.IsCompleted: false, Id.IsCompletedSuccessfully: true } server ? server.Id.Result : null;

    private string Cluster => Path.Combine(_home, "cluster");

    /// <summary>Starts a server, with the data that is there or else with new data, and waits until it answers.</summary>
    /// <exception cref="StartupException">It cannot start; says why.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(EmbeddedPostgresOptions options, CancellationToken cancellationToken)
    {
        options = options with { DataDirectory = Path.GetFullPath(options.DataDirectory) };
        var postgres = new EmbeddedPostgres(options, Hold(options.DataDirectory));
        try
        {
            await postgres.PrepareAndStartAsync(cancellationToken);
            return postgres;
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the server: cleanly, or as if it had been killed.</summary>
    public async Task StopAsync(bool crash = false)
    {
        if (_server is not { } server)
            return;
        _server = null;
        if (crash)
            await server.KillAsync();
        await server.DisposeAsync();
        NpgsqlConnection.ClearPool(new NpgsqlConnection(AdminConnectionString));
    }

    /// <summary>Starts the server again, after <see cref="StopAsync"/>, on the same port.</summary>
    /// <exception cref="StartupException">It cannot start; says why.</exception>
    public async Task StartAgainAsync(CancellationToken cancellationToken)
    {
        if (_server is null)
            await PortTakenException.RetryAsync(() => LaunchOnPortAsync(Port, cancellationToken), _options.Time, cancellationToken);
    }

    /// <summary>Stops and starts the server; port and data stay.</summary>
    /// <exception cref="StartupException">It cannot start; says why.</exception>
    public async Task RestartAsync(CancellationToken cancellationToken, bool crash = false)
    {
        await StopAsync(crash);
        await StartAgainAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await StopAsync();
            LogStopped(_options.Logger, Port);
        }
        _log.Dispose();
        _lock.Dispose();
    }

    private static DirectoryLock Hold(string directory)
    {
        try
        {
            PrivateFiles.MakeDataFolder(directory);
            return DirectoryLock.TryTake(Path.Combine(directory, "lock"), ownersAlone: true)
                ?? throw new StartupException(
                    $"The Postgres data in {directory} is in use by another copy that is running: stop that one, or give this one a data directory of its own (--data DIR)."
                );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"The data directory {directory} cannot be used: {e.Message} Was it made by another user? Remove it, or name another one (--data DIR).",
                e
            );
        }
    }

    private async Task PrepareAndStartAsync(CancellationToken cancellationToken)
    {
        _node = await NodeTools.FindAsync(_options.SearchPath, cancellationToken);
        var package = NpmPackage.Postgres();
        var packages = new NpmPackages(
            _node,
            _options.CacheDirectory,
            Path.Combine(_options.DataDirectory, "npm"),
            _options.Progress,
            _options.Time
        );
        try
        {
            await AttemptAsync();
        }
        catch (StartupException) when (_attempted)
        {
            // A file of the package may be damaged. Only now is it worth the time to look at all of them.
            if (!await packages.RepairAsync(package, cancellationToken))
                throw;
            await StopAsync(crash: true);
            await AttemptAsync();
        }

        async Task AttemptAsync()
        {
            _programs = Path.Combine(await packages.EnsureAsync(package, cancellationToken), "native");
            _home = _options.DataDirectory;
            _account = await ServerAccount.ChooseAsync(Cluster, _options.Account, cancellationToken);
            if (_account.Kind == ServerAccountKind.OtherUser)
                (_programs, _home) = await SharedPlaces.ReachableAsync(
                    _node,
                    _account,
                    _programs,
                    _home,
                    _options.SharedDirectory,
                    cancellationToken
                );
            _attempted = true;
            await EnsureClusterAsync(cancellationToken);
            await EndOfPreviousAsync(cancellationToken);
            await LaunchAsync(cancellationToken);
        }
    }

    private async Task EnsureClusterAsync(CancellationToken cancellationToken)
    {
        var versionFile = Path.Combine(Cluster, "PG_VERSION");
        try
        {
            if (Directory.Exists(Cluster))
            {
                var version = (await File.ReadAllTextAsync(versionFile, cancellationToken)).Trim();
                if (version != MajorVersion.ToString(CultureInfo.InvariantCulture))
                    throw new StartupException(
                        $"The Postgres data in {Cluster} was made by version {version} and this is version {MajorVersion}: "
                            + "start afresh with --reset, or keep it and name another data directory (--data DIR)."
                    );
                _password = (await File.ReadAllTextAsync(Path.Combine(Cluster, PasswordFile), cancellationToken)).Trim();
                return;
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartupException(
                $"The Postgres data in {Cluster} belongs to another user: start as that user, start afresh with --reset, or name another data directory (--data DIR).",
                e
            );
        }
        catch (IOException e)
        {
            throw new StartupException(
                $"The folder {Cluster} does not hold complete Postgres data ({e.Message}): start afresh with --reset, or name another data directory (--data DIR).",
                e
            );
        }
        _options.Progress?.Invoke("creating the database cluster");
        IsNew = true;

        // Made beside its place and moved there complete: being killed half-way leaves nothing that looks like data.
        foreach (var left in Directory.EnumerateDirectories(_home, "new-*"))
            Directory.Delete(left, recursive: true);
        var building = Path.Combine(_home, "new-" + Guid.NewGuid().ToString("N"));
        var passwordFile = Path.Combine(building, PasswordFile);
        Directory.CreateDirectory(building);
        _password = RandomNumberGenerator.GetHexString(32, lowercase: true);
        await WriteSecretAsync(passwordFile, _password, cancellationToken);
        if (_account.RunAs is { } user)
            await SharedPlaces.GiveAsync(building, user, cancellationToken);

        var newCluster = Path.Combine(building, "cluster");
        List<string> arguments =
        [
            "-D",
            newCluster,
            "-U",
            Superuser,
            "--pwfile",
            passwordFile,
            "--auth=scram-sha-256",
            "-E",
            "UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
        ];
        if (_options.ForTests)
            arguments.Add("--no-sync");
        var (exitCode, lines) = await RunAsync("initdb", arguments, building, cancellationToken);
        if (exitCode != 0)
            throw new StartupException($"The Postgres data in {_home} could not be created: {LastWords(lines)}");
        File.Move(passwordFile, Path.Combine(newCluster, PasswordFile));
        Directory.Move(newCluster, Cluster);
        Directory.Delete(building, recursive: true);
    }

    private static async Task WriteSecretAsync(string path, string secret, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var writer = new StreamWriter(path, options);
        await writer.WriteLineAsync(secret.AsMemory(), cancellationToken);
    }

    /// <summary>Waits for the server of a copy that was killed a moment ago, and clears away what it left.</summary>
    private async Task EndOfPreviousAsync(CancellationToken cancellationToken)
    {
        var pidFile = Path.Combine(Cluster, "postmaster.pid");
        if (!File.Exists(pidFile))
            return;
        var started = _options.Time.GetTimestamp();
        while (RunningProcesses.In(Cluster, "postgres", pidFile) is [var first, ..])
        {
            if (_options.Time.GetElapsedTime(started) > PreviousLimit)
                throw new StartupException(
                    $"The Postgres data in {Cluster} is still in use by process {first}, which a copy that was killed has left behind: end that process (kill {first}) and start again."
                );
            _options.Progress?.Invoke("waiting for the previous server to end");
            await Task.Delay(TimeSpan.FromMilliseconds(100), _options.Time, cancellationToken);
        }
        // Nobody runs on it. Postgres would believe the file if its process id now belongs to something else, as it often does in a container.
        File.Delete(pidFile);
    }

    private Task LaunchAsync(CancellationToken cancellationToken) =>
        PortTakenException.RetryAsync(
            () => LaunchOnPortAsync(_options.Port == 0 ? FreePort.Next() : _options.Port, cancellationToken),
            _options.Time,
            cancellationToken
        );

    private async Task LaunchOnPortAsync(int port, CancellationToken cancellationToken)
    {
        var started = _options.Time.GetTimestamp();
        var (file, arguments) = _account.Command(
            Program("postgres"),
            ["-D", Cluster, .. Settings(port).SelectMany(s => new[] { "-c", s })]
        );
        var server = ChildProcess.Start(
            new ChildProcessOptions
            {
                Node = _node,
                FileName = file,
                Arguments = arguments,
                WorkingDirectory = Cluster,
                Environment = Variables,
                RunAs = _account.RunAs,
                // Fast shutdown: sessions are ended, everything is written.
                StopSignal = "SIGINT",
                StopCommand = [Program("pg_ctl"), "stop", "-D", Cluster, "-m", "fast", "-W"],
                StopTimeout = TimeSpan.FromSeconds(20),
                Log = _log,
            }
        );
        try
        {
            Port = port;
            await ReadyAsync(server, started, cancellationToken);
            _server = server;
            LogStarted(_options.Logger, Version, port, _account.Kind, _options.Time.GetElapsedTime(started).TotalMilliseconds);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private async Task ReadyAsync(ChildProcess server, long started, CancellationToken cancellationToken)
    {
        var connectionString = new NpgsqlConnectionStringBuilder(AdminConnectionString) { Pooling = false, Timeout = 10 }.ConnectionString;
        var pidFile = Path.Combine(Cluster, "postmaster.pid");
        var last = "it did not get as far as accepting connections.";
        while (_options.Time.GetElapsedTime(started) < StartLimit)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (server.Exited.IsCompleted)
            {
                var lines = server.LastLines;
                if (lines.Any(l => l.Contains("could not bind", StringComparison.Ordinal)))
                    throw new PortTakenException(
                        $"Port {Port} on 127.0.0.1, which Postgres was to use, is taken by another program: stop that program or choose another port."
                    );
                throw new StartupException(
                    $"Postgres did not start: {LastWords(lines)} Its log is {Path.Combine(_options.DataDirectory, "server.log")}."
                );
            }
            if (SaysReady(pidFile))
            {
                try
                {
                    await using var connection = new NpgsqlConnection(connectionString);
                    await connection.OpenAsync(cancellationToken);
                    await using var command = new NpgsqlCommand("show server_version", connection);
                    Version = ((string)(await command.ExecuteScalarAsync(cancellationToken))!).Split(' ')[0];
                    return;
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidPassword)
                {
                    throw new StartupException(
                        $"Postgres does not accept the password in {Path.Combine(Cluster, PasswordFile)}: start afresh with --reset.",
                        e
                    );
                }
                catch (NpgsqlException e)
                {
                    last = e.Message;
                }
            }
            await Task.Delay(TimeSpan.FromMilliseconds(15), _options.Time, cancellationToken);
        }
        throw new StartupException(
            $"Postgres was not ready within {StartLimit.TotalMinutes:0} minutes: {last} Its log is {Path.Combine(_options.DataDirectory, "server.log")}."
        );
    }

    // The eighth line of the file is what pg_ctl goes by too; asking the port before that only makes exceptions.
    private static bool SaysReady(string pidFile)
    {
        try
        {
            return File.ReadAllLines(pidFile) is { Length: >= 8 } lines && lines[7].StartsWith("ready", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private IEnumerable<string> Settings(int port)
    {
        var settings = new Dictionary<string, string>
        {
            ["port"] = port.ToString(CultureInfo.InvariantCulture),
            ["listen_addresses"] = "127.0.0.1",
            ["unix_socket_directories"] = "",
            ["max_connections"] = "100",
            ["shared_buffers"] = "64MB",
            ["jit"] = "off",
            // Three helper processes fewer; the data fits into memory anyway.
            ["io_method"] = "sync",
            ["wal_level"] = "minimal",
            ["max_wal_senders"] = "0",
            ["max_logical_replication_workers"] = "0",
            ["timezone"] = "UTC",
            ["log_timezone"] = "UTC",
            ["lc_messages"] = "C",
            ["log_checkpoints"] = "off",
            ["log_line_prefix"] = "%m [%p] %u@%d ",
        };
        if (File.Exists(Path.Combine(_programs, "lib", "postgresql", "pg_stat_statements.so")))
            settings["shared_preload_libraries"] = "pg_stat_statements";
        if (_options.ForTests)
            foreach (var name in (string[])["fsync", "full_page_writes"])
                settings[name] = "off";
        foreach (var (name, value) in _options.Settings)
            settings[name] = value;
        return settings.Select(s => $"{s.Key}={s.Value}");
    }

    // PGPORT and its like would override what we say; a locale that the machine lacks would end the server.
    private static Dictionary<string, string?> Variables =>
        Environment
            .GetEnvironmentVariables()
            .Keys.Cast<string>()
            .Where(name =>
                name.StartsWith("PG", StringComparison.Ordinal)
                || name.StartsWith("LC_", StringComparison.Ordinal)
                || name is "NODE_OPTIONS" or "LANG"
            )
            .ToDictionary(name => name, _ => (string?)null)
            .Append(new("LC_ALL", "C"))
            .DistinctBy(v => v.Key)
            .ToDictionary(v => v.Key, v => v.Key == "LC_ALL" ? "C" : v.Value);

    private string Program(string name) => Path.Combine(_programs, "bin", OperatingSystem.IsWindows() ? name + ".exe" : name);

    private async Task<(int ExitCode, IReadOnlyList<string> LastLines)> RunAsync(
        string program,
        List<string> programArguments,
        string directory,
        CancellationToken cancellationToken
    )
    {
        var (file, arguments) = _account.Command(Program(program), programArguments);
        var options = new ChildProcessOptions
        {
            Node = _node,
            FileName = file,
            Arguments = arguments,
            WorkingDirectory = directory,
            Environment = Variables,
            RunAs = _account.RunAs,
            SignalGroup = true,
            Log = _log,
        };
        try
        {
            return await ChildProcess.RunAsync(options, InitLimit, _options.Time, cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new StartupException(
                $"{program} did not end within {InitLimit.TotalMinutes:0} minutes: {_home} may be on a very slow disk.",
                e
            );
        }
    }

    private static string LastWords(IReadOnlyList<string> lines)
    {
        var telling =
            lines.LastOrDefault(l => l.Contains("FATAL:", StringComparison.Ordinal) || l.Contains("error:", StringComparison.Ordinal))
            ?? lines.LastOrDefault(l => l.Trim().Length > 0)
            ?? "it said nothing";
        telling = telling.Trim();
        return telling.EndsWith('.') ? telling : telling + ".";
    }

    [LoggerMessage(7101, LogLevel.Information, "Postgres {Version} accepts connections on port {Port} ({Account}, {Milliseconds:0} ms)")]
    private static partial void LogStarted(ILogger logger, string version, int port, ServerAccountKind account, double milliseconds);

    [LoggerMessage(7102, LogLevel.Information, "Postgres on port {Port} stopped")]
    private static partial void LogStopped(ILogger logger, int port);
}
