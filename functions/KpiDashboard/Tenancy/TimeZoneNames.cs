using KpiDashboard.Data;

namespace KpiDashboard.Tenancy;

/// <summary>
/// Time zones at the door. A zone is used by .NET here, by Postgres in every statement that makes days of instants, and by the browser; each has a database of zones of
/// its own, and servers differ. What is let in is known to both that can be asked: this process and the very server that will reckon in it.
/// </summary>
internal sealed class TimeZoneNames(Database database, TimeProvider time)
{
    /// <summary>How long the server's list is believed: it changes when the server is replaced.</summary>
    internal static readonly TimeSpan Believed = TimeSpan.FromHours(1);

    /// <summary>Names that are kept at most; there are some five hundred of places.</summary>
    private const int MaxNames = 5_000;

    private volatile Names? _server;

    /// <summary>Adds a sentence that names the field unless the zone is one that everybody knows who will use it.</summary>
    public async Task CheckAsync(IDictionary<string, string[]> errors, string field, string? value, CancellationToken cancellationToken)
    {
        TenantRules.TimeZone(errors, field, value);
        if (!errors.ContainsKey(field) && value != "UTC" && !(await OfServerAsync(cancellationToken)).Contains(value!))
            errors[field] = [$"'{field}' must be an IANA time zone like Europe/Berlin. The database here does not know this one; choose another place with the same time."];
    }

    /// <summary>The zone that a provider named, or null: not known here, or not to the server of the transaction.</summary>
    public static async Task<TimeZoneInfo?> FindAsync(TenantTransaction tx, string name) =>
        Find(name) is { } zone && await tx.QuerySingleAsync<bool>("select knows_zone(@name)", new { name }) ? zone : null;

    /// <summary>
    /// The zone of a stored name that the server's <c>safe_zone</c> let through: UTC where this process does not know it, as the server takes UTC for what it does
    /// not know. Operators are told of either (<c>inspect_tenants</c>); one business's odd zone must not be an exception in the middle of something.
    /// </summary>
    public static TimeZoneInfo Of(string? stored) => Find(stored) ?? TimeZoneInfo.Utc;

    /// <summary>The zone of exactly this IANA name; null if there is none. Some systems find names in other letters, with posix/ before them, and Windows' own, too.</summary>
    internal static TimeZoneInfo? Find(string? name) =>
        name is { Length: > 0 and <= 64 }
        && !name.StartsWith("posix/", StringComparison.OrdinalIgnoreCase) && !name.StartsWith("right/", StringComparison.OrdinalIgnoreCase)
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '+') && name is not ("Factory" or "localtime" or "posixrules")
        && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) && zone.Id == name && zone.HasIanaId
            ? zone
            : null;

    /// <summary>The places that the server lists. The list and not a try: tried, it reads europe/berlin as well, if its files lie so.</summary>
    private async Task<IReadOnlySet<string>> OfServerAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (_server is { } known && now - known.At < Believed) return known.All;
        // It reads some thousand files for this, once an hour; several at once are no harm.
        var names = await database.QueryAsync<string>(
            "select n.name from pg_timezone_names n where n.name like '%/%' and knows_zone(n.name) limit @MaxNames", new { MaxNames }, cancellationToken);
        var all = names.ToHashSet(StringComparer.Ordinal);
        _server = new Names(all, now);
        return all;
    }

    private sealed record Names(IReadOnlySet<string> All, DateTimeOffset At);
}
