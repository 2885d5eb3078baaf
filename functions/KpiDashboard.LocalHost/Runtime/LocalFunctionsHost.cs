using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using KpiDashboard.Api;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Startup;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using AspNetForwardedHeaders = Microsoft.AspNetCore.HttpOverrides.ForwardedHeaders;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>
/// The function app and what it needs, started in order: data folder, stages, ASP.NET Core with the app's own services, timers and queues, then the
/// stages' second part in the background. It ends in reverse order, also when the start fails half-way.
/// </summary>
internal sealed partial class LocalFunctionsHost : IHost, IAsyncDisposable
{
    private static readonly TimeSpan s_drainLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_cancelLimit = TimeSpan.FromSeconds(5);

    private readonly WebApplication _app;
    private readonly LocalHostOptions _options;
    private readonly IReadOnlyList<IStartupStage> _stages;
    private readonly IStartupConsole _console;
    private readonly Assembly? _assembly;
    private readonly Func<Type, bool> _functionClasses;
    private readonly bool _webApplicationConfigured;
    private readonly Func<FunctionExecutionDelegate, FunctionExecutionDelegate> _buildPipeline;
    private readonly ILogger<LocalFunctionsHost> _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _stopGate = new(1, 1);
    private readonly Stack<IStartupStage> _startedStages = new();

    private DataFolder? _dataFolder;
    private FunctionInvoker? _invoker;
    private TimerRunner? _timers;
    private QueueRunner? _queues;
    private StaticSite? _site;
    private CaughtMailPages? _caughtMail;
    private PosixSignalRegistration? _hangUp;
    private StarterWatch? _starter;
    private bool _appStarted;
    private volatile bool _draining;
    private bool _disposed;

