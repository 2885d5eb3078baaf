using System.Collections.Concurrent;
using Dapper;
using KpiDashboard.Connectors;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Insights;
using KpiDashboard.Security;
using KpiDashboard.Sync;
using KpiDashboard.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Moq;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

/// <summary>The sync engine on a real database, with a scripted connector and a queue that a test can duplicate, reorder and lose messages of.</summary>
public sealed class Engine : IAsyncDisposable
{
    private readonly NpgsqlDataSource _owner;
    private readonly NpgsqlDataSource _app;

    private Engine(string owner, string app)
    {
        (_owner, _app) = (NpgsqlDataSource.Create(owner), NpgsqlDataSource.Create(app));
        KpiDashboard.Data.DataServices.AddDatabase(new Microsoft.Extensions.DependencyInjection.ServiceCollection());
        Database = new Data.Database(() => _app);
        var keys = new SecretOptions { CurrentKey = "t", Keys = new() { ["t"] = Convert.ToBase64String(new byte[32]) } };
        var sealer = new SecretSealer(Mock.Of<IOptionsMonitor<SecretOptions>>(monitor => monitor.CurrentValue == keys));
        Faults = new Data.TenantFaults(Database, Time, NullLogger<Data.TenantFaults>.Instance);
        Scheduler = new SyncScheduler(Database, Queue, Faults, [new HealthScores(Database, Faults, Time)], Time, NullLogger<SyncScheduler>.Instance);
        Runner = new SyncRunner(Database, Queue, [Connector, Other], new ProviderCircuits(Database, Time), sealer, new Instruments(Time), Time, NullLogger<SyncRunner>.Instance);
        Refresh = new RefreshRequests(Database, Scheduler, [Connector, Other], Time);
        DeadLetters = new DeadLetters(Database, new Instruments(Time), Time, NullLogger<DeadLetters>.Instance);
        Ops = new DeadLetterEndpoints(Database, Scheduler, Queue, Time, NullLogger<DeadLetterEndpoints>.Instance);
    }

    internal FakeTimeProvider Time { get; } = new(DateTimeOffset.Parse("2026-11-22T12:00:00Z", System.Globalization.CultureInfo.InvariantCulture));

    internal ScriptedQueue Queue { get; } = new();

    internal ScriptedConnector Connector { get; } = new();

    /// <summary>Of another provider.</summary>
    internal ScriptedConnector Other { get; } = new() { Key = "google-analytics" };

    internal Data.Database Database { get; }

    internal Data.TenantFaults Faults { get; }

    internal SyncScheduler Scheduler { get; }

    internal SyncRunner Runner { get; }

    internal RefreshRequests Refresh { get; }

    internal DeadLetters DeadLetters { get; }

    internal DeadLetterEndpoints Ops { get; }

    internal static async Task<Engine> StartAsync(PostgresFixture postgres)
    {
        var (owner, app) = await TestSecrets.MigratedDatabaseAsync(postgres, TestContext.Current.CancellationToken);
        return new Engine(owner, app);
    }

    /// <summary>A tenant with one integration that is due.</summary>
    internal async Task<(Guid Tenant, Guid Integration)> AddTenantAsync(string connector = "n8n", DateTimeOffset? due = null, string settings = "{}", Guid? id = null)
    {
        var (tenant, integration) = (Guid.NewGuid(), id ?? Guid.NewGuid());
        await using var connection = await _owner.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await connection.ExecuteAsync(
            """
            insert into tenants (id, name, time_zone, currency) values (@tenant, 'T', 'Europe/Berlin', 'EUR');
            insert into integrations (tenant_id, id, connector, display_name, next_due_at, settings) values (@tenant, @integration, @connector, @connector, @due, @settings::jsonb);
            """,
            new { tenant, integration, connector, settings, due = due ?? Time.GetUtcNow() });
        return (tenant, integration);
    }

