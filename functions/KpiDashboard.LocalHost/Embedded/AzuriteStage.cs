using System.Globalization;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>
/// Starts the embedded storage emulator below the data directory and sets <see cref="StorageKey"/>, unless that names a storage account already.
/// </summary>
/// <remarks>
/// <c>UseDevelopmentStorage=true</c> means "an emulator on the usual ports": if one listens there it is used, otherwise ours is started instead, on ports
/// of its own. A managed-identity connection (<c>AzureWebJobsStorage:accountName</c> and its like) counts as named too.
/// </remarks>
internal sealed class AzuriteStage(ILogger<AzuriteStage> logger, TimeProvider time) : IStartupStage
{
    /// <summary>Configuration key of the storage connection string, as the Functions host calls it.</summary>
    public const string StorageKey = "AzureWebJobsStorage";

    private const int UsualQueuePort = 10001;
    private EmbeddedAzurite? _azurite;

    public string Name => "Azurite";

    public async Task StartAsync(StartupContext context, CancellationToken cancellationToken)
    {
        var storage = context.Configuration.GetSection(StorageKey);
        var development = string.Equals(
            storage.Value?.Trim().TrimEnd(';'),
            "UseDevelopmentStorage=true",
            StringComparison.OrdinalIgnoreCase
        );
        if (development && await FreePort.IsListeningAsync(UsualQueuePort, cancellationToken))
        {
            context.Console.Done(
                Name,
                string.Create(CultureInfo.InvariantCulture, $"the storage emulator that listens on port {UsualQueuePort}")
            );
            return;
        }
        if (!development && (storage.Value is { Length: > 0 } || storage.GetChildren().Any()))
        {
            context.Console.Done(Name, $"the storage account named in {StorageKey}");
            return;
        }
        var started = time.GetTimestamp();
        context.Console.Progress(Name, "starting");
        _azurite = await EmbeddedAzurite.StartAsync(
            new EmbeddedAzuriteOptions
            {
                DataDirectory = Path.Combine(context.DataDirectory, "azurite"),
                Progress = text => context.Console.Progress(Name, text),
                Time = time,
                Logger = logger,
            },
            cancellationToken
        );
        context.Configuration[StorageKey] = _azurite.ConnectionString;
        context.Console.Done(
            Name,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{EmbeddedAzurite.Version} on ports {_azurite.BlobPort} (blobs) and {_azurite.QueuePort} (queues) ({time.GetElapsedTime(started).TotalSeconds:0.0} s)"
            )
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_azurite is not null)
            await _azurite.DisposeAsync();
    }
}
