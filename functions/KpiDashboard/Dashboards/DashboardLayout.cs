using KpiDashboard.Security;
using System.Globalization;
using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;

namespace KpiDashboard.Dashboards;

/// <summary>What a tile shows.</summary>
[JsonConverter(typeof(SnakeCaseEnum<DashboardTileKind>))]
internal enum DashboardTileKind
{
    /// <summary>A KPI as a number with its comparison and shape.</summary>
    Kpi,

    /// <summary>A KPI as a chart.</summary>
    Chart,

    /// <summary>The workflows, what they saved and what failed.</summary>
    Automation,

    /// <summary>How fresh each source is.</summary>
    Freshness,

    /// <summary>Words of one's own.</summary>
    Note,
}

/// <summary>One tile. Tiles stand in reading order on a grid of twelve columns; there are no coordinates, so nothing can overlap and a phone reads them in the same order.</summary>
/// <param name="Id">Names the tile within its dashboard: 1 to 40 lower-case letters, digits and hyphens.</param>
/// <param name="Kind">What it shows.</param>
/// <param name="Width">Columns, 2 to 12.</param>
/// <param name="Height">Rows, 1 to 6.</param>
/// <param name="Kpi">Key of the KPI, for a number and a chart; null for the others.</param>
/// <param name="Text">The words of a note, at most 1000 characters; null for the others.</param>
/// <param name="Sources">
/// Numbers of these alone, ids of integrations or <c>push</c>, for a number, a chart and the automations; all when null. A source that was removed
/// since stays named, and the tile shows no numbers: those of the others are not what it was made for.
/// </param>
internal sealed record DashboardTile(
    string Id, DashboardTileKind Kind, int Width, int Height, string? Kpi = null, string? Text = null, IReadOnlyList<string>? Sources = null)
{
    /// <summary>One and the same for tiles that are narrowed alike; empty for a tile of all sources.</summary>
    public string Narrowed() => Sources is null ? "" : string.Join(',', Sources.Order(StringComparer.Ordinal));
}

/// <summary>What a layout may be; each rule adds a sentence that names the tile.</summary>
internal static class DashboardLayout
{
    /// <summary>Columns of the grid.</summary>
    public const int Columns = 12;

    /// <summary>Most tiles of a dashboard.</summary>
    public const int MaxTiles = 40;

    /// <summary>Most characters of a note.</summary>
    public const int MaxText = 1000;

    /// <summary>Most different choices of sources on a dashboard: the numbers of each are read apart.</summary>
    public const int MaxNarrowed = 8;

    /// <summary>Adds a sentence for each thing that is wrong with a layout.</summary>
    /// <param name="errors">Sentences by field.</param>
    /// <param name="tiles">The layout.</param>
    /// <param name="catalogue">KPIs of the business.</param>
    /// <param name="sources">Sources of the business.</param>
    /// <param name="before">The layout that it takes the place of: a source that was removed since may stay named.</param>
    public static void Check(
        IDictionary<string, string[]> errors, IReadOnlyList<DashboardTile?> tiles, TenantCatalogue catalogue, IReadOnlyCollection<SourceState> sources,
        IReadOnlyList<DashboardTile>? before = null)
    {
        if (tiles.Count > MaxTiles)
        {
            errors["tiles"] = [$"'tiles' may have at most {MaxTiles} tiles; these are {tiles.Count}."];
            return;
        }

        var narrowed = tiles.OfType<DashboardTile>().Select(tile => tile.Narrowed()).Where(choice => choice.Length > 0).Distinct(StringComparer.Ordinal).Count();
        if (narrowed > MaxNarrowed)
        {
            errors["tiles"] = [$"'tiles' may be narrowed to at most {MaxNarrowed} different choices of sources; these are {narrowed}."];
            return;
        }

        var kept = (before ?? []).SelectMany(tile => tile.Sources ?? []).ToHashSet(StringComparer.Ordinal);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < tiles.Count; i++)
        {
            var field = string.Create(CultureInfo.InvariantCulture, $"tiles[{i}]");
            if (tiles[i] is not { } tile)
            {
                errors[field] = [$"'{field}' is null; it must be a tile."];
                continue;
            }

            if (tile.Id.Length is 0 or > 40 || !tile.Id.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
                errors[$"{field}.id"] = [$"'{field}.id' must be 1 to 40 lower-case letters, digits and hyphens."];
            else if (!ids.Add(tile.Id))
                errors[$"{field}.id"] = [$"'{field}.id' is '{tile.Id}', and another tile has that already."];
            if (tile.Width is < 2 or > Columns) errors[$"{field}.width"] = [$"'{field}.width' must be 2 to {Columns} columns."];
            if (tile.Height is < 1 or > 6) errors[$"{field}.height"] = [$"'{field}.height' must be 1 to 6 rows."];
            CheckContent(errors, field, tile, catalogue);
            CheckSources(errors, $"{field}.sources", tile, sources, kept);
        }
    }

