using KpiDashboard.Connectors;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Kpis;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

/// <summary>How days divide, through the engine into a real database.</summary>
public sealed class BreakdownRunTests(PostgresFixture postgres)
{
    private static readonly DateOnly Today = new(2026, 11, 22);

    private const string Rows =
        "select v.dimension || ' ' || v.day || ' ' || v.member || ' ' || v.parts || ' ' || d.changed_at || ' ' || d.run_id from breakdown_values v join breakdown_days d using (tenant_id, source, dimension, day) where v.tenant_id = @tenant order by 1";

    [Fact]
    public async Task The_same_answer_again_changes_nothing_and_another_replaces_all_of_its_day()
    {
        await using var engine = await StartAsync();
        var tenant = await AddAsync(engine);
        var days = (await engine.QueryAsync<int>(tenant, "select count(*)::int from kpi_values where tenant_id = @tenant"))[0];
        Assert.Equal([days * 2], await engine.QueryAsync<int>(tenant, "select count(*)::int from breakdown_days where tenant_id = @tenant"));
        var before = await engine.QueryAsync<string>(tenant, Rows);
        Assert.Equal(days * 4, before.Count);
        await RefreshAsync(engine, tenant);
        Assert.Equal(before, await engine.QueryAsync<string>(tenant, Rows));

        // Yesterday is restated: another channel, and one that is gone.
        Answer(engine, sessions: day => day == Today.AddDays(-1) ? 12 : 10, members: day => day == Today.AddDays(-1) ? [("Email", 9), ("Direct", 3)] : [("Direct", 7), ("Organic Search", 3)]);
        await RefreshAsync(engine, tenant);
        Assert.Equal(
            ["channel Direct 3", "channel Email 9", "device Direct 3", "device Email 9"],
            await engine.QueryAsync<string>(tenant, "select dimension || ' ' || member || ' ' || (parts ->> 'web.sessions') from breakdown_values where tenant_id = @tenant and day = '2026-11-21' order by 1"));
        Assert.Equal(
            before.Where(row => !row.Contains(" 2026-11-21 ", StringComparison.Ordinal)),
            (await engine.QueryAsync<string>(tenant, Rows)).Where(row => !row.Contains(" 2026-11-21 ", StringComparison.Ordinal)));
        // Rows add up to the value of each day.
        Assert.Empty(await engine.QueryAsync<DateOnly>(tenant,
            """
            select v.day from kpi_values v
            where v.tenant_id = @tenant and exists (
                select 1 from breakdown_values b where b.tenant_id = @tenant and b.day = v.day group by b.dimension having sum((b.parts ->> 'web.sessions')::numeric) <> v.value)
            """));
    }

    [Fact]
    public async Task Values_are_there_when_how_they_divide_cannot_be_read_and_what_no_longer_fits_is_not_shown_until_it_is_read_again()
    {
        await using var engine = await StartAsync();
        var tenant = await AddAsync(engine);
        const string Stale = "select day from breakdown_days where tenant_id = @tenant and is_stale group by day order by day";

        // Yesterday's value changes and its division is missing; the others are as they were.
        Answer(engine, sessions: day => day == Today.AddDays(-1) ? 12 : 10, members: null, undivided: "Breakdowns could not be read: Google is busy.");
        await RefreshAsync(engine, tenant);
        Assert.Equal(("succeeded", "Breakdowns could not be read: Google is busy.", 0, 0), await engine.LastRunAsync(tenant));
        Assert.Equal([12m], await engine.QueryAsync<decimal>(tenant, "select value from kpi_values where tenant_id = @tenant and day = '2026-11-21'"));
        Assert.Equal([Today.AddDays(-1)], await engine.QueryAsync<DateOnly>(tenant, Stale));
        // Nothing is lost either.
        Assert.Equal([2], await engine.QueryAsync<int>(tenant, "select count(*)::int from breakdown_values where tenant_id = @tenant and day = '2026-11-21' and dimension = 'channel'"));

        Answer(engine, sessions: day => day == Today.AddDays(-1) ? 12 : 10, members: day => [("Direct", day == Today.AddDays(-1) ? 12 : 10)]);
        await RefreshAsync(engine, tenant);
        Assert.Empty(await engine.QueryAsync<DateOnly>(tenant, Stale));
        Assert.Equal(("succeeded", null, 0, 0), await engine.LastRunAsync(tenant));
    }

    [Fact]
    public async Task Days_that_lack_a_division_are_asked_for_again_newest_first_92_at_a_time_until_none_is_left()
    {
        await using var engine = await StartAsync();
        var asked = new List<IReadOnlyList<DateOnly>>();
        Answer(engine, _ => 10, members: null);
        var tenant = await AddAsync(engine, answered: true);
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select count(*)::int from breakdown_days where tenant_id = @tenant"));

        Answer(engine, _ => 10, members: _ => [("Direct", 10)], asked: asked);
        for (var run = 0; run < 6; run++) await RefreshAsync(engine, tenant);

        // The window of a refresh is three days before the last one read, which was today, to today.
        Assert.Equal((92, Today.AddDays(-4)), (asked[0].Count, asked[0][^1]));
        Assert.Equal(asked[0].Order(), asked[0]);
        Assert.Equal((92, asked[0][0].AddDays(-1)), (asked[1].Count, asked[1][^1]));
        Assert.Empty(asked[^1]);
        Assert.Equal([0], await engine.QueryAsync<int>(tenant,
            "select count(*)::int from kpi_values v where v.tenant_id = @tenant and (select count(*) from breakdown_days d where d.tenant_id = @tenant and d.day = v.day) <> 2"));
        // A source that divides nothing is never asked to.
        engine.Other.Dimensions = [];
        await engine.ExecuteAsOwnerAsync("delete from breakdown_days");
        await RefreshAsync(engine, tenant);
        Assert.Empty(asked[^1]);
    }

