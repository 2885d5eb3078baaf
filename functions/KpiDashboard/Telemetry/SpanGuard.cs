using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using OpenTelemetry;

namespace KpiDashboard.Telemetry;

/// <summary>
/// Stands before the exporters and sees every span that ends. Lets through only attributes that are known to be harmless, makes of a tenant its hash, and exports
/// what failed although its trace is not sampled, with every span of that trace that ends after it: those it happened in.
/// </summary>
internal sealed partial class SpanGuard : BaseProcessor<Activity>
{
    /// <summary>Name of the property by which code tells a span whose it is; a <see cref="Guid"/>.</summary>
    public const string Tenant = "tenant";

    /// <summary>Traces that failed and are remembered; beyond that the oldest are forgotten, and only spans around their failures are missed.</summary>
    internal const int MostFailed = 1000;

    private static readonly HashSet<string> Harmless = new(StringComparer.Ordinal)
    {
        "error.type", "http.request.method", "http.response.status_code", "http.route", "network.protocol.version", "db.system.name", "db.namespace", "db.operation.name", "db.query.text",
        "db.response.status_code", "otel.status_code", "microsoft.sample_rate",
    };

    // kpi.: ours. faas., az., azure.: the worker's, ids and names of functions.
    private static readonly string[] HarmlessPrefixes = ["kpi.", "faas.", "az.", "azure."];

    private readonly TenantHash _tenants;
    private readonly ConcurrentDictionary<ActivityTraceId, byte> _failed = new();
    private readonly ConcurrentQueue<ActivityTraceId> _order = new();
    private readonly ActivityListener _exceptions;

    public SpanGuard(TenantHash tenants)
    {
        _tenants = tenants;
        // The event of an exception cannot be changed later, and an HTTP client's names the server. Samples nothing itself.
        _exceptions = new ActivityListener { ShouldListenTo = static _ => true, ExceptionRecorder = RecordMasked };
        ActivitySource.AddActivityListener(_exceptions);
    }

    /// <inheritdoc />
    public override void OnStart(Activity data)
    {
        if (data.GetTagItem(KpiSampler.UnsampledTag) is null) return;
        data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        data.SetTag(KpiSampler.UnsampledTag, null);
    }

    /// <inheritdoc />
    public override void OnEnd(Activity data)
    {
        if (data.Status == ActivityStatusCode.Error) Remember(data.TraceId);
        if (_failed.ContainsKey(data.TraceId)) data.ActivityTraceFlags |= ActivityTraceFlags.Recorded;
        if (!data.Recorded) return;

        foreach (var (key, value) in data.TagObjects.ToList())
        {
            if (key == "url.full") data.SetTag(key, AddressOf($"{value}"));
            else if (!Harmless.Contains(key) && !Array.Exists(HarmlessPrefixes, prefix => key.StartsWith(prefix, StringComparison.Ordinal))) data.SetTag(key, null);
        }

        if (data.StatusDescription is { } description) data.SetStatus(data.Status, Mask.Of(description));
        if (data.GetCustomProperty(Tenant) is Guid tenant && _tenants.Of(tenant) is { } hash) data.SetTag("kpi.tenant", hash);
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing) _exceptions.Dispose();
        base.Dispose(disposing);
    }

    private static void RecordMasked(Activity activity, Exception exception, ref TagList tags)
    {
        tags.Add("exception.type", exception.GetType().FullName);
        tags.Add("exception.message", Mask.Of(exception.Message));
        tags.Add("exception.stacktrace", Mask.Of(exception.ToString()));
    }

    private void Remember(ActivityTraceId trace)
    {
        if (!_failed.TryAdd(trace, 0)) return;
        _order.Enqueue(trace);
        while (_order.Count > MostFailed && _order.TryDequeue(out var oldest)) _failed.TryRemove(oldest, out _);
    }

    /// <summary>
    /// An address without what may name a business: the host is kept if it is a well-known provider's, and of the path what is no number or long name.
    /// </summary>
    internal static string AddressOf(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri)) return "(an address)";
        var host = uri.IsLoopback || KnownHosts().IsMatch(uri.Host) ? uri.Authority : "(a business's own server)";
        return $"{uri.Scheme}://{host}{Ids().Replace(uri.AbsolutePath, "{id}")}";
    }

    [GeneratedRegex(@"(^|\.)(googleapis\.com|windows\.net|microsoftonline\.com|azure\.com)$", RegexOptions.IgnoreCase)]
    private static partial Regex KnownHosts();

    [GeneratedRegex(@"(?<=/)([0-9]+|[A-Za-z0-9_%-]*[0-9][A-Za-z0-9_%-]{11,}|[A-Za-z0-9_%-]{32,})(?=[/:]|$)")]
    private static partial Regex Ids();
}

/// <summary>Takes out of free text what must not leave the app: addresses of people, tokens, names of servers. A second line: nothing of ours writes them there.</summary>
internal static partial class Mask
{
    /// <summary>The text with … in place of those.</summary>
    public static string Of(string text) => Pattern().Replace(text, "…");

    /// <summary>E-mail addresses; JWTs; our own tokens and a Bearer's; host:port as socket errors name it; credentials in a connection string.</summary>
    [GeneratedRegex(
        @"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)+|eyJ[\w-]{10,}(\.[\w-]*){0,2}|\bkpi_\w{16,}|(?<=\bBearer\s)\S+|(?<=\()[\w.-]+:\d{1,5}(?=\))|(?<=\b(password|pwd|accountkey|sig)=)[^;&\s]+",
        RegexOptions.IgnoreCase, 1000)]
    private static partial Regex Pattern();
}
