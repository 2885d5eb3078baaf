using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Telemetry;

/// <summary>
/// What stands for a tenant in telemetry: the first 16 hexadecimal digits of HMAC-SHA256 over its id, keyed. Keyed and not plain, because everybody who works in
/// a business reads its id in his browser, and many may read telemetry who must not know whose it is. Without random salt, so that it stays the same
/// and can be looked for.
/// </summary>
internal sealed class TenantHash(IOptions<TelemetryOptions> options)
{
    private readonly byte[]? _key = options.Value.TenantKey is { Length: > 0 } key ? Convert.FromBase64String(key) : null;

    /// <summary>The hash of a tenant; null if there is no key.</summary>
    public string? Of(Guid tenant) => _key is null ? null : Of(tenant, _key);

    /// <summary>The hash of a tenant with a key; for whoever has the key and looks for a tenant.</summary>
    public static string Of(Guid tenant, ReadOnlySpan<byte> key) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(tenant.ToString("D"))))[..16];
}
