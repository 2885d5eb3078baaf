using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using KpiDashboard.Data;
using KpiDashboard.LocalHost.Worker.Messages;
using Microsoft.Azure.WebJobs;
using Microsoft.Azure.WebJobs.Host;
using Microsoft.Azure.WebJobs.Host.Timers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>
/// The queue functions, under the WebJobs SDK's own listeners: polling, leases, retries and poison queues are the code that the Functions
/// host runs. For each function of the worker a method is made that hands the message over to it.
/// </summary>
internal sealed partial class QueueRunner(
    IReadOnlyList<LocalFunction> functions, FunctionInvoker invoker, HostJson hostJson, IConfiguration settings,
        StorageConnections connections, ILoggerFactory loggers) : IAsyncDisposable
{
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(1);

    private readonly ILogger<QueueRunner> _logger = loggers.CreateLogger<QueueRunner>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly LocalFunction[] _functions = [.. functions.Where(function => function is { Disabled: false, Trigger: QueueTrigger })];
    private readonly Dictionary<string, QueueServiceClient> _services = new(StringComparer.OrdinalIgnoreCase);
    private IHost? _host;
    private Task _recovery = Task.CompletedTask;
    private Task _drained = Task.CompletedTask;
    private int _down;
    private int _generation;

    /// <exception cref="Startup.StartupException">A setting is missing or not a connection.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (LocalFunction function in _functions)
        {
            string connection = ((QueueTrigger)function.Trigger).Connection;
            if (!_services.ContainsKey(connection))
                _services.Add(connection, connections.Resolve(connection, function.Name));
        }

        if (_functions.Length > 0)
            await StartListenersAsync(cancellationToken);
    }

    /// <summary>Fetches no further message. Runs that go on are waited for by <see cref="DisposeAsync"/>.</summary>
    public async Task StopTakingAsync()
    {
        await _stopping.CancelAsync();
        await _recovery.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Draining lets runs go on, and ends with them; stopping alone would cancel them.
        if (_host is not null)
            _drained = _host.Services.GetRequiredService<IDrainModeManager>().EnableDrainModeAsync(CancellationToken.None);
    }

    /// <summary>Completes when every message that was taken has been deleted, released or moved.</summary>
    public async Task DrainAsync()
    {
        await _drained;
        if (_host is not null)
            await _host.StopAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _recovery.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _host?.Dispose();
        _host = null;
        _stopping.Dispose();
    }

    /// <summary>A run by hand with <paramref name="input"/> for the message; no queue knows of it.</summary>
    public Task RunByHandAsync(LocalFunction function, string input, CancellationToken cancellationToken) =>
        InvokeAsync(
            function,
            QueuesModelFactory.QueueMessage(Guid.NewGuid().ToString(), "", BinaryData.FromString(input), dequeueCount: 1, null, DateTimeOffset.UtcNow, null),
            cancellationToken);

    private Task InvokeAsync(LocalFunction function, QueueMessage message, CancellationToken cancellationToken) =>
        invoker.InvokeAsync(function, ActivityKind.Consumer, request => Fill(request, function, message), cancellationToken);

    /// <summary>What the Functions host tells of a message.</summary>
    internal static void Fill(InvocationRequest request, LocalFunction function, QueueMessage message)
    {
        string text = message.Body.ToString();
        request.InputData.Add(new ParameterBinding { Name = function.Parameter, Data = new TypedData { String = text } });
        Dictionary<string, TypedData> metadata = new(StringComparer.OrdinalIgnoreCase)
        {
            ["QueueTrigger"] = new() { String = text },
            ["Id"] = new() { String = message.MessageId },
            ["PopReceipt"] = new() { String = message.PopReceipt },
            ["DequeueCount"] = new() { Json = message.DequeueCount.ToString(CultureInfo.InvariantCulture) },
        };
        if (message.InsertedOn is { } inserted)
            metadata["InsertionTime"] = new() { Json = JsonSerializer.Serialize(inserted) };
        if (message.ExpiresOn is { } expires)
            metadata["ExpirationTime"] = new() { Json = JsonSerializer.Serialize(expires) };
        if (message.NextVisibleOn is { } visible)
            metadata["NextVisibleTime"] = new() { Json = JsonSerializer.Serialize(visible) };
        foreach ((string name, string value) in Properties(text))
            metadata[name] = new() { String = value };
        foreach ((string name, TypedData data) in metadata)
            request.TriggerMetadata[name] = data;
    }

    /// <summary>The top-level properties of a JSON object; nothing for any other text.</summary>
    private static IEnumerable<(string Name, string Value)> Properties(string text)
    {
        JsonElement element;
        try
        {
            element = JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return [];
        }

        return element.ValueKind != JsonValueKind.Object
            ? []
            : [.. element.EnumerateObject().Where(property => property.Name.Length > 0 && property.Value.ValueKind != JsonValueKind.Null)
                .Select(property => (property.Name, property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString()!
                    : property.Value.GetRawText()))];
    }

    private async Task StartListenersAsync(CancellationToken cancellationToken)
    {
        int generation = Interlocked.Increment(ref _generation);
        Type type = QueueFunctions.Make(_functions.Select(function => (function.Name, (QueueTrigger)function.Trigger)));
        Dictionary<string, LocalFunction> byName = _functions.ToDictionary(function => function.Name, StringComparer.Ordinal);
        IHost host = new HostBuilder()
            .ConfigureAppConfiguration(configuration => configuration.AddConfiguration(settings))
            .ConfigureWebJobs(jobs => jobs.AddAzureStorageQueues(queues =>
            {
                queues.BatchSize = hostJson.BatchSize;
                queues.NewBatchThreshold = hostJson.NewBatchThreshold;
                queues.MaxDequeueCount = hostJson.MaxDequeueCount;
                queues.MaxPollingInterval = hostJson.MaxPollingInterval;
                queues.VisibilityTimeout = hostJson.VisibilityTimeout;
                queues.MessageEncoding = hostJson.MessageEncoding;
            }))
            .ConfigureServices(services =>
            {
                services.AddSingleton(loggers);
                services.AddSingleton<IHostLifetime, NoLifetime>();
                services.AddSingleton<ITypeLocator>(new OneType(type));
                services.AddSingleton<IJobActivator>(new Activator(type, (name, message, token) => InvokeAsync(byName[name], message,
                    token)));
                services.AddSingleton<IWebJobsExceptionHandler>(new ListenerFailed(this, generation));
            })
            .Build();
        _host = host;
        await host.StartAsync(cancellationToken);
    }

    /// <summary>
    /// A listener ended: storage was out of reach for longer than its client tries. The Functions host ends then, and the platform starts
    /// it again; here the listeners are started again once storage answers.
    /// </summary>
    private void OnListenerFailed(int generation, Exception exception)
    {
        // All listeners of a kind fail, one after the other, and the old ones once more while they end.
        if (generation != Volatile.Read(ref _generation) || Interlocked.Exchange(ref _down, 1) != 0 || _stopping.IsCancellationRequested)
            return;
        LogDown(exception.GetBaseException().Message);
        _recovery = Task.Run(RecoverAsync);
    }

    private async Task RecoverAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(s_retry, _stopping.Token);
                foreach (QueueServiceClient service in _services.Values)
                    await service.GetPropertiesAsync(_stopping.Token);
                IHost? old = _host;
                // Runs that go on end with the old listeners, which delete or release their messages.
                if (old is not null)
                    _ = EndAsync(old);

                Interlocked.Increment(ref _generation);
                Interlocked.Exchange(ref _down, 0);
                await StartListenersAsync(_stopping.Token);
                LogUp();
                return;
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is RequestFailedException or AggregateException or OperationCanceledException)
            {
                // Still out of reach.
            }
        }
    }

    private static async Task EndAsync(IHost host)
    {
        await host.Services.GetRequiredService<IDrainModeManager>().EnableDrainModeAsync(CancellationToken.None)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await host.StopAsync(CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        host.Dispose();
    }

    [LoggerMessage(40, LogLevel.Warning, "The queues are out of reach; retrying. ({Reason})")]
    private partial void LogDown(string reason);

    [LoggerMessage(41, LogLevel.Warning, "The queues are back.")]
    private partial void LogUp();

    private sealed class OneType(Type type) : ITypeLocator
    {
        public IReadOnlyList<Type> GetTypes() => [type];
    }

    private sealed class Activator(Type type, Func<string, QueueMessage, CancellationToken, Task> run) : IJobActivator
    {
        private readonly object _instance = System.Activator.CreateInstance(type, run)!;

        public T CreateInstance<T>() => (T)_instance;
    }

    private sealed class ListenerFailed(QueueRunner runner, int generation) : IWebJobsExceptionHandler
    {
        public Task OnTimeoutExceptionAsync(ExceptionDispatchInfo exceptionInfo, TimeSpan timeoutGracePeriod) =>
            OnUnhandledExceptionAsync(exceptionInfo);

        public Task OnUnhandledExceptionAsync(ExceptionDispatchInfo exceptionInfo)
        {
            runner.OnListenerFailed(generation, exceptionInfo.SourceException);
            return Task.CompletedTask;
        }
    }
}

