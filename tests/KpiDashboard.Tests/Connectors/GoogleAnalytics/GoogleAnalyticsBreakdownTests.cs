using System.Text.Json;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.GoogleAnalytics;
using KpiDashboard.Kpis;
using Xunit;

namespace KpiDashboard.Tests.Connectors.GoogleAnalytics;

public sealed class GoogleAnalyticsBreakdownTests
{
    private static readonly DateOnly Day = new(2026, 11, 16);

    private static RunReportResponse Report(IEnumerable<string> rows, string metadata = "{}", int? rowCount = null)
    {
        var list = rows.ToList();
        return JsonSerializer.Deserialize(
            $$"""
            {"dimensionHeaders":[{"name":"date"},{"name":"landingPage"}],
             "metricHeaders":[{"name":"sessions"},{"name":"engagedSessions"},{"name":"keyEvents"},{"name":"sessionKeyEventRate"},{"name":"totalRevenue"},{"name":"transactions"}],
             "rows":[{{string.Join(',', list)}}],"rowCount":{{rowCount ?? list.Count}},"metadata":{{metadata}}}
            """, GoogleAnalyticsJson.Default.RunReportResponse)!;
    }

    private static string Row(string member, params string[] metrics) =>
        $$"""{"dimensionValues":[{"value":"20261116"},{"value":{{JsonSerializer.Serialize(member)}}}],"metricValues":[{{string.Join(',', (metrics.Length == 0 ? ["10", "5", "2", "0.1", "20.5", "1"] : metrics).Select(value => $"{{\"value\":\"{value}\"}}"))}}]}""";

    private static (IReadOnlyList<BreakdownReading> Days, string? Fault) Read(RunReportResponse report, decimal? sessions = 100, bool sells = true, bool counts = true) =>
        GoogleAnalyticsBreakdown.Read(report, BreakdownDimension.LandingPage, "landingPage", new Dictionary<DateOnly, decimal?> { [Day] = sessions }, sells, counts);

    [Fact]
    public void A_row_becomes_parts_that_add_up_and_its_rate_a_count()
    {
        var day = Assert.Single(Read(Report([Row("/")])).Days);
        Assert.Equal((BreakdownDimension.LandingPage, Day, true, false), (day.Dimension, day.Day, day.IsWhole, day.Withheld));
        Assert.Equal(
            new Dictionary<string, decimal>
            {
                ["web.sessions"] = 10,
                ["web.engaged_sessions"] = 5,
                ["web.key_events"] = 2,
                ["web.key_event_sessions"] = 1,
                ["shop.revenue"] = 20.5m,
                ["shop.transactions"] = 1,
            },
            day.Members["/"]);
    }

    [Fact]
    public void A_site_without_a_shop_or_key_events_has_none_by_page_either() =>
        Assert.Equal(["web.engaged_sessions", "web.sessions"], Read(Report([Row("/")]), sells: false, counts: false).Days[0].Members["/"].Keys.Order());

    [Theory]
    [InlineData("/reset?token=abc&email=a@b.example", "/reset")]
    [InlineData("/page#anna@x.example", "/page")]
    [InlineData("/confirm/anna.huber+shop@mail.example/now", "/confirm/[email]/now")]
    [InlineData("/confirm/anna%40mail.example", "/confirm/[email]")]
    [InlineData("/confirm/anna%2540mail.example", "/confirm/[email]")]
    [InlineData("/user=anna@mail.example;x", "/user=[email];x")]
    [InlineData("/@studio/work", "/@studio/work")]
    [InlineData("", "(not set)")]
    [InlineData(" \u0000\t ", "(not set)")]
    [InlineData("?utm=1", "(not set)")]
    public void A_page_loses_its_query_and_anybodys_address(string value, string kept) => Assert.Equal(kept, GoogleAnalyticsBreakdown.NameOf(BreakdownDimension.LandingPage, value));

    [Fact]
    public void A_long_page_is_cut_and_never_through_a_letter()
    {
        Assert.Equal(200, GoogleAnalyticsBreakdown.NameOf(BreakdownDimension.LandingPage, "/" + new string('x', 300)).Length);
        Assert.Equal("/" + new string('x', 199), GoogleAnalyticsBreakdown.NameOf(BreakdownDimension.LandingPage, "/" + new string('x', 199)));
        var faces = GoogleAnalyticsBreakdown.NameOf(BreakdownDimension.LandingPage, string.Concat(Enumerable.Repeat("😀", 150)));
        Assert.EndsWith("😀…", faces, StringComparison.Ordinal);
        Assert.DoesNotContain(faces, letter => letter == '\uFFFD');
        Assert.InRange(faces.Length, 198, 200);
    }

