using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KpiDashboard.Api;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>What came for a code: credentials and the account's address if Google told it, or why there are none.</summary>
internal sealed record GoogleSignInResult(GoogleCredentials? Credentials, string? Email, FetchOutcome? Failure);

/// <summary>A property, and the Analytics account that it is in.</summary>
internal sealed record ReadableProperty(string Id, string Name, string Account);

/// <summary>What an account may read, or why that cannot be told.</summary>
internal sealed record GooglePropertiesResult(IReadOnlyList<ReadableProperty> Properties, FetchOutcome? Failure);

/// <summary>Signing in at Google (authorization code with PKCE), and the Admin API's list of properties.</summary>
internal sealed class GoogleSignIn(IHttpClientFactory httpClients, GoogleAccessTokens tokens, IOptionsMonitor<GoogleAnalyticsOptions> options, TimeProvider time)
{
    // Read only; the address of the account is what a person knows it by.
    private const string Scopes = $"openid email {GoogleAccessTokens.ReadScope}";

    // A person waits for each of these.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private const int MaxAnswerBytes = 2 * 1024 * 1024, PageSize = 200, MaxPages = 25;

    /// <summary>Client id and secret of this installation are there.</summary>
    public bool IsConfigured => options.CurrentValue is { ClientId: { } id, ClientSecret: { } secret } && !string.IsNullOrWhiteSpace(id) && !string.IsNullOrWhiteSpace(secret);

