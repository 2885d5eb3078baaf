using System.Globalization;
using System.Text;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Push;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Push;

/// <summary>CSV import through the real queue, at the whole app.</summary>
[Collection(AppCollection.Name)]
public sealed class ImportTests(AppFixture app, PostgresFixture postgres)
{
    private const int Rows = 100_000, Kpis = 140;
    private static readonly DateOnly Today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(DateTimeOffset.UtcNow, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")).DateTime);

    private static string Day(int daysAgo) => Today.AddDays(-daysAgo).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_preview_says_what_would_happen_and_writes_nothing()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        await world.KpiAsync(tenant, "custom.a");
        await world.KpiAsync(tenant, "custom.b");
        await world.PostAsync("push", tenant.Owner, $$"""{"readings":[{"kpi":"custom.a","date":"{{Day(2)}}","value":1.5},{"kpi":"custom.b","date":"{{Day(2)}}","value":2}]}""");
        var (status, body) = await world.FileAsync(tenant, "mode=preview&name=x.csv", $"Datum;custom.a;custom.b\n{Day(2)};1,5;3\n{Day(1)};;7\n{Day(0)};x;8\n");
        Assert.Equal(200, status);
        Assert.Equal(("semicolon", "comma", "wide"), (body!["format"]!["delimiter"]!.GetValue<string>(), body["format"]!["decimal"]!.GetValue<string>(), body["format"]!["layout"]!.GetValue<string>()));
        Assert.Equal(["2 custom.a unchanged", "2 custom.b changed", "3 custom.b new", "4 custom.b new"], body["preview"]!.AsArray().Select(item => $"{item!["line"]} {item["kpi"]} {item["effect"]}"));
        Assert.Equal((1, 4), (body["errorCount"]!.GetValue<int>(), body["errors"]![0]!["line"]!.GetValue<int>()));
        Assert.Equal(2, await world.OneAsync<int>("select count(*)::int from kpi_values where tenant_id = @Id", tenant));
        Assert.Equal(0, await world.OneAsync<int>("select count(*)::int from imports where tenant_id = @Id", tenant));
    }

