using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using KpiDashboard.Demo.Seeding;
using Microsoft.Playwright;
using Xunit;

namespace KpiDashboard.BrowserTests.App;

/// <summary>What someone looks at the page with.</summary>
/// <param name="Width">In CSS pixels.</param>
/// <param name="Height">In CSS pixels.</param>
/// <param name="Density">Device pixels of a CSS pixel.</param>
/// <param name="Touch">Whether it is a phone: fingers, and scroll bars that take no room.</param>
/// <param name="Dark">Whether the system is set to dark.</param>
/// <param name="Locale">Language and region of the browser.</param>
internal sealed record Screen(int Width, int Height, int Density = 1, bool Touch = false, bool Dark = false, string Locale = "en-GB")
{
    public static readonly Screen Phone = new(360, 780, 2, Touch: true), Desktop = new(1440, 900);
}

/// <summary>One person at one page, from a first visit on. Keeps what the browser complained about.</summary>
internal sealed class Visit : IAsyncDisposable
{
    /// <summary>How long Playwright waits for what should come about; only matters when something is broken.</summary>
    private const float Patience = 60_000;

    private static readonly bool s_pictures = Environment.GetEnvironmentVariable("KPI_SCREENSHOTS") is { Length: > 0 } and not "0";

    private readonly AppFixture _app;
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _complaints = new();

    static Visit() => Assertions.SetDefaultExpectTimeout(Patience);

