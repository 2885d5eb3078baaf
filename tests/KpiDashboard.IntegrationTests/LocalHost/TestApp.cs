using System.Collections.Concurrent;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KpiDashboard.IntegrationTests.LocalHost;

/// <summary>A function app on real Kestrel, made of the function classes of one test.</summary>
internal sealed class TestApp : IAsyncDisposable
{
    private readonly LocalFunctionsHost _host;

    private TestApp(LocalFunctionsHost host, Recorder recorder, LogList logs)
    {
        _host = host;
        Recorder = recorder;
        Logs = logs;
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = host.Address };
    }

    public Recorder Recorder { get; }

    public LogList Logs { get; }

    public HttpClient Client { get; }

    public LocalFunctionsHost Host => _host;

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A builder whose app has no keys but those given, no demo and only the classes given.</summary>
    public static (FunctionsApplicationBuilder Builder, Recorder Recorder, LogList Logs) Create(string data, Type[] classes, params string[] args)
    {
        FunctionsApplicationBuilder builder = FunctionsApplication.CreateBuilder(["--port", "0", "--no-settings", "--data", data, .. args]);
        Recorder recorder = new();
        LogList logs = new();
        builder.Stages.Clear();
        builder.Console = new SilentConsole();
        builder.FunctionsAssembly = typeof(TestApp).Assembly;
        builder.FunctionClasses = classes.Contains;
        builder.Services.AddSingleton(recorder);
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Information);
        return (builder, recorder, logs);
    }

    public static async Task<TestApp> StartAsync(string data, Type[] classes, Action<FunctionsApplicationBuilder>? configure = null, params string[] args)
    {
        (FunctionsApplicationBuilder builder, Recorder recorder, LogList logs) = Create(data, classes, args);
        if (configure is null)
            builder.ConfigureFunctionsWebApplication();
        else
            configure(builder);
        LocalFunctionsHost host = (LocalFunctionsHost)builder.Build();
        try
        {
            await host.StartAsync(Ct);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }

        return new TestApp(host, recorder, logs);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _host.DisposeAsync();
    }

    /// <summary>Waits for something that must happen; a generous limit, so that only what never happens fails.</summary>
    public static async Task EventuallyAsync(Func<Task<bool>> condition, string what)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            try
            {
                await Task.Delay(25, limit.Token);
            }
            catch (OperationCanceledException) when (!Ct.IsCancellationRequested)
            {
                Assert.Fail($"In 60 seconds it did not happen that {what}.");
            }
        }
    }

    public static Task EventuallyAsync(Func<bool> condition, string what) => EventuallyAsync(() => Task.FromResult(condition()), what);
}

/// <summary>What functions and middleware of a test say happened, and gates they wait at.</summary>
public sealed class Recorder
{
    private readonly ConcurrentQueue<string> _events = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();

    public IReadOnlyList<string> Events => [.. _events];

    public void Add(string what) => _events.Enqueue(what);

    public int Count(string what) => _events.Count(one => one == what);

    public Task WaitAtAsync(string gate, CancellationToken cancellationToken) => Gate(gate).Task.WaitAsync(cancellationToken);

    public void Open(string gate) => Gate(gate).TrySetResult();

    private TaskCompletionSource Gate(string gate) => _gates.GetOrAdd(gate, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}

internal sealed class SilentConsole : IStartupConsole
{
    public void Done(string stage, string text) { }

    public void Progress(string stage, string text) { }

    public void Ready(string text) { }

    public void Log(string line) => TestLog.Write(line);
}

/// <summary>Log entries of a test.</summary>
internal sealed class LogList : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _entries = new();

    public IReadOnlyList<(LogLevel Level, string Text)> Entries => [.. _entries];

    public ILogger CreateLogger(string categoryName) => new ListLogger(_entries);

    public void Dispose() { }

    private sealed class ListLogger(ConcurrentQueue<(LogLevel Level, string Text)> entries) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            entries.Enqueue((logLevel, formatter(state, exception)));
    }
}

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("kpi-host-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
