using System.Reflection;
using Dapper;
using DbUp;
using DbUp.Engine;
using DbUp.Engine.Output;
using Npgsql;

namespace KpiDashboard.Data;

/// <summary>
/// Makes a server ready: roles, database, migrations. Runs before the application takes traffic (the start command here, a deployment hook in Azure),
/// never at the start of the application itself.
/// </summary>
internal static class DatabaseBootstrap
{
    /// <summary>Oldest server that the schema works on.</summary>
    public const int MinimumServerVersion = 15;

    /// <summary>
    /// Creates <c>kpi_owner</c>, <c>kpi_app</c> and the database where missing. Needs a role that may create roles and databases.
    /// </summary>
    /// <param name="adminConnectionString">Such a role, on any database of the server.</param>
    /// <param name="database">The database to make, owned by <c>kpi_owner</c>.</param>
    /// <param name="ownerPassword">Password to set for <c>kpi_owner</c>.</param>
    /// <param name="appPassword">Password to set for <c>kpi_app</c>.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Connection strings for both roles on that database.</returns>
    public static async Task<(string Owner, string App)> EnsureRolesAndDatabaseAsync(
        string adminConnectionString, string database, string ownerPassword, string appPassword, CancellationToken cancellationToken)
    {
        // Roles belong to the server, and an advisory lock to a database: all who set this server up meet in the one that is always there.
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(adminConnectionString) { Database = "postgres" }.ConnectionString);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        if (connection.PostgreSqlVersion.Major < MinimumServerVersion)
            throw new InvalidOperationException($"PostgreSQL {connection.PostgreSqlVersion} is too old; version {MinimumServerVersion} or later is needed.");

        // Two copies may start at once on one server: the lock makes "create if missing" safe. Role DDL takes no parameters, hence format().
        await connection.ExecuteAsync(new CommandDefinition("select pg_advisory_lock(718293645)", cancellationToken: cancellationToken));
        foreach (var (role, password) in new[] { ("kpi_owner", ownerPassword), ("kpi_app", appPassword) })
        {
            var statement = await connection.QuerySingleAsync<string>(new CommandDefinition(
                """
                select format(
                    case when exists (select 1 from pg_roles where rolname = @role) then 'alter' else 'create' end
                    || ' role %I with login nosuperuser nobypassrls nocreatedb nocreaterole noreplication password %L', @role, @password)
                """,
                new { role, password }, cancellationToken: cancellationToken));
            await connection.ExecuteAsync(new CommandDefinition(statement, cancellationToken: cancellationToken));
        }

        var exists = await connection.QuerySingleAsync<bool>(new CommandDefinition(
            "select exists (select 1 from pg_database where datname = @database)", new { database }, cancellationToken: cancellationToken));
        if (!exists)
        {
            // An administrator who is no superuser (Azure) may give a database only to a role that he is a member of.
            await connection.ExecuteAsync(new CommandDefinition("grant kpi_owner to current_user", cancellationToken: cancellationToken));
            var create = await connection.QuerySingleAsync<string>(new CommandDefinition(
                "select format('create database %I owner kpi_owner', @database)", new { database }, cancellationToken: cancellationToken));
            await connection.ExecuteAsync(new CommandDefinition(create, cancellationToken: cancellationToken));
        }

