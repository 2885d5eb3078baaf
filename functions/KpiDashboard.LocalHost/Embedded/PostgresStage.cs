using System.Globalization;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>
/// Starts the embedded Postgres below the data directory and sets <see cref="AdminKey"/>, unless <c>ConnectionStrings:Postgres</c> names a server.
/// Roles, database and migrations are the business of the stage that follows.
/// </summary>
internal sealed class PostgresStage(ILogger<PostgresStage> logger, TimeProvider time) : IStartupStage
{
    /// <summary>Configuration key of the superuser's connection string of the embedded server.</summary>
    public const string AdminKey = "Embedded:PostgresAdmin";

    private EmbeddedPostgres? _postgres;

    public string Name => "Postgres";

    public async Task StartAsync(StartupContext context, CancellationToken cancellationToken)
    {
        if (context.Configuration.GetConnectionString("Postgres") is { Length: > 0 })
        {
            context.Console.Done(Name, "the server named in ConnectionStrings:Postgres");
            return;
        }
        var started = time.GetTimestamp();
        context.Console.Progress(Name, "starting");
        _postgres = await EmbeddedPostgres.StartAsync(
            new EmbeddedPostgresOptions
            {
                DataDirectory = Path.Combine(context.DataDirectory, "postgres"),
                Progress = text => context.Console.Progress(Name, text),
                Time = time,
                Logger = logger,
            },
            cancellationToken
        );
        context.Configuration[AdminKey] = _postgres.AdminConnectionString;
        context.Console.Done(
            Name,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{_postgres.Version} on port {_postgres.Port} ({time.GetElapsedTime(started).TotalSeconds:0.0} s)"
            )
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_postgres is not null)
            await _postgres.DisposeAsync();
    }
}
