using System.Globalization;
using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>Are the automations worth it?</summary>
[Collection<SecondApp>]
public sealed class AutomationTests(AppFixture app)
{
    [Fact]
    public async Task The_totals_are_those_of_the_API()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var totals = (await api.GetAsync("automation/performance?range=last_28_days&compare=previous_period"))["totals"]!;
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/automation");
        ILocator Fact(string name) => visit.Page.GetByRole(AriaRole.Main).Locator("dl > div").Filter(new() { Has = visit.Page.GetByRole(AriaRole.Term).GetByText(name, new() { Exact = true }) }).First;
        await Visit.ExpectExactAsync(Fact("Runs"), Numbers.Count(totals.Number("executions")));
        await Visit.ExpectExactAsync(Fact("Failed"), Numbers.Count(totals.Number("failed")));
        await Visit.ExpectExactAsync(Fact("Success rate"), Numbers.Percent(totals.Number("successRate")));
        await Visit.ExpectExactAsync(Fact("Worth"), Numbers.Money(totals.Number("valueSaved"), "$"));
        await Visit.ExpectExactAsync(Fact("Return"), Numbers.Times(totals.Number("roi")));
        await Visit.ExpectExactAsync(Fact("Cost"), Numbers.Money(totals.Number("cost"), "$"));
        await Visit.ExpectExactAsync(Fact("Lost to failures"), Numbers.Money(totals.Number("lostValue"), "$"));
        // Less than a day is told in hours, and the demo's automations pay for themselves in less, or nearly.
        var payback = totals.Number("paybackDays");
        await Expect(Fact("Paid back in")).ToHaveTextAsync(new Regex(payback < 1 ? @"^Paid back in[\d.]+\s(h|min)$" : @"^Paid back in[\d.]+\s(day|days)$"));
        if (payback * 24 is >= 1 and < 24)
            Assert.Equal((double)payback * 24, double.Parse(Regex.Match(await Fact("Paid back in").InnerTextAsync(), @"[\d.]+").Value, CultureInfo.InvariantCulture), 0.5);
        await visit.SettledAsync();
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task Revenue_stands_over_what_was_saved_for_the_same_days_and_the_words_say_correlation()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/automation?range=last_28_days");
        var beside = visit.Page.GetByRole(AriaRole.Region, new() { Name = "Revenue and automations" });
        await Expect(beside.GetByRole(AriaRole.Application)).ToHaveCountAsync(2);
        await Expect(beside.GetByText("This is a correlation: it does not tell whether one causes the other.")).ToBeVisibleAsync();
        // One axis of time: both tables have the same days.
        var show = beside.GetByRole(AriaRole.Button, new() { Name = "Show as a table" });
        await show.First.ClickAsync();
        await show.First.ClickAsync();
        var tables = beside.GetByRole(AriaRole.Table);
        await Expect(tables).ToHaveCountAsync(2);
        var days = await tables.Nth(0).GetByRole(AriaRole.Rowheader).AllTextContentsAsync();
        Assert.Equal(28, days.Count);
        await Expect(tables.Nth(1).GetByRole(AriaRole.Rowheader)).ToHaveTextAsync([.. days]);

        // Too short for a rhythm of weeks: nothing is claimed.
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "7 days", Exact = true }).ClickAsync();
        await Expect(beside.GetByText("is only told over 21 complete days or more")).ToBeVisibleAsync();
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task Without_an_automation_tool_the_page_says_what_it_would_show()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync("/automation", "Open Lectures");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "No automation tool is connected" })).ToBeVisibleAsync();
        await Expect(visit.Page.GetByText("n8n can be connected")).ToBeVisibleAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Table)).ToHaveCountAsync(0);
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task The_table_of_workflows_is_sorted_with_the_keyboard()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var workflows = (await api.GetAsync("automation/performance?range=last_28_days"))["workflows"]!.AsArray();
        var runs = workflows.Select(flow => flow!.Number("executions")).Order().Select(Numbers.Count).Select(number => new Regex($"^{Regex.Escape(number)}(before|$)")).ToArray();
        Assert.True(runs.Select(run => run.ToString()).Distinct().Count() > 1, "Nothing can be sorted where all are the same.");
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/automation");
        var table = visit.Page.GetByRole(AriaRole.Table);
        var head = table.GetByRole(AriaRole.Columnheader, new() { Name = "Runs", Exact = true });
        // The cell after the trend; the row of the head has none.
        var column = table.GetByRole(AriaRole.Row).Locator("td:nth-of-type(2)");

        await head.GetByRole(AriaRole.Button).FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
        await Expect(head).ToHaveAttributeAsync("aria-sort", "descending");
        await Expect(column).ToHaveTextAsync(runs.Reverse());
        await visit.Page.Keyboard.PressAsync("Space");
        await Expect(head).ToHaveAttributeAsync("aria-sort", "ascending");
        await Expect(column).ToHaveTextAsync(runs);
    }
}
