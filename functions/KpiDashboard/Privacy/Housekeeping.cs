using Microsoft.Extensions.Logging;

namespace KpiDashboard.Privacy;

/// <summary>Something that is to be done about once an hour, and can be left to the next hour. Slices register their own.</summary>
internal interface IHousekeeping
{
    /// <summary>What it looks after, for the log.</summary>
    string Name { get; }

    /// <summary>Does it. Called by several instances at once at times.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}

/// <summary>A step that needs no class of its own.</summary>
internal sealed class HousekeepingStep(string name, Func<CancellationToken, Task> run) : IHousekeeping
{
    /// <inheritdoc />
    public string Name => name;

    /// <inheritdoc />
    public Task RunAsync(CancellationToken cancellationToken) => run(cancellationToken);
}

/// <summary>What the hourly timer does: each step, whatever became of the others.</summary>
public sealed partial class Housekeeping
{
    private readonly IHousekeeping[] _steps;
    private readonly ILogger<Housekeeping> _logger;

    internal Housekeeping(IEnumerable<IHousekeeping> steps, ILogger<Housekeeping> logger) => (_steps, _logger) = ([.. steps], logger);

    /// <summary>One round.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var step in _steps)
        {
            try
            {
                await step.RunAsync(cancellationToken);
            }
#pragma warning disable CA1031 // Whatever it is: the next step has nothing to do with it, and the next hour tries again.
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogFailed(error, step.Name);
            }
        }
    }

    [LoggerMessage(4001, LogLevel.Error, "Housekeeping of {Step} failed; it is tried again in an hour")]
    private partial void LogFailed(Exception error, string step);
}
