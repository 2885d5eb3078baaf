using System.Globalization;
using System.Text;
using System.Text.Json;
using Dapper;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Google;
using KpiDashboard.Demo.Simulation;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.IntegrationTests.StartCommand;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.Security;
using KpiDashboard.Sync;
using Microsoft.Extensions.Options;
using Moq;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

/// <summary>Real processes: two hosts share a Postgres and a storage account, and one after the other is taken away in the middle of the work.</summary>
[Trait("Category", "Faults")]
public sealed class RestartTests(ITestOutputHelper output) : IDisposable
{
    private const int Tenants = 16;
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_killed_host_a_crashed_Postgres_and_a_restarted_Azurite_in_mid_run_lose_and_double_nothing()
    {
        await using var postgres = await EmbeddedPostgres.StartAsync(new() { DataDirectory = _folder["postgres"], ForTests = true }, Cancel);
        await using var azurite = await EmbeddedAzurite.StartAsync(new() { DataDirectory = _folder["azurite"] }, Cancel);
        await using var google = await GoogleSimulator.StartAsync(new GoogleSimulatorOptions(), TimeProvider.System, Cancel);
        // Slow, so that there is a middle.
        google.Faults.Schedule = (_, _) => new Fault.Delay(TimeSpan.FromMilliseconds(400));
        var anchor = DateTimeOffset.UtcNow;
        var key = Convert.ToBase64String(new byte[32]);
        StartedApp Start(string name)
        {
            Directory.CreateDirectory(_folder[name]);
            TestSecrets.Write(_folder[name]);
            var settings = new Dictionary<string, string>(google.Configuration())
            {
                ["ConnectionStrings:Postgres"] = postgres.AdminConnectionString,
                ["AzureWebJobsStorage"] = azurite.ConnectionString,
                ["Functions:MasterKey"] = AppFixture.MasterKey,
                ["Secrets:CurrentKey"] = "t",
                ["Secrets:Keys:t"] = key,
            };
            return StartedApp.Start(_folder[name], ["--no-demo", .. settings.SelectMany(setting => new[] { "--set", $"{setting.Key}={setting.Value}" })]);
        }

        await using var one = Start("one");
        await one.ReadyAsync();
        await using var two = Start("two");
        await two.ReadyAsync();
        await using var database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres.AdminConnectionString) { Database = "kpi" }.ConnectionString);
        await AddTenantsAsync(database, google, anchor, key);

        await TickAsync(two);
        await AskedAsync(google, 12);
        await one.SignalAsync("KILL");
        // Most of the runs may have been the dead host's.
        await GoesOnAsync(30, "the other host goes on");
        await postgres.RestartAsync(Cancel, crash: true);
        // One tick is not enough to ask for: it may meet the connections from before the crash, and the next one heals that.
        await GoesOnAsync(36, "it goes on after the crash");
        await azurite.RestartAsync(Cancel);

        var ticks = 0;
        await Eventually.TrueAsync(async () =>
        {
            await AgeAsync(database);
            await TickAsync(two);
            ticks++;
            await Task.Delay(500, Cancel);
            return await CountAsync(database, "select count(*) from sync_runs where status = 'succeeded'") == Tenants;
        }, TimeSpan.FromMinutes(3), "all runs succeed");

        Assert.Equal(Tenants, await CountAsync(database, "select count(*) from sync_runs"));
        Assert.Equal(0, await CountAsync(database, "select count(*) from dead_letters"));
        Assert.Equal(0, await CountAsync(database, "select count(*) from kpi_restatements where kpi = 'web.sessions'"));
        await using var connection = await database.OpenConnectionAsync(Cancel);
        var stored = (await connection.QueryAsync<(string Property, DateOnly Day, decimal Value)>(
            "select i.settings->>'propertyId', v.day, v.value from kpi_values v join integrations i on i.id = v.integration_id where v.kpi = 'web.sessions'")).ToDictionary(row => (row.Property, row.Day), row => row.Value);
        var compared = 0;
        for (var tenant = 0; tenant < Tenants; tenant++)
        {
            // Days that the source still changes by the hour apart.
            for (var day = DateOnly.FromDateTime(anchor.UtcDateTime).AddDays(-400); day < DateOnly.FromDateTime(anchor.UtcDateTime).AddDays(-3); day = day.AddDays(1), compared++)
                Assert.Equal(google.Value(Property(tenant), day, "sessions"), stored.TryGetValue((Property(tenant), day), out var value) ? value : null);
        }

        output.WriteLine($"{Tenants} backfills over two hosts; one host killed, Postgres crashed and Azurite restarted in mid-run: {google.Faults.Total} requests, {compared} values right, none lost, none doubled, {ticks} sweeps.");

        Task GoesOnAsync(int requests, string what) => Eventually.TrueAsync(async () =>
        {
            await AgeAsync(database);
            await TickAsync(two);
            await Task.Delay(500, Cancel);
            return google.Faults.Total >= requests;
        }, TimeSpan.FromMinutes(2), what);
    }

    private static string Property(int tenant) => (600_000_000 + tenant).ToString(CultureInfo.InvariantCulture);

    private static async Task AddTenantsAsync(NpgsqlDataSource database, GoogleSimulator google, DateTimeOffset anchor, string key)
    {
        var keys = new SecretOptions { CurrentKey = "t", Keys = new() { ["t"] = key } };
        var sealer = new SecretSealer(Mock.Of<IOptionsMonitor<SecretOptions>>(monitor => monitor.CurrentValue == keys));
        await using var connection = await database.OpenConnectionAsync(Cancel);
        for (var i = 0; i < Tenants; i++)
        {
            google.Add(new GoogleProperty(new GeneratedSite(new SiteProfile { PropertyId = Property(i), TimeZone = "UTC", Currency = "EUR", Seed = i, Sessions = 200 }, anchor), $"refresh-{i}"));
            var (tenant, integration) = (Guid.NewGuid(), Guid.NewGuid());
            await connection.ExecuteAsync(
                """
                insert into tenants (id, name, time_zone, currency) values (@tenant, 'T', 'UTC', 'EUR');
                insert into integrations (tenant_id, id, connector, display_name, next_due_at, settings, credentials)
                values (@tenant, @integration, 'google-analytics', 'Google Analytics', now(), @settings::jsonb, @credentials);
                """,
                new
                {
                    tenant,
                    integration,
                    settings = JsonSerializer.Serialize(new { propertyId = Property(i) }),
                    credentials = sealer.Seal(JsonSerializer.Serialize(new { refreshToken = $"refresh-{i}" }), SyncRunner.CredentialPurpose(integration)),
                });
        }
    }

    /// <summary>As if more time had passed: leases run out, runs that nobody touches are swept. A lease that is still held is taken over, which must do no harm;
    /// but not so soon that no step of a slow machine ever comes to its end: there is a call every half a second, and a lease lasts two minutes.</summary>
    private static async Task AgeAsync(NpgsqlDataSource database)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync(Cancel);
            await connection.ExecuteAsync(
                """
                update integrations set lease_until = lease_until - interval '30 seconds' where lease_until is not null;
                update sync_runs set updated_at = updated_at - interval '8 minutes', next_attempt_at = next_attempt_at - interval '1 minute' where status in ('queued', 'running', 'waiting');
                """);
        }
        catch (NpgsqlException)
        {
            // A connection from before the crash.
        }
    }

    private static async Task TickAsync(StartedApp app)
    {
        using var client = new HttpClient { BaseAddress = await app.ListensAsync() };
        client.DefaultRequestHeaders.Add("x-functions-key", AppFixture.MasterKey);
        using var response = await client.PostAsync("admin/functions/ScheduleSyncs", new StringContent("{}", Encoding.UTF8, "application/json"), Cancel);
        Assert.True(response.IsSuccessStatusCode, $"The timer's function answered {(int)response.StatusCode}.");
    }

    private static Task AskedAsync(GoogleSimulator google, int requests) =>
        Eventually.TrueAsync(() => Task.FromResult(google.Faults.Total >= requests), TimeSpan.FromMinutes(2), $"{requests} requests were made");

    private static async Task<long> CountAsync(NpgsqlDataSource database, string sql)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync(Cancel);
            return await connection.QuerySingleAsync<long>(sql);
        }
        catch (NpgsqlException)
        {
            return -1;
        }
    }
}
