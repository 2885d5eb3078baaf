using System.Globalization;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Insights;
using KpiDashboard.Kpis;
using Xunit;

namespace KpiDashboard.Tests.Insights;

/// <summary>
/// What a sentence reckons holds on a calculator: with the numbers as they are printed, to their last printed digit, or it says "about" and is no further
/// away than the rounding of what is printed allows. And what two sentences tell of one thing is one number.
/// </summary>
public sealed partial class PrintedArithmeticTests
{
    private const string Amount = @"(?<about>about )?€(?<money>[\d,]+(?:\.\d+)?)";

    /// <summary>A printed number, and half of its last digit.</summary>
    private readonly record struct Printed(decimal Value, decimal Half, bool About)
    {
        public static Printed Of(string digits, bool about = false)
        {
            var decimals = digits.IndexOf('.', StringComparison.Ordinal) is var point and >= 0 ? digits.Length - point - 1 : 0;
            var half = 0.5m;
            for (var place = 0; place < decimals; place++) half /= 10;
            return new Printed(decimal.Parse(digits, NumberStyles.Number, CultureInfo.InvariantCulture), half, about);
        }

        public static Printed Of(Match match) => Of(match.Groups["money"].Value, match.Groups["about"].Success);
    }

    private static Printed Part(Match match, string group) => Printed.Of(match.Groups[group].Value, match.Groups["about" + group].Success);

    /// <summary>The result follows from the parts: to its last digit, or, where it says "about", within what rounding them can do.</summary>
    private static void AssertFollows(string text, Printed result, decimal reckoned, decimal rounding)
    {
        var away = Math.Abs(result.Value - reckoned);
        Assert.True(away <= (result.About ? rounding + result.Half : result.Half), $"{result.Value} is told, {reckoned} comes out: {text}");
    }

    private static Business Generated(int seed)
    {
        var random = new Random(seed);
        decimal Factor(double low, double high) => (decimal)Math.Round(low + (random.NextDouble() * (high - low)), 3);
        var business = new Business(Factor(0.2, 9));
        var (visits, rate, order) = (Factor(0.6, 1.6), Factor(0.4, 1.4), Factor(0.7, 1.3));
        business.LastWeek(visits, "web.sessions", "web.key_event_sessions").LastWeek(visits * rate, "shop.transactions").LastWeek(visits * rate * order, "shop.revenue");
        // Cents, and days that differ.
        for (var day = 0; day < 14; day++)
        {
            var on = Business.Last.AddDays(-day);
            if (business.Table().On(KpiCatalogue.Part("shop.revenue"), on) is { } revenue) business.Set("shop.revenue", on, revenue + (random.Next(0, 10_000) / 100m));
        }

        business.Workflows[0] = business.Workflows[0] with { Failed = random.Next(36, 400), MinutesPerSuccess = Factor(0.5, 12) };
        business.Tenant = business.Tenant with { HourlyLabourCost = Factor(9, 140), AutomationCostPerMonth = Factor(20, 30_000) };
        return business;
    }

