using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>System health, as whoever operates the installation sees it: from no key over everything that may be wrong to nothing given up any more.</summary>
[Collection<SecondApp>]
public sealed partial class OpsTests(AppFixture app)
{
    [Fact]
    public async Task An_operator_opens_it_with_the_key_sees_what_is_wrong_and_tries_it_again()
    {
        foreach (var screen in Looks.Screens)
        {
            // Imports that nobody knows; tried again, they are dropped.
            var given = new[] { Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid() };
            foreach (var id in given) await app.GiveUpAsync("import-poison", $$"""{"v":1,"tenantId":"{{Guid.Empty}}","importId":"{{id}}"}""", id.ToString());
            await using var visit = await app.VisitAsync(screen);
            var page = visit.Page;
            var (key, open) = (page.GetByLabel("Function key"), page.GetByRole(AriaRole.Button, new() { Name = "Open" }));

            // No key, an empty one, a wrong one, one that no header may hold.
            await page.GotoAsync("/ops");
            await Expect(key).ToBeVisibleAsync();
            await visit.InBothThemesAsync("ops-key");
            await open.ClickAsync();
            await Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("Enter the key.");
            foreach (var wrong in new[] { "wrong", "schlüssel" })
            {
                await key.FillAsync(wrong);
                await open.ClickAsync();
                await Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("This key was not accepted.");
            }

            await visit.InBothThemesAsync("ops-wrong");
            await key.FillAsync(app.FunctionKey);
            await page.Keyboard.PressAsync("Enter");

            // What there is. It stays in this tab, and nowhere else.
            await Expect(Part(page, "This instance")).ToBeVisibleAsync();
            await Expect(page.GetByText("syncs or messages are not tried any more", new() { Exact = false })).ToContainTextAsync("Runbook: dead-letters");
            await Expect(Part(page, "Stopped trying").GetByText(given[0].ToString())).ToBeVisibleAsync();
            await Expect(Part(page, "Syncs of the last 24 hours").GetByRole(AriaRole.Rowheader, new() { Name = "n8n" })).ToBeVisibleAsync();
            Assert.Equal(app.FunctionKey, await page.EvaluateAsync<string?>("sessionStorage.getItem('kpi.ops-key')"));
            Assert.DoesNotContain(app.FunctionKey, await page.EvaluateAsync<string>("JSON.stringify({ ...localStorage }) + document.cookie"), StringComparison.Ordinal);
            await visit.InBothThemesAsync("ops");
            if (screen == Screen.Phone) await visit.TargetsAreLargeAsync();

            // Whose sources are how.
            var count = Part(page, "Sources by state").GetByRole(AriaRole.Button, new() { NameRegex = FineSources() });
            var sources = int.Parse((await count.TextContentAsync())!, System.Globalization.CultureInfo.InvariantCulture);
            await count.ClickAsync();
            await Expect(page.GetByRole(AriaRole.Region, new() { Name = "google-analytics: fine" }).GetByRole(AriaRole.Listitem)).ToHaveCountAsync(sources);
            await Expect(count).ToHaveAttributeAsync("aria-expanded", "true");
            await visit.InBothThemesAsync("ops-sources");
            await page.GetByRole(AriaRole.Button, new() { Name = "Close the list" }).ClickAsync();

            // One by itself, while all others wait; then all at once, asked once more first.
            var tries = Part(page, "Stopped trying").GetByRole(AriaRole.Button, new() { Name = "Try again" });
            var answer = new TaskCompletionSource();
            await page.RouteAsync("**/api/ops/requeue", async route =>
            {
                await answer.Task;
                await route.ContinueAsync();
            });
            await tries.First.ClickAsync();
            await Expect(Part(page, "Stopped trying").GetByRole(AriaRole.Button, new() { Name = "Trying …" })).ToBeDisabledAsync();
            await Expect(tries.First).ToBeDisabledAsync();
            answer.SetResult();
            await Expect(Part(page, "Stopped trying").GetByRole(AriaRole.Status)).ToHaveTextAsync("It is tried again.");
            await page.UnrouteAllAsync();
            await page.GetByRole(AriaRole.Button, new() { NameRegex = TryAll() }).ClickAsync();
            await visit.InBothThemesAsync("ops-ask");
            await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
            await page.GetByRole(AriaRole.Button, new() { NameRegex = TryAll() }).ClickAsync();
            await page.GetByRole(AriaRole.Button, new() { NameRegex = YesAll() }).ClickAsync();
            await Expect(Part(page, "Stopped trying").GetByRole(AriaRole.Status)).ToHaveTextAsync(Tried());

            // Everything that may be wrong, of an installation that is not at hand.
            await page.RouteAsync("**/api/ops/overview", route => route.FulfillAsync(new() { Json = Trouble() }));
            await page.RouteAsync("**/api/ops/dead-letters*", route => route.FulfillAsync(new() { Json = new { deadLetters = Array.Empty<object>(), nextCursor = (string?)null } }));
            await page.RouteAsync("**/api/ops/faults?*", route => route.FulfillAsync(new() { Json = Faults() }));
            await page.ReloadAsync();
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "6 things need a look." })).ToBeVisibleAsync();
            await Expect(Part(page, "Wrong with single businesses").GetByRole(AriaRole.Listitem)).ToHaveCountAsync(2);
            await Expect(Part(page, "Wrong with single businesses")).ToContainTextAsync("does not know its time zone \"posix/Europe/Berlin\"");
            await Expect(Part(page, "Queues")).ToContainTextAsync("The storage account does not answer.");
            await Expect(Part(page, "Providers given a rest").GetByRole(AriaRole.Rowheader, new() { Name = "n8n" })).ToBeVisibleAsync();
            await Expect(Part(page, "Stopped trying")).ToContainTextAsync("Everything is still tried.");
            await Expect(Part(page, "Sources by state")).ToContainTextAsync("No source is connected yet.");
            await visit.InBothThemesAsync("ops-trouble");

            // The server does not answer: the last state stays and says how old it is. Then the key is not good any more.
            await page.UnrouteAllAsync();
            await page.RouteAsync("**/api/ops/overview", route => route.AbortAsync());
            await page.GetByRole(AriaRole.Button, new() { Name = "Look again" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("What you see may have changed.");
            await visit.InBothThemesAsync("ops-stale");
            await page.UnrouteAllAsync();
            await page.RouteAsync("**/api/ops/overview", route => route.FulfillAsync(new() { Status = 401, ContentType = "application/problem+json", Body = """{"type":"x","title":"No","status":401,"detail":"No."}""" }));
            await page.GetByRole(AriaRole.Button, new() { Name = "Look again" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The key was not accepted any more. Enter the new one.");
            Assert.Null(await page.EvaluateAsync<string?>("sessionStorage.getItem('kpi.ops-key')"));

            // Refusals and broken connections were asked for; nothing else may be complained of.
            Assert.DoesNotContain(visit.Complaints, said => !said.Contains("/api/ops/", StringComparison.Ordinal));
        }
    }

    private static ILocator Part(IPage page, string name) => page.GetByRole(AriaRole.Region, new() { Name = name, Exact = true });

    private static JsonObject Trouble()
    {
        var now = DateTimeOffset.UtcNow;
        return new JsonObject
        {
            ["at"] = now,
            ["tenants"] = new JsonObject { ["total"] = 1204, ["demo"] = 2, ["deleting"] = 3 },
            ["integrations"] = new JsonArray(),
            ["runs"] = new JsonArray(new JsonObject { ["connector"] = "n8n", ["status"] = "dead", ["count"] = 4 }, new JsonObject { ["connector"] = "n8n", ["status"] = "waiting", ["count"] = 1 }),
            ["live"] = new JsonObject { ["queued"] = 3, ["running"] = 2, ["waiting"] = 1, ["oldestAt"] = now.AddMinutes(-12) },
            ["faults"] = new JsonObject { ["tenants"] = 2, ["newestAt"] = now.AddMinutes(-3) },
            ["deadLetters"] = new JsonObject { ["runs"] = 0, ["messages"] = 0, ["newestAt"] = null },
            ["circuits"] = new JsonArray(new JsonObject { ["provider"] = "n8n", ["failures"] = 9, ["integrations"] = 12, ["openedAt"] = now.AddMinutes(-20), ["retryAt"] = now.AddMinutes(10) }),
            ["oldestDueAt"] = now.AddMinutes(-95),
            ["timerAt"] = now.AddMinutes(-47),
            ["mails"] = new JsonObject { ["waiting"] = 12, ["oldestAt"] = now.AddMinutes(-75) },
            ["lastBackup"] = null,
            ["queues"] = null,
            ["queuesProblem"] = "The storage account does not answer.",
        };
    }

    private static JsonObject Faults()
    {
        var now = DateTimeOffset.UtcNow;
        return new JsonObject
        {
            ["faults"] = new JsonArray(
                Fault("zone", null, "This database does not know its time zone \"posix/Europe/Berlin\"; its days are those of UTC until another is chosen in its settings."),
                Fault("enqueue", Guid.CreateVersion7(now).ToString(), "A value is too large.")),
        };

        JsonObject Fault(string step, string? subject, string reason) => new()
        {
            ["tenantId"] = Guid.CreateVersion7(now).ToString(),
            ["tenantHash"] = null,
            ["step"] = step,
            ["subject"] = subject,
            ["reason"] = reason,
            ["firstAt"] = now.AddDays(-1),
            ["lastAt"] = now.AddMinutes(-3),
            ["times"] = 12,
        };
    }

    [GeneratedRegex("^[0-9]+ of google-analytics: Fine")]
    private static partial Regex FineSources();

    [GeneratedRegex("^Try all [0-9]+ again$")]
    private static partial Regex TryAll();

    [GeneratedRegex("^Yes, try [0-9]+ again$")]
    private static partial Regex YesAll();

    [GeneratedRegex("^[0-9]+ are tried again\\.$")]
    private static partial Regex Tried();
}
