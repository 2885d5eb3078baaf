using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace KpiDashboard.Telemetry;

/// <summary>
/// The meter <c>KpiDashboard</c>. Names and attributes are a contract with alerts, workbook and dashboard. Costs next to nothing while nobody listens.
/// </summary>
internal sealed class Instruments : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "KpiDashboard";

    /// <summary>A sampled value is reported for this long: the timer comes every 5 minutes, to some instance. Then it is another's to tell, or unknown.</summary>
    public static readonly TimeSpan SampleTime = TimeSpan.FromMinutes(6);

    /// <summary>A look at the heartbeat is reported for this long: an instance with something to do looks every minute.</summary>
    public static readonly TimeSpan LookTime = TimeSpan.FromMinutes(2);

    /// <summary>The lowest allowance of this time is reported.</summary>
    public static readonly TimeSpan QuotaTime = TimeSpan.FromMinutes(15);

    private readonly TimeProvider _time;
    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _runs, _readings, _restatements, _waits, _deadLetters;
    private readonly Histogram<double> _provider, _api;
    private readonly ConcurrentDictionary<(string Connector, string Quota), (double Fraction, DateTimeOffset At)> _quotas = new();
    private volatile Sample? _sample;
    private volatile Look? _look;
    private volatile Inspection? _inspection;

    public Instruments(TimeProvider time)
    {
        _time = time;
        _runs = _meter.CreateCounter<long>("kpi.sync.runs", "{run}", "Runs that the engine ended");
        _readings = _meter.CreateCounter<long>("kpi.sync.readings", "{reading}", "Readings that were written, changed or not");
        _restatements = _meter.CreateCounter<long>("kpi.sync.restatements", "{reading}", "Values of ended days that changed");
        _waits = _meter.CreateCounter<long>("kpi.sync.waits", "{wait}", "Times that a run was put off");
        _deadLetters = _meter.CreateCounter<long>("kpi.sync.dead_letters", "{message}", "Messages that were given up");
        // The default boundaries are made for milliseconds.
        _provider = _meter.CreateHistogram("kpi.provider.duration", "s", "Time that a connector took for one slice", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 480] });
        _api = _meter.CreateHistogram("kpi.api.duration", "s", "Time until an answer was sent", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 45] });
        _meter.CreateObservableGauge("kpi.dead_letters.open", () => Fresh(_sample) is { } sample ? [new(sample.OpenDeadLetters)] : (IEnumerable<Measurement<long>>)[], "{message}", "Dead runs and kept messages that nobody requeued");
        _meter.CreateObservableGauge("kpi.tenants.faulty", Faulty, "{tenant}", "Businesses for which a step failed, or with a row that no door lets in");
        _meter.CreateObservableGauge("kpi.queue.age", () => Of(queue => queue.Age.TotalSeconds), "s", "How long the oldest due work of a queue waits");
        _meter.CreateObservableGauge("kpi.queue.length", () => Of(queue => queue.Length), "{message}", "Messages in a queue, put-off ones too; approximate");
        _meter.CreateObservableGauge("kpi.provider.quota.remaining", Quotas, "1", "Part of a provider's allowance that is left, the lowest of the last quarter of an hour");
        _meter.CreateObservableGauge("kpi.timer.heartbeat.age", HeartbeatAge, "s", "How long ago the timer last did its work");
    }

    /// <summary>A run ended: <c>succeeded</c>, <c>failed</c> or <c>dead</c>.</summary>
    public void RunEnded(string connector, string outcome) => _runs.Add(1, new("connector", connector), new KeyValuePair<string, object?>("outcome", outcome));

    /// <summary>Readings were written.</summary>
    public void Wrote(string connector, int readings, int restatements)
    {
        if (readings > 0) _readings.Add(readings, new KeyValuePair<string, object?>("connector", connector));
        if (restatements > 0) _restatements.Add(restatements, new KeyValuePair<string, object?>("connector", connector));
    }

    /// <summary>A run was put off: <c>rate_limited</c>, <c>quota</c>, <c>provider_down</c>, <c>circuit_open</c>, <c>doubt</c> or <c>slow_down</c>.</summary>
    public void Waits(string connector, string reason) => _waits.Add(1, new("connector", connector), new KeyValuePair<string, object?>("reason", reason));

    /// <summary>A message was given up.</summary>
    public void GaveUp(string connector) => _deadLetters.Add(1, new KeyValuePair<string, object?>("connector", connector));

    /// <summary>A connector came back.</summary>
    /// <param name="connector">Its key.</param>
    /// <param name="outcome">What it ended as: a word of a fixed few.</param>
    /// <param name="quotas">By the provider's allowance, what part of it is left.</param>
    /// <param name="duration">How long it took.</param>
    public void ProviderAnswered(string connector, string outcome, IEnumerable<KeyValuePair<string, double>> quotas, TimeSpan duration)
    {
        _provider.Record(duration.TotalSeconds, new("connector", connector), new KeyValuePair<string, object?>("outcome", outcome));
        var now = _time.GetUtcNow();
        foreach (var (quota, fraction) in quotas)
        {
            _quotas.AddOrUpdate(
                (connector, quota), (fraction, now),
                (_, known) => known.At < now - QuotaTime || fraction <= known.Fraction ? (fraction, now) : known);
        }
    }

    /// <summary>An answer was sent.</summary>
    /// <param name="route">The route's template, never the path.</param>
    /// <param name="status">Status code.</param>
    /// <param name="duration">Since the request came.</param>
    public void Answered(string route, int status, TimeSpan duration) =>
        _api.Record(duration.TotalSeconds, new("route", route), new KeyValuePair<string, object?>("status", status));

    /// <summary>What the timer found.</summary>
    public void Sampled(IReadOnlyList<QueueSample> queues, long openDeadLetters) => _sample = new Sample(_time.GetUtcNow(), queues, openDeadLetters);

    /// <summary>How many businesses have a fault that ops/faults lists.</summary>
    public void Inspected(long faultyTenants) => _inspection = new Inspection(_time.GetUtcNow(), faultyTenants);

    /// <summary>Somebody looked when the timer last did its work.</summary>
    public void LookedAtTimer(DateTimeOffset beatAt) => _look = new Look(_time.GetUtcNow(), beatAt);

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    private Sample? Fresh(Sample? sample) => sample is not null && _time.GetUtcNow() - sample.At <= SampleTime ? sample : null;

    private IEnumerable<Measurement<double>> Of(Func<QueueSample, double> value) =>
        (Fresh(_sample)?.Queues ?? []).Select(queue => new Measurement<double>(value(queue), new KeyValuePair<string, object?>("queue", queue.Queue)));

    private IEnumerable<Measurement<double>> Quotas()
    {
        var oldest = _time.GetUtcNow() - QuotaTime;
        return _quotas.Where(quota => quota.Value.At >= oldest).Select(quota => new Measurement<double>(
            quota.Value.Fraction, new("connector", quota.Key.Connector), new KeyValuePair<string, object?>("quota", quota.Key.Quota)));
    }

    private IEnumerable<Measurement<double>> HeartbeatAge()
    {
        var now = _time.GetUtcNow();
        return _look is { } look && now - look.At <= LookTime ? [new(Math.Max(0, (now - look.BeatAt).TotalSeconds))] : [];
    }

    private IEnumerable<Measurement<long>> Faulty() =>
        _inspection is { } inspection && _time.GetUtcNow() - inspection.At <= SampleTime ? [new(inspection.FaultyTenants)] : [];

    private sealed record Inspection(DateTimeOffset At, long FaultyTenants);

    private sealed record Sample(DateTimeOffset At, IReadOnlyList<QueueSample> Queues, long OpenDeadLetters);

    private sealed record Look(DateTimeOffset At, DateTimeOffset BeatAt);
}

/// <summary>A queue at one moment.</summary>
/// <param name="Queue">Its name.</param>
/// <param name="Length">About how many messages it holds.</param>
/// <param name="Age">How long the oldest due work waits; zero if none does.</param>
internal sealed record QueueSample(string Queue, int Length, TimeSpan Age);
