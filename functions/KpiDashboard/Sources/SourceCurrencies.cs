using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Sources;

/// <summary>In which currency money is that sources told of.</summary>
internal static class SourceCurrencies
{
    /// <summary>Nothing is converted: money that a provider told of is in the provider's currency, whatever the business's own is.</summary>
    public static string? Of(KpiDefinition kpi, IEnumerable<SourceState> sources, TenantProfile tenant)
    {
        if (kpi.Unit != KpiUnit.Currency) return null;
        // Of two there is none: such a number is not computed.
        return kpi.Currencies(Of(sources, tenant)) switch { [] => tenant.Currency, [var only] => only, _ => null };
    }

    /// <summary>
    /// The same of a number that was computed: that of the sources that have a part in it. A shop and a site without one have no two currencies.
    /// </summary>
    public static string? Of(KpiDefinition kpi, IReadOnlyCollection<SourceState> sources, TenantProfile tenant, KpiTable table)
    {
        if (kpi.Unit != KpiUnit.Currency) return null;
        var having = table.Having(kpi);
        var told = sources.Where(source => having.Contains(source.Number)).ToList();
        return Of(kpi, told.Count > 0 ? told : sources, tenant);
    }

    /// <summary>The currencies of a connector's money: what its sources told, those that are read before others; else the business's own.</summary>
    public static Func<string, IReadOnlyList<string>> Of(IEnumerable<SourceState> sources, TenantProfile tenant) =>
        key =>
        {
            var all = sources.Where(source => source.Connector == key).ToList();
            var read = all.Exists(source => source.IsConnected) ? all.Where(source => source.IsConnected) : all;
            List<string> told = [.. read.Select(source => Currencies.OrNull(source.Currency) ?? tenant.Currency).Distinct(StringComparer.Ordinal)];
            return told.Count > 0 ? told : [tenant.Currency];
        };
}
