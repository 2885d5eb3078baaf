using System.Security.Cryptography;
using Dapper;
using KpiDashboard.Data;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.IntegrationTests.Privacy;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.Operations.Backups;
using KpiDashboard.Security;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Operations;

public sealed class BackupTests(PostgresFixture postgres) : IDisposable
{
    private static readonly SecretOptions Keys = new() { CurrentKey = "b", Keys = new() { ["b"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)), ["other"] = Convert.ToBase64String(new byte[32]) } };

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_drill_everything_is_destroyed_and_comes_back_to_the_last_row_right_and_sequence_on_another_server()
    {
        var (owner, _) = await PlantedAsync("drill-a", "drill-b");
        await ExecuteAsync(owner,
            """
            insert into kpi_keys (tenant_id, number, key) select id, 1000, 'custom.drill' from tenants;
            insert into kpi_writes (tenant_id, number, at) select id, 1000, now() from tenants;
            insert into kpi_months (tenant_id, month, source, kpi, days, ended, first_writes, last_writes)
            select id, (date '1900-01-01' + make_interval(months => n))::date, 0, 1000, array_fill(n::numeric, '{31}'), 1, array_fill(1000, '{31}'), array_fill(1000, '{31}')
            from tenants, generate_series(1, 20000) n
            """);
        await ExecuteAsync(owner,
            """
            insert into tenant_exports (tenant_id, id, created_at, updated_at) select id, id, now(), now() from tenants;
            insert into tenant_export_parts (tenant_id, export_id, part, content) select id, id, 0, '\x0001ff' from tenants;
            insert into tenant_faults (tenant_id, step, reason, first_at, last_at) select id, 'zone', 'Planted.', now(), now() from tenants
            """);
        var before = await FingerprintAsync(owner);
        var started = TimeProvider.System.GetTimestamp();
        var file = await BackUpAsync(owner);
        var saved = TimeProvider.System.GetElapsedTime(started);
        // What holds no row proves nothing.
        var tenantTables = await QueryAsync<string>(owner, "select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition");
        Assert.True(tenantTables.Count >= 18);
        Assert.All(tenantTables, table => Assert.True(before.Tables[table].Rows > 0, table));
        await using (var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(postgres.AdminConnectionString).ConnectionString))
        {
            await connection.OpenAsync(Cancelled);
            NpgsqlConnection.ClearAllPools();
            await connection.ExecuteAsync($"drop database {new NpgsqlConnectionStringBuilder(owner).Database} with (force)");
        }

        // A server that has never seen us: no roles, no database.
        await using var server = await EmbeddedPostgres.StartAsync(new EmbeddedPostgresOptions { DataDirectory = _folder["other"], ForTests = true }, Cancelled);
        var (restored, app) = await DatabaseBootstrap.EnsureRolesAndDatabaseAsync(server.AdminConnectionString, "back", TestSecrets.Owner, TestSecrets.App, Cancelled);
        started = TimeProvider.System.GetTimestamp();
        var (manifest, later) = await Backup.RestoreAsync(restored, Open(file), Keys, null, Cancelled);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{manifest.Rows} rows, {new FileInfo(file).Length} bytes: saved in {saved.TotalSeconds:0.00} s, restored with schema in {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.00} s");

        var after = await FingerprintAsync(restored);
        Assert.Equal(before.Tables, after.Tables);
        Assert.Equal(before.Catalogue, after.Catalogue);
        Assert.Contains(before.Catalogue, line => line.EndsWith("forced", StringComparison.Ordinal));
        Assert.Contains(before.Catalogue, line => line.StartsWith("sequence ", StringComparison.Ordinal));
        Assert.Empty(later);
        Assert.Equal(before.Tables.Values.Sum(table => table.Rows), manifest.Rows);

        // And it works: the application's role sees nothing without a tenant and one tenant's rows with it, and new rows get new numbers.
        await using var source = NpgsqlDataSource.Create(app);
        Assert.Null(await DatabaseBootstrap.FindObstacleAsync(source, Cancelled));
        var database = new Database(() => source);
        Assert.Equal([0], await database.QueryAsync<int>("select count(*)::int from kpi_values", new { }, Cancelled));
        var tenant = (await QueryAsync<Guid>(restored, "select id from tenants order by name limit 1"))[0];
        Assert.Equal(before.Tables["integrations"].Rows / 2, await database.InTenantAsync(tenant, tx => tx.QuerySingleAsync<long>("select count(*) from integrations"), Cancelled));
        await ExecuteAsync(restored, "insert into dead_letters (queue, body, reason, received_at) values ('q', 'b', 'r', now())");
        NpgsqlConnection.ClearAllPools();
    }

    [Fact]
    public async Task A_backup_of_an_older_schema_is_restored_as_it_was_and_migrated_on()
    {
        var empty = await postgres.CreateDatabaseAsync(Cancelled);
        var (owner, _) = await DatabaseBootstrap.EnsureRolesAndDatabaseAsync(empty.AdminConnectionString, empty.Name, TestSecrets.Owner, TestSecrets.App, Cancelled);
        var old = DatabaseBootstrap.ScriptNames().TakeWhile(name => !name.Contains("0014_", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        await DatabaseBootstrap.MigrateAsync(owner, Cancelled, old);
        await ExecuteAsync(owner, "insert into tenants (id, name, time_zone, currency) values (gen_random_uuid(), 'Old', 'UTC', 'EUR')");
        var file = await BackUpAsync(owner);

        var target = await EmptyAsync();
        var (manifest, later) = await Backup.RestoreAsync(target, Open(file), Keys, null, Cancelled);
        Assert.Equal(old.Order(StringComparer.Ordinal), manifest.Migrations);
        Assert.Contains(later, name => name.Contains("0014_operations", StringComparison.Ordinal));
        Assert.Equal(["Old"], await QueryAsync<string>(target, "select name from tenants where values_kept_from is null"));
    }

    [Theory]
    [InlineData("kpi_app")]
    [InlineData("drop policy owner_access on kpi_months")]
    [InlineData("create policy narrow on executions as restrictive to kpi_owner using (tenant_id is null)")]
    [InlineData("drop policy owner_access on audit_log; create policy owner_access on audit_log to kpi_owner using (at > now())")]
    public async Task A_role_that_row_level_security_hides_rows_from_makes_no_backup(string obstacle)
    {
        var (owner, app) = await PlantedAsync("hidden");
        if (obstacle != "kpi_app") await ExecuteAsync(owner, obstacle);
        using var target = new MemoryStream();
        var error = await Assert.ThrowsAsync<BackupException>(() => Backup.CreateAsync(obstacle == "kpi_app" ? app : owner, target, Keys, TimeProvider.System, null, Cancelled));
        Assert.Contains("does not see all rows", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, target.Length);
    }

    [Fact]
    public async Task A_restore_adds_to_nothing_and_overwrites_nothing()
    {
        var (owner, _) = await PlantedAsync("full");
        var file = await BackUpAsync(owner);
        var before = await FingerprintAsync(owner);
        var error = await Assert.ThrowsAsync<BackupException>(() => Backup.RestoreAsync(owner, Open(file), Keys, null, Cancelled));
        Assert.Contains("is not empty", error.Message, StringComparison.Ordinal);
        Assert.Equal(before.Tables, (await FingerprintAsync(owner)).Tables);

        var foreign = await EmptyAsync();
        await ExecuteAsync(foreign, "create table somebody_elses (x int)");
        error = await Assert.ThrowsAsync<BackupException>(() => Backup.RestoreAsync(foreign, Open(file), Keys, null, Cancelled));
        Assert.Contains("somebody_elses", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_changed_cut_off_reordered_or_sealed_with_another_key_is_refused_before_anything_is_written()
    {
        var (owner, _) = await PlantedAsync("tamper");
        // Random bytes do not pack: several chunks.
        await ExecuteAsync(owner, "insert into dead_letters (queue, body, reason, received_at) select 'q', (select string_agg(md5(random()::text || n || k), '') from generate_series(1, 300) k), 'r', now() from generate_series(1, 60) n");
        var good = await File.ReadAllBytesAsync(await BackUpAsync(owner), Cancelled);
        var header = good.Length - (good.Length - 8 - 1 - 1 - 32 - 16);
        const int chunk = 64 * 1024 + 16;
        Assert.True(good.Length > header + (3 * chunk), $"Only {good.Length} bytes.");

        byte[] With(Action<byte[]> change)
        {
            var copy = good.ToArray();
            change(copy);
            return copy;
        }

        var bad = new List<(string Name, byte[] File, SecretOptions Keys, string Says)>
        {
            ("a bit in the middle", With(bytes => bytes[header + chunk + 77] ^= 1), Keys, "was changed"),
            ("a bit of the last tag", With(bytes => bytes[^1] ^= 1), Keys, "was changed"),
            ("two chunks swapped", With(bytes => { var first = bytes[header..(header + chunk)]; bytes.AsSpan(header + chunk, chunk).CopyTo(bytes.AsSpan(header)); first.CopyTo(bytes, header + chunk); }), Keys, "was changed"),
            ("a chunk left out", [.. good[..(header + chunk)], .. good[(header + (2 * chunk))..]], Keys, "was changed"),
            ("a chunk twice", [.. good[..(header + chunk)], .. good[header..]], Keys, "was changed"),
            ("cut off between chunks", good[..(header + (2 * chunk))], Keys, "is incomplete"),
            ("cut off within a chunk", good[..^100], Keys, "was changed"),
            ("the header alone", good[..header], Keys, "is incomplete"),
            ("half a header", good[..20], Keys, "is incomplete"),
            ("something behind it", [.. good, 1, 2, 3], Keys, "was changed"),
            ("nothing", [], Keys, "no backup of KPI Dashboard"),
            ("something else", [.. Enumerable.Repeat((byte)'x', 5000)], Keys, "no backup of KPI Dashboard"),
            ("the salt", With(bytes => bytes[12] ^= 1), Keys, "does not open this backup"),
            ("another key of that name", good, new SecretOptions { CurrentKey = "b", Keys = new() { ["b"] = Convert.ToBase64String(new byte[32]) } }, "does not open this backup"),
            ("a key that is not there", good, new SecretOptions { CurrentKey = "c", Keys = new() { ["c"] = Convert.ToBase64String(new byte[32]) } }, "the key 'b'"),
        };
        var target = await EmptyAsync();
        foreach (var (name, file, keys, says) in bad)
        {
            var error = await Assert.ThrowsAsync<BackupException>(() => Backup.RestoreAsync(target, _ => Task.FromResult<Stream>(new MemoryStream(file)), keys, null, Cancelled));
            Assert.True(error.Message.Contains(says, StringComparison.Ordinal), $"{name}: {error.Message}");
        }

        Assert.Equal([0], await QueryAsync<int>(target, "select count(*)::int from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"));
        // The same bytes, unchanged, do restore: it was the changes that were refused.
        await Backup.RestoreAsync(target, _ => Task.FromResult<Stream>(new MemoryStream(good)), Keys, null, Cancelled);
        Assert.Equal([60], await QueryAsync<int>(target, "select count(*)::int from dead_letters where queue = 'q'"));
    }

    [Fact]
    public async Task Rows_that_come_during_a_backup_are_not_in_it_and_a_write_is_not_held_up()
    {
        var (owner, _) = await PlantedAsync("moment");
        await using var writing = new NpgsqlConnection(owner);
        await writing.OpenAsync(Cancelled);
        var first = true;
        var before = (await QueryAsync<int>(owner, "select count(*)::int from dead_letters"))[0];
        var file = _folder["moment.kpibackup"];
        await using (var stream = File.Create(file))
        {
            var (manifest, _) = await Backup.CreateAsync(owner, stream, Keys, TimeProvider.System, new OnReport(() =>
            {
                if (!first) return;
                first = false;
                writing.Execute("insert into dead_letters (queue, body, reason, received_at) values ('late', 'b', 'r', now())");
            }), Cancelled);
            Assert.Equal(before, manifest.Tables.Single(table => table.Name == "dead_letters").Rows);
        }

        Assert.False(first);
        Assert.Equal([1], await QueryAsync<int>(owner, "select count(*)::int from dead_letters where queue = 'late'"));
    }

    [Fact]
    public async Task Memory_does_not_grow_with_the_data()
    {
        var (owner, _) = await PlantedAsync("large");
        await ExecuteAsync(owner, "insert into dead_letters (queue, body, reason, received_at) select 'q', repeat(md5(n::text), 1500), 'r', now() from generate_series(1, 2000) n");
        var file = await BackUpAsync(owner);
        // The whole process is counted, other tests that run meanwhile too: they only add, so the least of several is the nearest to ours.
        var least = long.MaxValue;
        for (var n = 0; n < 8 && least >= 40_000_000; n++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            var manifest = await Backup.VerifyAsync(await Open(file)(Cancelled), Keys, null, Cancelled);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
            Assert.True(manifest.Tables.Sum(table => table.Bytes) > 90_000_000);
        }

        Assert.True(least < 40_000_000, $"A verification allocates {least} bytes: as much as it reads.");
    }

    private async Task<(string Owner, string App)> PlantedAsync(params string[] tenants)
    {
        var strings = await TestSecrets.MigratedDatabaseAsync(postgres, Cancelled);
        await using var connection = new NpgsqlConnection(strings.Owner);
        await connection.OpenAsync(Cancelled);
        foreach (var tenant in tenants) await PlantedTenant.AddAsync(connection, tenant, DateTimeOffset.UtcNow);
        return strings;
    }

    private async Task<string> EmptyAsync()
    {
        var database = await postgres.CreateDatabaseAsync(Cancelled);
        return (await DatabaseBootstrap.EnsureRolesAndDatabaseAsync(database.AdminConnectionString, database.Name, TestSecrets.Owner, TestSecrets.App, Cancelled)).Owner;
    }

    private async Task<string> BackUpAsync(string owner)
    {
        var file = _folder[$"{Guid.NewGuid():N}.kpibackup"];
        await using var stream = File.Create(file);
        await Backup.CreateAsync(owner, stream, Keys, TimeProvider.System, null, Cancelled);
        return file;
    }

    private static Func<CancellationToken, Task<Stream>> Open(string file) => _ => Task.FromResult<Stream>(File.OpenRead(file));

    /// <summary>Rows and a hash of all rows of each table, by name; and what the catalogue says of security, rights, policies, functions and sequences.</summary>
    internal static async Task<(SortedDictionary<string, (long Rows, string? Hash)> Tables, List<string> Catalogue)> FingerprintAsync(string owner)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(owner) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancelled);
        var tables = new SortedDictionary<string, (long, string?)>(StringComparer.Ordinal);
        foreach (var table in await connection.QueryAsync<string>("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and relname <> 'schema_versions' order by 1"))
            tables[table] = await connection.QuerySingleAsync<(long, string?)>($"select count(*), md5(string_agg(md5(t::text), '' order by t::text collate \"C\")) from \"{table}\" t");
        var catalogue = (await connection.QueryAsync<string>(
            """
            select 'table ' || relname || ' ' || coalesce(relacl::text, '') || case when relrowsecurity then ' secured' else '' end || case when relforcerowsecurity then ' forced' else '' end
            from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> 'schema_versions'
            union all select 'policy ' || tablename || ' ' || policyname || ' ' || roles::text || ' ' || coalesce(qual, '') || ' ' || coalesce(with_check, '') from pg_policies
            union all select 'function ' || p.oid::regprocedure || ' ' || coalesce(proacl::text, '') || ' ' || prosecdef || ' ' || md5(prosrc) from pg_proc p where pronamespace = 'public'::regnamespace
            union all select 'sequence ' || sequencename || ' ' || coalesce(last_value::text, 'unused') from pg_sequences where schemaname = 'public' and sequencename not like 'schema_versions%'
            order by 1
            """)).AsList();
        return (tables, catalogue);
    }

    private static async Task ExecuteAsync(string owner, string sql)
    {
        await using var connection = new NpgsqlConnection(owner);
        await connection.OpenAsync(Cancelled);
        await connection.ExecuteAsync(sql);
    }

    private static async Task<List<T>> QueryAsync<T>(string owner, string sql)
    {
        await using var connection = new NpgsqlConnection(owner);
        await connection.OpenAsync(Cancelled);
        return (await connection.QueryAsync<T>(sql)).AsList();
    }

    private sealed class OnReport(Action act) : IProgress<BackupProgress>
    {
        public void Report(BackupProgress value) => act();
    }
}
