using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dapper;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.GoogleAnalytics;
using KpiDashboard.Connectors.N8n;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Google;
using KpiDashboard.Demo.N8n;
using KpiDashboard.Demo.Simulation;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Operations;
using KpiDashboard.Security;
using KpiDashboard.Sync;
using KpiDashboard.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Moq;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

/// <summary>
/// Many tenants, two hosts at once, the real connectors over HTTP against simulators that misbehave at random, a queue that doubles, reorders and loses, a
/// database that cuts connections: whatever happens, the numbers end up right. Time is simulated, so that waits cost none. <c>KPI_FAULT_SEED</c> repeats a run.
/// </summary>
[Trait("Category", "Faults")]
[Trait("Clock", "none")]
public sealed class FaultRunTests(PostgresFixture postgres, ITestOutputHelper output)
{
    private const int Tenants = 200;
    private static readonly DateTimeOffset Anchor = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly string[] Zones = ["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "America/Los_Angeles", "Pacific/Auckland", "UTC"];

    private static readonly (string Kpi, string Metric)[] Metrics =
    [
        ("web.sessions", "sessions"), ("web.engaged_sessions", "engagedSessions"), ("web.page_views", "screenPageViews"), ("web.key_events", "keyEvents"), ("web.new_users", "newUsers"),
        ("web.total_users", "totalUsers"), ("web.active_users", "activeUsers"), ("web.active_users_7d", "active7DayUsers"), ("web.active_users_28d", "active28DayUsers"),
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_two_hundred_tenants_with_two_connectors_each_one_is_poisoned_and_199_end_with_every_KPI_equal_to_the_truth_whatever_happens_in_between()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("KPI_FAULT_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"KPI_FAULT_SEED={seed}");
        var clock = Stopwatch.StartNew();
        var time = new FakeTimeProvider(Anchor);
        var faults = new FaultSchedule(seed, time);
        await using var google = await GoogleSimulator.StartAsync(new GoogleSimulatorOptions(), time, Cancel);
        await using var n8n = await N8nSimulator.StartAsync(new N8nSimulatorOptions(), time, Cancel);
        var (ownerText, appText) = await TestSecrets.MigratedDatabaseAsync(postgres, Cancel);
        await using var owner = NpgsqlDataSource.Create(ownerText);
        await using var admin = NpgsqlDataSource.Create(postgres.AdminConnectionString);
        var keys = new SecretOptions { CurrentKey = "t", Keys = new() { ["t"] = Convert.ToBase64String(new byte[32]) } };
        var sealer = new SecretSealer(Mock.Of<IOptionsMonitor<SecretOptions>>(monitor => monitor.CurrentValue == keys));
        var tenants = await AddTenantsAsync(owner, google, n8n, sealer);
        var poisoned = tenants[Tenants / 2].Id;
        await PoisonAsync(owner, poisoned);
        tenants = [.. tenants.Where(tenant => tenant.Id != poisoned)];
        var live = $"select count(*) from sync_runs where status in ('queued', 'running', 'waiting') and tenant_id <> '{poisoned}'";
        var queue = new ChaosQueue(seed, time);
        await using var one = new Host(appText, queue, google, n8n, sealer, time, poisoned);
        await using var two = new Host(appText, queue, google, n8n, sealer, time, poisoned);
        Host[] hosts = [one, two];
        (google.Faults.Schedule, n8n.Faults.Schedule) = (faults.Google, faults.N8n);

        // Two days with faults: the backfill, and two daily runs.
        var chaos = new Random(seed);
        var (reconnects, cuts, nextTick, nextCut) = (0, 0, time.GetUtcNow(), time.GetUtcNow() + TimeSpan.FromMinutes(3));
        var end = Anchor.AddHours(50);
        while (time.GetUtcNow() < end)
        {
            if (time.GetUtcNow() >= nextTick)
            {
                nextTick = time.GetUtcNow() + TimeSpan.FromMinutes(10);
                reconnects += await ReconnectAsync(owner, time);
                await Task.WhenAll(hosts.Select(host => host.TickAsync()));
            }

            if (time.GetUtcNow() >= nextCut)
            {
                nextCut = time.GetUtcNow() + TimeSpan.FromHours(6);
                cuts += await CutConnectionsAsync(admin, appText);
                await one.KeepHouseAsync();
            }

            await WorkAsync(hosts, chaos);
            if (queue.HasReady) continue;
            var next = queue.NextDue is { } due && due < nextTick ? due : nextTick;
            time.Advance(next - time.GetUtcNow());
        }

        // All is well again: what waits comes to its end, then everything is read once more.
        (google.Faults.Schedule, n8n.Faults.Schedule, queue.Misbehaves) = (null, null, false);
        // What a clock that was ahead has shown lies in the past by then.
        time.Advance(TimeSpan.FromHours(3));
        for (var round = 0; round < 3; round++)
        {
            for (var tick = 0; tick < 3 || await CountAsync(owner, live) > 0; tick++)
            {
                Assert.True(tick < 3000, "Runs are stuck.");
                reconnects += await ReconnectAsync(owner, time);
                await one.TickAsync();
                await WorkAsync(hosts, null);
                if (await CountAsync(owner, live) > 0) time.Advance(TimeSpan.FromMinutes(1));
            }

            if (round == 2) break;
            await RefreshAllAsync(owner, time);
        }

        await one.KeepHouseAsync();
        var runs = await CountAsync(owner, "select count(*) from sync_runs");
        output.WriteLine(
            $"{Tenants} tenants (one poisoned) × 2 connectors, {(time.GetUtcNow() - Anchor).TotalHours:0} simulated hours, two hosts: {runs} jobs in {queue.Handled} messages; survived {faults.Total + queue.Lost + queue.Interrupted + cuts} faults "
            + $"({string.Join(", ", faults.Counts.OrderByDescending(count => count.Value).Select(count => $"{count.Value} {count.Key}"))}, {queue.Lost} lost sends, {queue.Interrupted} interrupted runs, {cuts} cut connections), "
            + $"{queue.Doubled} doubled messages, {queue.Retried} redelivered, {await CountAsync(owner, "select sum(waits) from sync_runs")} waits, {await CountAsync(owner, "select count(*) from sync_runs where status = 'failed'")} failed runs, "
            + $"{reconnects} reconnects; {clock.Elapsed.TotalSeconds:0} s.");

        Assert.All(queue.Poison, message => Assert.Equal(poisoned, message.TenantId));
        Assert.Equal(0, await CountAsync(owner, $"select count(*) from sync_runs where status = 'dead' and tenant_id <> '{poisoned}'"));
        Assert.Equal(0, await CountAsync(owner, "select count(*) from dead_letters"));
        Assert.Equal(0, await CountAsync(owner, $"select count(*) from integrations where tenant_id <> '{poisoned}' and (status <> 'active' or consecutive_failures > 0 or lease_token is not null or backfilled_at is null)"));
        // Housekeeping came to all others as well, and operators are told of the one, and of nobody else.
        Assert.Equal(tenants.Count, await CountAsync(owner, "select count(*) from tenants where values_kept_from is not null and runs_kept_from is not null"));
        Assert.True(await CountAsync(owner, $"select count(*) from tenant_faults where tenant_id = '{poisoned}' and step in ('zone', 'row', 'retention of values', 'enqueue')") >= 4);
        Assert.Equal(0, await CountAsync(owner, $"select count(*) from tenant_faults where tenant_id <> '{poisoned}'"));
        Assert.True(faults.Total > 300 && faults.Counts.Count >= 15, $"Only {faults.Total} faults of {faults.Counts.Count} kinds.");
        var wrong = await CompareAsync(owner, tenants, google, n8n, time);
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(40)));

        // The comparison must be able to fail: one value off, one missing, one too many.
        await using var connection = await owner.OpenConnectionAsync(Cancel);
        await connection.ExecuteAsync(
            """
            update kpi_values set value = value + 1 where (tenant_id, kpi, day) = (select tenant_id, kpi, day from kpi_values where kpi = 'web.sessions' and tenant_id <> @poisoned order by tenant_id, day limit 1);
            delete from kpi_values where (tenant_id, kpi, day) = (select tenant_id, kpi, day from kpi_values where kpi = 'automation.failed' and tenant_id <> @poisoned order by tenant_id, day limit 1);
            insert into kpi_values (tenant_id, kpi, day, value, day_ended, first_seen_at, changed_at) select id, 'web.page_views', '2025-01-01', 1, true, now(), now() from tenants where id <> @poisoned limit 1;
            """, new { poisoned });
        Assert.Equal(3, (await CompareAsync(owner, tenants, google, n8n, time)).Count);
    }

