using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Kpis;
using KpiDashboard.Metrics;
using Xunit;

namespace KpiDashboard.Tests.Kpis;

/// <summary>What holds for every KPI over any range with any gaps, checked against sums done by hand.</summary>
[Properties(Arbitrary = [typeof(Sheets)], MaxTest = 200)]
[Trait("Clock", "none")]
public sealed class KpiArithmeticTests
{
    // What the interface promises: its own formulas over the sums of the days on which all parts are known.
    private static readonly Dictionary<string, (string[] Parts, Func<Func<string, decimal>, decimal?> Formula)> Ratios = new()
    {
        ["web.engagement_rate"] = (["web.engaged_sessions", "web.sessions"], sum => sum("web.sessions") == 0 ? null : sum("web.engaged_sessions") / sum("web.sessions")),
        ["web.bounce_rate"] = (["web.engaged_sessions", "web.sessions"], sum => sum("web.sessions") == 0 ? null : (sum("web.sessions") - sum("web.engaged_sessions")) / sum("web.sessions")),
        ["web.avg_session_duration"] = (["web.session_seconds", "web.sessions"], sum => sum("web.sessions") == 0 ? null : sum("web.session_seconds") / sum("web.sessions")),
        ["web.pages_per_session"] = (["web.page_views", "web.sessions"], sum => sum("web.sessions") == 0 ? null : sum("web.page_views") / sum("web.sessions")),
        ["web.conversion_rate"] = (["web.key_event_sessions", "web.sessions"], sum => sum("web.sessions") == 0 ? null : sum("web.key_event_sessions") / sum("web.sessions")),
        ["shop.average_order_value"] = (["shop.revenue", "shop.transactions"], sum => sum("shop.transactions") == 0 ? null : sum("shop.revenue") / sum("shop.transactions")),
        ["shop.revenue_per_session"] = (["shop.revenue", "web.sessions"], sum => sum("web.sessions") == 0 ? null : sum("shop.revenue") / sum("web.sessions")),
        ["automation.success_rate"] = (["automation.succeeded", "automation.failed"], sum =>
            sum("automation.succeeded") + sum("automation.failed") == 0 ? null : sum("automation.succeeded") / (sum("automation.succeeded") + sum("automation.failed"))),
        ["automation.avg_duration"] = (["automation.finished_ms", "automation.timed"], sum => sum("automation.timed") == 0 ? null : sum("automation.finished_ms") / sum("automation.timed")),
    };

    private static IEnumerable<KpiDefinition> Summed => KpiCatalogue.All.Where(kpi => kpi.Aggregation == KpiAggregation.Sum && kpi.Compute is null);

    [Fact]
    public void Every_ratio_of_the_catalogue_but_the_money_ones_is_computed_by_hand_here() =>
        Assert.Equal(
            KpiCatalogue.All.Where(kpi => kpi.Aggregation == KpiAggregation.Ratio && kpi.Key != "automation.roi").Select(kpi => kpi.Key).Order(),
            Ratios.Keys.Order());

    [Property]
    public void A_sum_over_a_range_is_the_sum_of_its_known_days(Sheet sheet)
    {
        var table = sheet.Table();
        foreach (var kpi in Summed)
        {
            var known = sheet.Known(sheet.From, sheet.To, kpi.Key);
            var value = table.Evaluate(kpi, sheet.From, sheet.To);
            Assert.Equal(known.Count == 0 ? null : sheet.Sum(known, kpi.Key), value.Value);
            Assert.Equal((known.Count, sheet.Days), (value.KnownDays, value.Days));
        }
    }

    [Property]
    public void Any_split_of_a_range_gives_the_same_sums_and_counts_the_same_days(Sheet sheet)
    {
        if (sheet.Days < 2) return;
        var table = sheet.Table();
        foreach (var kpi in Summed)
        {
            var whole = table.Evaluate(kpi, sheet.From, sheet.To);
            var first = table.Evaluate(kpi, sheet.From, sheet.Split);
            var second = table.Evaluate(kpi, sheet.Split.AddDays(1), sheet.To);
            Assert.Equal(whole.Value ?? 0, (first.Value ?? 0) + (second.Value ?? 0));
            Assert.Equal(whole.Value is null, first.Value is null && second.Value is null);
            Assert.Equal((whole.KnownDays, whole.Days), (first.KnownDays + second.KnownDays, first.Days + second.Days));
        }
    }

