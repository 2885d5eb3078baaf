using System.Collections.Concurrent;
using Azure;
using Azure.Core.Pipeline;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Configuration;

namespace KpiDashboard.Data;

/// <summary>
/// Azure storage queues of the account that the Functions host uses: <c>AzureWebJobsStorage</c> as a connection string, or
/// <c>AzureWebJobsStorage:queueServiceUri</c> with <see cref="AzureIdentity"/>.
/// </summary>
internal sealed class StorageQueues(IConfiguration configuration)
{
    private const string Connection = "AzureWebJobsStorage";

    /// <summary>A storage queue hides a message for 7 days at most; nothing of ours waits longer than a day.</summary>
    private static readonly TimeSpan MaxDelay = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<string, Lazy<Task<QueueClient>>> _clients = new(StringComparer.Ordinal);

    /// <summary>How requests are sent; for tests against a server with a certificate of its own.</summary>
    internal HttpPipelineTransport? Transport { get; init; }

    /// <summary>Puts a message on a queue, which is made if it is not there; visible after <paramref name="delay"/>, a day at most.</summary>
    public async Task SendAsync(string queue, string json, TimeSpan delay, CancellationToken cancellationToken)
    {
        var client = await ClientAsync(queue, cancellationToken);
        var visibility = delay <= TimeSpan.Zero ? TimeSpan.Zero : delay > MaxDelay ? MaxDelay : delay;
        // Never expires: a message that waited out a week-long outage is still due.
        await client.SendMessageAsync(json, visibility, TimeSpan.FromSeconds(-1), cancellationToken);
    }

    /// <summary>About how many messages a queue holds, put-off ones too, and since when the first of those that can be taken lies there.</summary>
    public async Task<(int Length, DateTimeOffset? FirstInsertedAt)> StateAsync(string queue, CancellationToken cancellationToken)
    {
        // Made if it is not there yet: no messages is an answer, no queue is not.
        await ClientAsync(queue, cancellationToken);
        var client = Service(QueueMessageEncoding.None).GetQueueClient(queue);
        QueueProperties properties = await client.GetPropertiesAsync(cancellationToken);
        PeekedMessage? first = await client.PeekMessageAsync(cancellationToken);
        return (properties.ApproximateMessagesCount, first?.InsertedOn);
    }

    /// <summary>Queues that one look at them covers at most; there are about twenty.</summary>
    internal const int MaxQueues = 100;

    /// <summary>How many messages wait in each queue of the account, about, and since when the first of those that are visible does.</summary>
    public async Task<IReadOnlyList<QueueState>> StatesAsync(CancellationToken cancellationToken)
    {
        var service = Service(QueueMessageEncoding.None);
        var names = new List<string>();
        await foreach (var queue in service.GetQueuesAsync(cancellationToken: cancellationToken))
        {
            names.Add(queue.Name);
            if (names.Count == MaxQueues) break;
        }

        var states = new ConcurrentBag<QueueState>();
        await Parallel.ForEachAsync(names, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken }, async (name, token) =>
        {
            var client = service.GetQueueClient(name);
            try
            {
                var count = (await client.GetPropertiesAsync(token)).Value.ApproximateMessagesCount;
                var first = count == 0 ? null : (await client.PeekMessageAsync(token)).Value;
                states.Add(new QueueState(name, count, first?.InsertedOn));
            }
            catch (RequestFailedException gone) when (gone.Status == 404)
            {
                // Deleted since it was listed.
            }
        });
        return [.. states.OrderBy(state => state.Name, StringComparer.Ordinal)];
    }

    private async Task<QueueClient> ClientAsync(string queue, CancellationToken cancellationToken)
    {
        var entry = _clients.GetOrAdd(queue, name => new Lazy<Task<QueueClient>>(() => OpenAsync(name)));
        try
        {
            return await entry.Value.WaitAsync(cancellationToken);
        }
        catch (Exception) when (entry.Value.IsFaulted)
        {
            // The next send tries again: a storage account that was away for a moment must not stay away for this process.
            _clients.TryRemove(new KeyValuePair<string, Lazy<Task<QueueClient>>>(queue, entry));
            throw;
        }
    }

    private async Task<QueueClient> OpenAsync(string queue)
    {
        // The queue trigger decodes base64 by default; plain text would go to poison without a word.
        var client = Service(QueueMessageEncoding.Base64).GetQueueClient(queue);
        await client.CreateIfNotExistsAsync();
        return client;
    }

    /// <param name="encoding">None to look at a queue: a message that is no base64 is what one looks for then, and decoding it would throw.</param>
    private QueueServiceClient Service(QueueMessageEncoding encoding)
    {
        var options = new QueueClientOptions { MessageEncoding = encoding };
        // Somebody waits for most of these; the default is 100 s a try.
        options.Retry.NetworkTimeout = TimeSpan.FromSeconds(10);
        if (Transport is not null) options.Transport = Transport;
        return configuration[Connection] is { Length: > 0 } connection
            ? new QueueServiceClient(connection, options)
            : configuration[$"{Connection}:queueServiceUri"] is { Length: > 0 } uri
                ? new QueueServiceClient(new Uri(uri), AzureIdentity.OfConnection(configuration, Connection), options)
                : throw new InvalidOperationException("AzureWebJobsStorage is not set. Name the storage account whose queues carry the messages.");
    }
}

/// <summary>One queue.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Messages">Messages in it, about; those that are being worked on and those that wait for a later time included.</param>
/// <param name="OldestAt">When the first visible one came; null if none is visible.</param>
internal sealed record QueueState(string Name, int Messages, DateTimeOffset? OldestAt);
