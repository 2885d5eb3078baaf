using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using Xunit;

namespace KpiDashboard.IntegrationTests.StartCommand;

public sealed class StartCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_says_Ready_with_address_and_sign_in_when_the_demo_is_synced_and_a_second_start_keeps_the_numbers_without_a_sync()
    {
        JsonNode first;
        await using (var app = StartedApp.Start(_folder["data"]))
        {
            // Listens, but is not ready: somebody who looks too early is told so.
            await app.ListensAsync();
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await app.StatusAsync("api/health/ready"));
            var ready = await app.ReadyAsync();

            Assert.Equal($"Ready {(await app.ListensAsync()).AbsoluteUri.TrimEnd('/')}  sign in as {DemoSeeder.OwnerEmail} / {DemoSeeder.Password}", ready);
            Assert.Equal(HttpStatusCode.OK, await app.StatusAsync("api/health/ready"));
            first = await FiguresAsync(app);
            await StopAsync(app);
        }

        await using (var app = StartedApp.Start(_folder["data"]))
        {
            await app.ReadyAsync();

            await app.SaysAsync("numbers are fresh");
            Assert.Equal(first.ToJsonString(), (await FiguresAsync(app)).ToJsonString());
            await StopAsync(app);
        }
    }

    [Fact]
    public async Task An_empty_installation_is_ready_without_tenants_to_sign_in_to()
    {
        await using var app = StartedApp.Start(_folder["data"], "--no-demo");

        Assert.EndsWith("  (empty installation)", await app.ReadyAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await app.StatusAsync("api/health/ready"));
        Assert.DoesNotContain(DemoSeeder.OwnerEmail, app.Output, StringComparison.Ordinal);
        await StopAsync(app);
    }

    [Fact]
    public async Task A_second_copy_on_the_same_data_says_so_and_one_on_other_data_runs_beside_it()
    {
        await using var first = StartedApp.Start(_folder["data"], "--no-demo");
        await first.ReadyAsync();

        await using var intruder = StartedApp.Start(_folder["data"], "--no-demo");
        Assert.Equal(1, await intruder.ExitedAsync());
        Assert.Equal($"Another KPI Dashboard is running on {_folder["data"]}; stop it or use --data DIR.", intruder.Errors.Trim());

        await using var second = StartedApp.Start(_folder["other"], "--no-demo");
        await second.ReadyAsync();
        Assert.NotEqual(await first.ListensAsync(), await second.ListensAsync());
        Assert.Equal(HttpStatusCode.OK, await first.StatusAsync("api/health/ready"));
        await StopAsync(second);
        await StopAsync(first);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_one_sentence_and_exit_code_1_before_anything_is_written()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

        await using var app = StartedApp.StartWith([], ["--port", port, "--data", _folder["data"]]);

        Assert.Equal(1, await app.ExitedAsync());
        Assert.Equal($"Port {port} is taken; use --port N.", app.Errors.Trim());
        Assert.False(Directory.Exists(_folder["data"]));
    }

    [Fact]
    public async Task An_option_that_does_not_exist_is_one_sentence_and_exit_code_2()
    {
        await using var app = StartedApp.StartWith([], ["--prot", "1"]);

        Assert.Equal(2, await app.ExitedAsync());
        Assert.Equal("Unknown option --prot; --help lists them.", app.Errors.Trim());
    }

    [Fact]
    public async Task Reset_leaves_a_folder_that_is_not_ours_alone()
    {
        Directory.CreateDirectory(_folder["letters"]);
        var letter = Path.Combine(_folder["letters"], "letter.txt");
        await File.WriteAllTextAsync(letter, "dear", TestContext.Current.CancellationToken);

        await using var app = StartedApp.Start(_folder["letters"], "--reset");

        Assert.Equal(1, await app.ExitedAsync());
        Assert.Contains("so --reset does not touch it", app.Errors, StringComparison.Ordinal);
        Assert.Equal([letter], Directory.EnumerateFileSystemEntries(_folder["letters"]));
    }

    /// <summary>Sessions of the last weeks, day by day, with where they stand.</summary>
    private static async Task<JsonNode> FiguresAsync(StartedApp app)
    {
        using var client = new HttpClient(new NamesBusiness(new HttpClientHandler())) { BaseAddress = await app.ListensAsync() };
        var session = await client.SendJsonAsync(HttpMethod.Post, "api/auth/login", new { email = DemoSeeder.OwnerEmail, password = DemoSeeder.Password });
        client.DefaultRequestHeaders.Add("X-Kpi-Token", session["accessToken"]!.GetValue<string>());
        var today = DateOnly.FromDateTime(DateTime.UtcNow);
        var history = await client.GetJsonAsync(
            $"api/metrics/history?kpis=web.sessions,shop.revenue&from={today.AddDays(-60):yyyy-MM-dd}&to={today.AddDays(-10):yyyy-MM-dd}&grain=day");
        var figures = history["series"]!.AsArray();
        Assert.Contains(figures, series => series!["points"]!.AsArray().Any(point => point!["value"] is { } value && value.GetValue<decimal>() > 0));
        return figures;
    }

    private static async Task StopAsync(StartedApp app)
    {
        // Nothing but being killed ends a program of ours on Windows from outside; there the end is no part of these tests.
        if (OperatingSystem.IsWindows())
            return;
        await app.SignalAsync("TERM");
        Assert.True(await app.ExitedAsync() == 0, app.Output + app.Errors);
        Assert.Equal("", app.Errors);
    }
}
