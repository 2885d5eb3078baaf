using Microsoft.Playwright;

namespace KpiDashboard.BrowserTests.App;

/// <summary>The Chromium of this machine. None is downloaded.</summary>
internal static class Chromium
{
    private static readonly string[] s_places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    /// <summary>Where it is.</summary>
    /// <exception cref="InvalidOperationException">Nowhere. The tests then fail with this sentence, on a build server and on a desk alike: a skipped test proves nothing.</exception>
    public static string Find(string? given, Func<string, bool> exists)
    {
        if (!string.IsNullOrWhiteSpace(given))
            return exists(given) ? given : throw new InvalidOperationException($"The environment variable CHROMIUM names {given}, which is not there. Correct it, or unset it and install Chromium with: apt-get install chromium");
        return s_places.FirstOrDefault(exists)
            ?? throw new InvalidOperationException($"The browser tests need Chromium, and none of {string.Join(", ", s_places)} is there. Install it with: apt-get install chromium (or set the environment variable CHROMIUM to the path of a Chromium or Chrome).");
    }

    /// <summary>Starts it without a window.</summary>
    public static Task<IBrowser> LaunchAsync(IPlaywright playwright) => playwright.Chromium.LaunchAsync(new()
    {
        ExecutablePath = Find(Environment.GetEnvironmentVariable("CHROMIUM"), File.Exists),
        Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
}