/// <summary>What the methods that are made for queue functions call. Public because they are in an assembly of their own.</summary>
public abstract class QueueFunctions
{
    private static readonly ConstructorInfo s_base = typeof(QueueFunctions).GetConstructors(
        BindingFlags.Instance | BindingFlags.NonPublic).Single();
    private static readonly MethodInfo s_run = typeof(QueueFunctions).GetMethod(nameof(RunAsync),
        BindingFlags.Instance | BindingFlags.NonPublic)!;

    private readonly Func<string, QueueMessage, CancellationToken, Task> _run;

    /// <summary>With what runs a function of a name.</summary>
    /// <param name="run">Runs it with a message.</param>
    protected QueueFunctions(Func<string, QueueMessage, CancellationToken, Task> run) => _run = run;

    /// <summary>Runs the function of a name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="message">The message, decoded.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    protected Task RunAsync(string name, QueueMessage message, CancellationToken cancellationToken) => _run(name, message,
        cancellationToken);

    /// <summary>A class with one method for each function, in the form that the WebJobs SDK finds functions in.</summary>
    internal static Type Make(IEnumerable<(string Name, QueueTrigger Trigger)> functions)
    {
        ModuleBuilder module = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("KpiDashboard.LocalHost.Made"),
            AssemblyBuilderAccess.RunAndCollect)
            .DefineDynamicModule("Made");
        TypeBuilder type = module.DefineType("Made.QueueFunctions", TypeAttributes.Public | TypeAttributes.Sealed, typeof(QueueFunctions));
        ConstructorBuilder constructor = type.DefineConstructor(
            MethodAttributes.Public, CallingConventions.Standard, [typeof(Func<string, QueueMessage, CancellationToken, Task>)]);
        ILGenerator code = constructor.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Call, s_base);
        code.Emit(OpCodes.Ret);
        foreach ((string name, QueueTrigger trigger) in functions)
        {
            MethodBuilder method = type.DefineMethod(name, MethodAttributes.Public, typeof(Task), [typeof(QueueMessage),
                typeof(CancellationToken)]);
            method.SetCustomAttribute(new CustomAttributeBuilder(typeof(FunctionNameAttribute).GetConstructor([typeof(string)])!, [name]));
            ParameterBuilder message = method.DefineParameter(1, ParameterAttributes.None, "message");
            message.SetCustomAttribute(new CustomAttributeBuilder(
                typeof(QueueTriggerAttribute).GetConstructor([typeof(string)])!,
                [trigger.Queue],
                [typeof(QueueTriggerAttribute).GetProperty(nameof(QueueTriggerAttribute.Connection))!],
                [trigger.Connection]));
            method.DefineParameter(2, ParameterAttributes.None, "cancellationToken");
            code = method.GetILGenerator();
            code.Emit(OpCodes.Ldarg_0);
            code.Emit(OpCodes.Ldstr, name);
            code.Emit(OpCodes.Ldarg_1);
            code.Emit(OpCodes.Ldarg_2);
            code.Emit(OpCodes.Call, s_run);
            code.Emit(OpCodes.Ret);
        }

        return type.CreateType();
    }
}

