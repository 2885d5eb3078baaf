using KpiDashboard.BrowserTests.App;
using Xunit;

namespace KpiDashboard.BrowserTests;

/// <summary>Without a browser these tests fail with a sentence that helps; they are never skipped.</summary>
public sealed class ChromiumTests
{
    [Fact]
    public void The_environment_variable_comes_first() => Assert.Equal("/opt/mine", Chromium.Find("/opt/mine", _ => true));

    [Fact]
    public void The_first_place_that_has_it_is_taken() => Assert.Equal("/usr/bin/chromium-browser", Chromium.Find(null, path => path != "/usr/bin/chromium"));

    [Fact]
    public void None_at_all_says_how_to_install_it() =>
        Assert.Contains("apt-get install chromium", Assert.Throws<InvalidOperationException>(() => Chromium.Find("", _ => false)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_wrong_path_is_named() =>
        Assert.Contains("/opt/gone", Assert.Throws<InvalidOperationException>(() => Chromium.Find("/opt/gone", path => path != "/opt/gone")).Message, StringComparison.Ordinal);
}
