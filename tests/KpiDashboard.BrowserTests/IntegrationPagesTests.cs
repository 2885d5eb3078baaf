using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Seeding;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>Sources, their history, files and own numbers, as people use them.</summary>
[Collection<SecondApp>]
public sealed class IntegrationPagesTests(AppFixture app)
{
    [Fact]
    public async Task N8n_is_connected_after_a_wrong_key_paused_resumed_and_disconnected()
    {
        const string Tenant = "Open Lectures";
        var instance = DemoWorld.Tenants[0].N8nInstance!;
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/integrations", Tenant);
        var main = visit.Page.GetByRole(AriaRole.Main);
        await main.GetByRole(AriaRole.Button, new() { Name = "Connect n8n" }).ClickAsync();
        var form = main.GetByRole(AriaRole.Form, new() { Name = "Connect n8n" });
        await form.GetByLabel("Address of your n8n").FillAsync(app.N8n.BaseUrl(instance).ToString());
        var key = form.GetByLabel("API key");
        await key.FillAsync("n8n_wrong");
        await form.GetByRole(AriaRole.Button, new() { Name = "Connect", Exact = true }).ClickAsync();
        await Expect(form.GetByText("Your n8n does not accept the API key")).ToBeVisibleAsync();
        await Expect(key).ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(key).ToBeFocusedAsync();
        await visit.CheckAsync("integrations-wrong-key-light-1440");

        await key.FillAsync(DemoWorld.Tenants[0].N8nApiKey!);
        await form.GetByRole(AriaRole.Button, new() { Name = "Connect", Exact = true }).ClickAsync();
        await Expect(main.GetByText("n8n is connected. Its first reading has begun.")).ToBeVisibleAsync();
        var row = Row(visit, "n8n");
        await Expect(row.GetByText("Read on time")).ToBeVisibleAsync();
        await Expect(row).ToContainTextAsync("Every day at");

        await row.GetByRole(AriaRole.Button, new() { Name = "Test n8n" }).ClickAsync();
        await Expect(row.GetByText("It works: n8n answers and lets us read.")).ToBeVisibleAsync();
        await row.GetByRole(AriaRole.Button, new() { Name = "Pause n8n" }).ClickAsync();
        await Expect(row.GetByText("Paused", new() { Exact = true })).ToBeVisibleAsync();
        await Expect(row.GetByRole(AriaRole.Button, new() { Name = "Refresh now n8n" })).ToHaveCountAsync(0);
        await row.GetByRole(AriaRole.Button, new() { Name = "Resume n8n" }).ClickAsync();
        await Expect(row.GetByText("n8n is read again, beginning now.")).ToBeVisibleAsync();
        await Expect(row.GetByText("Read on time")).ToBeVisibleAsync();

        await row.GetByRole(AriaRole.Link, new() { Name = "Details n8n" }).ClickAsync();
        await Expect(main.GetByRole(AriaRole.List, new() { Name = "Workflows" }).GetByRole(AriaRole.Listitem).First).ToBeVisibleAsync();
        await main.GetByRole(AriaRole.Button, new() { Name = "Disconnect" }).ClickAsync();
        var dialog = visit.Page.GetByRole(AriaRole.Dialog, new() { Name = "Disconnect n8n?" });
        await dialog.GetByLabel("Delete the numbers").CheckAsync();
        await visit.ScreenshotAsync("integrations-disconnect-light-1440", whole: false);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Disconnect and delete", Exact = true }).ClickAsync();
        await Expect(main.GetByRole(AriaRole.Button, new() { Name = "Connect n8n" })).ToBeVisibleAsync();
        using var api = await app.ApiAsync(Tenant);
        Assert.DoesNotContain((await api.GetAsync("integrations"))["integrations"]!.AsArray(), source => source!["connector"]!.GetValue<string>() == "n8n");
        // The wrong key is refused with 400, as it should be.
        Assert.All(visit.Complaints, said => Assert.Contains("status of 400", said, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lost_n8n_says_since_when_numbers_are_missing_and_a_new_key_brings_it_back()
    {
        const string Tenant = "Nordlicht Studio";
        var demo = DemoWorld.Tenants.Single(tenant => tenant.Name == Tenant);
        using var api = await app.ApiAsync(Tenant);
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync("/integrations", Tenant);
        var row = Row(visit, "n8n");
        try
        {
            app.N8n.SetApiKey(demo.N8nInstance!, "n8n_new_key");
            await row.GetByRole(AriaRole.Button, new() { Name = "Refresh now n8n" }).ClickAsync();
            await Expect(row.GetByText("Needs to be reconnected")).ToBeVisibleAsync();
            await Expect(row).ToContainTextAsync("Your n8n does not accept the API key");
            await Expect(row).ToContainTextAsync(new Regex(@"Last read .+ Numbers after .+ are missing, not zero\."));
            await visit.InBothThemesAsync("integrations-lost");

            await row.GetByRole(AriaRole.Button, new() { Name = "Reconnect" }).ClickAsync();
            var form = row.GetByRole(AriaRole.Form, new() { Name = "Reconnect n8n" });
            await form.GetByLabel("API key").FillAsync("n8n_new_key");
            await form.GetByRole(AriaRole.Button, new() { Name = "Reconnect" }).ClickAsync();
            await Expect(visit.Page.GetByText("n8n is connected again. It is read now.")).ToBeVisibleAsync();
            await Expect(row.GetByText("Read on time")).ToBeVisibleAsync();
        }
        finally
        {
            app.N8n.SetApiKey(demo.N8nInstance!, demo.N8nApiKey!);
            await api.SendAsync(HttpMethod.Patch, $"integrations/{DemoSeeder.IntegrationId(Tenant, "n8n")}", HttpStatusCode.OK, new { credentials = new { apiKey = demo.N8nApiKey } });
        }

        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task The_history_tells_the_story_of_a_reading_with_the_days_that_changed()
    {
        const string Tenant = "Kiwi Plumbing";
        var property = DemoWorld.Tenants.Single(tenant => tenant.Name == Tenant).Ga4PropertyId;
        using var api = await app.ApiAsync(Tenant);
        var day = DateOnly.ParseExact((await api.SummaryAsync("last_7_days"))["to"]!.GetValue<string>(), "yyyy-MM-dd", CultureInfo.InvariantCulture).AddDays(-1);
        var before = app.Google.Value(property, day, "sessions") ?? throw new InvalidOperationException($"The simulator has no sessions on {day}.");
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/integrations", Tenant);
        try
        {
            app.Google.SetValue(property, day, "sessions", before + 777);
            var row = Row(visit, "Google Analytics");
            await row.GetByRole(AriaRole.Button, new() { Name = "Refresh now Google Analytics" }).ClickAsync();
            await Expect(row.GetByText(new Regex(@"^Done, \d+ numbers? changed\.$"))).ToBeVisibleAsync();
            await visit.Page.GetByRole(AriaRole.Link, new() { Name = "History", Exact = true }).ClickAsync();
            var newest = visit.Page.GetByRole(AriaRole.Main).Locator("details").First;
            await Expect(newest).ToContainTextAsync("by hand");
            await newest.Locator("summary").First.ClickAsync();
            await Expect(newest.GetByRole(AriaRole.List, new() { Name = "What happened" })).ToContainTextAsync("Someone asked for it");
            var changed = newest.GetByRole(AriaRole.Listitem).Filter(new() { HasText = $"{Numbers.Count(before)} → {Numbers.Count(before + 777)}" });
            await Expect(changed).ToContainTextAsync("Sessions");
            await visit.CheckAsync("integrations-restated-light-1440");
            await newest.GetByText(new Regex(@"^What was asked \(\d+\)$")).ClickAsync();
            await Expect(newest.GetByText(new Regex(@"\d rows?")).First).ToBeVisibleAsync();

            await visit.Page.GetByLabel("State").SelectOptionAsync("Stopped trying");
            await Expect(visit.Page.GetByText("No reading fits.")).ToBeVisibleAsync();
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Show all" }).ClickAsync();
            await Expect(newest).ToContainTextAsync("by hand");
        }
        finally
        {
            app.Google.SetValue(property, day, "sessions", null);
            await api.RefreshAsync();
        }

        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_number_made_by_keyboard_is_filled_by_a_file_once_its_wrong_line_is_corrected()
    {
        const string Tenant = "Merch Shop";
        using var api = await app.ApiAsync(Tenant);
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/integrations/kpis", Tenant);
        var page = visit.Page;
        var name = $"Parcels {Guid.NewGuid():N}"[..20];
        var key = "custom." + name.Replace(' ', '_').ToLowerInvariant();
        try
        {
            await page.GetByRole(AriaRole.Button, new() { Name = "New number" }).FocusAsync();
            await page.Keyboard.PressAsync("Enter");
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "New number" })).ToBeFocusedAsync();
            await page.Keyboard.PressAsync("Tab");
            await page.Keyboard.TypeAsync(name);
            await Expect(page.GetByLabel("Key", new() { Exact = true })).ToHaveValueAsync(key["custom.".Length..]);
            await page.Keyboard.PressAsync("Enter");
            await Expect(page.GetByText($"“{name}” is defined.")).ToBeVisibleAsync();
            await Expect(page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = name })).ToContainTextAsync("no values yet");

            await page.GetByRole(AriaRole.Status).GetByRole(AriaRole.Link, new() { Name = "CSV import" }).ClickAsync();
            var today = DateOnly.FromDateTime(DateTime.UtcNow);
            string Day(int back) => today.AddDays(-back).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            await ChooseAsync(page, $"date,{key}\n{Day(4)},12\n{Day(3)},twelve\n");
            await Expect(page.GetByText("1 line is wrong, so nothing would be written")).ToBeVisibleAsync();
            await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Line 3");
            await Expect(page.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^Import ") })).ToHaveCountAsync(0);
            await visit.InBothThemesAsync("integrations-import-wrong");

            await ChooseAsync(page, $"date,{key}\n{Day(4)},12\n{Day(3)},15\n");
            // By its cell: the name of the number is random, and may hold these digits.
            var fifteen = page.GetByRole(AriaRole.Cell, new() { Name = "15", Exact = true });
            await Expect(page.GetByRole(AriaRole.Row).Filter(new() { Has = fifteen })).ToContainTextAsync("new");
            await visit.InBothThemesAsync("integrations-import-preview");
            await page.GetByRole(AriaRole.Button, new() { Name = "Import 2 values" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Region, new() { Name = "numbers.csv is imported" })).ToContainTextAsync("2 values written.");
            await visit.CheckAsync("integrations-import-done-light-1440");
            var kpi = (await api.GetAsync("kpis/custom"))["kpis"]!.AsArray().Single(one => one!["key"]!.GetValue<string>() == key)!;
            Assert.Equal((Day(4), Day(3)), (kpi["firstDay"]!.GetValue<string>(), kpi["lastDay"]!.GetValue<string>()));
        }
        finally
        {
            var made = (await api.GetAsync("kpis/custom"))["kpis"]!.AsArray().SingleOrDefault(one => one!["key"]!.GetValue<string>() == key);
            if (made is not null) await api.SendAsync(HttpMethod.Delete, $"kpis/custom/{made["id"]}", HttpStatusCode.NoContent);
        }

        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task What_a_file_leaves_open_is_asked_and_nothing_can_be_imported_before()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync("/integrations/import");
        await ChooseAsync(visit.Page, "date,kpi,value\n03/04/2026,custom.nothing,1\n");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Before the file can be read" })).ToBeVisibleAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^Import ") })).ToHaveCountAsync(0);
        await visit.InBothThemesAsync("integrations-import-question");
        await visit.Page.GetByLabel("Dates").SelectOptionAsync("day first (21/11/2026)");
        await Expect(visit.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Line 2");
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task The_minutes_of_a_workflow_and_the_schedule_are_changed_where_the_source_is()
    {
        const string Tenant = "Merch Shop";
        var n8n = DemoSeeder.IntegrationId(Tenant, "n8n");
        using var api = await app.ApiAsync(Tenant);
        var workflow = (await api.GetAsync($"integrations/{n8n}/workflows"))["workflows"]!.AsArray().First(one => one!["active"]!.GetValue<bool>())!;
        var (id, name) = (workflow["id"]!.GetValue<string>(), workflow["name"]!.GetValue<string>());
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync($"/integrations/{n8n}", Tenant);
        var main = visit.Page.GetByRole(AriaRole.Main);
        try
        {
            var minutes = main.GetByLabel($"Minutes saved per run of {name}");
            await minutes.FillAsync("many");
            await minutes.PressAsync("Enter");
            await Expect(main.GetByText("Enter 0 to 10,000 minutes")).ToBeVisibleAsync();
            await minutes.FillAsync("7,5");
            await minutes.PressAsync("Enter");
            await Expect(main.GetByRole(AriaRole.Status).Filter(new() { HasText = "Saved" })).ToHaveCountAsync(1);
            await Expect(minutes).ToHaveValueAsync("7.5");
            await Expect(main.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true })).ToHaveCountAsync(1);
            var saved = (await api.GetAsync($"integrations/{n8n}/workflows"))["workflows"]!.AsArray().Single(one => one!["id"]!.GetValue<string>() == id)!;
            Assert.Equal(7.5m, saved.Number("minutesSaved"));

            await main.GetByLabel("How often it is read").SelectOptionAsync("Every hour");
            await main.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
            await Expect(main.GetByText(new Regex("^Every hour · next "))).ToBeVisibleAsync();
            await Expect(main.GetByRole(AriaRole.Form, new() { Name = "Name and schedule" }).GetByRole(AriaRole.Status)).ToHaveTextAsync("Saved.");
            Assert.Equal("hourly", (await api.GetAsync($"integrations/{n8n}"))["schedule"]!.GetValue<string>());
        }
        finally
        {
            await api.SendAsync(HttpMethod.Patch, $"integrations/{n8n}", HttpStatusCode.OK, new { schedule = "daily" });
            await api.SendAsync(HttpMethod.Patch, $"integrations/{n8n}/workflows/{id}", HttpStatusCode.OK, new JsonObject { ["minutesSaved"] = workflow["minutesSaved"]?.DeepClone() });
        }

        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_token_for_n8n_stands_in_what_is_copied_and_what_is_sent_with_it_is_seen_to_arrive()
    {
        const string Tenant = "Merch Shop";
        using var api = await app.ApiAsync(Tenant);
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync($"/integrations/{DemoSeeder.IntegrationId(Tenant, "n8n")}", Tenant);
        var main = visit.Page.GetByRole(AriaRole.Main);
        await main.GetByRole(AriaRole.Button, new() { Name = "Set it up" }).ClickAsync();
        await main.GetByRole(AriaRole.Button, new() { Name = "Make a token" }).ClickAsync();
        var token = (await main.Locator("code").Filter(new() { HasTextRegex = new Regex("^kpi_") }).TextContentAsync())!;
        var snippet = main.GetByRole(AriaRole.Region, new() { Name = "What to copy" });
        await Expect(snippet).ToContainTextAsync("X-Kpi-Token");
        await Expect(snippet).ToContainTextAsync(token);
        await Expect(main.GetByText("Where each step goes")).ToBeVisibleAsync();
        Assert.Equal(4, JsonNode.Parse((await snippet.TextContentAsync())!)!["nodes"]!.AsArray().Count);
        await main.GetByRole(AriaRole.Button, new() { Name = "curl", Exact = true }).ClickAsync();
        await Expect(snippet).ToContainTextAsync(token);
        await visit.CheckAsync("integrations-n8n-token-light-1440");

        var now = DateTimeOffset.UtcNow;
        await api.SendAsync(HttpMethod.Post, "webhooks/n8n", HttpStatusCode.OK, new
        {
            workflowId = "browser",
            workflowName = "Browser",
            executionId = $"b{now.ToUnixTimeMilliseconds()}",
            status = "running",
            startedAt = now,
        }, token);
        await main.GetByRole(AriaRole.Button, new() { Name = "Check again" }).ClickAsync();
        await Expect(main.GetByText(new Regex("^Last received just now, with the token “n8n webhook”"))).ToBeVisibleAsync();

        // What was refused says why, where it is set up.
        await api.SendAsync(HttpMethod.Post, "webhooks/n8n", HttpStatusCode.UnprocessableEntity, new { workflowId = "browser", status = "success" }, token);
        await visit.Page.ReloadAsync();
        await main.GetByRole(AriaRole.Button, new() { Name = "Only what was refused" }).ClickAsync();
        await Expect(main.GetByText(new Regex("^'executionId' is missing")).First).ToBeVisibleAsync();
        await visit.CheckAsync("integrations-n8n-log-light-1440");
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_viewer_reads_and_changes_nothing_and_the_page_is_two_keys_away()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync(email: DemoSeeder.ViewerEmail);
        await visit.Page.Keyboard.PressAsync("g");
        await visit.Page.Keyboard.PressAsync("i");
        var main = visit.Page.GetByRole(AriaRole.Main);
        await Expect(main.GetByText("Owners and admins connect and change sources; your role is viewer.")).ToBeVisibleAsync();
        await Expect(Row(visit, "n8n").GetByText("Complete through")).ToBeVisibleAsync();
        await Expect(main.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
        await visit.InBothThemesAsync("integrations-viewer");
        await visit.Page.GotoAsync("/integrations/import");
        await Expect(main.GetByText("Viewers read; members, admins and owners import.")).ToBeVisibleAsync();
        visit.AssertNoComplaints();
    }

    private static ILocator Row(Visit visit, string source) =>
        visit.Page.GetByRole(AriaRole.List, new() { Name = "Connected sources" }).GetByRole(AriaRole.Listitem)
            .Filter(new() { Has = visit.Page.GetByRole(AriaRole.Heading, new() { Name = source, Exact = true }) });

    private static Task ChooseAsync(IPage page, string csv) =>
        page.Locator("input[type=file]").SetInputFilesAsync(new FilePayload { Name = "numbers.csv", MimeType = "text/csv", Buffer = Encoding.UTF8.GetBytes(csv) });
}
