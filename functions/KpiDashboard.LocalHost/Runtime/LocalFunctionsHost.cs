using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KpiDashboard.Api;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.LocalHost.Worker;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>
/// The function app and what it needs, started in order: data folder, stages, the worker, HTTP, timers and queues, then the stages' second
/// part in the background. It ends in reverse order, also when the start fails half-way.
/// </summary>
internal sealed partial class LocalFunctionsHost : IHost, IAsyncDisposable
{
    private static readonly TimeSpan s_drainLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_cancelLimit = TimeSpan.FromSeconds(5);

    private readonly WebApplication _app;
    private readonly LocalHostOptions _options;
    private readonly IConfiguration _settings;
    private readonly IReadOnlyList<IStartupStage> _stages;
    private readonly IStartupConsole _console;
    private readonly IWorkerProcess _process;
    private readonly RunningWorker _worker;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger<LocalFunctionsHost> _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _stopGate = new(1, 1);
    private readonly Stack<IStartupStage> _startedStages = new();
    private readonly List<IStartupStage> _begunStages = [];

    private DataFolder? _dataFolder;
    private FunctionInvoker? _invoker;
    private HttpIntegration? _http;
    private TimerRunner? _timers;
    private QueueRunner? _queues;
    private StaticSite? _site;
    private CaughtMailPages? _caughtMail;
    private PosixSignalRegistration? _hangUp;
    private StarterWatch? _starter;
    private bool _appStarted;
    private volatile bool _draining;
    private bool _disposed;

    /// <summary>A host for a worker.</summary>
    /// <param name="options">The command line.</param>
    /// <param name="settings">Settings that the worker gets as well; see <see cref="WebDefaults.AddSettings"/>.</param>
    /// <param name="stages">What is started around the app, in order.</param>
    /// <param name="console">Where progress is shown.</param>
    /// <param name="process">What runs the worker.</param>
    /// <param name="logging">Changes where the host's log goes.</param>
    public LocalFunctionsHost(
        LocalHostOptions options, IConfiguration settings, IEnumerable<IStartupStage> stages, IStartupConsole console,
            IWorkerProcess process, Action<ILoggingBuilder>? logging = null)
    {
        _options = options;
        _settings = settings;
        _stages = [.. stages];
        _console = console;
        _process = process;
        WebApplicationBuilder web = WebDefaults.CreateWebBuilder(options, settings, () => console);
        logging?.Invoke(web.Logging);
        _app = web.Build();
        _loggers = _app.Services.GetRequiredService<ILoggerFactory>();
        _logger = _loggers.CreateLogger<LocalFunctionsHost>();
        _worker = new RunningWorker(process, GiveUp, TimeProvider.System, _loggers);
    }

    /// <summary>The app's services, where the worker is in this process.</summary>
    public IServiceProvider Services => _process.Services ?? throw new InvalidOperationException("The worker is a process of its own.");

    /// <summary>The worker; the benchmark asks it without the host.</summary>
    public RunningWorker Worker => _worker;

