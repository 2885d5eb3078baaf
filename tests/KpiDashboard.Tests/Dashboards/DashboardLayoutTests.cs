using KpiDashboard.Dashboards;
using KpiDashboard.Kpis;
using KpiDashboard.Sync;
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

    private static DashboardTile Note(string id) => new(id, DashboardTileKind.Note, 2, 1, Text: "x");

    private static Dictionary<string, string[]> Errors(params DashboardTile?[] tiles)
    {
        var errors = new Dictionary<string, string[]>();
        DashboardLayout.Check(errors, tiles, Catalogue);
        return errors;
    }
}
