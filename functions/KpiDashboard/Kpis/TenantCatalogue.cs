using KpiDashboard.Data;

namespace KpiDashboard.Kpis;

/// <summary>The catalogue of one tenant: what the product knows, and what the tenant defined itself.</summary>
internal sealed class TenantCatalogue
{
    /// <summary>Source of every KPI that a tenant defined.</summary>
    public const string PushSource = "push";

    private static readonly TenantCatalogue ProductOnly = new([]);

    private readonly Dictionary<string, KpiDefinition> _own;

    /// <summary>The product's entries and these.</summary>
    public TenantCatalogue(IReadOnlyList<KpiDefinition> own)
    {
        _own = own.ToDictionary(kpi => kpi.Key, StringComparer.Ordinal);
        All = own.Count == 0 ? KpiCatalogue.All : [.. KpiCatalogue.All, .. own];
        Visible = own.Count == 0 ? KpiCatalogue.Visible : [.. KpiCatalogue.Visible, .. own];
    }

    /// <summary>All entries; the tenant's own come last.</summary>
    public IReadOnlyList<KpiDefinition> All { get; }

    /// <summary>Entries that a person sees.</summary>
    public IReadOnlyList<KpiDefinition> Visible { get; }

    /// <summary>The tenant's own entries.</summary>
    public IReadOnlyCollection<KpiDefinition> Own => _own.Values;

    /// <summary>The visible entry of a key, or null.</summary>
    public KpiDefinition? Find(string key) => _own.TryGetValue(key, out var own) ? own : KpiCatalogue.Find(key);

    /// <summary>Reads the tenant's own entries; one probe of an index for the many tenants that have none.</summary>
    public static async Task<TenantCatalogue> LoadAsync(TenantTransaction tx)
    {
        var rows = await tx.QueryAsync<Row>(
            "select key, name, description, unit, direction, aggregation from custom_kpis where tenant_id = @tenant order by name, key");
        return rows.Count == 0 ? ProductOnly : new TenantCatalogue([.. rows.Select(row => Definition(row.Key, row.Name, row.Description, row.Unit, row.Direction, row.Aggregation))]);
    }

    private static KpiDefinition Definition(string key, string name, string description, string unit, string direction, string aggregation) => new()
    {
        Key = key,
        Name = name,
        Description = description,
        Unit = Enum.Parse<KpiUnit>(unit, ignoreCase: true),
        Direction = Enum.Parse<KpiDirection>(direction, ignoreCase: true),
        Aggregation = Enum.Parse<KpiAggregation>(aggregation.Replace("_", "", StringComparison.Ordinal), ignoreCase: true),
        Source = PushSource,
        IsSparse = true,
    };

    private sealed record Row(string Key, string Name, string Description, string Unit, string Direction, string Aggregation);
}