    [Fact]
    public void Pages_that_look_alike_once_masked_are_added_up()
    {
        var day = Assert.Single(Read(Report([Row("/confirm/a@x.example"), Row("/confirm/b@x.example"), Row("/")])).Days);
        Assert.Equal(["/", "/confirm/[email]"], day.Members.Keys.Order());
        Assert.Equal(20, day.Members["/confirm/[email]"]["web.sessions"]);
    }

    [Fact]
    public void Fifty_values_with_most_visits_are_kept_and_the_day_is_not_whole()
    {
        var day = Assert.Single(Read(Report(Enumerable.Range(1, 60).Select(n => Row($"/{n}", $"{n}", "0", "0", "0", "0", "0")))).Days);
        Assert.Equal(50, day.Members.Count);
        Assert.Equal(Enumerable.Range(11, 50).Select(n => $"/{n}").Order(), day.Members.Keys.Order());
        Assert.False(day.IsWhole);
    }

    [Fact]
    public void Googles_own_everything_else_is_no_value_and_the_day_is_not_whole()
    {
        var day = Assert.Single(Read(Report([Row("/"), Row("(other)")])).Days);
        Assert.Equal(["/"], day.Members.Keys);
        Assert.False(day.IsWhole);
    }

    [Theory]
    [InlineData("""{"subjectToThresholding":true}""", null, true)]
    [InlineData("""{"dataLossFromOtherRow":true}""", null, false)]
    [InlineData("{}", 7, false)]
    public void Where_rows_were_left_out_the_day_is_not_whole(string metadata, int? rowCount, bool withheld)
    {
        var day = Assert.Single(Read(Report([Row("/")], metadata, rowCount)).Days);
        Assert.Equal((false, withheld), (day.IsWhole, day.Withheld));
    }

    [Theory]
    // With visits: not believed yet. Asked again: believed, but nothing is known of it. Without visits: there was nothing to divide. Withheld: known to be withheld.
    [InlineData(100, "{}", 0, false)]
    [InlineData(null, "{}", 1, false)]
    [InlineData(0, "{}", 1, true)]
    [InlineData(100, """{"subjectToThresholding":true}""", 1, false)]
    public void A_day_without_rows_is_asked_for_again_before_it_is_believed(int? sessions, string metadata, int days, bool whole)
    {
        var (read, fault) = Read(Report([], metadata), sessions);
        Assert.Null(fault);
        Assert.Equal(days, read.Count);
        Assert.All(read, day => Assert.Equal((0, whole), (day.Members.Count, day.IsWhole)));
    }

    [Theory]
    [InlineData("sent a row twice", "/", "/")]
    [InlineData("sent a number that cannot be read", "/", null)]
    public void A_faulty_answer_is_told(string expected, string first, string? second) =>
        Assert.Equal(expected, Read(Report([Row(first), second is null ? Row("/b", "x", "0", "0", "0", "0", "0") : Row(second)])).Fault);

    [Fact]
    public void A_question_is_within_Googles_limits_and_sorted_so_that_the_cut_falls_on_the_smallest()
    {
        var ask = GoogleAnalyticsBreakdown.Ask("landingPage", new DayWindow(Day.AddDays(-91), Day));
        Assert.InRange(ask.Metrics.Count, 1, 10);
        Assert.Equal(["date", "landingPage"], ask.Dimensions!.Select(dimension => dimension.Name));
        Assert.Equal(9_200, ask.Limit);
        Assert.InRange(GoogleAnalyticsBreakdown.Fields.Count, 1, 5);
        Assert.Contains("""
            "orderBys":[{"metric":{"metricName":"sessions"},"desc":true}]
            """.Trim(), JsonSerializer.Serialize(new BatchRunReportsRequest([ask]), GoogleAnalyticsJson.Default.BatchRunReportsRequest), StringComparison.Ordinal);
        Assert.Equal(Breakdowns.Dimensions, GoogleAnalyticsBreakdown.Fields.Select(field => field.Dimension));
    }
}
