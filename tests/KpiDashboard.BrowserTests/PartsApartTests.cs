using System.Text.Json.Nodes;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>Parts of the page that come later, forms without a form of their own, and somebody with many businesses.</summary>
[Collection<SecondApp>]
public sealed class PartsApartTests(AppFixture app)
{
    [Fact]
    public async Task Signing_out_without_a_network_and_without_what_the_next_page_is_made_of_says_so_and_goes_on_by_itself()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync();
        await visit.SettledAsync();
        await visit.Context.SetOfflineAsync(true);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Main)).ToContainTextAsync("You are offline.");
        await Expect(visit.Page.GetByText("stopped working")).ToHaveCountAsync(0);
        await visit.ScreenshotAsync("offline-part-signed-out");
        await visit.Context.SetOfflineAsync(false);
        await Expect(visit.SignInForm).ToBeVisibleAsync();
        var answer = await visit.Context.APIRequest.PostAsync("/api/auth/refresh");
        Assert.Equal(401, answer.Status);
    }

    [Fact]
    public async Task A_page_that_was_never_loaded_leaves_the_others_as_they_are_without_a_network_and_comes_with_it()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync();
        await visit.SettledAsync();
        var sessions = await visit.Tile("Sessions").InnerTextAsync();
        Assert.Matches(@"\d", sessions);
        await visit.Context.SetOfflineAsync(true);
        async Task GoAsync(string place)
        {
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Menu" }).TapAsync();
            await visit.Page.GetByRole(AriaRole.Link, new() { Name = place, Exact = true }).TapAsync();
        }

        await GoAsync("Goals");
        await Expect(visit.Page.GetByRole(AriaRole.Main).First).ToContainTextAsync("You are offline.");
        await visit.ScreenshotAsync("offline-part-360");
        await GoAsync("Overview");
        await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
        Assert.Equal(sessions, await visit.Tile("Sessions").InnerTextAsync());
        await GoAsync("Goals");
        await Expect(visit.Page.GetByRole(AriaRole.Main).First).ToContainTextAsync("You are offline.");
        await visit.Context.SetOfflineAsync(false);
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Goals" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_refresh_stands_beside_the_period_where_there_is_one_and_else_at_the_side()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync();
        var refresh = visit.Page.GetByRole(AriaRole.Button, new() { Name = "Refresh", Exact = true });
        var main = visit.Page.GetByRole(AriaRole.Main);
        foreach (var (path, beside) in new[]
        {
            ("/", true), ("/analytics", true), ("/automation", true), ("/insights", true), ("/metrics/web.sessions", true),
            ("/goals", false), ("/integrations", false),
        })
        {
            await visit.Page.GotoAsync(path);
            if (beside)
            {
                await Expect(main.GetByRole(AriaRole.Button, new() { Name = "Refresh", Exact = true })).ToBeVisibleAsync();
                await Expect(main.GetByRole(AriaRole.Group, new() { Name = "Period" })).ToBeVisibleAsync();
                // What comes late moves what is there: it is measured once nothing moves any more.
                await visit.SettledAsync();
                var period = (await main.GetByRole(AriaRole.Group, new() { Name = "Period" }).BoundingBoxAsync())!;
                var button = (await refresh.BoundingBoxAsync())!;
                Assert.True(Math.Abs(button.Y - period.Y) < 100, $"{path}: the refresh is at {button.Y}, the period at {period.Y}.");
            }

            await Expect(refresh).ToHaveCountAsync(1);
            await Expect(main.GetByRole(AriaRole.Button, new() { Name = "Refresh", Exact = true })).ToHaveCountAsync(beside ? 1 : 0);
        }

        await visit.Page.GotoAsync("/");
        await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
        await visit.InBothThemesAsync("refresh-beside-period");
    }

    [Fact]
    public async Task Somebody_with_eleven_businesses_finds_one_in_the_switcher_and_sees_which_is_in_trouble()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        var page = visit.Page;
        var session = await SendAsync("/api/auth/register", MailBox.Registration(MailBox.FreshAddress()), null);
        for (var n = 1; n <= 10; n++)
        {
            var name = n == 7 ? "Zebra Tours" : $"Branch {n:00}";
            session = await SendAsync("/api/tenants", new { businessName = name, timeZone = "Europe/London", currency = "GBP" }, (string)session["accessToken"]!);
        }

        // What is wrong with a source is the server's to say, and tested there; here one business is said to be in trouble.
        await page.RouteAsync("**/api/tenants", async route =>
        {
            if (route.Request.Method != "GET")
            {
                await route.ContinueAsync();
                return;
            }

            var answer = await route.FetchAsync();
            var body = JsonNode.Parse(await answer.TextAsync())!;
            body["tenants"]!.AsArray().Single(one => (string)one!["name"]! == "Zebra Tours")!["health"] = "trouble";
            await route.FulfillAsync(new() { Response = answer, Body = body.ToJsonString() });
        });
        await page.GotoAsync("/");
        await page.GetByRole(AriaRole.Button, new() { Name = "Choose another business" }).TapAsync();
        var list = page.GetByRole(AriaRole.List, new() { Name = "Businesses" });
        await Expect(list.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(11);
        await Expect(list.GetByRole(AriaRole.Button, new() { Name = "In trouble: Zebra Tours" })).ToBeVisibleAsync();
        await Expect(list.Locator(".bg-trouble")).ToHaveCountAsync(1);
        await visit.InBothThemesAsync("switcher-many");
        await page.GetByPlaceholder("Find a business").FillAsync("zebra");
        await Expect(list.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(1);
        await page.GetByPlaceholder("Find a business").FillAsync("nobody");
        await Expect(page.GetByRole(AriaRole.Status).Filter(new() { HasText = "No business is called “nobody”." })).ToBeVisibleAsync();
        await page.GetByPlaceholder("Find a business").FillAsync("zebra");
        await list.GetByRole(AriaRole.Button).First.TapAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Choose another business" })).ToContainTextAsync("Zebra Tours");

        async Task<JsonNode> SendAsync(string path, object body, string? token)
        {
            var answer = await visit.Context.APIRequest.PostAsync(
                path, new() { DataObject = body, Headers = token is null ? [] : new Dictionary<string, string> { ["X-Kpi-Token"] = token } });
            var text = await answer.TextAsync();
            Assert.True(answer.Ok, text);
            return JsonNode.Parse(text)!;
        }
    }

    [Fact]
    public async Task What_is_typed_for_a_link_to_a_dashboard_is_asked_about_and_outlives_a_reload_and_a_password_is_only_asked_about()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        var page = visit.Page;
        await visit.SignInAsync("/settings/profile");
        await page.GetByLabel("Current password").FillAsync("half a passw");
        await page.GetByRole(AriaRole.Link, new() { Name = "Goals", Exact = true }).First.ClickAsync();
        var question = page.GetByRole(AriaRole.Dialog, new() { Name = "Leave without saving?" });
        await question.GetByRole(AriaRole.Button, new() { Name = "Stay here" }).ClickAsync();
        await Expect(page.GetByLabel("Current password")).ToHaveValueAsync("half a passw");
        Assert.DoesNotContain("half a passw", await page.EvaluateAsync<string>("JSON.stringify({ ...sessionStorage, ...localStorage })"), StringComparison.Ordinal);
        await page.GetByRole(AriaRole.Link, new() { Name = "Dashboards", Exact = true }).First.ClickAsync();
        await question.GetByRole(AriaRole.Button, new() { Name = "Leave and discard" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Dashboards");

        using var api = await app.ApiAsync("Merch Shop");
        var id = (string)(await api.SendAsync(System.Net.Http.HttpMethod.Post, "dashboards", System.Net.HttpStatusCode.Created, new { name = "For others", template = "morning" }))["id"]!;
        await page.GotoAsync($"/dashboards/{id}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Share a link" }).First.ClickAsync();
        var name = page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Textbox).First;
        await name.FillAsync("For the accountant");
        page.Dialog += (_, leave) => _ = leave.AcceptAsync();
        await page.ReloadAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Share a link" }).First.ClickAsync();
        await Expect(name).ToHaveValueAsync("For the accountant");
        await name.FillAsync("");
        await api.SendAsync(System.Net.Http.HttpMethod.Delete, $"dashboards/{id}", System.Net.HttpStatusCode.NoContent);
    }
}
