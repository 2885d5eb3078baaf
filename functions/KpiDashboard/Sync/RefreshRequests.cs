using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using KpiDashboard.Api;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Sync;

/// <summary>Asks for a sync now: by a button, by a machine.</summary>
internal sealed class RefreshRequests(Database database, SyncScheduler scheduler, IEnumerable<IConnector> connectors, TimeProvider time)
{
    /// <summary>An idempotency key is remembered for this long.</summary>
    public static readonly TimeSpan IdempotencyTime = TimeSpan.FromHours(24);

    /// <summary>Keys of the connectors there are.</summary>
    private readonly HashSet<string> _connectors = connectors.Select(connector => connector.Key).ToHashSet(StringComparer.Ordinal);

    /// <summary>
    /// Queues a run for each active integration, or answers with the live run where there is one. With a key that was used in the last 24 hours: answers
    /// with the runs of then and starts nothing.
    /// </summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="wanted">Connectors to refresh; null for all.</param>
    /// <param name="trigger"><c>manual</c> or <c>webhook</c>.</param>
    /// <param name="idempotencyKey">Null for none.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <param name="admit">Asked before anything is started, not for a request that is answered from memory; what it raises ends the request.</param>
    public async Task<IReadOnlyList<RunEntry>> StartAsync(
        Guid tenantId, IReadOnlyList<string>? wanted, string trigger, string? idempotencyKey, CancellationToken cancellationToken, Func<Task>? admit = null)
    {
        // A null in the list of a request passes the serializer.
        if (wanted?.Where(key => !_connectors.Contains(key)).Select(key => key ?? "null").FirstOrDefault() is { } unknown)
            throw ApiProblem.Invalid("connectors", $"There is no connector '{(unknown.Length <= 40 ? unknown : unknown[..40] + "…")}'; there are {string.Join(", ", _connectors.Order())}.");
        var now = time.GetUtcNow();
        var (runs, fresh) = await database.InTenantAsync(tenantId, async tx =>
        {
            if (idempotencyKey is not null)
            {
                await tx.ExecuteAsync("delete from idempotency_keys where tenant_id = @tenant and created_at < @oldest", new { oldest = now - IdempotencyTime });
                // Two requests with one key at once: the second waits here for the first, then finds its runs.
                var isFirst = await tx.ExecuteAsync(
                    "insert into idempotency_keys (tenant_id, key, run_ids, created_at) values (@tenant, @key, '{}', @now) on conflict do nothing",
                    new { key = idempotencyKey, now });
                if (isFirst == 0) return (await RunsOfKeyAsync(tx, idempotencyKey), []);
            }

            if (admit is not null) await admit();
            var started = await tx.QueryAsync<DueRun>(
                """
                insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, traceparent, queued_at, updated_at)
                select i.tenant_id, gen_random_uuid(), i.id, i.connector, @trigger, 'queued', @traceparent, @now, @now
                from integrations i
                where i.tenant_id = @tenant and i.status = 'active' and i.settings ->> 'pushOnly' is distinct from 'true' and (@wanted::text[] is null or i.connector = any (@wanted))
                on conflict do nothing
                returning id as RunId, tenant_id as TenantId, integration_id as IntegrationId, connector, step, traceparent
                """,
                new { trigger, traceparent = Activity.Current?.Id, now, wanted = wanted?.ToArray() });
            var live = await tx.QueryAsync<RunEntry>(
                """
                select r.id, r.integration_id as IntegrationId, r.connector, r.status
                from sync_runs r join integrations i on i.tenant_id = r.tenant_id and i.id = r.integration_id
                where r.tenant_id = @tenant and r.status in ('queued', 'running', 'waiting') and (@wanted::text[] is null or r.connector = any (@wanted))
                order by r.connector
                """,
                new { wanted = wanted?.ToArray() });
            if (idempotencyKey is not null)
                await tx.ExecuteAsync("update idempotency_keys set run_ids = @ids where tenant_id = @tenant and key = @key", new { ids = live.Select(run => run.Id).ToArray(), key = idempotencyKey });
            if (started.Count > 0) await TenantProfile.BumpVersionAsync(tx);
            return (live, started);
        }, cancellationToken);

        // After the commit: a run without a message is found by the sweeper, a message without a run would be lost work.
        await scheduler.EnqueueAsync(fresh, cancellationToken);
        return runs;
    }

    private static Task<IReadOnlyList<RunEntry>> RunsOfKeyAsync(TenantTransaction tx, string key) => tx.QueryAsync<RunEntry>(
        """
        select r.id, r.integration_id as IntegrationId, r.connector, r.status
        from idempotency_keys k join sync_runs r on r.tenant_id = k.tenant_id and r.id = any (k.run_ids)
        where k.tenant_id = @tenant and k.key = @key
        order by r.connector
        """,
        new { key });
}

/// <summary>A run in a list.</summary>
/// <param name="Id">The run.</param>
/// <param name="IntegrationId">What it reads.</param>
/// <param name="Connector">By which connector.</param>
/// <param name="Status"><c>queued</c>, <c>running</c>, <c>waiting</c>, <c>succeeded</c>, <c>failed</c> or <c>dead</c>.</param>
internal sealed record RunEntry(
    Guid Id, Guid IntegrationId, string Connector,
    [property: AllowedValues("queued", "running", "waiting", "succeeded", "failed", "dead")] string Status);
