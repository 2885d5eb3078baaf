using System.Collections.Concurrent;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KpiDashboard.IntegrationTests.Embedded;

[Trait("Clock", "none")]
public sealed class StagesTests(PostgresFixture fixture) : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Notes _console = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Without_configuration_both_services_are_started_and_named()
    {
        var context = Context();
        await using var postgres = new PostgresStage(NullLogger<PostgresStage>.Instance, TimeProvider.System);
        await using var azurite = new AzuriteStage(NullLogger<AzuriteStage>.Instance, TimeProvider.System);
        await postgres.StartAsync(context, Cancelled);
        await azurite.StartAsync(context, Cancelled);
        Assert.Equal(1, await EmbeddedPostgresTests.ScalarAsync<int>(context.Configuration[PostgresStage.AdminKey]!, "select 1"));
        Assert.Contains("QueueEndpoint=http://127.0.0.1:", context.Configuration[AzuriteStage.StorageKey], StringComparison.Ordinal);
        Assert.Contains(_console.Lines, l => l.StartsWith("Postgres: 18.4 on port ", StringComparison.Ordinal));
        Assert.Contains(_console.Lines, l => l.StartsWith("Azurite: 3.37.0 on ports ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_configured_replaces_them()
    {
        var context = Context(
            ("ConnectionStrings:Postgres", "Host=db.example"),
            ("AzureWebJobsStorage", "DefaultEndpointsProtocol=https;AccountName=x")
        );
        await using var postgres = new PostgresStage(NullLogger<PostgresStage>.Instance, TimeProvider.System);
        await using var azurite = new AzuriteStage(NullLogger<AzuriteStage>.Instance, TimeProvider.System);
        await postgres.StartAsync(context, Cancelled);
        await azurite.StartAsync(context, Cancelled);
        Assert.Null(context.Configuration[PostgresStage.AdminKey]);
        Assert.Equal("DefaultEndpointsProtocol=https;AccountName=x", context.Configuration[AzuriteStage.StorageKey]);
        Assert.Empty(Directory.GetFileSystemEntries(context.DataDirectory));
    }

    [Fact]
    public async Task A_managed_identity_connection_counts_as_configured()
    {
        var context = Context(("AzureWebJobsStorage:accountName", "x"));
        await using var azurite = new AzuriteStage(NullLogger<AzuriteStage>.Instance, TimeProvider.System);
        await azurite.StartAsync(context, Cancelled);
        Assert.Null(context.Configuration[AzuriteStage.StorageKey]);
    }

    [Fact]
    public async Task Each_test_gets_a_database_of_its_own()
    {
        var first = await fixture.CreateDatabaseAsync(Cancelled);
        var second = await fixture.CreateDatabaseAsync(Cancelled);
        Assert.NotEqual(first.Name, second.Name);
        Assert.Equal(
            first.Name,
            await EmbeddedPostgresTests.ScalarAsync<string>(first.AdminConnectionString, "select current_database()::text")
        );
    }

    [Fact]
    public async Task The_web_page_is_built_once_and_again_when_a_source_or_the_result_changed()
    {
        var web = await WebAsync(
            "const n = fs.existsSync('../n') ? +fs.readFileSync('../n', 'utf8') + 1 : 1; fs.writeFileSync('../n', String(n)); fs.mkdirSync('dist', { recursive: true }); fs.writeFileSync('dist/index.html', 'page')"
        );
        async Task<string> BuildsAsync()
        {
            var context = Context();
            await using var stage = new WebPageStage(TimeProvider.System);
            await stage.StartAsync(context, Cancelled);
            Assert.Equal(Path.Combine(web, "dist"), context.Configuration[WebPageStage.RootKey]);
            Assert.True(Directory.Exists(context.Configuration[WebPageStage.RootKey]));
            await stage.AfterAppStartedAsync(context, Cancelled);
            return await File.ReadAllTextAsync(_folder["n"], Cancelled);
        }
        Assert.Equal("1", await BuildsAsync());
        Assert.Equal("1", await BuildsAsync());
        Assert.Contains(_console.Lines, l => l.StartsWith("Web page: up to date", StringComparison.Ordinal));
        await File.WriteAllTextAsync(Path.Combine(web, "new.ts"), "1", Cancelled);
        Assert.Equal("2", await BuildsAsync());
        await File.WriteAllTextAsync(Path.Combine(web, "dist", "index.html"), "another", Cancelled);
        Assert.Equal("3", await BuildsAsync());
        Directory.Delete(Path.Combine(web, "node_modules"), recursive: true);
        Assert.Equal("4", await BuildsAsync());
        Assert.Equal("4", await BuildsAsync());
    }

    [Fact]
    public async Task Two_copies_build_the_web_page_once()
    {
        await WebAsync(
            "fs.appendFileSync('../n', 'x'); fs.mkdirSync('dist', { recursive: true }); fs.writeFileSync('dist/index.html', 'page')"
        );
        await using var first = new WebPageStage(TimeProvider.System);
        await using var second = new WebPageStage(TimeProvider.System);
        var context = Context();
        await Task.WhenAll(first.StartAsync(context, Cancelled), second.StartAsync(Context(), Cancelled));
        await Task.WhenAll(first.AfterAppStartedAsync(context, Cancelled), second.AfterAppStartedAsync(context, Cancelled));
        Assert.Equal("x", await File.ReadAllTextAsync(_folder["n"], Cancelled));
    }

    [Fact]
    public async Task A_web_page_that_does_not_build_is_told_with_the_last_lines_and_tried_again_the_next_time()
    {
        await WebAsync("console.error('src/App.tsx(3,1): error TS2304: Cannot find name'); process.exit(2)");
        for (var i = 0; i < 2; i++)
        {
            var context = Context();
            await using var stage = new WebPageStage(TimeProvider.System);
            await stage.StartAsync(context, Cancelled);
            var failed = await Assert.ThrowsAsync<StartupException>(() => stage.AfterAppStartedAsync(context, Cancelled));
            Assert.StartsWith("The web page could not be built; start with --no-web", failed.Message, StringComparison.Ordinal);
            Assert.Contains("error TS2304", failed.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_package_lock_that_lacks_a_package_is_made_up_for_and_left_as_it_is()
    {
        var web = await WebAsync("fs.mkdirSync('dist', { recursive: true }); fs.writeFileSync('dist/index.html', require('other'))");
        await File.WriteAllTextAsync(
            Path.Combine(web, "package.json"),
            """{"name":"page","version":"0.0.0","private":true,"scripts":{"build":"node build.cjs"},"optionalDependencies":{"other":"file:./other"}}""",
            Cancelled
        );
        Directory.CreateDirectory(Path.Combine(web, "other"));
        await File.WriteAllTextAsync(Path.Combine(web, "other", "package.json"), """{"name":"other","version":"0.0.0"}""", Cancelled);
        await File.WriteAllTextAsync(Path.Combine(web, "other", "index.js"), "module.exports = 'from the other'", Cancelled);
        var packageLock = await File.ReadAllTextAsync(Path.Combine(web, "package-lock.json"), Cancelled);

        var context = Context();
        await using var stage = new WebPageStage(TimeProvider.System);
        await stage.StartAsync(context, Cancelled);
        await stage.AfterAppStartedAsync(context, Cancelled);
        Assert.Equal("from the other", await File.ReadAllTextAsync(Path.Combine(web, "dist", "index.html"), Cancelled));
        Assert.Equal(packageLock, await File.ReadAllTextAsync(Path.Combine(web, "package-lock.json"), Cancelled));
    }

    [Theory]
    [InlineData("""{"node_modules/a":{"version":"1.0.0","integrity":"x"}}""", false)]
    [InlineData("""{"node_modules/a":{"version":"1.0.0","integrity":"x"},"node_modules/b":{"version":"2.0.0"},"node_modules/c":{"version":"3.0.0"}}""", false)]
    [InlineData("""{"node_modules/a":{"version":"1.0.1","integrity":"y"}}""", true)]
    [InlineData("""{"node_modules/a":{"version":"1.0.0","integrity":"y"}}""", true)]
    [InlineData("""{"node_modules/b":{"version":"2.0.0"}}""", true)]
    [InlineData("{}", true)]
    [InlineData("[]", true)]
    [InlineData("{", true)]
    public async Task Packages_that_somebody_fetched_with_npm_are_not_fetched_again_if_they_are_what_is_locked(string installed, bool fetched)
    {
        var web = await WebAsync("fs.mkdirSync('dist', { recursive: true }); fs.writeFileSync('dist/index.html', 'page')");
        // What cannot be fetched in this test fails it, unless it is there: b is for another system.
        await File.WriteAllTextAsync(
            Path.Combine(web, "package-lock.json"),
            """
            {"name":"page","version":"0.0.0","lockfileVersion":3,"requires":true,"packages":{
                "":{"name":"page","version":"0.0.0"}, "node_modules/a":{"version":"1.0.0","integrity":"x"},"node_modules/b":{"version":"2.0.0","optional":true}}}
            """,
            Cancelled
        );
        Directory.CreateDirectory(Path.Combine(web, "node_modules"));
        await File.WriteAllTextAsync(
            Path.Combine(web, "node_modules", ".package-lock.json"), $$"""{"name":"page","lockfileVersion":3,"packages":{{installed}}}""", Cancelled);
        await using var stage = new WebPageStage(TimeProvider.System);
        await stage.StartAsync(Context(), Cancelled);
        await stage.AfterAppStartedAsync(Context(), Cancelled);
        Assert.Equal(fetched, File.Exists(Path.Combine(web, "node_modules", ".kpi", "lock.hash")));
    }

    [Fact]
    public async Task The_web_page_can_be_left_out()
    {
        await WebAsync("process.exit(2)");
        var context = Context(("Web:Skip", "true"));
        await using var stage = new WebPageStage(TimeProvider.System);
        await stage.StartAsync(context, Cancelled);
        await stage.AfterAppStartedAsync(context, Cancelled);
        Assert.Null(context.Configuration[WebPageStage.RootKey]);
    }

    private async Task<string> WebAsync(string build)
    {
        var web = Directory.CreateDirectory(_folder["static-web"]).FullName;
        await File.WriteAllTextAsync(Path.Combine(web, "build.cjs"), "const fs = require('node:fs'); " + build, Cancelled);
        await File.WriteAllTextAsync(
            Path.Combine(web, "package.json"),
            """{"name":"page","version":"0.0.0","private":true,"scripts":{"build":"node build.cjs"}}""",
            Cancelled
        );
        await File.WriteAllTextAsync(
            Path.Combine(web, "package-lock.json"),
            """{"name":"page","version":"0.0.0","lockfileVersion":3,"requires":true,"packages":{"":{"name":"page","version":"0.0.0"}}}""",
            Cancelled
        );
        return web;
    }

    private StartupContext Context(params (string Key, string Value)[] settings) =>
        new()
        {
            Configuration = new ConfigurationBuilder()
                .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create<string, string?>(s.Key, s.Value)))
                .Build(),
            Services = new ServiceCollection().BuildServiceProvider(),
            RepositoryRoot = _folder.FullPath,
            DataDirectory = Directory.CreateDirectory(_folder["data"]).FullName,
            Console = _console,
        };

    private sealed class Notes : IStartupConsole
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public void Done(string stage, string text) => Lines.Enqueue($"{stage}: {text}");

        public void Progress(string stage, string text) { }

        public void Ready(string text) { }
    }
}
