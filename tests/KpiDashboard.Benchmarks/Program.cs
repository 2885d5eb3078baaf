using System.Diagnostics;
using System.Globalization;
using KpiDashboard.Benchmarks;
using KpiDashboard.Benchmarks.Usual;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.Tests.Shared;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

// Each benchmark prints ratios to a baseline of the same run: machines differ, ratios less.
const string Usage = """
    usage: dotnet run -c Release --project tests/KpiDashboard.Benchmarks -- BENCHMARK

      api                        reads of the API (default)
      reads [NAME]               reads of the API beside bare Npgsql and bare Kestrel; writes docs/benchmarks.md
      scale [COUNT]              the same while there are up to so many businesses (default 10000, about 3 GB of disk); writes docs/benchmarks.md
      all                        worker (as it is built), reads, scale and sync, one after the other
      page                       how soon the overview shows on a phone, and how soon a tap is answered
      sync [COUNT]               first and daily sync of so many businesses (default 1000), and whether every number is right
      usual [PEER]               how good bands and forecasts are; writes docs/benchmarks.md
      worker PROGRAM             start, memory and reads of the published output, out/KpiDashboard.Functions.dll; writes docs/benchmarks.md
      simulators COUNT [ANCHOR]  no benchmark: a property and an n8n for each of so many businesses, for `loadgen tenants`, until its input ends;
                                 their past is laid out from an instant such as 2026-11-30T08:00:00Z (default now)
    """;

switch (args)
{
    case [] or ["api"]:
        await WithDemoAsync(page: false);
        return 0;
    case ["reads"]:
        await InFolderAsync(folder => ReadRates.RunAsync(Root(), folder));
        return 0;
    case ["reads", var only]:
        await InFolderAsync(folder => ReadRates.RunAsync(Root(), folder, only));
        return 0;
    case ["scale"]:
        await InFolderAsync(folder => ScaleRates.RunAsync(Root(), folder, 10_000));
        return 0;
    case ["scale", var count] when Count(count) is { } businesses:
        await InFolderAsync(folder => ScaleRates.RunAsync(Root(), folder, businesses));
        return 0;
    case ["nothing"]:
        return 0;
    case ["all"]:
        await InFolderAsync(folder => PublishedWorker.RunAsync(Root(), Path.Combine(Root(), "functions/KpiDashboard.Functions/bin/Release/net10.0/KpiDashboard.Functions.dll"), folder));
        await InFolderAsync(folder => ReadRates.RunAsync(Root(), folder));
        await InFolderAsync(folder => ScaleRates.RunAsync(Root(), folder, 10_000));
        await InFolderAsync(folder => SyncRates.RunAsync(Root(), 1000, folder));
        return 0;
    case ["page"]:
        await WithDemoAsync(page: true);
        return 0;
    case ["sync"]:
        await InFolderAsync(folder => SyncRates.RunAsync(Root(), 1000, folder));
        return 0;
    case ["sync", var count] when Count(count) is { } businesses:
        await InFolderAsync(folder => SyncRates.RunAsync(Root(), businesses, folder));
        return 0;
    case ["usual", .. { Length: < 2 } peer]:
        await UsualModel.RunAsync(Root(), peer is [var file] ? file : null);
        return 0;
    case ["worker", var published]:
        await InFolderAsync(folder => PublishedWorker.RunAsync(Root(), Path.GetFullPath(published), folder));
        return 0;
    case ["simulators", var count] when Count(count) is { } businesses:
        await Simulators.ServeAsync(businesses, DateTimeOffset.UtcNow);
        return 0;
    case ["simulators", var count, var at] when Count(count) is { } businesses
        && DateTimeOffset.TryParse(at, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var anchor):
        await Simulators.ServeAsync(businesses, anchor);
        return 0;
    default:
        await Console.Error.WriteLineAsync($"'{string.Join(' ', args)}' is not understood; COUNT is 1 to {LoadWorld.Most}.{Environment.NewLine}{Environment.NewLine}{Usage}");
        return 2;
}

// How many businesses; null for what is no number of them.
static int? Count(string text) =>
    int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= LoadWorld.Most ? number : null;

static string Root() => LocalHostOptions.FindRepositoryRoot(AppContext.BaseDirectory)
    ?? throw new InvalidOperationException("KpiDashboard.sln is in no folder above.");

static async Task InFolderAsync(Func<string, Task> run)
{
    var folder = Directory.CreateTempSubdirectory("kpi-benchmark-").FullName;
    try
    {
        await run(folder);
    }
    finally
    {
        Directory.Delete(folder, recursive: true);
    }
}

static Task WithDemoAsync(bool page) => InFolderAsync(async data =>
{
    string[] more = page ? [] : ["--set", "Web:Skip=true"];
    var builder = LocalApp.CreateBuilder(["--port", "0", "--data", data, "--no-settings", "--set", "Limits:SignInAccount:Permits=1000000",
        "--set", "Limits:SignInAddress:Permits=1000000", "--set", "Limits:Reads:Permits=1000000", "--set", "Limits:Writes:Permits=1000000",
        .. more]);
    using var host = builder.Build();
    await host.StartAsync();
    await host.AfterAppStarted;
    using var http = new HttpClient { BaseAddress = host.Address };
    var waited = Stopwatch.StartNew();
    while (!(await http.GetAsync("api/health/ready")).IsSuccessStatusCode)
    {
        if (waited.Elapsed > TimeSpan.FromMinutes(5)) throw new TimeoutException("The demo was not ready within 5 minutes.");
        await Task.Delay(200);
    }

    await (page ? PageVitals.RunAsync(host.Address!) : ApiReads.RunAsync(
        host.Address!, host.Services.GetRequiredService<IConfiguration>()[DatabaseStage.OwnerKey]!));
    await host.StopAsync();
});