    [Property]
    public void A_ratio_is_the_ratio_of_the_sums_of_its_parts_over_the_days_on_which_all_of_them_are_known(Sheet sheet)
    {
        var table = sheet.Table();
        foreach (var (key, (parts, formula)) in Ratios)
        {
            var known = sheet.Known(sheet.From, sheet.To, parts);
            var expected = known.Count == 0 ? null : formula(part => sheet.Sum(known, part));
            var value = table.Evaluate(KpiCatalogue.Find(key)!, sheet.From, sheet.To);
            AssertClose(expected, value.Value, 0.00000001m, key);
            Assert.Equal(known.Count, value.KnownDays);
            if (expected is null) Assert.Equal(ValueStatus.NotMeasurable, value.Status);
        }
    }

    [Property]
    public void Bounce_and_engagement_rate_are_one_together(Sheet sheet)
    {
        var table = sheet.Table();
        var engaged = table.Evaluate(KpiCatalogue.Find("web.engagement_rate")!, sheet.From, sheet.To).Value;
        var bounced = table.Evaluate(KpiCatalogue.Find("web.bounce_rate")!, sheet.From, sheet.To).Value;
        if (engaged is null) Assert.Null(bounced);
        else AssertClose(1, engaged + bounced, 0.00000002m, "engaged + bounced");
    }

    [Property]
    public void Users_are_never_summed_but_the_mean_of_the_known_days_and_so_within_their_least_and_most(Sheet sheet)
    {
        var table = sheet.Table();
        foreach (var key in new[] { "web.active_users", "web.total_users" })
        {
            var days = sheet.Known(sheet.From, sheet.To, key).Select(day => sheet.On(key, day)!.Value).ToList();
            var value = table.Evaluate(KpiCatalogue.Find(key)!, sheet.From, sheet.To).Value;
            if (days.Count == 0)
            {
                Assert.Null(value);
                continue;
            }

            Assert.InRange(value!.Value, days.Min(), days.Max());
            AssertClose(days.Sum() / days.Count, value, 0.00000001m, key);
        }
    }

    [Property]
    public void Rolling_users_are_those_of_the_last_day_alone(Sheet sheet)
    {
        var table = sheet.Table();
        foreach (var key in new[] { "web.active_users_7d", "web.active_users_28d" })
        {
            var value = table.Evaluate(KpiCatalogue.Find(key)!, sheet.From, sheet.To);
            Assert.Equal(sheet.On(key, sheet.To), value.Value);
            Assert.Equal(1, value.Days);
            Assert.Equal(value, table.Evaluate(KpiCatalogue.Find(key)!, sheet.To, sheet.To));
        }
    }

    [Property]
    public void A_day_is_a_range_of_one_day(Sheet sheet)
    {
        var table = sheet.Table();
        foreach (var kpi in KpiCatalogue.All)
        {
            Assert.Equal(table.Evaluate(kpi, sheet.Split, sheet.Split).Value, table.On(kpi, sheet.Split));
            if (kpi.Compute is null) Assert.Equal(sheet.On(kpi.Key, sheet.Split), table.On(kpi, sheet.Split));
        }
    }

    [Property]
    public void Nothing_known_is_null_and_not_measurable_and_a_gap_never_counts_as_zero(Sheet sheet)
    {
        var table = sheet.Table();
        foreach (var kpi in KpiCatalogue.All)
        {
            var value = table.Evaluate(kpi, sheet.From, sheet.To);
            Assert.Equal(value.Value is null, value.Status == ValueStatus.NotMeasurable);
            if (value.KnownDays == 0) Assert.Null(value.Value);
            else if (value.KnownDays < value.Days) Assert.True(value.Status is ValueStatus.Partial or ValueStatus.NotMeasurable, $"{kpi.Key} has gaps and is {value.Status}.");
        }
    }

