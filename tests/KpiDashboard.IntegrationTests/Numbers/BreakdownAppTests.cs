using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.Demo.Simulation;
using KpiDashboard.IntegrationTests.Access;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Numbers;

/// <summary>From the simulator over HTTP through the queues into the database and out of the API, compared with what the simulator holds.</summary>
[Collection(SecondAppCollection.Name)]
public sealed class BreakdownAppTests(AppFixture app)
{
    private static readonly (string Dimension, string Field)[] Fields =
        [("channel", "sessionDefaultChannelGroup"), ("device", "deviceCategory"), ("country", "country"), ("landing_page", "landingPage")];

    private static DemoTenant Tenant(string name) => DemoWorld.Tenants.Single(tenant => tenant.Name == name);

    private static string Iso(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("Merch Shop")]
    [InlineData("Nordlicht Studio")]
    [InlineData("Open Lectures")]
    [InlineData("Kiwi Plumbing")]
    public async Task Rows_of_every_day_and_dimension_add_up_to_its_total_or_to_no_more_where_rows_were_withheld(string name)
    {
        var days = await app.Database.InTenantAsync(DemoSeeder.TenantId(name), tx => tx.QueryAsync<(string Dimension, DateOnly Day, string Kpi, decimal Whole, decimal Listed, bool IsWhole)>(
            """
            select d.dimension, d.day, t.kpi, t.value, coalesce((select sum((v.parts ->> t.kpi)::numeric) from breakdown_values v where v.tenant_id = @tenant and v.dimension = d.dimension and v.day = d.day), 0), d.is_whole
            from breakdown_days d
            join kpi_values t on t.tenant_id = @tenant and t.day = d.day and t.kpi in ('web.sessions', 'web.engaged_sessions', 'web.key_events', 'web.key_event_sessions', 'shop.revenue', 'shop.transactions')
            where d.tenant_id = @tenant and not d.is_stale and d.day < current_date - 3
            """), TestContext.Current.CancellationToken);
        var known = await app.Database.InTenantAsync(DemoSeeder.TenantId(name), tx => tx.QuerySingleAsync<int>(
            "select count(*)::int from kpi_values where tenant_id = @tenant and kpi = 'web.sessions' and day < current_date - 3"), TestContext.Current.CancellationToken);

        Assert.True(known > 60, $"Only {known} days.");
        foreach (var (dimension, _) in Fields) Assert.Equal(known, days.Where(day => day.Dimension == dimension).Select(day => day.Day).Distinct().Count());
        var wrong = days.Where(day => name == "Kiwi Plumbing" ? day.Listed > day.Whole || day.IsWhole : day.Listed != day.Whole || !day.IsWhole).ToList();
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(10)));
    }

    [Fact]
    public async Task The_shop_by_channel_is_the_published_file_and_by_device_nothing_is_made_up()
    {
        using var client = await app.SignInAsync("Merch Shop");
        var simulator = app.Demo.Google!;
        var property = Tenant("Merch Shop").Ga4PropertyId;
        var summary = await client.GetJsonAsync("api/metrics/summary?range=last_28_days");
        var (from, to) = (Day(summary["from"]!), Day(summary["to"]!));
        foreach (var (kpi, metric) in new[] { ("web.sessions", "sessions"), ("shop.revenue", "totalRevenue"), ("shop.transactions", "transactions") })
        {
            var truth = Truth(property, "sessionDefaultChannelGroup", metric, from, to);
            var answer = await client.GetJsonAsync($"api/metrics/{kpi}/breakdown?dimension=channel&range=last_28_days");
            Assert.Equal(truth.OrderBy(pair => pair.Key, StringComparer.Ordinal), Members(answer).OrderBy(pair => pair.Key, StringComparer.Ordinal));
            Assert.Equal(["(not set)", "Direct", "Organic Search", "Paid Search", "Referral", "Unassigned"], truth.Keys.Order(StringComparer.Ordinal));
            Assert.Null(answer["rest"]);
            Assert.Equal(Value(summary, kpi), answer["value"]!.GetValue<decimal>());
            Assert.Equal(1m, answer["members"]!.AsArray().Sum(member => member!["share"]!.GetValue<decimal>()), 4);
        }

        var device = await client.GetJsonAsync("api/metrics/web.sessions/breakdown?dimension=device&range=last_28_days");
        Assert.Equal("(data not available)", Assert.Single(device["members"]!.AsArray())!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task Every_dimension_its_rates_its_days_and_everything_else_equal_what_the_property_holds()
    {
        using var client = await app.SignInAsync("Nordlicht Studio");
        var property = Tenant("Nordlicht Studio").Ga4PropertyId;
        // Neither these days nor those before reach back to the outage of the demo, 34 days ago.
        var to = DateOnly.FromDateTime(DateTime.UtcNow).AddDays(-5);
        var from = to.AddDays(-13);
        var days = $"from={Iso(from)}&to={Iso(to)}";
        foreach (var (dimension, field) in Fields)
        {
            var truth = Masked(Truth(property, field, "sessions", from, to));
            var before = Masked(Truth(property, field, "sessions", from.AddDays(-14), from.AddDays(-1)));
            var answer = await client.GetJsonAsync($"api/metrics/web.sessions/breakdown?dimension={dimension}&{days}&top=3&compare=previous_period");
            var members = Members(answer);
            Assert.Equal(Math.Min(3, truth.Count), members.Count);
            Assert.All(members, member => Assert.Equal(truth[member.Key], member.Value));
            Assert.Equal(truth.Values.Sum(), answer["value"]!.GetValue<decimal>());
            Assert.Equal(truth.Values.Sum() - members.Values.Sum(), answer["rest"]?["value"]!.GetValue<decimal>() ?? 0);
            var top = answer["members"]![0]!;
            Assert.Equal(before[top["name"]!.GetValue<string>()], top["previous"]!.GetValue<decimal>());
            Assert.Equal(decimal.Round((top["value"]!.GetValue<decimal>() - top["previous"]!.GetValue<decimal>()) / top["previous"]!.GetValue<decimal>(), 6), top["change"]!.GetValue<decimal>());
            Assert.Equal("final", answer["status"]!.GetValue<string>());
            Assert.False(answer["rowsWithheld"]!.GetValue<bool>());
            Assert.True(Day(answer["since"]!) <= from.AddDays(-300));
        }

        var rate = await client.GetJsonAsync($"api/metrics/web.conversion_rate/breakdown?dimension=channel&{days}");
        var (visits, orders) = (Truth(property, "sessionDefaultChannelGroup", "sessions", from, to), Truth(property, "sessionDefaultChannelGroup", "sessionKeyEventRate", from, to, times: "sessions"));
        Assert.Equal("web.sessions", rate["shareOf"]!.GetValue<string>());
        Assert.All(Members(rate), member => Assert.Equal(decimal.Round(decimal.Round(orders[member.Key]) / visits[member.Key], 8), member.Value));

        var history = await client.GetJsonAsync($"api/metrics/history?kpis=web.sessions&dimension=channel&member=Organic%20Search&{days}");
        var points = history["series"]![0]!["points"]!.AsArray();
        Assert.Equal(14, points.Count);
        Assert.All(points, point => Assert.Equal(
            app.Demo.Google!.Split(property, Day(point!["date"]!), "sessionDefaultChannelGroup", "sessions")["Organic Search"], point["value"]!.GetValue<decimal>()));

        // The same as files, which say what part they hold.
        var export = $"api/export?kpis=web.sessions&dimension=channel&member=Organic%20Search&{days}";
        var json = await client.GetJsonAsync($"{export}&format=json");
        Assert.Equal(points.Select(point => $"{point!["date"]} {point["value"]} channel Organic Search"), json["rows"]!.AsArray().Select(row => $"{row!["date"]} {row["value"]} {row["dimension"]} {row["member"]}"));
        var csv = (await client.GetStringAsync(new Uri(export, UriKind.Relative), TestContext.Current.CancellationToken)).TrimStart('\uFEFF').TrimEnd().Split("\r\n");
        Assert.Equal("date,kpi,name,value,unit,currency,status,dimension,member", csv[0]);
        Assert.Equal(points.Select(point => $"{point!["date"]},web.sessions,Sessions,{point["value"]},count,,{point["status"]},channel,Organic Search"), csv[1..]);

        var pages = await client.GetJsonAsync($"api/metrics/web.sessions/breakdown?dimension=landing_page&{days}&top=50");
        Assert.Contains("/newsletter/confirm/[email]", Members(pages).Keys);
        Assert.DoesNotContain(Members(pages).Keys, page => page.Contains('@', StringComparison.Ordinal) || page.Contains("%40", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_Google_withheld_is_part_of_everything_else_and_said()
    {
        using var client = await app.SignInAsync("Kiwi Plumbing");
        var answer = await client.GetJsonAsync("api/metrics/web.sessions/breakdown?dimension=landing_page&range=last_28_days&top=50");
        Assert.True(answer["rowsWithheld"]!.GetValue<bool>());
        Assert.True(answer["rest"]!["value"]!.GetValue<decimal>() > 0);
        Assert.Equal(answer["value"]!.GetValue<decimal>(), Members(answer).Values.Sum() + answer["rest"]!["value"]!.GetValue<decimal>());
        // A page that was not told apart on some day is "at least" so much, and no percentage is made of that.
        Assert.Contains(answer["members"]!.AsArray(), member => member!["status"]!.GetValue<string>() == "partial" && member["change"] is null);
    }

    [Fact]
    public async Task A_restated_day_is_divided_anew_and_a_failing_breakdown_never_keeps_the_value_back()
    {
        using var client = await app.SignInAsync("Kiwi Plumbing");
        var property = Tenant("Kiwi Plumbing").Ga4PropertyId;
        var google = app.Demo.Google!;
        var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(DateTimeOffset.UtcNow, TimeZoneInfo.FindSystemTimeZoneById("Pacific/Auckland")).DateTime).AddDays(-2);
        Task<JsonNode> AskAsync() => client.GetJsonAsync($"api/metrics/web.sessions/breakdown?dimension=device&from={Iso(day)}&to={Iso(day)}");
        async Task<decimal> SessionsAsync() => (await client.GetJsonAsync($"api/metrics/history?kpis=web.sessions&from={Iso(day)}&to={Iso(day)}"))["series"]![0]!["points"]![0]!["value"]!.GetValue<decimal>();
        try
        {
            google.SetValue(property, day, "sessions", 1200);
            Assert.Equal("succeeded", (await client.RefreshAsync())[0]["status"]!.GetValue<string>());
            var divided = await AskAsync();
            Assert.Equal(1200, divided["value"]!.GetValue<decimal>());
            Assert.Equal(google.Split(property, day, "deviceCategory", "sessions").OrderByDescending(member => member.Value).Select(member => member.Value), Members(divided).Values.OrderDescending());

            // The first request brings the values, the second how they divide: that one fails.
            google.SetValue(property, day, "sessions", 1500);
            google.Faults.Next(property, new Fault.Delay(TimeSpan.Zero));
            google.Faults.Next(property, GoogleFaults.Internal);
            var run = (await client.RefreshAsync())[0];
            Assert.Equal("succeeded", run["status"]!.GetValue<string>());
            Assert.Contains("Breakdowns could not be read", run["message"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.Equal(1500, await SessionsAsync());
            var undivided = await AskAsync();
            Assert.Equal((1, "not_measurable"), (undivided["daysWithout"]!.GetValue<int>(), undivided["status"]!.GetValue<string>()));
            Assert.Empty(undivided["members"]!.AsArray());

            Assert.Equal("succeeded", (await client.RefreshAsync())[0]["status"]!.GetValue<string>());
            Assert.Equal((0, 1500m), ((await AskAsync())["daysWithout"]!.GetValue<int>(), (await AskAsync())["value"]!.GetValue<decimal>()));
        }
        finally
        {
            google.Faults.Clear(property);
            google.SetValue(property, day, "sessions", null);
            await client.RefreshAsync();
        }
    }

    [Theory]
    [InlineData("metrics/web.nothing/breakdown", 404, "There is no such KPI")]
    [InlineData("metrics/web.active_users/breakdown", 400, "'web.active_users' is not known by channel, device, country or landing page; shop.revenue")]
    [InlineData("metrics/automation.roi/breakdown", 400, "is not known by channel")]
    [InlineData("metrics/web.sessions/breakdown?dimension=weather", 400, "'dimension' must be one of channel, device, country, landing_page")]
    [InlineData("metrics/web.sessions/breakdown?top=51", 400, "'top' must be a whole number from 1 to 50")]
    [InlineData("metrics/web.sessions/breakdown?from=2026-01-02&to=2026-01-01", 400, "'from'")]
    [InlineData("metrics/history?kpis=web.sessions&dimension=channel", 400, "'member' is missing")]
    [InlineData("export?dimension=channel&member=Direct", 400, "'kpis' must name one KPI")]
    [InlineData("metrics/history?kpis=web.sessions&member=Direct", 400, "'dimension' is missing")]
    [InlineData("metrics/history?kpis=web.sessions,shop.revenue&dimension=channel&member=Direct", 400, "'kpis' must name one KPI")]
    [InlineData("metrics/history?kpis=web.page_views&dimension=channel&member=Direct", 400, "'web.page_views' is not known by channel")]
    public async Task What_cannot_be_answered_is_said_plainly(string path, int status, string sentence)
    {
        using var client = await app.SignInAsync("Merch Shop");
        using var answer = await client.GetAsync(new Uri($"api/{path}", UriKind.Relative), TestContext.Current.CancellationToken);
        var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(sentence, JsonNode.Parse(body)!["detail"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_is_compressed_and_not_sent_twice()
    {
        using var client = await app.SignInAsync("Nordlicht Studio");
        client.DefaultRequestHeaders.AcceptEncoding.Add(new StringWithQualityHeaderValue("br"));
        var path = new Uri("api/metrics/web.sessions/breakdown?dimension=landing_page", UriKind.Relative);
        using var first = await client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, "br"), (first.StatusCode, string.Join(',', first.Content.Headers.ContentEncoding)));
        client.DefaultRequestHeaders.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    /// <summary>
    /// Right after a backfill the database's statistics know nothing of it, or of a half of it: a plan that then reads all days for each day takes
    /// longer than a statement may, which is a 503. Which statistics there are is up to chance, so each is made.
    /// </summary>
    [Theory]
    [InlineData("analyze breakdown_days; analyze breakdown_values; analyze kpi_months", "")]
    [InlineData("", "analyze breakdown_values")]
    [InlineData("analyze breakdown_values", "analyze breakdown_days")]
    [InlineData("", "analyze breakdown_days; analyze breakdown_values; analyze kpi_months")]
    public async Task Two_years_of_fifty_pages_a_day_are_compared_whatever_the_statistics_know(string before, string after)
    {
        await using var world = new AccessWorld(app);
        var to = AccessWorld.Yesterday;
        var tenant = await world.TenantAsync("kz" + Guid.NewGuid().ToString("N")[..10]);
        if (before.Length > 0) await world.ExecuteAsync(before, new { });
        await world.ExecuteAsync(
            """
            insert into kpi_values (tenant_id, kpi, day, value, day_ended, first_seen_at, changed_at)
            select @Id, 'web.sessions', d::date, 5000, true, now(), now() from generate_series(@from::timestamp, @to, '1 day') d;
            insert into breakdown_days (tenant_id, source, dimension, day, is_whole, withheld, run_id, changed_at)
            select @Id, 1, 'landing_page', d::date, false, false, @Run, now() from generate_series(@from::timestamp, @to, '1 day') d;
            insert into breakdown_values (tenant_id, source, dimension, day, member, parts)
            select @Id, 1, 'landing_page', d::date, '/page/' || (n + extract(doy from d)::int % 7), jsonb_build_object('web.sessions', 3 * n, 'web.engaged_sessions', n, 'shop.revenue', n * 1.25)
            from generate_series(@from::timestamp, @to, '1 day') d, generate_series(1, 50) n;
            """, new { tenant.Id, tenant.Integration, tenant.Run, from = to.AddDays(-729), to });
        if (after.Length > 0) await world.ExecuteAsync(after, new { });
        // Some of a connection's statements are planned for any parameters from the sixth time on.
        for (var n = 0; n < 7; n++)
        {
            var (status, body) = await world.SendAsync(
                "GET",
                $"metrics/web.sessions/breakdown?dimension=landing_page&from={to.AddDays(-364 - n):yyyy-MM-dd}&to={to:yyyy-MM-dd}&compare=previous_year&top=50",
                tenant.OwnerToken);
            Assert.Equal((200, n), (status, n));
            Assert.Equal(50, JsonNode.Parse(body)!["members"]!.AsArray().Count);
        }
    }

    private static DateOnly Day(JsonNode day) => DateOnly.ParseExact(day.GetValue<string>(), "yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static decimal Value(JsonNode summary, string kpi) => summary["kpis"]!.AsArray().Single(one => one!["key"]!.GetValue<string>() == kpi)!["value"]!.GetValue<decimal>();

    private static Dictionary<string, decimal> Members(JsonNode answer) =>
        answer["members"]!.AsArray().Where(member => member!["value"] is not null).ToDictionary(member => member!["name"]!.GetValue<string>(), member => member!["value"]!.GetValue<decimal>());

    private Dictionary<string, decimal> Truth(string property, string field, string metric, DateOnly from, DateOnly to, string? times = null)
    {
        var sums = new Dictionary<string, decimal>(StringComparer.Ordinal);
        for (var day = from; day <= to; day = day.AddDays(1))
        {
            var factors = times is null ? null : app.Demo.Google!.Split(property, day, field, times);
            foreach (var (name, value) in app.Demo.Google!.Split(property, day, field, metric))
                sums[name] = sums.GetValueOrDefault(name) + value * (factors?[name] ?? 1);
        }

        return sums;
    }

    /// <summary>What is added up because it looks alike once no address is in it.</summary>
    private static Dictionary<string, decimal> Masked(Dictionary<string, decimal> truth) => truth
        .GroupBy(pair => pair.Key.StartsWith("/newsletter/confirm/", StringComparison.Ordinal) ? "/newsletter/confirm/[email]" : pair.Key)
        .ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value));
}
