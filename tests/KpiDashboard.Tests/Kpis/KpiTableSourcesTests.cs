using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Kpis;
using KpiDashboard.Metrics;
using KpiDashboard.Tenancy;
using Xunit;

namespace KpiDashboard.Tests.Kpis;

/// <summary>Numbers of several sources of one connector: what adds up is added, what does not is not, and a number is as sure as the least of them.</summary>
[Trait("Clock", "none")]
public sealed class KpiTableSourcesTests
{
    private static readonly DateOnly Monday = new(2026, 11, 16);
    private static readonly TenantEconomics NoMoney = new(null, null, "EUR");

    private static KpiDefinition Kpi(string key) => KpiCatalogue.All.Single(kpi => kpi.Key == key);

    private static TableSource Google(
        short number, DateOnly complete, DateOnly final, string? currency = null, DateOnly? first = null, DateOnly? last = null) =>
        new(number, "google-analytics", new SourceClock(complete, final, currency)) { FirstDay = first ?? Monday, LastDay = last, Pulse = "web.sessions" };

    private static KpiTable Table(IReadOnlyList<TableSource> sources, int days, params (short Source, string Kpi, DateOnly Day, decimal Value)[] values) =>
        new(Monday, Monday.AddDays(days - 1), values, new SourceClocks(sources), NoMoney);

    [Fact]
    public void Counts_and_money_of_two_sources_add_up_day_by_day_and_over_the_range()
    {
        var (end, next) = (Monday.AddDays(1), Monday.AddDays(1));
        var table = Table(
            [Google(1, end, end), Google(2, end, end)], 2, (1, "web.sessions", Monday, 5), (2, "web.sessions", Monday, 7), (1, "web.sessions", next, 1), (2, "web.sessions", next, 0));
        Assert.Equal(new KpiValue(13, ValueStatus.Final, 2, 2), table.Evaluate(Kpi("web.sessions"), Monday, next));
        Assert.Equal(12, table.On(Kpi("web.sessions"), Monday));
    }

    [Fact]
    public void A_rate_is_of_the_sums_of_both_and_no_mean_of_two_rates()
    {
        // 1 of 10 and 90 of 90.
        var table = Table(
            [Google(1, Monday, Monday), Google(2, Monday, Monday)], 1,
            (1, "web.engaged_sessions", Monday, 1), (1, "web.sessions", Monday, 10), (2, "web.engaged_sessions", Monday, 90), (2, "web.sessions", Monday, 90));
        Assert.Equal(0.91m, table.Evaluate(Kpi("web.engagement_rate"), Monday, Monday).Value);
    }

    [Fact]
    public void A_rate_counts_a_source_only_on_days_on_which_it_has_all_of_it()
    {
        // The second has visits and no orders: its visits belong to no order of the first.
        var table = Table(
            [Google(1, Monday, Monday), Google(2, Monday, Monday)], 1,
            (1, "shop.revenue", Monday, 100), (1, "web.sessions", Monday, 10), (2, "web.sessions", Monday, 1000));
        Assert.Equal(new KpiValue(10, ValueStatus.Final, 1, 1), table.Evaluate(Kpi("shop.revenue_per_session"), Monday, Monday));
    }

    [Theory]
    [InlineData("web.active_users")]
    [InlineData("web.total_users")]
    [InlineData("web.active_users_28d")]
    public void People_of_two_sources_are_not_added_and_it_says_so(string key)
    {
        var table = Table([Google(1, Monday, Monday), Google(2, Monday, Monday)], 1, (1, key, Monday, 5), (2, key, Monday, 7));
        var value = table.Evaluate(Kpi(key), Monday, Monday);
        Assert.Null(value.Value);
        Assert.Equal(ValueStatus.NotMeasurable, value.Status);
        Assert.Contains("cannot be added", value.Why, StringComparison.Ordinal);
        Assert.Contains("Choose one source", MetricsEndpoints.Reason(Kpi(key), value), StringComparison.Ordinal);
        Assert.Equal(DayStatus.Missing, table.StatusOf(Kpi(key), Monday));

        // Of one alone they are told.
        var alone = Table([Google(2, Monday, Monday)], 1, (2, key, Monday, 7));
        Assert.Equal(7, alone.Evaluate(Kpi(key), Monday, Monday).Value);
        // And where the other has none of these days.
        var one = Table([Google(1, Monday, Monday), Google(2, Monday, Monday, first: Monday.AddDays(1))], 1, (1, key, Monday, 5));
        Assert.Equal(5, one.Evaluate(Kpi(key), Monday, Monday).Value);
    }

