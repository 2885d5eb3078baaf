using System.Security.Cryptography;
using System.Text;
using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Access;

/// <summary>What is limited.</summary>
internal enum Bucket
{
    /// <summary>Wrong sign-ins from one network address.</summary>
    SignInAddress,

    /// <summary>Wrong sign-ins to one account from browsers that never signed in to it.</summary>
    SignInAccount,

    /// <summary>Wrong sign-ins to one account from one browser that did.</summary>
    SignInDevice,

    /// <summary>Wrong sign-ins with one password from browsers that never signed in, over all accounts: one password is tried on many.</summary>
    SignInPassword,

    /// <summary>The same where the address is not known, which would have held a single attacker back sooner.</summary>
    SignInPasswordAlone,

    /// <summary>Wrong codes of the second factor of one account.</summary>
    SecondFactor,

    /// <summary>Registrations from one network address.</summary>
    RegisterAddress,

    /// <summary>Registrations with one mailbox.</summary>
    RegisterMailbox,

    /// <summary>Registrations of everybody together: the only limit that a flood with a new name each time meets while addresses are not known.</summary>
    Register,

    /// <summary>Mails of one kind to one mailbox that others than its owner may cause: reset, verification, invitation; whoever asks, from whatever business.</summary>
    MailRecipient,

    /// <summary>Requests for such mails from one network address.</summary>
    MailAddress,

    /// <summary>Invitations of one tenant.</summary>
    Invitation,

    /// <summary>Requests of one API or webhook token.</summary>
    Token,

    /// <summary>Refreshes that one tenant asks for.</summary>
    Refresh,

    /// <summary>Exports of everything of one tenant.</summary>
    TenantExport,

    /// <summary>Requests of one read-only link to a dashboard.</summary>
    Share,

    /// <summary>Links that lead nowhere, from one network address.</summary>
    ShareAddress,

    /// <summary>Connections that one tenant tries: each asks an address that somebody entered.</summary>
    Connect,

    /// <summary>Reads of one person or token, in an instance.</summary>
    Reads,

    /// <summary>Changes of one person or token, in an instance.</summary>
    Writes,

    /// <summary>Heavy calls of one business, in an instance.</summary>
    Heavy,

    /// <summary>What one business brings to be read, in units of 64 KB, in an instance.</summary>
    HeavyBytes,
}

/// <summary>So many in so long a time; after that, one more each time the matching part of it has passed.</summary>
internal sealed class Limit
{
    /// <summary>How many at once.</summary>
    public int Permits { get; set; }

    /// <summary>Time after which all are there again.</summary>
    public TimeSpan Period { get; set; }
}

/// <summary>Limits on abuse; section <c>Limits</c>, for example <c>Limits:SignInAccount:Permits</c> and <c>Limits:SignInAccount:Period</c>.</summary>
internal sealed class LimitOptions : Dictionary<Bucket, Limit>
{
    /// <summary>The limits where no setting says otherwise.</summary>
    public LimitOptions()
    {
        this[Bucket.SignInAddress] = new() { Permits = 50, Period = TimeSpan.FromMinutes(15) };
        this[Bucket.SignInAccount] = new() { Permits = 10, Period = TimeSpan.FromMinutes(15) };
        this[Bucket.SignInDevice] = new() { Permits = 10, Period = TimeSpan.FromMinutes(15) };
        this[Bucket.SignInPassword] = new() { Permits = 200, Period = TimeSpan.FromHours(1) };
        this[Bucket.SignInPasswordAlone] = new() { Permits = 50, Period = TimeSpan.FromMinutes(15) };
        this[Bucket.SecondFactor] = new() { Permits = 10, Period = TimeSpan.FromMinutes(15) };
        this[Bucket.RegisterAddress] = new() { Permits = 10, Period = TimeSpan.FromHours(1) };
        this[Bucket.RegisterMailbox] = new() { Permits = 10, Period = TimeSpan.FromHours(1) };
        this[Bucket.Register] = new() { Permits = 1000, Period = TimeSpan.FromHours(1) };
        this[Bucket.MailRecipient] = new() { Permits = 3, Period = TimeSpan.FromHours(1) };
        this[Bucket.MailAddress] = new() { Permits = 20, Period = TimeSpan.FromHours(1) };
        this[Bucket.Invitation] = new() { Permits = 50, Period = TimeSpan.FromHours(1) };
        this[Bucket.Token] = new() { Permits = 600, Period = TimeSpan.FromMinutes(1) };
        this[Bucket.Refresh] = new() { Permits = 20, Period = TimeSpan.FromMinutes(15) };
        this[Bucket.Share] = new() { Permits = 300, Period = TimeSpan.FromMinutes(5) };
        this[Bucket.ShareAddress] = new() { Permits = 60, Period = TimeSpan.FromMinutes(15) };
        this[Bucket.Connect] = new() { Permits = 20, Period = TimeSpan.FromMinutes(15) };
        this[Bucket.Reads] = new() { Permits = 3000, Period = TimeSpan.FromMinutes(1) };
        this[Bucket.Writes] = new() { Permits = 1000, Period = TimeSpan.FromMinutes(1) };
        this[Bucket.Heavy] = new() { Permits = 300, Period = TimeSpan.FromMinutes(5) };
        this[Bucket.HeavyBytes] = new() { Permits = 1600, Period = TimeSpan.FromMinutes(10) };
        this[Bucket.TenantExport] = new() { Permits = 5, Period = TimeSpan.FromDays(1) };
    }

