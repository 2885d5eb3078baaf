using System.Collections.Concurrent;
using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Access;

/// <summary>What a call of a route costs us, by which it is limited: <see cref="CostLimit"/>.</summary>
public enum Cost
{
    /// <summary>As its method says: <see cref="Read"/> of a GET, <see cref="Write"/> of any other.</summary>
    ByMethod,

    /// <summary>Anybody may call it; it is cheap or limited by what it is about (an account, a mailbox, a link).</summary>
    Open,

    /// <summary>Reads some pages of one business.</summary>
    Read,

    /// <summary>Changes a little.</summary>
    Write,

    /// <summary>Takes seconds of a processor, or much memory: counted by business, a few at a time.</summary>
    Heavy,

    /// <summary>Whoever has the function key operates the installation.</summary>
    Operate,
}

/// <summary>The limits of a cost. No honest use reaches them.</summary>
/// <param name="Calls">The allowance of calls of one person or token (of a business where <see cref="Cost.Heavy"/>), in an instance of the app; null for none.</param>
/// <param name="AtOnce">How many run at the same time in an instance: of one business where <see cref="Cost.Heavy"/>, else of the route.</param>
/// <param name="Body">Largest body, in bytes, unless the route says otherwise.</param>
internal sealed record CostLimit(Bucket? Calls, int AtOnce, int Body)
{
    /// <summary>How many may wait for each place of a business's heavy work; a further one is refused.</summary>
    public const int Waiting = 16;

    /// <summary>The limits of a cost.</summary>
    public static CostLimit Of(Cost cost) => cost switch
    {
        Cost.Open => new(null, 200, JsonBody.DefaultLimit),
        Cost.Read => new(Bucket.Reads, 200, JsonBody.DefaultLimit),
        Cost.Write => new(Bucket.Writes, 100, JsonBody.DefaultLimit),
        Cost.Heavy => new(Bucket.Heavy, 2, JsonBody.DefaultLimit),
        Cost.Operate => new(null, 20, JsonBody.DefaultLimit),
        _ => throw new ArgumentOutOfRangeException(nameof(cost), cost, "Settle it by the method first."),
    };

    /// <summary>The cost of a route.</summary>
    public static Cost Of(RequiresAttribute required, string method) => required switch
    {
        { Cost: not Cost.ByMethod } => required.Cost,
        { Permission: Permission.Anonymous } => Cost.Open,
        { Permission: Permission.Operate } => Cost.Operate,
        _ => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? Cost.Read : Cost.Write,
    };
}

/// <summary>
/// Holds every call to what its route may cost. Counted in memory, by instance: what these limits protect is the instance's own processor and memory, and a round trip to the
/// database would cost more than what most calls do. What must hold over all instances is counted in Postgres (<see cref="RateLimits"/>).
/// </summary>
internal sealed class CostGuard(IOptionsMonitor<LimitOptions> options, TimeProvider time)
{
    private const int ManyKeys = 20_000;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(Bucket, Guid), long> _whole = new();
    private readonly ConcurrentDictionary<string, int> _running = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, Places> _places = [];
    private readonly Lock _gate = new();
    private long _swept;

    /// <summary>Refuses a body that says itself that it is too large, before anything else is done.</summary>
    /// <exception cref="ApiProblem">413.</exception>
    public static void ThrowIfTooLarge(HttpRequest request, RequiresAttribute required)
    {
        var most = required.Body > 0 ? required.Body : CostLimit.Of(CostLimit.Of(required, request.Method)).Body;
        if (request.ContentLength > most) throw ApiProblem.TooLarge(most);
    }

    /// <summary>Takes what a call costs; what is returned gives its place back.</summary>
    /// <param name="route">Name of the function.</param>
    /// <param name="required">What the route says.</param>
    /// <param name="method">The HTTP method.</param>
    /// <param name="caller">Who calls; null where anybody may.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="ApiProblem">429.</exception>
    public async Task<IDisposable> EnterAsync(string route, RequiresAttribute required, string method, Caller? caller, CancellationToken cancellationToken)
    {
        var cost = CostLimit.Of(required, method);
        var limit = CostLimit.Of(cost);
        if (limit.Calls is { } bucket && caller is not null) Take(bucket, cost == Cost.Heavy ? caller.TenantId : caller.TokenId ?? caller.UserId ?? caller.TenantId);
        if (cost == Cost.Heavy && caller is not null) return await PlaceAsync(caller.TenantId, limit.AtOnce, cancellationToken);
        if (_running.AddOrUpdate(route, 1, static (_, running) => running + 1) <= limit.AtOnce) return new Leave(() => _running.AddOrUpdate(route, 0, static (_, running) => running - 1));
        _running.AddOrUpdate(route, 0, static (_, running) => running - 1);
        throw ApiProblem.TooMany(1);
    }

