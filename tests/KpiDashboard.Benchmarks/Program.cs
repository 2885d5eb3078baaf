using System.Diagnostics;
using KpiDashboard.Benchmarks;
using KpiDashboard.Benchmarks.Usual;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.Tests.Shared;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

// Each benchmark prints ratios to a baseline of the same run: machines differ, ratios less. Run it in Release:
//   dotnet run -c Release --project tests/KpiDashboard.Benchmarks            reads of the API
//   dotnet run -c Release --project tests/KpiDashboard.Benchmarks -- page    how soon the overview shows on a phone
//   dotnet run -c Release --project tests/KpiDashboard.Benchmarks -- usual   how good bands and forecasts are; writes docs/benchmarks.md
// dotnet run -c Release --project tests/KpiDashboard.Benchmarks -- worker out/KpiDashboard.Functions.dll    start, memory and reads of the
// published output
if (args is not ([] or ["api"] or ["page"] or ["worker", _] or ["usual"] or ["usual", _]))
{
    Console.Error.WriteLine($"'{string.Join(' ', args)}' is no benchmark. There are: api (default), page, worker PROGRAM, usual [PEER].");
    return 2;
}

if (args is ["usual", ..])
{
    var root = LocalHostOptions.FindRepositoryRoot(AppContext.BaseDirectory)
        ?? throw new InvalidOperationException("KpiDashboard.sln is in no folder above.");
    await UsualModel.RunAsync(root, args.ElementAtOrDefault(1));
    return 0;
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
