using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using KpiDashboard.Automation;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Security;
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
        var isOver = false;
        var (step, next) = await BeginAsync(message, tally, cancellationToken);
        if (step is not null)
        {
            var buffer = new FetchBuffer();
            FetchOutcome outcome;
            DateTimeOffset? circuitUntil;
            try
            {
                outcome = await FetchAsync(step, buffer, cancellationToken);
                activity.SetTag("kpi.outcome", Instruments.NameOf(outcome));
                if (outcome is ProviderDown or AuthorizationLost or RequestRefused) activity.SetStatus(ActivityStatusCode.Error, Instruments.NameOf(outcome));
                circuitUntil = await NoteAnswerAsync(step, outcome, cancellationToken);
            }
            catch (Exception error)
            {
                await ReleaseAsync(step, error is OperationCanceledException ? null : error);
                throw;
            }

            next = await FinishAsync(step, outcome, buffer, circuitUntil, cancellationToken);
            isOver = next is null && outcome is FetchSucceeded;
        }

        // Only now: what was rolled back did not happen.
        tally.Count(_instruments);

        if (isOver && step!.Connector is IRunsConnector told)
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
            // "Not so fast" is an answer, too.
            case FetchSucceeded or RateLimited or QuotaExhausted:
                await _circuits.AnsweredAsync(step.Provider, cancellationToken);
                return null;
            default:
                await _circuits.ReleaseAsync(step.Provider, step.Message.RunId, cancellationToken);
                return null;
        }
    }

    /// <summary>Takes the lease and plans; no step when there is nothing to do for this message, or nothing but to send it again later.</summary>
    private Task<(Step? Step, NextStep? Next)> BeginAsync(SyncMessage message, Tally tally, CancellationToken cancellationToken) =>
        _database.InTenantAsync<(Step?, NextStep?)>(message.TenantId, async tx =>
        {
            var now = _time.GetUtcNow();
            // Integration before run, as FinishAsync takes them: the other way round two messages of one integration may wait for each other.
            await tx.ExecuteAsync("select 1 from integrations where tenant_id = @tenant and id = @integration for update", new { integration = message.IntegrationId });
            var row = await tx.QuerySingleOrDefaultAsync<RunRow>(
                """
                select r.connector, r.status, r.step, r.window_from as WindowFrom, r.window_to as WindowTo, r.slices_done as SlicesDone, r.checkpoint, r.attempts,
                       r.waits, r.next_attempt_at as NextAttemptAt, i.status as IntegrationStatus, i.settings::text as Settings, i.credentials,
                       safe_zone(coalesce(i.time_zone, t.time_zone)) as Zone, safe_zone(t.time_zone) as TenantZone, i.read_from as ReadFrom, i.read_to as ReadTo, i.backfilled_at as BackfilledAt, i.deep_read_at as DeepReadAt,
                       i.measurable_from as MeasurableFrom,
                       array_to_string(r.doubted_days, ',') as DoubtedDays
                from sync_runs r
                join integrations i on i.tenant_id = r.tenant_id and i.id = r.integration_id
                join tenants t on t.id = r.tenant_id
                where r.tenant_id = @tenant and r.id = @run and r.integration_id = @integration
                for update of r
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

            var lease = Guid.CreateVersion7(now);
            var taken = await tx.ExecuteAsync(
                """
                update integrations set lease_token = @lease, lease_until = @until
                where tenant_id = @tenant and id = @integration and (lease_until is null or lease_until < @now)
                """,
                new { lease, until = now + LeaseTime, integration = message.IntegrationId, now });
            if (taken == 0)
            {
                // Somebody is at it. Should he die, the sweeper sends this run again once his lease is over.
                LogLeased(message.RunId);
                return default;
            }

            var settings = Parse(row.Settings);
            var provider = connector.ProviderKey(settings);
            if (await ProviderCircuits.AdmitAsync(tx, provider, message.RunId, now) is { } retryAt)
            {
                await tx.ExecuteAsync(
                    "update integrations set lease_token = null, lease_until = null where tenant_id = @tenant and id = @integration",
                    new { integration = message.IntegrationId });
                await TenantProfile.BumpVersionAsync(tx);
                return (null, await WaitForProviderAsync(tx, tally, message, row, connector, retryAt, now));
            }

            var zone = TimeZoneNames.Of(row.Zone);
            var window = row is { WindowFrom: { } from, WindowTo: { } to } ? new DayWindow(from, to) : SyncWindow.Plan(row.ReadTo, row.BackfilledAt, row.DeepReadAt, LocalDay.Of(now, zone), now);
            var slices = connector.Slice(window);
            await tx.ExecuteAsync(
                """
                update sync_runs
                set status = 'running', window_from = @from, window_to = @to, slices_total = @total, started_at = coalesce(started_at, @now), updated_at = @now,
                    next_attempt_at = null, message = null
                where tenant_id = @tenant and id = @run
                """,
                new { from = window.From, to = window.To, total = slices.Count, now, run = message.RunId });
            if (row.Status == "queued") await TenantProfile.BumpVersionAsync(tx);

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
                    UnfinishedExecutions = await AutomationWriter.UnfinishedAsync(tx, message.IntegrationId),
                    UndividedDays = await UndividedAsync(tx, connector, row, message.IntegrationId, slices[row.SlicesDone]),
                }), null);
        }, cancellationToken);

    /// <summary>The newest days before a slice that lack a division. Not during a first sync, which comes to them anyway.</summary>
    private static async Task<IReadOnlyList<DateOnly>> UndividedAsync(TenantTransaction tx, IConnector connector, RunRow row, Guid integration, DayWindow slice) =>
        connector.Dimensions.Count == 0 || row.SlicesDone > 0 || row.BackfilledAt is null || !SourceState.Pulses.TryGetValue(connector.Key, out var pulse)
            ? []
            : await BreakdownWriter.UndividedAsync(tx, integration, pulse.Key, connector.Dimensions, SyncWindow.BackfillFrom(slice.To), slice.From.AddDays(-1));

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
            if (!cancellationToken.IsCancellationRequested) _instruments.ProviderAnswered(step.Connector.Key, outcome, _time.GetElapsedTime(started));
            activity?.SetTag("kpi.outcome", Instruments.NameOf(outcome));
            if (outcome is null or ProviderDown or AuthorizationLost or RequestRefused) activity?.SetStatus(ActivityStatusCode.Error, Instruments.NameOf(outcome));
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
            var held = await tx.ExecuteAsync(
                "update integrations set lease_token = null, lease_until = null where tenant_id = @tenant and id = @integration and lease_token = @lease",
                new { integration = step.Message.IntegrationId, lease = step.Lease });
            if (held == 0)
            {
                // The lease ran out and another worker has it: its result counts, this one is dropped whole.
                LogLeaseLost(step.Message.RunId);
                return null;
            }

            await TenantProfile.BumpVersionAsync(tx);
            return outcome switch
            {
                FetchSucceeded succeeded => await SucceedAsync(tx, step, succeeded, buffer, now),
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

    private async Task<NextStep?> SucceedAsync(TenantTransaction tx, Step step, FetchSucceeded outcome, FetchBuffer buffer, DateTimeOffset now)
    {
        var (message, row) = (step.Message, step.Row);
        await WriteRequestsAsync(tx, message.RunId, buffer.Requests);
        var zone = outcome.TimeZone is { } named ? await TimeZoneNames.FindAsync(tx, named) : step.Request.TimeZone;
        if (zone is null) return await FailRunAsync(tx, step, UnknownZone(step.Connector, outcome.TimeZone!), now);
        var emptied = await EmptiedDaysAsync(tx, step, outcome, buffer);
        var asked = row.DoubtedDays.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(day => DateOnly.Parse(day, CultureInfo.InvariantCulture)).ToHashSet();
        if (!emptied.All(asked.Contains)) return await DoubtAsync(tx, step, [.. asked.Union(emptied)], now);

        var today = LocalDay.Of(now, zone);
        var readings = buffer.Readings.Select(reading => (reading.Key.Kpi, reading.Key.Day, reading.Value)).ToList();
        // What is older was pruned at the source, or comes with a later step.
        var fullFrom = outcome.ReadInFullFrom ?? step.Request.Window.From;
        if (outcome.MeasurableFrom > fullFrom) fullFrom = outcome.MeasurableFrom.Value;
        // What was not known when all was read for the first time did not become known by reading it again.
        if (row.BackfilledAt is not null && row.MeasurableFrom > fullFrom) fullFrom = row.MeasurableFrom.Value;
        var (counted, fewer) = await RollUpAsync(tx, step, outcome, buffer, fullFrom, today, now);
        readings.AddRange(counted);
        if (fewer is not null) outcome = outcome with { Shortfall = outcome.Shortfall is null ? fewer : $"{fewer} {outcome.Shortfall}" };
        var written = await KpiWriter.WriteAsync(tx, readings, message.IntegrationId, message.RunId, today, now);
        var withdrawn = await KpiWriter.WithdrawAsync(tx, emptied, buffer.Readings.Keys, message.IntegrationId, message.RunId, now)
            // A day that was counted again has what was counted, and nothing else that once was.
            + await KpiWriter.WithdrawAsync(tx, counted.Select(reading => reading.Day).ToHashSet(), counted.Select(reading => (reading.Kpi, reading.Day)), message.IntegrationId, message.RunId, now);

        await BreakdownWriter.WriteAsync(tx, buffer.Breakdowns, message.IntegrationId, message.RunId, now);
        if (step.Connector.Dimensions.Count > 0)
            await BreakdownWriter.MarkStaleAsync(tx, buffer.Breakdowns, step.Request.Window, message.IntegrationId, message.RunId, now);
        await BreakdownWriter.WithdrawAsync(tx, emptied, message.IntegrationId);
        if (outcome.Shortfall is not null) LogShortfall(message.RunId, step.Connector.Key);

        (step.Tally.Readings, step.Tally.Restated) = (written.Readings, written.Restated + withdrawn);

        var isNewest = row.SlicesDone == 0;
        var sliceDone = outcome.Checkpoint is null;
        var runDone = sliceDone && row.SlicesDone + 1 >= step.Slices.Count;
        var finalThrough = await AutomationWriter.FirstUnfinishedDayAsync(tx, message.IntegrationId, zone.Id) is { } unfinished && unfinished.AddDays(-1) < outcome.FinalThrough
            ? unfinished.AddDays(-1)
            : outcome.FinalThrough;
        await tx.ExecuteAsync(
            """
            update integrations
            set time_zone = coalesce(@timeZone, time_zone), currency = coalesce(@currency, currency),
                fetched_at = case when @isNewest then @now else fetched_at end,
                complete_through = case when @isNewest then coalesce(@completeThrough, complete_through) else coalesce(complete_through, @completeThrough) end,
                -- What is not complete cannot be final: whichever of the two this answer told, the other may be an earlier one's.
                final_through = final_within(case when @isNewest then coalesce(@finalThrough, final_through) else final_through end,
                    case when @isNewest then coalesce(@completeThrough, complete_through) else coalesce(complete_through, @completeThrough) end),
                measurable_from = coalesce(measurable_from, @measurableFrom),
                read_from = least(read_from, @readFrom), read_to = greatest(read_to, @readTo),
                deep_read_at = case when @deep then @now else deep_read_at end,
                backfilled_at = case when @backfill then coalesce(backfilled_at, @now) else backfilled_at end,
                consecutive_failures = 0, last_error = null
            where tenant_id = @tenant and id = @integration
            """,
            new
            {
                integration = message.IntegrationId,
                now,
                isNewest,
                finalThrough,
                timeZone = outcome.TimeZone is null ? null : zone.Id,
                // Whatever a connector hands on: only a currency is kept as one.
                currency = Currencies.OrNull(outcome.Currency),
                completeThrough = outcome.CompleteThrough,
                measurableFrom = outcome.MeasurableFrom,
                // The range read is free of gaps at every moment: slices come newest first, and older runs reach back at least to the end of it.
                readFrom = fullFrom <= step.Window.To ? fullFrom : (DateOnly?)null,
                readTo = isNewest ? step.Window.To : (DateOnly?)null,
                deep = runDone && step.Window.Days > SyncWindow.DeepDays,
                backfill = runDone && step.Window.From <= SyncWindow.BackfillFrom(step.Window.To),
            });
        await tx.ExecuteAsync(
            """
            update sync_runs
            set step = step + 1, checkpoint = @checkpoint, slices_done = slices_done + @slices, attempts = 0, doubted_days = '{}', readings = readings + @readings,
                changed = changed + @changed, restated = restated + @restated, updated_at = @now, enqueued_at = null,
                -- The same sentence of several steps is said once.
                shortfall = case when @shortfall is null or position(@shortfall in shortfall) > 0 then shortfall
                                 when char_length(coalesce(shortfall, '')) + char_length(@shortfall) > 3000 then shortfall
                                 else concat_ws(' ', shortfall, @shortfall) end
            where tenant_id = @tenant and id = @run
            """,
            new
            {
                shortfall = outcome.Shortfall,
                checkpoint = outcome.Checkpoint,
                slices = sliceDone ? 1 : 0,
                readings = written.Readings,
                changed = written.Changed + withdrawn,
                restated = written.Restated + withdrawn,
                now,
                run = message.RunId,
            });
        if (!runDone && outcome.SlowDown is { } slow)
        {
            // The rest of a backfill can wait for the allowance to fill up; today's numbers, which come first, are there.
            await tx.ExecuteAsync(
                "update sync_runs set status = 'waiting', message = @reason, next_attempt_at = @until where tenant_id = @tenant and id = @run",
                new { reason = slow.Reason, until = slow.Until, run = message.RunId });
            step.Tally.Wait = "slow_down";
            return new NextStep(row.Connector, row.Step + 1, slow.Until - now);
        }

        if (!runDone) return new NextStep(row.Connector, row.Step + 1, TimeSpan.Zero);
        // Of all its steps: what an early one could not read is not made good by the last.
        var shortfall = await tx.QuerySingleAsync<string?>("select shortfall from sync_runs where tenant_id = @tenant and id = @run", new { run = message.RunId });
        await EndRunAsync(tx, message.RunId, "succeeded", shortfall, now);
        step.Tally.Ended = "succeeded";
        LogSucceeded(message.RunId, step.Connector.Key, written.Changed + withdrawn, written.Restated + withdrawn);
        return null;
    }

    /// <summary>Days cannot be told from each other in a zone that we cannot reckon in; guessing another would put numbers on wrong days.</summary>
    private static string UnknownZone(IConnector connector, string name)
    {
        var shown = new string([.. name.Where(c => c is > ' ' and <= '~').Take(64)]);
        return $"{connector.DisplayName} says that its days are those of the time zone \"{shown}\", which is not known here. Set a place such as Europe/Berlin there; until then no numbers "
            + "are read from it.";
    }

    /// <summary>Days for which this answer held nothing although there are values of them.</summary>
    private static async Task<IReadOnlyList<DateOnly>> EmptiedDaysAsync(TenantTransaction tx, Step step, FetchSucceeded outcome, FetchBuffer buffer) =>
        outcome.EmptyDays.Count == 0 ? [] : await tx.QueryAsync<DateOnly>(
            """
            select distinct d.day
            from integrations i
            cross join unnest(@days) as d (day)
            join kpi_months m on m.tenant_id = @tenant and m.month = date_trunc('month', d.day)::date and m.source = i.source
            join kpi_keys k on k.tenant_id = @tenant and k.number = m.kpi
            where i.tenant_id = @tenant and i.id = @integration and m.days[extract(day from d.day)::integer] <> 0
              and not exists (select 1 from unnest(@kpis, @readDays) as r (kpi, day) where r.kpi = k.key and r.day = d.day)
            order by d.day
            """,
            new
            {
                integration = step.Message.IntegrationId,
                days = outcome.EmptyDays.ToArray(),
                kpis = buffer.Readings.Keys.Select(reading => reading.Kpi).ToArray(),
                readDays = buffer.Readings.Keys.Select(reading => reading.Day).ToArray(),
            });

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
        TenantTransaction tx, Step step, FetchSucceeded outcome, FetchBuffer buffer, DateOnly from, DateOnly today, DateTimeOffset now)
    {
        var integration = step.Message.IntegrationId;
        var undescribed = await AutomationWriter.UndescribedSinceAsync(tx, integration, buffer.Workflows);
        var listed = outcome.MeasurableFrom is { } measurable && measurable > step.Request.Window.From ? measurable : step.Request.Window.From;
        var fewer = await AutomationWriter.WriteWorkflowsAsync(
            tx, integration, buffer.Workflows, outcome.ListsAllWorkflows, listed, step.Request.TimeZone, now);
        await AutomationWriter.LoseAsync(tx, integration, outcome.LostExecutions);
        if (buffer.Workflows.Count == 0 && buffer.Executions.Count == 0) return ([], fewer);
        await AutomationWriter.WriteExecutionsAsync(tx, integration, buffer.Executions);
        await RunDetails.WriteAsync(tx, integration, buffer.Labels);
        await RunDetails.WriteAsync(tx, integration, buffer.Executions);

        var zone = step.Request.TimeZone;
        var readings = new List<(string, DateOnly, decimal)>(await AutomationWriter.RollUpAsync(tx, integration, zone.Id, from, today));

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

        foreach (var (first, last) in Ranges(earlier)) readings.AddRange(await AutomationWriter.RollUpAsync(tx, integration, zone.Id, first, last));
        return (readings, fewer);
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
        step.Tally.Wait = Instruments.NameOf(outcome);
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
        step.Tally.Wait = Instruments.NameOf(down);
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

    private static Task WriteRequestsAsync(TenantTransaction tx, Guid run, IReadOnlyList<RequestRecord> requests) => requests.Count == 0 ? Task.CompletedTask : tx.ExecuteAsync(
        """
        insert into sync_requests (tenant_id, run_id, operation, request, metadata, fetched_at, rows, sampled, thresholded)
        select @tenant, @run, i.operation, i.request::jsonb, i.metadata::jsonb, i.fetched_at, i.rows, i.sampled, i.thresholded
        from unnest(@operations, @bodies, @metadata, @fetched, @rows, @sampled, @thresholded)
             as i (operation, request, metadata, fetched_at, rows, sampled, thresholded)
        """,
        new
        {
            run,
            operations = requests.Select(request => request.Operation).ToArray(),
            bodies = requests.Select(request => request.Request).ToArray(),
            metadata = requests.Select(request => request.ResponseMetadata).ToArray(),
            fetched = requests.Select(request => request.FetchedAt.UtcDateTime).ToArray(),
            rows = requests.Select(request => request.Rows).ToArray(),
            sampled = requests.Select(request => request.Sampled).ToArray(),
            thresholded = requests.Select(request => request.Thresholded).ToArray(),
        });

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
        DateOnly? ReadTo, DateTimeOffset? BackfilledAt, DateTimeOffset? DeepReadAt, DateOnly? MeasurableFrom, string DoubtedDays);

    private sealed record Step(
        SyncMessage Message, Tally Tally, IConnector Connector, string Provider, Guid Lease, RunRow Row, DayWindow Window, IReadOnlyList<DayWindow> Slices, FetchRequest Request);

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
