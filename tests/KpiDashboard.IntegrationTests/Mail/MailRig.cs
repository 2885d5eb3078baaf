using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Dapper;
using KpiDashboard.Data;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.Mail;
using KpiDashboard.Security;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using MimeKit;
using Moq;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Mail;

/// <summary>An emulator of this class's own: on the shared one, the whole app would read the queue <c>mail</c> too.</summary>
public sealed class MailStorage : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private EmbeddedAzurite? _server;

    internal string ConnectionString => _server!.ConnectionString;

    public async ValueTask InitializeAsync() =>
        _server = await EmbeddedAzurite.StartAsync(new() { DataDirectory = _folder["azurite"], InMemory = true }, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>The mail slice on a real database, a real storage queue and a real SMTP server that can be told to misbehave; only the clock is the test's.</summary>
internal sealed class MailRig : IAsyncDisposable
{
    public const string Link = "https://kpi.example.com/reset-password#token=SeCrEt-ToKeN";

    private readonly TemporaryFolder _folder;
    private readonly NpgsqlDataSource _owner;
    private readonly NpgsqlDataSource _app;

    private MailRig(TemporaryFolder folder, string owner, string app, string storage, EmbeddedMailCatcher catcher)
    {
        _folder = folder;
        (_owner, _app, Smtp, AppConnectionString) = (NpgsqlDataSource.Create(owner), NpgsqlDataSource.Create(app), catcher, app);
        DataServices.AddDatabase(new Microsoft.Extensions.DependencyInjection.ServiceCollection());
        Database = new Database(() => _app);
        var keys = new SecretOptions { CurrentKey = "t", Keys = new() { ["t"] = Convert.ToBase64String(new byte[32]) } };
        Sealer = new SecretSealer(Mock.Of<IOptionsMonitor<SecretOptions>>(monitor => monitor.CurrentValue == keys));
        Options = new MailOptions { Host = "127.0.0.1", Port = catcher.Port.ToString(CultureInfo.InvariantCulture), Security = "None", From = "no-reply@kpi.example.com" };
        Outbox = Box(storage);
        Sender = NewSender();
    }

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.Parse("2026-11-22T12:00:00Z", CultureInfo.InvariantCulture));

    public EmbeddedMailCatcher Smtp { get; }

    public MailOptions Options { get; }

    public Database Database { get; }

    public SecretSealer Sealer { get; }

    public MailOutbox Outbox { get; }

    public MailSender Sender { get; }

    public ResetMail Kind { get; } = new();

    public Lines Log { get; } = new();

    public string AppConnectionString { get; }

    public static async Task<MailRig> StartAsync(PostgresFixture postgres, MailStorage storage)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var folder = new TemporaryFolder();
        var (owner, app) = await TestSecrets.MigratedDatabaseAsync(postgres, cancellationToken);
        var catcher = await EmbeddedMailCatcher.StartAsync(
            new()
            {
                DataDirectory = folder["mail"],
                MostMails = 50,
                MailLimitBytes = 100_000,
                Refused = new Dictionary<string, int> { ["refused@example.com"] = 550, ["later@example.com"] = 451 },
            }, cancellationToken);
        return new MailRig(folder, owner, app, storage.ConnectionString, catcher);
    }

    /// <summary>Another instance of the function app on the same database.</summary>
    public MailSender NewSender() => new(
        Database, Sealer, Outbox, new SmtpTransport(Mock.Of<IOptionsMonitor<MailOptions>>(monitor => monitor.CurrentValue == Options), TimeProvider.System), [Kind], Time, Log.For<MailSender>());

    /// <summary>An outbox whose queue is elsewhere.</summary>
    public MailOutbox Box(string storage) => new(
        Database, Sealer, new StorageQueues(new ConfigurationBuilder().AddInMemoryCollection([new("AzureWebJobsStorage", storage)]).Build()), Time, Log.For<MailOutbox>());

    public Task<Guid> AddAsync(string to = "ada@example.com", string kind = ResetMail.KindName) =>
        Outbox.AddAsync(kind, JsonSerializer.Serialize(new ResetData(to, Link)), null, TestContext.Current.CancellationToken);

    /// <summary>The queue delivers a message.</summary>
    public Task DeliverAsync(Guid id, MailSender? sender = null) =>
        (sender ?? Sender).SendAsync(new MailMessageRef(1, id, null), TestContext.Current.CancellationToken);

    public async Task<(string Status, int Attempts, string? Error, bool Payload, DateTime Next)> EntryAsync(Guid id) =>
        await OwnerAsync<(string, int, string?, bool, DateTime)>("select status, attempts, last_error, payload is not null, next_attempt_at from mail_outbox where id = @id", new { id });

    public async Task<T> OwnerAsync<T>(string sql, object? parameters = null)
    {
        await using var connection = await _owner.OpenConnectionAsync(TestContext.Current.CancellationToken);
        return await connection.QuerySingleAsync<T>(sql, parameters);
    }

    /// <summary>What arrived, oldest first.</summary>
    public IReadOnlyList<MimeMessage> Arrived() => [.. Smtp.Mails().Select(path => MimeMessage.Load(path))];

    public async ValueTask DisposeAsync()
    {
        await Smtp.DisposeAsync();
        await _owner.DisposeAsync();
        await _app.DisposeAsync();
        _folder.Dispose();
    }
}

internal sealed record ResetData(string To, string Link);

internal sealed class ResetMail : IMailKind
{
    private int _composed;

    /// <summary>Not one of the product's: those are registered too.</summary>
    public const string KindName = "test-reset-password";

    public string Name => KindName;

    /// <summary>How often it was asked.</summary>
    public int Composed => _composed;

    /// <summary>What it does instead.</summary>
    public Func<ComposedMail?>? Instead { get; set; }

    public Task<ComposedMail?> ComposeAsync(string data, CancellationToken cancellationToken)
    {
        var count = Interlocked.Increment(ref _composed);
        if (Instead is not null) return Task.FromResult(Instead());
        var given = JsonSerializer.Deserialize<ResetData>(data)!;
        return Task.FromResult<ComposedMail?>(new ComposedMail(
            given.To, "Ada Łovelace", "Choose a new password – " + count.ToString(CultureInfo.InvariantCulture),
            new MailBody("Hello Ada,", ["You asked for a new password."], new MailAction("Choose a password", new Uri(given.Link)), "If you did not ask, do nothing.")));
    }
}

/// <summary>All that was logged, with exceptions as a log store would keep them.</summary>
internal sealed class Lines
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyCollection<string> All => _lines;

    public ILogger<T> For<T>() => new Logger<T>(_lines);

    private sealed class Logger<T>(ConcurrentQueue<string> lines) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{eventId.Id} {formatter(state, exception)} {exception}");
    }
}
