using System.Net;
using System.Text.Json.Nodes;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>A change wears one colour and tells one number of days, wherever it stands.</summary>
[Collection<FirstApp>]
public sealed class OneJudgementTests(AppFixture app)
{
    /// <summary>Every coloured change of a page, by the name that stands with it.</summary>
    private const string Told =
        """
        ([place, name]) => Object.fromEntries([...document.querySelectorAll(place)].flatMap(one => {
          const change = one.querySelector('[data-tone]')
          const said = one.querySelector(name)
          return change && said ? [[said.textContent.trim(), `${change.dataset.tone} ${change.querySelector('[aria-hidden=true]:not(svg)').textContent}`]] : []
        }))
        """;

    [Theory]
    [InlineData("Nordlicht Studio", "last_28_days")]
    [InlineData("Nordlicht Studio", "last_90_days")]
    [InlineData("Merch Shop", "last_28_days")]
    public async Task Every_page_says_of_a_change_what_every_other_says(string tenant, string range)
    {
        using var api = await app.ApiAsync(tenant);
        var summary = await api.SummaryAsync(range);
        var compared = summary["kpis"]!.AsArray().Where(kpi => kpi!["change"] is not null || kpi["alike"] is not null).ToList();
        var tones = compared.ToDictionary(kpi => kpi!["name"]!.GetValue<string>(), kpi => ToneOf(kpi!));
        Assert.Contains("plain", tones.Values);
        await using var visit = await app.VisitAsync(Screen.Desktop);
        var page = visit.Page;
        await visit.SignInAsync($"/?range={range}", tenant);
        await Expect(visit.Strip.Locator("[data-tone]").First).ToBeVisibleAsync();
        await Expect(page.Locator("table [data-tone]").First).ToBeVisibleAsync();
        var overview = await ToldAsync("ul[aria-label='Headline numbers'] li", "a > span");
        foreach (var (name, told) in await ToldAsync("tbody tr", "th[scope=row]")) overview[name] = told;
        var seen = 0;
        foreach (var (name, told) in overview.Where(one => tones.ContainsKey(one.Key)))
        {
            Assert.StartsWith(tones[name], told, StringComparison.Ordinal);
            var kpi = compared.First(one => one!["name"]!.GetValue<string>() == name)!;
            // Of fewer days than the period it says of how many; of the whole of it, none.
            Assert.Equal(kpi["change"] is null, told.Contains("days", StringComparison.Ordinal));
            if (kpi["change"] is null) Assert.EndsWith($"{kpi["alike"]!["days"]!.GetValue<int>()}\u00a0days", told, StringComparison.Ordinal);
            seen++;
        }

        Assert.True(seen > 8, $"{seen} changes on the overview.");

        // The sentence of the morning tells the same days.
        var brief = string.Join(' ', (await api.GetAsync($"insights/business?range={range}&compare=previous_period"))["brief"]!.AsArray().Select(one => one!["text"]!.GetValue<string>()));
        foreach (var kpi in summary["kpis"]!.AsArray().Where(one => one!["key"]!.GetValue<string>() is "shop.revenue" or "web.sessions" or "automation.executions"))
        {
            var told = System.Text.RegularExpressions.Regex.Match(brief, $@"{kpi!["name"]} ha[sd] [^;.]* compared on the (\d+) days");
            Assert.Equal(kpi["change"] is null ? kpi["alike"]?["days"]?.ToString() ?? "" : "", told.Groups[1].Value);
        }

        await SameAsync($"/analytics?range={range}", "[role=group] button[aria-pressed]", "span", 4);
        if (overview.Keys.Any(name => name == Name("automation.success_rate")))
        {
            await page.GotoAsync($"/automation?range={range}");
            await Expect(page.Locator("main dl [data-tone]").First).ToBeVisibleAsync();
            string[] keys = ["automation.success_rate", "automation.executions", "automation.failed", "automation.avg_duration", "", "automation.value_saved", "", "automation.roi"];
            for (var place = 0; place < keys.Length; place++)
            {
                if (keys[place].Length == 0 || Name(keys[place]) is not { } name || !tones.ContainsKey(name)) continue;
                Assert.Equal(tones[name], await page.Locator("main dl > div").Nth(place).Locator("[data-tone]").GetAttributeAsync("data-tone"));
            }
        }

        // Chance on its own page too, and what is more than chance.
        foreach (var tone in new[] { "plain", "good", "bad" })
        {
            var one = compared.FirstOrDefault(kpi => ToneOf(kpi!) == tone);
            if (one is null) continue;
            await page.GotoAsync($"/metrics/{one["key"]}?range={range}");
            await Expect(page.Locator("main h1 + p [data-tone]")).ToHaveAttributeAsync("data-tone", tone);
        }

        // Tiles of a dashboard, its link and the wall.
        var tiles = compared.Take(12).Select((kpi, at) => (object)new { id = $"t{at}", kind = "kpi", width = 3, height = 1, kpi = kpi!["key"]!.GetValue<string>() }).ToArray();
        var id = (await api.SendAsync(HttpMethod.Post, "dashboards", HttpStatusCode.Created, new { name = "One judgement", tiles }))["id"]!.GetValue<string>();
        var link = (await api.SendAsync(HttpMethod.Post, $"dashboards/{id}/shares", HttpStatusCode.Created, new { label = "All", days = 1 }))["path"]!.GetValue<string>();
        await SameAsync($"/dashboards/{id}?range={range}", "main li", "h3", 6);
        await SameAsync($"/tv?boards={id}&range={range}", ".wall-tile", "h2", 4);
        await page.GotoAsync("about:blank");
        await SameAsync($"/shared?range={range}{link[link.IndexOf('#', StringComparison.Ordinal)..]}", "main li", "h3", 6);
        await api.SendAsync(HttpMethod.Delete, $"dashboards/{id}", HttpStatusCode.NoContent);

        string? Name(string key) => summary["kpis"]!.AsArray().FirstOrDefault(kpi => kpi!["key"]!.GetValue<string>() == key)?["name"]!.GetValue<string>();

        async Task<Dictionary<string, string>> ToldAsync(string place, string name) => await page.EvaluateAsync<Dictionary<string, string>>(Told, new[] { place, name });

        async Task SameAsync(string path, string place, string name, int least)
        {
            await page.GotoAsync(path);
            await Expect(page.Locator($"{place} [data-tone]").First).ToBeVisibleAsync();
            var told = (await ToldAsync(place, name)).Where(one => tones.ContainsKey(one.Key)).ToList();
            Assert.True(told.Count >= least, $"{told.Count} changes on {path}.");
            Assert.All(told, one => Assert.StartsWith(tones[one.Key], one.Value, StringComparison.Ordinal));
            Assert.All(told.Where(one => overview.ContainsKey(one.Key)), one => Assert.Equal(overview[one.Key], one.Value));
        }
    }

