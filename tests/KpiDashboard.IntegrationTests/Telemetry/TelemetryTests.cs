using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.IntegrationTests.Access;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.Security;
using KpiDashboard.Sync;
using KpiDashboard.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KpiDashboard.IntegrationTests.Telemetry;

/// <summary>
/// Not beside other apps: their meters have the same name, and when one of them is disposed the SDK drops the metric of all that share its identity.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TelemetryCollection
{
    public const string Name = "Telemetry";
}

/// <summary>What really leaves the app, as the receivers see it.</summary>
[Collection(TelemetryCollection.Name)]
public sealed class TelemetryTests(TelemetryFixture app) : IClassFixture<TelemetryFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_sync_is_one_connected_trace_from_timer_to_SQL_and_its_counts_arrive_and_nothing_in_it_tells_whose_it_is()
    {
        await using var world = new AccessWorld(app);
        var lectures = DemoWorld.Tenants[1];
        var tenant = await AddAsync(world, "google-analytics", new { propertyId = lectures.Ga4PropertyId }, new { refreshToken = lectures.GoogleRefreshToken });
        var broken = await AddAsync(world, "n8n", new { baseUrl = "https://n8n.secret-customer.invalid" }, new { apiKey = "n8n-secret-api-key-0123456789" });
        using var client = app.Anonymous();
        client.DefaultRequestHeaders.Add("x-functions-key", AppFixture.MasterKey);
        using var response = await client.PostAsync("admin/functions/ScheduleSyncs", new StringContent("{}", Encoding.UTF8, "application/json"), Cancel);
        Assert.True(response.IsSuccessStatusCode);
        await Eventually.TrueAsync(
            async () => await world.QueryAsync<string>("select status from sync_runs where tenant_id = @tenant", new { tenant }) is ["succeeded"], TimeSpan.FromMinutes(1), "the run succeeds");
        await Eventually.TrueAsync(
            async () => await world.QueryAsync<string>("select status from sync_runs where tenant_id = @broken", new { broken }) is ["waiting" or "failed"], TimeSpan.FromMinutes(1), "the other run does not");
        var (run, traceparent) = (await world.QueryAsync<(Guid, string)>("select id, traceparent from sync_runs where tenant_id = @tenant", new { tenant })).Single();

        IReadOnlyList<JsonNode> trace = [];
        await Eventually.TrueAsync(() =>
        {
            app.Flush();
            trace = [.. app.Insights.Items.Where(item => Tag(item, "ai.operation.id") == traceparent.Split('-')[1] && Kind(item) is "RequestData" or "RemoteDependencyData")];
            return Task.FromResult(trace.Count(item => Name(item) == "sync step" && Property(item, "kpi.run") == run.ToString() && Property(item, "kpi.outcome") == "succeeded") >= 5);
        }, TimeSpan.FromMinutes(1), "the trace arrives");

        var timer = Assert.Single(trace, item => Name(item) == "function ScheduleSyncs");
        var steps = trace.Where(item => Name(item) == "sync step" && Property(item, "kpi.run") == run.ToString()).ToList();
        var hash = TenantHash.Of(tenant, TelemetryFixture.TenantKey);
        foreach (var step in steps.Where(step => Property(step, "kpi.outcome") is not null))
        {
            Assert.Contains(timer, Ancestors(step, trace));
            Assert.Equal(hash, Property(step, "kpi.tenant"));
            var fetch = Assert.Single(trace, item => Name(item) == "fetch google-analytics" && Ancestors(item, trace).Contains(step) && Ancestors(item, trace).First() == step);
            Assert.Contains(trace, item => $"{Data(item)["data"]}".EndsWith("/v1beta/properties/{id}:batchRunReports", StringComparison.Ordinal) && Ancestors(item, trace).Contains(fetch));
            Assert.Contains(trace, item => $"{Data(item)["data"]}".Contains("update sync_runs", StringComparison.Ordinal) && Ancestors(item, trace).Contains(step));
        }

        await CountedAsync("kpi.sync.runs", () => Sum("kpi.sync.runs", ("connector", "google-analytics"), ("outcome", "succeeded")) >= 1);
        await CountedAsync("kpi.sync.readings", () => Sum("kpi.sync.readings", ("connector", "google-analytics")) > 100);
        await CountedAsync("kpi.provider.duration", () => Sum("kpi.provider.duration", ("connector", "google-analytics"), ("outcome", "succeeded")) > 0);
        await CountedAsync("kpi.sync.waits", () => Sum("kpi.sync.waits", ("connector", "n8n"), ("reason", "provider_down")) + Sum("kpi.sync.runs", ("connector", "n8n"), ("outcome", "failed")) >= 1);
        // What the host answers itself, as health/ready while the demo is made, the app does not count.
        using (var refused = await client.GetAsync(new Uri("api/auth/me", UriKind.Relative), Cancel))
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        await CountedAsync("kpi.api.duration", () => Sum("kpi.api.duration", ("route", "auth/me"), ("status", "401")) > 0);
        foreach (var gauge in (string[])["kpi.queue.age", "kpi.queue.length"]) Assert.NotEmpty(Metrics(gauge, ("queue", "sync-n8n")));
        foreach (var gauge in (string[])["kpi.dead_letters.open", "kpi.timer.heartbeat.age"]) Assert.NotEmpty(Metrics(gauge));
        Assert.All(Metrics("kpi.provider.quota.remaining", ("connector", "google-analytics"), ("quota", "tokensPerDay")), value => Assert.InRange(value, 0, 1));
        Assert.NotEmpty(Metrics("kpi.provider.quota.remaining", ("connector", "google-analytics"), ("quota", "tokensPerDay")));

        // The failed fetch of the other business is an error, and its server is nobody's business.
        Assert.Contains(app.Insights.Items, item => Kind(item) is "RequestData" or "RemoteDependencyData" && Name(item) == "fetch n8n" && !(bool)Data(item)["success"]!);
        await AssertNothingPersonalAsync(world, [tenant, broken]);
    }

    [Fact]
    public async Task With_a_sampling_ratio_of_0_reads_leave_no_trace_but_errors_do()
    {
        await using var world = new AccessWorld(app);
        using var client = await app.SignInAsync();
        const string Read = "api/metrics/summary", Broken = "api/automation/performance";
        var before = await client.GetAsync(new Uri(Read, UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        await world.ExecuteAsync("revoke select on workflows from kpi_app", new { });
        try
        {
            using var failed = await client.GetAsync(new Uri(Broken, UriKind.Relative), Cancel);
            Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);
        }
        finally
        {
            await world.ExecuteAsync("grant select on workflows to kpi_app", new { });
        }

        JsonNode? span = null;
        await Eventually.TrueAsync(() =>
        {
            app.Flush();
            span = app.Insights.Items.FirstOrDefault(item => Kind(item) is "RequestData" or "RemoteDependencyData" && Property(item, "faas.name") == "AutomationPerformance");
            return Task.FromResult(span is not null);
        }, TimeSpan.FromSeconds(30), "the failed request arrives");
        Assert.False((bool)Data(span!)["success"]!);
        Assert.True(span!.ToJsonString().Contains("automation/performance", StringComparison.Ordinal), span.ToJsonString());
        Assert.Equal(TenantHash.Of(DemoSeeder.TenantId("Merch Shop"), TelemetryFixture.TenantKey), Property(span!, "kpi.tenant"));
        var trace = Tag(span!, "ai.operation.id");
        // What failed in it, and what was logged, belong to the same trace.
        await Eventually.TrueAsync(() =>
        {
            app.Flush();
            return Task.FromResult(
                app.Insights.Items.Any(item => Kind(item) == "RemoteDependencyData" && Tag(item, "ai.operation.id") == trace && !(bool)Data(item)["success"]!
                    && $"{Data(item)["data"]}".Contains("workflows", StringComparison.Ordinal))
                && app.Insights.Items.Any(item => Kind(item) == "ExceptionData" && Tag(item, "ai.operation.id") == trace
                    && Data(item).ToJsonString().Contains("permission denied for table workflows", StringComparison.Ordinal)));
        }, TimeSpan.FromSeconds(30), "what failed in it, and what was logged, arrive");
        Assert.DoesNotContain(app.Insights.Items, item => Kind(item) is "RequestData" or "RemoteDependencyData" && Property(item, "faas.name") == "MetricsSummary");
        await CountedAsync("kpi.api.duration of 500", () => Sum("kpi.api.duration", ("route", "automation/performance"), ("status", "500")) > 0);
        await CountedAsync("kpi.api.duration of 200", () => Sum("kpi.api.duration", ("route", "metrics/summary"), ("status", "200")) > 0);
        await AssertNothingPersonalAsync(world, []);
    }

    [Fact]
    public async Task A_caller_cannot_have_his_reads_traced()
    {
        using var client = await app.SignInAsync();
        var trace = System.Diagnostics.ActivityTraceId.CreateRandom().ToString();
        client.DefaultRequestHeaders.Add("traceparent", $"00-{trace}-{System.Diagnostics.ActivitySpanId.CreateRandom()}-01");
        await client.GetJsonAsync("api/kpis");
        app.Flush();
        var told = app.Insights.Items.FirstOrDefault(item => Tag(item, "ai.operation.id") == trace);
        Assert.True(told is null, told?.ToJsonString());
    }

    [Fact]
    public async Task A_collector_gets_the_same_over_OTLP()
    {
        using var client = await app.SignInAsync();
        await Eventually.TrueAsync(() =>
        {
            app.Flush();
            return Task.FromResult(app.Collector.Received.Select(request => request.Path).Distinct().Order().SequenceEqual(["/v1/logs", "/v1/metrics", "/v1/traces"]));
        }, TimeSpan.FromMinutes(1), "all three signals arrive");
        Assert.Contains(app.Collector.Received, request => request.Path == "/v1/traces" && Has(request.Body, "sync step"));
        foreach (var name in (string[])["kpi.sync.runs", "kpi.api.duration", "kpi.timer.heartbeat.age"])
            Assert.Contains(app.Collector.Received, request => request.Path == "/v1/metrics" && Has(request.Body, name));
        Assert.All(app.Collector.Received, request => Assert.False(Has(request.Body, DemoSeeder.OwnerEmail)));
    }

    private async Task AssertNothingPersonalAsync(AccessWorld world, IReadOnlyList<Guid> tenants)
    {
        var names = await world.QueryAsync<string>("select name from tenants union select email from users");
        var ids = (await world.QueryAsync<Guid>("select id from tenants union select id from users")).Concat(tenants).Select(id => id.ToString());
        string[] secrets =
        [
            .. names, .. ids, .. DemoWorld.Tenants.Select(one => one.GoogleRefreshToken).OfType<string>(), DemoSeeder.OwnerEmail, DemoSeeder.Password,
            "n8n-secret-api-key-0123456789", "secret-customer", "eyJhbGci",
        ];
        Assert.True(secrets.Length > 12);
        foreach (var (path, _, body) in app.Insights.Received.Concat(app.Collector.Received))
        {
            foreach (var secret in secrets) Assert.False(Has(body, secret), $"{path} got '{secret}': {Around(body, secret)}");
        }
    }

    private static string Around(byte[] body, string secret)
    {
        var text = Encoding.UTF8.GetString(body);
        var at = text.IndexOf(secret, StringComparison.OrdinalIgnoreCase);
        return at < 0 ? "" : text[Math.Max(0, at - 200)..Math.Min(text.Length, at + 200)];
    }

    private static bool Has(byte[] body, string text) => Encoding.UTF8.GetString(body).Contains(text, StringComparison.OrdinalIgnoreCase);

    private async Task<Guid> AddAsync(AccessWorld world, string connector, object settings, object credentials)
    {
        var (tenant, integration) = (Guid.NewGuid(), Guid.NewGuid());
        await world.ExecuteAsync(
            """
            insert into tenants (id, name, time_zone, currency) values (@tenant, @name, 'Europe/London', 'GBP');
            insert into integrations (tenant_id, id, connector, display_name, settings, credentials, next_due_at)
            values (@tenant, @integration, @connector, @connector, @settings::jsonb, @credentials, @due);
            """,
            new
            {
                tenant,
                name = $"Secret Business {tenant:N}",
                integration,
                connector,
                settings = JsonSerializer.Serialize(settings),
                credentials = app.Services.GetRequiredService<SecretSealer>().Seal(JsonSerializer.Serialize(credentials), SyncRunner.CredentialPurpose(integration)),
                due = DateTimeOffset.UtcNow.AddMinutes(-1),
            });
        return tenant;
    }

    private static string Kind(JsonNode item) => $"{item["data"]!["baseType"]}";

    private static JsonNode Data(JsonNode item) => item["data"]!["baseData"]!;

    private static string Name(JsonNode item) => $"{Data(item)["name"]}";

    private static string? Tag(JsonNode item, string name) => item["tags"]?[name]?.GetValue<string>();

    private static string? Property(JsonNode item, string name) => Data(item)["properties"]?[name]?.GetValue<string>();

    private static IEnumerable<JsonNode> Ancestors(JsonNode item, IReadOnlyList<JsonNode> trace)
    {
        for (var at = item; trace.FirstOrDefault(other => $"{Data(other)["id"]}" == Tag(at, "ai.operation.parentId")) is { } parent; at = parent) yield return parent;
    }

    private IReadOnlyList<double> Metrics(string name, params (string Key, string Value)[] dimensions) =>
    [
        .. from item in app.Insights.Items
           where Kind(item) == "MetricData" && dimensions.All(dimension => Property(item, dimension.Key) == dimension.Value)
           from metric in Data(item)["metrics"]!.AsArray()
           where $"{metric!["name"]}" == name
           select metric!["value"]!.GetValue<double>(),
    ];

    /// <summary>What is counted is counted after it was written to the database or sent: whoever sees that may be a moment early.</summary>
    private Task CountedAsync(string what, Func<bool> counted) => Eventually.TrueAsync(
        () =>
        {
            app.Flush();
            return Task.FromResult(counted());
        }, TimeSpan.FromSeconds(30), $"{what} arrives");

    private double Sum(string name, params (string Key, string Value)[] dimensions) => Metrics(name, dimensions).Sum();
}