    [Fact]
    public async Task What_the_source_withdrew_divides_no_more_and_a_failed_fetch_leaves_all_as_it_was()
    {
        await using var engine = await StartAsync();
        var tenant = await AddAsync(engine);
        var before = await engine.QueryAsync<string>(tenant, Rows);
        engine.Other.Fetch = (request, sink, _) =>
        {
            sink.Add(new KpiReading("web.sessions", Today, 99));
            sink.Add(Reading(BreakdownDimension.Channel, Today, [("Direct", 99)]));
            return Task.FromResult<FetchOutcome>(new ProviderDown("It broke off."));
        };
        await RefreshAsync(engine, tenant);
        Assert.Equal(before, await engine.QueryAsync<string>(tenant, Rows));

        Answer(engine, _ => 10, day => [("Direct", 7), ("Organic Search", 3)], without: [Today.AddDays(-2)]);
        for (var again = 0; again < 3; again++)
        {
            engine.Time.Advance(TimeSpan.FromMinutes(20));
            engine.Queue.Release(engine.Time.GetUtcNow());
            await engine.DrainAsync();
        }

        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
        Assert.Equal([0, 0], await engine.QueryAsync<int>(tenant,
            "select count(*)::int from breakdown_days where tenant_id = @tenant and day = '2026-11-20' union all select count(*)::int from breakdown_values where tenant_id = @tenant and day = '2026-11-20'"));
        Assert.Equal(before.Count - 4, (await engine.QueryAsync<string>(tenant, Rows)).Count);
    }

    [Fact]
    public async Task What_an_early_slice_could_not_read_stands_in_the_message_of_the_run_and_once()
    {
        await using var engine = await StartAsync();
        engine.Other.SliceDays = 100;
        var slices = 0;
        engine.Other.Fetch = (request, sink, _) =>
        {
            foreach (var day in Enumerable.Range(0, request.Window.Days).Select(request.Window.From.AddDays)) sink.Add(new KpiReading("web.sessions", day, 10));
            // The first two fail alike, the others go well.
            return Task.FromResult<FetchOutcome>(new FetchSucceeded { Shortfall = slices++ < 2 ? "Breakdowns could not be read: Google is busy." : null, Currency = "(not set)" });
        };
        var (tenant, _) = await engine.AddTenantAsync("google-analytics");
        await RefreshAsync(engine, tenant);
        Assert.True(slices > 3);
        Assert.Equal([("succeeded", "Breakdowns could not be read: Google is busy.")], await engine.QueryAsync<(string, string)>(tenant, "select status, message from sync_runs where tenant_id = @tenant"));
        // And a word that is no currency is none.
        Assert.Equal([null], await engine.QueryAsync<string?>(tenant, "select currency from integrations where tenant_id = @tenant"));
    }

    private static BreakdownReading Reading(BreakdownDimension dimension, DateOnly day, (string Name, decimal Sessions)[] members) => new(
        dimension, day,
        members.ToDictionary(member => member.Name, member => (IReadOnlyDictionary<string, decimal>)new Dictionary<string, decimal> { ["web.sessions"] = member.Sessions }),
        IsWhole: true, Withheld: false);

    private static void Answer(
        Engine engine, Func<DateOnly, decimal> sessions, Func<DateOnly, (string, decimal)[]>? members, string? undivided = null, DateOnly[]? without = null,
        List<IReadOnlyList<DateOnly>>? asked = null) => engine.Other.Fetch = (request, sink, _) =>
    {
        asked?.Add(request.UndividedDays);
        var days = Enumerable.Range(0, request.Window.Days).Select(request.Window.From.AddDays).Where(day => without?.Contains(day) != true).ToList();
        foreach (var day in days) sink.Add(new KpiReading("web.sessions", day, sessions(day)));
        if (members is not null)
        {
            foreach (var day in days.Concat(request.UndividedDays))
            {
                sink.Add(Reading(BreakdownDimension.Channel, day, members(day)));
                sink.Add(Reading(BreakdownDimension.Device, day, members(day)));
            }
        }

        return Task.FromResult<FetchOutcome>(new FetchSucceeded { EmptyDays = without ?? [], Shortfall = undivided });
    };

    private async Task<Engine> StartAsync()
    {
        var engine = await Engine.StartAsync(postgres);
        engine.Other.SliceDays = 1000;
        engine.Other.Dimensions = [BreakdownDimension.Channel, BreakdownDimension.Device];
        engine.Queue.Clock = engine.Time;
        return engine;
    }

    private static async Task<Guid> AddAsync(Engine engine, bool answered = false)
    {
        if (!answered) Answer(engine, _ => 10, _ => [("Direct", 7), ("Organic Search", 3)]);
        var (tenant, _) = await engine.AddTenantAsync("google-analytics");
        await RefreshAsync(engine, tenant);
        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
        return tenant;
    }

    private static async Task RefreshAsync(Engine engine, Guid tenant)
    {
        engine.Time.Advance(TimeSpan.FromMinutes(1));
        await engine.Refresh.StartAsync(tenant, null, "manual", null, TestContext.Current.CancellationToken);
        await engine.DrainAsync();
    }
}
