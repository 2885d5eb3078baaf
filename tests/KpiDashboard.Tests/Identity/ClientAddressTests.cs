using System.Net;
using KpiDashboard.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace KpiDashboard.Tests.Identity;

/// <summary>
/// The host's forwarder writes its own peer into X-Forwarded-For, and the worker's middleware for forwarded headers makes that the
/// connection's address; what came to the host is in the data of the trigger.
/// </summary>
public sealed class ClientAddressTests
{
    [Theory]
    [InlineData(0, "203.0.113.7:51234", "10.0.0.4")]
    [InlineData(1, "203.0.113.7:51234", "203.0.113.7")]
    [InlineData(1, "2001:db8:1:2:3::4", "2001:db8:1:2:3::4")]
    [InlineData(2, "203.0.113.7, 198.51.100.1:443", "203.0.113.7")]
    [InlineData(2, "203.0.113.7:51234, 198.51.100.1:443", "203.0.113.7")]
    [InlineData(1, null, "10.0.0.4")]
    [InlineData(2, "203.0.113.7", "10.0.0.4")]
    [InlineData(1, "unknown", "10.0.0.4")]
    public void Each_proxy_of_ours_stands_for_an_entry(int proxies, string? forwarded, string expected) =>
        Assert.Equal(expected, new ClientAddress(Setting(proxies)).Of(Request(forwarded)));

    [Theory]
    [InlineData(0, "192.0.2.66, 203.0.113.7:51234", "10.0.0.4")]
    [InlineData(1, "192.0.2.66, 203.0.113.7:51234", "203.0.113.7")]
    [InlineData(1, "192.0.2.66, 192.0.2.67, 203.0.113.7", "203.0.113.7")]
    [InlineData(2, "192.0.2.66, 203.0.113.7:51234, 198.51.100.1:443", "203.0.113.7")]
    public void What_a_client_wrote_there_itself_is_not_believed(int proxies, string forwarded, string expected)
    {
        ClientAddress address = new(Setting(proxies));

        Assert.Equal(expected, address.Of(Request(forwarded)));
        Assert.Equal(expected, address.LimitKey(Request(forwarded)));
    }

    /// <summary>The header of the request itself is the host's: as the worker gets it, with one entry, and never a client's.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void The_header_that_the_host_passes_on_says_nothing_of_a_client(int proxies)
    {
        var request = Request(null);
        request.Headers["X-Forwarded-For"] = "192.0.2.66, 192.0.2.67";

        Assert.Equal("10.0.0.4", new ClientAddress(Setting(proxies)).Of(request));
        Assert.Null(new ClientAddress(Setting(proxies)).KnownKey(request));
    }

    /// <summary>Else everybody behind the platform's own proxy would share one limit, and ten of them could lock the others out.</summary>
    [Theory]
    [InlineData(1, null)]
    [InlineData(1, "")]
    [InlineData(1, "unknown")]
    [InlineData(2, "203.0.113.7:51234")]
    [InlineData(3, "203.0.113.7, 198.51.100.1")]
    public void Where_a_proxy_left_no_entry_no_limit_counts_by_an_address(int proxies, string? forwarded) =>
        Assert.Null(new ClientAddress(Setting(proxies)).KnownKey(Request(forwarded)));

    [Theory]
    [InlineData("203.0.113.7")]
    [InlineData("2001:db8:1:2:3::4")]
    [InlineData("192.0.2.66, 203.0.113.7")]
    [InlineData(null)]
    public void Where_nobody_said_how_many_proxies_there_are_no_limit_counts_by_an_address(string? forwarded)
    {
        Assert.Null(new ClientAddress(Setting(0)).KnownKey(Request(forwarded)));
        Assert.Equal(forwarded is not null, new ClientAddress(Setting(1)).KnownKey(Request(forwarded)) is not null);
    }