    private async Task<IReadOnlyCollection<string>> CompareAsync(NpgsqlDataSource owner, IReadOnlyList<FaultTenant> tenants, GoogleSimulator google, N8nSimulator n8n, FakeTimeProvider time)
    {
        var now = time.GetUtcNow();
        var wrong = new ConcurrentBag<string>();
        var compared = 0;
        await using var connection = await owner.OpenConnectionAsync(Cancel);
        var stored = (await connection.QueryAsync<(Guid Tenant, string Kpi, DateOnly Day, decimal Value)>("select tenant_id, kpi, day, value from kpi_values")).ToLookup(row => row.Tenant);
        var executions = (await connection.QueryAsync<(Guid Tenant, int Count)>("select tenant_id, count(*)::int from executions group by 1")).ToDictionary(row => row.Tenant, row => row.Count);
        foreach (var tenant in tenants)
        {
            var zone = TimeZoneInfo.FindSystemTimeZoneById(tenant.Zone);
            var today = Zoned.Day(now, zone);
            var truth = new Dictionary<(string, DateOnly), decimal>();
            for (var day = today.AddDays(-420); day <= today; day = day.AddDays(1))
            {
                foreach (var (kpi, metric) in Metrics)
                {
                    if (google.Value(tenant.Property, day, metric) is { } value) truth[(kpi, day)] = value;
                }
            }

            var real = n8n.Executions(tenant.Instance);
            var first = Zoned.Day(real.Where(execution => execution.EndsAt <= now).Min(execution => execution.EndsAt), zone).AddDays(1);
            for (var day = first; day <= today; day = day.AddDays(1))
            {
                var ofDay = real.Where(execution => execution.Mode is "webhook" or "trigger" && Zoned.Day(execution.StartedAt, zone) == day).Select(execution => (Execution: execution, Status: execution.StatusAt(now)!)).ToList();
                var finished = ofDay.Where(row => row.Status is "success" or "error" or "crashed").ToList();
                truth[("automation.executions", day)] = finished.Count;
                truth[("automation.succeeded", day)] = finished.Count(row => row.Status == "success");
                truth[("automation.failed", day)] = finished.Count(row => row.Status != "success");
                truth[("automation.finished_ms", day)] = (decimal)finished.Sum(row => row.Execution.Duration.TotalMilliseconds);
                truth[("automation.timed", day)] = finished.Count;
                truth[("automation.time_saved", day)] = 2 * finished.Count(row => row.Status == "success" && row.Execution.WorkflowId == "a");
            }

            var have = stored[tenant.Id].Where(row => truth.ContainsKey((row.Kpi, row.Day)) || Metrics.Any(metric => metric.Kpi == row.Kpi) || row.Kpi.StartsWith("automation.", StringComparison.Ordinal))
                .ToDictionary(row => (row.Kpi, row.Day), row => row.Value);
            compared += truth.Count;
            foreach (var key in truth.Keys.Union(have.Keys))
            {
                if (!(truth.TryGetValue(key, out var should) & have.TryGetValue(key, out var value)) || should != value)
                    wrong.Add($"{tenant.Property} {tenant.Zone} {key}: {(truth.ContainsKey(key) ? should : "nothing")} in truth, {(have.ContainsKey(key) ? value : "nothing")} here");
            }

            if (executions[tenant.Id] != real.Count) wrong.Add($"{tenant.Instance}: {real.Count} executions in truth, {executions[tenant.Id]} here");
        }

        output.WriteLine($"{compared} values compared with the simulators' truth, {wrong.Count} wrong.");
        Assert.True(compared > Tenants * 500, $"Only {compared} values.");
        return wrong;
    }

