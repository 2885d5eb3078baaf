using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Seeding;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>What can be asked of a number, and what can be wanted of it.</summary>
[Collection<SecondApp>]
public sealed partial class NumbersPagesTests(AppFixture app)
{
    private const string Shop = "Merch Shop";

    [Fact]
    public async Task A_tile_leads_to_all_about_its_number_and_the_address_keeps_period_and_grain()
    {
        using var api = await app.ApiAsync(Shop);
        var summary = await api.SummaryAsync("last_90_days");
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/?range=last_90_days", Shop);
        await visit.Tile("Sessions").ClickAsync();
        var page = visit.Page;
        await Expect(page).ToHaveURLAsync(new Regex("/metrics/web\\.sessions\\?range=last_90_days$"));
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Sessions");
        await Visit.ExpectExactAsync(page.GetByRole(AriaRole.Main), Numbers.Count(summary.Kpi("web.sessions").Number("value")));

        await page.GetByRole(AriaRole.Group, new() { Name = "One point is" }).GetByRole(AriaRole.Button, new() { Name = "Week" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("grain=week"));
        var weeks = await api.GetAsync($"metrics/history?kpis=web.sessions&from={summary["from"]}&to={summary["to"]}&grain=week");
        var values = weeks["series"]![0]!["points"]!.AsArray().Select(point => point!["value"] is { } value ? Numbers.Count(value.GetValue<decimal>()) : "no data").ToList();
        await page.GetByRole(AriaRole.Button, new() { Name = "Show as a table", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Sessions, day by day" }).Locator("tbody tr td:nth-of-type(1)")).ToHaveTextAsync(values);
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task Days_of_ones_own_are_checked_and_then_shown()
    {
        using var api = await app.ApiAsync(Shop);
        var summary = await api.SummaryAsync();
        var (from, to) = (summary.Days()[3], summary.Days()[9]);
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/metrics/web.sessions", Shop);
        var page = visit.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Other days" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Which days" });
        await dialog.GetByLabel("From").FillAsync(to);
        await dialog.GetByLabel("To", new() { Exact = true }).FillAsync(from);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Show these days" }).ClickAsync();
        await Expect(dialog).ToContainTextAsync("This is after the last day.");
        await dialog.GetByLabel("From").FillAsync(from);
        await dialog.GetByLabel("To", new() { Exact = true }).FillAsync(to);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Show these days" }).ClickAsync();
        await Expect(dialog).ToBeHiddenAsync();
        await Expect(page).ToHaveURLAsync(new Regex($"from={from}&to={to}"));
        var week = await api.GetAsync($"metrics/summary?from={from}&to={to}&compare=previous_period");
        await Visit.ExpectExactAsync(page.GetByRole(AriaRole.Main), Numbers.Count(week.Kpi("web.sessions").Number("value")));
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("7 days before");
        await page.GetByRole(AriaRole.Group, new() { Name = "Period" }).GetByRole(AriaRole.Button, new() { Name = "90 days" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/metrics/web\\.sessions\\?(?!.*from=).*range=last_90_days"));
    }

    [Fact]
    public async Task Days_of_ones_own_go_along_from_the_overview_to_the_other_pages()
    {
        using var api = await app.ApiAsync(Shop);
        var days = (await api.SummaryAsync()).Days();
        var (from, to) = (days[2], days[20]);
        var chosen = new Regex($@"^Other days: {int.Parse(from[8..], CultureInfo.InvariantCulture)}\b.*\b{int.Parse(to[8..], CultureInfo.InvariantCulture)} \w+$");
        var own = await api.GetAsync($"metrics/summary?from={from}&to={to}&compare=previous_period");
        var automation = await api.GetAsync($"automation/performance?from={from}&to={to}&compare=previous_period");
        var insights = await api.GetAsync($"insights/business?from={from}&to={to}&compare=previous_period");
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync();
        var page = visit.Page;
        var asked = new ConcurrentQueue<string>();
        page.Request += (_, request) => asked.Enqueue(new Uri(request.Url).PathAndQuery);
        await page.GetByRole(AriaRole.Button, new() { Name = "Other days:" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Which days" });
        await dialog.GetByLabel("From").FillAsync(from);
        await dialog.GetByLabel("To", new() { Exact = true }).FillAsync(to);
        await visit.ScreenshotAsync("days-phone-light", whole: false);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Show these days" }).ClickAsync();
        await Expect(dialog).ToBeHiddenAsync();
        await Visit.ExpectExactAsync(visit.Tile("Sessions"), Numbers.Count(own.Kpi("web.sessions").Number("value")));
        await Expect(page.GetByRole(AriaRole.Button, new() { NameRegex = chosen })).ToBeVisibleAsync();
        await visit.ScreenshotAsync("overview-own-days-phone-light");

        // Asked for once, also when the page is opened with them.
        asked.Clear();
        await page.ReloadAsync();
        await Visit.ExpectExactAsync(visit.Tile("Sessions"), Numbers.Count(own.Kpi("web.sessions").Number("value")));
        await visit.SettledAsync();
        Assert.Single(asked, path => path.StartsWith("/api/metrics/summary?", StringComparison.Ordinal));

        await page.GotoAsync($"/automation?from={from}&to={to}");
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("during ");
        await Visit.ExpectExactAsync(page.GetByRole(AriaRole.Definition).Nth(1), Numbers.Count(automation["totals"]!["executions"]!.GetValue<decimal>()));
        await page.GotoAsync($"/insights?from={from}&to={to}");
        if (insights["insights"]!.AsArray() is [{ } first, ..])
            await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync(first["text"]!.GetValue<string>(), new() { UseInnerText = true });
        var id = (await api.SendAsync(HttpMethod.Post, "dashboards", HttpStatusCode.Created, new { name = "Nineteen days", template = "morning" }))["id"]!.GetValue<string>();
        await page.GotoAsync($"/dashboards/{id}?from={from}&to={to}");
        await Expect(page.GetByRole(AriaRole.Button, new() { NameRegex = chosen })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync(Numbers.Count(own.Kpi("web.sessions").Number("value")));
        await api.SendAsync(HttpMethod.Delete, $"dashboards/{id}", HttpStatusCode.NoContent);
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_number_tells_where_it_comes_from_on_the_day_that_was_asked_for()
    {
        using var api = await app.ApiAsync(Shop);
        var summary = await api.SummaryAsync();
        var day = summary.Days()[5];
        var proof = await api.GetAsync($"metrics/provenance?kpi=shop.average_order_value&date={day}");
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/metrics/shop.average_order_value", Shop);
        var where = visit.Page.GetByRole(AriaRole.Region, new() { Name = "Where does this number come from?" });
        await where.GetByLabel("Day", new() { Exact = true }).FillAsync(day);
        await Visit.ExpectExactAsync(where, Numbers.Money(decimal.Round(proof.Number("value"), 2, MidpointRounding.AwayFromZero), "$"));
        await Expect(where).ToContainTextAsync(proof["formula"]!.GetValue<string>());
        var parts = where.GetByRole(AriaRole.List, new() { Name = "Made of" }).Locator("> li");
        await Expect(parts).ToHaveCountAsync(proof["parts"]!.AsArray().Count);
        foreach (var part in proof["parts"]!.AsArray())
        {
            var row = parts.Filter(new() { HasText = part!["name"]!.GetValue<string>() }).First;
            await Expect(row).ToContainTextAsync(part["source"]!.GetValue<string>());
            await Expect(row).ToContainTextAsync($"run {part["runId"]!.GetValue<string>()[..8]}");
        }
    }

    [Fact]
    public async Task A_note_stands_on_every_chart_is_changed_and_deleted_and_a_viewer_only_reads_it()
    {
        using var api = await app.ApiAsync(Shop);
        var day = (await api.SummaryAsync()).Days()[^5];
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/metrics/web.sessions", Shop);
        var page = visit.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a note" }).First.ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Add a note" });
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Add the note" }).ClickAsync();
        await Expect(dialog).ToContainTextAsync("Say what happened.");
        await dialog.GetByLabel("What happened").FillAsync("The winter catalogue went out.");
        await dialog.GetByLabel("First day").FillAsync(day);
        await dialog.GetByLabel("Last day").FillAsync(day);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Add the note" }).ClickAsync();
        var list = page.GetByRole(AriaRole.List, new() { Name = "Notes on the days of Sessions" });
        try
        {
            await Expect(list).ToContainTextAsync("The winter catalogue went out.");
            await page.GotoAsync("/");
            await Expect(page.GetByRole(AriaRole.List, new() { NameRegex = NotesOfAny() })).ToContainTextAsync("The winter catalogue went out.");
            await using (var viewer = await app.VisitAsync(Screen.Desktop))
            {
                await viewer.SignInAsync("/metrics/web.sessions", Shop, DemoSeeder.ViewerEmail);
                await Expect(viewer.Page.GetByRole(AriaRole.List, new() { Name = "Notes on the days of Sessions" })).ToContainTextAsync("The winter catalogue went out.");
                await Expect(viewer.Page.GetByRole(AriaRole.Button, new() { Name = "Export" })).ToBeVisibleAsync();
                await Expect(viewer.Page.GetByRole(AriaRole.Button, new() { NameRegex = NoteButtons() })).ToHaveCountAsync(0);
            }

            await page.GotoAsync("/metrics/web.sessions");
            await list.GetByRole(AriaRole.Button, new() { Name = "Change the note “The winter catalogue went out.”" }).ClickAsync();
            var change = page.GetByRole(AriaRole.Dialog, new() { Name = "Change the note" });
            await change.GetByLabel("What happened").FillAsync("The catalogue came late.");
            await change.GetByRole(AriaRole.Button, new() { Name = "Save the note" }).ClickAsync();
            await Expect(list).ToContainTextAsync("The catalogue came late.");
            await list.GetByRole(AriaRole.Button, new() { Name = "Delete the note “The catalogue came late.”" }).ClickAsync();
            await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Main).GetByRole(AriaRole.Listitem).Filter(new() { HasText = "The catalogue came late." })).ToHaveCountAsync(0);
        }
        finally
        {
            foreach (var left in (await api.GetAsync($"annotations?from={day}&to={day}"))["annotations"]!.AsArray().Where(one => one!["id"] is not null))
                await api.SendAsync(HttpMethod.Delete, $"annotations/{left!["id"]}", HttpStatusCode.NoContent);
        }

        visit.AssertNoComplaints();
    }

    [Theory]
    [InlineData("Numbers as CSV", "csv")]
    [InlineData("Numbers as JSON", "json")]
    [InlineData("Chart as a picture (PNG)", "png")]
    public async Task A_number_is_exported(string choice, string extension)
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/metrics/shop.revenue", Shop);
        var page = visit.Page;
        await Expect(page.Locator("canvas")).ToBeVisibleAsync();
        await visit.SettledAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Export" }).ClickAsync();
        var file = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Button, new() { Name = choice }).ClickAsync());
        Assert.EndsWith("." + extension, file.SuggestedFilename, StringComparison.Ordinal);
        await using var content = await file.CreateReadStreamAsync();
        using var memory = new MemoryStream();
        await content.CopyToAsync(memory, TestContext.Current.CancellationToken);
        var bytes = memory.ToArray();
        if (extension == "png")
        {
            Assert.Equal("PNG"u8.ToArray(), bytes[1..4]);
            // Wide as the chart and its margins, and not an empty sheet.
            Assert.True(bytes.Length > 5000, $"A picture of {bytes.Length} bytes shows nothing.");
            return;
        }

        using var api = await app.ApiAsync(Shop);
        var summary = await api.SummaryAsync();
        var text = System.Text.Encoding.UTF8.GetString(bytes);
        if (extension == "csv") Assert.Equal(summary.Days().Count + 1, text.TrimEnd().Split('\n').Length);
        else Assert.Equal(summary.Days(), JsonNode.Parse(text)!["rows"]!.AsArray().Select(row => row!["date"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_goal_for_money_is_asked_for_in_the_currency_of_its_number_whatever_the_business_counts_in()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        var page = visit.Page;
        // A property in euros, connected to this business in dollars.
        await page.RouteAsync("**/api/kpis", async route =>
        {
            var answer = await route.FetchAsync();
            var catalogue = JsonNode.Parse(await answer.TextAsync())!.AsArray();
            foreach (var kpi in catalogue.Where(one => (string)one!["key"]! == "shop.revenue")) kpi!["currency"] = "EUR";
            await route.FulfillAsync(new() { Response = answer, Body = catalogue.ToJsonString() });
        });
        await visit.SignInAsync("/goals?new=shop.revenue", Shop);
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Set a goal" });
        await Expect(dialog.GetByLabel("Target, in EUR")).ToBeVisibleAsync();
        await Expect(dialog.GetByLabel("Target, in USD")).ToHaveCountAsync(0);

        // And what is picked next has its own again.
        await page.GotoAsync("/goals?new=shop.average_order_value");
        await Expect(dialog.GetByLabel("Target, in USD")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_goal_is_set_seen_on_its_tile_changed_and_deleted()
    {
        using var api = await app.ApiAsync(Shop);
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/goals?new=shop.revenue", Shop);
        var page = visit.Page;
        try
        {
            var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Set a goal" });
            await dialog.GetByRole(AriaRole.Button, new() { Name = "Set the goal" }).ClickAsync();
            await Expect(dialog).ToContainTextAsync("Enter a target.");
            await dialog.GetByLabel("Target, in USD").FillAsync("much");
            await dialog.GetByRole(AriaRole.Button, new() { Name = "Set the goal" }).ClickAsync();
            await Expect(dialog).ToContainTextAsync("Enter a number such as 1,500 or 2.5.");
            await dialog.GetByLabel("Target, in USD").FillAsync("45,000");
            await dialog.GetByRole(AriaRole.Button, new() { Name = "Set the goal" }).ClickAsync();
            var entry = page.GetByRole(AriaRole.Main).GetByRole(AriaRole.Listitem).Filter(new() { HasText = "$45,000 a month" });
            await Expect(entry).ToBeVisibleAsync();
            var goal = (await api.GetAsync("goals"))["goals"]!.AsArray().Single(one => one!["target"]!.GetValue<decimal>() == 45_000)!;
            await Expect(entry).ToContainTextAsync(goal["now"]!["text"]!.GetValue<string>());

            await page.GotoAsync("/");
            await Expect(visit.Tile("Revenue")).ToContainTextAsync((await api.SummaryAsync()).Kpi("shop.revenue")["goal"]!["text"]!.GetValue<string>());
            await page.GotoAsync("/metrics/shop.revenue?range=last_90_days&grain=month");
            await Expect(page.Locator("figure")).ToContainTextAsync("Goal");

            await page.GotoAsync("/goals");
            await page.GetByRole(AriaRole.Button, new() { Name = "Change the goal for Revenue" }).ClickAsync();
            var change = page.GetByRole(AriaRole.Dialog, new() { Name = "Goal for Revenue" });
            await Expect(change.GetByLabel("Target, in USD")).ToHaveValueAsync("45000");
            await change.GetByLabel("Target, in USD").FillAsync("50000");
            await change.GetByRole(AriaRole.Button, new() { Name = "Save the goal" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("$50,000 a month");
            await page.GetByRole(AriaRole.Button, new() { Name = "Delete the goal for Revenue" }).ClickAsync();
            await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
            await Expect(page.GetByText("$50,000 a month")).ToHaveCountAsync(0);
        }
        finally
        {
            foreach (var left in (await api.GetAsync("goals"))["goals"]!.AsArray().Where(one => one!["target"]!.GetValue<decimal>() is 45_000 or 50_000))
                await api.SendAsync(HttpMethod.Delete, $"goals/{left!["id"]}", HttpStatusCode.NoContent);
        }

        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_calculated_KPI_is_written_with_completion_tried_saved_and_stands_beside_the_others()
    {
        using var api = await app.ApiAsync(Shop);
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/kpis/calculated/new", Shop);
        var page = visit.Page;
        try
        {
            await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Revenue per hundred visits");
            await Expect(page.GetByLabel("Key", new() { Exact = true })).ToHaveValueAsync("calc.revenue_per_hundred_visits");
            var formula = page.GetByRole(AriaRole.Combobox, new() { Name = "Formula" });
            await formula.PressSequentiallyAsync("shop.rev");
            await Expect(page.GetByRole(AriaRole.Option).First).ToContainTextAsync("shop.revenue");
            await page.Keyboard.PressAsync("Enter");
            await Expect(formula).ToHaveValueAsync("shop.revenue");
            await formula.PressSequentiallyAsync(" / web.nothing");
            await page.Keyboard.PressAsync("Escape");
            // What the API says of the formula stands at the formula.
            await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("web.nothing");
            await formula.FillAsync("shop.revenue / web.sessions * 100");
            await page.GetByLabel("Shown as").SelectOptionAsync("currency");
            var preview = page.GetByRole(AriaRole.Region, new() { Name = "Preview" });
            var summary = await api.SummaryAsync();
            var expected = summary.Kpi("shop.revenue").Number("value") / summary.Kpi("web.sessions").Number("value") * 100;
            await Visit.ExpectExactAsync(preview, Numbers.Money(decimal.Round(expected, 2, MidpointRounding.AwayFromZero), "$"));
            await page.GetByRole(AriaRole.Button, new() { Name = "Save the KPI" }).ClickAsync();
            await Expect(page).ToHaveURLAsync(new Regex("/kpis/calculated$"));
            await page.GetByRole(AriaRole.Link, new() { Name = "Revenue per hundred visits", Exact = true }).ClickAsync();
            await Visit.ExpectExactAsync(page.GetByRole(AriaRole.Main), Numbers.Money(decimal.Round(expected, 2, MidpointRounding.AwayFromZero), "$"));
        }
        finally
        {
            foreach (var left in (await api.GetAsync("kpis/calculated"))["kpis"]!.AsArray())
                await api.SendAsync(HttpMethod.Delete, $"kpis/calculated/{left!["id"]}", HttpStatusCode.NoContent);
        }
    }

    [Fact]
    public async Task An_insight_is_dismissed_brought_back_and_its_score_is_worked_out_before_ones_eyes()
    {
        const string Studio = "Nordlicht Studio";
        using var api = await app.ApiAsync(Studio);
        var answer = await api.GetAsync("insights/business?range=last_28_days&compare=previous_period");
        var first = answer["insights"]![0]!;
        var text = first["text"]!.GetValue<string>();
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/insights", Studio);
        var page = visit.Page;
        var list = page.GetByRole(AriaRole.Region, new() { Name = "What stands out" });
        await Expect(list.GetByRole(AriaRole.Listitem).First).ToContainTextAsync(text);
        foreach (var proof in first["evidence"]!.AsArray())
            await Expect(list.GetByRole(AriaRole.Listitem).First).ToContainTextAsync(proof!["shown"]!.GetValue<string>());
        var health = page.GetByRole(AriaRole.Region, new() { Name = "Business health" });
        foreach (var part in answer["healthScore"]!["parts"]!.AsArray())
            await Expect(health).ToContainTextAsync(part!["why"]!.GetValue<string>());

        await page.GetByRole(AriaRole.Button, new() { Name = $"Snooze: {text}", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^In a week") }).ClickAsync();
        await Expect(list).ToContainTextAsync(new Regex("Put aside until .+, or until it says something else\\."));
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = $"Dismiss: {text}", Exact = true })).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = $"Dismiss: {text}", Exact = true })).ToHaveCountAsync(1);

        await page.GetByRole(AriaRole.Button, new() { Name = $"Dismiss: {text}", Exact = true }).ClickAsync();
        await Expect(list).ToContainTextAsync("Dismissed until it says something else.");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = $"Dismiss: {text}", Exact = true })).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = $"Dismiss: {text}", Exact = true })).ToHaveCountAsync(1);
        await Expect(list.GetByRole(AriaRole.Listitem).First).ToContainTextAsync(text);
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task Keys_lead_to_insights_goals_calculated_KPIs_and_the_help_which_explains_every_number()
    {
        using var api = await app.ApiAsync(Shop);
        var catalogue = await api.GetAsync("kpis");
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync();
        await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
        await visit.SettledAsync();
        foreach (var (key, heading) in new[] { ("n", "Insights"), ("g", "Goals"), ("k", "Calculated KPIs"), ("h", "Help") })
        {
            await visit.Page.Keyboard.PressAsync("g");
            await visit.Page.Keyboard.PressAsync(key);
            await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync(heading);
        }

        foreach (var kpi in catalogue.AsArray())
            await Expect(visit.Page.GetByText(kpi!["description"]!.GetValue<string>()).First).ToBeVisibleAsync();
    }

    [GeneratedRegex("note", RegexOptions.IgnoreCase)]
    private static partial Regex NoteButtons();

    [GeneratedRegex("^Notes on the days of ")]
    private static partial Regex NotesOfAny();
}
