using System.Text.Json;
using System.Text.RegularExpressions;
using KpiDashboard.LocalHost.Startup;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Net.Http.Headers;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>
/// Serves the built web page as Azure Static Web Apps would: files, routes, headers and the fallback from the folder's own
/// <c>staticwebapp.config.json</c>, so that what works here works there.
/// </summary>
internal sealed class StaticSite : IDisposable
{
    private const string ConfigFile = "staticwebapp.config.json";

    // What Static Web Apps sends when no rule says otherwise.
    private const string DefaultCacheControl = "public, must-revalidate, max-age=30";
    private const string ImmutableCacheControl = "public, max-age=31536000, immutable";

    private static readonly string[] s_functionPaths = ["/api", "/admin"];

    private readonly string _root;
    private readonly PhysicalFileProvider _files;
    private readonly Lock _gate = new();
    private (DateTime Written, StaticSiteConfig Config) _config;

    public StaticSite(string root)
    {
        if (!Path.IsPathFullyQualified(root) || !Directory.Exists(root))
            throw new StartupException($"Web:Root must be the full path of the built web page; there is no folder {root}.");
        _root = root;
        _files = new PhysicalFileProvider(root);
        _config = Load();
    }

    public async Task InvokeAsync(HttpContext http)
    {
        PathString path = http.Request.Path;
        if (s_functionPaths.Any(prefix => path.StartsWithSegments(prefix, StringComparison.OrdinalIgnoreCase)))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        StaticSiteConfig config = Config();
        string url = path.Value is { Length: > 0 } value ? value : "/";
        StaticSiteConfig.Route? route = config.Routes.FirstOrDefault(candidate => candidate.Matches(url, http.Request.Method));
        if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
        {
            SetHeaders(http, config, route, file: null);
            http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return;
        }

        if (route?.Redirect is { } target)
        {
            SetHeaders(http, config, route, file: null);
            http.Response.StatusCode = route.StatusCode ?? StatusCodes.Status302Found;
            http.Response.Headers.Location = target;
            return;
        }

        if (route is { StatusCode: >= 400 })
        {
            await NotServedAsync(http, config, route, route.StatusCode.Value);
            return;
        }

        IFileInfo? file = Find(route?.Rewrite ?? url);
        if (file is null && route?.Rewrite is null && config.FallbackFor(url) is { } fallback)
            file = Find(fallback);
        if (file is null)
            await NotServedAsync(http, config, route, StatusCodes.Status404NotFound);
        else
            await SendAsync(http, config, route, file, route?.StatusCode ?? StatusCodes.Status200OK);
    }

    public void Dispose() => _files.Dispose();

    private async Task NotServedAsync(HttpContext http, StaticSiteConfig config, StaticSiteConfig.Route? route, int statusCode)
    {
        if (config.Overrides.TryGetValue(statusCode, out StaticSiteConfig.Override? instead))
        {
            if (instead.Redirect is { } target)
            {
                SetHeaders(http, config, route, file: null);
                http.Response.StatusCode = instead.StatusCode ?? StatusCodes.Status302Found;
                http.Response.Headers.Location = target;
                return;
            }

            if (instead.Rewrite is { } rewrite && Find(rewrite) is { } file)
            {
                await SendAsync(http, config, route, file, instead.StatusCode ?? statusCode);
                return;
            }
        }

        SetHeaders(http, config, route, file: null);
        http.Response.StatusCode = statusCode;
    }

    private static async Task SendAsync(HttpContext http, StaticSiteConfig config, StaticSiteConfig.Route? route, IFileInfo file, int statusCode)
    {
        SetHeaders(http, config, route, file);
        // Weak, because the same file also goes out compressed.
        EntityTagHeaderValue etag = new($"\"{file.LastModified.UtcTicks:x}-{file.Length:x}\"", isWeak: true);
        ResponseHeaders headers = http.Response.GetTypedHeaders();
        headers.ETag = etag;
        headers.LastModified = file.LastModified;
        if (statusCode == StatusCodes.Status200OK && IsNotModified(http.Request.GetTypedHeaders(), etag, file.LastModified))
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        http.Response.StatusCode = statusCode;
        http.Response.ContentType = config.ContentTypeOf(file.Name);
        if (HttpMethods.IsHead(http.Request.Method))
            http.Response.ContentLength = file.Length;
        else
            await http.Response.SendFileAsync(file, http.RequestAborted);
    }