    private static async Task WorkAsync(Host[] hosts, Random? chaos) => await Task.WhenAll(
        from host in hosts
        from worker in Enumerable.Range(0, 4)
        let random = chaos is null ? null : new Random(chaos.Next())
        select Task.Run(() => host.WorkAsync(random), Cancel));

    private static async Task<IReadOnlyList<FaultTenant>> AddTenantsAsync(NpgsqlDataSource owner, GoogleSimulator google, N8nSimulator n8n, SecretSealer sealer)
    {
        var tenants = new List<FaultTenant>();
        await using var connection = await owner.OpenConnectionAsync(Cancel);
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        for (var i = 0; i < Tenants; i++)
        {
            var tenant = new FaultTenant(Guid.NewGuid(), (500_000_000 + i).ToString(CultureInfo.InvariantCulture), $"t{i}", Zones[i % Zones.Length]);
            tenants.Add(tenant);
            google.Add(new GoogleProperty(
                new GeneratedSite(new SiteProfile { PropertyId = tenant.Property, TimeZone = tenant.Zone, Currency = "EUR", Seed = i, Sessions = 200 + i, EnquiryRate = 0.05, History = 45 }, Anchor), $"refresh-{i}"));
            n8n.Add(new N8nInstance(tenant.Instance, $"key-{i}", new N8nDataset(i, tenant.Zone, Zoned.Day(Anchor, TimeZoneInfo.FindSystemTimeZoneById(tenant.Zone)).AddDays(-20),
            [
                new() { Id = "a", Name = "A", TimeSavedMinutes = 2, Mode = "webhook", Runs = _ => 4, FailureRate = 0.1, Seconds = (1, 2400) },
                new() { Id = "b", Name = "B", Runs = _ => 2, Hours = (0, 24) },
            ])));
            foreach (var (connector, settings, credentials) in new (string, object, object)[]
            {
                ("google-analytics", new { propertyId = tenant.Property }, new { refreshToken = $"refresh-{i}" }), ("n8n", new { baseUrl = n8n.BaseUrl(tenant.Instance) }, new { apiKey = $"key-{i}" }),
            })
            {
                var id = Guid.NewGuid();
                await connection.ExecuteAsync(
                    """
                    insert into tenants (id, name, time_zone, currency) values (@Id, @Instance, @Zone, 'EUR') on conflict do nothing;
                    insert into integrations (tenant_id, id, connector, display_name, next_due_at, settings, credentials) values (@Id, @integration, @connector, @connector, @Anchor, @settings::jsonb, @credentials);
                    """,
                    new
                    {
                        tenant.Id,
                        tenant.Instance,
                        tenant.Zone,
                        Anchor = Anchor.UtcDateTime,
                        integration = id,
                        connector,
                        settings = JsonSerializer.Serialize(settings),
                        credentials = sealer.Seal(JsonSerializer.Serialize(credentials), SyncRunner.CredentialPurpose(id)),
                    }, transaction);
            }
        }

        await transaction.CommitAsync(Cancel);
        return tenants;
    }

