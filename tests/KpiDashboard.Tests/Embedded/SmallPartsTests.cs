using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Startup;
using Xunit;

namespace KpiDashboard.Tests.Embedded;

public sealed class SmallPartsTests : IDisposable
{
    private static readonly NpmPackage Package = new("some-package", "1.2.3", []);
    private readonly string _folder = Directory.CreateTempSubdirectory("kpi-unit-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Ports_that_are_asked_for_together_differ()
    {
        var ports = FreePort.Next(20);
        Assert.Equal(20, ports.Distinct().Count());
        // Below those that systems hand out for connections: a port that is used a minute later must still be free then.
        Assert.All(ports, port => Assert.InRange(port, 1024, 32_767));
    }

    [Fact]
    public void A_log_stays_below_twice_its_limit_and_keeps_the_newest_lines()
    {
        var path = Path.Combine(_folder, "server.log");
        using (var log = new CappedLog(path, limitBytes: 1000))
            for (var i = 0; i < 500; i++)
                log.Write($"line {i}");
        var length = new FileInfo(path).Length + new FileInfo(path + ".1").Length;
        Assert.InRange(length, 1000, 2100);
        Assert.EndsWith("line 499", File.ReadAllText(path).TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_lock_is_held_by_one_and_free_again_afterwards()
    {
        var path = Path.Combine(_folder, "lock");
        using (var held = DirectoryLock.TryTake(path))
        {
            Assert.NotNull(held);
            Assert.Null(DirectoryLock.TryTake(path));
        }
        using var again = DirectoryLock.TryTake(path);
        Assert.NotNull(again);
    }

    [Theory]
    [InlineData("echo v18.19.1", "Node.js 18.19.1 at ", "is too old: install Node.js 20 or newer")]
    [InlineData("exit 3", "Node.js at ", "does not run")]
    public async Task A_Node_that_is_of_no_use_is_named(string script, string begins, string contains)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs sh");
        WriteProgram("node", script);
        var refused = await Assert.ThrowsAsync<StartupException>(() => NodeTools.FindAsync(_folder, TestContext.Current.CancellationToken));
        Assert.StartsWith(begins, refused.Message, StringComparison.Ordinal);
        Assert.Contains(contains, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_npm_is_named()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs sh");
        WriteProgram("node", "echo v22.0.0");
        var node = await NodeTools.FindAsync(_folder, TestContext.Current.CancellationToken);
        Assert.Equal(new Version(22, 0, 0), node.Version);
        var refused = Assert.Throws<StartupException>(() => node.Npm());
        Assert.StartsWith("npm, which comes with Node.js, was not found on the PATH", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "npm warn deprecated x|npm error code ENOTFOUND|npm error network request to https://registry.example/some-package failed, reason: getaddrinfo ENOTFOUND registry.example|npm error network This is a problem related to network connectivity.|npm error A complete log of this run can be found in: /root/.npm/_logs/x-debug-0.log",
        "some-package 1.2.3 could not be downloaded: the npm registry could not be reached; check the network (and npm's registry and proxy settings) and start again. npm said: network request to https://registry.example/some-package failed, reason: getaddrinfo ENOTFOUND registry.example"
    )]
    [InlineData(
        "npm ERR! code ETARGET|npm ERR! notarget No matching version found for some-package@1.2.3.|npm ERR! notarget In most cases you or one of your dependencies are requesting",
        "some-package 1.2.3 could not be downloaded: the npm registry that is set up does not have it. npm said: notarget No matching version found for some-package@1.2.3."
    )]
    [InlineData(
        "npm error code ENOSPC|npm error syscall write|npm error nospc ENOSPC: no space left on device, write",
        "some-package 1.2.3 could not be downloaded: the disk is full. npm said: nospc ENOSPC: no space left on device, write"
    )]
    [InlineData("Segmentation fault|", "some-package 1.2.3 could not be downloaded: npm failed. npm said: Segmentation fault")]
    [InlineData("", "some-package 1.2.3 could not be downloaded: npm failed. npm said: it said nothing")]
    public void What_npm_says_becomes_one_sentence(string lines, string sentence) =>
        Assert.Equal(sentence, NpmFailure.Sentence(Package, lines.Split('|')));

    private void WriteProgram(string name, string script)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