    private static bool IsNotModified(RequestHeaders request, EntityTagHeaderValue etag, DateTimeOffset modified) =>
        request.IfNoneMatch is { Count: > 0 } tags
            ? tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(etag, useStrongComparison: false))
            : request.IfModifiedSince is { } since && modified.ToUnixTimeSeconds() <= since.ToUnixTimeSeconds();

    private static void SetHeaders(HttpContext http, StaticSiteConfig config, StaticSiteConfig.Route? route, IFileInfo? file)
    {
        if (file is not null)
            http.Response.Headers.CacheControl = StaticSiteConfig.IsHashedAsset(http.Request.Path) ? ImmutableCacheControl : DefaultCacheControl;
        foreach ((string name, string value) in config.HeadersOf(route))
        {
            if (value.Length == 0)
                http.Response.Headers.Remove(name);
            else
                http.Response.Headers[name] = value;
        }
    }

    /// <summary>The file of an address, <c>index.html</c> for a folder; null if there is none or it is not for the public.</summary>
    private IFileInfo? Find(string url)
    {
        string path = url.EndsWith('/') ? url + "index.html" : url;
        if (path.TrimStart('/').Equals(ConfigFile, StringComparison.OrdinalIgnoreCase))
            return null;
        IFileInfo file = _files.GetFileInfo(path);
        if (file is { Exists: true, IsDirectory: false })
            return file;
        IFileInfo index = _files.GetFileInfo(path.TrimEnd('/') + "/index.html");
        return index is { Exists: true, IsDirectory: false } ? index : null;
    }

    /// <summary>The rules; read again when the file has changed, as a build beside a running app replaces it.</summary>
    private StaticSiteConfig Config()
    {
        lock (_gate)
        {
            if (File.GetLastWriteTimeUtc(Path.Combine(_root, ConfigFile)) != _config.Written)
            {
                try
                {
                    _config = Load();
                }
                catch (Exception e) when (e is StartupException or IOException)
                {
                    // Half written: the old rules hold until the file is whole.
                }
            }

            return _config.Config;
        }
    }

    private (DateTime Written, StaticSiteConfig Config) Load()
    {
        string path = Path.Combine(_root, ConfigFile);
        DateTime written = File.GetLastWriteTimeUtc(path);
        return (written, File.Exists(path) ? StaticSiteConfig.Parse(File.ReadAllText(path), path) : StaticSiteConfig.None);
    }
}

/// <summary>What LocalHost honours of <c>staticwebapp.config.json</c>.</summary>
internal sealed partial class StaticSiteConfig
{
    private static readonly FileExtensionContentTypeProvider s_contentTypes = new();

    private readonly Dictionary<string, string> _globalHeaders = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _mimeTypes = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<Route> _routes = [];
    private readonly Dictionary<int, Override> _overrides = [];
    private readonly List<Regex> _notFallback = [];
    private string? _fallback;

    /// <summary>No file: every address that does not look like a file is the page's own.</summary>
    public static StaticSiteConfig None { get; } = new() { _fallback = "/index.html", _notFallback = { LooksLikeAFile() } };

    public IReadOnlyList<Route> Routes => _routes;

    public IReadOnlyDictionary<int, Override> Overrides => _overrides;

