using System.Globalization;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>
/// Catches mail on this machine, and says in <see cref="FolderKey"/> where it is kept, unless <c>Mail:Host</c> names a mail server. Left out with
/// <c>Mail:Skip=true</c>.
/// </summary>
/// <remarks>Nothing depends on it: if it cannot start, that is said, and mails wait in the outbox.</remarks>
internal sealed class MailCatcherStage(ILogger<MailCatcherStage> logger, TimeProvider time) : IStartupStage
{
    /// <summary>Configuration key that, when <c>true</c>, leaves the catcher out.</summary>
    public const string SkipKey = "Mail:Skip";

    /// <summary>Configuration key of the folder of caught mails; unset when none are caught.</summary>
    public const string FolderKey = "Embedded:MailFolder";

    private const string HostKey = "Mail:Host";
    private EmbeddedMailCatcher? _catcher;

    public string Name => "Mail";

    public async Task StartAsync(StartupContext context, CancellationToken cancellationToken)
    {
        // Only this stage may say so: whoever could name a folder could have any mail in it shown.
        context.Configuration[FolderKey] = null;
        if (string.Equals(context.Configuration[SkipKey], "true", StringComparison.OrdinalIgnoreCase))
            return;
        if (context.Configuration[HostKey] is { Length: > 0 } host)
        {
            context.Console.Done(Name, $"sent through {host}");
            return;
        }
        var folder = Path.Combine(context.DataDirectory, "mail");
        try
        {
            _catcher = await EmbeddedMailCatcher.StartAsync(
                new EmbeddedMailCatcherOptions
                {
                    DataDirectory = folder,
                    Progress = text => context.Console.Progress(Name, text),
                    Time = time,
                    Logger = logger,
                },
                cancellationToken
            );
        }
        catch (StartupException e)
        {
            context.Console.Done(Name, $"neither sent nor caught, mails wait: {e.Message}");
            return;
        }
        context.Configuration[HostKey] = "127.0.0.1";
        context.Configuration["Mail:Port"] = _catcher.Port.ToString(CultureInfo.InvariantCulture);
        context.Configuration["Mail:Security"] = "None";
        context.Configuration["Mail:UserName"] = "";
        context.Configuration["Mail:Password"] = "";
        if (context.Configuration["Mail:From"] is not { Length: > 0 })
            context.Configuration["Mail:From"] = "no-reply@kpi-dashboard.localhost";
        context.Configuration[FolderKey] = folder;
    }

    public Task AfterAppStartedAsync(StartupContext context, CancellationToken cancellationToken)
    {
        if (_catcher is not null)
            context.Console.Done(Name, $"caught locally; read it at {context.Address?.ToString().TrimEnd('/')}/mail");
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        if (_catcher is not null)
            await _catcher.DisposeAsync();
    }
}
