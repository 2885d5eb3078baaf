using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>No answers from the server for a while.</summary>
[Collection<FirstApp>]
public sealed partial class OutageTests(AppFixture app)
{
    [Fact]
    public async Task The_last_numbers_stay_with_their_date_and_a_retry_recovers()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var revenue = Numbers.Money((await api.SummaryAsync()).Kpi("shop.revenue").Number("value"), "$");
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync();
        await Visit.ExpectExactAsync(visit.Tile("Revenue"), revenue);

        await visit.Page.RouteAsync("**/api/**", route => route.AbortAsync());
        // An hour later, so that the page wants newer numbers.
        await visit.Page.Clock.InstallAsync(new() { TimeDate = DateTime.UtcNow.AddHours(1) });
        await visit.Page.ReloadAsync();
        var notice = visit.Page.GetByRole(AriaRole.Status).Filter(new() { HasText = "could not be loaded" });
        await Expect(notice).ToContainTextAsync(SavedAt());
        await Expect(notice).ToBeInViewportAsync();
        await Visit.ExpectExactAsync(visit.Tile("Revenue"), revenue);

        await visit.Page.UnrouteAllAsync();
        await notice.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(notice).ToHaveCountAsync(0);
        await Visit.ExpectExactAsync(visit.Tile("Revenue"), revenue);
    }

    [Fact]
    public async Task A_period_never_seen_before_says_what_happened_and_a_retry_recovers()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync();
        await visit.Page.RouteAsync("**/api/**", route => route.AbortAsync());
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "90 days", Exact = true }).ClickAsync();
        var alert = visit.Page.GetByRole(AriaRole.Alert);
        await Expect(alert).ToContainTextAsync("The server cannot be reached.");
        await Expect(alert).ToContainTextAsync("Nothing is lost");

        await visit.Page.UnrouteAllAsync();
        await alert.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
        await Expect(alert).ToHaveCountAsync(0);
    }

    [GeneratedRegex(@"These were saved at .*\d\d:\d\d\.")]
    private static partial Regex SavedAt();
}
