using System.Globalization;
using Azure.Storage.Queues;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Extensions.Configuration;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>What LocalHost honours of <c>host.json</c>, with the real host's defaults. <c>AzureFunctionsJobHost:…</c> settings override it, as there.</summary>
internal sealed record HostJson
{
    private const string OverrideSection = "AzureFunctionsJobHost";

    public string RoutePrefix { get; init; } = "api";

    /// <summary>After this long the function's token fires and its run counts as failed; null for never.</summary>
    public TimeSpan? FunctionTimeout { get; init; }

    /// <summary>Messages fetched at once, 1 to 32.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>The next batch is fetched when no more than this many messages are being worked on.</summary>
    public int NewBatchThreshold { get; init; } = 8;

    public int MaxDequeueCount { get; init; } = 5;

    public TimeSpan MaxPollingInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a message whose function failed stays invisible.</summary>
    public TimeSpan VisibilityTimeout { get; init; } = TimeSpan.Zero;

    public QueueMessageEncoding MessageEncoding { get; init; } = QueueMessageEncoding.Base64;

    /// <summary>Reads the file, if there is one, and the settings that override it.</summary>
    /// <exception cref="StartupException">A value is out of range or no value at all.</exception>
    public static HostJson Load(string path, IConfiguration settings)
    {
        ConfigurationBuilder builder = new();
        try
        {
            builder.AddJsonFile(path, optional: true, reloadOnChange: false);
            builder.AddInMemoryCollection(settings.GetSection(OverrideSection).AsEnumerable(makePathsRelative: true).Where(pair => pair.Value is not null));
            IConfigurationRoot json = builder.Build();
            HostJson defaults = new();
            string queues = "extensions:queues:";
            int batchSize = Number(json, queues + "batchSize", defaults.BatchSize, 1, 32);
            return new HostJson
            {
                // An empty prefix is a real value: functions then answer at the root.
                RoutePrefix = (json["extensions:http:routePrefix"] ?? defaults.RoutePrefix).Trim('/'),
                FunctionTimeout = json["functionTimeout"] is null or "-1" ? null : Time(json, "functionTimeout", TimeSpan.Zero, TimeSpan.FromSeconds(1)),
                BatchSize = batchSize,
                NewBatchThreshold = Number(json, queues + "newBatchThreshold", batchSize / 2, 0, 1000),
                MaxDequeueCount = Number(json, queues + "maxDequeueCount", defaults.MaxDequeueCount, 1, 1000),
                MaxPollingInterval = Time(json, queues + "maxPollingInterval", defaults.MaxPollingInterval, TimeSpan.FromMilliseconds(100)),
                VisibilityTimeout = Time(json, queues + "visibilityTimeout", defaults.VisibilityTimeout, TimeSpan.Zero),
                MessageEncoding = Encoding(json, queues + "messageEncoding"),
            };
        }
        catch (InvalidDataException e)
        {
            throw new StartupException($"{path} is not valid JSON: {(e.InnerException ?? e).Message}", e);
        }
    }

    private static int Number(IConfiguration json, string key, int fallback, int min, int max) =>
        json[key] is not { } text ? fallback
        : int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value) && value >= min && value <= max ? value
        : throw new StartupException($"{key} in host.json must be a whole number from {min} to {max}, not {text}.");

    private static TimeSpan Time(IConfiguration json, string key, TimeSpan fallback, TimeSpan min) =>
        json[key] is not { } text ? fallback
        : TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan value) && value >= min ? value
        : throw new StartupException($"{key} in host.json must be a time such as 00:00:10 of at least {min}, not {text}.");

    private static QueueMessageEncoding Encoding(IConfiguration json, string key) =>
        json[key]?.ToUpperInvariant() switch
        {
            null or "BASE64" => QueueMessageEncoding.Base64,
            "NONE" => QueueMessageEncoding.None,
            _ => throw new StartupException($"{key} in host.json must be base64 or none, not {json[key]}."),
        };
}
