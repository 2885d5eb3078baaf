using System.Reflection;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Sync;
using Xunit;

namespace KpiDashboard.Tests.Sync;

public sealed class SyncMessageTests
{
    private static string Json(SyncMessage message) => JsonSerializer.Serialize(message, SyncJson.Default.SyncMessage);

    private static SyncMessage? Read(string json) => JsonSerializer.Deserialize(json, SyncJson.Default.SyncMessage);

    [Fact]
    public void A_message_holds_ids_and_counters_and_nothing_that_could_be_a_secret() =>
        Assert.Equal(
            [("IntegrationId", typeof(Guid)), ("RunId", typeof(Guid)), ("Step", typeof(int)), ("TenantId", typeof(Guid)), ("Traceparent", typeof(string)), ("V", typeof(int))],
            typeof(SyncMessage).GetProperties(BindingFlags.Instance | BindingFlags.Public).Select(property => (property.Name, property.PropertyType)).OrderBy(pair => pair.Name));

    [Property(MaxTest = 300)]
    public void A_message_comes_back_as_it_was_sent_and_stays_below_2_KB(DoNotSize<int> version, Guid tenant, Guid integration, Guid run, DoNotSize<int> step, bool traced)
    {
        // W3C: 00-<32>-<16>-<2>.
        var message = new SyncMessage(version.Item, tenant, integration, run, step.Item, traced ? $"00-{run:N}-{tenant.ToString("N")[..16]}-01" : null);
        var json = Json(message);
        Assert.Equal(message, Read(json));
        Assert.True(Convert.ToBase64String(Encoding.UTF8.GetBytes(json)).Length < 2048);
    }

    [Fact]
    public void The_words_on_the_wire_stay_as_they_are()
    {
        var message = new SyncMessage(1, new Guid(1, 0, 0, new byte[8]), new Guid(2, 0, 0, new byte[8]), new Guid(3, 0, 0, new byte[8]), 4, null);
        Assert.Equal(
            """{"v":1,"tenantId":"00000001-0000-0000-0000-000000000000","integrationId":"00000002-0000-0000-0000-000000000000","runId":"00000003-0000-0000-0000-000000000000","step":4}""",
            Json(message));
    }

    [Fact]
    public void A_message_in_other_case_or_with_more_in_it_is_read_as_the_queue_trigger_would()
    {
        var run = Guid.CreateVersion7();
        var read = Read($$"""{"V":1,"TenantID":"{{run}}","INTEGRATIONID":"{{run}}","RunId":"{{run}}","STEP":7,"traceParent":"00-x","later":{"a":[1]} }""");
        Assert.Equal(new SyncMessage(1, run, run, run, 7, "00-x"), read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("[]")]
    [InlineData("{\"v\":\"one\"}")]
    [InlineData("{\"v\":1,\"tenantId\":\"none\"}")]
    public void What_is_no_message_is_a_JSON_error_and_nothing_else(string body) => Assert.Throws<JsonException>(() => Read(body));

    [Fact]
    public void The_queue_of_a_connector_is_named_after_it() => Assert.Equal("sync-google-analytics", SyncQueues.NameOf("google-analytics"));
}