    internal static bool IsValid(LimitOptions options) =>
        options.Values.All(limit => limit.Permits is > 0 and <= 1_000_000 && limit.Period > TimeSpan.Zero && limit.Period <= TimeSpan.FromDays(7));
}

/// <summary>Limits that hold across instances, because they are counted in Postgres (function <c>take_permit</c>).</summary>
internal sealed class RateLimits(Database database, IOptionsMonitor<LimitOptions> options, TimeProvider time)
{
    /// <summary>Takes a permit of a bucket.</summary>
    /// <exception cref="ApiProblem">429 with <c>Retry-After</c>: none is left.</exception>
    public async Task TakeAsync(Bucket bucket, string subject, CancellationToken cancellationToken)
    {
        ThrowIfWaiting(await TryTakeAsync(bucket, subject, cancellationToken));
    }

    /// <summary>Refuses who has to wait.</summary>
    /// <exception cref="ApiProblem">429 with <c>Retry-After</c>.</exception>
    public static void ThrowIfWaiting(TimeSpan wait)
    {
        if (wait > TimeSpan.Zero) throw ApiProblem.TooMany((int)Math.Ceiling(wait.TotalSeconds));
    }

    /// <summary>Takes a permit of a bucket, or says how long to wait for one.</summary>
    public async Task<TimeSpan> TryTakeAsync(Bucket bucket, string subject, CancellationToken cancellationToken)
    {
        var limit = options.CurrentValue[bucket];
        var seconds = (await database.QueryAsync<double>(
            "select take_permit(@key, @permits, @period, @now)",
            new { key = Key(bucket, subject), permits = limit.Permits, period = limit.Period, now = time.GetUtcNow() }, cancellationToken)).Single();
        return TimeSpan.FromSeconds(seconds);
    }

    /// <summary>Takes a permit in a batch, or says how long to wait for one.</summary>
    public async Task<TimeSpan> TryTakeAsync(SqlBatch batch, Bucket bucket, string subject)
    {
        var limit = options.CurrentValue[bucket];
        var seconds = await batch.Add(
            "select take_permit(@key, @permits, @period, @now)",
            new { key = Key(bucket, subject), permits = limit.Permits, period = limit.Period, now = time.GetUtcNow() }, SqlBatch.RowsAsync<double>);
        return TimeSpan.FromSeconds(seconds.Single());
    }

    /// <summary>Takes a permit within a transaction: it is given back with it.</summary>
    /// <exception cref="ApiProblem">429 with <c>Retry-After</c>: none is left.</exception>
    public async Task TakeAsync(TenantTransaction tx, Bucket bucket, string subject)
    {
        var limit = options.CurrentValue[bucket];
        var seconds = await tx.QuerySingleAsync<double>(
            "select take_permit(@key, @permits, @period, @now)",
            new { key = Key(bucket, subject), permits = limit.Permits, period = limit.Period, now = time.GetUtcNow() });
        if (seconds > 0) throw ApiProblem.TooMany((int)Math.Ceiling(seconds));
    }

    /// <summary>Takes a permit by network address, where that is known (<see cref="ClientAddress.KnownKey"/>).</summary>
    /// <exception cref="ApiProblem">429 with <c>Retry-After</c>: none is left.</exception>
    public Task TakeByAddressAsync(Bucket bucket, string? address, CancellationToken cancellationToken) =>
        address is null ? Task.CompletedTask : TakeAsync(bucket, address, cancellationToken);

    /// <summary>Gives a permit back: what was limited turned out well.</summary>
    public Task ReturnAsync(Bucket bucket, string subject, CancellationToken cancellationToken)
    {
        var limit = options.CurrentValue[bucket];
        return database.ExecuteAsync(
            "select return_permit(@key, @permits, @period)", new { key = Key(bucket, subject), permits = limit.Permits, period = limit.Period }, cancellationToken);
    }

    /// <summary>Forgets keys whose allowance is whole again.</summary>
    public Task PurgeAsync(CancellationToken cancellationToken) =>
        database.ExecuteAsync("select purge_rate_limits(@now)", new { now = time.GetUtcNow() }, cancellationToken);

    private static byte[] Key(Bucket bucket, string subject) => SHA256.HashData(Encoding.UTF8.GetBytes($"{bucket}\n{subject}"));
}
