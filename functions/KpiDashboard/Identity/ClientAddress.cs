using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace KpiDashboard.Identity;

/// <summary>
/// The network address that a request came from. Proxies append to <c>X-Forwarded-For</c> what they saw, so only as many of its last entries are believed
/// as there are proxies of ours in front (setting <c>Http:Proxies</c>: 0 here, and in Azure as long as the host's forwarder overwrites the
/// header); what a client wrote there itself is not.
/// </summary>
internal sealed class ClientAddress(IConfiguration configuration)
{
    /// <summary>The address as text, for the audit log and the list of sessions; null if there is none.</summary>
    public string? Of(HttpRequest request) => Find(request)?.ToString();

    /// <summary>The same in the form that networks are compared with: without the name of a link, which is this machine's own.</summary>
    public string? NetworkText(HttpRequest request) => Find(request) is { } address ? new IPAddress(address.GetAddressBytes()).ToString() : null;

    /// <summary>
    /// What limits are counted by where the address can be relied on, which is where somebody said how many proxies of ours stand in front (<c>Http:Proxies</c>). Null else: what a
    /// client wrote itself may stand there, or all visitors may have one, so that a limit would hold back nobody, or everybody.
    /// </summary>
    public string? KnownKey(HttpRequest request) => configuration.GetValue("Http:Proxies", 0) > 0 ? LimitKey(request) : null;

    /// <summary>The address in the form that limits are counted by: an IPv4 address, or the /64 network of an IPv6 one, which is what one household gets.</summary>
    public string LimitKey(HttpRequest request)
    {
        if (Find(request) is not { } address) return "unknown";
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? new IPNetwork(new IPAddress([.. address.GetAddressBytes()[..8], .. new byte[8]]), 64).ToString() : address.ToString();
    }

    private IPAddress? Find(HttpRequest request)
    {
        var address = request.HttpContext.Connection.RemoteIpAddress;
        var proxies = configuration.GetValue("Http:Proxies", 0);
        if (proxies > 0)
        {
            var entries = request.Headers["X-Forwarded-For"].SelectMany(header => (header ?? "").Split(',')).Select(entry => entry.Trim()).ToList();
            // The worker's own middleware trusts its host, which calls it on the same machine: it has taken the last entry out and made it the connection's.
            if (address is not null && request.Headers.ContainsKey("X-Original-For")) entries.Add(address.ToString());
            if (entries.Count >= proxies && TryRead(entries[^proxies], out var forwarded)) address = forwarded;
        }

        return address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
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
