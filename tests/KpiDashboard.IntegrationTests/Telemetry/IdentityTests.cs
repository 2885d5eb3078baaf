using System.Text;
using Azure.Core.Pipeline;
using Azure.Monitor.OpenTelemetry.Exporter;
using KpiDashboard.Data;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.LocalHost.Embedded;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using OpenTelemetry.Logs;
using Xunit;

namespace KpiDashboard.IntegrationTests.Telemetry;

/// <summary>Without a secret in any setting: storage, Postgres and Application Insights with tokens of a managed identity.</summary>
public sealed class IdentityTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Postgres_gets_a_token_in_place_of_a_password_and_the_next_one_when_that_has_changed()
    {
        var role = $"kpi_token_{Guid.NewGuid():N}"[..24];
        await using var admin = NpgsqlDataSource.Create(postgres.AdminConnectionString);
        var password = "first-token";
        await RunAsync(admin, $"create role {role} login password '{password}'");
        try
        {
            await using var identity = await FakeIdentity.StartAsync(Cancel);
            identity.Token = _ => Volatile.Read(ref password);
            var place = new NpgsqlConnectionStringBuilder(postgres.AdminConnectionString);
            await using var provider = Services(new()
            {
                ["ConnectionStrings:Postgres"] = $"Host={place.Host};Port={place.Port};Database=postgres;Username={role}",
                ["Postgres:Authentication"] = "Entra",
                ["Postgres:TokenRefresh"] = "00:00:01",
                ["AZURE_CLIENT_ID"] = FakeIdentity.ClientId,
                ["IDENTITY_ENDPOINT"] = Environment.GetEnvironmentVariable("IDENTITY_ENDPOINT"),
            }).AddDatabase().BuildServiceProvider();
            var source = provider.GetRequiredService<NpgsqlDataSource>();
            Assert.Equal(role, await source.CreateCommand("select current_user").ExecuteScalarAsync(Cancel));
            Assert.Contains("https://ossrdbms-aad.database.windows.net", identity.Asked);

            await RunAsync(admin, $"alter role {role} password 'second-token'");
            source.Clear();
            await Assert.ThrowsAsync<PostgresException>(async () => await source.CreateCommand("select 1").ExecuteScalarAsync(Cancel));

            Volatile.Write(ref password, "second-token");
            await Eventually.TrueAsync(async () =>
            {
                try
                {
                    return await source.CreateCommand("select current_user").ExecuteScalarAsync(Cancel) is string name && name == role;
                }
                catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.InvalidPassword)
                {
                    return false;
                }
            }, TimeSpan.FromSeconds(30), "the refreshed token is used");
            Assert.True(identity.Asked.Count >= 2);
        }
        finally
        {
            await RunAsync(admin, $"drop role {role}");
        }
    }

    [Fact]
    public async Task A_password_beside_Entra_is_a_contradiction_and_says_so()
    {
        await using var provider = Services(new() { ["ConnectionStrings:Postgres"] = "Host=localhost;Username=a;Password=b", ["Postgres:Authentication"] = "Entra" }).AddDatabase().BuildServiceProvider();
        var problem = Assert.Throws<Api.ApiProblem>(provider.GetRequiredService<NpgsqlDataSource>);
        Assert.Contains("Postgres:Authentication", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_queue_takes_a_message_by_token_from_a_storage_that_checks_it()
    {
        using var folder = new TemporaryFolder();
        using var certificate = FakeIdentity.Certificate();
        await using var azurite = await SecureAzuriteAsync(folder, certificate);
        await using var identity = await FakeIdentity.StartAsync(Cancel);
        StorageQueues Queues(string clientId) => new(Configuration(new()
        {
            ["AzureWebJobsStorage:queueServiceUri"] = $"https://127.0.0.1:{azurite.Port}/devstoreaccount1",
            ["AzureWebJobsStorage:credential"] = "managedidentity",
            ["AzureWebJobsStorage:clientId"] = clientId,
        }))
        { Transport = new HttpClientTransport(FakeIdentity.Trusting(certificate)) };

        var queues = Queues(FakeIdentity.ClientId);
        await queues.SendAsync("by-token", "{}", TimeSpan.Zero, Cancel);
        Assert.Equal(1, (await queues.StateAsync("by-token", Cancel)).Length);
        Assert.Contains("https://storage.azure.com", identity.Asked);

        // The storage does look: a token for something else is refused. Another audience has another cached token, so the resource is answered wrongly.
        identity.Token = _ => FakeIdentity.Jwt("https://vault.azure.net");
        var refused = await Assert.ThrowsAsync<Azure.RequestFailedException>(() => Queues(FakeIdentity.ClientId).SendAsync("refused", "{}", TimeSpan.Zero, Cancel));
        Assert.Equal(403, refused.Status);
        // And the identity that is asked is the one that was named.
        await Assert.ThrowsAnyAsync<Azure.Identity.AuthenticationFailedException>(() => Queues("99999999-2222-3333-4444-555555555555").SendAsync("unknown", "{}", TimeSpan.Zero, Cancel));
    }

    /// <summary>What a nightly job in Azure does: no password and no key in any setting.</summary>
    [Fact]
    public async Task The_command_line_backs_up_with_tokens_alone_to_a_storage_that_checks_them()
    {
        using var folder = new TemporaryFolder();
        using var certificate = FakeIdentity.Certificate();
        await using var azurite = await SecureAzuriteAsync(folder, certificate);
        await using var identity = await FakeIdentity.StartAsync(Cancel);
        // The server takes passwords, so the token for it is kpi_owner's.
        identity.Token = resource => resource.Contains("ossrdbms", StringComparison.Ordinal) ? TestSecrets.Owner : FakeIdentity.Jwt(resource);
        var (owner, _) = await TestSecrets.MigratedDatabaseAsync(postgres, Cancel);
        var place = new NpgsqlConnectionStringBuilder(owner);
        var settings = new Dictionary<string, string>
        {
            ["ConnectionStrings__PostgresOwner"] = $"Host={place.Host};Port={place.Port};Database={place.Database};Username=kpi_owner",
            ["Postgres__Authentication"] = "Entra",
            ["AZURE_CLIENT_ID"] = FakeIdentity.ClientId,
            ["IDENTITY_ENDPOINT"] = Environment.GetEnvironmentVariable("IDENTITY_ENDPOINT")!,
            ["IDENTITY_HEADER"] = Environment.GetEnvironmentVariable("IDENTITY_HEADER")!,
            ["Backup__blobServiceUri"] = $"https://127.0.0.1:{azurite.BlobPort}/devstoreaccount1",
            ["Backup__credential"] = "managedidentity",
            ["Backup__clientId"] = FakeIdentity.ClientId,
            ["Secrets__CurrentKey"] = "k",
            ["Secrets__Keys__k"] = Convert.ToBase64String([.. Enumerable.Repeat((byte)7, 32)]),
            ["SSL_CERT_FILE"] = folder["cert.pem"],
        };

        var backup = await Operations.CommandLine.JsonAsync(folder.FullPath, settings, 0, "backup", "--to", "blob:nightly");
        Assert.True((bool)backup["verified"]!);
        Assert.StartsWith("blob:nightly/kpi-", (string)backup["place"]!, StringComparison.Ordinal);
        Assert.Contains("https://storage.azure.com", identity.Asked);
        Assert.Contains("https://ossrdbms-aad.database.windows.net", identity.Asked);

        // Both look at the token.
        identity.Token = resource => resource.Contains("ossrdbms", StringComparison.Ordinal) ? TestSecrets.Owner : FakeIdentity.Jwt("https://vault.azure.net");
        var refused = await Operations.CommandLine.JsonAsync(folder.FullPath, settings, 1, "verify-backup", (string)backup["place"]!);
        Assert.Contains("storage account refused", (string)refused["error"]!["message"]!, StringComparison.Ordinal);
        identity.Token = _ => "not-the-password";
        refused = await Operations.CommandLine.JsonAsync(folder.FullPath, settings, 1, "backup", "--to", folder["here"]);
        Assert.Contains("database refused", (string)refused["error"]!["message"]!, StringComparison.Ordinal);
        Assert.Empty(Directory.Exists(folder["here"]) ? Directory.GetFiles(folder["here"]) : []);
    }

    [Fact]
    public async Task Application_Insights_gets_a_token_when_the_authentication_string_asks_for_it()
    {
        using var certificate = FakeIdentity.Certificate();
        await using var insights = await FakeIngestion.StartAsync(Cancel, certificate);
        await using var identity = await FakeIdentity.StartAsync(Cancel);
        var settings = Configuration(new()
        {
            ["APPLICATIONINSIGHTS_CONNECTION_STRING"] = $"InstrumentationKey={Guid.NewGuid()};IngestionEndpoint={insights.Address}",
            ["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] = $"Authorization=AAD;ClientId={FakeIdentity.ClientId}",
        });
        var services = new ServiceCollection().AddSingleton<IConfiguration>(settings).AddSingleton(TimeProvider.System).AddSingleton(new Api.TriggerAssembly(typeof(Functions.App).Assembly));
        KpiDashboard.Telemetry.TelemetryServices.AddInstruments(services);
        Assert.NotNull(services.AddKpiTelemetry(settings));
        services.PostConfigureAll<AzureMonitorExporterOptions>(options => options.Transport = new HttpClientTransport(FakeIdentity.Trusting(certificate)));
        await using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<ILoggerFactory>().CreateLogger("KpiDashboard.Test").LogError("Told by {Who}", "an identity");
        Assert.True(provider.GetRequiredService<LoggerProvider>().ForceFlush(30_000));
        Assert.Contains(insights.Received, request => request.Authorization?.StartsWith("Bearer eyJ", StringComparison.Ordinal) == true && Encoding.UTF8.GetString(request.Body).Contains("Told by an identity", StringComparison.Ordinal));
        Assert.Contains("https://monitor.azure.com", identity.Asked.Select(resource => resource.TrimEnd('/')));
    }

    [Fact]
    public void Without_a_receiver_nothing_listens_and_nothing_is_registered()
    {
        var services = new ServiceCollection();
        Assert.Null(services.AddKpiTelemetry(Configuration([])));
        Assert.Empty(services);
    }

    private static IConfiguration Configuration(Dictionary<string, string?> settings) => new ConfigurationBuilder().AddInMemoryCollection(settings).Build();

    private static IServiceCollection Services(Dictionary<string, string?> settings) => new ServiceCollection().AddSingleton(Configuration(settings));

    private static async Task RunAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    /// <summary>Azurite over HTTPS that checks issuer, audience and lifetime of tokens (<c>--oauth basic</c>).</summary>
    private static async Task<SecureAzurite> SecureAzuriteAsync(TemporaryFolder folder, System.Security.Cryptography.X509Certificates.X509Certificate2 certificate)
    {
        Directory.CreateDirectory(folder["azurite"]);
        await File.WriteAllTextAsync(folder["cert.pem"], certificate.ExportCertificatePem(), Cancel);
        using var key = System.Security.Cryptography.X509Certificates.RSACertificateExtensions.GetRSAPrivateKey(certificate)!;
        await File.WriteAllTextAsync(folder["key.pem"], key.ExportPkcs8PrivateKeyPem(), Cancel);
        var node = await NodeTools.FindAsync(null, Cancel);
        var package = await new NpmPackages(node, null, folder["npm"], null, TimeProvider.System).EnsureAsync(NpmPackage.Azurite, Cancel);
        var ports = FreePort.Next(2);
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = ChildProcess.Start(new ChildProcessOptions
        {
            Node = node,
            FileName = node.Node,
            Arguments =
            [
                Path.Combine(package, "dist", "src", "azurite.js"), "--inMemoryPersistence", "--blobHost", "127.0.0.1", "--blobPort", $"{ports[0]}", "--queueHost", "127.0.0.1", "--queuePort", $"{ports[1]}",
                "--tableHost", "127.0.0.1", "--tablePort", "0", "--oauth", "basic", "--cert", folder["cert.pem"], "--key", folder["key.pem"], "--silent", "--loose", "--disableTelemetry", "--skipApiVersionCheck",
            ],
            WorkingDirectory = folder["azurite"],
            Line = line =>
            {
                if (line.StartsWith("Azurite Table service is successfully listening", StringComparison.Ordinal)) listening.TrySetResult();
            },
        });
        await listening.Task.WaitAsync(TimeSpan.FromMinutes(1), Cancel);
        return new SecureAzurite(process, ports[0], ports[1]);
    }

    private sealed record SecureAzurite(ChildProcess Process, int BlobPort, int Port) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Process.KillAsync();
            await Process.DisposeAsync();
        }
    }
}
