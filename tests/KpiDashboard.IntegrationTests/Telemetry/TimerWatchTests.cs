using System.Text;
using System.Text.Json;
using Azure.Storage.Queues;
using Dapper;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.IntegrationTests.LocalHost;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.Tests.Shared;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Telemetry;

/// <summary>The timer is dead, and two hosts are called for something else.</summary>
public sealed class TimerWatchTests(PostgresFixture postgres) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task With_a_dead_timer_40_requests_to_2_hosts_enqueue_1_tick_and_the_due_sync_goes_out_once()
    {
        await using var azurite = await EmbeddedAzurite.StartAsync(new EmbeddedAzuriteOptions { DataDirectory = _folder["azurite"], InMemory = true }, Cancel);
        var (ownerString, appString) = await TestSecrets.MigratedDatabaseAsync(postgres, Cancel);
        await using var owner = NpgsqlDataSource.Create(ownerString);
        await using var connection = await owner.OpenConnectionAsync(Cancel);
        var (tenant, integration) = (Guid.NewGuid(), Guid.NewGuid());
        await connection.ExecuteAsync(
            """
            insert into tenants (id, name, time_zone, currency) values (@tenant, 'T', 'Europe/Berlin', 'EUR');
            insert into integrations (tenant_id, id, connector, display_name, next_due_at) values (@tenant, @integration, 'n8n', 'n8n', now() - interval '1 minute');
            """,
            new { tenant, integration });
        using var one = await StartAsync("one", appString, azurite.ConnectionString);
        using var two = await StartAsync("two", appString, azurite.ConnectionString);
        using HttpClient first = Client(one), second = Client(two);
        var queue = new QueueClient(azurite.ConnectionString, "sync-claim", new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });
        await queue.CreateIfNotExistsAsync(cancellationToken: Cancel);

        // Alive: nothing is to be done. That look is the only one of this minute, so hosts that have not looked yet do the rest.
        await first.GetAsync(new Uri("api/health/live", UriKind.Relative), Cancel);
        Assert.Empty((await queue.PeekMessagesAsync(10, Cancel)).Value);
        await connection.ExecuteAsync("update timer_heartbeat set beat_at = now() - interval '16 minutes'");
        await first.GetAsync(new Uri("api/health/live", UriKind.Relative), Cancel);
        Assert.Empty((await queue.PeekMessagesAsync(10, Cancel)).Value);

        using var three = await StartAsync("three", appString, azurite.ConnectionString);
        using var third = Client(three);
        await Task.WhenAll(Enumerable.Range(0, 40).Select(number => (number % 2 == 0 ? second : third).GetAsync(new Uri("api/health/live", UriKind.Relative), Cancel)));
        var message = Assert.Single((await queue.PeekMessagesAsync(10, Cancel)).Value).Body.ToString();
        Assert.True(JsonDocument.Parse(message).RootElement.GetProperty("tick").GetBoolean());

        second.DefaultRequestHeaders.Add("x-functions-key", AppFixture.MasterKey);
        for (var time = 0; time < 2; time++)
        {
            using var run = await second.PostAsync("admin/functions/ClaimSyncs", new StringContent(JsonSerializer.Serialize(new { input = message }), Encoding.UTF8, "application/json"), Cancel);
            Assert.True(run.IsSuccessStatusCode, await run.Content.ReadAsStringAsync(Cancel));
        }

        await Eventually.TrueAsync(
            async () => await connection.QuerySingleAsync<bool>("select exists (select 1 from sync_runs where enqueued_at is not null)"), TimeSpan.FromSeconds(30), "the run is enqueued");
        Assert.Equal(1, await connection.QuerySingleAsync<int>("select count(*)::int from sync_runs where tenant_id = @tenant and status = 'queued'", new { tenant }));
        var runs = new QueueClient(azurite.ConnectionString, "sync-n8n");
        Assert.Equal(1, (await runs.GetPropertiesAsync(Cancel)).Value.ApproximateMessagesCount);
        await one.StopAsync(Cancel);
        await two.StopAsync(Cancel);
        await three.StopAsync(Cancel);
    }

    [Fact]
    public async Task A_dead_timer_is_stood_in_for_every_5_minutes_and_no_more_once_it_beats()
    {
        var (_, appString) = await TestSecrets.MigratedDatabaseAsync(postgres, Cancel);
        await using var source = NpgsqlDataSource.Create(appString);
        await using var connection = await source.OpenConnectionAsync(Cancel);
        var start = DateTime.UtcNow.AddHours(1);
        async Task<bool> LookAsync(int minute) => (await connection.QuerySingleAsync<(DateTime, bool)>(
            "select beat_at, catch_up from look_at_timer(@now, interval '15 minutes', interval '5 minutes')", new { now = start.AddMinutes(minute) })).Item2;

        await connection.ExecuteAsync("select beat_timer(@start)", new { start });
        Assert.False(await LookAsync(15));
        Assert.True(await LookAsync(16));
        Assert.False(await LookAsync(16));
        Assert.False(await LookAsync(20));
        Assert.True(await LookAsync(21));
        await connection.ExecuteAsync("select beat_timer(@now)", new { now = start.AddMinutes(25) });
        Assert.False(await LookAsync(40));
        // The table itself is nobody's.
        await Assert.ThrowsAsync<PostgresException>(() => connection.ExecuteAsync("update timer_heartbeat set beat_at = now()"));
    }

    private static HttpClient Client(IHost host) => new() { BaseAddress = ((LocalFunctionsHost)host).Address };

    /// <summary>A host that answers requests and runs functions by hand; no timer, and no queue is read.</summary>
    private async Task<IHost> StartAsync(string name, string database, string storage)
    {
        Directory.CreateDirectory(_folder[name]);
        string[] off =
        [
            "ScheduleSyncs", "SweepMail", "SweepExports", "SweepImports", "Housekeeping", "ClaimSyncs", "PoisonClaims", "SyncGoogleAnalytics", "SyncN8n", "PoisonGoogleAnalytics", "PoisonN8n", "SendMail",
            "PoisonMail", "TenantExport", "PoisonTenantExport", "ImportCsv", "PoisonImport",
        ];
        var builder = LocalApp.CreateBuilder(
        [
            "--port", "0", "--data", _folder[name], "--no-settings", "--set", $"ConnectionStrings:Postgres={database}", "--set", $"AzureWebJobsStorage={storage}", "--set", $"Functions:MasterKey={AppFixture.MasterKey}",
            .. off.SelectMany(function => new[] { "--set", $"AzureWebJobs.{function}.Disabled=true" }),
        ]);
        builder.Console = new SilentConsole();
        builder.Stages.Clear();
        var host = builder.Build();
        await host.StartAsync(Cancel);
        return host;
    }
}
