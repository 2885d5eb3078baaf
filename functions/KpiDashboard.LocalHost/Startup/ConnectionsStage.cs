using System.Text.Json;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Runtime;
using Microsoft.Extensions.Configuration;

namespace KpiDashboard.LocalHost.Startup;

/// <summary>
/// While the app runs, says in <c>connections.json</c> of the data folder how to reach what it uses, so that the operator's command line finds it: ports are
/// chosen at each start. For the owner of the folder alone, like <c>secrets.json</c>, and gone when the app has stopped.
/// </summary>
internal sealed class ConnectionsStage : IStartupStage
{
    /// <summary>Name of the file; the command line knows it, too.</summary>
    public const string FileName = "connections.json";

    private string? _file;

    public string Name => "Connections";

    public Task StartAsync(StartupContext context, CancellationToken cancellationToken)
    {
        // One that a killed copy left behind leads nowhere.
        File.Delete(Path.Combine(context.DataDirectory, FileName));
        return Task.CompletedTask;
    }

    public Task AfterAppStartedAsync(StartupContext context, CancellationToken cancellationToken)
    {
        var settings = context.Configuration;
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Put("ConnectionStrings:Postgres", settings.GetConnectionString("Postgres"));
        Put("ConnectionStrings:PostgresOwner", settings[DatabaseStage.OwnerKey] ?? settings.GetConnectionString("PostgresOwner"));
        Put("ConnectionStrings:PostgresAdmin", settings[PostgresStage.AdminKey] ?? settings.GetConnectionString("PostgresAdmin"));
        Put("Web:BaseUrl", context.Address?.GetLeftPart(UriPartial.Authority));
        foreach (var section in new[] { "AzureWebJobsStorage", "Secrets", "Auth" })
        {
            foreach (var (key, value) in settings.GetSection(section).AsEnumerable()) Put(key, value);
        }

        _file = Path.Combine(context.DataDirectory, FileName);
        AtomicFile.Write(_file, JsonSerializer.SerializeToUtf8Bytes(values));
        return Task.CompletedTask;

        void Put(string key, string? value)
        {
            if (!string.IsNullOrEmpty(value)) values[key] = value;
        }
    }

    public ValueTask DisposeAsync()
    {
        if (_file is not null) File.Delete(_file);
        return ValueTask.CompletedTask;
    }
}
