using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Azure;
using Azure.Identity;
using KpiDashboard.Api;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Operations.Backups;
using KpiDashboard.Sources;
using KpiDashboard.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Operations;

/// <summary>How the installation is, across tenants, for operators. Nothing here names a person or a business, or shows the value of a setting.</summary>
public sealed partial class OpsEndpoints
{
    /// <summary>
    /// States that <c>ops/integrations</c> tells apart; see the function <c>integration_state</c>. <c>silent</c>, which is read on time and
    /// lacks days, is judged as for owners (<see cref="SourceFreshness"/>).
    /// </summary>
    internal static readonly string[] States = ["active", "failing", "overdue", "silent", "paused", "reconnect_needed", "disconnected"];

    /// <summary>Of more the rest is told as active.</summary>
    private const int MaxSilent = 5_000;

    private static readonly TimeSpan QueueLimit = TimeSpan.FromSeconds(5);

    private readonly Database _database;
    private readonly StorageQueues _queues;
    private readonly IConfiguration _configuration;
    private readonly string[] _connectors;
    private readonly TenantHash _tenants;
    private readonly TimeProvider _time;
    private readonly ILogger<OpsEndpoints> _logger;

    internal OpsEndpoints(
        Database database, StorageQueues queues, IConfiguration configuration, IEnumerable<IConnector> connectors, TenantHash tenants, TimeProvider time,
        ILogger<OpsEndpoints> logger)
    {
        (_database, _queues, _configuration, _tenants, _time, _logger) = (database, queues, configuration, tenants, time, logger);
        _connectors = [.. connectors.Select(connector => connector.Key).Order(StringComparer.Ordinal)];
    }

