namespace KpiDashboard.Sync;

/// <summary>Something that is to be done at every tick of the timer, after what is due was claimed. Slices register their own.</summary>
internal interface ITickStep
{
    /// <summary>Does it. What fails does not keep the other steps from being done, and is thrown once they are.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
