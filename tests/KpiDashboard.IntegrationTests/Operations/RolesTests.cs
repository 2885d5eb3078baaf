using System.Diagnostics;
using Dapper;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.LocalHost.Embedded;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Operations;

/// <summary>
/// <c>infra/hooks/roles.cs</c> and <c>roles.sql</c>, as the hook runs them before each deployment, on a server that is like Azure's: no superuser, but
/// administrators who are members of <c>azure_pg_admin</c>, and a function that makes roles of Entra identities. A server of its own, because roles are the server's.
/// </summary>
[Trait("Clock", "none")]
public sealed class RolesTests
{
    private const string Database = "kpi", App = "0f0e0d0c-0000-4000-8000-000000000001", OnCall = "0f0e0d0c-0000-4000-8000-000000000002", Password = "stands-for-a-token";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Roles_have_what_they_need_and_no_more_whoever_deploys_and_however_often()
    {
        using var folder = new TemporaryFolder();
        await using var server = await EmbeddedPostgres.StartAsync(new EmbeddedPostgresOptions { DataDirectory = folder["postgres"], ForTests = true }, Cancelled);
        await LikeAzureAsync(server.AdminConnectionString);
        await using var super = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.AdminConnectionString) { Database = Database });

        // The first deployment is a person's, on a server that has neither role.
        Assert.Contains("Roles kpi_owner and kpi_app are there.", await RunAsync(server, "ann@example.com", onCall: null), StringComparison.Ordinal);
        await MigrateAsync(server, "ann@example.com", folder.FullPath);
        Assert.Equal([$"kpi_app {App} service f f"], await ListAsync(super, "select concat_ws(' ', name, oid, kind, is_admin, is_mfa) from made_principals order by 1", "postgres", server));
        var first = await StateAsync(super);

        // The second is a pipeline's, another administrator; it changes nothing but its own membership.
        await RunAsync(server, "github-prod", onCall: null);
        await MigrateAsync(server, "github-prod", folder.FullPath);
        string[] second = [.. first, "\"github-prod\" in kpi_owner"];
        Assert.Equal(second, await StateAsync(super));
        await RunAsync(server, "ann@example.com", onCall: null);
        Assert.Equal(second, await StateAsync(super));

        // Least privilege: the app is no administrator, no owner, and cannot become one.
        Assert.Equal(["kpi_app super f bypass f createdb f createrole f replication f", "kpi_owner super f bypass f createdb f createrole f replication f login f"], await ListAsync(super,
            """
            select concat_ws(' ', rolname, 'super', rolsuper, 'bypass', rolbypassrls, 'createdb', rolcreatedb, 'createrole', rolcreaterole, 'replication', rolreplication,
                             case when rolname = 'kpi_owner' then concat('login ', rolcanlogin) end)
            from pg_roles where rolname in ('kpi_app', 'kpi_owner') order by 1
            """));
        Assert.Equal(["false"], await ListAsync(super, "select pg_has_role('kpi_app', 'kpi_owner', 'member')::text"));
        Assert.Equal(["kpi_owner"], await ListAsync(super, "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"));
        Assert.Equal(["kpi_owner"], await ListAsync(super, "select distinct pg_get_userbyid(relowner) from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'S') and relname not like 'pg_stat%'"));
        Assert.Empty(await ListAsync(super, "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and has_table_privilege('kpi_app', oid, 'TRUNCATE, REFERENCES, TRIGGER')"));
        Assert.Equal(["true false"], await ListAsync(super, "select has_schema_privilege('kpi_app', 'public', 'usage')::text || ' ' || has_schema_privilege('kpi_app', 'public', 'create')::text"));
        await using (var app = NpgsqlDataSource.Create(As(server, "kpi_app", Database)))
        {
            // As itself: it sees no tenant without naming one, and can neither make nor change anything of the schema.
            Assert.Equal(["0"], await ListAsync(app, "select count(*)::text from tenants"));
            foreach (var sql in new[] { "create table mine (a int)", "alter table tenants disable row level security", "set role kpi_owner", "drop table tenants", "create role other" })
                Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => ListAsync(app, sql))).SqlState);
        }

        // Who is on call signs in, may do nothing at first, and becomes the owner by saying so.
        await RunAsync(server, "github-prod", OnCall);
        await RunAsync(server, "ann@example.com", OnCall);
        Assert.Equal([$"kpi_app {App} service f f", $"kpi_oncall {OnCall} group f f"], await ListAsync(super, "select concat_ws(' ', name, oid, kind, is_admin, is_mfa) from made_principals order by 1", "postgres", server));
        await using (var person = NpgsqlDataSource.Create(As(server, "kpi_oncall", Database)))
        {
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => ListAsync(person, "select count(*)::text from tenants"))).SqlState);
        }

        await using (var acting = NpgsqlDataSource.Create(As(server, "kpi_oncall", Database, "-c role=kpi_owner")))
        {
            Assert.Equal(["kpi_owner"], await ListAsync(acting, "select current_user::text"));
            Assert.Equal(["0"], await ListAsync(acting, "select count(*)::text from tenants"));
        }

        // Emptied, the group can no longer.
        await RunAsync(server, "github-prod", onCall: null);
        Assert.Equal(["false"], await ListAsync(super, "select pg_has_role('kpi_oncall', 'kpi_owner', 'member')::text"));
    }

    [Fact]
    public async Task An_app_role_that_row_security_would_not_bind_stops_the_deployment()
    {
        using var folder = new TemporaryFolder();
        await using var server = await EmbeddedPostgres.StartAsync(new EmbeddedPostgresOptions { DataDirectory = folder["postgres"], ForTests = true }, Cancelled);
        await LikeAzureAsync(server.AdminConnectionString);
        await using var super = NpgsqlDataSource.Create(server.AdminConnectionString);
        await ListAsync(super, "create role kpi_app login bypassrls");

        Assert.Contains("is not bound by row-level security", await RunAsync(server, "ann@example.com", onCall: null, expected: false), StringComparison.Ordinal);
        Assert.Contains("KPI_ONCALL_GROUP is no object id", await RunAsync(server, "ann@example.com", "everybody", expected: false), StringComparison.Ordinal);
    }

    /// <summary>
    /// What Azure makes and we do not: its group of administrators, two of them, the database of the template (an administrator's), the extension that is on its
    /// list, and <c>pgaadauth_create_principal_with_oid</c>, which notes here what it was asked for. Tokens are passwords here.
    /// </summary>
    private static async Task LikeAzureAsync(string admin)
    {
        await using var super = NpgsqlDataSource.Create(admin);
        await ListAsync(super,
            $"""
            create role azure_pg_admin nologin createrole createdb;
            create role "ann@example.com" login createrole createdb in role azure_pg_admin password '{Password}';
            create role "github-prod" login createrole createdb in role azure_pg_admin password '{Password}';
            create table made_principals (name text, oid text, kind text, is_admin boolean, is_mfa boolean);
            create function pgaadauth_create_principal_with_oid(name text, oid text, kind text, is_admin boolean, is_mfa boolean) returns text language plpgsql security definer as $f$
            begin
                execute format('create role %I login password %L', name, '{Password}');
                insert into made_principals values (name, oid, kind, is_admin, is_mfa);
                return 'Created role for ' || name;
            end $f$
            """);
        await ListAsync(super, $"create database {Database} owner \"ann@example.com\"");
        await using var inside = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(admin) { Database = Database });
        await ListAsync(inside, "create extension pg_stat_statements");
    }

    /// <summary>Who is in which role, who owns the database, and every right on the schema, in words; memberships of one role in another once, whoever granted them.</summary>
    private static Task<List<string>> StateAsync(NpgsqlDataSource super) => ListAsync(super,
        """
        select line from (
            select distinct 1 as part, m.member::regrole::text || ' in ' || m.roleid::regrole::text as line from pg_auth_members m where m.roleid::regrole::text like 'kpi%' and m.set_option
            union all select 0, 'owner ' || pg_get_userbyid(datdba) from pg_database where datname = current_database()
            union all select 0, 'schema ' || nspacl::text from pg_namespace where nspname = 'public'
            union all select 0, relname || ' ' || relacl::text from pg_class where relnamespace = 'public'::regnamespace and relacl is not null) l
        order by part, line
        """);

    private static NpgsqlConnectionStringBuilder As(EmbeddedPostgres server, string role, string database, string? options = null) =>
        new(server.AdminConnectionString) { Username = role, Password = Password, Database = database, Options = options, Pooling = false };

    private static async Task<List<string>> ListAsync(NpgsqlDataSource source, string sql, string? database = null, EmbeddedPostgres? server = null)
    {
        if (database is not null) source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server!.AdminConnectionString) { Database = database, Pooling = false });
        await using var connection = await source.OpenConnectionAsync(Cancelled);
        return (await connection.QueryAsync<string>(new CommandDefinition(sql, cancellationToken: Cancelled))).AsList();
    }

    /// <summary>As the hook: the token stands in the environment alone.</summary>
    private static async Task<string> RunAsync(EmbeddedPostgres server, string who, string? onCall, bool expected = true) => await ProcessAsync("dotnet", ["run", "infra/hooks/roles.cs"], new()
    {
        ["ADMIN_CONNECTION"] = As(server, who, "postgres").ConnectionString,
        ["KPI_POSTGRES_DATABASE"] = Database,
        ["KPI_APP_PRINCIPAL_ID"] = App,
        ["KPI_ONCALL_GROUP"] = onCall ?? "",
    }, expected);

    private static async Task MigrateAsync(EmbeddedPostgres server, string who, string folder) =>
        await CommandLine.JsonAsync(folder, new Dictionary<string, string> { ["ConnectionStrings__PostgresOwner"] = As(server, who, Database, "-c role=kpi_owner").ConnectionString }, 0, "migrate");

    private static async Task<string> ProcessAsync(string program, string[] arguments, Dictionary<string, string> environment, bool expected)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = RepositoryRoot() };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(Cancelled), process.StandardError.ReadToEndAsync(Cancelled));
        try
        {
            await process.WaitForExitAsync(Cancelled).WaitAsync(Limit, Cancelled);
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        var said = await output + await errors;
        Assert.True((process.ExitCode == 0) == expected, said);
        return said;
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KpiDashboard.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
