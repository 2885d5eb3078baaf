using System.Globalization;
using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Seeding;
using Microsoft.Playwright;

namespace KpiDashboard.Benchmarks;

/// <summary>
/// How soon somebody who is signed in sees the overview on a phone, with nothing in the browser's cache: first and largest contentful paint and layout shift as the
/// browser itself reports them, the median of five visits, for the network and processor of a phone as Chrome's own tools emulate them. The baseline is a page
/// of one word from the same host in the same visit profile: what the network and the browser cost before we do anything.
/// </summary>
internal static class PageVitals
{
    private const int Visits = 5;

    /// <summary>Every tap is answered within this, in milliseconds.</summary>
    private const double MostToTap = 100;

    private static readonly Profile[] s_profiles =
    [
        new("phone on 4G", Latency: 85, Megabits: 9, Slowdown: 2),
        new("slow phone on slow 4G (Lighthouse)", Latency: 150, Megabits: 1.6, Slowdown: 4),
    ];

    public static async Task RunAsync(Uri address)
    {
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await Chromium.LaunchAsync(playwright, (name, _) => Console.WriteLine($"Browser: {name}"));
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} processors{(File.Exists("/proc/loadavg") ? ", load " + File.ReadAllText("/proc/loadavg").Split(' ')[0] : "")}. A machine that is busy with something else measures that."));
        Console.WriteLine($"{"median of 5, nothing cached",-38} {"FCP ms",8} {"LCP ms",8} {"LCP ÷ empty",12} {"shift",7} {"numbers ms",11} {"kB",6}");
        foreach (var profile in s_profiles)
        {
            var empty = Median(await VisitsAsync(browser, address, profile, empty: true), visit => visit.LargestPaint);
            var visits = await VisitsAsync(browser, address, profile, empty: false);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{profile.Name,-38} {Median(visits, visit => visit.FirstPaint),8:0} {Median(visits, visit => visit.LargestPaint),8:0} {Median(visits, visit => visit.LargestPaint) / empty,12:0.0} {visits.Max(visit => visit.Shift),7:0.000} {Median(visits, visit => visit.Numbers),11:0} {Median(visits, visit => visit.Bytes) / 1000,6:0}"));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"",-38} empty page {empty:0} ms; largest: {string.Join(" | ", visits.Select(visit => visit.Largest).Distinct())}"));
            var taps = visits.SelectMany(visit => visit.Taps).ToList();
            var worst = taps.Max(tap => tap.Milliseconds);
            var each = taps.GroupBy(tap => tap.What)
                .Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Key} {Median([.. group], tap => tap.Milliseconds):0}"));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{"",-38} taps: {string.Join(", ", each)}; worst (INP) {worst:0} ms, limit {MostToTap} ms: {(worst > MostToTap ? "NOT held" : "held")}"));
            if (visits.SelectMany(visit => visit.Moved).Distinct().ToList() is { Count: > 0 } moved) Console.WriteLine($"{"",-38} moved: {string.Join(" | ", moved.Take(8))}");
        }

        Console.WriteLine("taps: from the finger to the next picture, the median by what was tapped; and the worst of all (Interaction to Next Paint).");
        Console.WriteLine("shift: the worst of the five. numbers: until the headline numbers are there. kB: all that the visit fetched, as it went over the line.");
    }

    private static async Task<List<Vitals>> VisitsAsync(IBrowser browser, Uri address, Profile profile, bool empty)
    {
        var visits = new List<Vitals>();
        for (var i = 0; i < Visits; i++) visits.Add(await VisitAsync(browser, address, profile, empty));
        return visits;
    }

    private static async Task<Vitals> VisitAsync(IBrowser browser, Uri address, Profile profile, bool empty)
    {
        await using var context = await browser.NewContextAsync(new()
        {
            BaseURL = address.ToString(),
            ViewportSize = new() { Width = 360, Height = 780 },
            DeviceScaleFactor = 2,
            IsMobile = true,
            HasTouch = true,
        });
        // The cookie alone, as it is there on the morning after: no page has been seen yet.
        var login = await context.APIRequest.PostAsync("/api/auth/login", new() { DataObject = new { email = DemoSeeder.OwnerEmail, password = DemoSeeder.Password } });
        if (!login.Ok) throw new InvalidOperationException($"The sign-in was answered with {login.Status}.");
        await context.AddInitScriptAsync(
            """
            window.vitals = { first: 0, largest: 0, what: '', shift: 0, moved: [], taps: [] }
            new PerformanceObserver(list => list.getEntries().forEach(e => { if (e.interactionId) vitals.taps.push(e.duration) }))
              .observe({ type: 'event', buffered: true, durationThreshold: 16 })
            const named = node => node?.nodeType === 1 ? `<${node.localName}> ${node.textContent.slice(0, 40)}` : `${node?.textContent.slice(0, 40)}`
            new PerformanceObserver(list => list.getEntriesByName('first-contentful-paint').forEach(e => { vitals.first = e.startTime })).observe({ type: 'paint', buffered: true })
            new PerformanceObserver(list => list.getEntries().forEach(e => { vitals.largest = e.startTime; vitals.what = named(e.element) })).observe({ type: 'largest-contentful-paint', buffered: true })
            new PerformanceObserver(list => list.getEntries().forEach(e => { if (!e.hadRecentInput) { vitals.shift += e.value; vitals.moved.push(...e.sources.map(one => named(one.node))) } })).observe({ type: 'layout-shift', buffered: true })
            """);
        var page = await context.NewPageAsync();
        if (empty) await page.RouteAsync("**/empty", route => route.FulfillAsync(new() { ContentType = "text/html", Body = "<!doctype html><title>Empty</title><p>Empty</p>" }));
        var devtools = await context.NewCDPSessionAsync(page);
        await devtools.SendAsync("Network.enable");
        await devtools.SendAsync("Network.emulateNetworkConditions", new()
        {
            ["offline"] = false,
            ["latency"] = profile.Latency,
            ["downloadThroughput"] = profile.Megabits * 1e6 / 8,
            ["uploadThroughput"] = profile.Megabits * 1e6 / 16,
        });
        await devtools.SendAsync("Emulation.setCPUThrottlingRate", new() { ["rate"] = profile.Slowdown });
        var bytes = 0.0;
        devtools.Event("Network.loadingFinished").OnEvent += (_, e) => bytes += e!.Value.GetProperty("encodedDataLength").GetDouble();

        await page.GotoAsync(empty ? "/empty" : "/");
        var numbers = 0.0;
        if (!empty)
        {
            await page.GetByRole(AriaRole.List, new() { Name = "Headline numbers" }).Locator(".num").First.WaitForAsync();
            numbers = await page.EvaluateAsync<double>("performance.now()");
            await Assertions.Expect(page.Locator(".skeleton")).ToHaveCountAsync(0);
        }

        // What moves late counts too.
        await page.WaitForTimeoutAsync(1500);
        var taps = empty ? [] : await TapsAsync(page);
        return new Vitals(
            await page.EvaluateAsync<double>("vitals.first"), await page.EvaluateAsync<double>("vitals.largest"), await page.EvaluateAsync<double>("vitals.shift"), numbers, bytes,
            await page.EvaluateAsync<string>("vitals.what"), await page.EvaluateAsync<string[]>("vitals.moved"), taps);
    }

    /// <summary>
    /// What a person taps in the morning, and how long each takes to be answered: as the browser's own event timing has it, whose steps are
    /// eight milliseconds.
    /// </summary>
    private static async Task<IReadOnlyList<Tap>> TapsAsync(IPage page)
    {
        var taps = new List<Tap>();
        async Task TapAsync(string what, ILocator where)
        {
            await where.ScrollIntoViewIfNeededAsync();
            await page.WaitForTimeoutAsync(300);
            await page.EvaluateAsync("() => { vitals.taps.length = 0 }");
            await where.TapAsync();
            await page.WaitForTimeoutAsync(1200);
            // Nothing was noted: it took less than the least that is.
            taps.Add(new Tap(what, await page.EvaluateAsync<double>("Math.max(16, ...vitals.taps)")));
        }

        ILocator Button(string name) => page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
        await TapAsync("7 days", Button("7 days"));
        await TapAsync("menu", Button("Menu"));
        await page.Keyboard.PressAsync("Escape");
        await TapAsync("chart", page.GetByRole(AriaRole.Application).First);
        await TapAsync("table", Button("Show as a table"));
        await TapAsync("a number", page.GetByRole(AriaRole.List, new() { Name = "Headline numbers" }).GetByRole(AriaRole.Link).First);
        return taps;
    }

    private static double Median<T>(List<T> visits, Func<T, double> of) => visits.Select(of).Order().ElementAt(visits.Count / 2);

    /// <param name="Name">What it stands for.</param>
    /// <param name="Latency">Milliseconds added to each request.</param>
    /// <param name="Megabits">Download a second; half of it up.</param>
    /// <param name="Slowdown">How many times slower than this machine the processor is.</param>
    private sealed record Profile(string Name, double Latency, double Megabits, double Slowdown);

    private sealed record Vitals(double FirstPaint, double LargestPaint, double Shift, double Numbers, double Bytes, string Largest,
        string[] Moved, IReadOnlyList<Tap> Taps);

    /// <param name="What">What was tapped.</param>
    /// <param name="Milliseconds">Until the next picture.</param>
    private sealed record Tap(string What, double Milliseconds);
}
