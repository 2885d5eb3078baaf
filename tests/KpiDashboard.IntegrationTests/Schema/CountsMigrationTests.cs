using Dapper;
using KpiDashboard.Data;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Schema;

/// <summary>What 0030 makes of what was counted before it.</summary>
public sealed class CountsMigrationTests(PostgresFixture postgres)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Runs_become_those_that_finished_prices_those_of_the_past_and_only_what_throws_successes_away_is_not_known()
    {
        var owner = await TestSecrets.DatabaseBeforeAsync(postgres, "0030_", Cancelled);
        await using var source = NpgsqlDataSource.Create(owner);
        await using var connection = await source.OpenConnectionAsync(Cancelled);
        var (tenant, integration, pushed, pusher) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var now = TimeProvider.System.GetUtcNow();
        var day = DateOnly.FromDateTime(now.UtcDateTime).AddDays(-10);
        await connection.ExecuteAsync(
            """
            insert into tenants (id, name, time_zone, currency) values (@tenant, 'Read', 'Europe/Berlin', 'EUR'), (@pusher, 'Pushed', 'UTC', 'EUR');
            insert into integrations (tenant_id, id, connector, display_name, settings, fetched_at) values
                (@tenant, @integration, 'n8n', 'n8n', '{"baseUrl":"https://n8n.example"}', @now), (@pusher, @pushed, 'n8n', 'n8n', '{"pushOnly":true}', @now);
            insert into workflows (tenant_id, integration_id, workflow_id, name, active, keeps_successes, provider_minutes_saved, minutes_saved, updated_at) values
                (@tenant, @integration, 'kept', 'K', true, true, 5, null, @now), (@tenant, @integration, 'set', 'S', true, true, 5, 8, @now), (@tenant, @integration, 'none', 'N', true, true, null, null, @now),
                (@tenant, @integration, 'thrown', 'T', true, false, null, null, @now), (@tenant, @integration, 'off', 'O', false, false, null, null, @now),
                (@pusher, @pushed, 'w', 'W', true, true, null, null, @now);
            insert into executions (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at) values
                (@tenant, @integration, '1', 'kept', 'canceled', 'production', (@day::date + time '12:00') at time zone 'Europe/Berlin'),
                (@tenant, @integration, '2', 'kept', 'canceled', 'manual', (@day::date + time '12:00') at time zone 'Europe/Berlin');
            insert into automation_daily (tenant_id, integration_id, day, workflow_id, executions, succeeded, failed, finished_ms, timed, minutes_saved) values
                (@tenant, @integration, @day, 'kept', 7, 3, 2, 500, 5, 15), (@tenant, @integration, @day, 'thrown', null, null, 4, null, null, null),
                (@tenant, @integration, @day::date - 3, 'thrown', 2, 2, 0, 5, 2, null);
            insert into kpi_values (tenant_id, kpi, day, value, day_ended, integration_id, first_seen_at, changed_at) values
                (@tenant, 'automation.executions', @day, 7, true, @integration, @now, @now), (@tenant, 'automation.succeeded', @day, 3, true, @integration, @now, @now),
                (@tenant, 'automation.failed', @day, 2, true, @integration, @now, @now), (@tenant, 'automation.executions', @day::date - 1, 9, true, @integration, @now, @now),
                (@pusher, 'automation.succeeded', @day, 1, true, @pushed, @now, @now), (@pusher, 'automation.failed', @day, 1, true, @pushed, @now, @now);
            """, new { tenant, integration, pushed, pusher, day, now });

        Assert.Contains(await DatabaseBootstrap.MigrateAsync(owner, Cancelled), name => name.Contains("0030_", StringComparison.Ordinal));

        Assert.Equal(
            [(day.AddDays(-3), "thrown", 2, 0), (day, "kept", 5, 1), (day, "thrown", null, 0)],
            await ManyAsync<(DateOnly, string, int?, int)>("select day, workflow_id, executions, canceled from automation_daily order by day, workflow_id"));
        Assert.Equal([9m, 5m], await ManyAsync<decimal>("select value from kpi_values where kpi = 'automation.executions' order by day"));
        Assert.Equal(
            [("kept", true, 5m), ("set", true, 8m)],
            await ManyAsync<(string, bool, decimal)>("select workflow_id, from_day = '-infinity', minutes from workflow_prices order by 1"));
        Assert.Equal(
            [("kept", true, "{}"), ("none", true, "{}"), ("off", true, "{}"), ("set", true, "{}"), ("thrown", true, $"{{[{day.AddDays(-2):yyyy-MM-dd},)}}"), ("w", false, "{}")],
            await ManyAsync<(string, bool, string)>("select workflow_id, described_at is not null, unmeasured::text from workflows order by 1"));
        Assert.Equal([(false, true), (true, false)], await ManyAsync<(bool, bool)>("select workflows_listed_at is not null, settings ->> 'pushOnly' = 'true' is true from integrations order by 1"));

        async Task<IReadOnlyList<T>> ManyAsync<T>(string sql) => (await connection.QueryAsync<T>(sql)).AsList();
    }

    /// <summary>Start, end, asleep and awake in seconds; how long it was at work.</summary>
    [Theory]
    [InlineData(0, 10, null, null, 10)]
    [InlineData(0, null, null, null, null)]
    [InlineData(10, 5, null, null, null)]
    [InlineData(0, 100, 10, 90, 20)]
    [InlineData(0, 50, 10, 90, null)]
    [InlineData(0, 50, 10, null, null)]
    [InlineData(0, 50, 60, 90, 50)]
    [InlineData(0, 50, 10, 50, 10)]
    public async Task Time_at_work_is_without_what_was_waited(int started, int? stopped, int? asleep, int? wakes, int? expected)
    {
        var (owner, _) = await TestSecrets.MigratedDatabaseAsync(postgres, Cancelled);
        await using var source = NpgsqlDataSource.Create(owner);
        await using var connection = await source.OpenConnectionAsync(Cancelled);
        Assert.Equal(expected, await connection.QuerySingleAsync<int?>(
            """
            select extract(epoch from time_at_work(t + @started * s, t + @stopped::int * s, t + @asleep::int * s, t + @wakes::int * s))::int
            from (values (timestamptz '2026-01-01Z', interval '1 second')) v (t, s)
            """, new { started, stopped, asleep, wakes }));
    }
}
