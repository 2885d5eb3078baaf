using System.Reflection;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Functions;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Moq;
using Xunit;

namespace KpiDashboard.Tests.Identity;

/// <summary>No route costs without a limit.</summary>
public sealed class CostsTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static readonly FakeTimeProvider s_time = new(new DateTimeOffset(2026, 11, 29, 12, 0, 0, TimeSpan.Zero));
    private static readonly Caller s_owner = new(Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), null, "owner", "a@example.com");

    private static IEnumerable<(string Name, RequiresAttribute Required, string Method)> Routes =>
        from type in typeof(App).Assembly.GetTypes()
        from method in type.GetMethods()
        let function = method.GetCustomAttribute<FunctionAttribute>()
        where function is not null
        let trigger = method.GetParameters().Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>()).OfType<HttpTriggerAttribute>().SingleOrDefault()
        where trigger is not null
        from verb in trigger.Methods ?? ["get"]
        select (function.Name, method.GetCustomAttribute<RequiresAttribute>()!, verb.ToUpperInvariant());

    [Fact]
    public void Every_route_has_limits_of_calls_of_how_many_run_at_once_and_of_its_body()
    {
        Assert.InRange(Routes.Count(), 100, 1000);
        Assert.All(Routes, route =>
        {
            Assert.NotNull(route.Required);
            var cost = CostLimit.Of(route.Required, route.Method);
            var limit = CostLimit.Of(cost);
            Assert.InRange(limit.AtOnce, 1, 1000);
            var body = route.Required.Body > 0 ? route.Required.Body : limit.Body;
            Assert.InRange(body, 1, 10 * 1024 * 1024);
            // Whoever is signed in is counted, whatever he does; who is not may only call what is open.
            var counted = route.Required.Permission is not (Permission.Anonymous or Permission.Operate);
            Assert.Equal(counted, limit.Calls is not null);
            if (limit.Calls is { } bucket) Assert.InRange(new LimitOptions()[bucket].Permits, 1, 10_000);
        });
    }

    [Fact]
    public void Whatever_takes_more_than_a_usual_body_or_reads_everything_says_so()
    {
        Assert.Equal(
            ["Import", "Push", "WebhookN8n"], Routes.Where(route => route.Required.Body > 0).Select(route => route.Name).Order(StringComparer.Ordinal));
        Assert.Superset(
            new HashSet<string> { "Import", "ValueExport", "AuditExport", "ExportDownload", "AuthExportMe" },
            Routes.Where(route => CostLimit.Of(route.Required, route.Method) == Cost.Heavy).Select(route => route.Name).ToHashSet());
    }

    [Fact]
    public async Task A_person_a_token_and_a_business_each_have_their_own_allowance_which_comes_back()
    {
        var guard = Guard((Bucket.Writes, 3), (Bucket.Heavy, 2));
        var write = new RequiresAttribute(Permission.Read);
        for (var i = 0; i < 3; i++) (await guard.EnterAsync("A", write, "POST", s_owner, Cancelled)).Dispose();
        var refused = await Assert.ThrowsAsync<ApiProblem>(() => guard.EnterAsync("B", write, "POST", s_owner, Cancelled));
        Assert.Equal(429, refused.Status);
        Assert.InRange(refused.RetryAfterSeconds!.Value, 1, 60);
        // Reads, other people and tokens of the same business go on.
        (await guard.EnterAsync("A", write, "GET", s_owner, Cancelled)).Dispose();
        (await guard.EnterAsync("A", write, "POST", s_owner with { UserId = Guid.NewGuid() }, Cancelled)).Dispose();
        (await guard.EnterAsync("A", write, "POST", s_owner with { UserId = null, TokenId = Guid.NewGuid() }, Cancelled)).Dispose();

        // What is heavy is the business's, whoever asks.
        var heavy = new RequiresAttribute(Permission.Read) { Cost = Cost.Heavy };
        for (var i = 0; i < 2; i++) (await guard.EnterAsync("H", heavy, "GET", s_owner with { UserId = Guid.NewGuid() }, Cancelled)).Dispose();
        await Assert.ThrowsAsync<ApiProblem>(() => guard.EnterAsync("H", heavy, "GET", s_owner with { UserId = Guid.NewGuid() }, Cancelled));
        (await guard.EnterAsync("H", heavy, "GET", s_owner with { TenantId = Guid.NewGuid() }, Cancelled)).Dispose();

        s_time.Advance(TimeSpan.FromMinutes(1));
        (await guard.EnterAsync("A", write, "POST", s_owner, Cancelled)).Dispose();
    }

    [Fact]
    public async Task Heavy_work_of_a_business_runs_two_at_a_time_the_next_wait_their_turn_and_too_many_are_refused()
    {
        var guard = Guard();
        var heavy = new RequiresAttribute(Permission.Read) { Cost = Cost.Heavy };
        var (one, two) = (await guard.EnterAsync("H", heavy, "POST", s_owner, Cancelled), await guard.EnterAsync("H", heavy, "POST", s_owner, Cancelled));
        var waiting = Enumerable.Range(0, CostLimit.Waiting).Select(_ => guard.EnterAsync("H", heavy, "POST", s_owner, Cancelled)).ToList();
        Assert.All(waiting, entry => Assert.False(entry.IsCompleted));
        await Assert.ThrowsAsync<ApiProblem>(() => guard.EnterAsync("H", heavy, "POST", s_owner, Cancelled));
        // Another business waits for nobody.
        (await guard.EnterAsync("H", heavy, "POST", s_owner with { TenantId = Guid.NewGuid() }, Cancelled)).Dispose();
        one.Dispose();
        one.Dispose();
        two.Dispose();
        foreach (var entry in waiting) (await entry).Dispose();
        (await guard.EnterAsync("H", heavy, "POST", s_owner, Cancelled)).Dispose();
    }

    [Fact]
    public async Task An_open_route_runs_so_many_times_at_once_and_the_others_are_asked_to_come_back()
    {
        var guard = Guard();
        var open = new RequiresAttribute(Permission.Anonymous);
        var entered = new List<IDisposable>();
        for (var i = 0; i < CostLimit.Of(Cost.Open).AtOnce; i++) entered.Add(await guard.EnterAsync("Login", open, "POST", null, Cancelled));
        await Assert.ThrowsAsync<ApiProblem>(() => guard.EnterAsync("Login", open, "POST", null, Cancelled));
        (await guard.EnterAsync("Health", open, "GET", null, Cancelled)).Dispose();
        entered[0].Dispose();
        (await guard.EnterAsync("Login", open, "POST", null, Cancelled)).Dispose();
    }

    [Fact]
    public void A_body_that_says_that_it_is_too_large_is_refused_before_anything_else()
    {
        foreach (var route in Routes)
        {
            var http = new DefaultHttpContext();
            http.Request.Method = route.Method;
            var most = route.Required.Body > 0 ? route.Required.Body : JsonBody.DefaultLimit;
            http.Request.ContentLength = most;
            CostGuard.ThrowIfTooLarge(http.Request, route.Required);
            http.Request.ContentLength = most + 1;
            Assert.Equal(413, Assert.Throws<ApiProblem>(() => CostGuard.ThrowIfTooLarge(http.Request, route.Required)).Status);
        }
    }

    [Fact]
    public async Task Large_bodies_are_paid_for_as_they_are_read_and_small_ones_cost_nothing()
    {
        var guard = Guard((Bucket.HeavyBytes, 10));
        var large = new RequiresAttribute(Permission.Push) { Body = 10 * 1024 * 1024 };
        for (var i = 0; i < 100; i++) Assert.Equal(60_000, await ReadAsync(guard.Metered(new MemoryStream(new byte[60_000]), large, s_owner)));
        Assert.Equal(640 * 1024, await ReadAsync(guard.Metered(new MemoryStream(new byte[640 * 1024]), large, s_owner)));
        await Assert.ThrowsAsync<ApiProblem>(() => ReadAsync(guard.Metered(new MemoryStream(new byte[640 * 1024]), large, s_owner)));
        Assert.Equal(640 * 1024, await ReadAsync(guard.Metered(new MemoryStream(new byte[640 * 1024]), large, s_owner with { TenantId = Guid.NewGuid() })));
    }

    private static async Task<long> ReadAsync(Stream stream)
    {
        var buffer = new byte[8192];
        var total = 0L;
        int read;
        while ((read = await stream.ReadAsync(buffer, Cancelled)) > 0) total += read;
        return total;
    }

    private static CostGuard Guard(params (Bucket Bucket, int Permits)[] limits)
    {
        var options = new LimitOptions();
        foreach (var (bucket, permits) in limits) options[bucket] = new Limit { Permits = permits, Period = TimeSpan.FromMinutes(1) };
        return new CostGuard(Mock.Of<IOptionsMonitor<LimitOptions>>(monitor => monitor.CurrentValue == options), s_time);
    }
}