    /// <summary>The layout as it is kept: no source twice.</summary>
    public static IReadOnlyList<DashboardTile> Tidy(IReadOnlyList<DashboardTile> tiles) =>
        [.. tiles.Select(tile => tile.Sources is { } sources ? tile with { Sources = [.. sources.Distinct(StringComparer.Ordinal)] } : tile)];

    /// <summary>The KPIs that a layout names, each once.</summary>
    public static IReadOnlySet<string> Kpis(IEnumerable<DashboardTile> tiles) =>
        tiles.Select(tile => tile.Kpi).OfType<string>().ToHashSet(StringComparer.Ordinal);

    private static void CheckSources(
        IDictionary<string, string[]> errors, string field, DashboardTile tile, IReadOnlyCollection<SourceState> sources, HashSet<string> kept)
    {
        if (tile.Sources is not { } names) return;
        if (tile.Kind is DashboardTileKind.Note or DashboardTileKind.Freshness)
            errors[field] = [$"'{field}' must be left out: only a number, a chart and the automations can be narrowed to sources."];
        else if (names.Count is 0 or > SourceSelection.Most)
            errors[field] = [SourceSelection.Check(names, sources, field)!];
        else if (names.Where(name => name is null || !kept.Contains(name)).ToList() is { Count: > 0 } fresh && SourceSelection.Check(fresh, sources, field) is { } fault)
            errors[field] = [fault];
    }

    private static void CheckContent(IDictionary<string, string[]> errors, string field, DashboardTile tile, TenantCatalogue catalogue)
    {
        var showsKpi = tile.Kind is DashboardTileKind.Kpi or DashboardTileKind.Chart;
        if (showsKpi && tile.Kpi is null)
            errors[$"{field}.kpi"] = [$"'{field}.kpi' must name the KPI to show; GET /api/kpis lists them."];
        else if (showsKpi && catalogue.Find(tile.Kpi!) is null)
            errors[$"{field}.kpi"] = [$"'{field}.kpi' names '{Shorten(tile.Kpi!)}', and there is no such KPI; GET /api/kpis lists them."];
        else if (!showsKpi && tile.Kpi is not null)
            errors[$"{field}.kpi"] = [$"'{field}.kpi' must be left out: this kind of tile shows no single KPI."];

        if (tile.Kind != DashboardTileKind.Note && tile.Text is not null)
            errors[$"{field}.text"] = [$"'{field}.text' must be left out: only a note has words of its own."];
        else if (tile.Kind == DashboardTileKind.Note && (tile.Text?.Trim().Length is null or 0 or > MaxText || PlainText.Fault("text", tile.Text, MaxText, lines: true) is not null))
            errors[$"{field}.text"] = [$"'{field}.text' must have 1 to {MaxText} characters, none of them a control character but line breaks."];
    }

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
