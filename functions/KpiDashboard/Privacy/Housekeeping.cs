using KpiDashboard.Data;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Privacy;

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
