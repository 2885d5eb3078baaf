using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>Every page in both themes, on a phone and on a desk: axe looks for barriers, and a picture is left in <c>artifacts/screenshots</c> for people to look at.</summary>
public sealed class LooksTests(AppFixture app)
{
    public static MatrixTheoryData<string, bool, int> Pages { get; } = new(["sign-in", "overview", "automation"], [false, true], [360, 1440]);

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Axe_finds_nothing(string name, bool dark, int width)
    {
        await using var visit = await app.VisitAsync((width == 360 ? Screen.Phone : Screen.Desktop) with { Dark = dark });
        if (name == "sign-in")
        {
            await visit.Page.GotoAsync("/");
            await Expect(visit.SignInForm).ToBeVisibleAsync();
        }
        else
        {
            await visit.SignInAsync(name == "overview" ? "/" : "/automation");
            await Expect(visit.Page.Locator("canvas")).ToBeVisibleAsync();
        }

        await visit.ScreenshotAsync($"{name}-{(dark ? "dark" : "light")}-{width}");
        Assert.Equal(dark ? "dark" : "light", await visit.Page.EvaluateAsync<string>("document.documentElement.dataset.theme"));
        var result = await visit.Page.RunAxe(new AxeRunOptions
        {
            RunOnly = new() { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
        });
        Assert.True(result.Passes.Length > 10, $"Axe passed only {result.Passes.Length} rules: it did not really look.");
        Assert.True(result.Violations.Length == 0, string.Join('\n', result.Violations.Select(violation =>
            $"{violation.Id}: {violation.Help}\n" + string.Join('\n', violation.Nodes.Select(node => $"  {node.Html}\n    {string.Join("; ", node.Any.Concat(node.All).Concat(node.None).Select(check => check.Message))}")))));
        Assert.Empty(visit.Complaints);
    }

    [Theory]
    [InlineData("Merch Shop", "/?range=last_day")]
    [InlineData("Merch Shop", "/?range=last_12_months")]
    [InlineData("Open Lectures", "/?range=last_12_months&compare=previous_year")]
    [InlineData("Open Lectures", "/automation")]
    [InlineData("Nordlicht Studio", "/?range=last_90_days")]
    [InlineData("Nordlicht Studio", "/automation?range=last_7_days")]
    [InlineData("Kiwi Plumbing", "/")]
    public async Task Axe_finds_nothing_in_the_other_states_of_a_page(string tenant, string path)
    {
        foreach (var screen in new[] { Screen.Phone, Screen.Desktop with { Dark = true } })
        {
            await using var visit = await app.VisitAsync(screen);
            await visit.SignInAsync(path, tenant);
            await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveCountAsync(1);
            await visit.ScreenshotAsync($"{string.Join('-', $"{tenant}{path}".Split(' ', '/', '?', '&', '='))}-{screen.Width}");
            var result = await visit.Page.RunAxe(new AxeRunOptions
            {
                RunOnly = new() { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
            });
            Assert.True(result.Violations.Length == 0, string.Join('\n', result.Violations.Select(violation => $"{violation.Id}: {violation.Help} {string.Join("; ", violation.Nodes.Select(node => node.Html))}")));
        }
    }
}
