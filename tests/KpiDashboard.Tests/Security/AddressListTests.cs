using KpiDashboard.Security;
using Xunit;

namespace KpiDashboard.Tests.Security;

[Trait("Clock", "none")]
public sealed class AddressListTests
{
    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7/32")]
    [InlineData(" 203.0.113.0/24 ", "203.0.113.0/24")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("2001:db8::1", "2001:db8::1/128")]
    [InlineData("2001:DB8:0:0::/32", "2001:db8::/32")]
    [InlineData("::ffff:203.0.113.7", "203.0.113.7/32")]
    [InlineData("::ffff:203.0.113.0/120", "203.0.113.0/24")]
    [InlineData("::/0", "::/0")]
    public void An_address_or_a_network_is_taken(string text, string network)
    {
        var (networks, fault) = AddressList.Read([text], "allowedAddresses");
        Assert.Null(fault);
        Assert.Equal([network], networks);
    }

    [Theory]
    [InlineData("203.0.113.7/24", "203.0.113.0/24")]
    [InlineData("2001:db8::1/64", "2001:db8::/64")]
    [InlineData("203.0.113.0/33", "0 to 32")]
    [InlineData("2001:db8::/129", "0 to 128")]
    [InlineData("203.0.113.0/-1", "neither")]
    [InlineData("203.0.113.0/+8", "neither")]
    [InlineData("203.0.113.0/", "neither")]
    [InlineData("203.0.113.0/24/8", "neither")]
    [InlineData("203.0.113.0/255.255.255.0", "neither")]
    [InlineData("203.0.113", "neither")]
    [InlineData("10.1", "neither")]
    [InlineData("010.0.0.1", "neither")]
    [InlineData("0x7f000001", "neither")]
    [InlineData("3405803783", "neither")]
    [InlineData("203.0.113.256", "neither")]
    [InlineData("fe80::1%eth0", "neither")]
    [InlineData("[2001:db8::1]", "neither")]
    [InlineData("2001:db8::1:443:1:1:1:1:1:1", "neither")]
    [InlineData("n8n.example.com", "neither")]
    [InlineData("*", "neither")]
    [InlineData("203.0.113.7; drop table", "neither")]
    [InlineData("203.0.113.7\0", "neither")]
    public void Anything_else_is_named_with_what_would_do(string text, string words)
    {
        var (networks, fault) = AddressList.Read(["198.51.100.1", text], "allowedAddresses");
        Assert.Empty(networks);
        Assert.Contains("'allowedAddresses'", fault!, StringComparison.Ordinal);
        Assert.Contains(words, fault!, StringComparison.Ordinal);
        Assert.DoesNotContain('\0', fault!);
    }

    [Fact]
    public void Blank_entries_and_doubles_do_not_count_and_there_is_a_limit()
    {
        Assert.Equal(["203.0.113.7/32"], AddressList.Read(["203.0.113.7", "203.0.113.7/32", "::ffff:203.0.113.7"], "x").Networks);
        var many = Enumerable.Range(0, 51).Select(number => $"203.0.113.{number}").ToList();
        Assert.Null(AddressList.Read(many.Take(50), "x").Fault);
        foreach (var blank in new[] { "", "  ", null })
        {
            Assert.Contains("empty entry", AddressList.Read([blank], "x").Fault, StringComparison.Ordinal);
            Assert.Contains("empty entry", AddressList.Read(["203.0.113.7", blank], "x").Fault, StringComparison.Ordinal);
        }

        Assert.Contains("at most 50", AddressList.Read(many, "x").Fault!, StringComparison.Ordinal);
    }
}
