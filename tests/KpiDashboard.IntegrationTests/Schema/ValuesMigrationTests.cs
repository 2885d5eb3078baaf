using Dapper;
using KpiDashboard.Data;
using KpiDashboard.IntegrationTests.Embedded;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Schema;

/// <summary>A database of before values lay by source, with the four demo businesses: every stored row with its lineage comes over, whatever interrupts.</summary>
public sealed class ValuesMigrationTests(PostgresFixture postgres)
{
    private const string Script = "0036_";

    private static readonly string[] Stored =
    [
        "select tenant_id, kpi, day, value::text, day_ended, integration_id, run_id, first_seen_at, changed_at from kpi_values order by 1, 2, 3",
        "select tenant_id, id, kpi, day, old_value::text, new_value::text, run_id, at from kpi_restatements order by 1, 2",
        "select tenant_id, dimension, day, is_whole, withheld, is_stale, run_id, changed_at from breakdown_days order by 1, 2, 3",
        "select tenant_id, dimension, day, member, parts::text from breakdown_values order by 1, 2, 3, 4",
    ];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_stored_value_restatement_and_breakdown_comes_over_with_its_lineage_also_after_a_kill_in_the_middle()
    {
        var owner = await DemoOfNovember.RestoreAsync(postgres, Cancelled);
        var before = DatabaseBootstrap.ScriptNames().TakeWhile(name => !name.Contains(Script, StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        await DatabaseBootstrap.MigrateAsync(owner, Cancelled, before);
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(owner) { Pooling = false, CommandTimeout = 300 }.ConnectionString);
        await connection.OpenAsync(Cancelled);
        var old = await RowsAsync(connection);
        Assert.True(old.Values > 20_000 && old.All.Count > 45_000, $"{old.Values} values, {old.All.Count} rows: too few to prove anything.");

        // Killed while it moves the values: the server ends its session before it can commit.
        await using (var killed = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(owner) { Pooling = false }.ConnectionString))
        {
            await killed.OpenAsync(Cancelled);
            var pid = killed.ProcessID;
            await killed.ExecuteAsync("begin;");
            await killed.ExecuteAsync(ScriptText());
            await using var admin = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(postgres.AdminConnectionString) { Pooling = false }.ConnectionString);
            await admin.ExecuteAsync("select pg_terminate_backend(@pid)", new { pid });
        }

        Assert.Equal(old.All, (await RowsAsync(connection)).All);
        var applied = await DatabaseBootstrap.MigrateAsync(owner, Cancelled);
        Assert.Contains(applied, name => name.Contains(Script, StringComparison.Ordinal));
        var now = await RowsAsync(connection);
        Assert.Equal(old.All.Count, now.All.Count);
        Assert.Empty(old.All.Except(now.All).Take(5));

        // Numbers of sources and keys are the business's own, and each has them once.
        Assert.Equal(
            [("google-analytics", 1, 4), ("n8n", 2, 2)],
            await connection.QueryAsync<(string, int, int)>("select connector, source::int, count(*)::int from integrations group by 1, 2 order by 1, 2"));
        Assert.Equal(
            [0], await connection.QueryAsync<int>("select distinct source::int from kpi_values where kpi like 'custom.%'"));
        Assert.Equal(
            0, await connection.QuerySingleAsync<int>("select count(*)::int from integrations i where first_day is distinct from (select min(day) from kpi_values v where v.tenant_id = i.tenant_id and v.source = i.source)"));
        // And what is written next gets numbers of its own.
        Assert.True(await connection.QuerySingleAsync<bool>("select nextval('kpi_restatements_number') > (select max(id) from kpi_restatements)"));
    }

    private static async Task<(int Values, HashSet<string> All)> RowsAsync(NpgsqlConnection connection)
    {
        var (all, values) = (new HashSet<string>(StringComparer.Ordinal), 0);
        for (var table = 0; table < Stored.Length; table++)
        {
            foreach (var row in await connection.QueryAsync<string>($"select row_to_json(r)::text from ({Stored[table]}) r"))
            {
                Assert.True(all.Add($"{table} {row}"));
                if (table == 0) values++;
            }
        }

        return (values, all);
    }

    private static string ScriptText()
    {
        var assembly = typeof(DatabaseBootstrap).Assembly;
        var name = DatabaseBootstrap.ScriptNames().Single(script => script.Contains(Script, StringComparison.Ordinal));
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
