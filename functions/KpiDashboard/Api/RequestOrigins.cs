using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace KpiDashboard.Api;

/// <summary>Section <c>Http</c>: whose pages may use the API.</summary>
internal sealed class HttpOptions
{
    /// <summary>Configuration key of <see cref="AllowedOrigins"/>.</summary>
    public const string AllowedOriginsKey = "Http:AllowedOrigins";

    /// <summary>Origins besides our own, separated by blanks or commas, for example <c>https://kpi.example.com</c>; none if page and API share one.</summary>
    public string AllowedOrigins { get; set; } = "";

    internal static bool IsValid(HttpOptions options) => Parse(options.AllowedOrigins) is not null;

    /// <summary>The origins of a setting; null if one is none, or is plain http on another machine. No wildcards: with credentials they would mean everybody.</summary>
    internal static string[]? Parse(string? text)
    {
        var origins = (text ?? "").Split([' ', ',', '\n', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return Array.TrueForAll(origins, origin =>
            Uri.TryCreate(origin, UriKind.Absolute, out var uri) && origin == uri.GetLeftPart(UriPartial.Authority) && uri.UserInfo.Length == 0
            && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback)))
            ? origins
            : null;
    }
}

/// <summary>
/// Whether a request was made by somebody else's page. Cookies are SameSite=Strict already; this holds too where they cannot be (page and API on separate
/// origins), and for sign-in itself, which needs no cookie.
/// </summary>
internal sealed class RequestOrigins(IConfiguration configuration)
{
    /// <summary>True for what a browser says comes from a foreign page. Programs that are no browser send neither header.</summary>
    public bool IsForeign(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        // Pages cannot write this header themselves. It spares a set-up behind a proxy that changes the Host.
        if (site is "same-origin" or "none") return false;
        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0 ? site.Length > 0 : !IsOwn(request, origin) && !Allowed().Contains(origin, StringComparer.Ordinal);
    }

    private string[] Allowed() => HttpOptions.Parse(configuration[HttpOptions.AllowedOriginsKey]) ?? [];

    private bool IsOwn(HttpRequest request, string origin)
    {
        if (WebAddress.TryParse(configuration[WebAddress.Key] ?? "") is { } page && origin == page.GetLeftPart(UriPartial.Authority)) return true;
        // Behind a proxy the request itself is plain HTTP; the page is not.
        return origin == $"https://{request.Host}" || (!request.Headers.ContainsKey("X-Forwarded-Proto") && origin == $"{request.Scheme}://{request.Host}");
    }
}
