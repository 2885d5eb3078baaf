using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.N8n;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>Why did it fail, and what runs now? Each in a business of its own, with a simulated n8n of its own.</summary>
[Collection<SecondApp>]
public sealed class RunsPageTests(AppFixture app)
{
    private const string Key = "n8n_api_secret_0123456789";
    private const string Flow = "pAgeOrders000001";
    private const string Message = "429 Too Many Requests: the warehouse takes 40 orders a minute";

    /// <summary>128 UTF-16 units without a blank, with characters of two units and of several code points.</summary>
    private static readonly string s_long = string.Concat(Enumerable.Repeat("Ördersync🚀👩‍💻", 8)) + new string('x', 128 - (8 * 16));

    private static ILocator Now(Visit visit) => visit.Page.GetByRole(AriaRole.Region, new() { NameRegex = new Regex("^Running now") });

    private static ILocator Failures(Visit visit) => visit.Page.GetByRole(AriaRole.Region, new() { Name = "Latest failures" });

    [Fact]
    public async Task A_run_that_starts_shows_within_15_seconds_and_ends_there()
    {
        var (visit, name) = await NewAsync(Screen.Desktop);
        await using var _ = visit;
        await visit.Page.GotoAsync("/automation?range=today");
        await Expect(Now(visit).GetByText("Nothing is running or waiting.")).ToBeVisibleAsync();
        var today = visit.Page.GetByRole(AriaRole.Button, new() { Name = "Today", Exact = true });
        await Expect(today).ToHaveAttributeAsync("aria-pressed", "true");

        var total = visit.Page.Locator("dl > div").Filter(new() { Has = visit.Page.GetByRole(AriaRole.Term).GetByText("Runs", new() { Exact = true }) }).First.Locator("dd");
        await Expect(total).ToContainTextAsync(new Regex("[0-9]"));
        var before = int.Parse(Regex.Match(await total.InnerTextAsync(), "[0-9]+").Value, CultureInfo.InvariantCulture);

        app.N8n.Start(name, Flow, TimeSpan.FromSeconds(20));
        var run = Now(visit).GetByRole(AriaRole.Listitem).Filter(new() { HasText = "Orders" });
        await Expect(run.GetByText(new Regex(@"^running for \d+(\.\d+)?\s(ms|s), since"))).ToBeVisibleAsync(new() { Timeout = 15_000 });
        await visit.InAllLooksAsync("runs-now");
        await Expect(run).ToHaveCountAsync(0, new() { Timeout = 36_000 });
        // And the numbers above say so, without anybody asking.
        // For the eye, and where days are missing once more for the ear.
        await Expect(total).ToContainTextAsync(new Regex($"^({before + 1}){{1,2}}[^0-9]"), new() { Timeout = 30_000 });
        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task Why_a_run_failed_is_two_taps_away_on_a_phone()
    {
        var (visit, name) = await NewAsync(Screen.Phone, instance => instance.Start(app, "error"));
        await using var _ = visit;
        await visit.Page.GotoAsync("/");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Menu", Exact = true }).TapAsync();
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Automation", Exact = true }).TapAsync();
        var failure = Failures(visit).GetByRole(AriaRole.Listitem).First;
        await Expect(failure.GetByText(Message)).ToBeVisibleAsync();
        await Expect(failure.GetByText("in “Book order”")).ToBeVisibleAsync();
        var link = failure.GetByRole(AriaRole.Link, new() { NameRegex = new Regex("^Open in n8n: run \\d+ of Orders$") });
        Assert.StartsWith($"{app.N8n.BaseUrl(name)}/workflow/{Flow}/executions/", await link.GetAttributeAsync("href"), StringComparison.Ordinal);

        // All runs of the workflow, those that failed alone, and the way back.
        await failure.GetByRole(AriaRole.Button, new() { Name = "Show the runs of Orders" }).TapAsync();
        var runs = visit.Page.GetByRole(AriaRole.Dialog, new() { Name = "Runs of Orders" });
        await Expect(runs.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(25);
        await runs.GetByRole(AriaRole.Button, new() { Name = "Show more" }).TapAsync();
        await Expect(runs.GetByRole(AriaRole.Listitem)).Not.ToHaveCountAsync(25);
        await runs.GetByLabel("State").SelectOptionAsync("failed");
        await Expect(runs.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(1);
        await visit.InAllLooksAsync("runs-of-a-workflow");
        await visit.Page.Keyboard.PressAsync("Escape");
        await Expect(runs).ToHaveCountAsync(0);
        visit.AssertNoComplaints();
    }

    [Theory]
    [InlineData(1360)]
    [InlineData(360)]
    public async Task A_long_name_stays_in_its_column_on_every_page_that_shows_it(int width)
    {
        Assert.Equal(128, s_long.Length);
        var (visit, _) = await NewAsync(new Screen(width, 800, Touch: width < 500), instance => instance.Start(app, "error", "pAgeLong00000002"));
        await using var __ = visit;
        var integration = (await visit.Context.APIRequest.GetAsync("/api/integrations", new() { Headers = _headers })).JsonAsync();
        var id = (await integration)!.Value.GetProperty("integrations")[0].GetProperty("id").GetString();
        foreach (var (path, shown) in new[]
        {
            ("/automation?range=today", 2), ("/automation?flow=pAgeLong00000002", 2), ("/insights", 0), ("/", 0), ($"/integrations/{id}", 1),
        })
        {
            await visit.Page.GotoAsync(path);
            await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 }).First).ToBeVisibleAsync();
            var names = visit.Page.GetByText(s_long);
            if (shown > 0) await Expect(names.First).ToBeVisibleAsync();
            await visit.SettledAsync();
            var wide = await visit.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth");
            Assert.True(wide <= width, $"{path} is {wide} pixels wide in {width}.");
            foreach (var name in await names.AllAsync())
            {
                if (!await name.IsVisibleAsync() || await name.BoundingBoxAsync() is not { } box) continue;
                var column = await name.EvaluateAsync<float[]>("e => { const c = (e.closest('th, td, li, dialog') ?? document.body).getBoundingClientRect(); return [c.left, c.right] }");
                Assert.True(box.X >= column[0] - 1 && box.X + box.Width <= column[1] + 1 && box.X + box.Width <= width, $"{path}: the name is {box.X} to {box.X + box.Width} in {column[0]} to {column[1]}.");
            }
        }
    }

