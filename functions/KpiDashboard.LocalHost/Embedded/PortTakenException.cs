using KpiDashboard.LocalHost.Startup;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>Another program has the port that a server was to use.</summary>
internal sealed class PortTakenException(string message) : Exception(message)
{
    private const int Tries = 3;

    /// <summary>Starts something, and again if its port was taken: a free port may be taken by the time it is used, and our own old one may be let go in a moment.</summary>
    /// <exception cref="StartupException">The port was taken every time.</exception>
    public static async Task RetryAsync(Func<Task> start, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await start();
                return;
            }
            catch (PortTakenException e)
            {
                if (attempt == Tries)
                    throw new StartupException(e.Message, e);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(250), time, cancellationToken);
        }
    }
}
