using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.N8n;
using KpiDashboard.Demo.Simulation;
using KpiDashboard.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KpiDashboard.IntegrationTests.Connectors;

/// <summary>The guard with the client that n8n is asked with, on real sockets; names resolve as a test says.</summary>
[Trait("Clock", "none")]
public sealed class OutboundGuardOnSocketsTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("10.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("fd00:ec2::254")]
    public async Task A_name_that_leads_inside_is_not_connected_to(string address)
    {
        var (server, hits) = await ServeAsync(200, "{}");
        await using var _ = server;
        await using var services = Services(server.BaseAddress.Port, (_, _) => Task.FromResult(new[] { IPAddress.Parse(address) }));
        var error = await Assert.ThrowsAnyAsync<HttpRequestException>(() => Client(services).GetAsync($"http://n8n.example.com:{server.BaseAddress.Port}/", Ct));
        Assert.Contains("n8n.example.com is not an address on the internet", OutboundRefusedException.In(error)!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(address, OutboundRefusedException.In(error)!.Message, StringComparison.Ordinal);
        Assert.Equal(0, hits());
    }

    [Fact]
    public async Task One_inner_address_among_outer_ones_is_enough_to_refuse_a_name()
    {
        var (server, hits) = await ServeAsync(200, "{}");
        await using var _ = server;
        await using var services = Services(server.BaseAddress.Port, (_, _) => Task.FromResult(new[] { IPAddress.Parse("8.8.8.8"), IPAddress.Loopback }));
        var error = await Assert.ThrowsAnyAsync<HttpRequestException>(() => Client(services).GetAsync($"http://n8n.example.com:{server.BaseAddress.Port}/", Ct));
        Assert.NotNull(OutboundRefusedException.In(error));
        Assert.Equal(0, hits());
    }

    [Fact]
    public async Task A_name_is_resolved_once_for_a_connection_and_what_was_checked_is_what_is_connected_to()
    {
        var (server, hits) = await ServeAsync(200, "{}");
        await using var _ = server;
        var asked = 0;
        // Named by the operator, so that loopback counts as outside: the second answer would lead to an address that nobody may reach.
        await using var services = Services(
            server.BaseAddress.Port, (_, _) => Task.FromResult(new[] { ++asked == 1 ? IPAddress.Loopback : IPAddress.Parse("169.254.169.254") }), $"rebinding.example:{server.BaseAddress.Port}");
        using (var answer = await Client(services).GetAsync($"http://rebinding.example:{server.BaseAddress.Port}/", Ct)) Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal((1, 1), (asked, hits()));

        // A new connection asks again, and is refused.
        await using var fresh = Services(server.BaseAddress.Port, (_, _) => Task.FromResult(new[] { IPAddress.Parse("169.254.169.254") }), $"rebinding.example:{server.BaseAddress.Port}");
        var error = await Assert.ThrowsAnyAsync<HttpRequestException>(() => Client(fresh).GetAsync($"http://rebinding.example:{server.BaseAddress.Port}/", Ct));
        Assert.NotNull(OutboundRefusedException.In(error));
        Assert.Equal(1, hits());
    }

    [Fact]
    public async Task A_redirect_inside_is_not_followed()
    {
        var (inner, innerHits) = await ServeAsync(200, "{}");
        await using var _ = inner;
        var (outer, _) = await ServeAsync(302, "", inner.BaseAddress.ToString());
        await using var __ = outer;
        await using var services = Services(outer.BaseAddress.Port, Dns.GetHostAddressesAsync, outer.BaseAddress.Authority);
        using (var answer = await Client(services).GetAsync(outer.BaseAddress, Ct)) Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        var outcome = await FetchAsync(services, outer.BaseAddress.ToString());
        Assert.Contains("sends us on", Assert.IsType<RequestRefused>(outcome).Reason, StringComparison.Ordinal);
        Assert.Equal(0, innerHits());
    }

    [Theory]
    [InlineData("https://localhost", "not an address on the internet")]
    [InlineData("https://127.0.0.1:5678", "not an address on the internet")]
    [InlineData("http://n8n.example.com", "https://")]
    [InlineData("https://n8n.example.com:6379", "Port 6379 cannot be used; 443, 5678, 8443 can.")]
    public async Task A_sync_ends_as_refused_with_a_sentence(string baseUrl, string sentence)
    {
        await using var services = Services(null, Dns.GetHostAddressesAsync);
        Assert.Contains(sentence, Assert.IsType<RequestRefused>(await FetchAsync(services, baseUrl)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_does_not_exist_is_still_told_as_such()
    {
        await using var services = Services(null, (_, _) => throw new SocketException((int)SocketError.HostNotFound));
        Assert.Equal("The name in your n8n address cannot be found.", Assert.IsType<ProviderDown>(await FetchAsync(services, "https://nobody.example")).Reason);
    }

    private static async Task<(SimulatorServer Server, Func<int> Hits)> ServeAsync(int status, string body, string? location = null)
    {
        var hits = 0;
        var server = await SimulatorServer.StartAsync(0, async context =>
        {
            Interlocked.Increment(ref hits);
            context.Response.StatusCode = status;
            if (location is not null) context.Response.Headers.Location = location;
            await context.Response.WriteAsync(body, context.RequestAborted);
        }, Ct);
        return (server, () => hits);
    }

    private static ServiceProvider Services(int? port, OutboundGuard.Resolve resolve, string? named = null)
    {
        var settings = new Dictionary<string, string?> { ["Outbound:AllowedHosts"] = named };
        if (port is not null) (settings["Outbound:AllowedPorts"], settings["Outbound:AllowHttp"]) = ($"443 {port}", "true");
        return new ServiceCollection().AddSingleton(resolve).AddN8nConnector(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).BuildServiceProvider();
    }

    private static HttpClient Client(ServiceProvider services) => services.GetRequiredService<IHttpClientFactory>().CreateClient(N8nClient.HttpClientName);

    private static Task<FetchOutcome> FetchAsync(ServiceProvider services, string baseUrl) => services.GetRequiredService<IConnector>().FetchAsync(
        new FetchRequest
        {
            IntegrationId = Guid.NewGuid(),
            Window = new DayWindow(new DateOnly(2026, 11, 1), new DateOnly(2026, 11, 2)),
            TimeZone = TimeZoneInfo.Utc,
            Settings = JsonSerializer.SerializeToElement(new { baseUrl }),
            Credentials = JsonSerializer.SerializeToElement(new { apiKey = "k" }),
        }, new RecordingSink(), Ct);
}
