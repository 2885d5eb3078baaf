using System.Text.Json;
using KpiDashboard.Automation;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.IntegrationTests.Sync;
using KpiDashboard.Kpis;
using KpiDashboard.Operations;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Operations;

/// <summary>The clock stands at 2026-11-22 12:00 UTC, businesses are in Berlin: 90 days before is 2026-08-24, 25 months before is 2024-10-22.</summary>
public sealed class RetentionTests(PostgresFixture postgres)
{
    private static readonly DateOnly From = new(2025, 10, 1), To = new(2026, 11, 21), Kept = new(2026, 8, 24);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answers_of_all_ranges_are_the_same_when_executions_became_daily_totals_and_nothing_younger_is_touched()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var tenants = new List<(Guid Tenant, Guid Integration)>();
        for (var i = 0; i < 3; i++) tenants.Add(await BusyAsync(engine));
        var before = await AnswersAsync(engine, tenants);
        var young = await YoungAsync(engine, tenants);

        var retention = Make(engine);
        var removed = await retention.CompactExecutionsAsync(Cancelled);

        Assert.Equal(3 * 327 * 8, removed);
        Assert.Equal(before, await AnswersAsync(engine, tenants));
        Assert.Equal(young, await YoungAsync(engine, tenants));
        Assert.Equal([0], await engine.QueryAsOwnerAsync<int>("select count(*)::int from executions where started_at < timestamptz '2026-08-24 00:00 Europe/Berlin'"));
        Assert.Equal(0, await retention.CompactExecutionsAsync(Cancelled));

