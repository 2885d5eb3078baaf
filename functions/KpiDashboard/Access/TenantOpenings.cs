using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Tenancy;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Access;

/// <summary>Something about a tenant that most of its reads need, and that changes only with its data version.</summary>
internal interface ITenantPart
{
    /// <summary>
    /// Adds its question to a batch that has set the tenant. The statement has the parameters <c>@tenant</c> and <c>@known</c>, a data version:
    /// while that is still the tenant's, it need not look (<see cref="TenantOpenings.Unless"/>).
    /// </summary>
    /// <returns>What it is; whatever, where it did not look.</returns>
    Task<object> AskAsync(SqlBatch batch, Guid tenant, long? known, DateTimeOffset now);

    /// <summary>Puts it among what is known.</summary>
    void Note(TenantKnowledge knowledge, object part, DateTimeOffset now);
}

/// <summary>A tenant as a read finds it: its settings, and what is known of it already.</summary>
internal sealed record TenantOpening(TenantProfile Profile, TenantKnowledge Knowledge);

/// <summary>
/// Begins every read of a tenant in one round trip: its row with the data version, and beside it what most reads need. What was read at the same
/// version is remembered, and then those statements say nothing; the version itself is read each time, so that it does not matter which instance
/// of the app wrote last.
/// </summary>
internal sealed class TenantOpenings(
    Database database, IEnumerable<ITenantPart> parts, IOptions<AnswerOptions> options, TimeProvider time) : IDisposable
{
    /// <summary>SQL: true unless the version that is known is the tenant's.</summary>
    public const string Unless = "(@known::bigint is null or @known <> (select known_tenant.data_version from tenants known_tenant where known_tenant.id = @tenant))";

    private const int Most = 2_000;

    private readonly ITenantPart[] _parts = [.. parts];
    private readonly MemoryCache _remembered = new(new MemoryCacheOptions { SizeLimit = Most });

    /// <inheritdoc />
    public void Dispose() => _remembered.Dispose();

    /// <summary>Opens a tenant for a reader that has been let in already; null when it is gone.</summary>
    public async Task<TenantOpening?> OpenAsync(Guid tenant, CancellationToken cancellationToken)
    {
        var batch = new SqlBatch();
        batch.Begin("select set_config('app.tenant_id', @text, true)", new { text = tenant.ToString() });
        var opening = JoinAsync(batch, tenant);
        await database.RunAsync(batch, cancellationToken);
        return await opening;
    }

    /// <summary>Adds the questions to a batch that sets the tenant first.</summary>
    /// <returns>Ends when the batch has run; null when there is no such tenant, or the batch has not let the reader in.</returns>
    public async Task<TenantOpening?> JoinAsync(SqlBatch batch, Guid tenant)
    {
        var now = time.GetUtcNow();
        // As long as an answer may stand unchanged (TenantReads): some parts tell of time.
        var quarter = TenantReads.Quarter(now);
        var remembered = _remembered.TryGetValue(tenant, out Remembered? found) && found!.Quarter == quarter ? found : null;
        var profile = TenantProfile.AskAsync(batch, tenant);
        var asked = Array.ConvertAll(_parts, part => part.AskAsync(batch, tenant, remembered?.Version, now));
        if (await profile is not { } known) return null;
        if (remembered?.Version != known.DataVersion)
        {
            remembered = new Remembered(known.DataVersion, quarter, await Task.WhenAll(asked));
            if (options.Value.KeptMegabytes > 0)
                _remembered.Set(tenant, remembered, new MemoryCacheEntryOptions { Size = 1, SlidingExpiration = TimeSpan.FromMinutes(15) });
        }

        var knowledge = new TenantKnowledge().With(known);
        for (var place = 0; place < _parts.Length; place++) _parts[place].Note(knowledge, remembered.Parts[place], now);
        return new TenantOpening(known, knowledge);
    }

    private sealed record Remembered(long Version, long Quarter, object[] Parts);
}
