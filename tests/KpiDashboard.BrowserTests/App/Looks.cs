using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Xunit;

namespace KpiDashboard.BrowserTests.App;

/// <summary>Looks at a page as it stands, in both themes: axe looks for barriers, nothing may be wider than the screen, and a picture is left for people to look at.</summary>
internal static class Looks
{
    private static readonly AxeRunOptions s_rules = new() { RunOnly = new() { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] } };

    /// <summary>A phone and a desk; the theme is changed while the page is open.</summary>
    public static IReadOnlyList<Screen> Screens { get; } = [Screen.Phone, Screen.Desktop];

    /// <summary>Checks the page in light and in dark, in whichever of them it is left.</summary>
    public static async Task InBothThemesAsync(this Visit visit, string name)
    {
        foreach (var theme in new[] { "light", "dark" })
        {
            await visit.Page.EmulateMediaAsync(new() { ColorScheme = theme == "dark" ? ColorScheme.Dark : ColorScheme.Light });
            await Assertions.Expect(visit.Page.Locator("html")).ToHaveAttributeAsync("data-theme", theme);
            await visit.CheckAsync($"{name}-{theme}-{visit.Page.ViewportSize!.Width}");
        }

        await visit.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
    }

    /// <summary>The same on a phone and on a desk, for what takes a while to get to; ends as it began.</summary>
    public static async Task InAllLooksAsync(this Visit visit, string name)
    {
        var began = visit.Page.ViewportSize!;
        await visit.InBothThemesAsync(name);
        var (width, height) = began.Width == Screen.Phone.Width ? (Screen.Desktop.Width, Screen.Desktop.Height) : (Screen.Phone.Width, Screen.Phone.Height);
        await visit.Page.SetViewportSizeAsync(width, height);
        await visit.InBothThemesAsync(name);
        await visit.Page.SetViewportSizeAsync(began.Width, began.Height);
    }

    /// <summary>Checks the page as it is, once nothing on it moves.</summary>
    public static async Task CheckAsync(this Visit visit, string name)
    {
        await visit.SettledAsync();
        // Colours fade from one theme to the other; what axe measures on the way is neither.
        await visit.Page.EvaluateAsync("() => Promise.all(document.getAnimations().filter(one => one.effect?.getComputedTiming().iterations !== Infinity).map(one => one.finished.catch(() => undefined)))");
        await visit.ScreenshotAsync(name);
        var sideways = await visit.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.True(sideways <= 0, $"{name} scrolls sideways by {sideways} pixels.");
        // A button half under the bar that stays on top is a matter of how far one has scrolled, and not of its size.
        await visit.Page.EvaluateAsync("() => scrollTo(0, 0)");
        var result = await visit.Page.RunAxe(s_rules);
        Assert.True(result.Passes.Length > 8, $"Axe passed only {result.Passes.Length} rules on {name}: it did not really look.");
        Assert.True(result.Violations.Length == 0, $"{name}\n" + string.Join('\n', result.Violations.Select(violation =>
            $"{violation.Id}: {violation.Help}\n" + string.Join('\n', violation.Nodes.Select(node =>
                $"  {node.Html}\n    {string.Join("; ", node.Any.Concat(node.All).Concat(node.None).Select(check => check.Message))}")))));
    }

    /// <summary>Whatever can be pressed and is not hidden above the page is at least 44 px in both directions.</summary>
    public static async Task TargetsAreLargeAsync(this Visit visit) =>
        Assert.Empty(await visit.Page.EvaluateAsync<string[]>(
            "[...document.querySelectorAll('a, button, input, select')].filter(e => e.offsetWidth > 1 && e.getBoundingClientRect().bottom + scrollY > 0 && (e.offsetWidth < 44 || e.offsetHeight < 44)).map(e => e.outerHTML)"));
}
