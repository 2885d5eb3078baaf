using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using KpiDashboard.Data;
using KpiDashboard.Identity;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.IntegrationTests.LocalHost;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.Tests.Shared;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Identity;

/// <summary>The function app with two real OpenID providers (npm <c>oidc-provider</c>) and a provider where nobody listens.</summary>
public sealed class OidcFixture(PostgresFixture postgres) : IAsyncLifetime
{
    internal const string Page = "https://kpi.test";

    private const string ClientId = "kpi dashboard", ClientSecret = "a secret: with/odd+characters & 100 % more";

    private static readonly NpmPackage Package = new("oidc-provider", "9.13.3", ["lib/index.js", "package.json"]);

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _control = new();
    private Dictionary<string, string> _issuers = [];
    private ChildProcess? _providers;
    private EmbeddedAzurite? _storage;
    private IHost? _host;

    internal MovedClock Clock { get; } = new();

    internal string OwnerConnectionString { get; private set; } = "";

    internal Uri Address { get; private set; } = null!;

    internal IServiceProvider Services => _host!.Services;

    internal Database Database => Services.GetRequiredService<Database>();

    public async ValueTask InitializeAsync()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await StartProvidersAsync(cancellationToken);
        var database = await TestSecrets.MigratedDatabaseAsync(postgres, cancellationToken);
        OwnerConnectionString = database.Owner;
        var data = _folder["data"];
        Directory.CreateDirectory(data);
        var key = Convert.ToBase64String(new byte[32]);
        // Of its own: see AppFixture.
        _storage = await EmbeddedAzurite.StartAsync(new EmbeddedAzuriteOptions { DataDirectory = _folder["azurite"], InMemory = true }, cancellationToken);
        var settings = new Dictionary<string, string>
        {
            ["ConnectionStrings:Postgres"] = database.App,
            ["AzureWebJobsStorage"] = _storage.ConnectionString,
            ["Secrets:CurrentKey"] = "test",
            ["Secrets:Keys:test"] = key,
            ["Auth:CurrentKey"] = "test",
            ["Auth:SigningKeys:test"] = key,
            ["Web:BaseUrl"] = Page,
            ["Limits:RegisterAddress:Permits"] = "1000",
            ["Oidc:nobody:Name"] = "Nobody",
            ["Oidc:nobody:Issuer"] = $"http://127.0.0.1:{FreePort.Next()}",
            ["Oidc:nobody:ClientId"] = ClientId,
            ["Oidc:nobody:ClientSecret"] = ClientSecret,
        };
        foreach (var (name, issuer) in _issuers)
        {
            settings[$"Oidc:{name}:Name"] = name == "company" ? "The Company" : "Lean";
            settings[$"Oidc:{name}:Issuer"] = issuer;
            settings[$"Oidc:{name}:ClientId"] = ClientId;
            settings[$"Oidc:{name}:ClientSecret"] = ClientSecret;
        }

        var builder = LocalApp.CreateBuilder(["--port", "0", "--data", data, "--no-settings", .. settings.SelectMany(pair =>
            new[] { "--set", $"{pair.Key}={pair.Value}" })]);
        builder.Console = new SilentConsole();
        builder.Stages.Clear();
        builder.Services.AddSingleton<TimeProvider>(Clock);
        _host = builder.Build();
        await _host.StartAsync(cancellationToken);
        Address = ((LocalFunctionsHost)_host).Address!;
    }

    /// <summary>What a provider knows about somebody.</summary>
    internal Task KnowsAsync(string provider, string subject, string? email, object? verified, string? name = "Anna Known") =>
        TellAsync(provider, "account", new JsonObject { ["sub"] = subject, ["email"] = email, ["email_verified"] = JsonSerializer.SerializeToNode(verified), ["name"] = name });

    /// <summary>How a provider misbehaves from now on.</summary>
    internal Task MisbehavesAsync(string provider, string mode) => TellAsync(provider, "mode", new JsonObject { ["mode"] = mode });

    /// <summary>A provider signs with another key from now on, and publishes that one only.</summary>
    internal Task RollsKeysAsync(string provider) => TellAsync(provider, "roll", []);

    /// <summary>How often a provider's keys were read.</summary>
    internal async Task<int> KeysReadAsync(string provider) => (await TellAsync(provider, "state", []))["fetched"]!.GetValue<int>();

    internal string Issuer(string provider) => _issuers[provider];

    /// <summary>An account with a business of its own.</summary>
    internal async Task<Guid> AccountAsync(string email, bool verified = true)
    {
        var user = new NewUser(Guid.NewGuid(), email, "Somebody", null, verified);
        await Services.GetRequiredService<Accounts>().CreateBusinessAsync(
            new DefaultHttpContext().Request, new NewBusiness("Business of " + email, null, null), user.Id, email, user, TestContext.Current.CancellationToken);
        return user.Id;
    }

    /// <summary>Rows as the owner of the database sees them.</summary>
    internal async Task<IReadOnlyList<object?[]>> RowsAsync(string sql, params object[] values)
    {
        await using var connection = new NpgsqlConnection(OwnerConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.AddWithValue(value);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var rows = new List<object?[]>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : reader.GetValue(i))]);
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.StopAsync(CancellationToken.None);
            if (_host is IAsyncDisposable disposable) await disposable.DisposeAsync();
            else _host.Dispose();
        }

        if (_providers is not null) await _providers.DisposeAsync();
        if (_storage is not null) await _storage.DisposeAsync();
        _control.Dispose();
        _folder.Dispose();
    }

    private async Task StartProvidersAsync(CancellationToken cancellationToken)
    {
        var node = await NodeTools.FindAsync(null, cancellationToken);
        var package = await new NpmPackages(node, null, _folder["npm"], null, TimeProvider.System).EnsureAsync(Package, cancellationToken);
        var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _providers = ChildProcess.Start(new ChildProcessOptions
        {
            Node = node,
            FileName = node.Node,
            Arguments = [Path.Combine(AppContext.BaseDirectory, "Identity", "oidc-provider.mjs"), package],
            WorkingDirectory = _folder.FullPath,
            Environment = new Dictionary<string, string?>
            {
                ["NODE_OPTIONS"] = null,
                ["KPI_TEST_OIDC"] = JsonSerializer.Serialize(new
                {
                    clientId = ClientId,
                    clientSecret = ClientSecret,
                    callbacks = new { company = $"{Page}/api/auth/oidc/company/callback", lean = $"{Page}/api/auth/oidc/lean/callback" },
                }),
            },
            Line = line =>
            {
                if (line.StartsWith("ready ", StringComparison.Ordinal)) ready.TrySetResult(line[6..]);
            },
        });
        await Task.WhenAny(ready.Task, _providers.Exited).WaitAsync(TimeSpan.FromMinutes(2), cancellationToken);
        Assert.True(ready.Task.IsCompleted, string.Join('\n', _providers.LastLines));
        _issuers = JsonSerializer.Deserialize<Dictionary<string, string>>(await ready.Task)!;
    }

    private async Task<JsonNode> TellAsync(string provider, string what, JsonObject body)
    {
        using var response = await _control.PostAsJsonAsync(new Uri($"{_issuers[provider]}/_test/{what}"), body, TestContext.Current.CancellationToken);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken))!;
    }
}

/// <summary>The system's clock, put forward at will.</summary>
internal sealed class MovedClock : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
}