    /// <summary>Bad rows of every type at once, past every check: no zone, no settings, instants out of reach, a connector without a queue, a counter at its end.</summary>
    private static async Task PoisonAsync(NpgsqlDataSource owner, Guid tenant)
    {
        await using var connection = await owner.OpenConnectionAsync(Cancel);
        await connection.ExecuteAsync(
            """
            alter table tenants disable trigger user, drop constraint tenants_data_version;
            alter table integrations disable trigger integrations_zone;
            update tenants set time_zone = 'posix/Europe/Berlin', data_version = 9223372036854775807, created_at = '-infinity' where id = @tenant;
            update integrations set next_due_at = '4000-01-01 BC', settings = '[1e400]', time_zone = '<-03>3', fetched_at = 'infinity' where tenant_id = @tenant;
            update integrations set connector = 'No Queue!' where tenant_id = @tenant and connector = 'n8n';
            insert into kpi_values (tenant_id, kpi, day, value, day_ended, first_seen_at, changed_at) values (@tenant, 'custom.old', '2020-01-01', 1, true, now(), now())
            """, new { tenant });
    }

    /// <summary>The owners do what they are asked for.</summary>
    private static async Task<int> ReconnectAsync(NpgsqlDataSource owner, FakeTimeProvider time)
    {
        await using var connection = await owner.OpenConnectionAsync(Cancel);
        return await connection.ExecuteAsync("update integrations set status = 'active', status_message = null, next_due_at = @now where status = 'reconnect_needed'", new { now = time.GetUtcNow().UtcDateTime });
    }

