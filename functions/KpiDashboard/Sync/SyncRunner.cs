using System.Diagnostics;
using System.Text.Json;
using KpiDashboard.Automation;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Security;
using KpiDashboard.Sources;
using KpiDashboard.Telemetry;
using KpiDashboard.Tenancy;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Sync;

/// <summary>
/// Moves a run on by one step, as one message asks: take the lease, ask the connector, write what it read together with the state of the run in one
/// transaction, and enqueue the next step. Safe to call any number of times with the same message, at once or one after the other.
/// </summary>
public sealed partial class SyncRunner
{
    /// <summary>How long a lease lasts without renewal: after a killed process the integration is free again after this.</summary>
    internal static readonly TimeSpan LeaseTime = TimeSpan.FromMinutes(2);

    /// <summary>Longest fetch of one step; below the host's functionTimeout of 10 minutes.</summary>
    internal static readonly TimeSpan FetchTime = TimeSpan.FromMinutes(8);

    /// <summary>A message may come this much before its time: clocks differ.</summary>
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(5);

    internal static readonly ActivitySource Activities = new("KpiDashboard.Sync");

    private readonly Database _database;
    private readonly ISyncQueues _queues;
    private readonly Dictionary<string, IConnector> _connectors;
    private readonly ProviderCircuits _circuits;
    private readonly SecretSealer _sealer;
    private readonly Instruments _instruments;
    private readonly TimeProvider _time;
    private readonly ILogger<SyncRunner> _logger;
    private readonly FailureMessages _messages;

    internal SyncRunner(
        Database database, ISyncQueues queues, IEnumerable<IConnector> connectors, ProviderCircuits circuits, SecretSealer sealer, Instruments instruments, TimeProvider time,
        ILogger<SyncRunner> logger)
    {
        _database = database;
        _queues = queues;
        _circuits = circuits;
        _connectors = connectors.ToDictionary(connector => connector.Key, StringComparer.Ordinal);
        _sealer = sealer;
        _instruments = instruments;
        _time = time;
        _logger = logger;
        _messages = new FailureMessages(database, sealer, time, logger);
    }

    /// <summary>Handles one message of <c>sync-&lt;connector&gt;</c>.</summary>
    /// <exception cref="Exception">A fault of ours: the queue delivers the message again, and after five times to the poison queue.</exception>
    public async Task RunAsync(SyncMessage message, CancellationToken cancellationToken)
    {
        if (message.V != SyncMessage.CurrentVersion) throw new InvalidOperationException($"A sync message of version {message.V} is not known to this build.");
        using var activity = Begin("sync step", message.Traceparent);
        activity.SetTag("kpi.run", message.RunId);
        activity.SetCustomProperty(SpanGuard.Tenant, message.TenantId);
        try
        {
            await StepAsync(message, activity, cancellationToken);
        }
        catch (Exception error)
        {
            activity.SetStatus(ActivityStatusCode.Error, error.GetType().Name);
            throw;
        }
    }

    private async Task StepAsync(SyncMessage message, Activity activity, CancellationToken cancellationToken)
    {
        var tally = new Tally();
        var asks = false;
        var (step, next) = await BeginAsync(message, tally, cancellationToken);
        if (step is not null)
        {
            var buffer = new FetchBuffer();
            FetchOutcome outcome;
            DateTimeOffset? circuitUntil;
            try
            {
                outcome = await FetchAsync(step, buffer, cancellationToken);
                activity.SetTag("kpi.outcome", FetchOutcomes.NameOf(outcome));
                if (outcome is ProviderDown or AuthorizationLost or RequestRefused) activity.SetStatus(ActivityStatusCode.Error, FetchOutcomes.NameOf(outcome));
                circuitUntil = await NoteAnswerAsync(step, outcome, cancellationToken);
            }
            catch (Exception error)
            {
                await ReleaseAsync(step, error is OperationCanceledException ? null : error);
                throw;
            }

            try
            {
                next = await FinishAsync(step, outcome, buffer, circuitUntil, cancellationToken);
            }
            catch when (HasAnswered(outcome))
            {
                await TellAnsweredAsync(step);
                throw;
            }

            asks = step.Untold && next is null && outcome is FetchSucceeded;
        }

        // Only now: what was rolled back did not happen.
        tally.Count(_instruments);

        if (asks && step!.Connector is IRunsConnector told)
            await _messages.AskAsync(message.TenantId, message.IntegrationId, told, FailureMessages.MostAfterSync, cancellationToken);
        if (next is null) return;
        await _queues.SendAsync(next.Connector, message with { Step = next.Step, Traceparent = activity.Id ?? message.Traceparent }, next.Delay, cancellationToken);
        await _database.ExecuteAsync("select mark_enqueued(@runs, @now)", new { runs = new[] { message.RunId }, now = _time.GetUtcNow() }, cancellationToken);
    }

    /// <summary>
    /// Goes on with the trace that a message carries. Whether or not somebody listens there is an activity: what is called from here passes the trace on, and
    /// so does the next message.
    /// </summary>
    internal static Activity Begin(string name, string? traceparent)
    {
        if (Activities.StartActivity(name, ActivityKind.Consumer, traceparent) is { } heard) return heard;
        var activity = new Activity(name);
        if (traceparent is not null) activity.SetParentId(traceparent);
        return activity.Start();
    }

    /// <summary>Tells the provider's circuit how it went; returns until when nobody asks the provider, if it is down.</summary>
    private async Task<DateTimeOffset?> NoteAnswerAsync(Step step, FetchOutcome outcome, CancellationToken cancellationToken)
    {
        switch (outcome)
        {
            case ProviderDown down:
                var until = await _circuits.FailedAsync(step.Provider, step.Message.IntegrationId, step.Message.RunId, cancellationToken);
                return down.RetryAfter > until ? down.RetryAfter : until;
            // FinishAsync tells it, in the transaction that it needs anyway.
            case var answered when HasAnswered(answered):
                return null;
            default:
                await _circuits.ReleaseAsync(step.Provider, step.Message.RunId, cancellationToken);
                return null;
        }
    }

