using System.Text.Json.Nodes;
using CsvHelper;
using Dapper;
using KpiDashboard.Data;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Privacy;
using KpiDashboard.Tests.Shared;
using Xunit;

namespace KpiDashboard.IntegrationTests.Privacy;

/// <summary>Everything of a tenant, once, whatever happens on the way.</summary>
public sealed class TenantExporterTests(PostgresFixture postgres) : IAsyncLifetime
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
    public async Task The_zip_holds_every_row_of_every_table_as_JSON_and_CSV_and_nothing_of_another_tenant()
    {
        var export = await _rig.AskAsync(_a);
        await _rig.Exporter.RunAsync(export, Cancelled);

        var state = await _rig.StateAsync(export);
        Assert.Equal("succeeded", state.Status);
        Assert.Equal(state.Total, state.Done);
        using var zip = await _rig.ZipAsync(export);
        var manifest = JsonNode.Parse(await TextAsync(zip, "manifest.json"))!;
        Assert.Equal(_a.Id, manifest["tenant"]!["id"]!.GetValue<Guid>());
        // The newest there is.
        Assert.Equal(
            typeof(Data.Database).Assembly.GetManifestResourceNames().Where(name => name.EndsWith(".sql", StringComparison.Ordinal)).Max(StringComparer.Ordinal),
            manifest["schemaVersion"]!.GetValue<string>());
        var tables = manifest["tables"]!.AsArray().ToDictionary(table => table!["name"]!.GetValue<string>(), table => table!["rows"]!.GetValue<long>());
        Assert.Equal(state.Total, tables.Count);
        Assert.Superset(new HashSet<string> { "tenants", "people", "kpi_values", "executions", "audit_log", "integrations", "api_tokens" }, tables.Keys.ToHashSet());
        foreach (var (table, rows) in tables)
        {
            var expected = await _rig.OneAsync<long>(
                table == "people" ? "select count(*) from memberships where tenant_id = @Id" : $"select count(*) from {table} where {(table == "tenants" ? "id" : "tenant_id")} = @Id", new { _a.Id });
            Assert.True(expected > 0, $"{table} has no row to compare.");
            Assert.Equal(expected, rows);
            Assert.Equal(expected, JsonNode.Parse(await TextAsync(zip, $"{table}.json"))!.AsArray().Count);
            Assert.Equal(expected, (await CsvAsync(zip, $"{table}.csv")).Count);
        }

        Assert.Equal(5000, tables["executions"]);
        foreach (var entry in zip.Entries)
        {
            var text = await TextAsync(zip, entry.FullName);
            Assert.DoesNotContain(_b.Marker, text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(_b.Id.ToString(), text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("deadbeef", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("feedface", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("\"token_hash\":", text, StringComparison.Ordinal);
        }

        Assert.Contains(manifest["leftOut"]!.AsArray(), left => left!["what"]!.GetValue<string>() == "integrations.credentials" && left["why"]!.GetValue<string>().Contains("sealed", StringComparison.Ordinal));
        Assert.Contains("quokka Ltd", await TextAsync(zip, "README.txt"), StringComparison.Ordinal);
        // What a spreadsheet would run is text; what is a number stays one.
        Assert.Equal("'=cmd|quokka", (await CsvAsync(zip, "workflows.csv"))[0]["name"]);
        Assert.Contains("-5.25", (await CsvAsync(zip, "kpi_values.csv")).Select(row => row["value"]));
        Assert.Equal(["read", "push"], JsonNode.Parse((await CsvAsync(zip, "api_tokens.csv"))[0]["scopes"])!.AsArray().Select(scope => scope!.GetValue<string>()));
        // The requester is told, once, without any of it in the mail.
        Assert.Equal(1, await _rig.OneAsync<int>("select count(*)::int from mail_outbox where tenant = @Id and kind = 'export-ready'", new { _a.Id }));
    }

    [Fact]
    public async Task Progress_is_seen_while_it_works_and_a_duplicate_message_does_nothing()
    {
        var export = await _rig.AskAsync(_a);
        await using var blocker = await _rig.OpenOwnerAsync();
        await using var transaction = await blocker.BeginTransactionAsync(Cancelled);
        await blocker.ExecuteAsync("lock table kpi_values in access exclusive mode", transaction: transaction);
        var work = _rig.Exporter.RunAsync(export, Cancelled);
        await Eventually.TrueAsync(async () => await _rig.StateAsync(export) is { Status: "running", Done: > 3 }, TimeSpan.FromMinutes(1), "some tables are written");
        var half = await _rig.StateAsync(export);
        Assert.InRange(half.Done, 4, half.Total - 1);

        await _rig.Exporter.RunAsync(export, Cancelled);
        Assert.Equal(1, (await _rig.StateAsync(export)).Attempts);
        Assert.False(work.IsCompleted);

        await transaction.RollbackAsync(Cancelled);
        await work;
        Assert.Equal("succeeded", (await _rig.StateAsync(export)).Status);
        await _rig.Exporter.RunAsync(export, Cancelled);
        Assert.Equal(1, (await _rig.StateAsync(export)).Attempts);
    }

    [Fact]
    public async Task After_a_kill_the_next_try_starts_over_and_what_comes_back_from_the_dead_writes_nothing()
    {
        var export = await _rig.AskAsync(_a);
        Task zombie;
        await using (var blocker = await _rig.OpenOwnerAsync())
        {
            await using var transaction = await blocker.BeginTransactionAsync(Cancelled);
            await blocker.ExecuteAsync("lock table kpi_values in access exclusive mode", transaction: transaction);
            zombie = _rig.Exporter.RunAsync(export, Cancelled);
            // It stands still: else it might renew its lease once more after the clock was moved.
            await Eventually.TrueAsync(
                async () => await _rig.StateAsync(export) is { Status: "running", Done: > 3 } && await blocker.QuerySingleAsync<bool>(
                    "select exists (select 1 from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid)))", transaction: transaction),
                TimeSpan.FromMinutes(1), "some tables are written, and it waits for the next");
            // The process is gone as far as anybody can tell; a piece of its file is there.
            await _rig.ExecuteAsync("insert into tenant_export_parts (tenant_id, export_id, part, content) values (@TenantId, @ExportId, 0, '\\x6a756e6b')", new { export.TenantId, export.ExportId });
            _rig.Time.Advance(TenantExporter.LeaseFor + TimeSpan.FromSeconds(1));
            await _rig.ExecuteAsync("update tenant_exports set lease_token = gen_random_uuid() where id = @ExportId", new { export.ExportId });
            await transaction.RollbackAsync(Cancelled);
        }

        await zombie;
        Assert.Equal("running", (await _rig.StateAsync(export)).Status);
        await _rig.Exporter.RunAsync(export, Cancelled);
        Assert.Equal(("succeeded", 2), ((await _rig.StateAsync(export)).Status, (await _rig.StateAsync(export)).Attempts));
        using var zip = await _rig.ZipAsync(export);
        Assert.Equal(300, (await CsvAsync(zip, "kpi_values.csv")).Count);
    }

    [Fact]
    public async Task A_fault_gives_the_lease_back_so_that_the_next_delivery_can_begin_at_once()
    {
        var export = await _rig.AskAsync(_a);
        await _rig.ExecuteAsync("revoke select on schema_versions from kpi_app");
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => _rig.Exporter.RunAsync(export, Cancelled));
        Assert.Equal("queued", (await _rig.StateAsync(export)).Status);
        await _rig.ExecuteAsync("grant select on schema_versions to kpi_app");
        await _rig.Exporter.RunAsync(export, Cancelled);
        Assert.Equal("succeeded", (await _rig.StateAsync(export)).Status);
    }

    [Fact]
    public async Task A_poison_message_fails_the_export_with_a_sentence_and_one_without_an_export_is_kept()
    {
        var export = await _rig.AskAsync(_a);
        await _rig.Exporter.PoisonAsync(System.Text.Json.JsonSerializer.Serialize(export), Cancelled);
        Assert.Equal(("failed", TenantExporter.FailedSentence), ((await _rig.StateAsync(export)).Status, (await _rig.StateAsync(export)).Message));
        await _rig.Exporter.PoisonAsync("{ not json", Cancelled);
        Assert.Equal(1, await _rig.OneAsync<int>("select count(*)::int from dead_letters where queue = 'tenant-export-poison'"));
    }

    [Fact]
    public async Task A_message_for_an_export_or_a_tenant_that_is_gone_does_nothing()
    {
        var before = await _rig.OneAsync<int>("select count(*)::int from tenant_exports");
        await _rig.Exporter.RunAsync(new TenantExportMessage(1, Guid.NewGuid(), Guid.NewGuid(), null), Cancelled);
        var others = await _rig.AskAsync(_b);
        // Another tenant's export under my name.
        await _rig.Exporter.RunAsync(others with { TenantId = _a.Id }, Cancelled);
        Assert.Equal("queued", (await _rig.StateAsync(others)).Status);
        Assert.Equal(before + 1, await _rig.OneAsync<int>("select count(*)::int from tenant_exports"));
    }

    [Fact]
    public async Task Only_the_three_newest_are_kept_and_all_go_after_seven_days()
    {
        for (var round = 0; round < 5; round++)
        {
            await _rig.Exporter.RunAsync(await _rig.AskAsync(_a), Cancelled);
            _rig.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(TenantExporter.Kept, await _rig.OneAsync<int>("select count(*)::int from tenant_exports"));
        _rig.Time.Advance(TenantExporter.KeepFor);
        Assert.Equal([3], await _rig.Database.QueryAsync<int>("select purge_tenant_exports(@now)", new { now = _rig.Time.GetUtcNow() }, Cancelled));
        Assert.Equal(0, await _rig.OneAsync<int>("select count(*)::int from tenant_export_parts"));
    }

    [Fact]
    public async Task Every_table_and_every_binary_or_secret_column_is_exported_or_left_out_with_a_reason()
    {
        await using var connection = await _rig.App.OpenConnectionAsync(Cancelled);
        var exported = (await _rig.Catalogue.LoadAsync(connection, Cancelled)).ToDictionary(table => table.Name);
        // Each once: two slices that own a table would both have to be right about it.
        var owned = Contributed.Of<OwnedTable>().ToDictionary(table => table.Name, StringComparer.Ordinal);
        var tables = await TablesAsync("true");
        Assert.True(tables.Count > 40, $"Only {tables.Count} tables were found.");
        Assert.Equal(tables, owned.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(
            await TablesAsync("relname = 'tenants' or exists (select from pg_attribute where attrelid = c.oid and attname = 'tenant_id')"),
            owned.Values.Where(table => table.IsTenants).Select(table => table.Name).Order(StringComparer.Ordinal));
        Assert.Equal(
            owned.Values.Where(table => table.LeftOut is null).Select(table => table.Name).Append("people").Order(StringComparer.Ordinal),
            exported.Keys.Order(StringComparer.Ordinal));
        // Whoever says that a column is left out, and whoever leaves it out, mean the same ones.
        Assert.Equal(
            owned.Values.SelectMany(table => table.Withheld.Keys.Select(column => $"{table.Name}.{column}")).Order(StringComparer.Ordinal),
            exported.Values.SelectMany(table => table.Withheld.Select(column => $"{table.Name}.{column}")).Order(StringComparer.Ordinal));
        Assert.Contains("token_hash", exported["api_tokens"].Withheld);
        Assert.Contains("credentials", exported["integrations"].Withheld);
    }

    private async Task<List<string>> TablesAsync(string which) =>
        [.. (await _rig.ManyAsync<string>(
            $"""
            select c.relname from pg_class c
            where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'm', 'v') and not relispartition and ({which})
            """))
            .Order(StringComparer.Ordinal)];

    private static async Task<string> TextAsync(System.IO.Compression.ZipArchive zip, string name)
    {
        using var reader = new StreamReader(await zip.GetEntry(name)!.OpenAsync(Cancelled));
        return await reader.ReadToEndAsync(Cancelled);
    }

    private static async Task<List<Dictionary<string, string>>> CsvAsync(System.IO.Compression.ZipArchive zip, string name)
    {
        var rows = new List<Dictionary<string, string>>();
        await using var csv = CsvReader.Create(await zip.GetEntry(name)!.OpenAsync(Cancelled), CsvReaderOptions.Default);
        await csv.ReadHeaderAsync(Cancelled);
        while (await csv.ReadAsync(Cancelled)) rows.Add(csv.Headers.ToArray().Select((header, index) => (header, Value: csv.GetString(index))).ToDictionary(field => field.header, field => field.Value));
        return rows;
    }
}
