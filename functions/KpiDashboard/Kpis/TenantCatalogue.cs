using KpiDashboard.Access;
using KpiDashboard.Data;

namespace KpiDashboard.Kpis;

/// <summary>The catalogue of one tenant: what the product knows, and what the tenant defined itself.</summary>
internal sealed class TenantCatalogue
{
    /// <summary>Source of every KPI that a tenant defined.</summary>
    public const string PushSource = "push";

    private static readonly TenantCatalogue ProductOnly = new([]);

    private readonly Dictionary<string, KpiDefinition> _calculated;

    private readonly Dictionary<string, KpiDefinition> _own;

    /// <summary>The product's entries and these.</summary>
    /// <param name="own">KPIs whose readings the tenant pushes.</param>
    /// <param name="calculated">KPIs that it computes from others.</param>
    public TenantCatalogue(IReadOnlyList<KpiDefinition> own, IReadOnlyList<CalculatedKpi>? calculated = null)
    {
        _own = own.ToDictionary(kpi => kpi.Key, StringComparer.Ordinal);
        All = own.Count == 0 ? KpiCatalogue.All : [.. KpiCatalogue.All, .. own];
        (var definitions, Problems) = CalculatedKpi.Define(calculated ?? [], Find, Stored);
        _calculated = definitions.ToDictionary(kpi => kpi.Key, StringComparer.Ordinal);
        Visible = [.. KpiCatalogue.Visible, .. own, .. definitions, HealthScore.Kpi];
    }

    /// <summary>All entries; the tenant's own come last.</summary>
    public IReadOnlyList<KpiDefinition> All { get; }

    /// <summary>Entries that a person sees.</summary>
    public IReadOnlyList<KpiDefinition> Visible { get; }

    /// <summary>The entries whose readings the tenant pushes.</summary>
    public IReadOnlyCollection<KpiDefinition> Own => _own.Values;

    /// <summary>Calculated KPIs that cannot be computed, and why: what they rest on is gone.</summary>
    public IReadOnlyDictionary<string, string> Problems { get; }

    /// <summary>The visible entry of a key, or null.</summary>
    public KpiDefinition? Find(string key) =>
        _own.TryGetValue(key, out var own) ? own
        : _calculated is not null && _calculated.TryGetValue(key, out var calculated) ? calculated
        : key == HealthScore.Key ? HealthScore.Kpi
        : KpiCatalogue.Find(key);

    /// <summary>The entry of a stored part, hidden or not.</summary>
    public KpiDefinition Stored(string key) => _own.TryGetValue(key, out var own) ? own : key == HealthScore.Key ? HealthScore.Kpi : KpiCatalogue.Part(key);

    /// <summary>Keys of the KPIs that a calculated one rests on, however deep; of any other, its own.</summary>
    public IReadOnlyCollection<string> UsesOf(KpiDefinition kpi)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var open = new Queue<string>([kpi.Key]);
        while (open.TryDequeue(out var key))
        {
            if (!found.Add(key) || !_calculated.TryGetValue(key, out var calculated)) continue;
            foreach (var use in Formula.Read(calculated.Formula).Formula!.Uses) open.Enqueue(use);
        }

        return found;
    }

    /// <summary>Reads the tenant's own entries; one probe of an index for the many tenants that have none.</summary>
    public static async Task<TenantCatalogue> LoadAsync(TenantTransaction tx) =>
        tx.Known?.Find<TenantCatalogue>() ?? Of(await tx.QueryAsync<Row>(Sql, new { known = (long?)null }));

    private const string Sql =
        $"""
        select key, name, description, unit, direction, aggregation, null as formula from custom_kpis where tenant_id = @tenant and {TenantOpenings.Unless}
        union all
        select key, name, description, unit, direction, null, formula from calculated_kpis where tenant_id = @tenant and {TenantOpenings.Unless}
        order by name, key
        """;

    private static TenantCatalogue Of(IReadOnlyList<Row> rows) => rows.Count == 0
        ? ProductOnly
        : new TenantCatalogue([.. rows.Where(row => row.Formula is null).Select(row => row.ToPushed())], [.. rows.Where(row => row.Formula is not null).Select(row => row.ToCalculated())]);

    /// <summary>The catalogue among what most reads need.</summary>
    internal sealed class Part : ITenantPart
    {
        /// <inheritdoc />
        public async Task<object> AskAsync(SqlBatch batch, Guid tenant, long? known, DateTimeOffset now) =>
            Of(await batch.Add(Sql, new { known }, tenant, SqlBatch.RowsAsync<Row>));

        /// <inheritdoc />
        public void Note(TenantKnowledge knowledge, object part, DateTimeOffset now) => knowledge.With((TenantCatalogue)part);
    }

    private sealed record Row(string Key, string Name, string Description, string Unit, string Direction, string? Aggregation, string? Formula)
    {
        public KpiDefinition ToPushed() => new()
        {
            Key = Key,
            Name = Name,
            Description = Description,
            Unit = Enum.Parse<KpiUnit>(Unit, ignoreCase: true),
            Direction = Enum.Parse<KpiDirection>(Direction, ignoreCase: true),
            Aggregation = Enum.Parse<KpiAggregation>(Aggregation!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true),
            Source = PushSource,
            IsSparse = true,
        };

        public CalculatedKpi ToCalculated() => new(
            Key, Name, Description, Enum.Parse<KpiUnit>(Unit, ignoreCase: true), Enum.Parse<KpiDirection>(Direction, ignoreCase: true), Formula!);
    }
}
