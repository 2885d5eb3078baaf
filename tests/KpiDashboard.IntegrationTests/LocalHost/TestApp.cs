using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.Tests.Shared;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Core.FunctionMetadata;
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
    public static (LocalApp Builder, Recorder Recorder, LogList Logs) Create(string data, Type[] classes, params string[] args)
    {
        LocalApp builder = LocalApp.CreateEmpty(["--port", "0", "--no-settings", "--data", data, .. args]);
        Recorder recorder = new();
        LogList logs = new();
        builder.Stages.Clear();
        builder.Console = new SilentConsole();
        builder.Services.AddSingleton<IFunctionMetadataProvider>(new ReflectedFunctions(classes));
        builder.Services.AddSingleton(recorder);
        builder.HostLogging(logging => logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Information));
        return (builder, recorder, logs);
    }

    public static async Task<TestApp> StartAsync(string data, Type[] classes, Action<FunctionsApplicationBuilder>? configure = null, params string[] args)
    {
        (LocalApp builder, Recorder recorder, LogList logs) = Create(data, classes, args);
        if (configure is null)
            builder.Worker.ConfigureFunctionsWebApplication();
        else
            configure(builder.Worker);
        LocalFunctionsHost host = builder.WithPortOfItsOwn().Build();
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
    public static Task EventuallyAsync(Func<Task<bool>> condition, string what) => EventuallyAsync(condition, () => what);

    private static async Task EventuallyAsync(Func<Task<bool>> condition, Func<string> what)
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
                Assert.Fail($"In 60 seconds it did not happen that {what()}.");
            }
        }
    }

    public static Task EventuallyAsync(Func<bool> condition, string what) => EventuallyAsync(condition, () => what);

    public static Task EventuallyAsync(Func<bool> condition, Func<string> what) =>
        EventuallyAsync(() => Task.FromResult(condition()), what);
}

/// <summary>
/// The functions of a test's classes, told as the worker's SDK tells those of an app; the worker runs them by reflection.
/// </summary>
internal sealed class ReflectedFunctions(Type[] classes) : IFunctionMetadataProvider
{
    public Task<ImmutableArray<IFunctionMetadata>> GetFunctionMetadataAsync(string directory) =>
        Task.FromResult<ImmutableArray<IFunctionMetadata>>(
    [
        .. from type in classes
           from method in type.GetMethods()
           let function = method.GetCustomAttribute<FunctionAttribute>()
           where function is not null
           select new DefaultFunctionMetadata
           {
               Name = function.Name,
               EntryPoint = $"{type.FullName}.{method.Name}",
               ScriptFile = Path.GetFileName(type.Assembly.Location),
               Language = "dotnet-isolated",
               RawBindings = [.. Bindings(method)],
           },
    ]);

    private static IEnumerable<string> Bindings(MethodInfo method)
    {
        foreach (ParameterInfo parameter in method.GetParameters())
        {
            Dictionary<string, object?>? binding = parameter.GetCustomAttributes().Select(attribute => attribute switch
            {
                HttpTriggerAttribute http => new Dictionary<string, object?>
                {
                    ["type"] = "httpTrigger",
                    ["authLevel"] = http.AuthLevel.ToString(),
                    ["methods"] = http.Methods,
                    ["route"] = http.Route
                },
                TimerTriggerAttribute timer => new()
                {
                    ["type"] = "timerTrigger",
                    ["schedule"] = timer.Schedule,
                    ["runOnStartup"] = timer.RunOnStartup,
                    ["useMonitor"] = timer.UseMonitor
                },
                QueueTriggerAttribute queue => new()
                {
                    ["type"] = "queueTrigger",
                    ["queueName"] = queue.QueueName,
                    ["connection"] = queue.Connection
                },
                _ => null,
            }).FirstOrDefault(one => one is not null);
            if (binding is null)
                continue;
            (binding["name"], binding["direction"]) = (parameter.Name, "In");
            yield return JsonSerializer.Serialize(binding.Where(pair => pair.Value is not null).ToDictionary());
            if (binding["type"] is "httpTrigger")
                yield return """{"name":"$return","type":"http","direction":"Out"}""";
        }
    }
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
            entries.Enqueue((logLevel, $"{formatter(state, exception)} {exception}".Trim()));
    }
}

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("kpi-host-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
