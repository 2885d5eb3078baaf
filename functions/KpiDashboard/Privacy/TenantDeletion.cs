using KpiDashboard.Data;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Privacy;

/// <summary>
/// Deletes businesses whose time of grace is over, each in one transaction (function <c>delete_tenant</c>): every row of it, and the accounts that belonged to no
/// other business. A sync or an export that is at work finds its row gone and drops what it has.
/// </summary>
internal sealed partial class TenantDeletion(Database database, TenantFaults faults, TimeProvider time, ILogger<TenantDeletion> logger) : IHousekeeping
{
    private const int Batch = 100;

    /// <inheritdoc />
    public string Name => "deleted businesses";

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var due = await database.QueryAsync<Guid>("select list_due_deletions(@now, @limit)", new { now = time.GetUtcNow(), limit = Batch }, cancellationToken);
        // A deadlock with a sync, for example, is noted with that business, and the next hour tries again.
        await faults.ForEachAsync("deletion", due, tenant => (tenant, null), async tenant =>
        {
            if ((await database.QueryAsync<bool>("select delete_tenant(@tenant, @now)", new { tenant, now = time.GetUtcNow() }, cancellationToken))[0]) LogDeleted(tenant);
            return true;
        }, cancellationToken);
    }

    [LoggerMessage(4011, LogLevel.Information, "Business {Tenant} is deleted for good")]
    private partial void LogDeleted(Guid tenant);
}
