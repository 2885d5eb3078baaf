using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Azure.Storage.Queues;
using Xunit;
namespace KpiDashboard.IntegrationTests.LocalHost;

/// <summary>A real Azurite queue service on a port of its own, from npm, kept in a folder between runs. There is no way to skip it.</summary>
public sealed class AzuriteFixture : IAsyncLifetime
{
    private const string Version = "3.37.0";

    // Ends with us even if we are killed: its standard input closes then.
    private const string Launcher = "process.stdin.on('end',()=>process.exit(0));process.stdin.resume();require(process.argv[1]);";

    private static readonly SemaphoreSlim s_install = new(1, 1);

    private readonly TempFolder _folder = new();
    private readonly int _port = FreePort();
    private Process? _process;

    /// <summary>Of the well-known development account, on this port.</summary>
    public string ConnectionString =>
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
        + "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
        + string.Create(CultureInfo.InvariantCulture, $"QueueEndpoint=http://127.0.0.1:{_port}/devstoreaccount1;");

    public QueueClient Queue(string name, QueueMessageEncoding encoding = QueueMessageEncoding.Base64) =>
        new(ConnectionString, name, new QueueClientOptions { MessageEncoding = encoding });

    public async ValueTask InitializeAsync() => await StartAsync();

    public async Task StartAsync()
    {
        string package = await InstallAsync();
        ProcessStartInfo start = new("node") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])[
            "-e", Launcher, Path.Combine(package, "dist", "src", "queue", "main.js"), "--location", _folder.Path, "--silent", "--loose",
            "--disableTelemetry", "--skipApiVersionCheck", "--queuePort", _port.ToString(CultureInfo.InvariantCulture)])
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (true)
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"Azurite ended with exit code {_process.ExitCode}.");
            try
            {
                using TcpClient probe = new();
                await probe.ConnectAsync(IPAddress.Loopback, _port, limit.Token);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(50, limit.Token);
            }
        }
    }

    public async Task StopAsync()
    {
        if (_process is null)
            return;
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    private static async Task<string> InstallAsync()
    {
        string folder = Path.Combine(
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache
                ? cache
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".cache"),
            "kpi-dashboard-tests",
            "azurite-" + Version);
        string package = Path.Combine(folder, "node_modules", "azurite");
        await s_install.WaitAsync();
        try
        {
            if (File.Exists(Path.Combine(folder, "node_modules", ".package-lock.json")))
                return package;
            Directory.CreateDirectory(folder);
            ProcessStartInfo start = new(OperatingSystem.IsWindows() ? "npm.cmd" : "npm") { WorkingDirectory = folder };
            foreach (string argument in (string[])["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, "azurite@" + Version])
                start.ArgumentList.Add(argument);
            using Process npm = Process.Start(start)!;
            await npm.WaitForExitAsync();
            return npm.ExitCode == 0 ? package : throw new InvalidOperationException($"npm could not install azurite (exit code {npm.ExitCode}).");
        }
        finally
        {
            s_install.Release();
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
