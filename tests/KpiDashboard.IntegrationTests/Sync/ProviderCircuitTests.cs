using System.Collections.Concurrent;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.N8n;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Sources;
using KpiDashboard.Sync;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

public sealed class ProviderCircuitTests(PostgresFixture postgres, ITestOutputHelper output)
{
    private static readonly Func<FetchRequest, IFetchSink, CancellationToken, Task<FetchOutcome>> Down = (_, _, _) => Task.FromResult<FetchOutcome>(new ProviderDown("It answers 503."));

    [Fact]
    public async Task Failures_of_several_integrations_open_it_and_the_next_runs_wait_without_calling_the_provider_while_another_provider_is_called()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var tenants = await OpenAsync(engine);
        Assert.Equal(ProviderCircuits.Failures, engine.Connector.Fetches);

        var (late, _) = await engine.AddTenantAsync();
        var (other, _) = await engine.AddTenantAsync("google-analytics");
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();

        Assert.Equal(ProviderCircuits.Failures, engine.Connector.Fetches);
        var (status, message, attempts, waits) = await engine.LastRunAsync(late);
        Assert.Equal(("waiting", 0, 0), (status, attempts, waits));
        // 12:00 UTC is 13:00 in the tenant's zone; one to two minutes and rounded up.
        Assert.Matches(@"^Scripted does not answer at the moment; we try again at 13:0[2-3]\.$", message);
        Assert.Equal("succeeded", (await engine.LastRunAsync(other)).Status);
        foreach (var tenant in tenants) Assert.Equal("waiting", (await engine.LastRunAsync(tenant)).Status);

