using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>How a number divides, on its own page and on that of the website.</summary>
[Collection<SecondApp>]
public sealed class BreakdownPagesTests(AppFixture app)
{
    private const string Studio = "Nordlicht Studio";

    [Fact]
    public async Task From_the_overview_to_a_number_to_one_of_its_channels_to_the_whole_website()
    {
        using var api = await app.ApiAsync(Studio);
        var channels = await api.GetAsync("metrics/web.sessions/breakdown?dimension=channel&range=last_28_days&compare=previous_period&top=10");
        var (from, to) = (channels["from"]!.GetValue<string>(), channels["to"]!.GetValue<string>());
        var first = channels["members"]![0]!;
        var name = first["name"]!.GetValue<string>();
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/", Studio);
        var page = visit.Page;
        await visit.OpenTileAsync("Sessions");

        // What it rests on, if it moved: the words and the number are those of the API.
        var main = page.GetByRole(AriaRole.Main);
        var moved = channels["change"] is { } change && Math.Abs(change.GetValue<decimal>()) >= 0.0005m;
        if (moved) await Expect(main.Locator("p").Filter(new() { HasTextRegex = new Regex("; (mostly|spread over several channels,|which channel)") })).ToHaveCountAsync(1);
        var bars = page.GetByRole(AriaRole.List, new() { Name = "Sessions, by channel" });
        await Expect(bars.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(channels["members"]!.AsArray().Count + (channels["rest"] is null ? 0 : 1));
        var bar = bars.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^" + Regex.Escape(name)) });
        await Expect(bar).ToContainTextAsync(Numbers.Count(first["value"]!.GetValue<decimal>()));

        // Enter does what a click does: the chart shows that channel, and so does its table.
        await bar.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(bar).ToHaveAttributeAsync("aria-pressed", "true");
        await Expect(page).ToHaveURLAsync(new Regex("only=web.sessions(%7E|~)channel(%7E|~)"));
        await Expect(main.GetByText($"Only {name}")).ToBeVisibleAsync();
        var days = await api.GetAsync($"metrics/history?kpis=web.sessions&dimension=channel&member={Uri.EscapeDataString(name)}&from={from}&to={to}");
        var values = days["series"]![0]!["points"]!.AsArray().Select(point => point!["value"] is { } value ? Numbers.Count(value.GetValue<decimal>()) : "no data").ToList();
        var chart = page.GetByRole(AriaRole.Region, new() { Name = "Over time" });
        await chart.GetByRole(AriaRole.Button, new() { Name = "Show as a table" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = $"Sessions, {name}, day by day" }).Locator("tbody tr td:nth-of-type(1)")).ToHaveTextAsync(values);
        await page.GetByRole(AriaRole.Button, new() { Name = "Show all", Exact = true }).ClickAsync();
        await Expect(bar).ToHaveAttributeAsync("aria-pressed", "false");

        // The other dimensions, and the same numbers as a table.
        await page.GetByRole(AriaRole.Group, new() { Name = "Divide by" }).GetByRole(AriaRole.Button, new() { Name = "Page" }).ClickAsync();
        var pages = await api.GetAsync("metrics/web.sessions/breakdown?dimension=landing_page&range=last_28_days&top=10");
        var division = page.GetByRole(AriaRole.Region, new() { Name = "What it is made of" });
        await Expect(page.GetByRole(AriaRole.List, new() { Name = "Sessions, by landing page" })).ToContainTextAsync($"Everything else ({pages["rest"]!["members"]})");
        await division.GetByRole(AriaRole.Button, new() { Name = "Show as a table" }).ClickAsync();
        await Expect(division.GetByRole(AriaRole.Region, new() { Name = "Sessions, by landing page" }).Locator("tbody tr td:nth-of-type(1)"))
            .ToHaveTextAsync([.. pages["members"]!.AsArray().Append(pages["rest"]).Select(member => Numbers.Count(member!["value"]!.GetValue<decimal>()))]);
        await Expect(division).ToContainTextAsync("/shop/prints");
        await Expect(division).Not.ToContainTextAsync("@");

        // The whole website.
        await main.FocusAsync();
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("w");
        await Expect(page).ToHaveURLAsync(new Regex("/analytics"));
        foreach (var (dimension, title) in new[] { ("channel", "By channel"), ("device", "By device"), ("country", "By country"), ("landing_page", "By landing page") })
        {
            var answer = await api.GetAsync($"metrics/web.sessions/breakdown?dimension={dimension}&range=last_28_days&top=6");
            var list = page.GetByRole(AriaRole.Region, new() { Name = title, Exact = true }).GetByRole(AriaRole.List);
            await Expect(list.GetByRole(AriaRole.Button)).ToHaveCountAsync(answer["members"]!.AsArray().Count);
        }

        await page.GetByRole(AriaRole.Group, new() { Name = "Number to look at" }).GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^Revenue") }).ClickAsync();
        var devices = await api.GetAsync("metrics/shop.revenue/breakdown?dimension=device&range=last_28_days&top=6");
        var desktop = page.GetByRole(AriaRole.List, new() { Name = "Revenue, by device" }).GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^Desktop") });
        await desktop.ClickAsync();
        await Expect(main.GetByText("Only Desktop")).ToBeVisibleAsync();
        Assert.Contains(devices["members"]!.AsArray(), member => member!["name"]!.GetValue<string>() == "desktop");
        await Expect(page.GetByRole(AriaRole.Application, new() { NameRegex = new Regex("^Chart of Revenue, Desktop") })).ToBeVisibleAsync();
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_breakdown_that_cannot_be_loaded_says_so_in_its_place_and_the_rest_of_the_page_stands()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync(tenant: Studio);
        var page = visit.Page;
        var broken = true;
        await page.RouteAsync("**/breakdown?dimension=device**", route => broken ? route.FulfillAsync(new() { Status = 503, ContentType = "application/problem+json", Body = """{"detail":"The database does not answer at the moment."}""" }) : route.ContinueAsync());
        await page.GotoAsync("/analytics");
        var device = page.GetByRole(AriaRole.Region, new() { Name = "By device" });
        await Expect(device.GetByRole(AriaRole.Alert)).ToContainTextAsync("The database does not answer at the moment.");
        await Expect(page.GetByRole(AriaRole.List, new() { Name = "Sessions, by channel" })).ToBeVisibleAsync();
        await visit.CheckAsync("analytics-device-failed-360");
        broken = false;
        await device.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(device.GetByRole(AriaRole.List)).ToBeVisibleAsync();

        // Without the network what was seen last stands, dated.
        await page.RouteAsync("**/api/metrics/**", route => route.AbortAsync());
        await page.ReloadAsync();
        await Expect(device.GetByRole(AriaRole.List)).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Status).Filter(new() { HasText = "These were saved at" })).ToBeVisibleAsync();
    }
}
