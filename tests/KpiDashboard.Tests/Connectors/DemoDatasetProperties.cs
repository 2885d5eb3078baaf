using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Demo.Datasets;
using Xunit;

namespace KpiDashboard.Tests.Connectors;

/// <summary>The demo opens with numbers of yesterday, on any day of any year.</summary>
public sealed class DemoDatasetProperties
{
    private static readonly IReadOnlyList<(DateOnly Day, decimal[] Values)> s_shopRows = EmbeddedCsv.Read("ga4_merch_daily.csv");
    private static readonly IReadOnlyList<(DateOnly Day, decimal[] Values)> s_lectureRows = EmbeddedCsv.Read("website_visitors_daily_2014_2020.csv");
    private static readonly DateTimeOffset s_begin = new(2021, 3, 1, 0, 0, 0, TimeSpan.Zero);

    // Ten years, among them 29 February of 2024 and 2028 and every clock change of the four zones.
    private const int Minutes = 10 * 366 * 1440;

    public static TheoryData<string> Moments { get; } =
    [
        "2024-02-29T12:00:00Z", "2028-02-28T23:30:00Z", "2028-02-29T00:30:00Z", "2028-03-01T07:59:00Z", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z",
        "2027-03-14T09:59:00Z", "2027-03-14T10:01:00Z", "2026-11-01T08:30:00Z", "2027-03-28T00:59:00Z", "2027-10-31T00:30:00Z", "2027-04-03T13:30:00Z", "2026-09-26T14:00:00Z",
    ];

    [Property(MaxTest = 1000)]
    public void The_last_day_of_each_business_is_yesterday_in_its_zone_and_weekdays_are_those_of_the_source(DoNotSize<uint> minutes) =>
        HoldsAt(s_begin.AddMinutes(minutes.Item % Minutes));

    [Theory]
    [MemberData(nameof(Moments))]
    public void So_on_leap_days_over_the_new_year_and_over_changes_of_the_clock(string moment) =>
        HoldsAt(DateTimeOffset.Parse(moment, System.Globalization.CultureInfo.InvariantCulture));

    [Fact]
    public void Every_day_of_four_years_can_be_the_first_that_a_newcomer_sees()
    {
        for (var day = 0; day < 4 * 366; day++) HoldsAt(s_begin.AddDays(day).AddHours(20));
    }

    [Property(MaxTest = 200)]
    public void A_demo_that_goes_on_running_has_its_yesterday_too_and_never_changes_a_day_that_is_past(DoNotSize<uint> minutes, DoNotSize<uint> later)
    {
        var anchor = s_begin.AddMinutes(minutes.Item % Minutes);
        var now = anchor.AddMinutes(later.Item % (400 * 1440));
        foreach (var site in new ReplayedSite[] { new MerchShop(anchor), new OpenLectures(anchor) })
        {
            var yesterday = Yesterday(site, now);
            Assert.NotNull(site.Day(yesterday, now));
            Assert.Null(site.Day(yesterday.AddDays(1), now));
            for (var back = 0; back < 60; back++)
            {
                var day = Yesterday(site, anchor).AddDays(-back);
                Assert.Equal(site.Day(day, anchor), site.Day(day, now));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public void No_day_of_the_shop_that_a_newcomer_sees_is_without_its_revenue(string moment)
    {
        // Of the file's last five days 1 to 4 USD an order arrived; a day of the others has 13 at the least.
        var now = DateTimeOffset.Parse(moment, System.Globalization.CultureInfo.InvariantCulture);
        var shop = new MerchShop(now);
        for (var day = shop.First; day <= shop.Last; day = day.AddDays(1))
        {
            var figures = shop.Day(day, now)!;
            Assert.True(figures.Revenue >= 13 * figures.Transactions, $"{day}: {figures.Transactions} orders, {figures.Revenue} USD");
        }
    }

    private static void HoldsAt(DateTimeOffset now)
    {
        foreach (var property in DemoWorld.Google(now).Properties)
        {
            var site = property.Dataset;
            var yesterday = Yesterday(site, now);
            // Of the made-up sites today is there as well, as far as it has come.
            Assert.NotNull(site.Day(yesterday, now.AddHours(3)));
            Assert.Null(site.Day(yesterday.AddDays(2), now));
            if (site is not ReplayedSite) continue;
            Assert.NotNull(site.Day(yesterday, now));
            Assert.Null(site.Day(yesterday.AddDays(1), now));
        }

        var shop = new MerchShop(now);
        var rows = s_shopRows;
        for (var row = 0; row < rows.Count - MerchShop.Broken; row++)
        {
            var day = shop.First.AddDays(row);
            Assert.Equal(rows[row].Day.DayOfWeek, day.DayOfWeek);
            int? expected = day <= Yesterday(shop, now) ? (int)rows[row].Values[1] : null;
            Assert.Equal(expected, shop.Day(day, now)?.Sessions);
        }

        var lectures = new OpenLectures(now);
        var pages = s_lectureRows;
        Assert.Equal(pages[^1].Day.DayOfWeek, lectures.LastRow.DayOfWeek);
        Assert.Equal(pages[^8].Values[0], lectures.Day(lectures.LastRow.AddDays(-7), now)!.PageViews);
        // Year on year needs as many days before.
        Assert.NotNull(lectures.Day(lectures.Last.AddDays(-728), now));
    }

    private static DateOnly Yesterday(IGa4Dataset site, DateTimeOffset now) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, TimeZoneInfo.FindSystemTimeZoneById(site.TimeZone)).DateTime).AddDays(-1);
}
