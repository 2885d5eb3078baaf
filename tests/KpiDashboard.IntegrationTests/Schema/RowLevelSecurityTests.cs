using Dapper;
using KpiDashboard.Data;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Schema;

/// <summary>What the database itself refuses, whatever the application does.</summary>
[Trait("Clock", "none")]
public sealed class RowLevelSecurityTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly Guid A = Guid.NewGuid(), B = Guid.NewGuid();
    private NpgsqlDataSource _owner = null!, _app = null!;

    public async ValueTask InitializeAsync()
    {
        var (owner, app) = await TestSecrets.MigratedDatabaseAsync(postgres, TestContext.Current.CancellationToken);
        (_owner, _app) = (NpgsqlDataSource.Create(owner), NpgsqlDataSource.Create(app));
        await using var connection = await _owner.OpenConnectionAsync(TestContext.Current.CancellationToken);
        // One row in every tenant table, for each of two tenants.
        foreach (var tenant in new[] { A, B })
        {
            var (integration, run, user) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
            await connection.ExecuteAsync(
                """
                insert into tenants (id, name, time_zone, currency) values (@tenant, 'T', 'Europe/Berlin', 'EUR');
                insert into users (id, email, email_key, display_name) values (@user, @user::text || '@x.example', @user::text, 'U');
                insert into memberships (tenant_id, user_id, role) values (@tenant, @user, 'owner');
                insert into integrations (tenant_id, id, connector, display_name, next_due_at) values (@tenant, @integration, 'n8n', 'n8n', now());
                insert into sync_runs (tenant_id, id, integration_id, connector, trigger, queued_at, updated_at) values (@tenant, @run, @integration, 'n8n', 'manual', now(), now());
                insert into sync_requests (tenant_id, run_id, operation, fetched_at, rows, sampled, thresholded) values (@tenant, @run, 'GET /', now(), 1, false, false);
                insert into kpi_values (tenant_id, kpi, day, value, day_ended, first_seen_at, changed_at) values (@tenant, 'web.sessions', '2026-01-01', 1, true, now(), now());
                insert into kpi_restatements (tenant_id, kpi, day, old_value, new_value, at) values (@tenant, 'web.sessions', '2026-01-01', 1, 2, now());
                insert into breakdown_days (tenant_id, source, dimension, day, is_whole, withheld, run_id, changed_at) values (@tenant, 1, 'channel', '2026-01-01', true, false, @run, now());
                insert into breakdown_values (tenant_id, source, dimension, day, member, parts) values (@tenant, 1, 'channel', '2026-01-01', 'Direct', '{"web.sessions": 1}');
                insert into workflows (tenant_id, integration_id, workflow_id, name, active, updated_at) values (@tenant, @integration, 'w', 'W', true, now());
                insert into workflow_prices (tenant_id, integration_id, workflow_id, from_day, minutes) values (@tenant, @integration, 'w', '2026-01-01', 5);
                insert into executions (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at) values (@tenant, @integration, '1', 'w', 'succeeded', 'production', now());
                insert into automation_daily (tenant_id, integration_id, day, workflow_id, executions, succeeded, failed, finished_ms) values (@tenant, @integration, '2026-01-01', 'w', 1, 1, 0, 5);
                insert into api_tokens (tenant_id, id, name, token_hash, signing_secret, scopes, created_at) values (@tenant, @run, 'n', sha256(@tenant::text::bytea), '', '{}', now());
                insert into idempotency_keys (tenant_id, key, run_ids, created_at) values (@tenant, 'k', '{}', now());
                insert into push_log (tenant_id, request_id, position, at, token_name, outcome) values (@tenant, @run, 0, now(), 'n', 'accepted');
                insert into custom_kpis (tenant_id, id, key, name, description, unit, direction, aggregation, created_at, updated_at) values (@tenant, @run, 'custom.k', 'K', '', 'count', 'up', 'sum', now(), now());
                insert into goals (tenant_id, id, kpi, name, period, starts_on, target_from, targets, created_at, updated_at) values (@tenant, @run, 'web.sessions', 'x', 'month', '2026-10-01', '{2026-10-01}', '{200}', now(), now());
                insert into calculated_kpis (tenant_id, id, key, name, description, unit, direction, formula, created_at, updated_at) values (@tenant, @run, 'calc.own', 'x', '', 'count', 'up', 'web.sessions / 2', now(), now());
                insert into annotations (tenant_id, id, from_day, to_day, text, created_at, updated_at) values (@tenant, @run, '2026-11-02', '2026-11-03', 'x', now(), now());
                insert into insight_states (tenant_id, insight_id, state, says, magnitude, text, set_at) values (@tenant, @run, 'dismissed', 'up', 1, 'x', now());
                insert into imports (tenant_id, id, file_name, delimiter, decimal_mark, dates, bytes, rows, created_at, updated_at) values (@tenant, @run, 'f.csv', 'comma', 'point', 'iso', 1, 1, now(), now());
                insert into import_chunks (tenant_id, import_id, position, data) values (@tenant, @run, 0, '');
                insert into dashboards (tenant_id, id, owner_id, name, tiles, created_at, updated_at) values (@tenant, @run, @user, 'D', '[]', now(), now());
                insert into dashboard_shares (tenant_id, id, dashboard_id, label, token_hash, created_at, expires_at) values (@tenant, @run, @run, 'L', sha256(@tenant::text::bytea), now(), now());
                insert into audit_log (tenant_id, at, actor_kind, actor_name, action) values (@tenant, now(), 'system', 's', 'tenant.created');
                insert into invitations (tenant_id, id, email, email_key, role, token_hash, created_at, expires_at) values (@tenant, @run, 'a@x.example', 'A', 'viewer', sha256(@tenant::text::bytea), now(), now());
                insert into google_grants (tenant_id, id, user_id, kind, credentials, created_at, expires_at) values (@tenant, @run, @user, 'oauth', '\x00', now(), now());
                insert into tenant_exports (tenant_id, id, created_at, updated_at) values (@tenant, @run, now(), now());
                insert into tenant_export_parts (tenant_id, export_id, part, content) values (@tenant, @run, 0, '\x00');
                """,
                new { tenant, integration, run, user });
        }
    }

    [Fact]
    public async Task Every_table_with_a_tenant_has_forced_security_a_policy_with_check_and_an_index_that_leads_with_it()
    {
        await using var connection = await _owner.OpenConnectionAsync(TestContext.Current.CancellationToken);
        var tables = (await connection.QueryAsync<(string Table, bool Enabled, bool Forced, int Policies, bool Indexed)>(
            """
            select c.relname, c.relrowsecurity, c.relforcerowsecurity,
                   (select count(*)::int from pg_policies p
                    where p.tablename = c.relname and 'kpi_app' = any (p.roles) and p.with_check is not null and p.qual is not null
                      and p.qual like '%current_tenant_id()%' and p.with_check like '%current_tenant_id()%'),
                   exists (select 1 from pg_index i where i.indrelid = c.oid and i.indkey[0] = a.attnum)
            from pg_class c
            join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
            order by 1
            """)).AsList();

        Assert.True(tables.Count >= 11, $"Only {tables.Count} tenant tables were found.");
        Assert.All(tables, table => Assert.True(
            table is { Enabled: true, Forced: true, Policies: 1, Indexed: true }, $"{table.Table}: enabled {table.Enabled}, forced {table.Forced}, {table.Policies} policies, index {table.Indexed}"));
    }

    [Fact]
    public async Task Tables_that_kpi_app_may_touch_without_a_tenant_are_known_by_name()
    {
        await using var connection = await _owner.OpenConnectionAsync(TestContext.Current.CancellationToken);
        var open = await connection.QueryAsync<string>(
            """
            select c.relname from pg_class c
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and not c.relrowsecurity
              -- A view that asks as its reader is as narrow as what it reads.
              and not coalesce(c.reloptions @> array['security_invoker=true'], false)
              and (has_table_privilege('kpi_app', c.oid, 'select') or has_table_privilege('kpi_app', c.oid, 'insert')
                   or has_table_privilege('kpi_app', c.oid, 'update') or has_table_privilege('kpi_app', c.oid, 'delete'))
            order by 1
            """);
        // dead_letters: insert only. schema_versions: read only, which migrations there are.
        Assert.Equal(["dead_letters", "schema_versions"], open);
    }

    [Fact]
    public async Task Without_a_tenant_kpi_app_reads_zero_rows_everywhere_and_cannot_insert()
    {
        await using var connection = await _app.OpenConnectionAsync(TestContext.Current.CancellationToken);
        foreach (var table in await TenantTablesAsync())
        {
            if (await MayAsync(connection, table, "select")) Assert.Equal(0, await connection.QuerySingleAsync<int>($"select count(*)::int from {table}"));
        }

        var refused = await Assert.ThrowsAsync<PostgresException>(() => connection.ExecuteAsync(InsertValue, new { tenant = A }));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Fact]
    public async Task With_one_tenant_set_kpi_app_sees_that_tenant_alone_and_cannot_write_the_other()
    {
        await using var connection = await _app.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await connection.ExecuteAsync("select set_config('app.tenant_id', @a, true)", new { a = A.ToString() }, transaction);
        foreach (var table in await TenantTablesAsync())
        {
            if (!await MayAsync(connection, table, "select")) continue;
            var key = table == "tenants" ? "id" : "tenant_id";
            Assert.Equal([A], await connection.QueryAsync<Guid>($"select {key} from {table}", transaction: transaction));
            foreach (var verb in new[] { "update", "delete" })
            {
                if (!await MayAsync(connection, table, verb)) continue;
                var statement = verb == "update" ? $"update {table} set {key} = {key} where {key} = @b" : $"delete from {table} where {key} = @b";
                Assert.Equal(0, await connection.ExecuteAsync(statement, new { b = B }, transaction));
            }
        }

        foreach (var statement in new[] { InsertValue, "update kpi_values set tenant_id = @tenant" })
        {
            await transaction.SaveAsync("before", TestContext.Current.CancellationToken);
            var refused = await Assert.ThrowsAsync<PostgresException>(() => connection.ExecuteAsync(statement, new { tenant = B }, transaction));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
            await transaction.RollbackAsync("before", TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_pooled_connection_does_not_carry_the_tenant_over()
    {
        var database = new Data.Database(() => _app);
        for (var round = 0; round < 20; round++)
        {
            Assert.Equal(1, await database.InTenantAsync(A, tx => tx.QuerySingleAsync<int>("select count(*)::int from kpi_values"), TestContext.Current.CancellationToken));
            Assert.Equal([0], await database.QueryAsync<int>("select count(*)::int from kpi_values", new { }, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task The_application_refuses_a_role_that_bypasses_row_level_security()
    {
        await using var super = NpgsqlDataSource.Create(postgres.AdminConnectionString);
        Assert.Contains("bypasses row-level security", await DatabaseBootstrap.FindObstacleAsync(super, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Null(await DatabaseBootstrap.FindObstacleAsync(_app, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Cross_tenant_functions_have_a_pinned_search_path_and_are_not_for_everybody()
    {
        await using var connection = await _owner.OpenConnectionAsync(TestContext.Current.CancellationToken);
        var functions = (await connection.QueryAsync<(string Name, bool Pinned, bool Public)>(
            """
            select p.proname, coalesce(array_to_string(p.proconfig, ' ') like '%search_path=%pg_temp%', false), has_function_privilege('public', p.oid, 'execute')
            from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prosecdef
            """)).AsList();
        Assert.NotEmpty(functions);
        Assert.All(functions, function => Assert.True(function is { Pinned: true, Public: false }, $"{function.Name}: pinned {function.Pinned}, public {function.Public}"));
    }

    [Fact]
    public async Task Migrating_again_changes_nothing_and_two_at_once_wait_for_each_other()
    {
        var (owner, _) = await TestSecrets.MigratedDatabaseAsync(postgres, TestContext.Current.CancellationToken);
        var applied = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => DatabaseBootstrap.MigrateAsync(owner, TestContext.Current.CancellationToken)));
        Assert.All(applied, Assert.Empty);
    }

    public async ValueTask DisposeAsync()
    {
        await _owner.DisposeAsync();
        await _app.DisposeAsync();
    }

    private const string InsertValue =
        "insert into kpi_values (tenant_id, kpi, day, value, day_ended, first_seen_at, changed_at) values (@tenant, 'web.sessions', '2026-01-02', 1, true, now(), now())";

    private async Task<List<string>> TenantTablesAsync()
    {
        await using var connection = await _owner.OpenConnectionAsync(TestContext.Current.CancellationToken);
        return (await connection.QueryAsync<string>("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relrowsecurity")).AsList();
    }

    private static Task<bool> MayAsync(NpgsqlConnection connection, string table, string verb) =>
        connection.QuerySingleAsync<bool>("select has_table_privilege('kpi_app', @table, @verb)", new { table, verb });
}
