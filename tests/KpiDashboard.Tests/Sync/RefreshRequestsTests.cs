using KpiDashboard.Api;
using KpiDashboard.Connectors;
using KpiDashboard.Sync;
using Moq;
using Xunit;

namespace KpiDashboard.Tests.Sync;

public sealed class RefreshRequestsTests
{
    [Theory]
    [InlineData("shopify", "There is no connector 'shopify'; there are google-analytics, n8n.")]
    [InlineData(null, "There is no connector 'null'; there are google-analytics, n8n.")]
    [InlineData("a very long name that somebody thought of to fill our logs", "There is no connector 'a very long name that somebody thought o…'; there are google-analytics, n8n.")]
    public async Task A_refresh_of_an_unknown_connector_is_refused_before_anything_starts(string? connector, string sentence)
    {
        var connectors = new[] { "n8n", "google-analytics" }.Select(key => Mock.Of<IConnector>(it => it.Key == key));
        var requests = new RefreshRequests(null!, null!, connectors, TimeProvider.System);
        var problem = await Assert.ThrowsAsync<ApiProblem>(() =>
            requests.StartAsync(Guid.NewGuid(), ["n8n", connector!], "manual", null, TestContext.Current.CancellationToken));
        Assert.Equal([sentence], problem.Errors!["connectors"]);
    }
}