    /// <summary>"Not so fast" is an answer, too.</summary>
    private static bool HasAnswered(FetchOutcome outcome) => outcome is FetchSucceeded or RateLimited or QuotaExhausted;

    /// <summary>Takes the lease and plans; no step when there is nothing to do for this message, or nothing but to send it again later.</summary>
    private Task<(Step? Step, NextStep? Next)> BeginAsync(SyncMessage message, Tally tally, CancellationToken cancellationToken) =>
        _database.InTenantAsync<(Step?, NextStep?)>(message.TenantId, async tx =>
        {
            var now = _time.GetUtcNow();
            // Integration before run, as FinishAsync takes them: the other way round two messages of one integration may wait for each
            // other. Both rows as they are once they are locked, whatever the statement saw when it began to wait.
            var row = await tx.QuerySingleOrDefaultAsync<RunRow>(
                """
                select r.connector, r.status, r.step, r.window_from as WindowFrom, r.window_to as WindowTo, r.slices_done as SlicesDone, r.checkpoint, r.attempts,
                       r.waits, r.next_attempt_at as NextAttemptAt, i.status as IntegrationStatus, i.settings::text as Settings, i.credentials,
                       safe_zone(coalesce(i.time_zone, t.time_zone)) as Zone, safe_zone(t.time_zone) as TenantZone, i.read_from as ReadFrom, i.read_to as ReadTo, i.backfilled_at as BackfilledAt, i.deep_read_at as DeepReadAt,
                       i.measurable_from as MeasurableFrom,
                       array_to_string(r.doubted_days, ',') as DoubtedDays, i.lease_until as LeaseUntil
                from integrations i
                join sync_runs r on r.tenant_id = i.tenant_id and r.integration_id = i.id
                join tenants t on t.id = i.tenant_id
                where i.tenant_id = @tenant and i.id = @integration and r.tenant_id = @tenant and r.id = @run
                for update of i, r
                """,
                new { run = message.RunId, integration = message.IntegrationId });
            if (row is null)
            {
                LogUnknownRun(message.RunId);
                return default;
            }

            var isLive = row.Status is "queued" or "running" or "waiting";
            if (!isLive || message.Step < row.Step)
            {
                LogDuplicate(message.RunId, message.Step, row.Step, row.Status);
                return default;
            }

            if (row.NextAttemptAt > now + Early)
            {
                // The queue's clock, another host's clock and ours differ, and a queue hides a message for some days at most. A duplicate goes the same way,
                // and is told from the message that is awaited when both are due.
                LogEarly(message.RunId);
                return (null, new NextStep(row.Connector, message.Step, row.NextAttemptAt.Value - now));
            }

            if (row.IntegrationStatus != "active")
            {
                (tally.Connector, tally.Ended) = (row.Connector, "failed");
                await EndRunAsync(tx, message.RunId, "failed", row.IntegrationStatus == "paused" ? "The integration is paused." : "The integration must be connected again.", now);
                await TenantProfile.BumpVersionAsync(tx);
                return default;
            }

            tally.Connector = row.Connector;
            if (!_connectors.TryGetValue(row.Connector, out var connector))
                throw new InvalidOperationException($"There is no connector '{row.Connector}' in this build.");

            if (row.LeaseUntil >= now)
            {
                // Somebody is at it. Should he die, the sweeper sends this run again once his lease is over.
                LogLeased(message.RunId);
                return default;
            }

            var lease = Guid.CreateVersion7(now);
            var settings = Parse(row.Settings);
            var provider = connector.ProviderKey(settings);
            var zone = TimeZoneNames.Of(row.Zone);
            var window = row is { WindowFrom: { } from, WindowTo: { } to } ? new DayWindow(from, to) : SyncWindow.Plan(row.ReadTo, row.BackfilledAt, row.DeepReadAt, LocalDay.Of(now, zone), now);
            var slices = connector.Slice(window);
            var taken = await TakeAsync(tx, message, row, connector, lease, provider, window, slices, now);
            if (!taken.Admitted)
            {
                await TenantProfile.BumpVersionAsync(tx);
                var retryAt = taken.RetryAt ?? now + ProviderCircuits.FirstWait;
                return (null, await WaitForProviderAsync(tx, tally, message, row, connector, retryAt, now));
            }

            return (new Step(
                message, tally, connector, provider, lease, row, window, slices,
                new FetchRequest
                {
                    IntegrationId = message.IntegrationId,
                    Window = slices[row.SlicesDone],
                    TimeZone = zone,
                    Settings = settings,
                    Credentials = row.Credentials is null ? Parse("{}") : Parse(_sealer.Open(row.Credentials, CredentialPurpose(message.IntegrationId))),
                    Checkpoint = row.Checkpoint,
                    ReadThrough = row.BackfilledAt is null ? null : row.ReadTo,
                    UnfinishedExecutions = RunDetails.TextsOf(taken.Unfinished),
                    UndividedDays = BreakdownWriter.Undivided(taken.Undivided),
                }), null);
        }, cancellationToken);

