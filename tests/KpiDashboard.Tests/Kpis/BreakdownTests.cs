using FsCheck.Xunit;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;
using Xunit;

namespace KpiDashboard.Tests.Kpis;

public sealed class BreakdownTests
{
    private static readonly TenantEconomics NoCosts = new(null, null);

    private static KpiDefinition Kpi(string key) => KpiCatalogue.Find(key)!;

    private static Dictionary<string, decimal> Visits(decimal sessions, decimal converted = 0) => new() { ["web.sessions"] = sessions, ["web.key_event_sessions"] = converted };

    private static DividedPeriod Period(
        Dictionary<string, decimal> whole, Dictionary<string, MemberSums> members, int partly = 0, KpiDefinition? kpi = null, ValueStatus status = ValueStatus.Final)
    {
        var of = kpi ?? Kpi("web.sessions");
        var value = of.Compute is { } compute ? compute(new KpiInputs(whole, NoCosts, 0)) : whole[of.Key];
        return new DividedPeriod(new KpiValue(value, value is null ? ValueStatus.NotMeasurable : status, 7, 7), whole, members, partly);
    }

    private static MemberSums Sum(decimal sessions, decimal converted = 0, int unknown = 0) => new(Visits(sessions, converted), unknown);

    [Fact]
    public void Everything_else_is_the_whole_less_what_is_listed_now_and_before()
    {
        var now = Period(Visits(100), new() { ["Direct"] = Sum(30), ["Email"] = Sum(50) });
        var before = Period(Visits(80), new() { ["Direct"] = Sum(20), ["Email"] = Sum(40) });
        var breakdown = new Breakdown(Kpi("web.sessions"), ["Direct", "Email"], now, before, NoCosts);

        Assert.Equal(["Email", "Direct"], breakdown.Members.Select(member => member.Name));
        Assert.Equal([0.5m, 0.3m], breakdown.Members.Select(member => member.Share!.Value));
        Assert.Equal((20m, 20m, 0.2m), (breakdown.Rest!.Value.Value!.Value, breakdown.Rest.Previous!.Value.Value!.Value, breakdown.Rest.Share!.Value));
        Assert.Equal(ValueStatus.Final, breakdown.Rest.Value.Status);
    }

    [Fact]
    public void What_is_listed_whole_leaves_nothing_else()
    {
        var breakdown = new Breakdown(Kpi("web.sessions"), ["Direct"], Period(Visits(30), new() { ["Direct"] = Sum(30) }), null, NoCosts);
        Assert.Null(breakdown.Rest);
        Assert.False(breakdown.RestOverlaps);
    }

    [Theory]
    // Google estimates the whole and its rows apart: within a hundredth nothing is wrong, and nothing else is there.
    [InlineData(1000, 1010, false)]
    [InlineData(1000, 1011, true)]
    public void Rows_that_exceed_the_whole_are_counting_error_or_overlap(int whole, int listed, bool overlaps)
    {
        var breakdown = new Breakdown(Kpi("web.sessions"), ["mobile"], Period(Visits(whole), new() { ["mobile"] = Sum(listed) }), null, NoCosts);
        Assert.Null(breakdown.Rest);
        Assert.Equal(overlaps, breakdown.RestOverlaps);
        Assert.Equal(1, breakdown.Members[0].Share);
    }

    [Fact]
    public void A_rate_of_a_channel_and_of_everything_else_comes_from_sums_and_is_listed_by_visits()
    {
        var kpi = Kpi("web.conversion_rate");
        var now = Period(Visits(1000, 50), new() { ["Tiny"] = Sum(2, 2), ["Big"] = Sum(800, 40) }, kpi: kpi);
        var breakdown = new Breakdown(kpi, ["Tiny", "Big"], now, null, NoCosts);

        Assert.Equal("web.sessions", Breakdown.WeightOf(kpi));
        Assert.Equal([("Big", 0.05m, 0.8m), ("Tiny", 1m, 0.002m)], breakdown.Members.Select(member => (member.Name, member.Value.Value!.Value, member.Share!.Value)));
        // 8 of 198, not a mean of anything.
        Assert.Equal(decimal.Round(8m / 198, 8), breakdown.Rest!.Value.Value);
        Assert.Equal(0.198m, breakdown.Rest.Share);
    }