    /// <summary>Starts, goes on until somebody asks it to stop or it cannot go on, and stops.</summary>
    /// <exception cref="StartupException">It could not start.</exception>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        await StartAsync(cancellationToken);
        TaskCompletionSource stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using (_app.Lifetime.ApplicationStopping.Register(() => stopping.TrySetResult()))
        using (cancellationToken.Register(() => stopping.TrySetResult()))
            await stopping.Task;
        await StopAsync(CancellationToken.None);
    }

    /// <summary>Where the app listens; null before it does.</summary>
    public Uri? Address { get; private set; }

    /// <summary>The stages' second part; faulted if one failed.</summary>
    public Task AfterAppStarted { get; private set; } = Task.CompletedTask;

    /// <summary>The functions that were found; empty before the start.</summary>
    public IReadOnlyList<LocalFunction> Functions { get; private set; } = [];

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        using CancellationTokenSource starting = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken, _stopping.Token, _app.Lifetime.ApplicationStopping);
        // The app stops itself too, when its own start fails: that is no interruption.
        bool interrupted = false;
        void Interrupt()
        {
            interrupted = true;
            _app.Lifetime.StopApplication();
        }

        void OnSignal(PosixSignalContext signal)
        {
            signal.Cancel = true;
            Interrupt();
        }

        try
        {
            _starter = StarterWatch.Begin(Interrupt);
            // Until the app's own lifetime listens, Ctrl-C must not leave behind what the stages have started.
            using (PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal))
            using (PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal))
                await StartCoreAsync(starting.Token);
        }
        catch (Exception e)
        {
            await StopCoreAsync();
            if (interrupted)
            {
                _console.Done("Stopped", "");
                throw new StartupCanceledException();
            }

            if (e is not StartupException && Explain(e) is { } sentence)
                throw new StartupException(sentence, e);
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        await _stopGate.WaitAsync(CancellationToken.None);
        try
        {
            bool running = _appStarted;
            if (running)
                _console.Progress("Stopping", "");
            await StopCoreAsync();
            if (running)
                _console.Done("Stopped", "");
        }
        finally
        {
            _stopGate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await StopAsync();
        await _worker.DisposeAsync();
        await _app.DisposeAsync();
        _stopping.Dispose();
        _stopGate.Dispose();
    }

    private async Task StartCoreAsync(CancellationToken cancellationToken)
    {
        long begun = Stopwatch.GetTimestamp();
        TimeProvider time = _process.Services?.GetService<TimeProvider>() ?? TimeProvider.System;

        // First what can be known to be wrong without starting anything.
        RequireFreePort(_options.Port);
        _dataFolder = DataFolder.Open(_options);
        HostJson hostJson = HostJson.Load(Path.Combine(_process.AppDirectory, "host.json"), _settings);

        StartupContext context = new()
        {
            Configuration = _settings,
            RepositoryRoot = _options.RepositoryRoot,
            DataDirectory = _options.DataDirectory,
            Console = _console,
        };
        foreach (IStartupStage stage in _stages)
        {
            if (stage.Begin(context, cancellationToken))
                _begunStages.Add(stage);
        }

        foreach (IStartupStage stage in _stages)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _begunStages.Remove(stage);
            _startedStages.Push(stage);
            await stage.StartAsync(context, cancellationToken);
        }

        // Links in mails lead to where we listen, unless somebody said where people find the page. A worker of its own process is told
        // before we listen.
        bool pageIsHere = string.IsNullOrWhiteSpace(_settings[WebAddress.Key]);
        if (pageIsHere && _options.Port != 0)
            _settings[WebAddress.Key] = $"http://localhost:{_options.Port}";

        await _worker.StartAsync(cancellationToken);
        // Stages may set what functions refer to with %Setting%.
        Functions = FunctionCatalog.Read(_worker.Functions, hostJson, _settings, time.GetUtcNow().UtcDateTime);
        if ((await _worker.CurrentAsync(cancellationToken)).HttpUri is null
            && Functions.FirstOrDefault(function => function.Trigger is HttpTrigger) is { } unreachable)
        {
            throw new StartupException(
                $"Function {unreachable.Name} is an HTTP function, but Program.cs does not call ConfigureFunctionsWebApplication().");
        }

        FunctionKeys keys = FunctionKeys.Load(_settings, _options.DataDirectory);
        _invoker = new FunctionInvoker(_worker, hostJson.FunctionTimeout, _loggers.CreateLogger<FunctionInvoker>());
        _timers = new TimerRunner(Functions, _invoker, new TimerStore(_options.DataDirectory), time, _loggers.CreateLogger<TimerRunner>());
        _queues = new QueueRunner(Functions, _invoker, hostJson, _settings, new StorageConnections(_settings), _loggers);
        _http = new HttpIntegration(_invoker, keys, _app.Services.GetRequiredService<IHttpForwarder>(),
            _loggers.CreateLogger<HttpIntegration>());
        _site = _settings["Web:Root"] is { Length: > 0 } root ? new StaticSite(root) : null;
        _caughtMail = _settings[MailCatcherStage.FolderKey] is { Length: > 0 } mails ? new CaughtMailPages(mails) : null;
        MapPipeline(_http, new AdminApi(Functions, keys, _timers, _queues, _loggers.CreateLogger<AdminApi>()), context);

        _appStarted = true;
        await _app.StartAsync(cancellationToken);
        Address = context.Address = ListeningAddress();
        if (pageIsHere)
            _settings[WebAddress.Key] = Address.GetLeftPart(UriPartial.Authority);
        _timers.Start();
        await _queues.StartAsync(cancellationToken);
        _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            _app.Lifetime.StopApplication();
        });

        _console.Done("Functions", string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{Count<HttpTrigger>()} HTTP, {Count<TimerTrigger>()} timer, {Count<QueueTrigger>()} queue on {Address.GetLeftPart(UriPartial.Authority)} ({Stopwatch.GetElapsedTime(begun).TotalSeconds:0.0} s)"));
        AfterAppStarted = Task.Run(() => RunAfterAppStartedAsync(context, _stopping.Token), CancellationToken.None);
        // Seen by whoever waits for it; by nobody otherwise.
        _ = AfterAppStarted.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

        int Count<T>() => Functions.Count(function => function.Trigger is T);
    }

    private void MapPipeline(HttpIntegration http, AdminApi admin, StartupContext context)
    {
        _app.Use((http, next) =>
        {
            if (_draining)
            {
                http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                http.Response.Headers.Connection = "close";
                return Task.CompletedTask;
            }

            // The worker knows nothing of what the stages still do.
            return context.NotReady is { } reason && http.Request.Path.Equals("/api/health/ready", StringComparison.OrdinalIgnoreCase)
                ? Results.Json(new { status = "not_ready", reason }, statusCode: StatusCodes.Status503ServiceUnavailable).ExecuteAsync(http)
                : next(http);
        });
        if (_caughtMail is not null)
            _app.Use(CaughtMailPages.RefuseOtherHosts);
        // The platform's own CORS in Azure; closed unless origins are named.
        if (HttpOptions.Parse(_settings[HttpOptions.AllowedOriginsKey]) is { Length: > 0 } origins)
        {
            _app.UseWhen(
                http => http.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase),
                branch =>
                {
                    branch.UseCors(cors => cors.SetIsOriginAllowed(origin => origins.Contains(origin, StringComparer.Ordinal)).AllowCredentials().AllowAnyHeader().AllowAnyMethod());
                    branch.Use(VaryByOriginAsync);
                });
        }

        _app.UseRouting();
        _app.UseWhen(request => request.GetEndpoint() is null && _site is not null, branch =>
        {
            branch.UseResponseCompression();
            branch.Run(_site is null ? static _ => Task.CompletedTask : _site.InvokeAsync);
        });
        admin.Map(_app);
        _caughtMail?.Map(_app);
        ((IEndpointRouteBuilder)_app).DataSources.Add(new FixedEndpoints([.. http.Endpoints(Functions)]));
    }

    /// <summary>The answer to an origin that is not listed differs too; ASP.NET Core says so only to the others.</summary>
    private static Task VaryByOriginAsync(HttpContext http, RequestDelegate next)
    {
        http.Response.OnStarting(() =>
        {
            if (!http.Response.Headers.Vary.Contains("Origin"))
                http.Response.Headers.Append("Vary", "Origin");
            return Task.CompletedTask;
        });
        return next(http);
    }

    private async Task RunAfterAppStartedAsync(StartupContext context, CancellationToken cancellationToken)
    {
        IStartupStage? current = null;
        try
        {
            foreach (IStartupStage stage in _stages)
            {
                current = stage;
                await stage.AfterAppStartedAsync(context, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The app stops.
        }
        catch (Exception e)
        {
            if (e is not StartupException)
                LogStageFailed(e, current!.Name);
            GiveUp(e is StartupException ? e.Message : $"{current!.Name} failed: {e.Message}");
            throw;
        }
    }

    /// <summary>Says why it cannot go on, and stops.</summary>
    private void GiveUp(string sentence)
    {
        if (_console is TerminalConsole terminal)
            terminal.Error(sentence);
        else
            Console.Error.WriteLine(sentence);
        Environment.ExitCode = 1;
        _app.Lifetime.StopApplication();
    }

    /// <summary>Stops what is there, in reverse order; harmless when there is nothing.</summary>
    private async Task StopCoreAsync()
    {
        await _stopping.CancelAsync();
        _hangUp?.Dispose();
        _hangUp = null;
        _starter?.Dispose();
        _starter = null;
        await AfterAppStarted.WaitAsync(s_cancelLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        Task idle = Task.CompletedTask;
        if (_invoker is not null)
        {
            _draining = true;
            _timers?.StopTaking();
            if (_queues is not null)
                await _queues.StopTakingAsync();
            idle = Task.WhenAll(_invoker.WhenIdleAsync(), _queues?.DrainAsync() ?? Task.CompletedTask);
            await idle.WaitAsync(s_drainLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _invoker.CancelAllAsync();
            await idle.WaitAsync(s_cancelLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (_appStarted)
        {
            _appStarted = false;
            using CancellationTokenSource limit = new(s_cancelLimit);
            try
            {
                await _app.StopAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                // Requests that do not end are cut off.
            }
            catch (Exception e)
            {
                LogStopFailed(e, "The app");
            }
        }

        try
        {
            await _worker.StopAsync();
        }
        catch (Exception e)
        {
            LogStopFailed(e, "The worker");
        }

        // A run that ignores its token still uses these; the process is about to end anyway.
        if (idle.IsCompletedSuccessfully)
        {
            if (_timers is not null)
                await _timers.DisposeAsync();
            if (_queues is not null)
                await _queues.DisposeAsync();
            _invoker?.Dispose();
        }

        _http?.Dispose();
        (_invoker, _http, _timers, _queues) = (null, null, null, null);
        _site?.Dispose();
        _site = null;
        // Their turn did not come.
        _begunStages.ForEach(_startedStages.Push);
        _begunStages.Clear();
        while (_startedStages.TryPop(out IStartupStage? stage))
        {
            try
            {
                await stage.DisposeAsync();
            }
            catch (Exception e)
            {
                // The stages below still have to end.
                LogStopFailed(e, stage.Name);
            }
        }

        _dataFolder?.Dispose();
        _dataFolder = null;
    }

    private static void RequireFreePort(int port)
    {
        if (port == 0)
            return;
        try
        {
            using TcpListener probe = new(IPAddress.Loopback, port);
            probe.Start();
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new StartupException(PortTaken(port), e);
        }
        catch (SocketException e)
        {
            throw new StartupException($"Port {port} cannot be used ({e.Message}); use --port N.", e);
        }
    }

    private static string PortTaken(int port) => $"Port {port} is taken; use --port N.";

    /// <summary>One sentence for what went wrong, if it is something the person at the terminal can act on.</summary>
    private string? Explain(Exception e) => e switch
    {
        OptionsValidationException invalid => $"A setting is missing or wrong: {string.Join(" ", invalid.Failures)}",
        AggregateException { InnerExceptions: { Count: > 0 } inner } when inner.All(one => one is OptionsValidationException) =>
            $"Settings are missing or wrong: {string.Join(" ", inner.Cast<OptionsValidationException>().SelectMany(one => one.Failures))}",
        IOException { InnerException: AddressInUseException } => PortTaken(_options.Port),
        _ => null,
    };

    private Uri ListeningAddress()
    {
        string bound = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new Uri($"http://localhost:{new Uri(bound).Port}");
    }

    [LoggerMessage(60, LogLevel.Error, "{Stage} failed after the app started.")]
    private partial void LogStageFailed(Exception exception, string stage);

    [LoggerMessage(61, LogLevel.Error, "{What} did not stop cleanly.")]
    private partial void LogStopFailed(Exception exception, string what);
}
