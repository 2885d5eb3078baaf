using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Dapper;
using KpiDashboard.Data;
using KpiDashboard.Security;
using KpiDashboard.Sync;
using Npgsql;
using Spectre.Console;

namespace KpiDashboard.Cli;

/// <summary>Load for tests of capacity: businesses that read from simulators, and requests. Never on an installation of real businesses.</summary>
internal static class LoadCommands
{
    private const string Marker = "Load test ";

    public static Command Loadgen()
    {
        var really = new Option<bool>("--yes-really") { Description = "Also where server or address is not this machine", Recursive = true };
        return new Command("loadgen", "Makes load: businesses with simulated sources, or requests to the API") { really, Tenants(really), Http(really), Remove(really) };
    }

    private static Command Tenants(Option<bool> really)
    {
        var count = Shared.Whole("--count", "How many businesses, 1 to 10,000", 10, 10_000);
        var n8n = new Option<string?>("--n8n")
        {
            Description = "Address of a simulated n8n; each business reads its own under it, load-00001 onwards. The app must allow it (Outbound:AllowedHosts)",
        };
        var n8nKey = new Option<string>("--n8n-key") { Description = "Their API key", DefaultValueFactory = _ => "n8n_load" };
        var property = new Option<string?>("--ga-property") { Description = "Id of the first business's simulated Google Analytics property; each has the next" };
        var token = new Option<string>("--ga-token")
        {
            Description = "Refresh token of the property; {n} stands for the business's number",
            DefaultValueFactory = _ => "1//load-{n}",
        };
        return new Command("tenants", "Makes businesses whose sources are due at once") { count, n8n, n8nKey, property, token }.Runs(async (session, cancellationToken) =>
        {
            RequireTestbed(session, really, null);
            var many = session.Parsed.GetValue(count);
            var sources = new List<Func<int, (string Connector, string Settings, string Credentials)>>();
            if (session.Parsed.GetValue(n8n) is { } text)
            {
                if (!Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var address)) throw new CliException("--n8n must be an address like http://localhost:5678/.");
                var key = Json(new { apiKey = session.Parsed.GetValue(n8nKey) });
                sources.Add(number => ("n8n", Json(new { baseUrl = new Uri(address, $"load-{Digits(number, "D5")}").ToString() }), key));
            }

            if (session.Parsed.GetValue(property) is { } id)
            {
                // Each its own: one property's allowance of an hour lasts for a few businesses only.
                if (!long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var first) || first is < 1 or > 999_999_999_999)
                    throw new CliException("--ga-property must be the number of a property, like 700000001.");
                var secret = session.Parsed.GetValue(token)!;
                sources.Add(number => ("google-analytics", Json(new { propertyId = Digits(first + number - 1, "D") }),
                    Json(new { refreshToken = secret.Replace("{n}", Digits(number, "D"), StringComparison.Ordinal) })));
            }

            if (sources.Count == 0) throw new CliException("Name at least one source: --n8n or --ga-property.");

            var (database, sealer, now) = (session.Get<Database>(), session.Get<SecretSealer>(), session.Time.GetUtcNow());
            var started = session.Time.GetTimestamp();
            await session.Output.WithBarsAsync(async bar =>
            {
                var move = bar("Making businesses");
                var made = 0;
                await Parallel.ForEachAsync(Enumerable.Range(1, many), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = cancellationToken }, async (number, stop) =>
                {
                    await database.InTenantAsync(Guid.CreateVersion7(now), async tx =>
                    {
                        await tx.ExecuteAsync(
                            "insert into tenants (id, name, time_zone, currency, is_demo, created_at) values (@tenant, @name, 'Europe/Berlin', 'EUR', true, @now)",
                            new { name = Marker + number.ToString("D5", CultureInfo.InvariantCulture), now });
                        foreach (var source in sources)
                        {
                            var (connector, settings, credentials) = source(number);
                            var integration = Guid.CreateVersion7(now);
                            await tx.ExecuteAsync(
                                """
                                insert into integrations (tenant_id, id, connector, display_name, settings, credentials, next_due_at, created_at)
                                values (@tenant, @integration, @connector, @connector, @settings::jsonb, @secret, @now, @now)
                                """,
                                new { integration, connector, settings, secret = sealer.Seal(credentials, SyncRunner.CredentialPurpose(integration)), now });
                        }
                    }, stop);
                    move((double)Interlocked.Increment(ref made) / many, "");
                });
                return true;
            });
            var seconds = session.Time.GetElapsedTime(started).TotalSeconds;
            session.Output.Result(
                new { tenants = many, integrations = many * sources.Count, seconds = Math.Round(seconds, 3), perSecond = Math.Round(many / seconds, 1) },
                console => console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[green]{many:N0} businesses with {many * sources.Count:N0} sources[/] in {seconds:0.0} s ({many / seconds:N0} a second). The next tick of the timer takes them; `loadgen remove` deletes them."));
            return CommandTree.Done;
        });

        static string Json(object value) => System.Text.Json.JsonSerializer.Serialize(value);
        static string Digits(long number, string format) => number.ToString(format, CultureInfo.InvariantCulture);
    }

    private static Command Remove(Option<bool> really) => new Command("remove", "Deletes the businesses that `loadgen tenants` made").Runs(async (session, cancellationToken) =>
    {
        RequireTestbed(session, really, null);
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(session.Owner) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        var ids = (await connection.QueryAsync<Guid>(new CommandDefinition(
            "update tenants set delete_after = @now where is_demo and name like @marker returning id", new { now = session.Time.GetUtcNow(), marker = Marker + "_____" }, cancellationToken: cancellationToken))).AsList();
        foreach (var id in ids)
            await connection.ExecuteAsync(new CommandDefinition("select delete_tenant(@id, @now)", new { id, now = session.Time.GetUtcNow() }, cancellationToken: cancellationToken));
        session.Output.Result(new { removed = ids.Count }, console => console.MarkupLineInterpolated($"{ids.Count} businesses were deleted."));
        return CommandTree.Done;
    });

    private static Command Http(Option<bool> really)
    {
        var url = new Option<string?>("--url") { Description = "The app; default Web:BaseUrl" };
        var path = new Option<string>("--path") { Description = "What to get", DefaultValueFactory = _ => "/api/metrics/summary" };
        var concurrency = Shared.Whole("--concurrency", "Requests at a time, 1 to 256", 8, 256);
        var requests = Shared.Whole("--requests", "How many in all, 1 to 1,000,000", 1000, 1_000_000);
        var limit = Shared.Whole("--seconds", "Ends after so long at the latest, 1 to 600", 60, 600);
        return new Command("http", "Sends requests and prints rate and percentiles; the token of X-Kpi-Token comes from KPI_TOKEN") { url, path, concurrency, requests, limit }.Runs(async (session, cancellationToken) =>
        {
            if (!Uri.TryCreate(session.Parsed.GetValue(url) ?? session.Configuration["Web:BaseUrl"], UriKind.Absolute, out var address)) throw new CliException("--url must be an address like http://localhost:7071.");
            RequireTestbed(session, really, address);
            var target = new Uri(address, session.Parsed.GetValue(path)!);
            var (many, width) = (session.Parsed.GetValue(requests), session.Parsed.GetValue(concurrency));
            using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = width, UseCookies = false, AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(45) };
            if (Environment.GetEnvironmentVariable("KPI_TOKEN") is { Length: > 0 } token) http.DefaultRequestHeaders.Add("X-Kpi-Token", token);

            var times = new double[many];
            var statuses = new int[many];
            var (next, ended, done) = (0, 0, 0);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            stop.CancelAfter(TimeSpan.FromSeconds(session.Parsed.GetValue(limit)));
            var started = Stopwatch.GetTimestamp();
            await session.Output.WithBarsAsync(async bar =>
            {
                var move = bar("Requests");
                await Task.WhenAll(Enumerable.Range(0, width).Select(async _ =>
                {
                    int index;
                    while (!stop.IsCancellationRequested && (index = Interlocked.Increment(ref next) - 1) < many)
                    {
                        var begun = Stopwatch.GetTimestamp();
                        try
                        {
                            using var answer = await http.GetAsync(target, HttpCompletionOption.ResponseContentRead, stop.Token);
                            statuses[index] = (int)answer.StatusCode;
                        }
                        catch (HttpRequestException)
                        {
                            statuses[index] = -1;
                        }
                        catch (OperationCanceledException)
                        {
                            if (stop.IsCancellationRequested) return;
                            statuses[index] = -1;
                        }

                        times[index] = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
                        move((double)Interlocked.Increment(ref done) / many, "");
                    }
                }));
                return true;
            });
            cancellationToken.ThrowIfCancellationRequested();
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var measured = times.Where((_, index) => statuses[index] != 0).Order().ToArray();
            ended = measured.Length;
            if (ended == 0) throw new CliException($"{target.GetLeftPart(UriPartial.Path)} did not answer once.");
            var byStatus = statuses.Where(status => status != 0).GroupBy(status => status).OrderBy(group => group.Key)
                .ToDictionary(group => group.Key < 0 ? "no answer" : group.Key.ToString(CultureInfo.InvariantCulture), group => group.Count());
            double At(double part) => Math.Round(Percentile(measured, part), 2);
            var result = new
            {
                url = target.GetLeftPart(UriPartial.Path),
                concurrency = width,
                requests = ended,
                seconds = Math.Round(seconds, 3),
                perSecond = Math.Round(ended / seconds, 1),
                milliseconds = new { p50 = At(0.5), p90 = At(0.9), p95 = At(0.95), p99 = At(0.99), max = Math.Round(measured[^1], 2) },
                statuses = byStatus,
            };
            session.Output.Result(result, console =>
            {
                console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[bold]{result.perSecond:N0} requests a second[/]  ({ended:N0} in {seconds:0.0} s, {width} at a time)");
                var table = Output.Table("p50", "p90", "p95", "p99", "max");
                table.AddRow(new[] { result.milliseconds.p50, result.milliseconds.p90, result.milliseconds.p95, result.milliseconds.p99, result.milliseconds.max }
                    .Select(time => string.Create(CultureInfo.InvariantCulture, $"{time:0.0} ms")).ToArray());
                console.Write(table);
                foreach (var (status, number) in byStatus) console.MarkupLine($"{(status.StartsWith('2') ? "[green]" : "[red]")}{status}[/]  {Output.Number(number)}");
            });
            return byStatus.Keys.All(status => status.StartsWith('2')) ? CommandTree.Done : CommandTree.Failed;
        });
    }

    /// <summary>By nearest rank, of sorted numbers.</summary>
    internal static double Percentile(double[] sorted, double part) => sorted[Math.Clamp((int)Math.Ceiling(part * sorted.Length) - 1, 0, sorted.Length - 1)];

    private static void RequireTestbed(Session session, Option<bool> really, Uri? address)
    {
        if (session.Parsed.GetValue(really)) return;
        if (address is null ? session.IsThisMachine : address.IsLoopback) return;
        throw new CliException("This would put load on something that is not this machine.", "If it is a testbed and nobody's business, say --yes-really.");
    }
}