    /// <summary>
    /// If the run may call its provider now, takes the lease, which is free, and marks the run; and tells what else the connector is
    /// told: runs whose end is not known, and days that lack a division.
    /// </summary>
    private static Task<Taken> TakeAsync(
        TenantTransaction tx, SyncMessage message, RunRow row, IConnector connector, Guid lease, string provider, DayWindow window,
        IReadOnlyList<DayWindow> slices, DateTimeOffset now)
    {
        var parameters = new SqlParameters(new
        {
            key = ProviderCircuits.KeyOf(provider),
            probe = ProviderCircuits.ProbeTime,
            lease,
            until = now + LeaseTime,
            integrationId = message.IntegrationId,
            run = message.RunId,
            from = window.From,
            to = window.To,
            total = slices.Count,
            isNew = row.Status == "queued",
            now,
        });
        // The newest days before a slice that lack a division. Not during a first sync, which comes to them anyway.
        var undivided = "null";
        var slice = slices[row.SlicesDone];
        if (connector.Dimensions.Count > 0 && row is { SlicesDone: 0, BackfilledAt: not null }
            && SourceState.Pulses.TryGetValue(connector.Key, out var pulse))
        {
            undivided = BreakdownWriter.UndividedDays;
            parameters.Add(BreakdownWriter.Parameters(pulse.Key, connector.Dimensions, SyncWindow.BackfillFrom(slice.To),
                slice.From.AddDays(-1)));
        }

        return tx.QuerySingleAsync<Taken>(
            $"""
            with admission as materialized (select admitted, retry_at from admit_to_provider(@key, @run, @now, @probe)),
            leased as (
                update integrations i set lease_token = @lease, lease_until = @until
                from admission a
                where a.admitted and i.tenant_id = @tenant and i.id = @integrationId
            ),
            begun as (
                update sync_runs r
                set status = 'running', window_from = @from, window_to = @to, slices_total = @total,
                    started_at = coalesce(started_at, @now), updated_at = @now, next_attempt_at = null, message = null
                from admission a
                where a.admitted and r.tenant_id = @tenant and r.id = @run
            ),
            noticed as (
                update tenants t set data_version = t.data_version + 1 from admission a where a.admitted and @isNew and t.id = @tenant
            )
            select a.admitted as Admitted, a.retry_at as RetryAt, {AutomationWriter.Unfinished} as Unfinished,
                   {undivided}::text as Undivided
            from admission a
            """,
            parameters);
    }

    private async Task<FetchOutcome> FetchAsync(Step step, FetchBuffer buffer, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(FetchTime, _time);
        using var leaseLost = new CancellationTokenSource();
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token, leaseLost.Token);
        using var renewalEnd = new CancellationTokenSource();
        var renewal = RenewAsync(step, leaseLost, renewalEnd.Token);
        using var activity = Activities.StartActivity($"fetch {step.Connector.Key}");
        var started = _time.GetTimestamp();
        FetchOutcome? outcome = null;
        try
        {
            return outcome = await step.Connector.FetchAsync(step.Request, buffer, linked.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return outcome = new ProviderDown($"{step.Connector.DisplayName} took longer than {FetchTime.TotalMinutes:0} minutes to answer.");
        }
        finally
        {
            if (!cancellationToken.IsCancellationRequested) _instruments.Answered(step.Connector.Key, outcome, _time.GetElapsedTime(started));
            activity?.SetTag("kpi.outcome", FetchOutcomes.NameOf(outcome));
            if (outcome is null or ProviderDown or AuthorizationLost or RequestRefused) activity?.SetStatus(ActivityStatusCode.Error, FetchOutcomes.NameOf(outcome));
            await renewalEnd.CancelAsync();
            await renewal;
        }
    }

