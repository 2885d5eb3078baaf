using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Security;

/// <summary>Where requests to addresses that a tenant entered may go; section <c>Outbound</c>. The defaults are for an app that serves tenants from the internet.</summary>
internal sealed class OutboundOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Outbound";

    /// <summary>
    /// <c>host:port</c> pairs, separated by blanks, to which the rules on scheme, port and private addresses do not apply: what the operator runs himself. Metadata
    /// services stay out of reach all the same.
    /// </summary>
    public string AllowedHosts { get; set; } = "";

    /// <summary>Addresses of private networks (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7) may be asked: the app and what it asks stand in one network.</summary>
    public bool AllowPrivate { get; set; }

    /// <summary><c>http://</c> is allowed, and with it port 80: keys then travel in the clear.</summary>
    public bool AllowHttp { get; set; }

    /// <summary>
    /// Ports, separated by blanks. A short list, not "all but the known bad ones": a port that nobody thought of is then closed. 443 and 8443 are where proxies
    /// listen, 5678 is n8n's own.
    /// </summary>
    public string AllowedPorts { get; set; } = "443 5678 8443";

    internal static bool IsValid(OutboundOptions options) =>
        Words(options.AllowedPorts).All(port => int.TryParse(port, out var number) && number is > 0 and < 65536)
        && Words(options.AllowedHosts).All(host => Uri.TryCreate($"http://{host}/", UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0 && host.Contains(':'));

    internal bool Names(Uri uri) => Words(AllowedHosts).Any(host =>
        Uri.TryCreate($"http://{host}/", UriKind.Absolute, out var allowed) && allowed.Port == uri.Port
        && string.Equals(allowed.IdnHost, uri.IdnHost, StringComparison.OrdinalIgnoreCase));

    internal bool HasPort(int port) => (AllowHttp && port == 80) || Words(AllowedPorts).Any(word => int.TryParse(word, out var number) && number == port);

    // An empty setting binds as null.
    internal static string[] Words(string? text) => (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>A request was not made because of where it would have gone. The message is a sentence for the person who entered the address.</summary>
internal sealed class OutboundRefusedException(string message) : HttpRequestException(HttpRequestError.ConnectionError, message)
{
    /// <summary>The refusal that made a request fail, if it was one: what refuses at connect time comes wrapped.</summary>
    public static OutboundRefusedException? In(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is OutboundRefusedException refused) return refused;
        }

        return null;
    }
}

/// <summary>What kind of network an address belongs to.</summary>
internal enum AddressKind
{
    /// <summary>The internet.</summary>
    Public,

    /// <summary>A network of the operator's own: RFC 1918, RFC 6598, unique local.</summary>
    Private,

    /// <summary>This machine.</summary>
    Loopback,

    /// <summary>Never: metadata services, link-local, multicast, reserved, tunnels that hide where they lead.</summary>
    Forbidden,
}

/// <summary>
/// The one guard of every HTTP client that asks an address a tenant entered. Checks the address as written, then every address its name resolves to, at the
/// moment of connecting, and connects to one of those very addresses: a name that answers differently the second time (DNS rebinding) is not asked twice.
/// Redirects are not followed; no proxy is used, because a proxy would resolve the name by itself.
/// </summary>
internal sealed class OutboundGuard(IOptionsMonitor<OutboundOptions> options, OutboundGuard.Resolve? resolve = null)
{
    /// <summary>Addresses of a host name.</summary>
    internal delegate Task<IPAddress[]> Resolve(string host, CancellationToken cancellationToken);

    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(10);

