using KpiDashboard.LocalHost.Embedded;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Embedded;

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
            Assert.StartsWith("18.", postgres.Version);
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
    }

    private Task<EmbeddedPostgres> StartAsync(string name) => EmbeddedPostgres.StartAsync(new() { DataDirectory = _folder[name], ForTests = true }, Cancelled);

    internal static async Task<T> ScalarAsync<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(Cancelled))!;
    }

    internal static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancelled);
    }
}
