using System.Globalization;
using System.Net;
using System.Text.Json;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>What a phone in a pocket meets: fingers, other languages, a way without a network, forms that are left in the middle.</summary>
[Collection<SecondApp>]
public sealed class PocketTests(AppFixture app)
{
    [Fact]
    public async Task A_finger_reads_a_day_off_a_chart_drags_on_and_chooses_and_a_bar_narrows()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync("/metrics/web.sessions", "Nordlicht Studio");
        await Expect(visit.Page.Locator("canvas").First).ToBeVisibleAsync();
        await visit.SettledAsync();
        var chart = visit.Page.GetByRole(AriaRole.Application, new() { Name = "Chart of Sessions" });
        await chart.ScrollIntoViewIfNeededAsync();
        var box = (await chart.BoundingBoxAsync())!;
        var said = visit.Page.Locator("figure [aria-live=polite]").First;
        await Expect(said).ToBeEmptyAsync();

        // A tap: the day is read out, and chosen.
        await visit.Page.Touchscreen.TapAsync(box.X + (box.Width * 0.4f), box.Y + (box.Height / 2));
        await Expect(said).ToContainTextAsync("Sessions");
        var tapped = await said.TextContentAsync();
        await visit.ScreenshotAsync("chart-tapped-360");
        var from = visit.Page.Locator("#provenance, [aria-labelledby=provenance]").First;
        var title = visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Where does this number come from?" });
        await Expect(title).ToBeVisibleAsync();
        var day = tapped!.Split(':')[0].Split(',')[^1].Trim();
        await Expect(visit.Page.GetByRole(AriaRole.Main)).ToContainTextAsync("Day");
        Assert.NotEmpty(day);

        // A finger that moves to the side reads on, and the page stays; the last day stands after it was lifted.
        var devtools = await visit.Context.NewCDPSessionAsync(visit.Page);
        Task TouchAsync(string type, params object[] points) => devtools.SendAsync("Input.dispatchTouchEvent", new()
        {
            ["type"] = type,
            ["touchPoints"] = points
        });
        await chart.ScrollIntoViewIfNeededAsync();
        box = (await chart.BoundingBoxAsync())!;
        var (y, scrolled) = (box.Y + (box.Height / 2), await visit.Page.EvaluateAsync<double>("scrollY"));
        await TouchAsync("touchStart", new { x = box.X + (box.Width * 0.5), y });
        var heard = new HashSet<string?>();
        for (var step = 1; step <= 10; step++)
        {
            await TouchAsync("touchMove", new { x = box.X + (box.Width * (0.5 + (0.04 * step))), y });
            await Task.Delay(50, TestContext.Current.CancellationToken);
            heard.Add(await said.TextContentAsync());
        }

        await TouchAsync("touchEnd");
        Assert.True(heard.Count >= 4, "Dragging read out only: " + string.Join(" | ", heard));
        await Expect(said).ToHaveTextAsync(heard.Last()!);
        Assert.Equal(scrolled, await visit.Page.EvaluateAsync<double>("scrollY"));

