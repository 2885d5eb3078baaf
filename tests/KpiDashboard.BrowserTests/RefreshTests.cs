using System.Globalization;
using System.Net;
using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Seeding;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>The refresh button brings what the source says now.</summary>
[Collection<SecondApp>]
public sealed class RefreshTests(AppFixture app)
{
    [Fact]
    public async Task Refresh_says_what_it_is_doing_and_the_number_changes_without_a_reload()
    {
        const string Tenant = "Kiwi Plumbing";
        var property = DemoWorld.Tenants.Single(tenant => tenant.Name == Tenant).Ga4PropertyId;
        using var api = await app.ApiAsync(Tenant);
        // First what the clock has brought since the demo was read: at noon in Auckland another day is full, and the seven days move.
        await api.RefreshAsync();
        var before = await api.SummaryAsync("last_7_days");
        // The last full day in Auckland.
        var day = DateOnly.ParseExact(before["to"]!.GetValue<string>(), "yyyy-MM-dd", CultureInfo.InvariantCulture);
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/?range=last_7_days", Tenant);
        await Visit.ExpectExactAsync(visit.Tile("Sessions"), Numbers.Count(before.Kpi("web.sessions").Number("value")));
        await visit.Page.EvaluateAsync(
            """
            () => {
              window.said = []
              const listen = () => {
                const text = document.querySelector('section[aria-label="Refresh"]')?.textContent
                if (text && window.said.at(-1) !== text) window.said.push(text)
              }
              new MutationObserver(listen).observe(document.body, { subtree: true, childList: true, characterData: true })
            }
            """);

        var shown = app.Google.Value(property, day, "sessions") ?? throw new InvalidOperationException($"The simulator has no sessions on {day}.");
        try
        {
            app.Google.SetValue(property, day, "sessions", shown + 1000);
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Refresh", Exact = true }).ClickAsync();
            await Expect(visit.Page.GetByRole(AriaRole.Region, new() { Name = "Refresh" })).ToContainTextAsync("Google Analytics: done, ");

            var after = await api.SummaryAsync("last_7_days");
            // At least: in the meantime the simulated day may have grown by itself.
            Assert.True(after.Kpi("web.sessions").Number("value") >= before.Kpi("web.sessions").Number("value") + 1000);
            await Visit.ExpectExactAsync(visit.Tile("Sessions"), Numbers.Count(after.Kpi("web.sessions").Number("value")));
            // Would be undefined after a reload.
            var said = await visit.Page.EvaluateAsync<string[]>("window.said");
            Assert.Contains(said, text => text.Contains("Asking the sources", StringComparison.Ordinal));
            Assert.Matches(@"Google Analytics: done, [1-9]\d* numbers? changed", said[^1]);
        }
        finally
        {
            app.Google.SetValue(property, day, "sessions", null);
            await api.RefreshAsync();
        }

        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_refresh_by_webhook_is_answered_with_its_runs_and_the_page_then_shows_what_the_source_says_now()
    {
        const string Tenant = "Kiwi Plumbing";
        var property = DemoWorld.Tenants.Single(tenant => tenant.Name == Tenant).Ga4PropertyId;
        using var api = await app.ApiAsync(Tenant);
        var token = (await api.SendAsync(HttpMethod.Post, "tokens", HttpStatusCode.Created, new { name = "cron", scopes = new[] { "refresh" } }))["token"]!.GetValue<string>();
        // First what the clock has brought since the demo was read: at noon in Auckland another day is full, and the seven days move.
        await api.RefreshAsync();
        var before = await api.SummaryAsync("last_7_days");
        // The last full day in Auckland.
        var day = DateOnly.ParseExact(before["to"]!.GetValue<string>(), "yyyy-MM-dd", CultureInfo.InvariantCulture);
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/?range=last_7_days", Tenant);
        await Visit.ExpectExactAsync(visit.Tile("Sessions"), Numbers.Count(before.Kpi("web.sessions").Number("value")));

        var shown = app.Google.Value(property, day, "sessions") ?? throw new InvalidOperationException($"The simulator has no sessions on {day}.");
        try
        {
            app.Google.SetValue(property, day, "sessions", shown + 4321);
            Assert.Equal(["succeeded"], await api.RefreshAsync("webhooks/refresh", token));

            var after = await api.SummaryAsync("last_7_days");
            Assert.NotEqual(before.Kpi("web.sessions").Number("value"), after.Kpi("web.sessions").Number("value"));
            Assert.Equal(shown + 4321, after.Kpi("web.sessions")["sparkline"]![6]!.GetValue<decimal>());
            await visit.Page.ReloadAsync();
            await Visit.ExpectExactAsync(visit.Tile("Sessions"), Numbers.Count(after.Kpi("web.sessions").Number("value")));
        }
        finally
        {
            app.Google.SetValue(property, day, "sessions", null);
            await api.RefreshAsync();
        }

        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_viewer_is_told_so_and_has_no_refresh_button()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync(email: DemoSeeder.ViewerEmail);
        await Expect(visit.Page.GetByRole(AriaRole.Complementary).GetByText("Read only")).ToBeVisibleAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" })).ToBeVisibleAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Refresh" })).ToHaveCountAsync(0);
    }
}
