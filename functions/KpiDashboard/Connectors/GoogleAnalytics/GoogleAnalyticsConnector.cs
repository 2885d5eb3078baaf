using System.Globalization;
using System.Text.Json;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>Reads daily figures of one GA4 property through the Data API. See README.md beside this file for what is read and why.</summary>
internal sealed partial class GoogleAnalyticsConnector(
    GoogleAnalyticsClient client, GoogleSignIn signIn, IOptionsMonitor<GoogleAnalyticsOptions> options, TimeProvider time, ILogger<GoogleAnalyticsConnector> logger) : IGrantConnector
{
    // Three dated reports, because Google withholds whole rows: when user figures of a small day are withheld, its sessions must not go with them;
    // and a day without a sale has no row among the sales although it has one among the sessions.
    private static readonly string[] SessionMetrics =
        ["sessions", "engagedSessions", "screenPageViews", "keyEvents", "averageSessionDuration", "sessionKeyEventRate"];

    private static readonly string[] UserMetrics = ["totalUsers", "newUsers", "activeUsers", "active7DayUsers", "active28DayUsers"];

    private static readonly string[] SalesMetrics = ["totalRevenue", "transactions"];

    // A fourth, without days, over 13 months: does this property sell, does it count key events? One row, whatever the window.
    private static readonly string[] UsageMetrics = ["totalRevenue", "transactions", "keyEvents"];

    private const int UsageDays = 396;

    // How days divide must not keep their values waiting: Google's own limit for one answer is about as long.
    private static readonly TimeSpan DivideTime = TimeSpan.FromSeconds(60);

    /// <inheritdoc />
    public string Key => "google-analytics";

    /// <inheritdoc />
    public string DisplayName => "Google Analytics 4";

    /// <inheritdoc />
    public IReadOnlyList<BreakdownDimension> Dimensions => Breakdowns.Dimensions;

    /// <inheritdoc />
    public bool CanSignIn => signIn.IsConfigured;

    /// <summary>Ten requests of a property at once are Google's limit; a sync makes one at a time, under its lease, and so does a test.</summary>
    public bool TestsOneAtATime => true;

    /// <inheritdoc />
    public JsonElement StoredSettings(string propertyId, string? propertyName, string? account, GrantKind kind) =>
        JsonSerializer.SerializeToElement(new StoredSettings(propertyId, propertyName, account, kind), GoogleAnalyticsJson.Default.StoredSettings);

    /// <inheritdoc />
    public async Task<string?> PropertyNameAsync(Guid id, string propertyId, JsonElement credentials, CancellationToken cancellationToken) =>
        GoogleCredentials.Read(credentials) is { } read ? await signIn.NameAsync(id, read, propertyId, cancellationToken) : null;

    /// <inheritdoc />
    public async Task<bool> RevokeAsync(JsonElement credentials, CancellationToken cancellationToken) =>
        GoogleCredentials.Read(credentials) is { RefreshToken: { } token } && await signIn.RevokeAsync(token, cancellationToken);

    /// <summary>One report of one number: what a sync needs, and next to nothing of the allowances.</summary>
    public async Task<ConnectionProblem?> TestAsync(FetchRequest request, CancellationToken cancellationToken)
    {
        if (Settings.Read(request.Settings) is not { } settings)
            return new ConnectionProblem("'propertyId' must be a number of up to 20 digits, as shown under Admin, Property details.", ConnectionProblem.Property);
        if (GoogleCredentials.Read(request.Credentials) is not { } credentials)
            return new ConnectionProblem("No Google sign-in is stored for this connection. Connect Google Analytics again.", ConnectionProblem.Grant);
        var ask = new RunReportRequest { Metrics = [new NamedField("sessions")], DateRanges = [new DateRange("yesterday", "yesterday")], Limit = 1, ReturnPropertyQuota = false };
        return (await client.BatchRunReportsAsync(request.IntegrationId, settings.PropertyId, credentials, new BatchRunReportsRequest([ask]), cancellationToken)).Failure switch
        {
            null => null,
            AuthorizationLost lost => new ConnectionProblem(lost.Reason, lost.OfProperty ? ConnectionProblem.Property : ConnectionProblem.Grant),
            // Nothing that was entered helps.
            var other => ConnectionProblem.Of(other) is { } problem ? problem with { Field = null } : null,
        };
    }

    /// <summary>Newest first: 31 days, so that the dashboard is useful within seconds, then pieces of up to 92 days.</summary>
    public IReadOnlyList<DayWindow> Slice(DayWindow window)
    {
        var slices = new List<DayWindow>();
        var to = window.To;
        while (to >= window.From)
        {
            var from = to.AddDays(slices.Count == 0 ? -30 : -91);
            if (from < window.From)
                from = window.From;
            slices.Add(new DayWindow(from, to));
            to = from.AddDays(-1);
        }

        return slices;
    }

    /// <inheritdoc />
    public async Task<FetchOutcome> FetchAsync(FetchRequest request, IFetchSink sink, CancellationToken cancellationToken)
    {
        if (Settings.Read(request.Settings) is not { } settings)
            return new RequestRefused("The Google Analytics property id must be a number of up to 20 digits, as shown under Admin, Property details.");
        if (GoogleCredentials.Read(request.Credentials) is not { } credentials)
            return new AuthorizationLost("No Google sign-in is stored for this connection. Connect Google Analytics again.");

        var window = request.Window;
        var pageSize = Math.Clamp(options.CurrentValue.PageSize, 1, 250_000);
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time.GetUtcNow(), request.TimeZone).DateTime);
        Part[] parts =
        [
            new(SessionMetrics, window, true),
            new(UserMetrics, window, true),
            new(SalesMetrics, window, true),
            new(UsageMetrics, new DayWindow(today.AddDays(-UsageDays), today), false),
        ];

        var records = new List<RequestRecord>();
        JsonElement? metadata = null;
        JsonElement? quota = null;

        // A dated report has at most one row a day (and a placeholder row), so this many pages are enough; more means that the counting went wrong.
        var maxPages = (window.Days + 2) / pageSize + 2;
        for (var page = 0; page == 0 || parts.Any(part => part.Dated && part.Report.Incomplete); page++)
        {
            if (page == maxPages)
                return new ProviderDown("Google Analytics counts more rows than there are days.");
            // What has no days has one row; how many Google counts of it is no reason to ask again.
            var open = parts.Where(part => page == 0 || (part.Dated && part.Report.Incomplete)).ToArray();
            var batch = await client.BatchRunReportsAsync(
                request.IntegrationId, settings.PropertyId, credentials, new BatchRunReportsRequest([.. open.Select(part => part.Ask(pageSize))]), cancellationToken);
            if (batch.Failure is not null)
            {
                LogFailed(logger, request.IntegrationId, batch.Failure.GetType().Name);
                return batch.Failure;
            }

            var reports = batch.Response!.Reports ?? [];
            if (reports.Count != open.Length)
                return new ProviderDown("Google Analytics left a report out of its answer.");
            for (var i = 0; i < open.Length; i++)
            {
                if (reports[i] is not { } report)
                {
                    if (!open[i].Dated)
                        continue;
                    return new ProviderDown("Google Analytics left a report out of its answer.");
                }

                // What the last 13 months say of the property's habits is good to know, and no reason to do without its days.
                if (open[i].Report.Take(report, open[i].Window, open[i].Dated) is { } fault && open[i].Dated)
                    return new ProviderDown($"Google Analytics {fault}.");
                metadata ??= report.Metadata;
                quota = report.PropertyQuota ?? quota;
            }

            records.Add(Lineage(settings.PropertyId, batch, [.. reports.Where(report => report is not null)]));
        }

        // Everything was read: only now does the sink get it, so that a failure half way hands nothing on.
        foreach (var record in records)
            sink.Add(record);
        var usage = parts[3].Report.Total;
        var sells = settings.Ecommerce ?? (usage is not null && (usage[0] != 0 || usage[1] != 0) || parts[2].Report.Days.Values.Any(sale => sale[0] != 0 || sale[1] != 0));
        var counts = settings.KeyEvents ?? (usage is not null && usage[2] != 0 || parts[0].Report.Days.Keys.Any(day => parts[0].Report[day, "keyEvents"] != 0));
        Report(window, parts[0].Report, parts[1].Report, parts[2].Report, sink, sells, counts);
        var (undivided, slowDown) = GoogleAnalyticsQuota.Check(quota, time.GetUtcNow()) is { } low
            ? (low.Reason, low)
            : await DivideAsync(request, settings, credentials, parts[0].Report, sells, counts, sink, cancellationToken);

        var zoneName = GoogleAnalyticsReport.Text(metadata, "timeZone");
        var zone = zoneName is not null && TimeZoneInfo.TryFindSystemTimeZoneById(zoneName, out var found) ? found : request.TimeZone;
        var now = time.GetUtcNow();
        var days = parts[0].Report.Days.Keys;
        return new FetchSucceeded
        {
            TimeZone = zoneName,
            Currency = Currencies.OrNull(GoogleAnalyticsReport.Text(metadata, "currencyCode")),
            CompleteThrough = GoogleAnalyticsFreshness.CompleteThrough(window, days.Any() ? days.Max() : null, now, zone),
            FinalThrough = GoogleAnalyticsFreshness.FinalThrough(window, now, zone),
            SlowDown = slowDown,
            Shortfall = undivided is null ? null : $"Breakdowns could not be read: {undivided} They are asked for again with the next sync.",
            Quotas = GoogleAnalyticsQuota.Remaining(quota),
            EmptyDays = [.. Enumerable.Range(0, window.Days).Select(window.From.AddDays).Where(day => parts[0].Report[day, "sessions"] is null)],
        };
    }

    /// <summary>
    /// How the days of the window, and earlier days that lack it, divide. The values are read already: whatever goes wrong here is told beside them, and costs a
    /// limited time. Days before the window are asked for apart, because there may be a year in between.
    /// </summary>
    private async Task<(string? Undivided, SlowDown? SlowDown)> DivideAsync(
        FetchRequest request, Settings settings, GoogleCredentials credentials, GoogleAnalyticsReport measured, bool sells, bool counts, IFetchSink sink, CancellationToken cancellationToken)
    {
        SlowDown? slowDown = null;
        using var limit = new CancellationTokenSource(DivideTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        Dictionary<DateOnly, decimal?>[] asked = [measured.Days.Keys.ToDictionary(day => day, day => measured[day, "sessions"]), request.UndividedDays.ToDictionary(day => day, _ => (decimal?)null)];
        foreach (var days in asked.Where(days => days.Count > 0))
        {
            var window = new DayWindow(days.Keys.Min(), days.Keys.Max());
            var fields = GoogleAnalyticsBreakdown.Fields;
            BatchResult batch;
            try
            {
                batch = await client.BatchRunReportsAsync(
                    request.IntegrationId, settings.PropertyId, credentials, new BatchRunReportsRequest([.. fields.Select(field => GoogleAnalyticsBreakdown.Ask(field.Field, window))]), either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return ($"Google Analytics took longer than {DivideTime.TotalSeconds:0} seconds to answer.", slowDown);
            }

            if (batch.Failure is { } failure)
            {
                LogFailed(logger, request.IntegrationId, failure.GetType().Name);
                return failure switch
                {
                    // Whatever comes next would be turned away as well.
                    RateLimited limited => (limited.Reason, new SlowDown(limited.Until, limited.Reason)),
                    QuotaExhausted used => (used.Reason, new SlowDown(used.Until, used.Reason)),
                    ProviderDown down => (down.Reason, slowDown),
                    AuthorizationLost lost => (lost.Reason, slowDown),
                    RequestRefused refused => (refused.Reason, slowDown),
                    _ => throw new InvalidOperationException($"{failure.GetType().Name} is no failure."),
                };
            }

            var reports = batch.Response!.Reports ?? [];
            if (reports.Count != fields.Count || reports.Any(report => report is null)) return ("Google Analytics left a report out of its answer.", slowDown);
            var read = new List<BreakdownReading>();
            for (var i = 0; i < fields.Count; i++)
            {
                var (divided, fault) = GoogleAnalyticsBreakdown.Read(reports[i], fields[i].Dimension, fields[i].Field, days, sells, counts);
                if (fault is not null) return ($"Google Analytics {fault}.", slowDown);
                read.AddRange(divided);
            }

            // What Google withheld or estimated here says nothing of the values, so those marks stay with the days that it divides.
            sink.Add(Lineage(settings.PropertyId, batch, reports) with { Sampled = false, Thresholded = false });
            foreach (var day in read) sink.Add(day);
            slowDown = GoogleAnalyticsQuota.Check(reports.Select(report => report.PropertyQuota).LastOrDefault(quota => quota is not null), time.GetUtcNow());
            if (slowDown is not null) return (null, slowDown);
        }

        return (null, slowDown);
    }

    private static void Report(
        DayWindow window, GoogleAnalyticsReport sessions, GoogleAnalyticsReport users, GoogleAnalyticsReport sales, IFetchSink sink, bool sells, bool counts)
    {
        for (var day = window.From; day <= window.To; day = day.AddDays(1))
        {
            var count = sessions[day, "sessions"];
            if (count is { } all)
            {
                sink.Add(new KpiReading("web.sessions", day, all));
                sink.Add(new KpiReading("web.engaged_sessions", day, sessions[day, "engagedSessions"]!.Value));
                sink.Add(new KpiReading("web.page_views", day, sessions[day, "screenPageViews"]!.Value));

                // GA4 tells a mean and a rate; their numerators are what adds up across days.
                sink.Add(new KpiReading("web.session_seconds", day, Math.Round(Product(sessions[day, "averageSessionDuration"]!.Value, all), 3)));
                if (counts)
                {
                    sink.Add(new KpiReading("web.key_events", day, sessions[day, "keyEvents"]!.Value));
                    sink.Add(new KpiReading(
                        "web.key_event_sessions", day, Math.Round(Product(sessions[day, "sessionKeyEventRate"]!.Value, all), MidpointRounding.AwayFromZero)));
                }
            }

            AddUsers(sink, day, users, count is not null);

            // A day that was measured but has no row among the sales sold nothing: GA4 leaves all-zero rows out. Unless rows were withheld.
            if (sells && (sales[day, "totalRevenue"] is not null || count is not null && !sales.Thresholded))
            {
                sink.Add(new KpiReading("shop.revenue", day, Math.Round(sales[day, "totalRevenue"] ?? 0, 6)));
                sink.Add(new KpiReading("shop.transactions", day, sales[day, "transactions"] ?? 0));
            }
        }
    }

    private static void AddUsers(IFetchSink sink, DateOnly day, GoogleAnalyticsReport users, bool measured)
    {
        // During an outage of the tracking the 7- and 28-day figures go on while those of the day are 0: such a 0 is not knowledge.
        void Add(string kpi, string metric)
        {
            if (users[day, metric] is { } value && (measured || value != 0))
                sink.Add(new KpiReading(kpi, day, value));
        }

        Add("web.total_users", "totalUsers");
        Add("web.new_users", "newUsers");
        Add("web.active_users", "activeUsers");
        Add("web.active_users_7d", "active7DayUsers");
        Add("web.active_users_28d", "active28DayUsers");
    }

    /// <summary>Both are far below the limit in any real answer; an absurd one must not throw.</summary>
    private static decimal Product(decimal a, decimal b)
    {
        try
        {
            return a * b;
        }
        catch (OverflowException)
        {
            return decimal.MaxValue;
        }
    }

    private static RequestRecord Lineage(string propertyId, BatchResult batch, IReadOnlyList<RunReportResponse> reports) => new()
    {
        Operation = $"POST /v1beta/properties/{propertyId}:batchRunReports",
        Request = batch.RequestJson,
        ResponseMetadata = JsonSerializer.Serialize(
            [.. reports.Select(report => new ReportLineage(report.RowCount, report.Metadata, report.PropertyQuota))], GoogleAnalyticsJson.Default.IReadOnlyListReportLineage),
        FetchedAt = batch.FetchedAt,
        Rows = reports.Sum(report => report.Rows?.Count ?? 0),
        Sampled = reports.Any(report => GoogleAnalyticsReport.IsSampled(report.Metadata)),
        Thresholded = reports.Any(report => GoogleAnalyticsReport.Flag(report.Metadata, "subjectToThresholding")),
    };

    [LoggerMessage(3100, LogLevel.Warning, "Google Analytics fetch for integration {IntegrationId} ended as {Outcome}")]
    private static partial void LogFailed(ILogger logger, Guid integrationId, string outcome);

    /// <summary>One report of the batch and how far it has been read.</summary>
    private sealed record Part(string[] Metrics, DayWindow Window, bool Dated)
    {
        private static readonly NamedField[] DateDimension = [new("date")];

        // Google promises no order; sorting keeps the pages from overlapping. Nothing relies on it.
        private static readonly OrderBy[] ByDate = [new(new OrderByDimension("date"))];

        public GoogleAnalyticsReport Report { get; } = new(Metrics);

        public RunReportRequest Ask(int pageSize) => new()
        {
            Dimensions = Dated ? DateDimension : null,
            Metrics = [.. Metrics.Select(name => new NamedField(name))],
            DateRanges = [new DateRange(Day(Window.From), Day(Window.To))],
            OrderBys = Dated ? ByDate : null,
            Offset = Report.RowsTaken == 0 ? null : Report.RowsTaken,
            Limit = pageSize,
        };

        private static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
    }

    /// <summary>What the tenant entered. <c>ecommerce</c> and <c>keyEvents</c> override what the property's own figures say.</summary>
    private sealed record Settings(string PropertyId, bool? Ecommerce, bool? KeyEvents)
    {
        public static Settings? Read(JsonElement json)
        {
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("propertyId", out var id))
                return null;
            var text = id.ValueKind switch
            {
                JsonValueKind.String => id.GetString()!.Trim(),
                JsonValueKind.Number => id.GetRawText(),
                _ => "",
            };
            if (text.StartsWith("properties/", StringComparison.Ordinal))
                text = text["properties/".Length..];
            return text.Length is > 0 and <= 20 && text.All(char.IsAsciiDigit) ? new Settings(text, Bool(json, "ecommerce"), Bool(json, "keyEvents")) : null;
        }

        private static bool? Bool(JsonElement json, string name) =>
            json.TryGetProperty(name, out var value) ? value.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => null } : null;
    }
}
