using KpiDashboard.Kpis;
using KpiDashboard.Tests.Insights;
using Xunit;

namespace KpiDashboard.Tests.Kpis;

/// <summary>Periods of which days are missing are compared by the weekdays that both have.</summary>
public sealed class AlikeTests
{
    private static readonly DateOnly Last = Business.Last;

    private static AlikeChange? Of(Business business, string kpi, int days = 28) =>
        Comparison.Of(
            KpiCatalogue.Part(kpi), TableDays.All(business.Table(Last.AddDays(1 - days), Last)),
            TableDays.All(business.Table(Last.AddDays(1 - (2 * days)), Last.AddDays(-days)))).Alike;

    [Fact]
    public void Days_that_one_of_both_lacks_are_left_out_of_both()
    {
        // Five days of before are missing, a week-end among them; what is compared fell by a quarter.
        var business = new Business().Change("web.sessions", Last.AddDays(-40), Last.AddDays(-36), null).Change("web.sessions", Last
            .AddDays(-27), Last, 0.75m);
        var alike = Of(business, "web.sessions")!;
        Assert.Equal((23, -0.25m), (alike.Days, alike.Change));
        Assert.Equal(alike.Previous * 0.75m, alike.Value);
        // A rate of the same days.
        Assert.Equal(23, Of(business, "web.conversion_rate")!.Days);
        // Ninety days are no whole weeks: weekdays stay beside weekdays, or a Sunday would be compared with a Monday.
        Assert.Equal(0m, Of(new Business().Change("web.sessions", Last.AddDays(-80), Last.AddDays(-79), null), "web.sessions", 63)!.Change);
        Assert.Equal(0m, Of(new Business().Change("web.sessions", Last.AddDays(-60), Last.AddDays(-59), null), "web.sessions", 45)!.Change);
    }

    [Fact]
    public void Too_few_days_and_what_is_no_sum_of_days_have_no_such_change()
    {
        Assert.Null(Of(new Business(), "web.sessions"));
        Assert.Null(Of(new Business().Change("web.sessions", Last.AddDays(-55), Last.AddDays(-40), null), "web.sessions"));
        Assert.NotNull(Of(new Business().Change("web.sessions", Last.AddDays(-55), Last.AddDays(-42), null), "web.sessions"));
        Assert.Null(Of(new Business().Change("web.sessions", Last.AddDays(-3), Last, null), "web.sessions", 7));
        Assert.Equal(4, Of(new Business().Change("web.sessions", Last.AddDays(-2), Last, null), "web.sessions", 7)!.Days);
        Assert.Null(Of(new Business().Change("web.active_users_28d", Last.AddDays(-2), Last, null), "web.active_users_28d", 7));
    }
}