    private Visit(AppFixture app, IBrowserContext context, IPage page)
    {
        (_app, _context, Page) = (app, context, page);
        page.PageError += (_, error) => _complaints.Enqueue("page error: " + error);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") _complaints.Enqueue($"{message.Type}: {message.Text} ({message.Location})");
        };
    }

    public IPage Page { get; }

    public IBrowserContext Context => _context;

    /// <summary>Errors, warnings and violations of the content security policy, but for the answer to the question whether anyone is signed in.</summary>
    public IReadOnlyList<string> Complaints =>
        [
            .. _complaints.Where(said => !(said.Contains("status of 401", StringComparison.Ordinal) && said.Contains("/api/auth/refresh", StringComparison.Ordinal))
                // As asked for by StartAsync.
                && !said.Contains("Service Worker registration blocked by Playwright", StringComparison.Ordinal)
                // Chromium since 151, now and then, of pages that preload modules under a service worker.
                && !said.Contains("cross-world service worker resource mismatch", StringComparison.Ordinal)),
        ];

    /// <summary>The browser had nothing to complain about; what it said is shown whole.</summary>
    public void AssertNoComplaints()
    {
        var said = Complaints;
        Assert.True(said.Count == 0, string.Join('\n', said));
    }

    public ILocator Strip => Page.GetByRole(AriaRole.List, new() { Name = "Headline numbers" });

    public ILocator Brief => Page.GetByRole(AriaRole.Region, new() { Name = "What changed" });

    public ILocator SignInForm => Page.GetByRole(AriaRole.Form, new() { Name = "Sign in" });

    /// <param name="app">The app to visit.</param>
    /// <param name="screen">What it is looked at with.</param>
    /// <param name="serviceWorker">Whether the page's service worker may come; what it answers passes by the routes that a test puts in the way.</param>
    public static async Task<Visit> StartAsync(AppFixture app, Screen screen, bool serviceWorker = false)
    {
        var context = await app.Browser.NewContextAsync(new()
        {
            BaseURL = app.Address.ToString(),
            Locale = screen.Locale,
            TimezoneId = "Europe/London",
            ViewportSize = new() { Width = screen.Width, Height = screen.Height },
            DeviceScaleFactor = screen.Density,
            IsMobile = screen.Touch,
            HasTouch = screen.Touch,
            ColorScheme = screen.Dark ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
            ServiceWorkers = serviceWorker ? ServiceWorkerPolicy.Allow : ServiceWorkerPolicy.Block,
        });
        context.SetDefaultTimeout(Patience);
        await context.AddInitScriptAsync("addEventListener('securitypolicyviolation', e => console.error('policy violated: ' + e.violatedDirective + ' ' + e.blockedURI))");
        return new Visit(app, context, await context.NewPageAsync());
    }

    /// <summary>
    /// Comes to a page as somebody who has signed in a while ago: the session is made through the API, whose cookie the browser keeps. A sign-in with the form
    /// costs three pages, and has tests of its own, which use <see cref="SignInWithFormAsync"/>.
    /// </summary>
    public Task SignInAsync(string path = "/", string tenant = "Merch Shop", string email = DemoSeeder.OwnerEmail) =>
        SignInAsync(path, DemoSeeder.TenantId(tenant), email);

    /// <summary>The same, to a business of a test's own.</summary>
    public async Task SignInAsync(string path, Guid id, string email = DemoSeeder.OwnerEmail)
    {
        var session = await PostAsync("login", new { email, password = DemoSeeder.Password }, null);
        if (session.GetProperty("tenant").GetProperty("id").GetGuid() != id)
            await PostAsync("switch", new { tenantId = id }, session.GetProperty("accessToken").GetString());
        await Page.GotoAsync(path);
        if (path == "/") await Assertions.Expect(Tile("Sessions")).ToBeVisibleAsync();
        else await Assertions.Expect(Page.GetByRole(AriaRole.Heading, new() { Level = 1 }).First).ToBeVisibleAsync();
    }

    /// <summary>Signs in with the form, as people do, and waits for the numbers.</summary>
    public async Task SignInWithFormAsync()
    {
        await Page.GotoAsync("/sign-in");
        await FillInAsync(DemoSeeder.OwnerEmail, DemoSeeder.Password);
        await Assertions.Expect(Tile("Sessions")).ToBeVisibleAsync();
    }

    private async Task<JsonElement> PostAsync(string route, object body, string? token)
    {
        var answer = await _context.APIRequest.PostAsync(
            $"/api/auth/{route}", new() { DataObject = body, Headers = token is null ? null : new Dictionary<string, string> { ["X-Kpi-Token"] = token } });
        if (!answer.Ok) throw new InvalidOperationException($"POST auth/{route} answered {answer.Status}: {await answer.TextAsync()}");
        return (await answer.JsonAsync())!.Value;
    }

    public async Task FillInAsync(string email, string password)
    {
        await SignInForm.GetByLabel("E-mail address").FillAsync(email);
        await SignInForm.GetByRole(AriaRole.Textbox, new() { Name = "Password" }).FillAsync(password);
        await SignInForm.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
    }

    public async Task SwitchAsync(string tenant)
    {
        await Page.GetByRole(AriaRole.Button, new() { Name = "Choose another business" }).ClickAsync();
        await Page.GetByRole(AriaRole.List, new() { Name = "Businesses" }).GetByRole(AriaRole.Button, new() { Name = tenant }).ClickAsync();
        await Assertions.Expect(Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync(tenant);
        await Assertions.Expect(Tile("Sessions")).ToBeVisibleAsync();
    }

    /// <summary>A headline number.</summary>
    public ILocator Tile(string kpi) => Strip.GetByRole(AriaRole.Link, new() { NameRegex = new Regex($@"^{kpi}\b") });

    /// <summary>
    /// Follows a link and waits for the heading of its page: the page before stays until the new one is there, and may have fields of the same
    /// names.
    /// </summary>
    public async Task FollowAsync(string link, string heading)
    {
        await Page.GetByRole(AriaRole.Link, new() { Name = link, Exact = true }).ClickAsync();
        await Assertions.Expect(Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync(heading);
    }

    /// <summary>Opens the page of a headline number; the page before stays, with a chart of its own, until the new one is there.</summary>
    public async Task OpenTileAsync(string kpi)
    {
        await Tile(kpi).ClickAsync();
        await Assertions.Expect(Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync(kpi);
    }

    /// <summary>Waits until the first number in a place is this one: exactly, as those hear it who do not see it; what is seen is shortened.</summary>
    public static Task ExpectExactAsync(ILocator place, string exact) =>
        Assertions.Expect(place.Locator(".num").First.Locator("xpath=self::*[not(*)] | ./*[contains(@class, 'sr-only')]"))
            .ToHaveTextAsync(new Regex($@"^{Regex.Escape(exact)}(\. |$)"));

    /// <summary>
    /// A picture of what is on the screen, and one of the whole page, for people to look at: only where <c>KPI_SCREENSHOTS</c> is set. No test reads them, and
    /// drawing and packing hundreds of whole pages takes long.
    /// </summary>
    public async Task ScreenshotAsync(string name, bool whole = true)
    {
        await SettledAsync();
        if (!s_pictures) return;
        await Page.ScreenshotAsync(new() { Path = Path.Combine(_app.Screenshots, name + ".png") });
        if (whole) await Page.ScreenshotAsync(new() { Path = Path.Combine(_app.Screenshots, name + "-whole.png"), FullPage = true });
    }

    /// <summary>Waits until nothing on the page is a placeholder any more and fonts and charts are drawn.</summary>
    public async Task SettledAsync()
    {
        await Assertions.Expect(Page.Locator(".skeleton")).ToHaveCountAsync(0);
        await Page.EvaluateAsync("() => document.fonts.ready.then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))");
    }

    public async ValueTask DisposeAsync() => await _context.CloseAsync();
}
