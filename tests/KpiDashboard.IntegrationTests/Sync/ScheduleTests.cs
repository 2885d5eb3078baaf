using System.Collections.Concurrent;
using System.Diagnostics;
using Azure.Storage.Queues;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.Sync;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

public sealed class ScheduleTests(PostgresFixture postgres, ITestOutputHelper output)
{
    private static readonly DateTimeOffset Start = new(2024, 1, 10, 9, 7, 0, TimeSpan.Zero);

    /// <summary>Each claimed when it is due or up to five minutes later, over two years of clock changes, for each hour of the day.</summary>
    [Theory]
    [InlineData("Asia/Kathmandu")]
    [InlineData("Australia/Lord_Howe")]
    [InlineData("America/St_Johns")]
    [InlineData("Pacific/Chatham")]
    [InlineData("Europe/Berlin")]
    [InlineData("America/New_York")]
    [InlineData("Africa/Cairo")]
    [InlineData("Asia/Kolkata")]
    [InlineData("Pacific/Apia")]
    [InlineData("America/Havana")]
    [InlineData("UTC")]
    public async Task A_daily_sync_comes_once_each_local_day_at_its_hour_as_TimeZoneInfo_knows_it(string zoneId)
    {
        await using var engine = await Engine.StartAsync(postgres);
        var zone = TimeZoneInfo.FindSystemTimeZoneById(zoneId);
        var id = Guid.NewGuid();
        var jitter = (await engine.QueryAsOwnerAsync<int>("select mod(abs(hashtext(@id::text)::bigint), 1800)::int", new { id })).Single();
        var dues = await engine.QueryAsOwnerAsync<(short Hour, DateTimeOffset Due)>(
            """
            with recursive s (hour, n, due) as (
                select h::smallint, 0, next_due_at('daily', h::smallint, @zoneId, @id, @start) from generate_series(0, 23) h
                union all
                select hour, n + 1, next_due_at('daily', hour, @zoneId, @id, due + make_interval(secs => mod(n * 7919, 300))) from s where n < 740
            )
            select hour, due from s order by hour, n
            """, new { zoneId, id, start = Start });

        var odd = 0;
        foreach (var hour in dues.GroupBy(due => due.Hour))
        {
            var local = hour.Select(due => TimeZoneInfo.ConvertTime(due.Due.AddSeconds(-jitter), zone)).ToList();
            var days = local.Select(at => DateOnly.FromDateTime(at.DateTime)).ToList();
            Assert.Equal(Enumerable.Range(0, days.Count).Select(days[0].AddDays), days);
            for (var i = 0; i < local.Count; i++)
            {
                var wanted = days[i].ToDateTime(new TimeOnly(hour.Key, 0));
                if (!zone.IsInvalidTime(wanted))
                {
                    Assert.Equal(wanted, local[i].DateTime);
                    continue;
                }

                // That hour does not exist: as much later as the clock jumps.
                odd++;
                Assert.InRange(local[i].DateTime - wanted, TimeSpan.FromMinutes(30), TimeSpan.FromHours(1));
            }
        }

        Assert.Equal(24 * 741, dues.Count);
        var changes = Enumerable.Range(0, 745).Count(day => zone.GetUtcOffset(Start.AddDays(day)) != zone.GetUtcOffset(Start.AddDays(day + 1)));
        Assert.True(changes == 0 || odd > 0, "No hour that does not exist was met.");
    }

    [Theory]
    [InlineData("hourly", 60)]
    [InlineData("quarter_hourly", 15)]
    public async Task An_hourly_or_quarter_hourly_sync_keeps_its_pace_with_a_timer_every_five_minutes(string schedule, int minutes)
    {
        await using var engine = await Engine.StartAsync(postgres);
        for (var attempt = 0; attempt < 20; attempt++)
        {
            var ticks = await engine.QueryAsOwnerAsync<DateTimeOffset>(
                """
                with recursive s (n, tick) as (
                    select 0, @start
                    union all
                    select n + 1, date_bin('5 minutes', next_due_at(@schedule, 4::smallint, 'Asia/Kathmandu', @id, tick) + interval '299.999999 seconds', '2000-01-01Z') from s where n < 200
                )
                select tick from s order by n
                """, new { schedule, id = Guid.NewGuid(), start = Start });
            var pace = ticks.Skip(1).Zip(ticks.Skip(2), (one, next) => (next - one).TotalMinutes).Distinct().ToList();
            Assert.Equal([minutes], pace);
        }
    }

