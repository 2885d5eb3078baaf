using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KpiDashboard.Api;
using KpiDashboard.Security;

namespace KpiDashboard.Connectors.N8n;

/// <summary>An answer, or why there is none. <paramref name="Status"/> is null where not even a status came.</summary>
internal readonly record struct N8nAnswer<T>(T? Value, HttpStatusCode? Status, FetchOutcome? Failure);

/// <summary>Speaks HTTP with one n8n. One request is one request; every refusal becomes an outcome with a sentence for the owner.</summary>
internal sealed partial class N8nClient(HttpClient http, Uri api, string apiKey, TimeProvider time)
{
    /// <summary>Name of the HTTP client; the address guard hangs on to it.</summary>
    internal const string HttpClientName = "n8n";

    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(6);

    /// <summary>Path of the API at this n8n, for provenance.</summary>
    public string ApiPath => api.AbsolutePath;

    /// <summary>Where pages of n8n begin, of all versions: what a browser shows after the address of the n8n itself.</summary>
    private static readonly HashSet<string> Pages = new(StringComparer.OrdinalIgnoreCase)
    {
        "home", "workflow", "workflows", "executions", "projects", "personal", "shared", "credentials", "settings", "insights", "templates", "variables", "data-tables", "chat",
        "signin", "signup", "signout", "setup", "forgot-password", "change-password", "mfa", "saml", "oauth",
    };

    /// <summary>
    /// The address of the API from what the tenant entered: with or without a path, a slash at the end, <c>/api/v1</c> itself, or a page of n8n as a browser shows it
    /// (<c>/home/workflows?projectId=…</c>). Null if it is no web address, or holds a user name, or a query or a fragment that is not of such a page.
    /// </summary>
    internal static Uri? ApiAddress(string? baseUrl)
    {
        if (TypedAddress.Read(baseUrl) is not { } uri)
            return null;
        var parts = uri.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var api = Enumerable.Range(0, Math.Max(0, parts.Length - 1)).FirstOrDefault(
            i => parts[i].Equals("api", StringComparison.OrdinalIgnoreCase) && parts[i + 1].Equals("v1", StringComparison.OrdinalIgnoreCase), -1);
        var page = api >= 0 ? api : Array.FindIndex(parts, Pages.Contains);
        if (page < 0 && (uri.Query.Length > 0 || uri.Fragment.Length > 0))
            return null;
        var path = string.Join('/', page < 0 ? parts : parts[..page]);
        return new UriBuilder(uri) { Path = path.Length == 0 ? "/api/v1" : $"/{path}/api/v1", Query = "", Fragment = "" }.Uri;
    }

    /// <summary>Whether an n8n answers at the address at all, whatever its API does: <c>/healthz</c> is there in every version.</summary>
    public async Task<bool> IsN8nAsync(CancellationToken cancellationToken) =>
        (await GetAsync("../../healthz", N8nJson.Default.N8nHealth, cancellationToken)).Value?.Status == "ok";

    /// <summary>GET of a path below the API, with its query.</summary>
    public async Task<N8nAnswer<T>> GetAsync<T>(string pathAndQuery, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        HttpResponseMessage response;
        byte[] body;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{api.AbsoluteUri}/{pathAndQuery}"));
            request.Headers.TryAddWithoutValidation("X-N8N-API-KEY", apiKey);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
            body = KeptText.CleanJson(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(null, null, Late());
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new(null, null, Broken(e));
        }

        using (response)
        {
            if (Refusal(response, body) is { } failure)
                return new(null, response.StatusCode, failure);
            try
            {
                return JsonSerializer.Deserialize(body, type) is { } value
                    ? new(value, response.StatusCode, null)
                    : new(null, response.StatusCode, new ProviderDown("Your n8n sent an answer that cannot be read."));
            }
            catch (JsonException)
            {
                return new(null, response.StatusCode, new ProviderDown("Your n8n sent an answer that breaks off or cannot be read."));
            }
        }
    }

    private static ProviderDown Late() => new("Your n8n did not answer in time.");

    private static FetchOutcome Broken(Exception error) =>
        error is not HttpRequestException e ? new ProviderDown("The connection to your n8n broke off.")
        : OutboundRefusedException.In(e) is { } refused ? new RequestRefused(refused.Message)
        : new ProviderDown(e.HttpRequestError switch
        {
            HttpRequestError.ConfigurationLimitExceeded => "Your n8n sent an answer that is far too large.",
            HttpRequestError.NameResolutionError => "The name in your n8n address cannot be found.",
            HttpRequestError.ConnectionError => "Your n8n cannot be reached.",
            HttpRequestError.SecureConnectionError => "No secure connection to your n8n could be made; its certificate may have expired.",
            _ => "The connection to your n8n broke off.",
        });

    private FetchOutcome? Refusal(HttpResponseMessage response, byte[] body)
    {
        var status = (int)response.StatusCode;
        var html = LooksLikeHtml(response, body);
        var now = time.GetUtcNow();
        return status switch
        {
            429 => new RateLimited(RetryAt(response.Headers.RetryAfter, now) ?? now.AddSeconds(60), "Your n8n asks us to slow down."),
            408 or >= 500 => new ProviderDown($"Your n8n failed (status {status}).", RetryAt(response.Headers.RetryAfter, now)),
            >= 300 and < 400 => new RequestRefused("Your n8n address sends us on to another one. Enter the address that n8n has in the end."),
            _ when html => new RequestRefused(
                "A web page answers at your n8n address instead of n8n's public API: a login page or proxy in front of it, or not the address of n8n."),
            200 => null,
            // n8n answers both alike, with the same words.
            401 => new AuthorizationLost(
                "Your n8n does not accept the API key: it was deleted, has expired or belongs to another n8n, or the public API is switched off there (N8N_PUBLIC_API_DISABLED). "
                + "Create a new key there and enter it, or have the API switched on and test the connection again."),
            403 => new AuthorizationLost(
                "The n8n API key lacks a permission. Give it the scopes workflow:list, execution:list and execution:read, or create a new key with them."),
            404 => new RequestRefused("There is no n8n public API at this address. Check the address, and that the public API is not switched off."),
            400 => new RequestRefused($"Your n8n refused the request: {Clip(Message(body))}"),
            _ => new ProviderDown($"Your n8n answered in an unexpected way (status {status})."),
        };
    }

    private static bool LooksLikeHtml(HttpResponseMessage response, byte[] body)
    {
        if (string.Equals(response.Content.Headers.ContentType?.MediaType, "text/html", StringComparison.OrdinalIgnoreCase))
            return true;
        return body.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'<', ..];
    }

    private static string? Message(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, N8nJson.Default.N8nErrorBody)?.Message;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Clip(string? text)
    {
        var line = string.Concat((text ?? "").Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        return line.Length == 0 ? "no reason given" : line.Length <= 300 ? line : KeptText.Cut(line, 300) + "…";
    }

    private static DateTimeOffset? RetryAt(RetryConditionHeaderValue? header, DateTimeOffset now)
    {
        var wait = header?.Delta ?? (header?.Date is { } date ? date - now : null);
        if (wait is not { } asked)
            return null;
        return now + (asked < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : asked > LongestWait ? LongestWait : asked);
    }
}
