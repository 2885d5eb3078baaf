using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KpiDashboard.Api;

namespace KpiDashboard.Security;

/// <summary>
/// Networks that a person entered, as <c>203.0.113.0/24</c>, <c>2001:db8::/32</c> or one address alone. Strict: of <c>203.0.113.7/24</c>
/// nobody knows whether the one address was meant or all 256, and the shorthands that system libraries take (<c>10.1</c>,
/// <c>0x7f000001</c>, <c>010.0.0.1</c>) mean something else to each of them.
/// </summary>
internal static class AddressList
{
    /// <summary>Most entries.</summary>
    public const int Most = 50;

    /// <summary>
    /// The networks in one form, each once, in the order given; or what is wrong, in a sentence that names the field and the entry.
    /// </summary>
    /// <param name="entries">As they were entered. A blank one is a fault: a list of nothing else would let everybody in.</param>
    /// <param name="field">The name of the field.</param>
    public static (IReadOnlyList<string> Networks, string? Fault) Read(IEnumerable<string?> entries, string field)
    {
        var networks = new List<string>();
        foreach (var entry in entries)
        {
            if (entry?.Trim() is not { Length: > 0 } text) return ([], $"'{field}' holds an empty entry. Leave it out; a list without entries means from anywhere.");
            if (Network(text) is not { } network) return ([], $"'{field}' holds {Fault(text)}");
            if (!networks.Contains(network, StringComparer.Ordinal)) networks.Add(network);
            if (networks.Count > Most) return ([], $"'{field}' may hold at most {Most} addresses and networks; put neighbours together as a network.");
        }

        return (networks, null);
    }

    private static string? Network(string text) => Split(text) switch
    {
        null => null,
        (var address, null, var bits) => $"{address}/{bits}",
        (var address, { } prefix, var bits) => prefix <= bits && Base(address, prefix).Equals(address) ? $"{address}/{prefix}" : null,
    };

    private static string Fault(string text)
    {
        var shown = new string([.. KeptText.Cut(KeptText.Clean(text), 60).Select(c => char.IsControl(c) ? ' ' : c)]);
        if (Split(text) is not var (address, length, bits))
            return $"'{shown}', which is neither an address such as 203.0.113.7 nor a network such as 203.0.113.0/24 or 2001:db8::/32.";
        return length is { } prefix && prefix <= bits
            ? $"'{shown}', which is no network: write {Base(address, prefix)}/{prefix} for all of it, or {address} for that one address."
            : $"'{shown}'; the number behind the slash goes from 0 to {bits}.";
    }

    /// <summary>The first address of the network that an address is in.</summary>
    private static IPAddress Base(IPAddress address, int prefix)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = prefix; bit < bytes.Length * 8; bit++) bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return new IPAddress(bytes);
    }

    /// <summary>
    /// The address, what stands behind the slash (null where there is none), and how many bits an address of its kind has.
    /// </summary>
    private static (IPAddress Address, int? Length, int Bits)? Split(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var written = slash < 0 ? text : text[..slash];
        if (written.Length > 45 || !IPAddress.TryParse(written, out var address)) return null;
        var four = address.AddressFamily == AddressFamily.InterNetwork;
        if (four ? address.ToString() != written : written.AsSpan().ContainsAny("%[]")) return null;
        int? length = null;
        if (slash >= 0)
        {
            if (text.Length - slash > 4 || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
            length = number;
        }

        // What comes from an IPv4 address is compared as one, however a proxy writes it.
        if (address.IsIPv4MappedToIPv6) return length is null or >= 96 ? (address.MapToIPv4(), length - 96, 32) : null;
        return (address, length, four ? 32 : 128);
    }
}
