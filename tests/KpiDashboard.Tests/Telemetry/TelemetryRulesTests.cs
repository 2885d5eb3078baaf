using System.Diagnostics;
using System.Text.Json;
using KpiDashboard.Api;
using KpiDashboard.Connectors.GoogleAnalytics;
using KpiDashboard.Data;
using KpiDashboard.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using OpenTelemetry.Trace;
using Xunit;

namespace KpiDashboard.Tests.Telemetry;

/// <summary>What is told of whom, and how much of it.</summary>
public sealed class TelemetryRulesTests
{
    /// <summary>The same as <c>printf %s 0b8e… | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f | cut -c1-16</c>, as docs/operations.md says.</summary>
    [Fact]
    public void A_tenant_is_hashed_so_that_openssl_can_do_it_too()
    {
        var key = Enumerable.Range(0, 32).Select(number => (byte)number).ToArray();
        Assert.Equal("5bdcd36132e1b54f", TenantHash.Of(Guid.Parse("0b8e6f0e-3b5a-4a52-9d55-1f7f7a3a6a11"), key));
        Assert.Null(new TenantHash(Options.Create(new TelemetryOptions())).Of(Guid.NewGuid()));
    }

    [Theory]
    [InlineData("No mail to anna.b+x@shop.example today", "No mail to … today")]
    [InlineData("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_ is old", "token … is old")]
    [InlineData("Authorization: Bearer abc.def", "Authorization: Bearer …")]
    [InlineData("Name or service not known (n8n.acme.example:443)", "Name or service not known (…)")]
    [InlineData("Host=db;Password=s3cret;Port=1", "Host=db;Password=…;Port=1")]
    [InlineData("Run 6f9619ff-8b86-d011-b42d-00cf4fc964ff of n8n succeeded: 3 values changed, 0 restated", "Run 6f9619ff-8b86-d011-b42d-00cf4fc964ff of n8n succeeded: 3 values changed, 0 restated")]
    public void Texts_lose_addresses_tokens_and_servers_and_nothing_else(string text, string masked) => Assert.Equal(masked, Mask.Of(text));

    [Theory]
    [InlineData("https://analyticsdata.googleapis.com/v1beta/properties/123456789:batchRunReports", "https://analyticsdata.googleapis.com/v1beta/properties/{id}:batchRunReports")]
    [InlineData("https://n8n.acme.example/api/v1/executions/4711?apiKey=x", "https://(a business's own server)/api/v1/executions/{id}")]
    [InlineData("https://kpistore.queue.core.windows.net/sync-n8n/messages", "https://kpistore.queue.core.windows.net/sync-n8n/messages")]
    [InlineData("http://127.0.0.1:7071/v1beta/properties/1:batchRunReports", "http://127.0.0.1:7071/v1beta/properties/{id}:batchRunReports")]
    [InlineData("https://notgoogleapis.com/a", "https://(a business's own server)/a")]
    [InlineData("nonsense", "(an address)")]
    public void Addresses_of_businesses_are_not_told(string address, string told) => Assert.Equal(told, SpanGuard.AddressOf(address));