    [Fact]
    public void Every_printed_sum_product_and_difference_of_many_businesses_holds_on_a_calculator()
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var seed = 1; seed <= 400; seed++)
        {
            var insights = Generated(seed).Insights();
            foreach (var insight in insights) seen[insight.Rule] = seen.GetValueOrDefault(insight.Rule) + Check(insight);
            var (drop, change) = (insights.FirstOrDefault(one => one.Rule == "conversion_drop"), insights.FirstOrDefault(one => one.Rule == "revenue_change"));
            if (drop is null || change is null) continue;
            // One thing, one number: in both sentences, and as what is at stake.
            var byRate = -change.Proof.Evidence.Single(item => item.Label == "Orders per visit").Value!.Value;
            Assert.Equal((byRate, byRate), (drop.Money!.Value, drop.Proof.Evidence.Single(item => item.Label == "Not sold").Value!.Value));
            seen["one number"] = seen.GetValueOrDefault("one number") + 1;
        }

        foreach (var rule in new[] { "revenue_change", "conversion_drop", "workflow_failure_cost", "automation_not_worth_it", "one number" })
            Assert.True(seen.GetValueOrDefault(rule) > 20, $"{rule} was looked at {seen.GetValueOrDefault(rule)} times, which shows nothing.");
    }

    [Fact]
    public void The_points_of_a_part_of_the_health_score_are_what_its_printed_numbers_give()
    {
        var (seen, fell) = (0, 0);
        for (var seed = 1; seed <= 150; seed++)
        {
            var random = new Random(seed);
            var business = Generated(seed);
            var worked = (decimal)Math.Round(0.8 + (random.NextDouble() * 0.2), 3);
            business.LastWeek(worked, "automation.succeeded").LastWeek(1 + (49 * (1 - worked)), "automation.failed");
            foreach (var part in HealthReport.AsOf(business.Table(), Business.Last, business.Facts().CurrencyOf).Parts)
            {
                var match = Points().Match(part.Why);
                if (!match.Success) continue;
                var (value, median, points) = (Part(match, "value"), Part(match, "median"), Part(match, "points"));
                var counted = match.Groups["counted"].Success ? Part(match, "counted").Value / 100 : match.Groups["none"].Success ? 0 : 1;
                var drop = match.Groups["less"].Success ? (median.Value - value.Value) / Part(match, "less").Value : (1 - (value.Value / median.Value)) * 2;
                var reckoned = decimal.Round(100 * Math.Clamp(1 - (drop * counted), 0, 1), 0, MidpointRounding.AwayFromZero);
                Assert.True(reckoned == points.Value || (points.About && Math.Abs(reckoned - points.Value) <= 1), $"{reckoned}: {part.Why}");
                seen++;
                if (points.Value is > 0 and < 100) fell++;
            }
        }

        Assert.True(seen > 300 && fell > 80, $"{seen} parts, {fell} of them with a drop.");
    }

    /// <summary>Looks at the arithmetic of one sentence; 1 where it has some.</summary>
    private static int Check(Insight insight)
    {
        var text = insight.Text;
        switch (insight.Rule)
        {
            case "revenue_change" when Change().Match(text) is { Success: true } match:
                var (now, before, difference) = (Part(match, "now"), Part(match, "before"), Part(match, "difference"));
                AssertFollows(text, difference, Math.Abs(now.Value - before.Value), now.Half + before.Half);
                var share = Part(match, "share");
                Assert.InRange(Math.Abs((now.Value - before.Value) / before.Value * 100) - share.Value, -share.Half - 0.06m, share.Half + 0.06m);
                var parts = text[(match.Index + match.Length)..].Split(';');
                var (with, against) = (Amounts(parts[0]), parts.Length > 1 ? Amounts(parts[1]) : []);
                Assert.All(with.Concat(against), part => Assert.True(part.About, text));
                var sum = with.Sum(part => part.Value) - against.Sum(part => part.Value);
                // A factor of less than a two-hundredth is not told.
                AssertFollows(
                    text, difference with { About = true }, sum,
                    with.Concat(against).Sum(part => part.Half) + (with.Count + against.Count < 3 ? 2 * difference.Value / 200 : 0));
                return 1;
            case "conversion_drop" when Drop().Match(text) is { Success: true } match:
                var (orders, each, money) = (Part(match, "orders"), Part(match, "each"), Part(match, "money"));
                AssertFollows(text, money, orders.Value * each.Value, (orders.Half * each.Value) + (each.Half * orders.Value) + (orders.Half * each.Half));
                return 1;
            case "workflow_failure_cost" when Cost().Match(text) is { Success: true } match:
                var (hours, hourly, worth) = (Part(match, "hours"), Part(match, "hourly"), Part(match, "money"));
                AssertFollows(text, worth, hours.Value * hourly.Value, (hours.Half * hourly.Value) + (hourly.Half * hours.Value) + (hours.Half * hourly.Half));
                return 1;
            case "automation_not_worth_it" when Short().Match(text) is { Success: true } match:
                var (saved, cost, missing) = (Part(match, "saved"), Part(match, "cost"), Part(match, "money"));
                AssertFollows(text, missing, cost.Value - saved.Value, cost.Half + saved.Half);
                return 1;
            default:
                // Whatever else multiplies or subtracts in words belongs above.
                Assert.DoesNotMatch("(that is|each|against a cost|short\\.)", insight.Rule is "revenue_change" or "conversion_drop" ? "" : text);
                return 0;
        }
    }

    private static List<Printed> Amounts(string text) => [.. Regex.Matches(text, Amount).Select(Printed.Of)];

    [Theory]
    [InlineData("€65,826", 1092 * 60.26, "about ")]
    [InlineData("€65,804", 1092 * 60.26, "")]
    [InlineData("12.5%", 12.46, "")]
    [InlineData("€7.40", 7.404, "")]
    [InlineData("€7.40", 7.406, "about ")]
    [InlineData("−€3", -3.2, "")]
    public void About_is_said_where_the_printed_numbers_come_to_another_result(string shown, double reckoned, string about) =>
        Assert.Equal(about, NumberText.About(shown, (decimal)reckoned));

    [Property(MaxTest = 300)]
    public void A_number_is_read_as_it_is_shown(int cents, byte language)
    {
        var value = cents / 100m;
        string[] languages = ["en-US", "de-DE", "fr-FR", "de-CH", "ar-EG", "hi-IN"];
        var (was, now) = (CultureInfo.CurrentCulture, CultureInfo.GetCultureInfo(languages[language % languages.Length]));
        try
        {
            CultureInfo.CurrentCulture = now;
            var shown = NumberText.Shown(KpiUnit.Currency, value, "EUR");
            var (read, decimals) = NumberText.Read(shown);
            Assert.Equal(decimal.Round(value, decimals, MidpointRounding.AwayFromZero), read);
        }
        finally
        {
            CultureInfo.CurrentCulture = was;
        }
    }

    [GeneratedRegex(@"is (?<share>[\d.]+)% (?:below|above) .*?: €(?<now>[\d,.]*\d) against €(?<before>[\d,.]*\d)\. Of the (?:drop|rise) of (?<aboutdifference>about )?€(?<difference>[\d,.]*\d), ")]
    private static partial Regex Change();

    [GeneratedRegex(@"brought about (?<orders>[\d,.]*\d) more orders; at €(?<each>[\d,.]*\d) each, the average order of before, that is (?<aboutmoney>about )?€(?<money>[\d,.]*\d)\.")]
    private static partial Regex Drop();

    [GeneratedRegex(@"would have saved (?<hours>[\d,.]*\d) hours, worth (?<aboutmoney>about )?€(?<money>[\d,.]*\d) at your labour cost of €(?<hourly>[\d,.]*\d) an hour\.")]
    private static partial Regex Cost();

    [GeneratedRegex(@"in the last 7 days: €?(?<value>[\d,.]*\d)%?\. Median of .*?: €?(?<median>[\d,.]*\d)%?\. (?:Only about .*? so (?:(?<counted>[\d,.]*\d)% of the drop counts|(?<none>the drop does not count))\. )?The median or (?:better gives 100 points, (?<less>[\d,.]*\d) percentage|more gives 100 points).*so this gives (?<aboutpoints>about )?(?<points>\d+)\.$")]
    private static partial Regex Points();

    [GeneratedRegex(@"worth €(?<saved>[\d,.]*\d) and cost €(?<cost>[\d,.]*\d) over the same days: (?<aboutmoney>about )?€(?<money>[\d,.]*\d) short\.")]
    private static partial Regex Short();
}
