using System.Globalization;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Automation;
using KpiDashboard.Goals;
using KpiDashboard.Insights;
using KpiDashboard.Insights.Rules;
using KpiDashboard.Kpis;
using Xunit;

namespace KpiDashboard.Tests.Insights;

/// <summary>What rules find, and that every number they tell is in their evidence.</summary>
public sealed partial class InsightTests
{
    private static readonly DateOnly Last = Business.Last;

    private static Insight Only(Business business, string rule) => Assert.Single(business.Insights(), insight => insight.Rule == rule);

    [Fact]
    public void A_business_like_every_week_has_nothing_to_tell()
    {
        var facts = new Business().Facts();
        Assert.Empty(InsightRules.Find(facts));
        Assert.Empty(DailyBrief.Write(facts, [], _ => Guid.Empty));
    }

    [Fact]
    public void A_fall_of_revenue_is_told_with_what_comes_with_each_factor_and_the_factors_add_up()
    {
        var insight = Only(new Business().LastWeek(0.8m, "web.sessions", "web.key_event_sessions", "web.key_events").LastWeek(0.7m, "shop.transactions").LastWeek(0.63m, "shop.revenue"), "revenue_change");
        Assert.Equal((InsightSeverity.Attention, "down", 4440m), (insight.Severity, insight.Says, insight.Money));
        Assert.StartsWith("Revenue is 37% below the 7 days before: €7,560 against €12,000. Of the drop of €4,440, ", insight.Text, StringComparison.Ordinal);
        var shares = insight.Proof.Evidence.Where(item => item.Label is "Visits" or "Orders per visit" or "Average order").ToList();
        Assert.Equal(3, shares.Count);
        Assert.InRange(shares.Sum(share => share.Value!.Value), -4440.05m, -4439.95m);
        Assert.All(shares, share => Assert.True(share.Value < 0));
    }

