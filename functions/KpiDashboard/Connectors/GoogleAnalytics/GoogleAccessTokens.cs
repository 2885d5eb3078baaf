using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>An access token, or why there is none.</summary>
internal readonly record struct AccessTokenResult(string? Token, FetchOutcome? Failure);

/// <summary>
/// Access tokens by integration, in memory only. One refresh at a time per integration: Google drops the oldest tokens of an account silently once
/// there are too many, and parallel slices of one integration would each ask for one.
/// </summary>
internal sealed partial class GoogleAccessTokens(
    IHttpClientFactory httpClients, IOptionsMonitor<GoogleAnalyticsOptions> options, TimeProvider time, ILogger<GoogleAccessTokens> logger)
{
    internal const string ReadScope = "https://www.googleapis.com/auth/analytics.readonly";
    private const string FullScope = "https://www.googleapis.com/auth/analytics";

    // Tokens that would run out during a batch of requests are not worth using.
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(2);

    // Far above what one instance serves in an hour; keeps a long-lived process from growing.
    private const int MaxEntries = 10_000;

    private readonly ConcurrentDictionary<Guid, Entry> entries = new();

    /// <summary>A token that is good for at least two minutes, from memory or from Google.</summary>
    /// <param name="integrationId">Whose token.</param>
    /// <param name="credentials">What is stored; another one than before (the owner connected again) makes the cached token worthless.</param>
    /// <param name="refused">An access token that Google has just answered 401 to: it is not handed out again.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<AccessTokenResult> GetAsync(Guid integrationId, GoogleCredentials credentials, string? refused, CancellationToken cancellationToken)
    {
        if (entries.Count > MaxEntries)
            DropExpired();
        var fingerprint = SHA256.HashData(Encoding.UTF8.GetBytes(credentials.RefreshToken ?? credentials.ServiceAccount!.PrivateKey));
        var entry = await EnterAsync(integrationId, cancellationToken);
        try
        {
            if (entry.Token is { } cached && cached != refused && entry.Fingerprint.AsSpan().SequenceEqual(fingerprint) && time.GetUtcNow() < entry.GoodUntil)
                return new AccessTokenResult(cached, null);
            entry.Token = null;
            var (answer, failure) = await RefreshAsync(credentials, cancellationToken);
            if (failure is not null)
            {
                LogRefused(logger, integrationId, failure.GetType().Name);
                return new AccessTokenResult(null, failure);
            }

            entry.Token = answer!.AccessToken;
            entry.Fingerprint = fingerprint;
            entry.GoodUntil = time.GetUtcNow() + TimeSpan.FromSeconds(Math.Clamp(answer.ExpiresIn ?? 0, 0, 86_400)) - Margin;
            return new AccessTokenResult(answer.AccessToken, null);
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    /// <summary>Asks the token endpoint. An answer without the permission to read Analytics is an <see cref="AuthorizationLost"/>.</summary>
    internal async Task<(GoogleTokenAnswer? Answer, FetchOutcome? Failure)> AskAsync(
        IEnumerable<KeyValuePair<string, string>> form, bool isServiceAccount, HttpClient client, CancellationToken cancellationToken)
    {
        using var own = client;
        if (!Uri.TryCreate(options.CurrentValue.TokenUrl, UriKind.Absolute, out var address))
            return (null, new RequestRefused("Google Analytics is not set up on this installation: GoogleAnalytics:TokenUrl is not an address."));
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new FormUrlEncodedContent(form) };
        var sent = await GoogleAnalyticsClient.SendAsync(client, request, "Google's sign-in", cancellationToken);
        if (sent.Failure is not null)
            return (null, sent.Failure);

        using var response = sent.Response!;
        var answer = Read(sent.Body);
        if (!response.IsSuccessStatusCode || answer?.AccessToken is not { Length: > 0 })
            return (null, GoogleErrors.FromTokenEndpoint(response.StatusCode, response.Headers.RetryAfter, answer?.Error, time.GetUtcNow(), isServiceAccount));

        // The consent screen lets people untick a permission; every report would then fail with 403.
        if (answer.Scope is { Length: > 0 } scope && !scope.Split(' ').Any(granted => granted is ReadScope or FullScope))
            return (null, new AuthorizationLost("The Google sign-in was made without the permission to read Analytics. Connect again and leave that permission ticked.") { OfScopes = true });
        return (answer, null);
    }

    private async Task<(GoogleTokenAnswer? Answer, FetchOutcome? Failure)> RefreshAsync(GoogleCredentials credentials, CancellationToken cancellationToken)
    {
        var settings = options.CurrentValue;
        if (credentials.ServiceAccount is { } account)
        {
            string assertion;
            try
            {
                assertion = account.Assertion(settings.TokenUrl, ReadScope, time.GetUtcNow());
            }
            catch (Exception error) when (error is CryptographicException or ArgumentException)
            {
                return (null, new AuthorizationLost("The stored key of the service account cannot be used. Make a new key and connect again."));
            }

            // RFC 7523, 2.1.
            return await AskAsync(
                [new("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), new("assertion", assertion)], isServiceAccount: true,
                httpClients.CreateClient(GoogleAnalyticsClient.HttpClientName), cancellationToken);
        }

        if (string.IsNullOrWhiteSpace(settings.ClientId) || string.IsNullOrWhiteSpace(settings.ClientSecret))
            return (null, new RequestRefused("Google Analytics is not set up on this installation: GoogleAnalytics:ClientId and ClientSecret are missing."));
        return await AskAsync(
            [
                new("grant_type", "refresh_token"),
                new("client_id", settings.ClientId),
                new("client_secret", settings.ClientSecret),
                new("refresh_token", credentials.RefreshToken!),
            ], isServiceAccount: false, httpClients.CreateClient(GoogleAnalyticsClient.HttpClientName), cancellationToken);
    }

    /// <summary>The entry of an integration, alone. One that was dropped between finding and entering it is not the one that others would find.</summary>
    private async Task<Entry> EnterAsync(Guid integrationId, CancellationToken cancellationToken)
    {
        while (true)
        {
            var entry = entries.GetOrAdd(integrationId, static _ => new Entry());
            await entry.Gate.WaitAsync(cancellationToken);
            if (entries.TryGetValue(integrationId, out var current) && ReferenceEquals(current, entry))
                return entry;
            entry.Gate.Release();
        }
    }

    private static GoogleTokenAnswer? Read(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, GoogleAnalyticsJson.Default.GoogleTokenAnswer);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void DropExpired()
    {
        var now = time.GetUtcNow();
        foreach (var (id, entry) in entries)
        {
            // An entry in use stays: dropping it would let a second refresh run beside the first.
            if (entry.Gate.CurrentCount == 1 && (entry.Token is null || now >= entry.GoodUntil))
                entries.TryRemove(id, out _);
        }
    }

    [LoggerMessage(3101, LogLevel.Warning, "No Google access token for integration {IntegrationId}: {Outcome}")]
    private static partial void LogRefused(ILogger logger, Guid integrationId, string outcome);

    private sealed class Entry
    {
        public SemaphoreSlim Gate { get; } = new(1, 1);

        public string? Token { get; set; }

        public byte[] Fingerprint { get; set; } = [];

        public DateTimeOffset GoodUntil { get; set; }
    }
}
