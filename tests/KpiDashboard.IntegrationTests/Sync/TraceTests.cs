using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.IntegrationTests.Access;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.Security;
using KpiDashboard.Sync;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

/// <summary>In the whole app: one trace from what started a sync to the provider and to SQL.</summary>
[Collection(SecondAppCollection.Name)]
public sealed class TraceTests(AppFixture app)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_trace_leads_from_the_timer_through_the_messages_to_connector_provider_and_SQL()
    {
        await using var world = new AccessWorld(app);
        using var spans = new Spans();
        var tenant = await AddAsync(world, DateTimeOffset.UtcNow.AddMinutes(-1));
        using var client = app.Anonymous();
        client.DefaultRequestHeaders.Add("x-functions-key", AppFixture.MasterKey);
        using var response = await client.PostAsync("admin/functions/ScheduleSyncs", new StringContent("{}", Encoding.UTF8, "application/json"), Cancel);
        Assert.True(response.IsSuccessStatusCode);
        await AssertOneTraceAsync(world, spans, tenant, "function ScheduleSyncs", null);
    }

    [Fact]
    public async Task One_trace_leads_from_an_HTTP_request_and_its_caller_to_provider_and_SQL()
    {
        await using var world = new AccessWorld(app);
        using var spans = new Spans();
        var tenant = await AddAsync(world, null);
        var trace = ActivityTraceId.CreateRandom();
        using var client = app.Anonymous();
        client.DefaultRequestHeaders.Add("X-Kpi-Token", (await world.PersonAsync(tenant, "owner")).Token);
        client.DefaultRequestHeaders.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
        Activity.Current = null;
        await client.SendJsonAsync(HttpMethod.Post, "api/sync/refresh");
        await AssertOneTraceAsync(world, spans, tenant, "function SyncRefresh", trace.ToString());
    }

    private static async Task AssertOneTraceAsync(AccessWorld world, Spans spans, Guid tenant, string begin, string? trace)
    {
        await Eventually.TrueAsync(
            async () => (await world.QueryAsync<string>("select status from sync_runs where tenant_id = @tenant", new { tenant })) is ["succeeded"], TimeSpan.FromMinutes(1), "the run succeeds");
        var (run, traceparent) = (await world.QueryAsync<(Guid, string)>("select id, traceparent from sync_runs where tenant_id = @tenant", new { tenant })).Single();
        var id = traceparent.Split('-')[1];
        if (trace is not null) Assert.Equal(trace, id);

        List<Activity> ofTrace = [];
        await Eventually.TrueAsync(() =>
        {
            ofTrace = spans.Of(id);
            // A timer goes on with other work after what it put into the queues is done already.
            return Task.FromResult(ofTrace.Count(IsStep) >= 5 && ofTrace.Any(span => span.OperationName == begin));
        }, TimeSpan.FromMinutes(1), "the spans of the steps and of what began are over");
        var first = Assert.Single(ofTrace, span => span.OperationName == begin);
        var steps = ofTrace.Where(IsStep).ToList();
        Assert.Equal("KpiDashboard.Sync", steps[0].Source.Name);
        Assert.All(steps, step => Assert.Contains(first, Ancestors(step)));

        // Every step called the provider and the database, and their spans hang on it.
        Assert.All(steps, step =>
        {
            Assert.Contains(ofTrace, span => span.Source.Name == "System.Net.Http" && $"{span.GetTagItem("url.full")}".Contains(":batchRunReports", StringComparison.Ordinal) && Ancestors(span).Contains(step));
            Assert.Contains(ofTrace, span => span.Source.Name == "Npgsql" && Ancestors(span).Contains(step));
        });

        // One tick claims whatever is due, of other tests too; and a message that comes twice does nothing the second time.
        bool IsStep(Activity span) =>
            span.OperationName == "sync step" && Equals(span.GetTagItem("kpi.run"), run) && span.GetTagItem("kpi.outcome") is not null;

        IEnumerable<Activity> Ancestors(Activity span)
        {
            for (var at = span; ofTrace.FirstOrDefault(other => other.SpanId == at.ParentSpanId) is { } parent; at = parent) yield return parent;
        }
    }

    private async Task<Guid> AddAsync(AccessWorld world, DateTimeOffset? due)
    {
        var (tenant, integration, lectures) = (Guid.NewGuid(), Guid.NewGuid(), DemoWorld.Tenants[1]);
        await world.ExecuteAsync(
            """
            insert into tenants (id, name, time_zone, currency) values (@tenant, 'Traced', 'Europe/London', 'GBP');
            insert into integrations (tenant_id, id, connector, display_name, settings, credentials, next_due_at)
            values (@tenant, @integration, 'google-analytics', 'Google Analytics', @settings::jsonb, @credentials, @due);
            """,
            new
            {
                tenant,
                integration,
                settings = JsonSerializer.Serialize(new { propertyId = lectures.Ga4PropertyId }),
                credentials = app.Services.GetRequiredService<SecretSealer>().Seal(JsonSerializer.Serialize(new { refreshToken = lectures.GoogleRefreshToken }), SyncRunner.CredentialPurpose(integration)),
                due,
            });
        return tenant;
    }

    private sealed class Spans : IDisposable
    {
        private readonly ConcurrentQueue<Activity> _stopped = new();
        private readonly ActivityListener _listener;

        public Spans()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = _ => true,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = _stopped.Enqueue,
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public List<Activity> Of(string trace) => [.. _stopped.Where(span => span.TraceId.ToString() == trace)];

        public void Dispose() => _listener.Dispose();
    }
}
