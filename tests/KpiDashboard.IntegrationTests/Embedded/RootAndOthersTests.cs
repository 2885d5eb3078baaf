using System.Globalization;
using KpiDashboard.LocalHost.Embedded;
using Xunit;

namespace KpiDashboard.IntegrationTests.Embedded;

/// <summary>Postgres refuses to run as root: the ways round that, and the ordinary one.</summary>
[Trait("Clock", "none")]
public sealed class RootAndOthersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static bool IsRoot => OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Where_namespaces_are_forbidden_root_runs_it_as_another_user_and_finds_the_data_again()
    {
        Assert.SkipUnless(IsRoot, "only root can become another user");
        await StartTwiceAsync(ServerAccountKind.OtherUser, ServerAccountKind.OtherUser);
        // It is the other user's now, and stays so when namespaces are allowed again.
        await using var postgres = await StartAsync(null);
        Assert.Equal(ServerAccountKind.OtherUser, postgres.Account);
        Assert.Equal(42, await EmbeddedPostgresTests.ScalarAsync<int>(postgres.AdminConnectionString, "select value from kept"));
    }

    [Fact]
    public async Task A_data_directory_that_the_other_user_cannot_enter_gets_a_twin_that_goes_with_it()
    {
        Assert.SkipUnless(IsRoot, "only root can become another user");
        MakePrivate(_folder["a"]);
        await StartTwiceAsync(ServerAccountKind.OtherUser, ServerAccountKind.OtherUser);
        var twin = Assert.Single(Directory.GetDirectories(_folder["shared"], "postgres-data-*"));

        Directory.Delete(_folder["a"], recursive: true);
        MakePrivate(_folder["a"]);
        await using var postgres = await StartAsync(ServerAccountKind.OtherUser);
        Assert.True(postgres.IsNew);
        Assert.NotEqual(twin, Assert.Single(Directory.GetDirectories(_folder["shared"], "postgres-data-*")));
    }

    [Fact]
    public async Task In_a_namespace_the_files_stay_roots_and_the_data_is_found_again()
    {
        Assert.SkipUnless(IsRoot, "about root");
        var (forbidden, _) = await Processes.RunAsync(Cancelled, "unshare", "--user", "true");
        Assert.SkipWhen(forbidden != 0, "user namespaces are forbidden here");
        await StartTwiceAsync(ServerAccountKind.UserNamespace, ServerAccountKind.UserNamespace);
        Assert.Equal((0u, 0u), await ServerAccount.OwnerAsync(Path.Combine(_folder["a"], "cluster"), Cancelled));
    }

    [Theory]
    [InlineData(65534, "Ourselves")]
    // Without an account, as with docker run -u 64321.
    [InlineData(64321, "UserNamespace")]
    public async Task An_ordinary_user_can_run_it_twice(int user, string expected)
    {
        Assert.SkipUnless(IsRoot, "an ordinary user runs all the other tests this way");
        var id = user.ToString(CultureInfo.InvariantCulture);
        string[] become = ["setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--"];
        foreach (var path in (string[])[ServerOwner.Dotnet, ServerOwner.Assembly])
        {
            var (unreachable, _) = await Processes.RunAsync(Cancelled, [.. become, "test", "-r", path]);
            Assert.SkipWhen(unreachable != 0, $"user {id} cannot reach {path}");
        }
        if (expected == "UserNamespace")
        {
            var (forbidden, _) = await Processes.RunAsync(Cancelled, [.. become, "unshare", "--user", "true"]);
            Assert.SkipWhen(forbidden != 0, "user namespaces are forbidden here");
        }
        var cache = await CacheCopy.MakeAsync(_folder["npm"], Cancelled, NpmPackage.Postgres());
        var home = Directory.CreateDirectory(_folder["home"]).FullName;
        foreach (var folder in (string[])[home, cache])
            Assert.Equal(0, (await Processes.RunAsync(Cancelled, "chown", "-R", id, folder)).ExitCode);
        var environment = new Dictionary<string, string>
        {
            ["HOME"] = home,
            ["KPI_NPM_CACHE"] = cache,
            ["TMPDIR"] = home,
        };
        for (var i = 0; i < 2; i++)
        {
            await using var owner = await ServerOwner.StartAsync(
                Path.Combine(home, "data"),
                azurite: false,
                become,
                environment,
                Cancelled
            );
            Assert.Equal(expected, owner.Account);
            await EmbeddedPostgresTests.ExecuteAsync(
                owner.AdminConnectionString,
                i == 0 ? "create table kept (value int); insert into kept values (42)" : "update kept set value = 43"
            );
        }
        Assert.Equal(user, (int)(await ServerAccount.OwnerAsync(Path.Combine(home, "data", "postgres", "cluster"), Cancelled))!.Value.User);
        Assert.Equal(0, (await Processes.RunAsync(Cancelled, [.. become, "rm", "-r", Path.Combine(home, "data")])).ExitCode);
    }

    private static void MakePrivate(string folder)
    {
        if (!OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private async Task StartTwiceAsync(ServerAccountKind first, ServerAccountKind second)
    {
        await using (var postgres = await StartAsync(first))
        {
            Assert.Equal(first, postgres.Account);
            await EmbeddedPostgresTests.ExecuteAsync(
                postgres.AdminConnectionString,
                "create table kept (value int); insert into kept values (42)"
            );
            await postgres.StopAsync(crash: true);
        }
        await using (var postgres = await StartAsync(second))
        {
            Assert.False(postgres.IsNew);
            Assert.Equal(42, await EmbeddedPostgresTests.ScalarAsync<int>(postgres.AdminConnectionString, "select value from kept"));
        }
    }

    private Task<EmbeddedPostgres> StartAsync(ServerAccountKind? account) =>
        EmbeddedPostgres.StartAsync(
            new()
            {
                DataDirectory = _folder["a"],
                ForTests = true,
                Account = account,
                SharedDirectory = _folder["shared"],
            },
            Cancelled
        );
}
