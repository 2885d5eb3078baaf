using KpiDashboard.Kpis;
using KpiDashboard.Metrics;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Xunit;

namespace KpiDashboard.Tests.Kpis;

/// <summary>Single cases of the engine that an owner would recompute with a pencil.</summary>
public sealed class KpiTableTests
{
    private static readonly DateOnly Monday = new(2026, 11, 16);

    private static KpiDefinition Kpi(string key) => KpiCatalogue.All.Single(kpi => kpi.Key == key);

    private static KpiTable Table(DateOnly from, DateOnly to, TenantEconomics? economics, params (string, DateOnly, decimal)[] values) =>
        new(from, to, values, new Dictionary<string, SourceClock> { ["google-analytics"] = new(to, to), ["n8n"] = new(to, to) }, economics ?? new TenantEconomics(null, null));

    [Fact]
    public void A_week_is_not_the_mean_of_its_days_ratios()
    {
        // 1 of 10 and 90 of 90: the mean of the ratios is 55 %, the truth is 91 %.
        var table = Table(Monday, Monday.AddDays(1), null,
            ("web.engaged_sessions", Monday, 1), ("web.sessions", Monday, 10), ("web.engaged_sessions", Monday.AddDays(1), 90), ("web.sessions", Monday.AddDays(1), 90));
        Assert.Equal(0.91m, table.Evaluate(Kpi("web.engagement_rate"), Monday, Monday.AddDays(1)).Value);
    }

    [Fact]
    public void A_day_with_revenue_but_without_orders_read_does_not_lift_the_average_order()
    {
        var table = Table(Monday, Monday.AddDays(1), null,
            ("shop.revenue", Monday, 100), ("shop.transactions", Monday, 4), ("shop.revenue", Monday.AddDays(1), 1_000));
        Assert.Equal(new KpiValue(25, ValueStatus.Partial, 1, 2), table.Evaluate(Kpi("shop.average_order_value"), Monday, Monday.AddDays(1)));
    }

    [Fact]
    public void A_known_zero_is_zero_and_final_while_a_missing_day_is_null()
    {
        var table = Table(Monday, Monday.AddDays(1), null, ("web.sessions", Monday, 0));
        Assert.Equal(new KpiValue(0, ValueStatus.Final, 1, 1), table.Evaluate(Kpi("web.sessions"), Monday, Monday));
        Assert.Equal(new KpiValue(null, ValueStatus.NotMeasurable, 0, 1), table.Evaluate(Kpi("web.sessions"), Monday.AddDays(1), Monday.AddDays(1)));
        Assert.Equal(DayStatus.Missing, table.StatusOf(Kpi("web.sessions"), Monday.AddDays(1)));
    }

    [Theory]
    [InlineData("web.bounce_rate", "web.engaged_sessions", "web.sessions")]
    [InlineData("web.pages_per_session", "web.page_views", "web.sessions")]
    [InlineData("shop.average_order_value", "shop.revenue", "shop.transactions")]
    [InlineData("automation.success_rate", "automation.succeeded", "automation.failed")]
    public void A_division_by_zero_has_no_answer_and_says_so(string key, string dividend, string divisor)
    {
        var table = Table(Monday, Monday, null, (dividend, Monday, 0), (divisor, Monday, 0));
        Assert.Equal(new KpiValue(null, ValueStatus.NotMeasurable, 1, 1), table.Evaluate(Kpi(key), Monday, Monday));
    }

    [Fact]
    public void A_source_without_clocks_leaves_its_days_partial()
    {
        var table = new KpiTable(Monday, Monday, [("web.sessions", Monday, 5m)], new Dictionary<string, SourceClock>(), new TenantEconomics(null, null));
        Assert.Equal(new KpiValue(5, ValueStatus.Partial, 1, 1), table.Evaluate(Kpi("web.sessions"), Monday, Monday));
    }

    [Fact]
    public void Clocks_of_one_source_say_nothing_about_another()
    {
        var table = new KpiTable(Monday, Monday, [("web.sessions", Monday, 5m), ("automation.executions", Monday, 7m)],
            new Dictionary<string, SourceClock> { ["google-analytics"] = new(Monday, Monday), ["n8n"] = new(Monday.AddDays(-1), null) }, new TenantEconomics(null, null));
        Assert.Equal(ValueStatus.Final, table.Evaluate(Kpi("web.sessions"), Monday, Monday).Status);
        Assert.Equal(ValueStatus.Partial, table.Evaluate(Kpi("automation.executions"), Monday, Monday).Status);
    }

    [Fact]
    public void February_2028_has_29_days_of_cost()
    {
        // 290 a month: 10 a day. 60 minutes a day at 40 an hour: 40 a day.
        var from = new DateOnly(2028, 2, 1);
        var days = Enumerable.Range(0, 29).Select(from.AddDays).ToArray();
        var table = Table(from, days[^1], new TenantEconomics(40, 290), [.. days.Select(day => ("automation.time_saved", day, 60m))]);

        Assert.Equal(1160m, table.Evaluate(Kpi("automation.value_saved"), from, days[^1]).Value);
        Assert.Equal(290m, table.AutomationCost(Kpi("automation.time_saved")));
        Assert.Equal(3m, table.Evaluate(Kpi("automation.roi"), from, days[^1]).Value);
        Assert.Equal(3m, table.On(Kpi("automation.roi"), new DateOnly(2028, 2, 29)));
    }

