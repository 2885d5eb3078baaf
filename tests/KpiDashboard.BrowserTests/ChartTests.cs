using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>What a picture shows can also be read and heard.</summary>
[Collection<SecondApp>]
public sealed class ChartTests(AppFixture app)
{
    [Fact]
    public async Task The_table_twin_has_a_row_and_the_number_of_each_day()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var summary = await api.SummaryAsync();
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync();
        await visit.OpenTileAsync("Sessions");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Show as a table", Exact = true }).ClickAsync();
        var rows = visit.Page.GetByRole(AriaRole.Region, new() { Name = "Sessions, day by day" }).Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(summary.Days().Count);
        var expected = summary.Kpi("web.sessions")["sparkline"]!.AsArray().Select(value => value is null ? "no data" : Numbers.Count(value.GetValue<decimal>())).ToArray();
        Assert.Equal(28, expected.Length);
        await Expect(rows.Locator("td:nth-of-type(1)")).ToHaveTextAsync(expected);
    }

    [Fact]
    public async Task Arrow_keys_walk_the_days_and_announce_each()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var summary = await api.SummaryAsync();
        var days = summary.Days();
        var values = summary.Kpi("web.sessions")["sparkline"]!.AsArray();
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync();
        await visit.OpenTileAsync("Sessions");
        var chart = visit.Page.GetByRole(AriaRole.Application, new() { Name = "Chart of Sessions" });
        var said = visit.Page.Locator("figure [aria-live=polite]");
        await Expect(said).ToBeEmptyAsync();
        await chart.FocusAsync();
        async Task Heard(string key, Index at)
        {
            await visit.Page.Keyboard.PressAsync(key);
            var value = values[at.GetOffset(values.Count)];
            await Expect(said).ToContainTextAsync(Numbers.Day(days[at]));
            await Expect(said).ToContainTextAsync($"Sessions {(value is null ? "no data" : Numbers.Count(value.GetValue<decimal>()))}");
        }

        await Heard("ArrowLeft", ^1);
        await Heard("ArrowLeft", ^2);
        await Heard("ArrowRight", ^1);
        await Heard("Home", 0);
        await Heard("ArrowRight", 1);
        await Heard("End", ^1);
        await visit.Page.Keyboard.PressAsync("Escape");
        await Expect(said).ToBeEmptyAsync();
    }
}
