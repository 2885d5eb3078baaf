using System.Collections;
using KpiDashboard.Api;
using KpiDashboard.Kpis;

namespace KpiDashboard.Sources;

/// <summary>
/// The sources that a read is narrowed to by <c>sources=</c>: ids of integrations, and <c>push</c> for what is pushed and imported. All of them
/// where it is left out. As a list it holds the chosen integrations.
/// </summary>
internal sealed class SourceSelection : IReadOnlyList<SourceState>
{
    /// <summary>Most sources that a read may name.</summary>
    public const int Most = 50;

    private readonly IReadOnlyList<SourceState> _sources;

    private SourceSelection(IReadOnlyList<SourceState> every, IReadOnlyList<SourceState> sources, bool pushed, IReadOnlyList<string>? named)
    {
        (Every, _sources, Pushed, Named) = (every, sources, pushed, named);
        Numbers = named is null ? null : [.. sources.Select(source => source.Number), .. pushed ? (short[])[SourceState.Pushed] : []];
        Clocks = SourceState.Clocks(sources, pushed, Numbers);
    }

    /// <summary>All integrations of the business, whatever was chosen.</summary>
    public IReadOnlyList<SourceState> Every { get; }

    /// <summary>Whether what is pushed and imported is among them.</summary>
    public bool Pushed { get; }

    /// <summary>What was named; null where a read is of all.</summary>
    public IReadOnlyList<string>? Named { get; }

    /// <summary>Numbers of those that were named; null for all.</summary>
    public short[]? Numbers { get; }

    /// <summary>Ids of the integrations that were named; null for all.</summary>
    public Guid[]? Integrations => Named is null ? null : [.. _sources.Select(source => source.Id)];

    /// <summary>For the engine.</summary>
    public SourceClocks Clocks { get; }

    /// <inheritdoc />
    public int Count => _sources.Count;

    /// <inheritdoc />
    public SourceState this[int index] => _sources[index];

    /// <summary>All sources of a business.</summary>
    public static SourceSelection All(IReadOnlyList<SourceState> sources) => new(sources, sources, pushed: true, null);

    /// <summary>Whether these are just the sources that something was kept for; null: all.</summary>
    public bool IsOf(IReadOnlyCollection<string>? names) => names is null ? Named is null : Named is not null && Named.ToHashSet(StringComparer.Ordinal).SetEquals(names);

    /// <summary>Those that report on a topic alone, of those that were chosen.</summary>
    public SourceClocks ClocksOf(KpiTopic topic) =>
        SourceState.Clocks([.. _sources.Where(source => KpiCatalogue.Reports(source.Connector, topic))], Pushed, Numbers);

    /// <summary>Those that were kept with something (a goal, a share); what is gone since is left out. None kept: all.</summary>
    public static SourceSelection Kept(IReadOnlyList<SourceState> sources, IReadOnlyCollection<string>? names) =>
        names is null or { Count: 0 } ? All(sources) : new(
            sources, [.. sources.Where(source => names.Contains(source.Id.ToString("D"), StringComparer.Ordinal))],
            names.Contains(TenantCatalogue.PushSource, StringComparer.Ordinal), [.. names]);

    /// <summary>Reads <c>sources</c> from a query; what is none of this business's sources is named in a sentence.</summary>
    public static SourceSelection Read(QueryReader query, IReadOnlyList<SourceState> sources)
    {
        if (query.Text("sources", maxLength: 2000) is not { } text) return All(sources);
        var names = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct(StringComparer.Ordinal).ToList();
        if (Check(names, sources) is { } fault)
        {
            query.Error("sources", fault);
            query.ThrowIfInvalid();
        }

        return Kept(sources, names);
    }

    /// <summary>What is wrong with a list of sources, in a sentence; null if nothing is.</summary>
    /// <param name="names">As they were given; JSON may have a null among them.</param>
    /// <param name="sources">All of the business.</param>
    /// <param name="field">Where they stand in what was sent.</param>
    public static string? Check(IReadOnlyCollection<string?> names, IReadOnlyCollection<SourceState> sources, string field = "sources")
    {
        const string Where = "GET /api/sources lists them";
        if (names.Count is 0 or > Most) return $"'{field}' must name 1 to {Most} sources{(field == "sources" ? ", separated by commas" : "")}; {Where}.";
        var unknown = names.Where(name => !Knows(name, sources)).Select(Quoted).ToList();
        if (unknown.Count == 0) return null;
        if (unknown.Count == 1) return $"'{field}' names {unknown[0]}, which is no source of this business; {Where}.";
        var more = unknown.Count > 5 ? $" and {unknown.Count - 5} more" : "";
        return $"'{field}' names {string.Join(", ", unknown.Take(5))}{more}, which are no sources of this business; {Where}.";
    }

    /// <summary>Whether this is a source of the business.</summary>
    public static bool Knows(string? name, IReadOnlyCollection<SourceState> sources) =>
        name == TenantCatalogue.PushSource || sources.Any(source => source.Id.ToString("D") == name);

    private static string Quoted(string? name) => name is null ? "null" : $"'{(name.Length <= 40 ? name : name[..40] + "…")}'";

    /// <inheritdoc />
    public IEnumerator<SourceState> GetEnumerator() => _sources.GetEnumerator();

    /// <inheritdoc />
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