    /// <summary><c>GET ops/overview</c>. Queues are left out, and why is said, where the storage account does not answer.</summary>
    public async Task<IResult> OverviewAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        var now = _time.GetUtcNow();
        var state = WithSilent(await StateAsync(_database, now, cancellationToken), await SilentAsync(now, cancellationToken));
        var (queues, problem) = await QueuesAsync(cancellationToken);
        return new JsonAnswer<OverviewResponse>(
            new OverviewResponse(
                now, state.Tenants, state.Faults, state.Integrations, state.Runs, state.Live, state.DeadLetters, state.Circuits, state.OldestDueAt, state.TimerAt, state.Mails, state.LastBackup, queues, problem),
            OpsJson.Default.OverviewResponse);
    }

    /// <summary><c>GET ops/integrations</c>, by id.</summary>
    public async Task<IResult> IntegrationsAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request);
        var state = query.Text("state") is null ? null : query.Choice("state", States);
        var connector = query.Text("connector") is null ? null : query.Choice("connector", _connectors);
        var limit = query.Number("limit", 50, 1, 200);
        var after = query.Id("cursor");
        query.ThrowIfInvalid();
        var now = _time.GetUtcNow();
        var silent = (await SilentAsync(now, cancellationToken)).Select(source => source.Id).ToArray();
        var found = await _database.QueryAsync<OpsIntegration>(
            """
            select tenant_id as TenantId, null::text as TenantHash, integration_id as IntegrationId, connector, state, schedule, next_due_at as NextDueAt, fetched_at as FetchedAt,
                   complete_through as CompleteThrough, failures, last_run as LastRunId, last_status as LastRunStatus, last_queued_at as LastRunAt, traceparent
            from ops_integrations_judged(@now, @state, @connector, @after, @limit + 1, @silent)
            """,
            new { now, state, connector, after, limit, silent }, cancellationToken);
        var page = found.Take(limit).Select(row => row with { TenantHash = _tenants.Of(row.TenantId) }).ToList();
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<OpsIntegrationsResponse>(
            new OpsIntegrationsResponse(page, found.Count > limit ? page[^1].IntegrationId.ToString("D") : null), OpsJson.Default.OpsIntegrationsResponse);
    }

    /// <summary><c>GET ops/faults</c>: what went wrong with single businesses while the others were served, newest first.</summary>
    public async Task<IResult> FaultsAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request);
        var limit = query.Number("limit", 50, 1, 200);
        query.ThrowIfInvalid();
        var found = await _database.QueryAsync<OpsFault>(
            """
            select tenant_id as TenantId, null::text as TenantHash, step, nullif(subject, '') as Subject, reason, first_at as FirstAt, last_at as LastAt, times
            from list_tenant_faults(@limit)
            """,
            new { limit }, cancellationToken);
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<OpsFaultsResponse>(
            new OpsFaultsResponse([.. found.Select(row => row with { TenantHash = _tenants.Of(row.TenantId) })]), OpsJson.Default.OpsFaultsResponse);
    }

    /// <summary><c>POST ops/faults/clear</c>: an operator has seen it. What is still so comes back within minutes.</summary>
    public async Task<IResult> ClearFaultsAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, OpsJson.Default.ClearFaultsRequest, cancellationToken))!;
        if (body.Step is { Length: 0 or > 60 }) throw ApiProblem.Invalid("step", "'step' must be a step as ops/faults names it, or null for all of the business.");
        var cleared = (await _database.QueryAsync<int>("select clear_tenant_faults(@TenantId, @Step)", new { body.TenantId, body.Step }, cancellationToken))[0];
        if (cleared > 0) LogCleared(body.TenantId, cleared);
        return new JsonAnswer<ClearFaultsResponse>(new ClearFaultsResponse(cleared), OpsJson.Default.ClearFaultsResponse);
    }

    /// <summary><c>GET ops/host</c>: the instance that answers.</summary>
    public async Task<IResult> HostAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        var applied = await _database.QueryAsync<(string Script, DateTime At)>("select scriptname, applied from schema_versions order by scriptname", new { }, cancellationToken);
        using var process = Process.GetCurrentProcess();
        var (version, commit) = Backup.ProductVersion.Split('+', 2) is [var number, var hash] ? (number, hash) : (Backup.ProductVersion, null);
        return new JsonAnswer<OpsHostResponse>(
            new OpsHostResponse(
                version, commit, RuntimeInformation.FrameworkDescription, RuntimeInformation.RuntimeIdentifier, new DateTimeOffset(process.StartTime).ToUniversalTime(),
                _configuration["WEBSITE_INSTANCE_ID"] is { Length: > 0 } instance ? instance[..Math.Min(12, instance.Length)] : Environment.MachineName,
                [.. KnownSettings.All.Select(setting => new OpsSetting(setting.Name, setting.IsSet(_configuration), setting.Required, setting.For))],
                [.. applied.Select(row => new OpsMigration(BackupManifest.Short(row.Script), new DateTimeOffset(DateTime.SpecifyKind(row.At, DateTimeKind.Utc))))],
                DatabaseBootstrap.ScriptNames().Except(applied.Select(row => row.Script), StringComparer.Ordinal).Count()),
            OpsJson.Default.OpsHostResponse);
    }

    /// <summary>What the database knows of the state.</summary>
    internal static async Task<OpsState> StateAsync(Database database, DateTimeOffset now, CancellationToken cancellationToken) =>
        JsonSerializer.Deserialize((await database.QueryAsync<string>("select ops_overview(@now)::text", new { now }, cancellationToken))[0], OpsJson.Default.OpsState)
        ?? throw new InvalidOperationException("ops_overview answered null.");

    /// <summary>Sources that are read on time and lack days that they should have, of all businesses.</summary>
    private async Task<IReadOnlyList<SourceState>> SilentAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var found = await _database.QueryAsync<MaybeSilent>(
            """
            select id, connector, state, schedule, fetched_at as FetchedAt, complete_through as CompleteThrough,
                   consecutive_failures as Failures, zone, days_known as DaysKnown, known_from as KnownFrom, backfilled_at as BackfilledAt
            from ops_maybe_silent(@now, @connectors, @pulses, @MaxSilent)
            """,
            new { now, connectors = SourceState.PulseConnectors, pulses = SourceState.PulseKeys, MaxSilent }, cancellationToken);
        return [.. found.Select(source => source.ToState(now)).Where(source => source.IsSilent)];
    }

    /// <summary>Counts what is silent apart from what is well. What is overdue besides is called that.</summary>
    private static OpsState WithSilent(OpsState state, IReadOnlyList<SourceState> silent)
    {
        if (silent.Count == 0) return state;
        var counts = new List<OpsStateCount>();
        foreach (var count in state.Integrations)
        {
            var quiet = count.State == "active" ? Math.Min(count.Count, silent.LongCount(source => source.Connector == count.Connector))
                : 0;
            if (count.Count > quiet) counts.Add(count with { Count = count.Count - quiet });
            if (quiet > 0) counts.Add(new OpsStateCount(count.Connector, "silent", quiet));
        }

        return state with { Integrations = counts };
    }

    /// <summary>What the judgement of a source needs.</summary>
    private sealed record MaybeSilent(
        Guid Id, string Connector, string State, string Schedule, DateTimeOffset? FetchedAt, DateOnly? CompleteThrough, int Failures,
        string? Zone, int? DaysKnown, DateOnly? KnownFrom, DateTimeOffset? BackfilledAt)
    {
        public SourceState ToState(DateTimeOffset now) => new(
            Id, Connector, Connector, State, null, Schedule, FetchedAt, CompleteThrough, null, null, null, Failures, null, null, false,
                null, now,
            Zone: Zone, DaysKnown: DaysKnown, KnownFrom: KnownFrom, BackfilledAt: BackfilledAt);
    }

    private async Task<(IReadOnlyList<QueueState>? Queues, string? Problem)> QueuesAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(QueueLimit, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return (await _queues.StatesAsync(linked.Token), null);
        }
        catch (InvalidOperationException error)
        {
            return (null, error.Message);
        }
        catch (Exception error) when (error is RequestFailedException or AuthenticationFailedException or AggregateException || (error is OperationCanceledException && limit.IsCancellationRequested))
        {
            LogNoQueues(error);
            return (null, "The storage account does not answer.");
        }
    }

    [LoggerMessage(4103, LogLevel.Warning, "An operator cleared {Count} faults of business {Tenant}")]
    private partial void LogCleared(Guid tenant, int count);

    [LoggerMessage(4102, LogLevel.Warning, "The queues could not be looked at")]
    private partial void LogNoQueues(Exception error);
}

