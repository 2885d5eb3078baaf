using System.Collections.Concurrent;
using System.Diagnostics;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using KpiDashboard.Data;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>Runs the queue functions against real storage queues.</summary>
internal sealed class QueueRunner(
    IReadOnlyList<LocalFunction> functions, FunctionInvoker invoker, HostJson hostJson, StorageConnections connections, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _loops = Task.CompletedTask;

    public void Start()
    {
        ConcurrentDictionary<string, StorageHealth> health = new(StringComparer.OrdinalIgnoreCase);
        List<Task> loops = [];
        foreach (LocalFunction function in functions.Where(function => function is { Disabled: false, Trigger: QueueTrigger }))
        {
            QueueTrigger trigger = (QueueTrigger)function.Trigger;
            QueueServiceClient service = connections.Resolve(trigger.Connection, function.Name);
            QueueListener listener = new(
                function,
                service.GetQueueClient(trigger.Queue),
                QueueListener.PoisonNameOf(trigger.Queue) is { } poison ? service.GetQueueClient(poison) : null,
                health.GetOrAdd(trigger.Connection, name => new StorageHealth(name, loggers.CreateLogger<StorageHealth>())),
                invoker,
                hostJson,
                loggers.CreateLogger<QueueListener>());
            loops.Add(Task.Run(() => listener.LoopAsync(_stopping.Token)));
        }

        _loops = Task.WhenAll(loops);
    }

    /// <summary>Fetches no further message. Runs that go on are the invoker's.</summary>
    public void StopTaking() => _stopping.Cancel();

    /// <summary>Completes when every message that was taken has been deleted, released or moved.</summary>
    public Task DrainAsync() => _loops;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loops;
        _stopping.Dispose();
    }

    /// <summary>A run by hand with <paramref name="input"/> for the message; no queue knows of it.</summary>
    public Task RunByHandAsync(LocalFunction function, string input, CancellationToken cancellationToken) =>
        QueueListener.InvokeAsync(
            function,
            invoker,
            QueuesModelFactory.QueueMessage(Guid.NewGuid().ToString(), "", BinaryData.FromString(input), dequeueCount: 1, null, DateTimeOffset.UtcNow, null),
            cancellationToken);
}

