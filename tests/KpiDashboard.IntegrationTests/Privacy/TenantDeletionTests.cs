using Dapper;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.IntegrationTests.Sync;
using KpiDashboard.Data;
using KpiDashboard.Privacy;
using KpiDashboard.Sync;
using KpiDashboard.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Privacy;

/// <summary>Deleted means that nothing is left anywhere, and that nobody else lost anything.</summary>
public sealed class TenantDeletionTests(PostgresFixture postgres) : IAsyncLifetime
{
    private PrivacyRig _rig = null!;
    private PlantedTenant _a = null!, _b = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _rig = await PrivacyRig.StartAsync(postgres);
        await using var connection = await _rig.OpenOwnerAsync();
        _a = await PlantedTenant.AddAsync(connection, "quokka", _rig.Time.GetUtcNow());
        _b = await PlantedTenant.AddAsync(connection, "numbat", _rig.Time.GetUtcNow());
    }

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Fact]
    public async Task After_the_time_of_grace_no_row_of_it_is_left_in_any_table_and_the_other_tenant_is_untouched()
    {
        await _rig.Exporter.RunAsync(await _rig.AskAsync(_a), Cancelled);
        await _rig.Exporter.RunAsync(await _rig.AskAsync(_b), Cancelled);
        string[] mine = [_a.Id.ToString(), _a.Owner.ToString(), _a.Member.ToString(), _a.Integration.ToString(), _a.Run.ToString(), _a.Marker];
        var found = await FindAsync(mine);
        // The search must be able to find something everywhere it will find nothing afterwards.
        Assert.Superset(
            new HashSet<string> { "tenants", "users", "memberships", "sessions", "refresh_tokens", "integrations", "sync_runs", "kpi_months", "kpi_writes", "kpi_keys", "kpi_restatements", "audit_log", "mail_outbox", "dead_letters", "tenant_exports", "tenant_export_parts" },
            found.Keys.ToHashSet());
        var other = await DumpAsync([_b.Id.ToString(), _b.Owner.ToString(), _b.Member.ToString(), _b.Marker]);
        Assert.True(other.Count > 5000, $"Only {other.Count} rows are there to compare.");

        await PendAsync(_a, TimeSpan.FromDays(14));
        _rig.Time.Advance(TimeSpan.FromDays(14) - TimeSpan.FromSeconds(1));
        await _rig.Deletion.RunAsync(Cancelled);
        Assert.NotEmpty(await FindAsync([_a.Id.ToString()]));

        _rig.Time.Advance(TimeSpan.FromSeconds(1));
        await _rig.Deletion.RunAsync(Cancelled);
        Assert.Equal([], (await FindAsync(mine)).Select(entry => $"{entry.Key}: {entry.Value}"));
        Assert.Equal(other, await DumpAsync([_b.Id.ToString(), _b.Owner.ToString(), _b.Member.ToString(), _b.Marker]));
    }

    [Fact]
    public async Task Who_belongs_to_another_business_keeps_the_account_and_stays_signed_in()
    {
        await _rig.ExecuteAsync("insert into memberships (tenant_id, user_id, role) values (@Id, @Member, 'viewer')", new { _b.Id, _a.Member });
        await PendAsync(_a, TimeSpan.FromDays(1));
        _rig.Time.Advance(TimeSpan.FromDays(2));
        await _rig.Deletion.RunAsync(Cancelled);

        Assert.Equal([_a.Member], await _rig.ManyAsync<Guid>("select id from users where id in (@Owner, @Member)", new { _a.Owner, _a.Member }));
        Assert.Equal(1, await _rig.OneAsync<int>("select count(*)::int from sessions where user_id = @Member", new { _a.Member }));
        Assert.Equal(1, await _rig.OneAsync<int>("select count(*)::int from refresh_tokens where user_id = @Member and tenant is null", new { _a.Member }));
    }

    [Fact]
    public async Task A_changed_mind_keeps_it_and_a_deletion_runs_once_from_two_instances()
    {
        await PendAsync(_a, TimeSpan.FromDays(1));
        await _rig.ExecuteAsync("update tenants set delete_after = null where id = @Id", new { _a.Id });
        _rig.Time.Advance(TimeSpan.FromDays(2));
        await _rig.Deletion.RunAsync(Cancelled);
        Assert.Equal([false], await _rig.Database.QueryAsync<bool>("select delete_tenant(@Id, @now)", new { _a.Id, now = _rig.Time.GetUtcNow() }, Cancelled));
        Assert.Equal(1, await _rig.OneAsync<int>("select count(*)::int from tenants where id = @Id", new { _a.Id }));

        await PendAsync(_a, TimeSpan.Zero);
        var twice = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => _rig.Database.QueryAsync<bool>("select delete_tenant(@Id, @now)", new { _a.Id, now = _rig.Time.GetUtcNow() }, Cancelled)));
        Assert.Equal([false, true], twice.SelectMany(answer => answer).Order());
    }

    /// <summary>Somebody holds the business and wants its integration, which the deletion holds: Postgres ends the one that waits longer.</summary>
    // Under a moved clock a Postgres that waits for a lock never looks: its alarm reads the true time, and takes itself for too early.
    [Trait("Clock", "none")]
    [Fact]
    public async Task A_deletion_that_Postgres_ends_for_a_deadlock_is_tried_again_and_is_nobodys_fault()
    {
        await PendAsync(_a, TimeSpan.Zero);
        var database = new NpgsqlConnectionStringBuilder(_rig.App.ConnectionString).Database;
        await using var other = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(postgres.AdminConnectionString) { Database = database, Pooling = false }.ConnectionString);
        await other.OpenAsync(Cancelled);
        // Whoever waits so long looks whether it is a deadlock, once, and is the one that is ended: that shall be the deletion, however
        // slow the machine is.
        await other.ExecuteAsync($"alter role kpi_app in database {database} set deadlock_timeout = '10s'; set deadlock_timeout = '5min'");
        _rig.App.Clear();
        await using var held = await other.BeginTransactionAsync(Cancelled);
        await other.ExecuteAsync("select 1 from tenants where id = @Id for update", new { _a.Id }, held);
        var deletion = _rig.Deletion.RunAsync(Cancelled);
        await Eventually.TrueAsync(
            async () => await other.QuerySingleAsync<int>(
                "select count(*)::int from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid))", transaction: held) == 1,
            TimeSpan.FromMinutes(1), "the deletion waits for the business");
        // It comes by that only once the transaction is ended that has it, and that one waits for the business.
        await other.ExecuteAsync("select 1 from integrations where tenant_id = @Id for update", new { _a.Id }, held);
        Assert.False(deletion.IsCompleted);
        await held.CommitAsync(Cancelled);
        await deletion;

        Assert.Equal([], await _rig.ManyAsync<string>("select reason from tenant_faults"));
        Assert.Equal(0, await _rig.OneAsync<int>("select count(*)::int from tenants where id = @Id", new { _a.Id }));
    }

    [Fact]
    public async Task A_sync_at_work_at_that_moment_brings_nothing_back_and_messages_that_are_left_do_nothing()
    {
        var run = Guid.NewGuid();
        await _rig.ExecuteAsync(
            "insert into sync_runs (tenant_id, id, integration_id, connector, trigger, queued_at, updated_at) values (@Id, @run, @Integration, 'n8n', 'manual', now(), now())", new { _a.Id, run, _a.Integration });
        await _rig.ExecuteAsync("update integrations set credentials = null where tenant_id = @Id", new { _a.Id });
        await PendAsync(_a, TimeSpan.Zero);
        var connector = new ScriptedConnector();
        var read = connector.Fetch;
        connector.Fetch = async (request, sink, token) =>
        {
            // The deletion comes while the provider is asked.
            await _rig.Deletion.RunAsync(token);
            return await read(request, sink, token);
        };
        var queue = new ScriptedQueue();
        var runner = new SyncRunner(_rig.Database, queue, [connector], new ProviderCircuits(_rig.Database, _rig.Time), _rig.Sealer, new Instruments(_rig.Time), _rig.Time, NullLogger<SyncRunner>.Instance);
        var message = new SyncMessage(SyncMessage.CurrentVersion, _a.Id, _a.Integration, run, 0, null);
        await runner.RunAsync(message, Cancelled);
        Assert.Equal(1, connector.Fetches);
        Assert.Equal([], (await FindAsync([_a.Id.ToString(), _a.Marker])).Keys);

        await runner.RunAsync(message, Cancelled);
        await _rig.Exporter.RunAsync(new TenantExportMessage(1, _a.Id, Guid.NewGuid(), null), Cancelled);
        Assert.Equal(1, connector.Fetches);
        Assert.Empty(queue.Sent);
        Assert.Equal([], (await FindAsync([_a.Id.ToString(), _a.Marker])).Keys);
    }

    [Fact]
    public async Task A_sync_that_holds_its_rows_is_waited_for()
    {
        await PendAsync(_a, TimeSpan.Zero);
        Task deletion;
        await using (var connection = await _rig.App.OpenConnectionAsync(Cancelled))
        {
            await using var transaction = await connection.BeginTransactionAsync(Cancelled);
            await using var write = new Npgsql.NpgsqlCommand(
                $"select set_config('app.tenant_id', '{_a.Id}', true); update integrations set lease_until = now(); insert into kpi_values (tenant_id, kpi, day, value, day_ended, first_seen_at, changed_at) values ('{_a.Id}', 'late', '2026-01-01', 1, true, now(), now())",
                connection);
            await write.ExecuteNonQueryAsync(Cancelled);
            deletion = _rig.Deletion.RunAsync(Cancelled);
            await App.Eventually.TrueAsync(
                async () => await _rig.OneAsync<int>(
                    """
                    select count(*)::int from pg_locks w
                    where not w.granted and exists (
                        select 1 from pg_locks d where d.pid = w.pid and d.database = (select oid from pg_database where datname = current_database()))
                    """) > 0,
                TimeSpan.FromMinutes(1), "the deletion waits");
            Assert.False(deletion.IsCompleted);
            await using var bump = new Npgsql.NpgsqlCommand("update tenants set data_version = data_version + 1", connection);
            await bump.ExecuteNonQueryAsync(Cancelled);
            await transaction.CommitAsync(Cancelled);
        }

        await deletion;
        Assert.Equal([], (await FindAsync([_a.Id.ToString(), _a.Marker])).Keys);
    }

    [Fact]
    public async Task Housekeeping_forgets_what_is_old_and_one_failing_step_stops_no_other()
    {
        var ran = new List<string>();
        var housekeeping = new Housekeeping(
            [
                new HousekeepingStep("one", _ => throw new InvalidOperationException("broken")),
                new HousekeepingStep("two", _ => { ran.Add("two"); return Task.CompletedTask; }),
            ],
            NullLogger<Housekeeping>.Instance);
        await housekeeping.RunAsync(Cancelled);
        Assert.Equal(["two"], ran);

        var now = _rig.Time.GetUtcNow();
        await _rig.ExecuteAsync("update sessions set ended_at = @old where user_id = @Owner", new { old = now.UtcDateTime - TimeSpan.FromDays(31), _a.Owner });
        await _rig.ExecuteAsync("update refresh_tokens set revoked_at = @old where user_id = @Owner", new { old = now.UtcDateTime - TimeSpan.FromDays(31), _a.Owner });
        await _rig.ExecuteAsync("update idempotency_keys set created_at = @old where tenant_id = @Id", new { old = now.UtcDateTime - TimeSpan.FromHours(25), _a.Id });
        Assert.Equal([2], await _rig.Database.QueryAsync<int>("select purge_sessions(@before)", new { before = now - TimeSpan.FromDays(30) }, Cancelled));
        Assert.Equal([1], await _rig.Database.QueryAsync<int>("select purge_idempotency_keys(@before)", new { before = now - TimeSpan.FromHours(24) }, Cancelled));
        Assert.Equal(3, await _rig.OneAsync<int>("select count(*)::int from sessions"));
    }

    [Fact]
    public async Task No_reference_to_an_account_stands_in_the_way_of_erasing_it()
    {
        var references = await _rig.ManyAsync<(string Table, char OnDelete)>("select conrelid::regclass::text, confdeltype from pg_constraint where contype = 'f' and confrelid = 'users'::regclass");
        Assert.True(references.Count >= 5, $"Only {references.Count} references were found.");
        Assert.All(references, reference => Assert.True(reference.OnDelete is 'c' or 'n', $"{reference.Table} keeps accounts from being erased: let its reference cascade or be set to null."));
    }

    private Task PendAsync(PlantedTenant tenant, TimeSpan grace) =>
        _rig.ExecuteAsync("update tenants set deletion_requested_at = @now, delete_after = @at where id = @Id", new { tenant.Id, now = _rig.Time.GetUtcNow().UtcDateTime, at = (_rig.Time.GetUtcNow() + grace).UtcDateTime });

    /// <summary>Rows by table that hold one of the texts in any column, whatever its type.</summary>
    private async Task<Dictionary<string, long>> FindAsync(string[] texts) => (await CountsAsync(texts)).Where(entry => entry.Value > 0).ToDictionary();

    private async Task<Dictionary<string, long>> CountsAsync(string[] texts)
    {
        var counts = new Dictionary<string, long>();
        foreach (var table in await TablesAsync())
            counts[table] = await _rig.OneAsync<long>($"select count(*) from {table} x where exists (select 1 from unnest(@texts) t where strpos(lower(x::text), lower(t)) > 0)", new { texts });
        return counts;
    }

    private async Task<List<string>> DumpAsync(string[] texts)
    {
        var rows = new List<string>();
        foreach (var table in await TablesAsync())
            rows.AddRange(await _rig.ManyAsync<string>($"select '{table} ' || x::text from {table} x where exists (select 1 from unnest(@texts) t where strpos(lower(x::text), lower(t)) > 0) order by 1", new { texts }));
        return rows;
    }

    private async Task<List<string>> TablesAsync()
    {
        var tables = await _rig.ManyAsync<string>("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1");
        Assert.True(tables.Count > 18, $"Only {tables.Count} tables were found.");
        return tables;
    }
}
