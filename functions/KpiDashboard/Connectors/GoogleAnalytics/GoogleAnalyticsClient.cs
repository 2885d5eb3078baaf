using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using KpiDashboard.Api;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>One answer of the Data API, or why there is none.</summary>
internal sealed record BatchResult(BatchRunReportsResponse? Response, string RequestJson, DateTimeOffset FetchedAt, FetchOutcome? Failure);

/// <summary>The bytes of an answer whatever its status, or why none came.</summary>
internal readonly record struct SendResult(HttpResponseMessage? Response, byte[] Body, FetchOutcome? Failure);

/// <summary>Speaks HTTP with the Data API. One request is one request: a refused access token is replaced once, everything else is handed back.</summary>
internal sealed class GoogleAnalyticsClient(
    IHttpClientFactory httpClients, GoogleAccessTokens tokens, IOptionsMonitor<GoogleAnalyticsOptions> options, TimeProvider time)
{
    /// <summary>Name of the HTTP client, for whoever adds resilience or a test handler.</summary>
    internal const string HttpClientName = "google-analytics";

    /// <summary>Runs up to five reports of one property.</summary>
    public async Task<BatchResult> BatchRunReportsAsync(
        Guid integrationId, string propertyId, GoogleCredentials credentials, BatchRunReportsRequest batch, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.Serialize(batch, GoogleAnalyticsJson.Default.BatchRunReportsRequest);
        if (!Uri.TryCreate($"{options.CurrentValue.DataApiUrl.TrimEnd('/')}/v1beta/properties/{propertyId}:batchRunReports", UriKind.Absolute, out var address))
            return Failed(json, new RequestRefused("Google Analytics is not set up on this installation: GoogleAnalytics:DataApiUrl is not an address."));

        using var client = httpClients.CreateClient(HttpClientName);
        string? refused = null;
        for (var attempt = 1; ; attempt++)
        {
            var token = await tokens.GetAsync(integrationId, credentials, refused, cancellationToken);
            if (token.Failure is not null)
                return Failed(json, token.Failure);

            using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StringContent(json, new MediaTypeHeaderValue("application/json")) };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Token);
            var sent = await SendAsync(client, request, "Google Analytics", cancellationToken);
            if (sent.Failure is not null)
                return Failed(json, sent.Failure);

            using var response = sent.Response!;
            if (response.StatusCode == HttpStatusCode.Unauthorized && attempt == 1)
            {
                refused = token.Token;
                continue;
            }

            if (response.StatusCode != HttpStatusCode.OK)
                return Failed(json, GoogleErrors.FromDataApi(response.StatusCode, response.Headers.RetryAfter, sent.Body, time.GetUtcNow()));
            return Read(sent.Body) is { } answer
                ? new BatchResult(answer, json, time.GetUtcNow(), null)
                : Failed(json, new ProviderDown("Google Analytics sent an answer that breaks off or cannot be read."));
        }
    }

    /// <summary>Sends and reads the whole body, within the client's time and size limits. Only the caller's own cancellation is thrown.</summary>
    internal static async Task<SendResult> SendAsync(HttpClient client, HttpRequestMessage request, string who, CancellationToken cancellationToken)
    {
        HttpResponseMessage? response = null;
        try
        {
            response = await client.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
            return new SendResult(response, KeptText.CleanJson(await response.Content.ReadAsByteArrayAsync(cancellationToken)), null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            response?.Dispose();
            return new SendResult(null, [], new ProviderDown($"{who} did not answer in time."));
        }
        catch (HttpRequestException e)
        {
            response?.Dispose();
            return new SendResult(null, [], new ProviderDown(e.HttpRequestError switch
            {
                HttpRequestError.ConfigurationLimitExceeded => $"{who} sent an answer that is far too large.",
                HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError => $"{who} cannot be reached.",
                HttpRequestError.SecureConnectionError => $"No secure connection to {who} could be made.",
                _ => $"The connection to {who} broke off.",
            }));
        }
        catch (IOException)
        {
            response?.Dispose();
            return new SendResult(null, [], new ProviderDown($"The connection to {who} broke off."));
        }
    }

    private static BatchRunReportsResponse? Read(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, GoogleAnalyticsJson.Default.BatchRunReportsResponse);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private BatchResult Failed(string json, FetchOutcome failure) => new(null, json, time.GetUtcNow(), failure);
}
