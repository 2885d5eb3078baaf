using System.Text.Json;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;
using Xunit;

namespace KpiDashboard.Tests.Kpis;

public sealed class KpiCatalogueTests
{
    // The table "KPI keys" of the interface, business.health_score apart: key, source, how it aggregates.
    public static TheoryData<string, string, string> Promised => new()
    {
        { "web.sessions", "google-analytics", "sum" }, { "web.engaged_sessions", "google-analytics", "sum" }, { "web.page_views", "google-analytics", "sum" },
        { "web.new_users", "google-analytics", "sum" }, { "web.key_events", "google-analytics", "sum" },
        { "web.active_users", "google-analytics", "daily_mean" }, { "web.total_users", "google-analytics", "daily_mean" },
        { "web.active_users_7d", "google-analytics", "last" }, { "web.active_users_28d", "google-analytics", "last" },
        { "web.engagement_rate", "google-analytics", "ratio" }, { "web.bounce_rate", "google-analytics", "ratio" },
        { "web.avg_session_duration", "google-analytics", "ratio" }, { "web.pages_per_session", "google-analytics", "ratio" }, { "web.conversion_rate", "google-analytics", "ratio" },
        { "shop.revenue", "google-analytics", "sum" }, { "shop.transactions", "google-analytics", "sum" },
        { "shop.average_order_value", "google-analytics", "ratio" }, { "shop.revenue_per_session", "google-analytics", "ratio" },
        { "automation.executions", "n8n", "sum" }, { "automation.succeeded", "n8n", "sum" }, { "automation.failed", "n8n", "sum" },
        { "automation.success_rate", "n8n", "ratio" }, { "automation.avg_duration", "n8n", "ratio" },
        { "automation.time_saved", "n8n", "sum" }, { "automation.value_saved", "n8n", "sum" }, { "automation.roi", "n8n", "ratio" },
    };

    [Theory]
    [MemberData(nameof(Promised))]
    public void Every_promised_KPI_is_there_with_its_source_and_aggregation(string key, string source, string aggregation)
    {
        var kpi = KpiCatalogue.Find(key);
        Assert.NotNull(kpi);
        Assert.Equal(source, kpi.Source);
        Assert.Equal($"\"{aggregation}\"", JsonSerializer.Serialize(kpi.Aggregation));
    }

    [Fact]
    public void Keys_are_unique_and_of_one_shape()
    {
        Assert.Equal(KpiCatalogue.All.Count, KpiCatalogue.All.Select(kpi => kpi.Key).Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(KpiCatalogue.All, kpi => Assert.Matches("^(web|shop|automation)\\.[a-z0-9_]+$", kpi.Key));
    }

    [Fact]
    public void Names_are_unique_so_that_two_tiles_are_never_mistaken_for_each_other() =>
        Assert.Equal(KpiCatalogue.All.Count, KpiCatalogue.All.Select(kpi => kpi.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count());

    [Fact]
    public void Descriptions_are_sentences_and_names_are_short() => Assert.All(KpiCatalogue.All, kpi =>
    {
        Assert.Matches("^[A-Z0-9].{8,}\\.$", kpi.Description);
        Assert.InRange(kpi.Name.Length, 3, 30);
        Assert.Equal(kpi.Name.Trim(), kpi.Name);
    });

    [Fact]
    public void What_is_stored_here_is_what_the_arithmetic_tests_know() =>
        Assert.Equal(Sheet.Stored.Order(), KpiCatalogue.All.Where(kpi => kpi.Compute is null).Select(kpi => kpi.Key).Order());

    [Fact]
    public void A_stored_KPI_is_its_own_only_part_and_has_no_formula() => Assert.All(KpiCatalogue.All.Where(kpi => kpi.Compute is null), kpi =>
    {
        Assert.Equal([kpi.Key], kpi.Parts);
        Assert.Null(kpi.Formula);
        Assert.True(KpiCatalogue.IsStored(kpi.Key));
        Assert.NotEqual(KpiAggregation.Ratio, kpi.Aggregation);
    });

    [Fact]
    public void A_derived_KPI_has_a_formula_and_parts_that_are_stored_and_of_its_own_source() => Assert.All(KpiCatalogue.All.Where(kpi => kpi.Compute is not null), kpi =>
    {
        Assert.False(KpiCatalogue.IsStored(kpi.Key));
        Assert.False(string.IsNullOrWhiteSpace(kpi.Formula));
        Assert.NotEmpty(kpi.Parts);
        Assert.Equal(kpi.Parts.Count, kpi.Parts.Distinct().Count());
        Assert.All(kpi.Parts, part =>
        {
            Assert.True(KpiCatalogue.IsStored(part), $"{kpi.Key} is made of {part}, which is not stored.");
            Assert.Equal(kpi.Source, KpiCatalogue.All.Single(other => other.Key == part).Source);
        });
    });

    [Fact]
    public void A_derived_KPI_uses_each_of_its_parts_and_no_other() => Assert.All(KpiCatalogue.All.Where(kpi => kpi.Compute is not null), kpi =>
    {
        var used = new RecordingSums();
        kpi.Compute!(new KpiInputs(used, new TenantEconomics(10, 10), 5));
        Assert.Equal(kpi.Parts.Order(), used.Asked.Order());
    });

    [Fact]
    public void Hidden_parts_are_not_found_and_not_listed_but_may_be_reported()
    {
        Assert.Equal(
            ["automation.finished_ms", "automation.timed", "web.key_event_sessions", "web.session_seconds"],
            KpiCatalogue.All.Where(kpi => kpi.Hidden).Select(kpi => kpi.Key).Order());
        Assert.All(KpiCatalogue.All.Where(kpi => kpi.Hidden), kpi =>
        {
            Assert.Null(KpiCatalogue.Find(kpi.Key));
            Assert.DoesNotContain(kpi, KpiCatalogue.Visible);
            Assert.True(KpiCatalogue.IsStored(kpi.Key));
        });
    }

    [Theory]
    [InlineData("web.Sessions")]
    [InlineData("web.session")]
    [InlineData("")]
    public void An_unknown_key_is_neither_found_nor_stored(string key)
    {
        Assert.Null(KpiCatalogue.Find(key));
        Assert.False(KpiCatalogue.IsStored(key));
    }

    [Theory]
    [InlineData("web.bounce_rate", "down")]
    [InlineData("automation.failed", "down")]
    [InlineData("automation.avg_duration", "down")]
    [InlineData("automation.executions", "neutral")]
    [InlineData("shop.revenue", "up")]
    public void It_is_said_which_way_is_good(string key, string direction) =>
        Assert.Equal($"\"{direction}\"", JsonSerializer.Serialize(KpiCatalogue.Find(key)!.Direction));

    private sealed class RecordingSums : Dictionary<string, decimal>, IReadOnlyDictionary<string, decimal>
    {
        public HashSet<string> Asked { get; } = [];

        decimal IReadOnlyDictionary<string, decimal>.this[string key]
        {
            get
            {
                Asked.Add(key);
                return 1;
            }
        }
    }
}