    /// <summary>Google's page that asks for the consent. <c>prompt=consent</c>, because without it Google gives a refresh token the first time only.</summary>
    public string AuthorizeUrl(string redirect, string state, string verifier, string? account)
    {
        var settings = options.CurrentValue;
        var query = new Dictionary<string, string?>
        {
            ["response_type"] = "code",
            ["client_id"] = settings.ClientId,
            ["redirect_uri"] = redirect,
            ["scope"] = Scopes,
            ["access_type"] = "offline",
            ["prompt"] = "consent",
            ["state"] = state,
            ["code_challenge"] = WebEncoders.Base64UrlEncode(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))),
            ["code_challenge_method"] = "S256",
        };
        if (account is not null) query["login_hint"] = account;
        return QueryHelpers.AddQueryString(settings.AuthorizeUrl, query);
    }

    /// <summary>Exchanges a code. A consent without the permission to read Analytics is an <see cref="AuthorizationLost"/>.</summary>
    public async Task<GoogleSignInResult> ExchangeAsync(string code, string redirect, string verifier, CancellationToken cancellationToken)
    {
        var settings = options.CurrentValue;
        var (answer, failure) = await tokens.AskAsync(
            [
                new("grant_type", "authorization_code"),
                new("client_id", settings.ClientId!),
                new("client_secret", settings.ClientSecret!),
                new("code", code),
                new("code_verifier", verifier),
                new("redirect_uri", redirect),
            ], isServiceAccount: false, Client(), cancellationToken);
        if (failure is not null) return new GoogleSignInResult(null, null, failure);
        return answer!.RefreshToken is { Length: > 0 and <= 4096 } token
            ? new GoogleSignInResult(new GoogleCredentials(RefreshToken: token), Email(answer.IdToken), null)
            : new GoogleSignInResult(null, null, new ProviderDown("Google's sign-in gave no permission that lasts."));
    }

    /// <summary>Whether credentials are good for an access token; null if they are.</summary>
    /// <param name="id">Under which the access token is kept in memory.</param>
    /// <param name="credentials">What is tried.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task<FetchOutcome?> TryAsync(Guid id, GoogleCredentials credentials, CancellationToken cancellationToken) =>
        (await tokens.GetAsync(id, credentials, null, cancellationToken)).Failure;

    /// <summary>All properties of an account, by account and name. At most 25 pages of 200 accounts each.</summary>
    public async Task<GooglePropertiesResult> PropertiesAsync(Guid id, GoogleCredentials credentials, CancellationToken cancellationToken)
    {
        var found = new List<ReadableProperty>();
        string? page = null;
        for (var pages = 0; pages < MaxPages; pages++)
        {
            var (answer, failure) = await AdminAsync(
                id, credentials, $"accountSummaries?pageSize={PageSize}" + (page is null ? "" : $"&pageToken={Uri.EscapeDataString(page)}"), GoogleAnalyticsJson.Default.AccountSummariesAnswer, cancellationToken);
            if (failure is not null) return new GooglePropertiesResult([], failure);
            found.AddRange(
                from account in answer!.AccountSummaries ?? []
                from property in account.PropertySummaries ?? []
                let number = Number(property.Property)
                where number is not null
                select new ReadableProperty(number, Named(property.DisplayName, number), Named(account.DisplayName, "")));
            page = answer.NextPageToken;
            if (string.IsNullOrEmpty(page)) break;
        }

        return new GooglePropertiesResult(
            [.. found.DistinctBy(property => property.Id).OrderBy(property => property.Account, StringComparer.OrdinalIgnoreCase).ThenBy(property => property.Name, StringComparer.OrdinalIgnoreCase)], null);
    }

    /// <summary>What a property is called; null if Google does not say.</summary>
    public async Task<string?> NameAsync(Guid id, GoogleCredentials credentials, string propertyId, CancellationToken cancellationToken) =>
        (await AdminAsync(id, credentials, $"properties/{propertyId}", GoogleAnalyticsJson.Default.PropertyAnswer, cancellationToken)).Answer?.DisplayName is { Length: > 0 } name ? Named(name, propertyId) : null;

    /// <summary>Tells Google that a refresh token is not used any more. False: it did not answer, or did not know the token.</summary>
    public async Task<bool> RevokeAsync(string refreshToken, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(options.CurrentValue.RevokeUrl, UriKind.Absolute, out var address)) return false;
        using var client = Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new FormUrlEncodedContent([new("token", refreshToken)]) };
        var sent = await GoogleAnalyticsClient.SendAsync(client, request, "Google's sign-in", cancellationToken);
        using var response = sent.Response;
        return response?.IsSuccessStatusCode == true;
    }

    private async Task<(T? Answer, FetchOutcome? Failure)> AdminAsync<T>(
        Guid id, GoogleCredentials credentials, string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        if (!Uri.TryCreate($"{options.CurrentValue.AdminApiUrl.TrimEnd('/')}/v1beta/{path}", UriKind.Absolute, out var address))
            return (null, new RequestRefused("Google Analytics is not set up on this installation: GoogleAnalytics:AdminApiUrl is not an address."));
        var token = await tokens.GetAsync(id, credentials, null, cancellationToken);
        if (token.Failure is not null) return (null, token.Failure);
        using var client = Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, address) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token.Token) } };
        var sent = await GoogleAnalyticsClient.SendAsync(client, request, "Google Analytics", cancellationToken);
        if (sent.Failure is not null) return (null, sent.Failure);
        using var response = sent.Response!;
        if (!response.IsSuccessStatusCode)
            return (null, GoogleErrors.FromDataApi(response.StatusCode, response.Headers.RetryAfter, sent.Body, time.GetUtcNow(), "Admin"));
        try
        {
            return JsonSerializer.Deserialize(sent.Body, type) is { } answer ? (answer, null) : (null, Unreadable());
        }
        catch (JsonException)
        {
            return (null, Unreadable());
        }
    }

    private HttpClient Client()
    {
        var client = httpClients.CreateClient(GoogleAnalyticsClient.HttpClientName);
        if (client.Timeout > Patience) client.Timeout = Patience;
        client.MaxResponseContentBufferSize = MaxAnswerBytes;
        return client;
    }

    /// <summary>
    /// The address in an id_token that came straight from Google over TLS, which is proof enough (OpenID Connect Core 3.1.3.7, 6). It is shown and compared, and lets nobody in.
    /// </summary>
    private static string? Email(string? idToken)
    {
        try
        {
            if (idToken?.Split('.') is not [_, var payload, _]) return null;
            using var claims = JsonDocument.Parse(KeptText.CleanJson(WebEncoders.Base64UrlDecode(payload)));
            return claims.RootElement.ValueKind == JsonValueKind.Object && claims.RootElement.TryGetProperty("email", out var email) && email.ValueKind == JsonValueKind.String
                && email.GetString() is { Length: > 2 and <= 320 } text && text.Contains('@', StringComparison.Ordinal) && !text.Any(char.IsControl) ? text : null;
        }
        catch (Exception error) when (error is FormatException or JsonException)
        {
            return null;
        }
    }

    private static ProviderDown Unreadable() => new("Google Analytics sent an answer that breaks off or cannot be read.");

    private static string? Number(string? resource) =>
        resource?.StartsWith("properties/", StringComparison.Ordinal) == true && resource["properties/".Length..] is { Length: > 0 and <= 20 } id && id.All(char.IsAsciiDigit) ? id : null;

    private static string Named(string? name, string otherwise) =>
        string.Concat((name ?? "").Select(c => char.IsControl(c) ? ' ' : c)).Trim() is { Length: > 0 } text ? text.Length <= 200 ? text : KeptText.Cut(text, 200) + "…" : otherwise;
}
