using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Queues;
using Dapper;
using KpiDashboard.Data;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Identity;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.Security;
using KpiDashboard.Sync;
using KpiDashboard.Tests.Shared;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace KpiDashboard.Benchmarks;

/// <summary>
/// Many businesses with two sources each, from the timer through queues, connectors and HTTP into Postgres: how long the first sync takes and how many values a second it brings, how
/// long a day's sync takes, and whether every number is then the providers' own, none lost and none doubled. The providers are a process of their own. The baseline is what the
/// same queue takes in and gives out when nothing is done with the messages: no sync can be faster.
/// </summary>
internal static class SyncRates
{
    private const string Email = "load@demo.example", Password = "load-Passw0rd!";

    /// <summary>Longest wait for either sync.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(20);

    /// <summary>What is compared with the providers for each business.</summary>
    private const int Sources = 2;

    public static async Task RunAsync(string root, int businesses, string data)
    {
        var said = new Report.Said();
        var anchor = DateTimeOffset.UtcNow;
        await using var simulators = await Simulators.StartAsync(businesses, anchor);
        var builder = LocalApp.CreateBuilder(["--port", "0", "--data", data, "--no-settings", "--no-demo", "--no-web",
            "--set", $"Outbound:AllowedHosts={simulators.At.N8n.Authority}", "--set", "Limits:SignInAccount:Permits=1000000",
            "--set", "Limits:SignInAddress:Permits=1000000", "--set", "Limits:Reads:Permits=1000000", "--set", "Limits:Writes:Permits=1000000",
            .. simulators.At.Configuration.SelectMany(setting => new[] { "--set", $"{setting.Key}={setting.Value}" })]);
        using var host = builder.Build();
        await host.StartAsync();
        await host.AfterAppStarted;
        var configuration = host.Services.GetRequiredService<IConfiguration>();
        await using var owner = NpgsqlDataSource.Create(configuration[DatabaseStage.OwnerKey]!);
        using var http = new HttpClient { BaseAddress = host.Address, Timeout = TimeSpan.FromMinutes(5) };
        http.DefaultRequestHeaders.Add("x-functions-key", await MasterKeyAsync(data));

        said.Line(string.Create(CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} processors{Load()}. {businesses:N0} businesses with {Sources} sources each."));
        var queue = await QueueRateAsync(configuration["AzureWebJobsStorage"]!, Math.Min(2_000, businesses * Sources));
        said.Line(string.Create(CultureInfo.InvariantCulture, $"queue alone (baseline): {queue:N0} messages a second sent, received and deleted, 16 at a time"));
        said.Line($"{"",-16} {"seconds",9} {"values",12} {"values/s",10} {"syncs/s",9} {"÷ queue",8} {"steps",8}  processor s: {"app",7} {"database",9} {"simulators",11}");

        var tenants = await MakeAsync(host.Services.GetRequiredService<Database>(), host.Services.GetRequiredService<SecretSealer>(), owner, businesses,
            simulators.At.N8n, anchor);
        await SyncAsync(said, "first sync", businesses, queue, owner, http, simulators);
        await using (var connection = await owner.OpenConnectionAsync())
            await connection.ExecuteAsync("update integrations set next_due_at = now() - interval '1 minute'");
        await SyncAsync(said, "daily sync", businesses, queue, owner, http, simulators);
        await CompareAsync(said, http, tenants, anchor);
        await host.StopAsync();
        await said.WriteAsync(root, "sync", "Sync");
    }

    private static async Task SyncAsync(
        Report.Said said, string name, int businesses, double queue, NpgsqlDataSource owner, HttpClient http, Simulators simulators)
    {
        var (processor, app, database) = (simulators.Processor, Environment.CpuUsage.TotalTime, await DatabaseProcessorAsync(owner));
        var (since, started) = (DateTimeOffset.UtcNow, Stopwatch.GetTimestamp());
        var wanted = businesses * Sources;
        (int Runs, int Done, int Bad, long Values, long Steps) at = default;
        var ticked = TimeSpan.MinValue;
        while (at.Done + at.Bad < wanted)
        {
            if (Stopwatch.GetElapsedTime(started) > s_limit)
                throw new TimeoutException($"{name}: {at.Done} of {wanted} runs succeeded and {at.Bad} did not within {s_limit.TotalMinutes} minutes.");
            // The timer comes every five minutes; here it comes again soon while anything that is due was not taken.
            if (at.Runs < wanted && (ticked < TimeSpan.Zero || Stopwatch.GetElapsedTime(started) - ticked > TimeSpan.FromSeconds(3)))
            {
                using var tick = await http.PostAsync("admin/functions/ScheduleSyncs", new StringContent("{}", System.Text.Encoding.UTF8, "application/json"));
                tick.EnsureSuccessStatusCode();
                ticked = Stopwatch.GetElapsedTime(started);
            }

            await Task.Delay(100);
            await using var connection = await owner.OpenConnectionAsync();
            at = await connection.QuerySingleAsync<(int, int, int, long, long)>(
                """
                select count(*)::int, (count(*) filter (where status = 'succeeded'))::int, (count(*) filter (where status in ('failed', 'dead')))::int,
                       coalesce(sum(readings), 0)::bigint, coalesce(sum(step), 0)::bigint
                from sync_runs where queued_at >= @since
                """, new { since });
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        (processor, app, database) = (simulators.Processor - processor, Environment.CpuUsage.TotalTime - app,
            await DatabaseProcessorAsync(owner) - database);
        said.Line(string.Create(CultureInfo.InvariantCulture,
            $"{name,-16} {seconds,9:0.0} {at.Values,12:N0} {at.Values / seconds,10:N0} {wanted / seconds,9:0.0} {wanted / seconds / queue,8:0.000} {at.Steps,8:N0}               {app.TotalSeconds,7:0.0} {database.TotalSeconds,9:0.0} {processor.TotalSeconds,11:0.0}{(at.Bad > 0 ? $"  {at.Bad} FAILED" : "")}"));
    }

    /// <summary>Processor time that the server and what it has started until now took; zero where /proc does not tell.</summary>
    private static async Task<TimeSpan> DatabaseProcessorAsync(NpgsqlDataSource owner)
    {
        await using var connection = await owner.OpenConnectionAsync();
        // Its parent is the postmaster, whose other children are the other sessions.
        if (!File.Exists($"/proc/{connection.ProcessID}/stat")) return TimeSpan.Zero;
        var postmaster = Fields(connection.ProcessID)[1];
        var ticks = Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => name!.All(char.IsAsciiDigit))
            .Select(name => Fields(int.Parse(name!, CultureInfo.InvariantCulture))).Where(fields => fields.Length > 14)
            .Sum(fields => fields[1] == postmaster ? Ticks(fields, 11) + Ticks(fields, 12) : 0);
        var own = Fields(int.Parse(postmaster, CultureInfo.InvariantCulture));
        // Those that ended, too.
        return TimeSpan.FromSeconds((ticks + Enumerable.Range(11, 4).Sum(place => Ticks(own, place))) / 100.0);

        static long Ticks(string[] fields, int place) => long.Parse(fields[place], CultureInfo.InvariantCulture);

        // After the name, which may hold anything: state, parent, …
        static string[] Fields(int process)
        {
            try
            {
                var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
                return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            }
            catch (IOException)
            {
                return [];
            }
        }
    }

    /// <summary>Every number of every business against what its providers know.</summary>
    private static async Task CompareAsync(Report.Said said, HttpClient http, IReadOnlyList<Guid> tenants, DateTimeOffset anchor)
    {
        using var login = await http.PostAsJsonAsync("api/auth/login", new { email = Email, password = Password });
        http.DefaultRequestHeaders.Add("X-Kpi-Token", JsonNode.Parse(await login.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!["accessToken"]!.GetValue<string>());
        var zone = TimeZoneInfo.FindSystemTimeZoneById(LoadWorld.TimeZone);
        // Google corrects the last days still; what it said of them when it was read is not known afterwards.
        var now = DateTimeOffset.UtcNow;
        var (today, compared, wrong) = (Zoned.Day(anchor, zone), 0, new List<string>());
        var (from, to) = (today.AddDays(-365), today.AddDays(-3));
        for (var number = 1; number <= tenants.Count; number++)
        {
            using var switched = await http.PostAsJsonAsync("api/auth/switch", new { tenantId = tenants[number - 1] });
            http.DefaultRequestHeaders.Remove("X-Kpi-Token");
            http.DefaultRequestHeaders.Add(
                "X-Kpi-Token", JsonNode.Parse(await switched.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!["accessToken"]!.GetValue<string>());
            var answer = await http.GetFromJsonAsync<JsonElement>(string.Create(CultureInfo.InvariantCulture,
                $"api/metrics/history?kpis=web.sessions,shop.revenue,automation.executions&from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}&grain=day"));
            var site = LoadWorld.Site(number, anchor);
            var runs = LoadWorld.Automation(number, anchor).StartedBy(now).CountBy(run => Zoned.Day(run.StartedAt, zone)).ToDictionary();
            foreach (var series in answer.GetProperty("series").EnumerateArray())
            {
                var key = series.GetProperty("key").GetString()!;
                foreach (var point in series.GetProperty("points").EnumerateArray())
                {
                    var day = DateOnly.ParseExact(point.GetProperty("date").GetString()!, "yyyy-MM-dd", CultureInfo.InvariantCulture);
                    decimal? value = point.GetProperty("value").ValueKind == JsonValueKind.Null ? null : point.GetProperty("value").GetDecimal();
                    decimal? truth = key switch
                    {
                        "web.sessions" => site.Day(day, now)?.Sessions,
                        "shop.revenue" => site.Day(day, now)?.Revenue,
                        // Of the first day that it kept nobody can say that it kept all.
                        _ => day > today.AddDays(-14) ? runs.GetValueOrDefault(day) : value,
                    };
                    compared++;
                    if (value != truth) wrong.Add(string.Create(CultureInfo.InvariantCulture, $"business {number}, {key} on {day:yyyy-MM-dd}: {value?.ToString(CultureInfo.InvariantCulture) ?? "none"} instead of {truth?.ToString(CultureInfo.InvariantCulture) ?? "none"}"));
                }
            }
        }

        said.Line(string.Create(CultureInfo.InvariantCulture,
            $"compared with the providers: {compared:N0} numbers, {wrong.Count:N0} wrong{(wrong.Count > 0 ? ": " + string.Join("; ", wrong.Take(5)) : "")}"));
    }

    /// <summary>How many messages a second the queue takes in, gives out and forgets when nothing else is done.</summary>
    private static async Task<double> QueueRateAsync(string storage, int messages)
    {
        var queue = new QueueClient(storage, "benchmark", new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });
        await queue.CreateIfNotExistsAsync();
        var body = new string('x', 400);
        var started = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, messages, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, stop) => await queue.SendMessageAsync(body, stop));
        var left = messages;
        await Parallel.ForAsync(0, 4, async (_, stop) =>
        {
            while (Volatile.Read(ref left) > 0)
            {
                var received = (await queue.ReceiveMessagesAsync(16, TimeSpan.FromMinutes(1), stop)).Value;
                await Task.WhenAll(received.Select(message => queue.DeleteMessageAsync(message.MessageId, message.PopReceipt, stop)));
                Interlocked.Add(ref left, -received.Length);
            }
        });
        var rate = messages / Stopwatch.GetElapsedTime(started).TotalSeconds;
        await queue.DeleteAsync();
        return rate;
    }

