using KpiDashboard.Dashboards;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using Xunit;

namespace KpiDashboard.Tests.Dashboards;

public sealed class DashboardLayoutTests
{
    private static readonly TenantCatalogue Catalogue = new([]);

    [Fact]
    public void Every_kind_of_tile_is_taken_as_it_should_be() => Assert.Empty(Errors(
        new("a", DashboardTileKind.Kpi, 2, 1, "web.sessions"), new("b", DashboardTileKind.Chart, 12, 6, "shop.revenue"), new("c", DashboardTileKind.Automation, 12, 3),
        new("d", DashboardTileKind.Freshness, 4, 2), new("e", DashboardTileKind.Note, 6, 1, Text: "Call the bank.\nThen lunch.")));

    public static TheoryData<int, string, string> Wrong { get; } = new()
    {
        { 0, "tiles[0].id", "lower-case letters" },
        { 1, "tiles[0].id", "lower-case letters" },
        { 2, "tiles[0].width", "2 to 12 columns" },
        { 3, "tiles[0].width", "2 to 12 columns" },
        { 4, "tiles[0].height", "1 to 6 rows" },
        { 5, "tiles[0].kpi", "must name the KPI" },
        { 6, "tiles[0].kpi", "'web.nothing', and there is no such KPI" },
        { 7, "tiles[0].kpi", "there is no such KPI" },
        { 8, "tiles[0].kpi", "must be left out" },
        { 9, "tiles[0].text", "only a note" },
        { 10, "tiles[0].text", "1 to 1000 characters" },
        { 11, "tiles[0].text", "1 to 1000 characters" },
        { 12, "tiles[0].text", "1 to 1000 characters" },
        { 13, "tiles[0].kpi", "there is no such KPI" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_is_wrong_with_a_tile_is_said_with_its_place(int which, string field, string sentence)
    {
        DashboardTile tile = which switch
        {
            0 => new("", DashboardTileKind.Freshness, 4, 1),
            1 => new("Tile 1", DashboardTileKind.Freshness, 4, 1),
            2 => new("a", DashboardTileKind.Freshness, 1, 1),
            3 => new("a", DashboardTileKind.Freshness, 13, 1),
            4 => new("a", DashboardTileKind.Freshness, 4, 7),
            5 => new("a", DashboardTileKind.Chart, 4, 1),
            6 => new("a", DashboardTileKind.Kpi, 4, 1, "web.nothing"),
            // A part that is not shown by itself.
            7 => new("a", DashboardTileKind.Kpi, 4, 1, "web.session_seconds"),
            8 => new("a", DashboardTileKind.Freshness, 4, 1, "web.sessions"),
            9 => new("a", DashboardTileKind.Kpi, 4, 1, "web.sessions", "words"),
            10 => new("a", DashboardTileKind.Note, 4, 1),
            11 => new("a", DashboardTileKind.Note, 4, 1, Text: new string('x', 1001)),
            12 => new("a", DashboardTileKind.Note, 4, 1, Text: "bell\a"),
            _ => new("a", DashboardTileKind.Kpi, 4, 1, new string('k', 5000)),
        };
        var error = Assert.Single(Errors(tile));
        Assert.Equal(field, error.Key);
        Assert.Contains(sentence, error.Value.Single(), StringComparison.Ordinal);
        Assert.StartsWith($"'{field}'", error.Value.Single(), StringComparison.Ordinal);
        Assert.True(error.Value.Single().Length < 200);
    }

    [Fact]
    public void Two_tiles_of_one_id_a_null_and_more_than_40_are_refused()
    {
        Assert.Equal(["tiles[1].id"], Errors(Note("a"), Note("a")).Keys);
        Assert.Equal(["tiles[0]"], Errors([null]).Keys);
        Assert.Empty(Errors([.. Enumerable.Range(0, 40).Select(i => Note($"n{i}"))]));
        Assert.Equal(["tiles"], Errors([.. Enumerable.Range(0, 41).Select(i => Note($"n{i}"))]).Keys);
    }

    [Theory]
    [InlineData("shop.revenue shop.transactions shop.average_order_value shop.revenue_per_session web.sessions web.engagement_rate automation.time_saved", "morning shop website automation wall", "morning")]
    [InlineData("automation.time_saved automation.failed", "morning automation wall", "morning")]
    [InlineData("web.engagement_rate", "website", "website")]
    [InlineData("", "", null)]
    public void A_business_is_offered_what_it_has_numbers_for_and_every_offer_would_be_taken(string measured, string offered, string? suggested)
    {
        var keys = measured.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet();
        var templates = DashboardTemplates.For(keys, Catalogue, Array.Empty<SourceState>());
        Assert.Equal(offered.Split(' ', StringSplitOptions.RemoveEmptyEntries), templates.Select(template => template.Key));
        Assert.Equal(suggested, templates.SingleOrDefault(template => template.Suggested)?.Key);
        Assert.All(templates, template =>
        {
            Assert.Empty(Errors([.. template.Tiles]));
            Assert.Subset(keys, DashboardLayout.Kpis(template.Tiles).ToHashSet());
            Assert.Contains(template.Tiles, tile => tile.Kpi is not null);
        });
    }

    [Fact]
    public void Numbers_charts_and_automations_can_be_narrowed_to_sources_of_the_business_and_to_what_is_pushed() => Assert.Empty(Errors(
        new("a", DashboardTileKind.Kpi, 2, 1, "web.sessions", Sources: [North]), new("b", DashboardTileKind.Chart, 6, 2, "shop.revenue", Sources: [North, South]),
        new("c", DashboardTileKind.Automation, 12, 3, Sources: ["push"]), new("d", DashboardTileKind.Kpi, 2, 1, "web.sessions", Sources: [North, North])));

    public static TheoryData<string, string?[], string> NarrowedWrongly { get; } = new()
    {
        { "Note", [North], "must be left out: only a number, a chart and the automations" },
        { "Freshness", [North], "must be left out: only a number, a chart and the automations" },
        { "Kpi", [], "must name 1 to 50 sources; GET /api/sources lists them" },
        { "Kpi", [.. Enumerable.Repeat(North, 51)], "must name 1 to 50 sources" },
        { "Kpi", ["nonsense"], "names 'nonsense', which is no source of this business; GET /api/sources lists them." },
        { "Kpi", [North.ToUpperInvariant()], "which is no source of this business" },
        { "Chart", [North, "x", "y"], "names 'x', 'y', which are no sources of this business" },
        { "Automation", [null], "names null, which is no source of this business" },
        { "Kpi", [new string('s', 500)], "'ssssssssssssssssssssssssssssssssssssssss…'" },
    };

    [Theory]
    [MemberData(nameof(NarrowedWrongly))]
    public void A_tile_that_is_narrowed_to_what_is_no_source_is_refused_with_its_place(string kind, string?[] sources, string sentence)
    {
        var shows = Enum.Parse<DashboardTileKind>(kind);
        var error = Assert.Single(Errors(new DashboardTile("a", shows, 4, 1, kind is "Kpi" or "Chart" ? "web.sessions" : null, kind == "Note" ? "x" : null, sources!)));
        Assert.Equal("tiles[0].sources", error.Key);
        Assert.StartsWith("'tiles[0].sources' ", error.Value.Single(), StringComparison.Ordinal);
        Assert.Contains(sentence, error.Value.Single(), StringComparison.Ordinal);
        Assert.True(error.Value.Single().Length < 250);
    }

    [Fact]
    public void A_source_that_was_removed_stays_named_where_it_was_and_comes_nowhere_else()
    {
        var gone = Guid.NewGuid().ToString();
        DashboardTile Of(params string[] sources) => new("a", DashboardTileKind.Kpi, 4, 1, "web.sessions", Sources: sources);
        var errors = new Dictionary<string, string[]>();
        DashboardLayout.Check(errors, [Of(gone, North)], Catalogue, Business, [Of(gone)]);
        Assert.Empty(errors);
        DashboardLayout.Check(errors, [Of(gone)], Catalogue, Business, [Of(North)]);
        Assert.Equal(["tiles[0].sources"], errors.Keys);
    }

    [Fact]
    public void More_than_eight_choices_of_sources_are_refused_however_many_tiles_share_one()
    {
        var business = Enumerable.Range(0, 9).Select(_ => Source(Guid.NewGuid())).ToList();
        DashboardTile[] Of(int choices) => [.. Enumerable.Range(0, 20).Select(i =>
            new DashboardTile($"t{i}", DashboardTileKind.Kpi, 4, 1, "web.sessions", Sources: [business[i % choices].Id.ToString()]))];
        var errors = new Dictionary<string, string[]>();
        DashboardLayout.Check(errors, Of(8), Catalogue, business);
        Assert.Empty(errors);
        DashboardLayout.Check(errors, Of(9), Catalogue, business);
        Assert.Equal("'tiles' may be narrowed to at most 8 different choices of sources; these are 9.", errors["tiles"].Single());
    }

    [Fact]
    public void What_is_kept_names_no_source_twice_and_is_otherwise_as_it_was_given()
    {
        var tile = new DashboardTile("a", DashboardTileKind.Kpi, 4, 1, "web.sessions", Sources: [South, North, South]);
        Assert.Equal([South, North], DashboardLayout.Tidy([tile]).Single().Sources!);
        Assert.Equal(tile with { Sources = null }, DashboardLayout.Tidy([tile with { Sources = null }]).Single());
    }

    private const string North = "0190b2c4-1111-7222-8333-444455556666", South = "0190b2c4-1111-7222-8333-444455557777";

    private static readonly SourceState[] Business = [Source(new Guid(North)), Source(new Guid(South))];

    private static SourceState Source(Guid id) => new(
        id, "google-analytics", "A shop", "active", null, "daily", null, null, null, null, null, 0, null, null, false, null, DateTimeOffset.UnixEpoch);

    private static DashboardTile Note(string id) => new(id, DashboardTileKind.Note, 2, 1, Text: "x");

    private static Dictionary<string, string[]> Errors(params DashboardTile?[] tiles)
    {
        var errors = new Dictionary<string, string[]>();
        DashboardLayout.Check(errors, tiles, Catalogue, Business);
        return errors;
    }
}