    /// <exception cref="StartupException">The file is not JSON of the expected shape.</exception>
    public static StaticSiteConfig Parse(string json, string path)
    {
        StaticSiteConfig config = new();
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            JsonElement root = document.RootElement;
            ReadPairs(root, "globalHeaders", config._globalHeaders);
            ReadPairs(root, "mimeTypes", config._mimeTypes);
            if (root.TryGetProperty("navigationFallback", out JsonElement fallback))
            {
                config._fallback = Text(fallback, "rewrite") ?? "/index.html";
                if (fallback.TryGetProperty("exclude", out JsonElement exclude))
                    config._notFallback.AddRange(exclude.EnumerateArray().Select(pattern => Glob(pattern.GetString()!)));
            }

            if (root.TryGetProperty("routes", out JsonElement routes))
                config._routes.AddRange(routes.EnumerateArray().Select(ReadRoute));
            if (root.TryGetProperty("responseOverrides", out JsonElement overrides))
            {
                foreach (JsonProperty property in overrides.EnumerateObject())
                {
                    config._overrides[int.Parse(property.Name, System.Globalization.CultureInfo.InvariantCulture)] =
                        new Override(Text(property.Value, "rewrite"), Text(property.Value, "redirect"), StatusCode(property.Value));
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new StartupException($"{path} cannot be read: {e.Message}", e);
        }

        return config;
    }

    /// <summary>The file to send for an address that has none, or null.</summary>
    public string? FallbackFor(string url) => _fallback is not null && !_notFallback.Any(pattern => pattern.IsMatch(url)) ? _fallback : null;

    /// <summary>Global headers, overridden by the route's; an empty value takes a header away.</summary>
    public IEnumerable<KeyValuePair<string, string>> HeadersOf(Route? route) =>
        route is null ? _globalHeaders : _globalHeaders.Where(header => !route.Headers.ContainsKey(header.Key)).Concat(route.Headers);

    public string ContentTypeOf(string fileName) =>
        _mimeTypes.TryGetValue(Path.GetExtension(fileName), out string? type) ? type
        : !s_contentTypes.TryGetContentType(fileName, out type) ? "application/octet-stream"
        : type is "text/html" or "text/css" or "text/javascript" or "text/plain" ? type + "; charset=utf-8"
        : type;

    /// <summary>Vite puts a hash of the content into the name of what it builds.</summary>
    public static bool IsHashedAsset(string? path) => path is not null && HashedAsset().IsMatch(path);

    private static Route ReadRoute(JsonElement element)
    {
        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        ReadPairs(element, "headers", headers);
        HashSet<string>? methods = element.TryGetProperty("methods", out JsonElement list)
            ? new(list.EnumerateArray().Select(method => method.GetString()!), StringComparer.OrdinalIgnoreCase)
            : null;
        return new Route(Glob(element.GetProperty("route").GetString()!), methods, headers, Text(element, "rewrite"), Text(element, "redirect"), StatusCode(element));
    }

    private static void ReadPairs(JsonElement element, string name, Dictionary<string, string> into)
    {
        if (!element.TryGetProperty(name, out JsonElement pairs))
            return;
        foreach (JsonProperty property in pairs.EnumerateObject())
            into[property.Name] = property.Value.GetString() ?? "";
    }

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    private static int? StatusCode(JsonElement element) => element.TryGetProperty("statusCode", out JsonElement value) ? value.GetInt32() : null;

    /// <summary>An address with <c>*</c> for anything and <c>{png,jpg}</c> for one of several.</summary>
    private static Regex Glob(string pattern)
    {
        string escaped = Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal);
        escaped = GlobChoice().Replace(escaped, match => $"({string.Join('|', match.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries))})");
        return new Regex($"^{escaped}$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
    }

    [GeneratedRegex(@"\\\{([^}]*)\}")]
    private static partial Regex GlobChoice();

    [GeneratedRegex(@"/assets/.*-[A-Za-z0-9_-]{8}\.[a-z0-9]+$")]
    private static partial Regex HashedAsset();

    [GeneratedRegex(@"\.[A-Za-z0-9]+$")]
    private static partial Regex LooksLikeAFile();

    internal sealed record Route(
        Regex Pattern, HashSet<string>? Methods, IReadOnlyDictionary<string, string> Headers, string? Rewrite, string? Redirect, int? StatusCode)
    {
        public bool Matches(string url, string method) => (Methods is null || Methods.Contains(method)) && Pattern.IsMatch(url);
    }

    internal sealed record Override(string? Rewrite, string? Redirect, int? StatusCode);
}
