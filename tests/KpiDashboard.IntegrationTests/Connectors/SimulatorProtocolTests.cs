using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Google;
using KpiDashboard.Demo.N8n;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KpiDashboard.IntegrationTests.Connectors;

/// <summary>The simulators behave as the recordings of the real providers say, whoever asks.</summary>
public sealed class SimulatorProtocolTests
{
    private static readonly DateTimeOffset Anchor = new(2026, 11, 19, 15, 30, 0, TimeSpan.Zero);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Google_answers_in_the_shape_of_the_recordings()
    {
        await using var google = await GoogleSimulator.StartAsync(DemoWorld.Google(Anchor), new FakeTimeProvider(Anchor), Ct);
        using var client = await SignedInAsync(google);

        var (status, report) = await RunAsync(client, "213025502", """{"dimensions":[{"name":"date"}],"metrics":[{"name":"sessions"},{"name":"totalRevenue"}],"dateRanges":[{"startDate":"90daysAgo","endDate":"yesterday"}],"limit":"5","returnPropertyQuota":true}""");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(["dimensionHeaders", "metricHeaders", "rows", "rowCount", "metadata", "propertyQuota", "kind"], report.EnumerateObject().Select(p => p.Name));
        Assert.Equal("date", report.GetProperty("dimensionHeaders")[0].GetProperty("name").GetString());
        Assert.Equal("TYPE_INTEGER", report.GetProperty("metricHeaders")[0].GetProperty("type").GetString());
        Assert.Equal(5, report.GetProperty("rows").GetArrayLength());
        Assert.True(report.GetProperty("rowCount").GetInt32() > 80);
        Assert.Matches("^[0-9]{8}$", report.GetProperty("rows")[0].GetProperty("dimensionValues")[0].GetProperty("value").GetString());
        Assert.Equal(JsonValueKind.String, report.GetProperty("rows")[0].GetProperty("metricValues")[0].GetProperty("value").ValueKind);
        Assert.Equal("America/Los_Angeles", report.GetProperty("metadata").GetProperty("timeZone").GetString());
        Assert.True(report.GetProperty("propertyQuota").GetProperty("tokensPerDay").GetProperty("remaining").GetInt32() < 200_000);

        // Without an order asked for: by the first metric, not by date.
        var dates = report.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("dimensionValues")[0].GetProperty("value").GetString()).ToList();
        Assert.NotEqual(dates.Order(StringComparer.Ordinal), dates);
    }

    [Fact]
    public async Task Google_leaves_rows_out_altogether_when_there_are_none()
    {
        await using var google = await GoogleSimulator.StartAsync(DemoWorld.Google(Anchor), new FakeTimeProvider(Anchor), Ct);
        using var client = await SignedInAsync(google);

        var (_, before) = await RunAsync(client, "213025502", """{"dimensions":[{"name":"date"}],"metrics":[{"name":"sessions"}],"dateRanges":[{"startDate":"2020-01-01","endDate":"2020-02-01"}]}""");

        Assert.False(before.TryGetProperty("rows", out _));
        Assert.False(before.TryGetProperty("rowCount", out _));
        Assert.True(before.TryGetProperty("metadata", out _));
    }

    [Theory]
    [InlineData("""{"metrics":[{"name":"pageLoads"}],"dateRanges":[{"startDate":"yesterday","endDate":"today"}]}""", "Field pageLoads is not a valid metric")]
    [InlineData("""{"dimensions":[{"name":"weather"}],"metrics":[{"name":"sessions"}],"dateRanges":[{"startDate":"yesterday","endDate":"today"}]}""", "Field weather is not a valid dimension")]
    [InlineData("""{"metrics":[{"name":"a"},{"name":"a"},{"name":"a"},{"name":"a"},{"name":"a"},{"name":"a"},{"name":"a"},{"name":"a"},{"name":"a"},{"name":"a"},{"name":"a"}]}""", "limited to 10 metrics")]
    [InlineData("""{"metrics":[{"name":"sessions"}],"dateRanges":[{"startDate":"soon","endDate":"today"}]}""", "Invalid startDate")]
    [InlineData("""{"metrics":[{"name":"sessions"}],"dateRanges":[{"startDate":"today","endDate":"yesterday"}]}""", "endDate")]
    [InlineData("""{"metrics":""", "Invalid JSON")]
    public async Task Google_refuses_what_makes_no_sense(string request, string says)
    {
        await using var google = await GoogleSimulator.StartAsync(DemoWorld.Google(Anchor), new FakeTimeProvider(Anchor), Ct);
        using var client = await SignedInAsync(google);

        var (status, body) = await RunAsync(client, "213025502", request);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("INVALID_ARGUMENT", body.GetProperty("error").GetProperty("status").GetString());
        Assert.Contains(says, body.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Google_wants_a_good_access_token_for_the_right_property()
    {
        var time = new FakeTimeProvider(Anchor);
        await using var google = await GoogleSimulator.StartAsync(DemoWorld.Google(Anchor), time, Ct);
        const string request = """{"metrics":[{"name":"sessions"}],"dateRanges":[{"startDate":"yesterday","endDate":"today"}]}""";
        using var nobody = new HttpClient { BaseAddress = google.BaseAddress };
        using var client = await SignedInAsync(google);

        var (missing, body) = await RunAsync(nobody, "213025502", request);
        Assert.Equal(HttpStatusCode.Unauthorized, missing);
        Assert.Equal("UNAUTHENTICATED", body.GetProperty("error").GetProperty("status").GetString());
        Assert.Equal(HttpStatusCode.Forbidden, (await RunAsync(client, "402288190", request)).Status);
        Assert.Equal(HttpStatusCode.OK, (await RunAsync(client, "213025502", request)).Status);
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(HttpStatusCode.Unauthorized, (await RunAsync(client, "213025502", request)).Status);
    }

    [Fact]
    public async Task N8n_prunes_neither_what_is_annotated_nor_what_waits_and_lists_by_id_whatever_its_clock_said()
    {
        await using var n8n = await N8nSimulator.StartAsync(DemoWorld.N8n(Anchor), new FakeTimeProvider(Anchor), Ct);
        using var client = new HttpClient { BaseAddress = n8n.BaseAddress };
        client.DefaultRequestHeaders.Add("X-N8N-API-KEY", "n8n_demo_merch_shop");
        var all = n8n.Executions("merch-shop");
        var annotated = all.First(e => e.StartedAt >= Anchor.AddDays(-100));
        n8n.Keep("merch-shop", annotated.Id);
        n8n.Prune("merch-shop", Anchor.AddHours(-3));
        var kept = n8n.Executions("merch-shop");
        Assert.Equal(
            [annotated.Id, .. all.Where(e => e.Id != annotated.Id && (e.StartedAt >= Anchor.AddHours(-3) || e.StatusAt(Anchor) is "waiting" or "running")).Select(e => e.Id)], kept.Select(e => e.Id));
        Assert.Contains(kept, e => e.StartedAt < Anchor.AddHours(-3) && e.StatusAt(Anchor) == "waiting");

        var ended = kept.Where(e => e.StatusAt(Anchor) == "success").ToList();
        var (both, begin) = (ended[^2], ended[^1]);
        n8n.SetClock("merch-shop", both.Id, DateTimeOffset.UnixEpoch);
        n8n.SetClock("merch-shop", begin.Id, DateTimeOffset.UnixEpoch, endsRight: true);
        using var json = JsonDocument.Parse(await client.GetStringAsync("merch-shop/api/v1/executions?limit=250", Ct));
        var listed = json.RootElement.GetProperty("data").EnumerateArray().Select(e =>
            (Id: long.Parse(e.GetProperty("id").GetString()!, CultureInfo.InvariantCulture), Start: e.GetProperty("startedAt").GetString(), Stop: e.GetProperty("stoppedAt").GetDateTimeOffset())).ToList();
        Assert.Equal(kept.Where(e => e.StatusAt(Anchor) != "running").Select(e => e.Id).Reverse(), listed.Select(e => e.Id));
        Assert.Equal(
            [("1970-01-01T00:00:00.000Z", begin.EndsAt), ("1970-01-01T00:00:00.000Z", DateTimeOffset.UnixEpoch + both.Duration)],
            listed.Where(e => e.Id == both.Id || e.Id == begin.Id).Select(e => (e.Start, e.Stop)));
    }

    [Fact]
    public async Task N8n_answers_as_recorded()
    {
        await using var n8n = await N8nSimulator.StartAsync(DemoWorld.N8n(Anchor), new FakeTimeProvider(Anchor), Ct);
        using var client = new HttpClient { BaseAddress = n8n.BaseAddress };
        client.DefaultRequestHeaders.Add("X-N8N-API-KEY", "n8n_demo_merch_shop");

        // Unknown path, no key, wrong key, bogus status.
        Assert.Equal((404, """{"message":"Not Found"}"""), await GetAsync(client, "nobody/api/v1/executions"));
        Assert.Equal((404, """{"message":"Not Found"}"""), await GetAsync(client, "merch-shop/api/v1/executions/99999999"));
        Assert.Equal((401, """{"message":"Unauthorized"}"""), await GetAsync(client, "nordlicht-studio/api/v1/executions"));
        var (status, text) = await GetAsync(client, "merch-shop/api/v1/executions?status=bogus");
        Assert.Equal(400, status);
        Assert.Contains("request/query/status Invalid enum value", text, StringComparison.Ordinal);

        // Fields, order and cursor.
        var page = JsonDocument.Parse((await GetAsync(client, "merch-shop/api/v1/executions?limit=2")).Text).RootElement;
        Assert.Equal(
            ["id", "finished", "mode", "retryOf", "retrySuccessId", "status", "startedAt", "stoppedAt", "workflowId", "waitTill"],
            page.GetProperty("data")[0].EnumerateObject().Select(p => p.Name));
        var ids = page.GetProperty("data").EnumerateArray().Select(e => e.GetProperty("id").GetString()!).ToList();
        Assert.Equal($$"""{"lastId":"{{ids[1]}}","limit":2}""", Encoding.UTF8.GetString(Convert.FromBase64String(page.GetProperty("nextCursor").GetString()!)));

        // A limit above 250 is cut, running ones are left out of the plain list, waiting ones have a stoppedAt.
        var all = JsonDocument.Parse((await GetAsync(client, "merch-shop/api/v1/executions?limit=9999")).Text).RootElement.GetProperty("data").EnumerateArray().ToList();
        Assert.Equal(250, all.Count);
        Assert.DoesNotContain(all, e => e.GetProperty("status").GetString() == "running");
        var running = JsonDocument.Parse((await GetAsync(client, "merch-shop/api/v1/executions?status=running")).Text).RootElement.GetProperty("data");
        Assert.Equal(JsonValueKind.Null, running[0].GetProperty("stoppedAt").ValueKind);
        var waiting = JsonDocument.Parse((await GetAsync(client, "merch-shop/api/v1/executions?status=waiting")).Text).RootElement.GetProperty("data");
        Assert.Equal(JsonValueKind.String, waiting[0].GetProperty("stoppedAt").ValueKind);
        Assert.Equal(JsonValueKind.String, waiting[0].GetProperty("waitTill").ValueKind);
        Assert.Equal(200, (await GetAsync(client, $"merch-shop/api/v1/executions/{ids[0]}")).Status);
    }

    [Fact]
    public void Ids_grow_with_the_start_and_the_past_is_the_same_every_time()
    {
        var first = DemoWorld.N8n(Anchor).Instances[0].Dataset.StartedBy(Anchor);
        var again = DemoWorld.N8n(Anchor).Instances[0].Dataset.StartedBy(Anchor.AddDays(2));

        Assert.Equal(first, again.Take(first.Count));
        Assert.True(first.Zip(first.Skip(1)).All(pair => pair.First.Id < pair.Second.Id && pair.First.StartedAt <= pair.Second.StartedAt));
        Assert.InRange(again.Count - first.Count, 60, 250);
    }

    [Theory]
    [InlineData("2026-11-16T12:00:00Z", "2026-11-15")]
    [InlineData("2026-11-19T12:00:00Z", "2026-11-18")]
    [InlineData("2026-11-23T07:59:00Z", "2026-11-21")]
    [InlineData("2026-11-23T08:01:00Z", "2026-11-22")]
    public void Replayed_days_move_by_whole_weeks_and_end_yesterday(string anchor, string last)
    {
        var at = DateTimeOffset.Parse(anchor, CultureInfo.InvariantCulture);
        var shop = new MerchShop(at);

        // It is 00:00 in California at 08:00 UTC.
        Assert.Equal(DateOnly.ParseExact(last, "yyyy-MM-dd", CultureInfo.InvariantCulture), shop.Last);
        Assert.Equal((2625, 773m, 14), (shop.Day(shop.First, at)!.Sessions, shop.Day(shop.First, at)!.Revenue, shop.Day(shop.First, at)!.Transactions));
        Assert.Null(shop.Day(shop.First.AddDays(-1), at));
        Assert.NotNull(shop.Day(shop.Last, at));
        Assert.Null(shop.Day(shop.Last.AddDays(1), at));
    }

    [Fact]
    public void Open_Lectures_shows_the_last_26_months_of_the_file_as_they_are()
    {
        var site = new OpenLectures(Anchor);
        var rows = EmbeddedCsv.Read("website_visitors_daily_2014_2020.csv");

        Assert.Equal(site.LastRow.DayOfWeek, rows[^1].Day.DayOfWeek);
        Assert.InRange(site.LastRow.DayNumber - site.First.DayNumber, 788, 793);
        Assert.InRange(site.LastRow.DayNumber - site.Last.DayNumber, 0, 6);
        for (var back = 7; back < 700; back += 7)
        {
            var values = rows[^(1 + back)].Values;
            var day = site.Day(site.LastRow.AddDays(-back), Anchor)!;
            Assert.Equal((values[0], values[1], values[1], values[2]), (day.PageViews, day.TotalUsers, day.ActiveUsers, day.NewUsers));
            Assert.InRange(day.Sessions, day.TotalUsers, day.PageViews);
            Assert.Equal((0, 0m), (day.Transactions, day.Revenue));
        }
    }

    [Fact]
    public void Nordlicht_grows_has_weekends_and_one_spike()
    {
        var site = DemoWorld.NordlichtStudio(Anchor);
        var today = new DateOnly(2026, 11, 19);
        double Mean(int from, int days, Func<DateOnly, bool>? which = null) => Enumerable.Range(from, days).Select(ago => today.AddDays(-ago))
            .Where(day => which?.Invoke(day) ?? true).Select(day => site.Day(day, Anchor)).OfType<Ga4Day>().Average(day => day.Sessions);

        Assert.InRange(Mean(60, 140) / Mean(60 + 364, 140), 1.2, 1.3);
        Assert.True(Mean(40, 200, day => day.DayOfWeek == DayOfWeek.Saturday) < 0.8 * Mean(40, 200, day => day.DayOfWeek == DayOfWeek.Tuesday));
        var days = Enumerable.Range(3, 90).Select(ago => (Ago: ago, Day: site.Day(today.AddDays(-ago), Anchor))).Where(day => day.Day is not null).ToList();
        Assert.Equal(17, days.MaxBy(day => day.Day!.Sessions).Ago);
        Assert.All(days, day => Assert.True(day.Day!.Transactions > 0));
    }

    [Fact]
    public void Kiwi_is_small()
    {
        var site = DemoWorld.KiwiPlumbing(Anchor);

        Assert.All(Enumerable.Range(3, 360).Select(ago => site.Day(new DateOnly(2026, 11, 20).AddDays(-ago), Anchor)!), day => Assert.InRange(day.Sessions, 5, 40));
    }

    [Fact]
    public void The_anchor_of_a_demo_outlives_a_restart_until_the_replayed_figures_would_be_laid_a_week_further()
    {
        var folder = Directory.CreateTempSubdirectory("kpi-anchor-");
        try
        {
            var time = new FakeTimeProvider(Anchor);
            var first = DemoAnchor.Load(folder.FullName, time);
            Assert.Equal(new DemoAnchor(Anchor, IsNew: true), first);

            // Not kept before the numbers are dated by it.
            Assert.True(DemoAnchor.Load(folder.FullName, time).IsNew);
            first.Save(folder.FullName);
            Assert.Equal(new DemoAnchor(Anchor, IsNew: false), DemoAnchor.Load(folder.FullName, time));

            time.Advance(TimeSpan.FromDays(7));
            Assert.Equal(new DemoAnchor(Anchor.AddDays(7), IsNew: true), DemoAnchor.Load(folder.FullName, time));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_demo_world_is_the_one_of_the_interface()
    {
        Assert.Equal(["Merch Shop", "Open Lectures", "Nordlicht Studio", "Kiwi Plumbing"], DemoWorld.Tenants.Select(tenant => tenant.Name));
        foreach (var tenant in DemoWorld.Tenants)
        {
            var property = DemoWorld.Google(Anchor).Properties.Single(p => p.Dataset.PropertyId == tenant.Ga4PropertyId);
            Assert.Equal((tenant.GoogleRefreshToken, tenant.TimeZone, tenant.Currency), (property.RefreshToken, property.Dataset.TimeZone, property.Dataset.Currency));
            if (tenant.N8nInstance is not null)
                Assert.Equal(tenant.N8nApiKey, DemoWorld.N8n(Anchor).Instances.Single(instance => instance.Name == tenant.N8nInstance).ApiKey);
        }
    }

    private static async Task<HttpClient> SignedInAsync(GoogleSimulator google)
    {
        var client = new HttpClient { BaseAddress = google.BaseAddress };
        var configuration = google.Configuration();
        using var form = new FormUrlEncodedContent(
        [
            new("grant_type", "refresh_token"), new("client_id", configuration["GoogleAnalytics:ClientId"]),
            new("client_secret", configuration["GoogleAnalytics:ClientSecret"]), new("refresh_token", "1//demo-merch-shop"),
        ]);
        using var response = await client.PostAsync(google.TokenUrl, form, Ct);
        var token = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Ct)).RootElement;
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.GetProperty("access_token").GetString());
        return client;
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> RunAsync(HttpClient client, string property, string request)
    {
        using var content = new StringContent(request, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri($"v1beta/properties/{property}:runReport", UriKind.Relative), content, Ct);
        return (response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync(Ct)).RootElement);
    }

    private static async Task<(int Status, string Text)> GetAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(new Uri(path, UriKind.Relative), Ct);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(Ct));
    }
}
