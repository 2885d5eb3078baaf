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

    private readonly Lock _gate = new();
    private EmbeddedAzurite? _azurite;
    private Task<string?>? _beginning;
    private long _begun;
    private bool _named;
    private TimeSpan _took;

    // The terminal, once it is this stage's turn, and the last of what it was not told before.
    private IStartupConsole? _told;
    private string? _progress;

    public string Name => "Azurite";

    /// <summary>It needs a second and nothing of Postgres.</summary>
    public bool Begin(StartupContext context, CancellationToken cancellationToken)
    {
        _begun = time.GetTimestamp();
        // Read here: other stages set settings while this goes on.
        var storage = context.Configuration.GetSection(StorageKey);
        var development = string.Equals(
            storage.Value?.Trim().TrimEnd(';'),
            "UseDevelopmentStorage=true",
            StringComparison.OrdinalIgnoreCase
        );
        _named = !development && (storage.Value is { Length: > 0 } || storage.GetChildren().Any());
        _beginning = _named
            ? Task.FromResult<string?>($"the storage account named in {StorageKey}")
            : Task.Run(() => BeginAsync(development, Path.Combine(context.DataDirectory, "azurite"), cancellationToken), CancellationToken.None);
        return !_named;
    }

    public async Task StartAsync(StartupContext context, CancellationToken cancellationToken)
    {
        if (_beginning is null) Begin(context, cancellationToken);
        lock (_gate)
        {
            _told = context.Console;
            // What is used instead of it does not start.
            if (!_named) context.Console.Progress(Name, _progress ?? "starting");
        }

        if (await _beginning! is { } instead)
        {
            context.Console.Done(Name, instead);
            return;
        }

        context.Configuration[StorageKey] = _azurite!.ConnectionString;
        context.Console.Done(
            Name,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{EmbeddedAzurite.Version} on ports {_azurite.BlobPort} (blobs) and {_azurite.QueuePort} (queues) ({_took.TotalSeconds:0.0} s)"
            )
        );
    }

    public async ValueTask DisposeAsync()
    {
        // What was begun ends before it can be stopped; its token is cancelled by then.
        if (_beginning is not null) await ((Task)_beginning).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_azurite is not null)
            await _azurite.DisposeAsync();
    }

    /// <summary>Starts the emulator; what is used instead of it, if that is so.</summary>
    private async Task<string?> BeginAsync(bool development, string dataDirectory, CancellationToken cancellationToken)
    {
        if (development && await FreePort.IsListeningAsync(UsualQueuePort, cancellationToken))
            return string.Create(CultureInfo.InvariantCulture, $"the storage emulator that listens on port {UsualQueuePort}");
        _azurite = await EmbeddedAzurite.StartAsync(
            new EmbeddedAzuriteOptions
            {
                DataDirectory = dataDirectory,
                Progress = Tell,
                Time = time,
                Logger = logger,
            },
            cancellationToken
        );
        _took = time.GetElapsedTime(_begun);
        return null;
    }

    private void Tell(string progress)
    {
        lock (_gate)
        {
            _progress = progress;
            _told?.Progress(Name, progress);
        }
    }
}
