using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Datasets;
using Microsoft.Playwright;
using Xunit;
using static KpiDashboard.BrowserTests.App.TwoOfAKind;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>Several sources of a kind in one business: the filter, tiles, goals and links of one of them, and how a second one is connected.</summary>
[Collection<SecondApp>]
public sealed class SourcesPagesTests(AppFixture app, TwoOfAKind business) : IClassFixture<TwoOfAKind>
{
    private const string Period = "range=last_28_days&compare=previous_period";

    private static readonly (string Path, string Name)[] Pages =
        [("/", "overview"), ("/analytics", "analytics"), ("/metrics/web.sessions", "metric"), ("/automation", "automation")];

    [Theory]
    [InlineData("Merch Shop")]
    [InlineData("Kiwi Plumbing")]
    public async Task With_one_source_of_a_kind_there_is_nothing_to_choose(string tenant)
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync("/", tenant);
        foreach (var (path, _) in Pages)
        {
            if (path != "/") await visit.Page.GotoAsync(path);
            await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 }).First).ToBeAttachedAsync();
            await visit.SettledAsync();
            await Expect(Filter(visit)).ToHaveCountAsync(0);
        }

        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_source_that_is_chosen_narrows_every_number_and_the_address_takes_it_along()
    {
        await using var visit = await business.VisitAsync(Screen.Desktop, "/");
        var page = visit.Page;
        await Expect(Filter(visit).Locator("option")).ToHaveTextAsync(["all sources", North, South, Office, Warehouse]);
        await ExpectSessionsAsync(null);
        await Filter(visit).SelectOptionAsync(new SelectOptionValue { Label = North });
        await ExpectSessionsAsync(North);
        await Expect(page).ToHaveURLAsync(new Regex($"sources={business.Ids[North]}"));
        // What is fresh, and every other number of the page, is that source's.
        var kpis = await SummaryAsync(North);
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Freshness of the sources" }).Or(page.Locator("section[aria-labelledby=fresh]")).GetByRole(AriaRole.Listitem)).ToHaveCountAsync(1);
        Assert.DoesNotContain(kpis["kpis"]!.AsArray(), kpi => kpi!["key"]!.GetValue<string>().StartsWith("automation.", StringComparison.Ordinal));
        await page.ReloadAsync();
        await ExpectSessionsAsync(North);
        await Expect(Filter(visit)).ToHaveValueAsync(business.Ids[North]);

        // Another period keeps the source.
        await page.GetByRole(AriaRole.Button, new() { Name = "7 days", Exact = true }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("range=last_7_days"));
        await Expect(page).ToHaveURLAsync(new Regex($"sources={business.Ids[North]}"));
        var week = await business.Api.GetAsync($"metrics/summary?range=last_7_days&compare=previous_period&sources={business.Ids[North]}");
        await Visit.ExpectExactAsync(visit.Tile("Sessions"), Numbers.Count(week.Kpi("web.sessions").Number("value")));

        // On to a number, another source there, and back to what was before.
        await visit.OpenTileAsync("Sessions");
        await Expect(Filter(visit).Locator("option")).ToHaveTextAsync(["all sources", North, South]);
        await Expect(Filter(visit)).ToHaveValueAsync(business.Ids[North]);
        var main = page.GetByRole(AriaRole.Main);
        await Visit.ExpectExactAsync(main, Numbers.Count(week.Kpi("web.sessions").Number("value")));
        await Filter(visit).SelectOptionAsync(new SelectOptionValue { Label = South });
        var south = await business.Api.GetAsync($"metrics/summary?range=last_7_days&compare=previous_period&sources={business.Ids[South]}");
        await Visit.ExpectExactAsync(main, Numbers.Count(south.Kpi("web.sessions").Number("value")));
        await page.GoBackAsync();
        await Visit.ExpectExactAsync(visit.Tile("Sessions"), Numbers.Count(week.Kpi("web.sessions").Number("value")));
        await Expect(Filter(visit)).ToHaveValueAsync(business.Ids[North]);

        // And all of them again.
        await Filter(visit).SelectOptionAsync("");
        await Expect(page).Not.ToHaveURLAsync(new Regex("sources="));
        var all = await business.Api.GetAsync("metrics/summary?range=last_7_days&compare=previous_period");
        await Visit.ExpectExactAsync(visit.Tile("Sessions"), Numbers.Count(all.Kpi("web.sessions").Number("value")));
        visit.AssertNoComplaints();

        async Task ExpectSessionsAsync(string? of) =>
            await Visit.ExpectExactAsync(visit.Tile("Sessions"), Numbers.Count((await SummaryAsync(of)).Kpi("web.sessions").Number("value")));
    }

    [Fact]
    public async Task What_one_of_two_sources_holds_back_is_told_of_that_one()
    {
        var found = await business.Api.GetAsync("insights/business?range=last_28_days&compare=previous_period");
        var texts = found["insights"]!.AsArray().Select(one => one!["text"]!.GetValue<string>()).Where(text => text.Contains("held back rows", StringComparison.Ordinal));
        Assert.StartsWith($"{South} held back rows of few people", Assert.Single(texts), StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_the_page_of_a_number_chart_division_provenance_and_file_are_those_of_the_source()
    {
        var id = business.Ids[South];
        await using var visit = await business.VisitAsync(Screen.Desktop, $"/metrics/web.sessions?range=last_28_days&sources={id}");
        var page = visit.Page;
        var summary = await SummaryAsync(South);
        var main = page.GetByRole(AriaRole.Main);
        await Visit.ExpectExactAsync(main, Numbers.Count(summary.Kpi("web.sessions").Number("value")));
        var chart = page.GetByRole(AriaRole.Region, new() { Name = "Over time" });
        await chart.GetByRole(AriaRole.Button, new() { Name = "Show as a table" }).ClickAsync();
        var days = summary.Kpi("web.sessions")["sparkline"]!.AsArray().Select(value => value is null ? "no data" : Numbers.Count(value.GetValue<decimal>()));
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Sessions, day by day" }).Locator("tbody tr td:nth-of-type(1)")).ToHaveTextAsync(days);

        var channels = await business.Api.GetAsync($"metrics/web.sessions/breakdown?dimension=channel&range=last_28_days&top=10&sources={id}");
        var first = channels["members"]![0]!;
        await Expect(page.GetByRole(AriaRole.List, new() { Name = "Sessions, by channel" }).GetByRole(AriaRole.Button).First)
            .ToContainTextAsync(Numbers.Count(first["value"]!.GetValue<decimal>()));
        await Expect(main.Locator("dd").Filter(new() { HasText = South }).First).ToBeVisibleAsync();
        await Expect(main.Locator("dd").Filter(new() { HasText = North })).ToHaveCountAsync(0);

        await main.GetByRole(AriaRole.Button, new() { Name = "Export" }).ClickAsync();
        var file = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("CSV") }).ClickAsync());
        Assert.Contains("south-shop", file.SuggestedFilename, StringComparison.Ordinal);
        var lines = await File.ReadAllLinesAsync(await file.PathAsync(), TestContext.Current.CancellationToken);
        var told = summary.Kpi("web.sessions")["sparkline"]!.AsArray().OfType<JsonNode>().Select(value => value.GetValue<decimal>()).ToList();
        Assert.All(told.Select(value => value.ToString(System.Globalization.CultureInfo.InvariantCulture)), value => Assert.Contains(lines, line => line.Contains(value, StringComparison.Ordinal)));

        // Of both, each part is told by its source's name.
        await Filter(visit).SelectOptionAsync("");
        var parts = main.GetByRole(AriaRole.List, new() { Name = "Parts" }).Or(main.Locator("section ul").Filter(new() { HasText = $"Sessions · {North}" })).First;
        await Expect(parts).ToContainTextAsync($"Sessions · {North}");
        await Expect(parts).ToContainTextAsync($"Sessions · {South}");
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task The_automation_page_shows_totals_workflows_and_runs_of_the_n8n_that_is_chosen()
    {
        await using var visit = await business.VisitAsync(Screen.Desktop, "/automation");
        var page = visit.Page;
        await Expect(Filter(visit).Locator("option")).ToHaveTextAsync(["all sources", Office, Warehouse]);
        foreach (var name in new[] { Warehouse, Office })
        {
            await Filter(visit).SelectOptionAsync(new SelectOptionValue { Label = name });
            var answer = await business.Api.GetAsync($"automation/performance?{Period}&sources={business.Ids[name]}");
            await Visit.ExpectExactAsync(page.Locator("main dl > div").Filter(new() { HasText = "Runs" }).First, Numbers.Count(answer["totals"]!["executions"]!.GetValue<decimal>()));
            var failed = await business.Api.GetAsync($"automation/executions?status=failed&kind=production,error_handler&limit=5&sources={business.Ids[name]}");
            Assert.All(failed["executions"]!.AsArray(), run => Assert.Equal(business.Ids[name], run!["integrationId"]!.GetValue<string>()));
            var rows = page.GetByRole(AriaRole.Region, new() { Name = "Latest failures" }).Or(page.Locator("section[aria-labelledby=failures]")).First.GetByRole(AriaRole.Listitem);
            await Expect(rows).ToHaveCountAsync(failed["executions"]!.AsArray().Count);
            var expected = failed["executions"]!.AsArray().Select(run => run!["workflow"]!.GetValue<string>()).ToList();
            for (var i = 0; i < expected.Count; i++) await Expect(rows.Nth(i)).ToContainTextAsync(expected[i]);
        }

        // A website has no automations: said, and nobody else's are shown.
        await page.GotoAsync($"/automation?sources={business.Ids[North]}");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = $"{North}: no automations" })).ToBeVisibleAsync();
        await Expect(page.Locator("main dl > div")).ToHaveCountAsync(0);
        await visit.InAllLooksAsync("sources-automation-none");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show all sources" }).ClickAsync();
        var all = await business.Api.GetAsync($"automation/performance?{Period}");
        await Visit.ExpectExactAsync(page.Locator("main dl > div").Filter(new() { HasText = "Runs" }).First, Numbers.Count(all["totals"]!["executions"]!.GetValue<decimal>()));
        await page.GotoAsync($"/analytics?sources={business.Ids[Office]}");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = $"{Office}: no numbers of a website" })).ToBeVisibleAsync();
        await page.GotoAsync($"/metrics/web.sessions?sources={business.Ids[Office]}");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = $"{Office}: no Sessions" })).ToBeVisibleAsync();
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_source_that_is_gone_is_said_on_every_page_and_no_other_numbers_take_its_place()
    {
        var gone = Guid.NewGuid().ToString();
        await using var visit = await business.VisitAsync(Screen.Phone, "/");
        var page = visit.Page;
        await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
        foreach (var (path, name) in Pages)
        {
            await page.GotoAsync($"{path}?sources={gone}");
            var alert = page.GetByRole(AriaRole.Alert);
            await Expect(alert).ToContainTextAsync("The address names a source that is not here");
            await Expect(alert).ToContainTextAsync("Its numbers are not replaced by those of others.");
            await Expect(page.GetByRole(AriaRole.Main).Locator("canvas, table, dl, [role=application], .tip-host")).ToHaveCountAsync(0);
            await Expect(Filter(visit).Locator("option:checked")).ToHaveTextAsync("a source that is gone");
            await visit.InAllLooksAsync($"sources-gone-{name}");
            await alert.GetByRole(AriaRole.Button, new() { Name = "Show all sources" }).ClickAsync();
            await Expect(alert).ToHaveCountAsync(0);
            await Expect(page).Not.ToHaveURLAsync(new Regex("sources="));
            await Expect(page.GetByRole(AriaRole.Main).Locator("canvas").First).ToBeVisibleAsync();
        }

        // What was kept of it for the next visit is not shown either.
        var id = business.Ids[South];
        await page.GotoAsync($"/?sources={id}");
        await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
        await page.RouteAsync("**/api/metrics/summary**", route => route.FulfillAsync(new()
        {
            Status = 400,
            ContentType = "application/problem+json",
            Body = new JsonObject
            {
                ["title"] = "Invalid",
                ["detail"] = $"'sources' names '{id}', which is no source of this business.",
                ["errors"] = new JsonObject { ["sources"] = new JsonArray($"'sources' names '{id}', which is no source of this business.") },
            }.ToJsonString(),
        }));
        await page.ReloadAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The address names a source that is not here");
        await Expect(visit.Tile("Sessions")).ToHaveCountAsync(0);
        Assert.All(visit.Complaints, said => Assert.Contains("status of 400", said, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_filter_is_chosen_with_the_keyboard_and_fits_a_phone_in_both_themes()
    {
        await using (var desk = await business.VisitAsync(Screen.Desktop, "/"))
        {
            await Expect(Filter(desk)).ToBeVisibleAsync();
            await desk.Page.GetByRole(AriaRole.Combobox, new() { Name = "Compared with" }).Or(desk.Page.Locator("select").First).First.FocusAsync();
            await desk.Page.Keyboard.PressAsync("Tab");
            await Expect(Filter(desk)).ToBeFocusedAsync();
            await desk.Page.Keyboard.PressAsync("ArrowDown");
            await Expect(Filter(desk)).ToHaveValueAsync(business.Ids[North]);
            await Visit.ExpectExactAsync(desk.Tile("Sessions"), Numbers.Count((await SummaryAsync(North)).Kpi("web.sessions").Number("value")));
            // Typing its name finds it, as in any list.
            await desk.Page.Keyboard.TypeAsync("South");
            await Expect(Filter(desk)).ToHaveValueAsync(business.Ids[South]);
            await Visit.ExpectExactAsync(desk.Tile("Sessions"), Numbers.Count((await SummaryAsync(South)).Kpi("web.sessions").Number("value")));
            desk.AssertNoComplaints();
        }

        await using var visit = await business.VisitAsync(Screen.Phone, "/");
        foreach (var (path, name) in Pages)
        {
            var one = name == "automation" ? Warehouse : North;
            foreach (var (query, state) in new[] { ("", "all"), ($"?sources={business.Ids[one]}&compare=previous_year", "one") })
            {
                await visit.Page.GotoAsync(path + query);
                await Expect(Filter(visit)).ToBeVisibleAsync();
                await visit.SettledAsync();
                var box = (await Filter(visit).BoundingBoxAsync())!;
                Assert.True(box.X >= 0 && box.X + box.Width <= 360 && box is { Width: >= 44, Height: >= 44 }, $"{path}{query}: {box.X} {box.Width} × {box.Height}");
                await visit.InAllLooksAsync($"sources-{name}-{state}");
            }
        }

        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task Another_business_is_not_asked_for_the_sources_of_this_one()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/?range=last_7_days", "Nordlicht Studio");
        var mine = (await visit.Page.EvaluateAsync<string>("location.search"))!;
        using var api = await app.ApiAsync("Nordlicht Studio");
        var id = (await api.GetAsync("sources"))["sources"]![0]!["id"]!.GetValue<string>();
        await visit.Page.GotoAsync($"/{mine}&sources={id}");
        await Expect(Filter(visit)).ToHaveValueAsync(id);
        await visit.SwitchAsync("Merch Shop");
        await Expect(visit.Page).Not.ToHaveURLAsync(new Regex("sources="));
        await Expect(visit.Page).ToHaveURLAsync(new Regex("range=last_7_days"));
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_tile_is_narrowed_in_its_options_shows_its_numbers_at_once_and_keeps_them_on_the_board_the_wall_and_paper()
    {
        var made = await business.Api.SendAsync(HttpMethod.Post, "dashboards", HttpStatusCode.Created, new
        {
            name = "By shop",
            tiles = new object[]
            {
                new { id = "a", kind = "kpi", width = 3, height = 1, kpi = "web.sessions" },
                new { id = "b", kind = "kpi", width = 3, height = 1, kpi = "web.sessions" },
                new { id = "c", kind = "chart", width = 6, height = 3, kpi = "web.sessions" },
                new { id = "d", kind = "automation", width = 8, height = 3 },
                new { id = "e", kind = "note", width = 4, height = 1, text = "Ours" },
            },
        });
        var id = made["id"]!.GetValue<string>();
        await using var visit = await business.VisitAsync(Screen.Desktop, $"/dashboards/{id}?compare=previous_year");
        var page = visit.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true }).ClickAsync();
        // A note has no numbers.
        await page.GetByRole(AriaRole.Button, new() { Name = "Options of Note: Ours" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Group, new() { Name = "Numbers of" })).ToHaveCountAsync(0);
        await page.Keyboard.PressAsync("Escape");
        await NarrowAsync(0, "Options of Sessions", South);
        await Expect(page.Locator("p[aria-live=polite]").First).ToHaveTextAsync($"Sessions: numbers of {South}.");
        var south = await business.Api.GetAsync($"metrics/summary?range=last_28_days&compare=previous_year&sources={business.Ids[South]}");
        var whole = await business.Api.GetAsync("metrics/summary?range=last_28_days&compare=previous_year");
        // The days are those of the board, so that tiles can be compared.
        var same = await business.Api.GetAsync(
            $"metrics/summary?range=last_28_days&to={whole["to"]!.GetValue<string>()}&compare=previous_year&sources={business.Ids[South]}");
        var number = Numbers.Count(same.Kpi("web.sessions").Number("value"));
        await Visit.ExpectExactAsync(Tile(visit, $"Sessions, of {South}"), number);
        await visit.InAllLooksAsync("sources-tile-editor");
        await NarrowAsync(0, "Options of Automations", Warehouse);
        await page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true })).ToBeVisibleAsync();
        var kept = await business.Api.GetAsync($"dashboards/{id}");
        Assert.Equal(
            [$"a {business.Ids[South]}", "b ", "c ", $"d {business.Ids[Warehouse]}", "e "],
            kept["tiles"]!.AsArray().Select(tile => $"{tile!["id"]} {string.Join(',', tile["sources"]?.AsArray().Select(one => one!.GetValue<string>()) ?? [])}"));

        await Visit.ExpectExactAsync(Tile(visit, $"Sessions, of {South}"), number);
        await Visit.ExpectExactAsync(Tile(visit, "Sessions").First, Numbers.Count(whole.Kpi("web.sessions").Number("value")));
        var flows = await business.Api.GetAsync($"automation/performance?{Period}&sources={business.Ids[Warehouse]}");
        var names = flows["workflows"]!.AsArray().Select(flow => flow!["name"]!.GetValue<string>()).ToHashSet();
        Assert.All(await Tile(visit, $"Automations, of {Warehouse}").Locator("tbody th").AllTextContentsAsync(), name => Assert.Contains(name, names));
        await visit.InAllLooksAsync("sources-tile-board");
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        await Expect(Tile(visit, $"Sessions, of {South}").GetByText($"of {South}")).ToBeVisibleAsync();
        await page.EmulateMediaAsync(new() { Media = Media.Screen });

        await page.GotoAsync($"/tv?boards={id}&compare=previous_year");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = $"Sessions of {South}" })).ToBeVisibleAsync();
        await Expect(page.Locator(".wall-tile").Filter(new() { HasText = $"Sessions of {South}" }).Locator(".wall-value")).ToHaveTextAsync(new Regex(@"\d"));
        await visit.ScreenshotAsync("sources-tile-wall", whole: false);
        visit.AssertNoComplaints();

        // A link shows the tile by its source's name, and one of another source says that it does not.
        var links = new Dictionary<string, string>();
        foreach (var name in new[] { "", South, North })
        {
            var link = await business.Api.SendAsync(HttpMethod.Post, $"dashboards/{id}/shares", HttpStatusCode.Created, name.Length == 0
                ? new { label = "All", days = 1, sources = (string[]?)null } : new { label = name, days = 1, sources = (string[]?)[business.Ids[name]] });
            links[name] = link["path"]!.GetValue<string>();
        }

        await using var viewer = await app.VisitAsync(Screen.Desktop);
        await viewer.Page.GotoAsync(links[""]);
        await Expect(Tile(viewer, $"Sessions, of {South}")).ToBeVisibleAsync();
        await Expect(Tile(viewer, "Sessions").First).ToBeVisibleAsync();
        Assert.DoesNotContain(business.Ids[South], await viewer.Page.EvaluateAsync<string>("JSON.stringify(localStorage)"), StringComparison.Ordinal);
        await viewer.Page.GotoAsync("about:blank");
        await viewer.Page.GotoAsync(links[South]);
        await Expect(viewer.Page.GetByText($"Numbers of {South}")).ToBeVisibleAsync();
        await Visit.ExpectExactAsync(Tile(viewer, "Sessions").First, Numbers.Count((await SummaryAsync(South)).Kpi("web.sessions").Number("value")));
        await Expect(viewer.Page.GetByText("This tile is narrowed to a source that this link does not show.")).ToHaveCountAsync(1);
        await viewer.Page.GotoAsync("about:blank");
        await viewer.Page.GotoAsync(links[North]);
        await Expect(viewer.Page.GetByText("This tile is narrowed to a source that this link does not show.")).ToHaveCountAsync(2);
        await viewer.InAllLooksAsync("sources-tile-link");
        viewer.AssertNoComplaints();
        await business.Api.SendAsync(HttpMethod.Delete, $"dashboards/{id}", HttpStatusCode.NoContent);

        async Task NarrowAsync(int which, string options, string source)
        {
            await page.GetByRole(AriaRole.Button, new() { Name = options }).Nth(which).ClickAsync();
            var group = page.GetByRole(AriaRole.Group, new() { Name = "Numbers of" });
            await Expect(group.GetByRole(AriaRole.Button, new() { Name = "All sources" })).ToHaveAttributeAsync("aria-pressed", "true");
            await group.GetByRole(AriaRole.Button, new() { Name = source }).ClickAsync();
            await Expect(group.GetByRole(AriaRole.Button, new() { Name = source })).ToHaveAttributeAsync("aria-pressed", "true");
            await page.Keyboard.PressAsync("Escape");
        }
    }

    [Fact]
    public async Task A_link_and_a_goal_of_one_source_are_made_on_the_page_and_say_of_which()
    {
        var made = await business.Api.SendAsync(HttpMethod.Post, "dashboards", HttpStatusCode.Created, new
        {
            name = "To share",
            tiles = new object[] { new { id = "a", kind = "kpi", width = 3, height = 1, kpi = "web.sessions" } },
        });
        await using var visit = await business.VisitAsync(Screen.Phone, $"/dashboards/{made["id"]}");
        var page = visit.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Share a link" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Read-only links" });
        await dialog.GetByLabel("What the link is for").FillAsync("For the south");
        await dialog.GetByLabel("Numbers of").SelectOptionAsync(new SelectOptionValue { Label = South });
        await Expect(dialog.GetByText("Whoever has the link sees what this source is called.")).ToBeVisibleAsync();
        await visit.InAllLooksAsync("sources-share");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Make a link" }).ClickAsync();
        await Expect(dialog.GetByRole(AriaRole.Listitem).Filter(new() { HasText = "For the south" })).ToContainTextAsync($"numbers of {South}");
        var link = (await business.Api.GetAsync($"dashboards/{made["id"]}/shares"))["shares"]![0]!;
        Assert.Equal([business.Ids[South]], link["sources"]!.AsArray().Select(one => one!.GetValue<string>()));
        await business.Api.SendAsync(HttpMethod.Delete, $"dashboards/{made["id"]}", HttpStatusCode.NoContent);

        await page.GotoAsync("/goals?new=web.sessions");
        var form = page.GetByRole(AriaRole.Dialog, new() { Name = "Set a goal" });
        await Expect(form.GetByLabel("Numbers of").Locator("option")).ToHaveTextAsync(["All sources", North, South]);
        await form.GetByLabel("Numbers of").SelectOptionAsync(new SelectOptionValue { Label = North });
        await form.GetByRole(AriaRole.Textbox, new() { NameRegex = new Regex("^Target") }).FillAsync("100");
        await visit.InAllLooksAsync("sources-goal-form");
        await form.GetByRole(AriaRole.Button, new() { Name = "Set the goal" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Main).GetByText($"of {North}")).ToBeVisibleAsync();
        var goal = (await business.Api.GetAsync("goals"))["goals"]![0]!;
        Assert.Equal([business.Ids[North]], goal["sources"]!.AsArray().Select(one => one!.GetValue<string>()));
        await visit.InAllLooksAsync("sources-goals");
        // Its name leads to the number of that source, where it stands.
        await page.GetByRole(AriaRole.Main).GetByRole(AriaRole.Link, new() { Name = "Sessions" }).ClickAsync();
        await Expect(Filter(visit)).ToHaveValueAsync(business.Ids[North]);
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Goal" }).Or(page.Locator("section[aria-labelledby=goal]")).First).ToContainTextAsync("100");
        await business.Api.SendAsync(HttpMethod.Delete, $"goals/{goal["id"]}", HttpStatusCode.NoContent);
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task A_second_n8n_is_connected_under_a_name_of_its_own_and_what_it_was_chosen_for_says_so_once_it_is_removed()
    {
        var email = MailBox.FreshAddress();
        var http = await app.RegisterAsync(email);
        using var api = new App.Api(http);
        await ConfirmAsync(app, api, email);
        await using var visit = await app.VisitAsync(Screen.Phone);
        var session = await visit.Context.APIRequest.PostAsync("/api/auth/login", new() { DataObject = new { email, password = MailBox.Password } });
        Assert.True(session.Ok, await session.TextAsync());
        await visit.Page.GotoAsync("/integrations");
        var main = visit.Page.GetByRole(AriaRole.Main);
        await ConnectAsync("Connect n8n", DemoWorld.Tenants[0], null);
        await Expect(main.GetByText("n8n is connected. Its first reading has begun.")).ToBeVisibleAsync();
        await visit.InAllLooksAsync("sources-another-offer");

        var form = await ConnectAsync("Connect another n8n", DemoWorld.Tenants[2], "N8N");
        await Expect(form.GetByText("another source is called so already")).ToBeVisibleAsync();
        await Expect(form.GetByLabel("What to call it")).ToHaveAttributeAsync("aria-invalid", "true");
        await visit.InAllLooksAsync("sources-another-n8n");
        await form.GetByLabel("What to call it").FillAsync("Warehouse");
        await form.GetByRole(AriaRole.Button, new() { Name = "Connect", Exact = true }).ClickAsync();
        await Expect(main.GetByText("Warehouse is connected. Its first reading has begun.")).ToBeVisibleAsync();
        var list = main.GetByRole(AriaRole.List, new() { Name = "Connected sources" });
        await Expect(list.GetByRole(AriaRole.Heading)).ToHaveTextAsync(["n8n", "Warehouse"]);
        await Expect(list.GetByText("Read on time")).ToHaveCountAsync(2);
        await visit.InAllLooksAsync("sources-list");

        // A tile and a goal of it.
        var all = (await api.GetAsync("sources"))["sources"]!.AsArray();
        var id = all.Single(source => source!["name"]!.GetValue<string>() == "Warehouse")!["id"]!.GetValue<string>();
        var board = await api.SendAsync(HttpMethod.Post, "dashboards", HttpStatusCode.Created, new
        {
            name = "Board",
            tiles = new object[]
            {
                new { id = "a", kind = "kpi", width = 3, height = 1, kpi = "automation.executions", sources = new[] { id } },
                new { id = "b", kind = "kpi", width = 3, height = 1, kpi = "automation.executions" },
                new { id = "c", kind = "automation", width = 8, height = 2, sources = new[] { id } },
            },
        });
        await api.SendAsync(HttpMethod.Post, "goals", HttpStatusCode.Created, new { kpi = "automation.executions", target = 10, rhythm = "month", sources = new[] { id } });

        await main.GetByRole(AriaRole.Link, new() { Name = "Details Warehouse" }).ClickAsync();
        await main.GetByRole(AriaRole.Button, new() { Name = "Disconnect" }).ClickAsync();
        var dialog = visit.Page.GetByRole(AriaRole.Dialog, new() { Name = "Disconnect Warehouse?" });
        await Expect(dialog).ToContainTextAsync("The numbers of n8n stay as they are.");
        await dialog.GetByLabel("Delete the numbers").CheckAsync();
        await visit.InAllLooksAsync("sources-disconnect");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Disconnect and delete", Exact = true }).ClickAsync();
        await Expect(list.GetByRole(AriaRole.Heading)).ToHaveTextAsync(["n8n"]);

        await visit.Page.GotoAsync($"/dashboards/{board["id"]}");
        var gone = visit.Page.GetByText("This tile is narrowed to a source that is not here any more.");
        await Expect(gone).ToHaveCountAsync(2);
        await Expect(Tile(visit, "Automation runs")).ToHaveCountAsync(2);
        await Expect(Tile(visit, "Automation runs").First).ToContainTextAsync("It shows no numbers of others instead.");
        await Expect(Tile(visit, "Automation runs").First.Locator(".num, svg, canvas")).ToHaveCountAsync(0);
        await Expect(Tile(visit, "Automation runs").Nth(1).Locator(".num").First).ToBeVisibleAsync();
        await visit.InAllLooksAsync("sources-tile-gone");
        // The board can be changed all the same, and the tile goes back to all.
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Textbox, new() { Name = "Name" }).FillAsync("Board, changed");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Board, changed" })).ToBeVisibleAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Options of Automation runs" }).First.ClickAsync();
        await visit.Page.GetByRole(AriaRole.Group, new() { Name = "Numbers of" }).GetByRole(AriaRole.Button, new() { Name = "All sources" }).ClickAsync();
        await visit.Page.Keyboard.PressAsync("Escape");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(gone).ToHaveCountAsync(1);
        await visit.Page.GotoAsync("/goals");
        await Expect(main.GetByText("A source of this goal was removed, so it is not judged any more.")).ToBeVisibleAsync();
        await visit.InAllLooksAsync("sources-goal-gone");
        Assert.All(visit.Complaints, said => Assert.Contains("status of 400", said, StringComparison.Ordinal));

        async Task<ILocator> ConnectAsync(string button, DemoTenant of, string? name)
        {
            await Expect(main.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Integrations");
            await main.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
            var asked = main.GetByRole(AriaRole.Form, new() { Name = button });
            await asked.GetByLabel("Address of your n8n").FillAsync(app.N8n.BaseUrl(of.N8nInstance!).ToString());
            await asked.GetByLabel("API key").FillAsync(of.N8nApiKey!);
            if (name is null) await Expect(asked.GetByLabel("What to call it")).ToHaveCountAsync(0);
            else await asked.GetByLabel("What to call it").FillAsync(name);
            await asked.GetByRole(AriaRole.Button, new() { Name = "Connect", Exact = true }).ClickAsync();
            return asked;
        }
    }

    private static ILocator Filter(Visit visit) => visit.Page.GetByRole(AriaRole.Combobox, new() { Name = "Numbers of" });

    private static ILocator Tile(Visit visit, string name) =>
        visit.Page.GetByRole(AriaRole.List, new() { Name = "Dashboards" }).GetByRole(AriaRole.Listitem, new() { Name = name, Exact = true });

    private Task<JsonNode> SummaryAsync(string? of) => business.Api.GetAsync($"metrics/summary?{Period}{(of is null ? "" : $"&sources={business.Ids[of]}")}");
}
