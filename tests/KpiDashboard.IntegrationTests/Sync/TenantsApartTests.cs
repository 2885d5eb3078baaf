using System.Text.Json;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Operations;
using KpiDashboard.Privacy;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

/// <summary>
/// One business never stops the others: bad rows of every type that the columns let in, planted past every check among healthy businesses, and everything that the
/// clock starts walked over all of them.
/// </summary>
public sealed class TenantsApartTests(PostgresFixture postgres)
{
    /// <summary>What is planted: how it is called, the statement, and under which step operators see it (null: nothing is wrong with the business for us).</summary>
    private static readonly (string Name, string Sql, string? Step)[] Bad =
    [
        ("zone with a prefix", "update tenants set time_zone = 'posix/Europe/Berlin' where id = @tenant", "zone"),
        ("zone of nowhere", "update tenants set time_zone = 'Mars/Base' where id = @tenant", "zone"),
        ("POSIX zone", "update tenants set time_zone = '<-03>3' where id = @tenant", "zone"),
        ("zone beyond the day", "update tenants set time_zone = 'UTC+25' where id = @tenant", "zone"),
        ("no zone", "update tenants set time_zone = '' where id = @tenant", "zone"),
        ("zone in blanks", "update tenants set time_zone = ' Europe/Berlin ' where id = @tenant", "zone"),
        ("zone of 100,000 letters", "update tenants set time_zone = repeat('Europe/', 20000) where id = @tenant", "zone"),
        ("zone of other letters", "update tenants set time_zone = E'\\U0001F30D/\\u202E' where id = @tenant", "zone"),
        ("zone of a source", "update integrations set time_zone = 'right/Europe/Berlin' where tenant_id = @tenant", "zone"),
        ("due since for ever", "update integrations set next_due_at = '-infinity' where tenant_id = @tenant", null),
        ("due since 4000 BC", "update integrations set next_due_at = '4000-01-01 BC' where tenant_id = @tenant", null),
        ("due in 9999", "update integrations set next_due_at = '9999-12-31' where tenant_id = @tenant", "row"),
        ("due never", "update integrations set next_due_at = 'infinity' where tenant_id = @tenant", "row"),
        ("fetched before all", "update integrations set fetched_at = '-infinity' where tenant_id = @tenant", "row"),
        ("fetched after all", "update integrations set fetched_at = '294276-12-31' where tenant_id = @tenant", "row"),
        ("complete for ever", "update integrations set complete_through = 'infinity' where tenant_id = @tenant", "row"),
        ("complete in a far year", "update integrations set complete_through = '5874897-12-31' where tenant_id = @tenant", "row"),
        ("read since 4713 BC", "update integrations set read_from = '4713-01-01 BC' where tenant_id = @tenant", "row"),
        ("leased for ever", "update integrations set lease_token = gen_random_uuid(), lease_until = 'infinity' where tenant_id = @tenant", "row"),
        ("settings that are a list", "update integrations set settings = '[1, [2, [3]]]' where tenant_id = @tenant", "row"),
        ("settings that are a number", "update integrations set settings = '1e400' where tenant_id = @tenant", "row"),
        ("settings without end", "update integrations set settings = jsonb_build_object('a', repeat('x', 1000000)) where tenant_id = @tenant", "row"),
        ("connector of another version", "update integrations set connector = 'tomorrow' where tenant_id = @tenant", "row"),
        ("connector that no queue has", "update integrations set connector = E'Bad Name!\\U0001F4A5' where tenant_id = @tenant", "enqueue"),
        ("schedule of no kind", "update integrations set schedule = 'now and then' where tenant_id = @tenant", null),
        ("hour of no day", "update integrations set sync_hour = 32000 where tenant_id = @tenant", null),
        ("version at its end", "update tenants set data_version = 9223372036854775807 where id = @tenant", "retention of values"),
        ("made before all", "update tenants set created_at = '-infinity' where id = @tenant", null),
        ("run that waits for ever",
            """
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, queued_at, updated_at, next_attempt_at)
            select tenant_id, gen_random_uuid(), id, connector, 'manual', 'waiting', @now - interval '1 day', @now - interval '1 day', 'infinity' from integrations where tenant_id = @tenant
            """, "run"),
        ("run from 4000 BC",
            """
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, queued_at, updated_at, next_attempt_at)
            select tenant_id, gen_random_uuid(), id, connector, 'manual', 'queued', '4000-01-01 BC', '4000-01-01 BC', '4000-01-01 BC' from integrations where tenant_id = @tenant
            """, "run"),
        ("run with a trace of 100,000 letters",
            """
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, queued_at, updated_at, traceparent)
            select tenant_id, gen_random_uuid(), id, connector, 'manual', 'queued', @now - interval '1 hour', @now - interval '1 hour', repeat('x', 100000) from integrations where tenant_id = @tenant
            """, null),
        ("dead before all",
            """
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, queued_at, updated_at, finished_at)
            select tenant_id, gen_random_uuid(), id, connector, 'manual', 'dead', '-infinity', @now, '4000-01-01 BC' from integrations where tenant_id = @tenant
            """, null),
        ("to be deleted since 4000 BC, and something holds it", "update tenants set delete_after = '4000-01-01 BC' where id = @tenant; insert into holds values (@tenant)", "deletion"),
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_bad_row_of_every_type_leaves_the_others_served_and_is_reported()
    {
        await using var engine = await Engine.StartAsync(postgres);
        await UnguardAsync(engine);
        var now = engine.Time.GetUtcNow();
        var (healthy, bad) = (new List<Guid>(), new List<(Guid Tenant, string Name, string? Step)>());
        foreach (var (name, sql, step) in Bad)
        {
            healthy.Add((await engine.AddTenantAsync()).Tenant);
            var (tenant, _) = await engine.AddTenantAsync();
            await AddOldAsync(engine, tenant);
            await engine.ExecuteAsOwnerAsync(sql, new { tenant, now });
            bad.Add((tenant, name, step));
        }

        foreach (var tenant in healthy) await AddOldAsync(engine, tenant);
        var (leaving, _) = await engine.AddTenantAsync();
        await engine.ExecuteAsOwnerAsync("update tenants set delete_after = @now where id = @leaving", new { leaving, now });

        await InspectAsync(engine);
        var faults = (await FaultsAsync(engine)).ToList();

        // Everything that the clock starts, twice: what failed once must not be in the way of the second time.
        for (var round = 0; round < 2; round++)
        {
            await engine.Scheduler.TickAsync(Cancel);
            await engine.DrainClaimsAsync();
            await DrainAsync(engine);
            await new TenantDeletion(engine.Database, engine.Faults, engine.Time, NullLogger<TenantDeletion>.Instance).RunAsync(Cancel);
            await new Retention(engine.Database, engine.Faults, Options.Create(new RetentionOptions()), engine.Time, NullLogger<Retention>.Instance).RunAsync(Cancel);
            foreach (var sql in Sweeps) await engine.Database.QueryAsync<object>(sql, new { now }, Cancel);
        }

        await InspectAsync(engine);

        Assert.Equal(
            healthy.Count, (await engine.QueryAsOwnerAsync<int>("select count(distinct tenant_id)::int from sync_runs where tenant_id = any (@ids) and status = 'succeeded'", new { ids = healthy.ToArray() }))[0]);
        Assert.Equal(
            [(healthy.Count, healthy.Count, healthy.Count)],
            await engine.QueryAsOwnerAsync<(int, int, int)>(
                "select count(values_kept_from)::int, count(runs_kept_from)::int, (count(*) filter (where i.next_due_at > @now))::int from tenants t join integrations i on i.tenant_id = t.id where t.id = any (@ids)",
                new { ids = healthy.ToArray(), now }));
        Assert.Equal(
            [(0, 0)], await engine.QueryAsOwnerAsync<(int, int)>(
                "select (select count(*) from executions where tenant_id = any (@ids))::int, (select count(*) from kpi_values where tenant_id = any (@ids) and day < '2024-01-01')::int", new { ids = healthy.ToArray() }));
        Assert.Equal([0], await engine.QueryAsOwnerAsync<int>("select count(*)::int from tenants where id = @leaving", new { leaving }));
        // Those with a zone that nobody knows are served in UTC.
        Assert.Equal(
            [(9, 9)], await engine.QueryAsOwnerAsync<(int, int)>(
                "select count(distinct r.tenant_id)::int, (count(distinct i.tenant_id) filter (where i.next_due_at > @now))::int from sync_runs r join integrations i on i.tenant_id = r.tenant_id where r.tenant_id = any (@ids) and r.status = 'succeeded'",
                new { ids = bad.Where(one => one.Step == "zone").Select(one => one.Tenant).ToArray(), now }));

        // Reported by name, each of them, and nobody else.
        faults.AddRange(await FaultsAsync(engine));
        foreach (var (tenant, name, step) in bad.Where(one => one.Step is not null))
            Assert.True(faults.Any(fault => fault.Tenant == tenant && fault.Step == step), $"{name} is not reported as {step}: {string.Join(", ", faults.Where(fault => fault.Tenant == tenant))}");
        Assert.All(faults, fault => Assert.DoesNotContain(fault.Tenant, healthy));
        Assert.All(faults, fault => Assert.False(string.IsNullOrWhiteSpace(fault.Reason)));

        // What operators look at shows all of it.
        await AssertOperatorsSeeAsync(engine);

        // It can be cleared; what is still so comes back, what was mended does not.
        var mended = bad.First(one => one.Name == "zone of nowhere").Tenant;
        await engine.ExecuteAsOwnerAsync("update tenants set time_zone = 'Europe/Berlin' where id = @mended", new { mended });
        foreach (var (tenant, _, _) in bad) await engine.Database.QueryAsync<int>("select clear_tenant_faults(@tenant, null)", new { tenant }, Cancel);
        Assert.Equal([0L], await engine.Database.QueryAsync<long>("select count_faulty_tenants()", new { }, Cancel));
        await InspectAsync(engine);
        var again = (await engine.Database.QueryAsync<Guid>("select tenant_id from list_tenant_faults(1000)", new { }, Cancel)).ToHashSet();
        Assert.DoesNotContain(mended, again);
        Assert.All(bad.Where(one => one.Step is "zone" && one.Tenant != mended), one => Assert.Contains(one.Tenant, again));
    }

    [Fact]
    public async Task A_step_that_goes_well_again_settles_what_was_noted_and_failing_ones_take_nobodys_place()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (one, first) = await engine.AddTenantAsync();
        var (two, _) = await engine.AddTenantAsync();
        await engine.Faults.ForEachAsync("a step", new[] { (one, first), (two, Guid.Empty) }, item => (item.Item1, item.Item2 == Guid.Empty ? null : item.Item2),
            item => item.Item1 == one ? throw new InvalidOperationException("secret words of a business") : Task.FromResult(true), Cancel);
        var faults = await engine.Database.QueryAsync<(Guid, string, string, string, int)>("select tenant_id, step, subject, reason, times from list_tenant_faults(10)", new { }, Cancel);
        Assert.Equal([(one, "a step", first.ToString(), "A fault of the kind InvalidOperationException; the log has more.", 1)], faults);

        await engine.Faults.ForEachAsync("a step", new[] { one }, _ => (one, first), _ => throw new InvalidOperationException(), Cancel);
        Assert.Equal([2], await engine.Database.QueryAsync<int>("select times from list_tenant_faults(10)", new { }, Cancel));
        await engine.Faults.ForEachAsync("a step", new[] { one }, _ => (one, first), _ => Task.FromResult(true), Cancel);
        Assert.Empty(await engine.Database.QueryAsync<int>("select times from list_tenant_faults(10)", new { }, Cancel));

        // Of 500 places a run looks at, those that failed lately come last.
        await engine.Database.ExecuteAsync("select note_tenant_fault(@one, 'retention of values', null, 'r', @now)", new { one, now = engine.Time.GetUtcNow() }, Cancel);
        Assert.Equal([two], await engine.Database.QueryAsync<Guid>("select tenant_id from list_old_values(@now, 25, 1)", new { now = engine.Time.GetUtcNow() }, Cancel));
        // A business that is gone has no faults, and the application reads and writes none by itself.
        await engine.Database.ExecuteAsync("select note_tenant_fault(gen_random_uuid(), 's', null, 'r', now())", new { }, Cancel);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => engine.QueryAsync<string>(one, "select reason from tenant_faults"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Fact]
    public async Task Zones_that_are_stored_already_are_mended_and_the_audit_log_says_so()
    {
        await using var engine = await Engine.StartAsync(postgres);
        await UnguardAsync(engine);
        (string Stored, string Mended)[] zones =
        [
            ("posix/Europe/Berlin", "Europe/Berlin"), ("right/America/New_York", "America/New_York"), (" Europe/Berlin\n", "Europe/Berlin"), ("europe/BERLIN", "Europe/Berlin"),
            ("Mars/Base", "UTC"), ("<-03>3", "UTC"), ("Factory", "UTC"), ("", "UTC"), ("UTC+25", "UTC"), ("Europe/Berlin", "Europe/Berlin"),
        ];
        var tenants = new List<Guid>();
        foreach (var (stored, _) in zones)
        {
            var (tenant, _) = await engine.AddTenantAsync("google-analytics");
            tenants.Add(tenant);
            await engine.ExecuteAsOwnerAsync("update tenants set time_zone = @stored where id = @tenant; update integrations set time_zone = @stored where tenant_id = @tenant", new { tenant, stored });
        }

        await engine.ExecuteAsOwnerAsync("call mend_zones()");
        await engine.ExecuteAsOwnerAsync("call mend_zones()");

        for (var i = 0; i < zones.Length; i++)
        {
            var (stored, mended) = zones[i];
            Assert.Equal(
                [(mended, mended)],
                await engine.QueryAsOwnerAsync<(string, string)>("select t.time_zone, i.time_zone from tenants t join integrations i on i.tenant_id = t.id where t.id = @id", new { id = tenants[i] }));
            var entries = await engine.QueryAsOwnerAsync<(string Kind, string Before, string After)>(
                "select subject_kind, before ->> 'timeZone', after ->> 'timeZone' from audit_log where tenant_id = @id order by 1", new { id = tenants[i] });
            (string, string, string)[] expected = stored == mended ? [] : [("integration", stored, mended), ("tenant", stored, mended)];
            Assert.Equal(expected, entries);
            var told = await engine.QueryAsOwnerAsync<int>("select count(*)::int from tenant_faults where tenant_id = @id and step = 'mended zone'", new { id = tenants[i] });
            Assert.Equal([mended == "UTC" ? 2 : 0], told);
        }
    }

    [Fact]
    public async Task The_database_itself_refuses_a_zone_that_it_does_not_know()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, _) = await engine.AddTenantAsync();
        foreach (var zone in new[] { "posix/Europe/Berlin", "Mars/Base", "<-03>3", "", "UTC+25", "Factory" })
        {
            foreach (var sql in new[] { "update tenants set time_zone = @zone where id = @tenant", "update integrations set time_zone = @zone where tenant_id = @tenant" })
            {
                var refused = await Assert.ThrowsAsync<PostgresException>(() => engine.ExecuteAsOwnerAsync(sql, new { zone, tenant }));
                Assert.Equal(PostgresErrorCodes.CheckViolation, refused.SqlState);
            }
        }