    /// <summary>Runs messages until the queue is empty; a message that throws is tried again at once, and after five times goes to poison.</summary>
    internal async Task DrainAsync(int most = 200)
    {
        var tries = new Dictionary<SyncMessage, int>();
        for (var count = 0; Queue.TryTake(out var message); count++)
        {
            Assert.True(count < most, "The queue does not get empty.");
            try
            {
                await Runner.RunAsync(message, TestContext.Current.CancellationToken);
            }
            catch (InvalidOperationException)
            {
                tries[message] = tries.GetValueOrDefault(message) + 1;
                if (tries[message] < 5) Queue.Put(message);
                else await DeadLetters.HandleAsync("sync-n8n-poison", System.Text.Json.JsonSerializer.Serialize(message), TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>
    /// Lets the clock go on until then, as often as it takes: ticks every five minutes, messages when they become visible, everything run to its end in between.
    /// </summary>
    internal async Task LiveAsync(TimeSpan time, int most = 20_000)
    {
        var end = Time.GetUtcNow() + time;
        var nextTick = Time.GetUtcNow();
        while (true)
        {
            var now = Time.GetUtcNow();
            if (nextTick <= now)
            {
                await Scheduler.TickAsync(TestContext.Current.CancellationToken);
                await DrainClaimsAsync();
                nextTick = now + TimeSpan.FromMinutes(5);
            }

            Queue.Release(now);
            await DrainAsync(most);
            if (Queue.Release(Time.GetUtcNow()) > 0) continue;
            if (now >= end) return;
            var next = new[] { nextTick, Queue.NextDue ?? end, end }.Min();
            Time.Advance(next > now ? next - now : TimeSpan.FromSeconds(1));
        }
    }

    /// <summary>Claims the shards that a tick asked for.</summary>
    internal async Task DrainClaimsAsync()
    {
        while (Queue.Claims.TryDequeue(out var claim)) await Scheduler.ClaimAsync(claim, TestContext.Current.CancellationToken);
    }

    internal Task<IReadOnlyList<T>> QueryAsync<T>(Guid tenant, string sql) => Database.InTenantAsync(tenant, tx => tx.QueryAsync<T>(sql), TestContext.Current.CancellationToken);

    internal async Task<(string Status, string? Message, int Attempts, int Waits)> LastRunAsync(Guid tenant) =>
        (await QueryAsync<(string, string?, int, int)>(tenant, "select status, message, attempts, waits from sync_runs where tenant_id = @tenant order by queued_at desc limit 1"))[0];

    internal async Task<IReadOnlyList<T>> QueryAsOwnerAsync<T>(string sql, object? parameters = null)
    {
        await using var connection = await _owner.OpenConnectionAsync(TestContext.Current.CancellationToken);
        return (await connection.QueryAsync<T>(sql, parameters)).AsList();
    }

    internal async Task ExecuteAsOwnerAsync(string sql, object? parameters = null)
    {
        await using var connection = await _owner.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await connection.ExecuteAsync(sql, parameters);
    }

    public async ValueTask DisposeAsync()
    {
        await _owner.DisposeAsync();
        await _app.DisposeAsync();
    }
}

internal sealed class ScriptedQueue : ISyncQueues
{
    private readonly ConcurrentQueue<SyncMessage> _messages = new();

    public ConcurrentQueue<(SyncMessage Message, TimeSpan Delay)> Sent { get; } = new();

    public ConcurrentQueue<ClaimMessage> Claims { get; } = new();

    public ConcurrentQueue<(string Queue, string Body)> Texts { get; } = new();

    private readonly ConcurrentDictionary<long, (SyncMessage Message, DateTimeOffset Due)> _delayed = new();
    private long _number;

    /// <summary>If set, delayed messages come by themselves: at <see cref="Release"/>, by this clock.</summary>
    public TimeProvider? Clock { get; set; }

    public DateTimeOffset? NextDue => _delayed.IsEmpty ? null : _delayed.Values.Min(message => message.Due);

    /// <summary>Makes visible what is due; tells how many.</summary>
    public int Release(DateTimeOffset now)
    {
        var released = 0;
        foreach (var (number, (message, due)) in _delayed)
        {
            if (due > now || !_delayed.TryRemove(number, out _)) continue;
            _messages.Enqueue(message);
            released++;
        }

        return released;
    }

    public Task SendClaimAsync(ClaimMessage message, CancellationToken cancellationToken)
    {
        Claims.Enqueue(message);
        return Task.CompletedTask;
    }

    public Task SendTextAsync(string queue, string body, CancellationToken cancellationToken)
    {
        Texts.Enqueue((queue, body));
        return Task.CompletedTask;
    }

    /// <summary>The process dies before it can send.</summary>
    public bool Down { get; set; }

    public Task SendAsync(string connector, SyncMessage message, TimeSpan delay, CancellationToken cancellationToken)
    {
        if (Down) throw new IOException("The storage account is away.");
        // As the storage account does: names are of lower-case letters, digits and hyphens, and a message has 64 KB at most.
        if (connector.Length is 0 or > 50 || !connector.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
            throw new Azure.RequestFailedException(400, "The specified resource name contains invalid characters.", "InvalidResourceName", null);
        if (message.Traceparent?.Length > 40_000) throw new Azure.RequestFailedException(413, "The request body is too large.", "RequestBodyTooLarge", null);
        Sent.Enqueue((message, delay));
        // A delayed message waits in Sent until the test moves the clock and puts it.
        if (delay <= TimeSpan.Zero) _messages.Enqueue(message);
        else if (Clock is not null) _delayed[Interlocked.Increment(ref _number)] = (message, Clock.GetUtcNow() + delay);
        return Task.CompletedTask;
    }

    public void Put(SyncMessage message) => _messages.Enqueue(message);

    public bool TryTake(out SyncMessage message) => _messages.TryDequeue(out message!);

    public int Count => _messages.Count;
}

internal sealed class ScriptedConnector : IConnector
{
    public string Key { get; init; } = "n8n";

    /// <summary>Whose trouble it is when a fetch fails; by default everybody's.</summary>
    public Func<System.Text.Json.JsonElement, string>? Provider { get; set; }

    public string ProviderKey(System.Text.Json.JsonElement settings) => Provider?.Invoke(settings) ?? Key;

    public string DisplayName => "Scripted";

    public IReadOnlyList<Kpis.BreakdownDimension> Dimensions { get; set; } = [];

    /// <summary>What a fetch does; the default reads 10 sessions a day.</summary>
    public Func<FetchRequest, IFetchSink, CancellationToken, Task<FetchOutcome>> Fetch { get; set; } = (request, sink, _) =>
    {
        for (var day = request.Window.From; day <= request.Window.To; day = day.AddDays(1)) sink.Add(new KpiReading("web.sessions", day, 10));
        return Task.FromResult<FetchOutcome>(new FetchSucceeded { CompleteThrough = request.Window.To.AddDays(-1), FinalThrough = request.Window.To.AddDays(-3) });
    };

    public int Fetches;

    public int SliceDays { get; set; } = 100;

    public IReadOnlyList<DayWindow> Slice(DayWindow window)
    {
        var slices = new List<DayWindow>();
        for (var to = window.To; to >= window.From; to = to.AddDays(-SliceDays))
            slices.Add(new DayWindow(to.AddDays(1 - SliceDays) < window.From ? window.From : to.AddDays(1 - SliceDays), to));
        return slices;
    }

    public Task<FetchOutcome> FetchAsync(FetchRequest request, IFetchSink sink, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref Fetches);
        return Fetch(request, sink, cancellationToken);
    }
}
