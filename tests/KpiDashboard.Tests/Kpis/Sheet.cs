using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Tests.Kpis;

/// <summary>
/// Daily values of every stored KPI over a range with gaps, with how far the source is complete and final, and the tenant's costs. The arithmetic on it
/// that tests compare with is done here by hand, without the product's engine.
/// </summary>
public sealed record Sheet(
    DateOnly From, int Days, IReadOnlyDictionary<string, decimal?[]> Values, DateOnly? CompleteThrough, DateOnly? FinalThrough, decimal? Hourly, decimal? Monthly, int Cut)
{
    /// <summary>Stored keys, written down here a second time on purpose.</summary>
    public static IReadOnlyList<string> Stored { get; } =
    [
        "shop.revenue", "shop.transactions", "web.sessions", "web.active_users", "web.total_users", "web.new_users", "web.active_users_7d", "web.active_users_28d",
        "web.page_views", "web.engaged_sessions", "web.key_events", "web.session_seconds", "web.key_event_sessions",
        "automation.executions", "automation.succeeded", "automation.failed", "automation.time_saved", "automation.finished_ms", "automation.timed",
    ];

    public DateOnly To => From.AddDays(Days - 1);

    /// <summary>The last day of the first part when the range is split in two; there are two parts when <see cref="Days"/> is 2 or more.</summary>
    public DateOnly Split => From.AddDays(Cut % Math.Max(1, Days - 1));

    internal KpiTable Table() => new(
        From, To,
        from series in Values
        from day in Enumerable.Range(0, Days)
        where series.Value[day] is not null
        select (series.Key, From.AddDays(day), series.Value[day]!.Value),
        new Dictionary<string, SourceClock>
        {
            ["google-analytics"] = new(CompleteThrough, FinalThrough),
            ["n8n"] = new(CompleteThrough, FinalThrough),
        },
        new TenantEconomics(Hourly, Monthly));

    public decimal? On(string key, DateOnly day) => Values[key][day.DayNumber - From.DayNumber];

    public static IEnumerable<DateOnly> DaysOf(DateOnly from, DateOnly to)
    {
        for (var day = from; day <= to; day = day.AddDays(1)) yield return day;
    }

    /// <summary>Days on which all of some keys are known.</summary>
    public List<DateOnly> Known(DateOnly from, DateOnly to, params string[] keys) => [.. DaysOf(from, to).Where(day => keys.All(key => On(key, day) is not null))];

    public decimal Sum(IEnumerable<DateOnly> days, string key) => days.Sum(day => On(key, day)!.Value);

    public override string ToString() =>
        $"{From:O}+{Days} complete {CompleteThrough:O} final {FinalThrough:O} {Hourly}/h {Monthly}/month cut {Cut}: "
        + string.Join("; ", Values.Select(series => $"{series.Key}=[{string.Join(' ', series.Value.Select(value => value?.ToString(CultureInfo.InvariantCulture) ?? "-"))}]"));
}

/// <summary>Makes sheets: any start from 2023 to 2033 (leap years in it), 1 to 60 days, gaps, zeros, cents.</summary>
public static class Sheets
{
    public static Arbitrary<Sheet> Any()
    {
        var value = Gen.Frequency<decimal?>(
            (2, Gen.Constant<decimal?>(null)),
            (1, Gen.Constant<decimal?>(0)),
            (8, Gen.Choose(0, 1_000_000).Select(number => (decimal?)(number / 100m))));
        var money = Gen.Frequency<decimal?>((1, Gen.Constant<decimal?>(null)), (1, Gen.Constant<decimal?>(0)), (6, Gen.Choose(1, 100_000).Select(cents => (decimal?)(cents / 100m))));
        var sheets =
            from start in Gen.Choose(0, 3_652)
            from days in Gen.Choose(1, 60)
            from values in value.ArrayOf(days * Sheet.Stored.Count)
            from complete in Gen.Choose(-3, days + 3)
            from finality in Gen.Choose(0, 5)
            from hourly in money
            from monthly in money
            from cut in Gen.Choose(0, 1000)
            let first = new DateOnly(2023, 1, 1).AddDays(start)
            select new Sheet(
                first, days,
                Sheet.Stored.Select((key, index) => (key, values[(index * days)..((index + 1) * days)])).ToDictionary(pair => pair.key, pair => pair.Item2),
                complete == days + 3 ? null : first.AddDays(complete), complete == days + 3 ? null : first.AddDays(complete - finality), hourly, monthly, cut);
        return sheets.ToArbitrary();
    }
}
