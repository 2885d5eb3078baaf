using System.Net;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>The pages of dashboards in both themes, on a phone and on a desk: axe looks for barriers, and a picture is left in <c>artifacts/screenshots</c>.</summary>
[Collection<FirstApp>]
public sealed class DashboardLooksTests(AppFixture app)
{
    public static MatrixTheoryData<string, bool, int> Pages { get; } = new(["dashboards", "dashboard", "dashboard-edit", "shared", "tv", "tv-start"], [false, true], [360, 1440]);

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Axe_finds_nothing(string name, bool dark, int width)
    {
        using var api = await app.ApiAsync("Merch Shop");
        var id = (await api.SendAsync(HttpMethod.Post, "dashboards", HttpStatusCode.Created, new { name = "Monday meeting", template = "morning" }))["id"]!.GetValue<string>();
        var secret = (await api.SendAsync(HttpMethod.Post, $"dashboards/{id}/shares", HttpStatusCode.Created, new { label = "Looks", days = 1 }))["secret"]!.GetValue<string>();
        await using var visit = await app.VisitAsync((width == 360 ? Screen.Phone : Screen.Desktop) with { Dark = dark });
        if (name == "shared") await visit.Page.GotoAsync($"/shared#{secret}");
        else await visit.SignInAsync(name switch { "dashboards" => "/dashboards", "tv" => $"/tv?boards={id}", "tv-start" => "/tv", _ => $"/dashboards/{id}" });
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveCountAsync(1);
        if (name is "dashboard" or "shared") await Expect(visit.Page.Locator("canvas")).ToHaveCountAsync(2);
        if (name == "dashboards") await Expect(visit.Page.GetByRole(AriaRole.Link, new() { Name = "Monday meeting" }).First).ToBeVisibleAsync();
        if (name == "dashboard-edit")
        {
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true }).ClickAsync();
            await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Move Sessions" }).First).ToBeVisibleAsync();
        }

        await visit.ScreenshotAsync($"{name}-{(dark ? "dark" : "light")}-{width}");
        var result = await visit.Page.RunAxe(new AxeRunOptions { RunOnly = new() { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] } });
        Assert.True(result.Passes.Length > 10, $"Axe passed only {result.Passes.Length} rules: it did not really look.");
        Assert.True(result.Violations.Length == 0, string.Join('\n', result.Violations.Select(violation =>
            $"{violation.Id}: {violation.Help}\n" + string.Join('\n', violation.Nodes.Select(node => $"  {node.Html}\n    {string.Join("; ", node.Any.Concat(node.All).Concat(node.None).Select(check => check.Message))}")))));
        Assert.False(await visit.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth > innerWidth"), "The page is wider than the screen.");
        visit.AssertNoComplaints();
        await api.SendAsync(HttpMethod.Delete, $"dashboards/{id}", HttpStatusCode.NoContent);
    }
}
