using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Automation;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Security;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Sync;

/// <summary>
/// Connect, change, test, pause and disconnect sources. Credentials are tried before they are kept, sealed before they reach the database, and never come back:
/// not in an answer, a log, the audit log or an export.
/// </summary>
public sealed partial class IntegrationEndpoints
{
    /// <summary>Most sources that a business may have, disconnected ones included.</summary>
    internal const int MostSources = 50;

    /// <summary>Held by whoever adds a source to a business, until that is done.</summary>
    internal const string OneMoreAtATime = "select pg_advisory_xact_lock(hashtextextended('sources ' || @tenant::text, 0))";

    private static readonly TimeSpan RevokePatience = TimeSpan.FromSeconds(10);

    // Longer than a provider is waited for; a sync that comes meanwhile is sent again when the test is over.
    private static readonly TimeSpan TestLease = TimeSpan.FromMinutes(3);

    private readonly Database _database;
    private readonly Dictionary<string, IConnector> _connectors;
    private readonly SyncScheduler _scheduler;
    private readonly SecretSealer _sealer;
    private readonly AuditLog _audit;
    private readonly RateLimits _limits;
    private readonly GoogleGrants _grants;
    private readonly TimeProvider _time;
    private readonly ILogger<IntegrationEndpoints> _logger;

    internal IntegrationEndpoints(
        Database database, IEnumerable<IConnector> connectors, SyncScheduler scheduler, SecretSealer sealer, AuditLog audit, RateLimits limits, GoogleGrants grants, TimeProvider time,
        ILogger<IntegrationEndpoints> logger) =>
        (_database, _connectors, _scheduler, _sealer, _audit, _limits, _grants, _time, _logger) =
        (database, connectors.ToDictionary(connector => connector.Key, StringComparer.Ordinal), scheduler, sealer, audit, limits, grants, time, logger);

