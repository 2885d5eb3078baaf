using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using KpiDashboard.Api;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.Mail;
using KpiDashboard.Tests.Shared;
using MailKit.Net.Smtp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MimeKit;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Mail;

/// <summary>The whole function app: its own queue trigger, its own clock, its own catcher.</summary>
public sealed class MailAppTests(PostgresFixture postgres, MailStorage storage) : IClassFixture<MailStorage>, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Notes _console = new();
    private string _database = "";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Ten_mails_for_a_server_that_is_down_arrive_once_each_through_the_queue_when_it_is_back()
    {
        await using var smtp = await EmbeddedMailCatcher.StartAsync(new() { DataDirectory = _folder["smtp"] }, Cancelled);
        await smtp.StopAsync(crash: true);
        var kind = new ResetMail();
        await using var app = await StartAsync(kind, "--set", "Mail:Host=127.0.0.1", "--set", $"Mail:Port={smtp.Port.ToString(CultureInfo.InvariantCulture)}", "--set", "Mail:From=no-reply@kpi.example.com");
        var outbox = app.Services.GetRequiredService<MailOutbox>();
        var ids = new List<Guid>();
        for (var i = 0; i < 10; i++) ids.Add(await outbox.AddAsync(kind.Name, JsonSerializer.Serialize(new ResetData($"person{i}@example.com", MailRig.Link)), null, Cancelled));
        await Eventually.TrueAsync(() => Task.FromResult(kind.Composed == 10), TimeSpan.FromMinutes(1), "each mail was tried");
        await Task.Delay(TimeSpan.FromSeconds(2), Cancelled);
        await smtp.StartAgainAsync(Cancelled);
        await Eventually.TrueAsync(() => Task.FromResult(smtp.Mails().Count >= 10), TimeSpan.FromMinutes(2), "the mails arrive");
        // One more round of whatever might still be in the queue.
        await Task.Delay(TimeSpan.FromSeconds(5), Cancelled);
        Assert.Equal(ids.Select(id => $"{id:N}@kpi.example.com").Order(), smtp.Mails().Select(path => MimeMessage.Load(path).MessageId).Order());
        // Nothing is caught, so nothing is shown.
        using var http = new HttpClient { BaseAddress = app.Address };
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("mail", Cancelled)).StatusCode);
    }

    [Fact]
    public async Task Reset_mails_asked_for_while_the_mail_server_is_down_arrive_once_each_when_it_is_back_and_their_links_work()
    {
        await using var smtp = await EmbeddedMailCatcher.StartAsync(new() { DataDirectory = _folder["smtp"] }, Cancelled);
        await smtp.StopAsync(crash: true);
        await using var app = await StartAsync(new ResetMail(), "--set", "Mail:Host=127.0.0.1", "--set", $"Mail:Port={smtp.Port.ToString(CultureInfo.InvariantCulture)}", "--set", "Mail:From=no-reply@kpi.example.com");
        string[] people = ["ada@example.com", "bob@example.com", "cy@example.com"];
        await using (var connection = new NpgsqlConnection(_database))
        {
            await connection.OpenAsync(Cancelled);
            foreach (var email in people)
            {
                await connection.ExecuteAsync(
                    """
                    insert into tenants (id, name, time_zone, currency) values (@tenant, @email, 'UTC', 'EUR');
                    insert into users (id, email, email_key, display_name, email_verified_at) values (@user, @email, upper(@email), 'P', now());
                    insert into memberships (tenant_id, user_id, role) values (@tenant, @user, 'owner');
                    """,
                    new { tenant = Guid.NewGuid(), user = Guid.NewGuid(), email });
            }
        }

        using var http = new HttpClient { BaseAddress = app.Address };
        foreach (var email in people.Append("nobody@example.com"))
            Assert.Equal(HttpStatusCode.Accepted, (await http.PostAsJsonAsync("api/auth/forgot-password", new { email }, Cancelled)).StatusCode);
        await Eventually.TrueAsync(async () => await OneAsync("select count(*) from mail_outbox where status = 'queued' and attempts > 0") == 3, TimeSpan.FromMinutes(1), "each mail was tried in vain");
        await smtp.StartAgainAsync(Cancelled);
        await Eventually.TrueAsync(async () => await OneAsync("select count(*) from mail_outbox where finished_at is null") == 0, TimeSpan.FromMinutes(2), "the mails are sent");

        var mails = smtp.Mails().Select(path => MimeMessage.Load(path)).ToList();
        Assert.Equal(people, mails.Select(mail => mail.To.Mailboxes.Single().Address).Order());
        foreach (var mail in mails)
        {
            var token = mail.TextBody!.Split("#token=")[1][..43];
            using var reset = await http.PostAsJsonAsync("api/auth/reset-password", new { token, password = "four walruses read slowly" }, Cancelled);
            Assert.Equal(HttpStatusCode.OK, reset.StatusCode);
        }
    }

    [Fact]
    public async Task Without_a_mail_server_mails_are_caught_and_can_be_read_on_a_page()
    {
        var kind = new ResetMail();
        await using var app = await StartAsync(kind);
        // No keys of ASP.NET's own are made, which would lie unsealed in the home of whoever starts this, with a warning for the newcomer.
        Assert.DoesNotContain(app.Services.GetServices<IHostedService>(), service => service.GetType().Assembly.GetName().Name == "Microsoft.AspNetCore.DataProtection");
        Assert.Equal("EphemeralDataProtectionProvider", app.Services.GetRequiredService<Microsoft.AspNetCore.DataProtection.IDataProtectionProvider>().GetType().Name);
        await Eventually.TrueAsync(() => Task.FromResult(_console.Lines.Contains($"Mail: caught locally; read it at {app.Address.ToString().TrimEnd('/')}/mail")), TimeSpan.FromMinutes(1), "the terminal says where");
        Assert.Equal($"{app.Address}verify-email#t", app.Services.GetRequiredService<WebAddress>().Of("verify-email#t").AbsoluteUri);
        using var http = new HttpClient { BaseAddress = app.Address };
        Assert.Contains("Nothing has been sent yet", await http.GetStringAsync("mail", Cancelled), StringComparison.Ordinal);

        await app.Services.GetRequiredService<MailOutbox>().AddAsync(kind.Name, JsonSerializer.Serialize(new ResetData("ada@example.com", MailRig.Link)), null, Cancelled);
        var list = "";
        await Eventually.TrueAsync(async () => (list = await http.GetStringAsync("mail", Cancelled)).Contains("Choose a new password", StringComparison.Ordinal), TimeSpan.FromMinutes(1), "the mail is listed");
        Assert.Contains("ada@example.com", list, StringComparison.Ordinal);
        var path = list.Split("href=\"/").Select(part => part.Split('"')[0]).Single(part => part.StartsWith("mail/2", StringComparison.Ordinal));

        using var page = await http.GetAsync(path, Cancelled);
        var shown = await page.Content.ReadAsStringAsync(Cancelled);
        Assert.Contains($"<a href=\"{MailRig.Link}\">", shown, StringComparison.Ordinal);
        Assert.Contains($"src=\"/{path}/html\" sandbox=\"allow-top-navigation-by-user-activation\"", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", Policy(page), StringComparison.Ordinal);
        Assert.Equal("text/css", (await http.GetAsync("mail/style.css", Cancelled)).Content.Headers.ContentType!.MediaType);

        using var html = await http.GetAsync($"{path}/html", Cancelled);
        Assert.Contains($"href=\"{MailRig.Link}\"", await html.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.Contains("sandbox allow-top-navigation-by-user-activation", Policy(html), StringComparison.Ordinal);
        Assert.DoesNotContain("allow-scripts", Policy(html), StringComparison.Ordinal);

        foreach (var wrong in (string[])["mail/x", "mail/..%2fsecrets", "mail/20261122T120000000Z-0000000000", "mail/20261122T120000000Z-0000000000/html"])
            Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(wrong, Cancelled)).StatusCode);
        // Whoever can make a name lead here can write these headers too.
        foreach (var place in new[] { "mail", "mail/style.css", $"mail/{Path.GetFileNameWithoutExtension(Directory.GetFiles(Path.Combine(_folder["data"], "mail"), "*.eml")[0])}" })
        {
            foreach (var (name, value) in new[]
                { ("X-Forwarded-Host", "localhost"), ("X-Forwarded-Host", "127.0.0.1"), ("X-Original-Host", "localhost"), ("Forwarded", "host=localhost"), ("X-Forwarded-Server", "localhost") })
            {
                using var forged = new HttpRequestMessage(HttpMethod.Get, place) { Headers = { Host = "attacker.example" } };
                forged.Headers.Add(name, value);
                Assert.Equal(HttpStatusCode.NotFound, (await http.SendAsync(forged, Cancelled)).StatusCode);
            }
        }

        using var rebound = new HttpRequestMessage(HttpMethod.Get, "mail") { Headers = { Host = "attacker.example" } };
        Assert.Equal(HttpStatusCode.NotFound, (await http.SendAsync(rebound, Cancelled)).StatusCode);
    }

    [Fact]
    public async Task Mail_Skip_leaves_the_catcher_out()
    {
        await using var app = await StartAsync(new ResetMail(), "--set", "Mail:Skip=true");
        Assert.DoesNotContain(_console.Lines, line => line.StartsWith("Mail:", StringComparison.Ordinal));
        Assert.False(Directory.Exists(Path.Combine(_folder["data"], "mail")));
    }

    [Fact]
    public async Task A_wrong_mail_setting_stops_the_start_with_a_sentence()
    {
        var error = await Assert.ThrowsAsync<StartupException>(() => StartAsync(new ResetMail(), "--set", "Mail:Host=127.0.0.1", "--set", "Mail:From=nobody"));
        Assert.Contains("Mail:From must be the e-mail address", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_catcher_keeps_the_newest_mails_and_refuses_one_that_is_too_large()
    {
        await using var smtp = await EmbeddedMailCatcher.StartAsync(new() { DataDirectory = _folder["smtp"], MostMails = 3, MailLimitBytes = 2000 }, Cancelled);
        using var client = new SmtpClient();
        await client.ConnectAsync("127.0.0.1", smtp.Port, MailKit.Security.SecureSocketOptions.None, Cancelled);
        for (var i = 0; i < 5; i++) await client.SendAsync(Mail($"{i}", "short"), Cancelled);
        Assert.Equal(["2", "3", "4"], smtp.Mails().Select(path => MimeMessage.Load(path).Subject));
        await Assert.ThrowsAsync<SmtpCommandException>(() => client.SendAsync(Mail("large", new string('x', 5000)), Cancelled));
        Assert.Equal(3, smtp.Mails().Count);

        static MimeMessage Mail(string subject, string text)
        {
            var mail = new MimeMessage { Subject = subject, Body = new TextPart("plain") { Text = text } };
            mail.From.Add(new MailboxAddress("", "a@example.com"));
            mail.To.Add(new MailboxAddress("", "b@example.com"));
            return mail;
        }
    }

    [Fact]
    public async Task The_catcher_ends_with_its_owner_and_comes_back_on_the_same_port()
    {
        int id, port;
        await using (var smtp = await EmbeddedMailCatcher.StartAsync(new() { DataDirectory = _folder["smtp"] }, Cancelled))
        {
            port = smtp.Port;
            await smtp.StopAsync();
            Assert.False(await FreePort.IsListeningAsync(port, Cancelled));
            await smtp.StartAgainAsync(Cancelled);
            Assert.Equal(port, smtp.Port);
            Assert.True(await FreePort.IsListeningAsync(port, Cancelled));
            id = smtp.ProcessId!.Value;
        }

        Assert.False(Processes.IsAlive(id));
    }

    private async Task<long> OneAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_database);
        return await connection.QuerySingleAsync<long>(new CommandDefinition(sql, cancellationToken: Cancelled));
    }

    private static string Policy(HttpResponseMessage answer) => Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));

    private async Task<RunningApp> StartAsync(IMailKind kind, params string[] options)
    {
        Directory.CreateDirectory(_folder["data"]);
        TestSecrets.Write(_folder["data"]);
        var database = await postgres.CreateDatabaseAsync(Cancelled);
        _database = database.AdminConnectionString;
        var builder = LocalApp.CreateBuilder(
        [
            "--port", "0", "--data", _folder["data"], "--no-settings", "--no-web", "--no-demo",
            "--set", $"ConnectionStrings:Postgres={database.AdminConnectionString}", "--set", $"AzureWebJobsStorage={storage.ConnectionString}", .. options,
        ]);
        builder.Console = _console;
        builder.Services.AddSingleton(kind);
        var host = builder.Build();
        await host.StartAsync(Cancelled);
        return new RunningApp(host, ((LocalFunctionsHost)host).Address!);
    }

    private sealed record RunningApp(IHost Host, Uri Address) : IAsyncDisposable
    {
        public IServiceProvider Services => Host.Services;

        public ValueTask DisposeAsync() => ((IAsyncDisposable)Host).DisposeAsync();
    }

    private sealed class Notes : IStartupConsole
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> Lines => _lines;

        public void Done(string stage, string text) => _lines.Enqueue($"{stage}: {text}");

        public void Progress(string stage, string text) { }

        public void Ready(string text) { }

        public void Log(string line) => TestLog.Write(line);
    }
}