    [Fact]
    public void A_day_is_as_complete_and_as_final_as_the_least_of_its_sources()
    {
        var days = Enumerable.Range(0, 3).Select(Monday.AddDays).ToList();
        var values = days.SelectMany(day => new[] { ((short)1, "web.sessions", day, 1m), ((short)2, "web.sessions", day, 1m) }).ToArray();
        var table = Table([Google(1, days[2], days[2]), Google(2, days[1], days[0])], 3, values);
        Assert.Equal([DayStatus.Final, DayStatus.Provisional, DayStatus.Partial], days.Select(day => table.StatusOf(Kpi("web.sessions"), day)));
        Assert.False(table.IsComplete(Kpi("web.sessions"), days[2]));
        Assert.True(table.IsComplete(Kpi("web.sessions"), days[1]));
    }

    [Fact]
    public void A_day_that_one_of_two_lacks_is_partial_and_one_before_its_first_or_after_its_last_is_not()
    {
        var (first, second) = (Google(1, Monday.AddDays(3), Monday.AddDays(3)), Google(2, Monday.AddDays(3), Monday.AddDays(3), first: Monday.AddDays(1)));
        (short, string, DateOnly, decimal)[] values =
        [
            .. Enumerable.Range(0, 4).Select(day => ((short)1, "web.sessions", Monday.AddDays(day), 10m)),
            (2, "web.sessions", Monday.AddDays(1), 1m), (2, "web.sessions", Monday.AddDays(3), 1m),
        ];
        var table = Table([first, second], 4, values);
        Assert.Equal(
            [DayStatus.Final, DayStatus.Final, DayStatus.Partial, DayStatus.Final],
            Enumerable.Range(0, 4).Select(day => table.StatusOf(Kpi("web.sessions"), Monday.AddDays(day))));
        Assert.Equal(ValueStatus.Partial, table.Evaluate(Kpi("web.sessions"), Monday, Monday.AddDays(3)).Status);

        // Disconnected after its second day: nobody waits for the others.
        var over = Table([first, second with { LastDay = Monday.AddDays(1) }], 4, [.. values.Where(value => value.Item1 == 1 || value.Item3 == Monday.AddDays(1))]);
        Assert.Equal(new KpiValue(41, ValueStatus.Final, 4, 4), over.Evaluate(Kpi("web.sessions"), Monday, Monday.AddDays(3)));
    }

