using Dapper;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Schema;

/// <summary>
/// The schema as it distributes over servers: every unique key of a table of businesses holds the business, and so does every reference from one of
/// them to another, at the same place on both sides. Read from Postgres' own catalogue; what is no table of businesses (people, sessions) has no such
/// column, and needs no list here.
/// </summary>
[Trait("Clock", "none")]
public sealed class KeysHoldTheBusinessTests(PostgresFixture postgres)
{
    private const string Offenders =
        """
        with held as (
            select c.oid, c.relname::text as name, a.attnum
            from pg_class c
            join pg_attribute a on a.attrelid = c.oid and a.attname = case when c.relname = 'tenants' then 'id' else 'tenant_id' end and not a.attisdropped
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
        )
        select 'unique ' || i.indexrelid::regclass::text from pg_index i join held h on h.oid = i.indrelid
        where i.indisunique and not h.attnum = any (i.indkey::int2[])
        union all
        select 'reference ' || k.conname::text
        from pg_constraint k join held f on f.oid = k.conrelid join held t on t.oid = k.confrelid
        where k.contype = 'f'
          and not exists (select 1 from generate_subscripts(k.conkey, 1) n where k.conkey[n] = f.attnum and k.confkey[n] = t.attnum)
        order by 1
        """;

    [Fact]
    public async Task Every_unique_key_and_every_reference_of_a_table_of_businesses_holds_the_business()
    {
        await using var connection = await OwnerAsync();
        Assert.Empty(await connection.QueryAsync<string>(Offenders));
        Assert.True(await connection.QuerySingleAsync<int>(
            "select count(*)::int from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attname = 'tenant_id' join pg_class c on c.oid = i.indrelid where i.indisunique and c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace") > 30);
    }

    [Fact]
    public async Task A_key_without_the_business_would_be_found()
    {
        await using var connection = await OwnerAsync();
        await connection.ExecuteAsync(
            """
            create table a (tenant_id uuid not null, id uuid unique, primary key (tenant_id, id));
            create table b (tenant_id uuid not null, other uuid not null, a uuid, primary key (tenant_id, a), foreign key (other, a) references a (tenant_id, id));
            create table people (id uuid primary key);
            """);
        Assert.Equal(["reference b_other_a_fkey", "unique a_id_key"], await connection.QueryAsync<string>(Offenders));
    }

    [Fact]
    public async Task What_grows_with_businesses_times_days_lies_in_parts_by_the_business_that_nobody_may_touch_by_themselves()
    {
        await using var connection = await OwnerAsync();
        var parts = (await connection.QueryAsync<(string Whole, int Parts, bool ByTenant, bool Reachable)>(
            """
            select w.relname::text, count(*)::int, bool_and(pg_get_partkeydef(w.oid) = 'HASH (tenant_id)'),
                   bool_or(has_table_privilege('kpi_app', p.oid, 'select') or has_table_privilege('kpi_app', p.oid, 'insert'))
            from pg_class w join pg_inherits i on i.inhparent = w.oid join pg_class p on p.oid = i.inhrelid
            where w.relkind = 'p' group by 1 order by 1
            """)).AsList();
        Assert.Equal(
            ["automation_daily", "breakdown_days", "breakdown_values", "executions", "kpi_months", "kpi_restatements", "kpi_writes", "push_log", "sync_requests", "sync_runs"],
            parts.Select(part => part.Whole));
        Assert.All(parts, part => Assert.True(part is { Parts: 8, ByTenant: true, Reachable: false }, part.ToString()));
    }

    private async Task<NpgsqlConnection> OwnerAsync()
    {
        var (owner, _) = await TestSecrets.MigratedDatabaseAsync(postgres, TestContext.Current.CancellationToken);
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(owner) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return connection;
    }
}
