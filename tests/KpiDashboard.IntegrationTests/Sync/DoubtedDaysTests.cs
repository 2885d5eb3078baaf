using KpiDashboard.Connectors;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Sync;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

public sealed class DoubtedDaysTests(PostgresFixture postgres)
{
    private static readonly DateOnly Today = new(2026, 11, 22);

    [Fact]
    public async Task An_empty_answer_for_a_day_that_had_data_is_asked_again_and_nothing_of_it_is_written_meanwhile()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var tenant = await ReadOnceAsync(engine);
        var (fetches, empty) = (engine.Connector.Fetches, true);
        Answer(engine, _ => empty ? [Today.AddDays(-1)] : [], 12);
        await RefreshAsync(engine, tenant);

        Assert.Equal(fetches + 1, engine.Connector.Fetches);
        Assert.Equal(("waiting", "Scripted sent nothing for a day that had numbers; we ask again before we believe that.", 0, 0), await engine.LastRunAsync(tenant));
        Assert.Equal([10m], await engine.QueryAsync<decimal>(tenant, "select distinct value from kpi_values where tenant_id = @tenant"));

        empty = false;
        await AgainAsync(engine);
        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
        Assert.Equal([12m], await engine.QueryAsync<decimal>(tenant, "select value from kpi_values where tenant_id = @tenant and day = '2026-11-21'"));
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select count(*)::int from kpi_restatements where tenant_id = @tenant and new_value is null"));
    }

    [Fact]
    public async Task What_is_empty_twice_is_believed_and_the_value_that_was_there_stays_among_the_restatements()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var tenant = await ReadOnceAsync(engine);
        Answer(engine, _ => [Today.AddDays(-2)], 10);
        await RefreshAsync(engine, tenant);
        await AgainAsync(engine);

        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select count(*)::int from kpi_values where tenant_id = @tenant and day = '2026-11-20'"));
        Assert.Equal([("web.sessions", new DateOnly(2026, 11, 20), 10m, null)],
            await engine.QueryAsync<(string, DateOnly, decimal, decimal?)>(tenant, "select kpi, day, old_value, new_value from kpi_restatements where tenant_id = @tenant"));
        Assert.Equal([1], await engine.QueryAsync<int>(tenant, "select restated from sync_runs where tenant_id = @tenant order by queued_at desc limit 1"));

        // It stays away without further questions, and may come back.
        var fetches = engine.Connector.Fetches;
        await RefreshAsync(engine, tenant);
        Assert.Equal((fetches + 1, "succeeded"), (engine.Connector.Fetches, (await engine.LastRunAsync(tenant)).Status));
        Answer(engine, _ => [], 11);
        await RefreshAsync(engine, tenant);
        Assert.Equal([11m], await engine.QueryAsync<decimal>(tenant, "select value from kpi_values where tenant_id = @tenant and day = '2026-11-20'"));
    }

    [Fact]
    public async Task Another_day_that_comes_up_empty_at_the_second_question_is_asked_again_too_and_a_day_without_data_never_is()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var tenant = await ReadOnceAsync(engine);
        var asked = 0;
        Answer(engine, _ => ++asked == 1 ? [Today.AddDays(-1)] : asked == 2 ? [Today.AddDays(-1), Today.AddDays(-2)] : [], 10);
        await RefreshAsync(engine, tenant);
        await AgainAsync(engine);
        Assert.Equal("waiting", (await engine.LastRunAsync(tenant)).Status);
        await AgainAsync(engine);
        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
        Assert.Equal(3, asked);

        // 400 days ago nothing was ever known.
        Answer(engine, _ => [Today.AddDays(-1000)], 10);
        await RefreshAsync(engine, tenant);
        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
    }

    [Fact]
    public async Task Every_run_reads_three_days_again_and_once_a_week_fourteen()
    {
        await using var engine = await Engine.StartAsync(postgres);
        engine.Connector.SliceDays = 1000;
        var windows = new List<int>();
        var read = engine.Connector.Fetch;
        engine.Connector.Fetch = (request, sink, token) => { windows.Add(request.Window.Days); return read(request, sink, token); };
        await engine.AddTenantAsync();
        engine.Queue.Clock = engine.Time;
        await engine.LiveAsync(TimeSpan.FromDays(16));
        // From three days before the last that was read, which was yesterday, to today; the first is the backfill, which is a deep reading as well.
        Assert.Equal([5, 5, 5, 5, 5, 5, 5, 15, 5, 5, 5, 5, 5, 5, 15, 5], windows.Skip(1));
    }

    private static void Answer(Engine engine, Func<FetchRequest, DateOnly[]> empty, decimal value) => engine.Connector.Fetch = (request, sink, _) =>
    {
        var without = empty(request);
        for (var day = request.Window.From; day <= request.Window.To; day = day.AddDays(1))
        {
            if (!without.Contains(day)) sink.Add(new KpiReading("web.sessions", day, value));
        }

        return Task.FromResult<FetchOutcome>(new FetchSucceeded { EmptyDays = without });
    };

    private static async Task<Guid> ReadOnceAsync(Engine engine)
    {
        engine.Connector.SliceDays = 1000;
        engine.Queue.Clock = engine.Time;
        var (tenant, _) = await engine.AddTenantAsync();
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

    private static async Task AgainAsync(Engine engine)
    {
        engine.Time.Advance(RetryPolicy.DoubtTime);
        engine.Queue.Release(engine.Time.GetUtcNow());
        await engine.DrainAsync();
    }
}
