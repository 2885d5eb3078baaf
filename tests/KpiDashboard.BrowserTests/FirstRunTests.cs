using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.Demo.Simulation;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>The first minutes of a business: from the registration to its first numbers.</summary>
[Collection<SecondApp>]
public sealed class FirstRunTests(AppFixture app)
{
    private static readonly DemoTenant Merch = DemoWorld.Tenants[0];

    [Fact]
    public async Task From_the_registration_over_both_sources_to_the_numbers_without_a_reload()
    {
        var email = MailBox.FreshAddress();
        await using var visit = await app.VisitAsync(Screen.Phone);
        var (page, main) = (visit.Page, visit.Page.GetByRole(AriaRole.Main));
        await page.GotoAsync("/register");
        await page.GetByLabel("Your name").FillAsync("Anna Smith");
        await page.GetByLabel("Name of the business").FillAsync("Smith & Daughters");
        await page.GetByLabel("E-mail address").FillAsync(email);
        await page.GetByRole(AriaRole.Textbox, new() { Name = "Password" }).FillAsync(MailBox.Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Register" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/welcome$"));
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Set up Smith & Daughters");
        await Expect(main.GetByText("Days end at midnight in London, money is in GBP.")).ToBeVisibleAsync();

        // The overview of a business without a source leads back here with one button.
        await page.GotoAsync(await app.LinkAsync(email, "verify-email"));
        await page.GetByRole(AriaRole.Link, new() { Name = "Go to the overview" }).ClickAsync();
        await Expect(main.GetByRole(AriaRole.Heading, new() { Name = "No numbers yet" })).ToBeVisibleAsync();
        await visit.InBothThemesAsync("overview-nothing");
        await visit.TargetsAreLargeAsync();
        await main.GetByRole(AriaRole.Link, new() { Name = "Connect a source" }).ClickAsync();
        var google = Step(visit, "Google Analytics");
        await Expect(google).ToHaveAttributeAsync("aria-current", "step");
        await visit.InBothThemesAsync("welcome");
        await visit.TargetsAreLargeAsync();

        // To Google and back: nothing but the welcome is seen in between.
        await google.GetByRole(AriaRole.Button, new() { Name = "Connect Google Analytics" }).ClickAsync();
        await page.GetByLabel("nothing@demo.example").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Expect(google).ToContainTextAsync("The sign-in at Google was cancelled. Nothing was changed.");
        await google.GetByRole(AriaRole.Button, new() { Name = "Connect Google Analytics" }).ClickAsync();
        await page.GetByLabel("agency@demo.example").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Allow" }).ClickAsync();
        var picker = google.GetByRole(AriaRole.Form, new() { Name = "Choose a property" });
        await picker.Locator($"input[value='{Merch.Ga4PropertyId}']").CheckAsync();
        await picker.GetByRole(AriaRole.Button, new() { Name = "Connect", Exact = true }).ClickAsync();
        await Expect(google).ToContainTextAsync("Connected");
        await Expect(google).ToContainTextAsync(new Regex(@"\d days? read"));

        var n8n = Step(visit, "n8n");
        await Expect(n8n).ToHaveAttributeAsync("aria-current", "step");
        await n8n.GetByRole(AriaRole.Button, new() { Name = "Connect n8n" }).ClickAsync();
        await n8n.GetByLabel("Address of your n8n").FillAsync(app.N8n.BaseUrl(Merch.N8nInstance!).ToString());
        await n8n.GetByLabel("API key").FillAsync(Merch.N8nApiKey!);
        await n8n.GetByRole(AriaRole.Button, new() { Name = "Connect", Exact = true }).ClickAsync();

        // What an hour costs is asked only now that somebody saves hours.
        var worth = Step(visit, "What an hour of work costs");
        await Expect(worth).ToHaveAttributeAsync("aria-current", "step");
        var amount = worth.GetByLabel("Cost of an hour, in GBP");
        await amount.FillAsync("a lot");
        await worth.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(worth.GetByText("Enter an amount such as 35 or 42.50.")).ToBeVisibleAsync();
        await visit.InAllLooksAsync("welcome-worth");
        await amount.FillAsync("42.50");
        await worth.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();