    [Theory]
    [InlineData("function MetricsSummary", ActivityKind.Internal, SamplingDecision.RecordOnly)]
    [InlineData("function HealthReady", ActivityKind.Internal, SamplingDecision.RecordOnly)]
    [InlineData("function SyncRefresh", ActivityKind.Internal, SamplingDecision.RecordAndSample)]
    [InlineData("function ScheduleSyncs", ActivityKind.Internal, SamplingDecision.RecordAndSample)]
    [InlineData("function SyncN8n", ActivityKind.Internal, SamplingDecision.RecordAndSample)]
    [InlineData("sync step", ActivityKind.Consumer, SamplingDecision.RecordAndSample)]
    [InlineData("GET", ActivityKind.Client, SamplingDecision.RecordOnly)]
    public void Everything_but_reads_is_sampled_whatever_a_caller_says(string name, ActivityKind kind, SamplingDecision expected)
    {
        var sampler = Sampler(0);
        foreach (var flags in (ActivityTraceFlags[])[ActivityTraceFlags.None, ActivityTraceFlags.Recorded])
        {
            // What belongs to a span of ours follows that; only what enters the app decides anew.
            if (kind == ActivityKind.Client && flags == ActivityTraceFlags.Recorded) continue;
            var parent = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), flags);
            Assert.Equal(expected, sampler.ShouldSample(new SamplingParameters(parent, parent.TraceId, name, kind)).Decision);
        }
    }

    [Fact]
    public void Of_1000_reads_with_a_ratio_of_a_quarter_about_250_are_sampled_and_say_what_they_stand_for()
    {
        var sampler = Sampler(0.25);
        var sampled = 0;
        for (var number = 0; number < 1000; number++)
        {
            var result = sampler.ShouldSample(new SamplingParameters(default, ActivityTraceId.CreateRandom(), "function MetricsSummary", ActivityKind.Internal));
            if (result.Decision != SamplingDecision.RecordAndSample) continue;
            sampled++;
            Assert.Equal(25f, Assert.Single(result.Attributes, attribute => attribute.Key == "microsoft.sample_rate").Value);
        }

        Assert.InRange(sampled, 180, 320);
    }

    [Theory]
    [InlineData(-0.1, "", false)]
    [InlineData(1.1, "", false)]
    [InlineData(1, "c2hvcnQ=", false)]
    [InlineData(0, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", true)]
    public void Settings_are_checked(double ratio, string key, bool valid)
    {
        var options = new TelemetryOptions { ReadSamplingRatio = ratio, TenantKey = key };
        Assert.Equal(valid, TelemetryOptions.RatioIsValid(options) && TelemetryOptions.KeyIsValid(options));
    }

    [Theory]
    [InlineData("Entra", "00:55:00", true)]
    [InlineData("password", "00:55:00", true)]
    [InlineData("Entry", "00:55:00", false)]
    [InlineData("Entra", "1.00:00:00", false)]
    public void How_to_sign_in_to_Postgres_is_checked(string authentication, string refresh, bool valid) =>
        Assert.Equal(valid, PostgresOptions.IsValid(new PostgresOptions { Authentication = authentication, TokenRefresh = TimeSpan.Parse(refresh, System.Globalization.CultureInfo.InvariantCulture) }));

    [Theory]
    [InlineData("Authorization=AAD;ClientId=11111111-2222-3333-4444-555555555555", true)]
    [InlineData("authorization = aad", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("Authorization=Key", false)]
    public void Application_Insights_gets_a_token_only_if_asked_for(string? text, bool token) => Assert.Equal(token, AzureIdentity.OfAuthenticationString(text) is not null);

    [Fact]
    public void In_Azure_nobody_but_the_platform_is_asked_who_we_are()
    {
        IConfiguration azure = new ConfigurationBuilder().AddInMemoryCollection([new("IDENTITY_ENDPOINT", "http://localhost/msi/token"), new("S:credential", "ManagedIdentity")]).Build();
        IConfiguration here = new ConfigurationBuilder().Build();
        Assert.IsType<Azure.Identity.ManagedIdentityCredential>(AzureIdentity.Of(azure));
        Assert.IsType<Azure.Identity.ManagedIdentityCredential>(AzureIdentity.OfConnection(azure, "S"));
        Assert.IsType<Azure.Identity.DefaultAzureCredential>(AzureIdentity.Of(here));
    }

    [Fact]
    public void What_is_left_of_each_allowance_is_a_part_of_1()
    {
        var quota = JsonDocument.Parse("""{"tokensPerDay":{"consumed":1,"remaining":50000},"tokensPerHour":{"consumed":40000},"concurrentRequests":{"remaining":10},"tokensPerProjectPerHour":7}""").RootElement;
        var left = GoogleAnalyticsQuota.Remaining(quota);
        Assert.Equal(["tokensPerDay", "tokensPerHour"], left.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((0.25, 0), (left["tokensPerDay"], left["tokensPerHour"]));
        Assert.Empty(GoogleAnalyticsQuota.Remaining(null));
    }

    private static KpiSampler Sampler(double ratio) =>
        new(Options.Create(new TelemetryOptions { ReadSamplingRatio = ratio }), new TriggerAssembly(typeof(Functions.App).Assembly));
}
