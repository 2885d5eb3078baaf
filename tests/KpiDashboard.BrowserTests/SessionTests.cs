using System.Collections.Concurrent;
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
[Collection<FirstApp>]
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
        await visit.SignInWithFormAsync();
        await Visit.ExpectExactAsync(visit.Tile("Revenue"), dollars);

        await visit.SwitchAsync("Nordlicht Studio");
        await Visit.ExpectExactAsync(visit.Tile("Revenue"), euros);
        await visit.Page.ReloadAsync();
        await Visit.ExpectExactAsync(visit.Tile("Revenue"), euros);
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Nordlicht Studio");
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task After_sign_out_a_reload_finds_nobody_signed_in_and_nothing_remembered()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInWithFormAsync();
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
    public async Task The_session_and_the_first_numbers_are_asked_for_before_the_pages_code_is_there_and_once()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInWithFormAsync();
        var asked = new ConcurrentQueue<string>();
        visit.Page.Request += (_, request) =>
        {
            if (request.Url.Contains("/api/", StringComparison.Ordinal)) asked.Enqueue($"{request.Method} {new Uri(request.Url).PathAndQuery}");
        };
        string[] first = ["GET /api/metrics/summary?range=last_7_days&compare=previous_year&with=insights", "POST /api/auth/refresh"];
        // The code never comes: what is asked for is asked by start.js.
        await visit.Page.RouteAsync("**/assets/vendor-*", route => route.AbortAsync());
        await visit.Page.GotoAsync("/?range=last_7_days&compare=previous_year", new() { WaitUntil = WaitUntilState.NetworkIdle });
        Assert.Equal(first, asked.Order());

        await visit.Page.UnrouteAllAsync();
        asked.Clear();
        await visit.Page.ReloadAsync(new() { WaitUntil = WaitUntilState.NetworkIdle });
        await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
        Assert.Equal(first, asked.Where(one => first.Contains(one)).Order());

        // Elsewhere only the session.
        asked.Clear();
        await visit.Page.GotoAsync("/settings/profile", new() { WaitUntil = WaitUntilState.NetworkIdle });
        Assert.Equal(["POST /api/auth/refresh"], asked.Where(one => first.Contains(one) || one.Contains("metrics", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Five_tabs_opened_at_once_stay_signed_in()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInWithFormAsync();
        for (var round = 0; round < 2; round++)
        {
            var tabs = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => visit.Context.NewPageAsync()));
            await Task.WhenAll(tabs.Select(tab => tab.GotoAsync("/")));
            foreach (var tab in tabs) await Expect(tab.GetByRole(AriaRole.List, new() { Name = "Headline numbers" })).ToBeVisibleAsync();
            foreach (var tab in tabs) await tab.CloseAsync();
        }

        await visit.Page.ReloadAsync();
        await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task Somebody_else_at_the_same_browser_finds_nothing_of_the_one_before()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInWithFormAsync();
        await visit.SettledAsync();
        var shop = DemoSeeder.TenantId("Merch Shop").ToString();
        Assert.Contains(await KeysAsync(), key => key.Contains(shop, StringComparison.Ordinal));

        // In another tab somebody registers; this one learns it with its next load.
        var answer = await visit.Context.APIRequest.PostAsync("/api/auth/register", new() { DataObject = MailBox.Registration(MailBox.FreshAddress()) });
        Assert.True(answer.Ok);
        await visit.Page.ReloadAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Own Test Shop");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "No numbers yet" })).ToBeVisibleAsync();
        Assert.DoesNotContain(await KeysAsync(), key => key.Contains(shop, StringComparison.Ordinal));
        Assert.DoesNotContain("Merch Shop", await visit.Page.EvaluateAsync<string>("JSON.stringify(localStorage)"), StringComparison.Ordinal);

        Task<string[]> KeysAsync() => visit.Page.EvaluateAsync<string[]>("Object.keys(localStorage)");
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
