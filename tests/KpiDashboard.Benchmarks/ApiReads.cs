using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.Tests.Shared;
using Npgsql;

namespace KpiDashboard.Benchmarks;

/// <summary>
/// Reads of the API against the whole app with the demo data, one after the other, each as a ratio to health/live in the same run: that request passes the
/// same Kestrel, trigger and middleware and touches no database.
/// </summary>
internal static class ApiReads
{
    private const int WarmUp = 100, Measured = 400;

    /// <summary>Businesses of an agency, beside those of the demonstration.</summary>
    private const int Agency = 500;

    /// <param name="address">Of the app.</param>
    /// <param name="owner">The database as its owner, for what no request makes in so large a number.</param>
    public static async Task RunAsync(Uri address, string owner)
    {
        using var http = new HttpClient { BaseAddress = address };
        using var login = await http.PostAsJsonAsync("api/auth/login", new { email = DemoSeeder.OwnerEmail, password = DemoSeeder.Password });
        http.DefaultRequestHeaders.Add("X-Kpi-Token", JsonNode.Parse(await login.Content.ReadAsStringAsync())!["accessToken"]!.GetValue<string>());

        Console.WriteLine();
        Console.WriteLine($"{"request",-44} {"p50 ms",8} {"p95 ms",8} {"p50 ÷ live",11} {"bytes",9}");
        var live = await MeasureAsync("api/health/live");
        Print("health/live (baseline)", live, live.P50);
        foreach (var (name, path) in new[]
        {
            ("metrics/summary, 28 days", "api/metrics/summary?range=last_28_days"),
            ("metrics/summary, 12 months", "api/metrics/summary?range=last_12_months&compare=previous_year"),
            ("metrics/history, 1 KPI, 12 months by week", "api/metrics/history?kpis=shop.revenue&range=last_12_months&grain=week"),
            ("automation/performance, 28 days", "api/automation/performance?range=last_28_days"),
            ("sync/runs", "api/sync/runs"),
        })
        {
            Print(name, await MeasureAsync(path), live.P50);
            if (path.Contains("summary", StringComparison.Ordinal)) Print(name + ", 304", await MeasureAsync(path, conditional: true), live.P50);
        }

        await MakeAgencyAsync(owner);
        Print($"tenants, {Agency} businesses, no score kept yet", await MeasureAsync("api/tenants"), live.P50);
        await KeepScoresAsync(owner);
        Print($"tenants, {Agency} businesses", await MeasureAsync("api/tenants"), live.P50);

        // What must not be told apart by time: another tenant's id and an unknown one, a known address and an unknown one. Taken in turns.
        var tenants = JsonNode.Parse(await http.GetStringAsync("api/auth/me"))!["tenants"]!.AsArray();
        using var switched = await http.PostAsJsonAsync("api/auth/switch", new { tenantId = tenants[1]!["id"]!.GetValue<Guid>() });
        using var elsewhere = new HttpClient { BaseAddress = http.BaseAddress };
        elsewhere.DefaultRequestHeaders.Add("X-Kpi-Token", JsonNode.Parse(await switched.Content.ReadAsStringAsync())!["accessToken"]!.GetValue<string>());
        var foreign = JsonNode.Parse(await elsewhere.GetStringAsync("api/sync/runs?limit=1"))!["runs"]![0]!["id"]!.GetValue<Guid>();
        Console.WriteLine();
        Console.WriteLine($"{"told apart by time? (taken in turns)",-44} {"p50 ms",8} {"p50 ms",8} {"ratio",11}");
        await CompareAsync("404: another tenant's run ÷ unknown run", 400, () => http.GetAsync($"api/sync/runs/{foreign}"), () => http.GetAsync($"api/sync/runs/{Guid.NewGuid()}"));
        await CompareAsync(
            "401: known address ÷ unknown address", 60,
            () => http.PostAsJsonAsync("api/auth/login", new { email = DemoSeeder.ViewerEmail, password = "wrong password" }),
            () => http.PostAsJsonAsync("api/auth/login", new { email = "nobody@demo.example", password = "wrong password" }));

        static async Task CompareAsync(string name, int rounds, Func<Task<HttpResponseMessage>> one, Func<Task<HttpResponseMessage>> other)
        {
            var times = new[] { new double[rounds], new double[rounds] };
            for (var i = -rounds / 4; i < rounds; i++)
            {
                // Which of the two goes first changes, so that neither always finds the caches warm.
                foreach (var which in i % 2 == 0 ? new[] { 0, 1 } : [1, 0])
                {
                    var started = Stopwatch.GetTimestamp();
                    using var response = await (which == 0 ? one : other)();
                    await response.Content.ReadAsByteArrayAsync();
                    if (i >= 0) times[which][i] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
                }
            }

            Array.Sort(times[0]);
            Array.Sort(times[1]);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{name,-44} {times[0][rounds / 2],8:0.00} {times[1][rounds / 2],8:0.00} {times[0][rounds / 2] / times[1][rounds / 2],11:0.00}"));
        }

        async Task<(double P50, double P95, long Bytes)> MeasureAsync(string path, bool conditional = false)
        {
            EntityTagHeaderValue? tag = null;
            long bytes = 0;
            var times = new double[Measured];
            for (var i = -WarmUp; i < Measured; i++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                if (conditional && tag is not null) request.Headers.IfNoneMatch.Add(tag);
                var started = Stopwatch.GetTimestamp();
                using var response = await http.SendAsync(request);
                bytes = (await response.Content.ReadAsByteArrayAsync()).LongLength;
                if (i >= 0) times[i] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
                if (!response.IsSuccessStatusCode && (int)response.StatusCode != 304) throw new InvalidOperationException($"{path} answered {(int)response.StatusCode}.");
                tag = response.Headers.ETag;
            }

            Array.Sort(times);
            return (times[Measured / 2], times[Measured * 95 / 100], bytes);
        }

        // Sixteen weeks of what lists and scores read; the demonstration's owner sees them all.
        static async Task MakeAgencyAsync(string owner)
        {
            await using var connection = new NpgsqlConnection(owner);
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandTimeout = 300;
            command.CommandText =
                """
                with t as (insert into tenants (id, name, time_zone, currency) select gen_random_uuid(), 'Client ' || n, 'Europe/Berlin', 'EUR' from generate_series(1, @businesses) n returning id),
                m as (insert into memberships (tenant_id, user_id, role) select t.id, u.id, 'viewer' from t, users u where u.email_key = @owner),
                i as (insert into integrations (tenant_id, id, connector, display_name, fetched_at, complete_through, read_from, backfilled_at)
                    select id, gen_random_uuid(), c, c, now(), current_date - 1, current_date - 112, now()
                    from t cross join unnest(array['n8n', 'google-analytics']) with ordinality as u (c, n) order by n)
                select 1;

                """ + ManyValues.Insert(
                """
                select t.id, case when k like 'automation.%' then 1 else 2 end, k, current_date - n, (100 + n)::numeric
                from tenants t
                cross join unnest(array['shop.revenue', 'shop.transactions', 'automation.time_saved', 'web.sessions', 'automation.failed', 'automation.succeeded']) k
                cross join generate_series(1, 112) n
                where t.name like 'Client %'
                """) + "analyze kpi_months;";
            command.Parameters.AddWithValue("businesses", Agency);
            command.Parameters.AddWithValue("owner", DemoSeeder.OwnerEmail.ToUpperInvariant());
            await command.ExecuteNonQueryAsync();
        }

        // As after the timer's round: that is minutes away, and another measurement.
        static async Task KeepScoresAsync(string owner)
        {
            await using var connection = new NpgsqlConnection(owner);
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = "update tenants set health_score = 90, health_day = current_date - 1, health_version = data_version, health_at = now()";
            await command.ExecuteNonQueryAsync();
        }

        static void Print(string name, (double P50, double P95, long Bytes) result, double baseline) => Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{name,-44} {result.P50,8:0.00} {result.P95,8:0.00} {result.P50 / baseline,11:0.0} {result.Bytes,9:N0}"));
    }
}