    /// <summary><c>POST integrations</c>: tries the connection, keeps it and starts the first sync.</summary>
    public async Task<IResult> ConnectAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, IntegrationJson.Default.ConnectRequest, cancellationToken))!;
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        CheckName(errors, body.DisplayName);
        CheckHour(errors, body.SyncHour);
        var key = _connectors.GetValueOrDefault(body.Connector)
            ?? throw ApiProblem.Invalid("connector", $"'connector' must be one of {string.Join(", ", _connectors.Keys.Order(StringComparer.Ordinal))}.");
        var rows = await _database.InTenantAsync(caller.TenantId, tx => OfConnectorAsync(tx, key.Key, lockThem: false), cancellationToken);
        Row? before = null;
        KeyConnection? connection = null;
        if (key is IKeyConnector entered)
        {
            if (body.Grant is not null || body.PropertyId is not null) errors["grant"] = [$"'grant' and 'propertyId' must be left out: {key.DisplayName} is connected by an address and a key."];
            connection = entered.Read(body.Settings?.BaseUrl, body.Credentials?.ApiKey, errors);
            if (errors.Count > 0 || connection is null) throw ApiProblem.Invalid(errors);
            before = Continued(key, rows, Address(connection.Settings));
        }
        else if (key is IGrantConnector granted)
        {
            CheckGrant(errors, body, key);
            if (errors.Count > 0) throw ApiProblem.Invalid(errors);
            before = Continued(key, rows, body.PropertyId!);
            var grant = await _database.InTenantAsync(caller.TenantId, tx => _grants.FindAsync(tx, body.Grant!.Value, caller.Person), cancellationToken) ?? throw UnknownGrant();
            connection = new KeyConnection(granted.StoredSettings(body.PropertyId!, null, grant.Account, grant.Kind), grant.Credentials);
        }

        var trial = before?.Id ?? Guid.CreateVersion7(_time.GetUtcNow());
        await TryAsync(caller.TenantId, key, trial, connection!.Settings, connection.Credentials, cancellationToken);
        if (before is not null && before.Address == Address(connection.Settings))
            await CheckSeesAllAsync(caller.TenantId, key, before.Id, connection, body.AcceptFewer == true, cancellationToken);
        if (key is IGrantConnector named)
        {
            var name = await named.PropertyNameAsync(trial, body.PropertyId!, connection.Credentials, cancellationToken);
            var settings = JsonNode.Parse(connection.Settings.GetRawText())!.AsObject();
            if (name is not null) settings["propertyName"] = name;
            connection = connection with { Settings = Parse(settings.ToJsonString()) };
        }

        var now = _time.GetUtcNow();
        var (answer, runs) = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
            if (body.Grant is { } used && !await _grants.TakeAsync(tx, used, caller.Person)) throw UnknownGrant();
            // Two at once must not both think that there is none, and each makes the other's numbers count twice.
            await tx.ExecuteAsync(OneMoreAtATime);
            var present = await OfConnectorAsync(tx, key.Key, lockThem: true);
            var account = Account(connection.Settings);
            var row = Continued(key, present, account);
            await ThrowIfTakenAsync(tx, row?.Id, body.DisplayName);
            var name = body.DisplayName?.Trim() ?? NameFor(key, connection.Settings, present.Where(other => other.Id != row?.Id && other.Status != "disconnected"));
            if (row is null)
            {
                if (await tx.QuerySingleAsync<int>("select count(*)::int from integrations where tenant_id = @tenant") >= MostSources)
                    throw ApiProblem.Conflict($"A business may have {MostSources} sources, those that were disconnected included. Disconnect one with its numbers first.");
                // Its row is a disconnected one for a moment, as one that is connected again.
                await tx.ExecuteAsync(
                    """
                    insert into integrations (tenant_id, id, connector, display_name, settings, status, created_at)
                    values (@tenant, @id, @connector, @name, '{}', 'disconnected', @now)
                    """,
                    new { id = trial, connector = key.Key, name, now });
                row = (await OfConnectorAsync(tx, key.Key, lockThem: true)).Single(made => made.Id == trial);
            }

            var address = Address(connection.Settings);
            // Another n8n counts its executions from 1 again: what is known by the old numbers must not be mixed up with the new. Days that were added up stay.
            if (row.Address is { } old && old != address)
            {
                // Nor are the workflows of the old one among those of the new: they are gone, and what they did stays.
                await tx.ExecuteAsync(
                    """
                    delete from executions where tenant_id = @tenant and integration_id = @Id;
                    update workflows set gone_at = @now, hidden_at = null, active = false, updated_at = @now,
                           unmeasured = case when upper_inf(unmeasured) then unmeasured - datemultirange(daterange((@now at time zone 'UTC')::date + 1, null)) else unmeasured end
                    where tenant_id = @tenant and integration_id = @Id and gone_at is null;
                    """, new { row.Id, now });
            }

            await tx.ExecuteAsync(
                """
                update integrations
                set display_name = @name, settings = @settings::jsonb, credentials = @credentials, status = 'active', status_message = null, schedule = @schedule, sync_hour = @hour,
                    next_due_at = next_due_at(@schedule, @hour::smallint, @zone, id, @now), read_from = null, read_to = null, backfilled_at = null, deep_read_at = null,
                    key_changed_at = @now, consecutive_failures = 0, last_error = null, lease_token = null, lease_until = null
                where tenant_id = @tenant and id = @id
                """,
                new
                {
                    id = row.Id,
                    name,
                    settings = connection.Settings.GetRawText(),
                    credentials = _sealer.Seal(connection.Credentials.GetRawText(), SyncRunner.CredentialPurpose(row.Id)),
                    schedule = Word(body.Schedule ?? SyncSchedule.Daily),
                    hour = body.SyncHour ?? 4,
                    zone = tenant.TimeZone,
                    now,
                });
            var queued = await QueueAsync(tx, row.Id, "connect", now);
            await _audit.WriteAsync(tx, request, new AuditEvent(
                AuditActions.IntegrationConnected, "integration", row.Id.ToString(), name,
                After: new JsonObject { ["connector"] = key.Key, ["address"] = address, ["propertyId"] = Text(connection.Settings, "propertyId"), ["account"] = Text(connection.Settings, "account"), ["schedule"] = Word(body.Schedule ?? SyncSchedule.Daily), ["syncHour"] = body.SyncHour ?? 4 }));
            await TenantProfile.BumpVersionAsync(tx);
            return (await LoadAsync(tx, row.Id, now), queued);
        }, cancellationToken);
        await _scheduler.EnqueueAsync(runs, cancellationToken);
        return new JsonAnswer<IntegrationResponse>(answer, RunJson.Default.IntegrationResponse, StatusCodes.Status201Created);
    }

    /// <summary><c>PATCH integrations/{id}</c>: name, schedule, and a new key, which is tried first and ends "reconnect needed".</summary>
    public async Task<IResult> UpdateAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, IntegrationJson.Default.UpdateIntegrationRequest, cancellationToken))!;
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        CheckName(errors, body.DisplayName);
        CheckHour(errors, body.SyncHour);
        CheckRhythm(errors, body);
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
        var row = await _database.InTenantAsync(caller.TenantId, tx => FindAsync(tx, id, lockIt: false), cancellationToken);
        if (row.PushOnly && (body.Schedule is not null || body.SyncHour is not null || body.Credentials is not null))
            throw ApiProblem.Conflict($"{row.DisplayName} is only pushed to; connect it first to have it read.");
        if (!row.PushOnly && (body.Rhythm is not null || body.LateAfterHours is not null))
            throw ApiProblem.Conflict($"{row.DisplayName} is read by its schedule; only a source that is pushed to has a rhythm of its own.");

        if (body.ReadMessages is not null && (row.PushOnly || _connectors.GetValueOrDefault(row.Connector) is not IRunsConnector))
            throw ApiProblem.Invalid("readMessages", $"'readMessages' must be left out: {row.DisplayName} is not asked for single runs.");

        KeyConnection? replaced = null;
        if (body.Credentials is not null || body.Grant is not null) request.Demand(Power.ConnectSource);
        if (body is { Credentials: not null, Grant: not null }) throw ApiProblem.Invalid("grant", "Send 'credentials' or 'grant', not both.");
        if (body.Credentials is { } wanted)
        {
            if (_connectors.GetValueOrDefault(row.Connector) is not IKeyConnector key)
                throw ApiProblem.Invalid("credentials", $"{row.DisplayName} is connected by signing in there, not by a key.");
            replaced = key.Read(row.Address, wanted.ApiKey, errors);
            if (errors.Count > 0 || replaced is null) throw ApiProblem.Invalid(errors);
            await TryAsync(caller.TenantId, key, row.Id, replaced.Settings, replaced.Credentials, cancellationToken);
            await CheckSeesAllAsync(caller.TenantId, key, row.Id, replaced, body.AcceptFewer == true, cancellationToken);
        }
        else if (body.Grant is { } granted)
        {
            if (_connectors.GetValueOrDefault(row.Connector) is not IGrantConnector connector || row.PropertyId is null)
                throw ApiProblem.Invalid("grant", $"{row.DisplayName} is connected by a key, not by signing in there.");
            var grant = await _database.InTenantAsync(caller.TenantId, tx => _grants.FindAsync(tx, granted, caller.Person), cancellationToken) ?? throw UnknownGrant();
            replaced = new KeyConnection(connector.StoredSettings(row.PropertyId, row.PropertyName, grant.Account, grant.Kind), grant.Credentials);
            await TryAsync(caller.TenantId, connector, row.Id, replaced.Settings, replaced.Credentials, cancellationToken);
        }

        return new JsonAnswer<IntegrationResponse>(await ApplyAsync(request, caller, id, row, body, replaced, cancellationToken), RunJson.Default.IntegrationResponse);
    }

    /// <summary>What a sign-in would be for: a connection of this connector, which is there.</summary>
    /// <exception cref="ApiProblem">404: there is none; 409: it is none that is signed in for.</exception>
    internal async Task<string?> AccountOfAsync(Guid tenant, Guid integration, CancellationToken cancellationToken)
    {
        var row = await _database.InTenantAsync(tenant, tx => FindAsync(tx, integration.ToString("D"), lockIt: false), cancellationToken);
        return _connectors.GetValueOrDefault(row.Connector) is IGrantConnector && row.PropertyId is not null
            ? Text(Parse(row.Settings), "account")
            : throw ApiProblem.Conflict($"{row.DisplayName} is not connected by signing in at Google.");
    }

    /// <summary>Lets a fresh sign-in take the place of the one before, if it reaches the property; else says why not, and nothing is changed.</summary>
    internal async Task<ConnectionProblem?> ReconnectAsync(HttpRequest request, Caller caller, Guid integration, GoogleGrant grant, CancellationToken cancellationToken)
    {
        var id = integration.ToString("D");
        var row = await _database.InTenantAsync(caller.TenantId, tx => FindAsync(tx, id, lockIt: false), cancellationToken);
        if (_connectors.GetValueOrDefault(row.Connector) is not IGrantConnector connector || row.PropertyId is null) throw ApiProblem.NotFound("There is no such integration.");
        var connection = new KeyConnection(connector.StoredSettings(row.PropertyId, row.PropertyName, grant.Account, grant.Kind), grant.Credentials);
        if (await AskAsync(connector, row.Id, connection.Settings, connection.Credentials, cancellationToken) is { } problem) return problem;
        await ApplyAsync(request, caller, id, row, new UpdateIntegrationRequest(), connection, cancellationToken);
        return null;
    }

    private async Task<IntegrationResponse> ApplyAsync(
        HttpRequest request, Caller caller, string id, Row row, UpdateIntegrationRequest body, KeyConnection? replaced, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var (answer, runs) = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var before = await FindAsync(tx, id, lockIt: true);
            // Tried with the address that was read before; disconnected and connected anew in between, it is another connection.
            if (before.Address != row.Address || before.PropertyId != row.PropertyId) throw ApiProblem.Conflict("The connection was changed meanwhile. Look at it and try again.");
            if (body.DisplayName?.Trim() != before.DisplayName) await ThrowIfTakenAsync(tx, before.Id, body.DisplayName);
            if (body.Grant is { } used && !await _grants.TakeAsync(tx, used, caller.Person)) throw UnknownGrant();
            await tx.ExecuteAsync(
                """
                update integrations i
                set display_name = coalesce(@name, display_name), schedule = coalesce(@schedule, schedule), sync_hour = coalesce(@hour::smallint, sync_hour),
                    next_due_at = case when @replan then least(i.next_due_at, next_due_at(coalesce(@schedule, i.schedule), coalesce(@hour::smallint, i.sync_hour), t.time_zone, i.id, @now))
                                       else i.next_due_at end,
                    credentials = coalesce(@credentials, credentials), key_changed_at = case when @reconnect then @now else key_changed_at end,
                    -- It may show what the one before did not.
                    deep_read_at = case when @reconnect then null else deep_read_at end,
                    settings = case when @signedIn::jsonb is null then settings else settings - 'account' - 'grant' || @signedIn::jsonb end,
                    status = case when @reconnect and i.status = 'reconnect_needed' then 'active' else i.status end,
                    status_message = case when @reconnect then null else status_message end,
                    consecutive_failures = case when @reconnect then 0 else consecutive_failures end, last_error = case when @reconnect then null else last_error end,
                    push_rhythm = coalesce(@rhythm, push_rhythm), late_after_hours = case when @rhythm is null then late_after_hours else @lateAfter::integer end
                from tenants t
                where i.tenant_id = @tenant and i.id = @id and t.id = @tenant
                """,
                new
                {
                    id = before.Id,
                    name = body.DisplayName?.Trim(),
                    schedule = body.Schedule is { } schedule ? Word(schedule) : null,
                    hour = body.SyncHour,
                    replan = body.Schedule is not null || body.SyncHour is not null,
                    credentials = replaced is null ? null : _sealer.Seal(replaced.Credentials.GetRawText(), SyncRunner.CredentialPurpose(before.Id)),
                    signedIn = replaced is null || row.PropertyId is null ? null : replaced.Settings.GetRawText(),
                    reconnect = replaced is not null,
                    rhythm = body.Rhythm is { } rhythm ? Word(rhythm) : body.LateAfterHours is null ? null : Word(PushRhythmKind.Fixed),
                    lateAfter = body.LateAfterHours,
                    now,
                });
            if (body.ReadMessages is { } allowed) await RunDetails.AllowAsync(tx, before.Id, allowed);
            var after = await FindAsync(tx, id, lockIt: false);
            var (was, became) = Changes(before, after);
            if (was.Count > 0) await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.IntegrationChanged, "integration", id, after.DisplayName, was, became));
            if (replaced is not null)
            {
                await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.IntegrationReconnected, "integration", id, after.DisplayName,
                    After: Text(replaced.Settings, "account") is { } account ? new JsonObject { ["account"] = account } : null));
            }

            var queued = replaced is not null && after.Status == "active" ? await QueueAsync(tx, before.Id, "connect", now) : [];
            await TenantProfile.BumpVersionAsync(tx);
            return (await LoadAsync(tx, before.Id, now), queued);
        }, cancellationToken);
        await _scheduler.EnqueueAsync(runs, cancellationToken);
        return answer;
    }

    /// <summary>
    /// <c>DELETE integrations/{id}</c>: credentials are gone at once and nothing is read any more. What was measured stays, because it happened; with
    /// <c>?numbers=delete</c> it goes too, and so does everything that is known of workflows, executions and runs.
    /// </summary>
    public async Task<IResult> DisconnectAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var query = new QueryReader(request);
        var numbers = query.Choice("numbers", "keep", "delete");
        query.ThrowIfInvalid();
        var gone = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var row = await FindAsync(tx, id, lockIt: true);
            var was = new JsonObject { ["connector"] = row.Connector, ["address"] = row.Address, ["propertyId"] = row.PropertyId, ["numbers"] = numbers == "keep" ? "kept" : "deleted" };
            if (numbers == "delete")
            {
                await tx.ExecuteAsync(
                    """
                    select 1 from tenants where id = @tenant for no key update;
                    delete from kpi_months m using integrations i where m.tenant_id = @tenant and i.tenant_id = @tenant and i.id = @Id and m.source = i.source;
                    delete from kpi_restatements r using integrations i where r.tenant_id = @tenant and i.tenant_id = @tenant and i.id = @Id and r.source = i.source;
                    delete from breakdown_days d using integrations i where d.tenant_id = @tenant and i.tenant_id = @tenant and i.id = @Id and d.source = i.source;
                    delete from integrations where tenant_id = @tenant and id = @Id;
                    """,
                    new { row.Id });
            }
            else
            {
                await EndRunsAsync(tx, row.Id, "Disconnected while it was under way.");
                // Lease and all: what is being read at this moment is dropped when it comes.
                await tx.ExecuteAsync(
                    """
                    update integrations
                    set status = 'disconnected', status_message = null, credentials = null, settings = settings - 'pushOnly', next_due_at = null, lease_token = null, lease_until = null
                    where tenant_id = @tenant and id = @Id
                    """,
                    new { row.Id });
            }

            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.IntegrationDisconnected, "integration", id, row.DisplayName, Before: was));
            await TenantProfile.BumpVersionAsync(tx);
            return row;
        }, cancellationToken);
        await RevokeAsync(gone, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>
    /// Gives a person's permission back to Google, if nothing else here rests on that account: Google ends all that the account ever allowed us, not this one token. Whatever
    /// comes of it, we are disconnected already.
    /// </summary>
    private async Task RevokeAsync(Row row, CancellationToken cancellationToken)
    {
        if (row.Credentials is null || _connectors.GetValueOrDefault(row.Connector) is not IGrantConnector connector || Text(Parse(row.Settings), "account") is not { } account) return;
        using var patience = new CancellationTokenSource(RevokePatience, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var inUse = await _database.QueryAsync<bool>("select google_account_in_use(@account, @Id, @now)", new { account, row.Id, now = _time.GetUtcNow() }, limit.Token);
            if (inUse is [true]) return;
            var revoked = await connector.RevokeAsync(Parse(_sealer.Open(row.Credentials, SyncRunner.CredentialPurpose(row.Id))), limit.Token);
            LogRevoked(row.Id, revoked);
        }
        catch (Exception error) when (error is OperationCanceledException or Npgsql.NpgsqlException or System.Security.Cryptography.CryptographicException)
        {
            LogRevoked(row.Id, false);
        }
    }

    /// <summary>
    /// <c>POST integrations/{id}/test</c>: asks the provider for as little as tells whether a sync would work. Where that had to be mended there (a scope given back, an API
    /// switched on again) and now works with what is stored, reading goes on; else nothing is changed.
    /// </summary>
    public async Task<IResult> TestAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var row = await _database.InTenantAsync(caller.TenantId, tx => FindAsync(tx, id, lockIt: false), cancellationToken);
        if (row.PushOnly || row.Credentials is null) throw ApiProblem.Conflict($"{row.DisplayName} has no connection that could be tested; connect it first.");
        await _limits.TakeAsync(Bucket.Connect, caller.TenantId.ToString("N"), cancellationToken);
        var connector = Connector(row);
        ConnectionProblem? problem = null;
        Task<ConnectionProblem?> AskThisAsync() => AskAsync(connector, row.Id, Parse(row.Settings), Parse(_sealer.Open(row.Credentials, SyncRunner.CredentialPurpose(row.Id))), cancellationToken);
        if (!connector.TestsOneAtATime) problem = await AskThisAsync();
        else await InTurnAsync(caller.TenantId, row, async () => problem = await AskThisAsync(), cancellationToken);
        var resumed = problem is null && row.Status == "reconnect_needed" && await GoOnAsync(request, caller.TenantId, row, cancellationToken);
        return new JsonAnswer<ConnectionTestResponse>(
            new ConnectionTestResponse(
                problem is null,
                problem?.Sentence ?? (resumed ? $"{row.DisplayName} lets us read again; what is missing is being read now." : $"{row.DisplayName} answers and lets us read."),
                problem?.Field),
            IntegrationJson.Default.ConnectionTestResponse);
    }

    /// <summary>Reads again with what is stored: a provider that shows a key only once may have been told meanwhile to take it.</summary>
    private async Task<bool> GoOnAsync(HttpRequest request, Guid tenant, Row tried, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var runs = await _database.InTenantAsync<IReadOnlyList<DueRun>?>(tenant, async tx =>
        {
            // What was tried is what is stored: a key that came meanwhile was tried by itself.
            if (await tx.ExecuteAsync(
                """
                update integrations set status = 'active', status_message = null, consecutive_failures = 0, last_error = null
                where tenant_id = @tenant and id = @Id and status = 'reconnect_needed' and credentials = @Credentials
                """, new { tried.Id, tried.Credentials }) == 0) return null;
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.IntegrationReconnected, "integration", tried.Id.ToString(), tried.DisplayName));
            var queued = await QueueAsync(tx, tried.Id, "connect", now);
            await TenantProfile.BumpVersionAsync(tx);
            return queued;
        }, cancellationToken);
        if (runs is null) return false;
        await _scheduler.EnqueueAsync(runs, cancellationToken);
        return true;
    }

    /// <summary>
    /// A key may see less than the one before, and what it does not see would look as if nothing ran. Says so before it is kept; a person who knows may go on with it.
    /// </summary>
    private async Task CheckSeesAllAsync(Guid tenant, IConnector connector, Guid integration, KeyConnection connection, bool acceptFewer, CancellationToken cancellationToken)
    {
        if (acceptFewer) return;
        var known = await _database.InTenantAsync(tenant, tx => tx.QueryAsync<(string Id, string Name)>(
            """
            select workflow_id, name from workflows
            where tenant_id = @tenant and integration_id = @integration and described_at is not null and gone_at is null and hidden_at is null
            order by active desc, name, workflow_id
            """, new { integration }), cancellationToken);
        if (known.Count == 0) return;
        var shown = await connector.ShownWorkflowsAsync(Request(integration, connection.Settings, connection.Credentials), cancellationToken);
        var missing = shown is null ? [] : known.Where(workflow => !shown.Contains(workflow.Id)).Select(workflow => workflow.Name).ToList();
        if (missing.Count == 0) return;
        throw ApiProblem.Invalid(new Dictionary<string, string[]>(StringComparer.Ordinal)
        {
            [ConnectionProblem.Key] =
            [
                $"This key shows {known.Count - missing.Count} of the {known.Count} workflows that are known here, not {AutomationWriter.Names(missing)}. Use a key of an owner or admin of your "
                + $"{connector.DisplayName}, who sees all; or go on with this one: what it does not show stays as it is and is left out of the totals from now on.",
            ],
            ["acceptFewer"] = ["'acceptFewer' must be true to go on with a key that shows fewer workflows."],
        });
    }

    /// <summary>Does something as the only one who asks the provider for this integration: under the lease that a sync takes.</summary>
    private async Task InTurnAsync(Guid tenant, Row row, Func<Task> work, CancellationToken cancellationToken)
    {
        var (now, lease) = (_time.GetUtcNow(), Guid.CreateVersion7());
        if (await _database.InTenantAsync(tenant, tx => tx.ExecuteAsync(
            "update integrations set lease_token = @lease, lease_until = @until where tenant_id = @tenant and id = @Id and (lease_until is null or lease_until < @now)",
            new { lease, until = now + TestLease, row.Id, now }), cancellationToken) == 0)
            throw ApiProblem.Conflict($"{row.DisplayName} is being read or tested at this moment. Try again when that is done.");
        try
        {
            await work();
        }
        finally
        {
            // A run whose message came meanwhile was turned away; it is sent again. What was cancelled must still end here.
            var waiting = await _database.InTenantAsync(tenant, async tx =>
            {
                await tx.ExecuteAsync("update integrations set lease_token = null, lease_until = null where tenant_id = @tenant and id = @Id and lease_token = @lease", new { row.Id, lease });
                return await tx.QueryAsync<DueRun>(
                    """
                    select r.id as RunId, r.tenant_id as TenantId, r.integration_id as IntegrationId, r.connector, r.step, r.traceparent
                    from sync_runs r where r.tenant_id = @tenant and r.integration_id = @Id and r.status = 'queued' and r.queued_at >= @now
                    """, new { row.Id, now });
            }, CancellationToken.None);
            await _scheduler.EnqueueAsync(waiting, CancellationToken.None);
        }
    }

    /// <summary><c>POST integrations/{id}/sync</c>: reads this one now, or answers with the run that is under way.</summary>
    public async Task<IResult> SyncAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var row = await _database.InTenantAsync(caller.TenantId, tx => FindAsync(tx, id, lockIt: false), cancellationToken);
        await _limits.TakeAsync(Bucket.Refresh, caller.TenantId.ToString("N"), cancellationToken);
        var (answer, runs) = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            row = await FindAsync(tx, id, lockIt: true);
            if (row.PushOnly) throw ApiProblem.Conflict($"{row.DisplayName} is only pushed to; there is nothing that we could read.");
            if (row.Status != "active") throw ApiProblem.Conflict(row.Status == "paused" ? $"{row.DisplayName} is paused. Resume it first." : $"{row.DisplayName} must be connected again first.");
            var queued = await QueueAsync(tx, row.Id, "manual", _time.GetUtcNow());
            if (queued.Count > 0) await TenantProfile.BumpVersionAsync(tx);
            return (await tx.QuerySingleAsync<RunEntry>(
                """
                select id, integration_id as IntegrationId, connector, status from sync_runs
                where tenant_id = @tenant and integration_id = @Id and status in ('queued', 'running', 'waiting')
                """, new { row.Id }), queued);
        }, cancellationToken);
        await _scheduler.EnqueueAsync(runs, cancellationToken);
        return new JsonAnswer<RunEntry>(answer, RunJson.Default.RunEntry, StatusCodes.Status202Accepted);
    }

    /// <summary><c>POST integrations/{id}/pause</c>: nothing is read until it is resumed; a run under way ends without a result.</summary>
    public async Task<IResult> PauseAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var answer = await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            var row = await FindAsync(tx, id, lockIt: true);
            if (row.Status == "reconnect_needed") throw ApiProblem.Conflict($"{row.DisplayName} must be connected again; until then nothing is read anyway.");
            if (row.Status == "active")
            {
                await EndRunsAsync(tx, row.Id, "Paused while it was under way.");
                await tx.ExecuteAsync("update integrations set status = 'paused', lease_token = null, lease_until = null where tenant_id = @tenant and id = @Id", new { row.Id });
                await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.IntegrationPaused, "integration", id, row.DisplayName));
                await TenantProfile.BumpVersionAsync(tx);
            }

            return await LoadAsync(tx, row.Id, _time.GetUtcNow());
        }, cancellationToken);
        return new JsonAnswer<IntegrationResponse>(answer, RunJson.Default.IntegrationResponse);
    }

    /// <summary><c>POST integrations/{id}/resume</c>: reads again, beginning now.</summary>
    public async Task<IResult> ResumeAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var (answer, runs) = await _database.InTenantAsync<(IntegrationResponse, IReadOnlyList<DueRun>)>(request.Caller().TenantId, async tx =>
        {
            var row = await FindAsync(tx, id, lockIt: true);
            IReadOnlyList<DueRun> queued = [];
            if (row.Status == "paused")
            {
                await tx.ExecuteAsync(
                    """
                    update integrations i
                    set status = 'active', next_due_at = case when @PushOnly then null else next_due_at(i.schedule, i.sync_hour, t.time_zone, i.id, @now) end
                    from tenants t where i.tenant_id = @tenant and i.id = @Id and t.id = @tenant
                    """, new { row.Id, row.PushOnly, now });
                if (!row.PushOnly) queued = await QueueAsync(tx, row.Id, "manual", now);
                await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.IntegrationResumed, "integration", id, row.DisplayName));
                await TenantProfile.BumpVersionAsync(tx);
            }

            return (await LoadAsync(tx, row.Id, now), queued);
        }, cancellationToken);
        await _scheduler.EnqueueAsync(runs, cancellationToken);
        return new JsonAnswer<IntegrationResponse>(answer, RunJson.Default.IntegrationResponse);
    }

    /// <summary>
    /// <c>PATCH integrations/{id}/workflows/{workflowId}</c>: minutes that one success saves; what the source says counts again with null. From today on, and for days of
    /// which nothing was said yet; with <c>applyToPast</c> for all days.
    /// </summary>
    public async Task<IResult> UpdateWorkflowAsync(HttpRequest request, string id, string workflowId, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, IntegrationJson.Default.UpdateWorkflowRequest, cancellationToken))!;
        if (body.MinutesSaved is < 0 or > 10_000 || body.MinutesSaved is { } minutes && decimal.Round(minutes, 2) != minutes)
            throw ApiProblem.Invalid("minutesSaved", "'minutesSaved' must be 0 to 10000 minutes with at most two decimals, or null for what the source says.");
        var answer = await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            // A sync that writes holds this row, too: whichever comes second counts with what the other wrote.
            var row = await FindAsync(tx, id, lockIt: true);
            var before = await WorkflowAsync(tx, row.Id, workflowId) ?? throw ApiProblem.NotFound("There is no such workflow.");
            var alsoPast = body.ApplyToPast == true;
            if (before.MinutesSaved == body.MinutesSaved && !alsoPast) return before;
            var now = _time.GetUtcNow();
            var zone = await tx.QuerySingleAsync<string>(
                "select safe_zone(coalesce(i.time_zone, t.time_zone)) from integrations i join tenants t on t.id = i.tenant_id where i.tenant_id = @tenant and i.id = @Id", new { row.Id });
            await AutomationWriter.SetMinutesSavedAsync(tx, row.Id, workflowId, body.MinutesSaved, alsoPast, LocalDay.Of(now, TimeZoneNames.Of(zone)), now);
            var after = new JsonObject { ["minutesSaved"] = body.MinutesSaved };
            if (alsoPast) after["days"] = "all";
            await _audit.WriteAsync(tx, request, new AuditEvent(
                AuditActions.MinutesSavedChanged, "workflow", workflowId, before.Name, new JsonObject { ["minutesSaved"] = before.MinutesSaved }, after));
            await TenantProfile.BumpVersionAsync(tx);
            return before with { MinutesSaved = body.MinutesSaved };
        }, cancellationToken);
        return new JsonAnswer<WorkflowEntry>(answer, IntegrationJson.Default.WorkflowEntry);
    }

    private static Task<WorkflowEntry?> WorkflowAsync(TenantTransaction tx, Guid integration, string workflow) =>
        tx.QuerySingleOrDefaultAsync<WorkflowEntry>(WorkflowEntry.Select + "and workflow_id = @workflow", new { integration, workflow });

    /// <summary>Tries a connection before it is kept; a problem ends the request with a sentence under the field to look at.</summary>
    private async Task TryAsync(Guid tenant, IConnector connector, Guid integration, JsonElement settings, JsonElement credentials, CancellationToken cancellationToken)
    {
        await _limits.TakeAsync(Bucket.Connect, tenant.ToString("N"), cancellationToken);
        if (await AskAsync(connector, integration, settings, credentials, cancellationToken) is not { } problem) return;
        throw problem.Field is { } field ? ApiProblem.Invalid(field, problem.Sentence) : ApiProblem.Conflict(problem.Sentence);
    }

    private Task<ConnectionProblem?> AskAsync(IConnector connector, Guid integration, JsonElement settings, JsonElement credentials, CancellationToken cancellationToken) =>
        connector.TestAsync(Request(integration, settings, credentials), cancellationToken);

    private FetchRequest Request(Guid integration, JsonElement settings, JsonElement credentials)
    {
        var today = DateOnly.FromDateTime(_time.GetUtcNow().UtcDateTime);
        return new FetchRequest { IntegrationId = integration, Window = new DayWindow(today.AddDays(-1), today), TimeZone = TimeZoneInfo.Utc, Settings = settings, Credentials = credentials };
    }

    private IConnector Connector(Row row) =>
        _connectors.GetValueOrDefault(row.Connector) ?? throw new InvalidOperationException($"There is no connector '{row.Connector}' in this build.");

    /// <summary>Writes a run unless one is live; it is enqueued after the commit, and by the sweeper should that fail.</summary>
    private static Task<IReadOnlyList<DueRun>> QueueAsync(TenantTransaction tx, Guid integration, string trigger, DateTimeOffset now) => tx.QueryAsync<DueRun>(
        """
        insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, traceparent, queued_at, updated_at)
        select i.tenant_id, gen_random_uuid(), i.id, i.connector, @trigger, 'queued', @traceparent, @now, @now
        from integrations i where i.tenant_id = @tenant and i.id = @integration
        on conflict do nothing
        returning id as RunId, tenant_id as TenantId, integration_id as IntegrationId, connector, step, traceparent
        """,
        new { integration, trigger, traceparent = Activity.Current?.Id, now });

    private Task<int> EndRunsAsync(TenantTransaction tx, Guid integration, string message) => tx.ExecuteAsync(
        """
        update sync_runs set status = 'failed', message = @message, finished_at = @now, updated_at = @now, next_attempt_at = null
        where tenant_id = @tenant and integration_id = @integration and status in ('queued', 'running', 'waiting')
        """,
        new { integration, message, now = _time.GetUtcNow() });

    private static async Task<IntegrationResponse> LoadAsync(TenantTransaction tx, Guid id, DateTimeOffset now) =>
        IntegrationResponse.Of((await SourceState.LoadAsync(tx, (await TenantProfile.LoadAsync(tx))!, now)).Single(source => source.Id == id));

    /// <summary>
    /// The row that a connection goes on with, so that its numbers stay with it: that of the same account, which was disconnected; else what was only
    /// pushed until now; else, of a server, the one that was disconnected while nothing else of its kind is connected, because servers move. Null: it
    /// is a source of its own.
    /// </summary>
    /// <exception cref="ApiProblem">409: the same account is connected already, and its numbers would count twice.</exception>
    private static Row? Continued(IConnector connector, IReadOnlyList<Row> rows, string? account)
    {
        var same = rows.Where(row => (row.PropertyId ?? row.Address) == account && account is not null).ToList();
        if (same.Find(row => row is { Status: not "disconnected", PushOnly: false }) is { } taken)
        {
            var called = taken.DisplayName == connector.DisplayName ? "" : $" as \"{taken.DisplayName}\"";
            throw ApiProblem.Conflict($"This {connector.DisplayName} is connected already{called}. Change that connection, or disconnect it first.");
        }

        if (same.LastOrDefault() is { } again) return again;
        if (rows.LastOrDefault(row => row.PushOnly || (row.PropertyId ?? row.Address) is null) is { } pushed) return pushed;
        return connector is IKeyConnector && rows.All(row => row.Status == "disconnected") && rows is [.., var last] ? last : null;
    }

    /// <summary>The connector's name; where another one is called so, with what tells them apart.</summary>
    private static string NameFor(IConnector connector, JsonElement settings, IEnumerable<Row> others)
    {
        var taken = others.Select(other => other.DisplayName).ToHashSet(StringComparer.Ordinal);
        if (!taken.Contains(connector.DisplayName)) return connector.DisplayName;
        var told = Text(settings, "propertyName") ?? Text(settings, "propertyId")
            ?? (Uri.TryCreate(Address(settings), UriKind.Absolute, out var address) ? address.Authority : null);
        var name = KeptText.Cut($"{connector.DisplayName} {told}".Trim(), 60);
        return !taken.Contains(name) && PlainText.Fault("displayName", name, 60) is null ? name
            : Enumerable.Range(2, MostSources).Select(number => $"{connector.DisplayName} {number}").First(free => !taken.Contains(free));
    }

    private static string? Account(JsonElement settings) => Text(settings, "propertyId") ?? Address(settings);

    private static ApiProblem UnknownGrant() => ApiProblem.Invalid("grant", "'grant' is not known: it was used, is older than an hour, or is somebody else's. Sign in at Google again.");

    private static void CheckGrant(Dictionary<string, string[]> errors, ConnectRequest body, IConnector connector)
    {
        if (body.Settings is not null) errors["settings"] = [$"'settings' must be left out: {connector.DisplayName} is connected by 'grant' and 'propertyId'."];
        if (body.Credentials is not null) errors["credentials"] = [$"'credentials' must be left out: {connector.DisplayName} is connected by 'grant' and 'propertyId'."];
        if (body.Grant is null) errors["grant"] = ["'grant' must be what a sign-in at Google or the key of a service account gave."];
        if (body.PropertyId is not { Length: > 0 and <= 20 } id || !id.All(char.IsAsciiDigit)) errors["propertyId"] = ["'propertyId' must be a number of up to 20 digits, one of the grant's properties."];
    }

    private static void CheckName(Dictionary<string, string[]> errors, string? name)
    {
        if (name is not null && PlainText.Fault("displayName", name, 60) is { } fault) errors["displayName"] = [fault];
    }

    /// <summary>Sources are told apart by what they are called: on lists, in filters, in the names of tiles.</summary>
    private static async Task ThrowIfTakenAsync(TenantTransaction tx, Guid? own, string? given)
    {
        if (given?.Trim() is not { } name) return;
        var taken = await tx.QuerySingleAsync<bool>(
            """
            select exists (select 1 from integrations where tenant_id = @tenant and status <> 'disconnected' and id is distinct from @own::uuid
                           and lower(display_name) = lower(@name))
            """, new { own, name });
        if (taken) throw ApiProblem.Invalid("displayName", $"'displayName' is \"{name}\", and another source is called so already.");
    }

    private static void CheckHour(Dictionary<string, string[]> errors, int? hour)
    {
        if (hour is < 0 or > 23) errors["syncHour"] = ["'syncHour' must be 0 to 23: the hour of the day, in the time zone of the business."];
    }

    private static void CheckRhythm(Dictionary<string, string[]> errors, UpdateIntegrationRequest body)
    {
        if (body.LateAfterHours is < 1 or > 2160) errors["lateAfterHours"] = ["'lateAfterHours' must be 1 to 2160: how many hours it may send nothing before it is late."];
        else if (body is { Rhythm: PushRhythmKind.Fixed, LateAfterHours: null })
            errors["lateAfterHours"] = ["'lateAfterHours' is missing: how many hours it may send nothing before it is late."];
        else if (body is { Rhythm: not null and not PushRhythmKind.Fixed, LateAfterHours: not null })
            errors["lateAfterHours"] = ["'lateAfterHours' goes with the rhythm 'fixed' only; leave it out."];
    }

    private static (JsonObject Before, JsonObject After) Changes(Row before, Row after)
    {
        var (was, became) = (new JsonObject(), new JsonObject());
        if (before.DisplayName != after.DisplayName) (was["displayName"], became["displayName"]) = (before.DisplayName, after.DisplayName);
        if (before.Schedule != after.Schedule) (was["schedule"], became["schedule"]) = (before.Schedule, after.Schedule);
        if (before.ReadsMessages != after.ReadsMessages) (was["readMessages"], became["readMessages"]) = (before.ReadsMessages, after.ReadsMessages);
        if (before.SyncHour != after.SyncHour) (was["syncHour"], became["syncHour"]) = (before.SyncHour, after.SyncHour);
        if (before.Rhythm != after.Rhythm) (was["rhythm"], became["rhythm"]) = (before.Rhythm, after.Rhythm);
        if (before.LateAfterHours != after.LateAfterHours) (was["lateAfterHours"], became["lateAfterHours"]) = (before.LateAfterHours, after.LateAfterHours);
        return (was, became);
    }

    /// <summary>A connected integration, or the problem that there is none: another tenant's is answered as one that never was.</summary>
    private static async Task<Row> FindAsync(TenantTransaction tx, string id, bool lockIt)
    {
        _ = Guid.TryParseExact(id, "D", out var integration);
        var row = await tx.QuerySingleOrDefaultAsync<Row>(Row.Select + "id = @integration and status <> 'disconnected'" + (lockIt ? " for update" : ""), new { integration });
        return row ?? throw ApiProblem.NotFound("There is no such integration.");
    }

    /// <summary>All of a connector, the disconnected ones too, in the order in which they came.</summary>
    private static Task<IReadOnlyList<Row>> OfConnectorAsync(TenantTransaction tx, string connector, bool lockThem) =>
        tx.QueryAsync<Row>(Row.Select + "connector = @connector order by source" + (lockThem ? " for update" : ""), new { connector });

    private static string? Address(JsonElement settings) => Text(settings, "baseUrl");

    private static string? Text(JsonElement settings, string name) =>
        settings.ValueKind == JsonValueKind.Object && settings.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    [LoggerMessage(3601, LogLevel.Information, "The permission of integration {IntegrationId} was given back to the provider: {Revoked}")]
    private partial void LogRevoked(Guid integrationId, bool revoked);

    private sealed record Row(
        Guid Id, string Connector, string DisplayName, string Status, string Schedule, int SyncHour, string Settings, byte[]? Credentials, string? Address, string? PropertyId, string? PropertyName, bool PushOnly,
        bool ReadsMessages, string Rhythm, int? LateAfterHours)
    {
        public const string Select =
            """
            select id, connector, display_name as DisplayName, status, schedule, sync_hour::int as SyncHour, settings::text as Settings, credentials,
                   settings ->> 'baseUrl' as Address, settings ->> 'propertyId' as PropertyId, settings ->> 'propertyName' as PropertyName, coalesce(settings ->> 'pushOnly' = 'true', false) as PushOnly,
                   reads_messages as ReadsMessages, push_rhythm as Rhythm, late_after_hours as LateAfterHours
            from integrations where tenant_id = @tenant and
            """ + " ";
    }
}