    public LocalFunctionsHost(
        WebApplicationBuilder web, FunctionsApplicationBuilder builder, Func<FunctionExecutionDelegate, FunctionExecutionDelegate> buildPipeline)
    {
        _options = builder.Options;
        _stages = [.. builder.Stages];
        _console = builder.Console;
        _assembly = builder.FunctionsAssembly;
        _functionClasses = builder.FunctionClasses;
        _webApplicationConfigured = builder.WebApplicationConfigured;
        _buildPipeline = buildPipeline;

        web.Services.AddResponseCompression(compression =>
        {
            compression.EnableForHttps = true;
            compression.MimeTypes = [.. ResponseCompressionDefaults.MimeTypes, "image/svg+xml", "application/manifest+json", "font/ttf"];
        });
        // As small as Static Web Apps sends the page, which it packs once beforehand.
        web.Services.Configure<BrotliCompressionProviderOptions>(brotli => brotli.Level = CompressionLevel.Optimal);
        web.Services.Configure<GzipCompressionProviderOptions>(gzip => gzip.Level = CompressionLevel.Optimal);
        web.Services.AddCors();
        web.Services.Configure<ForwardedHeadersOptions>(forwarded => forwarded.ForwardedHeaders = AspNetForwardedHeaders.All);
        web.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            // Both loopback addresses under one name; with a port of the system's choice only the first can be had without a race.
            if (_options.Port == 0)
                kestrel.Listen(IPAddress.Loopback, 0);
            else
                kestrel.ListenLocalhost(_options.Port);
        });
        _app = web.Build();
        _logger = _app.Services.GetRequiredService<ILogger<LocalFunctionsHost>>();
    }

    /// <inheritdoc/>
    public IServiceProvider Services => _app.Services;

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
        await _app.DisposeAsync();
        _stopping.Dispose();
        _stopGate.Dispose();
    }

    private async Task StartCoreAsync(CancellationToken cancellationToken)
    {
        long begun = Stopwatch.GetTimestamp();
        IConfiguration settings = _app.Configuration;
        TimeProvider time = _app.Services.GetService<TimeProvider>() ?? TimeProvider.System;

        // First what can be known to be wrong without starting anything.
        RequireFreePort(_options.Port);
        _dataFolder = DataFolder.Open(_options);
        HostJson hostJson = HostJson.Load(Path.Combine(AppContext.BaseDirectory, "host.json"), settings);

        StartupContext context = new()
        {
            Configuration = settings,
            Services = _app.Services,
            RepositoryRoot = _options.RepositoryRoot,
            DataDirectory = _options.DataDirectory,
            Console = _console,
        };
        foreach (IStartupStage stage in _stages)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _startedStages.Push(stage);
            await stage.StartAsync(context, cancellationToken);
        }

        // Stages may set what functions refer to with %Setting%.
        Functions = FunctionCatalog.Discover(
            _assembly ?? throw new StartupException("There is no entry assembly to take functions from."),
            _functionClasses, hostJson, settings, time.GetUtcNow().UtcDateTime);
        HttpIntegration.RequireConfigured(Functions, _webApplicationConfigured);

        ILoggerFactory loggers = _app.Services.GetRequiredService<ILoggerFactory>();
        FunctionKeys keys = FunctionKeys.Load(settings, _options.DataDirectory);
        _invoker = new FunctionInvoker(
            _app.Services.GetRequiredService<IServiceScopeFactory>(), _buildPipeline, hostJson.FunctionTimeout, loggers.CreateLogger<FunctionInvoker>());
        _timers = new TimerRunner(Functions, _invoker, new TimerStore(_options.DataDirectory), time, loggers.CreateLogger<TimerRunner>());
        _queues = new QueueRunner(Functions, _invoker, hostJson, new StorageConnections(settings), loggers);
        _site = settings["Web:Root"] is { Length: > 0 } root ? new StaticSite(root) : null;
        _caughtMail = settings[MailCatcherStage.FolderKey] is { Length: > 0 } mails ? new CaughtMailPages(mails) : null;
        MapPipeline(
            new HttpIntegration(_invoker, keys, loggers.CreateLogger<HttpIntegration>()),
            new AdminApi(Functions, keys, _timers, _queues, loggers.CreateLogger<AdminApi>()));

        _appStarted = true;
        await _app.StartAsync(cancellationToken);
        Address = context.Address = ListeningAddress();
        // Links in mails lead here unless somebody said where people find the page.
        if (string.IsNullOrWhiteSpace(settings[WebAddress.Key]))
            settings[WebAddress.Key] = Address.GetLeftPart(UriPartial.Authority);
        _timers.Start();
        _queues.Start();
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

    private void MapPipeline(HttpIntegration http, AdminApi admin)
    {
        _app.Use((context, next) =>
        {
            if (!_draining)
                return next(context);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.Connection = "close";
            return Task.CompletedTask;
        });
        if (_caughtMail is not null)
            _app.Use(CaughtMailPages.RefuseOtherHosts);
        _app.UseForwardedHeaders();
        // The platform's own CORS in Azure; closed unless origins are named.
        if (HttpOptions.Parse(_app.Configuration[HttpOptions.AllowedOriginsKey]) is { Length: > 0 } origins)
        {
            _app.UseWhen(
                context => context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase),
                branch =>
                {
                    branch.UseCors(cors => cors.SetIsOriginAllowed(origin => origins.Contains(origin, StringComparer.Ordinal)).AllowCredentials().AllowAnyHeader().AllowAnyMethod());
                    branch.Use(VaryByOriginAsync);
                });
        }

        _app.UseRouting();
        _app.UseWhen(context => context.GetEndpoint() is null && _site is not null, branch =>
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
            string sentence = e is StartupException ? e.Message : $"{current!.Name} failed: {e.Message}";
            if (_console is TerminalConsole terminal)
                terminal.Error(sentence);
            else
                await Console.Error.WriteLineAsync(sentence);
            Environment.ExitCode = 1;
            _app.Lifetime.StopApplication();
            throw;
        }
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
            _queues?.StopTaking();
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

        // A run that ignores its token still uses these; the process is about to end anyway.
        if (idle.IsCompletedSuccessfully)
        {
            if (_timers is not null)
                await _timers.DisposeAsync();
            if (_queues is not null)
                await _queues.DisposeAsync();
            _invoker?.Dispose();
        }

        (_invoker, _timers, _queues) = (null, null, null);
        _site?.Dispose();
        _site = null;
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
