using System.Net;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using UglyToad.PdfPig;
using UglyToad.PdfPig.DocumentLayoutAnalysis.TextExtractor;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>The pages that are handed on as a report, as Chromium puts them on paper: from a dark desk and from a phone.</summary>
[Collection<SecondApp>]
public sealed class PaperTests(AppFixture app)
{
    [Fact]
    public async Task A_page_becomes_a_report_that_names_the_business_its_days_and_its_date_with_nothing_to_click()
    {
        const string Business = "Merch Shop";
        using var api = await app.ApiAsync(Business);
        var id = (await api.SendAsync(HttpMethod.Post, "dashboards", HttpStatusCode.Created, new
        {
            name = "Paper",
            template = "morning"
        }))["id"]!.GetValue<string>();
        var summary = await api.SummaryAsync();
        var brief = (await api.GetAsync("insights/business?range=last_28_days&compare=previous_period"))["brief"]![0]!["text"]!.GetValue<string>();
        var revenue = Numbers.Money(summary.Kpi("shop.revenue").Number("value"), "$").Split('.')[0];
        foreach (var screen in new[] { Screen.Desktop with { Dark = true }, Screen.Phone })
        {
            await using var visit = await app.VisitAsync(screen);
            await visit.SignInAsync();
            foreach (var (path, name, most, says) in new[]
            {
                ("/", "overview", 1, new[] { Words(brief, 4), "Automations saved", "numbers; all are on the page" }),
                ("/metrics/shop.revenue", "metric", 3, ["Revenue", revenue]),
                ("/analytics", "analytics", 3, ["Sessions"]),
                ("/automation", "automation", 3, ["Automations saved", "Order sync"]),
                ($"/dashboards/{id}", "dashboard", 1, ["Paper", "Complete through"]),
            })
            {
                await visit.Page.GotoAsync(path);
                await Expect(visit.Page.Locator("canvas").First).ToBeVisibleAsync();
                await visit.SettledAsync();
                // The way to it stands on top.
                var button = visit.Page.GetByRole(AriaRole.Button, new() { Name = "PDF", Exact = true });
                await Expect(button).ToHaveCountAsync(1);
                Assert.True((await button.BoundingBoxAsync())!.Y < 780, $"The button of {name} is not on the first screen.");
                await Expect(visit.Page.Locator(".report-head")).ToBeHiddenAsync();

                var file = Path.Combine(app.Screenshots, $"{name}-{screen.Width}.pdf");
                using var pdf = PdfDocument.Open(await visit.Page.PdfAsync(new()
                {
                    Path = file,
                    PreferCSSPageSize = true,
                    PrintBackground = true
                }));
                Assert.InRange(pdf.NumberOfPages, 1, most);
                var text = string.Join(' ', pdf.GetPages().Select(page => ContentOrderTextExtractor.GetText(page)));
                var plain = string.Concat(text.Where(letter => !char.IsWhiteSpace(letter)));
                foreach (var part in says.Append(Business).Append("printed").Append("comparedwithpreviousperiod")
                    .Append("Complete through").Append("Dotted ends of lines and hatched days"))
                    Assert.Contains(string.Concat(part.Where(letter => !char.IsWhiteSpace(letter))), plain,
                        StringComparison.OrdinalIgnoreCase);
                foreach (var part in new[] { "Showasatable", "Skiptothenumbers", "Choosea", "Showwhat", "Allstates", "Alltags", "Sortby" })
                    Assert.DoesNotContain(part, plain, StringComparison.OrdinalIgnoreCase);
                // The number of one day says which, and no more of where it comes from than can be read.
                if (name == "metric")
                {
                    var day = await visit.Page.Locator("section:has(input[type=date]) p[class*='print:block']").TextContentAsync();
                    Assert.Contains(string.Concat(day!.Where(letter => !char.IsWhiteSpace(letter))), plain, StringComparison.Ordinal);
                    foreach (var part in new[] { "Asthesourcereportedit", "Flags", "requests" }) Assert.DoesNotContain(part, plain,
                        StringComparison.OrdinalIgnoreCase);
                }
                // A sheet by itself is still known: whose it is, and which of how many.
                foreach (var page in pdf.GetPages())
                {
                    var sheet = string.Concat(page.Letters.Select(letter => letter.Value.Trim()));
                    Assert.Contains(string.Concat(Business.Where(letter => !char.IsWhiteSpace(letter))), sheet, StringComparison.Ordinal);
                    Assert.Contains($"{page.Number}/{pdf.NumberOfPages}", sheet, StringComparison.Ordinal);
                }
                // Nothing is cut at the edge.
                foreach (var page in pdf.GetPages())
                    Assert.All(page.Letters, letter => Assert.InRange(letter.Location.X, 0, page.Width));

                await visit.Page.EmulateMediaAsync(new() { Media = Media.Print });
                Assert.Equal("rgb(255, 255, 255)",
                    await visit.Page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor"));
                Assert.Equal("rgb(255, 255, 255)",
                    await visit.Page.EvaluateAsync<string>("getComputedStyle(document.documentElement).backgroundColor"));
                if (name == "automation") await Expect(visit.Page.Locator("table.print-rows")).ToBeVisibleAsync();
                await visit.Page.EmulateMediaAsync(new() { Media = Media.Null });
                // The screen is as it was.
                await Expect(visit.Page.Locator("html")).ToHaveAttributeAsync("data-theme", screen.Dark ? "dark" : "light");
            }
        }

        await api.SendAsync(HttpMethod.Delete, $"dashboards/{id}", HttpStatusCode.NoContent);
    }

    private static string Words(string text, int count) => string.Join(' ', text.Split(' ').Take(count));
}
