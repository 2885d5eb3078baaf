using Azure.Storage.Queues;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace KpiDashboard.Tests.LocalHost;

public sealed class HostJsonTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void The_apps_own_file_is_read()
    {
        HostJson read = HostJson.Load(Path.Combine(AppContext.BaseDirectory, "host.json"), new ConfigurationBuilder().Build());

        Assert.Equal("api", read.RoutePrefix);
        Assert.Equal(QueueMessageEncoding.Base64, read.MessageEncoding);
    }

    [Fact]
    public void Without_a_file_the_real_hosts_defaults_hold() =>
        Assert.Equal(new HostJson(), HostJson.Load("/no/such/host.json", new ConfigurationBuilder().Build()));

    [Fact]
    public void Settings_override_the_file_as_in_Azure()
    {
        File.WriteAllText(_path, """{"extensions":{"queues":{"batchSize":4,"messageEncoding":"none"},"http":{"routePrefix":""}},"functionTimeout":"-1"}""");

        HostJson read = HostJson.Load(
            _path, new ConfigurationBuilder().AddInMemoryCollection([new("AzureFunctionsJobHost:extensions:queues:maxDequeueCount", "2")]).Build());

        Assert.Equal(("", 4, 2, 2, QueueMessageEncoding.None, null), (read.RoutePrefix, read.BatchSize, read.NewBatchThreshold, read.MaxDequeueCount, read.MessageEncoding, read.FunctionTimeout));
    }

    [Theory]
    [InlineData("""{"extensions":{"queues":{"batchSize":33}}}""", "extensions:queues:batchSize in host.json must be a whole number from 1 to 32, not 33.")]
    [InlineData("""{"extensions":{"queues":{"visibilityTimeout":"soon"}}}""", "extensions:queues:visibilityTimeout in host.json must be a time such as 00:00:10 of at least 00:00:00, not soon.")]
    [InlineData("""{"extensions":{"queues":{"messageEncoding":"utf8"}}}""", "extensions:queues:messageEncoding in host.json must be base64 or none, not utf8.")]
    [InlineData("""{"extensions":""", "is not valid JSON")]
    public void What_cannot_be_is_a_sentence(string json, string sentence)
    {
        File.WriteAllText(_path, json);

        StartupException e = Assert.Throws<StartupException>(() => HostJson.Load(_path, new ConfigurationBuilder().Build()));

        Assert.Contains(sentence, e.Message, StringComparison.Ordinal);
    }
}
