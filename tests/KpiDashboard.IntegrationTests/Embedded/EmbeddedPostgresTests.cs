using System.Globalization;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Startup;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Embedded;

[Trait("Clock", "none")]
public sealed class EmbeddedPostgresTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_answers_a_query_and_keeps_data_over_stop_start_restart_and_crash()
    {
        await using (var postgres = await StartAsync("a"))
        {
            Assert.StartsWith("18.", postgres.Version, StringComparison.Ordinal);
            Assert.True(postgres.IsNew);
            await ExecuteAsync(postgres.AdminConnectionString, "create table kept (value int); insert into kept values (42)");
        }
        await using (var postgres = await StartAsync("a"))
        {
            Assert.False(postgres.IsNew);
            Assert.Equal(42, await ScalarAsync<int>(postgres.AdminConnectionString, "select value from kept"));
            var port = postgres.Port;
            await postgres.RestartAsync(Cancelled);
            Assert.Equal(port, postgres.Port);
            Assert.Equal(42, await ScalarAsync<int>(postgres.AdminConnectionString, "select value from kept"));
            await postgres.RestartAsync(Cancelled, crash: true);
            Assert.Equal(port, postgres.Port);
            Assert.Equal(42, await ScalarAsync<int>(postgres.AdminConnectionString, "select value from kept"));
        }
    }

    [Fact]
    public async Task It_listens_on_loopback_only_wants_a_password_and_sorts_and_encodes_as_the_product_expects()
    {
        await using var postgres = await StartAsync("a");
        var admin = postgres.AdminConnectionString;
        Assert.Equal("127.0.0.1", await ScalarAsync<string>(admin, "show listen_addresses"));
        Assert.Equal("", await ScalarAsync<string>(admin, "show unix_socket_directories"));
        Assert.Equal("UTF8", await ScalarAsync<string>(admin, "show server_encoding"));
        Assert.Equal("UTC", await ScalarAsync<string>(admin, "show timezone"));
        Assert.Equal("C.UTF-8", await ScalarAsync<string>(admin, "select datlocale from pg_database where datname = 'postgres'"));
        await ExecuteAsync(admin, "create extension pg_stat_statements");
        Assert.True(await ScalarAsync<long>(admin, "select count(*) from pg_stat_statements") > 0);

        var wrong = new NpgsqlConnectionStringBuilder(admin) { Password = "wrong", Pooling = false }.ConnectionString;
        var refused = await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync<int>(wrong, "select 1"));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite,
                File.GetUnixFileMode(Path.Combine(_folder["a"], "cluster", "kpi-superuser-password"))
            );
    }

    [Fact]
    public async Task Two_servers_run_side_by_side_on_different_directories()
    {
        var both = await Task.WhenAll(StartAsync("a"), StartAsync("b"));
        await using var first = both[0];
        await using var second = both[1];
        Assert.NotEqual(first.Port, second.Port);
        Assert.Equal(1, await ScalarAsync<int>(first.AdminConnectionString, "select 1"));
        Assert.Equal(1, await ScalarAsync<int>(second.AdminConnectionString, "select 1"));
    }

    [Fact]
    public async Task A_second_copy_on_the_same_directory_is_told_so_and_the_first_goes_on()
    {
        await using var postgres = await StartAsync("a");
        var refused = await Assert.ThrowsAsync<StartupException>(() => StartAsync("a"));
        Assert.Contains("in use by another copy", refused.Message, StringComparison.Ordinal);
        Assert.Contains(_folder["a"], refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, await ScalarAsync<int>(postgres.AdminConnectionString, "select 1"));
    }

    [Fact]
    public async Task A_pid_file_left_by_a_crash_is_cleared_even_when_its_process_id_now_belongs_to_something_else()
    {
        await using (var postgres = await StartAsync("a"))
            await postgres.StopAsync(crash: true);
        var pidFile = Path.Combine(_folder["a"], "cluster", "postmaster.pid");
        var lines = await File.ReadAllLinesAsync(pidFile, Cancelled);
        // Ours: a process that lives and is no Postgres.
        lines[0] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        await File.WriteAllLinesAsync(pidFile, lines, Cancelled);

        await using var again = await StartAsync("a");
        Assert.Equal(1, await ScalarAsync<int>(again.AdminConnectionString, "select 1"));
    }

    [Fact]
    public async Task Data_of_another_major_version_is_left_alone_and_named()
    {
        await using (await StartAsync("a")) { }
        var versionFile = Path.Combine(_folder["a"], "cluster", "PG_VERSION");
        await File.WriteAllTextAsync(versionFile, "17\n", Cancelled);
        var refused = await Assert.ThrowsAsync<StartupException>(() => StartAsync("a"));
        Assert.Contains("made by version 17 and this is version 18", refused.Message, StringComparison.Ordinal);
        Assert.Equal("17\n", await File.ReadAllTextAsync(versionFile, Cancelled));
    }

    [Fact]
    public async Task Data_that_is_not_complete_is_named()
    {
        Directory.CreateDirectory(Path.Combine(_folder["a"], "cluster"));
        var refused = await Assert.ThrowsAsync<StartupException>(() => StartAsync("a"));
        Assert.Contains("does not hold complete Postgres data", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        await using var postgres = await StartAsync("a");
        var refused = await Assert.ThrowsAsync<StartupException>(() =>
            EmbeddedPostgres.StartAsync(
                new()
                {
                    DataDirectory = _folder["b"],
                    ForTests = true,
                    Port = postgres.Port,
                },
                Cancelled
            )
        );
        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"Port {postgres.Port} on 127.0.0.1"),
            refused.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Without_Node_it_says_how_to_get_it()
    {
        var refused = await Assert.ThrowsAsync<StartupException>(() =>
            EmbeddedPostgres.StartAsync(new() { DataDirectory = _folder["a"], SearchPath = _folder.FullPath }, Cancelled)
        );
        Assert.StartsWith("Node.js was not found on the PATH: install Node.js 20 or newer", refused.Message, StringComparison.Ordinal);
        // And lets go of the directory.
        await using var postgres = await StartAsync("a");
    }

    [Fact]
    public async Task Killing_the_supervisor_ends_the_server()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the second line of defence is a Linux one");
        var node = await NodeTools.FindAsync(null, Cancelled);
        await using var child = ChildProcess.Start(
            new()
            {
                Node = node,
                FileName = "sleep",
                Arguments = ["600"],
                WorkingDirectory = _folder.FullPath,
            }
        );
        var id = await child.Id.WaitAsync(TimeSpan.FromMinutes(1), Cancelled);
        Assert.True(Processes.IsAlive(id));
        using (var supervisor = System.Diagnostics.Process.GetProcessById(child.SupervisorId))
            supervisor.Kill();
        await Processes.UntilAsync(() => !Processes.IsAlive(id), $"process {id} lives on", Cancelled);
    }

    [Fact]
    public async Task A_child_that_ignores_the_request_to_end_is_killed_with_all_it_started()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs sh");
        var node = await NodeTools.FindAsync(null, Cancelled);
        var grandchild = new TaskCompletionSource<int>();
        var child = ChildProcess.Start(
            new()
            {
                Node = node,
                FileName = "sh",
                Arguments = ["-c", "trap '' TERM; sleep 600 & echo $!; wait; sleep 600"],
                WorkingDirectory = _folder.FullPath,
                StopTimeout = TimeSpan.FromSeconds(1),
                Line = line => grandchild.TrySetResult(int.Parse(line, CultureInfo.InvariantCulture)),
            }
        );
        var below = await grandchild.Task.WaitAsync(TimeSpan.FromMinutes(1), Cancelled);
        await child.DisposeAsync();
        await Processes.UntilAsync(() => !Processes.IsAlive(below), $"process {below} lives on", Cancelled);
        Assert.Equal(128 + 9, await child.Exited);
    }

    private Task<EmbeddedPostgres> StartAsync(string name) =>
        EmbeddedPostgres.StartAsync(new() { DataDirectory = _folder[name], ForTests = true }, Cancelled);

    internal static async Task<T> ScalarAsync<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(Cancelled))!;
    }

    internal static Task ExecuteAsync(string connectionString, string sql) => ScalarAsync<object?>(connectionString, sql + "; select 1");
}
