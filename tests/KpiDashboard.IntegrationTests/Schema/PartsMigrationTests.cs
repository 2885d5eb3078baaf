using Dapper;
using KpiDashboard.Data;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Schema;

/// <summary>A table that is moved into parts (0040) is afterwards what it was, but for the parts.</summary>
[Trait("Clock", "none")]
public sealed class PartsMigrationTests(PostgresFixture postgres)
{
    private static readonly string[] s_moved = ["automation_daily", "executions", "push_log", "sync_requests", "sync_runs"];

    /// <summary>Columns, keys, references and checks (both ways), indexes, policies and grants, as Postgres writes them.</summary>
    private const string Described =
        """
        with moved as (select oid, relname::text as name, relacl, relowner, relrowsecurity, relforcerowsecurity from pg_class where oid = any (@tables::regclass[]))
        select name || ' column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
               || case when a.attname = 'id' and name = 'sync_requests' then '' else coalesce(pg_get_expr(d.adbin, d.adrelid), '') end
        from moved join pg_attribute a on a.attrelid = moved.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = moved.oid and d.adnum = a.attnum
        union all
        select name || ' ' || c.conname || ' ' || pg_get_constraintdef(c.oid) from moved join pg_constraint c on c.conrelid = moved.oid and c.conparentid = 0
        where c.contype <> 'n' and not (name = 'sync_requests' and c.contype = 'f')
        union all
        select name || ' told by ' || c.conrelid::regclass || ' ' || pg_get_constraintdef(c.oid) from moved join pg_constraint c on c.confrelid = moved.oid and c.conparentid = 0
        where c.conrelid::regclass::text !~ '^sync_requests'
        union all
        select name || ' ' || replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') from moved join pg_index i on i.indrelid = moved.oid
        union all
        select name || ' policy ' || p.polname || ' ' || p.polcmd::text || ' ' || pg_get_expr(p.polqual, p.polrelid) || ' ' || pg_get_expr(p.polwithcheck, p.polrelid)
        from moved join pg_policy p on p.polrelid = moved.oid
        union all
        select name || ' rows ' || relrowsecurity || ' ' || relforcerowsecurity from moved
        union all
        select name || ' grant ' || a.grantee::regrole || ' ' || a.privilege_type from moved, aclexplode(relacl) a where a.grantee <> relowner
        order by 1
        """;

    [Fact]
    public async Task Its_columns_keys_references_checks_indexes_policies_and_grants_are_the_same_and_so_are_its_rows()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var owner = await TestSecrets.DatabaseBeforeAsync(postgres, "0040_", cancelled);
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(owner) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancelled);
        await connection.ExecuteAsync(
            """
            insert into tenants (id, name, time_zone, currency) select gen_random_uuid(), 'Business ' || n, 'UTC', 'EUR' from generate_series(1, 30) n;
            insert into integrations (tenant_id, id, connector, display_name, source, created_at)
            select id, gen_random_uuid(), 'n8n', 'n8n', 1, now() from tenants;
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, queued_at, updated_at)
            select tenant_id, gen_random_uuid(), id, 'n8n', 'schedule', now(), now() from integrations;
            insert into sync_requests (tenant_id, run_id, operation, fetched_at, rows, sampled, thresholded)
            select tenant_id, id, 'list', now(), n, false, false from sync_runs, generate_series(1, 3) n;
            """);
        const string Rows = "select tenant_id, id, run_id, rows from sync_requests order by tenant_id, id";
        var (before, rows) = ((await connection.QueryAsync<string>(Described, new { tables = s_moved })).AsList(), (await connection.QueryAsync<(Guid, long, Guid, int)>(Rows)).AsList());
        Assert.True(before.Count > 80 && rows.Count == 90, $"{before.Count} things, {rows.Count} rows");

        await DatabaseBootstrap.MigrateAsync(owner, cancelled);

        Assert.Equal(before, await connection.QueryAsync<string>(Described, new { tables = s_moved }));
        Assert.Equal(rows, await connection.QueryAsync<(Guid, long, Guid, int)>(Rows));
        // Lineage goes on with numbers that nobody has, and goes with its run.
        var next = await connection.QuerySingleAsync<long>(
            """
            insert into sync_requests (tenant_id, run_id, operation, fetched_at, rows, sampled, thresholded)
            select tenant_id, id, 'list', now(), 1, false, false from sync_runs limit 1 returning id
            """);
        Assert.Equal(rows.Max(row => row.Item2) + 1, next);
        await connection.ExecuteAsync("delete from sync_runs");
        Assert.Empty(await connection.QueryAsync<(Guid, long, Guid, int)>(Rows));
        Assert.Contains("sync_requests_0", await connection.QueryAsync<string>("select conrelid::regclass::text from pg_constraint where contype = 'f' and confrelid = 'sync_runs_0'::regclass"));
    }
}