        // And the bars of a division.
        var bars = visit.Page.GetByRole(AriaRole.List, new() { Name = "Sessions, by channel" });
        var bar = bars.GetByRole(AriaRole.Button).First;
        await bar.TapAsync();
        await Expect(bar).ToHaveAttributeAsync("aria-pressed", "true");
        await Expect(visit.Page.GetByRole(AriaRole.Status).Filter(new() { HasText = "Only" }).First).ToBeVisibleAsync();
        visit.AssertNoComplaints();
    }

    /// <summary>
    /// Every number that is seen stands beside its exact value for those who hear it. What has no sign for thousands or millions is as
    /// exact as its card says: a whole number is the whole number, and no digits of another script stand in English sentences.
    /// </summary>
    [Theory]
    [InlineData("en-US", false)]
    [InlineData("de-DE", true)]
    [InlineData("ar", false)]
    public async Task Numbers_are_not_rounded_in_disguise_and_have_one_script(string locale, bool comma)
    {
        await using var visit = await app.VisitAsync(Screen.Phone with { Locale = locale });
        await visit.SignInAsync();
        foreach (var path in new[] { "/", "/?range=last_12_months", "/automation", "/analytics",
            "/metrics/shop.revenue?range=last_90_days", "/insights" })
        {
            await visit.Page.GotoAsync(path);
            await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 }).First).ToBeAttachedAsync();
            await visit.SettledAsync();
            await visit.ScreenshotAsync($"tongue-{locale}{path.Replace('/', '-').Replace('?', '-')}", whole: false);
            var text = await visit.Page.EvaluateAsync<string>("document.body.innerText");
            Assert.DoesNotMatch("[\u0660-\u0669\u06f0-\u06f9]", text);
            var pairs = await visit.Page.EvaluateAsync<JsonElement>(
                """
                [...document.querySelectorAll('.num')]
                  .map(one => [':scope > [aria-hidden=true]:not(.tip):not(svg)', ':scope > .sr-only'].map(part => one.querySelector(part)?.textContent))
                  .filter(([seen, exact]) => seen && exact)
                """);
            var compared = 0;
            foreach (var pair in pairs.EnumerateArray())
            {
                var (seen, exact) = (pair[0].GetString()!, pair[1].GetString()!);
                // A sign for thousands, a unit in words, or a change in words: nothing to compare.
                if (seen.Any(char.IsLetter) || exact.TakeWhile(c => c != '.' || comma).Any(char.IsLetter)) continue;
                if (Parse(seen, comma) is not { } shown || Parse(exact, comma) is not { } real) continue;
                compared++;
                Assert.True(Math.Abs(shown - real) <= 0.5m,
                    $"{path} in {locale} shows “{seen}” for “{exact}”.");
            }

            if (path == "/") Assert.True(compared > 0, "Nothing could be compared.");
        }

        visit.AssertNoComplaints();
    }

    private static decimal? Parse(string text, bool comma)
    {
        var (group, point) = comma ? ('.', ',') : (',', '.');
        var digits = new string([.. text.Where(c => char.IsAsciiDigit(c) || c == point || c == group)]).TrimEnd(point, group).Replace(group
            .ToString(), "", StringComparison.Ordinal).Replace(point, '.');
        return decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    [Fact]
    public async Task What_is_typed_is_asked_for_before_it_is_left_and_survives_a_reload_and_an_ended_session()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var id = (await api.SendAsync(HttpMethod.Post, "dashboards", HttpStatusCode.Created, new
        {
            name = "Kept",
            template = "morning"
        }))["id"]!.GetValue<string>();
        await using var visit = await app.VisitAsync(Screen.Phone);
        var page = visit.Page;
        await visit.SignInAsync("/settings/profile");
        var name = page.GetByRole(AriaRole.Main).GetByLabel("Name", new() { Exact = true });
        await name.FillAsync("Ada of the shop");
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Leave without saving?" });

        // The way back asks, and so does a link; staying keeps what was typed.
        await page.GetByRole(AriaRole.Button, new() { Name = "Menu" }).TapAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Insights", Exact = true }).TapAsync();
        await Expect(dialog).ToBeVisibleAsync();
        await visit.ScreenshotAsync("unsaved-360", whole: false);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Stay here" }).TapAsync();
        await Expect(name).ToHaveValueAsync("Ada of the shop");

        // A reload, which the browser itself asks about, and a session that ended meanwhile.
        page.Dialog += async (_, asked) => await asked.AcceptAsync();
        await page.ReloadAsync();
        await Expect(name).ToHaveValueAsync("Ada of the shop");
        await visit.Context.ClearCookiesAsync();
        await page.ReloadAsync();
        await Expect(visit.SignInForm).ToBeVisibleAsync();
        await visit.FillInAsync(Demo.Seeding.DemoSeeder.OwnerEmail, Demo.Seeding.DemoSeeder.Password);
        await Expect(visit.SignInForm).ToHaveCountAsync(0);
        await Expect(name).ToHaveValueAsync("Ada of the shop");

        // Leaving throws it away.
        await page.GetByRole(AriaRole.Button, new() { Name = "Menu" }).TapAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Insights", Exact = true }).TapAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Leave and discard" }).TapAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Insights");
        await page.GotoAsync("/settings/profile");
        await Expect(name).Not.ToHaveValueAsync("Ada of the shop");

        // The same of a dashboard in the making.
        await page.GotoAsync("/dashboards");
        await page.GetByRole(AriaRole.Main).GetByRole(AriaRole.Link, new() { Name = "Kept" }).First.TapAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true }).TapAsync();
        var title = page.GetByRole(AriaRole.Main).GetByLabel("Name", new() { Exact = true });
        await title.FillAsync("Kept for later");
        await page.GoBackAsync();
        await Expect(dialog).ToBeVisibleAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Stay here" }).TapAsync();
        await Expect(title).ToHaveValueAsync("Kept for later");
        // After a reload it opens where it was left.
        await page.ReloadAsync();
        await Expect(title).ToHaveValueAsync("Kept for later");
        // The way back still asks, and goes where it was to go, with nothing left behind.
        await page.GoBackAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Leave and discard" }).TapAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Dashboards");
        await page.GoForwardAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Kept");
        await api.SendAsync(HttpMethod.Delete, $"dashboards/{id}", HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Signing_out_without_a_network_ends_the_session_before_anything_else_once_there_is_one()
    {
        // As installed: what the page is made of is there without a network.
        await using var visit = await app.VisitAsync(Screen.Desktop, serviceWorker: true);
        await visit.SignInAsync();
        await visit.Page.EvaluateAsync("() => navigator.serviceWorker.ready.then(() => undefined)");
        await visit.Context.SetOfflineAsync(true);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(visit.SignInForm).ToBeVisibleAsync();
        var asked = new List<string>();
        visit.Page.Request += (_, request) =>
        {
            if (request.Url.Contains("/api/", StringComparison.Ordinal)) asked
            .Add(new Uri(request.Url).AbsolutePath);
        };
        await visit.Context.SetOfflineAsync(false);
        await visit.Page.ReloadAsync();
        await Expect(visit.SignInForm).ToBeVisibleAsync();
        Assert.Equal("/api/auth/logout", asked[0]);
        // The cookie of the session is of no use any more.
        var answer = await visit.Context.APIRequest.PostAsync("/api/auth/refresh");
        Assert.Equal(401, answer.Status);
    }

    [Fact]
    public async Task Names_of_fifty_letters_and_from_right_to_left_stay_within_a_phone()
    {
        const string Tenant = "Kiwi Plumbing";
        using var api = await app.ApiAsync(Tenant);
        var yesterday = DateTime.UtcNow.AddDays(-2).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var names = new Dictionary<string, string>
        {
            ["custom.long_name"] = new string('W', 27) + "onaudampfschifffahrtselektrik",
            ["custom.arabic"] = "مبيعات المتجر 2026 اليومية",
            ["custom.nps"] = "NPS",
        };
        var made = new List<string>();
        foreach (var (key, name) in names)
        {
            made.Add((string)(await api.SendAsync(HttpMethod.Post, "kpis/custom", HttpStatusCode.Created, new
            {
                key,
                name,
                description = "Of a test.",
                unit = "count",
                direction = "up",
                aggregation = "sum",
            }))["id"]!);
            await api.SendAsync(HttpMethod.Post, "push", HttpStatusCode.OK, new
            {
                readings = new[] { new { kpi = key, date = yesterday,
                value = 61 } }
            });
        }

        try
        {
            await using var visit = await app.VisitAsync(Screen.Phone);
            await visit.SignInAsync("/", Tenant);
            foreach (var path in new[] { "/", "/metrics/custom.long_name", "/metrics/custom.arabic", "/metrics/custom.nps",
                "/integrations/kpis", "/goals?new=custom.long_name", "/kpis/calculated/new" })
            {
                await visit.Page.GotoAsync(path);
                await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 }).First).ToBeAttachedAsync();
                await visit.SettledAsync();
                await visit.ScreenshotAsync($"names{path.Replace('/', '-').Replace('?', '-')}");
                Assert.True(await visit.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= 360,
                    $"{path} scrolls sideways: {string.Join(" | ", await visit.Page.EvaluateAsync<string[]>("[...document.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).slice(0, 6).map(e => e.outerHTML.slice(0, 160))"))}");
                if (path.EndsWith(".nps", StringComparison.Ordinal)) await Expect(visit.Page.GetByRole(AriaRole.Main))
                    .ToContainTextAsync("61 NPS");
            }
        }
        finally
        {
            foreach (var id in made) await api.SendAsync(HttpMethod.Delete, $"kpis/custom/{id}", HttpStatusCode.NoContent);
        }
    }

    [Fact]
    public async Task A_file_with_a_new_number_defines_it_where_it_is_read()
    {
        const string Tenant = "Kiwi Plumbing";
        using var api = await app.ApiAsync(Tenant);
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync("/integrations/import", Tenant);
        var page = visit.Page;
        var day = DateTime.UtcNow.AddDays(-3).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var file = $"date,custom.callouts_booked\r\n{day},7\r\n";
        await page.Locator("input[type=file]").SetInputFilesAsync(
            new FilePayload { Name = "callouts.csv", MimeType = "text/csv", Buffer = System.Text.Encoding.UTF8.GetBytes(file) });
        var define = page.GetByRole(AriaRole.Region, new() { Name = "“custom.callouts_booked” is new here" });
        await Expect(define.GetByLabel("Name")).ToHaveValueAsync("Callouts booked");
        await visit.CheckAsync("import-define-360");
        await define.GetByRole(AriaRole.Button, new() { Name = "Define it" }).TapAsync();
        await Expect(define).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("Callouts booked");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Import 1 value", Exact = true })).ToBeEnabledAsync();
        var own = (await api.GetAsync("kpis/custom"))["kpis"]!.AsArray().Single(kpi => (string)kpi!["key"]! == "custom.callouts_booked")!;
        await api.SendAsync(HttpMethod.Delete, $"kpis/custom/{own["id"]}", HttpStatusCode.NoContent);
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task An_owner_puts_the_numbers_on_top_in_an_order_of_his_own_and_takes_the_usual_ones_back()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync("/", "Open Lectures");
        var page = visit.Page;
        var before = await visit.Strip.GetByRole(AriaRole.Link).First.InnerTextAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Choose the numbers on top" }).TapAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Numbers on top" });
        await dialog.GetByRole(AriaRole.Combobox).First.SelectOptionAsync("Page views");
        await visit.CheckAsync("headline-360");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).TapAsync();
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(visit.Strip.GetByRole(AriaRole.Link).First).ToContainTextAsync("Page views");
        await page.GetByRole(AriaRole.Button, new() { Name = "Choose the numbers on top" }).TapAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Use the usual ones" }).TapAsync();
        await Expect(visit.Strip.GetByRole(AriaRole.Link).First).ToContainTextAsync(before.Split('\n')[0]);
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task An_agency_finds_the_business_that_needs_it_and_compares_what_they_earn()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/businesses");
        var page = visit.Page;
        var rows = page.GetByRole(AriaRole.Main).Locator("tbody tr");
        await Expect(rows.Filter(new() { HasText = "Merch Shop" })).ToContainTextAsync("$");
        await Expect(rows.Filter(new() { HasText = "Nordlicht Studio" })).ToContainTextAsync("€");
        await visit.InBothThemesAsync("businesses-list");
        var count = await rows.CountAsync();
        await page.GetByLabel("Sort by").SelectOptionAsync("Name");
        var names = await rows.Locator("th").AllInnerTextsAsync();
        Assert.Equal(names.Select(name => name.Split('\n')[0]).Order(StringComparer.CurrentCultureIgnoreCase), names.Select(name => name
            .Split('\n')[0]));
        await page.GetByLabel("Sort by").SelectOptionAsync("Revenue");
        await Expect(rows.First).ToContainTextAsync("Merch Shop");
        await page.GetByLabel("Find a business").FillAsync("nord");
        await Expect(rows).ToHaveCountAsync(1);
        await page.GetByLabel("Find a business").FillAsync("");
        await page.GetByRole(AriaRole.Button, new() { Name = "Well", Exact = true }).ClickAsync();
        await Expect(rows.Filter(new() { HasText = "Needs a look" })).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "All", Exact = true }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(count);

        await page.SetViewportSizeAsync(Screen.Phone.Width, Screen.Phone.Height);
        await visit.InBothThemesAsync("businesses-list");
        await page.GetByRole(AriaRole.Button, new() { Name = "Choose another business" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.List, new() { Name = "Businesses" }).Locator(".rounded-full").First).ToBeVisibleAsync();
        await visit.ScreenshotAsync("switcher-360", whole: false);
        visit.AssertNoComplaints();
    }
}