/// <summary>The settings that matter, for <c>ops/host</c> and for the command line's <c>doctor</c>; all of them are explained in local.settings.sample.json.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Required">Whether the app is of no use without it.</param>
/// <param name="For">What it is for.</param>
/// <param name="Or">Another setting that does instead.</param>
internal sealed record KnownSettings(string Name, bool Required, string For, string? Or = null)
{
    public static IReadOnlyList<KnownSettings> All { get; } =
    [
        new("ConnectionStrings:Postgres", true, "the database, as kpi_app"),
        new("AzureWebJobsStorage", true, "queues", "AzureWebJobsStorage:queueServiceUri"),
        new("Secrets:CurrentKey", true, "sealing secrets at rest"),
        new("Auth:CurrentKey", true, "signing access tokens"),
        new("Web:BaseUrl", true, "links in mails"),
        new("Mail:Host", false, "sending mail"),
        new("GoogleAnalytics:ClientId", false, "connecting Google Analytics"),
        new("GoogleAnalytics:ClientSecret", false, "connecting Google Analytics"),
        new("APPLICATIONINSIGHTS_CONNECTION_STRING", false, "telemetry"),
        new("Retention:ExecutionDays", false, "keeping executions other than 90 days"),
        new("Retention:ValueMonths", false, "keeping KPI values other than 25 months"),
        new("Retention:AuditYears", false, "keeping the audit log other than 7 years"),
        new("Retention:RunDays", false, "keeping ended syncs other than 90 days"),
    ];

    public bool IsSet(IConfiguration configuration) => configuration.GetSection(Name).Value is { Length: > 0 } || (Or is not null && configuration.GetSection(Or).Value is { Length: > 0 });
}

/// <summary>How many tenants there are.</summary>
internal sealed record OpsTenants(long Total, long Demo, long Deleting);

/// <summary>How many businesses something is wrong with that <c>ops/faults</c> lists.</summary>
internal sealed record OpsFaultCount(long Tenants, DateTimeOffset? NewestAt);

/// <summary>What went wrong with single businesses.</summary>
internal sealed record OpsFaultsResponse(IReadOnlyList<OpsFault> Faults);

/// <summary>Something that went wrong with one business while the others were served.</summary>
/// <param name="TenantHash">What <c>kpi.tenant</c> says in telemetry; null if no key for that is set.</param>
/// <param name="Step">
/// What could not be done in full: <c>zone</c>, <c>row</c> or <c>run</c> for a row that no door lets in, <c>mended zone</c> for a zone that an update replaced, else the step
/// that failed, such as <c>enqueue</c>, <c>deletion</c> or <c>retention of values</c>.
/// </param>
/// <param name="Subject">The integration that it is about; null for the whole business.</param>
/// <param name="Times">How often in a row.</param>
internal sealed record OpsFault(
    Guid TenantId, string? TenantHash, string Step, string? Subject, string Reason, DateTimeOffset FirstAt, DateTimeOffset LastAt, int Times);

/// <summary>Whose faults to clear; <c>step</c> null for all of them.</summary>
internal sealed record ClearFaultsRequest(Guid TenantId, string? Step = null);

/// <summary>How many were cleared.</summary>
internal sealed record ClearFaultsResponse(int Cleared);

/// <summary>How many integrations of a connector are in a state.</summary>
internal sealed record OpsStateCount(
    string Connector, [property: AllowedValues("active", "failing", "overdue", "silent", "paused", "reconnect_needed",
        "disconnected")] string State, long Count);

/// <summary>How many runs of the last 24 hours came to what.</summary>
internal sealed record OpsRunCount(string Connector, [property: AllowedValues("queued", "running", "waiting", "succeeded", "failed", "dead")] string Status, long Count);

