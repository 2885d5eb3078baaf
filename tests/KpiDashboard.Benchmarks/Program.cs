using System.Diagnostics;
using System.Globalization;
using KpiDashboard.Benchmarks;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.Tests.Shared;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

// Each benchmark prints ratios to a baseline of the same run: machines differ, ratios less. Run it in Release:
//   dotnet run -c Release --project tests/KpiDashboard.Benchmarks            reads of the API
//   dotnet run -c Release --project tests/KpiDashboard.Benchmarks -- page    how soon the overview shows on a phone
//   dotnet run -c Release --project tests/KpiDashboard.Benchmarks -- sync [1000]    first and daily sync of so many businesses, and whether every number is right
//   dotnet run -c Release --project tests/KpiDashboard.Benchmarks -- worker out/KpiDashboard.Functions.dll    start, memory and reads of the published output
//   dotnet run -c Release --project tests/KpiDashboard.Benchmarks -- simulators 200    a property and an n8n for each of so many businesses, for `loadgen tenants`, until its input ends
var businesses = 1000;
if (args is ["simulators", var served, .. var rest])
{
    if (Count(served) is not { } wanted || rest.Length > 1 || !DateTimeOffset.TryParse(
        rest is [var given] ? given : DateTimeOffset.UtcNow.ToString("O"), CultureInfo.InvariantCulture, out var anchor))
    {
        Console.Error.WriteLine($"It is 'simulators COUNT [ANCHOR]': 1 to {LoadWorld.Most} businesses, whose past is laid out from an instant like 2026-11-30T08:00:00Z.");
        return 2;
    }

    await Simulators.ServeAsync(wanted, anchor);
    return 0;
}

if (args is not ([] or ["api"] or ["page"] or ["worker", _] or ["sync"])
    && !(args is ["sync", var count] && (businesses = Count(count) ?? 0) > 0))
{
    Console.Error.WriteLine($"'{string.Join(' ', args)}' is no benchmark. There are: api (default), page, sync [BUSINESSES], worker PROGRAM, simulators COUNT.");
    return 2;
}

var page = args is ["page"];
var data = Directory.CreateTempSubdirectory("kpi-benchmark-").FullName;
try
{
    if (args is ["worker", var published])
    {
        await PublishedWorker.RunAsync(Path.GetFullPath(published), data);
        return 0;
    }

    if (args is ["sync", ..])
    {
        await SyncRates.RunAsync(businesses, data);
        return 0;
    }

    string[] more = page ? [] : ["--set", "Web:Skip=true"];
    var builder = LocalApp.CreateBuilder(["--port", "0", "--data", data, "--no-settings", "--set", "Limits:SignInAccount:Permits=1000000",
        "--set", "Limits:SignInAddress:Permits=1000000", "--set", "Limits:Reads:Permits=1000000", "--set", "Limits:Writes:Permits=1000000",
        .. more]);
    using var host = builder.Build();
    await host.StartAsync();
    var local = (LocalFunctionsHost)host;
    await local.AfterAppStarted;
    using var http = new HttpClient { BaseAddress = local.Address };
    var waited = Stopwatch.StartNew();
    while (!(await http.GetAsync("api/health/ready")).IsSuccessStatusCode)
    {
        if (waited.Elapsed > TimeSpan.FromMinutes(5)) throw new TimeoutException("The demo was not ready within 5 minutes.");
        await Task.Delay(200);
    }

    await (page ? PageVitals.RunAsync(local.Address!) : ApiReads.RunAsync(
        local.Address!, host.Services.GetRequiredService<IConfiguration>()[DatabaseStage.OwnerKey]!));
    await host.StopAsync();
    return 0;
}
finally
{
    Directory.Delete(data, recursive: true);
}

// How many businesses; null for what is no number of them.
static int? Count(string text) =>
    int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= LoadWorld.Most ? number : null;
