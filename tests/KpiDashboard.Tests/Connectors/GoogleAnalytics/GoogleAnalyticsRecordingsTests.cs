using System.Net;
using System.Text;
using System.Text.Json;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.GoogleAnalytics;
using Xunit;

namespace KpiDashboard.Tests.Connectors.GoogleAnalytics;

public sealed class GoogleAnalyticsRecordingsTests
{
    private const string Settings = """{"propertyId":"123456"}""";
    private const string Credentials = """{"refreshToken":"1//r"}""";
    private static readonly DateTimeOffset Now = new(2026, 11, 19, 15, 0, 0, TimeSpan.Zero);

    private static RunReportResponse Report(string file) =>
        JsonSerializer.Deserialize(Recorded.Read($"GoogleAnalytics/{file}"), GoogleAnalyticsJson.Default.RunReportResponse)!;

    [Fact]
    public void Recording_01_parses_with_headers_rows_count_and_metadata()
    {
        var report = Report("01_four_dimensions_eight_metrics.json");

        Assert.Equal(["date", "deviceCategory", "operatingSystem", "browser"], report.DimensionHeaders!.Select(header => header.Name));
        Assert.Equal(["344", "169", "420", "1.2209302325581395", "194.76313766428572", "614", "1.4619047619047618", "0.47857142857142859"],
            report.Rows![0].MetricValues!.Select(value => value.Value));
        Assert.Equal(54, report.RowCount);
        Assert.Equal("America/Los_Angeles", GoogleAnalyticsReport.Text(report.Metadata, "timeZone"));
        Assert.Equal("USD", GoogleAnalyticsReport.Text(report.Metadata, "currencyCode"));
        Assert.False(GoogleAnalyticsReport.IsSampled(report.Metadata));
    }

    [Fact]
    public void Recording_01_has_two_rows_of_one_day_which_a_report_by_day_must_not_have()
    {
        var table = new GoogleAnalyticsReport(["sessions", "averageSessionDuration"]);

        Assert.NotNull(table.Take(Report("01_four_dimensions_eight_metrics.json"), new DayWindow(new DateOnly(2022, 7, 1), new DateOnly(2022, 7, 31)), dated: true));
        Assert.Equal(420, table[new DateOnly(2022, 7, 31), "sessions"]);
        Assert.Equal(194.76313766428572m, table[new DateOnly(2022, 7, 31), "averageSessionDuration"]);
    }

    [Fact]
    public void Recording_02_says_that_more_rows_are_to_come()
    {
        var report = Report("02_date_x_eventname_rowcount_larger_than_rows.json");

        Assert.Equal((8, 23), (report.Rows!.Count, report.RowCount));
        Assert.Equal("Europe/Warsaw", GoogleAnalyticsReport.Text(report.Metadata, "timeZone"));
        Assert.Equal("266", report.Rows[0].MetricValues![0].Value);
    }

    [Fact]
    public void Recording_05_keeps_rows_and_totals_apart()
    {
        var table = new GoogleAnalyticsReport(["active28DayUsers"]);

        Assert.Null(table.Take(Report("05_totals_reserved_total_pagepath.json"), default, dated: false));
        Assert.Equal(2, table.RowsTaken);
        Assert.True(table.Incomplete);
    }

    [Fact]
    public void Recording_11_gives_ninety_days_of_sessions_whatever_their_order()
    {
        var table = new GoogleAnalyticsReport(["sessions"]);

        Assert.Null(table.Take(Report("11_rebuilt_90_days_sessions_desc.json"), new DayWindow(new DateOnly(2023, 10, 1), new DateOnly(2024, 1, 31)), dated: true));

        Assert.Equal(90, table.Days.Count);
        Assert.False(table.Incomplete);
        Assert.Equal(792_157, table[new DateOnly(2024, 1, 4), "sessions"]);
        Assert.Equal(679_708, table[new DateOnly(2023, 10, 7), "sessions"]);
        Assert.Null(table[new DateOnly(2023, 10, 6), "sessions"]);
    }