/// <summary>Runs that go on, and since when the oldest was asked for.</summary>
internal sealed record OpsLive(long Queued, long Running, long Waiting, DateTimeOffset? OldestAt);

/// <summary>What was given up and nobody tried again.</summary>
internal sealed record OpsDeadLetters(long Runs, long Messages, DateTimeOffset? NewestAt);

/// <summary>A provider that is not asked at the moment, because it did not answer.</summary>
internal sealed record OpsCircuit(string Provider, int Failures, int Integrations, DateTimeOffset OpenedAt, DateTimeOffset? RetryAt);

/// <summary>Mails that wait to be sent.</summary>
internal sealed record OpsMails(long Waiting, DateTimeOffset? OldestAt);

/// <summary>The newest backup that the command line made; <c>verifiedAt</c> is null until it was read to its end.</summary>
internal sealed record OpsBackup(Guid Id, DateTimeOffset TakenAt, long Bytes, long Rows, string SchemaVersion, string Target, DateTimeOffset? VerifiedAt);

/// <summary>What the database function <c>ops_overview</c> answers.</summary>
internal sealed record OpsState(
    OpsTenants Tenants, OpsFaultCount Faults, IReadOnlyList<OpsStateCount> Integrations, IReadOnlyList<OpsRunCount> Runs, OpsLive Live, OpsDeadLetters DeadLetters,
    IReadOnlyList<OpsCircuit> Circuits,
    DateTimeOffset? OldestDueAt, DateTimeOffset? TimerAt, OpsMails Mails, OpsBackup? LastBackup);

/// <summary>State of the installation.</summary>
/// <param name="At">When it was looked at.</param>
/// <param name="OldestDueAt">Since when the integration that waits longest is due; null if none is.</param>
/// <param name="TimerAt">When the timer last did its work; it comes every five minutes.</param>
/// <param name="Queues">Queues of the storage account; null with <paramref name="QueuesProblem"/> saying why.</param>
internal sealed record OverviewResponse(
    DateTimeOffset At, OpsTenants Tenants, OpsFaultCount Faults, IReadOnlyList<OpsStateCount> Integrations, IReadOnlyList<OpsRunCount> Runs, OpsLive Live,
    OpsDeadLetters DeadLetters, IReadOnlyList<OpsCircuit> Circuits, DateTimeOffset? OldestDueAt, DateTimeOffset? TimerAt, OpsMails Mails, OpsBackup? LastBackup, IReadOnlyList<QueueState>? Queues, string? QueuesProblem);

/// <summary>A page of integrations; <c>nextCursor</c> is null at the end.</summary>
internal sealed record OpsIntegrationsResponse(IReadOnlyList<OpsIntegration> Integrations, string? NextCursor);

/// <summary>An integration of a tenant, who is named by id and as telemetry names it alone.</summary>
/// <param name="TenantHash">What <c>kpi.tenant</c> says in telemetry; null if no key for that is set (<c>Telemetry:TenantKey</c>).</param>
internal sealed record OpsIntegration(
    Guid TenantId, string? TenantHash, Guid IntegrationId, string Connector,
    [property: AllowedValues("active", "failing", "overdue", "silent", "paused", "reconnect_needed", "disconnected")] string State,
        string Schedule, DateTimeOffset? NextDueAt,
    DateTimeOffset? FetchedAt, DateOnly? CompleteThrough, int Failures, Guid? LastRunId, string? LastRunStatus, DateTimeOffset? LastRunAt, string? Traceparent);

/// <summary>The instance that answered.</summary>
/// <param name="Commit">What it was built from; null if the build did not know.</param>
/// <param name="MissingMigrations">Migrations of this version that the database lacks.</param>
internal sealed record OpsHostResponse(
    string Version, string? Commit, string Runtime, string Platform, DateTimeOffset StartedAt, string Instance, IReadOnlyList<OpsSetting> Settings,
    IReadOnlyList<OpsMigration> Migrations, int MissingMigrations);

/// <summary>Whether a setting is there; never its value.</summary>
internal sealed record OpsSetting(string Name, bool IsSet, bool Required, string For);

/// <summary>A migration that was applied.</summary>
internal sealed record OpsMigration(string Name, DateTimeOffset AppliedAt);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(OpsFaultsResponse))]
[JsonSerializable(typeof(ClearFaultsRequest))]
[JsonSerializable(typeof(ClearFaultsResponse))]
[JsonSerializable(typeof(OpsState))]
[JsonSerializable(typeof(OverviewResponse))]
[JsonSerializable(typeof(OpsIntegrationsResponse))]
[JsonSerializable(typeof(OpsHostResponse))]
internal sealed partial class OpsJson : JsonSerializerContext;