    [Fact]
    public async Task The_list_of_businesses_colours_revenue_as_its_overview_does()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/businesses");
        await Expect(visit.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = "Merch Shop" }).First).ToBeVisibleAsync();
        var seen = 0;
        foreach (var tenant in new[] { "Merch Shop", "Nordlicht Studio" })
        {
            using var api = await app.ApiAsync(tenant);
            var list = (await api.GetAsync("tenants"))["tenants"]!.AsArray().First(one => one!["name"]!.GetValue<string>() == tenant)!["numbers"]!;
            // Its seven days may end before those of the overview, which wait for all sources.
            var kpi = (await api.GetAsync($"metrics/summary?from={list["from"]}&to={list["to"]}&compare=previous_period")).Kpi("shop.revenue");
            Assert.Equal((kpi["change"]?.ToString(), kpi["byChance"]!.GetValue<bool>()), (list["revenueChange"]?.ToString(), list["revenueByChance"]!.GetValue<bool>()));
            Assert.Equal(kpi["alike"]?.ToJsonString(), list["revenueAlike"]?.ToJsonString());
            if (kpi["change"] is null && kpi["alike"] is null) continue;
            await Expect(visit.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = tenant }).Locator("[data-tone]").First).ToHaveAttributeAsync("data-tone", ToneOf(kpi));
            seen++;
        }

        Assert.True(seen > 0, "No business of the list had a change to look at.");
    }

    private static string ToneOf(JsonNode kpi)
    {
        var told = kpi["change"] is null ? kpi["alike"]! : kpi;
        var change = told["change"]!.GetValue<decimal>();
        var moved = kpi["unit"]!.GetValue<string>() == "ratio" && !kpi["key"]!.GetValue<string>().EndsWith(".roi", StringComparison.Ordinal)
            ? told["value"]!.GetValue<decimal>() - told["previous"]!.GetValue<decimal>()
            : change;
        var direction = kpi["direction"]!.GetValue<string>();
        if (told["byChance"]!.GetValue<bool>() || Math.Abs(moved) < 0.0005m || direction == "neutral") return "plain";
        return moved > 0 == (direction == "up") ? "good" : "bad";
    }
}
