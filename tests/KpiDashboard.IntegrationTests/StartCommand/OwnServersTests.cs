using System.Net;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.LocalHost.Embedded;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.StartCommand;

/// <summary>Servers that the settings name replace the embedded ones.</summary>
[Trait("Clock", "none")]
public sealed class OwnServersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    /// <summary>On the newest version, ours, and on the oldest that is supported: never skipped, wherever the tests run.</summary>
    [Theory]
    [InlineData("18")]
    [InlineData("15")]
    public async Task With_an_administrator_of_another_Postgres_and_another_storage_the_demo_is_synced_there_and_nothing_is_embedded(string version)
    {
        var programs = version == "15" ? await OtherPostgres.OldestProgramsAsync(_folder["npm"], Cancelled) : null;
        await using var azurite = await EmbeddedAzurite.StartAsync(new() { DataDirectory = _folder["azurite"], InMemory = true }, Cancelled);
        await using var embedded = programs is null
            ? await EmbeddedPostgres.StartAsync(new() { DataDirectory = _folder["postgres"], ForTests = true }, Cancelled)
            : null;
        await using var other = programs is null ? null : await OtherPostgres.StartAsync(programs, _folder["postgres"], Cancelled);
        var admin = other?.AdminConnectionString ?? embedded!.AdminConnectionString;

        await using var app = StartedApp.Start(
            _folder["data"], "--set", $"ConnectionStrings__Postgres={admin}", "--set", $"AzureWebJobsStorage={azurite.ConnectionString}");
        await app.ReadyAsync();

        Assert.Equal(HttpStatusCode.OK, await app.StatusAsync("api/health/ready"));
        await using var there = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(admin) { Database = "kpi" }.ConnectionString);
        await using (var query = there.CreateCommand("show server_version"))
            Assert.StartsWith(version, (string?)await query.ExecuteScalarAsync(Cancelled), StringComparison.Ordinal);
        await using (var query = there.CreateCommand("select bool_and(backfilled_at is not null) from integrations"))
            Assert.True(await query.ExecuteScalarAsync(Cancelled) is true);
        Assert.False(Directory.Exists(Path.Combine(_folder["data"], "postgres")));
        Assert.False(Directory.Exists(Path.Combine(_folder["data"], "azurite")));
    }
}
