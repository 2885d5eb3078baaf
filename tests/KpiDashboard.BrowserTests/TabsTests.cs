using System.Text.Json.Nodes;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>Tabs of one browser share a session: what one does to it, the others say, and none writes into a business that it does not show.</summary>
[Collection<FirstApp>]
public sealed class TabsTests(AppFixture app)
{
    [Fact]
    public async Task A_tab_that_another_one_left_behind_says_so_keeps_what_was_typed_and_writes_nothing_into_the_other_business()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        var (first, second) = await TwoBusinessesAsync(visit);
        await visit.Page.GotoAsync("/settings/business");
        var name = visit.Page.GetByLabel("Name of the business");
        await Expect(name).ToHaveValueAsync("Second Shop");
        var other = await visit.Context.NewPageAsync();
        await other.GotoAsync("/businesses");
        await name.FillAsync("Second Shop, renamed");

        await SwitchAsync(other, "Own Test Shop");
        var notice = visit.Page.GetByRole(AriaRole.Region, new() { Name = "Another tab" });
        await Expect(notice).ToContainTextAsync("You switched to Own Test Shop in another tab.");
        await Expect(notice).ToContainTextAsync("This tab still shows Second Shop.");
        await Expect(name).ToHaveValueAsync("Second Shop, renamed");
        await visit.InAllLooksAsync("tabs-switched");

        // A quarter of an hour later: the token of this tab has run out, and what it gets in its place is for the other business.
        var sent = new List<string>();
        visit.Page.Request += (_, request) =>
        {
            if (request.Method == "PUT" && request.Url.EndsWith("/api/tenant", StringComparison.Ordinal)) sent.Add(request.Headers["x-kpi-tenant"]);
        };
        var over = false;
        // The route stays: taken away, interception is switched off under the request that follows, and that one may never be answered.
        await visit.Page.RouteAsync("**/api/tenant", async route =>
        {
            if (route.Request.Method == "PUT" && !over)
            {
                over = true;
                await route.FulfillAsync(new() { Status = 401, ContentType = "application/problem+json", Body = "{}" });
            }
            else
            {
                await route.ContinueAsync();
            }
        });
        var save = visit.Page.GetByRole(AriaRole.Button, new() { Name = "Save" });
        await save.ClickAsync();
        await Expect(visit.Page.GetByText("Nothing was sent: you switched to Own Test Shop in another tab.").First).ToBeVisibleAsync();
        await Expect(name).ToHaveValueAsync("Second Shop, renamed");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).Not.ToContainTextAsync("Own Test Shop");
        // The one that the route above answered; none went on to the server.
        Assert.Equal([second.ToString()], sent);
        Assert.Equal(["Own Test Shop", "Second Shop"], await NamesAsync(other));

        await notice.GetByRole(AriaRole.Button, new() { Name = "Go back to Second Shop" }).ClickAsync();
        await Expect(notice).ToHaveCountAsync(0);
        await save.ClickAsync();
        await Expect(visit.Page.GetByText("There are changes that are not saved.")).ToHaveCountAsync(0);
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Choose another business" }).First).ToContainTextAsync("Second Shop, renamed");
        Assert.Equal([second.ToString(), second.ToString()], sent);
        Assert.Equal(["Own Test Shop", "Second Shop, renamed"], await NamesAsync(other));

        // Now the other tab is the one that was left behind; it goes along at the person's word.
        var there = other.GetByRole(AriaRole.Region, new() { Name = "Another tab" });
        await Expect(there).ToContainTextAsync("This tab still shows Own Test Shop.");
        await there.GetByRole(AriaRole.Button, new() { NameRegex = new("^Show Second Shop.* here$") }).ClickAsync();
        await Expect(there).ToHaveCountAsync(0);
        await other.GotoAsync("/settings/business");
        await Expect(other.GetByLabel("Name of the business")).ToHaveValueAsync("Second Shop, renamed");
        Assert.NotEqual(first, second);
    }

    [Fact]
    public async Task Signing_out_in_one_tab_covers_the_others_which_go_on_with_what_was_typed_once_the_same_person_is_back()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/settings/members");
        var email = visit.Page.GetByRole(AriaRole.Form, new() { Name = "Invite somebody" }).GetByRole(AriaRole.Textbox).First;
        await email.FillAsync("someone-new@example.com");
        var other = await visit.Context.NewPageAsync();
        await other.GotoAsync("/");
        await other.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();

        var notice = visit.Page.GetByRole(AriaRole.Dialog, new() { Name = "Another tab" });
        await Expect(notice).ToContainTextAsync("You signed out in another tab.");
        await Expect(visit.Page.GetByRole(AriaRole.Main)).ToHaveCountAsync(0);
        await visit.Page.Keyboard.PressAsync("Escape");
        await Expect(notice).ToBeVisibleAsync();
        await visit.InAllLooksAsync("tabs-signed-out");

        var form = other.GetByRole(AriaRole.Form, new() { Name = "Sign in" });
        await form.GetByLabel("E-mail address").FillAsync(Demo.Seeding.DemoSeeder.OwnerEmail);
        await form.GetByRole(AriaRole.Textbox, new() { Name = "Password" }).FillAsync(Demo.Seeding.DemoSeeder.Password);
        await form.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(notice).ToHaveCountAsync(0);
        await Expect(email).ToHaveValueAsync("someone-new@example.com");
    }

    /// <summary>Somebody new with two businesses, signed in to the second.</summary>
    private static async Task<(Guid First, Guid Second)> TwoBusinessesAsync(Visit visit)
    {
        var registered = await SessionAsync("/api/auth/register", MailBox.Registration(MailBox.FreshAddress()), null);
        var second = await SessionAsync("/api/tenants", new { businessName = "Second Shop", timeZone = "Europe/London", currency = "GBP" }, (string)registered["accessToken"]!);
        return ((Guid)registered["tenant"]!["id"]!, (Guid)second["tenant"]!["id"]!);

        async Task<JsonNode> SessionAsync(string path, object body, string? token)
        {
            var answer = await visit.Context.APIRequest.PostAsync(path, new() { DataObject = body, Headers = token is null ? [] : new Dictionary<string, string> { ["X-Kpi-Token"] = token } });
            var text = await answer.TextAsync();
            Assert.True(answer.Ok, text);
            return JsonNode.Parse(text)!;
        }
    }

    private static async Task SwitchAsync(IPage page, string business)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Choose another business" }).ClickAsync();
        await page.GetByRole(AriaRole.List, new() { Name = "Businesses" }).GetByRole(AriaRole.Button, new() { Name = business }).First.ClickAsync();
    }

    /// <summary>How the person's businesses are called by now, asked by a session of its own.</summary>
    private static async Task<IReadOnlyList<string>> NamesAsync(IPage page)
    {
        var answer = await page.Context.APIRequest.PostAsync("/api/auth/refresh");
        var session = JsonNode.Parse(await answer.TextAsync())!;
        return [.. session["tenants"]!.AsArray().Select(tenant => (string)tenant!["name"]!).Order(StringComparer.Ordinal)];
    }
}
