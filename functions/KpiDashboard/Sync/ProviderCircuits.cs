using KpiDashboard.Api;
using KpiDashboard.Data;

namespace KpiDashboard.Sync;

/// <summary>
/// The circuit breaker of each provider (<see cref="Connectors.IConnector.ProviderKey"/>), in Postgres and so shared by all instances. Closed: everybody calls.
/// Open, after failures in a row of several integrations: nobody calls, runs wait. Then one run tries; if it succeeds everybody calls again, if not the
/// wait doubles. A single integration never opens it: its own retries are enough, and its trouble may be its own.
/// </summary>
internal sealed class ProviderCircuits(Database database, TimeProvider time)
{
    /// <summary>Failures in a row that open a circuit.</summary>
    public const int Failures = 5;

    /// <summary>Of at least so many integrations.</summary>
    public const int Integrations = 3;

    /// <summary>Failures further apart than this are not in a row.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <summary>First wait; doubled each time up to <see cref="LongestWait"/>.</summary>
    public static readonly TimeSpan FirstWait = TimeSpan.FromMinutes(1);

    /// <summary>Longest wait between two tries.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    /// <summary>How long a try keeps others from trying; after that whoever made it is taken for dead.</summary>
    public static readonly TimeSpan ProbeTime = TimeSpan.FromMinutes(2);

    /// <summary>Null if the run may call the provider now, perhaps as the one that tries; else when to ask again. In the transaction that begins the step.</summary>
    public static async Task<DateTimeOffset?> AdmitAsync(TenantTransaction tx, string provider, Guid run, DateTimeOffset now)
    {
        var (admitted, retryAt) = await tx.QuerySingleAsync<(bool Admitted, DateTimeOffset? RetryAt)>(
            "select admitted, retry_at from admit_to_provider(@key, @run, @now, @probe)", new { key = KeyOf(provider), run, now, probe = ProbeTime });
        return admitted ? null : retryAt ?? now + FirstWait;
    }

    /// <summary>The provider answered: closes the circuit.</summary>
    public Task AnsweredAsync(string provider, CancellationToken cancellationToken) =>
        database.ExecuteAsync("select provider_answered(@key)", new { key = KeyOf(provider) }, cancellationToken);

    /// <summary>The provider did not answer; returns until when nobody asks it again, null while the circuit is closed.</summary>
    public async Task<DateTimeOffset?> FailedAsync(string provider, Guid integration, Guid run, CancellationToken cancellationToken) =>
        (await database.QueryAsync<DateTimeOffset?>(
            "select provider_failed(@key, @integration, @run, @now, @window, @failures, @integrations, @first, @longest)",
            new
            {
                key = KeyOf(provider),
                integration,
                run,
                now = time.GetUtcNow(),
                window = Window,
                failures = Failures,
                integrations = Integrations,
                first = FirstWait,
                longest = LongestWait,
            }, cancellationToken))[0];

    /// <summary>The run found out neither: if it was the one that tries, the next may.</summary>
    public Task ReleaseAsync(string provider, Guid run, CancellationToken cancellationToken) =>
        database.ExecuteAsync("select release_probe(@key, @run)", new { key = KeyOf(provider), run }, cancellationToken);

    /// <summary>Its name in the table.</summary>
    internal static string KeyOf(string provider) => KeptText.Cut(provider, 600);
}
