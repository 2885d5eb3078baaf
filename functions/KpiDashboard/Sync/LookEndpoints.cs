using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Automation;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Security;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Sync;

/// <summary>
/// While somebody has the page of the automations open, what runs now is asked for a little more often than by the schedule: a look is
/// a few requests, and however many people
/// watch, a source is looked at once in a while.
/// </summary>
public sealed partial class LookEndpoints
{
    /// <summary>Nobody looks again before.</summary>
    internal static readonly TimeSpan Every = TimeSpan.FromSeconds(12);

    /// <summary>A source that did not answer is left alone for longer.</summary>
    internal static readonly TimeSpan AfterFailure = TimeSpan.FromMinutes(2);

    /// <summary>Clocks differ, and in queue mode runs are numbered before they start.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Database _database;
    private readonly Dictionary<string, IRunsConnector> _connectors;
    private readonly ProviderCircuits _circuits;
    private readonly SecretSealer _sealer;
    private readonly TimeProvider _time;
    private readonly ILogger<LookEndpoints> _logger;
    private readonly FailureMessages _messages;

    internal LookEndpoints(
        Database database, IEnumerable<IConnector> connectors, ProviderCircuits circuits, SecretSealer sealer, TimeProvider time, ILogger<LookEndpoints> logger)
    {
        (_database, _circuits, _sealer, _time, _logger) = (database, circuits, sealer, time, logger);
        _connectors = connectors.OfType<IRunsConnector>().ToDictionary(connector => connector.Key, StringComparer.Ordinal);
        _messages = new FailureMessages(database, sealer, time, logger);
    }

