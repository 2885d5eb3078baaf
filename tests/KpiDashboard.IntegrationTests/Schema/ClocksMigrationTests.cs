using Dapper;
using KpiDashboard.Data;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Schema;

/// <summary>A database of the version before, with the rows that it let in, and what the migrations make of them.</summary>
public sealed class ClocksMigrationTests(PostgresFixture postgres)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_an_older_version_let_in_is_mended_and_everything_else_stays_as_it_was()
    {
        var owner = await TestSecrets.DatabaseBeforeAsync(postgres, "0023_", Cancelled);
        await using var source = NpgsqlDataSource.Create(owner);
        await using var connection = await source.OpenConnectionAsync(Cancelled);

        // Two businesses: one in Berlin, whose source is in Auckland, and one whose zone Postgres does not know.
        var (tenant, integration, lost, lostIntegration) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var (day, now) = (DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).AddDays(-10), TimeProvider.System.GetUtcNow());
        // 12:00 in Auckland of that day, which is another one in UTC.
        var noon = LocalTime(day, 12, "Pacific/Auckland");
        await connection.ExecuteAsync(
            """
            insert into tenants (id, name, time_zone, currency) values (@tenant, 'Old', 'Europe/Berlin', 'EUR'), (@lost, 'Nowhere', 'Mars/Base', 'EUR');
            insert into integrations (tenant_id, id, connector, display_name, time_zone, complete_through, final_through) values
                (@tenant, @integration, 'n8n', 'n8n', 'Pacific/Auckland', @day, @day::date + 4), (@lost, @lostIntegration, 'n8n', 'n8n', null, null, @day);
            insert into integrations (tenant_id, id, connector, display_name, complete_through, final_through) values
                (@tenant, gen_random_uuid(), 'a', 'before', @day, @day::date - 3), (@tenant, gen_random_uuid(), 'b', 'same', @day, @day), (@tenant, gen_random_uuid(), 'c', 'none', @day, null);
            insert into executions (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at, stopped_at) values
                (@tenant, @integration, 'ten seconds', 'w1', 'succeeded', 'production', @noon, @noon + interval '10 seconds'),
                (@tenant, @integration, 'for ever', 'w1', 'succeeded', 'production', @noon, '9999-12-31Z'),
                (@tenant, @integration, 'no end', 'w1', 'succeeded', 'production', @noon, null),
                (@tenant, @integration, 'twenty seconds', 'w1', 'failed', 'production', @noon, @noon + interval '20 seconds'),
                (@tenant, @integration, 'by hand, for ever', 'w1', 'succeeded', 'manual', @noon, @now + interval '3 days'),
                (@tenant, @integration, 'still going on', 'w1', 'unfinished', 'production', @noon, null),
                (@tenant, @integration, 'five seconds', 'w2', 'succeeded', 'production', @noon, @noon + interval '5 seconds'),
                (@tenant, @integration, 'a clock ahead by hours', 'w3', 'succeeded', 'production', @now, @now + interval '6 hours'),
                (@lost, @lostIntegration, 'for ever', 'w1', 'failed', 'production', @noon, 'infinity');
            insert into automation_daily (tenant_id, integration_id, day, workflow_id, executions, succeeded, failed, finished_ms) values
                (@tenant, @integration, @day, 'w1', 5, 3, 1, 251000000000000), (@tenant, @integration, @day, 'w2', 1, 1, 0, 5000),
                -- A day whose executions are gone already, and one of a source that keeps no successes.
                (@tenant, @integration, @day::date - 100, 'w1', 4, 3, 1, 7000), (@tenant, @integration, @day::date - 101, 'w1', null, null, 2, null),
                (@lost, @lostIntegration, (@noon at time zone 'UTC')::date, 'w1', 1, 0, 1, 251000000000000);
            insert into kpi_values (tenant_id, kpi, day, value, day_ended, integration_id, first_seen_at, changed_at) values
                (@tenant, 'automation.finished_ms', @day, 251000000005000, true, @integration, @now, @now), (@tenant, 'automation.finished_ms', @day::date - 100, 7000, true, @integration, @now, @now),
                (@tenant, 'automation.executions', @day, 6, true, @integration, @now, @now),
                (@lost, 'automation.finished_ms', (@noon at time zone 'UTC')::date, 251000000000000, true, @lostIntegration, @now, @now);
            """, new { tenant, integration, lost, lostIntegration, day, noon, now });
        var ends = await EndsAsync();

        var later = await DatabaseBootstrap.MigrateAsync(owner, Cancelled);
        Assert.Contains(later, name => name.Contains("0024_", StringComparison.Ordinal));

        // Ends that cannot be are none, of whatever kind the run was; no other end was touched.
        var mended = await EndsAsync();
        Assert.Equal(["by hand, for ever", "for ever", "for ever"], ends.Except(mended).Select(end => end.Id).Order(StringComparer.Ordinal));
        Assert.All(mended.Where(end => end.Id.EndsWith("for ever", StringComparison.Ordinal)), end => Assert.Equal("", end.End));

        // Durations are added up without them, and how many runs have one is known: of w1 two of four.
        Assert.Equal(
            [(day.AddDays(-101), "w1", null, null), (day.AddDays(-100), "w1", 7000L, 4), (day, "w1", 30_000L, 2), (day, "w2", 5000L, 1)],
            await ManyAsync<(DateOnly, string, long?, int?)>("select day, workflow_id, finished_ms, timed from automation_daily where tenant_id = @tenant order by day, workflow_id"));
        Assert.Equal([(0L, 0)], await ManyAsync<(long, int)>("select finished_ms, timed from automation_daily where tenant_id = @lost"));
        Assert.Equal(
            [("automation.executions", day, 6m), ("automation.finished_ms", day.AddDays(-100), 7000m), ("automation.finished_ms", day, 35_000m), ("automation.timed", day.AddDays(-100), 4m), ("automation.timed", day, 3m)],
            await ManyAsync<(string, DateOnly, decimal)>("select kpi, day, value from kpi_values where tenant_id = @tenant order by kpi, day"));
        Assert.Equal(
            [("automation.finished_ms", 0m), ("automation.timed", 0m)], await ManyAsync<(string, decimal)>("select kpi, value from kpi_values where tenant_id = @lost order by kpi"));

        // What is not complete is not final, and what was right stays.
        Assert.Equal(
            [("before", day.AddDays(-3)), ("n8n", day), ("none", null), ("same", day)],
            await ManyAsync<(string, DateOnly?)>("select display_name, final_through from integrations where tenant_id = @tenant order by display_name"));
        Assert.Equal([null], await ManyAsync<DateOnly?>("select final_through from integrations where tenant_id = @lost"));
        await Assert.ThrowsAsync<PostgresException>(() => connection.ExecuteAsync("update integrations set final_through = complete_through + 1 where tenant_id = @tenant and complete_through is not null", new { tenant }));
        // A zone that nobody knows is one since, and no statement fails for it.
        Assert.Equal(["UTC"], await ManyAsync<string>("select safe_zone(time_zone) from tenants where id = @lost"));
        NpgsqlConnection.ClearAllPools();

        async Task<IReadOnlyList<T>> ManyAsync<T>(string sql) => (await connection.QueryAsync<T>(sql, new { tenant, lost })).AsList();

        Task<IReadOnlyList<(string Id, string End)>> EndsAsync() =>
            ManyAsync<(string, string)>("select execution_id, coalesce(stopped_at::text, '') from executions order by tenant_id = @lost, execution_id");
    }

    private static DateTimeOffset LocalTime(DateOnly day, int hour, string zone)
    {
        var local = day.ToDateTime(new TimeOnly(hour, 0));
        return new DateTimeOffset(local, TimeZoneInfo.FindSystemTimeZoneById(zone).GetUtcOffset(local)).ToUniversalTime();
    }
}
