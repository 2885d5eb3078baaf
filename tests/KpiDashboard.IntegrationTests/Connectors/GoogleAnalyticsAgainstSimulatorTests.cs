using System.Globalization;
using KpiDashboard.Connectors;
using KpiDashboard.Demo.Simulation;
using Xunit;

namespace KpiDashboard.IntegrationTests.Connectors;

public sealed class GoogleAnalyticsAgainstSimulatorTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Thirteen_months_of_Merch_Shop_equal_the_sums_of_the_published_file()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var today = fixture.Today(GoogleFixture.Merch);

        var sink = await fixture.BackfillAsync(GoogleFixture.Merch, new DayWindow(today.AddMonths(-13), today));

        // The file without its last five days, moved by whole weeks to where its last row is yesterday or, up to six days, still to come.
        var published = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "ga4_merch_daily.csv")).Skip(1).Select(line => line.Split(',')).SkipLast(5).ToList();
        var lastRow = DateOnly.ParseExact(published[^1][0], "yyyy-MM-dd", CultureInfo.InvariantCulture);
        var toCome = (((lastRow.DayNumber - today.AddDays(-1).DayNumber) % 7) + 7) % 7;
        var come = published.SkipLast(toCome).ToList();
        Assert.InRange(come.Count, 81, 87);
        Assert.Equal(Published("sessions"), sink.Sum("web.sessions"));
        Assert.Equal(Published("revenue_usd"), sink.Sum("shop.revenue"));
        Assert.Equal(Published("purchase_events"), sink.Sum("shop.transactions"));
        Assert.Equal(Published("users"), sink.Sum("web.total_users"));
        Assert.Equal(come.Count, sink.Days("web.sessions"));
        Assert.Equal(come.Count, sink.Days("shop.revenue"));

        decimal Published(string column)
        {
            var header = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "ga4_merch_daily.csv")).First().Split(',');
            var at = Array.IndexOf(header, column);
            return come.Sum(cells => decimal.Parse(cells[at], CultureInfo.InvariantCulture));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(40)]
    public async Task Small_pages_in_an_order_of_Googles_own_give_the_same_as_one_large_page(int pageSize)
    {
        await using var large = await GoogleFixture.StartAsync();
        await using var small = await GoogleFixture.StartAsync(
            options => options with { IgnoreOrderBys = true }, new() { ["GoogleAnalytics:PageSize"] = $"{pageSize}" });
        // Not only the first tokens of the hour: a page a row is dear.
        var window = large.Last(GoogleFixture.Nordlicht, 60);

        var expected = new RecordingSink();
        Assert.IsType<FetchSucceeded>(await large.FetchAsync(GoogleFixture.Nordlicht, window, expected));
        var paged = new RecordingSink();
        Assert.IsType<FetchSucceeded>(await small.FetchAsync(GoogleFixture.Nordlicht, window, paged));

        // One for the values, one for how they divide, which is not paged.
        Assert.Equal(2, expected.Requests.Count);
        Assert.InRange(paged.Requests.Count, 60 / pageSize, 63);
        Assert.Equal(expected.Readings.OrderBy(r => r.Key.Kpi).ThenBy(r => r.Key.Day), paged.Readings.OrderBy(r => r.Key.Kpi).ThenBy(r => r.Key.Day));
        Assert.Equal(0, paged.Repeated);
    }

    [Fact]
    public async Task Every_reading_of_a_shop_equals_what_the_property_holds()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var window = fixture.Last(GoogleFixture.Nordlicht, 31);
        var sink = new RecordingSink();

        Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Nordlicht, window, sink));

        (string Kpi, string Metric)[] same =
        [
            ("web.sessions", "sessions"), ("web.engaged_sessions", "engagedSessions"), ("web.page_views", "screenPageViews"), ("web.new_users", "newUsers"),
            ("web.key_events", "keyEvents"), ("web.total_users", "totalUsers"), ("web.active_users", "activeUsers"), ("web.active_users_7d", "active7DayUsers"),
            ("web.active_users_28d", "active28DayUsers"), ("shop.revenue", "totalRevenue"), ("shop.transactions", "transactions"),
        ];
        for (var day = window.From; day <= window.To; day = day.AddDays(1))
        {
            decimal? Truth(string metric) => fixture.Google.Value(GoogleFixture.Nordlicht.Ga4PropertyId, day, metric);
            foreach (var (kpi, metric) in same)
                Assert.Equal(Truth(metric), sink[kpi, day]);
            Assert.Equal(Truth("userEngagementDuration"), sink["web.session_seconds", day]);
            Assert.Equal(Math.Round(Truth("sessionKeyEventRate")!.Value * Truth("sessions")!.Value), sink["web.key_event_sessions", day]);
            Assert.True(sink["web.active_users_7d", day] >= sink["web.active_users", day]);
            Assert.True(sink["web.active_users_28d", day] >= sink["web.active_users_7d", day]);
        }
    }

    [Fact]
    public async Task A_tracking_outage_is_three_days_without_readings_not_three_zeros()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var today = fixture.Today(GoogleFixture.Nordlicht);

        var sink = await fixture.BackfillAsync(GoogleFixture.Nordlicht, fixture.Last(GoogleFixture.Nordlicht, 60));

        var absent = Enumerable.Range(0, 60).Select(ago => today.AddDays(-ago)).Where(day => sink["web.sessions", day] is null).ToList();
        Assert.Equal([today.AddDays(-34), today.AddDays(-35), today.AddDays(-36)], absent);
        Assert.All(absent, day =>
        {
            Assert.Null(sink["web.total_users", day]);
            Assert.Null(sink["web.new_users", day]);
            Assert.Null(sink["shop.revenue", day]);
            Assert.True(sink["web.active_users_28d", day] > 0);
        });
    }

    [Fact]
    public async Task A_site_without_a_shop_gets_no_revenue_and_no_key_events()
    {
        await using var fixture = await GoogleFixture.StartAsync();

        var sink = new RecordingSink();
        var outcome = Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Lectures, fixture.Last(GoogleFixture.Lectures, 60), sink));

        Assert.DoesNotContain(sink.Readings.Keys, key => key.Kpi.StartsWith("shop.", StringComparison.Ordinal) || key.Kpi.Contains("key_event", StringComparison.Ordinal));
        Assert.NotEqual(0, sink.Days("web.sessions"));
        Assert.Equal(("Europe/London", "GBP"), (outcome.TimeZone, outcome.Currency));
    }

    [Fact]
    public async Task Settings_can_say_that_a_site_without_sales_is_a_shop()
    {
        await using var fixture = await GoogleFixture.StartAsync();

        var sink = new RecordingSink();
        await fixture.FetchAsync(
            GoogleFixture.Lectures, fixture.Last(GoogleFixture.Lectures, 60), sink, $$"""{"propertyId":{{GoogleFixture.Lectures.Ga4PropertyId}},"ecommerce":true}""");

        Assert.Equal(sink.Days("web.sessions"), sink.Days("shop.revenue"));
        Assert.Equal(0, sink.Sum("shop.revenue"));
    }

    [Fact]
    public async Task A_shop_without_a_sale_in_a_short_window_reports_zeros_for_the_days_it_was_measured()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var window = fixture.Last(GoogleFixture.Nordlicht, 3);
        for (var day = window.From; day <= window.To; day = day.AddDays(1))
        {
            fixture.Google.SetValue(GoogleFixture.Nordlicht.Ga4PropertyId, day, "totalRevenue", 0);
            fixture.Google.SetValue(GoogleFixture.Nordlicht.Ga4PropertyId, day, "transactions", 0);
        }

        var sink = new RecordingSink();
        await fixture.FetchAsync(GoogleFixture.Nordlicht, window, sink);

        Assert.Equal(3, sink.Days("shop.revenue"));
        Assert.Equal(0, sink.Sum("shop.revenue"));
    }

    [Fact]
    public async Task Withheld_user_figures_of_small_days_leave_the_sessions_alone()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var window = fixture.Last(GoogleFixture.Kiwi, 92);
        var sink = new RecordingSink();

        await fixture.FetchAsync(GoogleFixture.Kiwi, window, sink);

        Assert.InRange(sink.Days("web.sessions"), 91, 92);
        Assert.InRange(sink.Days("web.total_users"), 40, 90);
        Assert.True(sink.Requests[0].Thresholded);
        Assert.All(sink.Readings.Where(r => r.Key.Kpi == "web.total_users"), r => Assert.True(r.Value >= 10));
    }

    [Fact]
    public async Task A_window_before_the_property_existed_brings_nothing_and_calls_nothing_complete()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var sink = new RecordingSink();

        var outcome = Assert.IsType<FetchSucceeded>(
            await fixture.FetchAsync(GoogleFixture.Merch, new DayWindow(new DateOnly(2024, 1, 1), new DateOnly(2024, 3, 1)), sink));

        Assert.Empty(sink.Readings);
        Assert.Null(outcome.CompleteThrough);
        Assert.Equal("America/Los_Angeles", outcome.TimeZone);
    }

    [Fact]
    public async Task Restated_values_appear_at_the_next_fetch()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var window = fixture.Last(GoogleFixture.Nordlicht, 3);
        var yesterday = window.To.AddDays(-1);
        var before = new RecordingSink();
        await fixture.FetchAsync(GoogleFixture.Nordlicht, window, before);

        fixture.Time.Advance(TimeSpan.FromHours(20));
        fixture.Google.SetValue(GoogleFixture.Nordlicht.Ga4PropertyId, window.From, "sessions", 1234);
        var after = new RecordingSink();
        await fixture.FetchAsync(GoogleFixture.Nordlicht, window, after);

        Assert.True(after["web.sessions", yesterday] > before["web.sessions", yesterday]);
        Assert.Equal(1234, after["web.sessions", window.From]);
    }

    [Fact]
    public async Task Final_is_today_minus_three_and_complete_needs_twelve_hours()
    {
        // 15:30 UTC on the 19th is 16:30 in Berlin: the 18th ended 16.5 hours ago.
        await using var fixture = await GoogleFixture.StartAsync();
        var window = fixture.Last(GoogleFixture.Nordlicht, 31);

        var outcome = Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Nordlicht, window, new RecordingSink()));
        Assert.Equal(new DateOnly(2026, 11, 16), outcome.FinalThrough);
        Assert.Equal(new DateOnly(2026, 11, 18), outcome.CompleteThrough);

        // 04:30 the next morning: the 19th ended 4.5 hours ago.
        fixture.Time.Advance(TimeSpan.FromHours(12));
        outcome = Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Nordlicht, fixture.Last(GoogleFixture.Nordlicht, 31), new RecordingSink()));
        Assert.Equal(new DateOnly(2026, 11, 17), outcome.FinalThrough);
        Assert.Equal(new DateOnly(2026, 11, 18), outcome.CompleteThrough);
    }

    [Fact]
    public async Task Trailing_empty_days_are_not_called_complete()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var window = fixture.Last(GoogleFixture.Nordlicht, 10);
        fixture.Google.Faults.Next(GoogleFixture.Nordlicht.Ga4PropertyId, new Fault.EmptyDays(window.To.AddDays(-4), window.To));

        var outcome = Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Nordlicht, window, new RecordingSink()));

        Assert.Equal(window.To.AddDays(-5), outcome.CompleteThrough);
    }

    [Fact]
    public async Task Days_without_a_row_are_named_so_that_they_can_be_asked_for_again()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var window = fixture.Last(GoogleFixture.Merch, 20);
        var before = Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Merch, window, new RecordingSink()));
        fixture.Google.Faults.Next(GoogleFixture.Merch.Ga4PropertyId, new Fault.EmptyDays(window.To.AddDays(-12), window.To.AddDays(-11)));
        var without = Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Merch, window, new RecordingSink()));

        Assert.Equal([window.To.AddDays(-12), window.To.AddDays(-11)], without.EmptyDays.Except(before.EmptyDays));
    }

    [Theory]
    [InlineData(10_000, 1)]
    [InlineData(7, 2)]
    public async Task Rows_that_come_twice_are_no_answer(int pageSize, int request)
    {
        await using var fixture = await GoogleFixture.StartAsync(settings: new() { ["GoogleAnalytics:PageSize"] = $"{pageSize}" });
        fixture.Google.Faults.Schedule = (target, number) => target == GoogleFixture.Merch.Ga4PropertyId && number == request ? new Fault.DuplicatedPage() : null;
        var sink = new RecordingSink();
        var down = Assert.IsType<ProviderDown>(await fixture.FetchAsync(GoogleFixture.Merch, fixture.Last(GoogleFixture.Merch, 20), sink));
        Assert.Contains("a day twice", down.Reason, StringComparison.Ordinal);
        Assert.Empty(sink.Readings);
    }

    [Fact]
    public async Task A_Google_that_takes_the_request_and_never_answers_is_given_up()
    {
        await using var fixture = await GoogleFixture.StartAsync(settings: new() { ["GoogleAnalytics:TimeoutSeconds"] = "1" });
        fixture.Google.Faults.Next(GoogleFixture.Merch.Ga4PropertyId, new Fault.Hang());
        var down = Assert.IsType<ProviderDown>(await fixture.FetchAsync(GoogleFixture.Merch, fixture.Last(GoogleFixture.Merch, 20), new RecordingSink()));
        Assert.Equal("Google Analytics did not answer in time.", down.Reason);
    }

    [Fact]
    public async Task A_Google_whose_clock_is_ahead_shows_more_of_today_and_none_of_it_is_called_complete()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var window = fixture.Last(GoogleFixture.Nordlicht, 5);
        var (ours, theirs) = (new RecordingSink(), new RecordingSink());
        var before = Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Nordlicht, window, ours));
        fixture.Google.Faults.Next(GoogleFixture.Nordlicht.Ga4PropertyId, new Fault.SkewedClock(TimeSpan.FromHours(3)));
        var after = Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Nordlicht, window, theirs));

        Assert.True(theirs.Readings[("web.sessions", window.To)] > ours.Readings[("web.sessions", window.To)]);
        Assert.Equal((before.CompleteThrough, before.FinalThrough), (after.CompleteThrough, after.FinalThrough));
    }

    [Fact]
    public async Task One_access_token_serves_many_fetches_and_is_renewed_before_it_expires()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var window = fixture.Last(GoogleFixture.Merch, 31);

        for (var i = 0; i < 3; i++)
            await fixture.FetchAsync(GoogleFixture.Merch, window, new RecordingSink());
        Assert.Equal(1, fixture.Google.Faults.Count("token"));

        fixture.Time.Advance(TimeSpan.FromMinutes(58.5));
        Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Merch, window, new RecordingSink()));
        Assert.Equal(2, fixture.Google.Faults.Count("token"));
    }

    [Fact]
    public async Task Eight_fetches_at_once_ask_for_one_access_token()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var window = fixture.Last(GoogleFixture.Merch, 31);
        fixture.Google.Faults.Next("token", new Fault.Delay(TimeSpan.FromMilliseconds(200)));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => fixture.FetchAsync(GoogleFixture.Merch, window, new RecordingSink())));

        Assert.All(outcomes, outcome => Assert.IsType<FetchSucceeded>(outcome));
        Assert.Equal(1, fixture.Google.Faults.Count("token"));
    }

    [Fact]
    public async Task A_refused_access_token_is_renewed_once()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var window = fixture.Last(GoogleFixture.Merch, 31);
        await fixture.FetchAsync(GoogleFixture.Merch, window, new RecordingSink());

        fixture.Google.ExpireAccessTokens();
        Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Merch, window, new RecordingSink()));
        Assert.Equal(2, fixture.Google.Faults.Count("token"));

        // Refused again although it is fresh: two requests, not more.
        fixture.Google.Faults.ResetCounts();
        fixture.Google.Faults.Next(GoogleFixture.Merch.Ga4PropertyId, GoogleFaults.Unauthenticated, 5);
        Assert.IsType<AuthorizationLost>(await fixture.FetchAsync(GoogleFixture.Merch, window, new RecordingSink()));
        Assert.Equal(2, fixture.Google.Faults.Count(GoogleFixture.Merch.Ga4PropertyId));
        Assert.Equal(1, fixture.Google.Faults.Count("token"));
    }

    [Fact]
    public async Task A_withdrawn_sign_in_is_authorization_lost_and_connecting_again_mends_it()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var window = fixture.Last(GoogleFixture.Merch, 31);
        fixture.Google.Revoke(GoogleFixture.Merch.GoogleRefreshToken);

        var sink = new RecordingSink();
        var lost = Assert.IsType<AuthorizationLost>(await fixture.FetchAsync(GoogleFixture.Merch, window, sink));
        Assert.Contains("Connect Google Analytics again", lost.Reason, StringComparison.Ordinal);
        Assert.Empty(sink.Requests);
        Assert.Equal(0, fixture.Google.Faults.Count(GoogleFixture.Merch.Ga4PropertyId));

        fixture.Google.Restore(GoogleFixture.Merch.GoogleRefreshToken);
        Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Merch, window, new RecordingSink()));
    }

    [Fact]
    public async Task Another_accounts_token_cannot_read_the_property()
    {
        await using var fixture = await GoogleFixture.StartAsync();

        var outcome = await fixture.FetchAsync(
            GoogleFixture.Merch with { GoogleRefreshToken = GoogleFixture.Kiwi.GoogleRefreshToken }, fixture.Last(GoogleFixture.Merch, 31), new RecordingSink());

        Assert.IsType<AuthorizationLost>(outcome);
    }

    [Fact]
    public async Task A_missing_client_refuses_the_fetch_and_a_wrong_one_too()
    {
        await using var missing = await GoogleFixture.StartAsync(settings: new() { ["GoogleAnalytics:ClientId"] = null });
        await using var wrong = await GoogleFixture.StartAsync(settings: new() { ["GoogleAnalytics:ClientSecret"] = "no" });
        var window = missing.Last(GoogleFixture.Merch, 31);

        Assert.Contains("ClientId", Assert.IsType<RequestRefused>(await missing.FetchAsync(GoogleFixture.Merch, window, new RecordingSink())).Reason, StringComparison.Ordinal);
        Assert.IsType<RequestRefused>(await wrong.FetchAsync(GoogleFixture.Merch, window, new RecordingSink()));
    }

    public static TheoryData<string, string> Faulty() => new()
    {
        { nameof(Fault.Reset), nameof(ProviderDown) },
        { nameof(Fault.Truncated), nameof(ProviderDown) },
        { nameof(Fault.BrokenOff), nameof(ProviderDown) },
        { nameof(Fault.EmptyBody), nameof(ProviderDown) },
        { nameof(Fault.Oversized), nameof(ProviderDown) },
        { nameof(Fault.Delay), nameof(ProviderDown) },
        { nameof(GoogleFaults.Internal), nameof(ProviderDown) },
        { nameof(GoogleFaults.Unavailable), nameof(ProviderDown) },
        { nameof(GoogleFaults.ConcurrentRequests), nameof(RateLimited) },
        { nameof(GoogleFaults.TokensPerProjectPerHour), nameof(QuotaExhausted) },
        { nameof(GoogleFaults.PermissionDenied), nameof(AuthorizationLost) },
        { nameof(GoogleFaults.Incompatible), nameof(RequestRefused) },
    };

    [Theory]
    [MemberData(nameof(Faulty))]
    public async Task A_misbehaving_provider_is_an_outcome_and_nothing_is_handed_on(string fault, string expected)
    {
        await using var fixture = await GoogleFixture.StartAsync(settings: new() { ["GoogleAnalytics:TimeoutSeconds"] = fault == nameof(Fault.Delay) ? "3" : "20" });
        var window = fixture.Last(GoogleFixture.Merch, 31);
        fixture.Google.Faults.Next(GoogleFixture.Merch.Ga4PropertyId, fault switch
        {
            nameof(Fault.Reset) => new Fault.Reset(),
            nameof(Fault.Truncated) => new Fault.Truncated(),
            nameof(Fault.BrokenOff) => new Fault.BrokenOff(),
            nameof(Fault.EmptyBody) => new Fault.EmptyBody(),
            nameof(Fault.Oversized) => new Fault.Oversized(20 * 1024 * 1024),
            nameof(Fault.Delay) => new Fault.Delay(TimeSpan.FromSeconds(10)),
            nameof(GoogleFaults.Internal) => GoogleFaults.Internal,
            nameof(GoogleFaults.Unavailable) => GoogleFaults.Unavailable,
            nameof(GoogleFaults.ConcurrentRequests) => GoogleFaults.ConcurrentRequests,
            nameof(GoogleFaults.TokensPerProjectPerHour) => GoogleFaults.TokensPerProjectPerHour,
            nameof(GoogleFaults.PermissionDenied) => GoogleFaults.PermissionDenied,
            _ => GoogleFaults.Incompatible,
        });

        var sink = new RecordingSink();
        var outcome = await fixture.FetchAsync(GoogleFixture.Merch, window, sink);

        Assert.Equal(expected, outcome.GetType().Name);
        Assert.Empty(sink.Readings);
        Assert.Equal(1, fixture.Google.Faults.Count(GoogleFixture.Merch.Ga4PropertyId));

        // And it is well again.
        Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Merch, window, sink));
    }

    [Fact]
    public async Task A_failure_on_a_later_page_hands_nothing_on()
    {
        await using var fixture = await GoogleFixture.StartAsync(settings: new() { ["GoogleAnalytics:PageSize"] = "10" });
        fixture.Google.Faults.Next(GoogleFixture.Nordlicht.Ga4PropertyId, new Fault.Delay(TimeSpan.Zero), 2);
        fixture.Google.Faults.Next(GoogleFixture.Nordlicht.Ga4PropertyId, GoogleFaults.Internal);

        var sink = new RecordingSink();
        Assert.IsType<ProviderDown>(await fixture.FetchAsync(GoogleFixture.Nordlicht, fixture.Last(GoogleFixture.Nordlicht, 31), sink));

        Assert.Empty(sink.Readings);
        Assert.Empty(sink.Requests);
        Assert.Equal(3, fixture.Google.Faults.Count(GoogleFixture.Nordlicht.Ga4PropertyId));
    }

    [Fact]
    public async Task The_callers_cancellation_is_thrown()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        fixture.Google.Faults.Next(GoogleFixture.Merch.Ga4PropertyId, new Fault.Delay(TimeSpan.FromSeconds(20)));
        using var soon = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        soon.CancelAfter(TimeSpan.FromMilliseconds(300));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            fixture.Connector.FetchAsync(fixture.Request(GoogleFixture.Merch, fixture.Last(GoogleFixture.Merch, 31)), new RecordingSink(), soon.Token));
    }

    [Fact]
    public async Task A_nearly_used_up_allowance_is_noted_and_a_used_up_one_is_a_wait_that_ends()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var window = fixture.Last(GoogleFixture.Merch, 31);
        Assert.Null(Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Merch, window, new RecordingSink())).SlowDown);

        fixture.Google.SetRemaining(GoogleFixture.Merch.Ga4PropertyId, "tokensPerHour", 3_900);
        Assert.NotNull(Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Merch, window, new RecordingSink())).SlowDown);

        fixture.Google.SetRemaining(GoogleFixture.Merch.Ga4PropertyId, "tokensPerHour", 0);
        var exhausted = Assert.IsType<QuotaExhausted>(await fixture.FetchAsync(GoogleFixture.Merch, window, new RecordingSink()));
        Assert.Equal(fixture.Time.GetUtcNow().AddMinutes(30), exhausted.Until);

        fixture.Time.SetUtcNow(exhausted.Until);
        Assert.IsType<FetchSucceeded>(await fixture.FetchAsync(GoogleFixture.Merch, window, new RecordingSink()));
    }

    [Fact]
    public async Task Lineage_tells_what_was_asked_and_holds_no_credential()
    {
        await using var fixture = await GoogleFixture.StartAsync();
        var sink = new RecordingSink();

        await fixture.FetchAsync(GoogleFixture.Merch, fixture.Last(GoogleFixture.Merch, 31), sink);

        Assert.Equal(2, sink.Requests.Count);
        var record = sink.Requests[0];
        Assert.Contains("landingPage", sink.Requests[1].Request, StringComparison.Ordinal);
        Assert.Equal($"POST /v1beta/properties/{GoogleFixture.Merch.Ga4PropertyId}:batchRunReports", record.Operation);
        Assert.Contains("sessions", record.Request, StringComparison.Ordinal);
        Assert.Contains("America/Los_Angeles", record.ResponseMetadata, StringComparison.Ordinal);
        Assert.Contains("tokensPerHour", record.ResponseMetadata, StringComparison.Ordinal);
        Assert.Equal(GoogleFixture.Anchor, record.FetchedAt);
        Assert.True(record.Rows > 0);
        Assert.DoesNotContain("1//demo", $"{record}", StringComparison.Ordinal);
        Assert.DoesNotContain("ya29", $"{record}", StringComparison.Ordinal);
    }
}
