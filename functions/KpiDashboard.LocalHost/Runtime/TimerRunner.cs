using System.Diagnostics;
using System.Text.Json;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.LocalHost.Worker.Messages;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>Runs the timer functions: each by its schedule, one run at a time, and one run to make up for a downtime.</summary>
internal sealed partial class TimerRunner(
    IReadOnlyList<LocalFunction> functions, FunctionInvoker invoker, TimerStore store, TimeProvider time, ILogger<TimerRunner> logger) : IAsyncDisposable
{
    // Longer waits are made of these, so that a changed clock is noticed.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stopping = new();
    private Task _loops = Task.CompletedTask;

    public void Start() =>
        _loops = Task.WhenAll(functions
            .Where(function => function is { Disabled: false, Trigger: TimerTrigger })
            .Select(function => Task.Run(() => LoopAsync(function, (TimerTrigger)function.Trigger, _stopping.Token))));

    /// <summary>Starts no further run. Runs that go on are the invoker's.</summary>
    public void StopTaking() => _stopping.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loops;
        _stopping.Dispose();
    }

    /// <summary>A run by hand; the schedule knows nothing of it.</summary>
    public Task RunByHandAsync(LocalFunction function, CancellationToken cancellationToken) =>
        InvokeAsync(function, null, pastDue: false, cancellationToken);

    private async Task LoopAsync(LocalFunction function, TimerTrigger trigger, CancellationToken stopping)
    {
        Activity.Current = null;
        try
        {
            (ScheduleStatus status, bool pastDue) = Begin(function, trigger);
            if (pastDue || trigger.RunOnStartup)
                status = await RunAsync(function, trigger, status, pastDue, adjust: false);

            while (true)
            {
                await WaitUntilAsync(status.Next, stopping);
                status = await RunAsync(function, trigger, status, pastDue: false, adjust: true);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The app stops.
        }
        catch (Exception e)
        {
            LogStopped(e, function.Name);
        }
    }

    /// <summary>The recorded status, corrected if the schedule was changed since, and whether an occurrence was missed.</summary>
    private (ScheduleStatus Status, bool PastDue) Begin(LocalFunction function, TimerTrigger trigger)
    {
        DateTime now = UtcNow();
        ScheduleStatus fresh = new() { Next = trigger.Schedule.Next(now), LastUpdated = now };
        if (!trigger.Monitored)
            return (fresh, false);

        if (store.Find(function.Name) is not { } status)
        {
            store.Save(function.Name, fresh);
            return (fresh, false);
        }

        DateTime expected = trigger.Schedule.Next(status.Last == default ? status.LastUpdated : status.Last);
        if (expected != status.Next)
        {
            // Another schedule than the recorded one: what the old one missed is not made up for.
            store.Save(function.Name, fresh);
            return (fresh, false);
        }

        return (status, now > status.Next);
    }

    private async Task<ScheduleStatus> RunAsync(LocalFunction function, TimerTrigger trigger, ScheduleStatus status, bool pastDue, bool adjust)
    {
        DateTime started = UtcNow();
        if (pastDue)
            LogPastDue(function.Name, status.Next);
        try
        {
            await InvokeAsync(function, trigger.Monitored ? status : null, pastDue, CancellationToken.None);
        }
        catch (Exception)
        {
            // Logged by the invoker; the schedule goes on.
        }

        // Fired a moment early, it would otherwise fire again for the same occurrence.
        DateTime last = adjust && status.Next > started ? status.Next : started;
        ScheduleStatus next = new() { Last = last, Next = trigger.Schedule.Next(last), LastUpdated = last };
        if (trigger.Monitored)
        {
            try
            {
                store.Save(function.Name, next);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                LogNotSaved(e, function.Name);
            }
        }

        return next;
    }

    private Task InvokeAsync(LocalFunction function, ScheduleStatus? status, bool pastDue, CancellationToken cancellationToken) =>
        invoker.InvokeAsync(
            function,
            ActivityKind.Internal,
            request => request.InputData.Add(new ParameterBinding
            {
                Name = function.Parameter,
                Data = new TypedData
                {
                    Json = JsonSerializer.Serialize(new
                    {
                        Schedule = new { AdjustForDST = true },
                        ScheduleStatus = status,
                        IsPastDue = pastDue
                    }),
                },
            }),
            cancellationToken);

    private async Task WaitUntilAsync(DateTime utc, CancellationToken stopping)
    {
        for (TimeSpan left = utc - UtcNow(); left > TimeSpan.Zero; left = utc - UtcNow())
            await Task.Delay(left < s_longestWait ? left : s_longestWait, time, stopping);
        stopping.ThrowIfCancellationRequested();
    }

    private DateTime UtcNow() => time.GetUtcNow().UtcDateTime;

    [LoggerMessage(20, LogLevel.Information, "Timer {Function} was due at {Due:O} and is made up for now.")]
    private partial void LogPastDue(string function, DateTime due);

    [LoggerMessage(22, LogLevel.Critical, "Timer {Function} does not run any more.")]
    private partial void LogStopped(Exception exception, string function);

    [LoggerMessage(21, LogLevel.Error, "The schedule status of timer {Function} could not be saved.")]
    private partial void LogNotSaved(Exception exception, string function);
}

/// <summary>When a timer ran last and runs next; under the worker's names, because it is told the same.</summary>
internal sealed class ScheduleStatus
{
    /// <summary>The last run; the default for none.</summary>
    public DateTime Last { get; set; }

    /// <summary>The next occurrence.</summary>
    public DateTime Next { get; set; }

    /// <summary>When this was noted.</summary>
    public DateTime LastUpdated { get; set; }
}

/// <summary>Where the timers keep their last and next occurrence: <c>timers.json</c> in the data folder.</summary>
internal sealed class TimerStore
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    private readonly string _path;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ScheduleStatus> _statuses;

    public TimerStore(string dataDirectory)
    {
        _path = Path.Combine(dataDirectory, "timers.json");
        try
        {
            _statuses = File.Exists(_path)
                ? new(JsonSerializer.Deserialize<Dictionary<string, ScheduleStatus>>(File.ReadAllBytes(_path)) ?? [], StringComparer.OrdinalIgnoreCase)
                : new(StringComparer.OrdinalIgnoreCase);
        }
        catch (JsonException e)
        {
            throw new StartupException($"{_path} is damaged; delete it and the timers start afresh.", e);
        }
    }

    public ScheduleStatus? Find(string function)
    {
        lock (_gate)
            return _statuses.GetValueOrDefault(function);
    }

    public void Save(string function, ScheduleStatus status)
    {
        lock (_gate)
        {
            _statuses[function] = status;
            AtomicFile.Write(_path, JsonSerializer.SerializeToUtf8Bytes(_statuses, s_json));
        }
    }
}
