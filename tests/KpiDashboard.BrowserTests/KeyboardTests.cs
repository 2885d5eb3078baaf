using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>The page without a mouse.</summary>
[Collection<FirstApp>]
public sealed partial class KeyboardTests(AppFixture app)
{
    [Fact]
    public async Task Shortcuts_open_the_list_go_places_and_find_numbers()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync();
        var page = visit.Page;
        // The table with its search comes after the headline numbers; before it is there, its key has nothing to go to.
        var find = page.GetByRole(AriaRole.Searchbox, new() { Name = "Find a number" });
        await Expect(find).ToBeVisibleAsync();
        await visit.SettledAsync();

        var list = page.GetByRole(AriaRole.Dialog, new() { Name = "Keyboard shortcuts" });
        await page.Keyboard.PressAsync("?");
        await Expect(list).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(list).ToBeHiddenAsync();

        await page.Keyboard.PressAsync("/");
        await Expect(find).ToBeFocusedAsync();
        // A letter is a letter while someone types.
        await page.Keyboard.TypeAsync("ga");
        await Expect(find).ToHaveValueAsync("ga");
        await page.Keyboard.PressAsync("Escape");
        await Expect(find).ToHaveValueAsync("");
        await Expect(find).Not.ToBeFocusedAsync();

        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("a");
        await Expect(page).ToHaveURLAsync(AutomationAddress());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Workflows" })).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("o");
        await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
        visit.AssertNoComplaints();
    }

    [Theory]
    [InlineData(360, 780)]
    [InlineData(1440, 900)]
    public async Task Tab_first_reaches_the_way_past_the_navigation_and_always_shows_where_it_is(int width, int height)
    {
        await using var visit = await app.VisitAsync(new(width, height));
        await visit.SignInAsync();
        await visit.Page.ReloadAsync();
        await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
        await visit.SettledAsync();
        var skip = visit.Page.GetByRole(AriaRole.Link, new() { Name = "Skip to the numbers" });
        await Expect(skip).Not.ToBeInViewportAsync();
        await visit.Page.Keyboard.PressAsync("Tab");
        await Expect(skip).ToBeFocusedAsync();
        await Expect(skip).ToBeInViewportAsync(new() { Ratio = 1 });
        await visit.Page.Keyboard.PressAsync("Enter");
        await Expect(visit.Page.GetByRole(AriaRole.Main)).ToBeFocusedAsync();

        for (var i = 0; i < 40; i++)
        {
            await visit.Page.Keyboard.PressAsync("Tab");
            // The outline, and that no sticky header or panel hides the whole of what has the focus.
            var trouble = await visit.Page.EvaluateAsync<string?>(
                """
                () => {
                  const at = document.activeElement
                  if (!at || at === document.body) return null
                  const name = at.tagName + ' ' + (at.getAttribute('aria-label') ?? at.textContent).slice(0, 40)
                  const style = getComputedStyle(at)
                  if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) return name + ' has the focus and no outline'
                  const box = at.getBoundingClientRect()
                  if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) return name + ' has the focus outside of the screen'
                  const y = Math.min(innerHeight - 1, Math.max(0, (Math.max(0, box.top) + Math.min(innerHeight, box.bottom)) / 2))
                  const hit = document.elementFromPoint(box.left + box.width / 2, y)
                  return hit && (at.contains(hit) || hit.contains(at)) ? null : name + ' has the focus behind ' + hit?.tagName + ' ' + hit?.className
                }
                """);
            Assert.Null(trouble);
        }
    }

    [GeneratedRegex("/automation$")]
    private static partial Regex AutomationAddress();
}
