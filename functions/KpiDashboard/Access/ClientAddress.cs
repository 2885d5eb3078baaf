using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace KpiDashboard.Access;

/// <summary><c>X-Forwarded-For</c> as it came to the Functions host, which overwrites it in the request that it passes on.</summary>
/// <param name="Value">The entries, each proxy's after those of the proxies before it.</param>
internal sealed record ForwardedChain(string Value);

/// <summary>
/// The network address that a request came from. Proxies append to <c>X-Forwarded-For</c> what they saw, so only as many of its last
/// entries are believed as there are proxies of ours in front (setting <c>Http:Proxies</c>); what a client wrote there itself is not.
/// Machines may call under an address of their own, in front of which stand fewer (<c>Http:TokenProxies</c>).
/// </summary>
internal sealed class ClientAddress(IConfiguration configuration)
{
    /// <summary>
    /// Azure Static Web Apps' mark on what it passes on. What the front end of the function app saw is one of its addresses then, which all
    /// the world shares. A client that writes the header itself only makes its own address unknown.
    /// </summary>
    private const string ThroughThePage = "X-MS-Original-URL";

    /// <summary>
    /// The address as text, for the audit log and the list of sessions; null where there is none to tell: a proxy's own would be the same
    /// for everybody, and no answer to the question from where.
    /// </summary>
    public string? Of(HttpRequest request) => Find(request).Address?.ToString();

    /// <summary>
    /// The address that the networks of a token are compared with, in their form: without the name of a link, which is this machine's own.
    /// Null where it cannot be known, and then no network holds it.
    /// </summary>
    public string? NetworkText(HttpRequest request)
    {
        var proxies = TokenProxies;
        var address = proxies == 0 ? Own(request) : Direct(request, proxies);
        return address is null ? null : new IPAddress(address.GetAddressBytes()).ToString();
    }

    /// <summary>
    /// What limits are counted by where the address can be relied on, which is where somebody said how many proxies of ours stand in front
    /// (<c>Http:Proxies</c>) and each of them left its entry. Null else: what a client wrote itself may stand there, or all visitors may
    /// have one, so that a limit would hold back nobody, or everybody.
    /// </summary>
    public string? KnownKey(HttpRequest request) => Find(request).IsKnown ? LimitKey(request) : null;

    /// <summary>The address in the form that limits are counted by: an IPv4 address, or the /64 network of an IPv6 one, which is what one household gets.</summary>
    public string LimitKey(HttpRequest request)
    {
        if (Find(request).Address is not { } address) return "unknown";
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? new IPNetwork(new IPAddress([.. address.GetAddressBytes()[..8], .. new byte[8]]), 64).ToString() : address.ToString();
    }

    private int Proxies => configuration.GetValue("Http:Proxies", 0);

    private int TokenProxies => configuration.GetValue("Http:TokenProxies", Proxies);

    private (IPAddress? Address, bool IsKnown) Find(HttpRequest request)
    {
        var proxies = Proxies;
        if (Forwarded(request, proxies) is { } address) return (address, true);
        // Where a proxy stands in front of machines, one stands in front of everybody, though nobody said how many: the connection's
        // other end is never the caller.
        return (proxies == 0 && TokenProxies is > 0 and var tokens ? Direct(request, tokens) : Own(request), false);
    }

    /// <summary>Who called under the address of machines; null where that is not known.</summary>
    private static IPAddress? Direct(HttpRequest request, int proxies) =>
        // With one proxy it is the front end, whose entry is that of Static Web Apps then.
        proxies == 1 && request.Headers.ContainsKey(ThroughThePage) ? null : Forwarded(request, proxies);

    /// <summary>The other end of the connection, where no proxy stands.</summary>
    private static IPAddress? Own(HttpRequest request) => Plain(request.HttpContext.Connection.RemoteIpAddress);

    /// <summary>What the first of so many proxies saw; null where it left no entry.</summary>
    private static IPAddress? Forwarded(HttpRequest request, int proxies)
    {
        var entries = request.HttpContext.Features.Get<ForwardedChain>()?.Value.Split(',', StringSplitOptions.TrimEntries) ?? [];
        return proxies > 0 && entries.Length >= proxies && TryRead(entries[^proxies], out var address) ? Plain(address) : null;
    }

    private static IPAddress? Plain(IPAddress? address) => address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;

    private static bool TryRead(string text, out IPAddress? address)
    {
        // The platform appends the port to IPv4 addresses: 203.0.113.7:51234.
        if (IPAddress.TryParse(text, out address)) return true;
        if (!IPEndPoint.TryParse(text, out var endPoint)) return false;
        address = endPoint.Address;
        return true;
    }
}