    [Fact]
    public async Task Workflows_are_found_by_words_state_and_tag_and_saved_as_files()
    {
        var (visit, _) = await NewAsync(Screen.Desktop, instance => instance.Start(app, "error"));
        await using var __ = visit;
        await visit.Page.GotoAsync("/automation?range=last_7_days");
        var region = visit.Page.GetByRole(AriaRole.Region, new() { Name = "Workflows" });
        var rows = region.GetByRole(AriaRole.Rowheader);
        await Expect(rows).ToHaveCountAsync(3);
        await region.GetByRole(AriaRole.Searchbox, new() { Name = "Find a workflow" }).FillAsync("IDLE");
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(region.GetByText("1 of 3")).ToBeVisibleAsync();
        await region.GetByRole(AriaRole.Searchbox).FillAsync("");
        await region.GetByLabel("Tag").SelectOptionAsync("Shop");
        await Expect(rows).ToHaveCountAsync(1);
        await region.GetByLabel("Tag").SelectOptionAsync("");
        await region.GetByLabel("Hide what did not run").CheckAsync();
        await Expect(rows).ToHaveCountAsync(2);
        await region.GetByLabel("State of workflows").SelectOptionAsync("off");
        await Expect(region.GetByText("No workflow is like that.")).ToBeVisibleAsync();

        await region.GetByRole(AriaRole.Button, new() { Name = "Save the table" }).ClickAsync();
        var file = await visit.Page.RunAndWaitForDownloadAsync(() => region.GetByRole(AriaRole.Button, new() { Name = "As CSV" }).ClickAsync());
        Assert.Equal("workflows.csv", file.SuggestedFilename);
        Assert.Equal(4, (await File.ReadAllLinesAsync(await file.PathAsync(), TestContext.Current.CancellationToken)).Length);
        visit.AssertNoComplaints();
    }

    private Dictionary<string, string> _headers = [];

    /// <summary>A visit by somebody who has just registered and whose n8n was read.</summary>
    private async Task<(Visit Visit, string Name)> NewAsync(Screen screen, Action<Instance>? before = null)
    {
        var visit = await app.VisitAsync(screen);
        var answer = await visit.Context.APIRequest.PostAsync("/api/auth/register", new() { DataObject = MailBox.Registration(MailBox.FreshAddress()) });
        Assert.Equal((int)HttpStatusCode.Created, answer.Status);
        var session = (await answer.JsonAsync())!.Value;
        _headers = new()
        {
            ["X-Kpi-Token"] = session.GetProperty("accessToken").GetString()!,
            ["X-Kpi-Tenant"] = session.GetProperty("tenant").GetProperty("id").GetString()!,
        };
        var name = "b" + Guid.NewGuid().ToString("N")[..8];
        var today = DateOnly.FromDateTime(DateTime.UtcNow);
        app.N8n.Add(new N8nInstance(name, Key, new N8nDataset(9, "UTC", today.AddDays(-20),
        [
            new() { Id = Flow, Name = "Orders", Tags = ["Shop"], Runs = day => day < today ? 6 : 0, Seconds = (1, 2), TimeSavedMinutes = 2, Failures = [("Book order", Message)] },
            new() { Id = "pAgeLong00000002", Name = s_long, Runs = day => day < today ? 1 : 0, TimeSavedMinutes = 1 },
            new() { Id = "pAgeIdle00000003", Name = "Idle", Active = false },
        ])
        { IsTried = false }));
        before?.Invoke(new Instance(name));
        var made = await visit.Context.APIRequest.PostAsync("/api/integrations", new()
        {
            DataObject = new { connector = "n8n", settings = new { baseUrl = app.N8n.BaseUrl(name).ToString() }, credentials = new { apiKey = Key } },
            Headers = _headers,
        });
        Assert.True(made.Status == 201, await made.TextAsync());
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        JsonElement run;
        do
        {
            await Task.Delay(200, limit.Token);
            run = (await (await visit.Context.APIRequest.GetAsync("/api/sync/runs?limit=1", new() { Headers = _headers })).JsonAsync())!.Value.GetProperty("runs")[0];
        }
        while (run.GetProperty("status").GetString() != "succeeded");
        return (visit, name);
    }

    private sealed record Instance(string Name)
    {
        public long Start(AppFixture app, string outcome, string flow = Flow) => app.N8n.Start(Name, flow, TimeSpan.FromMilliseconds(40), outcome);
    }
}
