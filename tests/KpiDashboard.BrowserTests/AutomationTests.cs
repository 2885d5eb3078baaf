using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>Are the automations worth it?</summary>
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
        await visit.SettledAsync();
        Assert.Empty(visit.Complaints);
    }

    [Fact]
    public async Task Without_an_automation_tool_the_page_says_what_it_would_show()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync("/automation", "Open Lectures");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "No automation tool is connected" })).ToBeVisibleAsync();
        await Expect(visit.Page.GetByText("n8n can be connected")).ToBeVisibleAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Table)).ToHaveCountAsync(0);
        Assert.Empty(visit.Complaints);
    }

    [Fact]
    public async Task The_table_of_workflows_is_sorted_with_the_keyboard()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var workflows = (await api.GetAsync("automation/performance?range=last_28_days"))["workflows"]!.AsArray();
        var runs = workflows.Select(flow => flow!.Number("executions")).Order().Select(Numbers.Count).ToArray();
        Assert.True(runs.Distinct().Count() > 1, "Nothing can be sorted where all are the same.");
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/automation");
        var table = visit.Page.GetByRole(AriaRole.Table);
        var head = table.GetByRole(AriaRole.Columnheader, new() { Name = "Runs" });
        // The first cell after the name; the row of the head has none.
        var column = table.GetByRole(AriaRole.Row).Locator("td:nth-of-type(1)");

        await head.GetByRole(AriaRole.Button).FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
        await Expect(head).ToHaveAttributeAsync("aria-sort", "descending");
        await Expect(column).ToHaveTextAsync(runs.Reverse());
        await visit.Page.Keyboard.PressAsync("Space");
        await Expect(head).ToHaveAttributeAsync("aria-sort", "ascending");
        await Expect(column).ToHaveTextAsync(runs);
    }
}
