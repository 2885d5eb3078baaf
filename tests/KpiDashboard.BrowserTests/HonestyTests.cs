using System.Globalization;
using System.Net;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>What is not known is not shown as a number.</summary>
[Collection<FirstApp>]
public sealed class HonestyTests(AppFixture app)
{
    [Fact]
    public async Task Days_without_tracking_leave_the_weekdays_that_both_periods_have_to_compare_and_say_how_many()
    {
        using var api = await app.ApiAsync("Nordlicht Studio");
        var summary = await api.SummaryAsync("last_90_days");
        var sessions = summary.Kpi("web.sessions");
        Assert.Equal("partial", sessions["status"]!.GetValue<string>());
        Assert.Null(sessions["change"]);
        var missing = sessions["dayStatus"]!.AsArray().Count(day => day!.GetValue<string>() == "missing");
        Assert.Equal(3, missing);

        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/?range=last_90_days", "Nordlicht Studio");
        var tile = visit.Tile("Sessions");
        await Visit.ExpectExactAsync(tile, Numbers.Count(sessions.Number("value")));
        // No percentage of the whole period: the weekdays that both have are compared, and it is said how many those are.
        var alike = (int)sessions["alike"]!["days"]!;
        Assert.InRange(alike, 60, 87);
        await Expect(tile).ToContainTextAsync($"{alike}\u00a0days");
        await Expect(tile).ToContainTextAsync($"over the {alike} days that both have");

        await visit.OpenTileAsync("Sessions");
        await Expect(visit.Page.Locator("figcaption")).ToContainTextAsync("No data for ");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Show as a table", Exact = true }).ClickAsync();
        var rows = visit.Page.GetByRole(AriaRole.Region, new() { Name = "Sessions, day by day" }).Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(90);
        await Expect(rows.Filter(new() { Has = visit.Page.Locator("td:nth-of-type(1)").GetByText("no data", new() { Exact = true }) })).ToHaveCountAsync(missing);
        await Expect(rows.Locator("td:nth-of-type(1)").GetByText("0", new() { Exact = true })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task What_cannot_be_measured_is_a_dash_with_its_reason()
    {
        using var api = await app.ApiAsync("Kiwi Plumbing");
        // A KPI of its own with one reading long ago: whatever the demo's numbers are today, the last 28 days know nothing of it.
        var own = await api.SendAsync(HttpMethod.Post, "kpis/custom", HttpStatusCode.Created, new
        {
            key = "custom.van_litres",
            name = "Van fuel",
            description = "Litres that the vans used.",
            unit = "count",
            direction = "down",
            aggregation = "sum",
        });
        try
        {
            var longAgo = DateTime.UtcNow.AddDays(-100).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            await api.SendAsync(HttpMethod.Post, "push", HttpStatusCode.OK, new { readings = new[] { new { kpi = "custom.van_litres", date = longAgo, value = 61 } } });
            var unknown = (await api.SummaryAsync())["kpis"]!.AsArray().Where(kpi => kpi!["status"]!.GetValue<string>() == "not_measurable").ToList();
            Assert.Contains("Van fuel", unknown.Select(kpi => kpi!["name"]!.GetValue<string>()));
            await using var visit = await app.VisitAsync(Screen.Desktop);
            await visit.SignInAsync("/", "Kiwi Plumbing");
            foreach (var kpi in unknown)
            {
                Assert.Null(kpi!["value"]);
                var row = visit.Page.GetByRole(AriaRole.Row).Filter(new() { Has = visit.Page.GetByRole(AriaRole.Rowheader, new() { Name = kpi["name"]!.GetValue<string>(), Exact = true }) });
                var value = row.Locator("td:nth-of-type(2)");
                await Expect(value.Locator("[aria-hidden]").First).ToHaveTextAsync("–");
                await Expect(value.Locator(".sr-only")).ToHaveTextAsync(kpi["statusReason"]!.GetValue<string>());
            }
        }
        finally
        {
            await api.SendAsync(HttpMethod.Delete, $"kpis/custom/{own["id"]}", HttpStatusCode.NoContent);
        }
    }
}
