using System.IO.Compression;
using System.Reflection;
using System.Text;
using Dapper;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace KpiDashboard.IntegrationTests.Schema;

/// <summary>
/// The four demo businesses as commit 663e3f5 synced them on 30 November 2026, with numbers of their own beside (pushed, imported, calculated, goals), and
/// the app of today upon that database, at that moment. <c>Data/Demo/README.md</c> says how the dump was made.
/// </summary>
internal sealed class DemoOfNovember : IAsyncDisposable
{
    /// <summary>The moment of the dump.</summary>
    public static readonly DateTimeOffset Taken = new(2026, 11, 30, 9, 58, 10, TimeSpan.Zero);

    private readonly ServiceProvider _services;
    private readonly List<(string Verb, TemplateMatcher Route, MethodInfo Method, object Triggers)> _routes = [];
    private readonly Guid _owner;

    private DemoOfNovember(string owner, ServiceProvider services, Guid person)
    {
        (Owner, _services, _owner) = (owner, services, person);
        foreach (var type in typeof(Functions.App).Assembly.GetTypes().Where(type => type.Namespace == "KpiDashboard.Functions.Triggers" && type.IsPublic))
        {
            foreach (var method in type.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly))
            {
                var trigger = method.GetParameters().Select(one => one.GetCustomAttribute<HttpTriggerAttribute>()).FirstOrDefault(one => one is not null);
                foreach (var verb in trigger?.Methods ?? [])
                    _routes.Add((verb, new TemplateMatcher(TemplateParser.Parse(trigger!.Route!), []), method, ActivatorUtilities.CreateInstance(services, type)));
            }
        }
    }

    /// <summary>The database as kpi_owner.</summary>
    public string Owner { get; }

    /// <summary>Restores the dump into the schema that it is of, without any later migration.</summary>
    public static async Task<string> RestoreAsync(PostgresFixture postgres, CancellationToken cancellationToken)
    {
        var owner = await TestSecrets.DatabaseBeforeAsync(postgres, "0023_", cancellationToken);
        var database = new NpgsqlConnectionStringBuilder(owner).Database;
        await using var admin = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(postgres.AdminConnectionString) { Database = database, Pooling = false }.ConnectionString);
        await admin.OpenAsync(cancellationToken);
        await admin.ExecuteAsync("set session_replication_role = replica; truncate tenants, users cascade");
        await using var packed = new BrotliStream(
            File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Data", "Demo", "demo-663e3f5.copy.br")), CompressionMode.Decompress);
        using var lines = new StreamReader(packed, Encoding.UTF8);
        TextWriter? copy = null;
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith('@'))
            {
                if (copy is not null) await copy.DisposeAsync();
                copy = await admin.BeginTextImportAsync($"copy {line[1..]} from stdin", cancellationToken);
            }
            else
            {
                await copy!.WriteAsync($"{line}\n".AsMemory(), cancellationToken);
            }
        }

        await copy!.DisposeAsync();
        return owner;
    }

    /// <summary>The app upon the dump, brought to the schema of this version.</summary>
    public static async Task<DemoOfNovember> StartAsync(PostgresFixture postgres, CancellationToken cancellationToken)
    {
        var owner = await RestoreAsync(postgres, cancellationToken);
        await DatabaseBootstrap.MigrateAsync(owner, cancellationToken);
        return await OpenAsync(owner, cancellationToken);
    }

    /// <summary>The app upon a database that has all migrations.</summary>
    /// <param name="owner">The database as kpi_owner.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="keepsAnswers">False: an app that reads everything anew each time.</param>
    public static async Task<DemoOfNovember> OpenAsync(string owner, CancellationToken cancellationToken, bool keepsAnswers = true)
    {
        var app = new NpgsqlConnectionStringBuilder(owner) { Username = "kpi_app", Password = TestSecrets.App }.ConnectionString;
        var zeros = Convert.ToBase64String(new byte[32]);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:Postgres"] = app,
            ["Secrets:CurrentKey"] = "t",
            ["Secrets:Keys:t"] = zeros,
            ["Auth:CurrentKey"] = "t",
            ["Auth:SigningKeys:t"] = zeros,
            ["Web:BaseUrl"] = "http://localhost",
            ["Answers:KeptMegabytes"] = keepsAnswers ? "64" : "0",
        }).Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddSingleton<TimeProvider>(new FakeTimeProvider(Taken));
        services.AddLogging();
        services.AddKpiDashboard(configuration, typeof(Functions.App).Assembly);
        await using var source = NpgsqlDataSource.Create(owner);
        await using var command = source.CreateCommand("select id from users where email = 'owner@demo.example'");
        return new DemoOfNovember(owner, services.BuildServiceProvider(), (Guid)(await command.ExecuteScalarAsync(cancellationToken))!);
    }

    /// <summary>What the owner of a business is answered.</summary>
    public Task<string> GetAsync(string business, string path, CancellationToken cancellationToken) => SendAsync("get", business, path, null, cancellationToken);

    /// <summary>What the owner of a business is answered who sends something; a problem's sentence, where there is one.</summary>
    public async Task<string> SendAsync(string verb, string business, string path, string? json, CancellationToken cancellationToken)
    {
        var (route, query) = path.Split('?', 2) is [var before, var after] ? (before, "?" + after) : (path, "");
        var context = new DefaultHttpContext { RequestServices = _services };
        context.Request.Method = verb.ToUpperInvariant();
        if (json is not null)
        {
            context.Request.ContentType = "application/json";
            context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(json));
        }

        context.Request.Path = "/api/" + route;
        context.Request.QueryString = new QueryString(query);
        using var body = new MemoryStream();
        context.Response.Body = body;
        context.Features.Set(new Caller(DemoSeeder.TenantId(business), _owner, Guid.NewGuid(), null, "owner", DemoSeeder.OwnerEmail));
        try
        {
            var (method, triggers, values) = Find(verb, "/" + route);
            var arguments = method.GetParameters().Select(parameter =>
                parameter.ParameterType == typeof(HttpRequest) ? context.Request
                : parameter.ParameterType == typeof(CancellationToken) ? (object?)cancellationToken
                : Uri.UnescapeDataString((string)values[parameter.Name!]!)).ToArray();
            var result = await (Task<IResult>)method.Invoke(triggers, arguments)!;
            await result.ExecuteAsync(context);
        }
        catch (ApiProblem problem)
        {
            return $"{problem.Message}";
        }

        return Encoding.UTF8.GetString(body.ToArray());
    }

    private (MethodInfo Method, object Triggers, RouteValueDictionary Values) Find(string verb, string path)
    {
        // The more of a template is literal, the nearer it is.
        foreach (var (_, route, method, triggers) in _routes.Where(one => one.Verb == verb).OrderBy(one => one.Route.Template.Parameters.Count))
        {
            var values = new RouteValueDictionary();
            if (route.TryMatch(path, values)) return (method, triggers, values);
        }

        throw new InvalidOperationException($"No trigger answers {verb} {path}.");
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
    }
}
