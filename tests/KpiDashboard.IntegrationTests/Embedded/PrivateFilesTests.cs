using System.Net.Mail;
using KpiDashboard.IntegrationTests.LocalHost;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Startup;
using Xunit;

namespace KpiDashboard.IntegrationTests.Embedded;

/// <summary>What lies in a data folder is its owner's alone: keys, secrets, mails with links in them, queues, logs.</summary>
public sealed class PrivateFilesTests : IDisposable
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
    private const UnixFileMode Passing = UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task No_file_of_a_data_folder_can_be_read_by_another_user_and_what_an_earlier_version_left_open_is_closed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows gives files what the folder above has.");
        var data = _folder["data"];
        // As an earlier version left it.
        Directory.CreateDirectory(Path.Combine(data, "mail"));
        await File.WriteAllTextAsync(Path.Combine(data, KpiDashboard.LocalHost.Runtime.DataFolder.Marker), "", Cancelled);
        await File.WriteAllTextAsync(Path.Combine(data, "timers.json"), "{}", Cancelled);
        await using (var app = await TestApp.StartAsync(data, [typeof(ReturnFunctions)]))
        {
            LocalSecrets.Open(data).Get("Test");
            await using var mail = await EmbeddedMailCatcher.StartAsync(new() { DataDirectory = Path.Combine(data, "mail") }, Cancelled);
            await using var storage = await EmbeddedAzurite.StartAsync(new() { DataDirectory = Path.Combine(data, "azurite") }, Cancelled);
            await using var postgres = await EmbeddedPostgres.StartAsync(new() { DataDirectory = Path.Combine(data, "postgres") }, Cancelled);
            using (var smtp = new SmtpClient("127.0.0.1", mail.Port))
                await smtp.SendMailAsync(new MailMessage("a@example.com", "b@example.com", "Reset", "The link"), Cancelled);
            await App.Eventually.TrueAsync(() => Task.FromResult(mail.Mails().Count == 1), TimeSpan.FromSeconds(30), "the mail is caught");
            Closed(data);
        }

        Closed(data);
    }

    private static void Closed(string folder)
    {
        var seen = 0;
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).Prepend(new DirectoryInfo(folder)))
        {
            // Temporary files of a server that runs come and go.
            if (!entry.Exists || entry.LinkTarget is not null) continue;
            seen++;
            var mode = entry.UnixFileMode;
            Assert.True((mode & Others) == 0, $"{entry.FullName} is {mode}.");
            // Root lets the user of Postgres pass to what is his.
            if (entry is FileInfo || !Environment.IsPrivilegedProcess) Assert.True((mode & Passing) == 0, $"{entry.FullName} is {mode}.");
        }

        Assert.InRange(seen, 10, int.MaxValue);
    }
}