    private async Task RenewAsync(Step step, CancellationTokenSource leaseLost, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(LeaseTime / 4, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                var held = await _database.InTenantAsync(step.Message.TenantId, tx => tx.ExecuteAsync(
                    "update integrations set lease_until = @until where tenant_id = @tenant and id = @integration and lease_token = @lease",
                    new { until = _time.GetUtcNow() + LeaseTime, integration = step.Message.IntegrationId, lease = step.Lease }), cancellationToken);
                if (held == 0) await leaseLost.CancelAsync();
            }
        }
        catch (OperationCanceledException) { }
        catch (Exception error) when (error is Npgsql.NpgsqlException or TimeoutException)
        {
            // Without the database the fetch cannot be written anyway; the lease token guards against writing late.
            LogRenewalFailed(error, step.Message.RunId);
        }
    }

    /// <summary>Writes the outcome; returns the next step to enqueue, or null when the run is over.</summary>
    private Task<NextStep?> FinishAsync(Step step, FetchOutcome outcome, FetchBuffer buffer, DateTimeOffset? circuitUntil, CancellationToken cancellationToken) =>
        _database.InTenantAsync(step.Message.TenantId, async tx =>
        {
            var now = _time.GetUtcNow();
            if (await HoldAsync(tx, step, outcome, buffer) is not { } held)
            {
                // The lease ran out and another worker has it: its result counts, this one is dropped whole.
                LogLeaseLost(step.Message.RunId);
                return null;
            }

            return outcome switch
            {
                FetchSucceeded succeeded => await SucceedAsync(tx, step, held, succeeded, buffer, now),
                RateLimited limited => await WaitAsync(tx, step, outcome, limited.Until, limited.Reason, now),
                QuotaExhausted quota => await WaitAsync(tx, step, outcome, quota.Until, quota.Reason, now),
                // Everybody's trouble is not this run's failure.
                ProviderDown when circuitUntil is { } until => await WaitForProviderAsync(tx, step.Tally, step.Message, step.Row, step.Connector, until, now),
                ProviderDown down => await FailAttemptAsync(tx, step, down, now),
                AuthorizationLost lost => await LoseAuthorizationAsync(tx, step, lost, now),
                RequestRefused refused => await FailRunAsync(tx, step, refused.Reason, now),
                _ => throw new InvalidOperationException($"{outcome.GetType().Name} is an outcome that the runner does not know."),
            };
        }, cancellationToken);

    /// <summary>
    /// Gives the lease back and holds the integration and the business, in this order, against everybody else who writes: what later
    /// statements of the transaction see is all that was written before. Null if the lease is another's by now. Tells the circuit of the
    /// provider that it answered, if it did.
    /// </summary>
    private static Task<Held?> HoldAsync(TenantTransaction tx, Step step, FetchOutcome outcome, FetchBuffer buffer)
    {
        var succeeded = outcome as FetchSucceeded;
        var empty = (succeeded?.EmptyDays ?? []).ToHashSet();
        var read = buffer.Readings.Keys.Where(reading => empty.Contains(reading.Day)).ToList();
        return tx.QuerySingleOrDefaultAsync<Held>(
            """
            with held as (
                update integrations set lease_token = null, lease_until = null
                where tenant_id = @tenant and id = @integration and lease_token = @lease
                returning source, first_day, workflows_listed_at, key_changed_at
            ),
            answered as materialized (select provider_answered(@answered) from held where @answered is not null),
            -- As KpiWriter.Lock does, for the rest of the transaction.
            planned as materialized (select set_config('plan_cache_mode', 'force_custom_plan', true) from held),
            noticed as (update tenants set data_version = data_version + 1 where id = @tenant and exists (select 1 from held))
            select h.source as Source, h.first_day is not null as HasValues, h.workflows_listed_at as ListedAt,
                   h.key_changed_at as KeyChangedAt, ((select count(*) from answered) + (select count(*) from planned))::int as Told,
                   @zone::text is null or knows_zone(@zone) as KnowsZone,
                   -- Days for which this answer held nothing although there are values of them. Only whoever holds the lease writes such
                   -- a source.
                   (select string_agg(distinct d.day::text, ',')
                    from unnest(@days) as d (day)
                    join kpi_months m on m.tenant_id = @tenant and m.month = date_trunc('month', d.day)::date and m.source = h.source
                    join kpi_keys k on k.tenant_id = @tenant and k.number = m.kpi
                    where m.days[extract(day from d.day)::integer] <> 0
                      and not exists (
                          select 1 from unnest(@kpis, @readDays) as r (kpi, day) where r.kpi = k.key and r.day = d.day)) as Emptied
            from held h
            """,
            new
            {
                integration = step.Message.IntegrationId,
                lease = step.Lease,
                answered = HasAnswered(outcome) ? ProviderCircuits.KeyOf(step.Provider) : null,
                zone = succeeded?.TimeZone is { } named && TimeZoneNames.Find(named) is not null ? named : null,
                days = empty.ToArray(),
                kpis = read.Select(reading => reading.Kpi).ToArray(),
                readDays = read.Select(reading => reading.Day).ToArray(),
            });
    }

    private async Task<NextStep?> SucceedAsync(TenantTransaction tx, Step step, Held held, FetchSucceeded outcome, FetchBuffer buffer,
        DateTimeOffset now)
    {
        var (message, row) = (step.Message, step.Row);
        var zone = outcome.TimeZone is { } named ? TimeZoneNames.Find(named) : step.Request.TimeZone;
        if (zone is null || !held.KnowsZone)
        {
            await WriteRequestsAsync(tx, message.RunId, buffer.Requests);
            return await FailRunAsync(tx, step, UnknownZone(step.Connector, outcome.TimeZone!), now);
        }

        var emptied = KpiValues.DaysOf(held.Emptied);
        var asked = KpiValues.DaysOf(row.DoubtedDays).ToHashSet();
        if (!emptied.All(asked.Contains))
        {
            await WriteRequestsAsync(tx, message.RunId, buffer.Requests);
            return await DoubtAsync(tx, step, [.. asked.Union(emptied).Order()], now);
        }

        var today = LocalDay.Of(now, zone);
        var readings = buffer.Readings.Select(reading => (reading.Key.Kpi, reading.Key.Day, reading.Value)).ToList();
        // What is older was pruned at the source, or comes with a later step.
        var fullFrom = outcome.ReadInFullFrom ?? step.Request.Window.From;
        if (outcome.MeasurableFrom > fullFrom) fullFrom = outcome.MeasurableFrom.Value;
        // What was not known when all was read for the first time did not become known by reading it again.
        if (row.BackfilledAt is not null && row.MeasurableFrom > fullFrom) fullFrom = row.MeasurableFrom.Value;
        var (counted, fewer) = await RollUpAsync(tx, step, held, outcome, buffer, fullFrom, today, now);
        readings.AddRange(counted);
        if (fewer is not null) outcome = outcome with { Shortfall = outcome.Shortfall is null ? fewer : $"{fewer} {outcome.Shortfall}" };
        // A day that was counted again has what was counted, and nothing else that once was.
        var withdrawn = emptied.Concat(counted.Select(reading => reading.Day)).ToHashSet();
        if (emptied.Count > 0) await BreakdownWriter.WithdrawAsync(tx, emptied, message.IntegrationId);
        if (outcome.Shortfall is not null) LogShortfall(message.RunId, step.Connector.Key);

        var sliceDone = outcome.Checkpoint is null;
        var runDone = sliceDone && row.SlicesDone + 1 >= step.Slices.Count;
        // The rest of a backfill can wait for the allowance to fill up; today's numbers, which come first, are there.
        var slow = runDone ? null : outcome.SlowDown;
        var progress = new Progress(zone.Id, today, fullFrom, sliceDone, runDone, slow);
        var written = await RecordAsync(tx, step, held, outcome, buffer, readings, withdrawn, progress, now);
        if (written.Gone > 0) await KpiWriter.DropEmptyAsync(tx, message.IntegrationId, withdrawn.Min(), withdrawn.Max());

        (step.Tally.Readings, step.Tally.Restated) = (readings.Count, written.Restated);
        if (slow is not null)
        {
            step.Tally.Wait = "slow_down";
            return new NextStep(row.Connector, row.Step + 1, slow.Until - now);
        }

        if (!runDone) return new NextStep(row.Connector, row.Step + 1, TimeSpan.Zero);
        step.Untold = written.Untold;
        step.Tally.Ended = "succeeded";
        LogSucceeded(message.RunId, step.Connector.Key, written.Changed, written.Restated);
        return null;
    }

    /// <summary>Writes everything that a step read, and how far the integration and the run are with it: one statement, in which each table
    /// is written once.</summary>
    private static Task<Written> RecordAsync(
        TenantTransaction tx, Step step, Held held, FetchSucceeded outcome, FetchBuffer buffer,
        List<(string Kpi, DateOnly Day, decimal Value)> readings, IReadOnlySet<DateOnly> withdrawn, Progress progress,
        DateTimeOffset now)
    {
        var isNewest = step.Row.SlicesDone == 0;
        var parameters = new SqlParameters(KpiWriter.Parameters(readings, withdrawn));
        parameters.Add(Parameters(buffer.Requests));
        parameters.Add(new
        {
            source = held.Source,
            integrationId = step.Message.IntegrationId,
            runId = step.Message.RunId,
            today = progress.Today,
            now,
            first = readings.Count == 0 ? (DateOnly?)null : readings.Min(reading => reading.Day),
            isNewest,
            timeZone = progress.Zone,
            told = outcome.TimeZone is not null,
            // Whatever a connector hands on: only a currency is kept as one.
            currency = Currencies.OrNull(outcome.Currency),
            completeThrough = outcome.CompleteThrough,
            finalThrough = outcome.FinalThrough,
            measurableFrom = outcome.MeasurableFrom,
            // The range read is free of gaps at every moment: slices come newest first, and older runs reach back at least to the end of
            // it.
            readFrom = progress.FullFrom <= step.Window.To ? progress.FullFrom : (DateOnly?)null,
            readTo = isNewest ? step.Window.To : (DateOnly?)null,
            deep = progress.RunDone && step.Window.Days > SyncWindow.DeepDays,
            backfill = progress.RunDone && step.Window.From <= SyncWindow.BackfillFrom(step.Window.To),
            shortfall = outcome.Shortfall,
            checkpoint = outcome.Checkpoint,
            slices = progress.SliceDone ? 1 : 0,
            count = readings.Count,
            done = progress.RunDone,
            slowUntil = progress.Slow?.Until,
            slowReason = progress.Slow?.Reason,
            asksWhy = progress.RunDone && step.Connector is IRunsConnector,
        });
        var divides = step.Connector.Dimensions.Count > 0 || buffer.Breakdowns.Count > 0;
        if (divides) parameters.Add(BreakdownWriter.Parameters(buffer.Breakdowns, step.Request.Window));
        return tx.QuerySingleAsync<Written>(divides ? RecordDivided : Record, parameters);
    }

    private const string Record = $"with source as (select @source::smallint as number),\n{KpiWriter.Arms},\n{ProgressArms}";

    private const string RecordDivided = $"with source as (select @source::smallint as number),\n{KpiWriter.Arms},\n{BreakdownWriter.Arms},\n{ProgressArms}";

    private const string ProgressArms =
        $"""
        asked as (
            insert into sync_requests (tenant_id, run_id, operation, request, metadata, fetched_at, rows, sampled, thresholded)
            {Requests}
        ),
        counts as (select {KpiWriter.Counts}),
        progressed as (
            update integrations
            set time_zone = case when @told then @timeZone else time_zone end, currency = coalesce(@currency, currency),
                first_day = least(first_day, @first),
                fetched_at = case when @isNewest then @now else fetched_at end,
                complete_through = case when @isNewest then coalesce(@completeThrough, complete_through) else coalesce(complete_through, @completeThrough) end,
                -- What is not complete cannot be final: whichever of the two this answer told, the other may be an earlier one's.
                final_through = final_within(
                    case when not @isNewest then final_through
                         when @finalThrough::date is null then final_through
                         else least(@finalThrough::date, {AutomationWriter.FirstUnfinishedDay} - 1) end,
                    case when @isNewest then coalesce(@completeThrough, complete_through) else coalesce(complete_through, @completeThrough) end),
                measurable_from = coalesce(measurable_from, @measurableFrom),
                read_from = least(read_from, @readFrom), read_to = greatest(read_to, @readTo),
                deep_read_at = case when @deep then @now else deep_read_at end,
                backfilled_at = case when @backfill then coalesce(backfilled_at, @now) else backfilled_at end,
                consecutive_failures = 0, last_error = null
            where tenant_id = @tenant and id = @integrationId
        ),
        ran as (
            update sync_runs r
            set step = r.step + 1, checkpoint = @checkpoint, slices_done = r.slices_done + @slices, attempts = 0,
                doubted_days = '{Nothing}', readings = r.readings + @count, changed = r.changed + c.changed,
                restated = r.restated + c.restated, updated_at = @now, enqueued_at = null, shortfall = n.shortfall,
                status = case when n.ends then 'succeeded' when n.waits then 'waiting' else r.status end,
                -- Of all its steps: what an early one could not read is not made good by the last.
                message = case when n.ends then n.shortfall when n.waits then @slowReason else r.message end,
                finished_at = case when n.ends then @now else r.finished_at end,
                next_attempt_at = case when n.ends then null when n.waits then @slowUntil else r.next_attempt_at end
            from counts c
            cross join (
                select @done and o.status in ('queued', 'running', 'waiting') as ends, @slowUntil::timestamptz is not null as waits,
                       -- The same sentence of several steps is said once.
                       case when @shortfall::text is null or position(@shortfall in o.shortfall) > 0 then o.shortfall
                            when char_length(coalesce(o.shortfall, '')) + char_length(@shortfall) > 3000 then o.shortfall
                            else concat_ws(' ', o.shortfall, @shortfall) end as shortfall
                from sync_runs o where o.tenant_id = @tenant and o.id = @runId
            ) n
            where r.tenant_id = @tenant and r.id = @runId
        )
        select c.changed as Changed, c.restated as Restated, c.gone as Gone, @asksWhy and exists (select 1 {RunDetails.Untold}) as Untold
        from counts c
        """;

    private const string Nothing = "{}";

    /// <summary>Days cannot be told from each other in a zone that we cannot reckon in; guessing another would put numbers on wrong days.</summary>
    private static string UnknownZone(IConnector connector, string name)
    {
        var shown = new string([.. name.Where(c => c is > ' ' and <= '~').Take(64)]);
        return $"{connector.DisplayName} says that its days are those of the time zone \"{shown}\", which is not known here. Set a place such as Europe/Berlin there; until then no numbers "
            + "are read from it.";
    }

    /// <summary>Providers now and then answer with nothing for a day that had data: nothing of such an answer is written, and it is asked for again.</summary>
    private async Task<NextStep?> DoubtAsync(TenantTransaction tx, Step step, DateOnly[] days, DateTimeOffset now)
    {
        var until = now + RetryPolicy.DoubtTime;
        await tx.ExecuteAsync(
            """
            update sync_runs
            set status = 'waiting', step = step + 1, doubted_days = @days, message = @message, next_attempt_at = @until, updated_at = @now, enqueued_at = null
            where tenant_id = @tenant and id = @run
            """,
            new
            {
                days,
                message = $"{step.Connector.DisplayName} sent nothing for {(days.Length == 1 ? "a day" : $"{days.Length} days")} that had numbers; we ask again before we believe that.",
                until,
                now,
                run = step.Message.RunId,
            });
        step.Tally.Wait = "doubt";
        LogDoubt(step.Message.RunId, step.Connector.Key, days.Length);
        return new NextStep(step.Connector.Key, step.Row.Step + 1, until - now);
    }

    private static async Task<(IReadOnlyList<(string Kpi, DateOnly Day, decimal Value)> Readings, string? Shortfall)> RollUpAsync(
        TenantTransaction tx, Step step, Held held, FetchSucceeded outcome, FetchBuffer buffer, DateOnly from, DateOnly today,
            DateTimeOffset now)
    {
        var integration = step.Message.IntegrationId;
        var zone = step.Request.TimeZone;
        var listed = outcome.MeasurableFrom is { } measurable && measurable > step.Request.Window.From ? measurable : step.Request.Window.From;
        var (fewer, undescribed) = await AutomationWriter.WriteAsync(
            tx, integration, new AutomationWriter.Read(buffer.Workflows, buffer.Labels, outcome.ListsAllWorkflows, buffer.Executions,
                outcome.LostExecutions),
            new AutomationWriter.Before(held.ListedAt, held.KeyChangedAt, held.HasValues), listed, zone, now);
        if (buffer.Workflows.Count == 0 && buffer.Executions.Count == 0) return ([], fewer);

        // A long run that ended now may have started before the window, on a day that was added up without its end.
        var earlier = buffer.Executions
            .Select(execution => LocalDay.Of(execution.StartedAt, zone))
            .Where(day => day < from && day >= step.Row.ReadFrom)
            .ToHashSet();

        // Nor was it known what a success of these saves, or whether they are kept at all, when their days were added up.
        if (undescribed is { } since && step.Row.ReadFrom is { } readFrom)
        {
            var first = LocalDay.Of(since, zone);
            if (first < readFrom) first = readFrom;
            for (var day = first; day < from; day = day.AddDays(1)) earlier.Add(day);
        }

        return (await AutomationWriter.RollUpAsync(tx, integration, zone.Id, [(from, today), .. Ranges(earlier)]), fewer);
    }

    /// <summary>Days as ranges without gaps, ascending.</summary>
    internal static IEnumerable<(DateOnly First, DateOnly Last)> Ranges(IEnumerable<DateOnly> days)
    {
        (DateOnly First, DateOnly Last)? open = null;
        foreach (var day in days.Distinct().Order())
        {
            if (open is { } range && range.Last.AddDays(1) == day)
            {
                open = (range.First, day);
                continue;
            }

            if (open is { } done) yield return done;
            open = (day, day);
        }

        if (open is { } left) yield return left;
    }

    /// <summary>The provider's circuit is open: the run waits, however long, and that is neither an attempt nor one of the waits that are counted.</summary>
    private async Task<NextStep> WaitForProviderAsync(TenantTransaction tx, Tally tally, SyncMessage message, RunRow row, IConnector connector, DateTimeOffset retryAt, DateTimeOffset now)
    {
        // Not all at the same moment.
        var until = retryAt + TimeSpan.FromSeconds(60 * RetryPolicy.Jitter(message.RunId, row.Step));
        var shown = TimeZoneInfo.ConvertTime(until.AddSeconds(59), TimeZoneNames.Of(row.TenantZone));
        await tx.ExecuteAsync(
            """
            update sync_runs set status = 'waiting', step = step + 1, message = @reason, next_attempt_at = @until, updated_at = @now, enqueued_at = null
            where tenant_id = @tenant and id = @run
            """,
            new { reason = $"{connector.DisplayName} does not answer at the moment; we try again at {shown:HH:mm}.", until, now, run = message.RunId });
        tally.Wait = "circuit_open";
        LogWaiting(message.RunId, connector.Key, until);
        return new NextStep(connector.Key, row.Step + 1, until - now);
    }

    private async Task<NextStep?> WaitAsync(TenantTransaction tx, Step step, FetchOutcome outcome, DateTimeOffset until, string reason, DateTimeOffset now)
    {
        if (step.Row.Waits + 1 > RetryPolicy.MaxWaits) return await FailRunAsync(tx, step, reason, now);
        await tx.ExecuteAsync(
            """
            update sync_runs
            set status = 'waiting', step = step + 1, waits = waits + 1, message = @reason, next_attempt_at = @until, updated_at = @now, enqueued_at = null
            where tenant_id = @tenant and id = @run
            """,
            new { reason, until, now, run = step.Message.RunId });
        step.Tally.Wait = FetchOutcomes.NameOf(outcome);
        LogWaiting(step.Message.RunId, step.Connector.Key, until);
        return new NextStep(step.Connector.Key, step.Row.Step + 1, until - now);
    }

    private async Task<NextStep?> FailAttemptAsync(TenantTransaction tx, Step step, ProviderDown down, DateTimeOffset now)
    {
        var attempt = step.Row.Attempts + 1;
        if (attempt >= RetryPolicy.MaxAttempts) return await FailRunAsync(tx, step, down.Reason, now);
        var until = now + RetryPolicy.Backoff(attempt, RetryPolicy.Jitter(step.Message.RunId, attempt));
        if (down.RetryAfter > until) until = down.RetryAfter.Value;
        await tx.ExecuteAsync(
            """
            update sync_runs
            set status = 'waiting', step = step + 1, attempts = @attempt, message = @reason, next_attempt_at = @until, updated_at = @now, enqueued_at = null
            where tenant_id = @tenant and id = @run
            """,
            new { attempt, reason = down.Reason, until, now, run = step.Message.RunId });
        step.Tally.Wait = FetchOutcomes.NameOf(down);
        LogWaiting(step.Message.RunId, step.Connector.Key, until);
        return new NextStep(step.Connector.Key, step.Row.Step + 1, until - now);
    }

    private async Task<NextStep?> LoseAuthorizationAsync(TenantTransaction tx, Step step, AuthorizationLost lost, DateTimeOffset now)
    {
        await tx.ExecuteAsync(
            "update integrations set status = 'reconnect_needed', status_message = @reason where tenant_id = @tenant and id = @integration",
            new { reason = lost.Reason, integration = step.Message.IntegrationId });
        await EndRunAsync(tx, step.Message.RunId, "failed", lost.Reason, now);
        step.Tally.Ended = "failed";
        LogFailed(step.Message.RunId, step.Connector.Key);
        return null;
    }

    private async Task<NextStep?> FailRunAsync(TenantTransaction tx, Step step, string reason, DateTimeOffset now)
    {
        await tx.ExecuteAsync(
            "update integrations set consecutive_failures = consecutive_failures + 1, last_error = @reason where tenant_id = @tenant and id = @integration",
            new { reason, integration = step.Message.IntegrationId });
        await EndRunAsync(tx, step.Message.RunId, "failed", reason, now);
        step.Tally.Ended = "failed";
        LogFailed(step.Message.RunId, step.Connector.Key);
        return null;
    }

    /// <summary>Ends a run that is live.</summary>
    internal static Task<int> EndRunAsync(TenantTransaction tx, Guid run, string status, string? message, DateTimeOffset now) => tx.ExecuteAsync(
        """
        update sync_runs set status = @status, message = @message, finished_at = @now, updated_at = @now, next_attempt_at = null
        where tenant_id = @tenant and id = @run and status in ('queued', 'running', 'waiting')
        """,
        new { status, message, now, run });

    /// <summary>Gives the lease back after a fault, so that the queue's next try need not wait for it to run out.</summary>
    private async Task ReleaseAsync(Step step, Exception? error)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), _time);
        try
        {
            await _database.InTenantAsync(step.Message.TenantId, async tx =>
            {
                await tx.ExecuteAsync(
                    "update integrations set lease_token = null, lease_until = null where tenant_id = @tenant and id = @integration and lease_token = @lease",
                    new { integration = step.Message.IntegrationId, lease = step.Lease });
                if (error is not null)
                {
                    await tx.ExecuteAsync(
                        "update sync_runs set attempts = attempts + 1, message = @message, updated_at = @now where tenant_id = @tenant and id = @run",
                        new { message = "A fault on our side; it is tried again.", now = _time.GetUtcNow(), run = step.Message.RunId });
                }
            }, limit.Token);
            await _circuits.ReleaseAsync(step.Provider, step.Message.RunId, limit.Token);
        }
        catch (Exception releaseError) when (releaseError is Npgsql.NpgsqlException or OperationCanceledException or TimeoutException)
        {
            LogReleaseFailed(releaseError, step.Message.RunId);
        }
    }

    /// <summary>What cannot be written for one business must not keep others from a provider that is up.</summary>
    private async Task TellAnsweredAsync(Step step)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), _time);
        try
        {
            await _circuits.AnsweredAsync(step.Provider, limit.Token);
        }
        catch (Exception error) when (error is Npgsql.NpgsqlException or OperationCanceledException or TimeoutException)
        {
            LogAnswerUntold(error, step.Message.RunId);
        }
    }

    private static Task WriteRequestsAsync(TenantTransaction tx, Guid runId, IReadOnlyList<RequestRecord> requests)
    {
        if (requests.Count == 0) return Task.CompletedTask;
        var parameters = new SqlParameters(Parameters(requests));
        parameters.Add(new { runId });
        return tx.ExecuteAsync(
            $"""
            insert into sync_requests (tenant_id, run_id, operation, request, metadata, fetched_at, rows, sampled, thresholded)
            {Requests}
            """,
            parameters);
    }

    /// <summary>Rows of sync_requests.</summary>
    private const string Requests =
        """
        select @tenant, @runId, q.operation, q.request::jsonb, q.metadata::jsonb, q.fetched_at, q.rows, q.sampled, q.thresholded
        from unnest(@operations, @bodies, @metadata, @fetched, @rows, @sampled, @thresholded)
             as q (operation, request, metadata, fetched_at, rows, sampled, thresholded)
        """;

    private static object Parameters(IReadOnlyList<RequestRecord> requests) => new
    {
        operations = requests.Select(request => request.Operation).ToArray(),
        bodies = requests.Select(request => request.Request).ToArray(),
        metadata = requests.Select(request => request.ResponseMetadata).ToArray(),
        fetched = requests.Select(request => request.FetchedAt.UtcDateTime).ToArray(),
        rows = requests.Select(request => request.Rows).ToArray(),
        sampled = requests.Select(request => request.Sampled).ToArray(),
        thresholded = requests.Select(request => request.Thresholded).ToArray(),
    };

    /// <summary>What credentials of an integration are sealed for.</summary>
    internal static string CredentialPurpose(Guid integrationId) => $"integration:{integrationId:D}";

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    private sealed record RunRow(
        string Connector, string Status, int Step, DateOnly? WindowFrom, DateOnly? WindowTo, int SlicesDone, string? Checkpoint, int Attempts, int Waits,
        DateTimeOffset? NextAttemptAt, string IntegrationStatus, string Settings, byte[]? Credentials, string Zone, string TenantZone, DateOnly? ReadFrom,
        DateOnly? ReadTo, DateTimeOffset? BackfilledAt, DateTimeOffset? DeepReadAt, DateOnly? MeasurableFrom, string DoubtedDays,
            DateTimeOffset? LeaseUntil);

    private sealed record Step(
        SyncMessage Message, Tally Tally, IConnector Connector, string Provider, Guid Lease, RunRow Row, DayWindow Window,
            IReadOnlyList<DayWindow> Slices, FetchRequest Request)
    {
        /// <summary>Once it is finished: there are failures of which nobody said why.</summary>
        public bool Untold { get; set; }
    }

    /// <summary>What <see cref="TakeAsync"/> found.</summary>
    private sealed record Taken(bool Admitted, DateTimeOffset? RetryAt, string? Unfinished, string? Undivided);

    /// <summary>What <see cref="HoldAsync"/> found.</summary>
    private sealed record Held(short Source, bool HasValues, DateTimeOffset? ListedAt, DateTimeOffset? KeyChangedAt, int Told,
        bool KnowsZone, string? Emptied);

    /// <summary>How far a step came.</summary>
    private sealed record Progress(string Zone, DateOnly Today, DateOnly FullFrom, bool SliceDone, bool RunDone, SlowDown? Slow);

    /// <summary>What <see cref="RecordAsync"/> did.</summary>
    private sealed record Written(int Changed, int Restated, int Gone, bool Untold);

    /// <summary>What a step is counted as once it is committed.</summary>
    private sealed class Tally
    {
        public string? Connector { get; set; }

        public string? Ended { get; set; }

        public string? Wait { get; set; }

        public int Readings { get; set; }

        public int Restated { get; set; }

        public void Count(Instruments instruments)
        {
            if (Connector is null) return;
            instruments.Wrote(Connector, Readings, Restated);
            if (Wait is not null) instruments.Waits(Connector, Wait);
            if (Ended is not null) instruments.RunEnded(Connector, Ended);
        }
    }

    private sealed record NextStep(string Connector, int Step, TimeSpan Delay);

    [LoggerMessage(1101, LogLevel.Warning, "Run {Run} is unknown; its message is dropped")]
    private partial void LogUnknownRun(Guid run);

    [LoggerMessage(1102, LogLevel.Debug, "A message of run {Run} for step {MessageStep} is a duplicate: the run is at step {Step} and {Status}")]
    private partial void LogDuplicate(Guid run, int messageStep, int step, string status);

    [LoggerMessage(1103, LogLevel.Debug, "Run {Run} is worked on elsewhere")]
    private partial void LogLeased(Guid run);

    [LoggerMessage(1104, LogLevel.Warning, "The lease of run {Run} was lost; what was read is dropped")]
    private partial void LogLeaseLost(Guid run);

    [LoggerMessage(1105, LogLevel.Warning, "The lease of run {Run} could not be renewed")]
    private partial void LogRenewalFailed(Exception error, Guid run);

    [LoggerMessage(1106, LogLevel.Warning, "The lease of run {Run} could not be given back; it runs out by itself")]
    private partial void LogReleaseFailed(Exception error, Guid run);

    [LoggerMessage(1113, LogLevel.Warning, "That the provider of run {Run} answered could not be noted; the next answer is")]
    private partial void LogAnswerUntold(Exception error, Guid run);

    [LoggerMessage(1107, LogLevel.Information, "Run {Run} of {Connector} succeeded: {Changed} values changed, {Restated} restated")]
    private partial void LogSucceeded(Guid run, string connector, int changed, int restated);

    [LoggerMessage(1108, LogLevel.Information, "Run {Run} of {Connector} waits until {Until}")]
    private partial void LogWaiting(Guid run, string connector, DateTimeOffset until);

    [LoggerMessage(1110, LogLevel.Debug, "A message of run {Run} came before its time; it is sent again")]
    private partial void LogEarly(Guid run);

    [LoggerMessage(1111, LogLevel.Warning, "Run {Run} of {Connector} got nothing for {Days} days that had values; it asks again")]
    private partial void LogDoubt(Guid run, string connector, int days);

    [LoggerMessage(1112, LogLevel.Warning, "Run {Run} of {Connector} has its values, but not all that was asked for; its message says what, and that is asked for again")]
    private partial void LogShortfall(Guid run, string connector);

    [LoggerMessage(1109, LogLevel.Warning, "Run {Run} of {Connector} failed")]
    private partial void LogFailed(Guid run, string connector);
}
