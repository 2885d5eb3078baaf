using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.LocalHost.Embedded;
using Xunit;

[assembly: AssemblyFixture(typeof(AzuriteFixture))]

namespace KpiDashboard.IntegrationTests.Embedded;

/// <summary>
/// One real storage emulator, in memory, for the whole test run. Tests share its queues: use names of your own.
/// <c>KPI_TEST_STORAGE</c> (a connection string) replaces it.
/// </summary>
public sealed class AzuriteFixture : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private EmbeddedAzurite? _server;

    /// <summary>What <c>AzureWebJobsStorage</c> wants.</summary>
    public string ConnectionString { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("KPI_TEST_STORAGE") is { Length: > 0 } given)
        {
            ConnectionString = given;
            return;
        }
        _server = await EmbeddedAzurite.StartAsync(
            new EmbeddedAzuriteOptions { DataDirectory = _folder["azurite"], InMemory = true },
            TestContext.Current.CancellationToken
        );
        ConnectionString = _server.ConnectionString;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        _folder.Dispose();
    }
}