    [Theory]
    [InlineData("sales%E2%80%AEvsc.exe", "U+202E")]
    [InlineData("a%E2%80%8Bb.csv", "U+200B")]
    [InlineData("a%01b.csv", "control character")]
    [InlineData("a%E2%80%A8b.csv", "U+2028")]
    [InlineData("%20%20", "1 to 200 characters")]
    public async Task The_name_of_a_file_is_text_that_a_person_can_read(string name, string words)
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        foreach (var mode in new[] { "preview", "commit" })
        {
            var (status, body) = await world.FileAsync(tenant, $"mode={mode}&name={name}", "date,kpi,value\n2026-01-01,custom.a,1\n");
            Assert.Equal(400, status);
            Assert.Contains(words, body!["errors"]!["name"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        }

        Assert.Equal(0, await world.OneAsync<int>("select count(*)::int from imports where tenant_id = @Id", tenant));
        var (_, fine) = await world.FileAsync(tenant, "name=%20Ums%C3%A4tze%20%F0%9F%93%88.csv", $"date,kpi,value\n{Day(1)},custom.a,1\n");
        Assert.Equal("Umsätze \U0001F4C8.csv", fine!["fileName"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_business_sends_100_MB_in_ten_minutes_and_then_is_asked_to_wait_and_no_other_is()
    {
        await using var world = new PushWorld(app);
        var (greedy, other) = (await world.TenantAsync(), await world.TenantAsync());
        // No text, so that nothing but the sending costs: it is what is counted.
        using var client = new HttpClient(new NamesBusiness(new HttpClientHandler { UseCookies = false })) { BaseAddress = app.Address };
        client.DefaultRequestHeaders.Add("X-Kpi-Token", greedy.Owner);
        var file = new byte[ImportEndpoints.MaxBytes];
        var sent = 0;
        // What comes back meanwhile is a sixth of a megabyte a second.
        for (; sent < 20; sent++)
        {
            using var content = new ByteArrayContent(file) { Headers = { ContentType = new("text/csv") } };
            using var answer = await client.PostAsync("api/import?mode=preview", content, TestContext.Current.CancellationToken);
            if (answer.StatusCode == System.Net.HttpStatusCode.BadRequest) continue;
            Assert.Equal(System.Net.HttpStatusCode.TooManyRequests, answer.StatusCode);
            Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
            break;
        }

        Assert.InRange(sent, 10, 19);
        // What is small goes on, and so does everybody else.
        Assert.Equal(200, (await world.FileAsync(greedy, "mode=preview", $"date,kpi,value\n{Day(1)},custom.a,1\n")).Status);
        Assert.Equal(400, (await world.FileAsync(other, "mode=preview", new string('\0', 1024 * 1024))).Status);
    }

    [Fact]
    public async Task Previews_of_a_business_run_two_at_once_the_next_wait_and_those_beyond_are_asked_to_come_back()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        using var client = new HttpClient(new NamesBusiness(new HttpClientHandler { UseCookies = false })) { BaseAddress = app.Address };
        client.DefaultRequestHeaders.Add("X-Kpi-Token", tenant.Owner);
        var admitted = 2 + KpiDashboard.Access.CostLimit.Waiting;
        List<Task<HttpResponseMessage>> asked;
        await using (var owner = NpgsqlDataSource.Create(app.OwnerConnectionString))
        await using (var blocker = await owner.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var transaction = await blocker.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await using (var hold = new NpgsqlCommand("lock table custom_kpis in access exclusive mode", blocker, transaction)) await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            asked = [.. Enumerable.Range(0, admitted + 7).Select(_ => client.PostAsync("api/import?mode=preview", new StringContent($"date,kpi,value\n{Day(1)},custom.a,1\n", Encoding.UTF8, "text/csv"), TestContext.Current.CancellationToken))];
            await Eventually.TrueAsync(() => Task.FromResult(asked.Count(task => task.IsCompleted) >= 7), TimeSpan.FromSeconds(25), "those beyond are answered");
            Assert.Equal(7, asked.Count(task => task.IsCompleted));
            foreach (var refused in asked.Where(task => task.IsCompleted))
            {
                Assert.Equal(System.Net.HttpStatusCode.TooManyRequests, (await refused).StatusCode);
                Assert.InRange((await refused).Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
            }

            await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        }

        var answers = await Task.WhenAll(asked);
        Assert.Equal(admitted, answers.Count(answer => answer.IsSuccessStatusCode));
        foreach (var answer in answers) answer.Dispose();
    }

    [Fact]
    public async Task What_the_file_leaves_open_is_asked_before_anything_is_written()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        await world.KpiAsync(tenant, "custom.a");
        // A fifth of a month, other than of May, that lies some weeks back.
        var day = new DateOnly(Today.Year, Today.Month, 5).AddMonths(Today.Month == 7 ? -3 : -2);
        var csv = string.Create(CultureInfo.InvariantCulture, $"date,kpi,value\n5/{day.Month}/{day.Year},custom.a,1\n");
        var (_, preview) = await world.FileAsync(tenant, "", csv);
        Assert.Equal("dates", preview!["questions"]!.AsArray().Single()!["option"]!.GetValue<string>());
        var (status, commit) = await world.FileAsync(tenant, "mode=commit", csv);
        Assert.Equal(400, status);
        Assert.NotNull(commit!["errors"]!["dates"]);
        Assert.Equal(0, await world.OneAsync<int>("select count(*)::int from imports where tenant_id = @Id", tenant));

        var (_, settled) = await world.FileAsync(tenant, "mode=commit&dates=dmy", csv);
        Assert.Equal("succeeded", (await world.ImportedAsync(tenant, settled!))["status"]!.GetValue<string>());
        Assert.Equal(day, await world.OneAsync<DateOnly>("select day from kpi_values where tenant_id = @Id", tenant));
    }

    [Fact]
    public async Task One_bad_line_and_nothing_is_written_and_the_line_is_named()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        await world.KpiAsync(tenant, "custom.a");
        var (status, body) = await world.FileAsync(tenant, "mode=commit&name=bad.csv", $"date,kpi,value\n{Day(3)},custom.a,1\n{Day(2)},custom.nope,2\n{Day(1)},custom.a,three\n");
        Assert.Equal(202, status);
        var ended = await world.ImportedAsync(tenant, body!);
        Assert.Equal("failed", ended["status"]!.GetValue<string>());
        Assert.Equal([3, 4], ended["errors"]!.AsArray().Select(error => error!["line"]!.GetValue<int>()));
        Assert.Equal(0, await world.OneAsync<int>("select count(*)::int from kpi_values where tenant_id = @Id", tenant));
        Assert.Equal(0, await world.OneAsync<int>("select count(*)::int from import_chunks where tenant_id = @Id", tenant));
        foreach (var bad in new[] { "", "\0", "a,b\n1,2\n", "date,kpi,value\n" }) Assert.Equal(400, (await world.FileAsync(tenant, "mode=commit", bad)).Status);
        Assert.Equal(400, (await world.FileAsync(tenant, "mode=rather", "date,custom.a\n")).Status);
        Assert.Equal(400, (await world.PostAsync("import", tenant.Owner, "{}")).Status);
        Assert.Equal(413, (await world.FileAsync(tenant, "", new string('x', (10 * 1024 * 1024) + 1))).Status);
    }

    [Fact]
    public async Task A_hundred_thousand_rows_are_imported_with_progress_and_the_same_file_again_changes_nothing()
    {
        await using var world = new PushWorld(app);
        var tenant = await ManyAsync(world);
        var csv = Csv();
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var (status, body) = await world.FileAsync(tenant, "mode=commit&name=big.csv", csv, ("Idempotency-Key", "big"));
        Assert.Equal((202, Rows), (status, body!["rows"]!.GetValue<int>()));
        var (_, same) = await world.FileAsync(tenant, "mode=commit&name=big.csv", csv, ("Idempotency-Key", "big"));
        Assert.Equal(body["id"]!.ToString(), same!["id"]!.ToString());
        var seen = new SortedSet<int>();
        var ended = await world.ImportedAsync(tenant, body, state => seen.Add(state["readingsDone"]!.GetValue<int>()));
        TestContext.Current.TestOutputHelper?.WriteLine($"{Rows} rows in {watch.Elapsed.TotalSeconds:0.0} s, progress seen: {string.Join(' ', seen)}");
        Assert.Equal(("succeeded", Rows, 0), (ended["status"]!.GetValue<string>(), ended["accepted"]!.GetValue<int>(), ended["unchanged"]!.GetValue<int>()));
        Assert.Contains(seen, done => done is > 0 and < Rows);
        Assert.Equal((Rows, Rows * (Rows - 1L) / 2), await world.OneAsync<(int, long)>("select count(*)::int, sum(value)::bigint from kpi_values where tenant_id = @Id", tenant));
        Assert.Equal(0, await world.OneAsync<int>("select count(*)::int from import_chunks where tenant_id = @Id", tenant));

        var (_, again) = await world.FileAsync(tenant, "mode=commit&name=big.csv", csv);
        ended = await world.ImportedAsync(tenant, again!);
        Assert.Equal(("succeeded", 0, Rows), (ended["status"]!.GetValue<string>(), ended["accepted"]!.GetValue<int>(), ended["unchanged"]!.GetValue<int>()));
        Assert.Equal(0, await world.OneAsync<int>("select count(*)::int from kpi_restatements where tenant_id = @Id", tenant));
    }

    [Fact]
    public async Task A_connection_that_dies_midway_leaves_nothing_half_written_and_the_next_try_writes_all()
    {
        await using var world = new PushWorld(app);
        var tenant = await ManyAsync(world);
        var (_, body) = await world.FileAsync(tenant, "mode=commit", Csv());
        await using var admin = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres.AdminConnectionString) { Database = new NpgsqlConnectionStringBuilder(app.OwnerConnectionString).Database }.ConnectionString);
        var killed = 0;
        var half = -1;
        var ended = await world.ImportedAsync(tenant, body!, state =>
        {
            if (killed > 0 || state["readingsDone"]!.GetValue<int>() is 0 or > Rows / 2) return;
            // Whatever holds a transaction with values of this import dies: as if the worker had been killed.
            using var command = admin.CreateCommand(
                "select count(pg_terminate_backend(a.pid)) from pg_stat_activity a where a.datname = current_database() and a.usename = 'kpi_app' and a.xact_start < now() - interval '50 milliseconds'");
            killed = Convert.ToInt32(command.ExecuteScalar(), CultureInfo.InvariantCulture);
            if (killed == 0) return;
            using var count = admin.CreateCommand($"select count(*) from kpi_values where tenant_id = '{tenant.Id}'");
            half = Convert.ToInt32(count.ExecuteScalar(), CultureInfo.InvariantCulture);
        });
        Assert.True(killed > 0, "The import was over before it could be killed.");
        Assert.Equal(0, half);
        Assert.Equal(("succeeded", Rows), (ended["status"]!.GetValue<string>(), ended["accepted"]!.GetValue<int>()));
        Assert.True(await world.OneAsync<int>("select attempts from imports where tenant_id = @Id", tenant) > 1);
        Assert.Equal((Rows, Rows * (Rows - 1L) / 2), await world.OneAsync<(int, long)>("select count(*)::int, sum(value)::bigint from kpi_values where tenant_id = @Id", tenant));
    }

