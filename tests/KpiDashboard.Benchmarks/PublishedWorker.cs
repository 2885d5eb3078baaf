using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.LocalHost.Worker;
using KpiDashboard.LocalHost.Worker.Messages;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace KpiDashboard.Benchmarks;

/// <summary>
/// The published output as a process under the local host: how soon it answers, how much memory it takes, and what a read costs through the
/// host beside the worker's own web server, asked as the host asks it.
/// </summary>
internal static class PublishedWorker
{
    private const int Starts = 5, WarmUp = 100, Measured = 400;

    public static async Task RunAsync(string root, string app, string data)
    {
        Report.Said said = new();
        double empty = Median([.. Enumerable.Range(0, Starts).Select(_ => EmptyProcess())]);
        (double Seconds, double Megabytes)[] starts = await StartsAsync(app);
        double soon = Median([.. starts.Select(one => one.Seconds)]), small = Median([.. starts.Select(one => one.Megabytes)]);
        said.Line(string.Create(CultureInfo.InvariantCulture,
            $"start to the first answer, median of {Starts}: {soon:0.00} s, {small:0} MB; a process that does nothing (baseline): {empty:0.00} s, so {soon / empty:0.0} of these"));

        LocalHostOptions options = LocalHostOptions.Parse(
            ["--port", FreePort.Next().ToString(CultureInfo.InvariantCulture), "--data", data, "--no-settings", "--no-web", "--set",
                "Limits:Reads:Permits=1000000"], _ => null);
        using ConfigurationManager settings = new();
        settings.AddEnvironmentVariables();
        WebDefaults.AddSettings(settings, options);
        ChildWorker process = new(app, settings);
        await using LocalFunctionsHost host = new(options, settings, DefaultStages.Create(options), new TerminalConsole(), process);
        await host.StartAsync();
        await host.AfterAppStarted;

        using HttpClient http = new() { BaseAddress = host.Address };
        using HttpResponseMessage login = await http.PostAsJsonAsync("api/auth/login", new
        {
            email = DemoSeeder.OwnerEmail,
            password = DemoSeeder.Password
        });
        JsonNode session = JsonNode.Parse(await login.Content.ReadAsStringAsync())!;
        http.DefaultRequestHeaders.Add("X-Kpi-Token", session["accessToken"]!.GetValue<string>());
        http.DefaultRequestHeaders.Add("X-Kpi-Tenant", session["tenant"]!["id"]!.GetValue<string>());
        const string Summary = "api/metrics/summary?range=last_28_days";
        using HttpResponseMessage first = await http.GetAsync(new Uri(Summary, UriKind.Relative));
        EntityTagHeaderValue tag = first.EnsureSuccessStatusCode().Headers.ETag!;

        said.Line($"{"request",-24} {"host p50 ms",12} {"worker p50 ms",14} {"ratio",7}");
        foreach ((string name, string path, EntityTagHeaderValue? match) in ((string, string, EntityTagHeaderValue?)[])[("health/live",
            "api/health/live", null), ("summary", Summary, null), ("summary, 304", Summary, tag)])
        {
            string function = path == Summary ? host.Functions.Single(one =>
                one.Trigger is HttpTrigger { Route: "api/metrics/summary" }).Id : host.Functions.Single(one => one.Name == "HealthLive").Id;
            double through = await MeasureAsync(() => SendAsync(http, path, match, null));
            double own = await MeasureAsync(() => AskWorkerAsync(host.Worker, function, http, path, match));
            said.Line(string.Create(CultureInfo.InvariantCulture,
                $"{name,-24} {through,12:0.00} {own,14:0.00} {through / own,7:0.00}"));
        }

        double after = await MegabytesAsync(process);
        said.Line(string.Create(CultureInfo.InvariantCulture, $"memory of the worker after these: {after:0} MB"));
        await host.StopAsync();
        await said.WriteAsync(root, "worker", "Start, and what the host adds");
    }

    /// <summary>How long a process of .NET takes that only ends.</summary>
    private static double EmptyProcess()
    {
        long started = Stopwatch.GetTimestamp();
        using Process process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, "nothing"))!;
        process.WaitForExit();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>One start after the other: from the start of the process, without a database, to the first answer.</summary>
    private static async Task<(double Seconds, double Megabytes)[]> StartsAsync(string app)
    {
        List<(double, double)> starts = [];
        for (int i = 0; i < Starts; i++)
        {
            using ConfigurationManager settings = new();
            settings.AddEnvironmentVariables();
            long begun = Stopwatch.GetTimestamp();
            ChildWorker process = new(app, settings);
            await using RunningWorker worker = new(process, static _ => { }, TimeProvider.System,
                NullLoggerFactory.Instance);
            await worker.StartAsync(CancellationToken.None);
            using HttpClient http = new(new HttpIntegration.Connecting(new SocketsHttpHandler()));
            await AskWorkerAsync(worker, worker.Functions.Single(one => one.Name == "HealthLive").FunctionId, http, "api/health/live",
                null);
            double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            starts.Add((seconds, await MegabytesAsync(process)));
        }

        return [.. starts];
    }

    private static async Task<double> MegabytesAsync(ChildWorker process)
    {
        int id = await process.Id;
        string[] status = await File.ReadAllLinesAsync(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/status"));
        return double.Parse(status.Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ',
            StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }


    private static async Task AskWorkerAsync(RunningWorker worker, string function, HttpClient http, string path,
        EntityTagHeaderValue? match)
    {
        WorkerSession session = await worker.CurrentAsync(CancellationToken.None);
        InvocationRequest invocation = new()
        {
            InvocationId = Guid.NewGuid().ToString(),
            FunctionId = function,
            TraceContext = new RpcTraceContext()
        };
        invocation.InputData.Add(new ParameterBinding { Name = "request", Data = new TypedData { Http = new RpcHttp() } });
        Task<InvocationResponse> run = session.Connection.InvokeAsync(invocation);
        await SendAsync(http, new Uri(session.HttpUri!, path).ToString(), match, invocation.InvocationId);
        await run;
    }

    private static async Task SendAsync(HttpClient http, string path, EntityTagHeaderValue? match, string? invocation)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(path, UriKind.RelativeOrAbsolute));
        if (match is not null)
            request.Headers.IfNoneMatch.Add(match);
        if (invocation is not null)
            request.Headers.Add("x-ms-invocation-id", invocation);
        using HttpResponseMessage answer = await http.SendAsync(request);
        if ((int)answer.StatusCode != (match is null ? 200 : 304))
            throw new InvalidOperationException($"{path} answered {(int)answer.StatusCode}.");
        await answer.Content.ReadAsByteArrayAsync();
    }

    private static async Task<double> MeasureAsync(Func<Task> ask)
    {
        List<double> times = [];
        for (int i = 0; i < WarmUp + Measured; i++)
        {
            long begun = Stopwatch.GetTimestamp();
            await ask();
            if (i >= WarmUp)
                times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }

        return Median([.. times]);
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
}
