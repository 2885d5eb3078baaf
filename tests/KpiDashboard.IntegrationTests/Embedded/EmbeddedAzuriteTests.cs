using Azure.Storage.Queues;
using KpiDashboard.LocalHost.Embedded;
using Xunit;

namespace KpiDashboard.IntegrationTests.Embedded;

public sealed class EmbeddedAzuriteTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_message_survives_stop_start_and_restart()
    {
        await using (var azurite = await StartAsync("a"))
        {
            var queue = new QueueClient(azurite.ConnectionString, "kept");
            await queue.CreateAsync(cancellationToken: Cancelled);
            await queue.SendMessageAsync("hello", Cancelled);
        }
        await using (var azurite = await StartAsync("a"))
        {
            var queue = new QueueClient(azurite.ConnectionString, "kept");
            Assert.Equal("hello", (await queue.PeekMessageAsync(Cancelled)).Value.MessageText);
            var (blob, queuePort) = (azurite.BlobPort, azurite.QueuePort);
            await azurite.RestartAsync(Cancelled);
            Assert.Equal((blob, queuePort), (azurite.BlobPort, azurite.QueuePort));
            Assert.Equal("hello", (await queue.PeekMessageAsync(Cancelled)).Value.MessageText);
        }
    }

    private Task<EmbeddedAzurite> StartAsync(string name) => EmbeddedAzurite.StartAsync(new() { DataDirectory = _folder[name] }, Cancelled);
}
