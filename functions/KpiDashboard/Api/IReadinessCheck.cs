namespace KpiDashboard.Api;

/// <summary>Something without which no request can be served. Slices register their own; <c>GET health/ready</c> asks them all.</summary>
internal interface IReadinessCheck
{
    /// <summary>It only looks at the settings, and is asked before those that ask others.</summary>
    bool IsLocal { get; }

    /// <summary>What is in the way, in a sentence; null when nothing is.</summary>
    Task<string?> FindObstacleAsync(CancellationToken cancellationToken);
}

/// <summary>A setting that must be there.</summary>
internal sealed class SettingCheck(Func<bool> isThere, string otherwise) : IReadinessCheck
{
    /// <inheritdoc />
    public bool IsLocal => true;

    /// <inheritdoc />
    public Task<string?> FindObstacleAsync(CancellationToken cancellationToken) => Task.FromResult(isThere() ? null : otherwise);
}