    [Fact]
    public void A_channel_without_orders_has_no_average_order_rather_than_0()
    {
        var kpi = Kpi("shop.average_order_value");
        Dictionary<string, decimal> Sales(decimal revenue, decimal orders) => new() { ["shop.revenue"] = revenue, ["shop.transactions"] = orders };
        var now = Period(Sales(90, 3), new() { ["Direct"] = new(Sales(90, 3), 0), ["Social"] = new(Sales(0, 0), 0) }, kpi: kpi);
        var breakdown = new Breakdown(kpi, ["Direct", "Social"], now, null, NoCosts);
        Assert.Equal(30, breakdown.Members[0].Value.Value);
        Assert.Equal(new KpiValue(null, ValueStatus.NotMeasurable, 7, 7), breakdown.Members[1].Value);
    }

    [Fact]
    public void What_is_not_listed_is_0_where_all_is_listed_and_unknown_where_not()
    {
        var now = Period(Visits(100), new() { ["/old"] = Sum(10) });
        var whole = new Breakdown(Kpi("web.sessions"), ["/old", "/new"], now, Period(Visits(50), new() { ["/old"] = Sum(50) }), NoCosts);
        Assert.Equal(0, whole.Members.Single(member => member.Name == "/new").Previous!.Value.Value);

        var cut = new Breakdown(Kpi("web.sessions"), ["/old", "/new"], now, Period(Visits(50), new() { ["/old"] = Sum(40, unknown: 1) }, partly: 2), NoCosts);
        Assert.Equal(new KpiValue(null, ValueStatus.NotMeasurable, 0, 7), cut.Members.Single(member => member.Name == "/new").Previous);
        // On one of the days it was not told apart: at least 40, so no percentage.
        var old = cut.Members.Single(member => member.Name == "/old");
        Assert.Equal((40m, ValueStatus.Partial), (old.Previous!.Value.Value!.Value, old.Previous.Value.Status));
        Assert.Equal((null, "previous_partial"), KpiChange.Of(old.Value, old.Previous));
    }

    [Fact]
    public void Everything_else_is_as_uncertain_as_what_is_listed()
    {
        var now = Period(Visits(100), new() { ["/a"] = Sum(60, unknown: 1) }, partly: 3);
        var breakdown = new Breakdown(Kpi("web.sessions"), ["/a"], now, null, NoCosts);
        Assert.Equal((ValueStatus.Partial, 40m, ValueStatus.Partial), (breakdown.Members[0].Value.Status, breakdown.Rest!.Value.Value!.Value, breakdown.Rest.Value.Status));
    }

    [Fact]
    public void Without_a_day_that_is_divided_nothing_is_told_not_even_0()
    {
        var nothing = new DividedPeriod(new KpiValue(null, ValueStatus.NotMeasurable, 0, 7), Visits(0), new Dictionary<string, MemberSums>(), 0);
        var breakdown = new Breakdown(Kpi("web.sessions"), ["Direct"], nothing, nothing, NoCosts);
        Assert.Equal(new KpiValue(null, ValueStatus.NotMeasurable, 0, 7), breakdown.Members[0].Value);
        Assert.Null(breakdown.Members[0].Share);
        Assert.Null(breakdown.Rest);
    }

    /// <summary>Whatever the numbers: listed and everything else add up to the whole.</summary>
    [Property]
    public void Listed_and_everything_else_add_up_to_the_whole(ushort[] sessions, byte listed)
    {
        var members = sessions.Select((count, index) => ($"m{index}", Sum(count))).ToDictionary(pair => pair.Item1, pair => pair.Item2);
        var whole = Visits(sessions.Sum(count => (decimal)count));
        var names = members.Keys.Take(listed).ToList();
        var breakdown = new Breakdown(Kpi("web.sessions"), names, Period(whole, members), null, NoCosts);
        Assert.False(breakdown.RestOverlaps);
        Assert.Equal(whole["web.sessions"], breakdown.Members.Sum(member => member.Value.Value!.Value) + (breakdown.Rest?.Value.Value ?? 0));
    }

    [Fact]
    public void What_adds_up_and_its_rates_can_be_divided_users_and_automations_cannot() =>
        Assert.Equal(
            [
                "shop.average_order_value", "shop.revenue", "shop.revenue_per_session", "shop.transactions", "web.bounce_rate", "web.conversion_rate", "web.engaged_sessions",
                "web.engagement_rate", "web.key_events", "web.sessions",
            ],
            KpiCatalogue.All.Where(kpi => Breakdowns.Of(kpi).Count > 0).Select(kpi => kpi.Key).Order(StringComparer.Ordinal));
}
