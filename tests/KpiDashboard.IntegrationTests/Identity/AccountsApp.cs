using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dapper;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MimeKit;
using Npgsql;
using OtpNet;
using Xunit;

namespace KpiDashboard.IntegrationTests.Identity;

[CollectionDefinition(Name)]
public sealed class AccountsCollection : ICollectionFixture<AccountsApp>
{
    public const string Name = "Accounts";
}

/// <summary>The whole function app without demo tenants, with its own database, queues and mailbox; only the clock can be put forward.</summary>
public sealed class AccountsApp(PostgresFixture postgres) : IAsyncLifetime
{
    /// <summary>A password that every account of these tests may have.</summary>
    public const string Password = "four walruses read slowly";

    private readonly TemporaryFolder _folder = new();
    private readonly List<IHost> _hosts = [];
    private EmbeddedAzurite? _storage;
    private NpgsqlDataSource? _owner;
    private TestDatabase? _database;
    private int _count;

    internal ShiftedTime Time { get; } = new();

    internal IServiceProvider Services => _hosts[0].Services;

    internal Uri Address { get; private set; } = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _storage = await EmbeddedAzurite.StartAsync(new() { DataDirectory = _folder["azurite"], InMemory = true }, Cancelled);
        _database = await postgres.CreateDatabaseAsync(Cancelled);
        Address = await StartAsync("data");
        _owner = NpgsqlDataSource.Create(_database.AdminConnectionString);
    }

    /// <summary>
    /// Starts another app on the same database and queues. All have one key to seal with, as instances of one installation do: a mail that one sealed and another cannot open
    /// is tried again for hours. Only the first catches and sends mail.
    /// </summary>
    internal async Task<Uri> StartAsync(string folder, params string[] settings)
    {
        Directory.CreateDirectory(_folder[folder]);
        TestSecrets.Write(_folder[folder]);
        var builder = LocalApp.CreateBuilder(
        [
            "--port", "0", "--data", _folder[folder], "--no-settings", "--no-web", "--no-demo",
            "--set", $"ConnectionStrings:Postgres={_database!.AdminConnectionString}", "--set", $"AzureWebJobsStorage={_storage!.ConnectionString}", "--set", "Http:Proxies=1",
            "--set", "Secrets:CurrentKey=test", "--set", $"Secrets:Keys:test={Convert.ToBase64String(new byte[32])}",
            .. folder == "data" ? Array.Empty<string>() : ["--set", "Mail:Skip=true", "--set", "AzureWebJobs.SendMail.Disabled=true"],
            .. settings,
        ]);
        builder.Console = new Quiet();
        builder.Services.AddSingleton<TimeProvider>(Time);
        var host = builder.Build();
        _hosts.Add(host);
        await host.StartAsync(Cancelled);
        return ((LocalFunctionsHost)host).Address!;
    }

    /// <summary>A browser that nobody has seen, at a network address of its own unless one is given.</summary>
    internal Browser NewBrowser(string? address = null, Uri? app = null) => new(app ?? Address, address ?? NewAddress());

    internal string NewAddress()
    {
        var n = Interlocked.Increment(ref _count);
        return string.Create(CultureInfo.InvariantCulture, $"203.{n / 65536}.{n / 256 % 256}.{n % 256}");
    }

    internal static string NewEmail() => $"person{Guid.NewGuid():N}@example.com";

    /// <summary>A person that registered and proved its address.</summary>
    internal async Task<Person> NewPersonAsync(bool verified = true)
    {
        var browser = NewBrowser();
        var email = NewEmail();
        var session = await browser.RegisterAsync(email);
        var id = session["user"]!["id"]!.GetValue<Guid>();
        if (verified) await SqlAsync("update users set email_verified_at = now() where id = @id", new { id });
        return new Person(this, id, session["tenant"]!["id"]!.GetValue<Guid>(), email, browser);
    }

    internal async Task<T> QueryAsync<T>(string sql, object parameters)
    {
        await using var connection = await _owner!.OpenConnectionAsync(Cancelled);
        return await connection.QuerySingleAsync<T>(sql, parameters);
    }

    internal async Task<int> SqlAsync(string sql, object parameters)
    {
        await using var connection = await _owner!.OpenConnectionAsync(Cancelled);
        return await connection.ExecuteAsync(sql, parameters);
    }

    /// <summary>How often an action stands in the audit log of a tenant.</summary>
    internal Task<int> AuditedAsync(Guid tenant, string action) =>
        QueryAsync<int>("select count(*)::int from audit_log where tenant_id = @tenant and action = @action", new { tenant, action });

    /// <summary>What arrived at an address once every mail on its way was sent or dropped, oldest first.</summary>
    internal async Task<IReadOnlyList<MimeMessage>> MailsAsync(string email)
    {
        await Eventually.TrueAsync(async () => await QueryAsync<int>("select count(*)::int from mail_outbox where finished_at is null", new { }) == 0, TimeSpan.FromMinutes(2), "every mail is sent or dropped");
        return
        [
            .. Directory.EnumerateFiles(Path.Combine(_folder["data"], "mail"), "*.eml").Order(StringComparer.Ordinal).Select(path => MimeMessage.Load(path))
                .Where(mail => mail.To.Mailboxes.Any(to => to.Address == email)),
        ];
    }

    /// <summary>The one-time token of the last mail that arrived at an address with a subject.</summary>
    internal async Task<string> TokenAsync(string email, string subject)
    {
        var mail = (await MailsAsync(email)).Last(mail => mail.Subject == subject);
        return Regex.Match(mail.TextBody!, "#token=([A-Za-z0-9_-]{43})").Groups[1].Value;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.StopAsync(CancellationToken.None);
            if (host is IAsyncDisposable disposable) await disposable.DisposeAsync();
        }

        if (_owner is not null) await _owner.DisposeAsync();
        if (_storage is not null) await _storage.DisposeAsync();
        _folder.Dispose();
    }

    private sealed class Quiet : IStartupConsole
    {
        public void Done(string stage, string text) { }

        public void Progress(string stage, string text) { }

        public void Ready(string text) { }

        public void Log(string line) => TestLog.Write(line);
    }
}

