using System.Globalization;
using System.IO.Compression;
using KpiDashboard.Demo.Seeding;
using Xunit;

namespace KpiDashboard.IntegrationTests.App;

[Collection(AppCollection.Name)]
public sealed class NumbersTests(AppFixture app)
{
    private static readonly IReadOnlyList<(DateOnly Day, decimal Sessions, decimal Revenue, decimal Orders)> Figures =
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "ga4_merch_daily.csv")).Skip(1).Select(line => line.Split(',')).Select(cells => (
            DateOnly.ParseExact(cells[0], "yyyy-MM-dd", CultureInfo.InvariantCulture), Number(cells[2]), Number(cells[10]), Number(cells[9]))),
    ];

    [Theory]
    [InlineData(0, 80)]
    [InlineData(0, 0)]
    [InlineData(80, 80)]
    [InlineData(10, 40)]
    [InlineData(64, 80)]
    public async Task Merch_Shop_sums_equal_the_real_figures_shifted_by_whole_weeks(int first, int last)
    {
        // Moved by whole weeks so that the last row, of all but the broken five, is yesterday, in the shop's time zone, or up to six days after.
        var yesterday = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(app.Demo.Anchor, TimeZoneInfo.FindSystemTimeZoneById("America/Los_Angeles")).DateTime).AddDays(-1);
        var weeks = (yesterday.DayNumber - Figures[^6].Day.DayNumber + 6) / 7;
        var (from, to) = (Figures[first].Day.AddDays(7 * weeks), Figures[last].Day.AddDays(7 * weeks));
        using var client = await app.SignInAsync();

        var summary = await client.GetJsonAsync($"api/metrics/summary?from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}&compare=none");
        var history = await client.GetJsonAsync($"api/metrics/history?kpis=web.sessions,shop.revenue,shop.transactions&from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}&grain=day");

        var rows = Figures.Skip(first).Take(last - first + 1).ToList();
        foreach (var (key, expected) in new[] { ("web.sessions", rows.Sum(row => row.Sessions)), ("shop.revenue", rows.Sum(row => row.Revenue)), ("shop.transactions", rows.Sum(row => row.Orders)) })
        {
            Assert.Equal(expected, summary["kpis"]!.AsArray().Single(kpi => kpi!["key"]!.GetValue<string>() == key)!["value"]!.GetValue<decimal>());
            Assert.Equal(expected, history["series"]!.AsArray().Single(series => series!["key"]!.GetValue<string>() == key)!["points"]!.AsArray().Sum(point => point!["value"]!.GetValue<decimal>()));
        }
    }

    [Fact]
    public async Task The_real_figures_add_up_to_what_their_readme_says()
    {
        Assert.Equal((360_129m, 362_165m, 5_692m), (Figures.Sum(row => row.Sessions), Figures.Sum(row => row.Revenue), Figures.Sum(row => row.Orders)));
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Weeks_and_months_add_up_to_days()
    {
        using var client = await app.SignInAsync("Nordlicht Studio");
        var sums = new Dictionary<string, decimal>();
        foreach (var grain in new[] { "day", "week", "month" })
        {
            var history = await client.GetJsonAsync($"api/metrics/history?kpis=web.sessions&range=last_12_months&grain={grain}");
            sums[grain] = history["series"]![0]!["points"]!.AsArray().Sum(point => point!["value"]?.GetValue<decimal>() ?? 0);
        }

        Assert.True(sums["day"] > 0);
        Assert.Equal(sums["day"], sums["week"]);
        Assert.Equal(sums["day"], sums["month"]);
    }

    [Fact]
    public async Task A_day_without_data_is_null_and_stays_in_the_list_and_the_range_is_partial()
    {
        using var client = await app.SignInAsync("Nordlicht Studio");
        var history = await client.GetJsonAsync("api/metrics/history?kpis=web.sessions&range=last_90_days&grain=day");
        var points = history["series"]![0]!["points"]!.AsArray();
        Assert.Equal(90, points.Count);
        var missing = points.Where(point => point!["value"] is null).ToList();
        Assert.Equal(3, missing.Count);
        Assert.All(missing, point => Assert.Equal("not_measurable", point!["status"]!.GetValue<string>()));

        var summary = await client.GetJsonAsync("api/metrics/summary?range=last_90_days");
        var sessions = summary["kpis"]!.AsArray().Single(kpi => kpi!["key"]!.GetValue<string>() == "web.sessions")!;
        Assert.Equal("partial", sessions["status"]!.GetValue<string>());
        Assert.Null(sessions["change"]);
        Assert.Equal("partial", sessions["changeWithheld"]!.GetValue<string>());
    }

    [Fact]
    public async Task Ratios_of_a_range_are_recomputed_from_their_parts_and_not_averaged()
    {
        using var client = await app.SignInAsync("Nordlicht Studio");
        var kpis = (await client.GetJsonAsync("api/metrics/summary?range=last_28_days"))["kpis"]!.AsArray();
        decimal Value(string key) => kpis.Single(kpi => kpi!["key"]!.GetValue<string>() == key)!["value"]!.GetValue<decimal>();
        Assert.Equal(decimal.Round(Value("web.engaged_sessions") / Value("web.sessions"), 8), Value("web.engagement_rate"));
        Assert.Equal(1, Value("web.engagement_rate") + Value("web.bounce_rate"));
        Assert.Equal(decimal.Round(Value("shop.revenue") / Value("shop.transactions"), 8), Value("shop.average_order_value"));
    }

    [Fact]
    public async Task A_business_without_a_shop_or_automations_has_no_such_cards()
    {
        using var client = await app.SignInAsync("Open Lectures");
        var keys = (await client.GetJsonAsync("api/metrics/summary"))["kpis"]!.AsArray().Select(kpi => kpi!["key"]!.GetValue<string>()).ToList();
        Assert.Contains("web.sessions", keys);
        Assert.DoesNotContain(keys, key => key.StartsWith("shop.", StringComparison.Ordinal) || key.StartsWith("automation.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Workflows_tell_their_trend_what_failures_cost_and_how_the_period_before_was()
    {
        using var client = await app.SignInAsync();
        var now = await client.GetJsonAsync("api/automation/performance?range=last_7_days&compare=previous_period");
        var before = await client.GetJsonAsync($"api/automation/performance?from={now["compareFrom"]}&to={now["compareTo"]}&compare=none");
        var totals = now["totals"]!;
        var workflows = now["workflows"]!.AsArray();
        Assert.Equal(1, (int)now["trendStepDays"]!);
        Assert.All(workflows, workflow =>
        {
            Assert.Equal(7, workflow!["trend"]!.AsArray().Count);
            Assert.Equal((int)workflow["executions"]!, workflow["trend"]!.AsArray().Sum(runs => (int)runs!));
            Assert.Equal((int)workflow["failed"]!, workflow["failedTrend"]!.AsArray().Sum(runs => (int)runs!));
            var same = before["workflows"]!.AsArray().Single(other => (string)other!["id"]! == (string)workflow["id"]!)!;
            foreach (var field in new[] { "executions", "succeeded", "failed", "timeSavedMinutes", "valueSaved", "lostMinutes" })
                Assert.Equal(same[field]?.ToJsonString(), workflow["previous"]![field]?.ToJsonString());
        });
        var known = workflows.Where(workflow => workflow!["timeSavedPerExecution"] is not null).ToList();
        var lost = known.Sum(workflow => (int)workflow!["failed"]! * (decimal)workflow["timeSavedPerExecution"]!);
        Assert.NotEmpty(known);
        Assert.Equal(lost, (decimal)totals["lostMinutes"]!);
        Assert.Equal(decimal.Round(lost / 60 * (decimal)now["hourlyLabourCost"]!, 8), (decimal)totals["lostValue"]!);
        Assert.Equal(decimal.Round(7 * (decimal)totals["cost"]! / (decimal)totals["valueSaved"]!, 8), (decimal)totals["paybackDays"]!);
        // The same change as on every other page.
        var summary = (await client.GetJsonAsync($"api/metrics/summary?from={now["from"]}&to={now["to"]}&compare=previous_period"))["kpis"]!.AsArray();
        Assert.All(now["changes"]!.AsArray(), change =>
        {
            var tile = summary.Single(kpi => (string)kpi!["key"]! == (string)change!["key"]!)!;
            Assert.Equal((tile["change"]?.ToJsonString(), tile["changeWithheld"]?.ToJsonString()), (change!["change"]?.ToJsonString(), change["changeWithheld"]?.ToJsonString()));
        });

        // Over longer periods a point is a week; weeks of which days are not known are no zeros.
        var to = DateOnly.Parse((string)now["to"]!, CultureInfo.InvariantCulture);
        var year = await client.GetJsonAsync($"api/automation/performance?from={to.AddDays(-363):O}&to={to:O}");
        var longest = await client.GetJsonAsync($"api/automation/performance?from={to.AddDays(-799):O}&to={to:O}");
        Assert.Equal((7, 7), ((int)year["trendStepDays"]!, (int)longest["trendStepDays"]!));
        Assert.All(year["workflows"]!.AsArray(), workflow =>
        {
            Assert.Equal(52, workflow!["trend"]!.AsArray().Count);
            Assert.Equal((int)workflow["executions"]!, workflow["trend"]!.AsArray().Sum(runs => (int)runs!));
        });
        Assert.All(longest["workflows"]!.AsArray(), workflow =>
        {
            Assert.Equal(114, workflow!["trend"]!.AsArray().Count);
            Assert.Null(workflow["trend"]![0]);
            Assert.NotNull(workflow["trend"]![113]);
        });
    }

    [Fact]
    public async Task Automation_numbers_equal_the_simulators_executions()
    {
        using var client = await app.SignInAsync();
        var performance = await client.GetJsonAsync("api/automation/performance?range=last_28_days");
        var (from, to) = (DateOnly.Parse(performance["from"]!.GetValue<string>(), CultureInfo.InvariantCulture), DateOnly.Parse(performance["to"]!.GetValue<string>(), CultureInfo.InvariantCulture));
        var zone = TimeZoneInfo.FindSystemTimeZoneById("America/Los_Angeles");
        var now = DateTimeOffset.UtcNow;
        var truth = app.Demo.N8n!.Executions("merch-shop").Where(execution =>
        {
            var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(execution.StartedAt, zone).DateTime);
            return day >= from && day <= to && execution.Mode is not ("manual" or "error" or "integrated");
        }).ToList();
        Assert.NotEmpty(truth);
        Assert.Equal(truth.Count, performance["totals"]!["executions"]!.GetValue<decimal>());
        Assert.Equal(truth.Count(execution => execution.StatusAt(now) == "success"), performance["totals"]!["succeeded"]!.GetValue<decimal>());
        Assert.Equal(truth.Count(execution => execution.StatusAt(now) is "error" or "crashed"), performance["totals"]!["failed"]!.GetValue<decimal>());

        // The table of workflows tells the same story as the totals.
        var workflows = performance["workflows"]!.AsArray();
        Assert.Equal(truth.Count, workflows.Sum(workflow => workflow!["executions"]!.GetValue<int>()));
        Assert.Equal(performance["totals"]!["timeSavedMinutes"]!.GetValue<decimal>(), workflows.Sum(workflow => workflow!["timeSavedMinutes"]?.GetValue<decimal>() ?? 0));
        var (value, cost) = (performance["totals"]!["valueSaved"]!.GetValue<decimal>(), performance["totals"]!["cost"]!.GetValue<decimal>());
        Assert.Equal((double)((value - cost) / cost), performance["totals"]!["roi"]!.GetValue<double>(), 6);
    }

    [Fact]
    public async Task A_repeat_with_the_ETag_is_304_until_something_changes()
    {
        using var client = await app.SignInAsync("Open Lectures");
        using var first = await client.GetAsync(new Uri("api/metrics/summary", UriKind.Relative), TestContext.Current.CancellationToken);
        var tag = first.Headers.ETag!;

        Assert.Equal(304, await StatusAsync());
        await app.Database.InTenantAsync(DemoSeeder.TenantId("Open Lectures"), KpiDashboard.Tenancy.TenantProfile.BumpVersionAsync, TestContext.Current.CancellationToken);
        Assert.Equal(200, await StatusAsync());

        async Task<int> StatusAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "api/metrics/summary");
            request.Headers.IfNoneMatch.Add(tag);
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            return (int)response.StatusCode;
        }
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    public async Task Numbers_go_out_compressed_to_who_accepts_it_and_are_the_same(string encoding)
    {
        using var client = await app.SignInAsync();
        var plain = await client.GetByteArrayAsync(new Uri("api/metrics/summary", UriKind.Relative), TestContext.Current.CancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/metrics/summary") { Headers = { { "Accept-Encoding", encoding } } };
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        var bytes = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);

        Assert.Equal([encoding], response.Content.Headers.ContentEncoding);
        Assert.Contains("Accept-Encoding", response.Headers.Vary);
        Assert.True(bytes.Length < plain.Length / 2, $"{bytes.Length} of {plain.Length} bytes");
        using var packed = new MemoryStream(bytes);
        await using Stream unpacked = encoding == "br" ? new BrotliStream(packed, CompressionMode.Decompress) : new GZipStream(packed, CompressionMode.Decompress);
        using var opened = new MemoryStream();
        await unpacked.CopyToAsync(opened, TestContext.Current.CancellationToken);
        Assert.Equal(plain, opened.ToArray());

        // What a browser then asks with is answered with 304, compressed or not.
        Assert.True(response.Headers.ETag!.IsWeak);
        using var again = new HttpRequestMessage(HttpMethod.Get, "api/metrics/summary") { Headers = { { "Accept-Encoding", encoding }, { "If-None-Match", response.Headers.ETag.ToString() } } };
        using var unchanged = await client.SendAsync(again, TestContext.Current.CancellationToken);
        Assert.Equal(304, (int)unchanged.StatusCode);
    }

    private static decimal Number(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);
}