        // What comes later for those days changes nothing: they are not added up again, and what is too old goes with the next run.
        await engine.Database.InTenantAsync(tenants[0].Tenant, async tx =>
        {
            await tx.ExecuteAsync(
                "insert into executions (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at) values (@tenant, @i, 'late', 'w0', 'failed', 'production', '2026-08-01 12:00Z')",
                new { i = tenants[0].Integration });
            Assert.Empty(await AutomationWriter.RollUpAsync(tx, tenants[0].Integration, "Europe/Berlin", From, Kept.AddDays(-1)));
            Assert.Equal((Kept, To), Range(await AutomationWriter.RollUpAsync(tx, tenants[0].Integration, "Europe/Berlin", From, To)));
        }, Cancelled);
        Assert.Equal(before, await AnswersAsync(engine, tenants));
        Assert.Equal(1, await retention.CompactExecutionsAsync(Cancelled));
    }

    [Fact]
    public async Task Interrupted_half_way_it_leaves_every_answer_as_it_was_and_goes_on_where_it_stopped()
    {
        await using var engine = await Engine.StartAsync(postgres);
        // In the order in which retention takes them.
        List<(Guid, Guid)> tenants = [.. new[] { await BusyAsync(engine), await BusyAsync(engine) }.OrderBy(business => business.Tenant.ToString("D"), StringComparer.Ordinal)];
        var before = await AnswersAsync(engine, tenants);
        // The limit of a run, and a run that dies within a transaction.
        Assert.Equal(Retention.Batch, await Make(engine, 1).CompactExecutionsAsync(Cancelled));
        await using (var holder = engine.Database is { } database ? await HoldAsync(engine, tenants[0]) : null)
        {
            // A sync holds the first: it is left alone, the second is done.
            Assert.Equal(327 * 8, await Make(engine).CompactExecutionsAsync(Cancelled));
        }

        Assert.Equal(before, await AnswersAsync(engine, tenants));
        Assert.Equal((327 * 8) - Retention.Batch, (await engine.QueryAsOwnerAsync<int>("select count(*)::int from executions where started_at < timestamptz '2026-08-24 00:00 Europe/Berlin'"))[0]);
        // Half of the days' executions are gone now; a sync that adds up the whole range again must not believe the other half.
        await engine.Database.InTenantAsync(tenants[0].Item1, tx => AutomationWriter.RollUpAsync(tx, tenants[0].Item2, "Europe/Berlin", From, To), Cancelled);
        Assert.Equal(before, await AnswersAsync(engine, tenants));
        Assert.Equal((327 * 8) - Retention.Batch, await Make(engine).CompactExecutionsAsync(Cancelled));
        Assert.Equal(before, await AnswersAsync(engine, tenants));
    }

    [Fact]
    public async Task A_moved_time_zone_counts_the_days_anew_that_still_have_executions_and_keeps_the_others()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, integration) = await BusyAsync(engine);
        await engine.ExecuteAsOwnerAsync(
            """
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, queued_at, updated_at, finished_at) values (@tenant, gen_random_uuid(), @integration, 'n8n', 'manual', 'succeeded', now(), now(), now());
            update integrations set read_from = '2025-10-01', read_to = '2026-11-22', fetched_at = '2026-11-22 12:00Z' where id = @integration
            """, new { tenant, integration });
        await Make(engine).CompactExecutionsAsync(Cancelled);
        var old = await engine.QueryAsync<string>(tenant, "select d::text from automation_daily d where day < '2026-08-24' order by day, workflow_id");
        await engine.Database.InTenantAsync(tenant, async tx =>
        {
            await ZoneMove.LockAsync(tx);
            await ZoneMove.ApplyAsync(tx, "Europe/Berlin", "America/New_York", engine.Time.GetUtcNow());
        }, Cancelled);

        Assert.Equal(old, await engine.QueryAsync<string>(tenant, "select d::text from automation_daily d where day < '2026-08-24' order by day, workflow_id"));
        Assert.Equal([Kept], await engine.QueryAsync<DateOnly>(tenant, "select executions_kept_from from integrations where tenant_id = @tenant"));
        var sum = await engine.QueryAsync<long>(tenant, "select sum(executions) from automation_daily where tenant_id = @tenant and day > '2026-08-24'");
        var counted = await engine.QueryAsync<long>(tenant,
            """
            select count(*) from executions
            where tenant_id = @tenant and (started_at at time zone 'America/New_York')::date > '2026-08-24' and status in ('succeeded', 'failed')
            """);
        Assert.Equal(counted, sum);
    }

    [Fact]
    public async Task Values_go_after_25_months_to_the_day_with_their_restatements_and_totals_and_the_version_tells()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, integration) = await engine.AddTenantAsync();
        await engine.ExecuteAsOwnerAsync(
            """
            insert into kpi_values (tenant_id, kpi, day, value, day_ended, integration_id, first_seen_at, changed_at)
            select @tenant, 'k' || k, date '2024-10-22' + n, n, true, @integration, now(), now() from generate_series(-3000, 3) n, generate_series(1, 2) k;
            insert into kpi_restatements (tenant_id, kpi, day, old_value, new_value, at) select @tenant, 'k1', date '2024-10-22' + n, 1, 2, now() from generate_series(-2, 2) n;
            insert into automation_daily (tenant_id, integration_id, day, workflow_id, failed) select @tenant, @integration, date '2024-10-22' + n, 'w', 1 from generate_series(-2, 2) n;
            insert into breakdown_days (tenant_id, source, dimension, day, is_whole, withheld, run_id, changed_at)
            select @tenant, 1, 'channel', date '2024-10-22' + n, true, false, @integration, now() from generate_series(-2, 2) n;
            insert into breakdown_values (tenant_id, source, dimension, day, member, parts) select @tenant, 1, 'channel', date '2024-10-22' + n, 'Direct', '{}' from generate_series(-2, 2) n;
            update integrations set read_from = '2020-01-01' where id = @integration
            """, new { tenant, integration });
        var version = (await engine.QueryAsync<long>(tenant, "select data_version from tenants"))[0];

        // In two goes: the first ends at its limit.
        Assert.InRange(await Make(engine, 1).RemoveValuesAsync(Cancelled), 1, 5 * Retention.Batch);
        Assert.Equal([null], await engine.QueryAsync<DateOnly?>(tenant, "select values_kept_from from tenants"));
        await Make(engine).RemoveValuesAsync(Cancelled);

        Assert.Equal(["8 2024-10-22", "3 2024-10-22", "3 2024-10-22", "3 2024-10-22", "3 2024-10-22"], await engine.QueryAsync<string>(tenant,
            """
            select count(*) || ' ' || min(day) from kpi_values union all select count(*) || ' ' || min(day) from kpi_restatements
            union all select count(*) || ' ' || min(day) from automation_daily
            union all select count(*) || ' ' || min(day) from breakdown_values union all select count(*) || ' ' || min(day) from breakdown_days
            """));
        Assert.Equal([new DateOnly(2024, 10, 22)], await engine.QueryAsync<DateOnly>(tenant, "select values_kept_from from tenants"));
        Assert.Equal([new DateOnly(2024, 10, 22)], await engine.QueryAsync<DateOnly>(tenant, "select read_from from integrations"));
        Assert.True((await engine.QueryAsync<long>(tenant, "select data_version from tenants"))[0] > version);
        Assert.Equal(0, await Make(engine).RemoveValuesAsync(Cancelled));
        engine.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(6, await Make(engine).RemoveValuesAsync(Cancelled));
    }

    [Fact]
    public async Task Audit_entries_go_after_seven_years_and_the_database_refuses_what_is_younger_than_one()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        await engine.ExecuteAsOwnerAsync(
            """
            insert into audit_log (tenant_id, at, actor_kind, actor_name, action)
            select @tenant, timestamptz '2026-11-22 12:00Z' - make_interval(years => n) + d * interval '1 second', 'system', n::text, 'tenant.created'
            from unnest(array[0, 6, 7, 8]) n, unnest(array[-1, 1]) d
            """, new { tenant });
        Assert.Equal(3, await Make(engine).RemoveAuditEntriesAsync(Cancelled));
        Assert.Equal(["0", "0", "6", "6", "7"], await engine.QueryAsync<string>(tenant, "select actor_name from audit_log order by at desc"));

        foreach (var before in new[] { "now()", "now() - interval '11 months'", "null::timestamptz", "'infinity'::timestamptz" })
        {
            var error = await Assert.ThrowsAsync<PostgresException>(() => engine.Database.QueryAsync<int>($"select purge_audit_log({before}, 10)", new { }, Cancelled));
            Assert.Equal(PostgresErrorCodes.CheckViolation, error.SqlState);
        }

        var direct = await Assert.ThrowsAsync<PostgresException>(() => engine.Database.InTenantAsync(tenant, tx => tx.ExecuteAsync("delete from audit_log where tenant_id = @tenant"), Cancelled));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, direct.SqlState);
    }

    /// <summary>Ninety days before the clock is 2026-08-24: syncs that ended on the 23rd go, those of the 24th stay.</summary>
    [Fact]
    public async Task Ended_syncs_go_after_90_days_with_their_requests_but_not_those_that_a_number_came_from_nor_the_newest()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, integration) = await engine.AddTenantAsync();
        var (other, otherIntegration) = await engine.AddTenantAsync();
        // 450 old ones: three transactions. Of the named ones, each tells why it stays or goes.
        await engine.ExecuteAsOwnerAsync(
            """
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, message, queued_at, updated_at, finished_at)
            select @tenant, gen_random_uuid(), @integration, 'n8n', 'schedule', 'succeeded', 'bulk', t, t, t
            from (select timestamptz '2026-05-01 00:00Z' + n * interval '15 minutes' as t from generate_series(1, 450) n) x;
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, message, queued_at, updated_at, finished_at)
            select @tenant, gen_random_uuid(), @integration, 'n8n', 'schedule', status, name, ended, ended, ended
            from (values ('failed long ago', 'failed', timestamptz '2026-06-01 00:00Z'), ('dead long ago', 'dead', '2026-06-02 00:00Z'), ('read a value', 'succeeded', '2026-06-03 00:00Z'),
                         ('restated', 'succeeded', '2026-06-04 00:00Z'), ('day before', 'succeeded', '2026-08-23 23:59Z'), ('first day', 'succeeded', '2026-08-24 00:00Z')) v (name, status, ended);
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, message, queued_at, updated_at)
            values (@tenant, gen_random_uuid(), @integration, 'n8n', 'schedule', 'waiting', 'waits since May', '2026-05-01 00:00Z', '2026-05-01 00:00Z');
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, message, queued_at, updated_at, finished_at)
            values (@other, gen_random_uuid(), @otherIntegration, 'n8n', 'schedule', 'succeeded', 'the only one', '2026-05-01 00:00Z', '2026-05-01 00:00Z', '2026-05-01 00:00Z');
            insert into sync_requests (tenant_id, run_id, operation, fetched_at, rows, sampled, thresholded)
            select tenant_id, id, 'executions', queued_at, 1, false, false from sync_runs, generate_series(1, 3);
            insert into kpi_values (tenant_id, kpi, day, value, day_ended, integration_id, run_id, first_seen_at, changed_at)
            select @tenant, 'automation.executions', '2026-06-02', 1, true, @integration, id, finished_at, finished_at from sync_runs where message = 'read a value';
            insert into kpi_restatements (tenant_id, kpi, day, old_value, new_value, run_id, at)
            select @tenant, 'automation.executions', '2026-06-02', 1, 2, id, finished_at from sync_runs where message = 'restated'
            """, new { tenant, integration, other, otherIntegration });
        var version = (await engine.QueryAsync<long>(tenant, "select data_version from tenants"))[0];
        var untouched = (await engine.QueryAsync<long>(other, "select data_version from tenants"))[0];

        // The limit of a run ends it after one transaction, and what is left is not forgotten.
        Assert.Equal(Retention.RunBatch, await Make(engine, 1).RemoveRunsAsync(Cancelled));
        Assert.Equal(453 - Retention.RunBatch, await Make(engine).RemoveRunsAsync(Cancelled));
        Assert.Equal(0, await Make(engine).RemoveRunsAsync(Cancelled));

        Assert.Equal(["waits since May", "read a value", "restated", "first day"], await engine.QueryAsync<string>(tenant, "select message from sync_runs order by queued_at"));
        Assert.Equal(["the only one"], await engine.QueryAsync<string>(other, "select message from sync_runs"));
        Assert.Equal([15], await engine.QueryAsOwnerAsync<int>("select count(*)::int from sync_requests"));
        Assert.True((await engine.QueryAsync<long>(tenant, "select data_version from tenants"))[0] > version);
        Assert.Equal([untouched], await engine.QueryAsync<long>(other, "select data_version from tenants"));
        Assert.Equal([2], await engine.QueryAsOwnerAsync<int>("select count(*)::int from tenants where runs_kept_from = '2026-08-24'"));

        // When the number goes, so does what it came from.
        await engine.ExecuteAsOwnerAsync("delete from kpi_values where tenant_id = @tenant", new { tenant });
        engine.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, await Make(engine).RemoveRunsAsync(Cancelled));
        // The last one ended more than 90 days ago by now, but nothing came after it.
        Assert.Equal(["waits since May", "restated", "first day"], await engine.QueryAsync<string>(tenant, "select message from sync_runs order by queued_at"));
    }

    [Fact]
    public async Task The_database_refuses_to_remove_syncs_of_the_last_30_days_and_the_app_cannot_do_it_by_itself()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, integration) = await engine.AddTenantAsync();
        await engine.ExecuteAsOwnerAsync(
            """
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, queued_at, updated_at, finished_at)
            select @tenant, gen_random_uuid(), @integration, 'n8n', 'schedule', 'succeeded', t, t, t from (values (now() - interval '29 days'), (now())) v (t)
            """, new { tenant, integration });
        foreach (var before in new[] { "now()", "now() - interval '29 days'", "null::timestamptz", "'infinity'::timestamptz" })
        {
            var error = await Assert.ThrowsAsync<PostgresException>(() => engine.Database.InTenantAsync(tenant, tx => tx.QuerySingleAsync<int>($"select purge_sync_runs({before}, 10)"), Cancelled));
            Assert.Equal(PostgresErrorCodes.CheckViolation, error.SqlState);
        }

        foreach (var table in new[] { "sync_runs", "sync_requests" })
        {
            var direct = await Assert.ThrowsAsync<PostgresException>(() => engine.Database.InTenantAsync(tenant, tx => tx.ExecuteAsync($"delete from {table} where tenant_id = @tenant"), Cancelled));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, direct.SqlState);
        }

        // Without a tenant it finds none.
        Assert.Equal([0], await engine.Database.QueryAsync<int>("select purge_sync_runs(now() - interval '31 days', 10)", new { }, Cancelled));
        Assert.Equal([2], await engine.QueryAsOwnerAsync<int>("select count(*)::int from sync_runs"));
    }

    private static Retention Make(Engine engine, int? most = null)
    {
        var options = Options.Create(new RetentionOptions());
        return most is { } rows
            ? new Retention(engine.Database, engine.Faults, options, engine.Time, NullLogger<Retention>.Instance) { MaxRows = rows }
            : new Retention(engine.Database, engine.Faults, options, engine.Time, NullLogger<Retention>.Instance);
    }

    /// <summary>A tenant with eight executions a day of three workflows for 417 days, added up as a sync does.</summary>
    private static async Task<(Guid Tenant, Guid Integration)> BusyAsync(Engine engine)
    {
        var (tenant, integration) = await engine.AddTenantAsync();
        await engine.ExecuteAsOwnerAsync(
            """
            insert into workflows (tenant_id, integration_id, workflow_id, name, active, provider_minutes_saved, updated_at)
            select @tenant, @integration, 'w' || n, 'W' || n, true, n, now() from generate_series(0, 2) n;
            insert into workflow_prices (tenant_id, integration_id, workflow_id, from_day, minutes) select @tenant, @integration, 'w' || n, '-infinity', n from generate_series(0, 2) n;
            insert into executions (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at, stopped_at)
            select @tenant, @integration, d || '-' || n, 'w' || (n % 3), (array['succeeded', 'failed', 'succeeded', 'canceled', 'unfinished'])[1 + (d + n) % 5], 'production',
                   (date '2025-10-01' + d)::timestamp at time zone 'Europe/Berlin' + n * interval '3 hours', (date '2025-10-01' + d)::timestamp at time zone 'Europe/Berlin' + n * interval '3 hours 1 second'
            from generate_series(0, 416) d, generate_series(0, 7) n
            """, new { tenant, integration });
        await engine.Database.InTenantAsync(tenant, async tx =>
        {
            var readings = await AutomationWriter.RollUpAsync(tx, integration, "Europe/Berlin", From, To);
            await KpiWriter.WriteAsync(tx, readings, integration, null, new DateOnly(2026, 11, 22), engine.Time.GetUtcNow());
        }, Cancelled);
        return (tenant, integration);
    }

    /// <summary>What <c>automation/performance</c> reads, for a range of every kind.</summary>
    private static async Task<string> AnswersAsync(Engine engine, IEnumerable<(Guid Tenant, Guid)> tenants)
    {
        var answers = new List<object>();
        foreach (var (tenant, _) in tenants)
        {
            foreach (var (from, to) in new[] { ("2025-10-01", "2026-11-21"), ("2026-08-01", "2026-08-31"), ("2026-08-23", "2026-08-24"), ("2026-11-01", "2026-11-21"), ("2025-10-01", "2025-10-01") })
            {
                answers.Add(await engine.QueryAsync<string>(tenant, $"select kpi || ' ' || sum(value) || ' ' || count(*) from kpi_values where tenant_id = @tenant and day between '{from}' and '{to}' group by kpi order by 1"));
                answers.Add(await engine.QueryAsync<string>(tenant,
                    $"select workflow_id || ' ' || sum(executions) || ' ' || sum(succeeded) || ' ' || sum(failed) || ' ' || sum(finished_ms) || ' ' || sum(minutes_saved) from automation_daily where tenant_id = @tenant and day between '{from}' and '{to}' group by workflow_id order by 1"));
            }
        }

        var text = JsonSerializer.Serialize(answers);
        Assert.True(text.Length > 2000, text);
        return text;
    }

    private static Task<IReadOnlyList<string>> YoungAsync(Engine engine, IEnumerable<(Guid, Guid)> tenants) => engine.QueryAsOwnerAsync<string>(
        "select e::text from executions e where started_at >= timestamptz '2026-08-24 00:00 Europe/Berlin' and tenant_id = any (@ids) order by 1", new { ids = tenants.Select(one => one.Item1).ToArray() });

    private static (DateOnly, DateOnly) Range(IReadOnlyList<(string Kpi, DateOnly Day, decimal Value)> readings) => (readings.Min(reading => reading.Day), readings.Max(reading => reading.Day));

    private static async Task<IAsyncDisposable> HoldAsync(Engine engine, (Guid Tenant, Guid Integration) place)
    {
        var release = new TaskCompletionSource();
        var held = new TaskCompletionSource();
        var work = engine.Database.InTenantAsync(place.Tenant, async tx =>
        {
            await tx.ExecuteAsync("select 1 from integrations where id = @Integration for update", new { place.Integration });
            held.SetResult();
            await release.Task;
        }, Cancelled);
        await held.Task;
        return new Holder(release, work);
    }

    private sealed class Holder(TaskCompletionSource release, Task work) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            release.SetResult();
            await work;
        }
    }
}