    [Fact]
    public async Task An_import_of_a_dead_worker_waits_for_his_lease_and_many_messages_import_once()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        await world.KpiAsync(tenant, "custom.a");
        var (leased, lost) = (Guid.NewGuid(), Guid.NewGuid());
        foreach (var (id, lease) in new[] { (leased, "now() + interval '3 seconds'"), (lost, "null") })
        {
            await world.Access.ExecuteAsync(
                $"""
                insert into imports (tenant_id, id, file_name, status, delimiter, decimal_mark, dates, bytes, rows, lease_token, lease_until, created_at, updated_at)
                values (@Id, @import, 'f.csv', 'running', 'comma', 'point', 'iso', 1, 1, gen_random_uuid(), {lease}, now(), now() - interval '10 minutes');
                insert into import_chunks (tenant_id, import_id, position, data) values (@Id, @import, 0, convert_to(@csv, 'utf8'));
                """, new { tenant.Id, import = id, csv = $"date,kpi,value\n{Day(id == leased ? 1 : 2)},custom.a,5\n" });
        }

        var importer = app.Services.GetRequiredService<Importer>();
        var cancel = TestContext.Current.CancellationToken;
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => importer.EnqueueAsync(tenant.Id, leased, TimeSpan.Zero, cancel)));
        // The other one lost its message: the timer finds it.
        await importer.SweepAsync(cancel);
        foreach (var id in new[] { leased, lost })
        {
            var ended = await world.ImportedAsync(tenant, System.Text.Json.Nodes.JsonNode.Parse($$"""{"id":"{{id}}"}""")!);
            Assert.Equal(("succeeded", 1), (ended["status"]!.GetValue<string>(), ended["accepted"]!.GetValue<int>()));
        }

        Assert.Equal([1, 1], await world.Access.QueryAsync<int>("select attempts from imports where tenant_id = @Id", tenant));
        Assert.Equal(2, await world.OneAsync<int>("select count(*)::int from kpi_values where tenant_id = @Id", tenant));
    }

    [Fact]
    public async Task A_message_that_broke_five_times_fails_its_import_and_what_names_none_is_kept()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var id = Guid.NewGuid();
        await world.Access.ExecuteAsync(
            """
            insert into imports (tenant_id, id, file_name, delimiter, decimal_mark, dates, bytes, rows, created_at, updated_at) values (@Id, @import, 'f.csv', 'comma', 'point', 'iso', 1, 1, now(), now());
            insert into import_chunks (tenant_id, import_id, position, data) values (@Id, @import, 0, '');
            """, new { tenant.Id, import = id });
        var importer = app.Services.GetRequiredService<Importer>();
        await importer.PoisonAsync($$"""{"v":1,"tenantId":"{{tenant.Id}}","importId":"{{id}}"}""", TestContext.Current.CancellationToken);
        Assert.Equal(("failed", 0), await world.OneAsync<(string, int)>("select status, (select count(*)::int from import_chunks where tenant_id = @Id) from imports where tenant_id = @Id", tenant));
        await importer.PoisonAsync("no message " + id, TestContext.Current.CancellationToken);
        Assert.Equal(1, await world.OneAsync<int>("select count(*)::int from dead_letters where queue = 'import-poison' and body like '%' || @id::text", new { id }));
        // After it ended, a late message does nothing.
        await importer.RunAsync(new ImportMessage(1, tenant.Id, id, null), TestContext.Current.CancellationToken);
        Assert.Equal(0, await world.OneAsync<int>("select attempts from imports where tenant_id = @Id", tenant));
    }

    private static async Task<PushTenant> ManyAsync(PushWorld world)
    {
        var tenant = await world.TenantAsync();
        await world.Access.ExecuteAsync(
            """
            insert into custom_kpis (tenant_id, id, key, name, description, unit, direction, aggregation, created_at, updated_at)
            select @Id, gen_random_uuid(), 'custom.k' || k, 'KPI ' || k, '', 'count', 'up', 'sum', now(), now() from generate_series(0, @last) k
            """, new { tenant.Id, last = Kpis - 1 });
        return tenant;
    }

    private static string Csv()
    {
        var builder = new StringBuilder("date;kpi;value\r\n");
        for (var row = 0; row < Rows; row++) builder.Append(CultureInfo.InvariantCulture, $"{Day(row / Kpis)};custom.k{row % Kpis};{row}\r\n");
        return builder.ToString();
    }
}