    [Fact]
    public void A_day_that_one_of_two_lacks_has_no_total_in_line_table_and_file_and_the_range_says_so()
    {
        var end = Monday.AddDays(2);
        (short, string, DateOnly, decimal)[] values =
        [
            .. Enumerable.Range(0, 3).SelectMany(day => new[] { "web.sessions", "web.engaged_sessions" }.Select(key => ((short)1, key, Monday.AddDays(day), 10m))),
            (2, "web.sessions", Monday, 90m), (2, "web.engaged_sessions", Monday, 9m), (2, "web.sessions", end, 90m), (2, "web.engaged_sessions", end, 9m),
        ];
        var table = Table([Google(1, end, end), Google(2, end, end)], 3, values);
        foreach (var key in new[] { "web.sessions", "web.engagement_rate" })
        {
            var kpi = Kpi(key);
            decimal?[] days = key == "web.sessions" ? [100, null, 100] : [0.19m, null, 0.19m];
            Assert.Equal(days, table.Daily(kpi));
            Assert.Equal(days, table.Dates.Select(day => table.On(kpi, day)));
            // History, its table and the file.
            Assert.Equal(days, MetricsEndpoints.Points(kpi, table, "day", DayOfWeek.Monday).Select(point => point.Value));
            Assert.Equal([DayStatus.Final, DayStatus.Partial, DayStatus.Final], table.Statuses(kpi));
            Assert.Equal("On 1 of 3 days a source has no data.", MetricsEndpoints.Reason(kpi, table.Evaluate(kpi, Monday, end)));
        }

        // A week with such a day has what there is of it, and says that it is not whole.
        var week = MetricsEndpoints.Points(Kpi("web.sessions"), table, "week", DayOfWeek.Monday).Single();
        Assert.Equal((210m, ValueStatus.Partial), (week.Value, week.Status));
    }

    [Theory]
    [InlineData("web.active_users_7d")]
    [InlineData("web.active_users_28d")]
    [InlineData("web.active_users")]
    public void People_of_one_of_two_sources_are_told_as_that_ones_and_never_as_those_of_both(string key)
    {
        var (kpi, next) = (Kpi(key), Monday.AddDays(1));
        TableSource[] sources = [Google(1, next, next), Google(2, next, next)];
        (short, string, DateOnly, decimal)[] visits =
            [(1, "web.sessions", Monday, 9m), (1, "web.sessions", next, 9m), (2, "web.sessions", Monday, 9m), (2, "web.sessions", next, 9m)];
        // Only one has this number at all: told, and whose it is.
        var one = Table(sources, 2, [.. visits, (2, key, Monday, 5m), (2, key, next, 7m)]);
        Assert.NotNull(one.Evaluate(kpi, Monday, next).Value);
        Assert.Equal((short)2, one.OnlyOf(kpi, Monday, next));
        Assert.Equal([5m, 7m], one.Daily(kpi));
        // Both have it, though not both on the last day: what the one has then is no number of the business.
        var both = Table(sources, 2, [.. visits, (1, key, Monday, 50m), (2, key, Monday, 5m), (2, key, next, 7m)]);
        Assert.Equal(ValueStatus.NotMeasurable, both.Evaluate(kpi, Monday, next).Status);
        Assert.Contains("of 2 sources cannot be added up", both.Evaluate(kpi, Monday, next).Why, StringComparison.Ordinal);
        Assert.Equal([null, null], both.Daily(kpi));
        Assert.Null(both.OnlyOf(kpi, Monday, next));
        // A source that ended before is nobody's any more; and of what adds up the total is that of all.
        var ended = Table([sources[0] with { LastDay = Monday }, sources[1]], 2, [.. visits, (1, key, Monday, 50m), (2, key, next, 7m)]);
        if (kpi.Aggregation == KpiAggregation.Last) Assert.Equal(7m, ended.Evaluate(kpi, Monday, next).Value);
        Assert.Null(one.OnlyOf(Kpi("web.sessions"), Monday, next));
    }

    [Fact]
    public void A_source_that_was_read_and_has_no_such_number_lacks_nothing()
    {
        // Visits of both; only the first keeps a shop.
        var table = Table([Google(1, Monday, Monday), Google(2, Monday, Monday)], 1, (1, "shop.revenue", Monday, 100), (1, "web.sessions", Monday, 1), (2, "web.sessions", Monday, 1));
        Assert.Equal(new KpiValue(100, ValueStatus.Final, 1, 1), table.Evaluate(Kpi("shop.revenue"), Monday, Monday));
    }

