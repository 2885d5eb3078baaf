using Microsoft.Extensions.Logging;
using Npgsql;

namespace KpiDashboard.Data;

/// <summary>
/// Does something for many businesses, one after the other, so that what goes wrong with one of them never keeps the others waiting. It is noted by name for operators
/// (<c>ops/faults</c>, table <c>tenant_faults</c>) until the same step goes well for that business, or an operator clears it.
/// </summary>
internal sealed partial class TenantFaults(Database database, TimeProvider time, ILogger<TenantFaults> logger)
{
    /// <summary>How often an item is tried whose transaction Postgres ended to resolve a deadlock.</summary>
    private const int Tries = 3;

    /// <summary>Runs <paramref name="work"/> for each item until it returns false.</summary>
    /// <param name="step">What is done, in words: the name that operators see.</param>
    /// <param name="items">What it is done for.</param>
    /// <param name="place">The business of an item, and the integration or other part of it; null for all of it.</param>
    /// <param name="work">Returns whether to go on with the next.</param>
    /// <param name="cancellationToken">Stops at once; that is nobody's fault.</param>
    /// <exception cref="Exception">What went wrong could not even be noted: the database is away, and that is nobody's own fault.</exception>
    public async Task ForEachAsync<T>(
        string step, IReadOnlyList<T> items, Func<T, (Guid Tenant, Guid? Subject)> place, Func<T, Task<bool>> work, CancellationToken cancellationToken)
    {
        var served = new List<(Guid Tenant, Guid? Subject)>(items.Count);
        foreach (var item in items)
        {
            var (tenant, subject) = place(item);
            try
            {
                var goOn = await AgainWhenTornAsync(() => work(item), cancellationToken);
                served.Add((tenant, subject));
                if (!goOn) break;
            }
#pragma warning disable CA1031 // Whatever it is: the other businesses have nothing to do with it.
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                await NoteAsync(tenant, step, subject, error, cancellationToken);
            }
        }

        await SettleAsync(step, served, cancellationToken);
    }

    /// <summary>
    /// Two transactions that waited for each other are nobody's fault: Postgres ended one of them whole, and by now the other one is done.
    /// </summary>
    private static async Task<bool> AgainWhenTornAsync(Func<Task<bool>> work, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await work();
            }
            catch (PostgresException error) when (
                error.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure && attempt < Tries)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>Notes what went wrong with a business.</summary>
    public async Task NoteAsync(Guid tenant, string step, Guid? subject, Exception error, CancellationToken cancellationToken)
    {
        LogFault(error, step, tenant);
        await database.ExecuteAsync(
            "select note_tenant_fault(@tenant, @step, @subject, @reason, @now)",
            new { tenant, step, subject = subject?.ToString("D"), reason = Reason(error), now = time.GetUtcNow() }, cancellationToken);
    }

    /// <summary>The step went well for these: what was noted of it is over.</summary>
    public async Task SettleAsync(string step, IReadOnlyCollection<(Guid Tenant, Guid? Subject)> served, CancellationToken cancellationToken)
    {
        if (served.Count == 0) return;
        await database.ExecuteAsync(
            "select settle_tenant_faults(@step, @tenants, @subjects)",
            new { step, tenants = served.Select(place => place.Tenant).ToArray(), subjects = served.Select(place => place.Subject?.ToString("D")).ToArray() }, cancellationToken);
    }

    /// <summary>What is told of an exception: the server's own words have no values of rows in them, those of others might.</summary>
    private static string Reason(Exception error) => error switch
    {
        PostgresException refused => $"The database refused: {refused.MessageText} ({refused.SqlState})",
        NpgsqlException or TimeoutException => "The database did not answer in time.",
        _ => $"A fault of the kind {error.GetType().Name}; the log has more.",
    };

    [LoggerMessage(2101, LogLevel.Error, "{Step} failed for business {Tenant}; the others are served")]
    private partial void LogFault(Exception error, string step, Guid tenant);
}
