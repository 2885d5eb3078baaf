using System.Net;
using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Seeding;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>To the sign-in at Google and back, as a person goes; the simulator is the Google.</summary>
[Collection<SecondApp>]
public sealed class GoogleJourneyTests(AppFixture app)
{
    private const string Tenant = "Open Lectures";

    /// <summary>Its real data ends some days ago, on some days of the week more than is usual.</summary>
    private static readonly Regex s_read = new("^(Read on time|No new data)$");

    [Fact]
    public async Task A_lost_sign_in_is_brought_back_with_one_button_and_a_new_connection_is_made_by_choosing_a_property()
    {
        var demo = DemoWorld.Tenants.Single(tenant => tenant.Name == Tenant);
        using var api = await app.ApiAsync(Tenant);
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync("/integrations", Tenant);
        var main = visit.Page.GetByRole(AriaRole.Main);
        var row = main.GetByRole(AriaRole.List, new() { Name = "Connected sources" }).GetByRole(AriaRole.Listitem)
            .Filter(new() { Has = visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Google Analytics", Exact = true }) });

        app.Google.Revoke(demo.GoogleRefreshToken);
        app.Google.ExpireAccessTokens();
        await row.GetByRole(AriaRole.Button, new() { Name = "Refresh now Google Analytics" }).ClickAsync();
        await Expect(row.GetByText("Needs to be reconnected")).ToBeVisibleAsync();
        await Expect(row).ToContainTextAsync(new Regex(@"Last read .+ Numbers after .+ are missing, not zero\."));
        await visit.InAllLooksAsync("integrations-google-lost");

        // Thinking better of it changes nothing and says so.
        await row.GetByRole(AriaRole.Button, new() { Name = "Reconnect" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Simulated Google" })).ToBeVisibleAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Expect(main.GetByText("The sign-in at Google was cancelled. Nothing was changed.")).ToBeVisibleAsync();
        await Expect(row.GetByText("Needs to be reconnected")).ToBeVisibleAsync();

        // An account that may read other properties alone does not help.
        await row.GetByRole(AriaRole.Button, new() { Name = "Reconnect" }).ClickAsync();
        await visit.Page.GetByLabel("nothing@demo.example").CheckAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Allow" }).ClickAsync();
        await Expect(main.GetByText("That Google account may not read the property that is connected.")).ToBeVisibleAsync();

        await row.GetByRole(AriaRole.Button, new() { Name = "Reconnect" }).ClickAsync();
        await visit.Page.GetByLabel("agency@demo.example").CheckAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Allow" }).ClickAsync();
        await Expect(main.GetByText("Google Analytics is connected again. It is read now.")).ToBeVisibleAsync();
        await Expect(row.GetByText(s_read)).ToBeVisibleAsync();

        // Disconnected, numbers kept, and connected anew.
        await api.SendAsync(HttpMethod.Delete, $"integrations/{DemoSeeder.IntegrationId(Tenant, "google-analytics")}", HttpStatusCode.NoContent);
        await visit.Page.GotoAsync("/integrations");
        await main.GetByRole(AriaRole.Button, new() { Name = "Connect Google Analytics" }).ClickAsync();
        await visit.Page.GetByLabel("agency@demo.example").CheckAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Allow" }).ClickAsync();
        var picker = main.GetByRole(AriaRole.Form, new() { Name = "Choose a property" });
        await Expect(picker).ToContainTextAsync("What agency@demo.example may read in Google Analytics.");
        await visit.InAllLooksAsync("integrations-google-property");
        await picker.GetByRole(AriaRole.Button, new() { Name = "Connect", Exact = true }).ClickAsync();
        await Expect(picker).ToContainTextAsync("Choose a property.");
        await picker.Locator($"input[value='{demo.Ga4PropertyId}']").CheckAsync();
        await picker.GetByRole(AriaRole.Button, new() { Name = "Connect", Exact = true }).ClickAsync();
        await Expect(main.GetByText("Google Analytics 4 is connected. Its first reading has begun.")).ToBeVisibleAsync();
        await Expect(main.GetByRole(AriaRole.List, new() { Name = "Connected sources" }).GetByText(s_read)).ToBeVisibleAsync();
        // The simulated Google has no icon; that is not our page's business.
        Assert.DoesNotContain(visit.Complaints, said => !said.Contains("/favicon.ico", StringComparison.Ordinal));
    }
}
