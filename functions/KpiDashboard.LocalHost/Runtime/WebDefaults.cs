using System.Reflection;
using System.Text.Json;
using KpiDashboard.LocalHost.Startup;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>What a builder has before <c>Program.cs</c> adds to it: settings, logging, JSON, an unconfigured Kestrel.</summary>
internal static class WebDefaults
{
    public static WebApplicationBuilder CreateWebBuilder(LocalHostOptions options, Func<IStartupConsole> console)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            // func start says Development too; the real worker takes it from the same variable.
            EnvironmentName = Environment.GetEnvironmentVariable("AZURE_FUNCTIONS_ENVIRONMENT")
                ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT")
                ?? Environments.Development,
            ApplicationName = Assembly.GetEntryAssembly()?.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });

        builder.Configuration.AddJsonFile("appsettings.json", optional: true, reloadOnChange: false);
        builder.Configuration.AddJsonFile($"appsettings.{builder.Environment.EnvironmentName}.json", optional: true, reloadOnChange: false);
        if (options.LocalSettings)
            AddLocalSettings(builder.Configuration, options);
        builder.Configuration.AddEnvironmentVariables("AZURE_FUNCTIONS_");
        builder.Configuration.AddEnvironmentVariables();

        // Last, so that what a start-up stage sets through the indexer wins and stays.
        builder.Configuration.AddInMemoryCollection(options.Settings);

        // Scope mistakes fail here and not first in production.
        builder.Host.UseDefaultServiceProvider(provider =>
        {
            provider.ValidateScopes = true;
            provider.ValidateOnBuild = true;
        });
        builder.Host.ConfigureHostOptions(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));

        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 100 * 1024 * 1024; // The Functions host's default.
        });

        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        builder.Logging.Services.AddSingleton<ILoggerProvider>(_ => new TerminalLoggerProvider(console));

        builder.Services.AddSingleton(options);
        builder.Services.AddRouting();
        // The worker reads JSON parameters without regard to case.
        builder.Services.Configure<JsonSerializerOptions>(json => json.PropertyNameCaseInsensitive = true);
        return builder;
    }

    private static void AddLocalSettings(ConfigurationManager configuration, LocalHostOptions options)
    {
        string[] places = [Path.Combine(options.RepositoryRoot, "functions", "KpiDashboard.Functions"), AppContext.BaseDirectory];
        if (places.Select(folder => Path.Combine(folder, "local.settings.json")).FirstOrDefault(File.Exists) is not { } path)
            return;

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
            configuration.AddInMemoryCollection(values);

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