    [Property]
    public void Days_and_ranges_are_as_final_as_the_clocks_of_their_source_say(Sheet sheet)
    {
        var table = sheet.Table();
        foreach (var kpi in KpiCatalogue.All)
        {
            var days = Sheet.DaysOf(sheet.From, sheet.To).Select(day => ByClocks(day, kpi)).ToList();
            Assert.Equal(days, Sheet.DaysOf(sheet.From, sheet.To).Select(day => table.StatusOf(kpi, day)));
            var value = table.Evaluate(kpi, sheet.From, sheet.To);
            if (value.Value is null) continue;
            if (kpi.Aggregation == KpiAggregation.Last) days = [days[^1]];
            Assert.Equal(
                days.Any(day => day is DayStatus.Missing or DayStatus.Partial) ? ValueStatus.Partial
                : days.All(day => day == DayStatus.Final) ? ValueStatus.Final
                : ValueStatus.Provisional,
                value.Status);
        }

        DayStatus ByClocks(DateOnly day, KpiDefinition kpi) =>
            kpi.Parts.Any(part => sheet.On(part, day) is null) ? DayStatus.Missing
            : sheet.CompleteThrough is null || day > sheet.CompleteThrough ? DayStatus.Partial
            : day <= sheet.FinalThrough ? DayStatus.Final
            : DayStatus.Provisional;
    }

    [Property]
    public void Weeks_and_months_add_up_to_the_range(Sheet sheet, DayOfWeek weekStart)
    {
        var table = sheet.Table();
        foreach (var grain in new[] { "day", "week", "month" })
        {
            foreach (var kpi in Summed)
            {
                var values = MetricsEndpoints.Buckets(sheet.From, sheet.To, grain, weekStart).Select(bucket => table.Evaluate(kpi, bucket.From, bucket.To).Value).ToList();
                Assert.Equal(table.Evaluate(kpi, sheet.From, sheet.To).Value ?? 0, values.Sum(value => value ?? 0));
            }
        }
    }

    [Property]
    public void The_value_saved_is_hours_times_labour_cost_and_adds_up_by_days(Sheet sheet)
    {
        var table = sheet.Table();
        var kpi = KpiCatalogue.Find("automation.value_saved")!;
        var known = sheet.Known(sheet.From, sheet.To, "automation.time_saved");
        var value = table.Evaluate(kpi, sheet.From, sheet.To).Value;
        if (sheet.Hourly is null || known.Count == 0)
        {
            Assert.Null(value);
            return;
        }

        AssertClose(sheet.Sum(known, "automation.time_saved") * sheet.Hourly / 60, value, 0.00000001m, kpi.Key);
        AssertClose(known.Sum(day => table.On(kpi, day)), value, 0.00000001m * (known.Count + 1), "sum of days");
    }

    [Property]
    public void The_return_on_automations_is_value_less_cost_by_cost_with_each_day_at_its_share_of_its_month(Sheet sheet)
    {
        var table = sheet.Table();
        var known = sheet.Known(sheet.From, sheet.To, "automation.time_saved");
        var value = table.Evaluate(KpiCatalogue.Find("automation.roi")!, sheet.From, sheet.To);
        if (known.Count == 0 || sheet.Hourly is null || sheet.Monthly is null or 0)
        {
            Assert.Equal((null, ValueStatus.NotMeasurable), (value.Value, value.Status));
            return;
        }

        // Days of a month counted out one by one.
        var cost = known.Sum(day => sheet.Monthly.Value / Sheet.DaysOf(new DateOnly(day.Year, day.Month, 1), new DateOnly(day.Year, day.Month, 1).AddMonths(1).AddDays(-1)).Count());
        var saved = sheet.Sum(known, "automation.time_saved") * sheet.Hourly.Value / 60;
        AssertClose((saved - cost) / cost, value.Value, 0.00000002m, "roi");
    }

    private static void AssertClose(decimal? expected, decimal? actual, decimal tolerance, string what)
    {
        Assert.True(expected is null == actual is null, $"{what}: '{expected}' expected, '{actual}' came.");
        if (expected is { } wanted) Assert.True(Math.Abs(wanted - actual!.Value) <= tolerance, $"{what}: {wanted} expected, {actual} came.");
    }
}
