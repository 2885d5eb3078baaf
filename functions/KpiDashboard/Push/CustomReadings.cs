using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;
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

    /// <summary>The sentence about a value that is beyond <see cref="MaxValue"/>.</summary>
    public const string TooGreat = "The value is beyond 1,000,000,000,000,000.";

    private readonly Dictionary<string, string> _keys;
    // Signs that stand for more than a currency's own code.
    private static readonly Dictionary<string, string[]> Signs = new(StringComparer.OrdinalIgnoreCase)
    {
        ["$"] = ["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD", "ARS", "CLP", "COP", "JMD", "TTD", "BSD", "BBD", "BZD", "FJD", "NAD", "UYU"],
        ["US$"] = ["USD"],
        ["C$"] = ["CAD"],
        ["CA$"] = ["CAD"],
        ["A$"] = ["AUD"],
        ["NZ$"] = ["NZD"],
        ["R$"] = ["BRL"],
        ["€"] = ["EUR"],
        ["£"] = ["GBP", "EGP", "LBP", "GIP", "FKP", "SHP"],
        ["¥"] = ["JPY", "CNY"],
        ["円"] = ["JPY"],
        ["元"] = ["CNY"],
        ["₹"] = ["INR"],
        ["₩"] = ["KRW"],
        ["₺"] = ["TRY"],
        ["₽"] = ["RUB"],
        ["₴"] = ["UAH"],
        ["₫"] = ["VND"],
        ["₪"] = ["ILS"],
        ["₱"] = ["PHP"],
        ["₦"] = ["NGN"],
        ["฿"] = ["THB"],
        ["zł"] = ["PLN"],
        ["Kč"] = ["CZK"],
        ["Ft"] = ["HUF"],
        ["kr"] = ["SEK", "NOK", "DKK", "ISK"],
        ["kr."] = ["SEK", "NOK", "DKK", "ISK"],
        ["Fr."] = ["CHF"],
    };

    private readonly Dictionary<string, KpiUnit> _units;
    private readonly string? _currency;
    private readonly DateOnly _first, _last;

    /// <summary>Rules for a tenant's KPIs on a tenant's date.</summary>
    /// <param name="catalogue">The tenant's KPIs.</param>
    /// <param name="today">The tenant's date.</param>
    /// <param name="currency">The tenant's currency, in which its own money KPIs are; null where that does not matter.</param>
    public CustomReadings(TenantCatalogue catalogue, DateOnly today, string? currency = null)
    {
        (_currency, _units) = (currency, catalogue.Own.ToDictionary(kpi => kpi.Key, kpi => kpi.Unit, StringComparer.Ordinal));
        _keys = catalogue.Own.ToDictionary(kpi => kpi.Key, kpi => kpi.Key, StringComparer.OrdinalIgnoreCase);
        // A name stands for its KPI where no key is called so and no other has it.
        foreach (var named in catalogue.Own.GroupBy(kpi => CsvCell.Name(kpi.Name), StringComparer.OrdinalIgnoreCase).Where(named => named.Count() == 1)) _keys.TryAdd(named.Key, named.Single().Key);
        (_first, _last) = (today.AddMonths(-MaxMonths), today.AddDays(1));
    }

    /// <summary>The key that a name or key stands for, or why there is none.</summary>
    public (string? Key, string? Reason) Kpi(string? name) =>
        string.IsNullOrWhiteSpace(name) ? (null, "It names no KPI.")
        : _keys.TryGetValue(CsvCell.Name(name), out var key) ? (key, null)
        : name.Trim().StartsWith("calc.", StringComparison.OrdinalIgnoreCase) ? (null, $"'{Short(name)}' is computed from other KPIs and cannot be pushed.")
        : KpiCatalogue.Find(name.Trim()) is not null || KpiCatalogue.IsStored(name.Trim()) ? (null, $"'{Short(name)}' is measured by a connector and cannot be pushed.")
        : (null, $"{UndefinedStart}{Short(name)}{UndefinedEnd}");

    private const string UndefinedStart = "There is no custom KPI '", UndefinedEnd = "'; define it first.";

    /// <summary>The name that a sentence of <see cref="Kpi"/> says is not defined; null where it says something else, or the name is too
    /// long to be told whole.</summary>
    public static string? UnknownIn(string sentence) =>
        // Before it may stand which column of the file says so.
        sentence.IndexOf(UndefinedStart, StringComparison.Ordinal) is >= 0 and var start
        && sentence.EndsWith(UndefinedEnd, StringComparison.Ordinal)
        && sentence[(start + UndefinedStart.Length)..^UndefinedEnd.Length] is { Length: > 0 } name && !name.EndsWith('…')
            ? name
            : null;

    /// <summary>Why a day cannot be; null when it can.</summary>
    public string? Day(DateOnly day) =>
        day > _last ? Invariant($"{day:yyyy-MM-dd} is in the future.")
        : day < _first ? Invariant($"{day:yyyy-MM-dd} is more than {MaxMonths} months ago, and values are not kept that long.")
        : null;

    /// <summary>Why a number cannot have the sign that stands beside it; null when it can, or there is none.</summary>
    public string? Mark(string key, string? mark, string text)
    {
        if (mark is null) return null;
        var (shown, unit) = (Short(text), _units[key]);
        if (mark == "%") return unit == KpiUnit.Ratio ? null : $"'{shown}' has the sign '%' in it, and {key} is no share. Write the number alone.";
        if (!Signs.TryGetValue(mark, out var currencies)) currencies = Currencies.OrNull(mark) is { } code ? [code] : [];
        if (currencies.Length == 0) return $"'{shown}' has '{Short(mark)}' in it, which is no part of a number.";
        if (unit != KpiUnit.Currency) return $"'{shown}' has the sign '{mark}' in it, and {key} is no money. Write the number alone.";
        return _currency is null || currencies.Contains(_currency, StringComparer.Ordinal) ? null
            : $"'{shown}' has the sign '{mark}' in it, and this business counts in {_currency}; nothing is converted.";
    }

    /// <summary>Why a value that a file says is in a currency cannot be; null when it can, or no currency is told.</summary>
    public string? Currency(string key, string told) =>
        told.Length == 0 || _units[key] != KpiUnit.Currency || _currency is null || told.Equals(_currency, StringComparison.OrdinalIgnoreCase) ? null
        : $"The value is in {Short(told)}, and this business counts in {_currency}; nothing is converted.";

    /// <summary>Why a value cannot be; null when it can.</summary>
    public static string? Value(decimal value) => Math.Abs(value) > MaxValue ? TooGreat : null;

    /// <summary>
    /// Makes all that write or delete custom readings of a tenant wait for each other until the transaction ends, so that no reading outlives its definition
    /// and a push and an import of the same days cannot block each other.
    /// </summary>
    public static Task LockAsync(TenantTransaction tx) => tx.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended('custom_kpis ' || @tenant::text, 0))");

    internal static string Short(string text) => text.Trim() is { Length: <= 40 } whole ? whole : text.Trim()[..40] + "…";
}
