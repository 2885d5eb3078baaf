using KpiDashboard.Data;
using KpiDashboard.Kpis;
using static System.FormattableString;

namespace KpiDashboard.Push;

/// <summary>What may be pushed or imported: readings of KPIs that the tenant defined itself, on days that make sense.</summary>
internal sealed class CustomReadings
{
    /// <summary>Values are kept for 25 months.</summary>
    public const int MaxMonths = 25;

    /// <summary>Greatest magnitude of a value.</summary>
    public const decimal MaxValue = 1_000_000_000_000_000m;

    /// <summary>Decimal places that are kept; more are rounded, because binary fractions have a tail.</summary>
    public const int Decimals = 8;

    private readonly Dictionary<string, string> _keys;
    private readonly DateOnly _first, _last;

    /// <summary>Rules for a tenant's KPIs on a tenant's date.</summary>
    public CustomReadings(TenantCatalogue catalogue, DateOnly today)
    {
        _keys = catalogue.Own.ToDictionary(kpi => kpi.Key, kpi => kpi.Key, StringComparer.OrdinalIgnoreCase);
        // A name stands for its KPI where no key is called so and no other has it.
        foreach (var named in catalogue.Own.GroupBy(kpi => kpi.Name, StringComparer.OrdinalIgnoreCase).Where(named => named.Count() == 1)) _keys.TryAdd(named.Key, named.Single().Key);
        (_first, _last) = (today.AddMonths(-MaxMonths), today.AddDays(1));
    }

    /// <summary>The key that a name or key stands for, or why there is none.</summary>
    public (string? Key, string? Reason) Kpi(string? name) =>
        string.IsNullOrWhiteSpace(name) ? (null, "It names no KPI.")
        : _keys.TryGetValue(name.Trim(), out var key) ? (key, null)
        : KpiCatalogue.Find(name.Trim()) is not null || KpiCatalogue.IsStored(name.Trim()) ? (null, $"'{Short(name)}' is measured by a connector and cannot be pushed.")
        : (null, $"There is no custom KPI '{Short(name)}'; define it first.");

    /// <summary>Why a day cannot be; null when it can.</summary>
    public string? Day(DateOnly day) =>
        day > _last ? Invariant($"{day:yyyy-MM-dd} is in the future.")
        : day < _first ? Invariant($"{day:yyyy-MM-dd} is more than {MaxMonths} months ago, and values are not kept that long.")
        : null;

    /// <summary>Why a value cannot be; null when it can.</summary>
    public static string? Value(decimal value) => Math.Abs(value) > MaxValue ? "The value is beyond 1,000,000,000,000,000." : null;

    /// <summary>
    /// Makes all that write or delete custom readings of a tenant wait for each other until the transaction ends, so that no reading outlives its definition
    /// and a push and an import of the same days cannot block each other.
    /// </summary>
    public static Task LockAsync(TenantTransaction tx) => tx.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended('custom_kpis ' || @tenant::text, 0))");

    internal static string Short(string text) => text.Trim() is { Length: <= 40 } whole ? whole : text.Trim()[..40] + "…";
}
