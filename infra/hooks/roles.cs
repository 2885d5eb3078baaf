#:package Npgsql
#:property PublishAot=false
#:property EnforceCodeStyleInBuild=false
// Makes the database roles in Azure: dotnet run infra/hooks/roles.cs, with ADMIN_CONNECTION (an Entra administrator, its token as the password),
// KPI_POSTGRES_DATABASE, KPI_APP_PRINCIPAL_ID and, if a group is on call, KPI_ONCALL_GROUP in the environment.
using Npgsql;

var admin = new NpgsqlConnectionStringBuilder(Setting("ADMIN_CONNECTION")) { Pooling = false };
var database = Setting("KPI_POSTGRES_DATABASE");
var principal = Setting("KPI_APP_PRINCIPAL_ID");
var onCall = Environment.GetEnvironmentVariable("KPI_ONCALL_GROUP") ?? "";
if (!Guid.TryParse(principal, out _)) throw new InvalidOperationException("KPI_APP_PRINCIPAL_ID is no object id.");
if (onCall.Length > 0 && !Guid.TryParse(onCall, out _)) throw new InvalidOperationException("KPI_ONCALL_GROUP is no object id of an Entra group.");
var sql = await File.ReadAllTextAsync(Path.Combine(Path.GetDirectoryName((string)AppContext.GetData("EntryPointFilePath")!)!, "roles.sql"));

await using (var connection = await OpenAsync("postgres"))
{
    // Statements one by one: only the first takes parameters, and a batch would prepare the others before the roles are there.
    foreach (var statement in sql.Split(";\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
    {
        await using var command = new NpgsqlCommand(statement, connection);
        if (statement.Contains("$1", StringComparison.Ordinal)) foreach (var value in new[] { principal, onCall }) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync();
    }

    // Bicep made the database, so it belongs to the administrator.
    await using var owner = new NpgsqlCommand($"alter database \"{database.Replace("\"", "\"\"")}\" owner to kpi_owner", connection);
    await owner.ExecuteNonQueryAsync();
}

await using (var connection = await OpenAsync(database))
await using (var grants = new NpgsqlCommand(
    "grant usage, create on schema public to kpi_owner; grant usage on schema public to kpi_app; create extension if not exists pg_stat_statements", connection))
    await grants.ExecuteNonQueryAsync();

// The reason for all of this: a role that row-level security does not bind must never be the app's.
await using (var connection = await OpenAsync(database))
await using (var check = new NpgsqlCommand("select rolsuper or rolbypassrls or pg_has_role('kpi_app', 'kpi_owner', 'member') from pg_roles where rolname = 'kpi_app'", connection))
{
    if (await check.ExecuteScalarAsync() is not false) throw new InvalidOperationException("kpi_app is missing, or is not bound by row-level security.");
}

Console.WriteLine("Roles kpi_owner and kpi_app are there.");

async Task<NpgsqlConnection> OpenAsync(string name)
{
    var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(admin.ConnectionString) { Database = name }.ConnectionString);
    await connection.OpenAsync();
    return connection;
}

static string Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : throw new InvalidOperationException($"{name} is not set.");
