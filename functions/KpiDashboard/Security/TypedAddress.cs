using System.Net;
using System.Net.Sockets;

namespace KpiDashboard.Security;

/// <summary>
/// An address of the web as a person typed it. .NET takes hosts that it cannot ask for afterwards, or that turn into another one on the way: <c>℀localhost</c> becomes
/// <c>a/clocalhost</c>, and what was checked is not what is asked. Here such an address is none.
/// </summary>
internal static class TypedAddress
{
    /// <summary>Most characters of an address.</summary>
    public const int Most = 500;

    /// <summary>The address, its host in ASCII; null when it is none of the web, has a user name, or its host could be read in more than one way.</summary>
    public static Uri? Read(string? text)
    {
        var trimmed = text?.Trim();
        if (trimmed is not { Length: > 0 and <= Most } || trimmed.Any(sign => char.IsControl(sign) || char.IsWhiteSpace(sign) || char.IsSurrogate(sign) || sign == '\\')) return null;
        try
        {
            if (!Uri.TryCreate(trimmed, UriKind.Absolute, out var typed) || typed.Scheme is not ("http" or "https") || typed.UserInfo.Length > 0) return null;
            var host = typed.IdnHost;
            if (!IsHost(typed.HostNameType, host)) return null;
            // Put together anew, it must lead where it led: to the host, and nothing of the host become a path or a port.
            var plain = new UriBuilder(typed) { Host = host }.Uri;
            return plain.IdnHost == host && plain.Host.Trim('[', ']').Equals(host, StringComparison.OrdinalIgnoreCase) && plain.Port == typed.Port
                && plain.PathAndQuery == typed.PathAndQuery ? plain : null;
        }
        catch (Exception e) when (e is UriFormatException or ArgumentException)
        {
            return null;
        }
    }

    private static bool IsHost(UriHostNameType kind, string host) => kind switch
    {
        UriHostNameType.Dns => host.Length <= 253 && host.TrimEnd('.').Split('.').All(IsLabel),
        UriHostNameType.IPv4 => IPAddress.TryParse(host, out var four) && four.AddressFamily == AddressFamily.InterNetwork && four.ToString() == host,
        UriHostNameType.IPv6 => IPAddress.TryParse(host, out var six) && six.AddressFamily == AddressFamily.InterNetworkV6 && !host.Contains('%', StringComparison.Ordinal),
        _ => false,
    };

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-' && label.All(sign => char.IsAsciiLetterOrDigit(sign) || sign is '-' or '_');
}