    /// <summary>
    /// In Azure: no address is known of the page's visitors, and the front end that machines call says whom it saw, whatever they wrote
    /// before. What came through the static web app bears that one's address.
    /// </summary>
    [Theory]
    [InlineData("203.0.113.7:51234", null, "203.0.113.7")]
    [InlineData("[2001:db8::7]:51234", null, "2001:db8::7")]
    [InlineData("192.0.2.66, 203.0.113.7:51234", null, "203.0.113.7")]
    [InlineData("192.0.2.66,192.0.2.67, 203.0.113.7:51234", null, "203.0.113.7")]
    [InlineData("::ffff:203.0.113.7", null, "203.0.113.7")]
    [InlineData(null, null, null)]
    [InlineData("", null, null)]
    [InlineData("unknown", null, null)]
    [InlineData("203.0.113.7,", null, null)]
    [InlineData("192.0.2.66, 203.0.113.7:51234", "https://kpi.example.com/api/push", null)]
    [InlineData("203.0.113.7:51234", "", null)]
    public void A_token_is_compared_with_whom_the_front_end_saw(string? forwarded, string? through, string? expected)
    {
        ClientAddress address = new(Setting(0, tokens: 1));
        var request = Request(forwarded);
        if (through is not null) request.Headers["x-ms-original-url"] = through;

        Assert.Equal(expected, address.NetworkText(request));
        Assert.Null(address.KnownKey(request));
    }

    /// <summary>
    /// In Azure: the host's own peer is no answer to the question from where. Who calls the app itself is told; the page's visitors are
    /// not.
    /// </summary>
    [Theory]
    [InlineData("203.0.113.7:51234", null, "203.0.113.7")]
    [InlineData("192.0.2.66, [2001:db8::7]:51234", null, "2001:db8::7")]
    [InlineData("192.0.2.66, 203.0.113.7:51234", "https://kpi.example.com/api/auth/sessions", null)]
    [InlineData("unknown", null, null)]
    [InlineData("", null, null)]
    [InlineData(null, null, null)]
    public void The_audit_log_tells_no_address_of_a_proxy(string? forwarded, string? through, string? expected)
    {
        ClientAddress address = new(Setting(0, tokens: 1));
        var request = Request(forwarded);
        if (through is not null) request.Headers["x-ms-original-url"] = through;

        Assert.Equal(expected, address.Of(request));
        Assert.Null(address.KnownKey(request));
    }

    /// <summary>Left out, it is the number of proxies that stand in front of everything; without any, the connection's other end.</summary>
    [Theory]
    [InlineData(0, "203.0.113.7", "10.0.0.4")]
    [InlineData(0, null, "10.0.0.4")]
    [InlineData(1, "192.0.2.66, 203.0.113.7", "203.0.113.7")]
    [InlineData(2, "192.0.2.66, 203.0.113.7, 198.51.100.1:443", "203.0.113.7")]
    [InlineData(1, null, null)]
    [InlineData(2, "203.0.113.7", null)]
    public void A_token_is_compared_with_nothing_that_may_be_a_proxy(int proxies, string? forwarded, string? expected) =>
        Assert.Equal(expected, new ClientAddress(Setting(proxies)).NetworkText(Request(forwarded)));

    [Theory]
    [InlineData("2001:db8:1:2:3::4", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64")]
    [InlineData("[2001:db8:1:2::9]:51234", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:3::4", "2001:db8:1:3::/64")]
    [InlineData("::ffff:203.0.113.7", "203.0.113.7")]
    [InlineData("[::ffff:203.0.113.7]:443", "203.0.113.7")]
    [InlineData("203.0.113.7:443", "203.0.113.7")]
    public void A_household_is_one_however_many_addresses_it_has(string address, string expected) =>
        Assert.Equal(expected, new ClientAddress(Setting(1)).KnownKey(Request(address)));

    private static IConfiguration Setting(int proxies, int? tokens = null)
    {
        Dictionary<string, string?> settings = new() { ["Http:Proxies"] = $"{proxies}" };
        if (tokens is not null) settings["Http:TokenProxies"] = $"{tokens}";
        return new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
    }

    private static HttpRequest Request(string? forwarded)
    {
        DefaultHttpContext http = new();
        http.Connection.RemoteIpAddress = IPAddress.Parse("10.0.0.4");
        if (forwarded is not null) http.Features.Set(new ForwardedChain(forwarded));
        return http.Request;
    }
}
