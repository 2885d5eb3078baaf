using System.Globalization;
using KpiDashboard.LocalHost.Embedded;

/// <summary>
/// Lets tests run this very program as a second process that owns servers and can then be killed: the runtime calls it before <c>Main</c> when
/// <c>DOTNET_STARTUP_HOOKS</c> names this assembly, and never otherwise. See <see cref="KpiDashboard.IntegrationTests.Embedded.ServerOwner"/>.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design",
    "CA1050",
    Justification = "The runtime looks for exactly this name, outside of any namespace."
)]
internal sealed class StartupHook
{
    public static void Initialize()
    {
        try
        {
            RunAsync().GetAwaiter().GetResult();
            Environment.Exit(0);
        }
        catch (Exception e)
        {
            Console.WriteLine("failed " + e.Message);
            Environment.Exit(1);
        }
    }

    private static async Task RunAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        var folder = Environment.GetEnvironmentVariable("KPI_TEST_OWNER_FOLDER")!;
        await using var postgres = await EmbeddedPostgres.StartAsync(
            new() { DataDirectory = Path.Combine(folder, "postgres"), ForTests = true },
            limit.Token
        );
        await using var azurite =
            Environment.GetEnvironmentVariable("KPI_TEST_OWNER_AZURITE") == "true"
                ? await EmbeddedAzurite.StartAsync(new() { DataDirectory = Path.Combine(folder, "azurite") }, limit.Token)
                : null;
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"ready {postgres.Account} {postgres.ProcessId} {azurite?.ProcessId} {postgres.AdminConnectionString}"
            )
        );
        // Ends with the test run that wanted it, too.
        await Console.In.ReadLineAsync(limit.Token);
    }
}
