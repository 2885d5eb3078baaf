using System.Net;
using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Seeding;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>The settings of a business and of a person, and the list of businesses.</summary>
[Collection<SecondApp>]
public sealed partial class SettingsPagesTests(AppFixture app)
{
    private static readonly (string Name, string Path, string Heading)[] s_pages =
    [
        ("settings", "/settings", ""),
        ("settings-business", "/settings/business", "Business"),
        ("settings-profile", "/settings/profile", "Your profile"),
        ("settings-members", "/settings/members", "Members"),
        ("settings-tokens", "/settings/tokens", "API tokens"),
        ("settings-audit", "/settings/audit", "Audit log"),
        ("settings-data", "/settings/data", "Data"),
        ("businesses", "/businesses", "Businesses"),
    ];

    [Theory]
    [InlineData(360)]
    [InlineData(1440)]
    public async Task Axe_finds_nothing_on_any_page_of_an_owner_and_none_scrolls_sideways(int width)
    {
        await using var visit = await app.VisitAsync(width == 360 ? Screen.Phone : Screen.Desktop);
        await visit.SignInAsync();
        foreach (var (name, path, heading) in s_pages)
        {
            await OpenAsync(visit, path, heading.Length > 0 ? heading : width == 360 ? "Settings" : "Business");
            await visit.InBothThemesAsync(name);
        }

        visit.AssertNoComplaints();
    }

    [Theory]
    [InlineData(360)]
    [InlineData(1440)]
    public async Task A_viewer_reads_and_is_told_who_may_more(int width)
    {
        await using var visit = await app.VisitAsync(width == 360 ? Screen.Phone : Screen.Desktop);
        await visit.SignInAsync(email: DemoSeeder.ViewerEmail);
        foreach (var (name, path, heading) in s_pages[1..])
        {
            await OpenAsync(visit, path, heading);
            await visit.CheckAsync($"{name}-viewer-{width}");
        }

        visit.AssertNoComplaints();

        var main = visit.Page.GetByRole(AriaRole.Main);
        await visit.Page.GotoAsync("/settings/business");
        await Expect(main.GetByText("Owners and admins change them; your role is viewer.")).ToBeVisibleAsync();
        await Expect(main.GetByLabel("Labour cost per hour")).ToBeDisabledAsync();
        await visit.Page.GotoAsync("/settings/audit");
        await Expect(main.GetByText("Only the owner of a business reads its audit log.")).ToBeVisibleAsync();
        await Expect(main.GetByRole(AriaRole.Link, new() { Name = "Audit log" })).ToHaveCountAsync(0);
        await visit.Page.GotoAsync("/settings/members");
        // Columns of roles on a desk, sentences with their roles on a phone.
        var may = main.GetByRole(AriaRole.Region, new() { Name = "Who may do what" });
        await Expect(may.GetByRole(AriaRole.Row)).ToHaveCountAsync(0);
        await may.GetByText("Show what each role may do").ClickAsync();
        await Expect(may.GetByRole(width == 360 ? AriaRole.Listitem : AriaRole.Row).Filter(new() { HasText = "Owner" }).First).ToBeVisibleAsync();
        await Expect(main.GetByRole(AriaRole.Form, new() { Name = "Invite somebody" })).ToHaveCountAsync(0);
        await Expect(main.GetByRole(AriaRole.Button, new() { Name = "Leave" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_new_labour_cost_says_what_it_changes_and_the_automation_page_shows_it()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var settings = await api.GetAsync("tenant");
        var cost = settings.Number("hourlyLabourCost");
        Assert.True(cost > 0, "Without a labour cost there is nothing to double.");
        await using var visit = await app.VisitAsync(Screen.Desktop);
        try
        {
            await visit.SignInAsync("/settings");
            var before = await WorthAsync(api);
            await visit.Page.GetByLabel("Labour cost per hour").FillAsync(Plain(cost * 2));
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();

            var said = visit.Page.GetByRole(AriaRole.Status).Filter(new() { HasText = "What this changes" });
            await Expect(said).ToBeVisibleAsync();
            await visit.ScreenshotAsync("settings-effect-light-1440");
            // A window that becomes narrow for a moment, as for a picture of the whole page, takes nothing away.
            await visit.Page.SetViewportSizeAsync(800, 900);
            await Expect(said).ToBeVisibleAsync();
            await visit.Page.SetViewportSizeAsync(1440, 900);
            await Expect(said).ToBeInViewportAsync();
            var after = await WorthAsync(api);
            Assert.InRange(after, before * 2 - 1, before * 2 + 1);
            var row = said.GetByRole(AriaRole.Listitem).Filter(new() { HasTextRegex = new Regex("value|worth", RegexOptions.IgnoreCase) }).First;
            await Expect(row).ToContainTextAsync(Numbers.Money(after, "$"));

            await visit.Page.GetByRole(AriaRole.Navigation, new() { Name = "Main" }).GetByRole(AriaRole.Link, new() { Name = "Automation" }).ClickAsync();
            var worth = visit.Page.GetByRole(AriaRole.Main).Locator("dl > div").Filter(new() { Has = visit.Page.GetByRole(AriaRole.Term).GetByText("Worth", new() { Exact = true }) }).First;
            await Visit.ExpectExactAsync(worth, Numbers.Money(after, "$"));
            visit.AssertNoComplaints();
        }
        finally
        {
            await api.SendAsync(HttpMethod.Put, "tenant", HttpStatusCode.OK, settings);
        }
    }

    [Fact]
    public async Task What_is_not_saved_is_not_lost_by_a_click_on_a_link()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/settings");
        var name = visit.Page.GetByLabel("Name of the business");
        await name.FillAsync("Another name");
        var members = visit.Page.GetByRole(AriaRole.Navigation, new() { Name = "Sections of the settings" }).GetByRole(AriaRole.Link, new() { Name = "Members" });
        await members.ClickAsync();
        var dialog = visit.Page.GetByRole(AriaRole.Dialog, new() { Name = "Leave without saving?" });
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Stay here" }).ClickAsync();
        await Expect(name).ToHaveValueAsync("Another name");

        await members.ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Leave and discard" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Members");
        await visit.Page.GoBackAsync();
        await Expect(name).ToHaveValueAsync("Merch Shop");
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_token_is_shown_once_works_and_is_revoked()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var name = $"Browser {Guid.NewGuid():N}";
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync("/settings/tokens");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "New token" }).ClickAsync();
        var form = visit.Page.GetByRole(AriaRole.Form, new() { Name = "New token" });
        await form.GetByLabel("Name").FillAsync(name);
        await form.GetByLabel("Read numbers, integrations and runs").CheckAsync();
        await form.GetByRole(AriaRole.Button, new() { Name = "Make the token" }).ClickAsync();