    private static async Task RefreshAllAsync(NpgsqlDataSource owner, FakeTimeProvider time)
    {
        await using var connection = await owner.OpenConnectionAsync(Cancel);
        await connection.ExecuteAsync("update integrations set next_due_at = @now", new { now = time.GetUtcNow().UtcDateTime });
    }

    private static async Task<int> CutConnectionsAsync(NpgsqlDataSource admin, string app)
    {
        await using var connection = await admin.OpenConnectionAsync(Cancel);
        var settings = new NpgsqlConnectionStringBuilder(app);
        return await connection.QuerySingleAsync<int>(
            "select count(pg_terminate_backend(pid))::int from pg_stat_activity where datname = @Database and usename = @Username", new { settings.Database, settings.Username });
    }

    private static async Task<long> CountAsync(NpgsqlDataSource owner, string sql)
    {
        await using var connection = await owner.OpenConnectionAsync(Cancel);
        return await connection.QuerySingleAsync<long>(sql);
    }

    private sealed record FaultTenant(Guid Id, string Property, string Instance, string Zone);

    /// <summary>Which fault a request meets: by seed, target and number alone, but for one hour in which Google is down for everybody.</summary>
    private sealed class FaultSchedule(int seed, TimeProvider time)
    {
        private static readonly (string Kind, Fault Fault, double Share)[] GoogleKinds =
        [
            ("429 tokens per project and hour", GoogleFaults.TokensPerProjectPerHour, 2), ("429 tokens per hour", GoogleFaults.TokensPerHour, 1), ("429 tokens per day", GoogleFaults.TokensPerDay, 0.3),
            ("429 concurrent requests", GoogleFaults.ConcurrentRequests, 3), ("429 thresholded requests", GoogleFaults.ThresholdedRequests, 1), ("429 server errors", GoogleFaults.ServerErrors, 1),
            ("401", GoogleFaults.Unauthenticated, 2), ("403", GoogleFaults.PermissionDenied, 0.7), ("400", GoogleFaults.Incompatible, 0.3), ("500", GoogleFaults.Internal, 3), ("503", GoogleFaults.Unavailable, 2),
            ("hanging", new Fault.Hang(), 0.4), ("late", new Fault.Delay(TimeSpan.FromMilliseconds(50)), 1), ("reset", new Fault.Reset(), 1.5), ("truncated", new Fault.Truncated(), 2), ("broken off", new Fault.BrokenOff(), 1),
            ("empty body", new Fault.EmptyBody(), 1), ("duplicated page", new Fault.DuplicatedPage(), 2), ("clock ahead", new Fault.SkewedClock(TimeSpan.FromMinutes(100)), 1.5),
            ("clock behind", new Fault.SkewedClock(TimeSpan.FromMinutes(-100)), 1.5),
        ];

        private static readonly (string Kind, Fault Fault, double Share)[] N8nKinds =
        [
            ("n8n 429", N8nFaults.TooManyRequests, 2), ("n8n 401", N8nFaults.Unauthorized, 0.5), ("n8n 403", N8nFaults.Forbidden, 0.3), ("n8n 500", N8nFaults.Internal, 2), ("n8n 502", N8nFaults.BadGateway, 1),
            ("n8n login page", N8nFaults.LoginPage, 0.3), ("n8n hanging", new Fault.Hang(), 0.2), ("n8n reset", new Fault.Reset(), 1), ("n8n truncated", new Fault.Truncated(), 1), ("n8n broken off", new Fault.BrokenOff(), 0.5),
            ("n8n empty body", new Fault.EmptyBody(), 0.5), ("n8n duplicated page", new Fault.DuplicatedPage(), 1), ("n8n clock ahead", new Fault.SkewedClock(TimeSpan.FromMinutes(100)), 1),
            ("n8n clock behind", new Fault.SkewedClock(TimeSpan.FromMinutes(-100)), 1),
        ];

        public ConcurrentDictionary<string, int> Counts { get; } = new();

        public int Total => Counts.Values.Sum();