        // But a restore onto a server that lacks a zone goes on: it puts the guards aside, as this does.
        await engine.ExecuteAsOwnerAsync(
            """
            alter table tenants disable trigger user;
            update tenants set time_zone = 'Mars/Base' where id = @tenant;
            alter table tenants enable trigger user
            """,
            new { tenant });
        Assert.Equal(["Mars/Base"], await engine.QueryAsOwnerAsync<string>("select time_zone from tenants where id = @tenant", new { tenant }));
    }

    [Fact]
    public async Task A_zone_that_a_provider_names_and_nobody_knows_is_said_of_that_source_and_nothing_is_written()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, integration) = await engine.AddTenantAsync();
        var (other, _) = await engine.AddTenantAsync();
        var read = engine.Connector.Fetch;
        engine.Connector.Fetch = async (request, sink, token) =>
            request.IntegrationId == integration ? ((KpiDashboard.Connectors.FetchSucceeded)await read(request, sink, token)) with { TimeZone = "posix/Europe/Berlin" } : await read(request, sink, token);
        await engine.Scheduler.TickAsync(Cancel);
        await engine.DrainAsync();

        var (status, message, _, _) = await engine.LastRunAsync(tenant);
        Assert.Equal("failed", status);
        Assert.Contains("the time zone \"posix/Europe/Berlin\", which is not known here", message, StringComparison.Ordinal);
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select count(*)::int from kpi_values where tenant_id = @tenant"));
        Assert.Equal((null, 1), (await engine.QueryAsync<(string?, int)>(tenant, "select time_zone, consecutive_failures from integrations where tenant_id = @tenant"))[0]);
        Assert.Equal("succeeded", (await engine.LastRunAsync(other)).Status);
    }

    private static Task<IReadOnlyList<int>> InspectAsync(Engine engine) => engine.Database.QueryAsync<int>(
        "select inspect_tenants(@now, @keys)", new { now = engine.Time.GetUtcNow(), keys = new[] { "n8n", "google-analytics" } }, Cancel);

    private static Task<IReadOnlyList<(Guid Tenant, string Step, string Reason)>> FaultsAsync(Engine engine) =>
        engine.Database.QueryAsync<(Guid, string, string)>("select tenant_id, step, reason from list_tenant_faults(1000)", new { }, Cancel);

    /// <summary>As the queue does it: a message that throws comes five times, then to poison, and none of that is another message's trouble.</summary>
    private static async Task DrainAsync(Engine engine)
    {
        var tries = new Dictionary<KpiDashboard.Sync.SyncMessage, int>();
        while (engine.Queue.TryTake(out var message))
        {
            try
            {
                if (tries.GetValueOrDefault(message) < 5) await engine.Runner.RunAsync(message, Cancel);
                else await engine.DeadLetters.HandleAsync("sync-n8n-poison", JsonSerializer.Serialize(message), Cancel);
            }
            catch (Exception) when (!Cancel.IsCancellationRequested)
            {
                tries[message] = tries.GetValueOrDefault(message) + 1;
                if (tries[message] < 10) engine.Queue.Put(message);
            }
        }
    }

    private static readonly string[] Sweeps =
    [
        "select * from sweep_lost_runs(@now, interval '0', interval '0', 500)",
        "select * from sweep_tenant_exports(@now, interval '2 minutes', interval '15 minutes', 500)",
        "select * from sweep_imports(@now, interval '15 minutes', 500)",
        "select * from sweep_mail(@now, interval '2 minutes', interval '15 minutes', 500)",
        "select purge_sessions(@now), purge_idempotency_keys(@now), purge_dead_letters(@now), purge_tenant_exports(@now), purge_google_grants(@now)",
        "select * from oldest_due_work(@now)",
        "select count_dead_letters()",
    ];

    /// <summary>Ops views and their JSON, as the endpoints read them.</summary>
    private static async Task AssertOperatorsSeeAsync(Engine engine)
    {
        var now = engine.Time.GetUtcNow();
        var overview = await OpsEndpoints.StateAsync(engine.Database, now, Cancel);
        Assert.True(overview.Faults.Tenants > 15);
        await engine.Database.QueryAsync<(Guid, Guid, string, string, string, DateTimeOffset?, DateTimeOffset?)>(
            "select tenant_id, integration_id, connector, state, schedule, next_due_at, fetched_at from ops_integrations(@now, null, null, null, 1000)", new { now }, Cancel);
        await engine.Database.QueryAsync<DateOnly?>("select complete_through from ops_integrations(@now, null, null, null, 1000)", new { now }, Cancel);
        await engine.Database.QueryAsync<DateTimeOffset?>("select last_queued_at from ops_integrations(@now, null, null, null, 1000)", new { now }, Cancel);
        await engine.Database.QueryAsync<(Guid, string, bool, DateTimeOffset, DateTimeOffset?)>(
            "select tenant_id, name, is_demo, created_at, delete_after from ops_tenants(@now, 1000)", new { now }, Cancel);
        await engine.Database.QueryAsync<DateTimeOffset?>("select fetched_at from ops_tenants(@now, 1000)", new { now }, Cancel);
        await engine.Database.QueryAsync<(Guid, DateTimeOffset, DateTimeOffset?)>("select run_id, queued_at, finished_at from ops_runs(null, null, 1000)", new { now }, Cancel);
        await engine.Database.QueryAsync<(string, string, DateTimeOffset)>("select kind, key, at from list_dead_letters(null, null, 1000)", new { now }, Cancel);
        await engine.Database.QueryAsync<(string, DateTimeOffset)>("select queue, since from oldest_due_work(@now)", new { now }, Cancel);
        // An operator of many businesses sees all of his.
        var person = Guid.NewGuid();
        await engine.ExecuteAsOwnerAsync(
            """
            insert into users (id, email, email_key, display_name) values (@person, 'o@x.example', 'o@x.example', 'O');
            insert into memberships (tenant_id, user_id, role) select id, @person, 'viewer' from tenants
            """, new { person });
        await engine.Database.QueryAsync<(DateTimeOffset?, DateOnly?, DateOnly?, DateOnly?, DateOnly?, DateTimeOffset?)>(
            "select fetched_at, complete_through, final_through, measurable_from, read_from, next_due_at from list_sources_of(@person, @now)", new { person, now }, Cancel);
        await engine.Database.QueryAsync<(string, DateTimeOffset?)>("select time_zone, delete_after from list_tenants_of(@person)", new { person }, Cancel);
    }

    /// <summary>An execution and a value that are past their time.</summary>
    private static Task AddOldAsync(Engine engine, Guid tenant) => engine.ExecuteAsOwnerAsync(
        """
        insert into executions (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at, stopped_at)
        select tenant_id, id, 'old', 'w', 'succeeded', 'production', @now - interval '200 days', @now - interval '200 days' from integrations where tenant_id = @tenant;
        insert into kpi_values (tenant_id, kpi, day, value, day_ended, first_seen_at, changed_at) values (@tenant, 'custom.old', '2020-01-01', 1, true, @now, @now)
        """, new { tenant, now = engine.Time.GetUtcNow() });

    /// <summary>Takes the last lines of defence away: what they hold off is what is planted.</summary>
    private static Task UnguardAsync(Engine engine) => engine.ExecuteAsOwnerAsync(
        """
        alter table tenants disable trigger tenants_zone;
        alter table integrations disable trigger integrations_zone;
        alter table tenants drop constraint tenants_data_version;
        alter table integrations drop constraint integrations_schedule_check, drop constraint integrations_sync_hour_check;
        create table holds (tenant uuid references tenants (id));
        """);
}
