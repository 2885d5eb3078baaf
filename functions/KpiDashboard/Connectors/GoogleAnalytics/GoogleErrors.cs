using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using KpiDashboard.Api;

namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>Turns what Google answers when it does not answer into an outcome with a sentence for the owner. Pure.</summary>
internal static class GoogleErrors
{
    // "Daily quotas are refreshed at midnight Pacific time" (Google Analytics Data API, limits and quotas).
    private static readonly TimeZoneInfo Pacific = TimeZoneInfo.FindSystemTimeZoneById("America/Los_Angeles");

    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(26);

    /// <summary>An answer of the Data API, or of the Admin API, with a status other than 2xx. 401 comes here only when a fresh access token was refused too.</summary>
    internal static FetchOutcome FromDataApi(HttpStatusCode status, RetryConditionHeaderValue? retryAfter, ReadOnlySpan<byte> body, DateTimeOffset now, string api = "Data")
    {
        var error = ReadError(body);
        var message = error?.Message ?? "";
        if (status == HttpStatusCode.TooManyRequests || error?.Status == "RESOURCE_EXHAUSTED")
            return FromExhausted(message, retryAfter, now);
        return (int)status switch
        {
            401 => new AuthorizationLost("Google no longer accepts the sign-in of this connection. Connect Google Analytics again."),
            403 when IsApiDisabled(error) => new RequestRefused(
                $"The Google Analytics {api} API is switched off in the Google project of this installation; whoever runs it has to switch it on."),
            403 when HasReason(error, "ACCESS_TOKEN_SCOPE_INSUFFICIENT") => new AuthorizationLost(
                "The Google sign-in was made without the permission to read Analytics. Connect again and leave that permission ticked."),
            403 => new AuthorizationLost(
                "The connected Google account may not read this Analytics property (any more). Give it access in Google Analytics, or connect with another account.")
            { OfProperty = true },
            400 or 404 => new RequestRefused($"Google Analytics refused the request: {Clip(message)}"),
            408 or >= 500 => new ProviderDown($"Google Analytics failed (status {(int)status}).", RetryAt(retryAfter, now)),
            _ => new ProviderDown($"Google Analytics answered in an unexpected way (status {(int)status}).", RetryAt(retryAfter, now)),
        };
    }

    /// <summary>
    /// Which allowance is used up stands only in the message. Waits as in connectors.md; a <c>Retry-After</c> header wins over them.
    /// </summary>
    private static FetchOutcome FromExhausted(string message, RetryConditionHeaderValue? retryAfter, DateTimeOffset now)
    {
        bool Says(string text) => message.Contains(text, StringComparison.OrdinalIgnoreCase);
        var told = RetryAt(retryAfter, now);
        if (Says("concurrent"))
            return new RateLimited(told ?? now.AddSeconds(30), "Google Analytics is answering too many requests for this property at once.");
        if (Says("thresholded"))
            return new QuotaExhausted(told ?? now.AddSeconds(1800), "The hourly allowance of Google Analytics for requests with user figures is used up.");
        if (Says("server error"))
            return new QuotaExhausted(told ?? now.AddSeconds(3600), "Google Analytics had too many errors of its own for this property and pauses for an hour.");
        if (Says("per day") || Says("daily"))
            return new QuotaExhausted(told ?? NextPacificMidnight(now), "Today's allowance of Google Analytics for this property is used up.");
        if (Says("token") || Says("hour"))
            return new QuotaExhausted(told ?? now.AddSeconds(1800), "The hourly allowance of Google Analytics for this property is used up.");
        return new RateLimited(told ?? now.AddSeconds(60), "Google Analytics asks us to slow down.");
    }

    /// <summary>An answer of the token endpoint that holds no access token (RFC 6749, 5.2).</summary>
    internal static FetchOutcome FromTokenEndpoint(HttpStatusCode status, RetryConditionHeaderValue? retryAfter, string? error, DateTimeOffset now, bool isServiceAccount = false) =>
        (error, (int)status) switch
        {
            ("invalid_grant" or "invalid_client" or "unauthorized_client", _) when isServiceAccount => new AuthorizationLost(
                "Google does not accept the key of the service account: it was deleted, has expired, or the account is switched off. Make a new key and connect again."),
            ("invalid_grant", _) => new AuthorizationLost("The Google sign-in has expired or was withdrawn. Connect Google Analytics again."),
            ("invalid_client" or "unauthorized_client" or "deleted_client", _) => new RequestRefused(
                "Google does not accept the client id and secret of this installation; whoever runs it has to correct them."),
            ("admin_policy_enforced" or "access_denied" or "org_internal", _) => new AuthorizationLost(
                "The administrator of the Google account does not allow this connection. Ask them, or connect with another account."),
            (_, 429) => new RateLimited(RetryAt(retryAfter, now) ?? now.AddSeconds(60), "Google's sign-in asks us to slow down."),
            (_, >= 500 or 408) => new ProviderDown($"Google's sign-in failed (status {(int)status}).", RetryAt(retryAfter, now)),
            (not null, >= 400) => new RequestRefused($"Google's sign-in refused the request ({Clip(error)})."),
            _ => new ProviderDown($"Google's sign-in answered in an unexpected way (status {(int)status}).", RetryAt(retryAfter, now)),
        };

    /// <summary>Midnight in California that follows <paramref name="now"/>; the daily allowance starts afresh there.</summary>
    internal static DateTimeOffset NextPacificMidnight(DateTimeOffset now)
    {
        var tomorrow = TimeZoneInfo.ConvertTime(now, Pacific).Date.AddDays(1);
        return new DateTimeOffset(tomorrow, Pacific.GetUtcOffset(tomorrow)).ToUniversalTime();
    }

    /// <summary>When the header says to come back; null without one. At least a second from now, at most a little more than a day.</summary>
    internal static DateTimeOffset? RetryAt(RetryConditionHeaderValue? header, DateTimeOffset now)
    {
        var wait = header?.Delta ?? (header?.Date is { } date ? date - now : null);
        if (wait is not { } asked)
            return null;
        return now + (asked < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : asked > LongestWait ? LongestWait : asked);
    }

    /// <summary>A provider's text inside one of our sentences: one line, not long.</summary>
    internal static string Clip(string text)
    {
        var line = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        return line.Length == 0 ? "no reason given" : line.Length <= 300 ? line : KeptText.Cut(line, 300) + "…";
    }

    private static bool IsApiDisabled(GoogleError? error) =>
        HasReason(error, "SERVICE_DISABLED")
        || error?.Message is { } message
            && (message.Contains("has not been used in project", StringComparison.OrdinalIgnoreCase) || message.Contains("it is disabled", StringComparison.OrdinalIgnoreCase));

    private static bool HasReason(GoogleError? error, string reason) => error?.Details?.Any(detail => detail?.Reason == reason) == true;

    private static GoogleError? ReadError(ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, GoogleAnalyticsJson.Default.GoogleErrorEnvelope)?.Error;
        }
        catch (JsonException)
        {
            // A proxy's page instead of Google's JSON: the status alone decides.
            return null;
        }
    }
}