        public Fault? Google(string target, int number)
        {
            var now = time.GetUtcNow();
            if (now >= Anchor.AddMinutes(20) && now < Anchor.AddMinutes(80)) return Count("503 of the outage", GoogleFaults.Unavailable);
            if (target == "token") return new Random(HashCode(target, number)).NextDouble() < 0.03 ? Count("503 at sign-in", GoogleFaults.Unavailable) : null;
            // Twice in a row would be believed, as it must be; and what was never there is missed by nobody, so only days that are read again.
            if (number % 20 == 7)
            {
                var today = DateOnly.FromDateTime(now.UtcDateTime);
                return Count("empty days", new Fault.EmptyDays(today.AddDays(-1), today.AddDays(1)));
            }

            return Pick(GoogleKinds, target, number);
        }

        public Fault? N8n(string target, int number) => Pick(N8nKinds, target, number);

        private Fault? Pick((string Kind, Fault Fault, double Share)[] kinds, string target, int number)
        {
            // Shares are per cent.
            var at = new Random(HashCode(target, number)).NextDouble() * 100;
            foreach (var (kind, fault, share) in kinds)
            {
                if ((at -= share) < 0) return Count(kind, fault);
            }

            return null;
        }

        private Fault Count(string kind, Fault fault)
        {
            Counts.AddOrUpdate(kind, 1, (_, count) => count + 1);
            return fault;
        }

        // Not System.HashCode, which differs from process to process.
        private int HashCode(string target, int number) => target.Aggregate(unchecked((seed * 31) + (number * 486187739)), (hash, c) => unchecked((hash * 31) + c));
    }

    /// <summary>At least once and in any order, some lost on the way in, given up to poison after five tries.</summary>
    private sealed class ChaosQueue(int seed, FakeTimeProvider time) : ISyncQueues
    {
        private readonly Lock _gate = new();
        private readonly Random _random = new(seed);
        private readonly List<(SyncMessage Message, DateTimeOffset Due, int Tries)> _messages = [];

        public bool Misbehaves { get; set; } = true;

        public int Handled, Lost, Doubled, Retried, Interrupted;

        public ConcurrentQueue<ClaimMessage> Claims { get; } = new();

        public ConcurrentBag<SyncMessage> Poison { get; } = [];

        public bool HasReady
        {
            get
            {
                lock (_gate) return _messages.Any(message => message.Due <= time.GetUtcNow());
            }
        }

        public DateTimeOffset? NextDue
        {
            get
            {
                lock (_gate) return _messages.Count == 0 ? null : _messages.Min(message => message.Due);
            }
        }

        public Task SendAsync(string connector, SyncMessage message, TimeSpan delay, CancellationToken cancellationToken)
        {
            lock (_gate)
            {
                // As the storage account refuses it.
                if (!connector.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
                    throw new Azure.RequestFailedException(400, "The specified resource name contains invalid characters.", "InvalidResourceName", null);
                if (Misbehaves && _random.NextDouble() < 0.01)
                {
                    Lost++;
                    throw new IOException("The storage account is away.");
                }

                Put(message, delay);
                if (Misbehaves && _random.NextDouble() < 0.08)
                {
                    Doubled++;
                    Put(message, delay * _random.NextDouble() * 2);
                }
            }

            return Task.CompletedTask;
        }

        public bool TryTake(out SyncMessage message, out int tries)
        {
            lock (_gate)
            {
                var now = time.GetUtcNow();
                var ready = Enumerable.Range(0, _messages.Count).Where(index => _messages[index].Due <= now).ToList();
                if (ready.Count == 0)
                {
                    (message, tries) = (null!, 0);
                    return false;
                }

                var chosen = ready[_random.Next(ready.Count)];
                (message, _, tries) = _messages[chosen];
                _messages.RemoveAt(chosen);
                Handled++;
                return true;
            }
        }

        public void GiveBack(SyncMessage message, int tries)
        {
            if (tries + 1 >= 5)
            {
                Poison.Add(message);
                return;
            }

            lock (_gate)
            {
                Retried++;
                _messages.Add((message, time.GetUtcNow() + TimeSpan.FromSeconds(10), tries + 1));
            }
        }

        public Task SendClaimAsync(ClaimMessage message, CancellationToken cancellationToken)
        {
            Claims.Enqueue(message);
            return Task.CompletedTask;
        }

        public Task SendTextAsync(string queue, string body, CancellationToken cancellationToken) => throw new NotSupportedException();

        private void Put(SyncMessage message, TimeSpan delay) => _messages.Add((message, time.GetUtcNow() + (delay > TimeSpan.Zero ? delay : TimeSpan.Zero), 0));
    }

