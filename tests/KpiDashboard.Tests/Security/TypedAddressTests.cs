using FsCheck.Xunit;
using KpiDashboard.Connectors.N8n;
using KpiDashboard.Security;
using Microsoft.Extensions.Options;
using Moq;
using Xunit;

namespace KpiDashboard.Tests.Security;

/// <summary>Addresses that a person typed: whatever is in them, they are taken or refused, never a fault, and lead where they say.</summary>
public sealed class TypedAddressTests
{
    private static readonly OutboundOptions s_options = new() { AllowedHosts = "127.0.0.1:36693" };
    private static readonly OutboundGuard s_guard = new(Mock.Of<IOptionsMonitor<OutboundOptions>>(monitor => monitor.CurrentValue == s_options));

    public static TheoryData<string> Odd { get; } =
    [
        "http://℀localhost:36693", "https://℀localhost", "https://n8n℀.example.com", "https://a⁄b.example", "https://localhost\u2044@evil.example", "https://ex\u00ADample.com\u2100",
        "https://xn--.example", "https://xn--a.example", "https://xn--zzzzzzzzzz--.example", "https://-a.example", "https://a-.example", "https://a..example", "https://.example", "https://...",
        "https://[::1", "https://[::1%25eth0]", "https://[fe80::1%eth0]/", "https://[v1.x]/", "https://[]/", "https://a b.example", "https://a\tb.example", "https://a\0b.example",
        "https://\ud800.example", "https://x:99999/", "https://x:-1/", "https://:443/", "https://", "https:///", "http:a", "https:\\\\a.example", "https://a.example\\@b.example",
        "https://user@a.example", "https://user:word@a.example", "https://@a.example", "https://a.example:80:80", "javascript:alert(1)", "file:///etc/passwd", "//a.example", "a.example", "", " ",
        "https://ａ．example\uff0fpath", "https://%00.example", "https://%6c%6fcalhost%2f", "https://a%2eexample%40b.example", "https://ⅷ.example℁", "https://＠.example", "https://a＃b.example", "https://a？b.example",
        "https://" + new string('a', 64) + ".example", "https://" + string.Join('.', Enumerable.Repeat("abcdefgh", 40)), "https://a.example/" + new string('x', 600),
    ];

    [Theory]
    [MemberData(nameof(Odd))]
    public void An_odd_address_is_none_of_the_web_or_one_whose_host_is_plain(string text) => Holds(text);

    [Property(MaxTest = 300)]
    public void Whatever_stands_in_a_host_nothing_breaks(string host, int sign, byte place)
    {
        var text = (host ?? "") + char.ConvertFromUtf32(Math.Abs(sign % 0x10FFFF) is var value && value is >= 0xD800 and <= 0xDFFF ? 0x2100 : value) + "localhost";
        Holds($"http://{text}");
        Holds($"https://{text}:{place}/{host}");
        Holds($"https://n8n.example/{text}");
    }

    [Theory]
    [InlineData("https://n8n.example.com", "https://n8n.example.com/")]
    [InlineData(" https://N8N.Example.com:5678/x/ ", "https://n8n.example.com:5678/x/")]
    [InlineData("https://münchen.example", "https://xn--mnchen-3ya.example/")]
    [InlineData("https://[2606:4700:4700::1111]:8443/", "https://[2606:4700:4700::1111]:8443/")]
    [InlineData("http://127.0.0.1:5678", "http://127.0.0.1:5678/")]
    [InlineData("https://my_host.example/%C3%BC", "https://my_host.example/%C3%BC")]
    public void An_address_that_leads_somewhere_is_taken_as_it_is(string text, string expected) => Assert.Equal(expected, TypedAddress.Read(text)!.AbsoluteUri);

    private static void Holds(string text)
    {
        foreach (var address in new[] { TypedAddress.Read(text), N8nClient.ApiAddress(text) })
        {
            if (address is null) continue;
            Assert.All(address.IdnHost, sign => Assert.True(char.IsAsciiLetterOrDigit(sign) || sign is '.' or '-' or '_' or ':', text));
            _ = s_guard.Objection(address);
            // What is asked is what was checked.
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{address.AbsoluteUri}/workflows"));
            Assert.Equal(address.IdnHost, request.RequestUri!.IdnHost);
        }
    }
}