    /// <summary>
    /// <c>POST automation/look</c>: asks the sources what runs now, unless they were asked a moment ago; says how fresh what is known
    /// is.
    /// </summary>
    public async Task<IResult> LookAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var tenant = request.Caller().TenantId;
        foreach (var due in await _database.InTenantAsync(tenant, tx => TakeAsync(tx, _time.GetUtcNow()), cancellationToken))
            await LookAtAsync(tenant, due, cancellationToken);
        var answer = await _database.InTenantAsync(tenant, async tx => new LookResponse(await tx.QueryAsync<LookedAt>(
            """
            select id as IntegrationId, case when coalesce(settings ->> 'pushOnly', 'false') <> 'true' then greatest(fetched_at, looked_through) end as AsOf
            from integrations where tenant_id = @tenant and connector = any (@connectors) and status <> 'disconnected' order by id
            """, new { connectors = _connectors.Keys.ToArray() })), cancellationToken);
        return new JsonAnswer<LookResponse>(answer, LookJson.Default.LookResponse);
    }

    /// <summary>Takes those whose turn it is, so that nobody else looks at them: connected, read before, and at rest.</summary>
    private Task<IReadOnlyList<Due>> TakeAsync(TenantTransaction tx, DateTimeOffset now) => tx.QueryAsync<Due>(
        """
        update integrations i set looked_at = @now
        from (select id from integrations
              where tenant_id = @tenant and connector = any (@connectors) and status = 'active' and credentials is not null and fetched_at is not null
                and (looked_at is null or looked_at <= @before) and (lease_until is null or lease_until < @now) and consecutive_failures = 0
              for update skip locked) d, tenants t
        where i.tenant_id = @tenant and i.id = d.id and t.id = @tenant
        returning i.id, i.connector, i.settings::text as Settings, i.credentials, greatest(i.fetched_at, i.looked_through) as Known, i.read_from as ReadFrom,
                  safe_zone(coalesce(i.time_zone, t.time_zone)) as Zone
        """,
        new { now, before = now - Every, connectors = _connectors.Keys.ToArray() });

    private async Task LookAtAsync(Guid tenant, Due due, CancellationToken cancellationToken)
    {
        var connector = _connectors[due.Connector];
        var started = _time.GetUtcNow();
        if (FailureMessages.RequestOf(due.Id, due.Settings, due.Credentials, _sealer) is not { } request) return;
        var (provider, look) = (connector.ProviderKey(request.Settings), Guid.CreateVersion7(started));
        var (open, retryAt) = await _database.InTenantAsync(tenant, async tx =>
            (await AutomationWriter.UnfinishedAsync(tx, due.Id), await ProviderCircuits.AdmitAsync(tx, provider, look, started)), cancellationToken);
        // Everybody's trouble is known: a look needs not find it out again.
        if (retryAt is not null) return;

        var buffer = new FetchBuffer();
        LookOutcome outcome;
        using var patience = new CancellationTokenSource(Patience, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            outcome = await connector.LookAsync(request with { UnfinishedExecutions = open }, due.Known - Overlap, buffer, limit.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            outcome = new LookOutcome(new ProviderDown($"{connector.DisplayName} did not answer in time."), false);
        }

        // What is wrong is for the schedule to find out and to say; here nothing is known, and it is not asked again so soon.
        var rest = outcome.Failure switch { null => (TimeSpan?)null, RateLimited limited => limited.Until - started, _ => AfterFailure };
        if (rest is not null) LogFailed(due.Id, outcome.Failure!.GetType().Name);
        // Should it have been the one that tries whether a provider is back, then it is, or the next may try.
        if (rest is null) await _circuits.AnsweredAsync(provider, cancellationToken);
        else await _circuits.ReleaseAsync(provider, look, cancellationToken);
        await _database.InTenantAsync(tenant, tx => WriteAsync(tx, due, outcome, rest, buffer, started), cancellationToken);
        if (rest is null) await _messages.AskAsync(tenant, due.Id, connector, FailureMessages.MostAtLook, cancellationToken);
    }

    private async Task<bool> WriteAsync(TenantTransaction tx, Due due, LookOutcome outcome, TimeSpan? rest, FetchBuffer buffer, DateTimeOffset started)
    {
        var now = _time.GetUtcNow();
        // A sync that writes holds this row, too; and one that was disconnected meanwhile has nothing to be written to.
        if (await tx.QuerySingleOrDefaultAsync<bool>("select true from integrations where tenant_id = @tenant and id = @Id and status = 'active' for update", new { due.Id }) == false) return false;
        if (rest is { } pause)
        {
            await tx.ExecuteAsync("update integrations set looked_at = @next where tenant_id = @tenant and id = @Id", new { due.Id, next = now + pause - Every });
            return false;
        }

        var before = await KnownAsync(tx, due.Id, buffer);
        await AutomationWriter.WriteExecutionsAsync(tx, due.Id, buffer.Executions);
        if (outcome.IsWhole)
            await tx.ExecuteAsync("update integrations set looked_through = greatest(looked_through, @started) where tenant_id = @tenant and id = @Id", new { due.Id, started });
        var after = await KnownAsync(tx, due.Id, buffer);
        var changed = after.Except(before).ToList();
        if (changed.Count == 0) return false;

        // Days are added up of lists that were read to the end, and only those that were added up before.
        if (outcome.IsWhole && due.ReadFrom is { } readFrom)
        {
            var zone = TimeZoneNames.Of(due.Zone);
            var readings = await AutomationWriter.RollUpAsync(
                tx, due.Id, zone.Id, [.. SyncRunner.Ranges(changed.Select(run => LocalDay.Of(run.StartedAt, zone)).Where(day =>
                    day >= readFrom))]);
            await KpiWriter.WriteAsync(tx, readings, due.Id, null, LocalDay.Of(now, zone), now);
        }

        await TenantProfile.BumpVersionAsync(tx);
        return true;
    }

    private static async Task<IReadOnlyList<Known>> KnownAsync(TenantTransaction tx, Guid integration, FetchBuffer buffer) => await tx.QueryAsync<Known>(
        """
        select execution_id as Id, status, waiting, stopped_at as StoppedAt, started_at as StartedAt, retried_by as RetriedBy
        from executions where tenant_id = @tenant and integration_id = @integration and execution_id = any (@ids)
        """,
        new { integration, ids = buffer.Executions.Select(execution => execution.ExecutionId).ToArray() });

    [LoggerMessage(3330, LogLevel.Information, "A look at integration {IntegrationId} ended as {Outcome}")]
    private partial void LogFailed(Guid integrationId, string outcome);

    private sealed record Due(Guid Id, string Connector, string Settings, byte[] Credentials, DateTimeOffset Known, DateOnly? ReadFrom, string Zone);

    private sealed record Known(string Id, string Status, bool Waiting, DateTimeOffset? StoppedAt, DateTimeOffset StartedAt, string? RetriedBy);
}

/// <summary>How fresh is what is known of runs.</summary>
/// <param name="Sources">By source.</param>
internal sealed record LookResponse(IReadOnlyList<LookedAt> Sources);

/// <summary>Up to when every run of a source that began is known; null if it was never read, or tells by itself.</summary>
internal sealed record LookedAt(Guid IntegrationId, DateTimeOffset? AsOf);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LookResponse))]
internal sealed partial class LookJson : JsonSerializerContext;