/// <summary>Real time, put forward.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _ticks;

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _ticks));
}

/// <summary>A person, its account and the browser that it registered with.</summary>
internal sealed record Person(AccountsApp App, Guid Id, Guid Tenant, string Email, Browser Browser)
{
    /// <summary>Turns the second factor on; returns the secret and the recovery codes.</summary>
    public async Task<(byte[] Secret, IReadOnlyList<string> Recovery)> EnableSecondFactorAsync()
    {
        var secret = Base32Encoding.ToBytes((await Browser.Http.SendJsonAsync(HttpMethod.Post, "api/auth/second-factor/setup"))["secret"]!.GetValue<string>());
        var codes = await Browser.Http.SendJsonAsync(HttpMethod.Post, "api/auth/second-factor/enable", new { code = Code(secret) });
        App.Time.Advance(TimeSpan.FromSeconds(30));
        return (secret, [.. codes["recoveryCodes"]!.AsArray().Select(code => code!.GetValue<string>())]);
    }

    /// <summary>What the authenticator app shows, some steps from now.</summary>
    public string Code(byte[] secret, int steps = 0) => new Totp(secret).ComputeTotp(App.Time.GetUtcNow().UtcDateTime.AddSeconds(30 * steps));
}

/// <summary>A browser: it keeps cookies, and has a network address.</summary>
internal sealed class Browser : IDisposable
{
    public Browser(Uri app, string address)
    {
        Http = new HttpClient(new NamesBusiness(new HttpClientHandler { CookieContainer = Cookies })) { BaseAddress = app };
        Http.DefaultRequestHeaders.Add("X-Forwarded-For", address);
    }

    public CookieContainer Cookies { get; } = new();

    public HttpClient Http { get; }

    public string? Cookie(string name) => Cookies.GetCookies(new Uri(Http.BaseAddress!, "api/auth/x")).SingleOrDefault(cookie => cookie.Name == name)?.Value;

    public Task<Answer> PostAsync(string path, object? body = null) => SendAsync(HttpMethod.Post, path, body);

    public async Task<Answer> SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, "api/auth/" + path) { Content = body is null ? null : JsonContent.Create(body) };
        using var response = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var answer = new Answer(
            (int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text), response.Headers.RetryAfter?.Delta,
            response.Headers.TryGetValues("Set-Cookie", out var cookies) ? [.. cookies] : []);
        if (answer.Body?["accessToken"]?.GetValue<string>() is { } token) Use(token);
        return answer;
    }

    /// <summary>Goes on with an access token.</summary>
    public void Use(string? token)
    {
        Http.DefaultRequestHeaders.Remove("X-Kpi-Token");
        if (token is not null) Http.DefaultRequestHeaders.Add("X-Kpi-Token", token);
    }

    public async Task<JsonNode> RegisterAsync(string email, string password = AccountsApp.Password)
    {
        var answer = await PostAsync("register", new { email, password, displayName = "Ada Lovelace", businessName = "Analytical Engines", timeZone = "Europe/London", currency = "GBP" });
        Assert.True(answer.Status == 201, answer.ToString());
        return answer.Body!;
    }

    public Task<Answer> LoginAsync(string email, string password = AccountsApp.Password) => PostAsync("login", new { email, password });

    public void Dispose() => Http.Dispose();
}

internal sealed record Answer(int Status, JsonNode? Body, TimeSpan? RetryAfter, IReadOnlyList<string> SetCookies)
{
    /// <summary>The kind of problem.</summary>
    public string? Problem => Body?["type"]?.GetValue<string>().Split('/')[^1];

    public string? Detail => Body?["detail"]?.GetValue<string>();

    public override string ToString() => $"{Status} {Body?.ToJsonString()}";
}
