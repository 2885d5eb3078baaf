namespace KpiDashboard.Kpis;

/// <summary>A source of numbers as the engine knows it.</summary>
/// <param name="Number">Its number within the business; 0 is what is pushed and imported.</param>
/// <param name="Connector">Key of its connector.</param>
/// <param name="Clock">How far it is complete and final, and its currency.</param>
internal sealed record TableSource(short Number, string Connector, SourceClock Clock)
{
    /// <summary>No source has this number: what nobody claims belongs to the first source of its connector.</summary>
    public const short Nobody = -1;

    /// <summary>First day of which it ever had a value: before it, nothing is missed of it. Null: it never had any.</summary>
    public DateOnly? FirstDay { get; init; }

    /// <summary>Last day that is expected of it; null while it goes on.</summary>
    public DateOnly? LastDay { get; init; }

    /// <summary>The KPI that every day has that was read at all; null where there is none.</summary>
    public string? Pulse { get; init; }
}

/// <summary>The sources that a number may come from: all of a business, or those that a reader chose.</summary>
internal sealed class SourceClocks
{
    private readonly ILookup<string, TableSource> _byConnector;

    /// <summary>Makes them.</summary>
    /// <param name="sources">The sources, in the order of their numbers.</param>
    /// <param name="only">Numbers of those that a reader chose; null for all that there are.</param>
    public SourceClocks(IReadOnlyList<TableSource> sources, IReadOnlyCollection<short>? only = null)
    {
        (All, Only) = (sources, only);
        _byConnector = sources.ToLookup(source => source.Connector, StringComparer.Ordinal);
    }

    /// <summary>The sources.</summary>
    public IReadOnlyList<TableSource> All { get; }

    /// <summary>Numbers of those that a reader chose; null for all that there are.</summary>
    public IReadOnlyCollection<short>? Only { get; }

    /// <summary>KPIs that tell, where a connector has several sources, whether one of them was read on a day at all.</summary>
    public IEnumerable<string> Pulses => _byConnector.Where(group => group.Count() > 1).SelectMany(group => group)
        .Select(source => source.Pulse).OfType<string>().Distinct(StringComparer.Ordinal);

    /// <summary>The clock of the first source of a connector; without one, one that knows nothing.</summary>
    public SourceClock this[string connector] => _byConnector[connector].FirstOrDefault()?.Clock ?? default;

    /// <summary>The sources of a connector; without any, one that nothing is known of.</summary>
    public IReadOnlyList<TableSource> Of(string connector) =>
        _byConnector[connector].ToList() is { Count: > 0 } sources ? sources : [new TableSource(TableSource.Nobody, connector, default)];

    /// <summary>Currencies that the sources of a connector told of; empty where none did.</summary>
    public IReadOnlyList<string> CurrenciesOf(string connector) =>
        [.. _byConnector[connector].Select(source => source.Clock.Currency).OfType<string>().Distinct(StringComparer.Ordinal)];

    /// <summary>One source for each connector.</summary>
    public static implicit operator SourceClocks(Dictionary<string, SourceClock> clocks) =>
        new([.. clocks.Select((clock, index) => new TableSource((short)(index + 1), clock.Key, clock.Value))]);
}