    /// <summary>One instance of the app: its own pool, connectors, tokens in memory and clients.</summary>
    private sealed class Host : IAsyncDisposable
    {
        private readonly NpgsqlDataSource _source;
        private readonly ServiceProvider _services;
        private readonly ChaosQueue _queue;
        private readonly SyncScheduler _scheduler;
        private readonly SyncRunner _runner;
        private readonly DeadLetters _deadLetters;
        private readonly Data.Database _database;
        private readonly Retention _retention;
        private readonly FakeTimeProvider _time;
        private readonly Guid _poisoned;

        public Host(string connectionString, ChaosQueue queue, GoogleSimulator google, N8nSimulator n8n, SecretSealer sealer, FakeTimeProvider time, Guid poisoned)
        {
            (_time, _poisoned) = (time, poisoned);
            _queue = queue;
            _source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 10 }.ConnectionString);
            var configuration = new ConfigurationBuilder().AddInMemoryCollection().Build();
            foreach (var (key, value) in google.Configuration()) configuration[key] = value;
            configuration["Outbound:AllowedHosts"] = n8n.BaseAddress.Authority;
            configuration["GoogleAnalytics:TimeoutSeconds"] = configuration["N8n:TimeoutSeconds"] = "1";
            KpiDashboard.Data.DataServices.AddDatabase(new ServiceCollection());
            _services = new ServiceCollection().AddSingleton<TimeProvider>(time).AddGoogleAnalyticsConnector(configuration).AddN8nConnector(configuration).BuildServiceProvider();
            var database = _database = new Data.Database(() => _source);
            var faults = new Data.TenantFaults(database, time, NullLogger<Data.TenantFaults>.Instance);
            _retention = new Retention(database, faults, Options.Create(new RetentionOptions()), time, NullLogger<Retention>.Instance);
            _scheduler = new SyncScheduler(database, queue, faults, [], time, NullLogger<SyncScheduler>.Instance);
            _runner = new SyncRunner(database, queue, _services.GetServices<IConnector>(), new ProviderCircuits(database, time), sealer, new Instruments(time), time, NullLogger<SyncRunner>.Instance);
            _deadLetters = new DeadLetters(database, new Instruments(time), time, NullLogger<DeadLetters>.Instance);
        }

        public async Task TickAsync()
        {
            try
            {
                await _scheduler.TickAsync(Cancel);
                while (_queue.Claims.TryDequeue(out var claim)) await _scheduler.ClaimAsync(claim, Cancel);
            }
            catch (Exception error) when (error is IOException or NpgsqlException or AggregateException)
            {
                // The next tick heals it.
            }
        }

        /// <summary>What the hourly timer does over all tenants, and what the other one looks for.</summary>
        public async Task KeepHouseAsync()
        {
            try
            {
                await _retention.RunAsync(Cancel);
                await _database.QueryAsync<int>(
                    "select inspect_tenants(@now, @keys)", new { now = _time.GetUtcNow(), keys = new[] { "google-analytics", "n8n" } }, Cancel);
            }
            catch (Exception error) when (error is NpgsqlException or AggregateException)
            {
                // The next hour heals it.
            }
        }

        public async Task WorkAsync(Random? random)
        {
            while (_queue.TryTake(out var message, out var tries))
            {
                using var host = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
                // A host that is stopped while it works.
                if (random is not null && random.NextDouble() < 0.01) host.CancelAfter(random.Next(0, 15));
                try
                {
                    await _runner.RunAsync(message, host.Token);
                }
                catch (Exception error) when (!Cancel.IsCancellationRequested)
                {
                    if (error is OperationCanceledException) Interlocked.Increment(ref _queue.Interrupted);
                    else if (message.TenantId != _poisoned && error is not (IOException or NpgsqlException or InvalidOperationException { InnerException: NpgsqlException })) throw;
                    _queue.GiveBack(message, tries);
                    if (tries + 1 >= 5 && message.TenantId != _poisoned) await _deadLetters.HandleAsync("sync-poison", JsonSerializer.Serialize(message, SyncJson.Default.SyncMessage), Cancel);
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _services.DisposeAsync();
            await _source.DisposeAsync();
        }
    }
}
