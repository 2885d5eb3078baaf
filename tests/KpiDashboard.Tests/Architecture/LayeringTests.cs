using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using KpiDashboard.Kpis;
using NetArchTest.Rules;
using Xunit;

namespace KpiDashboard.Tests.Architecture;

/// <summary>Which way dependencies go, and what sources may not hold.</summary>
[Trait("Clock", "none")]
public sealed partial class LayeringTests
{
    private static readonly Assembly Product = typeof(KpiCatalogue).Assembly;

    [Theory]
    [InlineData("KpiDashboard", "KpiDashboard.Cli KpiDashboard.LocalHost KpiDashboard.Demo KpiDashboard.Functions Microsoft.Azure.Functions.Worker")]
    [InlineData("KpiDashboard.Demo", "KpiDashboard.LocalHost KpiDashboard.Functions Microsoft.Azure.Functions.Worker")]
    [InlineData("KpiDashboard.LocalHost", "KpiDashboard.Functions Microsoft.Azure.Functions.Worker")]
    [InlineData("KpiDashboard.Functions", "KpiDashboard.Cli KpiDashboard.Demo Npgsql Dapper Azure.Storage.Queues")]
    public void A_project_knows_none_of_those_that_build_on_it(string project, string forbidden)
    {
        var references = Assembly.Load(project).GetReferencedAssemblies().Select(name => name.Name!).ToList();
        Assert.Contains("System.Runtime", references);
        Assert.DoesNotContain(references, name => forbidden.Split(' ').Any(prefix => name == prefix || name.StartsWith(prefix + ".", StringComparison.Ordinal)));
    }

    [Fact]
    public void Connectors_know_nothing_of_Azure_of_SQL_or_of_the_engine()
    {
        string[] forbidden = ["Azure", "Npgsql", "Dapper", "KpiDashboard.Data", "KpiDashboard.Sync"];
        // The check itself must be able to see such a dependency.
        Assert.False(Types.InAssembly(Product).That().ResideInNamespace("KpiDashboard.Sync").ShouldNot().HaveDependencyOnAny(forbidden).GetResult().IsSuccessful);

        var connectors = Types.InAssembly(Product).That().ResideInNamespaceStartingWith("KpiDashboard.Connectors");
        Assert.True(connectors.GetTypes().Count() > 20);
        Assert.Empty(connectors.ShouldNot().HaveDependencyOnAny(forbidden).GetResult().FailingTypeNames ?? []);
    }

    [Theory]
    [InlineData("GoogleAnalytics", "N8n")]
    [InlineData("N8n", "GoogleAnalytics")]
    public void A_connector_knows_no_other(string one, string other) =>
        Assert.Empty(Types.InAssembly(Product).That().ResideInNamespaceStartingWith($"KpiDashboard.Connectors.{one}")
            .ShouldNot().HaveDependencyOn($"KpiDashboard.Connectors.{other}").GetResult().FailingTypeNames ?? []);

    [Fact]
    public void The_KPI_catalogue_is_arithmetic_only() =>
        Assert.Empty(Types.InAssembly(Product).That().ResideInNamespaceStartingWith("KpiDashboard.Kpis.Catalogue")
            .ShouldNot().HaveDependencyOnAny("Npgsql", "Dapper", "Azure", "Microsoft.AspNetCore", "KpiDashboard.Data", "KpiDashboard.Access", "KpiDashboard.Tenancy.TenantProfile")
            .GetResult().FailingTypeNames ?? []);

