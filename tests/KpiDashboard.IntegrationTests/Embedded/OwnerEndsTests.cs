using KpiDashboard.LocalHost.Embedded;
using Xunit;

namespace KpiDashboard.IntegrationTests.Embedded;

[Trait("Clock", "none")]
public sealed class OwnerEndsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static Dictionary<string, string> Nothing => [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Kill_9_of_the_owner_leaves_no_server_behind_and_the_data_can_be_used_again_at_once()
    {
        await using var owner = await ServerOwner.StartAsync(_folder.FullPath, azurite: true, [], Nothing, Cancelled);
        Assert.Equal(2, owner.Servers.Count);
        Assert.All(owner.Servers, id => Assert.True(Processes.IsAlive(id)));
        await EmbeddedPostgresTests.ExecuteAsync(
            owner.AdminConnectionString,
            "create table kept (value int); insert into kept values (42)"
        );

        await owner.KillAsync(Cancelled);

        // At once: the old servers may still be ending.
        await using var postgres = await EmbeddedPostgres.StartAsync(
            new() { DataDirectory = _folder["postgres"], ForTests = true },
            Cancelled
        );
        await using var azurite = await EmbeddedAzurite.StartAsync(new() { DataDirectory = _folder["azurite"] }, Cancelled);
        Assert.Equal(42, await EmbeddedPostgresTests.ScalarAsync<int>(postgres.AdminConnectionString, "select value from kept"));
        await Processes.UntilAsync(() => !owner.Servers.Any(Processes.IsAlive), "a server of the killed process lives on", Cancelled);
    }

    [Fact]
    public async Task A_normal_end_of_the_owner_ends_its_servers()
    {
        IReadOnlyList<int> servers;
        await using (var owner = await ServerOwner.StartAsync(_folder.FullPath, azurite: true, [], Nothing, Cancelled))
            servers = owner.Servers;
        Assert.DoesNotContain(servers, Processes.IsAlive);
        if (OperatingSystem.IsLinux())
        {
            Assert.Empty(RunningProcesses.In(Path.Combine(_folder["postgres"], "cluster"), "", ""));
            Assert.Empty(RunningProcesses.In(Path.Combine(_folder["azurite"], "content"), "", ""));
        }
        // A clean shutdown removes it.
        Assert.False(File.Exists(Path.Combine(_folder["postgres"], "cluster", "postmaster.pid")));
    }
}