    [Fact]
    public async Task Means_and_rates_become_parts_that_add_up()
    {
        using var harness = ConnectorHarness.Google((_, _) => StubHandler.Json(Batch(
            SessionRows(("20220731", "420", "219", "614", "9", "194.76313766428572", "0.016666666666666666")), Empty, Empty, Usage("0", "0", "31"))));

        var outcome = await harness.FetchAsync(new DateOnly(2022, 7, 31), new DateOnly(2022, 7, 31), Settings, Credentials);

        Assert.IsType<FetchSucceeded>(outcome);
        Assert.Equal(81_800.518m, harness.Sink["web.session_seconds", "2022-07-31"]);
        Assert.Equal(7, harness.Sink["web.key_event_sessions", "2022-07-31"]);
        Assert.Equal(9, harness.Sink["web.key_events", "2022-07-31"]);
        Assert.Null(harness.Sink["shop.revenue", "2022-07-31"]);
        Assert.Null(harness.Sink["web.total_users", "2022-07-31"]);
    }

    [Fact]
    public async Task A_day_without_a_row_among_the_sales_is_a_zero_unless_rows_were_withheld()
    {
        var rows = SessionRows(("20220730", "10", "5", "20", "0", "30", "0"), ("20220731", "12", "5", "20", "0", "30", "0"));
        var sales = Report(["date"], ["totalRevenue", "transactions"], [["20220731", "19.5", "1"]]);
        using var plain = ConnectorHarness.Google((_, _) => StubHandler.Json(Batch(rows, Empty, sales, Empty)));
        using var withheld = ConnectorHarness.Google((_, _) => StubHandler.Json(Batch(
            rows, Empty, sales.Replace("\"metadata\":{", "\"metadata\":{\"subjectToThresholding\":true,", StringComparison.Ordinal), Empty)));

        await plain.FetchAsync(new DateOnly(2022, 7, 30), new DateOnly(2022, 7, 31), Settings, Credentials);
        await withheld.FetchAsync(new DateOnly(2022, 7, 30), new DateOnly(2022, 7, 31), Settings, Credentials);

        Assert.Equal((0m, 19.5m), (plain.Sink["shop.revenue", "2022-07-30"], plain.Sink["shop.revenue", "2022-07-31"]));
        Assert.Equal((null, 19.5m), (withheld.Sink["shop.revenue", "2022-07-30"], withheld.Sink["shop.revenue", "2022-07-31"]));
        Assert.True(Assert.Single(withheld.Sink.Requests).Thresholded);
        Assert.False(Assert.Single(plain.Sink.Requests).Thresholded);
    }

    [Theory]
    [InlineData("""{"reports":[]}""")]
    [InlineData("""{}""")]
    [InlineData("""null""")]
    [InlineData("""{"reports":[null,null,null,null]}""")]
    [InlineData("""{"reports":"no"}""")]
    [InlineData("""[]""")]
    [InlineData("")]
    [InlineData("<html>")]
    public async Task Garbage_with_status_200_is_a_provider_failure(string body)
    {
        using var harness = ConnectorHarness.Google((_, _) => StubHandler.Json(body));

        Assert.IsType<ProviderDown>(await harness.FetchAsync(new DateOnly(2022, 7, 30), new DateOnly(2022, 7, 31), Settings, Credentials));
        Assert.Empty(harness.Sink.Readings);
    }

    [Theory]
    [InlineData("20220731", "NaN")]
    [InlineData("20220731", "1,000")]
    [InlineData("20220731", "")]
    [InlineData("2022-07-31", "5")]
    [InlineData("20220732", "5")]
    public async Task A_number_or_date_that_cannot_be_read_fails_the_fetch_instead_of_counting_as_something(string date, string sessions)
    {
        using var harness = ConnectorHarness.Google((_, _) => StubHandler.Json(Batch(SessionRows((date, sessions, "1", "1", "1", "1", "0")), Empty, Empty, Empty)));

        Assert.IsType<ProviderDown>(await harness.FetchAsync(new DateOnly(2022, 7, 30), new DateOnly(2022, 7, 31), Settings, Credentials));
    }

    [Fact]
    public async Task Fewer_rows_than_counted_fail_the_fetch_instead_of_leaving_holes()
    {
        var first = SessionRows(("20220731", "5", "1", "1", "1", "1", "0")).Replace("\"rowCount\":1", "\"rowCount\":3", StringComparison.Ordinal);
        var calls = 0;
        using var harness = ConnectorHarness.Google((_, _) => StubHandler.Json(calls++ == 0 ? Batch(first, Empty, Empty, Empty)
            : Batch("""{"metricHeaders":[],"rowCount":3}""")));

        Assert.IsType<ProviderDown>(await harness.FetchAsync(new DateOnly(2022, 7, 1), new DateOnly(2022, 7, 31), Settings, Credentials));
        Assert.Equal(2, calls);
    }

