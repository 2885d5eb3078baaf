using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Xunit;

namespace KpiDashboard.IntegrationTests.Embedded;

/// <summary>Another process that started servers and can be killed.</summary>
public sealed class ServerOwner : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);
    private readonly Process _process;

    private ServerOwner(Process process, string account, IReadOnlyList<int> servers, string connectionString)
    {
        _process = process;
        Account = account;
        Servers = servers;
        AdminConnectionString = connectionString;
    }

    /// <summary>How it runs Postgres.</summary>
    public string Account { get; }

    /// <summary>Process ids of its servers.</summary>
    public IReadOnlyList<int> Servers { get; }

    /// <summary>Of its Postgres.</summary>
    public string AdminConnectionString { get; }

    /// <summary>The program that runs this assembly.</summary>
    public static string Dotnet { get; } =
        Path.GetFullPath(
            Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet")
        );

    /// <summary>This assembly.</summary>
    public static string Assembly { get; } = typeof(ServerOwner).Assembly.Location;

    /// <summary>Starts it and waits until its servers are ready.</summary>
    /// <param name="folder">Where the data is kept.</param>
    /// <param name="azurite">Whether Azurite is started besides Postgres.</param>
    /// <param name="prefix">A command line that runs it as somebody else, for example.</param>
    /// <param name="environment">More environment variables.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<ServerOwner> StartAsync(
        string folder,
        bool azurite,
        IReadOnlyList<string> prefix,
        IReadOnlyDictionary<string, string> environment,
        CancellationToken cancellationToken
    )
    {
        string[] command = [.. prefix, Dotnet, "exec", Assembly];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = "/",
        };
        start.Environment["DOTNET_STARTUP_HOOKS"] = Assembly;
        start.Environment["KPI_TEST_OWNER_FOLDER"] = folder;
        start.Environment["KPI_TEST_OWNER_AZURITE"] = azurite ? "true" : "false";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(StartLimit, cancellationToken);
            var parts = line?.Split(' ', 5) ?? [];
            Assert.True(parts is ["ready", ..], $"The other process said: {line}");
            var servers = parts[2..4].Where(p => p.Length > 0).Select(p => int.Parse(p, CultureInfo.InvariantCulture)).ToList();
            return new ServerOwner(process, parts[1], servers, parts[4]);
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            process.Dispose();
            throw;
        }
    }

    /// <summary>Ends it as <c>kill -9</c> does: it and nothing else, with no chance to clean up.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill();
        await _process.WaitForExitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            try
            {
                await _process.StandardInput.WriteLineAsync("stop");
                await _process.StandardInput.FlushAsync();
                await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
            }
            catch (Exception e) when (e is IOException or TimeoutException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }
        _process.Dispose();
    }
}