/// <summary>How often a source is read.</summary>
[JsonConverter(typeof(SnakeCaseEnum<SyncSchedule>))]
internal enum SyncSchedule
{
    /// <summary>Once a day, at an hour of the business's own time.</summary>
    Daily,

    /// <summary>Every hour.</summary>
    Hourly,

    /// <summary>Every 15 minutes.</summary>
    QuarterHourly,
}

/// <summary>
/// Connect a source by address and key, or by a grant and one of its properties. Left out: the connector's own name, daily, at 4. <c>acceptFewer</c>: go on with a key that
/// does not show all workflows that are known here.
/// </summary>
internal sealed record ConnectRequest(
    string Connector, ConnectSettingsRequest? Settings = null, ConnectCredentialsRequest? Credentials = null, string? DisplayName = null, SyncSchedule? Schedule = null, int? SyncHour = null,
    Guid? Grant = null, string? PropertyId = null, bool? AcceptFewer = null);

/// <summary>Where it is.</summary>
internal sealed record ConnectSettingsRequest(string? BaseUrl = null);

/// <summary>The key; sealed at once, and never given back.</summary>
internal sealed record ConnectCredentialsRequest(string? ApiKey = null);

/// <summary>
/// Change a connection; what is left out stays. A key or a grant takes the place of the one before; the property stays. <c>readMessages</c>: whether an automation
/// source is asked why single runs failed; false also forgets what it said. <c>acceptFewer</c>: take a key that does not show all workflows that are known here. Of a
/// source that is only pushed to: by what it is late, <c>lateAfterHours</c> with <c>fixed</c>.
/// </summary>
internal sealed record UpdateIntegrationRequest(
    string? DisplayName = null, SyncSchedule? Schedule = null, int? SyncHour = null, ConnectCredentialsRequest? Credentials = null, Guid? Grant = null,
    bool? ReadMessages = null, bool? AcceptFewer = null, PushRhythmKind? Rhythm = null, int? LateAfterHours = null);

