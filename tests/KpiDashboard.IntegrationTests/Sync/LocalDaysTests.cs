using KpiDashboard.Automation;
using KpiDashboard.Connectors;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Tenancy;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

/// <summary>Executions around each change of the clocks and each end of a year belong to one local day each, however the days are added up.</summary>
public sealed class LocalDaysTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>By what is odd about them: an hour, half an hour, midnight skipped, midnight twice, the date line, offsets of a quarter of an hour, none.</summary>
    public static TheoryData<string> Zones =>
    [
        "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut", "Atlantic/Azores", "America/Havana",
        "Antarctica/Troll", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC",
    ];

    [Theory]
    [MemberData(nameof(Zones))]
    public async Task Any_split_of_the_days_adds_up_to_the_same_days_and_each_execution_is_in_one(string zone)
    {
        var info = TimeZoneInfo.FindSystemTimeZoneById(zone);
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, integration) = await engine.AddTenantAsync();
        foreach (var change in Changes(info))
        {
            // Every ten minutes for four days, and to the second on both sides of each beginning of a day.
            var first = LocalDay.Of(change, info).AddDays(-2);
            var days = Enumerable.Range(0, 5).Select(first.AddDays).ToList();
            var starts = days.Select(day => LocalDay.Start(day, info)).ToList();
            var end = LocalDay.Start(first.AddDays(5), info);
            var instants = Enumerable.Range(0, (int)((end - starts[0]).TotalMinutes / 10)).Select(tick => starts[0].AddMinutes(tick * 10))
                .Concat(starts.Skip(1).Select(start => start.AddSeconds(-1))).Append(end.AddSeconds(-1)).Distinct().ToList();
            var executions = instants.Select((at, index) => new ExecutionReading(
                $"{change.UtcTicks}-{index}", "w", index % 3 == 0 ? ExecutionStatus.Failed : ExecutionStatus.Succeeded, ExecutionKind.Production, at, at.AddSeconds(1 + (index % 5)))).ToList();
            var expected = days.ToDictionary(day => day, day => executions.Where(execution => LocalDay.Of(execution.StartedAt, info) == day).ToList());
            Assert.Equal(executions.Count, expected.Values.Sum(list => list.Count));

            await engine.Database.InTenantAsync(tenant, async tx =>
            {
                await tx.ExecuteAsync("delete from executions where tenant_id = @tenant", new { });
                await AutomationWriter.WriteExecutionsAsync(tx, integration, executions);
            }, Cancel);
            // In one go, split in two after each day, and day by day.
            List<(DateOnly From, DateOnly To)[]> ways = [[(days[0], days[^1])], [.. days.Select(day => (day, day))]];
            ways.AddRange(days.SkipLast(1).Select(cut => new[] { (days[0], cut), (cut.AddDays(1), days[^1]) }));
            foreach (var way in ways)
            {
                var readings = await engine.Database.InTenantAsync(tenant, async tx =>
                {
                    await tx.ExecuteAsync("delete from automation_daily where tenant_id = @tenant", new { });
                    var found = new List<(string Kpi, DateOnly Day, decimal Value)>();
                    foreach (var (from, to) in way) found.AddRange(await AutomationWriter.RollUpAsync(tx, integration, zone, from, to));
                    return found;
                }, Cancel);
                foreach (var (kpi, of) in new Dictionary<string, Func<ExecutionReading, decimal>>
                {
                    ["automation.executions"] = _ => 1,
                    ["automation.succeeded"] = execution => execution.Status == ExecutionStatus.Succeeded ? 1 : 0,
                    ["automation.failed"] = execution => execution.Status == ExecutionStatus.Failed ? 1 : 0,
                    ["automation.finished_ms"] = execution => (decimal)(execution.StoppedAt!.Value - execution.StartedAt).TotalMilliseconds,
                    ["automation.timed"] = _ => 1,
                })
                {
                    Assert.Equal(
                        days.Select(day => (day, expected[day].Sum(of))),
                        readings.Where(reading => reading.Kpi == kpi).Select(reading => (reading.Day, reading.Value)));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Zones))]
    public async Task A_day_begins_at_the_same_instant_for_us_and_for_Postgres_and_follows_the_day_before(string zone)
    {
        var info = TimeZoneInfo.FindSystemTimeZoneById(zone);
        await using var engine = await Engine.StartAsync(postgres);
        var days = Enumerable.Range(0, 3 * 366).Select(new DateOnly(2024, 12, 30).AddDays).ToArray();
        var theirs = await engine.QueryAsOwnerAsync<DateTime>(
            "select start_of_day(day, @zone) from unnest(@days) with ordinality as d (day, n) order by n", new { zone, days });
        Assert.Equal(days.Select(day => LocalDay.Start(day, info).UtcDateTime), theirs);
        foreach (var day in days)
        {
            var start = LocalDay.Start(day, info);
            Assert.Equal((day, day.AddDays(-1)), (LocalDay.Of(start, info), LocalDay.Of(start.AddTicks(-1), info)));
        }
    }

    [Fact]
    public void The_zones_have_what_they_are_here_for()
    {
        Assert.True(TimeZoneInfo.FindSystemTimeZoneById("Atlantic/Azores").IsAmbiguousTime(new DateTime(2025, 10, 26)));
        Assert.True(TimeZoneInfo.FindSystemTimeZoneById("America/Havana").IsAmbiguousTime(new DateTime(2025, 11, 2)));
        Assert.True(TimeZoneInfo.FindSystemTimeZoneById("America/Santiago").IsInvalidTime(new DateTime(2025, 9, 7)));
        Assert.True(TimeZoneInfo.FindSystemTimeZoneById("Asia/Beirut").IsInvalidTime(new DateTime(2025, 3, 30)));
        Assert.Equal(4, Changes(TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")).Count(change => change.Month is 3 or 10));
    }

    /// <summary>Instants of two years at which the offset changes, and both ends of a year.</summary>
    private static List<DateTimeOffset> Changes(TimeZoneInfo zone)
    {
        var from = new DateTimeOffset(2024, 12, 25, 0, 0, 0, TimeSpan.Zero);
        return
        [
            .. Enumerable.Range(0, 2 * 365 * 24).Select(hour => from.AddHours(hour)).Where(hour => zone.GetUtcOffset(hour) != zone.GetUtcOffset(hour.AddHours(-1))),
            LocalDay.Start(new DateOnly(2025, 1, 1), zone), LocalDay.Start(new DateOnly(2026, 1, 1), zone),
        ];
    }
}
