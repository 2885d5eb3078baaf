using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Runtime;
using Microsoft.Extensions.Logging.Abstractions;

namespace KpiDashboard.LocalHost.Startup;

/// <summary>What is started around the app unless a test says otherwise.</summary>
internal static class DefaultStages
{
    /// <summary>The stages in the order they start.</summary>
    public static IList<IStartupStage> Create(LocalHostOptions options) =>
    [
        new WebPageStage(TimeProvider.System),
        new PostgresStage(NullLogger<PostgresStage>.Instance, TimeProvider.System),
        new AzuriteStage(NullLogger<AzuriteStage>.Instance, TimeProvider.System),
        new MailCatcherStage(NullLogger<MailCatcherStage>.Instance, TimeProvider.System),
        new DatabaseStage(),
        new ConnectionsStage(),
        options.Demo ? new DemoStage(TimeProvider.System) : new ReadyStage(),
    ];
}
