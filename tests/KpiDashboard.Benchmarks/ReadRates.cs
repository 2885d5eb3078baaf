using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using KpiDashboard.Data;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.Tests.Shared;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace KpiDashboard.Benchmarks;

/// <summary>
/// Reads of the API in the whole app with the demo data: made anew (as when the data version has just moved), kept, and unchanged (304); one
/// connection and eight. Beside each: health/live through the same host, the same statements through bare prepared Npgsql, and a bare Kestrel
/// that sends the same bytes.
/// </summary>
internal static class ReadRates
{
    private const int Many = 8;
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(2), s_measured = TimeSpan.FromSeconds(4);

    private static readonly (string Name, string Path)[] s_routes =
    [
        ("summary, 28 days", "api/metrics/summary?range=last_28_days"),
        ("summary with insights", "api/metrics/summary?range=last_28_days&with=insights"),
        ("summary, 12 months against last year", "api/metrics/summary?range=last_12_months&compare=previous_year"),
        ("history of a KPI, 12 months by week", "api/metrics/history?kpis=shop.revenue&range=last_12_months&grain=week"),
        ("insights", "api/insights/business?range=last_28_days"),
        ("breakdown by channel", "api/metrics/web.sessions/breakdown?dimension=channel&range=last_28_days"),
        ("automation, 28 days", "api/automation/performance?range=last_28_days"),
        ("runs", "api/automation/executions"),
        ("goals", "api/goals"),
        ("provenance of a day", "api/metrics/provenance?kpi=web.sessions&date=DAY"),
    ];