    [Fact]
    public void A_range_over_a_month_end_costs_each_day_at_its_own_months_rate()
    {
        // 28 Feb 2027: 868 / 28 = 31; 1 Mar 2027: 868 / 31 = 28. Saved: 2 × 1 h at 59 = 118; (118 − 59) / 59 = 1.
        var from = new DateOnly(2027, 2, 28);
        var table = Table(from, from.AddDays(1), new TenantEconomics(59, 868), ("automation.time_saved", from, 60), ("automation.time_saved", from.AddDays(1), 60));
        Assert.Equal(59m, table.AutomationCost(Kpi("automation.time_saved")));
        Assert.Equal(1m, table.Evaluate(Kpi("automation.roi"), from, from.AddDays(1)).Value);
    }

    [Fact]
    public void Automations_that_save_nothing_lose_all_of_their_cost()
    {
        var table = Table(Monday, Monday, new TenantEconomics(40, 300), ("automation.time_saved", Monday, 0));
        Assert.Equal(-1m, table.Evaluate(Kpi("automation.roi"), Monday, Monday).Value);
    }

    [Theory]
    [InlineData(null, 300)]
    [InlineData(40, null)]
    [InlineData(40, 0)]
    [InlineData(null, null)]
    public void Without_a_cost_or_a_labour_cost_there_is_no_return(int? hourly, int? monthly)
    {
        var table = Table(Monday, Monday, new TenantEconomics(hourly, monthly), ("automation.time_saved", Monday, 30));
        Assert.Equal(new KpiValue(null, ValueStatus.NotMeasurable, 1, 1), table.Evaluate(Kpi("automation.roi"), Monday, Monday));
    }

    [Theory]
    [InlineData("automation.value_saved", null, 300, "hour of work is not set")]
    [InlineData("automation.roi", 40, null, "cost a month is not set")]
    [InlineData("automation.roi", 40, 0, "nothing to divide by")]
    public void What_is_missing_is_said_and_not_taken_for_a_division_by_zero(string key, int? hourly, int? monthly, string words)
    {
        var table = Table(Monday, Monday, new TenantEconomics(hourly, monthly), ("automation.time_saved", Monday, 30));
        Assert.Contains(words, MetricsEndpoints.Reason(Kpi(key), table.Evaluate(Kpi(key), Monday, Monday)), StringComparison.Ordinal);
    }

    [Fact]
    public void Sums_and_changes_that_no_decimal_holds_are_told_and_no_fault()
    {
        var table = Table(Monday, Monday.AddDays(1), null, ("shop.revenue", Monday, decimal.MaxValue), ("shop.revenue", Monday.AddDays(1), decimal.MaxValue));
        var value = table.Evaluate(Kpi("shop.revenue"), Monday, Monday.AddDays(1));
        Assert.Contains("more digits", MetricsEndpoints.Reason(Kpi("shop.revenue"), value), StringComparison.Ordinal);
        Assert.Equal((null, "zero_previous"), KpiChange.Of(new KpiValue(decimal.MaxValue, ValueStatus.Final, 1, 1), new KpiValue(0.00000001m, ValueStatus.Final, 1, 1)));
    }

    [Fact]
    public void No_cost_is_told_where_none_is_set_or_no_day_is_known()
    {
        Assert.Null(Table(Monday, Monday, new TenantEconomics(40, null), ("automation.time_saved", Monday, 30)).AutomationCost(Kpi("automation.time_saved")));
        Assert.Null(Table(Monday, Monday, new TenantEconomics(40, 300)).AutomationCost(Kpi("automation.time_saved")));
        Assert.Equal(0m, Table(Monday, Monday, new TenantEconomics(40, 0), ("automation.time_saved", Monday, 30)).AutomationCost(Kpi("automation.time_saved")));
    }

    [Fact]
    public void A_value_outside_the_range_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Table(Monday, Monday, null, ("web.sessions", Monday.AddDays(1), 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Table(Monday, Monday, null).Evaluate(Kpi("web.sessions"), Monday.AddDays(-1), Monday));
    }

    [Theory]
    [InlineData("Sum", 12, "Partial")]
    [InlineData("DailyMean", 4, "Partial")]
    [InlineData("Max", 9, "Partial")]
    [InlineData("Min", -2, "Partial")]
    [InlineData("Last", 5, "Final")]
    public void What_a_business_pushes_is_added_up_as_it_said_and_its_last_reading_is_the_latest_there_is(string aggregation, decimal expected, string status)
    {
        var kpi = new KpiDefinition
        {
            Key = "custom.x",
            Name = "X",
            Description = "",
            Unit = KpiUnit.Number,
            Direction = KpiDirection.Up,
            Aggregation = Enum.Parse<KpiAggregation>(aggregation),
            Source = TenantCatalogue.PushSource,
            IsSparse = true,
        };
        var table = new KpiTable(
            Monday, Monday.AddDays(6), [("custom.x", Monday, 9), ("custom.x", Monday.AddDays(2), -2), ("custom.x", Monday.AddDays(4), 5)],
            SourceState.Clocks([]), new TenantEconomics(null, null));
        var value = table.Evaluate(kpi, Monday, Monday.AddDays(6));
        Assert.Equal((expected, status), (value.Value, value.Status.ToString()));
        Assert.Equal(DayStatus.Missing, table.StatusOf(kpi, Monday.AddDays(1)));
        Assert.Equal(ValueStatus.NotMeasurable, table.Evaluate(kpi, Monday.AddDays(5), Monday.AddDays(6)).Status);
    }
}
