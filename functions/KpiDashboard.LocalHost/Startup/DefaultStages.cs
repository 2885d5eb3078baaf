using KpiDashboard.LocalHost.Runtime;

namespace KpiDashboard.LocalHost.Startup;

/// <summary>What is started around the app unless a test says otherwise.</summary>
internal static class DefaultStages
{
    /// <summary>The stages in the order they start.</summary>
    public static IList<IStartupStage> Create(LocalHostOptions options)
    {
        _ = options;
        return [];
    }
}
