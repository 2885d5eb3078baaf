using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Seeding;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>Every page in both themes, on a phone and on a desk: axe looks for barriers, and a picture is left in <c>artifacts/screenshots</c> for people to look at.</summary>
[Collection<FirstApp>]
public sealed class LooksTests(AppFixture app)
{
    private static readonly (string Name, string Path, string Heading)[] s_integrations =
    [
        ("integrations", "/integrations", "Integrations"),
        ("integrations-connect", "/integrations?connect=n8n", "Integrations"),
        ("integrations-problem", "/integrations?problem=scopes", "Integrations"),
        ("integrations-history", "/integrations/history", "Sync history"),
        ("integrations-import", "/integrations/import", "CSV import"),
        ("integrations-kpis", "/integrations/kpis", "Own numbers"),
    ];

    private static readonly (string Name, string Tenant, string Path, string Ready)[] s_morning =
    [
        ("metric", "Merch Shop", "/metrics/shop.revenue", "canvas"),
        ("metric-rate", "Nordlicht Studio", "/metrics/web.conversion_rate?range=last_90_days&grain=week", "canvas"),
        ("metric-unknown", "Merch Shop", "/metrics/no.such", "h2"),
        ("metric-channel", "Nordlicht Studio", "/metrics/web.sessions?range=last_7_days&only=web.sessions~channel~Direct", "canvas"),
        ("analytics", "Nordlicht Studio", "/analytics", "canvas"),
        ("analytics-withheld", "Kiwi Plumbing", "/analytics?only=web~device~mobile", "canvas"),
        ("analytics-unknown", "Open Lectures", "/analytics", "canvas"),
        ("insights", "Nordlicht Studio", "/insights", "#health"),
        ("goals", "Merch Shop", "/goals", "main h2"),
        ("goals-new", "Merch Shop", "/goals?new=shop.revenue", "dialog[open] form"),
        ("calculated", "Merch Shop", "/kpis/calculated", "main h2"),
        ("calculated-new", "Merch Shop", "/kpis/calculated/new", "main form"),
        ("help", "Merch Shop", "/help", "main h3"),
    ];

    /// <summary>One case per page; it is opened once on each screen and looked at in both themes.</summary>
    [Theory]
    [InlineData("sign-in")]
    [InlineData("overview")]
    [InlineData("automation")]
    public async Task Axe_finds_nothing(string name)
    {
        foreach (var screen in Looks.Screens)
        {
            await using var visit = await app.VisitAsync(screen);
            if (name == "sign-in")
            {
                await visit.Page.GotoAsync("/");
                await Expect(visit.SignInForm).ToBeVisibleAsync();
            }
            else
            {
                await visit.SignInAsync(name == "overview" ? "/" : "/automation");
                await Expect(visit.Page.Locator("canvas").First).ToBeVisibleAsync();
            }

            await visit.InBothThemesAsync(name);
            visit.AssertNoComplaints();
        }
    }

    [Theory]
    [InlineData("Merch Shop", "/?range=last_day")]
    [InlineData("Merch Shop", "/?range=last_12_months")]
    [InlineData("Open Lectures", "/?range=last_12_months&compare=previous_year")]
    [InlineData("Open Lectures", "/automation")]
    [InlineData("Nordlicht Studio", "/?range=last_90_days")]
    [InlineData("Nordlicht Studio", "/automation?range=last_7_days")]
    [InlineData("Kiwi Plumbing", "/")]
    public async Task Axe_finds_nothing_in_the_other_states_of_a_page(string tenant, string path)
    {
        foreach (var screen in new[] { Screen.Phone, Screen.Desktop with { Dark = true } })
        {
            await using var visit = await app.VisitAsync(screen);
            await visit.SignInAsync(path, tenant);
            await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveCountAsync(1);
            await visit.CheckAsync($"{string.Join('-', $"{tenant}{path}".Split(' ', '/', '?', '&', '='))}-{screen.Width}");
        }
    }

    [Fact]
    public async Task Axe_finds_nothing_on_the_pages_of_integrations()
    {
        var n8n = DemoSeeder.IntegrationId("Merch Shop", "n8n");
        foreach (var screen in Looks.Screens)
        {
            await using var visit = await app.VisitAsync(screen);
            await visit.SignInAsync();
            foreach (var (name, path, heading) in s_integrations)
            {
                await visit.Page.GotoAsync(path);
                await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync(heading);
                await visit.InBothThemesAsync(name);
                if (screen == Screen.Phone) await visit.TargetsAreLargeAsync();
            }

            // What opens only when asked for.
            await visit.Page.GotoAsync($"/integrations/{n8n}");
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Set it up" }).ClickAsync();
            await visit.InBothThemesAsync("integrations-n8n");
            await visit.Page.GotoAsync("/integrations/history");
            await visit.Page.GetByRole(AriaRole.Main).Locator("summary").First.ClickAsync();
            await visit.Page.GetByRole(AriaRole.List, new() { Name = "What happened" }).WaitForAsync();
            await visit.InBothThemesAsync("integrations-story");
            await visit.Page.GotoAsync("/integrations/kpis");
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "New number" }).ClickAsync();
            await visit.InBothThemesAsync("integrations-kpis-new");
            visit.AssertNoComplaints();
        }
    }

    [Fact]
    public async Task Axe_finds_nothing_on_the_pages_of_the_morning()
    {
        foreach (var screen in Looks.Screens)
        {
            foreach (var tenant in s_morning.Select(one => one.Tenant).Distinct())
            {
                await using var visit = await app.VisitAsync(screen);
                await visit.SignInAsync(tenant: tenant);
                foreach (var (name, _, path, ready) in s_morning.Where(one => one.Tenant == tenant))
                {
                    await visit.Page.GotoAsync(path);
                    await Expect(visit.Page.Locator(ready).First).ToBeVisibleAsync();
                    await visit.InBothThemesAsync(name);
                    if (screen == Screen.Phone) await visit.TargetsAreLargeAsync();
                }

                visit.AssertNoComplaints();
            }
        }
    }
}