        // What the owner sees, and that the owner of the other sees nothing of it.
        Assert.Equal(message, await SourceMessageAsync(engine, late));
        Assert.Null(await SourceMessageAsync(engine, other));
    }

    [Fact]
    public async Task When_its_time_has_come_one_run_of_many_at_once_tries_and_its_success_lets_all_go_on()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var tenants = await OpenAsync(engine);
        var (entered, proceed) = (new TaskCompletionSource(), new TaskCompletionSource());
        var inside = 0;
        engine.Connector.Fetch = async (request, sink, _) =>
        {
            Interlocked.Increment(ref inside);
            entered.TrySetResult();
            await proceed.Task;
            sink.Add(new KpiReading("web.sessions", request.Window.To, 10));
            return new FetchSucceeded();
        };
        engine.Time.Advance(ProviderCircuits.FirstWait + TimeSpan.FromMinutes(1));
        var messages = engine.Queue.Sent.Select(sent => sent.Message).GroupBy(message => message.RunId).Select(group => group.MaxBy(message => message.Step)!).ToList();
        var running = messages.Select(message => Task.Run(() => engine.Runner.RunAsync(message, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken)).ToList();
        await entered.Task;
        while (running.Count(task => task.IsCompleted) < messages.Count - 1) await Task.WhenAny(running.Where(task => !task.IsCompleted));
        Assert.Equal(1, inside);
        proceed.SetResult();
        await Task.WhenAll(running);

        engine.Queue.Clock = engine.Time;
        foreach (var (message, _) in engine.Queue.Sent.TakeLast(messages.Count)) engine.Queue.Put(message);
        engine.Time.Advance(ProviderCircuits.ProbeTime + TimeSpan.FromMinutes(1));
        await engine.LiveAsync(TimeSpan.FromMinutes(20));
        foreach (var tenant in tenants) Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
        await engine.ExecuteAsOwnerAsync("do $$ begin assert (select count(*) from provider_circuits) = 0; end $$");
    }

    [Fact]
    public async Task A_try_that_fails_doubles_the_wait_and_one_that_dies_gives_way_after_two_minutes()
    {
        await using var engine = await Engine.StartAsync(postgres);
        await OpenAsync(engine);
        var circuits = new ProviderCircuits(engine.Database, engine.Time);
        var cancellation = TestContext.Current.CancellationToken;
        var waits = new List<TimeSpan>();
        for (var round = 0; round < 6; round++)
        {
            var retryAt = (await AdmitAsync(Guid.NewGuid()))!.Value;
            waits.Add(retryAt - engine.Time.GetUtcNow());
            engine.Time.SetUtcNow(retryAt);
            var dead = Guid.NewGuid();
            Assert.Null(await AdmitAsync(dead));
            Assert.Equal(retryAt + ProviderCircuits.ProbeTime, await AdmitAsync(Guid.NewGuid()));
            engine.Time.Advance(ProviderCircuits.ProbeTime);
            var probe = Guid.NewGuid();
            Assert.Null(await AdmitAsync(probe));
            // Whoever began before it opened, or was taken for dead, changes nothing.
            Assert.Equal(retryAt, await circuits.FailedAsync("n8n", Guid.NewGuid(), dead, cancellation));
            Assert.True(await circuits.FailedAsync("n8n", Guid.NewGuid(), probe, cancellation) > engine.Time.GetUtcNow());
        }

        Assert.Equal([1, 2, 4, 8, 10, 10], waits.Select(wait => wait.TotalMinutes));

        Task<DateTimeOffset?> AdmitAsync(Guid run) =>
            engine.Database.InTenantAsync(Guid.NewGuid(), tx => ProviderCircuits.AdmitAsync(tx, "n8n", run, engine.Time.GetUtcNow()), cancellation);
    }

    [Fact]
    public async Task One_integration_never_opens_it_however_often_it_fails_and_a_success_in_between_starts_the_count_anew()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var circuits = new ProviderCircuits(engine.Database, engine.Time);
        var cancellation = TestContext.Current.CancellationToken;
        var one = Guid.NewGuid();
        for (var i = 0; i < 50; i++) Assert.Null(await circuits.FailedAsync("n8n", one, Guid.NewGuid(), cancellation));
        await circuits.AnsweredAsync("n8n", cancellation);
        for (var i = 0; i < ProviderCircuits.Failures - 1; i++) Assert.Null(await circuits.FailedAsync("n8n", Guid.NewGuid(), Guid.NewGuid(), cancellation));
        await circuits.AnsweredAsync("n8n", cancellation);
        for (var i = 0; i < ProviderCircuits.Failures - 1; i++) Assert.Null(await circuits.FailedAsync("n8n", Guid.NewGuid(), Guid.NewGuid(), cancellation));
        // Too long ago to be in a row.
        engine.Time.Advance(ProviderCircuits.Window + TimeSpan.FromSeconds(1));
        for (var i = 0; i < ProviderCircuits.Failures - 1; i++) Assert.Null(await circuits.FailedAsync("n8n", Guid.NewGuid(), Guid.NewGuid(), cancellation));
        Assert.NotNull(await circuits.FailedAsync("n8n", Guid.NewGuid(), Guid.NewGuid(), cancellation));
    }

    [Fact]
    public async Task Servers_of_tenants_are_providers_of_their_own()
    {
        await using var engine = await Engine.StartAsync(postgres);
        await using var services = new ServiceCollection().AddN8nConnector(new ConfigurationBuilder().Build()).BuildServiceProvider();
        var n8n = services.GetRequiredService<IConnector>();
        engine.Connector.Provider = n8n.ProviderKey;
        engine.Connector.Fetch = (request, sink, token) => request.Settings.GetProperty("baseUrl").GetString()!.Contains("broken", StringComparison.OrdinalIgnoreCase)
            ? Down(request, sink, token) : Task.FromResult<FetchOutcome>(new FetchSucceeded());
        var broken = new List<Guid>();
        foreach (var address in new[] { "https://broken.example", "https://BROKEN.example/", "https://broken.example/api/v1", "https://broken.example", "https://broken.example" })
            broken.Add((await engine.AddTenantAsync(settings: $$"""{"baseUrl":"{{address}}"}""")).Tenant);
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();
        var (well, _) = await engine.AddTenantAsync(settings: """{"baseUrl":"https://well.example"}""");
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();

        Assert.Equal("succeeded", (await engine.LastRunAsync(well)).Status);
        var told = new List<string?>();
        foreach (var tenant in broken) told.Add((await engine.LastRunAsync(tenant)).Message);
        // The fifth opened it; the others had failed already, each on its own.
        Assert.Single(told, message => message!.Contains("does not answer at the moment", StringComparison.Ordinal));
        await engine.ExecuteAsOwnerAsync("do $$ begin assert (select string_agg(key, ' ') from provider_circuits) = 'n8n:broken.example/api/v1'; end $$");
    }

    [Fact]
    public async Task A_provider_that_is_down_for_an_hour_costs_no_other_provider_anything_and_fails_no_run()
    {
        const int Each = 30;
        var ids = Enumerable.Range(0, 2 * Each).Select(_ => Guid.NewGuid()).ToList();
        var (undisturbed, _, _) = await HoursAsync(TimeSpan.Zero);
        var (disturbed, calls, waiting) = await HoursAsync(TimeSpan.FromHours(1));

        Assert.True(undisturbed.Count >= 3 * Each, $"Only {undisturbed.Count} fetches in 4 hours.");
        Assert.Equal(undisturbed, disturbed);
        Assert.True(calls < 30, $"The provider that was down was called {calls} times.");
        output.WriteLine($"Provider down for 60 simulated minutes, {Each} integrations: called {calls} times meanwhile, {waiting} runs waited, none failed; the other provider's {disturbed.Count} fetches came at the same instants as without.");

        async Task<(List<(DateTimeOffset, Guid)> Other, int CallsWhileDown, int Waiting)> HoursAsync(TimeSpan outage)
        {
            await using var engine = await Engine.StartAsync(postgres);
            engine.Queue.Clock = engine.Time;
            var (from, to) = (engine.Time.GetUtcNow() + TimeSpan.FromMinutes(50), engine.Time.GetUtcNow() + TimeSpan.FromMinutes(50) + outage);
            var other = new ConcurrentBag<(DateTimeOffset, Guid)>();
            var (calls, read) = (0, engine.Connector.Fetch);
            engine.Connector.SliceDays = engine.Other.SliceDays = 1000;
            engine.Connector.Fetch = (request, sink, token) =>
            {
                var now = engine.Time.GetUtcNow();
                if (now < from || now >= to) return Task.FromResult<FetchOutcome>(new FetchSucceeded());
                calls++;
                return Task.FromResult<FetchOutcome>(new ProviderDown("It answers 503."));
            };
            engine.Other.Fetch = (request, _, _) =>
            {
                other.Add((engine.Time.GetUtcNow(), request.IntegrationId));
                return Task.FromResult<FetchOutcome>(new FetchSucceeded());
            };
            for (var i = 0; i < 2 * Each; i++) await engine.AddTenantAsync(i < Each ? "n8n" : "google-analytics", id: ids[i]);
            await engine.ExecuteAsOwnerAsync("update integrations set schedule = 'hourly'");
            await engine.LiveAsync(from - engine.Time.GetUtcNow() + TimeSpan.FromMinutes(45));
            var waiting = (await CountsAsync(engine)).GetValueOrDefault("n8n waiting");
            await engine.LiveAsync(TimeSpan.FromHours(4) - TimeSpan.FromMinutes(95));
            var counts = await CountsAsync(engine);
            Assert.DoesNotContain(counts.Keys, key => key.EndsWith("failed", StringComparison.Ordinal) || key.EndsWith("dead", StringComparison.Ordinal));
            Assert.False(counts.ContainsKey("n8n waiting"));
            Assert.True(counts["n8n succeeded"] >= (outage > TimeSpan.Zero ? 2 : 3) * Each);
            await engine.ExecuteAsOwnerAsync("do $$ begin assert (select sum(consecutive_failures) from integrations) = 0; assert (select max(waits) from sync_runs) = 0; end $$");
            return ([.. other.Order()], calls, waiting);
        }
    }

    private static async Task<Dictionary<string, int>> CountsAsync(Engine engine) =>
        (await engine.QueryAsOwnerAsync<(string Key, int Count)>("select connector || ' ' || status, count(*)::int from sync_runs group by 1")).ToDictionary(row => row.Key, row => row.Count);

    /// <summary>Five integrations fail, and it is open.</summary>
    private static async Task<List<Guid>> OpenAsync(Engine engine)
    {
        engine.Connector.Fetch = Down;
        var tenants = new List<Guid>();
        for (var i = 0; i < ProviderCircuits.Failures + 3; i++) tenants.Add((await engine.AddTenantAsync()).Tenant);
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainAsync();
        return tenants;
    }

    private static Task<string?> SourceMessageAsync(Engine engine, Guid tenant) => engine.Database.InTenantAsync(tenant, async tx =>
        (await SourceState.LoadAsync(tx, null!, engine.Time.GetUtcNow()))[0].ToFreshness().Message, TestContext.Current.CancellationToken);
}
