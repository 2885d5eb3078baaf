using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using KpiDashboard.Demo.Seeding;
using Npgsql;

namespace KpiDashboard.Benchmarks;

/// <summary>
/// Reads while there are 10, 1,000 and 10,000 businesses of 30 KPIs and 400 days, made by SQL: whether a read of one business knows how many
/// others there are, what row-level security costs, and how much room a value takes.
/// </summary>
internal static class ScaleRates
{
    private const int Kpis = 30, Days = 400, Asked = 20;

    private static readonly (string Name, string Path)[] s_reads =
    [
        ("summary, 28 days", "api/metrics/summary?range=last_28_days"),
        ("summary with insights", "api/metrics/summary?range=last_28_days&with=insights"),
        ("summary, 12 months against last year", "api/metrics/summary?range=last_12_months&compare=previous_year"),
        ("history of a KPI, 12 months", "api/metrics/history?kpis=shop.revenue&range=last_12_months&grain=week"),
        ("automation, 28 days", "api/automation/performance?range=last_28_days"),
    ];

    /// <summary>Runs it.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="folder">For the data.</param>
    /// <param name="most">The largest number of businesses.</param>
    public static async Task RunAsync(string root, string folder, int most)
    {
        await using var app = await ReadRates.StartAsync(folder);
        await using var admin = NpgsqlDataSource.Create(app.Admin);
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"Measured on {DateTime.UtcNow:yyyy-MM-dd} on {Report.Machine()}, {await app.PostgresAsync()}.").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"Each business has {Kpis} KPIs and {Days} days. Made anew, eight connections, {Asked} businesses in turns; p95 in milliseconds.").AppendLine();
        int[] sizes = [.. new[] { 10, 1_000, 10_000 }.Where(size => size <= most)];
        var p95 = new Dictionary<(string, int), double>();
        var there = 0;
        foreach (var size in sizes)
        {
            var begun = Stopwatch.GetTimestamp();
            await MakeAsync(admin, there, size);
            there = size;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{size:N0} businesses are there after {Stopwatch.GetElapsedTime(begun).TotalSeconds:0} s."));
            var tokens = await TokensAsync(app, admin, Math.Min(Asked, size));
            foreach (var (name, path) in s_reads)
            {
                var turn = 0;
                var rate = await ReadRates.RateAsync(8, async () =>
                {
                    using var request = new HttpRequestMessage(HttpMethod.Get, $"{path}&asked={Guid.NewGuid():N}");
                    request.Headers.Add("Authorization", $"Bearer {tokens[Interlocked.Increment(ref turn) % tokens.Count]}");
                    using var answer = await app.Quiet.SendAsync(request);
                    await answer.Content.ReadAsByteArrayAsync();
                    if (answer.StatusCode != HttpStatusCode.OK) throw new InvalidOperationException($"{path} answered {(int)answer.StatusCode}.");
                });
                p95[(name, size)] = rate.P95;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{size,7:N0}  {name,-40} p50 {rate.P50,6:0.0}  p95 {rate.P95,6:0.0}  {rate.PerSecond,6:0} a second"));
            }
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"| read | {string.Join(" | ", sizes.Select(size => size.ToString("N0", CultureInfo.InvariantCulture)))} | last ÷ first |");
        text.AppendLine(CultureInfo.InvariantCulture, $"| --- | {string.Concat(sizes.Select(_ => "---: | "))}---: |");
        foreach (var (name, _) in s_reads)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {name} | {string.Join(" | ", sizes.Select(size => p95[(name, size)].ToString("0.0", CultureInfo.InvariantCulture)))} | {p95[(name, sizes[^1])] / p95[(name, sizes[0])]:0.00} |");
        }

        var (batches, _, _, _) = await app.ShowAsync(s_reads[0].Path);
        var (with, without) = (await ReadRates.BareAsync(app.AppRole, batches), await ReadRates.BareAsync(app.Admin, batches));
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"Row-level security: the statements of a summary run {with.PerSecond:0} times a second under it and {without.PerSecond:0} without, {100 * ((without.PerSecond / with.PerSecond) - 1):0} % more.");
        var (bytes, values) = await RoomAsync(admin);
        text.AppendLine(CultureInfo.InvariantCulture, $"Room: {bytes / 1_048_576.0:N0} MB for {values:N0} values, {(double)bytes / values:0.0} bytes a value, tables and indexes.");
        if (await Report.LastAsync(root, "scale") is { } last) Console.WriteLine($"{Environment.NewLine}The last time:{Environment.NewLine}{last.Trim()}");
        Console.WriteLine();
        Console.WriteLine(text);
        await Report.WriteAsync(root, "scale", "Many businesses", text.ToString());
    }

    /// <summary>Businesses from one number to another, some hundred a statement.</summary>
    private static async Task MakeAsync(NpgsqlDataSource admin, int from, int to)
    {
        const int Step = 250;
        for (var first = from; first < to; first += Step)
        {
            await using var command = admin.CreateCommand(
                """
                with t as (
                    insert into tenants (id, name, time_zone, currency)
                    select gen_random_uuid(), 'Scale ' || n, 'Europe/Berlin', 'EUR' from generate_series(@first + 1, @last) n returning id),
                i as (
                    insert into integrations (tenant_id, id, source, connector, display_name, next_due_at, fetched_at, complete_through, final_through, read_from, backfilled_at, currency)
                    select t.id, gen_random_uuid(), s, c, d, now() + interval '10 days', now(), current_date - 1, current_date - 3, current_date - @days, now(), m
                    from t, (values (1, 'google-analytics', 'Google Analytics', 'EUR'), (2, 'n8n', 'n8n', null)) v (s, c, d, m)
                    returning tenant_id),
                k as (
                    insert into kpi_keys (tenant_id, number, key)
                    select t.id, u.n, u.key from t cross join unnest(@keys) with ordinality u (key, n) returning tenant_id, number, key),
                w as (insert into kpi_writes (tenant_id, number, at) select id, 1, now() from t returning tenant_id)
                insert into kpi_months (tenant_id, month, source, kpi, days, ended, first_writes, last_writes)
                select k.tenant_id, m::date, case when k.key like 'automation.%' then 2 else 1 end, k.number,
                       (select array_agg(case when m::date + p < current_date then (100 + (hashtext(k.key || m::text) + p * 7) % 50)::numeric end order by p) from generate_series(0, 30) p
                        where true),
                       2147483647, array_fill(1, array[31]), array_fill(1, array[31])
                from k cross join generate_series(date_trunc('month', current_date - @days), current_date, interval '1 month') m
                order by k.tenant_id, m, 3, k.number
                """);
            command.CommandTimeout = 600;
            command.Parameters.AddWithValue("first", first);
            command.Parameters.AddWithValue("last", Math.Min(first + Step, to));
            command.Parameters.AddWithValue("days", Days);
            command.Parameters.AddWithValue("keys", Keys());
            await command.ExecuteNonQueryAsync();
        }

        foreach (var table in new[] { "tenants", "integrations", "kpi_keys", "kpi_writes", "kpi_months" })
        {
            await using var analyze = admin.CreateCommand($"vacuum analyze {table}");
            analyze.CommandTimeout = 600;
            await analyze.ExecuteNonQueryAsync();
        }
    }

    private static string[] Keys() =>
        [.. KpiDashboard.Kpis.KpiCatalogue.All.Where(kpi => kpi.Compute is null).Select(kpi => kpi.Key).Take(Kpis)];

    /// <summary>The demonstration's owner becomes a viewer of some of them.</summary>
    private static async Task<IReadOnlyList<string>> TokensAsync(ReadRates.App app, NpgsqlDataSource admin, int count)
    {
        List<Guid> chosen = [];
        await using (var command = admin.CreateCommand(
            """
            with chosen as (select id from tenants where name like 'Scale %' order by md5(id::text) limit @count)
            insert into memberships (tenant_id, user_id, role)
            select c.id, u.id, 'viewer' from chosen c, users u where u.email_key = @owner on conflict do nothing;
            select m.tenant_id from memberships m join tenants t on t.id = m.tenant_id join users u on u.id = m.user_id
            where t.name like 'Scale %' and u.email_key = @owner order by md5(m.tenant_id::text) limit @count
            """))
        {
            command.Parameters.AddWithValue("count", count);
            command.Parameters.AddWithValue("owner", DemoSeeder.OwnerEmail.ToUpperInvariant());
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync()) chosen.Add(reader.GetGuid(0));
        }

        List<string> tokens = [];
        foreach (var tenant in chosen)
        {
            // A session of its own for each: one that is switched leaves the business that it was in.
            using var login = await app.Quiet.PostAsJsonAsync("api/auth/login", new { email = DemoSeeder.OwnerEmail, password = DemoSeeder.Password });
            var session = JsonNode.Parse(await login.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!;
            using var request = new HttpRequestMessage(HttpMethod.Post, "api/auth/switch") { Content = JsonContent.Create(new { tenantId = tenant }) };
            request.Headers.Add("Authorization", $"Bearer {session["accessToken"]}");
            using var switched = await app.Quiet.SendAsync(request);
            tokens.Add((string)JsonNode.Parse(await switched.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!["accessToken"]!);
        }

        return tokens;
    }

    private static async Task<(long Bytes, long Values)> RoomAsync(NpgsqlDataSource admin)
    {
        await using var command = admin.CreateCommand(
            """
            select (select sum(pg_total_relation_size(c.oid)) from pg_class c where c.relname ~ '^(kpi_months|kpi_writes|kpi_keys)' and c.relkind in ('r', 'p'))::bigint,
                   (select sum(cardinality(array_remove(days, null))) from kpi_months)::bigint
            """);
        command.CommandTimeout = 600;
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetInt64(1));
    }
}
