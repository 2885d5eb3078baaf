using Azure.Storage.Queues;
using KpiDashboard.LocalHost.Embedded;
using Xunit;

namespace KpiDashboard.IntegrationTests.LocalHost;

/// <summary>A real storage emulator of a test class's own, which it may stop and start again.</summary>
public sealed class AzuriteFixture : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private EmbeddedAzurite? _server;

    /// <summary>Of the well-known development account, on this emulator's ports.</summary>
    public string ConnectionString => _server!.ConnectionString;

    public QueueClient Queue(string name, QueueMessageEncoding encoding = QueueMessageEncoding.Base64) =>
        new(ConnectionString, name, new QueueClientOptions { MessageEncoding = encoding });

    public async ValueTask InitializeAsync() => await StartAsync();

    public async Task StartAsync()
    {
        if (_server is null)
            _server = await EmbeddedAzurite.StartAsync(new EmbeddedAzuriteOptions { DataDirectory = _folder.Path }, TestContext.Current.CancellationToken);
        else
            await _server.StartAgainAsync(TestContext.Current.CancellationToken);
    }

    public Task StopAsync() => _server!.StopAsync();

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        _folder.Dispose();
    }
}
