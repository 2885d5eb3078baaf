using KpiDashboard.Automation;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using KpiDashboard.Sync;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Insights;

/// <summary>
/// The scores that lists of businesses show. Each needs fourteen weeks of days, so that they are worked out by the timer after a business
/// changed, by the same code as the overview's, and kept.
/// </summary>
internal sealed class HealthScores(Database database, TenantFaults faults, TimeProvider time) : ITickStep
{
    /// <summary>What operators see of a business whose score cannot be worked out.</summary>
    internal const string Step = "health score";

    /// <summary>Worked out again after so long although nothing changed: days pass, and sources fall silent.</summary>
    internal static readonly TimeSpan Old = TimeSpan.FromHours(1);

    /// <summary>Of one tick; what is left is done at the next, longest ago first.</summary>
    private const int Most = 2_000;

    /// <summary>A tick gives them so long: what is left is due at the next.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <inheritdoc />
    public Task RunAsync(CancellationToken cancellationToken) => RefreshAsync(cancellationToken);

    /// <summary>Works out what is due; how many were.</summary>
    public async Task<int> RefreshAsync(CancellationToken cancellationToken)
    {
        var (now, started, done) = (time.GetUtcNow(), time.GetTimestamp(), 0);
        var due = await database.QueryAsync<Guid>(
            "select scores_due(@now, @old, @limit)", new { now, old = now - Old, limit = Most }, cancellationToken);
        await faults.ForEachAsync(Step, due, tenant => (tenant, null), async tenant =>
        {
            await database.InTenantAsync(tenant, tx => KeepAsync(tx, now), cancellationToken);
            done++;
            return time.GetElapsedTime(started) < Limit;
        }, cancellationToken);
        return done;
    }

    private static async Task KeepAsync(TenantTransaction tx, DateTimeOffset now)
    {
        if (await TenantProfile.LoadAsync(tx) is not { } tenant) return;
        var sources = await SourceState.LoadAsync(tx, tenant, now);
        var day = Period.Anchor(LocalDay.Of(now, tenant.Zone), SourceState.PeriodThrough(sources));
        var table = await KpiTable.LoadAsync(tx, [HealthScore.Kpi], day, day, SourceState.Clocks(sources), tenant.Economics);
        var failing = await WorkflowFailures.LoadAsync(tx, day.AddDays(-6), day, null);
        // Whoever holds the row is changing something, and the business is due again.
        await tx.ExecuteAsync(
            """
            update tenants set health_score = @score, health_day = @day, health_version = @version, health_at = @now,
                failing_workflows = @failing, failing_workflow = left(@name, 1000), failing_since = @since
            where id = (select id from tenants where id = @tenant for update skip locked)
            """,
            new
            {
                score = (short?)table.On(HealthScore.Kpi, day),
                day,
                version = tenant.DataVersion,
                now,
                failing = (short)failing.Count,
                name = failing.Count > 0 ? failing[0].Name : null,
                since = failing.Count > 0 ? failing[0].Since : (DateOnly?)null,
            });
    }
}