    [Fact]
    public void What_goes_against_a_fall_is_told_apart_and_without_a_sign()
    {
        var insight = Only(new Business().LastWeek(1.25m, "web.sessions").LastWeek(0.5m, "shop.transactions", "shop.revenue"), "revenue_change");
        // A quarter more visits at 4 % and €50 are €3,000 more; of 300 orders at that rate 120 came, €50 each.
        Assert.EndsWith(
            "Of the drop of €6,000, about €9,000 comes with fewer orders per visit; more visits made up for about €3,000.", insight.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void No_change_is_told_of_a_period_with_days_that_are_missing()
    {
        var business = new Business().LastWeek(0.5m, "shop.revenue", "shop.transactions").Change("shop.revenue", Last, Last, null);
        Assert.DoesNotContain(business.Insights(), insight => insight.Rule == "revenue_change");
        // What was not checked is no headline, and no silence either.
        Assert.Equal(
            ["Nothing stands out in what could be checked.", "Revenue has no data on 1 of 7 days, and is compared on the 6 days that both periods have."],
            DailyBrief.Write(business.Facts(), [], _ => Guid.Empty).Select(sentence => sentence.Text));
    }

    [Fact]
    public void More_visits_at_the_same_conversion_are_traffic_and_no_drop()
    {
        var business = new Business().LastWeek(1.4m, "web.sessions", "web.key_event_sessions", "shop.transactions", "shop.revenue", "web.key_events");
        Assert.Equal((InsightSeverity.Good, "up"), Only(business, "traffic_change") is var found ? (found.Severity, found.Says) : default);
        Assert.DoesNotContain(business.Insights(), insight => insight.Rule == "conversion_drop");
    }

    [Fact]
    public void Fewer_orders_per_visit_are_priced_at_the_average_order()
    {
        var insight = Only(new Business().LastWeek(0.5m, "shop.transactions", "shop.revenue"), "conversion_drop");
        // 6,000 visits at 4 % are 240 orders, 120 came, 50 each.
        Assert.Equal(6000m, insight.Money);
        Assert.EndsWith(
            "the visits would have brought about 120 more orders; at €50.00 each, the average order of before, that is €6,000.", insight.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Days_without_visits_where_there_always_were_some_are_a_gap_and_not_zero()
    {
        var insight = Only(new Business().Change("web.sessions", Last.AddDays(-2), Last.AddDays(-1), null), "tracking_gap");
        Assert.Equal((InsightSeverity.Trouble, 2m), (insight.Severity, insight.Magnitude));
        Assert.Contains("2 of 7 days", insight.Text, StringComparison.Ordinal);
        Assert.Contains("Check that the tracking code", insight.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gap_that_is_over_for_a_week_explains_numbers_and_is_no_trouble_any_more()
    {
        var business = new Business().Change("web.sessions", Last.AddDays(-9), Last.AddDays(-7), null);
        var insight = Assert.Single(business.Insights(28), one => one.Rule == "tracking_gap");
        Assert.Equal((InsightSeverity.Attention, 3m), (insight.Severity, insight.Magnitude));
        Assert.Contains("The last such day was", insight.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Check", insight.Text, StringComparison.Ordinal);
        // A day later it is still news.
        business = new Business().Change("web.sessions", Last.AddDays(-9), Last.AddDays(-6), null);
        Assert.Equal(InsightSeverity.Trouble, Assert.Single(business.Insights(28), one => one.Rule == "tracking_gap").Severity);
    }

    [Theory]
    [InlineData("reconnect_needed", 0, "ReconnectNeeded")]
    [InlineData("active", 3, "Failing")]
    public void A_source_that_is_not_read_comes_first(string state, int failures, string says)
    {
        var business = new Business().LastWeek(0.5m, "shop.revenue", "shop.transactions");
        business.Sources[1] = Business.Source("n8n", "n8n", state, failures);
        Assert.Equal(("source_silent", says), business.Insights()[0] is var first ? (first.Rule, first.Says) : default);
    }

    [Fact]
    public void A_silence_at_the_end_of_the_period_is_the_first_sentence_of_the_brief()
    {
        var business = new Business().LastWeek(0.5m, "automation.time_saved").Change("web.sessions", Last.AddDays(-4), Last, null)
            .Change("shop.revenue", Last.AddDays(-4), Last, null);
        business.Failing.Add(new WorkflowFailures(Guid.NewGuid(), "a", "Order sync", Last.AddDays(-3), Last, 12));
        business.Sources[0] = Business.Source("google-analytics", "Google Analytics", complete: Last.AddDays(-5));
        var insights = business.Insights();
        Assert.Equal(("source_silent", "Silent", InsightSeverity.Trouble), (insights[0].Rule, insights[0].Says, insights[0].Severity));
        // The day of the last read is the 23rd, five in the morning: what ended by the 21st, five in the morning, should be there.
        Assert.Equal(
            "Google Analytics has no data since 18 Nov 2026, although it is read on time: 3 days up to 20 Nov 2026 are missing, not zero. "
            + "Check that the tracking code is on the site, and that this is the right property.", insights[0].Text);
        var brief = DailyBrief.Write(business.Facts(), insights, insight => insight.IdFor(business.Tenant.Id));
        Assert.Equal(insights[0].Text, brief[0].Text);
        // Once is enough; put aside, it is said among what was not checked.
        Assert.DoesNotContain(brief, sentence => sentence.Text.Contains("Google Analytics is complete only through",
            StringComparison.Ordinal));
        Assert.Contains(
            "Google Analytics is complete only through 17 Nov 2026", DailyBrief.Write(business.Facts(), [], insight => insight
                .IdFor(business.Tenant.Id))[^1].Text, StringComparison.Ordinal);
        // Points of data are of the days that should be there.
        var data = HealthReport.AsOf(business.Table(), Last, business.Facts().CurrencyOf).Parts.Single(part => part.Key == "data");
        Assert.Equal("9 of 14 days of the connected sources have data: 64 points.", data.Why);
    }

    [Fact]
    public void A_source_that_never_delivered_and_one_of_which_nothing_came_are_said()
    {
        var business = new Business();
        business.Sources[0] = Business.Source("google-analytics", "Google Analytics") with
        {
            CompleteThrough = null,
            BackfilledAt = business.Sources[0].Now.AddDays(-3)
        };
        Assert.Equal(
            "Google Analytics is read on time, but never had a day with data. Check that the tracking code is on the site, and that this is the right property.",
            Only(business, "source_silent").Text);
        business.Sources[0] = Business.Source("google-analytics", "Google Analytics");
        business.Sources[1] = Business.Source("n8n", "n8n") with
        {
            Schedule = "push",
            FetchedAt = null,
            CompleteThrough = null,
            ConnectedAt = business.Sources[1].Now.AddDays(-9)
        };
        Assert.Equal("n8n was connected on 14 Nov 2026 and nothing came of it yet.", Only(business, "source_silent").Text);
        business.Sources[1] = business.Sources[1] with { ConnectedAt = business.Sources[1].Now.AddHours(-9) };
        Assert.DoesNotContain(business.Insights(), insight => insight.Rule == "source_silent");
    }

    [Fact]
    public void A_workflow_that_does_not_work_any_more_is_trouble_and_its_failures_cost()
    {
        var business = new Business();
        business.Failing.Add(new WorkflowFailures(Guid.NewGuid(), "a", "Order sync 2", Last.AddDays(-3), Last, 12));
        business.Workflows[0] = business.Workflows[0] with { Failed = 120 };
        Assert.Equal("“Order sync 2” has not worked since 19 Nov 2026: it failed 12 times by 22 Nov 2026.", Only(business, "workflow_failing").Text);
        // 120 × 5 minutes at 40 an hour.
        Assert.Equal(400m, Only(business, "workflow_failure_cost").Money);
    }

    [Fact]
    public void Automations_that_cost_more_than_they_save_are_told_with_the_difference()
    {
        var business = new Business().LastWeek(0.01m, "automation.time_saved");
        var insight = Only(business, "automation_not_worth_it");
        // 5 × 3 + 2 × 2 minutes (rounded) at 40 an hour against 7 ÷ 30 of 300.
        Assert.Equal(70m - (19m / 60 * 40), decimal.Round(insight.Money!.Value, 8), 6);
        business.Tenant = business.Tenant with { AutomationCostPerMonth = null };
        Assert.DoesNotContain(business.Insights(), found => found.Rule == "automation_not_worth_it");
    }

    [Fact]
    public void Workflows_without_minutes_goals_restatements_and_thresholds_are_told()
    {
        var business = new Business();
        business.Workflows.Add(new WorkflowFacts("b", "Report", true, null, 50, 0));
        business.Restated.Add(new RestatedFacts("web.sessions", Last.AddDays(-1), 412, 431, default));
        business.Restated.Add(new RestatedFacts("web.page_views", Last.AddDays(-1), 1000, 1001, default));
        business.Flags.Add(new RequestFlags("google-analytics", 1, 4, 0, 3));
        var standing = new GoalStanding(new(2026, 11, 1), new(2026, 11, 30), 60000, 20000, Last, 22, 30, 27272.73m, 0.454545m, null, GoalState.OffTrack, "");
        business.Goals.Add(new GoalEntry(Guid.NewGuid(), "shop.revenue", "Revenue", KpiUnit.Currency, KpiDirection.Up, "EUR", null, 60000, GoalRhythm.Month, new(2026, 1, 1), null, standing, [], 0, 0, default));
        Assert.Contains("ran 50 times and has no minutes saved set: its runs count as saving nothing", Only(business, "minutes_missing").Text, StringComparison.Ordinal);
        Assert.Equal("Sessions of 21 Nov 2026 changed from 412 to 431 after the day had ended.", Only(business, "restated").Text);
        Assert.Contains("3 of 4 answers", Only(business, "thresholded").Text, StringComparison.Ordinal);
        Assert.Equal(32727.27m, Only(business, "goal").Money);
        // By money: the goal is the only one that has some.
        Assert.Equal("goal", business.Insights()[0].Rule);
    }

    [Fact]
    public void Rows_that_were_held_back_are_told_of_the_source_that_held_them_back()
    {
        var business = new Business();
        business.Sources.Add(Business.Source("google-analytics", "South shop") with { Number = 2 });
        business.Flags.Add(new RequestFlags("google-analytics", 1, 12, 0, 0));
        business.Flags.Add(new RequestFlags("google-analytics", 2, 12, 0, 6));
        Assert.StartsWith(
            "South shop held back rows of few people in 6 of 12 answers", Only(business, "thresholded").Text, StringComparison.Ordinal);
        // Two that did are two pieces of news, each of which may be dismissed.
        business.Flags[0] = new RequestFlags("google-analytics", 1, 12, 2, 0);
        var both = business.Insights().Where(found => found.Rule == "thresholded").ToList();
        Assert.Equal(
            ["Google Analytics", "South shop"],
            both.Select(found => found.Text.Split([" estimated", " held"], StringSplitOptions.None)[0]).Order(StringComparer.Ordinal));
        Assert.Equal(2, both.Select(found => found.Subject).Distinct().Count());
    }

    [Fact]
    public void A_day_outside_the_band_of_its_weekday_is_odd_and_a_quiet_weekend_is_not()
    {
        var insight = Only(new Business().Change("web.sessions", Last, Last, 4), "anomaly");
        Assert.Equal("2026-11-22 above", insight.Says);
        Assert.Contains("was 2,000", insight.Text, StringComparison.Ordinal);
        Assert.Contains("500 is usual", insight.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void One_freak_day_does_not_widen_the_band_and_too_few_weeks_make_none()
    {
        var kpi = KpiCatalogue.Part("web.sessions");
        var normal = AnomalyRule.Band(new Business().Table(), kpi, Last)!.Value;
        Assert.Equal(normal, AnomalyRule.Band(new Business().Change("web.sessions", Last.AddDays(-14), Last.AddDays(-14), 50).Table(), kpi, Last)!.Value);
        Assert.Null(AnomalyRule.Band(new Business().Change("web.sessions", Last.AddDays(-140), Last.AddDays(-50), null).Table(), kpi, Last));
    }

    [Fact]
    public void What_was_put_aside_comes_back_when_it_says_something_else()
    {
        var insight = Only(new Business().LastWeek(0.8m, "shop.revenue", "shop.transactions"), "revenue_change");
        var state = new InsightEndpoints.StateRow(insight.IdFor(Guid.Empty), "dismissed", null, insight.Says, insight.Magnitude);
        Assert.True(state.Holds(insight, Last));
        Assert.True(state.Holds(insight with { Magnitude = insight.Magnitude * 1.2m }, Last));
        Assert.False(state.Holds(insight with { Magnitude = insight.Magnitude * 1.3m }, Last));
        Assert.False(state.Holds(insight with { Says = "up" }, Last));
        Assert.False((state with { State = "snoozed", Until = Last }).Holds(insight, Last));
        Assert.True((state with { State = "snoozed", Until = Last.AddDays(1) }).Holds(insight, Last));
        Assert.NotEqual(insight.IdFor(Guid.Empty), insight.IdFor(Guid.NewGuid()));
    }

    [Theory]
    [InlineData(-7, "We cannot tell yet: Revenue and Sessions cannot be compared, because there is nothing earlier.")]
    // Three days are too few to speak for a week.
    [InlineData(-10, "We cannot tell yet: Revenue and Sessions cannot be compared, because the time before has days without data.")]
    [InlineData(-12, "Revenue had days without data before, and is compared on the 5 days that both periods have; "
        + "Sessions had days without data before, and is compared on the 5 days that both periods have.")]
    public void What_cannot_be_compared_is_told_once_for_each_reason_as_the_tiles_tell_it(int until, string told)
    {
        var (from, to) = (Last.AddDays(-13), Last.AddDays(until));
        var business = new Business().Change("shop.revenue", from, to, null).Change("web.sessions", from, to, null);
        var facts = business.Facts();
        Assert.Equal(told, DailyBrief.Write(facts, [], _ => Guid.Empty)[^1].Text);
        // And the tiles: a change where the sentence says so, and none where it says that there is none.
        Assert.Equal(told.Contains("is compared on", StringComparison.Ordinal), facts.Compared(KpiCatalogue.Part("shop.revenue")).Alike is not null);
    }

    [Fact]
    public void The_brief_has_five_sentences_at_most_and_says_last_what_could_not_be_checked()
    {
        var business = new Business().LastWeek(0.5m, "shop.revenue", "shop.transactions");
        for (var index = 0; index < 5; index++) business.Failing.Add(new WorkflowFailures(Guid.NewGuid(), $"w{index}", $"W{index}", Last, Last, 5 + index));
        business.Sources[1] = Business.Source("n8n", "n8n", "reconnect_needed", complete: Last.AddDays(-3));
        // Google Analytics as it is every morning.
        business.Sources[0] = Business.Source("google-analytics", "Google Analytics", complete: Last.AddDays(-1));
        var facts = business.Facts();
        var brief = DailyBrief.Write(facts, InsightRules.Find(facts), insight => insight.IdFor(Guid.Empty));
        Assert.Equal(5, brief.Count);
        Assert.StartsWith("n8n no longer lets us in: connect it again. Its numbers are complete through 19 Nov 2026", brief[0].Text,
            StringComparison.Ordinal);
        Assert.StartsWith("We cannot tell yet: Google Analytics is complete only through 21 Nov 2026", brief[^1].Text,
            StringComparison.Ordinal);
        Assert.All(brief, sentence => AssertProved(sentence.Text, sentence.Evidence));
    }

    /// <summary>Businesses changed at random: whatever is said, its numbers are in the evidence, the evidence is what it shows, and no cause is claimed.</summary>
    [Property(MaxTest = 150)]
    public void Every_number_of_every_sentence_is_in_its_evidence_and_no_cause_is_claimed(byte revenue, byte orders, byte visits, byte saved, byte gap, byte odd, bool silent, byte size)
    {
        var business = new Business((size % 20) + 0.1m)
            .LastWeek(revenue / 100m, "shop.revenue").LastWeek(orders / 100m, "shop.transactions").LastWeek(visits / 100m, "web.sessions", "web.key_event_sessions")
            .LastWeek(saved / 200m, "automation.time_saved").Change("web.key_events", Last.AddDays(-odd % 7), Last, odd / 20m);
        if (gap % 3 == 0) business.Change("web.sessions", Last.AddDays(-(gap % 9)), Last.AddDays(-(gap % 5)), null);
        if (silent) business.Sources[0] = Business.Source("google-analytics", "GA 4", "reconnect_needed", complete: Last.AddDays(-(gap % 10)));
        business.Failing.Add(new WorkflowFailures(Guid.NewGuid(), "a", "Sync 12345", Last.AddDays(-gap), Last, gap + 2));
        business.Workflows.Add(new WorkflowFacts("b", "99 problems", true, null, odd, 0));
        business.Workflows[0] = business.Workflows[0] with { Failed = orders };
        business.Restated.Add(new RestatedFacts("web.sessions", Last, visits, gap == 7 ? null : orders, default));
        foreach (var days in new[] { 1, 7, 28 })
        {
            var facts = business.Facts(days);
            var insights = InsightRules.Find(facts);
            foreach (var insight in insights)
            {
                AssertProved(insight.Text, insight.Proof.Evidence);
                Assert.DoesNotMatch(@"\b(because of|due to|caused|causes|led to|thanks to)\b", insight.Text);
                Assert.Equal(insight.Money is null, insight.Currency is null || insight.Money is null);
            }

            Assert.Equal(insights.Count, insights.Select(insight => (insight.IdFor(Guid.Empty), insight.Says)).Distinct().Count());
            Assert.All(DailyBrief.Write(facts, insights, insight => insight.IdFor(Guid.Empty)), sentence => AssertProved(sentence.Text, sentence.Evidence));
            var health = HealthReport.AsOf(facts.Table, Last, facts.CurrencyOf);
            Assert.All(health.Parts, part => AssertProved(part.Why, part.Evidence));
        }
    }

    [Theory]
    [InlineData(12, 15, 1, "12 of 15 failed runs say the same, all in “Order sync”: “429 Too Many ‘Requests’”.")]
    [InlineData(15, 15, 1, "All 15 failed runs are in “Order sync” and say the same: “429 Too Many ‘Requests’”.")]
    [InlineData(15, 15, 2, "All 15 failed runs say the same, in 2 workflows: “429 Too Many ‘Requests’”.")]
    [InlineData(1204, 2000, 31, "1,204 of 2,000 failed runs say the same, in 31 workflows: “429 Too Many ‘Requests’”.")]
    // Twice is chance; half is not most; what most do not say is not shared.
    [InlineData(2, 2, 1, null)]
    [InlineData(7, 14, 1, null)]
    [InlineData(8, 400, 1, null)]
    public void The_message_that_most_failures_share_is_named(int runs, int failed, int workflows, string? sentence)
    {
        var business = new Business { SharedMessage = new SharedMessage("429 Too Many “Requests”.", runs, failed, failed, workflows, "Order sync") };
        var found = business.Insights().Where(insight => insight.Rule == "failures_shared").ToList();
        Assert.Equal(sentence is null ? [] : [sentence], found.Select(insight => insight.Text));
        Assert.All(found, insight => AssertProved(insight.Text, insight.Proof.Evidence));
    }

    [Fact]
    public void The_check_of_numbers_sees_a_number_that_is_not_proved()
    {
        Evidence[] evidence = [new("Days", null, null, null, 7, "7"), new("Change", null, null, null, 0.118m, "12%")];
        AssertProved("12 % in 7 days", evidence);
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertProved("12 % in 8 days", evidence));
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertProved("13%", [new("Change", null, null, null, 0.118m, "13%")]));
    }

    /// <summary>Each number of a text stands in an evidence's words, and those words are the evidence's value, rounded.</summary>
    internal static void AssertProved(string text, IEnumerable<Evidence> evidence)
    {
        var proofs = evidence.ToList();
        foreach (var item in proofs)
        {
            var shown = Numbers(item.Shown);
            if (item.Value is not { } value)
            {
                Assert.Equal([item.From!.Value.Day, item.From.Value.Year], shown);
                continue;
            }

            var number = Assert.Single(shown);
            var exact = Math.Abs(item.Shown.EndsWith('%') ? value * 100 : value);
            var decimals = Digits().Match(item.Shown).Value is var digits && digits.IndexOf('.', StringComparison.Ordinal) is >= 0 and var point ? digits.Length - point - 1 : 0;
            var unit = (decimal)Math.Pow(10, -(item.Shown.Contains('.', StringComparison.Ordinal) ? decimals : exact >= 100 || item.Shown.EndsWith('%') || exact == decimal.Truncate(exact) ? 0 : 2));
            Assert.True(Math.Abs(number - exact) <= unit / 2, $"{item.Label}: {item.Shown} is not {value}.");
        }

        var proved = proofs.SelectMany(item => Numbers(item.Shown)).ToHashSet();
        // Names are no numbers: a workflow in its quotes, a source by the name that its owner gave it.
        foreach (var number in Numbers(Quoted().Replace(text, "").Replace("GA 4", "", StringComparison.Ordinal).Replace("n8n", "", StringComparison.Ordinal)))
            Assert.True(proved.Contains(number), $"{number} of “{text}” is in no evidence: {string.Join(" | ", proofs.Select(item => item.Shown))}");
    }

    private static List<decimal> Numbers(string text) => [.. Digits().Matches(text).Select(match => decimal.Parse(match.Value, NumberStyles.Number, CultureInfo.InvariantCulture))];

    [GeneratedRegex(@"\d+(,\d{3})*(\.\d+)?")]
    private static partial Regex Digits();

    [GeneratedRegex("“[^”]*”")]
    private static partial Regex Quoted();
}