    [Fact]
    public void Money_of_two_currencies_is_not_added_and_each_alone_is_told()
    {
        (short, string, DateOnly, decimal)[] values = [(1, "shop.revenue", Monday, 100), (2, "shop.revenue", Monday, 100)];
        var table = Table([Google(1, Monday, Monday, "USD"), Google(2, Monday, Monday, "EUR")], 1, values);
        var mixed = table.Evaluate(Kpi("shop.revenue"), Monday, Monday);
        Assert.Null(mixed.Value);
        Assert.Contains("money in EUR and USD", mixed.Why, StringComparison.Ordinal);
        Assert.Equal(100, Table([Google(1, Monday, Monday, "USD")], 1, values[0]).Evaluate(Kpi("shop.revenue"), Monday, Monday).Value);
        // A currency that has no part in these days mixes nothing.
        Assert.Equal(100, Table([Google(1, Monday, Monday, "USD"), Google(2, Monday, Monday, "EUR", Monday.AddDays(-9), Monday.AddDays(-2))], 1, values[0]).Evaluate(Kpi("shop.revenue"), Monday, Monday).Value);
    }

    [Fact]
    public void Months_become_the_days_of_the_range_and_no_others()
    {
        var (from, to) = (new DateOnly(2026, 1, 30), new DateOnly(2026, 3, 2));
        decimal?[] All(int month) => [.. Enumerable.Range(1, 31).Select(day => day <= DateTime.DaysInMonth(2026, month) ? (decimal?)((month * 100) + day) : null)];
        var months = new[] { 1, 2, 3 }.Select(month => new StoredMonth(1, "web.sessions", new DateOnly(2026, month, 1), All(month)));
        var table = new KpiTable(from, to, months, new SourceClocks([Google(1, to, to)]), NoMoney);
        Assert.Equal([.. table.Dates.Select(day => (decimal?)((day.Month * 100) + day.Day))], table.Dates.Select(day => table.On(Kpi("web.sessions"), day)));
        Assert.Equal(table.Dates.Sum(day => (day.Month * 100m) + day.Day), table.Evaluate(Kpi("web.sessions"), from, to).Value);
    }

    /// <summary>A sheet whose values are divided among sources as a number says, each whole day of a source its own; sums must not notice.</summary>
    [Property(Arbitrary = [typeof(Sheets)], MaxTest = 200)]
    public void Any_split_by_source_gives_the_same_sums_and_the_same_rates(Sheet sheet, byte seed)
    {
        var count = (seed % 3) + 2;
        var sources = Enumerable.Range(1, count).Select(number => (short)number).ToArray();
        // Each value falls apart into as many as there are sources; the parts of a day all together, as a source tells its day.
        var values =
            from series in sheet.Values
            from day in Enumerable.Range(0, sheet.Days)
            where series.Value[day] is not null
            from source in sources
            let part = decimal.Round(series.Value[day]!.Value * source / (count + 1), 2)
            select (source, series.Key, sheet.From.AddDays(day), source == count ? series.Value[day]!.Value - sources.SkipLast(1).Sum(other => decimal.Round(series.Value[day]!.Value * other / (count + 1), 2)) : part);
        var clocks = new SourceClocks([.. sources.SelectMany(number => new[] { "google-analytics", "n8n" }.Select(connector =>
            new TableSource((short)(connector == "n8n" ? number + 10 : number), connector, new SourceClock(sheet.CompleteThrough, sheet.FinalThrough)) { FirstDay = sheet.From })).OrderBy(source => source.Number)]);
        var apart = new KpiTable(
            sheet.From, sheet.To, values.Select(value => ((short)(value.Key.StartsWith("automation.", StringComparison.Ordinal) ? value.source + 10 : value.source), value.Key, value.Item3, value.Item4)),
            clocks, new TenantEconomics(sheet.Hourly, sheet.Monthly));
        var whole = sheet.Table();
        foreach (var kpi in KpiCatalogue.All.Where(kpi => kpi.Aggregation is KpiAggregation.Sum or KpiAggregation.Ratio))
            Assert.Equal(whole.Evaluate(kpi, sheet.From, sheet.To), apart.Evaluate(kpi, sheet.From, sheet.To));
    }
}
