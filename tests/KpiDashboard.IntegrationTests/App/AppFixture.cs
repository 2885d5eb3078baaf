using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using KpiDashboard.Data;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.App;

/// <summary>The whole function app, as the start command runs it, with the demo tenants really synced; shared by the tests of this collection.</summary>
[CollectionDefinition(Name)]
public sealed class AppCollection : ICollectionFixture<AppFixture>
{
    public const string Name = "The whole app";
}

/// <summary>One more of it: the tests of a collection run one after the other, and those of this one beside the others.</summary>
[CollectionDefinition(Name)]
public sealed class SecondAppCollection : ICollectionFixture<AppFixture>
{
    public const string Name = "The whole app once more";
}

/// <summary>
/// The whole app with a database and a storage emulator of its own. Of two apps on one emulator each would take messages of the other, find nothing in its
/// database that they name, and drop them.
/// </summary>
public class AppFixture(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private EmbeddedAzurite? _storage;
    private IHost? _host;

    internal DemoStage Demo { get; private set; } = null!;

    /// <summary>The host's master key, for <c>/admin</c>.</summary>
    internal const string TenantHashKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    internal const string MasterKey = "test-master-key-0123456789";

    internal string OwnerConnectionString { get; private set; } = "";

    internal IServiceProvider Services => _host!.Services;

    internal Uri Address { get; private set; } = null!;

    internal Database Database => Services.GetRequiredService<Database>();

    /// <summary>Settings of a derived fixture; may start what they name.</summary>
    protected virtual Task<IReadOnlyDictionary<string, string>> SettingsAsync() => Task.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string>());

    public virtual async ValueTask InitializeAsync()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var data = _folder["data"];
        Directory.CreateDirectory(data);
        TestSecrets.Write(data);
        var database = await postgres.CreateDatabaseAsync(cancellationToken);
        _storage = await EmbeddedAzurite.StartAsync(new EmbeddedAzuriteOptions { DataDirectory = _folder["azurite"], InMemory = true }, cancellationToken);
        var builder = LocalApp.CreateBuilder(
        [
            "--port", "0", "--data", data, "--no-settings",
            "--set", $"ConnectionStrings:Postgres={database.AdminConnectionString}", "--set", $"AzureWebJobsStorage={_storage.ConnectionString}", "--set", "Web:Skip=true", "--set", $"Functions:MasterKey={MasterKey}", "--set", $"Telemetry:TenantKey={TenantHashKey}",
            .. (await SettingsAsync()).SelectMany(setting => new[] { "--set", $"{setting.Key}={setting.Value}" }),
        ]);
        builder.Console = new SilentConsole();
        Demo = builder.Stages.OfType<DemoStage>().Single();
        _host = builder.Build();
        await _host.StartAsync(cancellationToken);
        Address = ((LocalFunctionsHost)_host).Address!;
        OwnerConnectionString = ((Microsoft.Extensions.Configuration.IConfiguration)Services.GetRequiredService(typeof(Microsoft.Extensions.Configuration.IConfiguration)))[DatabaseStage.OwnerKey]!;
        using var http = new HttpClient { BaseAddress = Address };
        await Eventually.TrueAsync(async () => (await http.GetAsync("api/health/ready", cancellationToken)).IsSuccessStatusCode, TimeSpan.FromMinutes(10), "the demo tenants are synced");
    }

    /// <summary>A client without a token.</summary>
    internal HttpClient Anonymous() => new(new NamesBusiness(new HttpClientHandler { UseCookies = false })) { BaseAddress = Address };

    /// <summary>A client signed in to a demo tenant.</summary>
    internal async Task<HttpClient> SignInAsync(string tenant = "Merch Shop", string email = DemoSeeder.OwnerEmail)
    {
        var client = Anonymous();
        var session = await client.SendJsonAsync(HttpMethod.Post, "api/auth/login", new { email, password = DemoSeeder.Password });
        client.DefaultRequestHeaders.Add("X-Kpi-Token", session["accessToken"]!.GetValue<string>());
        var id = DemoSeeder.TenantId(tenant);
        if (session["tenant"]!["id"]!.GetValue<Guid>() == id) return client;
        session = await client.SendJsonAsync(HttpMethod.Post, "api/auth/switch", new { tenantId = id });
        client.DefaultRequestHeaders.Remove("X-Kpi-Token");
        client.DefaultRequestHeaders.Add("X-Kpi-Token", session["accessToken"]!.GetValue<string>());
        return client;
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_host is not null)
        {
            await _host.StopAsync(CancellationToken.None);
            if (_host is IAsyncDisposable disposable) await disposable.DisposeAsync();
            else _host.Dispose();
        }

        if (_storage is not null) await _storage.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
        _folder.Dispose();
    }

    private sealed class SilentConsole : IStartupConsole
    {
        public void Done(string stage, string text) { }

        public void Progress(string stage, string text) { }

        public void Ready(string text) { }

        public void Log(string line) => TestLog.Write(line);
    }
}

/// <summary>Roles belong to a server: whoever makes a database on the shared test server must use the same passwords for them.</summary>
internal static class TestSecrets
{
    public static readonly string Owner = Convert.ToBase64String(new byte[32]), App = Convert.ToBase64String([.. Enumerable.Repeat((byte)1, 32)]);

