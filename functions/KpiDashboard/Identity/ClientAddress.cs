using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace KpiDashboard.Identity;

/// <summary><c>X-Forwarded-For</c> as it came to the Functions host, which overwrites it in the request that it passes on.</summary>
/// <param name="Value">The entries, each proxy's after those of the proxies before it.</param>
internal sealed record ForwardedChain(string Value);

/// <summary>
/// The network address that a request came from. Proxies append to <c>X-Forwarded-For</c> what they saw, so only as many of its last entries are believed
/// as there are proxies of ours in front (setting <c>Http:Proxies</c>); what a client wrote there itself is not.
/// </summary>
internal sealed class ClientAddress(IConfiguration configuration)
{
    /// <summary>The address as text, for the audit log and the list of sessions; null if there is none.</summary>
    public string? Of(HttpRequest request) => Find(request).Address?.ToString();

    /// <summary>The same in the form that networks are compared with: without the name of a link, which is this machine's own.</summary>
    public string? NetworkText(HttpRequest request) => Find(request).Address is { } address
        ? new IPAddress(address.GetAddressBytes()).ToString() : null;

    /// <summary>
    /// What limits are counted by where the address can be relied on, which is where somebody said how many proxies of ours stand in front
    /// (<c>Http:Proxies</c>) and each of them left
    /// its entry. Null else: what a client wrote itself may stand there, or all visitors may have one, so that a limit would hold back
    /// nobody, or everybody.
    /// </summary>
    public string? KnownKey(HttpRequest request) => Find(request).IsKnown ? LimitKey(request) : null;

    /// <summary>The address in the form that limits are counted by: an IPv4 address, or the /64 network of an IPv6 one, which is what one household gets.</summary>
    public string LimitKey(HttpRequest request)
    {
        if (Find(request).Address is not { } address) return "unknown";
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? new IPNetwork(new IPAddress([.. address.GetAddressBytes()[..8], .. new byte[8]]), 64).ToString() : address.ToString();
    }

    private (IPAddress? Address, bool IsKnown) Find(HttpRequest request)
    {
        var address = request.HttpContext.Connection.RemoteIpAddress;
        var proxies = configuration.GetValue("Http:Proxies", 0);
        var entries = request.HttpContext.Features.Get<ForwardedChain>()?.Value.Split(',', StringSplitOptions.TrimEntries) ?? [];
        var known = proxies > 0 && entries.Length >= proxies && TryRead(entries[^proxies], out address);
        if (!known) address = request.HttpContext.Connection.RemoteIpAddress;
        return (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address, known);
    }

    private static bool TryRead(string text, out IPAddress? address)
    {
        // The platform appends the port to IPv4 addresses: 203.0.113.7:51234.
        if (IPAddress.TryParse(text, out address)) return true;
        if (!IPEndPoint.TryParse(text, out var endPoint)) return false;
        address = endPoint.Address;
        return true;
    }
}
