using System.Globalization;
using System.Text.RegularExpressions;
using KpiDashboard.Insights;
using KpiDashboard.Kpis;
using KpiDashboard.Tests.Insights;
using Xunit;

namespace KpiDashboard.Tests.Kpis;

/// <summary>One judgement of a change: what is compared, on how many days, and whether it is more than chance.</summary>
public sealed class ComparisonTests
{
    private static readonly DateOnly Last = Business.Last;
    private static readonly KpiDefinition Sessions = KpiCatalogue.Part("web.sessions"), Revenue = KpiCatalogue.Part("shop.revenue");

    private static Comparison OfTile(Business business, KpiDefinition kpi, int days) => Comparison.Of(
        kpi, TableDays.All(business.Table(Last.AddDays(1 - days), Last)), TableDays.All(business.Table(Last.AddDays(1 - (2 * days)), Last.AddDays(-days))));

    [Theory]
    [InlineData(5, 3, true)]
    [InlineData(500, 300, false)]
    [InlineData(1120, 1000, false)]
    [InlineData(1040, 1000, true)]
    public void A_change_of_counts_is_chance_within_two_deviations_of_counting(int now, int before, bool chance) =>
        Assert.Equal(chance, Chance.Makes(Sessions, now, before, () => []));

    public static TheoryData<string, string, bool> Days => new()
    {
        { "one large order less is chance", "0 0 0 0 0 -100 0", true },
        { "every day a little less is not", "-12 -18 -13.5 -22.5 -9 -30 -6", false },
        { "the same days in another order are chance", "-40 80 -30 0 30 -80 40", true },
        { "every day the same much less", "-10 -10 -10 -10 -10 -10 -10", false },
        { "of a single day nobody knows the spread", "-100", true },
    };

    [Theory]
    [MemberData(nameof(Days))]
    public void A_change_of_money_rates_and_times_is_chance_within_the_spread_of_the_days(string why, string apart, bool chance)
    {
        var days = apart.Split(' ').Select(day => decimal.Parse(day, CultureInfo.InvariantCulture)).ToList();
        foreach (var key in new[] { "shop.revenue", "web.conversion_rate", "automation.time_saved", "automation.success_rate" })
            Assert.True(chance == Chance.Makes(KpiCatalogue.Part(key), 640, 740, () => days), why);
        // What no days are known of has no side; what is no sum of its days has no such rule.
        Assert.True(Chance.Makes(Revenue, 640, 740, null));
        Assert.False(Chance.Makes(Revenue with { Aggregation = KpiAggregation.Last }, 640, 740, () => days));
    }

    [Theory]
    [InlineData("many pages in a few visits more", "-1 -40 2 -38 -70 1 40", true)]
    [InlineData("every day fewer", "-12 -18 -13.5 -22.5 -9 -30 -6", false)]
    public void Counts_that_come_several_at_a_time_have_to_pass_both_rules(string why, string apart, bool chance)
    {
        var pageViews = KpiCatalogue.Part("web.page_views");
        var days = apart.Split(' ').Select(day => decimal.Parse(day, CultureInfo.InvariantCulture)).ToList();
        Assert.True(chance == Chance.Makes(pageViews, 640, 746, () => days), why);
        // What counting alone explains is chance, however even the days are.
        Assert.True(Chance.Makes(pageViews, 640, 650, () => days));
        Assert.True(Chance.Makes(pageViews, 640, 746, null));
        Assert.False(Chance.Makes(Sessions, 640, 746, () => days));
    }

    [Fact]
    public void Ninety_days_without_a_gap_are_compared_whole_and_nobody_speaks_of_fewer()
    {
        // Ninety days are no whole weeks: six have no partner on their weekday, and are not missing for that.
        var business = new Business();
        foreach (var days in new[] { 30, 45, 60, 65 })
        {
            Assert.Null(OfTile(business, Sessions, days).Alike);
            Assert.NotNull(OfTile(business, Sessions, days).Change);
            var facts = business.Facts(days);
            Assert.Empty(DailyBrief.Write(facts, [], _ => Guid.Empty));
        }
    }

    [Fact]
    public void The_sentence_of_the_morning_and_the_tile_compare_the_same_days_whatever_is_missing()
    {
        var (paired, whole, withheld) = (0, 0, 0);
        for (var seed = 1; seed <= 150; seed++)
        {
            var random = new Random(seed);
            var days = random.Next(7, 66);
            var business = new Business();
            for (var gap = random.Next(0, 4); gap > 0; gap--)
            {
                var to = Last.AddDays(-random.Next(0, 2 * days));
                var from = to.AddDays(-random.Next(0, 9));
                foreach (var kpi in new[] { "web.sessions", "shop.revenue", "automation.executions" })
                    if (random.Next(2) == 0) business.Change(kpi, from, to, null);
            }

            var facts = business.Facts(days);
            var told = DailyBrief.Write(facts, [], _ => Guid.Empty) is [.., var last] ? last.Text : "";
            foreach (var key in new[] { "web.sessions", "shop.revenue", "automation.executions" })
            {
                var kpi = KpiCatalogue.Part(key);
                var (tile, fact) = (OfTile(business, kpi, days), facts.Compared(kpi));
                Assert.Equal(
                    (tile.Now, tile.Before, tile.Change, tile.Withheld, tile.Alike, tile.ByChance),
                    (fact.Now, fact.Before, fact.Change, fact.Withheld, fact.Alike, fact.ByChance));
                var sentence = Regex.Match(told, $@"{kpi.Name} ha[sd] [^;.]* compared on the (\d+) days that both periods have");
                Assert.Equal(tile.Alike is not null, sentence.Success);
                if (tile.Alike is { } alike)
                {
                    Assert.Equal(alike.Days, int.Parse(sentence.Groups[1].Value, CultureInfo.InvariantCulture));
                    Assert.True(alike.Days < days);
                    paired++;
                }
                else if (tile.Change is not null)
                {
                    Assert.Equal((days, days), (tile.Now.KnownDays, tile.Before!.Value.KnownDays));
                    whole++;
                }
                else
                {
                    withheld++;
                }
            }
        }

        Assert.True(paired > 30 && whole > 30 && withheld > 30, $"{paired} by pairs, {whole} whole, {withheld} not at all: too few of a kind.");
    }
}
