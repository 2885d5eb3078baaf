using KpiDashboard.Connectors;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Kpis;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

/// <summary>Two integrations of one connector in one business: each is a source of its own, whatever the other does.</summary>
public sealed class SeveralSourcesTests(PostgresFixture postgres)
{
    private static readonly DateOnly Today = new(2026, 11, 22);

    private const string Values = "select source || ' ' || kpi || ' ' || day || ' ' || trim_scale(value) || ' ' || run_id || ' ' || changed_at from kpi_values where tenant_id = @tenant order by 1";

    [Fact]
    public async Task Both_are_read_and_kept_apart_and_the_same_reading_again_changes_nothing_of_either()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, first) = await engine.AddTenantAsync();
        var second = await AddAsync(engine, tenant);
        await RunAsync(engine, tenant, id => id == first ? 10 : 3);

        Assert.Equal(
            [("1", 10m), ("2", 3m)],
            await engine.QueryAsync<(string, decimal)>(tenant, "select distinct source::text, value from kpi_values where tenant_id = @tenant order by 1"));
        Assert.Equal(
            [(first, 1), (second, 2)], await engine.QueryAsync<(Guid, int)>(tenant, "select id, source::int from integrations where tenant_id = @tenant order by source"));
        var before = await engine.QueryAsync<string>(tenant, Values);
        await RunAsync(engine, tenant, id => id == first ? 10 : 3);
        Assert.Equal(before, await engine.QueryAsync<string>(tenant, Values));
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select count(*)::int from kpi_restatements where tenant_id = @tenant"));
    }

    [Fact]
    public async Task What_one_restates_is_recorded_as_its_own_and_leaves_the_other_as_it_was()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, first) = await engine.AddTenantAsync();
        var second = await AddAsync(engine, tenant);
        await RunAsync(engine, tenant, id => id == first ? 10 : 3);
        var others = await engine.QueryAsync<string>(tenant, Values.Replace("order by", "and source = 1 order by", StringComparison.Ordinal));
        await RunAsync(engine, tenant, id => id == first ? 10 : 4);

        Assert.Equal(others, await engine.QueryAsync<string>(tenant, Values.Replace("order by", "and source = 1 order by", StringComparison.Ordinal)));
        var told = await engine.QueryAsync<(short, DateOnly, decimal, decimal)>(
            tenant, "select source, day, old_value, new_value from kpi_restatements where tenant_id = @tenant order by day desc limit 1");
        Assert.Equal([((short)2, Today.AddDays(-1), 3m, 4m)], told);
        Assert.Equal([2], await engine.QueryAsync<int>(tenant, "select distinct source::int from kpi_restatements where tenant_id = @tenant"));
        Assert.Equal(
            second, (await engine.QueryAsync<Guid>(tenant, "select distinct r.integration_id from kpi_restatements k join sync_runs r on r.tenant_id = k.tenant_id and r.id = k.run_id"))[0]);
    }

    [Fact]
    public async Task A_first_day_of_a_source_is_its_own_and_moves_back_as_its_history_comes()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, first) = await engine.AddTenantAsync();
        await AddAsync(engine, tenant);
        engine.Connector.Fetch = (request, sink, _) =>
        {
            var begins = request.IntegrationId == first ? Today.AddDays(-300) : Today.AddDays(-5);
            for (var day = request.Window.From; day <= request.Window.To; day = day.AddDays(1))
                if (day >= begins) sink.Add(new KpiReading("automation.failed", day, 1));
            return Task.FromResult<FetchOutcome>(new FetchSucceeded { CompleteThrough = request.Window.To.AddDays(-1) });
        };
        await engine.Scheduler.TickAsync(TestContext.Current.CancellationToken);
        await engine.DrainClaimsAsync();
        await engine.DrainAsync();
        Assert.Equal(
            [Today.AddDays(-300), Today.AddDays(-5)],
            await engine.QueryAsync<DateOnly>(tenant, "select first_day from integrations where tenant_id = @tenant order by source"));
    }

    [Fact]
    public async Task Many_who_write_different_days_and_sources_of_one_business_at_once_lose_no_value()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, first) = await engine.AddTenantAsync();
        var second = await AddAsync(engine, tenant);
        var now = engine.Time.GetUtcNow();
        // Each writes one day of each of two KPIs, all of the same months; half of the keys have no number yet.
        await Task.WhenAll(Enumerable.Range(0, 60).Select(number => engine.Database.InTenantAsync(tenant, tx => KpiWriter.WriteAsync(
            tx, [("web.sessions", Today.AddDays(-number / 3), number), ($"custom.k{number % 7}", Today.AddDays(-number / 3), number)],
            (number % 3) switch { 0 => first, 1 => second, _ => null }, null, Today, now), TestContext.Current.CancellationToken)));
        Assert.Equal(
            Enumerable.Range(0, 60).Select(number => (decimal)number),
            await engine.QueryAsync<decimal>(tenant, "select value from kpi_values where tenant_id = @tenant and kpi = 'web.sessions' order by 1"));
        Assert.Equal(
            Enumerable.Range(0, 60).Select(number => (decimal)number),
            await engine.QueryAsync<decimal>(tenant, "select value from kpi_values where tenant_id = @tenant and kpi like 'custom.%' order by 1"));
        Assert.Equal([8], await engine.QueryAsync<int>(tenant, "select count(distinct key)::int from kpi_keys where tenant_id = @tenant"));
    }

    [Fact]
    public async Task Days_at_the_ends_of_months_and_a_leap_day_are_the_days_that_were_written()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, integration) = await engine.AddTenantAsync();
        DateOnly[] days = [new(2028, 2, 29), new(2028, 3, 1), new(2027, 12, 31), new(2028, 1, 1), new(2028, 1, 31), new(2028, 4, 30)];
        var readings = days.Select((day, index) => ("web.sessions", day, (decimal)index)).ToList();
        await engine.Database.InTenantAsync(
            tenant, tx => KpiWriter.WriteAsync(tx, readings, integration, null, new DateOnly(2028, 5, 1), engine.Time.GetUtcNow()), TestContext.Current.CancellationToken);
        Assert.Equal(
            readings.Select(reading => (reading.day, reading.Item3)).OrderBy(row => row.day),
            await engine.QueryAsync<(DateOnly, decimal)>(tenant, "select day, value from kpi_values where tenant_id = @tenant order by day"));

        // Taken back one by one: the last one of a month takes its row with it.
        foreach (var day in days.SkipLast(1))
        {
            Assert.Equal(1, await engine.Database.InTenantAsync(
                tenant, async tx => (await KpiWriter.WriteAsync(tx, [], integration, null, day.AddDays(1), engine.Time.GetUtcNow(),
                    new HashSet<DateOnly> { day })).Gone, TestContext.Current.CancellationToken));
        }

        Assert.Equal([new DateOnly(2028, 4, 30)], await engine.QueryAsync<DateOnly>(tenant, "select day from kpi_values where tenant_id = @tenant"));
        Assert.Equal([new DateOnly(2028, 4, 1)], await engine.QueryAsync<DateOnly>(tenant, "select month from kpi_months where tenant_id = @tenant"));
        Assert.Equal(days.Length - 1, (await engine.QueryAsync<int>(tenant, "select count(*)::int from kpi_restatements where tenant_id = @tenant and new_value is null"))[0]);
    }

    private static async Task<Guid> AddAsync(Engine engine, Guid tenant)
    {
        var id = Guid.NewGuid();
        await engine.ExecuteAsOwnerAsync(
            "insert into integrations (tenant_id, id, connector, display_name, next_due_at) values (@tenant, @id, 'n8n', 'The other', @now)",
            new { tenant, id, now = engine.Time.GetUtcNow() });
        return id;
    }

    private static async Task RunAsync(Engine engine, Guid tenant, Func<Guid, decimal> of)
    {
        engine.Connector.Fetch = (request, sink, _) =>
        {
            for (var day = request.Window.To.AddDays(-2); day <= request.Window.To; day = day.AddDays(1))
                if (day >= request.Window.From) sink.Add(new KpiReading("web.sessions", day, of(request.IntegrationId)));
            return Task.FromResult<FetchOutcome>(new FetchSucceeded { CompleteThrough = request.Window.To.AddDays(-1) });
        };
        engine.Time.Advance(TimeSpan.FromMinutes(1));
        await engine.Refresh.StartAsync(tenant, null, "manual", null, TestContext.Current.CancellationToken);
        await engine.DrainAsync();
    }
}
