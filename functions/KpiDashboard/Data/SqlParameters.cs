namespace KpiDashboard.Data;

/// <summary>Parameters of one statement that are put together of several objects; of two with the same name the first counts.</summary>
internal sealed class SqlParameters
{
    private readonly List<object> _parts;

    /// <summary>Begins with the properties of an anonymous object.</summary>
    public SqlParameters(object part) => _parts = [part];

    /// <summary>The objects, none of which is one of these.</summary>
    public IReadOnlyList<object> Parts => _parts;

    /// <summary>What a statement takes its parameters from, first to last: the parts of these, or the one object; none for null.</summary>
    public static IReadOnlyList<object> PartsOf(object? parameters) =>
        parameters is SqlParameters several ? several.Parts : parameters is null ? [] : [parameters];

    /// <summary>Adds the properties of another one.</summary>
    public void Add(object part) => _parts.Add(part);
}