/// <summary>Storage clients by the setting that names the account, found the way the Functions host does.</summary>
internal sealed class StorageConnections(IConfiguration settings)
{
    /// <exception cref="Startup.StartupException">The setting is missing or not a connection.</exception>
    public QueueServiceClient Resolve(string connection, string function)
    {
        // Raw text in and out: decoding is the listener's, so that an undecodable message reaches the poison queue as it is.
        QueueClientOptions options = new() { MessageEncoding = QueueMessageEncoding.None };
        options.Retry.MaxRetries = 2;
        options.Retry.Delay = TimeSpan.FromMilliseconds(200);
        options.Retry.NetworkTimeout = TimeSpan.FromSeconds(30);

        IConfigurationSection section = settings.GetSection(connection);
        string? text = settings["AzureWebJobs" + connection] ?? section.Value ?? settings.GetConnectionString(connection);
        try
        {
            if (!string.IsNullOrWhiteSpace(text))
                return new QueueServiceClient(text, options);
            if (section["queueServiceUri"] is { } uri)
                return new QueueServiceClient(new Uri(uri), AzureIdentity.OfConnection(settings, connection), options);
            if (section["accountName"] is { } account)
                return new QueueServiceClient(new Uri($"https://{account}.queue.core.windows.net"), AzureIdentity.OfConnection(settings, connection), options);
        }
        catch (FormatException e)
        {
            throw new Startup.StartupException($"The setting {connection} is not a storage connection string.", e);
        }

        throw new Startup.StartupException($"Function {function} needs the setting {connection} with a storage connection string.");
    }
}
