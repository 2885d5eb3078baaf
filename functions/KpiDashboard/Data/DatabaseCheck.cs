using KpiDashboard.Api;
using Npgsql;

namespace KpiDashboard.Data;

/// <summary>Whether the database answers, and is one that this build can serve.</summary>
internal sealed class DatabaseCheck(Func<NpgsqlDataSource> source) : IReadinessCheck
{
    /// <inheritdoc />
    public bool IsLocal => false;

    /// <inheritdoc />
    public async Task<string?> FindObstacleAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await DatabaseBootstrap.FindObstacleAsync(source(), cancellationToken);
        }
        catch (Exception error) when (error is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            return "The database does not answer.";
        }
    }
}