    private static readonly IPNetwork[] Privates =
        [.. new[] { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7" }.Select(IPNetwork.Parse)];

    private static readonly IPNetwork[] Loopbacks = [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")];

    /// <summary>
    /// From the IANA registries of special-purpose addresses, and metadata services: AWS 169.254.169.254 (link-local) and fd00:ec2::254, Azure 168.63.129.16,
    /// Alibaba 100.100.100.200, Oracle 192.0.0.192.
    /// </summary>
    private static readonly IPNetwork[] Forbidden =
    [
        .. new[]
        {
            "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "168.63.129.16/32", "100.100.100.200/32",
            "fd00:ec2::/32", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "64:ff9b:1::/48",
        }.Select(IPNetwork.Parse),
    ];

    private static readonly IPNetwork Global = IPNetwork.Parse("2000::/3"), Nat64 = IPNetwork.Parse("64:ff9b::/96");

    private readonly Resolve _resolve = resolve ?? Dns.GetHostAddressesAsync;

    /// <summary>What kind of network an address belongs to; one that holds an IPv4 address is judged by that.</summary>
    public static AddressKind Classify(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return Classify(address.MapToIPv4());
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            // Scoped addresses are those of a link.
            if (address.ScopeId != 0) return AddressKind.Forbidden;
            var bytes = address.GetAddressBytes();
            if (Nat64.Contains(address)) return Classify(new IPAddress(bytes.AsSpan(12)));
            // ISATAP: the IPv4 address stands behind 0000:5efe in an address that looks like any other.
            if (bytes.AsSpan(8, 4) is [0 or 2, 0, 0x5E, 0xFE] && Classify(new IPAddress(bytes.AsSpan(12))) is var inner and not AddressKind.Public) return inner;
        }

        if (Loopbacks.Any(network => network.Contains(address))) return AddressKind.Loopback;
        if (Forbidden.Any(network => network.Contains(address))) return AddressKind.Forbidden;
        if (Privates.Any(network => network.Contains(address))) return AddressKind.Private;
        // What IANA has not given out to the internet is nobody's that we want to reach.
        return address.AddressFamily == AddressFamily.InterNetwork || Global.Contains(address) ? AddressKind.Public : AddressKind.Forbidden;
    }

    /// <summary>Checks an address as it is written; null if nothing speaks against asking it, else a sentence.</summary>
    public string? Objection(Uri uri)
    {
        var current = options.CurrentValue;
        if (!uri.IsAbsoluteUri || uri.Scheme is not ("http" or "https")) return "The address must begin with https://.";
        if (uri.UserInfo.Length > 0) return "The address must not contain a user name or a password.";
        if (current.Names(uri)) return null;
        if (uri.Scheme == Uri.UriSchemeHttp && !current.AllowHttp) return "The address must begin with https://: over http:// everybody on the way could read the key.";
        if (!current.HasPort(uri.Port)) return $"Port {uri.Port} cannot be used; {Ports(current)} can.";
        return uri.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6 && IPAddress.TryParse(uri.IdnHost, out var address) && !Admits(current, false, address)
            ? PrivateAddress(uri.IdnHost) : null;
    }

    /// <summary>The innermost handler of a guarded client.</summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ConnectTimeout = ConnectTime,
        // A name that moved is looked up, and checked, anew.
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectCallback = ConnectAsync,
    };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        // The URL of the request, not only the end point: rules on schemes apply again to whatever came here past the check.
        var uri = context.InitialRequestMessage.RequestUri!;
        if (Objection(uri) is { } objection) throw new OutboundRefusedException(objection);
        var current = options.CurrentValue;
        var named = current.Names(uri);
        var addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? [literal] : await _resolve(host, cancellationToken);
        if (addresses.Length == 0) throw new SocketException((int)SocketError.HostNotFound);
        // One address out of bounds is enough: a name that leads inside as well as outside means no good.
        if (!addresses.All(address => Admits(current, named, address))) throw new OutboundRefusedException(PrivateAddress(uri.IdnHost));

        Exception? last = null;
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception error)
            {
                socket.Dispose();
                if (error is not SocketException) throw;
                last = error;
            }
        }

        throw last!;
    }

    private static bool Admits(OutboundOptions options, bool named, IPAddress address) => Classify(address) switch
    {
        AddressKind.Public => true,
        AddressKind.Private => named || options.AllowPrivate,
        AddressKind.Loopback => named,
        _ => false,
    };

    private static string PrivateAddress(string host) =>
        $"{host} is not an address on the internet, and only such can be asked. Enter the address under which it can be reached from outside.";

    private static string Ports(OutboundOptions options) =>
        string.Join(", ", OutboundOptions.Words(options.AllowedPorts).Concat(options.AllowHttp ? ["80"] : Array.Empty<string>()));

    /// <summary>Refuses before anything is resolved.</summary>
    internal sealed class Handler(OutboundGuard guard) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            guard.Objection(request.RequestUri!) is { } objection
                ? Task.FromException<HttpResponseMessage>(new OutboundRefusedException(objection))
                : base.SendAsync(request, cancellationToken);
    }
}

/// <summary>Registers the guard.</summary>
internal static class OutboundGuardServices
{
    /// <summary>Registers the guard itself; safe to call for each client that needs it.</summary>
    public static IServiceCollection AddOutboundGuard(this IServiceCollection services, IConfiguration configuration)
    {
        if (services.Any(service => service.ServiceType == typeof(OutboundGuard))) return services;
        services.AddOptions<OutboundOptions>().Bind(configuration.GetSection(OutboundOptions.Section))
            .Validate(OutboundOptions.IsValid, "Outbound:AllowedPorts must be ports, and Outbound:AllowedHosts host:port pairs, separated by blanks.");
        services.TryAddSingleton(provider => new OutboundGuard(provider.GetRequiredService<IOptionsMonitor<OutboundOptions>>(), provider.GetService<OutboundGuard.Resolve>()));
        return services;
    }

    /// <summary>Makes a client ask only what the guard lets it. Needs <see cref="AddOutboundGuard"/>.</summary>
    public static IHttpClientBuilder GuardOutbound(this IHttpClientBuilder client) => client
        .ConfigurePrimaryHttpMessageHandler(provider => provider.GetRequiredService<OutboundGuard>().CreateHandler())
        .AddHttpMessageHandler(provider => new OutboundGuard.Handler(provider.GetRequiredService<OutboundGuard>()));
}
