using System.Collections.Concurrent;
using System.Text.Json;

namespace KpiDashboard.Demo.Simulation;

/// <summary>One way for a simulator to misbehave instead of, or on top of, its proper answer.</summary>
internal abstract record Fault
{
    /// <summary>Answers with this status and body and does nothing else.</summary>
    internal sealed record Answer(int Status, string Body, string ContentType = "application/json; charset=UTF-8", string? RetryAfter = null) : Fault;

    /// <summary>Answers properly, but late.</summary>
    internal sealed record Delay(TimeSpan Time) : Fault;

    /// <summary>Takes the request and never answers: only the caller's own patience ends it.</summary>
    internal sealed record Hang : Fault;

    /// <summary>Answers as if its clock were this much ahead of ours (behind, if negative), and says so in the <c>Date</c> header.</summary>
    internal sealed record SkewedClock(TimeSpan Ahead) : Fault;

    /// <summary>Sends rows again that it has sent already: the first page instead of a later one, and every row of a first page twice.</summary>
    internal sealed record DuplicatedPage : Fault;

    /// <summary>Cuts the connection without an answer.</summary>
    internal sealed record Reset : Fault;

    /// <summary>Sends the first half of the proper answer as if it were all.</summary>
    internal sealed record Truncated : Fault;

    /// <summary>Promises the whole proper answer, sends the first half, cuts the connection.</summary>
    internal sealed record BrokenOff : Fault;

    /// <summary>Status 200 and no body.</summary>
    internal sealed record EmptyBody : Fault;

    /// <summary>Status 200 and this many bytes of blanks.</summary>
    internal sealed record Oversized(long Bytes) : Fault;

    /// <summary>A proper answer in which these days have no rows (Google only).</summary>
    internal sealed record EmptyDays(DateOnly From, DateOnly To) : Fault;
}

/// <summary>
/// A script of faults by target (property id or instance name; <c>token</c> for Google's token endpoint) and counters of what was asked. Safe to use while the
/// simulator serves.
/// </summary>
internal sealed class Faults
{
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Fault>> script = new();
    private readonly ConcurrentDictionary<string, int> counts = new();

    /// <summary>The next <paramref name="times"/> answers for the target are this fault, after those scripted before.</summary>
    public void Next(string target, Fault fault, int times = 1)
    {
        var queue = script.GetOrAdd(target, static _ => new());
        for (var i = 0; i < times; i++)
            queue.Enqueue(fault);
    }

    /// <summary>Asked for each request that nothing is scripted for; null for none. Told the target and the number of the request, from 1.</summary>
    public Func<string, int, Fault?>? Schedule { get; set; }

    /// <summary>Forgets what is still scripted for the target.</summary>
    public void Clear(string target) => script.TryRemove(target, out _);

    /// <summary>How many requests came for the target, faults included.</summary>
    public int Count(string target) => counts.GetValueOrDefault(target);

    /// <summary>How many requests came in all.</summary>
    public int Total => counts.Values.Sum();

    /// <summary>Sets all counters to zero.</summary>
    public void ResetCounts() => counts.Clear();

    /// <summary>Counts a request and takes the fault it is to meet, if any.</summary>
    internal Fault? Take(string target)
    {
        var number = counts.AddOrUpdate(target, 1, static (_, n) => n + 1);
        return script.TryGetValue(target, out var queue) && queue.TryDequeue(out var fault) ? fault : Schedule?.Invoke(target, number);
    }
}

/// <summary>Error answers as Google gives them: recorded, or rebuilt from the texts that other clients match on.</summary>
internal static class GoogleFaults
{
    /// <summary>429: the most frequent one.</summary>
    public static Fault TokensPerProjectPerHour { get; } = Exhausted("Exhausted property tokens for a project per hour. These quota tokens will return in under an hour.");

    /// <summary>429: the property's tokens of the hour.</summary>
    public static Fault TokensPerHour { get; } = Exhausted("Exhausted property tokens per hour. These quota tokens will return in under an hour.");