    [Fact]
    public void Only_what_triggers_use_is_public() =>
        Assert.Equal(
            [
                "KpiDashboard.Access.Cost",
                "KpiDashboard.Access.Permission",
                "KpiDashboard.Access.Power",
                "KpiDashboard.Access.RequiresAttribute",
                "KpiDashboard.Annotations.AnnotationEndpoints",
                "KpiDashboard.Api.OpenApiEndpoint",
                "KpiDashboard.Api.OperationAttribute",
                "KpiDashboard.Auditing.AuditEndpoints",
                "KpiDashboard.Automation.AutomationEndpoints",
                "KpiDashboard.Automation.ExecutionEndpoints",
                "KpiDashboard.Businesses.TenantEndpoints",
                "KpiDashboard.Dashboards.DashboardEndpoints",
                "KpiDashboard.Dashboards.ShareEndpoints",
                "KpiDashboard.Formulas.CalculatedKpiEndpoints",
                "KpiDashboard.Goals.GoalEndpoints",
                "KpiDashboard.Identity.AccountEndpoints",
                "KpiDashboard.Identity.Authenticator",
                "KpiDashboard.Identity.OidcEndpoints",
                "KpiDashboard.Identity.SecondFactorEndpoints",
                "KpiDashboard.Identity.SessionEndpoints",
                "KpiDashboard.Identity.TokenEndpoints",
                "KpiDashboard.Insights.InsightEndpoints",
                "KpiDashboard.KpiDashboardServices",
                "KpiDashboard.Mail.MailMessageRef",
                "KpiDashboard.Mail.MailSender",
                "KpiDashboard.Members.DemoEndpoints",
                "KpiDashboard.Members.MemberEndpoints",
                "KpiDashboard.Metrics.BreakdownEndpoints",
                "KpiDashboard.Metrics.MetricsEndpoints",
                "KpiDashboard.Metrics.ProvenanceEndpoints",
                "KpiDashboard.Metrics.ValueExportEndpoints",
                "KpiDashboard.Operations.HealthEndpoints",
                "KpiDashboard.Operations.OpsEndpoints",
                "KpiDashboard.Operations.TimerWatch",
                "KpiDashboard.Privacy.Housekeeping",
                "KpiDashboard.Privacy.PrivacyEndpoints",
                "KpiDashboard.Privacy.TenantExportMessage",
                "KpiDashboard.Privacy.TenantExporter",
                "KpiDashboard.Push.CustomKpiEndpoints",
                "KpiDashboard.Push.ImportEndpoints",
                "KpiDashboard.Push.ImportMessage",
                "KpiDashboard.Push.Importer",
                "KpiDashboard.Push.PushEndpoints",
                "KpiDashboard.Sync.ClaimMessage",
                "KpiDashboard.Sync.DeadLetterEndpoints",
                "KpiDashboard.Sync.DeadLetters",
                "KpiDashboard.Sync.GoogleConnectEndpoints",
                "KpiDashboard.Sync.IntegrationEndpoints",
                "KpiDashboard.Sync.LookEndpoints",
                "KpiDashboard.Sync.SyncEndpoints",
                "KpiDashboard.Sync.SyncMessage",
                "KpiDashboard.Sync.SyncRunner",
                "KpiDashboard.Sync.SyncScheduler",
                "KpiDashboard.Webhooks.N8nWebhookEndpoints",
                "KpiDashboard.Webhooks.PushLogEndpoints",
            ],
            Product.GetExportedTypes().Select(type => type.FullName).Order(StringComparer.Ordinal));

    [Fact]
    public void Classes_are_sealed_unless_they_are_made_to_be_derived_from() =>
        Assert.Equal(
            ["KpiDashboard.Connectors.FetchOutcome"],
            Product.GetTypes()
                .Where(type => type.IsClass && !type.IsSealed && !IsGenerated(type))
                .Select(type => type.FullName).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("KpiDashboard")]
    [InlineData("KpiDashboard.Functions")]
    public void No_static_field_is_mutable(string project) =>
        Assert.Empty(
            from type in Assembly.Load(project).GetTypes()
            where !IsGenerated(type)
            from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            where field is { IsInitOnly: false, IsLiteral: false }
            select $"{type.FullName}.{field.Name}");

    [Theory]
    [InlineData("KpiDashboard")]
    [InlineData("KpiDashboard.Functions")]
    public void Sources_take_the_time_from_TimeProvider_and_neither_guess_nor_block(string project)
    {
        var sources = Repository.Sources(project).ToList();
        Assert.True(sources.Count >= 5, $"Only {sources.Count} sources were found.");
        Assert.Empty(
            from path in sources
            from line in File.ReadLines(path).Select((text, index) => (Text: WithoutComment(text), Number: index + 1))
            let found = Forbidden().Match(line.Text)
            where found.Success
            select $"{Path.GetRelativePath(Repository.Root, path)}:{line.Number}: '{found.Value}'. Inject TimeProvider; await instead of blocking; RandomNumberGenerator for secrets, RetryPolicy.Jitter for spread.");
    }

    [Theory]
    [InlineData("var now = DateTime.UtcNow;", true)]
    [InlineData("DateTimeOffset.Now", true)]
    [InlineData("DateTime.Today", true)]
    [InlineData("Random.Shared.Next()", true)]
    [InlineData("new Random(1)", true)]
    [InlineData("Thread.Sleep(5)", true)]
    [InlineData("task.Result;", true)]
    [InlineData("task.Wait();", true)]
    [InlineData("task.Wait(TimeSpan.Zero)", true)]
    [InlineData("task.GetAwaiter().GetResult()", true)]
    [InlineData("time.GetUtcNow()", false)]
    [InlineData("RandomNumberGenerator.GetBytes(5)", false)]
    [InlineData("/// <summary>Random secrets.</summary>", false)]
    [InlineData("await x.WaitAsync(token)", false)]
    [InlineData("TypedResults.NoContent()", false)]
    public void The_scan_sees_what_it_must_and_nothing_else(string line, bool seen) => Assert.Equal(seen, Forbidden().IsMatch(WithoutComment(line)));