    /// <summary>
    /// What a route that takes large bodies is given to read: each 64 KB after the first is counted for the business as it is read, however the body comes.
    /// </summary>
    public Stream Metered(Stream body, RequiresAttribute required, Caller? caller) =>
        caller is not null && required.Body > MeteredBody.Unit ? new MeteredBody(body, () => Take(Bucket.HeavyBytes, caller.TenantId)) : body;

    /// <summary>Takes some of an allowance that comes back evenly.</summary>
    /// <exception cref="ApiProblem">429 with <c>Retry-After</c>.</exception>
    public void Take(Bucket bucket, Guid subject, int units = 1)
    {
        var limit = options.CurrentValue[bucket];
        var now = time.GetUtcNow().UtcTicks;
        // More than there ever is would never be given.
        var cost = limit.Period.Ticks / limit.Permits * Math.Min(units, limit.Permits);
        while (true)
        {
            var known = _whole.TryGetValue((bucket, subject), out var whole);
            var after = Math.Max(known ? whole : 0, now) + cost;
            if (after > now + limit.Period.Ticks) throw ApiProblem.TooMany((int)Math.Ceiling(TimeSpan.FromTicks(after - now - limit.Period.Ticks).TotalSeconds));
            if (known ? _whole.TryUpdate((bucket, subject), after, whole) : _whole.TryAdd((bucket, subject), after)) break;
        }

        Sweep(now);
    }

    /// <summary>Forgets allowances that are whole again, now and then.</summary>
    private void Sweep(long now)
    {
        var last = Interlocked.Read(ref _swept);
        if (_whole.Count < ManyKeys || now - last < TimeSpan.TicksPerMinute || Interlocked.CompareExchange(ref _swept, now, last) != last) return;
        foreach (var entry in _whole.Where(entry => entry.Value <= now)) _whole.TryRemove(entry);
    }

    /// <summary>One after the other, in the order in which they came: two imports of one business are slower together, but neither is refused.</summary>
    private async Task<IDisposable> PlaceAsync(Guid tenant, int most, CancellationToken cancellationToken)
    {
        Places places;
        lock (_gate)
        {
            if (!_places.TryGetValue(tenant, out places!)) _places[tenant] = places = new Places(new SemaphoreSlim(most, most));
            if (places.Users >= most + CostLimit.Waiting) throw ApiProblem.TooMany(5);
            places.Users++;
        }

        var entered = false;
        try
        {
            entered = await places.Free.WaitAsync(s_patience, cancellationToken);
            if (!entered) throw ApiProblem.TooMany(5);
            return new Leave(() =>
            {
                places.Free.Release();
                Gone();
            });
        }
        finally
        {
            if (!entered) Gone();
        }

        void Gone()
        {
            lock (_gate)
            {
                if (--places.Users == 0) _places.Remove(tenant);
            }
        }
    }

    private sealed class MeteredBody(Stream inner, Action pay) : Stream
    {
        public const int Unit = 64 * 1024;
        private long _read;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Pay(inner.Read(buffer, offset, count));

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Pay(await inner.ReadAsync(buffer, cancellationToken));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private int Pay(int read)
        {
            var before = _read / Unit;
            _read += read;
            for (var unit = before; unit < _read / Unit; unit++) pay();
            return read;
        }
    }

    private sealed class Places(SemaphoreSlim free)
    {
        public SemaphoreSlim Free { get; } = free;

        public int Users { get; set; }
    }

    private sealed class Leave(Action leave) : IDisposable
    {
        private Action? _leave = leave;

        public void Dispose() => Interlocked.Exchange(ref _leave, null)?.Invoke();
    }
}