    [Fact]
    public async Task A_row_count_that_never_ends_is_given_up()
    {
        var day = 0;
        using var harness = ConnectorHarness.Google((_, body) =>
        {
            var report = SessionRows(($"202207{++day:00}", "5", "1", "1", "1", "1", "0")).Replace("\"rowCount\":1", "\"rowCount\":999999", StringComparison.Ordinal);
            return StubHandler.Json(day == 1 ? Batch(report, Empty, Empty, Empty) : Batch(report));
        });

        Assert.IsType<ProviderDown>(await harness.FetchAsync(new DateOnly(2022, 7, 1), new DateOnly(2022, 7, 31), Settings, Credentials));
        Assert.InRange(day, 2, 4);
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"propertyId":""}""")]
    [InlineData("""{"propertyId":"12a"}""")]
    [InlineData("""{"propertyId":"1/../2"}""")]
    [InlineData("""{"propertyId":"UA-1234-1"}""")]
    [InlineData("""{"propertyId":null}""")]
    [InlineData("""{"propertyId":-5}""")]
    [InlineData("""[]""")]
    public async Task A_property_id_that_is_no_number_is_refused_without_a_request(string settings)
    {
        using var harness = ConnectorHarness.Google((_, _) => throw new InvalidOperationException());

        Assert.IsType<RequestRefused>(await harness.FetchAsync(new DateOnly(2022, 7, 1), new DateOnly(2022, 7, 31), settings, Credentials));
        Assert.Empty(harness.Network.Asked);
    }

    [Theory]
    [InlineData("""{"propertyId":"properties/123456"}""")]
    [InlineData("""{"propertyId":123456}""")]
    [InlineData("""{"propertyId":" 123456 "}""")]
    public async Task A_property_id_may_come_as_number_or_with_its_prefix(string settings)
    {
        using var harness = ConnectorHarness.Google((_, _) => StubHandler.Json(Batch(Empty, Empty, Empty, Empty)));

        Assert.IsType<FetchSucceeded>(await harness.FetchAsync(new DateOnly(2022, 7, 1), new DateOnly(2022, 7, 31), settings, Credentials));
        Assert.Equal("https://analyticsdata.googleapis.com/v1beta/properties/123456:batchRunReports", harness.Network.Asked.Last().Url);
    }

    [Fact]
    public async Task A_batch_keeps_to_Googles_limits_and_asks_for_the_quota()
    {
        using var harness = ConnectorHarness.Google((_, _) => StubHandler.Json(Batch(Empty, Empty, Empty, Empty)));

        await harness.FetchAsync(new DateOnly(2022, 7, 1), new DateOnly(2022, 7, 31), Settings, Credentials);

        var requests = JsonDocument.Parse(harness.Network.Asked.Last().Body).RootElement.GetProperty("requests").EnumerateArray().ToList();
        Assert.InRange(requests.Count, 1, 5);
        Assert.All(requests, request =>
        {
            Assert.InRange(request.GetProperty("metrics").GetArrayLength(), 1, 10);
            Assert.True(request.GetProperty("returnPropertyQuota").GetBoolean());
        });
        Assert.Equal("2022-07-01", requests[0].GetProperty("dateRanges")[0].GetProperty("startDate").GetString());
        Assert.Equal("2022-07-31", requests[0].GetProperty("dateRanges")[0].GetProperty("endDate").GetString());
        var metrics = requests.SelectMany(request => request.GetProperty("metrics").EnumerateArray().Select(metric => metric.GetProperty("name").GetString())).ToHashSet();
        Assert.Superset(
            new HashSet<string?>
            {
                "sessions", "engagedSessions", "screenPageViews", "newUsers", "keyEvents", "totalUsers", "activeUsers", "active7DayUsers", "active28DayUsers",
                "averageSessionDuration", "sessionKeyEventRate", "totalRevenue", "transactions",
            },
            metrics);
    }

    public static TheoryData<string, int, string, double> Errors() => new()
    {
        { "20_error_400_incompatible.json", 400, nameof(RequestRefused), 0 },
        { "21_error_401_missing_credential.json", 401, nameof(AuthorizationLost), 0 },
        { "23_error_403_property_permission.json", 403, nameof(AuthorizationLost), 0 },
        { "25_error_429_tokens_project_hour.json", 429, nameof(QuotaExhausted), 1800 },
        { "26_error_429_concurrent_requests.json", 429, nameof(RateLimited), 30 },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public async Task Each_recorded_error_becomes_its_outcome(string file, int status, string expected, double wait)
    {
        using var harness = ConnectorHarness.Google((_, _) => StubHandler.Json(Recorded.Read($"GoogleAnalytics/{file}"), status), Now);

        var outcome = await harness.FetchAsync(new DateOnly(2026, 11, 1), new DateOnly(2026, 11, 19), Settings, Credentials);

        Assert.Equal(expected, outcome.GetType().Name);
        if (wait > 0)
            Assert.Equal(Now.AddSeconds(wait), Until(outcome));
        Assert.Empty(harness.Sink.Readings);
    }

    [Theory]
    [InlineData("Exhausted concurrent requests quota.", nameof(RateLimited), 30)]
    [InlineData("Exhausted property tokens for a project per hour. These quota tokens will return in under an hour.", nameof(QuotaExhausted), 1800)]
    [InlineData("Exhausted property tokens per hour.", nameof(QuotaExhausted), 1800)]
    [InlineData("Exhausted potentially thresholded requests quota. This quota will refresh in under an hour.", nameof(QuotaExhausted), 1800)]
    [InlineData("Exhausted server errors quota. This quota will refresh in under an hour.", nameof(QuotaExhausted), 3600)]
    [InlineData("Exhausted property tokens per day.", nameof(QuotaExhausted), 17 * 3600)]
    [InlineData("Something that Google has not said before.", nameof(RateLimited), 60)]
    [InlineData("", nameof(RateLimited), 60)]
    public void Each_429_message_has_its_wait_and_Retry_After_wins(string message, string expected, int seconds)
    {
        var body = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { error = new { code = 429, message, status = "RESOURCE_EXHAUSTED" } }));

        // 15:00 UTC is 07:00 in California: midnight there is 17 hours away.
        var outcome = GoogleErrors.FromDataApi(HttpStatusCode.TooManyRequests, null, body, Now);
        var told = GoogleErrors.FromDataApi(HttpStatusCode.TooManyRequests, new(TimeSpan.FromSeconds(7)), body, Now);

        Assert.Equal(expected, outcome.GetType().Name);
        Assert.Equal(Now.AddSeconds(seconds), Until(outcome));
        Assert.Equal(Now.AddSeconds(7), Until(told));
    }

    [Fact]
    public void Retry_After_may_be_a_date_and_is_never_in_the_past_or_days_away()
    {
        Assert.Equal(Now.AddMinutes(3), GoogleErrors.RetryAt(new(Now.AddMinutes(3)), Now));
        Assert.Equal(Now.AddSeconds(1), GoogleErrors.RetryAt(new(Now.AddMinutes(-3)), Now));
        Assert.Equal(Now.AddHours(26), GoogleErrors.RetryAt(new(TimeSpan.FromDays(400)), Now));
        Assert.Null(GoogleErrors.RetryAt(null, Now));
    }

    [Theory]
    [InlineData("""{"error":{"code":403,"message":"Google Analytics Data API has not been used in project 1 before or it is disabled.","status":"PERMISSION_DENIED","details":[{"@type":"x","reason":"SERVICE_DISABLED"}]}}""", nameof(RequestRefused))]
    [InlineData("""{"error":{"code":403,"message":"Request had insufficient authentication scopes.","status":"PERMISSION_DENIED","details":[{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}""", nameof(AuthorizationLost))]
    [InlineData("""not json""", nameof(AuthorizationLost))]
    public void A_403_tells_a_lost_permission_from_an_API_that_is_switched_off(string body, string expected) =>
        Assert.Equal(expected, GoogleErrors.FromDataApi(HttpStatusCode.Forbidden, null, Encoding.UTF8.GetBytes(body), Now).GetType().Name);

    [Theory]
    [InlineData(400, "invalid_grant", nameof(AuthorizationLost))]
    [InlineData(401, "invalid_client", nameof(RequestRefused))]
    [InlineData(400, "unauthorized_client", nameof(RequestRefused))]
    [InlineData(400, "admin_policy_enforced", nameof(AuthorizationLost))]
    [InlineData(429, null, nameof(RateLimited))]
    [InlineData(503, null, nameof(ProviderDown))]
    [InlineData(500, "internal_failure", nameof(ProviderDown))]
    [InlineData(200, null, nameof(ProviderDown))]
    [InlineData(400, "invalid_request", nameof(RequestRefused))]
    [InlineData(400, null, nameof(ProviderDown))]
    public void Each_refusal_of_the_token_endpoint_has_its_outcome(int status, string? error, string expected) =>
        Assert.Equal(expected, GoogleErrors.FromTokenEndpoint((HttpStatusCode)status, null, error, Now).GetType().Name);

    [Fact]
    public async Task A_sign_in_without_the_analytics_permission_is_said()
    {
        using var harness = ConnectorHarness.Google(
            (_, _) => throw new InvalidOperationException(),
            token: """{"access_token":"a","expires_in":3599,"scope":"openid https://www.googleapis.com/auth/userinfo.email"}""");

        var outcome = await harness.FetchAsync(new DateOnly(2022, 7, 1), new DateOnly(2022, 7, 31), Settings, Credentials);

        Assert.Contains("permission to read Analytics", Assert.IsType<AuthorizationLost>(outcome).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Midnight_in_California_is_found_across_the_end_of_daylight_saving()
    {
        // 1 November 2026 has 25 hours there.
        Assert.Equal(new DateTimeOffset(2026, 11, 2, 8, 0, 0, TimeSpan.Zero), GoogleErrors.NextPacificMidnight(new DateTimeOffset(2026, 11, 1, 7, 30, 0, TimeSpan.Zero)));
        Assert.Equal(new DateTimeOffset(2026, 11, 1, 7, 0, 0, TimeSpan.Zero), GoogleErrors.NextPacificMidnight(new DateTimeOffset(2026, 11, 1, 6, 59, 0, TimeSpan.Zero)));
    }

    [Theory]
    [InlineData("""{"tokensPerDay":{"consumed":10,"remaining":199990},"tokensPerHour":{"consumed":10,"remaining":39990}}""", false)]
    [InlineData("""{"tokensPerHour":{"consumed":10,"remaining":4000}}""", true)]
    [InlineData("""{"tokensPerHour":{"consumed":10}}""", true)]
    [InlineData("""{"tokensPerDay":{"remaining":20001}}""", false)]
    [InlineData("""{"tokensPerDay":{"remaining":20000}}""", true)]
    [InlineData("""{"concurrentRequests":{"remaining":0}}""", false)]
    [InlineData("""{"tokensPerHour":{"remaining":"many"},"somethingNew":{"remaining":0}}""", false)]
    [InlineData("""[]""", false)]
    public void A_tenth_or_less_of_an_allowance_asks_to_slow_down(string quota, bool slow) =>
        Assert.Equal(slow, GoogleAnalyticsQuota.Check(JsonSerializer.Deserialize<JsonElement>(quota), Now) is not null);

    /// <summary>What a property did in the last 13 months, and what is left of its allowance, are told beside the numbers. Whatever is wrong with them, the numbers are read.</summary>
    public static TheoryData<string> FaultyUsage { get; } =
    [
        "null",
        "{}",
        """{"rowCount":7}""",
        """{"rowCount":2147483647}""",
        """{"rows":[{"metricValues":[{"value":"1"},{"value":"2"},{"value":"3"}]}],"rowCount":1}""",
        """{"metricHeaders":[{"name":"totalRevenue"}],"rows":[{"metricValues":[{"value":"1"}]}],"rowCount":1}""",
        """{"metricHeaders":[null,null,null],"rows":[null],"rowCount":1}""",
        Usage("NaN", "many", ""),
        "\"none\"",
        "[]",
        "{\"rows\":\"all of them\"}",
        "{\"rows\":[7],\"metricHeaders\":{}}",
        Usage("1e999", "0", "0"),
        Usage("0", "0", "31").Replace("\"rowCount\":1", "\"rowCount\":400", StringComparison.Ordinal),
        Usage("0", "0", "31").Replace("\"metadata\":{", "\"propertyQuota\":\"all of it\",\"metadata\":{", StringComparison.Ordinal),
        Usage("0", "0", "31").Replace("\"metadata\":{", "\"propertyQuota\":[1,2],\"metadata\":{", StringComparison.Ordinal),
        Usage("0", "0", "31").Replace(
            "\"metadata\":{", "\"propertyQuota\":{\"tokensPerDay\":{\"remaining\":\"most\"},\"tokensPerHour\":7,\"tokensPerProjectPerHour\":{\"remaining\":1e300}},\"metadata\":{", StringComparison.Ordinal),
        Usage("0", "0", "31").Replace("\"metadata\":{\"currencyCode\":\"USD\",\"timeZone\":\"America/Los_Angeles\"}", "\"metadata\":\"none\"", StringComparison.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(FaultyUsage))]
    public async Task A_faulty_report_of_usage_or_allowance_does_not_keep_back_the_numbers(string usage)
    {
        using var harness = ConnectorHarness.Google((_, _) => StubHandler.Json(Batch(
            SessionRows(("20220731", "420", "219", "614", "9", "194.76313766428572", "0.016666666666666666")), Empty,
            Report(["date"], ["totalRevenue", "transactions"], [["20220731", "19.5", "1"]]), usage)));

        var outcome = Assert.IsType<FetchSucceeded>(await harness.FetchAsync(new DateOnly(2022, 7, 31), new DateOnly(2022, 7, 31), Settings, Credentials));

        Assert.Null(outcome.SlowDown);
        Assert.Equal((420m, 9m, 19.5m), (harness.Sink["web.sessions", "2022-07-31"], harness.Sink["web.key_events", "2022-07-31"], harness.Sink["shop.revenue", "2022-07-31"]));
        Assert.Equal("America/Los_Angeles", outcome.TimeZone);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_faulty_report_of_the_numbers_themselves_does(int which)
    {
        foreach (var faulty in new[] { "null", """{"rowCount":7}""", """{"metricHeaders":[null],"rows":[null],"rowCount":1}""" })
        {
            string[] reports =
            [
                SessionRows(("20220731", "420", "219", "614", "9", "194.7", "0.01")), Empty, Report(["date"], ["totalRevenue", "transactions"], [["20220731", "19.5", "1"]]), Usage("0", "0", "31"),
            ];
            reports[which] = faulty;
            using var harness = ConnectorHarness.Google((_, _) => StubHandler.Json(Batch(reports)));
            Assert.IsType<ProviderDown>(await harness.FetchAsync(new DateOnly(2022, 7, 31), new DateOnly(2022, 7, 31), Settings, Credentials));
            Assert.Null(harness.Sink["web.sessions", "2022-07-31"]);
        }
    }

    private static DateTimeOffset Until(FetchOutcome outcome) => outcome switch
    {
        RateLimited limited => limited.Until,
        QuotaExhausted exhausted => exhausted.Until,
        _ => throw new InvalidOperationException($"{outcome} has no wait."),
    };

    private const string Empty = """{"metadata":{"currencyCode":"USD","timeZone":"America/Los_Angeles"},"kind":"analyticsData#runReport"}""";

    private static string Batch(params string[] reports) => $$"""{"reports":[{{string.Join(',', reports)}}],"kind":"analyticsData#batchRunReports"}""";

    private static string SessionRows(params (string Date, string Sessions, string Engaged, string Views, string KeyEvents, string Duration, string Rate)[] rows) =>
        Report(["date"], ["sessions", "engagedSessions", "screenPageViews", "keyEvents", "averageSessionDuration", "sessionKeyEventRate"],
            [.. rows.Select(row => new[] { row.Date, row.Sessions, row.Engaged, row.Views, row.KeyEvents, row.Duration, row.Rate })]);

    private static string Usage(string revenue, string transactions, string keyEvents) =>
        Report([], ["totalRevenue", "transactions", "keyEvents"], [[revenue, transactions, keyEvents]]);

    private static string Report(string[] dimensions, string[] metrics, string[][] rows) => JsonSerializer.Serialize(new
    {
        dimensionHeaders = dimensions.Select(name => new { name }),
        metricHeaders = metrics.Select(name => new { name, type = "TYPE_INTEGER" }),
        rows = rows.Select(row => new
        {
            dimensionValues = row.Take(dimensions.Length).Select(value => new { value }),
            metricValues = row.Skip(dimensions.Length).Select(value => new { value }),
        }),
        rowCount = rows.Length,
        metadata = new { currencyCode = "USD", timeZone = "America/Los_Angeles" },
    });
}
