using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Seeding;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>Signing in and out, and from one business to another.</summary>
public sealed partial class SessionTests(AppFixture app)
{
    [Fact]
    public async Task Another_business_shows_its_own_numbers_and_currency_and_a_reload_stays_there()
    {
        using var merch = await app.ApiAsync("Merch Shop");
        using var nordlicht = await app.ApiAsync("Nordlicht Studio");
        var dollars = Numbers.Money((await merch.SummaryAsync()).Kpi("shop.revenue").Number("value"), "$");
        var euros = Numbers.Money((await nordlicht.SummaryAsync()).Kpi("shop.revenue").Number("value"), "€");
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync();
        await Visit.ExpectExactAsync(visit.Tile("Revenue"), dollars);

        await visit.SwitchAsync("Nordlicht Studio");
        await Visit.ExpectExactAsync(visit.Tile("Revenue"), euros);
        await visit.Page.ReloadAsync();
        await Visit.ExpectExactAsync(visit.Tile("Revenue"), euros);
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Nordlicht Studio");
        Assert.Empty(visit.Complaints);
    }

    [Fact]
    public async Task After_sign_out_a_reload_finds_nobody_signed_in_and_nothing_remembered()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(visit.SignInForm).ToBeVisibleAsync();
        await visit.Page.ReloadAsync();
        await Expect(visit.SignInForm).ToBeVisibleAsync();
        await visit.Page.GotoAsync("/automation");
        await Expect(visit.SignInForm).ToBeVisibleAsync();
        await Expect(visit.Page).ToHaveURLAsync(SignInAddress());
        Assert.Empty(await visit.Page.EvaluateAsync<string[]>("Object.keys(localStorage)"));
    }

    [Fact]
    public async Task A_wrong_password_gets_the_sentence_of_the_API()
    {
        using var http = new HttpClient { BaseAddress = app.Address };
        using var answer = await http.PostAsJsonAsync("api/auth/login", new { email = DemoSeeder.OwnerEmail, password = "not it" }, TestContext.Current.CancellationToken);
        var problem = await answer.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken);
        var sentence = problem!["detail"]!.GetValue<string>();
        Assert.EndsWith(".", sentence, StringComparison.Ordinal);

        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.Page.GotoAsync("/");
        await visit.FillInAsync(DemoSeeder.OwnerEmail, "not it");
        await Expect(visit.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync(sentence);
        await Expect(visit.SignInForm).ToBeVisibleAsync();
        await visit.FillInAsync(DemoSeeder.OwnerEmail, DemoSeeder.Password);
        await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
    }

    [GeneratedRegex("/sign-in$")]
    private static partial Regex SignInAddress();
}
