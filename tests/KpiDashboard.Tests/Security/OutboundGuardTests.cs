using System.Net;
using System.Net.Sockets;
using FsCheck.Xunit;
using KpiDashboard.Security;
using Microsoft.Extensions.Options;
using Moq;
using Xunit;

namespace KpiDashboard.Tests.Security;

[Trait("Clock", "none")]
public sealed class OutboundGuardTests
{
    [Theory]
    [InlineData("8.8.8.8", "Public")]
    [InlineData("1.1.1.1", "Public")]
    [InlineData("172.15.255.255", "Public")]
    [InlineData("172.32.0.0", "Public")]
    [InlineData("100.63.255.255", "Public")]
    [InlineData("100.128.0.0", "Public")]
    [InlineData("223.255.255.255", "Public")]
    [InlineData("2606:4700:4700::1111", "Public")]
    [InlineData("2a00:1450:4001:830::200e", "Public")]
    [InlineData("64:ff9b::8.8.8.8", "Public")]
    [InlineData("::ffff:8.8.8.8", "Public")]
    [InlineData("10.0.0.0", "Private")]
    [InlineData("10.255.255.255", "Private")]
    [InlineData("172.16.0.1", "Private")]
    [InlineData("172.31.255.255", "Private")]
    [InlineData("192.168.1.1", "Private")]
    [InlineData("100.64.0.1", "Private")]
    [InlineData("100.127.255.255", "Private")]
    [InlineData("fd12:3456:789a::1", "Private")]
    [InlineData("fc00::1", "Private")]
    [InlineData("::ffff:10.1.2.3", "Private")]
    [InlineData("64:ff9b::192.168.0.1", "Private")]
    [InlineData("127.0.0.1", "Loopback")]
    [InlineData("127.255.255.254", "Loopback")]
    [InlineData("::1", "Loopback")]
    [InlineData("::ffff:127.0.0.1", "Loopback")]
    [InlineData("64:ff9b::127.0.0.1", "Loopback")]
    [InlineData("2a00:1450::5efe:127.0.0.1", "Loopback")]
    [InlineData("2a00:1450::200:5efe:10.0.0.1", "Private")]
    [InlineData("0.0.0.0", "Forbidden")]
    [InlineData("0.1.2.3", "Forbidden")]
    [InlineData("169.254.169.254", "Forbidden")]
    [InlineData("::ffff:169.254.169.254", "Forbidden")]
    [InlineData("64:ff9b::169.254.169.254", "Forbidden")]
    [InlineData("fd00:ec2::254", "Forbidden")]
    [InlineData("168.63.129.16", "Forbidden")]
    [InlineData("100.100.100.200", "Forbidden")]
    [InlineData("192.0.0.192", "Forbidden")]
    [InlineData("198.18.0.1", "Forbidden")]
    [InlineData("203.0.113.7", "Forbidden")]
    [InlineData("224.0.0.1", "Forbidden")]
    [InlineData("255.255.255.255", "Forbidden")]
    [InlineData("240.0.0.1", "Forbidden")]
    [InlineData("::", "Forbidden")]
    [InlineData("::7f00:1", "Forbidden")]
    [InlineData("fe80::1", "Forbidden")]
    [InlineData("fe80::1%3", "Forbidden")]
    [InlineData("fec0::1", "Forbidden")]
    [InlineData("ff02::1", "Forbidden")]
    [InlineData("2001:db8::1", "Forbidden")]
    [InlineData("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Forbidden")]
    [InlineData("2002:7f00:1::1", "Forbidden")]
    [InlineData("2002:808:808::1", "Forbidden")]
    [InlineData("64:ff9b:1::1", "Forbidden")]
    [InlineData("100::1", "Forbidden")]
    public void An_address_is_told_by_its_network(string address, string kind) => Assert.Equal(kind, OutboundGuard.Classify(IPAddress.Parse(address)).ToString());

    [Property(MaxTest = 2000)]
    public bool An_IPv4_address_is_judged_alike_however_it_is_dressed(byte a, byte b, byte c, byte d)
    {
        byte[] four = [a, b, c, d];
        var kind = OutboundGuard.Classify(new IPAddress(four));
        byte[] nat64 = [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0, .. four];
        byte[] isatap = [0x2A, 0, 0x14, 0x50, 0, 0, 0, 0, 0, 0, 0x5E, 0xFE, .. four];
        byte[] compatible = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. four];
        byte[] sixToFour = [0x20, 2, .. four, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        return OutboundGuard.Classify(new IPAddress(four).MapToIPv6()) == kind
            && OutboundGuard.Classify(new IPAddress(nat64)) == kind
            && OutboundGuard.Classify(new IPAddress(isatap)) == kind
            && OutboundGuard.Classify(new IPAddress(compatible)) is AddressKind.Forbidden or AddressKind.Loopback
            && OutboundGuard.Classify(new IPAddress(sixToFour)) == AddressKind.Forbidden;
    }

