using System.Diagnostics;
using System.Globalization;
using KpiDashboard.Data;
using KpiDashboard.LocalHost.Embedded;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace KpiDashboard.LocalHost.Startup;

/// <summary>
/// Makes the database ready: keys, roles, migrations, and the connection string that the app runs with. With a server of your own,
/// <c>ConnectionStrings:Postgres</c> may name an administrator, who is used for this alone, or kpi_app, and then the schema must be there.
/// </summary>
internal sealed class DatabaseStage : IStartupStage
{
    /// <summary>Configuration key of the connection string as kpi_owner, for the demo seeder; unset when this stage did not migrate.</summary>
    public const string OwnerKey = "Embedded:PostgresOwner";

    private const string DatabaseName = "kpi";

    public string Name => "Database";

    public async Task StartAsync(StartupContext context, CancellationToken cancellationToken)
    {
        var secrets = LocalSecrets.Open(context.DataDirectory);
        SetKey(context.Configuration, "Secrets:CurrentKey", "Secrets:Keys:local", secrets.Get("sealing"));
        SetKey(context.Configuration, "Auth:CurrentKey", "Auth:SigningKeys:local", secrets.Get("signing"));

        var started = Stopwatch.GetTimestamp();
        var given = context.Configuration.GetConnectionString("Postgres");
        var admin = context.Configuration[PostgresStage.AdminKey] ?? context.Configuration.GetConnectionString("PostgresAdmin") ?? given
            ?? throw new StartupException("No Postgres: neither the embedded one runs nor does ConnectionStrings:Postgres name one.");
        try
        {
            if (!await MayCreateRolesAsync(admin, cancellationToken))
            {
                context.Console.Done(Name, "used as it is; the role may not create roles, so no migration was run");
                return;
            }

            var named = new NpgsqlConnectionStringBuilder(given ?? "").Database;
            var database = named is null or "" or "postgres" ? DatabaseName : named;
            var (owner, app) = await DatabaseBootstrap.EnsureRolesAndDatabaseAsync(admin, database, secrets.Get("kpi_owner"), secrets.Get("kpi_app"), cancellationToken);
            var applied = await DatabaseBootstrap.MigrateAsync(owner, cancellationToken);
            context.Configuration["ConnectionStrings:Postgres"] = app;
            context.Configuration[OwnerKey] = owner;
            context.Console.Done(Name, string.Create(
                CultureInfo.InvariantCulture,
                $"{(applied.Count == 0 ? "up to date" : $"{applied.Count} migrations applied")} ({Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s)"));
        }
        catch (Exception error) when (error is NpgsqlException or InvalidOperationException)
        {
            throw new StartupException($"The database could not be made ready: {error.Message}", error);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<bool> MayCreateRolesAsync(string connectionString, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(connectionString);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.InvalidCatalogName)
        {
            // An administrator need not name a database, or names the one that is to be made.
            if (await AskAsync(new NpgsqlConnectionStringBuilder(connectionString) { Database = "postgres" }.ConnectionString)) return true;
            throw;
        }

        async Task<bool> AskAsync(string where)
        {
            await using var source = NpgsqlDataSource.Create(where);
            await using var command = source.CreateCommand("select rolsuper or rolcreaterole from pg_roles where rolname = current_user");
            return await command.ExecuteScalarAsync(cancellationToken) is true;
        }
    }

    private static void SetKey(IConfiguration configuration, string current, string key, string value)
    {
        if (!string.IsNullOrEmpty(configuration[current])) return;
        configuration[current] = "local";
        configuration[key] = value;
    }
}
