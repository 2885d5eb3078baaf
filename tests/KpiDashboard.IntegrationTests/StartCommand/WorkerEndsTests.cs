using System.Globalization;
using System.Net;
using KpiDashboard.IntegrationTests.Embedded;
using Xunit;

namespace KpiDashboard.IntegrationTests.StartCommand;

/// <summary>The worker is a process of its own: when it ends unasked, that is said and it is started again, a few times.</summary>
[Trait("Category", "Faults")]
[Trait("Clock", "none")]
public sealed class WorkerEndsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static bool OnLinux => OperatingSystem.IsLinux();

    public void Dispose() => _folder.Dispose();

    [Fact(SkipUnless = nameof(OnLinux), Skip = "Signals and /proc.")]
    public async Task A_killed_worker_is_told_and_started_again_and_after_too_many_times_the_host_ends()
    {
        await using var app = StartedApp.Start(_folder["data"], "--no-demo");
        await app.ReadyAsync();

        var killed = new HashSet<int>();
        for (var i = 0; i < 3; i++)
        {
            killed.Add(await KillWorkerAsync(app, killed));
            // Asked while it is away: it waits for the next one. What the dead one had taken is lost, as with any host, and asked again.
            await Eventually(async () => await app.StatusAsync("api/health/live") == HttpStatusCode.OK);
            Assert.DoesNotContain(Worker(app) ?? -1, killed);
        }

        Assert.Equal(3, app.Errors.Split("The worker ended unasked and is started again.").Length - 1);

        await KillWorkerAsync(app, killed);

        Assert.Equal(1, await app.ExitedAsync());
        Assert.Contains("The worker ended 4 times within 5 minutes", app.Errors, StringComparison.Ordinal);
        await app.NothingIsLeftAsync();
    }

    [Fact]
    public async Task A_setting_that_the_worker_refuses_ends_the_start_with_its_sentence()
    {
        await using var app = StartedApp.Start(_folder["data"], "--no-demo", "--set", "Auth:SessionMaxDays=1000");

        Assert.Equal(1, await app.ExitedAsync());
        Assert.Contains("A setting is missing or wrong: Auth:SessionMaxDays must be 1 to 90.", app.Errors, StringComparison.Ordinal);
        await app.NothingIsLeftAsync();
    }

    private static async Task<int> KillWorkerAsync(StartedApp app, HashSet<int> before)
    {
        await Eventually(() => Task.FromResult(Worker(app) is { } id && !before.Contains(id)));
        var worker = Worker(app)!.Value;
        await StartedApp.SignalAsync(worker, "KILL");
        await Eventually(() => Task.FromResult(Worker(app) != worker));
        return worker;
    }

    /// <summary>The process below the app that runs the app's program.</summary>
    private static int? Worker(StartedApp app)
    {
        foreach (var (id, _) in app.Descendants())
        {
            try
            {
                var line = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/cmdline")).Split('\0');
                if (Path.GetFileNameWithoutExtension(line[0]) == "dotnet" && line.Any(part => part.EndsWith("KpiDashboard.Functions.dll",
                    StringComparison.Ordinal))) return id;
            }
            catch (IOException)
            {
                // Ended while we looked.
            }
        }

        return null;
    }

    private static Task Eventually(Func<Task<bool>> condition) => Processes.UntilAsync(() => condition().GetAwaiter().GetResult(),
        "it did not come about", TestContext.Current.CancellationToken);
}
