using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.LocalHost.Embedded;
using Npgsql;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresFixture))]
// Most of a test's time is waiting for another process.
[assembly: Xunit.v3.Parallelization(MaxThreads = 3)]

namespace KpiDashboard.IntegrationTests.Embedded;

/// <summary>
/// One real Postgres server for the whole test run. A test class takes it as a constructor parameter and asks for a database of its own.
/// <c>KPI_TEST_POSTGRES</c> (a superuser's connection string) replaces the embedded server.
/// </summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private EmbeddedPostgres? _server;
    private readonly SemaphoreSlim _one = new(1);
    private string _admin = "";
    private string? _template;
    private int _count;

    /// <summary>The superuser's connection string to the database <c>postgres</c>.</summary>
    public string AdminConnectionString => _admin;

    public async ValueTask InitializeAsync()
    {
        TemporaryFolder.Sweep();
        if (Environment.GetEnvironmentVariable("KPI_TEST_POSTGRES") is { Length: > 0 } given)
        {
            _admin = given;
            return;
        }
        // A failure here fails every test that needs it: there is no skipping, here or in CI.
        _server = await EmbeddedPostgres.StartAsync(
            new EmbeddedPostgresOptions
            {
                DataDirectory = _folder["postgres"],
                ForTests = true,
                // Many apps, each with its pool, share this server; a single installation has one.
                Settings = new Dictionary<string, string> { ["max_connections"] = "500" },
            },
            TestContext.Current.CancellationToken
        );
        _admin = _server.AdminConnectionString;
    }

    /// <summary>Makes an empty database. Roles belong to the server, not to a database: tests that make roles must expect to find them.</summary>
    /// <returns>Its name, and the superuser's connection string to it.</returns>
    public Task<TestDatabase> CreateDatabaseAsync(CancellationToken cancellationToken) => CreateDatabaseAsync("template0", cancellationToken);

    /// <summary>
    /// Makes a copy of a database that <paramref name="prepare"/> made ready, the first time somebody asks: thirty migrations take longer than a copy of what they made.
    /// </summary>
    public async Task<TestDatabase> CopyDatabaseAsync(Func<TestDatabase, Task> prepare, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_template is null)
            {
                var made = await CreateDatabaseAsync("template0", cancellationToken);
                await prepare(made);
                _template = made.Name;
            }

            // One after the other, too: a database that is being copied lets nobody in, and Postgres answers the second one with an error.
            return await CreateDatabaseAsync(_template, cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<TestDatabase> CreateDatabaseAsync(string template, CancellationToken cancellationToken)
    {
        var name = $"t{Interlocked.Increment(ref _count)}_{Guid.NewGuid():N}"[..24];
        await using var connection = new NpgsqlConnection(_admin);
        await connection.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        // Nobody is connected to a template: template0 lets nobody in, unlike template1, and ours is left alone once it is made.
        command.CommandText = $"create database {name} template {template}";
        await command.ExecuteNonQueryAsync(cancellationToken);
        return new TestDatabase(name, new NpgsqlConnectionStringBuilder(_admin) { Database = name }.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_server is not null)
            await _server.DisposeAsync();
        _folder.Dispose();
        _one.Dispose();
    }
}

/// <summary>A database of a test's own.</summary>
/// <param name="Name">Its name.</param>
/// <param name="AdminConnectionString">Connects the superuser to it.</param>
public sealed record TestDatabase(string Name, string AdminConnectionString);
