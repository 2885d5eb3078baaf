using System.IO.Compression;
using System.Net;
using System.Text.Json;
using KpiDashboard.LocalHost.Startup;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>The host's own settings, log and web server.</summary>
internal static class WebDefaults
{
    /// <summary>Adds what is set for this start to settings that hold the environment: a file below it, the command line above.</summary>
    public static void AddSettings(IConfigurationManager settings, LocalHostOptions options)
    {
        if (options.LocalSettings && ReadLocalSettings(options) is { } values)
            settings.Sources.Insert(0, new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource { InitialData = values });
        // Last, so that what a start-up stage sets through the indexer wins and stays.
        settings.AddInMemoryCollection(options.Settings);
    }

    public static WebApplicationBuilder CreateWebBuilder(LocalHostOptions options, IConfiguration settings, Func<IStartupConsole> console)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Host.ConfigureHostOptions(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));

        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 100 * 1024 * 1024; // The Functions host's default.
            // Both loopback addresses under one name; with a port of the system's choice only the first can be had without a race.
            if (options.Port == 0)
                kestrel.Listen(IPAddress.Loopback, 0);
            else
                kestrel.ListenLocalhost(options.Port);
        });

        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddConfiguration(settings.GetSection("Logging"));
        // Each failed run is said by the invoker, once.
        builder.Logging.AddFilter("Function", LogLevel.None).AddFilter("Host.Results", LogLevel.None).AddFilter("Host.Executor",
            LogLevel.None);
        // The SDK's clients tell of each answer that is no success, of a queue that is not there yet among others.
        builder.Logging.AddFilter("Azure", LogLevel.None);
        // Lines that hold whole addresses, with the codes and states of sign-ins.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        // And each request that cannot be passed on.
        builder.Logging.AddFilter("Yarp", LogLevel.None);
        builder.Logging.Services.AddSingleton<ILoggerProvider>(_ => new TerminalLoggerProvider(console));

        builder.Services.AddRouting();
        builder.Services.AddHttpForwarder();
        builder.Services.AddCors();
        builder.Services.AddResponseCompression(compression =>
        {
            compression.EnableForHttps = true;
            compression.MimeTypes = [.. ResponseCompressionDefaults.MimeTypes, "image/svg+xml", "application/manifest+json", "font/ttf"];
        });
        // As small as Static Web Apps sends the page, which it packs once beforehand.
        builder.Services.Configure<BrotliCompressionProviderOptions>(brotli => brotli.Level = CompressionLevel.Optimal);
        builder.Services.Configure<GzipCompressionProviderOptions>(gzip => gzip.Level = CompressionLevel.Optimal);
        return builder;
    }

    private static Dictionary<string, string?>? ReadLocalSettings(LocalHostOptions options)
    {
        string[] places = [Path.Combine(options.RepositoryRoot, "functions", "KpiDashboard.Functions"), AppContext.BaseDirectory];
        if (places.Select(folder => Path.Combine(folder, "local.settings.json")).FirstOrDefault(File.Exists) is not { } path)
            return null;

        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(File.ReadAllText(path), new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
        }
        catch (JsonException e)
        {
            throw new StartupException($"{path} is not valid JSON: {e.Message}", e);
        }

        using (document)
        {
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                throw new StartupException($"{path} must hold an object with Values.");
            if (root.TryGetProperty("IsEncrypted", out JsonElement encrypted) && encrypted.ValueKind == JsonValueKind.True)
                throw new StartupException($"{path} is encrypted; run `func settings decrypt` or delete it.");

            Dictionary<string, string?> values = new(StringComparer.OrdinalIgnoreCase);
            Read("Values", name => name.Replace("__", ":", StringComparison.Ordinal));
            Read("ConnectionStrings", name => $"ConnectionStrings:{name}");
            return values;

            void Read(string section, Func<string, string> key)
            {
                if (!root.TryGetProperty(section, out JsonElement element))
                    return;
                if (element.ValueKind != JsonValueKind.Object)
                    throw new StartupException($"{section} in {path} must be an object.");
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    values[key(property.Name)] = property.Value.ValueKind switch
                    {
                        JsonValueKind.String => property.Value.GetString(),
                        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => property.Value.GetRawText(),
                        JsonValueKind.Null => null,
                        _ => throw new StartupException($"{section}:{property.Name} in {path} must be a plain value."),
                    };
                }
            }
        }
    }
}