    private static async Task<IReadOnlyList<Guid>> MakeAsync(
        Database database, SecretSealer sealer, NpgsqlDataSource owner, int businesses, Uri n8n, DateTimeOffset now)
    {
        var user = Guid.CreateVersion7(now);
        await using (var connection = await owner.OpenConnectionAsync())
        {
            await connection.ExecuteAsync(
                "insert into users (id, email, email_key, display_name, password_hash, email_verified_at, created_at) values (@user, @Email, @key, 'Load', @hash, @now, @now)",
                new { user, Email, key = SessionEndpoints.EmailKey(Email), hash = Passwords.Hash(Password), now });
        }

        var tenants = Enumerable.Range(0, businesses).Select(_ => Guid.CreateVersion7(now)).ToList();
        await Parallel.ForAsync(0, businesses, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (index, stop) => await database.InTenantAsync(tenants[index], async tx =>
        {
            await tx.ExecuteAsync(
                "insert into tenants (id, name, time_zone, currency, is_demo, created_at) values (@tenant, @name, @zone, 'EUR', true, @now)",
                new { name = $"Load {index + 1:D5}", zone = LoadWorld.TimeZone, now });
            await tx.ExecuteAsync("insert into memberships (tenant_id, user_id, role, created_at) values (@tenant, @user, 'owner', @now)", new { user, now });
            await ConnectAsync("google-analytics", new { propertyId = LoadWorld.PropertyId(index + 1) }, new { refreshToken = LoadWorld.RefreshToken(index + 1) });
            await ConnectAsync("n8n", new { baseUrl = new Uri(n8n, LoadWorld.Instance(index + 1)).ToString() }, new { apiKey = LoadWorld.ApiKey });

            async Task ConnectAsync(string connector, object settings, object credentials)
            {
                var integration = Guid.CreateVersion7(now);
                await tx.ExecuteAsync(
                    """
                    insert into integrations (tenant_id, id, connector, display_name, settings, credentials, next_due_at, created_at)
                    values (@tenant, @integration, @connector, @connector, @settings::jsonb, @secret, @now, @now)
                    """,
                    new
                    {
                        integration,
                        connector,
                        settings = JsonSerializer.Serialize(settings),
                        secret = sealer.Seal(JsonSerializer.Serialize(credentials), SyncRunner.CredentialPurpose(integration)),
                        now,
                    });
            }
        }, stop));
        return tenants;
    }

    private static async Task<string> MasterKeyAsync(string data)
    {
        var keys = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(data, "keys.json")))!;
        return keys["Master"]?.GetValue<string>() ?? throw new InvalidOperationException("keys.json holds no master key.");
    }

    private static string Load() => File.Exists("/proc/loadavg") ? ", load " + File.ReadAllText("/proc/loadavg").Split(' ')[0] : "";
}
