using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Google;
using KpiDashboard.Demo.N8n;

namespace KpiDashboard.Benchmarks;

/// <summary>
/// The providers of a load test as a process of their own, so that what they cost is not measured as the app's: <c>simulators COUNT [ANCHOR]</c> says in one line of JSON where they
/// are and serves until its input ends.
/// </summary>
internal sealed class Simulators : IAsyncDisposable
{
    private readonly Process _process;

    private Simulators(Process process, Started started) => (_process, At) = (process, started);

    /// <summary>Where they are.</summary>
    public Started At { get; }

    /// <summary>Processor time that they have used.</summary>
    public TimeSpan Processor
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>What serves: this program, started by <see cref="StartAsync"/> or by hand.</summary>
    public static async Task ServeAsync(int count, DateTimeOffset anchor)
    {
        await using var google = await GoogleSimulator.StartAsync(LoadWorld.Google(count, anchor), TimeProvider.System, default);
        await using var n8n = await N8nSimulator.StartAsync(LoadWorld.N8n(count, anchor), TimeProvider.System, default);
        Console.WriteLine(JsonSerializer.Serialize(new Started(n8n.BaseAddress, new Dictionary<string, string>(google.Configuration()))));
        while (await Console.In.ReadLineAsync() is not null)
        {
            // Nothing is said to it but that it may end.
        }
    }

    /// <summary>Starts them.</summary>
    public static async Task<Simulators> StartAsync(int count, DateTimeOffset anchor)
    {
        var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [
            .. Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : Array.Empty<string>(),
            "simulators", count.ToString(CultureInfo.InvariantCulture), anchor.ToString("O", CultureInfo.InvariantCulture)])
        { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var line = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return new Simulators(process, JsonSerializer.Deserialize<Started>(line ?? throw new InvalidOperationException("The simulators ended at once."))!);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    /// <param name="N8n">Address of the simulated n8n; each instance is a path of it.</param>
    /// <param name="Configuration">What the app must be told of Google.</param>
    internal sealed record Started(Uri N8n, Dictionary<string, string> Configuration);
}
