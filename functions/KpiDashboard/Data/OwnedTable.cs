using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Data;

/// <summary>
/// A table (or a view of several), registered by the slice that it is about, with what an export of a business does not hold of it, and
/// why. What has a tenant goes with it, registered or not; a test compares what is registered with the database.
/// </summary>
internal sealed record OwnedTable
{
    private OwnedTable(string name, bool isTenants, string? leftOut) => (Name, IsTenants, LeftOut) = (name, isTenants, leftOut);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its rows belong to a business, and are deleted with it.</summary>
    public bool IsTenants { get; }

    /// <summary>Why nothing of it is exported with a business; null for what is.</summary>
    public string? LeftOut { get; }

    /// <summary>Columns that are not exported, each with why.</summary>
    public IReadOnlyDictionary<string, string> Withheld { get; private init; } = new Dictionary<string, string>();

    /// <summary>Of a business, and in its export.</summary>
    public static OwnedTable OfTenant(string name) => new(name, isTenants: true, leftOut: null);

    /// <summary>Of a business, and not in its export.</summary>
    public static OwnedTable NotExported(string name, string why) => new(name, isTenants: true, why);

    /// <summary>Of no business.</summary>
    public static OwnedTable OfNoTenant(string name, string why) => new(name, isTenants: false, why);

    /// <summary>The same without a column in the export.</summary>
    public OwnedTable Without(string column, string why) =>
        this with { Withheld = new Dictionary<string, string>(Withheld, StringComparer.Ordinal) { [column] = why } };
}

internal static class OwnedTables
{
    /// <summary>Registers what a slice owns.</summary>
    public static IServiceCollection AddTables(this IServiceCollection services, params OwnedTable[] tables)
    {
        foreach (var table in tables) services.AddSingleton(table);
        return services;
    }
}
