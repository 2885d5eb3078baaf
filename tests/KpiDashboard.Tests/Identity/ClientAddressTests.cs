using System.Net;
using KpiDashboard.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace KpiDashboard.Tests.Identity;

/// <summary>
/// The real worker puts ASP.NET Core's middleware for forwarded headers before everything and so does LocalHost: it takes the last entry out of the header.
/// </summary>
public sealed class ClientAddressTests
{
    [Theory]
    [InlineData(0, "203.0.113.7:51234", "203.0.113.7")]
    [InlineData(1, "203.0.113.7:51234", "203.0.113.7")]
    [InlineData(1, "2001:db8:1:2:3::4", "2001:db8:1:2:3::4")]
    [InlineData(2, "203.0.113.7, 198.51.100.1:443", "203.0.113.7")]
    [InlineData(2, "203.0.113.7:51234, 198.51.100.1:443", "203.0.113.7")]
    [InlineData(1, null, "127.0.0.1")]
    public void Each_proxy_of_ours_stands_for_an_entry(int proxies, string? forwarded, string expected) =>
        Assert.Equal(expected, new ClientAddress(Setting(proxies)).Of(Request(forwarded)));

    [Theory]
    [InlineData(0, "192.0.2.66, 203.0.113.7:51234", "203.0.113.7")]
    [InlineData(1, "192.0.2.66, 203.0.113.7:51234", "203.0.113.7")]
    [InlineData(1, "192.0.2.66, 192.0.2.67, 203.0.113.7", "203.0.113.7")]
    [InlineData(2, "192.0.2.66, 203.0.113.7:51234, 198.51.100.1:443", "203.0.113.7")]
    public void What_a_client_wrote_there_itself_is_not_believed(int proxies, string forwarded, string expected)
    {
        ClientAddress address = new(Setting(proxies));

        Assert.Equal(expected, address.Of(Request(forwarded)));
        Assert.Equal(expected, address.LimitKey(Request(forwarded)));
    }

    [Fact]
    public void A_caller_from_elsewhere_whose_headers_the_middleware_leaves_alone_is_read_from_the_header()
    {
        var request = Request("192.0.2.66, 203.0.113.7", IPAddress.Parse("198.51.100.9"));

        Assert.Equal("203.0.113.7", new ClientAddress(Setting(1)).Of(request));
        Assert.Equal("198.51.100.9", new ClientAddress(Setting(0)).Of(request));
    }

    [Theory]
    [InlineData("203.0.113.7")]
    [InlineData("2001:db8:1:2:3::4")]
    [InlineData("192.0.2.66, 203.0.113.7")]
    [InlineData(null)]
    public void Where_nobody_said_how_many_proxies_there_are_no_limit_counts_by_an_address(string? forwarded)
    {
        Assert.Null(new ClientAddress(Setting(0)).KnownKey(Request(forwarded)));
        Assert.NotNull(new ClientAddress(Setting(1)).KnownKey(Request(forwarded)));
    }

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

    private static IConfiguration Setting(int proxies) =>
        new ConfigurationBuilder().AddInMemoryCollection([new("Http:Proxies", proxies.ToString(System.Globalization.CultureInfo.InvariantCulture))]).Build();

    private static HttpRequest Request(string? forwarded, IPAddress? peer = null)
    {
        DefaultHttpContext http = new();
        http.Connection.RemoteIpAddress = peer ?? IPAddress.Loopback;
        if (forwarded is not null) http.Request.Headers["X-Forwarded-For"] = forwarded;
        new ForwardedHeadersMiddleware(
            _ => Task.CompletedTask, NullLoggerFactory.Instance, Options.Create(new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.All })).ApplyForwarders(http);
        return http.Request;
    }
}
