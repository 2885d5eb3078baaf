using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Azure.Storage.Queues;
using Dapper;
using KpiDashboard.Cli;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.IntegrationTests.Privacy;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Operations;

/// <summary>The operator's command line as the program that an operator starts.</summary>
public sealed class CommandLineTests(PostgresFixture postgres, AzuriteFixture azurite) : IDisposable
{
    private static readonly string Key = Convert.ToBase64String([.. Enumerable.Repeat((byte)7, 32)]);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("nonsense")]
    [InlineData("runs --limit 0")]
    [InlineData("runs --limit 1001")]
    [InlineData("runs --status asleep")]
    [InlineData("loadgen http --concurrency 1000")]
    [InlineData("verify-backup")]
    public async Task What_is_not_understood_is_2_and_says_so_where_people_and_programs_look(string line)
    {
        var (code, output, errors) = await RunAsync(null, line.Split(' '));
        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith("Failed: ", errors, StringComparison.Ordinal);
        (code, output, errors) = await RunAsync(null, [.. line.Split(' '), "--json"]);
        Assert.Equal((2, ""), (code, errors));
        Assert.NotEmpty((string)JsonNode.Parse(output)!["error"]!["message"]!);
    }

    [Fact]
    public async Task Without_settings_and_without_a_running_copy_it_says_what_to_set_or_start()
    {
        var (code, output, _) = await RunAsync(null, "tenants", "--data", _folder["nothing"], "--json");
        Assert.Equal(1, code);
        Assert.Contains("no copy of the app runs", (string)JsonNode.Parse(output)!["error"]!["message"]!, StringComparison.Ordinal);
        Assert.Contains("ConnectionStrings__Postgres", (string)JsonNode.Parse(output)!["error"]!["fix"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_server_is_made_ready_once_and_saved_verified_and_restored_by_file_and_by_blob()
    {
        var name = $"cli_{Guid.NewGuid():N}"[..20];
        var settings = Settings(name);
        var made = await JsonAsync(settings, 0, "migrate", "--create");
        Assert.True(made["applied"]!.AsArray().Count >= 12);
        Assert.Empty((await JsonAsync(settings, 0, "migrate"))["applied"]!.AsArray());
        await using (var connection = new NpgsqlConnection(settings["ConnectionStrings__PostgresOwner"]))
        {
            await connection.OpenAsync(Cancelled);
            await PlantedTenant.AddAsync(connection, "cli", DateTimeOffset.UtcNow);
        }

        var before = await BackupTests.FingerprintAsync(settings["ConnectionStrings__PostgresOwner"]);
        foreach (var place in new[] { _folder["saved"], $"blob:{name.Replace('_', '-')}" })
        {
            var backup = await JsonAsync(settings, 0, "backup", "--to", place);
            Assert.True((bool)backup["verified"]!);
            var file = (string)backup["place"]!;
            Assert.StartsWith(place, file, StringComparison.Ordinal);
            var verified = await JsonAsync(settings, 0, "verify-backup", file);
            Assert.Equal((string)backup["id"]!, (string)verified["id"]!);

            var refused = await JsonAsync(settings, 1, "restore", file);
            Assert.Contains("is not empty", (string)refused["error"]!["message"]!, StringComparison.Ordinal);

            var back = $"{name}_{(place.StartsWith("blob", StringComparison.Ordinal) ? "b" : "f")}";
            var restored = await JsonAsync(settings, 0, "restore", file, "--create", "--database", back);
            Assert.Equal((long)backup["rows"]!, (long)restored["rows"]!);
            var after = await BackupTests.FingerprintAsync(new NpgsqlConnectionStringBuilder(settings["ConnectionStrings__PostgresOwner"]) { Database = back }.ConnectionString);
            // The note of the backup itself came after its moment.
            foreach (var table in new[] { before.Tables, after.Tables }) table.Remove("backups");
            Assert.Equal(before.Tables, after.Tables);
            Assert.Equal(before.Catalogue, after.Catalogue);
        }

        var (code, output, errors) = await RunAsync(settings, "backup", "--to", _folder["saved"]);
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("keep the key 'k'", output, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, output, StringComparison.Ordinal);
        Assert.Equal([3], await QueryAsync<int>(settings, "select count(*)::int from backups where verified_at is not null"));

        var broken = Directory.GetFiles(_folder["saved"])[0];
        var bytes = await File.ReadAllBytesAsync(broken, Cancelled);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(broken, bytes, Cancelled);
        Assert.Contains("was changed", (string)(await JsonAsync(settings, 1, "verify-backup", broken))["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dead_runs_are_seen_and_tried_again_and_the_tenants_audit_log_says_that_support_did_it()
    {
        var settings = await MigratedAsync();
        var (tenant, run) = (Guid.NewGuid(), Guid.NewGuid());
        await QueryAsync<int>(settings,
            $"""
            insert into tenants (id, name, time_zone, currency) values ('{tenant}', 'Bakery', 'UTC', 'EUR');
            insert into integrations (tenant_id, id, connector, display_name, consecutive_failures) values ('{tenant}', '{Guid.NewGuid()}', 'n8n', 'n8n', 1);
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, queued_at, updated_at, finished_at)
            select tenant_id, '{run}', id, 'n8n', 'manual', 'dead', now(), now(), now() from integrations;
            select 1
            """);
        var listed = (await JsonAsync(settings, 0, "tenants"))["tenants"]![0]!;
        Assert.Equal(("Bakery", 1), ((string)listed["name"]!, (int)listed["troubled"]!));
        Assert.Equal(run, (Guid)(await JsonAsync(settings, 0, "runs", "--status", "dead"))["runs"]![0]!["id"]!);
        var doctor = await JsonAsync(settings, 1, "doctor", "--patience", "120");
        var checks = doctor["checks"]!.AsArray().ToDictionary(check => (string)check!["name"]!, check => (string)check!["status"]!);
        Assert.Equal(("ok", "ok", "warning", "warning", "ok", "failed"), (checks["Database"], checks["Row security"], checks["Dead letters"], checks["Backup"], checks["Queues"], checks["App"]));
        Assert.All(doctor["checks"]!.AsArray().Where(check => (string)check!["status"]! != "ok"), check => Assert.NotEmpty((string)check!["fix"]!));

        var given = (await JsonAsync(settings, 0, "requeue", "--list"))["deadLetters"]![0]!;
        Assert.Equal((run.ToString(), "run", "n8n", tenant.ToString()), ((string)given["id"]!, (string)given["kind"]!, (string)given["source"]!, (string)given["tenantId"]!));
        Assert.Equal("requeued", (string)(await JsonAsync(settings, 0, "requeue", "--all"))["outcomes"]![0]!["outcome"]!);
        Assert.Equal(["run.requeued system KPI Dashboard support"], await QueryAsync<string>(settings, "select action || ' ' || actor_kind || ' ' || actor_name from audit_log"));
        Assert.Equal("not_dead", (string)(await JsonAsync(settings, 1, "requeue", run.ToString()))["outcomes"]![0]!["outcome"]!);
        Assert.Contains("neither", (string)(await JsonAsync(settings, 1, "requeue", "x"))["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_is_made_on_this_machine_alone_and_taken_away_again()
    {
        var settings = await MigratedAsync();
        Assert.Equal(40, (int)(await JsonAsync(settings, 0, "loadgen", "tenants", "--count", "20", "--n8n", "http://localhost:1/", "--ga-property", "700000001"))["integrations"]!);
        // Each its own, as the simulators of the benchmarks serve them: one property's allowance would not last.
        var made = await QueryAsync<string>(settings, "select coalesce(settings ->> 'propertyId', settings ->> 'baseUrl') from integrations");
        Assert.Equal(
            Enumerable.Range(1, 20).SelectMany(number => new[] { LoadWorld.PropertyId(number), $"http://localhost:1/{LoadWorld.Instance(number)}" }).Order(StringComparer.Ordinal),
            made.Order(StringComparer.Ordinal));
        Assert.Contains("--ga-property", (string)(await JsonAsync(settings, 1, "loadgen", "tenants", "--ga-property", "12a"))["error"]!["message"]!, StringComparison.Ordinal);
        Assert.Equal([40], await QueryAsync<int>(settings, "select count(*)::int from integrations where credentials is not null and next_due_at <= now()"));
        Assert.Equal(20, (int)(await JsonAsync(settings, 0, "loadgen", "remove"))["removed"]!);
        Assert.Equal([0], await QueryAsync<int>(settings, "select count(*)::int from tenants"));

        settings["ConnectionStrings__Postgres"] = "Host=db.example.com;Username=kpi_app;Password=p";
        Assert.Contains("--yes-really", (string)(await JsonAsync(settings, 1, "loadgen", "tenants", "--n8n", "http://localhost:1/"))["error"]!["fix"]!, StringComparison.Ordinal);
        Assert.Contains("--yes-really", (string)(await JsonAsync(settings, 1, "loadgen", "http", "--url", "https://kpi.example.com"))["error"]!["fix"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_key_takes_over_and_the_old_one_is_said_to_be_needed_until_then()
    {
        var settings = await MigratedAsync();
        await JsonAsync(settings, 0, "loadgen", "tenants", "--count", "5", "--n8n", "http://localhost:1/");
        var sealedWithOld = await QueryAsync<int>(settings, "select count(*)::int from integrations where credentials is not null");
        (settings["Secrets__CurrentKey"], settings["Secrets__Keys__next"]) = ("next", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        var old = settings["Secrets__Keys__k"];

        settings.Remove("Secrets__Keys__k");
        var refused = await JsonAsync(settings, 1, "rotate-keys");
        Assert.Equal((false, sealedWithOld[0]), ((bool)refused["complete"]!, refused["columns"]!.AsArray().Sum(column => (int)column!["unreadable"]!)));

        settings["Secrets__Keys__k"] = old;
        var rotated = await JsonAsync(settings, 0, "rotate-keys");
        Assert.Equal(("next", true, sealedWithOld[0]), ((string)rotated["key"]!, (bool)rotated["complete"]!, rotated["columns"]!.AsArray().Sum(column => (int)column!["resealed"]!)));

        settings.Remove("Secrets__Keys__k");
        var again = await JsonAsync(settings, 0, "rotate-keys");
        Assert.Equal((true, 0), ((bool)again["complete"]!, again["columns"]!.AsArray().Sum(column => (int)column!["resealed"]!)));
    }

    [Theory]
    [InlineData(false, "The storage account cannot be reached: ")]
    [InlineData(true, "A server did not answer in time.")]
    public async Task A_storage_account_that_is_away_or_silent_is_a_sentence_and_no_stack(bool silent, string sentence)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        if (!silent) listener.Stop();
        var options = new QueueClientOptions { Retry = { MaxRetries = 1, Delay = TimeSpan.FromMilliseconds(1), NetworkTimeout = TimeSpan.FromMilliseconds(300) } };
        var queue = new QueueClient(
            $"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={Key};QueueEndpoint=http://127.0.0.1:{port}/devstoreaccount1;", "sync-n8n", options);
        var error = await Assert.ThrowsAnyAsync<Exception>(() => queue.CreateIfNotExistsAsync(cancellationToken: Cancelled));
        Assert.StartsWith(sentence, Shared.Sentence(error), StringComparison.Ordinal);
    }

    private Dictionary<string, string> Settings(string database)
    {
        string As(string role, string password) => new NpgsqlConnectionStringBuilder(postgres.AdminConnectionString) { Database = database, Username = role, Password = password }.ConnectionString;
        return new Dictionary<string, string>
        {
            ["ConnectionStrings__Postgres"] = As("kpi_app", TestSecrets.App),
            ["ConnectionStrings__PostgresOwner"] = As("kpi_owner", TestSecrets.Owner),
            ["ConnectionStrings__PostgresAdmin"] = postgres.AdminConnectionString,
            ["AzureWebJobsStorage"] = azurite.ConnectionString,
            ["Secrets__CurrentKey"] = "k",
            ["Secrets__Keys__k"] = Key,
            ["Auth__CurrentKey"] = "k",
            ["Auth__SigningKeys__k"] = Key,
            // Nothing listens there.
            ["Web__BaseUrl"] = "http://127.0.0.1:1",
        };
    }

    private async Task<Dictionary<string, string>> MigratedAsync()
    {
        var (owner, _) = await TestSecrets.MigratedDatabaseAsync(postgres, Cancelled);
        return Settings(new NpgsqlConnectionStringBuilder(owner).Database!);
    }

    private async Task<JsonNode> JsonAsync(Dictionary<string, string> settings, int expected, params string[] arguments)
    {
        var answer = await CommandLine.JsonAsync(_folder.FullPath, settings, expected, arguments);
        foreach (var secret in new[] { Key, TestSecrets.App, TestSecrets.Owner }) Assert.DoesNotContain(secret, answer.ToJsonString(), StringComparison.Ordinal);
        return answer;
    }

    private Task<(int Code, string Output, string Errors)> RunAsync(Dictionary<string, string>? settings, params string[] arguments) => CommandLine.RunAsync(_folder.FullPath, settings, arguments);

    private static async Task<List<T>> QueryAsync<T>(Dictionary<string, string> settings, string sql)
    {
        await using var connection = new NpgsqlConnection(settings["ConnectionStrings__PostgresOwner"]);
        await connection.OpenAsync(Cancelled);
        return (await connection.QueryAsync<T>(sql)).AsList();
    }
}