        // A database that was there before (a template in Azure made it, say) may belong to the administrator.
        await using (var inside = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(adminConnectionString) { Database = database }.ConnectionString))
        await using (var grant = inside.CreateCommand("grant usage, create on schema public to kpi_owner; grant usage on schema public to kpi_app"))
            await grant.ExecuteNonQueryAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition("select pg_advisory_unlock(718293645)", cancellationToken: cancellationToken));
        return (For("kpi_owner", ownerPassword), For("kpi_app", appPassword));

        string For(string user, string password) =>
            new NpgsqlConnectionStringBuilder(adminConnectionString) { Database = database, Username = user, Password = password }.ConnectionString;
    }

    /// <summary>
    /// Applies the migrations that the database lacks, each in a transaction, in order of number. Two at once wait for each other.
    /// </summary>
    /// <param name="ownerConnectionString">The database as <c>kpi_owner</c>.</param>
    /// <param name="cancellationToken">Stops waiting for another migration to end.</param>
    /// <param name="only">Names of the scripts to apply, for a restore to an earlier version; null for all.</param>
    /// <returns>Names of the scripts that were applied now.</returns>
    /// <exception cref="InvalidOperationException">A script failed; its transaction was rolled back.</exception>
    public static async Task<IReadOnlyList<string>> MigrateAsync(string ownerConnectionString, CancellationToken cancellationToken, IReadOnlySet<string>? only = null)
    {
        // Who waits for another migration to end waits as long, too.
        await using var source = NpgsqlDataSource.Create(Unhurried(ownerConnectionString));
        await using var guard = await source.OpenConnectionAsync(cancellationToken);
        await guard.ExecuteAsync(new CommandDefinition("select pg_advisory_lock(718293646)", cancellationToken: cancellationToken));
        var result = Upgrader(ownerConnectionString, only).PerformUpgrade();
        if (!result.Successful)
            throw new InvalidOperationException($"Migration {result.ErrorScript?.Name ?? "(none)"} failed: {result.Error.Message}", result.Error);
        await guard.ExecuteAsync(new CommandDefinition("grant select on schema_versions to kpi_app", cancellationToken: cancellationToken));
        return [.. result.Scripts.Select(script => script.Name)];
    }

    /// <summary>
    /// Says why the application must not run as the role of this connection, or null when it may: a superuser, an owner of the tables or a role with
    /// BYPASSRLS would read every tenant's rows; and a database behind this version would fail in the middle of a request.
    /// </summary>
    public static async Task<string?> FindObstacleAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        var role = await connection.QuerySingleAsync<(string Name, bool Super, bool Bypass, bool Journal)>(new CommandDefinition(
            """
            select rolname, rolsuper, rolbypassrls, to_regclass('public.schema_versions') is not null
            from pg_roles where rolname = current_user
            """,
            cancellationToken: cancellationToken));
        if (role.Super || role.Bypass)
            return $"The database role {role.Name} bypasses row-level security; connect as kpi_app.";
        if (!role.Journal) return "The database has no schema yet; run the migrations.";
        var applied = await connection.QueryAsync<string>(new CommandDefinition(
            "select scriptname from schema_versions", cancellationToken: cancellationToken));
        var missing = ScriptNames().Except(applied, StringComparer.Ordinal).ToList();
        return missing.Count == 0 ? null : $"The database lacks {missing.Count} migrations, the first is {missing[0]}; run the migrations.";
    }

    /// <summary>Names of the migrations of this version, in order.</summary>
    internal static IEnumerable<string> ScriptNames() =>
        Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    /// <summary>Without a limit of time, and without a pool, which nobody would come back to.</summary>
    private static string Unhurried(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { CommandTimeout = 0, Pooling = false }.ConnectionString;

    private static UpgradeEngine Upgrader(string connectionString, IReadOnlySet<string>? only) =>
        DeployChanges.To
            // A migration that moves every value of a large installation takes as long as it takes; stopped half-way it would begin anew each time.
            .PostgresqlDatabase(Unhurried(connectionString))
            .WithScriptsEmbeddedInAssembly(Assembly.GetExecutingAssembly(), name => name.EndsWith(".sql", StringComparison.Ordinal) && only?.Contains(name) != false)
            .JournalToPostgresqlTable("public", "schema_versions")
            .WithTransactionPerScript()
            // A procedure body holds $…$ and a comment may hold a name between two dollar signs: scripts are plain SQL.
            .WithVariablesDisabled()
            .LogTo(new NoUpgradeLog())
            .Build();

    /// <summary>The caller says what was applied; DbUp's own narration goes nowhere.</summary>
    private sealed class NoUpgradeLog : IUpgradeLog
    {
        public void LogTrace(string format, params object[] args) { }
        public void LogDebug(string format, params object[] args) { }
        public void LogInformation(string format, params object[] args) { }
        public void LogWarning(string format, params object[] args) { }
        public void LogError(string format, params object[] args) { }
        public void LogError(Exception ex, string format, params object[] args) { }
    }
}
