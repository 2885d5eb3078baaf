using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>Dashboards: made, arranged, shared, on a wall, on paper and without a network.</summary>
[Collection<FirstApp>]
public sealed partial class DashboardsTests(AppFixture app)
{
    private static readonly string[] Three = ["web.sessions", "shop.revenue", "shop.transactions"];

    [Fact]
    public async Task A_template_shows_the_same_numbers_as_the_overview_by_one_request()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var revenue = Numbers.Money((await api.SummaryAsync()).Kpi("shop.revenue").Number("value"), "$");
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync("/dashboards");
        var asked = new List<string>();
        visit.Page.Request += (_, request) => { if (request.Url.Contains("/api/metrics/", StringComparison.Ordinal)) asked.Add(request.Url); };
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Use this template: Morning check" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Morning check" })).ToBeVisibleAsync();
        await Visit.ExpectExactAsync(Tile(visit, "Revenue").First, revenue);
        await Expect(visit.Page.Locator("canvas")).ToHaveCountAsync(2);
        await visit.SettledAsync();
        Assert.Single(asked);
        visit.AssertNoComplaints();
        await DeleteAsync(api, visit);
    }

    [Fact]
    public async Task The_keyboard_moves_and_resizes_tiles_says_so_and_the_layout_is_kept()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var id = await MakeAsync(api);
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync($"/dashboards/{id}");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Move Sessions" }).FocusAsync();
        await visit.Page.Keyboard.PressAsync("ArrowRight");
        await Expect(Said(visit)).ToHaveTextAsync("Sessions, now 2 of 3.");
        // Still there: the next press goes on.
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Move Sessions" })).ToBeFocusedAsync();
        await visit.Page.Keyboard.PressAsync("ArrowRight");
        await Expect(Said(visit)).ToHaveTextAsync("Sessions, now 3 of 3.");
        await visit.Page.Keyboard.PressAsync("ArrowRight");
        await Expect(Said(visit)).ToHaveTextAsync("Sessions stays 3 of 3.");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Resize Sessions" }).FocusAsync();
        await visit.Page.Keyboard.PressAsync("ArrowRight");
        await visit.Page.Keyboard.PressAsync("ArrowDown");
        await Expect(Said(visit)).ToHaveTextAsync("Sessions, now 4 columns of 12 wide and 2 rows high.");
        // And by plain buttons, for who can neither drag nor type.
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Options of Orders" }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Earlier" }).ClickAsync();
        await Expect(Said(visit)).ToHaveTextAsync("Orders, now 1 of 3.");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true })).ToBeVisibleAsync();
        var kept = await api.GetAsync($"dashboards/{id}");
        Assert.Equal(["shop.transactions 3×1", "shop.revenue 3×1", "web.sessions 4×2"], Tiles(kept));
        visit.AssertNoComplaints();
        await api.SendAsync(HttpMethod.Delete, $"dashboards/{id}", HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task The_mouse_drags_tiles_to_other_places_and_sizes_and_adds_more()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var id = await MakeAsync(api);
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync($"/dashboards/{id}");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true }).ClickAsync();
        await visit.SettledAsync();
        await DragAsync(visit, "Move Sessions", await MiddleAsync(Tile(visit, "Orders")));
        await Expect(Said(visit)).ToHaveTextAsync("Sessions, now 3 of 3.");
        var corner = await MiddleAsync(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Resize Revenue" }));
        var box = (await Tile(visit, "Revenue").BoundingBoxAsync())!;
        // A third as wide again is one column more of three.
        await DragAsync(visit, "Resize Revenue", (corner.X + (box.Width / 3), corner.Y));
        await Expect(Said(visit)).ToHaveTextAsync("Revenue, now 4 columns of 12 wide and 1 row high.");
        await visit.Page.GetByLabel("Add a tile").SelectOptionAsync("Note");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Add a tile" }).ClickAsync();
        await visit.Page.GetByLabel("Words of the note").FillAsync("Call the bank");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true })).ToBeVisibleAsync();
        await Expect(visit.Page.GetByText("Call the bank")).ToBeVisibleAsync();
        Assert.Equal(["shop.revenue 4×1", "shop.transactions 3×1", "web.sessions 3×1", "Call the bank 4×1"], Tiles(await api.GetAsync($"dashboards/{id}")));
        visit.AssertNoComplaints();
        await api.SendAsync(HttpMethod.Delete, $"dashboards/{id}", HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_finger_drags_a_tile_to_another_place_and_the_page_stays_where_it_is()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var id = await MakeAsync(api);
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.SignInAsync($"/dashboards/{id}");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true }).TapAsync();
        await visit.SettledAsync();
        var handle = visit.Page.GetByRole(AriaRole.Button, new() { Name = "Move Sessions" });
        // Both tiles must be on the screen: a finger ends at its edge.
        await Tile(visit, "Sessions").EvaluateAsync("one => scrollTo(0, one.getBoundingClientRect().top + scrollY - 120)");
        var (from, to) = (await MiddleAsync(handle), await MiddleAsync(Tile(visit, "Revenue")));
        var scrolled = await visit.Page.EvaluateAsync<double>("scrollY");
        var devtools = await visit.Context.NewCDPSessionAsync(visit.Page);
        Task TouchAsync(string type, params object[] points) => devtools.SendAsync("Input.dispatchTouchEvent", new() { ["type"] = type, ["touchPoints"] = points });
        await TouchAsync("touchStart", new { x = from.X, y = from.Y });
        for (var i = 1; i <= 12; i++) await TouchAsync("touchMove", new { x = from.X + ((to.X - from.X) * i / 12), y = from.Y + ((to.Y - from.Y) * i / 12) });
        // As a finger: it rests before it leaves the glass. Else the next tap only stops what Chromium takes for a throw.
        await Task.Delay(300, TestContext.Current.CancellationToken);
        await TouchAsync("touchMove", new { x = to.X, y = to.Y });
        await TouchAsync("touchEnd");
        await Expect(Said(visit)).ToHaveTextAsync("Sessions, now 2 of 3.");
        Assert.Equal(scrolled, await visit.Page.EvaluateAsync<double>("scrollY"));
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).TapAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true })).ToBeVisibleAsync();
        Assert.Equal(["shop.revenue 3×1", "web.sessions 3×1", "shop.transactions 3×1"], Tiles(await api.GetAsync($"dashboards/{id}")));
        visit.AssertNoComplaints();
        await api.SendAsync(HttpMethod.Delete, $"dashboards/{id}", HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Two_who_edit_at_once_are_told_and_nothing_is_lost()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var id = await MakeAsync(api);
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.SignInAsync($"/dashboards/{id}");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true }).ClickAsync();
        await api.SendAsync(HttpMethod.Patch, $"dashboards/{id}", HttpStatusCode.OK, new { version = 1, name = "Theirs" });
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        var alert = visit.Page.GetByRole(AriaRole.Alert);
        await Expect(alert).ToContainTextAsync("changed by somebody else");
        await alert.GetByRole(AriaRole.Button, new() { Name = "Load the newer version" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Theirs" })).ToBeVisibleAsync();
        await api.SendAsync(HttpMethod.Delete, $"dashboards/{id}", HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_link_opens_without_signing_in_and_is_closed_when_it_is_taken_back()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var id = await MakeAsync(api);
        var revenue = Numbers.Money((await api.SummaryAsync()).Kpi("shop.revenue").Number("value"), "$");
        await using var owner = await app.VisitAsync(Screen.Desktop);
        await owner.SignInAsync($"/dashboards/{id}");
        await owner.Page.GetByRole(AriaRole.Button, new() { Name = "Share a link" }).ClickAsync();
        var dialog = owner.Page.GetByRole(AriaRole.Dialog, new() { Name = "Read-only links" });
        await dialog.GetByLabel("What the link is for").FillAsync("Hall");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Make a link" }).ClickAsync();
        var link = await dialog.GetByLabel("The new link").InputValueAsync();
        Assert.Matches(SharedAddress(), link);
        await owner.ScreenshotAsync("share-dialog-1440", whole: false);

        await using var viewer = await app.VisitAsync(Screen.Phone);
        var requests = new List<string>();
        viewer.Page.Request += (_, request) => requests.Add(request.Url);
        await viewer.Page.GotoAsync(link);
        await Visit.ExpectExactAsync(Tile(viewer, "Revenue").First, revenue);
        await viewer.SettledAsync();
        Assert.DoesNotContain(requests, url => url.Contains("kps_", StringComparison.Ordinal) && !url.Contains("/shared#", StringComparison.Ordinal));
        Assert.Equal(["/api/auth/refresh", "/api/shared/dashboard"], requests.Select(url => new Uri(url).AbsolutePath).Where(path => path.StartsWith("/api/", StringComparison.Ordinal)).Distinct().Order());
        viewer.AssertNoComplaints();

        // The same link on a wall, without signing in.
        await viewer.Page.GotoAsync(link.Replace("/shared#", "/tv#", StringComparison.Ordinal));
        await Expect(viewer.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Board");
        await Expect(viewer.Page.Locator(".wall-value")).ToHaveCountAsync(3);
        await viewer.Page.GotoAsync(link);

        await dialog.GetByRole(AriaRole.Button, new() { Name = "Take back “Hall”" }).ClickAsync();
        await Expect(dialog.GetByText("“Hall” no longer works.")).ToBeVisibleAsync();
        await viewer.Page.ReloadAsync();
        await Expect(viewer.Page.GetByText("This link has run out or was taken back.")).ToBeVisibleAsync();
        await Expect(viewer.Page.GetByText("Revenue")).ToHaveCountAsync(0);
        Assert.DoesNotContain(await viewer.Page.EvaluateAsync<string[]>("Object.keys(localStorage)"), key => key.Contains("shared", StringComparison.Ordinal));
        await api.SendAsync(HttpMethod.Delete, $"dashboards/{id}", HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_wall_screen_changes_by_itself_by_keys_and_says_so_when_the_network_is_gone()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var (one, two) = (await MakeAsync(api, "First board"), await MakeAsync(api, "Second board"));
        await using var visit = await app.VisitAsync(new Screen(1920, 1080));
        await visit.SignInAsync($"/tv?boards={one},{two}&every=5");
        var title = visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 });
        await Expect(title).ToHaveTextAsync("First board");
        await Expect(title).ToHaveTextAsync("Second board");
        await visit.Page.Keyboard.PressAsync(" ");
        await Expect(visit.Page.GetByText("Paused")).ToBeVisibleAsync();
        await visit.Page.Keyboard.PressAsync("ArrowLeft");
        await Expect(title).ToHaveTextAsync("First board");
        // Five metres away 1080p needs letters of about 4 % of the height for the numbers, and 1.5 % for all else.
        var sizes = await visit.Page.EvaluateAsync<double[]>("[...document.querySelectorAll('.wall-value')].map(e => parseFloat(getComputedStyle(e).fontSize))");
        Assert.Equal(3, sizes.Length);
        Assert.All(sizes, size => Assert.True(size >= 64, $"A number is {size} px high."));
        var least = await visit.Page.EvaluateAsync<double>("Math.min(...[...document.querySelectorAll('.wall *')].filter(e => !e.closest('[role=group]') && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).map(e => parseFloat(getComputedStyle(e).fontSize)))");
        Assert.True(least >= 20, $"Something is {least} px high only.");
        Assert.Equal((1920, 1080), await visit.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") is var w ? (w, await visit.Page.EvaluateAsync<int>("document.documentElement.scrollHeight")) : default);
        await visit.ScreenshotAsync("tv-light-1920", whole: false);

        await visit.Context.SetOfflineAsync(true);
        await Expect(visit.Page.GetByRole(AriaRole.Status)).ToContainTextAsync("No connection. Numbers of ");
        await visit.Context.SetOfflineAsync(false);
        await Expect(visit.Page.GetByText("No connection.")).ToHaveCountAsync(0);
        await visit.Page.Keyboard.PressAsync("Escape");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Dashboards" })).ToBeVisibleAsync();
        foreach (var id in new[] { one, two }) await api.SendAsync(HttpMethod.Delete, $"dashboards/{id}", HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Without_a_network_the_page_opens_with_dated_numbers_and_after_sign_out_with_none()
    {
        using var api = await app.ApiAsync("Merch Shop");
        var revenue = Numbers.Money((await api.SummaryAsync()).Kpi("shop.revenue").Number("value"), "$");
        await using var visit = await app.VisitAsync(Screen.Phone, serviceWorker: true);
        await visit.SignInAsync();
        await Visit.ExpectExactAsync(visit.Tile("Revenue"), revenue);
        await visit.Page.EvaluateAsync("() => navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller || new Promise(done => navigator.serviceWorker.addEventListener('controllerchange', done))).then(() => true)");
        var kept = await visit.Page.EvaluateAsync<string[]>("async () => (await Promise.all((await caches.keys()).map(async n => (await (await caches.open(n)).keys()).map(r => new URL(r.url).pathname)))).flat()");
        Assert.Contains("/index.html", kept);
        Assert.DoesNotContain(kept, path => path.StartsWith("/api", StringComparison.Ordinal));

        await visit.Context.SetOfflineAsync(true);
        await visit.Page.ReloadAsync();
        await Visit.ExpectExactAsync(visit.Tile("Revenue"), revenue);
        await Expect(visit.Page.GetByText("You are offline. These are the numbers saved at")).ToBeVisibleAsync();
        await visit.ScreenshotAsync("offline-360", whole: false);

        await visit.Context.SetOfflineAsync(false);
        await visit.Page.ReloadAsync();
        await Expect(visit.Page.GetByText("You are offline.")).ToHaveCountAsync(0);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Menu" }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(visit.SignInForm).ToBeVisibleAsync();
        Assert.Empty(await visit.Page.EvaluateAsync<string[]>("Object.keys(localStorage)"));
        await visit.Context.SetOfflineAsync(true);
        await visit.Page.GotoAsync("/");
        await Expect(visit.SignInForm).ToBeVisibleAsync();
        await Expect(visit.Page.GetByText(revenue)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_new_version_takes_charge_while_a_page_is_open_which_says_so_and_loads_it_when_asked()
    {
        await using var visit = await app.VisitAsync(Screen.Phone, serviceWorker: true);
        await visit.SignInAsync();
        await visit.Page.EvaluateAsync("() => navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller || new Promise(done => navigator.serviceWorker.addEventListener('controllerchange', done))).then(() => true)");
        var before = await visit.Page.EvaluateAsync<string[]>("caches.keys()");
        var file = Path.Combine(app.RepositoryRoot, "static-web", "dist", "sw.js");
        var worker = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        var notice = visit.Page.GetByText("There is a newer version of this page.");
        try
        {
            await File.WriteAllTextAsync(file, worker.Replace("const version = '", "const version = 'next-", StringComparison.Ordinal), TestContext.Current.CancellationToken);
            await Expect(notice).ToHaveCountAsync(0);
            await visit.Page.EvaluateAsync("() => navigator.serviceWorker.getRegistration().then(one => one.update()).then(() => true)");
            await Expect(notice).ToBeVisibleAsync();
            // What is open goes on, and so does what it may still load.
            await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
            Assert.Equal(2, (await visit.Page.EvaluateAsync<string[]>("caches.keys()")).Length);
            await visit.InAllLooksAsync("new-version");
            await visit.Page.EvaluateAsync("() => { window.before = true }");
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Load it" }).ClickAsync();
            await visit.Page.WaitForFunctionAsync("() => window.before === undefined");
            await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
            await Expect(notice).ToHaveCountAsync(0);
            Assert.Contains(await visit.Page.EvaluateAsync<string[]>("caches.keys()"), name => !before.Contains(name));
        }
        finally
        {
            await File.WriteAllTextAsync(file, worker, CancellationToken.None);
        }

        visit.AssertNoComplaints();
    }

    [Fact]
    public async Task What_a_browser_needs_to_install_the_page_is_there_and_not_kept_long()
    {
        using var http = new HttpClient { BaseAddress = app.Address };
        foreach (var (path, type) in new[] { ("sw.js", "text/javascript"), ("manifest.webmanifest", "application/manifest+json") })
        {
            using var answer = await http.GetAsync(path, TestContext.Current.CancellationToken);
            Assert.Equal((HttpStatusCode.OK, type, "no-cache"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType, answer.Headers.CacheControl!.ToString()));
        }

        var worker = await http.GetStringAsync("sw.js", TestContext.Current.CancellationToken);
        var files = Files().Match(worker).Groups[1].Value.Split(',').Select(file => file.Trim('"')).ToList();
        Assert.True(files.Count > 20, $"Only {files.Count} files.");
        foreach (var file in files)
        {
            using var answer = await http.GetAsync(file, TestContext.Current.CancellationToken);
            Assert.True(answer.IsSuccessStatusCode, $"{file}: {(int)answer.StatusCode}");
        }

        var manifest = JsonNode.Parse(await http.GetStringAsync("manifest.webmanifest", TestContext.Current.CancellationToken))!;
        foreach (var icon in manifest["icons"]!.AsArray()) Assert.True((await http.GetAsync(icon!["src"]!.GetValue<string>(), TestContext.Current.CancellationToken)).IsSuccessStatusCode);
    }

    private static ILocator Tile(Visit visit, string name) => visit.Page.GetByRole(AriaRole.List, new() { Name = "Dashboards" }).GetByRole(AriaRole.Listitem, new() { Name = name, Exact = true });

    private static ILocator Said(Visit visit) => visit.Page.Locator("main [aria-live=polite].sr-only").First;

    private static async Task<(float X, float Y)> MiddleAsync(ILocator what)
    {
        var box = (await what.BoundingBoxAsync())!;
        return (box.X + (box.Width / 2), box.Y + (box.Height / 2));
    }

    private static async Task DragAsync(Visit visit, string handle, (float X, float Y) to)
    {
        var button = visit.Page.GetByRole(AriaRole.Button, new() { Name = handle });
        await button.ScrollIntoViewIfNeededAsync();
        var (x, y) = await MiddleAsync(button);
        await visit.Page.Mouse.MoveAsync(x, y);
        await visit.Page.Mouse.DownAsync();
        await visit.Page.Mouse.MoveAsync(to.X, to.Y, new() { Steps = 12 });
        await visit.Page.Mouse.UpAsync();
    }

    private static async Task<string> MakeAsync(App.Api api, string name = "Board") =>
        (await api.SendAsync(HttpMethod.Post, "dashboards", HttpStatusCode.Created, new { name, tiles = Three.Select((kpi, i) => new { id = $"t{i}", kind = "kpi", width = 3, height = 1, kpi }) }))["id"]!.GetValue<string>();

    private static async Task DeleteAsync(App.Api api, Visit visit) =>
        await api.SendAsync(HttpMethod.Delete, $"dashboards/{new Uri(visit.Page.Url).Segments[^1]}", HttpStatusCode.NoContent);

    private static IEnumerable<string> Tiles(JsonNode board) => board["tiles"]!.AsArray().Select(tile => $"{tile!["kpi"] ?? tile["text"]} {tile["width"]}×{tile["height"]}");

    [GeneratedRegex("/shared#kps_[A-Za-z0-9_-]{43}$")]
    private static partial Regex SharedAddress();

    [GeneratedRegex(@"const files = \[([^\]]*)\]")]
    private static partial Regex Files();
}