    [Fact]
    public void Every_table_with_a_tenant_is_protected_in_the_migration_that_creates_it()
    {
        var migrations = Directory.GetFiles(Path.Combine(Repository.Root, "functions", "KpiDashboard", "Data", "Migrations"), "*.sql");
        var tables = migrations.SelectMany(path => TenantTables(File.ReadAllText(path)).Select(table => (Path: Path.GetFileName(path), table.Name, table.Protected))).ToList();
        // These at least: a scan that finds nothing would pass, too.
        Assert.Superset(
            new HashSet<string> { "memberships", "integrations", "sync_runs", "sync_requests", "kpi_months", "kpi_restatements", "workflows", "executions", "automation_daily", "api_tokens", "idempotency_keys" },
            tables.Select(table => table.Name).ToHashSet());
        Assert.Empty(tables.Where(table => !table.Protected).Select(table => $"{table.Path}: table {table.Name} has tenant_id, but the file does not call protect_tenant_table('{table.Name}')."));
    }

    [Fact]
    public void A_migration_that_forgot_to_protect_its_table_would_be_found()
    {
        const string Sql = "create table if not exists public.a (\n tenant_id uuid not null\n);\ncreate table b (id int, x text check (x in ('(', ';')));\nCREATE TABLE c (id int, tenant_id uuid);\n-- call protect_tenant_table('a');\ncall protect_tenant_table('c');";
        Assert.Equal([("a", false), ("c", true)], TenantTables(Sql));
    }

    [Fact]
    public void Migrations_are_numbered_without_gaps_from_1()
    {
        var numbers = Directory.GetFiles(Path.Combine(Repository.Root, "functions", "KpiDashboard", "Data", "Migrations"), "*.sql").Select(path => Path.GetFileName(path)[..5]).Order().ToList();
        Assert.Equal(Enumerable.Range(1, numbers.Count).Select(number => $"{number:0000}_"), numbers);
    }

    private static List<(string Name, bool Protected)> TenantTables(string sql)
    {
        var code = SqlComment().Replace(sql, "");
        var tables = CreateTable().Matches(code);
        return
        [
            .. from table in tables
               let end = tables.Select(other => other.Index).Where(index => index > table.Index).DefaultIfEmpty(code.Length).Min()
               let body = code[table.Index..end].Split("\n);")[0].Split(");\n")[0]
               where TenantColumn().IsMatch(body)
               let name = table.Groups["name"].Value
               select (name, Regex.IsMatch(code, $@"\bcall\s+protect_tenant_table\(\s*'(public\.)?{name}'", RegexOptions.IgnoreCase)),
        ];
    }

    private static bool IsGenerated(Type type) =>
        type.Name.Contains('<', StringComparison.Ordinal) || type.IsDefined(typeof(CompilerGeneratedAttribute), false)
        || type.IsDefined(typeof(System.CodeDom.Compiler.GeneratedCodeAttribute), false) || (type.DeclaringType is { } outer && IsGenerated(outer))
        || type.Namespace is null || !type.Namespace.StartsWith("KpiDashboard", StringComparison.Ordinal);

    private static string WithoutComment(string line) => line.IndexOf("//", StringComparison.Ordinal) is var start and >= 0 && (start == 0 || line[start - 1] != ':') ? line[..start] : line;

    [GeneratedRegex(@"\bDateTime(Offset)?\.(Now|UtcNow|Today)\b|\bRandom\b|\bThread\.Sleep\b|\.Result\b(?!\s*\()|\.Wait\(|\.GetAwaiter\(\)\.GetResult\(")]
    private static partial Regex Forbidden();

    [GeneratedRegex("--[^\n]*")]
    private static partial Regex SqlComment();

    [GeneratedRegex(@"\bcreate\s+table\s+(if\s+not\s+exists\s+)?(public\.)?(?<name>\w+)\s*\(", RegexOptions.IgnoreCase)]
    private static partial Regex CreateTable();

    [GeneratedRegex(@"\btenant_id\s+uuid\b", RegexOptions.IgnoreCase)]
    private static partial Regex TenantColumn();
}
