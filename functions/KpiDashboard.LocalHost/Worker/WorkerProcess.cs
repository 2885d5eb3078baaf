using System.Globalization;
using System.Text.RegularExpressions;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.Hosting;

namespace KpiDashboard.LocalHost.Worker;

/// <summary>What runs the worker: a process of its own, or the process of a test.</summary>
internal interface IWorkerProcess : IAsyncDisposable
{
    /// <summary>The folder of the app, with its <c>host.json</c>.</summary>
    string AppDirectory { get; }

    /// <summary>The app's services where they are in this process.</summary>
    IServiceProvider? Services { get; }

    /// <summary>Whether it can be started again after it ended.</summary>
    bool CanRestart { get; }

    /// <summary>Starts it, so that it connects to a host under an id.</summary>
    Task StartAsync(Uri host, string workerId, CancellationToken cancellationToken);

    /// <summary>Completes when what was started last has ended, with one sentence that says how.</summary>
    Task<string> Ended { get; }

    /// <summary>Ends it; it was asked to end before.</summary>
    Task StopAsync();
}

/// <summary>
/// The built or published app as a child process, as the Functions host starts it. It ends when we end, whatever ends us (<see
/// cref="ChildProcess"/>).
/// </summary>
internal sealed partial class ChildWorker(string app, ConfigurationManager settings) : IWorkerProcess
{
    // Where our own web server listens is not where the worker's does.
    private static readonly string[] s_notForWorkers =
    [
        "ASPNETCORE_URLS", "DOTNET_URLS", "URLS", "ASPNETCORE_HTTP_PORTS", "DOTNET_HTTP_PORTS", "HTTP_PORTS", "ASPNETCORE_HTTPS_PORTS",
            "DOTNET_HTTPS_PORTS", "HTTPS_PORTS",
        "ASPNETCORE_FORWARDEDHEADERS_ENABLED", "DOTNET_STARTUP_HOOKS",
    ];

    private NodeTools? _node;
    private ChildProcess? _child;

    public string AppDirectory { get; } = Path.GetDirectoryName(Path.GetFullPath(app))!;

    public IServiceProvider? Services => null;

    public bool CanRestart => true;

    public Task<string> Ended { get; private set; } = Task.FromResult("");

    /// <summary>Its process id, for the terminal and for tests.</summary>
    public Task<int> Id => _child!.Id;

    public async Task StartAsync(Uri host, string workerId, CancellationToken cancellationToken)
    {
        if (!File.Exists(app))
            throw new StartupException(
                $"There is no app at {app}; build functions/KpiDashboard.Functions, or name the program of a published one with --app.");
        if (_child is not null)
            await _child.DisposeAsync();
        _node ??= await NodeTools.FindAsync(null, cancellationToken);
        string requestId = Guid.NewGuid().ToString();
        string port = host.Port.ToString(CultureInfo.InvariantCulture);
        string[] command = Path.GetExtension(app) == ".dll" ? [Dotnet(), app] : [app];
        _child = ChildProcess.Start(new ChildProcessOptions
        {
            Node = _node,
            FileName = command[0],
            Arguments =
            [
                .. command[1..],
                "--host", host.Host, "--port", port, "--workerId", workerId, "--requestId", requestId, "--grpcMaxMessageLength",
                    "2147483647",
                "--functions-uri", host.ToString(), "--functions-worker-id", workerId, "--functions-request-id", requestId,
                "--functions-grpc-max-message-length", "2147483647",
            ],
            WorkingDirectory = AppDirectory,
            Environment = Environment(),
            StopTimeout = TimeSpan.FromSeconds(10),
        });
        Ended = EndAsync(_child);
    }

    public async Task StopAsync()
    {
        if (_child is not null)
            await _child.StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_child is not null)
            await _child.DisposeAsync();
        _child = null;
    }

    /// <summary>
    /// What <c>local.settings.json</c>, the command line and the stages set, as environment variables: the form in which a Functions host
    /// hands settings over.
    /// </summary>
    internal Dictionary<string, string?> Environment()
    {
        Dictionary<string, string?> variables = new(StringComparer.OrdinalIgnoreCase);
        foreach (string name in s_notForWorkers)
            variables[name] = null;
        foreach (MemoryConfigurationProvider provider in ((IConfigurationRoot)settings).Providers.OfType<MemoryConfigurationProvider>())
        {
            foreach ((string key, _) in provider)
            {
                if (settings[key] is { } value)
                    variables[key.Replace(":", "__", StringComparison.Ordinal)] = value;
            }
        }

        // As `func start`, and the worker checks its services then: scope mistakes fail here and not first in production.
        if (settings["AZURE_FUNCTIONS_ENVIRONMENT"] is null)
            variables["AZURE_FUNCTIONS_ENVIRONMENT"] = settings["DOTNET_ENVIRONMENT"] ?? Environments.Development;
        foreach (string folder in (string[])["FUNCTIONS_APPLICATION_DIRECTORY", "FUNCTIONS_WORKER_DIRECTORY", "AzureWebJobsScriptRoot"])
            variables[folder] = AppDirectory;
        variables["FUNCTIONS_WORKER_RUNTIME"] = "dotnet-isolated";
        variables.TryAdd("WEBSITE_HOSTNAME", new Uri(settings["Web:BaseUrl"] is { Length: > 0 } page ? page
            : "http://localhost").Authority);
        return variables;
    }

    private static string Dotnet() =>
        System.Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path
        : System.Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host
        : "dotnet";

    private static async Task<string> EndAsync(ChildProcess child)
    {
        int code = await child.Exited;
        string said = child.LastLines.Select(line => Unhandled().Match(line)).LastOrDefault(match => match.Success) is { } exception
            ? exception.Groups["invalid"].Success ? $"A setting is missing or wrong: {exception.Groups["message"].Value}"
                : exception.Groups["message"].Value
            : child.LastLines.LastOrDefault(line => line.Trim().Length > 0) ?? "";
        return said.StartsWith("A setting ", StringComparison.Ordinal) ? said
            : string.Create(CultureInfo.InvariantCulture, $"The worker ended with code {code}{(said.Length == 0 ? "." : $": {said}")}");
    }

    [GeneratedRegex(
        @"^Unhandled exception\. (?<type>(?<invalid>Microsoft\.Extensions\.Options\.OptionsValidationException)|[\w.]+): (?<message>.*)$")]
    private static partial Regex Unhandled();
}

/// <summary>The worker in this process: how tests run it, with services replaced.</summary>
internal sealed class InProcessWorker(IHost worker, IConfiguration settings) : IWorkerProcess
{
    private readonly TaskCompletionSource<string> _ended = new();
    private bool _started;

    public string AppDirectory => AppContext.BaseDirectory;

    public IServiceProvider? Services => worker.Services;

    public bool CanRestart => false;

    public Task<string> Ended => _ended.Task;

    public async Task StartAsync(Uri host, string workerId, CancellationToken cancellationToken)
    {
        settings["Functions:Worker:HostEndpoint"] = host.ToString();
        settings["Functions:Worker:WorkerId"] = workerId;
        settings["Functions:Worker:RequestId"] = Guid.NewGuid().ToString();
        settings["Functions:Worker:GrpcMaxMessageLength"] = "2147483647";
        _started = true;
        await worker.StartAsync(cancellationToken);
    }

    public async Task StopAsync()
    {
        if (!_started)
            return;
        _started = false;
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(5));
        try
        {
            await worker.StopAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            // Requests that do not end are cut off.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (worker is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
        else
            worker.Dispose();
    }
}