/// <summary>Whether a connection works, in a sentence. <c>field</c>: what to look at, <c>settings.baseUrl</c>, <c>credentials.apiKey</c>, <c>grant</c> or <c>propertyId</c>.</summary>
internal sealed record ConnectionTestResponse(bool Works, string Message, string? Field);

/// <summary>
/// Minutes that one success saves; null: what the source says. They count from today on, and for days of which nothing was said before; <c>applyToPast</c>: for all days.
/// </summary>
internal sealed record UpdateWorkflowRequest(decimal? MinutesSaved, bool? ApplyToPast = null);

/// <summary>The workflows of a source.</summary>
internal sealed record WorkflowsResponse(IReadOnlyList<WorkflowEntry> Workflows);

/// <summary>
/// A workflow. <c>minutesSaved</c>: minutes that one success saves as set here, which wins; <c>providerMinutesSaved</c>: as the source says. <c>keepsSuccesses</c> false: the
/// source throws successes away, so they are not measurable. <c>gone</c>: the source has it no more. <c>shown</c> false: the key does not show it any more, whether or not it is
/// there.
/// </summary>
internal sealed record WorkflowEntry(string Id, string Name, bool Active, bool KeepsSuccesses, decimal? MinutesSaved, decimal? ProviderMinutesSaved, bool Gone, bool Shown)
{
    internal const string Select =
        """
        select workflow_id as Id, name, active, keeps_successes as KeepsSuccesses, minutes_saved as MinutesSaved, provider_minutes_saved as ProviderMinutesSaved,
               gone_at is not null as Gone, gone_at is null and hidden_at is null as Shown
        from workflows where tenant_id = @tenant and integration_id = @integration
        """ + " ";
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ConnectRequest))]
[JsonSerializable(typeof(UpdateIntegrationRequest))]
[JsonSerializable(typeof(ConnectionTestResponse))]
[JsonSerializable(typeof(UpdateWorkflowRequest))]
[JsonSerializable(typeof(WorkflowsResponse))]
internal sealed partial class IntegrationJson : JsonSerializerContext;