    /// <summary>Against the framework's own opinion, where it has one.</summary>
    [Property(MaxTest = 2000)]
    public bool What_the_framework_calls_local_or_multicast_is_never_public(byte[] bytes)
    {
        var address = new IPAddress([.. bytes.Concat(new byte[16]).Take(16)]);
        return !(IPAddress.IsLoopback(address) || address.IsIPv6LinkLocal || address.IsIPv6SiteLocal || address.IsIPv6UniqueLocal || address.IsIPv6Multicast || address.IsIPv6Teredo)
            || OutboundGuard.Classify(address) != AddressKind.Public;
    }

    [Theory]
    [InlineData("https://n8n.example.com/", true)]
    [InlineData("https://n8n.example.com:5678/x", true)]
    [InlineData("https://n8n.example.com:8443/", true)]
    [InlineData("https://8.8.8.8/", true)]
    [InlineData("http://n8n.example.com/", false)]
    [InlineData("http://n8n.example.com:5678/", false)]
    [InlineData("ftp://n8n.example.com/", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("https://me:secret@n8n.example.com/", false)]
    [InlineData("https://n8n.example.com:22/", false)]
    [InlineData("https://n8n.example.com:25/", false)]
    [InlineData("https://n8n.example.com:5432/", false)]
    [InlineData("https://n8n.example.com:6379/", false)]
    [InlineData("https://127.0.0.1/", false)]
    [InlineData("https://2130706433/", false)]
    [InlineData("https://0x7f.1/", false)]
    [InlineData("https://0177.0.0.1/", false)]
    [InlineData("https://[::1]/", false)]
    [InlineData("https://[::ffff:169.254.169.254]/", false)]
    [InlineData("https://169.254.169.254/latest/meta-data/", false)]
    public void An_address_is_checked_as_it_is_written(string uri, bool admitted)
    {
        var objection = Guard().Objection(new Uri(uri));
        Assert.Equal(admitted, objection is null);
        Assert.DoesNotContain("secret", objection ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:4000/x", true)]
    [InlineData("http://127.0.0.1:4001/x", false)]
    [InlineData("http://127.0.0.2:4000/x", false)]
    [InlineData("http://me@127.0.0.1:4000/x", false)]
    [InlineData("http://n8n.internal:5678/", true)]
    [InlineData("http://N8N.INTERNAL:5678/", true)]
    [InlineData("http://x.n8n.internal:5678/", false)]
    public void What_the_operator_names_is_admitted_and_nothing_beside_it(string uri, bool admitted) =>
        Assert.Equal(admitted, Guard(new OutboundOptions { AllowedHosts = "127.0.0.1:4000  n8n.internal:5678" }).Objection(new Uri(uri)) is null);

    [Fact]
    public void Private_networks_and_http_open_by_setting_and_metadata_never_does()
    {
        var guard = Guard(new OutboundOptions { AllowPrivate = true, AllowHttp = true });
        Assert.Null(guard.Objection(new Uri("http://10.0.0.5/")));
        Assert.Null(guard.Objection(new Uri("https://[fd12::1]:5678/")));
        Assert.NotNull(guard.Objection(new Uri("http://127.0.0.1/")));
        Assert.NotNull(guard.Objection(new Uri("http://169.254.169.254/")));
        Assert.NotNull(guard.Objection(new Uri("http://168.63.129.16/")));
        Assert.NotNull(guard.Objection(new Uri("http://[fd00:ec2::254]/")));
    }

    [Fact]
    public void A_setting_that_is_no_port_or_no_host_with_a_port_is_refused()
    {
        Assert.True(OutboundOptions.IsValid(new()));
        Assert.False(OutboundOptions.IsValid(new() { AllowedPorts = "443 https" }));
        Assert.False(OutboundOptions.IsValid(new() { AllowedPorts = "443 70000" }));
        Assert.False(OutboundOptions.IsValid(new() { AllowedHosts = "n8n.internal" }));
        Assert.True(OutboundOptions.IsValid(new() { AllowedHosts = "n8n.internal:1 [::1]:2" }));
    }

    [Fact]
    public void The_handler_follows_no_redirect_keeps_no_cookie_and_asks_no_proxy()
    {
        using var handler = Guard().CreateHandler();
        Assert.False(handler.AllowAutoRedirect);
        Assert.False(handler.UseCookies);
        Assert.False(handler.UseProxy);
        Assert.NotNull(handler.ConnectCallback);
    }

    private static OutboundGuard Guard(OutboundOptions? options = null) =>
        new(Mock.Of<IOptionsMonitor<OutboundOptions>>(monitor => monitor.CurrentValue == (options ?? new OutboundOptions())), (_, _) => throw new SocketException());
}
