using Microsoft.Extensions.Configuration;

namespace KpiDashboard.Api;

/// <summary>Section <c>Web</c>.</summary>
internal sealed class WebOptions
{
    /// <summary>Where people find the web page, for example <c>https://kpi.example.com</c>; empty if that is not known.</summary>
    public string BaseUrl { get; set; } = "";

    internal static bool IsValid(WebOptions options) => string.IsNullOrWhiteSpace(options.BaseUrl) || WebAddress.TryParse(options.BaseUrl) is not null;
}

/// <summary>
/// Absolute addresses of pages, for links in mails. From the setting <c>Web:BaseUrl</c> alone: the Host header of a request is whatever its sender likes,
/// and a link that lets somebody in must not lead to them.
/// </summary>
internal sealed class WebAddress(IConfiguration configuration)
{
    /// <summary>Configuration key; read at each use, because the start command knows its address only when it listens.</summary>
    public const string Key = "Web:BaseUrl";

    /// <summary>The address of a page.</summary>
    /// <param name="path">Path below the page's root with its query, escaped already, for example <c>verify-email#token=…</c>.</param>
    /// <exception cref="ApiProblem"><c>Web:BaseUrl</c> is not set.</exception>
    public Uri Of(string path) =>
        TryParse(configuration[Key] ?? "") is { } root
            ? new Uri(root.AbsoluteUri + path.TrimStart('/'))
            : throw ApiProblem.Unavailable("The address of the web page is not configured (Web:BaseUrl).", 3600);

    /// <summary>A base address, ending in a slash; null if the text is none. Plain http is for this machine only.</summary>
    internal static Uri? TryParse(string text) =>
        Uri.TryCreate(text.Trim().TrimEnd('/') + "/", UriKind.Absolute, out var uri)
            && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))
            && uri.UserInfo.Length == 0 && uri.Query.Length == 0 && uri.Fragment.Length == 0
            ? uri
            : null;
}