    public static void Write(string dataDirectory) =>
        File.WriteAllText(Path.Combine(dataDirectory, "secrets.json"), JsonSerializer.Serialize(new Dictionary<string, string> { ["kpi_owner"] = Owner, ["kpi_app"] = App }));

    /// <summary>
    /// An empty database as the version before a migration left it, as kpi_owner. Teaches Dapper days on the way, as the app does.
    /// </summary>
    /// <param name="postgres">The server.</param>
    /// <param name="script">The beginning of the migration's name, as <c>0030_</c>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<string> DatabaseBeforeAsync(PostgresFixture postgres, string script, CancellationToken cancellationToken)
    {
        DataServices.AddDatabase(new ServiceCollection());
        var empty = await postgres.CreateDatabaseAsync(cancellationToken);
        var (owner, _) = await DatabaseBootstrap.EnsureRolesAndDatabaseAsync(empty.AdminConnectionString, empty.Name, Owner, App, cancellationToken);
        var old = DatabaseBootstrap.ScriptNames()
            .TakeWhile(name => !name.Contains(script, StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        await DatabaseBootstrap.MigrateAsync(owner, cancellationToken, old);
        return owner;
    }

    /// <summary>An empty, migrated database; connection strings as kpi_owner and as kpi_app.</summary>
    public static async Task<(string Owner, string App)> MigratedDatabaseAsync(PostgresFixture postgres, CancellationToken cancellationToken)
    {
        var database = await postgres.CopyDatabaseAsync(async made =>
        {
            var owner = (await RolesAsync(made)).Owner;
            await DatabaseBootstrap.MigrateAsync(owner, cancellationToken);
            await using var left = new NpgsqlConnection(owner);
            NpgsqlConnection.ClearPool(left);
        }, cancellationToken);
        // What was granted on the database itself is not copied.
        var copy = await RolesAsync(database);
        // The copy is as old as what it was made from; a database just migrated is not, and its timer has just beaten.
        await using var source = NpgsqlDataSource.Create(copy.Owner);
        await using var beat = source.CreateCommand("update timer_heartbeat set beat_at = now()");
        await beat.ExecuteNonQueryAsync(cancellationToken);
        return copy;

        Task<(string Owner, string App)> RolesAsync(TestDatabase on) =>
            DatabaseBootstrap.EnsureRolesAndDatabaseAsync(on.AdminConnectionString, on.Name, Owner, App, cancellationToken);
    }
}

/// <summary>
/// As the page does: says with each call of a session which business is meant, which is the one that the access token is for, unless a test says another.
/// </summary>
internal sealed class NamesBusiness(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    public const string Header = "X-Kpi-Tenant";

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var token = request.Headers.TryGetValues("X-Kpi-Token", out var values) ? values.FirstOrDefault() : request.Headers.Authorization?.Parameter;
        if (!request.Headers.Contains(Header) && Of(token) is { } business) request.Headers.Add(Header, business);
        return base.SendAsync(request, cancellationToken);
    }

    /// <summary>The business of an access token; null for what is none.</summary>
    internal static string? Of(string? token)
    {
        if (token?.Split('.') is not [_, var claims, _]) return null;
        try
        {
            return JsonNode.Parse(Microsoft.AspNetCore.WebUtilities.WebEncoders.Base64UrlDecode(claims))?["tid"]?.GetValue<string>();
        }
        catch (Exception error) when (error is FormatException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}

internal static class Eventually
{
    /// <summary>Only matters when something is broken; a machine that builds beside the tests has made one minute too short.</summary>
    private static readonly TimeSpan s_least = TimeSpan.FromMinutes(5);

    /// <summary>Waits until a condition holds; the limit is generous because it only matters when something is broken.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan limit, string what)
    {
        if (limit < s_least) limit = s_least;
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < limit, $"It did not come about within {limit} that {what}.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}

internal static class Http
{
    /// <summary>Sends JSON and returns the JSON answer of a request that must succeed.</summary>
    public static async Task<JsonNode> SendJsonAsync(this HttpClient client, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{method} {path} answered {(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>Gets JSON.</summary>
    public static Task<JsonNode> GetJsonAsync(this HttpClient client, string path) => client.SendJsonAsync(HttpMethod.Get, path);

    /// <summary>Starts a refresh and waits until its runs are over; returns them.</summary>
    public static async Task<IReadOnlyList<JsonNode>> RefreshAsync(this HttpClient client, string path = "api/sync/refresh", HttpClient? reader = null)
    {
        var started = await client.SendJsonAsync(HttpMethod.Post, path);
        var runs = new List<JsonNode>();
        foreach (var run in started["runs"]!.AsArray())
        {
            JsonNode state = run!;
            await Eventually.TrueAsync(async () =>
            {
                state = await (reader ?? client).GetJsonAsync($"api/sync/runs/{run!["id"]}");
                return state["status"]!.GetValue<string>() is "succeeded" or "failed" or "dead";
            }, TimeSpan.FromMinutes(1), $"run {run!["id"]} ends");
            runs.Add(state);
        }

        return runs;
    }
}
