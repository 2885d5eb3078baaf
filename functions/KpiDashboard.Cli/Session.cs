using System.CommandLine;
using System.Text.Json;
using Azure.Core;
using KpiDashboard.Data;
using KpiDashboard.Security;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace KpiDashboard.Cli;

/// <summary>Settings and services of one command: the product's own, with the product's own settings.</summary>
internal sealed class Session : IAsyncDisposable
{
    private static readonly string[] s_connections = ["Postgres", "PostgresOwner", "PostgresAdmin"];

    private readonly ServiceProvider _services;

    private Session(ParseResult parsed, Output output, IConfiguration configuration, string source)
    {
        (Parsed, Output, Configuration, Source) = (parsed, output, configuration, source);
        var services = new ServiceCollection();
        services.AddSingleton(configuration);
        // What the product logs is for its operators' log; the command says itself what it did.
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        services.AddHttpClient();
        services.AddKpiDashboard(configuration, typeof(Session).Assembly);
        _services = services.BuildServiceProvider();
    }

    public ParseResult Parsed { get; }

    public Output Output { get; }

    public IConfiguration Configuration { get; }

    /// <summary>Where the settings come from, in words.</summary>
    public string Source { get; }

    public IServiceProvider Services => _services;

    public TimeProvider Time => _services.GetRequiredService<TimeProvider>();

    /// <summary>The key ring.</summary>
    public SecretOptions Keys => _services.GetRequiredService<IOptions<SecretOptions>>().Value;

    /// <summary>The connection string as kpi_owner, who sees every tenant's rows and may change the schema.</summary>
    public string Owner => Configuration.GetConnectionString("PostgresOwner") is { Length: > 0 } owner
        ? owner
        : throw new CliException("This needs the database as kpi_owner.", "Set ConnectionStrings__PostgresOwner, or start the app on this machine and use --local.");

    public static async Task<Session> OpenAsync(ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var (configuration, source) = Read(parsed);
        return new Session(parsed, output, await WithTokensAsync(configuration, cancellationToken), source);
    }

    private static (IConfiguration Configuration, string Source) Read(ParseResult parsed)
    {
        var root = FindRoot(Directory.GetCurrentDirectory()) ?? FindRoot(AppContext.BaseDirectory);
        var file = parsed.GetValue(Shared.SettingsFile);
        if (file is not null && !File.Exists(file)) throw new CliException($"The settings file {file} does not exist.");
        file ??= root is null ? null : Path.Combine(root, "functions", "KpiDashboard.Functions", "local.settings.json");
        var builder = new ConfigurationBuilder();
        var fromFile = file is not null && File.Exists(file);
        if (fromFile) builder.AddInMemoryCollection(ReadSettings(file!));
        builder.AddEnvironmentVariables();
        builder.AddInMemoryCollection((parsed.GetValue(Shared.Set) ?? []).Select(ReadPair));

        var named = builder.Build();
        if (!parsed.GetValue(Shared.Local) && s_connections.Any(name => named.GetConnectionString(name) is { Length: > 0 }))
            return (named, fromFile ? $"{file} and the environment" : "the environment");

        var data = Path.GetFullPath(parsed.GetValue(Shared.Data) ?? Environment.GetEnvironmentVariable("KPI_DATA") ?? Path.Combine(root ?? ".", ".local"));
        // As the running app writes it; see ConnectionsStage.
        var running = Path.Combine(data, "connections.json");
        if (!File.Exists(running))
        {
            throw new CliException(
                $"No database is named in the settings, and no copy of the app runs on {data}.",
                "Set ConnectionStrings__Postgres and ConnectionStrings__PostgresOwner, or start the app (dotnet run --project functions/KpiDashboard.Functions).");
        }

        var values = JsonSerializer.Deserialize<Dictionary<string, string?>>(File.ReadAllText(running)) ?? [];
        var configuration = new ConfigurationBuilder().AddConfiguration(named).AddInMemoryCollection(values)
            .AddInMemoryCollection((parsed.GetValue(Shared.Set) ?? []).Select(ReadPair)).Build();
        return (configuration, $"the copy that runs on {data}");
    }

    /// <summary>
    /// With <c>Postgres:Authentication=Entra</c>, a token in place of the passwords that owner and administrator have none of; the app's own connections take
    /// theirs by themselves. It lives an hour at least, and a connection that is open stays open.
    /// </summary>
    private static async Task<IConfiguration> WithTokensAsync(IConfiguration configuration, CancellationToken cancellationToken)
    {
        var options = configuration.GetSection(PostgresOptions.Section).Get<PostgresOptions>() ?? new PostgresOptions();
        var open = options.UsesTokens
            ? s_connections.Where(name => name != "Postgres" && configuration.GetConnectionString(name) is { Length: > 0 } text && string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(text).Password)).ToList()
            : [];
        if (open.Count == 0) return configuration;
        var token = await AzureIdentity.Of(configuration).GetTokenAsync(new TokenRequestContext([PostgresOptions.Scope]), cancellationToken);
        return new ConfigurationBuilder().AddConfiguration(configuration).AddInMemoryCollection(open.ToDictionary(name => $"ConnectionStrings:{name}", name =>
        {
            var connection = new NpgsqlConnectionStringBuilder(configuration.GetConnectionString(name)) { Password = token.Token };
            PostgresOptions.RequireTls(connection);
            return (string?)connection.ConnectionString;
        })).Build();
    }

    /// <summary>Whether everything that this session talks to is this machine.</summary>
    public bool IsThisMachine => s_connections.Select(name => Configuration.GetConnectionString(name)).OfType<string>()
        .All(text => new NpgsqlConnectionStringBuilder(text).Host is "localhost" or "127.0.0.1" or "::1");

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private static string? FindRoot(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KpiDashboard.sln"))) return folder.FullName;
        }

        return null;
    }

    private static KeyValuePair<string, string?> ReadPair(string pair) => pair.Split('=', 2) is [{ Length: > 0 } name, var value]
        ? new KeyValuePair<string, string?>(name.Replace("__", ":", StringComparison.Ordinal), value)
        : throw new CliException("--set takes NAME=VALUE.");

    private static Dictionary<string, string?> ReadSettings(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path), new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
            foreach (var (section, prefix) in new[] { ("Values", ""), ("ConnectionStrings", "ConnectionStrings:") })
            {
                if (!document.RootElement.TryGetProperty(section, out var element)) continue;
                foreach (var property in element.EnumerateObject())
                    values[prefix + property.Name.Replace("__", ":", StringComparison.Ordinal)] = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : property.Value.GetRawText();
            }

            return values;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new CliException($"{path} is not a settings file: {error.Message}");
        }
    }
}
