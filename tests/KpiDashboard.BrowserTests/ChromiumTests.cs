using KpiDashboard.BrowserTests.App;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Playwright;
using Xunit;

namespace KpiDashboard.BrowserTests;

/// <summary>How these tests come by a browser on a machine of any kind. Without one they fail with a sentence that helps; they are never skipped.</summary>
public sealed class ChromiumTests
{
    [Fact]
    public void The_environment_variable_names_it() => Assert.Equal("/opt/mine", Chromium.Given(Machine("linux", ["/opt/mine"], ("CHROMIUM", "/opt/mine"))));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    public void An_empty_variable_names_none(string? value) => Assert.Null(Chromium.Given(Machine("linux", ["/usr/bin/chromium"], ("CHROMIUM", value))));

    [Fact]
    public void A_wrong_path_is_named_and_no_other_browser_is_taken_for_it() =>
        Assert.Contains("/opt/gone", Assert.Throws<InvalidOperationException>(() => Chromium.Given(Machine("linux", ["/usr/bin/chromium"], ("CHROMIUM", "/opt/gone")))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("linux", "/usr/bin/chromium")]
    [InlineData("linux", "/usr/bin/chromium-browser")]
    [InlineData("linux", "/snap/bin/chromium")]
    [InlineData("linux", "/usr/bin/google-chrome")]
    [InlineData("linux", "/opt/google/chrome/chrome")]
    [InlineData("linux", "/usr/bin/microsoft-edge")]
    [InlineData("linux", "/nix/profile/bin/google-chrome-stable")]
    [InlineData("macos", "/Applications/Chromium.app/Contents/MacOS/Chromium")]
    [InlineData("macos", "/Users/ada/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")]
    [InlineData("macos", "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge")]
    [InlineData("windows", @"C:\Program Files\Google\Chrome\Application\chrome.exe")]
    [InlineData("windows", @"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe")]
    [InlineData("windows", @"C:\Users\ada\AppData\Local\Chromium\Application\chrome.exe")]
    public void One_that_is_installed_is_found_where_its_system_puts_it(string system, string path) => Assert.Equal([path], Chromium.Installed(Machine(system, [path])));

    [Theory]
    [InlineData("linux", "/usr/bin/microsoft-edge", "/usr/bin/google-chrome", "/usr/bin/chromium")]
    [InlineData("macos", "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")]
    [InlineData("windows", @"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe", @"C:\Program Files\Google\Chrome\Application\chrome.exe")]
    public void Of_several_Chromium_comes_before_Chrome_and_Edge_last(string system, params string[] there) =>
        Assert.Equal(there.Reverse(), Chromium.Installed(Machine(system, there)));

    [Theory]
    [InlineData("linux")]
    [InlineData("macos")]
    [InlineData("windows")]
    public void Where_none_is_installed_none_is_found(string system) => Assert.Empty(Chromium.Installed(Machine(system, [])));

    [Fact]
    public async Task The_one_that_is_fetched_shows_a_page_on_a_machine_that_has_none()
    {
        if (!OperatingSystem.IsLinux() || System.Runtime.InteropServices.RuntimeInformation.OSArchitecture != System.Runtime.InteropServices.Architecture.X64)
        {
            var refused = await Assert.ThrowsAsync<StartupException>(() => Chromium.FetchAsync(TestContext.Current.CancellationToken));
            Assert.Contains("no package has a browser for", refused.Message, StringComparison.Ordinal);
            return;
        }

        using var playwright = await Playwright.CreateAsync();
        // As it is, and with the libraries that it brings.
        foreach (var fetched in await Chromium.FetchAsync(TestContext.Current.CancellationToken))
        {
            await using var browser = await Chromium.StartAsync(playwright, fetched);
            var page = await browser.NewPageAsync();
            await page.SetContentAsync("<h1 style='font-family: sans-serif; display: inline-block'>Numbers</h1>");
            Assert.StartsWith("153.", browser.Version, StringComparison.Ordinal);
            // Fonts are there: letters have a width.
            Assert.True(await page.EvaluateAsync<double>("document.querySelector('h1').offsetWidth") > 50);
        }
    }

    private static BrowserMachine Machine(string system, string[] files, params (string Name, string? Value)[] variables)
    {
        var known = variables.Concat(
        [
            ("PATH", "/usr/local/bin:/usr/bin:/nix/profile/bin"), ("HOME", "/Users/ada"), ("ProgramFiles", @"C:\Program Files"),
            ("ProgramFiles(x86)", @"C:\Program Files (x86)"), ("LocalAppData", @"C:\Users\ada\AppData\Local"),
        ]).ToDictionary(variable => variable.Item1, variable => variable.Item2);
        return new(system, known.GetValueOrDefault, files.Contains);
    }
}
