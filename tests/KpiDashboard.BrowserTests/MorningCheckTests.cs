using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>The glance at the phone before the first coffee.</summary>
[Collection<FirstApp>]
public sealed class MorningCheckTests(AppFixture app)
{
    [Fact]
    public async Task The_first_screen_of_a_phone_answers_how_the_business_is_doing()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync();
        using var api = await app.ApiAsync("Merch Shop");
        var summary = await api.SummaryAsync();

        await Visit.ExpectExactAsync(visit.Tile("Revenue"), Numbers.Money(summary.Kpi("shop.revenue").Number("value"), "$"));
        await Visit.ExpectExactAsync(visit.Tile("Sessions"), Numbers.Count(summary.Kpi("web.sessions").Number("value")));
        await Expect(visit.Brief).ToContainTextAsync("Business health");
        await Expect(visit.Page.GetByText("Complete through").First).ToBeInViewportAsync();

        await visit.SettledAsync();
        Assert.Equal(0, await visit.Page.EvaluateAsync<int>("scrollY"));
        var tiles = visit.Strip.GetByRole(AriaRole.Link);
        for (var i = 0; i < 4; i++)
        {
            var box = (await tiles.Nth(i).BoundingBoxAsync())!;
            Assert.True(box.X >= 0 && box.X + box.Width <= 360 && box.Y >= 0 && box.Y + box.Height <= 780, $"Tile {i} of the strip is at {box.X}, {box.Y}, {box.Width} × {box.Height}: not within 360 × 780.");
        }

        Assert.Equal(360, await visit.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_tap_on_a_number_is_answered_at_once_though_its_page_takes_a_while_and_nothing_moves()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync();
        var moved = """
            () => new Promise(done => new PerformanceObserver((list, observer) => {
              observer.disconnect()
              done(list.getEntries().filter(one => !one.hadRecentInput).map(one => `${one.value}: ${one.sources.map(each => each.node?.textContent)}`).join('; '))
            }).observe({ type: 'layout-shift', buffered: true }) ?? setTimeout(() => done(''), 500))
            """;
        await visit.Page.ReloadAsync();
        await visit.SettledAsync();
        Assert.Equal("", await visit.Page.EvaluateAsync<string>(moved));

        var held = new TaskCompletionSource();
        await visit.Page.RouteAsync("**/assets/metric-*", async route =>
        {
            await held.Task.WaitAsync(TimeSpan.FromSeconds(30));
            await route.ContinueAsync();
        });
        await visit.Strip.GetByRole(AriaRole.Link).First.TapAsync();
        await Expect(visit.Page.Locator("html[data-going]")).ToHaveCountAsync(1);
        await Expect(visit.Page.Locator("main")).ToHaveCSSAsync("opacity", "0.6");
        held.SetResult();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Revenue");
        await Expect(visit.Page.Locator("html[data-going]")).ToHaveCountAsync(0);
        await Expect(visit.Page.Locator("main")).ToHaveCSSAsync("opacity", "1");
        visit.AssertNoComplaints();
    }

    [Theory]
    [InlineData("Merch Shop")]
    [InlineData("Nordlicht Studio")]
    [InlineData("Kiwi Plumbing")]
    public async Task The_brief_says_what_the_business_should_hear_with_its_score_and_each_sentence_leads_somewhere(string tenant)
    {
        using var api = await app.ApiAsync(tenant);
        var answer = await api.GetAsync("insights/business?range=last_28_days&compare=previous_period");
        var brief = answer["brief"]!.AsArray().Select(one => (Text: one!["text"]!.GetValue<string>(), Path: one["path"]!.GetValue<string>())).ToList();
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync(tenant: tenant);
        await Expect(visit.Brief).ToContainTextAsync(answer["healthScore"]!["score"]?.ToString() ?? "–");
        // The first link is the score's.
        var links = visit.Brief.GetByRole(AriaRole.Link);
        await Expect(links).ToHaveCountAsync(brief.Count + 1);
        for (var i = 0; i < brief.Count; i++)
        {
            await Expect(links.Nth(i + 1)).ToHaveTextAsync(brief[i].Text);
            await Expect(links.Nth(i + 1)).ToHaveAttributeAsync("href", brief[i].Path);
        }

        foreach (var path in brief.Select(one => one.Path).Distinct())
        {
            await visit.Page.GotoAsync(path);
            await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 }).First).Not.ToHaveTextAsync("This page does not exist");
        }
    }

    [Fact]
    public async Task No_page_scrolls_sideways_on_a_phone_or_makes_the_browser_complain()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync();
        foreach (var path in new[] { "/", "/?range=last_12_months", "/?range=last_day", "/automation", "/automation?range=last_12_months", "/metrics/web.sessions", "/insights", "/goals?new", "/kpis/calculated/new", "/help", "/nowhere" })
        {
            await visit.Page.GotoAsync(path);
            await Expect(visit.Page.GetByRole(AriaRole.Main)).ToContainTextAsync("e");
            await visit.SettledAsync();
            Assert.True(await visit.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= 360, $"{path} scrolls sideways.");
            Assert.Empty(await visit.Page.EvaluateAsync<string[]>("[...document.querySelectorAll('[role=group] button, h2, th, dt')].filter(one => one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1).map(one => one.textContent)"));
        }

        visit.AssertNoComplaints();
    }
}