        await Expect(visit.Tile("Revenue")).ToBeVisibleAsync();
        await Expect(visit.Tile("Time saved")).ToBeVisibleAsync();
        await Expect(page).ToHaveURLAsync(new Regex("[^/]/$"));
        await Expect(main.GetByText("Worth", new() { Exact = true }).First).ToBeVisibleAsync();
        // Nothing is left to ask.
        await page.GotoAsync("/welcome");
        await Expect(visit.Tile("Revenue")).ToBeVisibleAsync();
        Assert.DoesNotContain(visit.Complaints, said => !said.Contains("/favicon.ico", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_first_reading_is_followed_says_why_it_stopped_and_gives_way_to_the_overview_once_it_is_mended()
    {
        await using var visit = await NewAsync(Screen.Desktop);
        var (page, main) = (visit.Page, visit.Page.GetByRole(AriaRole.Main));
        var instance = Merch.N8nInstance!;
        try
        {
            await page.GotoAsync("/welcome");
            await Step(visit, "Google Analytics").GetByRole(AriaRole.Button, new() { Name = "Skip for now" }).ClickAsync();
            var n8n = Step(visit, "n8n");
            await n8n.GetByRole(AriaRole.Button, new() { Name = "Connect n8n" }).ClickAsync();
            await n8n.GetByLabel("Address of your n8n").FillAsync(app.N8n.BaseUrl(instance).ToString());
            await n8n.GetByLabel("API key").FillAsync(Merch.N8nApiKey!);
            await visit.InAllLooksAsync("welcome-n8n");
            // Slow from the first page of executions on; what tries the connection is not.
            app.N8n.Faults.Schedule = (_, _) => new Fault.Delay(TimeSpan.FromSeconds(4));
            await n8n.GetByRole(AriaRole.Button, new() { Name = "Connect", Exact = true }).ClickAsync();
            await Step(visit, "What an hour of work costs").GetByRole(AriaRole.Button, new() { Name = "Skip for now" }).ClickAsync();
            await Expect(main.GetByRole(AriaRole.Heading, new() { Name = "The first numbers are on their way" })).ToBeVisibleAsync();
            var row = main.GetByRole(AriaRole.List, new() { Name = "First readings" }).GetByRole(AriaRole.Listitem);
            await Expect(row).ToContainTextAsync("Reading");
            app.N8n.SetApiKey(instance, "n8n_another_key");
            app.N8n.Faults.Schedule = null;

            await Expect(main.GetByRole(AriaRole.Heading, new() { Name = "The first reading did not work" })).ToBeVisibleAsync();
            await Expect(row).ToContainTextAsync("Your n8n does not accept the API key");
            await row.GetByRole(AriaRole.Link, new() { Name = "Reconnect" }).ClickAsync();
            await main.GetByRole(AriaRole.Button, new() { Name = "Reconnect" }).ClickAsync();
            var form = main.GetByRole(AriaRole.Form, new() { Name = "Reconnect n8n" });
            await form.GetByLabel("API key").FillAsync("n8n_another_key");
            await form.GetByRole(AriaRole.Button, new() { Name = "Reconnect" }).ClickAsync();
            await Expect(page.GetByText("n8n is connected again. It is read now.")).ToBeVisibleAsync();
            await page.GetByRole(AriaRole.Navigation, new() { Name = "Main" }).GetByRole(AriaRole.Link, new() { Name = "Overview" }).ClickAsync();
            await Expect(visit.Tile("Time saved")).ToBeVisibleAsync();
        }
        finally
        {
            app.N8n.Faults.Schedule = null;
            app.N8n.SetApiKey(instance, Merch.N8nApiKey!);
        }

        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task The_demonstration_is_marked_on_every_page_and_removed_with_one_button()
    {
        await using var visit = await NewAsync(Screen.Phone);
        var (page, main) = (visit.Page, visit.Page.GetByRole(AriaRole.Main));
        await page.GotoAsync("/welcome");
        foreach (var name in new[] { "Google Analytics", "n8n" })
            await Step(visit, name).GetByRole(AriaRole.Button, new() { Name = "Skip for now" }).ClickAsync();
        var demo = Step(visit, "Look around with demo data");
        await Expect(demo).ToContainTextAsync("“Merch Shop” is a demonstration");
        await visit.InAllLooksAsync("welcome-demo");
        await demo.GetByRole(AriaRole.Button, new() { Name = "Open the demo" }).ClickAsync();
        await Expect(visit.Tile("Revenue")).ToBeVisibleAsync();
        var banner = page.GetByRole(AriaRole.Complementary, new() { Name = "Demo data" });
        await Expect(banner).ToBeVisibleAsync();
        await visit.InAllLooksAsync("demo-guest");
        foreach (var path in new[] { "/automation", "/metrics/shop.revenue", "/goals", "/dashboards", "/integrations", "/settings/business" })
        {
            await page.GotoAsync(path);
            await Expect(banner).ToContainTextAsync("Demo data: “Merch Shop” is a demonstration, not your business.");
        }

        await banner.GetByRole(AriaRole.Button, new() { Name = "Back to Own Test Shop" }).ClickAsync();
        await Expect(main.GetByRole(AriaRole.Heading, new() { Name = "No numbers yet" })).ToBeVisibleAsync();
        await Expect(banner).ToHaveCountAsync(0);
        await main.GetByRole(AriaRole.Button, new() { Name = "Look around with demo data" }).ClickAsync();
        await banner.GetByRole(AriaRole.Button, new() { Name = "Remove the demo" }).ClickAsync();
        await Expect(main.GetByRole(AriaRole.Heading, new() { Name = "No numbers yet" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Choose another business" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.List, new() { Name = "Businesses" }).GetByRole(AriaRole.Listitem)).ToHaveCountAsync(1);
        visit.AssertNoComplaints();
    }

    /// <summary>What the API says is given here, so that each state can be looked at whatever else happened before.</summary>
    [Fact]
    public async Task Axe_finds_nothing_on_an_overview_without_numbers_in_any_of_its_states()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var bare = await api.SummaryAsync();
        (bare["kpis"], bare["freshness"]) = (new JsonArray(), new JsonArray());
        var source = (await api.GetAsync("integrations"))["integrations"]!.AsArray().First(one => one!["connector"]!.GetValue<string>() == "google-analytics")!;
        JsonNode With(params (string Name, JsonNode? Value)[] parts)
        {
            var copy = source.DeepClone();
            foreach (var (name, value) in parts) copy[name] = value;
            return copy;
        }

        var run = (await api.GetAsync("sync/runs?limit=1"))["runs"]![0]!.DeepClone();
        (run["integrationId"], run["connector"], run["displayName"]) = (source["id"]!.DeepClone(), "google-analytics", "Google Analytics");
        (run["status"], run["finishedAt"], run["slicesDone"], run["slicesTotal"], run["windowFrom"], run["windowTo"]) = ("running", null, 2, 5, "2025-10-09", "2026-11-22");
        foreach (var screen in Looks.Screens)
        {
            await using var visit = await app.VisitAsync(screen);
            await visit.SignInAsync();
            await GiveAsync(visit, "metrics/summary?*", bare);
            await GiveAsync(visit, "demo", new JsonObject { ["tenantId"] = null, ["name"] = null, ["joined"] = false });
            foreach (var (name, heading, sources, runs) in new (string, string, JsonNode[], JsonNode[])[]
            {
                ("nothing", "No numbers yet", [], []),
                ("reading", "The first numbers are on their way", [With(("status", "syncing"), ("fetchedAt", null), ("completeThrough", null), ("finalThrough", null), ("readFrom", "2026-06-02"))], [run]),
                ("failed", "The first reading did not work", [With(("status", "failing"), ("fetchedAt", null), ("completeThrough", null), ("readFrom", null), ("message", "Google Analytics could not be read the last 2 times: it did not answer. It is tried again by itself."))], []),
                ("found-nothing", "It was read, and has nothing yet", [With(("status", "ok"))], []),
                ("paused", "No numbers yet, and nothing is being read", [With(("status", "paused"))], []),
            })
            {
                await GiveAsync(visit, "integrations", new JsonObject { ["integrations"] = new JsonArray([.. sources]), ["connectable"] = new JsonArray() });
                await GiveAsync(visit, "sync/runs?*", new JsonObject { ["runs"] = new JsonArray([.. runs.Select(one => one.DeepClone())]), ["nextCursor"] = null });
                foreach (var one in runs) await GiveAsync(visit, $"sync/runs/{one["id"]}", one);
                await visit.Page.GotoAsync("/");
                await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = heading })).ToBeVisibleAsync();
                if (name == "reading") await Expect(visit.Page.GetByText("2 of 5 parts")).ToBeVisibleAsync();
                await visit.InBothThemesAsync($"overview-{name}");
                if (screen == Screen.Phone) await visit.TargetsAreLargeAsync();
            }

            visit.AssertNoComplaints();
        }

        await using var viewer = await app.VisitAsync(Screen.Phone);
        await viewer.SignInAsync(email: DemoSeeder.ViewerEmail);
        await GiveAsync(viewer, "metrics/summary?*", bare);
        await GiveAsync(viewer, "integrations", new JsonObject { ["integrations"] = new JsonArray(), ["connectable"] = new JsonArray() });
        await viewer.Page.GotoAsync("/");
        var main = viewer.Page.GetByRole(AriaRole.Main);
        await Expect(main).ToContainTextAsync("Your role is viewer: ask an owner or admin of the business to connect one.");
        await Expect(main.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
        await viewer.InAllLooksAsync("overview-nothing-viewer");
        await viewer.Page.GotoAsync("/welcome");
        await Expect(main).ToContainTextAsync("Owners and admins connect the sources of a business.");
        await viewer.CheckAsync("welcome-viewer-light-360");
        viewer.AssertNoComplaints();
    }

    [Fact]
    public async Task Axe_finds_nothing_on_the_welcome_on_a_desk_and_a_skipped_step_and_the_region_can_be_had_back()
    {
        await using var visit = await NewAsync(Screen.Desktop);
        var (page, main) = (visit.Page, visit.Page.GetByRole(AriaRole.Main));
        await page.GotoAsync("/welcome");
        await visit.InBothThemesAsync("welcome");
        await main.GetByRole(AriaRole.Button, new() { Name = "Change" }).ClickAsync();
        await main.GetByLabel("Time zone").SelectOptionAsync("Europe/Berlin");
        await main.GetByLabel("Currency").SelectOptionAsync("EUR");
        await visit.InAllLooksAsync("welcome-region");
        await main.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(main.GetByText("Days end at midnight in Berlin, money is in EUR. This browser is in London.")).ToBeVisibleAsync();
        var google = Step(visit, "Google Analytics");
        await google.GetByRole(AriaRole.Button, new() { Name = "Skip for now" }).ClickAsync();
        await Expect(Step(visit, "n8n")).ToHaveAttributeAsync("aria-current", "step");
        await visit.InAllLooksAsync("welcome-skipped");
        await google.GetByRole(AriaRole.Button, new() { Name = "Do it now" }).ClickAsync();
        await Expect(google).ToHaveAttributeAsync("aria-current", "step");
        visit.AssertNoComplaints();
    }

    private static ILocator Step(Visit visit, string title) =>
        visit.Page.GetByRole(AriaRole.List, new() { Name = "Steps" }).Locator("> li").Filter(new() { Has = visit.Page.GetByRole(AriaRole.Heading, new() { Level = 2, NameRegex = new Regex($"^{Regex.Escape(title)}") }) });

    /// <summary>A visit by somebody who has just registered.</summary>
    private async Task<Visit> NewAsync(Screen screen)
    {
        var visit = await app.VisitAsync(screen);
        var answer = await visit.Context.APIRequest.PostAsync("/api/auth/register", new() { DataObject = MailBox.Registration(MailBox.FreshAddress()) });
        Assert.Equal((int)HttpStatusCode.Created, answer.Status);
        return visit;
    }

    private static Task GiveAsync(Visit visit, string path, JsonNode answer) =>
        visit.Page.RouteAsync($"**/api/{path}", route => route.FulfillAsync(new() { Body = answer.ToJsonString(), ContentType = "application/json" }));
}