    [Fact]
    public async Task The_jitter_of_an_integration_is_always_the_same_and_spreads_many_over_half_an_hour()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var minutes = await engine.QueryAsOwnerAsync<(int Bucket, int Count, int Distinct)>(
            """
            with ids as (select gen_random_uuid() as id from generate_series(1, 3000)),
            two as (select id, next_due_at('daily', 4::smallint, 'UTC', id, @start) as one, next_due_at('daily', 4::smallint, 'UTC', id, @start + interval '30 days') as two from ids)
            select extract(minute from one)::int / 5, count(*)::int, count(*) filter (where two - one <> interval '30 days')::int from two group by 1 order by 1
            """, new { start = Start });
        Assert.Equal([0, 1, 2, 3, 4, 5], minutes.Select(minute => minute.Bucket));
        Assert.All(minutes, minute => Assert.InRange(minute.Count, 400, 600));
        Assert.All(minutes, minute => Assert.Equal(0, minute.Distinct));
    }

    [Fact]
    public async Task After_three_days_without_a_timer_there_is_one_run_and_the_next_is_due_within_a_day()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync(due: engine.Time.GetUtcNow().AddDays(-3));
        for (var tick = 0; tick < 3; tick++) await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        Assert.Equal([1], await engine.QueryAsync<int>(tenant, "select count(*)::int from sync_runs where tenant_id = @tenant"));
        var next = (await engine.QueryAsync<DateTimeOffset>(tenant, "select next_due_at from integrations where tenant_id = @tenant"))[0];
        Assert.InRange(next - engine.Time.GetUtcNow(), TimeSpan.Zero, TimeSpan.FromHours(25));
    }

    [Fact]
    public async Task A_paused_integration_is_not_claimed_and_a_resumed_one_is_read_once_at_the_next_tick_without_a_gap()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();

        await engine.ExecuteAsOwnerAsync("update integrations set status = 'paused'");
        for (var day = 0; day < 20; day++)
        {
            engine.Time.Advance(TimeSpan.FromDays(1));
            await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(0, engine.Queue.Count);
        await engine.ExecuteAsOwnerAsync("update integrations set status = 'active'");
        for (var tick = 0; tick < 2; tick++)
        {
            await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
            await engine.DrainAsync();
        }

        Assert.Equal([2], await engine.QueryAsync<int>(tenant, "select count(*)::int from sync_runs where tenant_id = @tenant and status = 'succeeded'"));
        Assert.Equal([(0, new DateOnly(2026, 12, 12))], await engine.QueryAsync<(int, DateOnly)>(tenant,
            "select (max(day) - min(day) + 1 - count(*))::int, max(day) from kpi_values where tenant_id = @tenant"));
    }

    [Fact]
    public async Task A_business_that_is_to_be_deleted_is_not_claimed()
    {
        await using var engine = await Engine.StartAsync(postgres);
        await engine.AddTenantAsync();
        await engine.ExecuteAsOwnerAsync("update tenants set delete_after = @at", new { at = engine.Time.GetUtcNow().AddDays(7).UtcDateTime });
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, engine.Queue.Count);
        await engine.ExecuteAsOwnerAsync("update tenants set delete_after = null");
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, engine.Queue.Count);
    }

    [Fact]
    public async Task A_swept_run_that_waits_is_sent_for_the_time_it_waits_for_and_an_early_message_comes_again()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        var read = engine.Connector.Fetch;
        engine.Connector.Fetch = (_, _, _) => Task.FromResult<FetchOutcome>(new QuotaExhausted(engine.Time.GetUtcNow().AddHours(1), "Used up."));
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();
        // The process died before it could send.
        await engine.ExecuteAsOwnerAsync("update sync_runs set enqueued_at = null");
        engine.Time.Advance(TimeSpan.FromMinutes(10));
        engine.Queue.Clock = engine.Time;
        engine.Connector.Fetch = read;
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        Assert.Equal(TimeSpan.FromMinutes(50), engine.Queue.Sent.Last().Delay);

        // A queue whose clock is ahead.
        engine.Queue.Put(engine.Queue.Sent.Last().Message);
        await engine.DrainAsync();
        Assert.Equal(TimeSpan.FromMinutes(50), engine.Queue.Sent.Last().Delay);
        await engine.LiveAsync(TimeSpan.FromMinutes(55));
        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
    }

    [Fact]
    [Trait("Clock", "none")]
    public async Task Ten_thousand_due_integrations_are_claimed_by_two_timers_and_four_instances_and_enqueued_each_once()
    {
        const int Count = 10_000;
        await using var engine = await Engine.StartAsync(postgres);
        // An emulator of its own: with so many messages to look through it answers nobody else in time.
        using var folder = new TemporaryFolder();
        await using var azurite = await EmbeddedAzurite.StartAsync(new EmbeddedAzuriteOptions { DataDirectory = folder["azurite"], InMemory = true }, TestContext.Current.CancellationToken);
        var connector = $"scale{Guid.NewGuid():N}"[..30];
        await engine.ExecuteAsOwnerAsync(
            """
            insert into tenants (id, name, time_zone, currency)
            select gen_random_uuid(), 'T' || n, (array['Pacific/Auckland', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/St_Johns', 'Europe/Berlin'])[1 + n % 5], 'NZD' from generate_series(1, @Count) n;
            insert into integrations (tenant_id, id, connector, display_name, next_due_at) select id, gen_random_uuid(), @connector, 'Scale', @now from tenants;
            analyze tenants; analyze integrations;
            """, new { Count, connector, now = engine.Time.GetUtcNow() });
        var settings = new ConfigurationBuilder().AddInMemoryCollection([new("AzureWebJobsStorage", azurite.ConnectionString)]).Build();
        var queues = new ClaimsApart(new SyncQueues(new StorageQueues(settings)));
        var schedulers = Enumerable.Range(0, 4).Select(_ => new SyncScheduler(engine.Database, queues, engine.Faults, [], engine.Time, NullLogger<SyncScheduler>.Instance)).ToList();

        var clock = Stopwatch.StartNew();
        await Task.WhenAll(schedulers.Take(2).Select(scheduler => scheduler.TickAsync(TestContext.Current.CancellationToken)));
        var (timer, byTimers) = (clock.Elapsed, queues.Enqueued.Count);
        await Task.WhenAll(schedulers.Select(async scheduler =>
        {
            while (queues.Claims.TryDequeue(out var claim)) await scheduler.ClaimAsync(claim, TestContext.Current.CancellationToken);
        }));
        var all = clock.Elapsed;

        var queue = new QueueClient(azurite.ConnectionString, SyncQueues.NameOf(connector));
        var seen = new ConcurrentBag<Guid>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            while ((await queue.ReceiveMessagesAsync(32, TimeSpan.FromMinutes(10), TestContext.Current.CancellationToken)).Value is { Length: > 0 } messages)
            {
                foreach (var message in messages)
                    seen.Add(System.Text.Json.JsonSerializer.Deserialize(Convert.FromBase64String(message.Body.ToString()), SyncJson.Default.SyncMessage)!.IntegrationId);
            }
        }));
        await queue.DeleteAsync(TestContext.Current.CancellationToken);
        // Once each by us. The queue may hold one twice all the same: its client asks again when an answer does not come in time, and two of one step do nothing (SyncEngineTests).
        Assert.Equal(Count, queues.Enqueued.Count);
        Assert.Equal(Count, queues.Enqueued.Distinct().Count());
        Assert.Equal(queues.Enqueued.Order(), seen.Distinct().Order());
        Assert.Equal([(Count, Count, 0)], await engine.QueryAsOwnerAsync<(int, int, int)>(
            "select count(*)::int, count(enqueued_at)::int, (select count(*) from integrations where next_due_at <= @now)::int from sync_runs where status = 'queued'", new { now = engine.Time.GetUtcNow() }));
        output.WriteLine($"{Count} due integrations claimed and enqueued in {all.TotalSeconds:0.0} s = {Count / all.TotalSeconds:0} a second; the two timer runs took {timer.TotalSeconds:0.0} s.");
        // A timer run is one batch, not all of them.
        Assert.InRange(byTimers, 1, 2 * SyncScheduler.BatchSize);
    }

    /// <summary>Real queues, but for the claims, which the test hands out itself.</summary>
    private sealed class ClaimsApart(SyncQueues queues) : ISyncQueues
    {
        public ConcurrentQueue<ClaimMessage> Claims { get; } = new();

        public ConcurrentBag<Guid> Enqueued { get; } = [];

        public Task SendAsync(string connector, SyncMessage message, TimeSpan delay, CancellationToken cancellationToken)
        {
            Enqueued.Add(message.IntegrationId);
            return queues.SendAsync(connector, message, delay, cancellationToken);
        }

        public Task SendClaimAsync(ClaimMessage message, CancellationToken cancellationToken)
        {
            Claims.Enqueue(message);
            return Task.CompletedTask;
        }

        public Task SendTextAsync(string queue, string body, CancellationToken cancellationToken) => queues.SendTextAsync(queue, body, cancellationToken);
    }
}