/// <summary>Polls one queue for one function.</summary>
internal sealed partial class QueueListener(
    LocalFunction function, QueueClient queue, QueueClient? poison, StorageHealth health, FunctionInvoker invoker, HostJson hostJson, ILogger<QueueListener> logger)
{
    private const string PoisonSuffix = "-poison";
    private static readonly TimeSpan s_firstWait = TimeSpan.FromMilliseconds(100);

    // What a message needs after its function ended is not given up with the app's own token.
    private static readonly TimeSpan s_settleLimit = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly HashSet<Task> _running = [];

    /// <summary>Where messages that fail for good go; null if that would not be a queue name, or the queue is itself such a place.</summary>
    public static string? PoisonNameOf(string queueName) =>
        queueName.EndsWith(PoisonSuffix, StringComparison.Ordinal) || queueName.Length + PoisonSuffix.Length > 63 ? null : queueName + PoisonSuffix;

    public static Task InvokeAsync(LocalFunction function, FunctionInvoker invoker, QueueMessage message, CancellationToken cancellationToken) =>
        invoker.InvokeAsync(
            function,
            ActivityKind.Consumer,
            context =>
            {
                context.Bindings.InputData[function.TriggerParameter.Name] = message;
                Dictionary<string, object?> metadata = context.Bindings.TriggerMetadata;
                metadata["QueueTrigger"] = message.Body.ToString();
                metadata["DequeueCount"] = message.DequeueCount.ToString(System.Globalization.CultureInfo.InvariantCulture);
                metadata["Id"] = message.MessageId;
                metadata["PopReceipt"] = message.PopReceipt;
                metadata["InsertionTime"] = message.InsertedOn?.ToString("O", System.Globalization.CultureInfo.InvariantCulture);
                metadata["ExpirationTime"] = message.ExpiresOn?.ToString("O", System.Globalization.CultureInfo.InvariantCulture);
                metadata["NextVisibleTime"] = message.NextVisibleOn?.ToString("O", System.Globalization.CultureInfo.InvariantCulture);
            },
            complete: null,
            cancellationToken);

    /// <summary>Polls until told to stop, then waits for the messages that are being worked on.</summary>
    public async Task LoopAsync(CancellationToken stopping)
    {
        Activity.Current = null;
        TimeSpan wait = s_firstWait;
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                await WaitForRoomAsync(stopping);
                QueueMessage[] messages = await ReceiveAsync(stopping);
                foreach (QueueMessage message in messages)
                    Track(ProcessAsync(message));

                if (messages.Length > 0)
                {
                    wait = s_firstWait;
                    continue;
                }

                // A little randomness keeps listeners from polling in step.
                await Task.Delay(wait * (0.8 + (Random.Shared.NextDouble() * 0.4)), stopping);
                wait = wait * 2 < hostJson.MaxPollingInterval ? wait * 2 : hostJson.MaxPollingInterval;
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The app stops.
        }
        catch (Exception e)
        {
            LogStopped(e, function.Name, queue.Name);
        }

        await Task.WhenAll(Snapshot());
    }

    private async Task<QueueMessage[]> ReceiveAsync(CancellationToken stopping)
    {
        try
        {
            QueueMessage[] messages = await queue.ReceiveMessagesAsync(hostJson.BatchSize, hostJson.MessageLease, stopping);
            health.Up();
            return messages;
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            await TryCreateAsync(queue, stopping);
            return [];
        }
        catch (Exception e) when (IsStorageFailure(e, stopping))
        {
            health.Down(e);
            return [];
        }
    }

    private async Task TryCreateAsync(QueueClient client, CancellationToken stopping)
    {
        try
        {
            await client.CreateIfNotExistsAsync(cancellationToken: stopping);
        }
        catch (Exception e) when (IsStorageFailure(e, stopping))
        {
            health.Down(e);
        }
    }

    /// <summary>Never throws: what goes wrong with a message is logged, and the message comes back when its lease ends.</summary>
    private async Task ProcessAsync(QueueMessage received)
    {
        using CancellationTokenSource settle = new();
        try
        {
            if (Decode(received) is not { } message)
            {
                LogUndecodable(function.Name, received.MessageId, queue.Name);
                settle.CancelAfter(s_settleLimit);
                await MoveToPoisonAsync(received.MessageId, received.PopReceipt, received.Body, settle.Token);
                return;
            }

            if (poison is not null && message.DequeueCount > hostJson.MaxDequeueCount)
            {
                // Its earlier tries ended with the process, so nobody moved it.
                settle.CancelAfter(s_settleLimit);
                await MoveToPoisonAsync(message.MessageId, message.PopReceipt, received.Body, settle.Token);
                return;
            }

            (bool succeeded, string popReceipt) = await RunWithLeaseAsync(message);
            settle.CancelAfter(s_settleLimit);
            if (succeeded)
                await queue.DeleteMessageAsync(message.MessageId, popReceipt, settle.Token);
            else if (poison is not null && message.DequeueCount >= hostJson.MaxDequeueCount)
                await MoveToPoisonAsync(message.MessageId, popReceipt, received.Body, settle.Token);
            else if (poison is not null)
                await queue.UpdateMessageAsync(message.MessageId, popReceipt, visibilityTimeout: hostJson.VisibilityTimeout, cancellationToken: settle.Token);
            // Without a place for poison the message stays invisible for the rest of its lease; anything else would spin.
        }
        catch (Exception e)
        {
            LogNotSettled(e, received.MessageId, queue.Name);
        }
    }

    private async Task<(bool Succeeded, string PopReceipt)> RunWithLeaseAsync(QueueMessage message)
    {
        using CancellationTokenSource done = new();
        Task<string> lease = RenewAsync(message, done.Token);
        bool succeeded;
        try
        {
            await InvokeAsync(function, invoker, message, CancellationToken.None);
            succeeded = true;
        }
        catch (Exception)
        {
            // Logged by the invoker.
            succeeded = false;
        }

        await done.CancelAsync();
        return (succeeded, await lease);
    }

    /// <summary>Keeps the message invisible until <paramref name="done"/>; returns the receipt that is valid then.</summary>
    private async Task<string> RenewAsync(QueueMessage message, CancellationToken done)
    {
        string popReceipt = message.PopReceipt;
        TimeSpan interval = hostJson.MessageLease / 2;
        while (true)
        {
            try
            {
                await Task.Delay(interval, done);
            }
            catch (OperationCanceledException)
            {
                return popReceipt;
            }

            try
            {
                // Not cancelled half-way: a renewal whose answer is lost would leave a receipt that deletes nothing.
                UpdateReceipt receipt = await queue.UpdateMessageAsync(message.MessageId, popReceipt, visibilityTimeout: hostJson.MessageLease, cancellationToken: CancellationToken.None);
                popReceipt = receipt.PopReceipt;
                interval = hostJson.MessageLease / 2;
            }
            catch (RequestFailedException e) when (e.Status is 400 or 404)
            {
                LogLeaseLost(message.MessageId, queue.Name);
                return popReceipt;
            }
            catch (Exception e) when (e is RequestFailedException or AggregateException)
            {
                health.Down(e);
                // Sooner than usual, as the lease is running out.
                interval = hostJson.MessageLease / 10;
            }
        }
    }

    private async Task MoveToPoisonAsync(string messageId, string popReceipt, BinaryData body, CancellationToken cancellationToken)
    {
        if (poison is null)
            return;
        LogPoison(messageId, hostJson.MaxDequeueCount, poison.Name);
        try
        {
            await poison.SendMessageAsync(body, cancellationToken: cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            await poison.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            await poison.SendMessageAsync(body, cancellationToken: cancellationToken);
        }

        await queue.DeleteMessageAsync(messageId, popReceipt, cancellationToken);
    }

    /// <summary>The message with its text decoded; null if it is not what <c>messageEncoding</c> says.</summary>
    private QueueMessage? Decode(QueueMessage raw)
    {
        BinaryData body = raw.Body;
        if (hostJson.MessageEncoding == QueueMessageEncoding.Base64)
        {
            try
            {
                body = new BinaryData(Convert.FromBase64String(raw.Body.ToString()));
            }
            catch (FormatException)
            {
                return null;
            }
        }

        return QueuesModelFactory.QueueMessage(raw.MessageId, raw.PopReceipt, body, raw.DequeueCount, raw.NextVisibleOn, raw.InsertedOn, raw.ExpiresOn);
    }

    private void Track(Task task)
    {
        lock (_gate)
            _running.Add(task);
        _ = task.ContinueWith(
            finished =>
            {
                lock (_gate)
                    _running.Remove(finished);
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private async Task WaitForRoomAsync(CancellationToken stopping)
    {
        while (Snapshot() is var running && running.Length > hostJson.NewBatchThreshold)
            await Task.WhenAny(running).WaitAsync(stopping);
    }

    private Task[] Snapshot()
    {
        lock (_gate)
            return [.. _running.Where(task => !task.IsCompleted)];
    }

    // The storage client wraps several failed tries into an AggregateException, and reports its own time-outs as cancellation.
    private static bool IsStorageFailure(Exception e, CancellationToken stopping) =>
        e is RequestFailedException or AggregateException or OperationCanceledException && !stopping.IsCancellationRequested;

    [LoggerMessage(30, LogLevel.Warning, "Message {MessageId} of queue {Queue} is not encoded as host.json says; function {Function} does not see it.")]
    private partial void LogUndecodable(string function, string messageId, string queue);

    [LoggerMessage(31, LogLevel.Warning, "Message {MessageId} failed {Tries} times or cannot be read, and moves to queue {Poison}.")]
    private partial void LogPoison(string messageId, int tries, string poison);

    [LoggerMessage(32, LogLevel.Warning, "Message {MessageId} of queue {Queue} could not be deleted, released or moved; it comes again when its lease ends.")]
    private partial void LogNotSettled(Exception exception, string messageId, string queue);

    [LoggerMessage(33, LogLevel.Warning, "The lease of message {MessageId} of queue {Queue} is lost; it may run twice.")]
    private partial void LogLeaseLost(string messageId, string queue);

    [LoggerMessage(34, LogLevel.Critical, "Function {Function} does not read queue {Queue} any more.")]
    private partial void LogStopped(Exception exception, string function, string queue);
}

/// <summary>Says once that storage is out of reach and once that it is back, however many queues notice.</summary>
internal sealed partial class StorageHealth(string connection, ILogger<StorageHealth> logger)
{
    private int _down;

    public void Down(Exception exception)
    {
        if (Interlocked.Exchange(ref _down, 1) == 0)
            LogDown(connection, exception.InnerException?.Message ?? exception.Message);
    }

    public void Up()
    {
        if (Interlocked.Exchange(ref _down, 0) == 1)
            LogUp(connection);
    }

    [LoggerMessage(40, LogLevel.Warning, "The queues of {Connection} are out of reach; retrying. ({Reason})")]
    private partial void LogDown(string connection, string reason);

    [LoggerMessage(41, LogLevel.Warning, "The queues of {Connection} are back.")]
    private partial void LogUp(string connection);
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
