using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Azure.Storage.Queues;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Startup;
using Xunit;

namespace KpiDashboard.IntegrationTests.Embedded;

[Trait("Clock", "none")]
public sealed class EmbeddedAzuriteTests(AzuriteFixture fixture) : IDisposable
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

    [Fact]
    public async Task A_second_copy_on_the_same_directory_and_a_taken_port_are_named()
    {
        await using var azurite = await StartAsync("a");
        var refused = await Assert.ThrowsAsync<StartupException>(() => StartAsync("a"));
        Assert.Contains("in use by another copy", refused.Message, StringComparison.Ordinal);

        refused = await Assert.ThrowsAsync<StartupException>(() =>
            EmbeddedAzurite.StartAsync(new() { DataDirectory = _folder["b"], QueuePort = azurite.QueuePort }, Cancelled)
        );
        Assert.Contains(azurite.QueuePort.ToString(CultureInfo.InvariantCulture), refused.Message, StringComparison.Ordinal);
        Assert.Contains("is taken by another program", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_memory_it_comes_back_on_its_ports_and_empty()
    {
        await using var azurite = await EmbeddedAzurite.StartAsync(new() { DataDirectory = _folder["a"], InMemory = true }, Cancelled);
        var queue = new QueueClient(azurite.ConnectionString, "gone");
        await queue.CreateAsync(cancellationToken: Cancelled);
        await azurite.RestartAsync(Cancelled, crash: true);
        Assert.False(await queue.ExistsAsync(Cancelled));
    }

    [Fact]
    public async Task A_client_that_keeps_its_connection_does_not_hold_up_the_end_and_what_it_sent_is_kept()
    {
        using var client = new TcpClient();
        await using (var azurite = await StartAsync("a"))
        {
            await new QueueClient(azurite.ConnectionString, "kept").CreateAsync(cancellationToken: Cancelled);
            // A request that is answered, and then a connection that nobody closes, as in a pool.
            await client.ConnectAsync(IPAddress.Loopback, azurite.QueuePort, Cancelled);
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), Cancelled);
            Assert.True(await client.GetStream().ReadAsync(new byte[1], Cancelled) == 1);

            var started = Stopwatch.GetTimestamp();
            await azurite.StopAsync();
            // It would be killed after ten seconds.
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(9));
        }

        await using var again = await StartAsync("a");
        Assert.True(await new QueueClient(again.ConnectionString, "kept").ExistsAsync(Cancelled));
    }

    [Fact]
    public async Task The_shared_emulator_takes_and_gives_messages()
    {
        var queue = new QueueClient(fixture.ConnectionString, "q" + Guid.NewGuid().ToString("N"));
        await queue.CreateAsync(cancellationToken: Cancelled);
        await queue.SendMessageAsync("hello", Cancelled);
        Assert.Equal("hello", (await queue.ReceiveMessageAsync(cancellationToken: Cancelled)).Value.MessageText);
    }

    private Task<EmbeddedAzurite> StartAsync(string name) => EmbeddedAzurite.StartAsync(new() { DataDirectory = _folder[name] }, Cancelled);
}