    /// <summary>429: the property's tokens of the day.</summary>
    public static Fault TokensPerDay { get; } = Exhausted("Exhausted property tokens per day. These quota tokens will return at midnight Pacific time.");

    /// <summary>429: more than ten at once.</summary>
    public static Fault ConcurrentRequests { get; } = Exhausted("Exhausted concurrent requests quota.");

    /// <summary>429: too many requests with user figures.</summary>
    public static Fault ThresholdedRequests { get; } = Exhausted("Exhausted potentially thresholded requests quota. This quota will refresh in under an hour.");

    /// <summary>429: too many failures of Google's own.</summary>
    public static Fault ServerErrors { get; } = Exhausted("Exhausted server errors quota. This quota will refresh in under an hour.");

    /// <summary>401 for the access token.</summary>
    public static Fault Unauthenticated { get; } = Error(401, "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.");

    /// <summary>403: the account may not read the property.</summary>
    public static Fault PermissionDenied { get; } = Error(403, "PERMISSION_DENIED",
        "User does not have sufficient permissions for this property. To learn more about Property ID, see https://developers.google.com/analytics/devguides/reporting/data/v1/property-id.");

    /// <summary>400: dimensions and metrics that do not go together.</summary>
    public static Fault Incompatible { get; } = Error(400, "INVALID_ARGUMENT",
        "Please add sessionCampaignName to make the request compatible for example. The request's dimensions & metrics are incompatible. To learn more, see https://ga-dev-tools.web.app/ga4/dimensions-metrics-explorer/");

    /// <summary>500.</summary>
    public static Fault Internal { get; } = Error(500, "INTERNAL", "An internal error has occurred.");

    /// <summary>503.</summary>
    public static Fault Unavailable { get; } = Error(503, "UNAVAILABLE", "The service is currently unavailable.");

    /// <summary>400 of the token endpoint: the refresh token is dead.</summary>
    public static Fault InvalidGrant { get; } = new Fault.Answer(400, """{"error":"invalid_grant","error_description":"Token has been expired or revoked."}""");

    /// <summary>Any error in Google's envelope.</summary>
    public static Fault Error(int code, string status, string message, string? retryAfter = null) =>
        new Fault.Answer(code, JsonSerializer.Serialize(new { error = new { code, message, status } }), RetryAfter: retryAfter);

    private static Fault Exhausted(string message) => Error(429, "RESOURCE_EXHAUSTED", message);
}

/// <summary>Error answers as n8n, or what stands in front of it, gives them.</summary>
internal static class N8nFaults
{
    /// <summary>401: wrong or deleted key.</summary>
    public static Fault Unauthorized { get; } = new Fault.Answer(401, """{"message":"Unauthorized"}""");

    /// <summary>403: a key without the scope.</summary>
    public static Fault Forbidden { get; } = new Fault.Answer(403, """{"message":"Forbidden"}""");

    /// <summary>404: the public API is switched off.</summary>
    public static Fault NotFound { get; } = new Fault.Answer(404, """{"message":"Not Found"}""");

    /// <summary>429 of a proxy or n8n cloud, with Retry-After.</summary>
    public static Fault TooManyRequests { get; } = new Fault.Answer(429, """{"message":"Too many requests"}""", RetryAfter: "20");

    /// <summary>500.</summary>
    public static Fault Internal { get; } = new Fault.Answer(500, """{"message":"Internal Server Error"}""");

    /// <summary>502 of a proxy.</summary>
    public static Fault BadGateway { get; } = new Fault.Answer(502, "<html><head><title>502 Bad Gateway</title></head><body></body></html>", "text/html");

    /// <summary>200 with a login page, as an access proxy does it.</summary>
    public static Fault LoginPage { get; } = new Fault.Answer(200, "<!DOCTYPE html><html><body><form>Sign in</form></body></html>", "text/html");
}