    /// <summary>Runs it.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="folder">For the data.</param>
    /// <param name="only">Only reads with this in their name, of which nothing is written down; null for all.</param>
    public static async Task RunAsync(string root, string folder, string? only = null)
    {
        await using var app = await StartAsync(folder);
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"Measured on {DateTime.UtcNow:yyyy-MM-dd} on {Report.Machine()}, {await app.PostgresAsync()}.").AppendLine();
        text.AppendLine("Made anew: nobody has asked it at this version. Of Npgsql: answers a second as a part of how often the same statements, prepared, run through bare Npgsql as the same role.").AppendLine();
        var live = await RateAsync(Many, () => app.AskAsync("api/health/live", null, HttpStatusCode.OK));
        text.AppendLine(CultureInfo.InvariantCulture, $"health/live, {Many} connections: {live.PerSecond:0} a second, p50 {live.P50:0.00} ms.").AppendLine();
        text.AppendLine("| read | first ever, ms | 1 conn. p50 | 8 conn. p50 | p95 | p99 | a second | of Npgsql | kept: a second | of live | 304: a second | of live | of Kestrel | bytes |");
        text.AppendLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        var day = DateTime.UtcNow.AddDays(-10).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var rates = new Dictionary<string, Rate>(StringComparer.Ordinal);
        foreach (var (name, template) in s_routes.Where(route => only is null || route.Name.Contains(only, StringComparison.Ordinal)))
        {
            var path = template.Replace("DAY", day, StringComparison.Ordinal);
            var asked = Stopwatch.GetTimestamp();
            await app.AskAsync(path, null, HttpStatusCode.OK);
            var cold = Stopwatch.GetElapsedTime(asked).TotalMilliseconds;
            var (batches, bytes, tag, body) = await app.ShowAsync(path);
            string Fresh() => $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}asked={Guid.NewGuid():N}";
            var alone = await RateAsync(1, () => app.AskAsync(Fresh(), null, HttpStatusCode.OK));
            var made = rates[name] = await RateAsync(Many, () => app.AskAsync(Fresh(), null, HttpStatusCode.OK));
            var bare = await BareAsync(app.AppRole, batches);
            var kept = await RateAsync(Many, () => app.AskAsync(path, null, HttpStatusCode.OK));
            var unchanged = await RateAsync(Many, app.Unchanged(path, tag));
            var kestrel = await KestrelAsync(body);
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {name} | {cold:0} | {alone.P50:0.0} | {made.P50:0.0} | {made.P95:0.0} | {made.P99:0.0} | {made.PerSecond:0} | {made.PerSecond / bare.PerSecond:0.00} | {kept.PerSecond:0} | {kept.PerSecond / live.PerSecond:0.00} | {unchanged.PerSecond:0} | {unchanged.PerSecond / live.PerSecond:0.00} | {kept.PerSecond / kestrel.PerSecond:0.00} | {bytes} |");
            Console.WriteLine(text.ToString().TrimEnd().Split('\n')[^1]);
        }

        if (only is not null) return;
        double Ratio(string one, string other) => rates[one].P50 / rates[other].P50;
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"With insights {Ratio("summary with insights", "summary, 28 days"):0.00} × the summary without; twelve months {Ratio("summary, 12 months against last year", "summary, 28 days"):0.00} × 28 days; summary p99 {rates["summary, 28 days"].P99 / rates["summary, 28 days"].P50:0.0} × p50. Memory of the process (host, worker and benchmark in one) after these reads: {Environment.WorkingSet / 1_048_576} MB.");
        if (await Report.LastAsync(root, "reads") is { } last) Console.WriteLine($"{Environment.NewLine}The last time:{Environment.NewLine}{last.Trim()}");
        Console.WriteLine();
        Console.WriteLine(text);
        await Report.WriteAsync(root, "reads", "Reads", text.ToString());
    }

    internal static async Task<App> StartAsync(string folder)
    {
        var builder = LocalApp.CreateBuilder(["--port", "0", "--data", folder, "--no-settings", "--set", "Limits:Reads:Permits=1000000", "--set", "Limits:SignInAccount:Permits=1000000",
            "--set", "Limits:SignInAddress:Permits=1000000", "--set", "Limits:Writes:Permits=1000000", "--set", "Web:Skip=true"]);
        var host = builder.Build();
        await host.StartAsync();
        await host.AfterAppStarted;
        var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Many }) { BaseAddress = host.Address };
        var waited = Stopwatch.StartNew();
        while (!(await http.GetAsync("api/health/ready")).IsSuccessStatusCode)
        {
            if (waited.Elapsed > TimeSpan.FromMinutes(5)) throw new TimeoutException("The demo was not ready within 5 minutes.");
            await Task.Delay(200);
        }

        using var login = await http.PostAsJsonAsync("api/auth/login", new { email = DemoSeeder.OwnerEmail, password = DemoSeeder.Password });
        http.DefaultRequestHeaders.Add("X-Kpi-Token", JsonNode.Parse(await login.Content.ReadAsStringAsync())!["accessToken"]!.GetValue<string>());
        http.DefaultRequestHeaders.Add("Accept-Encoding", "br, gzip");
        var quiet = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Many, UseCookies = false }) { BaseAddress = host.Address };
        return new App(host, http, quiet, host.Services.GetRequiredService<IConfiguration>());
    }

    /// <summary>The statements of a read, prepared, as the app's role, by itself.</summary>
    internal static async Task<Rate> BareAsync(string connectionString, IReadOnlyList<Batch> batches)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        var ready = new ConcurrentQueue<(NpgsqlConnection Connection, List<NpgsqlBatch> Batches)>();
        for (var i = 0; i < Many; i++)
        {
            var connection = await source.OpenConnectionAsync();
            List<NpgsqlBatch> prepared = [];
            foreach (var one in batches)
            {
                var batch = one.On(connection);
                await batch.PrepareAsync();
                prepared.Add(batch);
            }

            ready.Enqueue((connection, prepared));
        }

        var rate = await RateAsync(Many, async () =>
        {
            if (!ready.TryDequeue(out var free)) throw new InvalidOperationException("More at once than connections.");
            foreach (var batch in free.Batches)
            {
                await using var reader = await batch.ExecuteReaderAsync();
                do
                {
                    while (await reader.ReadAsync())
                    {
                        for (var column = 0; column < reader.FieldCount; column++)
                        {
                            if (reader.GetDataTypeName(column) == "numeric[]") reader.GetFieldValue<decimal?[]>(column);
                            else reader.GetValue(column);
                        }
                    }
                }
                while (await reader.NextResultAsync());
            }

            ready.Enqueue(free);
        });
        while (ready.TryDequeue(out var one)) await one.Connection.DisposeAsync();
        return rate;
    }

    private static async Task<Rate> KestrelAsync(byte[] body)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var bare = builder.Build();
        bare.Urls.Add("http://127.0.0.1:0");
        bare.MapGet("/", async (HttpContext context) =>
        {
            context.Response.ContentType = "application/json; charset=utf-8";
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body);
        });
        await bare.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(bare.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()) };
        var rate = await RateAsync(Many, async () =>
        {
            using var answer = await http.GetAsync("/");
            await answer.Content.ReadAsByteArrayAsync();
        });
        await bare.StopAsync();
        return rate;
    }

    internal static async Task<Rate> RateAsync(int connections, Func<Task> ask)
    {
        var times = new ConcurrentBag<double>();
        async Task RunAsync(TimeSpan length, bool note)
        {
            var begun = Stopwatch.StartNew();
            await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(async () =>
            {
                while (begun.Elapsed < length)
                {
                    var started = Stopwatch.GetTimestamp();
                    await ask();
                    if (note) times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                }
            })));
        }

        await RunAsync(s_warmUp, note: false);
        var begun = Stopwatch.StartNew();
        await RunAsync(s_measured, note: true);
        var (took, sorted) = (begun.Elapsed.TotalSeconds, times.Order().ToArray());
        double At(double part) => sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * part))];
        return new Rate(sorted.Length / took, At(0.5), At(0.95), At(0.99));
    }

    internal sealed record Rate(double PerSecond, double P50, double P95, double P99);

    /// <summary>One round trip: its statements with their parameters.</summary>
    internal sealed record Batch(IReadOnlyList<(string Sql, IReadOnlyList<NpgsqlParameter> Parameters)> Commands)
    {
        public NpgsqlBatch On(NpgsqlConnection connection)
        {
            var batch = new NpgsqlBatch(connection);
            foreach (var (sql, parameters) in Commands)
            {
                var command = new NpgsqlBatchCommand(sql);
                foreach (var parameter in parameters) command.Parameters.Add(parameter.Clone());
                batch.BatchCommands.Add(command);
            }

            return batch;
        }
    }

    internal sealed class App(LocalFunctionsHost host, HttpClient http, HttpClient quiet, IConfiguration settings) : IAsyncDisposable
    {
        public string AppRole => settings.GetConnectionString("Postgres")!;

        /// <summary>The role that row-level security does not hold.</summary>
        public string Admin => new NpgsqlConnectionStringBuilder(settings["Embedded:PostgresAdmin"]!) { Database = new NpgsqlConnectionStringBuilder(AppRole).Database }.ConnectionString;

        /// <summary>A client that is not signed in.</summary>
        public HttpClient Quiet => quiet;

        public async Task<string> PostgresAsync()
        {
            await using var connection = new NpgsqlConnection(AppRole);
            await connection.OpenAsync();
            return $"PostgreSQL {connection.PostgreSqlVersion}";
        }

        public async Task AskAsync(string path, EntityTagHeaderValue? tag, HttpStatusCode expected)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (tag is not null) request.Headers.IfNoneMatch.Add(tag);
            using var answer = await http.SendAsync(request);
            await answer.Content.ReadAsByteArrayAsync();
            if (answer.StatusCode != expected) throw new InvalidOperationException($"{path} answered {(int)answer.StatusCode}.");
        }

        /// <summary>
        /// Asks for what the asker has. Some answers speak of time, so that their tag changes with the quarter of an hour: then the new one is taken.
        /// </summary>
        public Func<Task> Unchanged(string path, EntityTagHeaderValue tag)
        {
            var renewed = 0;
            return async () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                request.Headers.IfNoneMatch.Add(tag);
                using var answer = await http.SendAsync(request);
                await answer.Content.ReadAsByteArrayAsync();
                if (answer.StatusCode == HttpStatusCode.NotModified) return;
                if (answer.StatusCode != HttpStatusCode.OK || Interlocked.Increment(ref renewed) > 2 * Many)
                {
                    throw new InvalidOperationException($"{path} answered {(int)answer.StatusCode}, again and again.");
                }

                tag = answer.Headers.ETag!;
            };
        }

        /// <summary>What an answer that is made anew sends to the database, and the answer.</summary>
        public async Task<(IReadOnlyList<Batch> Batches, int Bytes, EntityTagHeaderValue Tag, byte[] Body)> ShowAsync(string path)
        {
            await AskAsync(path, null, HttpStatusCode.OK);
            var shown = new ConcurrentQueue<Batch>();
            var database = host.Services.GetRequiredService<Database>();
            database.Shown = batch => shown.Enqueue(new Batch([.. Enumerable.Cast<NpgsqlBatchCommand>(batch.BatchCommands).Select(command =>
                (command.CommandText, (IReadOnlyList<NpgsqlParameter>)[.. command.Parameters.Select(parameter => parameter.Clone())]))]));
            await AskAsync($"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}asked={Guid.NewGuid():N}", null, HttpStatusCode.OK);
            database.Shown = null;
            using var answer = await http.GetAsync(path);
            var body = await answer.Content.ReadAsByteArrayAsync();
            return ([.. shown], body.Length, answer.Headers.ETag!, body);
        }

        public async ValueTask DisposeAsync()
        {
            http.Dispose();
            quiet.Dispose();
            await host.StopAsync();
            host.Dispose();
        }
    }
}
