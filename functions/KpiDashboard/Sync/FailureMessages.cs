using System.Text.Json;
using KpiDashboard.Automation;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Security;
using KpiDashboard.Tenancy;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Sync;

/// <summary>
/// Asks a source, one by one, why runs failed that it only listed. Comes after the numbers and apart from them: whatever happens here,
/// they stand, and what could not be asked is asked for
/// the next time.
/// </summary>
internal sealed partial class FailureMessages(Database database, SecretSealer sealer, TimeProvider time, ILogger logger)
{
    /// <summary>So many after a sync, newest first.</summary>
    public const int MostAfterSync = 25;

    /// <summary>So many while somebody looks.</summary>
    public const int MostAtLook = 5;

    /// <summary>A run that could not be told of so often is not asked for again.</summary>
    internal const int MostTries = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Asks for those of one integration; returns how many could be told. Faults of the source are no faults here.</summary>
    public async Task<int> AskAsync(Guid tenantId, Guid integrationId, IRunsConnector connector, int most, CancellationToken cancellationToken)
    {
        var (ids, request) = await database.InTenantAsync(tenantId, async tx =>
        {
            var untold = await RunDetails.UntoldAsync(tx, integrationId, most);
            return (untold, untold.Count == 0 ? null : await LoadRequestAsync(tx, integrationId));
        }, cancellationToken);
        if (request is null) return 0;

        var answers = new List<(string, FailureAnswer)>();
        using var patience = new CancellationTokenSource(Patience, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            foreach (var id in ids)
            {
                var answer = await connector.AskFailureAsync(request, id, limit.Token);
                // Asked too often, or let in no more: that says nothing of this run.
                if (answer.Failure is RateLimited or AuthorizationLost) break;
                answers.Add((id, answer));
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested) { }

        var told = answers.Count(answer => answer.Item2.Message is not null);
        if (answers.Count > 0)
        {
            await database.InTenantAsync(tenantId, async tx =>
            {
                await RunDetails.TellAsync(tx, integrationId, answers, MostTries, time.GetUtcNow());
                if (told > 0) await TenantProfile.BumpVersionAsync(tx);
                return true;
            }, cancellationToken);
        }

        LogAsked(integrationId, answers.Count, told);
        return told;
    }

    /// <summary>What a connector needs to be asked; null where there are no credentials.</summary>
    private async Task<FetchRequest?> LoadRequestAsync(TenantTransaction tx, Guid integrationId)
    {
        var row = await tx.QuerySingleOrDefaultAsync<Row>(
            "select settings::text as Settings, credentials from integrations where tenant_id = @tenant and id = @integrationId and status = 'active'", new { integrationId });
        return row is null ? null : RequestOf(integrationId, row.Settings, row.Credentials, sealer);
    }

    /// <summary>A request that asks for no days.</summary>
    internal static FetchRequest? RequestOf(Guid integrationId, string settings, byte[]? credentials, SecretSealer sealer) => credentials is null ? null : new FetchRequest
    {
        IntegrationId = integrationId,
        Window = new DayWindow(DateOnly.MinValue, DateOnly.MinValue),
        TimeZone = TimeZoneInfo.Utc,
        Settings = Parse(settings),
        Credentials = Parse(sealer.Open(credentials, SyncRunner.CredentialPurpose(integrationId))),
    };

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    [LoggerMessage(3320, LogLevel.Information, "Integration {IntegrationId} was asked why {Asked} runs failed; {Told} could be told")]
    private partial void LogAsked(Guid integrationId, int asked, int told);

    private sealed record Row(string Settings, byte[]? Credentials);
}
