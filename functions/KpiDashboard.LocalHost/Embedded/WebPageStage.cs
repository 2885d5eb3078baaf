using System.Globalization;
using KpiDashboard.LocalHost.Startup;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>
/// Builds the web page when its sources changed since the last time, beside the other stages, and says in <see cref="RootKey"/> where it is. Skipped with
/// <c>Web:Skip=true</c>, or when <see cref="RootKey"/> is set already.
/// </summary>
internal sealed class WebPageStage(TimeProvider time) : IStartupStage
{
    /// <summary>Configuration key of the folder that holds the built page.</summary>
    public const string RootKey = "Web:Root";

    /// <summary>Configuration key that, when <c>true</c>, leaves the page out.</summary>
    public const string SkipKey = "Web:Skip";

    private readonly CancellationTokenSource _stop = new();
    private Task _build = Task.CompletedTask;

    public string Name => "Web page";

    public Task StartAsync(StartupContext context, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        if (string.Equals(context.Configuration[SkipKey], "true", StringComparison.OrdinalIgnoreCase))
        {
            context.Console.Done(Name, "left out");
            return Task.CompletedTask;
        }
        if (context.Configuration[RootKey] is { Length: > 0 } given)
        {
            context.Console.Done(Name, $"from {given}");
            return Task.CompletedTask;
        }
        // The lock is in the repository whatever the data directory: two copies with two data directories build the same page.
        var page = new WebPage(
            Path.Combine(context.RepositoryRoot, "static-web"),
            Path.Combine(context.RepositoryRoot, ".local", "web-page.lock"),
            searchPath: null,
            time
        );
        if (!page.Exists)
        {
            context.Console.Done(Name, "left out: there is no static-web/package.json");
            return Task.CompletedTask;
        }
        // It may still be empty when the app starts; a folder that is not there could not be served.
        try
        {
            Directory.CreateDirectory(page.Root);
            context.Configuration[RootKey] = page.Root;
            if (page.IsUpToDate())
            {
                context.Console.Done(Name, $"up to date ({Elapsed(started)})");
                return Task.CompletedTask;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The web page cannot be built: {e.Message} Start with --no-web to do without it.", e);
        }
        _build = Task.Run(
            async () =>
            {
                await page.BuildAsync(text => context.Console.Progress(Name, text), _stop.Token);
                context.Console.Done(Name, $"built ({Elapsed(started)})");
            },
            CancellationToken.None
        );
        return Task.CompletedTask;
    }

    public Task AfterAppStartedAsync(StartupContext context, CancellationToken cancellationToken) => _build.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        // What it failed of, if it did, was said by AfterAppStartedAsync or no longer matters.
        await _build.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private string Elapsed(long started) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.GetElapsedTime(started).TotalSeconds:0.0} s");
}