        var fresh = visit.Page.GetByRole(AriaRole.Region, new() { Name = $"“{name}” is ready" });
        var token = await fresh.Locator("code").First.TextContentAsync();
        Assert.Matches(Token(), token);
        Assert.StartsWith("whsec_", await fresh.Locator("code").Nth(1).TextContentAsync(), StringComparison.Ordinal);
        await Expect(fresh.Locator("pre")).ToContainTextAsync($"X-Kpi-Token: {token}");
        await visit.ScreenshotAsync("settings-token-fresh-light-360");
        await api.SendAsync(HttpMethod.Get, "integrations", HttpStatusCode.OK, token: token);

        await fresh.GetByRole(AriaRole.Button, new() { Name = "I have kept them" }).ClickAsync();
        await visit.Page.ReloadAsync();
        var row = visit.Page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = name });
        await Expect(row).ToContainTextAsync("Read numbers");
        Assert.DoesNotContain(token!, await visit.Page.ContentAsync(), StringComparison.Ordinal);

        await row.GetByRole(AriaRole.Button, new() { Name = $"Revoke {name}" }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Dialog, new() { Name = $"Revoke “{name}”?" }).GetByRole(AriaRole.Button, new() { Name = "Revoke", Exact = true }).ClickAsync();
        await Expect(row).ToHaveCountAsync(0);
        await api.SendAsync(HttpMethod.Get, "integrations", HttpStatusCode.Unauthorized, token: token);
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task The_second_factor_is_set_up_with_a_picture_that_the_content_security_policy_allows()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/settings/profile", email: DemoSeeder.ViewerEmail);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Set up" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Img, new() { Name = "QR code for the authenticator app" })).ToBeVisibleAsync();
        await visit.Page.GetByLabel("First code that the app shows").FillAsync("12");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Turn on" }).ClickAsync();
        await Expect(visit.Page.GetByText("Enter the six digits that the app shows.")).ToBeVisibleAsync();
        await visit.ScreenshotAsync("settings-second-factor-light-1440");
        // Nothing was turned on.
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Set up" })).ToBeVisibleAsync();
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task Another_business_is_opened_from_the_list_of_all()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Choose another business" }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "All businesses" }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Open Nordlicht Studio" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Nordlicht Studio");
        await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task The_settings_are_two_keys_away()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync();
        await visit.Page.Keyboard.PressAsync("g");
        await visit.Page.Keyboard.PressAsync("s");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Business");
        await Expect(visit.Page.GetByRole(AriaRole.Navigation, new() { Name = "Main" }).GetByRole(AriaRole.Link, new() { Name = "Settings" })).ToHaveAttributeAsync("aria-current", "page");
        visit.AssertNoComplaints();
    }

    private static async Task OpenAsync(Visit visit, string path, string heading)
    {
        await visit.Page.GotoAsync(path);
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync(heading);
    }

    private static async Task<decimal> WorthAsync(App.Api api) =>
        (await api.GetAsync("automation/performance?range=last_28_days&compare=previous_period"))["totals"]!.Number("valueSaved");

    private static string Plain(decimal amount) => amount.ToString("0.##", System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex("^kpi_[A-Za-z0-9_-]{20,}$")]
    private static partial Regex Token();
}
